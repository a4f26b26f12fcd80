// SPDX-License-Identifier: GPL-2.0-only
/*
 * Campaigns as text: a worker hands its item to its parent so, `--summary FILE` keeps all of
 * them, and `septsim kernel` compares two. A line is fields between tabs; the first field says
 * what the line is.
 */
#include <string.h>

#include "scenarios/result.h"
#include "sim/report/campaign.h"

#define HEAD	"septsim-campaign\t1"
#define FIELDS	11u

static const char *const phase_words[CAMPAIGN_PHASES] = {
	"scenario", "schedule", "search", "random",
};
static const char *const verdict_words[CAMPAIGN_VERDICTS] = {
	"good", "bad", "known", "skipped", "late",
};

static void line_free(gpointer p)
{
	struct campaign_line *l = p;

	g_hash_table_unref(l->contexts);
	g_hash_table_unref(l->outcomes);
	g_free(l);
}

struct campaign *campaign_new(void)
{
	struct campaign *c = g_new0(struct campaign, 1);

	c->lines = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, line_free);
	c->items = g_ptr_array_new_with_free_func(campaign_item_free);
	c->backend = g_strdup("");
	c->basis = g_strdup("");
	return c;
}

void campaign_free(struct campaign *c)
{
	if (!c)
		return;
	g_ptr_array_unref(c->items);
	g_hash_table_unref(c->lines);
	g_free(c->backend);
	g_free(c->basis);
	g_free(c);
}

struct campaign_item *campaign_item_new(enum campaign_phase phase, const char *scenario,
					const char *case_name)
{
	struct campaign_item *i = g_new0(struct campaign_item, 1);

	i->phase = phase;
	i->scenario = g_strdup(scenario);
	i->case_name = g_strdup(case_name);
	i->id = g_strdup("");
	i->where = g_strdup("");
	i->why = g_strdup("");
	i->table = g_strdup("");
	i->file = g_strdup("");
	i->pauses = g_strdup("");
	return i;
}

void campaign_item_free(gpointer p)
{
	struct campaign_item *i = p;

	if (!i)
		return;
	g_free(i->scenario);
	g_free(i->case_name);
	g_free(i->id);
	g_free(i->where);
	g_free(i->why);
	g_free(i->table);
	g_free(i->file);
	g_free(i->pauses);
	g_free(i);
}

guint campaign_count(const struct campaign *c, int phase, enum campaign_verdict v)
{
	guint n = 0;

	for (guint k = 0; k < c->items->len; k++) {
		const struct campaign_item *i = c->items->pdata[k];

		n += (phase < 0 || (int)i->phase == phase) && i->verdict == v;
	}
	return n;
}

static void put(FILE *out, const char *s)
{
	char *escaped = g_strescape(s, NULL);

	fprintf(out, "\t%s", escaped);
	g_free(escaped);
}

void campaign_item_write(const struct campaign_item *i, FILE *out)
{
	fprintf(out, "item\t%s\t%s", phase_words[i->phase], verdict_words[i->verdict]);
	put(out, i->scenario);
	put(out, i->case_name);
	put(out, i->id);
	put(out, i->where);
	put(out, i->why);
	put(out, i->table);
	put(out, i->file);
	put(out, i->pauses);
	fprintf(out, "\t%" G_GUINT64_FORMAT "\n", i->executions);
}

static int word_of(const char *const *words, guint n, const char *word)
{
	for (guint i = 0; i < n; i++)
		if (!strcmp(words[i], word))
			return (int)i;
	return -1;
}

struct campaign_item *campaign_item_read(const char *line)
{
	char **f = g_strsplit(line, "\t", -1);
	struct campaign_item *i = NULL;
	int phase, verdict;

	if (g_strv_length(f) != FIELDS + 1 || strcmp(f[0], "item"))
		goto out;
	phase = word_of(phase_words, CAMPAIGN_PHASES, f[1]);
	verdict = word_of(verdict_words, CAMPAIGN_VERDICTS, f[2]);
	if (phase < 0 || verdict < 0)
		goto out;
	i = g_new0(struct campaign_item, 1);
	i->phase = (enum campaign_phase)phase;
	i->verdict = (enum campaign_verdict)verdict;
	i->scenario = g_strcompress(f[3]);
	i->case_name = g_strcompress(f[4]);
	i->id = g_strcompress(f[5]);
	i->where = g_strcompress(f[6]);
	i->why = g_strcompress(f[7]);
	i->table = g_strcompress(f[8]);
	i->file = g_strcompress(f[9]);
	i->pauses = g_strcompress(f[10]);
	i->executions = g_ascii_strtoull(f[11], NULL, 10);
out:
	g_strfreev(f);
	return i;
}

