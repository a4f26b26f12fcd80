// SPDX-License-Identifier: GPL-2.0-only
/*
 * septsim differ: the same scripts on two KVMs, event by event. A script says every switch, so
 * nothing is left to clocks, which the two do not share: each actor must do the same calls
 * into the module, on the same gfn, in the same order, with the same results; each entry of
 * the mirror, the S-EPT and direct trees must go through the same classes; each operation must
 * end alike. How many steps lie between is each one's own.
 */
#include <stdio.h>
#include <string.h>

#include "scenarios/diag.h"
#include "scenarios/program.h"
#include "scenarios/vocab.h"
#include "sim/cli/cli.h"
#include "sim/cli/differ_streams.h"
#include "sim/cli/plan.h"
#include "sim/engine/farm.h"

#define BATCH	256u

static struct {
	int scripts, ops, jobs;
	char *found, *known, *write;
	gboolean tds;
} raw = { .scripts = 0, .ops = 24 };

static const GOptionEntry extra[] = {
	{ "scripts", 0, 0, G_OPTION_ARG_INT, &raw.scripts, "So many random scripts, from --seed on",
	  "N" },
	{ "ops", 0, 0, G_OPTION_ARG_INT, &raw.ops, "Operations of each (default 24)", "N" },
	{ "tds", 0, 0, G_OPTION_ARG_NONE, &raw.tds, "Random scripts of TDs alone, no other VMs", NULL },
	{ "known", 0, 0, G_OPTION_ARG_FILENAME, &raw.known,
	  "Differences that are documented: a pattern and, after a tab, the reason, a line", "FILE" },
	{ "found", 0, 0, G_OPTION_ARG_FILENAME, &raw.found,
	  "Write scripts that differ into this directory", "DIR" },
	{ "write", 0, 0, G_OPTION_ARG_FILENAME, &raw.write,
	  "Only write the random scripts into this directory", "DIR" },
	{ "jobs", 'j', 0, G_OPTION_ARG_INT, &raw.jobs, "Processes at a time", "N" },
	{ NULL }
};

struct script {
	const struct scenario *sc;	/* NULL: made from the seed */
	const struct scenario_case *c;
	guint64 seed;
};

struct differ {
	struct cli *cli;
	GPtrArray *scenarios;
	GArray *scripts;
	guint at;
	/* of all: */
	guint64 ops, events;
	guint same, other, documented, refused, cut;
	GHashTable *kinds;		/* first difference in words -> struct kind */
	GPtrArray *order;		/* of struct kind */
	GPtrArray *known;		/* struct known */
};

struct kind {
	char *text;
	char *example;
	const char *reason;		/* NULL: not documented */
	guint times;
};

struct known {
	GRegex *pattern;
	char *reason;
};

/* ---- a script, in a worker ---- */

static void play_both(struct differ *d, const struct scenario *sc, const struct scenario_case *c,
		      FILE *out)
{
	static const char *const none[] = { NULL };
	struct play_options ref, opt = d->cli->play;
	struct play_result *own, *other;
	struct streams a = { 0 }, b = { 0 };
	char *what;

	opt.finals = TRUE;
	ref = opt;
	ref.backend = KMMU_OWN;
	ref.switches = none;
	own = scenario_play(sc, c, &ref);
	other = scenario_play(sc, c, &opt);
	if (own->end == PLAY_REFUSED || other->end == PLAY_REFUSED) {
		const char *why = own->end == PLAY_REFUSED ? own->why : other->why;
		const char *at = why ? strstr(why, "error: ") : NULL;

		at = at ? at + strlen("error: ") : why ? why : "";
		fprintf(out, "refused\t0\t0\t%.*s\n", (int)strcspn(at, "\n"), at);
	} else {
		streams_take(&a, own);
		streams_take(&b, other);
		what = streams_difference(&a, &b);
		if (!what && own->end != other->end)
			what = g_strdup_printf("the end: own: %s; other: %s",
					       play_end_name(own->end), play_end_name(other->end));
		g_strdelimit(what ? what : (char[]){ 0 }, "\t\n", ' ');
		fprintf(out, "%s\t%u\t%u\t%s\n", what ? "other" : own->end == PLAY_DONE ? "same" :
			"cut", a.ops, a.events, what ? what : "");
		g_free(what);
		streams_drop(&a);
		streams_drop(&b);
	}
	play_result_free(own);
	play_result_free(other);
}

