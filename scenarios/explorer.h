/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A case of a scenario, searched: its init lines are played, and then its operations alone
 * count, in every order of their steps; what the schedule says is not followed. What is found
 * is made small, drawn, and written as a scenario that replays it.
 */
#pragma once

#include "scenarios/coverage.h"
#include "scenarios/player.h"
#include "sim/engine/explore.h"

struct explore_request {
	struct explore_options engine;	/* callbacks are the explorer's own */
	double seconds;			/* 0: no limit */
	gboolean shrink;
	gboolean soon;			/* shrink to a small way soon, not to the smallest */
	enum { EXPLORE_MEMORY_FILE, EXPLORE_SC, EXPLORE_TSO } memory;	/* FILE: as the case says */
	/* Now and then, on long searches: how far it is. May be NULL. */
	void (*progress)(void *ctx, const struct explore_result *so_far, double seconds);
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
	gboolean loops;		/* livelock, starvation: the way ends in a loop */
	gboolean crash;		/* of septsim itself: the way's last step is not in the drawing */
	char *pauses;		/* where the way stops whom, see pauses.h */
	char *choices;		/* the way: "vCPU0*12 zapper*3 vCPU0:1 ..." */
	struct play_result *drawn;	/* the way played, with its table */
	char *scn[2];		/* the way as a scenario: rows by events, rows by steps */
	const char *scenario;	/* the one that `septsim run` replays to it; NULL: neither does */
};

struct explored {
	struct play_result *res;	/* names, verdicts; no events */
	struct explore_result *engine;	/* NULL if the case was refused or its init lines stuck */
	GPtrArray *violations;		/* struct explored_violation */
	double seconds;
	gboolean tso;			/* stores were buffered ... */
	GPtrArray *buffered;		/* ... to these words: char * */
	struct coverage *coverage;	/* which operations met at which locks; NULL: no search */
};

/* scenario_explore - never NULL; one at a time in a process, like scenario_play() */
struct explored *scenario_explore(const struct scenario *sc, const struct scenario_case *c,
				  const struct play_options *opt,
				  const struct explore_request *req);
void explored_free(struct explored *e);

/* explore_word_name - "proved", "bounded", "sampled" */
const char *explore_word_name(guint word);
