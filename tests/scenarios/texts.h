/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Texts in tests of the scenario language: parsed, or refused. After cmocka.h.
 */
#include <string.h>

#include <glib.h>

#include "scenarios/ast.h"
#include "scenarios/diag.h"
#include "tests/scenarios/vocab.h"

static inline struct scenario *parse_with(const char *text, GHashTable *defines)
{
	struct diag *d = diag_new();
	struct scenario *sc = scenario_parse_text("t.scn", text, strlen(text), defines,
						  &test_vocab, d);

	if (!sc)
		diag_print(d, stderr);
	diag_free(d);
	return sc;
}

static inline struct scenario *parse(const char *text)
{
	struct scenario *sc = parse_with(text, NULL);

	assert_non_null(sc);
	return sc;
}

/* All messages that bad text gets; also checks that it gets some. */
static inline char *complaints(const char *text, GHashTable *defines)
{
	struct diag *d = diag_new();
	char *said;

	assert_null(scenario_parse_text("t.scn", text, strlen(text), defines, &test_vocab, d));
	assert_true(diag_count(d) > 0);
	said = diag_format(d);
	diag_free(d);
	return said;
}

static inline char *tree_path(const char *dir, const char *name)
{
	const char *root = g_getenv("TEST_SOURCE_ROOT");

	return g_build_filename(root ? root : ".", "tests", "scenarios", dir, name, NULL);
}
