/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The script scheduler: rows from top to bottom, each runs one actor alone until its
 * condition has just happened. The engine knows no words of the language: a condition is
 * two functions. Background actors (idle LPs, RCU) run only while the row's actor waits.
 */
#include "sim/engine/sim.h"
#include "sim/engine/trace.h"

struct script_row {
	struct actor *actor;
	/* Called before the actor runs for this row: start its operation (unpark it). */
	void (*begin)(void *ctx);
	/* True when @ev is what the row waits for. NULL: until the actor parks or is done. */
	bool (*done)(void *ctx, const struct event *ev);
	/*
	 * `.. before C`: called at each scheduling point with the step that is about to be
	 * taken; true stops short of it. NULL: not that form.
	 */
	bool (*before)(void *ctx, const struct pending *next);
	bool timeout;		/* the row waits for a deadline: say that it has passed */
	void *ctx;
	const char *text;	/* the cell, for the report */
};

/* script_set - @rows (copied) for a sim of SCHED_SCRIPT; before each sim_run() */
void script_set(struct sim *sim, const struct script_row *rows, u32 n);

/*
 * script_after - called once when the rows are used up, before virtual time takes over:
 * give the actors what is left for them (unpark). NULL: nothing
 */
void script_after(struct sim *sim, void (*fn)(void *ctx), void *ctx);

/* script_stop_after - sim_run() returns SIM_DONE when the rows are used up (init lines) */
void script_stop_after(struct sim *sim, bool stop);

/*
 * script_loose - rows are wishes: one whose condition does not come ends with its operation; one
 * that is in somebody's way stays where it is, if it has a condition, else the others who are in
 * the middle of something go on, by number, each to the end of its operation. Unreachable is
 * what nobody can mend so. Before each sim_run(), after script_set()
 */
typedef bool (*script_lap_fn)(const struct event *ev);
/*
 * @lap: NULL: not so. Else it tells the events that end a lap of a retry loop: who spins gives way
 * at the first forget point after one, so that two models of the same loop do so at the same place
 */
void script_loose(struct sim *sim, script_lap_fn lap);

/* script_at - number of the row being played; the row count when all are used up */
u32 script_at(const struct sim *sim);

/*
 * script_why - after SIM_UNREACHABLE: one line, e.g. "vCPU0 waits for mmu_lock (write),
 * held by zapper since cycle 812" or "vCPU0 spins: same state at kvm_tdp_mmu_map() ..."
 */
const char *script_why(const struct sim *sim);
