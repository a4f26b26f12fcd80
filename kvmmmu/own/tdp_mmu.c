// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entries and tables: the two writers, tables that are made, linked, split and removed, and
 * the map of a fault. Rests on arch/x86/kvm/mmu/tdp_mmu.c of v6.16 and v7.2;
 * SW_EXT_IN_CMPXCHG is the order of v6.16 (rows V2-V6 of docs/model.md).
 */
#include "kvmmmu/own/tdp_mmu.h"

#include <errno.h>

#include "kvmmmu/own/dirty_log.h"
#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/mmu.h"
#include "kvmmmu/own/policy.h"
#include "kvmmmu/own/regions.h"
#include "kvmmmu/own/tdx.h"
#include "sim/engine/check.h"
#include "sim/engine/mem.h"
#include "sim/engine/sim.h"
#include "sim/engine/task.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

static int __handle_changed_spte(struct kvm *kvm, struct kvm_mmu_page *sp, u64 gfn, u64 old,
				 u64 new, u8 level, bool shared);

/* An upper entry stands for its whole range: nobody is quiescent there meanwhile. */
static void own_entry(struct kvm *kvm, const struct kvm_mmu_page *sp, u64 gfn, u8 level, bool own)
{
	u64 from = gfn_round_for_level(gfn, level);
	u64 to = MIN(from + kvm_pages_per_hpage(level), kvm->gfns);

	if (level == PG_LEVEL_4K || !sp->is_mirror)
		return;
	if (own)
		trace_own(kvm->name, from, to);
	else
		trace_disown(kvm->name, from, to);
}

/*
 * Nobody walks here any more, and the S-EPT page went before. What is still present here
 * nobody will ever take down (kvm_mmu_check_sptes_at_free() of CONFIG_KVM_PROVE_MMU).
 */
void tdp_mmu_free_sp_rcu_callback(void *arg)
{
	struct kvm_mmu_page *sp = arg;
	char where[24];
	u32 i;

	kvm_warn_on(sp->external_spt, sp->gfn, "external_spt of a freed page table");
	for (i = 0; i < 512; i++) {
		u64 spte = mem_peek64(&sp->spt[i]);

		if (!is_shadow_present_pte(spte))
			continue;
		check_fail("page-leak", kvm_where(sp->gfn + i * kvm_pages_per_hpage(sp->level),
						  where, sizeof(where)),
			   "a page table is freed with a present entry 0x%llx in it",
			   (unsigned long long)spte);
		break;
	}
	if (sp->region)
		region_remove(sp->region);
	if (!sp->ptep)
		kvm_forget_region(&sp->invalid);
	kvm_page_set_private(sp->hpa, 0);
	page_free(sp->hpa);
	world_free(sp, sizeof(*sp));
}

/* tdp_mmu_free_unused_sp(), __tdp_mmu_free_sp() - its S-EPT page was never the module's */
void tdp_mmu_free_unused_sp(struct kvm_mmu_page *sp)
{
	region_remove(sp->region);
	kvm_page_set_private(sp->hpa, 0);
	page_free(sp->hpa);
	if (sp->external_spt)
		page_free(sp->external_spt);
	world_free(sp, sizeof(*sp));
}

void tdp_mmu_init_sp(struct kvm *kvm, struct kvm_mmu_page *sp, u64 hpa, u64 gfn, u8 level,
		     bool mirror)
{
	struct region r = {
		.type = mirror ? &mirror_region : &direct_region,
		.base = phys_to_ptr(hpa),
		.count = 512, .stride = 8, .size = 8,
		.level = level,
		.index = gfn,
		.step = kvm_pages_per_hpage(level),
		.owner = kvm->name,
	};

	world_set(sp->kvm, kvm);
	world_set(sp->hpa, hpa);
	world_set(sp->spt, (u64 *)phys_to_ptr(hpa));
	world_set(sp->gfn, gfn);
	world_set(sp->level, level);
	world_set(sp->is_mirror, mirror);
	world_set(sp->tdp_mmu_page, true);
	world_set(sp->region, region_add(&r));
	kvm_page_set_private(hpa, (u64)sp);
}

