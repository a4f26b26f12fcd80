/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The line model: what a step costs beyond its instruction. Each 64-byte line of the
 * arena has an owner, those who share it, and a time until which it is busy; accesses from
 * other LPs queue behind that time. The queue is what makes TD exit time grow with the vCPU
 * count: never replace it by a constant.
 *
 * Who has a line is kept exactly, and nothing here depends on where a line lies: a price
 * must not move when a structure elsewhere grows. So a cache has no capacity (docs/model.md,
 * M3), and there is no table that two lines could compete for.
 *
 * The shadow is the clock's, not the world's: it decides no outcome but through time,
 * and in a search time does not exist.
 */
#include "sim/engine/arena.h"
#include "sim/engine/actor.h"

struct line {
	u64 busy;	/* cycle at which the line is free for the next transfer */
	u32 sharers;	/* who read it since it was written, besides the owner: line.c */
	u16 owner;	/* LP + 1 that last wrote it; 0: nobody yet; | LINE_FREED */
	u8 excl;	/* 1: nobody read it since */
	u8 home;	/* package + 1 whose memory it is: that which touched it first */
};

/*
 * The line has been freed since: no access is the owner's then, so the fast path gets to
 * line_miss(), which looks whether the line is dead or handed out again.
 */
#define LINE_FREED 0x8000u

static __always_inline struct line *line_of(const void *p)
{
	struct line *shadow = (struct line *)(world_base + WORLD_SPAN);

	return &shadow[((u64)p - (u64)world_base) / CACHE_LINE];
}

/* line_forget - freed: nobody has it in a cache, whoever gets it next. Logged. */
void line_forget(struct line *l);

/* The ways in which an access is not the owner's: charge, queue, change hands. */
void line_miss(struct actor *me, struct line *l, const void *p, enum mem_op op,
	       const struct site *site);

/* A line of the LP's own: the instruction alone. */
static __always_inline void line_hit(struct actor *me, enum mem_op op)
{
	me->clock += op == MEM_READ ? me->cost_read :
		     op == MEM_WRITE ? me->cost_write :
		     op == MEM_CMPXCHG ? me->cost_cas : me->cost_rmw;
	me->locked += op != MEM_READ && op != MEM_WRITE;
	me->cas += op == MEM_CMPXCHG;
}

static __always_inline void line_touch(struct actor *me, const void *p, enum mem_op op,
				       const struct site *site)
{
	struct line *l;

	if (op == MEM_AWAIT)
		op = MEM_READ;	/* the read that ends the wait */
	if (op == MEM_FENCE) {
		line_hit(me, op);
		return;
	}
	l = line_of(p);
	if (likely(l->owner == me->lp + 1u && (l->excl || op == MEM_READ)))
		line_hit(me, op);
	else
		line_miss(me, l, p, op, site);
}
