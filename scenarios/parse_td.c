// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lines made of attributes: td, variant, policy, limit. An attribute is k=v without
 * blanks. Rests on docs/language.md, "The TD" and "Variant and policy".
 */
#include <stdarg.h>
#include <string.h>

#include "scenarios/parse.h"

/* k=v taken apart. */
struct attr {
	struct text whole;
	struct text value;
	const char *key;	/* NULL: it was a bare word */
	const char *word;	/* the value, or the bare word */
};

static gboolean next_attr(struct parse *p, struct text *rest, struct attr *a)
{
	const char *eq;

	if (!text_piece(rest, &a->whole))
		return FALSE;
	eq = memchr(a->whole.s, '=', a->whole.len);
	a->key = NULL;
	a->value = a->whole;
	if (eq) {
		a->key = pool_strn(p->pool, a->whole.s, eq - a->whole.s);
		a->value = text_slice(&a->whole, eq - a->whole.s + 1, a->whole.len);
	}
	a->word = text_str(p, &a->value);
	return TRUE;
}

static guint64 attr_number(struct parse *p, const struct attr *a, guint64 min, guint64 max)
{
	struct lex lx;
	guint64 num;

	if (!a->value.len) {
		parse_error(p, &a->whole, "k=v has no blanks", "%s= wants a value", a->key);
		return min;
	}
	lex_init(&lx, p, &a->value);
	num = lex_number(&lx, "a number");
	lex_end(&lx);
	if (!lx.failed && (num < min || num > max))
		parse_error(p, &a->value, NULL, "%s= is %" G_GUINT64_FORMAT " to %"
			    G_GUINT64_FORMAT, a->key, min, max);
	return lx.failed || num < min || num > max ? min : num;
}

static int attr_choice(struct parse *p, const struct attr *a, const struct scn_word_value *words)
{
	GString *all = g_string_new(NULL);
	const struct scn_word_value *w;

	for (w = words; w->name; w++) {
		if (!strcmp(w->name, a->word))
			break;
		g_string_append_printf(all, "%s%s", all->len ? "|" : "", w->name);
	}
	if (!w->name)
		parse_error(p, a->value.len ? &a->value : &a->whole, NULL, "%s=%s expected",
			    a->key, all->str);
	else if (!w->supported)
		parse_error(p, &a->whole, NULL, "%s=%s is not supported yet", a->key, a->word);
	g_string_free(all, TRUE);
	return w->name ? w->value : words[0].value;
}

static void attr_vocab(struct parse *p, const struct text *at, enum scn_vocab_kind kind,
		       const char *scope, const char *what, const char *word)
{
	if (!vocab_has(p, kind, scope, word))
		parse_error(p, at, hint_nearest(p, word, p->vocab->list(kind, scope)),
			    "%s is no %s", word, what);
}

/* --- td --- */

#define MEMORY_MAX	(1ull << 40)

/* Whole pages, and no more than a VM of the model can have. */
static guint64 attr_memory(struct parse *p, const struct attr *a)
{
	guint64 bytes = attr_number(p, a, 4096, MEMORY_MAX);

	if (bytes % 4096)
		parse_error(p, &a->value, NULL, "memory= is a multiple of 4K");
	return bytes;
}

static const struct scn_word_value type_words[] = {
	{ "tdx", SCN_TD_TYPE_TDX, TRUE },
	{ "default", SCN_TD_TYPE_DEFAULT, TRUE },
	{ NULL }
};

static const struct scn_word_value state_words[] = {
	{ "none", SCN_TD_STATE_NONE, TRUE },
	{ "initialized", SCN_TD_STATE_INITIALIZED, TRUE },
	{ "runnable", SCN_TD_STATE_RUNNABLE, TRUE },
	{ NULL }
};

static const struct scn_word_value levels_words[] = {
	{ "4", 4, TRUE },
	{ "5", 5, TRUE },
	{ NULL }
};

