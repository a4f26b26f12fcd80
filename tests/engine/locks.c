// SPDX-License-Identifier: GPL-2.0-only
/*
 * Spinlock, rwlock and mutex: exclusion under many schedules, and the order in which
 * those who wait are served. Rests on what kernel/locking promises of each.
 */
#include "tests/engine/locktest.h"

/* --- exclusion --------------------------------------------------------------------- */

struct kind {
	void (*lock)(struct table *t);
	void (*unlock)(struct table *t);
	bool shared;
};

static void do_spin_lock(struct table *t) { spin_lock(&t->spin); }
static void do_spin_unlock(struct table *t) { spin_unlock(&t->spin); }
static void do_mutex_lock(struct table *t) { mutex_lock(&t->mutex); }
static void do_mutex_unlock(struct table *t) { mutex_unlock(&t->mutex); }
static void do_read_lock(struct table *t) { read_lock(&t->rw); }
static void do_read_unlock(struct table *t) { read_unlock(&t->rw); }
static void do_write_lock(struct table *t) { write_lock(&t->rw); }
static void do_write_unlock(struct table *t) { write_unlock(&t->rw); }

static const struct kind spin = { do_spin_lock, do_spin_unlock, false };
static const struct kind mutex = { do_mutex_lock, do_mutex_unlock, false };
static const struct kind readers = { do_read_lock, do_read_unlock, true };
static const struct kind writers = { do_write_lock, do_write_unlock, false };

struct job {
	struct table *t;
	const struct kind *k;
	u32 laps;
};

/* Who is inside counts itself with the lock as its only protection. */
static void lap_work(void *arg)
{
	struct job *j = arg;
	struct table *t = j->t;

	for (u32 i = 0; i < j->laps; i++) {
		j->k->lock(t);
		if (j->k->shared) {
			u32 others = mem_xadd32(&t->inside, 1);

			if (mem_read32(&t->writers))
				t->worst = 1;
			if (others)
				mem_write32(&t->laps, 1);
			mem_xadd32(&t->inside, -1);
		} else {
			u32 w = mem_read32(&t->writers), r;

			mem_write32(&t->writers, w + 1);
			r = mem_read32(&t->inside);
			if (w | r)
				t->worst = 1;
			w = mem_read32(&t->writers);
			mem_write32(&t->writers, w - 1);
		}
		j->k->unlock(t);
	}
}

static void job_new(struct sim *sim, struct table *t, const struct kind *k, u16 i, u32 laps)
{
	struct job *j = world_alloc(sizeof(*j));
	char name[16];

	*j = (struct job){ t, k, laps };
	snprintf(name, sizeof(name), "a%u", i);
	actor_new(sim, name, i, lap_work, j);
}

/* True if at some time two readers were inside at once. */
static bool exclude(const struct kind *a, const struct kind *b, enum sim_sched sched,
		    enum sim_carrier carrier, u64 seed, u32 laps)
{
	struct sim *sim = sim_make(sched, carrier, seed);
	struct table *t = table_make();
	bool shared;

	for (u16 i = 0; i < 5; i++)
		job_new(sim, t, i < 3 ? a : b, i, laps);
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_int_equal(t->worst, 0);
	assert_int_equal(t->writers | t->inside, 0);
	/* Free again: nothing of the past is left in the words. */
	assert_int_equal(t->spin.raw.val | t->rw.cnts | t->rw.wait_lock.val, 0);
	assert_int_equal(t->mutex.owner | t->mutex.queue.val, 0);
	shared = t->laps;
	sim_free(sim);
	return shared;
}

static void exclude_all(const struct kind *a, const struct kind *b)
{
	bool shared = false;

	for (u64 seed = 0; seed < 150; seed++)
		shared |= exclude(a, b, SCHED_RANDOM, CARRIER_FIBER, seed, 4);
	for (u64 seed = 0; seed < 4; seed++)
		exclude(a, b, SCHED_RANDOM, CARRIER_PTHREAD, seed, 3);
	exclude(a, b, SCHED_CLOCK, CARRIER_FIBER, 0, 50);
	exclude(a, b, SCHED_CLOCK, CARRIER_PTHREAD, 0, 10);
	exclude(a, b, SCHED_FREE, CARRIER_PTHREAD, 0, 300);
	assert_int_equal(shared, a->shared);
}

