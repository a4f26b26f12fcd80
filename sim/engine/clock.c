// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual time: charging, and the only question that may be asked of it.
 */
#include "sim/engine/clock.h"
#include "sim/engine/priv.h"
#include "sim/engine/undo.h"

void sim_charge(enum cost_key key, u64 n)
{
	struct actor *me = sim_self;
	u64 cycles;

	if (__builtin_mul_overflow(me->sim->cost[key], n, &cycles))
		cycles = CLOCK_MAX;
	if (likely(!(me->mode & MODE_FREE)))
		me->sim->charged[key] += n;
	sim_compute(cycles);
}

void sim_charge_instead(enum cost_key key, enum cost_key part)
{
	struct sim *sim = sim_self->sim;

	if (unlikely(sim_self->mode & MODE_FREE))
		return;
	sim->charged[part]--;
	sim->charged[key]++;
	if (sim->cost[key] > sim->cost[part])
		sim_compute(sim->cost[key] - sim->cost[part]);
}

u64 sim_charged(const struct sim *sim, enum cost_key key)
{
	u64 locked = 0, cas = 0, steps = 0, n = sim->charged[key];

	for (u32 i = 0; i < the_world->nactors; i++) {
		const struct actor *a = the_world->actor[i];

		steps += a->steps;
		locked += a->locked;
		cas += a->cas;
	}
	switch (key) {
	case COST_CMPXCHG_OWNED:
		return n + cas;
	case COST_RMW_OWNED:
		return n + locked - cas;
	case COST_L1_HIT:	/* all other steps that no line had to be brought for */
		return n + steps - locked - sim->charged[COST_CMPXCHG16B_OWNED] -
		       sim->charged[COST_L3_HIT] - sim->charged[COST_DRAM_REMOTE] -
		       sim->charged[COST_LINE_SAME_SOCKET] - sim->charged[COST_LINE_CROSS_SOCKET];
	default:
		return n;
	}
}

void sim_compute(u64 cycles)
{
	struct actor *me = sim_self;

	if (unlikely(me->mode & MODE_HUB) && !me->sim->opt.timed)
		return;		/* there is no time: it would tell equal states apart */
	me->clock += cycles < CLOCK_MAX ? cycles : CLOCK_MAX;
	if (unlikely(me->clock > CLOCK_MAX))
		me->clock = CLOCK_MAX;
}

void deadline_set(struct deadline *d, u64 cycles)
{
	u64 when = 1;

	if (sim_self->sim->opt.timed) {
		when = sim_self->clock + (cycles < CLOCK_MAX ? cycles : CLOCK_MAX);
		/* In no state's hash: a loop that sets it anew comes back to the same state. */
		actor_set(d->when, when ? when : 1);
	} else {
		world_set(d->when, when);
	}
	world_set(d->answer, 0);
}

void deadline_clear(struct deadline *d)
{
	if (sim_self->sim->opt.timed)
		actor_set(d->when, 0);
	else
		world_set(d->when, 0);
	world_set(d->answer, 0);
}

bool deadline_is_set(const struct deadline *d)
{
	return d->when != 0;
}

bool deadline_ahead(const struct deadline *d)
{
	return sim_self->sim->opt.timed && d->when > sim_self->clock;
}

static bool deadline_ordered(const struct sim *sim)
{
	const struct script *s = &sim->script;

	return sim->opt.sched == SCHED_SCRIPT && s->at < s->n && s->row[s->at].timeout &&
	       s->row[s->at].actor == sim_self;
}

bool deadline_passed(struct deadline *d, const char *what)
{
	struct sim *sim = sim_self->sim;
	bool passed;

	if (!d->when)
		return false;
	if (d->answer)
		return true;
	if (deadline_ordered(sim))
		passed = true;
	else if (sim->opt.timed)
		passed = script_passed(sim, d->when);
	else if (sim_is_free(sim))
		passed = false;	/* time does not exist among real threads */
	else
		passed = choose(2, CHOOSE_DEADLINE);
	if (!passed)
		return false;
	world_set(d->answer, 1);
	trace_(EV_TIMEOUT, .name = what);
	return true;
}
