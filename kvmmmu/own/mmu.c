// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page-fault path above the TDP MMU. Rests on arch/x86/kvm/mmu/mmu.c of v7.2.
 */
#include "kvmmmu/own/mmu.h"

#include <errno.h>

#include "kvmmmu/own/dirty_log.h"
#include "kvmmmu/own/guest_memfd.h"
#include "kvmmmu/own/host_mm.h"
#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/x86.h"
#include "kvmmmu/own/policy.h"
#include "kvmmmu/own/vt.h"
#include "sim/engine/clock.h"
#include "sim/engine/mem.h"
#include "sim/engine/task.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

void mmu_init_shadow_page(u64 hpa)
{
	static const u64 empty[512] = { [0 ... 511] = SHADOW_NONPRESENT_VALUE };

	world_store(phys_to_ptr(hpa), empty, sizeof(empty));
}

static void cache_put(struct kvm_mmu_memory_cache *mc, u64 object)
{
	world_set(mc->objects[mc->nobjs], object);
	world_set(mc->nobjs, mc->nobjs + 1);
}

u64 kvm_mmu_memory_cache_alloc(struct kvm_mmu_memory_cache *mc)
{
	u64 object = mc->objects[mc->nobjs - 1];	/* topped up: never empty here */

	world_set(mc->nobjs, mc->nobjs - 1);
	if (mc->paid)
		actor_set(mc->paid, mc->paid - 1);
	return object;
}

/* As soon as too few are left Linux fills the cache; here are as many pages as one fault may want */
static void pay_for_tables(struct kvm_mmu_memory_cache *mc)
{
	if (mc->paid >= PT64_ROOT_MAX_LEVEL)
		return;
	sim_charge(COST_PAGE_CLEAR_4K, KVM_ARCH_NR_OBJS_PER_MEMORY_CACHE - mc->paid);
	actor_set(mc->paid, KVM_ARCH_NR_OBJS_PER_MEMORY_CACHE);
}

void mmu_topup_memory_caches(struct kvm_vcpu *vcpu)
{
	pay_for_tables(&vcpu->shadow_page);
	while (vcpu->page_header.nobjs < PT64_ROOT_MAX_LEVEL)
		cache_put(&vcpu->page_header, (u64)world_alloc(sizeof(struct kvm_mmu_page)));
	while (vcpu->shadow_page.nobjs < PT64_ROOT_MAX_LEVEL) {
		u64 hpa = page_alloc();

		mmu_init_shadow_page(hpa);
		cache_put(&vcpu->shadow_page, hpa);
	}
	while (vcpu->external_spt.nobjs < PT64_ROOT_MAX_LEVEL)
		cache_put(&vcpu->external_spt, page_alloc());	/* the module clears it */
}

void mmu_free_memory_caches(struct kvm_vcpu *vcpu)
{
	while (vcpu->page_header.nobjs)
		world_free(mmu_memory_cache_alloc_ptr(&vcpu->page_header),
			   sizeof(struct kvm_mmu_page));
	while (vcpu->shadow_page.nobjs)
		page_free(kvm_mmu_memory_cache_alloc(&vcpu->shadow_page));
	actor_set(vcpu->shadow_page.paid, 0u);
	while (vcpu->external_spt.nobjs)
		page_free(kvm_mmu_memory_cache_alloc(&vcpu->external_spt));
}

bool kvm_mem_is_private(struct kvm *kvm, u64 gfn)
{
	struct gfn_chunk *c;

	if (!is_td(kvm) || gfn >= kvm->gfns)	/* !kvm_arch_has_private_mem() */
		return false;
	c = gfn_chunk(kvm, gfn);
	return mem_read8(&c->attributes[gfn % CHUNK_GFNS]) & KVM_MEMORY_ATTRIBUTE_PRIVATE;
}

/* --- how large ------------------------------------------------------------------------ */

/*
 * hugepage_test_mixed(), hugepage_has_attrs(): kept by KVM under slots_lock, so it is what the
 * attributes say
 */
bool hugepage_test_mixed(struct kvm *kvm, u64 gfn, u64 n)
{
	u64 i;

	for (i = 1; i < n; i++) {
		if (mem_peek8(&gfn_chunk(kvm, gfn + i)->attributes[(gfn + i) % CHUNK_GFNS]) !=
		    mem_peek8(&gfn_chunk(kvm, gfn)->attributes[gfn % CHUNK_GFNS]))
			return true;
	}
	return false;
}

