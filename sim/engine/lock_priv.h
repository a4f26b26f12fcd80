/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What the host locks' and LPs' own files share: the state of each actor that locks keep
 * in the world, and the hooks into lockdep.
 */
#include "sim/engine/lock.h"
#include "sim/engine/mem.h"
#include "sim/engine/sim.h"
#include "sim/engine/undo.h"

/* How a lock is held or asked for. It lies in the low bits of a held word. */
enum lock_mode {
	LOCK_EXCL,
	LOCK_SHARED,		/* stopped by a waiting writer */
	LOCK_RECURSIVE,		/* a reader that nothing but a holder stops: interrupt, RCU */
	LOCK_SYNC,		/* waits for readers, holds nothing: a grace period */
};

#define LOCK_MODE_MASK	7ull
#define HELD_MAX	48	/* Linux's MAX_LOCK_DEPTH */
#define MCS_NODES	4	/* task, and interrupts on top of it */

struct mcs_node {
	u32 locked;		/* set by who was before */
	u32 behind;		/* MCS_NEXT | tail code of who comes next; 0: nobody yet */
};

/* What locks remember of an actor. In the world; lines of its own. */
struct task_locks {
	u32 rcu;		/* RCU_*: the reader's word, a step for everybody */
	u32 rcu_nest;		/* own */
	struct mcs_node node[MCS_NODES];
	u32 mcs_depth;
	u32 nheld;
	u64 held[HELD_MAX];	/* lock_info | enum lock_mode, oldest first */
	u64 wait;		/* lock_info | enum lock_mode that it waits for */
	u64 wait_p;		/* the awaited address */
	u32 irq_base;		/* held[irq_base..] were taken in the interrupt */
	u8 in_irq;
	u8 callback;		/* runs an RCU callback: atomic */
	u8 idle;		/* it is an idle LP */
	u8 in_guest;		/* interrupts off, but what runs is a guest */
	u16 neighbour;		/* next actor of its LP: id + 1 */
} __attribute__((aligned(64)));

struct rcu_cb {
	u64 next;
	void (*fn)(void *arg);
	void *arg;
};

struct rcu_state {
	struct lock_info info;
	struct mutex gp;
	u64 head;		/* callbacks, newest first */
	u32 bell;		/* free scheduler: there are some */
	u32 worker;		/* actor id + 1 */
};

#define LOCK_TYPES 64

struct lp;
struct lockdep;
struct lockdep_since;
struct region_type;

/* The root of this layer: sim_layer(sim, LAYER_LOCKS). */
struct locks {
	struct task_locks task[ACTORS_MAX];
	struct rcu_state rcu;
	struct lock_info ipi;	/* what a waiting sender of a call waits for */
	struct lock_info masked; /* what a thread waits for whose LP another one has masked */
	struct lp *lp;
	u16 lps, packages;
	struct lockdep *dep;
	struct lockdep_since *since;	/* record, not world */
	struct {
		const char *name;
		const struct region_type *type;
	} type[LOCK_TYPES];	/* of the locks made so far */
};

static inline struct locks *locks_of(const struct sim *sim)
{
	return sim_layer(sim, LAYER_LOCKS);
}

static inline struct locks *locks_here(void)
{
	return locks_of(sim_self->sim);
}

static inline struct task_locks *task_of(const struct actor *a)
{
	return &locks_of(a->sim)->task[a->id];
}

static inline bool in_free_mode(void)
{
	return sim_self->mode & MODE_FREE;
}

/* lock.c */
void lock_setup(struct sim *sim);	/* before LPs and lockdep */
void lock_info_init(struct lock_info *l, const char *name, enum lock_kind kind,
		    const void *word, u8 size);
void lock_wait_begin(struct lock_info *l, enum lock_mode mode, const void *p);
void lock_wait_end(void);
const char *lock_mode_name(const struct lock_info *l, enum lock_mode mode);

/* Await on behalf of lock @l, so that a blocking chain names it. One step. */
#define LOCK_AWAIT(bits, l, mode, p, mask, want) ({			\
	u##bits awaited;						\
									\
	lock_wait_begin(l, mode, p);					\
	awaited = mem_await##bits(p, mask, want);			\
	lock_wait_end();						\
	awaited; })
#define lock_await8(l, mode, p, mask, want)	LOCK_AWAIT(8, l, mode, p, mask, want)
#define lock_await32(l, mode, p, mask, want)	LOCK_AWAIT(32, l, mode, p, mask, want)
#define lock_await64(l, mode, p, mask, want)	LOCK_AWAIT(64, l, mode, p, mask, want)

/* spinlock.c: the bare lock, on behalf of @l */
void qspin_lock(struct qspinlock *q, struct lock_info *l, enum lock_mode mode);
bool qspin_trylock(struct qspinlock *q);
void qspin_unlock(struct qspinlock *q);
/* mutex.c: the same without lockdep */
void mutex_lock_bare(struct mutex *m, struct lock_info *l, enum lock_mode mode);
void mutex_unlock_bare(struct mutex *m);
/* rcu.c */
void rcu_setup(struct sim *sim);

/*
 * lockdep.c. acquire: before it waits; acquired: it has it; release: before it gives it back,
 * false if it never had it (the caller does nothing then); released: it is free.
 */
void lockdep_setup(struct sim *sim);
void lockdep_acquire(struct lock_info *l, enum lock_mode mode);
/* lockdep_acquire_nest - what is held of the same class does not matter */
void lockdep_acquire_nest(struct lock_info *l, enum lock_mode mode);
void lockdep_acquired(struct lock_info *l, enum lock_mode mode);
bool lockdep_release(struct lock_info *l);
void lockdep_released(struct lock_info *l);
void lockdep_irqs_on(void);	/* the running actor's interrupts were just switched on */
/* lockdep_since - cycle at which @a got what it holds in @slot */
u64 lockdep_since(const struct sim *sim, const struct actor *a, u32 slot);
