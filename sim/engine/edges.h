/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The transitions between the states of a search, kept to look for ways that never end:
 * livelock (nobody gets anywhere, though everybody who could move does) and starvation
 * (others do, one moves and does not).
 */
#include "sim/engine/search.h"

struct explore;

struct edge {
	u32 from, to;
	u16 actor;
	bool progress, postponed;
};

/* In shared memory, where a leader reads what its worker writes. */
struct edges {
	struct edge *edge;
	struct search_id *id;	/* of state i + 1 */
	u64 n, room;
	u32 states, states_room;
	u64 bytes;		/* of address space, for each of both */
	/* while looking */
	u64 *first;		/* of state i: edges [first[i], first[i + 1]) */
	u32 *part;		/* component of each state, from 1 */
	u32 parts;
};

/* edges_new - for at most @bytes, 0: no limit; NULL if there is no address space */
struct edges *edges_new(u64 bytes);
void edges_free(struct edges *e);
u64 edges_bytes(const struct edges *e);

/* edges_state - number a new state, from 1 */
u32 edges_state(struct edges *e, struct search_id id);
/*
 * edges_add - @actor's step leads from @from to @to; did it get anywhere? @postponed: an
 * interrupt might have landed and did not, which no fair way does for ever
 */
void edges_add(struct edges *e, u32 from, u32 to, u16 actor, bool progress, bool postponed);

/* edges_look - all states are known: report into @x what never ends */
void edges_look(const struct edges *all, struct explore *x);
