// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which places of the program stand for the lines that a patch changes? The patch says which lines
 * it adds; the program's line table and the calls that the compiler put at each basic block say
 * which place stands for a line; the campaign counts those places, and kernel_ran.c says what came
 * of it. Rests on objdump -d -l.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/cli/kernel_lines.h"

#define COUNTER	"<__sanitizer_cov_trace_pc"
#define NEAR	3u	/* lines above a place where some were removed that may stand for it */

static void added_free(gpointer p)
{
	struct added *a = p;

	g_free(a->path);
	g_array_unref(a->places);
	g_free(a);
}

static gboolean is_c(const char *path)
{
	return g_str_has_suffix(path, ".c") || g_str_has_suffix(path, ".h");
}

/* A patch while it is read: lines left of the hunk on either side, and the line of the new file. */
struct patch {
	GPtrArray *all;
	char *path;		/* NULL: no file yet */
	guint at, old_left, new_left;
	guint minus, plus;	/* of the lines of this run of changes */
	guint removals;
};

static void add(struct patch *p, guint line, guint removal)
{
	struct added *a = g_new0(struct added, 1);

	a->path = g_strdup(p->path);
	a->line = line;
	a->removal = removal;
	a->places = g_array_new(FALSE, FALSE, sizeof(guint64));
	g_ptr_array_add(p->all, a);
}

/* Behind a run of changes: where lines only went, their neighbours tell whether that place ran. */
static void run_ends(struct patch *p)
{
	if (p->minus && !p->plus && is_c(p->path)) {
		p->removals++;
		for (guint n = 1; n <= NEAR && n < p->at; n++)
			add(p, p->at - n, p->removals);
		add(p, p->at, p->removals);
	}
	p->minus = p->plus = 0;
}

static guint count_at(const char *s, guint *start)
{
	char *end;

	*start = (guint)strtoul(s, &end, 10);
	return *end == ',' ? (guint)strtoul(end + 1, NULL, 10) : 1;
}

static void hunk_begins(struct patch *p, const char *line)
{
	const char *plus = strstr(line, " +");
	guint old;

	if (!plus)
		return;
	p->old_left = count_at(line + strlen("@@ -"), &old);
	p->new_left = count_at(plus + 2, &p->at);
	p->at += !p->new_left;	/* a hunk without new lines names the line before it */
}

static void hunk_line(struct patch *p, const char *line)
{
	if (*line == '\\')
		return;
	if (*line == '-') {
		p->minus++;
		p->old_left--;
		return;
	}
	if (*line == '+') {
		p->plus++;
		if (is_c(p->path))
			add(p, p->at, 0);
	} else {
		run_ends(p);
		p->old_left--;
	}
	p->at++;
	p->new_left--;
}

/* @patch's own count of lines: those of the file after it. */
GPtrArray *kernel_lines_of(const char *patch)
{
	struct patch p = { .all = g_ptr_array_new_with_free_func(added_free) };
	char **lines = g_strsplit(patch, "\n", -1);

	for (char **l = lines; *l; l++) {
		g_strchomp(*l);
		if (p.old_left || p.new_left) {
			hunk_line(&p, *l);
			if (!p.old_left && !p.new_left)
				run_ends(&p);
		} else if (g_str_has_prefix(*l, "+++ b/")) {
			g_free(p.path);
			p.path = g_strndup(*l + 6, strcspn(*l + 6, "\t"));
		} else if (p.path && g_str_has_prefix(*l, "@@ -")) {
			hunk_begins(&p, *l);
		}
	}
	g_strfreev(lines);
	g_free(p.path);
	return p.all;
}

/* Of the lines beside a removal only the nearest that is code stays. */
static void settle(GPtrArray *added)
{
	guint settled = 0;

	for (guint i = 0; i < added->len;) {
		struct added *a = added->pdata[i];

		if (!a->removal || (a->places->len && a->removal != settled)) {
			settled = a->removal ? a->removal : settled;
			i++;
		} else {
			g_ptr_array_remove_index(added, i);
		}
	}
}

/* ---- which place stands for a line ---- */

