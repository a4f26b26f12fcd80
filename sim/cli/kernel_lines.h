/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A changed line of a tree, between who finds its places (kernel_lines.c) and who tells whether
 * they ran (kernel_ran.c).
 */
#pragma once

#include "sim/cli/kernel.h"

/* A line that a change adds, or one beside what it removes. */
struct added {
	char *path;
	guint line;
	guint removal;		/* 0: added; else the removal's number, nearest lines first */
	GArray *places;		/* guint64: places that stand for it */
};
