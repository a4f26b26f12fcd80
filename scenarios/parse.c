// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a file to its sections: lines, comments, indentation. What a section says is read
 * once for each case (expand.c), since a case may change the parameters and the TD that
 * it depends on. Rests on docs/language.md, "Layout".
 */
#include "scenarios/parse.h"

#include <string.h>

struct line_reader {
	struct parse *p;
	struct section *open;		/* the section that indented lines belong to */
	struct section *sub;		/* in a case: its section that deeper lines belong to */
	unsigned int base;		/* in a case: indentation of its sections; 0 yet unknown */
	gboolean swallow;		/* below an unknown section: say nothing more */
	gboolean swallow_sub;
};

const char *section_name(enum section_kind kind)
{
	return scn_section_words[kind];
}

GPtrArray *section_items(struct parse *p, const struct section *sec)
{
	GPtrArray *items = pool_ptrs(p->pool);
	struct text *rest;
	unsigned int i;

	if (sec->rest.len) {
		rest = pool_node(p->pool, struct text);
		*rest = sec->rest;
		g_ptr_array_add(items, rest);
	}
	for (i = 0; i < sec->body->len; i++)
		g_ptr_array_add(items, g_ptr_array_index(sec->body, i));
	return items;
}

/* One line as bytes with columns: tabs and no-break blanks (mails have them) stay one
 * column each, a character of several bytes is one column. */
static struct text *read_line(struct parse *p, const char *s, unsigned int len, unsigned int line)
{
	struct text *t = pool_node(p->pool, struct text);
	char *bytes = pool_alloc(p->pool, len + 1);
	unsigned int *cols = pool_alloc(p->pool, (len + 1) * sizeof(*cols));
	unsigned int i, n = 0, col = 0;

	for (i = 0; i < len; i++) {
		unsigned char c = s[i];

		if ((c & 0xc0) != 0x80)
			col++;
		cols[n] = col;
		if (c == 0xc2 && i + 1 < len && (unsigned char)s[i + 1] == 0xa0) {
			c = ' ';
			i++;
		}
		bytes[n++] = c;
	}
	cols[n] = col + 1;
	t->line = line;
	t->s = bytes;
	t->len = n;
	t->cols = cols;
	return t;
}

/* Cut a comment and trailing blanks; the # must stand first or after a blank. */
static void strip_comment(struct text *t)
{
	unsigned int i;

	for (i = 0; i < t->len; i++) {
		if (t->s[i] == '#' && (!i || g_ascii_isspace(t->s[i - 1])))
			break;
	}
	while (i > 0 && g_ascii_isspace(t->s[i - 1]))
		i--;
	*t = text_slice(t, 0, i);
}

static gboolean check_bytes(struct parse *p, const struct text *t)
{
	unsigned int i;

	for (i = 0; i < t->len; i++) {
		unsigned char c = t->s[i];
		struct text at = text_slice(t, i, i + 1);

		if ((c >= 0x20 && c != 0x7f) || c == '\t')
			continue;
		parse_error(p, &at, NULL, "a control character (0x%02x)", c);
		return FALSE;
	}
	if (!g_utf8_validate(t->s, t->len, NULL)) {
		parse_error(p, t, "save the file as UTF-8", "the line is not UTF-8");
		return FALSE;
	}
	return TRUE;
}

static unsigned int indentation(const struct text *t)
{
	unsigned int i, col = 0;

	for (i = 0; i < t->len && g_ascii_isspace(t->s[i]); i++)
		col = t->s[i] == '\t' ? (col / 8 + 1) * 8 : col + 1;
	return col;
}

/* The section that a line opens, or NULL after an error. */
static struct section *open_section(struct parse *p, const struct text *t)
{
	struct section *sec;
	struct text rest = *t, word;
	const char *name;
	unsigned int kind;

	text_piece(&rest, &word);
	for (kind = 0; scn_section_words[kind]; kind++) {
		if (text_is(&word, scn_section_words[kind]))
			break;
	}
	if (!scn_section_words[kind]) {
		name = text_str(p, &word);
		parse_error(p, &word, memchr(t->s, '|', t->len) ?
			    "a table stands indented, below schedule" :
			    hint_nearest(p, name, scn_section_words), "no section %s", name);
		return NULL;
	}
	sec = pool_node(p->pool, struct section);
	sec->kind = kind;
	sec->word = word;
	sec->rest = text_trim(rest);
	sec->body = pool_ptrs(p->pool);
	sec->subs = pool_ptrs(p->pool);
	return sec;
}

