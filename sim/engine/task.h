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
};

bool signal_pending(void);		/* one step: a read of the running actor's flags */
bool need_resched(void);		/* likewise */
void cond_resched(void);		/* might sleep; clears need_resched if it was set */
void cpu_relax(void);			/* PAUSE: cost only */

/* Disturbances from outside the machine (a scenario's `signal`, `need-resched`): no step. */
void task_signal(struct actor *a);
void task_need_resched(struct actor *a);
/* task_clear_signal - the running actor's user space has taken the signal */
void task_clear_signal(void);
