// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is left of a run: why it ended, violations, actors and counters, in the reader's
 * terms. Rests on sim/engine/check.h and script.h.
 */
#include <string.h>

#include "scenarios/play_priv.h"
#include "sim/engine/check.h"
#include "sim/engine/script.h"

char *player_reads(const struct player *pl, const char *text)
{
	GString *s = g_string_new(NULL);
	char name[96], *end;
	guint64 n;

	for (const char *p = text ? text : ""; *p; p++) {
		g_string_append_c(s, *p);
		if (g_str_has_suffix(s->str, "cycle ") && g_ascii_isdigit(p[1])) {
			n = g_ascii_strtoull(p + 1, &end, 10);
			g_string_append_printf(s, "%" G_GINT64_FORMAT, (gint64)(n - pl->base));
			p = end - 1;
		} else if (g_str_has_prefix(p, "0x") && strspn(p + 2, "0123456789abcdef") == 16) {
			n = g_ascii_strtoull(p, &end, 16);
			g_string_truncate(s, s->len - 1);
			if (n >> 63)
				g_string_append(s, status_name(n, name, sizeof(name)));
			else
				g_string_append_len(s, p, 18);
			p = end - 1;
		}
	}
	return g_string_free(s, FALSE);
}

static const char *rebased(struct player *pl, const char *text)
{
	char *read = player_reads(pl, text);

	text = play_result_str(pl->res, read);
	g_free(read);
	return text;
}

/* An actor that tries again and again: which lock, and who holds it. */
static char *why_busy(struct player *pl, const struct scn_cell *cell)
{
	const struct actor *me = cell ? pl->cast[cell->actor].actor : NULL;
	const char *lock = me ? pl->refused_by[me->id + 1] : NULL;
	const struct holder *h = lock ? g_hash_table_lookup(pl->holders, lock) : NULL;
	const struct actor *who = h ? actor_by_id(pl->sim, h->actor) : NULL;

	if (!lock)
		return g_strdup("");
	if (!who || who == me)
		return g_strdup_printf("; it finds %s busy", lock);
	return g_strdup_printf("; it finds %s busy, held by %s (%s) since cycle %" G_GINT64_FORMAT,
			       lock, who->name, h->mode ? h->mode : "exclusive",
			       (gint64)(h->clock - pl->base));
}

void player_why_unreachable(struct player *pl, const GPtrArray *cells, gboolean init)
{
	guint at = script_at(pl->sim);
	const struct scn_cell *cell = cells && at < cells->len ? cells->pdata[at] : NULL;
	const char *why = rebased(pl, script_why(pl->sim));
	char *busy = strstr(why, " spins") ? why_busy(pl, cell) : g_strdup("");
	char *text = g_strdup_printf("%s %u (line %u) `%s`: %s%s", init ? "init line" : "row",
				     at + 1, cell ? cell->loc.line : 0, cell ? cell->text : "?",
				     why, busy);

	pl->res->why = play_result_str(pl->res, text);
	g_free(text);
	g_free(busy);
}

static void why_deadlock(struct player *pl)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	GString *lines;
	struct play_violation v = { .id = "deadlock", .where = "", .actor = "" };

	sim_explain(pl->sim, f);
	fclose(f);
	lines = g_string_new(g_strchomp(text));
	g_string_replace(lines, "\n", "; ", 0);
	v.text = rebased(pl, lines->str);
	g_string_free(lines, TRUE);
	v.clock = (gint64)sim_cycles(pl->sim);
	v.tolerated = check_is_tolerated(pl->sim, "deadlock");
	g_array_append_val(pl->res->violations, v);
	pl->res->why = v.text;
	free(text);
}

static void take_actors(struct player *pl)
{
	struct play_actor root = { .name = "septsim", .background = TRUE };

	g_array_append_val(pl->res->actors, root);
	for (u32 i = 0; i < actor_count(pl->sim); i++) {
		const struct actor *a = actor_by_id(pl->sim, (u16)i);
		struct play_actor x = {
			.name = play_result_str(pl->res, a->name), .background = a->background,
			.cycles = a->clock > pl->base ? a->clock - pl->base : 0,
		};

		g_array_append_val(pl->res->actors, x);
	}
}

static void take_violations(struct player *pl)
{
	for (u32 i = 0; i < check_count(pl->sim); i++) {
		const struct violation *v = check_at(pl->sim, i);
		const struct actor *who = actor_by_id(pl->sim, v->actor);
		struct play_violation x = {
			.id = play_result_str(pl->res, v->id),
			.where = play_result_str(pl->res, v->where ? v->where : ""),
			.text = rebased(pl, v->text),
			.actor = play_result_str(pl->res, who ? who->name : "septsim"),
			.clock = (gint64)(who ? v->clock : sim_cycles(pl->sim)),
			.tolerated = v->tolerated,
		};

		g_array_append_val(pl->res->violations, x);
	}
	if (pl->res->end == PLAY_DEADLOCK)
		why_deadlock(pl);
	for (guint i = 0; i < pl->res->violations->len; i++)
		g_array_index(pl->res->violations, struct play_violation, i).clock -=
			(gint64)pl->base;
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(((const struct play_counter *)a)->name,
		      ((const struct play_counter *)b)->name);
}

static void take_counters(struct player *pl)
{
	GHashTableIter it;
	gpointer name, n;

	for (guint i = 0; i < COUNTERS; i++) {
		struct play_counter c = {
			.name = counter_name(i),
			.value = count_of(pl->sim, NULL, i) - pl->base_count[i],
		};

		g_array_append_val(pl->res->counters, c);
	}
	g_hash_table_iter_init(&it, pl->observed);
	while (g_hash_table_iter_next(&it, &name, &n)) {
		struct play_counter c = {
			.name = play_result_str(pl->res, name), .value = *(guint64 *)n,
		};

		g_array_append_val(pl->res->observed, c);
	}
	g_array_sort(pl->res->observed, by_name);
}

void player_take(struct player *pl)
{
	pl->res->steps = sim_steps(pl->sim) - pl->base_steps;
	pl->res->cycles = sim_cycles(pl->sim) - pl->base;
	take_actors(pl);
	take_violations(pl);
	take_counters(pl);
	if (pl->opt->finals)
		play_finals(pl);
}