/* lpage_info_slot()->disallow_lpage: the range leaves the slot, or its attributes differ */
static bool disallow_lpage(struct kvm *kvm, const struct kvm_memory_slot *slot, u64 gfn, u8 level)
{
	u64 n = kvm_pages_per_hpage(level), first = gfn_round_for_level(gfn, level);

	return first < slot->base_gfn || first + n > slot->base_gfn + slot->npages ||
	       (is_td(kvm) && hugepage_test_mixed(kvm, first, n));
}

u8 kvm_mmu_max_mapping_level(struct kvm *kvm, const struct kvm_page_fault *fault,
			     const struct kvm_memory_slot *slot, u64 gfn)
{
	bool private = fault ? fault->is_private : kvm_mem_is_private(kvm, gfn);
	u8 level = fault ? fault->max_level : KVM_MAX_HUGEPAGE_LEVEL, host;

	lockdep_assert_held(&kvm->mmu_lock.info);
	while (level > PG_LEVEL_4K && disallow_lpage(kvm, slot, gfn, level))
		level--;
	if (level == PG_LEVEL_4K || private)	/* tdx_gmem_max_mapping_level(): 4K in a TD */
		return PG_LEVEL_4K;
	host = host_pfn_mapping_level(kvm, slot, gfn);
	return MIN(host, level);
}

void kvm_mmu_hugepage_adjust(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	u64 mask;

	fault->huge_page_disallowed = fault->exec && fault->nx_workaround;
	if (fault->max_level == PG_LEVEL_4K || !fault->slot)
		return;
	if (mem_read32(&fault->slot->flags) & KVM_MEM_LOG_DIRTY_PAGES)
		return;
	fault->req_level = kvm_mmu_max_mapping_level(vcpu->kvm, fault, fault->slot, fault->gfn);
	if (fault->req_level == PG_LEVEL_4K || fault->huge_page_disallowed)
		return;
	fault->goal_level = fault->req_level;
	mask = kvm_pages_per_hpage(fault->goal_level) - 1;
	fault->pfn_hpa &= ~(mask << PAGE_SHIFT);
}

/* --- the pfn behind a fault ------------------------------------------------------------ */

/* kvm_mmu_prepare_memory_fault_exit() */
static int memory_fault_exit(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	world_set(vcpu->exit_reason, KVM_EXIT_MEMORY_FAULT);
	world_set(vcpu->fault_gfn, fault->gfn);
	world_set(vcpu->fault_private, fault->is_private);
	return -EFAULT;
}

static int kvm_handle_noslot_fault(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	if (fault->is_private)
		return memory_fault_exit(vcpu, fault);
	fault->slot = NULL;
	fault->map_writable = false;
	return RET_PF_CONTINUE;
}

static int __kvm_mmu_faultin_pfn(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	struct kvm *kvm = vcpu->kvm;

	if (fault->is_private) {	/* kvm_mmu_faultin_pfn_gmem() */
		fault->folio = kvm_gmem_get_pfn(kvm, fault->slot, fault->gfn, &fault->pfn_hpa);
		if (!fault->folio)
			return memory_fault_exit(vcpu, fault);
		fault->max_level = PG_LEVEL_4K;
	} else {
		fault->folio = kvm_faultin_pfn(kvm, fault->slot, fault->gfn, &fault->pfn_hpa);
	}
	fault->map_writable = true;
	return RET_PF_CONTINUE;
}

/*
 * kvm_mmu_faultin_pfn() - the snapshot of mmu_invalidate_seq comes before everything that
 * an invalidation may change, the attribute included. smp_rmb() is nothing on
 * x86.
 */
