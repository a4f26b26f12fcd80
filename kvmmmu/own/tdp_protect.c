// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entries that stay and lose something: aging, write protection, dirty bits; leaves that are
 * split, and tables that become leaves again. Rests on arch/x86/kvm/mmu/tdp_mmu.c of v7.2.
 */
#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/mmu.h"
#include "kvmmmu/own/tdp_mmu.h"
#include "sim/engine/hash.h"
#include "sim/engine/clock.h"
#include "sim/engine/mem.h"
#include "sim/engine/task.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

#include <errno.h>

static bool is_leaf(const struct tdp_iter *iter)
{
	return is_shadow_present_pte(iter->old_spte) && is_last_spte(iter->old_spte, iter->level);
}

static u64 slot_end(const struct kvm_memory_slot *slot)
{
	return slot->base_gfn + slot->npages;
}

/* --- aging ------------------------------------------------------------------------------ */

/*
 * kvm_tdp_mmu_age_spte(): whoever changed it meanwhile has removed or used the page. Up to
 * v6.16 the bit went by a LOCKed AND, which needs no second look (V15).
 */
static void kvm_tdp_mmu_age_spte(struct kvm *kvm, struct tdp_iter *iter)
{
	if (kvm_warn_on(sptep_to_sp(iter->sptep)->is_mirror, iter->gfn, "aging a mirror SPTE"))
		return;
	if (kvm_switch(kvm, SW_AGE_FETCH_AND) && spte_ad_enabled(kvm->spte, iter->old_spte))
		mem_and64(iter->sptep, ~SPTE_ACCESSED);
	else
		mem_cmpxchg64(iter->sptep, iter->old_spte,
			      mark_spte_for_access_track(kvm->spte, iter->old_spte));
}

/*
 * The direct roots alone (KVM_FILTER_SHARED). @test_only: the first young one is the answer, and
 * nothing is written.
 */
static bool __kvm_tdp_mmu_age_gfn_range(struct kvm *kvm, u64 start, u64 end, bool test_only)
{
	struct kvm_mmu_page *root;
	struct tdp_iter iter;
	bool young = false;

	rcu_read_lock();
	for_each_tdp_mmu_root(kvm, root, KVM_DIRECT_ROOTS) {
		for_each_tdp_pte_min_level(iter, root, PG_LEVEL_4K, start, end) {
			if (!is_leaf(&iter) || !is_accessed_spte(iter.old_spte))
				continue;
			young = true;
			if (test_only)
				goto out;
			kvm_tdp_mmu_age_spte(kvm, &iter);
		}
	}
out:
	rcu_read_unlock();
	return young;
}

bool kvm_tdp_mmu_age_gfn_range(struct kvm *kvm, u64 start, u64 end)
{
	return __kvm_tdp_mmu_age_gfn_range(kvm, start, end, false);
}

bool kvm_tdp_mmu_test_age_gfn(struct kvm *kvm, u64 start, u64 end)
{
	return __kvm_tdp_mmu_age_gfn_range(kvm, start, end, true);
}

/* --- write protection, dirty bits ---------------------------------------------------------- */

/* the W bit goes from leaves at or above @min_level */
static bool wrprot_gfn_range(struct kvm *kvm, struct kvm_mmu_page *root, u64 start, u64 end,
			     u8 min_level)
{
	struct tdp_iter iter;
	bool changed = false;

	rcu_read_lock();
	for_each_tdp_pte_min_level(iter, root, min_level, start, end) {
retry:
		tdp_iter_forget(&iter, changed);
		if (tdp_mmu_iter_cond_resched(kvm, &iter, false, true, start, end))
			continue;
		if (!is_leaf(&iter) || !(iter.old_spte & SPTE_WRITABLE))
			continue;
		if (tdp_mmu_set_spte_atomic(kvm, &iter, iter.old_spte & ~SPTE_WRITABLE))
			goto retry;
		changed = true;
	}
	rcu_read_unlock();
	return changed;
}

bool kvm_tdp_mmu_wrprot_slot(struct kvm *kvm, const struct kvm_memory_slot *slot, u8 min_level)
{
	struct kvm_mmu_page *root;
	bool changed = false;

	lockdep_assert_held_read(&kvm->mmu_lock);
	for_each_tdp_mmu_root_yield_safe(kvm, root, KVM_VALID_ROOTS) {
		changed |= wrprot_gfn_range(kvm, root, slot->base_gfn, slot_end(slot), min_level);
	}
	return changed;
}

/* tdp_mmu_clear_spte_bits_atomic() is the LOCKed AND: taken where the processor or a fast fault may write, too */
static void tdp_mmu_clear_spte_bits(struct kvm *kvm, struct tdp_iter *iter, u64 bits)
{
	if (spte_needs_atomic_update(kvm->spte, iter->old_spte, iter->level))
		mem_and64(iter->sptep, ~bits);
	else
		mem_write64(iter->sptep, iter->old_spte & ~bits);
}

/*
 * tdp_mmu_need_write_protect(): without accessed and dirty bits the processor tells nothing. (The
 * pages of nested guests, whose log would have the wrong addresses, are not there.)
 */
