// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine's promises: what a step does, who runs when, waits, scripts, typed
 * regions, deadlines; the same on both carriers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include <glib.h>

#include "sim/engine/clock.h"
#include "sim/engine/farm.h"
#include "sim/engine/hash.h"
#include "sim/engine/mem.h"
#include "sim/engine/region.h"
#include "sim/engine/script.h"
#include "sim/engine/search.h"

static const enum sim_carrier carriers[] = { CARRIER_FIBER, CARRIER_PTHREAD };

static struct sim *new_sim(enum sim_carrier carrier, enum sim_sched sched, u64 seed)
{
	struct sim_options opt = {
		.carrier = carrier, .sched = sched, .seed = seed, .lps = 8, .phys = 1 << 20,
	};
	struct sim *sim = sim_new(&opt);

	assert_non_null(sim);
	return sim;
}

/* --- what a step does -------------------------------------------------------------- */

static void ops(void *arg)
{
	u64 *w = arg;

	mem_write64(w, 0x10);
	assert_int_equal(mem_read64(w), 0x10);
	assert_int_equal(mem_xadd64(w, 2), 0x10);
	assert_int_equal(mem_cmpxchg64(w, 0x11, 0), 0x12);
	assert_int_equal(mem_read64(w), 0x12);
	assert_int_equal(mem_cmpxchg64(w, 0x12, 0x20), 0x12);
	assert_int_equal(mem_xchg64(w, 0xff00ff), 0x20);
	assert_int_equal(mem_and64(w, 0xff), 0xff00ff);
	assert_int_equal(mem_or64(w, 0x100), 0xff);
	assert_int_equal(mem_bts64(w, 63), 0);
	assert_int_equal(mem_bts64(w, 63), 1);
	assert_int_equal(mem_btr64(w, 63), 1);
	assert_int_equal(mem_read64(w), 0x1ff);
	assert_int_equal(mem_xadd16((u16 *)w, -0x1ff), 0x1ff);
	assert_int_equal(mem_xadd16((u16 *)w, -2), 0);
	assert_int_equal(mem_read64(w), 0xfffe);	/* no borrow beyond the 16 bits */
	assert_int_equal(mem_xadd8((u8 *)w + 1, 1), 0xff);
	assert_int_equal(mem_read32((u32 *)w), 0xfe);
	mem_fence();
}

static void cmpxchg128(void *arg)
{
	struct u128 *p = arg, was, zero = { 0, 0 }, one = { 1, 2 };

	was = mem_cmpxchg128(p, zero, one);
	assert_int_equal(was.lo | was.hi, 0);
	was = mem_cmpxchg128(p, zero, zero);
	assert_int_equal(was.lo, 1);
	assert_int_equal(was.hi, 2);
}

static void test_ops(void **state)
{
	for (u32 c = 0; c < ARRAY_SIZE(carriers); c++) {
		for (enum sim_sched s = SCHED_CLOCK; s <= SCHED_RANDOM; s++) {
			struct sim *sim = new_sim(carriers[c], s, 1);

			actor_new(sim, "a", 0, ops, world_alloc(8));
			actor_new(sim, "b", 1, cmpxchg128, world_alloc(16));
			assert_int_equal(sim_run(sim), SIM_DONE);
			sim_free(sim);
		}
	}
}

static void test_ops_free(void **state)
{
	struct sim *sim = new_sim(CARRIER_PTHREAD, SCHED_FREE, 0);

	actor_new(sim, "a", 0, ops, world_alloc(8));
	actor_new(sim, "b", 1, cmpxchg128, world_alloc(16));
	assert_int_equal(sim_run(sim), SIM_DONE);
	sim_free(sim);
}

/* --- who runs when ----------------------------------------------------------------- */

struct recorder {
	GString *text;
};

