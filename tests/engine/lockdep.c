// SPDX-License-Identifier: GPL-2.0-only
/*
 * lock-order, lock-context, lock-held: each fires, stays silent, and passes a legal run
 * that a naive form would flag. Rests on what kernel/locking/lockdep.c tells apart.
 */
#include "tests/engine/locktest.h"

struct play {
	struct table *t;
	void (*fn)(struct table *t);
	u64 at;
};

static void play(void *arg)
{
	struct play *p = arg;

	until(p->t, p->at);
	p->fn(p->t);
}

/* Run @a, and after it @b on another LP; the violation's text, or NULL. Freed by the caller. */
static char *plays(void (*a)(struct table *), void (*b)(struct table *), const char *id)
{
	struct sim *sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);
	struct table *t = table_make();
	void (*const fn[])(struct table *) = { a, b };
	char *text = NULL;

	for (u16 i = 0; i < 2 && fn[i]; i++) {
		struct play *p = world_alloc(sizeof(*p));

		*p = (struct play){ t, fn[i], i * 100000 };
		actor_new(sim, i ? "b" : "a", i, play, p);
	}
	sim_run(sim);
	if (check_count(sim)) {
		assert_string_equal(check_at(sim, 0)->id, id);
		text = g_strdup(check_at(sim, 0)->text);
	}
	sim_free(sim);
	return text;
}

static void fires(const char *id, void (*a)(struct table *), void (*b)(struct table *),
		  const char *want)
{
	char *text = plays(a, b, id);

	assert_non_null(text);
	assert_string_equal(text, want);
	g_free(text);
}

static void silent(void (*a)(struct table *), void (*b)(struct table *))
{
	char *text = plays(a, b, "nothing");

	if (text)
		fail_msg("%s", text);
}

/* --- lock-order ------------------------------------------------------------------------ */

static void mutex_then_rw(struct table *t)
{
	mutex_lock(&t->mutex);
	write_lock(&t->rw);
	write_unlock(&t->rw);
	mutex_unlock(&t->mutex);
}

static void rw_then_spin(struct table *t)
{
	read_lock(&t->rw);
	spin_lock(&t->spin);
	spin_unlock(&t->spin);
	read_unlock(&t->rw);
}

static void spin_then_rw(struct table *t)
{
	spin_lock(&t->spin);
	read_lock(&t->rw);
	read_unlock(&t->rw);
	spin_unlock(&t->spin);
}

static void spin2_between(struct table *t)
{
	spin_lock(&t->spin);
	spin_lock(&t->spin2);
	spin_unlock(&t->spin2);
	spin_unlock(&t->spin);
	spin_lock(&t->spin2);
	read_lock(&t->rw);
	read_unlock(&t->rw);
	spin_unlock(&t->spin2);
}

static void read_again(struct table *t)
{
	read_lock(&t->rw);
	read_lock(&t->rw);
	read_unlock(&t->rw);
	read_unlock(&t->rw);
}

static void try_inverted(struct table *t)
{
	bool got;

	spin_lock(&t->spin);
	got = read_trylock(&t->rw);	/* cannot wait, so cannot deadlock */
	assert_true(got);
	read_unlock(&t->rw);
	spin_unlock(&t->spin);
}

static void srcu_then_mutex(struct table *t)
{
	int idx = srcu_read_lock(&t->srcu);

	mutex_lock(&t->mutex);
	mutex_unlock(&t->mutex);
	srcu_read_unlock(&t->srcu, idx);
}

static void mutex_then_srcu(struct table *t)
{
	int idx;

	mutex_lock(&t->mutex);
	idx = srcu_read_lock(&t->srcu);	/* a reader waits for nobody */
	srcu_read_unlock(&t->srcu, idx);
	mutex_unlock(&t->mutex);
}

static void mutex_then_sync(struct table *t)
{
	mutex_lock(&t->mutex);
	synchronize_srcu(&t->srcu);
	mutex_unlock(&t->mutex);
}

static void sync_inside(struct table *t)
{
	int idx = srcu_read_lock(&t->srcu);

	synchronize_srcu(&t->srcu);
	srcu_read_unlock(&t->srcu, idx);
}

