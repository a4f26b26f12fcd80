// SPDX-License-Identifier: GPL-2.0-only
/*
 * Depth first over states. With hashing every enabled actor is expanded (sleep sets would
 * lose transitions, and so looks of checks); without, conditional sleep sets. A bound on
 * preemptions is sound only if a state is remembered with who moved last and the largest
 * budget that was left. Rests on docs/explore.md.
 */
#include <sys/mman.h>

#include "sim/engine/check.h"
#include "sim/engine/edges.h"
#include "sim/engine/explore_priv.h"
#include "sim/engine/hash.h"
#include "sim/engine/meets.h"

#define DEPTH_DEFAULT	1000000u
#define ROOM_BYTES	(8ull << 30)	/* of stacks on the path; address space until touched */
#define LAPS		8u
#define LAPS_ALONE	64u		/* of one whom nobody can relieve */
#define NO_ACTOR	0xffffu
#define TOGETHER	4096u		/* steps of one actor that nobody else could tell apart */
#define ON_PATH		0x80000000u	/* in a slot's meta, where budgets are small */

/* A state on the path, and the step being taken from it. */
struct frame {
	struct search_mark mark;
	struct inner in;
	char *room;		/* where the copy of the next stack goes */
	u64 asleep;		/* no_hash: actors whose step need not be taken here */
	struct search_id id;	/* loops: of the state */
	u64 enabled;		/* loops: actors that can go on here */
	u32 before;		/* steps from the start to here */
	u32 steps;		/* taken from here: 1, or with focus several of one actor */
	bool progress;		/* loops: the step taken gets somewhere */
	bool widen;		/* its one step closes a loop: the others' must not wait for ever */
	u16 only, not;		/* focus: the one actor whose step is enough; who has been stepped */
	u32 number;		/* of the state, with edges */
	int budget;		/* preemptions left */
	u16 at;			/* whose turn it is: see actor_at() */
	u16 last;		/* who moved last and could go on; NO_ACTOR: nobody */
	bool stepping;		/* it has been taken, and is to be taken back */
};

struct dfs {
	struct explore *x;
	struct sim *sim;
	struct frame *frame;
	u32 depth, depth_max;
	char *room, *room_end;
	bool hash, sleep, bounded, focus, loops;
	u32 laps;
	struct visited seen;
	struct edges *edges;
	struct verify *verify;
};

static void *reserve(u64 bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		sim_die("no address space for a search of this depth");
	return p;
}

/* Of steps that were taken together only the last can have had choices in it. */
static void add_steps(const struct frame *f, struct trail *t)
{
	for (u32 i = 1; i < f->steps; i++)
		trail_add(t, f->mark.actor->id);
	trail_add_step(t, f->mark.actor, &f->in);
}

static void path(const struct dfs *d, struct trail *t)
{
	for (u32 i = 0; i < d->depth; i++)
		add_steps(&d->frame[i], t);
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

/* Where the budget decides what may follow, who moved last is part of the state. */
static struct search_id id_here(struct dfs *d, u16 last)
{
	struct search_id id = search_id(d->sim);

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
	}
	*number = s->meta;
	if (d->verify)
		verify_state(d->x, d->verify, id, d->frame[d->depth].room, d->room_end);
	if (fresh || d->edges || (s->meta & ~ON_PATH) > (u32)budget)
		return fresh;
	s->meta = (u32)budget + 1;
	return true;
}

/* Has @last gone round so often that others have to go on? */
static bool is_tired(const struct dfs *d, u16 last)
{
	return d->bounded && last != NO_ACTOR && the_world->actor[last]->laps >= d->laps;
}

static u8 *often_here(struct actor *a)
{
	return &a->often[a->pending.site ? a->pending.site->line % ARRAY_SIZE(a->often) : 0];
}

/* Is it worth a switch that @a is about to take its step? */
static bool is_place(const struct dfs *d, struct actor *a)
{
	if (!meets_here(d->x->opt->meets, a))
		return false;
	if (!d->x->opt->often || *often_here(a) < d->x->opt->often)
		return true;
	d->x->seldom = true;
	return false;
}

/* Focus: an actor whose step here commutes with all that the others will do; or NO_ACTOR. */
static u16 only_one(const struct dfs *d, u16 last)
{
	if (!d->focus || is_tired(d, last))
		return NO_ACTOR;
	if (d->bounded)
		return last == NO_ACTOR || is_place(d, the_world->actor[last]) ? NO_ACTOR : last;
	for (u32 i = 0; i < the_world->nactors; i++)
		if (actor_enabled(the_world->actor[i]) &&
		    !meets_here(d->x->opt->meets, the_world->actor[i]))
			return (u16)i;
	return NO_ACTOR;
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
	struct search_id id = d->frame[d->depth].id;
	u32 before = d->depth ? d->frame[d->depth - 1].before + d->frame[d->depth - 1].steps : 0;

	d->frame[d->depth] = (struct frame){
		.room = room, .asleep = asleep, .number = number, .budget = budget, .last = last,
		.id = id, .only = only_one(d, last), .not = NO_ACTOR, .before = before,
	};
	if (d->loops) {
		d->frame[d->depth].enabled = enabled_here();
		visited_find(&d->seen, id)->meta |= ON_PATH;
	}
	d->x->res->depth = MAX(d->x->res->depth, before);
}

static void limit(struct dfs *d, const char *by, bool stop)
{
	d->x->res->bounded_by = by;
	d->x->stop |= stop;
}

/* The state of frame @f's step is that of frame @at: does the way between get nowhere, fairly? */
static bool is_livelock(const struct dfs *d, u32 at)
{
	u64 moves = 0, always = ~0ull;

	if (the_world->nactors > 64)
		return false;
	for (u32 i = at; i < d->depth; i++) {
		const struct frame *f = &d->frame[i];

		if (f->progress || f->in.postponed)
			return false;
		moves |= 1ull << f->mark.actor->id;
		always &= f->enabled;
	}
	return !(always & ~moves);
}

