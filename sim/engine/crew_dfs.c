// SPDX-License-Identifier: GPL-2.0-only
/*
 * A worker's depth-first search over the states that all share. Every enabled actor of a state
 * is expanded by whoever claimed it; with a bound on preemptions again if more of the budget is
 * left than before, and then only what that adds is counted, so that the counts are those of a
 * search that came to each state with its largest budget at once.
 *
 * A worker that has nothing to do takes up the rest of a state near the start of another's way,
 * with the way there: it follows it, which counts as nothing. The same form, of the whole way,
 * is what a checkpoint keeps.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sim/engine/crew.h"
#include "sim/engine/hash.h"
#include "sim/engine/meets.h"
#include "sim/engine/region.h"

#define DEPTH_DEFAULT	1000000u
#define ROOM_BYTES	(8ull << 30)	/* of stacks on the way; address space until touched */
#define LAPS		8u
#define LAPS_ALONE	64u	/* of one whom nobody can relieve */
#define NO_ACTOR	0xffffu
#define GROWN		64u	/* a word with more values on one way than this is said to grow */

/* What of a state on the way is kept in a stretch. */
struct frame_head {
	u32 left;		/* actors from @at on that can go on and have not */
	int budget, had;	/* preemptions left; when it was expanded before, -1: never */
	u16 at;			/* the actor whose turn it is */
	u16 last;		/* who moved last and could go on; NO_ACTOR: nobody */
	u16 actor;		/* who took the step from here to the next state */
	u8 given;		/* others do the rest: only that step is ours */
	u8 answers;		/* in it */
};

struct frame {
	struct search_mark mark;
	struct inner in;
	struct search_id actors;	/* the actors' part of the state's id */
	char *room;			/* where the copy of the next stack goes */
	struct frame_head h;
	bool stepping;			/* its step has been taken, and is to be taken back */
};

struct dfs {
	struct crew_self *c;
	struct explore *x;
	struct sim *sim;
	struct table *table;
	struct frame *frame;
	u32 depth, depth_max;
	u32 first;		/* no frame above this one has anything to give away */
	char *room, *room_end;
	bool bounded;
	u32 laps;
	u32 unsaid;		/* states that the table's count does not have yet */
	bool grown;		/* it has been said what grows */
};

static void *reserve(u64 bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		sim_die("no address space for a search of this depth");
	return p;
}

static struct crew_worker *mine(struct dfs *d)
{
	return &d->c->crew->worker[d->c->me];
}

/* A rule is broken at the end of the way. */
static void broken(struct dfs *d)
{
	struct trail t = { 0 };

	for (u32 i = 0; i < d->depth; i++)
		trail_add_step(&t, d->frame[i].mark.actor, &d->frame[i].in);
	d->x->res->executions++;
	explore_note(d->x, &t);
	trail_free(&t);
	crew_say_found(d->c);
}

/* Nobody can run: the way is an execution. */
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

static u32 enabled(void)
{
	u32 n = 0, total = the_world->nactors;

	for (u32 i = 0; i < total; i++)
		n += actor_enabled(the_world->actor[i]);
	return n;
}

/* ---- the table ---- */

static void said(struct dfs *d)
{
	__atomic_add_fetch(&d->table->used, d->unsaid, __ATOMIC_RELAXED);
	d->unsaid = 0;
}

static void ask_to_grow(struct dfs *d)
{
	struct crew *crew = d->c->crew;

	crew_lock(crew);
	if (table_is_full(d->table, crew->workers * 256u))
		__atomic_or_fetch(&crew->want, CREW_GROW, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&crew->lock);
}

/* Where the budget decides what may follow, who moved last is part of the state. */
static struct search_id id_here(const struct dfs *d, struct search_id actors, u16 last)
{
	struct search_id id = search_id_of(d->sim, actors);

	if (d->bounded && last != NO_ACTOR) {
		id.lo += hash_mix(last + 0xe7037ed1a0b428dbull, 0x9e3779b97f4a7c15ull);
		id.hi += last + 1u;
	}
	return id;
}

/* Is the state that is here ours to expand, and what had been done of it before? */
static bool claim(struct dfs *d, struct search_id actors, u16 last, int budget, int *had)
{
	struct search_id id = id_here(d, actors, last);
	u64 states = d->x->opt->states;

	if (!table_claim(d->table, id, (u32)budget, had))
		return false;
	if (*had >= 0)
		return true;
	d->x->res->states++;
	d->unsaid++;
	if (d->unsaid < 256 && !states)
		return true;
	said(d);
	if (states && d->table->used >= states)
		crew_bound(d->c, "states");
	if (table_is_full(d->table, d->c->crew->workers * 256u))
		ask_to_grow(d);
	return true;
}

