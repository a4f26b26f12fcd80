// SPDX-License-Identifier: GPL-2.0-only
/*
 * Showing a way without an end: the shortest stem into a part of the graph, a loop in it in which
 * everybody who must moves does, followed again as a trail and reported.
 */
#include "sim/engine/check.h"
#include "sim/engine/edges_priv.h"

/* The edge by which a breadth-first walk first came to each state; 0: not reached. */
struct bfs {
	u64 *by;
	u32 *queue;
	u32 head, tail;
};

static void bfs_start(struct bfs *b, const struct edges *e, u32 from)
{
	b->by = g_new0(u64, e->states + 1);
	b->queue = g_new(u32, e->states + 1);
	b->head = b->tail = 0;
	b->queue[b->tail++] = from;
	b->by[from] = ~0ull;
}

static void bfs_free(struct bfs *b)
{
	g_free(b->by);
	g_free(b->queue);
}

/* Edges from the start of @b to @s, put behind @way. */
static void way_to(const struct edges *e, const struct bfs *b, u32 s, GArray *way)
{
	guint at = way->len;

	while (b->by[s] != ~0ull) {
		u64 i = b->by[s] - 1;

		g_array_insert_val(way, at, i);
		s = e->edge[i].from;
	}
}

/*
 * From @from to the first edge that @want (by @l, within @part if not 0) accepts, in the
 * fewest steps; the edge itself too. Returns where it ends, 0 if there is none.
 */
static u32 shortest(const struct look *l, u32 from, u32 part,
		    bool (*want)(const struct edge *d, const void *ctx), const void *ctx,
		    GArray *way)
{
	struct edges *e = l->e;
	struct bfs b;
	u32 end = 0;

	bfs_start(&b, e, from);
	while (b.head < b.tail && !end) {
		u32 s = b.queue[b.head++];

		for (u64 i = e->first[s]; i < e->first[s + 1] && !end; i++) {
			const struct edge *d = &e->edge[i];

			if (part && (!edges_count(l, d) || e->part[d->to] != part))
				continue;
			if (want(d, ctx)) {
				way_to(e, &b, s, way);
				g_array_append_val(way, i);
				end = d->to;
			} else if (!b.by[d->to]) {
				b.by[d->to] = i + 1;
				b.queue[b.tail++] = d->to;
			}
		}
	}
	bfs_free(&b);
	return end;
}

struct aim {
	const struct edges *e;
	u32 part, state;
	u16 actor;
};

static bool into_part(const struct edge *d, const void *ctx)
{
	const struct aim *a = ctx;

	return a->e->part[d->to] == a->part;
}

static bool by_actor(const struct edge *d, const void *ctx)
{
	return d->actor == ((const struct aim *)ctx)->actor;
}

static bool gets_on(const struct edge *d, const void *ctx)
{
	return d->progress;
}

static bool to_state(const struct edge *d, const void *ctx)
{
	return d->to == ((const struct aim *)ctx)->state;
}

/* A closed way in @part from @s in which everybody who must moves does. */
static void loop_of(const struct look *l, const struct part *p, u32 s, GArray *way)
{
	struct aim aim = { l->e, l->e->part[s], s, 0 };
	u32 at = s;

	for (u32 i = 0; i < ACTORS_MAX; i++) {
		guint done = way->len;
		bool moved = false;

		if (!(edges_has(p->always, i) || (int)i == l->starved))
			continue;
		for (guint k = 0; k < done && !moved; k++)
			moved = l->e->edge[g_array_index(way, u64, k)].actor == i;
		aim.actor = (u16)i;
		if (!moved)
			at = shortest(l, at, aim.part, by_actor, &aim, way);
	}
	if (l->starved >= 0)
		at = shortest(l, at, aim.part, gets_on, &aim, way);
	if (at != s || !way->len)
		shortest(l, at, aim.part, to_state, &aim, way);
}

/*
 * Edges as a trail: the choices inside a step are those that lead to the edge's state. The
 * sim is left at the end of the way.
 */
static void follow(struct explore *x, struct edges *e, const GArray *way, struct trail *t)
{
	char *room = g_malloc(WORLD_STACK_SIZE);

	for (guint i = 0; i < way->len; i++) {
		const struct edge *d = &e->edge[g_array_index(way, u64, i)];
		struct actor *a = the_world->actor[d->actor];
		struct inner in = { .len = 0 };
		struct search_mark mark;
		struct search_id id;

		x->inner = &in;
		for (;;) {
			in.at = 0;
			search_mark_set(x->sim, &mark, a, room);
			search_step(x->sim, a);
			id = search_id(x->sim);
			if (id.lo == e->id[d->to - 1].lo && id.hi == e->id[d->to - 1].hi)
				break;
			search_undo(x->sim, &mark);
			if (!inner_next(&in))
				sim_die("a way of the search cannot be followed again");
		}
		trail_add_step(t, a, &in);
	}
	g_free(room);
}

static void names(const struct part *p, GString *s)
{
	for (u32 i = 0; i < the_world->nactors; i++)
		if (edges_has(p->moves, i) && !the_world->actor[i]->background)
			g_string_append_printf(s, "%s%s", s->len ? " " : "",
					       the_world->actor[i]->name);
}

static void report(const struct look *l, struct explore *x, const struct part *p, u32 s,
		   GArray *stem, GArray *loop)
{
	GString *who = g_string_new(NULL);
	struct trail t = { 0 };
	struct rewind *root;
	struct point point;
	u32 begins;
	char *waits;

	root = rewind_new(x->sim);
	follow(x, l->e, stem, &t);
	begins = t.n;
	follow(x, l->e, loop, &t);
	names(p, who);
	point = point_set(x->sim);
	waits = explore_waits(x->sim);
	if (l->starved < 0)
		check_fail("livelock", who->str, "after %u steps, %u more bring the same state back "
			   "and nobody got anywhere%s", stem->len, loop->len, waits);
	else
		check_fail("starvation", the_world->actor[l->starved]->name,
			   "after %u steps, %u more bring the same state back: %s moved and got "
			   "nowhere, others did", stem->len, loop->len,
			   the_world->actor[l->starved]->name);
	t.loop = begins;
	if (!check_is_tolerated(x->sim, l->starved < 0 ? "livelock" : "starvation"))
		explore_note(x, &t);
	g_free(waits);
	point_back(x->sim, &point);
	rewind_to(root);
	rewind_free(root);
	trail_free(&t);
	g_string_free(who, TRUE);
}

void edges_show(const struct look *l, struct explore *x, const struct part *p, u32 part)
{
	GArray *stem = g_array_new(FALSE, FALSE, sizeof(u64));
	GArray *loop = g_array_new(FALSE, FALSE, sizeof(u64));
	struct aim aim = { .e = l->e, .part = part };
	u32 s = 1;

	if (l->e->part[1] != part)
		s = shortest(l, 1, 0, into_part, &aim, stem);
	loop_of(l, p, s, loop);
	report(l, x, p, s, stem, loop);
	g_array_unref(stem);
	g_array_unref(loop);
}
