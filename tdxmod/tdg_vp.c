// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDCALLs about the own vCPU: what the VMM is told (VMCALL), what the TD is (INFO), why there
 * was a #VE (VEINFO.GET), and those about L2 VMs, of which there are none: ENTER, INVEPT,
 * INVVPID refuse whatever VM is named. No locks; INFO reads NUM_VCPUS.
 * The recorded order of its accesses is in flow_steps_more.csv.
 * Source: TDX_1.5.01, vm_exits/tdg_vp_vmcall.c, tdg_vp_info.c, tdg_vp_veinfo_get.c,
 * tdg_vp_invept.c, tdg_vp_invvpid.c, td_transitions/tdg_vp_enter.c.
 */
#include "sim/engine/undo.h"
#include "tdxmod/guest_run.h"
#include "tdxmod/tdcall.h"

#define VM_FLAGS_RESERVED	(GENMASK_ULL(51, 1) | GENMASK_ULL(63, 54))

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

u64 tdg_vp_info(struct tdcall *c)
{
	struct tdcs *tdcs = c->lp->tdcs;

	c->g->rcx = tdcs->gpaw ? 52 : 48;
	c->g->rdx = tdcs->attributes;
	c->g->r8 = mem_read32(&tdcs->num_vcpus);
	c->g->r8 |= (u64)tdcs->max_vcpus << 32;
	c->g->r9 = c->lp->vp->index;
	c->g->r10 = 1;		/* TDG.SYS.RD is there */
	c->g->r11 = 0;
	return TDX_SUCCESS;
}

u64 tdg_vp_veinfo_get(struct tdcall *c)
{
	struct tdvps *vp = c->lp->vp;

	c->g->rcx = c->g->rdx = c->g->r8 = c->g->r9 = c->g->r10 = 0;
	if (!vp->ve.valid)
		return TDX_NO_VALID_VE_INFO;
	c->g->rcx = vp->ve.reason;
	c->g->rdx = vp->ve.qualification;
	c->g->r9 = vp->ve.gpa;	/* GLA and the instruction are not modelled */
	world_set(vp->ve.valid, 0);
	return TDX_SUCCESS;
}

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
