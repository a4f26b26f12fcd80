// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memslots: two sets, SRCU, and the INVALID state in which a slot is still there but must
 * not be used. Rests on virt/kvm/kvm_main.c of v7.2 (kvm_set_memslot() and below). There
 * are no mmu_notifiers yet, so the wait for active invalidations has its door only.
 */
#include <errno.h>

#include "kvmmmu/own/guest_memfd.h"
#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/regions.h"
#include "kvmmmu/own/tdp_mmu.h"
#include "sim/engine/check.h"
#include "sim/engine/mem.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

static struct kvm_memory_slot *slot_new(struct kvm *kvm, u64 base, u64 npages, u32 flags)
{
	struct kvm_memory_slot *s = world_alloc(sizeof(*s));

	world_set(s->base_gfn, base);
	world_set(s->npages, npages);
	world_set(s->flags, flags);
	kvm_memslot_region(kvm, s);
	return s;
}

static void slot_free(struct kvm_memory_slot *s)
{
	kvm_forget_region(&s->flags);
	world_free(s, sizeof(*s));
}

void kvm_free_memslots(struct kvm *kvm)
{
	u32 active = mem_read32(&kvm->memslots), i;

	for (i = 0; i < KVM_MEM_SLOTS; i++) {
		struct kvm_memory_slot *s = (struct kvm_memory_slot *)kvm->slots[active].slot[i];

		if (s)
			slot_free(s);
		world_set(kvm->slots[0].slot[i], 0);
		world_set(kvm->slots[1].slot[i], 0);
	}
}

void kvm_init_memslots(struct kvm *kvm, u64 start, u64 end)
{
	struct kvm_memory_slot *s = slot_new(kvm, start, end - start, KVM_MEM_GUEST_MEMFD);

	world_set(kvm->slots[0].slot[0], (u64)s);
	world_set(kvm->slots[1].slot[0], (u64)s);
	world_set(kvm->gmem_bindings[0], (u64)s);
}

/* --- readers -------------------------------------------------------------------------- */

struct kvm_memory_slot *kvm_vcpu_gfn_to_memslot(struct kvm_vcpu *vcpu, u64 gfn)
{
	struct kvm *kvm = vcpu->kvm;
	u32 i, active;

	if (!srcu_read_lock_held(&kvm->srcu) && !lock_is_held(&kvm->slots_lock.info))
		check_fail("lock-context", "memslots", "memslots are read without SRCU");
	active = mem_read32(&kvm->memslots);	/* srcu_dereference() */
	for (i = 0; i < KVM_MEM_SLOTS; i++) {
		struct kvm_memory_slot *s = (struct kvm_memory_slot *)kvm->slots[active].slot[i];

		if (s && gfn - s->base_gfn < s->npages)
			return s;
	}
	return NULL;
}

bool kvm_memslot_is_invalid(struct kvm_memory_slot *slot)
{
	return mem_read32(&slot->flags) & KVM_MEMSLOT_INVALID;
}

void kvm_vcpu_srcu_read_lock(struct kvm_vcpu *vcpu)
{
	kvm_warn_on(vcpu->srcu_depth, NO_GFN, "SRCU read lock taken twice by a vCPU");
	world_set(vcpu->srcu_depth, vcpu->srcu_depth + 1);
	world_set(vcpu->srcu_idx, srcu_read_lock(&vcpu->kvm->srcu));
}

void kvm_vcpu_srcu_read_unlock(struct kvm_vcpu *vcpu)
{
	int idx = vcpu->srcu_idx;

	world_set(vcpu->srcu_depth, vcpu->srcu_depth - 1);
	srcu_read_unlock(&vcpu->kvm->srcu, idx);
}

/* --- changes: slots_lock held --------------------------------------------------------- */

/*
 * kvm_swap_active_memslots() - publish the inactive set, drop slots_arch_lock (an SRCU
 * reader may want it), wait for the readers of the other one
 */
static void kvm_swap_active_memslots(struct kvm *kvm)
{
	u32 active = mem_read32(&kvm->memslots);

	mem_write32(&kvm->memslots, !active);	/* rcu_assign_pointer() */
	mutex_unlock(&kvm->slots_arch_lock);
	trace_call0("synchronize_srcu");
	synchronize_srcu(&kvm->srcu);
	trace_return0("synchronize_srcu", 0);
}

