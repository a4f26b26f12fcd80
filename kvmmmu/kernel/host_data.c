// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's statics. They are as they were linked when a sim starts, whatever ran before;
 * locks and per-CPU data among them have their place in the world: locks one for each, per-CPU
 * data one for each CPU. The linker (farm.py) puts them between two symbols, and leaves room
 * for a copy of them behind.
 */
#include <string.h>

#include "kvmmmu/kernel/host.h"
#include "sim/engine/arena.h"
#include "sim/engine/lock.h"
#include "sim/engine/lp.h"
#include "sim/engine/sim.h"
#include "sim/engine/undo.h"

extern char ksim_data_start[], ksim_data_end[], ksim_data_copy[], ksim_data_copied[];
extern char ksim_percpu_start[], ksim_percpu_end[];
extern const struct ksim_static_lock ksim_locks_start[], ksim_locks_end[];

bool khost_is_static(const void *p)
{
	return (const char *)p >= ksim_data_start && (const char *)p < ksim_data_end;
}

static void restore(void)
{
	u64 n = (u64)(ksim_data_end - ksim_data_start);

	if (*ksim_data_copied) {
		memcpy(ksim_data_start, ksim_data_copy, n);
	} else {
		memcpy(ksim_data_copy, ksim_data_start, n);
		*ksim_data_copied = 1;
	}
}

void khost_data_reset(struct khost *h)
{
	u64 n = (u64)(ksim_percpu_end - ksim_percpu_start);
	const struct ksim_static_lock *l;
	u16 cpu;

	restore();
	h->percpu_stride = (n + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
	h->percpu = world_alloc(h->percpu_stride * h->cpus);
	for (cpu = 0; n && cpu < h->cpus; cpu++)
		memcpy(h->percpu + cpu * h->percpu_stride, ksim_percpu_start, n);
	for (l = ksim_locks_start; l < ksim_locks_end; l++) {
		void *w = world_alloc(KSIM_LOCK_SIZE);

		*(void **)l->lock = w;
		ksim_lock_init((enum ksim_kind)l->kind, w, l->name);
	}
}

void *ksim_percpu(void *p, int cpu)
{
	struct khost *h = khost();

	return h->percpu + (u64)cpu * h->percpu_stride + ((char *)p - ksim_percpu_start);
}
