// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a case expects, against what a search of it found. Rows are not followed in a search,
 * so what speaks of one run (seen, final, counters) is not judged. Rests on docs/language.md,
 * "Expect".
 */
#include <string.h>

#include "scenarios/play_priv.h"
#include "scenarios/explorer.h"

/* The id of the violation that @e wants to be found; NULL: it wants none. */
static const char *wanted(const struct scn_expect *e)
{
	switch (e->kind) {
	case SCN_EXPECT_VIOLATION:
		return e->check;
	case SCN_EXPECT_DEADLOCK:
		return "deadlock";
	case SCN_EXPECT_LIVELOCK:
		return "livelock";
	case SCN_EXPECT_STARVATION:
		return "starvation";
	case SCN_EXPECT_EXPLORE:
		return e->explore == SCN_EXPLORE_VIOLATION ? e->check : NULL;
	default:
		return NULL;
	}
}

/* Does the case say itself what a search finds? Then what it says of one run is no answer. */
static gboolean speaks_of_explore(const struct player *pl)
{
	for (guint i = 0; i < pl->c->expects->len; i++) {
		const struct scn_expect *e = pl->c->expects->pdata[i];

		if (e->kind == SCN_EXPECT_EXPLORE)
			return TRUE;
	}
	return FALSE;
}

static gboolean counts(const struct player *pl, const struct scn_expect *e)
{
	return e->kind == SCN_EXPECT_EXPLORE || !speaks_of_explore(pl);
}

/* The violation that @e wants, of check @id; where it says where that is, there. */
static const struct explore_found *find(const struct explore_result *r, const struct scn_expect *e,
					const char *id)
{
	gboolean there = e->kind == SCN_EXPECT_VIOLATION;

	for (guint i = 0; r && i < r->found->len; i++) {
		const struct explore_found *f = r->found->pdata[i];

		if (there ? expect_violation_is(f->id, f->where, f->text, id, e->where) :
		    !strcmp(f->id, id))
			return f;
	}
	return NULL;
}

/* Has a rule of this id been broken, be it that the case tolerates it? */
static gboolean is_met(const struct player *pl, const struct explore_result *r,
		       const struct scn_expect *e, const char *id)
{
	return find(r, e, id) || g_hash_table_contains(pl->tolerated, g_intern_string(id));
}

gboolean expect_all_found(struct player *pl, const struct explore_result *r)
{
	for (guint i = 0; i < pl->c->expects->len; i++) {
		const struct scn_expect *e = pl->c->expects->pdata[i];
		const char *id = counts(pl, e) ? wanted(e) : NULL;

		if (id && !is_met(pl, r, e, id))
			return FALSE;
	}
	return TRUE;
}

gboolean expect_wants_no_end(struct player *pl)
{
	for (guint i = 0; i < pl->c->expects->len; i++) {
		const struct scn_expect *e = pl->c->expects->pdata[i];
		const char *id = counts(pl, e) ? wanted(e) : NULL;

		if (id && (!strcmp(id, "livelock") || !strcmp(id, "starvation")))
			return TRUE;
	}
	return FALSE;
}

static const char *const word_of[] = {
	[EXPLORE_PROVED] = "proved", [EXPLORE_BOUNDED] = "bounded",
	[EXPLORE_SAMPLED] = "sampled", [EXPLORE_REPLAYED] = "replayed",
};

const char *explore_word_name(guint word)
{
	return word_of[word];
}

static void found_text(const struct player *pl, const struct explore_result *r, GString *out)
{
	if (!r) {
		g_string_append(out, pl->res->end == PLAY_UNREACHABLE && pl->started ?
				"the way could not be followed" : "the init lines did not end");
		return;
	}
	if (!r->found->len)
		g_string_append_printf(out, "no rule was broken (%s)", word_of[r->word]);
	for (guint i = 0; i < r->found->len; i++) {
		const struct explore_found *f = r->found->pdata[i];

		g_string_append_printf(out, "%s%s%s%s", i ? ", " : "found ", f->id,
				       *f->where ? " " : "", f->where);
	}
}

