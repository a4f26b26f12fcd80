/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What LPs (lp.c), their interrupts (lp_irq.c) and windows (lp_mask.c) and calls between them
 * (ipi.c) share, and nobody else needs.
 */
#include "sim/engine/lock_priv.h"
#include "sim/engine/lp.h"

#define IRQ_KINDS	8	/* enum irq_kind, a byte each */

/* A logical processor. In the world; its words are on lines of their own. */
struct lp {
	u64 queue;			/* calls to run here, newest first; steps */
	u32 icr __attribute__((aligned(64)));	/* own command register; a step to write */
	union {
		u8 pend[IRQ_KINDS];	/* arrived or on the way; by enum irq_kind */
		u64 pend_all;
	} __attribute__((aligned(64)));
	u64 arrive[IRQ_KINDS];		/* cycle of arrival, when there is time */
	u8 landed[IRQ_KINDS];		/* a search chose that it is there */
	u32 live;			/* free scheduler: threads that have not ended */
	u32 stand_in;			/* likewise: another LP's thread acts for it */
	u32 idle;			/* its idle actor's id + 1 */
	u32 masked;			/* who has its interrupts off, outside a guest: id + 1 */
	u16 package;
	u16 first;			/* its actors, by task_locks.neighbour: id + 1 */
} __attribute__((aligned(64)));

/* ipi.c: run the queued calls of @lp */
void ipi_run_queue(struct lp *l, u16 lp);
/* ipi.c: "LP 1 to acknowledge a call; vCPU1 there has interrupts off" for awaited @flags */
void ipi_explain(struct sim *sim, const void *flags, char *buf, size_t n);

/* lp.c */
struct lp *lp_at(const struct sim *sim, u16 lp);
/* lp_is_busy - an actor other than an idle one or the RCU worker runs on @lp, or waits there */
bool lp_is_busy(struct sim *sim, u16 lp);

/* The actors of one LP, oldest first: with hundreds of LPs a look at all is too dear. */
static inline struct actor *next_at(struct sim *sim, u16 id1)
{
	return id1 ? actor_by_id(sim, (u16)(id1 - 1)) : NULL;
}

#define for_each_at(a, sim, lp)						\
	for ((a) = next_at(sim, lp_at(sim, lp)->first); (a);		\
	     (a) = next_at(sim, task_of(a)->neighbour))

static inline bool is_live(const struct actor *a)
{
	return a->state == ACTOR_READY || a->state == ACTOR_BLOCKED;
}

/* lp_irq.c: after lp.c has made the LPs */
void lp_irq_setup(const struct locks *root);
/* lp_irq.c: somebody has to take what is pending at @lp */
void lp_notify(struct sim *sim, u16 lp);

/* lp_mask.c: interrupts go off, or one level less: the LP is @me's alone, or no longer */
void lp_claim(struct actor *me);
void lp_irqs_on(struct actor *me);
/* lp_mask.c: @a comes to its LP, or leaves it; before it goes to @lp: until nobody masks that */
void lp_mask_enter(struct actor *a);
void lp_mask_leave(struct actor *a);
void lp_mask_await(struct actor *a, u16 lp);
