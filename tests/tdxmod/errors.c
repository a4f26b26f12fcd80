// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every early exit of the modelled flows (flow_errors.csv): a situation for each check in
 * which exactly that one fails, then status, operand id and output registers as the row
 * says; and of each pair of checks that fail together the earlier one. Rows that cannot be
 * set up here are listed with the reason.
 */
#include "tests/tdxmod/common.h"

#include <stdlib.h>
#include <string.h>

#include "sim/engine/lp.h"
#include "tdxmod/guest.h"
#include "tdxmod/status.h"

/* The machine of one row: gpa 0 has tables down to 4K, page 0x400000 PENDING at gfn 0 */
struct env {
	struct sim *sim;
	struct test_td td;
	struct tdr *tdr;
	struct tdcs *tdcs;
	struct tdvps *vp;
	struct tdx_regs r, in;
	u64 *entry;		/* of the operand */
	u64 raw;		/* of @entry before the call */
	u8 level;
	struct module_lock hold;
	u32 how;
};

static void ok(u64 rax)
{
	char buf[80];

	if (rax)
		fail_msg("set-up: %s", status_name(rax, buf, sizeof(buf)));
}

static void setup(struct env *e)
{
	*e = (struct env){ .sim = test_sim() };
	test_td(e->sim, &(struct test_setup){ .pending_ve_disable = true }, &e->td);
	e->tdr = tdr_at(e->td.tdr);
	e->tdcs = td_tdcs(e->tdr);
	e->vp = tdvps_at(e->td.tdvpr[0]);
	for (u8 l = LVL_PML4; l > LVL_PT; l--)
		ok(call(TDH_MEM_SEPT_ADD, l, e->td.tdr, 0x200000 + l * 0x1000, NULL));
	ok(call(TDH_MEM_PAGE_AUG, 0, e->td.tdr, 0x400000, NULL));
}

static void point_at(struct env *e, u64 gpa, u8 level)
{
	struct sept_walk w;

	sept_peek_walk(e->tdcs, gpa, level, &w);
	e->entry = w.entry;
	e->level = w.level;
	e->r.rcx = gpa | level;
}

#define LARGE_PAGE	0x800000ull
#define PARTS_TABLE	0x610000ull	/* S-EPT page of its parts */

static void block_2m(struct env *e)
{
	ok(call(TDH_MEM_RANGE_BLOCK, 0x200000 | LVL_PD, e->td.tdr, 0, NULL));
	ok(call(TDH_MEM_TRACK, e->td.tdr, 0, 0, NULL));
	point_at(e, 0x200000, LVL_PD);
}

/* A 2M page at gpa 0x200000, blocked and tracked */
static void large(struct env *e)
{
	ok(call(TDH_MEM_PAGE_AUG, 0x200000 | LVL_PD, e->td.tdr, LARGE_PAGE, NULL));
	block_2m(e);
}

