/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * From an access to the TDP MMU: caches, faultin, staleness. Rests on
 * arch/x86/kvm/mmu/mmu.c of v7.2.
 */
#include "kvmmmu/own/kvm_host.h"
#include "kvmmmu/own/tdp_mmu.h"

/* mmu_init_shadow_page - all 512 entries empty, as the cache's init_value; set-up or own page */
void mmu_init_shadow_page(u64 hpa);

/* Filled before mmu_lock is taken, so that nothing is allocated under it. */
void mmu_topup_memory_caches(struct kvm_vcpu *vcpu);
u64 kvm_mmu_memory_cache_alloc(struct kvm_mmu_memory_cache *mc);
static inline void *mmu_memory_cache_alloc_ptr(struct kvm_mmu_memory_cache *mc)
{
	return (void *)kvm_mmu_memory_cache_alloc(mc);
}
void mmu_free_memory_caches(struct kvm_vcpu *vcpu);

/* kvm_mem_is_private - the attribute of @gfn; one step, or none in a VM without TDX */
bool kvm_mem_is_private(struct kvm *kvm, u64 gfn);

/* hugepage_test_mixed - do attributes differ in the @n gfns from @gfn? No step. */
bool hugepage_test_mixed(struct kvm *kvm, u64 gfn, u64 n);

/* kvm_mmu_max_mapping_level - by slot, attributes and host page; mmu_lock held */
u8 kvm_mmu_max_mapping_level(struct kvm *kvm, const struct kvm_page_fault *fault,
			     const struct kvm_memory_slot *slot, u64 gfn);
void kvm_mmu_hugepage_adjust(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault);

/*
 * kvm_mmu_do_page_fault - RET_PF_*, or -EFAULT (a memory-fault exit is prepared), -EAGAIN
 * (prefetch of an INVALID memslot). SRCU held, no other lock.
 * kvm_mmu_page_fault - the same of a guest's access, MMIO included: also 0, KVM_EXIT_MMIO
 * @error_code: PFERR_*; @level: which the fault asked for in the end, or NULL
 */
int kvm_mmu_do_page_fault(struct kvm_vcpu *vcpu, u64 gfn, u64 error_code, bool prefetch,
			  u8 *level);
int kvm_mmu_page_fault(struct kvm_vcpu *vcpu, u64 gfn, u64 error_code);

/* kvm_tdp_page_prefault - prefault's loop: 0, with the @level of what is there, or a negative errno */
int kvm_tdp_page_prefault(struct kvm_vcpu *vcpu, u64 gfn, u64 error_code, u8 *level);

/*
 * kvm_mmu_reload - roots are loaded, if none are: then the LP's TLB is flushed. 0, or -EIO of
 * a VM that died of it. kvm_mmu_free_obsolete_roots - let go of an invalid one. vCPU loaded.
 */
int kvm_mmu_reload(struct kvm_vcpu *vcpu);
void kvm_mmu_free_obsolete_roots(struct kvm_vcpu *vcpu);
/* kvm_mmu_destroy - roots and caches of a vCPU that goes; SRCU is not needed: nobody else is */
void kvm_mmu_destroy(struct kvm_vcpu *vcpu);

/*
 * kvm_tdp_mmu_map_private_pfn - map the page at @hpa for the initial image: 0, -EINTR, -EIO.
 * It goes round as long as the module is busy. slots_lock, filemap_invalidate_lock held
 */
int kvm_tdp_mmu_map_private_pfn(struct kvm_vcpu *vcpu, u64 gfn, u64 hpa);

/* kvm_zap_gfn_range - zap [@start, @end) in every valid root */
void kvm_zap_gfn_range(struct kvm *kvm, u64 start, u64 end);

/*
 * kvm_mmu_zap_all_fast(), in halves: slots_lock held, the first under mmu_lock held for write,
 * the second without
 */
void kvm_mmu_zap_all_fast_front_half(struct kvm *kvm);
void kvm_mmu_zap_all_fast_back_half(struct kvm *kvm);

/* kvm_mmu_recover_huge_pages - what could be huge in @slot becomes so; takes mmu_lock */
void kvm_mmu_recover_huge_pages(struct kvm *kvm, const struct kvm_memory_slot *slot);
