// SPDX-License-Identifier: GPL-2.0-only
/*
 * septsim list costs: the prices; of a scenario, how often a run charged each of them.
 * tests/lint (rule costs-charged) holds that each row is charged, or says that it is not.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scenarios/bench.h"
#include "sim/cli/list.h"

static const char *charged_by(enum cost_key key)
{
	return cost_row(key)->charged ? "" : ", never charged: made of others, part of one, or of "
					     "what is not modelled";
}

static void list_prices(struct lister *l)
{
	for (int i = 0; i < COST_NR; i++) {
		const struct cost_row *r = cost_row((enum cost_key)i);
		const guint32 *c = l->cli->costs.cycles[i];
		char *text;

		if (!list_wanted(l, r->key))
			continue;
		text = g_strdup_printf("%u / %u / %u cycles%s: %s [%s] (%s)", c[COST_LOW],
				       c[COST_TYPICAL], c[COST_HIGH], charged_by(i), r->step,
				       cost_confidence_name(r->confidence), r->source);
		list_item(l, r->key, text);
		g_free(text);
	}
}

static guint64 times(const struct bench_result *r, int key)
{
	char *name = g_strdup_printf("charge %s", cost_row((enum cost_key)key)->key);
	const struct metric *x = measure_find(r->measure, name);

	g_free(name);
	return x ? x->hist.sum : 0;
}

static void put_row(struct lister *l, int key, guint64 n, guint64 cycles, guint64 all)
{
	const char *name = cost_row((enum cost_key)key)->key;

	if (l->json) {
		json_enter(l->json, NULL, '{');
		json_text(l->json, "name", name);
		json_number(l->json, "times", (gint64)n);
		json_number(l->json, "cycles", (gint64)cycles);
		json_leave(l->json, '}');
		return;
	}
	printf("  %-20s %14" PRIu64 " %16" PRIu64 " %5.1f %%\n", name, n, cycles,
	       all ? 100.0 * (double)cycles / (double)all : 0);
}

/* One case, with the first seed and everybody at cycle 0 */
static gboolean charges_of(struct lister *l, const struct scenario *sc,
			   const struct scenario_case *c)
{
	enum cost_level level = l->cli->play.cost_level;
	struct bench_result *r = bench_play(sc, c, &l->cli->play, 0);
	guint64 all = 0;

	if (r->end == BENCH_REFUSED) {
		fprintf(stderr, "%s\n", r->why);
		bench_result_free(r);
		return FALSE;
	}
	for (int i = 0; i < COST_NR; i++)
		all += times(r, i) * l->cli->costs.cycles[i][level];
	if (l->json) {
		json_enter(l->json, NULL, '{');
		json_text(l->json, "scenario", sc->name);
		json_text(l->json, "case", c->name);
		json_text(l->json, "end", bench_end_name(r->end));
		json_enter(l->json, "costs", '[');
	} else {
		printf("%s%s%s%s%s\n  %-20s %14s %16s %7s\n", sc->name, *c->name ? ": " : "",
		       c->name, r->end == BENCH_DONE ? "" : ", which ended as ",
		       r->end == BENCH_DONE ? "" : bench_end_name(r->end), "price", "times",
		       "cycles, of all", "share");
	}
	for (int i = 0; i < COST_NR; i++) {
		guint64 n = times(r, i);

		if (n)
			put_row(l, i, n, n * l->cli->costs.cycles[i][level], all);
	}
	if (l->json) {
		json_leave(l->json, ']');
		json_leave(l->json, '}');
	}
	bench_result_free(r);
	return TRUE;
}

void list_costs(struct lister *l)
{
	struct scenario *sc;

	if (!l->only || !g_str_has_suffix(l->only, ".scn")) {
		list_prices(l);
		return;
	}
	sc = cli_load(l->cli, l->only);
	if (!sc) {
		l->failed = TRUE;
		return;
	}
	for (guint i = 0; i < sc->cases->len && !l->failed; i++)
		l->failed = !charges_of(l, sc, sc->cases->pdata[i]);
	l->shown += !l->failed;
	if (!l->json && !l->failed)
		list_wrap(l, "Prices of the level asked for, times how often they were charged, from "
			  "cycle 0 on, of all actors together; what waiting for a line and "
			  "`compute` cost is not in it.", 0, 0);
	scenario_free(sc);
}
