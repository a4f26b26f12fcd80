// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a change made different: what broke by it, what it mended, what breaks otherwise than
 * before. Things that break alike (the same rule, the same words of why) are one, drawn once.
 * Rests on campaign.h.
 */
#include <string.h>

#include "sim/report/campaign_put.h"
#include "sim/report/report.h"

static const struct campaign_item *find(const struct campaign *c, const struct campaign_item *x)
{
	for (guint k = 0; k < c->items->len; k++) {
		const struct campaign_item *i = c->items->pdata[k];

		if (i->phase == x->phase && !strcmp(i->scenario, x->scenario) &&
		    !strcmp(i->case_name, x->case_name))
			return i;
	}
	return NULL;
}

static gboolean judged(const struct campaign_item *i)
{
	return i && i->verdict != CAMPAIGN_LATE && i->verdict != CAMPAIGN_SKIPPED;
}

static gboolean is_late(const struct campaign_item *i)
{
	return i && i->verdict == CAMPAIGN_LATE;
}

static gboolean is_bad(const struct campaign_item *i)
{
	return i && i->verdict == CAMPAIGN_BAD;
}

static gboolean alike(const struct campaign_item *a, const struct campaign_item *b)
{
	return !strcmp(a->id, b->id) && !strcmp(a->why, b->why);
}

/* What breaks now in one way. */
struct group {
	GPtrArray *items;	/* const struct campaign_item * */
};

static void group_free(gpointer p)
{
	struct group *g = p;

	g_ptr_array_unref(g->items);
	g_free(g);
}

static void add_to_group(GPtrArray *groups, const struct campaign_item *i)
{
	struct group *g = NULL;

	for (guint k = 0; k < groups->len && !g; k++) {
		struct group *x = groups->pdata[k];

		if (alike(x->items->pdata[0], i))
			g = x;
	}
	if (!g) {
		g = g_new0(struct group, 1);
		g->items = g_ptr_array_new();
		g_ptr_array_add(groups, g);
	}
	g_ptr_array_add(g->items, (gpointer)i);
}

static void put_group(const struct group *g, const char *word, gboolean drawn,
		      const struct report_look *look, GString *out)
{
	GString *also = g_string_new(NULL);

	g_string_append_printf(out, "  %s: ", word);
	campaign_put_broken(g->items->pdata[0], drawn, look, out);
	for (guint k = 1; k < g->items->len; k++) {
		char *name = campaign_item_name(g->items->pdata[k]);

		g_string_append_printf(also, "%s%s", k > 1 ? ", " : "", name);
		g_free(name);
	}
	if (also->len)
		campaign_put(look, out, 2, 4, "the same in %u more: %s", g->items->len - 1, also->str);
	g_string_free(also, TRUE);
}

static guint put_groups(const GPtrArray *groups, const char *word, const struct report_look *look,
			GString *out)
{
	guint n = 0;

	for (guint k = 0; k < groups->len; k++) {
		const struct group *g = groups->pdata[k];

		put_group(g, word, k < CAMPAIGN_TABLES || look->verbose, look, out);
		n += g->items->len;
	}
	return n;
}

static void put_mended(const struct campaign_item *i, const struct campaign_item *was,
		       const struct report_look *look, GString *out)
{
	char *name = campaign_item_name(i);

	campaign_put(look, out, 2, 4, "mended: %s (was %s%s%s)", name, was->id,
		     *was->where ? " " : "", was->where);
	g_free(name);
}

/* Not worse: the reference model breaks by it, too. A reader wants to know which all the same. */
static void put_known_now(const GString *names, guint n, const struct report_look *look,
			  GString *out)
{
	if (n)
		campaign_put(look, out, 2, 4, "%u as expected before, and now as on the reference model, "
			     "which is not as expected: %s", n, names->str);
}

static void put_not_compared(guint n, const char *why, const struct report_look *look, GString *out)
{
	if (n)
		campaign_put(look, out, 2, 4, "%u not compared: %s", n, why);
}

guint report_campaign_change(const struct campaign *before, const struct campaign *now,
			     const struct report_look *look, GString *out)
{
	GPtrArray *broken = g_ptr_array_new_with_free_func(group_free);
	GPtrArray *other = g_ptr_array_new_with_free_func(group_free);
	guint worse, known = 0, late = 0, gone = 0, fresh = 0;
	GString *names = g_string_new(NULL);
	gsize had;

	if (strcmp(before->backend, now->backend))
		campaign_put(look, out, 2, 4, "the tree is %s from here on", now->backend);
	had = out->len;

	for (guint k = 0; k < now->items->len; k++) {
		const struct campaign_item *i = now->items->pdata[k], *was = find(before, i);

		/* What broke is told even where nobody knows how it was. */
		if (!judged(i) || (!judged(was) && !is_bad(i))) {
			if (is_late(i) || is_late(was))
				late++;
			else if (judged(i) != judged(was))
				*(judged(was) ? &gone : &fresh) += 1;
			continue;
		}
		if (i->verdict == CAMPAIGN_KNOWN && was->verdict == CAMPAIGN_GOOD) {
			char *name = campaign_item_name(i);

			g_string_append_printf(names, "%s%s", known++ ? ", " : "", name);
			g_free(name);
		}
		if (!is_bad(i) && is_bad(was))
			put_mended(i, was, look, out);
		else if (is_bad(i) && !is_bad(was))
			add_to_group(broken, i);
		else if (is_bad(i) && (strcmp(i->id, was->id) || strcmp(i->where, was->where)))
			add_to_group(other, i);
	}
	worse = put_groups(broken, "broken", look, out);
	worse += put_groups(other, "breaks otherwise", look, out);
	if (out->len == had)
		campaign_put(look, out, 2, 4, "no difference");
	put_known_now(names, known, look, out);
	put_not_compared(late, "the time was up", look, out);
	put_not_compared(gone, "played before this change, and cannot be now", look, out);
	put_not_compared(fresh, "could not be played before this change", look, out);
	g_string_free(names, TRUE);
	g_ptr_array_unref(broken);
	g_ptr_array_unref(other);
	return worse;
}

void report_campaign_base(const struct campaign *c, const struct report_look *look, GString *out)
{
	GPtrArray *bad = g_ptr_array_new_with_free_func(group_free);

	campaign_put_counts(c, look, out);
	for (guint k = 0; k < c->items->len; k++)
		if (is_bad(c->items->pdata[k]))
			add_to_group(bad, c->items->pdata[k]);
	for (guint k = 0; k < bad->len; k++)
		put_group(bad->pdata[k], "breaks already", FALSE, look, out);
	g_ptr_array_unref(bad);
	g_string_append_c(out, '\n');
	campaign_put(look, out, 0, 0, "%s", c->basis);
}
