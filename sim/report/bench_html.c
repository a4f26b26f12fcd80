// SPDX-License-Identifier: GPL-2.0-only
/*
 * Benchmarks as one HTML file: no script, no network, nothing beside it. Numbers first,
 * pictures as SVG (bench_svg.c), then how they were taken and what may be concluded.
 */
#include <string.h>

#include "sim/report/bench.h"
#include "sim/report/bench_svg.h"

static const char style[] =
	":root{--bg:#fff;--fg:#1b1f24;--dim:#59636e;--line:#d1d9e0;--soft:#f6f8fa;--bad:#b42318;"
	"--c0:#0969da;--c1:#bc4c00;--c2:#1a7f37;--c3:#8250df;--c4:#bf3989;--c5:#9a6700;"
	"--c6:#0b7285;--c7:#57606a}\n"
	"@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--dim:#9198a1;"
	"--line:#3d444d;--soft:#151b23;--bad:#ff7b72;--c0:#58a6ff;--c1:#f0883e;--c2:#3fb950;"
	"--c3:#bc8cff;--c4:#f778ba;--c5:#d29922;--c6:#39c5cf;--c7:#8b949e}}\n"
	"*{box-sizing:border-box}body{margin:0 auto;max-width:76rem;padding:1rem;background:var(--bg);"
	"color:var(--fg);font:16px/1.5 system-ui,sans-serif}\n"
	"h1{font-size:1.6rem;margin:.5rem 0}h2{font-size:1.25rem;margin:2.5rem 0 .25rem;"
	"border-top:1px solid var(--line);padding-top:1rem}h3{font-size:1rem;margin:1.25rem 0 .25rem}\n"
	"p,li{max-width:46rem}.dim{color:var(--dim)}.bad{color:var(--bad)}\n"
	".wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;"
	"font-size:.9rem;margin:.5rem 0}\n"
	"th,td{padding:.2rem .7rem;text-align:right;border-bottom:1px solid var(--line);"
	"white-space:nowrap}th:first-child,td:first-child{text-align:left}th{font-weight:600}\n"
	"td small{color:var(--dim)}figure{margin:1rem 0}figcaption{color:var(--dim);font-size:.9rem}\n"
	".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,34rem),1fr));"
	"gap:0 2rem}\n"
	"svg{width:100%;height:auto;display:block;overflow:visible}svg text{fill:var(--fg);font:13px system-ui,"
	"sans-serif}svg .dim{fill:var(--dim)}svg .axis{stroke:var(--line)}\n"
	"code{background:var(--soft);padding:.1em .3em;border-radius:3px;overflow-wrap:anywhere}\n"
	".all{border-collapse:separate;border-spacing:0}.all td,.all th{padding:.15rem .2rem}"
	".all tr>:first-child{position:sticky;left:0;"
	"background:var(--bg);white-space:normal;min-width:9rem}.up{color:var(--bad)}"
	".all th:not(:first-child){writing-mode:vertical-rl;transform:rotate(180deg);text-align:left;"
	"vertical-align:bottom;padding:.4rem .1rem;border:solid var(--line);border-width:1px 0 0}.all th:first-child{vertical-align:bottom}"
	".down{color:var(--c2)}summary{cursor:pointer;margin:.3rem 0}\n"
	"@media(max-width:40rem){svg text{font-size:15px}}\n";

static void put(GString *out, const char *text)
{
	char *safe = g_markup_escape_text(text, -1);

	g_string_append(out, safe);
	g_free(safe);
}

static char *label_of(const struct bench_report *rep, const struct bench_cell *cell)
{
	return bench_several_levels(rep) ?
	       g_strdup_printf("%s, %s", cell->policy, bench_level_name(cell->level)) :
	       g_strdup(cell->policy);
}

/* ---- the numbers ---- */

static void cell_of(const struct bench_report *rep, const struct bench_column *c,
		    const struct bench_cell *cell, const struct bench_cell *base, GString *out)
{
	struct bench_stat s = bench_cell_stat(c, cell), b = bench_cell_stat(c, base);
	char *median = bench_number(c, s.median), *low = bench_number(c, s.low);
	char *high = bench_number(c, s.high), *verdict = bench_verdict(rep, c, cell);

	if (!s.n) {
		g_string_append(out, bench_cell_refused(cell) ? "<td class=dim>refused</td>" :
				bench_cell_broken(cell) ? "<td class=bad>broken</td>" :
				"<td class=dim title=\"it never happened\">&ndash;</td>");
	} else {
		g_string_append(out, "<td");
		if (verdict) {
			g_string_append(out, " title=\"");
			put(out, verdict);
			g_string_append_c(out, '"');
		}
		g_string_append_printf(out, ">%s", median);
		if (cell != base && b.median)
			g_string_append_printf(out, " <small>%u.%02u&times;</small>",
					       (guint)(bench_ratio(s.median, b.median) / 1000),
					       (guint)(bench_ratio(s.median, b.median) % 1000 / 10));
		if (s.low != s.high)
			g_string_append_printf(out, "<br><small>%s&thinsp;&ndash;&thinsp;%s</small>",
					       low, high);
		g_string_append(out, "</td>");
	}
	g_free(median);
	g_free(low);
	g_free(high);
	g_free(verdict);
}

