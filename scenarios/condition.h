/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Conditions of the language as predicates on events, and on the step that an actor is
 * about to take. Rests on regions (sim/engine/region.h) for elements and on the module's
 * status words; knows nothing of schedules.
 */
#pragma once

#include <glib.h>

#include "scenarios/ast.h"
#include "sim/engine/trace.h"

/* An element that a scenario names: mirror[0x10]@2M.FIELD, TDCS.epoch, mmu_lock. */
struct element {
	const struct scn_region_ref *ref;
	const char *type;		/* name of the region's type */
	const struct region_field *field;	/* NULL: the whole element */
	struct region *region;		/* NULL: not there yet (a table that does not exist) */
	void *p;
	guint64 epoch;			/* of the regions when it was looked up */
	guint64 index;
	guint8 level;
};

/* What an element holds: a word (its class, a field's) where there is one, else a number. */
struct element_value {
	const char *word;
	guint64 num;
	gboolean absent;
};

/*
 * element_find - look @ref up in the running simulation. FALSE with @why (a static text or
 * interned) when nothing of that name can exist; an element that does not exist yet is fine.
 */
gboolean element_find(struct sim *sim, const struct scn_region_ref *ref, struct element *e,
		      const char **why);
void element_read(struct element *e, struct element_value *v);
gboolean element_is(const struct element_value *v, const struct scn_value *want);
/* element_text - "PENDING", "0x12", "absent" into @buf */
const char *element_text(const struct element_value *v, char *buf, gsize n);
/* element_covers - does the step at @p touch this element? */
gboolean element_covers(struct element *e, const void *p);

/* element_raw_of - the raw value that `set R = V` stores; FALSE if V has no raw form */
gboolean element_raw_of(struct element *e, const struct scn_value *v, guint64 *raw);

/* One condition being watched. Record: it sees events in order and decides nothing else. */
struct watch {
	const struct scn_cond *cond;
	struct sim *sim;
	struct element element;
	struct element_value last;
	guint times;		/* it has happened so often since watch_start() */
	gboolean armed;		/* `before` an event: it has just happened, no step since */
	const void *touched[ACTORS_MAX];	/* by actor: where its last step was */
};

/*
 * watch_start - begin to look for @cond from now on. FALSE with @why if it names what
 * cannot exist.
 */
gboolean watch_start(struct watch *w, struct sim *sim, const struct scn_cond *cond,
		     const char **why);

/* watch_event - TRUE when @ev is the condition happening (each time; xN is the caller's) */
gboolean watch_event(struct watch *w, const struct event *ev);

/* watch_next - TRUE when taking @next would make it happen; for `.. before C` */
gboolean watch_next(struct watch *w, const struct pending *next);

/* watch_done, watch_before - the same as callbacks of a script row, xN counted */
bool watch_done(void *watch, const struct event *ev);
bool watch_before(void *watch, const struct pending *next);
bool watch_before_event(void *watch, const struct event *ev);

/*
 * lock_index - which of many locks of one name an event speaks of: its actor's last step,
 * at @touched, was on the lock's own word. FALSE if that says nothing.
 */
gboolean lock_index(const struct event *ev, const void *touched, guint64 *index);

/* status_matches - is rax @status what @want says? Words as status_name() writes them. */
gboolean status_matches(guint64 status, const struct scn_status_ref *want);

/* event_stores - did this step write? op_stores - would it? */
gboolean event_stores(const struct event *ev);
