// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which events a reader of a race wants to see, and in what words. What is left out here
 * is still in the trace; --verbose shows all of it. Rests on scenarios/result.h.
 */
#include <string.h>

#include "scenarios/result.h"
#include "sim/report/report.h"

struct selector {
	const struct play_result *r;
	gboolean verbose;
	GHashTable *contended;	/* locks that somebody found busy or waited for */
	GPtrArray *rows;
	int *depth;		/* by actor: leaves it is in */
	gboolean *exited;	/* by actor: its TDH.VP.ENTER has ended in a TD exit */
};

void report_row_free(gpointer p)
{
	struct report_row *row = p;

	g_ptr_array_unref(row->lines);
	g_free(row);
}

struct report_row *report_row_new(gint64 clock, int actor, const char *line)
{
	struct report_row *row = g_new0(struct report_row, 1);

	row->clock = clock;
	row->actor = actor;
	row->lines = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(row->lines, g_strdup(line));
	return row;
}

static gboolean starts(const char *s, const char *with)
{
	return s && g_str_has_prefix(s, with);
}

/*
 * Elements whose changes make the story: mirror against S-EPT, direct tables against user
 * pages, roots, and the group-3 gate.
 */
static gboolean region_tells(const struct play_event *e)
{
	static const char *const tell[] = {
		"mirror[", "sept[", "direct[", "user[", "root.invalid", "wait_for_sept_zap",
	};
	const char *name = e->flags & PLAY_OF_TD ? strchr(e->name, '.') + 1 : e->name;

	for (guint i = 0; i < G_N_ELEMENTS(tell); i++)
		if (starts(name, tell[i]))
			return TRUE;
	return e->flags & PLAY_NAMED;
}

static gboolean lock_tells(struct selector *s, const struct play_event *e)
{
	return (e->flags & PLAY_NAMED) || !strcmp(e->name, "mmu_lock") ||
	       g_hash_table_contains(s->contended, e->name);
}

static gboolean wanted(struct selector *s, const struct play_event *e)
{
	if (s->verbose)
		return TRUE;
	if ((e->flags & PLAY_INIT) && e->type != EV_CHECK)
		return FALSE;
	switch (e->type) {
	case EV_STEP:
		return (e->flags & PLAY_CHANGE) && region_tells(e);
	case EV_CALL:
	case EV_RETURN:
		return (e->flags & (PLAY_LEAF | PLAY_NAMED)) != 0;
	case EV_LOCK:
		return lock_tells(s, e);
	case EV_UNLOCK:
		return (e->flags & PLAY_NAMED) || g_hash_table_contains(s->contended, e->name);
	case EV_OP_END:
		return (e->flags & PLAY_FAILED) != 0;
	case EV_OWN:
	case EV_DISOWN:
	case EV_FLUSH:
		return FALSE;
	case EV_NOTE:
		return strcmp(e->name, "page-free") != 0;
	default:
		return TRUE;
	}
}

/* "TDH.MEM.PAGE.AUG(0x10)"; of several TDs "TDH.MEM.PAGE.AUG(B.0x10)", "TDH.MEM.TRACK(B)" */
static char *with_arg(const struct play_event *e)
{
	const char *td = e->old && *e->old ? e->old : "", *dot = *td ? "." : "";

	if (!(e->flags & PLAY_HAS_ARG) || starts(e->name, "TDG.VP."))
		return *td ? g_strdup_printf("%s(%s)", e->name, td) : g_strdup(e->name);
	if (starts(e->name, "TDH.VP."))
		return g_strdup_printf("%s(%s%svCPU%" G_GUINT64_FORMAT ")", e->name, td, dot, e->arg);
	return g_strdup_printf("%s(%s%s0x%" G_GINT64_MODIFIER "x)", e->name, td, dot, e->arg);
}

static char *lock_text(const char *verb, const struct play_event *e)
{
	return g_strdup_printf("%s %s%s%s", verb, e->name, e->detail ? " " : "",
			       e->detail ? e->detail : "");
}

static char *step_text(const struct play_event *e)
{
	gboolean digit = e->now && starts(e->now, "0x") && strlen(e->now) == 3;

	if (e->flags & PLAY_CHANGE)
		return g_strdup_printf("%s = %s", e->name, digit ? e->now + 2 : e->now);
	return g_strdup_printf("%s%s%s%s%s", play_op_name(e->op), e->name ? " " : "",
			       e->name ? e->name : "", e->now ? " " : "", e->now ? e->now : "");
}

static char *text_of(const struct play_event *e)
{
	switch (e->type) {
	case EV_STEP:		return step_text(e);
	case EV_CALL:		return with_arg(e);
	case EV_RETURN:		return g_strdup(e->detail ? e->detail : "returns");
	case EV_LOCK:		return lock_text("lock", e);
	case EV_UNLOCK:		return lock_text("unlock", e);
	case EV_BUSY:		return lock_text("busy", e);
	case EV_BLOCKED:	return g_strdup_printf("waits for %s", e->name);
	case EV_ENTER:		return g_strdup("enter guest");
	case EV_EXIT:		return g_strdup_printf("exit %s", e->name);
	case EV_KICK:		return g_strdup_printf("kick %s", e->name);
	case EV_INTERRUPT:	return g_strdup_printf("interrupt %s", e->name);
	case EV_TIMEOUT:	return g_strdup_printf("timeout %s", e->name);
	case EV_OP_BEGIN:	return g_strdup(e->name);
	case EV_OP_END:		return g_strdup_printf("%s: %s", e->name,
						       e->detail ? e->detail : "done");
	case EV_OWN:
	case EV_DISOWN:		return g_strdup_printf("%s 0x%" G_GINT64_MODIFIER "x",
						       play_event_type_name(e->type), e->arg);
	case EV_CHECK:		return g_strdup_printf("! %s%s%s%s", e->name,
						       e->detail && *e->detail ? " " : "",
						       e->detail ? e->detail : "",
						       e->flags & PLAY_TOLERATED ?
						       " (tolerated)" : "");
	case EV_OBSERVE:	return g_strdup_printf("* %s", e->name);
	default:		return g_strdup(e->name ? e->name : "");
	}
}

