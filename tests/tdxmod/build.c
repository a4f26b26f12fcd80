// SPDX-License-Identifier: GPL-2.0-only
/*
 * A TD built by SEAMCALLs: word for word what td_build() and vcpu_build() put together; several
 * of them on several packages; taken down again, whole or half built, key by key and page by
 * page.
 */
#include "tests/tdxmod/common.h"

#include <string.h>

#include "sim/engine/arena.h"
#include "sim/engine/lp.h"
#include "tdxmod/guest.h"
#include "tdxmod/peek.h"
#include "tdxmod/status.h"
#include "tdxmod/versions.h"

static struct sim *machine(u16 lps, u16 packages)
{
	struct sim_options opt = { .phys = 64 << 20, .lps = lps, .packages = packages };
	struct sim *sim = sim_new(&opt);

	assert_non_null(sim);
	assert_true(tdx_module_new(sim, NULL));
	return sim;
}

/* --- both ways ------------------------------------------------------------------------ */

enum { PAGES = 1024 };		/* that are compared: 4 MiB */

struct snapshot {
	u64 page[64][512];	/* [0, 256 KiB): all of the TD's */
	struct pamt_entry pamt[1 + PAGES / 512 + PAGES];
	struct kot_entry kot[HKIDS_MAX];
};

static void snapshot(struct snapshot *s)
{
	const struct module *mod = module_self();
	struct pamt_entry *e = s->pamt;

	memcpy(s->page, phys_to_ptr(0), sizeof(s->page));
	*e++ = *pamt_entry_of(mod, 0, SIZE_1G);
	for (u64 i = 0; i < PAGES / 512; i++)
		*e++ = *pamt_entry_of(mod, i << 21, SIZE_2M);
	for (u64 i = 0; i < PAGES; i++)
		*e++ = *pamt_entry_of(mod, i << 12, SIZE_4K);
	memcpy(s->kot, mod->kot, sizeof(s->kot));
}

static void words_equal(const char *what, const void *a, const void *b, size_t size)
{
	const u64 *x = a, *y = b;

	for (size_t i = 0; i < size / 8; i++) {
		if (x[i] != y[i])
			fail_msg("%s, byte 0x%zx: by SEAMCALLs 0x%llx, directly 0x%llx", what,
				 i * 8, (unsigned long long)x[i], (unsigned long long)y[i]);
	}
}

static void both_ways(u8 levels, bool ve_disable, bool finalized, const char *version)
{
	struct tdx_module_config cfg = { .version = version };
	struct td_build b = {
		.tdr = 0x1000, .tdcx = { 0x2000, 0x3000, 0x4000, 0x5000, 0x6000, 0x7000 },
		.levels = levels, .pending_ve_disable = ve_disable,
		.op_state = finalized ? OP_STATE_RUNNABLE : OP_STATE_INITIALIZED,
	};
	g_autofree struct snapshot *by_calls = g_new0(struct snapshot, 1);
	g_autofree struct snapshot *direct = g_new0(struct snapshot, 1);
	struct sim *sim = test_sim();
	struct test_td td;

	assert_true(tdx_module_new(sim, &cfg));
	test_make(0, MODULE_HKID + 1, MADE_TDCX, &td);
	test_params(levels, ve_disable ? ATTRIBUTES_SEPT_VE_DISABLE : 0);
	test_ok(call(TDH_MNG_INIT, td.tdr, TEST_PARAMS, 0, NULL));
	for (u32 v = 0; v < 3; v++) {
		u64 tdvpr = test_make_vcpu(0, v, MADE_VCPU);

		assert_int_equal(tdvps_at(tdvpr)->assoc_lpid, lp_self());
		test_ok(call(TDH_VP_FLUSH, tdvpr, 0, 0, NULL));
	}
	if (finalized)
		test_ok(call(TDH_MR_FINALIZE, td.tdr, 0, 0, NULL));
	snapshot(by_calls);
	assert_int_equal(check_count(sim), 0);
	sim_free(sim);

	sim = test_sim();
	assert_true(tdx_module_new(sim, &cfg));
	assert_int_equal(td_build(sim, &b), 0x1000);
	for (u32 v = 0; v < 3; v++)
		vcpu_build(0x1000, 0x10000 + v * 0x8000);
	snapshot(direct);
	sim_free(sim);

	words_equal("memory", by_calls->page, direct->page, sizeof(direct->page));
	words_equal("PAMT", by_calls->pamt, direct->pamt, sizeof(direct->pamt));
	words_equal("KOT", by_calls->kot, direct->kot, sizeof(direct->kot));
}

