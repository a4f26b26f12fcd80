// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of 1G: 512 pages of 2M merged, what each flow makes of them, and split again. Nothing
 * of it is recorded; no flow of 1.5.01 maps 1G at once, only PROMOTE gets there.
 * Source: TDX_1.5.01, tdh_mem_page_promote.c, tdh_mem_page_demote.c, pamt_manager.c.
 */
#include "tests/tdxmod/common.h"

#include "tdxmod/guest.h"
#include "tdxmod/status.h"
#include "tdxmod/tdcall.h"

#define GIGA	0x40000000ull	/* gpa and hpa of the page */
#define PARTS	0x202000ull	/* S-EPT page of its parts */

struct large {
	struct sim *sim;
	struct test_td td;
	struct tdr *tdr;
	u64 *entry;		/* of 1G */
};

static void is(u64 rax, u64 want)
{
	char a[80], b[80];

	if (rax != want)
		fail_msg("%s, not %s", status_name(rax, a, sizeof(a)), status_name(want, b, sizeof(b)));
}

static struct pamt_entry *pamt(u64 hpa, enum page_size size)
{
	return pamt_entry_of(module_self(), hpa, size);
}

/* 512 pages of 2M in a row, their table blocked and tracked */
static void parts(struct large *l, const char *version)
{
	struct sim_options opt = { .phys = 3ull << 30, .lps = 2, .timed = true };
	struct sept_walk w;

	*l = (struct large){ .sim = sim_new(&opt) };
	test_td(l->sim, &(struct test_setup){ .version = version }, &l->td);
	l->tdr = tdr_at(l->td.tdr);
	is(call(TDH_MEM_SEPT_ADD, LVL_PML4, l->td.tdr, 0x201000, NULL), TDX_SUCCESS);
	is(call(TDH_MEM_SEPT_ADD, GIGA | LVL_PDPT, l->td.tdr, PARTS, NULL), TDX_SUCCESS);
	for (u64 i = 0; i < 512; i++)
		is(call(TDH_MEM_PAGE_AUG, (GIGA + (i << 21)) | LVL_PD, l->td.tdr, GIGA + (i << 21),
			NULL), TDX_SUCCESS);
	sept_peek_walk(td_tdcs(l->tdr), GIGA, LVL_PDPT, &w);
	l->entry = w.entry;
	is(call(TDH_MEM_RANGE_BLOCK, GIGA | LVL_PDPT, l->td.tdr, 0, NULL), TDX_SUCCESS);
	is(call(TDH_MEM_TRACK, l->td.tdr, 0, 0, NULL), TDX_SUCCESS);
}

static void merged(struct large *l, const char *version)
{
	struct tdx_regs r;

	parts(l, version);
	is(call(TDH_MEM_PAGE_PROMOTE, GIGA | LVL_PDPT, l->td.tdr, 0, &r), TDX_SUCCESS);
	assert_int_equal(r.rcx, PARTS);
}

static void blocked(struct large *l)
{
	is(call(TDH_MEM_RANGE_BLOCK, GIGA | LVL_PDPT, l->td.tdr, 0, NULL), TDX_SUCCESS);
	assert_int_equal(pamt(GIGA, SIZE_1G)->bepoch, td_tdcs(l->tdr)->epoch.td_epoch);
	is(call(TDH_MEM_TRACK, l->td.tdr, 0, 0, NULL), TDX_SUCCESS);
}

static void end(struct large *l)
{
	assert_int_equal(check_count(l->sim), 0);
	sim_free(l->sim);
}

static const char *const versions[] = { "1.5.01", "1.5.34" };

