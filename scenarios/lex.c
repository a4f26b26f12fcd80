// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tokens, numbers and ranges of one line. After the first error of a line its lexer is
 * failed: everything then returns at once and says nothing more. Rests on parse.h and
 * docs/language.md, "Numbers".
 */
#include <stdarg.h>
#include <string.h>

#include "scenarios/parse.h"

#define DEPTH_MAX 64u

void lex_init(struct lex *lx, struct parse *p, const struct text *t)
{
	memset(lx, 0, sizeof(*lx));
	lx->p = p;
	lx->t = *t;
	lex_next(lx);
}

struct scn_loc lex_loc(const struct lex *lx)
{
	struct text at = text_slice(&lx->t, lx->tok.from, lx->tok.to);

	return text_loc(lx->p, &at);
}

/* From byte `from` to the end of the token before the next one. */
static struct text text_from(const struct lex *lx, unsigned int from)
{
	struct text t = text_slice(&lx->t, MIN(from, lx->tok.from), lx->tok.from);

	return text_trim(t);
}

struct scn_loc lex_loc_from(const struct lex *lx, unsigned int from)
{
	struct text t = text_from(lx, from);

	return text_loc(lx->p, &t);
}

const char *lex_text_from(const struct lex *lx, unsigned int from)
{
	struct text t = text_from(lx, from);

	return text_tidy(lx->p, &t);
}

void lex_error(struct lex *lx, const char *hint, const char *fmt, ...)
{
	struct scn_loc loc = lex_loc(lx);
	va_list ap;
	char *msg;

	if (!lx->failed && !lx->quiet) {
		va_start(ap, fmt);
		msg = g_strdup_vprintf(fmt, ap);
		va_end(ap);
		diag_error(lx->p->diag, &loc, hint, "%s", msg);
		g_free(msg);
	}
	lx->failed = TRUE;
}

static gboolean word_start(char c)
{
	return g_ascii_isalpha(c) || c == '_';
}

/* Words hold dashes (no-freeze) and dots (TDH.MEM.TRACK, v7.2), never two dots. */
static unsigned int word_length(const char *s, unsigned int len)
{
	unsigned int n = 0;

	while (n < len) {
		gboolean inside = g_ascii_isalnum(s[n]) || s[n] == '_' || s[n] == '-';
		gboolean dot = s[n] == '.' && n + 1 < len && g_ascii_isalnum(s[n + 1]);

		if (!inside && !dot)
			break;
		n++;
	}
	return n;
}

static guint64 suffix_shift(char c)
{
	switch (c) {
	case 'K':
		return 10;
	case 'M':
		return 20;
	case 'G':
		return 30;
	case 'T':
		return 40;
	default:
		return 0;
	}
}

/* Digits from tok.from on: decimal or 0x, then K M G T. */
static void scan_number(struct lex *lx)
{
	const char *s = lx->t.s;
	unsigned int at = lx->tok.from, len = lx->t.len, base = 10, digits = 0, shift = 0;
	guint64 num = 0;
	gboolean fits = TRUE;

	if (at + 1 < len && s[at] == '0' && s[at + 1] == 'x') {
		base = 16;
		at += 2;
	}
	for (; at < len; at++, digits++) {
		int d = base == 16 ? g_ascii_xdigit_value(s[at]) : g_ascii_digit_value(s[at]);

		if (d < 0)
			break;
		fits = fits && num <= (G_MAXUINT64 - d) / base;
		num = num * base + d;
	}
	if (at < len && base == 10 && suffix_shift(s[at])) {
		shift = suffix_shift(s[at++]);
		fits = fits && num <= G_MAXUINT64 >> shift;
		num <<= shift;
	}
	lx->tok.kind = TOK_NUM;
	lx->tok.num = num;
	lx->tok.to = at;
	if (digits && (at == len || (!word_start(s[at]) && !g_ascii_isdigit(s[at])))) {
		if (!fits)
			lex_error(lx, NULL, "the number needs more than 64 bits");
		return;
	}
	lx->tok.to = at + word_length(s + at, len - at);
	lex_error(lx, "decimal or 0x, and K M G or T after a decimal one", "not a number");
}

static void scan_punct(struct lex *lx)
{
	static const struct {
		char text[3];
		int code;
	} pairs[] = { { "..", P_DOTS }, { "==", P_EQ }, { "!=", P_NE }, { "<=", P_LE },
		      { ">=", P_GE } };
	const char *s = lx->t.s + lx->tok.from;
	unsigned int i, left = lx->t.len - lx->tok.from, n = 1;

	lx->tok.kind = TOK_PUNCT;
	lx->tok.punct = (unsigned char)s[0];
	for (i = 0; i < G_N_ELEMENTS(pairs) && left >= 2; i++) {
		if (!memcmp(s, pairs[i].text, 2)) {
			lx->tok.punct = pairs[i].code;
			n = 2;
		}
	}
	/* One character is one column, however many bytes it has. */
	while (n < left && ((unsigned char)s[n] & 0xc0) == 0x80)
		n++;
	lx->tok.to = lx->tok.from + n;
	if (!strchr("+-*/()[],|@.:=<>", lx->tok.punct < 0x100 ? lx->tok.punct : '+'))
		lex_error(lx, NULL, "a stray character");
}

