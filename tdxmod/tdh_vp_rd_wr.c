// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.VP.RD, TDH.VP.WR: a field of a vCPU's metadata. Both associate the vCPU with this LP
 * before they look at the field, and it stays so if they fail. RD may have a DISABLED vCPU,
 * and a version 1, which tells the next field.
 * Source: TDX_1.5.01, api_calls/tdh_vp_rd_wr.c.
 */
#include "tdxmod/flow.h"
#include "tdxmod/metadata.h"

static u64 rd_wr(u32 leaf, struct tdx_regs *r, u32 version, bool write)
{
	struct md_request q;
	bool new_association;
	struct flow f;
	u64 err;

	flow_begin(&f, leaf, r);
	err = md_request_of(&q, r, version, write);
	if (err)
		return err;
	if (!(err = flow_lock_vcpu(&f, r->rcx, LOCK_SHARED)) &&
	    !(err = flow_lock_op_state(&f)) &&
	    !(err = flow_map_vcpu(&f)) &&
	    !(err = flow_associate(&f, !write, &new_association))) {
		sim_charge(COST_VMPTRLD, 2);	/* the TD's VMCS, then SEAM's again */
		err = md_rd_wr(&(struct md_context){ f.tdr, f.tdcs, f.vp, md_host(f.tdcs),
						     seamcall_name(leaf) }, &q, r);
	}
	return flow_end(&f, err);
}

u64 tdh_vp_rd(struct tdx_regs *r, u32 version)
{
	return rd_wr(TDH_VP_RD, r, version, false);
}

u64 tdh_vp_wr(struct tdx_regs *r, u32 version)
{
	return rd_wr(TDH_VP_WR, r, version, true);
}
