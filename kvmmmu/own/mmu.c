// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page-fault path above the TDP MMU. Rests on arch/x86/kvm/mmu/mmu.c of v7.2.
 */
#include "kvmmmu/own/mmu.h"

#include <errno.h>

#include "kvmmmu/own/guest_memfd.h"
#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/policy.h"
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

u64 mmu_memory_cache_alloc(struct kvm_mmu_memory_cache *mc)
{
	u64 object = mc->objects[mc->nobjs - 1];	/* topped up: never empty here */

	world_set(mc->nobjs, mc->nobjs - 1);
	return object;
}

void mmu_topup_memory_caches(struct kvm_vcpu *vcpu)
{
	while (vcpu->page_header.nobjs < PT64_ROOT_MAX_LEVEL)
		cache_put(&vcpu->page_header, (u64)world_alloc(sizeof(struct kvm_mmu_page)));
	while (vcpu->shadow_page.nobjs < PT64_ROOT_MAX_LEVEL) {
		u64 hpa = page_alloc();

		mmu_init_shadow_page(hpa);
		sim_charge(COST_PAGE_CLEAR_4K, 1);
		cache_put(&vcpu->shadow_page, hpa);
	}
	while (vcpu->external_spt.nobjs < PT64_ROOT_MAX_LEVEL) {
		cache_put(&vcpu->external_spt, page_alloc());
		sim_charge(COST_PAGE_CLEAR_4K, 1);
	}
}

void mmu_free_memory_caches(struct kvm_vcpu *vcpu)
{
	while (vcpu->page_header.nobjs)
		world_free(mmu_memory_cache_alloc_ptr(&vcpu->page_header),
			   sizeof(struct kvm_mmu_page));
	while (vcpu->shadow_page.nobjs)
		page_free(mmu_memory_cache_alloc(&vcpu->shadow_page));
	while (vcpu->external_spt.nobjs)
		page_free(mmu_memory_cache_alloc(&vcpu->external_spt));
}

bool kvm_mem_is_private(struct kvm *kvm, u64 gfn)
{
	struct gfn_chunk *c = gfn_chunk(kvm, gfn);

	return mem_read8(&c->attributes[gfn % CHUNK_GFNS]) & KVM_MEMORY_ATTRIBUTE_PRIVATE;
}

/* kvm_mmu_prepare_memory_fault_exit() */
static int memory_fault_exit(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	world_set(vcpu->exit_reason, KVM_EXIT_MEMORY_FAULT);
	world_set(vcpu->fault_gfn, fault->gfn);
	world_set(vcpu->fault_private, fault->is_private);
	return -EFAULT;
}

/*
 * kvm_mmu_faultin_pfn() - the snapshot of mmu_invalidate_seq comes before everything that
 * an invalidation may change, the attribute included. smp_rmb() is nothing on
 * x86.
 */
static int kvm_mmu_faultin_pfn(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	struct kvm *kvm = vcpu->kvm;

	fault->mmu_seq = mem_read64(&kvm->mmu_invalidate_seq);
	if (fault->is_private != kvm_mem_is_private(kvm, fault->gfn))
		return memory_fault_exit(vcpu, fault);
	if (!fault->slot)	/* kvm_handle_noslot_fault() of a private access */
		return memory_fault_exit(vcpu, fault);
	if (kvm_memslot_is_invalid(fault->slot)) {
		if (fault->prefetch && !kvm_switch(kvm, SW_PREFAULT_RETRIES_INVALID))
			return -EAGAIN;
		return RET_PF_RETRY;
	}
	if (mmu_invalidate_retry_gfn_unsafe(kvm, fault->mmu_seq, fault->gfn))
		return RET_PF_RETRY;
	if (!fault->is_private) {	/* the direct tree */
		world_set(vcpu->not_supported, true);
		return -EOPNOTSUPP;
	}
	fault->folio = kvm_gmem_get_pfn(kvm, fault->gfn, &fault->pfn_hpa);
	if (mmu_invalidate_retry_gfn_unsafe(kvm, fault->mmu_seq, fault->gfn)) {
		kvm_release_faultin_page(fault->folio);
		return RET_PF_RETRY;
	}
	return RET_PF_CONTINUE;
}

/* The direct root decides, even for a private fault. */
static bool is_page_fault_stale(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	if (mem_read32(&vcpu->root->invalid))
		return true;
	return mmu_invalidate_retry_gfn(vcpu->kvm, fault->mmu_seq, fault->gfn);
}

static int kvm_tdp_mmu_page_fault(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	struct kvm *kvm = vcpu->kvm;
	bool shared = !kvm->policy->fault_excludes;
	int r;

	/* fast_page_fault(): an S-EPT violation says "not present", so never useful here */
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

int kvm_mmu_do_page_fault(struct kvm_vcpu *vcpu, u64 gfn, bool is_private, bool prefetch)
{
	struct kvm_page_fault fault = {
		.gfn = gfn,
		.is_private = is_private,
		.prefetch = prefetch,
		.req_level = PG_LEVEL_4K,
		.goal_level = PG_LEVEL_4K,	/* a TD's mapping level in these kernels */
		.slot = kvm_vcpu_gfn_to_memslot(vcpu, gfn),
	};

	return kvm_tdp_mmu_page_fault(vcpu, &fault);
}

int kvm_tdp_map_page(struct kvm_vcpu *vcpu, u64 gfn)
{
	int r;

	do {
		kvm_forget(vcpu->kvm, LOOP_PREFAULT, gfn);
		if (signal_pending())
			return -EINTR;
		if (kvm_check_request(KVM_REQ_VM_DEAD, vcpu))
			return -EIO;
		cond_resched();
		r = kvm_mmu_do_page_fault(vcpu, gfn, true, true);
		if (r == RET_PF_RETRY)
			count(COUNT_RETRIES, 1);
	} while (r == RET_PF_RETRY);
	if (r < 0)
		return r;
	return r == RET_PF_FIXED || r == RET_PF_SPURIOUS ? 0 : -EFAULT;
}

/*
 * Under zap-under-read it is the zapping of those that do hold mmu_lock for read (roots,
 * NX recovery): no invalidation window, whose counters want the write lock.
 */
void kvm_zap_gfn_range(struct kvm *kvm, u64 start, u64 end)
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
