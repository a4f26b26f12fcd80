// SPDX-License-Identifier: GPL-2.0-only
/*
 * The RFC of November 2024 (P1): install once and retry from the fault handler; remove
 * once, then once more while a request on each vCPU keeps it out. What it takes for busy
 * is a test of bits, which every error has (A14): an install that fails for good is
 * retried for ever. Rests on <20241121115614.26363-1-yan.y.zhao@intel.com>,
 * <20241121115703.26381-1-yan.y.zhao@intel.com>.
 */
#include "kvmmmu/own/kvm_host.h"
#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/policy.h"
#include "kvmmmu/own/tdx.h"
#include "sim/engine/task.h"
#include "sim/engine/trace.h"

bool policy_bit_busy(u64 err)
{
	return err & TDX_OPERAND_BUSY;
}

/* A pending request lets kvm_vcpu_exit_request() turn each entry back. */
static u64 remove_(struct kvm *kvm, struct tdx_call *call)
{
	u64 err = tdx_call(kvm, call);
	u32 i, n;

	if (!policy_bit_busy(err))
		return err;
	count(COUNT_RETRIES, 1);
	kvm_make_all_cpus_request(kvm, KVM_REQ_NO_VCPU_ENTER_INPROGRESS);
	err = tdx_promised(kvm, call, tdx_call(kvm, call));
	n = kvm_online_vcpus(kvm);
	for (i = 0; i < n; i++)
		kvm_clear_request(KVM_REQ_NO_VCPU_ENTER_INPROGRESS, kvm->vcpus[i]);
	return err;
}

/* Interrupts and NMIs of the guest are not there (K5); a dead VM is not looked for. */
bool policy_until_signal(struct kvm_vcpu *vcpu, u64 gfn, int *ret)
{
	if (signal_pending())
		return false;
	cond_resched();
	return true;
}

const struct retry_policy policy_rfc = {
	.busy = policy_bit_busy,
	.build = policy_once,
	.install = policy_once,
	.remove = remove_,
	.retry_locally = policy_until_signal,
};
