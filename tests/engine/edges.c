// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine at its edges: each test once failed, or could not be passed by chance. Lists of
 * free pages, violations outside a run, the end of time, time inside a spin, states that
 * look alike, stops of real threads, sims by the hundred.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <glib.h>
#include <unistd.h>

#include "sim/engine/check.h"
#include "sim/engine/clock.h"
#include "sim/engine/farm.h"
#include "sim/engine/mem.h"
#include "sim/engine/priv.h"
#include "sim/engine/script.h"
#include "sim/engine/search.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

static struct sim *new_sim(enum sim_sched sched)
{
	struct sim_options opt = {
		.sched = sched, .lps = 4, .phys = 1 << 20, .keyed = sched == SCHED_CHOOSE,
	};
	struct sim *sim = sim_new(&opt);

	assert_non_null(sim);
	return sim;
}

/* --- memory ------------------------------------------------------------------------------ */

/* A page taken by its address while it lay in the free list, and freed again. */
static void test_page_ring(void **state)
{
	struct sim *sim = new_sim(SCHED_CLOCK);
	u64 a = page_alloc(), b = page_alloc(), c = page_alloc(), d, e, f;

	page_free(a);
	page_free(b);
	page_free(c);
	page_alloc_at(b);	/* from the middle */
	page_free(b);
	d = page_alloc();
	e = page_alloc();
	f = page_alloc();
	assert_int_equal(d, b);
	assert_int_equal(e, c);
	assert_int_equal(f, a);
	f = page_alloc();	/* and not one of those */
	assert_true(f != a && f != b && f != c);
	sim_free(sim);
}

static void test_double_free(void **state)
{
	struct sim *sim = new_sim(SCHED_CLOCK);
	u64 *a = world_alloc(64), *b, *c;

	check_tolerate(sim, "use-after-free");
	world_free(a, 64);
	world_free(a, 64);
	world_free(NULL, 0);
	assert_int_equal(check_count(sim), 1);
	b = world_alloc(64);
	c = world_alloc(64);
	assert_ptr_not_equal(b, c);	/* handed out once */
	sim_free(sim);
}

static void touch_late(void *arg)
{
	u64 **w = arg;

	mem_write64(*w, 1);
	sim_compute(10000);
	mem_write64(*w, 2);	/* its own line, as far as the caches know */
	mem_write64(*w, 3);
}

static void free_early(void *arg)
{
	u64 **w = arg;

	sim_compute(5000);
	world_free(*w, 64);
	mem_fence();
}

/* The clock's fast path sees a use after free as its slow one does; same words, same time. */
static void test_freed_on_fast_path(void **state)
{
	for (int again = 0; again < 2; again++) {
		char *text[2];
		u64 clock[2];

		for (int hub = 0; hub < 2; hub++) {
			struct sim_options opt = { .lps = 2, .phys = 1 << 20, .max_steps = hub ? 1000 : 0 };
			struct sim *sim = sim_new(&opt);
			u64 **w = world_alloc(64);

			world_set(*w, (u64 *)world_alloc(64));
			if (again) {	/* a line that was handed out again is nobody's error */
				world_free(*w, 64);
				assert_ptr_equal(*w, world_alloc(64));
			}
			actor_new(sim, "late", 0, touch_late, w);
			actor_new(sim, "early", 1, free_early, w);
			assert_int_equal(sim_run(sim), SIM_VIOLATION);
			assert_int_equal(check_count(sim), 1);
			text[hub] = g_strdup(check_at(sim, 0)->text);
			clock[hub] = check_at(sim, 0)->clock;
			assert_int_equal(mem_peek64(*w), 2);
			sim_free(sim);
		}
		assert_string_equal(text[0], text[1]);
		assert_int_equal(clock[0], clock[1]);
		g_free(text[0]);
		g_free(text[1]);
	}
}

/* --- violations ---------------------------------------------------------------------------- */

static void late_step(void *arg)
{
	u64 *w = arg;

	check_fail("test", "", "before any step, at cycle 0");
	mem_write64(w, 1);
}

static void test_violation_at_once(void **state)
{
	struct sim *sim = new_sim(SCHED_CLOCK);
	u64 *w = world_alloc(64);

	actor_new(sim, "first", 0, late_step, w);	/* number 0 at cycle 0: the least key */
	assert_int_equal(sim_run(sim), SIM_VIOLATION);
	assert_int_equal(mem_peek64(w), 0);
	sim_free(sim);
}

static void test_violation_in_setup(void **state)
{
	struct sim *sim = new_sim(SCHED_CLOCK);
	u64 *w = world_alloc(64);

	actor_new(sim, "a", 0, late_step, w);
	assert_false(check_fail("test", "", "in the set-up context"));
	mem_write64(w, 7);	/* goes on: there is nobody to yield to */
	assert_int_equal(mem_peek64(w), 7);
	assert_int_equal(sim_run(sim), SIM_VIOLATION);
	assert_int_equal(sim_run(sim), SIM_VIOLATION);
	sim_free(sim);
}