void tdp_mmu_init_child_sp(struct kvm_mmu_page *sp, u64 hpa, struct tdp_iter *iter)
{
	const struct kvm_mmu_page *parent = sptep_to_sp(iter->sptep);

	tdp_mmu_init_sp(parent->kvm, sp, hpa, iter->gfn, iter->level - 1, parent->is_mirror);
	world_set(sp->ptep, iter->sptep);
}

void kvm_mmu_lock(struct kvm *kvm, bool shared, u64 from, u64 to)
{
	if (shared)
		read_lock(&kvm->mmu_lock);
	else
		write_lock(&kvm->mmu_lock);
	trace_own(kvm->name, from, to);
}

void kvm_owes_flush(struct kvm *kvm)
{
	world_set(kvm->flush_owed[actor_self()->id], 1);
}

void kvm_mmu_unlock(struct kvm *kvm, bool shared, u64 from, u64 to)
{
	char where[24];
	u16 me = actor_self()->id;

	if (kvm->flush_owed[me]) {
		world_set(kvm->flush_owed[me], 0);
		check_fail("flush-owed", kvm_where(from, where, sizeof(where)),
			   "mmu_lock is dropped before the TLB flush that a zap owes");
	}
	trace_disown(kvm->name, from, to);
	if (shared)
		read_unlock(&kvm->mmu_lock);
	else
		write_unlock(&kvm->mmu_lock);
}

/* --- the module's side of an entry --------------------------------------------------- */

/* tdp_mmu_unlink_sp() - a table that went is none that keeps a huge page away */
static void tdp_mmu_unlink_sp(struct kvm *kvm, struct kvm_mmu_page *sp)
{
	if (!mem_read32(&sp->nx_disallowed))
		return;
	spin_lock(&kvm->tdp_mmu_pages_lock);
	mem_write32(&sp->nx_disallowed, 0);
	untrack_possible_nx_huge_page(kvm, sp);
	spin_unlock(&kvm->tdp_mmu_pages_lock);
}

/* __kvm_tdp_mmu_write_spte(), kvm_tdp_mmu_write_spte_atomic(): which of the two is needed */
u64 kvm_tdp_mmu_write_spte(struct kvm *kvm, u64 *sptep, u64 old, u64 new, u8 level)
{
	if (spte_needs_atomic_update(kvm->spte, old, level))
		return mem_xchg64(sptep, new);
	mem_write64(sptep, new);
	return old;
}

/*
 * handle_removed_pt() - the table was unlinked: freeze each entry, take down what is
 * below, hand the S-EPT page back, free the mirror page after a grace period. A lockless
 * reader may be in it until then.
 */
static void handle_removed_pt(struct kvm *kvm, u64 *pt, bool shared)
{
	struct kvm_mmu_page *sp = sptep_to_sp(pt);
	u64 frozen = kvm->spte->frozen;
	int i;

	trace_call("handle_removed_pt", sp->gfn);
	tdp_mmu_unlink_sp(kvm, sp);
	for (i = 0; i < 512; i++) {
		u64 *sptep = pt + i, gfn = sp->gfn + i * kvm_pages_per_hpage(sp->level), old;

		if (shared) {
			for (;;) {	/* waits for an owner that has it frozen (G14) */
				kvm_forget(kvm, LOOP_WALK, ptr_to_phys(sptep));
				old = mem_xchg64(sptep, frozen);
				if (!is_frozen_spte(old))
					break;
				cpu_relax();
			}
		} else {
			old = mem_read64(sptep);
			if (!is_shadow_present_pte(old))
				continue;
			old = kvm_tdp_mmu_write_spte(kvm, sptep, old, frozen, sp->level);
		}
		if (__handle_changed_spte(kvm, sp, gfn, old, frozen, sp->level, shared))
			kvm_bug_on(kvm, true, gfn, "an entry of a removed table cannot be removed");
		if (kvm_switch(kvm, SW_EXT_IN_CMPXCHG) && sp->is_mirror &&
		    is_shadow_present_pte(old) && is_last_spte(old, sp->level)) {
			kvm_bug_on(kvm, shared, gfn, "mirror leaf removed with mmu_lock shared");
			remove_external_spte(kvm, gfn, old, sp->level);
		}
	}
	if (sp->is_mirror)
		tdx_sept_free_private_spt(kvm, sp);
	call_rcu(tdp_mmu_free_sp_rcu_callback, sp);
	trace_return("handle_removed_pt", sp->gfn, 0);
}

