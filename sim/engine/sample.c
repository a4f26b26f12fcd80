// SPDX-License-Identifier: GPL-2.0-only
/*
 * Samples of interleavings: uniform at each step, or by random priorities that change at few
 * places (PCT: Burckhardt, Kothari, Musuvathi, Nagarakatte, ASPLOS 2010). Each execution
 * starts from a mark of everything and is taken back to it, and is drawn from the seed and its
 * number alone, so that it is the same one whoever runs it.
 */
#include "sim/engine/crew.h"
#include "sim/engine/hash.h"
#include "sim/engine/meets.h"
#include "sim/engine/rng.h"

#define STEPS_MAX	100000u	/* of one execution: whoever spins for ever must not stop it all */
#define PCT_DEPTH	3u
/* PCT changes priorities somewhere in the longest execution so far, of the first so many. */
#define PILOTS		64u
#define EDGE		8u
#define PIECE		256u	/* executions that a worker takes at a time */

/* A place in the source before whose step others may go first. */
struct place {
	u32 times, most;	/* in this execution; in the pilot that came there most often */
};

struct pct {
	bool on;
	u32 prio[ACTORS_MAX];	/* higher goes first; changed ones are below all; 0: not drawn */
	u32 change[64];		/* at which step, rising; with focus at which time ... */
	u32 where[64];		/* ... at which place; 0: none */
	u32 n, at;		/* changes in all, done */
	bool focus;
	GArray *places;		/* struct place, in the order in which they were come to; from 1 */
	u32 *place_of;		/* by number of the site */
};

struct sample {
	struct explore *x;
	struct rng rng;
	struct search_box *box;	/* the way */
	struct actor *enabled[ACTORS_MAX];	/* not on the stack of an actor */
	struct pct pct;
	u32 steps, max;
	bool pilot;
	bool shared;		/* the box is, so it cannot grow */
	u32 longest;		/* of the pilots */
	u32 broke;		/* which of the rules known to be broken, + 1; 0: none */
	struct choose_driver driver;
	struct rewind *root;
};

/* Below @n. What that favours is at most one part in ten thousand, for the longest ways. */
static inline u32 draw(struct sample *s, u32 n)
{
	return (u32)((rng_next(&s->rng) >> 32) * n >> 32);
}

static __noinline void way_grow(struct sample *s)
{
	if (s->shared)
		sim_die("an execution has more than %u choices", s->box->room);
	s->box->room *= 2;
	s->box = g_realloc(s->box, sizeof(*s->box) + s->box->room * sizeof(u16));
}

static __always_inline void way_add(struct sample *s, u16 v)
{
	if (unlikely(s->box->n == s->box->room))
		way_grow(s);
	s->box->v[s->box->n++] = v;
}

static u32 pick_answer(struct sim *sim, void *ctx, u32 n, enum choose_why why)
{
	struct sample *s = ctx;
	u32 v = draw(s, n);

	way_add(s, (u16)(TRAIL_INNER | v));
	return v;
}

