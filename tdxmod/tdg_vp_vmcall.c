// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.VP.VMCALL: the guest tells the VMM; a TD exit behind which the guest goes on.
 * Source: TDX_1.5.01, vm_exits/tdg_vp_vmcall.c.
 */
#include "sim/engine/undo.h"
#include "tdxmod/guest_run.h"
#include "tdxmod/tdcall.h"

u64 tdg_vp_vmcall(struct tdcall *c)
{
	/* RAX, RCX and RSP cannot be passed */
	if (c->g->rcx & 0x13 || c->g->rcx >> 32)
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	c->end = TDCALL_EXITED;
	world_set(c->lp->vp->guest.rip, c->lp->vp->guest.rip + TDCALL_BYTES);
	td_exit_vmcall(c->lp, c->g, c->r);
	return TDX_SUCCESS;
}