static int kvm_mmu_faultin_pfn(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	struct kvm *kvm = vcpu->kvm;
	int r;

	fault->mmu_seq = mem_read64(&kvm->mmu_invalidate_seq);
	if (fault->is_private != kvm_mem_is_private(kvm, fault->gfn))
		return memory_fault_exit(vcpu, fault);
	if (!fault->slot)
		return kvm_handle_noslot_fault(vcpu, fault);
	/* Its leaves are still there: as MMIO, one would be replaced without a zap (G11). */
	if (kvm_memslot_is_invalid(fault->slot)) {
		if (kvm_switch(kvm, SW_INVALID_SLOT_IS_MMIO))
			return kvm_handle_noslot_fault(vcpu, fault);
		if (fault->prefetch && !kvm_switch(kvm, SW_PREFAULT_RETRIES_INVALID))
			return -EAGAIN;
		return RET_PF_RETRY;
	}
	if (mmu_invalidate_retry_gfn_unsafe(kvm, fault->mmu_seq, fault->gfn))
		return RET_PF_RETRY;
	r = __kvm_mmu_faultin_pfn(vcpu, fault);
	if (r != RET_PF_CONTINUE)
		return r;
	if (kvm_switch(kvm, SW_SEQ_AFTER_PFN))
		fault->mmu_seq = mem_read64(&kvm->mmu_invalidate_seq);
	if (mmu_invalidate_retry_gfn_unsafe(kvm, fault->mmu_seq, fault->gfn)) {
		kvm_release_faultin_page(fault->folio);
		return RET_PF_RETRY;
	}
	return RET_PF_CONTINUE;
}

/*
 * The direct root decides, even for a private fault (G08; the mutation
 * stale-check-ignores-root).
 */
static bool is_page_fault_stale(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	struct kvm *kvm = vcpu->kvm;
	u64 seq = fault->mmu_seq;

	if (!kvm_switch(kvm, SW_STALE_IGNORES_ROOT)) {
		if (mem_read32(&vcpu->root->invalid))
			return true;
	}
	if (!fault->slot)
		return false;
	if (kvm_switch(kvm, SW_INT_MMU_SEQ))	/* G10: "int mmu_seq" */
		seq = (u64)(s64)(s32)seq;
	return mmu_invalidate_retry_gfn(kvm, seq, fault->gfn);
}

/* --- the fault ------------------------------------------------------------------------- */

/*
 * The entry is there and the write was refused; or, without accessed bits, it may be there and
 * be access-tracked, which a violation cannot tell from nothing.
 */
static bool page_fault_can_be_fast(struct kvm *kvm, const struct kvm_page_fault *fault)
{
	if (fault->rsvd)
		return false;
	if (is_td(kvm) && fault->is_private != kvm_mem_is_private(kvm, fault->gfn))
		return false;
	return fault->present ? fault->write : !kvm->ad_enabled;
}

/* What the entry could be instead, without mmu_lock; @spte: nothing */
static u64 fast_spte(struct kvm *kvm, const struct kvm_page_fault *fault, u64 spte, u8 level)
{
	u64 new = spte;

	if (!kvm->ad_enabled && is_access_track_spte(kvm->spte, spte))
		new = restore_acc_track_spte(kvm->spte, new) | SPTE_ACCESSED;
	if (fault->write && (spte & kvm->spte->mmu_writable)) {	/* is_mmu_writable_spte() */
		new |= SPTE_WRITABLE;
		if (level > PG_LEVEL_4K &&
		    (mem_read32(&fault->slot->flags) & KVM_MEM_LOG_DIRTY_PAGES))
			return spte;
	}
	return is_access_allowed(fault, new) ? new : spte;
}

static bool fast_pf_fix_direct_spte(const struct kvm_page_fault *fault, u64 *sptep, u64 old,
				    u64 new)
{
	if (mem_cmpxchg64(sptep, old, new) != old)
		return false;
	if (is_writable_pte(new) && !is_writable_pte(old))
		mark_page_dirty_in_slot(fault->slot, fault->gfn);
	return true;
}

/*
 * fast_page_fault() - without mmu_lock: a leaf that was write-protected and may be written, or
 * is access-tracked. kvm_tdp_mmu_fast_pf_get_last_sptep() knows direct trees only, and an S-EPT
 * violation never says "present".
 */
