// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost table: what is built in equals what the file says, the frozen list of charged
 * keys, rounding, files and single values put over it, and every way to get them wrong.
 * Rests on sim/engine/costs.csv.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <glib/gstdio.h>
#include <string.h>

#include "sim/engine/cost.h"

/*
 * The frozen list: what moves a clock. A key may be added; to lose or rename one breaks
 * everybody's --set and --costs, and to charge a composite counts its steps twice. l2-hit,
 * dram-local, line-smt and line-cross-keyid were here, and changed nothing when they were set.
 */
static const char *const charged_keys[] = {
	"l1-hit", "l3-hit", "dram-remote", "cmpxchg-owned", "rmw-owned",
	"cmpxchg16b-owned", "line-same-socket", "line-cross-socket", "pause", "keyhole-hit", "keyhole-miss", "keyhole-static", "rdmsr",
	"wrmsr", "vmread", "vmptrld", "xsaves", "invept", "ibpb", "seamcall-fixed",
	"td-transition", "tdcall-fixed", "page-clear-4k", "page-clflush-4k", "wbinvd-package",
	"ipi-delivery", "ipi-far", "kvm-zap-code",
};

#define HEADER "key,unit,value_low,value_typical,value_high\n"

static char *path_of(const char *name)
{
	return g_build_filename(g_getenv("TEST_SOURCE_ROOT"), name, NULL);
}

/* Load @text as a file over @table; the message without the file's name, or NULL. */
static char *load_text(struct cost_table *table, const char *text)
{
	g_autofree char *path = NULL;
	GError *error = NULL;
	char *message = NULL;
	int fd = g_file_open_tmp("cost-XXXXXX", &path, &error);

	assert_true(fd >= 0);
	g_close(fd, NULL);
	assert_true(g_file_set_contents(path, text, -1, NULL));
	if (!cost_load_csv(table, path, &error)) {
		assert_true(g_str_has_prefix(error->message, path));
		message = g_strdup(error->message + strlen(path));
		g_error_free(error);
	} else {
		assert_null(error);
	}
	g_unlink(path);
	return message;
}

/* Two readers, one file: the generator's and cost_load_csv()'s cycles are the same. */
static void test_builtin_is_the_file(void **state)
{
	g_autofree char *path = path_of("sim/engine/costs.csv");
	struct cost_table built, read;
	GError *error = NULL;

	cost_init(&built);
	memset(&read, 0, sizeof(read));
	if (!cost_load_csv(&read, path, &error))
		fail_msg("%s", error->message);
	for (unsigned int i = 0; i < COST_NR; i++) {
		assert_memory_equal(built.cycles[i], read.cycles[i], sizeof(read.cycles[i]));
		assert_true(read.changed[i]);
		assert_false(built.changed[i]);
	}
}

static void test_charged_keys_are_frozen(void **state)
{
	unsigned int charged = 0;

	for (unsigned int i = 0; i < COST_NR; i++)
		charged += cost_row(i)->charged;
	assert_int_equal(charged, G_N_ELEMENTS(charged_keys));
	for (unsigned int i = 0; i < G_N_ELEMENTS(charged_keys); i++) {
		enum cost_key key;

		assert_true(cost_find(charged_keys[i], &key));
		assert_string_equal(cost_row(key)->key, charged_keys[i]);
		assert_true(cost_row(key)->charged);
	}
}

