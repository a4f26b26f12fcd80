/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * One recorded operation after the other on the golden machine: what vectors.c (sequences)
 * and races.c (one inside another) share. A line is key=value words.
 */
#include "tests/tdxmod/common.h"

#define TSC_STEP	1000000000ull	/* far more than any operation costs */

struct replay {
	struct sim *sim;
	struct test_td td;
	struct module *mod;
	struct tdr *tdr;
	struct tdcs *tdcs;
	GHashTable *f;		/* the line's key=value */
	const char *line;
	u64 n;			/* operations so far */
	u64 cc;
	/* of this operation */
	struct module_lock hold;
	u32 hold_how;
	u64 entry_before, entry_level;
	u64 *slot;
	u64 intr;		/* chunks until the interrupt; 0: none */
	struct tdx_regs r;
	const char *exit;
	bool ran;		/* VP.ENTER entered */
};

u64 replay_num(struct replay *p, const char *key, u64 otherwise);
const char *replay_text(struct replay *p, const char *key);
/* replay_want - or the test fails, naming both and the line */
void replay_want(struct replay *p, const char *what, u64 got, u64 expected);
void replay_parse(struct replay *p, const char *line);
void replay_begin(struct replay *p);	/* a fresh sim, from the line's op_state, pvd ... */
void replay_op(struct replay *p);
/* replay_slot - at the deepest level that a walk to @level reaches now */
u64 *replay_slot(struct replay *p, u64 gpa, u8 level);
/* replay_check_locks - PAMT locks listed as @pl and no other (@all: a running vCPU's too) */
void replay_check_locks(struct replay *p, const char *tree, const char *pl, bool all);
u64 replay_digest(u64 page, u8 level);
