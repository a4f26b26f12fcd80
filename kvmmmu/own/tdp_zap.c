// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks that take leaves down, and when they give way. Rests on
 * arch/x86/kvm/mmu/tdp_mmu.c of v7.2.
 */
#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/tdp_mmu.h"
#include "sim/engine/mem.h"
#include "sim/engine/task.h"
#include "sim/engine/trace.h"

/*
 * Forward progress: a walk that yields must have got further since the last time, else two
 * of them give way to each other for ever (G04, the mutation yield-without-progress).
 */
bool tdp_mmu_iter_need_resched(struct kvm *kvm, struct tdp_iter *iter)
{
	if (!need_resched()) {
		if (!rwlock_needbreak(&kvm->mmu_lock))
			return false;
	}
	return kvm_switch(kvm, SW_YIELD_WITHOUT_PROGRESS) ||
	       iter->next_last_level_gfn != iter->yielded_gfn;
}

/* What is owed is flushed before the lock is dropped (G01, G03). */
bool tdp_mmu_iter_cond_resched(struct kvm *kvm, struct tdp_iter *iter, bool flush, bool shared,
			       u64 from, u64 to)
{
	if (!tdp_mmu_iter_need_resched(kvm, iter))
		return false;
	if (flush)
		kvm_flush_remote_tlbs(kvm);
	rcu_read_unlock();
	kvm_mmu_unlock(kvm, shared, from, to);
	cond_resched();
	kvm_mmu_lock(kvm, shared, from, to);
	rcu_read_lock();
	iter->yielded = true;
	return true;
}

bool tdp_mmu_iter_zap(struct kvm *kvm, struct tdp_iter *iter, bool shared)
{
	u64 was = kvm_within(kvm);
	bool zapped = true;

	if (!shared)
		tdp_mmu_iter_set_spte(kvm, iter, SHADOW_NONPRESENT_VALUE);
	else
		zapped = !tdp_mmu_set_spte_atomic(kvm, iter, SHADOW_NONPRESENT_VALUE);
	kvm_without(kvm, was);
	return zapped;
}

/*
 * tdp_mmu_zap_leafs() - empty the leaves of [start, end), one at a time; never a table.
 * Under zap-under-read with the RO writer, as tdp_mmu_zap_root() does: again until the
 * entry is gone. What it finds frozen is not present to it and is passed by.
 */
static bool tdp_mmu_zap_leafs(struct kvm *kvm, struct kvm_mmu_page *root, u64 start, u64 end,
			      bool can_yield, bool flush)
{
	bool shared = kvm_zap_shared(kvm);
	struct tdp_iter iter;

	trace_call("tdp_mmu_zap_leafs", start);
	if (!shared)	/* kvm_lockdep_assert_mmu_lock_held() */
		lockdep_assert_held_write(&kvm->mmu_lock);
	rcu_read_lock();
	for_each_tdp_pte_min_level(iter, root, PG_LEVEL_4K, start, end) {
retry:
		tdp_iter_forget(&iter, flush);
		if (can_yield && tdp_mmu_iter_cond_resched(kvm, &iter, flush, shared, start, end)) {
			flush = false;
			continue;
		}
		if (!is_shadow_present_pte(iter.old_spte) ||
		    !is_last_spte(iter.old_spte, iter.level))
			continue;
		if (!tdp_mmu_iter_zap(kvm, &iter, shared))
			goto retry;
		/* Nobody uses an invalid root without having flushed: see kvm_mmu_load(). */
		if (!mem_read32(&root->invalid)) {
			flush = true;
			kvm_owes_flush(kvm);
		}
	}
	rcu_read_unlock();
	trace_return("tdp_mmu_zap_leafs", start, flush);
	return flush;
}

enum kvm_tdp_mmu_root_types kvm_gfn_range_filter_to_root_types(const struct kvm *kvm, u32 filter)
{
	enum kvm_tdp_mmu_root_types types = 0;

	if (!is_td(kvm))	/* kvm_has_mirrored_tdp() */
		return KVM_DIRECT_ROOTS;
	if (filter & KVM_FILTER_PRIVATE)
		types |= KVM_MIRROR_ROOTS;
	if (filter & KVM_FILTER_SHARED)
		types |= KVM_DIRECT_ROOTS;
	return types;
}

/*
 * Also in roots that are invalid: they may still be in use, or be in the middle of their
 * own zap, and the page is about to go (G12, the mutation notifier-skips-invalid-roots).
 */
bool kvm_tdp_mmu_unmap_gfn_range(struct kvm *kvm, u64 start, u64 end, u32 filter,
				 bool may_block, bool flush)
{
	enum kvm_tdp_mmu_root_types types = kvm_gfn_range_filter_to_root_types(kvm, filter);
	struct kvm_mmu_page *root;

	if (!kvm_switch(kvm, SW_NOTIFIER_SKIPS_INVALID))
		types |= KVM_INVALID_ROOTS;
	for_each_tdp_mmu_root_yield_safe(kvm, root, types) {
		flush = tdp_mmu_zap_leafs(kvm, root, start, end, may_block, flush);
	}
	return flush;
}

bool kvm_tdp_mmu_zap_leafs(struct kvm *kvm, u64 start, u64 end, bool flush)
{
	struct kvm_mmu_page *root;

	for_each_tdp_mmu_root_yield_safe(kvm, root, KVM_VALID_ROOTS) {
		if (kvm_switch(kvm, SW_FLUSH_LOST_ACROSS_ROOTS))	/* G03: as if the first */
			flush = false;
		flush = tdp_mmu_zap_leafs(kvm, root, start, end, true, flush);
	}
	return flush;
}
