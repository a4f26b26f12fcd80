// SPDX-License-Identifier: GPL-2.0-only
/*
 * The block that is pasted into a mail: heading, table, verdict of each case, and what
 * the verdicts rest on. 72 columns by default. Rests on scenarios/result.h.
 */
#include <stdlib.h>
#include <string.h>

#include "scenarios/result.h"
#include "sim/report/report.h"

#define RED	"\033[31m"
#define GREEN	"\033[32m"
#define PLAIN	"\033[0m"

void report_title(const struct play_result *r, const struct report_look *look, GString *out)
{
	char *text = g_strdup_printf("%s%s%s", r->scenario, *r->title ? ": " : "", r->title);

	report_wrap(out, text, 0, 2, look->width);
	g_string_append_c(out, '\n');
	g_free(text);
}

/* "no-freeze/read                    kvm=v7.2 no-freeze zap-under-read" */
static void heading(const struct play_result *r, const struct report_look *look, GString *out)
{
	size_t name = strlen(r->case_name), note = strlen(r->note);

	if (!name && !note)
		return;
	if (!name) {
		report_wrap(out, r->note, 0, 2, look->width);
	} else if (name + 2 + note <= (size_t)look->width) {
		size_t at = MAX(name + 2, MIN((size_t)34, (size_t)look->width - note));

		g_string_append_printf(out, "%-*s%s", (int)at, r->case_name, r->note);
		while (out->len && out->str[out->len - 1] == ' ')
			g_string_truncate(out, out->len - 1);
		g_string_append_c(out, '\n');
	} else {
		report_wrap(out, r->case_name, 0, 2, look->width);
		report_wrap(out, r->note, 4, 6, look->width);
	}
}

static void say(const struct report_look *look, GString *out, const char *colour,
		const char *fmt, ...) G_GNUC_PRINTF(4, 5);

static void say(const struct report_look *look, GString *out, const char *colour,
		const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	if (look->color && colour)
		g_string_append(out, colour);
	report_wrap(out, text, 2, 4, look->width);
	if (look->color && colour)
		g_string_append(out, PLAIN);
	g_free(text);
}

static gboolean same(const struct play_violation *a, const struct play_violation *b)
{
	return !strcmp(a->id, b->id) && !strcmp(a->where, b->where) && !strcmp(a->text, b->text);
}

static void violations(const struct play_result *r, const struct report_look *look, GString *out)
{
	for (guint i = 0; i < r->violations->len; i++) {
		const struct play_violation *v =
			&g_array_index(r->violations, struct play_violation, i);

		guint times = 1;

		/* A deadlock's chain is the end of the run and is said there. */
		if (!strcmp(v->id, "deadlock") && r->end == PLAY_DEADLOCK)
			continue;
		while (i + 1 < r->violations->len && same(v, v + times)) {
			times++;
			i++;
		}
		say(look, out, v->tolerated ? NULL : RED, "%s%s%s%s%s: %s", v->id,
		    *v->where ? " " : "", v->where, v->tolerated ? " (tolerated)" : "",
		    times > 1 ? " more than once" : "", v->text);
	}
}

static void how_it_ended(const struct play_result *r, const struct report_look *look, GString *out)
{
	const char *why = r->why ? r->why : "";

	switch (r->end) {
	case PLAY_UNREACHABLE:
		say(look, out, NULL, "unreachable: %s", why);
		break;
	case PLAY_DEADLOCK:
		say(look, out, RED, "deadlock: %s", why);
		break;
	case PLAY_LIMIT:
		say(look, out, RED, "stopped at the limit: %s", why);
		break;
	case PLAY_STOPPED:
		say(look, out, NULL, "stopped: what is above is all that is known");
		break;
	case PLAY_FAULT:
		say(look, out, RED, "fault of septsim: %s", why);
		break;
	case PLAY_REFUSED:
		say(look, out, RED, "%s", why);
		break;
	default:
		break;
	}
}

static void observations(const struct play_result *r, const struct report_look *look, GString *out)
{
	GString *s = g_string_new(NULL);

	for (guint i = 0; i < r->observed->len; i++) {
		const struct play_counter *c = &g_array_index(r->observed, struct play_counter, i);

		g_string_append_printf(s, "%s%s %" G_GUINT64_FORMAT, i ? ", " : "", c->name,
				       c->value);
	}
	if (s->len)
		say(look, out, NULL, "observed: %s", s->str);
	g_string_free(s, TRUE);
}

