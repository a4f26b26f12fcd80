// SPDX-License-Identifier: GPL-2.0-only
/*
 * Benchmarks as text and as CSV. One block a number: a line a policy with its median, the
 * interval, the ratio to the baseline and whether the price levels agree.
 */
#include <string.h>

#include "sim/report/bench.h"

#define POLICY_COLUMNS	18	/* at least */

static void heading(const struct bench_report *rep, const struct bench_cell *cell,
		    const struct report_look *look, GString *out)
{
	GString *s = g_string_new(cell->scenario);

	if (*cell->case_name)
		g_string_append_printf(s, " %s", cell->case_name);
	if (*cell->point)
		g_string_append_printf(s, "  %s", cell->point);
	g_string_append_printf(s, "  kvm=%s%s%s tdx=%s", cell->kvm, *cell->switches ? " " : "",
			       cell->switches, cell->tdx);
	if (*rep->imitated)
		g_string_append_printf(s, "; %s", rep->imitated);
	report_wrap(out, s->str, 0, 4, look->width);
	g_string_free(s, TRUE);
}

static char *name_of(const struct bench_report *rep, const struct bench_cell *cell)
{
	return bench_several_levels(rep) ?
	       g_strdup_printf("%s/%s", cell->policy, bench_level_name(cell->level)) :
	       g_strdup(cell->policy);
}

static int columns_of_names(const struct bench_report *rep, const struct bench_cell *of)
{
	gsize n = POLICY_COLUMNS;

	for (guint i = of->from; i < of->to; i++) {
		char *name = name_of(rep, rep->cells->pdata[i]);

		n = MAX(n, strlen(name));
		g_free(name);
	}
	return (int)n;
}

static void line(const struct bench_report *rep, const struct bench_column *c,
		 const struct bench_cell *cell, const struct report_look *look, GString *out)
{
	struct bench_stat s = bench_cell_stat(c, cell), b;
	const struct bench_cell *base = bench_cell_at(rep, cell, rep->baseline, cell->level);
	char *name = name_of(rep, cell), *median = bench_number(c, s.median);
	char *low = bench_number(c, s.low), *high = bench_number(c, s.high);
	char *verdict = bench_verdict(rep, c, cell), *ratio = NULL;
	char *range = s.low == s.high ? g_strdup("") : g_strdup_printf("%s .. %s", low, high);

	if (base && base != cell) {
		b = bench_cell_stat(c, base);
		if (s.n && b.n && b.median)
			ratio = g_strdup_printf("%u.%02ux",
						(guint)(bench_ratio(s.median, b.median) / 1000),
						(guint)(bench_ratio(s.median, b.median) % 1000 / 10));
	}
	if (s.n) {
		g_string_append_printf(out, "    %-*s %9s  %-20s %7s", columns_of_names(rep, cell), name,
				       median, range, ratio ? ratio : "");
		while (out->len && out->str[out->len - 1] == ' ')
			g_string_truncate(out, out->len - 1);
		g_string_append_c(out, '\n');
		if (verdict && g_str_has_prefix(verdict, "not decided: changes"))
			report_wrap(out, verdict, 8, 8, look->width);
	}
	g_free(name);
	g_free(median);
	g_free(low);
	g_free(high);
	g_free(range);
	g_free(verdict);
	g_free(ratio);
}

/* A policy that breaks here is not averaged in: it is said once, with what replays it */
static void broken(const struct bench_report *rep, const struct bench_cell *cell,
		   const struct report_look *look, GString *out)
{
	const struct bench_run *r = bench_cell_broken(cell);
	guint n = 0;
	char *name, *text, *again;

	if (!r)
		return;
	for (guint i = 0; i < cell->runs->len; i++)
		n += g_array_index(cell->runs, struct bench_run, i).end != BENCH_DONE;
	name = name_of(rep, cell);
	if (r->end == BENCH_REFUSED) {
		text = g_strdup_printf("%s: refused: %s", name, r->why);
		report_wrap(out, text, 2, 4, look->width);
		g_free(name);
		g_free(text);
		return;
	}
	again = bench_replay(rep, cell, r);
	text = g_strdup_printf("%s: %s in %u of %u runs%s%s. Again: %s", name,
			       bench_end_name(r->end), n, cell->runs->len, r->why ? ": " : "",
			       r->why ? r->why : "", again);
	g_free(again);
	report_wrap(out, text, 2, 4, look->width);
	g_free(name);
	g_free(text);
}

