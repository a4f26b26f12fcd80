// SPDX-License-Identifier: GPL-2.0-only
/*
 * septsim explore: each case of each file, in every order of its steps, or in samples of them.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scenarios/explorer.h"
#include "sim/cli/cli.h"
#include "sim/engine/rewind.h"

static struct {
	int preemptions, pct, depth, verify, laps, jobs;
	gboolean coverage, suggest, all, random, no_hash, no_reduction, livelock, keep_going;
	gboolean no_shrink;
	gint64 executions, states, memory_limit;
	double seconds, every;
	char *only, *found, *memory, *checkpoint, *resume;
} raw = { .preemptions = -1, .jobs = 1, .memory_limit = -1 };

static const GOptionEntry extra[] = {
	{ "all", 'a', 0, G_OPTION_ARG_NONE, &raw.all,
	  "Every interleaving in one search, however large, and nothing else", NULL },
	{ "preemptions", 'p', 0, G_OPTION_ARG_INT, &raw.preemptions,
	  "At most N switches away from an actor that could go on", "N" },
	{ "laps", 0, 0, G_OPTION_ARG_INT, &raw.laps,
	  "With -p: rounds of a loop that gets nowhere before others go on (default 8)", "N" },
	{ "random", 0, 0, G_OPTION_ARG_NONE, &raw.random, "Sample: uniform at each step", NULL },
	{ "pct", 0, 0, G_OPTION_ARG_INT, &raw.pct,
	  "Sample: random priorities that change D - 1 times", "D" },
	{ "executions", 0, 0, G_OPTION_ARG_INT64, &raw.executions,
	  "Samples: so many executions (default 10000)", "N" },
	{ "time", 't', 0, G_OPTION_ARG_DOUBLE, &raw.seconds, "Stop each case after so long",
	  "SECONDS" },
	{ "states", 0, 0, G_OPTION_ARG_INT64, &raw.states, "Stop each case after so many states",
	  "N" },
	{ "memory-limit", 0, 0, G_OPTION_ARG_INT64, &raw.memory_limit,
	  "Stop each case before its tables and stacks take more; 0: never (default: half of what "
	  "is free)", "MIB" },
	{ "jobs", 'j', 0, G_OPTION_ARG_INT, &raw.jobs,
	  "Processes that share the work; 0: one a processor (default 1)", "N" },
	{ "checkpoint", 0, 0, G_OPTION_ARG_FILENAME, &raw.checkpoint,
	  "Keep in FILE where the search of one case stands, every few seconds", "FILE" },
	{ "checkpoint-every", 0, 0, G_OPTION_ARG_DOUBLE, &raw.every,
	  "... so often (default 4): the search that is lost at most", "SECONDS" },
	{ "resume", 0, 0, G_OPTION_ARG_FILENAME, &raw.resume,
	  "Go on from there, and keep it there unless --checkpoint says elsewhere", "FILE" },
	{ "depth", 0, 0, G_OPTION_ARG_INT, &raw.depth, "Cut executions off after so many steps",
	  "N" },
	{ "livelock", 0, 0, G_OPTION_ARG_NONE, &raw.livelock,
	  "Look for livelock and starvation too (twice the memory)", NULL },
	{ "keep-going", 'k', 0, G_OPTION_ARG_NONE, &raw.keep_going,
	  "Collect every distinct violation", NULL },
	{ "no-shrink", 0, 0, G_OPTION_ARG_NONE, &raw.no_shrink, "Show ways as they were found",
	  NULL },
	{ "no-hash", 0, 0, G_OPTION_ARG_NONE, &raw.no_hash,
	  "Remember no states; leave out what commutes", NULL },
	{ "no-reduction", 0, 0, G_OPTION_ARG_NONE, &raw.no_reduction,
	  "Remember no states and leave out nothing", NULL },
	{ "verify-key", 0, 0, G_OPTION_ARG_INT, &raw.verify,
	  "Run sampled merges of states on for N steps from both pasts", "N" },
	{ "memory", 0, 0, G_OPTION_ARG_STRING, &raw.memory,
	  "Memory model, over the case's: sc, or tso (store buffers)", "MODEL" },
	{ "coverage", 0, 0, G_OPTION_ARG_NONE, &raw.coverage,
	  "Which operations met at which locks, as a matrix", NULL },
	{ "suggest", 0, 0, G_OPTION_ARG_NONE, &raw.suggest,
	  "Operations that never met at a lock, with rows of a schedule in which they might", NULL },
	{ "found", 0, 0, G_OPTION_ARG_FILENAME, &raw.found,
	  "Write the first violation as this scenario, which run replays", "FILE.scn" },
	{ "case", 0, 0, G_OPTION_ARG_STRING, &raw.only, "This case of the file only", "NAME" },
	{ NULL }
};

/* What is in progress, on a terminal: one line that is written over. */
static void show_progress(void *ctx, const struct explore_result *r, double seconds)
{
	const char *name = ctx;
	guint64 n = r->states ? r->states : r->executions;

	fprintf(stderr, "\r%s: %" G_GUINT64_FORMAT " %s, %" G_GUINT64_FORMAT " executions, depth %u, "
		"%.0f/s, %.0f s\033[K\r", name, n, r->states ? "states" : "samples", r->executions,
		r->depth, seconds > 0 ? (double)n / seconds : 0, seconds);
}

