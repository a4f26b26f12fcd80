// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which lines of the tree run (-Dlinux_lines=true): what the compiler calls at the beginning
 * of each basic block of the tree's files. See kvmmmu/lines.h.
 */
#include "kvmmmu/lines.h"

void __sanitizer_cov_trace_pc(void);

extern const char __ehdr_start[];	/* the program's first byte: the linker's */

void __sanitizer_cov_trace_pc(void)
{
	lines_hit((u64)__builtin_return_address(0) - (u64)__ehdr_start);
}
