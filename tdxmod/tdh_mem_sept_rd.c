// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MEM.SEPT.RD: show an entry to the VMM, under its lock.
 * Source: TDX_1.5.01, api_calls/tdh_mem_sept_rd.c. L2 attributes want a debug TD.
 */
#include "tdxmod/flow.h"

#define READ_L2	BIT_ULL(0)

static u64 check(struct flow *f, u64 rcx, u64 rdx)
{
	u64 err;

	if ((err = flow_lock_tdr(f, rdx & ~READ_L2, OPERAND_RDX, LOCK_SHARED)) ||
	    (err = flow_lock_op_state(f)))
		return err;
	if (rdx & READ_L2)
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RDX);
	if ((err = flow_gpa(f, rcx, LVL_PT, f->tdcs->pwl)) ||
	    (err = flow_walk(f, LOCK_SHARED)) ||
	    (err = flow_lock_entry(f)))
		return err;
	return TDX_SUCCESS;
}

u64 tdh_mem_sept_rd(struct tdx_regs *r, u32 version)
{
	u64 rcx = r->rcx, rdx = r->rdx, err;
	struct flow f;

	flow_begin(&f, TDH_MEM_SEPT_RD, r);
	r->rcx = r->rdx = 0;
	err = check(&f, rcx, rdx);
	if (!err)
		sept_arch(f.w.copy, f.w.level, &r->rcx, &r->rdx);
	flow_release_entry(&f);
	return flow_end(&f, err);
}
