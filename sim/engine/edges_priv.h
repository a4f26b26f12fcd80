/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What looking for ways without an end (edges.c) and showing one (edges_way.c) share.
 */
#include "sim/engine/edges.h"
#include "sim/engine/explore_priv.h"

/* Which edges count in this look. */
struct look {
	struct edges *e;
	int starved;		/* -1: livelock, those that get nowhere; else all but its progress */
};

static inline bool edges_count(const struct look *l, const struct edge *d)
{
	if (d->postponed)
		return false;
	return l->starved < 0 ? !d->progress : !(d->progress && d->actor == l->starved);
}

/* Of each component: who moves inside, who is enabled in all its states, is there progress. */
struct part {
	u64 moves[ACTORS_MAX / 64], always[ACTORS_MAX / 64];
	u64 states, edges;
	bool progress, seen;
};

static inline bool edges_has(const u64 *set, u32 i)
{
	return set[i / 64] >> (i % 64) & 1;
}

/* edges_show - report into @x a way into component @part, which is @p, and round in it */
void edges_show(const struct look *l, struct explore *x, const struct part *p, u32 part);