static void record(void *ctx, const struct event *ev)
{
	struct recorder *r = ctx;
	char name[64];

	if (ev->type == EV_STEP)
		g_string_append_printf(r->text, "%llu %u %u %s %llx %llx\n",
				       (unsigned long long)ev->clock, ev->actor, ev->op,
				       region_name_of(ev->p, name, sizeof(name)),
				       (unsigned long long)ev->old, (unsigned long long)ev->value);
}

struct lane {
	u64 *shared;
	u32 rounds, pace;
};

static void runner(void *arg)
{
	struct lane *l = arg;

	for (u32 i = 0; i < l->rounds; i++) {
		mem_xadd64(l->shared, 1);
		sim_compute(l->pace);
	}
}

static char *trace_of(enum sim_carrier carrier, enum sim_sched sched, u64 seed)
{
	static const struct region_type word = { .name = "word", .indexed = true };
	struct sim *sim = new_sim(carrier, sched, seed);
	struct recorder r = { g_string_new(NULL) };
	u64 *shared = world_alloc(64);
	struct lane lane[3] = { { shared, 20, 7 }, { shared + 1, 20, 90 }, { shared, 9, 300 } };

	region_add(&(struct region){ .type = &word, .base = shared, .count = 8, .stride = 8,
				     .size = 8, .index = 0, .step = 1 });
	trace_listen(sim, record, &r);
	for (u16 i = 0; i < 3; i++)
		actor_new(sim, "lane", i, runner, &lane[i]);
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_int_equal(mem_peek64(shared), 29);
	sim_free(sim);
	return g_string_free(r.text, FALSE);
}

static void test_carriers_agree(void **state)
{
	for (enum sim_sched s = SCHED_CLOCK; s <= SCHED_RANDOM; s++) {
		char *fiber = trace_of(CARRIER_FIBER, s, 42);
		char *thread = trace_of(CARRIER_PTHREAD, s, 42);
		char *again = trace_of(CARRIER_FIBER, s, 42);

		assert_true(strlen(fiber) > 100);
		assert_string_equal(fiber, thread);
		assert_string_equal(fiber, again);
		g_free(fiber);
		g_free(thread);
		g_free(again);
	}
}

static void test_seeds_differ(void **state)
{
	char *one = trace_of(CARRIER_FIBER, SCHED_RANDOM, 1);
	char *two = trace_of(CARRIER_FIBER, SCHED_RANDOM, 2);

	assert_string_not_equal(one, two);
	g_free(one);
	g_free(two);
}

static void test_line_queue(void **state)
{
	struct sim *sim = new_sim(CARRIER_FIBER, SCHED_CLOCK, 0);
	u64 *shared = world_alloc(64), alone, crowd;
	struct lane lane[8];

	for (u16 i = 0; i < 8; i++) {
		lane[i] = (struct lane){ shared, 100, 0 };
		actor_new(sim, "lane", i, runner, &lane[i]);
	}
	assert_int_equal(sim_run(sim), SIM_DONE);
	crowd = sim_cycles(sim);
	sim_free(sim);

	sim = new_sim(CARRIER_FIBER, SCHED_CLOCK, 0);
	shared = world_alloc(64);
	lane[0] = (struct lane){ shared, 100, 0 };
	actor_new(sim, "lane", 0, runner, &lane[0]);
	assert_int_equal(sim_run(sim), SIM_DONE);
	alone = sim_cycles(sim);
	sim_free(sim);
	/* Eight LPs on one line queue: far more than eight times one LP's owned RMWs. */
	assert_true(crowd > 20 * alone);
}

#define WRITERS 8

struct rmw {
	u64 *word;
	u32 op;
};

static void one_rmw(struct rmw *r)
{
	switch (r->op) {
	case 0:
		mem_xadd64(r->word, 1);
		break;
	case 1:
		mem_xchg64(r->word, 1);
		break;
	case 2:
		mem_cmpxchg64(r->word, 0, 1);
		break;
	case 3:
		mem_bts64(r->word, 3);
		break;
	case 4:
		mem_btr64(r->word, 3);
		break;
	case 5:
		mem_and64(r->word, 7);
		break;
	case 6:
		mem_or64(r->word, 8);
		break;
	case 7:
		mem_xadd16((u16 *)r->word, 1);
		break;
	case 8:
		mem_cmpxchg8((u8 *)r->word, 0, 1);
		break;
	}
}

