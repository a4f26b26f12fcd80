// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shared accesses of flows, in order and with lock modes, against those recorded later
 * (flow_steps_more.csv): TDs and vCPUs being built, more memory flows, service TDs, TDCALLs.
 */
#include "tests/tdxmod/record_steps.h"

static void compare(struct steps *s, const char *flow)
{
	steps_compare(s, "flow_steps_more.csv", flow);
}

/* A page that is mapped as the VMM adds it, at gpa 0 */
static void added(struct steps *s)
{
	steps_tables(s, LVL_PT);
	world_set(s->tdcs->op_state, OP_STATE_INITIALIZED);
	steps_ok(seamcall(&(struct tdx_regs){
		.rax = TDH_MEM_PAGE_ADD, .rdx = s->td.tdr, .r8 = 0x400000, .r9 = 0x50000000 }));
	world_set(s->tdcs->op_state, OP_STATE_RUNNABLE);
}

static void test_relocate(void **state)
{
	struct tdx_regs r;
	struct steps s;

	for (u32 pending = 0; pending < 2; pending++) {
		steps_begin(&s, 0);
		if (pending) {
			steps_mapped(&s, LVL_PT);
		} else {
			added(&s);
		}
		steps_ok(call(TDH_MEM_RANGE_BLOCK, 0, s.td.tdr, 0, NULL));
		steps_ok(call(TDH_MEM_TRACK, s.td.tdr, 0, 0, NULL));
		s.old = 0x400000;
		s.contents = true;
		steps_record(&s);
		steps_ok(call(TDH_MEM_PAGE_RELOCATE, 0, s.td.tdr, 0x401000, &r));
		assert_int_equal(r.rcx, 0x400000);
		compare(&s, pending ? "TDH.MEM.PAGE.RELOCATE(4K PENDING_BLOCKED)" :
			"TDH.MEM.PAGE.RELOCATE(4K BLOCKED)");
	}
}

static void test_debug(void **state)
{
	struct tdx_regs r;
	struct steps s;

	for (u32 write = 0; write < 2; write++) {
		steps_begin(&s, 0);
		added(&s);
		world_set(s.tdcs->attributes, ATTRIBUTES_DEBUG);
		world_set(*(u64 *)phys_to_ptr(0x400ff8), 0x1234);
		s.contents = true;
		steps_record(&s);
		steps_ok(call(write ? TDH_MEM_WR : TDH_MEM_RD, 0xff8, s.td.tdr, 0x55, &r));
		assert_int_equal(r.r8, 0x1234);
		assert_int_equal(*(u64 *)phys_to_ptr(0x400ff8), write ? 0x55 : 0x1234);
		compare(&s, write ? "TDH.MEM.WR" : "TDH.MEM.RD");
	}
}

static void test_phymem(void **state)
{
	struct tdx_regs r;
	struct steps s;

	steps_begin(&s, 0);
	steps_mapped(&s, LVL_PT);
	world_set(pamt_entry_of(module_self(), 0x400000, SIZE_4K)->bepoch, 9);
	steps_record(&s);
	steps_ok(call(TDH_PHYMEM_PAGE_RDMD, 0x400000, 0, 0, &r));
	assert_true(r.rcx == PT_REG && r.rdx == s.td.tdr && r.r8 == SIZE_4K && r.r9 == 9);
	compare(&s, "TDH.PHYMEM.PAGE.RDMD");

	steps_begin(&s, 0);
	steps_record(&s);
	steps_ok(call(TDH_PHYMEM_PAGE_WBINVD, 0x400000 | 33ull << HKID_SHIFT, 0, 0, NULL));
	compare(&s, "TDH.PHYMEM.PAGE.WBINVD");
}

/* --- a service TD, the TD of the test, and the one that it is bound to ----------------- */

static void add_target(struct steps *s, u32 op_state)
{
	struct td_build b = { .tdr = 0x800000, .name = "target", .levels = 4, .op_state = op_state };

	for (u32 i = 0; i < TDCX_PAGES; i++)
		b.tdcx[i] = 0x801000 + i * 0x1000;
	s->target_hpa = td_build(s->sim, &b);
	assert_int_equal(s->target_hpa, 0x800000);
	s->target = tdr_at(s->target_hpa);
	s->target_tdcs = td_tdcs(s->target);
}

