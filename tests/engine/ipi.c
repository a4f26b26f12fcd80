// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts and calls on other LPs: the ack comes only after the target's window has
 * opened, whoever runs there, in every schedule. Rests on kernel/smp.c.
 */
#include "tests/engine/locktest.h"

#define DELIVERY 3729	/* costs.csv, ipi-delivery, typical */

struct call {
	struct table *t;
	u16 to;
	u64 at;
	bool wait;
	char who;
};

static void handler(void *arg)
{
	struct call *c = arg;

	assert_true(irqs_disabled());
	assert_int_equal(lp_self(), c->to);
	mem_xadd64(&c->t->word, 1);
	put(c->t, c->who);
}

static void caller(void *arg)
{
	struct call *c = arg;

	until(c->t, c->at);
	put(c->t, 'S');
	smp_call_function_single(c->to, handler, c, c->wait);
	put(c->t, 'E');
	assert_false(irqs_disabled());
}

static struct call *call_new(struct sim *sim, struct table *t, const char *name, u16 from, u16 to,
			     u64 at, char who)
{
	struct call *c = world_alloc(sizeof(*c));

	*c = (struct call){ t, to, at, true, who };
	actor_new(sim, name, from, caller, c);
	return c;
}

/* --- windows -------------------------------------------------------------------------- */

static void masked(void *arg)
{
	struct table *t = arg;

	local_irq_disable();
	for (u32 i = 1; i <= 50; i++)
		until(t, i * 10000);
	put(t, 'o');
	local_irq_enable();
	put(t, 'p');
	until(t, 600000);
}

static void open_all_along(void *arg)
{
	struct table *t = arg;

	for (u32 i = 1; i <= 60; i++)
		until(t, i * 1000);
	put(t, 'x');
}

static void waits_open(void *arg)
{
	struct table *t = arg;

	mem_await64(&t->word, ~0ull, 2);
	put(t, 'x');
}

static void seam(void *arg)
{
	struct table *t = arg;

	local_irq_disable();
	lp_mask_all();
	until(t, 100000);
	assert_int_equal(lp_irq_pending(), IRQ_CALL);	/* what the module's query says */
	lp_unmask();
	until(t, 200000);
	put(t, 'o');
	local_irq_enable();
}

static void order_with(void (*target)(void *), const char *want, u64 handled_at)
{
	for (enum sim_carrier c = CARRIER_FIBER; c <= CARRIER_PTHREAD; c++) {
		struct sim *sim = sim_make(SCHED_CLOCK, c, 0);
		struct table *t = table_make();

		actor_new(sim, "target", 1, target, t);
		call_new(sim, t, "sender", 0, 1, 20000, 'H');
		assert_int_equal(sim_run(sim), SIM_DONE);
		assert_string_equal(order_of(t), want);
		assert_true(when(t, 'H') >= when(t, 'S') + DELIVERY);
		assert_true(when(t, 'E') >= when(t, 'H'));
		assert_true(when(t, 'H') >= handled_at && when(t, 'H') < handled_at + 3000);
		sim_free(sim);
	}
}

static void second_call(struct table *t)
{
	mem_xadd64(&t->word, 1);
	mem_wake(&t->word);
}

static void ends_wait(void *arg)
{
	until(arg, 100000);
	second_call(arg);
}

static void test_windows(void **state)
{
	struct sim *sim;
	struct table *t;

	order_with(masked, "SoHpE", 500000);
	order_with(seam, "SoHE", 200000);
	order_with(open_all_along, "SHEx", 20000 + DELIVERY);

	/* A wait with interrupts on takes them and goes on waiting. */
	sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);
	t = table_make();
	actor_new(sim, "target", 1, waits_open, t);
	actor_new(sim, "waker", 2, ends_wait, t);
	call_new(sim, t, "sender", 0, 1, 20000, 'H');
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_string_equal(order_of(t), "SHEx");
	assert_true(when(t, 'H') < 30000 && when(t, 'x') >= 100000);
	sim_free(sim);
}

