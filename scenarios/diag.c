// SPDX-License-Identifier: GPL-2.0-only
/*
 * Located errors: collected, sorted, printed with the line, a caret and a hint.
 * Rests on GLib alone. The form is that of compilers, so that editors can jump to it.
 */
#include "scenarios/diag.h"

#include <stdarg.h>
#include <string.h>

#include "scenarios/ast.h"

/* More than these help nobody; the rest is counted. */
#define DIAG_SHOWN 100

struct source {
	char *file;
	char **lines;
	unsigned int nr_lines;
};

struct message {
	unsigned int source;	/* order of its file */
	char *file;
	unsigned int line;
	unsigned int col;
	unsigned int end;
	unsigned int seq;
	char *text;
	char *hint;
};

struct diag {
	GPtrArray *sources;
	GPtrArray *messages;
	GHashTable *seen;
};

static void source_free(void *p)
{
	struct source *s = p;

	g_free(s->file);
	g_strfreev(s->lines);
	g_free(s);
}

static void message_free(void *p)
{
	struct message *m = p;

	g_free(m->file);
	g_free(m->text);
	g_free(m->hint);
	g_free(m);
}

struct diag *diag_new(void)
{
	struct diag *d = g_new0(struct diag, 1);

	d->sources = g_ptr_array_new_with_free_func(source_free);
	d->messages = g_ptr_array_new_with_free_func(message_free);
	d->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return d;
}

void diag_free(struct diag *d)
{
	if (!d)
		return;
	g_ptr_array_free(d->sources, TRUE);
	g_ptr_array_free(d->messages, TRUE);
	g_hash_table_destroy(d->seen);
	g_free(d);
}

void diag_source(struct diag *d, const char *file, const char *text, gsize len)
{
	struct source *s = g_new0(struct source, 1);
	char *copy = g_strndup(text, len);

	s->file = g_strdup(file);
	s->lines = g_strsplit(copy, "\n", -1);
	s->nr_lines = g_strv_length(s->lines);
	g_ptr_array_add(d->sources, s);
	g_free(copy);
}

static const struct source *source_find(const struct diag *d, const char *file,
					unsigned int *index)
{
	unsigned int i;

	for (i = 0; i < d->sources->len; i++) {
		struct source *s = g_ptr_array_index(d->sources, i);

		if (!strcmp(s->file, file)) {
			*index = i;
			return s;
		}
	}
	*index = d->sources->len;
	return NULL;
}

void diag_error(struct diag *d, const struct scn_loc *loc, const char *hint, const char *fmt, ...)
{
	struct message *m = g_new0(struct message, 1);
	va_list ap;
	char *key;

	va_start(ap, fmt);
	m->text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	if (loc && loc->line) {
		m->file = g_strdup(loc->file);
		m->line = loc->line;
		m->col = MAX(loc->col, 1);
		m->end = MAX(loc->end, m->col + 1);
		source_find(d, m->file, &m->source);
	}
	m->hint = g_strdup(hint);
	m->seq = d->messages->len;

	key = g_strdup_printf("%s:%u:%u:%s", m->file ? m->file : "", m->line, m->col, m->text);
	if (!g_hash_table_add(d->seen, key))
		message_free(m);
	else
		g_ptr_array_add(d->messages, m);
}

unsigned int diag_count(const struct diag *d)
{
	return d->messages->len;
}

static gint message_order(gconstpointer pa, gconstpointer pb)
{
	const struct message *a = *(const struct message *const *)pa;
	const struct message *b = *(const struct message *const *)pb;

	if (a->source != b->source)
		return a->source < b->source ? -1 : 1;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->col != b->col)
		return a->col < b->col ? -1 : 1;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

/* A line of the user's file, safe for a terminal. */
static char *printable(const char *line)
{
	char *s = g_utf8_make_valid(line, -1);
	char *c;

	for (c = s; *c; c++) {
		if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f)
			*c = '?';
	}
	g_strchomp(s);
	return s;
}

