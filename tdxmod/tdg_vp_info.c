// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.VP.INFO: what the TD is. No lock; NUM_VCPUS is read.
 * The recorded order of its accesses is in flow_steps_more.csv.
 * Source: TDX_1.5.01, vm_exits/tdg_vp_info.c.
 */
#include "tdxmod/guest_run.h"
#include "tdxmod/tdcall.h"

u64 tdg_vp_info(struct tdcall *c)
{
	struct tdcs *tdcs = c->lp->tdcs;

	c->g->rcx = tdcs->gpaw ? 52 : 48;
	c->g->rdx = tdcs->attributes;
	c->g->r8 = mem_read32(&tdcs->num_vcpus);
	c->g->r8 |= (u64)tdcs->max_vcpus << 32;
	c->g->r9 = c->lp->vp->index;
	c->g->r10 = 1;		/* TDG.SYS.RD is there */
	c->g->r11 = 0;
	return TDX_SUCCESS;
}
