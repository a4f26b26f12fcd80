// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every early exit of the memory flows, service TDs and TDCALLs that are not recorded
 * (flow_errors_read.csv).
 */
#include "tests/tdxmod/errors_common.h"

#include <string.h>

#define TARGET		0x800000ull	/* TDR of the TD that the service TD is bound to */
#define OTHER_PAGE	0x600000ull

/* --- calls that would succeed ---------------------------------------------------------- */

/* Gpa 0 mapped, or blocked and tracked */
static void map_page(struct env *e, bool blocked)
{
	point_at(e, 0, LVL_PT);
	world_set(*e->entry, sept_make_leaf(SEPT_RWX, 0x400000, SEPT_MAPPED));
	if (!blocked)
		return;
	errors_ok(call(TDH_MEM_RANGE_BLOCK, 0, e->td.tdr, 0, NULL));
	errors_ok(call(TDH_MEM_TRACK, e->td.tdr, 0, 0, NULL));
}

/* From here on @e's TDR and TDCS are the target's; the service TD is that of the test */
static void add_target(struct env *e)
{
	struct td_build b = {
		.tdr = TARGET, .name = "target", .levels = 4, .op_state = OP_STATE_INITIALIZED,
	};

	for (u32 i = 0; i < TDCX_PAGES; i++)
		b.tdcx[i] = TARGET + 0x1000 + i * 0x1000;
	assert_int_equal(td_build(e->sim, &b), TARGET);
	e->tdr = tdr_at(TARGET);
	e->tdcs = td_tdcs(e->tdr);
	e->lock_td = TARGET;
}

static struct tdcs *service(struct env *e)
{
	return td_tdcs(tdr_at(e->td.tdr));
}

static void host_operands(struct env *e, const char *flow)
{
	e->r = (struct tdx_regs){ .rdx = e->td.tdr, .r9 = NULL_PA };
	for (u64 i = 0; i < 100; i++) {
		if (seamcall_name(i) && !strcmp(seamcall_name(i), flow))
			e->r.rax = i;
	}
	e->handle = &e->r.rdx;
	e->old_page = 0x400000;
	switch (e->r.rax) {
	case TDH_MEM_PAGE_RELOCATE:
		map_page(e, true);
		point_at(e, 0, LVL_PT);
		e->r.r8 = OTHER_PAGE;
		break;
	case TDH_MEM_RD:
	case TDH_MEM_WR:
		map_page(e, false);
		world_set(e->tdcs->attributes, ATTRIBUTES_DEBUG);
		break;
	case TDH_PHYMEM_PAGE_RDMD:
	case TDH_PHYMEM_PAGE_WBINVD:
		e->r.rcx = OTHER_PAGE;
		e->handle = &e->r.rcx;
		break;
	default:
		add_target(e);
		e->r.rcx = TARGET;
		e->handle = &e->r.rcx;
		if (e->r.rax == TDH_SERVTD_PREBIND)
			e->r.rdx = 0x50000000;
		e->r.r9 = 0;
		break;
	}
}

static u64 tdcall(struct env *e)
{
	bool again;

	if (vmexit_tdcall(lp_ctx_self(), &e->r, &again, &e->exit))
		return e->exit.rax;
	assert_false(again);
	return e->r.rax;
}

static void bound(struct env *e)
{
	struct tdx_regs r = { .rax = TDH_SERVTD_BIND, .rcx = TARGET, .rdx = e->td.tdr };

	add_target(e);
	errors_ok(seamcall(&r));
	e->r.rcx = r.rcx;
	e->r.r10 = r.r10;
	e->r.r11 = r.r11;
	e->r.r12 = r.r12;
	e->r.r13 = r.r13;
	e->r.rdx = e->r.rax == TDG_SERVTD_WR ? 0x9810000300000010 : 0x8010000300000020;
	e->r.r9 = NULL_PA;
}