void lex_next(struct lex *lx)
{
	unsigned int at = lx->tok.to, start = at;
	const struct text *t = &lx->t;

	while (at < t->len && g_ascii_isspace(t->s[at]))
		at++;
	memset(&lx->tok, 0, sizeof(lx->tok));
	lx->tok.from = lx->tok.to = at;
	lx->tok.blank_before = at > start || !at;
	if (at == t->len) {
		lx->tok.kind = TOK_END;
	} else if (g_ascii_isdigit(t->s[at])) {
		scan_number(lx);
	} else if (word_start(t->s[at])) {
		lx->tok.kind = TOK_WORD;
		lx->tok.to = at + word_length(t->s + at, t->len - at);
	} else {
		scan_punct(lx);
	}
	at = lx->tok.to;
	lx->tok.blank_after = at == t->len || g_ascii_isspace(t->s[at]);
	lx->tok.word = pool_strn(lx->p->pool, t->s + lx->tok.from, lx->tok.to - lx->tok.from);
	if (lx->failed)
		lx->tok.kind = TOK_END;
}

gboolean lex_is_word(const struct lex *lx, const char *word)
{
	return lx->tok.kind == TOK_WORD && !strcmp(lx->tok.word, word);
}

gboolean lex_is(const struct lex *lx, int punct)
{
	return lx->tok.kind == TOK_PUNCT && lx->tok.punct == punct;
}

gboolean lex_take(struct lex *lx, int punct)
{
	gboolean is = lex_is(lx, punct);

	if (is)
		lex_next(lx);
	return is;
}

gboolean lex_take_word(struct lex *lx, const char *word)
{
	gboolean is = lex_is_word(lx, word);

	if (is)
		lex_next(lx);
	return is;
}

void lex_want(struct lex *lx, int punct, const char *what)
{
	if (!lex_take(lx, punct))
		lex_error(lx, NULL, "%s expected", what);
}

void lex_end(struct lex *lx)
{
	if (lx->tok.kind != TOK_END)
		lex_error(lx, NULL, "%s is too much here", lx->tok.word);
}

gboolean lex_at_dots(const struct lex *lx)
{
	return lex_is(lx, P_DOTS) && lx->tok.blank_before && lx->tok.blank_after;
}

const char *lex_word(struct lex *lx, const char *what)
{
	const char *word = lx->tok.word;

	if (lx->tok.kind != TOK_WORD) {
		lex_error(lx, NULL, "%s expected", what);
		return "";
	}
	lex_next(lx);
	return word;
}

/* --- numbers --- */

static guint64 sum(struct lex *lx);

static guint64 primary(struct lex *lx, const char *what)
{
	guint64 num = lx->tok.num;

	if (lx->tok.kind == TOK_NUM) {
		lex_next(lx);
		return num;
	}
	if (!lex_is(lx, '(')) {
		lex_error(lx, NULL, "%s expected", what);
		return 0;
	}
	if (++lx->depth > DEPTH_MAX)
		lex_error(lx, NULL, "too many parentheses");
	lex_next(lx);
	num = lx->failed ? 0 : sum(lx);
	lx->depth--;
	lex_want(lx, ')', ")");
	return num;
}

static guint64 term(struct lex *lx, const char *what)
{
	guint64 num = primary(lx, what), by;

	while (!lx->failed && (lex_is(lx, '*') || lex_is(lx, '/'))) {
		struct tok op = lx->tok;

		lex_next(lx);
		by = primary(lx, "a number");
		if (lx->failed)
			break;
		if (op.punct == '/' ? !by : by && num > G_MAXUINT64 / by) {
			lx->tok = op;
			lex_error(lx, NULL, by ? "the product needs more than 64 bits" :
				  "division by zero");
			break;
		}
		num = op.punct == '/' ? num / by : num * by;
	}
	return num;
}

static guint64 sum_from(struct lex *lx, guint64 num)
{
	guint64 by;

	while (!lx->failed && (lex_is(lx, '+') || lex_is(lx, '-'))) {
		struct tok op = lx->tok;

		lex_next(lx);
		by = term(lx, "a number");
		if (lx->failed)
			break;
		if (op.punct == '-' ? by > num : num > G_MAXUINT64 - by) {
			lx->tok = op;
			lex_error(lx, NULL, op.punct == '-' ? "the difference is negative" :
				  "the sum needs more than 64 bits");
			break;
		}
		num = op.punct == '-' ? num - by : num + by;
	}
	return num;
}

static guint64 sum(struct lex *lx)
{
	return sum_from(lx, term(lx, "a number"));
}

