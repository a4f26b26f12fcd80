// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first merged policy: install once and retry from the fault handler; remove
 * once, then once more behind a kick and an entry gate. Rests on vmx/tdx.c of v6.16 and
 * <20250113020925.18789-1-yan.y.zhao@intel.com>.
 */
#include <errno.h>

#include "kvmmmu/own/kvm_host.h"
#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/policy.h"
#include "kvmmmu/own/tdx.h"
#include "sim/engine/task.h"

bool policy_operand_busy(u64 err)
{
	return (err & TDX_STATUS_MASK) == TDX_OPERAND_BUSY;
}

u64 policy_once(struct kvm *kvm, struct tdx_call *call)
{
	return tdx_call(kvm, call);
}

u64 policy_no_vcpus(struct kvm *kvm, struct tdx_call *call)
{
	return tdh_do_no_vcpus(kvm, call);
}

bool policy_must_leave(struct kvm_vcpu *vcpu, int *ret)
{
	/* kvm_vcpu_has_events(): there are no virtual interrupts here (K5) */
	if (signal_pending())
		return true;
	if (kvm_switch(vcpu->kvm, SW_RETRY_IGNORES_DEAD))	/* F04 */
		return false;
	/* v7.2 consumes the request here; so did every kernel before it. v7.3 does not (V13). */
	if (kvm_switch(vcpu->kvm, SW_VM_DEAD_TESTED) ? kvm_test_request(KVM_REQ_VM_DEAD, vcpu) :
						       kvm_check_request(KVM_REQ_VM_DEAD, vcpu)) {
		*ret = -EIO;
		return true;
	}
	return false;
}

/* F01: nothing here sees that the memslot is INVALID. */
bool policy_retries(struct kvm_vcpu *vcpu, u64 gfn, int *ret)
{
	if (policy_must_leave(vcpu, ret))
		return false;
	cond_resched();
	return true;
}

const struct retry_policy policy_v6_16 = {
	POLICY_OF_2025,
};
