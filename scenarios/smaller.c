// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which actors and operations a violation can do without: the case without some of them is
 * built anew, the way is tried without their steps, and, where that leads nowhere, searched
 * for with no more switches than it had. Init lines stay: they say where the question begins.
 */
#include "scenarios/explorer_priv.h"

#include <string.h>

#define STATES		20000u		/* of one search for another way */
#define SPENT_MOST	400000u		/* transitions of all of them: then ways are only tried */
#define ITEMS_MAX	256u

enum item_kind { ITEM_CELL, ITEM_LIST, ITEM_ALONE, ITEM_GUEST };

/* One operation of the case. */
struct item {
	guint actor;
	enum item_kind kind;
	guint at;		/* in the rows, the actor's list, its guest's program */
	gboolean gone;
};

struct smaller {
	const struct explorer *of;	/* closed; its case is the whole one */
	guint i;			/* which violation */
	const struct scenario_case *c;
	GArray *items;
	struct explore_found *best;
	GArray *owner;			/* of each entry of its trail: number of an item, or -1 */
	guint64 spent;			/* transitions */
};

static struct item *item(const struct smaller *s, guint i)
{
	return &g_array_index(s->items, struct item, i);
}

static void add(struct smaller *s, guint actor, enum item_kind kind, guint at)
{
	struct item x = { actor, kind, at, FALSE };

	g_array_append_val(s->items, x);
}

/* In the order in which each actor does them; what its guest does comes last. */
static void list_items(struct smaller *s)
{
	const GPtrArray *rows = s->c->schedule.rows;

	for (guint i = 0; rows && i < rows->len; i++) {
		const struct scn_cell *cell = rows->pdata[i];

		if (cell->op)
			add(s, (guint)cell->actor, ITEM_CELL, i);
	}
	for (guint i = 0; i < s->c->actors->len; i++) {
		const struct scn_actor *a = s->c->actors->pdata[i];

		for (guint k = 0; k < a->ops->len; k++)
			add(s, i, ITEM_LIST, k);
		if (a->runs_alone)
			add(s, i, ITEM_ALONE, 0);
		for (guint k = 0; a->guest && k < a->guest->ops->len; k++)
			add(s, i, ITEM_GUEST, k);
	}
}

/* ---- the case without them ---- */

static gboolean is_gone(const struct smaller *s, guint actor, enum item_kind kind, guint at)
{
	for (guint i = 0; i < s->items->len; i++) {
		const struct item *x = item(s, i);

		if (x->actor == actor && x->kind == kind && x->at == at)
			return x->gone;
	}
	return FALSE;
}

static GPtrArray *kept_ops(const struct smaller *s, const GPtrArray *ops, guint actor,
			   enum item_kind kind)
{
	GPtrArray *kept = g_ptr_array_new();

	for (guint i = 0; i < ops->len; i++)
		if (!is_gone(s, actor, kind, i))
			g_ptr_array_add(kept, ops->pdata[i]);
	return kept;
}

static void guest_free(struct scn_guest *g)
{
	g_ptr_array_unref(g->ops);
	g_free(g);
}

static struct scn_actor *smaller_actor(const struct smaller *s, guint i)
{
	struct scn_actor *a = g_memdup2(s->c->actors->pdata[i], sizeof(*a));

	a->ops = kept_ops(s, a->ops, i, ITEM_LIST);
	a->runs_alone = a->runs_alone && !is_gone(s, i, ITEM_ALONE, 0);
	if (a->guest) {
		a->guest = g_memdup2(a->guest, sizeof(*a->guest));
		a->guest->ops = kept_ops(s, a->guest->ops, i, ITEM_GUEST);
		if (!a->guest->ops->len)
			g_clear_pointer(&a->guest, guest_free);
	}
	return a;
}

/* Actors keep their numbers, as operations name them by those; who has nothing left does nothing. */
static struct scenario_case *smaller_new(const struct smaller *s)
{
	struct scenario_case *c = g_memdup2(s->c, sizeof(*c));
	const GPtrArray *rows = s->c->schedule.rows;

	c->actors = g_ptr_array_new();
	for (guint i = 0; i < s->c->actors->len; i++)
		g_ptr_array_add(c->actors, smaller_actor(s, i));
	c->schedule.rows = rows ? g_ptr_array_new() : NULL;
	for (guint i = 0; rows && i < rows->len; i++) {
		const struct scn_cell *cell = rows->pdata[i];

		if (!cell->op || !is_gone(s, (guint)cell->actor, ITEM_CELL, i))
			g_ptr_array_add(c->schedule.rows, rows->pdata[i]);
	}
	return c;
}

static void smaller_free(struct scenario_case *c)
{
	for (guint i = 0; i < c->actors->len; i++) {
		struct scn_actor *a = c->actors->pdata[i];

		g_ptr_array_unref(a->ops);
		g_clear_pointer(&a->guest, guest_free);
		g_free(a);
	}
	g_ptr_array_unref(c->actors);
	if (c->schedule.rows)
		g_ptr_array_unref(c->schedule.rows);
	g_free(c);
}

