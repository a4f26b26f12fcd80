// SPDX-License-Identifier: GPL-2.0-only
/*
 * septsim bench: every point of the files' sweeps, under every policy and price level asked
 * for, with seed after seed until the first number's interval is narrow enough. Runs are
 * forked workers; what they give does not depend on how many there are.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "scenarios/diag.h"
#include "scenarios/vocab.h"
#include "sim/cli/cli.h"
#include "sim/engine/farm.h"
#include "sim/report/bench.h"

static struct {
	char *policy, *level, *csv, *html;
	int seeds, max_seeds, jobs, jitter;
	double precision;
} raw;

/* A file at one point of its sweeps. */
struct point {
	struct scenario *sc;
	char *label;
};

struct bench {
	struct cli *cli;
	struct bench_report rep;
	GPtrArray *points;	/* struct point */
	GPtrArray *policies;	/* "v7.2", "v19:retries=5"; empty: each case's own */
	GArray *levels;		/* enum cost_level */
	GPtrArray *plan;	/* struct planned, beside rep.cells */
};

struct planned {
	const struct scenario *sc;
	const struct scenario_case *c;
	struct play_options opt;
	char **words;		/* policy and its arguments */
};

/* ---- points of a sweep ---- */

static void point_free(gpointer p)
{
	struct point *x = p;

	scenario_free(x->sc);
	g_free(x->label);
	g_free(x);
}

static gboolean add_point(struct bench *b, const char *path, const GString *label)
{
	struct scenario *sc = cli_load(b->cli, path);
	struct point *p;

	if (!sc)
		return FALSE;
	p = g_new0(struct point, 1);
	p->sc = sc;
	p->label = g_strdup(label->str);
	g_ptr_array_add(b->points, p);
	return TRUE;
}

/* The @k-th sweep of @sc and those after it; a -D on the command line has fixed its own */
static gboolean sweep(struct bench *b, const char *path, const struct scenario *sc, guint k,
		      GString *label)
{
	const struct scn_sweep *s;
	gboolean ok = TRUE;
	gsize had = label->len;

	if (k == sc->sweeps->len)
		return add_point(b, path, label);
	s = sc->sweeps->pdata[k];
	if (g_hash_table_contains(b->cli->defines, s->name)) {
		g_string_append_printf(label, "%s%s=%s", had ? " " : "", s->name,
				       (char *)g_hash_table_lookup(b->cli->defines, s->name));
		return sweep(b, path, sc, k + 1, label);
	}
	for (guint i = 0; i < s->values->len && ok; i++) {
		const char *v = s->values->pdata[i];

		g_string_append_printf(label, "%s%s=%s", had ? " " : "", s->name, v);
		g_hash_table_insert(b->cli->defines, g_strdup(s->name), g_strdup(v));
		ok = sweep(b, path, sc, k + 1, label);
		g_string_truncate(label, had);
	}
	g_hash_table_remove(b->cli->defines, s->name);
	return ok;
}

static gboolean load(struct bench *b, const char *path)
{
	struct scenario *sc = cli_load(b->cli, path);
	GString *label = g_string_new(NULL);
	const char *hint = NULL;
	gboolean ok = sc && sweep(b, path, sc, 0, label);

	for (guint i = 0; ok && i < sc->measures->len; i++) {
		const char *spec = sc->measures->pdata[i];
		struct bench_column *c = bench_column_new(spec, &hint);

		if (!c) {
			cli_fail("%s: measure %s: no such metric%s%s%s; `septsim list metrics`", path,
				 spec, hint ? "; did you mean " : "", hint ? hint : "",
				 hint ? "?" : "");
			ok = FALSE;
			break;
		}
		for (guint k = 0; k < b->rep.columns->len && c; k++)
			if (!strcmp(((struct bench_column *)b->rep.columns->pdata[k])->spec,
				    c->spec))
				g_clear_pointer(&c, bench_column_free);
		if (c)
			g_ptr_array_add(b->rep.columns, c);
	}
	g_string_free(label, TRUE);
	if (sc)
		scenario_free(sc);
	return ok;
}