static void guest_operands(struct env *e, const char *flow)
{
	struct tdx_regs r = { .rcx = e->td.tdvpr[0] };

	e->run = tdcall;
	for (u64 i = 0; i < 100; i++) {
		if (tdcall_name(i) && !strcmp(tdcall_name(i), flow))
			e->r.rax = i;
	}
	switch (e->r.rax) {
	case TDG_SERVTD_RD:
	case TDG_SERVTD_WR:
		bound(e);
		break;
	case TDG_VM_RD:
	case TDG_VM_WR:
		e->r.rdx = 0x9110000300000010;	/* NOTIFY_ENABLES */
		e->r.r9 = 1;
		break;
	case TDG_VP_RD:
	case TDG_VP_WR:
		e->r.rdx = 0x0024000300002010;	/* TSC offset: not the guest's */
		e->r.r9 = NULL_PA;
		break;
	case TDG_MR_REPORT:
		e->r.rdx = 0x400;
		map_page(e, false);
		break;
	default:
		map_page(e, false);
		break;
	}
	errors_ok(vp_enter_seam(&r));
}

/* --- situations; @v counts variants of a row -------------------------------------------- */

static void lifecycle(struct env *e, u32 v) { world_set(e->tdr->lifecycle, TD_BLOCKED); }
static void op_state_0(struct env *e, u32 v) { world_set(e->tdcs->op_state, 0); }
static void op_state_4(struct env *e, u32 v) { world_set(e->tdcs->op_state, 4); }
static void no_debug(struct env *e, u32 v) { world_set(e->tdcs->attributes, 0); }
static void odd(struct env *e, u32 v) { e->r.rcx |= 4; }
static void same_page(struct env *e, u32 v) { e->r.r8 = 0x400000; }
static void keyed(struct env *e, u32 v) { e->r.rcx = v ? BIT_ULL(52) : OTHER_PAGE | 0x800; }
static void taken(struct env *e, u32 v) { e->r.rcx = 0x203000; }

/* RELOCATE wants a leaf that it knows; everything else at 4K is one */
static void not_relocatable(struct env *e, u32 v)
{
	entry_is(e, v ? SEPT_FREE : SEPT_REMOVED);
}

static void pending(struct env *e, u32 v)
{
	world_set(*e->entry, sept_make_leaf(0, 0x400000, SEPT_PENDING));
}

static void no_leaf(struct env *e, u32 v)
{
	if (!v) {
		pending(e, v);
		return;
	}
	point_at(e, BIT_ULL(39), LVL_PT);	/* ends at the root */
	e->r.rcx = BIT_ULL(39);
}

/* Between the walk and the lock: by the first step that locks it */
static void blocked_meanwhile(void *ctx, const struct event *ev)
{
	struct env *e = ctx;

	if (ev->type == EV_STEP && ev->op == MEM_BTS && ev->p == e->entry) {
		world_set(*e->entry, (*e->entry & ~SEPT_STATE_MASK) | sept_state_bits(SEPT_BLOCKED));
		e->raw = *e->entry;
	}
}

static u64 seamcall_meanwhile(struct env *e)
{
	u64 rax;

	trace_listen(e->sim, blocked_meanwhile, e);
	rax = seamcall(&e->r);
	trace_unlisten(e->sim, blocked_meanwhile, e);
	return rax;
}

static void state_changes(struct env *e, u32 v) { e->run = seamcall_meanwhile; }

/* --- BIND, PREBIND */

static void same_td(struct env *e, u32 v) { e->r.rdx = e->r.rcx; }
static void bad_service(struct env *e, u32 v) { e->r.rdx |= v ? BIT_ULL(52) : 0x800; }
static void service_is_none(struct env *e, u32 v) { e->r.rdx = 0x3000; }
static void service_fatal(struct env *e, u32 v) { world_set(tdr_at(e->td.tdr)->fatal, 1); }
static void service_state(struct env *e, u32 v) { world_set(service(e)->op_state, 1); }
static void slot(struct env *e, u32 v) { e->r.r8 = 1; }
static void type(struct env *e, u32 v) { e->r.r9 = v ? 0x10000 : 1; }
static void attributes(struct env *e, u32 v) { e->r.r10 = v ? BIT_ULL(63) : 2; }
static void finalized(struct env *e, u32 v) { world_set(e->tdcs->op_state, OP_STATE_RUNNABLE); }

