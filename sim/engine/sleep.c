// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conditional independence: whether two steps commute is found out by taking them in both
 * orders, here. Nearly every step of a lock protocol is on the same word, so no static rule
 * would do. Results are in the actors' keys, and a rule that breaks is a difference.
 */
#include "sim/engine/explore_priv.h"

/* @a, then @b. False if that cannot be, a choice is made, or a rule breaks. */
static bool both(struct explore *x, struct actor *a, struct actor *b, char *room,
		 struct search_id *id)
{
	struct sim *sim = x->sim;
	u32 violations = sim->violations->len;
	struct search_mark first, second;
	struct inner in = { .len = 0 };
	bool ok = false;

	x->inner = &in;
	room = search_mark_set(sim, &first, a, room);
	search_step(sim, a);
	if (!in.len && actor_enabled(b) && sim->violations->len == violations) {
		search_mark_set(sim, &second, b, room);
		search_step(sim, b);
		ok = !in.len && sim->violations->len == violations;
		*id = search_id(sim);
		search_undo(sim, &second);
	}
	search_undo(sim, &first);
	return ok;
}

bool commute(struct explore *x, struct actor *a, struct actor *b, char *room)
{
	struct search_id ab, ba;

	return a != b && both(x, a, b, room, &ab) && both(x, b, a, room, &ba) &&
	       ab.lo == ba.lo && ab.hi == ba.hi;
}
