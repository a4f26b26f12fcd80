/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * A retry policy: what KVM does when a SEAMCALL is busy, and what the EPT-violation
 * handler does with RET_PF_RETRY. One struct, one file per policy (policy_*.c), one line
 * in the table of policy.c. Algorithms and sources: docs/model.md, "Policies".
 */
#include <glib.h>

#include "kvmmmu/kmmu.h"
#include "sim/engine/types.h"

struct kvm;
struct kvm_vcpu;
struct tdx_call;

#define POLICY_ARGS 4

struct policy_arg {
	const char *name;	/* "retries"; NULL ends the list */
	u64 value, min, max;	/* default and limits */
	const char *text;
};

/*
 * The three groups of the list (<20250113020925.18789-1-yan.y.zhao@intel.com>): 1 builds
 * the initial image, 2 installs at run time, 3 removes. A hook makes its call as often as
 * the policy wants and returns the last status.
 */
struct retry_policy {
	const struct policy_arg *args;	/* NULL: none */
	/* The status that the policy takes for contention; anything else is a bug of KVM's. */
	bool (*busy)(u64 err);
	u64 (*build)(struct kvm *kvm, struct tdx_call *call);	/* slots_lock held */
	u64 (*install)(struct kvm *kvm, struct tdx_call *call);	/* mmu_lock held, any mode */
	u64 (*remove)(struct kvm *kvm, struct tdx_call *call);	/* mmu_lock held for write */
	/* A removal that is busy to the end is -EAGAIN (true) or KVM_BUG_ON (false). */
	bool remove_may_fail;
	/*
	 * A private fault said RET_PF_RETRY: true to fault again here, false to leave the
	 * handler with *@ret (the guest is resumed, or -EIO). SRCU held, mmu_lock not.
	 */
	bool (*retry_locally)(struct kvm_vcpu *vcpu, u64 gfn, int *ret);
};

/* policy_find - NULL if there is none of that name */
const struct retry_policy *policy_find(const char *name);
const char *policy_nearest(const char *name);	/* for a hint; may be NULL */

/* policy_parse_args - "k=v" of @list (may be NULL) over @p's defaults */
bool policy_parse_args(const struct retry_policy *p, const char *const *list,
		       u64 values[POLICY_ARGS], GError **err);

extern const struct retry_policy policy_v6_16, policy_v7_2, policy_resume_guest, policy_v19,
	policy_v19_10000;

/* What the merged policies share (policy_v6_16.c). */
bool policy_operand_busy(u64 err);	/* tdx_operand_busy(): any operand */
u64 policy_once(struct kvm *kvm, struct tdx_call *call);
u64 policy_no_vcpus(struct kvm *kvm, struct tdx_call *call);
/* true if the local loop has to end for a reason that all of them know; sets *@ret */
bool policy_must_leave(struct kvm_vcpu *vcpu, int *ret);
