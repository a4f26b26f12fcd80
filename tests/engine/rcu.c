// SPDX-License-Identifier: GPL-2.0-only
/*
 * Grace periods: RCU and SRCU wait for each reader that was inside when they began, and
 * for no other; callbacks in order; refcounts and completions.
 */
#include "sim/engine/script.h"
#include "tests/engine/locktest.h"

/* --- who is waited for -------------------------------------------------------------- */

struct reader {
	struct table *t;
	char who;
	u64 at, leave;
	bool srcu;
};

static void reader(void *arg)
{
	struct reader *r = arg;
	int idx = 0;

	until(r->t, r->at);
	if (r->srcu)
		idx = srcu_read_lock(&r->t->srcu);
	else
		rcu_read_lock();
	put(r->t, r->who);
	until(r->t, r->leave);
	put(r->t, (char)(r->who | 0x20));
	if (r->srcu)
		srcu_read_unlock(&r->t->srcu, idx);
	else
		rcu_read_unlock();
}

static void updater(void *arg)
{
	struct reader *r = arg;

	until(r->t, r->at);
	if (r->srcu)
		synchronize_srcu(&r->t->srcu);
	else
		synchronize_rcu();
	put(r->t, r->who);
}

static void add(struct sim *sim, struct table *t, bool srcu, char who, u64 at, u64 leave)
{
	struct reader *r = world_alloc(sizeof(*r));
	char name[2] = { who, 0 };

	*r = (struct reader){ t, who, at, leave, srcu };
	actor_new(sim, name, (u16)(who % 8), leave ? reader : updater, r);
}

static void waits_for_prior(bool srcu, enum sim_carrier carrier)
{
	struct sim *sim = sim_make(SCHED_CLOCK, carrier, 0);
	struct table *t = table_make();

	add(sim, t, srcu, 'A', 0, 300000);
	add(sim, t, srcu, 'B', 50000, 500000);
	add(sim, t, srcu, 'U', 100000, 0);
	add(sim, t, srcu, 'C', 150000, 900000);		/* came later: not waited for */
	add(sim, t, srcu, 'D', 160000, 200000);
	run_ok(sim);
}

static void order_is(bool srcu, const char *want)
{
	struct sim *sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);
	struct table *t = table_make();

	add(sim, t, srcu, 'A', 0, 300000);
	add(sim, t, srcu, 'B', 50000, 500000);
	add(sim, t, srcu, 'U', 100000, 0);
	add(sim, t, srcu, 'C', 150000, 900000);
	add(sim, t, srcu, 'D', 160000, 200000);
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_string_equal(order_of(t), want);
	assert_true(when(t, 'U') - when(t, 'b') < 10000);
	sim_free(sim);
}

static void test_waits_for_prior(void **state)
{
	order_is(false, "ABCDdabUc");
	order_is(true, "ABCDdabUc");
	waits_for_prior(false, CARRIER_PTHREAD);
	waits_for_prior(true, CARRIER_PTHREAD);
}

/* A reader that comes again at once is another reader, though its word never rests. */
static void comes_again(void *arg)
{
	struct table *t = arg;

	for (u32 i = 0; i < 200; i++) {
		rcu_read_lock();
		rcu_read_lock();	/* nests */
		until(t, actor_self()->clock + 5000);
		rcu_read_unlock();
		assert_true(rcu_read_lock_held());
		rcu_read_unlock();
	}
	put(t, 'r');
}

static void test_comes_again(void **state)
{
	for (u64 at = 10000; at < 16000; at += 300) {
		struct sim *sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);
		struct table *t = table_make();

		actor_new(sim, "reader", 0, comes_again, t);
		add(sim, t, false, 'U', at, 0);
		assert_int_equal(sim_run(sim), SIM_DONE);
		assert_string_equal(order_of(t), "Ur");
		assert_true(when(t, 'U') < at + 12000);
		sim_free(sim);
	}
}

/* --- nothing is freed under a reader --------------------------------------------------- */

enum how { BY_RCU, BY_SRCU, BY_CALL, BY_NOTHING };

