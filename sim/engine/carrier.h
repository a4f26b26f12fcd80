/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Who calls the switch. An actor always runs on its own stack in the world; a carrier is
 * either this thread (fiber) or a thread of its own that waits for a baton, switches to the
 * actor, and hands the baton back. Sanitizer annotations live here and nowhere else.
 */
#include <pthread.h>

#include "sim/engine/actor.h"

struct carrier {
	void *back;		/* where the actor's yield switches to */
	pthread_t thread;
	u32 baton;		/* futex: 0 the hub's, 1 the thread's, 2 quit */
	bool threaded, running;
	void *fiber;		/* TSan's */
};

/* switch.S: save the callee's registers and stack in *@save, go on at @to. */
void actor_switch(void **save, void *to);

void carrier_start(struct sim *sim, struct actor *a);	/* before its first resume */
void carrier_resume(struct sim *sim, struct actor *a);	/* run it until it yields */
void carrier_yield(struct actor *me);			/* back to who resumed it */
void carrier_stop(struct sim *sim, struct carrier *c);	/* sim_free() */
/* carrier_jump - from @me straight to @to, both on this thread (fibers); no hub between */
void carrier_jump(struct actor *me, struct actor *to);
/* carrier_run_thread - free scheduler: a thread that runs @a until it yields, then exits */
void carrier_run_thread(struct sim *sim, struct actor *a);
void carrier_join(struct carrier *c);	/* wait for that thread, if any */
