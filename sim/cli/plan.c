// SPDX-License-Identifier: GPL-2.0-only
/*
 * The plan of a campaign. A tree of another version than the scenarios are written for plays them
 * as its own version. A case that plays broken code (a switch of `variant`, a policy; on a tree
 * another version, too) is
 * asked twice more without it: its schedule, which was made to show what the switch breaks, and
 * its operations in many orders. On code that has the protection nothing comes of it; on code
 * that has lost it the case's own race does.
 */
#include "sim/cli/plan.h"

#include <string.h>

#define STATES_FEW	60000u	/* of a search by one or two switches */
#define STATES_MANY	2000000u	/* of one that its file asks for, by three */

int plan_phase(const char *word)
{
	static const char *const words[] = { "scenario", "schedule", "search", "random" };

	for (guint i = 0; i < G_N_ELEMENTS(words); i++)
		if (!strcmp(words[i], word))
			return (int)i;
	return -1;
}

gboolean plays_broken_code(const struct scenario_case *c)
{
	return c->variant.switches->len || c->policy.name;
}

const char *plan_kvm(const struct scenario_case *c)
{
	return c->variant.kvm ? c->variant.kvm : DEFAULT_KVM;
}

/* Of another version than the tree, and not of the one that scenarios are written for */
static gboolean is_old(const struct plan *p, const struct scenario_case *c)
{
	return p->tree_kvm && strcmp(plan_kvm(c), p->tree_kvm) && strcmp(plan_kvm(c), DEFAULT_KVM);
}

static gboolean expects_search(const struct scenario_case *c)
{
	for (guint i = 0; i < c->expects->len; i++)
		if (((struct scn_expect *)c->expects->pdata[i])->kind == SCN_EXPECT_EXPLORE)
			return TRUE;
	return FALSE;
}

/* @c as the code is, and nothing may break. */
static struct scenario_case *plain(struct plan *p, const struct scenario_case *c)
{
	struct scenario_case *copy = g_memdup2(c, sizeof(*c));
	struct scn_expect *ok = g_new0(struct scn_expect, 1);

	ok->kind = SCN_EXPECT_OK;
	ok->text = "ok (nothing may break)";
	ok->loc = c->loc;
	copy->expects = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(copy->expects, ok);
	copy->variant.switches = g_ptr_array_new();
	if (p->tree_kvm)
		copy->variant.kvm = p->tree_kvm;
	copy->policy = (struct scn_policy_ref){ .args = c->policy.args };
	g_ptr_array_add(p->cases, copy);
	return copy;
}

/* @c, written for the version that scenarios are about, asked of the tree, which is another */
static struct scenario_case *ported(struct plan *p, const struct scenario_case *c)
{
	struct scenario_case *copy = g_memdup2(c, sizeof(*c));

	g_ptr_array_ref(copy->expects);
	g_ptr_array_ref(copy->variant.switches);
	copy->variant.kvm = p->tree_kvm;
	g_ptr_array_add(p->cases, copy);
	return copy;
}

static void plain_free(gpointer case_)
{
	struct scenario_case *c = case_;

	g_ptr_array_unref(c->expects);
	g_ptr_array_unref(c->variant.switches);
	g_free(c);
}

/* ---- what a search of it would do: cases that differ in less are searched once ---- */

static void add_ops(GString *s, const GPtrArray *ops)
{
	for (guint i = 0; ops && i < ops->len; i++) {
		const struct scn_op *op = ops->pdata[i];

		g_string_append_printf(s, "%s;", op->text);
		if (op->body)
			add_ops(s, op->body);
	}
}

static void add_cells(GString *s, const GPtrArray *cells, gboolean whole)
{
	for (guint i = 0; cells && i < cells->len; i++) {
		const struct scn_cell *cell = cells->pdata[i];

		if (whole || cell->op)
			g_string_append_printf(s, "%d:%s;", cell->actor,
					       whole ? cell->text : cell->op->text);
	}
}

static char *shape(const struct scenario_case *c)
{
	GString *s = g_string_new(c->variant.kvm);

	for (guint i = 0; i < c->tds->len; i++) {
		const struct scn_td *td = c->tds->pdata[i];

		g_string_append_printf(s, "|%d %d %u %" G_GUINT64_FORMAT " %d %d %d", td->type,
				       td->state, td->vcpus, td->memory, td->max_level, td->pve,
				       td->nx_huge_pages);
	}
	g_string_append_printf(s, "|%s|%d|", c->variant.tdx ? c->variant.tdx : "", c->limit.tso);
	for (guint i = 0; i < c->actors->len; i++) {
		const struct scn_actor *a = c->actors->pdata[i];

		g_string_append_printf(s, "%s:", a->name);
		add_ops(s, a->ops);
		if (a->guest)
			add_ops(s, a->guest->ops);
	}
	add_cells(s, c->init, TRUE);
	if (c->schedule.loc.line)
		add_cells(s, c->schedule.rows, FALSE);
	return g_string_free(s, FALSE);
}

/* ---- tasks ---- */

static void add(struct plan *p, struct task t, const char *suffix)
{
	char *name = g_strconcat(t.sc->name, suffix, NULL);

	t.name = g_string_chunk_insert(p->names, name);
	g_array_append_val(p->tasks, t);
	g_free(name);
}

static void each_case(struct plan *p, void (*fn)(struct plan *p, const struct scenario *sc,
						  const struct scenario_case *c, GHashTable *seen))
{
	GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < p->scenarios->len; i++) {
		const struct scenario *sc = p->scenarios->pdata[i];

		for (guint n = 0; n < sc->cases->len; n++)
			fn(p, sc, sc->cases->pdata[n], seen);
	}
	g_hash_table_unref(seen);
}

