// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parser never crashes and never fails without saying where: mutations of the sample
 * files, good and bad, from a fixed seed. FUZZ_ROUNDS=N does more of them (for a build
 * with sanitizers).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "scenarios/ast.h"
#include "scenarios/diag.h"
#include "tests/scenarios/vocab.h"

static GPtrArray *samples(void)
{
	static const char *const dirs[] = { "good", "bad" };
	GPtrArray *all = g_ptr_array_new_with_free_func(g_free);
	const char *root = g_getenv("TEST_SOURCE_ROOT");
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(dirs); i++) {
		char *path = g_build_filename(root ? root : ".", "tests", "scenarios", dirs[i],
					      NULL);
		GDir *d = g_dir_open(path, 0, NULL);
		GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
		const char *name;
		unsigned int k;

		assert_non_null(d);
		while ((name = g_dir_read_name(d)))
			g_ptr_array_add(names, g_build_filename(path, name, NULL));
		for (k = 0; k < names->len; k++) {
			char *text;

			if (g_file_get_contents(g_ptr_array_index(names, k), &text, NULL, NULL))
				g_ptr_array_add(all, text);
		}
		g_ptr_array_free(names, TRUE);
		g_dir_close(d);
		g_free(path);
	}
	return all;
}

/* Some bytes, a word of the language, or a piece of another sample. */
static void insert(GRand *r, GString *s, GPtrArray *all)
{
	static const char *const words[] = {
		"..", " .. ", "|", "vCPU[*]", "vCPU[", "$i", "$", "(", ")", "0x", "1T", "*", "-",
		"repeat 2\n", "end\n", "\n", "\n\t", "    ", "case x\n", "schedule\n", "drop ", "#",
		"before ", "x3", "@2M", "param A = $A\n", "=", "==", "\xc2\xa0", "\xff", "\r", "]",
		"td vcpus=1024\n", "99999999999999999999", "A..B", "guest vCPU[*]\n", ":", ","
	};
	gsize at = g_rand_int_range(r, 0, s->len + 1);
	const char *other = g_ptr_array_index(all, g_rand_int_range(r, 0, all->len));
	gsize from, n;
	char byte;

	switch (g_rand_int_range(r, 0, 3)) {
	case 0:
		g_string_insert(s, at, words[g_rand_int_range(r, 0, G_N_ELEMENTS(words))]);
		break;
	case 1:
		byte = g_rand_int_range(r, 0, 256);
		g_string_insert_len(s, at, &byte, 1);
		break;
	default:
		from = g_rand_int_range(r, 0, strlen(other) + 1);
		n = g_rand_int_range(r, 1, 80);
		n = MIN(n, strlen(other) - from);
		g_string_insert_len(s, at, other + from, n);
		break;
	}
}

static void mutate(GRand *r, GString *s, GPtrArray *all)
{
	unsigned int n = g_rand_int_range(r, 1, 8);
	gsize from, len;

	while (n--) {
		if (s->len && g_rand_int_range(r, 0, 3) == 0) {
			from = g_rand_int_range(r, 0, s->len);
			len = g_rand_int_range(r, 1, 40);
			g_string_erase(s, from, MIN(s->len - from, len));
		} else {
			insert(r, s, all);
		}
	}
}

/* Success, or errors that all stand somewhere in the text. */
static void check_one(const GString *s, const struct scenario_vocab *vocab)
{
	struct diag *d = diag_new();
	struct scenario *sc = scenario_parse_text("f.scn", s->str, s->len, NULL, vocab, d);
	char *said = diag_format(d);
	char **lines = g_strsplit(said, "\n", -1);
	unsigned int i;

	assert_int_equal(sc == NULL, diag_count(d) > 0);
	assert_int_equal(sc == NULL, g_str_has_prefix(said, "f.scn:"));
	for (i = 0; lines[i]; i++) {
		if (g_str_has_prefix(lines[i], "septsim: ") &&
		    !g_str_has_prefix(lines[i], "septsim: and "))
			fail_msg("no place: %s\n%s", lines[i], s->str);
	}
	g_strfreev(lines);
	g_free(said);
	scenario_free(sc);
	diag_free(d);
}

static void test_mutations(void **state)
{
	const char *env = g_getenv("FUZZ_ROUNDS");
	unsigned int rounds = env ? strtoul(env, NULL, 10) : 1000;
	GPtrArray *all = samples();
	GRand *r = g_rand_new_with_seed(20260);
	unsigned int i;

	assert_true(all->len >= 24);
	for (i = 0; i < rounds; i++) {
		GString *s = g_string_new(g_ptr_array_index(all, i % all->len));

		mutate(r, s, all);
		check_one(s, i % 4 ? &test_vocab : NULL);
		g_string_free(s, TRUE);
	}
	g_rand_free(r);
	g_ptr_array_free(all, TRUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
