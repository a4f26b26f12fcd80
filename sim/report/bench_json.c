// SPDX-License-Identifier: GPL-2.0-only
/*
 * Benchmarks as JSON: each cell with its columns, its broken runs, and every metric of its
 * runs together. docs/json.md is the contract.
 */
#include "sim/report/bench.h"
#include "sim/report/json.h"

static void columns(struct json *j, const struct bench_report *rep, const struct bench_cell *cell)
{
	const GPtrArray *all = rep->columns->len ? rep->columns : rep->defaults;

	json_enter(j, "columns", '[');
	for (guint i = 0; i < all->len; i++) {
		const struct bench_column *c = all->pdata[i];
		struct bench_stat s = bench_cell_stat(c, cell);
		char *verdict = bench_verdict(rep, c, cell);

		json_enter(j, NULL, '{');
		json_text(j, "metric", c->spec);
		json_text(j, "unit", c->cycles ? "cycles" : "count");
		json_number(j, "runs", s.n);
		json_number(j, "median", (gint64)s.median);
		json_number(j, "low", (gint64)s.low);
		json_number(j, "high", (gint64)s.high);
		json_truth(j, "sure", s.sure);
		json_text(j, "verdict", verdict);
		json_leave(j, '}');
		g_free(verdict);
	}
	json_leave(j, ']');
}

static void metrics(struct json *j, const struct bench_cell *cell)
{
	GPtrArray *all = measure_all(cell->all);

	json_enter(j, "metrics", '[');
	for (guint i = 0; i < all->len; i++) {
		const struct metric *x = all->pdata[i];

		json_enter(j, NULL, '{');
		json_text(j, "name", x->name);
		if (x->counted) {
			json_number(j, "sum", (gint64)x->hist.sum);
		} else {
			json_number(j, "count", (gint64)x->hist.count);
			json_number(j, "sum", (gint64)x->hist.sum);
			json_number(j, "p50", (gint64)hist_at(&x->hist, 500));
			json_number(j, "p90", (gint64)hist_at(&x->hist, 900));
			json_number(j, "p99", (gint64)hist_at(&x->hist, 990));
			json_number(j, "p99.9", (gint64)hist_at(&x->hist, 999));
			json_number(j, "max", (gint64)x->hist.greatest);
		}
		json_leave(j, '}');
	}
	json_leave(j, ']');
	g_ptr_array_unref(all);
}

static void broken(struct json *j, const struct bench_report *rep, const struct bench_cell *cell)
{
	json_enter(j, "broken", '[');
	for (guint i = 0; i < cell->runs->len; i++) {
		const struct bench_run *r = &g_array_index(cell->runs, struct bench_run, i);

		if (r->end == BENCH_DONE)
			continue;
		json_enter(j, NULL, '{');
		json_number(j, "seed", (gint64)(rep->first_seed + i));
		json_text(j, "end", bench_end_name(r->end));
		json_text(j, "why", r->why);
		json_leave(j, '}');
	}
	json_leave(j, ']');
}

void report_bench_json(const struct bench_report *rep, GString *out)
{
	struct json j = { .out = out };

	json_enter(&j, NULL, '{');
	json_number(&j, "schema", 1);
	json_text(&j, "septsim", SEPTSIM_VERSION);
	json_text(&j, "command", "bench");
	json_text(&j, "baseline", rep->baseline);
	json_text(&j, "costs", rep->costs);
	json_text(&j, "tree", rep->tree_text);
	json_truth(&j, "plain-accesses-are-steps", rep->tree_steps);
	json_number(&j, "first-seed", (gint64)rep->first_seed);
	json_number(&j, "jitter", (gint64)rep->jitter);
	json_number(&j, "precision-permille", rep->precision);
	json_enter(&j, "cells", '[');
	for (guint i = 0; i < rep->cells->len; i++) {
		const struct bench_cell *cell = rep->cells->pdata[i];

		json_enter(&j, NULL, '{');
		json_text(&j, "scenario", cell->scenario);
		json_text(&j, "title", cell->title);
		json_text(&j, "case", cell->case_name);
		json_text(&j, "point", cell->point);
		json_text(&j, "kvm", cell->kvm);
		json_text(&j, "tdx", cell->tdx);
		json_text(&j, "switches", cell->switches);
		json_text(&j, "policy", cell->policy);
		json_text(&j, "backend", cell->backend);
		json_text(&j, "costs", bench_level_name(cell->level));
		json_number(&j, "runs", cell->runs->len);
		json_truth(&j, "narrow", cell->narrow);
		broken(&j, rep, cell);
		columns(&j, rep, cell);
		metrics(&j, cell);
		json_leave(&j, '}');
	}
	json_leave(&j, ']');
	json_leave(&j, '}');
	g_string_append_c(out, '\n');
}
