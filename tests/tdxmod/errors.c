// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every early exit of the host's flows (flow_errors.csv). Rows that cannot be set up here are
 * listed with the reason.
 */
#include "tests/tdxmod/errors_common.h"

#include <string.h>

#define LARGE_PAGE	0x800000ull
#define PARTS_TABLE	0x610000ull	/* S-EPT page of its parts */

static void block_2m(struct env *e)
{
	errors_ok(call(TDH_MEM_RANGE_BLOCK, 0x200000 | LVL_PD, e->td.tdr, 0, NULL));
	errors_ok(call(TDH_MEM_TRACK, e->td.tdr, 0, 0, NULL));
	point_at(e, 0x200000, LVL_PD);
}

/* A 2M page at gpa 0x200000, blocked and tracked */
static void large(struct env *e)
{
	errors_ok(call(TDH_MEM_PAGE_AUG, 0x200000 | LVL_PD, e->td.tdr, LARGE_PAGE, NULL));
	block_2m(e);
}

static u64 enter(struct env *e)
{
	return e->r.rax >> 16 ? seamcall(&e->r) : vp_enter_seam(&e->r);
}

/* A call of the flow that would succeed */
static void operands(struct env *e, const char *flow)
{
	e->r = (struct tdx_regs){
		.rdx = e->td.tdr, .r9 = NULL_PA, .r10 = NULL_PA, .r11 = NULL_PA,
	};
	e->handle = &e->r.rdx;
	e->old_page = 0x400000;
	for (u64 i = 0; i < 100; i++) {
		if (seamcall_name(i) && !strcmp(seamcall_name(i), flow))
			e->r.rax = i;
	}
	e->flags = e->r.rax == TDH_MEM_SEPT_ADD || e->r.rax == TDH_MEM_PAGE_DEMOTE ||
		   e->r.rax == TDH_VP_ENTER;
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
		errors_ok(call(TDH_MEM_RANGE_BLOCK, 0, e->td.tdr, 0, NULL));
		errors_ok(call(TDH_MEM_TRACK, e->td.tdr, 0, 0, NULL));
		point_at(e, 0, LVL_PT);
		break;
	case TDH_MEM_RANGE_BLOCK:
	case TDH_MEM_SEPT_RD:
		point_at(e, 0, LVL_PT);
		break;
	case TDH_MEM_SEPT_REMOVE:
		errors_ok(call(TDH_MEM_SEPT_ADD, 0x200000 | LVL_PD, e->td.tdr, 0x210000, NULL));
		errors_ok(call(TDH_MEM_RANGE_BLOCK, 0x200000 | LVL_PD, e->td.tdr, 0, NULL));
		errors_ok(call(TDH_MEM_TRACK, e->td.tdr, 0, 0, NULL));
		point_at(e, 0x200000, LVL_PD);
		e->old_page = 0x210000;
		break;
	case TDH_MEM_PAGE_DEMOTE:
		large(e);
		e->r.r8 = 0x600000;
		break;
	case TDH_MEM_PAGE_PROMOTE:
		large(e);
		errors_ok(call(TDH_MEM_PAGE_DEMOTE, 0x200000 | LVL_PD, e->td.tdr, PARTS_TABLE, NULL));
		block_2m(e);
		e->old_page = PARTS_TABLE;
		break;
	case TDH_VP_ENTER:
		e->r.rcx = e->td.tdvpr[0];
		e->handle = &e->r.rcx;
		e->run = enter;
		break;
	case TDH_VP_FLUSH: {
		struct tdx_regs r = { .rcx = e->td.tdvpr[0] };

		errors_ok(vp_enter_seam(&r));
		test_interrupt(&r);
		e->r.rcx = e->td.tdvpr[0];
		e->handle = &e->r.rcx;
		break;
	}
	case TDH_PHYMEM_PAGE_RECLAIM:
		world_set(e->tdr->lifecycle, TD_TEARDOWN);
		e->r.rcx = 0x400000;
		e->handle = &e->r.rcx;
		break;
	case TDH_PHYMEM_CACHE_WB:
		errors_ok(call(TDH_MNG_VPFLUSHDONE, e->td.tdr, 0, 0, NULL));
		break;
	case TDH_MNG_KEY_FREEID:
		errors_ok(call(TDH_MNG_VPFLUSHDONE, e->td.tdr, 0, 0, NULL));
		world_set(module_self()->kot[33].wbinvd_bitmap, 0);
		e->r.rcx = e->td.tdr;
		e->handle = &e->r.rcx;
		break;
	case TDH_MR_FINALIZE:
		world_set(e->tdcs->op_state, OP_STATE_INITIALIZED);
		e->r.rcx = e->td.tdr;
		e->handle = &e->r.rcx;
		break;
	default:
		e->r.rcx = e->td.tdr;
		e->handle = &e->r.rcx;
		break;
	}
}

