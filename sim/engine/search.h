/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What a search is made of: take a step of one actor, and take it back. A snapshot is a
 * mark in the undo log plus the live stack of the one actor that is about to run. With it,
 * a plain depth-first search over choose() (dfs.c): the explorer's oracle, and the engine's
 * own golden tests. Wants SCHED_CHOOSE, keyed, untimed, fibers or pthreads.
 *
 * A violation ends an execution; an undo takes it back (leaf() sees it: check_fatal()).
 */
#include "sim/engine/choose.h"
#include "sim/engine/sim.h"

/* search_begin - run each actor up to its first step (which is not taken) */
void search_begin(struct sim *sim);

/*
 * search_take_over - a run in virtual time that has come to rest (its rows are played) goes
 * on as a search: time ends, schedules are chosen. search_begin() comes next.
 */
void search_take_over(struct sim *sim);

/* search_end - nobody is enabled: deadlock, or what check_at_end() looks at; no step */
void search_end(struct sim *sim);

struct search_mark {
	struct actor *actor;
	char *stack;		/* copy of its live stack */
	size_t bytes;
	struct actor saved;	/* only what a step changes: down to name */
	u64 undo_length, undo_hash, undo_hash_hi, seq, steps, ring_count;
	u32 nblocked, violations, box;
	bool stopping;
};

/* The way being tried, for whoever comes to look when this process has died of it. */
struct search_box {
	const struct site *site;	/* of the step that is being taken */
	u32 n, room;
	u16 v[];		/* as in struct trail */
};

static inline void search_box_add(struct search_box *box, u16 v)
{
	if (box && box->n < box->room)
		box->v[box->n++] = v;
}

/*
 * search_mark_set - remember everything that a step of @a may change; its live stack is
 * copied to @room, which must hold WORLD_STACK_SIZE bytes. Returns the end of the copy.
 */
char *search_mark_set(struct sim *sim, struct search_mark *m, struct actor *a, char *room);
/* search_copy_stack - plainly: ASan's memcpy would report the red zones that lie on a stack */
void search_copy_stack(void *to, const void *from, size_t n);
/* search_step - @a, which must be enabled, takes the step that it stands at */
void search_step(struct sim *sim, struct actor *a);
/* search_undo - back to @m, the latest mark not yet undone */
void search_undo(struct sim *sim, const struct search_mark *m);

/* search_key - the state's key: world hash plus a mix of each actor's key and next step */
u64 search_key(struct sim *sim);

/* The same with 96 bits, for tables that forget the state itself. */
struct search_id {
	u64 lo;
	u32 hi;
};

struct search_id search_id(struct sim *sim);

/*
 * search_actors - the actors' part of it, and search_actors_after - the same when the actor of
 * @m has taken a step since @m was set, where it was @before; search_id_of - with the world's
 */
struct search_id search_actors(struct sim *sim);
struct search_id search_actors_after(struct sim *sim, const struct search_mark *m,
				     struct search_id before);
struct search_id search_id_of(const struct sim *sim, struct search_id actors);

/* The choices inside one step (interrupt now or later, a deadline), counted up in turn. */
#define INNER_MAX	32

struct inner {
	u8 n[INNER_MAX], v[INNER_MAX];
	u8 len, at;
	bool later;		/* no interrupt lands in this step, and nobody is asked */
	bool postponed;		/* one might have landed, and did not */
};

/* inner_pick - a choose_driver's pick; @ctx: struct inner ** of the step being taken */
u32 inner_pick(struct sim *sim, void *ctx, u32 n, enum choose_why why);
/* inner_next - on to the next combination; false when all have been had */
bool inner_next(struct inner *in);

/* search_enabled - can @a take the step that it stands at? */
bool search_enabled(const struct actor *a);

/* search_progress - enum progress_kind bits: what somebody got to since this was asked last */
u32 search_progress(struct sim *sim);

struct search_dfs {
	/* Switches from an actor that could have gone on; negative: no bound. */
	int preemptions;
	/* At the end of each execution: nobody is enabled, or a check has failed. */
	void (*leaf)(void *ctx);
	bool (*step)(void *ctx);	/* after each step, if set; false: do not go on below this state */
	void *ctx;
	/* results */
	u64 executions, transitions;
	u32 depth;
};

/* search_dfs - every interleaving (every answer of choose()), by undoing */
void search_dfs(struct sim *sim, struct search_dfs *s);