static void rmw_runner(void *arg)
{
	one_rmw(arg);
}

/* No RMW has a flat price: of N that come at once, the last waits for N - 1 transfers. */
static void test_every_rmw_queues(void **state)
{
	for (u32 op = 0; op < 9; op++) {
		struct sim *sim = new_sim(CARRIER_FIBER, SCHED_CLOCK, 0);
		struct rmw r = { world_alloc(64), op };

		for (u16 i = 0; i < WRITERS; i++)
			actor_new(sim, "rmw", i, rmw_runner, &r);
		assert_int_equal(sim_run(sim), SIM_DONE);
		assert_int_equal(sim_charged(sim, COST_LINE_SAME_SOCKET), WRITERS - 1);
		assert_true(sim_cycles(sim) >= (WRITERS - 1) * 258);
		sim_free(sim);
	}
}

/* --- waits ------------------------------------------------------------------------- */

struct gate {
	u64 open, after;
	bool wake;
};

static void waiter(void *arg)
{
	struct gate *g = arg;

	mem_await64(&g->open, 1, 1);
	mem_write64(&g->after, mem_peek64(&g->open));
}

static void opener(void *arg)
{
	struct gate *g = arg;

	sim_compute(1000);
	mem_write64(&g->open, 3);
	if (g->wake)
		mem_wake(&g->open);
	sim_compute(1000);
	mem_read64(&g->after);
}

static void test_await(void **state)
{
	for (u32 c = 0; c < 2; c++) {
		for (enum sim_sched s = SCHED_CLOCK; s <= SCHED_RANDOM; s++) {
			for (int wake = 0; wake < 2; wake++) {
				struct sim *sim = new_sim(carriers[c], s, 5);
				struct gate *g = world_alloc(sizeof(*g));

				g->wake = wake;
				actor_new(sim, "waiter", 0, waiter, g);
				actor_new(sim, "opener", 1, opener, g);
				assert_int_equal(sim_run(sim), SIM_DONE);
				assert_int_equal(mem_peek64(&g->after), 3);
				/* Who waited until cycle 1000 goes on after it. */
				if (s == SCHED_CLOCK)
					assert_true(actor_by_name(sim, "waiter")->clock > 1000);
				sim_free(sim);
			}
		}
	}
}

static void test_deadlock(void **state)
{
	struct sim *sim = new_sim(CARRIER_FIBER, SCHED_CLOCK, 0);
	struct gate *g = world_alloc(sizeof(*g));
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	actor_new(sim, "waiter", 0, waiter, g);
	assert_int_equal(sim_run(sim), SIM_DEADLOCK);
	sim_explain(sim, f);
	fclose(f);
	assert_non_null(strstr(text, " in waiter() for "));
	free(text);
	sim_free(sim);
}

/* --- scripts ----------------------------------------------------------------------- */

static bool wrote(void *ctx, const struct event *ev)
{
	return ev->type == EV_STEP && ev->op == MEM_XADD && ev->value == *(u64 *)ctx;
}

static bool about_to_add(void *ctx, const struct pending *next)
{
	return next->op == MEM_XADD;
}

