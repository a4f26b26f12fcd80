// SPDX-License-Identifier: GPL-2.0-only
/*
 * The queued spinlock: one LOCKed operation and one store when nobody else wants it, a
 * pending bit for the first waiter, an MCS queue for the others. Rests on
 * kernel/locking/qspinlock.c and its layout of the word (fewer than 16K CPUs).
 *
 * A ticket lock would be shorter, but its counters never return: two worlds that differ
 * only by how often a lock was taken would count as two.
 */
#include "sim/engine/lock_priv.h"
#include "sim/engine/priv.h"

#define Q_LOCKED	0x1u
#define Q_LOCKED_MASK	0xffu
#define Q_PENDING	0x100u
#define Q_PENDING_MASK	0xff00u
#define Q_BUSY_MASK	(Q_LOCKED_MASK | Q_PENDING_MASK)
#define Q_TAIL_SHIFT	16
#define MCS_NEXT	0x80000000u

/* Tail code: (actor id + 1) << 2 | nesting; 11 + 2 bits of the 16. */
static struct mcs_node *node_of(u32 tail)
{
	return &locks_here()->task[(tail >> 2) - 1].node[tail & 3];
}

static inline u8 *byte_of(struct qspinlock *q, int i)
{
	return (u8 *)&q->val + i;	/* locked, pending: little endian, as the layout is */
}

static inline u16 *half_of(struct qspinlock *q, int i)
{
	return (u16 *)&q->val + i;	/* locked and pending together, tail */
}

bool qspin_trylock(struct qspinlock *q)
{
	u32 val = mem_read32(&q->val);

	if (val)
		return false;
	val = mem_cmpxchg32(&q->val, 0, Q_LOCKED);
	return !val;
}

/* First in the queue: take the lock over, and let whoever is behind come first. */
static void queue_take(struct qspinlock *q, struct mcs_node *node, u32 tail, u32 next,
		       struct lock_info *l, enum lock_mode mode)
{
	u32 val = lock_await32(l, mode, &q->val, Q_BUSY_MASK, 0);

	if (val >> Q_TAIL_SHIFT == tail) {
		u32 was = mem_cmpxchg32(&q->val, val, Q_LOCKED);

		if (was == val)
			return;		/* nobody behind */
	}
	mem_write8(byte_of(q, 0), Q_LOCKED);
	if (!next)
		next = lock_await32(l, mode, &node->behind, MCS_NEXT, MCS_NEXT);
	node = node_of(next & ~MCS_NEXT);
	mem_write32(&node->locked, 1);
	mem_wake(&node->locked);
}

static void queue_wait(struct qspinlock *q, struct mcs_node *node, u32 tail,
		       struct lock_info *l, enum lock_mode mode)
{
	u32 old, next = 0;

	old = mem_xchg16(half_of(q, 1), tail);
	if (old) {
		struct mcs_node *before = node_of(old);

		mem_write32(&before->behind, MCS_NEXT | tail);
		mem_wake(&before->behind);
		lock_await32(l, mode, &node->locked, 1, 1);
		next = mem_read32(&node->behind);
	}
	queue_take(q, node, tail, next, l, mode);
}

static void queue(struct qspinlock *q, struct lock_info *l, enum lock_mode mode)
{
	struct actor *me = sim_self;
	struct task_locks *t = task_of(me);
	u32 depth = t->mcs_depth;
	struct mcs_node *node = &t->node[depth];

	if (depth == MCS_NODES)
		sim_die("%s waits for more spinlocks than interrupts nest", me->name);
	world_set(t->mcs_depth, depth + 1);
	if (!qspin_trylock(q))
		queue_wait(q, node, (me->id + 1u) << 2 | depth, l, mode);
	/* As it was: what a wait leaves behind must not make two worlds of one. */
	world_set(node->locked, 0);
	world_set(node->behind, 0);
	world_set(t->mcs_depth, depth);
}

/* Left out: the bounded spin of a newcomer that meets a hand-over from pending to locked. */
static void qspin_slow(struct qspinlock *q, u32 val, struct lock_info *l, enum lock_mode mode)
{
	if (val & ~Q_LOCKED_MASK) {
		queue(q, l, mode);
		return;
	}
	val = mem_or32(&q->val, Q_PENDING);
	if (val & ~Q_LOCKED_MASK) {
		if (!(val & Q_PENDING_MASK)) {
			mem_write8(byte_of(q, 1), 0);
			mem_wake(&q->val);
		}
		queue(q, l, mode);
		return;
	}
	if (val & Q_LOCKED_MASK)
		lock_await8(l, mode, byte_of(q, 0), Q_LOCKED_MASK, 0);
	mem_write16(half_of(q, 0), Q_LOCKED);	/* pending goes as locked comes */
}

void qspin_lock(struct qspinlock *q, struct lock_info *l, enum lock_mode mode)
{
	u32 val = mem_cmpxchg32(&q->val, 0, Q_LOCKED);

	if (val)
		qspin_slow(q, val, l, mode);
}

void qspin_unlock(struct qspinlock *q)
{
	mem_write8(byte_of(q, 0), 0);
	mem_wake(&q->val);
}

void spin_lock_init(struct spinlock *l, const char *name)
{
	world_set(l->raw.val, 0);
	lock_info_init(&l->info, name, LOCK_SPIN, &l->raw.val, 4);
}

void spin_lock(struct spinlock *l)
{
	lockdep_acquire(&l->info, LOCK_EXCL);
	qspin_lock(&l->raw, &l->info, LOCK_EXCL);
	lockdep_acquired(&l->info, LOCK_EXCL);
}

bool spin_trylock(struct spinlock *l)
{
	if (!qspin_trylock(&l->raw))
		return false;
	lockdep_acquired(&l->info, LOCK_EXCL);
	return true;
}

void spin_unlock(struct spinlock *l)
{
	if (!lockdep_release(&l->info))
		return;
	qspin_unlock(&l->raw);
	lockdep_released(&l->info);
}
