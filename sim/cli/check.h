/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `septsim check`: parses scenario files and plays nothing. Rests on scenarios/ast.h and
 * scenarios/diag.h.
 */
#pragma once

#include <stdio.h>

#include <glib.h>

#include "scenarios/ast.h"

struct check_options {
	const struct scenario_vocab *vocab;	/* NULL: names of the model are not checked */
	GHashTable *defines;			/* -D NAME -> VALUE, or NULL */
	gboolean quiet;				/* nothing of files that are right */
	gboolean json;				/* one object to out instead of text */
};

/*
 * Parse each of the n files. What is right goes to out, errors to err (with json: all to
 * out). Returns the exit status: 0, or 2 if any file is wrong or cannot be read.
 */
int check_files(const struct check_options *o, const char *const *files, unsigned int n,
		FILE *out, FILE *err);
