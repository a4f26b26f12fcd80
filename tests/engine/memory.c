// SPDX-License-Identifier: GPL-2.0-only
/* What the world gives, takes and restores: the allocator, pages, undo, use after free. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sim/engine/check.h"
#include "sim/engine/mem.h"
#include "sim/engine/search.h"
#include "sim/engine/sim.h"
#include "sim/engine/undo.h"

static struct sim *new_sim(enum sim_sched sched)
{
	struct sim_options opt = { .sched = sched, .lps = 8, .phys = 1 << 20 };
	struct sim *sim = sim_new(&opt);

	assert_non_null(sim);
	return sim;
}

static void test_undo(void **state)
{
	struct sim *sim = new_sim(SCHED_CHOOSE);
	struct undo_mark start;
	u64 *a, *b, page, hash;

	undo_enable(true);
	a = world_alloc(128);
	start = undo_mark();
	hash = world_hash();
	world_set(a[3], 7);
	assert_int_not_equal(world_hash(), hash);
	world_free(a, 128);
	b = world_alloc(128);
	assert_ptr_equal(a, b);
	assert_int_equal(b[3], 0);
	page = page_alloc();
	page_free(page);
	undo_to(start);
	assert_int_equal(world_hash(), hash);
	assert_int_equal(a[3], 0);
	assert_int_equal(world_line_state(a), LINE_LIVE);
	assert_int_equal(world_line_state(phys_to_ptr(page)), LINE_FRESH);
	assert_int_equal(page_alloc(), page);
	sim_free(sim);
}

static void touch_freed(void *arg)
{
	u64 *w = world_alloc(64);

	mem_write64(w, 1);
	world_free(w, 64);
	mem_read64(w);
	mem_write64((u64 *)arg, 1);	/* the run has stopped before this */
}

static void use_after_free_fires(void **state)
{
	for (int tolerate = 0; tolerate < 2; tolerate++) {
		struct sim *sim = new_sim(SCHED_RANDOM);
		u64 *went_on = world_alloc(64);

		if (tolerate)
			check_tolerate(sim, "use-after-free");
		actor_new(sim, "a", 0, touch_freed, went_on);
		assert_int_equal(sim_run(sim), tolerate ? SIM_DONE : SIM_VIOLATION);
		assert_int_equal(check_count(sim), 1);
		assert_string_equal(check_at(sim, 0)->id, "use-after-free");
		assert_int_equal(mem_peek64(went_on), tolerate);
		sim_free(sim);
	}
}

static void touch_then_free(void *arg)
{
	u64 *w = world_alloc(64), page = page_alloc();

	mem_write64(w, 1);
	mem_write64(phys_to_ptr(page), 1);
	mem_read64(w);
	world_free(w, 64);
	page_free(page);
}

static void use_after_free_silent(void **state)
{
	struct sim *sim = new_sim(SCHED_RANDOM);

	actor_new(sim, "a", 0, touch_then_free, NULL);
	assert_int_equal(sim_run(sim), SIM_DONE);
	assert_int_equal(check_count(sim), 0);
	sim_free(sim);
}

/* Memory that is freed and handed out again is nobody's error. */
static void touch_recycled(void *arg)
{
	u64 *w = world_alloc(64), *again;

	world_free(w, 64);
	again = world_alloc(64);
	assert_ptr_equal(w, again);
	mem_write64(again, 1);
}

static void use_after_free_legal(void **state)
{
	struct sim *sim = new_sim(SCHED_RANDOM);

	actor_new(sim, "a", 0, touch_recycled, NULL);
	assert_int_equal(sim_run(sim), SIM_DONE);
	sim_free(sim);
}

/* A page that is gone is gone whatever had been done to its lines before, if anything */
enum { NOT_BEFORE, READ_BEFORE, WRITTEN_BEFORE, BEFORES };

struct freed_page {
	u32 before;
	bool line;		/* its page_line(), not its own memory */
	bool write, again;	/* the step on it; it has been handed out again */
};

static void touch_page(void *arg)
{
	struct freed_page *f = arg;
	u64 page = page_alloc(), *w = f->line ? page_line(page) : phys_to_ptr(page) + 128;

	if (f->before == READ_BEFORE)
		mem_read64(w);
	if (f->before == WRITTEN_BEFORE)
		mem_write64(w, 1);
	page_free(page);
	if (f->again)
		page_alloc_at(page);
	if (f->write)
		mem_write64(w, 2);
	else
		mem_read64(w);
}

