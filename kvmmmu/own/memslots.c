// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memslots: two sets, SRCU, and the INVALID state in which a slot is still there but must
 * not be used. Rests on virt/kvm/kvm_main.c of v7.2 (kvm_set_memslot() and below) and
 * mmu/mmu.c (kvm_arch_flush_shadow_memslot()). Dirty logging: dirty_log.c.
 */
#include <errno.h>

#include "kvmmmu/own/dirty_log.h"
#include "kvmmmu/own/guest_memfd.h"
#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/mmu.h"
#include "kvmmmu/own/regions.h"
#include "kvmmmu/own/tdp_mmu.h"
#include "sim/engine/check.h"
#include "sim/engine/mem.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

static struct kvm_memory_slot *slot_new(struct kvm *kvm, u64 base, u64 npages, u64 hva, u32 flags)
{
	struct kvm_memory_slot *s = world_alloc(sizeof(*s));

	world_set(s->base_gfn, base);
	world_set(s->npages, npages);
	world_set(s->hva, hva);
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

		if (s) {
			kvm_destroy_dirty_bitmap(s);
			slot_free(s);
		}
		world_set(kvm->slots[0].slot[i], 0);
		world_set(kvm->slots[1].slot[i], 0);
	}
}

/* A TD's memory has both: a guest_memfd for what is private, user pages for what is shared. */
static u32 slot_flags(const struct kvm *kvm)
{
	return is_td(kvm) ? KVM_MEM_GUEST_MEMFD : 0;
}

void kvm_init_memslots(struct kvm *kvm, u64 start, u64 end, u32 flags)
{
	struct kvm_memory_slot *s = slot_new(kvm, start, end - start, start,
					     slot_flags(kvm) | flags);

	if (flags & KVM_MEM_LOG_DIRTY_PAGES) {
		kvm_alloc_dirty_bitmap(kvm, s);
		world_set(kvm->nr_memslots_dirty_logging, 1u);
	}
	world_set(kvm->slots[0].slot[0], (u64)s);
	world_set(kvm->slots[1].slot[0], (u64)s);
	if (is_td(kvm)) {
		world_set(s->gmem_file, 1u);
		world_set(kvm->gmem_bindings[0], (u64)s);
	}
}

/* --- readers -------------------------------------------------------------------------- */

