// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any BUSY is a bug of KVM's (X9, as SGX's code has it): finds contention that KVM should
 * have excluded, and dies of what a guest may cause with ACCEPT or ATTR.RD. A lost or
 * frozen mirror entry resumes the guest.
 */
#include "kvmmmu/own/policy.h"

static bool busy(u64 err)
{
	return false;
}

const struct retry_policy policy_zero_tolerance = {
	.busy = busy,
	.build = policy_once,
	.install = policy_once,
	.remove = policy_once,
	.retry_locally = policy_resumes,
};
