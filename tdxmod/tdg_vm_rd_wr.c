// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.VM.RD, TDG.VM.WR: the guest reads and writes a field of its own TD. No lock: a field is
 * written by one CMPXCHG, and who loses the race is told that the field was busy.
 * The recorded order of its accesses is in flow_steps_more.csv.
 * Source: TDX_1.5.01, vm_exits/tdg_vm_rd_wr.c.
 */
#include "tdxmod/lp_state.h"
#include "tdxmod/metadata.h"
#include "tdxmod/tdcall.h"

static u64 vm_rd_wr(struct tdcall *c, const struct md_request *q, const char *leaf)
{
	const struct md_context ctx = { c->lp->tdr, c->lp->tdcs, NULL, MD_GUEST, leaf };

	return md_rd_wr(&ctx, q, c->g);
}

u64 tdg_vm_rd(struct tdcall *c)
{
	const struct md_request q = { .version = c->version, .field = c->g->rdx };
	u64 vm = c->g->rcx;

	if (c->version)
		c->g->rdx = MD_FIELD_NONE;
	c->g->r8 = 0;
	if (c->version > 1)
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RAX);
	if (vm)
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	return vm_rd_wr(c, &q, "TDG.VM.RD");
}

u64 tdg_vm_wr(struct tdcall *c)
{
	const struct md_request q = md_write_request(c->g);
	u64 vm = c->g->rcx;

	c->g->r8 = 0;
	if (vm)
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	return vm_rd_wr(c, &q, "TDG.VM.WR");
}