static void test_rows(void **state)
{
	static const struct {
		enum cost_key key;
		uint32_t cycles[COST_LEVELS];
		bool charged;
		enum cost_confidence confidence;
	} want[] = {
		{ COST_L1_HIT, { 5, 5, 5 }, true, COST_MEASURED },
		{ COST_L3_HIT, { 99, 99, 180 }, true, COST_MEASURED },
		{ COST_RMW_OWNED, { 18, 19, 25 }, true, COST_ASSUMED },
		/* 4.3 and 8.1 ns are 12.9 and 24.3 cycles. */
		{ COST_LINE_SMT, { 13, 24, 24 }, false, COST_MEASURED },
		{ COST_LINE_SAME_SOCKET, { 171, 258, 345 }, true, COST_MEASURED },
		{ COST_SEAMCALL_FIXED, { 1500, 8700, 12221 }, true, COST_DERIVED },
		{ COST_IPI_DELIVERY, { 3729, 3729, 6717 }, true, COST_MEASURED },
		{ COST_IPI_FAR, { 3, 612, 738 }, true, COST_DERIVED },
		{ COST_PAGE_AUG_BODY, { 647, 1395, 4391 }, false, COST_DERIVED },
		{ COST_HOLD_EPOCH_TRACK, { 25, 45, 150 }, false, COST_DERIVED },
		{ COST_SEAMCALL_BUSY, { 1500, 9100, 13721 }, false, COST_DERIVED },
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(want); i++) {
		const struct cost_row *row = cost_row(want[i].key);

		assert_memory_equal(row->cycles, want[i].cycles, sizeof(row->cycles));
		assert_int_equal(row->charged, want[i].charged);
		assert_int_equal(row->confidence, want[i].confidence);
		assert_true(*row->step && *row->source);
	}
}

static void test_select(void **state)
{
	uint32_t low[COST_NR], high[COST_NR];
	struct cost_table table;

	cost_init(&table);
	cost_select(&table, COST_LOW, low);
	cost_select(&table, COST_HIGH, high);
	for (unsigned int i = 0; i < COST_NR; i++) {
		assert_int_equal(low[i], cost_row(i)->cycles[COST_LOW]);
		assert_int_equal(high[i], cost_row(i)->cycles[COST_HIGH]);
		assert_true(0 < low[i] && low[i] <= high[i]);
	}
}

/* A file may hold few rows and more columns, in any order, quoted or not. */
static void test_load_over(void **state)
{
	struct cost_table table;

	cost_init(&table);
	assert_null(load_text(&table, "# mine\nnote,value_high,value_typical,value_low,unit,key\n"
				      "\"a \"\"b\"\", c\",3,2.5,0.5,ns,\"pause\"\r\n\n"
				      ",12,11,10.499,cycles,invept\n"));
	/* 1.5 and 7.5 cycles round half up. */
	assert_int_equal(table.cycles[COST_PAUSE][COST_LOW], 2);
	assert_int_equal(table.cycles[COST_PAUSE][COST_TYPICAL], 8);
	assert_int_equal(table.cycles[COST_PAUSE][COST_HIGH], 9);
	assert_int_equal(table.cycles[COST_INVEPT][COST_LOW], 10);
	assert_true(table.changed[COST_PAUSE] && table.changed[COST_INVEPT]);
	assert_int_equal(table.cycles[COST_IBPB][COST_LOW], 300);
	assert_false(table.changed[COST_IBPB]);
}

/* Each wrong file names its line and column, and leaves the table as it was. */
static void test_load_errors(void **state)
{
	static const struct {
		const char *text, *want;
	} bad[] = {
		{ "", ":1:1: error: no line names the columns" },
		{ "key,unit\n", ":1:1: error: no column \"value_low\"" },
		{ HEADER "pause,cycles,1,2,3\npuase,cycles,1,2,3\n",
		  ":3:1: error: unknown cost \"puase\"; did you mean \"pause\"?" },
		{ HEADER "pause,us,1,2,3\n", ":2:7: error: unit \"us\" is neither cycles nor ns" },
		{ HEADER "pause,ns,1,x,3\n",
		  ":2:12: error: value_typical \"x\" is not a number of 1..1000000000 cycles" },
		{ HEADER "pause,ns,1,,3\n",
		  ":2:12: error: value_typical \"\" is not a number of 1..1000000000 cycles" },
		{ HEADER "pause,cycles,0,2,3\n",
		  ":2:14: error: value_low \"0\" is not a number of 1..1000000000 cycles" },
		{ HEADER "pause,cycles,-1,2,3\n",
		  ":2:14: error: value_low \"-1\" is not a number of 1..1000000000 cycles" },
		{ HEADER "pause,cycles,1,2,333333334000\n",
		  ":2:18: error: value_high \"333333334000\" is not a number of "
		  "1..1000000000 cycles" },
		{ HEADER "pause,cycles,2,1,3\n", ":2:16: error: value_typical is below value_low" },
		{ HEADER "pause,cycles,1\n",
		  ":2:1: error: value_typical \"\" is not a number of 1..1000000000 cycles" },
		{ HEADER "\"pause,cycles,1,2,3\n", ":2:1: error: a quote is not closed" },
		{ HEADER "\"pause\"d,cycles,1,2,3\n",
		  ":2:8: error: expected a comma after the closing quote" },
		{ "charged," HEADER "yes,page-aug-body,cycles,1,2,3\n",
		  ":2:1: error: charged is \"yes\", but what is charged is not for a file to say" },
	};
	struct cost_table table, before;

	cost_init(&before);
	for (unsigned int i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *message = NULL;

		cost_init(&table);
		message = load_text(&table, bad[i].text);
		assert_non_null(message);
		assert_string_equal(message, bad[i].want);
		assert_memory_equal(&table, &before, sizeof(table));
	}
}