static void test_both_ways(void **state)
{
	both_ways(4, false, true, TDX_VERSION_RECORDED);
	both_ways(4, true, false, TDX_VERSION_RECORDED);
	both_ways(5, true, true, TDX_VERSION_DEFAULT);
}

/* --- several TDs, several packages ---------------------------------------------------- */

enum { TDS = 4, LPS = 8, PACKAGES = 4, VCPUS = 2 };

static u64 base_of(u32 i)
{
	return i << 20;
}

static u64 reclaim(u64 hpa)
{
	return call(TDH_PHYMEM_PAGE_RECLAIM, hpa, 0, 0, NULL);
}

/* The key of a TD that no LP has cached any more: written back everywhere, then free */
static void free_key(u64 tdr)
{
	test_is(call(TDH_MNG_VPFLUSHDONE, tdr, 0, 0, NULL), TDX_SUCCESS);
	test_is(call(TDH_MNG_KEY_FREEID, tdr, 0, 0, NULL), TDX_WBCACHE_NOT_COMPLETE);
	for (u16 lp = 0; lp < lp_count(); lp += lp_count() / module_self()->packages) {
		test_on_lp(lp);
		test_is(call(TDH_PHYMEM_CACHE_WB, 0, 0, 0, NULL), TDX_SUCCESS);
	}
	test_on_lp(0);
	test_is(call(TDH_MNG_KEY_FREEID, tdr, 0, 0, NULL), TDX_SUCCESS);
}

/* Each page once, the TDR last and not before; nothing of it keeps a name */
static void take_down(u64 base, u32 tdcx, u32 tdvprs, u32 tdvps)
{
	test_is(reclaim(base + 0x1000), TDX_TD_ASSOCIATED_PAGES_EXIST);
	for (u32 v = 0; v < tdvprs; v++) {
		for (u32 i = 0; i < tdvps; i++)
			test_is(reclaim(base + 0x10000 + v * 0x8000 + i * PAGE_SIZE), TDX_SUCCESS);
	}
	for (u32 i = 0; i < tdcx; i++)
		test_is(reclaim(base + 0x2000 + i * PAGE_SIZE), TDX_SUCCESS);
	test_is(reclaim(base + 0x1000), TDX_SUCCESS);
	for (u64 hpa = base; hpa < base + (1 << 18); hpa += PAGE_SIZE) {
		assert_int_equal(pamt_entry_of(module_self(), hpa, SIZE_4K)->pt, PT_NDA);
		for (u32 i = 0; i < PAGE_SIZE; i++)
			assert_null(region_at((char *)phys_to_ptr(hpa) + i));
	}
}

static void enter_and_leave(u64 tdvpr)
{
	struct tdx_regs r = { .rcx = tdvpr };

	test_is(vp_enter_seam(&r), TDX_SUCCESS);
	test_interrupt(&r);
}

