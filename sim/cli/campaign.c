// SPDX-License-Identifier: GPL-2.0-only
/*
 * septsim campaign: everything there is, against one KVM. The scenarios as their files expect;
 * the schedules that were made to break wrong code, on the code as it is; the operations of
 * each in many orders; random programs. What breaks and does not break the reference (this
 * project's own KVM, no switch on) is told. Items are forked workers; what they give does not
 * depend on how many run at a time.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "scenarios/diag.h"
#include "scenarios/explorer.h"
#include "scenarios/program.h"
#include "scenarios/vocab.h"
#include "sim/cli/campaign_known.h"
#include "sim/cli/cli.h"
#include "sim/cli/plan.h"
#include "sim/engine/farm.h"
#include "sim/engine/rewind.h"
#include "sim/report/campaign.h"

#define HUNG		60u	/* seconds of processor time after which an item is hung */
#define SEARCH_SECONDS	20.0	/* of processor time, of one search at most; states end it sooner */
#define NOT_AS_EXPECTED	"not-as-expected"
#define BATCH		64u	/* items between two looks at the clock */

static struct {
	int programs, executions, jobs;
	double seconds, cpu;
	gboolean first;
	char *summary, *found, *only, *lines, *good_in;
} raw = { .programs = 200, .executions = 300, .jobs = 0 };

static const GOptionEntry extra[] = {
	{ "time", 't', 0, G_OPTION_ARG_DOUBLE, &raw.seconds, "Begin nothing new after so long",
	  "SECONDS" },
	{ "cpu", 0, 0, G_OPTION_ARG_DOUBLE, &raw.cpu,
	  "Begin nothing new after so much processor time, which other load does not stretch",
	  "SECONDS" },
	{ "programs", 0, 0, G_OPTION_ARG_INT, &raw.programs, "Random programs (default 200)", "N" },
	{ "executions", 0, 0, G_OPTION_ARG_INT, &raw.executions,
	  "Samples of each (default 300)", "N" },
	{ "first", 0, 0, G_OPTION_ARG_NONE, &raw.first, "Stop at the first thing that breaks",
	  NULL },
	{ "only", 0, 0, G_OPTION_ARG_STRING, &raw.only,
	  "Only scenario, schedule, search or random items", "KIND" },
	{ "jobs", 'j', 0, G_OPTION_ARG_INT, &raw.jobs, "Processes at a time (default: one a processor)",
	  "N" },
	{ "summary", 0, 0, G_OPTION_ARG_FILENAME, &raw.summary,
	  "Write every item, for `septsim kernel` to compare", "FILE" },
	{ "good-in", 0, 0, G_OPTION_ARG_FILENAME, &raw.good_in,
	  "Only items that were good in this --summary", "FILE" },
	{ "lines", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, &raw.lines,
	  "Count these places of the program, a number each", "FILE" },
	{ "found", 0, 0, G_OPTION_ARG_FILENAME, &raw.found,
	  "Write what breaks as scenarios into this directory", "DIR" },
	{ NULL }
};

/* What all workers share. */
struct common {
	volatile bool stop;	/* enough was found */
	_Atomic gint64 cpu;	/* us that workers have used */
};

struct campaigner {
	struct cli *cli;
	struct plan *plan;
	gint64 until;		/* 0: no limit */
	gint64 cpu;		/* us of processor time; 0: no limit */
	struct common *common;
	guint at;		/* first task of this batch */
	struct lines *lines;	/* watched places; NULL: none */
};

/* ---- one item, in a worker ---- */

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
static gboolean is_enough(const struct campaign_item *i)
{
	return raw.first && i->verdict == CAMPAIGN_BAD &&
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
	GString *text = program_random(PROGRAM_RACE, t->seed, 0, NULL);
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

static gboolean time_is_up(const struct campaigner *k)
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

static int work(void *ctx, u32 n, FILE *out)
{
	struct campaigner *k = ctx;
	const struct task *t = plan_task(k->plan, k->at + n);
	struct campaign_item *i = campaign_item_new(t->phase, t->name, t->c ? t->c->name : "");

	k->cli->play.lines = k->lines;
	k->cli->play.line_outcomes = t->phase != CAMPAIGN_SEARCH;
	arm();
	if (k->common->stop || time_is_up(k) || cli_interrupted())
		i->verdict = CAMPAIGN_LATE;
	else if (t->phase == CAMPAIGN_SCENARIO)
		do_scenario(k, t, i);
	else if (t->phase == CAMPAIGN_SCHEDULE)
		do_schedule(k, t, i);
	else if (t->phase == CAMPAIGN_SEARCH)
		do_search(k, t, i);
	else
		do_random(k, t, i);
	if (is_enough(i))
		k->common->stop = true;
	campaign_item_write(i, out);
	if (k->lines)
		write_lines(k, out);
	campaign_item_free(i);
	atomic_fetch_add(&k->common->cpu, cpu_used());
	return 0;
}

/* ---- all of them ---- */

/* Code of the kernel that dies, or spins without a step, is something that breaks. */
static struct campaign_item *died(const struct task *t, const struct farm_result *r)
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

static struct campaign_item *take_output(struct campaign *c, const char *text)
{
	char **lines = g_strsplit(text, "\n", -1);
	struct campaign_item *item = lines[0] ? campaign_item_read(lines[0]) : NULL;

	for (guint i = 1; item && lines[i]; i++)
		campaign_take_line(c, lines[i]);
	g_strfreev(lines);
	return item;
}

static void show_progress(const struct campaign *c, guint done, guint all)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\rcampaign: %u of %u, %u broken\033[K\r", done, all,
			campaign_count(c, -1, CAMPAIGN_BAD));
}

