// SPDX-License-Identifier: GPL-2.0-only
/*
 * septsim list: what a word of a scenario can be, from the layers' own tables; what needs more
 * than a table is in list_*.c.
 */
#include <stdio.h>
#include <string.h>

#include "kvmmmu/kmmu.h"
#include "scenarios/checks.h"
#include "scenarios/diag.h"
#include "scenarios/measure.h"
#include "scenarios/vocab.h"
#include "sim/cli/list.h"
#include "tdxmod/observe.h"
#include "tdxmod/versions.h"

gboolean list_wanted(struct lister *l, const char *name)
{
	if (l->only && strcmp(l->only, name))
		return FALSE;
	l->shown++;
	return TRUE;
}

void list_wrap(const struct lister *l, const char *text, int first, int rest)
{
	GString *out = g_string_new(NULL);

	if (!l->json) {
		report_wrap(out, text, first, rest, l->cli->look.width);
		fputs(out->str, stdout);
	}
	g_string_free(out, TRUE);
}

static void item_json(struct lister *l, const char *name, const char *text)
{
	json_enter(l->json, NULL, '{');
	json_text(l->json, "name", name);
	json_text(l->json, "text", text);
	json_leave(l->json, '}');
}

void list_item(struct lister *l, const char *name, const char *text)
{
	GString *out;
	gsize n = strlen(name);

	if (l->json) {
		item_json(l, name, text);
		return;
	}
	out = g_string_new(NULL);
	if (!text || !*text) {
		g_string_append_printf(out, "  %s\n", name);
	} else if (n <= 22) {
		char *line = g_strdup_printf("%-*s%s", (int)MAX(n + 2, 24u), name, text);

		report_wrap(out, line, 2, 26, l->cli->look.width);
		g_free(line);
	} else {
		g_string_append_printf(out, "  %s\n", name);
		report_wrap(out, text, 26, 26, l->cli->look.width);
	}
	fputs(out->str, stdout);
	g_string_free(out, TRUE);
}

void list_kmmu_words(struct lister *l, const struct kmmu_word *w, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		GString *text;

		if (!list_wanted(l, w[i].name))
			continue;
		text = g_string_new(w[i].text);
		if (w[i].range)
			g_string_append_printf(text, " [%s]", w[i].range);
		if (w[i].source)
			g_string_append_printf(text, " (%s)", w[i].source);
		if (w[i].bounds)
			g_string_append_printf(text, ". Bounds: %s", w[i].bounds);
		list_item(l, w[i].name, text->str);
		g_string_free(text, TRUE);
	}
}

static void list_policies(struct lister *l)
{
	u32 n;
	const struct kmmu_word *w = kmmu_policies(&n);
	struct kmmu_arg a;

	list_kmmu_words(l, w, n);
	for (u32 i = 0; l->only && !l->json && kmmu_policy_arg(l->only, i, &a); i++) {
		char *text = g_strdup_printf("  %s=%" G_GUINT64_FORMAT "  %s (%" G_GUINT64_FORMAT
					     " to %" G_GUINT64_FORMAT ")", a.name, (guint64)a.value,
					     a.text, (guint64)a.min, (guint64)a.max);

		list_wrap(l, text, 24, 28);
		g_free(text);
	}
}

static void list_checks(struct lister *l)
{
	guint n;
	const struct check_word *c = check_words(&n);

	for (guint obs = 0; obs < 2; obs++) {
		if (!l->only && obs && !l->json)
			printf("observations: counted and shown, never violations by themselves\n");
		for (guint i = 0; i < n; i++) {
			char *text;

			if (c[i].observation != (gboolean)obs || !list_wanted(l, c[i].name))
				continue;
			text = g_strdup_printf("%s (%s)", c[i].text, c[i].where);
			list_item(l, c[i].name, text);
			g_free(text);
		}
	}
}

static void vocab_words(struct lister *l, enum scn_vocab_kind kind, const char *scope)
{
	const struct scenario_vocab *v = scenario_vocab_model();
	const char *const *w = v->list(kind, scope);

	for (; w && *w; w++)
		if (list_wanted(l, *w))
			list_item(l, *w, NULL);
}

static void list_regions(struct lister *l)
{
	const struct scenario_vocab *v = scenario_vocab_model();
	const char *const *w = v->list(SCN_VOCAB_REGION, NULL);

	for (; w && *w; w++) {
		const char *const *f = v->list(SCN_VOCAB_FIELD, *w);
		char *fields = f ? g_strjoinv(" ", (char **)f) : g_strdup("");

		if (list_wanted(l, *w))
			list_item(l, *w, fields);
		g_free(fields);
	}
}

