// SPDX-License-Identifier: GPL-2.0-only
/*
 * The plain depth-first search: every interleaving, one by one, by undoing. Slow, and the
 * oracle of the one that remembers states (explore.c).
 */
#include "sim/engine/priv.h"
#include "sim/engine/search.h"

#define DEPTH_MAX	4096

struct dfs {
	struct sim *sim;
	struct search_dfs *s;
	struct inner *inner;	/* of the step being taken */
	char *room_end;
};

static void dfs_visit(struct dfs *d, struct actor *last, int budget, u32 depth, char *room);

/* All outcomes of one step of @a, and what comes after each. */
static void dfs_step(struct dfs *d, struct actor *a, int budget, u32 depth, char *room)
{
	struct inner in = { .len = 0 };
	struct search_mark mark;
	char *next;

	if (room + WORLD_STACK_SIZE > d->room_end)
		sim_die("no room for the stacks of an execution of %u steps", depth);
	do {
		next = search_mark_set(d->sim, &mark, a, room);
		in.at = 0;
		d->inner = &in;
		search_step(d->sim, a);
		d->s->transitions++;
		if (!d->s->step || d->s->step(d->s->ctx))
			dfs_visit(d, a, budget, depth + 1, next);
		search_undo(d->sim, &mark);
	} while (inner_next(&in));
}

static void dfs_visit(struct dfs *d, struct actor *last, int budget, u32 depth, char *room)
{
	u32 total = the_world->nactors;
	bool free_switch = !last || !actor_enabled(last), any = false;

	if (depth > d->s->depth)
		d->s->depth = depth;
	if (depth == DEPTH_MAX)
		sim_die("an execution of more than %d steps: a loop without an end?", DEPTH_MAX);
	for (u32 i = 0; i < total && !d->sim->stopping; i++) {
		struct actor *a = the_world->actor[i];
		int cost = d->s->preemptions >= 0 && !free_switch && a != last;

		if (!actor_enabled(a))
			continue;
		any = true;
		if (cost <= budget)
			dfs_step(d, a, budget - cost, depth, room);
	}
	if (any)
		return;
	d->s->executions++;
	if (d->s->leaf)
		d->s->leaf(d->s->ctx);
}

void search_dfs(struct sim *sim, struct search_dfs *s)
{
	struct dfs d = { .sim = sim, .s = s };
	struct choose_driver driver = { inner_pick, &d.inner };
	size_t bytes = DEPTH_MAX * 4096ul + WORLD_STACK_SIZE;	/* touched as it is used */
	char *room = g_malloc(bytes);

	d.room_end = room + bytes;
	choose_drive(sim, &driver);
	dfs_visit(&d, NULL, s->preemptions < 0 ? 0 : s->preemptions, 0, room);
	choose_drive(sim, NULL);
	g_free(room);
}
