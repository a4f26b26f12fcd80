// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is the key whole? A state in 16 is run on for some steps, by a way that its key alone
 * decides, when it is first met; whenever it is met again by another way, the same is done
 * from there. If an actor remembers what its key has forgotten, the two ways part.
 */
#include <string.h>

#include "sim/engine/check.h"
#include "sim/engine/explore_priv.h"
#include "sim/engine/hash.h"
#include "sim/engine/rng.h"

#define SAMPLE	16u

struct verify {
	GHashTable *after;	/* key -> what came after it */
	u32 steps;
	u64 n;
};

struct verify *verify_new(u32 steps)
{
	struct verify *v = g_new0(struct verify, 1);

	v->after = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	v->steps = steps;
	return v;
}

void verify_free(struct verify *v)
{
	if (!v)
		return;
	g_hash_table_unref(v->after);
	g_free(v);
}

u64 verify_count(const struct verify *v)
{
	return v->n;
}

struct after {
	u64 key, after;
};

void verify_put(const struct verify *v, GByteArray *to)
{
	GHashTableIter it;
	gpointer key, after;

	g_byte_array_append(to, (const u8 *)&v->n, sizeof(v->n));
	g_hash_table_iter_init(&it, v->after);
	while (g_hash_table_iter_next(&it, &key, &after)) {
		struct after a = { *(u64 *)key, *(u64 *)after };

		g_byte_array_append(to, (const u8 *)&a, sizeof(a));
	}
}

void verify_get(struct verify *v, const u8 *p, u64 n)
{
	struct after a;

	if (n < sizeof(v->n))
		return;
	memcpy(&v->n, p, sizeof(v->n));
	for (p += sizeof(v->n), n -= sizeof(v->n); n >= sizeof(a); p += sizeof(a), n -= sizeof(a)) {
		memcpy(&a, p, sizeof(a));
		g_hash_table_insert(v->after, g_memdup2(&a.key, 8), g_memdup2(&a.after, 8));
	}
}

/* One step more, by @r's choice; below it the rest. Recursion: a mark a step. */
static u64 onward(struct explore *x, struct rng *r, u32 left, u64 fold, char *room,
		  const char *end)
{
	struct actor *list[ACTORS_MAX];
	u32 n = sched_enabled(x->sim, list);
	struct search_mark *mark;
	struct search_id id;
	struct inner in = { .len = 0 };

	if (!left || !n || room + 2 * WORLD_STACK_SIZE > end)
		return hash_fold(fold, n, left);
	mark = (struct search_mark *)room;
	room += (sizeof(*mark) + 63) & ~63ul;
	room = search_mark_set(x->sim, mark, list[rng_below(r, n)], room);
	x->inner = &in;
	search_step(x->sim, mark->actor);
	id = search_id(x->sim);
	/* What broke before, and was tolerated, is no part of the state. */
	fold = hash_fold(hash_fold(fold, id.hi, id.lo), n,
			 x->sim->violations->len - mark->violations);
	if (!x->sim->stopping)
		fold = onward(x, r, left - 1, fold, room, end);
	search_undo(x->sim, mark);
	return fold;
}

static void differs(struct explore *x, struct search_id id)
{
	struct point p = point_set(x->sim);
	struct trail none = { 0 };

	check_fail("key", "", "a state of key %08x%016llx goes on in two ways: an actor remembers "
		   "what it said it had forgotten", id.hi, (unsigned long long)id.lo);
	explore_note(x, &none);
	point_back(x->sim, &p);
}

void verify_state(struct explore *x, struct verify *v, struct search_id id, char *room,
		  const char *room_end)
{
	u64 *known, now, key = id.lo ^ (u64)id.hi << 32;
	struct inner *inner = x->inner;
	struct rng r;

	if (key % SAMPLE)
		return;
	rng_seed(&r, key);
	now = onward(x, &r, v->steps, 0, room, room_end);
	x->inner = inner;
	known = g_hash_table_lookup(v->after, &key);
	if (!known) {
		g_hash_table_insert(v->after, g_memdup2(&key, 8), g_memdup2(&now, 8));
		return;
	}
	v->n++;
	if (*known != now)
		differs(x, id);
}
