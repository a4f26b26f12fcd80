/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Searches in processes of their own: what a model that crashes ends is a process, and several
 * share the work. A worker is forked from the sim at its start, so it has the same addresses;
 * it says what it finds through a pipe, and keeps the way that it is on in shared memory, where
 * it can be read when it is dead. The table of states, the stretches of work that wait for
 * somebody, and how far each is are shared too.
 *
 * What comes out does not depend on how many there are: each transition of each state is
 * counted once, each execution of a sample has its own number, and of what several found first
 * one makes a search of its own. Internal to the explorer.
 */
#include <pthread.h>

#include "sim/engine/edges.h"
#include "sim/engine/explore_priv.h"
#include "sim/engine/table.h"

#define CREW_MAX	EXPLORE_JOBS_MAX
#define CREW_STRETCHES	16u		/* that wait for somebody */
#define STRETCH_BYTES	(1u << 18)	/* one that is longer is not given away */
#define BOX_ENTRIES	(8u << 20)
#define CREW_OTHER_KEYS	4		/* a worker's exit status */

/* What a worker says: a kind, a length, and so many bytes. */
enum crew_word {
	CREW_FOUND = 1,		/* a violation, the first of its kind here */
	CREW_AGAIN,		/* u64 execution of a sample, u32 which of its violations */
	CREW_TIMES,		/* u64 for each violation, at the end */
	CREW_STRETCH,		/* where it stands, for a checkpoint; empty: it has no work ... */
	CREW_MEETS_SO_FAR,	/* ... and what it has learned by then */
	CREW_PIECE,		/* struct crew_piece: some executions of a sample are done */
	CREW_BUFFERS,		/* what was learned of words, tso.c ... */
	CREW_MEETS,		/* ... and meets.c */
	CREW_GIVEN,		/* what the one who asked has gathered */
	CREW_VERIFIED,		/* verify.c, for a checkpoint */
	CREW_GROWS,		/* struct crew_grows and a name: what took ever new values */
};

struct crew_piece {
	u64 from, n;
	u64 transitions;
	u32 depth;
	u32 cut;		/* so many were too long */
};

struct crew_grows {
	u64 values;
};

/* Asked of all workers; they look up after each step. */
enum crew_want {
	CREW_STOP	= 1 << 0,
	CREW_GROW	= 1 << 1,	/* come to rest: the table grows */
	CREW_SAVE	= 1 << 2,	/* say where you stand, and rest until it is written */
	CREW_HUNGRY	= 1 << 3,	/* somebody has nothing to do */
	CREW_DONE	= 1 << 4,	/* nobody has */
};

struct crew_worker {
	struct explore_result res;	/* its numbers, so far */
	struct left_out out;
	u32 frontier;			/* steps on its way that it has still to take */
	u64 execution;			/* of a sample: the one that it is in */
	u32 saved;			/* the last save that it has answered */
	struct search_box *box;
};

struct stretch {
	u32 bytes;
	u8 data[STRETCH_BYTES];
};

/* In shared memory. */
struct crew {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	u32 workers, idle, arrived;	/* locked */
	u32 want;			/* enum crew_want; changed locked, looked at without */
	u32 grown, saves;		/* how often */
	const char *bounded_by;		/* the first limit that was met; a literal */
	u32 waiting;			/* stretches; locked */
	struct stretch *stretch;	/* CREW_STRETCHES */
	struct table *table;
	struct edges *edges;		/* of one worker, or NULL */
	u64 memory_limit;
	/* of samples */
	u64 next, window;		/* the next execution to be dealt out; none beyond the window */
	u32 longest;			/* of the pilots */
	struct crew_worker worker[CREW_MAX];
};

/* crew.c, the leader's side: @x's result is filled in */
void crew_search(struct explore *x);

/* Both sides */
void *crew_shared(u64 bytes);
void crew_lock(struct crew *crew);
void crew_put(GByteArray *to, const void *p, u64 n);
void crew_put_text(GByteArray *to, const char *s);

/* What is read of bytes that somebody has said or that were in a file. */
struct crew_reader {
	const u8 *p, *end;
	bool broken;
};

void crew_get(struct crew_reader *r, void *to, u64 n);
char *crew_get_text(struct crew_reader *r);	/* to be freed; "" if broken */

void crew_put_found(GByteArray *to, const struct explore_found *f);
struct explore_found *crew_get_found(struct crew_reader *r);

/* The worker's side */
struct crew_self {
	struct crew *crew;
	u32 me;
	int fd;
	struct explore *x;
	u32 told;			/* violations that the leader knows */
	GByteArray *stretch;		/* the one taken up last */
	GPtrArray *backlog;		/* GByteArray: its own, from a checkpoint or the start */
	const GByteArray *verified;	/* from a checkpoint */
	/* Where it stands now, as a stretch. NULL: it works on none. */
	void (*stand)(struct crew_self *c, GByteArray *to);
	void (*verified_put)(struct crew_self *c, GByteArray *to);	/* NULL: nothing is */
	/* Give a part of it away, if it can. */
	bool (*share)(struct crew_self *c, GByteArray *to);
	void *ctx;
};

void crew_say(struct crew_self *c, enum crew_word word, const void *p, u64 n);
void crew_say_found(struct crew_self *c);	/* what is new */
void crew_say_end(struct crew_self *c);
void crew_attend(struct crew_self *c);	/* want is not 0 */
bool crew_take(struct crew_self *c);		/* the next stretch; false: there is none to come */
void crew_bound(struct crew_self *c, const char *by);	/* a limit: all stop */
void crew_ask_to_grow(struct crew_self *c, u64 more);	/* the table, unless so many fit */

static inline u32 crew_want(const struct crew *crew)
{
	return __atomic_load_n(&crew->want, __ATOMIC_RELAXED);
}

/* crew_deal - the first of the next @n executions; crew_beyond - is it too far ahead? */
static inline u64 crew_deal(struct crew *crew, u64 n)
{
	return __atomic_fetch_add(&crew->next, n, __ATOMIC_RELAXED);
}

static inline bool crew_beyond(const struct crew *crew, u64 execution)
{
	return execution >= __atomic_load_n(&crew->window, __ATOMIC_RELAXED);
}

void crew_dfs(struct crew_self *c);		/* dfs_work.c */
/* sample.c */
void crew_sample(struct crew_self *c);
void crew_sample_part(struct explore *x, u64 from, u64 to);

/* checkpoint.c */
struct checkpoint {
	struct explore_result res;	/* its numbers, and what was found */
	struct left_out out;
	u32 alone;			/* by one worker, as several had found something */
	u64 next;			/* of samples: the first execution not done */
	GPtrArray *stretch;		/* GByteArray */
	GByteArray *meets;		/* what was known of where actors meet */
	GByteArray *place;		/* of a mix: what it was in the middle of */
	GByteArray *verified;		/* verify_put() */
	GByteArray *buffers;		/* tso_put() */
};

/* checkpoint_write - beside @path, then in its place; false, with a message, if it cannot be */
bool checkpoint_write(const char *path, const char *identity, const struct checkpoint *c,
		      const struct table *t, const struct edges *e);
/*
 * checkpoint_read - NULL, with a message, if @path is not of this search and this binary
 * @t, @e: filled with its states and steps; NULL: they are not wanted
 */
struct checkpoint *checkpoint_read(const char *path, const char *identity, struct table *t,
				   struct edges *e);
void checkpoint_free(struct checkpoint *c);
