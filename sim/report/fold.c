// SPDX-License-Identifier: GPL-2.0-only
/*
 * Retry loops make the same rows again and again: show them once, with a count. A loop is
 * a run of up to LOOP_MAX rows that repeats in everything but the cycle. So is a sweep over a
 * table, whose rows differ in the index alone, by the same amount each: one row says from where
 * to where.
 */
#include <string.h>

#include "sim/report/report.h"

#define LOOP_MAX	16
#define SWEEP_MIN	4u	/* rows: fewer are no longer than what would replace them */

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

/* "mirror[0x10]@2M = FROZEN": what stands before the index, it, and what comes behind */
struct indexed {
	const char *text, *rest;
	int head;		/* characters of text up to the bracket, with it */
	guint64 index;
};

static gboolean indexed(const struct report_row *row, struct indexed *x)
{
	const char *open;
	char *end;

	if (row->lines->len != 1 || row->alarm)
		return FALSE;
	x->text = row->lines->pdata[0];
	open = strchr(x->text, '[');
	if (!open || !g_str_has_prefix(open + 1, "0x"))
		return FALSE;
	x->head = (int)(open + 1 - x->text);
	x->index = g_ascii_strtoull(open + 1, &end, 16);
	x->rest = end;
	return *end == ']';
}

/* How many rows from @at sweep; @step: by how much the index grows */
static guint sweep(const GPtrArray *rows, guint at, guint64 *step)
{
	const struct report_row *first = rows->pdata[at];
	struct indexed a, b;
	guint n = 1;

	*step = 0;
	if (!indexed(first, &a))
		return 1;
	for (; at + n < rows->len; n++) {
		const struct report_row *row = rows->pdata[at + n];

		if (row->actor != first->actor || !indexed(row, &b) || b.head != a.head ||
		    strncmp(a.text, b.text, (size_t)a.head) || strcmp(a.rest, b.rest))
			break;
		if (n == 1)
			*step = b.index - a.index;
		if (!*step || b.index != a.index + n * *step)
			break;
	}
	return n;
}

static void fold_sweep(GPtrArray *rows, guint at, guint n, guint64 step)
{
	struct report_row *first = rows->pdata[at];
	struct indexed x;
	char *text;

	if (!indexed(first, &x))	/* it is: sweep() said so */
		return;
	text = g_strdup_printf("%.*s0x%" G_GINT64_MODIFIER "x..0x%" G_GINT64_MODIFIER "x%s "
			       "(%u times)", x.head, x.text, x.index, x.index + n * step, x.rest, n);
	g_ptr_array_remove_range(rows, at + 1, n - 1);
	g_free(first->lines->pdata[0]);
	first->lines->pdata[0] = text;
}

static void fold_sweeps(GPtrArray *rows)
{
	guint64 step;

	for (guint at = 0; at < rows->len; at++) {
		guint n = sweep(rows, at, &step);

		if (n >= SWEEP_MIN)
			fold_sweep(rows, at, n, step);
	}
}

void report_fold(GPtrArray *rows)
{
	fold_sweeps(rows);
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
