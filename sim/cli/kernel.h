/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the rooms of `septsim kernel` share: a place to build in, commands that are run, the
 * changes of a series. Rests on docs/your-kernel.md.
 */
#pragma once

#include "sim/cli/cli.h"
#include "sim/report/campaign.h"

#define EXIT_CANNOT_JUDGE	125	/* what `git bisect run` skips */

/* A tree of Linux, and the septsim that is built from it. */
struct kernel {
	const char *source;	/* of septsim */
	char *tree;		/* of Linux; absolute */
	char *dir;		/* everything that is made is under it */
	char *septsim;		/* the program that was built */
	gboolean lines;		/* count what of the tree runs */
	double seconds;		/* of each campaign; 0: no limit */
	int jobs;
	GPtrArray *more;	/* char *: options handed on to the campaign */
	GString *version;	/* what that program says of the tree */
};

/* kernel_open - NULL after having said why @tree is none, or why nothing can be built there */
struct kernel *kernel_open(const char *source, const char *tree, const char *dir);
void kernel_close(struct kernel *k);

/*
 * kernel_make - configure and build; FALSE with what stands in the way in @why: which
 * identifier, which file, what to add
 */
gboolean kernel_make(struct kernel *k, const char *tree, GString *why);

/*
 * kernel_campaign - run it; @name is that of the files that it leaves
 * @lines: file of the places that are counted; NULL: none
 * NULL with @why if it could not be judged. @text: its report.
 */
struct campaign *kernel_campaign(struct kernel *k, const char *name, const char *lines,
				 GString *text, GString *why);

/* command_run - argv (NULL-terminated) in @cwd (NULL: here); TRUE if it ended with 0 */
gboolean command_run(const char *cwd, const char *const *argv, GString *out, GString *err,
		     int *status);

/* ---- a series ---- */

struct change {
	char *name;		/* "3/5 subject" */
	char *patch;		/* its text; "" for the base */
};

struct series;

/*
 * series_of_range, series_of_mbox - the changes of @spec on top of the tree at @tree, put into
 * @dir/tree one by one. NULL with @why.
 */
struct series *series_of_range(const char *tree, const char *dir, const char *spec, GString *why);
struct series *series_of_mbox(const char *tree, const char *dir, const char *mbox, GString *why);
void series_free(struct series *s);
guint series_length(const struct series *s);	/* without the base */
const char *series_tree(const struct series *s);
const struct change *series_at(const struct series *s, guint i);
/* series_go - make the tree that of change @i; 0 is the base. FALSE with @why */
gboolean series_go(struct series *s, guint i, GString *why);

/* ---- changed lines ---- */

/*
 * kernel_lines_of - the lines that @patch adds to C files, and candidates for those beside what it
 * removes; an array of their own kind
 */
GPtrArray *kernel_lines_of(const char *patch);
/* kernel_lines_place - find the places in the program that was built from @tree */
gboolean kernel_lines_place(struct kernel *k, const char *tree, GPtrArray *added, GString *why);
gboolean kernel_lines_write(const GPtrArray *added, const char *path);
void report_kernel_lines(const GPtrArray *added, const struct campaign *c,
			 const struct report_look *look, GString *out);

/*
 * kernel_delay_patch - a patch of the tree at @tree that waits where @pauses says
 * @name, @what: of what was found. NULL if the way stops nobody in the tree, or too often.
 */
char *kernel_delay_patch(const char *tree, const char *name, const char *what,
			 const char *pauses);
