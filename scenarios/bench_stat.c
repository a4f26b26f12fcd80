// SPDX-License-Identifier: GPL-2.0-only
/*
 * Median and its interval by order statistics: of n values in order, the k-th least and the
 * k-th greatest enclose the true median unless fewer than k of n coin tosses fall on one
 * side, which the binomial distribution bounds.
 */
#include "scenarios/bench_stat.h"

#include <stdlib.h>

#define TOSSES_MAX	60u	/* 2^60 fits; more runs use the rank for so many and are surer */

static int by_value(const void *a, const void *b)
{
	guint64 x = *(const guint64 *)a, y = *(const guint64 *)b;

	return x < y ? -1 : x > y;
}

/* The greatest k with 2 * P(fewer than k of n) <= 5 %; 0 if there is none */
static guint rank_of(guint n)
{
	guint64 all, c = 1, below = 0;
	guint k;

	n = MIN(n, TOSSES_MAX);
	all = 1ull << n;
	for (k = 0; k < n / 2; k++) {
		if ((below + c) * 2 > all / 20)
			break;
		below += c;
		c = (guint64)((unsigned __int128)c * (n - k) / (k + 1));
	}
	return k;
}

struct bench_stat bench_stat(guint64 *value, guint n)
{
	struct bench_stat s = { .n = n };
	guint k = rank_of(n);

	if (!n)
		return s;
	qsort(value, n, sizeof(*value), by_value);
	s.sure = k > 0;
	k = MAX(k, 1);
	s.median = value[(n - 1) / 2];
	s.low = value[k - 1];
	s.high = value[n - k];
	return s;
}

guint bench_spread(const struct bench_stat *s)
{
	if (s->high == s->low)
		return 0;
	if (!s->median)
		return G_MAXUINT;
	return (guint)MIN((s->high - s->low) * 1000 / s->median, (guint64)G_MAXUINT);
}

int bench_differ(const struct bench_stat *a, const struct bench_stat *b)
{
	if (a->high < b->low)
		return -1;
	return a->low > b->high;
}

guint64 bench_ratio(guint64 a, guint64 b)
{
	return b ? (guint64)(((unsigned __int128)a * 1000 + b / 2) / b) : 0;
}

gboolean bench_negligible(const struct bench_stat *a, const struct bench_stat *b)
{
	guint64 low = MIN(a->median, b->median), high = MAX(a->median, b->median);

	return high - low <= low / 50;
}
