// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who acts in a case, and on which logical processor. Everybody named by a column, an
 * actor section, a guest or an init line acts; LPs are given before a case drops anybody,
 * so that a control has the same machine. Rests on docs/language.md, "Actors".
 */
#include <string.h>

#include "scenarios/parse.h"

#define NO_LP	G_MAXUINT
#define BAD_LP	(G_MAXUINT - 1)	/* asked for one that it cannot have */

int cast_find(const struct parse *p, const char *name)
{
	unsigned int i;

	for (i = 0; i < p->c->actors->len; i++) {
		struct scn_actor *a = g_ptr_array_index(p->c->actors, i);

		if (!strcmp(a->name, name))
			return i;
	}
	return -1;
}

static gboolean valid_name(const char *name)
{
	const char *c;

	if (!g_ascii_isalpha(*name) && *name != '_')
		return FALSE;
	for (c = name; *c; c++) {
		if (!g_ascii_isalnum(*c) && *c != '_' && *c != '-')
			return FALSE;
	}
	return TRUE;
}

struct scn_actor *cast_add(struct parse *p, const struct text *t)
{
	struct scn_td *td = g_ptr_array_index(p->c->tds, 0);
	const char *name = text_str(p, t);
	int found = cast_find(p, name);
	struct scn_actor *a;

	if (found >= 0)
		return g_ptr_array_index(p->c->actors, found);
	if (!valid_name(name)) {
		parse_error(p, t, "letters, digits, _ and -", "not a name for an actor");
		return NULL;
	}
	a = pool_node(p->pool, struct scn_actor);
	a->loc = text_loc(p, t);
	a->name = name;
	a->vcpu = numbered(name, "vCPU");
	a->lp = NO_LP;
	a->ops = pool_ptrs(p->pool);
	if (a->vcpu >= (int)td->vcpus) {
		parse_error(p, t, NULL, "the TD has vcpus=%u", td->vcpus);
		return NULL;
	}
	if (a->vcpu < 0 && g_str_has_prefix(name, "vCPU")) {
		parse_error(p, t, "vCPU0, vCPU1, ...", "%s is no vCPU", name);
		return NULL;
	}
	g_ptr_array_add(p->c->actors, a);
	return a;
}

/* The name in front of the colon of an init line; the rest goes to *rest. */
gboolean init_split(const struct text *t, struct text *name, struct text *rest)
{
	const char *colon = memchr(t->s, ':', t->len);
	unsigned int at;

	if (!colon)
		return FALSE;
	at = colon - t->s;
	*name = text_trim(text_slice(t, 0, at));
	*rest = text_trim(text_slice(t, at + 1, t->len));
	return name->len > 0;
}

static void collect_init(struct parse *p, struct text *t, void *data)
{
	struct text name, rest;

	if (init_split(t, &name, &rest))
		cast_add(p, &name);
	else
		parse_error(p, t, "NAME: operation", "say who does it");
}

/* vCPUs first, by number; the others keep their order. */
static gint actor_order(gconstpointer pa, gconstpointer pb)
{
	const struct scn_actor *a = *(const struct scn_actor *const *)pa;
	const struct scn_actor *b = *(const struct scn_actor *const *)pb;

	if ((a->vcpu < 0) != (b->vcpu < 0))
		return a->vcpu < 0 ? 1 : -1;
	return a->vcpu - b->vcpu;
}

static void sort_actors(struct parse *p)
{
	GPtrArray *actors = p->c->actors;
	GPtrArray *others = g_ptr_array_new();
	unsigned int i, vcpus = 0;

	for (i = 0; i < actors->len; i++) {
		struct scn_actor *a = g_ptr_array_index(actors, i);

		if (a->vcpu >= 0)
			actors->pdata[vcpus++] = a;
		else
			g_ptr_array_add(others, a);
	}
	if (vcpus > 1)
		qsort(actors->pdata, vcpus, sizeof(*actors->pdata), actor_order);
	for (i = 0; i < others->len; i++)
		actors->pdata[vcpus + i] = g_ptr_array_index(others, i);
	g_ptr_array_free(others, TRUE);
}

/* Who sits on lp, or NULL. */
static struct scn_actor *lp_owner(struct parse *p, unsigned int lp)
{
	unsigned int i;

	for (i = 0; i < p->c->actors->len; i++) {
		struct scn_actor *a = g_ptr_array_index(p->c->actors, i);

		if (a->lp == lp)
			return a;
	}
	return NULL;
}

