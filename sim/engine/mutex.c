// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sleeping lock: one LOCKed operation each way when nobody else wants it, waiters in
 * order, handoff to the first of them once a newcomer was quicker. Rests on
 * kernel/locking/mutex.c; what differs is said at struct mutex.
 */
#include "sim/engine/lock_priv.h"

#define HANDOFF	1ull

static u64 mutex_me(void)
{
	return (sim_self->id + 1ull) << 1;
}

/* First in the queue. While HANDOFF stands the word is never 0, so newcomers fail. */
static void mutex_lock_first(struct mutex *m, struct lock_info *l, enum lock_mode mode)
{
	u64 me = mutex_me(), free_word = 0, was;
	bool waited = false;

	for (;;) {
		was = mem_cmpxchg64(&m->owner, free_word, me);
		if (was == free_word)
			return;
		if (waited)
			mem_or64(&m->owner, HANDOFF);
		free_word = lock_await64(l, mode, &m->owner, ~HANDOFF, 0);
		waited = true;
	}
}

void mutex_lock_bare(struct mutex *m, struct lock_info *l, enum lock_mode mode)
{
	u64 was = mem_cmpxchg64(&m->owner, 0, mutex_me());

	if (!was)
		return;
	qspin_lock(&m->queue, l, mode);
	mutex_lock_first(m, l, mode);
	qspin_unlock(&m->queue);
}

void mutex_unlock_bare(struct mutex *m)
{
	u64 me = mutex_me(), was = mem_cmpxchg64(&m->owner, me, 0);

	if (was != me)
		mem_write64(&m->owner, HANDOFF);	/* only the first waiter takes it now */
	mem_wake(&m->owner);
}

void mutex_init(struct mutex *m, const char *name)
{
	world_set(m->owner, 0);
	world_set(m->queue.val, 0);
	lock_info_init(&m->info, name, LOCK_MUTEX, &m->owner, 8);
}

void mutex_lock(struct mutex *m)
{
	might_sleep(m->info.name);
	lockdep_acquire(&m->info, LOCK_EXCL);
	mutex_lock_bare(m, &m->info, LOCK_EXCL);
	lockdep_acquired(&m->info, LOCK_EXCL);
}

bool mutex_trylock(struct mutex *m)
{
	u64 was = mem_read64(&m->owner);

	if (was)
		return false;
	was = mem_cmpxchg64(&m->owner, 0, mutex_me());
	if (was)
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
