/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Located errors for the user's files: FILE:LINE:COL, the line with a caret, a hint.
 * Errors are collected, so that a file shows all of them in one go. Rests on
 * scenarios/ast.h for locations.
 */
#pragma once

#include <stdio.h>

#include <glib.h>

struct diag;
struct scn_loc;

struct diag *diag_new(void);
void diag_free(struct diag *d);

/* Remember the text of a file, so that messages can show its lines. Copies both. */
void diag_source(struct diag *d, const char *file, const char *text, gsize len);

/*
 * Add an error at loc (NULL or line 0: one that stands nowhere, such as a bad -D). hint
 * may be NULL; it and the message are copied. The same message at the same place counts
 * once: each case of a file parses the lines that they share.
 */
void diag_error(struct diag *d, const struct scn_loc *loc, const char *hint, const char *fmt, ...)
	G_GNUC_PRINTF(4, 5);

/* How many different errors there are. */
unsigned int diag_count(const struct diag *d);

/* One error. file NULL and line 0: it stands nowhere. Valid as long as the diag. */
struct diag_entry {
	const char *file;
	unsigned int line, col, end;
	const char *text;
	const char *hint;		/* or NULL */
};

/* The i-th error, by file (in order of diag_source), line and column; i < diag_count(). */
void diag_at(const struct diag *d, unsigned int i, struct diag_entry *e);

/* All of them as text, by file (in order of diag_source) and line. Free with g_free(). */
char *diag_format(const struct diag *d);

/* diag_format() to a stream. */
void diag_print(const struct diag *d, FILE *out);

/*
 * The word of a NULL-terminated list nearest to word by edit distance (a swap of
 * neighbours counts one; case is ignored), or NULL if none is near enough to be what
 * was meant.
 */
const char *diag_nearest(const char *word, const char *const *list);