/* A call of the flow that would succeed */
static void operands(struct env *e, const char *flow)
{
	e->r = (struct tdx_regs){
		.rdx = e->td.tdr, .r9 = NULL_PA, .r10 = NULL_PA, .r11 = NULL_PA,
	};
	for (u64 i = 0; i < 100; i++) {
		if (seamcall_name(i) && !strcmp(seamcall_name(i), flow))
			e->r.rax = i;
	}
	switch (e->r.rax) {
	case TDH_MEM_SEPT_ADD:
		point_at(e, 0x200000, LVL_PD);
		e->r.r8 = 0x600000;
		break;
	case TDH_MEM_PAGE_ADD:
		world_set(e->tdcs->op_state, OP_STATE_INITIALIZED);
		point_at(e, 0x1000, LVL_PT);
		e->r.r8 = 0x600000;
		e->r.r9 = 0x50000000;
		break;
	case TDH_MEM_PAGE_AUG:
		point_at(e, 0x1000, LVL_PT);
		e->r.r8 = 0x600000;
		break;
	case TDH_MEM_PAGE_REMOVE:
	case TDH_MEM_RANGE_UNBLOCK:
		ok(call(TDH_MEM_RANGE_BLOCK, 0, e->td.tdr, 0, NULL));
		ok(call(TDH_MEM_TRACK, e->td.tdr, 0, 0, NULL));
		point_at(e, 0, LVL_PT);
		break;
	case TDH_MEM_RANGE_BLOCK:
	case TDH_MEM_SEPT_RD:
		point_at(e, 0, LVL_PT);
		break;
	case TDH_MEM_SEPT_REMOVE:
		ok(call(TDH_MEM_SEPT_ADD, 0x200000 | LVL_PD, e->td.tdr, 0x210000, NULL));
		ok(call(TDH_MEM_RANGE_BLOCK, 0x200000 | LVL_PD, e->td.tdr, 0, NULL));
		ok(call(TDH_MEM_TRACK, e->td.tdr, 0, 0, NULL));
		point_at(e, 0x200000, LVL_PD);
		break;
	case TDH_MEM_PAGE_DEMOTE:
		large(e);
		e->r.r8 = 0x600000;
		break;
	case TDH_MEM_PAGE_PROMOTE:
		large(e);
		ok(call(TDH_MEM_PAGE_DEMOTE, 0x200000 | LVL_PD, e->td.tdr, PARTS_TABLE, NULL));
		block_2m(e);
		break;
	case TDH_VP_ENTER:
		e->r.rcx = e->td.tdvpr[0];
		break;
	case TDH_VP_FLUSH: {
		struct tdx_regs r = { .rcx = e->td.tdvpr[0] };

		ok(vp_enter_seam(&r));
		test_interrupt(&r);
		e->r.rcx = e->td.tdvpr[0];
		break;
	}
	case TDH_PHYMEM_PAGE_RECLAIM:
		world_set(e->tdr->lifecycle, TD_TEARDOWN);
		e->r.rcx = 0x400000;
		break;
	case TDH_PHYMEM_CACHE_WB:
		ok(call(TDH_MNG_VPFLUSHDONE, e->td.tdr, 0, 0, NULL));
		break;
	case TDH_MNG_KEY_FREEID:
		ok(call(TDH_MNG_VPFLUSHDONE, e->td.tdr, 0, 0, NULL));
		world_set(module_self()->kot[33].wbinvd_bitmap, 0);
		e->r.rcx = e->td.tdr;
		break;
	case TDH_MR_FINALIZE:
		world_set(e->tdcs->op_state, OP_STATE_INITIALIZED);
		e->r.rcx = e->td.tdr;
		break;
	default:
		e->r.rcx = e->td.tdr;
		break;
	}
}

static void hold(struct env *e, const char *name, u64 index, u8 level, u32 how)
{
	assert_true(module_lock_find(e->td.tdr, name, index, level, &e->hold));
	e->how = how;
	ok(module_lock_acquire(&e->hold, how));
}

/* The register that holds the flow's structure: TDR, TDVPR or page */
static u64 *handle(struct env *e)
{
	switch (e->r.rax) {
	case TDH_MEM_TRACK:
	case TDH_MR_FINALIZE:
	case TDH_MNG_VPFLUSHDONE:
	case TDH_MNG_KEY_FREEID:
	case TDH_VP_ENTER:
	case TDH_VP_FLUSH:
	case TDH_PHYMEM_PAGE_RECLAIM:
		return &e->r.rcx;
	default:
		return &e->r.rdx;
	}
}

static void entry_is(struct env *e, enum sept_state s)
{
	world_set(*e->entry, (*e->entry & ~SEPT_STATE_MASK) | sept_state_bits(s));
}

/* --- one function a situation; @v counts variants of a row ---------------------------- */

static void version_1(struct env *e, u32 v) { e->r.rax |= 1 << 16; }
static void version_2(struct env *e, u32 v) { e->r.rax |= 2 << 16; }
static void rdx_reserved(struct env *e, u32 v) { e->r.rdx |= v ? BIT_ULL(63) : 2; }
static void rcx_flags(struct env *e, u32 v) { e->r.rcx |= v ? BIT_ULL(60) : 4; }
static void outside(struct env *e, u32 v) { *handle(e) = 0x40000000; }
static void not_that(struct env *e, u32 v) { *handle(e) = 0x2000; }
static void fatal(struct env *e, u32 v) { world_set(e->tdr->fatal, 1); }
static void no_tdcs(struct env *e, u32 v) { world_set(e->tdr->num_tdcx, 5); }
static void no_pages(struct env *e, u32 v) { world_set(e->vp->num_pages, 5); }
static void no_vcpus(struct env *e, u32 v) { world_set(e->tdcs->num_vcpus, 0); }
static void page_outside(struct env *e, u32 v) { e->r.r8 = 0x40000000; }
static void null_page(struct env *e, u32 v) { e->r.r8 = NULL_PA; }