static u64 bind_target(struct steps *s, struct tdx_regs *r)
{
	*r = (struct tdx_regs){
		.rax = TDH_SERVTD_BIND, .rcx = s->target_hpa, .rdx = s->td.tdr,
	};
	return seamcall(r);
}

static void test_bind(void **state)
{
	struct tdx_regs r;
	struct steps s;

	steps_begin(&s, 0);
	add_target(&s, OP_STATE_INITIALIZED);
	steps_record(&s);
	steps_ok(bind_target(&s, &r));
	assert_int_equal(r.rcx - s.tdr->uuid[0], s.target_hpa);
	assert_true(r.r10 == s.target->uuid[0] && r.r13 == s.target->uuid[3]);
	assert_int_equal(s.target_tdcs->servtd_num, 1);
	compare(&s, "TDH.SERVTD.BIND(NOT_BOUND)");

	steps_begin(&s, 0);
	add_target(&s, OP_STATE_INITIALIZED);
	steps_ok(bind_target(&s, &r));
	steps_record(&s);
	steps_ok(bind_target(&s, &r));
	compare(&s, "TDH.SERVTD.BIND(BOUND; not by instance)");

	steps_begin(&s, 0);
	add_target(&s, OP_STATE_INITIALIZED);
	s.contents = true;
	steps_record(&s);
	r = (struct tdx_regs){
		.rax = TDH_SERVTD_PREBIND, .rcx = s.target_hpa, .rdx = 0x900000,
	};
	steps_ok(seamcall(&r));
	compare(&s, "TDH.SERVTD.PREBIND");
}

/* --- TDCALLs -------------------------------------------------------------------------- */

static void tdcall(struct steps *s, struct tdx_regs *g, const char *flow)
{
	struct tdx_regs r;
	bool again;

	s->guest = true;
	steps_record(s);
	assert_false(vmexit_tdcall(s->lp, g, &again, &r));
	assert_false(again);
	steps_ok(g->rax);
	compare(s, flow);
}

static void test_servtd(void **state)
{
	for (u32 write = 0; write < 2; write++) {
		struct tdx_regs r, g = {
			.rax = write ? TDG_SERVTD_WR : TDG_SERVTD_RD,
			.rdx = write ? 0x9810000100000020 : 0x8010000300000020, .r9 = 0xffff,
		};
		struct steps s;

		steps_begin(&s, 0);
		add_target(&s, OP_STATE_INITIALIZED);
		steps_ok(bind_target(&s, &r));
		g.rcx = r.rcx;
		g.r10 = r.r10;
		g.r11 = r.r11;
		g.r12 = r.r12;
		g.r13 = r.r13;
		steps_entered(&s);
		tdcall(&s, &g, write ? "TDG.SERVTD.WR(MIG_VERSION)" : "TDG.SERVTD.RD(TD_UUID)");
	}
}

static void test_attributes(void **state)
{
	struct tdx_regs g;
	struct steps s;

	steps_begin(&s, 0);
	added(&s);
	steps_entered(&s);
	g = (struct tdx_regs){ .rax = TDG_MEM_PAGE_ATTR_WR };
	tdcall(&s, &g, "TDG.MEM.PAGE.ATTR.WR(4K MAPPED)");
	assert_true(g.rcx == 0 && g.rdx == 0);

	steps_begin(&s, 0);
	steps_mapped(&s, LVL_PD);
	steps_entered(&s);
	g = (struct tdx_regs){ .rax = TDG_MEM_PAGE_ATTR_WR, .rcx = LVL_PD };
	tdcall(&s, &g, "TDG.MEM.PAGE.ATTR.WR(2M PENDING)");
	assert_int_equal(g.rcx, LVL_PD | BIT_ULL(62));

	steps_begin(&s, 0);
	added(&s);
	steps_entered(&s);
	g = (struct tdx_regs){ .rax = TDG_MEM_PAGE_ATTR_RD };
	tdcall(&s, &g, "TDG.MEM.PAGE.ATTR.RD(4K)");
}

