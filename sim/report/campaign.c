// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a campaign looks: what was asked of the code in four lines, each thing that broke with
 * its table, what was not judged and why, and what all of it rests on. Rests on campaign.h.
 */
#include <string.h>

#include "sim/report/campaign_put.h"
#include "sim/report/report.h"

void campaign_put(const struct report_look *look, GString *out, int first, int rest,
		  const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	report_wrap(out, text, first, rest, look->width);
	g_free(text);
}

char *campaign_item_name(const struct campaign_item *i)
{
	return g_strdup_printf("%s%s%s", i->scenario, *i->case_name ? " " : "", i->case_name);
}

static guint64 executions(const struct campaign *c, enum campaign_phase phase)
{
	guint64 n = 0;

	for (guint k = 0; k < c->items->len; k++) {
		const struct campaign_item *i = c->items->pdata[k];

		n += i->phase == phase ? i->executions : 0;
	}
	return n;
}

/* "scenarios: 120 as expected, 2 not, 14 not played" */
static void count_line(const struct campaign *c, enum campaign_phase p, const char *what,
		       const char *good, const char *bad, const struct report_look *look,
		       GString *out)
{
	guint known = campaign_count(c, p, CAMPAIGN_KNOWN);
	guint skipped = campaign_count(c, p, CAMPAIGN_SKIPPED);
	guint late = campaign_count(c, p, CAMPAIGN_LATE);
	GString *s = g_string_new(NULL);

	g_string_append_printf(s, "%s: %u %s, %u %s", what, campaign_count(c, p, CAMPAIGN_GOOD),
			       good, campaign_count(c, p, CAMPAIGN_BAD), bad);
	if (known)
		g_string_append_printf(s, ", %u as on the reference model", known);
	if (skipped)
		g_string_append_printf(s, ", %u not playable", skipped);
	if (late)
		g_string_append_printf(s, ", %u not reached", late);
	if (p >= CAMPAIGN_SEARCH)
		g_string_append_printf(s, "; %" G_GUINT64_FORMAT " executions", executions(c, p));
	campaign_put(look, out, 2, 4, "%s", s->str);
	g_string_free(s, TRUE);
}

void campaign_put_counts(const struct campaign *c, const struct report_look *look, GString *out)
{
	guint bad = campaign_count(c, -1, CAMPAIGN_BAD);

	campaign_put(look, out, 0, 2, "%s: %s", c->backend, bad ? "NOT clean" :
		     campaign_count(c, -1, CAMPAIGN_GOOD) ? "clean, in what was played" :
		     "nothing was played");
	count_line(c, CAMPAIGN_SCENARIO, "scenarios", "as expected", "not", look, out);
	count_line(c, CAMPAIGN_SCHEDULE, "schedules made for broken code", "harmless", "not", look,
		   out);
	count_line(c, CAMPAIGN_SEARCH, "searches", "clean", "not", look, out);
	count_line(c, CAMPAIGN_RANDOM, "random programs", "clean", "not", look, out);
}

void campaign_put_broken(const struct campaign_item *i, gboolean drawn,
			 const struct report_look *look, GString *out)
{
	char *name = campaign_item_name(i);

	campaign_put(look, out, 0, 2, "%s: %s%s%s", name, i->id, *i->where ? " " : "", i->where);
	if (drawn && *i->table) {
		g_string_append(out, i->table);
		if (out->str[out->len - 1] != '\n')
			g_string_append_c(out, '\n');
	} else {
		campaign_put(look, out, 2, 4, "%s", i->why);
	}
	g_free(name);
}

/* One reason, and what of it differs: 'X' of many. */
struct reason {
	char *text;
	GPtrArray *words;	/* char *, each once */
	guint times;
};

static void reason_free(gpointer p)
{
	struct reason *r = p;

	g_free(r->text);
	g_ptr_array_unref(r->words);
	g_free(r);
}

/* The quoted word at the beginning of @why, or NULL; @rest: what comes behind it. */
static char *quoted(const char *why, const char **rest)
{
	const char *end = *why == '\'' ? strchr(why + 1, '\'') : NULL;

	*rest = end ? end + 1 : why;
	return end ? g_strndup(why + 1, (gsize)(end - why - 1)) : NULL;
}

