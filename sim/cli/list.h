/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the lists of `septsim list` share: one NAME or all, text or JSON.
 */
#pragma once

#include "sim/cli/cli.h"
#include "sim/report/json.h"

struct lister {
	const struct cli *cli;
	const char *only;	/* NAME, or NULL for all */
	const char *tdx;	/* version of the module; TDX_VERSION_DEFAULT if not told */
	gboolean dpamt;
	struct json *json;	/* NULL: text on standard output */
	guint shown;
	gboolean failed;	/* and said so */
};

/* list_wanted - is @name to be listed? Counts it */
gboolean list_wanted(struct lister *l, const char *name);

/* list_item - "name" and its text, wrapped beside it or under it; in JSON a member "text" */
void list_item(struct lister *l, const char *name, const char *text);

/* list_wrap - @text as a paragraph; nothing in JSON */
void list_wrap(const struct lister *l, const char *text, int first, int rest);

/* list_kmmu_words - words of KVM's, with ranges and sources */
struct kmmu_word;
void list_kmmu_words(struct lister *l, const struct kmmu_word *w, u32 n);

/* list_versions.c */
void list_variants(struct lister *l);
/* list_leaves.c, list_locks.c, list_states.c: what the leaves do, as probed (scenarios/probe.h) */
void list_seamcalls(struct lister *l);
void list_locks(struct lister *l);
void list_states(struct lister *l);

/* list_costs.c */
void list_costs(struct lister *l);

struct probe;
struct probe_lock;
/* list_probe - of the module that the list is asked for; free with probe_free() */
struct probe *list_probe(const struct lister *l);
/* list_lock_word - "SEPT_TREE sh", "sept host" */
char *list_lock_word(const struct probe_lock *lock);
/* list_refusals - text: what the leaf at @caller is refused, and while whom holds what */
void list_refusals(struct lister *l, struct probe *p, guint caller);
/* list_leaf - index of the leaf called @name (with or without "TDH."), or -1 */
int list_leaf(const struct probe *p, const char *name);
