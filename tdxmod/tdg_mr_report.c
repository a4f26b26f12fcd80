// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.MR.REPORT: the guest's shared user of the RTMR lock. An interrupt stops it after its
 * hash, which is kept; its operands are looked at one by one, the report's page only at the end.
 * The recorded order of its accesses is in flow_steps_more.csv.
 * Source: TDX_1.5.01, vm_exits/tdg_mr_report.c. Reports are words here (tdinfo.h);
 * SEAMDB_REPORT always succeeds.
 */
#include "sim/engine/hash.h"
#include "tdxmod/guest_run.h"
#include "tdxmod/lp_state.h"
#include "tdxmod/tdcall.h"
#include "tdxmod/tdinfo.h"

enum { REPORT_BYTES = 1024, DATA_BYTES = 64 };

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
