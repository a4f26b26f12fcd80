// SPDX-License-Identifier: GPL-2.0-only
/*
 * mmu_lock taken for write and dropped when TDH.VP.ENTER is busy (X5): the vCPU waits until
 * those who fault now are through; nothing stops the next collision. The rest as before
 * January 2025. Rests on the thread of
 * <Zt-LmzUSyljHGcMO@google.com>.
 */
#include "kvmmmu/own/kvm_host.h"
#include "kvmmmu/own/policy.h"

static void enter_busy(struct kvm_vcpu *vcpu, u64 err)
{
	write_lock(&vcpu->kvm->mmu_lock);
	write_unlock(&vcpu->kvm->mmu_lock);
}

const struct retry_policy policy_enter_barrier = {
	POLICY_OF_2024,
	.enter_busy = enter_busy,
};
