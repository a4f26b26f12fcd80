// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.MEM.PAGE.ATTR.WR: the guest sets the attributes that its L2 VMs have of a page. There
 * are none here, so nothing may be asked for; what remains are the entry's lock and, with S5,
 * the closing write. Unlike ATTR.RD it looks at the walk before it locks anything.
 * The recorded order of its accesses is in flow_steps_more.csv.
 * Source: TDX_1.5.01, vm_exits/tdg_mem_page_attr_wr.c; versions.md 2.1 for the closing write.
 */
#include "sim/engine/mem.h"
#include "tdxmod/guest_run.h"
#include "tdxmod/module.h"
#include "tdxmod/tdcall.h"

enum { MAX_VMS = 4, VM_ATTR_BITS = 16 };

/* Attributes and flags of the L1 VMM and of VMs that do not exist must be 0 */
static u64 check_attributes(const struct tdcs *tdcs, u64 attributes, u64 flags)
{
	for (u32 vm = 0; vm < MAX_VMS; vm++) {
		u64 mask = 0xffffull << (vm * VM_ATTR_BITS);

		if (vm && vm <= tdcs->num_l2_vms)
			continue;
		if (attributes & mask)
			return status_operand(TDX_OPERAND_INVALID, OPERAND_RDX);
		if (flags & mask)
			return status_operand(TDX_OPERAND_INVALID, OPERAND_R8);
	}
	return TDX_SUCCESS;
}

static u64 exit_violation(struct tdcall *c, u64 gpa, u8 level, const struct sept_walk *w)
{
	c->end = TDCALL_EXITED;
	td_exit_ept_violation(c->lp, gpa, QUAL_WRITE | (w->copy & SEPT_RWX) << 3,
			      violation_details(EEQ_ATTR_WR, level, w), c->r);
	return TDX_SUCCESS;
}

static u64 attr_wr(struct tdcall *c, u64 rcx, u64 attributes, u64 flags)
{
	u64 gpa = rcx & GENMASK_ULL(51, 12), err;
	u8 level = rcx & 7;
	struct sept_walk w;

	err = check_attributes(c->lp->tdcs, attributes, flags);
	if (err)
		return err;
	if ((rcx & GENMASK_ULL(11, 3)) || rcx >> 52 || level > LVL_PDPT ||
	    (gpa & (level_size(level) - 1)) || !gpa_is_private(c->lp->tdcs, gpa))
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	sept_walk(c->lp->tdcs, gpa, level, &w);
	if (w.level != level)
		return exit_violation(c, gpa, level, &w);
	err = sept_lock_guest(w.entry);
	if (err)
		return status_operand(err, OPERAND_RCX);
	w.copy = mem_read64(w.entry);
	if (!sept_is_leaf(w.copy) && !sept_is_state(w.copy, SEPT_FREE)) {
		sept_unlock(w.entry);
		return TDX_PAGE_SIZE_MISMATCH | w.level;
	}
	if (!sept_allows(w.copy, ON_G_PAGE_ATTR_WR)) {
		sept_unlock(w.entry);
		return exit_violation(c, gpa, level, &w);
	}
	if (module_switch(c->mod, S_ENTRY_CAS))
		sept_write(c->mod, w.entry, w.copy);
	c->g->rcx = rcx | (sept_is(w.copy, SEPT_ANY_PENDING) ? BIT_ULL(62) : 0);
	c->g->rdx = 0;
	sept_unlock(w.entry);
	return TDX_SUCCESS;
}

u64 tdg_mem_page_attr_wr(struct tdcall *c)
{
	u64 err = attr_wr(c, c->g->rcx, c->g->rdx, c->g->r8);

	if (err)
		c->g->rcx = c->g->rdx = 0;
	return err;
}