/* vCPU i is on lp i; others are on the next lp that is nobody's. */
static void give_lp(struct parse *p, struct scn_actor *a, unsigned int *next)
{
	struct scn_td *td = g_ptr_array_index(p->c->tds, 0);
	struct scn_actor *owner;

	if (a->lp != NO_LP)
		return;
	if (a->vcpu >= 0) {
		owner = lp_owner(p, a->vcpu);
		if (owner)
			diag_error(p->diag, &owner->loc, "give one of them another lp",
				   "lp%d is %s's", a->vcpu, a->name);
		a->lp = a->vcpu;
	} else {
		while (lp_owner(p, *next))
			(*next)++;
		a->lp = (*next)++;
	}
	if (p->lps_given && a->lp >= td->lps)
		diag_error(p->diag, &a->loc, "one lp for each vCPU and each other actor",
			   "no lp is left for %s: the td has lps=%u", a->name, td->lps);
}

static void give_lps(struct parse *p)
{
	struct scn_td *td = g_ptr_array_index(p->c->tds, 0);
	unsigned int i, next = td->vcpus;

	if (!p->lps_given)
		td->lps = MAX(td->packages, td->vcpus);
	for (i = 0; i < p->c->actors->len; i++)
		give_lp(p, g_ptr_array_index(p->c->actors, i), &next);
	for (i = 0; i < p->c->actors->len; i++) {
		struct scn_actor *a = g_ptr_array_index(p->c->actors, i);

		if (!p->lps_given && a->lp != BAD_LP)
			td->lps = MAX(td->lps, a->lp + 1);
	}
}

/* `lpN` after the name of an actor. */
void cast_place(struct parse *p, struct scn_actor *a, const struct text *lp)
{
	struct scn_td *td = g_ptr_array_index(p->c->tds, 0);
	int n = numbered(text_str(p, lp), "lp");
	struct scn_actor *owner;

	a->lp = BAD_LP;
	if (n < 0) {
		parse_error(p, lp, "actor NAME [lpN]", "lpN expected");
		return;
	}
	if (p->lps_given ? (unsigned int)n >= td->lps : (unsigned int)n >= SCN_MAX_LPS) {
		parse_error(p, lp, NULL, "the td has lps=%u",
			    p->lps_given ? td->lps : SCN_MAX_LPS);
		return;
	}
	owner = lp_owner(p, n);
	if (owner && owner != a) {
		parse_error(p, lp, NULL, "lp%d is %s's", n, owner->name);
		return;
	}
	a->lp = n;
}

/* Actors named by columns and init lines; those of sections were added before. */
void cast_collect(struct parse *p, const struct section *schedule, GPtrArray *inits)
{
	unsigned int i;

	if (schedule) {
		GPtrArray *columns = table_columns(p, schedule);

		for (i = 0; i < columns->len; i++)
			cast_add(p, g_ptr_array_index(columns, i));
	}
	for (i = 0; i < inits->len; i++)
		text_each(p, g_ptr_array_index(inits, i), collect_init, NULL);
	sort_actors(p);
	give_lps(p);
}

static void drop_one(struct parse *p, struct text *t, void *data)
{
	struct text rest = *t, piece;
	GPtrArray *names = g_ptr_array_new();
	unsigned int i;

	for (i = 0; i < p->c->actors->len; i++)
		g_ptr_array_add(names, (void *)((struct scn_actor *)
						p->c->actors->pdata[i])->name);
	g_ptr_array_add(names, NULL);
	while (text_piece(&rest, &piece)) {
		const char *name = text_str(p, &piece);

		if (cast_find(p, name) < 0) {
			parse_error(p, &piece,
				    hint_nearest(p, name, (const char *const *)names->pdata),
				    "no actor %s", name);
		} else if (g_hash_table_add(p->dropped, (void *)name)) {
			g_ptr_array_add(p->c->dropped, (void *)name);
		}
	}
	g_ptr_array_free(names, TRUE);
}

/* Take the dropped actors out, after everybody has an lp. */
void cast_drop(struct parse *p, GPtrArray *items)
{
	unsigned int i;

	for (i = 0; i < items->len; i++)
		text_each(p, g_ptr_array_index(items, i), drop_one, NULL);
	for (i = p->c->actors->len; i-- > 0;) {
		struct scn_actor *a = g_ptr_array_index(p->c->actors, i);

		if (g_hash_table_contains(p->dropped, a->name))
			g_ptr_array_remove_index(p->c->actors, i);
	}
}
