// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.VP.FLUSH: end a vCPU's association with this LP, translations included.
 * Source: TDX_1.5.01, api_calls/tdh_vp_flush.c. No OP_STATE lock, FATAL is not looked at.
 */
#include "tdxmod/flow.h"
#include "sim/engine/lp.h"

static u64 check(struct flow *f, u64 tdvpr)
{
	u64 err = flow_lock_vcpu(f, tdvpr, LOCK_EXCLUSIVE);
	u32 assoc;
	u8 v;

	if (err)
		return err;
	v = mem_read8(&f->tdr->lifecycle);
	if (v != TD_KEYS_CONFIGURED)
		return TDX_TD_KEYS_NOT_CONFIGURED;
	v = mem_read8(&f->tdr->num_tdcx);
	f->tdcs = td_tdcs(f->tdr);
	err = flow_map_vcpu(f);
	if (err)
		return err;
	assoc = mem_read32(&f->vp->assoc_lpid);
	return assoc == lp_self() ? TDX_SUCCESS : TDX_VCPU_NOT_ASSOCIATED;
}

u64 tdh_vp_flush(struct tdx_regs *r, u32 version)
{
	struct lp_ctx *lp = lp_ctx_self();
	struct flow f;
	u64 err;

	flow_begin(&f, TDH_VP_FLUSH, r);
	err = check(&f, r->rcx);
	if (!err) {
		tlb_flush(lp_tlb(lp), f.tdr_pa);
		sim_charge(COST_VMPTRLD, 1);		/* the VMCLEAR */
		mem_write32(&f.vp->assoc_lpid, VCPU_NO_LP);
		mem_xadd32(&f.tdcs->num_assoc_vcpus, -1);
		world_set(lp->last_tdvpr, NULL_PA);
	}
	return flow_end(&f, err);
}
