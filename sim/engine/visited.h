/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The states a search has been in: an open table of 16-byte slots, a 96-bit key and 32 bits
 * that the search may use. Populated before it is touched (page faults cost more than the
 * look-ups), doubled when three quarters are full.
 */
#include "sim/engine/search.h"

struct visited_slot {
	u64 lo;			/* 0: free */
	u32 hi;
	u32 meta;		/* the search's; 0 in a new slot */
};

struct visited {
	struct visited_slot *slot;
	u64 mask;
	u64 n;			/* slots in use */
};

/* visited_init - room for at least @states without growing; dies if there is no memory */
void visited_init(struct visited *v, u64 states);
void visited_fini(struct visited *v);

/*
 * visited_at - the slot of @id, made if it was not there (@fresh); good until the next call
 */
struct visited_slot *visited_at(struct visited *v, struct search_id id, bool *fresh);

/* visited_find - the slot of @id, NULL if it is not there */
struct visited_slot *visited_find(const struct visited *v, struct search_id id);

/* visited_is_full - the next state makes it grow: for a while it takes three times its bytes */
static inline bool visited_is_full(const struct visited *v)
{
	return v->n >= (v->mask + 1) - (v->mask + 1) / 4;
}

static inline u64 visited_bytes(const struct visited *v)
{
	return (v->mask + 1) * sizeof(struct visited_slot);
}