static void test_measurements(void **state)
{
	struct tdx_regs g;
	struct steps s;

	for (u32 valid = 0; valid < 2; valid++) {
		steps_begin(&s, 0);
		added(&s);
		steps_entered(&s);
		world_set(s.tdcs->last_teeinfo_hash_valid, valid);
		s.contents = true;
		g = (struct tdx_regs){ .rax = TDG_MR_REPORT, .rdx = 0x400 };
		tdcall(&s, &g, valid ? "TDG.MR.REPORT(hash valid)" : "TDG.MR.REPORT");
	}
	steps_begin(&s, 0);
	added(&s);
	steps_entered(&s);
	s.contents = true;
	g = (struct tdx_regs){ .rax = TDG_MR_RTMR_EXTEND, .rcx = 0x40, .rdx = 3 };
	tdcall(&s, &g, "TDG.MR.RTMR.EXTEND");
}

static void test_vp(void **state)
{
	struct tdx_regs g;
	struct steps s;

	steps_begin(&s, 0);
	steps_entered(&s);
	g = (struct tdx_regs){ .rax = TDG_VP_INFO };
	tdcall(&s, &g, "TDG.VP.INFO");
	assert_true(g.rcx == 48 && g.r8 == (3 | (u64)VCPUS_MAX << 32) && g.r9 == 0 && g.r10 == 1);

	steps_begin(&s, 0);
	inject_ve(s.vp, EXIT_REASON_EPT_VIOLATION, QUAL_READ, 0x5000);
	steps_entered(&s);
	g = (struct tdx_regs){ .rax = TDG_VP_VEINFO_GET };
	tdcall(&s, &g, "TDG.VP.VEINFO.GET");
	assert_true(g.rcx == EXIT_REASON_EPT_VIOLATION && g.rdx == QUAL_READ && g.r9 == 0x5000);

	steps_begin(&s, 0);
	steps_entered(&s);
	g = (struct tdx_regs){ .rax = TDG_VM_WR, .rdx = 0x9110000300000010, .r8 = 1, .r9 = 1 };
	tdcall(&s, &g, "TDG.VM.WR(NOTIFY_ENABLES)");
	assert_int_equal(g.r8, 0);

	steps_begin(&s, 0);
	steps_entered(&s);
	g = (struct tdx_regs){ .rax = TDG_VM_RD, .rdx = 0x9010000200000001 };
	tdcall(&s, &g, "TDG.VM.RD(NUM_VCPUS)");
	assert_int_equal(g.r8, 3);
}

/* --- a TD from its first page on ------------------------------------------------------- */

#define NEW_TDR		0x800000ull
#define NEW_TDVPR	0x810000ull

enum { CREATE, KEY, LAST_KEY, ADDCX, SIXTH = ADDCX + TDCX_PAGES - 1, SEVENTH, INIT, VP_CREATE,
       VP_ADDCX, LAST_VP_ADDCX = VP_ADDCX + TDVPS_PAGES - 2, VP_INIT };

static u64 build_call(u32 at)
{
	struct tdx_regs r = { .rcx = NEW_TDR };

	test_on_lp(at == LAST_KEY ? 2 : 0);
	switch (at) {
	case CREATE:
		r.rax = TDH_MNG_CREATE;
		r.rdx = 34;
		break;
	case KEY:
	case LAST_KEY:
		r.rax = TDH_MNG_KEY_CONFIG;
		break;
	case INIT:
		r.rax = TDH_MNG_INIT;
		test_params(4, 0);
		r.rdx = TEST_PARAMS;
		break;
	case VP_CREATE:
		r.rax = TDH_VP_CREATE;
		r.rcx = NEW_TDVPR;
		r.rdx = NEW_TDR;
		break;
	case VP_INIT:
		r.rax = TDH_VP_INIT;
		r.rcx = NEW_TDVPR;
		r.rdx = 0x1234;
		break;
	default:
		r.rax = at < INIT ? TDH_MNG_ADDCX : TDH_VP_ADDCX;
		r.rdx = at < INIT ? NEW_TDR : NEW_TDVPR;
		r.rcx = r.rdx + (at < INIT ? at - ADDCX + 1 : at - VP_ADDCX + 1) * 0x1000;
		break;
	}
	return seamcall(&r);
}

