// SPDX-License-Identifier: GPL-2.0-only
/*
 * What `septsim bench` plays: files at each point of their sweeps, and the cells that these make
 * with KVMs, policies and price levels.
 */
#include <string.h>

#include "sim/cli/bench.h"

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

gboolean bench_load(struct bench *b, const char *path)
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
		bench_report_add(&b->rep, c);
	}
	g_string_free(label, TRUE);
	if (sc)
		scenario_free(sc);
	return ok;
}

/* ---- the plan ---- */

static void planned_free(gpointer p)
{
	struct planned *x = p;

	g_strfreev(x->words);
	g_free(x);
}

static const char *policy_of(const struct bench *b, const struct scenario_case *c,
			     const struct planned *p)
{
	if (p->opt.backend == KMMU_LINUX)
		return b->rep.tree;
	if (p->words)
		return p->words[0];
	if (c->policy.name)
		return c->policy.name;
	return p->opt.kvm;
}

/* Workloads are written for DEFAULT_KVM, and a tree of another version plays them as it is. */
static const char *kvm_of(const struct bench *b, const struct scenario_case *c,
			  enum kmmu_backend backend)
{
	if (b->cli->kvm)
		return b->cli->kvm;
	if (backend == KMMU_LINUX && kmmu_tree_kvm() &&
	    (!c->variant.kvm || !strcmp(c->variant.kvm, DEFAULT_KVM)))
		return kmmu_tree_kvm();
	return c->variant.kvm ? c->variant.kvm : DEFAULT_KVM;
}

static const char *switches_of(const struct bench *b, const struct scenario_case *c)
{
	GString *s = g_string_new(NULL);
	const char *interned;

	for (guint i = 0; i < c->variant.switches->len; i++)
		g_string_append_printf(s, "%s%s", s->len ? " " : "",
				       (char *)c->variant.switches->pdata[i]);
	for (const char *const *w = b->cli->play.switches; w && *w; w++)
		g_string_append_printf(s, "%s%s", s->len ? " " : "", *w);
	interned = g_intern_string(s->str);
	g_string_free(s, TRUE);
	return interned;
}

static void add_cell(struct bench *b, const struct point *at, const struct scenario_case *c,
		     enum kmmu_backend backend, const char *policy, enum cost_level level)
{
	struct planned *p = g_new0(struct planned, 1);
	struct bench_cell *cell = bench_cell_new();

	p->sc = at->sc;
	p->c = c;
	p->opt = b->cli->play;
	p->opt.cost_level = level;
	p->opt.backend = backend;
	p->opt.kvm = kvm_of(b, c, backend);
	if (policy) {
		p->words = g_strsplit(policy, ":", -1);
		p->opt.policy = p->words[0];
		p->opt.policy_args = (const char *const *)p->words + 1;
	}
	cell->measures = at->sc->measures;
	cell->path = at->sc->path;
	cell->scenario = at->sc->name;
	cell->title = c->title && *c->title ? c->title : at->sc->title;
	cell->case_name = c->name;
	cell->point = at->label;
	cell->policy = policy ? policy : policy_of(b, c, p);
	cell->kvm = p->opt.kvm;
	cell->tdx = b->cli->tdx ? b->cli->tdx : c->variant.tdx ? c->variant.tdx : DEFAULT_TDX;
	cell->backend = backend == KMMU_LINUX ? b->rep.tree_text : "own";
	cell->switches = switches_of(b, c);
	cell->level = level;
	g_ptr_array_add(b->plan, p);
	g_ptr_array_add(b->rep.cells, cell);
}

/* The points of one file stand behind each other: those from @from on */
static guint points_of_file(const struct bench *b, guint from)
{
	const struct point *first = b->points->pdata[from];
	guint n = from;

	while (n < b->points->len &&
	       !strcmp(((struct point *)b->points->pdata[n])->sc->path, first->sc->path))
		n++;
	return n - from;
}

/* A tree is one policy, so to speak: what it is. */
static void add_backend_cells(struct bench *b, const struct point *at,
			      const struct scenario_case *c, enum kmmu_backend backend,
			      enum cost_level level)
{
	if (backend == KMMU_LINUX || !b->policies->len) {
		add_cell(b, at, c, backend, NULL, level);
		return;
	}
	for (guint n = 0; n < b->policies->len; n++)
		add_cell(b, at, c, backend, b->policies->pdata[n], level);
}

static void add_point_cells(struct bench *b, const struct point *at, const struct scenario_case *c)
{
	guint from = b->rep.cells->len;

	for (guint l = 0; l < b->levels->len; l++) {
		enum cost_level level = g_array_index(b->levels, enum cost_level, l);

		for (guint n = 0; n < b->backends->len; n++)
			add_backend_cells(b, at, c, g_array_index(b->backends, enum kmmu_backend, n),
					  level);
	}
	for (guint i = from; i < b->rep.cells->len; i++) {
		struct bench_cell *cell = b->rep.cells->pdata[i];

		cell->from = from;
		cell->to = b->rep.cells->len;
	}
}

/* Case by case, so that a case's sweep is together */
void bench_plan(struct bench *b)
{
	guint n;

	for (guint i = 0; i < b->points->len; i += n) {
		const struct point *first = b->points->pdata[i];

		n = points_of_file(b, i);
		for (guint k = 0; k < first->sc->cases->len; k++)
			for (guint p = i; p < i + n; p++) {
				const struct point *at = b->points->pdata[p];

				add_point_cells(b, at, at->sc->cases->pdata[k]);
			}
	}
	if (b->rep.cells->len)
		b->rep.baseline = ((struct bench_cell *)b->rep.cells->pdata[0])->policy;
}

void bench_init(struct bench *b, struct cli *cli)
{
	*b = (struct bench){
		.cli = cli,
		.raw = { .seeds = 6, .max_seeds = 18, .precision = 5, .jitter = BENCH_JITTER },
		.points = g_ptr_array_new_with_free_func(point_free),
		.backends = g_array_new(FALSE, FALSE, sizeof(enum kmmu_backend)),
		.policies = g_ptr_array_new_with_free_func(g_free),
		.levels = g_array_new(FALSE, FALSE, sizeof(enum cost_level)),
		.plan = g_ptr_array_new_with_free_func(planned_free),
	};
	bench_report_init(&b->rep);
	b->rep.imitated = "";
}

void bench_clear(struct bench *b)
{
	g_free(b->raw.kvm);
	g_free(b->raw.policy);
	g_free(b->raw.level);
	g_free(b->raw.csv);
	g_free(b->raw.html);
	bench_report_fini(&b->rep);
	g_ptr_array_unref(b->plan);
	g_ptr_array_unref(b->points);
	g_ptr_array_unref(b->policies);
	g_array_unref(b->backends);
	g_array_unref(b->levels);
}
