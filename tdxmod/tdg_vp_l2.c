// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.VP.ENTER, TDG.VP.INVEPT, TDG.VP.INVVPID: those about L2 VMs, of which there are none;
 * they refuse whatever VM is named. No locks.
 * Source: TDX_1.5.01, td_transitions/tdg_vp_enter.c, vm_exits/tdg_vp_invept.c,
 * tdg_vp_invvpid.c.
 */
#include "tdxmod/guest_run.h"
#include "tdxmod/tdcall.h"

#define VM_FLAGS_RESERVED	(GENMASK_ULL(51, 1) | GENMASK_ULL(63, 54))

static bool no_such_vm(const struct tdcs *tdcs, u64 flags)
{
	u64 vm = flags >> 52 & 3;

	return !vm || vm > tdcs->num_l2_vms || (flags & VM_FLAGS_RESERVED);
}

u64 tdg_vp_enter(struct tdcall *c)
{
	if ((c->g->rdx & 0xff) || !gpa_is_private(c->lp->tdcs, c->g->rdx))
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RDX);
	if (!no_such_vm(c->lp->tdcs, c->g->rcx))
		module_fatal("TDG.VP.ENTER", "there are no L2 VMs in this model");
	return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
}

u64 tdg_vp_invept(struct tdcall *c)
{
	if ((c->g->rcx & 1) || c->g->rcx >> (c->lp->tdcs->num_l2_vms + 1))
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	return TDX_SUCCESS;
}

u64 tdg_vp_invvpid(struct tdcall *c)
{
	if (!no_such_vm(c->lp->tdcs, c->g->rcx))
		module_fatal("TDG.VP.INVVPID", "there are no L2 VMs in this model");
	return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
}
