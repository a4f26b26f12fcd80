// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of visited states. Linear probing: a probe's next slot is in the line at hand.
 */
#include <sys/mman.h>

#include "sim/engine/priv.h"
#include "sim/engine/visited.h"

#define SLOTS_MIN	(1ull << 12)

static struct visited_slot *slots_new(u64 n)
{
	void *p = mmap(NULL, n * sizeof(struct visited_slot), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED)
		sim_die("no memory for a table of %llu states", (unsigned long long)n);
	return p;
}

static u64 lo_of(struct search_id id)
{
	return id.lo ? id.lo : 1;
}

static struct visited_slot *probe(const struct visited *v, u64 lo, u32 hi)
{
	u64 i = lo & v->mask;

	while (v->slot[i].lo && (v->slot[i].lo != lo || v->slot[i].hi != hi))
		i = (i + 1) & v->mask;
	return &v->slot[i];
}

static void grow(struct visited *v)
{
	struct visited old = *v;

	v->mask = 2 * old.mask + 1;
	v->slot = slots_new(v->mask + 1);
	for (u64 i = 0; i <= old.mask; i++)
		if (old.slot[i].lo)
			*probe(v, old.slot[i].lo, old.slot[i].hi) = old.slot[i];
	munmap(old.slot, (old.mask + 1) * sizeof(*old.slot));
}

void visited_init(struct visited *v, u64 states)
{
	u64 n = SLOTS_MIN;

	while (n - n / 4 < states)
		n *= 2;
	*v = (struct visited){ .slot = slots_new(n), .mask = n - 1 };
}

void visited_fini(struct visited *v)
{
	if (v->slot)
		munmap(v->slot, visited_bytes(v));
	v->slot = NULL;
}

struct visited_slot *visited_at(struct visited *v, struct search_id id, bool *fresh)
{
	struct visited_slot *s = probe(v, lo_of(id), id.hi);

	*fresh = !s->lo;
	if (s->lo)
		return s;
	if (visited_is_full(v)) {
		grow(v);
		s = probe(v, lo_of(id), id.hi);
	}
	v->n++;
	*s = (struct visited_slot){ .lo = lo_of(id), .hi = id.hi };
	return s;
}

struct visited_slot *visited_find(const struct visited *v, struct search_id id)
{
	struct visited_slot *s = probe(v, lo_of(id), id.hi);

	return s->lo ? s : NULL;
}
