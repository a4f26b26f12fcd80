// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two guides of one execution (sim/engine/explore.h). The words of a way name each step and each
 * answer, and are held to. Rows name whom and how far: interrupts land as soon as they can, a
 * deadline passes where a row says so or where nothing else can end a loop.
 */
#include "scenarios/replayer.h"

#include <string.h>

#include "scenarios/play_priv.h"
#include "sim/engine/check.h"
#include "sim/engine/explain.h"
#include "sim/engine/hash.h"
#include "sim/engine/search.h"
#include "sim/engine/undo.h"

#define ROW_STEPS	50000u	/* of one row: more is a loop */

static char *why_not(struct sim *sim, const struct actor *a)
{
	char text[800];

	if (a->state == ACTOR_DONE || a->state == ACTOR_PARKED)
		return g_strdup_printf("%s has nothing left to do", a->name);
	explain_actor(sim, a, text, sizeof(text));
	return g_strdup(text);
}

/* ---- the words of a way ---- */

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
	va_list ap;
	char *what;

	if (w->why)
		return;
	va_start(ap, fmt);
	what = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	w->why = g_strdup_printf("%s:%u:%u: the way does not fit at `%s`, after %u step%s: %s",
				 w->way->path, at->line, at->column, at->name, w->steps,
				 w->steps == 1 ? "" : "s", what);
	g_free(what);
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
		text = a ? why_not(w->pl->sim, a) : g_strdup_printf("there is no actor %s", at->name);
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

/* ---- rows ---- */

struct by_rows {
	struct player *pl;
	guint row, steps;	/* the one that is played; steps taken in it */
	gboolean begun, met;
	struct watch watch;
	guint32 *had;		/* by actor: operations that the rows so far wanted of it */
	guint32 ends_behind;	/* the row ends when its actor has begun more than so many */
	gboolean *fresh;	/* by actor: at an operation's beginning */
	gboolean interrupts;	/* land as soon as they can */
	GHashTable *asked;	/* states in which somebody asked for a deadline */
	char *why;
};

static const struct scn_cell *row_cell(const struct by_rows *r)
{
	const GPtrArray *rows = r->pl->c->schedule.rows;

	return rows && r->row < rows->len ? rows->pdata[r->row] : NULL;
}