/* A line of a case: one of its sections, or a line of one. */
static void case_line(struct line_reader *r, const struct text *t, struct text *trimmed)
{
	struct parse *p = r->p;
	unsigned int indent = indentation(t);

	if (!r->base)
		r->base = indent;
	if (indent < r->base) {
		parse_error(p, trimmed, "the sections of a case stand one below the other",
			    "indented less than the first line of the case");
		return;
	}
	if (indent > r->base) {
		if (r->sub)
			g_ptr_array_add(r->sub->body, trimmed);
		else if (!r->swallow_sub)
			parse_error(p, trimmed, NULL, "indented, but below no section");
		return;
	}
	r->sub = open_section(p, trimmed);
	r->swallow_sub = !r->sub;
	if (!r->sub)
		return;
	switch (r->sub->kind) {
	case SEC_CASE:
		parse_error(p, &r->sub->word, "start it in column 1", "a case within a case");
		break;
	case SEC_SWEEP:
	case SEC_MEASURE:
		parse_error(p, &r->sub->word, "put it before the cases, in column 1",
			    "%s is of the whole file", section_name(r->sub->kind));
		break;
	default:
		g_ptr_array_add(r->open->subs, r->sub);
		break;
	}
}

static void one_line(struct line_reader *r, struct text *t)
{
	struct parse *p = r->p;
	struct text *trimmed = pool_node(p->pool, struct text);

	*trimmed = text_trim(*t);
	if (!g_ascii_isspace(t->s[0])) {
		r->open = open_section(p, trimmed);
		r->swallow = !r->open;
		r->sub = NULL;
		r->swallow_sub = FALSE;
		r->base = 0;
		if (r->open && r->open->kind == SEC_DROP)
			parse_error(p, &r->open->word, "case NAME, and drop indented below it",
				    "drop stands in a case");
		else if (r->open)
			g_ptr_array_add(p->sections, r->open);
	} else if (!r->open) {
		if (!r->swallow)
			parse_error(p, trimmed, "sections start in column 1",
				    "indented, but below no section");
		r->swallow = TRUE;
	} else if (r->open->kind == SEC_CASE) {
		case_line(r, t, trimmed);
	} else {
		g_ptr_array_add(r->open->body, trimmed);
	}
}

static void read_sections(struct parse *p, const char *text, gsize len)
{
	struct line_reader r = { .p = p };
	const char *at = text, *end = text + len, *nl;
	unsigned int line;

	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		at += 3;
	for (line = 1; at < end; line++, at = nl + 1) {
		struct text *t;
		unsigned int n;

		nl = memchr(at, '\n', end - at);
		if (!nl)
			nl = end;
		n = nl - at;
		if (n && at[n - 1] == '\r')
			n--;
		t = read_line(p, at, n, line);
		if (!check_bytes(p, t))
			continue;
		strip_comment(t);
		if (t->len)
			one_line(&r, t);
	}
}

static const char *base_name(struct parse *p, const char *path)
{
	char *base = g_path_get_basename(path);
	const char *name;

	if (g_str_has_suffix(base, ".scn"))
		base[strlen(base) - 4] = '\0';
	name = pool_str(p->pool, base);
	g_free(base);
	return name;
}

/* A metric, or after=CYCLES: what comes before is warm-up and not measured */
static void measure_piece(struct parse *p, const struct text *piece)
{
	const char *word = text_str(p, piece);
	struct scn_loc loc = text_loc(p, piece);
	guint64 n;

	if (!g_str_has_prefix(word, "after="))
		g_ptr_array_add(p->sc->measures, (void *)word);
	else if (g_ascii_string_to_unsigned(word + 6, 10, 0, G_MAXINT64, &n, NULL))
		p->sc->measure_after = n;
	else
		diag_error(p->diag, &loc, "a decimal number", "measure after= wants cycles");
}

