// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MEM.PAGE.AUG: map a page of the VMM's as PENDING; the guest accepts it.
 * Source: TDX_1.5.01, api_calls/tdh_mem_page_aug.c.
 */
#include "tdxmod/flow.h"
#include "tdxmod/pamt_dynamic.h"

static u64 check(struct flow *f, u64 rcx, u64 tdr, u64 page)
{
	u64 err;

	if ((err = flow_lock_tdr(f, tdr, OPERAND_RDX, LOCK_SHARED)) ||
	    (err = flow_lock_op_state(f)) ||
	    (err = flow_gpa(f, rcx, LVL_PT, LVL_PD)) ||
	    (err = flow_walk(f, LOCK_SHARED)) ||
	    (err = flow_lock_entry(f)) ||
	    (err = flow_check_state(f, ON_PAGE_AUG)) ||
	    (err = flow_lock_new_page(f, page, f->level)))
		return err;
	return TDX_SUCCESS;
}

u64 tdh_mem_page_aug(struct tdx_regs *r, u32 version)
{
	u64 rcx = r->rcx, tdr = r->rdx, err;
	struct flow f;

	flow_begin(&f, TDH_MEM_PAGE_AUG, r);
	r->rcx = r->rdx = 0;
	err = check(&f, rcx, tdr, r->r8);
	if (!err) {
		/* The store lets the entry go, before count, type, owner and BEPOCH */
		sept_write(f.mod, f.w.entry, sept_make_leaf(0, f.page.hpa, SEPT_PENDING));
		f.entry_locked = false;
		mem_xadd64(&f.tdr->chldcnt, 1ull << (9 * f.level));
		mem_write8(&f.page.leaf->pt, PT_REG);
		pamt_set_owner(f.page.leaf, f.tdr_pa);
		mem_write64(&f.page.leaf->bepoch, 0);
		pamt_count_up(f.mod, f.page.hpa);
		flow_progress();
	}
	flow_release_pages(&f);
	flow_release_entry(&f);
	return flow_end(&f, err);
}