static void test_build(void **state)
{
	static const struct {
		u32 at;
		const char *flow;
	} rows[] = {
		{ CREATE, "TDH.MNG.CREATE" },
		{ KEY, "TDH.MNG.KEY.CONFIG" },
		{ LAST_KEY, "TDH.MNG.KEY.CONFIG(last package)" },
		{ ADDCX, "TDH.MNG.ADDCX" },
		{ SIXTH, "TDH.MNG.ADDCX(sixth)" },
		{ SEVENTH, "TDH.MNG.ADDCX(seventh)" },
		{ INIT, "TDH.MNG.INIT" },
		{ VP_CREATE, "TDH.VP.CREATE" },
		{ VP_ADDCX, "TDH.VP.ADDCX" },
		{ LAST_VP_ADDCX, "TDH.VP.ADDCX(last)" },
		{ VP_INIT, "TDH.VP.INIT" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct steps s;

		steps_begin(&s, 0);
		for (u32 at = 0; at < rows[i].at; at++)
			steps_ok(build_call(at));
		s.td.tdr = rows[i].at > CREATE ? NEW_TDR : s.td.tdr;
		s.td.tdvpr[0] = rows[i].at > VP_CREATE ? NEW_TDVPR : s.td.tdvpr[0];
		s.tdr = tdr_at(NEW_TDR);
		s.tdcs = rows[i].at > SIXTH ? td_tdcs(s.tdr) : s.tdcs;
		s.vp = tdvps_at(NEW_TDVPR);
		s.contents = true;
		steps_record(&s);
		steps_ok(build_call(rows[i].at));
		compare(&s, rows[i].flow);
	}
}

static void test_metadata(void **state)
{
	static const struct {
		const char *flow;
		u64 leaf, rdx, r8, r9;
		bool vcpu, associated;
	} rows[] = {
		{ "TDH.MNG.RD(NUM_VCPUS)", TDH_MNG_RD, 0x9010000200000001 },
		{ "TDH.MNG.WR(HP_LOCK_TIMEOUT)", TDH_MNG_WR, 0x9110000300000011, 20000, ~0ull },
		{ "TDH.MNG.WR(VM_CTLS)", TDH_MNG_WR, 0x9110000300000012, 1, 1 },
		{ "TDH.VP.RD(EPTP)", TDH_VP_RD, 0x203c, 0, 0, true },
		{ "TDH.VP.WR(EPTP)", TDH_VP_WR, 0x203c, 0x123000, ~0ull, true, true },
		{ "TDH.VP.WR(PEND_NMI)", TDH_VP_WR, 0x202000000000000b, 1, 1, true, true },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tdx_regs r;
		struct steps s;

		steps_begin(&s, 0);
		if (rows[i].associated) {
			steps_entered(&s);
			test_interrupt(&r);
		}
		r = (struct tdx_regs){
			.rax = rows[i].leaf, .rdx = rows[i].rdx, .r8 = rows[i].r8, .r9 = rows[i].r9,
			.rcx = rows[i].vcpu ? s.td.tdvpr[0] : s.td.tdr,
		};
		steps_record(&s);
		steps_ok(seamcall(&r));
		compare(&s, rows[i].flow);
	}
}

static void test_extend(void **state)
{
	struct steps s;

	steps_begin(&s, 0);
	added(&s);
	world_set(s.tdcs->op_state, OP_STATE_INITIALIZED);
	steps_record(&s);
	steps_ok(call(TDH_MR_EXTEND, 0, s.td.tdr, 0, NULL));
	compare(&s, "TDH.MR.EXTEND");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_relocate),
		cmocka_unit_test(test_debug),
		cmocka_unit_test(test_phymem),
		cmocka_unit_test(test_bind),
		cmocka_unit_test(test_servtd),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_measurements),
		cmocka_unit_test(test_vp),
		cmocka_unit_test(test_build),
		cmocka_unit_test(test_metadata),
		cmocka_unit_test(test_extend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
