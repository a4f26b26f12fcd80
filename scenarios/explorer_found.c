// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a search found: the way with the fewest switches, the shortest of those; drawn, in
 * words, and as a scenario. Rests on sim/engine/explore.h.
 */
#include "scenarios/explorer_priv.h"

#include <string.h>

#include "scenarios/diag.h"
#include "scenarios/found.h"
#include "scenarios/pauses.h"
#include "scenarios/vocab.h"
#include "sim/engine/check.h"

#define SHRINK_TRIES	2000u
#define SHRINK_STATES	300000u	/* of one search with fewer switches */
#define SOON_TRIES	100u
#define SOON_STATES	20000u
#define SOON_SWITCHES	3u

guint explorer_steps(const struct trail *t)
{
	guint n = 0;

	for (u32 i = 0; i < t->n; i++)
		n += !(t->v[i] & TRAIL_INNER);
	return n;
}

/* With --keep-going what is told apart stays apart. */
gboolean explorer_is_same(const struct explorer *e, const struct explore_found *a,
			  const struct explore_found *b)
{
	return explore_is_same(a, b, e->req->engine.keep_going);
}

/* The way of @g for that of @f, which stays what was found when it was. */
static void take_way(struct explore_found *f, struct explore_found *g)
{
	trail_free(&f->trail);
	f->trail = g->trail;
	f->preemptions = g->preemptions;
	g->trail = (struct trail){ 0 };
}

gboolean explorer_search_few(struct explorer *e, struct explore_found *f, guint most,
			     guint64 states)
{
	gboolean done = FALSE;

	for (guint n = 0; n <= most && !done; n++) {
		struct explore_options o = explorer_options(e);
		struct explore_result *r;

		o.preemptions = (int)n;
		o.states = states;
		o.executions = 0;
		o.livelock = false;
		o.driver = EXPLORE_ALL;
		o.focus = true;
		o.enough = NULL;
		o.no_hash = o.no_reduction = false;
		o.verify_key = 0;
		o.jobs = MIN(o.jobs, 1u);
		o.checkpoint = o.resume = NULL;
		r = explore(e->pl.sim, &o);
		e->spent += r->transitions;
		for (guint i = 0; i < r->found->len && !done; i++) {
			struct explore_found *g = r->found->pdata[i];

			if (g->crash || !explorer_is_same(e, f, g))
				continue;
			take_way(f, g);
			done = TRUE;
		}
		explore_result_free(r);
	}
	return done;
}

/*
 * The same violation with as few switches as can be: searched for, not only shortened. What
 * is found so has the fewest, as all ways with fewer have been tried.
 */
void explorer_shorten(struct explorer *e, struct explore_found *f)
{
	guint most = e->req->soon ? MIN(f->preemptions, SOON_SWITCHES) : f->preemptions;

	e->doing = "making it small";
	if (most)
		explorer_search_few(e, f, most - 1, e->req->soon ? SOON_STATES : SHRINK_STATES);
	explore_shrink(e->pl.sim, f, e->req->engine.keep_going,
		       e->req->soon ? SOON_TRIES : SHRINK_TRIES);
	e->doing = NULL;
}

/* The way in words: runs of one actor's steps, answers behind the step in which they fell. */
static char *choices_text(const GPtrArray *names, const struct trail *t)
{
	GString *s = g_string_new(NULL);
	const char *last = NULL;
	guint run = 0;

	for (u32 i = 0; i <= t->n; i++) {
		gboolean answer = i < t->n && t->v[i] & TRAIL_INNER;
		const char *name = i < t->n && !answer ? names->pdata[t->v[i]] : NULL;

		if (run && (i == t->n || answer || name != last || i == t->loop)) {
			if (run > 1)
				g_string_append_printf(s, "*%u", run);
			run = 0;
		}
		if (answer) {
			g_string_append_printf(s, ":%u", t->v[i] & ~TRAIL_INNER);
			last = NULL;
		} else if (name) {
			if (i == t->loop)
				g_string_append(s, " |");
			if (!run)
				g_string_append_printf(s, "%s%s", s->len ? " " : "", name);
			run++;
			last = name;
		}
	}
	return g_string_free(s, FALSE);
}

/* The sim stands at the end of the way: take what is to be shown. */
static void at_the_end(void *ctx)
{
	struct explorer *e = ctx;

	g_ptr_array_set_size(e->names, 0);	/* some are born on the way */
	for (guint i = 0; i < actor_count(e->pl.sim); i++)
		g_ptr_array_add(e->names, (gpointer)actor_by_id(e->pl.sim, (u16)i)->name);
	play_record_stop(&e->pl);
	e->pl.res->end = check_fatal(e->pl.sim) ? PLAY_VIOLATION : PLAY_DONE;
	player_take(&e->pl);
	pauses_end(e->pauses);
}

/* All but the step in which a process died, and no further. */
static struct trail before_crash(const struct explore_found *f)
{
	struct trail t = f->trail;

	while (t.n && t.v[t.n - 1] & TRAIL_INNER)
		t.n--;
	t.n -= t.n > 0;
	t.loop = t.n ? t.n - 1 : 0;
	return t;
}

/*
 * The way once more with the recorder on; its result is of its own. Steps are its time.
 */
static struct play_result *draw(struct explorer *e, const struct explore_found *f,
				struct explored_violation *v)
{
	struct explore_options o = { .preemptions = -1, .leaf = at_the_end, .ctx = e };
	struct play_result *kept = e->pl.res, *drawn;
	struct found_log *log = found_log_new(&e->pl, e->begun);
	struct trail taken = { 0 }, way = f->crash ? before_crash(f) : f->trail;

