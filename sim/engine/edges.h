/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The transitions between the states of a search, kept to look for ways that never end:
 * livelock (nobody gets anywhere, though everybody who could move does) and starvation
 * (others do, one moves and does not).
 */
#include "sim/engine/search.h"

struct edges;
struct explore;

struct edges *edges_new(void);
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
void edges_look(struct edges *e, struct explore *x);