static u64 dirty_bit(const struct kvm *kvm, bool wrprot)
{
	return wrprot || !kvm->ad_enabled ? SPTE_WRITABLE : SPTE_DIRTY;
}

static void clear_dirty_gfn_range(struct kvm *kvm, struct kvm_mmu_page *root, u64 start, u64 end)
{
	u64 bit = dirty_bit(kvm, false);
	struct tdp_iter iter;

	rcu_read_lock();
	for_each_tdp_pte_min_level(iter, root, PG_LEVEL_4K, start, end) {
retry:
		tdp_iter_forget(&iter, 0);
		if (!is_leaf(&iter))
			continue;
		if (tdp_mmu_iter_cond_resched(kvm, &iter, false, true, start, end))
			continue;
		if (!(iter.old_spte & bit))
			continue;
		if (tdp_mmu_set_spte_atomic(kvm, &iter, iter.old_spte & ~bit))
			goto retry;
	}
	rcu_read_unlock();
}

void kvm_tdp_mmu_clear_dirty_slot(struct kvm *kvm, const struct kvm_memory_slot *slot)
{
	struct kvm_mmu_page *root;

	lockdep_assert_held_read(&kvm->mmu_lock);
	for_each_tdp_mmu_root_yield_safe(kvm, root, KVM_VALID_ROOTS) {
		clear_dirty_gfn_range(kvm, root, slot->base_gfn, slot_end(slot));
	}
}

static void clear_dirty_pt_masked(struct kvm *kvm, struct kvm_mmu_page *root, u64 gfn, u64 mask,
				  bool wrprot)
{
	u64 bit = dirty_bit(kvm, wrprot), start = gfn + (u64)__builtin_ctzll(mask);
	struct tdp_iter iter;

	rcu_read_lock();
	for_each_tdp_pte_min_level(iter, root, PG_LEVEL_4K, start, gfn + 64) {
		if (!mask)
			break;
		if (!is_leaf(&iter) || iter.level > PG_LEVEL_4K ||
		    !(mask >> (iter.gfn - gfn) & 1))
			continue;
		mask &= ~BIT_ULL(iter.gfn - gfn);
		if (iter.old_spte & bit)
			tdp_mmu_clear_spte_bits(kvm, &iter, bit);
	}
	rcu_read_unlock();
}

void kvm_tdp_mmu_clear_dirty_pt_masked(struct kvm *kvm, u64 gfn, u64 mask, bool wrprot)
{
	struct kvm_mmu_page *root;

	lockdep_assert_held_write(&kvm->mmu_lock);
	for_each_tdp_mmu_root(kvm, root, KVM_VALID_ROOTS) {
		clear_dirty_pt_masked(kvm, root, gfn, mask, wrprot);
	}
}

/* MMU-writable goes, too: a fast page fault must not make it writable again. */
static bool write_protect_gfn(struct kvm *kvm, struct kvm_mmu_page *root, u64 gfn, u8 min_level)
{
	struct tdp_iter iter;
	bool changed = false;
	u64 new;

	rcu_read_lock();
	for_each_tdp_pte_min_level(iter, root, min_level, gfn, gfn + 1) {
		if (!is_leaf(&iter))
			continue;
		new = iter.old_spte & ~(SPTE_WRITABLE | kvm->spte->mmu_writable);
		if (new == iter.old_spte)
			break;
		tdp_mmu_iter_set_spte(kvm, &iter, new);
		changed = true;
	}
	rcu_read_unlock();
	return changed;
}

bool kvm_tdp_mmu_write_protect_gfn(struct kvm *kvm, u64 gfn, u8 min_level)
{
	struct kvm_mmu_page *root;
	bool changed = false;

	lockdep_assert_held_write(&kvm->mmu_lock);
	for_each_tdp_mmu_root(kvm, root, KVM_VALID_ROOTS) {
		changed |= write_protect_gfn(kvm, root, gfn, min_level);
	}
	return changed;
}

/* --- split -------------------------------------------------------------------------------- */

static struct kvm_mmu_page *tdp_mmu_alloc_sp_for_split(u64 *hpa)
{
	struct kvm_mmu_page *sp = world_alloc(sizeof(*sp));

	*hpa = page_alloc();
	sim_charge(COST_PAGE_CLEAR_4K, 1);
	return sp;
}

static void mmu_relock(struct kvm *kvm, bool shared, u64 start, u64 end, u64 *hpa,
		       struct kvm_mmu_page **sp)
{
	rcu_read_unlock();
	kvm_mmu_unlock(kvm, shared, start, end);
	*sp = tdp_mmu_alloc_sp_for_split(hpa);
	kvm_mmu_lock(kvm, shared, start, end);
	rcu_read_lock();
}