static void run_all(struct campaigner *k, struct campaign *c)
{
	guint all = plan_tasks(k->plan);

	for (k->at = 0; k->at < all; k->at += BATCH) {
		guint n = MIN(BATCH, all - k->at);
		struct farm_result *r;

		if (time_is_up(k) || cli_interrupted())
			k->common->stop = true;
		r = farm_run(&(struct farm_work){
			.n = k->common->stop ? 0 : n, .jobs = (u32)raw.jobs, .stint = 1,
			.job = work, .ctx = k, .stop = cli_interrupt_flag() });
		for (guint i = 0; i < n; i++) {
			const struct task *t = plan_task(k->plan, k->at + i);
			struct farm_result none = { .done = false };
			struct farm_result *one = k->common->stop && !r ? &none : &r[i];
			struct campaign_item *item = NULL;

			if (one->done && !one->signal && one->out)
				item = take_output(c, one->out->str);
			if (!item)
				item = died(t, one);
			if (is_enough(item))
				k->common->stop = true;
			g_ptr_array_add(c->items, item);
		}
		if (r)
			farm_free(r, n);
		show_progress(c, k->at + n, all);
	}
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

static void set_basis(struct campaigner *k, struct campaign *c)
{
	GString *s = g_string_new(NULL);
	struct report_look wide = { .width = 100000 };
	GPtrArray *samples = k->plan->samples;
	const struct play_result *r = samples->len ? samples->pdata[0] : NULL;

	if (r) {
		report_summary(samples, &wide, "Searched, sampled and", s);
		s->str[s->len - 1] = '\0';	/* the newline */
		g_free(c->basis);
		c->basis = g_string_free(s, FALSE);
		c->basis[strcspn(c->basis, "R")] = 'r';
	} else {
		g_string_free(s, TRUE);
	}
	g_free(c->backend);
	c->backend = g_strdup_printf("%s (%s%s%s)", r ? r->backend :
				     k->cli->play.backend == KMMU_LINUX ? "linux" : "own",
				     r ? r->kvm : DEFAULT_KVM,
				     r && *r->switches ? " " : "", r ? r->switches : "");
}

static gboolean write_summary(const struct campaign *c)
{
	FILE *f;

	if (!raw.summary)
		return TRUE;
	f = fopen(raw.summary, "w");
	if (!f)
		return cli_fail("--summary %s: %s", raw.summary, g_strerror(errno)), FALSE;
	campaign_write(c, f);
	if (fclose(f))
		return cli_fail("--summary %s: not all could be written", raw.summary), FALSE;
	return TRUE;
}

static void write_found(const struct campaign *c)
{
	if (raw.found && g_mkdir_with_parents(raw.found, 0777))
		cli_fail("--found %s: %s", raw.found, g_strerror(errno));
	for (guint n = 0; raw.found && n < c->items->len; n++) {
		const struct campaign_item *i = c->items->pdata[n];
		char *name, *path;
		GError *err = NULL;

		if (i->verdict != CAMPAIGN_BAD || !*i->file)
			continue;
		name = g_strdup_printf("%s%s%s.scn", i->scenario, *i->case_name ? "-" : "",
				       i->case_name);
		g_strdelimit(name, "/ ", '-');
		path = g_build_filename(raw.found, name, NULL);
		if (!g_file_set_contents(path, i->file, -1, &err)) {
			cli_fail("--found %s: %s", path, err->message);
			g_clear_error(&err);
		}
		g_free(path);
		g_free(name);
	}
}

static gboolean options_are_good(void)
{
	if (raw.programs < 0 || raw.executions < 1 || raw.seconds < 0 || raw.cpu < 0 || raw.jobs < 0)
		return cli_fail("a number of an option is too small"), FALSE;
	if (raw.only && plan_phase(raw.only) < 0)
		return cli_fail("--only is scenario, schedule, search or random, not %s", raw.only),
		       FALSE;
	if (!rewind_possible())
		return cli_fail("this build has TSan in it, which does not follow a stack that is put "
				"back: campaign wants another"), FALSE;
	return TRUE;
}

/* Leave out of the plan what was not good there: on this tree it says nothing new. */
static gboolean keep_good(struct campaigner *k)
{
	GError *err = NULL;
	struct campaign *c = raw.good_in ? campaign_read(raw.good_in, &err) : NULL;
	GHashTable *good;
	GArray *tasks = k->plan->tasks;

	if (!raw.good_in)
		return TRUE;
	if (!c) {
		cli_fail("--good-in: %s", err->message);
		g_clear_error(&err);
		return FALSE;
	}
	good = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (guint i = 0; i < c->items->len; i++) {
		const struct campaign_item *x = c->items->pdata[i];

		if (x->verdict == CAMPAIGN_GOOD)
			g_hash_table_add(good, g_strdup_printf("%d %s %s", x->phase, x->scenario,
							       x->case_name));
	}
	for (guint i = tasks->len; i--;) {
		const struct task *t = &g_array_index(tasks, struct task, i);
		char *key = g_strdup_printf("%d %s %s", t->phase, t->name, t->c ? t->c->name : "");

		if (!g_hash_table_contains(good, key))
			g_array_remove_index(tasks, i);
		g_free(key);
	}
	g_hash_table_unref(good);
	campaign_free(c);
	return TRUE;
}

static gboolean load_lines(struct campaigner *k)
{
	char *text, **words;
	GError *err = NULL;

	if (!raw.lines)
		return TRUE;
	if (!g_file_get_contents(raw.lines, &text, NULL, &err)) {
		cli_fail("--lines: %s", err->message);
		g_clear_error(&err);
		return FALSE;
	}
	k->lines = lines_new();
	words = g_strsplit_set(text, " \n", -1);
	for (char **w = words; *w; w++)
		if (**w)
			lines_watch(k->lines, g_ascii_strtoull(*w, NULL, 0));
	g_strfreev(words);
	g_free(text);
	return TRUE;
}

static int campaign(struct cli *cli, int n, char **files)
{
	struct campaigner k = { .cli = cli };
	struct campaign *c = campaign_new();
	gint64 since = g_get_monotonic_time();
	GString *out = g_string_new(NULL);
	int code = EXIT_AS_EXPECTED;

	k.plan = plan_new(cli, n, files, (guint)raw.programs, (guint64)raw.executions,
			  raw.only ? plan_phase(raw.only) : -1);
	if (!k.plan || !keep_good(&k) || !load_lines(&k)) {
		code = EXIT_INPUT;
		goto out;
	}
	k.common = mmap(NULL, sizeof(*k.common), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	if (k.common == MAP_FAILED) {
		code = cli_fail("%s", g_strerror(errno));
		goto out;
	}
	k.until = raw.seconds > 0 ? since + (gint64)(raw.seconds * G_USEC_PER_SEC) : 0;
	k.cpu = (gint64)(raw.cpu * G_USEC_PER_SEC);
	run_all(&k, c);
	c->seconds = (double)(g_get_monotonic_time() - since) / G_USEC_PER_SEC;
	set_basis(&k, c);
	report_campaign(c, &cli->look, out);
	fwrite(out->str, 1, out->len, stdout);
	write_found(c);
	if (campaign_count(c, -1, CAMPAIGN_BAD) || cli_interrupted())
		code = EXIT_NOT_EXPECTED;
	else if (!campaign_count(c, -1, CAMPAIGN_GOOD))
		code = EXIT_INPUT;
	if (!write_summary(c))
		code = EXIT_INPUT;
	munmap(k.common, sizeof(*k.common));
out:
	plan_free(k.plan);
	lines_free(k.lines);
	campaign_free(c);
	g_string_free(out, TRUE);
	return code;
}

int cmd_campaign(int argc, char **argv)
{
	struct cli cli;
	int code;

	if (!cli_parse(&cli, &argc, &argv, "FILE...",
		       "septsim campaign scenarios/races/*.scn scenarios/memory/*.scn",
		       "Plays and searches each case of each FILE, and random programs besides, and\n"
		       "prints a report. `septsim kernel PATH` does this with a kernel tree.", extra,
		       &code))
		return code;
	if (argc < 2)
		code = cli_fail("campaign wants a FILE; `septsim campaign --help`");
	else if (!options_are_good())
		code = EXIT_INPUT;
	else {
		cli_catch_interrupts();
		code = campaign(&cli, argc - 1, argv + 1);
	}
	cli_free(&cli);
	return code;
}