static void service_busy(struct env *e, u32 v)
{
	e->lock_td = e->td.tdr;
	hold(e, "TDR", 0, 0, ACQUIRE_EXCLUSIVE);
}

static void service_op_busy(struct env *e, u32 v)
{
	e->lock_td = e->td.tdr;
	hold(e, "OP_STATE", 0, 0, ACQUIRE_EXCLUSIVE);
}

static void service_rtmr_busy(struct env *e, u32 v)
{
	e->lock_td = e->td.tdr;
	hold(e, "RTMR", 0, 0, ACQUIRE_EXCLUSIVE);
}

static void bindings_busy(struct env *e, u32 v)
{
	hold(e, "SERVTD_BINDINGS", 0, 0, v ? ACQUIRE_EXCLUSIVE : ACQUIRE_SHARED);
}

static struct servtd_binding *binding(struct env *e, u8 state)
{
	struct servtd_binding *b = &e->tdcs->servtd_binding[0];

	if (!b->state)
		errors_ok(seamcall(&(struct tdx_regs){
			.rax = TDH_SERVTD_BIND, .rcx = TARGET, .rdx = e->td.tdr, .r10 = e->r.r10 }));
	world_set(b->state, state);
	return b;
}

static void other_type(struct env *e, u32 v)
{
	world_set(binding(e, v ? SERVTD_BOUND : SERVTD_PRE_BOUND)->type, 1);
}

static void other_attributes(struct env *e, u32 v)
{
	world_set(binding(e, v ? SERVTD_BOUND : SERVTD_PRE_BOUND)->attributes, 1);
}

static void other_hash(struct env *e, u32 v)
{
	world_set(binding(e, v ? SERVTD_BOUND : SERVTD_PRE_BOUND)->info_hash, 1);
}

static void other_instance(struct env *e, u32 v)
{
	e->r.r10 = 1;
	world_set(binding(e, SERVTD_BOUND)->uuid[v ? 3 : 0], 1);
}

static void bound_already(struct env *e, u32 v) { binding(e, SERVTD_BOUND); }

static void bad_hash_page(struct env *e, u32 v)
{
	static const u64 bad[] = { 0x50000020, BIT_ULL(52), SEAMRR_BASE, 32ull << 40 };

	e->r.rdx = bad[v];
}

/* --- TDCALLs */

static void entry_locked(struct env *e, u32 v) { world_set(*e->entry, *e->entry | SEPT_TDEL); }
static void entry_hp(struct env *e, u32 v) { world_set(*e->entry, *e->entry | SEPT_TDHP); }
static void entry_blocked(struct env *e, u32 v) { world_set(*e->entry, sept_make_blocked(*e->entry, 0)); }
static void for_l2(struct env *e, u32 v) { e->r.rdx = v ? 1 : BIT_ULL(31); }
static void flags_l2(struct env *e, u32 v) { e->r.r8 = v ? BIT_ULL(15) : BIT_ULL(31); }
static void far_away(struct env *e, u32 v) { e->r.rcx = BIT_ULL(39); }
static void table_level(struct env *e, u32 v) { e->r.rcx = LVL_PD; }
static void rcx_odd(struct env *e, u32 v) { e->r.rcx |= 0x20; }
static void rdx_odd(struct env *e, u32 v) { e->r.rdx |= 0x20; }
static void rdx_high(struct env *e, u32 v) { e->r.rdx |= BIT_ULL(48); }
static void rcx_high(struct env *e, u32 v) { e->r.rcx |= BIT_ULL(v ? 47 : 48); }
static void rcx_above(struct env *e, u32 v) { e->r.rcx |= BIT_ULL(48); }
static void rdx_far(struct env *e, u32 v) { e->r.rdx = BIT_ULL(39); }
static void subtype(struct env *e, u32 v) { e->r.r8 = v ? BIT_ULL(40) : 1; }
static void index_4(struct env *e, u32 v) { e->r.rdx = v ? BIT_ULL(32) : 4; }
static void rtmr_ex(struct env *e, u32 v) { hold(e, "RTMR", 0, 0, ACQUIRE_EXCLUSIVE); }
static void rtmr_sh(struct env *e, u32 v) { hold(e, "RTMR", 0, 0, ACQUIRE_SHARED); }
static void rtmr_hp(struct env *e, u32 v) { world_set(e->tdcs->rtmr_lock, SHAREX_HP_HP); }
static void no_rcx(struct env *e, u32 v) { e->r.rcx = 1; }
static void not_single(struct env *e, u32 v) { e->r.rdx |= v ? BIT_ULL(34) : BIT_ULL(24); }
static void first_field(struct env *e, u32 v) { e->r.rdx = NULL_PA; }
static void version_of_2(struct env *e, u32 v) { e->r.rax |= 2 << 16; }
static void vmcall_mask(struct env *e, u32 v) { e->r.rcx = v ? BIT_ULL(32) : 0x10; }
static void vm_1(struct env *e, u32 v) { e->r.rcx = v ? 1ull << 52 : 1; }
static void bit_0(struct env *e, u32 v) { e->r.rcx = v ? 2 : 1; }
static void as_it_is(struct env *e, u32 v) { }

