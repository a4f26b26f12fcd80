/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What the engine's own files share and nobody else includes: the sim (record) and the
 * head of the world.
 */
#include <glib.h>
#include <pthread.h>
#include <signal.h>

#include "sim/engine/arena.h"
#include "sim/engine/carrier.h"
#include "sim/engine/check.h"
#include "sim/engine/choose.h"
#include "sim/engine/cost.h"
#include "sim/engine/hash.h"
#include "sim/engine/region.h"
#include "sim/engine/rng.h"
#include "sim/engine/script.h"
#include "sim/engine/sim.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

/* Slab classes: 1..16 lines one by one, then powers of two up to WORLD_ALLOC_MAX. */
#define SLAB_CLASSES	(16 + 16)
#define REGION_BUCKETS	4096

/* The head of the world, at world_base: everything here is taken back by a restore. */
struct world {
	u64 slab_next;			/* offset of the first byte never handed out */
	u64 slab_free[SLAB_CLASSES];	/* offset of a freed object, 0: none */
	u64 carve_next;
	u64 page_next;			/* hpa of the first page never handed out */
	u64 block_next, block_end;	/* hpas: the block that guests' pages come from */
	u64 page_free;			/* head of the free list: page number + 1 */
	u32 *page_link;			/* next of the free list, by page number */
	u32 nactors;
	struct actor *actor[ACTORS_MAX];
	struct actor root;
	struct region *regions;		/* all, newest first */
	const struct region_type *announced[REGIONS_ANNOUNCED];	/* have none yet, perhaps */
	struct region *large;		/* those that span pages, newest first */
	struct region *bucket[REGION_BUCKETS];
};

#define the_world ((struct world *)world_base)

struct undo_log {
	struct undo_entry *entry;
	u64 n, room;
	u64 hash, hash_hi;
	bool on;			/* one of these: a write is more than a write */
	bool hashed;			/* the world's hash is kept */
	bool keep;			/* the log is: a script wants the hash alone */
};

void undo_grow(struct undo_log *u, u64 n);	/* undo.c: room for @n entries */

/* undo_keep_old - log that @old stood in the word at @p until now */
static __always_inline void undo_keep_old(struct undo_log *u, void *p, u64 old)
{
	if (!u->keep)
		return;
	if (unlikely(u->n == u->room))
		undo_grow(u, u->n + 1);
	u->entry[u->n++] = (struct undo_entry){ p, old };
}

/* undo_keep - log the word at @p, of the record or the shadow, before it changes */
static __always_inline void undo_keep(struct undo_log *u, void *p)
{
	undo_keep_old(u, p, *(const u64 *)p);
}

/* undo_hash - take word @v at @p into the world's hash, or out of it */
static __always_inline void undo_hash(struct undo_log *u, const u64 *p, u64 v)
{
	struct hash_wide h = hash_word_wide((u64)p, v);

	u->hash ^= h.lo;
	u->hash_hi ^= h.hi;
}

/*
 * The clock's tournament: a leaf an actor, the least key wins; see sched.c. Aligned, so that two
 * that meet share a line of the host's.
 */
struct tournament {
	u64 node[2 * ACTORS_MAX] __attribute__((aligned(64)));
	u32 leaves;
};

struct last_write {
	u64 clock, seq;
	u16 actor;
};

struct script {
	struct script_row *row;
	u32 n, at;
	bool begun, met, stop_after, over;
	script_lap_fn loose;		/* NULL: unreachable rows are the end */
	bool tired, lapped;		/* loose: it spins; and a lap has ended since */
	struct actor *turn;		/* who goes on: the row's actor, or who helps it (loose) */
	u8 stuck[ACTORS_MAX];		/* loose: how often it waited or span since one got on */
	void (*after)(void *ctx);
	void *after_ctx;
	char *why;
	GHashTable *seen;		/* states at forget points since somebody else moved */
	GHashTable *written;		/* word -> struct last_write: who left it as it is */
	GPtrArray *lap;			/* words that the row's actor read since its last forget */
	const char *spin_func;		/* where it forgot, and had been before */
	const void *polled;		/* of a spin: the word of the lap that another wrote last */
	u64 until;			/* first deadline asked about since then, ~0: none */
	bool spins;
};

struct at_end {
	void (*fn)(void *ctx);
	void *ctx;
};

struct listener {
	trace_fn fn;
	void *ctx;
	bool calls;		/* not to steps */
};

struct record {				/* counters of one actor */
	u64 count[COUNTERS];
};

/* Store buffers, tso.c. */
struct tso {
	bool on;
	GHashTable *seen;		/* word -> who stored, who read; NULL: nobody learns */
	struct store_buffer *buffer;	/* world, by actor */
	u64 cut;
};