static void bad_handle(struct env *e, u32 v)
{
	/* Bits 11:0 and 63:52 of a handle with flags are other rows' */
	bool flags = e->r.rax == TDH_MEM_SEPT_ADD || e->r.rax == TDH_MEM_PAGE_DEMOTE ||
		     e->r.rax == TDH_VP_ENTER;
	static const u64 bad[] = { BIT_ULL(45), 0x800, BIT_ULL(52) };

	*handle(e) |= bad[flags ? 0 : v];
}

static void walk_busy(struct env *e, u32 v)
{
	hold(e, "PAMT", *handle(e) & GENMASK_ULL(47, 12), v == 0 ? 3 : v == 1 ? 2 : 1, ACQUIRE_EXCLUSIVE);
}

static void covered(struct env *e, u32 v)
{
	world_set(module_self()->pamt_2m[0].pt, PT_REG);
}

static void tdr_busy(struct env *e, u32 v)
{
	hold(e, "TDR", 0, 0, ACQUIRE_EXCLUSIVE);
}

static void lifecycle(struct env *e, u32 v)
{
	world_set(e->tdr->lifecycle, e->r.rax == TDH_MNG_VPFLUSHDONE ? TD_TEARDOWN : TD_BLOCKED);
	if (e->r.rax == TDH_PHYMEM_PAGE_RECLAIM && v)
		e->r.rcx = e->td.tdr;
}

static void op_busy(struct env *e, u32 v)
{
	hold(e, "OP_STATE", 0, 0, ACQUIRE_EXCLUSIVE);
}

static void op_state(struct env *e, u32 v)
{
	world_set(e->tdcs->op_state, OP_STATE_UNINITIALIZED);
}

static void bad_info(struct env *e, u32 v)
{
	static const u64 bits[] = { 8, BIT_ULL(52), 7 };

	if (v < 3)
		e->r.rcx |= bits[v];
	else
		e->r.rcx |= e->level ? 0x1000 : BIT_ULL(11);
}

static void bad_gpa(struct env *e, u32 v)
{
	e->r.rcx |= BIT_ULL(v ? 48 : 47);
}

static void tree_sh(struct env *e, u32 v) { hold(e, "SEPT_TREE", 0, 0, ACQUIRE_SHARED); }
static void tree_ex(struct env *e, u32 v) { hold(e, "SEPT_TREE", 0, 0, ACQUIRE_EXCLUSIVE); }

static void unmapped(struct env *e, u32 v)
{
	u8 level = e->r.rcx & 7;

	point_at(e, BIT_ULL(39), level);	/* ends at the root */
}

static void entry_busy(struct env *e, u32 v)
{
	ok(sept_lock_guest(e->entry));
	e->raw = *e->entry & ~SEPT_TDEL;	/* as the walk reports it */
}

static void state_removed(struct env *e, u32 v) { entry_is(e, SEPT_REMOVED); }
static void state_mapped(struct env *e, u32 v) { point_at(e, 0, LVL_PT); }

static void leaf_in_the_way(struct env *e, u32 v)
{
	point_at(e, 0, LVL_PT);
	world_set(*e->entry, sept_make_leaf(SEPT_RWX, 0x400000, SEPT_EXPORTED_DIRTY));
}

static void table_there(struct env *e, u32 v) { point_at(e, 0, LVL_PD); }

static void allowed(struct env *e, u32 v)
{
	table_there(e, v);
	e->r.rdx |= 1;
}

static void null_page_v1(struct env *e, u32 v)
{
	e->r.rax |= 1 << 16;
	e->r.r8 = NULL_PA;
}

static void bad_page(struct env *e, u32 v)
{
	static const u64 bits[] = { 0x800, BIT_ULL(45), BIT_ULL(52) };

	e->r.r8 |= bits[v];
}