static int fast_page_fault(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	struct kvm *kvm = vcpu->kvm;
	int ret = RET_PF_INVALID, tries;
	struct kvm_mmu_page *sp;
	u64 *sptep;
	u64 spte, new;

	if (!page_fault_can_be_fast(kvm, fault))
		return ret;
	/* walk_shadow_page_lockless_begin(), kvm_tdp_mmu_walk_lockless_begin() */
	rcu_read_lock();
	for (tries = 0; tries <= 4; tries++) {
		sptep = kvm_tdp_mmu_fast_pf_get_last_sptep(vcpu, fault->gfn, &spte);
		sp = sptep_to_sp(sptep);
		if (!is_shadow_present_pte(spte) || !is_last_spte(spte, sp->level))
			break;
		if (is_access_allowed(fault, spte)) {
			ret = RET_PF_SPURIOUS;
			break;
		}
		new = fast_spte(kvm, fault, spte, sp->level);
		if (new == spte)
			break;
		if (fast_pf_fix_direct_spte(fault, sptep, spte, new)) {
			ret = RET_PF_FIXED;
			break;
		}
	}
	rcu_read_unlock();	/* kvm_tdp_mmu_walk_lockless_end() */
	return ret;
}

/* kvm_tdp_page_fault() */
static int kvm_tdp_mmu_page_fault(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	struct kvm *kvm = vcpu->kvm;
	bool shared = !kvm->policy->fault_excludes;
	int r;

	r = fast_page_fault(vcpu, fault);
	if (r != RET_PF_INVALID)
		return r;
	mmu_topup_memory_caches(vcpu);
	r = kvm_mmu_faultin_pfn(vcpu, fault);
	if (r != RET_PF_CONTINUE)
		return r;
	r = RET_PF_RETRY;
	kvm_mmu_lock(kvm, shared, fault->gfn, fault->gfn + 1);
	if (!is_page_fault_stale(vcpu, fault))
		r = kvm_tdp_mmu_map(vcpu, fault);
	kvm_release_faultin_page(fault->folio);
	kvm_mmu_unlock(kvm, shared, fault->gfn, fault->gfn + 1);
	return r;
}

int kvm_mmu_do_page_fault(struct kvm_vcpu *vcpu, u64 gfn, u64 error_code, bool prefetch,
			  u8 *level)
{
	struct kvm *kvm = vcpu->kvm;
	struct kvm_page_fault fault = {
		.gfn = gfn,
		.is_private = error_code & PFERR_PRIVATE_ACCESS,
		.prefetch = prefetch,
		.write = error_code & PFERR_WRITE_MASK,
		.exec = error_code & PFERR_FETCH_MASK,
		.present = error_code & PFERR_PRESENT_MASK,
		.rsvd = error_code & PFERR_RSVD_MASK,
		.nx_workaround = kvm->nx_huge_pages,
		.max_level = KVM_MAX_HUGEPAGE_LEVEL,
		.req_level = PG_LEVEL_4K,
		.goal_level = PG_LEVEL_4K,
		.slot = kvm_vcpu_gfn_to_memslot(vcpu, gfn),
	};
	int r;

	trace_call("kvm_mmu_do_page_fault", gfn);
	r = kvm_tdp_mmu_page_fault(vcpu, &fault);
	kmmu_trace_fault("kvm_mmu_do_page_fault", gfn, r, 0, 0);
	if (level)
		*level = fault.goal_level;
	return r;
}

/* handle_mmio_page_fault(): is it still the entry of the memslots that are now? */
static int handle_mmio_page_fault(struct kvm_vcpu *vcpu, u64 gfn)
{
	struct kvm *kvm = vcpu->kvm;
	u64 spte;
	u32 gen;

	rcu_read_lock();
	kvm_tdp_mmu_fast_pf_get_last_sptep(vcpu, gfn, &spte);
	rcu_read_unlock();
	if (!is_mmio_spte(is_td(kvm), spte))
		return RET_PF_RETRY;	/* it has been zapped meanwhile */
	gen = mem_read32(&kvm->memslots_gen);
	return !(gen & 1) && get_mmio_spte_generation(spte) == (gen & 0xff) ? RET_PF_EMULATE :
								   RET_PF_INVALID;
}

/* The access goes to user space; a TD is entered again and finds a #VE where it accessed. */
static int emulate_mmio(struct kvm_vcpu *vcpu, u64 gfn)
{
	if (is_td(vcpu->kvm))
		return RET_PF_RETRY;
	world_set(vcpu->exit_reason, KVM_EXIT_MMIO);
	world_set(vcpu->fault_gfn, gfn);
	return 0;
}

