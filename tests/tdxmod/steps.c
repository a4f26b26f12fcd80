// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shared accesses of each flow, in order and with lock modes, against those traced from
 * the real module (flow_steps.csv).
 */
#include "tests/tdxmod/record_steps.h"

#include "tdxmod/stepping.h"

static void compare(struct steps *s, const char *flow)
{
	steps_compare(s, "flow_steps.csv", flow);
}

static void test_host(void **state)
{
	static const struct {
		const char *flow;
		void (*setup)(struct steps *s, u8 level);
		u32 op_state;
		u8 level;		/* for the set-up */
		u64 leaf;
		u8 at;			/* level of the operand */
		u64 r8;
		bool tdr_in_rcx;
	} flows[] = {
		{ "TDH.MEM.SEPT.ADD", steps_tables, 0, LVL_PDPT, TDH_MEM_SEPT_ADD, LVL_PDPT, 0x400000 },
		{ "TDH.MEM.PAGE.ADD", steps_tables, OP_STATE_INITIALIZED, LVL_PT, TDH_MEM_PAGE_ADD,
		  LVL_PT, 0x400000 },
		{ "TDH.MEM.PAGE.AUG(4K)", steps_tables, 0, LVL_PT, TDH_MEM_PAGE_AUG, LVL_PT, 0x400000 },
		{ "TDH.MEM.PAGE.AUG(2M)", steps_tables, 0, LVL_PD, TDH_MEM_PAGE_AUG, LVL_PD, 0x400000 },
		{ "TDH.MEM.RANGE.BLOCK(4K PENDING)", steps_mapped, 0, LVL_PT, TDH_MEM_RANGE_BLOCK, LVL_PT },
		{ "TDH.MEM.RANGE.BLOCK(NL)", steps_tables, 0, LVL_PT, TDH_MEM_RANGE_BLOCK, LVL_PD },
		{ "TDH.MEM.TRACK", steps_tables, 0, LVL_PT, TDH_MEM_TRACK, 0, 0, true },
		{ "TDH.MEM.RANGE.UNBLOCK(4K PENDING_BLOCKED)", steps_blocked, 0, LVL_PT,
		  TDH_MEM_RANGE_UNBLOCK, LVL_PT },
		{ "TDH.MEM.SEPT.RD", steps_mapped, 0, LVL_PT, TDH_MEM_SEPT_RD, LVL_PT },
		{ "TDH.MEM.PAGE.REMOVE(4K)", steps_blocked, 0, LVL_PT, TDH_MEM_PAGE_REMOVE, LVL_PT },
		{ "TDH.MNG.VPFLUSHDONE", steps_tables, 0, LVL_PT, TDH_MNG_VPFLUSHDONE, 0, 0, true },
		{ "TDH.MR.FINALIZE", steps_tables, OP_STATE_INITIALIZED, LVL_PT, TDH_MR_FINALIZE, 0, 0,
		  true },
	};

	for (u32 i = 0; i < ARRAY_SIZE(flows); i++) {
		struct tdx_regs r = {
			.rax = flows[i].leaf, .rcx = flows[i].at, .r8 = flows[i].r8,
			.r9 = 0x50000000,
		};
		struct steps s;

		steps_begin(&s, flows[i].op_state);
		flows[i].setup(&s, flows[i].level);
		if (flows[i].tdr_in_rcx)
			r.rcx = s.td.tdr;
		else
			r.rdx = s.td.tdr;
		s.children = flows[i].leaf == TDH_MEM_PAGE_AUG && flows[i].at == LVL_PD;
		steps_record(&s);
		steps_ok(seamcall(&r));
		compare(&s, flows[i].flow);
	}
}

static void test_sept_remove(void **state)
{
	struct steps s;

	steps_begin(&s, 0);
	steps_tables(&s, LVL_PT);
	steps_ok(call(TDH_MEM_RANGE_BLOCK, LVL_PD, s.td.tdr, 0, NULL));
	steps_ok(call(TDH_MEM_TRACK, s.td.tdr, 0, 0, NULL));
	steps_record(&s);
	steps_ok(call(TDH_MEM_SEPT_REMOVE, LVL_PD, s.td.tdr, 0, NULL));
	compare(&s, "TDH.MEM.SEPT.REMOVE");
}

