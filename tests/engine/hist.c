// SPDX-License-Identifier: GPL-2.0-only
/*
 * Histograms: exact below 64, one part in 64 above; merging is adding; text and back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sim/engine/hist.h"
#include "sim/engine/rng.h"

static void empty(void **state)
{
	struct hist h = { 0 };

	assert_int_equal(hist_at(&h, 500), 0);
	assert_int_equal(hist_mean(&h), 0);
	hist_fini(&h);
}

static void small_values_are_exact(void **state)
{
	struct hist h = { 0 };

	for (u64 i = 1; i <= 100; i++)
		hist_add(&h, i);
	assert_int_equal(h.count, 100);
	assert_int_equal(h.sum, 5050);
	assert_int_equal(hist_at(&h, 0), 1);
	assert_int_equal(hist_at(&h, 500), 50);
	assert_int_equal(hist_at(&h, 990), 99);
	assert_int_equal(hist_at(&h, 999), 100);
	assert_int_equal(hist_at(&h, 1000), 100);
	hist_fini(&h);
}

/* The bucket's lower end is never above the value, and within one part in 64 of it. */
static void large_values_are_close(void **state)
{
	struct rng r;

	rng_seed(&r, 7);
	for (int i = 0; i < 20000; i++) {
		u64 v = rng_next(&r) >> rng_below(&r, 64);
		struct hist h = { 0 };

		/* beside another, so that the least value does not stand for the bucket */
		hist_add(&h, 0);
		hist_add(&h, v);
		assert_true(hist_at(&h, 999) <= v);
		assert_true(v - hist_at(&h, 999) <= v / HIST_SUB);
		assert_int_equal(hist_at(&h, 1000), v);
		hist_fini(&h);
	}
}

static void extremes(void **state)
{
	struct hist h = { 0 };

	hist_add(&h, 0);
	hist_add(&h, UINT64_MAX);
	assert_int_equal(h.least, 0);
	assert_int_equal(h.greatest, UINT64_MAX);
	assert_int_equal(hist_at(&h, 500), 0);
	hist_fini(&h);
}

static void merge_and_text(void **state)
{
	struct hist a = { 0 }, b = { 0 }, all = { 0 }, back = { 0 };
	char *text;
	size_t n;
	FILE *f;

	for (u64 i = 0; i < 3000; i++) {
		hist_add(i & 1 ? &a : &b, i * i);
		hist_add(&all, i * i);
	}
	hist_merge(&a, &b);
	f = open_memstream(&text, &n);
	hist_write(&a, f);
	fclose(f);
	assert_true(hist_read(&back, text));
	assert_int_equal(back.count, all.count);
	assert_int_equal(back.sum, all.sum);
	assert_int_equal(back.least, all.least);
	assert_int_equal(back.greatest, all.greatest);
	for (u32 i = 0; i < HIST_BUCKETS; i++)
		assert_int_equal(hist_bucket(&back, i), hist_bucket(&all, i));
	text[n - 1] = '\0';	/* the last bucket's count is cut short, or gone */
	hist_fini(&back);
	assert_false(hist_read(&back, text) && back.count == all.count);
	hist_fini(&b);
	assert_false(hist_read(&b, "5 5"));
	hist_fini(&b);
	assert_false(hist_read(&b, "1 5 5 5 70:1"));	/* not a bucket of 5 */
	hist_fini(&b);
	assert_false(hist_read(&b, "1 5 9 5 5:1"));
	hist_fini(&a);
	hist_fini(&b);
	hist_fini(&all);
	hist_fini(&back);
	free(text);
}

/* Values that come from both ends: what there was stays where it was, memory is for what was met */
static void grows_both_ways(void **state)
{
	struct hist h = { 0 }, high = { 0 };

	hist_add(&h, 5000);
	assert_int_equal(h.buckets, HIST_SUB);
	hist_add(&h, 300);
	hist_add(&h, 70000);
	hist_add(&high, 1ull << 40);
	hist_merge(&h, &high);
	assert_int_equal(h.count, 4);
	assert_int_equal(hist_at(&h, 250), 300);
	assert_int_equal(hist_at(&h, 500), 4992);
	assert_int_equal(hist_at(&h, 750), 69632);
	assert_int_equal(hist_at(&h, 999), 1ull << 40);
	assert_true(h.buckets <= 34 * HIST_SUB);
	hist_fini(&h);
	hist_fini(&high);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),
		cmocka_unit_test(small_values_are_exact),
		cmocka_unit_test(large_values_are_close),
		cmocka_unit_test(extremes),
		cmocka_unit_test(merge_and_text),
		cmocka_unit_test(grows_both_ways),
	};

	return cmocka_run_group_tests_name("hist", tests, NULL, NULL);
}
