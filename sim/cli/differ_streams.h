/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * A run as streams of words, one an actor, one an entry and one a gfn: what must be the same on
 * two backends, in its order, and nothing that is each one's own (differ).
 */
#include <glib.h>

#include "scenarios/result.h"

struct streams {
	GHashTable *all;	/* key -> GArray of struct said */
	GPtrArray *order;	/* of keys */
	GHashTable *pages;	/* hpa -> what gave it to the module last */
	GHashTable *given;	/* call -> how often it has given one */
	guint ops, events;	/* operations that ended; events in all */
};

/* streams_take - fills @s from @r, finals included if it has them; streams_drop - frees them */
void streams_take(struct streams *s, const struct play_result *r);
void streams_drop(struct streams *s);

/* streams_difference - the one that came first, as words to free; NULL: there is none */
char *streams_difference(const struct streams *own, const struct streams *other);
