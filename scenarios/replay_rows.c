// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guide of one execution (sim/engine/explore.h): rows name whom and how far. Interrupts land as
 * soon as they can, a deadline passes where a row says so or where nothing else can end a loop.
 */
#include "scenarios/replayer.h"

#include "scenarios/play_priv.h"
#include "scenarios/replay_priv.h"
#include "sim/engine/check.h"
#include "sim/engine/hash.h"
#include "sim/engine/search.h"
#include "sim/engine/undo.h"

#define ROW_STEPS	50000u	/* of one row: more is a loop */

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
	char *where = g_strdup_printf("row %u (line %u) `%s`", r->row + 1, cell->loc.line, cell->text);
	va_list ap;

	va_start(ap, fmt);
	replay_misfit(&r->why, where, fmt, ap);
	va_end(ap);
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
	text = replay_why_not(sim, a->actor);
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