static void test_several(void **state)
{
	struct sim *sim = machine(LPS, PACKAGES);
	const struct module *mod = module_self();
	u64 tdvpr[TDS][VCPUS];
	struct test_td td[TDS];
	struct sept_view v;

	for (u32 i = 0; i < TDS; i++) {
		tdx_td_name(base_of(i) + 0x1000, (const char *[]){ "a", "b", "c", "d" }[i]);
		test_make(base_of(i), MODULE_HKID + 1 + i, MADE_TD, &td[i]);
		assert_int_equal(tdr_at(td[i].tdr)->pkg_config_bitmap, (1 << PACKAGES) - 1);
		for (u32 n = 0; n < VCPUS; n++) {
			/* The LPs of all packages, each with vCPUs of several TDs */
			test_on_lp((2 * i + n) % LPS);
			tdvpr[i][n] = test_make_vcpu(base_of(i), n, MADE_VCPU);
			assert_int_equal(tdvps_at(tdvpr[i][n])->assoc_lpid, lp_self());
		}
		test_is(call(TDH_MR_FINALIZE, td[i].tdr, 0, 0, NULL), TDX_SUCCESS);
		for (u8 l = LVL_PML4; l > LVL_PT; l--)
			test_is(call(TDH_MEM_SEPT_ADD, l, td[i].tdr,
				     base_of(i) + 0x80000 + l * PAGE_SIZE, NULL),
				TDX_SUCCESS);
		test_is(call(TDH_MEM_PAGE_AUG, 0, td[i].tdr, base_of(i) + 0x90000, NULL),
			TDX_SUCCESS);
	}
	for (u32 i = 0; i < TDS; i++) {
		char name[] = { (char)('a' + i), 0 };
		struct region *r;

		/* The same gfn of each TD is its own; so is each name */
		sept_peek(td[i].tdr, 0, &v);
		assert_int_equal(v.hpa, base_of(i) + 0x90000);
		assert_ptr_equal(region_find("TDCS.OP_STATE", name, 0, 0, &r),
				 &td_tdcs(tdr_at(td[i].tdr))->op_state);
		assert_ptr_equal(region_find("TDVPS.STATE", name, 1, 0, &r),
				 &tdvps_at(tdvpr[i][1])->state);
		assert_non_null(region_find("sept", name, 0, 1, &r));
		assert_int_equal(td_of_vcpu(tdvpr[i][1]), td[i].tdr);
		for (u32 n = 0; n < VCPUS; n++) {
			test_on_lp((2 * i + n + 1) % LPS);
			test_is(call(TDH_VP_FLUSH, tdvpr[i][n], 0, 0, NULL),
				TDX_VCPU_NOT_ASSOCIATED);
			test_on_lp((2 * i + n) % LPS);
			enter_and_leave(tdvpr[i][n]);
		}
	}
	/* One goes, the others stay: its key alone is written back and freed */
	test_is(call(TDH_MNG_VPFLUSHDONE, td[1].tdr, 0, 0, NULL), TDX_FLUSHVP_NOT_DONE);
	for (u32 n = 0; n < VCPUS; n++) {
		test_on_lp((2 + n) % LPS);
		test_is(call(TDH_VP_FLUSH, tdvpr[1][n], 0, 0, NULL), TDX_SUCCESS);
	}
	free_key(td[1].tdr);
	for (u32 i = 0; i < TDS; i++) {
		assert_int_equal(mod->kot[MODULE_HKID + 1 + i].state,
				 i == 1 ? HKID_FREE : HKID_ASSIGNED);
		assert_int_equal(mod->kot[MODULE_HKID + 1 + i].wbinvd_bitmap, 0);
	}
	test_on_lp(0);
	test_is(reclaim(base_of(1) + 0x90000), TDX_SUCCESS);
	for (u8 l = LVL_PML4; l > LVL_PT; l--)
		test_is(reclaim(base_of(1) + 0x80000 + l * PAGE_SIZE), TDX_SUCCESS);
	take_down(base_of(1), TDCX_PAGES, VCPUS, TDVPS_PAGES);
	test_is(reclaim(base_of(0) + 0x1000), TDX_LIFECYCLE_STATE_INCORRECT);
	/* Its key and its pages make another TD, which has nothing of it */
	test_make(base_of(1), MODULE_HKID + 2, MADE_VCPU, &td[1]);
	sept_peek(td[1].tdr, 0, &v);
	assert_false(v.mapped);
	assert_int_equal(check_count(sim), 0);
	sim_free(sim);
}

