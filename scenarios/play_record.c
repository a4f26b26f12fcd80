// SPDX-License-Identifier: GPL-2.0-only
/*
 * The listener: every event of a run becomes words in the result while the simulation
 * that it speaks of still stands; checks and expectations see it here too.
 * Rests on sim/engine/trace.h.
 */
#include <string.h>

#include "scenarios/play_priv.h"
#include "sim/engine/check.h"
#include "sim/engine/region.h"
#include "sim/engine/site.h"

/* A run that goes on for ever must not fill the memory with its story. */
#define EVENTS_MAX	400000u
#define ROOT_ACTOR	0u	/* index in the result of the set-up context */

static guint16 actor_index(const struct event *ev)
{
	return ev->actor >= ACTORS_MAX - 1 ? ROOT_ACTOR : (guint16)(ev->actor + 1);
}

static gboolean is_named(struct player *pl, const char *name)
{
	return name && g_hash_table_contains(pl->named, name);
}

static gboolean is_leaf(const char *name)
{
	return g_str_has_prefix(name, "TDH.") || g_str_has_prefix(name, "TDG.");
}

/* A step on a registered element. FALSE: not to be recorded. */
static gboolean record_step(struct player *pl, const struct event *ev, struct play_event *e)
{
	struct region *r = ev->p ? region_at(ev->p) : NULL;
	char name[96], old[128], now[128];
	gboolean stores = event_stores(ev);

	if (!r) {
		if (!pl->opt->steps)
			return FALSE;
		e->detail = ev->site ? ev->site->func : NULL;
		return TRUE;
	}
	if (stores && r->type->class)
		e->flags |= strcmp(r->type->class(ev->old), r->type->class(ev->value)) ?
			    PLAY_CHANGE : 0;
	else if (stores && ev->old != ev->value)
		e->flags |= PLAY_CHANGE;
	if (!pl->opt->steps && !(e->flags & PLAY_CHANGE))
		return FALSE;
	region_name_of(ev->p, name, sizeof(name));
	e->name = play_result_str(pl->res, name);
	if (is_named(pl, e->name))
		e->flags |= PLAY_NAMED;
	if (r->owner && pl->c->tds->len > 1) {
		g_snprintf(old, sizeof(old), "%s.%s", r->owner, name);
		e->name = play_result_str(pl->res, old);
		e->flags |= PLAY_OF_TD;
	}
	if (stores)
		e->flags |= PLAY_WRITE;
	if (r->type->class && (e->flags & PLAY_CHANGE) && !pl->opt->steps) {
		e->old = r->type->class(ev->old);
		e->now = r->type->class(ev->value);
	} else {
		e->old = play_result_str(pl->res, region_value(r, ev->old, old, sizeof(old)));
		e->now = play_result_str(pl->res, region_value(r, ev->value, now, sizeof(now)));
	}
	if ((e->flags & PLAY_CHANGE) && r->type->class)
		e->now = play_result_str(pl->res, r->type->class(ev->value));
	e->old = play_result_str(pl->res, e->old);
	e->detail = ev->site ? ev->site->func : NULL;
	return TRUE;
}

static void record_return(struct player *pl, const struct event *ev, struct play_event *e)
{
	char name[96];
	const char *status;

	if (!is_leaf(ev->name)) {
		if (!ev->detail) {
			g_snprintf(name, sizeof(name), "%" G_GINT64_FORMAT, (gint64)ev->status);
			e->detail = play_result_str(pl->res, name);
		}
		if ((s64)ev->status < 0)
			e->flags |= PLAY_FAILED;
		return;
	}
	status = status_name(ev->status, name, sizeof(name));
	if (g_str_has_prefix(status, "TDX_"))
		status += 4;
	e->detail = play_result_str(pl->res, status);
	if (ev->status >> 63)
		e->flags |= PLAY_FAILED;
}

static void record_check(struct player *pl, struct play_event *e)
{
	const struct violation *v = check_at(pl->sim, check_count(pl->sim) - 1);

	e->detail = play_result_str(pl->res, v->where);
	if (v->tolerated)
		e->flags |= PLAY_TOLERATED;
}

