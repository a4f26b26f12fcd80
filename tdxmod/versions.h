/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What newer modules do differently, as switches: one table, never a copy of a flow.
 * `variant tdx=VERSION` picks a column. Source of each: docs/model.md.
 */
#include "sim/engine/types.h"

struct tdx_version {
	const char *name;	/* "1.5.01" */
	u32 switches;		/* bit n: switch S(n+1) */
	const char *basis;	/* "source read" or what is inferred */
};

const struct tdx_version *tdx_version_find(const char *name);
const struct tdx_version *tdx_version_table(u32 *n);
bool tdx_switch(u32 s /* 1..12 */);	/* of the module of the running sim */
