// SPDX-License-Identifier: GPL-2.0-only
/*
 * septsim run: each case of each file, its table and its verdict.
 */
#include <stdio.h>

#include "sim/cli/cli.h"

static void print(GString *out)
{
	fwrite(out->str, 1, out->len, stdout);
	g_string_truncate(out, 0);
}

static int run_file(struct cli *cli, const char *path, GPtrArray *results)
{
	struct scenario *sc = cli_load(cli, path);
	GString *out;
	int code = EXIT_AS_EXPECTED;

	if (!sc)
		return EXIT_INPUT;
	out = g_string_new(NULL);
	for (guint i = 0; i < sc->cases->len && !cli_interrupted(); i++) {
		struct job job = { .sc = sc, .c = sc->cases->pdata[i], .opt = &cli->play };
		struct play_result *r = worker_play(&job, cli->in_process);

		g_ptr_array_add(results, r);
		code = worse(code, r);
		if (cli->trace_out)
			play_result_write(r, cli->trace_out);
		if (r->end == PLAY_REFUSED) {
			fprintf(stderr, "%s\n", r->why);
			continue;
		}
		if (cli->json)
			continue;
		if (!i)
			report_title(r, &cli->look, out);
		report_case(r, &cli->look, out);
		print(out);
		fflush(stdout);
	}
	g_string_free(out, TRUE);
	scenario_free(sc);
	return code;
}

static void finish(struct cli *cli, GPtrArray *results, gint64 since)
{
	GString *out = g_string_new(NULL);

	if (cli->json)
		report_json(results, "run", (g_get_monotonic_time() - since) * 1000, out);
	else if (results->len)
		report_summary(results, &cli->look, out);
	print(out);
	g_string_free(out, TRUE);
}

int cmd_run(int argc, char **argv)
{
	GPtrArray *results = g_ptr_array_new_with_free_func((GDestroyNotify)play_result_free);
	gint64 since = g_get_monotonic_time();
	struct cli cli;
	int code;

	if (!cli_parse(&cli, &argc, &argv, "FILE...",
		       "septsim run scenarios/races/a01-zap-map-desync.scn",
		       "Plays each case of each FILE in virtual time, draws the table of what raced,\n"
		       "and says whether it went as the file expects.", NULL, &code))
		return code;
	if (argc < 2)
		return cli_fail("run wants a FILE; `septsim run --help`");
	cli_catch_interrupts();
	for (int i = 1; i < argc && !cli_interrupted(); i++) {
		int one = run_file(&cli, argv[i], results);

		code = MAX(code, one);
	}
	finish(&cli, results, since);
	if (cli_interrupted() && code == EXIT_AS_EXPECTED)
		code = EXIT_NOT_EXPECTED;
	g_ptr_array_unref(results);
	cli_free(&cli);
	return code;
}
