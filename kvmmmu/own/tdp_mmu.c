// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mirror map, link, zap and the two writers. Rests on arch/x86/kvm/mmu/tdp_mmu.c of
 * v6.16 and v7.2; SW_EXT_IN_CMPXCHG is the order of v6.16 (rows V2-V6 of docs/model.md).
 */
#include "kvmmmu/own/tdp_mmu.h"

#include <errno.h>

#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/mmu.h"
#include "kvmmmu/own/policy.h"
#include "kvmmmu/own/tdx.h"
#include "sim/engine/check.h"
#include "sim/engine/hash.h"
#include "sim/engine/mem.h"
#include "sim/engine/sim.h"
#include "sim/engine/task.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

static int __handle_changed_spte(struct kvm *kvm, struct kvm_mmu_page *sp, u64 gfn, u64 old,
				 u64 new, u8 level, bool shared);

/* An upper entry stands for its whole range: nobody is quiescent there meanwhile. */
static void own_entry(struct kvm *kvm, u64 gfn, u8 level, bool own)
{
	u64 from = gfn_round_for_level(gfn, level);
	u64 to = MIN(from + kvm_pages_per_hpage(level), kvm->gfns);

	if (level == PG_LEVEL_4K)
		return;
	if (own)
		trace_own(kvm->name, from, to);
	else
		trace_disown(kvm->name, from, to);
}

/* tdp_mmu_free_sp_rcu_callback(): nobody walks here any more. Its S-EPT page went before. */
static void tdp_mmu_free_sp_rcu(void *arg)
{
	struct kvm_mmu_page *sp = arg;

	kvm_warn_on(sp->external_spt, sp->gfn, "external_spt of a freed page table");
	if (sp->region)
		region_remove(sp->region);
	kvm_page_set_private(sp->hpa, 0);
	page_free(sp->hpa);
	world_free(sp, sizeof(*sp));
}

/* tdp_mmu_free_sp(): it was never linked. Its S-EPT page was never given to the module. */
static void tdp_mmu_free_sp(struct kvm_mmu_page *sp)
{
	region_remove(sp->region);
	kvm_page_set_private(sp->hpa, 0);
	page_free(sp->hpa);
	if (sp->external_spt)
		page_free(sp->external_spt);
	world_free(sp, sizeof(*sp));
}

static void sp_init(struct kvm *kvm, struct kvm_mmu_page *sp, u64 hpa, u64 gfn, u8 level,
		    bool mirror)
{
	static const struct region_type direct_region = { .name = "direct", .indexed = true };
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
	world_set(sp->region, region_add(&r));
	kvm_page_set_private(hpa, (u64)sp);
}

struct kvm_mmu_page *kvm_tdp_mmu_alloc_root(struct kvm *kvm, bool mirror)
{
	struct kvm_mmu_page *sp = world_alloc(sizeof(*sp));
	u64 hpa = page_alloc();

	mmu_init_shadow_page(hpa);
	sp_init(kvm, sp, hpa, 0, kvm->levels, mirror);
	return sp;
}

