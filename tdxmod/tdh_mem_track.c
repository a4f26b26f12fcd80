// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MEM.TRACK: the next TLB epoch begins. RCX is the TDR and stays as it is.
 * Source: TDX_1.5.01, api_calls/tdh_mem_track.c.
 */
#include "tdxmod/epoch.h"
#include "tdxmod/flow.h"

u64 tdh_mem_track(struct tdx_regs *r, u32 version)
{
	struct flow f;
	u64 err;

	flow_begin(&f, TDH_MEM_TRACK, r);
	if ((err = flow_lock_tdr(&f, r->rcx, OPERAND_RCX, LOCK_SHARED)) ||
	    (err = flow_lock_op_state(&f)) ||
	    (err = epoch_track(f.tdcs)))
		return flow_end(&f, err);
	return flow_end(&f, TDX_SUCCESS);
}
