/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The zero-step defence: EPT violations that repeat on one RIP are counted, then listed;
 * a vCPU with a list enters only when none of the listed GPAs would fault again, and takes
 * the S-EPT tree's lock to find out.
 *
 * The single-step defence: an interrupt that ends the guest's run early is sent to the LP
 * once more, and the guest runs some instructions one by one, with interrupts masked, before
 * it takes effect.
 * Source: TDX_1.5.01, src/td_transitions/td_exit_stepping.[ch].
 */
#include "sim/engine/types.h"

enum {
	STEPPING_EPF_THRESHOLD = 6,	/* counted; from the next one on GPAs are listed */
	STEPPING_TSC_THRESHOLD = 4096,	/* ticks after TDH.VP.ENTER in which an interrupt is early */
	STEPPING_BYTES = 30,		/* and RIP has not moved by more */
	STEPPING_INSNS = 32,		/* run at most */
};

struct lp_ctx;
struct module;
struct tdcs;
struct tdvps;

enum filter_result {
	FILTER_OK_CONTINUE,
	FILTER_OK_RESUME_TD,		/* the exit was the defence's own business */
	FILTER_OK_NOTIFY_EPS_FAULT,	/* the TD has asked to be told by a #VE */
	FILTER_FAIL_SEPT_TREE_BUSY,
	FILTER_FAIL_TDENTER_EPFS,	/* emulate an EPT violation instead of entering */
};

/* entry_filter - @gpa: the one that would fault; @tree: the mode it left the tree locked in */
enum filter_result entry_filter(const struct module *mod, struct lp_ctx *lp, struct tdvps *vp,
				struct tdcs *tdcs, u64 *gpa, u8 *tree);

/* stepping_entered - right before the guest runs: the time of the entry */
void stepping_entered(struct lp_ctx *lp);

/*
 * exit_filter - at each VM exit, @reason: enum td_exit_reason; @early: it came while
 * lp->early was ahead. Forward progress forgets what
 * was counted; an early interrupt begins the step mode, which each MTF exit goes on with and
 * any other ends. FILTER_OK_CONTINUE or FILTER_OK_RESUME_TD
 */
enum filter_result exit_filter(struct lp_ctx *lp, struct tdvps *vp, u32 reason, bool early);

/* stepping_seed - the LP's random numbers, from the sim's seed (RDRAND at TDH.SYS.LP.INIT) */
void stepping_seed(struct lp_ctx *lp);

/* epf_log - an EPT violation on private @gpa ends in a TD exit */
void epf_log(struct lp_ctx *lp, struct tdvps *vp, u64 gpa);
