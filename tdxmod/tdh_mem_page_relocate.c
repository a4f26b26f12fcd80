// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MEM.PAGE.RELOCATE: give a 4K mapping another page. Blocked and tracked while the TD may
 * run; what was blocked is unblocked by it. Only the L1 entry: there are no L2 aliases.
 * The recorded order of its accesses is in flow_steps_more.csv.
 * Source: TDX_1.5.01, api_calls/tdh_mem_page_relocate.c.
 */
#include "tdxmod/flow.h"
#include "tdxmod/pamt_dynamic.h"

static u64 check(struct flow *f, u64 rcx, u64 tdr, u64 page)
{
	u64 old, err;

	if ((err = flow_lock_tdr(f, tdr, OPERAND_RDX, LOCK_SHARED)) ||
	    (err = flow_lock_op_state(f)) ||
	    (err = flow_gpa(f, rcx, LVL_PT, LVL_PT)) ||
	    (err = flow_walk(f, LOCK_SHARED)) ||
	    (err = flow_lock_entry(f)))
		return err;
	if (!sept_is_leaf(f->w.copy))
		return flow_fail_state(f, TDX_EPT_ENTRY_STATE_INCORRECT);
	err = flow_check_state(f, ON_PAGE_RELOCATE);
	if (err)
		return err;
	old = sept_leaf_hpa(f->w.copy, f->gpa, f->level);
	if (old == (page & GENMASK_ULL(51, 0)))
		return status_operand(TDX_OPERAND_INVALID, OPERAND_R8);
	if ((err = flow_lock_old_page(f, old, SIZE_4K)) ||
	    (err = flow_check_tracked(f)))
		return err;
	return flow_lock_new_page(f, page, SIZE_4K);
}

/* The old page is free before the entry names the new one: the order of the source */
static void relocate(struct flow *f)
{
	u64 value = (f->w.copy & ~SEPT_HPA) | f->page.hpa, word, hint;

	if (!sept_is(f->w.copy, SEPT_ANY_PENDING)) {
		sim_charge(COST_KEYHOLE_MISS, 1);
		sim_charge(COST_PAGE_CLEAR_4K, 1);
		word = mem_read64(phys_to_ptr(f->page_pa));
		mem_write64(phys_to_ptr(f->page.hpa), word);
	}
	mem_write8(&f->page_entry->pt, PT_NDA);
	hint = pamt_count_down(f->mod, f->page_pa);
	mem_write8(&f->page.leaf->pt, PT_REG);
	pamt_set_owner(f->page.leaf, f->tdr_pa);
	mem_write64(&f->page.leaf->bepoch, 0);
	pamt_count_up(f->mod, f->page.hpa);
	/* TDEL is in the copy: the lock's bit is cleared by the release */
	sept_write(f->mod, f->w.entry, sept_make_unblocked(value) | SEPT_TDEL);
	lp_check_gone(f->mod, f->tdr_pa, f->gpa, f->level, f->page_pa, false);
	f->r->rcx = f->page_pa | hint;
	flow_progress();
}

u64 tdh_mem_page_relocate(struct tdx_regs *r, u32 version)
{
	u64 rcx = r->rcx, tdr = r->rdx, err;
	struct flow f;

	flow_begin(&f, TDH_MEM_PAGE_RELOCATE, r);
	r->rcx = r->rdx = 0;
	err = check(&f, rcx, tdr, r->r8);
	if (!err)
		relocate(&f);
	flow_release_pages(&f);
	flow_release_entry(&f);
	return flow_end(&f, err);
}
