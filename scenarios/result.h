/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What playing one case gave: events as words, violations, verdicts. It holds no pointer
 * into a simulation and no address, so it outlives the run, passes between processes and
 * is what a trace file keeps. Rests on sim/engine/trace.h for the kinds of events.
 */
#pragma once

#include <stdio.h>

#include <glib.h>

#include "sim/engine/trace.h"

enum play_event_flag {
	PLAY_INIT	= 1 << 0,	/* before cycle 0 */
	PLAY_CHANGE	= 1 << 1,	/* EV_STEP: the element's class, or value, changed */
	PLAY_WRITE	= 1 << 2,	/* EV_STEP: it stored something */
	PLAY_NAMED	= 1 << 3,	/* the scenario's schedule or expects speak of it */
	PLAY_TOLERATED	= 1 << 4,	/* EV_CHECK */
	PLAY_HAS_ARG	= 1 << 5,
	PLAY_OF_TD	= 1 << 8,	/* EV_STEP of several TDs: the name has its TD and a dot before it */
	PLAY_LEAF	= 1 << 6,	/* EV_CALL, EV_RETURN: of the module, not a seam function */
	PLAY_FAILED	= 1 << 7,	/* EV_RETURN, EV_OP_END: not a success */
};

/* Strings are the result's own. Which of them count is as in struct event. */
struct play_event {
	gint64 clock;		/* cycles from cycle 0; init lines are before it: negative */
	const char *name;	/* EV_STEP: the element, "mirror[0x10]" */
	const char *detail;	/* EV_RETURN: status as words; EV_STEP: the site's function */
	const char *old, *now;	/* EV_STEP: the element before and after, as words */
				/* EV_CALL, EV_RETURN of a leaf, of several TDs: old is its TD */
	guint64 arg;
	guint64 hpa;		/* EV_CALL, EV_RETURN: as in struct event */
	guint16 actor;		/* index into actors */
	guint8 type;		/* enum ev_type */
	guint8 op;		/* EV_STEP: enum mem_op */
	guint8 level;		/* EV_CALL, EV_RETURN: as in struct event */
	guint16 flags;		/* enum play_event_flag */
};

struct play_actor {
	const char *name;
	gboolean background;	/* an idle LP, the RCU callbacks */
	guint64 cycles;		/* its clock at the end, from cycle 0 */
};

struct play_violation {
	const char *id, *where, *text;
	const char *actor;
	gint64 clock;
	gboolean tolerated;
};

enum play_judged {
	PLAY_HOLDS,
	PLAY_FAILS,
	PLAY_NOT_JUDGED,	/* belongs to another command (`expect explore ...`) */
};

struct play_expect {
	const char *text;	/* as written */
	guint line;
	enum play_judged judged;
	const char *saw;	/* what there was instead, or why it is not judged; or NULL */
};

struct play_counter {
	const char *name;
	guint64 value;
};

enum play_end {
	PLAY_DONE,
	PLAY_VIOLATION,		/* a rule that is not tolerated was broken */
	PLAY_DEADLOCK,
	PLAY_UNREACHABLE,	/* a row of the schedule cannot be followed */
	PLAY_LIMIT,		/* steps or cycles */
	PLAY_STOPPED,		/* Ctrl-C, time is up */
	PLAY_FAULT,		/* of septsim itself: the worker died */
	PLAY_REFUSED,		/* the file asks for what cannot be done: error says where */
	PLAY_ENDS,
};

struct play_result {
	GStringChunk *strings;
	const char *scenario;	/* file name without directory and .scn */
	const char *title;	/* of the case if it has its own, else of the file */
	const char *case_name;	/* "" in a file without cases */
	const char *note;	/* what to say beside the case's name: variant, "without zapper" */
	const char *kvm, *tdx;	/* versions played: "v7.2", "1.5.01" */
	const char *backend;	/* whose KVM: "own", "linux 7.2.13" */
	const char *switches;	/* "no-freeze zap-under-read", "" for none */
	const char *policy;
	const char *costs;	/* "typical", "typical+changed" */
	const char *assumptions;	/* numbers of docs/model.md, "3, 7"; "" for none */
	const char *unit;	/* of clocks: "cycle", or "step" where there is no time */
	GArray *actors;		/* struct play_actor, by number of the run */
	GArray *events;		/* struct play_event, in order */
	guint64 unrecorded;	/* events beyond the recorder's limit */
	GArray *violations;	/* struct play_violation */
	GArray *expects;	/* struct play_expect */
	GArray *observed;	/* struct play_counter: observations */
	GArray *counters;	/* struct play_counter */
	GPtrArray *finals;	/* const char *: with play_options.finals, each entry that is not empty */
	enum play_end end;
	const char *why;	/* the blocking chain, the reason, the error; or NULL */
	guint64 cycles, steps;
	gboolean as_expected;
};

struct play_result *play_result_new(void);
void play_result_free(struct play_result *r);

/* play_result_str - @s kept as long as @r; NULL stays NULL */
const char *play_result_str(struct play_result *r, const char *s);

/* "done", "deadlock" ...: the words of traces and of JSON */
const char *play_end_name(enum play_end e);
const char *play_event_type_name(guint8 type);
const char *play_op_name(guint8 op);

/*
 * play_result_write - @r as a trace: lines of fields between tabs, the same bytes for the
 * same run on every machine. A file holds any number of results after one another.
 */
void play_result_write(const struct play_result *r, FILE *out);

/*
 * play_results_read - every result of trace text @text, as struct play_result
 * @path: what messages call it
 * NULL with "PATH:LINE: error: ..." in @err if it is no trace of this version.
 */
GPtrArray *play_results_read(const char *path, const char *text, gsize len, GError **err);

#define PLAY_ERROR play_error_quark()
GQuark play_error_quark(void);

enum play_error {
	PLAY_ERROR_TRACE,	/* a trace that cannot be read */
	PLAY_ERROR_INPUT,	/* options or scenario: exit 2 */
};