static void movers(const struct dfs *d, u32 at, GString *s)
{
	u64 moves = 0;

	for (u32 i = at; i < d->depth; i++)
		moves |= 1ull << d->frame[i].mark.actor->id;
	for (u32 i = 0; i < the_world->nactors; i++)
		if (moves >> i & 1 && !the_world->actor[i]->background)
			g_string_append_printf(s, "%s%s", s->len ? " " : "",
					       the_world->actor[i]->name);
}

/* Note a livelock whose loop begins with the step taken from frame @at. */
static void note_loop(struct dfs *d, u32 at, const char *who, const char *text)
{
	struct point p = point_set(d->sim);
	char *waits = explore_waits(d->sim);
	struct trail t = { 0 };
	u32 loop = 0;

	for (u32 i = 0; i < d->depth; i++) {
		if (i == at)
			loop = t.n;
		add_steps(&d->frame[i], &t);
	}
	t.loop = loop;
	check_fail("livelock", who, "%s%s", text, waits);
	explore_note(d->x, &t);
	g_free(waits);
	point_back(d->sim, &p);
	trail_free(&t);
}

/* The step from frame @f leads to a state that the path has been in. */
static void came_back(struct dfs *d, struct frame *f)
{
	struct search_id id = d->frame[d->depth].id;
	u32 at = d->depth;
	GString *who;
	char *text;

	f->widen = f->only != NO_ACTOR;
	while (at-- && (d->frame[at].id.lo != id.lo || d->frame[at].id.hi != id.hi))
		;
	if (!d->x->opt->livelock || at > d->depth || !is_livelock(d, at) ||
	    check_is_tolerated(d->sim, "livelock"))
		return;
	who = g_string_new(NULL);
	movers(d, at, who);
	text = g_strdup_printf("after %u steps, %u more bring the same state back and nobody got "
			       "anywhere", d->frame[at].before,
			       f->before + f->steps - d->frame[at].before);
	note_loop(d, at, who->str, text);
	g_free(text);
	g_string_free(who, TRUE);
}

static void rounds_without_end(struct dfs *d, const struct actor *a)
{
	u32 at = d->depth;
	char *text;

	/* The last round: back to where it forgot with the same key. */
	while (at && d->frame[at - 1].mark.actor == a && d->frame[at - 1].mark.saved.laps + 1 >= a->laps)
		at--;
	text = g_strdup_printf("after %u steps, %u rounds of %s were the same to it but for what they "
			       "leave in memory, nobody else can go on, and nobody got anywhere",
			       d->frame[at].before, a->laps, a->name);
	note_loop(d, at, a->name, text);
	g_free(text);
}

/*
 * Nobody can relieve @a, who is tired. A state of its own past may still come back; but if its
 * loop leaves something behind each time, no state ever does, and it is said to be what it is
 * after many rounds.
 */
static bool goes_on_alone(struct dfs *d, const struct actor *a)
{
	for (u32 i = 0; i < the_world->nactors; i++)
		if (the_world->actor[i] != a && actor_enabled(the_world->actor[i]))
			return false;
	if (a->laps < LAPS_ALONE)
		return true;
	if (d->x->opt->livelock && !check_is_tolerated(d->sim, "livelock"))
		rounds_without_end(d, a);
	return false;
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
	bool tired = is_tired(d, f->last);

	for (; f->at <= the_world->nactors; f->at++) {
		struct actor *a = actor_at(d, f);
		int cost;

		if (!a || !actor_enabled(a) || (d->sleep && f->asleep >> a->id & 1))
			continue;
		if ((f->only != NO_ACTOR && a->id != f->only) || a->id == f->not)
			continue;
		if (tired && a->id == f->last && !goes_on_alone(d, a)) {
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
			came_back(d, f);
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

/* Does the next step of @a belong to those just taken, as nobody could come between? */
static bool goes_on(const struct dfs *d, const struct frame *f, struct actor *a)
{
	return d->focus && f->steps < TOGETHER && !f->in.at && !d->sim->stopping &&
	       actor_enabled(a) && !is_tired(d, a->id) && !is_place(d, a);
}

/*
 * One step of @a. Where nobody else matters an interrupt may land once at each line, between
 * two places where somebody does: what it interrupts decides what comes of it, not how often
 * a loop has been round.
 */
static void one_step(struct dfs *d, struct frame *f, struct actor *a)
{
	const struct explore_options *opt = d->x->opt;
	u64 line = a->pending.site ? 1ull << (a->pending.site->line & 63) : 0;
	bool alone = d->focus && !is_place(d, a);

	if (opt->meets)
		meets_note(opt->meets, a);
	if (opt->often && *often_here(a) < 255 && meets_here(opt->meets, a))
		++*often_here(a);
	f->in.later = alone && a->offered & line;
	if (!alone)
		a->offered = 0;
	search_step(d->sim, a);
	if (alone && f->in.at)
		a->offered |= line;
	f->steps++;
}

/*
 * One step, and with focus all that follow until somebody else matters. As many again if a
 * choice in the last has another answer, whatever has been learned in between.
 */
static void take_step(struct dfs *d, struct frame *f, struct actor *a)
{
	const struct explore_options *opt = d->x->opt;
	u32 n = f->in.len ? f->steps : 0;

	f->steps = 0;
	one_step(d, f, a);
	while (n ? f->steps < n : goes_on(d, f, a)) {
		if (opt->step)
			opt->step(opt->ctx);
		one_step(d, f, a);
	}
	d->x->res->transitions += f->steps;
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
	take_step(d, f, a);
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
