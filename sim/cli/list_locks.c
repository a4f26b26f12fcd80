// SPDX-License-Identifier: GPL-2.0-only
/*
 * septsim list locks: the words of a scenario, and who is refused what while whom holds which
 * lock. The matrix is computed: each pair of leaves is run on the model, the holder stopped
 * behind each lock that it takes (scenarios/probe.h).
 */
#include <stdio.h>
#include <string.h>

#include "scenarios/probe.h"
#include "scenarios/words.h"
#include "sim/cli/list.h"

static const struct {
	const char *prefix;
	char letter;
	const char *what;
} letters[] = {
	{ "SEPT_TREE", 'T', "T SEPT_TREE" }, { "sept", 'E', "E the S-EPT entry" },
	{ "TD_EPOCH", 'P', "P TD_EPOCH" }, { "TDR", 'D', "D TDR" }, { "TDVPR", 'V', "V TDVPR" },
	{ "OP_STATE", 'O', "O OP_STATE" }, { "PAMT_", 'M', "M PAMT entry" }, { "KOT", 'K', "K KOT" },
	{ "WBT", 'W', "W WBT" }, { "RTMR", 'R', "R RTMR" }, { "SERVTD", 'S', "S bindings" },
	{ "TDINV", 'I', "I TDINV" }, { "KET", 'N', "N KET" },
};

/* @held: "SEPT_TREE exclusive" */
static char letter_of(const char *held)
{
	size_t n = strcspn(held, " ");

	for (guint i = 0; i < G_N_ELEMENTS(letters); i++) {
		const char *prefix = letters[i].prefix;

		if (strlen(prefix) == n ? !strncmp(held, prefix, n) :
		    g_str_has_prefix(held, prefix) && prefix[strlen(prefix) - 1] == '_')
			return letters[i].letter;
	}
	return g_str_has_prefix(held, "SERVTD") ? 'S' : '?';
}

static const struct probe_conflict *find(const struct probe *p, guint caller, guint holder,
					 gboolean same)
{
	for (guint i = 0; i < p->conflicts->len; i++) {
		const struct probe_conflict *c = p->conflicts->pdata[i];

		if (c->caller == caller && c->holder == holder && !c->same == !same)
			return c;
	}
	return NULL;
}

/* Two places: "T", "DE", "T+" (more), "-" not refused, "." not both possible */
static void cell(const struct probe_conflict *c, char out[3])
{
	guint n = 0;

	strcpy(out, c ? (c->meets ? "-" : ".") : "");
	for (guint i = 0; c && i < c->held->len; i++) {
		char letter = letter_of(c->held->pdata[i]);

		if (n && out[0] == letter)
			continue;
		if (n == 2 && out[1] != letter)
			out[1] = '+';
		if (n < 2 && !(n == 1 && out[0] == letter)) {
			out[n++] = letter;
			out[n] = '\0';
		}
	}
}

static const char *short_name(const struct probe_leaf *l)
{
	return g_str_has_prefix(l->name, "TDH.") ? l->name + 4 : l->name;
}

/* Whoever is probed, and can be there at all if it must be the same entry or vCPU */
static GArray *members(const struct probe *p, gboolean same)
{
	GArray *a = g_array_new(FALSE, FALSE, sizeof(guint));

	for (guint i = 0; i < p->leaves->len; i++) {
		const struct probe_leaf *l = p->leaves->pdata[i];

		if (l->probed && l->locks->len && (!same || find(p, i, i, TRUE)))
			g_array_append_val(a, i);
	}
	return a;
}

static void cell_of(const struct probe *p, guint caller, guint holder, gboolean same, char out[3])
{
	cell(find(p, caller, holder, same), out);
}

static gboolean same_cell(const struct probe *p, gboolean same, guint c1, guint h1, guint c2,
			  guint h2)
{
	char a[3], b[3];

	cell_of(p, c1, h1, same, a);
	cell_of(p, c2, h2, same, b);
	return !strcmp(a, b);
}

/* Do @i and @j meet everybody, each other and their like alike? */
static gboolean alike(const struct probe *p, const GArray *who, gboolean same, guint i, guint j)
{
	if (!same_cell(p, same, i, i, j, j) || !same_cell(p, same, i, j, j, i) ||
	    !same_cell(p, same, i, i, i, j))
		return FALSE;
	for (guint n = 0; n < who->len; n++) {
		guint k = g_array_index(who, guint, n);

		if (k != i && k != j && (!same_cell(p, same, i, k, j, k) ||
					 !same_cell(p, same, k, i, k, j)))
			return FALSE;
	}
	return TRUE;
}