static u64 fatal;

static void count_fatal(void *ctx)
{
	fatal += check_fatal(ctx) != NULL;
}

static void checks_order(void *arg)
{
	u64 *w = arg, before = mem_xadd64(w, 1);

	if (!before && actor_self()->id)
		check_fail("test", "", "the second came first");
	mem_read64(w);
}

/* Each execution ends at its own violation, and the next one does not know of it. */
static __maybe_unused void test_violation_in_search(void **state)
{
	struct sim *sim = new_sim(SCHED_CHOOSE);
	struct search_dfs s = { .preemptions = -1, .leaf = count_fatal, .ctx = sim };
	u64 *w = world_alloc(64);

	actor_new(sim, "a", 0, checks_order, w);
	actor_new(sim, "b", 1, checks_order, w);
	search_begin(sim);
	fatal = 0;
	search_dfs(sim, &s);
	assert_int_equal(fatal, 1);		/* b first: ends there */
	assert_int_equal(s.executions, 1 + 3);	/* a first: a read and b's two, in 3 orders */
	assert_int_equal(check_count(sim), 0);
	sim_free(sim);
}

/* --- time ------------------------------------------------------------------------------------ */

static void spend(void *arg)
{
	u64 *w = arg;

	sim_compute(~0ull);
	sim_charge(COST_RMW_OWNED, ~0ull);
	mem_write64(w, 1);
}

static void tick(void *arg)
{
	u64 *w = arg;

	for (int i = 0; i < 100; i++)
		mem_xadd64(w, 1);
}

/* Whoever reaches the end of time stops the run there; it does not come before the others. */
static void test_end_of_time(void **state)
{
	struct sim *sim = new_sim(SCHED_CLOCK);
	u64 *w = world_alloc(64), *n = world_alloc(64);

	actor_new(sim, "late", 0, spend, w);
	actor_new(sim, "tick", 1, tick, n);
	assert_int_equal(sim_run(sim), SIM_LIMIT);
	assert_int_equal(mem_peek64(w), 0);
	assert_int_equal(mem_peek64(n), 100);
	sim_free(sim);
}

static void test_huge_limit(void **state)
{
	struct sim_options opt = { .max_cycles = ~0ull, .phys = 1 << 20 };
	struct sim *sim = sim_new(&opt);
	u64 *n = world_alloc(64);

	actor_new(sim, "tick", 0, tick, n);
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_int_equal(mem_peek64(n), 100);
	sim_free(sim);
}

struct patience {
	struct deadline d;
	u64 word;
	bool again;
};

static void give_up(void *arg)
{
	struct patience *p = arg;

	deadline_set(&p->d, 3000000000ull);	/* a second: 30 million laps */
	for (;;) {
		actor_forget(0);
		if (p->again)
			deadline_set(&p->d, 3000000000ull);
		if (mem_read64(&p->word) || deadline_passed(&p->d, "patience"))
			return;
		sim_compute(50);
	}
}

/* A loop that ends by time is no spin, and its laps are left out; one that does not is. */
static void test_spin_and_time(void **state)
{
	for (int again = 0; again < 2; again++) {
		struct sim *sim = new_sim(SCHED_SCRIPT);
		struct patience *p = world_alloc(sizeof(*p));
		struct actor *a = actor_new(sim, "a", 0, give_up, p);
		struct script_row row = { .actor = a, .text = "a" };

		world_set(p->again, again);
		script_set(sim, &row, 1);
		assert_int_equal(sim_run(sim), again ? SIM_UNREACHABLE : SIM_DONE);
		assert_true(sim_steps(sim) < 100);
		if (!again)
			assert_true(a->clock >= 3000000000ull);
		sim_free(sim);
	}
}

/* --- states that look alike -------------------------------------------------------------------- */

static void helper(u64 *w)
{
	mem_read64(w);
}

static void two_loops(void *arg)
{
	u64 *w = arg;

	actor_forget(0);
	helper(w);
	actor_forget(0);
	helper(w);
}

/* The same helper after two forgets: other places, other states. */
static void test_forget_places(void **state)
{
	struct sim *sim = new_sim(SCHED_CHOOSE);
	u64 *w = world_alloc(64), first;
	struct actor *a = actor_new(sim, "a", 0, two_loops, w);

	search_begin(sim);
	first = search_key(sim);
	search_step(sim, a);
	assert_true(search_key(sim) != first);
	sim_free(sim);
}

static void sleeper(void *arg)
{
	for (;;) {
		actor_forget(0);
		actor_park("work");
	}
}

static void test_parked_is_not_ready(void **state)
{
	struct sim *sim = new_sim(SCHED_CHOOSE);
	struct actor *a = actor_new(sim, "a", 0, sleeper, NULL);
	u64 parked, ready;

	search_begin(sim);
	parked = search_key(sim);
	for (int i = 0; i < 3; i++) {
		actor_unpark(a);
		ready = search_key(sim);
		assert_true(ready != parked);
		search_step(sim, a);
		assert_true(search_key(sim) == parked);
	}
	sim_free(sim);
}