/* What an expectation saw, without the reason that stands above it already. */
static char *saw_of(const struct play_result *r, const struct play_expect *e)
{
	char *tail, *saw;

	if (!e->saw)
		return g_strdup("it is not so");
	tail = g_strdup_printf(": %s", r->why ? r->why : "");
	saw = g_strdup(e->saw);
	if (r->why && *r->why && g_str_has_suffix(saw, tail))
		saw[strlen(saw) - strlen(tail)] = '\0';
	g_free(tail);
	return saw;
}

/* An unreachable schedule is the file's to change: what to write instead. */
static void how_to_reach(const struct play_result *r, const struct report_look *look, GString *out)
{
	if (r->end != PLAY_UNREACHABLE || !r->why || strstr(r->why, "--memory sc "))
		return;
	if (strstr(r->why, "the way does not fit"))
		say(look, out, NULL, "hint: the case, its options or septsim are not what they were when "
		    "the way was found: `explore --found FILE.scn` searches anew");
	else if (strstr(r->why, " happened"))
		say(look, out, NULL, "hint: --verbose shows what this operation does instead; "
		    "end the row with an event that is there, or `expect unreachable`");
	else if (strstr(r->why, " spins"))
		say(look, out, NULL, "hint: end this row where it looks (`OPERATION .. reads "
		    "ELEMENT`) and let the one who changes that go on in a row; or `expect "
		    "unreachable`");
	else
		say(look, out, NULL, "hint: end this row earlier (`OPERATION .. blocked`, or another "
		    "condition) and give a row to whom it waits for; or `expect unreachable`");
}

static void verdict(const struct play_result *r, const struct report_look *look, GString *out)
{
	if (r->as_expected) {
		say(look, out, GREEN, "as expected");
	} else {
		gboolean said = FALSE;

		for (guint i = 0; i < r->expects->len; i++) {
			const struct play_expect *e =
				&g_array_index(r->expects, struct play_expect, i);
			char *saw;

			if (e->judged != PLAY_FAILS)
				continue;
			saw = saw_of(r, e);
			say(look, out, RED, "NOT as expected: line %u: expect %s; %s", e->line,
			    e->text, saw);
			g_free(saw);
			said = TRUE;
		}
		if (!said)
			say(look, out, RED, "NOT as expected");
		how_to_reach(r, look, out);
	}
	for (guint i = 0; i < r->expects->len; i++) {
		const struct play_expect *e = &g_array_index(r->expects, struct play_expect, i);

		if (e->judged == PLAY_NOT_JUDGED)
			say(look, out, NULL, "not judged here: expect %s (%s)", e->text, e->saw);
	}
}

void report_heading(const struct play_result *r, const struct report_look *look, GString *out)
{
	heading(r, look, out);
}

void report_verdict(const struct play_result *r, const struct report_look *look, GString *out)
{
	how_it_ended(r, look, out);
	verdict(r, look, out);
	g_string_append_c(out, '\n');
}

void report_case(const struct play_result *r, const struct report_look *look, GString *out)
{
	heading(r, look, out);
	if (!look->quiet || !r->as_expected)
		report_table(r, look, out);
	violations(r, look, out);
	how_it_ended(r, look, out);
	observations(r, look, out);
	verdict(r, look, out);
	g_string_append_c(out, '\n');
}

/* The different values of one member over all results, "v6.16, v7.2". */
static char *all_of(const GPtrArray *results, size_t offset)
{
	GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);
	GString *s = g_string_new(NULL);

	for (guint i = 0; i < results->len; i++) {
		const char *v = *(const char *const *)((char *)results->pdata[i] + offset);

		if (v && *v && g_hash_table_add(seen, (gpointer)v))
			g_string_append_printf(s, "%s%s", s->len ? ", " : "", v);
	}
	g_hash_table_unref(seen);
	return g_string_free(s, FALSE);
}

/* "4" before "12" before "K3" before "T1". */
static int by_name(gconstpointer a, gconstpointer b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	size_t nx = strcspn(x, "0123456789"), ny = strcspn(y, "0123456789");
	int kind = nx == ny ? strncmp(x, y, nx) : nx < ny ? -1 : 1;

	if (kind)
		return kind;
	return (int)(g_ascii_strtoll(x + nx, NULL, 10) - g_ascii_strtoll(y + ny, NULL, 10));
}

