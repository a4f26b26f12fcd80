/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The TDP MMU: trees of page tables in simulated memory, mirror ones that the module's S-EPT
 * follows and direct ones that the hardware walks; one code for both (role.is_mirror). Rests
 * on arch/x86/kvm/mmu/tdp_mmu.[ch] and mmu_internal.h of v6.16 and v7.2. Rooms: tdp_mmu.c
 * (entries, tables, map), tdp_roots.c, tdp_zap.c, tdp_protect.c (age, write-protect, split,
 * recover).
 */
#include "kvmmmu/own/kvm_host.h"
#include "kvmmmu/own/spte.h"
#include "kvmmmu/own/tdp_iter.h"
#include "sim/engine/arena.h"

struct region;

/* One page table; struct kvm_mmu_page. What is not marked is written before it is linked. */
struct kvm_mmu_page {
	struct kvm *kvm;
	u64 *spt;		/* the page itself */
	u64 hpa;		/* of spt */
	u64 external_spt;	/* hpa that the module gets for it; 0: root, or direct */
	u64 gfn;
	u64 *ptep;		/* entry that points here; NULL: root */
	struct region *region;
	u8 level;
	bool is_mirror;
	bool tdp_mmu_page;	/* false: a page of the shadow MMU (nx_huge.c) */
	/* roots */
	struct refcount root_count;
	u32 invalid;		/* [step] role.invalid: written under mmu_lock held for write */
	u32 scheduled_to_zap;	/* [step] tdp_mmu_scheduled_root_to_zap, slots_lock */
	u64 link;		/* [step] next in kvm->tdp_mmu_roots */
	/* below a root; tdp_mmu_pages_lock */
	u32 nx_disallowed;	/* [step] nx_huge_page_disallowed */
	u32 nx_listed;		/* [step] !list_empty(&possible_nx_huge_page_link) */
	u64 nx_prev, nx_next;	/* [step] neighbours on that list */
};

