// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dynamic PAMT (S11): pairs, counts, hints, DEMOTE and PROMOTE with a pair, and the windows that
 * PAMT.REMOVE leaves open. What the answers are: docs/model.md, S11.
 */
#include "tests/tdxmod/common.h"

#include "sim/engine/lp.h"
#include "tdxmod/build.h"
#include "tdxmod/pamt_dynamic.h"

#define REGION	0x10000000ull	/* 2M without a pair at first */
#define PAIR0	0x18000000ull	/* pages of the VMM, in a region without a pair too */
#define PAIR1	0x18001000ull
#define TABLES	0x14000000ull	/* S-EPT pages, in a region of their own */
#define GPA	0x40000000ull

#define is(a, b) assert_int_equal(a, b)

struct env {
	struct sim *sim;
	struct test_td td;
};

static u64 pamt_add(u64 region, u64 page0, u64 page1)
{
	return call(TDH_PHYMEM_PAMT_ADD, region | LVL_PD, page0, page1, NULL);
}

static u64 pamt_remove(u64 region, struct tdx_regs *out)
{
	return call(TDH_PHYMEM_PAMT_REMOVE, region | LVL_PD, 0, 0, out);
}

static struct pamt_entry *node(u64 hpa)
{
	return pamt_entry_of(module_self(), hpa, SIZE_2M);
}

static u64 in_use(u64 hpa)
{
	return node(hpa)->bepoch & PAMT_COUNT_MASK;
}

/* A TD with tables down to @level for GPA, whose pages have a pair */
static void env_new(struct env *e, u8 level)
{
	u64 page = TABLES;

	e->sim = test_sim();
	test_td(e->sim, &(struct test_setup){ .version = "1.5.34", .dpamt = DPAMT_BUILT }, &e->td);
	is(pamt_add(TABLES, PAIR0 - 0x1000, PAIR0 - 0x2000), TDX_SUCCESS);
	for (u8 n = LVL_PML4; n > level; n--, page += 0x1000)
		is(call(TDH_MEM_SEPT_ADD, (GPA & ~(level_size(n) - 1)) | n, e->td.tdr, page, NULL),
		   TDX_SUCCESS);
}

static void env_free(struct env *e, u32 violations)
{
	is(check_count(e->sim), violations);
	sim_free(e->sim);
}

static u64 aug(struct env *e, u64 gpa, u64 hpa)
{
	return call(TDH_MEM_PAGE_AUG, gpa, e->td.tdr, hpa, NULL);
}

static u64 block_and_track(struct env *e, u64 gpa)
{
	u64 err = call(TDH_MEM_RANGE_BLOCK, gpa, e->td.tdr, 0, NULL);

	return err ? err : call(TDH_MEM_TRACK, e->td.tdr, 0, 0, NULL);
}

static u64 remove_page(struct env *e, u64 gpa, struct tdx_regs *out)
{
	u64 err = block_and_track(e, gpa);

	return err ? err : call(TDH_MEM_PAGE_REMOVE, gpa, e->td.tdr, 0, out);
}

/* Without the option there are no such leaves, nor versions that have it */
static void only_where_it_is(void **state)
{
	struct sim *sim = test_sim();
	struct test_td td;

	test_td(sim, &(struct test_setup){ .version = "1.5.34" }, &td);
	is(pamt_add(REGION, PAIR0, PAIR1), TDX_OPERAND_INVALID | OPERAND_RAX);
	is(pamt_remove(REGION, NULL), TDX_OPERAND_INVALID | OPERAND_RAX);
	sim_free(sim);
	sim = test_sim();
	assert_false(tdx_module_new(sim, &(struct tdx_module_config){
		.version = "1.5.01", .dpamt = DPAMT_ALL }));
	sim_free(sim);
}

