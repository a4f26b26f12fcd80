// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random small programs, held against what must not depend on how they are run: every path
 * of the clock scheduler gives the same result, the line model agrees with a naive second
 * one, a step taken back leaves no byte changed, a search counts what an independent
 * enumerator counts, no wake-up is lost, real threads count exactly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <glib.h>

#include "property_program.h"
#include "sim/engine/clock.h"
#include "sim/engine/line.h"
#include "sim/engine/lp.h"
#include "sim/engine/mem.h"
#include "sim/engine/priv.h"
#include "sim/engine/search.h"

/* --- one result on every path ------------------------------------------------------------ */

static void record(void *ctx, const struct event *ev)
{
	g_string_append_printf(ctx, "%llu %llu %u %u %u %llx %llx %llx\n",
			       (unsigned long long)ev->seq, (unsigned long long)ev->clock,
			       ev->actor, ev->type, ev->op, (unsigned long long)ev->old,
			       (unsigned long long)ev->value, (unsigned long long)ev->status);
}

struct outcome {
	enum sim_end end;
	struct shared shared;
	u64 clock[ACTORS], steps[ACTORS];
};

static struct outcome run(const struct program *p, enum sim_carrier carrier, bool hub,
			  GString *events)
{
	struct sim_options opt = { .carrier = carrier, .max_steps = hub ? 1 << 20 : 0 };
	struct player players[ACTORS];
	struct outcome out;
	struct shared *s;
	struct sim *sim = program_start(&opt, p, players, &s);

	memset(&out, 0, sizeof(out));
	if (events)
		trace_listen(sim, record, events);
	out.end = sim_run(sim);
	out.shared = *s;
	for (u32 i = 0; i < p->actors; i++) {
		out.clock[i] = actor_by_id(sim, (u16)i)->clock;
		out.steps[i] = actor_by_id(sim, (u16)i)->steps;
	}
	sim_free(sim);
	return out;
}

static void test_paths_agree(void **state)
{
	struct program p;
	struct rng r;
	u64 ends[8] = { 0 };

	rng_seed(&r, 1);
	for (u32 i = 0; i < 60; i++) {
		GString *one = g_string_new(NULL), *two = g_string_new(NULL), *three = g_string_new(NULL);
		struct outcome fast, heard, hub, threads;

		program_draw(&r, &p, 2 + rng_below(&r, ACTORS - 1), 70, K_RANDOM, true, i & 1);
		fast = run(&p, CARRIER_FIBER, false, NULL);
		heard = run(&p, CARRIER_FIBER, false, one);
		hub = run(&p, CARRIER_FIBER, true, two);
		threads = run(&p, CARRIER_PTHREAD, false, three);
		assert_memory_equal(&fast, &heard, sizeof(fast));
		assert_memory_equal(&fast, &hub, sizeof(fast));
		assert_memory_equal(&fast, &threads, sizeof(fast));
		assert_true(one->len > 0);
		assert_string_equal(one->str, two->str);
		assert_string_equal(one->str, three->str);
		ends[fast.end]++;
		g_string_free(one, TRUE);
		g_string_free(two, TRUE);
		g_string_free(three, TRUE);
	}
	assert_true(ends[SIM_DONE] > 20);
}

/* --- a second line model ------------------------------------------------------------------ */

/* The four LPs that actors run on: the first half of them are on package 0. */
struct naive_line {
	u64 busy;
	u32 owner;		/* LP + 1; 0: nobody wrote it */
	bool read_by[4];	/* since it was written; not the owner */
	bool written;		/* and nobody read it since */
	u32 home;		/* package + 1 that touched it first */
};

struct naive {
	struct sim *sim;
	struct player *players;
	struct naive_line line[LINES];
	u64 clock[ACTORS];
	u32 touched;		/* lines */
	struct shared *s;
	u32 seen;
};

/* Who else has it: on this package, on the other one? */
static void naive_others(const struct naive_line *l, u32 lp, bool *near, bool *far)
{
	*near = *far = false;
	for (u32 i = 0; i < 4; i++) {
		if (i == lp || !(l->read_by[i] || l->owner == i + 1))
			continue;
		if (i / 2 == lp / 2)
			*near = true;
		else
			*far = true;
	}
}

static enum cost_key naive_price(const struct naive_line *l, u32 lp, enum mem_op op)
{
	bool read = op == MEM_READ, has = l->read_by[lp] || l->owner == lp + 1, near, far;

