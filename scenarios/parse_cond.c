// SPDX-License-Identifier: GPL-2.0-only
/*
 * What names a thing of the model: regions, values, locks, leaves, statuses, actors; and
 * the conditions made of them. Rests on docs/language.md, "Conditions".
 */
#include <string.h>

#include "scenarios/parse.h"

/* Names come as the module's headers spell them too. */
static const char *without(const char *word, const char *prefix)
{
	size_t n = strlen(prefix);

	return !strncmp(word, prefix, n) && word[n] ? word + n : word;
}

/* The most vCPUs that a TD has */
static unsigned int most_vcpus(const struct parse *p)
{
	unsigned int i, n = 0;

	for (i = 0; i < p->c->tds->len; i++)
		n = MAX(n, ((struct scn_td *)g_ptr_array_index(p->c->tds, i))->vcpus);
	return n;
}

/* An index or argument: a number, or a vCPU of the TD. */
static void parse_index(struct lex *lx, struct scn_value *v)
{
	unsigned int vcpus = most_vcpus(lx->p);
	unsigned int from = lx->tok.from;
	int n;

	if (lx->tok.kind == TOK_WORD) {
		n = numbered(lx->tok.word, "vCPU");
		if (n < 0)
			lex_error(lx, NULL, "a number or vCPUn expected");
		else if ((unsigned int)n >= vcpus)
			lex_error(lx, NULL, "the TD has vcpus=%u", vcpus);
		v->word = lx->tok.word;
		v->num = MAX(n, 0);
		lex_next(lx);
	} else {
		v->num = lex_number(lx, "a number or vCPUn");
	}
	v->loc = lex_loc_from(lx, from);
}

static void region_brackets(struct lex *lx, struct scn_region_ref *r)
{
	if (lex_take(lx, '[')) {
		r->indexed = TRUE;
		parse_index(lx, &r->index);
		lex_want(lx, ']', "]");
	}
	if (lex_take(lx, '@')) {
		r->level = lex_level(lx);
		if (r->level == SCN_LEVEL_NONE)
			lex_error(lx, "4K 2M 1G 512G 256T", "a level expected");
	}
}

static const char *squeeze(struct parse *p, const char *text)
{
	GString *s = g_string_new(NULL);
	const char *out;

	for (; *text; text++) {
		if (!g_ascii_isspace(*text))
			g_string_append_c(s, *text);
	}
	out = pool_str(p->pool, s->str);
	g_string_free(s, TRUE);
	return out;
}

/* The name of a region without an index swallows its field: TDCS.epoch is one word. */
void parse_region(struct lex *lx, struct scn_region_ref *r)
{
	struct tok start = lx->tok;
	const char *const *list;
	const char *dot, *rest;
	int td;

	memset(r, 0, sizeof(*r));
	if (start.kind != TOK_WORD) {
		lex_error(lx, "such as mirror[0x10] or mmu_lock", "a region expected");
		return;
	}
	td = cast_td(lx->p, start.word, &rest);
	if (lx->p->c->tds->len > 1)
		r->owner = ((struct scn_td *)g_ptr_array_index(lx->p->c->tds, td))->name;
	dot = strchr(rest, '.');
	r->name = dot ? pool_strn(lx->p->pool, rest, dot - rest) : rest;
	if (!vocab_has(lx->p, SCN_VOCAB_REGION, NULL, r->name)) {
		list = lx->p->vocab->list(SCN_VOCAB_REGION, NULL);
		lex_error(lx, hint_nearest(lx->p, r->name, list), "no region %s", r->name);
	}
	if (dot) {
		r->field = dot + 1;
		if (!vocab_has(lx->p, SCN_VOCAB_FIELD, r->name, r->field)) {
			list = lx->p->vocab->list(SCN_VOCAB_FIELD, r->name);
			lex_error(lx, hint_nearest(lx->p, r->field, list), "%s has no field %s",
				  r->name, r->field);
		}
	}
	lex_next(lx);
	region_brackets(lx, r);
	if (lex_is(lx, '.') && !dot) {
		lex_next(lx);
		r->field = lex_vocab(lx, SCN_VOCAB_FIELD, r->name, "field");
	}
	r->loc = lex_loc_from(lx, start.from);
	r->text = squeeze(lx->p, lex_text_from(lx, start.from));
}

