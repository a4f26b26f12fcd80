// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MEM.PAGE.REMOVE: give a page back. While the TD may run it must have been blocked,
 * and no LP may have a translation from before.
 * Source: TDX_1.5.01, api_calls/tdh_mem_page_remove.c.
 */
#include "tdxmod/flow.h"
#include "tdxmod/pamt_dynamic.h"

static u64 check(struct flow *f, u64 rcx, u64 tdr)
{
	u64 err;

	if ((err = flow_lock_tdr(f, tdr, OPERAND_RDX, LOCK_SHARED)) ||
	    (err = flow_lock_op_state(f)) ||
	    (err = flow_gpa(f, rcx, LVL_PT, LVL_PDPT)) ||
	    (err = flow_walk(f, LOCK_SHARED)) ||
	    (err = flow_lock_entry(f)))
		return err;
	if (!sept_is_leaf(f->w.copy))
		return flow_fail_state(f, TDX_EPT_ENTRY_STATE_INCORRECT);
	err = flow_check_state(f, ON_PAGE_REMOVE);
	if (err)
		return err;
	f->w.copy = sept_clean_pending(f->w.copy, f->level);
	err = flow_lock_old_page(f, sept_leaf_hpa(f->w.copy, f->gpa, f->level), f->level);
	if (err)
		return err;
	return flow_check_tracked(f);
}

static void remove_page(struct flow *f)
{
	/* septe_set_free_or_removed(): REMOVED only during an import, which is not modelled */
	mem_read32(&f->tdcs->op_state);
	sept_write(f->mod, f->w.entry, SEPT_FREE_INIT);
	f->entry_locked = false;
	lp_check_gone(f->mod, f->tdr_pa, f->gpa, f->level, f->page_pa, false);
	mem_xadd64(&f->tdr->chldcnt, -(1ull << (9 * f->level)));
	mem_write8(&f->page_entry->pt, PT_NDA);
	f->r->rcx = f->page_pa;
	if (f->level == LVL_PT)
		f->r->rcx |= pamt_count_down(f->mod, f->page_pa);
	flow_progress();
}

u64 tdh_mem_page_remove(struct tdx_regs *r, u32 version)
{
	u64 rcx = r->rcx, tdr = r->rdx, err;
	struct flow f;

	flow_begin(&f, TDH_MEM_PAGE_REMOVE, r);
	r->rcx = r->rdx = 0;
	err = check(&f, rcx, tdr);
	if (!err)
		remove_page(&f);
	flow_release_pages(&f);
	flow_release_entry(&f);
	return flow_end(&f, err);
}
