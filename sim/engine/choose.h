/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The one source of non-determinism. Every decision that a run does not make for itself
 * (who is next, does the interrupt land now, has the deadline passed) asks choose();
 * schedulers and searches are drivers of it, and a recorded stream of answers is a
 * schedule that replays.
 */
#include "sim/engine/types.h"

struct sim;

enum choose_why {
	CHOOSE_ACTOR,		/* who takes the next step: n enabled actors, by number */
	CHOOSE_DEADLINE,	/* 0: not yet, 1: passed */
	CHOOSE_INTERRUPT,	/* 0: later, 1: lands now */
	CHOOSE_MODEL,		/* a layer's own: which page, which failure */
};

/* choose - a number below @n; 0 at once when @n is 1 (not recorded) */
u32 choose(u32 n, enum choose_why why);

struct choose_driver {
	u32 (*pick)(struct sim *sim, void *ctx, u32 n, enum choose_why why);
	void *ctx;
};

/* choose_drive - from now on @driver answers; NULL restores the scheduler's own */
void choose_drive(struct sim *sim, const struct choose_driver *driver);
