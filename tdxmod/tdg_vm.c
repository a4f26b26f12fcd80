// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.VM.RD, TDG.VM.WR: the guest reads and writes a field of its own TD. No lock: the write
 * is one CMPXCHG, and who loses the race is told that the field was busy.
 * Has no rows in flow_steps.csv: the order is from the source alone.
 * Source: TDX_1.5.01, vm_exits/tdg_vm_rd_wr.c.
 */
#include "tdxmod/lp_state.h"
#include "tdxmod/metadata.h"
#include "tdxmod/tdcall.h"

u64 tdg_vm_rd(struct tdcall *c)
{
	u64 vm = c->g->rcx, field = c->g->rdx, err;

	if (c->version)
		c->g->rdx = MD_FIELD_NONE;
	c->g->r8 = 0;
	if (c->version > 1)
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RAX);
	if (vm)
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	if (c->version && md_is_null(field)) {
		c->g->rdx = md_next(field, MD_GUEST);
		return TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT;
	}
	if ((err = md_check_single(field)) ||
	    (err = md_read(c->lp->tdr, c->lp->tdcs, field, MD_GUEST, "TDG.VM.RD", &c->g->r8)))
		return err;
	if (c->version)
		c->g->rdx = md_next(field, MD_GUEST);
	return TDX_SUCCESS;
}

u64 tdg_vm_wr(struct tdcall *c)
{
	u64 vm = c->g->rcx, field = c->g->rdx, value = c->g->r8, mask = c->g->r9, err;

	c->g->r8 = 0;
	if (vm)
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	err = md_check_single(field);
	if (err)
		return err;
	return md_write(c->lp->tdr, c->lp->tdcs, field, MD_GUEST, "TDG.VM.WR", value, mask,
			&c->g->r8);
}
