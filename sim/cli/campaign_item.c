// SPDX-License-Identifier: GPL-2.0-only
/*
 * One item of a campaign, in a worker of its own: played or searched, and judged. What breaks and
 * does not break the reference is bad; what this backend or a shim has not is skipped.
 */
#include "sim/cli/campaign_item.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "scenarios/diag.h"
#include "scenarios/explorer.h"
#include "scenarios/program.h"
#include "scenarios/vocab.h"
#include "sim/cli/campaign_known.h"

#define HUNG		60u	/* seconds of processor time after which an item is hung */
#define SEARCH_SECONDS	20.0	/* of processor time, of one search at most; states end it sooner */
#define NOT_AS_EXPECTED	"not-as-expected"

static void set(char **to, const char *text)
{
	g_free(*to);
	*to = g_strdup(text);
}

/* What the tree wanted and the shim has not is no fault of the tree. */
static gboolean is_missing(const char *text)
{
	return text && strstr(text, "which nothing stands for here");
}

static void skipped(struct campaign_item *i, const struct play_result *r)
{
	/* "FILE:LINE:COL: error: why", and the line: the reason alone is the same for many */
	const char *at = r->why ? strstr(r->why, "error: ") : NULL;
	const char *why = at ? at + strlen("error: ") : r->why ? r->why : "its init lines do not end";

	i->verdict = CAMPAIGN_SKIPPED;
	g_free(i->why);
	i->why = g_strndup(why, strcspn(why, "\n"));
}

/* A row that cannot be followed, an event that is missing: not what it was, and no harm yet. */
gboolean campaign_is_enough(const struct campaigner *k, const struct campaign_item *i)
{
	return k->first && i->verdict == CAMPAIGN_BAD &&
	       strcmp(i->id, play_end_name(PLAY_UNREACHABLE)) && strcmp(i->id, NOT_AS_EXPECTED);
}

/* What was broken: a rule, or how the run ended. */
static void name_broken(struct campaign_item *i, const struct play_result *r)
{
	const struct play_violation *v = campaign_broken_by(r);

	set(&i->id, v ? v->id : r->end == PLAY_DONE ? NOT_AS_EXPECTED : play_end_name(r->end));
	set(&i->where, v ? v->where : "");
	set(&i->why, v ? v->text : r->why ? r->why : "an expectation does not hold");
}

/* An operation that this backend has not yet says so and does nothing. */
static gboolean did_nothing(struct campaign_item *i, const struct play_result *r)
{
	for (guint n = 0; n < r->events->len; n++) {
		const struct play_event *e = &g_array_index(r->events, struct play_event, n);

		if (e->type != EV_OP_END || g_strcmp0(e->detail, "not supported yet"))
			continue;
		i->verdict = CAMPAIGN_SKIPPED;
		g_free(i->why);
		i->why = g_strdup_printf("'%.*s' is no operation of this backend "
					 "(docs/your-kernel.md)", (int)strcspn(e->name, " "), e->name);
		return TRUE;
	}
	return FALSE;
}

/* TRUE if what was broken is that something is missing here: then nothing is judged. */
static gboolean missing(struct campaign_item *i, const struct play_result *r)
{
	for (guint n = 0; n < r->violations->len; n++) {
		const struct play_violation *v =
			&g_array_index(r->violations, struct play_violation, n);

		if (!is_missing(v->text))
			continue;
		i->verdict = CAMPAIGN_SKIPPED;
		set(&i->why, v->text);
		return TRUE;
	}
	return FALSE;
}

static void draw_case(const struct campaigner *k, struct campaign_item *i,
		      const struct play_result *r)
{
	struct report_look look = k->cli->look;
	GString *s = g_string_new(NULL);

	look.quiet = FALSE;
	report_case(r, &look, s);
	g_free(i->table);
	i->table = g_string_free(s, FALSE);
}

/* What the file expects of another version need not hold of this one: the reference says. */
static gboolean reference_is_not_either(const struct campaigner *k, const struct task *t,
					const struct play_result *r)
{
	struct play_options ref = known_reference(&k->cli->play);
	struct play_result *own = scenario_play(t->sc, t->c, &ref);
	gboolean yes = !own->as_expected && known_end(r, own);

	play_result_free(own);
	return yes;
}

