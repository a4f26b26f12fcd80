// SPDX-License-Identifier: GPL-2.0-only
/*
 * See searches.h.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <glib.h>

#include "lock_model.h"
#include "searches.h"
#include "sim/engine/arena.h"
#include "sim/engine/check.h"
#include "sim/engine/choose.h"
#include "sim/engine/mem.h"
#include "sim/engine/undo.h"

struct explore_result *lock_search(u32 hosts, u32 guests, u32 tries, struct explore_options opt)
{
	struct sim_options so = { .sched = SCHED_CHOOSE, .keyed = true };
	struct lock_model *m;
	struct sim *sim = lock_model_sim(&so, hosts, guests, tries, &m);
	struct explore_result *r;

	assert_non_null(sim);
	search_begin(sim);
	r = explore(sim, &opt);
	sim_free(sim);
	return r;
}

struct pair {
	u64 a, b;
	u32 fault;
	bool strict;
};

static void writer(void *arg)
{
	struct pair *p = arg;

	for (u64 i = 1; i <= 3; i++) {
		mem_write64(&p->a, i);
		mem_write64(&p->b, i);
	}
}

static void observer(void *arg)
{
	struct pair *p = arg;
	u64 a = mem_read64(&p->a), b;
	bool torn;

	b = mem_read64(&p->b);
	torn = a == 2 && b == 1;
	if (torn && p->fault)
		kill(getpid(), (int)p->fault);
	if (torn || (p->strict && a != b))
		check_fail("torn", "pair", "%d and %d", (int)a, (int)b);
}

struct sim *pair_sim(bool strict, int fault)
{
	struct sim_options so = { .sched = SCHED_CHOOSE, .keyed = true, .lps = 3, .phys = 1 << 20 };
	struct sim *sim = sim_new(&so);
	struct pair *p = world_alloc(sizeof(*p));

	world_set(p->fault, (u32)fault);
	world_set(p->strict, strict);
	actor_new(sim, "writer", 0, writer, p);
	actor_new(sim, "observer", 1, observer, p);
	actor_new(sim, "other", 2, writer, world_alloc(sizeof(*p)));
	search_begin(sim);
	return sim;
}

static void same_found(const struct explore_found *a, const struct explore_found *b)
{
	assert_string_equal(a->id, b->id);
	assert_string_equal(a->where, b->where);
	assert_string_equal(a->text, b->text);
	assert_string_equal(a->site, b->site);
	assert_int_equal(a->executions, b->executions);
	assert_int_equal(a->times, b->times);
	assert_int_equal(a->preemptions, b->preemptions);
	assert_int_equal(a->trail.n, b->trail.n);
	assert_memory_equal(a->trail.v, b->trail.v, a->trail.n * sizeof(u16));
}

void same_result(const struct explore_result *a, const struct explore_result *b)
{
	assert_int_equal(a->word, b->word);
	assert_int_equal(!a->bounded_by, !b->bounded_by);
	if (a->bounded_by)
		assert_string_equal(a->bounded_by, b->bounded_by);
	assert_int_equal(a->executions, b->executions);
	assert_int_equal(a->states, b->states);
	assert_int_equal(a->transitions, b->transitions);
	assert_int_equal(a->blocked, b->blocked);
	assert_int_equal(a->merges_verified, b->merges_verified);
	assert_int_equal(a->before, b->before);
	assert_int_equal(a->before_transitions, b->before_transitions);
	assert_int_equal(a->switches_done, b->switches_done);
	assert_int_equal(a->found->len, b->found->len);
	for (u32 i = 0; i < a->found->len; i++)
		same_found(a->found->pdata[i], b->found->pdata[i]);
}
