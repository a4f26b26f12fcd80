// SPDX-License-Identifier: GPL-2.0-only
/*
 * septsim kernel: the user's own tree, unmodified, against the module's model. Builds a
 * septsim with it, runs the campaign there, and prints what a maintainer can paste; of a
 * series only what each change made different. Exit codes suit `git bisect run`.
 */
#include <stdio.h>
#include <string.h>

#include "sim/cli/kernel.h"
#include "sim/cli/plan.h"

static struct {
	char *series, *range, *build, *source, *good_in, *only;
	double seconds;
	int jobs, programs;
	gboolean first;
} raw = { .programs = -1 };

static const GOptionEntry extra[] = {
	{ "series", 0, 0, G_OPTION_ARG_FILENAME, &raw.series,
	  "Each patch of these mails on top of the tree", "MBOX" },
	{ "range", 0, 0, G_OPTION_ARG_STRING, &raw.range, "Each commit of this range of the tree",
	  "A..B" },
	{ "time", 't', 0, G_OPTION_ARG_DOUBLE, &raw.seconds,
	  "Of each campaign: begin nothing new after so long", "SECONDS" },
	{ "programs", 0, 0, G_OPTION_ARG_INT, &raw.programs, "Random programs of each", "N" },
	{ "first", 0, 0, G_OPTION_ARG_NONE, &raw.first,
	  "End a campaign at the first rule that is broken", NULL },
	{ "only", 0, 0, G_OPTION_ARG_STRING, &raw.only,
	  "Only scenario, schedule, search or random items", "KIND" },
	{ "jobs", 'j', 0, G_OPTION_ARG_INT, &raw.jobs, "Processes at a time", "N" },
	{ "good-in", 0, 0, G_OPTION_ARG_FILENAME, &raw.good_in,
	  "Only what was good in this .campaign of an earlier run: what breaks already is no news",
	  "FILE" },
	{ "build", 0, 0, G_OPTION_ARG_FILENAME, &raw.build,
	  "Build here (default: build/kernel/ of the source)", "DIR" },
	{ "source", 0, 0, G_OPTION_ARG_FILENAME, &raw.source,
	  "septsim's own source (default: where this one was built from)", "DIR" },
	{ NULL }
};

static int cannot(const char *what, const char *why)
{
	fflush(stdout);
	fprintf(stderr, "septsim kernel: %s:\n  %s\n", what, why);
	return EXIT_CANNOT_JUDGE;
}

/* Version and checksums, so that whoever reads the report knows what it is about. */
static void print_tree(const struct kernel *k)
{
	const char *linux_ = strstr(k->version->str, "\nlinux ");

	printf("septsim kernel, on %s\n", k->tree);
	if (linux_)
		printf("%s\n", linux_ + 1);
}

/* What was found and stops somebody in the tree, as patches beside the scenarios. */
static guint write_delays(const struct kernel *k, const char *tree, const struct campaign *c,
			  const char *dir)
{
	guint n = 0;

	for (guint i = 0; i < c->items->len; i++) {
		const struct campaign_item *x = c->items->pdata[i];
		char *name, *path, *patch;

		if (x->verdict != CAMPAIGN_BAD || !*x->pauses)
			continue;
		name = g_strdup_printf("%s%s%s", x->scenario, *x->case_name ? " " : "", x->case_name);
		patch = kernel_delay_patch(tree, name, x->why, x->pauses);
		g_strdelimit(name, "/ ", '-');
		path = g_strdup_printf("%s/%s.found/%s.delays.patch", k->dir, dir, name);
		if (patch && g_file_set_contents(path, patch, -1, NULL))
			n++;
		g_free(patch);
		g_free(path);
		g_free(name);
	}
	return n;
}

/* Where to find what replays, and what delays. */
static void print_found(const struct kernel *k, const char *tree, const struct campaign *c,
			const char *dir)
{
	guint delays;

	if (!campaign_count(c, -1, CAMPAIGN_BAD))
		return;
	delays = write_delays(k, tree, c, dir);
	if (delays)
		printf("Scenarios that replay it, and %u patch%s with delays for hardware: %s/%s.found\n",
		       delays, delays == 1 ? "" : "es", k->dir, dir);
	else
		printf("Scenarios that replay it: %s/%s.found (no patch with delays: nobody waits at a "
		       "line of the tree, or at too many)\n", k->dir, dir);
}

static int judge_tree(struct kernel *k, struct cli *cli)
{
	GString *why = g_string_new(NULL), *text = g_string_new(NULL);
	struct campaign *c;
	int code;

	if (!kernel_make(k, k->tree, why)) {
		code = cannot("this tree cannot be built in", why->str);
		goto out;
	}
	c = kernel_campaign(k, "tree", NULL, text, why);
	if (!c) {
		code = cannot("this tree cannot be judged", why->str);
		goto out;
	}
	print_tree(k);
	fwrite(text->str, 1, text->len, stdout);
	print_found(k, k->tree, c, "tree");
	if (cli->look.verbose || !raw.good_in)
		printf("Every item, for --good-in: %s/tree.campaign\n", k->dir);
	code = campaign_count(c, -1, CAMPAIGN_BAD) ? EXIT_NOT_EXPECTED : EXIT_AS_EXPECTED;
	campaign_free(c);
out:
	g_string_free(why, TRUE);
	g_string_free(text, TRUE);
	return code;
}

/*
 * One change; its campaign, or NULL if it cannot be judged. @added: its lines, with the places
 * that stand for them
 */