static void do_scenario(const struct campaigner *k, const struct task *t, struct campaign_item *i)
{
	struct play_result *r = scenario_play(t->sc, t->c, &k->cli->play);

	if (r->end == PLAY_REFUSED) {
		skipped(i, r);
	} else if (!did_nothing(i, r) && !r->as_expected && !missing(i, r)) {
		i->verdict = t->ported && reference_is_not_either(k, t, r) ? CAMPAIGN_KNOWN :
									     CAMPAIGN_BAD;
		name_broken(i, r);
		draw_case(k, i, r);
	}
	if (i->verdict == CAMPAIGN_GOOD && campaign_broken_by(r))
		name_broken(i, r);
	i->executions = 1;
	play_result_free(r);
}

static gboolean ended_badly(const struct play_result *r)
{
	return campaign_broken_by(r) || r->end == PLAY_DEADLOCK || r->end == PLAY_LIMIT;
}

/* Rows that cannot be followed are what is hoped for: the code does not let them. */
static void do_schedule(const struct campaigner *k, const struct task *t, struct campaign_item *i)
{
	struct play_result *r = scenario_play(t->sc, t->c, &k->cli->play);

	i->executions = 1;
	if (r->end == PLAY_REFUSED) {
		skipped(i, r);
	} else if (ended_badly(r) && !missing(i, r) && !did_nothing(i, r)) {
		struct play_options ref = known_reference(&k->cli->play);
		struct play_result *own = scenario_play(t->sc, t->c, &ref);

		name_broken(i, r);
		i->verdict = known_end(r, own) ? CAMPAIGN_KNOWN : CAMPAIGN_BAD;
		draw_case(k, i, r);
		play_result_free(own);
	}
	play_result_free(r);
}

static void take_violation(const struct campaigner *k, const struct explored *e,
			   const struct explored_violation *v, enum campaign_verdict verdict,
			   struct campaign_item *i)
{
	GString *s = g_string_new(NULL);

	i->verdict = verdict;
	set(&i->id, v->id);
	set(&i->where, v->where);
	set(&i->why, v->text);
	set(&i->file, v->scenario ? v->scenario : "");
	set(&i->pauses, v->pauses ? v->pauses : "");
	report_explored(e, &k->cli->look, FALSE, s);
	g_free(i->table);
	i->table = g_string_free(s, FALSE);
}

/* What was found first may be known, and hide what is not: then the search is made to its end. */
static void take_search(const struct campaigner *k, const struct task *t,
			const struct explore_request *q, struct explored *e,
			struct campaign_item *i)
{
	const struct play_options *o = &k->cli->play;
	const struct explored_violation *v = known_first_new(o, t, q, e);
	struct explore_request all = *q;
	struct explored *more;

	if (v) {
		take_violation(k, e, v, CAMPAIGN_BAD, i);
		return;
	}
	take_violation(k, e, e->violations->pdata[0], CAMPAIGN_KNOWN, i);
	all.engine.keep_going = TRUE;
	alarm(HUNG);
	more = scenario_explore(t->sc, t->c, o, &all);
	alarm(HUNG);
	v = known_first_new(o, t, q, more);
	if (v && !is_missing(v->text))
		take_violation(k, more, v, CAMPAIGN_BAD, i);
	explored_free(more);
}

static void do_search(const struct campaigner *k, const struct task *t, struct campaign_item *i)
{
	struct explore_request q = { .engine = t->engine, .seconds = SEARCH_SECONDS, .cpu = TRUE,
				     .shrink = TRUE, .soon = TRUE };
	struct explored *e;

	q.engine.seed = k->cli->play.seed;
	e = scenario_explore(t->sc, t->c, &k->cli->play, &q);
	if (e->res->end == PLAY_REFUSED || !e->engine) {
		if (!missing(i, e->res))
			skipped(i, e->res);
	} else {
		i->executions = e->engine->executions;
		if (e->violations->len && !missing(i, e->res))
			take_search(k, t, &q, e, i);
	}
	explored_free(e);
}

