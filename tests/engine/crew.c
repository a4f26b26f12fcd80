// SPDX-License-Identifier: GPL-2.0-only
/*
 * Searches in processes of their own: the same comes out for any number of them; a model that
 * crashes is a violation with its way; a limit of memory ends it before there is none.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <glib.h>

#include "searches.h"
#include "sim/engine/arena.h"
#include "sim/engine/check.h"
#include "sim/engine/choose.h"
#include "sim/engine/mem.h"
#include "sim/engine/region.h"
#include "sim/engine/undo.h"

#define JOBS_MAX	3u

/* ---- proofs ---- */

static void test_states(void **state)
{
	struct explore_options opt = { .preemptions = -1 };

	for (opt.jobs = 1; opt.jobs <= JOBS_MAX; opt.jobs++) {
		struct explore_result *r = lock_search(3, 2, 3, opt);

		assert_int_equal(r->word, EXPLORE_PROVED);
		assert_int_equal(r->states, 69917);
		assert_int_equal(r->transitions, 285939);
		assert_int_equal(r->jobs, opt.jobs);
		explore_result_free(r);
	}
}

/* Long enough for all to be up, and to give work away from deep in the way. */
static void test_states_long(void **state)
{
	struct explore_options opt = { .preemptions = -1, .jobs = 1 };
	struct explore_result *one = lock_search(3, 2, 4, opt);

	for (opt.jobs = 2; opt.jobs <= JOBS_MAX; opt.jobs++) {
		struct explore_result *r = lock_search(3, 2, 4, opt);

		same_result(one, r);
		explore_result_free(r);
	}
	explore_result_free(one);
}

/* With a bound a state may be expanded twice, but what it leads to is counted once. */
static void test_bounds(void **state)
{
	for (int n = 0; n < 6; n++) {
		struct explore_options opt = { .preemptions = n };
		struct explore_result *alone = lock_search(2, 1, 3, opt), *one = NULL;

		for (opt.jobs = 1; opt.jobs <= JOBS_MAX; opt.jobs++) {
			struct explore_result *r = lock_search(2, 1, 3, opt);

			assert_int_equal(r->word, alone->word);
			assert_int_equal(r->states, alone->states);
			if (one)
				same_result(one, r);
			else
				one = r;
			if (one != r)
				explore_result_free(r);
		}
		explore_result_free(one);
		explore_result_free(alone);
	}
}

static void test_samples(void **state)
{
	static const enum explore_driver drivers[] = { EXPLORE_RANDOM, EXPLORE_PCT };

	for (u32 d = 0; d < G_N_ELEMENTS(drivers); d++) {
		struct explore_options opt = { .driver = drivers[d], .seed = 5, .executions = 3000 };
		struct explore_result *alone = lock_search(2, 1, 3, opt);

		for (opt.jobs = 1; opt.jobs <= JOBS_MAX; opt.jobs++) {
			struct explore_result *r = lock_search(2, 1, 3, opt);

			same_result(alone, r);
			assert_int_equal(alone->depth, r->depth);
			explore_result_free(r);
		}
		explore_result_free(alone);
	}
}

/* Without a table, too: who gives a part of its work away says what need not be taken there. */
static void test_sleep_sets(void **state)
{
	for (int tries = 1; tries <= 3; tries++) {
		struct explore_options opt = {
			.preemptions = -1, .no_hash = tries > 1, .no_reduction = tries == 1,
		};
		struct explore_result *alone = lock_search(2, tries == 1 ? 2 : 1, (u32)tries, opt);

		for (opt.jobs = 1; opt.jobs <= JOBS_MAX; opt.jobs++) {
			struct explore_result *r = lock_search(2, tries == 1 ? 2 : 1, (u32)tries, opt);

			same_result(alone, r);
			explore_result_free(r);
		}
		explore_result_free(alone);
	}
}

/* Searches that others have done ahead count only if they began with what is known. */
static void test_mix(void **state)
{
	for (u32 tries = 2; tries <= 4; tries++) {
		struct explore_options opt = { .driver = EXPLORE_MIX };
		struct explore_result *alone = lock_search(3, 2, tries, opt);

		assert_int_equal(alone->word, EXPLORE_PROVED);
		for (opt.jobs = 1; opt.jobs <= JOBS_MAX; opt.jobs++) {
			struct explore_result *r = lock_search(3, 2, tries, opt);

			same_result(alone, r);
			explore_result_free(r);
		}
		explore_result_free(alone);
	}
}

/* ---- violations ---- */

static bool two_found(void *ctx, const struct explore_result *so_far)
{
	return so_far->found->len >= 2;
}

static void test_found(void **state)
{
	static const struct explore_options ways[] = {
		{ .preemptions = -1 },
		{ .preemptions = -1, .keep_going = true },
		{ .preemptions = -1, .keep_going = true, .enough = two_found },
		{ .preemptions = 1, .keep_going = true },
		{ .driver = EXPLORE_RANDOM, .executions = 2000, .seed = 3 },
		{ .driver = EXPLORE_RANDOM, .executions = 2000, .keep_going = true },
		{ .driver = EXPLORE_PCT, .executions = 2000, .keep_going = true,
		  .enough = two_found },
		{ .driver = EXPLORE_MIX, .keep_going = true },
		{ .driver = EXPLORE_MIX },
	};

	for (u32 i = 0; i < G_N_ELEMENTS(ways); i++) {
		struct explore_result *one = NULL;

		for (u32 jobs = 1; jobs <= JOBS_MAX; jobs++) {
			struct explore_options opt = ways[i];
			struct sim *sim = pair_sim(true, 0);
			struct explore_result *r;

			opt.jobs = jobs;
			r = explore(sim, &opt);
			assert_true(r->found->len > 0);
			sim_free(sim);
			if (one)
				same_result(one, r);
			else
				one = r;
			if (one != r)
				explore_result_free(r);
		}
		explore_result_free(one);
	}
}

