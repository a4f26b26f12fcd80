// SPDX-License-Identifier: GPL-2.0-only
/*
 * A spinlock of the VM around each S-EPT SEAMCALL (X2): hosts never meet in the module. It
 * orders the calls, not mirror and S-EPT (A01), and a vCPU cannot hold it through
 * TDH.VP.ENTER: what is busy for a vCPU's sake is a KVM_BUG where it removes. The rest as
 * before January 2025. Rests on
 * <CABgObfayLGyWKERXkU+0gjeUg=Sp3r7GEQU=+13sUMpo36weWg@mail.gmail.com>.
 */
#include "kvmmmu/own/kvm_host.h"
#include "kvmmmu/own/policy.h"
#include "kvmmmu/own/tdx.h"

static u64 locked(struct kvm *kvm, struct tdx_call *call)
{
	u64 err;

	spin_lock(&kvm->seamcall_lock);
	err = tdx_call(kvm, call);
	spin_unlock(&kvm->seamcall_lock);
	return err;
}

const struct retry_policy policy_seamcall_lock = {
	.busy = policy_operand_busy,
	.build = locked,
	.install = locked,
	.remove = locked,
	.retry_locally = policy_resumes,
};