static void replace_memslot(struct kvm *kvm, u32 set, u32 i, struct kvm_memory_slot *s)
{
	world_set(kvm->slots[set].slot[i], (u64)s);
}

static int find_memslot(struct kvm *kvm, u32 active, u64 start, u64 end, bool *overlaps)
{
	int i, found = -1;

	*overlaps = false;
	for (i = 0; i < KVM_MEM_SLOTS; i++) {
		struct kvm_memory_slot *s = (struct kvm_memory_slot *)kvm->slots[active].slot[i];

		if (!s || s->base_gfn >= end || s->base_gfn + s->npages <= start)
			continue;
		*overlaps = true;
		if (s->base_gfn == start && s->npages == end - start)
			found = i;
	}
	return found;
}

/* kvm_mmu_zap_memslot(): a TD never zaps everything; no invalidation window */
static void kvm_mmu_zap_memslot(struct kvm *kvm, u64 start, u64 end)
{
	bool shared = kvm_zap_shared(kvm), flush;

	kvm_mmu_lock(kvm, shared, start, end);
	flush = kvm_tdp_mmu_unmap_gfn_range(kvm, start, end, true, true, false);
	if (flush)
		kvm_flush_remote_tlbs(kvm);
	kvm_mmu_unlock(kvm, shared, start, end);
}

/* kvm_gmem_bind(), kvm_gmem_unbind() */
static void gmem_bind(struct kvm *kvm, u32 i, struct kvm_memory_slot *s)
{
	mutex_lock(&kvm->filemap_invalidate_lock);
	world_set(kvm->gmem_bindings[i], (u64)s);
	mutex_unlock(&kvm->filemap_invalidate_lock);
}

int kvm_delete_memslot(struct kvm *kvm, u64 start, u64 end)
{
	struct kvm_memory_slot *old, *invalid;
	bool overlaps;
	u32 active;
	int i;

	trace_call("kvm_delete_memslot", start);
	mutex_lock(&kvm->slots_lock);
	active = mem_read32(&kvm->memslots);
	i = find_memslot(kvm, active, start, end, &overlaps);
	if (i < 0) {
		mutex_unlock(&kvm->slots_lock);
		trace_return("kvm_delete_memslot", start, (u64)-EINVAL);
		return -EINVAL;
	}
	mutex_lock(&kvm->slots_arch_lock);
	old = (struct kvm_memory_slot *)kvm->slots[active].slot[i];
	/* kvm_invalidate_memslot() */
	invalid = slot_new(kvm, start, end - start, KVM_MEM_GUEST_MEMFD | KVM_MEMSLOT_INVALID);
	replace_memslot(kvm, !active, i, invalid);
	kvm_swap_active_memslots(kvm);
	kvm_mmu_zap_memslot(kvm, start, end);
	mutex_lock(&kvm->slots_arch_lock);
	/* kvm_replace_memslot(old, NULL), kvm_activate_memslot() */
	replace_memslot(kvm, active, i, NULL);
	kvm_swap_active_memslots(kvm);
	replace_memslot(kvm, !active, i, NULL);
	slot_free(invalid);
	gmem_bind(kvm, i, NULL);
	slot_free(old);
	mutex_unlock(&kvm->slots_lock);
	trace_return("kvm_delete_memslot", start, 0);
	return 0;
}

int kvm_create_memslot(struct kvm *kvm, u64 start, u64 end)
{
	struct kvm_memory_slot *s;
	bool overlaps;
	u32 active, i;
	int ret = 0;

	mutex_lock(&kvm->slots_lock);
	active = mem_read32(&kvm->memslots);
	find_memslot(kvm, active, start, end, &overlaps);
	for (i = 0; i < KVM_MEM_SLOTS && kvm->slots[active].slot[i]; i++)
		;
	if (overlaps) {
		ret = -EEXIST;
	} else if (i == KVM_MEM_SLOTS) {
		ret = -EINVAL;
	} else {
		s = slot_new(kvm, start, end - start, KVM_MEM_GUEST_MEMFD);
		gmem_bind(kvm, i, s);
		mutex_lock(&kvm->slots_arch_lock);	/* kvm_set_memslot() */
		replace_memslot(kvm, !active, i, s);
		kvm_swap_active_memslots(kvm);
		replace_memslot(kvm, active, i, s);
	}
	mutex_unlock(&kvm->slots_lock);
	return ret;
}
