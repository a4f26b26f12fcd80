// SPDX-License-Identifier: GPL-2.0-only
/*
 * The initial image: KVM_TDX_INIT_MEM_REGION, a page at a time, measured. v7.2 adds the page
 * to the TD where the mirror's entry is frozen; v6.16 to v6.18 map the mirror first and add
 * the page later, with no lock of the MMU (SW_PREMAP, V9). Rests on arch/x86/kvm/vmx/tdx.c of
 * v7.2 and v6.16.
 */
#include <errno.h>

#include "kvmmmu/own/guest_memfd.h"
#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/mmu.h"
#include "kvmmmu/own/policy.h"
#include "kvmmmu/own/tdx.h"
#include "kvmmmu/own/x86.h"
#include "sim/engine/task.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"
#include "tdxmod/seamcall.h"

#define TDX_EXTENDMR_CHUNKSIZE	256u

/*
 * PAGE.ADD of the page that is being mapped. 0; -EBUSY: nothing changed; -EIO: the VM is dead
 * before v6.19 an error is user space's alone (V9)
 */
static u64 page_add(struct kvm *kvm, u64 gfn, u64 hpa, u64 src)
{
	struct tdx_call call = {
		.leaf = TDH_MEM_PAGE_ADD, .rcx = gfn << PAGE_SHIFT, .rdx = kvm->tdr, .r8 = hpa,
		.r9 = src, .gfn = gfn,
	};

	return kvm->policy->build(kvm, &call);
}

int tdx_mem_page_add(struct kvm *kvm, u64 gfn, u64 hpa)
{
	struct tdx_call call = { .leaf = TDH_MEM_PAGE_ADD, .gfn = gfn };
	u64 err;

	if (kvm_switch(kvm, SW_PREMAP)) {	/* tdx_mem_page_record_premap_cnt() */
		if (kvm_bug_on(kvm, mem_read32(&kvm->pre_fault_allowed), gfn,
			       "private page mapped before MR.FINALIZE, and prefault is allowed"))
			return -EIO;
		mem_xadd64(&kvm->nr_premapped, 1);
		return 0;
	}
	lockdep_assert_held(&kvm->slots_lock.info);
	if (kvm_bug_on(kvm, mem_read32(&kvm->pre_fault_allowed), gfn,
		       "private page mapped before MR.FINALIZE, and prefault is allowed"))
		return -EIO;
	if (kvm_bug_on(kvm, !kvm->page_add_src, gfn,
		       "private page mapped before MR.FINALIZE outside INIT_MEM_REGION"))
		return -EIO;
	err = page_add(kvm, gfn, hpa, kvm->page_add_src);
	if (policy_operand_busy(err))
		return -EBUSY;
	return tdx_bug_on(kvm, err, &call) ? -EIO : 0;
}

/* The measurement, 256 bytes at a time; it cannot be taken back. */
static int extend(struct kvm *kvm, u64 gfn)
{
	struct tdx_call call = { .leaf = TDH_MR_EXTEND, .rdx = kvm->tdr, .gfn = gfn };
	bool quiet = kvm_switch(kvm, SW_PREMAP);
	u64 i, err;

	for (i = 0; i < PAGE_SIZE; i += TDX_EXTENDMR_CHUNKSIZE) {
		call.rcx = (gfn << PAGE_SHIFT) + i;
		err = kvm->policy->build(kvm, &call);
		if (quiet && err)
			return -EIO;
		if (tdx_bug_on(kvm, err, &call))
			return -EIO;
	}
	return 0;
}

/* v6.16: the mirror alone first; whoever takes it down meanwhile finds a free S-EPT entry. */
static int premap_and_add(struct kvm_vcpu *vcpu, u64 gfn, u64 hpa, u64 src)
{
	struct kvm *kvm = vcpu->kvm;
	u64 err;
	u8 level;
	int ret = kvm_tdp_page_prefault(vcpu, gfn, PFERR_PRIVATE_ACCESS, &level);

	if (ret < 0)
		return ret;
	err = page_add(kvm, gfn, hpa, src);
	if (err)
		return policy_operand_busy(err) ? -EBUSY : -EIO;
	if (!kvm_bug_on(kvm, !mem_read64(&kvm->nr_premapped), gfn, "no page is premapped"))
		mem_xadd64(&kvm->nr_premapped, -1);
	return extend(kvm, gfn);
}

/* Between the two the sides differ, by design: nobody is quiescent at the gfn. */
static int post_populate_premap(struct kvm_vcpu *vcpu, u64 gfn, u64 hpa, u64 src)
{
	struct kvm *kvm = vcpu->kvm;
	int ret;

	trace_own(kvm->name, gfn, gfn + 1);
	ret = premap_and_add(vcpu, gfn, hpa, src);
	trace_disown(kvm->name, gfn, gfn + 1);
	return ret;
}

/* slots_lock and filemap_invalidate_lock held */
int tdx_gmem_post_populate(struct kvm_vcpu *vcpu, u64 gfn, u64 hpa, u64 src)
{
	struct kvm *kvm = vcpu->kvm;
	int ret;

	if (kvm_switch(kvm, SW_PREMAP))
		return post_populate_premap(vcpu, gfn, hpa, src);
	if (kvm_bug_on(kvm, kvm->page_add_src, gfn, "a page is being added already"))
		return -EIO;
	world_set(kvm->page_add_src, src);
	ret = kvm_tdp_mmu_map_private_pfn(vcpu, gfn, hpa);
	world_set(kvm->page_add_src, 0);
	return ret ? ret : extend(kvm, gfn);
}

/* User space's source pages: one frame stands for them, contents do not exist (T1). */
static int add_region(struct kvm_vcpu *vcpu, u64 start, u64 end, u64 src)
{
	int ret = 0;

	for (u64 gfn = start; gfn < end && !ret; gfn++) {
		if (signal_pending())
			return -EINTR;
		ret = kvm_gmem_populate(vcpu, gfn, src);
		cond_resched();
	}
	return ret;
}

int tdx_vcpu_init_mem_region(struct kvm_vcpu *vcpu, u64 start, u64 end)
{
	struct kvm *kvm = vcpu->kvm;
	bool own = kvm_switch(kvm, SW_IOCTL_LOCKS_OWN);
	int ret = 0;
	u64 src;

	if (mem_read32(&vcpu->tdx_state) != VCPU_TD_STATE_INITIALIZED)
		return -EINVAL;
	policy_tdr_lock(kvm, true);
	if (own)
		mutex_lock(&kvm->slots_lock);
	if (kvm_switch(kvm, SW_PREMAP))
		ret = kvm_mmu_reload(vcpu);
	if (!ret) {
		src = page_alloc();
		ret = add_region(vcpu, start, end, src);
		page_free(src);
	}
	if (own)
		mutex_unlock(&kvm->slots_lock);
	policy_tdr_unlock(kvm, true);
	return ret;
}
