// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two kinds of VM behind one set of operations. Rests on arch/x86/kvm/vmx/main.c
 * (vt_*()) and vmx/common.h of v7.2.
 */
#include "kvmmmu/own/vt.h"

#include "kvmmmu/own/tdp_mmu.h"
#include "kvmmmu/own/tdx.h"
#include "sim/engine/lp.h"
#include "sim/engine/tlb.h"

#define EPT_VIOLATION_ACC_WRITE	(1ull << 1)
#define EPT_VIOLATION_ACC_INSTR	(1ull << 2)
#define EPT_VIOLATION_PROT_MASK	(7ull << 3)

u64 pferr_of(u64 exit_qualification)
{
	u64 code = 0;

	if (exit_qualification & EPT_VIOLATION_ACC_WRITE)
		code |= PFERR_WRITE_MASK;
	if (exit_qualification & EPT_VIOLATION_ACC_INSTR)
		code |= PFERR_FETCH_MASK;
	if (exit_qualification & EPT_VIOLATION_PROT_MASK)
		code |= PFERR_PRESENT_MASK;
	return code;
}

void vt_vcpu_load(struct kvm_vcpu *vcpu, u16 cpu)
{
	if (is_td(vcpu->kvm))
		tdx_vcpu_load(vcpu, cpu);
	else
		vmx_vcpu_load(vcpu, cpu);
}

void vt_vcpu_put(struct kvm_vcpu *vcpu)
{
	if (is_td(vcpu->kvm))
		tdx_vcpu_put(vcpu);
}

int vt_vcpu_pre_run(struct kvm_vcpu *vcpu)
{
	return is_td(vcpu->kvm) ? tdx_vcpu_pre_run(vcpu) : 1;
}

void vt_prepare_switch_to_guest(struct kvm_vcpu *vcpu)
{
	if (is_td(vcpu->kvm))
		tdx_prepare_switch_to_guest(vcpu);
}

enum fastpath vt_vcpu_run(struct kvm_vcpu *vcpu)
{
	return is_td(vcpu->kvm) ? tdx_vcpu_run(vcpu) : vmx_vcpu_run(vcpu);
}

int vt_handle_exit(struct kvm_vcpu *vcpu, enum fastpath fastpath)
{
	return is_td(vcpu->kvm) ? tdx_handle_exit(vcpu, fastpath) : vmx_handle_exit(vcpu);
}

int vt_load_mmu_pgd(struct kvm_vcpu *vcpu)
{
	if (is_td(vcpu->kvm))
		return tdx_load_mmu_pgd(vcpu, vcpu->root->hpa);
	vmx_load_mmu_pgd(vcpu);
	return 0;
}

/*
 * kvm_vcpu_flush_tlb_current(). Shared translations of a TD have the tag of its private ones, and KVM does not know that
 * pointer: everything goes. tdx_flush_tlb_current(), tdx_flush_tlb_all()
 */
void vt_flush_tlb_current(struct kvm_vcpu *vcpu)
{
	if (is_td(vcpu->kvm))
		tlb_flush_all(tlb_of(lp_self()));
	else
		vmx_flush_tlb_current(vcpu);
}

void vt_flush_tlb_all(struct kvm_vcpu *vcpu)
{
	tlb_flush_all(tlb_of(lp_self()));	/* vmx_flush_tlb_all(), too */
}
