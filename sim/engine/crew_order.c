// SPDX-License-Identifier: GPL-2.0-only
/*
 * Samples in the order of their numbers, whoever did them: what counts is what one process
 * would have come to, and nothing that comes after its end.
 */
#include <string.h>

#include "sim/engine/crew_lead.h"

#define WINDOW		(256u * 1024)	/* executions dealt out beyond the first that is not done */
#define NEAR		256u	/* so few up to a crash are played here */

static int by_execution(gconstpointer a, gconstpointer b)
{
	const struct again *x = a, *y = b;

	if (x->execution != y->execution)
		return x->execution < y->execution ? -1 : 1;
	return x->found < y->found ? -1 : x->found > y->found;
}

/* Where the search ends, by what is known of executions below @to: the number after its last. */
static u64 note_broken(struct leader *l, u64 to)
{
	GPtrArray *all = l->x->res->found, *known = g_ptr_array_new();
	u64 end = ~0ull;
	u32 i;

	g_array_sort(l->broken, by_execution);
	for (i = 0; i < all->len; i++)
		if (((struct explore_found *)all->pdata[i])->times)
			g_ptr_array_add(known, all->pdata[i]);
	for (i = 0; i < l->broken->len; i++) {
		struct again *a = &g_array_index(l->broken, struct again, i);
		struct explore_found *f = all->pdata[a->found];
		struct explore_result so_far = *l->x->res;

		if (a->execution >= to || end != ~0ull)
			break;
		if (f->times++)
			continue;
		f->executions = a->execution;
		g_ptr_array_add(known, f);
		so_far.found = known;
		if (!l->x->opt->keep_going ||
		    (l->x->opt->enough && l->x->opt->enough(l->x->opt->ctx, &so_far)))
			end = a->execution + 1;
	}
	g_array_remove_range(l->broken, 0, i);
	g_ptr_array_unref(known);
	return end;
}

static void add_piece(struct leader *l, const struct crew_piece *p)
{
	struct explore_result *res = l->x->res;

	res->executions += p->n - p->cut;
	res->transitions += p->transitions;
	res->depth = MAX(res->depth, p->depth);
	if (p->cut)
		res->bounded_by = "depth";
	l->prefix = p->from + p->n;
}

static void end_here(struct leader *l)
{
	leader_bound(l, "violation");
	l->ended = true;
}

/* Only the executions [prefix, @end) of the next piece count. */
static void add_part(struct leader *l, u64 end)
{
	crew_sample_part(l->x, l->prefix, end);
	l->prefix = end;
}

static void up_to_crash(struct leader *l)
{
	u64 end = note_broken(l, l->crashed);

	add_part(l, MIN(end, l->crashed));
	if (end == ~0ull) {
		l->crash->executions = l->crashed;
		g_ptr_array_add(l->x->res->found, l->crash);
		l->crash = NULL;
	}
	end_here(l);
}

void order_window(struct leader *l)
{
	__atomic_store_n(&l->crew->window, l->prefix + WINDOW, __ATOMIC_RELAXED);
}

void order_next(struct leader *l)
{
	struct crew_piece *p;

	if (l->apart)
		return;
	while (!l->ended && (p = g_hash_table_lookup(l->pieces, &l->prefix))) {
		u64 from = l->prefix, end = note_broken(l, from + p->n);

		if (end == ~0ull) {
			add_piece(l, p);
		} else {
			add_part(l, end);
			end_here(l);
		}
		g_hash_table_remove(l->pieces, &from);
	}
	if (!l->ended && l->crashed != ~0ull && l->crashed - l->prefix < NEAR)
		up_to_crash(l);
	order_window(l);
}

void order_piece(struct leader *l, struct crew_reader *r)
{
	struct crew_piece p;

	crew_get(r, &p, sizeof(p));
	g_hash_table_insert(l->pieces, g_memdup2(&p.from, 8), g_memdup2(&p, sizeof(p)));
	order_next(l);
}

void order_again(struct leader *l, struct member *m, struct crew_reader *r)
{
	struct again a;
	u64 v[2];

	crew_get(r, v, sizeof(v));
	a.execution = v[0];
	a.found = g_array_index(m->known, struct known, v[1]).found;
	g_array_append_val(l->broken, a);
}

/* Those before it may break something first. */
void order_crash(struct leader *l, u64 execution, struct explore_found *f)
{
	if (execution >= l->crashed) {
		explore_found_free(f);
		return;
	}
	l->crashed = execution;
	explore_found_free(l->crash);
	l->crash = f;
}

static int by_time(gconstpointer a, gconstpointer b)
{
	const struct explore_found *x = *(void *const *)a, *y = *(void *const *)b;

	return x->executions < y->executions ? -1 : x->executions > y->executions;
}

/* Those beyond the end were found by somebody who was ahead. */
void order_found(struct leader *l)
{
	GPtrArray *found = l->x->res->found;

	for (u32 i = found->len; i-- > l->older;)
		if (!((struct explore_found *)found->pdata[i])->times)
			g_ptr_array_remove_index(found, i);
	if (found->len > l->older)
		qsort(found->pdata + l->older, found->len - l->older, sizeof(*found->pdata), by_time);
	for (u32 i = l->older; i < found->len; i++)
		((struct explore_found *)found->pdata[i])->executions += l->x->res->before;
}
