// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocking chains: follow who waits for what to who holds it, and say where that one
 * stands. Reads only.
 */
#include <stdio.h>
#include <string.h>

#include "sim/engine/explain.h"
#include "sim/engine/lockdep.h"
#include "sim/engine/mem.h"
#include "sim/engine/priv.h"
#include "sim/engine/region.h"
#include "sim/engine/text.h"

static void add_wait(const struct actor *a, char *buf, size_t n)
{
	const struct pending *w = &a->pending;
	struct region *r = region_at(w->p);
	char name[64], value[96], lock[200];

	if (lock_explain(w->p, lock, sizeof(lock))) {
		text_add(buf, n, "%s waits since cycle %llu for %s", a->name,
		    (unsigned long long)a->blocked_since, lock);
		return;
	}
	region_name_of(w->p, name, sizeof(name));
	if (r)
		region_value(r, region_raw(r, w->p), value, sizeof(value));
	else
		snprintf(value, sizeof(value), "0x%llx",
			 (unsigned long long)word_at(w->p, w->size));
	text_add(buf, n, "%s waits since cycle %llu in %s() for %s & 0x%llx = 0x%llx, which is %s",
	    a->name, (unsigned long long)a->blocked_since, w->site->func, name, (unsigned long long)w->a, (unsigned long long)w->b, value);
}

void explain_actor(struct sim *sim, const struct actor *a, char *buf, size_t n)
{
	buf[0] = 0;
	switch (a->state) {
	case ACTOR_BLOCKED:
		add_wait(a, buf, n);
		break;
	case ACTOR_PARKED:
		text_add(buf, n, "%s has nothing to do (%s)", a->name, a->parked_why);
		break;
	case ACTOR_DONE:
		text_add(buf, n, "%s is done", a->name);
		break;
	default:
		if (actor_waits(a))
			add_wait(a, buf, n);
		else if (a->pending.site)
			text_add(buf, n, "%s can run (it stands in %s())", a->name,
			    a->pending.site->func);
		else
			text_add(buf, n, "%s can run", a->name);
	}
}

static void add_polled(struct sim *sim, const void *p, char *buf, size_t n)
{
	const struct last_write *w = script_last_write(sim, p);
	struct region *r = region_at(p);
	char name[64], value[96];

	if (!r || !w)
		return;
	region_name_of(p, name, sizeof(name));
	region_value(r, region_raw(r, p), value, sizeof(value));
	text_add(buf, n, "; it polls %s, which is %s since cycle %llu (%s)", name, value,
	    (unsigned long long)w->clock, actor_by_id(sim, w->actor) ?
	    actor_by_id(sim, w->actor)->name : "init");
}

void explain_spin(struct sim *sim, const struct actor *a, const char *func, const void *polled,
		  char *buf, size_t n)
{
	buf[0] = 0;
	text_add(buf, n, "%s spins: the same state again in %s()", a->name, func);
	if (polled)
		add_polled(sim, polled, buf, n);
	for (u32 i = 0; i < the_world->nactors; i++) {
		const struct actor *b = the_world->actor[i];

		if (b->background || b->state != ACTOR_BLOCKED)
			continue;
		text_add(buf, n, "; ");
		add_wait(b, buf, n);
	}
}

void sim_explain(struct sim *sim, FILE *out)
{
	char line[400];

	for (u32 i = 0; i < the_world->nactors; i++) {
		const struct actor *a = the_world->actor[i];

		if (a->background && a->state != ACTOR_READY)
			continue;
		explain_actor(sim, a, line, sizeof(line));
		fprintf(out, "%s\n", line);
	}
}
