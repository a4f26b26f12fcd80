// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MNG.KEY.FREEID: the key's caches have been written back; the TD goes to teardown.
 * Source: TDX_1.5.01, api_calls/tdh_mng_key_freeid.c. The life cycle is checked before KOT.
 */
#include "tdxmod/flow.h"

u64 tdh_mng_key_freeid(struct tdx_regs *r, u32 version)
{
	struct module *mod = module_self();
	struct kot_entry *key;
	struct flow f;
	u64 err, left;
	u8 state;

	flow_begin(&f, TDH_MNG_KEY_FREEID, r);
	err = flow_lock_tdr(&f, r->rcx, OPERAND_RCX, LOCK_EXCLUSIVE);
	if (err)
		return flow_end(&f, err);
	state = mem_read8(&f.tdr->lifecycle);
	if (state != TD_BLOCKED)
		return flow_end(&f, TDX_LIFECYCLE_STATE_INCORRECT);
	err = sharex_acquire_ex(&mod->kot_lock, "KOT");
	if (err)
		return flow_end(&f, status_operand(err, OPERAND_KOT));
	key = &mod->kot[f.tdr->hkid];
	left = mem_read64(&key->wbinvd_bitmap);
	if (left) {
		err = TDX_WBCACHE_NOT_COMPLETE;
	} else {
		mem_write8(&key->state, HKID_FREE);
		mem_write8(&f.tdr->lifecycle, TD_TEARDOWN);
	}
	sharex_release_ex(&mod->kot_lock, "KOT");
	return flow_end(&f, err);
}