struct reader {
	GHashTable *wanted;	/* "PATH:LINE" in the tree -> struct added */
	GHashTable *real;	/* a path of the line table -> that in the tree, "" if it is none */
	const char *tree;
	struct added *now;	/* the line that instructions belong to */
	guint64 place;		/* the basic block's, 0: none yet */
	gboolean counted;	/* the instruction before called the counter */
};

/* The farm's links lead to the tree. */
static const char *in_tree(struct reader *r, const char *path)
{
	char *real = g_hash_table_lookup(r->real, path), *to;
	size_t n = strlen(r->tree);

	if (real)
		return real;
	to = realpath(path, NULL);
	real = g_strdup(to && !strncmp(to, r->tree, n) && to[n] == '/' ? to + n + 1 : "");
	free(to);
	g_hash_table_insert(r->real, g_strdup(path), real);
	return real;
}

/* "/path/tdp_mmu.c:654 (discriminator 3)" */
static gboolean take_place(struct reader *r, const char *line)
{
	const char *colon = strrchr(line, ':');
	char *path, *key;

	if (*line != '/' || !colon || !g_ascii_isdigit(colon[1]))
		return FALSE;
	path = g_strndup(line, (gsize)(colon - line));
	key = g_strdup_printf("%s:%lu", in_tree(r, path), strtoul(colon + 1, NULL, 10));
	r->now = g_hash_table_lookup(r->wanted, key);
	g_free(key);
	g_free(path);
	return TRUE;
}

static void stands_for(struct reader *r)
{
	for (guint i = 0; i < r->now->places->len; i++)
		if (g_array_index(r->now->places, guint64, i) == r->place)
			return;
	g_array_append_val(r->now->places, r->place);
}

static void take_line(struct reader *r, const char *line)
{
	char *end;
	guint64 at;

	if (take_place(r, line))
		return;
	at = g_ascii_strtoull(line, &end, 16);
	if (end != line && g_str_has_prefix(end, " <")) {	/* a function begins */
		r->place = 0;
		r->counted = FALSE;
		return;
	}
	if (end == line || *end != ':')
		return;
	if (r->counted)
		r->place = at;		/* where the counter returns to */
	r->counted = strstr(end, COUNTER) != NULL;
	if (r->now && r->place && !r->counted)
		stands_for(r);
}

gboolean kernel_lines_place(struct kernel *k, const char *tree, GPtrArray *added, GString *why)
{
	const char *const argv[] = { "objdump", "-d", "-l", "--no-show-raw-insn", k->septsim, NULL };
	struct reader r = { 0 };
	GString *out = g_string_new(NULL);
	char *real = realpath(tree, NULL);
	gboolean ok = real && command_run(NULL, argv, out, why, NULL);

	r.tree = real;
	r.wanted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	r.real = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (guint i = 0; i < added->len; i++) {
		struct added *a = added->pdata[i];
		char *key = g_strdup_printf("%s:%u", a->path, a->line);

		/* One beside a removal may be an added one, too. */
		if (a->removal && g_hash_table_contains(r.wanted, key))
			g_free(key);
		else
			g_hash_table_insert(r.wanted, key, a);
	}
	for (char *l = out->str, *next; ok && l; l = next) {
		next = strchr(l, '\n');
		if (next)
			*next++ = '\0';
		while (*l == ' ')
			l++;
		take_line(&r, l);
	}
	settle(added);
	g_hash_table_unref(r.wanted);
	g_hash_table_unref(r.real);
	g_string_free(out, TRUE);
	free(real);
	return ok;
}

gboolean kernel_lines_write(const GPtrArray *added, const char *path)
{
	GString *s = g_string_new(NULL);
	gboolean ok;

	for (guint i = 0; i < added->len; i++) {
		const struct added *a = added->pdata[i];

		for (guint n = 0; n < a->places->len; n++)
			g_string_append_printf(s, "%" G_GUINT64_FORMAT "\n",
					       g_array_index(a->places, guint64, n));
	}
	ok = g_file_set_contents(path, s->str, (gssize)s->len, NULL);
	g_string_free(s, TRUE);
	return ok;
}
