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

#define POLICY_ARGS 4	/* values in kvm->policy_arg[] */

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
	bool asks_frozen;	/* it looks at vcpu->frozen_seen */
	u8 local_arg;		/* argument number + 1 that vcpu->laps_left starts from; 0: none */

	/* What only some policies have; NULL: nothing of the kind. */

	/* Around BLOCK, TRACK and REMOVE of one leaf. mmu_lock held for write */
	void (*zap_begin)(struct kvm *kvm);
	void (*zap_end)(struct kvm *kvm);
	/* TDH.VP.ENTER was busy with @err. Interrupts on, SRCU held, mmu_lock not */
	void (*enter_busy)(struct kvm_vcpu *vcpu, u64 err);
	bool fault_excludes;	/* a fault holds mmu_lock for write */
	/* Restarts of the walk that a fault may make before its RET_PF_RETRY counts. mmu_lock held */
	u32 walk_restarts;
	/* Around TDH.MEM.TRACK and its kick. mmu_lock held */
	void (*track_begin)(struct kvm *kvm);
	void (*track_end)(struct kvm *kvm);
	/* Around SEAMCALLs of the build that hold TDR @exclusive; may sleep */
	void (*tdr_lock)(struct kvm *kvm, bool exclusive);
	void (*tdr_unlock)(struct kvm *kvm, bool exclusive);
	/* User space, before the vCPU's first KVM_RUN; no locks */
	void (*before_run)(struct kvm_vcpu *vcpu);
	/* A call of the VMM's own is made again on this status */
	bool (*repeats)(u64 leaf, u64 err);
};

/*
 * What a proposal leaves open is taken from the code of its day. Before January 2025: removals
 * as they were merged later, contention of a fault resumes the guest.
 */
#define POLICY_OF_2024							\
	.busy = policy_operand_busy,						\
	.build = policy_once,							\
	.install = policy_once,							\
	.remove = policy_no_vcpus,						\
	.retry_locally = policy_resumes

/* Since then: the fault handler tries again until a signal, or the VM is dead (v6.16). */
#define POLICY_OF_2025							\
	.busy = policy_operand_busy,						\
	.build = policy_once,							\
	.install = policy_once,							\
	.remove = policy_no_vcpus,						\
	.retry_locally = policy_retries

/* policy_find - NULL if there is none of that name */
const struct retry_policy *policy_find(const char *name);
const char *policy_nearest(const char *name);	/* for a hint; may be NULL */

/* policy_parse_args - "k=v" of @list (may be NULL) over @p's defaults */
bool policy_parse_args(const struct retry_policy *p, const char *const *list,
		       u64 values[POLICY_ARGS], GError **err);

extern const struct retry_policy policy_v6_16, policy_v7_2, policy_resume_guest, policy_v19,
	policy_v19_10000, policy_rfc, policy_v1, policy_mmu_write_lock, policy_seamcall_lock,
	policy_kick_on_zero_step, policy_enter_barrier, policy_kick_first, policy_zero_tolerance,
	policy_retry_frozen, policy_retry_2, policy_tdr_rwsem, policy_prefault, policy_track_lock,
	policy_demote_loop, policy_custom;

/* policy_tdr_lock - before SEAMCALLs that hold TDR @exclusive (X10), where one may sleep */
void policy_tdr_lock(struct kvm *kvm, bool exclusive);
void policy_tdr_unlock(struct kvm *kvm, bool exclusive);

/* What the merged policies share (policy_v6_16.c). */
bool policy_operand_busy(u64 err);	/* tdx_operand_busy(): any operand */
u64 policy_once(struct kvm *kvm, struct tdx_call *call);
u64 policy_no_vcpus(struct kvm *kvm, struct tdx_call *call);
/* policy_retries - from the handler, until signal or dead VM (v6.16) */
bool policy_retries(struct kvm_vcpu *vcpu, u64 gfn, int *ret);
/* policy_until_signal - likewise, but a dead VM is not looked for (rfc) */
bool policy_until_signal(struct kvm_vcpu *vcpu, u64 gfn, int *ret);
/* policy_resumes - RET_PF_RETRY leaves the handler: the guest is resumed (X3) */
bool policy_resumes(struct kvm_vcpu *vcpu, u64 gfn, int *ret);
/* policy_bit_busy - "err & TDX_OPERAND_BUSY" of the posted series: true of every error (A14) */
bool policy_bit_busy(u64 err);
/* true if the local loop has to end for a reason that all of them know; sets *@ret */
bool policy_must_leave(struct kvm_vcpu *vcpu, int *ret);