void parse_value(struct lex *lx, const struct scn_region_ref *scope, struct scn_value *v)
{
	unsigned int from = lx->tok.from;
	const char *name = NULL;

	memset(v, 0, sizeof(*v));
	if (lx->failed)
		return;
	if (scope && scope->name)
		name = !scope->field ? scope->name :
		       pool_join(lx->p->pool, scope->name, ".", scope->field);
	if (lx->tok.kind == TOK_WORD)
		v->word = lex_vocab(lx, SCN_VOCAB_VALUE, name, "value");
	else
		v->num = lex_number(lx, "a value");
	v->loc = lex_loc_from(lx, from);
}

/* STATUS[|OPERAND] */
void parse_status(struct lex *lx, struct scn_status_ref *s)
{
	unsigned int from = lx->tok.from;

	memset(s, 0, sizeof(*s));
	if (lx->tok.kind == TOK_WORD)
		lx->tok.word = without(lx->tok.word, "TDX_");
	s->status = lex_vocab(lx, SCN_VOCAB_STATUS, NULL, "status");
	if (lex_take(lx, '|')) {
		if (lx->tok.kind == TOK_WORD)
			lx->tok.word = without(lx->tok.word, "OPERAND_ID_");
		s->operand = lex_vocab(lx, SCN_VOCAB_OPERAND, NULL, "operand");
	}
	s->loc = lex_loc_from(lx, from);
}

const char *parse_leaf(struct lex *lx, gboolean seam)
{
	if (seam && lx->tok.kind == TOK_WORD && strncmp(lx->tok.word, "TD", 2))
		return lex_vocab(lx, SCN_VOCAB_SEAM, NULL, "leaf or seam function");
	return lex_vocab(lx, SCN_VOCAB_LEAF, NULL, "leaf");
}

/* An actor of this case, or a vCPU of the TD without a thread in it. */
void parse_actor(struct lex *lx, struct scn_actor_ref *a)
{
	struct parse *p = lx->p;
	struct tok start = lx->tok;
	struct scn_td *td;
	const char *rest;
	GPtrArray *names;
	unsigned int i;

	memset(a, 0, sizeof(*a));
	a->index = -1;
	a->vcpu = -1;
	a->name = start.word;
	if (start.kind != TOK_WORD) {
		lex_error(lx, NULL, "an actor expected");
		return;
	}
	a->td = cast_td(p, a->name, &rest);
	td = g_ptr_array_index(p->c->tds, a->td);
	a->vcpu = numbered(rest, "vCPU");
	a->index = cast_find(p, a->name);
	if (a->index < 0 && g_hash_table_contains(p->dropped, a->name)) {
		lex_error(lx, NULL, "%s is dropped in this case", a->name);
	} else if (a->vcpu >= (int)td->vcpus) {
		lex_error(lx, NULL, "the TD has vcpus=%u", td->vcpus);
	} else if (a->index < 0 && a->vcpu < 0) {
		names = g_ptr_array_new();
		for (i = 0; i < p->c->actors->len; i++) {
			struct scn_actor *actor = g_ptr_array_index(p->c->actors, i);

			g_ptr_array_add(names, (void *)actor->name);
		}
		g_ptr_array_add(names, NULL);
		lex_error(lx, hint_nearest(p, a->name, (const char *const *)names->pdata),
			  "no actor %s", a->name);
		g_ptr_array_free(names, TRUE);
	}
	lex_next(lx);
	a->loc = lex_loc_from(lx, start.from);
}

