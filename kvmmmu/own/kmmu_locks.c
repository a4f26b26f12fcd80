// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's locks by the scenario's words, for its `acquire` and `release`: somebody who holds a
 * lock for reasons of his own. Taken as the kernel takes them, waits and lockdep included.
 */
#include <string.h>

#include "kvmmmu/own/kvm_host.h"
#include "kvmmmu/own/own_ops.h"
#include "sim/engine/lock.h"

enum own_lock { OWN_RW, OWN_RWSEM, OWN_MUTEX, OWN_SPIN };

static const struct {
	const char *name;
	enum own_lock kind;
	size_t offset;		/* in struct kvm */
} own_locks[] = {
	{ "mmu_lock", OWN_RW, offsetof(struct kvm, mmu_lock) },
	{ "kvm_lock", OWN_MUTEX, offsetof(struct kvm, lock) },
	{ "slots_lock", OWN_MUTEX, offsetof(struct kvm, slots_lock) },
	{ "slots_arch_lock", OWN_MUTEX, offsetof(struct kvm, slots_arch_lock) },
	{ "filemap_invalidate_lock", OWN_RWSEM, offsetof(struct kvm, filemap_invalidate_lock) },
	{ "tdp_mmu_pages_lock", OWN_SPIN, offsetof(struct kvm, tdp_mmu_pages_lock) },
	{ "mn_invalidate_lock", OWN_SPIN, offsetof(struct kvm, mn_invalidate_lock) },
};

static int find(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(own_locks); i++)
		if (!strcmp(own_locks[i].name, name))
			return (int)i;
	return -1;
}

bool own_has_lock(const char *name)
{
	return find(name) >= 0;
}

void own_lock_acquire(struct kvm *kvm, const char *name, bool shared)
{
	int i = find(name);
	void *l = (char *)kvm + own_locks[i].offset;

	switch (own_locks[i].kind) {
	case OWN_RW:
		if (shared)
			read_lock(l);
		else
			write_lock(l);
		break;
	case OWN_RWSEM:
		down_write(l);
		break;
	case OWN_SPIN:
		spin_lock(l);
		break;
	default:
		mutex_lock(l);
	}
}

void own_lock_release(struct kvm *kvm, const char *name, bool shared)
{
	int i = find(name);
	void *l = (char *)kvm + own_locks[i].offset;

	switch (own_locks[i].kind) {
	case OWN_RW:
		if (shared)
			read_unlock(l);
		else
			write_unlock(l);
		break;
	case OWN_RWSEM:
		up_write(l);
		break;
	case OWN_SPIN:
		spin_unlock(l);
		break;
	default:
		mutex_unlock(l);
	}
}
