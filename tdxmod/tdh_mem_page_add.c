// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MEM.PAGE.ADD: copy a page into the TD while it is being built. TDR exclusive stands
 * for every other lock. The measurement is not modelled.
 * Source: TDX_1.5.01, api_calls/tdh_mem_page_add.c.
 */
#include "tdxmod/flow.h"
#include "tdxmod/pamt_dynamic.h"

static u64 check(struct flow *f, u64 rcx, u64 tdr, u64 page, u64 source)
{
	u64 err;

	if ((err = flow_lock_tdr(f, tdr, OPERAND_RDX, LOCK_EXCLUSIVE)) ||
	    (err = flow_check_op_state(f)) ||
	    (err = flow_gpa(f, rcx, LVL_PT, LVL_PT)) ||
	    (err = flow_walk(f, LOCK_NONE)))
		return err;
	f->w.copy = mem_read64(f->w.entry);
	if ((err = flow_check_state(f, ON_PAGE_ADD)) ||
	    (err = flow_check_shared_hpa(source, PAGE_SIZE, OPERAND_R9)) ||
	    (err = flow_lock_new_page(f, page, SIZE_4K)))
		return err;
	return TDX_SUCCESS;
}

u64 tdh_mem_page_add(struct tdx_regs *r, u32 version)
{
	u64 rcx = r->rcx, tdr = r->rdx, err, n, old;
	struct flow f;

	flow_begin(&f, TDH_MEM_PAGE_ADD, r);
	r->rcx = r->rdx = 0;
	err = check(&f, rcx, tdr, r->r8, r->r9);
	if (!err) {
		sim_charge(COST_PAGE_CLEAR_4K, 1);	/* 64 MOVDIR64B; contents do not exist */
		old = mem_read64(f.w.entry);
		if (old & SEPT_TDEL)
			module_fatal("sept", "PAGE.ADD found a locked entry");
		mem_write64(f.w.entry, sept_make_leaf(SEPT_RWX, f.page.hpa, SEPT_MAPPED));
		n = mem_read64(&f.tdr->chldcnt);
		mem_write64(&f.tdr->chldcnt, n + 1);
		mem_write8(&f.page.leaf->pt, PT_REG);
		pamt_set_owner(f.page.leaf, f.tdr_pa);
		mem_write64(&f.page.leaf->bepoch, 0);
		pamt_count_up(f.mod, f.page.hpa);
		flow_progress();
	}
	flow_release_pages(&f);
	return flow_end(&f, err);
}
