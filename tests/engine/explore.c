// SPDX-License-Identifier: GPL-2.0-only
/*
 * The explorer's golden counts on the lock model, and what must not depend on how a search is
 * made: random small programs have the same final states and the same verdicts with hashing,
 * with sleep sets, with neither, and however few switches or samples they are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <glib.h>

#include "lock_model.h"
#include "sim/engine/arena.h"
#include "sim/engine/check.h"
#include "sim/engine/choose.h"
#include "sim/engine/explore.h"
#include "sim/engine/meets.h"
#include "sim/engine/mem.h"
#include "sim/engine/rng.h"
#include "sim/engine/tso.h"
#include "sim/engine/undo.h"

static struct explore_result *lock(u32 hosts, u32 guests, u32 tries, struct explore_options opt)
{
	struct sim_options so = { .sched = SCHED_CHOOSE, .keyed = true };
	struct lock_model *m;
	struct sim *sim = lock_model_sim(&so, hosts, guests, tries, &m);
	struct explore_result *r;

	assert_non_null(sim);
	search_begin(sim);
	r = explore(sim, &opt);
	assert_int_equal(r->found->len, 0);
	sim_free(sim);
	return r;
}

static void states(u32 hosts, u32 guests, u32 tries, u64 want_states, u64 want_transitions)
{
	struct explore_options opt = { .preemptions = -1, .verify_key = 50 };
	struct explore_result *r = lock(hosts, guests, tries, opt);

	assert_int_equal(r->word, EXPLORE_PROVED);
	assert_int_equal(r->states, want_states);
	assert_int_equal(r->transitions, want_transitions);
	assert_true(r->merges_verified > 20);
	explore_result_free(r);
}

static void test_states(void **state)
{
	states(2, 1, 3, 1276, 3128);
	states(2, 2, 2, 2003, 5952);
	states(3, 2, 2, 13671, 51741);
}

static void test_states_big(void **state)
{
	struct explore_options opt = { .preemptions = -1 };
	struct explore_result *r = lock(3, 2, 3, opt);

	assert_int_equal(r->states, 69917);
	explore_result_free(r);
}

static void test_sleep_sets(void **state)
{
	struct explore_options opt = { .preemptions = -1, .no_hash = true };
	struct explore_result *r = lock(2, 1, 3, opt);

	assert_int_equal(r->executions, 4961);
	assert_int_equal(r->blocked, 5358);
	assert_int_equal(r->word, EXPLORE_PROVED);
	explore_result_free(r);
}

static void test_no_reduction(void **state)
{
	static const u64 want[] = { 258, 32758 };

	for (u32 tries = 1; tries <= 2; tries++) {
		struct explore_options opt = { .preemptions = -1, .no_reduction = true };
		struct explore_result *r = lock(2, 1, tries, opt);

		assert_int_equal(r->executions, want[tries - 1]);
		explore_result_free(r);
	}
}

static void test_preemptions(void **state)
{
	static const u64 want[] = { 54, 452, 2682, 13090, 54170 };

	for (int n = 1; n <= 5; n++) {
		struct explore_options opt = { .preemptions = n, .no_hash = true };
		struct explore_result *r = lock(2, 1, 3, opt);

		assert_int_equal(r->executions, want[n - 1]);
		assert_int_equal(r->word, EXPLORE_BOUNDED);
		assert_string_equal(r->bounded_by, "preemptions");
		explore_result_free(r);
	}
}

/* ---- random small programs ---- */

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
	u64 seen[ACTORS];	/* what each actor's steps returned */
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

		seen = seen * 5 + r + 1;
		world_set(me->s->seen[me->id], seen);
		/* A rule that looks at another word than the step is on. */
		snprintf(where, sizeof(where), "%u.%u", me->id, i);
		if ((r & 1) && o->b && mem_peek64(&me->s->word[(o->at + 1) % WORDS]) & 2)
			check_fail("data-race", where, "seen");
	}
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

/* ---- what is found ---- */

struct pair {
	u64 a, b;
	bool noisy;
};

/* Two words that an observer must not see apart, written one after the other. */
static void writer(void *arg)
{
	struct pair *p = arg;

	for (u64 i = 1; i <= 3; i++) {
		mem_write64(&p->a, i);
		mem_write64(&p->b, i);
	}
}

static void observer(void *arg)
{
	struct pair *p = arg;
	u64 a = mem_read64(&p->a), b;

	b = mem_read64(&p->b);
	if (a == 2 && b == 1)
		check_fail("torn", "pair", "2 and 1 together");
}

