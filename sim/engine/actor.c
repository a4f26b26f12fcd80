// SPDX-License-Identifier: GPL-2.0-only
/*
 * Actors: their birth, their end, what they remember, and leaving the schedule.
 */
#include <string.h>

#include "sim/engine/hash.h"
#include "sim/engine/lp.h"
#include "sim/engine/mem.h"
#include "sim/engine/priv.h"

_Thread_local struct actor *sim_self __attribute__((tls_model("initial-exec")));

static void actor_costs(struct sim *sim, struct actor *a)
{
	a->cost_rmw = sim->cost[COST_RMW_OWNED];
	a->cost_cas = sim->cost[COST_CMPXCHG_OWNED];
	a->cost_read = sim->cost[COST_L1_HIT];
	/* A store to an owned line retires into the store buffer: the price of a load. */
	a->cost_write = sim->cost[COST_L1_HIT];
}

/* The time of whoever makes or wakes an actor. */
static u64 now_of(const struct sim *sim)
{
	return sim_self->mode & MODE_ROOT ? sim->now : sim_self->clock;
}

struct actor *actor_new(struct sim *sim, const char *name, u16 lp, void (*fn)(void *), void *arg)
{
	struct world *w = the_world;
	struct actor *a, fresh;
	u16 id;

	if (sim_is_free(sim) && sim->running)
		sim_die("actor %s: none can be made while real threads run", name);
	if (w->nactors == ACTOR_ROOT)
		sim_die("more than %u actors", ACTOR_ROOT);
	if (lp >= sim->opt.lps)
		sim_die("actor %s on LP %u of %u", name, lp, sim->opt.lps);
	id = (u16)w->nactors;
	a = world_alloc(sizeof(*a));
	fresh = (struct actor){
		.id = id, .lp = lp, .fn = fn, .arg = arg, .sim = sim,
		.name = trace_intern(sim, name),
		.stack_top = arena_stack(id), .clock = now_of(sim),
		.state = ACTOR_READY, .mode = sched_mode(sim), .horizon = ~0ull,
		.listened = sched_listened(sim),
	};
	actor_costs(sim, &fresh);
	fresh.near = sim->near[lp].from;
	fresh.far = sim->near[lp].to;
	actor_store(a, &fresh, sizeof(fresh));
	world_set(w->actor[id], a);
	world_set(w->nactors, id + 1u);
	carrier_start(sim, a);
	if (sim->running)
		sched_insert(sim, a);
	lp_born(a);
	return a;
}

struct actor *actor_by_id(struct sim *sim, u16 id)
{
	return id < the_world->nactors ? the_world->actor[id] : NULL;
}

struct actor *actor_by_name(struct sim *sim, const char *name)
{
	for (u32 i = 0; i < the_world->nactors; i++)
		if (!strcmp(the_world->actor[i]->name, name))
			return the_world->actor[i];
	return NULL;
}

u32 actor_count(struct sim *sim)
{
	return the_world->nactors;
}

void actor_forget_at(const struct site *site, u64 k)
{
	struct actor *me = sim_self;

	if (!(me->mode & MODE_KEYED))
		return;
	me->key = hash_fold(site_number(site), KEY_WHAT(KEY_FORGET, 0), k);
	/* Brent's way to see a round: compare with a key that is renewed ever more rarely. */
	me->forgets++;
	if (me->key == me->lap_key)
		me->laps++;
	else if (!(me->forgets & (me->forgets - 1)))
		me->lap_key = me->key;
	script_forget(me->sim, me, site);
}

/* Most of it is clear already. */
void actor_clear(struct actor *a, u8 *counts, size_t n)
{
	for (u64 *w = (u64 *)counts; w < (u64 *)(counts + n); w++) {
		if (!*w)
			continue;
		undo_keep(&a->sim->undo, w);
		*w = 0;
	}
}

void actor_progress(enum progress_kind kind)
{
	struct sim *sim = sim_self->sim;

	if (sim_self->mode & MODE_FREE)		/* nobody asks */
		return;
	sim->progress |= kind;
	sim_self->forgets = sim_self->laps = 0;
	if (kind == PROGRESS_OP && (sim_self->mode & MODE_KEYED)) {
		actor_clear(sim_self, sim_self->visits, sizeof(sim_self->visits));
		actor_clear(sim_self, sim_self->often, sizeof(sim_self->often));
	}
	if (sim->script.seen)
		g_hash_table_remove_all(sim->script.seen);
}

void actor_park(const char *why)
{
	struct actor *me = sim_self;

	if (me->mode & MODE_ROOT)
		return;
	me->parked_why = why;
	me->state = ACTOR_PARKED;
	if (me->mode & MODE_FREE) {
		free_park(me);
		return;
	}
	lp_leave(me);
	sched_hub(me);
}

/* Real threads start by themselves, and park. */
void actor_rest(struct actor *a, const char *why)
{
	if (sim_is_free(a->sim))
		return;
	actor_set(a->parked_why, why);
	actor_set(a->state, (u8)ACTOR_PARKED);
}

void actor_unpark(struct actor *a)
{
	struct sim *sim = a->sim;
	u64 now = now_of(sim);

	if (a->state != ACTOR_PARKED)
		return;
	if (sim_is_free(sim)) {
		free_live(a, true);
		__atomic_store_n(&a->state, ACTOR_READY, __ATOMIC_SEQ_CST);
		return;
	}
	actor_set(a->state, (u8)ACTOR_READY);
	if (a->clock < now)
		actor_set(a->clock, now);
	sched_insert(sim, a);
	lp_enter(a);
}

void actor_exit(void)
{
	struct actor *me = sim_self;

	me->state = ACTOR_DONE;
	lp_leave(me);
	if (me->mode & MODE_FREE)
		free_live(me, false);
	while (me->mode & MODE_FREE)
		carrier_yield(me);
	for (;;)
		sched_hub(me);	/* never resumed: not enabled any more */
}

void actor_set_lp(struct actor *a, u16 lp)
{
	struct sim *sim = a->sim;

	if (lp >= sim->opt.lps)
		sim_die("actor %s to LP %u of %u", a->name, lp, sim->opt.lps);
	if (lp == a->lp)
		return;
	lp_moves(a, lp);
	actor_set(a->near, sim->near[lp].from);
	actor_set(a->far, sim->near[lp].to);
}
