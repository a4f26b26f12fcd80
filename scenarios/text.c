// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stretches of a line that remember the column of each byte, so that an error points
 * at what the user wrote even after parameters were replaced. Rests on parse.h.
 */
#include <stdarg.h>
#include <string.h>

#include "scenarios/parse.h"

struct scn_loc text_loc(const struct parse *p, const struct text *t)
{
	struct scn_loc loc = {
		.file = p->file,
		.line = t->line,
		.col = t->cols[0],
		.end = t->len ? t->cols[t->len - 1] + 1 : t->cols[0] + 1,
	};

	return loc;
}

struct text text_slice(const struct text *t, unsigned int from, unsigned int to)
{
	struct text part = *t;

	g_assert(from <= to && to <= t->len);
	part.s += from;
	part.cols += from;
	part.len = to - from;
	return part;
}

struct text text_trim(struct text t)
{
	unsigned int from = 0, to = t.len;

	while (to > 0 && g_ascii_isspace(t.s[to - 1]))
		to--;
	while (from < to && g_ascii_isspace(t.s[from]))
		from++;
	return text_slice(&t, from, to);
}

const char *text_str(struct parse *p, const struct text *t)
{
	return pool_strn(p->pool, t->s, t->len);
}

const char *text_tidy(struct parse *p, const struct text *t)
{
	struct text rest = *t, piece;
	GString *s = g_string_new(NULL);
	const char *tidy;

	while (text_piece(&rest, &piece)) {
		if (s->len)
			g_string_append_c(s, ' ');
		g_string_append_len(s, piece.s, piece.len);
	}
	tidy = pool_strn(p->pool, s->str, s->len);
	g_string_free(s, TRUE);
	return tidy;
}

gboolean text_is(const struct text *t, const char *word)
{
	return strlen(word) == t->len && !memcmp(t->s, word, t->len);
}

gboolean text_piece(struct text *t, struct text *piece)
{
	unsigned int to = 0;

	*t = text_trim(*t);
	while (to < t->len && !g_ascii_isspace(t->s[to]))
		to++;
	*piece = text_slice(t, 0, to);
	*t = text_slice(t, to, t->len);
	return to > 0;
}

void parse_error(struct parse *p, const struct text *t, const char *hint, const char *fmt, ...)
{
	struct scn_loc loc = text_loc(p, t);
	va_list ap;
	char *msg;

	va_start(ap, fmt);
	msg = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	diag_error(p->diag, &loc, hint, "%s", msg);
	g_free(msg);
}

const char *hint_nearest(struct parse *p, const char *word, const char *const *list)
{
	const char *near = diag_nearest(word, list);
	const char *hint;
	char *s;

	if (!near)
		return NULL;
	s = g_strdup_printf("did you mean %s?", near);
	hint = pool_str(p->pool, s);
	g_free(s);
	return hint;
}

gboolean vocab_has(struct parse *p, enum scn_vocab_kind kind, const char *scope,
		   const char *word)
{
	const char *const *list = NULL;

	if (p->vocab && p->vocab->list)
		list = p->vocab->list(kind, scope);
	return !list || g_strv_contains(list, word);
}
