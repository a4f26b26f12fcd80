// SPDX-License-Identifier: GPL-2.0-only
/*
 * SRCU: readers count themselves under the index that is current; a grace period waits
 * for the other index, flips, and waits for the one that was current. Rests on
 * kernel/rcu/srcutree.c: the order of its barriers is this file's whole point, since
 * KVM's entry gate leans on the one in srcu_read_unlock().
 */
#include <stdio.h>

#include "sim/engine/check.h"
#include "sim/engine/lock_priv.h"
#include "sim/engine/priv.h"
#include "sim/engine/region.h"

/* One actor's readers; only that actor writes it. */
struct srcu_count {
	u32 n[2];
} __attribute__((aligned(64)));

static void readers_describe(u64 raw, char *buf, size_t n)
{
	snprintf(buf, n, "%u in 0, %u in 1", (u32)raw, (u32)(raw >> 32));
}

static void readers_region(struct srcu *s, const char *name)
{
	struct sim *sim = sim_current();
	struct region_type *t = world_alloc(sizeof(*t));
	char text[96];

	snprintf(text, sizeof(text), "%s.readers", name);
	world_set(t->name, trace_intern(sim, text));
	world_set(t->describe, readers_describe);
	world_set(t->indexed, true);
	region_add(&(struct region){
		.type = t, .base = s->count, .count = ACTORS_MAX,
		.stride = sizeof(*s->count), .size = 8, .step = 1,
	});
}

void srcu_init(struct srcu *s, const char *name)
{
	world_set(s->idx, 0);
	world_set(s->count, (struct srcu_count *)world_alloc(ACTORS_MAX * sizeof(*s->count)));
	world_set(s->gp.owner, 0);
	world_set(s->gp.queue.val, 0);
	world_set(s->gp.woken, 0);
	lock_info_init(&s->info, name, LOCK_SRCU, &s->idx, 4);
	readers_region(s, name);
}

void srcu_exit(struct srcu *s)
{
	for (u32 i = 0; i < actor_count(sim_current()); i++)
		if (s->count[i].n[0] || s->count[i].n[1])
			check_fail("use-after-free", s->info.name, "%s ends with readers inside",
				   s->info.name);
	region_remove(region_at(s->count));
	world_free(s->count, ACTORS_MAX * sizeof(*s->count));
	lock_exit(&s->info);
}

/* The actor's own count of one index: nobody else writes it, so a load is no step. */
static void count_set(u32 *count, u32 n)
{
	mem_write32(count, n);
}

int srcu_read_lock(struct srcu *s)
{
	u32 *count, idx;

	lockdep_acquire(&s->info, LOCK_RECURSIVE);
	idx = mem_read32(&s->idx) & 1;
	count = &s->count[sim_self->id].n[idx];
	count_set(count, mem_peek32(count) + 1);
	mem_fence();
	lockdep_acquired(&s->info, LOCK_RECURSIVE);
	return (int)idx;
}

static void unlock(struct srcu *s, int idx, bool barrier)
{
	u32 *count = &s->count[sim_self->id].n[idx & 1];

	if (!lockdep_release(&s->info))
		return;
	if (barrier)
		mem_fence();
	count_set(count, mem_peek32(count) - 1);
	mem_wake(count);
	lockdep_released(&s->info);
}

void srcu_read_unlock(struct srcu *s, int idx)
{
	unlock(s, idx, !s->no_unlock_barrier);
}

void srcu_read_unlock_lite(struct srcu *s, int idx)
{
	unlock(s, idx, false);
}

bool srcu_read_lock_held(const struct srcu *s)
{
	return lock_is_held(&s->info);
}

static void wait_for_index(struct srcu *s, u32 idx)
{
	for (u32 i = 0; i < actor_count(sim_current()); i++)
		lock_await32(&s->info, LOCK_SYNC, &s->count[i].n[idx], ~0u, 0);
	mem_fence();
}

void synchronize_srcu(struct srcu *s)
{
	u32 idx;

	might_sleep("synchronize_srcu");
	lockdep_acquire(&s->info, LOCK_SYNC);
	mutex_lock_bare(&s->gp, &s->info, LOCK_SYNC);
	idx = mem_read32(&s->idx) & 1;
	mem_fence();
	/* Readers that had fetched the index before the last flip and counted after it. */
	wait_for_index(s, idx ^ 1);
	mem_write32(&s->idx, idx ^ 1);
	mem_fence();
	wait_for_index(s, idx);
	mutex_unlock_bare(&s->gp);
}
