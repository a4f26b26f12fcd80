// SPDX-License-Identifier: GPL-2.0-only
/*
 * S-EPT: every column of sept_states.csv; entry values; walks of 4 and 5 levels; the names
 * that regions give; what observe.h says; the tables of statuses and versions.
 */
#include "tests/tdxmod/common.h"

#include <stdlib.h>
#include <string.h>

#include "tdxmod/epoch.h"
#include "tdxmod/guest.h"
#include "tdxmod/status.h"
#include "tdxmod/versions.h"

/* Column @c of a state's row, which must be a known one */
static void check_column(const char *c, const char *v, u64 raw, enum sept_state s)
{
	u64 n = strtoull(v, NULL, 0), is;

	if (sept_column(c, raw, &is)) {
		if (is != n)
			fail_msg("%s in state %s", c, sept_state_name(s));
		return;
	}
	if (!strcmp(c, "encoding_7bit"))
		assert_int_equal(sept_states[s].encoding, n);
	else if (!strcmp(c, "raw_mask"))
		assert_int_equal(sept_state_bits(s), n);
	else if (!strcmp(c, "public_state"))
		assert_int_equal(sept_public_state(raw), n);
	else if (!strcmp(c, "index"))
		assert_int_equal(s, n);
	else if (!strcmp(c, "state"))
		assert_string_equal(sept_state_name(s), v);
	else
		fail_msg("column %s is not checked", c);
}

static void test_states(void **state)
{
	g_autoptr(GPtrArray) rows = test_csv("sept_states.csv");
	char **head = rows->pdata[0];
	u32 known = 0;

	assert_int_equal(rows->len - 1, SEPT_STATES);
	for (u32 i = 1; i < rows->len; i++) {
		char **f = rows->pdata[i];
		/* Bits that are no part of the state must not matter */
		u64 raw = strtoull(f[2], NULL, 0) | SEPT_SVE | SEPT_TDEL | SEPT_TDHP | 0x1234000;
		enum sept_state s = sept_state_of(raw);

		for (u32 c = 0; head[c]; c++)
			check_column(head[c], f[c], raw, s);
	}
	for (u64 e = 0; e < 128; e++) {
		u64 raw = (e & 1) << 9 | (e >> 1 & 0xf) << 53 | (e >> 5 & 3) << 6;

		known += sept_state_of(raw) != SEPT_NO_STATE;
	}
	assert_int_equal(known, SEPT_STATES);
	assert_int_equal(sept_state_of(SEPT_FREE_INIT), SEPT_FREE);
}

static void test_values(void **state)
{
	u64 rcx, rdx;

	assert_int_equal(sept_make_leaf(0, 0x427000, SEPT_PENDING), 0x81000000004270f0);
	assert_int_equal(sept_make_leaf(SEPT_RWX, 0x427000, SEPT_MAPPED), 0x80000000004270f7);
	assert_int_equal(sept_make_table(0x21c000), 0x800000000021c807);
	assert_int_equal(sept_make_blocked(0x800000000021c807, LVL_PD), 0x808000000021c800);
	assert_int_equal(sept_make_blocked(0x80000000004270f7, LVL_PT), 0x80800000004270f0);
	/* A PENDING 2M page that was half accepted: its counter goes */
	assert_int_equal(sept_make_blocked(0x8100000000ed60f0, LVL_PD), 0x8180000000e000f0);
	assert_int_equal(sept_make_unblocked(0x80800000004278f0), 0x80000000004270f7);
	assert_int_equal(sept_make_unblocked(0x808000000021c800), 0x800000000021c007);
	assert_int_equal(sept_leaf_hpa(0x8100000000ed60f0, 0x2ff000, LVL_PD), 0xeff000);
	sept_arch(SEPT_FREE_INIT, LVL_PML4, &rcx, &rdx);
	assert_int_equal(rcx, SEPT_SVE);
	assert_int_equal(rdx, 3);
	sept_arch(0x800000000021c007, LVL_PDPT, &rcx, &rdx);
	assert_int_equal(rcx, 7);
	assert_int_equal(rdx, 0x8402);
}

