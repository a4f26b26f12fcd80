// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must not depend on how a search is made: random small programs have the same final
 * states and the same verdicts with hashing, with sleep sets, with neither, and however few
 * switches or samples they are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <glib.h>

#include "sim/engine/arena.h"
#include "sim/engine/check.h"
#include "sim/engine/choose.h"
#include "sim/engine/explore.h"
#include "sim/engine/meets.h"
#include "sim/engine/mem.h"
#include "sim/engine/rng.h"
#include "sim/engine/undo.h"

enum { ACTORS = 3, OPS = 4, WORDS = 3, PROGRAMS = 200 };

struct op {
	u8 kind, at, a, b;
};

struct program {
	u32 actors, len[ACTORS];
	struct op op[ACTORS][OPS];
};

struct shared {
	u64 word[WORDS];
	u64 seen[ACTORS];	/* at its end: what each actor's steps returned */
};

struct part {
	const struct program *p;
	struct shared *s;
	u32 id;
};

static u64 take(const struct op *o, u64 *p)
{
	switch (o->kind) {
	case 0:
		return mem_read64(p);
	case 1:
		mem_write64(p, o->a);
		return 0;
	case 2:
		return mem_bts64(p, o->a);
	case 3:
		return mem_btr64(p, o->a);
	case 4:
		return mem_cmpxchg64(p, o->a, o->b);
	case 5:
		return mem_xadd64(p, o->b) & 3;
	case 6:
		return choose(2, CHOOSE_MODEL);
	default:
		mem_await64(p, 1, o->a & 1);
		return 0;
	}
}

static void run_part(void *arg)
{
	const struct part *me = arg;
	u64 seen = 0;
	char where[16];

	for (u32 i = 0; i < me->p->len[me->id]; i++) {
		const struct op *o = &me->p->op[me->id][i];
		u64 r = take(o, &me->s->word[o->at]);

		/* Its own until the end, so that before it nothing but its key tells two pasts apart. */
		seen = seen * 5 + r + 1;
		/* A rule that looks at another word than the step is on. */
		snprintf(where, sizeof(where), "%u.%u", me->id, i);
		if ((r & 1) && o->b && mem_peek64(&me->s->word[(o->at + 1) % WORDS]) & 2)
			check_fail("data-race", where, "seen");
	}
	world_set(me->s->seen[me->id], seen);
}

static void draw(struct rng *r, struct program *p)
{
	memset(p, 0, sizeof(*p));
	p->actors = 2 + rng_below(r, 2);
	for (u32 a = 0; a < p->actors; a++) {
		p->len[a] = 2 + rng_below(r, p->actors == 2 ? 3 : 2);
		for (u32 i = 0; i < p->len[a]; i++)
			p->op[a][i] = (struct op){
				(u8)rng_below(r, rng_below(r, 3) ? 6 : 8), (u8)rng_below(r, WORDS),
				(u8)rng_below(r, 3), (u8)rng_below(r, 3),
			};
	}
}

struct ends {
	struct sim *sim;
	struct shared *s;
	GHashTable *final;	/* what was left: words and results */
};

static void note_end(void *ctx)
{
	struct ends *e = ctx;

	if (!check_fatal(e->sim))
		g_hash_table_add(e->final, g_compute_checksum_for_data(G_CHECKSUM_SHA1,
				 (const guchar *)e->s, sizeof(*e->s)));
}

struct outcome {
	GHashTable *final;
	GHashTable *broken;
	enum explore_word word;
	u64 executions, states, transitions;
};

static struct outcome outcome_of(const struct program *p, struct explore_options opt)
{
	struct sim_options so = { .sched = SCHED_CHOOSE, .keyed = true, .lps = ACTORS,
				  .phys = 1 << 20 };
	struct part part[ACTORS];
	struct explore_result *r;
	struct outcome out = {
		.final = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.broken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
	};
	struct ends e = { sim_new(&so), NULL, out.final };
	struct search_id before, after;

	assert_non_null(e.sim);
	e.s = world_alloc(sizeof(*e.s));
	for (u32 i = 0; i < p->actors; i++) {
		part[i] = (struct part){ p, e.s, i };
		actor_new(e.sim, (const char *[]){ "a", "b", "c" }[i], (u16)i, run_part, &part[i]);
	}
	search_begin(e.sim);
	opt.keep_going = true;
	opt.leaf = note_end;
	opt.ctx = &e;
	before = search_id(e.sim);
	r = explore(e.sim, &opt);
	after = search_id(e.sim);
	assert_true(before.lo == after.lo && before.hi == after.hi);
	for (u32 i = 0; i < r->found->len; i++) {
		const struct explore_found *f = r->found->pdata[i];

		g_hash_table_add(out.broken, g_strdup_printf("%s %s", f->id, f->where));
	}
	out.word = r->word;
	out.executions = r->executions;
	out.states = r->states;
	out.transitions = r->transitions;
	explore_result_free(r);
	sim_free(e.sim);
	return out;
}

