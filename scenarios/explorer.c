// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a case to a search and back: init lines in virtual time, then time ends and the
 * engine's explorer takes over; what it finds is shrunk, played once more with the recorder
 * on, and judged. Rests on sim/engine/explore.h.
 */
#include "scenarios/explorer.h"

#include <string.h>

#include "scenarios/diag.h"
#include "scenarios/found.h"
#include "scenarios/pauses.h"
#include "scenarios/play_priv.h"
#include "sim/engine/check.h"
#include "sim/engine/meets.h"
#include "sim/engine/region.h"
#include "sim/engine/search.h"
#include "sim/engine/tso.h"

#define SHRINK_TRIES	2000u
#define SHRINK_STATES	300000u	/* of one search with fewer switches */
#define SOON_TRIES	100u
#define SOON_STATES	20000u
#define SOON_SWITCHES	3u

struct explorer {
	struct player pl;
	const struct explore_request *req;
	struct explored *out;
	gint64 since;			/* monotonic, us */
	gint64 shown;			/* when progress was last said */
	const char **begun;		/* by actor: operation begun before the first step */
	GPtrArray *names;		/* of actors by number, at the end of the way drawn last */
	struct meets *meets;		/* what all searches of the case have learned */
};

/* ---- while it searches ---- */

/* The rules listen; nothing is recorded. */
static void listen(void *ctx, const struct event *ev)
{
	struct explorer *e = ctx;

	/* What is tolerated ends no way; that it was met is all that is kept of it. */
	if (ev->type == EV_CHECK && check_is_tolerated(e->pl.sim, ev->name))
		g_hash_table_add(e->pl.tolerated, (gpointer)g_intern_string(ev->name));
	checks_event(e->pl.checks, ev);
	play_forbidden(&e->pl, ev);
}

/* Everybody is brought up to their first step: which operation is it in? */
static void note_begun(void *ctx, const struct event *ev)
{
	struct explorer *e = ctx;
	guint i = found_actor(&e->pl, ev);

	if (ev->type == EV_OP_BEGIN && i < e->pl.ncast)
		e->begun[i] = ev->name;
}

static double seconds_since(gint64 since)
{
	return (double)(g_get_monotonic_time() - since) / G_USEC_PER_SEC;
}

static bool tick(void *ctx, const struct explore_result *so_far)
{
	struct explorer *e = ctx;
	gint64 now = g_get_monotonic_time();

	if (e->req->progress && now - e->shown > G_USEC_PER_SEC / 5) {
		e->shown = now;
		e->req->progress(e->req->ctx, so_far, seconds_since(e->since));
	}
	return !e->req->seconds || seconds_since(e->since) < e->req->seconds;
}

/* Has everything been met that the case expects to be? */
static bool enough(void *ctx, const struct explore_result *so_far)
{
	struct explorer *e = ctx;

	return !e->req->engine.keep_going && expect_all_found(&e->pl, so_far);
}

/* What a worker's rules have tolerated: words, each with its final 0. */
static void give(void *ctx, GByteArray *to)
{
	struct explorer *e = ctx;
	GHashTableIter it;
	gpointer id;

	g_hash_table_iter_init(&it, e->pl.tolerated);
	while (g_hash_table_iter_next(&it, &id, NULL))
		g_byte_array_append(to, id, (guint)strlen(id) + 1);
}

static void take(void *ctx, const u8 *p, u64 n)
{
	struct explorer *e = ctx;

	for (u64 at = 0; at < n; at += strlen((const char *)p + at) + 1)
		g_hash_table_add(e->pl.tolerated,
				 (gpointer)g_intern_string((const char *)p + at));
}

static guint progress_kinds(guint limit)
{
	return (limit & SCN_PROGRESS_HOST ? PROGRESS_OP : 0) |
	       (limit & SCN_PROGRESS_GUEST ? PROGRESS_INSN : 0) |
	       (limit & SCN_PROGRESS_SEPT ? PROGRESS_SEPT : 0);
}

static struct explore_options engine_options(struct explorer *e)
{
	struct explore_options o = e->req->engine;

