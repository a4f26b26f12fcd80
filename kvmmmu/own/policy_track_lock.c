// SPDX-License-Identifier: GPL-2.0-only
/*
 * A spinlock of the VM around TDH.MEM.TRACK and its kick (X12): what would have to be serialized
 * if zaps held mmu_lock for read (variant zap-under-read). While they hold it for write, as v6.16
 * does, nobody is kept out that was not before. Rests on the review of
 * <20250113021250.18948-1-yan.y.zhao@intel.com>.
 */
#include "kvmmmu/own/kvm_host.h"
#include "kvmmmu/own/policy.h"

static void begin(struct kvm *kvm)
{
	spin_lock(&kvm->track_lock);
}

static void end(struct kvm *kvm)
{
	spin_unlock(&kvm->track_lock);
}

const struct retry_policy policy_track_lock = {
	POLICY_OF_2025,
	.track_begin = begin,
	.track_end = end,
};
