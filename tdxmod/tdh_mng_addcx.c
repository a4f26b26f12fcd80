// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MNG.ADDCX: one more page for the TDCS. With the sixth the TDCS is there (its draw of a
 * migration key may fail, the page filled already); more are for L2 VMs, before MNG.INIT.
 * Source: TDX_1.5.01, api_calls/tdh_mng_add_cx.c. TDR is let go before the page.
 */
#include "tdxmod/flow.h"

static u64 check(struct flow *f, u64 page, u64 tdr, u8 *n)
{
	u64 err = flow_lock_tdr(f, tdr, OPERAND_RDX, LOCK_EXCLUSIVE);
	u8 v;

	if (err)
		return err;
	v = mem_read8(&f->tdr->fatal);
	if (v)
		return TDX_TD_FATAL;
	v = mem_read8(&f->tdr->lifecycle);
	if (v != TD_KEYS_CONFIGURED)
		return TDX_TD_KEYS_NOT_CONFIGURED;
	*n = mem_read8(&f->tdr->num_tdcx);
	if (*n >= TDCX_PAGES_MAX)
		return TDX_TDCX_NUM_INCORRECT;
	return flow_lock_control_page(f, page);
}

static void fill(u64 hpa, u32 index)
{
	u64 *page = phys_to_ptr(hpa);

	if (index == TDCX_SEPT_ROOT) {
		sept_page_fill(hpa);
	} else if (index == TDCX_MSR_BITMAPS) {	/* beyond its first word nobody looks */
		sim_charge(COST_PAGE_CLEAR_4K, 1);
		mem_write64(page, tdcx_fill(index));
	} else {
		page_clear(hpa);
	}
}

/* With the new page there may be a TDCS: what that needs or allows */
static u64 check_tdcs(struct flow *f, u8 n)
{
	u32 state;

	if (n < TDCX_PAGES)
		return TDX_SUCCESS;
	(void)mem_read8(&f->tdr->num_tdcx);	/* map_implicit_tdcs() */
	if (n == TDCX_PAGES)
		return seamcall_draw();
	f->tdcs = td_tdcs(f->tdr);
	state = mem_read32(&f->tdcs->op_state);
	return op_state_allows(f->leaf, state) ? TDX_SUCCESS : TDX_OP_STATE_INCORRECT;
}

static u64 addcx(struct flow *f, u8 index)
{
	u64 err, children;

	fill(f->page.hpa, index);
	err = check_tdcs(f, index + 1);
	if (err)
		return err;
	world_set(f->tdr->tdcx_pa[index], f->page.hpa);
	mem_write8(&f->tdr->num_tdcx, index + 1);
	children = mem_read64(&f->tdr->chldcnt);
	mem_write64(&f->tdr->chldcnt, children + 1);
	tdcx_appears((struct module *)f->mod, f->tdr_pa, index);
	flow_set_control_page(f, PT_TDCX, f->tdr_pa);
	return TDX_SUCCESS;
}

u64 tdh_mng_addcx(struct tdx_regs *r, u32 version)
{
	struct flow f;
	u64 err;
	u8 n;

	flow_begin(&f, TDH_MNG_ADDCX, r);
	err = check(&f, r->rcx, r->rdx, &n);
	if (!err)
		err = addcx(&f, n);
	flow_release_tdr(&f);
	flow_release_pages(&f);
	return err;
}
