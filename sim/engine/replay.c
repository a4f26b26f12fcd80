// SPDX-License-Identifier: GPL-2.0-only
/*
 * One way through choose(), followed again; and made shorter. What shrinks is the trail: a
 * step that cannot be taken is left out, and past its end everybody goes on alone as far as
 * they can, so that nearly every shortened trail is one.
 */
#include <string.h>

#include "sim/engine/check.h"
#include "sim/engine/explore_priv.h"

#define STEPS_MAX	100000u

struct replay {
	struct explore x;
	const struct explore_guide *guide;
	struct trail taken;
	u32 switches;		/* from one that could have gone on */
};

static u32 pick_answer(struct sim *sim, void *ctx, u32 n, enum choose_why why)
{
	struct replay *r = ctx;
	u32 v = r->guide->answer(r->guide->ctx, n, why);

	trail_add(&r->taken, (u16)(TRAIL_INNER | v));
	return v;
}

/* Where nobody says who is next: @last goes on, or else who can. NULL: nobody can. */
static struct actor *goes_on(struct actor *last)
{
	if (last && actor_enabled(last))
		return last;
	for (u32 i = 0; i < the_world->nactors; i++)
		if (actor_enabled(the_world->actor[i]))
			return the_world->actor[i];
	return NULL;
}

static void follow(struct replay *r)
{
	const struct explore_guide *g = r->guide;
	struct sim *sim = r->x.sim;
	struct actor *last = NULL, *a;
	bool no_further = false;
	u32 step;

	for (step = 0; step < STEPS_MAX && !sim->stopping; step++) {
		a = g->next(g->ctx, last, &no_further);
		if (!a && !no_further)
			a = goes_on(last);
		if (!a)
			break;
		r->switches += last && a != last && actor_enabled(last) && !a->storer;
		trail_add(&r->taken, a->id);
		a->clock = ++sim->now;
		search_step(sim, a);
		if (r->x.opt->step && !sim->stopping)
			r->x.opt->step(r->x.opt->ctx);
		last = a->storer ? last : a;
	}
	if (!sim->stopping && step < STEPS_MAX && !no_further)
		search_end(sim);
	if (r->x.opt->leaf)
		r->x.opt->leaf(r->x.opt->ctx);
}

struct explore_found *explore_follow(struct sim *sim, const struct explore_options *opt,
				     const struct explore_guide *guide, struct trail *taken)
{
	struct replay r = { .x = { .sim = sim, .opt = opt }, .guide = guide };
	struct choose_driver driver = { pick_answer, &r };
	struct explore_found *f = NULL;
	struct rewind *root;

	root = rewind_new(sim);
	choose_drive(sim, &driver);
	follow(&r);
	if (check_fatal(sim)) {
		f = explore_found_new(sim, &r.taken);
		f->preemptions = r.switches;
	}
	choose_drive(sim, NULL);
	rewind_to(root);
	rewind_free(root);
	if (taken)
		*taken = r.taken;
	else
		trail_free(&r.taken);
	return f;
}

/* ---- a trail is a guide that takes things as they come ---- */

struct along {
	const struct trail *t;
	u32 at;
	bool possible;
};

static u32 along_answer(void *ctx, u32 n, enum choose_why why)
{
	struct along *r = ctx;
	u32 v = 0;

	if (r->at < r->t->n && r->t->v[r->at] & TRAIL_INNER)
		v = r->t->v[r->at++] & ~TRAIL_INNER;
	if (v < n)
		return v;
	r->possible = false;
	return 0;
}

static struct actor *along_next(void *ctx, struct actor *last, bool *no_further)
{
	struct along *r = ctx;

	while (r->at < r->t->n) {
		u16 id = r->t->v[r->at++];

		if (id & TRAIL_INNER)
			continue;	/* of a step that was left out */
		if (id < the_world->nactors && actor_enabled(the_world->actor[id]))
			return the_world->actor[id];
		r->possible = false;
	}
	*no_further = r->t->loop < r->t->n;
	return NULL;
}

struct explore_found *explore_replay(struct sim *sim, const struct explore_options *opt,
				     const struct trail *t, struct trail *taken, bool *possible)
{
	struct along along = { .t = t, .possible = true };
	const struct explore_guide guide = { along_next, along_answer, &along };
	struct explore_found *f = explore_follow(sim, opt, &guide, taken);

	if (possible)
		*possible = along.possible;
	return f;
}

