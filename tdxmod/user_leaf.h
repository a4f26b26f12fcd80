/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Leaves that the module has not, told by a user: what a patch series calls and no released
 * module does yet. One behaves as a leaf that is there, or takes locks of a TD, gives them back
 * and returns a status; nothing else changes. docs/your-kernel.md has the file's form.
 */
#include "sim/engine/types.h"
#include "tdxmod/seamcall.h"

#define USER_LEAF_LOCKS	8u

struct user_leaf {
	u64 number;		/* RAX bits 15:0 */
	const char *name;	/* "TDH.MEM.FOO" */
	u64 like;		/* number of the leaf that it behaves as; ~0: none */
	bool tdr_in_rdx;	/* where the locks' TD is; else RCX */
	u32 locks;
	struct {
		const char *name;	/* as `acquire` of the language has it */
		bool exclusive;
	} lock[USER_LEAF_LOCKS];
	u64 status;		/* when all locks were free */
};

struct user_leaves {
	u32 n;
	struct user_leaf *v;
};

/* user_leaves_set - @l, which must outlive the sim, before any SEAMCALL */
void user_leaves_set(struct sim *sim, const struct user_leaves *l);
/* user_leaf_of - NULL: nobody told of that number */
const struct user_leaf *user_leaf_of(u64 leaf);
/* user_leaf_run - one that is not like another */
u64 user_leaf_run(const struct user_leaf *l, const struct tdx_regs *r);