	o.tick = tick;
	o.ctx = e;
	o.progress = progress_kinds(e->pl.c->limit.progress);
	o.livelock |= expect_wants_no_end(&e->pl);
	/* One broken rule need not be the one that is expected. */
	o.keep_going = true;
	o.enough = enough;
	o.meets = e->meets;
	o.give = give;
	o.take = take;
	if (e->pl.opt->carrier == CARRIER_PTHREAD)	/* a fork would leave the threads behind */
		o.jobs = 0;
	return o;
}

/* ---- what it found ---- */

static guint steps_of(const struct trail *t)
{
	guint n = 0;

	for (u32 i = 0; i < t->n; i++)
		n += !(t->v[i] & TRAIL_INNER);
	return n;
}

/*
 * The same violation with as few switches as can be: searched for, not only shortened. What
 * is found so has the fewest, as all ways with fewer have been tried.
 */
static void fewest_switches(struct explorer *e, struct explore_found *f)
{
	guint most = e->req->soon ? MIN(f->preemptions, SOON_SWITCHES) : f->preemptions;

	for (guint n = 0; n < most; n++) {
		struct explore_options o = engine_options(e);
		struct explore_result *r;
		gboolean done = FALSE;

		o.preemptions = (int)n;
		o.states = e->req->soon ? SOON_STATES : SHRINK_STATES;
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
		for (guint i = 0; i < r->found->len && !done; i++) {
			struct explore_found *g = r->found->pdata[i];

			if (g->id != f->id || strcmp(g->where, f->where))
				continue;
			trail_free(&f->trail);
			f->trail = g->trail;
			f->preemptions = g->preemptions;
			g->trail = (struct trail){ 0 };
			done = TRUE;
		}
		explore_result_free(r);
		if (done)
			return;
	}
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
	struct pauses *pauses = pauses_new(e->pl.sim);

	e->pl.res = drawn = play_result_new();
	player_describe(&e->pl);
	drawn->costs = "";
	drawn->unit = "step";
	trace_unlisten(e->pl.sim, listen, e);
	play_record_start(&e->pl);
	trace_listen(e->pl.sim, found_log_event, log);
	explore_found_free(explore_replay(e->pl.sim, &o, &way, &taken, NULL));
	trace_unlisten(e->pl.sim, found_log_event, log);
	trace_listen(e->pl.sim, listen, e);
	/* `run` has no store buffers. */
	for (guint i = 0; i < G_N_ELEMENTS(v->scn) && !v->loops && !e->out->tso && !f->crash; i++)
		v->scn[i] = found_text(log, v->id, v->where, i == 0);
	found_log_free(log);
	v->pauses = pauses_text(pauses);
	pauses_free(pauses);
	taken.loop = f->trail.loop < f->trail.n ? f->trail.loop : taken.n;
	v->choices = choices_text(e->names, f->crash ? &f->trail : &taken);
	trail_free(&taken);
	e->pl.res = kept;
	return drawn;
}