struct sim {
	struct sim_options opt;
	struct sigaction on_fault;	/* sim_on_fault(); SA_SIGINFO is not set: none */
	struct tso tso;
	u32 cost[COST_NR];
	u64 charged[COST_NR];		/* record: but for what actors count themselves */
	struct undo_log undo;
	struct tournament tour;
	struct carrier carrier[ACTORS_MAX];
	struct lp_span {		/* by LP: its package, whose LPs are [from, to) */
		u16 from, to;
		u16 package;
	} *near;
	u64 *sets;			/* line.c: sharers of lines, beyond 32 LPs */
	u64 nsets;
	u32 set_words;
	struct record counters[ACTORS_MAX + 1];	/* last: the root context */
	struct rng rng;
	const struct choose_driver *driver;
	struct script script;
	/* @me has come to its next step: returns when it may take it. NULL: the hub decides. */
	void (*turn)(struct sim *sim, void *ctx, struct actor *me);
	void *turn_ctx;
	void *hub_sp;
	struct actor *last;		/* who took the last step (hub schedulers) */
	const struct site *last_site;	/* record: of the last step that was not on the fast path */
	u64 now;			/* clock of the last step, for wake-ups */
	u64 steps, seq, limit_key;
	u32 nblocked;
	u32 *futex;			/* free scheduler: wake counts by address */
	u32 live;			/* free scheduler: neither done nor parked nor background */
	volatile sig_atomic_t stop;	/* sim_stop() */
	bool stopping, running;
	struct search_box *box;		/* shared memory, or NULL */
	bool touched;			/* actor_set() since a search last cleared it */
	u64 region_epoch;		/* region_find() may answer anew when it has moved */
	u32 progress;			/* enum progress_kind bits since a search last cleared them */
	enum sim_end end;
	GArray *listeners;
	struct event *ring;
	u32 ring_size;
	u64 ring_count;
	GPtrArray *violations;		/* struct violation */
	GHashTable *tolerated;
	GArray *at_end;
	GHashTable *interned;
	void *layer[LAYERS];
	pthread_mutex_t free_lock;	/* free scheduler: allocator, regions, violations */
};

extern const struct choose_driver choose_by_sched;

static inline bool sim_is_free(const struct sim *sim)
{
	return sim->opt.sched == SCHED_FREE;
}

static inline void sim_free_lock(struct sim *sim)
{
	if (sim_is_free(sim))
		pthread_mutex_lock(&sim->free_lock);
}

static inline void sim_free_unlock(struct sim *sim)
{
	if (sim_is_free(sim))
		pthread_mutex_unlock(&sim->free_lock);
}

/*
 * arena.c. world_map - map the world at its fixed address for @phys bytes of simulated
 * memory (at most WORLD_PHYS_MAX); NULL with errno: EEXIST when something else lies there.
 */
void *world_map(u64 phys);
void world_release(void);
void arena_setup(u64 phys);			/* once sim_self is there */
void *arena_stack(u32 slot);			/* top of a fresh actor stack */
/* actor_keep - what of an actor changes without the log's knowing, see actor.h */
static __always_inline void actor_keep(struct actor *to, const struct actor *from)
{
	__builtin_memcpy(to, from, offsetof(struct actor, name));
}

/* actor.c: logged, of visits or often */
void actor_clear(struct actor *a, u8 *counts, size_t n);
/* sched.c */
u64 actor_clock_key(const struct actor *a);
void sched_insert(struct sim *sim, struct actor *a);	/* became ready */
/* An interrupt is on its way and only the clock could wake it there: go where it arrives. */
bool sched_no_wait(struct sim *sim, struct actor *me);
void sched_awoken(struct sim *sim, struct actor *me);	/* from its wait, by an interrupt */
struct actor *sched_least(struct sim *sim, struct actor *after);
u32 sched_enabled(struct sim *sim, struct actor **list);
void sched_hub(struct actor *me);		/* leave for the hub; returns when resumed */
void sched_resume(struct sim *sim, struct actor *a);	/* from the hub */
/* sched_jump - from @me at its scheduling point straight to @a; returns when @me is it again */
void sched_jump(struct sim *sim, struct actor *me, struct actor *a);
void sched_keyed(struct sim *sim, bool keyed);	/* no keys and no hash where nobody compares states */
u32 sched_mode(const struct sim *sim);		/* mode bits of an actor in this sim */
bool sched_listened(const struct sim *sim);	/* actor.listened of any */
void sched_refresh_modes(struct sim *sim);
bool sched_is_deadlock(const struct sim *sim);	/* nobody can run: is somebody waiting? */
void sched_at_end(struct sim *sim);		/* call what check_at_end() has registered */
/* script.c; the clock takes over past its last row */
struct actor *sched_clock_pick(struct sim *sim);
/* who wrote @p last as far as the script saw; NULL if nobody did */
const struct last_write *script_last_write(const struct sim *sim, const void *p);
struct actor *script_pick(struct sim *sim);
void script_event(struct sim *sim, const struct event *ev);
void script_forget(struct sim *sim, struct actor *me, const struct site *site);
bool script_passed(struct sim *sim, u64 when);	/* has cycle @when come for the running actor? */
bool script_paused(const struct sim *sim);	/* rows used up, and to stop there */
void script_fini(struct sim *sim);
/* mem.c */
void use_after_free(const void *p, const struct site *site);
bool await_holds(const struct pending *n);
/* @a stands at a wait that nothing ends yet; it may be READY (it has not tried) or BLOCKED */
bool actor_waits(const struct actor *a);
bool actor_enabled_slow(const struct actor *a);

/* Could @a take its next step now? A blocked one could if its condition holds by now. */
static inline bool actor_enabled(const struct actor *a)
{
	if (a->state == ACTOR_READY && a->pending.op != MEM_AWAIT)
		return true;
	return a->state < ACTOR_PARKED && actor_enabled_slow(a);
}

u64 word_at(const void *p, unsigned int size);
/* free.c */
u64 free_await(unsigned int size, void *p, u64 mask, u64 want);
void free_wake(const void *p);
enum sim_end free_run(struct sim *sim);
void free_park(struct actor *me);
void free_live(const struct actor *a, bool lives);	/* @a starts or stops to do something */
void free_look_up(struct actor *me);		/* leaves the run if it has been stopped */
void free_look_up_all(struct sim *sim);		/* let each thread do that at its next step */
/* check.c */
void check_setup(struct sim *sim);
void check_fini(struct sim *sim);
/* line.c */
void line_setup(struct sim *sim);
/* tlb.c: once the LPs are known */
void tlb_setup(struct sim *sim);
/* sim.c */
void sim_die(const char *fmt, ...) __printf(1, 2) __noreturn;