void kvm_mmu_lock(struct kvm *kvm, bool shared, u64 from, u64 to)
{
	if (shared)
		read_lock(&kvm->mmu_lock);
	else
		write_lock(&kvm->mmu_lock);
	trace_own(kvm->name, from, to);
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

	for (i = 0; i < 512; i++) {
		u64 *sptep = pt + i, gfn = sp->gfn + i * kvm_pages_per_hpage(sp->level), old;

		if (shared) {
			for (;;) {	/* waits for an owner that has it frozen */
				old = mem_xchg64(sptep, frozen);
				if (!is_frozen_spte(old))
					break;
				cpu_relax();
			}
		} else {
			old = mem_read64(sptep);
			if (!is_shadow_present_pte(old))
				continue;
			if (spte_needs_atomic_write(kvm->spte, old, sp->level))
				old = mem_xchg64(sptep, frozen);
			else
				mem_write64(sptep, frozen);
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
	call_rcu(tdp_mmu_free_sp_rcu, sp);
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
		kvm_warn_on(!is_frozen_spte(new), gfn, "nonpresent SPTE changed to another");
		return 0;
	}
	if (was_present && !was_leaf && (is_leaf || !is_present)) {
		handle_removed_pt(kvm, spte_child_pt(old), shared);
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
 * v7.2. no-freeze is the same function with a mirror entry treated as any other: the
 * final value at once, and an error of the module has no way back (K3).
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
 * tdp_mmu_set_spte_atomic() - the RO writer. -EBUSY: lost the cmpxchg (no side effect) or
 * the module was busy; -EIO: the module failed, the VM is dead.
 */
static int tdp_mmu_set_spte_atomic(struct kvm *kvm, struct tdp_iter *iter, u64 new)
{
	struct kvm_mmu_page *sp = sptep_to_sp(iter->sptep);
	int ret;

	trace_call("tdp_mmu_set_spte_atomic", iter->gfn);
	if (kvm->policy->fault_excludes)
		lockdep_assert_held_write(&kvm->mmu_lock);
	else
		lockdep_assert_held_read(&kvm->mmu_lock);
	kvm_warn_on(iter->yielded || is_frozen_spte(iter->old_spte), iter->gfn,
		    "RO writer on a stale or frozen entry");
	own_entry(kvm, iter->gfn, iter->level, true);
	ret = kvm_switch(kvm, SW_EXT_IN_CMPXCHG) ? set_spte_atomic_v6_16(kvm, iter, new, sp) :
						   set_spte_atomic_v7_2(kvm, iter, new, sp);
	own_entry(kvm, iter->gfn, iter->level, false);
	trace_return("tdp_mmu_set_spte_atomic", iter->gfn, (u64)(s64)ret);
	return ret;
}

/* --- the WR writer ------------------------------------------------------------------- */

/*
 * tdp_mmu_set_spte() - the entry holds @new (empty) while the module is still being told
 *: safe because RO writers are locked out.
 */
static void tdp_mmu_iter_set_spte(struct kvm *kvm, struct tdp_iter *iter, u64 new)
{
	struct kvm_mmu_page *sp = sptep_to_sp(iter->sptep);
	u64 old = iter->old_spte;

	lockdep_assert_held_write(&kvm->mmu_lock);
	kvm_warn_on(is_frozen_spte(old) || is_frozen_spte(new), iter->gfn,
		    "WR writer on a frozen entry");
	if (spte_needs_atomic_write(kvm->spte, old, iter->level))
		old = mem_xchg64(iter->sptep, new);
	else
		mem_write64(iter->sptep, new);
	handle_changed_spte(kvm, sp, iter->gfn, old, new, iter->level, false);
	if (kvm_switch(kvm, SW_EXT_IN_CMPXCHG) && sp->is_mirror) {
		if (!kvm_bug_on(kvm, is_shadow_present_pte(new), iter->gfn,
				"present mirror SPTE under the write lock"))
			remove_external_spte(kvm, iter->gfn, old, iter->level);
	}
	iter->old_spte = new;
}

/* --- map ------------------------------------------------------------------------------ */

static struct kvm_mmu_page *tdp_mmu_alloc_sp(struct kvm_vcpu *vcpu, struct tdp_iter *iter)
{
	struct kvm_mmu_page *parent = sptep_to_sp(iter->sptep);
	struct kvm_mmu_page *sp = mmu_memory_cache_alloc_ptr(&vcpu->page_header);
	u64 hpa = mmu_memory_cache_alloc(&vcpu->shadow_page);

	sp_init(vcpu->kvm, sp, hpa, iter->gfn, iter->level - 1, parent->is_mirror);
	world_set(sp->ptep, iter->sptep);
	if (parent->is_mirror)
		world_set(sp->external_spt, mmu_memory_cache_alloc(&vcpu->external_spt));
	return sp;
}

static int tdp_mmu_map_handle_target_level(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault,
					   struct tdp_iter *iter)
{
	struct kvm *kvm = vcpu->kvm;
	u64 new;

	/* A TD's leaf is RWX: whatever is present allows the access. */
	if (is_shadow_present_pte(iter->old_spte) && is_last_spte(iter->old_spte, iter->level))
		return RET_PF_SPURIOUS;
	new = make_spte(kvm->spte, fault->pfn_hpa, iter->level);
	if (new == iter->old_spte)
		return RET_PF_SPURIOUS;
	/* Any error retries, -EIO included: the VM is dead by then and the loop sees it. */
	if (tdp_mmu_set_spte_atomic(kvm, iter, new))
		return RET_PF_RETRY;
	return RET_PF_FIXED;
}

static int map_one(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	struct kvm *kvm = vcpu->kvm;
	struct tdp_iter iter;

	for_each_tdp_pte_min_level(iter, vcpu->mirror_root, PG_LEVEL_4K, fault->gfn,
				   fault->gfn + 1) {
		struct kvm_mmu_page *sp;

		if (is_frozen_spte(iter.old_spte))
			return RET_PF_RETRY;
		if (iter.level == fault->goal_level)
			return tdp_mmu_map_handle_target_level(vcpu, fault, &iter);
		if (is_shadow_present_pte(iter.old_spte) &&
		    !is_last_spte(iter.old_spte, iter.level))
			continue;
		if (kvm_bug_on(kvm, is_shadow_present_pte(iter.old_spte), fault->gfn,
			       "huge leaf in a mirror tree"))
			return RET_PF_RETRY;
		sp = tdp_mmu_alloc_sp(vcpu, &iter);
		/* tdp_mmu_link_sp() */
		if (tdp_mmu_set_spte_atomic(kvm, &iter, make_nonleaf_spte(sp->hpa))) {
			tdp_mmu_free_sp(sp);
			return RET_PF_RETRY;
		}
	}
	return RET_PF_RETRY;	/* a table vanished below us */
}

int kvm_tdp_mmu_map(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	int ret;

	trace_call("kvm_tdp_mmu_map", fault->gfn);
	rcu_read_lock();
	ret = map_one(vcpu, fault);
	rcu_read_unlock();
	trace_return("kvm_tdp_mmu_map", fault->gfn, ret);
	return ret;
}

/* --- zap ------------------------------------------------------------------------------ */

/*
 * tdp_mmu_iter_cond_resched() - what is owed is flushed before the lock is dropped. The
 * walk must have got further since the last time.
 */
static bool tdp_mmu_iter_cond_resched(struct kvm *kvm, struct tdp_iter *iter, bool flush,
				      bool shared, u64 from, u64 to)
{
	if (!need_resched()) {
		if (!rwlock_needbreak(&kvm->mmu_lock))
			return false;
	}
	if (iter->next_last_level_gfn == iter->yielded_gfn)
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

/*
 * tdp_mmu_zap_leafs() - empty the leaves of [start, end), one at a time; never a table.
 * Under zap-under-read with the RO writer, as tdp_mmu_zap_root() does: again until the
 * entry is gone. What it finds frozen is not present to it and is passed by.
 */
static bool tdp_mmu_zap_leafs(struct kvm *kvm, struct kvm_mmu_page *root, u64 start, u64 end,
			      bool can_yield, bool flush)
{
	bool shared = kvm_zap_shared(kvm);
	u16 me = actor_self()->id;
	struct tdp_iter iter;

	trace_call("tdp_mmu_zap_leafs", start);
	if (!shared)
		lockdep_assert_held_write(&kvm->mmu_lock);
	rcu_read_lock();
	for_each_tdp_pte_min_level(iter, root, PG_LEVEL_4K, start, end) {
retry:
		if (can_yield && tdp_mmu_iter_cond_resched(kvm, &iter, flush, shared, start, end)) {
			flush = false;
			continue;
		}
		if (!is_shadow_present_pte(iter.old_spte) ||
		    !is_last_spte(iter.old_spte, iter.level))
			continue;
		if (!shared) {
			tdp_mmu_iter_set_spte(kvm, &iter, SHADOW_NONPRESENT_VALUE);
		} else if (tdp_mmu_set_spte_atomic(kvm, &iter, SHADOW_NONPRESENT_VALUE)) {
			kvm_forget(kvm, LOOP_ZAP, hash_fold(iter.old_spte ^ iter.yielded_gfn << 20,
							    iter.gfn, flush));
			goto retry;
		}
		flush = true;
		world_set(kvm->flush_owed[me], 1);
	}
	rcu_read_unlock();
	trace_return("tdp_mmu_zap_leafs", start, flush);
	return flush;
}

bool kvm_tdp_mmu_unmap_gfn_range(struct kvm *kvm, u64 start, u64 end, bool private,
				 bool may_block, bool flush)
{
	/* The direct tree has no entries yet: nothing installs shared mappings. */
	if (!private)
		return flush;
	return tdp_mmu_zap_leafs(kvm, kvm->mirror_root, start, end, may_block, flush);
}

bool kvm_tdp_mmu_zap_leafs(struct kvm *kvm, u64 start, u64 end, bool flush)
{
	return tdp_mmu_zap_leafs(kvm, kvm->mirror_root, start, end, true, flush);
}

static void zap_root_pass(struct kvm *kvm, struct kvm_mmu_page *root, bool shared, u8 zap_level)
{
	u64 end = kvm_pages_per_hpage(root->level + 1);
	struct tdp_iter iter;

	for_each_tdp_pte_min_level(iter, root, zap_level, 0, end) {
retry:
		if (tdp_mmu_iter_cond_resched(kvm, &iter, false, shared, 0, kvm->gfns))
			continue;
		if (!is_shadow_present_pte(iter.old_spte) || iter.level > zap_level)
			continue;
		if (!shared) {
			tdp_mmu_iter_set_spte(kvm, &iter, SHADOW_NONPRESENT_VALUE);
		} else if (tdp_mmu_set_spte_atomic(kvm, &iter, SHADOW_NONPRESENT_VALUE)) {
			kvm_forget(kvm, LOOP_ZAP, hash_fold(iter.old_spte, iter.gfn, zap_level));
			goto retry;
		}
	}
}

void tdp_mmu_zap_root(struct kvm *kvm, struct kvm_mmu_page *root, bool shared)
{
	rcu_read_lock();
	zap_root_pass(kvm, root, shared, 1);
	zap_root_pass(kvm, root, shared, 2);
	zap_root_pass(kvm, root, shared, 3);
	zap_root_pass(kvm, root, shared, root->level);
	rcu_read_unlock();
}

/* kvm_tdp_mmu_invalidate_roots(), _zap_invalidated_roots() and the last put of one root */
static void uninit_root(struct kvm *kvm, struct kvm_mmu_page *root)
{
	write_lock(&kvm->mmu_lock);
	mem_write32(&root->invalid, 1);
	tdp_mmu_zap_root(kvm, root, false);
	write_unlock(&kvm->mmu_lock);
	if (root == kvm->root)
		region_remove(region_at(&root->invalid));
	call_rcu(tdp_mmu_free_sp_rcu, root);
}

void kvm_mmu_uninit_tdp_mmu(struct kvm *kvm)
{
	uninit_root(kvm, kvm->root);
	uninit_root(kvm, kvm->mirror_root);
	rcu_barrier();
	world_set(kvm->root, NULL);
	world_set(kvm->mirror_root, NULL);
}
