// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MEM.SEPT.REMOVE: take an empty S-EPT page out of the tree, blocked and tracked while
 * the TD may run: an LP may still walk through it by its paging-structure caches.
 * Source: TDX_1.5.01, api_calls/tdh_mem_sept_remove.c; versions.md S8.
 */
#include "tdxmod/flow.h"
#include "tdxmod/pamt_dynamic.h"

static u64 check_empty(struct flow *f)
{
	u64 *child = phys_to_ptr(f->page_pa);

	sim_charge(COST_KEYHOLE_HIT, 1);
	for (u32 i = 0; i < 512; i++) {
		u64 entry = mem_read64(&child[i]);

		if (sept_is_state(entry, SEPT_FREE) ||
		    (module_switch(f->mod, S_REMOVED_CHILDREN) && sept_is_state(entry, SEPT_REMOVED)))
			continue;
		return flow_fail_state(f, TDX_EPT_PAGE_NOT_FREE);
	}
	return TDX_SUCCESS;
}

static u64 check(struct flow *f, u64 rcx, u64 tdr)
{
	u64 err;

	if ((err = flow_lock_tdr(f, tdr, OPERAND_RDX, LOCK_SHARED)) ||
	    (err = flow_lock_op_state(f)) ||
	    (err = flow_gpa(f, rcx, LVL_PD, f->tdcs->pwl)) ||
	    (err = flow_walk(f, LOCK_EXCLUSIVE)) ||
	    (err = flow_lock_entry(f)) ||
	    (err = flow_check_state(f, ON_SEPT_REMOVE)) ||
	    (err = flow_lock_old_page(f, f->w.copy & SEPT_HPA, SIZE_4K)) ||
	    (err = flow_check_tracked(f)))
		return err;
	return check_empty(f);
}

static void remove_table(struct flow *f)
{
	sept_write(f->mod, f->w.entry, SEPT_FREE_INIT);
	f->entry_locked = false;
	lp_check_gone(f->mod, f->tdr_pa, f->gpa, f->level, f->page_pa, true);
	sept_page_gone(f->page_pa);
	mem_xadd64(&f->tdr->chldcnt, -1ull);
	mem_write8(&f->page_entry->pt, PT_NDA);
	f->r->rcx = f->page_pa | pamt_count_down(f->mod, f->page_pa);
	flow_progress();
}

u64 tdh_mem_sept_remove(struct tdx_regs *r, u32 version)
{
	u64 rcx = r->rcx, tdr = r->rdx, err;
	struct flow f;

	flow_begin(&f, TDH_MEM_SEPT_REMOVE, r);
	r->rcx = r->rdx = 0;
	if (version)
		r->r9 = r->r10 = r->r11 = NULL_PA;
	if (version > 1)
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RAX);
	err = check(&f, rcx, tdr);
	if (!err)
		remove_table(&f);
	flow_release_entry(&f);
	flow_release_pages(&f);
	return flow_end(&f, err);
}
