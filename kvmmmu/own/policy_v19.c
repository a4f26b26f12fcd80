// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blind retry inside the wrapper, v10 to v19 of the TDX series, and its downstream
 * form. It repeats only the exact status BUSY with the S-EPT tree's operand id: a busy
 * entry lock is reported with RCX in module 1.5.01, is never matched, and kills the VM
 * (A13). Rests on <d705a6c6a81246a77f83befd1865d0c4194b2d28..git.isaku.yamahata@intel.com>.
 */
#include "kvmmmu/own/kvm_host.h"
#include "kvmmmu/own/policy.h"
#include "kvmmmu/own/tdx.h"
#include "sim/engine/hash.h"
#include "sim/engine/trace.h"
#include "tdxmod/seamcall.h"

#define SEPT_BUSY	(TDX_OPERAND_BUSY | TDX_OPERAND_ID_SEPT_TREE)
#define EPOCH_BUSY	(TDX_OPERAND_BUSY | TDX_OPERAND_ID_TD_EPOCH)
#define ARG_RETRIES	0

static bool busy(u64 err)
{
	return err == SEPT_BUSY;
}

/* What a loop around @call remembers, beside how often it may still go round. */
static void forget(struct kvm *kvm, const struct tdx_call *call, u64 left)
{
	u64 what = hash_fold(hash_fold(call->leaf, call->rcx, call->rdx), call->r8, left);

	kvm_forget(kvm, LOOP_SEAMCALL, what);
}

/* tdx_seamcall_sept(): at most 1 + retries calls */
static u64 retry(struct kvm *kvm, struct tdx_call *call, bool (*again)(u64 err))
{
	u64 left = kvm->policy_arg[ARG_RETRIES], err;

	for (;;) {
		forget(kvm, call, left);
		err = tdx_call(kvm, call);
		if (!again(err) || !left--)
			return err;
		count(COUNT_RETRIES, 1);
	}
}

static u64 install(struct kvm *kvm, struct tdx_call *call)
{
	return retry(kvm, call, busy);
}

/* The caller's loop around the wrapper, unbounded and with mmu_lock held. */
static u64 until_not(struct kvm *kvm, struct tdx_call *call, u64 status, bool wrapped)
{
	u64 err;

	for (;;) {
		forget(kvm, call, ~0ull);
		err = wrapped ? retry(kvm, call, busy) : tdx_call(kvm, call);
		if (err != status)
			return err;
		count(COUNT_RETRIES, 1);
	}
}

static u64 build(struct kvm *kvm, struct tdx_call *call)
{
	return until_not(kvm, call, SEPT_BUSY, true);
}

static u64 remove_(struct kvm *kvm, struct tdx_call *call)
{
	switch (call->leaf) {
	case TDH_MEM_TRACK:	/* not a call of the wrapper's */
		return until_not(kvm, call, EPOCH_BUSY, false);
	case TDH_MEM_PAGE_REMOVE:
		return until_not(kvm, call, SEPT_BUSY, true);
	default:
		return retry(kvm, call, busy);
	}
}

static const struct policy_arg v19_args[] = {
	{ "retries", 16, 0, 1000000, "calls after the first of one wrapper call" },
	{ NULL },
};

const struct retry_policy policy_v19 = {
	.args = v19_args,
	.busy = busy,
	.build = build,
	.install = install,
	.remove = remove_,
	.remove_may_fail = true,
	.retry_locally = policy_resumes,	/* -EAGAIN became RET_PF_RETRY */
};

/*
 * Downstream: 10000 retries of any recoverable error but the association's and an
 * interrupted call.
 */
static bool recoverable(u64 err)
{
	u64 class = err & TDX_STATUS_MASK;

	return err >> 62 == 2 && class != TDX_VCPU_ASSOCIATED && class != TDX_VCPU_NOT_ASSOCIATED &&
	       class != TDX_INTERRUPTED_RESUMABLE;
}

static u64 retry_recoverable(struct kvm *kvm, struct tdx_call *call)
{
	return retry(kvm, call, recoverable);
}

static const struct policy_arg v19_10000_args[] = {
	{ "retries", 10000, 0, 1000000, "calls after the first of one wrapper call" },
	{ NULL },
};

const struct retry_policy policy_v19_10000 = {
	.args = v19_10000_args,
	.busy = recoverable,
	.build = retry_recoverable,
	.install = retry_recoverable,
	.remove = retry_recoverable,
	.remove_may_fail = true,
	.retry_locally = policy_resumes,
};