static void ok(u64 rax)
{
	char buf[80];

	if (rax)
		fail_msg("%s", status_name(rax, buf, sizeof(buf)));
}

static void test_levels(void **state)
{
	for (u8 levels = 4; levels <= 5; levels++) {
		struct sim *sim = test_sim();
		u64 gpa = levels == 5 ? 0x2000000001000 : 0x1000;
		struct sept_view v;
		struct sept_walk w;
		struct test_td td;
		struct tdcs *tdcs;
		char name[64];

		test_td(sim, &(struct test_setup){ .levels = levels }, &td);
		tdcs = td_tdcs(tdr_at(td.tdr));
		for (u8 l = levels - 1; l > LVL_PT; l--)
			ok(call(TDH_MEM_SEPT_ADD, (gpa & ~(level_size(l) - 1)) | l, td.tdr,
				0x200000 + l * 0x1000, NULL));
		ok(call(TDH_MEM_PAGE_AUG, gpa, td.tdr, 0x400000, NULL));
		sept_walk(tdcs, gpa, LVL_PT, &w);
		assert_int_equal(w.level, LVL_PT);
		assert_int_equal(w.copy, 0x81000000004000f0);
		sept_walk(tdcs, gpa + 0x40000000, LVL_PT, &w);
		assert_int_equal(w.level, LVL_PDPT);

		sept_peek(td.tdr, gpa >> 12, &v);
		assert_true(v.leaf && v.mapped && v.level == 1 && v.hpa == 0x400000 &&
			    v.state == SEPT_PENDING);
		assert_true(sept_peek_level(td.tdr, gpa >> 12, 2, &v));
		assert_true(v.state == SEPT_NL_MAPPED && v.hpa == 0x201000);
		assert_false(sept_peek_level(td.tdr, (gpa >> 12) + 0x40000, 1, &v));

		sept_walk(tdcs, gpa, LVL_PD, &w);
		region_name_of(w.entry, name, sizeof(name));
		assert_string_equal(name, levels == 5 ? "sept[0x2000000000]@2M" : "sept[0x0]@2M");
		assert_int_equal((u64)region_find("sept", NULL, gpa >> 12, 0, NULL),
				 (u64)phys_to_ptr(0x201000) + 8);
		/* 4 levels and GPAW 48: SHARED is bit 47; 5: bit 51 */
		assert_int_equal(call(TDH_MEM_PAGE_AUG, BIT_ULL(levels == 5 ? 51 : 47), td.tdr,
				      0x401000, NULL), TDX_OPERAND_INVALID | OPERAND_RCX);
		assert_int_equal(check_count(sim), 0);
		sim_free(sim);
	}
}

/* A removed S-EPT page is no longer named; the PAMT and TD fields are */
static void test_names(void **state)
{
	struct sim *sim = test_sim();
	struct region *r;
	struct test_td td;
	char text[64];
	u64 *entry;

	test_td(sim, &(struct test_setup){ 0 }, &td);
	ok(call(TDH_MEM_SEPT_ADD, LVL_PML4, td.tdr, 0x200000, NULL));
	assert_non_null(region_at(phys_to_ptr(0x200000)));
	entry = region_find("sept", NULL, 0, 4, &r);
	assert_string_equal(region_value(r, *entry, text, sizeof(text)), "NL_MAPPED hpa 0x200000");
	ok(call(TDH_MEM_RANGE_BLOCK, LVL_PML4, td.tdr, 0, NULL));
	assert_string_equal(r->type->class(*entry), "NL_BLOCKED");
	ok(call(TDH_MEM_TRACK, td.tdr, 0, 0, NULL));
	ok(call(TDH_MEM_SEPT_REMOVE, LVL_PML4, td.tdr, 0, NULL));
	assert_null(region_at(phys_to_ptr(0x200000)));
	assert_int_equal(*(u64 *)region_find("TDCS.TD_EPOCH", NULL, 0, 0, NULL), 2);
	assert_non_null(region_find("PAMT", NULL, 0x200000, 1, &r));
	assert_string_equal(r->type->class(region_raw(r, pamt_entry_of(module_self(), 0x1000,
								      SIZE_4K))), "TDR");
	assert_non_null(region_find("TDVPS.STATE", NULL, 2, 0, &r));
	assert_string_equal(r->type->class(2), "READY");
	sim_free(sim);
}

