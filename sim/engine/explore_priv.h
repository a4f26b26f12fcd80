/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What the rooms of the explorer share: the search in progress, marks of everything, the way
 * that has been taken.
 */
#include "sim/engine/explore.h"
#include "sim/engine/priv.h"
#include "sim/engine/rewind.h"

/* What a search left out, and so cannot speak of. */
struct left_out {
	s64 pruned;			/* switches, for want of budget */
	u32 tired;			/* rounds of a loop */
	u32 seldom;			/* places where others had been */
};

struct explore {
	struct sim *sim;
	const struct explore_options *opt;
	struct explore_result *res;
	struct left_out *out;
	struct inner *inner;		/* of the step being taken, see inner_pick() */
	u64 next_tick;			/* in transitions */
	bool stop;			/* the search is to end */
	bool enough;			/* as what was found is enough */
};

/* What is not one actor's: for looks that take no step. */
struct point {
	struct undo_mark undo;
	u64 seq, ring_count;
	u32 violations;
	bool stopping;
};

struct point point_set(struct sim *sim);
void point_back(struct sim *sim, const struct point *p);

void trail_add(struct trail *t, u16 v);
void trail_add_step(struct trail *t, const struct actor *a, const struct inner *in);

/* A rule is broken: keep it if it is a new one, and end the search unless it is to go on. */
u32 explore_note(struct explore *x, const struct trail *t);	/* which of those found it is */
bool explore_same(const struct explore_found *a, const struct explore_found *b);
struct explore_found *explore_found_new(struct sim *sim, const struct trail *t);
struct explore_found *explore_found_copy(const struct explore_found *f);

/* One execution has come to its end: @t says how (only asked for if a rule is broken). */
bool explore_any_enabled(struct sim *sim);

/* Is it time to say how far we are, and to hear whether to go on? */
void explore_tick(struct explore *x);

/* Each way is followed once more: it must lead there again, and its switches are counted. */
void explore_check(struct sim *sim, struct explore_result *res);
/* Are the steps between states to be kept, for edges_look()? */
static inline bool explore_wants_edges(const struct explore_options *opt)
{
	return opt->driver == EXPLORE_ALL && opt->livelock && opt->preemptions < 0 &&
	       !opt->focus && !opt->no_hash && !opt->no_reduction;
}

void explore_alone(struct explore *x);	/* in this process */
void explore_dfs(struct explore *x);
/* One search, of one driver but EXPLORE_MIX; what is found joins what @res has. */
void explore_once(struct sim *sim, const struct explore_options *opt, struct explore_result *res);
/* explore_settle - a search has ended: what was found is checked, its word is put */
void explore_settle(struct explore *x);
void explore_mix(struct sim *sim, const struct explore_options *opt, struct explore_result *res);
void explore_sample(struct explore *x);

/*
 * sleep.c. commute - do the next steps of @a and @b, both enabled here, give the same state
 * and the same results in either order? @room: for two stacks
 */
bool commute(struct explore *x, struct actor *a, struct actor *b, char *room);

/* verify.c: what comes after a state depends on nothing that its key leaves out */
struct verify;
struct verify *verify_new(u32 steps);
void verify_free(struct verify *v);
/* A state has been met, for the first time or again. @room: for stacks; it is left as it is */
void verify_state(struct explore *x, struct verify *v, struct search_id id, char *room,
		  const char *room_end);
u64 verify_count(const struct verify *v);
/* verify_put - what came after each state, as bytes; verify_get - go on from there */
void verify_put(const struct verify *v, GByteArray *to);
void verify_get(struct verify *v, const u8 *p, u64 n);
