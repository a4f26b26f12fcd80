/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Where a mix of searches stands, and what comes next: a plain value, so that it can be kept,
 * and asked what would come if. Internal to the explorer.
 */
#include "sim/engine/explore_priv.h"

struct mix_at {
	u32 round, stage;	/* of the round */
	u32 rounds;		/* so many in all; 0: no end */
	int n;			/* of a search with few switches: how many at most */
	int switches_done;	/* all ways with so few, where actors meet; -1: none */
	u32 whole;		/* nothing but switches was left out of the last such search */
	u32 seldom;		/* ... and places where others had been */
	u32 all_met;		/* no switch was left out where actors meet */
	u32 endless;		/* no sample came to an end */
	u32 over;
};

void mix_begin(struct mix_at *at, const struct explore_options *opt);
/* mix_options - of the search that is next; returns its name. @meets: what is known so far */
const char *mix_options(const struct mix_at *at, const struct explore_options *opt,
			struct meets *meets, struct explore_options *o);
/*
 * mix_took - it came to @res; @learned: it found words at which actors meet that were not known.
 * Where it was the last, @res says so.
 */
void mix_took(struct mix_at *at, struct explore_result *res, bool learned);
/* mix_guess - as if nothing came of it */
void mix_guess(struct mix_at *at);
bool mix_same(const struct mix_at *a, const struct mix_at *b);	/* the same search comes next */
/* mix_next_phase - a search begins; what was found and how much was done by others is kept */
void mix_next_phase(struct explore_result *res, const char *phase);

/* crew_mix.c - in opt->jobs processes */
void crew_mix(struct sim *sim, const struct explore_options *opt, struct explore_result *res);
