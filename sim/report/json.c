// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON, schema 1: the verdicts and numbers of a command, for programs. Keys come in a
 * fixed order; whatever differs from one machine to the next stands under "host" alone.
 * docs/json.md is the contract.
 */
#include <string.h>

#include "scenarios/result.h"
#include "sim/report/report.h"

struct json {
	GString *out;
	int depth;
	gboolean comma;
};

static void put_text(GString *out, const char *s)
{
	if (!s) {
		g_string_append(out, "null");
		return;
	}
	g_string_append_c(out, '"');
	for (; *s; s++) {
		guchar c = (guchar)*s;

		if (c == '"' || c == '\\')
			g_string_append_printf(out, "\\%c", c);
		else if (c < 0x20)
			g_string_append_printf(out, "\\u%04x", c);
		else
			g_string_append_c(out, (char)c);
	}
	g_string_append_c(out, '"');
}

/* Start a member (key) or an element (key NULL): comma, new line, indentation. */
static void item(struct json *j, const char *key)
{
	if (j->comma)
		g_string_append_c(j->out, ',');
	g_string_append_printf(j->out, "\n%*s", 2 * j->depth, "");
	if (key) {
		put_text(j->out, key);
		g_string_append(j->out, ": ");
	}
	j->comma = TRUE;
}

static void text(struct json *j, const char *key, const char *v)
{
	item(j, key);
	put_text(j->out, v);
}

static void number(struct json *j, const char *key, gint64 v)
{
	item(j, key);
	g_string_append_printf(j->out, "%" G_GINT64_FORMAT, v);
}

static void truth(struct json *j, const char *key, gboolean v)
{
	item(j, key);
	g_string_append(j->out, v ? "true" : "false");
}

static void enter(struct json *j, const char *key, char bracket)
{
	if (j->depth)
		item(j, key);
	g_string_append_c(j->out, bracket);
	j->depth++;
	j->comma = FALSE;
}

static void leave(struct json *j, char bracket)
{
	j->depth--;
	if (j->comma)
		g_string_append_printf(j->out, "\n%*s", 2 * j->depth, "");
	g_string_append_c(j->out, bracket);
	j->comma = TRUE;
}

static void violations(struct json *j, const struct play_result *r)
{
	enter(j, "violations", '[');
	for (guint i = 0; i < r->violations->len; i++) {
		const struct play_violation *v =
			&g_array_index(r->violations, struct play_violation, i);

		enter(j, NULL, '{');
		text(j, "id", v->id);
		text(j, "where", v->where);
		text(j, "text", v->text);
		text(j, "actor", v->actor);
		number(j, "cycle", v->clock);
		truth(j, "tolerated", v->tolerated);
		leave(j, '}');
	}
	leave(j, ']');
}

static void expects(struct json *j, const struct play_result *r)
{
	static const char *const words[] = {
		[PLAY_HOLDS] = "holds", [PLAY_FAILS] = "fails",
		[PLAY_NOT_JUDGED] = "not-judged",
	};

	enter(j, "expects", '[');
	for (guint i = 0; i < r->expects->len; i++) {
		const struct play_expect *e = &g_array_index(r->expects, struct play_expect, i);

		enter(j, NULL, '{');
		text(j, "text", e->text);
		number(j, "line", e->line);
		text(j, "judged", words[e->judged]);
		text(j, "saw", e->saw);
		leave(j, '}');
	}
	leave(j, ']');
}

static void numbers(struct json *j, const char *key, GArray *a)
{
	enter(j, key, '{');
	for (guint i = 0; i < a->len; i++) {
		const struct play_counter *c = &g_array_index(a, struct play_counter, i);

		number(j, c->name, (gint64)c->value);
	}
	leave(j, '}');
}

static void actors(struct json *j, const struct play_result *r)
{
	enter(j, "actors", '[');
	for (guint i = 0; i < r->actors->len; i++) {
		const struct play_actor *a = &g_array_index(r->actors, struct play_actor, i);

		if (a->background)
			continue;
		enter(j, NULL, '{');
		text(j, "name", a->name);
		number(j, "cycles", (gint64)a->cycles);
		leave(j, '}');
	}
	leave(j, ']');
}

/* The rows of the drawn table, unfolded: what a reader would look at. */
static void table(struct json *j, const struct play_result *r)
{
	GPtrArray *rows = report_rows(r, FALSE);

	enter(j, "table", '[');
	for (guint i = 0; i < rows->len; i++) {
		const struct report_row *row = rows->pdata[i];

		enter(j, NULL, '{');
		number(j, "cycle", row->clock);
		text(j, "actor", g_array_index(r->actors, struct play_actor, row->actor).name);
		enter(j, "text", '[');
		for (guint k = 0; k < row->lines->len; k++)
			text(j, NULL, g_strchug(row->lines->pdata[k]));
		leave(j, ']');
		leave(j, '}');
	}
	leave(j, ']');
	g_ptr_array_unref(rows);
}

static void one_case(struct json *j, const struct play_result *r, const char *strength)
{
	enter(j, NULL, '{');
	text(j, "scenario", r->scenario);
	text(j, "title", r->title);
	text(j, "case", r->case_name);
	text(j, "kvm", r->kvm);
	text(j, "tdx", r->tdx);
	text(j, "switches", r->switches);
	text(j, "policy", r->policy);
	text(j, "costs", r->costs);
	text(j, "assumptions", r->assumptions);
	text(j, "backend", "own");
	text(j, "strength", strength);
	truth(j, "as_expected", r->as_expected);
	text(j, "end", play_end_name(r->end));
	text(j, "why", r->why);
	number(j, "cycles", (gint64)r->cycles);
	number(j, "steps", (gint64)r->steps);
	violations(j, r);
	expects(j, r);
	numbers(j, "observed", r->observed);
	numbers(j, "counters", r->counters);
	actors(j, r);
	table(j, r);
	leave(j, '}');
}

void report_json(const GPtrArray *results, const char *command, gint64 host_ns, GString *out)
{
	/* Free threads show what may happen, not what a schedule makes happen. */
	const char *strength = strcmp(command, "stress") ? "replayed" : "sampled";
	struct json j = { .out = out };
	gint64 good = 0;

	for (guint i = 0; i < results->len; i++)
		good += ((const struct play_result *)results->pdata[i])->as_expected ? 1 : 0;
	enter(&j, NULL, '{');
	number(&j, "schema", 1);
	text(&j, "septsim", SEPTSIM_VERSION);
	text(&j, "command", command);
	number(&j, "case_count", results->len);
	number(&j, "as_expected", good);
	enter(&j, "cases", '[');
	for (guint i = 0; i < results->len; i++)
		one_case(&j, results->pdata[i], strength);
	leave(&j, ']');
	if (host_ns) {
		enter(&j, "host", '{');
		number(&j, "nanoseconds", host_ns);
		leave(&j, '}');
	}
	leave(&j, '}');
	g_string_append_c(out, '\n');
}