/* A page is usable from PAMT.ADD on; the last REMOVE says that the pair may go */
static void a_pair_comes_and_goes(void **state)
{
	struct tdx_regs out;
	struct env e;

	env_new(&e, LVL_PT);
	is(aug(&e, GPA, REGION), TDX_MISSING_PAMT_PAGE_PAIR | OPERAND_R8);
	is(pamt_add(REGION, PAIR0, PAIR1), TDX_SUCCESS);
	is(node(REGION)->pt, PT_PAMT);
	is(aug(&e, GPA, REGION), TDX_SUCCESS);
	is(aug(&e, GPA + 0x1000, REGION + 0x1ff000), TDX_SUCCESS);
	is(in_use(REGION), 2);
	is(pamt_remove(REGION, &out), TDX_PAMT_PAGE_NOT_EMPTY | 0);
	is(remove_page(&e, GPA, &out), TDX_SUCCESS);
	is(out.rcx, REGION);
	is(pamt_remove(REGION, &out), TDX_PAMT_PAGE_NOT_EMPTY | 1);
	is(remove_page(&e, GPA + 0x1000, &out), TDX_SUCCESS);
	is(out.rcx, (REGION + 0x1ff000) | PAMT_REMOVAL_HINT);
	is(in_use(REGION), 0);
	is(pamt_remove(REGION, &out), TDX_SUCCESS);
	is(out.rdx, PAIR0);
	is(out.r8, PAIR1);
	is(pamt_remove(REGION, NULL), TDX_NO_PAMT_PAGE_PAIR | OPERAND_RCX);
	is(aug(&e, GPA, REGION), TDX_MISSING_PAMT_PAGE_PAIR | OPERAND_R8);
	env_free(&e, 0);
}

static void what_add_refuses(void **state)
{
	struct env e;

	env_new(&e, LVL_PT);
	is(call(TDH_PHYMEM_PAMT_ADD, REGION, PAIR0, PAIR1, NULL), TDX_OPERAND_INVALID | OPERAND_RCX);
	is(pamt_add(REGION + 0x1000, PAIR0, PAIR1), TDX_OPERAND_INVALID | OPERAND_RCX);
	is(pamt_add(REGION, PAIR0 + 1, PAIR1), TDX_OPERAND_INVALID | OPERAND_RDX);
	is(pamt_add(REGION, 1ull << 38, PAIR1 + 1), TDX_OPERAND_ADDR_RANGE_ERROR | OPERAND_RDX);
	is(pamt_add(REGION, PAIR0, PAIR1 + 1), TDX_OPERAND_INVALID | OPERAND_R8);
	is(pamt_add(1ull << 38, PAIR0, PAIR1), TDX_OPERAND_ADDR_RANGE_ERROR | OPERAND_RCX);
	is(pamt_add(TABLES, PAIR0, PAIR1), TDX_HPA_RANGE_NOT_FREE | OPERAND_RCX);
	/* a page in use, one page twice, a page of another pair */
	is(pamt_add(REGION, TABLES, PAIR1), TDX_PAGE_NOT_FREE | OPERAND_RDX);
	is(pamt_add(REGION, PAIR0, TABLES), TDX_PAGE_NOT_FREE | OPERAND_R8);
	is(pamt_add(REGION, PAIR0, PAIR0), TDX_PAGE_NOT_FREE | OPERAND_R8);
	is(pamt_add(REGION, PAIR0 - 0x1000, PAIR1), TDX_PAGE_NOT_FREE | OPERAND_RDX);
	/* none of them has kept a page; pages of the region itself will do */
	is(pamt_add(REGION, PAIR0, REGION + 0x5000), TDX_SUCCESS);
	is(aug(&e, GPA, REGION + 0x5000), TDX_PAGE_METADATA_INCORRECT | OPERAND_R8);
	is(aug(&e, GPA, REGION), TDX_SUCCESS);
	is(module_self()->pamt_2m[REGION >> 21].lock, 0);
	env_free(&e, 0);
}

/* For want of a pair the 2M entry itself is wanted exclusive: BUSY before the real reason */
static void missing_pair_wants_the_region(void **state)
{
	struct module_lock l;
	struct env e;

	env_new(&e, LVL_PT);
	assert_true(module_lock_find(e.td.tdr, "PAMT", REGION, 2, &l));
	is(module_lock_acquire(&l, ACQUIRE_SHARED | ACQUIRE_HOST), TDX_SUCCESS);
	is(aug(&e, GPA, REGION), TDX_OPERAND_BUSY | OPERAND_R8);
	is(pamt_add(REGION, PAIR0, PAIR1), TDX_OPERAND_BUSY | OPERAND_RCX);
	module_lock_release(&l, ACQUIRE_SHARED | ACQUIRE_HOST);
	is(pamt_add(REGION, PAIR0, PAIR1), TDX_SUCCESS);
	is(module_lock_acquire(&l, ACQUIRE_SHARED | ACQUIRE_HOST), TDX_SUCCESS);
	is(aug(&e, GPA, REGION), TDX_SUCCESS);
	is(pamt_remove(REGION, NULL), TDX_OPERAND_BUSY | OPERAND_RCX);
	module_lock_release(&l, ACQUIRE_SHARED | ACQUIRE_HOST);
	env_free(&e, 0);
}