/* ---- what has no end ---- */

/* What of the word at @p has a name; NULL: nothing. */
static const void *region_in(const u64 *p)
{
	for (u32 i = 0; i < 8; i += 2)
		if (region_at((const char *)p + i))
			return (const char *)p + i;
	return NULL;
}

/* Which word has taken the most values on the way? A count that only leaks makes no two states alike. */
static void say_what_grows(struct dfs *d)
{
	struct undo_mark start = d->frame[0].stepping ?
		(struct undo_mark){ d->frame[0].mark.undo_length } : undo_mark();
	const struct undo_entry *e;
	struct crew_grows most = { 0 };
	GHashTable *words;
	GByteArray *out;
	void *word = NULL;
	u64 n;

	if (d->grown)
		return;
	d->grown = true;
	words = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL,
				      (GDestroyNotify)g_hash_table_unref);
	out = g_byte_array_new();
	e = undo_since(start, &n);
	for (u64 i = 0; i < n; i++) {
		GHashTable *values = g_hash_table_lookup(words, e[i].p);

		if (!region_in(e[i].p))
			continue;
		if (!values) {
			values = g_hash_table_new(g_direct_hash, g_direct_equal);
			g_hash_table_insert(words, e[i].p, values);
		}
		g_hash_table_add(values, (void *)e[i].old);
		if (g_hash_table_size(values) <= most.values)
			continue;
		most.values = g_hash_table_size(values);
		word = e[i].p;
	}
	if (most.values >= GROWN) {
		char name[96];

		crew_put(out, &most, sizeof(most));
		crew_put_text(out, region_name_of(region_in(word), name, sizeof(name)));
		crew_say(d->c, CREW_GROWS, out->data, out->len);
	}
	g_byte_array_unref(out);
	g_hash_table_unref(words);
}

/* ---- the way ---- */

/* Go down to the state that is here now. */
static void push(struct dfs *d, struct search_id actors, struct frame_head h, char *room)
{
	struct frame *f = &d->frame[d->depth];

	f->actors = actors;
	f->room = room;
	f->h = h;
	f->stepping = false;
	f->in.len = 0;
	if (d->depth > d->x->res->depth)
		d->x->res->depth = d->depth;
}

/* Take back the step from @f. If it had other answers, the next of them is up, else the next actor. */
static void take_back(struct dfs *d, struct frame *f)
{
	if (!f->stepping)
		return;
	search_undo(d->sim, &f->mark);
	f->stepping = false;
	if (f->h.given) {
		f->h.left = 0;
		f->in.len = 0;
	} else if (!inner_next(&f->in)) {
		f->h.at++;
		f->h.left--;
	}
}

