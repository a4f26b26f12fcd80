/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Searches of every interleaving, and samples of them: drivers of choose() over one sim that
 * stands at its start (search_begin() has been called). What a result means is said by its
 * word: PROVED (every interleaving, within the program's own bounds), BOUNDED (every one with
 * at most so many preemptions, or as far as a limit let it), SAMPLED.
 *
 * Rests on docs/explore.md; the counts that must come out are in tests/engine/explore.c.
 */
#include <glib.h>

#include "sim/engine/search.h"

enum explore_driver {
	EXPLORE_ALL,		/* every interleaving, or every one of few preemptions */
	EXPLORE_RANDOM,		/* uniform at each step */
	EXPLORE_PCT,		/* random priorities, depth - 1 changes of them */
	/*
	 * All of it if it is small; else few switches first, then samples, then more of each, until
	 * all is known or somebody stops it. In an order that depends on nothing but counts.
	 */
	EXPLORE_MIX,
};

#define EXPLORE_JOBS_MAX	64u
#define EXPLORE_SAMPLES		10000u	/* executions of a sample, if nobody says how many */

struct explore_result;

struct explore_options {
	enum explore_driver driver;
	int preemptions;	/* EXPLORE_ALL: at most so many; negative: any number */
	/*
	 * With a bound on preemptions: whoever has gone round a loop so often without getting
	 * anywhere has to let others go on, which costs them nothing; 0: 8. Else a loop that
	 * leaves something behind each time (a count) would go on for ever at no cost.
	 */
	u32 laps;
	/*
	 * EXPLORE_ALL: what is known of the words at which actors meet; it is added to. With
	 * @focus others go on only before a step on such a word (not with store buffers): of what
	 * breaks a rule only the looks in between are lost. May be NULL.
	 */
	struct meets *meets;
	bool focus;
	/* With @focus: before a step of one line only so often in an operation; 0: always. */
	u32 often;
	bool no_hash;		/* EXPLORE_ALL: states are not remembered, sleep sets are used */
	bool no_reduction;	/* EXPLORE_ALL: not even those */
	u32 verify_key;		/* run sampled merges on for so many steps, both pasts; 0: no */
	/*
	 * EXPLORE_ALL: keep the edges, look for livelock and starvation when all are known. With a
	 * bound or a focus: for livelock alone, where a way comes back to a state of its own.
	 */
	bool livelock;
	u32 progress;		/* enum progress_kind: what counts as getting somewhere; 0: all */
	u64 seed;		/* of the samples */
	u32 pct_depth;		/* 0: 3 */
	u64 executions;		/* stop after so many; 0: EXPLORE_SAMPLES of a sample, else no limit */
	u64 states;		/* stop after so many; 0: no limit */
	u32 rounds;		/* EXPLORE_MIX: stop after so many; 0: no limit */
	u32 depth;		/* no execution goes deeper; 0: 1,000,000 steps */
	/*
	 * Processes that share the work, where it can be shared (explore_shares()); what comes
	 * out is the same for any number. 0: none, it is done here, and a model that crashes takes
	 * us along.
	 */
	u32 jobs;
	u64 memory_limit;	/* bytes of tables and stacks; 0: no limit */
	const char *checkpoint;	/* file to keep where it stands every few seconds; or NULL */
	const char *resume;	/* such a file, to go on from; or NULL. Both want jobs */
	u32 checkpoint_ms;	/* from one to the next; 0: 4,000 */
	/* What the search is of: the case and what was asked. In a checkpoint, and compared. */
	const char *identity;
	bool keep_going;	/* after a violation, too: distinct ones are collected ... */
	/* ... until this says that they are enough. May be NULL. */
	bool (*enough)(void *ctx, const struct explore_result *so_far);
	/* Called now and then; false ends the search (time is up, Ctrl-C). May be NULL. */
	bool (*tick)(void *ctx, const struct explore_result *so_far);
	/* After each step that broke no rule, if set: what a test looks at. */
	void (*step)(void *ctx);
	/* Each end of an execution, complete or broken. */
	void (*leaf)(void *ctx);
	/*
	 * With jobs: what step, leaf and listeners have gathered in a worker, as bytes; taken by the
	 * one who asked, once for each worker whose work counts. May be NULL.
	 */
	void (*give)(void *ctx, GByteArray *to);
	void (*take)(void *ctx, const u8 *p, u64 n);
	/*
	 * In a worker, at its start: what it comes to may be thrown away, so that all that it
	 * gathers is to come by give() and no other way. May be NULL.
	 */
	void (*apart)(void *ctx);
	void *ctx;
};

