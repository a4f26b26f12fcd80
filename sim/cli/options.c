// SPDX-License-Identifier: GPL-2.0-only
/*
 * The options that all commands share. Rests on docs/septsim.1.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "scenarios/diag.h"
#include "scenarios/leaves.h"
#include "scenarios/vocab.h"
#include "sim/cli/cli.h"
#include "tdxmod/versions.h"

/* As GOption fills them in; one command a process. */
static struct {
	char *leaves, *seed, *policy, *variant, *tdx, *costs, *carrier, *kvm, *color, *trace;
	char **defines, **sets;
	int width;
	gboolean json, quiet, verbose, ascii, mail, in_process;
} raw = { .width = G_MININT };

static const GOptionEntry common[] = {
	{ "define", 'D', 0, G_OPTION_ARG_STRING_ARRAY, &raw.defines,
	  "Override a parameter of the file", "NAME=VALUE" },
	{ "variant", 0, 0, G_OPTION_ARG_STRING, &raw.variant,
	  "Over the file's: \"kvm=V tdx=V SWITCH...\"", "WORDS" },
	{ "tdx", 0, 0, G_OPTION_ARG_STRING, &raw.tdx,
	  "Module versions over the file's; run: several, or all", "V[,V...]" },
	{ "policy", 0, 0, G_OPTION_ARG_STRING, &raw.policy,
	  "Retry policy instead of the file's: \"NAME k=v...\"", "WORDS" },
	{ "seed", 0, 0, G_OPTION_ARG_STRING, &raw.seed, "Of every random decision", "N" },
	{ "costs", 0, 0, G_OPTION_ARG_STRING, &raw.costs,
	  "Price level low, typical or high, or a table of your own", "LEVEL|FILE" },
	{ "set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &raw.sets, "One price, in cycles", "KEY=N" },
	{ "carrier", 0, 0, G_OPTION_ARG_STRING, &raw.carrier,
	  "Who carries an actor: fiber or pthread", "KIND" },
	{ "kvm", 0, 0, G_OPTION_ARG_STRING, &raw.kvm, "Whose KVM: own, or linux: of the tree built in", "BACKEND" },
	{ "leaves", 0, 0, G_OPTION_ARG_FILENAME, &raw.leaves,
	  "Leaves that the module has not: what they lock and return", "FILE" },
	{ "trace", 0, 0, G_OPTION_ARG_FILENAME, &raw.trace, "Write every event", "FILE" },
	{ "json", 0, 0, G_OPTION_ARG_NONE, &raw.json, "Results as JSON on standard output", NULL },
	{ "quiet", 'q', 0, G_OPTION_ARG_NONE, &raw.quiet, "No table of what is as expected", NULL },
	{ "verbose", 'v', 0, G_OPTION_ARG_NONE, &raw.verbose, "Every event, nothing folded", NULL },
	{ "mail", 0, 0, G_OPTION_ARG_NONE, &raw.mail, "72 columns, as pasted into a mail", NULL },
	{ "width", 0, 0, G_OPTION_ARG_INT, &raw.width, "Columns of the page", "N" },
	{ "ascii", 0, 0, G_OPTION_ARG_NONE, &raw.ascii, "ASCII only", NULL },
	{ "color", 0, 0, G_OPTION_ARG_STRING, &raw.color, "auto, always or never", "WHEN" },
	{ "in-process", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &raw.in_process,
	  "Play in this process, for a debugger", NULL },
	{ NULL }
};

int cli_fail(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("septsim: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return EXIT_INPUT;
}

/* ---- Ctrl-C ---- */

static volatile bool interrupted;

static void on_interrupt(int sig)
{
	interrupted = true;
	scenario_play_stop();
}

gboolean cli_interrupted(void)
{
	return interrupted;
}

const volatile bool *cli_interrupt_flag(void)
{
	return &interrupted;
}

void cli_catch_interrupts(void)
{
	struct sigaction sa = { .sa_handler = on_interrupt };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

/* ---- each option ---- */

static gboolean take_defines(struct cli *cli)
{
	for (char **d = raw.defines; d && *d; d++) {
		char *eq = strchr(*d, '=');

		if (!eq || eq == *d) {
			cli_fail("-D wants NAME=VALUE, not \"%s\"", *d);
			return FALSE;
		}
		g_hash_table_insert(cli->defines, g_strndup(*d, (gsize)(eq - *d)),
				    g_strdup(eq + 1));
	}
	return TRUE;
}

static gboolean known_word(enum scn_vocab_kind kind, const char *option, const char *what,
			   const char *word, const char *where)
{
	const struct scenario_vocab *v = scenario_vocab_model();
	const char *const *list = v->list(kind, NULL);
	const char *near;

	if (!list || g_strv_contains(list, word))
		return TRUE;
	near = diag_nearest(word, list);
	cli_fail("%s: no %s %s%s%s%s; `septsim list %s` has all", option, what, word,
		 near ? "; did you mean " : "", near ? near : "", near ? "?" : "", where);
	return FALSE;
}

/* "1.5.34", and on the command line "1.5.34-S5+S12" */
static gboolean known_version(const char *option, const char *word)
{
	char *base = g_strndup(word, strcspn(word, "+-"));
	struct tdx_version v;
	gboolean ok = known_word(SCN_VOCAB_TDX, option, "module version", base, "variants tdx");

	g_free(base);
	if (ok && !tdx_version_find(word, &v))
		return cli_fail("%s %s: +Sn or -Sn with the number of a switch wanted; `septsim list "
				"variants tdx` (S11 is the option dpamt)", option, word), FALSE;
	return ok;
}

static gboolean take_variant(struct cli *cli)
{
	char **words = raw.variant ? g_strsplit_set(raw.variant, " ,", -1) : NULL;
	gboolean ok = TRUE;

	for (char **w = words; w && *w && ok; w++) {
		if (!**w)
			continue;
		if (g_str_has_prefix(*w, "kvm=")) {
			ok = known_word(SCN_VOCAB_KVM, "--variant", "kernel version", *w + 4,
					"variants");
			g_free(cli->kvm);
			cli->kvm = g_strdup(*w + 4);
		} else if (g_str_has_prefix(*w, "tdx=")) {
			ok = known_version("--variant", *w + 4);
			g_free(cli->tdx);
			cli->tdx = g_strdup(*w + 4);
		} else {
			ok = known_word(SCN_VOCAB_SWITCH, "--variant", "switch", *w, "variants");
			g_ptr_array_add(cli->switches, g_strdup(*w));
		}
	}
	g_strfreev(words);
	return ok;
}

/* @several: the command can play more than one */
static gboolean take_tdx(struct cli *cli, gboolean several)
{
	gboolean all = raw.tdx && !strcmp(raw.tdx, "all"), ok = TRUE;
	char **words = raw.tdx && !all ? g_strsplit_set(raw.tdx, " ,", -1) : NULL;
	u32 n;
	const struct tdx_version *v = tdx_version_table(&n);

	for (u32 i = 0; all && i < n; i++)
		g_ptr_array_add(cli->versions, g_strdup(v[i].name));
	for (char **w = words; w && *w && ok; w++) {
		if (!**w)
			continue;
		ok = known_version("--tdx", *w);
		if (ok && !g_ptr_array_find_with_equal_func(cli->versions, *w, g_str_equal, NULL))
			g_ptr_array_add(cli->versions, g_strdup(*w));
	}
	g_strfreev(words);
	if (ok && raw.tdx && !cli->versions->len)
		return cli_fail("--tdx wants module versions; `septsim list variants tdx`"), FALSE;
	if (ok && cli->versions->len > 1 && !several)
		return cli_fail("--tdx: one version here; `septsim run` takes several"), FALSE;
	if (ok && cli->versions->len == 1) {
		g_free(cli->tdx);
		cli->tdx = g_strdup(cli->versions->pdata[0]);
	}
	return ok;
}

static gboolean take_policy(struct cli *cli)
{
	char **words = raw.policy ? g_strsplit_set(raw.policy, " ,", -1) : NULL;
	gboolean ok = TRUE;

	for (char **w = words; w && *w && ok; w++) {
		if (!**w)
			continue;
		if (strchr(*w, '=')) {
			g_ptr_array_add(cli->policy_args, g_strdup(*w));
		} else {
			ok = known_word(SCN_VOCAB_POLICY, "--policy", "policy", *w, "policies");
			g_free(cli->policy);
			cli->policy = g_strdup(*w);
		}
	}
	g_strfreev(words);
	return ok;
}

static gboolean take_costs(struct cli *cli)
{
	GError *err = NULL;

	cost_init(&cli->costs);
	cli->play.cost_level = COST_TYPICAL;
	if (raw.costs && !cost_level_find(raw.costs, &cli->play.cost_level) &&
	    !cost_load_csv(&cli->costs, raw.costs, &err)) {
		cli_fail("--costs: %s", err->message);
		g_clear_error(&err);
		return FALSE;
	}
	for (char **s = raw.sets; s && *s; s++) {
		if (cost_set(&cli->costs, *s, &err))
			continue;
		cli_fail("--set: %s", err->message);
		g_clear_error(&err);
		return FALSE;
	}
	cli->play.costs = &cli->costs;
	return TRUE;
}

static gboolean take_carrier(struct cli *cli)
{
	if (!raw.carrier || !strcmp(raw.carrier, "fiber"))
		cli->play.carrier = CARRIER_FIBER;
	else if (!strcmp(raw.carrier, "pthread"))
		cli->play.carrier = CARRIER_PTHREAD;
	else
		return cli_fail("--carrier is fiber or pthread, not %s", raw.carrier), FALSE;
	return TRUE;
}

gboolean cli_backend(const char *word, enum kmmu_backend *b)
{
	if (!kmmu_backend_find(word, b))
		return cli_fail("--kvm is own or linux, not %s", word), FALSE;
	if (*b == KMMU_LINUX && !kmmu_tree())
		return cli_fail("--kvm linux: no kernel tree was built in; "
				"`meson setup BUILD -Dlinux_tree=PATH` makes a septsim with one"),
		       FALSE;
	return TRUE;
}

static gboolean take_backend(struct cli *cli)
{
	return !raw.kvm || cli_backend(raw.kvm, &cli->play.backend);
}

static gboolean take_leaves(struct cli *cli)
{
	GError *err = NULL;

	cli->leaves = raw.leaves ? leaves_load(raw.leaves, &err) : NULL;
	cli->play.leaves = cli->leaves;
	cli->leaves_file = raw.leaves;
	if (!err)
		return TRUE;
	cli_fail("--leaves: %s", err->message);
	g_clear_error(&err);
	return FALSE;
}

static gboolean take_seed(struct cli *cli)
{
	char *end;

	if (!raw.seed)
		return TRUE;
	cli->play.seed = g_ascii_strtoull(raw.seed, &end, 0);
	if (end != raw.seed && !*end)
		return TRUE;
	cli_fail("--seed wants a number, not \"%s\"", raw.seed);
	return FALSE;
}

static gboolean take_look(struct cli *cli)
{
	gboolean tty = isatty(STDOUT_FILENO) && !raw.mail;
	struct winsize ws;

	cli->look.width = MAIL_WIDTH;
	if (tty && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) && ws.ws_col >= 40)
		cli->look.width = ws.ws_col;
	if (raw.width != G_MININT && (raw.width < 40 || raw.width > 1000))
		return cli_fail("--width is 40 to 1000, not %d", raw.width), FALSE;
	if (raw.width != G_MININT)
		cli->look.width = raw.width;
	cli->look.ascii = raw.ascii || !tty;
	cli->look.verbose = raw.verbose;
	cli->look.quiet = raw.quiet;
	if (!raw.color || !strcmp(raw.color, "auto"))
		cli->look.color = tty && !g_getenv("NO_COLOR");
	else if (!strcmp(raw.color, "always"))
		cli->look.color = TRUE;
	else if (strcmp(raw.color, "never"))
		return cli_fail("--color is auto, always or never, not %s", raw.color), FALSE;
	return TRUE;
}

static gboolean take_trace(struct cli *cli)
{
	if (!raw.trace)
		return TRUE;
	cli->trace_out = fopen(raw.trace, "w");
	if (!cli->trace_out)
		return cli_fail("--trace %s: %s", raw.trace, g_strerror(errno)), FALSE;
	return TRUE;
}

static gboolean take_all(struct cli *cli, gboolean several)
{
	if (!take_defines(cli) || !take_variant(cli) || !take_tdx(cli, several) ||
	    !take_policy(cli) || !take_costs(cli) ||
	    !take_carrier(cli) || !take_backend(cli) || !take_leaves(cli) || !take_seed(cli) || !take_look(cli) || !take_trace(cli))
		return FALSE;
	cli->json = raw.json;
	cli->in_process = raw.in_process;
	cli->play.kvm = cli->kvm;
	cli->play.tdx = cli->tdx;
	cli->play.policy = cli->policy;
	cli->play.steps = raw.trace || raw.verbose;
	g_ptr_array_add(cli->switches, NULL);
	g_ptr_array_add(cli->policy_args, NULL);
	cli->play.switches = (const char *const *)cli->switches->pdata;
	cli->play.policy_args = (const char *const *)cli->policy_args->pdata;
	return TRUE;
}

/* A command's own option stands instead of the common one of that name. */
static void add_common(GOptionContext *ctx, const GOptionEntry *extra)
{
	for (const GOptionEntry *e = common; e->long_name; e++) {
		const GOptionEntry one[] = { *e, { NULL } };
		gboolean own = FALSE;

		for (const GOptionEntry *x = extra; x && x->long_name; x++)
			own |= !strcmp(x->long_name, e->long_name);
		if (!own)
			g_option_context_add_main_entries(ctx, one, NULL);
	}
}

gboolean cli_parse(struct cli *cli, int *argc, char ***argv, const char *args,
		   const char *example, const char *about, const GOptionEntry *extra, int *code)
{
	GOptionContext *ctx = g_option_context_new(args);
	char *summary = g_strdup_printf("Example: %s\n\n%s", example, about);
	char *name = g_strdup_printf("septsim %s", (*argv)[0]);
	gboolean help = FALSE, several = !strcmp((*argv)[0], "run"), ok;
	const GOptionEntry helps[] = {
		{ "help", 'h', 0, G_OPTION_ARG_NONE, &help, "Show this", NULL }, { NULL }
	};
	GError *err = NULL;

	memset(cli, 0, sizeof(*cli));
	cli->versions = g_ptr_array_new_with_free_func(g_free);
	cli->defines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	cli->switches = g_ptr_array_new_with_free_func(g_free);
	cli->policy_args = g_ptr_array_new_with_free_func(g_free);
	g_set_prgname(name);
	g_option_context_set_help_enabled(ctx, FALSE);
	if (extra)
		g_option_context_add_main_entries(ctx, extra, NULL);
	add_common(ctx, extra);
	g_option_context_add_main_entries(ctx, helps, NULL);
	ok = g_option_context_parse(ctx, argc, argv, &err);
	*code = ok ? EXIT_AS_EXPECTED : EXIT_INPUT;
	if (!ok) {
		cli_fail("%s; `%s --help`", err->message, name);
		g_clear_error(&err);
	} else if (help) {
		char *text = g_option_context_get_help(ctx, TRUE, NULL);

		printf("%s\n\n%s", summary, text);
		g_free(text);
		ok = FALSE;
	} else if (!take_all(cli, several)) {
		*code = EXIT_INPUT;
		ok = FALSE;
	}
	g_option_context_free(ctx);
	g_free(summary);
	g_free(name);
	if (!ok)
		cli_free(cli);
	return ok;
}

void cli_free(struct cli *cli)
{
	leaves_free(cli->leaves);
	g_hash_table_unref(cli->defines);
	g_ptr_array_unref(cli->switches);
	g_ptr_array_unref(cli->policy_args);
	g_ptr_array_unref(cli->versions);
	g_free(cli->kvm);
	g_free(cli->tdx);
	g_free(cli->policy);
	if (cli->trace_out && fclose(cli->trace_out))
		cli_fail("--trace %s: %s", raw.trace, g_strerror(errno));
}

struct scenario *cli_load(const struct cli *cli, const char *path)
{
	struct diag *diag = diag_new();
	struct scenario *sc = scenario_parse_file(path, cli->defines, scenario_vocab_model(),
						  diag);

	fflush(stdout);
	if (!sc)
		diag_print(diag, stderr);
	diag_free(diag);
	return sc;
}

int worse(int code, const struct play_result *r)
{
	int mine = r->as_expected ? EXIT_AS_EXPECTED : EXIT_NOT_EXPECTED;

	if (r->end == PLAY_FAULT)
		mine = EXIT_FAULT;
	else if (r->end == PLAY_REFUSED)
		mine = EXIT_INPUT;
	return mine > code ? mine : code;
}
