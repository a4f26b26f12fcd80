// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MR.FINALIZE: the TD is built and may run. The measurement is not modelled.
 * Source: TDX_1.5.01, api_calls/tdh_mr_finalize.c.
 */
#include "tdxmod/flow.h"

u64 tdh_mr_finalize(struct tdx_regs *r, u32 version)
{
	struct flow f;
	u64 err;
	u32 n;

	flow_begin(&f, TDH_MR_FINALIZE, r);
	if ((err = flow_lock_tdr(&f, r->rcx, OPERAND_RCX, LOCK_EXCLUSIVE)) ||
	    (err = flow_check_op_state(&f)))
		return flow_end(&f, err);
	n = mem_read32(&f.tdcs->num_vcpus);
	if (!n)
		return flow_end(&f, TDX_NO_VCPUS);
	mem_write32(&f.tdcs->op_state, OP_STATE_RUNNABLE);
	return flow_end(&f, TDX_SUCCESS);
}
