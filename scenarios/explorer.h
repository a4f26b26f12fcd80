/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A case of a scenario, searched: its init lines are played, and then its operations alone
 * count, in every order of their steps; what the schedule says is not followed. What is found
 * is made small, drawn, and written as a scenario that replays it.
 */
#pragma once

#include "scenarios/coverage.h"
#include "scenarios/player.h"
#include "scenarios/way.h"
#include "sim/engine/explore.h"

/* How far a search is. */
struct explore_progress {
	const struct explore_result *so_far;
	const char *doing;	/* NULL: it searches */
	double seconds;
	guint pairs, pairs_met;		/* of operations at a lock, see coverage.h */
};

struct explore_request {
	struct explore_options engine;	/* callbacks are the explorer's own */
	double seconds;			/* 0: no limit */
	gboolean cpu;			/* they are of processor time, which load does not stretch */
	gboolean shrink;
	gboolean soon;			/* shrink to a small way soon, not to the smallest */
	/* No search, but one execution: along @way, or, without one, along the case's schedule. */
	gboolean replay;
	const struct way *way;
	enum { EXPLORE_MEMORY_FILE, EXPLORE_SC, EXPLORE_TSO } memory;	/* FILE: as the case says */
	/* Now and then, on long searches: how far it is. May be NULL. */
	void (*progress)(void *ctx, const struct explore_progress *so_far);
	void *ctx;
};

/* One distinct violation. Strings are the outcome's own. */
struct explored_violation {
	const char *id, *where, *text, *site;
	guint64 executions;	/* that had ended when it was first met */
	guint64 times;
	gint64 microseconds;		/* that had passed by then; of this host */
	guint steps, switches;	/* of the shortest way known */
	guint steps_found, switches_found;	/* of the way as it was found */
	guint actors, operations;	/* that are left of the case in the drawing */
	guint actors_found, operations_found;	/* that the case has, but for its init lines */
	gboolean loops;		/* livelock, starvation: the way ends in a loop */
	gboolean crash;		/* of septsim itself: the way's last step is not in the drawing */
	char *pauses;		/* where the way stops whom, see pauses.h */
	char *choices;		/* the way in the whole case: "vCPU0*12 zapper*3 vCPU0:1 ..." */
	struct play_result *drawn;	/* the way played, with its table */
	char *scn[2];		/* the way as a scenario: rows by events, rows by steps */
	const char *scenario;	/* the one that `septsim run` replays to it; NULL: neither does */
};

struct explored {
	struct play_result *res;	/* names, verdicts; no events */
	/* NULL if the case was refused, its init lines stuck, or a way to follow does not fit */
	struct explore_result *engine;
	GPtrArray *violations;		/* struct explored_violation */
	double seconds;
	gboolean tso;			/* stores were buffered ... */
	GPtrArray *buffered;		/* ... to these words: char * */
	struct coverage *coverage;	/* which operations met at which locks; NULL: no search */
	gboolean resumed;		/* so coverage is not of all of it */
};

/* scenario_explore - never NULL; one at a time in a process, like scenario_play() */
struct explored *scenario_explore(const struct scenario *sc, const struct scenario_case *c,
				  const struct play_options *opt,
				  const struct explore_request *req);
void explored_free(struct explored *e);

/* explore_word_name - "proved", "bounded", "sampled", "replayed" */
const char *explore_word_name(guint word);