static void test_observe(void **state)
{
	static const char *const names[] = { "SEPT_TREE", "TD_EPOCH", "OP_STATE", "TDR", "TDVPR",
					     "RTMR", "KOT", "WBT", "PAMT", "sept" };
	struct sim *sim = test_sim();
	struct module_lock l;
	struct test_td td;
	u64 tdr, gfn;
	u16 lp;

	test_td(sim, &(struct test_setup){ 0 }, &td);
	for (u8 n = LVL_PML4; n > LVL_PT; n--)
		ok(call(TDH_MEM_SEPT_ADD, n, td.tdr, 0x200000 + n * 0x1000, NULL));
	ok(call(TDH_MEM_PAGE_AUG, 0x3000, td.tdr, 0x400000, NULL));
	assert_true(sept_maps_page(0x400000, &tdr, &gfn));
	assert_true(tdr == td.tdr && gfn == 3);
	assert_false(sept_maps_page(0x401000, &tdr, &gfn));
	assert_false(tlb_holds_page(0x400000, &lp, &gfn));
	tlb_fill(tlb_of(2), td.tdr, 3, LVL_PT, 0x400000, TLB_RWX);
	assert_true(tlb_holds_page(0x400000, &lp, &gfn));
	assert_true(lp == 2 && gfn == 3);
	assert_false(vcpu_in_guest(td.tdvpr[1]));
	assert_int_equal(td_of_vcpu(td.tdvpr[1]), td.tdr);

	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		u32 how = ACQUIRE_EXCLUSIVE;

		assert_true(module_lock_find(td.tdr, names[i], 1, 0, &l));
		assert_string_equal(l.name, !strcmp(names[i], "PAMT") ? "PAMT_4K" : names[i]);
		assert_int_equal(module_lock_acquire(&l, how), TDX_SUCCESS);
		assert_int_equal(module_lock_acquire(&l, how), TDX_OPERAND_BUSY);
		module_lock_release(&l, how);
	}
	assert_false(module_lock_find(td.tdr, "TDVPR", 3, 0, &l));
	assert_false(module_lock_find(td.tdr, "NOTHING", 0, 0, &l));
	sim_free(sim);
}

static void test_statuses(void **state)
{
	g_autoptr(GPtrArray) rows = test_csv("status_codes.csv");
	u32 ns, no, known = 0;
	const struct status_row *s = status_table(&ns);
	const struct operand_row *o = operand_table(&no);
	char buf[80];
	bool with;
	u64 v;

	for (u32 i = 1; i < rows->len; i++) {
		char **f = rows->pdata[i];

		for (u32 k = 0; k < ns; k++)
			known += !strcmp(f[1], s[k].name) && strtoull(f[2], NULL, 0) == s[k].value;
		for (u32 k = 0; k < no; k++)
			known += g_str_has_prefix(f[1], "OPERAND_ID_") &&
				 !strcmp(f[1] + 11, o[k].name) && strtoull(f[2], NULL, 0) == o[k].id;
	}
	assert_int_equal(known, rows->len - 1);
	assert_string_equal(status_name(0x8000020000000092, buf, sizeof(buf)),
			    "TDX_OPERAND_BUSY|SEPT_TREE");
	assert_string_equal(status_name(0xc000060800000000, buf, sizeof(buf)),
			    "TDX_OP_STATE_INCORRECT");
	assert_string_equal(status_name(0xc000010000000000, buf, sizeof(buf)),
			    "TDX_OPERAND_INVALID|RAX");
	assert_true(status_value("OPERAND_BUSY|RCX", &v, &with));
	assert_true(v == 0x8000020000000001 && with);
	assert_true(status_value("TDX_TLB_TRACKING_NOT_DONE", &v, &with));
	assert_true(v == TDX_TLB_TRACKING_NOT_DONE && !with);
	assert_false(status_value("OPERAND_BUSI", &v, &with));
	assert_false(status_value("OPERAND_BUSY|NOTHING", &v, &with));
}

