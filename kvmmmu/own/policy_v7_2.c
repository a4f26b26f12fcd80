// SPDX-License-Identifier: GPL-2.0-only
/*
 * The policy of v6.18 to v7.2 (P4): as v6.16, but the fault handler also leaves when the
 * memslot is INVALID, so that its deletion can go on (F01, commit 2bc2694fe20b). v6.19's
 * macro and lock assertion change no order, so the three names are one policy.
 */
#include <errno.h>

#include "kvmmmu/own/kvm_host.h"
#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/policy.h"
#include "kvmmmu/own/tdx.h"
#include "sim/engine/task.h"

static bool retry_locally(struct kvm_vcpu *vcpu, u64 gfn, int *ret)
{
	struct kvm_memory_slot *slot;

	if (policy_must_leave(vcpu, ret))
		return false;
	slot = kvm_vcpu_gfn_to_memslot(vcpu, gfn);
	if (slot && kvm_memslot_is_invalid(slot))
		return false;
	cond_resched();
	return true;
}

const struct retry_policy policy_v7_2 = {
	.busy = policy_operand_busy,
	.build = policy_once,
	.install = policy_once,
	.remove = policy_no_vcpus,
	.retry_locally = retry_locally,
};
