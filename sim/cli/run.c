// SPDX-License-Identifier: GPL-2.0-only
/*
 * septsim run: each case of each file, its table and its verdict; or, under several versions
 * of the module, whether the verdict differs between them.
 */
#include <stdio.h>

#include "sim/cli/cli.h"

static void print(GString *out)
{
	fwrite(out->str, 1, out->len, stdout);
	g_string_truncate(out, 0);
}

/* What could not be played is no verdict, unless it could be under no version */
static int across_code(const GPtrArray *some)
{
	int code = EXIT_AS_EXPECTED;
	guint played = 0;

	for (guint i = 0; i < some->len; i++) {
		const struct play_result *r = some->pdata[i];

		if (r->end == PLAY_REFUSED)
			continue;
		code = worse(code, r);
		played++;
	}
	return played ? code : EXIT_INPUT;
}

/* One case under each version of --tdx */
static int run_across(struct cli *cli, struct job *job, GPtrArray *results, GString *out)
{
	GPtrArray *some = g_ptr_array_new();
	int code;

	for (guint i = 0; i < cli->versions->len && !cli_interrupted(); i++) {
		struct play_result *r;

		cli->play.tdx = cli->versions->pdata[i];
		r = worker_play(job, cli->in_process);
		if (cli->trace_out)
			play_result_write(r, cli->trace_out);
		g_ptr_array_add(results, r);
		g_ptr_array_add(some, r);
	}
	code = some->len ? across_code(some) : EXIT_NOT_EXPECTED;
	if (!cli->json && some->len)
		report_across(some, &cli->look, out);
	g_ptr_array_unref(some);
	return code;
}

static int run_file_across(struct cli *cli, const char *path, GPtrArray *results)
{
	struct scenario *sc = cli_load(cli, path);
	GString *out = g_string_new(NULL);
	int code = sc ? EXIT_AS_EXPECTED : EXIT_INPUT;

	for (guint i = 0; sc && i < sc->cases->len && !cli_interrupted(); i++) {
		struct job job = { .sc = sc, .c = sc->cases->pdata[i], .opt = &cli->play };
		int one = run_across(cli, &job, results, out);

		code = MAX(code, one);
		if (!i && !cli->json) {
			GString *title = g_string_new(NULL);

			report_title(results->pdata[results->len - 1], &cli->look, title);
			print(title);
			g_string_free(title, TRUE);
		}
		print(out);
		fflush(stdout);
	}
	if (sc && !cli->json)
		putchar('\n');
	g_string_free(out, TRUE);
	scenario_free(sc);
	return code;
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
	else if (results->len && cli->versions->len > 1)
		report_across_summary(results, &cli->look, out);
	else if (results->len)
		report_summary(results, &cli->look, NULL, out);
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
		int one = cli.versions->len > 1 ? run_file_across(&cli, argv[i], results) :
						  run_file(&cli, argv[i], results);

		code = MAX(code, one);
	}
	finish(&cli, results, since);
	if (cli_interrupted() && code == EXIT_AS_EXPECTED)
		code = EXIT_NOT_EXPECTED;
	g_ptr_array_unref(results);
	cli_free(&cli);
	return code;
}