static void test_script(void **state)
{
	for (u32 c = 0; c < 2; c++) {
		struct sim *sim = new_sim(carriers[c], SCHED_SCRIPT, 0);
		u64 *shared = world_alloc(64), three = 3, five = 5;
		struct lane lane[2] = { { shared, 5, 0 }, { shared, 5, 0 } };
		struct actor *a = actor_new(sim, "a", 0, runner, &lane[0]);
		struct actor *b = actor_new(sim, "b", 1, runner, &lane[1]);
		struct script_row rows[] = {
			{ .actor = a, .done = wrote, .ctx = &three, .text = "a .. 3" },
			{ .actor = b, .done = wrote, .ctx = &five, .text = "b .. 5" },
			{ .actor = a, .text = "a" },
		};
		struct recorder r = { g_string_new(NULL) };
		const char *want = "0001100111";	/* a 3, b 2, a to its end, then b */

		trace_listen(sim, record, &r);
		script_set(sim, rows, ARRAY_SIZE(rows));
		assert_int_equal(sim_run(sim), SIM_DONE);
		char **lines = g_strsplit(r.text->str, "\n", -1);

		for (u32 i = 0; want[i]; i++)
			assert_int_equal(strchr(lines[i], ' ')[1], want[i]);
		g_strfreev(lines);
		g_string_free(r.text, TRUE);
		sim_free(sim);
	}
}

static void test_script_before(void **state)
{
	struct sim *sim = new_sim(CARRIER_FIBER, SCHED_SCRIPT, 0);
	u64 *shared = world_alloc(64);
	struct lane lane = { shared, 2, 0 };
	struct actor *a = actor_new(sim, "a", 0, runner, &lane);
	struct script_row row = { .actor = a, .before = about_to_add, .text = ".. before" };

	script_set(sim, &row, 1);
	script_stop_after(sim, true);
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_int_equal(mem_peek64(shared), 0);
	sim_free(sim);
}

static void spinner(void *arg)
{
	u64 *w = arg;

	for (;;) {
		actor_forget(0);
		if (mem_read64(w))
			return;
	}
}

static bool lap_ends(const struct event *ev)
{
	return ev->type == EV_STEP && ev->op == MEM_READ;
}

static void writer(void *arg)
{
	u64 *w = arg;

	mem_write64(w + 1, 1);
	mem_write64(w, 1);
}

/* Loose: a spinner is helped by who is in the middle of something; a condition ends with all. */
static void test_script_loose(void **state)
{
	struct sim *sim = new_sim(CARRIER_FIBER, SCHED_SCRIPT, 0);
	u64 *w = world_alloc(64), one = 1;
	struct actor *a = actor_new(sim, "a", 0, spinner, w);
	struct actor *b = actor_new(sim, "b", 1, writer, w);
	struct script_row rows[] = {
		{ .actor = a, .done = wrote, .ctx = &one, .text = "a .. never" },
		{ .actor = b, .before = about_to_add, .text = "b .. never" },
		{ .actor = a, .text = "a" },
	};

	script_set(sim, rows, ARRAY_SIZE(rows));
	script_loose(sim, lap_ends);
	assert_int_equal(sim_run(sim), SIM_DONE);
	sim_free(sim);

	sim = new_sim(CARRIER_FIBER, SCHED_SCRIPT, 0);
	w = world_alloc(64);
	a = actor_new(sim, "a", 0, spinner, w);
	b = actor_new(sim, "b", 1, writer, w);
	rows[0] = (struct script_row){ .actor = a, .text = "a" };	/* b opens meanwhile */
	rows[0].actor = a;
	script_set(sim, rows, 1);
	script_loose(sim, lap_ends);
	script_stop_after(sim, true);
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_int_equal(mem_peek64(w), 1);
	assert_int_equal(b->state, ACTOR_DONE);
	sim_free(sim);

	/* Nobody can mend it */
	sim = new_sim(CARRIER_FIBER, SCHED_SCRIPT, 0);
	w = world_alloc(64);
	a = actor_new(sim, "a", 0, spinner, w);
	rows[0].actor = a;
	script_set(sim, rows, 1);
	script_loose(sim, lap_ends);
	assert_int_equal(sim_run(sim), SIM_UNREACHABLE);
	assert_non_null(strstr(script_why(sim), "a spins"));
	sim_free(sim);
}