static int __handle_changed_spte(struct kvm *kvm, struct kvm_mmu_page *sp, u64 gfn, u64 old,
				 u64 new, u8 level, bool shared)
{
	bool was_present = is_shadow_present_pte(old), is_present = is_shadow_present_pte(new);
	bool was_leaf = was_present && is_last_spte(old, level);
	bool is_leaf = is_present && is_last_spte(new, level);

	if (was_leaf && is_leaf && spte_to_pa(old) != spte_to_pa(new)) {
		/* BUG(): a present leaf never changes its pfn */
		check_fail("kvm-bug", "", "a present leaf changes its pfn");
		actor_exit();
	}
	if (old == new)
		return 0;
	if (!was_present && !is_present) {
		kvm_warn_on(!is_mmio_spte(is_td(kvm), old) && !is_mmio_spte(is_td(kvm), new) &&
			    !is_frozen_spte(new), gfn, "nonpresent SPTE changed to another");
		return 0;
	}
	if (was_present && !was_leaf && (is_leaf || !is_present)) {
		handle_removed_pt(kvm, spte_to_child_pt(old), shared);
		return 0;
	}
	if (sp->is_mirror && !kvm_switch(kvm, SW_EXT_IN_CMPXCHG))
		return tdx_sept_set_private_spte(kvm, gfn, old, new, level);
	return 0;
}

/* handle_changed_spte() - where the kernel can not cope with an error */
static void handle_changed_spte(struct kvm *kvm, struct kvm_mmu_page *sp, u64 gfn, u64 old,
				u64 new, u8 level, bool shared)
{
	int ret = __handle_changed_spte(kvm, sp, gfn, old, new, level, shared);

	kvm_bug_on(kvm, ret, gfn, "S-EPT update failed where it must not");
}

/* --- the RO writer ------------------------------------------------------------------- */

/* set_external_spte_present() of v6.16: the module is called inside the freezing helper. */
static int set_external_spte_present(struct kvm *kvm, struct tdp_iter *iter, u64 new)
{
	bool freeze = !kvm_switch(kvm, SW_NO_FREEZE);
	u64 old = iter->old_spte;	/* a copy: iter is not refreshed on failure (V3) */
	u64 seen;
	int ret;

	kvm_bug_on(kvm, is_shadow_present_pte(old), iter->gfn, "present mirror SPTE changed");
	seen = mem_cmpxchg64(iter->sptep, old, freeze ? kvm->spte->frozen : new);
	if (seen != old)
		return -EBUSY;
	ret = tdx_sept_set_private_spte(kvm, iter->gfn, old, new, iter->level);
	if (ret)
		mem_write64(iter->sptep, old);
	else if (freeze)
		mem_write64(iter->sptep, new);
	return ret;
}

static int set_spte_atomic_v6_16(struct kvm *kvm, struct tdp_iter *iter, u64 new,
				 struct kvm_mmu_page *sp)
{
	int ret;

	if (kvm_bug_on(kvm, !is_shadow_present_pte(new), iter->gfn,
		       "atomic removal of a mirror SPTE"))
		return -EBUSY;
	ret = set_external_spte_present(kvm, iter, new);
	if (ret)
		return ret;
	handle_changed_spte(kvm, sp, iter->gfn, iter->old_spte, new, iter->level, true);
	return 0;
}

/*
 * v7.2, __tdp_mmu_set_spte_atomic() in it. no-freeze is the same function with a mirror entry
 * treated as any other: the final value at once, and an error of the module has no way back
 * (K3).
 */
static int set_spte_atomic_v7_2(struct kvm *kvm, struct tdp_iter *iter, u64 new,
				struct kvm_mmu_page *sp)
{
	bool freeze = !kvm_switch(kvm, SW_NO_FREEZE);
	u64 seen;
	int ret;

	seen = mem_cmpxchg64(iter->sptep, iter->old_spte, freeze ? kvm->spte->frozen : new);
	if (seen != iter->old_spte) {
		iter->old_spte = seen;
		return -EBUSY;
	}
	ret = __handle_changed_spte(kvm, sp, iter->gfn, iter->old_spte, new, iter->level, true);
	if (!freeze)
		kvm_bug_on(kvm, ret, iter->gfn, "S-EPT update failed where it must not");
	else
		mem_write64(iter->sptep, ret ? iter->old_spte : new);	/* owner's store */
	return ret;
}