static void page_busy(struct env *e, u32 v)
{
	hold(e, "PAMT", e->r.r8, v ? 1 : 2, ACQUIRE_EXCLUSIVE);
}

static void page_covered(struct env *e, u32 v)
{
	world_set(pamt_entry_of(module_self(), e->r.r8, SIZE_2M)->pt, PT_REG);
}

static void page_taken(struct env *e, u32 v) { e->r.r8 = 0x203000; }

static void range_taken(struct env *e, u32 v)
{
	e->r.r8 = 0x800000;
	point_at(e, 0x200000, LVL_PD);
	world_set(pamt_entry_of(module_self(), 0x9ff000, SIZE_4K)->pt, PT_REG);
}

static void source(struct env *e, u32 v)
{
	static const u64 bad[] = { 0x50000800, BIT_ULL(52), SEAMRR_BASE, 32ull << 40 };

	e->r.r9 = bad[v];
}

static void old_page_busy(struct env *e, u32 v)
{
	u64 hpa = e->r.rax == TDH_MEM_SEPT_REMOVE ? 0x210000 :
		  e->r.rax == TDH_MEM_PAGE_PROMOTE ? PARTS_TABLE : 0x400000;

	hold(e, "PAMT", hpa, 1, ACQUIRE_SHARED);
}

static void not_blocked(struct env *e, u32 v)
{
	entry_is(e, sept_is_leaf(*e->entry) ? SEPT_PENDING : SEPT_NL_MAPPED);
}

static void not_tracked(struct env *e, u32 v)
{
	bool leaf = sept_is_leaf(*e->entry);
	struct pamt_entry *page = pamt_entry_of(module_self(), *e->entry & SEPT_HPA,
						leaf ? e->level : SIZE_4K);

	world_set(page->bepoch, e->tdcs->epoch.td_epoch);
}

static void not_empty(struct env *e, u32 v)
{
	world_set(((u64 *)phys_to_ptr(0x210000))[511],
		  sept_make_leaf(0, 0x400000, SEPT_PENDING));
}

static void already_blocked(struct env *e, u32 v) { entry_is(e, SEPT_PENDING_BLOCKED); }
static void epoch_ex(struct env *e, u32 v) { hold(e, "TD_EPOCH", 0, 0, ACQUIRE_EXCLUSIVE); }
static void epoch_sh(struct env *e, u32 v) { hold(e, "TD_EPOCH", 0, 0, ACQUIRE_SHARED); }
static void kot_busy(struct env *e, u32 v) { hold(e, "KOT", 0, 0, ACQUIRE_SHARED); }
static void old_epoch(struct env *e, u32 v) { world_set(e->tdcs->epoch.refcount[0], 1); }
static void read_l2(struct env *e, u32 v) { e->r.rdx |= 1; }
static void vcpu_active(struct env *e, u32 v) { world_set(e->vp->state, VCPU_ACTIVE); }
static void elsewhere(struct env *e, u32 v) { world_set(e->vp->assoc_lpid, 2); }
static void host_hint(struct env *e, u32 v) { e->r.rcx |= BIT_ULL(52); }
static void resume_l1(struct env *e, u32 v) { e->r.rcx |= BIT_ULL(53); }

static void list_busy(struct env *e, u32 v)
{
	world_set(e->vp->last_epf_gpa_list_idx, 1);
	tree_sh(e, v);
}

static void list_faults(struct env *e, u32 v)
{
	world_set(e->vp->last_epf_gpa_list[0], 0x5123);
	world_set(e->vp->last_epf_gpa_list_idx, 1);
}

static void vcpu_left(struct env *e, u32 v) { world_set(e->tdcs->num_assoc_vcpus, 1); }
static void nobodys(struct env *e, u32 v) { e->r.rcx = 0x401000; }

static void page_unaligned(struct env *e, u32 v)
{
	e->r.rcx = 0x800000 + 0x1000;
	world_set(pamt_entry_of(module_self(), 0x800000, SIZE_2M)->pt, PT_REG);
	world_set(pamt_entry_of(module_self(), 0x800000, SIZE_2M)->owner, 1);
}

static void children_left(struct env *e, u32 v) { e->r.rcx = e->td.tdr; }

