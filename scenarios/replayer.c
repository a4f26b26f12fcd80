// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the guides of one execution share: how they say that it cannot be followed.
 */
#include "scenarios/replay_priv.h"

#include "sim/engine/actor.h"
#include "sim/engine/explain.h"

char *replay_why_not(struct sim *sim, const struct actor *a)
{
	char text[800];

	if (a->state == ACTOR_DONE || a->state == ACTOR_PARKED)
		return g_strdup_printf("%s has nothing left to do", a->name);
	explain_actor(sim, a, text, sizeof(text));
	return g_strdup(text);
}

void replay_misfit(char **why, char *where, const char *fmt, va_list ap)
{
	char *what = g_strdup_vprintf(fmt, ap);

	if (!*why)
		*why = g_strdup_printf("%s: %s", where, what);
	g_free(what);
	g_free(where);
}