/* Leaves that are alike, as arrays of their indexes */
static GPtrArray *classes(const struct probe *p, const GArray *who, gboolean same)
{
	GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);

	for (guint n = 0; n < who->len; n++) {
		guint i = g_array_index(who, guint, n);
		GArray *mine = NULL;

		for (guint k = 0; k < all->len && !mine; k++)
			if (alike(p, who, same, g_array_index((GArray *)all->pdata[k], guint, 0), i))
				mine = all->pdata[k];
		if (!mine) {
			mine = g_array_new(FALSE, FALSE, sizeof(guint));
			g_ptr_array_add(all, mine);
		}
		g_array_append_val(mine, i);
	}
	return all;
}

static void class_names(struct lister *l, const struct probe *p, const GArray *c, guint number)
{
	GString *s = g_string_new(NULL);

	g_string_printf(s, "%2u  ", number);
	for (guint i = 0; i < c->len; i++)
		g_string_append_printf(s, "%s%s", i ? ", " : "",
				       short_name(p->leaves->pdata[g_array_index(c, guint, i)]));
	list_wrap(l, s->str, 2, 6);
	g_string_free(s, TRUE);
}

static void matrix(struct lister *l, const struct probe *p, gboolean same)
{
	GArray *who = members(p, same);
	GPtrArray *all = classes(p, who, same);
	int name;

	printf("\n%s; who meets all others alike is one\n", same ? "On the same entry or vCPU" :
	       "Elsewhere in the TD");
	for (guint c = 0; c < all->len; c++)
		class_names(l, p, all->pdata[c], c + 1);
	name = MIN(20, l->cli->look.width - 5 - 3 * (int)all->len);
	name = name < 8 ? 0 : name;
	printf("\n    %*s", name ? name + 1 : 0, "");
	for (guint h = 0; h < all->len; h++)
		printf("%3u", h + 1);
	putchar('\n');
	for (guint c = 0; c < all->len; c++) {
		GString *row = g_string_new(NULL);

		g_string_printf(row, "  %2u", c + 1);
		if (name)
			g_string_append_printf(row, " %-*.*s", name, name, short_name(
				p->leaves->pdata[g_array_index((GArray *)all->pdata[c], guint, 0)]));
		for (guint h = 0; h < all->len; h++) {
			char text[3];

			cell_of(p, g_array_index((GArray *)all->pdata[c], guint, 0),
				g_array_index((GArray *)all->pdata[h], guint, 0), same, text);
			g_string_append_printf(row, "%3s", text);
		}
		puts(row->str);
		g_string_free(row, TRUE);
	}
	g_ptr_array_unref(all);
	g_array_unref(who);
}

/* --- one leaf --- */

struct refusal {
	const char *status, *held;
	GPtrArray *by;		/* char * */
};

static struct refusal *refusal_of(GArray *all, const char *status, const char *held)
{
	struct refusal r = { status, held, NULL };

	for (guint i = 0; i < all->len; i++) {
		struct refusal *had = &g_array_index(all, struct refusal, i);

		if (!strcmp(had->status, status) && !strcmp(had->held, held))
			return had;
	}
	r.by = g_ptr_array_new_with_free_func(g_free);
	g_array_append_val(all, r);
	return &g_array_index(all, struct refusal, all->len - 1);
}

static void refusals_of(const struct probe *p, guint caller, GArray *all)
{
	for (guint i = 0; i < p->conflicts->len; i++) {
		const struct probe_conflict *c = p->conflicts->pdata[i];
		const struct probe_leaf *holder = p->leaves->pdata[c->holder];

		for (guint k = 0; c->caller == caller && k < c->busy->len; k++) {
			struct refusal *r = refusal_of(all, c->busy->pdata[k], c->held->pdata[k]);
			char *who = g_strdup_printf("%s%s", short_name(holder), c->same ? " (same)" : "");

			if (c->same && find(p, caller, c->holder, FALSE) && r->by->len &&
			    !strcmp(r->by->pdata[r->by->len - 1], short_name(holder)))
				g_free(who);	/* also elsewhere: said already */
			else
				g_ptr_array_add(r->by, who);
		}
	}
}

