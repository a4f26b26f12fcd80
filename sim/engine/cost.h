/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a primitive step costs, in cycles of the 3.0 GHz reference clock, at three
 * levels of confidence. Rests on sim/engine/costs.csv; a file of the same form with
 * figures of one's own machine (--costs) and single values (--set) override it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* enum cost_key: COST_L1_HIT ... COST_NR, one for each row of costs.csv. */
#include "sim/engine/costs_table.h"

enum cost_level {
	COST_LOW,
	COST_TYPICAL,
	COST_HIGH,
	COST_LEVELS,
};

/* How sure a row is: rankings must hold over low..high of the last two. */
enum cost_confidence {
	COST_MEASURED,
	COST_DERIVED,
	COST_ASSUMED,
};

/* Cycles of one step may be 1..COST_MAX_CYCLES (a third of a second). */
#define COST_MAX_CYCLES 1000000000u

/*
 * One row as built in. Only a charged row ever moves a clock: leaf bodies, holds, BUSY
 * results and other composites already contain what their steps charge.
 */
struct cost_row {
	const char *key;
	const char *step;
	const char *cpu;
	const char *source;
	uint32_t cycles[COST_LEVELS];
	bool charged;
	enum cost_confidence confidence;
};

/* The figures of one run: what was built in, then what the user put over it. */
struct cost_table {
	uint32_t cycles[COST_NR][COST_LEVELS];
	bool changed[COST_NR]; /* by a file or by cost_set() */
};

#define COST_ERROR cost_error_quark()
GQuark cost_error_quark(void);

enum cost_error {
	COST_ERROR_PARSE,
	COST_ERROR_UNKNOWN_KEY,
	COST_ERROR_VALUE,
};

/* cost_row - the built-in row of @key, which is below COST_NR. */
const struct cost_row *cost_row(enum cost_key key);

/* cost_confidence_name - "measured, published", "derived" or "assumed" */
const char *cost_confidence_name(enum cost_confidence c);

/* cost_find - look @name ("l1-hit") up. False when there is no such key. */
bool cost_find(const char *name, enum cost_key *key);

/* cost_nearest - the key whose spelling is nearest to @name, for a hint. Never NULL. */
const char *cost_nearest(const char *name);

/* cost_level_find - "low", "typical" or "high". */
bool cost_level_find(const char *name, enum cost_level *level);

/* cost_init - the built-in figures, nothing changed. */
void cost_init(struct cost_table *table);

/*
 * cost_load_csv - put the rows of a file over @table.
 * @path: a costs.csv; the first line names the columns, of which key, unit, value_low,
 *	value_typical and value_high must be there. Rows may be few. unit is cycles or ns
 *	(ns x 3.0, rounded half up). A charged column must say what the built-in row says.
 *
 * False with @error when the file cannot be used: G_FILE_ERROR when it cannot be read, else
 * "PATH:LINE:COL: error: ..."; @table is then as it was.
 */
bool cost_load_csv(struct cost_table *table, const char *path, GError **error);

/*
 * cost_set - change one figure, as --set does.
 * @assignment: "KEY=N" (cycles, all three levels), "KEY=Nns", or "KEY=low|typical|high"
 *	(that level's figure at all three levels).
 *
 * Only charged keys can be set: anything else would silently change nothing.
 */
bool cost_set(struct cost_table *table, const char *assignment, GError **error);

/* cost_select - the figures of one level, indexed by enum cost_key, as the clock uses them. */
void cost_select(const struct cost_table *table, enum cost_level level, uint32_t out[COST_NR]);
