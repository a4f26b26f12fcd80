/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * septsim bench, inside: what is asked for (bench_options.c), what is played
 * (bench_plan.c) and how (bench.c).
 */
#include "sim/cli/cli.h"
#include "sim/report/bench.h"

/* The options, as given */
struct bench_options {
	char *kvm, *policy, *level, *csv, *html;
	int seeds, max_seeds, jobs, jitter;
	double precision;
};

/* A file at one point of its sweeps. */
struct point {
	struct scenario *sc;
	char *label;
};

struct bench {
	struct bench_options raw;
	struct cli *cli;
	struct bench_report rep;
	GPtrArray *points;	/* struct point */
	GArray *backends;	/* enum kmmu_backend: of each point's cells the first come first */
	GPtrArray *policies;	/* of own: "v7.2", "v19:retries=5"; empty: each case's own */
	GArray *levels;		/* enum cost_level */
	GPtrArray *plan;	/* struct planned, beside rep.cells */
};

struct planned {
	const struct scenario *sc;
	const struct scenario_case *c;
	struct play_options opt;
	char **words;		/* policy and its arguments */
};

/* bench_init - nothing asked for yet; bench_clear - frees what it holds */
void bench_init(struct bench *b, struct cli *cli);
void bench_clear(struct bench *b);

/* bench_take - the options, raw; bench_load - one file at each point of its sweeps. FALSE: said why */
gboolean bench_take(struct bench *b);
gboolean bench_load(struct bench *b, const char *path);

/* bench_plan - the cells: each case at each point, under each policy and price level */
void bench_plan(struct bench *b);
