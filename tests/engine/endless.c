// SPDX-License-Identifier: GPL-2.0-only
/*
 * Searches find ways without an end: livelock, starvation, and no unfair ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <glib.h>

#include "sim/engine/arena.h"
#include "sim/engine/explore.h"
#include "sim/engine/ipi.h"
#include "sim/engine/lp.h"
#include "sim/engine/mem.h"

struct polite {
	u64 lock[2];
	bool backs_off, counts;
};

/* Takes its own, wants the other's; gives its own back if that is taken, and so on. */
static void polite(void *arg)
{
	struct polite *p = arg;
	u32 me = actor_self()->id;

	for (;;) {
		actor_forget(0);
		if (mem_bts64(&p->lock[me], 0))
			continue;
		if (!mem_bts64(&p->lock[!me], 0))
			break;
		mem_btr64(&p->lock[me], 0);
	}
	mem_btr64(&p->lock[!me], 0);
	mem_btr64(&p->lock[me], 0);
	actor_progress(PROGRESS_OP);
}

/* Goes round with progress each time. */
static void hog(void *arg)
{
	struct polite *p = arg;

	for (;;) {
		actor_forget(0);
		mem_bts64(&p->lock[0], 0);
		mem_btr64(&p->lock[0], 0);
		actor_progress(PROGRESS_OP);
	}
}

static void wants(void *arg)
{
	struct polite *p = arg;

	do
		actor_forget(0);
	while (mem_bts64(&p->lock[0], 0));
	mem_btr64(&p->lock[0], 0);
	actor_progress(PROGRESS_OP);
}

static void never(int switches, void (*a)(void *), void (*b)(void *), const char *id,
		  const char *where)
{
	struct explore_options opt = { .preemptions = switches, .livelock = true };
	struct sim_options so = { .sched = SCHED_CHOOSE, .keyed = true, .lps = 2, .phys = 1 << 20 };
	struct sim *sim = sim_new(&so);
	struct polite *p = world_alloc(sizeof(*p));
	struct explore_result *r;
	struct explore_found *f;

	actor_new(sim, "a", 0, a, p);
	actor_new(sim, "b", 1, b, p);
	search_begin(sim);
	r = explore(sim, &opt);
	if (!id) {
		assert_int_equal(r->found->len, 0);
		assert_true(r->word == EXPLORE_PROVED || switches >= 0);
	} else {
		assert_int_equal(r->found->len, 1);
		f = r->found->pdata[0];
		assert_string_equal(f->id, id);
		assert_string_equal(f->where, where);
		assert_true(f->trail.loop < f->trail.n);
	}
	explore_result_free(r);
	sim_free(sim);
}

static void test_no_end(void **state)
{
	never(-1, polite, polite, "livelock", "a b");
	never(-1, hog, wants, "starvation", "b");
	never(-1, wants, wants, NULL, NULL);	/* unfair ways only: whoever holds it goes on */
	/* On the way, with few switches: who does not get on goes round alone, the other moves. */
	never(5, polite, polite, "livelock", "a b");
	never(3, wants, wants, NULL, NULL);
}

/* Tries for ever what never succeeds, and each try leaves a count behind. */
static void tries(struct polite *p)
{
	for (;;) {
		actor_forget(0);
		mem_xadd64(&p->lock[0], 1);
		if (mem_read64(&p->lock[1]))
			break;
	}
}

static void tries_open(void *arg)
{
	tries(arg);
}

static void tries_masked(void *arg)
{
	local_irq_disable();
	tries(arg);
	local_irq_enable();
}

static void answered(void *arg)
{
}

/* Lets go when it has its answer. */
static void calls(void *arg)
{
	struct polite *p = arg;

	smp_call_function_single(1, answered, NULL, true);
	mem_write64(&p->lock[1], 1);
}

/* A round in which an interrupt was put off may be the last but for that. */
static void test_put_off(void **state)
{
	never(3, calls, tries_masked, "livelock", "b");
	never(3, calls, tries_open, NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_end),
		cmocka_unit_test(test_put_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
