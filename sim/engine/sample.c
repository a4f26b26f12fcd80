// SPDX-License-Identifier: GPL-2.0-only
/*
 * Samples of interleavings: uniform at each step, or by random priorities that change at few
 * places (PCT: Burckhardt, Kothari, Musuvathi, Nagarakatte, ASPLOS 2010). Each execution
 * starts from a mark of everything and is taken back to it.
 */
#include "sim/engine/explore_priv.h"
#include "sim/engine/rng.h"

#define EXECUTIONS	10000u
#define STEPS_MAX	100000u	/* of one execution: whoever spins for ever must not stop it all */
#define PCT_DEPTH	3u
#define PCT_ACTORS	1024u

struct pct {
	u32 prio[PCT_ACTORS];	/* higher goes first; changed ones are below all */
	u32 change[64];		/* at which step, rising */
	u32 n, at;		/* changes in all, done */
};

struct sample {
	struct explore *x;
	struct rng rng;
	struct trail t;
	struct pct pct;
	u32 longest;		/* execution so far: where PCT may change priorities */
};

static u32 pick_answer(struct sim *sim, void *ctx, u32 n, enum choose_why why)
{
	struct sample *s = ctx;
	u32 v = rng_below(&s->rng, n);

	trail_add(&s->t, (u16)(TRAIL_INNER | v));
	return v;
}

static int rising(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

static void pct_start(struct sample *s)
{
	struct pct *p = &s->pct;
	u32 depth = s->x->opt->pct_depth ? s->x->opt->pct_depth : PCT_DEPTH;

	p->n = MIN(depth - 1, ARRAY_SIZE(p->change));
	p->at = 0;
	for (u32 i = 0; i < p->n; i++)
		p->change[i] = rng_below(&s->rng, MAX(s->longest, 1u));
	qsort(p->change, p->n, sizeof(p->change[0]), rising);
	for (u32 i = 0; i < PCT_ACTORS; i++)	/* ties break by number */
		p->prio[i] = 0;
}

/* Priorities are drawn when an actor is first seen, so that late-born ones get one. */
static u32 prio_of(struct sample *s, const struct actor *a)
{
	u32 *p = &s->pct.prio[a->id];

	if (!*p)
		*p = s->pct.n + 1 + rng_below(&s->rng, 1u << 30);
	return *p;
}

static struct actor *pct_pick(struct sample *s, struct actor **list, u32 n, u32 step)
{
	struct actor *best = list[0];
	struct pct *p = &s->pct;

	for (u32 i = 1; i < n; i++)
		if (prio_of(s, list[i]) > prio_of(s, best))
			best = list[i];
	if (p->at < p->n && step >= p->change[p->at]) {
		p->prio[best->id] = p->n - p->at++;
		return pct_pick(s, list, n, step);
	}
	return best;
}

static void over(struct sample *s)
{
	struct explore *x = s->x;

	if (!x->sim->stopping)
		search_end(x->sim);
	x->res->executions++;
	if (x->sim->stopping)
		explore_note(x, &s->t);
	if (x->opt->leaf)
		x->opt->leaf(x->opt->ctx);
}

static void execution(struct sample *s)
{
	struct explore *x = s->x;
	struct actor *list[ACTORS_MAX];
	u32 max = x->opt->depth ? x->opt->depth : STEPS_MAX, step, n;
	bool pct = x->opt->driver == EXPLORE_PCT;

	s->t.n = 0;
	if (pct)
		pct_start(s);
	for (step = 0; step < max && !x->sim->stopping; step++) {
		struct actor *a;

		n = sched_enabled(x->sim, list);
		if (!n)
			break;
		a = pct ? pct_pick(s, list, n, step) : list[rng_below(&s->rng, n)];
		trail_add(&s->t, a->id);
		search_step(x->sim, a);
		if (x->opt->step && !x->sim->stopping)
			x->opt->step(x->opt->ctx);
	}
	x->res->transitions += step;
	s->longest = MAX(s->longest, step);
	if (step == max)
		x->res->bounded_by = "depth";
	else
		over(s);
	explore_tick(x);
}

void explore_sample(struct explore *x)
{
	struct sample *s = g_new0(struct sample, 1);
	struct choose_driver driver = { pick_answer, s };
	u64 n = x->opt->executions ? x->opt->executions : EXECUTIONS;
	struct rewind *root;

	s->x = x;
	rng_seed(&s->rng, x->opt->seed);
	choose_drive(x->sim, &driver);
	root = rewind_new(x->sim);
	for (u64 i = 0; i < n && !x->stop; i++) {
		execution(s);
		rewind_to(root);
	}
	x->res->depth = s->longest;
	rewind_free(root);
	trail_free(&s->t);
	g_free(s);
}
