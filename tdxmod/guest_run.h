/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Inside TDH.VP.ENTER: the guest's program, the VM exits that it causes, and the TD exits
 * that these may become. A VM exit that does not end in a TD exit resumes the guest.
 * Source: TDX_1.5.01, td_dispatcher/tdx_td_dispatcher.c, td_transitions/td_exit.c.
 */
#include "tdxmod/lp_state.h"
#include "tdxmod/seamcall.h"
#include "tdxmod/status.h"
#include "tdxmod/td.h"

/* Where in an instruction the guest is */
enum guest_phase {
	GUEST_AT_INSN,		/* before it, or in its TDCALL, which is executed again */
	GUEST_TDCALL_DONE,	/* behind its TDCALL: looks at RAX */
	GUEST_VE_GET,		/* in the #VE handler: TDG.VP.VEINFO.GET is next */
	GUEST_VE_ACCEPT,	/* TDG.MEM.PAGE.ACCEPT of VE_INFO's page is next */
	GUEST_VE_ACCEPTED,	/* behind it */
};

#define GUEST_RIP	0x1000ull	/* of instruction 0 */
#define GUEST_VE_RIP	0x800000ull	/* of the #VE handler */
#define INSN_BYTES	16u		/* from one instruction to the next */
#define TDCALL_BYTES	4u

/* guest_rip - no step: a VMREAD of the own VMCS */
static inline u64 guest_rip(const struct tdvps *vp)
{
	return vp->guest.rip;
}

/* guest_run - until the TD exit; @r gets what the VMM sees */
void guest_run(struct lp_ctx *lp, struct tdx_regs *r);

/* Exit qualification of an EPT violation */
#define QUAL_READ	BIT_ULL(0)
#define QUAL_WRITE	BIT_ULL(1)
#define QUAL_EXEC	BIT_ULL(2)

enum {				/* type of the extended exit qualification (RDX) */
	EEQ_NONE = 0,
	EEQ_ACCEPT = 1,
	EEQ_ATTR_WR = 5,
	EEQ_PENDING_EPT_VIOLATION = 6,
};

/*
 * VM exits, as the module's dispatcher handles them. True: a TD exit, @r is filled in and
 * the LP is back in the VMM; false: the guest goes on.
 */
bool vmexit_interrupt(struct lp_ctx *lp, struct tdx_regs *r);
/* vmexit_mtf - behind an instruction in step mode: stepping.h */
bool vmexit_mtf(struct lp_ctx *lp, struct tdx_regs *r);
bool vmexit_ept_violation(struct lp_ctx *lp, u64 gpa, u64 qualification, struct tdx_regs *r);
bool vmexit_ept_misconfig(struct lp_ctx *lp, u64 gpa, struct tdx_regs *r);
/* @g: the guest's RAX (leaf), RCX, RDX, R8 ... in; results out. @again: RAX and RIP untouched */
bool vmexit_tdcall(struct lp_ctx *lp, struct tdx_regs *g, bool *again, struct tdx_regs *r);

/* inject_ve - VE_INFO is filled; the guest's handler runs next */
void inject_ve(struct tdvps *vp, u64 reason, u64 qualification, u64 gpa);
/* ve_or_df - tdx_inject_ve(): #DF, which ends this guest, while VE_INFO has not been read */
void ve_or_df(struct tdvps *vp, u64 reason, u64 qualification, u64 gpa);

/* td_exit_async - TD exit with @status | @reason; @last: enum last_td_exit */
void td_exit_async(struct lp_ctx *lp, u64 status, u32 reason, u64 qualification, u64 eeq,
		   u64 gpa, enum last_td_exit last, struct tdx_regs *r);
/* ... due to an EPT violation: low bits of the GPA and details of the walk are hidden */
void td_exit_ept_violation(struct lp_ctx *lp, u64 gpa, u64 qualification, u64 eeq,
			   struct tdx_regs *r);
/* violation_details - RDX of ACCEPT's and ATTR.WR's: level asked for, and what was found */
u64 violation_details(u64 type, u8 level, const struct sept_walk *w);
/* td_exit_vmcall - the guest's registers that RCX selects */
void td_exit_vmcall(struct lp_ctx *lp, const struct tdx_regs *g, struct tdx_regs *r);
/* td_exit_cross_td - async_tdexit_cross_td(): @status, the guest's RAX too, is about @target */
void td_exit_cross_td(struct lp_ctx *lp, u64 status, u64 target, struct tdx_regs *g,
		      struct tdx_regs *r);

/* td_exit_is_trap - a TD exit behind its TDCALL, of which the guest has a result */
static inline bool td_exit_is_trap(u64 rax)
{
	return STATUS_CLASS(rax) == TDX_HOST_PRIORITY_BUSY_TIMEOUT ||
	       STATUS_CLASS(rax) == TDX_CROSS_TD_TRAP;
}
