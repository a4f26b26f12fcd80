// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU of a VM without TDX: what KVM does around its guest (kvmmmu/vmx_guest.c). Rests on
 * arch/x86/kvm/vmx/vmx.c of v7.2 (vmx_vcpu_load(), vmx_vcpu_run(), vmx_handle_exit(),
 * handle_ept_violation(), handle_ept_misconfig()).
 */
#include "kvmmmu/own/dirty_log.h"
#include "kvmmmu/own/mmu.h"
#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/vt.h"
#include "sim/engine/clock.h"
#include "sim/engine/hash.h"
#include "sim/engine/lp.h"
#include "sim/engine/mem.h"
#include "sim/engine/tlb.h"
#include "sim/engine/undo.h"
#include "tdxmod/seamcall.h"

struct vmx_guest *vmx_vcpu_create(struct kvm *kvm)
{
	struct vmx_guest *g = vmx_guest_new(kvm->cpu_dirty_log_size);

	if (g->pml.log)
		world_set(g->pml_enabled, !!mem_peek32(&kvm->nr_memslots_dirty_logging));
	return g;
}

void vmx_vcpu_free(struct kvm_vcpu *vcpu)
{
	vmx_guest_free_log(vcpu->vmx);
}

/* --- what the processor caches -------------------------------------------------------- */

/*
 * vmx_vcpu_load_vmcs(): on another LP than the last, what that one has cached of this VM's
 * tables is of nobody knows when
 */
void vmx_vcpu_load(struct kvm_vcpu *vcpu, u16 cpu)
{
	if (vcpu->vmx->loaded_cpu == cpu)
		return;
	sim_charge(COST_VMPTRLD, 1);
	mem_bts64(&vcpu->requests, KVM_REQ_TLB_FLUSH & KVM_REQUEST_MASK);
	world_set(vcpu->vmx->loaded_cpu, cpu);
}

void vmx_load_mmu_pgd(struct kvm_vcpu *vcpu)
{
	world_set(vcpu->vmx->eptp, vcpu->root->hpa);
}

void vmx_flush_tlb_current(struct kvm_vcpu *vcpu)
{
	if (vcpu->root)
		tlb_flush(tlb_of(lp_self()), vcpu->root->hpa);
}

/* --- the guest -------------------------------------------------------------------------- */

static void written(void *ctx, u64 gfn)
{
	dirty_log_written(ctx, gfn);
}

enum fastpath vmx_vcpu_run(struct kvm_vcpu *vcpu)
{
	struct vmx_host host = {
		.vcpu_id = vcpu->vcpu_id, .levels = vcpu->kvm->levels,
		.ad = vcpu->kvm->ad_enabled,
		.loop = hash_fold(actor_self()->key, LOOP_GUEST, 0),
		.written = written, .ctx = vcpu->kvm,
	};
	struct vmx_exit x;

	vmx_guest_run(vcpu->vmx, &host, &x);
	if (x.reason == EXIT_REASON_EPT_VIOLATION || x.reason == EXIT_REASON_EPT_MISCONFIG) {
		world_set(vcpu->exit_gpa, x.gpa);
		world_set(vcpu->exit_qual, x.qual);
	}
	world_set(vcpu->vp_enter_ret, x.reason);
	return EXIT_FASTPATH_NONE;
}

/* --- exits -------------------------------------------------------------------------------- */

/* vmx_flush_pml_buffer(): the slot may have another log since, or none */
static void mark_dirty(void *ctx, u64 gpa)
{
	kvm_vcpu_mark_page_dirty(ctx, gpa >> PAGE_SHIFT);
}

/* Another request follows if the number changes meanwhile. */
void vmx_update_cpu_dirty_logging(struct kvm_vcpu *vcpu)
{
	bool on = mem_read32(&vcpu->kvm->nr_memslots_dirty_logging);

	world_set(vcpu->vmx->pml_enabled, on);
}

int vmx_handle_exit(struct kvm_vcpu *vcpu)
{
	u64 gfn = vcpu->exit_gpa >> PAGE_SHIFT;

	vmx_pml_drain(vcpu->vmx, mark_dirty, vcpu);
	switch (vcpu->vp_enter_ret) {
	case EXIT_REASON_EPT_VIOLATION:
		return kvm_mmu_page_fault(vcpu, gfn, pferr_of(vcpu->exit_qual));
	case EXIT_REASON_EPT_MISCONFIG:
		return kvm_mmu_page_fault(vcpu, gfn, PFERR_RSVD_MASK);
	case EXIT_REASON_HLT:
		world_set(vcpu->exit_reason, KVM_EXIT_HLT);
		return 0;
	default:	/* an interrupt; handle_pml_full(): the log is empty by now */
		return 1;
	}
}
