/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The depth-first search's inside: its path, and what its rooms share. explore_dfs.c walks,
 * dfs_focus.c says where others may come between, dfs_loops.c finds ways without an end.
 */
#include "sim/engine/edges.h"
#include "sim/engine/explore_priv.h"

#define NO_ACTOR	0xffffu
#define ON_PATH		0x80000000u	/* in a slot's meta, where budgets are small */

/* A state on the path, and the step being taken from it. */
struct frame {
	struct search_mark mark;
	struct inner in;
	char *room;		/* where the copy of the next stack goes */
	u64 asleep;		/* no_hash: actors whose step need not be taken here */
	struct search_id id;	/* loops: of the state */
	struct search_id actors;	/* the actors' part of the state's id */
	u64 enabled;		/* loops: actors that can go on here */
	u32 before;		/* steps from the start to here */
	u32 steps;		/* taken from here: 1, or with focus several of one actor */
	bool progress;		/* loops: the step taken gets somewhere */
	bool widen;		/* its one step closes a loop: the others' must not wait for ever */
	u16 only, not;		/* focus: the one actor whose step is enough; who has been stepped */
	u32 number;		/* of the state, with edges */
	int budget;		/* preemptions left */
	u16 at;			/* whose turn it is: see actor_at() */
	u16 last;		/* who moved last and could go on; NO_ACTOR: nobody */
	bool stepping;		/* it has been taken, and is to be taken back */
};

struct dfs {
	struct explore *x;
	struct sim *sim;
	struct frame *frame;
	u32 depth, depth_max;
	char *room, *room_end;
	bool hash, sleep, bounded, focus, loops;
	u32 laps;
	struct visited seen;
	struct edges *edges;
	struct verify *verify;
};

/* dfs_add_steps - what was taken from @f, to the end of @t */
void dfs_add_steps(const struct frame *f, struct trail *t);

/* dfs_focus.c */
bool dfs_is_tired(const struct dfs *d, u16 last);	/* it has gone round; others have to go on */
/* Focus: an actor whose step here commutes with all that the others will do; or NO_ACTOR. */
u16 dfs_only_one(const struct dfs *d, u16 last);
/* The step of @a, and with focus all that follow until somebody else matters. */
void dfs_take_step(struct dfs *d, struct frame *f, struct actor *a);

/* dfs_loops.c */
/* The step from frame @f leads to a state that the path has been in. */
void dfs_came_back(struct dfs *d, struct frame *f);
/* @a is tired: does it go on all the same, as nobody can relieve it? */
bool dfs_goes_on_alone(struct dfs *d, const struct actor *a);