/* A 2M page split, and its parts merged again */
static void test_split(void **state)
{
	struct steps s;

	steps_begin(&s, 0);
	steps_blocked(&s, LVL_PD);
	s.children = true;
	steps_record(&s);
	steps_ok(call(TDH_MEM_PAGE_DEMOTE, LVL_PD, s.td.tdr, 0x210000, NULL));
	compare(&s, "TDH.MEM.PAGE.DEMOTE(2M)");

	steps_begin(&s, 0);
	steps_blocked(&s, LVL_PD);
	steps_ok(call(TDH_MEM_PAGE_DEMOTE, LVL_PD, s.td.tdr, 0x210000, NULL));
	steps_ok(call(TDH_MEM_RANGE_BLOCK, LVL_PD, s.td.tdr, 0, NULL));
	steps_ok(call(TDH_MEM_TRACK, s.td.tdr, 0, 0, NULL));
	s.children = true;
	steps_record(&s);
	steps_ok(call(TDH_MEM_PAGE_PROMOTE, LVL_PD, s.td.tdr, 0, NULL));
	compare(&s, "TDH.MEM.PAGE.PROMOTE(2M)");
}

/* The end of a TD's key: flushed, written back on both packages, freed */
static void test_key(void **state)
{
	struct steps s;

	steps_begin(&s, 0);
	steps_tables(&s, LVL_PT);
	steps_ok(call(TDH_MNG_VPFLUSHDONE, s.td.tdr, 0, 0, NULL));
	steps_record(&s);
	steps_ok(call(TDH_PHYMEM_CACHE_WB, 0, 0, 0, NULL));
	compare(&s, "TDH.PHYMEM.CACHE.WB");

	steps_begin(&s, 0);
	steps_tables(&s, LVL_PT);
	steps_ok(call(TDH_MNG_VPFLUSHDONE, s.td.tdr, 0, 0, NULL));
	steps_ok(call(TDH_PHYMEM_CACHE_WB, 0, 0, 0, NULL));
	test_on_lp(2);
	steps_ok(call(TDH_PHYMEM_CACHE_WB, 0, 0, 0, NULL));
	steps_record(&s);
	steps_ok(call(TDH_MNG_KEY_FREEID, s.td.tdr, 0, 0, NULL));
	compare(&s, "TDH.MNG.KEY.FREEID");
}

static void test_reclaim(void **state)
{
	static const struct {
		const char *flow;
		u64 hpa;
		u8 level;
	} rows[] = {
		{ "TDH.PHYMEM.PAGE.RECLAIM(4K REG)", 0x400000, LVL_PT },
		{ "TDH.PHYMEM.PAGE.RECLAIM(2M REG)", 0x400000, LVL_PD },
		{ "TDH.PHYMEM.PAGE.RECLAIM(TDR)", 0x1000, LVL_PT },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct steps s;

		steps_begin(&s, 0);
		steps_mapped(&s, rows[i].level);
		world_set(s.tdr->lifecycle, TD_TEARDOWN);
		if (rows[i].hpa == s.td.tdr)
			world_set(s.tdr->chldcnt, 0);
		steps_record(&s);
		steps_ok(call(TDH_PHYMEM_PAGE_RECLAIM, rows[i].hpa, 0, 0, NULL));
		compare(&s, rows[i].flow);
	}
}

static void test_vp(void **state)
{
	struct steps s;

	steps_begin(&s, 0);
	steps_record(&s);
	steps_entered(&s);
	compare(&s, "TDH.VP.ENTER");

	steps_begin(&s, 0);
	steps_entered(&s);
	test_interrupt(&(struct tdx_regs){ 0 });
	steps_record(&s);
	steps_ok(call(TDH_VP_FLUSH, s.td.tdvpr[0], 0, 0, NULL));
	compare(&s, "TDH.VP.FLUSH");
}