	e->pauses = pauses_new(e->pl.sim);
	e->pl.res = drawn = play_result_new();
	player_describe(&e->pl);
	drawn->costs = "";
	drawn->unit = "step";
	trace_unlisten(e->pl.sim, explorer_listen, e);
	play_record_start(&e->pl);
	trace_listen(e->pl.sim, found_log_event, log);
	explore_found_free(explore_replay(e->pl.sim, &o, &way, &taken, NULL));
	trace_unlisten(e->pl.sim, found_log_event, log);
	trace_listen(e->pl.sim, explorer_listen, e);
	/* `run` has no store buffers. */
	for (guint i = 0; i < G_N_ELEMENTS(v->scn) && !v->loops && !e->out->tso && !f->crash; i++)
		v->scn[i] = found_text(log, v->id, v->where, i == 0);
	found_log_free(log);
	v->pauses = pauses_text(e->pauses);
	pauses_free(e->pauses);
	taken.loop = f->trail.loop < f->trail.n ? f->trail.loop : taken.n;
	v->choices = choices_text(e->names, f->crash ? &f->trail : &taken);
	trail_free(&taken);
	e->pl.res = kept;
	return drawn;
}

struct drawing explorer_drawing_take(struct explored_violation *v)
{
	struct drawing d = {
		.steps = v->steps, .switches = v->switches, .choices = v->choices,
		.pauses = v->pauses, .drawn = v->drawn, .scn = { v->scn[0], v->scn[1] },
		.scenario = v->scenario,
	};

	explorer_drawing_give(v, (struct drawing){ 0 });
	return d;
}

void explorer_drawing_give(struct explored_violation *v, struct drawing d)
{
	v->steps = d.steps;
	v->switches = d.switches;
	v->choices = d.choices;
	v->pauses = d.pauses;
	v->drawn = d.drawn;
	v->scn[0] = d.scn[0];
	v->scn[1] = d.scn[1];
	v->scenario = d.scenario;
}

void explorer_drawing_free(struct drawing d)
{
	g_free(d.choices);
	g_free(d.pauses);
	for (guint i = 0; i < G_N_ELEMENTS(d.scn); i++)
		g_free(d.scn[i]);
	if (d.drawn)
		play_result_free(d.drawn);
}

void explorer_draw(struct explorer *e, const struct explore_found *f,
		   struct explored_violation *v)
{
	v->steps = explorer_steps(&f->trail);
	v->switches = f->preemptions;
	if (f->crash ? before_crash(f).n > 0 : f->trail.n > 0)
		v->drawn = draw(e, f, v);
}

void explorer_take(struct explorer *e, struct explore_found *f)
{
	struct explored_violation *v = g_new0(struct explored_violation, 1);
	struct play_violation x = { .actor = "" };

	v->loops = f->trail.loop < f->trail.n;
	v->steps_found = explorer_steps(&f->trail);
	v->switches_found = f->preemptions;
	v->executions = f->executions + 1;
	v->microseconds = f->met - e->since;
	v->times = f->times;
	v->crash = f->crash;
	if (e->req->shrink && !e->req->replay && f->trail.n && !v->loops && !f->crash)
		explorer_shorten(e, f);
	v->id = f->id;
	v->where = g_strdup(f->where);
	v->text = g_strdup(f->text);
	v->site = g_strdup(f->site);
	explorer_draw(e, f, v);
	g_ptr_array_add(e->out->violations, v);
	x.id = play_result_str(e->pl.res, v->id);
	x.where = play_result_str(e->pl.res, v->where);
	x.text = play_result_str(e->pl.res, v->text);
	g_array_append_val(e->pl.res->violations, x);
}

/* ---- as a scenario ---- */

static gboolean breaks(const struct play_result *r, const struct explored_violation *v)
{
	for (guint i = 0; i < r->violations->len; i++) {
		const struct play_violation *x =
			&g_array_index(r->violations, struct play_violation, i);

		if (!x->tolerated && !strcmp(x->id, v->id) && !strcmp(x->where, v->where))
			return TRUE;
	}
	return FALSE;
}

/* Virtual time and the rows of @text must lead to the same violation. */
static gboolean replays(const char *text, const struct play_options *opt,
			const struct explored_violation *v)
{
	struct play_options plain = { .carrier = opt->carrier, .backend = opt->backend };
	struct diag *diag = diag_new();
	struct scenario *sc = scenario_parse_text("FOUND.scn", text, strlen(text), NULL,
						  scenario_vocab_model(), diag);
	struct play_result *r;
	gboolean yes;

	diag_free(diag);
	if (!sc)
		return FALSE;
	r = scenario_play(sc, sc->cases->pdata[0], &plain);
	yes = breaks(r, v);
	play_result_free(r);
	scenario_free(sc);
	return yes;
}

/* Keep the first form that replays; the world is free for it by now. */
void explorer_choose_scenario(struct explored_violation *v, const struct play_options *opt)
{
	for (guint i = 0; i < G_N_ELEMENTS(v->scn); i++) {
		if (!v->scn[i] || !replays(v->scn[i], opt, v))
			continue;
		v->scenario = v->scn[i];
		return;
	}
}

void explored_violation_free(gpointer p)
{
	struct explored_violation *v = p;

	explorer_drawing_free(explorer_drawing_take(v));
	g_free((char *)v->where);
	g_free((char *)v->text);
	g_free((char *)v->site);
	g_free(v);
}