static void not_readable(struct env *e, u32 v)
{
	if (e->r.rax != TDG_VP_RD)
		e->r.rdx = 0x8010000300000004;
}

static void not_writable(struct env *e, u32 v)
{
	if (e->r.rax == TDG_VP_WR)
		return;
	e->r.rdx = 0x8010000300000020;
	e->r.r9 = NULL_PA;
}

static void not_valid(struct env *e, u32 v)
{
	if (e->r.rax == TDG_SERVTD_WR) {
		e->r.rdx = 0x9810000100000020;	/* MIG_VERSION: 0 is the only one */
		e->r.r8 = 1;
		e->r.r9 = 0xffff;
	} else {
		e->r.r8 = 2;			/* of NOTIFY_ENABLES only bit 0 may change */
		e->r.r9 = 3;
	}
}

/* The handle is the TDR's hpa and the slot, plus the service TD's UUID */
static void slot_1(struct env *e, u32 v) { e->r.rcx += 1; }
static void target_keyed(struct env *e, u32 v) { e->r.rcx += BIT_ULL(45); }
static void target_outside(struct env *e, u32 v) { e->r.rcx += 0x40000000 - TARGET; }
static void target_is_none(struct env *e, u32 v) { e->r.rcx += 0x1000; }
static void uuid_0(struct env *e, u32 v) { e->r.r10 = e->r.r11 = e->r.r12 = e->r.r13 = 0; }
static void uuid_other(struct env *e, u32 v) { *(v ? &e->r.r13 : &e->r.r10) += 1; }
static void unbound(struct env *e, u32 v) { world_set(e->tdcs->servtd_binding[0].state, v); }
static void bindings_ex(struct env *e, u32 v) { bindings_busy(e, 1); }
static void op_hp(struct env *e, u32 v) { world_set(e->tdcs->op_state_lock, SHAREX_HP_HP); }
static void own_rtmr_hp(struct env *e, u32 v) { world_set(service(e)->rtmr_lock, SHAREX_HP_HP); }

/* The vCPU itself holds the 1G entry shared: nobody could have it exclusive, but for a test */
static void target_busy(struct env *e, u32 v)
{
	struct pamt_entry *p = pamt_entry_of(module_self(), TARGET, v);

	world_set(p->lock, p->lock | SHAREX_HP_EX);
}

static void target_hp(struct env *e, u32 v)
{
	world_set(pamt_entry_of(module_self(), TARGET, SIZE_4K)->lock, SHAREX_HP_HP);
}

static void bindings_hp(struct env *e, u32 v)
{
	world_set(e->tdcs->servtd_bindings_lock, SHAREX_HP_HP);
}

static void other_service(struct env *e, u32 v)
{
	world_set(e->tdcs->servtd_binding[0].uuid[v ? 3 : 0], 1);
}

static void own_hash(struct env *e, u32 v)
{
	world_set(service(e)->rtmr[v ? 3 : 0], 7);
	world_set(service(e)->last_teeinfo_hash_valid, 0);
}