/* The line, and under it a caret: tabs stay tabs, so that both lines move alike. */
static void format_excerpt(GString *out, const char *raw, const struct message *m)
{
	char *line = printable(raw);
	glong chars = g_utf8_strlen(line, -1);
	const char *c = line;
	unsigned int col;

	g_string_append_printf(out, "    %s\n    ", line);
	for (col = 1; col < m->col; col++) {
		g_string_append_c(out, *c == '\t' ? '\t' : ' ');
		if (*c)
			c = g_utf8_next_char(c);
	}
	g_string_append_c(out, '^');
	for (col = m->col + 1; col < m->end && col <= chars; col++)
		g_string_append_c(out, '~');
	g_string_append_c(out, '\n');
	g_free(line);
}

static void format_message(const struct diag *d, GString *out, const struct message *m)
{
	const struct source *s;
	unsigned int index;

	if (!m->file) {
		g_string_append_printf(out, "septsim: error: %s\n", m->text);
	} else {
		g_string_append_printf(out, "%s:%u:%u: error: %s\n", m->file, m->line, m->col,
				       m->text);
		s = source_find(d, m->file, &index);
		if (s && m->line <= s->nr_lines)
			format_excerpt(out, s->lines[m->line - 1], m);
	}
	if (m->hint)
		g_string_append_printf(out, "    hint: %s\n", m->hint);
}

static GPtrArray *in_order(const struct diag *d)
{
	GPtrArray *sorted = g_ptr_array_sized_new(d->messages->len);
	unsigned int i;

	for (i = 0; i < d->messages->len; i++)
		g_ptr_array_add(sorted, g_ptr_array_index(d->messages, i));
	g_ptr_array_sort(sorted, message_order);
	return sorted;
}

void diag_at(const struct diag *d, unsigned int i, struct diag_entry *e)
{
	GPtrArray *sorted = in_order(d);
	const struct message *m = g_ptr_array_index(sorted, i);

	e->file = m->file;
	e->line = m->line;
	e->col = m->col;
	e->end = m->end;
	e->text = m->text;
	e->hint = m->hint;
	g_ptr_array_free(sorted, TRUE);
}

char *diag_format(const struct diag *d)
{
	GString *out = g_string_new(NULL);
	GPtrArray *sorted = in_order(d);
	unsigned int i;

	for (i = 0; i < sorted->len && i < DIAG_SHOWN; i++)
		format_message(d, out, g_ptr_array_index(sorted, i));
	if (sorted->len > DIAG_SHOWN)
		g_string_append_printf(out, "septsim: and %u more errors\n",
				       sorted->len - DIAG_SHOWN);
	g_ptr_array_free(sorted, TRUE);
	return g_string_free(out, FALSE);
}

void diag_print(const struct diag *d, FILE *out)
{
	char *text = diag_format(d);

	fputs(text, out);
	g_free(text);
}

/* Damerau's distance with adjacent swaps; three rows are enough. Words are short. */
#define NEAREST_MAX 64

static unsigned int edit_distance(const char *a, const char *b)
{
	unsigned int rows[3][NEAREST_MAX + 1];
	unsigned int la = strlen(a), lb = strlen(b);
	unsigned int i, j;

	if (la > NEAREST_MAX || lb > NEAREST_MAX)
		return G_MAXUINT;
	for (j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (i = 1; i <= la; i++) {
		unsigned int *prev2 = rows[(i + 1) % 3];
		unsigned int *prev = rows[(i - 1) % 3];
		unsigned int *cur = rows[i % 3];
		char ca = g_ascii_tolower(a[i - 1]);

		cur[0] = i;
		for (j = 1; j <= lb; j++) {
			char cb = g_ascii_tolower(b[j - 1]);

			cur[j] = MIN(prev[j], cur[j - 1]) + 1;
			cur[j] = MIN(cur[j], prev[j - 1] + (ca != cb));
			if (i > 1 && j > 1 && ca == g_ascii_tolower(b[j - 2]) &&
			    g_ascii_tolower(a[i - 2]) == cb)
				cur[j] = MIN(cur[j], prev2[j - 2] + 1);
		}
	}
	return rows[la % 3][lb];
}

const char *diag_nearest(const char *word, const char *const *list)
{
	unsigned int limit = MAX(strlen(word) / 3, 1);
	unsigned int best = limit + 1;
	const char *found = NULL;

	for (; list && *list; list++) {
		unsigned int dist = edit_distance(word, *list);

		if (dist < best) {
			best = dist;
			found = *list;
		}
	}
	return found;
}