/* What it waits for comes before the interrupt: it goes on then, not later. */
static void waker(void *arg)
{
	struct table *t = arg;

	until(t, 21000);
	mem_write64(&t->word, 2);
	mem_wake(&t->word);
}

static void test_wait_ends_first(void **state)
{
	for (enum sim_carrier c = CARRIER_FIBER; c <= CARRIER_PTHREAD; c++) {
		struct sim *sim = sim_make(SCHED_CLOCK, c, 0);
		struct table *t = table_make();

		actor_new(sim, "target", 1, waits_open, t);
		actor_new(sim, "waker", 2, waker, t);
		call_new(sim, t, "sender", 0, 1, 20000, 'H');
		assert_int_equal(sim_run(sim), SIM_DONE);
		assert_string_equal(order_of(t), "SxHE");
		assert_true(when(t, 'x') < 22000);
		sim_free(sim);
	}
}

/* An LP where nobody lives, or nobody lives any more, or who lives there has parked. */
static void short_life(void *arg)
{
	until(arg, 21000);	/* ends with the interrupt on its way */
}

static void parks(void *arg)
{
	until(arg, 21000);
	actor_park("nothing to do");
}

/* Real threads: who is parked is a thread that waits, so somebody has to send it home. */
static void sends_home(void *arg)
{
	struct table *t = arg;

	mem_await64(&t->word, ~0ull, 2);
	actor_unpark(actor_by_name(sim_current(), "target"));
}

static void idle(enum sim_sched sched, void (*there)(void *))
{
	struct sim *sim = sim_make(sched, CARRIER_FIBER, 1);
	struct table *t = table_make();

	if (there)
		actor_new(sim, "target", 1, there, t);
	call_new(sim, t, "sender", 0, 1, 20000, 'H');
	call_new(sim, t, "again", 2, 1, 80000, 'H');
	if (sched == SCHED_FREE && there == parks)
		actor_new(sim, "boss", 3, sends_home, t);
	assert_int_equal(sim_run(sim), SIM_DONE);
	if (sched == SCHED_CLOCK) {
		assert_string_equal(order_of(t), "SHESHE");
		assert_true(when(t, 'H') >= 20000 + DELIVERY);
		assert_non_null(actor_by_name(sim, "idle/lp1"));
	}
	assert_int_equal(t->word, 2);
	sim_free(sim);
}

static void test_idle(void **state)
{
	void (*const there[])(void *) = { NULL, short_life, parks };

	for (u32 i = 0; i < ARRAY_SIZE(there); i++) {
		idle(SCHED_CLOCK, there[i]);
		idle(SCHED_RANDOM, there[i]);
		idle(SCHED_CHOOSE, there[i]);	/* answers 0: "later", wherever it is asked */
		idle(SCHED_FREE, there[i]);
	}
}

/* Who moves takes its LP's interrupts where it is, and leaves what is on its way behind. */
static void moves(void *arg)
{
	struct table *t = arg;

	until(t, 21000);
	actor_set_lp(actor_self(), 2);
	for (u32 i = 0; i < 30; i++)
		until(t, actor_self()->clock + 10000);
	put(t, 'x');
}

static void test_moves(void **state)
{
	struct sim *sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);
	struct table *t = table_make();

	actor_new(sim, "mover", 1, moves, t);
	call_new(sim, t, "sender", 0, 1, 20000, 'H');
	call_new(sim, t, "again", 3, 2, 80000, 'I');
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_string_equal(order_of(t), "SHESIEx");
	assert_non_null(actor_by_name(sim, "idle/lp1"));
	assert_null(actor_by_name(sim, "idle/lp2"));
	sim_free(sim);
}

/* --- protocol --------------------------------------------------------------------------- */

static void test_own_lp(void **state)
{
	struct sim *sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);
	struct table *t = table_make();

	call_new(sim, t, "sender", 3, 3, 0, 'H');
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_string_equal(order_of(t), "SHE");
	assert_int_equal(count_of(sim, NULL, COUNT_IPIS), 0);
	sim_free(sim);
}

static const char *without(const char *s, char c)
{
	static char out[LOG_MAX + 1];
	u32 n = 0;

	for (; *s; s++)
		if (*s != c)
			out[n++] = *s;
	out[n] = 0;
	return out;
}