static void waits(void *arg)
{
	u64 *w = arg;

	for (int i = 0; i < 4; i++) {
		actor_forget(0);
		sim_compute(100);	/* there is no time in a search */
		mem_await64(w, 1, 1);
	}
	mem_write64(w + 1, 1);
}

/* To have waited leaves no trace in a state. */
static void test_waits_leave_nothing(void **state)
{
	struct sim *sim = new_sim(SCHED_CHOOSE);
	u64 *w = world_alloc(64), key;
	struct actor *a = actor_new(sim, "a", 0, waits, w);

	search_begin(sim);
	assert_false(actor_enabled(a));
	world_set(*w, 1);
	key = search_key(sim);
	for (int i = 0; i < 3; i++) {
		world_set(*w, 0);
		world_set(*w, 1);
		search_step(sim, a);
		assert_true(search_key(sim) == key);
	}
	sim_free(sim);
}

/* --- real threads, workers, many sims ------------------------------------------------------------ */

static void for_ever(void *arg)
{
	for (;;)
		mem_xadd64((u64 *)arg, 2);
}

static void breaker(void *arg)
{
	while (mem_read64((u64 *)arg) < 1000)
		;
	check_fail("test", "", "found among threads");
}

/* A violation reaches threads that never wait. */
static void test_free_violation(void **state)
{
	struct sim *sim = new_sim(SCHED_FREE);
	u64 *w = world_alloc(64);

	actor_new(sim, "loop", 0, for_ever, w);
	actor_new(sim, "loop", 1, for_ever, w);
	actor_new(sim, "breaker", 2, breaker, w);
	assert_int_equal(sim_run(sim), SIM_VIOLATION);
	sim_free(sim);
}

static struct sim *to_stop;

static void on_alarm(int sig)
{
	sim_stop(to_stop);
}

static void test_free_stop(void **state)
{
	struct sim *sim = new_sim(SCHED_FREE);

	to_stop = sim;
	signal(SIGALRM, on_alarm);
	ualarm(20000, 0);
	actor_new(sim, "loop", 0, for_ever, world_alloc(64));
	assert_int_equal(sim_run(sim), SIM_STOPPED);
	signal(SIGALRM, SIG_DFL);
	sim_free(sim);
}

static volatile bool enough;

static int slow_job(void *ctx, u32 i, FILE *out)
{
	if (i)
		pause();
	return 0;
}

static void end_it(int sig)
{
	enough = true;
}

static void test_farm_stopped(void **state)
{
	struct farm_result *r;

	signal(SIGALRM, end_it);
	ualarm(50000, 0);
	r = farm_run(&(struct farm_work){ .n = 2, .jobs = 2, .stint = 1, .job = slow_job,
					  .stop = &enough });
	signal(SIGALRM, SIG_DFL);
	assert_true(r[0].done);
	assert_false(r[1].done);	/* it was cut short, it did not crash */
	farm_free(r, 2);
}

static void test_many_sims(void **state)
{
	for (u32 i = 0; i < 300; i++) {
		struct sim *sim = new_sim(i & 1 ? SCHED_RANDOM : SCHED_CLOCK);

		actor_new(sim, "tick", 0, tick, world_alloc(64));
		assert_int_equal(sim_run(sim), SIM_DONE);
		sim_free(sim);
	}
}

static void once(void *arg)
{
	mem_xadd64((u64 *)arg, 1);
}

static void test_most_actors(void **state)
{
	struct sim *sim = new_sim(SCHED_CLOCK);
	u64 *w = world_alloc(64);

	for (u32 i = 0; i < ACTOR_ROOT; i++)
		actor_new(sim, "one", (u16)(i % 4), once, w);
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_int_equal(mem_peek64(w), ACTOR_ROOT);
	sim_free(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_ring),
		cmocka_unit_test(test_double_free),
		cmocka_unit_test(test_freed_on_fast_path),
		cmocka_unit_test(test_violation_at_once),
		cmocka_unit_test(test_violation_in_setup),
#ifndef DOOR_TSAN	/* it does not follow a stack that is put back */
		cmocka_unit_test(test_violation_in_search),
#endif
		cmocka_unit_test(test_end_of_time),
		cmocka_unit_test(test_huge_limit),
		cmocka_unit_test(test_spin_and_time),
		cmocka_unit_test(test_forget_places),
		cmocka_unit_test(test_parked_is_not_ready),
		cmocka_unit_test(test_waits_leave_nothing),
		cmocka_unit_test(test_free_violation),
		cmocka_unit_test(test_free_stop),
		cmocka_unit_test(test_farm_stopped),
		cmocka_unit_test(test_many_sims),
		cmocka_unit_test(test_most_actors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
