/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Early exits of flows against rows in the format of flow_errors.csv: a situation for each
 * check in which exactly that one fails, then status, operand id and output registers as the
 * row says; and of each pair of checks that fail together the earlier one.
 */
#include "tests/tdxmod/common.h"

#include "tdxmod/guest.h"
#include "tdxmod/status.h"

/* The machine of one row: gpa 0 has tables down to 4K, page 0x400000 PENDING at gfn 0 */
struct env {
	struct sim *sim;
	struct test_td td;
	struct tdr *tdr;
	struct tdcs *tdcs;
	struct tdvps *vp;
	struct tdx_regs r, in;
	u64 *entry;		/* of the operand */
	u64 raw;		/* of @entry before the call */
	u8 level;
	u64 *handle;		/* the register that holds the flow's TDR, TDVPR or page */
	u64 old_page;		/* what the entry names */
	bool flags;		/* the handle has flags: its reserved bits are another row's */
	u64 (*run)(struct env *e);	/* NULL: seamcall() */
	struct tdx_regs exit;	/* of a TDCALL: what the VMM sees, if it is told */
	u64 lock_td;		/* TDR of the TD whose locks are held; 0: the test's */
	struct module_lock hold;
	u32 how;
};

struct situation {
	const char *flow;	/* prefix; NULL: any */
	const char *check;	/* prefix of the row's text */
	void (*make)(struct env *e, u32 v);
	u32 variants;		/* 0: one */
	const char *why;	/* it cannot be set up */
	bool other;		/* it makes another call of it: no check that comes later */
};

struct error_rows {
	const char *csv, *prefix;	/* of the flows that are looked at */
	const struct situation *situation;
	u32 n;
	/* A call of the flow that would succeed, in e->r */
	void (*operands)(struct env *e, const char *flow);
	/* Output registers that the shared words for them do not say; NULL: none */
	void (*check_out)(struct env *e, char **row);
};

void errors_ok(u64 rax);
/* errors_begin - the machine, without a call */
void errors_begin(struct env *e);
/* errors_rows - each row; how many were checked, and how many cannot be set up */
void errors_rows(const struct error_rows *rows, u32 *done, u32 *not);
/* errors_order - of two checks that both fail, the earlier one is heard; how many pairs */
u32 errors_order(const struct error_rows *rows);

void point_at(struct env *e, u64 gpa, u8 level);
void hold(struct env *e, const char *name, u64 index, u8 level, u32 how);
void entry_is(struct env *e, enum sept_state s);

/* Situations that many flows share; @v counts variants of a row */
void version_1(struct env *e, u32 v);
void outside(struct env *e, u32 v);
void not_that(struct env *e, u32 v);
void fatal(struct env *e, u32 v);
void no_tdcs(struct env *e, u32 v);
void page_outside(struct env *e, u32 v);
void bad_handle(struct env *e, u32 v);
void walk_busy(struct env *e, u32 v);
void covered(struct env *e, u32 v);
void tdr_busy(struct env *e, u32 v);
void op_busy(struct env *e, u32 v);
void op_state(struct env *e, u32 v);
void bad_info(struct env *e, u32 v);
void bad_gpa(struct env *e, u32 v);
void tree_sh(struct env *e, u32 v);
void tree_ex(struct env *e, u32 v);
void unmapped(struct env *e, u32 v);
void entry_busy(struct env *e, u32 v);
void state_removed(struct env *e, u32 v);
void bad_page(struct env *e, u32 v);
void page_busy(struct env *e, u32 v);
void page_covered(struct env *e, u32 v);
void page_taken(struct env *e, u32 v);
void old_page_busy(struct env *e, u32 v);
void not_blocked(struct env *e, u32 v);
void not_tracked(struct env *e, u32 v);
void interrupted(struct env *e, u32 v);
