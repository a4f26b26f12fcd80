// SPDX-License-Identifier: GPL-2.0-only
/*
 * A worker's depth-first search over the states that all share: every enabled actor of a state
 * is expanded by whoever claimed it.
 *
 * A worker that has nothing to do takes up the rest of a state near the start of another's way,
 * with the way there: it follows it, which counts as nothing. The same form, of the whole way,
 * is what a checkpoint keeps. A stretch of no states is the whole search.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/engine/explore_dfs.h"

/* ---- stretches ---- */

static void put_frame(GByteArray *to, const struct frame *f, struct frame_head h)
{
	h.actor = f->stepping ? f->mark.saved.id : NO_ACTOR;
	h.answers = f->in.len;
	crew_put(to, &h, sizeof(h));
	crew_put(to, f->in.n, f->in.len);
	crew_put(to, f->in.v, f->in.len);
}

/* All of the way, as it stands. */
static void stand(struct crew_self *c, GByteArray *to)
{
	struct dfs *d = c->ctx;
	u32 n = d->depth + 1;

	dfs_take_back(d, &d->frame[d->depth]);
	crew_put(to, &n, sizeof(n));
	for (u32 i = 0; i < n; i++)
		put_frame(to, &d->frame[i], d->frame[i].h);
	dfs_said(d);
}

/* What is left of the state nearest to the start that has something left. */
static bool share(struct crew_self *c, GByteArray *to)
{
	struct dfs *d = c->ctx;
	struct frame_head h;
	struct frame *f;
	u32 n;

	while (d->first < d->depth && d->frame[d->first].h.left < 2)
		d->first++;
	if (d->first >= d->depth)
		return false;
	f = &d->frame[d->first];
	n = d->first + 1;
	crew_put(to, &n, sizeof(n));
	for (u32 i = 0; i < d->first; i++) {
		h = d->frame[i].h;
		h.given = 1;
		put_frame(to, &d->frame[i], h);
	}
	h = f->h;
	h.at++;
	h.left--;
	h.asleep |= d->sleep ? 1ull << f->mark.actor->id : 0;
	h.actor = NO_ACTOR;
	h.answers = 0;
	crew_put(to, &h, sizeof(h));
	if (to->len > STRETCH_BYTES)
		return false;
	f->h.left = 1;
	return true;
}

static void wrong(void)
{
	sim_die("a way that was kept cannot be followed here");
}

static void other_keys(void)
{
	fprintf(stderr, "septsim: the states of this checkpoint have other keys here: the "
		"addresses of the program have moved\n");
	_exit(CREW_OTHER_KEYS);
}

/* The state that is here, as @r says that it was left. */
static void put_down(struct dfs *d, struct crew_reader *r, char *room)
{
	struct frame *f = &d->frame[d->depth];
	struct frame_head h;

	crew_get(r, &h, sizeof(h));
	if (r->broken || d->depth >= d->depth_max || h.answers > INNER_MAX)
		wrong();
	if (!dfs_was_claimed(d, h.last))
		other_keys();
	dfs_push(d, h, room);
	f->in.len = h.answers;
	crew_get(r, f->in.n, h.answers);
	crew_get(r, f->in.v, h.answers);
}

/* Follow the way of @from to its end. */
static void take_up(struct dfs *d, const GByteArray *from)
{
	struct crew_reader r = { from->data, from->data + from->len };
	char *room = d->room;
	u32 n;

	crew_get(&r, &n, sizeof(n));
	d->first = 0;
	d->depth = 0;
	if (!n) {
		dfs_root(d);
		return;
	}
	for (;; d->depth++) {
		struct frame *f = &d->frame[d->depth];

		put_down(d, &r, room);
		if (d->depth + 1 == n)
			return;
		if (f->h.actor >= the_world->nactors ||
		    !actor_enabled(the_world->actor[f->h.actor]))
			wrong();
		room = dfs_follow(d, f, the_world->actor[f->h.actor]);
		if (f->in.at != f->h.answers || d->sim->stopping)
			wrong();
	}
}

/* ---- a worker ---- */

static void look_up(struct dfs *d)
{
	struct crew *crew = d->c->crew;

	if (!(d->looks++ % DFS_LOOKS))
		crew->worker[d->c->me].frontier = dfs_frontier(d);
	if (crew_want(crew))
		crew_attend(d->c);
	dfs_look_at_memory(d);
	if (d->x->stop)
		crew_bound(d->c, "violation");
}

static void run(struct dfs *d)
{
	while (!d->x->stop && dfs_on(d))
		if (!d->x->stop)
			look_up(d);
	if (d->x->stop)
		look_up(d);
}

static void verified_put(struct crew_self *c, GByteArray *to)
{
	verify_put(((struct dfs *)c->ctx)->verify, to);
}

void crew_dfs(struct crew_self *c)
{
	struct dfs *d = dfs_new(c->x, c);

	c->ctx = d;
	c->verified_put = d->verify ? verified_put : NULL;
	if (d->verify && c->verified)
		verify_get(d->verify, c->verified->data, c->verified->len);
	while (crew_take(c)) {
		take_up(d, c->stretch);
		c->stand = stand;
		c->share = share;
		run(d);
		c->stand = NULL;
		c->share = NULL;
		if (d->x->stop && c->me == 0)
			dfs_say_what_grows(d);
		dfs_unwind(d);
	}
	if (d->edges && !d->x->stop)
		edges_look(d->edges, d->x);
	dfs_said(d);
	dfs_free(d);
}
