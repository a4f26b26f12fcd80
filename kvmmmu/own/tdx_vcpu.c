// SPDX-License-Identifier: GPL-2.0-only
/*
 * A TD's vCPU that runs: TDH.VP.ENTER behind the gate, what its exits mean, EPT violations
 * with their local retries. Rests on arch/x86/kvm/vmx/tdx.c of v7.2 (the same in v6.16
 * where no switch says otherwise). Which LP it belongs to: tdx_assoc.c.
 */
#include "kvmmmu/own/tdx.h"

#include <errno.h>
#include <inttypes.h>

#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/mmu.h"
#include "kvmmmu/own/policy.h"
#include "kvmmmu/own/vt.h"
#include "sim/engine/check.h"
#include "sim/engine/lp.h"
#include "sim/engine/mem.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"
#include "tdxmod/seamcall.h"

#define TDVMCALL_MAP_GPA	0x10001
#define TDVMCALL_HLT		EXIT_REASON_HLT
#define EPT_VIOLATION_ACC_INSTR	(1ull << 2)
#define EPT_VIOLATION_PROT_MASK	(7ull << 3)
#define SHARED_EPT_POINTER	0x203c	/* VMCS field, class 0 of TDVPS */
#define EXT_EXIT_QUAL_TYPE_MASK	0xfull
#define EXT_EXIT_QUAL_PENDING	6ull

/* --- the shared root ------------------------------------------------------------------- */

/* td_vmcs_write64(SHARED_EPT_POINTER): it associates the vCPU with this LP, as an entry does */
int tdx_load_mmu_pgd(struct kvm_vcpu *vcpu, u64 root_hpa)
{
	struct tdx_call call = { .leaf = TDH_VP_WR, .rcx = vcpu->tdvpr, .rdx = SHARED_EPT_POINTER,
				 .r8 = root_hpa, .r9 = ~0ull, .gfn = NO_GFN };
	u64 err = tdx_call(vcpu->kvm, &call);

	return tdx_bug_on(vcpu->kvm, err, &call) ? -EIO : 0;
}

/* --- entry ---------------------------------------------------------------------------- */

/* tdx_get_exit_info(): what it keeps of the registers */
static void tdx_vcpu_enter_exit(struct kvm_vcpu *vcpu)
{
	struct tdx_regs r = { .rax = TDH_VP_ENTER, .rcx = vcpu->tdvpr };

	seamcall(&r);
	world_set(vcpu->vp_enter_ret, r.rax);
	world_set(vcpu->exit_qual, r.rcx);
	world_set(vcpu->ext_exit_qual, r.rdx);
	world_set(vcpu->exit_gpa, r.r8);
	world_set(vcpu->tdvmcall_leaf, r.r11);
	world_set(vcpu->tdvmcall_a0, r.r12);
	world_set(vcpu->tdvmcall_a1, r.r13);
	world_set(vcpu->tdvmcall_a2, r.r14);
}

/*
 * Busy: never enter again from the fastpath, since whoever kicks waits for interrupts to
 * be on (F05; the mutation enter-busy-reenters does just that).
 */
static enum fastpath tdx_exit_handlers_fastpath(struct kvm_vcpu *vcpu)
{
	if (!policy_operand_busy(vcpu->vp_enter_ret))
		return EXIT_FASTPATH_NONE;
	if (kvm_switch(vcpu->kvm, SW_ENTER_BUSY_REENTERS))
		return EXIT_FASTPATH_REENTER_GUEST;
	return EXIT_FASTPATH_EXIT_HANDLED;
}

int tdx_vcpu_create(struct kvm_vcpu *vcpu)
{
	if (mem_read32(&vcpu->kvm->td_state) != TD_STATE_INITIALIZED)
		return -EIO;
	mem_write32(&vcpu->tdx_state, VCPU_TD_STATE_UNINITIALIZED);
	return 0;
}

/* v7.3: tdx_vcpu_needs_initialization(), and x86.c makes -EINVAL of it */
int tdx_vcpu_pre_run(struct kvm_vcpu *vcpu)
{
	if (mem_read32(&vcpu->tdx_state) != VCPU_TD_STATE_INITIALIZED)
		return -EINVAL;
	if (mem_read32(&vcpu->kvm->td_state) != TD_STATE_RUNNABLE)
		return -EINVAL;
	return 1;
}

