// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sleeping lock: one LOCKed operation each way when nobody else wants it, waiters in
 * order, handoff to the first of them once a newcomer was quicker. Rests on
 * kernel/locking/mutex.c; what differs is said at struct mutex.
 */
#include "sim/engine/lock_priv.h"

#define HANDOFF	1ull	/* only the first waiter may take it */
#define WAITERS	2ull	/* somebody has to be woken */
#define FLAGS	(HANDOFF | WAITERS)

static u64 mutex_me(void)
{
	return (sim_self->id + 1ull) << 2;
}

/* Free for @first, or for anybody? Take it; the flags stay for a newcomer, go for the first. */
static bool mutex_take(struct mutex *m, bool first)
{
	u64 v = mem_read64(&m->owner), was;

	while (!(v & ~FLAGS) && (first || !(v & HANDOFF))) {
		was = mem_cmpxchg64(&m->owner, v, mutex_me() | (first ? 0 : v));
		if (was == v)
			return true;
		v = was;
	}
	return false;
}

/* First in the queue: each unlock wakes it. Who was woken and came too late asks for a handoff. */
static void mutex_lock_first(struct mutex *m, struct lock_info *l, enum lock_mode mode)
{
	bool waited = false;
	u64 was;

	mem_write32(&m->woken, 0);
	mem_or64(&m->owner, WAITERS);
	for (;;) {
		if (mutex_take(m, true))
			return;
		if (waited) {
			was = mem_or64(&m->owner, HANDOFF);
			if (!(was & ~FLAGS))
				continue;	/* it became free between, for us alone now */
		}
		lock_await32(l, mode, &m->woken, 1, 1);
		mem_write32(&m->woken, 0);
		waited = true;
	}
}

void mutex_lock_bare(struct mutex *m, struct lock_info *l, enum lock_mode mode)
{
	u64 was = mem_cmpxchg64(&m->owner, 0, mutex_me());

	if (!was || mutex_take(m, false))
		return;
	qspin_lock(&m->queue, l, mode);
	mutex_lock_first(m, l, mode);
	qspin_unlock(&m->queue);
}

void mutex_unlock_bare(struct mutex *m)
{
	u64 me = mutex_me(), was = mem_cmpxchg64(&m->owner, me, 0);

	if (was == me)
		return;
	mem_and64(&m->owner, FLAGS);
	mem_write32(&m->woken, 1);
	mem_wake(&m->woken);
}

void mutex_init(struct mutex *m, const char *name)
{
	world_set(m->owner, 0);
	world_set(m->queue.val, 0);
	world_set(m->woken, 0);
	lock_info_init(&m->info, name, LOCK_MUTEX, &m->owner, 8);
}

void mutex_lock(struct mutex *m)
{
	might_sleep(m->info.name);
	lockdep_acquire(&m->info, LOCK_EXCL);
	mutex_lock_bare(m, &m->info, LOCK_EXCL);
	lockdep_acquired(&m->info, LOCK_EXCL);
}

void mutex_lock_nest_lock(struct mutex *m, struct mutex *nest)
{
	might_sleep(m->info.name);
	lockdep_assert_held(&nest->info);
	lockdep_acquire_nest(&m->info, LOCK_EXCL);
	mutex_lock_bare(m, &m->info, LOCK_EXCL);
	lockdep_acquired(&m->info, LOCK_EXCL);
}

bool mutex_trylock(struct mutex *m)
{
	if (!mutex_take(m, false))
		return false;
	lockdep_acquired(&m->info, LOCK_EXCL);
	return true;
}

void mutex_unlock(struct mutex *m)
{
	if (!lockdep_release(&m->info))
		return;
	mutex_unlock_bare(m);
	lockdep_released(&m->info);
}