/* Does it ask for no way to search in particular? */
static gboolean is_plain(void)
{
	return !raw.all && raw.preemptions < 0 && !raw.no_hash && !raw.no_reduction &&
	       !raw.verify && !raw.states && !raw.depth;
}

/* What a search is of, so that a checkpoint is not taken for another's. */
static char *identity_of(const struct cli *cli, const char *path, const char *case_name)
{
	const struct play_options *p = &cli->play;
	GString *s = g_string_new("septsim " SEPTSIM_VERSION "\n");
	char *text = NULL, *sum;
	GList *keys;
	gsize n = 0;

	g_file_get_contents(path, &text, &n, NULL);
	sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)text, n);
	g_string_append_printf(s, "file %s\ncase %s\n", sum, case_name);
	g_string_append_printf(s, "kvm %s\ntdx %s\npolicy %s\n", p->kvm ? p->kvm : "",
			       p->tdx ? p->tdx : "", p->policy ? p->policy : "");
	for (const char *const *w = p->switches; w && *w; w++)
		g_string_append_printf(s, "switch %s\n", *w);
	for (const char *const *w = p->policy_args; w && *w; w++)
		g_string_append_printf(s, "argument %s\n", *w);
	keys = g_list_sort(g_hash_table_get_keys(cli->defines), (GCompareFunc)strcmp);
	for (GList *l = keys; l; l = l->next)
		g_string_append_printf(s, "define %s=%s\n", (char *)l->data,
				       (char *)g_hash_table_lookup(cli->defines, l->data));
	g_list_free(keys);
	g_string_append_printf(s, "search %d %d %d %d %d %d %d %d %d %" G_GINT64_FORMAT " %"
			       G_GINT64_FORMAT " %" G_GUINT64_FORMAT "\n", raw.all, raw.preemptions, raw.laps,
			       raw.random, raw.pct, raw.depth, raw.keep_going, raw.no_hash,
			       raw.no_reduction, raw.executions, raw.states, p->seed);
	g_free(text);
	g_free(sum);
	return g_string_free(s, FALSE);
}

static gboolean take_jobs(struct explore_request *q)
{
	struct explore_options *o = &q->engine;

	if (raw.jobs < 0 || raw.jobs > (int)EXPLORE_JOBS_MAX)
		return cli_fail("--jobs wants 0 to %u, not %d", EXPLORE_JOBS_MAX, raw.jobs), FALSE;
	if (raw.memory_limit < -1)
		return cli_fail("--memory-limit is below 0"), FALSE;
	o->jobs = raw.jobs ? (u32)raw.jobs : MIN(g_get_num_processors(), EXPLORE_JOBS_MAX);
	o->memory_limit = raw.memory_limit < 0 ? cli_free_memory() : (u64)raw.memory_limit << 20;
	if (raw.every < 0 || raw.every > 3600)
		return cli_fail("--checkpoint-every wants 0 to 3600 seconds"), FALSE;
	o->checkpoint_ms = raw.every > 0 ? MAX((u32)(raw.every * 1000), 1u) : 0;
	o->resume = raw.resume;
	o->checkpoint = raw.checkpoint ? raw.checkpoint : raw.resume;
	if (o->checkpoint && (!explore_shares(o) || q->memory == EXPLORE_TSO))
		return cli_fail("--checkpoint and --resume serve --all, -p, --random and --pct, without "
				"--livelock, --verify-key, --no-hash, --no-reduction and --memory tso"),
		       FALSE;
	if (raw.jobs > 1 && !explore_shares(o))
		fprintf(stderr, "septsim: this search is not shared: --jobs serves --all, -p, --random "
			"and --pct, without --livelock, --verify-key, --no-hash and --no-reduction\n");
	return TRUE;
}