struct world {
	struct table *t;
	u64 current;		/* number of the object that readers find */
	u64 dead[8];
	u32 dead_seen;
	enum how how;
};

static void object_reader(void *arg)
{
	struct world *w = arg;
	u64 object;
	int idx;

	for (u32 i = 0; i < 4; i++) {
		idx = 0;
		if (w->how == BY_SRCU)
			idx = srcu_read_lock(&w->t->srcu);
		else
			rcu_read_lock();
		object = mem_read64(&w->current);
		for (u32 k = 0; k < 3; k++)
			if (mem_read64(&w->dead[object]))
				w->dead_seen = 1;
		if (w->how == BY_SRCU)
			srcu_read_unlock(&w->t->srcu, idx);
		else
			rcu_read_unlock();
	}
}

static void object_die(void *arg)
{
	mem_write64((u64 *)arg, 1);
}

static void object_updater(void *arg)
{
	struct world *w = arg;

	for (u64 i = 0; i < 4; i++) {
		mem_write64(&w->current, i + 1);
		if (w->how == BY_RCU)
			synchronize_rcu();
		else if (w->how == BY_SRCU)
			synchronize_srcu(&w->t->srcu);
		if (w->how == BY_CALL)
			call_rcu(object_die, &w->dead[i]);
		else
			object_die(&w->dead[i]);
	}
	rcu_barrier();
	for (u64 i = 0; i < 4; i++)
		assert_int_equal(w->dead[i], 1);
}

static bool dead_seen(enum how how, enum sim_sched sched, enum sim_carrier carrier, u64 seed)
{
	struct sim *sim = sim_make(sched, carrier, seed);
	struct world *w = world_alloc(sizeof(*w));
	bool seen;

	w->t = table_make();
	w->how = how;
	actor_new(sim, "r0", 0, object_reader, w);
	actor_new(sim, "r1", 1, object_reader, w);
	actor_new(sim, "r2", 2, object_reader, w);
	actor_new(sim, "u", 3, object_updater, w);
	assert_int_equal(sim_run(sim), SIM_DONE);
	seen = w->dead_seen;
	sim_free(sim);
	return seen;
}

static void test_no_reader_meets_the_dead(void **state)
{
	bool without = false;

	for (enum how how = BY_RCU; how <= BY_CALL; how++) {
		for (u64 seed = 0; seed < 150; seed++)
			assert_false(dead_seen(how, SCHED_RANDOM, CARRIER_FIBER, seed));
		for (u64 seed = 0; seed < 3; seed++)
			assert_false(dead_seen(how, SCHED_RANDOM, CARRIER_PTHREAD, seed));
		assert_false(dead_seen(how, SCHED_CLOCK, CARRIER_FIBER, 0));
		for (u32 i = 0; i < 5; i++)
			assert_false(dead_seen(how, SCHED_FREE, CARRIER_PTHREAD, 0));
	}
	/* The test can fail: without a grace period it does. */
	for (u64 seed = 0; seed < 20; seed++)
		without |= dead_seen(BY_NOTHING, SCHED_RANDOM, CARRIER_FIBER, seed);
	assert_true(without);
}

/* --- callbacks ------------------------------------------------------------------------- */

static void callback(void *arg)
{
	char *who = arg;
	struct table *t = *(struct table **)(who + 8);

	assert_string_equal(actor_self()->name, "rcu");
	put(t, *who);
}

static void queue_calls(void *arg)
{
	struct table *t = arg;

	until(t, 10000);
	for (char c = '1'; c <= '5'; c++) {
		char *who = world_alloc(16);

		*who = c;
		*(struct table **)(who + 8) = t;
		call_rcu(callback, who);
	}
	put(t, 'q');
	rcu_barrier();
	put(t, 'B');
}

static void test_callbacks(void **state)
{
	struct sim *sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);
	struct table *t = table_make();

	actor_new(sim, "q", 0, queue_calls, t);
	add(sim, t, false, 'R', 0, 200000);
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_string_equal(order_of(t), "Rqr12345B");
	assert_non_null(actor_by_name(sim, "rcu"));
	sim_free(sim);

	/* On demand: who defers nothing has no such actor. */
	sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);
	add(sim, table_make(), false, 'R', 0, 100);
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_null(actor_by_name(sim, "rcu"));
	sim_free(sim);
}

