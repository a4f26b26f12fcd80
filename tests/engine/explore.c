// SPDX-License-Identifier: GPL-2.0-only
/*
 * The explorer's golden counts on the lock model; what it finds is made small, and a key that
 * forgets too much is seen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <glib.h>

#include "searches.h"
#include "sim/engine/arena.h"
#include "sim/engine/explore.h"
#include "sim/engine/mem.h"
#include "sim/engine/undo.h"

static struct explore_result *lock(u32 hosts, u32 guests, u32 tries, struct explore_options opt)
{
	struct explore_result *r = lock_search(hosts, guests, tries, opt);

	assert_int_equal(r->found->len, 0);
	return r;
}

static void states(u32 hosts, u32 guests, u32 tries, u64 want_states, u64 want_transitions)
{
	struct explore_options opt = { .preemptions = -1, .verify_key = 50 };
	struct explore_result *r = lock(hosts, guests, tries, opt);

	assert_int_equal(r->word, EXPLORE_PROVED);
	assert_int_equal(r->states, want_states);
	assert_int_equal(r->transitions, want_transitions);
	assert_true(r->merges_verified > 20);
	explore_result_free(r);
}

static void test_states(void **state)
{
	states(2, 1, 3, 1276, 3128);
	states(2, 2, 2, 2003, 5952);
	states(3, 2, 2, 13671, 51741);
}

static void test_states_big(void **state)
{
	struct explore_options opt = { .preemptions = -1 };
	struct explore_result *r = lock(3, 2, 3, opt);

	assert_int_equal(r->states, 69917);
	explore_result_free(r);
}

static void test_sleep_sets(void **state)
{
	struct explore_options opt = { .preemptions = -1, .no_hash = true };
	struct explore_result *r = lock(2, 1, 3, opt);

	assert_int_equal(r->executions, 4961);
	assert_int_equal(r->blocked, 5358);
	assert_int_equal(r->word, EXPLORE_PROVED);
	explore_result_free(r);
}

static void test_no_reduction(void **state)
{
	static const u64 want[] = { 258, 32758 };

	for (u32 tries = 1; tries <= 2; tries++) {
		struct explore_options opt = { .preemptions = -1, .no_reduction = true };
		struct explore_result *r = lock(2, 1, tries, opt);

		assert_int_equal(r->executions, want[tries - 1]);
		explore_result_free(r);
	}
}

static void test_preemptions(void **state)
{
	static const u64 want[] = { 54, 452, 2682, 13090, 54170 };

	for (int n = 1; n <= 5; n++) {
		struct explore_options opt = { .preemptions = n, .no_hash = true };
		struct explore_result *r = lock(2, 1, 3, opt);

		assert_int_equal(r->executions, want[n - 1]);
		assert_int_equal(r->word, EXPLORE_BOUNDED);
		assert_string_equal(r->bounded_by, "preemptions");
		explore_result_free(r);
	}
}

/* ---- what is found ---- */

static void test_found_and_shrunk(void **state)
{
	struct explore_options opt = { .driver = EXPLORE_RANDOM, .seed = 1, .executions = 100000 };
	struct sim *sim = pair_sim(false, 0);
	struct explore_result *r = explore(sim, &opt);
	struct explore_found *f, *again;
	bool possible;

	assert_int_equal(r->found->len, 1);
	f = r->found->pdata[0];
	assert_string_equal(f->id, "torn");
	assert_string_equal(f->where, "pair");
	assert_string_equal(f->site, "observer");
	assert_true(trail_switches(&f->trail) > 2);
	explore_shrink(sim, f, false, 1000);
	/* The writer alone; the observer: one switch from one that could have gone on. */
	assert_int_equal(f->preemptions, 1);
	assert_int_equal(trail_switches(&f->trail), 1);
	assert_int_equal(f->trail.n, 5);
	again = explore_replay(sim, &opt, &f->trail, NULL, &possible);
	assert_true(possible && again);
	assert_string_equal(again->id, "torn");
	explore_found_free(again);
	explore_result_free(r);

	opt = (struct explore_options){ .preemptions = 0 };
	r = explore(sim, &opt);
	assert_int_equal(r->found->len, 0);
	explore_result_free(r);
	opt.preemptions = 1;
	r = explore(sim, &opt);
	assert_int_equal(r->found->len, 1);
	explore_result_free(r);
	sim_free(sim);
}

struct pair {
	u64 a, b;
};

static void writer(void *arg)
{
	struct pair *p = arg;

	for (u64 i = 1; i <= 3; i++) {
		mem_write64(&p->a, i);
		mem_write64(&p->b, i);
	}
}

/* An actor that remembers what it said it had forgotten: the key is wrong, and it is seen. */
static void forgetful(void *arg)
{
	struct pair *p = arg;
	u64 seen = mem_read64(&p->a);

	actor_forget(0);
	mem_read64(&p->b);
	if (seen)
		mem_write64(&p->b, 7);
	mem_read64(&p->b);
}

static void test_verify_key(void **state)
{
	struct explore_options opt = { .preemptions = -1, .verify_key = 20, .keep_going = true };
	struct sim_options so = { .sched = SCHED_CHOOSE, .keyed = true, .lps = 8, .phys = 1 << 20 };
	struct sim *sim = sim_new(&so);
	struct pair *p = world_alloc(sizeof(*p));
	struct explore_result *r;

	actor_new(sim, "writer", 0, writer, p);
	for (u16 i = 1; i < 4; i++)
		actor_new(sim, "forgetful", i, forgetful, p);
	search_begin(sim);
	r = explore(sim, &opt);
	assert_true(r->found->len >= 1);
	assert_string_equal(((struct explore_found *)r->found->pdata[0])->id, "key");
	explore_result_free(r);
	sim_free(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_states_big),
		cmocka_unit_test(test_sleep_sets),
		cmocka_unit_test(test_no_reduction),
		cmocka_unit_test(test_preemptions),
		cmocka_unit_test(test_found_and_shrunk),
		cmocka_unit_test(test_verify_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
