// SPDX-License-Identifier: GPL-2.0-only
/*
 * Livelocks that show on the way: it comes back to a state of its own, all who could move all
 * along have, no interrupt was put off, and nobody got anywhere. What edges.c finds when all
 * states are known, found where there are too many.
 */
#include "sim/engine/check.h"
#include "sim/engine/explore_dfs.h"

#define LAPS_ALONE	64u		/* of one whom nobody can relieve */

/*
 * Where the way was in the state that it has come to, if it has got nowhere since, fairly; else
 * d->depth. It is long, and goes no further back than to where somebody got on.
 */
static u32 livelock_from(const struct dfs *d, struct search_id id)
{
	u64 moves = 0, always = ~0ull;

	for (u32 i = d->depth; i-- > 0 && the_world->nactors <= 64;) {
		const struct frame *f = &d->frame[i];

		if (f->progress || f->in.postponed)
			break;
		moves |= 1ull << f->mark.actor->id;
		always &= f->enabled;
		if (f->id.lo == id.lo && f->id.hi == id.hi)
			return always & ~moves ? d->depth : i;
	}
	return d->depth;
}

static void movers(const struct dfs *d, u32 at, GString *s)
{
	u64 moves = 0;

	for (u32 i = at; i < d->depth; i++)
		moves |= 1ull << d->frame[i].mark.actor->id;
	for (u32 i = 0; i < the_world->nactors; i++)
		if (moves >> i & 1 && !the_world->actor[i]->background)
			g_string_append_printf(s, "%s%s", s->len ? " " : "",
					       the_world->actor[i]->name);
}

/* Note a livelock whose loop begins with the step taken from frame @at. */
static void note_loop(struct dfs *d, u32 at, const char *who, const char *text)
{
	struct point p = point_set(d->sim);
	char *waits = explore_waits(d->sim);
	struct trail t = { 0 };
	u32 loop = 0;

	for (u32 i = 0; i < d->depth; i++) {
		if (i == at)
			loop = t.n;
		dfs_add_steps(&d->frame[i], &t);
	}
	t.loop = loop;
	check_fail("livelock", who, "%s%s", text, waits);
	explore_note(d->x, &t);
	g_free(waits);
	point_back(d->sim, &p);
	trail_free(&t);
}

/* The step from frame @f leads to a state that the path has been in. */
void dfs_came_back(struct dfs *d, struct frame *f)
{
	GString *who;
	char *text;
	u32 at;

	f->h.widen = f->h.only != NO_ACTOR;
	if (!d->x->opt->livelock || check_is_tolerated(d->sim, "livelock"))
		return;
	at = livelock_from(d, d->frame[d->depth].id);
	if (at == d->depth)
		return;
	who = g_string_new(NULL);
	movers(d, at, who);
	text = g_strdup_printf("after %u steps, %u more bring the same state back and nobody got "
			       "anywhere", d->frame[at].before,
			       f->before + f->h.steps - d->frame[at].before);
	note_loop(d, at, who->str, text);
	g_free(text);
	g_string_free(who, TRUE);
}

/* An interrupt that could land for ever and does not is what keeps it there, and no fault. */
static void rounds_without_end(struct dfs *d, const struct actor *a)
{
	u32 at = d->depth;
	char *text;

	/* The last round: back to where it forgot with the same key. */
	while (at && d->frame[at - 1].mark.actor == a && d->frame[at - 1].mark.saved.laps + 1 >= a->laps)
		if (d->frame[--at].in.postponed)
			return;
	text = g_strdup_printf("after %u steps, %u rounds of %s were the same to it but for what they "
			       "leave in memory, nobody else can go on, and nobody got anywhere",
			       d->frame[at].before, a->laps, a->name);
	note_loop(d, at, a->name, text);
	g_free(text);
}

/*
 * Nobody can relieve @a, who is tired. A state of its own past may still come back; but if its
 * loop leaves something behind each time, no state ever does, and it is said to be what it is
 * after many rounds.
 */
bool dfs_goes_on_alone(struct dfs *d, const struct frame *f, const struct actor *a)
{
	/* It comes first. */
	if (f->h.at || f->h.left != 1)
		return false;
	if (a->laps < LAPS_ALONE)
		return true;
	if (d->x->opt->livelock && !check_is_tolerated(d->sim, "livelock"))
		rounds_without_end(d, a);
	return false;
}
