/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What several runs of one cell say of a number: its median and an interval for that, and
 * whether two cells differ. Integers throughout; order statistics, so no distribution is
 * assumed.
 */
#pragma once

#include <glib.h>

struct bench_stat {
	guint n;		/* runs */
	guint64 median;		/* of an even number: the lower middle */
	guint64 low, high;	/* of the median, with at least 95 % confidence if @sure */
	gboolean sure;		/* FALSE: fewer than 6 runs, so low and high are the extremes */
};

/* bench_stat - of @n values, which it sorts */
struct bench_stat bench_stat(guint64 *value, guint n);

/* bench_spread - (high - low) / median in permille; G_MAXUINT if the median is 0 and they differ */
guint bench_spread(const struct bench_stat *s);

/* bench_differ - negative: @a is less for sure; positive: greater; 0: the intervals touch */
int bench_differ(const struct bench_stat *a, const struct bench_stat *b);

/* bench_negligible - the medians are within 2 %: what a histogram can tell apart, about */
gboolean bench_negligible(const struct bench_stat *a, const struct bench_stat *b);

/* bench_ratio - 1000 * @a / @b, rounded; 0 if @b is 0 */
guint64 bench_ratio(guint64 a, guint64 b);
