// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a step costs, tracing off, clock scheduler with line model on: by workload, since
 * "ns a step" without naming one can be met or missed at will. Targets: docs/performance.md.
 */
#include <pthread.h>

#include "bench.h"
#include "sim/engine/carrier.h"
#include "sim/engine/clock.h"
#include "sim/engine/mem.h"
#include "sim/engine/search.h"
#include "sim/engine/undo.h"

struct shared {
	u16 hot __attribute__((aligned(64)));
	u64 private[18 * 8] __attribute__((aligned(64)));
};

struct work {
	struct shared *hot;	/* one for all */
	struct shared *mine;
	u64 rounds;
};

/* 8,700 cycles and 19 steps: two on a hot line, seventeen on lines of one's own. */
static void seamcall_shaped(void *arg)
{
	struct work *w = arg;

	for (u64 k = 0; k < w->rounds; k++) {
		sim_compute(8700);
		mem_xadd16(&w->hot->hot, 2);
		for (int i = 0; i < 17; i++) {
			if (i & 1)
				mem_read64(&w->mine->private[i * 8]);
			else
				mem_bts64(&w->mine->private[i * 8], 11);
		}
		mem_xadd16(&w->hot->hot, -2);
	}
}

/* Every actor's RMW on one line: somebody else is due after each step. */
static void one_line(void *arg)
{
	struct work *w = arg;

	for (u64 k = 0; k < w->rounds; k++)
		mem_xadd16(&w->hot->hot, 2);
}

struct load {
	void (*fn)(void *);
	u32 actors, steps;	/* steps of one round */
};

static uint64_t run_load(void *arg, uint64_t n)
{
	struct load *l = arg;
	struct sim_options opt = {
		.lps = (u16)l->actors, .packages = 2, .timed = true, .phys = 1 << 20,
	};
	struct sim *sim = sim_new(&opt);
	struct work *w = malloc(l->actors * sizeof(*w));
	struct shared *hot = world_alloc(sizeof(*hot));
	u64 rounds = n / l->actors / l->steps + 1;

	for (u32 i = 0; i < l->actors; i++) {
		w[i] = (struct work){ hot, world_alloc(sizeof(struct shared)), rounds };
		actor_new(sim, "load", (u16)i, l->fn, &w[i]);
	}
	sim_run(sim);
	sim_free(sim);
	free(w);
	return rounds * l->actors * l->steps;
}

/* Two stacks handed to and fro: the switch alone. */
static void *ping_sp, *pong_sp;

static void pong(void)
{
	for (;;)
		actor_switch(&pong_sp, ping_sp);
}

static uint64_t run_switch(void *arg, uint64_t n)
{
	u64 *sp = (u64 *)((u64)malloc(1 << 16) + (1 << 16) - 64);
	char *room = (char *)sp + 64 - (1 << 16);

	/* A first frame, as carrier.c makes it for an actor. */
#if defined(__x86_64__)
	sp = (u64 *)((u64)sp & ~63ull) - 1;
	*--sp = (u64)pong;
	for (int i = 0; i < 6; i++)
		*--sp = 0;
#else
	sp = (u64 *)((u64)sp & ~63ull) - 20;
	sp[11] = (u64)pong;
#endif
	pong_sp = sp;
	for (uint64_t i = 0; i < n / 2; i++)
		actor_switch(&ping_sp, pong_sp);
	free(room);
	return n / 2 * 2;
}

/* A small world: 200 bytes changed in five places, then taken back. */
static uint64_t run_undo(void *arg, uint64_t n)
{
	struct sim_options opt = { .sched = SCHED_CHOOSE, .keyed = true, .phys = 1 << 20 };
	struct sim *sim = sim_new(&opt);
	u64 *world = world_alloc(4096);

	for (uint64_t i = 0; i < n; i++) {
		struct undo_mark m = undo_mark();

		for (int place = 0; place < 5; place++)
			for (int k = 0; k < 5; k++)
				world_set(world[place * 100 + k], i);
		undo_to(m);
	}
	sim_free(sim);
	return n;
}

static uint64_t run_raw(void *arg, uint64_t n)
{
	static u64 word __attribute__((aligned(64)));

	for (uint64_t i = 0; i < n; i++)
		__atomic_fetch_add((u16 *)&word, 2, __ATOMIC_SEQ_CST);
	return n;
}

static uint64_t run_door(void *arg, uint64_t n)
{
	u64 *word = arg;

	for (uint64_t i = 0; i < n; i++)
		mem_xadd16((u16 *)word, 2);
	return n;
}

/* The door of free mode against the atomic it stands for. */
static bool free_door(void)
{
	struct sim_options opt = { .sched = SCHED_FREE, .phys = 1 << 20 };
	struct sim *sim = sim_new(&opt);
	u64 *word = world_alloc(64);
	double raw, door;
	uint64_t n = 1 << 20;
	bool ok;

	sim_self->mode = MODE_FREE;
	raw = bench_value(run_raw, NULL, &n);
	door = bench_value(run_door, word, &n);
	sim_self->mode = MODE_ROOT;
	sim_free(sim);
	ok = door - raw <= 2.0;
	printf("%-36s %9.2f ns  raw %.2f ns, door %.2f ns <=   2.00 ns over%s\n",
	       "free mode: door over raw xadd16", door - raw, raw, door, ok ? "" : "  MISSED");
	return ok;
}

/* What a step costs more with 512 actors than with 8, of SEAMCALL-shaped work */
static bool growth(struct load *few, struct load *many, double most)
{
	uint64_t n = 1 << 20, m = n;
	double a = bench_value(run_load, few, &n), b = bench_value(run_load, many, &m);
	bool ok = b <= most * a;

	printf("%-36s %9.2f x  of %.2f ns <= %6.2f x%s\n", "SEAMCALL-shaped, 512 over 8 actors",
	       b / a, a, most, ok ? "" : "  MISSED");
	return ok;
}

int main(void)
{
	static struct load s8 = { seamcall_shaped, 8, 19 }, s512 = { seamcall_shaped, 512, 19 };
	static struct load h8 = { one_line, 8, 1 }, h512 = { one_line, 512, 1 };
	bool ok = true;

	bench_heading();
	ok &= bench("SEAMCALL-shaped, 8 actors", "step", 10, run_load, &s8);
	ok &= bench("SEAMCALL-shaped, 512 actors", "step", 15, run_load, &s512);
	ok &= growth(&s8, &s512, 2.0);
	ok &= bench("all RMW on one line, 8 actors", "step", 25, run_load, &h8);
	ok &= bench("all RMW on one line, 512 actors", "step", 40, run_load, &h512);
	ok &= bench("switch alone", "switch", 6, run_switch, NULL);
	ok &= bench("undo of a small world (200 bytes)", "undo", 500, run_undo, NULL);
	ok &= free_door();
	return ok ? 0 : 1;
}