/* ---- what is asked for ---- */

static gboolean known_policy(const char *name)
{
	const struct scenario_vocab *v = scenario_vocab_model();
	const char *const *list = v->list(SCN_VOCAB_POLICY, NULL);
	const char *near;

	if (g_strv_contains(list, name))
		return TRUE;
	near = diag_nearest(name, list);
	cli_fail("--policy: no policy %s%s%s%s; `septsim list policies` has all", name,
		 near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
	return FALSE;
}

/* "all", or "v7.2,kick-first,v19:retries=5" */
static gboolean take_policies(struct bench *b)
{
	const struct scenario_vocab *v = scenario_vocab_model();
	char **words;
	gboolean ok = TRUE;

	if (!raw.policy)
		return TRUE;
	if (!strcmp(raw.policy, "all")) {
		const char *const *list = v->list(SCN_VOCAB_POLICY, NULL);

		g_ptr_array_add(b->policies, g_strdup(DEFAULT_KVM));
		for (; *list; list++)	/* v6.18 and v6.19 are v7.2's under other names */
			if (strcmp(*list, DEFAULT_KVM) && strcmp(*list, "v6.18") &&
			    strcmp(*list, "v6.19"))
				g_ptr_array_add(b->policies, g_strdup(*list));
		return TRUE;
	}
	words = g_strsplit_set(raw.policy, " ,", -1);
	for (char **w = words; *w && ok; w++) {
		char *name = g_strndup(*w, strcspn(*w, ":"));

		if (**w) {
			ok = known_policy(name);
			g_ptr_array_add(b->policies, g_strdup(*w));
		}
		g_free(name);
	}
	g_strfreev(words);
	return ok;
}

static gboolean take_levels(struct bench *b)
{
	enum cost_level l = b->cli->play.cost_level;
	char **words;

	if (raw.level && !strcmp(raw.level, "all")) {
		for (l = COST_LOW; l <= COST_HIGH; l++)
			g_array_append_val(b->levels, l);
		return TRUE;
	}
	words = raw.level ? g_strsplit_set(raw.level, " ,", -1) : NULL;
	for (char **w = words; w && *w; w++) {
		if (!**w)
			continue;
		if (!cost_level_find(*w, &l)) {
			cli_fail("--cost-level is low, typical, high, several of them, or all, not %s",
				 *w);
			g_strfreev(words);
			return FALSE;
		}
		g_array_append_val(b->levels, l);
	}
	g_strfreev(words);
	if (!b->levels->len)
		g_array_append_val(b->levels, l);
	return TRUE;
}

static gboolean take_numbers(struct bench *b)
{
	if (raw.seeds < 1 || raw.max_seeds < 1)
		return cli_fail("--seeds and --max-seeds want a number from 1 on"), FALSE;
	if (raw.jobs < 0)
		return cli_fail("--jobs wants a number from 1 on"), FALSE;
	if (raw.jitter < 0)
		return cli_fail("--jitter wants cycles"), FALSE;
	if (raw.precision < 0 || raw.precision > 1000)
		return cli_fail("--precision wants a percentage"), FALSE;
	b->rep.precision = (guint)(raw.precision * 10 + 0.5);
	b->rep.jitter = (guint64)raw.jitter;
	b->rep.first_seed = b->cli->play.seed;
	return TRUE;
}

/* ---- the plan ---- */

static void planned_free(gpointer p)
{
	struct planned *x = p;

	g_strfreev(x->words);
	g_free(x);
}

static void cell_free(gpointer p)
{
	struct bench_cell *cell = p;

	g_ptr_array_unref(cell->runs);
	measure_free(cell->all);
	g_free(cell);
}

static const char *policy_of(const struct bench *b, const struct scenario_case *c,
			     const struct planned *p)
{
	if (p->words)
		return p->words[0];
	if (c->policy.name)
		return c->policy.name;
	return b->cli->kvm ? b->cli->kvm : c->variant.kvm ? c->variant.kvm : DEFAULT_KVM;
}

static void add_cell(struct bench *b, const struct point *at, const struct scenario_case *c,
		     const char *policy, enum cost_level level)
{
	struct planned *p = g_new0(struct planned, 1);
	struct bench_cell *cell = g_new0(struct bench_cell, 1);

	p->sc = at->sc;
	p->c = c;
	p->opt = b->cli->play;
	p->opt.cost_level = level;
	if (policy) {
		p->words = g_strsplit(policy, ":", -1);
		p->opt.policy = p->words[0];
		p->opt.policy_args = (const char *const *)p->words + 1;
	}
	*cell = (struct bench_cell){
		.scenario = at->sc->name, .title = c->title && *c->title ? c->title : at->sc->title,
		.case_name = c->name, .point = at->label,
		.policy = policy ? policy : policy_of(b, c, p),
		.kvm = b->cli->kvm ? b->cli->kvm : c->variant.kvm ? c->variant.kvm : DEFAULT_KVM,
		.tdx = b->cli->tdx ? b->cli->tdx : c->variant.tdx ? c->variant.tdx : DEFAULT_TDX,
		.switches = "", .level = level,
		.runs = g_ptr_array_new_with_free_func((GDestroyNotify)bench_result_free),
		.all = measure_new(),
	};
	g_ptr_array_add(b->plan, p);
	g_ptr_array_add(b->rep.cells, cell);
}

static void make_plan(struct bench *b)
{
	for (guint i = 0; i < b->points->len; i++) {
		const struct point *at = b->points->pdata[i];

		for (guint k = 0; k < at->sc->cases->len; k++) {
			const struct scenario_case *c = at->sc->cases->pdata[k];

			for (guint l = 0; l < b->levels->len; l++) {
				enum cost_level level = g_array_index(b->levels, enum cost_level, l);

				for (guint n = 0; n < b->policies->len; n++)
					add_cell(b, at, c, b->policies->pdata[n], level);
				if (!b->policies->len)
					add_cell(b, at, c, NULL, level);
			}
		}
	}
	if (b->rep.cells->len)
		b->rep.baseline = ((struct bench_cell *)b->rep.cells->pdata[0])->policy;
}

/* ---- running ---- */

struct round {
	struct bench *b;
	GArray *cell;		/* guint: of each job */
};

static int job(void *ctx, u32 i, FILE *out)
{
	const struct round *r = ctx;
	guint at = g_array_index(r->cell, guint, i);
	struct planned *p = r->b->plan->pdata[at];
	const struct bench_cell *cell = r->b->rep.cells->pdata[at];
	struct bench_result *res;
	guint seed = cell->runs->len;

	/* Jobs of one cell in a round follow each other: their seeds do, too. */
	for (u32 k = i; k && g_array_index(r->cell, guint, k - 1) == at; k--)
		seed++;
	p->opt.seed = r->b->rep.first_seed + seed;
	res = bench_play(p->sc, p->c, &p->opt, r->b->rep.jitter);
	bench_write(res, out);
	return 0;
}

static struct bench_result *result_of(const struct farm_result *f)
{
	struct bench_result *r = f->done && !f->signal && !f->status ? bench_read(f->out->str) : NULL;

	if (r)
		return r;
	r = g_new0(struct bench_result, 1);
	r->measure = measure_new();
	r->end = f->done ? BENCH_FAULT : BENCH_STOPPED;
	if (f->signal)
		r->why = g_strdup_printf("the worker died of signal %d", f->signal);
	return r;
}

static void progress(const struct bench *b, guint round, guint jobs)
{
	if (isatty(STDERR_FILENO) && !b->cli->look.quiet)
		fprintf(stderr, "\rbench: round %u, %u runs of %u cells \033[K\r", round, jobs,
			b->rep.cells->len);
}

static const struct bench_column *first_column(const struct bench *b, const GPtrArray *defaults)
{
	return b->rep.columns->len ? b->rep.columns->pdata[0] : defaults->pdata[1];	/* time */
}

/* One round: @seeds more runs of every cell that is not narrow yet. FALSE: nothing to do */
static gboolean one_round(struct bench *b, guint round, guint seeds, const GPtrArray *defaults)
{
	struct round r = { .b = b, .cell = g_array_new(FALSE, FALSE, sizeof(guint)) };
	struct farm_result *f;
	gboolean more;

	for (guint i = 0; i < b->rep.cells->len; i++) {
		const struct bench_cell *cell = b->rep.cells->pdata[i];

		if (cell->narrow || bench_cell_broken(cell))
			continue;
		for (guint k = 0; k < seeds && cell->runs->len + k < (guint)raw.max_seeds; k++)
			g_array_append_val(r.cell, i);
	}
	if (r.cell->len) {
		progress(b, round, r.cell->len);
		f = farm_run(r.cell->len, (u32)raw.jobs, job, &r, cli_interrupt_flag());
		for (guint i = 0; i < r.cell->len; i++) {
			struct bench_cell *cell =
				b->rep.cells->pdata[g_array_index(r.cell, guint, i)];
			struct bench_result *one = result_of(&f[i]);

			g_ptr_array_add(cell->runs, one);
			if (one->end == BENCH_DONE)
				measure_merge(cell->all, one->measure);
		}
		farm_free(f, r.cell->len);
	}
	for (guint i = 0; i < b->rep.cells->len; i++) {
		struct bench_cell *cell = b->rep.cells->pdata[i];
		struct bench_stat s = bench_cell_stat(first_column(b, defaults), cell);

		cell->narrow = s.sure && bench_spread(&s) <= b->rep.precision;
	}
	more = r.cell->len > 0;
	g_array_unref(r.cell);
	return more && !cli_interrupted();
}

static void run_all(struct bench *b)
{
	GPtrArray *defaults = bench_columns_default();
	guint left = (guint)raw.max_seeds, seeds = MIN((guint)raw.seeds, left);

	for (guint round = 1; left && one_round(b, round, seeds, defaults); round++) {
		left -= MIN(seeds, left);
		seeds = MIN(seeds, left);
	}
	g_ptr_array_unref(defaults);
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\033[K");
}

/* ---- output ---- */

static int put_file(const char *path, const GString *text)
{
	FILE *f = fopen(path, "w");

	if (!f || fwrite(text->str, 1, text->len, f) != text->len || fclose(f))
		return cli_fail("%s: %s", path, g_strerror(errno));
	return EXIT_AS_EXPECTED;
}

static int put(struct bench *b, gint64 since)
{
	GString *out = g_string_new(NULL);
	int code = EXIT_AS_EXPECTED;

	if (raw.csv) {
		report_bench_csv(&b->rep, out);
		code = put_file(raw.csv, out);
		g_string_truncate(out, 0);
	}
	if (raw.html && !code) {
		report_bench_html(&b->rep, out);
		code = put_file(raw.html, out);
		g_string_truncate(out, 0);
	}
	if (b->cli->json)
		report_bench_json(&b->rep, (g_get_monotonic_time() - since) * 1000, out);
	else
		report_bench_text(&b->rep, &b->cli->look, out);
	fwrite(out->str, 1, out->len, stdout);
	g_string_free(out, TRUE);
	return code;
}

/* Refused and died are errors; a policy that breaks the VM is a finding. */
static int judge(const struct bench *b)
{
	int code = EXIT_AS_EXPECTED;

	for (guint i = 0; i < b->rep.cells->len; i++) {
		const struct bench_result *r = bench_cell_broken(b->rep.cells->pdata[i]);

		if (!r)
			continue;
		if (r->end == BENCH_REFUSED) {
			fprintf(stderr, "%s\n", r->why);
			return EXIT_INPUT;
		}
		code = MAX(code, r->end == BENCH_FAULT ? EXIT_FAULT : EXIT_NOT_EXPECTED);
	}
	return code;
}

static gboolean costs_of(struct bench *b)
{
	gboolean changed = FALSE;

	for (int i = 0; i < COST_NR; i++)
		changed |= b->cli->costs.changed[i];
	b->rep.costs = changed ? "changed by the user" : b->levels->len > 1 ? "low to high" :
		       bench_level_name(g_array_index(b->levels, enum cost_level, 0));
	return TRUE;
}

int cmd_bench(int argc, char **argv)
{
	static const GOptionEntry extra[] = {
		{ "policy", 0, 0, G_OPTION_ARG_STRING, &raw.policy,
		  "Policies to compare, the first is the baseline", "NAME[:k=v],...|all" },
		{ "cost-level", 0, 0, G_OPTION_ARG_STRING, &raw.level,
		  "Price levels: rankings hold where they hold at each", "low,typical,high|all" },
		{ "seeds", 0, 0, G_OPTION_ARG_INT, &raw.seeds, "Runs of a cell in a round", "N" },
		{ "max-seeds", 0, 0, G_OPTION_ARG_INT, &raw.max_seeds, "Runs of a cell at most", "N" },
		{ "precision", 0, 0, G_OPTION_ARG_DOUBLE, &raw.precision,
		  "Stop where the first number's interval is that narrow", "PERCENT" },
		{ "jitter", 0, 0, G_OPTION_ARG_INT, &raw.jitter,
		  "Actors start within so many cycles, by seed", "CYCLES" },
		{ "jobs", 'j', 0, G_OPTION_ARG_INT, &raw.jobs, "Processes; 0: one a processor", "N" },
		{ "csv", 0, 0, G_OPTION_ARG_FILENAME, &raw.csv, "Write the numbers", "FILE" },
		{ "html", 0, 0, G_OPTION_ARG_FILENAME, &raw.html, "Write the report", "FILE" },
		{ NULL }
	};
	gint64 since = g_get_monotonic_time();
	struct cli cli;
	struct bench b = { .cli = &cli };
	int code = EXIT_AS_EXPECTED, written;
	gboolean ok;

	raw.seeds = 6;
	raw.max_seeds = 18;
	raw.precision = 5;
	raw.jitter = BENCH_JITTER;
	if (!cli_parse(&cli, &argc, &argv, "FILE...",
		       "septsim bench scenarios/bench/boot-accept.scn --policy v7.2,kick-first",
		       "Plays each case of each FILE at every point of its `sweep` lines, under each\n"
		       "policy and price level, with seed after seed, and prints medians with their\n"
		       "intervals and ratios to the first policy.", extra, &code))
		return code;
	if (argc < 2) {
		cli_free(&cli);
		return cli_fail("bench wants a FILE; `septsim bench --help`");
	}
	b.points = g_ptr_array_new_with_free_func(point_free);
	b.policies = g_ptr_array_new_with_free_func(g_free);
	b.levels = g_array_new(FALSE, FALSE, sizeof(enum cost_level));
	b.plan = g_ptr_array_new_with_free_func(planned_free);
	b.rep.cells = g_ptr_array_new_with_free_func(cell_free);
	b.rep.columns = g_ptr_array_new_with_free_func(bench_column_free);
	cli_catch_interrupts();
	ok = take_numbers(&b) && take_levels(&b) && take_policies(&b) && costs_of(&b);
	for (int i = 1; i < argc && ok; i++)
		ok = load(&b, argv[i]);
	if (ok) {
		make_plan(&b);
		run_all(&b);
		code = judge(&b);
		written = code == EXIT_INPUT ? code : put(&b, since);
		code = MAX(code, written);
	}
	g_ptr_array_unref(b.rep.cells);
	g_ptr_array_unref(b.rep.columns);
	g_ptr_array_unref(b.plan);
	g_ptr_array_unref(b.points);
	g_ptr_array_unref(b.policies);
	g_array_unref(b.levels);
	cli_free(&cli);
	return ok ? code : EXIT_INPUT;
}
