/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands and what they share: options, exit codes, workers. Everything that a
 * command prints goes through sim/report.
 */
#pragma once

#include <glib.h>

#include "scenarios/ast.h"
#include "scenarios/player.h"
#include "sim/report/report.h"

enum exit_code {
	EXIT_AS_EXPECTED = 0,
	EXIT_NOT_EXPECTED = 1,
	EXIT_INPUT = 2,		/* usage, options, files */
	EXIT_FAULT = 3,		/* of septsim itself */
};

/* What the common options say. */
struct cli {
	struct play_options play;
	struct report_look look;
	struct cost_table costs;
	GHashTable *defines;	/* -D NAME=VALUE */
	GPtrArray *switches, *policy_args;
	char *kvm, *tdx, *policy;
	GPtrArray *versions;	/* of --tdx: run takes several */
	gboolean json, in_process;
	struct user_leaves *leaves;	/* --leaves FILE */
	const char *leaves_file;
	char *trace;		/* --trace FILE */
	FILE *trace_out;
};

/*
 * cli_parse - read the common options and @extra of a command
 * @args: what follows the options, e.g. "FILE..."
 * @example: shown first by --help, with @about
 * FALSE after having said what is wrong; `*code` is then the exit code (0 for --help), and
 * there is nothing to free.
 */
gboolean cli_parse(struct cli *cli, int *argc, char ***argv, const char *args,
		   const char *example, const char *about, const GOptionEntry *extra, int *code);
void cli_free(struct cli *cli);

/* cli_load - parse one file; NULL after having printed all of its errors */
struct scenario *cli_load(const struct cli *cli, const char *path);

/* cli_fail - "septsim: ..." on stderr; returns EXIT_INPUT */
int cli_fail(const char *fmt, ...) G_GNUC_PRINTF(1, 2);

/* cli_backend - a word of --kvm; FALSE: said what is wrong with it */
gboolean cli_backend(const char *word, enum kmmu_backend *b);

/* cli_interrupted - Ctrl-C was pressed; cli_catch_interrupts() makes it so */
gboolean cli_interrupted(void);
const volatile bool *cli_interrupt_flag(void);	/* the same, for farm_run() */
void cli_catch_interrupts(void);

/* cli_free_memory - half of what the host, or the group of processes we are in, has to spare */
guint64 cli_free_memory(void);

/*
 * cli_keep_addresses - begin anew without randomization of addresses, unless that is so already
 * A state's key has addresses of the program's text and data in it, and a checkpoint keys.
 * If the host does not let us: FALSE, having said why, if they @must be kept, else TRUE.
 */
gboolean cli_keep_addresses(gboolean must);

/* What a worker is to play. */
struct job {
	const struct scenario *sc;
	const struct scenario_case *c;
	const struct play_options *opt;
	double stress;		/* seconds; 0: play once */
};

/*
 * worker_play - @job in a process of its own, so that its crash is a result and no more
 * @in_process: not so, for debuggers
 */
struct play_result *worker_play(const struct job *job, gboolean in_process);

/* worse - the worse of exit code @code and the one that @r stands for */
int worse(int code, const struct play_result *r);

int cmd_run(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_stress(int argc, char **argv);
int cmd_explore(int argc, char **argv);
int cmd_conform(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_campaign(int argc, char **argv);
int cmd_kernel(int argc, char **argv);
int cmd_differ(int argc, char **argv);
