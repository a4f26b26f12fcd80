// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MNG.INIT: set the TDCS up as TD_PARAMS says; the TD is INITIALIZED. A failure leaves what
 * was set before it. Measurement, TSC parameters and MSRs are not modelled.
 * Source: TDX_1.5.01, api_calls/tdh_mng_init.c.
 */
#include "sim/engine/check.h"
#include "tdxmod/flow.h"
#include "tdxmod/td_params.h"

static void reset(struct flow *f)
{
	struct tdcs *tdcs = f->tdcs;

	mem_write32(&tdcs->num_vcpus, 0);
	mem_write32(&tdcs->num_assoc_vcpus, 0);
	mem_write64(&tdcs->epoch.td_epoch, 1);
	mem_write16(&tdcs->epoch.refcount[0], 0);
	mem_write16(&tdcs->epoch.refcount[1], 0);
	mem_write64(&tdcs->hp_lock_timeout, f->mod->hp_lock_timeout);
	world_set(tdcs->topology_enum, module_switch(f->mod, S_VP_INIT_TDR_EX));
}

u64 tdh_mng_init(struct tdx_regs *r, u32 version)
{
	u64 tdr = r->rcx, params = r->rdx, err;
	struct flow f;

	flow_begin(&f, TDH_MNG_INIT, r);
	r->rcx = 0;
	if ((err = flow_lock_tdr(&f, tdr, OPERAND_RCX, LOCK_EXCLUSIVE)) ||
	    (err = flow_check_op_state(&f)) ||
	    (err = flow_check_shared_hpa(params, TD_PARAMS_SIZE, OPERAND_RDX)))
		return flow_end(&f, err);
	sim_charge(COST_KEYHOLE_MISS, 1);
	reset(&f);
	err = td_params_take(&f, params);
	if (err)
		return flow_end(&f, err);
	if (f.tdcs->num_l2_vms)
		check_fail("unsupported-leaf", "TDH.MNG.INIT", "TDs with L2 VMs are not modelled");
	root_appears((struct module *)f.mod, f.tdr_pa);
	for (u32 i = 0; i < RTMRS; i++)
		mem_write64(&f.tdcs->rtmr[i], 0);
	mem_write32(&f.tdcs->op_state, OP_STATE_INITIALIZED);
	return flow_end(&f, TDX_SUCCESS);
}
