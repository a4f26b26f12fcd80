// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.PHYMEM.CACHE.WB: write this package's caches back, sub-block by sub-block, for the
 * keys that have been flushed; an interrupt stops it, and RESUME goes on.
 * Source: TDX_1.5.01, api_calls/tdh_phymem_cache_wb.c.
 */
#include "sim/engine/lp.h"
#include "tdxmod/flow.h"

enum { CACHE_WB_START, CACHE_WB_RESUME };

/* Which keys it is for; TDX_NO_HKID_READY_TO_WBCACHE if none */
static u64 start(struct module *mod, struct wbt_entry *wbt)
{
	u8 flushed[HKIDS_MAX] = { 0 };
	u16 end = MODULE_HKID + mod->private_hkids;
	bool any = false;

	mem_write64(&wbt->intr_point, 0);
	for (u16 k = MODULE_HKID; k < end; k++) {
		u8 state = mem_read8(&mod->kot[k].state);

		flushed[k] = state == HKID_FLUSHED;
		any |= flushed[k];
	}
	if (!any)
		return TDX_NO_HKID_READY_TO_WBCACHE;
	for (u16 k = MODULE_HKID; k < end; k++)
		mem_write8(&wbt->hkid_flushed[k], flushed[k]);
	return TDX_SUCCESS;
}

static u64 write_back(struct module *mod, struct wbt_entry *wbt, u64 block)
{
	u16 blocks = mod->cached_sub_blocks;

	do {
		if (!block)	/* IA32_WBNOINVDP: the whole package's price with the first */
			sim_charge(COST_WBINVD_PACKAGE, 1);
		block++;
		if (block < blocks && lp_interrupted(lp_ctx_self())) {
			mem_write64(&wbt->intr_point, block);
			return TDX_INTERRUPTED_RESUMABLE;
		}
	} while (block < blocks);
	mem_write64(&wbt->intr_point, 0);
	return TDX_SUCCESS;
}

static void done(struct module *mod, struct wbt_entry *wbt, u16 package)
{
	for (u16 k = MODULE_HKID; k < MODULE_HKID + mod->private_hkids; k++) {
		u8 mine = mem_read8(&wbt->hkid_flushed[k]);

		if (mine)
			mem_clear_bit64(&mod->kot[k].wbinvd_bitmap, package);
	}
}

static u64 cache_wb(struct module *mod, struct wbt_entry *wbt, u64 command, u16 package)
{
	u64 block = 0, err;

	if (command == CACHE_WB_START) {
		err = start(mod, wbt);
		if (err)
			return err;
	} else {
		block = mem_read64(&wbt->intr_point);
		if (!block)
			return TDX_WBCACHE_RESUME_ERROR;
	}
	err = write_back(mod, wbt, block);
	if (!err)
		done(mod, wbt, package);
	return err;
}

u64 tdh_phymem_cache_wb(struct tdx_regs *r, u32 version)
{
	struct module *mod = module_self();
	u16 package = lp_package(lp_self());
	struct wbt_entry *wbt = &mod->wbt[package];
	u64 err;

	if (r->rcx > CACHE_WB_RESUME)
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	err = mutex8_acquire(&wbt->lock, "WBT");
	if (err)
		return status_operand(err, OPERAND_WBCACHE);
	err = sharex_acquire_sh(&mod->kot_lock, "KOT");
	if (err) {
		err = status_operand(err, OPERAND_KOT);
	} else {
		err = cache_wb(mod, wbt, r->rcx, package);
		sharex_release_sh(&mod->kot_lock, "KOT");
	}
	mutex8_release(&wbt->lock, "WBT");
	return err;
}