struct kvm_page_fault {		/* on the faulting thread's stack */
	u64 gfn;
	bool is_private, prefetch;
	bool write, exec, present, rsvd;
	bool nx_workaround;	/* nx_huge_page_workaround_enabled */
	bool huge_page_disallowed;
	u8 max_level, goal_level, req_level;
	u64 mmu_seq;
	struct kvm_memory_slot *slot;	/* NULL: none, an MMIO entry */
	struct folio *folio;	/* reference held; NULL: none */
	u64 pfn_hpa;
	bool map_writable;
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

/*
 * mmu_lock as the MMU drops it: flush-owed if the running actor owes a TLB flush.
 * @from, @to: gfns that it owned while it held the lock
 */
void kvm_mmu_lock(struct kvm *kvm, bool shared, u64 from, u64 to);
void kvm_mmu_unlock(struct kvm *kvm, bool shared, u64 from, u64 to);
/* kvm_owes_flush - the running actor made an entry less: it may not drop mmu_lock unflushed */
void kvm_owes_flush(struct kvm *kvm);

/* --- tdp_mmu.c: entries and tables ------------------------------------------------------ */

/*
 * tdp_mmu_set_spte_atomic - the RO writer; mmu_lock held for read. 0; -EBUSY: lost the cmpxchg
 * (no side effect) or the module was busy; -EIO: the module failed, the VM is dead. iter->old_spte
 * is what stands there.
 */
int tdp_mmu_set_spte_atomic(struct kvm *kvm, struct tdp_iter *iter, u64 new);
/* tdp_mmu_iter_set_spte - the WR writer; mmu_lock held for write. iter->old_spte: what stood */
void tdp_mmu_iter_set_spte(struct kvm *kvm, struct tdp_iter *iter, u64 new);
/* kvm_tdp_mmu_write_spte - a plain store, or a LOCKed exchange where others write too; the old one */
u64 kvm_tdp_mmu_write_spte(struct kvm *kvm, u64 *sptep, u64 old, u64 new, u8 level);

/* tdp_mmu_init_sp - @sp is the table at @hpa; an own page that nobody sees yet */
void tdp_mmu_init_sp(struct kvm *kvm, struct kvm_mmu_page *sp, u64 hpa, u64 gfn, u8 level,
		     bool mirror);
void tdp_mmu_init_child_sp(struct kvm_mmu_page *sp, u64 hpa, struct tdp_iter *iter);
void tdp_mmu_free_unused_sp(struct kvm_mmu_page *sp);	/* it was never linked */
void tdp_mmu_free_sp_rcu_callback(void *sp);
/* tdp_mmu_split_huge_page - fill @sp and put it in the place of iter's leaf; 0 or -EBUSY */
int tdp_mmu_split_huge_page(struct kvm *kvm, struct tdp_iter *iter, struct kvm_mmu_page *sp,
			    bool shared);

/* is_access_allowed - would @spte, a present leaf, do for @fault? (v7.3: spte_permission_fault()) */
bool is_access_allowed(const struct kvm_page_fault *fault, u64 spte);
/* kvm_tdp_mmu_map - RET_PF_*; mmu_lock held for read, caches topped up */
int kvm_tdp_mmu_map(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault);

/* --- tdp_roots.c ------------------------------------------------------------------------- */

enum kvm_tdp_mmu_root_types {
	KVM_INVALID_ROOTS = 1,
	KVM_DIRECT_ROOTS = 2,
	KVM_MIRROR_ROOTS = 4,
	KVM_VALID_ROOTS = KVM_DIRECT_ROOTS | KVM_MIRROR_ROOTS,
	KVM_ALL_ROOTS = KVM_VALID_ROOTS | KVM_INVALID_ROOTS,
};

/* kvm_tdp_mmu_alloc_root - into vcpu->root or ->mirror_root; takes mmu_lock for read */
void kvm_tdp_mmu_alloc_root(struct kvm_vcpu *vcpu, bool mirror);
bool kvm_tdp_mmu_get_root(struct kvm_mmu_page *root);
void kvm_tdp_mmu_put_root(struct kvm *kvm, struct kvm_mmu_page *root);

/*
 * tdp_mmu_next_root - the root behind @prev (NULL: the first) that is one of @types, with a
 * reference; the one to @prev is put. mmu_lock held, any mode
 */
struct kvm_mmu_page *tdp_mmu_next_root(struct kvm *kvm, struct kvm_mmu_page *prev,
				       enum kvm_tdp_mmu_root_types types);
#define for_each_tdp_mmu_root_yield_safe(kvm, root, types)		\
	for (root = tdp_mmu_next_root(kvm, NULL, types); root;		\
	     root = tdp_mmu_next_root(kvm, root, types))
/* Without references: under mmu_lock held for write, or RCU alone (entries change then). */
struct kvm_mmu_page *tdp_mmu_root_behind(struct kvm *kvm, struct kvm_mmu_page *prev,
					 enum kvm_tdp_mmu_root_types types);
#define for_each_tdp_mmu_root(kvm, root, types)				\
	for (root = tdp_mmu_root_behind(kvm, NULL, types); root;	\
	     root = tdp_mmu_root_behind(kvm, root, types))

/* kvm_tdp_mmu_invalidate_roots - mmu_lock held for write; they will be zapped by the next: */
void kvm_tdp_mmu_invalidate_roots(struct kvm *kvm, enum kvm_tdp_mmu_root_types types);
/* kvm_tdp_mmu_zap_invalidated_roots - takes mmu_lock; puts the TDP MMU's own references */
void kvm_tdp_mmu_zap_invalidated_roots(struct kvm *kvm, bool shared);
/*
 * tdp_mmu_zap_root - take down leaves, then tables, in passes of rising level, so that no
 * pass has to free much at once. mmu_lock held, for read if @shared; may yield.
 */
void tdp_mmu_zap_root(struct kvm *kvm, struct kvm_mmu_page *root, bool shared);
/* kvm_tdp_mmu_zap_all - everything direct, as the last user of the memory goes */
void kvm_tdp_mmu_zap_all(struct kvm *kvm);
/* kvm_mmu_uninit_tdp_mmu - all roots go, mirror ones too: VM destruction. Sleeps */
void kvm_mmu_uninit_tdp_mmu(struct kvm *kvm);

/* --- tdp_zap.c --------------------------------------------------------------------------- */

/* tdp_mmu_iter_need_resched - somebody wants the CPU or the lock, and the walk got further */
bool tdp_mmu_iter_need_resched(struct kvm *kvm, struct tdp_iter *iter);
/* tdp_mmu_iter_zap - by either writer. False: somebody was faster, iter->old_spte is what is there */
bool tdp_mmu_iter_zap(struct kvm *kvm, struct tdp_iter *iter, bool shared);
/* tdp_mmu_iter_cond_resched - true if it yielded: the caller goes on with the next entry */
bool tdp_mmu_iter_cond_resched(struct kvm *kvm, struct tdp_iter *iter, bool flush, bool shared,
			       u64 from, u64 to);

enum kvm_gfn_range_filter { KVM_FILTER_SHARED = 1, KVM_FILTER_PRIVATE = 2 };
enum kvm_tdp_mmu_root_types kvm_gfn_range_filter_to_root_types(const struct kvm *kvm, u32 filter);

/*
 * kvm_tdp_mmu_unmap_gfn_range - zap the leaves of [@start, @end) in the trees of @filter and
 * in invalid ones; may yield if @may_block. Returns whether a TLB flush is owed.
 * kvm_tdp_mmu_zap_leafs - the same over all valid roots (kvm_zap_gfn_range()); may yield
 * mmu_lock held for write (for read under zap-under-read).
 */
bool kvm_tdp_mmu_unmap_gfn_range(struct kvm *kvm, u64 start, u64 end, u32 filter,
				 bool may_block, bool flush);
bool kvm_tdp_mmu_zap_leafs(struct kvm *kvm, u64 start, u64 end, bool flush);

/* the mode in which zaps take mmu_lock */
static inline bool kvm_zap_shared(const struct kvm *kvm)
{
	return kvm_switch(kvm, SW_ZAP_UNDER_READ);
}

/* --- tdp_protect.c ----------------------------------------------------------------------- */

/* RCU alone: was one accessed? The first makes all of them old */
bool kvm_tdp_mmu_age_gfn_range(struct kvm *kvm, u64 start, u64 end);
bool kvm_tdp_mmu_test_age_gfn(struct kvm *kvm, u64 start, u64 end);
/* mmu_lock held for read: write-protect leaves at or above @min_level; is a flush due? */
bool kvm_tdp_mmu_wrprot_slot(struct kvm *kvm, const struct kvm_memory_slot *slot, u8 min_level);
/* mmu_lock held for read: D bits of leaves, or W bits where KVM needs them; a flush is due */
void kvm_tdp_mmu_clear_dirty_slot(struct kvm *kvm, const struct kvm_memory_slot *slot);
/* mmu_lock held for write: the same, or W bits (@wrprot), of 4K leaves of @mask from @gfn */
void kvm_tdp_mmu_clear_dirty_pt_masked(struct kvm *kvm, u64 gfn, u64 mask, bool wrprot);
/* mmu_lock held for write: leaves at or above @min_level are written no more; is a flush due? */
bool kvm_tdp_mmu_write_protect_gfn(struct kvm *kvm, u64 gfn, u8 min_level);
/* mmu_lock held; drops it to allocate */
void kvm_tdp_mmu_try_split_huge_pages(struct kvm *kvm, u64 start, u64 end, u8 target_level,
				      bool shared);
/* mmu_lock held for read: tables whose range could be one leaf become one */
void kvm_tdp_mmu_recover_huge_pages(struct kvm *kvm, const struct kvm_memory_slot *slot);
/* kvm_tdp_mmu_fast_pf_get_last_sptep - RCU held; the deepest entry of the direct walk */
u64 *kvm_tdp_mmu_fast_pf_get_last_sptep(struct kvm_vcpu *vcpu, u64 gfn, u64 *spte);

/* --- nx_huge.c --------------------------------------------------------------------------- */

/* tdp_mmu_pages_lock held; v6.16: or mmu_lock for write */
void track_possible_nx_huge_page(struct kvm *kvm, struct kvm_mmu_page *sp);
void untrack_possible_nx_huge_page(struct kvm *kvm, struct kvm_mmu_page *sp);
/* kvm_recover_nx_huge_pages - the worker: zap what keeps a huge page from being one */
void kvm_recover_nx_huge_pages(struct kvm *kvm);
/* nx_shadow_page - a page of the shadow MMU for @gfn joins the list (v6.16: one list for both) */
void nx_shadow_page(struct kvm *kvm, u64 gfn);
/* nx_zap_shadow_pages - all of them, as their VM goes; mmu_lock held for write */
void nx_zap_shadow_pages(struct kvm *kvm);