static void lock_order_fires(void **state)
{
	fires("lock-order", rw_then_spin, spin_then_rw,
	      "b takes mmu_lock while it holds pages_lock; "
	      "a took pages_lock while it held mmu_lock");
	fires("lock-order", rw_then_spin, spin2_between,
	      "b takes mmu_lock while it holds other_lock; "
	      "a took pages_lock while it held mmu_lock; "
	      "b took other_lock while it held pages_lock");
	fires("lock-order", read_again, NULL,
	      "a takes mmu_lock (read) while it holds mmu_lock (read)");
	fires("lock-order", srcu_then_mutex, mutex_then_sync,
	      "b takes srcu while it holds slots_lock; a took slots_lock while it held srcu");
	fires("lock-order", mutex_then_sync, srcu_then_mutex,
	      "b takes slots_lock while it holds srcu; a took srcu while it held slots_lock");
	fires("lock-order", sync_inside, NULL,
	      "a takes srcu (grace period) while it holds srcu (read)");
}

static void lock_order_silent(void **state)
{
	silent(rw_then_spin, rw_then_spin);
	silent(mutex_then_rw, rw_then_spin);
	silent(mutex_then_sync, mutex_then_srcu);
}

static void lock_order_legal(void **state)
{
	/* Both orders, and no deadlock. */
	silent(rw_then_spin, try_inverted);
	silent(srcu_then_mutex, mutex_then_srcu);
}

/* --- lock-context ------------------------------------------------------------------------ */

static void mutex_under_rw(struct table *t)
{
	read_lock(&t->rw);
	mutex_lock(&t->mutex);
	mutex_unlock(&t->mutex);
	read_unlock(&t->rw);
}

static void sync_in_rcu(struct table *t)
{
	rcu_read_lock();
	synchronize_srcu(&t->srcu);
	rcu_read_unlock();
}

static void resched_masked(struct table *t)
{
	local_irq_disable();
	cond_resched();
	local_irq_enable();
}

static void sleepy_callback(void *arg)
{
	struct table *t = arg;

	mutex_lock(&t->mutex);
	mutex_unlock(&t->mutex);
}

static void sleeps_in_callback(struct table *t)
{
	call_rcu(sleepy_callback, t);
}

static void not_held(struct table *t)
{
	read_lock(&t->rw);
	lockdep_assert_held_write(&t->rw);
	read_unlock(&t->rw);
}

static void unlocks_other(struct table *t)
{
	mutex_lock(&t->mutex);
	spin_unlock(&t->spin);
	mutex_unlock(&t->mutex);
}

static void spin_in_irq(void *arg)
{
	struct table *t = arg;

	spin_lock(&t->spin);
	spin_unlock(&t->spin);
}

static void read_in_irq(void *arg)
{
	struct table *t = arg;

	read_lock(&t->rw);
	read_unlock(&t->rw);
}

static void spin_by_irq(struct table *t)
{
	smp_call_function_single(5, spin_in_irq, t, true);
}

static void read_by_irq(struct table *t)
{
	smp_call_function_single(5, read_in_irq, t, true);
}

static void spin_open(struct table *t)
{
	spin_lock(&t->spin);
	spin_unlock(&t->spin);
}

static void spin_opens(struct table *t)
{
	local_irq_disable();
	spin_lock(&t->spin);
	local_irq_enable();	/* too early */
	spin_unlock(&t->spin);
}

static void spin_masked(struct table *t)
{
	local_irq_disable();
	spin_lock(&t->spin);
	spin_unlock(&t->spin);
	local_irq_enable();
}

static void read_open(struct table *t)
{
	read_lock(&t->rw);
	read_unlock(&t->rw);
}

static void write_open(struct table *t)
{
	write_lock(&t->rw);
	write_unlock(&t->rw);
}

/* Sleeping where it may: with a mutex and inside SRCU. */
static void sleeps_in_srcu(struct table *t)
{
	int idx = srcu_read_lock(&t->srcu);

	mutex_lock(&t->mutex);
	synchronize_rcu();
	cond_resched();
	lockdep_assert_held(&t->mutex.info);
	mutex_unlock(&t->mutex);
	srcu_read_unlock(&t->srcu, idx);
}

