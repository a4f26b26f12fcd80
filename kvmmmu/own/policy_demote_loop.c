// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MEM.PAGE.DEMOTE again as long as it is TDX_INTERRUPTED_RESTARTABLE (X13), without bound:
 * nothing to undo, and no end under an interrupt storm (D02), where the module has an interrupt
 * point (before S9). KVM has no huge private pages yet, so it is the VMM's own call that is
 * repeated (`seamcall TDH.MEM.PAGE.DEMOTE`). The rest as v6.16. Rests on the threads about huge
 * pages in TDX, catalogue D02.
 */
#include "kvmmmu/own/kvm_host.h"
#include "kvmmmu/own/policy.h"
#include "kvmmmu/own/tdx_errno.h"
#include "tdxmod/seamcall.h"

static bool repeats(u64 leaf, u64 err)
{
	return (leaf & 0xffff) == TDH_MEM_PAGE_DEMOTE &&
	       (err & TDX_STATUS_MASK) == TDX_INTERRUPTED_RESTARTABLE;
}

const struct retry_policy policy_demote_loop = {
	POLICY_OF_2025,
	.repeats = repeats,
};