static void numbers(const struct bench_report *rep, const GPtrArray *columns, guint from, guint to,
		    GString *out)
{
	g_string_append(out, "<div class=wide><table><tr><th>KVM</th>");
	for (guint k = 0; k < columns->len; k++) {
		g_string_append(out, "<th>");
		put(out, ((struct bench_column *)columns->pdata[k])->spec);
		g_string_append(out, "</th>");
	}
	g_string_append(out, "</tr>\n");
	for (guint i = from; i < to; i++) {
		const struct bench_cell *cell = rep->cells->pdata[i], *base = rep->cells->pdata[from];
		char *label = label_of(rep, cell);

		for (guint k = from; k < to; k++) {
			const struct bench_cell *x = rep->cells->pdata[k];

			if (x->level == cell->level && !strcmp(x->policy, rep->baseline))
				base = x;
		}
		g_string_append(out, "<tr><td>");
		put(out, label);
		g_string_append(out, "</td>");
		for (guint k = 0; k < columns->len; k++)
			cell_of(rep, columns->pdata[k], cell, base, out);
		g_string_append(out, "</tr>\n");
		g_free(label);
	}
	g_string_append(out, "</table></div>\n");
}

static void breaks(const struct bench_report *rep, guint from, guint to, GString *out)
{
	for (guint i = from; i < to; i++) {
		const struct bench_cell *cell = rep->cells->pdata[i];
		const struct bench_run *r = bench_cell_broken(cell);
		char *label, *again;

		if (!r)
			continue;
		label = label_of(rep, cell);
		g_string_append(out, r->end == BENCH_REFUSED ? "<p class=dim>" : "<p class=bad>");
		put(out, label);
		g_string_append_printf(out, ": %s. ", bench_end_name(r->end));
		put(out, r->why ? r->why : "");
		if (r->end != BENCH_REFUSED) {
			again = bench_replay(rep, cell, r);
			g_string_append(out, "<br>Again: <code>");
			put(out, again);
			g_string_append(out, "</code>");
			g_free(again);
		}
		g_string_append(out, "</p>\n");
		g_free(label);
	}
}

/* ---- pictures of one point, at one price level ---- */

static const struct metric *find(const struct bench_cell *cell, const char *name)
{
	const struct metric *x = measure_find(cell->all, name);

	return x && (x->counted ? x->hist.sum : x->hist.count) ? x : NULL;
}

/* The price level that pictures show: typical if it was run */
static enum cost_level shown_level(const struct bench_report *rep, guint from, guint to)
{
	for (guint i = from; i < to; i++)
		if (((struct bench_cell *)rep->cells->pdata[i])->level == COST_TYPICAL)
			return COST_TYPICAL;
	return ((struct bench_cell *)rep->cells->pdata[from])->level;
}

static GPtrArray *shown(const struct bench_report *rep, guint from, guint to)
{
	enum cost_level level = shown_level(rep, from, to);
	GPtrArray *all = g_ptr_array_new();

	for (guint i = from; i < to; i++) {
		struct bench_cell *cell = rep->cells->pdata[i];

		if (cell->level == level && !bench_cell_broken(cell))
			g_ptr_array_add(all, cell);
	}
	return all;
}

static void latencies(const GPtrArray *cells, const char *metric, const char *caption, GString *out)
{
	GArray *rows = g_array_new(FALSE, TRUE, sizeof(struct svg_span));

	for (guint i = 0; i < cells->len; i++) {
		const struct bench_cell *cell = cells->pdata[i];
		const struct metric *x = find(cell, metric);
		struct svg_span row = { .label = cell->policy };

		if (!x || x->counted)
			continue;
		row.from = hist_at(&x->hist, 500);
		row.to = hist_at(&x->hist, 990);
		row.end = x->hist.greatest;
		g_array_append_val(rows, row);
	}
	if (rows->len)
		svg_spans(out, caption, rows, TRUE);
	g_array_unref(rows);
}

