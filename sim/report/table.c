// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of a race: cycles at the left, a column an actor, as mails on the list draw
 * it. With more actors than the page can hold side by side, one column with names.
 * Rests on sim/report/rows.c for what is shown.
 */
#include <string.h>

#include "scenarios/result.h"
#include "sim/report/report.h"

#define COLUMN_MIN	16	/* narrower columns are not readable */
#define GAP		2
#define ROWS_HEAD	36	/* of a table that is too long: its beginning ... */
#define ROWS_TAIL	16	/* ... and its end */

#define RED	"\033[31m"
#define BOLD	"\033[1m"
#define PLAIN	"\033[0m"

struct table {
	const struct report_look *look;
	GString *out;
	GPtrArray *names;	/* const char *, a column each */
	int *column;		/* by actor; -1: it has no row */
	int cycles;		/* width of the first column */
	const char *unit;	/* its heading */
	int width;		/* of each other column ... */
	int last;		/* ... and of the last, which has what is left over */
	gboolean list;		/* one column for all */
};

static void find_columns(struct table *t, const struct play_result *r, const GPtrArray *rows)
{
	gboolean *seen = g_new0(gboolean, r->actors->len + 1);

	for (guint i = 0; i < rows->len; i++) {
		const struct report_row *row = rows->pdata[i];

		if (row->actor >= 0)
			seen[row->actor] = TRUE;
	}
	/* In the order of the case, those that never did anything left out. */
	for (guint i = 0; i < r->actors->len; i++) {
		t->column[i] = -1;
		if (!seen[i])
			continue;
		t->column[i] = (int)t->names->len;
		g_ptr_array_add(t->names, (gpointer)g_array_index(r->actors, struct play_actor,
								  i).name);
	}
	g_free(seen);
}

static void measure(struct table *t, const GPtrArray *rows)
{
	int n = (int)t->names->len;

	t->cycles = 5;
	for (guint i = 0; i < rows->len; i++) {
		const struct report_row *row = rows->pdata[i];
		char buf[32];
		int len = g_snprintf(buf, sizeof(buf), "%" G_GINT64_FORMAT, row->clock);

		t->cycles = MAX(t->cycles, len);
	}
	t->width = (t->look->width - GAP - t->cycles - n * GAP) / MAX(n, 1);
	if (t->width < COLUMN_MIN && n > 1) {
		t->list = TRUE;
		t->width = t->look->width - GAP - t->cycles - GAP;
	}
	t->last = t->list ? t->width : t->look->width - GAP - t->cycles - n * GAP -
					(n - 1) * t->width;
}

static int width_of(const struct table *t, guint column)
{
	return t->list || column + 1 == t->names->len ? t->last : t->width;
}

static void trim_end(GString *s)
{
	while (s->len && s->str[s->len - 1] == ' ')
		g_string_truncate(s, s->len - 1);
}

static void rule(struct table *t, int n)
{
	const char *dash = t->look->ascii || t->look->width == MAIL_WIDTH ? "-" : "\xe2\x94\x80";

	for (int i = 0; i < n; i++)
		g_string_append(t->out, dash);
}

static void draw_head(struct table *t)
{
	guint n = t->list ? 1 : t->names->len;

	g_string_append_printf(t->out, "%*s%*s", GAP, "", t->cycles, t->unit);
	for (guint i = 0; i < n; i++)
		g_string_append_printf(t->out, "%*s%-*s", GAP, "", t->width,
				       t->list ? "" : (char *)t->names->pdata[i]);
	trim_end(t->out);
	g_string_append_printf(t->out, "\n%*s", GAP, "");
	rule(t, t->cycles);
	for (guint i = 0; i < n; i++) {
		g_string_append_printf(t->out, "%*s", GAP, "");
		rule(t, width_of(t, i));
	}
	g_string_append_c(t->out, '\n');
}

static void draw_line(struct table *t, const struct report_row *row, const char *text,
		      gboolean first)
{
	gboolean red = row->alarm && t->look->color && strstr(text, "! ");
	int lead = GAP;

	if (first && row->actor >= 0)
		g_string_append_printf(t->out, "%*s%*" G_GINT64_FORMAT, GAP, "", t->cycles,
				       row->clock);
	else
		g_string_append_printf(t->out, "%*s", GAP + t->cycles, "");
	if (row->actor >= 0 && !t->list)
		lead += t->column[row->actor] * (t->width + GAP);
	g_string_append_printf(t->out, "%*s%s%s%s", lead, "", red ? RED : "", text,
			       red ? PLAIN : "");
	trim_end(t->out);
	g_string_append_c(t->out, '\n');
}

static void draw_row(struct table *t, const struct play_result *r, const struct report_row *row)
{
	gboolean first = TRUE;

	for (guint i = 0; i < row->lines->len; i++) {
		const char *text = row->lines->pdata[i];
		char *named = NULL;
		GPtrArray *lines;

		if (t->list && row->actor >= 0 && i == 0)
			named = g_strdup_printf("%s: %s", g_array_index(r->actors,
						struct play_actor, row->actor).name, text);
		lines = report_wrapped(named ? named : text, 2,
				       row->actor >= 0 ?
				       width_of(t, (guint)t->column[row->actor]) :
				       t->look->width - 2 * GAP - t->cycles);
		for (guint j = 0; j < lines->len; j++) {
			draw_line(t, row, lines->pdata[j], first);
			first = FALSE;
		}
		g_ptr_array_unref(lines);
		g_free(named);
	}
}

void report_table(const struct play_result *r, const struct report_look *look, GString *out)
{
	GPtrArray *rows = report_rows(r, look->verbose);
	struct table t = {
		.look = look, .out = out, .unit = r->unit, .names = g_ptr_array_new(),
		.column = g_new0(int, r->actors->len + 1),
	};

	if (!look->verbose)
		report_fold(rows);
	find_columns(&t, r, rows);
	measure(&t, rows);
	if (rows->len)
		draw_head(&t);
	for (guint i = 0; i < rows->len; i++) {
		if (!look->verbose && rows->len > ROWS_HEAD + ROWS_TAIL + 4 && i == ROWS_HEAD) {
			guint left_out = rows->len - ROWS_HEAD - ROWS_TAIL;

			g_string_append_printf(out, "%*s... %u rows (--verbose shows them) ...\n",
					       2 * GAP + t.cycles, "", left_out);
			i += left_out;
		}
		draw_row(&t, r, rows->pdata[i]);
	}
	if (r->unrecorded)
		g_string_append_printf(out, "%*s... %" G_GUINT64_FORMAT
				       " further events were not kept ...\n",
				       2 * GAP + t.cycles, "", r->unrecorded);
	g_ptr_array_unref(t.names);
	g_free(t.column);
	g_ptr_array_unref(rows);
}
