// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an event says, whom it is about, and where two runs part (differ_streams.h).
 */
#include "sim/cli/differ_streams.h"

#include <string.h>

#define LAP_MAX	16u		/* events of a lap */

/* What happened, of one actor, one entry or one gfn, in order; at: in the order of all. */
struct said {
	char *words;
	guint at;
};

static const char *text_of(const char *s)
{
	return s ? s : "";
}

static gboolean is_entry(const char *name)
{
	return g_str_has_prefix(name, "mirror[") || g_str_has_prefix(name, "sept[") ||
	       g_str_has_prefix(name, "direct[") || strstr(name, ".mirror[") ||
	       strstr(name, ".sept[") || strstr(name, ".direct[");
}

static void said_free(gpointer p)
{
	g_free(((struct said *)p)->words);
}

/*
 * Who finds an entry frozen tries again until somebody lets the other one go on: how often, the
 * schedule does not say. So a lap that is as the one before it, both ended by a RET_PF_RETRY, is
 * told once.
 */
static void forget_lap(GArray *a)
{
	const struct said *said = &g_array_index(a, struct said, 0);

	if (!g_str_has_prefix(said[a->len - 1].words, "return kvm_mmu_do_page_fault") ||
	    !g_str_has_suffix(said[a->len - 1].words, "RET_PF_RETRY"))
		return;
	for (guint n = 1; n <= LAP_MAX && 2 * n <= a->len; n++) {
		guint same = 0;

		while (same < n && !strcmp(said[a->len - 1 - same].words,
					   said[a->len - 1 - n - same].words))
			same++;
		if (same == n) {
			g_array_set_size(a, a->len - n);
			return;
		}
	}
}

static void add(struct streams *s, const char *key, const char *words)
{
	GArray *a = g_hash_table_lookup(s->all, key);
	struct said said = { g_strdup(words), s->events };

	if (!a) {
		a = g_array_new(FALSE, FALSE, sizeof(struct said));
		g_array_set_clear_func(a, said_free);
		g_hash_table_insert(s->all, g_strdup(key), a);
		g_ptr_array_add(s->order, g_strdup(key));
	}
	g_array_append_val(a, said);
	forget_lap(a);
}

static gboolean gives_page(const char *leaf)
{
	return strstr(leaf, ".AUG") || strstr(leaf, ".PAGE.ADD") || strstr(leaf, ".SEPT.ADD") ||
	       strstr(leaf, ".CREATE") || strstr(leaf, ".ADDCX") || strstr(leaf, ".DEMOTE");
}

/*
 * Which page the allocator takes is each one's own. So a page is called by the call that gave
 * it to the module last; what KVM's fault handler found has not been given yet.
 */
static const char *page_name(struct streams *s, const struct play_event *e)
{
	const char *name;

	if (!e->hpa || !(e->flags & PLAY_LEAF))
		return "";
	if (e->type == EV_CALL && gives_page(e->name)) {
		char *by = g_strdup_printf("%s(0x%" G_GINT64_MODIFIER "x)", e->name,
					   e->level ? e->arg : 0);
		guint n = GPOINTER_TO_UINT(g_hash_table_lookup(s->given, by)) + 1;

		g_hash_table_insert(s->pages, g_memdup2(&e->hpa, sizeof(e->hpa)),
				    g_strdup_printf(", the page of %s x%u", by, n));
		g_hash_table_insert(s->given, by, GUINT_TO_POINTER(n));
	}
	name = g_hash_table_lookup(s->pages, &e->hpa);
	return name ? name : ", a page that nobody gave";
}

static char *call_words(struct streams *s, const struct play_event *e)
{
	static const char *const levels[] = { "", " 4K", " 2M", " 1G", " 512G", " 256T" };
	GString *w = g_string_new(e->type == EV_CALL ? "call " : "return ");

	g_string_append(w, e->name);
	if (!e->hpa && e->flags & PLAY_HAS_ARG)
		g_string_append_printf(w, "(0x%" G_GINT64_MODIFIER "x)", e->arg);
	else if (e->level && e->flags & PLAY_HAS_ARG)	/* else the page is its argument */
		g_string_append_printf(w, "(0x%" G_GINT64_MODIFIER "x)", e->arg);
	g_string_append(w, levels[MIN(e->level, G_N_ELEMENTS(levels) - 1)]);
	g_string_append(w, page_name(s, e));
	if (e->type == EV_RETURN)
		g_string_append_printf(w, " %s", text_of(e->detail));
	return g_string_free(w, FALSE);
}

