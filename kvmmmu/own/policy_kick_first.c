// SPDX-License-Identifier: GPL-2.0-only
/*
 * All vCPUs out before BLOCK and in again after REMOVE (X8): no second try, no gap between
 * the calls in which one could enter, and a kick for each leaf even where nobody is in the
 * way. Faults as v6.16. Rests on the review of
 * <20250113021250.18948-1-yan.y.zhao@intel.com>.
 */
#include "kvmmmu/own/kvm_host.h"
#include "kvmmmu/own/policy.h"
#include "kvmmmu/own/tdx.h"
#include "sim/engine/mem.h"

/* TRACK alone (an operation of a scenario's) is not behind the gate. */
static u64 remove_(struct kvm *kvm, struct tdx_call *call)
{
	u64 err = tdx_call(kvm, call);

	return mem_peek32(&kvm->wait_for_sept_zap) ? tdx_promised(kvm, call, err) : err;
}

const struct retry_policy policy_kick_first = {
	.busy = policy_operand_busy,
	.build = policy_once,
	.install = policy_once,
	.remove = remove_,
	.retry_locally = policy_retries,
	.zap_begin = tdx_no_vcpus_enter_start,
	.zap_end = tdx_no_vcpus_enter_stop,
};
