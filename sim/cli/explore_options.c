// SPDX-License-Identifier: GPL-2.0-only
/*
 * The options of `septsim explore`: which search they ask for, and which of them do not go
 * together.
 */
#include <stdio.h>
#include <string.h>

#include "sim/cli/explore.h"

#define NONE		(-1234567890)	/* not given */
#define SECONDS_MAX	1e9
#define ROUNDS		2	/* of the mix, if nothing else ends it: some ten seconds */

static struct {
	int preemptions, pct, depth, verify, laps, jobs, rounds;
	gboolean coverage, suggest, all, random, no_hash, no_reduction, livelock, keep_going;
	gboolean no_shrink;
	gint64 executions, states, memory_limit;
	double seconds, every;
	char *only, *found, *memory, *checkpoint, *resume, *replay;
} raw = {
	.preemptions = NONE, .jobs = 1, .memory_limit = NONE, .pct = NONE, .executions = NONE,
	.states = NONE, .depth = NONE, .verify = NONE, .laps = NONE, .seconds = NONE,
	.every = NONE, .rounds = NONE,
};

static const GOptionEntry entries[] = {
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
	{ "rounds", 0, 0, G_OPTION_ARG_INT, &raw.rounds,
	  "Of the mix, each with eight times the last one's room; 0: no end (default 2; with --time no "
	  "end)", "N" },
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
	{ "replay", 0, 0, G_OPTION_ARG_FILENAME, &raw.replay,
	  "Follow one way instead: a schedule (FOUND.scn), or the choices of a way", "FILE" },
	{ "case", 0, 0, G_OPTION_ARG_STRING, &raw.only, "This case of the file only", "NAME" },
	{ NULL }
};

/* Does it ask for no way to search in particular? */
static gboolean is_plain(void)
{
	return !raw.all && raw.preemptions == NONE && !raw.no_hash && !raw.no_reduction &&
	       raw.verify == NONE && raw.states == NONE && raw.depth == NONE;
}

char *explore_identity(const struct cli *cli, const char *path, const char *case_name)
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
	g_string_append_printf(s, "search %d %d %d %d %d %d %d %d %d %d %d %s %" G_GINT64_FORMAT " %"
			       G_GINT64_FORMAT " %" G_GUINT64_FORMAT "\n", raw.all, raw.preemptions, raw.laps,
			       raw.random, raw.pct, raw.depth, raw.keep_going, raw.no_hash,
			       raw.no_reduction, raw.livelock, raw.verify, raw.memory ? raw.memory : "",
			       raw.executions, raw.states, p->seed);
	g_free(text);
	g_free(sum);
	return g_string_free(s, FALSE);
}

