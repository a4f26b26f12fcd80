// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every S-EPT operation under mmu_lock held for write, faults too (X1): no two hosts meet
 * in the module, faults do not run in parallel, and TDH.VP.ENTER and the guest's TDCALLs are
 * as before. The rest as v6.16. Rests on <Zt-LmzUSyljHGcMO@google.com>.
 */
#include "kvmmmu/own/kvm_host.h"
#include "kvmmmu/own/policy.h"

const struct retry_policy policy_mmu_write_lock = {
	POLICY_OF_2025,
	.fault_excludes = true,
};
