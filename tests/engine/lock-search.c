// SPDX-License-Identifier: GPL-2.0-only
/*
 * Host locks, grace periods and interrupts in every interleaving, or in every one of few
 * preemptions: exclusion holds, nobody is stuck, and undoing brings all of it back.
 */
#include "sim/engine/explore.h"
#include "sim/engine/search.h"
#include "tests/engine/locktest.h"

static u32 bad, done_all;

struct game {
	struct table *t;
	u64 closed, current, dead;
	u32 left;	/* actors that have not ended */
};

static struct sim *game_new(struct game **g)
{
	struct sim_options opt = {
		.sched = SCHED_CHOOSE, .lps = 4, .phys = 1 << 20, .keyed = true,
	};
	struct sim *sim = sim_new(&opt);

	assert_non_null(sim);
	*g = world_alloc(sizeof(**g));
	(*g)->t = table_make();
	return sim;
}

static void leaf(void *ctx)
{
	struct game *g = ctx;

	if (g->left)
		bad |= 1;		/* stuck */
	if (check_count(sim_current()))
		fail_msg("%s", check_at(sim_current(), 0)->text);	/* an undo takes it back */
	done_all++;
}

static u64 every(struct sim *sim, struct game *g, int preemptions)
{
	struct search_dfs s = { .preemptions = preemptions, .leaf = leaf, .ctx = g };
	u64 key;

	bad = done_all = 0;
	g->left = actor_count(sim);
	search_begin(sim);
	key = search_key(sim);
	search_dfs(sim, &s);
	assert_true(search_key(sim) == key);
	assert_int_equal(bad, 0);
	assert_int_equal(s.executions, done_all);
	sim_free(sim);
	return s.executions;
}

static void ends(struct game *g)
{
	world_set(g->left, g->left - 1);
}

/* Two steps inside; who is inside with us is seen in between. */
static void critical(struct game *g)
{
	u64 w = mem_read64(&g->t->word);

	if (w)
		bad |= 2;
	mem_write64(&g->t->word, 1);
	mem_write64(&g->t->word, 0);
}

static void spinner(void *arg)
{
	struct game *g = arg;

	spin_lock(&g->t->spin);
	critical(g);
	spin_unlock(&g->t->spin);
	ends(g);
}

static void sleeper(void *arg)
{
	struct game *g = arg;

	mutex_lock(&g->t->mutex);
	critical(g);
	mutex_unlock(&g->t->mutex);
	ends(g);
}

static void writer(void *arg)
{
	struct game *g = arg;

	write_lock(&g->t->rw);
	critical(g);
	write_unlock(&g->t->rw);
	ends(g);
}

static void reader(void *arg)
{
	struct game *g = arg;
	u64 w;

	read_lock(&g->t->rw);
	w = mem_read64(&g->t->word);
	if (w)
		bad |= 4;
	read_unlock(&g->t->rw);
	ends(g);
}

static u64 play(void (*a)(void *), void (*b)(void *), void (*c)(void *), int preemptions)
{
	void (*const fn[])(void *) = { a, b, c };
	struct game *g;
	struct sim *sim = game_new(&g);

	for (u16 i = 0; i < ARRAY_SIZE(fn) && fn[i]; i++)
		actor_new(sim, (const char *[]){ "a", "b", "c" }[i], i, fn[i], g);
	return every(sim, g, preemptions);
}

static void test_exclusion(void **state)
{
	assert_true(play(spinner, spinner, NULL, -1) > 2);
	assert_true(play(sleeper, sleeper, NULL, -1) > 2);
	assert_true(play(writer, writer, NULL, -1) > 2);
	assert_true(play(reader, writer, NULL, -1) > 2);
	assert_true(play(spinner, spinner, spinner, 3) > 100);
	assert_true(play(sleeper, sleeper, sleeper, 3) > 100);
	assert_true(play(reader, writer, writer, 3) > 100);
	assert_true(play(reader, reader, writer, 3) > 100);
}

/* --- grace periods ------------------------------------------------------------------- */

static void rcu_reader(void *arg)
{
	struct game *g = arg;
	u64 object, dead;

	rcu_read_lock();
	object = mem_read64(&g->current);
	dead = mem_read64(&g->dead);
	if (!object && dead)
		bad |= 8;
	rcu_read_unlock();
	ends(g);
}

static void rcu_updater(void *arg)
{
	struct game *g = arg;

	mem_write64(&g->current, 1);
	synchronize_rcu();
	mem_write64(&g->dead, 1);
	ends(g);
}

static void srcu_reader(void *arg)
{
	struct game *g = arg;
	u64 object, dead;
	int idx = srcu_read_lock(&g->t->srcu);

	object = mem_read64(&g->current);
	dead = mem_read64(&g->dead);
	if (!object && dead)
		bad |= 8;
	srcu_read_unlock(&g->t->srcu, idx);
	ends(g);
}

static void srcu_updater(void *arg)
{
	struct game *g = arg;

	mem_write64(&g->current, 1);
	synchronize_srcu(&g->t->srcu);
	mem_write64(&g->dead, 1);
	ends(g);
}

static void hasty_updater(void *arg)
{
	struct game *g = arg;

	mem_write64(&g->current, 1);
	mem_write64(&g->dead, 1);
	ends(g);
}

