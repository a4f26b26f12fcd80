/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a way stops one actor in the middle of what it does, and how far others get before it
 * goes on: what a delay in the code would do on hardware.
 */
#pragma once

#include <glib.h>

struct sim;

struct pauses;

/* pauses_new - watch the steps of @sim until pauses_free() */
struct pauses *pauses_new(struct sim *sim);
void pauses_free(struct pauses *p);

/* pauses_end - the way has ended and the sim still stands there: who was in the middle of what? */
void pauses_end(struct pauses *p);

/*
 * pauses_text - a stop a line. Between tabs: who stops; function, file and line before whose step;
 * who took the last step meanwhile; function, file and line of that step and of those before it
 * in the same stretch, the newest first. Free with g_free().
 */
char *pauses_text(const struct pauses *p);
