// SPDX-License-Identifier: GPL-2.0-only
/*
 * Completions: a count under a spinlock. Rests on kernel/sched/completion.c; several
 * waiters are served in the order in which they get the spinlock, Linux has a list.
 */
#include "sim/engine/lock_priv.h"

void completion_init(struct completion *c, const char *name)
{
	world_set(c->wait_lock.val, 0);
	world_set(c->done, 0);
	world_set(c->ready, 0);
	lock_info_init(&c->info, name, LOCK_WAIT, &c->done, 4);
}

void complete(struct completion *c)
{
	u32 done;

	qspin_lock(&c->wait_lock, &c->info, LOCK_EXCL);
	done = mem_read32(&c->done);
	mem_write32(&c->done, done + 1);
	mem_write32(&c->ready, 1);
	mem_wake(&c->ready);
	qspin_unlock(&c->wait_lock);
}

void wait_for_completion(struct completion *c)
{
	u32 done;

	might_sleep(c->info.name);
	for (;;) {
		qspin_lock(&c->wait_lock, &c->info, LOCK_EXCL);
		done = mem_read32(&c->done);
		if (done)
			break;
		qspin_unlock(&c->wait_lock);
		lock_await32(&c->info, LOCK_EXCL, &c->ready, 1, 1);
	}
	mem_write32(&c->done, done - 1);
	if (done == 1)
		mem_write32(&c->ready, 0);
	qspin_unlock(&c->wait_lock);
}
