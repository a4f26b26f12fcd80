// SPDX-License-Identifier: GPL-2.0-only
/*
 * In place of arch/x86/kvm/x86.c: KVM_RUN, from the ioctl to the entry and back, and a fault
 * without a guest, which goes the same way. imitated.txt as for glue_x86.c.
 */
#include "mmu.h"
#include "mmu/mmu_internal.h"
#include "x86.h"
#include "lapic.h"
#include "vmx/vmx.h"
#include "vmx/x86_ops.h"
#include "vmx/tdx.h"
#include "kvmmmu/kernel/glue.h"

static int handle_work(struct kvm_vcpu *vcpu)
{
	if (signal_pending(current)) {
		vcpu->run->exit_reason = KVM_EXIT_INTR;
		return -EINTR;
	}
	cond_resched();
	return 0;
}

int ktree_service_requests(struct kvm_vcpu *vcpu)
{
	if (!kvm_request_pending(vcpu))
		return 1;
#ifdef VM_DEAD_TESTED
	if (kvm_test_request(KVM_REQ_VM_DEAD, vcpu))
#else
	if (kvm_check_request(KVM_REQ_VM_DEAD, vcpu))
#endif
		return -EIO;
	if (kvm_check_request(KVM_REQ_MMU_FREE_OBSOLETE_ROOTS, vcpu))
		kvm_mmu_free_obsolete_roots(vcpu);
	if (kvm_check_request(KVM_REQ_LOAD_MMU_PGD, vcpu))
		kvm_mmu_load_pgd(vcpu);
	if (kvm_check_request(KVM_REQ_TLB_FLUSH, vcpu))
		kvm_x86_call(flush_tlb_all)(vcpu);
	if (kvm_check_request(KVM_REQ_TLB_FLUSH_CURRENT, vcpu))
		kvm_x86_call(flush_tlb_current)(vcpu);
	if (kvm_check_request(KVM_REQ_UPDATE_CPU_DIRTY_LOGGING, vcpu))
		kvm_x86_call(update_cpu_dirty_logging)(vcpu);
	return 1;
}

/* Mode before requests: a request without a bit shows only there. */
bool kvm_vcpu_exit_request(struct kvm_vcpu *vcpu)
{
	return READ_ONCE(vcpu->mode) == EXITING_GUEST_MODE || kvm_request_pending(vcpu) ||
	       ksim_work_pending();
}

static int enter(struct kvm_vcpu *vcpu)
{
	fastpath_t fastpath;
	int r;

	r = ktree_service_requests(vcpu);
	if (r <= 0)
		return r;
	r = kvm_mmu_reload(vcpu);
	if (r)
		return r;
	kvm_x86_call(prepare_switch_to_guest)(vcpu);
	local_irq_disable();
	smp_store_release(&vcpu->mode, IN_GUEST_MODE);
	kvm_vcpu_srcu_read_unlock(vcpu);
	smp_mb__after_srcu_read_unlock();
	if (kvm_vcpu_exit_request(vcpu)) {
		WRITE_ONCE(vcpu->mode, OUTSIDE_GUEST_MODE);
		local_irq_enable();
		kvm_vcpu_srcu_read_lock(vcpu);
		return 1;
	}
	for (;;) {
		ksim_forget_loop(vcpu->kvm, 3);
		fastpath = kvm_x86_call(vcpu_run)(vcpu, 0);
		if (fastpath != EXIT_FASTPATH_REENTER_GUEST)
			break;
		if (kvm_vcpu_exit_request(vcpu)) {
			fastpath = EXIT_FASTPATH_EXIT_HANDLED;
			break;
		}
	}
	WRITE_ONCE(vcpu->mode, OUTSIDE_GUEST_MODE);
	local_irq_enable();
	kvm_vcpu_srcu_read_lock(vcpu);
	return kvm_x86_call(handle_exit)(vcpu, fastpath);
}

int ktree_vcpu_run_loop(struct kvm_vcpu *vcpu)
{
	int r;

	for (;;) {
		ksim_forget_loop(vcpu->kvm, 2);
		r = enter(vcpu);
		if (r <= 0)
			return r;
		if (!ksim_work_pending())
			continue;
		kvm_vcpu_srcu_read_unlock(vcpu);
		r = handle_work(vcpu);
		kvm_vcpu_srcu_read_lock(vcpu);
		if (r)
			return r;
	}
}

int kvm_arch_vcpu_ioctl_run(struct kvm_vcpu *vcpu)
{
	int r = 1;

	vcpu_load(vcpu);
	kvm_vcpu_srcu_read_lock(vcpu);
	vcpu->run->exit_reason = KVM_EXIT_UNKNOWN;
	if (vcpu->arch.complete_userspace_io) {
		int (*cui)(struct kvm_vcpu *) = vcpu->arch.complete_userspace_io;

		vcpu->arch.complete_userspace_io = NULL;
		r = cui(vcpu);
	}
#ifdef HAVE_PRE_RUN
	if (r > 0)
		r = kvm_x86_call(vcpu_pre_run)(vcpu);
#else
	if (r > 0 && kvm_x86_call(vcpu_needs_initialization)(vcpu))
		r = -EINVAL;
#endif
	if (r > 0)
		r = ktree_vcpu_run_loop(vcpu);
	kvm_vcpu_srcu_read_unlock(vcpu);
	vcpu_put(vcpu);
	return r;
}

int kvm_arch_vcpu_should_kick(struct kvm_vcpu *vcpu)
{
	return kvm_vcpu_exiting_guest_mode(vcpu) == IN_GUEST_MODE;
}

/* An instruction is left out: one access, faulted in as the exit would. */
int ktree_fault(void *v, unsigned long gfn, int is_shared)
{
	struct kvm_vcpu *vcpu = v;
	int r;

	vcpu_load(vcpu);
	for (;;) {
		ksim_forget_loop(vcpu->kvm, 5);
		r = ktree_service_requests(vcpu);
		if (r < 0)
			break;
		r = kvm_mmu_reload(vcpu);
		if (r)
			break;
		kvm_vcpu_srcu_read_lock(vcpu);
		r = ktree_is_td(vcpu->kvm) ? ktree_td_fault(vcpu, gfn, is_shared) :
					ktree_vmx_fault(vcpu, gfn);
		kvm_vcpu_srcu_read_unlock(vcpu);
		if (r != RET_PF_RETRY)
			break;
		/* the guest would find a #VE there, and not come back for it */
		if (is_shared && ktree_is_td(vcpu->kvm) && ksim_is_mmio(vcpu->kvm, gfn)) {
			r = 0;
			break;
		}
		if (ksim_work_pending()) {
			r = handle_work(vcpu);
			if (r)
				break;
		}
		ksim_count_retry();
	}
	vcpu_put(vcpu);
	return r < 0 ? r : 0;
}