static void bad_command(struct env *e, u32 v) { e->r.rcx = 2; }
static void resume_none(struct env *e, u32 v) { e->r.rcx = 1; }
static void wbt_busy(struct env *e, u32 v) { hold(e, "WBT", 0, 0, ACQUIRE_EXCLUSIVE); }
static void kot_ex(struct env *e, u32 v) { hold(e, "KOT", 0, 0, ACQUIRE_EXCLUSIVE); }
static void no_key(struct env *e, u32 v) { world_set(module_self()->kot[33].state, HKID_ASSIGNED); }
static void not_written(struct env *e, u32 v) { world_set(module_self()->kot[33].wbinvd_bitmap, 2); }
static void not_blocked_td(struct env *e, u32 v) { world_set(e->tdr->lifecycle, TD_TEARDOWN); }
static void interrupted(struct env *e, u32 v) { lp_disturb(e->sim, lp_self(), IRQ_EXTERNAL); }

static void range_busy(struct env *e, u32 v) { hold(e, "PAMT", LARGE_PAGE, 2, ACQUIRE_SHARED); }

static u64 *part(u32 i)
{
	return (u64 *)phys_to_ptr(PARTS_TABLE) + i;
}

static void part_busy(struct env *e, u32 v) { ok(sept_lock_guest(part(v ? 300 : 0))); }
static void part_differs(struct env *e, u32 v) { world_set(*part(511), *part(511) ^ SEPT_TDP); }

static void first_part(struct env *e, u32 v)
{
	if (v)
		world_set(*part(0), SEPT_FREE_INIT);
	else
		world_set(*part(0), *part(0) + PAGE_SIZE);
}

/* --- which row is which --------------------------------------------------------------- */

