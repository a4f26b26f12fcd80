// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.VP.CREATE: a page becomes the TDVPR of a new vCPU. It has no number yet.
 * Source: TDX_1.5.01, api_calls/tdh_vp_create.c. The page is let go first.
 */
#include "tdxmod/flow.h"

static void create(struct flow *f)
{
	struct tdvps *vp = tdvps_at(f->page.hpa);
	u32 vcpus;

	page_clear(f->page.hpa);
	world_set(vp->num_pages, 1);
	mem_write32(&vp->assoc_lpid, VCPU_NO_LP);
	world_set(vp->tdvps_pa[0], f->page.hpa);
	world_set(vp->tdvpr, f->page.hpa);
	world_set(vp->tdr, f->tdr_pa);
	mem_xadd64(&f->tdr->chldcnt, 1);
	vcpus = mem_peek32(&f->tdcs->num_vcpus);
	vcpu_appears((struct module *)f->mod, vp, vcpus);
	flow_set_control_page(f, PT_TDVPR, f->tdr_pa);
}

u64 tdh_vp_create(struct tdx_regs *r, u32 version)
{
	struct flow f;
	u64 err;

	flow_begin(&f, TDH_VP_CREATE, r);
	if (!(err = flow_lock_tdr(&f, r->rdx, OPERAND_RDX, LOCK_SHARED)) &&
	    !(err = flow_lock_op_state(&f)) &&
	    !(err = flow_lock_control_page(&f, r->rcx)))
		create(&f);
	flow_release_pages(&f);
	return flow_end(&f, err);
}
