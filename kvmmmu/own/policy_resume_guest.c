// SPDX-License-Identifier: GPL-2.0-only
/*
 * The code before January 2025: RET_PF_RETRY resumes the guest, which faults again on
 * the same instruction and so feeds the zero-step defence (A04). Removals as merged.
 * Rests on <ZuR09EqzU1WbQYGd@google.com>.
 */
#include "kvmmmu/own/policy.h"

bool policy_resumes(struct kvm_vcpu *vcpu, u64 gfn, int *ret)
{
	return false;
}

const struct retry_policy policy_resume_guest = {
	POLICY_OF_2024,
};
