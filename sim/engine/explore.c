// SPDX-License-Identifier: GPL-2.0-only
/*
 * The explorer's frame: what a search found, marks of a whole state, when to look up.
 */
#include <string.h>

#include "sim/engine/check.h"
#include "sim/engine/crew.h"
#include "sim/engine/explain.h"
#include "sim/engine/tso.h"

#define TICK	4096u		/* transitions between two looks at the clock */

/* ---- marks ---- */

struct point point_set(struct sim *sim)
{
	return (struct point){
		.undo = undo_mark(), .seq = sim->seq, .ring_count = sim->ring_count,
		.violations = sim->violations->len, .stopping = sim->stopping,
	};
}

void point_back(struct sim *sim, const struct point *p)
{
	undo_to(p->undo);
	sim->seq = p->seq;
	sim->ring_count = p->ring_count;
	sim->stopping = p->stopping;
	g_ptr_array_set_size(sim->violations, (int)p->violations);
}

/* ---- the way taken ---- */

void trail_add(struct trail *t, u16 v)
{
	if (!(t->n & (t->n - 1)))
		t->v = g_renew(u16, t->v, t->n ? 2 * t->n : 1);
	t->v[t->n++] = v;
	t->loop = t->n;
}

void trail_add_step(struct trail *t, const struct actor *a, const struct inner *in)
{
	trail_add(t, a->id);
	for (u32 i = 0; i < in->len; i++)
		trail_add(t, (u16)(TRAIL_INNER | in->v[i]));
}

void trail_free(struct trail *t)
{
	g_free(t->v);
	*t = (struct trail){ 0 };
}

u32 trail_switches(const struct trail *t)
{
	u32 n = 0, last = ACTOR_ROOT;

	for (u32 i = 0; i < t->n; i++) {
		if (t->v[i] & TRAIL_INNER)
			continue;
		n += last != ACTOR_ROOT && t->v[i] != last;
		last = t->v[i];
	}
	return n;
}

/* ---- what is found ---- */

void explore_found_free(gpointer found)
{
	struct explore_found *f = found;

	if (!f)
		return;
	g_free(f->where);
	g_free(f->text);
	g_free(f->site);
	trail_free(&f->trail);
	g_free(f);
}

struct explore_found *explore_found_new(struct sim *sim, const struct trail *t)
{
	const struct violation *v = check_fatal(sim);
	struct explore_found *f = g_new0(struct explore_found, 1);

	f->id = g_intern_string(v->id);
	f->where = g_strdup(v->where);
	f->text = g_strdup(v->text);
	f->site = g_strdup(v->actor == ACTOR_ROOT || !sim->last_site ? "" :
			   sim->last_site->func);
	f->times = 1;
	f->met = g_get_monotonic_time();
	f->trail = (struct trail){ g_memdup2(t->v, t->n * sizeof(u16)), t->n, t->loop };
	f->preemptions = trail_switches(t);
	return f;
}

struct explore_found *explore_found_copy(const struct explore_found *f)
{
	struct explore_found *copy = g_memdup2(f, sizeof(*f));

	copy->where = g_strdup(f->where);
	copy->text = g_strdup(f->text);
	copy->site = g_strdup(f->site);
	copy->trail.v = g_memdup2(f->trail.v, f->trail.n * sizeof(u16));
	return copy;
}

bool explore_same(const struct explore_found *a, const struct explore_found *b)
{
	return a->id == b->id && !strcmp(a->where, b->where) && !strcmp(a->site, b->site);
}

u32 explore_note(struct explore *x, const struct trail *t)
{
	struct explore_found *f = explore_found_new(x->sim, t);
	u32 i;

	f->executions = x->res->before + x->res->executions;
	for (i = 0; i < x->res->found->len; i++) {
		struct explore_found *old = x->res->found->pdata[i];

		if (!explore_same(old, f))
			continue;
		old->times++;
		explore_found_free(f);
		return i;
	}
	g_ptr_array_add(x->res->found, f);
	if (!x->opt->keep_going || (x->opt->enough && x->opt->enough(x->opt->ctx, x->res)))
		x->stop = x->enough = true;
	return i;
}

