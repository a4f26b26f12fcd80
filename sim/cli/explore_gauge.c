// SPDX-License-Identifier: GPL-2.0-only
/*
 * How far a search is, on a terminal: a few lines that are written over, and gone when it ends.
 * What is left is only said where something says so: samples, and limits that were given.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sim/cli/explore.h"

#define LINES_MAX	6u	/* no terminal is filled by it */
#define WIDTH_LEAST	24u

struct gauge {
	const struct explore_request *q;
	char *what;			/* scenario and case */
	/* At the last look: rates are of what came since. */
	guint64 states, executions;
	double seconds;
	GString *text;
	guint lines, used, width;	/* of text; used: of its last line */
};

struct gauge *gauge_new(void)
{
	struct gauge *p;

	if (!isatty(STDERR_FILENO))
		return NULL;
	p = g_new0(struct gauge, 1);
	p->text = g_string_new(NULL);
	return p;
}

void gauge_free(struct gauge *p)
{
	if (!p)
		return;
	g_string_free(p->text, TRUE);
	g_free(p->what);
	g_free(p);
}

void gauge_begin(struct gauge *p, const struct explore_request *q, const char *name,
		    const char *case_name)
{
	if (!p)
		return;
	g_free(p->what);
	p->what = g_strdup_printf("%s%s%s", name, *case_name ? " " : "", case_name);
	p->q = q;
	p->states = p->executions = 0;
	p->seconds = 0;
}

static guint terminal_width(void)
{
	struct winsize w;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) || !w.ws_col)
		return 80;
	return MAX(w.ws_col, WIDTH_LEAST);
}

/* 1234567 as "1.23 M": what changes at each look need not be exact. */
static char *about(double n)
{
	static const char *const units[] = { "", " k", " M", " G" };
	guint u = 0;

	while (n >= 1000 && u + 1 < G_N_ELEMENTS(units)) {
		n /= 1000;
		u++;
	}
	return g_strdup_printf(u && n < 10 ? "%.2f%s" : u && n < 100 ? "%.1f%s" : "%.0f%s", n, units[u]);
}

static char *duration(double s)
{
	return s < 100 ? g_strdup_printf("%.0f s", s) :
	       s < 6000 ? g_strdup_printf("%.0f min", s / 60) : g_strdup_printf("%.1f h", s / 3600);
}

/* One more thing, on this line if it fits, else on the next; cut where it fits on none. */
static void put(struct gauge *p, char *what)
{
	guint n = (guint)strlen(what), room = p->width - 1;	/* the last column would wrap */

	if (p->used && p->used + 2 + n > room) {
		if (p->lines == LINES_MAX)
			goto out;
		g_string_append(p->text, "\033[K\n");
		p->lines++;
		p->used = 0;
	}
	g_string_append_printf(p->text, "%s%.*s", p->used ? "  " : "", (int)room, what);
	p->used += (p->used ? 2 : 0) + MIN(n, room);
out:
	g_free(what);
}

static void put_count(struct gauge *p, guint64 n, guint64 before, double seconds,
		      const char *what)
{
	char *all = about((double)n);
	char *rate = about(n > before && seconds > 0 ? (double)(n - before) / seconds : 0);

	put(p, g_strdup_printf("%s %s, %s/s", all, what, rate));
	g_free(all);
	g_free(rate);
}

/* What is left, where that can be known. */
static void put_left(struct gauge *p, const struct explore_result *r, double seconds, double rate)
{
	const struct explore_options *o = &p->q->engine;
	gboolean sample = o->driver == EXPLORE_RANDOM || o->driver == EXPLORE_PCT;
	guint64 all = o->executions ? o->executions : EXPLORE_SAMPLES;
	char *text;

	if (sample && r->executions < all && rate > 0) {
		text = duration((double)(all - r->executions) / rate);
		put(p, g_strdup_printf("%.0f %% done, about %s left",
				       100.0 * (double)r->executions / (double)all, text));
		g_free(text);
	}
	if (o->states && r->states < o->states)
		put(p, g_strdup_printf("%.0f %% of the limit of states",
				       100.0 * (double)r->states / (double)o->states));
	if (p->q->seconds > seconds) {
		text = duration(p->q->seconds - seconds);
		put(p, g_strdup_printf("ends in %s at the latest", text));
		g_free(text);
	} else if (!sample && !o->states && !p->q->seconds) {
		put(p, g_strdup("what is left is not known"));
	}
}

void gauge_show(void *gauge, const struct explore_progress *s)
{
	struct gauge *p = gauge;
	const struct explore_result *r = s->so_far;
	guint64 executions = r->before + r->executions;
	double since = s->seconds - p->seconds;

	p->width = terminal_width();
	p->lines = 1;
	p->used = 0;
	g_string_assign(p->text, "\r");
	put(p, g_strdup(p->what));
	if (s->doing || r->phase)
		put(p, g_strdup(s->doing ? s->doing : r->phase));
	put(p, duration(s->seconds));
	if (r->states)		/* of each search of a mix anew */
		put_count(p, r->states, MIN(p->states, r->states), since, "states");
	put_count(p, executions, p->executions, since, "executions");
	if (r->frontier)
		put(p, g_strdup_printf("%u states to go on from", r->frontier));
	put(p, g_strdup_printf("depth %u", r->depth));
	if (s->pairs)
		put(p, g_strdup_printf("%u of %u pairs met", s->pairs_met, s->pairs));
	if (r->found->len)
		put(p, g_strdup_printf("%u found", r->found->len));
	put_left(p, r, s->seconds, since > 0 ? (double)(executions - p->executions) / since : 0);
	g_string_append(p->text, "\033[J\r");
	if (p->lines > 1)
		g_string_append_printf(p->text, "\033[%uA", p->lines - 1);
	fwrite(p->text->str, 1, p->text->len, stderr);
	p->states = r->states;
	p->executions = executions;
	p->seconds = s->seconds;
}

void gauge_end(struct gauge *p)
{
	if (p)
		fputs("\r\033[J", stderr);
}