/* A word is as good as the ones above it: what is proved is bounded, too. */
static gboolean word_holds(enum scn_explore_kind want, enum explore_word got)
{
	switch (want) {
	case SCN_EXPLORE_PROVED:
		return got == EXPLORE_PROVED;
	case SCN_EXPLORE_BOUNDED:
		return got == EXPLORE_PROVED || got == EXPLORE_BOUNDED;
	default:
		return TRUE;
	}
}

static gboolean holds(const struct player *pl, const struct scn_expect *e,
		      const struct explore_result *r, GString *saw)
{
	const char *id = wanted(e);
	const struct explore_found *f = id ? find(r, e, id) : NULL;

	found_text(pl, r, saw);
	if (!r)
		return FALSE;
	if (!id)
		return !r->found->len &&
		       (e->kind != SCN_EXPECT_EXPLORE || word_holds(e->explore, r->word));
	if (!f)
		return is_met(pl, r, e, id);
	if (!e->within || f->executions < e->within)
		return TRUE;
	g_string_printf(saw, "it was found after %" G_GUINT64_FORMAT " executions",
			f->executions + 1);
	return FALSE;
}

static gboolean is_foreseen(struct player *pl, const char *id)
{
	for (guint i = 0; i < pl->c->expects->len; i++) {
		const struct scn_expect *e = pl->c->expects->pdata[i];

		if (counts(pl, e) && !g_strcmp0(wanted(e), id))
			return TRUE;
	}
	return FALSE;
}

/* Rows that are followed in a search end where they cannot be, as in a run. */
static gboolean stuck_as_expected(const struct player *pl, const struct scn_expect *e)
{
	return e->kind == SCN_EXPECT_UNREACHABLE && pl->started &&
	       pl->res->end == PLAY_UNREACHABLE && (!e->where || strstr(pl->res->why, e->where));
}

/* Why @e is not judged by this search; NULL: it is. */
static const char *not_judged(struct player *pl, const struct scn_expect *e,
			      const struct explore_result *r)
{
	gboolean one_way = r && r->word == EXPLORE_REPLAYED;
	const char *id = wanted(e);

	if (stuck_as_expected(pl, e))
		return NULL;
	if (!counts(pl, e) || !(id || e->kind == SCN_EXPECT_EXPLORE || e->kind == SCN_EXPECT_OK))
		return "`septsim run` judges it";
	if (one_way && !id && e->kind == SCN_EXPECT_EXPLORE && !r->found->len)
		return "one way does not tell, a search without --replay does";
	if (one_way && id && r->found->len && !find(r, e, id) &&
	    is_foreseen(pl, ((const struct explore_found *)r->found->pdata[0])->id))
		return "this way leads to another violation that is expected";
	return NULL;
}

void expect_judge_explored(struct player *pl, const struct explore_result *r)
{
	guint line = pl->c->loc.line;
	gboolean stuck = FALSE;

	pl->res->as_expected = TRUE;
	for (guint i = 0; i < pl->c->expects->len; i++) {
		const struct scn_expect *e = pl->c->expects->pdata[i];
		const char *why_not = not_judged(pl, e, r);
		GString *saw = g_string_new(why_not);
		gboolean yes = !why_not && (stuck_as_expected(pl, e) || holds(pl, e, r, saw));

		stuck |= stuck_as_expected(pl, e);
		expect_add(pl, e->text, e->loc.line ? e->loc.line : line,
			   why_not ? PLAY_NOT_JUDGED : yes ? PLAY_HOLDS : PLAY_FAILS,
			   yes ? NULL : saw->str);
		g_string_free(saw, TRUE);
	}
	if (!r && !stuck && pl->res->as_expected)
		expect_add(pl, pl->started ? "a way that fits" : "an end of the init lines", line, PLAY_FAILS, pl->res->why);
	for (guint i = 0; r && i < r->found->len && pl->res->as_expected; i++) {
		const struct explore_found *f = r->found->pdata[i];
		char *saw;

		if (is_foreseen(pl, f->id))
			continue;
		saw = g_strdup_printf("found %s%s%s", f->id, *f->where ? " " : "", f->where);
		expect_add(pl, "no other violation", line, PLAY_FAILS, saw);
		g_free(saw);
	}
}
