// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scenario language: files, the reference's examples, and what bad text is told. Each file of
 * bad/ says in its lines `#= LINE:COL: error: TEXT` every error that it must get, no more
 * and no less. Rests on docs/language.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "tests/scenarios/texts.h"

typedef void (*file_fn)(const char *path, const char *name);

/* Every .scn of a directory, by name. */
static unsigned int each_file(const char *dir, file_fn fn)
{
	char *path = tree_path(dir, "");
	GDir *d = g_dir_open(path, 0, NULL);
	const char *name;
	unsigned int n = 0;

	assert_non_null(d);
	while ((name = g_dir_read_name(d))) {
		char *file = g_build_filename(path, name, NULL);

		if (g_str_has_suffix(name, ".scn")) {
			fn(file, name);
			n++;
		}
		g_free(file);
	}
	g_dir_close(d);
	g_free(path);
	return n;
}

/* --- files --- */

static void good_file(const char *path, const char *name)
{
	struct diag *d = diag_new();
	struct scenario *sc = scenario_parse_file(path, NULL, &test_vocab, d);

	diag_print(d, stderr);
	assert_non_null(sc);
	scenario_free(sc);
	diag_free(d);
}

static void test_good_files(void **state)
{
	assert_true(each_file("good", good_file) >= 4);
}

/* "LINE:COL: error: TEXT" of each message, one a line. */
static char *located(const char *text, const char *path)
{
	GString *out = g_string_new(NULL);
	char **lines = g_strsplit(text, "\n", -1);
	unsigned int i;

	for (i = 0; lines[i]; i++) {
		if (g_str_has_prefix(lines[i], path))
			g_string_append_printf(out, "%s\n", lines[i] + strlen(path) + 1);
		else
			assert_false(g_str_has_prefix(lines[i], "septsim: error"));
	}
	g_strfreev(lines);
	return g_string_free(out, FALSE);
}

static char *wanted(const char *path)
{
	GString *out = g_string_new(NULL);
	char *text, **lines;
	unsigned int i;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	lines = g_strsplit(text, "\n", -1);
	for (i = 0; lines[i]; i++) {
		if (g_str_has_prefix(lines[i], "#= "))
			g_string_append_printf(out, "%s\n", lines[i] + 3);
	}
	g_strfreev(lines);
	g_free(text);
	return g_string_free(out, FALSE);
}

static void bad_file(const char *path, const char *name)
{
	struct diag *d = diag_new();
	char *text, *got, *want;

	assert_null(scenario_parse_file(path, NULL, &test_vocab, d));
	text = diag_format(d);
	got = located(text, path);
	want = wanted(path);
	if (strcmp(got, want))
		print_error("%s\n", path);
	assert_string_equal(got, want);
	assert_true(*want);
	g_free(want);
	g_free(got);
	g_free(text);
	diag_free(d);
}

static void test_bad_files(void **state)
{
	assert_true(each_file("bad", bad_file) >= 20);
}

/* --- the reference --- */

/* Not inline: gcc 12 at -O3 takes what the file gave for a variable that is gone. */
static __attribute__((noinline)) char *reference(void)
{
	const char *root = g_getenv("TEST_SOURCE_ROOT");
	char *path = g_build_filename(root ? root : ".", "docs", "language.md", NULL), *text;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_free(path);
	return text;
}

static void documented(const char *text, const char *word)
{
	if (!strstr(text, word))
		fail_msg("docs/language.md does not have %s", word);
}

/* Every word of the language is in its reference. */
static void test_reference(void **state)
{
	char *text = reference();
	const struct scn_op_word *op;
	const struct scn_lock_word *lock;
	unsigned int i;

	for (op = scn_op_words; op->name; op++)
		documented(text, g_str_has_prefix(op->name, "slot ") ? op->name + 5 : op->name);
	for (lock = scn_lock_words; lock->name; lock++)
		documented(text, lock->name);
	for (i = 0; scn_counter_words[i]; i++)
		documented(text, scn_counter_words[i]);
	for (i = 0; scn_check_words[i]; i++)
		documented(text, scn_check_words[i]);
	for (i = 0; scn_observation_words[i]; i++)
		documented(text, scn_observation_words[i]);
	for (i = 0; scn_section_words[i]; i++)
		documented(text, scn_section_words[i]);
	g_free(text);
}

/* The example at the head of the reference is a sample that parses. */
static void test_reference_example(void **state)
{
	char *text = reference(), *path = tree_path("good", "a01-zap-map-desync.scn"), *sample;
	char *from = strstr(text, "```\n"), *to;

	assert_non_null(from);
	to = strstr(from + 4, "```");
	assert_non_null(to);
	*to = '\0';
	assert_true(g_file_get_contents(path, &sample, NULL, NULL));
	assert_string_equal(from + 4, sample);
	g_free(sample);
	g_free(path);
	g_free(text);
}

/* --- messages --- */

static void test_excerpt(void **state)
{
	char *said = complaints("actor\tz\n\tzap\t0x10\tprivat\n\tzpa 1\n", NULL);

	assert_string_equal(said, "t.scn:2:11: error: privat is too much here\n"
			    "    \tzap\t0x10\tprivat\n"
			    "    \t   \t    \t^~~~~~\n"
			    "t.scn:3:2: error: no operation zpa\n"
			    "    \tzpa 1\n"
			    "    \t^~~\n"
			    "    hint: did you mean zap?\n");
	g_free(said);
}

/* A shared line is parsed for each case but complained of once. */
static void test_once(void **state)
{
	char *said = complaints("actor z\n    zpa 1\ncase a\ncase b\ncase c\n    tolerate x\n", NULL);

	assert_non_null(strstr(said, "t.scn:2:5"));
	assert_null(strstr(strstr(said, "t.scn:2:5") + 1, "t.scn:2:5"));
	assert_non_null(strstr(said, "t.scn:6:14"));
	g_free(said);
}

static void test_nearest(void **state)
{
	static const char *const words[] = { "zap", "compute", "TDH.MEM.PAGE.AUG", NULL };

	assert_string_equal(diag_nearest("zpa", words), "zap");
	assert_string_equal(diag_nearest("tdh.mem.page.agu", words), "TDH.MEM.PAGE.AUG");
	assert_string_equal(diag_nearest("comptue", words), "compute");
	assert_null(diag_nearest("run", words));
	assert_null(diag_nearest("", words));
}

static void test_missing_file(void **state)
{
	struct diag *d = diag_new();
	char *said;

	assert_null(scenario_parse_file("/nonexistent/x.scn", NULL, NULL, d));
	assert_int_equal(diag_count(d), 1);
	said = diag_format(d);
	assert_true(g_str_has_prefix(said, "septsim: error: "));
	g_free(said);
	diag_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_files),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_reference),
		cmocka_unit_test(test_reference_example),
		cmocka_unit_test(test_excerpt),
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_missing_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