static const struct situation {
	const char *flow;	/* prefix; NULL: any */
	const char *check;	/* prefix of the row's text */
	void (*make)(struct env *e, u32 v);
	u32 variants;		/* 0: one */
	const char *why;	/* it cannot be set up */
	bool other;		/* it makes another call of it: no check that comes later */
} situations[] = {
	{ NULL, "dispatcher: RAX version", version_1 },
	{ NULL, "version > 1", version_2 },
	{ "TDH.MEM.SEPT.ADD", "RDX reserved", rdx_reserved, 2 },
	{ "TDH.MEM.PAGE.DEMOTE", "RDX reserved", rdx_reserved, 2 },
	{ "TDH.MEM.PAGE.DEMOTE", "state not in", state_removed },
	{ "TDH.MEM.PAGE.DEMOTE", "interrupt pending", interrupted },
	{ "TDH.MEM.PAGE.DEMOTE", "PAMT_2M(range)", range_busy },
	{ "TDH.MEM.PAGE.PROMOTE", "state not in", state_removed },
	{ "TDH.MEM.PAGE.PROMOTE", "child entry k TDEL", part_busy, 2 },
	{ "TDH.MEM.PAGE.PROMOTE", "child 0: HPA not aligned", first_part, 2 },
	{ "TDH.MEM.PAGE.PROMOTE", "child k: raw", part_differs },
	{ "TDH.MEM.PAGE.PROMOTE", "interrupt pending", interrupted },
	{ "TDH.MEM.PAGE.PROMOTE", "PAMT_2M(range)", range_busy },
	{ "TDH.VP.ENTER", "RCX reserved bits", rcx_flags, 2 },
	{ NULL, "TDR HPA not inside", outside },
	{ NULL, "TDR HPA (RDX with bit 0 cleared) not inside", outside },
	{ NULL, "TDVPR HPA not inside", outside },
	{ NULL, "TDR HPA", bad_handle, 3 },
	{ NULL, "TDVPR HPA", bad_handle, 3 },
	{ NULL, "PAMT_1G shared / PAMT_2M shared", walk_busy, 3 },
	{ NULL, "PAMT walk ended above", covered },
	{ NULL, "PAMT.PT != PT_TDR", not_that },
	{ NULL, "PAMT.PT != PT_TDVPR", not_that },
	{ NULL, "TDR.FATAL", fatal },
	{ NULL, "TDR.LIFECYCLE_STATE", lifecycle },
	{ NULL, "TDR.NUM_TDCX < 6", no_tdcs },
	{ NULL, "OP_STATE lock shared busy", op_busy },
	{ NULL, "OP_STATE not in", op_state },
	{ NULL, "RCX: reserved bits", bad_info, 4 },
	{ NULL, "GPA not private/valid", bad_gpa, 2 },
	{ NULL, "SEPT_TREE lock shared busy", tree_ex },
	{ NULL, "SEPT_TREE lock exclusive busy", tree_sh },
	{ NULL, "walk stopped above", unmapped },
	{ NULL, "SEPT entry TDEL already set", entry_busy },
	{ "TDH.MEM.SEPT.ADD", "entry state not in", state_removed },
	{ "TDH.MEM.SEPT.ADD", "R8 == NULL_PA(-1) and version 0", null_page },
	{ "TDH.MEM.SEPT.ADD", "R8 == NULL_PA", null_page_v1, .other = true },
	{ NULL, "new page HPA not", bad_page, 3 },
	{ NULL, "new page not inside", page_outside },
	{ "TDH.PHYMEM", "PAMT walk (to actual leaf)", walk_busy, 3 },
	{ NULL, "PAMT 1G/2M/4K lock busy", page_busy, 2 },
	{ NULL, "PAMT leaf level != requested", page_covered },
	{ NULL, "PAMT.PT != PT_NDA", page_taken },
	{ "TDH.MEM.SEPT.ADD", "entry NL_MAPPED and ALLOW_EXISTING==0", table_there, .other = true },
	{ "TDH.MEM.SEPT.ADD", "entry NL_MAPPED and ALLOW_EXISTING==1", allowed, .other = true },
	{ "TDH.MEM.PAGE.ADD", "entry state != FREE", state_removed },
	{ "TDH.MEM.PAGE.ADD", "R9 source", source, 4 },
	{ "TDH.MEM.PAGE.AUG", "entry state not in", state_mapped },
	{ "TDH.MEM.PAGE.AUG", "2MB: any of the 512", range_taken, .other = true },
	{ "TDH.MEM.PAGE.REMOVE", "entry not leaf or state", leaf_in_the_way },
	{ "TDH.MEM.PAGE.REMOVE", "PAMT lock of removed page", old_page_busy },
	{ NULL, "PAMT_4K lock of the SEPT page", old_page_busy },
	{ NULL, "tracking required (OP_STATE RUNNABLE", not_blocked },
	{ NULL, "tracking required and state", not_blocked },
	{ NULL, "tracking required and !is_tlb_tracked", not_tracked },
	{ NULL, "tracking required (RUNNABLE..) and !is_tlb_tracked", not_tracked },
	{ "TDH.MEM.RANGE.BLOCK", "state is any_blocked", already_blocked },
	{ "TDH.MEM.RANGE.BLOCK", "other state", state_removed },
	{ "TDH.MEM.RANGE.UNBLOCK", "state not in", leaf_in_the_way },
	{ "TDH.MEM.SEPT.REMOVE", "state not in", state_removed },
	{ "TDH.MEM.SEPT.REMOVE", "any of 512", not_empty },
	{ "TDH.MEM.TRACK", "TD_EPOCH lock", epoch_sh },
	{ "TDH.MEM.TRACK", "REFCOUNT", old_epoch },
	{ "TDH.MEM.SEPT.RD", "RDX bit 0", read_l2 },
	{ NULL, "implicit TDR PAMT_4K", tdr_busy },
	{ "TDH.VP.ENTER", "IA32_MISC_ENABLE", NULL, 0, "MSRs are not modelled" },
	{ "TDH.VP.ENTER", "IA32_TSC_ADJUST", NULL, 0, "MSRs are not modelled" },
	{ "TDH.VP.ENTER", "TSC < LAST_EXIT_TSC", NULL, 0, "virtual time does not go back" },
	{ "TDH.VP.ENTER", "MONITOR_FSM", NULL, 0, "MSRs are not modelled" },
	{ "TDH.VP.ENTER", "TDVPS.NUM_TDVPS_PAGES", no_pages },
	{ "TDH.VP.ENTER", "TDVPS.STATE", vcpu_active },
	{ "TDH.VP.ENTER", "ASSOC_LPID", elsewhere },
	{ "TDH.VP.ENTER", "host_recoverability_hint", host_hint },
	{ "TDH.VP.ENTER", "RESUME_L1", resume_l1 },
	{ "TDH.VP.ENTER", "TD_EPOCH lock", epoch_ex },
	{ "TDH.VP.ENTER", "EPF list non-empty and SEPT_TREE", list_busy },
	{ "TDH.VP.ENTER", "EPF list non-empty and some", list_faults },
	{ "TDH.VP.FLUSH", "LIFECYCLE_STATE", lifecycle },
	{ "TDH.VP.FLUSH", "TDVPS pages", no_pages },
	{ "TDH.VP.FLUSH", "ASSOC_LPID", elsewhere },
	{ "TDH.MNG.VPFLUSHDONE", "KOT exclusive busy", kot_busy },
	{ "TDH.MNG.VPFLUSHDONE", "LIFECYCLE_STATE", lifecycle },
	{ "TDH.MNG.VPFLUSHDONE", "NUM_TDCX>=6", vcpu_left },
	{ "TDH.PHYMEM.CACHE.WB", "RCX > 1", bad_command },
	{ "TDH.PHYMEM.CACHE.WB", "WBT[pkg]", wbt_busy },
	{ "TDH.PHYMEM.CACHE.WB", "KOT shared busy", kot_ex },
	{ "TDH.PHYMEM.CACHE.WB", "START and no HKID", no_key },
	{ "TDH.PHYMEM.CACHE.WB", "RESUME and INTR_POINT", resume_none, .other = true },
	{ "TDH.PHYMEM.CACHE.WB", "interrupt pending", interrupted },
	{ "TDH.MNG.KEY.FREEID", "LIFECYCLE_STATE", not_blocked_td },
	{ "TDH.MNG.KEY.FREEID", "KOT exclusive busy", kot_busy },
	{ "TDH.MNG.KEY.FREEID", "KOT[hkid]", not_written },
	{ "TDH.PHYMEM", "HPA not 4KB aligned", bad_handle, 3 },
	{ "TDH.PHYMEM", "not in TDMR", outside },
	{ "TDH.PHYMEM", "PT in {NDA,RSVD}", nobodys },
	{ "TDH.PHYMEM", "leaf 2M/1G", page_unaligned },
	{ "TDH.PHYMEM", "PT != TDR: owner TDR", tdr_busy },
	{ "TDH.PHYMEM", "LIFECYCLE_STATE", lifecycle, 2 },
	{ "TDH.PHYMEM", "PT == TDR and CHLDCNT", children_left, .other = true },
	{ "TDH.MR.FINALIZE", "NUM_VCPUS == 0", no_vcpus },
};

