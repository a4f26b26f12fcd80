/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a run cost, by name: a listener that turns events into histograms and counts. It
 * hears no steps, so a run that is measured keeps the door's fast path. Times are cycles of
 * virtual time. Names are words, "fault", "seamcall TDH.MEM.PAGE.AUG", "hold mmu_lock write":
 * `septsim list metrics` has them.
 */
#pragma once

#include <stdio.h>

#include <glib.h>

#include "sim/engine/hist.h"

struct sim;

struct metric {
	const char *name;	/* interned for the life of the process */
	gboolean counted;	/* a count and no distribution: hist.sum, in one addition */
	struct hist hist;
};

struct measure;

struct measure *measure_new(void);
void measure_free(struct measure *m);

/* measure_start - listen to @sim from now on; measure_stop - no longer */
void measure_start(struct measure *m, struct sim *sim);
void measure_stop(struct measure *m, struct sim *sim);

/* measure_count - add @n to the count @name */
void measure_count(struct measure *m, const char *name, guint64 n);

/* measure_find - NULL if nothing of that name happened */
const struct metric *measure_find(const struct measure *m, const char *name);

/* measure_all - every metric, sorted by name; the array is the caller's, what it points to not */
GPtrArray *measure_all(const struct measure *m);

void measure_merge(struct measure *into, const struct measure *m);

/* measure_write - a line a metric; measure_read_line adds one, FALSE: not such a line */
void measure_write(const struct measure *m, FILE *out);
gboolean measure_read_line(struct measure *m, const char *line);

/* measure_about - what a metric's first word stands for and its unit; NULL: unknown */
struct measure_word {
	const char *word, *unit, *about;
};
const struct measure_word *measure_words(guint *n);
