// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guide of one execution (sim/engine/explore.h): the words of a way name each step and each
 * answer, and are held to.
 */
#include "scenarios/replayer.h"

#include <string.h>

#include "scenarios/play_priv.h"
#include "scenarios/replay_priv.h"
#include "sim/engine/check.h"
#include "sim/engine/search.h"

struct by_words {
	struct player *pl;
	const struct way *way;
	guint word, step, answer;	/* the next ones; step: of the word */
	guint steps;			/* in all */
	struct search_id loop_state;
	guint loop_from;		/* steps before the loop, + 1; 0: none has begun */
	guint loop_word;
	u64 loop_key;			/* of whoever begins it */
	gboolean put_off;		/* in it an interrupt could have landed */
	char *why;
};

static void misfit(struct by_words *w, const struct way_word *at, const char *fmt, ...)
	G_GNUC_PRINTF(3, 4);

static void misfit(struct by_words *w, const struct way_word *at, const char *fmt, ...)
{
	char *where = g_strdup_printf("%s:%u:%u: the way does not fit at `%s`, after %u step%s",
				      w->way->path, at->line, at->column, at->name, w->steps,
				      w->steps == 1 ? "" : "s");
	va_list ap;

	va_start(ap, fmt);
	replay_misfit(&w->why, where, fmt, ap);
	va_end(ap);
}

static struct way_word *word_at(const struct by_words *w, guint i)
{
	return i < w->way->words->len ? w->way->words->pdata[i] : NULL;
}

/* The word of the step that was taken last. */
static struct way_word *last_word(const struct by_words *w)
{
	return word_at(w, w->step ? w->word : w->word - 1);
}

static u32 words_answer(void *ctx, u32 n, enum choose_why why)
{
	struct by_words *w = ctx;
	struct way_word *at = last_word(w);
	guint v;

	if (!w->word && !w->step)
		return 0;
	if (w->step || w->answer >= at->answers->len) {	/* a word's answers are its last step's */
		if (word_at(w, w->word))
			misfit(w, at, "something is chosen in this step that the way says nothing of");
		return 0;
	}
	v = g_array_index(at->answers, guint, w->answer++);
	w->put_off |= w->loop_from && why == CHOOSE_INTERRUPT && !v;
	if (v < n)
		return v;
	misfit(w, at, "it chooses %u, and there are only %u ways to go on", v, n);
	return 0;
}

static struct actor *find_actor(struct sim *sim, const char *name)
{
	for (guint i = 0; i < actor_count(sim); i++)
		if (!strcmp(actor_by_id(sim, (u16)i)->name, name))
			return actor_by_id(sim, (u16)i);
	return NULL;
}

/* Who moves in the loop: names in the order of the actors. *@only: the one who does, if it is one */
static char *movers(const struct by_words *w, struct actor **only)
{
	GString *s = g_string_new(NULL);
	guint n = 0;

	for (guint i = 0; i < actor_count(w->pl->sim); i++) {
		struct actor *a = actor_by_id(w->pl->sim, (u16)i);
		gboolean moves = FALSE;

		for (guint k = w->loop_word; k < w->way->words->len && !a->background; k++)
			moves |= !strcmp(word_at(w, k)->name, a->name);
		if (!moves)
			continue;
		g_string_append_printf(s, "%s%s", n++ ? " " : "", a->name);
		*only = n == 1 ? a : NULL;
	}
	return g_string_free(s, FALSE);
}

/* At the way's end: has its loop come back to where it began? The words are the search's. */
static void close_loop(struct by_words *w)
{
	struct sim *sim = w->pl->sim;
	struct search_id now = search_id(sim);
	guint before = w->loop_from - 1, n = w->steps - before;
	gboolean same = now.lo == w->loop_state.lo && now.hi == w->loop_state.hi;
	gboolean nobody = !(search_progress(sim) & play_progress_kinds(w->pl->c->limit.progress));
	struct actor *only = NULL;
	char *who = movers(w, &only), *waits = explore_waits(sim);

	if (w->put_off)
		misfit(w, last_word(w), "its loop puts off an interrupt that could land in it: that is no "
		       "livelock");
	else if (same && nobody)
		check_fail("livelock", who, "after %u steps, %u more bring the same state back and nobody "
			   "got anywhere%s", before, n, waits);
	else if (same)
		check_fail("starvation", "", "after %u steps, %u more bring the same state back and not "
			   "everybody got anywhere%s", before, n, waits);
	else if (nobody && only && only->key == w->loop_key)
		check_fail("livelock", who, "after %u steps, a round of %s is the same to it but for what "
			   "it leaves in memory, and nobody got anywhere%s", before, who, waits);
	else
		misfit(w, last_word(w), "its loop of %u steps does not lead back to the state before it", n);
	g_free(who);
	g_free(waits);
}

static void begin_loop(struct by_words *w, const struct actor *a)
{
	w->loop_from = w->steps + 1;
	w->loop_state = search_id(w->pl->sim);
	w->loop_word = w->word;
	w->loop_key = a ? a->key : 0;
	search_progress(w->pl->sim);
}

static struct actor *words_next(void *ctx, struct actor *last, bool *no_further)
{
	struct by_words *w = ctx;
	struct way_word *at = word_at(w, w->word);
	struct actor *a;
	char *text;

	if (w->word && !w->step && w->answer < last_word(w)->answers->len)
		misfit(w, last_word(w), "it has an answer to something that is not chosen any more");
	*no_further = w->why || (!at && w->loop_from);
	if (!at && w->loop_from && !w->why)
		close_loop(w);
	if (w->why || !at)
		return NULL;
	a = find_actor(w->pl->sim, at->name);
	if (at->loops && !w->step)
		begin_loop(w, a);
	if (!a || !search_enabled(a)) {
		text = a ? replay_why_not(w->pl->sim, a) : g_strdup_printf("there is no actor %s", at->name);
		misfit(w, at, "%s", text);
		g_free(text);
		*no_further = true;
		return NULL;
	}
	w->steps++;
	w->answer = 0;
	if (++w->step == at->times) {
		w->step = 0;
		w->word++;
	}
	return a;
}

struct explore_found *replay_way(struct player *pl, const struct way *way,
				 struct trail *taken, char **why)
{
	static const struct explore_options plain = { .preemptions = -1 };
	struct by_words w = { .pl = pl, .way = way };
	const struct explore_guide guide = { words_next, words_answer, &w };
	struct explore_found *f = explore_follow(pl->sim, &plain, &guide, taken);

	/* A rule that is broken on the way is what the way is for, even if it ends sooner. */
	if (f && w.loop_from)
		f->trail.loop = taken->loop = w.loop_from - 1;
	if (f)
		g_clear_pointer(&w.why, g_free);
	*why = w.why;
	return f;
}
