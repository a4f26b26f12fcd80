// SPDX-License-Identifier: GPL-2.0-only
/*
 * Has a condition just happened? Elements are compared as words of their class, so that a
 * file means the same on every variant; everything else is a match of names.
 * Rests on docs/language.md, "Conditions".
 */
#include "scenarios/condition.h"

#include <string.h>

#include "sim/engine/mem.h"
#include "sim/engine/region.h"
#include "tdxmod/observe.h"

#define SEPT_LOCK_BIT	(1ull << 11)	/* TDEL */

gboolean event_stores(const struct event *ev)
{
	switch (ev->op) {
	case MEM_READ:
	case MEM_FENCE:
	case MEM_AWAIT:
		return FALSE;
	case MEM_CMPXCHG:
		return ev->status == ev->old && ev->old != ev->value;
	default:
		return TRUE;
	}
}

static gboolean op_stores(const struct pending *next)
{
	return next->op != MEM_READ && next->op != MEM_FENCE && next->op != MEM_AWAIT;
}

gboolean status_matches(guint64 status, const struct scn_status_ref *want)
{
	char buf[96], *name = buf, *operand;

	if (!want->status)
		return TRUE;
	status_name(status, buf, sizeof(buf));
	if (g_str_has_prefix(name, "TDX_"))
		name += 4;
	operand = strchr(name, '|');
	if (operand)
		*operand++ = '\0';
	if (strcmp(name, want->status))
		return FALSE;
	return !want->operand || (operand && !strcmp(operand, want->operand));
}

static gboolean same_value(const struct element_value *a, const struct element_value *b)
{
	if (a->absent != b->absent)
		return FALSE;
	if (a->word && b->word)
		return !strcmp(a->word, b->word);
	return !a->word == !b->word && a->num == b->num;
}

/* From @was to @now: is that what the condition speaks of? */
static gboolean transition(const struct scn_cond *c, const struct element_value *was,
			   const struct element_value *now)
{
	gboolean before, after;

	if (c->kind == SCN_COND_CHANGES) {
		/* A table that appears is full of empty entries: none of them has changed. */
		if (was->absent)
			return FALSE;
		return !same_value(was, now);
	}
	before = element_is(was, &c->value);
	after = element_is(now, &c->value);
	if (c->cmp == SCN_CMP_NE)
		return before && !after;
	return !before && after;
}

static gboolean value_event(struct watch *w)
{
	struct element_value now;
	gboolean yes;

	element_read(&w->element, &now);
	yes = transition(w->cond, &w->last, &now);
	w->last = now;
	return yes;
}

static gboolean arg_matches(const struct scn_cond *c, const struct event *ev)
{
	return !c->has_arg || (ev->has_arg && ev->arg == c->arg.num);
}

/* The words of PAMT_4K, PAMT_2M and PAMT_1G are all in regions named PAMT. */
static gboolean region_of_lock(const struct region *r, const char *lock)
{
	return !strcmp(r->type->name, lock) ||
	       (!strcmp(r->type->name, "PAMT") && g_str_has_prefix(lock, "PAMT_"));
}

gboolean lock_index(const struct event *ev, const void *touched, guint64 *index)
{
	const struct region *r = touched ? region_at(touched) : NULL;

	if (ev->has_arg) {
		*index = ev->arg;
		return TRUE;
	}
	if (!r || !r->type->indexed || !region_of_lock(r, ev->name))
		return FALSE;
	*index = region_index(r, touched);
	return TRUE;
}

/* PAMT[hpa]@2M is PAMT_2M to the module, and without a size PAMT_4K. */
static gboolean lock_is_named(const struct scn_region_ref *ref, const char *name)
{
	if (strcmp(ref->name, "PAMT"))
		return !strcmp(ref->name, name);
	return g_str_has_prefix(name, "PAMT_") &&
	       !strcmp(name + 5, scn_level_name(ref->level ? ref->level : SCN_LEVEL_4K));
}

static gboolean lock_name_matches(const struct watch *w, const struct event *ev)
{
	const struct scn_region_ref *ref = &w->cond->lock.region;
	guint64 index;

	if (!ev->name || !lock_is_named(ref, ev->name))
		return FALSE;
	return !ref->indexed || ev->actor >= ACTORS_MAX ||
	       !lock_index(ev, w->touched[ev->actor], &index) || index == ref->index.num;
}

