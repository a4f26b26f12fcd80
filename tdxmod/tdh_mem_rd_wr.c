// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MEM.RD, TDH.MEM.WR: eight bytes of a debug TD's private page. The tree is locked before
 * the GPA is looked at, the walk goes to any present leaf, and the TDR is let go first.
 * The recorded order of its accesses is in flow_steps_more.csv.
 * Source: TDX_1.5.01, api_calls/tdh_mem_rd_wr.c, helpers.c:check_and_walk_private_gpa_to_leaf.
 */
#include "tdxmod/flow.h"

static u64 walk_to_leaf(struct flow *f)
{
	if (tree_acquire(f->mod, f->tdcs, LOCK_SHARED))
		return status_operand(TDX_OPERAND_BUSY, OPERAND_SEPT_TREE);
	f->tree = LOCK_SHARED;
	if (!gpa_is_private(f->tdcs, f->gpa))
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	sept_walk(f->tdcs, f->gpa, LVL_PT, &f->w);
	if (sept_is_leaf(f->w.copy) && (f->w.copy & SEPT_RWX))
		return TDX_SUCCESS;
	return flow_fail_state(f, TDX_EPT_ENTRY_NOT_PRESENT);
}

static u64 check(struct flow *f, u64 gpa, u64 tdr, enum sept_op op)
{
	u64 err;

	if ((err = flow_lock_tdr(f, tdr, OPERAND_RDX, LOCK_SHARED)) ||
	    (err = flow_lock_op_state(f)))
		return err;
	if (!(f->tdcs->attributes & ATTRIBUTES_DEBUG))
		return TDX_TD_NON_DEBUG;
	if (gpa & 7)
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	f->gpa = gpa;
	if ((err = walk_to_leaf(f)) ||
	    (err = flow_lock_entry(f)))
		return err;
	return flow_check_state(f, op);
}

static u64 rd_wr(u32 leaf, struct tdx_regs *r, u64 data, enum sept_op op)
{
	u64 gpa = r->rcx, tdr = r->rdx, err;
	struct flow f;
	u64 *word;

	flow_begin(&f, leaf, r);
	r->rcx = r->rdx = r->r8 = 0;
	err = check(&f, gpa, tdr, op);
	if (!err) {
		sim_charge(COST_KEYHOLE_MISS, 1);
		word = phys_to_ptr(sept_leaf_hpa(f.w.copy, gpa, f.w.level) | (gpa & 0xff8));
		r->r8 = mem_read64(word);
		if (op == ON_WR)
			mem_write64(word, data);
	}
	flow_release_tdr(&f);
	flow_release_entry(&f);
	return flow_end(&f, err);
}

u64 tdh_mem_rd(struct tdx_regs *r, u32 version)
{
	return rd_wr(TDH_MEM_RD, r, 0, ON_RD);
}

u64 tdh_mem_wr(struct tdx_regs *r, u32 version)
{
	return rd_wr(TDH_MEM_WR, r, r->r8, ON_WR);
}