/* tdp_mmu_split_huge_pages_root(): a table is allocated with the lock dropped, as if it yielded */
static void tdp_mmu_split_huge_pages_root(struct kvm *kvm, struct kvm_mmu_page *root, u64 start, u64 end,
		       u8 target_level, bool shared)
{
	struct kvm_mmu_page *sp = NULL;
	struct tdp_iter iter;
	u64 hpa = 0;

	rcu_read_lock();
	for_each_tdp_pte_min_level(iter, root, target_level + 1, start, end) {
retry:
		tdp_iter_forget(&iter, hash_fold(hpa, sp ? 1 : 2, sp && sp->spt));
		if (tdp_mmu_iter_cond_resched(kvm, &iter, false, shared, start, end))
			continue;
		if (!is_shadow_present_pte(iter.old_spte) || !is_large_pte(iter.old_spte))
			continue;
		if (!sp) {
			mmu_relock(kvm, shared, start, end, &hpa, &sp);
			iter.yielded = true;
			continue;
		}
		if (!sp->spt)
			tdp_mmu_init_child_sp(sp, hpa, &iter);
		if (tdp_mmu_split_huge_page(kvm, &iter, sp, shared))
			goto retry;
		sp = NULL;
	}
	rcu_read_unlock();
	if (!sp)
		return;
	if (sp->spt) {
		tdp_mmu_free_unused_sp(sp);
		return;
	}
	page_free(hpa);
	world_free(sp, sizeof(*sp));
}

void kvm_tdp_mmu_try_split_huge_pages(struct kvm *kvm, u64 start, u64 end, u8 target_level,
				      bool shared)
{
	struct kvm_mmu_page *root;

	for_each_tdp_mmu_root_yield_safe(kvm, root, KVM_VALID_ROOTS) {
		tdp_mmu_split_huge_pages_root(kvm, root, start, end, target_level, shared);
	}
}

/* --- recover ------------------------------------------------------------------------------ */

/*
 * tdp_mmu_make_huge_spte(): the first leaf below says which page it is. -EAGAIN: somebody wants
 * the lock, by the parent's measure of progress; -ENOENT: there is no leaf
 */
static int tdp_mmu_make_huge_spte(struct kvm *kvm, struct tdp_iter *parent, u64 *huge)
{
	struct kvm_mmu_page *below = spte_to_child_sp(parent->old_spte);
	u64 end = parent->gfn + kvm_pages_per_hpage(parent->level);
	struct tdp_iter iter;

	for_each_tdp_pte_min_level(iter, below, PG_LEVEL_4K, parent->gfn, end) {
		if (!is_leaf(&iter))
			continue;
		if (tdp_mmu_iter_need_resched(kvm, parent))
			return -EAGAIN;
		*huge = make_huge_spte(kvm->spte, iter.old_spte, parent->level,
				       kvm->nx_huge_pages);
		return 0;
	}
	return -ENOENT;
}

/* recover_huge_pages_range(): the leaf is put in the table's place, without a zap between */
static void recover_huge_pages_range(struct kvm *kvm, struct kvm_mmu_page *root,
			  const struct kvm_memory_slot *slot)
{
	u64 start = slot->base_gfn, end = slot_end(slot), huge, was;
	struct tdp_iter iter;
	bool flush = false;
	int r;

	rcu_read_lock();
	for_each_tdp_pte_min_level(iter, root, PG_LEVEL_2M, start, end) {
retry:
		tdp_iter_forget(&iter, flush);
		if (tdp_mmu_iter_cond_resched(kvm, &iter, flush, true, start, end)) {
			flush = false;
			continue;
		}
		if (iter.level > KVM_MAX_HUGEPAGE_LEVEL || !is_shadow_present_pte(iter.old_spte) ||
		    is_last_spte(iter.old_spte, iter.level) || iter.gfn < start)
			continue;
		if (kvm_mmu_max_mapping_level(kvm, NULL, slot, iter.gfn) < iter.level)
			continue;
		r = tdp_mmu_make_huge_spte(kvm, &iter, &huge);
		if (r == -EAGAIN)
			goto retry;
		if (r)
			continue;
		was = kvm_within(kvm);
		r = tdp_mmu_set_spte_atomic(kvm, &iter, huge);
		kvm_without(kvm, was);
		if (r)
			goto retry;
		flush = true;
		kvm_owes_flush(kvm);
	}
	if (flush)	/* kvm_flush_remote_tlbs_memslot(); the tables go after it, with RCU */
		kvm_flush_remote_tlbs(kvm);
	rcu_read_unlock();
}

void kvm_tdp_mmu_recover_huge_pages(struct kvm *kvm, const struct kvm_memory_slot *slot)
{
	struct kvm_mmu_page *root;

	lockdep_assert_held_read(&kvm->mmu_lock);
	for_each_tdp_mmu_root_yield_safe(kvm, root, KVM_VALID_ROOTS) {
		recover_huge_pages_range(kvm, root, slot);
	}
}

/* kvm_tdp_mmu_get_walk(), too: of a walk the last entry is wanted */
/* --- lockless ------------------------------------------------------------------------------ */

u64 *kvm_tdp_mmu_fast_pf_get_last_sptep(struct kvm_vcpu *vcpu, u64 gfn, u64 *spte)
{
	u64 *sptep = NULL;
	struct tdp_iter iter;

	for_each_tdp_pte_min_level(iter, vcpu->root, PG_LEVEL_4K, gfn, gfn + 1) {
		*spte = iter.old_spte;
		sptep = iter.sptep;
	}
	return sptep;
}