static void do_random(const struct campaigner *k, const struct task *t, struct campaign_item *i)
{
	GString *text = program_random(PROGRAM_RACE, t->seed, 0, k->plan->tree_kvm);
	struct diag *diag = diag_new();
	struct scenario *sc = scenario_parse_text(i->scenario, text->str, text->len, NULL,
						  scenario_vocab_model(), diag);

	if (!sc) {
		char *why = diag_format(diag);

		/* A program that does not parse is a fault of the generator. */
		i->verdict = CAMPAIGN_BAD;
		set(&i->id, "septsim-fault");
		set(&i->why, why);
		g_free(why);
	} else {
		struct task one = *t;

		one.sc = sc;
		one.c = sc->cases->pdata[0];
		do_search(k, &one, i);
		if (i->verdict == CAMPAIGN_BAD && !*i->file)
			set(&i->file, text->str);
		scenario_free(sc);
	}
	diag_free(diag);
	g_string_free(text, TRUE);
}

gboolean campaign_time_is_up(const struct campaigner *k)
{
	return (k->until && g_get_monotonic_time() >= k->until) ||
	       (k->cpu && atomic_load(&k->common->cpu) >= k->cpu);
}

/* Processor time of this process, in us. */
static gint64 cpu_used(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (gint64)t.tv_sec * G_USEC_PER_SEC + t.tv_nsec / 1000;
}

/* Code that spins without a step ends its worker; one that only has to wait does not. */
static void arm(void)
{
	const struct itimerval hung = { .it_value.tv_sec = HUNG };

	signal(SIGPROF, SIG_DFL);
	setitimer(ITIMER_PROF, &hung, NULL);
}

/* What of the watched places this item reached. */
static void write_lines(const struct campaigner *k, FILE *out)
{
	GHashTableIter it;
	gpointer p, key;
	struct campaign *c = campaign_new();

	g_hash_table_iter_init(&it, lines_blocks(k->lines));
	while (g_hash_table_iter_next(&it, NULL, &p)) {
		const struct line_block *b = p;
		struct campaign_line *l;
		GHashTableIter set;

		if (!b->hits)
			continue;
		l = campaign_line_at(c, b->pc);
		l->hits = b->hits;
		g_hash_table_iter_init(&set, b->contexts);
		while (g_hash_table_iter_next(&set, &key, NULL))
			g_hash_table_add(l->contexts, g_strdup_printf("%" G_GINT64_MODIFIER "x",
								      *(guint64 *)key));
		g_hash_table_iter_init(&set, b->outcomes);
		while (g_hash_table_iter_next(&set, &key, NULL))
			g_hash_table_add(l->outcomes, g_strdup(key));
		campaign_line_write(l, out);
	}
	campaign_free(c);
}

int campaign_work(void *ctx, u32 n, FILE *out)
{
	struct campaigner *k = ctx;
	const struct task *t = plan_task(k->plan, k->at + n);
	struct campaign_item *i = campaign_item_new(t->phase, t->name, t->c ? t->c->name : "");

	k->cli->play.lines = k->lines;
	k->cli->play.line_outcomes = t->phase != CAMPAIGN_SEARCH;
	arm();
	if (k->common->stop || campaign_time_is_up(k) || cli_interrupted())
		i->verdict = CAMPAIGN_LATE;
	else if (t->phase == CAMPAIGN_SCENARIO)
		do_scenario(k, t, i);
	else if (t->phase == CAMPAIGN_SCHEDULE)
		do_schedule(k, t, i);
	else if (t->phase == CAMPAIGN_SEARCH)
		do_search(k, t, i);
	else
		do_random(k, t, i);
	if (campaign_is_enough(k, i))
		k->common->stop = true;
	campaign_item_write(i, out);
	if (k->lines)
		write_lines(k, out);
	campaign_item_free(i);
	atomic_fetch_add(&k->common->cpu, cpu_used());
	return 0;
}

/* Code of the kernel that dies, or spins without a step, is something that breaks. */
struct campaign_item *campaign_died(const struct task *t, const struct farm_result *r)
{
	struct campaign_item *i = campaign_item_new(t->phase, t->name, t->c ? t->c->name : "");

	i->verdict = r->done ? CAMPAIGN_BAD : CAMPAIGN_LATE;
	set(&i->id, r->signal == SIGPROF ? "hang" : "crash");
	g_free(i->why);
	if (r->signal == SIGPROF)
		i->why = g_strdup_printf("no end after %u s of processor time", HUNG);
	else if (r->signal)
		i->why = g_strdup_printf("the worker died of signal %d (%s)", r->signal,
					 g_strsignal(r->signal));
	else
		i->why = g_strdup_printf("the worker ended with status %d", r->status);
	return i;
}
