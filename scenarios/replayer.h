/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One execution of a search, followed again: along the words of a way, or along the rows of the
 * case's own schedule. Nothing is searched; where it does not fit any more it stops and says so.
 */
#pragma once

#include "scenarios/way.h"
#include "sim/engine/explore.h"

struct player;

/*
 * replay_way - along @way; replay_rows - along the schedule
 *
 * Actors stand before their first steps. Each gives what was broken, or NULL; the steps taken in
 * @taken, which is to be freed; and, in @why (to be freed), where the way did not fit, or NULL.
 */
struct explore_found *replay_way(struct player *pl, const struct way *way,
				 struct trail *taken, char **why);
struct explore_found *replay_rows(struct player *pl, struct trail *taken, char **why);
