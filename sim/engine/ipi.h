/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What LPs (lp.c) and calls between them (ipi.c) share, and nobody else needs.
 */
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

struct lp *lp_at(const struct sim *sim, u16 lp);