static void take_found(struct explorer *e, struct explore_found *f)
{
	struct explored_violation *v = g_new0(struct explored_violation, 1);
	struct play_violation x = { .actor = "" };

	v->loops = f->trail.loop < f->trail.n;
	v->steps_found = steps_of(&f->trail);
	v->switches_found = f->preemptions;
	v->executions = f->executions + 1;
	v->microseconds = f->met - e->since;
	v->times = f->times;
	v->crash = f->crash;
	if (e->req->shrink && f->trail.n && !v->loops && !f->crash) {
		fewest_switches(e, f);
		explore_shrink(e->pl.sim, f, e->req->soon ? SOON_TRIES : SHRINK_TRIES);
	}
	v->id = f->id;
	v->where = g_strdup(f->where);
	v->text = g_strdup(f->text);
	v->site = g_strdup(f->site);
	v->steps = steps_of(&f->trail);
	v->switches = f->preemptions;
	if (f->crash ? before_crash(f).n > 0 : f->trail.n > 0)
		v->drawn = draw(e, f, v);
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
	struct scenario *sc = scenario_parse_text("FOUND.scn", text, strlen(text), NULL, NULL, diag);
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
static void choose_scenario(struct explored_violation *v, const struct play_options *opt)
{
	for (guint i = 0; i < G_N_ELEMENTS(v->scn); i++) {
		if (!v->scn[i] || !replays(v->scn[i], opt, v))
			continue;
		v->scenario = v->scn[i];
		return;
	}
}

/* ---- a case ---- */

static void add_word(void *ctx, const void *p)
{
	struct explorer *e = ctx;
	char name[96];

	/* A word of 8 bytes, whose second half may be the one with a name. */
	if (!region_at(p))
		p = (const char *)p + 4;
	g_ptr_array_add(e->out->buffered, g_strdup(region_name_of(p, name, sizeof(name))));
}

/*
 * Under TSO: a search without buffers shows which words are shared, one with buffers for those
 * may show more, until it shows no new one. What breaks a rule on the way is a violation
 * under TSO, too, as it allows all that sequential consistency does.
 */
static struct explore_result *search_tso(struct explorer *e, const struct explore_options *o)
{
	struct sim *sim = e->pl.sim;
	struct explore_result *r;
	gboolean first = TRUE;

	tso_learn(sim);
	r = explore(sim, o);
	while (!r->found->len && g_strcmp0(r->bounded_by, "interrupt") &&
	       (tso_buffer(sim) || first)) {
		if (first)
			search_begin(sim);	/* the storers are new */
		first = FALSE;
		explore_result_free(r);
		r = explore(sim, o);
	}
	tso_words(sim, add_word, e);
	return r;
}

static void search(struct explorer *e)
{
	struct explore_options o;

	player_open(&e->pl);
	search_take_over(e->pl.sim);
	trace_listen(e->pl.sim, listen, e);
	e->begun = g_new0(const char *, e->pl.ncast + 1);
	trace_listen(e->pl.sim, note_begun, e);
	e->out->coverage = coverage_new(e->pl.sim);
	search_begin(e->pl.sim);
	trace_unlisten(e->pl.sim, note_begun, e);
	e->meets = meets_new();
	o = engine_options(e);
	e->since = e->shown = g_get_monotonic_time();
	e->out->tso = e->req->memory == EXPLORE_TSO ||
		      (e->req->memory == EXPLORE_MEMORY_FILE && e->pl.c->limit.tso);
	e->out->engine = e->out->tso ? search_tso(e, &o) : explore(e->pl.sim, &o);
	e->out->seconds = seconds_since(e->since);
	if (!g_strcmp0(e->out->engine->bounded_by, "checkpoint"))
		play_refuse(&e->pl, NULL, "%s: the search cannot go on from there", o.resume);
	coverage_stop(e->out->coverage);
	for (guint i = 0; i < e->out->engine->found->len && !e->pl.refused; i++)
		take_found(e, e->out->engine->found->pdata[i]);
	trace_unlisten(e->pl.sim, listen, e);
	meets_free(e->meets);
}

static void violation_free(gpointer p)
{
	struct explored_violation *v = p;

	g_free((char *)v->where);
	g_free((char *)v->text);
	g_free((char *)v->site);
	g_free(v->choices);
	g_free(v->pauses);
	for (guint i = 0; i < G_N_ELEMENTS(v->scn); i++)
		g_free(v->scn[i]);
	if (v->drawn)
		play_result_free(v->drawn);
	g_free(v);
}

struct explored *scenario_explore(const struct scenario *sc, const struct scenario_case *c,
				  const struct play_options *opt,
				  const struct explore_request *req)
{
	struct explored *out = g_new0(struct explored, 1);
	struct explorer e = { .req = req, .out = out };

	e.names = g_ptr_array_new();
	out->buffered = g_ptr_array_new_with_free_func(g_free);
	out->violations = g_ptr_array_new_with_free_func(violation_free);
	player_init(&e.pl, sc, c, opt);
	e.pl.res->costs = "";	/* there is no time, so nothing has a price */
	if (player_start(&e.pl)) {
		if (player_init_lines(&e.pl))
			search(&e);
		if (!e.pl.refused)
			expect_judge_explored(&e.pl, out->engine);
	}
	out->res = player_end(&e.pl);
	for (guint i = 0; i < out->violations->len; i++)
		choose_scenario(out->violations->pdata[i], opt);
	g_ptr_array_unref(e.names);
	g_free(e.begun);
	return out;
}

void explored_free(struct explored *e)
{
	if (!e)
		return;
	g_ptr_array_unref(e->violations);
	g_ptr_array_unref(e->buffered);
	explore_result_free(e->engine);
	coverage_free(e->coverage);
	play_result_free(e->res);
	g_free(e);
}