static struct sim *pair_sim(void)
{
	struct sim_options so = { .sched = SCHED_CHOOSE, .keyed = true, .lps = 3, .phys = 1 << 20 };
	struct sim *sim = sim_new(&so);
	struct pair *p = world_alloc(sizeof(*p));

	actor_new(sim, "writer", 0, writer, p);
	actor_new(sim, "observer", 1, observer, p);
	actor_new(sim, "other", 2, writer, world_alloc(sizeof(*p)));
	search_begin(sim);
	return sim;
}

static void test_found_and_shrunk(void **state)
{
	struct explore_options opt = { .driver = EXPLORE_RANDOM, .seed = 1, .executions = 100000 };
	struct sim *sim = pair_sim();
	struct explore_result *r = explore(sim, &opt);
	struct explore_found *f, *again;
	bool possible;

	assert_int_equal(r->found->len, 1);
	f = r->found->pdata[0];
	assert_string_equal(f->id, "torn");
	assert_string_equal(f->where, "pair");
	assert_string_equal(f->site, "observer");
	assert_true(trail_switches(&f->trail) > 2);
	explore_shrink(sim, f, false, 1000);
	/* The writer alone; the observer: one switch from one that could have gone on. */
	assert_int_equal(f->preemptions, 1);
	assert_int_equal(trail_switches(&f->trail), 1);
	assert_int_equal(f->trail.n, 5);
	again = explore_replay(sim, &opt, &f->trail, NULL, &possible);
	assert_true(possible && again);
	assert_string_equal(again->id, "torn");
	explore_found_free(again);
	explore_result_free(r);

	opt = (struct explore_options){ .preemptions = 0 };
	r = explore(sim, &opt);
	assert_int_equal(r->found->len, 0);
	explore_result_free(r);
	opt.preemptions = 1;
	r = explore(sim, &opt);
	assert_int_equal(r->found->len, 1);
	explore_result_free(r);
	sim_free(sim);
}

/* An actor that remembers what it said it had forgotten: the key is wrong, and it is seen. */
static void forgetful(void *arg)
{
	struct pair *p = arg;
	u64 seen = mem_read64(&p->a);

	actor_forget(0);
	mem_read64(&p->b);
	if (seen)
		mem_write64(&p->b, 7);
	mem_read64(&p->b);
}

static void test_verify_key(void **state)
{
	struct explore_options opt = { .preemptions = -1, .verify_key = 20, .keep_going = true };
	struct sim_options so = { .sched = SCHED_CHOOSE, .keyed = true, .lps = 8, .phys = 1 << 20 };
	struct sim *sim = sim_new(&so);
	struct pair *p = world_alloc(sizeof(*p));
	struct explore_result *r;

	actor_new(sim, "writer", 0, writer, p);
	for (u16 i = 1; i < 4; i++)
		actor_new(sim, "forgetful", i, forgetful, p);
	search_begin(sim);
	r = explore(sim, &opt);
	assert_true(r->found->len >= 1);
	assert_string_equal(((struct explore_found *)r->found->pdata[0])->id, "key");
	explore_result_free(r);
	sim_free(sim);
}

/* ---- ways without an end ---- */

struct polite {
	u64 lock[2];
	bool backs_off, counts;
};

/* Takes its own, wants the other's; gives its own back if that is taken, and so on. */
static void polite(void *arg)
{
	struct polite *p = arg;
	u32 me = actor_self()->id;

	for (;;) {
		actor_forget(0);
		if (mem_bts64(&p->lock[me], 0))
			continue;
		if (!mem_bts64(&p->lock[!me], 0))
			break;
		mem_btr64(&p->lock[me], 0);
	}
	mem_btr64(&p->lock[!me], 0);
	mem_btr64(&p->lock[me], 0);
	actor_progress(PROGRESS_OP);
}

/* Goes round with progress each time. */
static void hog(void *arg)
{
	struct polite *p = arg;

	for (;;) {
		actor_forget(0);
		mem_bts64(&p->lock[0], 0);
		mem_btr64(&p->lock[0], 0);
		actor_progress(PROGRESS_OP);
	}
}

static void wants(void *arg)
{
	struct polite *p = arg;

	do
		actor_forget(0);
	while (mem_bts64(&p->lock[0], 0));
	mem_btr64(&p->lock[0], 0);
	actor_progress(PROGRESS_OP);
}