/* ---- places that ran ---- */

struct campaign_line *campaign_line_at(struct campaign *c, guint64 pc)
{
	struct campaign_line *l = g_hash_table_lookup(c->lines, &pc);

	if (l)
		return l;
	l = g_new0(struct campaign_line, 1);
	l->pc = pc;
	l->contexts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	l->outcomes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_hash_table_insert(c->lines, &l->pc, l);
	return l;
}

static void put_set(GHashTable *set, FILE *out)
{
	GHashTableIter it;
	gpointer key;

	fputc('\t', out);
	g_hash_table_iter_init(&it, set);
	for (guint n = 0; g_hash_table_iter_next(&it, &key, NULL); n++)
		fprintf(out, "%s%s", n ? ";" : "", (char *)key);
}

void campaign_line_write(const struct campaign_line *l, FILE *out)
{
	fprintf(out, "line\t%" G_GUINT64_FORMAT "\t%" G_GUINT64_FORMAT, l->pc, l->hits);
	put_set(l->contexts, out);
	put_set(l->outcomes, out);
	fputc('\n', out);
}

static void take_set(GHashTable *set, const char *text)
{
	char **words = g_strsplit(text, ";", -1);

	for (char **w = words; *w; w++)
		if (**w)
			g_hash_table_add(set, g_strdup(*w));
	g_strfreev(words);
}

gboolean campaign_take_line(struct campaign *c, const char *text)
{
	char **f = g_strsplit(text, "\t", -1);
	gboolean is = g_strv_length(f) == 5 && !strcmp(f[0], "line");

	if (is) {
		struct campaign_line *l = campaign_line_at(c, g_ascii_strtoull(f[1], NULL, 10));

		l->hits += g_ascii_strtoull(f[2], NULL, 10);
		take_set(l->contexts, f[3]);
		take_set(l->outcomes, f[4]);
	}
	g_strfreev(f);
	return is;
}

static void write_lines(const struct campaign *c, FILE *out)
{
	GHashTableIter it;
	gpointer l;

	g_hash_table_iter_init(&it, c->lines);
	while (g_hash_table_iter_next(&it, NULL, &l))
		campaign_line_write(l, out);
}

void campaign_write(const struct campaign *c, FILE *out)
{
	fputs(HEAD, out);
	put(out, c->backend);
	put(out, c->basis);
	fprintf(out, "\t%.0f\n", c->seconds * 1000);
	for (guint i = 0; i < c->items->len; i++)
		campaign_item_write(c->items->pdata[i], out);
	write_lines(c, out);
	fputs("end\n", out);
}

struct campaign *campaign_read(const char *path, GError **err)
{
	struct campaign *c = NULL;
	char **lines, **head, *text;
	gboolean whole = FALSE;

	if (!g_file_get_contents(path, &text, NULL, err))
		return NULL;
	lines = g_strsplit(text, "\n", -1);
	head = g_strsplit(lines[0] ? lines[0] : "", "\t", -1);
	if (g_strv_length(head) == 5 && g_str_has_prefix(lines[0], HEAD "\t")) {
		c = campaign_new();
		g_free(c->backend);
		g_free(c->basis);
		c->backend = g_strcompress(head[2]);
		c->basis = g_strcompress(head[3]);
		c->seconds = (double)g_ascii_strtoull(head[4], NULL, 10) / 1000;
		for (char **l = lines + 1; *l && !whole; l++) {
			struct campaign_item *i = campaign_item_read(*l);

			if (i)
				g_ptr_array_add(c->items, i);
			else
				campaign_take_line(c, *l);
			whole = !strcmp(*l, "end");
		}
	}
	if (!whole) {
		g_set_error(err, PLAY_ERROR, PLAY_ERROR_TRACE, "%s: not a whole campaign", path);
		campaign_free(c);
		c = NULL;
	}
	g_strfreev(head);
	g_strfreev(lines);
	g_free(text);
	return c;
}
