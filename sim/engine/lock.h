/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What Linux gives KVM, built from steps of mem.h and nothing else, under Linux's names.
 * Every lock has a name that is its lockdep class, its region and its word in a schedule.
 * lockdep.h observes through these calls and never decides. None of these fail.
 *
 * A lock lies in the world. Its name lives as long as the sim (a literal, or interned).
 */
#include "sim/engine/actor.h"

struct sim;

struct lock_info {		/* in each lock, first: lockdep's view and the report's */
	const char *name;
	u8 kind;		/* enum lock_kind */
	u8 no_spin;		/* 1: a sleeping lock */
};

enum lock_kind { LOCK_SPIN, LOCK_RW, LOCK_MUTEX, LOCK_RCU, LOCK_SRCU, LOCK_WAIT, LOCK_IPI };

/*
 * The bare queued spinlock (kernel/locking/qspinlock.c): locked byte 0xff, pending byte
 * 0xff00, queue tail above. No lockdep, no region: what other locks queue on.
 */
struct qspinlock {
	u32 val;
};

struct spinlock {
	struct lock_info info;
	struct qspinlock raw;
} __attribute__((aligned(64)));

/*
 * qrwlock (kernel/locking/qrwlock.c): cnts holds writer byte 0xff, waiting bit 0x100 and
 * readers in units of 0x200; waiters queue on wait_lock, so a waiting writer stops new
 * readers (but not one in an interrupt), and readers batch behind it. Both words share a
 * line, as in the kernel.
 */
struct rwlock {
	struct lock_info info;
	u32 cnts;
	struct qspinlock wait_lock;
} __attribute__((aligned(64)));

/*
 * A waiter queues; each unlock wakes the first, and a newcomer may be quicker, but only
 * once: then the first asks for a handoff. That is Linux's order (kernel/locking/mutex.c).
 * Not Linux's: nobody spins before sleeping (a wait is a wait here, and a newcomer tries
 * once), and the queue is a qspinlock where Linux has a list under one.
 */
struct mutex {
	struct lock_info info;
	u64 owner;		/* (actor id + 1) << 2, bits 0, 1: handoff, waiters; 0 free */
	struct qspinlock queue;	/* held by the first waiter */
	u32 woken;		/* the first waiter was */
} __attribute__((aligned(64)));

void spin_lock_init(struct spinlock *l, const char *name);
void spin_lock(struct spinlock *l);
bool spin_trylock(struct spinlock *l);
void spin_unlock(struct spinlock *l);

void rwlock_init(struct rwlock *l, const char *name);
void read_lock(struct rwlock *l);
bool read_trylock(struct rwlock *l);
void read_unlock(struct rwlock *l);
void write_lock(struct rwlock *l);
bool write_trylock(struct rwlock *l);
void write_unlock(struct rwlock *l);
bool rwlock_needbreak(struct rwlock *l);	/* somebody waits for it; one step */

/*
 * A sleeping rwlock: the same word and queue, whose holder may sleep. Linux's rwsem lets
 * the first reader of its list wake those behind it; its percpu_rwsem counts readers by
 * CPU. Who waits for whom is the same.
 */
struct rw_semaphore {
	struct rwlock rw;
};

void init_rwsem(struct rw_semaphore *l, const char *name);
void down_read(struct rw_semaphore *l);
void up_read(struct rw_semaphore *l);
void down_write(struct rw_semaphore *l);
void up_write(struct rw_semaphore *l);

void mutex_init(struct mutex *l, const char *name);
void mutex_lock(struct mutex *l);
bool mutex_trylock(struct mutex *l);
/*
 * mutex_lock_nest_lock - one of many of its class, all of which are taken only by whoever holds
 * @nest, so that their order among each other does not matter; 40 at a time
 */
void mutex_lock_nest_lock(struct mutex *l, struct mutex *nest);
void mutex_unlock(struct mutex *l);

/* lock_exit - the lock's life ends: its region goes. Before the memory is freed. */
void lock_exit(struct lock_info *l);

/* lockdep assertions: a violation lock-context if not so */
void lockdep_assert_held(const struct lock_info *l);
void lockdep_assert_held_read(const struct rwlock *l);
void lockdep_assert_held_write(const struct rwlock *l);
bool lock_is_held(const struct lock_info *l);		/* by the running actor; no step */
bool rwlock_is_held_write(const struct rwlock *l);
void might_sleep(const char *what);	/* lock-context if atomic, in RCU or with IRQs off */

/*
 * RCU: nesting is the actor's; a grace period waits for each reader that was inside when it
 * began (a reader is a step on its own word), not for later ones. Callbacks run in order on
 * the background actor "rcu", one grace period behind, and may not sleep.
 *
 * A grace period here costs its steps only. Linux's takes milliseconds (it waits for ticks
 * and context switches), so nothing may be concluded from how long one takes here.
 */
void rcu_read_lock(void);
void rcu_read_unlock(void);
bool rcu_read_lock_held(void);
void synchronize_rcu(void);		/* sleeps */
void call_rcu(void (*fn)(void *arg), void *arg);
void rcu_barrier(void);			/* sleeps until every callback queued before has run */

/*
 * SRCU: two counts by index, lock and unlock by the index that was current at the lock
 * (kernel/rcu/srcutree.c). Where Linux has counters by CPU, these are by actor, each on a
 * line of its own, so that readers do not disturb each other. srcu_read_unlock() holds the
 * full barrier that KVM's entry path relies on. Unlocked by the actor that locked.
 */
struct srcu {
	struct lock_info info;
	u32 idx;		/* current index in bit 0 */
	struct srcu_count *count;	/* by actor id */
	struct mutex gp;	/* one grace period at a time */
	bool no_unlock_barrier;	/* a mutation: srcu_read_unlock() without its full barrier */
} __attribute__((aligned(64)));

void srcu_init(struct srcu *s, const char *name);
void srcu_exit(struct srcu *s);		/* no reader may be left */
int srcu_read_lock(struct srcu *s);
void srcu_read_unlock(struct srcu *s, int idx);
void srcu_read_unlock_lite(struct srcu *s, int idx);	/* without that barrier */
bool srcu_read_lock_held(const struct srcu *s);
void synchronize_srcu(struct srcu *s);

/* refcount_t: saturating; a step each. Misuse (inc from 0, below 0) is use-after-free. */
struct refcount {
	u32 count;
};

void refcount_set(struct refcount *r, u32 n);
u32 refcount_read(struct refcount *r);
void refcount_inc(struct refcount *r);
bool refcount_inc_not_zero(struct refcount *r);
bool refcount_dec_and_test(struct refcount *r);

struct completion {
	struct lock_info info;
	struct qspinlock wait_lock;
	u32 done;		/* how often complete() was called and nobody waited */
	u32 ready;		/* done is not 0: what waiters await */
} __attribute__((aligned(64)));

void completion_init(struct completion *c, const char *name);
void complete(struct completion *c);
void wait_for_completion(struct completion *c);		/* sleeps */