static void list_events(struct lister *l)
{
	static const struct {
		const char *name, *text;
	} forms[] = {
		{ "R[I] = V", "the element's class or field becomes V; also != V, `changes`" },
		{ "reads R[I]", "a step reads it; `writes R[I]`: a step stores to it" },
		{ "call X", "a leaf or seam function is called, X(ARG) for a gfn or vCPU" },
		{ "return X", "it returns, [STATUS[|OPERAND]]" },
		{ "lock X", "a lock is got, [read|write|shared|exclusive|host|guest]" },
		{ "unlock X", "it is given back" },
		{ "busy X", "a try-lock of the module fails" },
		{ "blocked", "the actor waits" },
		{ "enter", "the guest runs" },
		{ "exit REASON", "a TD exit" },
		{ "kick requested", "also `kick sent`, `kick acked`" },
		{ "interrupt", "one is taken on the actor's LP" },
		{ "timeout", "a deadline is taken as passed" },
		{ "end", "the operation ends" },
	};
	u32 n;
	const struct kmmu_word *seams;

	for (guint i = 0; i < G_N_ELEMENTS(forms); i++)
		if (list_wanted(l, forms[i].name))
			list_item(l, forms[i].name, forms[i].text);
	if (!l->only && !l->json)
		printf("regions R and their fields\n");
	list_regions(l);
	if (!l->only && !l->json)
		printf("seam functions X\n");
	seams = kmmu_seams(&n);
	list_kmmu_words(l, seams, n);
	if (!l->only && !l->json)
		printf("leaves X\n");
	vocab_words(l, SCN_VOCAB_LEAF, NULL);
}

static int by_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_scenarios(struct lister *l)
{
	const char *where = l->only && g_file_test(l->only, G_FILE_TEST_IS_DIR) ? l->only :
			    "scenarios/races";
	GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
	GDir *dir = g_dir_open(where, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)))
		if (g_str_has_suffix(name, ".scn"))
			g_ptr_array_add(files, g_build_filename(where, name, NULL));
	if (dir)
		g_dir_close(dir);
	g_ptr_array_sort(files, by_text);
	for (guint i = 0; i < files->len; i++) {
		struct scenario *sc = cli_load(l->cli, files->pdata[i]);

		if (sc)
			list_item(l, files->pdata[i], sc->title);
		scenario_free(sc);
		l->shown++;
	}
	if (!files->len)
		fprintf(stderr, "septsim: no scenarios in %s; `septsim list scenarios DIR`\n", where);
	g_ptr_array_unref(files);
}

static void list_metrics(struct lister *l)
{
	const struct measure_word *w;
	char *text;
	guint n;

	w = measure_words(&n);
	for (guint i = 0; i < n; i++) {
		if (!list_wanted(l, w[i].word))
			continue;
		text = g_strdup_printf("%s [%s]", w[i].about, w[i].unit);
		list_item(l, w[i].word, text);
		g_free(text);
	}
}

static const struct {
	const char *what;
	void (*fn)(struct lister *l);
} lists[] = {
	{ "policies", list_policies }, { "variants", list_variants }, { "checks", list_checks },
	{ "events", list_events }, { "seamcalls", list_seamcalls }, { "states", list_states },
	{ "locks", list_locks }, { "costs", list_costs }, { "scenarios", list_scenarios },
	{ "metrics", list_metrics },
};

/* The same list as {"schema":1, "command":"list", "list":WHAT, "items":[...]} */
static void list_json(struct lister *l, const char *what, void (*fn)(struct lister *l))
{
	struct json j = { .out = g_string_new(NULL) };

	l->json = &j;
	json_enter(&j, NULL, '{');
	json_number(&j, "schema", 1);
	json_text(&j, "septsim", SEPTSIM_VERSION);
	json_text(&j, "command", "list");
	json_text(&j, "list", what);
	json_text(&j, "tdx", l->tdx);
	json_enter(&j, "items", '[');
	fn(l);
	json_leave(&j, ']');
	json_leave(&j, '}');
	g_string_append_c(j.out, '\n');
	if (l->shown)
		fputs(j.out->str, stdout);
	g_string_free(j.out, TRUE);
}

int cmd_list(int argc, char **argv)
{
	const char *names[G_N_ELEMENTS(lists) + 1] = { NULL };
	struct lister l = { 0 };
	struct tdx_version version;
	struct cli cli;
	const char *near;
	int code;

	if (!cli_parse(&cli, &argc, &argv, "WHAT [NAME]", "septsim list policies",
		       "WHAT is policies, variants, checks, events, seamcalls, states, locks, costs,\n"
		       "metrics or scenarios; of `costs` NAME may be a scenario file.", NULL, &code))
		return code;
	if (argc < 2 || argc > 3)
		return cli_fail("list wants WHAT [NAME]; `septsim list --help`");
	l.cli = &cli;
	l.only = argc == 3 ? argv[2] : NULL;
	l.tdx = cli.tdx ? cli.tdx : TDX_VERSION_DEFAULT;
	l.dpamt = g_strv_contains(cli.play.switches, TDX_OPTION_DPAMT);
	if (l.dpamt && !(tdx_version_find(l.tdx, &version) && version.options & SWITCH(S_DPAMT)))
		return cli_fail("module %s has no dynamic PAMT; `septsim list variants tdx`", l.tdx);
	for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
		names[i] = lists[i].what;
		if (strcmp(lists[i].what, argv[1]))
			continue;
		if (cli.json)
			list_json(&l, argv[1], lists[i].fn);
		else
			lists[i].fn(&l);
		if (l.failed)
			code = EXIT_INPUT;	/* said already */
		else if (!l.shown && l.only)
			code = cli_fail("no %s among the %s; `septsim list %s` has all", l.only,
					argv[1], argv[1]);
		else if (!l.shown)
			code = EXIT_INPUT;	/* said already */
		cli_free(&cli);
		return code;
	}
	near = diag_nearest(argv[1], names);
	cli_free(&cli);
	return cli_fail("nothing to list as %s%s%s%s; `septsim list --help` has all", argv[1],
			near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}
