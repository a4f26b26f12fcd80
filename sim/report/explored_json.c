// SPDX-License-Identifier: GPL-2.0-only
/*
 * Searches as JSON, schema 1. docs/json.md is the contract.
 */
#include "scenarios/explorer.h"
#include "scenarios/result.h"
#include "sim/report/json.h"
#include "sim/report/report.h"

static void violations(struct json *j, const struct explored *e)
{
	json_enter(j, "violations", '[');
	for (guint i = 0; i < e->violations->len; i++) {
		const struct explored_violation *v = e->violations->pdata[i];

		json_enter(j, NULL, '{');
		json_text(j, "id", v->id);
		json_text(j, "where", v->where);
		json_text(j, "site", v->site);
		json_text(j, "text", v->text);
		json_number(j, "execution", (gint64)v->executions);
		json_number(j, "times", (gint64)v->times);
		json_truth(j, "loops", v->loops);
		json_truth(j, "crash", v->crash);
		json_number(j, "steps_found", v->steps_found);
		json_number(j, "switches_found", v->switches_found);
		json_number(j, "steps", v->steps);
		json_number(j, "switches", v->switches);
		json_number(j, "actors_found", v->actors_found);
		json_number(j, "operations_found", v->operations_found);
		json_number(j, "actors", v->actors);
		json_number(j, "operations", v->operations);
		json_text(j, "choices", v->choices);
		json_text(j, "replays_as", v->scenario);
		json_enter(j, "host", '{');
		json_number(j, "nanoseconds", v->microseconds * 1000);
		json_leave(j, '}');
		json_leave(j, '}');
	}
	json_leave(j, ']');
}

static void numbers(struct json *j, const struct explore_result *r)
{
	json_text(j, "result", explore_word_name(r->word));
	json_text(j, "bounded_by", r->bounded_by);
	json_number(j, "executions", (gint64)r->executions);
	json_number(j, "before", (gint64)r->before);
	json_number(j, "given_up", (gint64)r->blocked);
	json_number(j, "states", (gint64)r->states);
	json_number(j, "transitions", (gint64)r->transitions);
	json_number(j, "merges_verified", (gint64)r->merges_verified);
	if (r->grows) {
		json_text(j, "grows", r->grows);
		json_number(j, "grown", (gint64)r->grown);
	}
}

static void coverage(struct json *j, const struct explored *e)
{
	static const char *const hows[] = {
		[COVER_REFUSED] = "refused", [COVER_WAITED] = "waited", [COVER_SHARED] = "shared",
	};
	GArray *pairs = coverage_pairs(e->coverage);

	json_enter(j, "coverage", '[');
	for (guint i = 0; i < pairs->len; i++) {
		const struct coverage_pair *p = &g_array_index(pairs, struct coverage_pair, i);

		json_enter(j, NULL, '{');
		json_text(j, "lock", p->a->lock);
		json_text(j, "holds", p->a->who);
		json_text(j, "comes", p->b->who);
		for (guint k = 0; k < COVER_HOWS; k++)
			json_number(j, hows[k], (gint64)p->times[k]);
		json_leave(j, '}');
	}
	json_leave(j, ']');
	g_array_unref(pairs);
}

static void one_case(struct json *j, const struct explored *e)
{
	const struct play_result *r = e->res;

	json_enter(j, NULL, '{');
	report_played_json(j, r, FALSE);
	json_truth(j, "as_expected", r->as_expected);
	json_text(j, "end", play_end_name(r->end));
	json_text(j, "why", r->why);
	json_text(j, "memory", e->tso ? "tso" : "sc");
	if (e->tso) {
		json_enter(j, "buffered", '[');
		for (guint i = 0; i < e->buffered->len; i++)
			json_text(j, NULL, e->buffered->pdata[i]);
		json_leave(j, ']');
	}
	if (e->engine)
		numbers(j, e->engine);
	violations(j, e);
	if (e->engine)
		coverage(j, e);
	report_expects_json(j, r);
	if (e->engine) {
		json_enter(j, "host", '{');
		json_number(j, "nanoseconds", (gint64)(e->seconds * 1e9));
		json_number(j, "table_bytes", (gint64)e->engine->table_bytes);
		json_number(j, "depth", e->engine->depth);
		json_number(j, "jobs", e->engine->jobs);
		json_leave(j, '}');
	}
	json_leave(j, '}');
}

void report_explored_json(const GPtrArray *all, gint64 host_ns, GString *out)
{
	struct json j = { .out = out };
	gint64 good = 0;

	for (guint i = 0; i < all->len; i++)
		good += ((const struct explored *)all->pdata[i])->res->as_expected ? 1 : 0;
	json_enter(&j, NULL, '{');
	json_number(&j, "schema", 1);
	json_text(&j, "septsim", SEPTSIM_VERSION);
	json_text(&j, "command", "explore");
	json_number(&j, "case_count", all->len);
	json_number(&j, "as_expected", good);
	json_enter(&j, "cases", '[');
	for (guint i = 0; i < all->len; i++)
		one_case(&j, all->pdata[i]);
	json_leave(&j, ']');
	json_enter(&j, "host", '{');
	json_number(&j, "nanoseconds", host_ns);
	json_leave(&j, '}');
	json_leave(&j, '}');
	g_string_append_c(out, '\n');
}