/*
 * A direct entry (is_mirror_sptep() is false) has no module behind it: the final value at once,
 * nothing can fail after it.
 */
static int set_direct_spte_atomic(struct kvm *kvm, struct tdp_iter *iter, u64 new,
				  struct kvm_mmu_page *sp)
{
	u64 seen = mem_cmpxchg64(iter->sptep, iter->old_spte, new);

	if (seen != iter->old_spte) {
		iter->old_spte = seen;
		return -EBUSY;
	}
	handle_changed_spte(kvm, sp, iter->gfn, iter->old_spte, new, iter->level, true);
	return 0;
}

int tdp_mmu_set_spte_atomic(struct kvm *kvm, struct tdp_iter *iter, u64 new)
{
	struct kvm_mmu_page *sp = sptep_to_sp(iter->sptep);
	int ret;

	trace_call("tdp_mmu_set_spte_atomic", iter->gfn);
	if (kvm->policy->fault_excludes)	/* walks that are no fault still hold it for read */
		lockdep_assert_held(&kvm->mmu_lock.info);
	else
		lockdep_assert_held_read(&kvm->mmu_lock);
	kvm_warn_on(iter->yielded || is_frozen_spte(iter->old_spte), iter->gfn,
		    "RO writer on a stale or frozen entry");
	own_entry(kvm, sp, iter->gfn, iter->level, true);
	if (!sp->is_mirror)
		ret = set_direct_spte_atomic(kvm, iter, new, sp);
	else if (kvm_switch(kvm, SW_EXT_IN_CMPXCHG))
		ret = set_spte_atomic_v6_16(kvm, iter, new, sp);
	else
		ret = set_spte_atomic_v7_2(kvm, iter, new, sp);
	own_entry(kvm, sp, iter->gfn, iter->level, false);
	trace_return("tdp_mmu_set_spte_atomic", iter->gfn, (u64)(s64)ret);
	return ret;
}

/* --- the WR writer ------------------------------------------------------------------- */

/*
 * tdp_mmu_set_spte() - the entry holds @new (empty) while the module is still being told
 *: safe because RO writers are locked out.
 */
void tdp_mmu_iter_set_spte(struct kvm *kvm, struct tdp_iter *iter, u64 new)
{
	struct kvm_mmu_page *sp = sptep_to_sp(iter->sptep);
	u64 old = iter->old_spte;

	lockdep_assert_held_write(&kvm->mmu_lock);
	kvm_warn_on(is_frozen_spte(old) || is_frozen_spte(new), iter->gfn,
		    "WR writer on a frozen entry");
	old = kvm_tdp_mmu_write_spte(kvm, iter->sptep, old, new, iter->level);
	handle_changed_spte(kvm, sp, iter->gfn, old, new, iter->level, false);
	if (kvm_switch(kvm, SW_EXT_IN_CMPXCHG) && sp->is_mirror) {
		if (!kvm_bug_on(kvm, is_shadow_present_pte(new), iter->gfn,
				"present mirror SPTE under the write lock"))
			remove_external_spte(kvm, iter->gfn, old, iter->level);
	}
	iter->old_spte = old;
}

/* --- map ------------------------------------------------------------------------------ */

static struct kvm_mmu_page *tdp_mmu_alloc_sp(struct kvm_vcpu *vcpu, struct tdp_iter *iter)
{
	struct kvm_mmu_page *sp = mmu_memory_cache_alloc_ptr(&vcpu->page_header);
	u64 hpa = kvm_mmu_memory_cache_alloc(&vcpu->shadow_page);

	tdp_mmu_init_child_sp(sp, hpa, iter);
	if (sp->is_mirror)	/* kvm_mmu_alloc_external_spt() */
		world_set(sp->external_spt, kvm_mmu_memory_cache_alloc(&vcpu->external_spt));
	return sp;
}

