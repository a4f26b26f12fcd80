// SPDX-License-Identifier: GPL-2.0-only
/*
 * Retry loops make the same rows again and again: show them once, with a count. A loop is
 * a run of up to LOOP_MAX rows that repeats in everything but the cycle.
 */
#include <string.h>

#include "sim/report/report.h"

#define LOOP_MAX	16

static gboolean same(const struct report_row *a, const struct report_row *b)
{
	if (a->actor != b->actor || a->lines->len != b->lines->len)
		return FALSE;
	for (guint i = 0; i < a->lines->len; i++)
		if (strcmp(a->lines->pdata[i], b->lines->pdata[i]))
			return FALSE;
	return TRUE;
}

/* How often in all the @p rows from @at follow one another. */
static guint repeats(const GPtrArray *rows, guint at, guint p)
{
	guint n = 1;

	for (guint i = at + p; i + p <= rows->len; i += p, n++)
		for (guint j = 0; j < p; j++)
			if (!same(rows->pdata[at + j], rows->pdata[i + j]))
				return n;
	return n;
}

static void fold_at(GPtrArray *rows, guint at, guint p, guint n)
{
	struct report_row *first = rows->pdata[at];
	char *text;

	g_ptr_array_remove_range(rows, at + p, p * (n - 1));
	if (p == 1) {
		text = g_strdup_printf("%s (%u times)", (char *)first->lines->pdata[0], n);
		g_free(first->lines->pdata[0]);
		first->lines->pdata[0] = text;
		return;
	}
	text = g_strdup_printf("(these %u rows %u times in all)", p, n);
	g_ptr_array_insert(rows, (gint)(at + p), report_row_new(first->clock, -1, text));
	g_free(text);
}

void report_fold(GPtrArray *rows)
{
	for (guint at = 0; at < rows->len; at++) {
		guint best = 0, times = 0;

		for (guint p = 1; p <= LOOP_MAX && at + 2 * p <= rows->len; p++) {
			guint n = repeats(rows, at, p);

			/* A pair of equal rows is one row twice; a pair of laps is no loop. */
			if (n >= (p == 1 ? 2 : 3) && p * (n - 1) > best * (times ? times - 1 : 0)) {
				best = p;
				times = n;
			}
		}
		if (best) {
			fold_at(rows, at, best, times);
			at += best > 1 ? best : 0;
		}
	}
}