/* Does this state's step of cost @cost count, or did it when the state was expanded before? */
static bool counts(const struct frame *f, int cost)
{
	return f->h.had < 0 || (f->h.had == 0 && cost);
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

/* Nobody can relieve @a, who is tired, and its rounds may still come to an end. */
static bool goes_on_alone(const struct frame *f, const struct actor *a)
{
	return f->h.left == 1 && f->h.at == 0 && a->laps < LAPS_ALONE;
}

/* The next actor to step from @f; NULL if all have been. */
static struct actor *next_actor(struct dfs *d, struct frame *f, int *cost)
{
	bool tired = d->bounded && f->h.last != NO_ACTOR &&
		     the_world->actor[f->h.last]->laps >= d->laps;

	for (; f->h.left; f->h.at++) {
		struct actor *a = actor_at(d, f);

		if (!a || !actor_enabled(a))
			continue;
		/* When a store buffer is emptied is nobody's choice. */
		*cost = d->bounded && f->h.last != NO_ACTOR && a->id != f->h.last && !tired &&
			!a->storer;
		if (tired && a->id == f->h.last && !goes_on_alone(f, a)) {
			mine(d)->tired = 1;
		} else if (*cost <= f->h.budget) {
			/* What was left out for want of budget when it was expanded before. */
			if (*cost && f->h.had == 0 && !f->in.len)
				mine(d)->pruned--;
			return a;
		} else if (counts(f, *cost)) {
			mine(d)->pruned++;
		}
		f->h.left--;
	}
	return NULL;
}

/* What became of the step just taken from frame @f. True: the way goes on below it. */
static bool arrived(struct dfs *d, struct frame *f, struct actor *a, int cost, char *room)
{
	const struct explore_options *opt = d->x->opt;
	struct frame_head h = {
		.budget = f->h.budget - cost, .last = a->storer ? f->h.last : a->id,
	};
	struct search_id actors;

	if (h.last != NO_ACTOR && !actor_enabled(the_world->actor[h.last]))
		h.last = NO_ACTOR;
	if (d->sim->stopping) {
		if (counts(f, cost))
			broken(d);
		if (opt->leaf)
			opt->leaf(opt->ctx);
		return false;
	}
	if (opt->step)
		opt->step(opt->ctx);
	actors = search_actors_after(d->sim, &f->mark, f->actors);
	if (!claim(d, actors, h.last, h.budget, &h.had))
		return false;
	h.left = enabled();
	if (!h.left) {
		if (h.had < 0)
			leaf(d);
		return false;
	}
	if (d->depth + 1 >= d->depth_max || room + 2 * WORLD_STACK_SIZE > d->room_end) {
		d->x->res->bounded_by = "depth";
		say_what_grows(d);
		return false;
	}
	push(d, actors, h, room);
	return true;
}

/* Take the next step from the end of the way. False: there is none. */
static bool forward(struct dfs *d)
{
	struct frame *f = &d->frame[d->depth];
	struct actor *a;
	char *room;
	int cost;

	take_back(d, f);
	a = next_actor(d, f, &cost);
	if (!a)
		return false;
	f->stepping = true;
	f->in.at = 0;
	d->x->inner = &f->in;
	room = search_mark_set(d->sim, &f->mark, a, f->room);
	if (a->id != f->h.last)
		a->forgets = a->laps = 0;
	if (d->x->opt->meets)
		meets_note(d->x->opt->meets, a);
	search_step(d->sim, a);
	if (counts(f, cost))
		d->x->res->transitions++;
	d->depth++;
	if (!arrived(d, f, a, cost, room))
		d->depth--;
	return true;
}

static void unwind(struct dfs *d)
{
	for (u32 i = d->depth + 1; i-- > 0;) {
		if (d->frame[i].stepping)
			search_undo(d->sim, &d->frame[i].mark);
		d->frame[i].stepping = false;
	}
	d->depth = 0;
}

/* ---- stretches ---- */

static void put_frame(GByteArray *to, const struct frame *f, struct frame_head h)
{
	h.actor = f->stepping ? f->mark.saved.id : NO_ACTOR;
	h.answers = f->in.len;
	crew_put(to, &h, sizeof(h));
	crew_put(to, f->in.n, f->in.len);
	crew_put(to, f->in.v, f->in.len);
}

void crew_dfs_root(const struct explore_options *opt, GByteArray *to)
{
	struct frame none = { 0 };
	struct frame_head h = {
		.budget = MAX(opt->preemptions, 0), .had = -1, .last = NO_ACTOR, .left = enabled(),
	};
	u32 n = 1;

	crew_put(to, &n, sizeof(n));
	put_frame(to, &none, h);
}

/* All of the way, as it stands. */
static void stand(struct crew_self *c, GByteArray *to)
{
	struct dfs *d = c->ctx;
	u32 n = d->depth + 1;

	take_back(d, &d->frame[d->depth]);
	crew_put(to, &n, sizeof(n));
	for (u32 i = 0; i < n; i++)
		put_frame(to, &d->frame[i], d->frame[i].h);
}

/* What is left of the state nearest to the start that has something left. */
static bool share(struct crew_self *c, GByteArray *to)
{
	struct dfs *d = c->ctx;
	struct frame_head h;
	struct frame *f;
	u32 n;

	while (d->first < d->depth && d->frame[d->first].h.left < 2)
		d->first++;
	if (d->first >= d->depth)
		return false;
	f = &d->frame[d->first];
	n = d->first + 1;
	crew_put(to, &n, sizeof(n));
	for (u32 i = 0; i < d->first; i++) {
		h = d->frame[i].h;
		h.given = 1;
		put_frame(to, &d->frame[i], h);
	}
	h = f->h;
	h.at++;
	h.left--;
	h.actor = NO_ACTOR;
	h.answers = 0;
	crew_put(to, &h, sizeof(h));
	if (to->len > STRETCH_BYTES)
		return false;
	f->h.left = 1;
	return true;
}

static void wrong(void)
{
	sim_die("a way that was kept cannot be followed here");
}

/* Follow the way of @to to its end. */
static void take_up(struct dfs *d, const GByteArray *from)
{
	struct crew_reader r = { from->data, from->data + from->len };
	char *room = d->room;
	struct frame *f;
	u32 n;

	crew_get(&r, &n, sizeof(n));
	for (d->depth = 0; d->depth < n; d->depth++) {
		struct frame_head h;
		struct actor *a;

		f = &d->frame[d->depth];

		crew_get(&r, &h, sizeof(h));
		if (r.broken || d->depth >= d->depth_max || h.answers > INNER_MAX)
			wrong();
		push(d, search_actors(d->sim), h, room);
		f->in.len = h.answers;
		crew_get(&r, f->in.n, h.answers);
		crew_get(&r, f->in.v, h.answers);
		if (d->depth + 1 == n)
			break;
		if (h.actor >= the_world->nactors || !actor_enabled(the_world->actor[h.actor]))
			wrong();
		a = the_world->actor[h.actor];
		f->in.at = 0;
		d->x->inner = &f->in;
		room = search_mark_set(d->sim, &f->mark, a, room);
		f->stepping = true;
		if (a->id != h.last)
			a->forgets = a->laps = 0;
		search_step(d->sim, a);
		if (f->in.at != h.answers || d->sim->stopping)
			wrong();
	}
	d->first = 0;
	f = &d->frame[d->depth];
	if ((d->depth || f->h.at || f->h.had >= 0) &&
	    !table_has(d->table, id_here(d, f->actors, f->h.last))) {
		fprintf(stderr, "septsim: the states of this checkpoint have other keys here: the "
			"addresses of the program have moved\n");
		_exit(CREW_OTHER_KEYS);
	}
}

/* ---- a worker ---- */

static void look_up(struct dfs *d)
{
	struct crew *crew = d->c->crew;
	u64 bytes = (u64)(d->frame[d->depth].room - d->room) + d->depth * sizeof(struct frame) +
		    d->sim->undo.n * sizeof(struct undo_entry);

	mine(d)->frontier = 0;
	for (u32 i = 0; i <= d->depth; i++)
		mine(d)->frontier += d->frame[i].h.left > 1;
	if (crew_want(crew))
		crew_attend(d->c);
	if (crew->memory_limit &&
	    bytes * crew->workers + table_bytes(d->table) > crew->memory_limit)
		crew_bound(d->c, "memory");
	if (d->x->stop)
		crew_bound(d->c, "violation");
}

static void run(struct dfs *d)
{
	u32 beat = 0, want;

	while (!d->x->stop) {
		if (!forward(d)) {
			if (!d->depth)
				break;
			d->depth--;
			d->first = MIN(d->first, d->depth);
		}
		beat++;
		want = crew_want(d->c->crew);
		/* Whoever is hungry is given something now and then, as there may be nothing to give. */
		if (unlikely(want & ~(u32)CREW_HUNGRY || (want && !(beat & 63)) || !(beat & 1023)))
			look_up(d);
	}
	if (d->x->stop)
		look_up(d);
}

void crew_dfs(struct crew_self *c)
{
	const struct explore_options *opt = c->x->opt;
	struct dfs *d = g_new0(struct dfs, 1);
	int had;

	d->c = c;
	d->x = c->x;
	d->sim = c->x->sim;
	d->table = c->crew->table;
	d->bounded = opt->preemptions >= 0;
	d->laps = opt->laps ? opt->laps : LAPS;
	d->depth_max = (opt->depth ? opt->depth : DEPTH_DEFAULT) + 2;
	d->frame = reserve((u64)d->depth_max * sizeof(struct frame));
	d->room = reserve(ROOM_BYTES);
	d->room_end = d->room + ROOM_BYTES;
	c->ctx = d;
	while (crew_take(c)) {
		take_up(d, c->stretch);
		/* The very first: nobody has been at the start. */
		if (!d->depth && d->frame[0].h.had < 0 && !d->frame[0].h.at &&
		    claim(d, d->frame[0].actors, NO_ACTOR, d->frame[0].h.budget, &had) &&
		    !d->frame[0].h.left)
			leaf(d);
		c->stand = stand;
		c->share = share;
		run(d);
		c->stand = NULL;
		c->share = NULL;
		if (d->x->stop && c->me == 0)
			say_what_grows(d);
		unwind(d);
	}
	said(d);
	g_free(d);
}