/* --- SRCU's indices ---------------------------------------------------------------------- */

static void indices(void *arg)
{
	struct table *t = arg;
	struct region *r;
	char buf[64];
	int a = srcu_read_lock(&t->srcu), b = srcu_read_lock(&t->srcu);

	assert_int_equal(a, 0);
	assert_int_equal(b, 0);
	assert_true(srcu_read_lock_held(&t->srcu));
	r = region_at(t->srcu.count);
	assert_string_equal(region_value(r, region_raw(r, t->srcu.count), buf, sizeof(buf)),
			    "2 in 0, 0 in 1");
	srcu_read_unlock(&t->srcu, b);
	mem_await32(&t->srcu.idx, 1, 1);	/* the grace period has flipped and waits */
	b = srcu_read_lock(&t->srcu);
	assert_int_equal(b, 1);
	put(t, 'f');
	srcu_read_unlock(&t->srcu, a);		/* the last of index 0: it may end now ... */
	until(t, 500000);
	put(t, 'l');
	srcu_read_unlock(&t->srcu, b);		/* ... though this one has not left */
	assert_false(srcu_read_lock_held(&t->srcu));
}

static void test_srcu_indices(void **state)
{
	struct sim *sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);
	struct table *t = table_make();

	actor_new(sim, "reader", 0, indices, t);
	add(sim, t, true, 'U', 10000, 0);
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_string_equal(order_of(t), "fUl");
	assert_int_equal(t->srcu.idx, 1);
	sim_free(sim);
}

/*
 * Why a grace period waits for the other index first: a reader has fetched index 0, two
 * flips pass, and only then it counts itself in 0.
 */
static bool is_count(void *ctx, const struct pending *next)
{
	struct table *t = ctx;

	return next->op == MEM_WRITE && (u64)next->p - (u64)t->srcu.count < 64 * ACTORS_MAX;
}

static bool is_lock(void *ctx, const struct event *ev)
{
	return ev->type == EV_LOCK;
}

static void late_reader(void *arg)
{
	struct table *t = arg;
	int idx = srcu_read_lock(&t->srcu);

	put(t, 'R');
	until(t, 0);
	put(t, 'r');
	srcu_read_unlock(&t->srcu, idx);
}

static void two_periods(void *arg)
{
	struct table *t = arg;

	synchronize_srcu(&t->srcu);
	put(t, '1');
	actor_park("between two grace periods");
	synchronize_srcu(&t->srcu);
	put(t, '2');
}

static void unpark(void *ctx)
{
	actor_unpark(actor_by_name(sim_current(), "u"));
}

static void test_srcu_late_count(void **state)
{
	struct sim *sim = sim_make(SCHED_SCRIPT, CARRIER_FIBER, 0);
	struct table *t = table_make();
	struct actor *r = actor_new(sim, "r", 0, late_reader, t);
	struct actor *u = actor_new(sim, "u", 1, two_periods, t);
	const struct script_row rows[] = {
		{ .actor = r, .before = is_count, .ctx = t, .text = "count" },
		{ .actor = u, .text = "1" },
		{ .actor = r, .done = is_lock, .text = "lock" },
		{ .actor = u, .begin = unpark, .text = "2" },
	};

	script_set(sim, rows, ARRAY_SIZE(rows));
	assert_int_equal(sim_run(sim), SIM_UNREACHABLE);
	assert_int_equal(script_at(sim), 3);
	assert_string_equal(order_of(t), "1R");
	assert_non_null(strstr(script_why(sim), " for synchronize_srcu(srcu), held by r (read)"));
	sim_free(sim);
}

/* The barrier that KVM's entry gate leans on: unlock is a fence, then the count. */
static void fences(void *ctx, const struct event *ev)
{
	if (ev->type == EV_STEP)
		g_string_append_c(ctx, ev->op == MEM_FENCE ? 'F' : ev->op == MEM_WRITE ? 'w' : 'r');
}