static void test_load_missing_file(void **state)
{
	struct cost_table table;
	GError *error = NULL;

	cost_init(&table);
	assert_false(cost_load_csv(&table, "no/such/costs.csv", &error));
	assert_true(g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT));
	assert_non_null(strstr(error->message, "no/such/costs.csv"));
	g_error_free(error);
}

static void test_set(void **state)
{
	struct cost_table table;

	cost_init(&table);
	assert_true(cost_set(&table, "seamcall-fixed=5000", NULL));
	assert_true(cost_set(&table, "ipi-delivery=1.5ns", NULL));
	assert_true(cost_set(&table, "invept=high", NULL));
	for (unsigned int l = 0; l < COST_LEVELS; l++) {
		assert_int_equal(table.cycles[COST_SEAMCALL_FIXED][l], 5000);
		assert_int_equal(table.cycles[COST_IPI_DELIVERY][l], 5);
		assert_int_equal(table.cycles[COST_INVEPT][l], 1200);
	}
	assert_true(table.changed[COST_INVEPT]);
	assert_false(table.changed[COST_IBPB]);
}

static void test_set_errors(void **state)
{
	static const struct {
		const char *text;
		enum cost_error code;
		const char *want;
	} bad[] = {
		{ "pause", COST_ERROR_PARSE, "\"pause\" is not KEY=N" },
		{ "seamcal-fixed=1", COST_ERROR_UNKNOWN_KEY,
		  "unknown cost \"seamcal-fixed\"; did you mean \"seamcall-fixed\"?" },
		{ "page-aug-body=1", COST_ERROR_VALUE,
		  "cost \"page-aug-body\" is made of others and never charged" },
		{ "pause=", COST_ERROR_VALUE,
		  "cost \"pause\": \"\" is neither low, typical, high nor 1..1000000000 cycles" },
		{ "pause=0", COST_ERROR_VALUE,
		  "cost \"pause\": \"0\" is neither low, typical, high nor 1..1000000000 cycles" },
		{ "pause=3us", COST_ERROR_VALUE,
		  "cost \"pause\": \"3us\" is neither low, typical, high nor 1..1000000000 cycles" },
	};
	struct cost_table table, before;

	cost_init(&before);
	cost_init(&table);
	for (unsigned int i = 0; i < G_N_ELEMENTS(bad); i++) {
		GError *error = NULL;

		assert_false(cost_set(&table, bad[i].text, &error));
		assert_int_equal(error->code, bad[i].code);
		assert_string_equal(error->message, bad[i].want);
		g_error_free(error);
	}
	assert_memory_equal(&table, &before, sizeof(table));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_builtin_is_the_file),
		cmocka_unit_test(test_charged_keys_are_frozen),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_select),
		cmocka_unit_test(test_load_over),
		cmocka_unit_test(test_load_errors),
		cmocka_unit_test(test_load_missing_file),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_set_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
