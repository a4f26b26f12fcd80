// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.VP.RD, TDG.VP.WR: the guest reads and writes a field of its own vCPU. No lock.
 * Source: TDX_1.5.01, vm_exits/tdg_vp_rd_wr.c.
 */
#include "tdxmod/lp_state.h"
#include "tdxmod/metadata.h"
#include "tdxmod/tdcall.h"

static u64 vp_rd_wr(struct tdcall *c, const struct md_request *q, const char *leaf)
{
	const struct md_context ctx = { c->lp->tdr, c->lp->tdcs, c->lp->vp, MD_GUEST, leaf };
	u64 vcpu = c->g->rcx;

	c->g->r8 = 0;
	if (vcpu)
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	return md_rd_wr(&ctx, q, c->g);
}

/* Has one version, which behaves like version 1 of the others: RDX is the next field */
u64 tdg_vp_rd(struct tdcall *c)
{
	const struct md_request q = { .version = 1, .field = c->g->rdx };

	c->g->rdx = MD_FIELD_NONE;
	return vp_rd_wr(c, &q, "TDG.VP.RD");
}

u64 tdg_vp_wr(struct tdcall *c)
{
	const struct md_request q = md_write_request(c->g);

	return vp_rd_wr(c, &q, "TDG.VP.WR");
}
