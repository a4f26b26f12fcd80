/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A way that a search found, as a scenario: its rows are the operations in the order of the
 * way, each until the event at which somebody else went on, so that `septsim run` replays it.
 */
#pragma once

#include "scenarios/play_priv.h"

struct found_log;

/*
 * found_log_new - listen to the way of @pl while it is played once more
 * @begun: by actor of the cast, the operation that it stood at the start of before the first
 * step; NULL: none
 */
struct found_log *found_log_new(struct player *pl, const char *const *begun);
void found_log_free(struct found_log *log);
void found_log_event(void *log, const struct event *ev);

/* found_actor - whose of the cast @ev is; pl->ncast: of nobody there */
guint found_actor(const struct player *pl, const struct event *ev);

/*
 * found_text - the scenario
 * @named: rows end at events by name where there are any; else at the N-th step
 */
char *found_text(const struct found_log *log, const char *check, const char *where,
		 gboolean named);
