// SPDX-License-Identifier: GPL-2.0-only
/*
 * Retry in the fault handler only for a FROZEN mirror entry (X6, RET_PF_RETRY_FROZEN or an
 * out-parameter that says so): whoever meets another vCPU's mapping waits for it here, but a busy
 * SEAMCALL, a lost cmpxchg or a stale fault resumes the guest as before. Removals as merged.
 * Rests on <ZuR09EqzU1WbQYGd@google.com>, <Z1uHbl0AeGsjLf5K@yzhao56-desk.sh.intel.com>.
 */
#include "kvmmmu/own/kvm_host.h"
#include "kvmmmu/own/policy.h"

static bool retry_locally(struct kvm_vcpu *vcpu, u64 gfn, int *ret)
{
	return vcpu->frozen_seen && policy_retries(vcpu, gfn, ret);
}

const struct retry_policy policy_retry_frozen = {
	.busy = policy_operand_busy,
	.build = policy_once,
	.install = policy_once,
	.remove = policy_no_vcpus,
	.retry_locally = retry_locally,
	.asks_frozen = true,
};