static void test_promote(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(versions); i++) {
		struct large l;
		u64 before;

		parts(&l, versions[i]);
		/* What a guest has begun to accept of a part is no difference */
		world_set(((u64 *)phys_to_ptr(PARTS))[5],
			  ((u64 *)phys_to_ptr(PARTS))[5] | 7 << 12);
		before = l.tdr->chldcnt;
		is(call(TDH_MEM_PAGE_PROMOTE, GIGA | LVL_PDPT, l.td.tdr, 0, NULL), TDX_SUCCESS);
		assert_int_equal(l.tdr->chldcnt, before - 1);
		assert_int_equal(pamt(GIGA, SIZE_1G)->pt, PT_REG);
		assert_int_equal((u64)pamt(GIGA, SIZE_1G)->owner << 12, l.td.tdr);
		assert_int_equal(pamt(GIGA, SIZE_1G)->lock, 0);
		for (u64 k = 0; k < 512; k++)
			assert_int_equal(pamt(GIGA + (k << 21), SIZE_2M)->pt, PT_NDA);
		assert_int_equal(pamt(PARTS, SIZE_4K)->pt, PT_NDA);
		assert_int_equal(*l.entry, sept_make_leaf(0, GIGA, SEPT_PENDING));
		end(&l);
	}
}

/* Whoever walks to a page in that 1G holds its entry shared: then it cannot be merged */
static void test_busy(void **state)
{
	struct module_lock lock;
	struct large l;

	parts(&l, "1.5.01");
	assert_true(module_lock_find(l.td.tdr, "PAMT", GIGA, 3, &lock));
	is(module_lock_acquire(&lock, ACQUIRE_SHARED), TDX_SUCCESS);
	is(call(TDH_MEM_PAGE_PROMOTE, GIGA | LVL_PDPT, l.td.tdr, 0, NULL),
	   TDX_OPERAND_BUSY | OPERAND_RCX);
	assert_int_equal(pamt(GIGA, SIZE_1G)->lock, SHAREX_HP_ONE | SHAREX_HP_HP);
	for (u32 i = 0; i < 512; i++)
		assert_false(((u64 *)phys_to_ptr(PARTS))[i] & SEPT_TDEL);
	module_lock_release(&lock, ACQUIRE_SHARED);
	is(call(TDH_MEM_PAGE_PROMOTE, GIGA | LVL_PDPT, l.td.tdr, 0, NULL), TDX_SUCCESS);
	end(&l);
}

/* A part that is not where it belongs, or is blocked by itself */
static void test_no_merge(void **state)
{
	u64 *part = NULL;
	struct large l;

	for (u32 i = 0; i < 3; i++) {
		parts(&l, "1.5.01");
		part = (u64 *)phys_to_ptr(PARTS) + (i ? 300 : 0);
		world_set(*part, i == 2 ? sept_make_blocked(*part, LVL_PD) : *part + (1 << 21));
		is(call(TDH_MEM_PAGE_PROMOTE, GIGA | LVL_PDPT, l.td.tdr, 0, NULL),
		   TDX_EPT_INVALID_PROMOTE_CONDITIONS | OPERAND_RCX);
		end(&l);
	}
}

/* The PAMT walk ends at 1G for whatever page in it */
static void test_walks(void **state)
{
	struct tdx_regs r;
	struct large l;

	merged(&l, "1.5.01");
	is(call(TDH_PHYMEM_PAGE_RDMD, GIGA + 0x12345000, 0, 0, &r), TDX_SUCCESS);
	assert_true(r.rcx == PT_REG && r.rdx == l.td.tdr && r.r8 == SIZE_1G);
	is(call(TDH_PHYMEM_PAGE_WBINVD, GIGA + 0x1000, 0, 0, NULL),
	   TDX_PAGE_METADATA_INCORRECT | OPERAND_RCX);
	/* No page in it is free, at any size; nothing stays locked */
	is(call(TDH_MEM_PAGE_AUG, LVL_PD | 0x80000000, l.td.tdr, GIGA + 0x200000, NULL),
	   TDX_EPT_WALK_FAILED | OPERAND_RCX);
	is(call(TDH_MEM_SEPT_ADD, LVL_PDPT, l.td.tdr, GIGA + 0x3000, NULL),
	   TDX_PAGE_METADATA_INCORRECT | OPERAND_R8);
	is(call(TDH_MEM_SEPT_ADD, LVL_PDPT, l.td.tdr, 0x210000, NULL), TDX_SUCCESS);
	is(call(TDH_MEM_PAGE_AUG, LVL_PD, l.td.tdr, GIGA + 0x200000, NULL),
	   TDX_PAGE_METADATA_INCORRECT | OPERAND_R8);
	assert_int_equal(pamt(GIGA, SIZE_1G)->lock, 0);
	end(&l);
}

