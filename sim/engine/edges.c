// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ways without an end, found when all states are known. A livelock is a strongly connected
 * part of the graph of steps that get nowhere, in which every actor that is enabled in all
 * of its states also moves (weak fairness: nobody is left standing for ever). Starvation of
 * X: the same among all steps but those in which X gets somewhere, X moving, others getting
 * somewhere. Tarjan's components, without recursion. The way into one is edges_way.c's.
 */
#include <string.h>
#include <sys/mman.h>

#include "sim/engine/edges_priv.h"

#define BYTES_MAX	(64ull << 30)

static void *shared(u64 bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

struct edges *edges_new(u64 bytes)
{
	struct edges *e = shared(sizeof(*e));

	if (!e)
		return NULL;
	e->bytes = (bytes ? bytes : BYTES_MAX) + (1u << 20);	/* it is looked at now and then */
	e->edge = shared(e->bytes);
	e->id = shared(e->bytes);
	e->room = e->bytes / sizeof(*e->edge);
	e->states_room = (u32)MIN(e->bytes / sizeof(*e->id), 0xfffffffeu);
	if (e->edge && e->id)
		return e;
	edges_free(e);
	return NULL;
}

void edges_free(struct edges *e)
{
	if (!e)
		return;
	if (e->edge)
		munmap(e->edge, e->bytes);
	if (e->id)
		munmap(e->id, e->bytes);
	munmap(e, sizeof(*e));
}

u64 edges_bytes(const struct edges *e)
{
	return e->n * sizeof(*e->edge) + e->states * sizeof(*e->id);
}

u32 edges_state(struct edges *e, struct search_id id)
{
	if (e->states == e->states_room)
		sim_die("more states than have numbers");
	e->id[e->states++] = id;
	return e->states;
}

void edges_add(struct edges *e, u32 from, u32 to, u16 actor, bool progress, bool postponed)
{
	if (e->n == e->room)
		sim_die("no room for more steps between states");
	e->edge[e->n++] = (struct edge){ from, to, actor, progress, postponed };
}

/* Sort by the state that they leave: a counting sort, so the order within one is kept. */
static void by_state(struct edges *e)
{
	struct edge *out = g_new(struct edge, e->n + 1);
	u64 *at;

	e->first = g_new0(u64, e->states + 2);
	for (u64 i = 0; i < e->n; i++)
		e->first[e->edge[i].from + 1]++;
	for (u32 s = 1; s < e->states + 2; s++)
		e->first[s] += e->first[s - 1];
	at = g_memdup2(e->first, (e->states + 2) * sizeof(u64));
	for (u64 i = 0; i < e->n; i++)
		out[at[e->edge[i].from]++] = e->edge[i];
	g_free(at);
	e->edge = out;
}

struct tarjan {
	u32 *index, *low, *stack, *work;
	u64 *next;
	u8 *on;
	u32 count, sp, wp;
};

static void enter(const struct look *l, struct tarjan *t, u32 s)
{
	t->index[s] = t->low[s] = ++t->count;
	t->next[s] = l->e->first[s];
	t->stack[t->sp++] = s;
	t->on[s] = 1;
	t->work[t->wp++] = s;
}

static void leave(const struct look *l, struct tarjan *t, u32 s)
{
	u32 m;

	t->wp--;
	if (t->wp && t->low[s] < t->low[t->work[t->wp - 1]])
		t->low[t->work[t->wp - 1]] = t->low[s];
	if (t->low[s] != t->index[s])
		return;
	l->e->parts++;
	do {
		m = t->stack[--t->sp];
		t->on[m] = 0;
		l->e->part[m] = l->e->parts;
	} while (m != s);
}

static void walk(const struct look *l, struct tarjan *t, u32 start)
{
	struct edges *e = l->e;

	enter(l, t, start);
	while (t->wp) {
		u32 s = t->work[t->wp - 1];
		const struct edge *d;

		if (t->next[s] == e->first[s + 1]) {
			leave(l, t, s);
			continue;
		}
		d = &e->edge[t->next[s]++];
		if (!edges_count(l, d))
			continue;
		if (!t->index[d->to])
			enter(l, t, d->to);
		else if (t->on[d->to] && t->index[d->to] < t->low[s])
			t->low[s] = t->index[d->to];
	}
}

static void components(const struct look *l)
{
	struct edges *e = l->e;
	u32 n = e->states + 1;
	struct tarjan t = {
		.index = g_new0(u32, n), .low = g_new0(u32, n), .stack = g_new(u32, n),
		.work = g_new(u32, n), .next = g_new0(u64, n), .on = g_new0(u8, n),
	};

	g_free(e->part);
	e->part = g_new0(u32, n);
	e->parts = 0;
	for (u32 s = 1; s < n; s++)
		if (!t.index[s])
			walk(l, &t, s);
	g_free(t.index);
	g_free(t.low);
	g_free(t.stack);
	g_free(t.work);
	g_free(t.next);
	g_free(t.on);
}

static void state_of_part(const struct look *l, struct part *p, u32 s)
{
	struct edges *e = l->e;
	u64 enabled[ACTORS_MAX / 64] = { 0 };

	for (u64 i = e->first[s]; i < e->first[s + 1]; i++) {
		const struct edge *d = &e->edge[i];

		enabled[d->actor / 64] |= 1ull << d->actor % 64;
		if (!edges_count(l, d) || e->part[d->to] != e->part[s])
			continue;
		p->moves[d->actor / 64] |= 1ull << d->actor % 64;
		p->edges++;
		p->progress |= d->progress;
	}
	for (u32 i = 0; i < ARRAY_SIZE(enabled); i++)
		p->always[i] = p->seen ? p->always[i] & enabled[i] : enabled[i];
	p->seen = true;
	p->states++;
}

static bool is_bad(const struct look *l, const struct part *p)
{
	if (!p->edges)
		return false;
	for (u32 i = 0; i < ARRAY_SIZE(p->always); i++)
		if (p->always[i] & ~p->moves[i])
			return false;
	if (l->starved >= 0)
		return p->progress && edges_has(p->moves, (u32)l->starved);
	return true;
}

/* The states of one component after those of another. */
static u32 *states_by_part(const struct edges *e)
{
	u64 *first = g_new0(u64, e->parts + 2);
	u32 *out = g_new(u32, e->states + 1);

	for (u32 s = 1; s <= e->states; s++)
		first[e->part[s] + 1]++;
	for (u32 i = 1; i < e->parts + 2; i++)
		first[i] += first[i - 1];
	for (u32 s = 1; s <= e->states; s++)
		out[first[e->part[s]]++] = s;
	g_free(first);
	return out;
}

/* The smallest bad component is what is reported: its loop says most plainly what goes on. */
static void look(const struct look *l, struct explore *x)
{
	struct edges *e = l->e;
	struct part *best = NULL, p = { 0 };
	u32 *states, of = 0;

	components(l);
	states = states_by_part(e);
	for (u32 i = 0; i < e->states; i++) {
		u32 s = states[i];

		state_of_part(l, &p, s);
		if (i + 1 < e->states && e->part[states[i + 1]] == e->part[s])
			continue;
		if (is_bad(l, &p) && (!of || p.states < best->states)) {
			g_free(best);
			best = g_memdup2(&p, sizeof(p));
			of = s;
		}
		memset(&p, 0, sizeof(p));
	}
	g_free(states);
	if (of)
		edges_show(l, x, best, e->part[of]);
	g_free(best);
}

void edges_look(const struct edges *all, struct explore *x)
{
	struct edges e = *all;
	struct look l = { &e, -1 };
	u32 actors = the_world->nactors;
	bool stop = x->stop;

	by_state(&e);
	look(&l, x);
	for (u32 i = 0; i < actors && (!x->stop || x->opt->keep_going); i++) {
		if (the_world->actor[i]->background)
			continue;
		l.starved = (int)i;
		look(&l, x);
	}
	x->stop |= stop;
	g_free(e.edge);
	g_free(e.first);
	g_free(e.part);
}