static gboolean has_word(const char *text, const char *word)
{
	gsize n = strlen(word);

	for (const char *p = text; p && (p = strstr(p, word)); p += n)
		if ((p == text || p[-1] == ' ') && (!p[n] || p[n] == ' '))
			return TRUE;
	return FALSE;
}

static gboolean lock_matches(const struct watch *w, const struct event *ev)
{
	const struct scn_lock_ref *l = &w->cond->lock;
	gboolean shared = has_word(ev->detail, "shared") || has_word(ev->detail, "read");
	gboolean guest = has_word(ev->detail, "guest");

	if (!lock_name_matches(w, ev))
		return FALSE;
	if (l->mode == SCN_LOCK_MODE_SHARED && !shared)
		return FALSE;
	if (l->mode == SCN_LOCK_MODE_EXCLUSIVE && shared)
		return FALSE;
	if (l->side == SCN_LOCK_SIDE_GUEST && !guest)
		return FALSE;
	return l->side != SCN_LOCK_SIDE_HOST || !guest;
}

static gboolean name_is(const struct event *ev, const char *name)
{
	return ev->name && name && !strcmp(ev->name, name);
}

/* A seam function's result is a word of its own in the event, a leaf's a status. */
static gboolean return_matches(const struct scn_cond *c, const struct event *ev)
{
	if (!name_is(ev, c->leaf) || !arg_matches(c, ev))
		return FALSE;
	if (c->status.status && ev->detail && !strcmp(ev->detail, c->status.status))
		return TRUE;
	return status_matches(ev->status, &c->status);
}

gboolean watch_event(struct watch *w, const struct event *ev)
{
	const struct scn_cond *c = w->cond;

	if (ev->type == EV_STEP && ev->actor < ACTORS_MAX)
		w->touched[ev->actor] = ev->p;
	switch (c->kind) {
	case SCN_COND_VALUE:
	case SCN_COND_CHANGES:
		return value_event(w);
	case SCN_COND_READS:
		return ev->type == EV_STEP && ev->op != MEM_WRITE &&
		       element_covers(&w->element, ev->p);
	case SCN_COND_WRITES:
		return ev->type == EV_STEP && event_stores(ev) &&
		       element_covers(&w->element, ev->p);
	case SCN_COND_CALL:
		return ev->type == EV_CALL && name_is(ev, c->leaf) && arg_matches(c, ev);
	case SCN_COND_RETURN:
		return ev->type == EV_RETURN && return_matches(c, ev);
	case SCN_COND_LOCK:
		return ev->type == EV_LOCK && lock_matches(w, ev);
	case SCN_COND_UNLOCK:
		return ev->type == EV_UNLOCK && lock_name_matches(w, ev);
	case SCN_COND_BUSY:
		return ev->type == EV_BUSY && lock_matches(w, ev);
	case SCN_COND_BLOCKED:
		return ev->type == EV_BLOCKED;
	case SCN_COND_ENTER:
		return ev->type == EV_ENTER;
	case SCN_COND_EXIT:
		return ev->type == EV_EXIT && (!c->reason || name_is(ev, c->reason));
	case SCN_COND_KICK_REQUESTED:
		return ev->type == EV_KICK && name_is(ev, "requested");
	case SCN_COND_KICK_SENT:
		return ev->type == EV_KICK && name_is(ev, "sent");
	case SCN_COND_KICK_ACKED:
		return ev->type == EV_KICK && name_is(ev, "acked");
	case SCN_COND_INTERRUPT:
		return ev->type == EV_INTERRUPT;
	case SCN_COND_STEP:
		return ev->type == EV_STEP;
	case SCN_COND_TIMEOUT:
		return ev->type == EV_TIMEOUT;
	case SCN_COND_END:
		return ev->type == EV_OP_END;
	}
	return FALSE;
}

/* The element after @next, computed on a copy of its word. */
static gboolean value_next(struct watch *w, const struct pending *next)
{
	struct element *e = &w->element;
	struct element_value now, then;
	struct element copy;
	struct region moved;
	guint64 word[2] = { 0 };
	gsize off;

	if (!element_covers(e, next->p) || !op_stores(next) || next->size > 8)
		return FALSE;
	off = (gsize)((char *)next->p - (char *)e->p);
	if (off + next->size > sizeof(word))
		return FALSE;
	memcpy(word, e->p, MIN((gsize)e->region->size, sizeof(word)));
	mem_effect(next->op, next->size, (char *)word + off, next->a, next->b);
	element_read(e, &now);
	moved = *e->region;
	moved.base = word;
	moved.count = 1;
	copy = *e;
	copy.region = &moved;
	copy.p = word;
	element_read(&copy, &then);
	return transition(w->cond, &now, &then);
}

