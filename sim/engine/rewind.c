// SPDX-License-Identifier: GPL-2.0-only
/*
 * A state to come back to: a mark in the undo log, and what is not in the log: actors, which
 * write their own fields plainly, their live stacks, and the sim's own counts.
 */
#include "sim/engine/rewind.h"

#include "sim/engine/mem.h"
#include "sim/engine/priv.h"
#include "sim/engine/search.h"

struct kept_actor {
	struct actor a;
	char *stack;		/* copy of its live stack */
	size_t bytes;
	struct record counters;
};

struct rewind {
	struct sim *sim;
	struct undo_mark mark;
	struct kept_actor *actor;
	u32 n;
	struct actor root;
	struct record root_counters;
	struct rng rng;
	struct actor *last;
	u64 now, steps, seq, ring_count;
	u32 nblocked, violations;
	bool stopping;
	enum sim_end end;
};

bool rewind_possible(void)
{
#ifdef DOOR_TSAN
	return false;
#else
	return true;
#endif
}

static void keep_actor(struct sim *sim, struct kept_actor *k, const struct actor *a)
{
	k->a = *a;
	k->bytes = (size_t)((char *)a->stack_top - (char *)a->sp);
	k->stack = g_malloc(k->bytes);
	k->counters = sim->counters[a->id];
	search_copy_stack(k->stack, a->sp, k->bytes);
}

struct rewind *rewind_new(struct sim *sim)
{
	struct rewind *r = g_new(struct rewind, 1);

	if (sim->running || !sim->undo.keep)
		sim_die("a state to come back to wants a logged sim, between runs");
	*r = (struct rewind){
		.sim = sim, .mark = undo_mark(), .n = the_world->nactors,
		.actor = g_new(struct kept_actor, the_world->nactors), .root = the_world->root,
		.root_counters = sim->counters[ACTORS_MAX], .rng = sim->rng, .last = sim->last,
		.now = sim->now, .steps = sim->steps, .seq = sim->seq,
		.ring_count = sim->ring_count, .nblocked = sim->nblocked,
		.violations = sim->violations->len, .stopping = sim->stopping, .end = sim->end,
	};
	for (u32 i = 0; i < r->n; i++)
		keep_actor(sim, &r->actor[i], the_world->actor[i]);
	return r;
}

static bool script_is_set(const struct script *s)
{
	return s->row || s->why || s->seen || s->loose || s->after || s->stop_after;
}

void rewind_to(const struct rewind *r)
{
	struct sim *sim = r->sim;

	undo_to(r->mark);
	for (u32 i = 0; i < r->n; i++) {
		const struct kept_actor *k = &r->actor[i];

		actor_keep(the_world->actor[i], &k->a);
		search_copy_stack(k->a.sp, k->stack, k->bytes);
		sim->counters[i] = k->counters;
	}
	actor_keep(&the_world->root, &r->root);
	sim->counters[ACTORS_MAX] = r->root_counters;
	sim->rng = r->rng;
	sim->last = r->last;
	sim->now = r->now;
	sim->steps = r->steps;
	sim->seq = r->seq;
	sim->ring_count = r->ring_count;
	sim->nblocked = r->nblocked;
	sim->stopping = r->stopping;
	sim->end = r->end;
	if (sim->violations->len > r->violations)
		g_ptr_array_set_size(sim->violations, (int)r->violations);
	if (script_is_set(&sim->script)) {
		script_fini(sim);
		sim->script = (struct script){ 0 };
	}
}

struct undo_mark rewind_mark(const struct rewind *r)
{
	return r->mark;
}

void rewind_free(struct rewind *r)
{
	if (!r)
		return;
	for (u32 i = 0; i < r->n; i++)
		g_free(r->actor[i].stack);
	g_free(r->actor);
	g_free(r);
}
