// SPDX-License-Identifier: GPL-2.0-only
/*
 * Store buffers. A buffer is world; what has been learned of words is record.
 */
#include "sim/engine/tso.h"

#include <stdio.h>
#include <string.h>

#include "sim/engine/mem.h"
#include "sim/engine/priv.h"
#include "sim/engine/search.h"
#include "sim/engine/trace.h"
#include "sim/engine/tso_priv.h"
#include "sim/engine/undo.h"

#define BUFFER_MAX	8u

struct entry {
	u64 p, value, size;
	const struct site *site;
};

/* In the world, one an actor. */
struct store_buffer {
	u64 full;		/* 1: there is something to store; what the storer awaits */
	u64 n;
	struct entry e[BUFFER_MAX];
	u64 owner;		/* actor id + 1; 0: its stores are not buffered */
	u64 due;		/* 1: all of it is in memory before the next step */
};

/* Of a word, by 8 bytes: bits of actors that stored plainly, and that read. */
struct seen {
	u64 stores, reads;
	bool buffered;
};

static const void *word_of(const void *p)
{
	return (const void *)((u64)p & ~7ull);
}

static struct store_buffer *buffer_of(const struct sim *sim, const struct actor *a)
{
	struct store_buffer *b = sim->tso.buffer ? &sim->tso.buffer[a->id] : NULL;

	return b && b->owner ? b : NULL;
}

void tso_learn(struct sim *sim)
{
	if (!sim->tso.seen)
		sim->tso.seen = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
}

void tso_fini(struct sim *sim)
{
	if (sim->tso.seen)
		g_hash_table_unref(sim->tso.seen);
}

static struct seen *seen_of(struct sim *sim, const void *p)
{
	struct seen *s = g_hash_table_lookup(sim->tso.seen, word_of(p));

	if (s)
		return s;
	s = g_new0(struct seen, 1);
	g_hash_table_insert(sim->tso.seen, (void *)word_of(p), s);
	return s;
}

void tso_note(struct sim *sim, const struct actor *me, enum mem_op op, const void *p)
{
	struct seen *s;

	if (!p || me->id >= 64)
		return;
	s = seen_of(sim, p);
	if (op == MEM_WRITE)
		s->stores |= 1ull << me->id;
	else
		s->reads |= 1ull << me->id;
}

/* Does somebody else read what somebody stores? */
static bool is_shared(const struct seen *s)
{
	for (u32 i = 0; i < 64; i++)
		if (s->stores >> i & 1 && s->reads & ~(1ull << i))
			return true;
	return false;
}

/* ---- the buffer ---- */

static void to_memory(struct entry *e)
{
	u64 old = word_at((void *)e->p, (unsigned int)e->size);

	world_log((void *)e->p, e->size);
	mem_effect(MEM_WRITE, (unsigned int)e->size, (void *)e->p, e->value, 0);
	world_logged((void *)e->p, e->size);
	if (trace_on())
		trace_event(&(struct event){
			.type = EV_STEP, .op = MEM_WRITE, .site = e->site, .p = (void *)e->p,
			.size = (u8)e->size, .old = old, .value = e->value,
		});
}

static void store_oldest(struct store_buffer *b)
{
	struct entry e = b->e[0], none = { 0 };
	u64 n = b->n - 1;

	for (u64 i = 0; i < n; i++)
		world_set(b->e[i], b->e[i + 1]);
	world_set(b->e[n], none);
	world_set(b->n, n);
	if (!n)
		world_set(b->full, 0);
	to_memory(&e);
}

static void storer(void *arg)
{
	struct store_buffer *b = arg;

	for (;;) {
		actor_forget(0);
		mem_await64(&b->full, 1, 1);
		store_oldest(b);
	}
}

static void buffers_make(struct sim *sim)
{
	u32 n = the_world->nactors;
	char name[64];

	sim->tso.buffer = world_carve(ACTORS_MAX * sizeof(*sim->tso.buffer));
	for (u32 i = 0; i < n; i++) {
		struct actor *a = the_world->actor[i], *s;

		if (a->background)
			continue;
		world_set(sim->tso.buffer[i].owner, i + 1u);
		snprintf(name, sizeof(name), "%s's stores", a->name);
		s = actor_new(sim, name, a->lp, storer, &sim->tso.buffer[i]);
		actor_set(s->background, true);
		actor_set(s->storer, true);
	}
}

static void buffers_on(struct sim *sim)
{
	if (!sim->tso.buffer)
		buffers_make(sim);
	sim->tso.on = true;
	sched_refresh_modes(sim);
}

u32 tso_buffer(struct sim *sim)
{
	GHashTableIter it;
	gpointer p, v;
	u32 fresh = 0;

	buffers_on(sim);
	g_hash_table_iter_init(&it, sim->tso.seen);
	while (g_hash_table_iter_next(&it, &p, &v)) {
		struct seen *s = v;

		if (s->buffered || !is_shared(s))
			continue;
		s->buffered = true;
		fresh++;
	}
	return fresh;
}

static int by_address(gconstpointer a, gconstpointer b)
{
	return a < b ? -1 : a > b;
}

