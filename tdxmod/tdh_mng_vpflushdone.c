// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MNG.VPFLUSHDONE: no LP runs or caches the TD; its key's caches are to be written back.
 * Source: TDX_1.5.01, api_calls/tdh_mng_vpflushdone.c.
 */
#include "tdxmod/flow.h"

static u64 flush_done(struct flow *f, struct module *mod)
{
	struct kot_entry *key = &mod->kot[f->tdr->hkid];
	u8 v = mem_read8(&f->tdr->lifecycle);

	if (v != TD_KEYS_CONFIGURED && v != TD_HKID_ASSIGNED)
		return TDX_LIFECYCLE_STATE_INCORRECT;
	v = mem_read8(&f->tdr->num_tdcx);
	if (v >= TDCX_PAGES) {
		struct tdcs *tdcs = td_tdcs(f->tdr);
		u32 state = mem_read32(&tdcs->op_state), n;

		if (op_state_any_initialized(state)) {
			n = mem_read32(&tdcs->num_assoc_vcpus);
			if (n)
				return TDX_FLUSHVP_NOT_DONE;
		}
	}
	mem_write64(&key->wbinvd_bitmap, BIT_ULL(mod->packages) - 1);
	mem_write8(&f->tdr->lifecycle, TD_BLOCKED);
	mem_write8(&key->state, HKID_FLUSHED);
	return TDX_SUCCESS;
}

u64 tdh_mng_vpflushdone(struct tdx_regs *r, u32 version)
{
	struct module *mod = module_self();
	struct flow f;
	u64 err;

	flow_begin(&f, TDH_MNG_VPFLUSHDONE, r);
	err = flow_lock_tdr(&f, r->rcx, OPERAND_RCX, LOCK_EXCLUSIVE);
	if (err)
		return flow_end(&f, err);
	err = sharex_acquire_ex(&mod->kot_lock, "KOT");
	if (err)
		return flow_end(&f, status_operand(err, OPERAND_KOT));
	err = flush_done(&f, mod);
	sharex_release_ex(&mod->kot_lock, "KOT");
	return flow_end(&f, err);
}
