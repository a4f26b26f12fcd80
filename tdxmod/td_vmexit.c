// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM exits of the guest: what the module's dispatcher does with each.
 * Source: TDX_1.5.01, td_dispatcher/tdx_td_dispatcher.c (prologue, td_call, #VE),
 * vm_exits/td_ept_violation.c, vm_exits/td_other_exits.c.
 */
#include <string.h>

#include "sim/engine/check.h"
#include "sim/engine/trace.h"
#include "tdxmod/guest.h"
#include "tdxmod/guest_run.h"
#include "tdxmod/module.h"
#include "tdxmod/status.h"
#include "tdxmod/stepping.h"

/* tdx_td_l1_l2_dispatcher_common_prologue(); true: the TD is dead, @r is filled in */
static bool prologue(struct lp_ctx *lp, u64 reason, u64 qualification, u64 gpa,
		     struct tdx_regs *r)
{
	struct tdvps *vp = lp->vp;
	u8 fatal;

	sim_charge(COST_TD_TRANSITION, 1);	/* out, and in again now or later */
	lp_set_non_root(lp, false);
	world_set(vp->vmexit.reason, reason);
	world_set(vp->vmexit.qualification, qualification);
	world_set(vp->vmexit.gpa, gpa);
	fatal = mem_read8(&lp->tdr->fatal);
	if (fatal) {
		td_exit_async(lp, TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE, reason, 0, 0, 0,
			      LAST_ASYNC_FAULT, r);
		return true;
	}
	exit_filter(lp, vp);
	return false;
}

static void advance_rip(struct tdvps *vp)
{
	world_set(vp->guest.rip, vp->guest.rip + TDCALL_BYTES);
}

static bool resume(struct lp_ctx *lp)
{
	lp_set_non_root(lp, true);
	return false;
}

bool vmexit_interrupt(struct lp_ctx *lp, struct tdx_regs *r)
{
	if (prologue(lp, EXIT_REASON_EXTERNAL_INTERRUPT, 0, 0, r))
		return true;
	td_exit_async(lp, TDX_SUCCESS, EXIT_REASON_EXTERNAL_INTERRUPT, 0, 0, 0,
		      LAST_ASYNC_FAULT, r);
	return true;
}

void inject_ve(struct tdvps *vp, u64 reason, u64 qualification, u64 gpa)
{
	world_set(vp->ve.reason, (u32)reason);
	world_set(vp->ve.qualification, qualification);
	world_set(vp->ve.gpa, gpa);
	world_set(vp->ve.valid, 1);
	if (vp->guest.phase < GUEST_VE_GET) {	/* else a #VE of its handler: begin that again */
		world_set(vp->guest.ve_rip, vp->guest.rip);
		world_set(vp->guest.ve_ret, vp->guest.phase);
	}
	world_set(vp->guest.rip, GUEST_VE_RIP);
	world_set(vp->guest.phase, GUEST_VE_GET);
	trace_note("#VE");
}

/* td_ept_violation_exit(); the walk takes no lock */
bool vmexit_ept_violation(struct lp_ctx *lp, u64 gpa, u64 qualification, struct tdx_regs *r)
{
	struct tdvps *vp = lp->vp;
	struct sept_walk w;
	u64 eeq = EEQ_NONE;

	if (prologue(lp, EXIT_REASON_EPT_VIOLATION, qualification, gpa, r))
		return true;
	if (!(gpa & gpa_shared_bit(lp->tdcs))) {
		sept_walk(lp->tdcs, gpa, LVL_PT, &w);
		if (sept_is(w.copy, SEPT_ACCEPTABLE)) {
			if (!lp->tdcs->pending_ve_disable) {
				if (!vp->ve.valid) {
					inject_ve(vp, EXIT_REASON_EPT_VIOLATION, qualification,
						  gpa);
					return resume(lp);
				}
				/* A #VE inside the #VE handler: #DF ends this guest */
				world_set(vp->guest.dead, 1);
				trace_note("#DF: #VE before VE_INFO was read");
				return resume(lp);
			}
			eeq = EEQ_PENDING_EPT_VIOLATION;
		}
		epf_log(lp, vp, gpa);
	}
	td_exit_ept_violation(lp, gpa, qualification, eeq, r);
	return true;
}

/* td_ept_misconfiguration_exit(): only tables of the VMM's can be misconfigured */
bool vmexit_ept_misconfig(struct lp_ctx *lp, u64 gpa, struct tdx_regs *r)
{
	if (prologue(lp, EXIT_REASON_EPT_MISCONFIG, 0, gpa, r))
		return true;
	td_exit_async(lp, TDX_SUCCESS, EXIT_REASON_EPT_MISCONFIG, 0, 0, gpa & ~0xfffull,
		      LAST_ASYNC_FAULT, r);
	return true;
}

static u64 veinfo_get(struct tdvps *vp, struct tdx_regs *g)
{
	if (!vp->ve.valid)
		return TDX_NO_VALID_VE_INFO;
	g->rcx = vp->ve.reason;
	g->rdx = vp->ve.qualification;
	g->r8 = 0;		/* GLA is not modelled */
	g->r9 = vp->ve.gpa;
	world_set(vp->ve.valid, 0);
	return TDX_SUCCESS;
}

static u64 tdcall_leaf(struct lp_ctx *lp, struct tdx_regs *g, bool *interrupted, bool *exited,
		       struct tdx_regs *r)
{
	u64 leaf = g->rax & 0xffff;
	const char *name = tdcall_name(leaf);

	/* None of the leaves here has versions */
	if (g->rax >> 16 || !name)
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RAX);
	switch (leaf) {
	case TDG_VP_VMCALL:
		/* RAX, RCX and RSP cannot be passed */
		if (g->rcx & 0x13 || g->rcx >> 32)
			return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
		*exited = true;
		advance_rip(lp->vp);
		td_exit_vmcall(lp, g, r);
		return TDX_SUCCESS;
	case TDG_VP_VEINFO_GET:
		return veinfo_get(lp->vp, g);
	case TDG_MEM_PAGE_ACCEPT:
		return tdg_mem_page_accept(lp, g, interrupted, exited, r);
	case TDG_MEM_PAGE_ATTR_RD:
		return tdg_mem_page_attr_rd(lp, g, exited, r);
	default:
		check_fail("unsupported-leaf", name, "%s is not modelled yet", name);
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RAX);
	}
}