static gboolean take_options(struct explore_request *q, const struct cli *cli)
{
	struct explore_options *o = &q->engine;

	if (raw.random && raw.pct)
		return cli_fail("--random and --pct are two ways to sample: give one"), FALSE;
	if ((raw.random || raw.pct) && (raw.preemptions >= 0 || raw.no_hash || raw.no_reduction ||
					raw.livelock || raw.verify || raw.states))
		return cli_fail("a sample has no --preemptions, --states, --livelock, --no-hash, "
				"--no-reduction or --verify-key"), FALSE;
	if (raw.pct < 0 || raw.pct > 64)
		return cli_fail("--pct wants a depth of 1 to 64, not %d", raw.pct), FALSE;
	if (raw.preemptions < -1 || raw.executions < 0 || raw.states < 0 || raw.seconds < 0 ||
	    raw.depth < 0 || raw.verify < 0 || raw.laps < 0)
		return cli_fail("a number of an option is below 0"), FALSE;
	if (raw.executions && !raw.random && !raw.pct)
		return cli_fail("--executions is for samples (--random, --pct); a search has --states "
				"and --time"), FALSE;
	if (raw.livelock && (raw.preemptions >= 0 || raw.no_hash || raw.no_reduction))
		return cli_fail("--livelock wants all states: no --preemptions, --no-hash or "
				"--no-reduction"), FALSE;
	if (raw.memory && strcmp(raw.memory, "sc") && strcmp(raw.memory, "tso"))
		return cli_fail("--memory is sc or tso, not %s", raw.memory), FALSE;
	if (raw.memory)
		q->memory = !strcmp(raw.memory, "tso") ? EXPLORE_TSO : EXPLORE_SC;
	o->driver = raw.random ? EXPLORE_RANDOM : raw.pct ? EXPLORE_PCT : is_plain() ? EXPLORE_MIX :
		    EXPLORE_ALL;
	o->preemptions = raw.preemptions;
	o->laps = (u32)raw.laps;
	o->pct_depth = (u32)raw.pct;
	o->no_hash = raw.no_hash;
	o->no_reduction = raw.no_reduction;
	o->verify_key = (u32)raw.verify;
	o->livelock = raw.livelock;
	o->seed = cli->play.seed;
	o->executions = (u64)raw.executions;
	o->states = (u64)raw.states;
	o->depth = (u32)raw.depth;
	o->keep_going = raw.keep_going;
	q->seconds = raw.seconds;
	q->shrink = !raw.no_shrink;
	return take_jobs(q);
}

/* The first violation of all as a scenario. */
static void write_found(const struct explored *e)
{
	static gboolean written;
	const struct explored_violation *v = e->violations->len ? e->violations->pdata[0] : NULL;
	GError *err = NULL;

	if (!raw.found || !v || written)
		return;
	if (!v->scenario)
		fprintf(stderr, "septsim: %s is not written: no rows lead to this %s in virtual time; "
			"`--json` has its choices\n", raw.found, v->id);
	else if (!g_file_set_contents(raw.found, v->scenario, -1, &err))
		fprintf(stderr, "septsim: %s: %s\n", raw.found, err->message);
	else
		written = TRUE;
	g_clear_error(&err);
}