int kvm_mmu_page_fault(struct kvm_vcpu *vcpu, u64 gfn, u64 error_code)
{
	int r = RET_PF_INVALID;

	if (error_code & PFERR_RSVD_MASK)
		r = handle_mmio_page_fault(vcpu, gfn);
	if (r == RET_PF_INVALID)
		r = kvm_mmu_do_page_fault(vcpu, gfn, error_code, false, NULL);
	return r == RET_PF_EMULATE ? emulate_mmio(vcpu, gfn) : r;
}

int kvm_tdp_page_prefault(struct kvm_vcpu *vcpu, u64 gfn, u64 error_code, u8 *level)
{
	int r;

	do {
		kvm_forget(vcpu->kvm, LOOP_PREFAULT, gfn);
		if (signal_pending())
			return -EINTR;
		if (!kvm_switch(vcpu->kvm, SW_RETRY_IGNORES_DEAD)) {	/* F04 */
			if (kvm_switch(vcpu->kvm, SW_VM_DEAD_TESTED) ?
			    kvm_test_request(KVM_REQ_VM_DEAD, vcpu) :
			    kvm_check_request(KVM_REQ_VM_DEAD, vcpu))
				return -EIO;
		}
		cond_resched();
		r = kvm_mmu_do_page_fault(vcpu, gfn, error_code, true, level);
		if (r == RET_PF_RETRY)
			count(COUNT_RETRIES, 1);
		/* Not in any kernel: a root that became obsolete meanwhile is one for ever here. */
		if (r == RET_PF_RETRY && kvm_switch(vcpu->kvm, SW_PREFAULT_RELOADS))
			r = kvm_mmu_reload(vcpu) ? -EIO : RET_PF_RETRY;
	} while (r == RET_PF_RETRY);
	if (r < 0)
		return r;
	if (r == RET_PF_EMULATE)
		return -ENOENT;
	if (kvm_warn_on(r != RET_PF_FIXED && r != RET_PF_SPURIOUS, gfn,
			"could not fix page fault during prefault"))
		return -EIO;
	return 0;
}

/* --- roots ------------------------------------------------------------------------------ */

/*
 * kvm_mmu_load() - what the LP may have cached of the root's tables, or of a page at the
 * root's address before it was one, goes here; so nobody flushes when a root is freed
 */
static int kvm_mmu_load(struct kvm_vcpu *vcpu)
{
	int r;

	mmu_topup_memory_caches(vcpu);
	if (is_td(vcpu->kvm) && !vcpu->mirror_root)	/* mmu_alloc_direct_roots() */
		kvm_tdp_mmu_alloc_root(vcpu, true);
	kvm_tdp_mmu_alloc_root(vcpu, false);
	r = vt_load_mmu_pgd(vcpu);
	if (r)
		return r;
	vt_flush_tlb_current(vcpu);
	return 0;
}

void kvm_mmu_free_obsolete_roots(struct kvm_vcpu *vcpu)
{
	if (!vcpu->root || !mem_read32(&vcpu->root->invalid))
		return;
	read_lock(&vcpu->kvm->mmu_lock);	/* kvm_mmu_free_roots(), mmu_free_root_page() */
	kvm_tdp_mmu_put_root(vcpu->kvm, vcpu->root);
	world_set(vcpu->root, NULL);
	read_unlock(&vcpu->kvm->mmu_lock);
}

int kvm_mmu_reload(struct kvm_vcpu *vcpu)
{
	/* 20a6cff3b283 (v6.15): not only on the way into the guest; the mutation takes it away */
	if (!kvm_switch(vcpu->kvm, SW_RELOAD_KEEPS_OBSOLETE)) {
		if (kvm_check_request(KVM_REQ_MMU_FREE_OBSOLETE_ROOTS, vcpu))
			kvm_mmu_free_obsolete_roots(vcpu);
	}
	return vcpu->root ? 0 : kvm_mmu_load(vcpu);
}

/* kvm_mmu_destroy(): the vCPU goes, and lets go of its roots */
void kvm_mmu_destroy(struct kvm_vcpu *vcpu)
{
	read_lock(&vcpu->kvm->mmu_lock);
	if (vcpu->root)
		kvm_tdp_mmu_put_root(vcpu->kvm, vcpu->root);
	if (vcpu->mirror_root)
		kvm_tdp_mmu_put_root(vcpu->kvm, vcpu->mirror_root);
	read_unlock(&vcpu->kvm->mmu_lock);
	world_set(vcpu->root, NULL);
	world_set(vcpu->mirror_root, NULL);
	mmu_free_memory_caches(vcpu);
}

