// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stops of a way, from its steps. Rests on sim/engine/trace.h.
 */
#include "scenarios/pauses.h"

#include "sim/engine/actor.h"
#include "sim/engine/site.h"
#include "sim/engine/trace.h"

#define BACK	100u	/* places that the other one has been at: one of them has a name */

struct taken {
	guint16 actor;
	const struct site *site;
};

struct pauses {
	struct sim *sim;
	GArray *steps;		/* struct taken */
	GArray *left;		/* struct taken: before which step who stood at the end */
};

static void event(void *ctx, const struct event *ev)
{
	struct pauses *p = ctx;
	struct taken t = { .actor = ev->actor, .site = ev->site };

	if (ev->type == EV_STEP && ev->site)
		g_array_append_val(p->steps, t);
}

struct pauses *pauses_new(struct sim *sim)
{
	struct pauses *p = g_new0(struct pauses, 1);

	p->sim = sim;
	p->steps = g_array_new(FALSE, FALSE, sizeof(struct taken));
	p->left = g_array_new(FALSE, FALSE, sizeof(struct taken));
	trace_listen(sim, event, p);
	return p;
}

void pauses_free(struct pauses *p)
{
	trace_unlisten(p->sim, event, p);
	g_array_unref(p->steps);
	g_array_unref(p->left);
	g_free(p);
}

static const char *name_of(const struct pauses *p, guint16 actor)
{
	const struct actor *a = actor < actor_count(p->sim) ? actor_by_id(p->sim, actor) : NULL;

	return a ? a->name : "?";
}

static void put(GString *s, const struct taken *t)
{
	g_string_append_printf(s, "\t%s\t%s\t%u", t->site->func, site_file(t->site), t->site->line);
}

/* Step @to, and what the same actor did before it, down to @from, each place once in a row */
static void put_back(GString *s, const struct pauses *p, guint from, guint to)
{
	const struct taken *last = &g_array_index(p->steps, struct taken, to);

	g_string_append_printf(s, "\t%s", name_of(p, last->actor));
	put(s, last);
	for (guint n = BACK; to-- > from && n;) {
		const struct taken *t = &g_array_index(p->steps, struct taken, to);

		if (t->actor != last->actor || t->site == last->site)
			continue;
		put(s, t);
		last = t;
		n--;
	}
}

void pauses_end(struct pauses *p)
{
	g_array_set_size(p->left, 0);
	for (guint i = 0; i < actor_count(p->sim); i++) {
		const struct actor *a = actor_by_id(p->sim, (u16)i);
		struct taken t = { .actor = a->id, .site = a->pending.site };

		if (a->state == ACTOR_READY && t.site)
			g_array_append_val(p->left, t);
	}
}

/* The step that @actor takes next from @k on, or stands before at the end; NULL: neither. */
static const struct taken *next_of(const struct pauses *p, guint16 actor, guint *k)
{
	while (*k < p->steps->len && g_array_index(p->steps, struct taken, *k).actor != actor)
		(*k)++;
	if (*k < p->steps->len)
		return &g_array_index(p->steps, struct taken, *k);
	for (guint i = 0; i < p->left->len; i++)
		if (g_array_index(p->left, struct taken, i).actor == actor)
			return &g_array_index(p->left, struct taken, i);
	return NULL;
}

char *pauses_text(const struct pauses *p)
{
	GString *s = g_string_new(NULL);

	for (guint i = 0; i + 1 < p->steps->len; i++) {
		const struct taken *t = &g_array_index(p->steps, struct taken, i), *next;
		guint k = i + 1;

		if (t[1].actor == t->actor)
			continue;
		next = next_of(p, t->actor, &k);
		if (!next)
			continue;	/* it has done all that it had to */
		g_string_append(s, name_of(p, next->actor));
		put(s, next);
		put_back(s, p, i + 1, k - 1);
		g_string_append_c(s, '\n');
	}
	return g_string_free(s, FALSE);
}
