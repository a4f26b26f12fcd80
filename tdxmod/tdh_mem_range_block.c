// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MEM.RANGE.BLOCK: no new translations through an entry. BEPOCH is written after the
 * blocked entry is visible.
 * Source: TDX_1.5.01, api_calls/tdh_mem_range_block.c.
 */
#include "tdxmod/flow.h"

static u64 check(struct flow *f, u64 rcx, u64 tdr)
{
	u64 err;

	if ((err = flow_lock_tdr(f, tdr, OPERAND_RDX, LOCK_SHARED)) ||
	    (err = flow_lock_op_state(f)) ||
	    (err = flow_gpa(f, rcx, LVL_PT, f->tdcs->pwl)) ||
	    (err = flow_walk(f, LOCK_EXCLUSIVE)) ||
	    (err = flow_lock_entry(f)))
		return err;
	if (sept_is(f->w.copy, SEPT_ANY_BLOCKED))
		return flow_fail_state(f, TDX_GPA_RANGE_ALREADY_BLOCKED);
	return flow_check_state(f, ON_RANGE_BLOCK);
}

static void block(struct flow *f)
{
	bool leaf = sept_is_leaf(f->w.copy);
	struct pamt_entry *page;
	u64 epoch;

	sept_write(f->mod, f->w.entry, sept_make_blocked(f->w.copy, f->level));
	page = pamt_implicit(f->mod, f->w.copy & SEPT_HPA, leaf ? f->level : SIZE_4K);
	epoch = mem_read64(&f->tdcs->epoch.td_epoch);
	mem_write64(&page->bepoch, epoch);
	flow_progress();
}

u64 tdh_mem_range_block(struct tdx_regs *r, u32 version)
{
	u64 rcx = r->rcx, tdr = r->rdx, err;
	struct flow f;

	flow_begin(&f, TDH_MEM_RANGE_BLOCK, r);
	r->rcx = r->rdx = 0;
	err = check(&f, rcx, tdr);
	if (!err)
		block(&f);
	flow_release_entry(&f);
	return flow_end(&f, err);
}
