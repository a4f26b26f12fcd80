/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The zero-step defence: EPT violations that repeat on one RIP are counted, then listed;
 * a vCPU with a list enters only when none of the listed GPAs would fault again, and takes
 * the S-EPT tree's lock to find out.
 * Source: TDX_1.5.01, src/td_transitions/td_exit_stepping.[ch].
 */
#include "sim/engine/types.h"

enum {
	STEPPING_EPF_THRESHOLD = 6,	/* counted; from the next one on GPAs are listed */
};

struct lp_ctx;
struct module;
struct tdcs;
struct tdvps;

enum filter_result {
	FILTER_OK_CONTINUE,
	FILTER_OK_NOTIFY_EPS_FAULT,	/* the TD has asked to be told by a #VE */
	FILTER_FAIL_SEPT_TREE_BUSY,
	FILTER_FAIL_TDENTER_EPFS,	/* emulate an EPT violation instead of entering */
};

/* entry_filter - @gpa: the one that would fault; @tree: the mode it left the tree locked in */
enum filter_result entry_filter(const struct module *mod, struct lp_ctx *lp, struct tdvps *vp,
				struct tdcs *tdcs, u64 *gpa, u8 *tree);

/* exit_filter - at each VM exit: forward progress forgets what was counted */
void exit_filter(struct lp_ctx *lp, struct tdvps *vp);

/* epf_log - an EPT violation on private @gpa ends in a TD exit */
void epf_log(struct lp_ctx *lp, struct tdvps *vp, u64 gpa);
