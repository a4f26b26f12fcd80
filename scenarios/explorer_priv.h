/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the rooms of the explorer share: a case that stands at the start of a search.
 * explorer.c searches, explorer_found.c makes a way short and draws it, smaller.c leaves out
 * of the case what the way can do without.
 */
#pragma once

#include "scenarios/explorer.h"
#include "scenarios/play_priv.h"

struct explorer {
	struct player pl;
	const struct explore_request *req;
	struct explored *out;
	gint64 since;			/* monotonic, us */
	double cpu_since;		/* of the process, s */
	gint64 shown;			/* when progress was last said */
	const char *doing;		/* NULL: it searches */
	guint64 spent;			/* transitions of explorer_search_few() */
	const char **begun;		/* by actor: operation begun before the first step */
	GPtrArray *names;		/* of actors by number, at the end of the way drawn last */
	struct meets *meets;		/* what all searches of the case have learned */
	struct pauses *pauses;		/* of the way that is drawn */
};

/* explorer.c */
/* explorer_init - of @c, which need not be of the file; explorer_open() comes next */
void explorer_init(struct explorer *e, struct explored *out, const struct scenario *sc,
		   const struct scenario_case *c, const struct play_options *opt,
		   const struct explore_request *req);
/*
 * explorer_open - build it and play its init lines: everybody stands before their first step.
 * FALSE: it is refused, or they do not end
 */
gboolean explorer_open(struct explorer *e, gboolean covered);
struct play_result *explorer_close(struct explorer *e);	/* what is to be freed */
struct explore_options explorer_options(struct explorer *e);
/* explorer_listen - the rules that listen do, or do not; as a listener of the trace */
void explorer_listen(void *explorer, const struct event *ev);

/* explorer_found.c */
guint explorer_steps(const struct trail *t);
/*
 * explorer_search_few - the violation of @f by at most @most switches, the fewest first, each
 * search of at most @states; in place. FALSE: not found
 */
gboolean explorer_search_few(struct explorer *e, struct explore_found *f, guint most,
			     guint64 states);
gboolean explorer_is_same(const struct explorer *e, const struct explore_found *a,
			  const struct explore_found *b);
void explorer_shorten(struct explorer *e, struct explore_found *f);
/* explorer_draw - @v, which has none, gets the way of @f in all its forms */
void explorer_draw(struct explorer *e, const struct explore_found *f,
		   struct explored_violation *v);
/* The forms of a way. explorer_drawing_take - they are ours now, and @v has none */
struct drawing {
	guint steps, switches;
	char *choices, *pauses, *scn[2];
	struct play_result *drawn;
	const char *scenario;		/* of scn */
};
struct drawing explorer_drawing_take(struct explored_violation *v);
void explorer_drawing_give(struct explored_violation *v, struct drawing d);
void explorer_drawing_free(struct drawing d);
void explorer_take(struct explorer *e, struct explore_found *f);
/* explorer_choose_scenario - the form that replays; no world must be open */
void explorer_choose_scenario(struct explored_violation *v, const struct play_options *opt);
void explored_violation_free(gpointer v);

/*
 * smaller.c. smaller_case - violation @i of a search that is closed, with fewer actors and
 * operations, if it can be had: it is drawn anew. No world must be open.
 */
void smaller_case(const struct explorer *of, guint i);