/* Of the version that the tree is, so that own plays it as that */
static GString *script_text(const struct differ *d, guint64 seed)
{
	return program_random(PROGRAM_SCRIPT, seed, (guint)raw.ops,
			      d->cli->play.backend == KMMU_LINUX ? kmmu_tree_kvm() : NULL);
}

static struct scenario *make(const struct differ *d, guint64 seed)
{
	GString *text = script_text(d, seed);
	char *name = g_strdup_printf("script-%" G_GUINT64_FORMAT, seed);
	struct diag *diag = diag_new();
	struct scenario *sc = scenario_parse_text(name, text->str, text->len, NULL,
						  scenario_vocab_model(), diag);

	if (!sc)
		diag_print(diag, stderr);
	diag_free(diag);
	g_free(name);
	g_string_free(text, TRUE);
	return sc;
}

static int work(void *ctx, u32 i, FILE *out)
{
	struct differ *d = ctx;
	const struct script *s = &g_array_index(d->scripts, struct script, d->at + i);
	struct scenario *made = NULL;
	struct scenario_case c;

	if (!s->sc && !(made = make(d, s->seed)))
		return 1;
	memcpy(&c, made ? made->cases->pdata[0] : s->c, sizeof(c));
	/* What is written for the version that scenarios are about is asked of the tree as it is. */
	if (d->cli->play.backend == KMMU_LINUX && !strcmp(plan_kvm(&c), DEFAULT_KVM))
		c.variant.kvm = kmmu_tree_kvm();
	play_both(d, made ? made : s->sc, &c, out);
	scenario_free(made);
	return 0;
}

/* ---- all of them ---- */

static char *name_of(const struct script *s)
{
	if (!s->sc)
		return g_strdup_printf("script-%" G_GUINT64_FORMAT, s->seed);
	return g_strdup_printf("%s%s%s", s->sc->name, *s->c->name ? " " : "", s->c->name);
}

static void write_script(const struct differ *d, const struct script *s, const char *dir)
{
	char *name = g_strdup_printf("script-%" G_GUINT64_FORMAT ".scn", s->seed);
	char *path = dir ? g_build_filename(dir, name, NULL) : NULL;
	GString *text;

	if (path && !s->sc) {
		text = script_text(d, s->seed);
		g_mkdir_with_parents(dir, 0777);
		if (!g_file_set_contents(path, text->str, -1, NULL))
			cli_fail("%s cannot be written", path);
		g_string_free(text, TRUE);
	}
	g_free(path);
	g_free(name);
}

static const char *reason_for(const struct differ *d, const char *what)
{
	for (guint i = 0; i < d->known->len; i++) {
		const struct known *k = d->known->pdata[i];

		if (g_regex_match(k->pattern, what, 0, NULL))
			return k->reason;
	}
	return NULL;
}

static void differs(struct differ *d, const struct script *s, const char *what)
{
	/* Many scripts show the same: without what came before it and without numbers. */
	GRegex *numbers = g_regex_new("0x[0-9a-f]+|[0-9]+", 0, 0, NULL);
	const char *from = strstr(what, ": own: ");
	char *key = g_regex_replace_literal(numbers, from ? from : what, -1, 0, "N", 0, NULL);
	struct kind *k = g_hash_table_lookup(d->kinds, key);

	if (!k) {
		char *name = name_of(s);

		k = g_new0(struct kind, 1);
		k->text = g_strdup(what);
		k->example = name;
		k->reason = reason_for(d, what);
		g_hash_table_insert(d->kinds, g_strdup(key), k);
		g_ptr_array_add(d->order, k);
		write_script(d, s, raw.found);
	}
	k->times++;
	if (k->reason)
		d->documented++;
	else
		d->other++;
	g_free(key);
	g_regex_unref(numbers);
}

