/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Files of recorded vectors, run by workers in parallel, and what came of it in the order of
 * the files. What cannot be read is an error of its line; the rest is run all the same.
 */
#include <glib.h>

#include "sim/engine/types.h"

struct conform_total {		/* of the operations of a flow with one recorded result */
	char *flow, *result;
	u64 ran, agreed;
};

struct conform_found {		/* a difference */
	char *file;
	u32 line;
	s32 op;			/* -1: of the line as a whole */
	char *flow, *field, *expected, *got;
	char *source;		/* Intel's source line, "" if none is recorded */
};

struct conform_left {		/* operations that were not run */
	char *file;
	u32 line, ops;
	char *flow, *why;
	bool missing;		/* the model has no such flow: not a difference */
};

struct conform_elsewhere {	/* a table that the unit tests check */
	char *file;
	u32 rows;
};

struct conform_error {
	char *file;
	u32 line;		/* 0: of the file as a whole */
	char *text;
};

struct conform_report {
	GPtrArray *totals;		/* struct conform_total, by flow and result */
	GPtrArray *found, *left, *elsewhere, *errors;
	u64 sequences, interleavings, rows;
	u64 ran, agreed;		/* operations, interleavings and rows */
	u32 crashed;			/* workers */
};

/*
 * conform_files - run the @n files
 * @tdx: version of the module (versions.h knows it); NULL: 1.5.01, the recording's
 * @jobs: processes at a time; 0: one a processor
 * @progress: a line that is written over on standard error
 * @stop: looked at now and then; may be NULL
 */
struct conform_report *conform_files(const char *const *files, u32 n, const char *tdx, u32 jobs,
				     bool progress, const volatile bool *stop);
void conform_report_free(struct conform_report *r);
void conform_total_free(struct conform_total *t);

/*
 * conform_report_take - one line that a worker wrote about the file at @path
 * conform_report_error - @line 0: of the file as a whole
 * conform_report_elsewhere - a file whose @rows are not run here
 * conform_report_sort - totals by flow and result, at the end
 */
struct conform_report *conform_report_new(void);
void conform_report_take(struct conform_report *r, const char *path, const char *line);
void conform_report_error(struct conform_report *r, const char *path, u32 line, const char *text);
void conform_report_elsewhere(struct conform_report *r, const char *path, u32 rows);
void conform_report_sort(struct conform_report *r);
