// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.MR.REPORT, TDG.MR.RTMR.EXTEND: the guest's two users of the RTMR lock, shared and
 * exclusive; the host's is TDH.SERVTD.BIND. An interrupt stops REPORT after its hash, which
 * is kept; its operands are looked at one by one, the report's page only at the end.
 * The recorded order of its accesses is in flow_steps_more.csv.
 * Source: TDX_1.5.01, vm_exits/tdg_mr_report.c, tdg_mr_rtmr_extend.c. Registers and reports
 * are words here (tdinfo.h); SEAMDB_REPORT always succeeds.
 */
#include "sim/engine/hash.h"
#include "tdxmod/guest_run.h"
#include "tdxmod/lp_state.h"
#include "tdxmod/tdcall.h"
#include "tdxmod/tdinfo.h"

enum { REPORT_BYTES = 1024, DATA_BYTES = 64 };

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

u64 tdg_mr_report(struct tdcall *c)
{
	struct tdcs *tdcs = c->lp->tdcs;
	u64 gpa = c->g->rcx, data_gpa = c->g->rdx, data = 0, hash, err;
	u64 *p;
	u16 bound;

	if (gpa & (REPORT_BYTES - 1))
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	if (data_gpa & (DATA_BYTES - 1))
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RDX);
	if (!tdcall_touch(c, data_gpa, false, false, &p, &err))
		return status_operand(err, OPERAND_RDX);
	if (c->g->r8)		/* the only subtype */
		return status_operand(TDX_OPERAND_INVALID, OPERAND_R8);
	bound = mem_read16(&tdcs->servtd_num);	/* the report's version */
	err = td_info_hash(tdcs, 0, SIDE_GUEST, &hash);
	if (err)
		return status_operand(err, OPERAND_RTMR);
	if (lp_interrupted(c->lp)) {
		c->end = TDCALL_INTERRUPTED;
		return TDX_SUCCESS;
	}
	if (p)
		data = mem_read64(p);
	if (!tdcall_touch(c, gpa, true, false, &p, &err))
		return status_operand(err, OPERAND_RCX);
	if (p)
		mem_write64(p, hash_fold(hash, data, bound > 0));
	return TDX_SUCCESS;
}
