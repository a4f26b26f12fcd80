// SPDX-License-Identifier: GPL-2.0-only
/*
 * Depth first over states. With hashing every enabled actor is expanded (sleep sets would
 * lose transitions, and so looks of checks); without, conditional sleep sets. A bound on
 * preemptions is sound only if a state is remembered with who moved last and the largest
 * budget that was left. Where more of it is left than when a state was expanded before, only
 * what that adds is counted: the counts are those of a search that came to each state with
 * its largest budget at once, whoever came first. Rests on docs/explore.md.
 */
#include <sys/mman.h>

#include "sim/engine/explore_dfs.h"
#include "sim/engine/meets.h"

#define DEPTH_DEFAULT	1000000u
#define ROOM_BYTES	(8ull << 30)	/* of stacks on the path; address space until touched */
#define LAPS		8u

static void *reserve(u64 bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		sim_die("no address space for a search of this depth");
	return p;
}

/* Of steps that were taken together only the last can have had choices in it. */
void dfs_add_steps(const struct frame *f, struct trail *t)
{
	for (u32 i = 1; i < f->h.steps; i++)
		trail_add(t, f->mark.actor->id);
	trail_add_step(t, f->mark.actor, &f->in);
}

/* A rule is broken at the end of the path. */
static void broken(struct dfs *d)
{
	struct trail t = { 0 };

	for (u32 i = 0; i < d->depth; i++)
		dfs_add_steps(&d->frame[i], &t);
	d->x->res->executions++;
	explore_note(d->x, &t);
	trail_free(&t);
	if (d->c)
		crew_say_found(d->c);
}

/* Nobody can run: the path is an execution. */
static void leaf(struct dfs *d)
{
	struct point p = point_set(d->sim);

	search_end(d->sim);
	if (d->sim->stopping)
		broken(d);
	else
		d->x->res->executions++;
	if (d->x->opt->leaf)
		d->x->opt->leaf(d->x->opt->ctx);
	point_back(d->sim, &p);
}

void dfs_limit(struct dfs *d, const char *by, bool stop)
{
	if (stop && d->c)
		crew_bound(d->c, by);
	else
		d->x->res->bounded_by = by;
	d->x->stop |= stop;
}

u32 dfs_frontier(const struct dfs *d)
{
	u32 n = 0;

	for (u32 i = 0; i <= d->depth; i++)
		n += d->frame[i].h.left > 1;
	return n;
}

u32 dfs_enabled(void)
{
	u32 n = 0, total = the_world->nactors;

	for (u32 i = 0; i < total; i++)
		n += actor_enabled(the_world->actor[i]);
	return n;
}

static u64 enabled_here(void)
{
	u64 set = 0;

	for (u32 i = 0; i < the_world->nactors; i++)
		if (actor_enabled(the_world->actor[i]))
			set |= 1ull << (i & 63);
	return set;
}

/* ---- the path ---- */

void dfs_push(struct dfs *d, struct frame_head h, char *room)
{
	struct frame *f = &d->frame[d->depth];

	/* One by one: most of a frame is the mark, which is set with the first step from here. */
	f->mark.actor = NULL;
	f->in.len = f->in.at = 0;
	f->in.later = f->in.postponed = false;
	f->room = room;
	f->h = h;
	f->before = d->depth ? f[-1].before + f[-1].h.steps : 0;
	f->progress = f->stepping = false;
	f->enabled = 0;
	if (d->loops) {
		f->enabled = enabled_here();
		dfs_mark_path(d, f, true);
	}
	if (f->before > d->x->res->depth)
		d->x->res->depth = f->before;
}

static void next_at(struct frame *f)
{
	if (!f->h.widen) {
		f->h.at++;
		f->h.left--;
		return;
	}
	f->h.not = f->mark.actor->id;
	f->h.only = NO_ACTOR;
	f->h.widen = false;
	f->h.at = 0;
	f->h.left = dfs_enabled();
}

