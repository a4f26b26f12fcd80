// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM exits of the guest: what the module's dispatcher does with each.
 * Source: TDX_1.5.01, td_dispatcher/tdx_td_dispatcher.c (prologue, td_call, #VE),
 * vm_exits/td_ept_violation.c, vm_exits/td_other_exits.c.
 */
#include "sim/engine/check.h"
#include "sim/engine/trace.h"
#include "tdxmod/guest.h"
#include "tdxmod/guest_run.h"
#include "tdxmod/module.h"
#include "tdxmod/status.h"
#include "tdxmod/stepping.h"
#include "tdxmod/tdcall.h"

enum prologue_end {
	PROLOGUE_CONTINUE,
	PROLOGUE_RESUME,	/* the guest goes on as if nothing had been */
	PROLOGUE_EXITED,	/* the TD is dead, @r is filled in */
};

/* tdx_td_l1_l2_dispatcher_common_prologue() */
static enum prologue_end prologue(struct lp_ctx *lp, u64 reason, u64 qualification, u64 gpa,
				  struct tdx_regs *r)
{
	struct tdvps *vp = lp->vp;
	bool early;
	u8 fatal;

	sim_charge(COST_TD_TRANSITION, 1);	/* out, and in again now or later */
	early = deadline_ahead(&lp->early);	/* LAST_EXIT_TSC is read here */
	lp_set_non_root(lp, false);
	world_set(vp->vmexit.reason, reason);
	world_set(vp->vmexit.qualification, qualification);
	world_set(vp->vmexit.gpa, gpa);
	fatal = mem_read8(&lp->tdr->fatal);
	if (fatal) {
		td_exit_async(lp, TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE, reason, 0, 0, 0,
			      LAST_ASYNC_FAULT, r);
		return PROLOGUE_EXITED;
	}
	if (exit_filter(lp, vp, (u32)reason, early) == FILTER_OK_RESUME_TD)
		return PROLOGUE_RESUME;
	return PROLOGUE_CONTINUE;
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
	switch (prologue(lp, EXIT_REASON_EXTERNAL_INTERRUPT, 0, 0, r)) {
	case PROLOGUE_RESUME:
		return resume(lp);
	case PROLOGUE_EXITED:
		return true;
	default:
		break;
	}
	td_exit_async(lp, TDX_SUCCESS, EXIT_REASON_EXTERNAL_INTERRUPT, 0, 0, 0,
		      LAST_ASYNC_FAULT, r);
	return true;
}

/* Only in step mode, so that the filter resumes the guest (or the TD is dead) */
bool vmexit_mtf(struct lp_ctx *lp, struct tdx_regs *r)
{
	if (prologue(lp, EXIT_REASON_MTF, 0, 0, r) == PROLOGUE_EXITED)
		return true;
	return resume(lp);
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

void ve_or_df(struct tdvps *vp, u64 reason, u64 qualification, u64 gpa)
{
	if (!vp->ve.valid) {
		inject_ve(vp, reason, qualification, gpa);
		return;
	}
	world_set(vp->guest.dead, 1);
	world_set(vp->guest.phase, GUEST_AT_INSN);
	trace_note("#DF: #VE before VE_INFO was read");
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
			if (!pending_ve_disabled(lp->tdcs)) {
				ve_or_df(vp, EXIT_REASON_EPT_VIOLATION, qualification, gpa);
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

static u64 run_leaf(struct tdcall *c, u64 rax)
{
	const struct tdcall_leaf_row *l = tdcall_leaf(rax & 0xffff);

	c->version = rax >> 16 & 0xff;
	c->leaf = rax & 0xffff;
	if (rax >> 24 || !l || (c->version && !l->versioned))
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RAX);
	if (l->run)
		return l->run(c);
	check_fail("unsupported-leaf", l->name, "%s is not modelled yet", l->name);
	return status_operand(TDX_OPERAND_INVALID, OPERAND_RAX);
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
		/* raw: MNG.WR alone changes it, and the deadline is of the first refusal */
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

/* The leaf's result, as the guest is to see it. True: the VMM is told of a lock instead */
static bool result(struct tdcall *c, u64 rax)
{
	struct tdvps *vp = c->lp->vp;

	if (STATUS_CLASS(rax) == TDX_OPERAND_BUSY_HOST_PRIORITY) {
		rax = TDX_OPERAND_BUSY | (u32)rax;
		if (host_priority_timeout(vp, c->lp->tdcs)) {
			c->g->rax = rax;
			advance_rip(vp);
			td_exit_async(c->lp, TDX_HOST_PRIORITY_BUSY_TIMEOUT, 0, 0, 0, 0,
				      LAST_ASYNC_TRAP, c->r);
			return true;
		}
	} else {
		mem_write8(&vp->hp_lock_busy, 0);
		deadline_clear(&vp->hp_lock_deadline);
	}
	if (c->end == TDCALL_RESULT) {
		c->g->rax = rax;
		advance_rip(vp);
	}
	return false;
}

bool vmexit_tdcall(struct lp_ctx *lp, struct tdx_regs *g, bool *again, struct tdx_regs *r)
{
	struct tdcall c = { .mod = module_self(), .lp = lp, .g = g, .r = r };
	const struct tdcall_leaf_row *l = tdcall_leaf(g->rax & 0xffff);
	const char *name = l ? l->name : "TDCALL";
	u64 arg = g->rcx >> 12 & GENMASK_ULL(39, 0), rax;
	bool has = l && l->gpa;

	*again = false;
	if (prologue(lp, EXIT_REASON_TDCALL, 0, 0, r))
		return true;
	trace_(EV_CALL, .name = name, .arg = arg, .has_arg = has);
	rax = run_leaf(&c, g->rax);
	if (c.end == TDCALL_EXITED)
		return true;
	sim_charge_instead(COST_TDCALL_FIXED, COST_TD_TRANSITION);
	*again = c.end != TDCALL_RESULT;
	if (c.end == TDCALL_VE)
		return resume(lp);
	trace_(EV_RETURN, .name = name, .arg = arg, .has_arg = has, .status = rax);
	if (result(&c, rax))
		return true;
	return resume(lp);
}