/* ---- shrinking ---- */

/* A run of one actor's steps, [from, to) in the trail. */
struct run {
	u32 from, to;
	u16 actor;
};

static GArray *runs_of(const struct trail *t)
{
	GArray *runs = g_array_new(FALSE, FALSE, sizeof(struct run));

	for (u32 i = 0; i < t->n; i++) {
		struct run *last = runs->len ?
			&g_array_index(runs, struct run, runs->len - 1) : NULL;
		struct run r = { i, i + 1, t->v[i] };

		if (last && (t->v[i] & TRAIL_INNER || t->v[i] == last->actor))
			last->to = i + 1;
		else
			g_array_append_val(runs, r);
	}
	return runs;
}

static void copy_run(struct trail *to, const struct trail *t, const struct run *r)
{
	for (u32 i = r->from; i < r->to; i++)
		trail_add(to, t->v[i]);
}

/* @t with run @i left out (@to == ~0), or put before run @to. */
static struct trail changed(const struct trail *t, const GArray *runs, u32 i, u32 to)
{
	struct trail out = { 0 };

	for (u32 k = 0; k < runs->len; k++) {
		if (k == to)
			copy_run(&out, t, &g_array_index(runs, struct run, i));
		if (k != i)
			copy_run(&out, t, &g_array_index(runs, struct run, k));
	}
	if (to == runs->len)
		copy_run(&out, t, &g_array_index(runs, struct run, i));
	return out;
}

static u32 steps_of(const struct trail *t)
{
	u32 n = 0;

	for (u32 i = 0; i < t->n; i++)
		n += !(t->v[i] & TRAIL_INNER);
	return n;
}

static bool is_better(const struct explore_found *a, const struct explore_found *b)
{
	u32 sa = trail_switches(&a->trail), sb = trail_switches(&b->trail);

	if (a->preemptions != b->preemptions)
		return a->preemptions < b->preemptions;
	if (sa != sb)
		return sa < sb;
	return steps_of(&a->trail) < steps_of(&b->trail);
}

bool explore_is_same(const struct explore_found *a, const struct explore_found *b, bool same_site)
{
	return a->id == b->id && !strcmp(a->where, b->where) &&
	       (!(same_site || !*a->where) || !strcmp(a->site, b->site));
}

/* Take @t's violation into @f if it is the same one by a shorter way. Frees @t. */
static bool adopt(struct sim *sim, struct explore_found *f, bool same_site, struct trail t)
{
	static const struct explore_options plain = { .preemptions = -1 };
	struct explore_found *g = explore_replay(sim, &plain, &t, NULL, NULL);
	bool yes = g && explore_is_same(f, g, same_site) && is_better(g, f);

	trail_free(&t);
	if (yes) {
		struct explore_found old = *f;

		*f = *g;
		f->executions = old.executions;
		f->times = old.times;
		*g = old;
	}
	explore_found_free(g);
	return yes;
}

/* Each run once: out, to the run of its actor before it, to the one behind it. */
static bool pass(struct sim *sim, struct explore_found *f, bool same_site, u64 *tries)
{
	GArray *runs = runs_of(&f->trail);
	bool any = false;

	for (u32 i = 0; i < runs->len && *tries && !any; i++) {
		u16 who = g_array_index(runs, struct run, i).actor;
		u32 before = i, behind = i + 1;

		(*tries)--;
		any = adopt(sim, f, same_site, changed(&f->trail, runs, i, ~0u));
		while (before && g_array_index(runs, struct run, before - 1).actor != who)
			before--;
		if (!any && before && before < i)
			any = adopt(sim, f, same_site, changed(&f->trail, runs, i, before));
		while (behind < runs->len &&
		       g_array_index(runs, struct run, behind).actor != who)
			behind++;
		if (!any && behind < runs->len && behind > i + 1)
			any = adopt(sim, f, same_site, changed(&f->trail, runs, i, behind));
	}
	g_array_unref(runs);
	return any;
}

void explore_shrink(struct sim *sim, struct explore_found *f, bool same_site, u64 tries)
{
	/* As it is, once: what a search left of a trail may end sooner. */
	struct trail t = { g_memdup2(f->trail.v, f->trail.n * sizeof(u16)), f->trail.n,
			   f->trail.n };

	adopt(sim, f, same_site, t);
	while (tries && pass(sim, f, same_site, &tries))
		;
}
