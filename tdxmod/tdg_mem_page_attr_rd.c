// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.MEM.PAGE.ATTR.RD: the guest reads a page's attributes. The walk's failure is not
 * looked at: whatever entry it ended at is locked on the guest's side first, also a FREE
 * one or a parent's, and contends there with AUG and SEPT.ADD (catalogue A12).
 * Has no rows in flow_steps.csv: the order is from the source alone.
 * Source: TDX_1.5.01, vm_exits/tdg_mem_page_attr_rd.c (lock_table.md 3.4).
 */
#include "sim/engine/mem.h"
#include "tdxmod/guest_run.h"
#include "tdxmod/status.h"

u64 tdg_mem_page_attr_rd(struct lp_ctx *lp, struct tdx_regs *g, bool *exited,
			 struct tdx_regs *r)
{
	u64 gpa = g->rcx, err;
	struct sept_walk w;

	g->rcx = g->rdx = 0;
	if (!gpa_is_private(lp->tdcs, gpa))
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	sept_walk(lp->tdcs, gpa, LVL_PT, &w);
	err = sept_lock_guest(w.entry);
	if (err)
		return status_operand(err, OPERAND_RCX);
	w.copy = mem_read64(w.entry);
	if (!sept_allows(w.copy, ON_G_PAGE_ATTR_RD)) {
		sept_unlock(w.entry);
		*exited = true;
		g->rcx = gpa;	/* the TDCALL is executed again */
		td_exit_ept_violation(lp, gpa, 0, EEQ_NONE, r);
		return TDX_SUCCESS;
	}
	g->rcx = (gpa & ~(level_size(w.level) - 1)) | w.level;
	if (sept_is(w.copy, SEPT_ANY_PENDING))
		g->rcx |= BIT_ULL(62);
	sept_unlock(w.entry);
	return TDX_SUCCESS;
}