static int tdp_mmu_link_sp(struct kvm *kvm, struct tdp_iter *iter, struct kvm_mmu_page *sp,
			   bool shared)
{
	u64 spte = make_nonleaf_spte(kvm->spte, sp->hpa, !kvm->ad_enabled);

	if (shared)
		return tdp_mmu_set_spte_atomic(kvm, iter, spte);
	tdp_mmu_iter_set_spte(kvm, iter, spte);
	return 0;
}

/* Nobody is told: who has the huge translation cached has the same one as who walks. */
int tdp_mmu_split_huge_page(struct kvm *kvm, struct tdp_iter *iter, struct kvm_mmu_page *sp,
			    bool shared)
{
	u32 i;

	for (i = 0; i < 512; i++)
		world_set(sp->spt[i], make_small_spte(kvm->spte, iter->old_spte, sp->level, i,
						      kvm->nx_huge_pages));
	return tdp_mmu_link_sp(kvm, iter, sp, shared);
}

bool is_access_allowed(const struct kvm_page_fault *fault, u64 spte)
{
	if (fault->exec)
		return spte & SPTE_EXECUTABLE;
	if (fault->write)
		return is_writable_pte(spte);
	return spte & SPTE_RWX;
}

/* leaf_spte_change_needs_tlb_flush() */
static bool leaf_spte_change_needs_tlb_flush(const struct kvm *kvm, u64 old, u64 new)
{
	return (old & kvm->spte->mmu_writable) && !(new & kvm->spte->mmu_writable);
}

static u64 fault_spte(struct kvm *kvm, const struct kvm_page_fault *fault, u64 gfn, u8 level)
{
	u64 spte;

	if (!fault->slot)
		return make_mmio_spte(is_td(kvm), gfn, mem_read32(&kvm->memslots_gen));
	spte = make_spte(kvm->spte, fault->pfn_hpa, level, (struct spte_how){
		.ad_disabled = !kvm->ad_enabled,
		.writable = fault->map_writable,
		.executable = level == PG_LEVEL_4K || !kvm->nx_huge_pages,
		.accessed = !fault->prefetch,
	});
	/* In make_spte(): the log says so before the guest can write */
	if (is_writable_pte(spte))
		mark_page_dirty_in_slot(fault->slot, gfn);
	return spte;
}

static int tdp_mmu_map_handle_target_level(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault,
					   struct tdp_iter *iter)
{
	struct kvm *kvm = vcpu->kvm;
	u64 old = iter->old_spte, new;
	bool was_present = is_shadow_present_pte(old);

	/* Up to v5.12 nobody looked whether the leaf would do already (G11). */
	if (was_present && is_last_spte(old, iter->level) &&
	    (fault->prefetch || is_access_allowed(fault, old)) &&
	    (fault->slot || !kvm_switch(kvm, SW_INVALID_SLOT_IS_MMIO))) {
		/* KVM_PFN_NOSLOT is none, either: a memslot may have come since (G16) */
		kvm_warn_on(fault->pfn_hpa != spte_to_pa(old), iter->gfn, fault->slot ?
			    "the page of a spurious fault is not the leaf's" :
			    "a fault that found no memslot is spurious");
		return RET_PF_SPURIOUS;
	}
	new = fault_spte(kvm, fault, iter->gfn, iter->level);
	if (new != old) {
		/* Any error retries, -EIO included: the VM is dead by then and the loop sees it. */
		if (tdp_mmu_set_spte_atomic(kvm, iter, new))
			return RET_PF_RETRY;
		if (was_present && (!is_last_spte(old, iter->level) ||
				    kvm_warn_on(leaf_spte_change_needs_tlb_flush(kvm, old, new), iter->gfn,
						"a leaf SPTE is replaced by one that wants a flush"))) {
			kvm_owes_flush(kvm);
			kvm_flush_remote_tlbs(kvm);	/* kvm_flush_remote_tlbs_gfn() */
		}
	}
	if (!fault->slot)
		return RET_PF_EMULATE;
	return new == old ? RET_PF_SPURIOUS : RET_PF_FIXED;
}

/*
 * disallowed_hugepage_adjust() - a table that NX huge pages put here stays until it is
 * recovered: go down a level, and give the pfn back the bits of the gfn
 */