/* The second caller finds the queue not empty: the first one's interrupt serves both. */
static void test_one_interrupt(void **state)
{
	struct sim *sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);
	struct table *t = table_make();

	actor_new(sim, "target", 1, masked, t);
	call_new(sim, t, "a", 0, 1, 20000, '1');
	call_new(sim, t, "b", 2, 1, 60000, '2');
	call_new(sim, t, "c", 3, 1, 100000, '3')->wait = false;
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_string_equal(without(order_of(t), 'E'), "SSSo123p");
	assert_int_equal(count_of(sim, NULL, COUNT_IPIS), 1);
	sim_free(sim);
}

/* With interrupts on, whoever waits for an ack gives one: no deadlock. */
static void test_each_other(void **state)
{
	for (u64 seed = 0; seed < 100; seed++) {
		struct sim *sim = sim_make(seed ? SCHED_RANDOM : SCHED_CLOCK, CARRIER_FIBER, seed);
		struct table *t = table_make();

		call_new(sim, t, "a", 0, 1, 0, 'A');
		call_new(sim, t, "b", 1, 0, 0, 'B');
		call_new(sim, t, "c", 2, 0, 0, 'C');
		assert_int_equal(sim_run(sim), SIM_DONE);
		assert_int_equal(t->word, 3);
		sim_free(sim);
	}
}

static void masked_caller(void *arg)
{
	local_irq_disable();
	caller(arg);
}

static void test_deadlock(void **state)
{
	for (u64 seed = 0; seed < 2; seed++) {
		struct sim *sim = sim_make(seed ? SCHED_RANDOM : SCHED_CLOCK, CARRIER_FIBER, seed);
		struct table *t = table_make();
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		check_tolerate(sim, "lock-context");
		for (u16 i = 0; i < 2; i++) {
			struct call *c = world_alloc(sizeof(*c));

			*c = (struct call){ t, 1 - i, 0, true, 'H' };
			actor_new(sim, i ? "b" : "a", i, masked_caller, c);
		}
		assert_int_equal(sim_run(sim), SIM_DEADLOCK);
		assert_int_equal(check_count(sim), 2);
		sim_explain(sim, out);
		fclose(out);
		assert_non_null(strstr(text, " for LP 1 to acknowledge a call; "
					     "b there has interrupts off"));
		free(text);
		sim_free(sim);
	}
}

/* Whatever is polled has a name, and whoever polls learns of the answer by it. */
static void polls(void *ctx, const struct event *ev)
{
	char name[32];

	if (ev->type == EV_STEP && ev->op == MEM_AWAIT &&
	    !strcmp(region_name_of(ev->p, name, sizeof(name)), "csd[0x1]"))
		++*(u32 *)ctx;
}

static void test_names(void **state)
{
	struct sim *sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);
	struct table *t = table_make();
	u32 n = 0;

	trace_listen(sim, polls, &n);
	actor_new(sim, "target", 1, open_all_along, t);
	call_new(sim, t, "sender", 0, 1, 20000, 'H');
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_true(n > 0);
	assert_null(region_find("csd", NULL, 1, 0, NULL));
	sim_free(sim);
}

static void many_handler(void *arg)
{
	struct table *t = arg;

	put(t, (char)('0' + lp_self()));
}

static void many_caller(void *arg)
{
	struct table *t = arg;
	struct lp_mask m = { { 0 } };

	for (u16 lp = 0; lp < 5; lp++)
		lp_mask_set(&m, lp);
	until(t, 1000);
	smp_call_function_many(&m, many_handler, t, true);
	put(t, 'E');
}

static void test_many(void **state)
{
	struct sim *sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);
	struct table *t = table_make();

	actor_new(sim, "target", 2, masked, t);
	actor_new(sim, "sender", 0, many_caller, t);
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_string_equal(order_of(t), "134o2pE");
	assert_int_equal(count_of(sim, NULL, COUNT_IPIS), 4);
	sim_free(sim);
}

/* When each LP's handler began; the sender sits on LP 0 of two packages of 20 LPs */
static u64 began[40];