static const struct scn_word_value max_level_words[] = {
	{ "4K", SCN_LEVEL_4K, TRUE },
	{ "2M", SCN_LEVEL_2M, TRUE },
	{ NULL }
};

/* pve= notify= nx-huge-pages= dirty-log= ad= pml= */
static const struct scn_word_value switch_words[] = {
	{ "off", FALSE, TRUE },
	{ "on", TRUE, TRUE },
	{ NULL }
};

static const struct scn_word_value manual_words[] = {
	{ "off", 0, TRUE },
	{ "on", 1, TRUE },
	{ "initially-set", 3, TRUE },
	{ NULL }
};

static const char *const td_keys[] = {
	"type", "state", "vcpus", "lps", "packages", "memory", "levels", "max-level", "pve",
	"notify", "iommus", "nx-huge-pages", "dirty-log", "manual-protect", "ad", "pml", NULL
};

/* A param's value is computed: 4K comes as 4096. */
static int attr_level(struct parse *p, struct attr a)
{
	if (!strcmp(a.word, "4096"))
		return SCN_LEVEL_4K;
	if (!strcmp(a.word, "2097152"))
		return SCN_LEVEL_2M;
	return attr_choice(p, &a, max_level_words);
}

static void td_attr(struct parse *p, struct scn_td *td, const struct attr *a)
{
	if (!strcmp(a->key, "type"))
		td->type = attr_choice(p, a, type_words);
	else if (!strcmp(a->key, "state"))
		td->state = attr_choice(p, a, state_words);
	else if (!strcmp(a->key, "vcpus"))
		td->vcpus = attr_number(p, a, 1, SCN_MAX_VCPUS);
	else if (!strcmp(a->key, "lps"))
		td->lps = attr_number(p, a, 1, SCN_MAX_LPS);
	else if (!strcmp(a->key, "packages"))
		td->packages = attr_number(p, a, 1, 64);
	else if (!strcmp(a->key, "memory"))
		td->memory = attr_memory(p, a);
	else if (!strcmp(a->key, "levels"))
		td->levels = attr_choice(p, a, levels_words);
	else if (!strcmp(a->key, "max-level"))
		td->max_level = attr_level(p, *a);
	else if (!strcmp(a->key, "pve"))
		td->pve = attr_choice(p, a, switch_words);
	else if (!strcmp(a->key, "notify"))
		td->notify = attr_choice(p, a, switch_words);
	else if (!strcmp(a->key, "iommus"))
		td->iommus = attr_number(p, a, 0, 64);
	else if (!strcmp(a->key, "nx-huge-pages"))
		td->nx_huge_pages = attr_choice(p, a, switch_words);
	else if (!strcmp(a->key, "dirty-log"))
		td->dirty_log = attr_choice(p, a, switch_words);
	else if (!strcmp(a->key, "manual-protect"))
		td->manual_protect = attr_choice(p, a, manual_words);
	else if (!strcmp(a->key, "ad"))
		td->no_ad = !attr_choice(p, a, switch_words);
	else if (!strcmp(a->key, "pml"))
		td->no_pml = !attr_choice(p, a, switch_words);
	else
		parse_error(p, &a->whole, hint_nearest(p, a->key, td_keys),
			    "td has no %s=", a->key);
}

static void td_line(struct parse *p, struct scn_td *td, struct text *item)
{
	GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);
	struct text rest = *item;
	gboolean first = TRUE;
	struct attr a;

	while (next_attr(p, &rest, &a)) {
		if (a.key && !g_hash_table_add(seen, (void *)a.key))
			parse_error(p, &a.whole, NULL, "%s= is given twice", a.key);
		else if (a.key)
			td_attr(p, td, &a);
		else if (first)
			td->name = a.word;
		else
			parse_error(p, &a.whole, hint_nearest(p, a.word, td_keys),
				    "k=v expected");
		if (a.key && !strcmp(a.key, "lps"))
			p->lps_given = TRUE;
		if (a.key && p->c->tds->len > 1 &&
		    (!strcmp(a.key, "lps") || !strcmp(a.key, "packages")))
			parse_error(p, &a.whole, NULL, "%s= is the machine's: give it with the "
				    "first TD", a.key);
		first = FALSE;
	}
	g_hash_table_destroy(seen);
}