char *explore_waits(struct sim *sim)
{
	GString *s = g_string_new(NULL);
	char one[400];

	for (u32 i = 0; i < the_world->nactors; i++) {
		const struct actor *a = the_world->actor[i];

		if (a->background || a->state == ACTOR_PARKED || a->state == ACTOR_DONE ||
		    !actor_waits(a))
			continue;
		explain_actor(sim, a, one, sizeof(one));
		g_string_append_printf(s, "; %s", one);
	}
	return g_string_free(s, FALSE);
}

bool explore_any_enabled(struct sim *sim)
{
	for (u32 i = 0; i < the_world->nactors; i++)
		if (actor_enabled(the_world->actor[i]))
			return true;
	return false;
}

void explore_tick(struct explore *x)
{
	if (x->res->transitions < x->next_tick)
		return;
	x->next_tick = x->res->transitions + TICK;
	if (x->sim->stop || (x->opt->tick && !x->opt->tick(x->opt->ctx, x->res))) {
		x->stop = true;
		x->res->bounded_by = x->sim->stop ? "interrupt" : "time";
	}
}

/* ---- all of it ---- */

static enum explore_word word_of(const struct explore *x)
{
	if (x->opt->driver != EXPLORE_ALL)
		return EXPLORE_SAMPLED;
	return x->res->bounded_by || x->stop ? EXPLORE_BOUNDED : EXPLORE_PROVED;
}

void explore_check(struct sim *sim, struct explore_result *res)
{
	static const struct explore_options plain = { .preemptions = -1 };

	for (u32 i = 0; i < res->found->len; i++) {
		struct explore_found *f = res->found->pdata[i], *again;

		if (f->trail.loop < f->trail.n || !f->trail.n || f->crash)
			continue;	/* a livelock has no end; a wrong key no way */
		again = explore_replay(sim, &plain, &f->trail, NULL, NULL);
		if (!again || again->id != f->id)
			sim_die("the way to %s %s does not lead there again", f->id, f->where);
		f->preemptions = again->preemptions;
		explore_found_free(again);
	}
}

void explore_alone(struct explore *x)
{
	struct choose_driver driver = { inner_pick, &x->inner };

	if (x->sim->box)
		x->sim->box->n = 0;
	choose_drive(x->sim, &driver);
	if (x->opt->driver == EXPLORE_ALL)
		explore_dfs(x);
	else
		explore_sample(x);
	choose_drive(x->sim, NULL);
}

void explore_settle(struct explore *x)
{
	struct explore_result *res = x->res;
	const struct left_out *out = x->out;

	explore_check(x->sim, res);
	res->seldom = out->seldom;
	if (x->enough)
		res->bounded_by = "violation";
	else if (!res->bounded_by && out->pruned > 0)
		res->bounded_by = "preemptions";
	else if (!res->bounded_by && out->tired)
		res->bounded_by = "laps";
	else if (!res->bounded_by && out->seldom)
		res->bounded_by = "often";
	if (!res->bounded_by && tso_cut(x->sim))
		res->bounded_by = "buffers";
	res->word = word_of(x);
}

void explore_once(struct sim *sim, const struct explore_options *opt, struct explore_result *res)
{
	struct left_out out = { 0 };
	struct explore x = { .sim = sim, .opt = opt, .res = res, .out = &out };

	if (opt->jobs)
		crew_search(&x);
	else
		explore_alone(&x);
	explore_settle(&x);
}

struct explore_result *explore(struct sim *sim, const struct explore_options *opt)
{
	struct explore_result *res = g_new0(struct explore_result, 1);

	res->found = g_ptr_array_new_with_free_func(explore_found_free);
	res->switches_done = -1;
	if (opt->driver == EXPLORE_MIX)
		explore_mix(sim, opt, res);
	else
		explore_once(sim, opt, res);
	return res;
}

void explore_result_free(struct explore_result *r)
{
	if (!r)
		return;
	g_ptr_array_unref(r->found);
	g_free(r->grows);
	g_free(r);
}
