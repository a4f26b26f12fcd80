// SPDX-License-Identifier: GPL-2.0-only
/*
 * NX huge pages: tables that are there only because an executable page may not be huge, and
 * the worker that zaps them, so that the range can be huge again until code runs there.
 * Rests on arch/x86/kvm/mmu/mmu.c of v7.2 (kvm_recover_nx_huge_pages()) and
 * kvm_tdp_mmu_zap_possible_nx_huge_page(); under the write lock, v6.16 and before.
 *
 * Up to v6.16 one list serves the TDP and the shadow MMU, in turn; a zapped shadow page
 * waits on invalid_list until the flush at the end. From v6.18 on each has its own.
 */
#include "kvmmmu/own/guest_memfd.h"
#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/mmu.h"
#include "kvmmmu/own/tdp_mmu.h"
#include "sim/engine/mem.h"
#include "sim/engine/task.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

#define RECOVERY_RATIO	1u	/* nx_huge_pages_recovery_ratio: all of them in one go */

/* --- the list: tdp_mmu_pages_lock, or mmu_lock held for write ---------------------------- */

enum kvm_mmu_type { KVM_SHADOW_MMU, KVM_TDP_MMU };

/* Up to v6.16 there is one counter as there is one list. */
static enum kvm_mmu_type type_of(struct kvm *kvm, const struct kvm_mmu_page *sp)
{
	return sp->tdp_mmu_page || kvm_switch(kvm, SW_NX_UNDER_WRITE) ? KVM_TDP_MMU :
									KVM_SHADOW_MMU;
}

static void count_listed(struct kvm *kvm, enum kvm_mmu_type type, u64 n)
{
	u64 nr;

	if (type == KVM_TDP_MMU) {
		nr = mem_read64(&kvm->nx_nr);
		mem_write64(&kvm->nx_nr, nr + n);
	} else {
		nr = mem_read64(&kvm->nx_nr_shadow);
		mem_write64(&kvm->nx_nr_shadow, nr + n);
	}
}

void track_possible_nx_huge_page(struct kvm *kvm, struct kvm_mmu_page *sp)
{
	u64 last;

	if (mem_read32(&sp->nx_listed))
		return;
	count_listed(kvm, type_of(kvm, sp), 1);
	last = mem_read64(&kvm->nx_last);
	mem_write64(&sp->nx_prev, last);	/* list_add_tail() */
	if (last)
		mem_write64(&((struct kvm_mmu_page *)last)->nx_next, (u64)sp);
	else
		mem_write64(&kvm->nx_first, (u64)sp);
	mem_write64(&kvm->nx_last, (u64)sp);
	mem_write32(&sp->nx_listed, 1);
}

static void untrack(struct kvm *kvm, struct kvm_mmu_page *sp, enum kvm_mmu_type type)
{
	u64 prev, next;

	if (!mem_read32(&sp->nx_listed))
		return;
	count_listed(kvm, type, -1ull);
	prev = mem_read64(&sp->nx_prev);
	next = mem_read64(&sp->nx_next);
	if (prev)
		mem_write64(&((struct kvm_mmu_page *)prev)->nx_next, next);
	else
		mem_write64(&kvm->nx_first, next);
	if (next)
		mem_write64(&((struct kvm_mmu_page *)next)->nx_prev, prev);
	else
		mem_write64(&kvm->nx_last, prev);
	mem_write64(&sp->nx_prev, 0);
	mem_write64(&sp->nx_next, 0);
	mem_write32(&sp->nx_listed, 0);
}

void untrack_possible_nx_huge_page(struct kvm *kvm, struct kvm_mmu_page *sp)
{
	untrack(kvm, sp, type_of(kvm, sp));
}

/*
 * unaccount_nx_huge_page() of the first one; NULL: the list is empty. From v6.18 to v7.3 at least
 * it lowers the shadow MMU's counter, whosever page it is (G15).
 */
static struct kvm_mmu_page *take_first(struct kvm *kvm)
{
	struct kvm_mmu_page *sp = (struct kvm_mmu_page *)mem_read64(&kvm->nx_first);

	if (!sp)
		return NULL;
	kvm_warn_on(!mem_read32(&sp->nx_disallowed), sp->gfn,
		    "a page on the NX list does not keep a huge page away");
	mem_write32(&sp->nx_disallowed, 0);
	untrack(kvm, sp, kvm_switch(kvm, SW_NX_UNDER_WRITE) ? KVM_TDP_MMU : KVM_SHADOW_MMU);
	return sp;
}

/*
 * Of both lists, which are one here (K6). The TDP MMU's counter has each of its pages that was
 * recovered once too often, as in Linux; the other one, where it is below 0, is of no page (G15).
 */
