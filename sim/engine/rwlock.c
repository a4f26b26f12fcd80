// SPDX-License-Identifier: GPL-2.0-only
/*
 * The queued read-write lock: fair between readers and writers by one queue, except that
 * a reader in an interrupt passes a writer that only waits; and its sleeping sister. Rests
 * on kernel/locking/qrwlock.c and include/asm-generic/qrwlock.h.
 */
#include "sim/engine/lock_priv.h"

#define QW_LOCKED	0xffu
#define QW_WAITING	0x100u
#define QW_MASK		(QW_WAITING | QW_LOCKED)
#define QR_BIAS		0x200u

void rwlock_init(struct rwlock *l, const char *name)
{
	world_set(l->cnts, 0);
	world_set(l->wait_lock.val, 0);
	lock_info_init(&l->info, name, LOCK_RW, &l->cnts, 4);
}

/* In an interrupt a reader that queued could wait for a writer that waits for its own task. */
static enum lock_mode reader_mode(void)
{
	return task_of(sim_self)->in_irq ? LOCK_RECURSIVE : LOCK_SHARED;
}

static void read_lock_slow(struct rwlock *l, enum lock_mode mode)
{
	if (mode == LOCK_RECURSIVE) {
		lock_await32(&l->info, mode, &l->cnts, QW_LOCKED, 0);
		return;
	}
	mem_xadd32(&l->cnts, -QR_BIAS);
	mem_wake(&l->cnts);
	qspin_lock(&l->wait_lock, &l->info, mode);
	mem_xadd32(&l->cnts, QR_BIAS);
	lock_await32(&l->info, mode, &l->cnts, QW_LOCKED, 0);
	qspin_unlock(&l->wait_lock);
}

void read_lock(struct rwlock *l)
{
	enum lock_mode mode = reader_mode();
	u32 cnts;

	lockdep_acquire(&l->info, mode);
	cnts = mem_xadd32(&l->cnts, QR_BIAS);
	if (cnts & QW_MASK)
		read_lock_slow(l, mode);
	lockdep_acquired(&l->info, mode);
}

bool read_trylock(struct rwlock *l)
{
	u32 cnts = mem_read32(&l->cnts);

	if (cnts & QW_MASK)
		return false;
	cnts = mem_xadd32(&l->cnts, QR_BIAS);
	if (cnts & QW_MASK) {
		mem_xadd32(&l->cnts, -QR_BIAS);
		mem_wake(&l->cnts);
		return false;
	}
	lockdep_acquired(&l->info, reader_mode());
	return true;
}

void read_unlock(struct rwlock *l)
{
	if (!lockdep_release(&l->info))
		return;
	mem_xadd32(&l->cnts, -QR_BIAS);
	mem_wake(&l->cnts);
	lockdep_released(&l->info);
}

static bool write_take_free(struct rwlock *l)
{
	u32 cnts = mem_read32(&l->cnts);

	if (cnts)
		return false;
	cnts = mem_cmpxchg32(&l->cnts, 0, QW_LOCKED);
	return !cnts;
}

static void write_lock_slow(struct rwlock *l)
{
	u32 cnts;

	qspin_lock(&l->wait_lock, &l->info, LOCK_EXCL);
	if (!write_take_free(l)) {
		mem_or32(&l->cnts, QW_WAITING);
		do {
			lock_await32(&l->info, LOCK_EXCL, &l->cnts, ~0u, QW_WAITING);
			cnts = mem_cmpxchg32(&l->cnts, QW_WAITING, QW_LOCKED);
		} while (cnts != QW_WAITING);
	}
	qspin_unlock(&l->wait_lock);
}

void write_lock(struct rwlock *l)
{
	u32 cnts;

	lockdep_acquire(&l->info, LOCK_EXCL);
	cnts = mem_cmpxchg32(&l->cnts, 0, QW_LOCKED);
	if (cnts)
		write_lock_slow(l);
	lockdep_acquired(&l->info, LOCK_EXCL);
}

bool write_trylock(struct rwlock *l)
{
	if (!write_take_free(l))
		return false;
	lockdep_acquired(&l->info, LOCK_EXCL);
	return true;
}

void write_unlock(struct rwlock *l)
{
	if (!lockdep_release(&l->info))
		return;
	mem_write8(&l->cnts, 0);	/* the writer's byte alone: others count beside it */
	mem_wake(&l->cnts);
	lockdep_released(&l->info);
}

/* Waiters of either kind queue on wait_lock (queued_rwlock_is_contended()). */
bool rwlock_needbreak(struct rwlock *l)
{
	u32 val = mem_read32(&l->wait_lock.val);

	return val;
}

void init_rwsem(struct rw_semaphore *l, const char *name)
{
	rwlock_init(&l->rw, name);
	world_set(l->rw.info.no_spin, (u8)1);
}

void down_read(struct rw_semaphore *l)
{
	might_sleep(l->rw.info.name);
	read_lock(&l->rw);
}

void up_read(struct rw_semaphore *l)
{
	read_unlock(&l->rw);
}

void down_write(struct rw_semaphore *l)
{
	might_sleep(l->rw.info.name);
	write_lock(&l->rw);
}

void up_write(struct rw_semaphore *l)
{
	write_unlock(&l->rw);
}
