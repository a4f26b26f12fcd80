// SPDX-License-Identifier: GPL-2.0-only
/*
 * Steps taken and taken back, and a state's key: what every search is made of. Rests on the
 * measured choice of an undo log over copies (docs/architecture.md).
 */
#include <stdlib.h>
#include <string.h>

#include "sim/engine/hash.h"
#include "sim/engine/search.h"
#include "sim/engine/priv.h"

void search_begin(struct sim *sim)
{
	if (sim->opt.sched != SCHED_CHOOSE || !sim->opt.keyed || sim->opt.timed)
		sim_die("a search wants SCHED_CHOOSE, keyed and untimed");
	sched_refresh_modes(sim);
	sim->running = true;
	sim->limit_key = ~0ull - 1;
	/* Who stands before a step already (a take-over in mid-run) is there. */
	for (u32 i = 0; i < the_world->nactors; i++)
		if (actor_enabled(the_world->actor[i]) && !the_world->actor[i]->pending.site)
			sched_resume(sim, the_world->actor[i]);
	sim->running = false;
}

/*
 * Time ends here: all clocks are made equal, so that none tells two states apart or says
 * who is later than whom.
 */
void search_take_over(struct sim *sim)
{
	u64 now = sim_cycles(sim);

	sim->opt.sched = SCHED_CHOOSE;
	sim->opt.timed = false;
	sim->opt.keyed = true;
	sim->opt.max_steps = sim->opt.max_cycles = 0;
	sim->tour.leaves = 0;
	sim->stopping = false;
	sim->now = now;
	for (u32 i = 0; i < the_world->nactors; i++) {
		the_world->actor[i]->clock = now;
		the_world->actor[i]->horizon = ~0ull;
	}
	undo_enable(true);
	sched_refresh_modes(sim);
}

#if defined(__SANITIZE_ADDRESS__)
#define SEARCH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SEARCH_ASAN 1
#endif
#endif

__attribute__((no_sanitize("address"))) void search_copy_stack(void *to, const void *from, size_t n)
{
#ifdef SEARCH_ASAN
	for (size_t i = 0; i < n; i += 8)
		*(volatile u64 *)((char *)to + i) = *(const volatile u64 *)((const char *)from + i);
#else
	memcpy(to, from, n);
#endif
}

char *search_mark_set(struct sim *sim, struct search_mark *m, struct actor *a, char *room)
{
	m->actor = a;
	m->stack = room;
	m->bytes = (size_t)((char *)a->stack_top - (char *)a->sp);
	actor_keep(&m->saved, a);
	m->undo_length = sim->undo.n;
	m->undo_hash = sim->undo.hash;
	m->undo_hash_hi = sim->undo.hash_hi;
	m->seq = sim->seq;
	m->steps = sim->steps;
	m->ring_count = sim->ring_count;
	m->nblocked = sim->nblocked;
	m->violations = sim->violations->len;
	m->stopping = sim->stopping;
	m->box = sim->box ? sim->box->n : 0;
	sim->touched = false;
	search_copy_stack(room, a->sp, m->bytes);
	return room + ((m->bytes + 63) & ~(size_t)63);
}

void search_step(struct sim *sim, struct actor *a)
{
	search_box_add(sim->box, a->id);
	if (sim->box)
		sim->box->site = a->pending.site;
	sched_resume(sim, a);
}

void search_undo(struct sim *sim, const struct search_mark *m)
{
	undo_to((struct undo_mark){ m->undo_length, m->undo_hash, m->undo_hash_hi });
	actor_keep(m->actor, &m->saved);
	search_copy_stack(m->saved.sp, m->stack, m->bytes);
	sim->seq = m->seq;
	sim->steps = m->steps;
	sim->ring_count = m->ring_count;
	sim->nblocked = m->nblocked;
	sim->stopping = m->stopping;
	if (sim->box)
		sim->box->n = m->box;
	if (unlikely(sim->violations->len > m->violations))
		g_ptr_array_set_size(sim->violations, (int)m->violations);
}

/*
 * An actor's part: what its steps returned since it forgot, the step it stands at, its LP,
 * and whether it is parked (READY and BLOCKED are told apart by the world alone). Its number
 * keeps two actors in the same place apart; no address and no stack byte enters.
 */
static inline struct hash_wide actor_key(const struct actor *a)
{
	bool done = a->state == ACTOR_DONE;
	u64 where = done ? 0 : 1 + (u64)site_number(a->pending.site);
	u64 what = where << 27 | (u64)a->lp << 11 | a->id << 1 | (a->state == ACTOR_PARKED);

	return hash_mix_wide((done ? 0 : a->key) ^ 0x8ebc6af09c88c6e3ull,
			     (2 * what + 1) * 0x9e3779b97f4a7c15ull);
}

struct search_id search_actors(struct sim *sim)
{
	struct search_id id = { 0 };

	sim->touched = false;
	for (u32 i = 0; i < the_world->nactors; i++) {
		struct hash_wide key = actor_key(the_world->actor[i]);

		id.lo += key.lo;
		id.hi += (u32)key.hi;
	}
	return id;
}

struct search_id search_actors_after(struct sim *sim, const struct search_mark *m,
				     struct search_id before)
{
	struct hash_wide old, now;

	if (sim->touched)	/* others than the one that took the step */
		return search_actors(sim);
	old = actor_key(&m->saved);
	now = actor_key(m->actor);
	return (struct search_id){ before.lo - old.lo + now.lo,
				   before.hi - (u32)old.hi + (u32)now.hi };
}

struct search_id search_id_of(const struct sim *sim, struct search_id actors)
{
	return (struct search_id){ actors.lo + sim->undo.hash,
				   actors.hi + (u32)sim->undo.hash_hi };
}

struct search_id search_id(struct sim *sim)
{
	return search_id_of(sim, search_actors(sim));
}

u64 search_key(struct sim *sim)
{
	return search_id(sim).lo;
}

bool search_enabled(const struct actor *a)
{
	return actor_enabled(a);
}

u32 search_progress(struct sim *sim)
{
	u32 got = sim->progress;

	sim->progress = 0;
	return got;
}

/* ---- inside one step ---- */

u32 inner_pick(struct sim *sim, void *ctx, u32 n, enum choose_why why)
{
	struct inner *in = *(struct inner **)ctx;

	if (in->later && why == CHOOSE_INTERRUPT) {
		in->postponed = true;
		return 0;
	}
	if (in->at == in->len) {
		if (in->len == INNER_MAX || n > 255)
			sim_die("more than %d choices in one step", INNER_MAX);
		in->n[in->len] = (u8)n;
		in->v[in->len++] = 0;
	}
	in->postponed |= why == CHOOSE_INTERRUPT && !in->v[in->at];
	search_box_add(sim->box, (u16)(0x8000u | in->v[in->at]));
	return in->v[in->at++];
}

bool inner_next(struct inner *in)
{
	while (in->len && ++in->v[in->len - 1] == in->n[in->len - 1])
		in->len--;
	return in->len != 0;
}

/* ---- the end of an execution ---- */

static bool deadlocked(struct sim *sim)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f;

	if (!sched_is_deadlock(sim))
		return false;
	f = open_memstream(&text, &n);
	sim_explain(sim, f);
	fclose(f);
	while (n && text[n - 1] == '\n')
		text[--n] = '\0';
	for (char *p = text; (p = strchr(p, '\n')); p++)
		*p = ';';
	check_fail("deadlock", "", "%s", text);
	free(text);
	return true;
}

void search_end(struct sim *sim)
{
	if (!deadlocked(sim))
		sched_at_end(sim);
}
