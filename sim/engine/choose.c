// SPDX-License-Identifier: GPL-2.0-only
/*
 * choose(): the default answers of each scheduler, or a driver's.
 */
#include "sim/engine/hash.h"
#include "sim/engine/priv.h"

/* The clock and a script are deterministic: of several futures they take the first. */
static u32 choose_default(struct sim *sim, void *ctx, u32 n, enum choose_why why)
{
	return sim->opt.sched == SCHED_RANDOM ? rng_below(&sim->rng, n) : 0;
}

const struct choose_driver choose_by_sched = { choose_default, NULL };

u32 choose(u32 n, enum choose_why why)
{
	struct actor *me = sim_self;
	struct sim *sim = me->sim;
	u32 answer;

	if (n < 2)
		return 0;
	answer = sim->driver->pick(sim, sim->driver->ctx, n, why);
	if (answer >= n)
		sim_die("a choice of %u was answered with %u", n, answer);
	if (why != CHOOSE_ACTOR && (me->mode & MODE_KEYED))
		me->key = hash_fold(me->key, KEY_WHAT(KEY_CHOICE, why), answer);
	return answer;
}

void choose_drive(struct sim *sim, const struct choose_driver *driver)
{
	sim->driver = driver ? driver : &choose_by_sched;
}