/* Switches that touch the flows of today: S1, S2, S7, S8 (S3, S5, S6: guest.c, here below) */
static void test_versions(void **state)
{
	struct tdx_version v;
	u32 n;

	assert_false(tdx_version_find("1.5.02", &v));
	assert_false(tdx_version_find("1.5.0", &v));
	assert_false(tdx_version_find("1.5.34-S14", &v));
	assert_false(tdx_version_find("1.5.34+S11", &v));
	assert_false(tdx_version_find("1.5.34-", &v));
	assert_true(tdx_version_find("1.5.34-S5+S12", &v));
	assert_true(!(v.on & SWITCH(S_ENTRY_CAS)) && v.on & SWITCH(S_IOTLB));
	tdx_version_table(&n);
	assert_int_equal(n, 6);
	assert_true(tdx_version_find(TDX_VERSION_DEFAULT, &v));
	for (u32 i = 0; i < 2; i++) {
		struct sim *sim = test_sim();
		struct tdx_regs r = { 0 };
		struct tdvps *vp;
		struct tdcs *tdcs;
		struct test_td td;

		test_td(sim, &(struct test_setup){ .version = i ? "1.5.34" : "1.5.01" }, &td);
		tdcs = td_tdcs(tdr_at(td.tdr));
		vp = tdvps_at(td.tdvpr[0]);
		/* S1: a refused host leaves HOST_PRIORITY on the tree */
		assert_int_equal(tree_acquire(module_self(), tdcs, LOCK_SHARED), 0);
		assert_int_equal(call(TDH_MEM_RANGE_BLOCK, LVL_PML4, td.tdr, 0, NULL),
				 TDX_OPERAND_BUSY | OPERAND_SEPT_TREE);
		assert_int_equal(tdcs->sept_lock, i ? SHAREX_HP_ONE | SHAREX_HP_HP : SHAREX_ONE);
		/* S2: the filter only read-locks it, so another reader is no obstacle */
		world_set(vp->last_epf_gpa_list_idx, 1);
		r.rcx = td.tdvpr[0];
		assert_int_equal(vp_enter_seam(&r), i ? EXIT_REASON_EPT_VIOLATION :
				 TDX_OPERAND_BUSY | OPERAND_SEPT_TREE);
		tree_release(module_self(), tdcs, LOCK_SHARED);
		ok(call(TDH_MEM_SEPT_ADD, LVL_PML4, td.tdr, 0x200000, NULL));
		/* S8 */
		world_set(*(u64 *)phys_to_ptr(0x200000), sept_state_bits(SEPT_REMOVED) | SEPT_SVE);
		ok(call(TDH_MEM_RANGE_BLOCK, LVL_PML4, td.tdr, 0, NULL));
		/* S7 */
		assert_int_equal(call(TDH_MEM_RANGE_UNBLOCK, LVL_PML4, td.tdr, 0, NULL),
				 TDX_TLB_TRACKING_NOT_DONE | (i ? OPERAND_RCX : OPERAND_SEPT_TREE));
		ok(call(TDH_MEM_TRACK, td.tdr, 0, 0, NULL));
		assert_int_equal(call(TDH_MEM_SEPT_REMOVE, LVL_PML4, td.tdr, 0, NULL),
				 i ? TDX_SUCCESS : TDX_EPT_PAGE_NOT_FREE | OPERAND_RCX);
		assert_int_equal(check_count(sim), 0);
		sim_free(sim);
	}
}

