// SPDX-License-Identifier: GPL-2.0-only
/*
 * User space maps before the guest asks (X11): KVM_PRE_FAULT_MEMORY of the vCPU's part of memory
 * before its first KVM_RUN. Fewer faults at run time and no guarantee: what is prefaulted may be
 * zapped, and the ioctl has a deadlock of its own (F02). The part is what lies at the vCPU's
 * share of all gfns, so many pages of it at most. The rest as before January 2025. Rests on the
 * thread of <20241121115139.26338-1-yan.y.zhao@intel.com>.
 */
#include "kvmmmu/own/kvm_host.h"
#include "kvmmmu/own/own_ops.h"
#include "kvmmmu/own/policy.h"
#include "sim/engine/undo.h"

#define ARG_PAGES	0

static void before_run(struct kvm_vcpu *vcpu)
{
	struct kvm *kvm = vcpu->kvm;
	u64 share = kvm->gfns / kvm->max_vcpus, start = share * vcpu->vcpu_id;
	u64 pages = share < kvm->policy_arg[ARG_PAGES] ? share : kvm->policy_arg[ARG_PAGES];

	if (vcpu->prefaulted || !pages)
		return;
	world_set(vcpu->prefaulted, true);
	own_prefault(vcpu, start, start + pages);	/* an error is user space's to ignore */
}

static const struct policy_arg args[] = {
	{ "pages", 64, 0, 1u << 28, "of a vCPU's share of memory, from its start" },
	{ NULL },
};

const struct retry_policy policy_prefault = {
	POLICY_OF_2024,
	.args = args,
	.before_run = before_run,
};
