// SPDX-License-Identifier: GPL-2.0-only
/*
 * septsim stress: the actors of each case as free threads on real atomics, for a time.
 */
#include <stdio.h>

#include "sim/cli/cli.h"

static guint64 rounds_of(const struct play_result *r)
{
	for (guint i = 0; i < r->counters->len; i++) {
		const struct play_counter *c = &g_array_index(r->counters, struct play_counter, i);

		if (!g_strcmp0(c->name, "rounds"))
			return c->value;
	}
	return 0;
}

static int stress_file(struct cli *cli, const char *path, double seconds, GPtrArray *results)
{
	struct scenario *sc = cli_load(cli, path);
	gboolean titled = FALSE;
	GString *out;
	int code = EXIT_AS_EXPECTED;

	if (!sc)
		return EXIT_INPUT;
	out = g_string_new(NULL);
	for (guint i = 0; i < sc->cases->len && !cli_interrupted(); i++) {
		struct job job = {
			.sc = sc, .c = sc->cases->pdata[i], .opt = &cli->play, .stress = seconds,
		};
		struct play_result *r = worker_play(&job, cli->in_process);

		g_ptr_array_add(results, r);
		code = worse(code, r);
		if (r->end == PLAY_REFUSED) {
			fprintf(stderr, "%s\n", r->why);
			continue;
		}
		if (cli->json)
			continue;
		if (!titled)
			report_title(r, &cli->look, out);
		titled = TRUE;
		if (r->as_expected && r->end != PLAY_VIOLATION && r->end != PLAY_LIMIT)
			g_string_append_printf(out, "%s%s(%s)\n  %" G_GUINT64_FORMAT " rounds, "
					       "nothing broken at the end of any (sampled)\n\n",
					       r->case_name, *r->case_name ? " " : "", r->note,
					       rounds_of(r));
		else
			report_case(r, &cli->look, out);
		fwrite(out->str, 1, out->len, stdout);
		fflush(stdout);
		g_string_truncate(out, 0);
	}
	g_string_free(out, TRUE);
	scenario_free(sc);
	return code;
}

int cmd_stress(int argc, char **argv)
{
	static double seconds = 5.0;
	static const GOptionEntry extra[] = {
		{ "time", 't', 0, G_OPTION_ARG_DOUBLE, &seconds, "For so long, each case",
		  "SECONDS" },
		{ NULL }
	};
	GPtrArray *results = g_ptr_array_new_with_free_func((GDestroyNotify)play_result_free);
	gint64 since = g_get_monotonic_time();
	struct cli cli;
	int code;

	if (!cli_parse(&cli, &argc, &argv, "FILE...",
		       "septsim stress --time 10 scenarios/races/a02-parallel-fault-frozen.scn",
		       "Runs the actors of each case as free threads on real atomic operations, again\n"
		       "and again. Schedules are not followed; what must hold at the end of a round is\n"
		       "checked. What it finds depends on the machine.", extra, &code))
		return code;
	if (argc < 2)
		return cli_fail("stress wants a FILE; `septsim stress --help`");
	if (seconds <= 0)
		return cli_fail("--time wants seconds, more than 0");
	cli_catch_interrupts();
	for (int i = 1; i < argc && !cli_interrupted(); i++) {
		int one = stress_file(&cli, argv[i], seconds, results);

		code = MAX(code, one);
	}
	if (cli.json) {
		GString *out = g_string_new(NULL);

		report_json(results, "stress", (g_get_monotonic_time() - since) * 1000, out);
		fwrite(out->str, 1, out->len, stdout);
		g_string_free(out, TRUE);
	} else if (results->len) {
		GString *out = g_string_new(NULL);

		report_wrap(out, "Real threads on this machine: schedules are not followed. Who is kept "
			    "apart by one may meet here, and what was not seen may still be there. "
			    "To follow a schedule: septsim run.",
			    0, 0, cli.look.width);
		report_summary(results, &cli.look, NULL, out);
		fwrite(out->str, 1, out->len, stdout);
		g_string_free(out, TRUE);
	}
	g_ptr_array_unref(results);
	cli_free(&cli);
	return code;
}