static void refusals_free(GArray *all)
{
	for (guint i = 0; i < all->len; i++)
		g_ptr_array_unref(g_array_index(all, struct refusal, i).by);
	g_array_unref(all);
}

void list_refusals(struct lister *l, struct probe *p, guint caller)
{
	const struct probe_leaf *leaf = p->leaves->pdata[caller];
	GArray *all = g_array_new(FALSE, FALSE, sizeof(struct refusal));

	if (!leaf->probed)
		goto out;
	if (!p->conflicts->len)
		probe_conflicts(p);
	refusals_of(p, caller, all);
	if (!all->len)
		printf("  refused by nobody\n");
	for (guint i = 0; i < all->len; i++) {
		const struct refusal *r = &g_array_index(all, struct refusal, i);
		GString *s = g_string_new("refused  ");

		g_string_append_printf(s, "%s while %s is held by ", r->status, r->held);
		for (guint k = 0; k < r->by->len; k++)
			g_string_append_printf(s, "%s%s", k ? ", " : "", (char *)r->by->pdata[k]);
		list_wrap(l, s->str, 2, 11);
		g_string_free(s, TRUE);
	}
	if (all->len)
		list_wrap(l, "(same): only on the same entry or vCPU; else anywhere in the TD",
			  2, 2);
out:
	refusals_free(all);
}

/* --- the list --- */

static void words(struct lister *l)
{
	static const char *const kinds[] = {
		[SCN_LOCK_KIND_MUTEX] = "mutex", [SCN_LOCK_KIND_SHAREX] = "shared or exclusive",
		[SCN_LOCK_KIND_RWLOCK] = "read or write", [SCN_LOCK_KIND_ENTRY] = "S-EPT entry",
	};

	for (const struct scn_lock_word *w = scn_lock_words; w->name; w++) {
		char *text;

		if (!list_wanted(l, w->name))
			continue;
		text = g_strdup_printf("%s, %s%s%s%s", w->module ? "TDX module" : "kernel",
				       kinds[w->kind], w->indexed ? ", [n]" : "",
				       w->level ? ", @size" : "",
				       w->guest ? ", a guest can take it" : "");
		list_item(l, w->name, text);
		g_free(text);
	}
}

static void conflicts_json(struct lister *l, const struct probe *p)
{
	struct json *j = l->json;

	for (guint i = 0; i < p->conflicts->len; i++) {
		const struct probe_conflict *c = p->conflicts->pdata[i];

		json_enter(j, NULL, '{');
		json_text(j, "caller", ((struct probe_leaf *)p->leaves->pdata[c->caller])->name);
		json_text(j, "holder", ((struct probe_leaf *)p->leaves->pdata[c->holder])->name);
		json_truth(j, "same", c->same);
		json_truth(j, "meets", c->meets);
		json_enter(j, "refused", '[');
		for (guint k = 0; k < c->busy->len; k++) {
			json_enter(j, NULL, '{');
			json_text(j, "status", c->busy->pdata[k]);
			json_text(j, "held", c->held->pdata[k]);
			json_leave(j, '}');
		}
		json_leave(j, ']');
		json_leave(j, '}');
	}
}

static void explain(struct lister *l)
{
	GString *s = g_string_new(NULL);

	g_string_printf(s, "Who is refused, TDX module %s: row the caller, column the holder (by the "
			"number of its row), stopped behind each lock that it takes. ", l->tdx);
	for (guint i = 0; i < G_N_ELEMENTS(letters); i++)
		g_string_append_printf(s, "%s%s", i ? ", " : "", letters[i].what);
	g_string_append(s, "; + and others; - not refused; . the TD cannot be in both states. `septsim "
			"list seamcalls LEAF` has the statuses.");
	putchar('\n');
	list_wrap(l, s->str, 0, 0);
	g_string_free(s, TRUE);
}

void list_locks(struct lister *l)
{
	struct probe *p;

	words(l);
	if (l->only)
		return;
	p = list_probe(l);
	probe_conflicts(p);
	if (l->json) {
		conflicts_json(l, p);
	} else {
		explain(l);
		matrix(l, p, TRUE);
		matrix(l, p, FALSE);
	}
	probe_free(p);
}
