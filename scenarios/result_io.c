// SPDX-License-Identifier: GPL-2.0-only
/*
 * The trace file: a result as lines of fields between tabs, and back. The first field
 * says what a line is; "-" is no text. Also how a worker hands its result to its parent.
 * Rests on scenarios/result.h; docs/trace.md is for users.
 */
#include <errno.h>
#include <string.h>

#include "scenarios/result.h"

#define TRACE_HEAD	"septsim-trace"
#define TRACE_VERSION	1
#define FIELDS_MAX	16

static void put(FILE *out, const char *s)
{
	fputc('\t', out);
	if (!s) {
		fputc('-', out);
		return;
	}
	if (!strcmp(s, "-"))
		fputc('\\', out);
	for (; *s; s++) {
		if (*s == '\t')
			fputs("\\t", out);
		else if (*s == '\n')
			fputs("\\n", out);
		else if (*s == '\\')
			fputs("\\\\", out);
		else
			fputc(*s, out);
	}
}

static void write_event(const struct play_event *e, FILE *out)
{
	fprintf(out, "event\t%" G_GINT64_FORMAT "\t%u\t%s\t%u\t%u", e->clock, e->actor,
		play_event_type_name(e->type), e->flags, e->op);
	put(out, e->name);
	put(out, e->detail);
	fprintf(out, "\t0x%" G_GINT64_MODIFIER "x", e->arg);
	put(out, e->old);
	put(out, e->now);
	fprintf(out, "\t%u\t0x%" G_GINT64_MODIFIER "x\n", e->level, e->hpa);
}

static void write_counters(const char *word, GArray *a, FILE *out)
{
	for (guint i = 0; i < a->len; i++) {
		const struct play_counter *c = &g_array_index(a, struct play_counter, i);

		fputs(word, out);
		put(out, c->name);
		fprintf(out, "\t%" G_GUINT64_FORMAT "\n", c->value);
	}
}

static void write_head(const struct play_result *r, FILE *out)
{
	fprintf(out, TRACE_HEAD "\t%d\ncase", TRACE_VERSION);
	put(out, r->scenario);
	put(out, r->title);
	put(out, r->case_name);
	put(out, r->note);
	fputs("\non", out);
	put(out, r->kvm);
	put(out, r->tdx);
	put(out, r->switches);
	put(out, r->policy);
	put(out, r->costs);
	put(out, r->assumptions);
	put(out, r->backend);
	fputc('\n', out);
}

void play_result_write(const struct play_result *r, FILE *out)
{
	write_head(r, out);
	for (guint i = 0; i < r->actors->len; i++) {
		const struct play_actor *a = &g_array_index(r->actors, struct play_actor, i);

		fputs("actor", out);
		put(out, a->name);
		fprintf(out, "\t%d\t%" G_GUINT64_FORMAT "\n", a->background ? 1 : 0, a->cycles);
	}
	for (guint i = 0; i < r->events->len; i++)
		write_event(&g_array_index(r->events, struct play_event, i), out);
	for (guint i = 0; i < r->violations->len; i++) {
		const struct play_violation *v =
			&g_array_index(r->violations, struct play_violation, i);

		fputs("violation", out);
		put(out, v->id);
		put(out, v->where);
		put(out, v->text);
		put(out, v->actor);
		fprintf(out, "\t%" G_GINT64_FORMAT "\t%d\n", v->clock, v->tolerated ? 1 : 0);
	}
	for (guint i = 0; i < r->expects->len; i++) {
		const struct play_expect *e = &g_array_index(r->expects, struct play_expect, i);

		fputs("expect", out);
		put(out, e->text);
		fprintf(out, "\t%u\t%d", e->line, e->judged);
		put(out, e->saw);
		fputc('\n', out);
	}
	write_counters("observed", r->observed, out);
	write_counters("counter", r->counters, out);
	fputs("end", out);
	put(out, play_end_name(r->end));
	put(out, r->why);
	fprintf(out, "\t%" G_GUINT64_FORMAT "\t%" G_GUINT64_FORMAT "\t%" G_GUINT64_FORMAT
		"\t%d\n", r->cycles, r->steps, r->unrecorded, r->as_expected ? 1 : 0);
}

/* ---- reading ---- */

struct reader {
	const char *path;
	guint line;
	GError **err;
	char *field[FIELDS_MAX];
	guint n;
	gboolean bad;
};

static void fail(struct reader *rd, const char *what)
{
	if (!rd->bad)
		g_set_error(rd->err, PLAY_ERROR, PLAY_ERROR_TRACE, "%s:%u: error: %s", rd->path,
			    rd->line, what);
	rd->bad = TRUE;
}