/* A lock by name; with its index and size where it has them. No mode or side. */
void parse_lock(struct lex *lx, struct scn_lock_ref *l)
{
	struct tok start = lx->tok;
	struct scn_region_ref *r = &l->region;
	GPtrArray *names;
	const struct scn_lock_word *w;

	memset(l, 0, sizeof(*l));
	if (start.kind != TOK_WORD) {
		lex_error(lx, NULL, "a lock expected");
		return;
	}
	l->word = scn_lock_word_find(start.word);
	if (!l->word) {
		names = g_ptr_array_new();
		for (w = scn_lock_words; w->name; w++)
			g_ptr_array_add(names, (void *)w->name);
		g_ptr_array_add(names, NULL);
		lex_error(lx, hint_nearest(lx->p, start.word, (const char *const *)names->pdata),
			  "no lock %s", start.word);
		g_ptr_array_free(names, TRUE);
		return;
	}
	r->name = l->word->name;
	lex_next(lx);
	region_brackets(lx, r);
	if (l->word->indexed != r->indexed && !lx->failed) {
		lx->tok = start;
		lex_error(lx, NULL, l->word->indexed ? "%s wants an index: %s[...]" :
			  "%s has no index", r->name, r->name);
	}
	if (!l->word->level && r->level != SCN_LEVEL_NONE && !lx->failed) {
		lx->tok = start;
		lex_error(lx, NULL, "%s has no size", r->name);
	}
	r->loc = l->loc = lex_loc_from(lx, start.from);
	r->text = squeeze(lx->p, lex_text_from(lx, start.from));
}

/* lock X [read|write|shared|exclusive|host|guest]: mode and side, either left open. */
static void cond_lock(struct lex *lx, struct scn_cond *c)
{
	static const struct {
		const char *name;
		enum scn_lock_mode mode;
		enum scn_lock_side side;
	} words[] = {
		{ "read", SCN_LOCK_MODE_SHARED, SCN_LOCK_SIDE_ANY },
		{ "write", SCN_LOCK_MODE_EXCLUSIVE, SCN_LOCK_SIDE_ANY },
		{ "shared", SCN_LOCK_MODE_SHARED, SCN_LOCK_SIDE_ANY },
		{ "exclusive", SCN_LOCK_MODE_EXCLUSIVE, SCN_LOCK_SIDE_ANY },
		{ "host", SCN_LOCK_MODE_ANY, SCN_LOCK_SIDE_HOST },
		{ "guest", SCN_LOCK_MODE_ANY, SCN_LOCK_SIDE_GUEST },
	};
	unsigned int i;

	parse_lock(lx, &c->lock);
	for (i = 0; i < G_N_ELEMENTS(words) && !lx->failed; i++) {
		if (!lex_is_word(lx, words[i].name))
			continue;
		if (words[i].mode && c->lock.word->kind != SCN_LOCK_KIND_SHAREX &&
		    c->lock.word->kind != SCN_LOCK_KIND_RWLOCK)
			lex_error(lx, NULL, "%s is not shared or exclusive",
				  c->lock.word->name);
		if (words[i].side == SCN_LOCK_SIDE_GUEST && !c->lock.word->guest)
			lex_error(lx, NULL, "no guest takes %s", c->lock.word->name);
		if (words[i].mode)
			c->lock.mode = words[i].mode;
		if (words[i].side)
			c->lock.side = words[i].side;
		lex_next(lx);
		i = -1;		/* mode and side may both stand, in any order */
	}
}

/* call X[(ARG)], return X[(ARG)] [STATUS[|OPERAND]] */
static void cond_call(struct lex *lx, struct scn_cond *c)
{
	c->leaf = parse_leaf(lx, TRUE);
	if (lex_take(lx, '(')) {
		c->has_arg = TRUE;
		parse_index(lx, &c->arg);
		lex_want(lx, ')', ")");
	}
	if (c->kind == SCN_COND_RETURN && lx->tok.kind == TOK_WORD &&
	    numbered(lx->tok.word, "x") < 0 && strcmp(lx->tok.word, "before"))
		parse_status(lx, &c->status);
}

static void cond_region(struct lex *lx, struct scn_cond *c)
{
	parse_region(lx, &c->region);
	if (lex_take_word(lx, "changes")) {
		c->kind = SCN_COND_CHANGES;
	} else if (lex_is(lx, '=') || lex_is(lx, P_NE)) {
		c->kind = SCN_COND_VALUE;
		c->cmp = lex_is(lx, '=') ? SCN_CMP_EQ : SCN_CMP_NE;
		lex_next(lx);
		parse_value(lx, &c->region, &c->value);
	} else {
		lex_error(lx, "R = V, R != V, R changes", "= or != or changes expected");
	}
}

