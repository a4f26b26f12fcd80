// SPDX-License-Identifier: GPL-2.0-only
/*
 * A trace in the shape of ftrace's text output, for eyes and scripts that are used to it:
 * TASK [cycle] event: words. The time column is virtual cycles, not seconds.
 */
#include "scenarios/result.h"
#include "sim/report/report.h"

void report_ftrace(const struct play_result *r, GString *out)
{
	g_string_append_printf(out, "# %s %s: time is virtual cycles\n", r->scenario,
			       r->case_name);
	for (guint i = 0; i < r->events->len; i++) {
		const struct play_event *e = &g_array_index(r->events, struct play_event, i);
		const char *who = g_array_index(r->actors, struct play_actor, e->actor).name;

		g_string_append_printf(out, "%16s %12" G_GINT64_FORMAT ": %s:", who, e->clock,
				       e->type == EV_STEP ? play_op_name(e->op) :
				       play_event_type_name(e->type));
		if (e->name)
			g_string_append_printf(out, " %s", e->name);
		if (e->flags & PLAY_HAS_ARG)
			g_string_append_printf(out, " arg=0x%" G_GINT64_MODIFIER "x", e->arg);
		if (e->old)
			g_string_append_printf(out, " old=%s", e->old);
		if (e->now)
			g_string_append_printf(out, " new=%s", e->now);
		if (e->detail)
			g_string_append_printf(out, " %s", e->detail);
		g_string_append_c(out, '\n');
	}
}
