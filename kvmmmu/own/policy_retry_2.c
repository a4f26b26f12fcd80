// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two restarts of the walk inside kvm_tdp_mmu_map() (X7, "retry_locally = 2"), mmu_lock held on,
 * then the guest is resumed: cheap, and too short for whoever waits for a TDH.VP.ENTER that
 * holds the S-EPT tree. Removals as merged. Rests on <ZuR09EqzU1WbQYGd@google.com>.
 */
#include "kvmmmu/own/policy.h"

const struct retry_policy policy_retry_2 = {
	POLICY_OF_2024,
	.walk_restarts = 2,
};