static void lock_unlock(void *arg)
{
	struct table *t = arg;
	int idx = srcu_read_lock(&t->srcu);

	srcu_read_unlock(&t->srcu, idx);
}

static void test_srcu_barriers(void **state)
{
	struct sim *sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);
	GString *s = g_string_new(NULL);

	trace_listen(sim, fences, s);
	actor_new(sim, "a", 0, lock_unlock, table_make());
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_string_equal(s->str, "rwFFw");
	g_string_free(s, TRUE);
	sim_free(sim);
}

/* --- refcounts, completions -------------------------------------------------------------- */

static void counts(void *arg)
{
	struct refcount *r = arg;

	refcount_set(r, 1);
	refcount_inc(r);
	assert_true(refcount_inc_not_zero(r));
	assert_int_equal(refcount_read(r), 3);
	assert_false(refcount_dec_and_test(r));
	assert_false(refcount_dec_and_test(r));
	assert_true(refcount_dec_and_test(r));
	assert_false(refcount_inc_not_zero(r));
	assert_int_equal(refcount_read(r), 0);
}

static void inc_of_nothing(void *arg)
{
	refcount_inc(arg);
}

static void dec_of_nothing(void *arg)
{
	refcount_dec_and_test(arg);
}

static void test_refcount(void **state)
{
	void (*const bad[])(void *) = { inc_of_nothing, dec_of_nothing };
	struct sim *sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);

	actor_new(sim, "a", 0, counts, world_alloc(4));
	run_ok(sim);
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);
		actor_new(sim, "a", 0, bad[i], world_alloc(4));
		assert_int_equal(sim_run(sim), SIM_VIOLATION);
		assert_string_equal(check_fatal(sim)->id, "use-after-free");
		sim_free(sim);
	}
}

static void srcu_ends(void *arg)
{
	struct table *t = arg;
	int idx = srcu_read_lock(&t->srcu);

	srcu_read_unlock(&t->srcu, idx);
	srcu_exit(&t->srcu);
}

static void srcu_ends_too_soon(void *arg)
{
	struct table *t = arg;

	srcu_read_lock(&t->srcu);
	srcu_exit(&t->srcu);
}

static void test_srcu_exit(void **state)
{
	struct sim *sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);

	actor_new(sim, "a", 0, srcu_ends, table_make());
	run_ok(sim);
	sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);
	check_tolerate(sim, "lock-held");
	actor_new(sim, "a", 0, srcu_ends_too_soon, table_make());
	assert_int_equal(sim_run(sim), SIM_VIOLATION);
	assert_string_equal(check_at(sim, 0)->id, "use-after-free");
	sim_free(sim);
}

struct done {
	struct completion c;
	struct table *t;
};

static void waiter(void *arg)
{
	struct done *d = arg;

	wait_for_completion(&d->c);
	put(d->t, 'w');
}

static void completer(void *arg)
{
	struct done *d = arg;

	until(d->t, 50000);
	put(d->t, 'c');
	complete(&d->c);
	until(d->t, 100000);
	put(d->t, 'c');
	complete(&d->c);
	complete(&d->c);
	wait_for_completion(&d->c);	/* of the two, one is left: no wait */
}

static void test_completion(void **state)
{
	struct sim *sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);
	struct done *d = world_alloc(sizeof(*d));

	completion_init(&d->c, "done");
	d->t = table_make();
	actor_new(sim, "w", 0, waiter, d);
	actor_new(sim, "v", 1, waiter, d);
	actor_new(sim, "c", 2, completer, d);
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_string_equal(order_of(d->t), "cwcw");
	assert_int_equal(d->c.done | d->c.ready, 0);
	sim_free(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waits_for_prior),
		cmocka_unit_test(test_comes_again),
		cmocka_unit_test(test_no_reader_meets_the_dead),
		cmocka_unit_test(test_callbacks),
		cmocka_unit_test(test_srcu_indices),
		cmocka_unit_test(test_srcu_late_count),
		cmocka_unit_test(test_srcu_barriers),
		cmocka_unit_test(test_refcount),
		cmocka_unit_test(test_srcu_exit),
		cmocka_unit_test(test_completion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