static void add_reason(GPtrArray *all, const char *why)
{
	const char *rest;
	char *word = quoted(why, &rest);
	struct reason *r = NULL;

	for (guint i = 0; i < all->len && !r; i++)
		if (!strcmp(((struct reason *)all->pdata[i])->text, rest))
			r = all->pdata[i];
	if (!r) {
		r = g_new0(struct reason, 1);
		r->text = g_strdup(rest);
		r->words = g_ptr_array_new_with_free_func(g_free);
		g_ptr_array_add(all, r);
	}
	r->times++;
	if (word && !g_ptr_array_find_with_equal_func(r->words, word, g_str_equal, NULL))
		g_ptr_array_add(r->words, g_steal_pointer(&word));
	g_free(word);
}

/* Why what was not played was not, each reason once. */
static void not_played(const struct campaign *c, const struct report_look *look, GString *out)
{
	GPtrArray *all = g_ptr_array_new_with_free_func(reason_free);

	for (guint k = 0; k < c->items->len; k++) {
		const struct campaign_item *i = c->items->pdata[k];

		if (i->verdict == CAMPAIGN_SKIPPED)
			add_reason(all, i->why);
	}
	if (all->len)
		g_string_append(out, "\nNot judged:\n");
	for (guint k = 0; k < all->len; k++) {
		const struct reason *r = all->pdata[k];
		GString *words = g_string_new(NULL);

		for (guint i = 0; i < r->words->len; i++)
			g_string_append_printf(words, "%s%s", i ? ", " : "",
					       (char *)r->words->pdata[i]);
		campaign_put(look, out, 2, 4, "%u: %s%s", r->times, words->str, r->text);
		g_string_free(words, TRUE);
	}
	g_ptr_array_unref(all);
}

/* "kvm-bug: b10-punch-vs-finalize v7.2 (0x10), ...": a line for each rule */
static void named(const struct campaign *c, enum campaign_verdict verdict, const char *head,
		  const struct report_look *look, GString *out)
{
	GHashTable *lines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GPtrArray *ids = g_ptr_array_new();

	for (guint k = 0; k < c->items->len; k++) {
		const struct campaign_item *i = c->items->pdata[k];
		GString *s = *i->id ? g_hash_table_lookup(lines, i->id) : NULL;
		char *name;

		if (i->verdict != verdict || !*i->id)
			continue;
		if (!s) {
			s = g_string_new(NULL);
			g_hash_table_insert(lines, g_strdup(i->id), s);
			g_ptr_array_add(ids, i->id);
		}
		name = campaign_item_name(i);
		g_string_append_printf(s, "%s%s", s->len ? ", " : "", name);
		g_free(name);
	}
	if (ids->len)
		g_string_append_printf(out, "\n%s:\n", head);
	for (guint n = 0; n < ids->len; n++) {
		GString *s = g_hash_table_lookup(lines, ids->pdata[n]);

		campaign_put(look, out, 2, 4, "%s: %s", (char *)ids->pdata[n], s->str);
		g_string_free(s, TRUE);
	}
	g_ptr_array_unref(ids);
	g_hash_table_unref(lines);
}

void report_campaign(const struct campaign *c, const struct report_look *look, GString *out)
{
	guint shown = 0;

	campaign_put_counts(c, look, out);
	for (guint k = 0; k < c->items->len; k++) {
		const struct campaign_item *i = c->items->pdata[k];

		if (i->verdict != CAMPAIGN_BAD)
			continue;
		g_string_append_c(out, '\n');
		campaign_put_broken(i, shown++ < CAMPAIGN_TABLES || look->verbose, look, out);
	}
	if (!look->quiet) {
		named(c, CAMPAIGN_GOOD, "Known, and as the scenario says that it breaks", look, out);
		named(c, CAMPAIGN_KNOWN, "Known, and breaks on the reference model as well", look, out);
		not_played(c, look, out);
	}
	g_string_append_c(out, '\n');
	campaign_put(look, out, 0, 0, "%s", c->basis);
}
