/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What the tests of locks and LPs share: a sim, a log of who came when, and many seeds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <glib.h>

#include "sim/engine/arena.h"
#include "sim/engine/check.h"
#include "sim/engine/clock.h"
#include "sim/engine/lock.h"
#include "sim/engine/lockdep.h"
#include "sim/engine/lp.h"
#include "sim/engine/mem.h"
#include "sim/engine/region.h"
#include "sim/engine/sim.h"
#include "sim/engine/task.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

#define LOG_MAX 64

/* In the world. The log is one actor's at a time: what is appended is no step. */
struct table {
	struct spinlock spin;
	struct spinlock spin2;
	struct rwlock rw;
	struct mutex mutex;
	struct mutex mutex2;
	struct srcu srcu;
	u64 word __attribute__((aligned(64)));
	u64 word2 __attribute__((aligned(64)));
	u32 inside, writers, worst, laps;
	u32 n;
	struct {
		char who;
		u64 clock;
	} log[LOG_MAX];
};

static inline struct sim *sim_make_timed(enum sim_sched sched, enum sim_carrier carrier, u64 seed,
					 bool timed)
{
	struct sim_options opt = {
		.carrier = carrier, .sched = sched, .seed = seed, .lps = 8, .phys = 1 << 20,
		.packages = 2, .timed = timed,
	};
	struct sim *sim = sim_new(&opt);

	assert_non_null(sim);
	return sim;
}

static inline struct sim *sim_make(enum sim_sched sched, enum sim_carrier carrier, u64 seed)
{
	return sim_make_timed(sched, carrier, seed, false);
}

static inline struct table *table_make(void)
{
	struct table *t = world_alloc(sizeof(*t));

	spin_lock_init(&t->spin, "pages_lock");
	spin_lock_init(&t->spin2, "other_lock");
	rwlock_init(&t->rw, "mmu_lock");
	mutex_init(&t->mutex, "slots_lock");
	mutex_init(&t->mutex2, "vcpu_mutex");
	srcu_init(&t->srcu, "srcu");
	return t;
}

static inline void put(struct table *t, char who)
{
	u64 i = mem_atomic(MEM_XADD, 4, &t->n, 1, 0);	/* no step; real threads come here too */

	assert_true(i < LOG_MAX);
	t->log[i].who = who;
	t->log[i].clock = actor_self()->clock;
}

static inline const char *order_of(struct table *t)
{
	static char s[LOG_MAX + 1];

	for (u32 i = 0; i < t->n; i++)
		s[i] = t->log[i].who;
	s[t->n] = 0;
	return s;
}

static inline u64 when(struct table *t, char who)
{
	for (u32 i = 0; i < t->n; i++)
		if (t->log[i].who == who)
			return t->log[i].clock;
	fail_msg("%c did not come: %s", who, order_of(t));
	return 0;
}

/* Be at @cycle, and let all others get there too. */
static inline void until(struct table *t, u64 cycle)
{
	u64 now = actor_self()->clock;

	if (now < cycle)
		sim_compute(cycle - now);
	mem_read64(&t->word2);
}

static inline void run_ok(struct sim *sim)
{
	enum sim_end end = sim_run(sim);

	if (end != SIM_DONE) {
		if (check_fatal(sim))
			fail_msg("%s: %s", check_fatal(sim)->id, check_fatal(sim)->text);
		sim_explain(sim, stderr);
		fail_msg("ended with %d", end);
	}
	sim_free(sim);
}