/* Counts below @prefix ("busy"), split by the last word of their names */
static void split_counts(const GPtrArray *cells, const char *prefix, const char *caption,
			 GString *out)
{
	GArray *parts = g_array_new(FALSE, TRUE, sizeof(struct svg_part));
	gsize n = strlen(prefix);

	for (guint i = 0; i < cells->len; i++) {
		const struct bench_cell *cell = cells->pdata[i];
		GPtrArray *all = measure_all(cell->all);

		for (guint k = 0; k < all->len; k++) {
			const struct metric *x = all->pdata[k];
			const char *last = strrchr(x->name, ' ');
			struct svg_part part = { .row = cell->policy, .runs = cell->runs->len };

			if (strncmp(x->name, prefix, n) || x->name[n] != ' ' || !last)
				continue;
			part.part = last + 1;
			part.value = x->counted ? x->hist.sum : x->hist.count;
			g_array_append_val(parts, part);
		}
		g_ptr_array_unref(all);
	}
	if (parts->len)
		svg_stacks(out, caption, parts);
	g_array_unref(parts);
}

static void one_count(const GPtrArray *cells, const char *metric, const char *caption,
		      gboolean cycles, GString *out)
{
	GArray *parts = g_array_new(FALSE, TRUE, sizeof(struct svg_part));
	gboolean any = FALSE;

	for (guint i = 0; i < cells->len; i++) {
		const struct bench_cell *cell = cells->pdata[i];
		const struct metric *x = find(cell, metric);
		struct svg_part part = { .row = cell->policy, .part = "", .runs = cell->runs->len,
					 .cycles = cycles };

		part.value = x ? x->hist.sum : 0;
		any |= part.value != 0;
		g_array_append_val(parts, part);
	}
	if (any)
		svg_stacks(out, caption, parts);
	g_array_unref(parts);
}

static void busy_times(const GPtrArray *cells, GString *out)
{
	GArray *series = g_array_new(FALSE, TRUE, sizeof(struct svg_times));

	for (guint i = 0; i < cells->len; i++) {
		const struct bench_cell *cell = cells->pdata[i];
		GPtrArray *all = measure_all(cell->all);

		for (guint k = 0; k < all->len; k++) {
			const struct metric *x = all->pdata[k];
			struct svg_times t = { .label = cell->policy, .hist = &x->hist };

			if (!g_str_has_prefix(x->name, "busy-at "))
				continue;
			t.what = x->name + 8;
			g_array_append_val(series, t);
		}
		g_ptr_array_unref(all);
	}
	if (series->len)
		svg_over_time(out, "BUSY over the run, by what was found busy", series);
	g_array_unref(series);
}

static void pictures(const struct bench_report *rep, guint from, guint to, GString *out)
{
	GPtrArray *cells = shown(rep, from, to);

	if (cells->len) {
		g_string_append(out, "<div class=charts>\n");
		latencies(cells, "stall", "A guest kept from a page: median to 99th percentile, thin "
			  "to the longest", out);
		latencies(cells, "fault", "Private fault in KVM: likewise", out);
		latencies(cells, "zap", "Removal of one leaf: likewise", out);
		latencies(cells, "convert", "Conversion of a range: likewise", out);
		split_counts(cells, "busy", "BUSY answers a run, by operand", out);
		busy_times(cells, out);
		one_count(cells, "count kicks", "Kicks asked for a run", FALSE, out);
		one_count(cells, "count ipis", "IPIs a run", FALSE, out);
		one_count(cells, "kicked-out", "Guest time lost to interrupts a run, all vCPUs", TRUE,
			  out);
		latencies(cells, "hold mmu_lock write", "mmu_lock held for write", out);
		latencies(cells, "wait mmu_lock", "Waiting for mmu_lock", out);
		latencies(cells, "hold SEPT_TREE exclusive", "S-EPT tree held exclusive", out);
		g_string_append(out, "</div>\n");
	}
	g_ptr_array_unref(cells);
}

/* ---- a number over the points of a sweep ---- */

static gboolean same_case(const struct bench_cell *a, const struct bench_cell *b)
{
	return !strcmp(a->scenario, b->scenario) && !strcmp(a->case_name, b->case_name) &&
	       !strcmp(a->tdx, b->tdx);
}

static void over_points(const struct bench_report *rep, guint from, guint to,
			const struct bench_column *c, GString *out)
{
	GArray *dots = g_array_new(FALSE, TRUE, sizeof(struct svg_dot));
	enum cost_level level = shown_level(rep, from, to);
	char *caption = g_strdup_printf("%s over the sweep", c->spec);

	for (guint i = from; i < to; i++) {
		const struct bench_cell *cell = rep->cells->pdata[i];
		struct bench_stat s = bench_cell_stat(c, cell);
		struct svg_dot dot = { .series = cell->policy, .at = cell->point,
				       .value = s.median, .low = s.low, .high = s.high,
				       .cycles = c->cycles };

		if (s.n && cell->level == level)
			g_array_append_val(dots, dot);
	}
	if (dots->len)
		svg_lines(out, caption, dots);
	g_free(caption);
	g_array_unref(dots);
}