/* The page of the operand is part of a large one */
static void handle_of_2m(struct env *e, u32 v)
{
	world_set(pamt_entry_of(module_self(), *e->handle, SIZE_2M)->pt, PT_REG);
}

/* --- which row is which ----------------------------------------------------------------- */

static const struct situation host_situations[] = {
	{ NULL, "dispatcher: RAX version", version_1 },
	{ NULL, "TDR HPA not inside", outside },
	{ NULL, "TDR HPA not 4KB", bad_handle, 3 },
	{ NULL, "PAMT_1G shared / PAMT_2M shared", walk_busy, 3 },
	{ NULL, "PAMT walk ended above", handle_of_2m },
	{ NULL, "PAMT.PT != PT_TDR", not_that },
	{ NULL, "TDR.FATAL", fatal },
	{ NULL, "TDR.LIFECYCLE_STATE", lifecycle },
	{ NULL, "TDR.NUM_TDCX < 6", no_tdcs },
	{ NULL, "OP_STATE lock shared busy", op_busy },
	{ "TDH.SERVTD", "OP_STATE not in", op_state_4 },
	{ NULL, "OP_STATE not in", op_state_0 },
	{ NULL, "RCX: reserved bits", bad_info, 4 },
	{ NULL, "GPA not private/valid", bad_gpa, 2 },
	{ NULL, "SEPT_TREE lock shared busy", tree_ex },
	{ NULL, "walk stopped above", unmapped },
	{ NULL, "walk did not end", no_leaf, 2 },
	{ NULL, "SEPT entry TDEL already set", entry_busy },
	{ NULL, "entry not leaf or state", not_relocatable, 2 },
	{ NULL, "state not allowed once locked", state_changes, .other = true },
	{ NULL, "R8 is the page", same_page, .other = true },
	{ NULL, "PAMT lock of the mapped page", old_page_busy },
	{ NULL, "tracking required and state", not_blocked },
	{ NULL, "tracking required and !is_tlb_tracked", not_tracked },
	{ NULL, "new page HPA not", bad_page, 3 },
	{ NULL, "new page not inside", page_outside },
	{ NULL, "PAMT 1G/2M/4K lock busy", page_busy, 2 },
	{ NULL, "PAMT leaf level != requested", page_covered },
	{ "TDH.PHYMEM.PAGE.WBINVD", "PAMT.PT != PT_NDA", taken },
	{ NULL, "PAMT.PT != PT_NDA", page_taken },
	{ NULL, "ATTRIBUTES.DEBUG == 0", no_debug },
	{ NULL, "RCX not 8 bytes", odd },
	{ NULL, "HPA not 4KB aligned", bad_handle, 3 },
	{ NULL, "not in TDMR", outside },
	{ NULL, "PAMT walk (to actual leaf)", walk_busy, 3 },
	{ NULL, "page HPA without its HKID", keyed, 2 },
	{ NULL, "RDX == RCX", same_td },
	{ NULL, "service TDR not 4KB", bad_service, 2 },
	{ NULL, "service TDR lock", service_busy },
	{ NULL, "service TD: PAMT.PT", service_is_none, .other = true },
	{ NULL, "service TD: TDR.FATAL", service_fatal },
	{ NULL, "service TD: OP_STATE lock", service_op_busy },
	{ NULL, "service TD: OP_STATE not in", service_state },
	{ NULL, "RDX not 64 bytes", bad_hash_page, 4 },
	{ NULL, "R8 >= 1", slot },
	{ NULL, "R9 != 0", type, 2 },
	{ NULL, "R10 reserved", attributes, 2 },
	{ NULL, "SERVTD_BINDINGS lock", bindings_busy, 2 },
	{ NULL, "RTMR of the service TD", service_rtmr_busy },
	{ NULL, "NOT_BOUND and the target", finalized, .other = true },
	{ NULL, "PRE_BOUND or BOUND of another type", other_type, 2 },
	{ NULL, "PRE_BOUND or BOUND with other attributes", other_attributes, 2 },
	{ NULL, "BOUND by instance", other_instance, 2, .other = true },
	{ NULL, "PRE_BOUND or BOUND with another info", other_hash, 2 },
	{ NULL, "BOUND", bound_already, .other = true },
};