static void far_handler(void *arg)
{
	began[lp_self()] = sim_self->clock;
}

static void far_caller(void *arg)
{
	struct lp_mask m = { { ~0ull } };

	until(arg, 1000);
	smp_call_function_many(&m, far_handler, arg, true);
}

/* One ICR write reaches a cluster, at one time; what is in the other package takes longer. */
static void test_clusters(void **state)
{
	struct sim_options opt = { .sched = SCHED_CLOCK, .lps = 40, .packages = 2,
				   .phys = 1 << 20 };
	struct sim *sim = sim_new(&opt);
	static const u16 first[] = { 1, 16, 20, 36, 40 };

	actor_new(sim, "sender", 0, far_caller, table_make());
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_int_equal(sim_charged(sim, COST_WRMSR), 4);
	assert_int_equal(sim_charged(sim, COST_IPI_DELIVERY), 39);
	assert_int_equal(sim_charged(sim, COST_IPI_FAR), 20);
	for (u32 c = 0; c < 4; c++) {
		for (u16 lp = first[c]; lp < first[c + 1]; lp++)
			assert_true(began[lp] - began[first[c]] < 300);
		if (c)
			assert_true(began[first[c]] > began[first[c - 1]]);
	}
	assert_true(began[20] - began[16] >= 612);
	sim_free(sim);
}

/* The caller's own LP between sending and waiting, interrupts off; only if it is in the mask */
static void own_handler(void *arg)
{
	assert_true(irqs_disabled());
	many_handler(arg);
}

static void each_caller(void *arg)
{
	struct table *t = arg;
	struct lp_mask m = { { 0 } };

	lp_mask_set(&m, 2);
	until(t, 1000);
	on_each_cpu_mask(&m, own_handler, t, true);
	put(t, 'E');
	lp_mask_set(&m, 0);
	on_each_cpu_mask(&m, own_handler, t, true);
	put(t, 'E');
	assert_false(irqs_disabled());
}

static void test_each(void **state)
{
	struct sim *sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);
	struct table *t = table_make();

	actor_new(sim, "sender", 0, each_caller, t);
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_string_equal(order_of(t), "2E02E");
	assert_int_equal(count_of(sim, NULL, COUNT_IPIS), 2);
	sim_free(sim);
}

/* --- every schedule -------------------------------------------------------------------- */

struct window {
	struct table *t;
	u64 closed;	/* the target's word: it must not be interrupted */
	u32 laps, handled;
	u32 bad;
};

static void window_target(void *arg)
{
	struct window *w = arg;

	for (u32 i = 0; i < w->laps; i++) {
		local_irq_disable();
		mem_write64(&w->closed, 1);
		mem_read64(&w->t->word);
		mem_write64(&w->closed, 0);
		local_irq_enable();
		mem_read64(&w->t->word);
	}
}

static void window_handler(void *arg)
{
	struct window *w = arg;

	if (mem_read64(&w->closed))
		w->bad = 1;
	mem_xadd32(&w->handled, 1);
}

static void window_caller(void *arg)
{
	struct window *w = arg;
	u32 before, after;

	for (u32 i = 0; i < w->laps; i++) {
		before = mem_read32(&w->handled);
		smp_call_function_single(1, window_handler, w, true);
		after = mem_read32(&w->handled);
		if (after == before)
			w->bad = 2;
	}
}

static void window(enum sim_sched sched, enum sim_carrier carrier, u64 seed, u32 laps)
{
	struct sim *sim = sim_make_timed(sched, carrier, seed, seed & 1);
	struct window *w = world_alloc(sizeof(*w));

	w->t = table_make();
	w->laps = laps;
	actor_new(sim, "target", 1, window_target, w);
	actor_new(sim, "sender", 0, window_caller, w);
	actor_new(sim, "other", 2, window_caller, w);
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_int_equal(w->bad, 0);
	assert_int_equal(w->handled, 2 * laps);
	sim_free(sim);
}

