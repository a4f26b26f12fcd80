/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The thread's flags that KVM's loops poll: need_resched, pending signal. They are one
 * world word in the actor, set by others and read by steps, as TIF_* flags are.
 */
#include "sim/engine/actor.h"

enum {
	TIF_SIGPENDING	= 1 << 0,
	TIF_NEED_RESCHED = 1 << 1,
	TIF_LP_SHIFT	= 16,	/* bits 31:16: one more than the LP to go on at; 0: the same */
};

/*
 * preempt_notifier_register - the running thread has them called where it is switched out and
 * in again (cond_resched() with need_resched set), on the LP where it goes on; may not sleep.
 * One at a time. Source: kernel/sched/core.c, fire_sched_out_preempt_notifiers()
 */
struct preempt_ops {
	void (*sched_out)(void *arg);
	void (*sched_in)(void *arg);
};
void preempt_notifier_register(const struct preempt_ops *ops, void *arg);
void preempt_notifier_unregister(void);

bool signal_pending(void);		/* one step: a read of the running actor's flags */
bool need_resched(void);		/* likewise */
void cond_resched(void);		/* might sleep; clears need_resched if it was set */
void cpu_relax(void);			/* PAUSE: cost only */

/* Disturbances from outside the machine (a scenario's `signal`, `need-resched`): no step. */
void task_signal(struct actor *a);
void task_need_resched(struct actor *a);
/* task_migrate - as need-resched; the thread goes on at @lp. A move that is pending is forgotten */
void task_migrate(struct actor *a, u16 lp);
/* task_clear_signal - the running actor's user space has taken the signal */
void task_clear_signal(void);
