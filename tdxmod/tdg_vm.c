// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.VM.RD, VM.WR, VP.RD, VP.WR: the guest reads and writes a field of its own TD or vCPU. No
 * lock: a TD's field is written by one CMPXCHG, and who loses the race is told that the field
 * was busy.
 * The recorded order of its accesses is in flow_steps_more.csv.
 * Source: TDX_1.5.01, vm_exits/tdg_vm_rd_wr.c, tdg_vp_rd_wr.c.
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

static struct md_request write_request(const struct tdx_regs *g)
{
	return (struct md_request){
		.write = true, .field = g->rdx, .value = g->r8, .mask = g->r9,
	};
}

u64 tdg_vm_wr(struct tdcall *c)
{
	const struct md_request q = write_request(c->g);
	u64 vm = c->g->rcx;

	c->g->r8 = 0;
	if (vm)
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	return vm_rd_wr(c, &q, "TDG.VM.WR");
}

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
	const struct md_request q = write_request(c->g);

	return vp_rd_wr(c, &q, "TDG.VP.WR");
}