/* A number that an option does not take is said with the numbers that it does. */
static gboolean in_range(void)
{
	const struct {
		const char *name;
		gint64 value, least, most, unset;
		const char *wants;
	} all[] = {
		{ "preemptions", raw.preemptions, 0, 1000, NONE, "0 to 1000 switches" },
		{ "laps", raw.laps, 1, 1000000, NONE, "1 to 1000000 rounds" },
		{ "pct", raw.pct, 1, 64, NONE, "a depth of 1 to 64" },
		{ "executions", raw.executions, 1, G_MAXINT64, NONE, "1 or more" },
		{ "states", raw.states, 1, G_MAXINT64, NONE, "1 or more" },
		{ "rounds", raw.rounds, 0, 1000, NONE, "0 (no end) to 1000 rounds" },
		{ "depth", raw.depth, 1, 1000000, NONE, "1 to 1000000 steps" },
		{ "verify-key", raw.verify, 1, 1000000, NONE, "1 to 1000000 steps" },
		{ "jobs", raw.jobs, 0, EXPLORE_JOBS_MAX, NONE, "0 (one a processor) to 64" },
		{ "memory-limit", raw.memory_limit, 0, G_MAXINT64 >> 20, NONE,
		  "MiB, 0 for no limit" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(all); i++)
		if (all[i].value != all[i].unset &&
		    (all[i].value < all[i].least || all[i].value > all[i].most))
			return cli_fail("--%s wants %s, not %" G_GINT64_FORMAT, all[i].name,
					all[i].wants, all[i].value), FALSE;
	/* Written so that what is no number does not pass. */
	if (!(raw.seconds == NONE || (raw.seconds > 0 && raw.seconds <= SECONDS_MAX)))
		return cli_fail("--time wants seconds above 0, not %g; without it there is no limit",
				raw.seconds), FALSE;
	if (!(raw.every == NONE || (raw.every > 0 && raw.every <= 3600)))
		return cli_fail("--checkpoint-every wants seconds above 0, at most 3600, not %g",
				raw.every), FALSE;
	return TRUE;
}

static gboolean is_sample(void)
{
	return raw.random || raw.pct != NONE;
}

/* Two that do not go together: what they are, and what would. */
static gboolean go_together(void)
{
	const struct {
		gboolean both;
		const char *why;
	} clash[] = {
		{ raw.random && raw.pct != NONE,
		  "--random and --pct are two ways to sample: give one" },
		{ is_sample() && raw.preemptions != NONE,
		  "--preemptions bounds a search, and a sample is none: give one of them" },
		{ is_sample() && raw.states != NONE,
		  "a sample remembers no states: bound it by --executions or --time" },
		{ is_sample() && (raw.no_hash || raw.no_reduction || raw.verify != NONE),
		  "a sample remembers no states: --no-hash, --no-reduction and --verify-key are for "
		  "searches" },
		{ is_sample() && raw.livelock,
		  "--livelock wants all states: no --random or --pct" },
		{ is_sample() && raw.all, "--all is a search of everything, --random and --pct are "
		  "samples: give one" },
		{ raw.all && raw.preemptions != NONE,
		  "--all has every interleaving, --preemptions few: give one" },
		{ raw.executions != NONE && !is_sample(),
		  "--executions is for samples (--random, --pct); a search has --states and --time" },
		{ raw.livelock && (raw.preemptions != NONE || raw.no_hash || raw.no_reduction),
		  "--livelock wants all states: no --preemptions, --no-hash or --no-reduction" },
		{ raw.no_hash && raw.no_reduction,
		  "--no-reduction remembers no states either: give one of it and --no-hash" },
		{ (raw.no_hash || raw.no_reduction) && raw.verify != NONE,
		  "--verify-key is of remembered states, and --no-hash and --no-reduction remember "
		  "none: leave one out" },
		{ (raw.no_hash || raw.no_reduction) && raw.states != NONE,
		  "--no-hash and --no-reduction count no states: bound them by --time or --depth" },
		{ raw.laps != NONE && (is_sample() || raw.all || raw.no_hash || raw.no_reduction),
		  "--laps is for searches with few switches: give --preemptions" },
		{ raw.rounds != NONE && (is_sample() || !is_plain()),
		  "--rounds is of the mix, which searches in several ways: give it or one way" },
		{ raw.every != NONE && !raw.checkpoint && !raw.resume,
		  "--checkpoint-every goes with --checkpoint or --resume" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(clash); i++)
		if (clash[i].both)
			return cli_fail("%s", clash[i].why), FALSE;
	if (raw.memory && strcmp(raw.memory, "sc") && strcmp(raw.memory, "tso"))
		return cli_fail("--memory is sc or tso, not %s", raw.memory), FALSE;
	return TRUE;
}

static gboolean take_jobs(struct explore_request *q)
{
	struct explore_options *o = &q->engine;

	o->jobs = raw.jobs ? (u32)raw.jobs : MIN(g_get_num_processors(), EXPLORE_JOBS_MAX);
	o->memory_limit = raw.memory_limit == NONE ? cli_free_memory() :
			  (u64)raw.memory_limit << 20;
	o->checkpoint_ms = raw.every != NONE ? MAX((u32)(raw.every * 1000), 1u) : 0;
	o->resume = raw.resume;
	o->checkpoint = raw.checkpoint ? raw.checkpoint : raw.resume;
	if (raw.jobs > 1 && !explore_shares(o))
		fprintf(stderr, "septsim: this search is not shared: --jobs serves no --livelock and "
			"--verify-key\n");
	return TRUE;
}

static void take_search(struct explore_request *q, const struct cli *cli)
{
	struct explore_options *o = &q->engine;

	if (raw.memory)
		q->memory = !strcmp(raw.memory, "tso") ? EXPLORE_TSO : EXPLORE_SC;
	o->driver = raw.random ? EXPLORE_RANDOM : raw.pct != NONE ? EXPLORE_PCT :
		    is_plain() ? EXPLORE_MIX : EXPLORE_ALL;
	o->preemptions = raw.preemptions;
	o->laps = raw.laps == NONE ? 0 : (u32)raw.laps;
	o->pct_depth = raw.pct == NONE ? 0 : (u32)raw.pct;
	o->no_hash = raw.no_hash;
	o->no_reduction = raw.no_reduction;
	o->verify_key = raw.verify == NONE ? 0 : (u32)raw.verify;
	o->livelock = raw.livelock;
	o->seed = cli->play.seed;
	o->executions = raw.executions == NONE ? 0 : (u64)raw.executions;
	o->states = raw.states == NONE ? 0 : (u64)raw.states;
	o->depth = raw.depth == NONE ? 0 : (u32)raw.depth;
	o->rounds = raw.rounds != NONE ? (u32)raw.rounds : raw.seconds == NONE ? ROUNDS : 0;
	o->keep_going = raw.keep_going;
	q->seconds = raw.seconds == NONE ? 0 : raw.seconds;
	q->shrink = !raw.no_shrink;
}

/* One way is followed: nothing says how to search. */
static gboolean take_replay(struct explore_request *q, const struct cli *cli)
{
	char *why = NULL;

	if (!is_plain() || is_sample() || raw.livelock || raw.keep_going || raw.seconds != NONE ||
	    raw.resume || raw.checkpoint || raw.coverage || raw.suggest || raw.jobs != 1 ||
	    raw.rounds != NONE)
		return cli_fail("--replay follows one way and searches nothing: of the other options of "
				"explore it goes with --case, --found and --json"), FALSE;
	if (q->memory == EXPLORE_TSO)
		return cli_fail("--replay has no store buffers: which words they hold is learned by a "
				"search. Run that again, or play it without: --memory sc"), FALSE;
	q->replay = TRUE;
	if (g_str_has_suffix(raw.replay, ".scn"))
		return TRUE;
	q->way = way_read(raw.replay, &why);
	if (why)
		fprintf(stderr, "%s\n", why);
	g_free(why);
	return q->way != NULL;
}

gboolean explore_take(struct explore_request *q, struct explore_asked *asked,
		      const struct cli *cli)
{
	*asked = (struct explore_asked){
		.coverage = raw.coverage, .suggest = raw.suggest, .only = raw.only,
		.found = raw.found, .replay = raw.replay,
	};
	if (!in_range() || !go_together())
		return FALSE;
	take_search(q, cli);
	return (!raw.replay || take_replay(q, cli)) && take_jobs(q);
}

const GOptionEntry *explore_entries(void)
{
	return entries;
}
