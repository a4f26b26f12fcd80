// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.PHYMEM.PAGE.WBINVD: write a page's lines back with a given HKID; the page must be
 * the VMM's. The recorded order of its accesses is in flow_steps_more.csv.
 * Source: TDX_1.5.01, api_calls/tdh_phymem_page_wbinvd.c (lock_table.md 3.3: page shared).
 */
#include "tdxmod/flow.h"

u64 tdh_phymem_page_wbinvd(struct tdx_regs *r, u32 version)
{
	struct flow f;
	u64 err;

	flow_begin(&f, TDH_PHYMEM_PAGE_WBINVD, r);
	err = pamt_check_and_lock(f.mod, &f.page, r->rcx & ~HKID_MASK, SIZE_4K, LOCK_SHARED,
				  PT_NDA, OPERAND_RCX, NULL);
	if (err)
		return err;
	f.page_locked = true;
	sim_charge(COST_KEYHOLE_MISS, 1);
	sim_charge(COST_PAGE_CLFLUSH_4K, 1);
	flow_release_pages(&f);
	return TDX_SUCCESS;
}