static void take_result(struct differ *d, const struct script *s, const struct farm_result *r)
{
	char **f = r->out ? g_strsplit(g_strdelimit(r->out->str, "\n", ' '), "\t", 4) : NULL;

	if (r->signal || r->status || !f || g_strv_length(f) != 4) {
		char *what = g_strdup_printf("the worker: own: ended; other: died of signal %d, status %d",
					     r->signal, r->status);

		differs(d, s, what);
		g_free(what);
	} else if (!strcmp(f[0], "refused")) {
		struct kind *k = g_hash_table_lookup(d->kinds, g_strstrip(f[3]));

		d->refused++;
		if (!k) {
			k = g_new0(struct kind, 1);
			k->text = g_strdup(f[3]);
			k->example = name_of(s);
			k->reason = "not played";
			g_hash_table_insert(d->kinds, g_strdup(f[3]), k);
			g_ptr_array_add(d->order, k);
		}
		k->times++;
	} else {
		d->ops += g_ascii_strtoull(f[1], NULL, 10);
		d->events += g_ascii_strtoull(f[2], NULL, 10);
		d->same += !strcmp(f[0], "same");
		d->cut += !strcmp(f[0], "cut");
		if (!strcmp(f[0], "other"))
			differs(d, s, g_strstrip(f[3]));
	}
	g_strfreev(f);
}

static void run_all(struct differ *d)
{
	for (d->at = 0; d->at < d->scripts->len && !cli_interrupted(); d->at += BATCH) {
		guint n = MIN(BATCH, d->scripts->len - d->at);
		struct farm_result *r = farm_run(&(struct farm_work){
			.n = n, .jobs = (u32)raw.jobs, .stint = 1, .job = work, .ctx = d,
			.stop = cli_interrupt_flag() });

		for (guint i = 0; i < n; i++)
			if (r[i].done)
				take_result(d, &g_array_index(d->scripts, struct script, d->at + i),
					    &r[i]);
		farm_free(r, n);
	}
}

static void print(const struct differ *d)
{
	GString *out = g_string_new(NULL);
	const struct report_look *look = &d->cli->look;
	char *text, *documented;

	for (guint i = 0; i < d->order->len; i++) {
		const struct kind *k = d->order->pdata[i];

		text = g_strdup_printf("%u times%s%s: %s (%s)", k->times, k->reason ? ", " : "",
				       k->reason ? k->reason : "", k->text, k->example);
		report_wrap(out, text, 0, 4, look->width);
		g_free(text);
	}
	documented = d->documented ? g_strdup_printf("%u as is documented, ", d->documented) :
				     g_strdup("");
	text = g_strdup_printf("%u scripts, %" G_GUINT64_FORMAT " operations, %" G_GUINT64_FORMAT
			       " events compared: %u the same to their end, %u as far as both go "
			       "(a row cannot be followed), %u differ, %s%u not playable.",
			       d->same + d->cut + d->other + d->documented + d->refused, d->ops,
			       d->events, d->same, d->cut, d->other, documented, d->refused);
	g_free(documented);
	report_wrap(out, text, 0, 0, look->width);
	g_free(text);
	fwrite(out->str, 1, out->len, stdout);
	g_string_free(out, TRUE);
}

/* ---- what is asked for ---- */

static gboolean load(struct differ *d, const char *path)
{
	struct scenario *sc = cli_load(d->cli, path);

	if (!sc)
		return FALSE;
	g_ptr_array_add(d->scenarios, sc);
	for (guint i = 0; i < sc->cases->len; i++) {
		struct script s = { .sc = sc, .c = sc->cases->pdata[i] };

		g_array_append_val(d->scripts, s);
	}
	return TRUE;
}