static const struct cond_word {
	struct scn_word_value w;
	void (*args)(struct lex *lx, struct scn_cond *c);
} cond_words[] = {
	{ { "call", SCN_COND_CALL, TRUE }, cond_call },
	{ { "return", SCN_COND_RETURN, TRUE }, cond_call },
	{ { "lock", SCN_COND_LOCK, TRUE }, cond_lock },
	{ { "unlock", SCN_COND_UNLOCK, TRUE }, cond_lock },
	{ { "busy", SCN_COND_BUSY, TRUE }, cond_lock },
	{ { "blocked", SCN_COND_BLOCKED, TRUE }, NULL },
	{ { "enter", SCN_COND_ENTER, TRUE }, NULL },
	{ { "interrupt", SCN_COND_INTERRUPT, TRUE }, NULL },
	{ { "timeout", SCN_COND_TIMEOUT, TRUE }, NULL },
	{ { "step", SCN_COND_STEP, TRUE }, NULL },
	{ { "end", SCN_COND_END, TRUE }, NULL },
};

static const struct scn_word_value kick_words[] = {
	{ "requested", SCN_COND_KICK_REQUESTED, TRUE },
	{ "sent", SCN_COND_KICK_SENT, TRUE },
	{ "acked", SCN_COND_KICK_ACKED, TRUE },
	{ NULL }
};

static void cond_kind(struct lex *lx, struct scn_cond *c)
{
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(cond_words); i++) {
		if (!lex_take_word(lx, cond_words[i].w.name))
			continue;
		c->kind = cond_words[i].w.value;
		if (cond_words[i].args)
			cond_words[i].args(lx, c);
		return;
	}
	if (lex_take_word(lx, "reads")) {
		c->kind = SCN_COND_READS;
		parse_region(lx, &c->region);
	} else if (lex_take_word(lx, "writes")) {
		c->kind = SCN_COND_WRITES;
		parse_region(lx, &c->region);
	} else if (lex_take_word(lx, "exit")) {
		c->kind = SCN_COND_EXIT;
		c->reason = lex_vocab(lx, SCN_VOCAB_EXIT_REASON, NULL, "exit reason");
	} else if (lex_take_word(lx, "kick")) {
		c->kind = lex_choice(lx, "what of the kick", kick_words);
	} else {
		cond_region(lx, c);
	}
}

/* A bare word that is no condition and no region: say what there is. */
static gboolean cond_unknown(struct lex *lx)
{
	static const char *const words[] = {
		"call", "return", "lock", "unlock", "busy", "blocked", "enter", "exit", "kick",
		"interrupt", "timeout", "step", "end", "reads", "writes", "before", NULL
	};
	const char *word = lx->tok.word;
	const char *hint;

	if (lx->tok.kind != TOK_WORD) {
		lex_error(lx, "such as mirror[0x10] changes, or end", "a condition expected");
		return TRUE;
	}
	if (g_strv_contains(words, word) || strpbrk(word, "."))
		return FALSE;
	hint = hint_nearest(lx->p, word, words);
	if (!hint || vocab_has(lx->p, SCN_VOCAB_REGION, NULL, word))
		return FALSE;
	lex_error(lx, hint, "no condition %s", word);
	return TRUE;
}

struct scn_cond *parse_cond(struct lex *lx)
{
	struct scn_cond *c = pool_node(lx->p->pool, struct scn_cond);
	unsigned int from = lx->tok.from;
	int times;

	c->count = 1;
	c->before = lex_take_word(lx, "before");
	if (cond_unknown(lx))
		return c;
	cond_kind(lx, c);
	times = lx->tok.kind == TOK_WORD ? numbered(lx->tok.word, "x") : -1;
	if (times >= 0) {
		if (!times)
			lex_error(lx, NULL, "the first time is x1");
		c->count = times;
		lex_next(lx);
	}
	if (!lx->failed) {
		c->loc = lex_loc_from(lx, from);
		c->text = lex_text_from(lx, from);
	}
	return c;
}