/* Two TDs' keys are written back at once: one CACHE.WB of each package does for both */
static void test_keys_together(void **state)
{
	struct sim *sim = machine(4, 2);
	struct test_td td[3];

	for (u32 i = 0; i < 3; i++)
		test_make(base_of(i), MODULE_HKID + 1 + i, MADE_TD, &td[i]);
	test_is(call(TDH_MNG_VPFLUSHDONE, td[0].tdr, 0, 0, NULL), TDX_SUCCESS);
	test_is(call(TDH_PHYMEM_CACHE_WB, 0, 0, 0, NULL), TDX_SUCCESS);
	/* The second came after package 0's: that one is to be done again, for it */
	test_is(call(TDH_MNG_VPFLUSHDONE, td[1].tdr, 0, 0, NULL), TDX_SUCCESS);
	test_on_lp(2);
	test_is(call(TDH_PHYMEM_CACHE_WB, 0, 0, 0, NULL), TDX_SUCCESS);
	test_is(call(TDH_MNG_KEY_FREEID, td[1].tdr, 0, 0, NULL), TDX_WBCACHE_NOT_COMPLETE);
	test_is(call(TDH_MNG_KEY_FREEID, td[0].tdr, 0, 0, NULL), TDX_SUCCESS);
	test_on_lp(1);
	test_is(call(TDH_PHYMEM_CACHE_WB, 0, 0, 0, NULL), TDX_SUCCESS);
	test_is(call(TDH_MNG_KEY_FREEID, td[1].tdr, 0, 0, NULL), TDX_SUCCESS);
	test_is(call(TDH_PHYMEM_CACHE_WB, 0, 0, 0, NULL), TDX_NO_HKID_READY_TO_WBCACHE);
	assert_int_equal(tdr_at(td[2].tdr)->lifecycle, TD_KEYS_CONFIGURED);
	sim_free(sim);
}

/* However far a TD has come, it can be taken down */
static void test_half_built(void **state)
{
	static const struct {
		enum test_stage to;
		u32 tdcx, tdvprs, tdvps;
	} stages[] = {
		{ MADE_TDR, 0, 0, 0 }, { MADE_KEYS, 0, 0, 0 }, { MADE_TDCX, TDCX_PAGES, 0, 0 },
		{ MADE_TD, TDCX_PAGES, 0, 0 }, { MADE_TDVPR, TDCX_PAGES, 1, 1 },
		{ MADE_TDVPS, TDCX_PAGES, 1, TDVPS_PAGES },
		{ MADE_VCPU, TDCX_PAGES, 1, TDVPS_PAGES },
	};

	for (u32 i = 0; i < ARRAY_SIZE(stages); i++) {
		struct sim *sim = machine(4, 2);
		struct test_td td;

		test_make(base_of(1), MODULE_HKID + 1, stages[i].to, &td);
		test_is(reclaim(td.tdr), TDX_LIFECYCLE_STATE_INCORRECT);
		if (stages[i].to == MADE_VCPU) {
			test_is(call(TDH_MNG_VPFLUSHDONE, td.tdr, 0, 0, NULL),
				TDX_FLUSHVP_NOT_DONE);
			test_is(call(TDH_VP_FLUSH, td.tdvpr[0], 0, 0, NULL), TDX_SUCCESS);
		}
		free_key(td.tdr);
		if (stages[i].tdcx)
			take_down(base_of(1), stages[i].tdcx, stages[i].tdvprs, stages[i].tdvps);
		else
			test_is(reclaim(td.tdr), TDX_SUCCESS);
		assert_int_equal(check_count(sim), 0);
		sim_free(sim);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_keys_together),
		cmocka_unit_test(test_half_built),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