/* Sections of the file that no case changes. */
static void file_section(struct parse *p, const struct section *sec)
{
	GPtrArray *items = section_items(p, sec);
	struct scn_sweep *sweep;
	struct text rest, piece;
	unsigned int i;

	for (i = 0; i < items->len; i++) {
		rest = *(struct text *)g_ptr_array_index(items, i);
		if (sec->kind == SEC_SOURCE) {
			g_ptr_array_add(p->sc->sources, (void *)text_tidy(p, &rest));
		} else if (sec->kind == SEC_MEASURE) {
			while (text_piece(&rest, &piece))
				measure_piece(p, &piece);
		} else {
			sweep = pool_node(p->pool, struct scn_sweep);
			text_piece(&rest, &piece);
			sweep->loc = text_loc(p, &piece);
			sweep->name = text_str(p, &piece);
			sweep->values = pool_ptrs(p->pool);
			while (text_piece(&rest, &piece))
				g_ptr_array_add(sweep->values, (void *)text_str(p, &piece));
			if (!sweep->values->len)
				diag_error(p->diag, &sweep->loc, "sweep NAME V1 V2 ...",
					   "sweep %s has no values", sweep->name);
			g_ptr_array_add(p->sc->sweeps, sweep);
		}
	}
	if (!items->len)
		parse_error(p, &sec->word, NULL, "%s says nothing", section_name(sec->kind));
}

static void file_sections(struct parse *p)
{
	unsigned int i;

	for (i = 0; i < p->sections->len; i++) {
		const struct section *sec = g_ptr_array_index(p->sections, i);

		if (sec->kind == SEC_SOURCE || sec->kind == SEC_SWEEP || sec->kind == SEC_MEASURE)
			file_section(p, sec);
	}
}

static gint name_order(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A -D that no param of the file takes is a mistake of the command line. */
static void check_defines(struct parse *p)
{
	GHashTableIter it;
	void *name;
	GPtrArray *unused = g_ptr_array_new();
	unsigned int i;

	if (p->defines) {
		g_hash_table_iter_init(&it, p->defines);
		while (g_hash_table_iter_next(&it, &name, NULL)) {
			if (!g_hash_table_contains(p->defines_used, name))
				g_ptr_array_add(unused, name);
		}
	}
	g_ptr_array_sort(unused, name_order);
	for (i = 0; i < unused->len; i++)
		diag_error(p->diag, NULL, NULL, "-D %s: %s has no such param",
			   (const char *)g_ptr_array_index(unused, i), p->file);
	g_ptr_array_free(unused, TRUE);
}

struct scenario *scenario_parse_text(const char *path, const char *text, gsize len,
				     GHashTable *defines, const struct scenario_vocab *vocab,
				     struct diag *diag)
{
	struct parse p = { .diag = diag, .vocab = vocab, .defines = defines, .i = -1 };
	unsigned int before = diag_count(diag);

	p.pool = pool_new();
	p.file = pool_str(p.pool, path);
	p.sc = pool_node(p.pool, struct scenario);
	p.sc->pool = p.pool;
	p.sc->path = p.file;
	p.sc->name = base_name(&p, path);
	p.sc->title = "";
	p.sc->sources = pool_ptrs(p.pool);
	p.sc->cases = pool_ptrs(p.pool);
	p.sc->sweeps = pool_ptrs(p.pool);
	p.sc->measures = pool_ptrs(p.pool);
	p.sections = pool_ptrs(p.pool);
	p.defines_used = g_hash_table_new(g_str_hash, g_str_equal);

	diag_source(diag, path, text, len);
	if (len > SCN_MAX_BYTES) {
		diag_error(diag, NULL, NULL, "%s is larger than %u bytes", path, SCN_MAX_BYTES);
	} else {
		read_sections(&p, text, len);
		file_sections(&p);
		expand_cases(&p);
		check_defines(&p);
	}
	g_hash_table_destroy(p.defines_used);
	if (diag_count(diag) == before)
		return p.sc;
	scenario_free(p.sc);
	return NULL;
}

struct scenario *scenario_parse_file(const char *path, GHashTable *defines,
				     const struct scenario_vocab *vocab, struct diag *diag)
{
	struct scenario *sc;
	GError *err = NULL;
	char *text;
	gsize len;

	if (!g_file_get_contents(path, &text, &len, &err)) {
		diag_error(diag, NULL, g_error_matches(err, G_FILE_ERROR, G_FILE_ERROR_ISDIR) ?
			   "name the files in it" : NULL, "%s", err->message);
		g_error_free(err);
		return NULL;
	}
	sc = scenario_parse_text(path, text, len, defines, vocab, diag);
	g_free(text);
	return sc;
}
