// SPDX-License-Identifier: GPL-2.0-only
/*
 * septsim check: the command line of check.c.
 */
#include <stdio.h>

#include "scenarios/vocab.h"
#include "sim/cli/check.h"
#include "sim/cli/cli.h"

int cmd_check(int argc, char **argv)
{
	struct check_options o = { 0 };
	struct cli cli;
	int code;

	if (!cli_parse(&cli, &argc, &argv, "FILE...", "septsim check scenarios/races/*.scn",
		       "Parses each FILE and reports all of its errors, without playing it.", NULL,
		       &code))
		return code;
	if (argc < 2)
		return cli_fail("check wants a FILE; `septsim check --help`");
	o.defines = cli.defines;
	o.vocab = scenario_vocab_model();
	o.json = cli.json;
	o.quiet = cli.look.quiet;
	code = check_files(&o, (const char *const *)argv + 1, (guint)argc - 1, stdout, stderr);
	cli_free(&cli);
	return code;
}