static const struct situation guest_situations[] = {
	{ NULL, "RAX version > 0", version_1 },
	{ NULL, "GPA not private/valid", bad_gpa, 2 },
	{ NULL, "entry TDEL set", entry_locked },
	{ NULL, "entry TDHP set", entry_hp },
	{ NULL, "state not allowed", entry_blocked },
	{ NULL, "RDX attributes", for_l2, 2 },
	{ NULL, "R8 flags", flags_l2, 2 },
	{ NULL, "RCX: reserved bits", bad_info, 4 },
	{ NULL, "walk stopped above", far_away },
	{ NULL, "entry non-free and non-leaf", table_level, .other = true },
	{ NULL, "RCX not 1024 bytes", rcx_odd },
	{ NULL, "RCX not 64 bytes", rcx_odd },
	{ NULL, "RDX not 64 bytes", rdx_odd },
	{ NULL, "RDX: bits above", rdx_high },
	{ NULL, "RCX: bits above", rcx_above },
	{ NULL, "RCX shared or not valid", rcx_high, 2 },
	{ NULL, "RDX page pending", pending, .other = true },
	{ NULL, "RCX page pending", pending, .other = true },
	{ NULL, "RDX page not mapped", rdx_far },
	{ NULL, "RCX page not mapped", far_away },
	{ NULL, "R8 subtype", subtype, 2 },
	{ NULL, "RDX index > 3", index_4, 2 },
	{ NULL, "RTMR lock shared busy", rtmr_ex },
	{ NULL, "RTMR lock exclusive busy", rtmr_sh },
	{ NULL, "RTMR lock HP set", rtmr_hp, .other = true },
	{ NULL, "slot >= 1", slot_1 },
	{ NULL, "target TDR: HKID", target_keyed },
	{ NULL, "target TDR not in TDMR", target_outside },
	{ NULL, "target TDR: PAMT", target_busy, 3 },
	{ NULL, "target TDR: HP", target_hp, .other = true },
	{ NULL, "target TDR: PT", target_is_none, .other = true },
	{ NULL, "target TDR.FATAL", fatal },
	{ NULL, "target TDR.LIFECYCLE_STATE", lifecycle },
	{ NULL, "target TDR.NUM_TDCX", no_tdcs },
	{ NULL, "target OP_STATE shared busy", op_busy },
	{ NULL, "target OP_STATE: HP", op_hp, .other = true },
	{ NULL, "target OP_STATE not in", op_state_4 },
	{ NULL, "UUID is that from before", uuid_0, .other = true },
	{ NULL, "UUID is another", uuid_other, 2 },
	{ NULL, "target bindings shared busy", bindings_ex },
	{ NULL, "target bindings: HP", bindings_hp, .other = true },
	{ NULL, "slot not BOUND", unbound, 2 },
	{ NULL, "bound to another", other_service, 2 },
	{ NULL, "own RTMR shared busy", service_rtmr_busy },
	{ NULL, "own RTMR: HP", own_rtmr_hp, .other = true },
	{ NULL, "own info hash", own_hash, 2 },
	{ NULL, "RDX == -1", first_field, .other = true },
	{ NULL, "RDX is no single", not_single, 2 },
	{ NULL, "field not readable", not_readable },
	{ NULL, "field not writable", not_writable },
	{ NULL, "value not valid", not_valid, .other = true },
	{ NULL, "version > 1", version_of_2 },
	{ NULL, "RCX != 0", no_rcx },
	{ NULL, "VE_INFO not valid", as_it_is },
	{ NULL, "RCX bits 0, 1, 4", vmcall_mask, 2 },
	{ NULL, "RDX not 256 bytes", rdx_odd },
	{ NULL, "RCX: no such VM", vm_1, 2, .other = true },
	{ NULL, "RCX bit 0", bit_0, 2 },
};

/* --- what the guest and the VMM see beside the status ------------------------------------ */