struct kvm_memory_slot *kvm_gfn_to_memslot(struct kvm *kvm, u64 gfn)
{
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

struct kvm_memory_slot *kvm_vcpu_gfn_to_memslot(struct kvm_vcpu *vcpu, u64 gfn)
{
	return kvm_gfn_to_memslot(vcpu->kvm, gfn);
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

/* Who is between a notifier's start and end counts on finding the same slots at both. */
static void wait_for_invalidations(struct kvm *kvm)
{
	spin_lock(&kvm->mn_invalidate_lock);
	while (mem_read32(&kvm->mn_active_invalidate_count)) {
		spin_unlock(&kvm->mn_invalidate_lock);
		mem_await32(&kvm->mn_active_invalidate_count, ~0u, 0);	/* rcuwait, schedule() */
		spin_lock(&kvm->mn_invalidate_lock);
	}
}

/*
 * kvm_swap_active_memslots() - publish the inactive set, drop slots_arch_lock (an SRCU
 * reader may want it), wait for the readers of the other one. The generation, which MMIO
 * entries carry, is odd meanwhile.
 */
static void kvm_swap_active_memslots(struct kvm *kvm)
{
	u32 active = mem_read32(&kvm->memslots), gen;

	wait_for_invalidations(kvm);
	gen = mem_read32(&kvm->memslots_gen);
	mem_write32(&kvm->memslots_gen, gen + 1);
	mem_write32(&kvm->memslots, !active);	/* rcu_assign_pointer() */
	spin_unlock(&kvm->mn_invalidate_lock);
	mutex_unlock(&kvm->slots_arch_lock);
	trace_call0("synchronize_srcu");
	synchronize_srcu(&kvm->srcu);
	trace_return0("synchronize_srcu", 0);
	mem_write32(&kvm->memslots_gen, gen + 2);
}

static void kvm_replace_memslot(struct kvm *kvm, u32 set, u32 i, struct kvm_memory_slot *s)
{
	world_set(kvm->slots[set].slot[i], (u64)s);
}

static int kvm_check_memslot_overlap(struct kvm *kvm, u32 active, u64 start, u64 end,
				     bool *overlaps)
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

/*
 * kvm_arch_flush_shadow_memslot(): a VM without TDX throws its direct roots away
 * (KVM_X86_QUIRK_SLOT_ZAP_ALL), a TD zaps the slot. No invalidation window: behind SRCU
 * nobody maps there.
 */
static void kvm_arch_flush_shadow_memslot(struct kvm *kvm, u64 start, u64 end)
{
	bool zap_all = !is_td(kvm), shared = !zap_all && kvm_zap_shared(kvm), flush;

	/* G14: a mirror's tables taken down while others map there, as a direct root's may be */
	if (is_td(kvm) && kvm_switch(kvm, SW_MIRROR_ZAPPED_SHARED)) {
		kvm_mmu_lock(kvm, true, 0, kvm->gfns);
		tdp_mmu_zap_root(kvm, tdp_mmu_root_behind(kvm, NULL, KVM_MIRROR_ROOTS), true);
		kvm_mmu_unlock(kvm, true, 0, kvm->gfns);
		return;
	}
	kvm_mmu_lock(kvm, shared, start, end);
	if (zap_all) {
		kvm_mmu_zap_all_fast_front_half(kvm);
	} else {
		flush = kvm_tdp_mmu_unmap_gfn_range(kvm, start, end,
						    KVM_FILTER_PRIVATE | KVM_FILTER_SHARED,
						    true, false);
		if (flush)
			kvm_flush_remote_tlbs(kvm);
	}
	kvm_mmu_unlock(kvm, shared, start, end);
	if (zap_all)
		kvm_mmu_zap_all_fast_back_half(kvm);
}

/*
 * The slot that is exactly [start, end): its index, with slots_arch_lock; -1 if there is none.
 * slots_lock is taken either way.
 */
static int begin_change(struct kvm *kvm, u64 start, u64 end, u32 *active, bool *overlaps)
{
	int i;

	mutex_lock(&kvm->slots_lock);
	*active = mem_read32(&kvm->memslots);
	i = kvm_check_memslot_overlap(kvm, *active, start, end, overlaps);
	if (i >= 0)
		mutex_lock(&kvm->slots_arch_lock);
	return i;
}

/* kvm_invalidate_memslot(): slots_arch_lock held, and again at the end */
static struct kvm_memory_slot *kvm_invalidate_memslot(struct kvm *kvm, u32 active, u32 i,
						      const struct kvm_memory_slot *old)
{
	struct kvm_memory_slot *invalid = slot_new(kvm, old->base_gfn, old->npages, old->hva,
						   mem_peek32(&old->flags) | KVM_MEMSLOT_INVALID);

	kvm_inherit_dirty_bitmap(kvm, invalid, old);	/* kvm_copy_memslot() */
	kvm_replace_memslot(kvm, !active, i, invalid);
	kvm_swap_active_memslots(kvm);
	kvm_arch_flush_shadow_memslot(kvm, old->base_gfn, old->base_gfn + old->npages);
	mutex_lock(&kvm->slots_arch_lock);
	return invalid;
}

/* kvm_activate_memslot(): @s (NULL: nothing) is slot @i in both sets; drops slots_arch_lock */
static void kvm_activate_memslot(struct kvm *kvm, u32 to, u32 i, struct kvm_memory_slot *s)
{
	kvm_replace_memslot(kvm, to, i, s);
	kvm_swap_active_memslots(kvm);
	kvm_replace_memslot(kvm, !to, i, s);
}

static struct kvm_memory_slot *slot_at(struct kvm *kvm, u32 set, u32 i)
{
	return (struct kvm_memory_slot *)kvm->slots[set].slot[i];
}

int kvm_delete_memslot(struct kvm *kvm, u64 start, u64 end)
{
	struct kvm_memory_slot *old, *invalid;
	int i, ret = -EINVAL;
	bool overlaps;
	u32 active;

	trace_call("kvm_delete_memslot", start);
	i = begin_change(kvm, start, end, &active, &overlaps);
	if (i >= 0) {
		old = slot_at(kvm, active, i);
		invalid = kvm_invalidate_memslot(kvm, active, i, old);
		kvm_activate_memslot(kvm, active, i, NULL);
		slot_free(invalid);
		if (old->dirty_bitmap)
			kvm_dirty_slot_gone(kvm);
		kvm_destroy_dirty_bitmap(old);
		if (is_td(kvm))
			kvm_gmem_unbind(kvm, i, old);
		slot_free(old);
		ret = 0;
	}
	mutex_unlock(&kvm->slots_lock);
	trace_return("kvm_delete_memslot", start, (u64)(s64)ret);
	return ret;
}

/* KVM_MR_MOVE: a slot on guest_memfd is immutable; the new place must be free */
int kvm_move_memslot(struct kvm *kvm, u64 start, u64 end, u64 to)
{
	struct kvm_memory_slot *old, *invalid, *s;
	bool overlaps, taken;
	int i, ret = -EINVAL;
	u32 active;

	trace_call("kvm_move_memslot", start);
	i = begin_change(kvm, start, end, &active, &overlaps);
	if (i < 0)
		goto out;
	old = slot_at(kvm, active, i);
	kvm_check_memslot_overlap(kvm, active, to, to + (end - start), &taken);
	if (is_td(kvm) || (taken && (to + (end - start) <= start || to >= end))) {
		mutex_unlock(&kvm->slots_arch_lock);
		ret = is_td(kvm) ? -EINVAL : -EEXIST;
		goto out;
	}
	invalid = kvm_invalidate_memslot(kvm, active, i, old);
	s = slot_new(kvm, to, old->npages, old->hva, mem_read32(&old->flags));
	kvm_inherit_dirty_bitmap(kvm, s, old);
	kvm_activate_memslot(kvm, active, i, s);
	slot_free(invalid);
	slot_free(old);
	ret = 0;
out:
	mutex_unlock(&kvm->slots_lock);
	trace_return("kvm_move_memslot", start, (u64)(s64)ret);
	return ret;
}

int kvm_update_flags_memslot(struct kvm *kvm, u64 start, u64 end, bool log_dirty)
{
	struct kvm_memory_slot *old, *s;
	int i, ret = -EINVAL;
	bool overlaps;
	u32 active, flags;

	trace_call("kvm_update_flags_memslot", start);
	i = begin_change(kvm, start, end, &active, &overlaps);
	if (i < 0)
		goto out;
	old = slot_at(kvm, active, i);
	flags = mem_read32(&old->flags);
	if (is_td(kvm)) {	/* guest_memfd slots know no flags but their own */
		mutex_unlock(&kvm->slots_arch_lock);
		goto out;
	}
	ret = 0;
	if (!(flags & KVM_MEM_LOG_DIRTY_PAGES) == !log_dirty) {
		mutex_unlock(&kvm->slots_arch_lock);
		goto out;
	}
	s = slot_new(kvm, old->base_gfn, old->npages, old->hva,
		     flags ^ KVM_MEM_LOG_DIRTY_PAGES);
	if (log_dirty)
		kvm_alloc_dirty_bitmap(kvm, s);
	kvm_activate_memslot(kvm, !active, i, s);
	kvm_mmu_slot_apply_flags(kvm, s, log_dirty);	/* kvm_arch_commit_memory_region() */
	kvm_destroy_dirty_bitmap(old);
	slot_free(old);
out:
	mutex_unlock(&kvm->slots_lock);
	trace_return("kvm_update_flags_memslot", start, (u64)(s64)ret);
	return ret;
}

int kvm_create_memslot(struct kvm *kvm, u64 start, u64 end)
{
	struct kvm_memory_slot *s;
	bool overlaps;
	u32 active, i;
	int ret = 0;

	mutex_lock(&kvm->slots_lock);
	active = mem_read32(&kvm->memslots);
	kvm_check_memslot_overlap(kvm, active, start, end, &overlaps);
	for (i = 0; i < KVM_MEM_SLOTS && kvm->slots[active].slot[i]; i++)
		;
	if (overlaps) {
		ret = -EEXIST;
	} else if (i == KVM_MEM_SLOTS) {
		ret = -EINVAL;
	} else {
		s = slot_new(kvm, start, end - start, start, slot_flags(kvm));
		if (is_td(kvm) && !kvm_switch(kvm, SW_GMEM_BIND_LATE))
			kvm_gmem_bind(kvm, i, s);
		mutex_lock(&kvm->slots_arch_lock);	/* kvm_set_memslot() */
		/* v7.3: kvm_gmem_commit_memory_region(), kvm_gmem_prepare_memory_region() before */
		if (is_td(kvm) && kvm_switch(kvm, SW_GMEM_BIND_LATE))
			kvm_gmem_bind(kvm, i, s);
		kvm_activate_memslot(kvm, !active, i, s);
	}
	mutex_unlock(&kvm->slots_lock);
	return ret;
}