static void test_guest(void **state)
{
	struct tdx_regs g, r;
	struct large l;
	bool again;

	merged(&l, "1.5.01");
	r = (struct tdx_regs){ .rcx = l.td.tdvpr[0] };
	is(vp_enter_seam(&r), TDX_SUCCESS);
	g = (struct tdx_regs){ .rax = TDG_MEM_PAGE_ACCEPT, .rcx = GIGA | LVL_PDPT };
	assert_false(vmexit_tdcall(lp_ctx_self(), &g, &again, &r));
	is(g.rax, TDX_OPERAND_INVALID | OPERAND_RCX);
	g = (struct tdx_regs){ .rax = TDG_MEM_PAGE_ATTR_WR, .rcx = GIGA | LVL_PDPT };
	assert_false(vmexit_tdcall(lp_ctx_self(), &g, &again, &r));
	is(g.rax, TDX_SUCCESS);
	assert_int_equal(g.rcx, GIGA | LVL_PDPT | BIT_ULL(62));
	g = (struct tdx_regs){ .rax = TDG_MEM_PAGE_ATTR_RD, .rcx = GIGA + 0x12345000 };
	assert_false(vmexit_tdcall(lp_ctx_self(), &g, &again, &r));
	is(g.rax, TDX_SUCCESS);
	assert_int_equal(g.rcx, GIGA | LVL_PDPT | BIT_ULL(62));
	/* Smaller than it is mapped: a TD exit, for the VMM to split it */
	g = (struct tdx_regs){ .rax = TDG_MEM_PAGE_ACCEPT, .rcx = GIGA | LVL_PD };
	assert_true(vmexit_tdcall(lp_ctx_self(), &g, &again, &r));
	is(r.rax, EXIT_REASON_EPT_VIOLATION);
	assert_int_equal(r.rdx >> 32 & 0x3f, LVL_PD | LVL_PDPT << 3);
	end(&l);
}

static void test_demote(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(versions); i++) {
		struct large l;
		u64 before;

		merged(&l, versions[i]);
		is(call(TDH_MEM_PAGE_DEMOTE, GIGA | LVL_PDPT, l.td.tdr, PARTS, NULL),
		   TDX_GPA_RANGE_NOT_BLOCKED | OPERAND_RCX);
		blocked(&l);
		before = l.tdr->chldcnt;
		is(call(TDH_MEM_PAGE_DEMOTE, GIGA | LVL_PDPT, l.td.tdr, PARTS, NULL), TDX_SUCCESS);
		assert_int_equal(l.tdr->chldcnt, before + 1);
		assert_int_equal(pamt(GIGA, SIZE_1G)->pt, PT_NDA);
		assert_int_equal(pamt(PARTS, SIZE_4K)->pt, PT_EPT);
		for (u64 k = 0; k < 512; k++) {
			u64 part = ((u64 *)phys_to_ptr(PARTS))[k];

			assert_int_equal(part, sept_make_leaf(0, GIGA + (k << 21), SEPT_PENDING));
			assert_int_equal(pamt(GIGA + (k << 21), SIZE_2M)->pt, PT_REG);
		}
		end(&l);
	}
}

