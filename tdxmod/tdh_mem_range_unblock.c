// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MEM.RANGE.UNBLOCK: take a BLOCK back, once it has been tracked.
 * Source: TDX_1.5.01, api_calls/tdh_mem_range_unblock.c; S7 for the operand id.
 */
#include "tdxmod/epoch.h"
#include "tdxmod/flow.h"

static u64 check_tracked(struct flow *f)
{
	bool leaf = sept_is_leaf(f->w.copy);
	struct pamt_entry *page;
	u64 hpa, bepoch, err;

	if (!flow_tracking_required(f))
		return TDX_SUCCESS;
	hpa = leaf ? sept_leaf_hpa(f->w.copy, f->gpa, f->level) : f->w.copy & SEPT_HPA;
	page = pamt_implicit(f->mod, hpa, leaf ? f->level : SIZE_4K);
	bepoch = mem_read64(&page->bepoch);
	err = epoch_check_tracked(f->tdcs, bepoch);
	if (err == TDX_TLB_TRACKING_NOT_DONE && !module_switch(f->mod, S_UNBLOCK_RCX))
		return status_operand(err, OPERAND_SEPT_TREE);
	return err ? status_operand(err, OPERAND_RCX) : TDX_SUCCESS;
}

static u64 check(struct flow *f, u64 rcx, u64 tdr)
{
	u64 err;

	if ((err = flow_lock_tdr(f, tdr, OPERAND_RDX, LOCK_SHARED)) ||
	    (err = flow_lock_op_state(f)) ||
	    (err = flow_gpa(f, rcx, LVL_PT, f->tdcs->pwl)) ||
	    (err = flow_walk(f, LOCK_EXCLUSIVE)) ||
	    (err = flow_lock_entry(f)) ||
	    (err = flow_check_state(f, ON_RANGE_UNBLOCK)))
		return err;
	return check_tracked(f);
}

u64 tdh_mem_range_unblock(struct tdx_regs *r, u32 version)
{
	u64 rcx = r->rcx, tdr = r->rdx, err;
	struct flow f;

	flow_begin(&f, TDH_MEM_RANGE_UNBLOCK, r);
	r->rcx = r->rdx = 0;
	err = check(&f, rcx, tdr);
	if (!err) {
		/* The store lets the entry go too */
		sept_write(f.mod, f.w.entry, sept_make_unblocked(f.w.copy));
		f.entry_locked = false;
		flow_progress();
	}
	flow_release_entry(&f);
	return flow_end(&f, err);
}