/* Take back the step from @f. If it had other answers, the next of them is up, else the next actor. */
void dfs_take_back(struct dfs *d, struct frame *f)
{
	if (!f->stepping)
		return;
	search_undo(d->sim, &f->mark);
	f->stepping = false;
	if (f->h.given) {
		f->h.left = 0;
		f->in.len = 0;
	} else if (!inner_next(&f->in)) {
		f->h.asleep |= d->sleep ? 1ull << f->mark.actor->id : 0;
		next_at(f);
	}
}

/* Does a step of cost @cost count, or did it when the state was expanded before? */
static bool counts(const struct frame *f, int cost)
{
	return f->h.had < 0 || (f->h.had == 0 && cost);
}

/* With focus where actors meet may have been learned since: it is as good as new. */
static bool is_looked_at(const struct dfs *d, const struct frame *f, int cost)
{
	return d->focus || counts(f, cost);
}

/*
 * Whose turn it is. With a bound whoever moved last comes first, so that switches are tried
 * from the end of a way backwards: a long loop is left before all of its rounds are tried.
 */
static struct actor *actor_at(const struct dfs *d, const struct frame *f)
{
	u16 first = d->bounded ? f->h.last : NO_ACTOR;

	if (!f->h.at)
		return first == NO_ACTOR ? NULL : the_world->actor[first];
	return f->h.at == first + 1u ? NULL : the_world->actor[f->h.at - 1];
}

/* Need @a not be stepped from @f, whatever it costs? */
static bool is_spared(const struct dfs *d, const struct frame *f, const struct actor *a)
{
	return (d->sleep && f->h.asleep >> a->id & 1) ||
	       (f->h.only != NO_ACTOR && a->id != f->h.only) || a->id == f->h.not;
}

/* The next actor to step from @f; NULL if all have been, or need not. */
static struct actor *next_actor(struct dfs *d, struct frame *f, int *cost)
{
	bool tired = dfs_is_tired(d, f->h.last);

	for (; f->h.left; f->h.at++) {
		struct actor *a = actor_at(d, f);

		if (!a || !actor_enabled(a))
			continue;
		/* When a store buffer is emptied is nobody's choice. */
		*cost = d->bounded && f->h.last != NO_ACTOR && a->id != f->h.last && !tired &&
			!a->storer;
		if (is_spared(d, f, a)) {
			;
		} else if (tired && a->id == f->h.last && !dfs_goes_on_alone(d, f, a)) {
			d->x->out->tired = true;
		} else if (*cost <= f->h.budget) {
			/* What was left out for want of budget when it was expanded before. */
			if (*cost && f->h.had == 0 && !f->in.len && !d->focus)
				d->x->out->pruned--;
			return a;
		} else if (is_looked_at(d, f, *cost)) {
			d->x->out->pruned++;
		}
		f->h.left--;
	}
	return NULL;
}

/* Who sleeps below the step of @a: whoever slept here and commutes with it. */
static u64 still_asleep(struct dfs *d, struct frame *f, struct actor *a)
{
	u64 out = 0;

	for (u32 i = 0; i < the_world->nactors; i++)
		if (f->h.asleep >> i & 1 && actor_enabled(the_world->actor[i]) &&
		    commute(d->x, a, the_world->actor[i], f->room))
			out |= 1ull << i;
	return out;
}

/* ---- steps ---- */

/* The state that was come to has been in the search before: is that a loop of this way? */
static void known(struct dfs *d, struct frame *f, const struct frame_head *h)
{
	if (d->loops && dfs_is_on_path(d, h))
		dfs_came_back(d, f);
}