/* ---- whose step is whose ---- */

struct owners {
	struct smaller *s;
	struct player *pl;
	const struct trail *t;
	guint at;			/* in the trail: the step that is being taken */
	guint32 *begun;			/* by actor, before that step; without the init lines' */
};

static guint32 begun_of(const struct owners *w, guint actor)
{
	const struct cast *a = &w->pl->cast[actor];
	guint32 n = a->state->taken[PLAN_CELLS] + a->state->taken[PLAN_LIST];

	for (guint i = 0; i < w->pl->c->init->len; i++) {
		const struct scn_cell *cell = w->pl->c->init->pdata[i];

		n -= cell->op && (guint)cell->actor == actor;
	}
	return n;
}

/* The @n-th operation that is left to @actor; -1: none of its own. */
static gint nth_item(const struct smaller *s, guint actor, guint32 n)
{
	for (guint i = 0; i < s->items->len && n; i++) {
		const struct item *x = item(s, i);

		if (x->actor == actor && !x->gone && x->kind != ITEM_GUEST && !--n)
			return (gint)i;
	}
	return -1;
}

static void own_step(struct owners *w)
{
	gint owner = -1;

	for (guint i = 0; i < w->pl->ncast; i++)
		if (w->pl->cast[i].actor->id == w->t->v[w->at])
			owner = nth_item(w->s, i, w->begun[i]);
	do {
		g_array_append_val(w->s->owner, owner);
		w->at++;
	} while (w->at < w->t->n && w->t->v[w->at] & TRAIL_INNER);
}

static void step_taken(void *ctx)
{
	struct owners *w = ctx;

	if (w->at < w->t->n)
		own_step(w);
	for (guint i = 0; i < w->pl->ncast; i++)
		w->begun[i] = begun_of(w, i);
}

/* @best's way once more; @e stands at its start. */
static void find_owners(struct smaller *s, struct explorer *e)
{
	struct owners w = { .s = s, .pl = &e->pl, .t = &s->best->trail };
	struct explore_options o = { .preemptions = -1, .step = step_taken, .ctx = &w };

	g_array_set_size(s->owner, 0);
	w.begun = g_new0(guint32, e->pl.ncast + 1);
	for (guint i = 0; i < e->pl.ncast; i++)
		w.begun[i] = begun_of(&w, i);
	explore_found_free(explore_replay(e->pl.sim, &o, w.t, NULL, NULL));
	while (w.at < w.t->n)		/* the step that breaks the rule */
		own_step(&w);
	g_free(w.begun);
}

/* ---- tries ---- */

/* The way without the steps of what is gone. */
static struct trail left_of(const struct smaller *s)
{
	const struct trail *t = &s->best->trail;
	struct trail out = { g_new(u16, t->n + 1), 0, 0 };

	for (u32 i = 0; i < t->n; i++) {
		gint owner = g_array_index(s->owner, gint, i);

		if (owner < 0 || !item(s, (guint)owner)->gone)
			out.v[out.n++] = t->v[i];
	}
	out.loop = out.n;
	return out;
}

static gboolean is_it(const struct smaller *s, const struct explore_found *f)
{
	return f && explorer_is_same(s->of, f, s->best);
}

/* A way to the same violation in the case that @e has open, or NULL. */
static struct explore_found *still_there(struct smaller *s, struct explorer *e)
{
	static const struct explore_options plain = { .preemptions = -1 };
	struct trail t = left_of(s);
	struct explore_found *f = explore_replay(e->pl.sim, &plain, &t, NULL, NULL);

	trail_free(&t);
	if (is_it(s, f) && f->preemptions <= s->best->preemptions)
		return f;
	explore_found_free(f);
	if (s->spent >= SPENT_MOST)
		return NULL;
	f = g_memdup2(s->best, sizeof(*f));
	f->where = g_strdup(f->where);
	f->text = g_strdup(f->text);
	f->site = g_strdup(f->site);
	f->trail = (struct trail){ 0 };
	if (explorer_search_few(e, f, s->best->preemptions, STATES)) {
		struct explore_found *g = explore_replay(e->pl.sim, &plain, &f->trail, NULL, NULL);

		explore_found_free(f);
		if (is_it(s, g))
			return g;
		f = g;
	}
	explore_found_free(f);
	return NULL;
}

static void open_case(struct smaller *s, struct explorer *e, const struct scenario_case *c)
{
	const struct explorer *of = s->of;

	explorer_init(e, of->out, of->pl.sc, c, of->pl.opt, of->req);
	e->doing = "leaving out operations";
}

/* What is marked as gone stays so, if the violation is still there; else it is back. */
static gboolean try(struct smaller *s)
{
	struct scenario_case *c = smaller_new(s);
	struct explore_found *f = NULL;
	struct explorer e;

	open_case(s, &e, c);
	if (explorer_open(&e, FALSE))
		f = still_there(s, &e);
	if (f) {
		explore_found_free(s->best);
		s->best = f;
		find_owners(s, &e);
	}
	s->spent += e.spent;
	play_result_free(explorer_close(&e));
	smaller_free(c);
	return f != NULL;
}

