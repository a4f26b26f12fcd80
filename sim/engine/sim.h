/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * A simulation: one world, its record, its options. One lives in a process at a time;
 * parallel work is forked processes (farm.h), which see the same addresses.
 */
#include <stdio.h>

#include "sim/engine/actor.h"

struct cost_table;
struct lp;

enum sim_carrier {
	CARRIER_FIBER,		/* default: actors are switched by this thread */
	CARRIER_PTHREAD,	/* a thread each; in gdb every vCPU is one */
};

enum sim_sched {
	SCHED_CLOCK,	/* virtual time: always the actor whose clock is least */
	SCHED_SCRIPT,	/* rows of script.h; past the last row, the clock */
	SCHED_RANDOM,	/* uniform, from the seed */
	SCHED_CHOOSE,	/* each step asks choose(): searches and replay */
	SCHED_FREE,	/* real threads on real atomics; wants CARRIER_PTHREAD */
};

struct sim_options {
	enum sim_carrier carrier;
	enum sim_sched sched;
	u64 seed;
	u64 phys;		/* bytes of simulated memory; 0: 1 GiB */
	u16 lps;		/* logical processors; 0: 1 */
	u16 packages;		/* 0: 1; LPs are dealt out in equal runs */
	u64 max_steps;		/* 0: no limit */
	u64 max_cycles;		/* 0: no limit; of the slowest actor */
	u32 trace;		/* events kept; 0: no ring (listeners may still listen) */
	bool timed;		/* costs, line model and deadlines by the clock */
	bool keyed;		/* undo log, world hash, actor keys (spin detection, search) */
	bool logged;		/* undo log, timed or not: rewind.h */
	const struct cost_table *costs;	/* NULL: the built-in table */
	u8 cost_level;		/* enum cost_level; of @costs */
};

enum sim_end {
	SIM_DONE,		/* every actor is done, or parked with nothing to do */
	SIM_VIOLATION,		/* check_fatal() says which */
	SIM_DEADLOCK,		/* somebody is blocked and nobody can run */
	SIM_UNREACHABLE,	/* the script's row cannot be followed: script_why() */
	SIM_LIMIT,		/* max_steps or max_cycles */
	SIM_STOPPED,		/* sim_stop(): Ctrl-C, time is up */
};

/* sim_new - NULL with a message on stderr if the world cannot be mapped */
struct sim *sim_new(const struct sim_options *opt);
void sim_free(struct sim *sim);

/* sim_run - run until an end; may be called again after SIM_DONE with new work (unparked) */
enum sim_end sim_run(struct sim *sim);
/* sim_limit_cycles - another sim_options.max_cycles for the next sim_run() */
void sim_limit_cycles(struct sim *sim, u64 cycles);
/* sim_limit_steps - likewise of max_steps: so many more than have been taken by now */
void sim_limit_steps(struct sim *sim, u64 more);
void sim_stop(struct sim *sim);			/* async-signal-safe */
bool sim_stopping(const struct sim *sim);	/* a violation or sim_stop() was seen */

const struct sim_options *sim_options(const struct sim *sim);
u64 sim_steps(const struct sim *sim);
u64 sim_cycles(const struct sim *sim);		/* the furthest clock */

/*
 * sim_explain - why nobody can run: a line an actor, "who waits for what, held by whom,
 * since when"; the chain that `unreachable` and `deadlock` print
 */
void sim_explain(struct sim *sim, FILE *out);

/* sim_layer, sim_set_layer - a layer's root object (the module, the VM list), by number */
enum sim_layer { LAYER_LOCKS, LAYER_TLB, LAYER_MODULE, LAYER_KVM, LAYER_KVM_OPS, LAYER_LINES, LAYER_PLAYER, LAYERS };
void *sim_layer(const struct sim *sim, enum sim_layer l);
void sim_set_layer(struct sim *sim, enum sim_layer l, void *p);

/*
 * sim_on_fault - @action is for SIGSEGV from now on, in processes that search for this one, too:
 * faults of code that the simulated machine runs, which the caller knows by their addresses
 */
struct sigaction;
void sim_on_fault(struct sim *sim, const struct sigaction *action);

/* sim_current - the sim of this thread's actor (or root context) */
static inline struct sim *sim_current(void)
{
	return sim_self->sim;
}
