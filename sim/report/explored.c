// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a search says: each violation drawn as a table, how it was found and how small it is,
 * and with which word the rest holds. Rests on scenarios/explorer.h.
 */
#include "scenarios/explorer.h"
#include "scenarios/result.h"
#include "sim/report/report.h"

static void line(const struct report_look *look, GString *out, const char *fmt, ...)
	G_GNUC_PRINTF(3, 4);

static void line(const struct report_look *look, GString *out, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	report_wrap(out, text, 2, 4, look->width);
	g_free(text);
}

/* 1234567 as "1,234,567" */
static char *grouped(guint64 n)
{
	char digits[32];
	int len = g_snprintf(digits, sizeof(digits), "%" G_GUINT64_FORMAT, n);
	GString *s = g_string_new(NULL);

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			g_string_append_c(s, ',');
		g_string_append_c(s, digits[i]);
	}
	return g_string_free(s, FALSE);
}

static void add_count(GString *s, guint64 n, const char *what)
{
	char *text = grouped(n);

	g_string_append_printf(s, "%s%s %s%s", s->len ? ", " : "", text, what, n == 1 ? "" : "s");
	g_free(text);
}

/* How large it was, and how small it is now. */
static void size(const struct explored_violation *v, const char *at,
		 const struct report_look *look, GString *out)
{
	GString *s = g_string_new(NULL);

	g_string_append_printf(s, "found in execution %s, by %u steps with %u switch%s", at,
			       v->steps_found, v->switches_found,
			       v->switches_found == 1 ? "" : "es");
	if (v->operations < v->operations_found)
		g_string_append_printf(s, " among %u operations of %u actor%s", v->operations_found,
				       v->actors_found, v->actors_found == 1 ? "" : "s");
	g_string_append_printf(s, "; drawn with %u and %u", v->steps, v->switches);
	if (v->operations && v->operations < v->operations_found)
		g_string_append_printf(s, ", %u operation%s of %u actor%s", v->operations,
				       v->operations == 1 ? "" : "s", v->actors,
				       v->actors == 1 ? "" : "s");
	else if (v->operations < v->operations_found)
		g_string_append(s, ", after the init lines with none of them");
	line(look, out, "%s", s->str);
	g_string_free(s, TRUE);
}

/* The tree's bad pointers are kvm-oops; what else its code may die of cannot be told from ours. */
static const char *whose_crash(const struct explored *e)
{
	return g_str_has_prefix(e->res->backend, "linux") ?
	       "of the kernel tree's code (see what it called last), or a defect of septsim itself" :
	       "a defect of septsim itself";
}

static void violation(const struct explored *e, const struct explored_violation *v,
		      gboolean replayed, gboolean expected,
		      const struct report_look *look, GString *out)
{
	char *at = grouped(v->executions);

	if (v->drawn && (!look->quiet || !expected))
		report_table(v->drawn, look, out);
	line(look, out, "%s%s%s%s%s: %s", v->id, *v->where ? " " : "", v->where,
	     *v->site ? " in " : "", v->site, v->text);
	if (v->loops)
		line(look, out, "its way: %u steps, the last of which repeat for ever", v->steps);
	else if (replayed)
		line(look, out, "it is there again: %u steps with %u switch%s", v->steps, v->switches,
		     v->switches == 1 ? "" : "es");
	else if (v->crash)
		line(look, out, "%s, after %u steps with %u switch%s, in execution "
		     "%s; the same command shows it again", whose_crash(e), v->steps - 1, v->switches,
		     v->switches == 1 ? "" : "es", at);
	else if (v->drawn)
		size(v, at, look, out);
	if (v->drawn && !v->loops && !v->crash && !replayed)
		line(look, out, "%s", !v->scn[0] ? "run has no store buffers: `--json` has its "
		     "choices" : v->scenario == v->scn[0] ?
		     "--found FILE writes it as rows, each to an event" : v->scenario ?
		     "--found FILE writes it as rows, some to the N-th step" :
		     "no rows of a schedule lead there in virtual time");
	g_free(at);
}

