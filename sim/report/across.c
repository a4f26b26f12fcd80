// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same case under several versions of the module: does its verdict differ, and how? Two
 * verdicts are the same if the case ended alike, broke the same rules in the same places and
 * the same expects held. Cycles do not count; whether the table is another one is said beside.
 */
#include <string.h>

#include "scenarios/result.h"
#include "sim/report/json.h"
#include "sim/report/report.h"

static gboolean same_case(const struct play_result *a, const struct play_result *b)
{
	return !strcmp(a->scenario, b->scenario) && !strcmp(a->case_name, b->case_name);
}

/* What of a result is its verdict, as one string to compare */
static char *verdict_of(const struct play_result *r)
{
	GString *s = g_string_new(r->as_expected ? "as expected" : "not as expected");

	g_string_append_printf(s, "\n%s", play_end_name(r->end));
	for (guint i = 0; i < r->violations->len; i++) {
		const struct play_violation *v =
			&g_array_index(r->violations, struct play_violation, i);

		g_string_append_printf(s, "\n%s %s", v->id, v->where);
	}
	for (guint i = 0; i < r->expects->len; i++)
		g_string_append_printf(s, "\n%d",
				       g_array_index(r->expects, struct play_expect, i).judged);
	return g_string_free(s, FALSE);
}

/* What a reader sees: the table's rows, without the cycles */
static char *table_of(const struct play_result *r)
{
	GPtrArray *rows = report_rows(r, FALSE);
	GString *s = g_string_new(NULL);

	report_fold(rows);
	for (guint i = 0; i < rows->len; i++) {
		const struct report_row *row = rows->pdata[i];

		g_string_append_printf(s, "%d", row->actor);
		for (guint k = 0; k < row->lines->len; k++)
			g_string_append_printf(s, "\n%s", (char *)row->lines->pdata[k]);
	}
	g_ptr_array_unref(rows);
	return g_string_free(s, FALSE);
}

/* Versions with one verdict. */
struct group {
	const struct play_result *first;
	char *verdict;
	GPtrArray *results;
};

static void group_free(gpointer p)
{
	struct group *g = p;

	g_free(g->verdict);
	g_ptr_array_unref(g->results);
	g_free(g);
}

static GPtrArray *groups_of(const GPtrArray *results)
{
	GPtrArray *groups = g_ptr_array_new_with_free_func(group_free);

	for (guint i = 0; i < results->len; i++) {
		struct play_result *r = results->pdata[i];
		char *verdict = verdict_of(r);
		struct group *g = NULL;

		for (guint k = 0; k < groups->len && !g; k++)
			if (!strcmp(((struct group *)groups->pdata[k])->verdict, verdict))
				g = groups->pdata[k];
		if (!g) {
			g = g_new0(struct group, 1);
			g->first = r;
			g->verdict = g_steal_pointer(&verdict);
			g->results = g_ptr_array_new();
			g_ptr_array_add(groups, g);
		}
		g_ptr_array_add(g->results, r);
		g_free(verdict);
	}
	return groups;
}

/* "1.5.01, 1.5.05, 1.5.34*": the star where the table is not that of @like */
static void versions(const struct group *g, const char *like, gboolean *starred, GString *s)
{
	for (guint i = 0; i < g->results->len; i++) {
		const struct play_result *r = g->results->pdata[i];
		char *table = r->end == PLAY_REFUSED ? NULL : table_of(r);
		gboolean other = table && strcmp(table, like);

		g_string_append_printf(s, "%s%s%s", i ? ", " : "", r->tdx, other ? "*" : "");
		*starred |= other;
		g_free(table);
	}
}

/* In a line: what the verdict of a group is, with the reason where it is not as expected */
static void how(const struct play_result *r, GString *s)
{
	if (r->end == PLAY_REFUSED || r->end == PLAY_FAULT) {
		g_string_append_printf(s, "not played: %s", r->why ? r->why : "");
		return;
	}
	g_string_append(s, r->as_expected ? "as expected" : "NOT as expected");
	for (guint i = 0; i < r->expects->len; i++) {
		const struct play_expect *e = &g_array_index(r->expects, struct play_expect, i);

		if (e->judged != PLAY_FAILS)
			continue;
		g_string_append_printf(s, "; line %u: expect %s%s%s", e->line, e->text,
				       e->saw ? ": " : "", e->saw ? e->saw : "");
		return;
	}
	for (guint i = 0; i < r->violations->len; i++) {
		const struct play_violation *v =
			&g_array_index(r->violations, struct play_violation, i);

		if (i && !strcmp(v->id, v[-1].id) && !strcmp(v->where, v[-1].where))
			continue;
		g_string_append_printf(s, "%s%s%s%s%s", i ? ", " : "; ", v->id, *v->where ? " " : "",
				       v->where, v->tolerated ? " (tolerated)" : "");
	}
	if (r->end == PLAY_UNREACHABLE || r->end == PLAY_DEADLOCK || r->end == PLAY_LIMIT)
		g_string_append_printf(s, "; %s", play_end_name(r->end));
}

