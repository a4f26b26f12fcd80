/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * How benchmarks look: the numbers of a report's cells as text, CSV, JSON and one HTML file.
 * A cell is a case at one point of its sweep, under one policy and price level, with its
 * runs; a column is a number that each run gives.
 */
#include <glib.h>

#include "scenarios/bench.h"
#include "scenarios/bench_stat.h"
#include "sim/engine/cost.h"
#include "sim/report/report.h"

/* What is kept of a run: a report has 10^4 of them. Its histograms are merged into its cell's. */
struct bench_run {
	enum bench_end end;	/* BENCH_STOPPED as long as it has not ended */
	char *why;		/* of struct bench_result */
	guint64 *value;		/* [of every struct bench_column.at], NULL if it was not done */
};

struct bench_cell {
	const GPtrArray *measures;	/* texts: what the file measures; empty: it does not say */
	const char *path;	/* of the file, as it was given */
	const char *scenario, *title, *case_name;
	const char *point;	/* "vcpus=8", "" without a sweep */
	const char *policy;	/* what its row is called: of a kernel tree struct bench_report.tree */
	const char *backend;	/* as struct play_result.backend */
	const char *kvm, *tdx, *switches;
	enum cost_level level;
	GArray *runs;		/* struct bench_run, in the order of seeds */
	struct measure *all;	/* of the runs that were done, merged */
	gboolean narrow;	/* the interval of the first column is as narrow as was asked */
	guint from, to;		/* the cells of the same point: policies and price levels */
};

struct bench_report {
	GPtrArray *cells;	/* struct bench_cell; policies of a point next to each other */
	GPtrArray *columns;	/* struct bench_column, asked for; empty: those with data */
	GPtrArray *defaults;	/* what is shown where no file does `measure` */
	const char *baseline;	/* policy */
	const char *costs;	/* what the prices are, in words */
	char *backends;		/* whose KVM was measured, in words */
	char *tree, *tree_text;	/* "linux 7.2.13"; with what of it is imitated; NULL: no tree's */
	const char *imitated;	/* what of the tree is imitated and differs; "" */
	gboolean tree_steps;	/* plain accesses of the tree's code to words with a name are steps */
	guint64 first_seed, jitter;
	guint precision;	/* permille that was asked for */
};

/* One number of a run. Source: docs/bench.md, "Metrics" */
struct bench_column {
	char *spec;		/* "fault.p99", "seamcall:TDH.MEM.TRACK.p50", "pages/s" */
	char *metric;		/* "fault", "seamcall TDH.MEM.TRACK" */
	int stat;		/* enum in bench_column.c */
	guint at;		/* in struct bench_run.value */
	gboolean cycles;	/* a time, shown in seconds at 3 GHz */
	gboolean more_is_better;
};

/* bench_column_new - NULL if @spec is no metric; the hint is what is near, or NULL */
struct bench_column *bench_column_new(const char *spec, const char **hint);
void bench_column_free(gpointer c);

/* bench_report_init - no cells, no columns but the defaults; bench_report_fini - frees all */
void bench_report_init(struct bench_report *rep);
void bench_report_fini(struct bench_report *rep);
/* bench_report_add - a column that a file measures, unless it is there; before the first run */
void bench_report_add(struct bench_report *rep, struct bench_column *c);

struct bench_cell *bench_cell_new(void);
/* bench_take_run - @r is run number @i of @cell: keep its numbers, merge the rest, free it */
void bench_take_run(const struct bench_report *rep, struct bench_cell *cell, guint i,
		    struct bench_result *r);
/* bench_cell_stat - over the runs that were done; n is 0 if there is none */
struct bench_stat bench_cell_stat(const struct bench_column *c, const struct bench_cell *cell);
/* bench_cell_broken - the first run that was not done, or NULL */
const struct bench_run *bench_cell_broken(const struct bench_cell *cell);
/* bench_cell_refused - the file asks for what its backend has not: there is nothing to measure */
gboolean bench_cell_refused(const struct bench_cell *cell);
/*
 * bench_replay - the command that plays @run of @cell again, as whoever broke a rule there wants
 * it. g_free().
 */
char *bench_replay(const struct bench_report *rep, const struct bench_cell *cell,
		   const struct bench_run *run);
/* bench_cell_counts - a number of @c in any run that is not 0 */
gboolean bench_cell_counts(const struct bench_column *c, const struct bench_cell *cell);

/*
 * bench_columns_of - those of @rep for cells @from to @to: the asked for, but no time of
 * what never happened there; without any, the defaults that have data. g_ptr_array_unref().
 */
GPtrArray *bench_columns_of(const struct bench_report *rep, guint from, guint to);

/* bench_number - @v as text: a time as "7.4 us", a count as "12.3k" */
char *bench_number(const struct bench_column *c, guint64 v);

/*
 * bench_verdict - what the price levels say of @cell's policy against the baseline: "better
 * at low, typical, high", "not decided: ..." ; NULL for the baseline itself. g_free().
 */
char *bench_verdict(const struct bench_report *rep, const struct bench_column *c,
		    const struct bench_cell *cell);

void report_bench_text(const struct bench_report *rep, const struct report_look *look,
		       GString *out);
void report_bench_csv(const struct bench_report *rep, GString *out);
/* The same bytes from the same command: what the host took is not in it. */
void report_bench_json(const struct bench_report *rep, GString *out);
void report_bench_html(const struct bench_report *rep, GString *out);

/* bench_html_overview.c: the first page, and what may be concluded */
void bench_html_overview(const struct bench_report *rep, GString *out);
void bench_html_rankings(const struct bench_report *rep, const GPtrArray *columns, GString *out);

/* bench_cell_at - of @like's point, another policy and price level, or NULL */
const struct bench_cell *bench_cell_at(const struct bench_report *rep,
				       const struct bench_cell *like, const char *policy,
				       enum cost_level level);
/* bench_several_levels - was more than one price level run? */
gboolean bench_several_levels(const struct bench_report *rep);

/* bench_same_point - two cells that differ in policy alone */
gboolean bench_same_point(const struct bench_cell *a, const struct bench_cell *b);
const char *bench_level_name(enum cost_level l);
