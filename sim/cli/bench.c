// SPDX-License-Identifier: GPL-2.0-only
/*
 * septsim bench: every point of the files' sweeps, under every policy and price level asked
 * for, with seed after seed until the first number's interval is narrow enough. Runs are
 * forked workers; what they give does not depend on how many there are.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "sim/cli/bench.h"
#include "sim/engine/farm.h"

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

/* What the cell's file measures first; time if it does not say */
static const struct bench_column *first_column(const struct bench *b, const struct bench_cell *cell,
					       const GPtrArray *defaults)
{
	for (guint k = 0; k < b->rep.columns->len && cell->measures->len; k++) {
		const struct bench_column *c = b->rep.columns->pdata[k];

		if (!strcmp(c->spec, cell->measures->pdata[0]))
			return c;
	}
	return defaults->pdata[1];
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
		for (guint k = 0; k < seeds && cell->runs->len + k < (guint)b->raw.max_seeds; k++)
			g_array_append_val(r.cell, i);
	}
	if (r.cell->len) {
		progress(b, round, r.cell->len);
		f = farm_run(r.cell->len, (u32)b->raw.jobs, job, &r, cli_interrupt_flag());
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
		struct bench_stat s = bench_cell_stat(first_column(b, cell, defaults), cell);

		cell->narrow = s.sure && bench_spread(&s) <= b->rep.precision;
	}
	more = r.cell->len > 0;
	g_array_unref(r.cell);
	return more && !cli_interrupted();
}

static void run_all(struct bench *b)
{
	GPtrArray *defaults = bench_columns_default();
	guint left = (guint)b->raw.max_seeds, seeds = MIN((guint)b->raw.seeds, left);

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

	if (b->raw.csv) {
		report_bench_csv(&b->rep, out);
		code = put_file(b->raw.csv, out);
		g_string_truncate(out, 0);
	}
	if (b->raw.html && !code) {
		report_bench_html(&b->rep, out);
		code = put_file(b->raw.html, out);
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

int cmd_bench(int argc, char **argv)
{
	struct cli cli;
	struct bench b;
	const GOptionEntry extra[] = {
		{ "policy", 0, 0, G_OPTION_ARG_STRING, &b.raw.policy,
		  "Policies to compare, the first is the baseline", "NAME[:k=v],...|all" },
		{ "cost-level", 0, 0, G_OPTION_ARG_STRING, &b.raw.level,
		  "Price levels: rankings hold where they hold at each", "low,typical,high|all" },
		{ "seeds", 0, 0, G_OPTION_ARG_INT, &b.raw.seeds, "Runs of a cell in a round", "N" },
		{ "max-seeds", 0, 0, G_OPTION_ARG_INT, &b.raw.max_seeds, "Runs of a cell at most", "N" },
		{ "precision", 0, 0, G_OPTION_ARG_DOUBLE, &b.raw.precision,
		  "Stop where the first number's interval is that narrow", "PERCENT" },
		{ "jitter", 0, 0, G_OPTION_ARG_INT, &b.raw.jitter,
		  "Actors start within so many cycles, by seed", "CYCLES" },
		{ "jobs", 'j', 0, G_OPTION_ARG_INT, &b.raw.jobs, "Processes; 0: one a processor", "N" },
		{ "csv", 0, 0, G_OPTION_ARG_FILENAME, &b.raw.csv, "Write the numbers", "FILE" },
		{ "html", 0, 0, G_OPTION_ARG_FILENAME, &b.raw.html, "Write the report", "FILE" },
		{ NULL }
	};
	gint64 since = g_get_monotonic_time();
	int code = EXIT_AS_EXPECTED, written;
	gboolean ok;

	bench_init(&b, &cli);
	if (!cli_parse(&cli, &argc, &argv, "FILE...",
		       "septsim bench scenarios/bench/boot-accept.scn --policy v7.2,kick-first",
		       "Plays each case of each FILE at every point of its `sweep` lines, under each\n"
		       "policy and price level, with seed after seed, and prints medians with their\n"
		       "intervals and ratios to the first policy.", extra, &code)) {
		bench_clear(&b);
		return code;
	}
	if (argc < 2) {
		bench_clear(&b);
		cli_free(&cli);
		return cli_fail("bench wants a FILE; `septsim bench --help`");
	}
	cli_catch_interrupts();
	ok = bench_take(&b);
	for (int i = 1; i < argc && ok; i++)
		ok = bench_load(&b, argv[i]);
	if (ok) {
		bench_plan(&b);
		run_all(&b);
		code = judge(&b);
		written = code == EXIT_INPUT ? code : put(&b, since);
		code = MAX(code, written);
	}
	bench_clear(&b);
	cli_free(&cli);
	return ok ? code : EXIT_INPUT;
}
