// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.MEM.PAGE.ATTR.RD: the guest reads a page's attributes. The walk's failure is not
 * looked at: whatever entry it ended at is locked on the guest's side first, also a FREE
 * one or a parent's, and contends there with AUG and SEPT.ADD (catalogue A12).
 * The recorded order of its accesses is in flow_steps_more.csv.
 * Source: TDX_1.5.01, vm_exits/tdg_mem_page_attr_rd.c (lock_table.md 3.4).
 */
#include "sim/engine/mem.h"
#include "tdxmod/guest_run.h"
#include "tdxmod/tdcall.h"

static u64 attr_rd(struct tdcall *c, u64 gpa)
{
	struct sept_walk w;
	u64 err;

	if (!gpa_is_private(c->lp->tdcs, gpa))
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	sept_walk(c->lp->tdcs, gpa, LVL_PT, &w);
	err = sept_lock_guest(w.entry);
	if (err)
		return status_operand(err, OPERAND_RCX);
	w.copy = mem_read64(w.entry);
	if (!sept_allows(w.copy, ON_G_PAGE_ATTR_RD)) {
		sept_unlock(w.entry);
		c->end = TDCALL_EXITED;
		td_exit_ept_violation(c->lp, gpa, 0, EEQ_NONE, c->r);
		return TDX_SUCCESS;
	}
	c->g->rcx = (gpa & ~(level_size(w.level) - 1)) | w.level;
	if (sept_is(w.copy, SEPT_ANY_PENDING))
		c->g->rcx |= BIT_ULL(62);
	c->g->rdx = 0;		/* of the L1 VMM there are no attributes */
	sept_unlock(w.entry);
	return TDX_SUCCESS;
}

u64 tdg_mem_page_attr_rd(struct tdcall *c)
{
	u64 err = attr_rd(c, c->g->rcx);

	if (err)
		c->g->rcx = c->g->rdx = 0;
	return err;
}