/* "T4" after "T3": the next of its kind */
static gboolean follows(const char *a, const char *b)
{
	return *a && a[0] == b[0] && atoi(a + 1) + 1 == atoi(b + 1);
}

/* @first has been written; @last of the same run has not. */
static void run_end(GString *s, const char *first, const char *last)
{
	if (strcmp(first, last))
		g_string_append_printf(s, "%s%s", follows(first, last) ? ", " : "-", last);
}

/* Every assumption of any result once, in order, runs as M1-M4. */
static char *all_assumptions(const GPtrArray *results)
{
	GPtrArray *all = g_ptr_array_new_with_free_func(g_free);
	GString *s = g_string_new(NULL);
	const char *last = "", *first = "";

	for (guint i = 0; i < results->len; i++) {
		const struct play_result *r = results->pdata[i];
		char **part = g_strsplit(r->assumptions, ", ", -1);

		for (char **p = part; *p; p++)
			if (**p)
				g_ptr_array_add(all, g_strdup(*p));
		g_strfreev(part);
	}
	g_ptr_array_sort(all, by_name);
	for (guint i = 0; i < all->len; i++) {
		const char *one = all->pdata[i];

		if (!strcmp(one, last))
			continue;
		if (!follows(last, one))
			run_end(s, first, last);
		if (!follows(last, one) && *last)
			g_string_append(s, ", ");
		if (!follows(last, one))
			g_string_append(s, first = one);
		last = one;
	}
	run_end(s, first, last);
	g_ptr_array_unref(all);
	return g_string_free(s, FALSE);
}

/* Real threads play rounds; in a search there is no time, so nothing has a price. */
static const char *how(const GPtrArray *results, const char *costs)
{
	for (guint i = 0; i < results->len; i++) {
		const struct play_result *r = results->pdata[i];

		for (guint k = 0; k < r->counters->len; k++)
			if (!strcmp(g_array_index(r->counters, struct play_counter, k).name, "rounds"))
				return "Stressed";
	}
	return *costs ? "Replayed" : "Explored";
}

/* With what it was played, and what that rests on */
static void basis(const GPtrArray *results, GString *s)
{
	char *backend = all_of(results, G_STRUCT_OFFSET(struct play_result, backend));
	char *kvm = all_of(results, G_STRUCT_OFFSET(struct play_result, kvm));
	char *tdx = all_of(results, G_STRUCT_OFFSET(struct play_result, tdx));
	char *policy = all_of(results, G_STRUCT_OFFSET(struct play_result, policy));
	char *costs = all_of(results, G_STRUCT_OFFSET(struct play_result, costs));
	char *rests = all_assumptions(results);

	g_string_append_printf(s, " %s by septsim %s, module %s, backend %s (%s), policy %s%s%s",
			       how(results, costs), SEPTSIM_VERSION, tdx,
			       backend, kvm, policy, *costs ? ", costs " : "", costs);
	if (*rests)
		g_string_append_printf(s, "; rests on assumption%s %s of docs/model.md",
				       strpbrk(rests, ",-") ? "s" : "", rests);
	g_string_append_c(s, '.');
	g_free(backend);
	g_free(kvm);
	g_free(tdx);
	g_free(policy);
	g_free(costs);
	g_free(rests);
}

void report_summary(const GPtrArray *results, const struct report_look *look, const char *counts,
		    GString *out)
{
	GPtrArray *played = g_ptr_array_new();
	GString *s = g_string_new(counts);
	guint good = 0, refused;

	for (guint i = 0; i < results->len; i++) {
		struct play_result *r = results->pdata[i];

		good += r->as_expected ? 1 : 0;
		if (r->end != PLAY_REFUSED)
			g_ptr_array_add(played, r);
	}
	refused = results->len - played->len;
	if (!counts) {
		g_string_append_printf(s, "%u case%s, %u as expected", results->len,
				       results->len == 1 ? "" : "s", good);
		if (refused)
			g_string_append_printf(s, ", %u not played", refused);
		g_string_append(s, ".");
	}
	if (played->len)
		basis(played, s);
	g_ptr_array_unref(played);
	report_wrap(out, s->str, 0, 0, look->width);
	g_string_free(s, TRUE);
}