enum explore_word {
	EXPLORE_PROVED, EXPLORE_BOUNDED, EXPLORE_SAMPLED,
	EXPLORE_REPLAYED,	/* no search: one way was followed */
};

/*
 * A way through choose(): an actor's number, then TRAIL_INNER | answer for each choice inside
 * its step. What a search returns, replays and shrinks.
 */
#define TRAIL_INNER	0x8000u

struct trail {
	u16 *v;
	u32 n, loop;		/* loop: where a livelock's loop begins; n if there is none */
};

struct explore_found {
	const char *id;		/* of the check; interned by GLib */
	char *where, *text;
	char *site;		/* function that took the step: groups what --keep-going finds */
	struct trail trail;
	u64 executions;		/* how many had ended when it was found */
	u64 times;		/* as often as it was met, with the same id, where and site */
	u32 preemptions;
	s64 met;		/* when, by the host's monotonic clock, us */
	bool crash;		/* a process died in the last step of the trail: do not take it */
};

struct explore_result {
	enum explore_word word;
	const char *phase;	/* EXPLORE_MIX: what is going on, or was at the end */
	int switches_done;	/* EXPLORE_MIX: all ways with so few, where actors meet; -1: none */
	bool seldom;		/* with @often: a place was left out */
	u64 before;		/* EXPLORE_MIX: executions of the searches before the last */
	u64 before_transitions;
	const char *bounded_by;	/* "preemptions", "laps", "often", "states", "rounds", "time",
				 * "depth", "memory", "buffers", "interrupt", "violation", "checkpoint" (it
				 * could not be resumed: it has been said why); NULL: nothing */
	u64 executions;		/* complete ones: nobody could run, or a rule was broken */
	u64 blocked;		/* no_hash: given up, as all that could run was asleep */
	u64 states, transitions;
	u64 merges_verified;
	u32 depth;		/* of the longest path, steps */
	u64 table_bytes;	/* of states, and of edges if they were kept */
	u32 frontier;		/* while it goes on: states on the ways at hand with steps to take */
	char *grows;		/* a limit was met, and this took ever new values on the way: ... */
	u64 grown;		/* ... so many */
	u32 jobs;		/* processes that did it */
	GPtrArray *found;	/* struct explore_found, in the order in which they were met */
};

/* explore - search @sim, which ends as it began. Free the result with explore_result_free(). */
struct explore_result *explore(struct sim *sim, const struct explore_options *opt);
void explore_result_free(struct explore_result *r);

/* explore_waits - "; A waits for ..., B waits for ...": who stands still meanwhile. To be freed */
char *explore_waits(struct sim *sim);

/* explore_shares - can work of this kind be shared by jobs? */
bool explore_shares(const struct explore_options *opt);
void explore_found_free(gpointer found);

/*
 * explore_replay - follow @t from the start, then each actor on as far as it can go (of a way
 * that ends in a loop, no further)
 * @opt: its step and leaf are called; in leaf the sim still stands at the end
 * @taken: the trail that was really followed, to be freed; may be NULL
 *
 * Clocks count the steps from the start, so that what is drawn has a time to go by.
 *
 * Returns what was broken, or NULL; false in @possible (if not NULL) if the trail names an
 * actor that cannot run.
 */
struct explore_found *explore_replay(struct sim *sim, const struct explore_options *opt,
				     const struct trail *t, struct trail *taken, bool *possible);

/* Who says how one execution goes, step by step, where that is no trail yet. */
struct explore_guide {
	/*
	 * Who takes the next step, of those that can; @last took the last one, if any. NULL: from
	 * here on each goes on alone as far as it can, or, with @no_further, the way ends.
	 */
	struct actor *(*next)(void *ctx, struct actor *last, bool *no_further);
	u32 (*answer)(void *ctx, u32 n, enum choose_why why);	/* below @n */
	void *ctx;
};

/* explore_follow - the same along @guide; @taken: the way that it took */
struct explore_found *explore_follow(struct sim *sim, const struct explore_options *opt,
				     const struct explore_guide *guide, struct trail *taken);

/*
 * explore_is_same - are both one violation, as far as a shorter way to it goes? Of the same check
 * at the same place; in the same function, too, if @same_site, or if that is all the place it has.
 */
bool explore_is_same(const struct explore_found *a, const struct explore_found *b, bool same_site);

/* explore_shrink - a trail to the same violation with fewer switches and steps, in place */
void explore_shrink(struct sim *sim, struct explore_found *f, bool same_site, u64 tries);

/* trail_preemptions - switches from an actor that could have gone on */
u32 trail_switches(const struct trail *t);
void trail_free(struct trail *t);