/* The row under which @e belongs: the same actor's last one, while it is inside a leaf. */
static struct report_row *open_row(struct selector *s, const struct play_event *e)
{
	struct report_row *last;

	if (!s->rows->len)
		return NULL;
	last = s->rows->pdata[s->rows->len - 1];
	return last->actor == e->actor && s->depth[e->actor] ? last : NULL;
}

static gboolean goes_under(const struct play_event *e)
{
	return e->type == EV_STEP || e->type == EV_RETURN || e->type == EV_CHECK ||
	       e->type == EV_OBSERVE || e->type == EV_BUSY || e->type == EV_LOCK ||
	       e->type == EV_UNLOCK;
}

/*
 * A scenario that speaks of a lock makes its word's changes shown; "lock mmu_lock read" says
 * the same as the "mmu_lock = read" right before it, and more: it takes that row.
 */
static gboolean says_again(struct selector *s, const struct play_event *e, char *text)
{
	struct report_row *last = s->rows->len ? s->rows->pdata[s->rows->len - 1] : NULL;
	size_t n = e->name ? strlen(e->name) : 0;
	char *line;

	if (s->verbose || !last || (e->type != EV_LOCK && e->type != EV_UNLOCK) || !n ||
	    last->actor != e->actor || last->clock != e->clock || last->lines->len != 1)
		return FALSE;
	line = last->lines->pdata[0];
	if (strncmp(line, e->name, n) || !starts(line + n, " = "))
		return FALSE;
	g_free(line);
	last->lines->pdata[0] = text;
	return TRUE;
}

static void select_event(struct selector *s, const struct play_event *e)
{
	struct report_row *under = open_row(s, e);
	char *text;

	/* The status that the leaf returns names the busy operand already. */
	if (e->type == EV_BUSY && s->depth[e->actor] && !s->verbose && !(e->flags & PLAY_NAMED))
		return;
	/* A TD exit says more than the status of TDH.VP.ENTER. */
	if (e->type == EV_RETURN && starts(e->name, "TDH.VP.ENTER") && s->exited[e->actor] &&
	    !s->verbose)
		return;
	text = text_of(e);
	if (says_again(s, e, text))
		return;
	if (under && goes_under(e)) {
		g_ptr_array_add(under->lines, g_strdup_printf("  %s", text));
	} else {
		struct report_row *row;

		if (e->type == EV_RETURN) {
			char *call = with_arg(e);
			char *both = g_strdup_printf("%s: %s", call, text);

			g_free(call);
			g_free(text);
			text = both;
		}
		row = report_row_new(e->clock, e->actor, text);
		g_ptr_array_add(s->rows, row);
		under = row;
	}
	if (e->type == EV_CHECK)
		under->alarm = TRUE;
	g_free(text);
}

/* A TDCALL that ends in a TD exit never returns: only TDH.VP.ENTER is left then. */
static void count_depth(struct selector *s, const struct play_event *e)
{
	if (e->type == EV_EXIT) {
		s->depth[e->actor] = MIN(s->depth[e->actor], 1);
		s->exited[e->actor] = TRUE;
	}
	if (!(e->flags & PLAY_LEAF))
		return;
	if (e->type == EV_CALL) {
		s->depth[e->actor]++;
		s->exited[e->actor] = FALSE;
	} else if (s->depth[e->actor]) {
		s->depth[e->actor]--;
	}
}

static void find_contended(struct selector *s)
{
	for (guint i = 0; i < s->r->events->len; i++) {
		const struct play_event *e = &g_array_index(s->r->events, struct play_event, i);

		if (!(e->flags & PLAY_INIT) && e->name &&
		    (e->type == EV_BUSY || e->type == EV_BLOCKED))
			g_hash_table_add(s->contended, (gpointer)e->name);
	}
}

GPtrArray *report_rows(const struct play_result *r, gboolean verbose)
{
	struct selector s = {
		.r = r, .verbose = verbose,
		.contended = g_hash_table_new(g_str_hash, g_str_equal),
		.rows = g_ptr_array_new_with_free_func(report_row_free),
		.depth = g_new0(int, r->actors->len + 1),
		.exited = g_new0(gboolean, r->actors->len + 1),
	};

	find_contended(&s);
	for (guint i = 0; i < r->events->len; i++) {
		const struct play_event *e = &g_array_index(r->events, struct play_event, i);

		if (wanted(&s, e))
			select_event(&s, e);
		count_depth(&s, e);
	}
	g_hash_table_unref(s.contended);
	g_free(s.depth);
	g_free(s.exited);
	return s.rows;
}
