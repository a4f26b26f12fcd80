// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.VP.ENTER: associate the vCPU, join the TLB epoch, pass the zero-step filter, run the
 * guest. TDVPR and TDR stay locked shared until the TD exit; OP_STATE does not. What has
 * been done before a failure is not all undone: the association stays.
 * Source: TDX_1.5.01, td_transitions/tdh_vp_enter.c, helpers.c:associate_vcpu.
 */
#include "sim/engine/lp.h"
#include "sim/engine/trace.h"
#include "tdxmod/epoch.h"
#include "tdxmod/flow.h"
#include "tdxmod/guest_run.h"
#include "tdxmod/stepping.h"

#define RESUME_L1	BIT_ULL(53)
#define HOST_HINT	BIT_ULL(52)

/* Flags of RCX that make sense in other situations only */
static u64 check_flags(struct flow *f, u64 rcx)
{
	u8 last;

	if (rcx & HOST_HINT) {
		last = mem_read8(&f->vp->last_td_exit);
		if (last != LAST_ASYNC_TRAP)
			return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	}
	if (rcx & RESUME_L1)	/* there is no L2 to come back from */
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	return TDX_SUCCESS;
}

static void emulate_ept_violation(struct tdvps *vp, u64 gpa, struct tdx_regs *r)
{
	mem_write8(&vp->state, VCPU_READY);
	mem_write8(&vp->last_td_exit, LAST_ASYNC_FAULT);
	*r = (struct tdx_regs){ .rcx = QUAL_WRITE, .r8 = gpa & ~0xfffull };
}

/*
 * handle_stepping_filter() and what follows from it. EXIT_REASON_EPT_VIOLATION is a
 * status here: the guest does not run.
 */
static u64 pass_filter(struct flow *f, struct lp_ctx *lp, u8 *tree)
{
	enum filter_result res;
	struct tdvps *vp = f->vp;
	u64 gpa = 0;

	res = entry_filter(f->mod, lp, vp, f->tdcs, &gpa, tree);
	if (res == FILTER_FAIL_SEPT_TREE_BUSY) {
		epoch_leave(f->tdcs, vp);
		return status_operand(TDX_OPERAND_BUSY, OPERAND_SEPT_TREE);
	}
	if (res == FILTER_FAIL_TDENTER_EPFS) {
		epoch_leave(f->tdcs, vp);
		emulate_ept_violation(vp, gpa, f->r);
		return EXIT_REASON_EPT_VIOLATION;
	}
	if (res == FILTER_OK_NOTIFY_EPS_FAULT && !vp->ve.valid &&
	    vp->vmexit.reason == EXIT_REASON_EPT_VIOLATION &&
	    !(vp->vmexit.gpa & gpa_shared_bit(f->tdcs)))
		inject_ve(vp, vp->vmexit.reason, vp->vmexit.qualification, vp->vmexit.gpa);
	return TDX_SUCCESS;
}

static u64 enter(struct flow *f, struct lp_ctx *lp, u64 rcx, u8 *tree)
{
	bool new_association;
	u64 err;

	if (rcx & (GENMASK_ULL(11, 0) | GENMASK_ULL(63, 54)))
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	if ((err = flow_lock_vcpu(f, rcx & GENMASK_ULL(51, 12), LOCK_SHARED)) ||
	    (err = flow_lock_op_state(f)) ||
	    (err = flow_map_vcpu(f)) ||
	    (err = flow_associate(f, false, &new_association)) ||
	    (err = check_flags(f, rcx)) ||
	    (err = epoch_enter(f->tdcs, f->vp, new_association)))
		return err;
	return pass_filter(f, lp, tree);
}

/* The TD's translations of another vCPU must not be used: the ASID is the TD's */
static void switch_vcpu(struct lp_ctx *lp, struct flow *f)
{
	if (lp->last_tdvpr == f->vp_walk.hpa)
		return;
	tlb_flush(lp_tlb(lp), f->tdr_pa);
	sim_charge(COST_IBPB, 1);
	world_set(lp->last_tdvpr, f->vp_walk.hpa);
}

static void load_context(struct lp_ctx *lp, const struct flow *f)
{
	world_set(lp->tdvpr, f->vp_walk.hpa);
	world_set(lp->vp, f->vp);
	world_set(lp->tdr, f->tdr);
	world_set(lp->tdcs, f->tdcs);
	world_set(lp->tdr_entry, f->tdr_entry);
	world_set(lp->vp_walk, f->vp_walk);
}

/* vp_enter_seam - the SEAM part; 0 when the guest runs now, with TDVPR and TDR locked */
u64 vp_enter_seam(struct tdx_regs *r)
{
	struct lp_ctx *lp = lp_ctx_self();
	u8 tree = LOCK_NONE, last;
	bool hint = r->rcx & HOST_HINT;
	struct flow f;
	u64 err;

	flow_begin(&f, TDH_VP_ENTER, r);
	err = enter(&f, lp, r->rcx, &tree);
	if (err)
		return flow_end(&f, err);
	flow_release_op_state(&f);
	switch_vcpu(lp, &f);
	load_context(lp, &f);
	last = mem_read8(&f.vp->last_td_exit);
	if (last == LAST_ASYNC_TRAP)
		world_set(f.vp->guest.rax, status_with_hint(f.vp->guest.rax, hint));
	mem_write8(&f.vp->state, VCPU_ACTIVE);
	if (tree)
		tree_release(f.mod, f.tdcs, tree);
	/* VMCS switch, extended state, MSRs as far as they do not overlap (T15) */
	sim_charge(COST_VMPTRLD, 1);
	sim_charge(COST_XSAVES, 1);
	sim_charge(COST_WRMSR, 3);
	stepping_entered(lp);
	lp_set_non_root(lp, true);
	trace_(EV_ENTER, .arg = f.vp->index, .has_arg = true);
	return TDX_SUCCESS;
}

u64 tdh_vp_enter(struct tdx_regs *r, u32 version)
{
	u64 err = vp_enter_seam(r);

	if (err)
		return err;
	count(COUNT_VP_ENTERS, 1);
	lp_guest_begins();
	guest_run(lp_ctx_self(), r);
	lp_guest_ends();
	return r->rax;
}