void tso_words(const struct sim *sim, void (*fn)(void *ctx, const void *p), void *ctx)
{
	GList *all = sim->tso.seen ? g_hash_table_get_keys(sim->tso.seen) : NULL;

	all = g_list_sort(all, by_address);
	for (GList *l = all; l; l = l->next) {
		const struct seen *s = g_hash_table_lookup(sim->tso.seen, l->data);

		if (s->buffered)
			fn(ctx, l->data);
	}
	g_list_free(all);
}

struct learned_head {
	u64 cut, on;
};

struct learned {
	u64 p, stores, reads;
	u64 buffered;
};

void tso_put(const struct sim *sim, GByteArray *to)
{
	struct learned_head h = { sim->tso.cut, sim->tso.on };
	GHashTableIter it;
	gpointer p, v;

	g_byte_array_append(to, (const u8 *)&h, sizeof(h));
	if (!sim->tso.seen)
		return;
	g_hash_table_iter_init(&it, sim->tso.seen);
	while (g_hash_table_iter_next(&it, &p, &v)) {
		const struct seen *s = v;
		struct learned l = { (u64)p, s->stores, s->reads, s->buffered };

		g_byte_array_append(to, (const u8 *)&l, sizeof(l));
	}
}

void tso_get(struct sim *sim, const u8 *p, u64 n)
{
	struct learned_head h;
	struct learned l;

	if (n < sizeof(h))
		return;
	memcpy(&h, p, sizeof(h));
	sim->tso.cut = MAX(sim->tso.cut, h.cut);
	for (p += sizeof(h), n -= sizeof(h); n >= sizeof(l); p += sizeof(l), n -= sizeof(l)) {
		struct seen *s;

		memcpy(&l, p, sizeof(l));
		s = seen_of(sim, (void *)l.p);
		s->stores |= l.stores;
		s->reads |= l.reads;
	}
}

void tso_go_on(struct sim *sim, const u8 *p, u64 n)
{
	struct learned_head h;
	struct learned l;

	tso_get(sim, p, n);
	if (n < sizeof(h))
		return;
	memcpy(&h, p, sizeof(h));
	for (u64 at = sizeof(h); at + sizeof(l) <= n; at += sizeof(l)) {
		memcpy(&l, p + at, sizeof(l));
		seen_of(sim, (void *)l.p)->buffered = l.buffered;
	}
	if (!h.on)
		return;
	buffers_on(sim);
	search_begin(sim);	/* the storers are new */
}

bool tso_buffers(const struct sim *sim)
{
	return sim->tso.on;
}

bool tso_learns(const struct sim *sim)
{
	return sim->tso.seen || sim->tso.on;
}

u64 tso_cut(const struct sim *sim)
{
	return sim->tso.cut;
}

/* ---- what the door asks ---- */

bool tso_store(struct sim *sim, struct actor *me, const struct pending *step)
{
	struct store_buffer *b = buffer_of(sim, me);
	const struct seen *s = b ? g_hash_table_lookup(sim->tso.seen, word_of(step->p)) : NULL;
	struct entry e = { (u64)step->p, step->a, step->size, step->site };

	if (!s || !s->buffered)
		return false;
	if (b->n == BUFFER_MAX) {
		sim->tso.cut++;
		store_oldest(b);
	}
	world_set(b->e[b->n], e);
	world_set(b->n, b->n + 1);
	world_set(b->full, 1);
	return true;
}

void tso_drain(struct sim *sim, struct actor *me)
{
	struct store_buffer *b = buffer_of(sim, me);

	while (b && b->n)
		store_oldest(b);
	if (b && b->due)
		world_set(b->due, 0);
}

bool tso_due(const struct sim *sim, const struct actor *me)
{
	const struct store_buffer *b = buffer_of(sim, me);

	return b && b->due;
}

bool tso_forward(struct sim *sim, struct actor *me, const struct pending *step, u64 *value)
{
	struct store_buffer *b = buffer_of(sim, me);
	u64 from = (u64)step->p, to = from + step->size;

	for (u64 i = b ? b->n : 0; i-- > 0;) {
		const struct entry *e = &b->e[i];

		if (to <= e->p || from >= e->p + e->size)
			continue;
		if (from < e->p || to > e->p + e->size) {
			tso_drain(sim, me);	/* a part of it: the load waits for the store */
			return false;
		}
		*value = e->value >> 8 * (from - e->p);
		if (step->size < 8)
			*value &= (1ull << 8 * step->size) - 1;
		return true;
	}
	return false;
}

u64 mem_peek_own(const void *p, unsigned int size)
{
	struct store_buffer *b = buffer_of(sim_self->sim, sim_self);
	u64 value = word_at(p, size);

	for (u64 i = 0; b && i < b->n; i++) {	/* oldest first, also in part */
		u64 from = MAX(b->e[i].p, (u64)p);
		u64 to = MIN(b->e[i].p + b->e[i].size, (u64)p + size);

		for (; from < to; from++)
			((u8 *)&value)[from - (u64)p] =
				(u8)(b->e[i].value >> 8 * (from - b->e[i].p));
	}
	return value;
}

void mem_drain(void)
{
	struct store_buffer *b = buffer_of(sim_self->sim, sim_self);

	/* Others may come in between this and the last step: it must not be part of that one. */
	if (b && b->n)
		world_set(b->due, 1);
}
