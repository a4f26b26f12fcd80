// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MNG.CREATE: a page becomes the TDR of a new TD, which gets a free HKID. The page is
 * cleared before the draw of the TD's UUID, which may fail.
 * Source: TDX_1.5.01, api_calls/tdh_mng_create.c.
 */
#include "tdxmod/flow.h"

static bool is_private_hkid(const struct module *mod, u64 rdx)
{
	return rdx >= MODULE_HKID && rdx < MODULE_HKID + mod->private_hkids;
}

static u64 create(struct flow *f, struct kot_entry *key, u16 hkid)
{
	u8 state = mem_read8(&key->state);
	u64 err;

	if (state != HKID_FREE)
		return TDX_HKID_NOT_FREE;
	page_clear(f->page.hpa);
	err = seamcall_draw();
	if (err)
		return err;
	f->tdr = tdr_at(f->page.hpa);
	td_set_uuid((struct module *)f->mod, f->tdr);
	td_appears((struct module *)f->mod, f->page.hpa);
	mem_write8(&key->state, HKID_ASSIGNED);
	world_set(f->tdr->hkid, hkid);
	mem_write8(&f->tdr->lifecycle, TD_HKID_ASSIGNED);
	flow_set_control_page(f, PT_TDR, 0);
	return TDX_SUCCESS;
}

u64 tdh_mng_create(struct tdx_regs *r, u32 version)
{
	struct module *mod = module_self();
	struct flow f;
	u64 err;

	flow_begin(&f, TDH_MNG_CREATE, r);
	if (!is_private_hkid(mod, r->rdx))
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RDX);
	err = pamt_check_and_lock(mod, &f.page, r->rcx, SIZE_4K, LOCK_EXCLUSIVE, PT_NDA,
				  OPERAND_RCX, "TDR");
	if (err)
		return err;
	f.page_locked = true;
	err = sharex_acquire_ex(&mod->kot_lock, "KOT");
	if (err) {
		err = status_operand(err, OPERAND_KOT);
	} else {
		err = create(&f, &mod->kot[r->rdx], r->rdx);
		sharex_release_ex(&mod->kot_lock, "KOT");
	}
	flow_release_pages(&f);
	return err;
}
