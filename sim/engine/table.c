// SPDX-License-Identifier: GPL-2.0-only
/*
 * See table.h. Linear probing: a probe's next slot is in the line at hand. A slot is taken by
 * writing its first half, and whoever finds it so waits the moment until the other is there.
 */
#include <sys/mman.h>

#include "sim/engine/priv.h"
#include "sim/engine/table.h"

#define SLOTS_MIN	(1ull << 12)
#define BYTES_MAX	(64ull << 30)
#define BUDGET_MAX	0xfffffffeu
#define HUGE_PAGE	(2ull << 20)

static void *map(u64 bytes, bool shared)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Slots, from where a huge page can begin. */
static void *area(u64 bytes, bool shared)
{
	char *p = map(bytes + HUGE_PAGE, shared);
	u64 before = -(u64)p & (HUGE_PAGE - 1);

	if (!p)
		return NULL;
	if (before)
		munmap(p, before);
	munmap(p + before + bytes, HUGE_PAGE - before);
	return p + before;
}

/*
 * Populated before it is touched: page faults cost more than the look-ups. These go everywhere,
 * so pages are huge where the host allows it; of what is shared few do.
 */
static void populate(void *p, u64 bytes)
{
	if (bytes >= HUGE_PAGE)
		madvise(p, bytes, MADV_HUGEPAGE);
#ifdef MADV_POPULATE_WRITE
	madvise(p, bytes, MADV_POPULATE_WRITE);	/* an old kernel refuses, and nothing is lost */
#endif
}

struct table *table_new(u64 bytes, bool shared)
{
	struct table *t = map(sizeof(*t), true);
	u64 most = SLOTS_MIN;

	if (!t)
		return NULL;
	/* While it grows both areas are there. */
	while (3 * most * sizeof(struct table_slot) <= (bytes ? bytes : BYTES_MAX))
		most *= 2;
	t->shared = shared;
	t->area_bytes = most * sizeof(struct table_slot);
	t->mask = MIN(SLOTS_MIN, most) - 1;
	for (int i = 0; i < 2; i++)
		t->area[i] = area(t->area_bytes, shared);
	if (t->area[0] && t->area[1]) {
		populate(t->area[0], table_bytes(t));
		return t;
	}
	table_free(t);
	return NULL;
}

void table_free(struct table *t)
{
	for (int i = 0; t && i < 2; i++)
		if (t->area[i])
			munmap(t->area[i], t->area_bytes);
	if (t)
		munmap(t, sizeof(*t));
}

/* Somebody has taken the slot and is about to say for what. */
static u64 rest_of(struct table_slot *s)
{
	u64 rest;

	while (!(rest = __atomic_load_n(&s->rest, __ATOMIC_ACQUIRE)))
		;
	return rest;
}

/* The slot is @id's: is @want more than what it had? */
static bool raise_budget(struct table_slot *s, u64 rest, u32 want, int *had)
{
	while ((u32)(rest >> 32) < want) {
		u64 more = (u64)want << 32 | (u32)rest;

		if (!__atomic_compare_exchange_n(&s->rest, &rest, more, false, __ATOMIC_ACQ_REL,
						 __ATOMIC_ACQUIRE))
			continue;
		*had = (int)(u32)(rest >> 32) - 1;
		return true;
	}
	*had = (int)(u32)(rest >> 32) - 1;
	return false;
}

bool table_claim(struct table *t, struct search_id id, u32 budget, int *had)
{
	struct table_slot *slot = t->area[t->now];
	u64 lo = id.lo ? id.lo : 1, i = lo & t->mask;
	u32 want = MIN(budget, BUDGET_MAX) + 1;

	for (;; i = (i + 1) & t->mask) {
		u64 there = __atomic_load_n(&slot[i].lo, __ATOMIC_ACQUIRE), rest;

		if (!there && __atomic_compare_exchange_n(&slot[i].lo, &there, lo, false,
							  __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
			__atomic_store_n(&slot[i].rest, (u64)want << 32 | id.hi,
					 __ATOMIC_RELEASE);
			*had = -1;
			return true;
		}
		if (there != lo)
			continue;
		rest = rest_of(&slot[i]);
		if ((u32)rest == id.hi)
			return raise_budget(&slot[i], rest, want, had);
	}
}

static struct table_slot *find(const struct table *t, struct search_id id)
{
	struct table_slot *slot = t->area[t->now];
	u64 lo = id.lo ? id.lo : 1, i = lo & t->mask, there;

	for (; (there = __atomic_load_n(&slot[i].lo, __ATOMIC_ACQUIRE)); i = (i + 1) & t->mask)
		if (there == lo && (u32)rest_of(&slot[i]) == id.hi)
			return &slot[i];
	return NULL;
}

bool table_has(const struct table *t, struct search_id id)
{
	return find(t, id) != NULL;
}

u32 table_get(const struct table *t, struct search_id id)
{
	return (u32)(find(t, id)->rest >> 32);
}

void table_set(struct table *t, struct search_id id, u32 meta)
{
	find(t, id)->rest = (u64)meta << 32 | id.hi;
}

void table_said(struct table *t, u64 states)
{
	__atomic_add_fetch(&t->used, states, __ATOMIC_RELAXED);
}

bool table_is_full(const struct table *t, u64 more)
{
	u64 slots = t->mask + 1;

	return __atomic_load_n(&t->used, __ATOMIC_RELAXED) + more > slots - slots / 4;
}

u64 table_bytes(const struct table *t)
{
	return (t->mask + 1) * sizeof(struct table_slot);
}

static bool may_grow(const struct table *t)
{
	return 2 * table_bytes(t) <= t->area_bytes;
}

void table_make_room(const struct table *t, u32 i, u32 n)
{
	char *to = (char *)t->area[!t->now];
	u64 bytes = 2 * table_bytes(t), first = bytes / n * i & ~(HUGE_PAGE - 1);

	if (!may_grow(t))
		return;
	populate(to + first, bytes - first);
	populate(to, first);
}

bool table_grow(struct table *t)
{
	struct table_slot *from = t->area[t->now], *to = t->area[!t->now];
	u64 old = t->mask + 1, mask = 2 * old - 1;

	if (!may_grow(t))
		return false;
	populate(to, 2 * table_bytes(t));
	for (u64 k = 0; k < old; k++) {
		u64 i = from[k].lo & mask;

		if (!from[k].lo)
			continue;
		while (to[i].lo)
			i = (i + 1) & mask;
		to[i] = from[k];
	}
	madvise(from, old * sizeof(*from), t->shared ? MADV_REMOVE : MADV_DONTNEED);
	t->now = !t->now;
	t->mask = mask;
	return true;
}
