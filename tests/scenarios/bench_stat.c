// SPDX-License-Identifier: GPL-2.0-only
/*
 * Medians and their intervals: ranks of the binomial table, and when two cells differ.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scenarios/bench_stat.h"

static struct bench_stat upto(guint n)
{
	guint64 v[80];

	for (guint i = 0; i < n; i++)	/* not in order */
		v[i] = (i * 7 + 3) % n + 1;
	return bench_stat(v, n);
}

/* Ranks that any table of the sign test has at 5 %, two-sided */
static void ranks(void **state)
{
	static const struct {
		guint n, rank;
	} table[] = { { 6, 1 }, { 8, 1 }, { 9, 2 }, { 11, 2 }, { 12, 3 }, { 15, 4 }, { 17, 5 },
		      { 20, 6 }, { 25, 8 }, { 35, 12 } };

	for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
		struct bench_stat s;
		guint n = table[i].n;

		if (n % 7 == 0)
			continue;	/* upto() wants n without the factor 7 */
		s = upto(n);
		assert_true(s.sure);
		assert_int_equal(s.low, table[i].rank);
		assert_int_equal(s.high, n + 1 - table[i].rank);
		assert_int_equal(s.median, (n - 1) / 2 + 1);
	}
}

static void few(void **state)
{
	guint64 five[] = { 5, 1, 4, 2, 3 }, one[] = { 9 };
	struct bench_stat s = bench_stat(five, 5);

	assert_false(s.sure);
	assert_int_equal(s.low, 1);
	assert_int_equal(s.high, 5);
	assert_int_equal(s.median, 3);
	s = bench_stat(one, 1);
	assert_int_equal(s.low, 9);
	assert_int_equal(s.high, 9);
	assert_int_equal(bench_stat(one, 0).n, 0);
}

static void differences(void **state)
{
	struct bench_stat a = { .median = 10, .low = 9, .high = 11 };
	struct bench_stat b = { .median = 13, .low = 12, .high = 14 };
	struct bench_stat c = { .median = 12, .low = 11, .high = 13 };
	struct bench_stat none = { 0 };

	assert_true(bench_differ(&a, &b) < 0);
	assert_true(bench_differ(&b, &a) > 0);
	assert_int_equal(bench_differ(&a, &c), 0);
	assert_int_equal(bench_spread(&a), 200);
	assert_int_equal(bench_spread(&none), 0);
	none.high = 1;
	assert_int_equal(bench_spread(&none), G_MAXUINT);
	assert_int_equal(bench_ratio(13, 10), 1300);
	assert_int_equal(bench_ratio(1, 3), 333);
	assert_int_equal(bench_ratio(1, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranks),
		cmocka_unit_test(few),
		cmocka_unit_test(differences),
	};

	return cmocka_run_group_tests_name("bench_stat", tests, NULL, NULL);
}
