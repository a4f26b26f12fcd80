// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.IQ.INV.PROCESS: an IOMMU has invalidated its IOTLB for a TD. What of it gates TRACK and
 * PAGE.REMOVE is here; the IOMMU and its queue are not modelled, so RDX names the TD that the
 * queue would (docs/model.md, T20).
 * Source: api_calls/tdxio/tdh_iq_inv_process.c at 2.0.18 (intel/tdx-module).
 */
#include "tdxmod/epoch.h"
#include "tdxmod/flow.h"

enum { IOMMUS_MAX = 64 };

u64 tdh_iq_inv_process(struct tdx_regs *r, u32 version)
{
	struct tdcs *tdcs;
	struct flow f;
	u64 err;

	flow_begin(&f, TDH_IQ_INV_PROCESS, r);
	if (!module_switch(f.mod, S_IOTLB))
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RAX);
	if (r->rcx >= IOMMUS_MAX)
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	err = flow_lock_tdr(&f, r->rdx, OPERAND_RCX, LOCK_SHARED);
	if (err)
		return err;
	tdcs = td_tdcs(f.tdr);
	err = sharex_hp_acquire_ex(&tdcs->iotlb.inv_lock, SIDE_HOST, "TDINV");
	if (err)
		return flow_end(&f, status_operand(err, OPERAND_RCX));
	err = sharex_acquire_sh(&tdcs->epoch.lock, "TD_EPOCH");
	if (err) {
		err = status_operand(err, OPERAND_TD_EPOCH);
	} else {
		epoch_iotlb_done(tdcs, r->rcx);
		sharex_release_sh(&tdcs->epoch.lock, "TD_EPOCH");
	}
	sharex_hp_release_ex(&tdcs->iotlb.inv_lock, "TDINV");
	return flow_end(&f, err);
}