static void test_script_unreachable(void **state)
{
	struct sim *sim = new_sim(CARRIER_FIBER, SCHED_SCRIPT, 0);
	struct gate *g = world_alloc(sizeof(*g));
	struct actor *a = actor_new(sim, "a", 0, waiter, g);
	struct script_row row = { .actor = a, .text = "a" };

	script_set(sim, &row, 1);
	assert_int_equal(sim_run(sim), SIM_UNREACHABLE);
	assert_non_null(strstr(script_why(sim), " in waiter() for "));
	sim_free(sim);

	sim = new_sim(CARRIER_FIBER, SCHED_SCRIPT, 0);
	g = world_alloc(sizeof(*g));
	a = actor_new(sim, "a", 0, spinner, &g->open);
	row = (struct script_row){ .actor = a, .text = "a" };
	script_set(sim, &row, 1);
	assert_int_equal(sim_run(sim), SIM_UNREACHABLE);
	assert_non_null(strstr(script_why(sim), "a spins: the same state again in spinner()"));
	sim_free(sim);
}

/* --- regions ----------------------------------------------------------------------- */

static const char *colour(u64 raw)
{
	return raw ? "RED" : "BLUE";
}

static void test_regions(void **state)
{
	static const struct region_field fields[] = { { "LOW", 0, 4, NULL }, { NULL, 0, 0, NULL } };
	static const struct region_type table = { "table", colour, NULL, fields, true };
	static const struct region_type one = { "flag", NULL, NULL, NULL, false };
	struct sim *sim = new_sim(CARRIER_FIBER, SCHED_CLOCK, 0);
	u64 *w = world_alloc(4096), *big = world_carve(1 << 20);
	struct region *r, *low, *found;
	char buf[64];

	r = region_add(&(struct region){ .type = &table, .base = w, .count = 512, .stride = 8,
					 .size = 8, .level = 2, .index = 0x200, .step = 0x200 });
	low = region_add(&(struct region){ .type = &one, .base = &w[5], .count = 1, .stride = 8,
					   .size = 8 });
	region_add(&(struct region){ .type = &table, .base = big, .count = 1 << 17, .stride = 8,
				     .size = 8, .level = 1, .index = 0, .step = 1 });
	assert_string_equal(region_name_of(&w[3], buf, 64), "table[0x800]@2M");
	assert_string_equal(region_name_of(&w[5], buf, 64), "flag");
	assert_string_equal(region_name_of(&big[0x1234], buf, 64), "table[0x1234]");
	assert_string_equal(region_name_of(buf, buf, 64), "?");
	assert_ptr_equal(region_find("table", NULL, 0x800, 2, &found), &w[3]);
	assert_ptr_equal(found, r);
	assert_ptr_equal(region_find("table", NULL, 0x800, 0, NULL), &big[0x800]);
	assert_null(region_find("table", NULL, 0x100, 2, NULL));
	assert_ptr_equal(region_find("flag", NULL, 0, 0, NULL), &w[5]);
	assert_string_equal(region_value(r, 1, buf, 64), "RED");
	region_remove(low);
	assert_string_equal(region_name_of(&w[5], buf, 64), "table[0xc00]@2M");
	sim_free(sim);
}

/* --- choose, deadlines ------------------------------------------------------------- */

struct deadlines {
	struct deadline d;
	u64 passed;
};

static void patient(void *arg)
{
	struct deadlines *w = arg;

	deadline_set(&w->d, 100);
	mem_read64(&w->passed);
	if (deadline_passed(&w->d, "D"))
		return;
	sim_compute(1000);
	if (deadline_passed(&w->d, "D"))
		mem_write64(&w->passed, 1);
}

static void test_deadline(void **state)
{
	struct sim *sim = new_sim(CARRIER_FIBER, SCHED_CLOCK, 0);
	struct deadlines *w = world_alloc(sizeof(*w));
	struct search_dfs s = { .preemptions = -1 };
	struct sim_options opt = { .sched = SCHED_CHOOSE, .keyed = true };

	actor_new(sim, "a", 0, patient, w);
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_int_equal(mem_peek64(&w->passed), 1);
	sim_free(sim);

	/* Without time both answers are possible, each time it is asked: three executions. */
	sim = sim_new(&opt);
	w = world_alloc(sizeof(*w));
	actor_new(sim, "a", 0, patient, w);
	search_begin(sim);
	search_dfs(sim, &s);
	assert_int_equal(s.executions, 3);
	sim_free(sim);
}