/* What became of the step just taken from frame @f. True: the path goes on below it. */
static bool arrived(struct dfs *d, struct frame *f, struct actor *a, int cost, u64 asleep,
		    char *room)
{
	const struct explore_options *opt = d->x->opt;
	struct frame_head h = {
		.asleep = asleep, .budget = f->h.budget - cost, .last = a->storer ? f->h.last : a->id,
		.not = NO_ACTOR,
	};

	if (h.last != NO_ACTOR && !actor_enabled(the_world->actor[h.last]))
		h.last = NO_ACTOR;
	d->frame[d->depth].room = room;
	if (d->sim->stopping) {
		if (is_looked_at(d, f, cost))
			broken(d);
		if (opt->leaf)
			opt->leaf(opt->ctx);
		return false;
	}
	if (opt->step)
		opt->step(opt->ctx);
	f->progress = d->loops && d->sim->progress & dfs_progress(d);
	if (!dfs_claim(d, &h)) {
		known(d, f, &h);
		return false;
	}
	h.left = dfs_enabled();
	if (!h.left) {
		if (h.had < 0)
			leaf(d);
		return false;
	}
	if (d->depth + 1 >= d->depth_max || room + 2 * WORLD_STACK_SIZE > d->room_end) {
		dfs_limit(d, "depth", false);
		dfs_say_what_grows(d);
		return false;
	}
	h.only = dfs_only_one(d, h.last);
	dfs_expect(d);
	dfs_push(d, h, room);
	return true;
}

/* @a is about to step from @f: where the copy of the next stack goes. */
static char *set_out(struct dfs *d, struct frame *f, struct actor *a)
{
	char *room;

	f->stepping = true;
	f->h.stepped = true;
	f->in.at = 0;
	f->in.postponed = false;
	d->x->inner = &f->in;
	d->sim->progress = 0;
	room = search_mark_set(d->sim, &f->mark, a, f->room);
	if (a->id != f->h.last)
		a->forgets = a->laps = 0;
	return room;
}

char *dfs_follow(struct dfs *d, struct frame *f, struct actor *a)
{
	char *room = set_out(d, f, a);

	dfs_follow_steps(d, f, a);
	f->progress = d->loops && d->sim->progress & dfs_progress(d);
	return room;
}

/* The rest is dfs_take_steps()'s. Nothing is called around the switch, see carrier_enter(). */
static void take_step(struct dfs *d, struct frame *f, struct actor *a)
{
	f->in.later = false;
	f->h.steps = 1;
	search_step(d->sim, a);
	f->h.postponed = f->in.postponed;
}

/* Take the next step from the end of the path. False: there is none. */
static bool forward(struct dfs *d)
{
	struct frame *f = &d->frame[d->depth];
	struct actor *a;
	u64 asleep = 0;
	char *room;
	int cost;

	dfs_take_back(d, f);
	a = next_actor(d, f, &cost);
	if (!a)
		return false;
	if (d->sleep && f->h.asleep && !f->in.len)
		asleep = still_asleep(d, f, a);
	/* As many again if a choice in the last has another answer, whatever was learned meanwhile. */
	room = set_out(d, f, a);
	if (likely(d->plain))
		take_step(d, f, a);
	else
		dfs_take_steps(d, f, a, f->in.len ? f->h.steps : 0);
	if (counts(f, cost))
		d->x->res->transitions += f->h.steps;
	d->depth++;
	if (!arrived(d, f, a, cost, asleep, room))
		d->depth--;
	return true;
}

/* Back from the state at the end of the path. False: it is the start. */
static bool back(struct dfs *d)
{
	struct frame *f = &d->frame[d->depth];

	if (!d->depth)
		return false;
	/* An execution that sleep sets gave up: all that could run was asleep. */
	if (d->sleep && !f->h.stepped)
		d->x->res->blocked++;
	if (d->loops)
		dfs_mark_path(d, f, false);
	d->depth--;
	d->first = MIN(d->first, d->depth);
	return true;
}

static bool is_time(const struct dfs *d)
{
	u32 want;

	if (!d->c)
		return !(d->beat & 255) || d->x->res->transitions >= d->x->next_tick;
	want = crew_want(d->c->crew);
	/* Whoever is hungry is given something now and then, as there may be nothing to give. */
	return want & ~(u32)CREW_HUNGRY || (want && !(d->beat & 63)) || !(d->beat & 1023);
}

