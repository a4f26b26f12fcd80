// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locks of a kernel tree's VM by name, for scenarios' `acquire` and `release`.
 */
#include "kvmmmu/kernel/host.h"
#include "kvmmmu/kernel/ktree.h"
#include "kvmmmu/kernel/linux_priv.h"

bool linux_has_lock(const char *name)
{
	const struct khost *h = khost();
	int kind;

	return h && h->vms && ktree_lock(h->vms->tree, name, &kind);
}

void linux_lock_acquire(struct kvm *kvm, const char *name, bool shared)
{
	int kind;
	void *l = ktree_lock(kvm->tree, name, &kind);

	ksim_lock(kind == KSIM_WRITE && shared ? KSIM_READ : (enum ksim_kind)kind, l);
}

void linux_lock_release(struct kvm *kvm, const char *name, bool shared)
{
	int kind;
	void *l = ktree_lock(kvm->tree, name, &kind);

	ksim_unlock(kind == KSIM_WRITE && shared ? KSIM_READ : (enum ksim_kind)kind, l);
}
