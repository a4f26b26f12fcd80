// SPDX-License-Identifier: GPL-2.0-only
/*
 * septsim list states: the states of an S-EPT entry, and who may take it where. The moves are
 * found by running each leaf on an entry in each state (scenarios/probe.h).
 */
#include <stdio.h>
#include <string.h>

#include "scenarios/probe.h"
#include "sim/cli/list.h"
#include "tdxmod/sept.h"

static const struct {
	u32 flag;
	const char *word;
} flags[] = {
	{ SEPT_LEAF, "leaf" }, { SEPT_ANY_BLOCKED, "blocked" }, { SEPT_ANY_PENDING, "pending" },
	{ SEPT_ACCEPTABLE, "acceptable" }, { SEPT_ACCESSIBLE, "accessible" },
	{ SEPT_ANY_BLOCKEDW, "write-blocked" }, { SEPT_NEEDS_TRACKING, "needs tracking" },
};

static char *flags_text(u8 s)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < G_N_ELEMENTS(flags); i++)
		if (sept_states[s].flags & flags[i].flag)
			g_string_append_printf(text, "%s%s", text->len ? ", " : "", flags[i].word);
	return g_string_free(text, FALSE);
}

static const char *short_name(const char *name)
{
	return g_str_has_prefix(name, "TDH.MEM.") ? name + strlen("TDH.MEM.") : name;
}

static void state_json(struct lister *l, const struct probe *p, u8 s)
{
	struct json *j = l->json;

	json_enter(j, NULL, '{');
	json_text(j, "name", sept_states[s].name);
	json_number(j, "public", sept_states[s].public_state);
	json_number(j, "encoding", sept_states[s].encoding);
	json_enter(j, "flags", '[');
	for (guint i = 0; i < G_N_ELEMENTS(flags); i++)
		if (sept_states[s].flags & flags[i].flag)
			json_text(j, NULL, flags[i].word);
	json_leave(j, ']');
	json_enter(j, "moves", '[');
	for (guint i = 0; i < p->moves->len; i++) {
		const struct probe_move *m = &g_array_index(p->moves, struct probe_move, i);

		if (m->from != s)
			continue;
		json_enter(j, NULL, '{');
		json_text(j, "leaf", ((struct probe_leaf *)p->leaves->pdata[m->leaf])->name);
		json_text(j, "to", sept_states[m->to].name);
		json_truth(j, "building", m->building);
		json_leave(j, '}');
	}
	json_leave(j, ']');
	json_leave(j, '}');
}

static void state_print(struct lister *l, const struct probe *p, u8 s)
{
	char *text = flags_text(s), *line;

	line = g_strdup_printf("%s (%u)%s%s", sept_states[s].name, sept_states[s].public_state,
			       *text ? ": " : "", text);
	list_wrap(l, line, 0, 4);
	g_free(line);
	g_free(text);
	for (guint i = 0; i < p->moves->len; i++) {
		const struct probe_move *m = &g_array_index(p->moves, struct probe_move, i);
		const struct probe_leaf *leaf = p->leaves->pdata[m->leaf];

		if (m->from == s)
			printf("    %-20s -> %s%s\n", short_name(leaf->name), sept_states[m->to].name,
			       m->building ? "  (while the TD is built)" : "");
	}
}

void list_states(struct lister *l)
{
	struct probe *p = list_probe(l);

	probe_states(p);
	if (!l->only && !l->json)
		list_wrap(l, "States of an S-EPT entry, with the number that RDX has for them, and the "
			  "calls that take it to another, as found by running each on each state. "
			  "Nothing leads into the states of export and import: migration is not "
			  "modelled.", 0, 0);
	for (u8 s = 0; s < SEPT_STATES; s++) {
		if (!list_wanted(l, sept_states[s].name))
			continue;
		if (l->json)
			state_json(l, p, s);
		else
			state_print(l, p, s);
	}
	probe_free(p);
}
