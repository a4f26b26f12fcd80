/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a way stops one actor in the middle of what it does, and how far others get before it
 * goes on: what a delay in the code would do on hardware.
 */
#pragma once

#include <glib.h>

struct sim;

/* One stop. Names are the sim's or the program's: they outlive neither. */
struct pause_point {
	const char *actor;		/* who stops ... */
	const char *func, *file;	/* ... before the step that stands here */
	guint line;
	const char *other;		/* who took the last step meanwhile ... */
	const char *other_func, *other_file;	/* ... here */
	guint other_line;
};

struct pauses;

/* pauses_new - watch the steps of @sim until pauses_free() */
struct pauses *pauses_new(struct sim *sim);
void pauses_free(struct pauses *p);

/* pauses_end - the way has ended and the sim still stands there: who was in the middle of what? */
void pauses_end(struct pauses *p);

/* pauses_text - a stop a line, its members between tabs in the order above. Free with g_free(). */
char *pauses_text(const struct pauses *p);