static void point(const struct bench_report *rep, guint from, guint to,
		  const struct report_look *look, GString *out)
{
	GPtrArray *columns = bench_columns_of(rep, from, to);

	heading(rep, rep->cells->pdata[from], look, out);
	for (guint i = from; i < to; i++)
		broken(rep, rep->cells->pdata[i], look, out);
	for (guint k = 0; k < columns->len; k++) {
		const struct bench_column *c = columns->pdata[k];

		g_string_append_printf(out, "  %s\n", c->spec);
		for (guint i = from; i < to; i++)
			line(rep, c, rep->cells->pdata[i], look, out);
	}
	g_string_append_c(out, '\n');
	g_ptr_array_unref(columns);
}

static void basis(const struct bench_report *rep, const struct report_look *look, GString *out)
{
	GString *s = g_string_new(NULL);
	guint runs = 0, wide = 0, refused = 0;

	for (guint i = 0; i < rep->cells->len; i++) {
		const struct bench_cell *cell = rep->cells->pdata[i];

		runs += cell->runs->len;
		wide += !cell->narrow && !bench_cell_refused(cell);
		refused += bench_cell_refused(cell);
	}
	g_string_append_printf(s, "%u cells, %u runs, seeds from %" G_GUINT64_FORMAT ". Medians, with "
			       "the interval that holds the median with 95 %% (fewer than 6 seeds: "
			       "the extremes); ratios to %s. ", rep->cells->len, runs,
			       rep->first_seed, rep->baseline);
	if (refused)
		g_string_append_printf(s, "%u cells were refused and are not measured. ", refused);
	if (wide)
		g_string_append_printf(s, "In %u cells the first number's interval stayed wider "
				       "than %u.%u %%. ", wide, rep->precision / 10,
				       rep->precision % 10);
	g_string_append_printf(s, "Times are cycle-costed at 3 GHz (costs %s): steps counted from the "
			       "sources, prices published, derived or assumed. Quote ratios that "
			       "hold at every price level, not absolute times. septsim "
			       SEPTSIM_VERSION ", backend %s.", rep->costs, rep->backends);
	report_wrap(out, s->str, 0, 0, look->width);
	g_string_free(s, TRUE);
}

void report_bench_text(const struct bench_report *rep, const struct report_look *look,
		       GString *out)
{
	const char *title = NULL;

	for (guint from = 0, to; from < rep->cells->len; from = to) {
		const struct bench_cell *cell = rep->cells->pdata[from];

		if (g_strcmp0(title, cell->title)) {
			report_wrap(out, cell->title, 0, 0, look->width);
			g_string_append_c(out, '\n');
		}
		title = cell->title;
		for (to = from; to < rep->cells->len &&
		     bench_same_point(cell, rep->cells->pdata[to]); to++)
			;
		point(rep, from, to, look, out);
	}
	basis(rep, look, out);
}

/* ---- CSV ---- */

static void field(GString *out, const char *s)
{
	if (!strpbrk(s, ",\"\n")) {
		g_string_append_printf(out, "%s,", s);
		return;
	}
	g_string_append_c(out, '"');
	for (; *s; s++)
		g_string_append(out, (char[]){ *s, *s == '"' ? '"' : '\0', '\0' });
	g_string_append(out, "\",");
}

void report_bench_csv(const struct bench_report *rep, GString *out)
{
	const GPtrArray *columns = rep->columns->len ? rep->columns : rep->defaults;

	g_string_append(out, "scenario,case,point,kvm,tdx,policy,costs,metric,unit,runs,broken,"
			"median,low,high,ratio_permille,backend\n");
	for (guint i = 0; i < rep->cells->len; i++) {
		const struct bench_cell *cell = rep->cells->pdata[i];
		const struct bench_cell *base = bench_cell_at(rep, cell, rep->baseline, cell->level);

		for (guint k = 0; k < columns->len; k++) {
			const struct bench_column *c = columns->pdata[k];
			struct bench_stat s = bench_cell_stat(c, cell);
			struct bench_stat b = base ? bench_cell_stat(c, base) :
						     (struct bench_stat){ 0 };

			field(out, cell->scenario);
			field(out, cell->case_name);
			field(out, cell->point);
			field(out, cell->kvm);
			field(out, cell->tdx);
			field(out, cell->policy);
			field(out, bench_level_name(cell->level));
			field(out, c->spec);
			g_string_append_printf(out, "%s,%u,%u,%" G_GUINT64_FORMAT ",%"
					       G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT ",%"
					       G_GUINT64_FORMAT ",",
					       c->cycles ? "cycles" : "count", cell->runs->len,
					       cell->runs->len - s.n, s.median, s.low, s.high,
					       bench_ratio(s.median, b.median));
			field(out, cell->backend);
			out->str[out->len - 1] = '\n';
		}
	}
}
