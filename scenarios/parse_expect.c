// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a case expects and tolerates. Rests on docs/language.md, "Expect".
 */
#include <string.h>

#include "scenarios/parse.h"

/* The checks of the model, or those of the language where there is no vocabulary. */
static const char *const *word_list(struct parse *p, enum scn_vocab_kind kind)
{
	const char *const *list = NULL;

	if (p->vocab && p->vocab->list)
		list = p->vocab->list(kind, NULL);
	if (list)
		return list;
	return kind == SCN_VOCAB_CHECK ? scn_check_words : scn_observation_words;
}

static const char *lex_check(struct lex *lx)
{
	const char *const *list = word_list(lx->p, SCN_VOCAB_CHECK);
	const char *word = lx->tok.word;

	if (lx->tok.kind != TOK_WORD)
		lex_error(lx, "septsim list checks", "the id of a check expected");
	else if (!g_strv_contains(list, word) && !g_strv_contains(scn_observation_words, word))
		lex_error(lx, hint_nearest(lx->p, word, list), "no check %s", word);
	lex_next(lx);
	return word;
}

/* The bound of `OP N`. */
static gboolean lex_bound(struct lex *lx, struct scn_expect *e)
{
	if (!lex_cmp(lx, &e->cmp))
		return FALSE;
	e->num = lex_number(lx, "a number");
	return TRUE;
}

/* [ACTOR:] observation or condition */
static void parse_event(struct lex *lx, struct scn_event *ev)
{
	const char *const *list = word_list(lx->p, SCN_VOCAB_OBSERVATION);
	unsigned int from = lx->tok.from;
	struct lex ahead = *lx;

	ev->actor.index = ev->actor.vcpu = -1;
	ahead.quiet = TRUE;
	lex_next(&ahead);
	if (lx->tok.kind == TOK_WORD && lex_is(&ahead, ':')) {
		parse_actor(lx, &ev->actor);
		lex_take(lx, ':');
	}
	if (lx->tok.kind == TOK_WORD && g_strv_contains(list, lx->tok.word)) {
		ev->observation = lx->tok.word;
		lex_next(lx);
	} else {
		if (lx->tok.kind == TOK_WORD && strchr(lx->tok.word, '-') &&
		    diag_nearest(lx->tok.word, list))
			lex_error(lx, hint_nearest(lx->p, lx->tok.word, list), "no event %s",
				  lx->tok.word);
		ev->cond = parse_cond(lx);
		if (ev->cond->before && !lx->failed)
			lex_error(lx, "seen A before B", "before needs two events");
	}
	if (!lx->failed)
		ev->loc = lex_loc_from(lx, from);
}

static void expect_seen(struct lex *lx, struct scn_expect *e)
{
	parse_event(lx, &e->a);
	if (e->kind == SCN_EXPECT_SEEN && lex_take_word(lx, "before")) {
		e->kind = SCN_EXPECT_SEEN_BEFORE;
		parse_event(lx, &e->b);
		return;
	}
	e->counted = lex_bound(lx, e);
}

static void expect_final(struct lex *lx, struct scn_expect *e)
{
	parse_region(lx, &e->region);
	e->cmp = lex_is(lx, P_NE) ? SCN_CMP_NE : SCN_CMP_EQ;
	if (!lex_take(lx, P_NE))
		lex_want(lx, '=', "=");
	parse_value(lx, &e->region, &e->value);
}

static void expect_violation(struct lex *lx, struct scn_expect *e)
{
	e->check = lex_check(lx);
}

/* explore proved|bounded|sampled ok, explore violation ID [within N executions] */
static void expect_explore(struct lex *lx, struct scn_expect *e)
{
	static const struct scn_word_value words[] = {
		{ "proved", SCN_EXPLORE_PROVED, TRUE },
		{ "bounded", SCN_EXPLORE_BOUNDED, TRUE },
		{ "sampled", SCN_EXPLORE_SAMPLED, TRUE },
		{ "violation", SCN_EXPLORE_VIOLATION, TRUE },
		{ NULL }
	};

	e->explore = lex_choice(lx, "what explore says", words);
	if (e->explore == SCN_EXPLORE_VIOLATION) {
		e->check = lex_check(lx);
		if (lex_take_word(lx, "within")) {
			e->within = lex_number(lx, "a number");
			if (!lex_take_word(lx, "executions"))
				lex_error(lx, NULL, "within N executions");
		}
	} else if (!lex_take_word(lx, "ok")) {
		lex_error(lx, NULL, "ok expected");
	}
}

/* COUNTER [of X] OP N */
static void expect_counter(struct lex *lx, struct scn_expect *e)
{
	int actor;

	e->counter = lex_word(lx, "a counter");
	e->of_actor = -1;
	if (lex_take_word(lx, "of")) {
		actor = lx->tok.kind == TOK_WORD ? cast_find(lx->p, lx->tok.word) : -1;
		e->of = lx->tok.word;
		if (actor >= 0) {
			e->of_kind = SCN_OF_ACTOR;
			e->of_actor = actor;
			lex_next(lx);
		} else if (lx->tok.kind == TOK_WORD && scn_lock_word_find(lx->tok.word)) {
			e->of_kind = SCN_OF_LOCK;
			lex_next(lx);
		} else if (g_str_has_prefix(lx->tok.word, "TD")) {
			e->of_kind = SCN_OF_LEAF;
			e->of = parse_leaf(lx, FALSE);
		} else {
			lex_error(lx, NULL, "an actor, a leaf or a lock expected");
		}
	}
	if (!lex_bound(lx, e))
		lex_error(lx, "== != < <= > >= and a number", "a bound expected");
}

/* pieces: so many words of the line are read, the rest is free text ([where], [TEXT]);
 * 0: all are read. */
