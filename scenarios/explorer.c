// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a case to a search and back: init lines in virtual time, then time ends and the
 * engine's explorer takes over; what it finds is shrunk, played once more with the recorder
 * on, and judged. Rests on sim/engine/explore.h.
 */
#include "scenarios/explorer_priv.h"

#include <string.h>
#include <time.h>

#include "scenarios/found.h"
#include "scenarios/replayer.h"
#include "sim/engine/check.h"
#include "sim/engine/meets.h"
#include "sim/engine/region.h"
#include "sim/engine/search.h"
#include "sim/engine/tso.h"

/* ---- while it searches ---- */

/* The rules listen; nothing is recorded. */
void explorer_listen(void *ctx, const struct event *ev)
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

/* Of this process. */
static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void say_progress(const struct explorer *e, const struct explore_result *so_far)
{
	struct explore_progress p = { .so_far = so_far, .doing = e->doing, .seconds = seconds_since(e->since) };
	GArray *pairs = coverage_pairs(e->out->coverage);

	p.pairs = pairs->len;
	for (guint i = 0; i < pairs->len; i++)
		p.pairs_met += coverage_is_met(&g_array_index(pairs, struct coverage_pair, i));
	g_array_unref(pairs);
	e->req->progress(e->req->ctx, &p);
}

static bool tick(void *ctx, const struct explore_result *so_far)
{
	struct explorer *e = ctx;
	gint64 now = g_get_monotonic_time();

	if (e->req->progress && now - e->shown > G_USEC_PER_SEC / 5) {
		e->shown = now;
		say_progress(e, so_far);
	}
	if (!e->req->seconds)
		return true;
	return (e->req->cpu ? cpu_seconds() - e->cpu_since : seconds_since(e->since)) <
	       e->req->seconds;
}

/* Has everything been met that the case expects to be? */
static bool enough(void *ctx, const struct explore_result *so_far)
{
	struct explorer *e = ctx;

	return !e->req->engine.keep_going && expect_all_found(&e->pl, so_far);
}

/* What a worker's rules have tolerated: words, each with its final 0, and an empty one. */
static void give(void *ctx, GByteArray *to)
{
	struct explorer *e = ctx;
	GHashTableIter it;
	gpointer id;

	g_hash_table_iter_init(&it, e->pl.tolerated);
	while (g_hash_table_iter_next(&it, &id, NULL))
		g_byte_array_append(to, id, (guint)strlen(id) + 1);
	g_byte_array_append(to, (const u8 *)"", 1);
	coverage_give(e->out->coverage, to);
}

static void take(void *ctx, const u8 *p, u64 n)
{
	struct explorer *e = ctx;
	const u8 *end = p + n;

	for (; *p; p += strlen((const char *)p) + 1)
		g_hash_table_add(e->pl.tolerated, (gpointer)g_intern_string((const char *)p));
	p++;
	coverage_take(e->out->coverage, p, (u64)(end - p));
}

static void apart(void *ctx)
{
	struct explorer *e = ctx;

	coverage_apart(e->out->coverage);
}

guint play_progress_kinds(guint limit)
{
	return (limit & SCN_PROGRESS_HOST ? PROGRESS_OP : 0) |
	       (limit & SCN_PROGRESS_GUEST ? PROGRESS_INSN : 0) |
	       (limit & SCN_PROGRESS_SEPT ? PROGRESS_SEPT : 0);
}

struct explore_options explorer_options(struct explorer *e)
{
	struct explore_options o = e->req->engine;

	o.tick = tick;
	o.ctx = e;
	o.progress = play_progress_kinds(e->pl.c->limit.progress);
	o.livelock |= expect_wants_no_end(&e->pl);
	/* One broken rule need not be the one that is expected. */
	o.keep_going = true;
	o.enough = enough;
	o.meets = e->meets;
	o.give = give;
	o.take = take;
	o.apart = apart;
	if (e->pl.opt->carrier == CARRIER_PTHREAD)	/* a fork would leave the threads behind */
		o.jobs = 0;
	return o;
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
	struct explore_options more = *o;
	struct sim *sim = e->pl.sim;
	struct explore_result *r;
	gboolean first;

	tso_learn(sim);
	r = explore(sim, o);	/* of a search that is resumed: the one that it was in */
	more.resume = NULL;
	first = !tso_buffers(sim);
	while (!r->found->len && g_strcmp0(r->bounded_by, "interrupt") &&
	       g_strcmp0(r->bounded_by, "checkpoint") && (tso_buffer(sim) || first)) {
		if (first)
			search_begin(sim);	/* the storers are new */
		first = FALSE;
		explore_result_free(r);
		r = explore(sim, &more);
	}
	tso_words(sim, add_word, e);
	return r;
}

