// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stops of a way, from its steps. Rests on sim/engine/trace.h.
 */
#include "scenarios/pauses.h"

#include "sim/engine/actor.h"
#include "sim/engine/site.h"
#include "sim/engine/trace.h"

struct taken {
	guint16 actor;
	const struct site *site;
};

struct pauses {
	struct sim *sim;
	GArray *steps;		/* struct taken */
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
	trace_listen(sim, event, p);
	return p;
}

void pauses_free(struct pauses *p)
{
	trace_unlisten(p->sim, event, p);
	g_array_unref(p->steps);
	g_free(p);
}

static const char *name_of(const struct pauses *p, guint16 actor)
{
	const struct actor *a = actor < actor_count(p->sim) ? actor_by_id(p->sim, actor) : NULL;

	return a ? a->name : "?";
}

static void put(GString *s, const struct pauses *p, const struct taken *t)
{
	g_string_append_printf(s, "%s\t%s\t%s\t%u", name_of(p, t->actor), t->site->func,
			       site_file(t->site), t->site->line);
}

char *pauses_text(const struct pauses *p)
{
	GString *s = g_string_new(NULL);

	for (guint i = 0; i + 1 < p->steps->len; i++) {
		const struct taken *t = &g_array_index(p->steps, struct taken, i), *next, *last;
		guint k = i + 1;

		if (t[1].actor == t->actor)
			continue;
		while (k < p->steps->len &&
		       g_array_index(p->steps, struct taken, k).actor != t->actor)
			k++;
		if (k == p->steps->len)
			continue;
		next = &g_array_index(p->steps, struct taken, k);
		last = &g_array_index(p->steps, struct taken, k - 1);
		put(s, p, next);
		g_string_append_c(s, '\t');
		put(s, p, last);
		g_string_append_c(s, '\n');
	}
	return g_string_free(s, FALSE);
}