static void test_spin_excludes(void **state)
{
	exclude_all(&spin, &spin);
}

static void test_mutex_excludes(void **state)
{
	exclude_all(&mutex, &mutex);
}

static void test_writers_exclude(void **state)
{
	exclude_all(&writers, &writers);
}

static void test_readers_share(void **state)
{
	exclude_all(&readers, &writers);
}

/* --- order ------------------------------------------------------------------------- */

struct visit {
	struct table *t;
	const struct kind *k;
	char who;
	u64 at, stay;
};

static void visit(void *arg)
{
	struct visit *v = arg;

	until(v->t, v->at);
	v->k->lock(v->t);
	put(v->t, v->who);
	until(v->t, actor_self()->clock + v->stay);
	put(v->t, (char)(v->who | 0x20));	/* leaves: in lower case */
	v->k->unlock(v->t);
}

static struct actor *visit_new(struct sim *sim, struct table *t, const struct kind *k, char who,
			       u64 at, u64 stay)
{
	struct visit *v = world_alloc(sizeof(*v));
	char name[2] = { who, 0 };

	*v = (struct visit){ t, k, who, at, stay };
	return actor_new(sim, name, (u16)(who % 8), visit, v);
}

static void served_in_order(const struct kind *k)
{
	struct sim *sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);
	struct table *t = table_make();

	visit_new(sim, t, k, 'A', 0, 1000000);
	for (u32 i = 0; i < 6; i++)	/* they come in another order than they were made */
		visit_new(sim, t, k, (char)('B' + (i * 5 + 3) % 6), 20000 * ((i * 5 + 3) % 6 + 1),
			  100);
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_string_equal(order_of(t), "AaBbCcDdEeFfGg");
	sim_free(sim);
}

static void test_fair(void **state)
{
	served_in_order(&spin);
	served_in_order(&mutex);
	served_in_order(&writers);
}

/* A writer that waits stops new readers, and readers behind it go in together. */
static void test_rw_order(void **state)
{
	struct sim *sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);
	struct table *t = table_make();

	visit_new(sim, t, &readers, 'A', 0, 500000);
	visit_new(sim, t, &readers, 'B', 10000, 300000);
	visit_new(sim, t, &writers, 'C', 20000, 100000);
	visit_new(sim, t, &readers, 'D', 30000, 400000);
	visit_new(sim, t, &readers, 'E', 40000, 300000);
	visit_new(sim, t, &readers, 'F', 50000, 200000);
	visit_new(sim, t, &writers, 'G', 60000, 100);
	visit_new(sim, t, &readers, 'H', 70000, 100);
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_string_equal(order_of(t), "ABbaCcDEFfedGgHh");
	sim_free(sim);
}

/* The same mutex again and again: the waiter gets it at the second release at the latest. */
static void hog(void *arg)
{
	struct table *t = arg;

	for (u32 i = 0; i < 200; i++) {
		mutex_lock(&t->mutex);
		until(t, actor_self()->clock + 2000);
		t->laps++;
		mutex_unlock(&t->mutex);
	}
}

static void patient(void *arg)
{
	struct table *t = arg;
	u32 before;

	until(t, 5000);
	before = t->laps;
	mutex_lock(&t->mutex);
	t->worst = t->laps - before;
	mutex_unlock(&t->mutex);
}

static void test_mutex_handoff(void **state)
{
	struct sim *sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);
	struct table *t = table_make();

	actor_new(sim, "hog", 0, hog, t);
	actor_new(sim, "patient", 4, patient, t);	/* another package: too late */
	assert_int_equal(sim_run(sim), SIM_DONE);
	/* what passes until it stands in the queue, one lost race, then the handoff */
	assert_in_range(t->worst, 2, 3);
	sim_free(sim);
}

/* --- the rest of the faces --------------------------------------------------------- */