static void test_every_schedule(void **state)
{
	for (u64 seed = 0; seed < 200; seed++)
		window(SCHED_RANDOM, CARRIER_FIBER, seed, 3);
	for (u64 seed = 0; seed < 4; seed++)
		window(SCHED_RANDOM, CARRIER_PTHREAD, seed, 2);
	window(SCHED_CLOCK, CARRIER_FIBER, 0, 50);
	window(SCHED_FREE, CARRIER_PTHREAD, 0, 200);
}

/* --- guests, disturbances --------------------------------------------------------------- */

static void guest(void *arg)
{
	struct table *t = arg;
	enum irq_kind why;

	local_irq_disable();
	for (;;) {
		until(t, actor_self()->clock + 500);
		why = lp_irq_pending();
		if (why)
			break;
	}
	put(t, why == IRQ_KICK ? 'k' : why == IRQ_EXTERNAL ? 'e' : '?');
	assert_int_equal(lp_irq_pending(), why);	/* it stays until it is taken */
	local_irq_enable();
	assert_int_equal(lp_irq_pending(), IRQ_NONE);
	if (signal_pending())
		put(t, 's');
	task_clear_signal();
	assert_false(signal_pending());
	cond_resched();
	assert_false(need_resched());
}

static void kicks(void *arg)
{
	until(arg, 40000);
	lp_raise(1, IRQ_KICK);
	lp_raise(1, IRQ_KICK);	/* one of a kind is held */
}

static void disturbs(void *arg)
{
	until(arg, 40000);
	lp_disturb(sim_current(), 1, IRQ_EXTERNAL);
}

static void signals(void *arg)
{
	until(arg, 40000);
	task_need_resched(actor_by_name(sim_current(), "vCPU"));
	task_signal(actor_by_name(sim_current(), "vCPU"));
}

static void test_guest(void **state)
{
	void (*const other[])(void *) = { kicks, disturbs, signals };
	const char *const want[] = { "k", "e", "ks" };

	for (u32 i = 0; i < ARRAY_SIZE(other); i++) {
		for (u32 s = 0; s < 20; s++) {
			struct sim *sim = sim_make(s ? SCHED_RANDOM : SCHED_CLOCK, CARRIER_FIBER, s);
			struct table *t = table_make();

			actor_new(sim, "vCPU", 1, guest, t);
			actor_new(sim, "other", 0, other[i], t);
			assert_int_equal(sim_run(sim), SIM_DONE);
			assert_string_equal(order_of(t), want[i]);
			sim_free(sim);
		}
	}
}

/* A reader in an interrupt passes a writer that waits; its own task may hold the lock. */
static void reads_in_irq(void *arg)
{
	struct call *c = arg;

	read_lock(&c->t->rw);
	put(c->t, c->who);
	read_unlock(&c->t->rw);
}

static void irq_sender(void *arg)
{
	struct call *c = arg;

	until(c->t, c->at);
	smp_call_function_single(c->to, reads_in_irq, c, true);
}

static void holds_for_long(void *arg)
{
	struct table *t = arg;

	read_lock(&t->rw);
	for (u32 i = 1; i <= 10; i++)
		until(t, i * 10000);
	put(t, 'R');
	read_unlock(&t->rw);
}

static void writer(void *arg)
{
	struct table *t = arg;

	until(t, 10000);
	write_lock(&t->rw);
	put(t, 'W');
	write_unlock(&t->rw);
}

static void test_reader_in_interrupt(void **state)
{
	struct sim *sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);
	struct table *t = table_make();
	struct call *c = world_alloc(sizeof(*c));

	check_tolerate(sim, "lock-context");	/* writers should mask: lockdep's test */
	*c = (struct call){ t, 1, 30000, true, 'I' };
	actor_new(sim, "reader", 1, holds_for_long, t);
	actor_new(sim, "writer", 2, writer, t);
	actor_new(sim, "sender", 0, irq_sender, c);
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_string_equal(order_of(t), "IRW");
	sim_free(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_wait_ends_first),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_own_lp),
		cmocka_unit_test(test_one_interrupt),
		cmocka_unit_test(test_each_other),
		cmocka_unit_test(test_deadlock),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_clusters),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_every_schedule),
		cmocka_unit_test(test_guest),
		cmocka_unit_test(test_reader_in_interrupt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
