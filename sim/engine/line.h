/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The line model: what a step costs beyond its instruction. Each 64-byte line of the
 * arena has an owner, a version and a time until which it is busy; accesses from other
 * LPs queue behind that time. The queue is what makes TD exit time grow with the vCPU
 * count: never replace it by a constant.
 *
 * The shadow is the clock's, not the world's: it decides no outcome but through time,
 * and in a search time does not exist.
 */
#include "sim/engine/arena.h"
#include "sim/engine/actor.h"

struct line {
	u64 busy;	/* cycle at which the line is free for the next transfer */
	u32 version;	/* counts changes of hands and writes */
	u16 owner;	/* LP + 1 that last wrote it; 0: nobody yet, it is in memory; | LINE_... */
	u16 nth;	/* it was the so-manieth line to be touched in this run, modulo 65536 */
};

#define LINE_EXCL 0x4000u	/* nobody has read it since its owner wrote it */
#define LINE_HOME 0x2000u	/* nobody wrote it yet: the rest is the package that read it first */

/*
 * The line has been freed since: no access is the owner's then, so the fast path gets to
 * line_miss(), which looks whether the line is dead or handed out again.
 */
#define LINE_FREED 0x8000u

#define LP_LINES 64

/*
 * What an LP has read and nobody has written since. Direct-mapped by the order in which lines
 * were touched first, not by address: which of them meet is then the model's doing, whatever
 * the layout of a struct.
 */
struct lp_lines {
	struct {
		u32 line;
		u32 version;
	} slot[LP_LINES];
};

static __always_inline struct line *line_of(const void *p)
{
	struct line *shadow = (struct line *)(world_base + WORLD_SPAN);

	return &shadow[((u64)p - (u64)world_base) / CACHE_LINE];
}

/* The three ways in which an access is not the owner's: charge, queue, change hands. */
void line_miss(struct actor *me, struct line *l, const void *p, enum mem_op op,
	       const struct site *site);

static __always_inline void line_touch(struct actor *me, const void *p, enum mem_op op,
				       const struct site *site)
{
	struct line *l;

	if (op == MEM_AWAIT)
		op = MEM_READ;	/* the read that ends the wait */
	if (op == MEM_FENCE) {
		me->clock += me->cost_rmw;
		me->locked++;
		return;
	}
	l = line_of(p);
	if (likely(op == MEM_READ ? (l->owner & ~LINE_EXCL) == me->lp + 1u :
				    l->owner == ((me->lp + 1u) | LINE_EXCL))) {
		me->clock += op == MEM_READ ? me->cost_read :
			     op == MEM_WRITE ? me->cost_write :
			     op == MEM_CMPXCHG ? me->cost_cas : me->cost_rmw;
		me->locked += op != MEM_READ && op != MEM_WRITE;
		me->cas += op == MEM_CMPXCHG;
		return;
	}
	line_miss(me, l, p, op, site);
}
