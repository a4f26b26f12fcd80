// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.VP.ADDCX: one more page for the TDVPS of a vCPU that is not initialized.
 * Source: TDX_1.5.01, api_calls/tdh_vp_addcx.c. TDVPR is let go first, then the page.
 */
#include "tdxmod/flow.h"

static u64 check(struct flow *f, u64 page, u64 tdvpr)
{
	u64 err;
	u8 state;

	if ((err = flow_lock_vcpu_and(f, tdvpr, OPERAND_RDX, LOCK_EXCLUSIVE, LOCK_SHARED)) ||
	    (err = flow_lock_op_state(f)))
		return err;
	f->vp = tdvps_at(f->vp_walk.hpa);
	sim_charge(COST_KEYHOLE_STATIC, 1);
	state = mem_read8(&f->vp->state);
	if (state != VCPU_UNINITIALIZED)
		return TDX_VCPU_STATE_INCORRECT;
	if (f->vp->num_pages >= TDVPS_PAGES_MAX)
		return TDX_TDCX_NUM_INCORRECT;
	return flow_lock_control_page(f, page);
}

static void addcx(struct flow *f)
{
	u8 n = f->vp->num_pages;

	page_clear(f->page.hpa);
	world_set(f->vp->tdvps_pa[n], f->page.hpa);
	world_set(f->vp->num_pages, (u8)(n + 1));
	mem_xadd64(&f->tdr->chldcnt, 1);
	flow_set_control_page(f, PT_TDCX, f->tdr_pa);
}

u64 tdh_vp_addcx(struct tdx_regs *r, u32 version)
{
	struct flow f;
	u64 err;

	flow_begin(&f, TDH_VP_ADDCX, r);
	err = check(&f, r->rcx, r->rdx);
	if (!err)
		addcx(&f);
	flow_release_vcpu(&f);
	flow_release_pages(&f);
	return flow_end(&f, err);
}
