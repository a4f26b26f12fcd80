// SPDX-License-Identifier: GPL-2.0-only
/*
 * A delay patch from a way that breaks something: where the way stops an actor, the code waits
 * a while, so that on hardware others get as far meanwhile. It says both sides: who waits
 * where, and where the other one should be by then. It makes a race likely, not certain: a
 * delay holds every thread that comes by.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/cli/kernel.h"

#define DELAY_MS	20
#define CONTEXT		3
#define DELAYS_MAX	12u	/* a way with more is too fine for delays */

/* A line that is put in before line @at (from 1) of a file. */
struct insertion {
	char *path;		/* in the tree */
	guint at;
	char *text;
};

static void insertion_free(gpointer p)
{
	struct insertion *i = p;

	g_free(i->path);
	g_free(i->text);
	g_free(i);
}

/*
 * A compiler cache, or -ffile-prefix-map, leaves of a file's path what it likes; but a file of the
 * tree is compiled where farm.py has linked it.
 */
static char *by_farm(const char *tree, const char *file)
{
	static const char *const at[][2] = {
		{ "kvm/", "arch/x86/kvm/" }, { "virt/", "virt/kvm/" },
		{ "tdx/", "arch/x86/virt/vmx/tdx/" }, { "lib/", "lib/" }, { "include/", "include/" },
		{ "include/", "arch/x86/include/" },
	};
	const char *in = g_strrstr(file, "/farm/");

	for (guint i = 0; in && i < G_N_ELEMENTS(at); i++) {
		const char *rest = in + strlen("/farm/");
		char *path, *full;
		gboolean there;

		if (!g_str_has_prefix(rest, at[i][0]))
			continue;
		path = g_strconcat(at[i][1], rest + strlen(at[i][0]), NULL);
		full = g_build_filename(tree, path, NULL);
		there = g_file_test(full, G_FILE_TEST_IS_REGULAR);
		g_free(full);
		if (there)
			return path;
		g_free(path);
	}
	return NULL;
}

static char *in_tree(const char *tree, const char *file)
{
	char *real = realpath(file, NULL), *root = realpath(tree, NULL), *path = NULL;
	size_t n = root ? strlen(root) : 0;

	if (real && root && !strncmp(real, root, n) && real[n] == '/')
		path = g_strdup(real + n + 1);
	free(real);
	free(root);
	return path ? path : by_farm(tree, file);
}

/* Blank from @c up to @end, but for line ends. */
static char *blank(char *c, const char *end)
{
	for (; c < end; c++)
		if (*c != '\n')
			*c = ' ';
	return c;
}

/* Where the comment, string or line of the preprocessor ends that begins at @c; NULL: none does. */
static const char *no_code(const char *text, const char *c)
{
	const char *end = c;

	if (c[0] == '/' && c[1] == '*') {
		end = strstr(c + 2, "*/");
		return end ? end + 2 : c + strlen(c);
	}
	if (c[0] == '/' && c[1] == '/')
		return c + strcspn(c, "\n");
	if (*c == '"' || *c == '\'') {
		for (end++; *end && *end != '\n' && *end != *c; end++)
			end += *end == '\\' && end[1];
		return end + (*end == *c);
	}
	if (*c != '#' || (c != text && c[-1] != '\n'))
		return NULL;
	while (*end && *end != '\n')
		end += *end == '\\' && end[1] ? 2 : 1;
	return end;
}

/* The text without what may look like code. Lines stay lines. */
static char **bare(const char *text)
{
	char *s = g_strdup(text), **lines;

	for (char *c = s; *c;) {
		const char *end = no_code(s, c);

		c = end ? blank(c, end) : c + 1;
	}
	lines = g_strsplit(s, "\n", -1);
	for (char **l = lines; *l; l++)
		g_strstrip(*l);
	g_free(s);
	return lines;
}

