// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a depth-first search has been, in a table that may be shared; what that takes; and what
 * to say of a search that seems to have no end.
 */
#include "sim/engine/explore_dfs.h"
#include "sim/engine/hash.h"
#include "sim/engine/region.h"

#define GROWN		64u	/* a word with more values on one way than this is said to grow */
#define SAY		256u	/* states after which the table's count is told */

void dfs_said(struct dfs *d)
{
	if (d->table)
		table_said(d->table, d->unsaid);
	d->unsaid = 0;
}

/* Workers that each have not said what they found last. */
static u64 margin(const struct dfs *d)
{
	return d->c ? d->c->crew->workers * SAY : SAY;
}

static void grow(struct dfs *d)
{
	if (d->c)
		crew_ask_to_grow(d->c, margin(d));
	else if (!table_grow(d->table))
		dfs_limit(d, "memory", true);
}

/* One that leads elsewhere than expected costs a look-up as long as without. */
static struct effect *effect_of(struct dfs *d, const struct actor *a)
{
	return &d->effect[(a->key ^ a->id * 0x9e3779b9u) % EFFECTS];
}

static u64 key_of_last(u16 last)
{
	return hash_mix(last + 0xe7037ed1a0b428dbull, 0x9e3779b97f4a7c15ull);
}

/* Where the budget decides what may follow, who moved last is part of the state. */
static struct search_id id_here(struct dfs *d, u16 last)
{
	struct frame *f = &d->frame[d->depth];
	struct search_id id;

	f->actors = d->depth ? search_actors_after(d->sim, &f[-1].mark, f[-1].actors) :
			       search_actors(d->sim);
	id = search_id_of(d->sim, f->actors);
	if (d->depth)
		*effect_of(d, &f[-1].mark.saved) = (struct effect){
			f->actors.lo - f[-1].actors.lo, d->sim->undo.hash ^ f[-1].mark.undo_hash };
	if (d->bounded && last != NO_ACTOR) {
		id.lo += key_of_last(last);
		id.hi += last + 1u;
	}
	return f->id = id;
}

static void is_new(struct dfs *d)
{
	u64 states = d->x->opt->states;

	d->x->res->states++;
	d->unsaid++;
	if (d->unsaid < SAY && !states)
		return;
	dfs_said(d);
	if (states && d->table->used >= states)
		dfs_limit(d, "states", true);
	if (table_is_full(d->table, margin(d)))
		grow(d);
}

/* The step that led here is an edge; states have numbers, which stand where budgets do. */
static void note_edge(struct dfs *d, bool fresh, int had)
{
	struct frame *f = &d->frame[d->depth], *from = f - 1;

	if (fresh)
		table_set(d->table, f->id, f->number = edges_state(d->edges, f->id));
	if (d->depth)
		edges_add(d->edges, from->number, fresh ? f->number : (u32)had + 1,
			  from->mark.actor->id, d->sim->progress & dfs_progress(d),
			  from->in.postponed);
}

bool dfs_claim(struct dfs *d, struct frame_head *h)
{
	struct search_id id;
	bool ours;

	h->had = -1;
	if (!d->hash)
		return true;
	id = id_here(d, h->last);
	ours = table_claim(d->table, id, (u32)h->budget, &h->had);
	if (d->edges)
		note_edge(d, ours, h->had);
	if (ours && h->had < 0)
		is_new(d);
	if (d->verify)
		verify_state(d->x, d->verify, id, d->frame[d->depth].room, d->room_end);
	return ours;
}

void dfs_expect(struct dfs *d)
{
	const struct frame *f = &d->frame[d->depth];

	if (!d->table)
		return;
	for (u32 i = 0; i < the_world->nactors; i++) {
		const struct actor *a = the_world->actor[i];
		const struct effect *e = effect_of(d, a);

		if (a->state == ACTOR_DONE)
			continue;
		table_expect(d->table, f->actors.lo + e->actors + (d->sim->undo.hash ^ e->world) +
			     (d->bounded ? key_of_last(a->id) : 0));
	}
}

bool dfs_was_claimed(struct dfs *d, u16 last)
{
	struct search_id id;

	if (!d->hash)
		return true;
	id = id_here(d, last);
	if (!table_has(d->table, id))
		return false;
	if (d->edges)
		d->frame[d->depth].number = table_get(d->table, id);
	return true;
}

bool dfs_is_on_path(const struct dfs *d, const struct frame_head *h)
{
	return ((u32)h->had + 1) & ON_PATH;
}

void dfs_mark_path(struct dfs *d, const struct frame *f, bool on)
{
	u32 meta = table_get(d->table, f->id);

	table_set(d->table, f->id, on ? meta | ON_PATH : meta & ~ON_PATH);
}

void dfs_look_at_memory(struct dfs *d)
{
	u64 most = d->x->opt->memory_limit, bytes;

	if (!most)
		return;
	bytes = d->table ? table_bytes(d->table) : 0;
	bytes += d->edges ? 2 * edges_bytes(d->edges) : 0;
	bytes += (u64)(d->frame[d->depth].room - d->room) + d->depth * sizeof(struct frame) +
		 d->sim->undo.n * sizeof(struct undo_entry);
	if (bytes > most)
		dfs_limit(d, "memory", true);
}

/* ---- what has no end ---- */

/* What of the word at @p has a name; NULL: nothing. */
static const void *region_in(const u64 *p)
{
	for (u32 i = 0; i < 8; i += 2)
		if (region_at((const char *)p + i))
			return (const char *)p + i;
	return NULL;
}

/* The word with a name that took the most values on the way; NULL: there is none. */
static const void *grows_most(struct dfs *d, u64 *values)
{
	struct undo_mark start = d->frame[0].stepping ?
		(struct undo_mark){ d->frame[0].mark.undo_length } : undo_mark();
	GHashTable *words = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL,
						  (GDestroyNotify)g_hash_table_unref);
	const void *word = NULL;
	u64 n;
	const struct undo_entry *e = undo_since(start, &n);

	*values = 0;
	for (u64 i = 0; i < n; i++) {
		GHashTable *seen = g_hash_table_lookup(words, e[i].p);

		if (!region_in(e[i].p))
			continue;
		if (!seen) {
			seen = g_hash_table_new(g_direct_hash, g_direct_equal);
			g_hash_table_insert(words, e[i].p, seen);
		}
		g_hash_table_add(seen, (void *)e[i].old);
		if (g_hash_table_size(seen) <= *values)
			continue;
		*values = g_hash_table_size(seen);
		word = region_in(e[i].p);
	}
	g_hash_table_unref(words);
	return word;
}

/* A count that only leaks makes no two states alike. */
void dfs_say_what_grows(struct dfs *d)
{
	struct crew_grows most;
	const void *word;
	char name[96];

	if (d->grown)
		return;
	d->grown = true;
	word = grows_most(d, &most.values);
	if (most.values < GROWN)
		return;
	region_name_of(word, name, sizeof(name));
	if (d->c) {
		GByteArray *out = g_byte_array_new();

		crew_put(out, &most, sizeof(most));
		crew_put_text(out, name);
		crew_say(d->c, CREW_GROWS, out->data, out->len);
		g_byte_array_unref(out);
	} else if (most.values > d->x->res->grown) {
		g_free(d->x->res->grows);
		d->x->res->grows = g_strdup(name);
		d->x->res->grown = most.values;
	}
}