static void outcome_free(struct outcome *o)
{
	g_hash_table_unref(o->final);
	g_hash_table_unref(o->broken);
}

static bool within(GHashTable *small, GHashTable *large)
{
	GHashTableIter it;
	gpointer key;

	g_hash_table_iter_init(&it, small);
	while (g_hash_table_iter_next(&it, &key, NULL))
		if (!g_hash_table_contains(large, key))
			return false;
	return true;
}

static bool equal(GHashTable *a, GHashTable *b)
{
	return g_hash_table_size(a) == g_hash_table_size(b) && within(a, b);
}

static void test_reductions_lose_nothing(void **state)
{
	u64 met_transitions = 0, wide_transitions = 0;
	u64 plain_executions = 0, sleep_executions = 0, broken = 0, final = 0, stuck = 0;
	struct program p;
	struct rng r;

	rng_seed(&r, 1);
	for (u32 i = 0; i < PROGRAMS; i++) {
		struct explore_options opt = { .preemptions = -1, .no_reduction = true };
		struct outcome plain, hash, sleep, wide, few, few_hash, random, pct, mix, met;
		struct meets *meets = meets_new();

		draw(&r, &p);
		plain = outcome_of(&p, opt);
		opt.no_reduction = false;
		opt.verify_key = 20;
		hash = outcome_of(&p, opt);
		opt.verify_key = 0;
		opt.no_hash = true;
		sleep = outcome_of(&p, opt);
		opt.preemptions = 1;
		few = outcome_of(&p, opt);
		opt.no_hash = false;
		few_hash = outcome_of(&p, opt);
		opt.preemptions = 50;	/* more than there can be */
		wide = outcome_of(&p, opt);
		opt = (struct explore_options){ .driver = EXPLORE_RANDOM, .seed = i,
						.executions = 300 };
		random = outcome_of(&p, opt);
		opt.driver = EXPLORE_PCT;
		pct = outcome_of(&p, opt);
		opt.driver = EXPLORE_MIX;
		mix = outcome_of(&p, opt);
		/* Where actors meet: all ways once more, when it is known where that is. */
		opt = (struct explore_options){ .preemptions = 50, .meets = meets, .focus = true };
		met = outcome_of(&p, opt);
		outcome_free(&met);
		met = outcome_of(&p, opt);

		assert_true(equal(plain.final, hash.final) && equal(plain.broken, hash.broken));
		assert_true(equal(plain.final, sleep.final) && equal(plain.broken, sleep.broken));
		assert_true(equal(plain.final, wide.final) && equal(plain.broken, wide.broken));
		assert_true(equal(few.final, few_hash.final) && equal(few.broken, few_hash.broken));
		assert_true(within(few.final, plain.final) && within(few.broken, plain.broken));
		assert_true(within(random.final, plain.final) &&
			    within(random.broken, plain.broken));
		assert_true(within(pct.final, plain.final) && within(pct.broken, plain.broken));
		assert_true(equal(plain.final, mix.final) && equal(plain.broken, mix.broken));
		assert_true(equal(plain.final, met.final) && within(met.broken, plain.broken));
		assert_true(met.transitions <= wide.transitions);
		assert_int_equal(mix.word, EXPLORE_PROVED);
		assert_int_equal(wide.word, EXPLORE_PROVED);	/* nothing was left out */
		assert_int_equal(random.word, EXPLORE_SAMPLED);
		assert_true(hash.transitions <= plain.transitions);
		plain_executions += plain.executions;
		sleep_executions += sleep.executions;
		broken += g_hash_table_size(plain.broken);
		final += g_hash_table_size(plain.final);
		stuck += g_hash_table_contains(plain.broken, "deadlock ");
		outcome_free(&plain);
		outcome_free(&hash);
		outcome_free(&sleep);
		outcome_free(&wide);
		outcome_free(&few);
		outcome_free(&few_hash);
		outcome_free(&random);
		outcome_free(&pct);
		met_transitions += met.transitions;
		wide_transitions += wide.transitions;
		outcome_free(&mix);
		outcome_free(&met);
		meets_free(meets);
	}
	/* The programs are worth it: they end in many ways, break rules, get stuck. */
	assert_true(final > 4 * PROGRAMS);
	assert_true(broken > PROGRAMS / 5);
	assert_true(stuck > 10);
	assert_true(sleep_executions * 3 < plain_executions);
	assert_true(met_transitions < wide_transitions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reductions_lose_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
