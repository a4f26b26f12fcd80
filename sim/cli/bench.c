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

/* A run that a round wants */
struct wanted {
	guint cell, seed;
};

struct round {
	struct bench *b;
	GArray *want;		/* struct wanted */
	guint number, done;
};

static int job(void *ctx, u32 i, FILE *out)
{
	const struct round *r = ctx;
	const struct wanted *w = &g_array_index(r->want, struct wanted, i);
	struct planned *p = r->b->plan->pdata[w->cell];
	struct bench_result *res;

	p->opt.seed = r->b->rep.first_seed + w->seed;
	res = bench_play(p->sc, p->c, &p->opt, r->b->rep.jitter);
	bench_write(res, out);
	bench_result_free(res);
	return 0;
}

static struct bench_result *result_of(const struct farm_result *f)
{
	struct bench_result *r = !f->signal && !f->status ? bench_read(f->out->str) : NULL;

	if (r)
		return r;
	r = g_new0(struct bench_result, 1);
	r->measure = measure_new();
	r->end = BENCH_FAULT;
	if (f->signal)
		r->why = g_strdup_printf("the worker died of signal %d", f->signal);
	return r;
}

static void progress(const struct round *r)
{
	if (isatty(STDERR_FILENO) && !r->b->cli->look.quiet)
		fprintf(stderr, "\rbench: round %u, %u of %u runs of %u cells \033[K\r", r->number,
			r->done, r->want->len, r->b->rep.cells->len);
}

static void taken(void *ctx, u32 i, const struct farm_result *f)
{
	struct round *r = ctx;
	const struct wanted *w = &g_array_index(r->want, struct wanted, i);

	bench_take_run(&r->b->rep, r->b->rep.cells->pdata[w->cell], w->seed, result_of(f));
	r->done++;
	progress(r);
}

/* What the cell's file measures first; time if it does not say */
static const struct bench_column *first_column(const struct bench *b, const struct bench_cell *cell)
{
	for (guint k = 0; k < b->rep.columns->len && cell->measures->len; k++) {
		const struct bench_column *c = b->rep.columns->pdata[k];

		if (!strcmp(c->spec, cell->measures->pdata[0]))
			return c;
	}
	return b->rep.defaults->pdata[1];
}

/* @seeds more runs of cell number @at, which have not ended yet */
static void want(struct round *r, guint at, guint seeds)
{
	struct bench_cell *cell = r->b->rep.cells->pdata[at];
	guint had = cell->runs->len;

	for (guint seed = had; seed < had + seeds && seed < (guint)r->b->raw.max_seeds; seed++) {
		struct bench_run run = { .end = BENCH_STOPPED };
		struct wanted w = { at, seed };

		g_array_append_val(cell->runs, run);
		g_array_append_val(r->want, w);
	}
}

/* One round: @seeds more runs of every cell that is not narrow yet. FALSE: nothing to do */
static gboolean one_round(struct bench *b, guint number, guint seeds)
{
	struct round r = { .b = b, .number = number,
			   .want = g_array_new(FALSE, FALSE, sizeof(struct wanted)) };
	struct farm_work work = { .jobs = (u32)b->raw.jobs, .job = job, .taken = taken, .ctx = &r,
				  .stop = cli_interrupt_flag() };
	gboolean more;

	for (guint i = 0; i < b->rep.cells->len; i++) {
		const struct bench_cell *cell = b->rep.cells->pdata[i];

		if (!cell->narrow && !bench_cell_broken(cell))
			want(&r, i, seeds);
	}
	work.n = r.want->len;
	more = work.n > 0;
	if (more) {
		progress(&r);
		farm_free(farm_run(&work), work.n);
	}
	for (guint i = 0; i < b->rep.cells->len; i++) {
		struct bench_cell *cell = b->rep.cells->pdata[i];
		struct bench_stat s = bench_cell_stat(first_column(b, cell), cell);

		cell->narrow = s.sure && bench_spread(&s) <= b->rep.precision;
	}
	g_array_unref(r.want);
	return more && !cli_interrupted();
}

static void run_all(struct bench *b)
{
	guint left = (guint)b->raw.max_seeds, seeds = MIN((guint)b->raw.seeds, left);

	for (guint round = 1; left && one_round(b, round, seeds); round++) {
		left -= MIN(seeds, left);
		seeds = MIN(seeds, left);
	}
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

static int put(struct bench *b)
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
		report_bench_json(&b->rep, out);
	else
		report_bench_text(&b->rep, &b->cli->look, out);
	fwrite(out->str, 1, out->len, stdout);
	g_string_free(out, TRUE);
	return code;
}

/*
 * A policy that breaks the VM is a finding, a worker that died a fault. What is refused is said,
 * and an error if there is nothing else.
 */
static int judge(const struct bench *b)
{
	int code = EXIT_AS_EXPECTED;
	const char *said = NULL;
	guint refused = 0;

	for (guint i = 0; i < b->rep.cells->len; i++) {
		const struct bench_run *r = bench_cell_broken(b->rep.cells->pdata[i]);

		if (!r)
			continue;
		if (r->end != BENCH_REFUSED) {
			code = MAX(code, r->end == BENCH_FAULT ? EXIT_FAULT : EXIT_NOT_EXPECTED);
			continue;
		}
		refused++;
		if (g_strcmp0(said, r->why))
			fprintf(stderr, "%s\n", r->why);
		said = r->why;
	}
	return refused && refused == b->rep.cells->len ? EXIT_INPUT : code;
}

int cmd_bench(int argc, char **argv)
{
	struct cli cli;
	struct bench b;
	const GOptionEntry extra[] = {
		{ "kvm", 0, 0, G_OPTION_ARG_STRING, &b.raw.kvm,
		  "Whose KVM: own, linux (of the tree built in), or both", "own,linux" },
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
		written = code == EXIT_INPUT ? code : put(&b);
		code = MAX(code, written);
	}
	bench_clear(&b);
	cli_free(&cli);
	return ok ? code : EXIT_INPUT;
}
