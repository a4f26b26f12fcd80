// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a case uses decides what it rests on: virtual time for every case that does not
 * lay down each step, and whatever its operations and variants bring with them.
 * The numbers are those of docs/model.md.
 */
#include "scenarios/rests_on.h"

#include "scenarios/ast.h"

/* Every run: memory order, and the prices that decide who is next. */
static const int machine[] = { 1, 2, 3, 4, 0 };

char *rests_on(const struct scenario_case *c, const char *switches)
{
	GString *s = g_string_new(NULL);

	for (const int *n = machine; *n; n++)
		g_string_append_printf(s, "%s%d", s->len ? ", " : "", *n);
	return g_string_free(s, FALSE);
}
