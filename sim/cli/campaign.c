// SPDX-License-Identifier: GPL-2.0-only
/*
 * septsim campaign: everything there is, against one KVM. The scenarios as their files expect;
 * the schedules that were made to break wrong code, on the code as it is; the operations of
 * each in many orders; random programs. What breaks and does not break the reference (this
 * project's own KVM, no switch on) is told. Items are forked workers; what they give does not
 * depend on how many run at a time.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sim/cli/campaign_item.h"
#include "sim/engine/rewind.h"
#include "sim/report/campaign.h"

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

		if (campaign_time_is_up(k) || cli_interrupted())
			k->common->stop = true;
		r = farm_run(&(struct farm_work){
			.n = k->common->stop ? 0 : n, .jobs = (u32)raw.jobs, .stint = 1,
			.job = campaign_work, .ctx = k, .stop = cli_interrupt_flag() });
		for (guint i = 0; i < n; i++) {
			const struct task *t = plan_task(k->plan, k->at + i);
			struct farm_result none = { .done = false };
			struct farm_result *one = k->common->stop && !r ? &none : &r[i];
			struct campaign_item *item = NULL;

			if (one->done && !one->signal && one->out)
				item = take_output(c, one->out->str);
			if (!item)
				item = campaign_died(t, one);
			if (campaign_is_enough(k, item))
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
	struct campaigner k = { .cli = cli, .first = raw.first };
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