static const struct situation *find(char **f)
{
	for (u32 i = 0; i < ARRAY_SIZE(situations); i++) {
		const struct situation *s = &situations[i];

		if ((!s->flow || g_str_has_prefix(f[0], s->flow)) &&
		    g_str_has_prefix(f[2], s->check))
			return s;
	}
	return NULL;
}

/* "TDX_OPERAND_BUSY", "RCX(1)" or "-" or "0x3B" as a status */
static u64 status_of(char **f)
{
	g_auto(GStrv) name = g_strsplit_set(f[3], " (", 2);
	char *open = strchr(f[4], '(');
	bool with;
	u64 v;

	if (g_str_has_prefix(f[3], "RAX = 48"))
		return EXIT_REASON_EPT_VIOLATION;
	if (!status_value(name[0], &v, &with))
		fail_msg("no status %s", name[0]);
	return open ? v | strtoul(open + 1, NULL, 10) : v;
}

static void check_out(struct env *e, char **f)
{
	const char *out = f[5];
	u64 rcx, rdx;

	if (strstr(out, "keep their INPUT values") || strstr(out, "unchanged;") ||
	    !strcmp(out, "unchanged") || strstr(out, "restored to inputs") ||
	    g_str_has_prefix(out, "rcx/rdx unchanged")) {
		assert_int_equal(e->r.rcx, e->in.rcx);
		assert_int_equal(e->r.rdx, e->in.rdx);
	} else if (strstr(out, "rcx=2 (write) rdx=0")) {
		assert_int_equal(e->r.rcx, QUAL_WRITE);
		assert_int_equal(e->r.rdx, 0);
		assert_int_equal(e->r.r8, 0x5000);
	} else if (g_str_has_prefix(out, "rcx=4 rdx=0")) {
		assert_true(e->r.rcx == PT_TDR && !e->r.rdx && !e->r.r8);
	} else if (g_str_has_prefix(out, "rcx=PT")) {
		assert_true(e->r.rcx == PT_REG || e->r.rcx == PT_TDR);
		assert_int_equal(e->r.rdx, e->r.rcx == PT_REG ? e->td.tdr : 0);
	} else if (g_str_has_prefix(out, "rcx=rdx=0") || g_str_has_prefix(out, "rcx=rdx=r8=0") ||
		   !strcmp(out, "0")) {
		assert_int_equal(e->r.rcx | e->r.rdx, 0);
	} else if (strstr(out, "arch entry")) {
		sept_arch(e->raw, e->level, &rcx, &rdx);
		assert_int_equal(e->r.rcx, rcx);
		assert_int_equal(e->r.rdx, rdx);
	}
}

