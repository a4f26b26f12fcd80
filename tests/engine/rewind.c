// SPDX-License-Identifier: GPL-2.0-only
/*
 * A state to come back to: what is played again from it goes as it went the first time, cycle
 * for cycle, whatever was played in between.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "sim/engine/check.h"
#include "sim/engine/clock.h"
#include "sim/engine/lp.h"
#include "sim/engine/mem.h"
#include "sim/engine/rewind.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

enum { WORDS = 64, LPS = 3 };

struct shared {
	u64 word[WORDS];
	u64 work[LPS];		/* rounds that an actor still has to do */
	u64 *object;
};

static struct shared *shared;

/* Parks between pieces of work with something on its stack that must come back too */
static void worker(void *arg)
{
	u64 me = (u64)arg, done = 0;

	for (;;) {
		while (!shared->work[me])
			actor_park("no work");
		for (; shared->work[me]; done++) {
			u64 *w = &shared->word[(done * 7 + me) % WORDS];

			mem_xadd64(w, done + 1);
			mem_write64(&shared->word[me], done);
			sim_compute(mem_read64(w) % 97);
			world_set(shared->work[me], shared->work[me] - 1);
		}
		if (done % 3 == 1) {
			world_free(shared->object, 200);
			world_set(shared->object, world_alloc(200));
			world_set(*shared->object, done);
		}
		count(COUNT_OPS, 1);
	}
}

static struct actor *actor[LPS];

static void give(struct sim *sim, u64 a, u64 b, u64 c)
{
	const u64 rounds[LPS] = { a, b, c };

	for (u32 i = 0; i < LPS; i++) {
		world_set(shared->work[i], rounds[i]);
		actor_unpark(actor[i]);
	}
	assert_int_equal(sim_run(sim), SIM_DONE);
}

struct outcome {
	struct shared shared;
	u64 clock[LPS], steps, ops, cycles, object;
	u32 violations;
};

static void look(struct sim *sim, struct outcome *o)
{
	memset(o, 0, sizeof(*o));
	o->shared = *shared;
	for (u32 i = 0; i < LPS; i++)
		o->clock[i] = actor[i]->clock;
	o->steps = sim_steps(sim);
	o->ops = count_of(sim, NULL, COUNT_OPS);
	o->cycles = sim_cycles(sim);
	o->object = *shared->object;
	o->violations = check_count(sim);
}

static struct sim *start(const struct sim_options *opt)
{
	static const char *const names[LPS] = { "a", "b", "c" };
	struct sim *sim = sim_new(opt);

	assert_non_null(sim);
	shared = world_alloc(sizeof(*shared));
	world_set(shared->object, world_alloc(200));
	for (u64 i = 0; i < LPS; i++)
		actor[i] = actor_new(sim, names[i], (u16)i, worker, (void *)i);
	assert_int_equal(sim_run(sim), SIM_DONE);
	return sim;
}

static void same_again(const struct sim_options *opt)
{
	struct sim *sim = start(opt);
	struct outcome first, other, later, here, now;
	struct rewind *r, *deep;

	give(sim, 5, 1, 0);
	r = rewind_new(sim);
	look(sim, &here);
	give(sim, 100, 50, 75);
	look(sim, &first);
	for (u64 i = 0; i < 5; i++) {
		rewind_to(r);
		look(sim, &now);
		assert_memory_equal(&here, &now, sizeof(now));
		give(sim, i * 30, 0, 200);
		look(sim, &other);
		assert_memory_not_equal(&first, &other, sizeof(other));
		rewind_to(r);
		give(sim, 100, 50, 75);
		look(sim, &now);
		assert_memory_equal(&first, &now, sizeof(now));
	}
	/* A later state, and from it back to the earlier one */
	deep = rewind_new(sim);
	give(sim, 1, 2, 3);
	look(sim, &later);
	rewind_to(deep);
	give(sim, 1, 2, 3);
	look(sim, &now);
	assert_memory_equal(&later, &now, sizeof(now));
	rewind_free(deep);
	rewind_to(r);
	look(sim, &now);
	assert_memory_equal(&here, &now, sizeof(now));
	rewind_free(r);
	sim_free(sim);
}

static void test_clock(void **state)
{
	same_again(&(struct sim_options){ .phys = 1 << 20, .lps = LPS, .packages = 2,
					  .timed = true, .logged = true });
}

static void test_pthreads(void **state)
{
	same_again(&(struct sim_options){ .phys = 1 << 20, .lps = LPS, .timed = true,
					  .logged = true, .carrier = CARRIER_PTHREAD });
}

static void test_random(void **state)
{
	same_again(&(struct sim_options){ .phys = 1 << 20, .lps = LPS, .seed = 7,
					  .sched = SCHED_RANDOM, .logged = true });
}

static void test_script(void **state)
{
	same_again(&(struct sim_options){ .phys = 1 << 20, .lps = LPS, .sched = SCHED_SCRIPT,
					  .logged = true });
}

/* A run that a violation has ended, its actor in the middle of what it did */
static void breaks(void *arg)
{
	for (;;) {
		actor_park("no work");
		mem_write64(&shared->word[1], 1);
		check_fail("module-fatal", "", "on purpose");
		mem_write64(&shared->word[2], 2);
	}
}

static void test_violation(void **state)
{
	struct sim *sim = start(&(struct sim_options){ .phys = 1 << 20, .lps = LPS + 1,
						       .timed = true, .logged = true });
	struct actor *bad = actor_new(sim, "bad", LPS, breaks, NULL);
	struct outcome first, now;
	struct rewind *r;

	assert_int_equal(sim_run(sim), SIM_DONE);
	r = rewind_new(sim);
	give(sim, 9, 9, 9);
	look(sim, &first);
	for (u32 i = 0; i < 3; i++) {
		rewind_to(r);
		actor_unpark(bad);
		assert_int_equal(sim_run(sim), SIM_VIOLATION);
		assert_int_equal(check_count(sim), 1);
		rewind_to(r);
		assert_int_equal(check_count(sim), 0);
		give(sim, 9, 9, 9);
		look(sim, &now);
		assert_memory_equal(&first, &now, sizeof(now));
	}
	rewind_free(r);
	sim_free(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_pthreads),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_script),
		cmocka_unit_test(test_violation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
