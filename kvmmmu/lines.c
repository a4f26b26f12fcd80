// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counting of lines, see lines.h. Where an actor stands is the step that it will take next.
 */
#include "kvmmmu/lines.h"

#include "sim/engine/actor.h"
#include "sim/engine/sim.h"
#include "sim/engine/site.h"
#include "sim/engine/trace.h"

#define OPERAND_BUSY_CLASS	0x80000200u	/* of a status, bits 63:32 */

struct lines {
	GHashTable *blocks;
	bool outcomes;
	/* By actor: the blocks that wait for its next outcome, and its last one. */
	GPtrArray *open[ACTORS_MAX];
	char *last[ACTORS_MAX];
};

static void block_free(gpointer p)
{
	struct line_block *b = p;

	g_hash_table_unref(b->contexts);
	g_hash_table_unref(b->outcomes);
	g_free(b);
}

struct lines *lines_new(void)
{
	struct lines *l = g_new0(struct lines, 1);

	l->blocks = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, block_free);
	return l;
}

static void forget_actors(struct lines *l)
{
	for (u32 i = 0; i < ACTORS_MAX; i++) {
		g_clear_pointer(&l->open[i], g_ptr_array_unref);
		g_clear_pointer(&l->last[i], g_free);
	}
}

void lines_free(struct lines *l)
{
	if (!l)
		return;
	forget_actors(l);
	g_hash_table_unref(l->blocks);
	g_free(l);
}

struct line_block *lines_watch(struct lines *l, u64 pc)
{
	struct line_block *b = g_hash_table_lookup(l->blocks, &pc);

	if (b)
		return b;
	b = g_new0(struct line_block, 1);
	b->pc = pc;
	b->contexts = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	b->outcomes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_hash_table_insert(l->blocks, &b->pc, b);
	return b;
}

GHashTable *lines_blocks(struct lines *l)
{
	return l->blocks;
}

/* ---- outcomes ---- */

static char *outcome_of(const struct event *ev)
{
	switch (ev->type) {
	case EV_BUSY:
		return g_strdup_printf("busy %s", ev->name);
	case EV_BLOCKED:
		return g_strdup_printf("waited for %s", ev->name);
	case EV_LOCK:
		return g_strdup_printf("took %s%s%s", ev->name, ev->detail ? " " : "",
				       ev->detail ? ev->detail : "");
	case EV_RETURN:
		if (!g_str_has_prefix(ev->name, "TDH."))
			return NULL;
		return ev->status == 0 ? g_strdup_printf("%s SUCCESS", ev->name) :
		       ev->status >> 32 == OPERAND_BUSY_CLASS ?
			       g_strdup_printf("%s OPERAND_BUSY", ev->name) :
			       g_strdup_printf("%s 0x%" G_GINT64_MODIFIER "x", ev->name, ev->status);
	default:
		return NULL;
	}
}

static void add_outcome(struct line_block *b, const char *text)
{
	if (g_hash_table_size(b->outcomes) < LINES_OUTCOMES_MAX)
		g_hash_table_add(b->outcomes, g_strdup(text));
}

static void event(void *ctx, const struct event *ev)
{
	struct lines *l = ctx;
	GPtrArray *open;
	char *text;

	if (ev->actor >= ACTORS_MAX)
		return;
	if (ev->type == EV_OP_END) {
		if (l->open[ev->actor])
			g_ptr_array_set_size(l->open[ev->actor], 0);
		g_clear_pointer(&l->last[ev->actor], g_free);
		return;
	}
	text = outcome_of(ev);
	if (!text)
		return;
	open = l->open[ev->actor];
	for (u32 i = 0; open && i < open->len; i++)
		add_outcome(open->pdata[i], text);
	if (open)
		g_ptr_array_set_size(open, 0);
	g_free(l->last[ev->actor]);
	l->last[ev->actor] = text;
}

void lines_open(struct sim *sim, struct lines *l, bool outcomes)
{
	forget_actors(l);
	l->outcomes = outcomes;
	sim_set_layer(sim, LAYER_LINES, l);
	if (outcomes)
		trace_listen_calls(sim, event, l);
}

/* ---- hits ---- */

static u64 where_others_stand(struct actor *me)
{
	u32 n = actor_count(me->sim);
	u64 h = 0x9e3779b97f4a7c15ull;

	for (u32 i = 0; i < n; i++) {
		const struct actor *a = actor_by_id(me->sim, (u16)i);

		if (a == me || a->background)
			continue;
		h = (h ^ site_number(a->pending.site) ^ (u64)i << 32) * 0xff51afd7ed558ccdull;
		h ^= h >> 29;
	}
	return h;
}

void lines_hit(u64 pc)
{
	struct actor *me = sim_self;
	struct lines *l = me ? sim_layer(me->sim, LAYER_LINES) : NULL;
	struct line_block *b = l ? g_hash_table_lookup(l->blocks, &pc) : NULL;
	u64 h;

	if (!b)
		return;
	b->hits++;
	h = where_others_stand(me);
	if (g_hash_table_size(b->contexts) < LINES_CONTEXTS_MAX &&
	    !g_hash_table_contains(b->contexts, &h))
		g_hash_table_add(b->contexts, g_memdup2(&h, sizeof(h)));
	if (!l->outcomes || me->id >= ACTORS_MAX)
		return;
	if (l->last[me->id])
		add_outcome(b, l->last[me->id]);
	if (!l->open[me->id])
		l->open[me->id] = g_ptr_array_new();
	if (!g_ptr_array_find(l->open[me->id], b, NULL))
		g_ptr_array_add(l->open[me->id], b);
}
