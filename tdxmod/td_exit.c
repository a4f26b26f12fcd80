// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the guest back to the VMM: vCPU state, the TLB epoch's count, the locks that
 * TDH.VP.ENTER has held. The TLB stays as it is.
 * Source: TDX_1.5.01, td_transitions/td_exit.c: async_tdexit_internal, td_vmexit_to_vmm;
 * td_dispatcher/vm_exits/td_other_exits.c, tdg_vp_vmcall.c.
 */
#include "sim/engine/trace.h"
#include "tdxmod/epoch.h"
#include "tdxmod/guest_run.h"
#include "tdxmod/module.h"
#include "tdxmod/status.h"

static const char *exit_name(u64 rax)
{
	if (STATUS_CLASS(rax) == TDX_HOST_PRIORITY_BUSY_TIMEOUT)
		return "HOST_PRIORITY_BUSY_TIMEOUT";
	if (STATUS_CLASS(rax) == TDX_CROSS_TD_TRAP)
		return "CROSS_TD_TRAP";
	switch ((u32)rax) {
	case EXIT_REASON_EXTERNAL_INTERRUPT:
		return "EXTERNAL_INTERRUPT";
	case EXIT_REASON_EPT_VIOLATION:
		return "EPT_VIOLATION";
	case EXIT_REASON_EPT_MISCONFIG:
		return "EPT_MISCONFIG";
	case EXIT_REASON_TDCALL:
		return "TDCALL";
	default:
		return "OTHER";
	}
}

static void to_vmm(struct lp_ctx *lp, u8 state, enum last_td_exit last, u64 rax)
{
	const struct module *mod = module_self();
	struct tdvps *vp = lp->vp;

	sim_charge(COST_XSAVES, 1);
	sim_charge(COST_RDMSR, 4);
	sim_charge(COST_VMPTRLD, 1);
	lp_set_non_root(lp, false);
	mem_write8(&vp->state, state);
	mem_write8(&vp->last_td_exit, last);
	epoch_leave(lp->tdcs, vp);
	sharex_hp_release_sh(&lp->tdr_entry->lock, "TDR");
	pamt_unwalk(mod, &lp->vp_walk);
	world_set(lp->tdvpr, 0);
	trace_(EV_EXIT, .name = exit_name(rax), .arg = vp->index, .has_arg = true);
}

void td_exit_async(struct lp_ctx *lp, u64 status, u32 reason, u64 qualification, u64 eeq,
		   u64 gpa, enum last_td_exit last, struct tdx_regs *r)
{
	u8 state = mem_read8(&lp->vp->state), before;

	before = mem_read8(&lp->vp->last_td_exit);
	if (status == TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE) {
		/* The TD is dead: as it was, but for the fatal flag */
		mem_write8(&lp->tdr->fatal, 1);
		last = before;
	} else {
		state = VCPU_READY;
	}
	*r = (struct tdx_regs){
		.rax = status | reason,
		.rcx = qualification,
		.rdx = eeq,
		.r8 = gpa,
	};
	to_vmm(lp, state, last, r->rax);
}

void td_exit_ept_violation(struct lp_ctx *lp, u64 gpa, u64 qualification, u64 eeq,
			   struct tdx_regs *r)
{
	td_exit_async(lp, TDX_SUCCESS, EXIT_REASON_EPT_VIOLATION,
		      qualification & ~GENMASK_ULL(12, 7), eeq, gpa & ~0xfffull,
		      LAST_ASYNC_FAULT, r);
}

/* async_tdexit_ept_violation() */
u64 violation_details(u64 type, u8 level, const struct sept_walk *w)
{
	u64 info = level | (u64)w->level << 3 | (u64)sept_public_state(w->copy) << 6 |
		   (u64)sept_is_leaf(w->copy) << 14;

	return type | info << 32;
}

/* copy_gprs_data_from_td_to_vmm(): RCX says which; the others read as 0 */
void td_exit_vmcall(struct lp_ctx *lp, const struct tdx_regs *g, struct tdx_regs *r)
{
	u64 select = g->rcx & 0xffff;

	*r = (struct tdx_regs){
		.rax = EXIT_REASON_TDCALL,
		.rcx = g->rcx & 0xffffffff,
		.rdx = select >> 2 & 1 ? g->rdx : 0,
		.r8 = select >> 8 & 1 ? g->r8 : 0,
		.r9 = select >> 9 & 1 ? g->r9 : 0,
		.r10 = select >> 10 & 1 ? g->r10 : 0,
		.r11 = select >> 11 & 1 ? g->r11 : 0,
		.r12 = select >> 12 & 1 ? g->r12 : 0,
		.r13 = select >> 13 & 1 ? g->r13 : 0,
		.r14 = select >> 14 & 1 ? g->r14 : 0,
		.r15 = select >> 15 & 1 ? g->r15 : 0,
	};
	to_vmm(lp, VCPU_READY, LAST_TDVMCALL, r->rax);
}

void td_exit_cross_td(struct lp_ctx *lp, u64 status, u64 target, struct tdx_regs *g,
		      struct tdx_regs *r)
{
	g->rax = status;
	world_set(lp->vp->guest.rip, lp->vp->guest.rip + TDCALL_BYTES);
	td_exit_async(lp, TDX_CROSS_TD_TRAP, 0, 0, status, target, LAST_ASYNC_TRAP, r);
}