static const struct expect_word {
	const char *name;
	enum scn_expect_kind kind;
	gboolean supported;
	unsigned int pieces;
	void (*args)(struct lex *lx, struct scn_expect *e);
} expect_words[] = {
	{ "ok", SCN_EXPECT_OK, TRUE, 0, NULL },
	{ "violation", SCN_EXPECT_VIOLATION, TRUE, 2, expect_violation },
	{ "unreachable", SCN_EXPECT_UNREACHABLE, TRUE, 1, NULL },
	{ "deadlock", SCN_EXPECT_DEADLOCK, TRUE, 1, NULL },
	{ "livelock", SCN_EXPECT_LIVELOCK, TRUE, 1, NULL },
	{ "starvation", SCN_EXPECT_STARVATION, TRUE, 1, NULL },
	{ "seen", SCN_EXPECT_SEEN, TRUE, 0, expect_seen },
	{ "never", SCN_EXPECT_NEVER, TRUE, 0, expect_seen },
	{ "final", SCN_EXPECT_FINAL, TRUE, 0, expect_final },
	{ "explore", SCN_EXPECT_EXPLORE, TRUE, 0, expect_explore },
	{ NULL }
};

static const char *expect_hint(struct parse *p, const char *word)
{
	const char *names[G_N_ELEMENTS(expect_words) + 16] = { NULL };
	const char *hint;
	unsigned int n = 0, i;

	for (i = 0; expect_words[i].name; i++)
		names[n++] = expect_words[i].name;
	for (i = 0; scn_counter_words[i] && n + 1 < G_N_ELEMENTS(names); i++)
		names[n++] = scn_counter_words[i];
	hint = hint_nearest(p, word, names);
	return hint ? hint : "ok, violation, unreachable, deadlock, livelock, starvation, seen, "
			     "never, final or a counter";
}

/* The expectation that the line's first word names, or NULL. */
static const struct expect_word *expect_find(struct text t)
{
	const struct expect_word *w;
	struct text first;

	text_piece(&t, &first);
	for (w = expect_words; w->name; w++) {
		if (text_is(&first, w->name))
			return w;
	}
	return NULL;
}

/* Cut t after its first n words; the rest as text, or NULL. */
static const char *cut_pieces(struct parse *p, struct text *t, unsigned int n)
{
	struct text rest = *t, piece;

	if (!n)
		return NULL;
	while (n--)
		text_piece(&rest, &piece);
	*t = text_slice(t, 0, rest.s - t->s);
	rest = text_trim(rest);
	return rest.len ? text_tidy(p, &rest) : NULL;
}

static void expect_line(struct parse *p, struct text *t, void *data)
{
	struct scn_expect *e = pool_node(p->pool, struct scn_expect);
	const struct expect_word *w = expect_find(*t);
	struct text line = *t;
	struct lex lx;

	e->loc = text_loc(p, t);
	e->text = text_tidy(p, t);
	e->a.actor.index = e->b.actor.index = e->of_actor = -1;
	if (w)
		e->where = cut_pieces(p, &line, w->pieces);
	lex_init(&lx, p, &line);
	if (w) {
		e->kind = w->kind;
		if (!w->supported)
			lex_error(&lx, NULL, "expect %s is not supported yet", w->name);
		lex_next(&lx);
		if (w->args)
			w->args(&lx, e);
	} else if (lx.tok.kind == TOK_WORD && g_strv_contains(scn_counter_words, lx.tok.word)) {
		e->kind = SCN_EXPECT_COUNTER;
		expect_counter(&lx, e);
	} else {
		lex_error(&lx, expect_hint(p, lx.tok.word), "no expectation %s", lx.tok.word);
	}
	lex_end(&lx);
	if (!lx.failed)
		g_ptr_array_add(p->c->expects, e);
}

void parse_expects(struct parse *p, const struct section *sec)
{
	GPtrArray *items = section_items(p, sec);
	unsigned int i;

	for (i = 0; i < items->len; i++)
		text_each(p, g_ptr_array_index(items, i), expect_line, NULL);
	if (!items->len)
		parse_error(p, &sec->word, NULL, "expect says nothing");
}

static void tolerate_line(struct parse *p, struct text *t, void *data)
{
	const char *id;
	struct lex lx;

	lex_init(&lx, p, t);
	while (lx.tok.kind != TOK_END) {
		id = lex_check(&lx);
		if (!lx.failed)
			g_ptr_array_add(p->c->tolerate, (void *)id);
	}
}

void parse_tolerate(struct parse *p, const struct section *sec)
{
	GPtrArray *items = section_items(p, sec);
	unsigned int i;

	for (i = 0; i < items->len; i++)
		text_each(p, g_ptr_array_index(items, i), tolerate_line, NULL);
}

static void forbid_line(struct parse *p, struct text *t, void *data)
{
	struct lex lx;

	lex_init(&lx, p, t);
	while (lx.tok.kind != TOK_END && !lx.failed) {
		const char *word = lx.tok.kind == TOK_WORD ? lx.tok.word : "";
		const char *const *w = scn_observation_words;

		while (*w && strcmp(*w, word))
			w++;
		if (*w)
			g_ptr_array_add(p->c->forbid, (void *)*w);
		else
			lex_error(&lx, "hp-lost, hp-leaked, zero-step-armed or kick-idle",
				  "an observation expected");
		lex_next(&lx);
	}
}

/* Observations that break a rule in this case. */
void parse_forbid(struct parse *p, const struct section *sec)
{
	GPtrArray *items = section_items(p, sec);
	unsigned int i;

	for (i = 0; i < items->len; i++)
		text_each(p, g_ptr_array_index(items, i), forbid_line, NULL);
}
