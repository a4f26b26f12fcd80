// SPDX-License-Identifier: GPL-2.0-only
/*
 * Golden counts of the lock model: interleavings, preemption-bounded executions, states and
 * transitions with declared keys. Independently counted by a dynamic programme, a Python
 * model and other tools; equal under every compiler and option, or the engine is wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <glib.h>

#include "lock_model.h"
#include "sim/engine/arena.h"
#include "sim/engine/search.h"

static struct sim *search_sim(enum sim_carrier carrier, u32 hosts, u32 guests, u32 tries)
{
	struct sim_options opt = { .carrier = carrier, .sched = SCHED_CHOOSE, .keyed = true };
	struct lock_model *m;
	struct sim *sim = lock_model_sim(&opt, hosts, guests, tries, &m);

	assert_non_null(sim);
	search_begin(sim);
	return sim;
}

static u64 executions(enum sim_carrier carrier, u32 tries, int preemptions)
{
	struct sim *sim = search_sim(carrier, 2, 1, tries);
	struct search_dfs s = { .preemptions = preemptions };

	search_dfs(sim, &s);
	sim_free(sim);
	return s.executions;
}

struct broken {
	struct lock_model *m;
	u64 n;
};

static void count_broken(void *ctx)
{
	struct broken *b = ctx;

	b->n += b->m->bts_broken;
}

/* Of all interleavings those in which a guest comes between a host's BUSY and a host's BTS. */
static void broken(u32 tries, u64 want, u64 want_broken)
{
	struct sim_options opt = { .sched = SCHED_CHOOSE, .keyed = true };
	struct broken b = { 0 };
	struct sim *sim = lock_model_sim(&opt, 2, 1, tries, &b.m);
	struct search_dfs s = { .preemptions = -1, .leaf = count_broken, .ctx = &b };

	assert_non_null(sim);
	search_begin(sim);
	search_dfs(sim, &s);
	sim_free(sim);
	assert_int_equal(s.executions, want);
	assert_int_equal(b.n, want_broken);
}

static void test_interleavings(void **state)
{
	assert_int_equal(executions(CARRIER_FIBER, 1, -1), 258);
	assert_int_equal(executions(CARRIER_FIBER, 2, -1), 32758);
	broken(2, 32758, 418);
}

static void test_interleavings_on_threads(void **state)
{
	assert_int_equal(executions(CARRIER_PTHREAD, 1, -1), 258);
}

/* Three tries: seconds when optimised, so the runner asks for it by name. */
static void test_interleavings_whole(void **state)
{
	if (!getenv("SEPTSIM_GOLDEN_WHOLE"))
		skip();
	broken(3, 21052070, 288900);
}

static void test_preemptions(void **state)
{
	static const u64 want[] = { 54, 452, 2682, 13090, 54170 };

	for (int i = 0; i < 5; i++)
		assert_int_equal(executions(CARRIER_FIBER, 3, i + 1), want[i]);
}

/* What is taken back is taken back whole: every byte of the slab. */
static void test_undo_is_whole(void **state)
{
	struct sim *sim = search_sim(CARRIER_FIBER, 2, 1, 1);
	struct search_dfs s = { .preemptions = -1 };
	size_t bytes = 1 << 20;
	char *copy = g_malloc(bytes);

	memcpy(copy, world_base, bytes);
	search_dfs(sim, &s);
	assert_int_equal(s.executions, 258);
	assert_memory_equal(copy, world_base, bytes);
	g_free(copy);
	sim_free(sim);
}

/* A state search with the declared key: visited states are not gone below. */
struct states {
	struct sim *sim;
	GHashTable *seen;
};

static bool first_visit(void *ctx)
{
	struct states *st = ctx;
	u64 *key = g_new(u64, 1);

	*key = search_key(st->sim);
	return g_hash_table_add(st->seen, key);
}

static void count_states(u32 hosts, u32 guests, u32 tries, u64 want_states, u64 want_transitions)
{
	struct states st = {
		.sim = search_sim(CARRIER_FIBER, hosts, guests, tries),
		.seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL),
	};
	struct search_dfs s = { .preemptions = -1, .step = first_visit, .ctx = &st };

	first_visit(&st);
	search_dfs(st.sim, &s);
	assert_int_equal(g_hash_table_size(st.seen), want_states);
	assert_int_equal(s.transitions, want_transitions);
	g_hash_table_unref(st.seen);
	sim_free(st.sim);
}

static void test_states(void **state)
{
	count_states(2, 1, 3, 1276, 3128);
	count_states(2, 2, 2, 2003, 5952);
	count_states(3, 2, 2, 13671, 51741);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interleavings),
		cmocka_unit_test(test_interleavings_on_threads),
		cmocka_unit_test(test_interleavings_whole),
		cmocka_unit_test(test_preemptions),
		cmocka_unit_test(test_undo_is_whole),
		cmocka_unit_test(test_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