/* --- zaps that are not the TDP MMU's alone ------------------------------------------------ */

/*
 * __kvm_mmu_zap_all_fast_front_half(), under mmu_lock held for write: nobody may load the
 * roots any more, and who has is asked to leave them
 */
void kvm_mmu_zap_all_fast_front_half(struct kvm *kvm)
{
	kvm_tdp_mmu_invalidate_roots(kvm, KVM_DIRECT_ROOTS);
	kvm_make_all_cpus_request(kvm, KVM_REQ_MMU_FREE_OBSOLETE_ROOTS);
}

void kvm_mmu_zap_all_fast_back_half(struct kvm *kvm)
{
	kvm_tdp_mmu_zap_invalidated_roots(kvm, true);
}

/*
 * kvm_tdp_mmu_map_private_pfn() - no faultin: the caller has the page, and the locks that keep
 * it where it is. BUSY is never told to user space (B01).
 */
int kvm_tdp_mmu_map_private_pfn(struct kvm_vcpu *vcpu, u64 gfn, u64 hpa)
{
	struct kvm *kvm = vcpu->kvm;
	struct kvm_page_fault fault = {
		.gfn = gfn, .is_private = true, .prefetch = true,
		.max_level = PG_LEVEL_4K, .req_level = PG_LEVEL_4K, .goal_level = PG_LEVEL_4K,
		.slot = kvm_vcpu_gfn_to_memslot(vcpu, gfn), .pfn_hpa = hpa,
		.nx_workaround = kvm->nx_huge_pages, .map_writable = true,
	};
	int r;

	lockdep_assert_held(&kvm->slots_lock.info);
	lockdep_assert_held(&kvm->filemap_invalidate_lock.rw.info);
	r = kvm_mmu_reload(vcpu);
	if (r)
		return r;
	mmu_topup_memory_caches(vcpu);
	do {
		kvm_forget(kvm, LOOP_PREFAULT, gfn << 1 | 1);
		if (signal_pending())
			return -EINTR;
		if (kvm_test_request(KVM_REQ_VM_DEAD, vcpu))
			return -EIO;
		cond_resched();
		kvm_mmu_lock(kvm, true, gfn, gfn + 1);
		r = kvm_tdp_mmu_map(vcpu, &fault);
		kvm_mmu_unlock(kvm, true, gfn, gfn + 1);
		if (r == RET_PF_RETRY)
			count(COUNT_RETRIES, 1);
	} while (r == RET_PF_RETRY);
	return r == RET_PF_FIXED ? 0 : -EIO;
}

/*
 * Under zap-under-read it is the zapping of those that do hold mmu_lock for read (roots,
 * NX recovery): no invalidation window, whose counters want the write lock.
 */
static void zap_gfn_range(struct kvm *kvm, u64 start, u64 end)
{
	bool shared = kvm_zap_shared(kvm), flush;

	kvm_mmu_lock(kvm, shared, start, end);
	if (!shared) {
		kvm_mmu_invalidate_start(kvm);
		kvm_mmu_invalidate_range_add(kvm, start, end);
	}
	flush = kvm_tdp_mmu_zap_leafs(kvm, start, end, false);
	if (flush)
		kvm_flush_remote_tlbs(kvm);
	if (!shared)
		kvm_mmu_invalidate_end(kvm);
	kvm_mmu_unlock(kvm, shared, start, end);
}

/* v7.3: guard(srcu), for the memslots that it asks for rmaps */
void kvm_zap_gfn_range(struct kvm *kvm, u64 start, u64 end)
{
	int idx;

	if (!kvm_switch(kvm, SW_ZAP_UNDER_SRCU)) {
		zap_gfn_range(kvm, start, end);
		return;
	}
	idx = srcu_read_lock(&kvm->srcu);
	zap_gfn_range(kvm, start, end);
	srcu_read_unlock(&kvm->srcu, idx);
}

/* kvm_mmu_recover_huge_pages(), as dirty logging ends */
void kvm_mmu_recover_huge_pages(struct kvm *kvm, const struct kvm_memory_slot *slot)
{
	kvm_mmu_lock(kvm, true, 0, 0);
	kvm_tdp_mmu_recover_huge_pages(kvm, slot);
	kvm_mmu_unlock(kvm, true, 0, 0);
}