static void as_expected(struct plan *p, const struct scenario *sc, const struct scenario_case *c,
			GHashTable *seen)
{
	/* A search has no schedule to be played, and is held to its word by searching. */
	gboolean port = p->tree_kvm && strcmp(plan_kvm(c), p->tree_kvm) && !is_old(p, c);

	if (!expects_search(c))
		add(p, (struct task){ .phase = CAMPAIGN_SCENARIO, .sc = sc, .ported = port,
				      .c = port ? ported(p, c) : c }, "");
}

static void schedule(struct plan *p, const struct scenario *sc, const struct scenario_case *c,
		     GHashTable *seen)
{
	if ((plays_broken_code(c) || is_old(p, c)) && !expects_search(c))
		add(p, (struct task){ .phase = CAMPAIGN_SCHEDULE, .sc = sc, .c = plain(p, c) }, "");
}

static void search(struct plan *p, const struct scenario *sc, const struct scenario_case *c,
		   GHashTable *seen, int switches)
{
	struct task t = { .phase = CAMPAIGN_SEARCH, .sc = sc, .c = plain(p, c) };
	gboolean many = expects_search(c);
	char suffix[16];

	if (many)
		switches = 3;
	if (!g_hash_table_add(seen, shape(t.c)))
		return;
	t.engine = (struct explore_options){ .driver = EXPLORE_ALL, .preemptions = switches,
					     .livelock = TRUE,
					     .states = many ? STATES_MANY : STATES_FEW };
	g_snprintf(suffix, sizeof(suffix), " -p%d", switches);
	add(p, t, suffix);
}

static void search_one(struct plan *p, const struct scenario *sc, const struct scenario_case *c,
		       GHashTable *seen)
{
	search(p, sc, c, seen, 1);
}

static void search_two(struct plan *p, const struct scenario *sc, const struct scenario_case *c,
		       GHashTable *seen)
{
	if (!expects_search(c))
		search(p, sc, c, seen, 2);
}

static void random_programs(struct plan *p, guint64 seed, guint programs, guint64 executions)
{
	for (guint i = 0; i < programs; i++) {
		struct task t = { .phase = CAMPAIGN_RANDOM, .seed = seed + i };
		char name[48];

		/* Uniform finds what is near; priorities what wants a long run in the middle. */
		t.engine = (struct explore_options){
			.driver = i % 3 ? EXPLORE_PCT : EXPLORE_RANDOM, .pct_depth = 2 + i % 4,
			.preemptions = -1, .executions = executions, .depth = 20000 };
		g_snprintf(name, sizeof(name), "random-%" G_GUINT64_FORMAT, t.seed);
		t.name = g_string_chunk_insert(p->names, name);
		g_array_append_val(p->tasks, t);
	}
}

/* The first case of each file that can be, played for what reports say of it: versions, backend, assumptions. */
static void take_samples(struct plan *p, const struct cli *cli)
{
	for (guint i = 0; i < p->scenarios->len; i++) {
		const struct scenario *sc = p->scenarios->pdata[i];
		gboolean played = FALSE;

		for (guint n = 0; n < sc->cases->len && !played; n++) {
			const struct scenario_case *c = sc->cases->pdata[n];
			struct job job = { .sc = sc, .opt = &cli->play,
					   .c = p->tree_kvm && !is_old(p, c) ? ported(p, c) : c };
			struct play_result *r = worker_play(&job, FALSE);

			played = r->end != PLAY_REFUSED && r->end != PLAY_FAULT;
			if (played)
				g_ptr_array_add(p->samples, r);
			else
				play_result_free(r);
		}
	}
}

struct plan *plan_new(const struct cli *cli, int n, char **files, guint programs,
		      guint64 executions, int only)
{
	struct plan *p = g_new0(struct plan, 1);
	gboolean ok = TRUE;

	p->scenarios = g_ptr_array_new_with_free_func((GDestroyNotify)scenario_free);
	p->cases = g_ptr_array_new_with_free_func(plain_free);
	p->tasks = g_array_new(FALSE, TRUE, sizeof(struct task));
	p->names = g_string_chunk_new(4096);
	p->samples = g_ptr_array_new_with_free_func((GDestroyNotify)play_result_free);
	for (int i = 0; i < n; i++) {
		struct scenario *sc = cli_load(cli, files[i]);

		ok = ok && sc;
		if (sc)
			g_ptr_array_add(p->scenarios, sc);
	}
	if (!ok) {
		plan_free(p);
		return NULL;
	}
	p->tree_kvm = cli->play.backend == KMMU_LINUX ? kmmu_tree_kvm() : NULL;
	take_samples(p, cli);
	if (only < 0 || only == CAMPAIGN_SCENARIO)
		each_case(p, as_expected);
	if (only < 0 || only == CAMPAIGN_SCHEDULE)
		each_case(p, schedule);
	if (only < 0 || only == CAMPAIGN_SEARCH)
		each_case(p, search_one);
	if (only < 0 || only == CAMPAIGN_RANDOM)
		random_programs(p, cli->play.seed, programs, executions);
	if (only < 0 || only == CAMPAIGN_SEARCH)
		each_case(p, search_two);
	return p;
}

void plan_free(struct plan *p)
{
	if (!p)
		return;
	g_array_unref(p->tasks);
	g_ptr_array_unref(p->cases);
	g_ptr_array_unref(p->scenarios);
	g_ptr_array_unref(p->samples);
	g_string_chunk_free(p->names);
	g_free(p);
}

guint plan_tasks(const struct plan *p)
{
	return p->tasks->len;
}

const struct task *plan_task(const struct plan *p, guint i)
{
	return &g_array_index(p->tasks, struct task, i);
}
