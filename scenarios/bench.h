/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One run of a workload, measured: init lines, then everything that the case gives its
 * actors, in virtual time at the engine's full speed, with no checks but those of the
 * models themselves. The seed says when each actor starts, and that is all it does.
 */
#pragma once

#include "scenarios/measure.h"
#include "scenarios/player.h"

#define BENCH_JITTER	100000u		/* cycles: actors start within so many of each other */
#define BENCH_CYCLES	30000000000ull	/* a run without `limit` that needs more does not end */

enum bench_end {
	BENCH_DONE,		/* all work done, or `limit cycles=` is over */
	BENCH_BROKEN,		/* a rule was broken: kvm-bug and the like */
	BENCH_DEADLOCK,
	BENCH_STUCK,		/* no limit was given and it does not end: a livelock */
	BENCH_STOPPED,		/* Ctrl-C */
	BENCH_REFUSED,		/* the file asks for what cannot be done */
	BENCH_FAULT,		/* the worker died */
	BENCH_ENDS,
};

struct bench_result {
	enum bench_end end;
	char *why;		/* g_free(); what was broken, who waits; or NULL */
	guint64 cycles;		/* from cycle 0 to the last actor's end */
	struct measure *measure;
};

/* bench_play - @opt: seed, costs, versions, policy. Never NULL. */
struct bench_result *bench_play(const struct scenario *sc, const struct scenario_case *c,
				const struct play_options *opt, guint64 jitter);
void bench_result_free(struct bench_result *r);

/* bench_write - as lines; bench_read is its inverse, NULL: torn */
void bench_write(const struct bench_result *r, FILE *out);
struct bench_result *bench_read(const char *text);

const char *bench_end_name(enum bench_end e);	/* "done", "broken", ... */
