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

/* The run is over for this thread: its stack is never resumed. */
static void free_leave(struct actor *me)
{
	carrier_yield(me);
}

/* Stopped; or, for who serves the others only, the others have ended. */
static bool free_over(const struct sim *sim, const struct actor *me)
{
	return sim->stop || __atomic_load_n(&sim->stopping, __ATOMIC_RELAXED) ||
	       (me->background && __atomic_load_n(&sim->served, __ATOMIC_RELAXED));
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
		if (free_over(sim, me))
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

	while (__atomic_load_n(&me->state, __ATOMIC_SEQ_CST) == ACTOR_PARKED) {
		if (me->background || free_over(sim, me))
			free_leave(me);
		if (lp_irq_deliverable(me))	/* its LP is idle, and still an LP */
			lp_take_interrupts(me);
		nanosleep(&ms, NULL);
	}
}

enum sim_end free_run(struct sim *sim)
{
	u32 n = the_world->nactors;

	sim->served = false;
	for (u32 i = 0; i < n; i++)
		if (the_world->actor[i]->state == ACTOR_READY)
			carrier_run_thread(sim, the_world->actor[i]);
	for (u32 i = 0; i < n; i++)
		if (!the_world->actor[i]->background)
			carrier_stop(sim, the_world->actor[i]);
	__atomic_store_n(&sim->served, true, __ATOMIC_RELAXED);
	for (u32 i = 0; i < n; i++)
		carrier_stop(sim, the_world->actor[i]);
	if (check_fatal(sim))
		return SIM_VIOLATION;
	return sim->stop ? SIM_STOPPED : SIM_DONE;
}
