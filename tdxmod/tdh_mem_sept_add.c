// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MEM.SEPT.ADD: link a new S-EPT page below a FREE entry.
 * Source: TDX_1.5.01, api_calls/tdh_mem_sept_add.c. L2 pages (version 1's R9..R11) are not
 * modelled: there are no L2 VMs.
 */
#include "tdxmod/flow.h"
#include "tdxmod/pamt_dynamic.h"

#define ALLOW_EXISTING	BIT_ULL(0)
#define NOT_USED	BIT_ULL(63)

/* process_l1_page(): @add says whether there is something to add */
static u64 check_new_page(struct flow *f, u64 page, u32 version, bool allow, bool *add)
{
	*add = false;
	if (page == NULL_PA) {
		if (!version)
			return status_operand(TDX_OPERAND_INVALID, OPERAND_R8);
		if (!sept_is_state(f->w.copy, SEPT_NL_MAPPED))
			return flow_fail_state(f, TDX_EPT_ENTRY_STATE_INCORRECT);
		return TDX_SUCCESS;
	}
	if (sept_is_state(f->w.copy, SEPT_FREE)) {
		*add = true;
		return flow_lock_new_page(f, page, SIZE_4K);
	}
	if (!allow)
		return flow_fail_state(f, TDX_EPT_ENTRY_STATE_INCORRECT);
	if (version)
		f->r->r8 = page | NOT_USED;
	return TDX_SUCCESS;
}

/* init_new_sept_page(), then the parent: NL_MAPPED, and TDEL stays set */
static void add_page(struct flow *f)
{
	sept_page_init(f->page.hpa, td_name_of(f->mod, f->tdr_pa), f->gpa, f->level - 1);
	mem_write8(&f->page.leaf->pt, PT_EPT);
	pamt_set_owner(f->page.leaf, f->tdr_pa);
	mem_write64(&f->page.leaf->bepoch, 0);
	pamt_count_up(f->mod, f->page.hpa);
	mem_xadd64(&f->tdr->chldcnt, 1);
	sept_write(f->mod, f->w.entry, sept_make_table(f->page.hpa));
	flow_progress();
}

static u64 sept_add(struct flow *f, u64 rcx, u64 rdx, u64 page, u32 version)
{
	bool add;
	u64 err;

	if (rdx & (GENMASK_ULL(11, 1) | GENMASK_ULL(63, 52)))
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RDX);
	if ((err = flow_lock_tdr(f, rdx & GENMASK_ULL(51, 12), OPERAND_RDX, LOCK_SHARED)) ||
	    (err = flow_lock_op_state(f)) ||
	    (err = flow_gpa(f, rcx, LVL_PD, f->tdcs->pwl)) ||
	    (err = flow_walk(f, LOCK_SHARED)) ||
	    (err = flow_lock_entry(f)) ||
	    (err = flow_check_state(f, ON_SEPT_ADD)) ||
	    (err = check_new_page(f, page, version, rdx & ALLOW_EXISTING, &add)))
		return err;
	if (add)
		add_page(f);
	if (add && version)
		f->r->r8 = NULL_PA;	/* nothing to give back */
	return TDX_SUCCESS;
}

u64 tdh_mem_sept_add(struct tdx_regs *r, u32 version)
{
	u64 rcx = r->rcx, rdx = r->rdx, page = r->r8, err;
	struct flow f;

	flow_begin(&f, TDH_MEM_SEPT_ADD, r);
	r->rcx = r->rdx = 0;
	if (version > 1)
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RAX);
	if (page != NULL_PA)
		page &= ~NOT_USED;
	if (version)
		r->r8 = page;
	err = sept_add(&f, rcx, rdx, page, version);
	flow_release_entry(&f);
	flow_release_pages(&f);
	return flow_end(&f, err);
}