/* --- workers ----------------------------------------------------------------------- */

struct tally {
	u32 taken, crashed;
	pid_t *by;		/* shared: who did each job */
};

static int job(void *ctx, u32 i, FILE *out)
{
	((struct tally *)ctx)->by[i] = getpid();
	if (i == 2)
		abort();
	fprintf(out, "job %u", i);
	return (int)i;
}

static void taken(void *ctx, u32 i, const struct farm_result *r)
{
	struct tally *t = ctx;
	char text[16];

	t->taken++;
	t->crashed += r->status < 0;
	snprintf(text, sizeof(text), "job %u", i);
	assert_string_equal(r->out->str, i == 2 ? "" : text);
}

/* A crash is a result, whoever was to do more after it; and a worker does its stint. */
static void test_farm(void **state)
{
	for (u32 stint = 0; stint < 4; stint++) {
		struct tally t = { .by = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					      MAP_SHARED | MAP_ANONYMOUS, -1, 0) };
		struct farm_work w = { .n = 40, .jobs = 3, .stint = stint, .job = job, .ctx = &t };
		struct farm_result *r = farm_run(&w);

		for (u32 i = 0; i < w.n; i++) {
			u32 same = 0;

			assert_true(r[i].done);
			assert_int_equal(r[i].status, i == 2 ? -1 : (int)i);
			for (u32 k = 0; k < w.n; k++)
				same += t.by[k] == t.by[i];
			assert_true(!stint || same <= stint);
			assert_int_not_equal(t.by[i], getpid());
		}
		assert_int_equal(r[2].signal, 6);
		assert_string_equal(r[4].out->str, "job 4");
		farm_free(r, w.n);
		w.taken = taken;
		r = farm_run(&w);
		assert_int_equal(t.taken, w.n);
		assert_int_equal(t.crashed, 1);
		assert_int_equal(r[4].out->len, 0);
		farm_free(r, w.n);
		munmap(t.by, 4096);
	}
}

static void test_limit(void **state)
{
	struct sim_options opt = { .sched = SCHED_CLOCK, .max_steps = 50, .phys = 1 << 20 };
	struct sim *sim = sim_new(&opt);

	actor_new(sim, "a", 0, spinner, world_alloc(64));
	assert_int_equal(sim_run(sim), SIM_LIMIT);
	assert_int_equal(sim_steps(sim), 50);
	sim_free(sim);

	opt = (struct sim_options){ .max_cycles = 5000, .phys = 1 << 20 };
	sim = sim_new(&opt);
	actor_new(sim, "a", 0, spinner, world_alloc(64));
	assert_int_equal(sim_run(sim), SIM_LIMIT);
	sim_free(sim);
}

/* A fold keeps what was there before it, whatever it is told by: 0, too. */
static void test_fold(void **state)
{
	for (u64 what = 0; what < 4; what++)
		for (u64 v = 0; v < 4; v++)
			assert_true(hash_fold(hash_fold(1, what, v), 2, v) !=
				    hash_fold(hash_fold(1, what, v + 1), 2, v + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ops),
		cmocka_unit_test(test_ops_free),
		cmocka_unit_test(test_carriers_agree),
		cmocka_unit_test(test_seeds_differ),
		cmocka_unit_test(test_line_queue),
		cmocka_unit_test(test_every_rmw_queues),
		cmocka_unit_test(test_await),
		cmocka_unit_test(test_deadlock),
		cmocka_unit_test(test_script),
		cmocka_unit_test(test_script_before),
		cmocka_unit_test(test_script_loose),
		cmocka_unit_test(test_script_unreachable),
		cmocka_unit_test(test_regions),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_farm),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_fold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