static u64 nx_huge_pages_to_zap(struct kvm *kvm)
{
	u64 nr = mem_read64(&kvm->nx_nr), shadow;

	shadow = mem_read64(&kvm->nx_nr_shadow);
	if ((s64)shadow > 0)
		nr += shadow;
	return (nr + RECOVERY_RATIO - 1) / RECOVERY_RATIO;
}

static bool kvm_mmu_sp_dirty_logging_enabled(struct kvm *kvm, const struct kvm_mmu_page *sp)
{
	struct kvm_memory_slot *slot = kvm_gfn_to_memslot(kvm, sp->gfn);

	if (kvm_warn_on(!slot && kvm_switch(kvm, SW_NX_UNDER_WRITE), sp->gfn,
			"a possible NX huge page has no memslot"))
		return false;
	return slot && (mem_read32(&slot->flags) & KVM_MEM_LOG_DIRTY_PAGES);
}

/* --- the shadow MMU, as far as the worker meets it ---------------------------------------- */

/*
 * A page of it is here a table that nothing links to: what counts is that its zap is followed
 * by a flush before it is freed (kvm_mmu_prepare_zap_page(), kvm_mmu_commit_zap_page()).
 */
void nx_shadow_page(struct kvm *kvm, u64 gfn)
{
	struct kvm_mmu_page *sp = world_alloc(sizeof(*sp));
	u64 hpa = page_alloc();

	mmu_init_shadow_page(hpa);
	tdp_mmu_init_sp(kvm, sp, hpa, gfn_round_for_level(gfn, PG_LEVEL_2M), PG_LEVEL_4K, false);
	world_set(sp->tdp_mmu_page, false);
	kvm_mmu_lock(kvm, false, gfn, gfn + 1);
	spin_lock(&kvm->tdp_mmu_pages_lock);
	mem_write32(&sp->nx_disallowed, 1);	/* account_nx_huge_page() */
	track_possible_nx_huge_page(kvm, sp);
	spin_unlock(&kvm->tdp_mmu_pages_lock);
	kvm_mmu_unlock(kvm, false, gfn, gfn + 1);
}

/* kvm_mmu_remote_flush_or_zap() */
static void flush_or_zap(struct kvm *kvm, struct kvm_mmu_page **invalid, bool flush)
{
	struct kvm_mmu_page *sp = *invalid;

	if (sp || flush)
		kvm_flush_remote_tlbs(kvm);
	while (sp) {
		struct kvm_mmu_page *next = (struct kvm_mmu_page *)mem_read64(&sp->link);

		tdp_mmu_free_unused_sp(sp);
		sp = next;
	}
	*invalid = NULL;
}

static void prepare_zap_shadow(struct kvm *kvm, struct kvm_mmu_page *sp,
			       struct kvm_mmu_page **invalid)
{
	mem_write64(&sp->link, (u64)*invalid);
	*invalid = sp;
	kvm_owes_flush(kvm);
}

/* kvm_mmu_zap_all(), as far as there are any; mmu_lock held for write */
void nx_zap_shadow_pages(struct kvm *kvm)
{
	struct kvm_mmu_page *sp, *next, *invalid = NULL;

	for (sp = (struct kvm_mmu_page *)mem_read64(&kvm->nx_first); sp; sp = next) {
		next = (struct kvm_mmu_page *)mem_read64(&sp->nx_next);
		if (sp->tdp_mmu_page)
			continue;
		untrack_possible_nx_huge_page(kvm, sp);
		prepare_zap_shadow(kvm, sp, &invalid);
	}
	flush_or_zap(kvm, &invalid, false);
}

/* --- one table ------------------------------------------------------------------------------ */

/*
 * kvm_tdp_mmu_zap_possible_nx_huge_page(), v6.18 on: others change entries meanwhile, so what
 * stands there must still be this table (G13; the mutation nx-recovery-tests-present asks only
 * whether something does).
 */
static bool kvm_tdp_mmu_zap_possible_nx_huge_page(struct kvm *kvm, struct kvm_mmu_page *sp)
{
	struct tdp_iter iter = { .sptep = sp->ptep, .level = sp->level + 1, .gfn = sp->gfn };

	if (kvm_warn_on(!sp->ptep, sp->gfn, "a root on the NX list"))
		return false;
	iter.old_spte = mem_read64(sp->ptep);
	if (!is_shadow_present_pte(iter.old_spte))
		return false;
	if (!kvm_switch(kvm, SW_NX_TESTS_PRESENT) && spte_to_child_pt(iter.old_spte) != sp->spt)
		return false;
	if (tdp_mmu_set_spte_atomic(kvm, &iter, SHADOW_NONPRESENT_VALUE)) {
		kvm_warn_on(is_shadow_present_pte(iter.old_spte) &&
			    spte_to_child_pt(iter.old_spte) == sp->spt, sp->gfn,
			    "a table's entry changed and is still the table's");
		return false;
	}
	return true;
}