	naive_others(l, lp, &near, &far);
	if (has && (read || (!near && !far)))
		return read || op == MEM_WRITE ? COST_L1_HIT :
		       op == MEM_CMPXCHG ? COST_CMPXCHG_OWNED : COST_RMW_OWNED;
	if (read ? l->written : near || far) {
		if (read)
			return near ? COST_LINE_SAME_SOCKET : COST_LINE_CROSS_SOCKET;
		return far ? COST_LINE_CROSS_SOCKET : COST_LINE_SAME_SOCKET;
	}
	if (near || (!(read && l->owner && l->owner != lp + 1) && l->home == lp / 2 + 1))
		return COST_L3_HIT;
	return COST_DRAM_REMOTE;
}

static u64 naive_step(struct naive *n, u32 lp, u32 number, enum mem_op op, u64 now)
{
	struct naive_line *l = &n->line[number];
	enum cost_key key;
	bool read = op == MEM_READ, hit;

	l->home = l->home ? l->home : lp / 2 + 1;
	key = naive_price(l, lp, op);
	hit = key == COST_L1_HIT || key == COST_RMW_OWNED || key == COST_CMPXCHG_OWNED;
	if (!hit && now < l->busy)
		now = l->busy;
	now += n->sim->cost[key];
	if (!hit && !(read && !l->written))
		l->busy = now;
	if (read) {
		if (l->owner != lp + 1) {
			l->read_by[lp] = true;
			l->written = false;
		}
		return now;
	}
	memset(l->read_by, 0, sizeof(l->read_by));
	l->owner = lp + 1;
	l->written = true;
	return now;
}

static void naive_event(void *ctx, const struct event *ev)
{
	struct naive *n = ctx;
	u64 now = n->clock[ev->actor] + n->players[ev->actor].computed;
	u32 number;

	if (ev->type != EV_STEP)
		return;
	n->seen++;
	n->players[ev->actor].computed = 0;
	if (ev->op == MEM_FENCE) {
		now += n->sim->cost[COST_RMW_OWNED];
	} else {
		number = (u32)(((u64)ev->p - (u64)n->s->words) / CACHE_LINE);
		assert_true(number < LINES);
		now = naive_step(n, ev->actor % 4, number, ev->op, now);
	}
	assert_int_equal(ev->clock, now);
	n->clock[ev->actor] = now;
}

static void test_line_oracle(void **state)
{
	struct program p;
	struct rng r;

	rng_seed(&r, 2);
	for (u32 i = 0; i < 200; i++) {
		/* Sharers are kept in a word, or in sets beside it. */
		struct sim_options opt = { .lps = i & 1 ? 72 : 4 };
		struct player players[ACTORS];
		struct naive n = { .players = players };

		program_draw(&r, &p, 2 + rng_below(&r, ACTORS - 1), 80, K_PLAIN, false, false);
		n.sim = program_start(&opt, &p, players, &n.s);
		trace_listen(n.sim, naive_event, &n);
		assert_int_equal(sim_run(n.sim), SIM_DONE);
		assert_true(n.seen > 20);
		sim_free(n.sim);
	}
}

/* --- what is taken back is taken back whole ------------------------------------------------ */

struct span {
	char *at;
	size_t bytes;
};

/* All of the world that these programs can touch; of a stack, what is live. */
static u32 spans(struct sim *sim, struct span *v)
{
	u32 n = 0;

	v[n++] = (struct span){ world_base, 512 << 10 };
	v[n++] = (struct span){ world_base + WORLD_CARVE, 64 << 10 };
	v[n++] = (struct span){ world_base + WORLD_STATE, (512 << 10) / CACHE_LINE };
	v[n++] = (struct span){ world_base + WORLD_STATE + WORLD_FRAMES / CACHE_LINE,
				(1 << 20) / PAGE_SIZE };
	v[n++] = (struct span){ (char *)page_line(0), (1 << 20) / PAGE_SIZE * CACHE_LINE };
	v[n++] = (struct span){ world_phys, 1 << 20 };
	for (u32 i = 0; i < actor_count(sim); i++) {
		struct actor *a = actor_by_id(sim, (u16)i);

		v[n++] = (struct span){ a->sp, (size_t)((char *)a->stack_top - (char *)a->sp) };
	}
	return n;
}

static char *world_copy(struct sim *sim, u64 *key)
{
	struct span v[8 + ACTORS];
	u32 n = spans(sim, v);
	size_t bytes = 0;
	char *copy, *to;

	for (u32 i = 0; i < n; i++)
		bytes += v[i].bytes;
	to = copy = g_malloc(bytes);
	for (u32 i = 0; i < n; i++) {
		memcpy(to, v[i].at, v[i].bytes);
		to += v[i].bytes;
	}
	*key = search_key(sim);
	return copy;
}