/* Given back at once: by REMOVE, or by RECLAIM of a TD that is torn down */
static void test_back(void **state)
{
	struct tdx_regs r;
	struct large l;
	u64 before;

	merged(&l, "1.5.01");
	blocked(&l);
	before = l.tdr->chldcnt;
	is(call(TDH_MEM_PAGE_REMOVE, GIGA | LVL_PDPT, l.td.tdr, 0, &r), TDX_SUCCESS);
	assert_int_equal(r.rcx, GIGA);
	assert_int_equal(l.tdr->chldcnt, before - (1 << 18));
	assert_int_equal(pamt(GIGA, SIZE_1G)->pt, PT_NDA);
	end(&l);

	merged(&l, "1.5.01");
	before = l.tdr->chldcnt;
	world_set(l.tdr->lifecycle, TD_TEARDOWN);
	is(call(TDH_PHYMEM_PAGE_RECLAIM, GIGA + 0x200000, 0, 0, &r), TDX_OPERAND_INVALID | OPERAND_RCX);
	assert_int_equal(r.r8, SIZE_1G);
	is(call(TDH_PHYMEM_PAGE_RECLAIM, GIGA, 0, 0, &r), TDX_SUCCESS);
	assert_true(r.rcx == PT_REG && r.rdx == l.td.tdr && r.r8 == SIZE_1G);
	assert_int_equal(l.tdr->chldcnt, before - (1 << 18));
	assert_int_equal(pamt(GIGA, SIZE_1G)->pt, PT_NDA);
	end(&l);
}

#ifndef WORLD_TSAN	/* whose window has no room for it */
/* Where memory goes beyond 1 TiB the HKID lies above bit 45, and a page up there is a page. */
static void test_above_1t(void **state)
{
	struct sim_options opt = { .phys = 3ull << 40, .lps = 2, .timed = true };
	struct large l = { .sim = sim_new(&opt) };
	u64 hpa = page_alloc_2m(), key;

	test_td(l.sim, &(struct test_setup){ .version = "1.5.34" }, &l.td);
	key = (u64)tdr_at(l.td.tdr)->hkid << 46;
	assert_true(hpa > 2ull << 40);
	is(call(TDH_MEM_SEPT_ADD, LVL_PML4, l.td.tdr, hpa, NULL), TDX_SUCCESS);
	is(call(TDH_MEM_SEPT_ADD, LVL_PDPT, l.td.tdr, hpa + 0x1000, NULL), TDX_SUCCESS);
	is(call(TDH_MEM_SEPT_ADD, LVL_PD, l.td.tdr, hpa + 0x2000, NULL), TDX_SUCCESS);
	is(call(TDH_MEM_PAGE_AUG, 0x5000 | LVL_PT, l.td.tdr, hpa + 0x3000, NULL), TDX_SUCCESS);
	assert_int_equal((u64)pamt(hpa + 0x3000, SIZE_4K)->owner << 12, l.td.tdr);
	is(call(TDH_MEM_RANGE_BLOCK, 0x5000 | LVL_PT, l.td.tdr, 0, NULL), TDX_SUCCESS);
	is(call(TDH_MEM_TRACK, l.td.tdr, 0, 0, NULL), TDX_SUCCESS);
	is(call(TDH_MEM_PAGE_REMOVE, 0x5000 | LVL_PT, l.td.tdr, 0, NULL), TDX_SUCCESS);
	is(call(TDH_PHYMEM_PAGE_WBINVD, (hpa + 0x3000) | key, 0, 0, NULL), TDX_SUCCESS);
	is(call(TDH_MEM_PAGE_AUG, 0x5000 | LVL_PT, l.td.tdr, (hpa + 0x3000) | key, NULL),
	   TDX_OPERAND_INVALID | OPERAND_R8);
	end(&l);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifndef WORLD_TSAN
		cmocka_unit_test(test_above_1t),
#endif
		cmocka_unit_test(test_promote),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_no_merge),
		cmocka_unit_test(test_walks),
		cmocka_unit_test(test_guest),
		cmocka_unit_test(test_demote),
		cmocka_unit_test(test_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