static void disallowed_hugepage_adjust(struct kvm_page_fault *fault, u64 spte, u8 level)
{
	if (level == PG_LEVEL_4K || level != fault->goal_level || !is_shadow_present_pte(spte) ||
	    is_large_pte(spte) || !mem_read32(&spte_to_child_sp(spte)->nx_disallowed))
		return;
	fault->pfn_hpa |= (fault->gfn & (kvm_pages_per_hpage(level) -
					 kvm_pages_per_hpage(level - 1))) << PAGE_SHIFT;
	fault->goal_level--;
}

/*
 * The table is linked already: who zapped it since has not found it on the list, so whether
 * it still is to be there is asked again, under the list's lock (G06).
 */
static void track_linked_sp(struct kvm *kvm, struct kvm_mmu_page *sp)
{
	spin_lock(&kvm->tdp_mmu_pages_lock);
	if (kvm_switch(kvm, SW_NX_NO_RECHECK) || mem_read32(&sp->nx_disallowed))
		track_possible_nx_huge_page(kvm, sp);
	spin_unlock(&kvm->tdp_mmu_pages_lock);
}

/* A table for @iter's empty or huge entry; false: somebody was quicker */
static bool map_table(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault, struct tdp_iter *iter)
{
	struct kvm *kvm = vcpu->kvm;
	struct kvm_mmu_page *sp = tdp_mmu_alloc_sp(vcpu, iter);
	int ret;

	world_set(sp->nx_disallowed, fault->huge_page_disallowed);	/* raw: not linked yet */
	if (is_shadow_present_pte(iter->old_spte)) {
		kvm_bug_on(kvm, sp->is_mirror, fault->gfn, "huge leaf in a mirror tree");
		ret = tdp_mmu_split_huge_page(kvm, iter, sp, true);
	} else {
		ret = tdp_mmu_link_sp(kvm, iter, sp, true);
	}
	if (ret) {
		tdp_mmu_free_unused_sp(sp);
		return false;
	}
	if (fault->huge_page_disallowed && fault->req_level >= iter->level)
		track_linked_sp(kvm, sp);
	return true;
}

/* tdp_mmu_get_root(): which kind; a direct one is asked for by who walks without a lock, too */
static struct kvm_mmu_page *tdp_mmu_get_root_for_fault(struct kvm_vcpu *vcpu,
						       const struct kvm_page_fault *fault)
{
	return is_td(vcpu->kvm) && fault->is_private ? vcpu->mirror_root : vcpu->root;
}

static int map_one(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	struct tdp_iter iter;

	for_each_tdp_pte_min_level(iter, tdp_mmu_get_root_for_fault(vcpu, fault), PG_LEVEL_4K, fault->gfn,
				   fault->gfn + 1) {
		if (fault->nx_workaround)
			disallowed_hugepage_adjust(fault, iter.old_spte, iter.level);
		if (is_frozen_spte(iter.old_spte)) {
			if (vcpu->kvm->policy->asks_frozen)
				world_set(vcpu->frozen_seen, true);
			return RET_PF_RETRY;
		}
		if (iter.level == fault->goal_level)
			return tdp_mmu_map_handle_target_level(vcpu, fault, &iter);
		if (is_shadow_present_pte(iter.old_spte) && !is_large_pte(iter.old_spte))
			continue;
		if (!map_table(vcpu, fault, &iter))
			return RET_PF_RETRY;
	}
	return RET_PF_RETRY;	/* a table vanished below us */
}

int kvm_tdp_mmu_map(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	u32 restarts = vcpu->kvm->policy->walk_restarts;
	int ret;

	trace_call("kvm_tdp_mmu_map", fault->gfn);
	kvm_mmu_hugepage_adjust(vcpu, fault);
	if (vcpu->kvm->policy->asks_frozen)
		world_set(vcpu->frozen_seen, false);
	rcu_read_lock();
	ret = map_one(vcpu, fault);
	for (; ret == RET_PF_RETRY && restarts; restarts--) {	/* X7 */
		kvm_forget(vcpu->kvm, LOOP_WALK, fault->gfn << 8 | restarts);
		count(COUNT_RETRIES, 1);
		ret = map_one(vcpu, fault);
	}
	rcu_read_unlock();
	kmmu_trace_fault("kvm_tdp_mmu_map", fault->gfn, ret, fault->goal_level, fault->pfn_hpa);
	return ret;
}