static int explore_case(struct cli *cli, struct explore_request *q, const struct scenario *sc,
			const struct scenario_case *c, gboolean first, GPtrArray *all)
{
	GString *out = g_string_new(NULL);
	struct explored *e;
	char *identity;

	fflush(stdout);
	q->ctx = (void *)sc->name;
	q->progress = isatty(STDERR_FILENO) ? show_progress : NULL;
	q->engine.identity = identity = identity_of(cli, sc->path, c->name);
	e = scenario_explore(sc, c, &cli->play, q);
	g_free(identity);
	if (q->progress)
		fputs("\r\033[K", stderr);
	g_ptr_array_add(all, e);
	write_found(e);
	if (e->res->end == PLAY_REFUSED) {
		fprintf(stderr, "%s\n", e->res->why);
	} else if (!cli->json) {
		if (first)
			report_title(e->res, &cli->look, out);
		report_explored(e, &cli->look, isatty(STDOUT_FILENO) || cli->look.verbose, out);
		if (e->engine && raw.coverage)
			report_coverage(e, &cli->look, out);
		if (e->engine && raw.suggest)
			report_suggest(e, &cli->look, out);
		fwrite(out->str, 1, out->len, stdout);
	}
	g_string_free(out, TRUE);
	for (guint i = 0; i < e->violations->len; i++)
		if (((struct explored_violation *)e->violations->pdata[i])->crash)
			return EXIT_FAULT;
	return worse(EXIT_AS_EXPECTED, e->res);
}

static int explore_file(struct cli *cli, struct explore_request *q, const char *path,
			GPtrArray *all)
{
	struct scenario *sc = cli_load(cli, path);
	int code = EXIT_AS_EXPECTED;
	gboolean first = TRUE;

	if (!sc)
		return EXIT_INPUT;
	if (q->engine.checkpoint && !raw.only && sc->cases->len > 1) {
		code = cli_fail("a checkpoint is of one case: give --case; %s has %u", path,
				sc->cases->len);
		scenario_free(sc);
		return code;
	}
	for (guint i = 0; i < sc->cases->len && !cli_interrupted(); i++) {
		const struct scenario_case *c = sc->cases->pdata[i];
		int one;

		if (raw.only && strcmp(raw.only, c->name))
			continue;
		one = explore_case(cli, q, sc, c, first, all);
		code = MAX(code, one);
		first = FALSE;
	}
	if (first && !cli_interrupted())
		code = cli_fail("%s has no case \"%s\"", path, raw.only);
	scenario_free(sc);
	return code;
}

static void finish(const struct cli *cli, const GPtrArray *all, gint64 since)
{
	GString *out = g_string_new(NULL);
	GPtrArray *results = g_ptr_array_new();

	for (guint i = 0; i < all->len; i++)
		g_ptr_array_add(results, ((struct explored *)all->pdata[i])->res);
	if (cli->json)
		report_explored_json(all, (g_get_monotonic_time() - since) * 1000, out);
	else if (all->len)
		report_summary(results, &cli->look, NULL, out);
	fwrite(out->str, 1, out->len, stdout);
	g_ptr_array_unref(results);
	g_string_free(out, TRUE);
}

int cmd_explore(int argc, char **argv)
{
	GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)explored_free);
	struct explore_request q = { .shrink = TRUE };
	gint64 since = g_get_monotonic_time();
	struct cli cli;
	int code;

	if (!cli_parse(&cli, &argc, &argv, "FILE...",
		       "septsim explore --case freeze/read scenarios/races/a01-zap-map-desync.scn",
		       "Searches each case of each FILE: after its init lines its operations take\n"
		       "their steps in every order; the schedule is not followed. What breaks a rule is\n"
		       "made small and drawn.", extra, &code))
		return code;
	if (argc < 2)
		return cli_fail("explore wants a FILE; `septsim explore --help`");
	if (!rewind_possible())
		return cli_fail("this build has TSan in it, which does not follow a stack that is put "
				"back: explore wants another");
	if (!take_options(&q, &cli))
		return EXIT_INPUT;
	if (q.engine.checkpoint && argc > 2)
		return cli_fail("a checkpoint is of one case: give one FILE");
	if (q.engine.checkpoint && !cli_keep_addresses())
		return EXIT_INPUT;
	cli_catch_interrupts();
	for (int i = 1; i < argc && !cli_interrupted(); i++) {
		int one = explore_file(&cli, &q, argv[i], all);

		code = MAX(code, one);
	}
	finish(&cli, all, since);
	if (cli_interrupted() && code == EXIT_AS_EXPECTED)
		code = EXIT_NOT_EXPECTED;
	g_ptr_array_unref(all);
	cli_free(&cli);
	return code;
}