/* Before interrupts are off and the mode is published: too early to look at the gate (F06) */
void tdx_prepare_switch_to_guest(struct kvm_vcpu *vcpu)
{
	bool closed;

	world_set(vcpu->guest_state_loaded, true);
	if (!kvm_switch(vcpu->kvm, SW_GATE_BEFORE_MODE))
		return;
	closed = mem_read32(&vcpu->kvm->wait_for_sept_zap);
	world_set(vcpu->gate_seen, closed);
}

static void tdx_prepare_switch_to_host(struct kvm_vcpu *vcpu)
{
	world_set(vcpu->guest_state_loaded, false);
}

/* No SEAMCALL, no list: vcpu->cpu and the module's association stay as they are */
void tdx_vcpu_put(struct kvm_vcpu *vcpu)
{
	tdx_prepare_switch_to_host(vcpu);
}

enum fastpath tdx_vcpu_run(struct kvm_vcpu *vcpu)
{
	enum fastpath ret = EXIT_FASTPATH_EXIT_HANDLED;
	bool closed = false;

	trace_call("tdx_vcpu_run", vcpu->vcpu_id);
	kvm_warn_on(!vcpu->guest_state_loaded, NO_GFN,
		    "TDH.VP.ENTER with the host's MSRs not saved");
	if (kvm_switch(vcpu->kvm, SW_GATE_BEFORE_MODE))
		closed = vcpu->gate_seen;
	else if (!kvm_switch(vcpu->kvm, SW_NO_ENTRY_GATE))
		closed = mem_read32(&vcpu->kvm->wait_for_sept_zap);
	if (closed) {
		world_set(vcpu->vp_enter_ret, 0);
	} else {
		tdx_vcpu_enter_exit(vcpu);
		ret = tdx_exit_handlers_fastpath(vcpu);
	}
	trace_return("tdx_vcpu_run", vcpu->vcpu_id, ret);
	return ret;
}

/* --- EPT violations ------------------------------------------------------------------- */

/* The guest touched a page that it has not accepted, and #VE for that is off. */
static bool tdx_is_sept_violation_unexpected_pending(const struct kvm_vcpu *vcpu)
{
	return (vcpu->ext_exit_qual & EXT_EXIT_QUAL_TYPE_MASK) == EXT_EXIT_QUAL_PENDING &&
	       !(vcpu->exit_qual & EPT_VIOLATION_PROT_MASK);
}

int tdx_handle_private_fault(struct kvm_vcpu *vcpu, u64 gfn)
{
	struct kvm *kvm = vcpu->kvm;
	int ret;

	trace_call("tdx_handle_ept_violation", gfn);
	if (kvm->policy->local_arg)
		world_set(vcpu->laps_left, (u32)kvm->policy_arg[kvm->policy->local_arg - 1]);
	for (;;) {
		kvm_forget(kvm, LOOP_EPT_VIOLATION, gfn | (u64)vcpu->laps_left << 40);
		/* Always as a write: private pages are RWX, and a COW must not be broken twice. */
		ret = kvm_mmu_page_fault(vcpu, gfn, PFERR_WRITE_MASK | PFERR_PRIVATE_ACCESS);
		if (ret != RET_PF_RETRY)
			break;
		if (!kvm->policy->retry_locally(vcpu, gfn, &ret))
			break;
		count(COUNT_RETRIES, 1);
	}
	trace_return("tdx_handle_ept_violation", gfn, (u64)(s64)ret);
	return ret;
}

static int tdx_handle_ept_violation(struct kvm_vcpu *vcpu)
{
	struct kvm *kvm = vcpu->kvm;
	u64 gfn = vcpu->exit_gpa >> PAGE_SHIFT & ~kvm->gfn_direct_bits;

	if (vcpu->exit_gpa >> PAGE_SHIFT & kvm->gfn_direct_bits) {
		if (kvm_bug_on(kvm, vcpu->exit_qual & EPT_VIOLATION_ACC_INSTR, gfn,
			       "instruction fetch from shared memory"))
			return -EIO;
		return kvm_mmu_page_fault(vcpu, gfn, pferr_of(vcpu->exit_qual));
	}
	if (tdx_is_sept_violation_unexpected_pending(vcpu)) {
		kvm_vm_dead(kvm);
		return -EIO;
	}
	return tdx_handle_private_fault(vcpu, gfn);
}

