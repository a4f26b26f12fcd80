// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's TDR lock once more in KVM (X10): an rwsem of the VM, held for write around
 * PAGE.ADD, MR.EXTEND, MR.FINALIZE and VP.INIT and for read around the other calls that build a
 * vCPU, so that they wait for each other where the module says BUSY (B01 to B03). It sleeps, so
 * nothing under mmu_lock can take it; that needs no TDR for itself. The rest as v6.16. Rests on
 * the thread of <20251030200951.3402865-1-seanjc@google.com>, where all locks were taken instead.
 */
#include "kvmmmu/own/kvm_host.h"
#include "kvmmmu/own/policy.h"

static void lock(struct kvm *kvm, bool exclusive)
{
	if (exclusive)
		down_write(&kvm->tdr_rwsem);
	else
		down_read(&kvm->tdr_rwsem);
}

static void unlock(struct kvm *kvm, bool exclusive)
{
	if (exclusive)
		up_write(&kvm->tdr_rwsem);
	else
		up_read(&kvm->tdr_rwsem);
}

const struct retry_policy policy_tdr_rwsem = {
	POLICY_OF_2025,
	.tdr_lock = lock,
	.tdr_unlock = unlock,
};