/* kvm_tdp_mmu_zap_sp(), v6.16: everybody else is locked out */
static bool kvm_tdp_mmu_zap_sp(struct kvm *kvm, struct kvm_mmu_page *sp)
{
	struct tdp_iter iter = { .sptep = sp->ptep, .level = sp->level + 1, .gfn = sp->gfn };

	if (kvm_warn_on(!sp->ptep, sp->gfn, "a root on the NX list"))
		return false;
	iter.old_spte = mem_read64(sp->ptep);
	if (kvm_warn_on(!is_shadow_present_pte(iter.old_spte), sp->gfn,
			"a table on the NX list is not linked"))
		return false;
	tdp_mmu_iter_set_spte(kvm, &iter, SHADOW_NONPRESENT_VALUE);
	return true;
}

/*
 * G01, before v5.12: the table's range was zapped by the walk that may yield, which drops the
 * lock with the flush of what was zapped before it still owed.
 */
static bool zap_with_yield(struct kvm *kvm, struct kvm_mmu_page *sp)
{
	u64 end = sp->gfn + kvm_pages_per_hpage(sp->level + 1);
	bool zapped = false;
	struct kvm_mmu_page *root;
	struct tdp_iter iter;

	for_each_tdp_mmu_root_yield_safe(kvm, root, KVM_DIRECT_ROOTS) {
		for_each_tdp_pte_min_level(iter, root, sp->level + 1, sp->gfn, end) {
			tdp_iter_forget(&iter, zapped);
			if (tdp_mmu_iter_cond_resched(kvm, &iter, false, false, sp->gfn, end))
				continue;
			if (!is_shadow_present_pte(iter.old_spte) || iter.level > sp->level + 1)
				continue;
			tdp_mmu_iter_zap(kvm, &iter, false);
			zapped = true;
		}
	}
	return zapped;
}

/* --- the worker: kvm_nx_huge_page_recovery_worker() ----------------------------------------- */

static bool zap_one(struct kvm *kvm, struct kvm_mmu_page *sp, struct kvm_mmu_page **invalid)
{
	bool zapped;

	if (!sp->tdp_mmu_page) {
		prepare_zap_shadow(kvm, sp, invalid);
		return false;
	}
	if (kvm_mmu_sp_dirty_logging_enabled(kvm, sp))
		return false;
	if (kvm_switch(kvm, SW_NX_YIELDS))
		zapped = zap_with_yield(kvm, sp);
	else if (kvm_switch(kvm, SW_NX_UNDER_WRITE))
		zapped = kvm_tdp_mmu_zap_sp(kvm, sp);
	else
		zapped = kvm_tdp_mmu_zap_possible_nx_huge_page(kvm, sp);
	if (zapped)
		kvm_owes_flush(kvm);
	return zapped;
}

void kvm_recover_nx_huge_pages(struct kvm *kvm)
{
	bool shared = !kvm_switch(kvm, SW_NX_UNDER_WRITE), flush = false;
	struct kvm_mmu_page *invalid = NULL, *sp;
	u64 to_zap = nx_huge_pages_to_zap(kvm);
	int idx = srcu_read_lock(&kvm->srcu);

	trace_call0("kvm_recover_nx_huge_pages");
	kvm_mmu_lock(kvm, shared, 0, kvm->gfns);
	rcu_read_lock();
	for (; to_zap; to_zap--) {
		if (shared)
			spin_lock(&kvm->tdp_mmu_pages_lock);
		sp = take_first(kvm);
		if (shared)
			spin_unlock(&kvm->tdp_mmu_pages_lock);
		if (!sp)
			break;
		if (kvm_switch(kvm, SW_NX_FLUSH_OVERWRITTEN))	/* G02 */
			flush = zap_one(kvm, sp, &invalid);
		else
			flush |= zap_one(kvm, sp, &invalid);
		if (!need_resched()) {
			if (!rwlock_needbreak(&kvm->mmu_lock))
				continue;
		}
		flush_or_zap(kvm, &invalid, flush);
		rcu_read_unlock();
		kvm_mmu_unlock(kvm, shared, 0, kvm->gfns);
		cond_resched();
		kvm_mmu_lock(kvm, shared, 0, kvm->gfns);
		flush = false;
		rcu_read_lock();
	}
	flush_or_zap(kvm, &invalid, flush);
	rcu_read_unlock();
	kvm_mmu_unlock(kvm, shared, 0, kvm->gfns);
	srcu_read_unlock(&kvm->srcu, idx);
	trace_return0("kvm_recover_nx_huge_pages", 0);
}