static struct campaign *judge_change(struct kernel *k, struct series *s, guint i,
				     GPtrArray *added, GString *why)
{
	char *name = g_strdup_printf("%02u", i);
	char *path = g_strdup_printf("%s/%s.lines", k->dir, name);
	GString *text = g_string_new(NULL);
	struct campaign *c = NULL;

	if (series_go(s, i, why) && kernel_make(k, series_tree(s), why) &&
	    kernel_lines_place(k, series_tree(s), added, why) && kernel_lines_write(added, path))
		c = kernel_campaign(k, name, path, text, why);
	g_string_free(text, TRUE);
	g_free(path);
	g_free(name);
	return c;
}

static void print_base(const struct kernel *k, const struct campaign *c, const char *name,
		       struct cli *cli)
{
	GString *out = g_string_new(NULL);

	print_tree(k);
	printf("%s\n", name);
	report_campaign_base(c, &cli->look, out);
	fwrite(out->str, 1, out->len, stdout);
	fflush(stdout);
	g_string_free(out, TRUE);
}

static int judge_series(struct kernel *k, struct series *s, struct cli *cli)
{
	GString *why = g_string_new(NULL), *out = g_string_new(NULL);
	GPtrArray *none = kernel_lines_of("");
	struct campaign *before = judge_change(k, s, 0, none, why);
	guint worse = 0, unknown = 0;

	g_ptr_array_unref(none);
	if (!before) {
		int code = cannot("the base cannot be judged", why->str);

		g_string_free(why, TRUE);
		g_string_free(out, TRUE);
		return code;
	}
	print_base(k, before, series_at(s, 0)->name, cli);
	for (guint i = 1; i <= series_length(s) && !cli_interrupted(); i++) {
		GPtrArray *added = kernel_lines_of(series_at(s, i)->patch);
		struct campaign *now;
		char dir[16];
		guint n;

		g_string_truncate(why, 0);
		g_string_truncate(out, 0);
		printf("\n%s\n", series_at(s, i)->name);
		fflush(stdout);
		now = judge_change(k, s, i, added, why);
		if (!now) {
			printf("  cannot be judged: %s\n", why->str);
			unknown++;
			g_ptr_array_unref(added);
			continue;
		}
		n = report_campaign_change(before, now, &cli->look, out);
		worse += n;
		report_kernel_lines(added, now, &cli->look, out);
		g_ptr_array_unref(added);
		fwrite(out->str, 1, out->len, stdout);
		g_snprintf(dir, sizeof(dir), "%02u", i);
		if (n)
			print_found(k, series_tree(s), now, dir);
		fflush(stdout);
		campaign_free(before);
		before = now;
	}
	printf("\n%u change%s: %u thing%s worse, %u not judged\n", series_length(s),
	       series_length(s) == 1 ? "" : "s", worse, worse == 1 ? "" : "s", unknown);
	campaign_free(before);
	g_string_free(why, TRUE);
	g_string_free(out, TRUE);
	return worse ? EXIT_NOT_EXPECTED : unknown ? EXIT_CANNOT_JUDGE : EXIT_AS_EXPECTED;
}

static int judge(struct cli *cli, const char *path)
{
	struct kernel *k = kernel_open(raw.source ? raw.source : SEPTSIM_SOURCE, path, raw.build);
	GString *why = g_string_new(NULL);
	struct series *s;
	int code;

	if (!k) {
		g_string_free(why, TRUE);
		return EXIT_CANNOT_JUDGE;
	}
	k->seconds = raw.seconds;
	k->jobs = raw.jobs;
	if (raw.programs >= 0)
		g_ptr_array_add(k->more, g_strdup_printf("--programs=%d", raw.programs));
	if (raw.first)
		g_ptr_array_add(k->more, g_strdup("--first"));
	if (raw.only)
		g_ptr_array_add(k->more, g_strdup_printf("--only=%s", raw.only));
	if (raw.good_in)
		g_ptr_array_add(k->more, g_strdup_printf("--good-in=%s", raw.good_in));
	if (cli->leaves_file)
		g_ptr_array_add(k->more, g_strdup_printf("--leaves=%s", cli->leaves_file));
	g_ptr_array_add(k->more, g_strdup_printf("--width=%d", cli->look.width));
	g_ptr_array_add(k->more, g_strdup_printf("--seed=%" G_GUINT64_FORMAT, cli->play.seed));
	if (!raw.series && !raw.range) {
		code = judge_tree(k, cli);
	} else {
		k->lines = TRUE;
		s = raw.series ? series_of_mbox(k->tree, k->dir, raw.series, why) :
				 series_of_range(k->tree, k->dir, raw.range, why);
		code = s ? judge_series(k, s, cli) : cannot("no series", why->str);
		series_free(s);
	}
	kernel_close(k);
	g_string_free(why, TRUE);
	return code;
}

int cmd_kernel(int argc, char **argv)
{
	struct cli cli;
	int code;

	if (!cli_parse(&cli, &argc, &argv, "PATH",
		       "septsim kernel --range HEAD~3..HEAD ~/linux",
		       "Builds the tree at PATH in, unmodified, runs every scenario, searches and random\n"
		       "programs on it, and prints a report. Exit: 0 clean, 1 something breaks, 125 the\n"
		       "tree cannot be built or judged (docs/your-kernel.md).", extra, &code))
		return code;
	if (argc != 2)
		code = cli_fail("kernel wants one PATH; `septsim kernel --help`");
	else if (raw.series && raw.range)
		code = cli_fail("--series and --range are two ways to name changes: give one");
	else if (raw.only && plan_phase(raw.only) < 0)
		code = cli_fail("--only is scenario, schedule, search or random, not %s", raw.only);
	else if (raw.seconds < 0 || raw.jobs < 0)
		code = cli_fail("a number of an option is below 0");
	else {
		cli_catch_interrupts();
		code = judge(&cli, argv[1]);
	}
	cli_free(&cli);
	return code;
}
