/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Recorded vectors against the model: one line (or row) at a time, each on a machine as it was
 * made. What came out goes to a sink; nothing here prints.
 */
#include "scenarios/conform_read.h"

struct conform_difference {
	s32 op;			/* index; -1: not of one operation (an interleaving) */
	const char *flow;	/* "TDH.MEM.PAGE.AUG"; of an interleaving "A || B" */
	const char *field;
	const char *expected, *got;
	const char *source;	/* Intel's source line of the pause, or NULL */
};

struct conform_sink {
	/* An operation (row, interleaving) that ran: @result as recorded */
	void (*ran)(void *ctx, const char *flow, const char *result, bool agrees);
	void (*differs)(void *ctx, const struct conform_difference *d);
	/* @ops that were not run, from the one of @flow on; @missing: the model has no such flow */
	void (*left_out)(void *ctx, const char *flow, u32 ops, bool missing, const char *why);
	void *ctx;
};

/* conform_player_new - what plays lines; @tdx: version of the module, NULL: 1.5.01 */
struct conform_player *conform_player_new(const char *tdx);
void conform_player_free(struct conform_player *p);

/* conform_sequence - SEQUENCE and SETUP lines */
void conform_sequence(struct conform_player *p, const struct conform_line *line,
		      const struct conform_sink *sink);
/* conform_interleaving - @setup: the line that it names, which must stay where it is */
void conform_interleaving(struct conform_player *p, const struct conform_line *line,
			  const struct conform_line *setup, const struct conform_sink *sink);

/*
 * conform_csv - is this header line that of a table that can be checked? Then conform_csv_row()
 * checks one row of it. False: *@error says what is wrong with the row.
 * CONFORM_ELSEWHERE: a table that needs more than a row to be checked: the unit tests do.
 */
enum conform_table {
	CONFORM_NO_TABLE, CONFORM_LOCKS, CONFORM_SEPT_STATES, CONFORM_STATUSES, CONFORM_ELSEWHERE,
};
enum conform_table conform_csv(const char *header);
bool conform_csv_row(enum conform_table table, const char *header, const char *row,
		     const struct conform_sink *sink, GError **error);
