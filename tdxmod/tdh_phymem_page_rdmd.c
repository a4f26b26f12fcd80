// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.PHYMEM.PAGE.RDMD: what the PAMT says of a page. The walk ends where the page is mapped;
 * the owner of a free page is whoever had it last.
 * The entry is copied as a whole: lock, type and owner at once, then BEPOCH.
 * Source: TDX_1.5.01, api_calls/tdh_phymem_page_rdmd.c.
 */
#include <string.h>

#include "tdxmod/flow.h"

u64 tdh_phymem_page_rdmd(struct tdx_regs *r, u32 version)
{
	u64 hpa = r->rcx, word, bepoch, err;
	struct pamt_entry e;
	struct flow f;

	flow_begin(&f, TDH_PHYMEM_PAGE_RDMD, r);
	r->rcx = r->rdx = r->r8 = r->r9 = r->r10 = r->r11 = 0;
	err = pamt_check_hpa(f.mod, hpa, SIZE_4K, OPERAND_RCX);
	if (err)
		return err;
	err = pamt_walk_lock(f.mod, &f.page, hpa, SIZE_4K, LOCK_SHARED, NULL);
	if (err)
		return status_operand(err, OPERAND_RCX);
	f.page_locked = true;
	word = mem_read64((u64 *)f.page.leaf);
	bepoch = mem_read64(&f.page.leaf->bepoch);
	memcpy(&e, &word, sizeof(word));
	r->rcx = e.pt;
	r->rdx = (u64)e.owner << 12;
	r->r8 = f.page.size;
	if (r->rcx == PT_REG || r->rcx == PT_EPT)
		r->r9 = bepoch;
	flow_release_pages(&f);
	return TDX_SUCCESS;
}
