// SPDX-License-Identifier: GPL-2.0-only
/*
 * Steps taken and taken back, and the depth-first search made of them. Rests on the
 * measured choice of an undo log over copies (docs/architecture.md).
 */
#include <string.h>

#include "sim/engine/hash.h"
#include "sim/engine/search.h"
#include "sim/engine/priv.h"

#define DEPTH_MAX	4096
#define INNER_MAX	32

void search_begin(struct sim *sim)
{
	if (sim->opt.sched != SCHED_CHOOSE || !sim->opt.keyed || sim->opt.timed)
		sim_die("a search wants SCHED_CHOOSE, keyed and untimed");
	sched_refresh_modes(sim);
	sim->running = true;
	sim->limit_key = ~0ull - 1;
	for (u32 i = 0; i < the_world->nactors; i++)
		if (actor_enabled(the_world->actor[i]))
			sched_resume(sim, the_world->actor[i]);
	sim->running = false;
}

__attribute__((no_sanitize("address"))) void search_copy_stack(void *to, const void *from, size_t n)
{
	for (size_t i = 0; i < n; i += 8)
		*(volatile u64 *)((char *)to + i) = *(const volatile u64 *)((const char *)from + i);
}

char *search_mark_set(struct sim *sim, struct search_mark *m, struct actor *a, char *room)
{
	m->actor = a;
	m->stack = room;
	m->bytes = (size_t)((char *)a->stack_top - (char *)a->sp);
	m->saved = *a;
	m->undo_length = sim->undo.n;
	m->undo_hash = sim->undo.hash;
	m->seq = sim->seq;
	m->steps = sim->steps;
	m->ring_count = sim->ring_count;
	m->nblocked = sim->nblocked;
	m->violations = sim->violations->len;
	m->stopping = sim->stopping;
	search_copy_stack(room, a->sp, m->bytes);
	return room + ((m->bytes + 63) & ~(size_t)63);
}

void search_step(struct sim *sim, struct actor *a)
{
	sched_resume(sim, a);
}

void search_undo(struct sim *sim, const struct search_mark *m)
{
	undo_to((struct undo_mark){ m->undo_length, m->undo_hash });
	*m->actor = m->saved;
	search_copy_stack(m->saved.sp, m->stack, m->bytes);
	sim->seq = m->seq;
	sim->steps = m->steps;
	sim->ring_count = m->ring_count;
	sim->nblocked = m->nblocked;
	sim->stopping = m->stopping;
	g_ptr_array_set_size(sim->violations, (int)m->violations);
}

/*
 * An actor's part: what its steps returned since it forgot, the step it stands at, its LP,
 * and whether it is parked (READY and BLOCKED are told apart by the world alone). Its number
 * keeps two actors in the same place apart; no address and no stack byte enters.
 */
static u64 actor_key(const struct actor *a)
{
	u64 where = a->state == ACTOR_DONE ? 0 : 1 + site_number(a->pending.site);
	u64 how = (u64)a->lp << 1 | (a->state == ACTOR_PARKED);
	u64 key = hash_fold(a->id + 1u, a->state == ACTOR_DONE ? 0 : a->key, 1);

	return hash_fold(hash_fold(key, where, 2), 3, how);
}

u64 search_key(struct sim *sim)
{
	u64 key = sim->undo.hash;

	for (u32 i = 0; i < the_world->nactors; i++)
		key += actor_key(the_world->actor[i]);
	return key;
}

/* The choices inside one step, counted up like an odometer. */
struct inner {
	u32 n[INNER_MAX], v[INNER_MAX];
	u32 len, at;
};

static u32 inner_pick(struct sim *sim, void *ctx, u32 n, enum choose_why why)
{
	struct inner *in = *(struct inner **)ctx;

	if (in->at == in->len) {
		if (in->len == INNER_MAX)
			sim_die("more than %d choices in one step", INNER_MAX);
		in->n[in->len] = n;
		in->v[in->len++] = 0;
	}
	return in->v[in->at++];
}

static bool inner_next(struct inner *in)
{
	while (in->len && ++in->v[in->len - 1] == in->n[in->len - 1])
		in->len--;
	return in->len != 0;
}

struct dfs {
	struct sim *sim;
	struct search_dfs *s;
	struct inner *inner;	/* of the step being taken */
	char *room_end;
};

static void dfs_visit(struct dfs *d, struct actor *last, int budget, u32 depth, char *room);

/* All outcomes of one step of @a, and what comes after each. */
static void dfs_step(struct dfs *d, struct actor *a, int budget, u32 depth, char *room)
{
	struct inner in = { .len = 0 };
	struct search_mark mark;
	char *next;

	if (room + WORLD_STACK_SIZE > d->room_end)
		sim_die("no room for the stacks of an execution of %u steps", depth);
	do {
		next = search_mark_set(d->sim, &mark, a, room);
		in.at = 0;
		d->inner = &in;
		search_step(d->sim, a);
		d->s->transitions++;
		if (!d->s->step || d->s->step(d->s->ctx))
			dfs_visit(d, a, budget, depth + 1, next);
		search_undo(d->sim, &mark);
	} while (inner_next(&in));
}

static void dfs_visit(struct dfs *d, struct actor *last, int budget, u32 depth, char *room)
{
	u32 total = the_world->nactors;
	bool free_switch = !last || !actor_enabled(last), any = false;

	if (depth > d->s->depth)
		d->s->depth = depth;
	if (depth == DEPTH_MAX)
		sim_die("an execution of more than %d steps: a loop without an end?", DEPTH_MAX);
	for (u32 i = 0; i < total && !d->sim->stopping; i++) {
		struct actor *a = the_world->actor[i];
		int cost = d->s->preemptions >= 0 && !free_switch && a != last;

		if (!actor_enabled(a))
			continue;
		any = true;
		if (cost <= budget)
			dfs_step(d, a, budget - cost, depth, room);
	}
	if (any)
		return;
	d->s->executions++;
	if (d->s->leaf)
		d->s->leaf(d->s->ctx);
}

void search_dfs(struct sim *sim, struct search_dfs *s)
{
	struct dfs d = { .sim = sim, .s = s };
	struct choose_driver driver = { inner_pick, &d.inner };
	size_t bytes = DEPTH_MAX * 4096ul + WORLD_STACK_SIZE;	/* touched as it is used */
	char *room = g_malloc(bytes);

	d.room_end = room + bytes;
	choose_drive(sim, &driver);
	dfs_visit(&d, NULL, s->preemptions < 0 ? 0 : s->preemptions, 0, room);
	choose_drive(sim, NULL);
	g_free(room);
}
