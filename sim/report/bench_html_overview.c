// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first page of a benchmark report: each workload at its last point, the policies beside each
 * other; and its last but one: what holds at every price level, policy by policy.
 */
#include <string.h>

#include "sim/report/bench.h"

static void put(GString *out, const char *text)
{
	char *safe = g_markup_escape_text(text, -1);

	g_string_append(out, safe);
	g_free(safe);
}

static gboolean same_case(const struct bench_cell *a, const struct bench_cell *b)
{
	return !strcmp(a->scenario, b->scenario) && !strcmp(a->case_name, b->case_name) &&
	       !strcmp(a->tdx, b->tdx);
}

static gboolean knows(const GPtrArray *names, const char *name)
{
	for (guint i = 0; i < names->len; i++)
		if (!strcmp(names->pdata[i], name))
			return TRUE;
	return FALSE;
}

/* In the order in which they were asked for */
static GPtrArray *policies_of(const struct bench_report *rep)
{
	GPtrArray *names = g_ptr_array_new();

	for (guint i = 0; i < rep->cells->len; i++) {
		const struct bench_cell *cell = rep->cells->pdata[i];

		if (!knows(names, cell->policy))
			g_ptr_array_add(names, (gpointer)cell->policy);
	}
	return names;
}

/* The typical price level if it was run, else the first */
static enum cost_level level_of(const struct bench_report *rep)
{
	for (guint i = 0; i < rep->cells->len; i++)
		if (((struct bench_cell *)rep->cells->pdata[i])->level == COST_TYPICAL)
			return COST_TYPICAL;
	return ((struct bench_cell *)rep->cells->pdata[0])->level;
}

/* What holds at one level may not hold at the others: the report says that nobody asked. */
static const char *only_level(const struct bench_report *rep)
{
	static const char *const only[] = {
		[COST_LOW] = " (low alone: <code>--cost-level all</code> asks the others)",
		[COST_TYPICAL] = " (typical alone: <code>--cost-level all</code> asks the others)",
		[COST_HIGH] = " (high alone: <code>--cost-level all</code> asks the others)",
	};

	return bench_several_levels(rep) ? "" : only[level_of(rep)];
}

static void ratio_cell(const struct bench_report *rep, const struct bench_column *c,
		       const struct bench_cell *cell, const struct bench_cell *base, GString *out)
{
	struct bench_stat a, b;
	char *verdict, *median;

	if (!cell || !base || bench_cell_broken(cell)) {
		g_string_append(out, !cell ? "<td></td>" : bench_cell_refused(cell) ?
				"<td class=dim>refused</td>" : "<td class=bad>broken</td>");
		return;
	}
	a = bench_cell_stat(c, cell);
	b = bench_cell_stat(c, base);
	if (!a.n) {
		g_string_append(out, "<td class=dim title=\"it never happened\">&ndash;</td>");
		return;
	}
	verdict = bench_verdict(rep, c, cell);
	if (!verdict || bench_cell_broken(base) || !b.median) {
		median = bench_number(c, a.median);
		g_string_append_printf(out, "<td>%s</td>", median);
		g_free(median);
	} else {
		g_string_append_printf(out, "<td class=%s title=\"",
				       g_str_has_prefix(verdict, "better") ? "down" :
				       g_str_has_prefix(verdict, "worse") ? "up" : "dim");
		put(out, verdict);
		g_string_append_printf(out, "\">%u.%02u&times;</td>",
				       (guint)(bench_ratio(a.median, b.median) / 1000),
				       (guint)(bench_ratio(a.median, b.median) % 1000 / 10));
	}
	g_free(verdict);
}

static void row(const struct bench_report *rep, const GPtrArray *policies, guint from, guint to,
		GString *out)
{
	const struct bench_cell *last = rep->cells->pdata[to - 1];
	GPtrArray *columns = bench_columns_of(rep, from, to);
	const struct bench_column *c = columns->len ? columns->pdata[0] : NULL;
	enum cost_level level = level_of(rep);

	if (c) {
		g_string_append(out, "<tr><td>");
		put(out, last->scenario);
		g_string_append(out, *last->case_name ? " " : "");
		put(out, last->case_name);
		g_string_append(out, " <small>");
		put(out, last->point);
		g_string_append(out, "<br>");
		put(out, c->spec);
		g_string_append(out, "</small></td>");
		for (guint i = 0; i < policies->len; i++)
			ratio_cell(rep, c, bench_cell_at(rep, last, policies->pdata[i], level),
				   bench_cell_at(rep, last, rep->baseline, level), out);
		g_string_append(out, "</tr>\n");
	}
	g_ptr_array_unref(columns);
}