static u32 freed_page_found(struct sim_options opt, struct freed_page *f)
{
	struct sim *sim;
	u32 n;

	opt.phys = 1 << 20;
	sim = sim_new(&opt);
	check_tolerate(sim, "use-after-free");
	actor_new(sim, "a", 0, touch_page, f);
	assert_int_equal(sim_run(sim), SIM_DONE);
	n = check_count(sim);
	sim_free(sim);
	return n;
}

static void test_freed_pages(void **state)
{
	static const struct sim_options how[] = {
		{ .sched = SCHED_CLOCK }, { .sched = SCHED_CLOCK, .logged = true },
		{ .sched = SCHED_CLOCK, .trace = 16 }, { .sched = SCHED_RANDOM },
		{ .sched = SCHED_RANDOM, .timed = true },
	};

	for (u32 i = 0; i < BEFORES * 8 * ARRAY_SIZE(how); i++) {
		struct freed_page f = { i / 8 % BEFORES, i & 1, i & 2, i & 4 };

		if (freed_page_found(how[i / 8 / BEFORES], &f) != !f.again)
			fail_msg("before %u, line %d, write %d, again %d, how %u", f.before, f.line,
				 f.write, f.again, i / 8 / BEFORES);
	}
}

/* What was written is poisoned when it goes, and cleared when it comes back */
static void test_page_contents(void **state)
{
	struct sim *sim = new_sim(SCHED_CLOCK);
	u64 page = page_alloc(), *w = phys_to_ptr(page);

	world_set(w[511], 7);
	page_free(page);
	assert_int_equal(w[0], 0xdbdbdbdbdbdbdbdbull);
	assert_int_equal(w[511], 0xdbdbdbdbdbdbdbdbull);
	assert_int_equal(page_alloc(), page);
	for (u32 i = 0; i < 512; i++)
		assert_int_equal(w[i], 0);
	page_free(page);
	assert_int_equal(w[511], 0);	/* nobody has written it: it takes no memory */
	sim_free(sim);
}

/* Each page once, whoever asks, to the last one; guests' lie in 2M blocks where there is room */
static void every_page(u64 phys, u32 every)
{
	struct sim_options opt = { .phys = phys };
	struct sim *sim = sim_new(&opt);
	u64 pages = phys / PAGE_SIZE, left = pages - 2, mixed = 0;
	u8 *seen = calloc(pages, 1);

	page_alloc_at(phys / 2);	/* somebody wanted that one */
	seen[0] = seen[phys / 2 / PAGE_SIZE] = 1;
	for (u64 i = 0; i < left; i++) {
		u64 hpa = i % every ? page_alloc_guest() : page_alloc();

		assert_int_equal(hpa % PAGE_SIZE, 0);
		assert_true(hpa < phys);
		assert_int_equal(seen[hpa / PAGE_SIZE], 0);
		seen[hpa / PAGE_SIZE] = i % every ? 2 : 3;
	}
	for (u64 i = 0; i < pages; i++) {
		assert_int_not_equal(seen[i], 0);
		mixed += i && seen[i] != seen[i - 1];
	}
	/* A table among pages of guests is one where no block was left */
	if (phys >= 16 << 20)
		assert_true(mixed < pages / 16);
	free(seen);
	sim_free(sim);
}

static void test_page_blocks(void **state)
{
	static const u64 sizes[] = { 1 << 20, 2 << 20, 3 << 20, 4 << 20, 64 << 20 };

	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		every_page(sizes[i], 2);
		every_page(sizes[i], 200);
		every_page(sizes[i], 1);
	}
}

static void test_page_blocks_undone(void **state)
{
	struct sim *sim = new_sim(SCHED_CHOOSE);
	struct undo_mark start;
	u64 first, second;

	undo_enable(true);
	start = undo_mark();
	first = page_alloc_guest();
	assert_int_not_equal(first, page_alloc_guest());
	undo_to(start);
	second = page_alloc_guest();
	assert_int_equal(first, second);
	sim_free(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_undo),
		cmocka_unit_test(use_after_free_fires),
		cmocka_unit_test(use_after_free_silent),
		cmocka_unit_test(use_after_free_legal),
		cmocka_unit_test(test_freed_pages),
		cmocka_unit_test(test_page_contents),
		cmocka_unit_test(test_page_blocks),
		cmocka_unit_test(test_page_blocks_undone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
