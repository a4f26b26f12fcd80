// SPDX-License-Identifier: GPL-2.0-only
/*
 * septsim: picks the command. Rests on docs/septsim.1.
 */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "kvmmmu/kmmu.h"
#include "scenarios/diag.h"
#include "sim/cli/cli.h"

struct command {
	const char *name;
	int (*fn)(int argc, char **argv);	/* NULL: not supported yet */
	const char *about;
};

static const struct command commands[] = {
	{ "run", cmd_run, "play each case of each file, draw the table, judge it" },
	{ "list", cmd_list, "what a word of a scenario can be" },
	{ "check", cmd_check, "parse files, report all errors, play nothing" },
	{ "show", cmd_show, "draw the table of a trace again" },
	{ "stress", cmd_stress, "the same actors as free threads on real atomics" },
	{ "bench", cmd_bench, "measure what a policy costs" },
	{ "explore", cmd_explore, "search every interleaving of each case" },
	{ "campaign", cmd_campaign, "all scenarios, searches and random programs on one KVM" },
	{ "kernel", cmd_kernel, "build a kernel tree in, and run everything on it" },
	{ "differ", cmd_differ, "the same scripts on two KVMs, event by event" },
	{ "conform", cmd_conform, "run recorded vectors against the model" },
};

static void usage(FILE *out)
{
	fprintf(out, "Example: septsim run scenarios/races/a01-zap-map-desync.scn\n\n"
		"usage: septsim COMMAND [OPTION...] ...\n\n");
	for (guint i = 0; i < G_N_ELEMENTS(commands); i++)
		fprintf(out, "  %-8s %s%s\n", commands[i].name, commands[i].about,
			commands[i].fn ? "" : " (not supported yet)");
	fprintf(out, "\n`septsim COMMAND --help` shows an example and the options of each.\n");
}

static int no_command(const char *word)
{
	const char *names[G_N_ELEMENTS(commands) + 1] = { NULL };
	const char *near;

	for (guint i = 0; i < G_N_ELEMENTS(commands); i++)
		names[i] = commands[i].name;
	near = diag_nearest(word, names);
	return cli_fail("no command \"%s\"%s%s%s; `septsim --help` has all", word,
			near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

/* What a bug report needs: of a tree that was built in, which text it was. */
static void version(void)
{
	const struct kmmu_tree *tree = kmmu_tree();

	printf("septsim %s\n", SEPTSIM_VERSION);
	if (!tree)
		return;
	printf("linux %s%s%s\n", tree->version, *tree->imitated ? "; " : "", tree->imitated);
	printf("  %s %s\n", tree->compiler, tree->flags);
	for (const struct kmmu_tree_file *f = tree->files; f->path; f++)
		printf("  %s  %s\n", f->sha256, f->path);
}

static int dispatch(int argc, char **argv)
{
	setlocale(LC_ALL, "C");		/* output is the same everywhere */
	if (argc < 2) {
		usage(stderr);
		return EXIT_INPUT;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return EXIT_AS_EXPECTED;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "version")) {
		version();
		return EXIT_AS_EXPECTED;
	}
	for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		if (!commands[i].fn)
			return cli_fail("`septsim %s` is not supported yet", argv[1]);
		return commands[i].fn(argc - 1, argv + 1);
	}
	return no_command(argv[1]);
}

/* A full disk must not look like a result. */
int main(int argc, char **argv)
{
	int code = dispatch(argc, argv);

	errno = 0;
	if (fflush(stdout) || ferror(stdout))
		return cli_fail("standard output: %s",
				errno ? g_strerror(errno) : "not all could be written");
	return code;
}
