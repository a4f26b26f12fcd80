// SPDX-License-Identifier: GPL-2.0-only
/*
 * The verdicts and numbers of run and stress as JSON, schema 1. docs/json.md is the contract.
 */
#include <string.h>

#include "scenarios/result.h"
#include "sim/report/json.h"
#include "sim/report/report.h"

static void violations(struct json *j, const struct play_result *r)
{
	json_enter(j, "violations", '[');
	for (guint i = 0; i < r->violations->len; i++) {
		const struct play_violation *v =
			&g_array_index(r->violations, struct play_violation, i);

		json_enter(j, NULL, '{');
		json_text(j, "id", v->id);
		json_text(j, "where", v->where);
		json_text(j, "text", v->text);
		json_text(j, "actor", v->actor);
		json_number(j, "cycle", v->clock);
		json_truth(j, "tolerated", v->tolerated);
		json_leave(j, '}');
	}
	json_leave(j, ']');
}

void report_played_json(struct json *j, const struct play_result *r, gboolean timed)
{
	json_text(j, "scenario", r->scenario);
	json_text(j, "title", r->title);
	json_text(j, "case", r->case_name);
	json_text(j, "kvm", r->kvm);
	json_text(j, "tdx", r->tdx);
	json_text(j, "switches", r->switches);
	json_text(j, "policy", r->policy);
	if (timed)
		json_text(j, "costs", r->costs);
	json_text(j, "assumptions", r->assumptions);
	json_text(j, "backend", r->backend);
}

void report_expects_json(struct json *j, const struct play_result *r)
{
	static const char *const words[] = {
		[PLAY_HOLDS] = "holds", [PLAY_FAILS] = "fails",
		[PLAY_NOT_JUDGED] = "not-judged",
	};

	json_enter(j, "expects", '[');
	for (guint i = 0; i < r->expects->len; i++) {
		const struct play_expect *e = &g_array_index(r->expects, struct play_expect, i);

		json_enter(j, NULL, '{');
		json_text(j, "text", e->text);
		json_number(j, "line", e->line);
		json_text(j, "judged", words[e->judged]);
		json_text(j, "saw", e->saw);
		json_leave(j, '}');
	}
	json_leave(j, ']');
}

static void numbers(struct json *j, const char *key, GArray *a)
{
	json_enter(j, key, '{');
	for (guint i = 0; i < a->len; i++) {
		const struct play_counter *c = &g_array_index(a, struct play_counter, i);

		json_number(j, c->name, (gint64)c->value);
	}
	json_leave(j, '}');
}

static void actors(struct json *j, const struct play_result *r)
{
	json_enter(j, "actors", '[');
	for (guint i = 0; i < r->actors->len; i++) {
		const struct play_actor *a = &g_array_index(r->actors, struct play_actor, i);

		if (a->background)
			continue;
		json_enter(j, NULL, '{');
		json_text(j, "name", a->name);
		json_number(j, "cycles", (gint64)a->cycles);
		json_leave(j, '}');
	}
	json_leave(j, ']');
}

/* The rows of the drawn table, unfolded: what a reader would look at. */
static void table(struct json *j, const struct play_result *r)
{
	GPtrArray *rows = report_rows(r, FALSE);

	json_enter(j, "table", '[');
	for (guint i = 0; i < rows->len; i++) {
		const struct report_row *row = rows->pdata[i];

		json_enter(j, NULL, '{');
		json_number(j, "cycle", row->clock);
		json_text(j, "actor", g_array_index(r->actors, struct play_actor, row->actor).name);
		json_enter(j, "text", '[');
		for (guint k = 0; k < row->lines->len; k++)
			json_text(j, NULL, g_strchug(row->lines->pdata[k]));
		json_leave(j, ']');
		json_leave(j, '}');
	}
	json_leave(j, ']');
	g_ptr_array_unref(rows);
}

static void one_case(struct json *j, const struct play_result *r, const char *strength)
{
	json_enter(j, NULL, '{');
	report_played_json(j, r, TRUE);
	json_text(j, "strength", strength);
	json_truth(j, "as_expected", r->as_expected);
	json_text(j, "end", play_end_name(r->end));
	json_text(j, "why", r->why);
	json_number(j, "cycles", (gint64)r->cycles);
	json_number(j, "steps", (gint64)r->steps);
	violations(j, r);
	report_expects_json(j, r);
	numbers(j, "observed", r->observed);
	numbers(j, "counters", r->counters);
	actors(j, r);
	table(j, r);
	json_leave(j, '}');
}

/* Is a case there under more than one version of the module? */
static gboolean played_twice(const GPtrArray *results)
{
	for (guint i = 1; i < results->len; i++) {
		const struct play_result *a = results->pdata[i - 1], *b = results->pdata[i];

		if (!strcmp(a->scenario, b->scenario) && !strcmp(a->case_name, b->case_name) &&
		    strcmp(a->tdx, b->tdx))
			return TRUE;
	}
	return FALSE;
}

void report_json(const GPtrArray *results, const char *command, gint64 host_ns, GString *out)
{
	/* Free threads show what may happen, not what a schedule makes happen. */
	const char *strength = strcmp(command, "stress") ? "replayed" : "sampled";
	struct json j = { .out = out };
	gint64 good = 0;

	for (guint i = 0; i < results->len; i++)
		good += ((const struct play_result *)results->pdata[i])->as_expected ? 1 : 0;
	json_enter(&j, NULL, '{');
	json_number(&j, "schema", 1);
	json_text(&j, "septsim", SEPTSIM_VERSION);
	json_text(&j, "command", command);
	json_number(&j, "case_count", results->len);
	json_number(&j, "as_expected", good);
	json_enter(&j, "cases", '[');
	for (guint i = 0; i < results->len; i++)
		one_case(&j, results->pdata[i], strength);
	json_leave(&j, ']');
	if (played_twice(results))
		report_across_json(&j, results);
	if (host_ns) {
		json_enter(&j, "host", '{');
		json_number(&j, "nanoseconds", host_ns);
		json_leave(&j, '}');
	}
	json_leave(&j, '}');
	g_string_append_c(out, '\n');
}