/* @later: a check that comes after, which fails too and must not be heard of; NULL: none */
static bool check_row(char **f, const struct situation *s, u32 variant,
		      const struct situation *later)
{
	struct env e;
	char a[80], b[80];
	u64 want;

	setup(&e);
	operands(&e, f[0]);
	if (later) {
		later->make(&e, 0);
		if (e.hold.p) {		/* one lock at a time is held */
			sim_free(e.sim);
			return false;
		}
	}
	s->make(&e, variant);
	if (e.entry && !e.raw)
		e.raw = *e.entry;
	e.in = e.r;
	if ((u16)e.r.rax == TDH_VP_ENTER && !(e.r.rax >> 16))
		e.r.rax = vp_enter_seam(&e.r);
	else
		seamcall(&e.r);
	want = status_of(f);
	if (e.r.rax != want)
		fail_msg("%s check %s (%s)%s%s, variant %u: %s, not %s", f[0], f[1], f[2],
			 later ? " before " : "", later ? later->check : "", variant,
			 status_name(e.r.rax, a, sizeof(a)), status_name(want, b, sizeof(b)));
	if (later) {
		sim_free(e.sim);
		return true;
	}
	check_out(&e, f);
	/* Whatever was taken on the way has been given back, but for leaked counts */
	assert_int_equal(check_count(e.sim), 0);
	if (e.hold.p)
		module_lock_release(&e.hold, e.how);
	sim_free(e.sim);
	return true;
}

static bool modelled(const char *flow)
{
	return g_str_has_prefix(flow, "TDH.");
}

static void test_errors(void **state)
{
	g_autoptr(GPtrArray) rows = test_csv("flow_errors.csv");
	u32 done = 0, not = 0;

	for (u32 i = 1; i < rows->len; i++) {
		char **f = rows->pdata[i];
		const struct situation *s;

		if (!modelled(f[0]))
			continue;
		s = find(f);
		if (!s)
			fail_msg("no situation for %s check %s: %s", f[0], f[1], f[2]);
		if (s->why) {
			not++;
			continue;
		}
		for (u32 v = 0; v < (s->variants ? s->variants : 1); v++)
			check_row(f, s, v, NULL);
		done++;
	}
	print_message("%u rows checked, %u cannot be set up\n", done, not);
	assert_true(done > 200 && not < 10);
}

/* Of two checks that both fail, the earlier one is heard */
static void test_order(void **state)
{
	g_autoptr(GPtrArray) rows = test_csv("flow_errors.csv");
	u32 pairs = 0;

	for (u32 i = 1; i < rows->len; i++) {
		char **f = rows->pdata[i];
		const struct situation *s = modelled(f[0]) ? find(f) : NULL;

		for (u32 k = i + 1; s && !s->why && k < rows->len; k++) {
			char **g = rows->pdata[k];
			const struct situation *later = strcmp(f[0], g[0]) ? NULL : find(g);

			if (later && !later->why && !later->other && later != s)
				pairs += check_row(f, s, 0, later);
		}
	}
	print_message("%u pairs of checks\n", pairs);
	assert_true(pairs > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