/*
 * td_call()'s epilogue: a guest that is refused for a host's sake sees BUSY; if that goes
 * on for HP_LOCK_TIMEOUT the VMM is told. Any other result ends the count.
 */
static bool host_priority_timeout(struct tdvps *vp, struct tdcs *tdcs)
{
	u8 counting = mem_read8(&vp->hp_lock_busy);

	if (!counting) {
		mem_write8(&vp->hp_lock_busy, 1);
		deadline_set(&vp->hp_lock_deadline, tdcs->hp_lock_timeout);
		return false;
	}
	if (!deadline_passed(&vp->hp_lock_deadline, "HP_LOCK_TIMEOUT"))
		return false;
	mem_write8(&vp->hp_lock_busy, 0);
	deadline_clear(&vp->hp_lock_deadline);
	trace_observe("hp-leaked", vp->index);
	return true;
}

bool vmexit_tdcall(struct lp_ctx *lp, struct tdx_regs *g, bool *interrupted, struct tdx_regs *r)
{
	const char *name = tdcall_name(g->rax & 0xffff);
	struct tdvps *vp = lp->vp;
	bool exited = false, has;
	u64 arg = g->rcx >> 12 & GENMASK_ULL(39, 0), rax;

	*interrupted = false;
	has = name && !strncmp(name, "TDG.MEM.", 8);	/* RCX is a gpa */
	if (!name)
		name = "TDCALL";
	if (prologue(lp, EXIT_REASON_TDCALL, 0, 0, r))
		return true;
	sim_charge(COST_TDCALL_FIXED, 1);
	trace_(EV_CALL, .name = name, .arg = arg, .has_arg = has);
	rax = tdcall_leaf(lp, g, interrupted, &exited, r);
	if (exited)
		return true;
	trace_(EV_RETURN, .name = name, .arg = arg, .has_arg = has, .status = rax);
	if (STATUS_CLASS(rax) == TDX_OPERAND_BUSY_HOST_PRIORITY) {
		rax = TDX_OPERAND_BUSY | (u32)rax;
		if (host_priority_timeout(vp, lp->tdcs)) {
			g->rax = rax;
			advance_rip(vp);
			td_exit_async(lp, TDX_HOST_PRIORITY_BUSY_TIMEOUT, 0, 0, 0, 0,
				      LAST_ASYNC_TRAP, r);
			return true;
		}
	} else {
		mem_write8(&vp->hp_lock_busy, 0);
		deadline_clear(&vp->hp_lock_deadline);
	}
	if (!*interrupted) {
		g->rax = rax;
		advance_rip(vp);
	}
	return resume(lp);
}