/*
 * #VE.RequestMMIO. tdx_mmio_read(), tdx_mmio_write() find no device in the kernel,
 * tdx_complete_mmio_read() only moves data; the guest would see INVALID_OPERAND.
 */
static int tdx_emulate_mmio(struct kvm_vcpu *vcpu)
{
	u64 shared = vcpu->kvm->gfn_direct_bits << PAGE_SHIFT, gpa = vcpu->tdvmcall_a2;
	u32 size = (u32)vcpu->tdvmcall_a0, write = (u32)vcpu->tdvmcall_a1;

	if ((size != 1 && size != 2 && size != 4 && size != 8) || write > 1 ||
	    !(gpa & shared) || !((gpa + size - 1) & shared))
		return 1;
	world_set(vcpu->exit_reason, KVM_EXIT_MMIO);
	return 0;
}

/* --- exits ---------------------------------------------------------------------------- */

/*
 * HLT goes to user space: there are no virtual interrupts that could end vcpu_block()
 * (K5, kvm_vcpu_has_events()). MapGPA likewise, which converts the range
 * (KVM_HC_MAP_GPA_RANGE): of __tdx_map_gpa(), tdx_complete_vmcall_map_gpa() and
 * tdvmcall_set_return_code(), tdvmcall_set_return_val() the guest would see the answer alone.
 */
static int handle_tdvmcall(struct kvm_vcpu *vcpu)
{
	switch (vcpu->tdvmcall_leaf) {
	case TDVMCALL_HLT:
		world_set(vcpu->exit_reason, KVM_EXIT_HLT);
		return 0;
	case TDVMCALL_MAP_GPA:
		world_set(vcpu->exit_reason, KVM_EXIT_HYPERCALL);	/* tdx_map_gpa() */
		return 0;
	case EXIT_REASON_EPT_VIOLATION:
		return tdx_emulate_mmio(vcpu);
	default:
		return 1;
	}
}

static int unhandled_exit(struct kvm_vcpu *vcpu)
{
	char where[24];

	check_fail("unexpected-exit", kvm_where(vcpu->vcpu_id, where, sizeof(where)),
		   "TDH.VP.ENTER of vCPU %u returned 0x%" PRIx64 ": KVM_EXIT_INTERNAL_ERROR",
		   vcpu->vcpu_id, vcpu->vp_enter_ret);
	world_set(vcpu->exit_reason, KVM_EXIT_INTERNAL_ERROR);
	return 0;
}

/*
 * tdx_to_vmx_exit_reason(): bits 15:0 of what TDH.VP.ENTER returned; of a TDCALL, its leaf
 * says (tdcall_to_vmx_exit_reason(), tdvmcall_exit_type()). tdx_failed_vmentry() is an
 * unhandled exit here.
 */
int tdx_handle_exit(struct kvm_vcpu *vcpu, enum fastpath fastpath)
{
	const struct retry_policy *policy = vcpu->kvm->policy;
	u64 ret = vcpu->vp_enter_ret;

	if (fastpath != EXIT_FASTPATH_NONE) {
		if (policy->enter_busy && policy_operand_busy(ret))
			policy->enter_busy(vcpu, ret);
		return 1;
	}
	if (ret & (TDX_ERROR_BIT | TDX_NON_RECOVERABLE_BIT))
		return unhandled_exit(vcpu);
	switch (ret & 0xffff) {
	case EXIT_REASON_EXCEPTION_NMI:
	case EXIT_REASON_EXTERNAL_INTERRUPT:
		return 1;
	case EXIT_REASON_HLT:
		world_set(vcpu->exit_reason, KVM_EXIT_HLT);
		return 0;
	case EXIT_REASON_TDCALL:
		return handle_tdvmcall(vcpu);
	case EXIT_REASON_EPT_VIOLATION:
		return tdx_handle_ept_violation(vcpu);
	default:
		return unhandled_exit(vcpu);
	}
}
