// SPDX-License-Identifier: GPL-2.0-only
/*
 * The changes of a series, one after the other in a copy of the tree: nothing of the user's
 * repository is touched, not even its index. Only files that a change touches are written, so
 * that only what they make is compiled again.
 */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/cli/kernel.h"

/* What a backend reads of a tree. */
static const char *const parts[] = {
	"Makefile", "arch/x86", "include", "virt", "kernel", "lib", "scripts",
};

struct series {
	char *tree;		/* the user's */
	char *copy;		/* ours */
	gboolean git;		/* changes are commits of @tree, else patches */
	GPtrArray *commits;	/* char *, the base first */
	GPtrArray *changes;	/* struct change, the base first */
	guint at;
};

static void change_free(gpointer p)
{
	struct change *c = p;

	g_free(c->name);
	g_free(c->patch);
	g_free(c);
}

static void add_change(struct series *s, char *name, char *patch)
{
	struct change *c = g_new0(struct change, 1);

	c->name = name;
	c->patch = patch;
	g_ptr_array_add(s->changes, c);
}

static struct series *series_new(const char *tree, const char *dir)
{
	struct series *s = g_new0(struct series, 1);

	s->tree = g_strdup(tree);
	s->copy = g_build_filename(dir, "tree", NULL);
	s->commits = g_ptr_array_new_with_free_func(g_free);
	s->changes = g_ptr_array_new_with_free_func(change_free);
	return s;
}

void series_free(struct series *s)
{
	if (!s)
		return;
	g_free(s->tree);
	g_free(s->copy);
	g_ptr_array_unref(s->commits);
	g_ptr_array_unref(s->changes);
	g_free(s);
}

guint series_length(const struct series *s)
{
	return s->changes->len - 1;
}

const char *series_tree(const struct series *s)
{
	return s->copy;
}

const struct change *series_at(const struct series *s, guint i)
{
	return s->changes->pdata[i];
}

static gboolean sh(const char *script, const char *a, const char *b, const char *c, GString *why)
{
	const char *const argv[] = { "sh", "-c", script, "sh", a, b, c, NULL };

	return command_run(NULL, argv, NULL, why, NULL);
}

/* The base into the copy; what is there of an earlier series goes. */
static gboolean copy_base(struct series *s, GString *why)
{
	/* tar takes only what is there: a tree may be a part of one. */
	static const char from_disk[] =
		"rm -rf \"$2\" && mkdir -p \"$2\" && cd \"$1\" && "
		"tar -cf - $(ls -d Makefile arch/x86 include virt kernel lib scripts 2>/dev/null) | "
		"tar -xf - -C \"$2\"";
	static const char from_git[] =
		"rm -rf \"$2\" && mkdir -p \"$2\" && "
		"git -C \"$1\" archive \"$3\" $(git -C \"$1\" ls-tree --name-only \"$3\" -- Makefile "
		"arch/x86 include virt kernel lib scripts) | tar -xf - -C \"$2\"";

	return s->git ? sh(from_git, s->tree, s->copy, s->commits->pdata[0], why) :
			sh(from_disk, s->tree, s->copy, NULL, why);
}

/* ---- commits ---- */

static char *git_text(const char *tree, GString *why, const char *const *args)
{
	GPtrArray *argv = g_ptr_array_new();
	GString *out = g_string_new(NULL);
	gboolean ok;

	g_ptr_array_add(argv, (gpointer)"git");
	g_ptr_array_add(argv, (gpointer)"-C");
	g_ptr_array_add(argv, (gpointer)tree);
	for (const char *const *a = args; *a; a++)
		g_ptr_array_add(argv, (gpointer)*a);
	g_ptr_array_add(argv, NULL);
	ok = command_run(NULL, (const char *const *)argv->pdata, out, why, NULL);
	g_ptr_array_unref(argv);
	return g_string_free(out, !ok);
}

struct series *series_of_range(const char *tree, const char *dir, const char *spec, GString *why)
{
	struct series *s = series_new(tree, dir);
	char *dots = g_strdup(spec), *to = strstr(dots, "..");
	char *list = NULL, *base = NULL, **line = NULL;
	guint n = 0;

	if (!to || to == dots || !to[2] || to[2] == '.') {
		g_string_append_printf(why, "--range wants A..B, not %s", spec);
		goto bad;
	}
	*to = '\0';
	base = git_text(tree, why, (const char *const[]){ "rev-parse", "--verify", "--quiet",
							  "--end-of-options", dots, NULL });
	if (!base) {
		g_string_append_printf(why, "%s has no commit %s", tree, dots);
		goto bad;
	}
	list = git_text(tree, why, (const char *const[]){ "log", "--reverse", "--first-parent",
							  "--format=%H %s", "--end-of-options",
							  spec, NULL });
	if (!list || !*list) {
		g_string_append_printf(why, "%s%s has no commits in %s", why->len ? ": " : "", tree,
				       spec);
		goto bad;
	}
	s->git = TRUE;
	g_ptr_array_add(s->commits, g_strdup(g_strstrip(base)));
	add_change(s, g_strdup_printf("base %.12s", base), g_strdup(""));
	line = g_strsplit(g_strstrip(list), "\n", -1);
	n = g_strv_length(line);
	for (guint i = 0; i < n; i++) {
		char *commit = g_strndup(line[i], strcspn(line[i], " "));
		char *patch = git_text(tree, why, (const char *const[]){
			"diff", "--no-color", "--no-ext-diff", "-U0", s->commits->pdata[i], commit,
			NULL });

		add_change(s, g_strdup_printf("%u/%u %.12s%s", i + 1, n, commit,
					      line[i] + strlen(commit)),
			   patch ? patch : g_strdup(""));
		g_ptr_array_add(s->commits, commit);
	}
	if (!copy_base(s, why))
		goto bad;
	goto out;
bad:
	series_free(s);
	s = NULL;
out:
	g_strfreev(line);
	g_free(list);
	g_free(base);
	g_free(dots);
	return s;
}

