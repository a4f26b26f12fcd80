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
u64 mmu_memory_cache_alloc(struct kvm_mmu_memory_cache *mc);
static inline void *mmu_memory_cache_alloc_ptr(struct kvm_mmu_memory_cache *mc)
{
	return (void *)mmu_memory_cache_alloc(mc);
}
void mmu_free_memory_caches(struct kvm_vcpu *vcpu);

/* kvm_mem_is_private - the attribute of @gfn; one step */
bool kvm_mem_is_private(struct kvm *kvm, u64 gfn);

/*
 * kvm_mmu_do_page_fault - RET_PF_*, or -EFAULT (a memory-fault exit is prepared), -EAGAIN
 * (prefetch of an INVALID memslot), -EOPNOTSUPP (a shared access: vcpu->not_supported).
 * SRCU held, no other lock.
 */
int kvm_mmu_do_page_fault(struct kvm_vcpu *vcpu, u64 gfn, bool is_private, bool prefetch);

/* kvm_tdp_map_page - prefault's loop: 0 or a negative errno */
int kvm_tdp_map_page(struct kvm_vcpu *vcpu, u64 gfn);

/* kvm_zap_gfn_range - zap [@start, @end) in every valid root */
void kvm_zap_gfn_range(struct kvm *kvm, u64 start, u64 end);
