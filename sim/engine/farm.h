/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Parallel work: forked workers, which see the world at the same addresses and share
 * nothing that changes. A worker that crashes is a result, not the end.
 */
#include <glib.h>
#include <stdio.h>
#include <sys/types.h>

#include "sim/engine/types.h"

struct farm_result {
	bool done;		/* false: cut short by @stop */
	int status;		/* what the job returned, 0..255; -1 if it crashed */
	int signal;		/* the signal that ended it, 0 if none */
	GString *out;		/* what it wrote */
};

struct farm_work {
	u32 n;
	u32 jobs;		/* at most so many at a time; 0: one a processor */
	u32 stint;		/* a process ends after so many; 1: each in its own; 0: never before the last */
	/* Called for each i below @n, in a worker; the status is a result */
	int (*job)(void *ctx, u32 i, FILE *out);
	/* Called with each result as it comes, in no order; its text is gone afterwards. Or NULL */
	void (*taken)(void *ctx, u32 i, const struct farm_result *r);
	void *ctx;
	const volatile bool *stop;	/* looked at between results: true ends the farm; or NULL */
};

/*
 * farm_run - does the work of @work. Returns its results in order of i, whatever the order in
 * which they ended; farm_free(). Call it outside a sim: a worker makes its own.
 */
struct farm_result *farm_run(const struct farm_work *work);
void farm_free(struct farm_result *r, u32 n);

/* farm_child - called by a forked child: what has no end of its own ends with its @parent */
void farm_child(pid_t parent);