static u64 demote(struct env *e, u64 table, u64 r12, u64 r13)
{
	struct tdx_regs r = {
		.rax = TDH_MEM_PAGE_DEMOTE, .rcx = GPA | LVL_PD, .rdx = e->td.tdr, .r8 = table,
		.r12 = r12, .r13 = r13,
	};

	return seamcall(&r);
}

/* A 2M page: no pair in its region, none of its pages in one */
static void large_pages(void **state)
{
	u64 table = TABLES + 0x10000, third = TABLES + 0x20000;
	struct tdx_regs out;
	struct env e;

	env_new(&e, LVL_PD);
	is(pamt_add(REGION + 0x200000, REGION, PAIR1), TDX_SUCCESS);
	is(aug(&e, GPA | LVL_PD, REGION), TDX_PAGE_METADATA_INCORRECT | OPERAND_R8);
	is(pamt_remove(REGION + 0x200000, NULL), TDX_SUCCESS);
	is(aug(&e, GPA | LVL_PD, REGION), TDX_SUCCESS);
	is(block_and_track(&e, GPA | LVL_PD), TDX_SUCCESS);
	is(pamt_add(REGION, PAIR0, PAIR1), TDX_HPA_RANGE_NOT_FREE | OPERAND_RCX);

	is(demote(&e, table, PAIR0 + 1, PAIR1 + 1), TDX_OPERAND_INVALID | OPERAND_R12);
	is(demote(&e, table, 1ull << 38, PAIR1 + 1), TDX_OPERAND_INVALID | OPERAND_R13);
	is(demote(&e, table, 1ull << 38, PAIR1), TDX_OPERAND_ADDR_RANGE_ERROR | OPERAND_R12);
	is(demote(&e, table, TABLES, PAIR1), TDX_PAGE_NOT_FREE | OPERAND_R12);
	is(demote(&e, table, PAIR0, PAIR0), TDX_PAGE_NOT_FREE | OPERAND_R13);
	/* the caller's own locks: the page being split, and its new S-EPT page */
	is(demote(&e, table, REGION + 0x3000, PAIR1), TDX_OPERAND_BUSY | OPERAND_R12);
	is(demote(&e, table, PAIR0, REGION + 0x3000), TDX_OPERAND_BUSY | OPERAND_R13);
	is(demote(&e, table, table, PAIR1), TDX_OPERAND_BUSY | OPERAND_R12);
	is(demote(&e, table, PAIR0, table), TDX_OPERAND_BUSY | OPERAND_R13);
	is(node(REGION)->pt, PT_REG);

	is(demote(&e, table, PAIR0, PAIR1), TDX_SUCCESS);
	is(node(REGION)->pt, PT_PAMT);
	is(in_use(REGION), 512);
	is(in_use(TABLES), 2 + 1);		/* two tables, and the new one */
	is(aug(&e, GPA + 0x200000, PAIR0), TDX_EPT_WALK_FAILED | OPERAND_RCX);
	is(call(TDH_MEM_SEPT_ADD, (GPA + 0x200000) | LVL_PD, e.td.tdr, third, NULL), TDX_SUCCESS);
	is(pamt_add(PAIR0, REGION + 0x400000, REGION + 0x401000), TDX_SUCCESS);
	is(aug(&e, GPA + 0x200000, PAIR0), TDX_PAGE_METADATA_INCORRECT | OPERAND_R8);

	is(block_and_track(&e, GPA | LVL_PD), TDX_SUCCESS);
	is(call(TDH_MEM_PAGE_PROMOTE, GPA | LVL_PD, e.td.tdr, 0, &out), TDX_SUCCESS);
	is(out.rcx, table);
	is(out.r12, PAIR0);
	is(out.r13, PAIR1);
	is(node(REGION)->pt, PT_REG);
	is(aug(&e, GPA + 0x200000, PAIR0), TDX_SUCCESS);	/* the VMM's again */
	is(remove_page(&e, GPA | LVL_PD, &out), TDX_SUCCESS);
	is(out.rcx, REGION);
	env_free(&e, 0);
}

