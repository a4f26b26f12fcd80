/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the rooms of `septsim explore` share: what was asked for, how far it is.
 */
#pragma once

#include "scenarios/explorer.h"
#include "sim/cli/cli.h"

/* What is asked for beside the search itself. */
struct explore_asked {
	gboolean coverage, suggest;
	const char *only;	/* --case; NULL: all */
	const char *found;	/* --found FILE.scn; NULL: none is written */
	const char *replay;	/* --replay FILE; NULL: it is a search */
};

/* explore_options.c */
const GOptionEntry *explore_entries(void);
/* explore_take - FALSE after having said what is wrong. q->way is to be freed */
gboolean explore_take(struct explore_request *q, struct explore_asked *asked,
		      const struct cli *cli);
/* explore_identity - what a search is of, so that a checkpoint is not taken for another's */
char *explore_identity(const struct cli *cli, const char *path, const char *case_name);

/* explore_gauge.c */
struct gauge;
struct gauge *gauge_new(void);		/* NULL: stderr is no terminal */
void gauge_free(struct gauge *p);
/* gauge_begin - now @c of @sc is searched; @q: as it will be */
void gauge_begin(struct gauge *p, const struct explore_request *q, const char *name,
		    const char *case_name);
/* gauge_show - as a callback of the request */
void gauge_show(void *gauge, const struct explore_progress *so_far);
void gauge_end(struct gauge *p);		/* the terminal as it was */
