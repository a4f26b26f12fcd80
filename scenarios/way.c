// SPDX-License-Identifier: GPL-2.0-only
/*
 * Words of a way from a file. Rests on the form that the explorer writes them in.
 */
#include "scenarios/way.h"

#include <string.h>

#define TIMES_MAX	100000u		/* steps of one way; no replay goes further */

struct reader {
	const char *path, *p;
	guint line, column;
	struct way *way;
	gboolean loops;		/* of the next word */
	char *why;
};

static void word_free(gpointer p)
{
	struct way_word *w = p;

	g_free(w->name);
	g_array_unref(w->answers);
	g_free(w);
}

void way_free(struct way *w)
{
	if (!w)
		return;
	g_free(w->path);
	g_ptr_array_unref(w->words);
	g_free(w);
}

static void wrong(struct reader *r, const char *what)
{
	if (!r->why)
		r->why = g_strdup_printf("%s:%u:%u: error: %s\n  a way is words like "
					 "`vCPU0*12 zapper*3:1`, as `explore --json` has in "
					 "`choices`", r->path, r->line, r->column, what);
}

/* On to the next word; FALSE: there is none. */
static gboolean skip_blank(struct reader *r)
{
	while (*r->p == '#' || (*r->p && g_ascii_isspace(*r->p))) {
		if (*r->p == '#')
			while (r->p[1] && r->p[1] != '\n')
				r->p++;
		r->column++;
		if (*r->p++ != '\n')
			continue;
		r->line++;
		r->column = 1;
	}
	return *r->p != '\0';
}

static guint number(struct reader *r, const char **p, guint most)
{
	char *end;
	guint64 n = g_ascii_isdigit(**p) ? g_ascii_strtoull(*p, &end, 10) : G_MAXUINT64;

	if (n > most) {
		wrong(r, "a number is expected here, and not so large a one");
		return 0;
	}
	*p = end;
	return (guint)n;
}

/* A store buffer is called after its actor: "vCPU0's stores". */
static gsize name_length(const char *p)
{
	gsize n = strcspn(p, "*: \t\r\n#|");

	if (n > 2 && !strncmp(p + n - 2, "'s stores", 9))
		n += 7;
	return n;
}

static void read_word(struct reader *r)
{
	struct way_word *w = g_new0(struct way_word, 1);
	const char *p = r->p + name_length(r->p);

	w->name = g_strndup(r->p, (gsize)(p - r->p));
	w->times = 1;
	w->answers = g_array_new(FALSE, FALSE, sizeof(guint));
	w->loops = r->loops;
	w->line = r->line;
	w->column = r->column;
	r->loops = FALSE;
	g_ptr_array_add(r->way->words, w);
	if (!*w->name)
		wrong(r, "an actor's name is expected here");
	if (*p == '*') {
		p++;
		w->times = number(r, &p, TIMES_MAX);
		if (!w->times)
			wrong(r, "an actor takes at least one step");
	}
	while (*p == ':' && !r->why) {
		guint v;

		p++;
		v = number(r, &p, 0x7fff);
		g_array_append_val(w->answers, v);
	}
	if (*p && !g_ascii_isspace(*p) && *p != '#' && *p != '|')
		wrong(r, "this is no word of a way");
	r->column += (guint)(p - r->p);
	r->p = p;
}

struct way *way_parse(const char *path, const char *text, char **why)
{
	struct reader r = { .path = path, .p = text, .line = 1, .column = 1 };

	r.way = g_new0(struct way, 1);
	r.way->path = g_strdup(path);
	r.way->words = g_ptr_array_new_with_free_func(word_free);
	while (!r.why && skip_blank(&r)) {
		if (*r.p != '|') {
			read_word(&r);
			continue;
		}
		if (r.loops || !r.way->words->len)
			wrong(&r, "a loop has steps before it and in it");
		r.loops = TRUE;
		r.p++;
		r.column++;
	}
	if (r.loops || !r.way->words->len)
		wrong(&r, "no step of anybody is here");
	if (!r.why)
		return r.way;
	way_free(r.way);
	*why = r.why;
	return NULL;
}

struct way *way_read(const char *path, char **why)
{
	GError *err = NULL;
	struct way *w;
	char *text;

	if (!g_file_get_contents(path, &text, NULL, &err)) {
		*why = g_strdup_printf("septsim: %s: %s", path, err->message);
		g_error_free(err);
		return NULL;
	}
	w = way_parse(path, text, why);
	g_free(text);
	return w;
}
