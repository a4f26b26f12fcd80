// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the file of `--leaves`. Rests on leaves.h.
 */
#include "scenarios/leaves.h"

#include <string.h>

#include "scenarios/result.h"
#include "tdxmod/observe.h"

static const char *const locks[] = { "TDR", "OP_STATE", "SEPT_TREE", "TD_EPOCH", "KOT", NULL };

static gboolean wrong(GError **err, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

static gboolean wrong(GError **err, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	g_set_error_literal(err, PLAY_ERROR, PLAY_ERROR_INPUT, text);
	g_free(text);
	return FALSE;
}

static gboolean take_like(struct user_leaf *l, const char *name, GError **err)
{
	for (u64 n = 0; n < 0x10000; n++) {
		const char *known = seamcall_name(n);

		if (known && !strcmp(known, name)) {
			l->like = n;
			return TRUE;
		}
	}
	return wrong(err, "no leaf %s; `septsim list seamcalls` has all", name);
}

/* "SEPT_TREE exclusive" */
static gboolean take_lock(struct user_leaf *l, const char *name, const char *mode, GError **err)
{
	guint i = 0;

	while (locks[i] && strcmp(locks[i], name))
		i++;
	if (!locks[i])
		return wrong(err, "no lock %s; TDR, OP_STATE, SEPT_TREE, TD_EPOCH and KOT are", name);
	if (!mode || (strcmp(mode, "shared") && strcmp(mode, "exclusive")))
		return wrong(err, "%s wants shared or exclusive", name);
	if (l->locks == USER_LEAF_LOCKS)
		return wrong(err, "more than %u locks", USER_LEAF_LOCKS);
	l->lock[l->locks].name = locks[i];
	l->lock[l->locks++].exclusive = !strcmp(mode, "exclusive");
	return TRUE;
}

static gboolean take_line(struct user_leaf *l, char **w, GError **err)
{
	bool operand;
	char *end;
	guint i = 2;

	l->like = ~0ull;
	l->number = g_ascii_strtoull(w[0], &end, 0);
	if (*end || end == w[0] || l->number > 0xffff)
		return wrong(err, "a leaf's number (0 to 0xffff) is wanted, not %s", w[0]);
	if (seamcall_name(l->number))
		return wrong(err, "%s is %s already", w[0], seamcall_name(l->number));
	if (!w[1] || !g_str_has_prefix(w[1], "TDH."))
		return wrong(err, "a name TDH.... is wanted behind the number");
	l->name = g_strdup(w[1]);
	if (w[2] && !strcmp(w[2], "like"))
		return w[3] && !w[4] ? take_like(l, w[3], err) :
				       wrong(err, "`like` wants one leaf's name");
	if (w[2] && g_str_has_prefix(w[2], "tdr=")) {
		l->tdr_in_rdx = !strcmp(w[2], "tdr=rdx");
		if (!l->tdr_in_rdx && strcmp(w[2], "tdr=rcx"))
			return wrong(err, "tdr= is rcx or rdx");
		i++;
	}
	for (; w[i] && strcmp(w[i], "->"); i += 2)
		if (!take_lock(l, w[i], w[i + 1], err))
			return FALSE;
	if (!w[i] || !w[i + 1] || w[i + 2])
		return wrong(err, "the line ends in -> STATUS, or is `NUMBER NAME like LEAF`");
	if (!strcmp(w[i + 1], "SUCCESS"))
		return TRUE;
	return status_value(w[i + 1], &l->status, &operand) || wrong(err, "no status %s", w[i + 1]);
}

/* The words of a line without its comment; commas separate as blanks do. */
static char **words_of(const char *line)
{
	char *text = g_strndup(line, strcspn(line, "#"));
	char **all = g_strsplit_set(text, " \t,\r", -1);
	GPtrArray *w = g_ptr_array_new();

	for (char **p = all; *p; p++)
		if (**p)
			g_ptr_array_add(w, g_strdup(*p));
	g_ptr_array_add(w, NULL);
	g_strfreev(all);
	g_free(text);
	return (char **)g_ptr_array_free(w, FALSE);
}

struct user_leaves *leaves_load(const char *path, GError **err)
{
	GArray *all = g_array_new(FALSE, TRUE, sizeof(struct user_leaf));
	struct user_leaves *l = g_new0(struct user_leaves, 1);
	char *text, **lines;
	gboolean ok = TRUE;

	if (!g_file_get_contents(path, &text, NULL, err)) {
		g_array_unref(all);
		g_free(l);
		return NULL;
	}
	lines = g_strsplit(text, "\n", -1);
	for (guint i = 0; lines[i] && ok; i++) {
		char **w = words_of(lines[i]);
		struct user_leaf one = { 0 };

		ok = !*w || take_line(&one, w, err);
		if (!ok)
			g_prefix_error(err, "%s:%u: error: ", path, i + 1);
		if (ok && *w)
			g_array_append_val(all, one);
		else
			g_free((char *)one.name);
		g_strfreev(w);
	}
	g_strfreev(lines);
	g_free(text);
	l->n = all->len;
	l->v = (struct user_leaf *)(void *)g_array_free(all, FALSE);
	if (ok)
		return l;
	leaves_free(l);
	return NULL;
}

void leaves_free(struct user_leaves *l)
{
	if (!l)
		return;
	for (u32 i = 0; i < l->n; i++)
		g_free((char *)l->v[i].name);
	g_free(l->v);
	g_free(l);
}
