// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.VP.VEINFO.GET: why there was a #VE; from then on there may be another.
 * The recorded order of its accesses is in flow_steps_more.csv.
 * Source: TDX_1.5.01, vm_exits/tdg_vp_veinfo_get.c.
 */
#include "sim/engine/undo.h"
#include "tdxmod/guest_run.h"
#include "tdxmod/tdcall.h"

u64 tdg_vp_veinfo_get(struct tdcall *c)
{
	struct tdvps *vp = c->lp->vp;

	c->g->rcx = c->g->rdx = c->g->r8 = c->g->r9 = c->g->r10 = 0;
	if (!vp->ve.valid)
		return TDX_NO_VALID_VE_INFO;
	c->g->rcx = vp->ve.reason;
	c->g->rdx = vp->ve.qualification;
	c->g->r9 = vp->ve.gpa;	/* GLA and the instruction are not modelled */
	world_set(vp->ve.valid, 0);
	return TDX_SUCCESS;
}
