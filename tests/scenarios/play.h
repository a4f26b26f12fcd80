/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Helpers of the player's tests: play a text, look at its result.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scenarios/diag.h"
#include "scenarios/player.h"
#include "scenarios/vocab.h"

static inline struct play_result *play_with(const char *text, const struct play_options *opt)
{
	struct diag *d = diag_new();
	struct scenario *sc = scenario_parse_text("test.scn", text, strlen(text), NULL,
						  scenario_vocab_model(), d);
	struct play_result *r;

	if (!sc)
		diag_print(d, stderr);
	assert_non_null(sc);
	r = scenario_play(sc, sc->cases->pdata[0], opt);
	scenario_free(sc);
	diag_free(d);
	return r;
}

static inline struct play_result *play_text(const char *text)
{
	static const struct play_options opt = { .cost_level = COST_TYPICAL };

	return play_with(text, &opt);
}

static inline guint violations_of(const struct play_result *r, const char *id)
{
	guint n = 0;

	for (guint i = 0; i < r->violations->len; i++)
		n += !strcmp(g_array_index(r->violations, struct play_violation, i).id, id);
	return n;
}

/* Did it go as its expects say? Prints why not. */
static inline void assert_as_expected(struct play_result *r)
{
	for (guint i = 0; i < r->expects->len; i++) {
		const struct play_expect *e = &g_array_index(r->expects, struct play_expect, i);

		if (e->judged == PLAY_FAILS)
			print_error("expect %s: %s\n", e->text, e->saw);
	}
	if (r->end == PLAY_REFUSED)
		print_error("%s\n", r->why);
	assert_true(r->as_expected);
	play_result_free(r);
}

/* Which expect fails, by the text of its line; the result is freed. */
static inline void assert_fails(struct play_result *r, const char *expect)
{
	gboolean found = FALSE;

	assert_false(r->as_expected);
	for (guint i = 0; i < r->expects->len; i++) {
		const struct play_expect *e = &g_array_index(r->expects, struct play_expect, i);

		found |= e->judged == PLAY_FAILS && !strcmp(e->text, expect);
	}
	if (!found)
		print_error("not among what fails: %s (end %s %s)\n", expect,
			    play_end_name(r->end), r->why ? r->why : "");
	assert_true(found);
	play_result_free(r);
}