/* A vCPU with one GPA on its list */
static void listed(struct steps *s)
{
	struct tdx_regs r;

	steps_entered(s);
	test_interrupt(&r);
	world_set(s->vp->possibly_epf_stepping, STEPPING_EPF_THRESHOLD);
	world_set(s->vp->last_epf_gpa_list[0], 0);
	world_set(s->vp->last_epf_gpa_list_idx, 1);
}

static void accepted(struct steps *s)
{
	struct tdx_regs g = { .rax = TDG_MEM_PAGE_ACCEPT }, r;
	bool interrupted;

	steps_mapped(s, LVL_PT);
	steps_entered(s);
	vmexit_tdcall(s->lp, &g, &interrupted, &r);
	steps_ok(g.rax);
	test_interrupt(&r);
}

static void test_filter(void **state)
{
	struct tdx_regs r;
	struct steps s;

	steps_begin(&s, 0);
	steps_mapped(&s, LVL_PT);
	listed(&s);
	r = (struct tdx_regs){ .rcx = s.td.tdvpr[0] };
	steps_record(&s);
	assert_int_equal(vp_enter_seam(&r), EXIT_REASON_EPT_VIOLATION);
	compare(&s, "TDH.VP.ENTER(EPF list non-empty; fault still expected)");

	steps_begin(&s, 0);
	accepted(&s);
	listed(&s);
	steps_record(&s);
	steps_entered(&s);
	compare(&s, "TDH.VP.ENTER(EPF list non-empty; fault resolved)");
}

static void test_guest(void **state)
{
	struct tdx_regs g = { .rax = TDG_MEM_PAGE_ACCEPT }, r;
	bool interrupted;
	struct steps s;

	steps_begin(&s, 0);
	steps_mapped(&s, LVL_PT);
	steps_entered(&s);
	s.guest = true;
	steps_record(&s);
	assert_false(vmexit_tdcall(s.lp, &g, &interrupted, &r));
	steps_ok(g.rax);
	compare(&s, "TDG.MEM.PAGE.ACCEPT(4K)");

	steps_begin(&s, 0);
	steps_mapped(&s, LVL_PD);
	steps_entered(&s);
	s.guest = true;
	world_set(s.vp->guest.rip, s.vp->guest.rip + 0x40);
	g = (struct tdx_regs){ .rax = TDG_MEM_PAGE_ACCEPT, .rcx = LVL_PD };
	steps_record(&s);
	assert_false(vmexit_tdcall(s.lp, &g, &interrupted, &r));
	steps_ok(g.rax);
	compare(&s, "TDG.MEM.PAGE.ACCEPT(2M)");
}

static void test_exits(void **state)
{
	struct tdx_regs r;
	struct steps s;

	steps_begin(&s, 0);
	steps_entered(&s);
	world_set(s.vp->guest.rip, s.vp->guest.rip + 0x40);
	steps_record(&s);
	assert_true(vmexit_interrupt(s.lp, &r));
	compare(&s, "TD_EXIT(external interrupt)");

	steps_begin(&s, 0);
	steps_tables(&s, LVL_PT);
	steps_entered(&s);
	s.guest = true;
	steps_record(&s);
	assert_true(vmexit_ept_violation(s.lp, 0, QUAL_WRITE, &r));
	compare(&s, "EPT_VIOLATION_EXIT(private;not pending)");

	steps_begin(&s, 0);
	steps_tables(&s, LVL_PT);
	steps_entered(&s);
	world_set(s.vp->possibly_epf_stepping, STEPPING_EPF_THRESHOLD);
	s.guest = true;
	steps_record(&s);
	assert_true(vmexit_ept_violation(s.lp, 0, QUAL_WRITE, &r));
	compare(&s, "EPT_VIOLATION_EXIT(EPF GPA logged)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_sept_remove),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_reclaim),
		cmocka_unit_test(test_vp),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_guest),
		cmocka_unit_test(test_exits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