bool dfs_on(struct dfs *d)
{
	do {
		if (!forward(d) && !back(d))
			return false;
		d->beat++;
	} while (likely(!d->x->stop && !is_time(d)));
	return true;
}

void dfs_unwind(struct dfs *d)
{
	for (u32 i = d->depth + 1; i-- > 0;) {
		if (d->frame[i].stepping)
			search_undo(d->sim, &d->frame[i].mark);
		d->frame[i].stepping = false;
	}
	d->depth = 0;
}

/* ---- before and after ---- */

struct dfs *dfs_new(struct explore *x, struct crew_self *c)
{
	const struct explore_options *opt = x->opt;
	struct dfs *d = g_new0(struct dfs, 1);

	d->x = x;
	d->sim = x->sim;
	d->c = c;
	d->hash = !opt->no_hash && !opt->no_reduction;
	d->bounded = opt->preemptions >= 0;
	d->laps = opt->laps ? opt->laps : LAPS;
	d->sleep = opt->no_hash && !opt->no_reduction && !d->bounded;
	if (d->sleep && the_world->nactors > 60)
		sim_die("sleep sets serve at most 60 actors");
	d->depth_max = (opt->depth ? opt->depth : DEPTH_DEFAULT) + 2;
	d->frame = reserve((u64)d->depth_max * sizeof(struct frame));
	d->room = reserve(ROOM_BYTES);
	d->room_end = d->room + ROOM_BYTES;
	d->table = c ? c->crew->table : d->hash ? table_new(opt->memory_limit, false) : NULL;
	if (d->hash && !d->table)
		sim_die("no address space for a table of states; --memory-limit");
	d->focus = opt->focus && opt->meets && !d->sim->tso.on;
	d->plain = !d->focus && !opt->meets && !opt->often;
	d->loops = d->hash && (d->focus || (opt->livelock && (d->bounded || opt->focus)));
	if (explore_wants_edges(opt))
		d->edges = c ? c->crew->edges : edges_new(opt->memory_limit);
	if (explore_wants_edges(opt) && !d->edges)
		sim_die("no address space for the steps between states; --memory-limit");
	if (opt->verify_key && d->hash)
		d->verify = verify_new(opt->verify_key);
	return d;
}

void dfs_free(struct dfs *d)
{
	struct explore_result *res = d->x->res;

	if (d->hash)
		res->table_bytes = table_bytes(d->table);
	if (d->verify)
		res->merges_verified = verify_count(d->verify);
	if (d->edges)
		res->table_bytes += edges_bytes(d->edges);
	if (!d->c) {
		table_free(d->table);
		edges_free(d->edges);
	}
	verify_free(d->verify);
	munmap(d->frame, (u64)d->depth_max * sizeof(struct frame));
	munmap(d->room, ROOM_BYTES);
	g_free(d);
}

void dfs_root(struct dfs *d)
{
	struct frame_head h = {
		.budget = MAX(d->x->opt->preemptions, 0), .last = NO_ACTOR, .not = NO_ACTOR,
		.left = dfs_enabled(),
	};

	d->depth = 0;
	d->frame[0].room = d->room;
	dfs_claim(d, &h);
	h.only = dfs_only_one(d, NO_ACTOR);
	dfs_push(d, h, d->room);
	if (!h.left)
		leaf(d);
}

void explore_dfs(struct explore *x)
{
	struct dfs *d = dfs_new(x, NULL);

	dfs_root(d);
	while (!x->stop && dfs_on(d)) {
		if (!(d->beat & 255))
			dfs_look_at_memory(d);
		if (!(d->looks++ % DFS_LOOKS))
			x->res->frontier = dfs_frontier(d);
		explore_tick(x);
	}
	x->res->frontier = 0;
	dfs_unwind(d);
	if (d->edges && !x->stop)
		edges_look(d->edges, x);
	dfs_free(d);
}
