/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The depth-first search's inside: its path, and what its rooms share. explore_dfs.c walks,
 * dfs_states.c remembers where it has been, dfs_focus.c says where others may come between,
 * dfs_loops.c finds ways without an end, dfs_work.c makes a worker of it: work is given away,
 * kept in a checkpoint, and taken up.
 */
#include "sim/engine/crew.h"
#include "sim/engine/edges.h"
#include "sim/engine/explore_priv.h"
#include "sim/engine/table.h"

#define NO_ACTOR	0xffffu
#define ON_PATH		0x80000000u	/* in a slot's meta, where budgets are small */
#define DFS_LOOKS	8u		/* from one count of the frontier to the next */

/* What of a state on the path is kept in a stretch of work. */
struct frame_head {
	u64 asleep;		/* no_hash: actors whose step need not be taken here */
	u64 offered;		/* focus: of the actor that took the step, after it */
	u32 left;		/* actors from @at on that can go on and have not */
	u32 steps;		/* taken from here: 1, or with focus several of one actor */
	int budget, had;	/* preemptions left; when it was expanded before, -1: never */
	u16 at;			/* whose turn it is: see actor_at() */
	u16 last;		/* who moved last and could go on; NO_ACTOR: nobody */
	u16 only, not;		/* focus: the one actor whose step is enough; who has been stepped */
	u16 actor;		/* who took the step from here to the next state */
	u8 given;		/* others do the rest: only that step is ours */
	u8 answers;		/* in it */
	u8 widen;		/* its one step closes a loop: the others' must not wait for ever */
	u8 later, postponed;	/* of the interrupts in the step: see struct inner */
	u8 stepped;		/* somebody has taken a step from here */
	u8 fill[4];
};

/* A state on the path, and the step being taken from it. */
struct frame {
	struct search_mark mark;
	struct inner in;
	struct search_id id;	/* of the state, unless no_hash */
	struct search_id actors;	/* the actors' part of it */
	char *room;		/* where the copy of the next stack goes */
	u64 enabled;		/* loops: actors that can go on here */
	struct frame_head h;
	u32 before;		/* steps from the start to here */
	u32 number;		/* of the state, with edges */
	bool progress;		/* loops: the step taken gets somewhere */
	bool stepping;		/* it has been taken, and is to be taken back */
};

/* What a step did to a state's key when it was last taken: likely what it does next time. */
struct effect {
	u64 actors, world;
};

#define EFFECTS		512u	/* by what the actor remembers */

struct dfs {
	struct explore *x;
	struct sim *sim;
	struct crew_self *c;	/* a worker of a crew; NULL: alone */
	struct frame *frame;
	u32 depth, depth_max;
	u32 first;		/* no frame above this one has anything to give away */
	char *room, *room_end;
	u32 beat;		/* times that it went on or back */
	bool hash, sleep, bounded, focus, loops;
	bool plain;		/* a transition is a step, and nothing is to be known of it */
	bool grown;		/* it has been said what grows */
	u32 laps;
	u32 unsaid;		/* states that the table's count does not have yet */
	u32 looks;		/* from the path at what else there is to do */
	struct effect effect[EFFECTS];
	struct table *table;
	struct edges *edges;
	struct verify *verify;
};

/* What counts as getting somewhere. */
static inline u32 dfs_progress(const struct dfs *d)
{
	return d->x->opt->progress ? d->x->opt->progress : ~0u;
}

/* explore_dfs.c */
struct dfs *dfs_new(struct explore *x, struct crew_self *c);
void dfs_free(struct dfs *d);
void dfs_root(struct dfs *d);		/* the path is the start, where nobody has been */
/* On and back until all is done (false), something ends it, or it is time to look up. */
bool dfs_on(struct dfs *d);
void dfs_unwind(struct dfs *d);		/* back to the start, whatever ended it */
/* dfs_push - go down to the state that is here now */
void dfs_push(struct dfs *d, struct frame_head h, char *room);
/* dfs_follow - the step of @a from @f as a kept way has it; returns where the next stack goes */
char *dfs_follow(struct dfs *d, struct frame *f, struct actor *a);
void dfs_take_back(struct dfs *d, struct frame *f);
u32 dfs_enabled(void);			/* how many can go on here */
/* States of the path that have steps to take: it may be long, so not at each look. */
u32 dfs_frontier(const struct dfs *d);
void dfs_limit(struct dfs *d, const char *by, bool stop);
/* dfs_add_steps - what was taken from @f, to the end of @t */
void dfs_add_steps(const struct frame *f, struct trail *t);

/* dfs_states.c */
/* Is the state that is here ours to expand with the budget of @h? What was done of it before. */
bool dfs_claim(struct dfs *d, struct frame_head *h);
/* dfs_expect - steps from here, where nobody has been, will lead to states to be looked up */
void dfs_expect(struct dfs *d);
bool dfs_was_claimed(struct dfs *d, u16 last);	/* by anybody */
bool dfs_is_on_path(const struct dfs *d, const struct frame_head *h);	/* not claimed for that */
void dfs_mark_path(struct dfs *d, const struct frame *f, bool on);
void dfs_look_at_memory(struct dfs *d);
void dfs_said(struct dfs *d);		/* the table's count has all of ours */
/* A search that had to stop may have no end: which word took the most values on the way? */
void dfs_say_what_grows(struct dfs *d);

/* dfs_focus.c */
bool dfs_is_tired(const struct dfs *d, u16 last);	/* it has gone round; others have to go on */
/* Focus: an actor whose step here commutes with all that the others will do; or NO_ACTOR. */
u16 dfs_only_one(const struct dfs *d, u16 last);
/* One step of @a, or @steps; 0: with focus all that follow until somebody else matters. */
void dfs_take_steps(struct dfs *d, struct frame *f, struct actor *a, u32 steps);
/* dfs_follow_steps - those of a way that was kept, as they were then */
void dfs_follow_steps(struct dfs *d, struct frame *f, struct actor *a);

/* dfs_loops.c */
/* The step from frame @f leads to a state that the path has been in. */
void dfs_came_back(struct dfs *d, struct frame *f);
/* @a is tired: does it go on all the same, as nobody can relieve it? */
bool dfs_goes_on_alone(struct dfs *d, const struct frame *f, const struct actor *a);
