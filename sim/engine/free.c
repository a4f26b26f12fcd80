// SPDX-License-Identifier: GPL-2.0-only
/*
 * The free scheduler: each actor a real thread, each step a real atomic. Nothing is
 * decided here; waits spin, then sleep on a futex chosen by the address.
 */
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "sim/engine/lp.h"
#include "sim/engine/mem.h"
#include "sim/engine/priv.h"

#define SPINS	2000
#define BUCKETS	256

static inline void pause_spin(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* In the record of a sim, one a bucket: counts wakes. */
static u32 *bucket_of(const struct sim *sim, const void *p)
{
	return &sim->futex[((u64)p >> 6) % BUCKETS];
}

static void sleep_on(u32 *f, u32 seen)
{
	/* A wake that nobody announced (mem_wake forgotten, sim_stop) is found in 1 ms. */
	struct timespec ms = { 0, 1000000 };

	syscall(SYS_futex, f, FUTEX_WAIT_PRIVATE, seen, &ms, NULL, 0);
}

void free_wake(const void *p)
{
	u32 *f = bucket_of(sim_self->sim, p);

	__atomic_fetch_add(f, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, f, FUTEX_WAKE_PRIVATE, 1 << 20, NULL, NULL, 0);
}

/* Nobody else will do anything: whoever only serves the others has served them. */
static bool quiet(const struct sim *sim)
{
	return !__atomic_load_n(&sim->live, __ATOMIC_SEQ_CST);
}

/* The thread goes; its stack stays where it stands, and another run goes on from there. */
static void free_leave(struct actor *me)
{
	carrier_yield(me);
}

void free_look_up(struct actor *me)
{
	while (sim_stopping(me->sim))
		free_leave(me);
}

void free_look_up_all(struct sim *sim)
{
	for (u32 i = 0; i < the_world->nactors; i++)
		__atomic_store_n(&the_world->actor[i]->horizon, 0, __ATOMIC_RELAXED);
}

void free_live(const struct actor *a, bool lives)
{
	if (!a->background)
		__atomic_fetch_add(&a->sim->live, lives ? 1u : ~0u, __ATOMIC_SEQ_CST);
}

u64 free_await(unsigned int size, void *p, u64 mask, u64 want)
{
	struct actor *me = sim_self;
	struct sim *sim = me->sim;
	u32 *f = bucket_of(sim, p), seen;
	u64 v;

	for (u32 spin = 0; ; spin++) {
		seen = __atomic_load_n(f, __ATOMIC_SEQ_CST);
		v = mem_atomic(MEM_READ, size, p, 0, 0);
		if ((v & mask) == want)
			return v;
		if (sim_stopping(sim) || (me->background && quiet(sim)))
			free_leave(me);
		if (lp_irq_deliverable(me))
			lp_take_interrupts(me);
		if (spin < SPINS)
			pause_spin();
		else
			sleep_on(f, seen);
	}
}

void free_park(struct actor *me)
{
	struct sim *sim = me->sim;
	struct timespec ms = { 0, 1000000 };

	free_live(me, false);
	while (__atomic_load_n(&me->state, __ATOMIC_SEQ_CST) == ACTOR_PARKED) {
		if (sim_stopping(sim) || quiet(sim))
			free_leave(me);
		if (lp_irq_deliverable(me))
			lp_take_interrupts(me);
		nanosleep(&ms, NULL);
	}
}

static u32 count_ready(void)
{
	u32 n = 0;

	for (u32 i = 0; i < the_world->nactors; i++)
		if (the_world->actor[i]->state == ACTOR_READY && !the_world->actor[i]->background)
			n++;
	return n;
}

enum sim_end free_run(struct sim *sim)
{
	u32 n = the_world->nactors;

	sim->running = true;
	do {	/* again for whoever a background actor unparked at the last moment */
		sim->live = count_ready();
		for (u32 i = 0; i < n; i++)
			if (the_world->actor[i]->state != ACTOR_DONE)
				carrier_run_thread(sim, the_world->actor[i]);
		for (u32 i = 0; i < n; i++)
			carrier_join(&sim->carrier[i]);
	} while (count_ready() && !sim_stopping(sim));
	sim->running = false;
	return sim_stopping(sim) ? SIM_STOPPED : SIM_DONE;
}