/* The word of lock NAME: its own region, TDCS.NAME, or TDCS.NAME_LOCK beside a value NAME. */
static gboolean is_lock_word(const struct region_type *t, const char *name)
{
	const char *dot = strrchr(t->name, '.');
	const char *last = dot ? dot + 1 : t->name;
	char locked[64];

	g_snprintf(locked, sizeof(locked), "%s_LOCK", name);
	if (!strcmp(last, locked))
		return TRUE;
	if (strcmp(last, name))
		return FALSE;
	g_snprintf(locked, sizeof(locked), "TDCS.%s_LOCK", name);
	return !region_type_by_name(locked);
}

/* The lock's word before and after @next, which touches it. */
static void word_next(const struct region *r, const struct pending *next, guint64 *was,
		      guint64 *then)
{
	guint64 word = 0;

	memcpy(&word, next->p, next->size);
	*was = word;
	mem_effect(next->op, next->size, &word, next->a, next->b);
	*then = word;
	if (!strcmp(r->type->name, "sept")) {	/* the lock is one bit of the entry */
		*was &= SEPT_LOCK_BIT;
		*then &= SEPT_LOCK_BIT;
	}
}

/*
 * A lock is taken by a step that makes its word greater, and given back by one that makes
 * it less: so count the module's and the kernel's alike.
 */
static gboolean lock_next(struct watch *w, const struct pending *next, gboolean take)
{
	const struct scn_region_ref *ref = &w->cond->lock.region;
	struct region *r = next->p ? region_at(next->p) : NULL;
	guint64 was, then;

	if (!r || !op_stores(next) || next->size > 8 || !is_lock_word(r->type, ref->name))
		return FALSE;
	if (ref->indexed && region_index(r, next->p) != ref->index.num)
		return FALSE;
	word_next(r, next, &was, &then);
	return take ? then > was : then < was;
}

gboolean watch_next(struct watch *w, const struct pending *next)
{
	switch (w->cond->kind) {
	case SCN_COND_VALUE:
	case SCN_COND_CHANGES:
		return value_next(w, next);
	case SCN_COND_READS:
		return next->op != MEM_WRITE && next->op != MEM_FENCE &&
		       element_covers(&w->element, next->p);
	case SCN_COND_WRITES:
		return op_stores(next) && element_covers(&w->element, next->p);
	case SCN_COND_LOCK:
		return lock_next(w, next, TRUE);
	case SCN_COND_UNLOCK:
		return lock_next(w, next, FALSE);
	default:
		return w->armed;
	}
}

bool watch_done(void *watch, const struct event *ev)
{
	struct watch *w = watch;

	return watch_event(w, ev) && ++w->times >= w->cond->count;
}

/*
 * Short of an event that is no step (a call, a return): it has been announced, and the
 * actor stands before the next step. xN stops short of the N-th.
 */
bool watch_before_event(void *watch, const struct event *ev)
{
	struct watch *w = watch;

	if (watch_event(w, ev) && ++w->times >= w->cond->count)
		w->armed = TRUE;
	return false;
}

bool watch_before(void *watch, const struct pending *next)
{
	struct watch *w = watch;

	switch (w->cond->kind) {
	case SCN_COND_VALUE:
	case SCN_COND_CHANGES:
	case SCN_COND_READS:
	case SCN_COND_WRITES:
	case SCN_COND_LOCK:
	case SCN_COND_UNLOCK:
		return watch_next(w, next) && w->times + 1 >= w->cond->count;
	default:
		return w->armed;
	}
}

gboolean watch_start(struct watch *w, struct sim *sim, const struct scn_cond *cond,
		     const char **why)
{
	memset(w, 0, sizeof(*w));
	w->cond = cond;
	w->sim = sim;
	switch (cond->kind) {
	case SCN_COND_VALUE:
	case SCN_COND_CHANGES:
	case SCN_COND_READS:
	case SCN_COND_WRITES:
		if (!element_find(sim, &cond->region, &w->element, why))
			return FALSE;
		element_read(&w->element, &w->last);
		return TRUE;
	default:
		return TRUE;
	}
}
