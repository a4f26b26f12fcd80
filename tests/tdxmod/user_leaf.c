// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leaves of a user's file: like another, or locks and a status; both by number, in events by
 * name; and nothing of them without the file.
 */
#include "tests/tdxmod/common.h"

#include "tdxmod/user_leaf.h"

#define is(a, b) assert_int_equal(a, b)

static struct user_leaf some[] = {
	{ .number = 0x90, .name = "TDH.MEM.SEPT.ADD2", .like = TDH_MEM_SEPT_ADD },
	{ .number = 0x91, .name = "TDH.MEM.SHARE", .like = ~0ull, .tdr_in_rdx = true, .locks = 2,
	  .lock = { { "OP_STATE", false }, { "SEPT_TREE", true } }, .status = TDX_SUCCESS },
	{ .number = 0x92, .name = "TDH.SYS.NO", .like = ~0ull,
	  .status = TDX_OPERAND_INVALID },
};
static const struct user_leaves leaves = { G_N_ELEMENTS(some), some };

static u64 leaf(u64 number, u64 rcx, u64 rdx, u64 r8)
{
	return call((enum seamcall_leaf)number, rcx, rdx, r8, NULL);
}

static void test_leaves(void **state)
{
	struct sim *sim = test_sim();
	struct module_lock tree;
	struct test_td td;

	test_td(sim, &(struct test_setup){ .version = "1.5.34" }, &td);
	is(leaf(0x91, 0, td.tdr, 0) & ~0xffull, TDX_OPERAND_INVALID & ~0xffull);	/* no file yet */
	user_leaves_set(sim, &leaves);
	is(leaf(0x90, LVL_PML4, td.tdr, 0x8000000), TDX_SUCCESS);
	is(leaf(0x91, 0, td.tdr, 0), TDX_SUCCESS);
	is(leaf(0x92, 0, 0, 0), TDX_OPERAND_INVALID);
	is(leaf(0x93, 0, 0, 0) & ~0xffull, TDX_OPERAND_INVALID & ~0xffull);
	/* Somebody in the tree: busy, and what was taken before it is given back. */
	assert_true(module_lock_find(td.tdr, "SEPT_TREE", 0, 0, &tree));
	is(module_lock_acquire(&tree, ACQUIRE_SHARED | ACQUIRE_HOST), 0);
	is(leaf(0x91, 0, td.tdr, 0) >> 32, TDX_OPERAND_BUSY >> 32);
	module_lock_release(&tree, ACQUIRE_SHARED | ACQUIRE_HOST);
	is(leaf(0x91, 0, td.tdr, 0), TDX_SUCCESS);
	is(check_count(sim), 0);
	sim_free(sim);
}

static void test_names(void **state)
{
	struct sim *sim = test_sim();
	struct record rec = { 0 };
	struct test_td td;
	guint calls = 0;

	test_td(sim, &(struct test_setup){ .version = "1.5.34" }, &td);
	user_leaves_set(sim, &leaves);
	record_start(sim, &rec);
	leaf(0x91, 0, td.tdr, 0);
	for (guint i = 0; i < rec.events->len; i++) {
		const struct event *ev = &g_array_index(rec.events, struct event, i);

		if (ev->type == EV_CALL || ev->type == EV_RETURN)
			calls += !strcmp(ev->name, "TDH.MEM.SHARE");
	}
	is(calls, 2);
	record_stop(sim, &rec);
	sim_free(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaves),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
