// SPDX-License-Identifier: GPL-2.0-only
/*
 * Depth first over states. With hashing every enabled actor is expanded (sleep sets would
 * lose transitions, and so looks of checks); without, conditional sleep sets. A bound on
 * preemptions is sound only if a state is remembered with who moved last and the largest
 * budget that was left. Rests on docs/explore.md.
 */
#include <sys/mman.h>

#include "sim/engine/explore_dfs.h"
#include "sim/engine/hash.h"

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
	for (u32 i = 1; i < f->steps; i++)
		trail_add(t, f->mark.actor->id);
	trail_add_step(t, f->mark.actor, &f->in);
}

static void path(const struct dfs *d, struct trail *t)
{
	for (u32 i = 0; i < d->depth; i++)
		dfs_add_steps(&d->frame[i], t);
}

/* A rule is broken at the end of the path. */
static void broken(struct dfs *d)
{
	struct trail t = { 0 };

	path(d, &t);
	d->x->res->executions++;
	explore_note(d->x, &t);
	trail_free(&t);
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

static void limit(struct dfs *d, const char *by, bool stop)
{
	d->x->res->bounded_by = by;
	d->x->stop |= stop;
}

/* Is there room for more states? What grows is there twice for a moment, or half as much again. */
static void look_at_memory(struct dfs *d)
{
	bool full = visited_is_full(&d->seen);
	u64 most = d->x->opt->memory_limit, bytes = visited_bytes(&d->seen) * (full ? 3 : 1);

	if (!most || (!full && d->x->res->states % 256))
		return;
	if (bytes + (d->edges ? 2 * edges_bytes(d->edges) : 0) > most)
		limit(d, "memory", true);
}

/* Where the budget decides what may follow, who moved last is part of the state. */
static struct search_id id_here(struct dfs *d, u16 last)
{
	const struct frame *f = d->depth ? &d->frame[d->depth - 1] : NULL;
	struct search_id actors = f ? search_actors_after(d->sim, &f->mark, f->actors) :
				      search_actors(d->sim);
	struct search_id id = search_id_of(d->sim, actors);

	d->frame[d->depth].actors = actors;
	if (d->bounded && last != NO_ACTOR) {
		id.lo += hash_mix(last + 0xe7037ed1a0b428dbull, 0x9e3779b97f4a7c15ull);
		id.hi += last + 1u;
	}
	return id;
}

/* Is this state, with this budget, new? Its number in @number. */
static bool is_new(struct dfs *d, u16 last, int budget, u32 *number)
{
	struct explore_result *res = d->x->res;
	struct search_id id;
	struct visited_slot *s;
	bool fresh;

	if (!d->hash)
		return true;
	id = id_here(d, last);
	d->frame[d->depth].id = id;
	s = visited_at(&d->seen, id, &fresh);
	if (fresh) {
		res->states++;
		s->meta = d->edges ? edges_state(d->edges, id) : (u32)budget + 1;
		look_at_memory(d);
	}
	*number = s->meta;
	if (d->verify)
		verify_state(d->x, d->verify, id, d->frame[d->depth].room, d->room_end);
	if (fresh || d->edges || (s->meta & ~ON_PATH) > (u32)budget)
		return fresh;
	s->meta = (u32)budget + 1;
	return true;
}

static u64 enabled_here(void)
{
	u64 set = 0;

	for (u32 i = 0; i < the_world->nactors; i++)
		if (actor_enabled(the_world->actor[i]))
			set |= 1ull << (i & 63);
	return set;
}

/* Go down to the state that is here now. */
static void push(struct dfs *d, u16 last, int budget, u64 asleep, u32 number, char *room)
{
	struct frame *f = &d->frame[d->depth];
	u32 before = d->depth ? d->frame[d->depth - 1].before + d->frame[d->depth - 1].steps : 0;

	/* One by one: most of a frame is the mark, which is set with the first step from here. */
	f->mark.actor = NULL;
	f->in.len = f->in.at = 0;
	f->in.later = f->in.postponed = false;
	f->room = room;
	f->asleep = asleep;
	f->enabled = 0;
	f->number = number;
	f->budget = budget;
	f->last = last;
	f->before = before;
	f->steps = 0;
	f->only = dfs_only_one(d, last);
	f->not = NO_ACTOR;
	f->at = 0;
	f->progress = f->widen = f->stepping = false;
	if (d->loops) {
		f->enabled = enabled_here();
		visited_find(&d->seen, f->id)->meta |= ON_PATH;
	}
	d->x->res->depth = MAX(d->x->res->depth, before);
}

/*
 * Whose turn it is. With a bound whoever moved last comes first, so that switches are tried
 * from the end of a way backwards: a long loop is left before all of its rounds are tried.
 */
static struct actor *actor_at(const struct dfs *d, const struct frame *f)
{
	u16 first = d->bounded ? f->last : NO_ACTOR;

	if (!f->at)
		return first == NO_ACTOR ? NULL : the_world->actor[first];
	return f->at == first + 1u ? NULL : the_world->actor[f->at - 1];
}

/* The next actor to step from @f; NULL if all have been, or need not. */
static struct actor *next_actor(struct dfs *d, struct frame *f, int *budget)
{
	bool tired = dfs_is_tired(d, f->last);

	for (; f->at <= the_world->nactors; f->at++) {
		struct actor *a = actor_at(d, f);
		int cost;

		if (!a || !actor_enabled(a) || (d->sleep && f->asleep >> a->id & 1))
			continue;
		if ((f->only != NO_ACTOR && a->id != f->only) || a->id == f->not)
			continue;
		if (tired && a->id == f->last && !dfs_goes_on_alone(d, a)) {
			d->x->tired = true;
			continue;
		}
		/* When a store buffer is emptied is nobody's choice. */
		cost = d->bounded && f->last != NO_ACTOR && a->id != f->last && !tired &&
		       !a->storer;
		*budget = f->budget - cost;
		if (*budget >= 0)
			return a;
		d->x->pruned = true;
	}
	return NULL;
}

/* Who sleeps below the step of @a: whoever slept here and commutes with it. */
static u64 still_asleep(struct dfs *d, struct frame *f, struct actor *a)
{
	u64 out = 0;

	for (u32 i = 0; d->sleep && i < the_world->nactors; i++)
		if (f->asleep >> i & 1 && actor_enabled(the_world->actor[i]) &&
		    commute(d->x, a, the_world->actor[i], f->room))
			out |= 1ull << i;
	return out;
}

/* What became of the step just taken from frame @f. True: the path goes on below it. */
static bool arrived(struct dfs *d, struct frame *f, struct actor *a, int budget, u64 asleep,
		    char *room)
{
	const struct explore_options *opt = d->x->opt;
	u16 last = a->storer ? f->last : a->id;
	u32 number = 0;
	bool fresh;

	if (last != NO_ACTOR && !actor_enabled(the_world->actor[last]))
		last = NO_ACTOR;
	d->depth++;
	d->frame[d->depth].room = room;
	if (d->sim->stopping) {
		broken(d);
		if (opt->leaf)
			opt->leaf(opt->ctx);
		return false;
	}
	if (opt->step)
		opt->step(opt->ctx);
	fresh = is_new(d, last, budget, &number);
	if (d->edges)
		edges_add(d->edges, f->number, number, a->id,
			  d->sim->progress & (opt->progress ? opt->progress : ~0u), f->in.postponed);
	if (d->loops)
		f->progress = d->sim->progress & (opt->progress ? opt->progress : ~0u);
	if (!fresh) {
		if (d->loops && number & ON_PATH)
			dfs_came_back(d, f);
		return false;
	}
	if (!explore_any_enabled(d->sim)) {
		leaf(d);
		return false;
	}
	if (opt->states && d->x->res->states >= opt->states)
		limit(d, "states", true);
	if (d->depth + 1 >= d->depth_max || room + 2 * WORLD_STACK_SIZE > d->room_end) {
		limit(d, "depth", false);
		return false;
	}
	push(d, last, budget, asleep, number, room);
	return true;
}

static void next_at(struct frame *f)
{
	if (!f->widen) {
		f->at++;
		return;
	}
	f->not = f->mark.actor->id;
	f->only = NO_ACTOR;
	f->widen = false;
	f->at = 0;
}

/* Take the next step from the end of the path. False: there is none. */
static bool forward(struct dfs *d)
{
	struct frame *f = &d->frame[d->depth];
	int budget = f->budget;
	struct actor *a;
	u64 asleep = 0;
	char *room;

	if (f->stepping) {
		search_undo(d->sim, &f->mark);
		if (!inner_next(&f->in)) {
			f->stepping = false;
			f->asleep |= d->sleep ? 1ull << f->mark.actor->id : 0;
			next_at(f);
		}
	}
	a = next_actor(d, f, &budget);
	if (!a)
		return false;
	if (!f->stepping)
		f->in.len = 0;
	f->stepping = true;
	if (d->sleep && !f->in.len)
		asleep = still_asleep(d, f, a);
	f->in.at = 0;
	f->in.postponed = false;
	d->x->inner = &f->in;
	d->sim->progress = 0;
	room = search_mark_set(d->sim, &f->mark, a, f->room);
	if (a->id != f->last)
		a->forgets = a->laps = 0;
	dfs_take_step(d, f, a);
	if (!arrived(d, f, a, budget, asleep, room))
		d->depth--;
	return true;
}

/* An execution that sleep sets gave up: all that could run was asleep. */
static void backward(struct dfs *d)
{
	struct frame *f = &d->frame[d->depth];

	if (d->sleep && !f->mark.actor)
		d->x->res->blocked++;
	if (d->loops)
		visited_find(&d->seen, f->id)->meta &= ~ON_PATH;
	d->depth--;
}

static void setup(struct dfs *d)
{
	const struct explore_options *opt = d->x->opt;
	u32 depth = opt->depth ? opt->depth : DEPTH_DEFAULT;

	d->hash = !opt->no_hash && !opt->no_reduction;
	d->bounded = opt->preemptions >= 0;
	d->laps = opt->laps ? opt->laps : LAPS;
	d->sleep = opt->no_hash && !opt->no_reduction && !d->bounded;
	if (d->sleep && the_world->nactors > 60)
		sim_die("sleep sets serve at most 60 actors");
	d->depth_max = depth + 2;
	d->frame = reserve((u64)d->depth_max * sizeof(struct frame));
	d->room = reserve(ROOM_BYTES);
	d->room_end = d->room + ROOM_BYTES;
	if (d->hash)
		visited_init(&d->seen, 0);
	d->focus = opt->focus && opt->meets && !d->sim->tso.on;
	d->loops = d->hash && (d->focus || (opt->livelock && d->bounded));
	if (opt->livelock && d->hash && !d->loops)
		d->edges = edges_new();
	if (opt->verify_key && d->hash)
		d->verify = verify_new(opt->verify_key);
}

static void teardown(struct dfs *d)
{
	struct explore_result *res = d->x->res;

	if (d->hash)
		res->table_bytes = visited_bytes(&d->seen);
	if (d->verify)
		res->merges_verified = verify_count(d->verify);
	if (d->edges)
		res->table_bytes += edges_bytes(d->edges);
	visited_fini(&d->seen);
	edges_free(d->edges);
	verify_free(d->verify);
	munmap(d->frame, (u64)d->depth_max * sizeof(struct frame));
	munmap(d->room, ROOM_BYTES);
}

void explore_dfs(struct explore *x)
{
	struct dfs d = { .x = x, .sim = x->sim };
	int budget = x->opt->preemptions < 0 ? 0 : x->opt->preemptions;
	u32 number = 0;

	setup(&d);
	d.frame[0].room = d.room;
	is_new(&d, NO_ACTOR, budget, &number);
	push(&d, NO_ACTOR, budget, 0, number, d.room);
	if (!explore_any_enabled(d.sim))
		leaf(&d);
	while (!x->stop) {
		if (!forward(&d)) {
			if (!d.depth)
				break;
			backward(&d);
		}
		explore_tick(x);
	}
	/* Back to the start, whatever ended it. */
	for (u32 i = d.depth + 1; i-- > 0;)
		if (d.frame[i].stepping)
			search_undo(d.sim, &d.frame[i].mark);
	if (d.edges && !x->stop)
		edges_look(d.edges, x);
	teardown(&d);
}