gboolean report_across_same(const GPtrArray *results)
{
	const char *seen = NULL;
	char *first = NULL;
	gboolean same = TRUE;

	for (guint i = 0; i < results->len; i++) {
		const struct play_result *r = results->pdata[i];
		char *verdict;

		if (r->end == PLAY_REFUSED)
			continue;
		verdict = verdict_of(r);
		if (seen)
			same &= !strcmp(seen, verdict);
		else
			seen = first = g_steal_pointer(&verdict);
		g_free(verdict);
	}
	g_free(first);
	return same;
}

/* The version that the file asks for, or the first: what the others are compared with */
static const struct play_result *reference(const GPtrArray *results)
{
	for (guint i = 0; i < results->len; i++)
		if (((struct play_result *)results->pdata[i])->end != PLAY_REFUSED)
			return results->pdata[i];
	return NULL;
}

void report_across(const GPtrArray *results, const struct report_look *look, GString *out)
{
	const struct play_result *ref = reference(results), *r = results->pdata[0];
	char *like = ref ? table_of(ref) : g_strdup("");
	GPtrArray *groups = groups_of(results);
	gboolean starred = FALSE;
	char *name = g_strdup(*r->case_name ? r->case_name : r->scenario);

	if (groups->len > 1)
		g_string_append_printf(out, "%s: %s\n", name, report_across_same(results) ?
				       "the same where it can be played" : "the verdict DIFFERS");
	for (guint i = 0; i < groups->len; i++) {
		const struct group *g = groups->pdata[i];
		GString *s = g_string_new(NULL), *which = g_string_new(NULL);

		versions(g, like, &starred, which);
		if (groups->len > 1)
			g_string_append_printf(s, "%s: ", which->str);
		else
			g_string_append_printf(s, "%s: the same: ", name);
		how(g->first, s);
		report_wrap(out, s->str, groups->len > 1 ? 2 : 0, groups->len > 1 ? 4 : 2,
			    look->width);
		if (starred && groups->len == 1)
			g_string_append_printf(out, "  %s\n", which->str);
		g_string_free(s, TRUE);
		g_string_free(which, TRUE);
	}
	if (starred)
		g_string_append_printf(out, "  * another table than that of %s\n", ref->tdx);
	g_ptr_array_unref(groups);
	g_free(like);
	g_free(name);
}

/* The results of one case, from @at on; they stand together */
static GPtrArray *one_case(const GPtrArray *results, guint at)
{
	GPtrArray *some = g_ptr_array_new();

	for (guint i = at; i < results->len && same_case(results->pdata[at], results->pdata[i]); i++)
		g_ptr_array_add(some, results->pdata[i]);
	return some;
}

void report_across_summary(const GPtrArray *results, const struct report_look *look, GString *out)
{
	guint cases = 0, differ = 0, bad = 0;
	GPtrArray *some = NULL;
	char *counts;

	for (guint i = 0; i < results->len; i += some->len) {
		gboolean good = TRUE;

		if (some)
			g_ptr_array_unref(some);
		some = one_case(results, i);
		cases++;
		differ += report_across_same(some) ? 0 : 1;
		for (guint k = 0; k < some->len; k++) {
			const struct play_result *r = some->pdata[k];

			good &= r->as_expected || r->end == PLAY_REFUSED;
		}
		bad += good ? 0 : 1;
	}
	counts = g_strdup_printf("%u case%s under %u module versions: the verdict of %u differs "
				 "between them, %u %s as expected under each.", cases,
				 cases == 1 ? "" : "s", some ? some->len : 0, differ, cases - bad,
				 cases - bad == 1 ? "is" : "are");
	report_summary(results, look, counts, out);
	g_free(counts);
	if (some)
		g_ptr_array_unref(some);
}

static void group_json(struct json *j, const struct group *g)
{
	GString *s = g_string_new(NULL);

	json_enter(j, NULL, '{');
	json_enter(j, "tdx", '[');
	for (guint i = 0; i < g->results->len; i++)
		json_text(j, NULL, ((struct play_result *)g->results->pdata[i])->tdx);
	json_leave(j, ']');
	json_truth(j, "as_expected", g->first->as_expected);
	json_text(j, "end", play_end_name(g->first->end));
	how(g->first, s);
	json_text(j, "verdict", s->str);
	json_leave(j, '}');
	g_string_free(s, TRUE);
}

void report_across_json(struct json *j, const GPtrArray *results)
{
	GPtrArray *some = NULL;

	json_enter(j, "across", '[');
	for (guint i = 0; i < results->len; i += some->len) {
		const struct play_result *r = results->pdata[i];
		GPtrArray *groups;

		if (some)
			g_ptr_array_unref(some);
		some = one_case(results, i);
		groups = groups_of(some);
		json_enter(j, NULL, '{');
		json_text(j, "scenario", r->scenario);
		json_text(j, "case", r->case_name);
		json_truth(j, "same", report_across_same(some));
		json_enter(j, "verdicts", '[');
		for (guint k = 0; k < groups->len; k++)
			group_json(j, groups->pdata[k]);
		json_leave(j, ']');
		json_leave(j, '}');
		g_ptr_array_unref(groups);
	}
	if (some)
		g_ptr_array_unref(some);
	json_leave(j, ']');
}
