// SPDX-License-Identifier: GPL-2.0-only
/*
 * Did the changed lines run, and among what? What never ran is said: *clean* is worth nothing
 * there. Lines that went the same way are one place of the report.
 */
#include <string.h>

#include "sim/cli/kernel_lines.h"

#define SHOWN	40u	/* places; more are counted only */

struct ran {
	guint64 hits;
	guint contexts;
	GPtrArray *outcomes;	/* of texts, sorted */
};

static int by_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_keys(GHashTable *to, GHashTable *from)
{
	GHashTableIter it;
	gpointer key;

	g_hash_table_iter_init(&it, from);
	while (g_hash_table_iter_next(&it, &key, NULL))
		g_hash_table_add(to, key);
}

static struct ran ran_of(const struct campaign *c, const struct added *a)
{
	GHashTable *contexts = g_hash_table_new(g_str_hash, g_str_equal);
	GHashTable *outcomes = g_hash_table_new(g_str_hash, g_str_equal);
	struct ran r = { .outcomes = g_ptr_array_new() };
	GHashTableIter it;
	gpointer key;

	for (guint i = 0; i < a->places->len; i++) {
		const struct campaign_line *l =
			g_hash_table_lookup(c->lines, &g_array_index(a->places, guint64, i));

		if (!l)
			continue;
		r.hits += l->hits;
		add_keys(contexts, l->contexts);
		add_keys(outcomes, l->outcomes);
	}
	g_hash_table_iter_init(&it, outcomes);
	while (g_hash_table_iter_next(&it, &key, NULL))
		g_ptr_array_add(r.outcomes, key);
	g_ptr_array_sort(r.outcomes, by_text);
	r.contexts = g_hash_table_size(contexts);
	g_hash_table_unref(contexts);
	g_hash_table_unref(outcomes);
	return r;
}

static void put(GString *out, const struct report_look *look, int first, int rest, char *text)
{
	report_wrap(out, text, first, rest, look->width);
	g_free(text);
}

static char *outcomes_text(const struct ran *r)
{
	GString *s = g_string_new(NULL);

	for (guint i = 0; i < r->outcomes->len; i++)
		g_string_append_printf(s, "%s%s", i ? ", " : "; ", (char *)r->outcomes->pdata[i]);
	return g_string_free(s, FALSE);
}

/* "ran 12 times, under 3 placements of the others; took mmu_lock read" */
static char *fate_text(const struct ran *r, guint removal)
{
	const char *beside = removal ? ", beside what was removed," : "";
	char *outcomes, *text;

	if (!r->hits)
		return g_strdup_printf("%s never ran: clean is worth nothing here", beside);
	outcomes = outcomes_text(r);
	text = g_strdup_printf("%s ran %" G_GUINT64_FORMAT " times, under %u%s placements of the "
			       "others%s", beside, r->hits, r->contexts,
			       r->contexts >= 4096 ? " or more" : "", outcomes);
	g_free(outcomes);
	return text;
}

/* Lines of one file, one after the other in the change, that had the same fate. */
struct lines {
	const char *path;
	char *fate;
	GString *numbers;	/* "1754-1755, 1763" */
	guint first, last;	/* of the numbers that go on */
	gboolean hidden;
};

static void lines_close(struct lines *l)
{
	if (l->last > l->first)
		g_string_append_printf(l->numbers, "-%u", l->last);
}

static void lines_put(struct lines *l, const struct report_look *look, GString *out)
{
	if (!l->fate)
		return;
	lines_close(l);
	if (!l->hidden)
		put(out, look, 2, 6, g_strdup_printf("%s:%s%s", l->path, l->numbers->str, l->fate));
	g_free(l->fate);
	l->fate = NULL;
}

/* FALSE: another file or another fate, which wants a place of its own */
static gboolean lines_take(struct lines *l, const struct added *a, const char *fate)
{
	if (!l->fate || strcmp(l->path, a->path) || strcmp(l->fate, fate))
		return FALSE;
	if (a->line != l->last + 1) {
		lines_close(l);
		g_string_append_printf(l->numbers, ", %u", a->line);
		l->first = a->line;
	}
	l->last = a->line;
	return TRUE;
}

static void lines_begin(struct lines *l, const struct added *a, char *fate)
{
	l->path = a->path;
	l->fate = fate;
	g_string_printf(l->numbers, "%u", a->line);
	l->first = l->last = a->line;
}

/* A file of KVM's or of TDX's is named; a change of the rest of Linux is no business of ours. */
static gboolean is_kvms(const char *path)
{
	return strstr(path, "kvm") || strstr(path, "tdx") || g_str_has_prefix(path, "virt/");
}

/* Files of a change that nothing here compiles, each once. */
static void not_compiled(const GPtrArray *added, GHashTable *compiled,
			 const struct report_look *look, GString *out)
{
	GHashTable *said = g_hash_table_new(g_str_hash, g_str_equal);
	GString *names = g_string_new(NULL);
	guint others = 0, n = 0;

	for (guint i = 0; i < added->len; i++) {
		const struct added *a = added->pdata[i];

		if (g_hash_table_contains(compiled, a->path) || !g_hash_table_add(said, a->path))
			continue;
		others += !is_kvms(a->path);
		if (is_kvms(a->path))
			g_string_append_printf(names, "%s%s", n++ ? ", " : "", a->path);
	}
	if (others)
		g_string_append_printf(names, "%s%u file%s beside KVM and TDX", n ? ", and " : "", others,
				       others > 1 ? "s" : "");
	n += others;
	if (n)
		put(out, look, 2, 4, g_strdup_printf("changed, and nothing of that runs here, so nothing "
						     "is said of it: %s", names->str));
	g_string_free(names, TRUE);
	g_hash_table_unref(said);
}

void report_kernel_lines(const GPtrArray *added, const struct campaign *c,
			 const struct report_look *look, GString *out)
{
	GHashTable *compiled = g_hash_table_new(g_str_hash, g_str_equal);
	struct lines now = { .numbers = g_string_new(NULL) };
	guint ran = 0, never = 0, shown = 0;

	for (guint i = 0; i < added->len; i++) {
		const struct added *a = added->pdata[i];
		struct ran r;
		char *fate;

		if (!a->places->len)
			continue;	/* no code, or not compiled */
		g_hash_table_add(compiled, a->path);
		r = ran_of(c, a);
		ran += r.hits > 0;
		never += !r.hits;
		fate = fate_text(&r, a->removal);
		g_ptr_array_unref(r.outcomes);
		if (lines_take(&now, a, fate)) {
			g_free(fate);
			continue;
		}
		lines_put(&now, look, out);
		lines_begin(&now, a, fate);
		now.hidden = shown++ >= SHOWN && !look->verbose;
	}
	lines_put(&now, look, out);
	if (shown > SHOWN && !look->verbose)
		put(out, look, 2, 4, g_strdup_printf("and %u more places: --verbose has all",
						     shown - SHOWN));
	not_compiled(added, compiled, look, out);
	put(out, look, 2, 4, g_strdup_printf("%u changed lines with code: %u ran, %u never ran",
					     ran + never, ran, never));
	g_string_free(now.numbers, TRUE);
	g_hash_table_unref(compiled);
}