static gboolean is_part(const char *path)
{
	for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
		size_t n = strlen(parts[i]);

		if (!strncmp(path, parts[i], n) && (!path[n] || path[n] == '/'))
			return TRUE;
	}
	return FALSE;
}

/* Only what differs between two commits is written. */
static gboolean go_to_commit(struct series *s, guint i, GString *why)
{
	char *names = git_text(s->tree, why, (const char *const[]){
		"diff", "--name-only", "--no-renames", s->commits->pdata[s->at],
		s->commits->pdata[i], NULL });
	char **path = g_strsplit(names ? names : "", "\n", -1);
	gboolean ok = names != NULL;

	for (char **p = path; *p && ok; p++) {
		char *to, *dir, *blob, *text;
		GString *quiet = g_string_new(NULL);

		if (!**p || !is_part(*p)) {
			g_string_free(quiet, TRUE);
			continue;
		}
		to = g_build_filename(s->copy, *p, NULL);
		dir = g_path_get_dirname(to);
		blob = g_strdup_printf("%s:%s", (char *)s->commits->pdata[i], *p);
		text = git_text(s->tree, quiet, (const char *const[]){ "show", blob, NULL });
		if (!text)
			g_unlink(to);	/* this commit has it no more */
		else if (g_mkdir_with_parents(dir, 0777) ||
			 !g_file_set_contents(to, text, -1, NULL)) {
			g_string_append_printf(why, "%s cannot be written", to);
			ok = FALSE;
		}
		g_string_free(quiet, TRUE);
		g_free(text);
		g_free(blob);
		g_free(dir);
		g_free(to);
	}
	g_strfreev(path);
	g_free(names);
	return ok;
}

/* ---- mails ---- */

static char *subject_of(const char *mail)
{
	const char *s = strstr(mail, "\nSubject:");
	GString *text = g_string_new(NULL);

	s = s ? s + strlen("\nSubject:") : "";
	/* A header goes on in lines that begin with a blank. */
	for (; *s && (*s != '\n' || s[1] == ' ' || s[1] == '\t'); s++)
		if (*s != '\n' && *s != '\r')
			g_string_append_c(text, *s);
	g_strstrip(text->str);
	return g_string_free(text, FALSE);
}

struct series *series_of_mbox(const char *tree, const char *dir, const char *mbox, GString *why)
{
	struct series *s = series_new(tree, dir);
	char *mails = g_build_filename(dir, "mails", NULL);
	char *out = g_strdup_printf("-o%s", mails);
	const char *const clean[] = { "rm", "-rf", mails, NULL };
	const char *const split[] = { "git", "mailsplit", out, mbox, NULL };
	gboolean ok = TRUE;

	add_change(s, g_strdup("base"), g_strdup(""));
	command_run(NULL, clean, NULL, NULL, NULL);
	if (!g_file_test(mbox, G_FILE_TEST_IS_REGULAR)) {
		g_string_append_printf(why, "%s: no such file", mbox);
		ok = FALSE;
	}
	ok = ok && !g_mkdir_with_parents(mails, 0777) && command_run(NULL, split, NULL, why, NULL);
	for (guint i = 1; ok; i++) {
		char *path = g_strdup_printf("%s/%04u", mails, i), *text;

		if (!g_file_get_contents(path, &text, NULL, NULL)) {
			g_free(path);
			break;
		}
		if (strstr(text, "\ndiff --git ") || strstr(text, "\n--- a/")) {
			add_change(s, subject_of(text), text);
		} else {
			g_free(text);	/* a cover letter, a reply */
		}
		g_free(path);
	}
	if (ok && s->changes->len == 1) {
		g_string_append_printf(why, "%s has no mail with a patch in it", mbox);
		ok = FALSE;
	}
	ok = ok && copy_base(s, why);
	g_free(mails);
	g_free(out);
	if (ok)
		return s;
	series_free(s);
	return NULL;
}

static gboolean apply_mail(struct series *s, guint i, GString *why)
{
	const struct change *c = s->changes->pdata[i];
	char *path = g_strdup_printf("%s.patch", s->copy);
	/* The copy may lie in a repository (septsim's): it is not that one's. */
	static const char script[] =
		"export GIT_CEILING_DIRECTORIES=\"$(dirname \"$1\")\"; cd \"$1\" && "
		"git apply -p1 --whitespace=nowarn --include=Makefile --include='arch/x86/*' "
		"--include='include/*' --include='virt/*' --include='kernel/*' --include='lib/*' "
		"\"$2\"";
	gboolean ok;

	g_file_set_contents(path, c->patch, -1, NULL);
	ok = sh(script, s->copy, path, NULL, why);
	g_free(path);
	return ok;
}

gboolean series_go(struct series *s, guint i, GString *why)
{
	gboolean ok = TRUE;

	if (s->git) {
		ok = go_to_commit(s, i, why);
	} else {
		for (guint n = s->at + 1; n <= i && ok; n++)
			ok = apply_mail(s, n, why);
	}
	if (ok)
		s->at = i;
	return ok;
}