static void world_same(struct sim *sim, const char *copy, u64 key)
{
	struct span v[8 + ACTORS];
	u32 n = spans(sim, v);

	for (u32 i = 0; i < n; i++) {
		if (memcmp(copy, v[i].at, v[i].bytes))
			for (size_t k = 0; k < v[i].bytes; k++)
				if (copy[k] != v[i].at[k])
					fail_msg("area %u, byte %zu of %zu was not taken back", i, k,
						 v[i].bytes);
		copy += v[i].bytes;
	}
	assert_true(search_key(sim) == key);
}

static u32 pick_random(struct sim *sim, void *ctx, u32 n, enum choose_why why)
{
	return rng_below(ctx, n);
}

/* Down a random way, a look back at some places, and up again. */
static void down(struct sim *sim, struct rng *r, u32 depth)
{
	static char rooms[12][WORLD_STACK_SIZE];
	struct actor *list[ACTORS_MAX];
	u32 n = sched_enabled(sim, list);
	struct search_mark mark;
	char *copy;
	u64 key;

	if (!n || depth == ARRAY_SIZE(rooms))
		return;
	copy = world_copy(sim, &key);
	for (u32 again = rng_below(r, 3) ? 1 : 2; again; again--) {
		search_mark_set(sim, &mark, list[rng_below(r, n)], rooms[depth]);
		search_step(sim, mark.actor);
		down(sim, r, depth + 1);
		search_undo(sim, &mark);
		world_same(sim, copy, key);
	}
	g_free(copy);
}

static __maybe_unused void test_undo_whole(void **state)
{
	struct program p;
	struct rng r;

	rng_seed(&r, 3);
	for (u32 i = 0; i < 6; i++) {
		struct sim_options opt = {
			.sched = SCHED_CHOOSE, .keyed = true,
			.carrier = i & 1 ? CARRIER_PTHREAD : CARRIER_FIBER,
		};
		struct choose_driver driver = { pick_random, &r };
		struct player players[ACTORS];
		struct shared *s;
		struct sim *sim;

		program_draw(&r, &p, 4, 60, K_RANDOM, true, true);
		program_append(&p, 0, (struct op){ .kind = K_CHOOSE, .a = 3 });
		sim = program_start(&opt, &p, players, &s);
		search_begin(sim);
		choose_drive(sim, &driver);
		down(sim, &r, 0);
		choose_drive(sim, NULL);
		sim_free(sim);
	}
}

/* --- a search counts what there is ---------------------------------------------------------- */

static bool is_step(const struct op *o)
{
	return o->kind != K_CHOOSE && o->kind != K_COMPUTE;
}

struct model {
	const struct program *p;
	u32 pc[ACTORS];
	bool flag[FLAGS];
};

static u64 enumerate(struct model m)
{
	u64 sum = 0;
	bool any = false;

	for (u32 a = 0; a < m.p->actors; a++) {
		const struct op *o = &m.p->op[a][m.pc[a]];
		struct model next = m;
		u64 ways = 1;

		if (m.pc[a] == m.p->len[a] || (o->kind == K_AWAIT && !m.flag[o->at]))
			continue;
		any = true;
		if (o->kind == K_RELEASE)
			next.flag[o->at] = true;
		next.pc[a]++;
		while (next.pc[a] < m.p->len[a] && !is_step(&m.p->op[a][next.pc[a]]))
			if (m.p->op[a][next.pc[a]++].kind == K_CHOOSE)
				ways *= m.p->op[a][next.pc[a] - 1].a;
		sum += ways * enumerate(next);
	}
	return any ? sum : 1;
}

static __maybe_unused void test_search_counts(void **state)
{
	struct program p;
	struct rng r;
	u64 most = 0;

	rng_seed(&r, 4);
	for (u32 i = 0; i < 40; i++) {
		struct sim_options opt = { .sched = SCHED_CHOOSE, .keyed = true };
		struct search_dfs s = { .preemptions = -1 };
		struct player players[ACTORS];
		struct shared *sh;
		struct sim *sim;
		struct model m = { .p = &p };

		program_draw(&r, &p, 2 + rng_below(&r, 2), 7, K_FENCE, true, false);
		for (u32 k = rng_below(&r, 3); k; k--) {
			u32 a = rng_below(&r, p.actors);

			if (p.len[a])	/* what is before the first step is nobody's choice */
				program_append(&p, a, (struct op){
					.kind = K_CHOOSE, .a = 2 + rng_below(&r, 2) });
		}
		sim = program_start(&opt, &p, players, &sh);
		search_begin(sim);
		search_dfs(sim, &s);
		assert_int_equal(s.executions, enumerate(m));
		if (s.executions > most)
			most = s.executions;
		sim_free(sim);
	}
	assert_true(most > 500);
}

