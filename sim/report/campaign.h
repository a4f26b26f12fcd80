/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a campaign gave: for each case, schedule, search and random program whether it went as
 * it should. It passes between processes and is kept in files as lines of fields between tabs,
 * so that two of them can be compared.
 */
#pragma once

#include <stdio.h>

#include <glib.h>

struct report_look;

enum campaign_phase {
	CAMPAIGN_SCENARIO,	/* a case, held to what its file expects */
	CAMPAIGN_SCHEDULE,	/* the schedule of a case that plays broken code, on the code as it is */
	CAMPAIGN_SEARCH,	/* a case's operations in many orders */
	CAMPAIGN_RANDOM,	/* a random program, sampled */
	CAMPAIGN_PHASES,
};

enum campaign_verdict {
	CAMPAIGN_GOOD,
	CAMPAIGN_BAD,
	CAMPAIGN_KNOWN,		/* broken, and by the reference model, too */
	CAMPAIGN_SKIPPED,	/* this backend has not what it asks for: why says what */
	CAMPAIGN_LATE,		/* the time was up, or enough had been found */
	CAMPAIGN_VERDICTS,
};

/* Strings are the item's own; never NULL after campaign_item_new(). */
struct campaign_item {
	enum campaign_phase phase;
	enum campaign_verdict verdict;
	char *scenario, *case_name;
	char *id, *where;	/* of what was broken; "" if nothing */
	char *why;		/* in words */
	char *table;		/* drawn, for BAD */
	char *file;		/* text of a scenario that replays it, or "" */
	char *pauses;		/* where its way stops whom (scenarios/pauses.h), or "" */
	guint64 executions;
};

/* A watched place of the tree, over all items. */
struct campaign_line {
	guint64 pc, hits;
	GHashTable *contexts;	/* set of "%x": placements of the other actors when it ran */
	GHashTable *outcomes;	/* set of texts */
};

struct campaign {
	char *backend;		/* "linux (7.2.13)", "own (v7.2)" */
	char *basis;		/* the closing line: what the verdicts rest on */
	GPtrArray *items;	/* struct campaign_item, in the order of the plan */
	double seconds;
	GHashTable *lines;	/* of struct campaign_line, by &pc; empty if nobody asked */
};

/* campaign_line_at - the place of @c, made if it is new */
struct campaign_line *campaign_line_at(struct campaign *c, guint64 pc);
/* campaign_take_line - add what a line of text (of campaign_line_write()) says; FALSE: it is none */
gboolean campaign_take_line(struct campaign *c, const char *text);
void campaign_line_write(const struct campaign_line *l, FILE *out);

struct campaign *campaign_new(void);
void campaign_free(struct campaign *c);
struct campaign_item *campaign_item_new(enum campaign_phase phase, const char *scenario,
					const char *case_name);
void campaign_item_free(gpointer item);
guint campaign_count(const struct campaign *c, int phase /* -1: all */, enum campaign_verdict v);

/* campaign_item_write, campaign_item_read - one item as a line; FALSE: it is none */
void campaign_item_write(const struct campaign_item *i, FILE *out);
struct campaign_item *campaign_item_read(const char *line);
/* campaign_write, campaign_read - all of it; NULL with @err if @path holds none */
void campaign_write(const struct campaign *c, FILE *out);
struct campaign *campaign_read(const char *path, GError **err);

/* report_campaign - what is pasted into a mail: counts, what broke with its table, the basis */
void report_campaign(const struct campaign *c, const struct report_look *look, GString *out);

/* report_campaign_base - what changes are held to: counts, and what breaks already, undrawn */
void report_campaign_base(const struct campaign *c, const struct report_look *look, GString *out);

/*
 * report_campaign_change - only what is other in @now than in @before, each with @now's table
 * Returns how many items are worse: broken now, and not before.
 */
guint report_campaign_change(const struct campaign *before, const struct campaign *now,
			     const struct report_look *look, GString *out);
