// SPDX-License-Identifier: GPL-2.0-only
/*
 * A policy made of numbers, for what nobody has posted: how often an installing and a removing
 * call is repeated blindly, whether vCPUs are kicked out before a last try or before the first,
 * how often a fault is tried again in its handler. Its parts are those of v6.16 and kick-first.
 */
#include "kvmmmu/own/kvm_host.h"
#include "kvmmmu/own/policy.h"
#include "kvmmmu/own/tdx.h"
#include "sim/engine/hash.h"
#include "sim/engine/mem.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

enum { ARG_INSTALL, ARG_REMOVE, ARG_KICK, ARG_LOCAL };
enum { KICK_NEVER, KICK_LAST, KICK_FIRST };

/* At most 1 + @more calls */
static u64 repeat(struct kvm *kvm, struct tdx_call *call, u64 more)
{
	u64 err;

	for (;;) {
		kvm_forget(kvm, LOOP_SEAMCALL, hash_fold(hash_fold(call->leaf, call->rcx, more),
							 call->rdx, call->r8));
		err = tdx_call(kvm, call);
		if (!policy_operand_busy(err) || !more--)
			return err;
		count(COUNT_RETRIES, 1);
	}
}

static u64 install(struct kvm *kvm, struct tdx_call *call)
{
	return repeat(kvm, call, kvm->policy_arg[ARG_INSTALL]);
}

static u64 remove_(struct kvm *kvm, struct tdx_call *call)
{
	u64 err = repeat(kvm, call, kvm->policy_arg[ARG_REMOVE]);

	if (kvm->policy_arg[ARG_KICK] == KICK_FIRST)
		return mem_peek32(&kvm->wait_for_sept_zap) ? tdx_promised(kvm, call, err) : err;
	if (!policy_operand_busy(err) || kvm->policy_arg[ARG_KICK] == KICK_NEVER)
		return err;
	count(COUNT_RETRIES, 1);
	tdx_no_vcpus_enter_start(kvm);
	err = tdx_promised(kvm, call, tdx_call(kvm, call));
	tdx_no_vcpus_enter_stop(kvm);
	return err;
}

static void zap_begin(struct kvm *kvm)
{
	if (kvm->policy_arg[ARG_KICK] == KICK_FIRST)
		tdx_no_vcpus_enter_start(kvm);
}

static void zap_end(struct kvm *kvm)
{
	if (kvm->policy_arg[ARG_KICK] == KICK_FIRST)
		tdx_no_vcpus_enter_stop(kvm);
}

static bool retry_locally(struct kvm_vcpu *vcpu, u64 gfn, int *ret)
{
	if (!vcpu->laps_left)
		return false;
	world_set(vcpu->laps_left, vcpu->laps_left - 1);
	return policy_retries(vcpu, gfn, ret);
}

static const struct policy_arg args[] = {
	{ "install", 0, 0, 1000000, "installing calls after a busy first one" },
	{ "remove", 0, 0, 1000000, "removing calls after a busy first one" },
	{ "kick", KICK_LAST, KICK_NEVER, KICK_FIRST,
	  "0: none, busy to the end is a KVM_BUG; 1: gate, kick, once more; 2: before BLOCK" },
	{ "local", 1000000, 0, 1000000, "times that a fault is tried again in its handler" },
	{ NULL },
};

const struct retry_policy policy_custom = {
	.args = args,
	.busy = policy_operand_busy,
	.build = policy_once,
	.install = install,
	.remove = remove_,
	.retry_locally = retry_locally,
	.local_arg = ARG_LOCAL + 1,
	.zap_begin = zap_begin,
	.zap_end = zap_end,
};
