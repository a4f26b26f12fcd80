// SPDX-License-Identifier: GPL-2.0-only
/*
 * Store buffers: two halves of Dekker's protocol miss each other under x86-TSO unless both have
 * a barrier, and never under sequential consistency.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <glib.h>

#include "sim/engine/arena.h"
#include "sim/engine/check.h"
#include "sim/engine/explore.h"
#include "sim/engine/mem.h"
#include "sim/engine/tso.h"
#include "sim/engine/undo.h"

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
		cmocka_unit_test(test_tso),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
