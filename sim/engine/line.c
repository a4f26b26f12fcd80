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

/*
 * What it costs to bring a line from where it is to @lp. One that nobody has written in this run
 * is the memory of the package that touched it first, which has it in its L3.
 */
static enum cost_key transfer(const struct line *l, u16 lp)
{
	u16 owner = l->owner & (u16)~LINE_EXCL, here = lp_package(lp);

	if (!owner)
		return COST_L3_HIT;
	if (owner & LINE_HOME)
		return owner == (here | LINE_HOME) ? COST_L3_HIT : COST_DRAM_REMOTE;
	return lp_package(owner - 1u) == here ? COST_LINE_SAME_SOCKET : COST_LINE_CROSS_SOCKET;
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
	enum cost_key price;
	u32 slot;
	u64 start;

	if (unlikely(l->owner & LINE_FREED)) {
		line_freed(me, l, p, op, site);
		return;
	}
	slot = l->nth % LP_LINES;
	if (op == MEM_READ && l->version) {
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
		undo_keep(&sim->undo, &sim->nth_line);
		l->nth = (u16)sim->nth_line++;
		slot = l->nth % LP_LINES;
	}
	/* Accesses to one line are served one after the other. */
	start = me->clock > l->busy ? me->clock : l->busy;
	price = transfer(l, me->lp);
	sim->charged[price]++;
	me->clock = l->busy = start + sim->cost[price];
	if (op == MEM_READ) {
		if (!l->owner)
			l->owner = (u16)(lp_package(me->lp) | LINE_HOME);
		l->owner &= (u16)~LINE_EXCL;
		me->lines->slot[slot].line = number;
		me->lines->slot[slot].version = l->version;
		return;
	}
	l->owner = (u16)((me->lp + 1u) | LINE_EXCL);
	l->version++;
}