static const char *why_bounded(const char *by)
{
	static const char *const words[][2] = {
		{ "preemptions", "switches beyond the bound were left out" },
		{ "laps", "rounds of a loop beyond the bound were left out" },
		{ "states", "the limit of states was reached" },
		{ "rounds", "its rounds were over: --rounds N or --time goes on" },
		{ "time", "the time was up" },
		{ "depth", "executions longer than the limit were cut off" },
		{ "memory", "the limit of memory was reached" },
		{ "buffers", "more than 8 stores of one actor were waiting" },
		{ "interrupt", "it was interrupted" },
		{ "violation", "it stopped at what it found" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(words); i++)
		if (!g_strcmp0(words[i][0], by))
			return words[i][1];
	return "";
}

/*
 * A mix that proved nothing: its searches overlap, so that their states add up to nothing, and
 * what it says is how many switches they have done with.
 */
static void how_mixed(const struct explore_result *r, const struct report_look *look, GString *out)
{
	GString *s = g_string_new(NULL);

	add_count(s, r->before_transitions + r->transitions, "transition");
	add_count(s, r->before + r->executions, "execution");
	line(look, out, "%s: %s in several searches%s%s", explore_word_name(r->word), s->str,
	     r->bounded_by ? "; " : "", why_bounded(r->bounded_by));
	if (r->switches_done >= 0 && g_strcmp0(r->bounded_by, "violation"))
		line(look, out, "among them all ways with at most %d switch%s, where actors meet",
		     r->switches_done, r->switches_done == 1 ? "" : "es");
	g_string_free(s, TRUE);
}

static void how(const struct explore_result *r, const struct report_look *look, GString *out)
{
	GString *s = g_string_new(NULL);

	if (r->states)
		add_count(s, r->states, "state");
	add_count(s, r->transitions, "transition");
	add_count(s, r->executions, "execution");
	if (r->blocked)
		g_string_append_printf(s, ", %" G_GUINT64_FORMAT " given up as redundant",
				       r->blocked);
	if (!r->states)		/* how deep a search of states goes is a matter of who is where when */
		g_string_append_printf(s, ", the longest %u steps", r->depth);
	if (r->before_transitions && r->word != EXPLORE_PROVED)
		how_mixed(r, look, out);
	else
		line(look, out, "%s: %s%s%s", explore_word_name(r->word), s->str,
		     r->bounded_by ? "; " : "", why_bounded(r->bounded_by));
	if (r->grows && g_strcmp0(r->bounded_by, "violation"))
		line(look, out, "on one way %s took %" G_GUINT64_FORMAT " different values: the states may "
		     "have no end", r->grows, r->grown);
	if (r->merges_verified)
		line(look, out, "%" G_GUINT64_FORMAT " merges of states were run on from both pasts",
		     r->merges_verified);
	g_string_free(s, TRUE);
}

static void buffers(const struct explored *e, const struct report_look *look, GString *out)
{
	GString *s = g_string_new(NULL);

	for (guint i = 0; i < e->buffered->len; i++)
		g_string_append_printf(s, "%s%s", i ? ", " : "", (char *)e->buffered->pdata[i]);
	if (s->len)
		line(look, out, "under x86-TSO, with stores buffered to %s", s->str);
	else if (e->engine->found->len)
		line(look, out, "under x86-TSO, which allows all that sc does: no store had to wait");
	else
		line(look, out, "under x86-TSO: no word is stored plainly and read by another");
	g_string_free(s, TRUE);
}

static void met(const struct explored *e, const struct report_look *look, GString *out)
{
	GArray *pairs = coverage_pairs(e->coverage);
	guint n = 0;

	for (guint i = 0; i < pairs->len; i++)
		n += coverage_is_met(&g_array_index(pairs, struct coverage_pair, i));
	if (pairs->len)
		line(look, out, "%u of %u pair%s of operations met at a lock%s", n, pairs->len,
		     pairs->len == 1 ? "" : "s",
		     n == pairs->len ? "" : e->resumed ?
		     " since it was resumed" : e->engine->word == EXPLORE_PROVED ?
		     ": the others cannot" : ": --suggest names the others");
	g_array_unref(pairs);
}

static void on_this_host(const struct explored *e, const struct report_look *look, GString *out)
{
	const struct explore_result *r = e->engine;
	guint64 n = r->states ? r->states : r->executions;
	double rate = e->seconds > 0 ? (double)n / e->seconds : 0;
	GString *s = g_string_new(NULL);

	g_string_append_printf(s, "here: %.2f s, %.0f %s/s", e->seconds, rate,
			       r->states ? "states" : "executions");
	if (r->jobs > 1)
		g_string_append_printf(s, " by %u processes", r->jobs);
	if (r->table_bytes)
		g_string_append_printf(s, ", %.1f MiB of tables", (double)r->table_bytes / (1 << 20));
	if (r->states)
		g_string_append_printf(s, ", the longest way %u steps", r->depth);
	line(look, out, "%s", s->str);
	g_string_free(s, TRUE);
}

void report_explored(const struct explored *e, const struct report_look *look, gboolean host,
		     GString *out)
{
	gboolean replayed = e->engine && e->engine->word == EXPLORE_REPLAYED;

	report_heading(e->res, look, out);
	for (guint i = 0; i < e->violations->len; i++)
		violation(e, e->violations->pdata[i], replayed, e->res->as_expected, look, out);
	if (e->engine)
		how(e->engine, look, out);
	if (e->engine && e->tso)
		buffers(e, look, out);
	if (e->engine && !replayed)
		met(e, look, out);
	if (e->engine && host && !replayed)
		on_this_host(e, look, out);
	report_verdict(e->res, look, out);
}
