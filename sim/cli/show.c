// SPDX-License-Identifier: GPL-2.0-only
/*
 * septsim show: a trace drawn again.
 */
#include <stdio.h>
#include <string.h>

#include "sim/cli/cli.h"

static int show(struct cli *cli, const char *path, gboolean ftrace)
{
	GError *err = NULL;
	GPtrArray *all = NULL;
	GString *out;
	char *text;
	gsize len;

	if (g_file_get_contents(path, &text, &len, &err)) {
		all = play_results_read(path, text, len, &err);
		g_free(text);
	}
	if (!all) {
		fprintf(stderr, "%s%s\n", err->domain == G_FILE_ERROR ? "septsim: error: " : "",
			err->message);
		g_clear_error(&err);
		return EXIT_INPUT;
	}
	out = g_string_new(NULL);
	for (guint i = 0; i < all->len; i++) {
		const struct play_result *r = all->pdata[i];

		if (ftrace) {
			report_ftrace(r, out);
			continue;
		}
		if (!i || strcmp(r->scenario, ((struct play_result *)all->pdata[i - 1])->scenario))
			report_title(r, &cli->look, out);
		report_case(r, &cli->look, out);
	}
	if (!ftrace)
		report_summary(all, &cli->look, NULL, out);
	fwrite(out->str, 1, out->len, stdout);
	g_string_free(out, TRUE);
	g_ptr_array_unref(all);
	return EXIT_AS_EXPECTED;
}

int cmd_show(int argc, char **argv)
{
	static char *format;
	static const GOptionEntry extra[] = {
		{ "format", 0, 0, G_OPTION_ARG_STRING, &format, "table, ftrace (html, perfetto: later)",
		  "KIND" },
		{ NULL }
	};
	struct cli cli;
	int code;

	if (!cli_parse(&cli, &argc, &argv, "TRACE...", "septsim show a01.trace",
		       "Draws the table of each TRACE that `septsim run --trace` has written.", extra,
		       &code))
		return code;
	if (argc < 2)
		return cli_fail("show wants a TRACE; `septsim show --help`");
	if (format && (!strcmp(format, "html") || !strcmp(format, "perfetto")))
		return cli_fail("--format %s is not supported yet", format);
	if (format && strcmp(format, "table") && strcmp(format, "ftrace"))
		return cli_fail("--format is table or ftrace, not %s", format);
	for (int i = 1; i < argc; i++) {
		int one = show(&cli, argv[i], format && !strcmp(format, "ftrace"));

		code = MAX(code, one);
	}
	cli_free(&cli);
	return code;
}
