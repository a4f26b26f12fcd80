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
	struct json *json;	/* NULL: text on standard output */
	guint shown;
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