/* S6: AUG comes between ACCEPT's walk and its lock */
static void aug_now(struct record *rec, const struct event *ev)
{
	u64 *entry = rec->ctx;

	if (ev->type == EV_STEP && ev->op == MEM_READ && ev->p == entry && !(*entry & SEPT_TDEL)) {
		rec->hook = NULL;
		world_set(*entry, sept_make_leaf(0, 0x400000, SEPT_PENDING));
	}
}

static void test_accept_window(void **state)
{
	for (u32 i = 0; i < 2; i++) {
		struct tdx_regs g = { .rax = TDG_MEM_PAGE_ACCEPT }, r;
		struct record rec = { .hook = aug_now };
		struct sim *sim = test_sim();
		struct test_td td;
		bool interrupted;

		test_td(sim, &(struct test_setup){ .version = i ? "1.5.34" : "1.5.01" }, &td);
		for (u8 n = LVL_PML4; n > LVL_PT; n--)
			ok(call(TDH_MEM_SEPT_ADD, n, td.tdr, 0x200000 + n * 0x1000, NULL));
		r = (struct tdx_regs){ .rcx = td.tdvpr[0] };
		ok(vp_enter_seam(&r));
		rec.ctx = phys_to_ptr(0x201000);
		record_start(sim, &rec);
		assert_false(vmexit_tdcall(lp_ctx_self(), &g, &interrupted, &r));
		record_stop(sim, &rec);
		assert_int_equal(g.rax, i ? TDX_SUCCESS : TDX_PAGE_SIZE_MISMATCH);
		sim_free(sim);
	}
}

/* Leaves that are none, and those that are not modelled yet */
static void test_leaves(void **state)
{
	struct sim *sim = test_sim();
	struct test_td td;

	test_td(sim, &(struct test_setup){ 0 }, &td);
	check_tolerate(sim, "unsupported-leaf");
	assert_int_equal(call(46, 0, 0, 0, NULL), TDX_OPERAND_INVALID | OPERAND_RAX);
	assert_int_equal(call(0x1000006, 0, 0, 0, NULL), TDX_OPERAND_INVALID | OPERAND_RAX);
	assert_int_equal(check_count(sim), 0);
	call(68, 0, td.tdr, 0, NULL);	/* migration is not modelled */
	assert_int_equal(check_count(sim), 1);
	assert_string_equal(check_at(sim, 0)->where, "TDH.EXPORT.MEM");
	assert_string_equal(seamcall_name(6), "TDH.MEM.PAGE.AUG");
	assert_null(seamcall_name(46));
	assert_string_equal(tdcall_name(23), "TDG.MEM.PAGE.ATTR.RD");
	assert_null(tdcall_name(13));
	sim_free(sim);
}

/* HKIDs run out: 32 is the module's own, 33 and 34 are for TDs */
static void test_hkids(void **state)
{
	struct tdx_module_config cfg = { .hkids = 3 };
	struct td_build b = { .name = "a", .levels = 4, .op_state = OP_STATE_RUNNABLE };
	struct sim *sim = test_sim();
	u64 first, second;

	assert_true(tdx_module_new(sim, &cfg));
	first = td_build(sim, &b);
	b.name = "b";
	second = td_build(sim, &b);
	assert_true(first && second && first != second);
	assert_int_equal(tdr_at(first)->hkid, 33);
	assert_int_equal(tdr_at(second)->hkid, 34);
	assert_int_equal(td_build(sim, &b), 0);
	/* Two TDs' S-EPTs are told apart */
	ok(call(TDH_MEM_SEPT_ADD, LVL_PML4, first, 0x200000, NULL));
	assert_int_equal(*(u64 *)region_find("sept", "a", 0, 4, NULL), 0x8000000000200007);
	assert_int_equal(*(u64 *)region_find("sept", "b", 0, 4, NULL), SEPT_FREE_INIT);
	sim_free(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_observe),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_accept_window),
		cmocka_unit_test(test_leaves),
		cmocka_unit_test(test_hkids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
