// SPDX-License-Identifier: GPL-2.0-only
/*
 * Livelock: nobody got anywhere for long, and everybody who could run has gone round many
 * times (one who computes, or is in a long operation, has not). Starvation: one goes round
 * while others finish operation after operation. Rests on docs/language.md, "Progress".
 */
#include "scenarios/progress.h"

#include <stdio.h>
#include <stdlib.h>

#include "scenarios/words.h"
#include "sim/engine/check.h"
#include "sim/engine/site.h"
#include "sim/engine/sim.h"

#define ROUND	20000u	/* an actor's steps: hundreds of laps of any retry loop */
#define PASSES	100u	/* operations or instructions of others: that is no bad luck */
#define LONGER	16u	/* windows; others' instructions retire during one long zap, too */
#define LOOK	1024u	/* beyond the window, look only now and then */

struct mine {
	guint64 idle;		/* steps since it got anywhere */
	guint64 idle_any;	/* its steps since anybody did */
	guint64 turn;		/* for which idle_any counts */
	guint64 insns;		/* guest instructions it had retired when last looked at */
	guint64 passes;		/* of all, when it got somewhere */
	guint64 ended;		/* operations of all, then */
	guint64 furthest;	/* gfn that a walk of its operation has come to */
};

struct progress {
	struct sim *sim;
	guint kinds;
	guint64 window;
	guint64 idle;		/* steps since anybody got anywhere */
	guint64 turn;		/* how often anybody did */
	guint64 ended;		/* host operations, of all */
	guint64 insns;		/* guest instructions of all, when last looked at */
	gboolean alone;		/* the rows of a schedule say who runs */
	gboolean stuck;
	struct mine mine[ACTORS_MAX];
};

static guint64 passes(const struct progress *p)
{
	return p->ended + p->insns;
}

static void anybody(struct progress *p)
{
	p->idle = 0;
	p->turn++;
}

static void itself(struct progress *p, guint16 actor)
{
	p->mine[actor].idle = 0;
	p->mine[actor].passes = passes(p);
	p->mine[actor].ended = p->ended;
}

void progress_made(struct progress *p, guint kind, guint16 actor)
{
	if (kind == SCN_PROGRESS_HOST)
		p->ended++;
	if (!(p->kinds & kind))
		return;
	anybody(p);
	itself(p, actor);
}

/* Instructions retire without an event of their own: their counters tell, now and then. */
static void look_at_guests(struct progress *p, guint16 actor)
{
	const struct actor *a = actor_by_id(p->sim, actor);
	guint64 all = count_of(p->sim, NULL, COUNT_GUEST_INSNS);
	guint64 own = a ? count_of(p->sim, a, COUNT_GUEST_INSNS) : 0;

	if (all != p->insns) {
		p->insns = all;
		if (p->kinds & SCN_PROGRESS_GUEST)
			anybody(p);
	}
	if (own != p->mine[actor].insns) {
		p->mine[actor].insns = own;
		if (p->kinds & SCN_PROGRESS_GUEST)
			itself(p, actor);
	}
}

gboolean progress_wants_walks(const struct progress *p)
{
	return p->idle > p->window / 4;
}

void progress_walked(struct progress *p, guint16 actor, guint64 gfn)
{
	if (actor >= ACTORS_MAX || gfn <= p->mine[actor].furthest)
		return;
	p->mine[actor].furthest = gfn;
	if (p->kinds & SCN_PROGRESS_HOST)
		anybody(p);
}

void progress_begun(struct progress *p, guint16 actor)
{
	if (actor < ACTORS_MAX)
		p->mine[actor].furthest = 0;
}

void progress_alone(struct progress *p, gboolean alone)
{
	p->alone = alone;
}

static gboolean everybody_went_round(const struct progress *p)
{
	if (p->alone)
		return TRUE;	/* everybody is the row's actor */
	for (u32 i = 0; i < actor_count(p->sim); i++) {
		const struct actor *a = actor_by_id(p->sim, (u16)i);
		const struct mine *m = &p->mine[i];

		if (a->background || a->state != ACTOR_READY)
			continue;
		if (m->turn != p->turn || m->idle_any < ROUND)
			return FALSE;
	}
	return TRUE;
}

static void livelock(struct progress *p, const struct event *ev)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	GString *who;

	sim_explain(p->sim, f);
	fclose(f);
	who = g_string_new(g_strchomp(text));
	g_string_replace(who, "\n", "; ", 0);
	p->stuck = TRUE;
	check_fail("livelock", "", "%" G_GUINT64_FORMAT " steps and nobody got anywhere, the last "
		   "one in %s(): %s", p->idle, ev->site ? ev->site->func : "?", who->str);
	g_string_free(who, TRUE);
	free(text);
}

static void starvation(struct progress *p, const struct event *ev)
{
	const struct actor *a = actor_by_id(p->sim, ev->actor);
	const struct mine *m = &p->mine[ev->actor];

	if (!a || a->background)
		return;
	p->stuck = TRUE;
	check_fail("starvation", a->name, "%s took %" G_GUINT64_FORMAT " steps and got nowhere, the "
		   "last one in %s(), while others got on %" G_GUINT64_FORMAT " times", a->name,
		   m->idle, ev->site ? ev->site->func : "?", passes(p) - m->passes);
}

static gboolean passed_over(const struct progress *p, const struct mine *m)
{
	if (m->idle < p->window)
		return FALSE;
	return p->ended - m->ended >= PASSES ||
	       (m->idle >= LONGER * p->window && passes(p) - m->passes >= PASSES);
}

void progress_step(struct progress *p, const struct event *ev)
{
	struct mine *m;

	if (p->stuck || !p->window || ev->actor >= ACTORS_MAX)
		return;
	m = &p->mine[ev->actor];
	if (m->turn != p->turn) {
		m->turn = p->turn;
		m->idle_any = 0;
	}
	p->idle++;
	m->idle++;
	m->idle_any++;
	if ((p->idle < p->window && m->idle < p->window) || m->idle % LOOK)
		return;
	look_at_guests(p, ev->actor);
	if (p->idle >= p->window && everybody_went_round(p))
		livelock(p, ev);
	else if (passed_over(p, m))
		starvation(p, ev);
}

struct progress *progress_new(struct sim *sim, guint kinds, guint64 window)
{
	struct progress *p = g_new0(struct progress, 1);

	p->sim = sim;
	p->kinds = kinds;
	p->window = window;
	return p;
}

void progress_free(struct progress *p)
{
	g_free(p);
}