/* "retry:", "case X:": a place to jump to, and no end of "a ? b :" */
static gboolean is_label(const char *line)
{
	size_t n = strlen(line);

	return n > 1 && line[n - 1] == ':' && !strchr(line, '?') &&
	       (g_str_has_prefix(line, "case ") ||
		strspn(line, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_") == n - 1);
}

/* Nothing goes on behind it; the brace of an initializer does. */
static gboolean ends_statement(const char *line)
{
	size_t n = strlen(line);

	if (n && line[n - 1] == '{' && (g_str_has_suffix(line, "= {") || strstr(line, "= (struct ")))
		return FALSE;
	return n && (strchr(";{}", line[n - 1]) || is_label(line));
}

/* The line whose brace @line, which begins with "}", closes; 1 if there is none. */
static guint opening(char **text, guint line)
{
	guint depth = 1;

	while (--line > 1) {
		const char *s = text[line - 1];

		for (size_t c = strlen(s); c--;) {
			depth += s[c] == '}';
			if (s[c] == '{' && !--depth)
				return line;
		}
	}
	return 1;
}

/* How many parentheses @line opens more than it closes. */
static int open_parens(const char *line)
{
	int n = 0;

	for (; *line; line++)
		n += (*line == '(') - (*line == ')');
	return n;
}

/* The first line of what @line goes on with, as far as a brace or a semicolon tells. */
static guint begin(char **text, guint line)
{
	int parens = open_parens(text[line - 1]);

	/* Behind a semicolon of for (;;) more parentheses close than open. */
	while (line > 1 && (parens < 0 || !ends_statement(text[line - 2])))
		parens += open_parens(text[--line - 1]);
	return line;
}

/*
 * The first line of the statement that @line belongs to, from 1: of all of an "if" where it
 * is in an "else" without braces, as nothing fits in between. 0: there is no code there
 */
static guint statement(char **text, guint line)
{
	guint n = g_strv_length(text), first;

	if (line > n || !*text[line - 1])
		return 0;
	for (;;) {
		first = begin(text, line);
		while (!*text[first - 1] && first < line)	/* comments and blank lines */
			first++;
		if (first <= 1)
			return 0;
		if (*text[first - 1] == '}')
			line = opening(text, first);
		else if (g_str_has_prefix(text[first - 1], "else"))
			for (line = first - 1; line > 1 && !*text[line - 1];)
				line--;
		else
			return first;
	}
}

static char *indent_of(char **text, guint line)
{
	const char *s = text[line - 1];

	return g_strndup(s, strspn(s, "\t "));
}

/* Where the other one gets: the last place that is in the tree, else in what stands for it */
static char *other_side(const char *tree, char **f)
{
	for (char **at = f + 5; *at; at += 3) {
		char *path = in_tree(tree, at[1]), *s;

		if (!path)
			continue;
		s = g_strdup_printf("%s has been in %s(), %s:%s", f[4], at[0], path, at[2]);
		g_free(path);
		return s;
	}
	return g_strdup_printf("%s has been in %s(), outside of the tree", f[4], f[5]);
}

/* A stop that stands in the tree; others (in the module, in the guest) no delay in it can make. */
static void add(GPtrArray *all, GString *said, const char *tree, char **f)
{
	char *path = in_tree(tree, f[2]), *full, *text, **lines, **code, *indent, *other;
	struct insertion *i;
	guint line = (guint)strtoul(f[3], NULL, 10), at;

	if (!path)
		return;
	full = g_build_filename(tree, path, NULL);
	if (!line || !g_file_get_contents(full, &text, NULL, NULL)) {
		g_free(full);
		g_free(path);
		return;
	}
	lines = g_strsplit(text, "\n", -1);
	code = bare(text);
	at = g_str_has_suffix(path, ".c") ? statement(code, line) : 0;
	other = other_side(tree, f);
	g_string_append_printf(said, "%s waits in %s(), %s:%s, until %s%s\n", f[0], f[1], path, f[3],
			       other, at ? "" : " (no delay fits there)");
	if (!at) {
		g_free(path);
		goto out;
	}
	i = g_new0(struct insertion, 1);
	i->path = path;
	i->at = at;
	indent = indent_of(lines, i->at);
	i->text = g_strdup_printf("%smdelay(%d); /* %s, until %s */", indent, DELAY_MS, f[0], other);
	g_ptr_array_add(all, i);
	g_free(indent);
out:
	g_free(other);
	g_strfreev(code);
	g_strfreev(lines);
	g_free(text);
	g_free(full);
}

static int by_place(gconstpointer a, gconstpointer b)
{
	const struct insertion *x = *(struct insertion *const *)a, *y = *(struct insertion *const *)b;
	int path = strcmp(x->path, y->path);

	return path ? path : (int)x->at - (int)y->at;
}

/* One hunk: @text put in before line @at of @lines; @more: lines put in above already. */
static void hunk(GString *out, char **lines, guint n, guint at, const char *text, guint more)
{
	guint from = at > CONTEXT ? at - CONTEXT : 1, to = MIN(at + CONTEXT - 1, n);

	g_string_append_printf(out, "@@ -%u,%u +%u,%u @@\n", from, to - from + 1, from + more,
			       to - from + 2);
	for (guint l = from; l <= to; l++) {
		if (l == at)
			g_string_append_printf(out, "+%s\n", text);
		g_string_append_printf(out, " %s\n", lines[l - 1]);
	}
}

static guint after_includes(char **lines, guint n)
{
	guint at = 1;

	for (guint l = 1; l <= n; l++)
		if (g_str_has_prefix(lines[l - 1], "#include"))
			at = l;
	return at;
}

/* All insertions of one file; those that stand too near each other for a hunk each are left out. */
static void file_patch(GString *out, const char *tree, const GPtrArray *all, guint from, guint to)
{
	const struct insertion *first = all->pdata[from];
	char *full = g_build_filename(tree, first->path, NULL), *text = NULL, **lines;
	guint n, more = 0, last = 0, at;

	if (!g_file_get_contents(full, &text, NULL, NULL)) {
		g_free(full);
		return;
	}
	lines = g_strsplit(text, "\n", -1);
	n = g_strv_length(lines) - 1;	/* behind the last newline is nothing */
	g_string_append_printf(out, "diff --git a/%s b/%s\n--- a/%s\n+++ b/%s\n", first->path,
			       first->path, first->path, first->path);
	at = after_includes(lines, n);
	hunk(out, lines, n, at, "#include <linux/delay.h>", more++);
	last = at;
	for (guint i = from; i < to; i++) {
		const struct insertion *x = all->pdata[i];

		if (x->at <= last + 2 * CONTEXT)
			continue;
		hunk(out, lines, n, x->at, x->text, more++);
		last = x->at;
	}
	g_strfreev(lines);
	g_free(text);
	g_free(full);
}

char *kernel_delay_patch(const char *tree, const char *name, const char *what, const char *pauses)
{
	GPtrArray *all = g_ptr_array_new_with_free_func(insertion_free);
	char **lines = g_strsplit(pauses, "\n", -1);
	GString *out = g_string_new(NULL), *said = g_string_new(NULL);
	guint to;

	for (char **l = lines; *l; l++) {
		char **f = g_strsplit(*l, "\t", -1);

		if (g_strv_length(f) >= 8 && g_strv_length(f) % 3 == 2)
			add(all, said, tree, f);
		g_strfreev(f);
	}
	g_ptr_array_sort(all, by_place);
	if (!all->len || all->len > DELAYS_MAX) {
		g_string_free(out, TRUE);
		out = NULL;
		goto out;
	}
	g_string_append_printf(out, "%s: %s\n\nDelays that make it likely, for trying on hardware: "
			       "not to be merged.\n\n%s\n", name, what, said->str);
	for (guint from = 0; from < all->len; from = to) {
		const struct insertion *x = all->pdata[from];

		for (to = from + 1; to < all->len; to++)
			if (strcmp(((struct insertion *)all->pdata[to])->path, x->path))
				break;
		file_patch(out, tree, all, from, to);
	}
out:
	g_string_free(said, TRUE);
	g_strfreev(lines);
	g_ptr_array_unref(all);
	return out ? g_string_free(out, FALSE) : NULL;
}
