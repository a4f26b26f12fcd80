/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The guest's side of the module: one table of TDCALL leaves, tdcall.c, as leaf.c is of
 * SEAMCALLs. A new flow is a file tdg_*.c, a row there and a line here.
 * Source: TDX_1.5.01, td_dispatcher/tdx_td_dispatcher.c, auto_gen/op_state_lookup.c.
 */
#include "tdxmod/guest.h"
#include "tdxmod/seamcall.h"
#include "tdxmod/status.h"

struct lp_ctx;
struct module;

enum tdcall_end {
	TDCALL_RESULT,		/* RAX, RIP moves on */
	TDCALL_INTERRUPTED,	/* RAX and RIP as they were: executed again */
	TDCALL_VE,		/* likewise, after the #VE that has been injected */
	TDCALL_EXITED,		/* a TD exit has taken place: the VMM's registers are filled in */
};

/* A TDCALL in progress, on the actor's stack */
struct tdcall {
	const struct module *mod;
	struct lp_ctx *lp;
	struct tdx_regs *g;	/* the guest's: operands in, results out, but for RAX */
	struct tdx_regs *r;	/* the VMM's, of a TD exit */
	u32 version;
	u32 leaf;
	enum tdcall_end end;
};

struct tdcall_leaf_row {
	const char *name;
	/* The flow; its status is RAX if @end says so. NULL: not modelled */
	u64 (*run)(struct tdcall *c);
	bool gpa;		/* RCX is a gpa: events show its frame */
	bool versioned;		/* RAX bits 23:16 may be other than 0 */
	u16 op_states;		/* of the other TD that it is about; 0: it is about its own */
};

/* tdcall_leaf - NULL if the number is no leaf of this module */
const struct tdcall_leaf_row *tdcall_leaf(u64 leaf);

/*
 * tdcall_touch - an operand in the guest's memory, as check_walk_and_map_guest_side_gpa():
 * a walk without a lock, for a write if @write. True: *@p is where it lies, NULL in a shared
 * page. False: *@status to return (without operand), or c->end says that the guest has got
 * a #VE or the VMM an EPT violation.
 */
bool tdcall_touch(struct tdcall *c, u64 gpa, bool write, bool only_private, u64 **p, u64 *status);

u64 tdg_vp_vmcall(struct tdcall *c);
u64 tdg_vp_info(struct tdcall *c);
u64 tdg_mr_rtmr_extend(struct tdcall *c);
u64 tdg_vp_veinfo_get(struct tdcall *c);
u64 tdg_mr_report(struct tdcall *c);
u64 tdg_mem_page_accept(struct tdcall *c);
u64 tdg_vm_rd(struct tdcall *c);
u64 tdg_vm_wr(struct tdcall *c);
u64 tdg_vp_rd(struct tdcall *c);
u64 tdg_vp_wr(struct tdcall *c);
u64 tdg_servtd_rd(struct tdcall *c);
u64 tdg_servtd_wr(struct tdcall *c);
u64 tdg_mem_page_attr_rd(struct tdcall *c);
u64 tdg_mem_page_attr_wr(struct tdcall *c);
u64 tdg_vp_enter(struct tdcall *c);
u64 tdg_vp_invept(struct tdcall *c);
u64 tdg_vp_invvpid(struct tdcall *c);
