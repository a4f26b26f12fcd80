// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bars, stacks, lines, in a coordinate system of 480 units across.
 */
#include <string.h>

#include "sim/report/bench_svg.h"

#define ACROSS		480u
#define LABELS		135u		/* left of the bars */
#define RIGHT		70u		/* right of them: the number */
#define ROW		22u
#define COLOURS		8u
#define CYCLES_PER_US	3000u

static void put(GString *out, const char *text)
{
	char *safe = g_markup_escape_text(text, -1);

	g_string_append(out, safe);
	g_free(safe);
}

static void begin(GString *out, const char *caption, guint height)
{
	g_string_append(out, "<figure><figcaption>");
	put(out, caption);
	g_string_append_printf(out, "</figcaption>\n<svg viewBox=\"0 0 %u %u\" role=img>\n", ACROSS,
			       height);
}

static void end(GString *out)
{
	g_string_append(out, "</svg></figure>\n");
}

static void text_at(GString *out, guint x, guint y, const char *anchor, const char *class,
		    const char *text)
{
	g_string_append_printf(out, "<text x=%u y=%u text-anchor=%s%s%s>", x, y, anchor,
			       *class ? " class=" : "", class);
	put(out, text);
	g_string_append(out, "</text>\n");
}

static void bar(GString *out, guint x, guint y, guint w, guint h, guint colour)
{
	g_string_append_printf(out, "<rect x=%u y=%u width=%u height=%u fill=\"var(--c%u)\"/>\n", x,
			       y, MAX(w, 1), h, colour % COLOURS);
}

/* 1.23, 12.3, 123 with a unit */
static char *amount(guint64 v, gboolean cycles)
{
	static const struct {
		guint64 unit;
		const char *name;
	} times[] = { { CYCLES_PER_US, " us" }, { 1000ull * CYCLES_PER_US, " ms" },
		      { 1000000ull * CYCLES_PER_US, " s" } },
	  counts[] = { { 1, "" }, { 1000, "k" }, { 1000000, "M" } };
	guint i = 0;
	guint64 unit, tenths;

	while (i < 2 && v >= (cycles ? times[i + 1].unit : counts[i + 1].unit))
		i++;
	unit = cycles ? times[i].unit : counts[i].unit;
	tenths = (guint64)(((unsigned __int128)v * 10 + unit / 2) / unit);
	if (tenths >= 1000 || (unit == 1 && tenths % 10 == 0))
		return g_strdup_printf("%" G_GUINT64_FORMAT "%s", tenths / 10,
				       cycles ? times[i].name : counts[i].name);
	return g_strdup_printf("%" G_GUINT64_FORMAT ".%u%s", tenths / 10, (guint)(tenths % 10),
			       cycles ? times[i].name : counts[i].name);
}

/* log2(v) in 1/64 */
static guint64 log64(guint64 v)
{
	guint top;

	if (v < 2)
		return 0;
	top = 63 - (guint)__builtin_clzll(v);
	return top * 64 + (top >= 6 ? (v >> (top - 6)) - 64 : (v << (6 - top)) - 64);
}

struct scale {
	guint64 least, greatest;	/* of what is shown */
	guint from, width;
	gboolean log;
};

static guint place(const struct scale *s, guint64 v)
{
	guint64 a = s->log ? log64(s->least) : s->least, b = s->log ? log64(s->greatest) : s->greatest;
	guint64 x = s->log ? log64(v) : v;

	if (b <= a || x <= a)
		return s->from;
	return s->from + (guint)((unsigned __int128)(MIN(x, b) - a) * s->width / (b - a));
}

/* Powers of ten of a microsecond below the bars */
static void ticks(GString *out, const struct scale *s, guint y0, guint y1)
{
	for (guint64 t = CYCLES_PER_US / 10; t && t <= s->greatest; t *= 10) {
		guint x = place(s, t);
		char *name;

		if (t < s->least)
			continue;
		name = amount(t, TRUE);
		g_string_append_printf(out, "<line class=axis x1=%u x2=%u y1=%u y2=%u />\n", x, x,
				       y0, y1);
		text_at(out, x, y1 + 14, "middle", "dim", name);
		g_free(name);
	}
}

void svg_spans(GString *out, const char *caption, const GArray *rows, gboolean cycles)
{
	struct scale s = { .least = G_MAXUINT64, .from = LABELS,
			   .width = ACROSS - LABELS - RIGHT, .log = cycles };
	guint height = rows->len * ROW;

	for (guint i = 0; i < rows->len; i++) {
		const struct svg_span *r = &g_array_index(rows, struct svg_span, i);

		s.least = MIN(s.least, r->from);
		s.greatest = MAX(s.greatest, r->end);
	}
	s.least = s.least * 4 / 5;
	begin(out, caption, height + 20);
	ticks(out, &s, 0, height);
	for (guint i = 0; i < rows->len; i++) {
		const struct svg_span *r = &g_array_index(rows, struct svg_span, i);
		guint y = i * ROW, a = place(&s, r->from), b = place(&s, r->to);
		char *median = amount(r->from, cycles);

		text_at(out, 0, y + 15, "start", "", r->label);
		bar(out, a, y + 10, place(&s, r->end) - a, 2, i);
		bar(out, a, y + 5, b - a, 12, i);
		text_at(out, ACROSS, y + 15, "end", "dim", median);
		g_free(median);
	}
	end(out);
}

