/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The leader's side of a crew: crew.c begins a search and adds up, crew_work.c has its
 * processes, crew_hear.c listens to them, crew_order.c puts samples in the order of their
 * numbers, crew_save.c keeps checkpoints. Internal to the crew.
 */
#include <sys/types.h>

#include "sim/engine/crew.h"

struct known {
	u32 found;		/* number in all that were found */
	u64 times;		/* as told last */
};

struct member {
	pid_t pid;
	int fd;
	GByteArray *heard;
	GArray *known;		/* struct known: its violations, as it numbers them */
	bool saved;		/* has answered the save that goes on */
	bool gone;
};

/* A sample that broke a rule. */
struct again {
	u64 execution;
	u32 found;		/* which */
};

struct leader {
	struct explore *x;
	struct crew *crew;
	pid_t self;
	struct member member[CREW_MAX];
	u32 running;
	u32 older;		/* violations that searches before this one had found */
	bool apart;		/* what it comes to may not count: nothing is counted yet */
	GByteArray *place;	/* of a mix: where that stands, for a checkpoint */
	struct checkpoint base;	/* what was done before, as a checkpoint says */
	GPtrArray *start;	/* GByteArray: stretches to start from */
	/* A save that goes on */
	GPtrArray *saving;
	GByteArray *saving_meets, *verified;
	gint64 saved_at;
	/* of samples: pieces done that are not the next, and what was broken in them */
	GHashTable *pieces;	/* by first execution: struct crew_piece */
	GArray *broken;		/* struct again */
	GByteArray *meets;	/* of all workers, for when the result is known to count */
	GPtrArray *given;	/* GByteArray, likewise */
	u64 prefix;		/* all executions below are done */
	u64 crashed;		/* first execution in which a worker died, ~0: none ... */
	struct explore_found *crash;	/* ... as it is to be reported */
	bool ended;		/* of samples: what counts is known */
	u8 buf[65536];
};

static inline bool leader_samples(const struct leader *l)
{
	return l->x->opt->driver != EXPLORE_ALL;
}

/* crew.c */
struct leader *leader_new(struct explore *x, u32 workers);
void leader_free(struct leader *l);
/* leader_begin - at the start, or where opt->resume stood. False: it has been said why not */
bool leader_begin(struct leader *l);
void leader_bound(struct leader *l, const char *by);	/* a limit: all stop */
void leader_want(struct leader *l, u32 set, u32 clear);	/* enum crew_want, of all workers */
void leader_add_up(struct leader *l, struct checkpoint *to);	/* all that was done so far */
struct explore_result leader_so_far(struct leader *l);	/* the same, for whoever watches */
/* leader_look - tell how far it is; is it to go on? leader_turn - after each leader_wait() */
void leader_look(struct leader *l, const struct explore_result *so_far);
void leader_turn(struct leader *l);
void leader_sum(struct leader *l);	/* the end: into its result */
void leader_keep_learned(struct leader *l);	/* what its workers have learned counts */

/* crew_work.c */
void leader_start(struct leader *l);	/* all of its workers */
void leader_is_gone(struct leader *l, u32 me);	/* a worker has ended, somehow */
void leader_kill(struct leader *l);	/* those that are left */

/* crew_hear.c. leader_wait - until somebody of @n leaders' workers speaks, or some time passes */
void leader_wait(struct leader *const *l, u32 n);

/* crew_order.c */
void order_piece(struct leader *l, struct crew_reader *r);
void order_again(struct leader *l, struct member *m, struct crew_reader *r);
void order_crash(struct leader *l, u64 execution, struct explore_found *f);
void order_next(struct leader *l);	/* count what can be counted */
void order_window(struct leader *l);	/* how far ahead workers may go */
void order_found(struct leader *l);	/* at the end: those that count, in order */

/* crew_save.c. save_turn - is it time, and has everybody said where they stand? */
void save_turn(struct leader *l);