/* Several TDs are told apart by name; the machine is described once, with the first. */
static void check_several(struct parse *p, const struct section *sec)
{
	struct scn_td *td = g_ptr_array_index(p->c->tds, p->c->tds->len - 1);
	struct scn_td *first = g_ptr_array_index(p->c->tds, 0), *other;
	unsigned int i;

	if (!*td->name || !*first->name)
		parse_error(p, &sec->word, "td NAME k=v...", "several TDs want names");
	if (p->c->tds->len > SCN_MAX_TDS)
		parse_error(p, &sec->word, NULL, "at most %u TDs", SCN_MAX_TDS);
	for (i = 0; i + 1 < p->c->tds->len; i++) {
		other = g_ptr_array_index(p->c->tds, i);
		if (*td->name && !strcmp(other->name, td->name))
			parse_error(p, &sec->word, NULL, "a second TD %s", td->name);
	}
}

/* sec NULL: a TD of defaults. */
void parse_td(struct parse *p, const struct section *sec)
{
	struct scn_td *td = pool_node(p->pool, struct scn_td);
	GPtrArray *items = sec ? section_items(p, sec) : NULL;
	unsigned int i;
	struct text line;

	td->name = "";
	td->state = SCN_TD_STATE_RUNNABLE;
	td->vcpus = 1;
	td->packages = 1;
	td->memory = 4u << 20;
	td->levels = 4;
	td->max_level = SCN_LEVEL_4K;
	g_ptr_array_add(p->c->tds, td);
	if (!sec)
		return;
	td->loc = text_loc(p, &sec->word);
	for (i = 0; i < items->len; i++) {
		struct text *item = g_ptr_array_index(items, i);

		if (text_expand(p, item, &line))
			td_line(p, td, &line);
	}
	if (p->lps_given && p->c->tds->len == 1 && td->packages > td->lps)
		parse_error(p, &sec->word, NULL, "packages=%u want as many lps", td->packages);
	if (p->c->tds->len > 1)
		check_several(p, sec);
}

/* --- variant, policy, limit --- */

/* All items of a section with k=v or words, one after the other. */
typedef void (*attr_fn)(struct parse *p, const struct attr *a);

static void each_attr(struct parse *p, const struct section *sec, attr_fn fn)
{
	GPtrArray *items = section_items(p, sec);
	struct text rest;
	struct attr a;
	unsigned int i;

	for (i = 0; i < items->len; i++) {
		if (!text_expand(p, g_ptr_array_index(items, i), &rest))
			continue;
		while (next_attr(p, &rest, &a))
			fn(p, &a);
	}
	if (!items->len)
		parse_error(p, &sec->word, NULL, "%s says nothing", section_name(sec->kind));
}

static void variant_attr(struct parse *p, const struct attr *a)
{
	static const char *const keys[] = { "kvm", "tdx", NULL };
	struct scn_variant *v = &p->c->variant;
	const char **slot;

	if (!a->key) {
		attr_vocab(p, &a->whole, SCN_VOCAB_SWITCH, NULL, "switch of a variant", a->word);
		g_ptr_array_add(v->switches, (void *)a->word);
	} else if (!g_strv_contains(keys, a->key)) {
		parse_error(p, &a->whole, hint_nearest(p, a->key, keys),
			    "kvm=, tdx= or a switch expected");
	} else {
		slot = !strcmp(a->key, "kvm") ? &v->kvm : &v->tdx;
		attr_vocab(p, &a->whole, slot == &v->kvm ? SCN_VOCAB_KVM : SCN_VOCAB_TDX, NULL,
			   slot == &v->kvm ? "version of KVM" : "version of the TDX module",
			   a->word);
		if (*slot)
			parse_error(p, &a->whole, NULL, "%s= is given twice", a->key);
		*slot = a->word;
	}
	v->text = *v->text ? pool_join(p->pool, v->text, " ", text_str(p, &a->whole)) :
		  text_str(p, &a->whole);
}

