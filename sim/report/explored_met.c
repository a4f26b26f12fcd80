// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which operations met at which locks: a matrix a lock, rows hold it, columns come; and what a
 * search has not seen meet, as rows of a schedule in which it might.
 */
#include <string.h>

#include "scenarios/explorer.h"
#include "scenarios/words.h"
#include "sim/report/report.h"

static const struct coverage_pair *at(const GArray *pairs, guint i)
{
	return &g_array_index(pairs, struct coverage_pair, i);
}

/* "refused 12, shared 3", "never", "cannot" */
static void cell(const struct coverage_pair *p, gboolean proved, GString *out)
{
	static const char *const words[] = {
		[COVER_REFUSED] = "refused", [COVER_WAITED] = "waited", [COVER_SHARED] = "shared",
	};

	g_string_truncate(out, 0);
	for (guint k = 0; k < COVER_HOWS; k++)
		if (p->times[k])
			g_string_append_printf(out, "%s%s %" G_GUINT64_FORMAT, out->len ? ", " : "",
					       words[k], p->times[k]);
	if (!out->len)
		g_string_assign(out, proved ? "cannot" : "never");
}

/* One lock: its pairs are [from, to). Who comes stands under each other where a page is narrow. */
static void one_lock(const GArray *pairs, guint from, guint to, gboolean proved, GString *out)
{
	GString *text = g_string_new(NULL);
	guint holds = 0, comes = 0;

	for (guint i = from; i < to; i++) {
		holds = MAX(holds, (guint)strlen(at(pairs, i)->a->who));
		comes = MAX(comes, (guint)strlen(at(pairs, i)->b->who));
	}
	g_string_append_printf(out, "  at %s\n    %-*s  %-*s\n", at(pairs, from)->a->lock, (int)holds,
			       "holds", (int)comes, "comes");
	for (guint i = from; i < to; i++) {
		const struct coverage_pair *p = at(pairs, i);
		gboolean again = i > from && !strcmp(at(pairs, i - 1)->a->who, p->a->who);

		cell(p, proved, text);
		g_string_append_printf(out, "    %-*s  %-*s  %s\n", (int)holds, again ? "" : p->a->who,
				       (int)comes, p->b->who, text->str);
	}
	g_string_free(text, TRUE);
}

void report_coverage(const struct explored *e, const struct report_look *look, GString *out)
{
	gboolean proved = e->engine->word == EXPLORE_PROVED && !e->resumed;
	GArray *pairs = coverage_pairs(e->coverage);
	guint from = 0;

	for (guint i = 1; i <= pairs->len; i++) {
		if (i < pairs->len && !strcmp(at(pairs, i)->a->lock, at(pairs, from)->a->lock))
			continue;
		one_lock(pairs, from, i, proved, out);
		from = i;
	}
	if (coverage_is_full(e->coverage))
		g_string_append(out, "  there were more than the matrix holds\n");
	g_array_unref(pairs);
}

/* The condition by which a row ends where @a has the lock; "": the lock has no name there */
static char *lock_text(const struct coverage_use *a)
{
	const struct scn_lock_word *w = scn_lock_word_find(a->lock);
	gboolean mode = w && (w->kind == SCN_LOCK_KIND_SHAREX || w->kind == SCN_LOCK_KIND_RWLOCK ||
			      !strcmp(a->mode, "host") || !strcmp(a->mode, "guest"));

	if (!w || w->indexed != (strchr(a->at, '[') != NULL))
		return g_strdup("");
	return g_strdup_printf("lock %s%s%s", a->at, mode ? " " : "", mode ? a->mode : "");
}

/*
 * Rows: the one until it holds the lock, by the leaf that is meant; then the other. Where a lock
 * has no name in the language they go as near as there is one.
 */
static void rows(const struct coverage_pair *p, GString *out)
{
	const struct coverage_use *a = p->a;
	char *lock = lock_text(a), *leaf = NULL, *only;
	int left;

	if (strchr(a->who, '.'))
		leaf = g_strdup_printf("%s .. call %s", a->op, a->who);
	only = *lock ? g_strdup_printf("%s%s.. %s", leaf ? "" : a->op, leaf ? "" : " ", lock) :
	       leaf ? g_strdup("") : g_strdup_printf("%s .. step", a->op);
	left = (int)MAX(MAX(strlen(only), leaf ? strlen(leaf) : 0), strlen(a->actor));
	g_string_append_printf(out, "    %-*s | %s\n", left, a->actor, p->b->actor);
	if (leaf)
		g_string_append_printf(out, "    %-*s |\n", left, leaf);
	if (*only)
		g_string_append_printf(out, "    %-*s |\n", left, only);
	g_string_append_printf(out, "    %-*s | %s\n", left, "", p->b->op);
	g_free(lock);
	g_free(leaf);
	g_free(only);
}

void report_suggest(const struct explored *e, const struct report_look *look, GString *out)
{
	GArray *pairs = coverage_pairs(e->coverage);
	gboolean any = FALSE;

	if (e->engine->word == EXPLORE_PROVED && !e->resumed) {
		g_string_append(out, "  every interleaving was searched: what has not met cannot\n");
		g_array_unref(pairs);
		return;
	}
	for (guint i = 0; i < pairs->len; i++) {
		const struct coverage_pair *p = at(pairs, i);

		if (coverage_is_met(p))
			continue;
		any = TRUE;
		g_string_append_printf(out, "  %s holds %s and %s comes: never met\n", p->a->who,
				       p->a->lock, p->b->who);
		rows(p, out);
	}
	if (!any)
		g_string_append(out, "  all that use a lock in common have met at it\n");
	g_array_unref(pairs);
}
