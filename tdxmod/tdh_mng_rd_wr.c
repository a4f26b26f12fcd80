// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MNG.RD, TDH.MNG.WR: a field of the TD's metadata. RD has a version 1, which tells the
 * next field.
 * Source: TDX_1.5.01, api_calls/tdh_mng_rd_wr.c.
 */
#include "tdxmod/flow.h"
#include "tdxmod/metadata.h"

static u64 rd_wr(u32 leaf, struct tdx_regs *r, u32 version, bool write)
{
	struct md_request q;
	struct flow f;
	u64 err;

	flow_begin(&f, leaf, r);
	err = md_request_of(&q, r, version, write);
	if (err)
		return err;
	if (!(err = flow_lock_tdr(&f, r->rcx, OPERAND_RCX, LOCK_SHARED)) &&
	    !(err = flow_lock_op_state(&f)))
		err = md_rd_wr(&(struct md_context){ f.tdr, f.tdcs, NULL, md_host(f.tdcs),
						     seamcall_name(leaf) }, &q, r);
	return flow_end(&f, err);
}

u64 tdh_mng_rd(struct tdx_regs *r, u32 version)
{
	return rd_wr(TDH_MNG_RD, r, version, false);
}

u64 tdh_mng_wr(struct tdx_regs *r, u32 version)
{
	return rd_wr(TDH_MNG_WR, r, version, true);
}
