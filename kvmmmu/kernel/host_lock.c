// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locks, RCU, SRCU of a kernel tree: the engine's, which lie in the tree's structures. A static
 * lock holds the address of the one in the world that stands for it.
 */
#include <sched.h>
#include <string.h>

#include "kvmmmu/kernel/host.h"
#include "sim/engine/arena.h"
#include "sim/engine/check.h"
#include "sim/engine/lock.h"
#include "sim/engine/mem.h"
#include "sim/engine/sim.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

_Static_assert(sizeof(struct spinlock) <= KSIM_LOCK_SIZE, "a spinlock of the tree");
_Static_assert(sizeof(struct rwlock) <= KSIM_LOCK_SIZE, "a rwlock of the tree");
_Static_assert(sizeof(struct mutex) <= KSIM_LOCK_SIZE, "a mutex of the tree");
_Static_assert(sizeof(struct rw_semaphore) <= KSIM_LOCK_SIZE, "a rwsem of the tree");
_Static_assert(sizeof(struct srcu) <= KSIM_SRCU_SIZE, "an srcu_struct of the tree");

/* "&kvm->mmu_lock" is mmu_lock; the words of scenarios where they differ */
static const char *lock_name(const char *text)
{
	static const struct { const char *tree, *word; } words[] = {
		{ "&kvm->lock", "kvm_lock" },
		{ "&vcpu->mutex", "vcpu_mutex" },
		{ "kvm_lock", "kvm_list_lock" },
		{ "&mapping->invalidate_lock", "filemap_invalidate_lock" },
		{ "ksim_cpu_hotplug_lock", "cpu_hotplug_lock" },
	};
	const char *p;

	for (u32 i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i].tree, text))
			return words[i].word;
	for (p = text + strlen(text); p > text; p--)
		if (p[-1] == '>' || p[-1] == '.' || p[-1] == '&' || p[-1] == '(')
			break;
	return trace_intern(sim_current(), p);
}

static void *lock_of(void *l)
{
	return world_has(l) ? l : *(void **)l;
}

int ksim_real_threads(void)
{
	return sim_self->mode & MODE_FREE;
}

void ksim_world_lock(void)
{
	while (ksim_real_threads() && world_xchg(&khost()->lock, 1))
		sched_yield();
}

void ksim_world_unlock(void)
{
	if (ksim_real_threads())
		world_xchg(&khost()->lock, 0);
}

void ksim_lock_init(enum ksim_kind kind, void *l, const char *name)
{
	l = lock_of(l);
	khost_settle();
	switch (kind) {
	case KSIM_SPIN: spin_lock_init(l, lock_name(name)); break;
	case KSIM_MUTEX: mutex_init(l, lock_name(name)); break;
	case KSIM_DOWN_READ:
	case KSIM_DOWN_WRITE: init_rwsem(l, lock_name(name)); break;
	default: rwlock_init(l, lock_name(name)); break;
	}
}

void ksim_lock(enum ksim_kind kind, void *l)
{
	l = lock_of(l);
	khost_settle();
	switch (kind) {
	case KSIM_SPIN: spin_lock(l); break;
	case KSIM_READ: read_lock(l); break;
	case KSIM_WRITE: write_lock(l); break;
	case KSIM_MUTEX: mutex_lock(l); break;
	case KSIM_DOWN_READ: down_read(l); break;
	case KSIM_DOWN_WRITE: down_write(l); break;
	}
}

int ksim_trylock(enum ksim_kind kind, void *l)
{
	l = lock_of(l);
	khost_settle();
	switch (kind) {
	case KSIM_SPIN: return spin_trylock(l);
	case KSIM_READ: return read_trylock(l);
	case KSIM_WRITE: return write_trylock(l);
	default: return mutex_trylock(l);
	}
}

void ksim_lock_nested(void *l, void *nest)
{
	khost_settle();
	mutex_lock_nest_lock(lock_of(l), lock_of(nest));
}

void ksim_unlock(enum ksim_kind kind, void *l)
{
	struct khost *h = khost();

	l = lock_of(l);
	khost_settle();
	if (unlikely(h->owes[sim_self->id].vm) && (kind == KSIM_READ || kind == KSIM_WRITE))
		khost_leaves_mmu(h);
	switch (kind) {
	case KSIM_SPIN: spin_unlock(l); break;
	case KSIM_READ: read_unlock(l); break;
	case KSIM_WRITE: write_unlock(l); break;
	case KSIM_MUTEX: mutex_unlock(l); break;
	case KSIM_DOWN_READ: up_read(l); break;
	case KSIM_DOWN_WRITE: up_write(l); break;
	}
}

int ksim_lock_held(enum ksim_kind kind, void *l)
{
	l = lock_of(l);
	if (kind == KSIM_WRITE)
		return rwlock_is_held_write(l);
	return lock_is_held(l);
}

void ksim_assert_held(enum ksim_kind kind, void *l, int any, const struct ksim_site *s)
{
	const struct lock_info *info = lock_of(l);

	if (sim_self->mode & MODE_ROOT)	/* the set-up context has no need of locks */
		return;
	if (any ? lock_is_held(info) : ksim_lock_held(kind, l))
		return;
	check_fail("lock-context", info->name, "%s is not held%s at %s:%u", info->name,
		   any ? "" : kind == KSIM_WRITE ? " for write" : " for read",
		   site_file((const struct site *)s), s->line);
}

int ksim_needbreak(void *l)
{
	khost_settle();
	return rwlock_needbreak(lock_of(l));
}

int ksim_mutex_is_locked(void *l)
{
	const struct mutex *m = lock_of(l);

	khost_settle();
	return mem_read64(&m->owner) != 0;
}

void ksim_might_sleep(const char *what)
{
	might_sleep(what);
}

void ksim_rcu_read_lock(void)
{
	khost_settle();
	rcu_read_lock();
}

void ksim_rcu_read_unlock(void)
{
	khost_settle();
	rcu_read_unlock();
}

int ksim_rcu_read_lock_held(void)
{
	return sim_self->mode & MODE_ROOT || rcu_read_lock_held();
}

void ksim_call_rcu(void *head, void (*fn)(void *head))
{
	khost_settle();
	call_rcu(fn, head);
}

void ksim_rcu_barrier(void)
{
	khost_settle();
	rcu_barrier();
}

void ksim_synchronize_rcu(void)
{
	khost_settle();
	synchronize_rcu();
}

void ksim_srcu_init(void *s, const char *name)
{
	khost_settle();
	srcu_init(s, lock_name(name));
}

void ksim_srcu_exit(void *s)
{
	khost_settle();
	srcu_exit(s);
}

int ksim_srcu_read_lock(void *s)
{
	khost_settle();
	return srcu_read_lock(s);
}

void ksim_srcu_read_unlock(void *s, int idx)
{
	khost_settle();
	srcu_read_unlock(s, idx);
}

void ksim_srcu_read_unlock_lite(void *s, int idx)
{
	khost_settle();
	srcu_read_unlock_lite(s, idx);
}

int ksim_srcu_held(void *s)
{
	return sim_self->mode & MODE_ROOT || srcu_read_lock_held(s);
}

void ksim_synchronize_srcu(void *s)
{
	khost_settle();
	trace_call0("synchronize_srcu");
	synchronize_srcu(s);
	trace_return0("synchronize_srcu", 0);
}