/* The index of @name among those of @names, added if it is new */
static guint index_of(GPtrArray *names, const char *name)
{
	for (guint i = 0; i < names->len; i++)
		if (!strcmp(names->pdata[i], name))
			return i;
	g_ptr_array_add(names, (gpointer)name);
	return names->len - 1;
}

/* Beyond the colours there are, lines differ by their dashes. */
static const char *dash(guint i)
{
	static const char *const dashes[] = {
		"", " stroke-dasharray=\"7 3\"", " stroke-dasharray=\"2 3\"",
	};

	return dashes[MIN(i / COLOURS, G_N_ELEMENTS(dashes) - 1)];
}

static void legend(GString *out, const GPtrArray *names, guint y)
{
	for (guint i = 0; i < names->len; i++) {
		guint x = i % 3 * (ACROSS / 3), row = y + i / 3 * 16;

		g_string_append_printf(out, "<path stroke=\"var(--c%u)\" stroke-width=%u%s "
				       "d=\"M%u %uh12\"/>\n", i % COLOURS, i < COLOURS ? 10 : 4,
				       dash(i), x, row + 7);
		text_at(out, x + 15, row + 11, "start", "dim", names->pdata[i]);
	}
}

static guint legend_height(const GPtrArray *names)
{
	return (names->len + 2) / 3 * 16 + 4;
}

void svg_stacks(GString *out, const char *caption, const GArray *parts)
{
	GPtrArray *rows = g_ptr_array_new(), *kinds = g_ptr_array_new();
	guint64 *sum = g_new0(guint64, parts->len + 1), greatest = 1;
	guint *x = g_new(guint, parts->len + 1), width = ACROSS - LABELS - RIGHT;
	gboolean cycles = FALSE, split;

	for (guint i = 0; i < parts->len; i++) {
		const struct svg_part *p = &g_array_index(parts, struct svg_part, i);
		guint row = index_of(rows, p->row);

		index_of(kinds, p->part);
		sum[row] += p->value / MAX(p->runs, 1);
		greatest = MAX(greatest, sum[row]);
		cycles |= p->cycles;
		x[row] = LABELS;
	}
	split = kinds->len > 1 || *(const char *)kinds->pdata[0];
	begin(out, caption, rows->len * ROW + (split ? legend_height(kinds) : 4));
	for (guint i = 0; i < parts->len; i++) {
		const struct svg_part *p = &g_array_index(parts, struct svg_part, i);
		guint row = index_of(rows, p->row);
		guint w = (guint)((unsigned __int128)(p->value / MAX(p->runs, 1)) * width / greatest);

		if (p->value)
			bar(out, x[row], row * ROW + 5, w, 12, split ? index_of(kinds, p->part) : row);
		x[row] += w;
	}
	for (guint i = 0; i < rows->len; i++) {
		char *n = amount(sum[i], cycles);

		text_at(out, 0, i * ROW + 15, "start", "", rows->pdata[i]);
		text_at(out, ACROSS, i * ROW + 15, "end", "dim", n);
		g_free(n);
	}
	if (split)
		legend(out, kinds, rows->len * ROW + 4);
	end(out);
	g_ptr_array_unref(rows);
	g_ptr_array_unref(kinds);
	g_free(sum);
	g_free(x);
}

/* ---- over time ---- */

#define BINS	140u

static void bins_of(const struct hist *h, guint64 greatest, guint64 bin[BINS])
{
	for (guint b = h->from; b < h->from + h->buckets; b++) {
		guint64 at = hist_floor(b);

		bin[MIN((guint)((unsigned __int128)at * BINS / (greatest + 1)), BINS - 1)] +=
			hist_bucket(h, b);
	}
}

