// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.PHYMEM.PAGE.RECLAIM: take a page back from a TD that is in teardown.
 * Source: TDX_1.5.01, api_calls/tdh_phymem_page_reclaim.c.
 */
#include "tdxmod/flow.h"
#include "tdxmod/pamt_dynamic.h"

static u64 check_owner(struct flow *f)
{
	u64 left, err = pamt_implicit_lock(f->mod, &f->tdr_entry, f->tdr_pa, SIZE_4K,
					   LOCK_SHARED, "TDR");
	u8 v;

	if (err)
		return status_operand(err, OPERAND_TDR);
	f->tdr_mode = LOCK_SHARED;
	f->tdr = tdr_at(f->tdr_pa);
	v = mem_read8(&f->tdr->lifecycle);
	if (v != TD_TEARDOWN)
		return TDX_LIFECYCLE_STATE_INCORRECT;
	left = 1ull << (9 * f->page.size);
	mem_xadd64(&f->tdr->chldcnt, -left);
	return TDX_SUCCESS;
}

static u64 check_tdr(struct flow *f)
{
	struct tdr *tdr = tdr_at(f->page.hpa);
	u8 v = mem_read8(&tdr->lifecycle);
	u64 left;

	if (v != TD_TEARDOWN)
		return TDX_LIFECYCLE_STATE_INCORRECT;
	left = mem_read64(&tdr->chldcnt);
	return left ? TDX_TD_ASSOCIATED_PAGES_EXIST : TDX_SUCCESS;
}

static u64 reclaim(struct flow *f)
{
	u64 err;
	u8 pt;

	f->tdr_pa = pamt_owner(f->page.leaf);
	pt = mem_read8(&f->page.leaf->pt);
	if (pt == PT_NDA || pt == PT_RSVD)
		return status_operand(TDX_PAGE_METADATA_INCORRECT, OPERAND_RCX);
	f->r->rcx = pt;
	f->r->rdx = f->tdr_pa;
	f->r->r8 = f->page.size;
	if (f->page.hpa & (level_size(f->page.size) - 1))
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	err = pt == PT_TDR ? check_tdr(f) : check_owner(f);
	if (err)
		return err;
	mem_write8(&f->page.leaf->pt, PT_NDA);
	if (f->page.size <= SIZE_2M)
		f->r->r9 |= pamt_count_down(f->mod, f->page.hpa);
	if (pt != PT_REG)
		page_disappears(f->page.hpa);
	return TDX_SUCCESS;
}

u64 tdh_phymem_page_reclaim(struct tdx_regs *r, u32 version)
{
	u64 hpa = r->rcx, err;
	struct flow f;

	flow_begin(&f, TDH_PHYMEM_PAGE_RECLAIM, r);
	r->rcx = r->rdx = r->r8 = r->r9 = r->r10 = r->r11 = 0;
	err = pamt_check_hpa(f.mod, hpa, SIZE_4K, OPERAND_RCX);
	if (err)
		return err;
	err = pamt_walk_lock(f.mod, &f.page, hpa, SIZE_4K, LOCK_EXCLUSIVE, NULL);
	if (err)
		return status_operand(err, OPERAND_RCX);
	f.page_locked = true;
	err = reclaim(&f);
	flow_release_tdr(&f);
	flow_release_pages(&f);
	return err;
}