static struct explore_result *not_followed(struct explorer *e, const char *why)
{
	e->pl.res->end = PLAY_UNREACHABLE;
	e->pl.res->why = play_result_str(e->pl.res, why);
	return NULL;
}

/* No search: one execution, as the request says. NULL: the way does not fit. */
static struct explore_result *follow(struct explorer *e)
{
	const struct way *way = e->req->way;
	struct trail taken = { 0 };
	struct explore_result *r;
	struct explore_found *f;
	char *why = NULL;

	if (e->out->tso) {
		e->out->tso = FALSE;
		return not_followed(e, "the case is under x86-TSO, and --replay has no store buffers: which "
				       "words they hold is learned by a search. --memory sc plays it without");
	}
	r = g_new0(struct explore_result, 1);
	f = way ? replay_way(&e->pl, way, &taken, &why) : replay_rows(&e->pl, &taken, &why);
	r->found = g_ptr_array_new_with_free_func(explore_found_free);
	r->word = EXPLORE_REPLAYED;
	r->executions = r->jobs = 1;
	r->switches_done = -1;
	r->transitions = r->depth = explorer_steps(&taken);
	if (f)
		g_ptr_array_add(r->found, f);
	trail_free(&taken);
	if (!why)
		return r;
	explore_result_free(r);
	not_followed(e, why);
	g_free(why);
	return NULL;
}

void explorer_init(struct explorer *e, struct explored *out, const struct scenario *sc,
		   const struct scenario_case *c, const struct play_options *opt,
		   const struct explore_request *req)
{
	*e = (struct explorer){ .req = req, .out = out };
	e->names = g_ptr_array_new();
	e->meets = meets_new();
	player_init(&e->pl, sc, c, opt);
	e->pl.res->costs = "";	/* there is no time, so nothing has a price */
}

gboolean explorer_open(struct explorer *e, gboolean covered)
{
	struct sim *sim;

	if (!player_start(&e->pl) || !player_init_lines(&e->pl))
		return FALSE;
	sim = e->pl.sim;
	player_open(&e->pl);
	search_take_over(sim);
	trace_listen(sim, explorer_listen, e);
	e->begun = g_new0(const char *, e->pl.ncast + 1);
	trace_listen(sim, note_begun, e);
	if (covered)
		e->out->coverage = coverage_new(sim);
	search_begin(sim);
	trace_unlisten(sim, note_begun, e);
	e->since = e->shown = g_get_monotonic_time();
	e->cpu_since = cpu_seconds();
	return TRUE;
}

struct play_result *explorer_close(struct explorer *e)
{
	struct play_result *r;

	if (e->begun)
		trace_unlisten(e->pl.sim, explorer_listen, e);
	r = player_end(&e->pl);
	g_ptr_array_unref(e->names);
	meets_free(e->meets);
	g_free(e->begun);
	return r;
}

static void search(struct explorer *e)
{
	struct explore_options o = explorer_options(e);

	e->out->tso = e->req->memory == EXPLORE_TSO ||
		      (e->req->memory == EXPLORE_MEMORY_FILE && e->pl.c->limit.tso);
	e->out->engine = e->req->replay ? follow(e) : e->out->tso ? search_tso(e, &o) :
			 explore(e->pl.sim, &o);
	e->out->resumed = o.resume != NULL;
	e->out->seconds = seconds_since(e->since);
	if (e->out->engine && !g_strcmp0(e->out->engine->bounded_by, "checkpoint"))
		play_refuse(&e->pl, NULL, "%s: the search cannot go on from there", o.resume);
	coverage_stop(e->out->coverage);
	for (guint i = 0; e->out->engine && i < e->out->engine->found->len && !e->pl.refused; i++)
		explorer_take(e, e->out->engine->found->pdata[i]);
}

struct explored *scenario_explore(const struct scenario *sc, const struct scenario_case *c,
				  const struct play_options *opt,
				  const struct explore_request *req)
{
	struct explored *out = g_new0(struct explored, 1);
	struct explorer e;

	out->buffered = g_ptr_array_new_with_free_func(g_free);
	out->violations = g_ptr_array_new_with_free_func(explored_violation_free);
	explorer_init(&e, out, sc, c, opt, req);
	if (explorer_open(&e, TRUE))
		search(&e);
	if (!e.pl.refused)
		expect_judge_explored(&e.pl, out->engine);
	out->res = explorer_close(&e);
	for (guint i = 0; i < out->violations->len; i++) {
		explorer_choose_scenario(out->violations->pdata[i], opt);
		smaller_case(&e, i);
	}
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
