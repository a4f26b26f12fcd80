// SPDX-License-Identifier: GPL-2.0-only
/*
 * The line model's slow half: an access that is not the owner's. Prices are rows of the
 * cost table; what is modelled is who waits for whom.
 */
#include "sim/engine/line.h"
#include "sim/engine/lp.h"
#include "sim/engine/priv.h"

void line_setup(struct sim *sim)
{
	sim->lines = g_new0(struct lp_lines, sim->opt.lps);
	for (u32 i = 0; i < sim->opt.lps; i++)
		for (u32 k = 0; k < LP_LINES; k++)
			sim->lines[i].slot[k].line = ~0u;
}

/* What it costs to bring a line from where it is to @lp. */
static u32 transfer(const struct sim *sim, const struct line *l, u16 lp)
{
	if (!l->owner)
		return sim->cost[COST_L3_HIT];	/* nobody wrote it yet in this run */
	if (lp_package(l->owner - 1u) != lp_package(lp))
		return sim->cost[COST_LINE_CROSS_SOCKET];
	return sim->cost[COST_LINE_SAME_SOCKET];
}

/* The door's slow path has asked already. */
static void look_alive(struct actor *me, const void *p, const struct site *site)
{
	if (world_line_state(p) == LINE_DEAD && !(me->mode & ~(u32)MODE_LOGGED))
		use_after_free(p, site);
}

/* Freed since it was last touched: dead, or another object by now, of the same owner. */
static void line_freed(struct actor *me, struct line *l, const void *p, enum mem_op op,
		       const struct site *site)
{
	look_alive(me, p, site);
	undo_keep(&me->sim->undo, &l->version);
	l->owner &= (u16)~LINE_FREED;
	line_touch(me, p, op, site);
	if (world_line_state(p) == LINE_DEAD)
		l->owner |= LINE_FREED;
}

void line_miss(struct actor *me, struct line *l, const void *p, enum mem_op op,
	       const struct site *site)
{
	struct sim *sim = me->sim;
	u32 number = (u32)(((u64)p - (u64)world_base) / CACHE_LINE);
	u32 slot = number % LP_LINES;
	u64 start;

	if (unlikely(l->owner & LINE_FREED)) {
		line_freed(me, l, p, op, site);
		return;
	}
	if (op == MEM_READ) {
		if (me->lines->slot[slot].line == number &&
		    me->lines->slot[slot].version == l->version) {
			me->clock += me->cost_read;
			return;
		}
	}
	if (sim->undo.keep) {
		undo_keep(&sim->undo, &l->busy);
		undo_keep(&sim->undo, &l->version);
		undo_keep(&sim->undo, &me->lines->slot[slot]);
	}
	if (unlikely(!l->version)) {	/* the first to touch it: nobody could mark it freed */
		look_alive(me, p, site);
		l->version = 1;
	}
	/* Accesses to one line are served one after the other. */
	start = me->clock > l->busy ? me->clock : l->busy;
	me->clock = l->busy = start + transfer(sim, l, me->lp);
	if (op == MEM_READ) {
		l->excl = 0;
		me->lines->slot[slot].line = number;
		me->lines->slot[slot].version = l->version;
		return;
	}
	l->owner = me->lp + 1u;
	l->excl = 1;
	l->version++;
}
