// SPDX-License-Identifier: GPL-2.0-only
/*
 * What `septsim bench` is asked for: whose KVM, policies, price levels, numbers.
 */
#include <string.h>

#include "scenarios/diag.h"
#include "scenarios/vocab.h"
#include "sim/cli/bench.h"

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