static int rising(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

static struct place *place(const struct sample *s, u32 i)
{
	return &g_array_index(s->pct.places, struct place, i);
}

/* Which time of so many: all are as likely, but the first and the last few more. */
static u32 draw_time(struct sample *s, u32 most)
{
	u32 edge = draw(s, 4);

	if (edge < 2 || most <= EDGE)
		return 1 + draw(s, most);
	return edge == 2 ? 1 + draw(s, EDGE) : most - draw(s, EDGE);
}

/*
 * Where actors meet there are places that an execution comes to once, and loops that come to
 * theirs a thousand times: all places are as likely, then the times of one.
 */
static void draw_places(struct sample *s)
{
	struct pct *p = &s->pct;
	u32 n = p->places->len;

	for (u32 i = 1; i < n; i++)
		place(s, i)->times = 0;
	for (u32 i = 0; i < p->n; i++) {
		p->where[i] = n > 1 ? 1 + draw(s, n - 1) : 0;
		p->change[i] = p->where[i] ? draw_time(s, place(s, p->where[i])->most) : 0;
	}
}

/* The place that @a stands at; 0: nobody else comes there, or no pilot has been there. */
static u32 place_at(struct sample *s, const struct actor *a)
{
	u32 *of = &s->pct.place_of[site_number(a->pending.site)];
	struct place fresh = { 0, 0 };

	if (s->pilot)
		meets_note(s->x->opt->meets, a);
	if (!meets_here(s->x->opt->meets, a))
		return 0;
	if (!*of && s->pilot) {
		*of = s->pct.places->len;
		g_array_append_val(s->pct.places, fresh);
	}
	return *of;
}

/* Is a change of priorities due before the step of @a? It is used up by that. */
static bool is_due(struct sample *s, const struct actor *a)
{
	struct pct *p = &s->pct;
	u32 at = place_at(s, a);
	struct place *here = place(s, at);

	if (!at)
		return false;
	here->times++;
	if (s->pilot)
		here->most = MAX(here->most, here->times);
	for (u32 i = 0; i < p->n; i++) {
		if (p->where[i] != at || p->change[i] != here->times)
			continue;
		p->where[i] = 0;
		return true;
	}
	return false;
}

static void pct_start(struct sample *s)
{
	struct pct *p = &s->pct;
	u32 depth = s->x->opt->pct_depth ? s->x->opt->pct_depth : PCT_DEPTH;

	p->n = MIN(depth - 1, ARRAY_SIZE(p->change));
	p->at = 0;
	for (u32 i = 0; i < p->n && !p->focus; i++)
		p->change[i] = draw(s, MAX(s->longest, 1u));
	if (p->focus)
		draw_places(s);
	else if (p->n > 1)
		qsort(p->change, p->n, sizeof(p->change[0]), rising);
	for (u32 i = 0; i < the_world->nactors; i++)
		p->prio[i] = 0;
}

/* Priorities are drawn when an actor is first seen, so that late-born ones get one. */
static inline u32 prio_of(struct sample *s, const struct actor *a)
{
	u32 *p = &s->pct.prio[a->id];

	if (unlikely(!*p))
		*p = s->pct.n + 1 + draw(s, 1u << 30);
	return *p;
}

/* Ties break by number. */
static __always_inline struct actor *pick_pct(struct sample *s, bool focus)
{
	struct pct *p = &s->pct;
	u32 most;

	for (;;) {
		struct actor *best = NULL;

		most = 0;
		for (u32 i = 0; i < the_world->nactors; i++) {
			struct actor *a = the_world->actor[i];
			u32 prio;

			if (!actor_enabled(a))
				continue;
			prio = prio_of(s, a);
			if (prio > most) {
				most = prio;
				best = a;
			}
		}
		if (!best || (focus ? !is_due(s, best) :
			      p->at == p->n || s->steps < p->change[p->at]))
			return best;
		p->prio[best->id] = p->n - p->at++;
	}
}

static __always_inline struct actor *pick_uniform(struct sample *s)
{
	u32 n = 0, total = the_world->nactors;

	for (u32 i = 0; i < total; i++) {
		s->enabled[n] = the_world->actor[i];
		n += actor_enabled(s->enabled[n]);	/* no branch: nobody could predict it */
	}
	return n ? s->enabled[draw(s, n)] : NULL;
}

/* Who takes the next step; NULL: this execution is over. */
static __always_inline struct actor *next(struct sim *sim, struct sample *s, bool pct, bool focus)
{
	struct actor *a;

	if (unlikely(sim->stopping || s->steps == s->max))
		return NULL;
	a = pct ? pick_pct(s, focus) : pick_uniform(s);
	if (!a)
		return NULL;
	s->steps++;
	way_add(s, a->id);
	s->box->site = a->pending.site;
	return a;
}

/* The same on the stack of @me: it goes on at once, or another does, with no hub between. */
static __always_inline void turn(struct sim *sim, struct sample *s, struct actor *me, bool pct,
				 bool focus)
{
	struct actor *a = next(sim, s, pct, focus);

	if (a == me)
		return;
	if (a)
		sched_jump(sim, me, a);
	else
		sched_hub(me);
}

static void turn_uniform(struct sim *sim, void *ctx, struct actor *me)
{
	turn(sim, ctx, me, false, false);
}

static void turn_pct(struct sim *sim, void *ctx, struct actor *me)
{
	turn(sim, ctx, me, true, false);
}

static void turn_focus(struct sim *sim, void *ctx, struct actor *me)
{
	turn(sim, ctx, me, true, true);
}

static void over(struct sample *s)
{
	struct explore *x = s->x;

	if (!x->sim->stopping)
		search_end(x->sim);
	x->res->executions++;
	if (x->sim->stopping) {
		struct trail t = { s->box->v, s->box->n, s->box->n };

		s->broke = explore_note(x, &t) + 1;
	}
	if (x->opt->leaf)
		x->opt->leaf(x->opt->ctx);
}

/* Execution @i, to its end: nobody can run, a rule is broken, or it is too long. */
static void play(struct sample *s, u64 i)
{
	struct explore *x = s->x;
	struct actor *a;

	rng_seed(&s->rng, hash_mix(x->opt->seed ^ 0x589965cc75374cc3ull, 2 * i + 1));
	s->box->n = s->steps = 0;
	s->pilot = i < PILOTS;
	if (s->pct.on)
		pct_start(s);
	while ((a = next(x->sim, s, s->pct.on, s->pct.focus))) {
		search_step(x->sim, a);
		if (x->opt->step && !x->sim->stopping)
			x->opt->step(x->opt->ctx);
	}
	if (s->pilot)
		s->longest = MAX(s->longest, s->steps);
}

static void execution(struct sample *s, u64 i)
{
	struct explore *x = s->x;

	play(s, i);
	x->res->transitions += s->steps;
	x->res->depth = MAX(x->res->depth, s->steps);
	if (s->steps == s->max && !x->sim->stopping)
		x->res->bounded_by = "depth";
	else
		over(s);
	explore_tick(x);
	rewind_to(s->root);
}

static struct sample *sample_new(struct explore *x)
{
	struct sample *s = g_new0(struct sample, 1);
	struct sim *sim = x->sim;

	s->x = x;
	s->pct.on = x->opt->driver == EXPLORE_PCT;
	s->pct.focus = s->pct.on && x->opt->focus && x->opt->meets;
	s->pct.places = g_array_new(FALSE, TRUE, sizeof(struct place));
	g_array_set_size(s->pct.places, 1);
	s->pct.place_of = g_new0(u32, site_count() + 1);
	s->max = x->opt->depth ? x->opt->depth : STEPS_MAX;
	s->shared = sim->box != NULL;
	s->box = sim->box;
	sim->box = NULL;	/* steps go into it here, with or without the hub */
	if (!s->box) {
		s->box = g_malloc0(sizeof(*s->box) + 256 * sizeof(u16));
		s->box->room = 256;
	}
	s->driver = (struct choose_driver){ pick_answer, s };
	choose_drive(sim, &s->driver);
	sched_keyed(sim, false);	/* before what the actors are taken back to */
	s->root = rewind_new(sim);
	if (!x->opt->step && sim->opt.carrier == CARRIER_FIBER)
		sim->turn = s->pct.focus ? turn_focus : s->pct.on ? turn_pct : turn_uniform;
	sim->turn_ctx = s;
	return s;
}

static void sample_free(struct sample *s)
{
	struct sim *sim = s->x->sim;

	sim->turn = NULL;
	choose_drive(sim, NULL);
	sched_keyed(sim, true);
	rewind_free(s->root);
	if (s->shared)
		sim->box = s->box;
	else
		g_free(s->box);
	g_array_unref(s->pct.places);
	g_free(s->pct.place_of);
	g_free(s);
}

static u64 executions(const struct explore_options *opt)
{
	return opt->executions ? opt->executions : EXPLORE_SAMPLES;
}

void explore_sample(struct explore *x)
{
	struct sample *s = sample_new(x);

	for (u64 i = 0; i < executions(x->opt) && !x->stop; i++)
		execution(s, i);
	sample_free(s);
}

/* ---- several at it ---- */

/* The ways of the first few say where priorities may change: each worker needs that. */
static void pilots(struct sample *s, u64 from)
{
	s->longest = 0;
	for (u64 i = 0; i < MIN(PILOTS, from) && s->pct.on; i++) {
		play(s, i);
		rewind_to(s->root);
	}
}

static void say_piece(struct crew_self *c, u64 from, u64 n)
{
	struct explore_result *res = c->x->res;
	struct crew_piece p = {
		.from = from, .n = n, .transitions = res->transitions, .depth = res->depth,
		.cut = (u32)(n - res->executions),
	};

	crew_say(c, CREW_PIECE, &p, sizeof(p));
}

static void piece(struct crew_self *c, struct sample *s, u64 from, u64 to)
{
	struct explore *x = c->x;

	x->res->executions = x->res->transitions = 0;
	x->res->depth = 0;
	for (u64 i = from; i < to; i++) {
		u64 again[2] = { i };

		c->crew->worker[c->me].execution = i;
		s->broke = 0;
		play(s, i);
		x->res->transitions += s->steps;
		x->res->depth = MAX(x->res->depth, s->steps);
		if (s->steps < s->max || x->sim->stopping)
			over(s);
		rewind_to(s->root);
		if (!s->broke)
			continue;
		again[1] = s->broke - 1;
		if (x->res->found->len > c->told)
			((struct explore_found *)x->res->found->pdata[c->told])->executions = i;
		crew_say_found(c);
		crew_say(c, CREW_AGAIN, again, sizeof(again));
	}
	say_piece(c, from, to - from);
}

/* For the leader: what executions [@from, @to) come to, none of which breaks anything new. */
void crew_sample_part(struct explore *x, u64 from, u64 to)
{
	struct sample *s = sample_new(x);

	pilots(s, from);
	for (u64 i = from; i < to; i++) {
		play(s, i);
		x->res->transitions += s->steps;
		x->res->depth = MAX(x->res->depth, s->steps);
		if (s->steps == s->max && !x->sim->stopping)
			x->res->bounded_by = "depth";
		else
			x->res->executions++;
		rewind_to(s->root);
	}
	sample_free(s);
}

/* The next piece, when its turn to be dealt out has come. False: there is none. */
static bool next_piece(struct crew *crew, u64 n, u64 *from, u64 *to)
{
	*from = crew_deal(crew, PIECE);
	*to = MIN(*from + PIECE, n);
	while (crew_beyond(crew, *from)) {
		if (crew_want(crew) & CREW_STOP || *from >= n)
			return false;
		g_usleep(200);
	}
	return *from < n && !(crew_want(crew) & CREW_STOP);
}

void crew_sample(struct crew_self *c)
{
	struct sample *s = sample_new(c->x);
	bool first = true;
	u64 from, to;

	while (next_piece(c->crew, executions(c->x->opt), &from, &to)) {
		if (first)
			pilots(s, from);
		first = false;
		piece(c, s, from, to);
	}
	sample_free(s);
}
