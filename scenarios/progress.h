/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Does anybody get anywhere, and does everybody? Livelock and starvation as far as a finite
 * run can tell: by steps taken, not by time, so that a dear step is not mistaken for a
 * stuck actor.
 */
#pragma once

#include <glib.h>

#include "sim/engine/trace.h"

struct sim;
struct progress;

/*
 * progress_new
 * @kinds:  SCN_PROGRESS_* that count (`limit progress=`)
 * @window: steps without progress that are too many; 0: do not look
 */
struct progress *progress_new(struct sim *sim, guint kinds, guint64 window);
void progress_free(struct progress *p);

/* progress_alone - rows of a schedule: one actor runs, and nobody else is given a turn */
void progress_alone(struct progress *p, gboolean alone);

/* progress_made - @actor got somewhere in a way of @kind, one of SCN_PROGRESS_* */
void progress_made(struct progress *p, guint kind, guint16 actor);

/*
 * progress_walked - @actor read the mirror's entry of @gfn. A walk that comes further in its
 * operation gets on, as two do that yield to each other at each entry; it can do so only as
 * often as its range has entries. Asked for when progress_wants_walks().
 */
gboolean progress_wants_walks(const struct progress *p);
void progress_walked(struct progress *p, guint16 actor, guint64 gfn);
void progress_begun(struct progress *p, guint16 actor);	/* an operation */

/* progress_step - look at a step; fails livelock or starvation, once */
void progress_step(struct progress *p, const struct event *ev);