/* One of many locks of a name: "sept[0x10]". */
static const char *lock_name(struct player *pl, const struct event *ev)
{
	const void *p = pl->touched[actor_index(ev)];
	char name[96];
	guint64 index;

	if (!lock_index(ev, p, &index))
		return ev->name;
	if (ev->has_arg)
		g_snprintf(name, sizeof(name), "%s[0x%" G_GINT64_MODIFIER "x]", ev->name, index);
	else
		region_name_of(p, name, sizeof(name));
	return play_result_str(pl->res, name);
}

/* Of several TDs: which one a SEAMCALL is about; its return says what its call said. */
static void name_td(struct player *pl, const struct event *ev, struct play_event *e)
{
	if (pl->c->tds->len < 2 || !is_leaf(ev->name))
		return;
	if (ev->type == EV_CALL)
		pl->calls_td[e->actor] = play_result_str(pl->res, ev->detail);
	e->old = pl->calls_td[e->actor];
}

static void record(struct player *pl, const struct event *ev)
{
	gboolean root = actor_index(ev) == ROOT_ACTOR;
	struct play_event e = {
		/* The set-up context has no clock: what it finds at the end is at the end. */
		.clock = (gint64)(root ? sim_cycles(pl->sim) : ev->clock), .type = ev->type, .op = ev->op, .arg = ev->arg,
		.hpa = ev->hpa, .level = ev->level, .actor = actor_index(ev),
		.flags = (pl->started ? 0 : PLAY_INIT) | (ev->has_arg ? PLAY_HAS_ARG : 0),
	};

	if (ev->type != EV_STEP) {
		e.name = play_result_str(pl->res, ev->name);
		e.detail = play_result_str(pl->res, ev->detail);
		if (is_named(pl, e.name))
			e.flags |= PLAY_NAMED;
	}
	switch (ev->type) {
	case EV_STEP:
		if (!record_step(pl, ev, &e))
			return;
		break;
	case EV_CALL:
		if (is_leaf(ev->name))
			e.flags |= PLAY_LEAF;
		e.detail = NULL;
		name_td(pl, ev, &e);
		break;
	case EV_RETURN:
		if (is_leaf(ev->name))
			e.flags |= PLAY_LEAF;
		record_return(pl, ev, &e);
		name_td(pl, ev, &e);
		break;
	case EV_OP_END:
		if ((s64)ev->status)
			e.flags |= PLAY_FAILED;
		break;
	case EV_LOCK:
	case EV_UNLOCK:
	case EV_BUSY:
		e.name = play_result_str(pl->res, lock_name(pl, ev));
		if (is_named(pl, e.name))
			e.flags |= PLAY_NAMED;
		break;
	case EV_CHECK:
		record_check(pl, &e);
		break;
	default:
		break;
	}
	if (pl->res->events->len >= EVENTS_MAX)
		pl->res->unrecorded++;
	else
		g_array_append_val(pl->res->events, e);
}

static void tally(GHashTable *t, const char *key, guint64 n)
{
	guint64 *v = g_hash_table_lookup(t, key);

	if (!v) {
		v = g_new0(guint64, 1);
		g_hash_table_insert(t, g_strdup(key), v);
	}
	*v += n;
}

/* What `COUNTER of LEAF` and `of LOCK` ask for; per actor the engine counts itself. */
static void tally_event(struct player *pl, const struct event *ev)
{
	char key[128], name[96];
	guint who = actor_index(ev);

	if (!pl->started)
		return;
	switch (ev->type) {
	case EV_OBSERVE:
		tally(pl->observed, ev->name, 1);
		break;
	case EV_BUSY:
		g_snprintf(key, sizeof(key), "busy %s", ev->name);
		tally(pl->tallies, key, 1);
		break;
	case EV_CALL:
		if (is_leaf(ev->name))
			pl->called[who] = ev->clock;
		break;
	case EV_RETURN:
		if (!is_leaf(ev->name))
			break;
		g_snprintf(key, sizeof(key), "cycles %s", ev->name);
		tally(pl->tallies, key, ev->clock - pl->called[who]);
		if (!strstr(status_name(ev->status, name, sizeof(name)), "BUSY"))
			break;
		g_snprintf(key, sizeof(key), "busy %s", ev->name);
		tally(pl->tallies, key, 1);
		break;
	default:
		break;
	}
}

