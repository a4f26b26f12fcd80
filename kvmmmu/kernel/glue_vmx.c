// SPDX-License-Identifier: GPL-2.0-only
/*
 * In place of arch/x86/kvm/vmx/vmx.c: a vCPU without TDX, reduced to what the MMU sees of it. Its
 * guest runs on the model of the processor (host_vmx.c). imitated.txt names the functions.
 */
#include "mmu.h"
#include "x86.h"
#include "vmx/vmx.h"
#include "vmx/x86_ops.h"
#include "vmx/common.h"
#include "kvmmmu/kernel/glue.h"

static struct vcpu_vmx *to_vmx(struct kvm_vcpu *vcpu)
{
	return container_of(vcpu, struct vcpu_vmx, vcpu);
}

unsigned int ktree_vmx_vcpu_size(void) { return sizeof(struct vcpu_vmx); }
void *ktree_peek_guest(void *vcpu) { return to_vmx(vcpu)->guest; }

int ktree_vmx_create(struct kvm_vcpu *vcpu)
{
	struct vcpu_vmx *vmx = to_vmx(vcpu);

	vmx->guest = ksim_vmx_new(vcpu->kvm->arch.cpu_dirty_log_size);
	if (vcpu->kvm->arch.cpu_dirty_log_size)
		ksim_vmx_pml(vmx->guest, atomic_read(&vcpu->kvm->nr_memslots_dirty_logging));
	return 0;
}

void ktree_vmx_free(struct kvm_vcpu *vcpu)
{
	ksim_vmx_free(to_vmx(vcpu)->guest);
}

/* vmx_vcpu_load_vmcs(): on another LP what that one has cached is of nobody knows when */
void ktree_vmx_load(struct kvm_vcpu *vcpu, int cpu)
{
	if (ksim_vmx_comes(to_vmx(vcpu)->guest, cpu))
		kvm_make_request(KVM_REQ_TLB_FLUSH, vcpu);
}

/* For one that was created just now, by nobody's thread: no LP has it */
void ktree_vmx_unload(struct kvm_vcpu *vcpu)
{
	ksim_vmx_comes(to_vmx(vcpu)->guest, -1);
	vcpu->cpu = -1;
	vcpu->requests = 0;
}

void ktree_vmx_load_pgd(struct kvm_vcpu *vcpu, unsigned long root)
{
	ksim_vmx_set_root(to_vmx(vcpu)->guest, root);
}

void ktree_vmx_flush_current(struct kvm_vcpu *vcpu)
{
	if (VALID_PAGE(vcpu->arch.mmu->root.hpa))
		ksim_vmx_flush(vcpu->arch.mmu->root.hpa);
}

void ktree_vmx_update_logging(struct kvm_vcpu *vcpu)
{
	ksim_vmx_pml(to_vmx(vcpu)->guest, atomic_read(&vcpu->kvm->nr_memslots_dirty_logging));
}

void ktree_vmx_run(struct kvm_vcpu *vcpu)
{
	struct vcpu_vmx *vmx = to_vmx(vcpu);
	struct ksim_vmx_exit x;

	ksim_vmx_run(vmx->guest, vcpu->kvm, vcpu->vcpu_id, &x);
	vmx->vt.exit_reason.full = x.reason;
	vmx->vt.exit_qualification = x.qual;
	vmx->exit_gpa = x.gpa;
}

static void mark_dirty(void *vcpu, unsigned long gfn)
{
	kvm_vcpu_mark_page_dirty(vcpu, gfn);
}

int ktree_vmx_handle_exit(struct kvm_vcpu *vcpu)
{
	struct vcpu_vmx *vmx = to_vmx(vcpu);

	ksim_vmx_drain(vmx->guest, mark_dirty, vcpu);
	switch (vmx->vt.exit_reason.basic) {
	case EXIT_REASON_EPT_VIOLATION:
		return __vmx_handle_ept_violation(vcpu, vmx->exit_gpa, vmx->vt.exit_qualification);
	case EXIT_REASON_EPT_MISCONFIG:
		return kvm_mmu_page_fault(vcpu, vmx->exit_gpa, PFERR_RSVD_MASK, NULL, 0);
	case EXIT_REASON_HLT:
		return kvm_emulate_halt_noskip(vcpu);
	default:	/* an interrupt; handle_pml_full(): the log is empty by now */
		return 1;
	}
}

/* One access of the guest, a write, with the entry left out */
int ktree_vmx_fault(struct kvm_vcpu *vcpu, unsigned long gfn)
{
	return kvm_mmu_page_fault(vcpu, gfn << PAGE_SHIFT, PFERR_WRITE_MASK, NULL, 0);
}

void ktree_skip_instruction(void *vcpu)
{
	ksim_vmx_skip(to_vmx(vcpu)->guest);
}