/* Alone or with others, by the same way: and up to the step that kills it can be replayed. */
static void test_crash(void **state)
{
	static const struct explore_options ways[] = {
		{ .preemptions = -1, .keep_going = true },
		{ .preemptions = 2, .keep_going = true },
		{ .preemptions = -1, .keep_going = true, .no_hash = true },
		{ .driver = EXPLORE_RANDOM, .executions = 5000, .seed = 3, .keep_going = true },
		{ .driver = EXPLORE_PCT, .executions = 5000, .seed = 3, .keep_going = true },
	};

	for (u32 i = 0; i < 2 * G_N_ELEMENTS(ways); i++) {
		struct trail first = { 0 };

		for (u32 jobs = 1; jobs <= JOBS_MAX; jobs++) {
			struct explore_options opt = ways[i / 2];
			struct sim *sim = pair_sim(true, i % 2 ? SIGSEGV : SIGABRT);
			struct explore_found *f = NULL;
			struct explore_result *r;

			opt.jobs = jobs;
			r = explore(sim, &opt);
			for (u32 k = 0; k < r->found->len; k++)
				if (((struct explore_found *)r->found->pdata[k])->crash)
					f = r->found->pdata[k];
			assert_non_null(f);
			assert_string_equal(f->id, "crash");
			assert_string_equal(f->where, i % 2 ? "SIGSEGV" : "SIGABRT");
			assert_string_equal(f->site, "observer");
			assert_non_null(strstr(f->text, "step of observer"));
			assert_int_not_equal(r->word, EXPLORE_PROVED);
			assert_int_equal(f->trail.v[f->trail.n - 1], 1);	/* the observer */
			if (first.n)
				assert_memory_equal(first.v, f->trail.v, first.n * sizeof(u16));
			else
				first = (struct trail){ g_memdup2(f->trail.v, f->trail.n * 2),
							f->trail.n, f->trail.n };
			/* Without its last step it can be followed here, and does no harm. */
			f->trail.n--;
			f->trail.loop = f->trail.n - 1;
			assert_null(explore_replay(sim, &opt, &f->trail, NULL, NULL));
			f->trail.n++;
			explore_result_free(r);
			sim_free(sim);
		}
		trail_free(&first);
	}
}

/* ---- limits ---- */

static void test_memory(void **state)
{
	struct explore_options opt = { .preemptions = -1, .memory_limit = 4 << 20 };

	for (u32 i = 0; i < JOBS_MAX + 2; i++) {
		struct explore_result *r;

		opt.jobs = i ? MIN(i, JOBS_MAX) : 0;
		opt.livelock = i > JOBS_MAX;	/* not shared */
		r = lock_search(3, 2, 6, opt);
		assert_int_equal(r->word, EXPLORE_BOUNDED);
		assert_string_equal(r->bounded_by, "memory");
		assert_true(r->table_bytes <= opt.memory_limit);
		assert_true(r->states > (opt.livelock ? 10000 : 30000));
		explore_result_free(r);
	}
}

/* A count that only ever rises: no state is met twice. */
static void leaks(void *arg)
{
	for (;;) {
		actor_forget(0);
		mem_xadd64((u64 *)arg, 1);
	}
}

static void test_no_end(void **state)
{
	static const struct explore_options limits[] = {
		{ .preemptions = -1, .states = 5000 }, { .preemptions = -1, .depth = 3000 },
		{ .preemptions = -1, .memory_limit = 8 << 20 },
	};
	static const char *const words[] = { "states", "depth", "memory" };
	static const struct region_type readers = { .name = "readers" };

	for (u32 i = 0; i < 2 * G_N_ELEMENTS(limits); i++) {
		struct sim_options so = { .sched = SCHED_CHOOSE, .keyed = true, .lps = 2,
					  .phys = 1 << 20 };
		struct explore_options opt = limits[i / 2];
		struct sim *sim = sim_new(&so);
		u64 *count = world_alloc(64);
		struct explore_result *r;

		region_add(&(struct region){ .type = &readers, .base = count, .count = 1,
					     .stride = 8, .size = 8 });
		actor_new(sim, "one", 0, leaks, count);
		actor_new(sim, "two", 1, leaks, count);
		search_begin(sim);
		opt.jobs = 1 + i % 2;
		r = explore(sim, &opt);
		assert_int_equal(r->word, EXPLORE_BOUNDED);
		assert_string_equal(r->bounded_by, words[i / 2]);
		assert_non_null(r->grows);
		assert_non_null(strstr(r->grows, "readers"));
		assert_true(r->grown > 1000);
		explore_result_free(r);
		sim_free(sim);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_states_long),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_sleep_sets),
		cmocka_unit_test(test_mix),
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_crash),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