guint64 lex_number(struct lex *lx, const char *what)
{
	return lx->failed ? 0 : sum_from(lx, term(lx, what));
}

guint64 lex_gfn(struct lex *lx)
{
	struct tok start = lx->tok;
	guint64 gfn = lex_number(lx, "a gfn");

	if (!lx->failed && gfn >= SCN_MAX_GFN) {
		lx->tok = start;
		lex_error(lx, "a gfn is an address / 4096", "no gfn has more than 40 bits");
	}
	return gfn;
}

/* A, A..B or A+N. Sums need parentheses here: A+N is a range. */
void lex_range(struct lex *lx, struct scn_gfn_range *range)
{
	struct tok start = lx->tok;
	unsigned int from = start.from;

	memset(range, 0, sizeof(*range));
	if (lx->failed)
		return;
	range->start = term(lx, "a gfn or a range");
	range->end = range->start + 1;
	if (lex_is(lx, P_DOTS) && !lex_at_dots(lx)) {
		if (lx->tok.blank_before || lx->tok.blank_after)
			lex_error(lx, "A..B is a range; ` .. ` stands before a condition",
				  "a range has no blanks round `..`, a condition has them");
		lex_next(lx);
		range->end = term(lx, "the end of the range");
	} else if (lex_take(lx, '+')) {
		range->end = range->start + term(lx, "the length of the range");
	}
	if (lex_is(lx, '+') || lex_is(lx, '-'))
		lex_error(lx, "A+N is a range here: (A+B)..C, A+(N-1)",
			  "arithmetic wants parentheses where a range can stand");
	range->loc = lex_loc_from(lx, from);
	if (lx->failed || (range->start < range->end && range->end <= SCN_MAX_GFN))
		return;
	lx->tok = start;
	lex_error(lx, "A..B ends before B; a gfn has at most 40 bits", "the range is empty or too large");
}

gboolean lex_cmp(struct lex *lx, enum scn_cmp_op *op)
{
	static const int puncts[] = {
		[SCN_CMP_EQ] = P_EQ, [SCN_CMP_NE] = P_NE, [SCN_CMP_LT] = '<',
		[SCN_CMP_LE] = P_LE, [SCN_CMP_GT] = '>', [SCN_CMP_GE] = P_GE,
	};
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(puncts); i++) {
		if (lex_take(lx, puncts[i])) {
			*op = i;
			return TRUE;
		}
	}
	return FALSE;
}

/* --- words --- */

/* Words of a table as a list for hints: "stop, retry or convert". */
static const char *choice_list(struct parse *p, const struct scn_word_value *words)
{
	GString *s = g_string_new(NULL);
	const char *list;
	unsigned int i;

	for (i = 0; words[i].name; i++)
		g_string_append_printf(s, "%s%s", !i ? "" : words[i + 1].name ? ", " : " or ",
				       words[i].name);
	list = pool_str(p->pool, s->str);
	g_string_free(s, TRUE);
	return list;
}

int lex_choice(struct lex *lx, const char *what, const struct scn_word_value *words)
{
	unsigned int i;

	for (i = 0; words[i].name; i++) {
		/* 4 and 4K are tokens of another kind, but words here. */
		if (lx->tok.kind == TOK_END || strcmp(words[i].name, lx->tok.word))
			continue;
		if (!words[i].supported)
			lex_error(lx, NULL, "%s %s is not supported yet", what, words[i].name);
		lex_next(lx);
		return words[i].value;
	}
	lex_error(lx, choice_list(lx->p, words), "%s expected", what);
	return words[0].value;
}

int lex_level(struct lex *lx)
{
	int level = lx->tok.kind == TOK_NUM ? scn_level_find(lx->tok.word) : SCN_LEVEL_NONE;

	if (level != SCN_LEVEL_NONE)
		lex_next(lx);
	return level;
}

int numbered(const char *word, const char *prefix)
{
	size_t n = strlen(prefix);
	const char *c;
	int num = 0;

	if (strncmp(word, prefix, n) || !word[n] || (word[n] == '0' && word[n + 1]))
		return -1;
	for (c = word + n; *c; c++) {
		if (!g_ascii_isdigit(*c) || num > 99999)
			return -1;
		num = num * 10 + (*c - '0');
	}
	return num;
}

const char *lex_vocab(struct lex *lx, enum scn_vocab_kind kind, const char *scope,
		      const char *what)
{
	const char *word = lx->tok.word;
	const char *const *list;

	if (lx->tok.kind != TOK_WORD) {
		lex_error(lx, NULL, "%s expected", what);
		return "";
	}
	if (!lx->failed && !vocab_has(lx->p, kind, scope, word)) {
		list = lx->p->vocab->list(kind, scope);
		lex_error(lx, hint_nearest(lx->p, word, list), "%s is no %s", word, what);
	}
	lex_next(lx);
	return word;
}
