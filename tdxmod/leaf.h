/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What the dispatcher, the flows and the lists know of each leaf: one table, leaf.c. A new
 * flow is a file tdh_*.c, a row here and a line in flow.h.
 */
#include "tdxmod/seamcall.h"

enum leaf_about {		/* what RCX names, for events */
	ABOUT_NONE,		/* nothing that an event tells apart */
	ABOUT_PAGE,		/* a gpa or hpa: its frame number */
	ABOUT_KEYED_PAGE,	/* an hpa with an HKID in it: the frame, whatever the key */
	ABOUT_VCPU,		/* a TDVPR: the vCPU's number */
};

struct leaf {
	const char *name;
	/* The flow, with interrupts of all kinds masked; NULL: not modelled */
	u64 (*run)(struct tdx_regs *r, u32 version);
	enum leaf_about about;
	u16 op_states;		/* bit n: may run in OP_STATE n; 0: does not look */
	bool versioned;		/* RAX bits 23:16 may be other than 0 */
	u8 versioned_by;	/* likewise with this switch on (enum tdx_switch_number) */
};

/* leaf_of - NULL if the number is no leaf of this module */
const struct leaf *leaf_of(u64 leaf);
