// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.MR.RTMR.EXTEND: the guest's exclusive user of the RTMR lock; the host's is
 * TDH.SERVTD.BIND.
 * The recorded order of its accesses is in flow_steps_more.csv.
 * Source: TDX_1.5.01, vm_exits/tdg_mr_rtmr_extend.c. Registers are words here (tdinfo.h).
 */
#include "sim/engine/hash.h"
#include "tdxmod/guest_run.h"
#include "tdxmod/tdcall.h"
#include "tdxmod/tdinfo.h"

enum { DATA_BYTES = 64 };

u64 tdg_mr_rtmr_extend(struct tdcall *c)
{
	struct tdcs *tdcs = c->lp->tdcs;
	u64 gpa = c->g->rcx, index = c->g->rdx, data, value, err;
	u64 *p;

	if (gpa & (DATA_BYTES - 1))
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	if (!tdcall_touch(c, gpa, false, true, &p, &err))
		return status_operand(err, OPERAND_RCX);
	data = mem_read64(p);
	if (index >= RTMRS)
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RDX);
	err = sharex_hp_acquire_ex(&tdcs->rtmr_lock, SIDE_GUEST, "RTMR");
	if (err)
		return status_operand(err, OPERAND_RTMR);
	value = mem_read64(&tdcs->rtmr[index]);
	mem_write64(&tdcs->rtmr[index], hash_fold(value, data, index));
	mem_write8(&tdcs->last_teeinfo_hash_valid, 0);
	sharex_hp_release_ex(&tdcs->rtmr_lock, "RTMR");
	return TDX_SUCCESS;
}