/* Of KVM's own functions, those whose result is a class of the page-fault handler's */
static gboolean tells_fault(const struct play_event *e)
{
	return e->type == EV_RETURN && (!strcmp(e->name, "kvm_mmu_do_page_fault") ||
					!strcmp(e->name, "kvm_tdp_mmu_map"));
}

/* What an event says, or NULL if it is each one's own. */
static char *words_of(struct streams *s, const struct play_event *e)
{
	switch (e->type) {
	case EV_CALL:
	case EV_RETURN:
		return e->flags & PLAY_LEAF || tells_fault(e) ? call_words(s, e) : NULL;
	case EV_OP_END:
		return g_strdup_printf("end of \"%s\": %s%s", e->name, text_of(e->detail),
				       e->flags & PLAY_FAILED ? " (failed)" : "");
	case EV_ENTER:
		return g_strdup("enter");
	case EV_EXIT:
		return g_strdup_printf("exit %s", e->name);
	case EV_CHECK:	/* where it is, KVM's own assertions say each in its way */
		return g_strdup_printf("check %s %s", e->name, g_str_has_prefix(e->name, "kvm-") ? "" :
				       text_of(e->detail));
	case EV_STEP:
		if (!(e->flags & PLAY_CHANGE) || !e->name || !is_entry(e->name))
			return NULL;
		return g_strdup_printf("%s: %s -> %s", e->name, text_of(e->old), text_of(e->now));
	default:
		return NULL;
	}
}

/* Calls into the module about a gfn, whoever makes them */
static void add_gfn(struct streams *s, const struct play_event *e, const char *words)
{
	char key[40];

	if (!(e->flags & PLAY_LEAF) || !(e->flags & PLAY_HAS_ARG) || !e->level)
		return;
	g_snprintf(key, sizeof(key), "gfn 0x%" G_GINT64_MODIFIER "x", e->arg);
	add(s, key, words);
}

/* By actor, by entry and by gfn, whoever it is. Background actors have no order of their own. */
void streams_take(struct streams *s, const struct play_result *r)
{
	s->all = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
				       (GDestroyNotify)g_array_unref);
	s->pages = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	s->given = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	s->order = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < r->events->len; i++) {
		const struct play_event *e = &g_array_index(r->events, struct play_event, i);
		const struct play_actor *a = &g_array_index(r->actors, struct play_actor, e->actor);
		char *words;

		if (a->background)
			continue;
		words = words_of(s, e);
		if (!words)
			continue;
		s->ops += e->type == EV_OP_END;
		add(s, a->name, words);
		if (e->type == EV_STEP)
			add(s, e->name, words);
		else
			add_gfn(s, e, words);
		s->events++;
		g_free(words);
	}
	for (guint i = 0; i < r->finals->len; i++)
		add(s, "the end", r->finals->pdata[i]);
}

void streams_drop(struct streams *s)
{
	g_hash_table_unref(s->all);
	g_hash_table_unref(s->pages);
	g_hash_table_unref(s->given);
	g_ptr_array_unref(s->order);
}

static const struct said *said_at(const GArray *a, guint i)
{
	return a && i < a->len ? &g_array_index(a, struct said, i) : NULL;
}

/* Where two of a key part; the index of own's event, or of the other's where own says no more */
static char *parts(const char *key, const GArray *p, const GArray *q, guint *at)
{
	for (guint k = 0; ; k++) {
		const struct said *u = said_at(p, k), *v = said_at(q, k), *last;

		if (!u && !v)
			return NULL;
		if (u && v && !strcmp(u->words, v->words))
			continue;
		last = k ? said_at(p, k - 1) : NULL;
		*at = u ? u->at : v->at;
		return g_strdup_printf("%s, after %s: own: %s; other: %s", key,
				       last ? last->words : "the beginning",
				       u ? u->words : "nothing more", v ? v->words : "nothing more");
	}
}

/* The difference that came first, as words; NULL: there is none. */
char *streams_difference(const struct streams *a, const struct streams *b)
{
	char *first = NULL;
	guint when = 0;

	for (guint pass = 0; pass < 2; pass++) {
		const struct streams *x = pass ? b : a;

		for (guint i = 0; i < x->order->len; i++) {
			const char *key = x->order->pdata[i];
			guint at = 0;
			char *what = parts(key, g_hash_table_lookup(a->all, key),
					   g_hash_table_lookup(b->all, key), &at);

			if (!what || (first && at >= when)) {
				g_free(what);
				continue;
			}
			g_free(first);
			first = what;
			when = at;
		}
	}
	return first;
}