static void tries(void *arg)
{
	struct table *t = arg;

	assert_true(spin_trylock(&t->spin));
	assert_false(spin_trylock(&t->spin));
	assert_true(lock_is_held(&t->spin.info));
	spin_unlock(&t->spin);
	assert_false(lock_is_held(&t->spin.info));
	assert_true(mutex_trylock(&t->mutex));
	assert_false(mutex_trylock(&t->mutex));
	mutex_unlock(&t->mutex);
	assert_true(write_trylock(&t->rw));
	assert_true(rwlock_is_held_write(&t->rw));
	assert_false(write_trylock(&t->rw));
	assert_false(read_trylock(&t->rw));
	write_unlock(&t->rw);
	assert_true(read_trylock(&t->rw));
	assert_false(rwlock_is_held_write(&t->rw));
	lockdep_assert_held_read(&t->rw);
	assert_false(write_trylock(&t->rw));
	assert_false(rwlock_needbreak(&t->rw));
	read_unlock(&t->rw);
}

static void test_trylock(void **state)
{
	struct sim *sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);

	actor_new(sim, "a", 0, tries, table_make());
	run_ok(sim);
}

/* An rwsem is the rwlock whose holder may sleep. */
struct sem_test {
	struct rw_semaphore sem;
	struct table *t;
	u64 at;
	char who;
	bool write;
};

static void sem_user(void *arg)
{
	struct sem_test *s = arg;
	struct table *t = s->t;

	until(t, s->at);
	if (s->write)
		down_write(&((struct sem_test *)t->word)->sem);
	else
		down_read(&((struct sem_test *)t->word)->sem);
	put(t, s->who);
	mutex_lock(&t->mutex2);		/* may sleep: nobody complains */
	mutex_unlock(&t->mutex2);
	until(t, s->at + 50000);
	put(t, (char)(s->who + 'a' - 'A'));
	if (s->write)
		up_write(&((struct sem_test *)t->word)->sem);
	else
		up_read(&((struct sem_test *)t->word)->sem);
}

static void test_rwsem(void **state)
{
	struct sim *sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);
	struct table *t = table_make();
	struct sem_test *s = world_alloc(4 * sizeof(*s));
	static const char who[] = "ABWC";

	init_rwsem(&s->sem, "cpu_hotplug_lock");
	t->word = (u64)s;	/* where the one lock is */
	for (u16 i = 0; i < 4; i++) {
		s[i].t = t;
		s[i].at = 10000u * (i + 1u);
		s[i].who = who[i];
		s[i].write = who[i] == 'W';
		actor_new(sim, (char[]){ who[i], 0 }, i, sem_user, &s[i]);
	}
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_null(check_fatal(sim));
	/* readers share, the writer waits for both, who comes behind it waits for the writer */
	assert_string_equal(order_of(t), "ABabWwCc");
	sim_free(sim);
}

static void looker(void *arg)
{
	struct table *t = arg;
	struct region *r = region_at(&t->rw.cnts);
	char buf[64];

	until(t, 100000);
	assert_string_equal(region_name_of(&t->rw.cnts, buf, sizeof(buf)), "mmu_lock");
	assert_string_equal(r->type->class(region_raw(r, &t->rw.cnts)), "read");
	assert_string_equal(region_value(r, region_raw(r, &t->rw.cnts), buf, sizeof(buf)),
			    "read x2, write waiting");
	assert_true(rwlock_needbreak(&t->rw));
	assert_true(lock_explain(&t->rw.cnts, buf, sizeof(buf)));
	assert_non_null(strstr(buf, "write_lock(mmu_lock), held by A (read) since cycle "));
}

static void test_words(void **state)
{
	struct sim *sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);
	struct table *t = table_make();

	visit_new(sim, t, &readers, 'A', 0, 500000);
	visit_new(sim, t, &readers, 'B', 10000, 500000);
	visit_new(sim, t, &writers, 'C', 20000, 100);
	actor_new(sim, "looker", 7, looker, t);
	run_ok(sim);
}

static void record(void *ctx, const struct event *ev)
{
	static const char *const names[EV_TYPES] = {
		[EV_LOCK] = "lock", [EV_UNLOCK] = "unlock", [EV_BLOCKED] = "blocked",
	};

	if (names[ev->type])
		g_string_append_printf(ctx, "%s %s %s%s%s\n",
				       actor_by_id(sim_current(), ev->actor)->name,
				       names[ev->type], ev->name, ev->detail ? " " : "",
				       ev->detail ? ev->detail : "");
}