/* --- one function a situation; @v counts variants of a row ---------------------------- */

static void version_2(struct env *e, u32 v) { e->r.rax |= 2 << 16; }
static void rdx_reserved(struct env *e, u32 v) { e->r.rdx |= v ? BIT_ULL(63) : 2; }
static void rcx_flags(struct env *e, u32 v) { e->r.rcx |= v ? BIT_ULL(60) : 4; }
static void no_pages(struct env *e, u32 v) { world_set(e->vp->num_pages, 5); }
static void no_vcpus(struct env *e, u32 v) { world_set(e->tdcs->num_vcpus, 0); }
static void null_page(struct env *e, u32 v) { e->r.r8 = NULL_PA; }

static void lifecycle(struct env *e, u32 v)
{
	world_set(e->tdr->lifecycle, e->r.rax == TDH_MNG_VPFLUSHDONE ? TD_TEARDOWN : TD_BLOCKED);
	if (e->r.rax == TDH_PHYMEM_PAGE_RECLAIM && v)
		e->r.rcx = e->td.tdr;
}

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
static void range_busy(struct env *e, u32 v) { hold(e, "PAMT", LARGE_PAGE, 2, ACQUIRE_SHARED); }

static u64 *part(u32 i)
{
	return (u64 *)phys_to_ptr(PARTS_TABLE) + i;
}

static void part_busy(struct env *e, u32 v) { errors_ok(sept_lock_guest(part(v ? 300 : 0))); }
static void part_differs(struct env *e, u32 v) { world_set(*part(511), *part(511) ^ SEPT_TDP); }

static void first_part(struct env *e, u32 v)
{
	if (v)
		world_set(*part(0), SEPT_FREE_INIT);
	else
		world_set(*part(0), *part(0) + PAGE_SIZE);
}

/* --- which row is which --------------------------------------------------------------- */

static const struct situation situations[] = {
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

static void check_out(struct env *e, char **f)
{
	const char *out = f[5];

	if (strstr(out, "rcx=2 (write) rdx=0")) {
		assert_int_equal(e->r.rcx, QUAL_WRITE);
		assert_int_equal(e->r.rdx, 0);
		assert_int_equal(e->r.r8, 0x5000);
	} else if (g_str_has_prefix(out, "rcx=4 rdx=0")) {
		assert_true(e->r.rcx == PT_TDR && !e->r.rdx && !e->r.r8);
	} else if (g_str_has_prefix(out, "rcx=PT")) {
		assert_true(e->r.rcx == PT_REG || e->r.rcx == PT_TDR);
		assert_int_equal(e->r.rdx, e->r.rcx == PT_REG ? e->td.tdr : 0);
	}
}

static const struct error_rows host = {
	"flow_errors.csv", "TDH.", situations, ARRAY_SIZE(situations), operands, check_out,
};

static void test_errors(void **state)
{
	u32 done, not;

	errors_rows(&host, &done, &not);
	assert_true(done > 200 && not < 10);
}

static void test_order(void **state)
{
	u32 pairs = errors_order(&host);

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