void parse_variant(struct parse *p, const struct section *sec)
{
	p->c->variant.loc = text_loc(p, &sec->word);
	each_attr(p, sec, variant_attr);
}

static void policy_attr(struct parse *p, const struct attr *a)
{
	struct scn_policy_ref *policy = &p->c->policy;
	struct scn_keyval kv = { .key = a->key };
	struct lex lx;

	if (!policy->name) {
		if (a->key) {
			parse_error(p, &a->whole, "policy NAME [k=v...]",
				    "the name of a policy expected");
			policy->name = "";
			return;
		}
		attr_vocab(p, &a->whole, SCN_VOCAB_POLICY, NULL, "policy", a->word);
		policy->name = a->word;
		return;
	}
	if (!a->key) {
		parse_error(p, &a->whole, "policy NAME [k=v...]", "k=v expected");
		return;
	}
	attr_vocab(p, &a->whole, SCN_VOCAB_POLICY_KEY, policy->name, "parameter of the policy",
		   a->key);
	kv.loc = kv.value.loc = text_loc(p, &a->whole);
	lex_init(&lx, p, &a->value);
	lx.quiet = TRUE;
	kv.value.num = lex_number(&lx, "a number");
	lex_end(&lx);
	if (lx.failed)
		kv.value.word = a->word;
	g_array_append_val(policy->args, kv);
}

void parse_policy(struct parse *p, const struct section *sec)
{
	p->c->policy.loc = text_loc(p, &sec->word);
	each_attr(p, sec, policy_attr);
}

static void limit_progress(struct parse *p, const struct attr *a)
{
	static const char *const words[] = { "sept", "guest", "host", NULL };
	char **names = g_strsplit(a->word, ",", -1);
	unsigned int i, k;

	p->c->limit.progress = 0;
	for (i = 0; names[i]; i++) {
		for (k = 0; words[k] && strcmp(words[k], names[i]); k++)
			;
		if (words[k])
			p->c->limit.progress |= 1u << k;
		else
			parse_error(p, &a->whole, hint_nearest(p, names[i], words),
				    "progress= is sept, guest, host or several with commas");
	}
	g_strfreev(names);
}

static void limit_memory(struct parse *p, const struct attr *a)
{
	p->c->limit.tso = !strcmp(a->word, "tso");
	if (!p->c->limit.tso && strcmp(a->word, "sc"))
		parse_error(p, &a->whole, NULL, "memory= is sc or tso");
}

static void limit_attr(struct parse *p, const struct attr *a)
{
	static const char *const keys[] = { "steps", "cycles", "progress", "memory", NULL };
	const char *key = a->key ? a->key : a->word;

	if (!a->key || !g_strv_contains(keys, key))
		parse_error(p, &a->whole, hint_nearest(p, key, keys),
			    "steps=, cycles=, progress= or memory= expected");
	else if (!strcmp(key, "steps"))
		p->c->limit.steps = attr_number(p, a, 1, G_MAXINT64);
	else if (!strcmp(key, "cycles"))
		p->c->limit.cycles = attr_number(p, a, 1, G_MAXINT64);
	else if (!strcmp(key, "memory"))
		limit_memory(p, a);
	else
		limit_progress(p, a);
}

void parse_limit(struct parse *p, const struct section *sec)
{
	p->c->limit.loc = text_loc(p, &sec->word);
	each_attr(p, sec, limit_attr);
}
