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

int cast_td(const struct parse *p, const char *name, const char **rest)
{
	const char *dot = strchr(name, '.');
	unsigned int i;

	*rest = name;
	for (i = 0; dot && i < p->c->tds->len; i++) {
		const struct scn_td *td = g_ptr_array_index(p->c->tds, i);

		if (*td->name && strlen(td->name) == (size_t)(dot - name) &&
		    !strncmp(td->name, name, dot - name)) {
			*rest = dot + 1;
			return i;
		}
	}
	return 0;
}

static struct scn_td *td_of(const struct parse *p, int td)
{
	return g_ptr_array_index(p->c->tds, td);
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
	const char *name = text_str(p, t), *rest;
	int found = cast_find(p, name), of = cast_td(p, name, &rest);
	struct scn_td *td = td_of(p, of);
	struct scn_actor *a;

	if (found >= 0)
		return g_ptr_array_index(p->c->actors, found);
	if (!valid_name(rest)) {
		parse_error(p, t, "letters, digits, _ and -; the name of a TD and a dot in front",
			    "not a name for an actor");
		return NULL;
	}
	a = pool_node(p->pool, struct scn_actor);
	a->loc = text_loc(p, t);
	a->name = name;
	a->td = of;
	a->vcpu = numbered(rest, "vCPU");
	a->lp = NO_LP;
	a->ops = pool_ptrs(p->pool);
	if (a->vcpu >= (int)td->vcpus) {
		parse_error(p, t, NULL, "the TD has vcpus=%u", td->vcpus);
		return NULL;
	}
	if (a->vcpu < 0 && g_str_has_prefix(rest, "vCPU")) {
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

/* vCPUs first, by TD and number; the others keep their order. */
static gint actor_order(gconstpointer pa, gconstpointer pb)
{
	const struct scn_actor *a = *(const struct scn_actor *const *)pa;
	const struct scn_actor *b = *(const struct scn_actor *const *)pb;

	if ((a->vcpu < 0) != (b->vcpu < 0))
		return a->vcpu < 0 ? 1 : -1;
	return a->td != b->td ? a->td - b->td : a->vcpu - b->vcpu;
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

/* The first LP of a TD's vCPUs: the TDs' are one behind the other. */
static unsigned int first_lp(const struct parse *p, int td)
{
	unsigned int lp = 0;
	int i;

	for (i = 0; i < td; i++)
		lp += td_of(p, i)->vcpus;
	return lp;
}

/* vCPU i is on lp i; others are on the next lp that is nobody's. */
static void give_lp(struct parse *p, struct scn_actor *a, unsigned int *next)
{
	struct scn_td *td = g_ptr_array_index(p->c->tds, 0);
	struct scn_actor *owner;
	unsigned int lp;

	if (a->lp != NO_LP)
		return;
	if (a->vcpu >= 0) {
		lp = first_lp(p, a->td) + (unsigned int)a->vcpu;
		owner = lp_owner(p, lp);
		if (owner)
			diag_error(p->diag, &owner->loc, "give one of them another lp",
				   "lp%u is %s's", lp, a->name);
		a->lp = lp;
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
	unsigned int i, vcpus = first_lp(p, (int)p->c->tds->len), next = vcpus;

	if (!p->lps_given)
		td->lps = MAX(td->packages, vcpus);
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
