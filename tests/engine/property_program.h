/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The random small programs of property.c: what they are made of, drawn and played.
 */
#include "sim/engine/line.h"
#include "sim/engine/rng.h"
#include "sim/engine/sim.h"

enum { LINES = 4, FLAGS = 8, ACTORS = 6, OPS = 24, SLOTS = 3 };

enum kind {
	K_READ, K_WRITE, K_CMPXCHG, K_XADD, K_XCHG, K_AND, K_OR, K_BTS, K_BTR, K_FENCE, K_COMPUTE,
	K_PLAIN,		/* the kinds up to here may stand anywhere */
	K_ALLOC = K_PLAIN, K_FREE, K_PAGE, K_PAGE_FREE,
	K_RANDOM,		/* ... up to here are drawn */
	K_CHOOSE = K_RANDOM, K_RELEASE, K_AWAIT, K_PARK, K_UNPARK,
};

struct op {
	u8 kind, size;		/* bytes */
	u16 at;			/* offset in words[], or flag, slot, actor */
	u64 a, b;
};

struct shared {
	u8 words[LINES * CACHE_LINE] __attribute__((aligned(64)));
	u64 flag[FLAGS] __attribute__((aligned(64)));
	u64 sink[ACTORS];	/* what each actor's steps returned, folded */
};

struct program {
	u32 actors, len[ACTORS];
	struct op op[ACTORS][OPS];
};

struct player {			/* record: one an actor */
	const struct program *p;
	struct shared *s;
	u32 id;
	u64 computed;		/* cycles since its last step */
};

/* program_append - @o as the last operation of @actor, if there is room */
void program_append(struct program *p, u32 actor, struct op o);
/*
 * program_draw - so many operations of so many actors, of the first @kinds
 * Written in the order of one run of it, so that at least that order does not deadlock; a
 * flag once set stays, so that then no other does.
 */
void program_draw(struct rng *r, struct program *p, u32 actors, u32 ops, u32 kinds, bool waits,
		  bool parks);
/* program_start - a sim whose actors play @p */
struct sim *program_start(const struct sim_options *opt, const struct program *p,
			  struct player *players, struct shared **s);
