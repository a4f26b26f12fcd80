/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which operations met at which locks in a search: one holds it, another comes. Who holds what
 * is part of the world, so that a search takes it back; what has been met is not, and is in
 * memory that forked workers share.
 */
#pragma once

#include <glib.h>

#include "sim/engine/trace.h"

struct sim;
struct coverage;

enum coverage_how { COVER_REFUSED, COVER_WAITED, COVER_SHARED, COVER_HOWS };

/* One actor's operation, or the leaf it is in, at one lock. Strings are the coverage's own. */
struct coverage_use {
	char who[40];		/* "TDH.MEM.PAGE.AUG", "zap": the leaf, or the operation's word */
	char lock[48];		/* "sept", "PAMT@2M": without its number ... */
	char at[48];		/* ... and with it, as a row of a schedule names it */
	char mode[16];
	char actor[32], op[96];	/* of the first time */
	guint16 id;
};

/* @a held the lock when @b came. */
struct coverage_pair {
	const struct coverage_use *a, *b;
	guint64 times[COVER_HOWS];
};

/* coverage_new - listen to @sim; before search_begin(). Free it before the sim. */
struct coverage *coverage_new(struct sim *sim);
/*
 * coverage_apart - in a forked process: what is met from now on is not seen by the others until
 * coverage_give() has put it behind @to, and one of them has taken it
 */
void coverage_apart(struct coverage *c);
void coverage_give(const struct coverage *c, GByteArray *to);	/* nothing, unless apart */
void coverage_take(struct coverage *c, const guint8 *p, guint64 n);
void coverage_stop(struct coverage *c);		/* no more; what was met stays */
void coverage_free(struct coverage *c);

/*
 * coverage_pairs - one of each (who, lock, who): struct coverage_pair, by lock, then by name;
 * with no times those that two actors might have met at, and did not. To be unreffed.
 */
GArray *coverage_pairs(const struct coverage *c);
gboolean coverage_is_met(const struct coverage_pair *p);
gboolean coverage_is_full(const struct coverage *c);	/* some are not in the matrix */
