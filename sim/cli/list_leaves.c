// SPDX-License-Identifier: GPL-2.0-only
/*
 * septsim list seamcalls: each leaf, the locks that it takes in their order, what it can return.
 * All of it is found by running the model (scenarios/probe.h), nothing is typed.
 */
#include <stdio.h>
#include <string.h>

#include "scenarios/probe.h"
#include "sim/cli/list.h"

struct probe *list_probe(const struct lister *l)
{
	return probe_new(l->tdx, l->dpamt);
}

static const char *short_mode(const char *mode)
{
	static const char *const modes[][2] = {
		{ "shared", "sh" }, { "exclusive", "ex" }, { "shared guest", "sh guest" },
		{ "exclusive guest", "ex guest" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(modes); i++)
		if (!strcmp(mode, modes[i][0]))
			return modes[i][1];
	return mode;
}

char *list_lock_word(const struct probe_lock *lock)
{
	return g_strdup_printf("%s %s", lock->name, short_mode(lock->mode));
}

int list_leaf(const struct probe *p, const char *name)
{
	for (guint i = 0; i < p->leaves->len; i++) {
		const char *full = ((struct probe_leaf *)p->leaves->pdata[i])->name;

		if (!g_ascii_strcasecmp(full, name) || !g_ascii_strcasecmp(full + 4, name))
			return (int)i;
	}
	return -1;
}

static gboolean is_walk(const GArray *locks, guint i)
{
	const struct probe_lock *a = &g_array_index(locks, struct probe_lock, i);

	return i + 2 < locks->len && !strcmp(a->name, "PAMT_1G") && !strcmp(a[1].name, "PAMT_2M") &&
	       strcmp(a[2].name, "PAMT_1G") && strcmp(a[2].name, "PAMT_2M");
}

/* "TDR* sh, OP_STATE sh": the star stands for the walk; a long row of one lock once */
static char *locks_text(const GArray *locks)
{
	GString *s = g_string_new(NULL);

	for (guint i = 0; i < locks->len; i++) {
		gboolean walk = is_walk(locks, i);
		const struct probe_lock *lock;
		char *word;
		guint n = 1;

		i += walk ? 2 : 0;
		lock = &g_array_index(locks, struct probe_lock, i);
		word = list_lock_word(lock);
		while (i + n < locks->len && !strcmp(lock[n].name, lock->name) &&
		       !strcmp(lock[n].mode, lock->mode))
			n++;
		g_string_append(s, s->len ? ", " : "");
		g_string_append_len(s, word, (gssize)strlen(lock->name));
		g_string_append_printf(s, "%s%s", walk ? "*" : "", word + strlen(lock->name));
		if (n > 1)
			g_string_append_printf(s, " (%u)", n);
		i += n - 1;
		g_free(word);
	}
	return g_string_free(s, FALSE);
}

static char *results_text(const struct probe_leaf *l)
{
	GString *s = g_string_new(NULL);

	for (guint i = 0; i < l->results->len; i++)
		g_string_append_printf(s, "%s%s", i ? ", " : "", (char *)l->results->pdata[i]);
	return g_string_free(s, FALSE);
}

static void leaf_json(struct lister *l, const struct probe_leaf *leaf)
{
	struct json *j = l->json;

	json_enter(j, NULL, '{');
	json_text(j, "name", leaf->name);
	json_number(j, "leaf", (gint64)leaf->leaf);
	json_truth(j, "guest", leaf->guest);
	json_truth(j, "modelled", leaf->modelled);
	json_truth(j, "probed", leaf->probed);
	json_enter(j, "locks", '[');
	for (guint i = 0; i < leaf->locks->len; i++) {
		const struct probe_lock *lock = &g_array_index(leaf->locks, struct probe_lock, i);

		json_enter(j, NULL, '{');
		json_text(j, "name", lock->name);
		json_text(j, "mode", lock->mode);
		json_leave(j, '}');
	}
	json_leave(j, ']');
	json_enter(j, "results", '[');
	for (guint i = 0; i < leaf->results->len; i++)
		json_text(j, NULL, leaf->results->pdata[i]);
	json_leave(j, ']');
	json_number(j, "runs", leaf->runs);
	json_number(j, "digest", leaf->digest);
	json_leave(j, '}');
}

static void leaf_print(struct lister *l, const struct probe_leaf *leaf)
{
	char *locks = locks_text(leaf->locks), *results = results_text(leaf);
	char *text = g_strdup_printf("locks    %s", *locks ? locks : "none");

	printf("%s (%" G_GUINT64_FORMAT ")\n", leaf->name, leaf->leaf);
	list_wrap(l, text, 2, 11);
	g_free(text);
	text = g_strdup_printf("returns  %s", results);
	list_wrap(l, text, 2, 11);
	g_free(text);
	g_free(locks);
	g_free(results);
}

static void others(struct lister *l, const struct probe *p, gboolean modelled, const char *what)
{
	GString *s = g_string_new(what);
	guint n = 0;

	for (guint i = 0; i < p->leaves->len; i++) {
		const struct probe_leaf *leaf = p->leaves->pdata[i];

		if (!leaf->probed && leaf->modelled == modelled)
			g_string_append_printf(s, "%s%s", n++ ? ", " : " ", leaf->name);
	}
	if (n)
		list_wrap(l, s->str, 0, 2);
	g_string_free(s, TRUE);
}

static void explain(struct lister *l)
{
	char *text = g_strdup_printf("TDX module %s: locks in the order in which a call that succeeds "
		"takes them (sh shared, ex exclusive; * after a walk, which holds PAMT_1G and PAMT_2M "
		"shared), and all that the model answered when from there each register, lock, state "
		"or page was made otherwise, one at a time. `septsim list seamcalls LEAF` says whom a "
		"leaf is refused by.", l->tdx);

	list_wrap(l, text, 0, 0);
	g_free(text);
	putchar('\n');
}

void list_seamcalls(struct lister *l)
{
	struct probe *p = list_probe(l);
	int one = l->only ? list_leaf(p, l->only) : -1;

	if (!l->only && !l->json)
		explain(l);
	for (guint i = 0; i < p->leaves->len; i++) {
		const struct probe_leaf *leaf = p->leaves->pdata[i];

		if (l->only && (int)i != one)
			continue;
		l->shown++;
		probe_results(p, i);
		if (l->json)
			leaf_json(l, leaf);
		else if (leaf->probed)
			leaf_print(l, leaf);
		else if (l->only)
			printf("%s (%" G_GUINT64_FORMAT "): %s\n", leaf->name, leaf->leaf,
			       leaf->modelled ? "modelled, but not probed" : "not modelled");
	}
	if (!l->only && !l->json) {
		others(l, p, TRUE, "modelled, not probed:");
		others(l, p, FALSE, "not modelled:");
	}
	if (one >= 0 && !l->json)
		list_refusals(l, p, (guint)one);
	probe_free(p);
}