static void never(int switches, void (*a)(void *), void (*b)(void *), const char *id,
		  const char *where)
{
	struct explore_options opt = { .preemptions = switches, .livelock = true };
	struct sim_options so = { .sched = SCHED_CHOOSE, .keyed = true, .lps = 2, .phys = 1 << 20 };
	struct sim *sim = sim_new(&so);
	struct polite *p = world_alloc(sizeof(*p));
	struct explore_result *r;
	struct explore_found *f;

	actor_new(sim, "a", 0, a, p);
	actor_new(sim, "b", 1, b, p);
	search_begin(sim);
	r = explore(sim, &opt);
	if (!id) {
		assert_int_equal(r->found->len, 0);
		assert_true(r->word == EXPLORE_PROVED || switches >= 0);
	} else {
		assert_int_equal(r->found->len, 1);
		f = r->found->pdata[0];
		assert_string_equal(f->id, id);
		assert_string_equal(f->where, where);
		assert_true(f->trail.loop < f->trail.n);
	}
	explore_result_free(r);
	sim_free(sim);
}

static void test_no_end(void **state)
{
	never(-1, polite, polite, "livelock", "a b");
	never(-1, hog, wants, "starvation", "b");
	never(-1, wants, wants, NULL, NULL);	/* unfair ways only: whoever holds it goes on */
	/* On the way, with few switches: who does not get on goes round alone, the other moves. */
	never(5, polite, polite, "livelock", "a b");
	never(3, wants, wants, NULL, NULL);
}

/* ---- x86-TSO ---- */

struct litmus {
	u64 x, y;
	u32 result[2];
	u8 wide[8];
};

struct half {
	struct litmus *l;
	u32 id;
	bool fence, locked, own;
};

/* Dekker's half: I am in; are you? */
static void half(void *arg)
{
	const struct half *h = arg;
	u64 *mine = h->id ? &h->l->y : &h->l->x, *other = h->id ? &h->l->x : &h->l->y, seen, own;

	mem_write64(mine, 1);
	if (h->fence)
		mem_fence();
	if (h->locked)
		mem_xadd64(mine, 0);
	own = h->own ? mem_read64(mine) : 1;
	seen = mem_read64(other);
	/* What it reads of its own is what it stored, wherever that is. */
	if (own != 1 || mem_peek64(mine) != 1)
		check_fail("own", "", "an actor does not see its own store");
	world_set(h->l->result[h->id], (u32)seen + 1);
}

static struct litmus *litmus_of;

static void both_zero(void *ctx)
{
	if (litmus_of->result[0] == 1 && litmus_of->result[1] == 1)
		*(bool *)ctx = true;
}

/* Can both halves miss each other? */
static bool both_miss(bool tso, struct half a, struct half b, struct explore_options opt)
{
	struct sim_options so = { .sched = SCHED_CHOOSE, .keyed = true, .lps = 2, .phys = 1 << 20 };
	struct sim *sim = sim_new(&so);
	struct explore_result *r;
	bool missed = false;
	u32 words = 0;

	litmus_of = world_alloc(sizeof(*litmus_of));
	a.l = b.l = litmus_of;
	b.id = 1;
	actor_new(sim, "a", 0, half, &a);
	actor_new(sim, "b", 1, half, &b);
	if (tso)
		tso_learn(sim);
	search_begin(sim);
	opt.leaf = both_zero;
	opt.ctx = &missed;
	r = explore(sim, &opt);
	assert_int_equal(r->found->len, 0);
	if (tso) {
		assert_false(missed);
		words = tso_buffer(sim);
		assert_int_equal(words, 2);
		search_begin(sim);
		explore_result_free(r);
		r = explore(sim, &opt);
		assert_int_equal(r->found->len, 0);
		assert_int_equal(tso_buffer(sim), 0);
		assert_int_equal(tso_cut(sim), 0);
	}
	explore_result_free(r);
	sim_free(sim);
	return missed;
}

static void test_tso(void **state)
{
	struct explore_options hash = { .preemptions = -1 };
	struct explore_options plain = { .preemptions = -1, .no_reduction = true };
	struct half bare = { .own = true }, fence = { .fence = true, .own = true };
	struct half locked = { .locked = true };

	for (u32 i = 0; i < 2; i++) {
		struct explore_options opt = i ? plain : hash;

		assert_false(both_miss(false, bare, bare, opt));
		assert_true(both_miss(true, bare, bare, opt));
		assert_true(both_miss(true, fence, bare, opt));	/* one side is not enough */
		assert_false(both_miss(true, fence, fence, opt));
		assert_false(both_miss(true, locked, locked, opt));
		assert_false(both_miss(true, fence, locked, opt));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_states_big),
		cmocka_unit_test(test_sleep_sets),
		cmocka_unit_test(test_no_reduction),
		cmocka_unit_test(test_preemptions),
		cmocka_unit_test(test_reductions_lose_nothing),
		cmocka_unit_test(test_found_and_shrunk),
		cmocka_unit_test(test_verify_key),
		cmocka_unit_test(test_no_end),
		cmocka_unit_test(test_tso),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
