/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How results look: the table of a race as the list draws it, the block that is pasted
 * into a mail, JSON. Reads scenarios/result.h and nothing of a running simulation.
 */
#pragma once

#include <stdio.h>

#include <glib.h>

struct play_result;

#define MAIL_WIDTH	72

struct report_look {
	int width;		/* columns of the page; MAIL_WIDTH for a mail */
	gboolean ascii;		/* nothing but ASCII */
	gboolean color;		/* ANSI colours */
	gboolean verbose;	/* every recorded event, nothing folded */
	gboolean quiet;		/* no table of what went as expected */
};

/* One row of a table: what one actor did at a cycle; more lines belong under the first. */
struct report_row {
	gint64 clock;
	int actor;		/* index into the result's actors; -1: a remark across the table */
	GPtrArray *lines;	/* char *; leading blanks are the depth */
	gboolean alarm;		/* a violation */
};

/*
 * report_rows - the events of @r that a reader wants, as rows; a GPtrArray of struct
 * report_row. All of them if @verbose, else what races: operations, changes of mirror and
 * S-EPT, leaves with their status, contended locks, kicks, exits, broken rules.
 */
GPtrArray *report_rows(const struct play_result *r, gboolean verbose);
struct report_row *report_row_new(gint64 clock, int actor, const char *line);
void report_row_free(gpointer row);

/* report_fold - write runs of equal rows, and loops of a few rows, once with a count */
void report_fold(GPtrArray *rows);

/* report_table - draw the rows of @r, one column an actor */
void report_table(const struct play_result *r, const struct report_look *look, GString *out);

/* report_case - heading, table, verdict of one case */
void report_case(const struct play_result *r, const struct report_look *look, GString *out);

/* report_heading, report_verdict - the first line of a case, and the last ones */
void report_heading(const struct play_result *r, const struct report_look *look, GString *out);
void report_verdict(const struct play_result *r, const struct report_look *look, GString *out);

/*
 * report_explored - a case that was searched: what was found, drawn; what the search was
 * @host: time, rate and memory too, which differ from one machine to the next
 */
struct explored;
void report_explored(const struct explored *e, const struct report_look *look, gboolean host,
		     GString *out);
/* report_explored_json - @all (struct explored) as {"schema":1,...}; docs/json.md */
/*
 * report_coverage - which operations met at which locks, one matrix a lock
 * report_suggest - those that did not, each with rows of a schedule in which they might
 */
void report_coverage(const struct explored *e, const struct report_look *look, GString *out);
void report_suggest(const struct explored *e, const struct report_look *look, GString *out);
void report_explored_json(const GPtrArray *all, gint64 host_ns, GString *out);

/* report_title - "name: title" before the first case of a file */
void report_title(const struct play_result *r, const struct report_look *look, GString *out);

/*
 * report_summary - the closing lines: counts, and what the verdicts rest on
 * @counts: a sentence instead of "N cases, M as expected."; NULL: that
 */
void report_summary(const GPtrArray *results, const struct report_look *look, const char *counts,
		    GString *out);

/*
 * report_json - @results (struct play_result) as {"schema":1,...}; docs/json.md
 * @command: "run"; @host_ns: wall time, the only thing under "host"; 0 leaves it out
 */
void report_json(const GPtrArray *results, const char *command, gint64 host_ns, GString *out);
/* report_across_json - the member "across" of report_json(), where a case was played twice */
struct json;
void report_across_json(struct json *j, const GPtrArray *results);
/* report_played_json - members that say what was played; @timed: at which price level, too */
void report_played_json(struct json *j, const struct play_result *r, gboolean timed);
/* report_expects_json - the member "expects" of a case: what it expected, and saw */
void report_expects_json(struct json *j, const struct play_result *r);

/*
 * report_across - one case under several module versions: @results of it, one a version, in
 * groups of equal verdicts; nothing is drawn
 * report_across_summary - the closing lines instead of report_summary(); @results: of all cases
 * report_across_same - is the verdict the same under each that could be played?
 */
void report_across(const GPtrArray *results, const struct report_look *look, GString *out);
void report_across_summary(const GPtrArray *results, const struct report_look *look, GString *out);
gboolean report_across_same(const GPtrArray *results);

/* report_ftrace - events as `trace-cmd report` prints them, one a line */
void report_ftrace(const struct play_result *r, GString *out);

/*
 * report_wrap - append @text to @out in lines of at most @width columns
 * @first, @rest: blanks before the first line and before the others
 * Breaks at blanks, else after one of | , / or before (, or where the page ends.
 */
void report_wrap(GString *out, const char *text, int first, int rest, int width);

/* report_wrapped - the same as an array of lines without newline, no line above @width */
GPtrArray *report_wrapped(const char *text, int rest, int width);
