/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * One state of a sim, to come back to as often as wanted: for thousands of short runs from
 * one start, where to build the world anew would cost more than the run. Between runs only.
 * Wants sim_options.logged, or keyed.
 *
 * Taken back are the world, all actors with their stacks, the clock's lines, and of the
 * record the numbers of steps and events, counters and violations. A script begins anew.
 */
#include "sim/engine/sim.h"
#include "sim/engine/undo.h"

struct rewind;

/* rewind_possible - false where TSan is built in: it does not follow a stack that is put back */
bool rewind_possible(void);

/* rewind_new - remember the state that @sim is in; free with rewind_free() before the sim */
struct rewind *rewind_new(struct sim *sim);

/*
 * rewind_to - back to @r, any number of times. Of several, those that were remembered after @r
 * must not be used any more.
 */
void rewind_to(const struct rewind *r);
struct undo_mark rewind_mark(const struct rewind *r);	/* where the log was at @r */
void rewind_free(struct rewind *r);