void bench_html_overview(const struct bench_report *rep, GString *out)
{
	GPtrArray *policies = policies_of(rep);
	guint to;

	if (!rep->cells->len || policies->len < 2) {
		g_ptr_array_unref(policies);
		return;
	}
	g_string_append_printf(out, "<p>Each workload at the last point of its sweep, the first of "
			       "its numbers. Coloured: better or worse at every price level that was "
			       "run%s, with intervals that do not touch; grey: <em>not decided by this "
			       "model</em>. Broken: the VM died, deadlocked or did not end.</p>\n",
			       only_level(rep));
	g_string_append(out,
			"<div class=wide><table class=all><tr><th>workload</th>");
	for (guint i = 0; i < policies->len; i++) {
		g_string_append(out, "<th>");
		put(out, policies->pdata[i]);
		g_string_append(out, "</th>");
	}
	g_string_append(out, "</tr>\n");
	for (guint from = 0; from < rep->cells->len; from = to) {
		for (to = from; to < rep->cells->len &&
		     same_case(rep->cells->pdata[from], rep->cells->pdata[to]); to++)
			;
		row(rep, policies, from, to, out);
	}
	g_string_append(out, "</table></div>\n");
	g_ptr_array_unref(policies);
}

/* ---- what holds ---- */

struct tally {
	guint better, worse, touch, level, broken, other;
};

static void count_verdict(struct tally *t, const char *verdict)
{
	if (g_str_has_prefix(verdict, "better"))
		t->better++;
	else if (g_str_has_prefix(verdict, "worse"))
		t->worse++;
	else if (strstr(verdict, "touch") || strstr(verdict, "2 %"))
		t->touch++;
	else if (strstr(verdict, "price level"))
		t->level++;
	else if (strstr(verdict, "broken") || strstr(verdict, "refused"))
		t->broken++;
	else
		t->other++;
}

static void line_of(const struct bench_cell *cell, const struct bench_column *c,
		    const char *verdict, GString *out)
{
	g_string_append(out, "<li>");
	put(out, verdict);
	g_string_append(out, ": ");
	put(out, c->spec);
	g_string_append(out, " of ");
	put(out, cell->scenario);
	g_string_append(out, *cell->case_name ? " " : "");
	put(out, cell->case_name);
	g_string_append(out, *cell->point ? " " : "");
	put(out, cell->point);
	g_string_append(out, "</li>\n");
}

static void of_policy(const struct bench_report *rep, const GPtrArray *columns, const char *policy,
		      GString *out)
{
	enum cost_level level = level_of(rep);
	GString *lines = g_string_new(NULL);
	struct tally t = { 0 };

	for (guint i = 0; i < rep->cells->len; i++) {
		const struct bench_cell *cell = rep->cells->pdata[i];

		if (strcmp(cell->policy, policy) || cell->level != level)
			continue;
		for (guint k = 0; k < columns->len; k++) {
			const struct bench_column *c = columns->pdata[k];
			char *verdict = bench_cell_counts(c, cell) || bench_cell_broken(cell) ?
					bench_verdict(rep, c, cell) : NULL;

			if (verdict)
				count_verdict(&t, verdict);
			if (verdict && !g_str_has_prefix(verdict, "not"))
				line_of(cell, c, verdict, lines);
			g_free(verdict);
		}
	}
	g_string_append(out, "<details><summary>");
	put(out, policy);
	g_string_append_printf(out, ": better in %u numbers, worse in %u</summary>\n<p class=dim>Not "
			       "decided by this model: %u because the intervals touch or they differ "
			       "by less than 2&nbsp;%%, %u because "
			       "it changes with the price level, %u for want of seeds; not ranked: %u "
			       "of a workload that broke or was refused.</p>\n<ul>\n%s</ul></details>\n", t.better,
			       t.worse, t.touch, t.level, t.other, t.broken, lines->str);
	g_string_free(lines, TRUE);
}

void bench_html_rankings(const struct bench_report *rep, const GPtrArray *columns, GString *out)
{
	GPtrArray *policies = policies_of(rep);

	g_string_append(out, "<h2>What this model decides</h2>\n<p>Against ");
	put(out, rep->baseline);
	g_string_append_printf(out, ": only what is the same at every price level that was run%s, "
			       "with intervals that do not touch.</p>\n", only_level(rep));
	for (guint i = 0; i < policies->len; i++)
		if (strcmp(policies->pdata[i], rep->baseline))
			of_policy(rep, columns, policies->pdata[i], out);
	g_ptr_array_unref(policies);
}