static void one_case(const struct bench_report *rep, guint from, guint to, GString *out)
{
	const struct bench_cell *first = rep->cells->pdata[from];
	GPtrArray *columns = bench_columns_of(rep, from, to);
	guint next;

	g_string_append(out, "<h2>");
	put(out, first->title);
	g_string_append(out, "</h2>\n<p class=dim>");
	put(out, first->scenario);
	if (*first->case_name) {
		g_string_append(out, ", case ");
		put(out, first->case_name);
	}
	g_string_append(out, ", kvm=");
	put(out, first->kvm);
	g_string_append(out, ", module ");
	put(out, first->tdx);
	g_string_append(out, *rep->imitated ? "; " : "");
	put(out, rep->imitated);
	g_string_append(out, "</p>\n");
	if (!bench_same_point(first, rep->cells->pdata[to - 1])) {
		g_string_append(out, "<div class=charts>\n");
		for (guint k = 0; k < columns->len && k < 4; k++)
			over_points(rep, from, to, columns->pdata[k], out);
		g_string_append(out, "</div>\n");
	}
	for (guint i = from; i < to; i = next) {
		const struct bench_cell *cell = rep->cells->pdata[i];

		for (next = i; next < to && bench_same_point(cell, rep->cells->pdata[next]); next++)
			;
		if (*cell->point) {
			g_string_append(out, "<h3>");
			put(out, cell->point);
			g_string_append(out, "</h3>\n");
		}
		breaks(rep, i, next, out);
		numbers(rep, columns, i, next, out);
		pictures(rep, i, next, out);
	}
	g_ptr_array_unref(columns);
}

/* ---- how it was taken ---- */

static void methods(const struct bench_report *rep, GString *out)
{
	guint runs = 0;

	for (guint i = 0; i < rep->cells->len; i++)
		runs += ((struct bench_cell *)rep->cells->pdata[i])->runs->len;
	g_string_append(out, "<h2>How these numbers were taken</h2>\n<ul>\n"
			"<li>septsim " SEPTSIM_VERSION ", backend ");
	put(out, rep->backends);
	g_string_append_printf(out, "; module and kernel versions stand with each workload.</li>\n"
		"<li>Times are virtual: cycles at a 3.0&nbsp;GHz reference, from steps counted in the "
		"sources and prices that are published, derived or assumed (costs %s). Absolute "
		"figures are not to be quoted; ratios are, where they hold at every price level."
		"</li>\n"
		"<li>%u cells, %u runs, seeds from %" G_GUINT64_FORMAT ". A seed moves the start of "
		"each actor by up to %" G_GUINT64_FORMAT " cycles; nothing else is random.</li>\n"
		"<li>Numbers are medians of runs; the range below is the interval that holds the "
		"median with 95&nbsp;%% confidence by order statistics (with fewer than 6 runs: the "
		"extremes). Seeds were added until the first number's interval was within "
		"%u.%u&nbsp;%% of it, or their limit was reached.</li>\n"
		"<li>A policy that ends a VM, deadlocks or does not end is shown as that, and is in no "
		"average.</li>\n"
		"<li>The same command gives the same numbers on any machine.</li>\n</ul>\n",
		rep->costs, rep->cells->len, runs, rep->first_seed, rep->jitter,
		rep->precision / 10, rep->precision % 10);
}

void report_bench_html(const struct bench_report *rep, GString *out)
{
	GPtrArray *columns = bench_columns_of(rep, 0, rep->cells->len);
	guint to;

	g_string_append_printf(out, "<!doctype html>\n<html lang=en><meta charset=utf-8>\n"
			       "<meta name=viewport content=\"width=device-width,initial-scale=1\">\n"
			       "<title>septsim bench</title>\n<style>%s</style>\n"
			       "<h1>What a %s costs</h1>\n<p class=dim>Baseline: ", style,
			       rep->tree ? "kernel tree" : "retry policy");
	put(out, rep->baseline);
	g_string_append(out, ". Ratios (&times;) are to it. Backend ");
	put(out, rep->backends);
	g_string_append(out, ".</p>\n");
	bench_html_overview(rep, out);
	for (guint from = 0; from < rep->cells->len; from = to) {
		for (to = from; to < rep->cells->len &&
		     same_case(rep->cells->pdata[from], rep->cells->pdata[to]); to++)
			;
		one_case(rep, from, to, out);
	}
	bench_html_rankings(rep, columns, out);
	methods(rep, out);
	g_string_append(out, "</html>\n");
	g_ptr_array_unref(columns);
}