static gboolean load_known(struct differ *d)
{
	char *text, **lines;
	GError *err = NULL;
	gboolean ok = TRUE;

	if (!raw.known)
		return TRUE;
	if (!g_file_get_contents(raw.known, &text, NULL, &err)) {
		cli_fail("--known %s: %s", raw.known, err->message);
		g_clear_error(&err);
		return FALSE;
	}
	lines = g_strsplit(text, "\n", -1);
	for (guint i = 0; lines[i] && ok; i++) {
		char *tab = strchr(lines[i], '\t');
		struct known *k;

		if (!*lines[i] || *lines[i] == '#')
			continue;
		k = g_new0(struct known, 1);
		if (tab)
			*tab = '\0';
		k->reason = g_strdup(tab ? tab + 1 : "");
		k->pattern = g_regex_new(lines[i], 0, 0, &err);
		ok = k->pattern && *k->reason;
		if (!ok)
			cli_fail("--known %s line %u: %s", raw.known, i + 1,
				 err ? err->message : "a tab and a reason are wanted");
		g_clear_error(&err);
		g_ptr_array_add(d->known, k);
	}
	g_strfreev(lines);
	g_free(text);
	return ok;
}

static void kind_free(gpointer p)
{
	struct kind *k = p;

	g_free(k->text);
	g_free(k->example);
	g_free(k);
}

static void known_free(gpointer p)
{
	struct known *k = p;

	if (k->pattern)
		g_regex_unref(k->pattern);
	g_free(k->reason);
	g_free(k);
}

static int differ(struct cli *cli, int n, char **files)
{
	struct differ d = { .cli = cli };
	int n_random = 0;
	gboolean ok;

	d.scenarios = g_ptr_array_new_with_free_func((GDestroyNotify)scenario_free);
	d.scripts = g_array_new(FALSE, TRUE, sizeof(struct script));
	d.kinds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	d.order = g_ptr_array_new_with_free_func(kind_free);
	d.known = g_ptr_array_new_with_free_func(known_free);
	ok = load_known(&d);
	for (int i = 0; i < n && ok; i++)
		ok = load(&d, files[i]);
	for (guint64 seed = cli->play.seed; n_random < raw.scripts; seed++) {
		struct script s = { .seed = seed };

		if (raw.tds && !program_is_td(seed))
			continue;
		g_array_append_val(d.scripts, s);
		n_random++;
	}
	for (guint i = 0; ok && raw.write && i < d.scripts->len; i++)
		write_script(&d, &g_array_index(d.scripts, struct script, i), raw.write);
	if (ok && !raw.write) {
		run_all(&d);
		print(&d);
	}
	g_hash_table_unref(d.kinds);
	g_ptr_array_unref(d.order);
	g_ptr_array_unref(d.known);
	g_array_unref(d.scripts);
	g_ptr_array_unref(d.scenarios);
	if (!ok || raw.write)
		return ok ? EXIT_AS_EXPECTED : EXIT_INPUT;
	return d.other || cli_interrupted() ? EXIT_NOT_EXPECTED :
	       d.same + d.cut ? EXIT_AS_EXPECTED : EXIT_INPUT;
}

int cmd_differ(int argc, char **argv)
{
	struct cli cli;
	int code;

	if (!cli_parse(&cli, &argc, &argv, "[FILE...]",
		       "septsim differ --kvm linux --scripts 5000",
		       "Plays each case of each FILE, and random scripts, on this KVM and on the\n"
		       "project's own, and says where they differ: calls into the module, results,\n"
		       "changes of mirror and S-EPT, ends of operations, event by event.", extra, &code))
		return code;
	if (argc < 2 && raw.scripts <= 0)
		code = cli_fail("differ wants a FILE, or --scripts N; `septsim differ --help`");
	else if (raw.ops < 1 || raw.ops > 100000 || raw.scripts < 0 || raw.jobs < 0)
		code = cli_fail("a number of an option is too small, or --ops above 100000");
	else {
		cli_catch_interrupts();
		code = differ(&cli, argc - 1, argv + 1);
	}
	cli_free(&cli);
	return code;
}
