// SPDX-License-Identifier: GPL-2.0-only
/*
 * The run loop. Rests on arch/x86/kvm/x86.c of v7.2 (vcpu_run(), vcpu_enter_guest()):
 * which mode, with SRCU and interrupts on or off, at which point.
 */
#include "kvmmmu/own/x86.h"

#include <errno.h>

#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/mmu.h"
#include "kvmmmu/own/vt.h"
#include "sim/engine/lp.h"
#include "sim/engine/mem.h"
#include "sim/engine/task.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

/* The association first, then vcpu->cpu */
static void kvm_arch_vcpu_load(struct kvm_vcpu *vcpu, u16 cpu)
{
	vt_vcpu_load(vcpu, cpu);
	if (mem_read32(&vcpu->cpu) != cpu)
		mem_write32(&vcpu->cpu, cpu);
}

/* vcpu->cpu stays, and so does the module's association */
static void kvm_arch_vcpu_put(struct kvm_vcpu *vcpu)
{
	kvm_warn_on(mem_peek32(&vcpu->mode) != OUTSIDE_GUEST_MODE, NO_GFN,
		    "vCPU put while not outside guest mode");
	vt_vcpu_put(vcpu);
}

/* The thread is switched out with the vCPU loaded, and goes on, perhaps on another LP. */
static void kvm_sched_out(void *vcpu)
{
	kvm_arch_vcpu_put(vcpu);
}

static void kvm_sched_in(void *vcpu)
{
	kvm_arch_vcpu_load(vcpu, lp_self());
}

void vcpu_load(struct kvm_vcpu *vcpu)
{
	static const struct preempt_ops kvm_preempt_ops = { kvm_sched_out, kvm_sched_in };

	preempt_notifier_register(&kvm_preempt_ops, vcpu);
	kvm_arch_vcpu_load(vcpu, lp_self());
}

void vcpu_put(struct kvm_vcpu *vcpu)
{
	kvm_arch_vcpu_put(vcpu);
	preempt_notifier_unregister();
}

bool xfer_to_guest_mode_work_pending(void)
{
	return mem_read32(&actor_self()->tif) & (TIF_SIGPENDING | TIF_NEED_RESCHED);
}

int xfer_to_guest_mode_handle_work(struct kvm_vcpu *vcpu)
{
	if (signal_pending()) {
		world_set(vcpu->exit_reason, KVM_EXIT_INTR);
		return -EINTR;
	}
	cond_resched();
	return 0;
}

int kvm_service_requests(struct kvm_vcpu *vcpu)
{
	if (!kvm_request_pending(vcpu))
		return 1;
	if (kvm_check_request(KVM_REQ_VM_DEAD, vcpu))
		return -EIO;
	if (kvm_check_request(KVM_REQ_MMU_FREE_OBSOLETE_ROOTS, vcpu))
		kvm_mmu_free_obsolete_roots(vcpu);
	if (kvm_check_request(KVM_REQ_TLB_FLUSH, vcpu))	/* kvm_vcpu_flush_tlb_all() */
		vt_flush_tlb_all(vcpu);
	if (kvm_check_request(KVM_REQ_UPDATE_CPU_DIRTY_LOGGING, vcpu))
		vmx_update_cpu_dirty_logging(vcpu);	/* of a VM without TDX alone */
	return 1;
}

/* Mode first: a request without a bit (NO_ACTION) shows only there (F05). */
static bool kvm_vcpu_exit_request(struct kvm_vcpu *vcpu)
{
	if (!kvm_switch(vcpu->kvm, SW_EXIT_REQUEST_IGNORES_MODE)) {
		if (mem_read32(&vcpu->mode) == EXITING_GUEST_MODE)
			return true;
	}
	if (kvm_request_pending(vcpu))
		return true;
	return xfer_to_guest_mode_work_pending();
}

/* The inner loop: interrupts off, mode IN_GUEST or EXITING, SRCU not held. */
static enum fastpath run_fastpath(struct kvm_vcpu *vcpu)
{
	enum fastpath fastpath;

	for (;;) {
		kvm_forget(vcpu->kvm, LOOP_FASTPATH, 0);
		fastpath = vt_vcpu_run(vcpu);
		if (fastpath != EXIT_FASTPATH_REENTER_GUEST)
			return fastpath;
		if (kvm_vcpu_exit_request(vcpu))
			return EXIT_FASTPATH_EXIT_HANDLED;
	}
}

static int vcpu_enter_guest(struct kvm_vcpu *vcpu)
{
	enum fastpath fastpath;
	int r;

	r = kvm_service_requests(vcpu);
	if (r <= 0)
		return r;
	r = kvm_mmu_reload(vcpu);
	if (r)
		return r;
	vt_prepare_switch_to_guest(vcpu);
	local_irq_disable();
	mem_write32(&vcpu->mode, IN_GUEST_MODE);	/* smp_store_release() */
	/*
	 * The barrier between publishing the mode and reading requests and the gate is in
	 * here: smp_mb__after_srcu_read_unlock() is empty.
	 */
	kvm_vcpu_srcu_read_unlock(vcpu);
	if (kvm_vcpu_exit_request(vcpu)) {
		mem_write32(&vcpu->mode, OUTSIDE_GUEST_MODE);
		/* smp_wmb() */
		local_irq_enable();
		kvm_vcpu_srcu_read_lock(vcpu);
		return 1;
	}
	fastpath = run_fastpath(vcpu);
	mem_write32(&vcpu->mode, OUTSIDE_GUEST_MODE);
	/* smp_wmb(): the mode before interrupts, which let the kicker go on */
	local_irq_enable();
	kvm_vcpu_srcu_read_lock(vcpu);
	return vt_handle_exit(vcpu, fastpath);
}

static int vcpu_run(struct kvm_vcpu *vcpu)
{
	int r;

	for (;;) {
		kvm_forget(vcpu->kvm, LOOP_VCPU_RUN, 0);
		r = vcpu_enter_guest(vcpu);
		if (r <= 0)
			return r;
		if (!xfer_to_guest_mode_work_pending())
			continue;
		kvm_vcpu_srcu_read_unlock(vcpu);
		r = xfer_to_guest_mode_handle_work(vcpu);
		kvm_vcpu_srcu_read_lock(vcpu);
		if (r)
			return r;
	}
}

int kvm_arch_vcpu_ioctl_run(struct kvm_vcpu *vcpu)
{
	int r;

	vcpu_load(vcpu);
	kvm_vcpu_srcu_read_lock(vcpu);
	world_set(vcpu->exit_reason, KVM_EXIT_UNKNOWN);
	r = vt_vcpu_pre_run(vcpu);
	if (r > 0)
		r = vcpu_run(vcpu);
	kvm_vcpu_srcu_read_unlock(vcpu);
	vcpu_put(vcpu);
	return r;
}
