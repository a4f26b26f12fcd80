/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A way through a search in words, as `explore --json` gives it in `choices` and a way file has
 * it: "vCPU0*12 zapper:1 vCPU0*3 | vCPU0*2" is twelve steps of vCPU0, one of zapper in whose
 * course 1 was chosen, three of vCPU0, and a loop of two.
 */
#pragma once

#include <glib.h>

/* So many steps of one actor; the answers are the last one's. */
struct way_word {
	char *name;
	guint times;
	GArray *answers;	/* guint */
	gboolean loops;		/* the loop begins here */
	guint line, column;
};

struct way {
	char *path;
	GPtrArray *words;	/* struct way_word */
};

/* way_read - a file of such words; `#` begins a comment. NULL with @why, to be freed */
struct way *way_read(const char *path, char **why);
struct way *way_parse(const char *path, const char *text, char **why);
void way_free(struct way *w);