/* The last user of a region, whichever flow gives it back, says so */
static void hints(void **state)
{
	u64 region = REGION + 0x400000;
	struct tdx_regs out;
	struct env e;

	env_new(&e, LVL_PD);
	is(pamt_add(region, PAIR0, PAIR1), TDX_SUCCESS);
	is(call(TDH_MEM_SEPT_ADD, GPA | LVL_PD, e.td.tdr, region, NULL), TDX_SUCCESS);
	is(in_use(region), 1);
	is(block_and_track(&e, GPA | LVL_PD), TDX_SUCCESS);
	is(call(TDH_MEM_SEPT_REMOVE, GPA | LVL_PD, e.td.tdr, 0, &out), TDX_SUCCESS);
	is(out.rcx, region | PAMT_REMOVAL_HINT);

	is(call(TDH_MEM_SEPT_ADD, GPA | LVL_PD, e.td.tdr, region, NULL), TDX_SUCCESS);
	world_set(tdr_at(e.td.tdr)->lifecycle, TD_TEARDOWN);
	is(call(TDH_PHYMEM_PAGE_RECLAIM, region, 0, 0, &out), TDX_SUCCESS);
	is(out.r9, PAMT_REMOVAL_HINT);
	env_free(&e, 0);
}

/* --- PAMT.REMOVE between the steps of a PAGE.REMOVE, which holds no lock of the region --- */

struct race {
	struct record rec;
	bool after_count;	/* once the count is down; else once the page is free */
	u64 status;
};

static void remove_pair_now(struct record *rec, const struct event *ev)
{
	struct race *race = rec->ctx;
	const struct pamt_entry *e = pamt_entry_of(module_self(), REGION, SIZE_4K);
	bool freed = ev->p == &e->pt && ev->op == MEM_WRITE && e->pt == PT_NDA;
	bool counted = ev->p == &node(REGION)->bepoch && ev->op == MEM_XADD;

	if (ev->type != EV_STEP || !(race->after_count ? counted : freed))
		return;
	rec->hook = NULL;
	race->status = pamt_remove(REGION, NULL);
}

static void raced(struct env *e, bool after_count, const char *id)
{
	struct race race = {
		.rec = { .hook = remove_pair_now, .ctx = &race }, .after_count = after_count,
		.status = ~0ull,
	};
	struct tdx_regs out;

	env_new(e, LVL_PT);
	check_tolerate(e->sim, id);
	is(pamt_add(REGION, PAIR0, PAIR1), TDX_SUCCESS);
	is(aug(e, GPA, REGION), TDX_SUCCESS);
	is(block_and_track(e, GPA), TDX_SUCCESS);
	record_start(e->sim, &race.rec);
	call(TDH_MEM_PAGE_REMOVE, GPA, e->td.tdr, 0, &out);
	record_stop(e->sim, &race.rec);
	is(race.status, TDX_SUCCESS);
	assert_true(check_count(e->sim) > 0);
	assert_string_equal(check_at(e->sim, 0)->id, id);
	sim_free(e->sim);
}

/* Free, but still counted: the module's own sanity check ends it */
static void removed_before_the_count(void **state)
{
	struct env e;

	raced(&e, false, "module-fatal");
}

/* Counted down, but PAGE.REMOVE's lock word is in the page that goes back to the VMM */
static void removed_before_the_unlock(void **state)
{
	struct env e;

	raced(&e, true, "use-after-free");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_where_it_is),
		cmocka_unit_test(a_pair_comes_and_goes),
		cmocka_unit_test(what_add_refuses),
		cmocka_unit_test(missing_pair_wants_the_region),
		cmocka_unit_test(large_pages),
		cmocka_unit_test(hints),
		cmocka_unit_test(removed_before_the_count),
		cmocka_unit_test(removed_before_the_unlock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
