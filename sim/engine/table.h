/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The states that a search has been in, or several processes together: an open table of 16-byte
 * slots, claimed by compare-and-swap. It grows when all have come to rest.
 */
#include "sim/engine/search.h"

struct table_slot {
	u64 lo;			/* 0: free */
	u64 rest;		/* hi and budget + 1, in this order; 0: being filled */
};

/* Shared by all, the areas too if they are to be; at one address in each process. */
struct table {
	struct table_slot *area[2];	/* in turn: the one in use, and where it grows into */
	u64 area_bytes;
	u64 mask;
	u64 used;			/* states, give or take what workers have not yet said */
	u32 now;			/* which area */
	bool shared;
};

/*
 * table_new - for at most @bytes, 0: no limit; NULL if there is no address space
 * @shared: between processes that are forked later
 */
struct table *table_new(u64 bytes, bool shared);
void table_free(struct table *t);

/*
 * table_claim - is this process to expand @id with @budget left?
 * @had: the largest budget that it was claimed with before, -1: never. Each raise of the
 * budget is granted once.
 */
bool table_claim(struct table *t, struct search_id id, u32 budget, int *had);

/* table_has - has @id been claimed, with any budget? */
bool table_has(const struct table *t, struct search_id id);

/* table_get - of a claimed @id what stands for its budget, plus 1; table_set - alone, another */
u32 table_get(const struct table *t, struct search_id id);
void table_set(struct table *t, struct search_id id, u32 meta);

/* table_expect - @lo will be asked for soon: let its line come meanwhile */
static inline void table_expect(const struct table *t, u64 lo)
{
	__builtin_prefetch(&t->area[t->now][lo & t->mask]);
}

void table_said(struct table *t, u64 states);	/* so many more are in use */
/* table_is_full - should it grow before @more states come? */
bool table_is_full(const struct table *t, u64 more);
u64 table_bytes(const struct table *t);
/*
 * table_make_room - for table_grow(), which another process of a shared table is about to do, and
 * in this process, too. Number @i of @n begins elsewhere than the others.
 */
void table_make_room(const struct table *t, u32 i, u32 n);
/* table_grow - while nobody else touches it; false: it is as large as it may be */
bool table_grow(struct table *t);