static void row_misfit(struct by_rows *r, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

static void row_misfit(struct by_rows *r, const char *fmt, ...)
{
	const struct scn_cell *cell = row_cell(r);
	va_list ap;
	char *what;

	if (r->why)
		return;
	va_start(ap, fmt);
	what = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	r->why = g_strdup_printf("row %u (line %u) `%s`: %s", r->row + 1, cell->loc.line, cell->text,
				 what);
	g_free(what);
}

static guint32 begun_by(const struct cast *a)
{
	return a->state->taken[PLAN_CELLS] + a->state->taken[PLAN_LIST];
}

/* Operations have begun already where they stand; whose turn it is has to be theirs. */
static void row_begin(struct by_rows *r, const struct scn_cell *cell)
{
	struct cast *a = &r->pl->cast[cell->actor];
	const char *why = NULL;

	r->begun = TRUE;
	r->met = FALSE;
	r->steps = 0;
	r->had[a->id] += cell->op != NULL;
	r->ends_behind = cell->op ? MAX(r->had[a->id], 1u) : begun_by(a);
	if (cell->until && cell->until->kind != SCN_COND_END &&
	    !watch_start(&r->watch, r->pl->sim, cell->until, &why))
		row_misfit(r, "%s", why);
}

static gboolean row_is_over(const struct by_rows *r, const struct cast *a)
{
	return a->actor->state == ACTOR_PARKED || a->actor->state == ACTOR_DONE ||
	       begun_by(a) > r->ends_behind;
}

/* An event of the row's actor may be the one that it ends at. */
static void rows_event(void *ctx, const struct event *ev)
{
	struct by_rows *r = ctx;
	const struct scn_cell *cell = row_cell(r);
	const struct cast *a = cell ? &r->pl->cast[cell->actor] : NULL;
	guint who = 0;

	while (who < r->pl->ncast && r->pl->cast[who].actor->id != ev->actor)
		who++;
	if (who == r->pl->ncast)
		return;
	if (ev->type == EV_OP_BEGIN)
		r->fresh[who] = !g_str_has_prefix(ev->name, "compute");
	if (ev->type == EV_STEP && r->fresh[who]) {
		r->fresh[who] = FALSE;
		if (ev->op == MEM_FENCE)
			return;		/* by which a search lets an operation begin */
	}
	if (!a || !r->begun || r->met || &r->pl->cast[who] != a || !cell->until ||
	    cell->until->kind == SCN_COND_END)
		return;
	if (cell->until->before)
		watch_before_event(&r->watch, ev);
	else
		r->met = watch_done(&r->watch, ev);
}

static struct actor *helper(struct sim *sim)
{
	for (guint i = 0; i < actor_count(sim); i++) {
		struct actor *a = actor_by_id(sim, (u16)i);

		if (a->background && search_enabled(a))
			return a;
	}
	return NULL;
}

/* Who goes on in this row; NULL: it is over, or it cannot be followed. */
static struct actor *row_actor(struct by_rows *r, const struct scn_cell *cell)
{
	struct sim *sim = r->pl->sim;
	struct cast *a = &r->pl->cast[cell->actor];
	const struct scn_cond *until = cell->until;
	struct actor *other;
	char *text;

	if (r->met)
		return NULL;
	if (until && until->before && a->actor->pending.site &&
	    watch_before(&r->watch, &a->actor->pending))
		return NULL;
	if (row_is_over(r, a)) {
		if (until && until->kind != SCN_COND_END)
			row_misfit(r, "%s ended before `%s` happened", a->actor->name, cell->text);
		return NULL;
	}
	if (++r->steps > ROW_STEPS) {
		row_misfit(r, "%s spins: no end after %u steps", a->actor->name, ROW_STEPS);
		return NULL;
	}
	if (search_enabled(a->actor))
		return a->actor;
	if (until && until->kind == SCN_COND_BLOCKED)
		return NULL;
	other = helper(sim);
	if (other)
		return other;
	text = why_not(sim, a->actor);
	row_misfit(r, "%s", text);
	g_free(text);
	return NULL;
}

static struct actor *rows_next(void *ctx, struct actor *last, bool *no_further)
{
	struct by_rows *r = ctx;
	const struct scn_cell *cell;
	struct actor *a;

	while (!r->why && (cell = row_cell(r))) {
		if (!r->begun)
			row_begin(r, cell);
		a = r->why ? NULL : row_actor(r, cell);
		if (a)
			return a;
		if (r->why)
			break;
		r->row++;
		r->begun = FALSE;
	}
	*no_further = r->why != NULL;
	return NULL;
}

/* Asked again in the same state: nothing but time ends this loop. */
static gboolean is_a_loop(struct by_rows *r)
{
	guint64 state = hash_fold(world_hash(), sim_self->id + 1u, sim_self->key), *key;

	if (g_hash_table_contains(r->asked, &state))
		return TRUE;
	key = g_new(guint64, 1);
	*key = state;
	g_hash_table_add(r->asked, key);
	return FALSE;
}

static u32 rows_answer(void *ctx, u32 n, enum choose_why why)
{
	struct by_rows *r = ctx;
	const struct scn_cell *cell = row_cell(r);

	if (why == CHOOSE_INTERRUPT)
		return r->interrupts;
	if (why == CHOOSE_DEADLINE)
		return (cell && cell->until && cell->until->kind == SCN_COND_TIMEOUT) || is_a_loop(r);
	return 0;
}

static struct explore_found *follow_rows(struct player *pl, gboolean interrupts,
					 struct trail *taken, char **why)
{
	static const struct explore_options plain = { .preemptions = -1 };
	struct by_rows r = { .pl = pl, .interrupts = interrupts };
	const struct explore_guide guide = { rows_next, rows_answer, &r };
	struct explore_found *f;

	r.had = g_new0(guint32, pl->ncast + 1);
	r.fresh = g_new0(gboolean, pl->ncast + 1);
	for (guint i = 0; i < pl->c->init->len; i++) {
		const struct scn_cell *cell = pl->c->init->pdata[i];

		r.had[cell->actor] += cell->op != NULL;
	}
	for (guint i = 0; i < pl->ncast; i++)
		r.fresh[i] = begun_by(&pl->cast[i]) > r.had[i];
	r.asked = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	trace_listen(pl->sim, rows_event, &r);
	f = explore_follow(pl->sim, &plain, &guide, taken);
	trace_unlisten(pl->sim, rows_event, &r);
	g_hash_table_unref(r.asked);
	g_free(r.had);
	g_free(r.fresh);
	if (f)
		g_clear_pointer(&r.why, g_free);
	*why = r.why;
	return f;
}

/* The file does not say when an interrupt lands: at once, or else not before it has to. */
struct explore_found *replay_rows(struct player *pl, struct trail *taken, char **why)
{
	struct explore_found *f = follow_rows(pl, TRUE, taken, why), *g;
	struct trail other = { 0 };
	char *why_other = NULL;

	if (f)
		return f;
	g = follow_rows(pl, FALSE, &other, &why_other);
	if (g || (*why && !why_other)) {
		trail_free(taken);
		g_free(*why);
		*taken = other;
		*why = why_other;
		return g;
	}
	trail_free(&other);
	g_free(why_other);
	return NULL;
}
