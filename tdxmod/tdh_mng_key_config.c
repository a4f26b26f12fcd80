// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MNG.KEY.CONFIG: PCONFIG gives this package's memory controller a random key for the
 * TD's HKID. With the last package the TD goes on to KEYS_CONFIGURED.
 * Source: TDX_1.5.01, api_calls/tdh_mng_key_config.c, helpers.c:program_mktme_keys.
 */
#include "sim/engine/lp.h"
#include "tdxmod/flow.h"

/* PCONFIG: a second one on the package meanwhile is told so by the hardware */
static u64 program_key(struct module *mod, u16 package)
{
	u64 err = mutex8_acquire(&mod->ket[package], "KET");

	if (err)
		return status_operand(err, OPERAND_KET);
	sim_charge(COST_WRMSR, 1);
	err = seamcall_draw();
	mutex8_release(&mod->ket[package], "KET");
	return err;
}

static u64 config(struct flow *f, u16 package)
{
	struct module *mod = module_self();
	u64 done, err;
	u8 v;

	v = mem_read8(&f->tdr->fatal);
	if (v)
		return TDX_TD_FATAL;
	v = mem_read8(&f->tdr->lifecycle);
	if (v != TD_HKID_ASSIGNED)
		return TDX_LIFECYCLE_STATE_INCORRECT;
	done = mem_read64(&f->tdr->pkg_config_bitmap);
	if (done & BIT_ULL(package))
		return TDX_KEY_CONFIGURED;
	err = program_key(mod, package);
	if (err)
		return err;
	done |= BIT_ULL(package);
	mem_write64(&f->tdr->pkg_config_bitmap, done);
	done = mem_read64(&f->tdr->pkg_config_bitmap);
	if (done == BIT_ULL(mod->packages) - 1)
		mem_write8(&f->tdr->lifecycle, TD_KEYS_CONFIGURED);
	return TDX_SUCCESS;
}

u64 tdh_mng_key_config(struct tdx_regs *r, u32 version)
{
	struct flow f;
	u64 err;

	flow_begin(&f, TDH_MNG_KEY_CONFIG, r);
	err = flow_lock_tdr(&f, r->rcx, OPERAND_RCX, LOCK_EXCLUSIVE);
	if (!err)
		err = config(&f, lp_package(lp_self()));
	return flow_end(&f, err);
}