static void trap_is(struct env *e, const char *name)
{
	u64 status;
	bool with;

	assert_true(status_value(name, &status, &with));
	assert_int_equal(e->exit.rdx, status);
	assert_int_equal(e->vp->last_td_exit, LAST_ASYNC_TRAP);
	assert_int_equal(e->vp->guest.rip, GUEST_RIP + TDCALL_BYTES);
}

static void check_out(struct env *e, char **f)
{
	const char *out = f[5];

	if (g_str_has_prefix(out, "rdx=TDX_"))
		trap_is(e, out + strlen("rdx="));
	else if (g_str_has_prefix(out, "rdx=6"))
		assert_int_equal(e->exit.rdx, EEQ_PENDING_EPT_VIOLATION);
	else if (g_str_has_prefix(out, "rdx=5"))
		assert_int_equal(e->exit.rdx & 15, EEQ_ATTR_WR);
	else if (g_str_has_prefix(out, "rdx=0"))
		assert_int_equal(e->exit.rdx, 0);
	else if (!strcmp(out, "HP_LOCK_BUSY=1"))
		assert_int_equal(e->vp->hp_lock_busy, 1);
	else if (!strcmp(out, "uuid"))
		assert_true(e->r.r10 == e->tdr->uuid[0] && e->r.r13 == e->tdr->uuid[3]);
	else if (!strcmp(out, "first"))
		assert_int_equal(e->r.rdx, 0x8010000300000020);
	else if (!strcmp(out, "rcx=0"))
		assert_int_equal(e->r.rcx | e->r.r10 | e->r.r13, 0);
	else
		assert_int_equal(*out, 0);
	/* A guest that was told lets nothing of the entry locked */
	if (e->entry && e->exit.rax == EXIT_REASON_EPT_VIOLATION)
		assert_false(*e->entry & SEPT_TDEL);
}

static const struct error_rows host = {
	"flow_errors_read.csv", "TDH.", host_situations, ARRAY_SIZE(host_situations),
	host_operands, check_out,
};

static const struct error_rows guest = {
	"flow_errors_read.csv", "TDG.", guest_situations, ARRAY_SIZE(guest_situations),
	guest_operands, check_out,
};

static void test_host(void **state)
{
	u32 done, not;

	errors_rows(&host, &done, &not);
	assert_true(done > 100 && !not);
}

static void test_guest(void **state)
{
	u32 done, not;

	errors_rows(&guest, &done, &not);
	assert_true(done > 70 && !not);
}

static void test_order(void **state)
{
	u32 of_hosts = errors_order(&host), of_guests = errors_order(&guest);

	assert_true(of_hosts > 500 && of_guests > 150);
}

/* The target may be in any OP_STATE, but for a write not paused or past it */
static void test_op_states(void **state)
{
	for (u32 i = 0; i < 22; i++) {
		u32 op_state = i / 2;
		bool write = i & 1, refused = write && (op_state == 4 || op_state == 5);
		struct env e;
		u64 rax;

		errors_begin(&e);
		guest_operands(&e, write ? "TDG.SERVTD.WR" : "TDG.SERVTD.RD");
		world_set(e.tdcs->op_state, op_state);
		rax = e.run(&e);
		assert_int_equal(STATUS_CLASS(rax) == TDX_CROSS_TD_TRAP, refused);
		assert_true(refused || rax == 0 || rax == TDX_METADATA_FIELD_VALUE_NOT_VALID ||
			    !write);
		sim_free(e.sim);
	}
}

/* A guest that finds the target's PAMT busy is no host: it leaves no word there */
static void test_no_priority(void **state)
{
	struct pamt_entry *gb;
	struct env e;
	u64 rax;

	errors_begin(&e);
	guest_operands(&e, "TDG.SERVTD.RD");
	gb = pamt_implicit(module_self(), TARGET, SIZE_1G);
	world_set(gb->lock, SHAREX_HP_EX);
	rax = e.run(&e);
	assert_int_equal(STATUS_CLASS(rax), TDX_OPERAND_BUSY);
	assert_false(gb->lock & SHAREX_HP_HP);
	sim_free(e.sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_guest),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_op_states),
		cmocka_unit_test(test_no_priority),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