static gboolean try_without(struct smaller *s, guint actor, gint only)
{
	gboolean *were = g_new(gboolean, s->items->len), any = FALSE, yes;

	for (guint i = 0; i < s->items->len; i++) {
		struct item *x = item(s, i);

		were[i] = x->gone;
		if (x->gone || (only < 0 ? x->actor != actor : i != (guint)only))
			continue;
		x->gone = any = TRUE;
	}
	yes = any && try(s);
	for (guint i = 0; i < s->items->len && !yes; i++)
		item(s, i)->gone = were[i];
	g_free(were);
	return any && yes;
}

/* Whole actors first, then single operations from the last, until nothing more can go. */
static gboolean leave_out(struct smaller *s)
{
	gboolean any = FALSE, more = TRUE;

	for (guint i = 0; i < s->c->actors->len; i++)
		any |= try_without(s, i, -1);
	while (more) {
		more = FALSE;
		for (guint i = s->items->len; i-- > 0;)
			if (!item(s, i)->gone)
				more |= try_without(s, 0, (gint)i);
		any |= more;
	}
	return any;
}

static void size_of(const struct smaller *s, guint *actors, guint *operations)
{
	gint last = -1;

	*actors = *operations = 0;
	for (guint a = 0; a < s->c->actors->len; a++) {
		for (guint i = 0; i < s->items->len; i++) {
			if (item(s, i)->gone || item(s, i)->actor != a)
				continue;
			(*operations)++;
			*actors += last != (gint)a;
			last = (gint)a;
		}
	}
}

/* What it says may have changed with the way: pages, states. */
static void retell(const struct smaller *s, struct explored_violation *v)
{
	struct play_result *r = s->of->out->res;

	g_free((char *)v->text);
	v->text = g_strdup(s->best->text);
	g_array_index(r->violations, struct play_violation, s->i).text = play_result_str(r, v->text);
}

/*
 * The way in what is left of the case, as short as can be, drawn. FALSE: the whole case's stays,
 * as that can be written as rows, and this one not.
 */
static gboolean draw_anew(struct smaller *s, struct explored_violation *v)
{
	struct scenario_case *c = smaller_new(s);
	struct drawing whole = explorer_drawing_take(v), small;
	gboolean better;
	struct explorer e;

	open_case(s, &e, c);
	if (explorer_open(&e, FALSE)) {
		explorer_shorten(&e, s->best);
		explorer_draw(&e, s->best, v);
	}
	play_result_free(explorer_close(&e));
	smaller_free(c);
	explorer_choose_scenario(v, s->of->pl.opt);
	better = v->drawn && (v->scenario || !whole.scenario);
	if (better) {
		char *choices = v->choices;

		retell(s, v);
		v->choices = whole.choices;	/* of the case that there is a file of */
		whole.choices = choices;
	} else {
		small = explorer_drawing_take(v);
		explorer_drawing_give(v, whole);
		whole = small;
	}
	explorer_drawing_free(whole);
	return better;
}

/* Where everything is, the case as it was: for the steps' owners. */
static gboolean begin(struct smaller *s)
{
	static const struct explore_options plain = { .preemptions = -1 };
	struct explore_found *f = NULL;
	struct explorer e;

	open_case(s, &e, s->c);
	if (explorer_open(&e, FALSE)) {
		f = explore_replay(e.pl.sim, &plain, &s->best->trail, NULL, NULL);
		if (f && explorer_is_same(s->of, f, s->best)) {
			s->best = f;
			find_owners(s, &e);
		}
	}
	if (s->best != f)
		explore_found_free(f);
	play_result_free(explorer_close(&e));
	return s->best == f;
}

void smaller_case(const struct explorer *of, guint i)
{
	struct explore_found *found = of->out->engine->found->pdata[i];
	struct explored_violation *v = of->out->violations->pdata[i];
	struct smaller s = { .of = of, .i = i, .c = of->pl.c, .best = found };

	s.items = g_array_new(FALSE, FALSE, sizeof(struct item));
	s.owner = g_array_new(FALSE, FALSE, sizeof(gint));
	list_items(&s);
	size_of(&s, &v->actors_found, &v->operations_found);
	if (of->req->shrink && !of->req->soon && !of->req->replay && !of->out->tso && !v->loops &&
	    !found->crash && found->trail.n && s.items->len > 1 && s.items->len <= ITEMS_MAX &&
	    begin(&s)) {
		if (leave_out(&s) && !draw_anew(&s, v))
			for (guint k = 0; k < s.items->len; k++)
				item(&s, k)->gone = FALSE;
		explore_found_free(s.best);
	}
	size_of(&s, &v->actors, &v->operations);
	g_array_unref(s.items);
	g_array_unref(s.owner);
}
