// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MR.EXTEND: measure 256 bytes of a page while the TD is being built. TDR exclusive stands
 * for every other lock. The measurement is not modelled.
 * Source: TDX_1.5.01, api_calls/tdh_mr_extend.c.
 */
#include "tdxmod/flow.h"

/* check_and_walk_private_gpa_to_leaf(): whatever leaf there is; one that is not present is none */
static u64 find_leaf(struct flow *f, u64 gpa)
{
	if (!gpa_is_private(f->tdcs, gpa))
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	sept_walk(f->tdcs, gpa, LVL_PT, &f->w);
	if (!sept_is_leaf(f->w.copy) || !(f->w.copy & SEPT_RWX))
		return flow_fail_state(f, TDX_EPT_ENTRY_NOT_PRESENT);
	return sept_allows(f->w.copy, ON_MR_EXTEND) ? TDX_SUCCESS : TDX_EPT_ENTRY_NOT_PRESENT;
}

u64 tdh_mr_extend(struct tdx_regs *r, u32 version)
{
	u64 gpa = r->rcx, tdr = r->rdx, err;
	struct flow f;

	flow_begin(&f, TDH_MR_EXTEND, r);
	r->rcx = r->rdx = 0;
	if ((err = flow_lock_tdr(&f, tdr, OPERAND_RDX, LOCK_EXCLUSIVE)) ||
	    (err = flow_check_op_state(&f)))
		return flow_end(&f, err);
	if (gpa & 0xff)
		return flow_end(&f, status_operand(TDX_OPERAND_INVALID, OPERAND_RCX));
	err = find_leaf(&f, gpa);
	if (!err)
		sim_charge(COST_KEYHOLE_MISS, 1);	/* the page, to be hashed */
	return flow_end(&f, err);
}
