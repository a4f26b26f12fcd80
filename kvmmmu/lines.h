/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Which lines of a kernel tree ran, and among what: a *clean* on a line that never ran, or
 * ran only when nobody else was about, is worth nothing. Watched are places in the program,
 * the beginnings of basic blocks; each hit is told apart by where all other actors stand at
 * that moment, and by the lock outcomes of its own actor before and after it. Record: nothing
 * in the world depends on it.
 */
#include <glib.h>

#include "sim/engine/types.h"

struct sim;

struct line_block {
	u64 pc;			/* from the program's first byte */
	u64 hits;
	GHashTable *contexts;	/* set of hashes: where the others stood */
	GHashTable *outcomes;	/* set of texts: "busy SEPT_TREE", "TDH.MEM.TRACK SUCCESS" */
};

struct lines;

#define LINES_CONTEXTS_MAX	4096u	/* of one block; more are not counted */
#define LINES_OUTCOMES_MAX	24u

struct lines *lines_new(void);
void lines_free(struct lines *l);
struct line_block *lines_watch(struct lines *l, u64 pc);	/* again: the same one */
GHashTable *lines_blocks(struct lines *l);	/* of struct line_block, by &pc */

/*
 * lines_open - count in @sim from now on; until it ends, @l must live
 * @outcomes: false in a search that goes back: what an actor did last is not what it had done
 */
void lines_open(struct sim *sim, struct lines *l, bool outcomes);

/* lines_hit - the running actor passes the place @pc */
void lines_hit(u64 pc);