static void test_events(void **state)
{
	struct sim *sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);
	struct table *t = table_make();
	GString *s = g_string_new(NULL);

	trace_listen(sim, record, s);
	visit_new(sim, t, &readers, 'A', 0, 300000);
	visit_new(sim, t, &writers, 'B', 10000, 100);
	visit_new(sim, t, &writers, 'C', 20000, 100);
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_string_equal(s->str, "A lock mmu_lock read\n"
				    "B blocked mmu_lock\n"
				    "C blocked mmu_lock\n"
				    "A unlock mmu_lock\n"
				    "B lock mmu_lock write\n"
				    "B unlock mmu_lock\n"
				    "C lock mmu_lock write\n"
				    "C unlock mmu_lock\n");
	g_string_free(s, TRUE);
	sim_free(sim);
}

static void never_leaves(void *arg)
{
	struct table *t = arg;

	read_lock(&t->rw);
	mem_await64(&t->word, ~0ull, 1);
	read_unlock(&t->rw);
}

static void test_explained(void **state)
{
	struct sim *sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);
	struct table *t = table_make();
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	actor_new(sim, "zapper", 0, never_leaves, t);
	visit_new(sim, t, &writers, 'B', 10000, 100);
	visit_new(sim, t, &readers, 'C', 20000, 100);
	assert_int_equal(sim_run(sim), SIM_DEADLOCK);
	sim_explain(sim, out);
	fclose(out);
	assert_non_null(strstr(text, " for write_lock(mmu_lock), held by zapper (read) since"));
	assert_non_null(strstr(text, " for read_lock(mmu_lock), held by zapper (read) since"));
	assert_non_null(strstr(text, "also waiting: B (write)"));
	free(text);
	sim_free(sim);
}

/* --- deadlock ---------------------------------------------------------------------------- */

static void one_then_two(void *arg)
{
	struct table *t = arg;

	mutex_lock(&t->mutex);
	until(t, 20000);
	mutex_lock(&t->mutex2);
	mutex_unlock(&t->mutex2);
	mutex_unlock(&t->mutex);
}

static void two_then_one(void *arg)
{
	struct table *t = arg;

	mutex_lock(&t->mutex2);
	until(t, 20000);
	mutex_lock(&t->mutex);
	mutex_unlock(&t->mutex);
	mutex_unlock(&t->mutex2);
}

/* Everybody of the test sleeps: who ends it is RCU's own actor, which nobody waits for. */
static void waits_for_grace(void *arg)
{
	synchronize_rcu();
	put(arg, 'g');
}

static enum sim_end end_of(void (*a)(void *), void (*b)(void *), u32 *said)
{
	struct sim *sim = sim_make(SCHED_CLOCK, CARRIER_FIBER, 0);
	struct table *t = table_make();
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);
	enum sim_end end;

	check_tolerate(sim, "lock-order");
	check_tolerate(sim, "lock-held");
	actor_new(sim, "a", 0, a, t);
	actor_new(sim, "b", 1, b, t);
	end = sim_run(sim);
	sim_explain(sim, f);
	fclose(f);
	*said = !!strstr(text, "slots_lock") + !!strstr(text, "vcpu_mutex");
	free(text);
	sim_free(sim);
	return end;
}

static void deadlock_fires(void **state)
{
	u32 said;

	assert_int_equal(end_of(one_then_two, two_then_one, &said), SIM_DEADLOCK);
	assert_int_equal(said, 2);	/* each with what it waits for */
}

static void deadlock_silent(void **state)
{
	u32 said;

	assert_int_equal(end_of(one_then_two, one_then_two, &said), SIM_DONE);
	assert_int_equal(said, 0);
}

static void deadlock_legal(void **state)
{
	u32 said;

	assert_int_equal(end_of(waits_for_grace, waits_for_grace, &said), SIM_DONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trylock),
		cmocka_unit_test(test_spin_excludes),
		cmocka_unit_test(test_mutex_excludes),
		cmocka_unit_test(test_writers_exclude),
		cmocka_unit_test(test_readers_share),
		cmocka_unit_test(test_fair),
		cmocka_unit_test(test_rw_order),
		cmocka_unit_test(test_mutex_handoff),
		cmocka_unit_test(test_rwsem),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_explained),
		cmocka_unit_test(deadlock_fires),
		cmocka_unit_test(deadlock_silent),
		cmocka_unit_test(deadlock_legal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