void svg_over_time(GString *out, const char *caption, const GArray *series)
{
	GPtrArray *rows = g_ptr_array_new(), *kinds = g_ptr_array_new();
	guint64 greatest = 1, most = 1;
	guint width = ACROSS - LABELS;
	char *last;

	for (guint i = 0; i < series->len; i++) {
		const struct svg_times *t = &g_array_index(series, struct svg_times, i);
		guint64 bin[BINS] = { 0 };

		index_of(rows, t->label);
		index_of(kinds, t->what);
		greatest = MAX(greatest, t->hist->greatest);
		bins_of(t->hist, greatest, bin);
	}
	for (guint i = 0; i < series->len; i++) {
		const struct svg_times *t = &g_array_index(series, struct svg_times, i);
		guint64 bin[BINS] = { 0 };

		bins_of(t->hist, greatest, bin);
		for (guint k = 0; k < BINS; k++)
			most = MAX(most, bin[k]);
	}
	begin(out, caption, rows->len * 30 + 18 + legend_height(kinds));
	for (guint i = 0; i < series->len; i++) {
		const struct svg_times *t = &g_array_index(series, struct svg_times, i);
		guint row = index_of(rows, t->label), y = row * 30 + 28;
		guint64 bin[BINS] = { 0 };

		bins_of(t->hist, greatest, bin);
		for (guint k = 0; k < BINS; k++)
			if (bin[k])
				bar(out, LABELS + k * width / BINS,
				    y - (guint)MAX(bin[k] * 26 / most, 2), width / BINS,
				    (guint)MAX(bin[k] * 26 / most, 2), index_of(kinds, t->what));
	}
	for (guint i = 0; i < rows->len; i++) {
		g_string_append_printf(out, "<line class=axis x1=%u x2=%u y1=%u y2=%u />\n", LABELS,
				       ACROSS, i * 30 + 28, i * 30 + 28);
		text_at(out, 0, i * 30 + 24, "start", "", rows->pdata[i]);
	}
	last = amount(greatest, TRUE);
	text_at(out, LABELS, rows->len * 30 + 12, "start", "dim", "0");
	text_at(out, ACROSS, rows->len * 30 + 12, "end", "dim", last);
	g_free(last);
	legend(out, kinds, rows->len * 30 + 18);
	end(out);
	g_ptr_array_unref(rows);
	g_ptr_array_unref(kinds);
}

/* ---- lines ---- */

#define PLOT_H	200u

static guint x_of(guint i, guint n)
{
	return n < 2 ? 60 + (ACROSS - 80) / 2 : 60 + i * (ACROSS - 80) / (n - 1);
}

void svg_lines(GString *out, const char *caption, const GArray *dots)
{
	GPtrArray *series = g_ptr_array_new(), *places = g_ptr_array_new();
	guint64 greatest = 1;
	gboolean cycles = FALSE;
	char *top;

	for (guint i = 0; i < dots->len; i++) {
		const struct svg_dot *d = &g_array_index(dots, struct svg_dot, i);

		index_of(series, d->series);
		index_of(places, d->at);
		greatest = MAX(greatest, d->high);
		cycles |= d->cycles;
	}
	begin(out, caption, PLOT_H + 40 + legend_height(series));
	g_string_append_printf(out, "<line class=axis x1=60 x2=%u y1=%u y2=%u />\n"
			       "<line class=axis x1=60 x2=%u y1=10 y2=10 />\n", ACROSS - 20,
			       PLOT_H + 10, PLOT_H + 10, ACROSS - 20);
	top = amount(greatest, cycles);
	text_at(out, 54, 14, "end", "dim", top);
	text_at(out, 54, PLOT_H + 14, "end", "dim", "0");
	g_free(top);
	for (guint i = 0; i < places->len; i++)
		text_at(out, x_of(i, places->len), PLOT_H + 28,
			i + 1 == places->len && i ? "end" : "middle", "dim", places->pdata[i]);
	for (guint k = 0; k < series->len; k++) {
		gboolean first = TRUE;

		g_string_append_printf(out, "<path fill=none stroke=\"var(--c%u)\" stroke-width=2%s "
				       "d=\"", k % COLOURS, dash(k));
		for (guint i = 0; i < dots->len; i++) {
			const struct svg_dot *d = &g_array_index(dots, struct svg_dot, i);

			if (index_of(series, d->series) != k)
				continue;
			g_string_append_printf(out, "%c%u %u", first ? 'M' : 'L',
				x_of(index_of(places, d->at), places->len),
				10 + PLOT_H - (guint)((unsigned __int128)d->value * PLOT_H / greatest));
			first = FALSE;
		}
		g_string_append(out, "\"/>\n");
		for (guint i = 0; i < dots->len; i++) {
			const struct svg_dot *d = &g_array_index(dots, struct svg_dot, i);
			guint lo, hi;

			if (index_of(series, d->series) != k)
				continue;
			lo = 10 + PLOT_H - (guint)((unsigned __int128)d->low * PLOT_H / greatest);
			hi = 10 + PLOT_H - (guint)((unsigned __int128)d->high * PLOT_H / greatest);
			bar(out, x_of(index_of(places, d->at), places->len) - 3, hi - 2, 6,
			    lo - hi + 4, k);
		}
	}
	legend(out, series, PLOT_H + 38);
	end(out);
	g_ptr_array_unref(series);
	g_ptr_array_unref(places);
}