/* --- no wake-up is lost ------------------------------------------------------------------- */

static void test_wakeups(void **state)
{
	struct program p;
	struct rng r;

	rng_seed(&r, 5);
	for (u32 i = 0; i < 300; i++) {
		struct sim_options opt = {
			.sched = SCHED_RANDOM, .seed = i, .timed = i & 1,
			.carrier = i % 16 ? CARRIER_FIBER : CARRIER_PTHREAD,
		};
		struct player players[ACTORS];
		struct shared *s;
		struct sim *sim;

		program_draw(&r, &p, 2 + rng_below(&r, ACTORS - 1), 60, K_RANDOM, true, false);
		sim = program_start(&opt, &p, players, &s);
		assert_int_equal(sim_run(sim), SIM_DONE);
		sim_free(sim);
	}
}

/* --- real threads --------------------------------------------------------------------------- */

struct mixed {
	u64 word;		/* u16 at 0 and 2, u8 at 4, a bit lock at 63 */
	u64 inside;
	u64 turn;
} __attribute__((aligned(64)));

enum { ROUNDS = 2000 };

static void mixer(void *arg)
{
	struct mixed *m = arg;
	u64 seen, mine;

	for (u32 i = 0; i < ROUNDS; i++) {
		mem_xadd16((u16 *)&m->word, 1);
		mem_xadd8((u8 *)&m->word + 4, 1);
		seen = mem_read64(&m->word);
		for (;;) {	/* +1 in the second 16 bits, by the whole word */
			mine = (seen & ~0xffff0000ull) | ((seen + 0x10000) & 0xffff0000ull);
			mine = mem_cmpxchg64(&m->word, seen, mine);
			if (mine == seen)
				break;
			seen = mine;
		}
		while (mem_bts64(&m->word, 63))
			mem_await64(&m->word, 1ull << 63, 0);
		mine = mem_read64(&m->inside);
		mem_write64(&m->inside, mine + 1);
		mem_btr64(&m->word, 63);
		mem_wake(&m->word);
	}
}

static void taker(void *arg)
{
	struct mixed *m = arg;
	u64 id = actor_self()->id & 1;

	for (u64 i = 0; i < 200; i++) {
		mem_await64(&m->turn, ~0ull, 2 * i + id);
		mem_write64(&m->turn, 2 * i + id + 1);
		mem_wake(&m->turn);
	}
}

static void test_free_counts(void **state)
{
	struct sim_options opt = { .sched = SCHED_FREE, .lps = 8, .phys = 1 << 20 };
	struct sim *sim = sim_new(&opt);
	struct mixed *m = world_alloc(sizeof(*m)), *t = world_alloc(sizeof(*t));
	u64 word;

	while (actor_count(sim) & 1)	/* the takers tell themselves apart by their number */
		actor_new(sim, "mixer", 7, mixer, m);
	for (u16 i = 0; i < 2; i++)
		actor_new(sim, "taker", i, taker, t);
	for (u16 i = 0; i < 3; i++)
		actor_new(sim, "mixer", (u16)(2 + i), mixer, m);
	assert_int_equal(sim_run(sim), SIM_DONE);
	word = mem_peek64(&m->word);
	m->turn = mem_peek64(&m->inside) / ROUNDS;	/* how many mixers there were */
	assert_int_equal(mem_peek64(&m->inside), m->turn * ROUNDS);
	assert_int_equal(word & 0xffff, m->turn * ROUNDS);
	assert_int_equal(word >> 16 & 0xffff, m->turn * ROUNDS);
	assert_int_equal(word >> 32 & 0xff, m->turn * ROUNDS & 0xff);
	assert_int_equal(word >> 40, 0);
	assert_true(m->turn >= 3);
	assert_int_equal(mem_peek64(&t->turn), 400);
	sim_free(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths_agree),
		cmocka_unit_test(test_line_oracle),
#ifndef DOOR_TSAN	/* it does not follow a stack that is put back */
		cmocka_unit_test(test_undo_whole),
		cmocka_unit_test(test_search_counts),
#endif
		cmocka_unit_test(test_wakeups),
		cmocka_unit_test(test_free_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
