/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The mirror's TDP MMU: page tables in simulated memory, the RO and the WR writer, map,
 * zap. Rests on arch/x86/kvm/mmu/tdp_mmu.[ch] and mmu_internal.h of v6.16 and v7.2.
 */
#include "kvmmmu/own/kvm_host.h"
#include "kvmmmu/own/spte.h"
#include "kvmmmu/own/tdp_iter.h"
#include "sim/engine/arena.h"

struct region;

/* One page table; struct kvm_mmu_page. Written before it is linked, then never. */
struct kvm_mmu_page {
	struct kvm *kvm;
	u64 *spt;		/* the page itself: mirror entries, read by KVM alone */
	u64 hpa;		/* of spt */
	u64 external_spt;	/* hpa that the module gets for it; 0: root, or direct */
	u64 gfn;
	u64 *ptep;		/* entry that points here; NULL: root */
	struct region *region;
	u8 level;
	bool is_mirror;
	u32 invalid;		/* [step] role.invalid of a root */
};

struct kvm_page_fault {		/* on the faulting thread's stack */
	u64 gfn;
	bool is_private, prefetch;
	u8 goal_level, req_level;
	u64 mmu_seq;
	struct kvm_memory_slot *slot;
	struct folio *folio;	/* reference held */
	u64 pfn_hpa;
};

/* page->private: the sp of a page-table page */
static inline struct kvm_mmu_page *sptep_to_sp(const u64 *sptep)
{
	return (struct kvm_mmu_page *)kvm_page_private(ptr_to_phys(sptep) & ~(u64)(PAGE_SIZE - 1));
}

static inline struct kvm_mmu_page *spte_to_child_sp(u64 spte)
{
	return (struct kvm_mmu_page *)kvm_page_private(spte & GENMASK_ULL(51, 12));
}

/* kvm_tdp_mmu_alloc_root - at set-up, by the root context: no steps */
struct kvm_mmu_page *kvm_tdp_mmu_alloc_root(struct kvm *kvm, bool mirror);

/*
 * mmu_lock as the MMU drops it: flush-owed if the running actor owes a TLB flush.
 * @from, @to: gfns that it owned while it held the lock
 */
void kvm_mmu_lock(struct kvm *kvm, bool shared, u64 from, u64 to);
void kvm_mmu_unlock(struct kvm *kvm, bool shared, u64 from, u64 to);

/* kvm_tdp_mmu_map - RET_PF_*; mmu_lock held for read, caches topped up */
int kvm_tdp_mmu_map(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault);

/*
 * kvm_tdp_mmu_unmap_gfn_range - zap the leaves of [@start, @end) in the mirror if
 * @private; may yield if @may_block. Returns whether a TLB flush is owed.
 * kvm_tdp_mmu_zap_leafs - the same over all valid roots (kvm_zap_gfn_range()); may yield
 * mmu_lock held for write (for read under zap-under-read).
 */
bool kvm_tdp_mmu_unmap_gfn_range(struct kvm *kvm, u64 start, u64 end, bool private,
				 bool may_block, bool flush);
bool kvm_tdp_mmu_zap_leafs(struct kvm *kvm, u64 start, u64 end, bool flush);

/*
 * tdp_mmu_zap_root - take down leaves, then tables, in passes of rising level, so that no
 * pass has to free much at once. mmu_lock held, for read if @shared; may yield.
 */
void tdp_mmu_zap_root(struct kvm *kvm, struct kvm_mmu_page *root, bool shared);

/*
 * kvm_mmu_uninit_tdp_mmu - the VM goes and nobody is left to walk: zap both roots and free
 * them. The mirror's leaves went with the guest_memfd. Sleeps
 */
void kvm_mmu_uninit_tdp_mmu(struct kvm *kvm);

/* the mode in which zaps take mmu_lock */
static inline bool kvm_zap_shared(const struct kvm *kvm)
{
	return kvm_switch(kvm, SW_ZAP_UNDER_READ);
}
