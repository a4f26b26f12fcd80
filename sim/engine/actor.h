/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * An actor is a thread of the simulated host (a vCPU thread, a zapper, an NX-recovery
 * worker): ordinary C on a stack in the world. A carrier (carrier.h) decides only who
 * calls the switch. Exactly one actor runs at a time, except under the free scheduler.
 */
#include "sim/engine/site.h"
#include "sim/engine/types.h"

struct sim;
struct lp;

#define ACTORS_MAX	1024	/* the tournament keys hold 10 bits of actor number */
#define ACTOR_ROOT	(ACTORS_MAX - 1)	/* the set-up context's number: 1023 are left */
/* The keys' other 54 bits: whoever comes that far has reached the end of time (SIM_LIMIT). */
#define CLOCK_MAX	(1ull << 53)

enum actor_state {
	ACTOR_READY,
	ACTOR_BLOCKED,	/* in mem_await() whose condition does not hold */
	ACTOR_PARKED,	/* outside any step, waits for actor_unpark() (no operation given yet) */
	ACTOR_DONE,
};

/* Why a step of this actor leaves the fast path; 0 is the clock scheduler at full speed. */
enum actor_mode {
	MODE_EVENTS	= 1 << 0,	/* somebody listens to steps: trace, conditions, checks */
	MODE_KEYED	= 1 << 1,	/* undo log, world hash and actor keys are kept */
	MODE_HUB	= 1 << 2,	/* the scheduler decides before each step */
	MODE_IRQ	= 1 << 3,	/* an interrupt may be taken at the next step */
	MODE_ROOT	= 1 << 4,	/* the set-up context: acts at once, nobody is scheduled */
	MODE_FREE	= 1 << 5,	/* real atomics, real threads */
	MODE_TSO	= 1 << 6,	/* stores are buffered: tso.h */
	MODE_LOGGED	= 1 << 7,	/* the undo log is kept */
};

enum mem_op {
	MEM_READ, MEM_WRITE, MEM_CMPXCHG, MEM_XADD, MEM_XCHG, MEM_AND, MEM_OR,
	MEM_BTS, MEM_BTR, MEM_FENCE, MEM_AWAIT,
};

/* The step that an actor stands before; set before each scheduling point. */
struct pending {
	const struct site *site;
	void *p;
	u64 a, b;		/* operands; MEM_AWAIT: mask and wanted value */
	u8 op;			/* enum mem_op */
	u8 size;		/* bytes */
};

struct actor {
	void *sp;		/* saved stack pointer while it does not run */
	u64 clock;		/* cycles */
	u64 horizon;		/* fast path: clock key from which on somebody else is due */
	u32 mode;		/* enum actor_mode bits */
	u16 id;			/* also the tie-break of equal clocks */
	u16 lp;			/* logical processor it runs on */
	u16 near, far;		/* LPs of its package are [near, far): see line.c */
	u32 cost_rmw, cost_cas, cost_read, cost_write;	/* line owned; cycles, from the cost table */
	u8 listened;		/* somebody listens to events that are no steps */
	/* cold from here on */
	u8 state;		/* enum actor_state */
	bool background;	/* runs when nobody else can (idle LPs, RCU callbacks) */
	bool storer;		/* empties a store buffer: tso.c */
	u64 key;		/* fold of (site, result) since actor_forget() */
	u64 steps;		/* record */
	u64 locked, cas;	/* record: LOCKed ones on a line of its own; of these CMPXCHGs */
	struct pending pending;
	const char *parked_why;
	const struct preempt_ops *preempt_ops;	/* NULL: nobody is told when it is switched out */
	void *preempt_arg;
	void *task;		/* the layer above: KVM's current, the player's thread */
	u64 blocked_since;	/* clock; for the blocking chain */
	/* Rounds of a loop: how often it forgot, one of the keys it had then, how often again. */
	u64 lap_key;
	u32 forgets, laps;
	u64 offered;		/* searches: lines at which an interrupt might have landed */
	/*
	 * A mark of a search keeps what stands above: from here on an actor is as it was born, or
	 * what it writes is logged.
	 */
	const char *name;	/* interned for the life of the sim */
	void (*fn)(void *arg);
	void *arg;
	void *stack_top;
	struct sim *sim;
	/*
	 * Searches, by line, folded: how often it has been there in this operation, and since it
	 * was last at a line where it had seldom been. Logged.
	 */
	u8 visits[64] __attribute__((aligned(8))), often[64];
	/* These two share a word that is always logged, so it is in the world's hash. */
	u32 tif __attribute__((aligned(8)));	/* TIF_* of task.h, read and written by steps */
	u32 irqs_off;		/* depth: > 0 means that no interrupt is taken */
} __attribute__((aligned(64)));

/* The running actor, or the root context outside a run. Never NULL once a sim exists. */
extern _Thread_local struct actor *sim_self __attribute__((tls_model("initial-exec")));

static inline struct actor *actor_self(void)
{
	return sim_self;
}

/*
 * actor_new - an actor that will call @fn(@arg) once the sim runs
 * @name: shown in every table, e.g. "vCPU0"
 * @lp:   logical processor it starts on, below the sim's LP count
 */
struct actor *actor_new(struct sim *sim, const char *name, u16 lp, void (*fn)(void *), void *arg);

/* actor_by_name - NULL if there is none */
struct actor *actor_by_name(struct sim *sim, const char *name);
struct actor *actor_by_id(struct sim *sim, u16 id);
u32 actor_count(struct sim *sim);

/*
 * actor_forget - the running actor remembers nothing of its past but @k
 *
 * An actor is a deterministic function of what its steps returned; its key is a fold of
 * them since the last forget. Stands at the start of an operation and at the head of a
 * retry loop (k = what is left of the budget). Where it stands is remembered too, so that
 * two loops around one helper differ; what a caller's caller did must be in @k. A wrong
 * forget merges different states.
 * It is also where a spin is seen: same key, same world, nothing changed in between.
 */
#define actor_forget(k) actor_forget_at(SITE_HERE, k)
void actor_forget_at(const struct site *site, u64 k);

/* What getting somewhere means: a host operation ended, an instruction retired, an S-EPT
 * entry changed its class for good. */
enum progress_kind {
	PROGRESS_OP	= 1 << 0,
	PROGRESS_INSN	= 1 << 1,
	PROGRESS_SEPT	= 1 << 2,
};

/* actor_progress - the running actor got somewhere: resets livelock */
void actor_progress(enum progress_kind kind);

/* actor_park - leave the schedule, outside any step, until actor_unpark(); @why is shown */
void actor_park(const char *why);
void actor_unpark(struct actor *a);
/* actor_rest - @a, just made and before the sim runs, starts parked: its LP is idle till then */
void actor_rest(struct actor *a, const char *why);

/*
 * actor_interrupt - an interrupt will arrive at @a's LP at cycle @when: from then on its
 * steps look for it, and a wait with interrupts on ends there. lp.c's.
 */
void actor_interrupt(struct actor *a, u64 when);

/* actor_exit - the running actor ends here and now (BUG(): no return) */
void actor_exit(void) __noreturn;

/* actor_set_lp - the running actor (or a parked one) moves to another LP */
void actor_set_lp(struct actor *a, u16 lp);