static void lock_context_fires(void **state)
{
	const char *irq = "pages_lock is taken in an interrupt and held with interrupts on: the "
			  "interrupt may wait for the task that it interrupts (b)";

	fires("lock-context", mutex_under_rw, NULL, "a may sleep in slots_lock and holds mmu_lock");
	fires("lock-context", sync_in_rcu, NULL,
	      "a may sleep in synchronize_srcu inside rcu_read_lock()");
	fires("lock-context", resched_masked, NULL,
	      "a may sleep in cond_resched with interrupts off");
	fires("lock-context", sleeps_in_callback, NULL,
	      "rcu may sleep in slots_lock in an RCU callback");
	fires("lock-context", not_held, NULL,
	      "a must hold mmu_lock (write) here, and holds mmu_lock (read)");
	fires("lock-context", unlocks_other, NULL,
	      "a releases pages_lock, which it does not hold");
	fires("lock-context", spin_by_irq, spin_open, irq);
	fires("lock-context", spin_by_irq, spin_opens, irq);
	fires("lock-context", read_by_irq, write_open,
	      "mmu_lock is taken in an interrupt and held with interrupts on: the "
	      "interrupt may wait for the task that it interrupts (b)");
}

static void lock_context_silent(void **state)
{
	silent(sleeps_in_srcu, NULL);
	silent(spin_by_irq, spin_masked);
}

static void lock_context_legal(void **state)
{
	/* In an interrupt and with interrupts on, and yet fine: readers pass each other. */
	silent(read_by_irq, read_open);
}

/* --- lock-held --------------------------------------------------------------------------- */

static void forgets(struct table *t)
{
	mutex_lock(&t->mutex);
	read_lock(&t->rw);
}

static void forgets_at_op(struct table *t)
{
	spin_lock(&t->spin);
	lockdep_check_none_held("zap 0x10");
	spin_unlock(&t->spin);
}

static void forgets_rcu(struct table *t)
{
	rcu_read_lock();
}

static void balanced(struct table *t)
{
	mutex_then_rw(t);
	lockdep_check_none_held("zap 0x10");
}

/* Given back in the order taken, not the reverse; a naive stack would lose count. */
static void crosswise(struct table *t)
{
	spin_lock(&t->spin);
	spin_lock(&t->spin2);
	spin_unlock(&t->spin);
	assert_true(lock_is_held(&t->spin2.info));
	assert_false(lock_is_held(&t->spin.info));
	spin_unlock(&t->spin2);
	lockdep_check_none_held("zap 0x10");
}

static void lock_held_fires(void **state)
{
	fires("lock-held", forgets, NULL,
	      "a ends its run and still holds slots_lock, mmu_lock (read)");
	fires("lock-held", forgets_at_op, NULL, "a ends zap 0x10 and still holds pages_lock");
	fires("lock-held", forgets_rcu, NULL, "a ends its run and still holds rcu");
}

static void lock_held_silent(void **state)
{
	silent(balanced, NULL);
}

static void lock_held_legal(void **state)
{
	silent(crosswise, NULL);
}

/* --- it decides nothing -------------------------------------------------------------------- */

static void everything(struct table *t)
{
	mutex_then_rw(t);
	rw_then_spin(t);
	spin_then_rw(t);
	mutex_under_rw(t);
}

static void steps(void *ctx, const struct event *ev)
{
	if (ev->type == EV_STEP)
		g_string_append_printf(ctx, "%d %d %llu\n", ev->actor, ev->op,
				       (unsigned long long)ev->clock);
}

static GString *steps_of(bool tolerated)
{
	struct sim *sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);
	struct play *p = world_alloc(sizeof(*p));
	GString *s = g_string_new(NULL);

	if (tolerated) {
		check_tolerate(sim, "lock-order");
		check_tolerate(sim, "lock-context");
	}
	*p = (struct play){ table_make(), everything, 0 };
	trace_listen(sim, steps, s);
	actor_new(sim, "a", 0, play, p);
	assert_int_equal(sim_run(sim), tolerated ? SIM_DONE : SIM_VIOLATION);
	assert_int_equal(check_count(sim), tolerated ? 3 : 1);
	sim_free(sim);
	return s;
}

static void test_only_watches(void **state)
{
	GString *all = steps_of(true), *some = steps_of(false);

	assert_true(some->len < all->len);
	assert_memory_equal(some->str, all->str, some->len);
	g_string_free(all, TRUE);
	g_string_free(some, TRUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lock_order_fires),
		cmocka_unit_test(lock_order_silent),
		cmocka_unit_test(lock_order_legal),
		cmocka_unit_test(lock_context_fires),
		cmocka_unit_test(lock_context_silent),
		cmocka_unit_test(lock_context_legal),
		cmocka_unit_test(lock_held_fires),
		cmocka_unit_test(lock_held_silent),
		cmocka_unit_test(lock_held_legal),
		cmocka_unit_test(test_only_watches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