/* Cut a line at its tabs and take the escapes back, in place. */
static void split(struct reader *rd, char *line)
{
	char *to = line;

	rd->n = 0;
	rd->field[rd->n++] = line;
	for (char *p = line; *p; p++) {
		if (*p == '\t') {
			*to++ = '\0';
			if (rd->n == FIELDS_MAX) {
				fail(rd, "too many fields");
				return;
			}
			rd->field[rd->n++] = to;
		} else if (*p == '\\' && p[1]) {
			p++;
			/* A leading escaped dash stays marked until str() looks at it. */
			if (*p == '-') {
				*to++ = '\001';
				*to++ = '-';
			} else {
				*to++ = *p == 't' ? '\t' : *p == 'n' ? '\n' : *p;
			}
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
}

static const char *str(struct reader *rd, struct play_result *r, guint i)
{
	const char *s;

	if (i >= rd->n) {
		fail(rd, "a field is missing");
		return "";
	}
	s = rd->field[i];
	if (!strcmp(s, "-"))
		return NULL;
	if (s[0] == '\001')
		s++;
	return play_result_str(r, s);
}

static guint64 num(struct reader *rd, guint i)
{
	guint64 v;
	char *end;

	if (i >= rd->n) {
		fail(rd, "a field is missing");
		return 0;
	}
	errno = 0;
	v = g_ascii_strtoull(rd->field[i], &end, 0);
	if (errno || end == rd->field[i] || *end)
		fail(rd, "a number is malformed");
	return v;
}

static const char *text(struct reader *rd, struct play_result *r, guint i)
{
	const char *s = str(rd, r, i);

	return s ? s : "";
}

static void read_event(struct reader *rd, struct play_result *r)
{
	struct play_event e = { 0 };
	guint8 t;

	e.clock = (gint64)num(rd, 1);
	e.actor = (guint16)num(rd, 2);
	for (t = 0; t < EV_TYPES; t++)
		if (rd->n > 3 && !strcmp(rd->field[3], play_event_type_name(t)))
			break;
	if (t == EV_TYPES)
		fail(rd, "unknown kind of event");
	e.type = t;
	e.flags = (guint16)num(rd, 4);
	e.op = (guint8)num(rd, 5);
	e.name = str(rd, r, 6);
	e.detail = str(rd, r, 7);
	e.arg = num(rd, 8);
	e.old = str(rd, r, 9);
	e.now = str(rd, r, 10);
	if (rd->n > 11) {	/* not in the first traces */
		e.level = (guint8)num(rd, 11);
		e.hpa = num(rd, 12);
	}
	if (!rd->bad && e.actor >= r->actors->len)
		fail(rd, "an event of an actor that is not declared");
	if (!rd->bad)
		g_array_append_val(r->events, e);
}

static void read_counter(struct reader *rd, struct play_result *r, GArray *to)
{
	struct play_counter c = { .name = text(rd, r, 1), .value = num(rd, 2) };

	g_array_append_val(to, c);
}

static void read_end(struct reader *rd, struct play_result *r)
{
	enum play_end e;

	for (e = 0; e < PLAY_ENDS; e++)
		if (rd->n > 1 && !strcmp(rd->field[1], play_end_name(e)))
			break;
	if (e == PLAY_ENDS)
		fail(rd, "unknown end of a run");
	r->end = e;
	r->why = str(rd, r, 2);
	r->cycles = num(rd, 3);
	r->steps = num(rd, 4);
	r->unrecorded = num(rd, 5);
	r->as_expected = num(rd, 6) != 0;
}

static void read_line(struct reader *rd, struct play_result *r)
{
	const char *w = rd->field[0];

	if (!strcmp(w, "event")) {
		read_event(rd, r);
	} else if (!strcmp(w, "actor")) {
		struct play_actor a = { .name = text(rd, r, 1), .background = num(rd, 2) != 0,
					.cycles = num(rd, 3) };

		g_array_append_val(r->actors, a);
	} else if (!strcmp(w, "case")) {
		r->scenario = text(rd, r, 1);
		r->title = text(rd, r, 2);
		r->case_name = text(rd, r, 3);
		r->note = text(rd, r, 4);
	} else if (!strcmp(w, "on")) {
		r->kvm = text(rd, r, 1);
		r->tdx = text(rd, r, 2);
		r->switches = text(rd, r, 3);
		r->policy = text(rd, r, 4);
		r->costs = text(rd, r, 5);
		r->assumptions = text(rd, r, 6);
		if (rd->n > 7)	/* not in the first traces */
			r->backend = text(rd, r, 7);
	} else if (!strcmp(w, "violation")) {
		struct play_violation v = { .id = text(rd, r, 1), .where = text(rd, r, 2),
					    .text = text(rd, r, 3), .actor = text(rd, r, 4),
					    .clock = (gint64)num(rd, 5),
					    .tolerated = num(rd, 6) != 0 };

		g_array_append_val(r->violations, v);
	} else if (!strcmp(w, "expect")) {
		struct play_expect e = { .text = text(rd, r, 1), .line = (guint)num(rd, 2),
					 .judged = (enum play_judged)num(rd, 3),
					 .saw = str(rd, r, 4) };

		g_array_append_val(r->expects, e);
	} else if (!strcmp(w, "observed")) {
		read_counter(rd, r, r->observed);
	} else if (!strcmp(w, "counter")) {
		read_counter(rd, r, r->counters);
	} else if (!strcmp(w, "end")) {
		read_end(rd, r);
	} else {
		fail(rd, "not a line of a trace");
	}
}

GPtrArray *play_results_read(const char *path, const char *src, gsize len, GError **err)
{
	GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)play_result_free);
	struct reader rd = { .path = path, .err = err };
	struct play_result *r = NULL;
	char *copy = g_strndup(src, len);
	gboolean ended = TRUE;
	char *next;

	for (char *line = copy; *line && !rd.bad; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		else
			next = line + strlen(line);
		rd.line++;
		split(&rd, line);
		if (!strcmp(rd.field[0], TRACE_HEAD)) {
			if (!ended)
				fail(&rd, "the trace before this one has no end");
			else if (num(&rd, 1) != TRACE_VERSION)
				fail(&rd, "a trace of another version of septsim");
			r = play_result_new();
			g_ptr_array_add(all, r);
			ended = FALSE;
		} else if (!r || ended) {
			fail(&rd, "not a trace of septsim");
		} else {
			read_line(&rd, r);
			ended = !strcmp(rd.field[0], "end");
		}
	}
	if (!rd.bad && (!r || !ended)) {
		rd.line++;
		fail(&rd, "the trace is cut short");
	}
	g_free(copy);
	if (rd.bad)
		g_clear_pointer(&all, g_ptr_array_unref);
	return all;
}
