// SPDX-License-Identifier: GPL-2.0-only
/*
 * What `septsim bench` is asked for: options, files at each point of their sweeps, and the cells
 * that these make with policies and price levels.
 */
#include <string.h>

#include "scenarios/diag.h"
#include "scenarios/vocab.h"
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

	if (!b->raw.policy)
		return TRUE;
	if (!strcmp(b->raw.policy, "all")) {
		const char *const *list = v->list(SCN_VOCAB_POLICY, NULL);

		g_ptr_array_add(b->policies, g_strdup(DEFAULT_KVM));
		/* v6.18 and v6.19 are v7.2's under other names, custom is v6.16's by default */
		for (; *list; list++)
			if (strcmp(*list, DEFAULT_KVM) && strcmp(*list, "v6.18") &&
			    strcmp(*list, "v6.19") && strcmp(*list, "custom"))
				g_ptr_array_add(b->policies, g_strdup(*list));
		return TRUE;
	}
	words = g_strsplit_set(b->raw.policy, " ,", -1);
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

/* "own", "linux", or both: the first that is named is the baseline */
static gboolean take_backends(struct bench *b)
{
	char **words = g_strsplit_set(b->raw.kvm ? b->raw.kvm : "own", " ,", -1);
	enum kmmu_backend backend;
	gboolean ok = TRUE;

	for (char **w = words; *w && ok; w++) {
		gboolean known = FALSE;

		if (!**w)
			continue;
		ok = cli_backend(*w, &backend);
		for (guint i = 0; i < b->backends->len; i++)
			known |= g_array_index(b->backends, enum kmmu_backend, i) == backend;
		if (ok && !known)
			g_array_append_val(b->backends, backend);
	}
	g_strfreev(words);
	if (ok && !b->backends->len)
		return cli_fail("--kvm wants own, linux or own,linux"), FALSE;
	return ok;
}

static gboolean has_own(const struct bench *b)
{
	for (guint i = 0; i < b->backends->len; i++)
		if (g_array_index(b->backends, enum kmmu_backend, i) == KMMU_OWN)
			return TRUE;
	return FALSE;
}

/* Who measures a tree alone can ask for what it is, and for no policy else. */
static gboolean policies_possible(const struct bench *b)
{
	for (guint i = 0; i < b->policies->len && !has_own(b); i++)
		if (g_strcmp0(b->policies->pdata[i], kmmu_tree_kvm()))
			return cli_fail("--policy %s: policies are the project's own KVM's, and the "
					"kernel tree that is built in (%s) is what it is: without "
					"--policy, or with --kvm own,linux, which measures both",
					b->raw.policy, kmmu_tree()->version), FALSE;
	return TRUE;
}

static gboolean take_levels(struct bench *b)
{
	enum cost_level l = b->cli->play.cost_level;
	char **words;

	if (b->raw.level && !strcmp(b->raw.level, "all")) {
		for (l = COST_LOW; l <= COST_HIGH; l++)
			g_array_append_val(b->levels, l);
		return TRUE;
	}
	words = b->raw.level ? g_strsplit_set(b->raw.level, " ,", -1) : NULL;
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
	if (b->raw.seeds < 1 || b->raw.max_seeds < 1)
		return cli_fail("--seeds and --max-seeds want a number from 1 on"), FALSE;
	if (b->raw.jobs < 0)
		return cli_fail("--jobs wants a number from 1 on"), FALSE;
	if (b->raw.jitter < 0)
		return cli_fail("--jitter wants cycles"), FALSE;
	if (b->raw.precision < 0 || b->raw.precision > 1000)
		return cli_fail("--precision wants a percentage"), FALSE;
	b->rep.precision = (guint)(b->raw.precision * 10 + 0.5);
	b->rep.jitter = (guint64)b->raw.jitter;
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
	cell->switches = "";
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

static void costs_of(struct bench *b)
{
	gboolean changed = FALSE;

	for (int i = 0; i < COST_NR; i++)
		changed |= b->cli->costs.changed[i];
	b->rep.costs = changed ? "changed by the user" : b->levels->len > 1 ? "low to high" :
		       bench_level_name(g_array_index(b->levels, enum cost_level, 0));
}

/* What reports call the KVMs that are measured */
static void name_backends(struct bench *b)
{
	const struct kmmu_tree *tree = kmmu_tree();

	if (has_own(b) && b->backends->len == 1) {
		b->rep.backends = g_strdup("own");
		return;
	}
	b->rep.tree = g_strdup_printf("linux %s", tree->version);
	b->rep.tree_text = player_backend(KMMU_LINUX);
	b->rep.imitated = tree->imitated;
	b->rep.tree_steps = *tree->flags != '\0';
	b->rep.backends = g_strdup_printf("%s%s (plain accesses of words with a name are %s)",
					  has_own(b) ? "own and " : "", b->rep.tree_text,
					  *tree->flags ? "steps" : "no steps");
}

gboolean bench_take(struct bench *b)
{
	if (!take_numbers(b) || !take_levels(b) || !take_backends(b) || !take_policies(b) ||
	    !policies_possible(b))
		return FALSE;
	costs_of(b);
	name_backends(b);
	return TRUE;
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
