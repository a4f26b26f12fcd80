// SPDX-License-Identifier: GPL-2.0-only
/*
 * `septsim check` without its command line: exit status, where text goes, JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/cli/check.h"
#include "tests/scenarios/vocab.h"

struct said {
	char *out, *err;
	int status;
};

static char *sample(const char *dir, const char *name)
{
	const char *root = g_getenv("TEST_SOURCE_ROOT");

	return g_build_filename(root ? root : ".", "tests", "scenarios", dir, name, NULL);
}

static struct said check(struct check_options o, const char *const *files)
{
	struct said s = { 0 };
	size_t out_len, err_len;
	FILE *out = open_memstream(&s.out, &out_len), *err = open_memstream(&s.err, &err_len);

	o.vocab = &test_vocab;
	s.status = check_files(&o, files, g_strv_length((char **)files), out, err);
	fclose(out);
	fclose(err);
	return s;
}

static void forget(struct said *s)
{
	free(s->out);
	free(s->err);
}

static void test_text(void **state)
{
	char *good = sample("good", "cases.scn"), *bad = sample("bad", "tabs.scn");
	const char *both[] = { good, bad, NULL }, *one[] = { good, NULL };
	struct said s = check((struct check_options){ 0 }, both);

	assert_int_equal(s.status, 2);
	assert_true(g_str_has_suffix(s.out, "cases.scn: 4 cases\n"));
	assert_non_null(strstr(s.err, "tabs.scn:2:11: error: "));
	assert_non_null(strstr(s.err, "tabs.scn:3:20: error: "));
	forget(&s);

	s = check((struct check_options){ .quiet = TRUE }, one);
	assert_int_equal(s.status, 0);
	assert_string_equal(s.out, "");
	assert_string_equal(s.err, "");
	forget(&s);
	g_free(good);
	g_free(bad);
}

static void test_unreadable(void **state)
{
	const char *files[] = { "/nonexistent/x.scn", "/", NULL };
	struct said s = check((struct check_options){ 0 }, files);

	assert_int_equal(s.status, 2);
	assert_string_equal(s.out, "");
	assert_true(g_str_has_prefix(s.err, "septsim: error: "));
	assert_non_null(strstr(s.err, "x.scn"));
	forget(&s);
}

static void test_json(void **state)
{
	char *good = sample("good", "cases.scn"), *bad = sample("bad", "tabs.scn");
	const char *both[] = { good, bad, NULL };
	struct said s = check((struct check_options){ .json = TRUE }, both);

	assert_int_equal(s.status, 2);
	assert_string_equal(s.err, "");
	assert_true(g_str_has_prefix(s.out, "{\n  \"schema\": 1,\n  \"command\": \"check\",\n"));
	assert_non_null(strstr(s.out, "\"as-is\", \"other-page\", \"other-table\", \"control\""));
	assert_non_null(strstr(s.out, "{\"line\": 2, \"column\": 11, \"end\": 15, \"text\": "
				      "\"0x20 is too much here\", \"hint\": null}"));
	assert_true(g_str_has_suffix(s.out, "\n  ],\n  \"exit\": 2\n}\n"));
	forget(&s);
	g_free(good);
	g_free(bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
