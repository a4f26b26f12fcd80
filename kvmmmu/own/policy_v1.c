// SPDX-License-Identifier: GPL-2.0-only
/*
 * The series of January 2025 (P2): as the RFC, with the entry gate instead of a request.
 * Busy is still the test of bits (A14), but for TRACK, which compares the status.
 * Rests on <20250113021250.18948-1-yan.y.zhao@intel.com> (4/7),
 * <20250113021218.18922-1-yan.y.zhao@intel.com> (3/7).
 */
#include "kvmmmu/own/kvm_host.h"
#include "kvmmmu/own/policy.h"
#include "kvmmmu/own/tdx.h"
#include "sim/engine/trace.h"
#include "tdxmod/seamcall.h"

static u64 remove_(struct kvm *kvm, struct tdx_call *call)
{
	bool (*busy)(u64 err) = call->leaf == TDH_MEM_TRACK ? policy_operand_busy : policy_bit_busy;
	u64 err = tdx_call(kvm, call);

	if (!busy(err))
		return err;
	count(COUNT_RETRIES, 1);
	tdx_no_vcpus_enter_start(kvm);
	err = tdx_promised(kvm, call, tdx_call(kvm, call));
	tdx_no_vcpus_enter_stop(kvm);
	return err;
}

const struct retry_policy policy_v1 = {
	.busy = policy_bit_busy,
	.build = policy_once,
	.install = policy_once,
	.remove = remove_,
	.retry_locally = policy_until_signal,
};