/* Who holds what: a spin is explained by the owner of the lock that it finds busy. */
static void follow_locks(struct player *pl, const struct event *ev)
{
	const char *name;
	struct holder *h;

	if (ev->type != EV_LOCK && ev->type != EV_UNLOCK && ev->type != EV_BUSY)
		return;
	name = play_result_str(pl->res, lock_name(pl, ev));
	h = g_hash_table_lookup(pl->holders, name);
	if (ev->type == EV_BUSY) {
		pl->refused_by[actor_index(ev)] = name;
	} else if (ev->type == EV_LOCK) {
		h = g_new0(struct holder, 1);
		*h = (struct holder){ ev->actor, ev->clock, ev->detail };
		g_hash_table_insert(pl->holders, (gpointer)name, h);
		pl->refused_by[actor_index(ev)] = NULL;
	} else if (h && h->actor == ev->actor) {
		g_hash_table_remove(pl->holders, name);
	}
}

static gboolean forbids(const struct player *pl, const char *observation)
{
	for (guint i = 0; i < pl->c->forbid->len; i++)
		if (!strcmp(pl->c->forbid->pdata[i], observation))
			return TRUE;
	return FALSE;
}

void play_forbidden(struct player *pl, const struct event *ev)
{
	char where[24];

	if (ev->type != EV_OBSERVE || !forbids(pl, ev->name))
		return;
	g_snprintf(where, sizeof(where), "0x%" G_GINT64_MODIFIER "x", ev->arg);
	check_fail(ev->name, where, "it was seen, and is forbidden here");
}

static void listen(void *ctx, const struct event *ev)
{
	struct player *pl = ctx;

	if (ev->type == EV_STEP)
		pl->touched[actor_index(ev)] = ev->p;
	record(pl, ev);
	tally_event(pl, ev);
	follow_locks(pl, ev);
	if (pl->started)
		expect_event(pl, ev);
	if (pl->checks)
		checks_event(pl->checks, ev);
	play_forbidden(pl, ev);
}

/* Words that the file's conditions speak of are shown whatever they are. */
static void note_region(struct player *pl, const struct scn_region_ref *ref)
{
	char name[160];

	if (!ref->name)
		return;
	if (ref->indexed)
		g_snprintf(name, sizeof(name), "%s[0x%" G_GINT64_MODIFIER "x]%s%s", ref->name,
			   ref->index.num, ref->level > SCN_LEVEL_4K ? "@" : "",
			   ref->level > SCN_LEVEL_4K ? scn_level_name(ref->level) : "");
	else
		g_snprintf(name, sizeof(name), "%s%s%s", ref->name, ref->field ? "." : "",
			   ref->field ? ref->field : "");
	g_hash_table_add(pl->named, g_strdup(name));
}

static void note_cond(struct player *pl, const struct scn_cond *c)
{
	if (!c)
		return;
	note_region(pl, &c->region);
	note_region(pl, &c->lock.region);
	if (c->leaf)
		g_hash_table_add(pl->named, g_strdup(c->leaf));
}

void play_note_names(struct player *pl)
{
	const GPtrArray *rows = pl->c->schedule.rows;

	for (guint i = 0; rows && i < rows->len; i++)
		note_cond(pl, ((const struct scn_cell *)rows->pdata[i])->until);
	for (guint i = 0; i < pl->c->expects->len; i++) {
		const struct scn_expect *e = pl->c->expects->pdata[i];

		note_cond(pl, e->a.cond);
		note_cond(pl, e->b.cond);
	}
}

void play_record_start(struct player *pl)
{
	trace_listen(pl->sim, listen, pl);
}

/*
 * Events come in the order of steps; what an actor does between two steps, after a charge,
 * is announced when it stands before the next. Their order in virtual time is their clocks'.
 */
static int by_clock(gconstpointer a, gconstpointer b)
{
	const struct play_event *x = a, *y = b;

	return x->clock < y->clock ? -1 : x->clock > y->clock;
}

void play_record_stop(struct player *pl)
{
	GArray *events = pl->res->events;

	trace_unlisten(pl->sim, listen, pl);
	g_array_sort(events, by_clock);		/* stable (a merge sort) */
	for (guint i = 0; i < events->len; i++)
		g_array_index(events, struct play_event, i).clock -= (gint64)pl->base;
}