static void test_grace(void **state)
{
	struct search_dfs s = { .preemptions = -1, .leaf = leaf };
	struct sim *sim;
	struct game *g;

	assert_true(play(rcu_reader, rcu_updater, NULL, -1) > 50);
	assert_true(play(rcu_reader, rcu_updater, rcu_reader, 3) > 100);
	assert_true(play(srcu_reader, srcu_updater, NULL, 5) > 100);
	assert_true(play(srcu_reader, srcu_updater, srcu_updater, 3) > 100);

	/* The search can find it: without a grace period a reader meets the dead. */
	sim = game_new(&g);
	s.ctx = g;
	actor_new(sim, "a", 0, rcu_reader, g);
	actor_new(sim, "b", 1, hasty_updater, g);
	bad = 0;
	search_begin(sim);
	search_dfs(sim, &s);
	assert_true(bad & 8);
	sim_free(sim);
}

/* --- interrupts ------------------------------------------------------------------------ */

static void handler(void *arg)
{
	struct game *g = arg;
	u64 closed = mem_read64(&g->closed);

	if (closed)
		bad |= 16;
	mem_write64(&g->dead, 1);
}

static void masks(void *arg)
{
	struct game *g = arg;

	mem_read64(&g->t->word2);
	local_irq_disable();
	mem_write64(&g->closed, 1);
	mem_write64(&g->closed, 0);
	local_irq_enable();
	mem_read64(&g->t->word2);
	ends(g);
}

static void calls(void *arg)
{
	struct game *g = arg;
	u64 ran;

	smp_call_function_single(1, handler, g, true);
	ran = mem_read64(&g->dead);
	if (!ran)
		bad |= 32;
	ends(g);
}

static void calls_back(void *arg)
{
	struct game *g = arg;

	smp_call_function_single(0, handler, g, true);
	ends(g);
}

/* "Later" is explored too: the target goes on, though the interrupt is there. */
static void calls_and_says(void *arg)
{
	struct game *g = arg;

	smp_call_function_single(1, handler, g, false);
	mem_write64(&g->current, 1);
	ends(g);
}

static void sees(void *arg)
{
	struct game *g = arg;
	u64 said = mem_read64(&g->current);

	if (said)
		bad |= g->dead ? 64 : 128;
	mem_read64(&g->t->word2);
	ends(g);
}

static void test_now_or_later(void **state)
{
	struct search_dfs s = { .preemptions = -1, .leaf = leaf };
	struct game *g;
	struct sim *sim = game_new(&g);

	s.ctx = g;
	actor_new(sim, "a", 0, calls_and_says, g);
	actor_new(sim, "b", 1, sees, g);
	g->left = 2;
	bad = 0;
	search_begin(sim);
	search_dfs(sim, &s);
	assert_int_equal(bad, 64 | 128);
	sim_free(sim);
}

static void test_interrupts(void **state)
{
	assert_true(play(calls, masks, NULL, -1) > 100);
	assert_true(play(calls, calls_back, NULL, 4) > 100);
}

static void reads_on(void *arg)
{
	struct game *g = arg;

	for (u64 i = 0; i < g->closed; i++)
		mem_read64(&g->t->word2);
	ends(g);
}

static u64 states_of(u64 reads)
{
	struct explore_options opt = { .preemptions = -1 };
	struct explore_result *r;
	struct game *g;
	struct sim *sim = game_new(&g);
	u64 states;

	g->closed = reads;
	actor_new(sim, "a", 0, calls_and_says, g);
	actor_new(sim, "b", 1, reads_on, g);
	g->left = 2;
	search_begin(sim);
	r = explore(sim, &opt);
	states = r->states;
	explore_result_free(r);
	sim_free(sim);
	return states;
}

/* Whoever was interrupted does not remember where: each read more adds as many states. */
static void test_interrupted_forgets(void **state)
{
	u64 n = states_of(20);

	assert_true(n > 100);
	assert_int_equal(states_of(60) - states_of(40), states_of(40) - n);
}

/* --- one LP, several threads -------------------------------------------------------------- */

static void masked_critical(void *arg)
{
	struct game *g = arg;

	local_irq_disable();
	critical(g);
	local_irq_enable();
	ends(g);
}

static void comes_and_masks(void *arg)
{
	struct game *g = arg;

	mem_read64(&g->t->word2);
	actor_set_lp(actor_self(), 1);
	masked_critical(g);
}

static void critical_handler(void *arg)
{
	critical(arg);
}

static void calls_critical(void *arg)
{
	smp_call_function_single(1, critical_handler, arg, true);
	ends(arg);
}

static void two_of_one_lp(void (*b)(void *), void (*c)(void *))
{
	struct game *g;
	struct sim *sim = game_new(&g);

	actor_new(sim, "a", 1, masked_critical, g);
	actor_new(sim, "b", 1, b, g);
	if (c)
		actor_new(sim, "c", 2, c, g);
	assert_true(every(sim, g, c ? 3 : -1) > 2);
}

/* Who masks an LP has it alone: threads of it, one that comes, and the handler of an idle one */
static void test_masked_alone(void **state)
{
	two_of_one_lp(masked_critical, NULL);
	two_of_one_lp(masked_critical, comes_and_masks);
	two_of_one_lp(masked_critical, calls_critical);
}

static void test_comes_to_idle(void **state)
{
	struct game *g;
	struct sim *sim = game_new(&g);

	actor_new(sim, "a", 0, calls_critical, g);
	actor_new(sim, "b", 2, comes_and_masks, g);
	assert_true(every(sim, g, -1) > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exclusion),
		cmocka_unit_test(test_grace),
		cmocka_unit_test(test_interrupts),
		cmocka_unit_test(test_now_or_later),
		cmocka_unit_test(test_interrupted_forgets),
		cmocka_unit_test(test_masked_alone),
		cmocka_unit_test(test_comes_to_idle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
