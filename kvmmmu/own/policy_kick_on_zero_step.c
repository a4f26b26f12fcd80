// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kick only when the zero-step defence shows (X4, seed 4): contention resumes the guest; a
 * TDH.VP.ENTER that finds the S-EPT tree busy says that somebody is on the list, and kicks
 * all vCPUs, so that a guest lets the contended entry go and HOST_PRIORITY keeps it out.
 * Removals as v6.16. Rests on <Zt-LmzUSyljHGcMO@google.com>.
 */
#include "kvmmmu/own/kvm_host.h"
#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/policy.h"
#include "kvmmmu/own/tdx.h"

static void enter_busy(struct kvm_vcpu *vcpu, u64 err)
{
	if (err == (TDX_OPERAND_BUSY | TDX_OPERAND_ID_SEPT_TREE))
		kvm_make_all_cpus_request(vcpu->kvm, KVM_REQ_OUTSIDE_GUEST_MODE);
}

const struct retry_policy policy_kick_on_zero_step = {
	POLICY_OF_2024,
	.enter_busy = enter_busy,
};
