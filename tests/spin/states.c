// SPDX-License-Identifier: GPL-2.0-only
/*
 * states KIND NPROC TRIES GUESTS WRITERS: the lock states that a search of every interleaving
 * meets, of the program that locks.pml describes, on the module's own lock functions. compare.py
 * compares them with spin's.
 */
#include "sim/engine/arena.h"
#include "sim/engine/explore.h"
#include "sim/engine/undo.h"
#include "tdxmod/lock.h"
#include "tdxmod/status.h"
#include "tests/spin/note.h"

enum { MUTEX, SHAREX, SHAREX_HP, SEPT };
enum { FREE, SHARED, EXCLUSIVE };

#define ACTORS	8

/* World. */
struct program {
	u64 word;
	u32 kind, n, tries;
	u64 guests, writers;
	/* A byte each would be a word of eight actors'; they change by no step. */
	u64 tried[ACTORS], held[ACTORS];
};

struct actor_of {
	struct program *p;
	u32 me;
};

static u64 acquire(struct program *p, enum lock_side side, bool writer)
{
	switch (p->kind) {
	case MUTEX:
		return mutex8_acquire((u8 *)&p->word, "l");
	case SHAREX:
		return writer ? sharex_acquire_ex((u16 *)&p->word, "l") :
				sharex_acquire_sh((u16 *)&p->word, "l");
	case SHAREX_HP:
		return sharex_hp_acquire((u16 *)&p->word, writer ? LOCK_EXCLUSIVE : LOCK_SHARED, side,
					 "l");
	default:
		return side == SIDE_GUEST ? sept_lock_guest(&p->word) : sept_lock_host(&p->word);
	}
}

static void release(struct program *p, bool writer)
{
	if (p->kind == MUTEX)
		mutex8_release((u8 *)&p->word, "l");
	else if (p->kind == SHAREX && writer)
		sharex_release_ex((u16 *)&p->word, "l");
	else if (p->kind == SHAREX)
		sharex_release_sh((u16 *)&p->word, "l");
	else if (p->kind == SHAREX_HP)
		sharex_hp_release((u16 *)&p->word, writer ? LOCK_EXCLUSIVE : LOCK_SHARED, "l");
	else
		sept_unlock(&p->word);
}

static void actor_main(void *arg)
{
	struct actor_of *a = arg;
	struct program *p = a->p;
	bool writer = p->writers >> a->me & 1;
	enum lock_side side = p->guests >> a->me & 1 ? SIDE_GUEST : SIDE_HOST;

	for (u32 i = 0; i < p->tries; i++) {
		actor_forget(i);
		if (acquire(p, side, writer) != TDX_SUCCESS) {
			world_set(p->tried[a->me], i + 1);
			continue;
		}
		world_set(p->held[a->me], writer || p->kind == MUTEX || p->kind == SEPT ? EXCLUSIVE :
			  SHARED);
		release(p, writer);
		world_set(p->held[a->me], FREE);
		return;
	}
}

static void state(void *ctx)
{
	const struct program *p = ctx;
	u8 tried[ACTORS], held[ACTORS];
	u32 word = (u32)p->word;

	for (u32 i = 0; i < p->n; i++) {
		tried[i] = (u8)p->tried[i];
		held[i] = (u8)p->held[i];
	}
	if (p->kind == SEPT)
		word = (p->word & SEPT_TDEL ? 1 : 0) | (p->word & SEPT_TDHP ? 2 : 0);
	note(word, tried, held, (int)p->n);
}

int main(int argc, char **argv)
{
	struct sim_options opt = { .sched = SCHED_CHOOSE, .keyed = true, .phys = 1 << 20 };
	struct explore_options o = { .preemptions = -1, .keep_going = true, .step = state };
	struct explore_result *r;
	struct program *p;
	struct sim *sim;

	if (argc != 6)
		return 2;
	opt.lps = (u16)atoi(argv[2]);
	if (!opt.lps || opt.lps > ACTORS)
		return 2;
	sim = sim_new(&opt);
	if (!sim)
		return 2;
	p = world_alloc(sizeof(*p));
	world_set(p->kind, (u32)atoi(argv[1]));
	world_set(p->n, opt.lps);
	world_set(p->tries, (u32)atoi(argv[3]));
	world_set(p->guests, (u64)atoi(argv[4]));
	world_set(p->writers, (u64)atoi(argv[5]));
	for (u32 i = 0; i < p->n; i++) {
		struct actor_of *a = world_alloc(sizeof(*a));

		*a = (struct actor_of){ p, i };
		actor_new(sim, "actor", (u16)i, actor_main, a);
	}
	search_begin(sim);
	o.ctx = p;
	state(p);
	r = explore(sim, &o);
	for (u32 i = 0; i < r->found->len; i++)
		if (!strcmp(((struct explore_found *)r->found->pdata[i])->id, "module-fatal"))
			note_fatal();
	if (r->word != EXPLORE_PROVED)
		return 2;
	explore_result_free(r);
	sim_free(sim);
	return 0;
}
