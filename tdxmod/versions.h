/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What newer modules do differently, as switches: one table, never a copy of a flow.
 * `variant tdx=VERSION` picks a column, `dpamt` adds S11 where the version has it.
 * Source of each: its row of versions.c, and docs/model.md.
 */
#include "sim/engine/types.h"

#define TDX_VERSION_DEFAULT	"1.5.34"	/* the newest of the line in the field */
#define TDX_VERSION_RECORDED	"1.5.01"	/* read in full; the vectors are its */
#define TDX_OPTION_DPAMT	"dpamt"		/* the word of S11 in a variant line */

/* Numbered as in docs/model.md; the last is S10b */
enum tdx_switch_number {
	S_TREE_HP = 1,
	S_FILTER_SHARED,
	S_PENDING_NO_FAULT,
	S_PROMOTE_TREE_EX,
	S_ENTRY_CAS,
	S_ACCEPT_LEAF_LATE,
	S_UNBLOCK_RCX,
	S_REMOVED_CHILDREN,
	S_DEMOTE_NO_INTR,
	S_VP_INIT_TDR_EX,
	S_DPAMT,
	S_IOTLB,
	S_SERVTD_TDR_HP,
	TDX_SWITCHES = S_SERVTD_TDR_HP
};

#define SWITCH(n)	(1u << ((n) - 1))

struct tdx_switch_row {
	const char *name;	/* "S1" */
	const char *what;	/* what is so where it is on */
	const char *flows;	/* whose answers or steps it changes */
	const char *source;	/* files of Intel's tree */
};

struct tdx_version {
	const char *name;	/* "1.5.01" */
	u32 on;			/* SWITCH() of those that it has */
	u32 read;		/* SWITCH() of those, on or off, that were read in its own source */
	u32 options;		/* SWITCH() of those that a machine may turn on */
	const char *commit;	/* of intel/tdx-module */
	const char *basis;	/* what was read, in words */
};

/*
 * tdx_version_find - the version called @name into *@v; false if there is none. "1.5.34-S5+S12"
 * is 1.5.34 without the one and with the other, to see what a switch alone does: no module that
 * was ever released. S11 is an option, not for this.
 */
bool tdx_version_find(const char *name, struct tdx_version *v);
const struct tdx_version *tdx_version_table(u32 *n);
/* tdx_switch_table - [TDX_SWITCHES], S1 first */
const struct tdx_switch_row *tdx_switch_table(void);
