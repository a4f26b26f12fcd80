/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Parallel work: forked workers, which see the world at the same addresses and share
 * nothing that changes. A worker that crashes is a result, not the end.
 */
#include <glib.h>
#include <stdio.h>

#include "sim/engine/types.h"

struct farm_result {
	bool done;		/* false: cut short by farm_run's @stop */
	int status;		/* what the job returned, 0..255; -1 if it crashed */
	int signal;		/* the signal that ended it, 0 if none */
	GString *out;		/* what it wrote */
};

/*
 * farm_run - call @job(@ctx, i, out) for each i below @n, each in a process of its own
 * @jobs: at most so many at a time; 0: one a processor
 * @stop: looked at between results: true ends the farm (Ctrl-C); may be NULL
 *
 * Returns @n results in order of i, whatever the order in which they ended. Call it
 * outside a sim: a worker makes its own.
 */
struct farm_result *farm_run(u32 n, u32 jobs, int (*job)(void *ctx, u32 i, FILE *out), void *ctx,
			     const volatile bool *stop);
void farm_free(struct farm_result *r, u32 n);
