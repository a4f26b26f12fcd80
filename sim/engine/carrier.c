// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fibers and pthreads. The actor's stack is the same under both; only the thread that sits
 * on it differs. Sanitizers are told about each change of stack here.
 */
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sim/engine/mem.h"
#include "sim/engine/priv.h"

enum { BATON_HUB, BATON_THREAD, BATON_QUIT };

#ifdef DOOR_TSAN
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned int flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned int flags);

static void fiber_new(struct carrier *c) { c->fiber = __tsan_create_fiber(0); }
static void fiber_free(struct carrier *c) { __tsan_destroy_fiber(c->fiber); }
static void fiber_enter(void *fiber) { __tsan_switch_to_fiber(fiber, 0); }
static void *fiber_here(void) { return __tsan_get_current_fiber(); }
#else
static void fiber_new(struct carrier *c) { c->fiber = NULL; }
static void fiber_free(struct carrier *c) { (void)c; }
static void fiber_enter(void *fiber) { (void)fiber; }
static void *fiber_here(void) { return NULL; }
#endif

#if defined(__SANITIZE_ADDRESS__)
#define CARRIER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CARRIER_ASAN 1
#endif
#endif
#ifdef CARRIER_ASAN
/* Fake stacks would put an actor's variables outside the world: never. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_stack_use_after_return=0";
}
#endif

static void futex_wait(u32 *p, u32 while_is)
{
	syscall(SYS_futex, p, FUTEX_WAIT_PRIVATE, while_is, NULL, NULL, 0);
}

static void futex_wake(u32 *p)
{
	syscall(SYS_futex, p, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void baton_pass(struct carrier *c, u32 to)
{
	__atomic_store_n(&c->baton, to, __ATOMIC_SEQ_CST);
	futex_wake(&c->baton);
}

/* Spin before sleeping: a futex hand-over across cores costs thirty times a spin's. */
static u32 baton_wait(struct carrier *c, u32 until_not)
{
	u32 v;

	for (int spin = 0; ; spin++) {
		v = __atomic_load_n(&c->baton, __ATOMIC_SEQ_CST);
		if (v != until_not)
			return v;
		if (spin < 2000)
			continue;
		futex_wait(&c->baton, until_not);
	}
}

/*
 * The first code on an actor's stack. ASan wants to clean up the thread's stack before a call
 * that does not return, and complains that this is another one.
 */
static __attribute__((noreturn, no_sanitize("address"))) void actor_main(void)
{
	struct actor *me = sim_self;

	me->fn(me->arg);
	actor_exit();
}

static void stack_prepare(struct actor *a)
{
	u64 *sp = a->stack_top;

#if defined(__x86_64__)
	sp -= 1;		/* at a function's first instruction sp + 8 is aligned to 16 */
	*--sp = (u64)actor_main;
	for (int i = 0; i < 6; i++)
		*--sp = 0;
#elif defined(__aarch64__)
	sp -= 20;
	for (int i = 0; i < 20; i++)
		sp[i] = 0;
	sp[11] = (u64)actor_main;	/* x30 */
#endif
	a->sp = sp;
}

/*
 * Nothing comes after the switch, so that it is a jump: each call that is open across a switch
 * is a return that the processor foresees wrongly (docs/performance.md).
 */
static inline void carrier_enter(struct carrier *c, struct actor *a)
{
	void *here = fiber_here();

	sim_self = a;
	fiber_enter(c->fiber);
	actor_switch(&c->back, a->sp);
	fiber_enter(here);
}

struct thread_start {
	struct sim *sim;
	struct actor *actor;
};

static void *carrier_thread(void *arg)
{
	struct thread_start *s = arg;
	struct actor *a = s->actor;
	struct carrier *c = &s->sim->carrier[a->id];

	g_free(s);
	while (baton_wait(c, BATON_HUB) == BATON_THREAD) {
		carrier_enter(c, a);
		baton_pass(c, BATON_HUB);
	}
	return NULL;
}

static void *free_thread(void *arg)
{
	struct thread_start *s = arg;
	struct actor *a = s->actor;
	struct sim *sim = s->sim;

	g_free(s);
	carrier_enter(&sim->carrier[a->id], a);
	return NULL;
}

static void thread_start(struct sim *sim, struct actor *a, void *(*fn)(void *))
{
	struct carrier *c = &sim->carrier[a->id];
	struct thread_start *s = g_new(struct thread_start, 1);

	*s = (struct thread_start){ sim, a };
	if (pthread_create(&c->thread, NULL, fn, s))
		sim_die("cannot start a thread for %s", a->name);
	c->threaded = true;
}

void carrier_start(struct sim *sim, struct actor *a)
{
	struct carrier *c = &sim->carrier[a->id];

	stack_prepare(a);
	if (c->running)
		return;		/* an undo took its first owner back: the thread waits still */
	*c = (struct carrier){ .running = true };
	fiber_new(c);
	if (sim->opt.carrier == CARRIER_PTHREAD && !sim_is_free(sim))
		thread_start(sim, a, carrier_thread);
}

void carrier_resume(struct sim *sim, struct actor *a)
{
	struct carrier *c = &sim->carrier[a->id];

	if (!c->threaded) {
		carrier_enter(c, a);
		return;
	}
	baton_pass(c, BATON_THREAD);
	baton_wait(c, BATON_THREAD);
}

void carrier_yield(struct actor *me)
{
	/* After carrier_jump()s the hub waits in the carrier that it resumed last. */
	struct carrier *c = &me->sim->carrier[me->id];

	sim_self = &the_world->root;
	actor_switch(&me->sp, c->back);
}

void carrier_jump(struct actor *me, struct actor *to)
{
	struct carrier *from = &me->sim->carrier[me->id];
	struct carrier *next = &me->sim->carrier[to->id];

	next->back = from->back;
	sim_self = to;
	fiber_enter(next->fiber);
	actor_switch(&me->sp, to->sp);
}

void carrier_run_thread(struct sim *sim, struct actor *a)
{
	thread_start(sim, a, free_thread);
}

void carrier_join(struct carrier *c)
{
	if (c->threaded)
		pthread_join(c->thread, NULL);
	c->threaded = false;
}

void carrier_stop(struct sim *sim, struct carrier *c)
{
	if (!c->running)
		return;
	if (c->threaded && !sim_is_free(sim))
		baton_pass(c, BATON_QUIT);
	carrier_join(c);
	fiber_free(c);
	c->running = false;
}
