// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may take an S-EPT entry where: each leaf is run on an entry in each of the states.
 */
#include "scenarios/probe_priv.h"

#include <string.h>

#include "sim/engine/check.h"
#include "sim/engine/mem.h"
#include "sim/engine/undo.h"
#include "tdxmod/flow.h"

/* @entry in state @s, with the page or table that it has or would have. False: cannot be */
static gboolean put_state(u64 *entry, const struct place *at, u8 s)
{
	u64 old = *entry, page = at->level == LVL_PT ? at->page : at->page2m;
	gboolean table = sept_is_state(old, SEPT_NL_MAPPED) || sept_is_state(old, SEPT_NL_BLOCKED);
	u64 bits = sept_state_bits(s) | SEPT_SVE;

	if (s == SEPT_FREE || s == SEPT_REMOVED) {
		if (table)
			return FALSE;
		world_set(*entry, bits);
	} else if (s == SEPT_NL_MAPPED || s == SEPT_NL_BLOCKED) {
		if (!table)
			return FALSE;
		world_set(*entry, (old & SEPT_HPA) | bits | (s == SEPT_NL_MAPPED ? SEPT_RWX : 0));
	} else {
		if (table)
			return FALSE;
		world_set(*entry, sept_make_leaf(sept_states[s].flags & SEPT_ACCESSIBLE ?
						 SEPT_RWX : 0, page, s));
	}
	return TRUE;
}

static void try_state(struct probe *p, struct machine *m, const struct place *at, guint leaf,
		      u8 from, gboolean building)
{
	const struct recipe *recipe = probe_recipe_of(p, leaf);
	u64 *entry = probe_entry(m, at, at->level);
	struct probe_move move = { .from = from, .building = building, .leaf = leaf };
	struct tdx_regs r;

	if (!entry || !put_state(entry, at, from))
		return;
	if (building)
		world_set(td_tdcs(tdr_at(m->tdr))->op_state, OP_STATE_INITIALIZED);
	probe_regs(m, recipe, at, &r);
	if (probe_call(m, recipe, at, &r) != TDX_SUCCESS || check_count(m->sim))
		return;
	move.to = sept_state_of(*entry);
	if (move.to == from)
		return;
	for (guint i = 0; i < p->moves->len; i++) {
		const struct probe_move *had = &g_array_index(p->moves, struct probe_move, i);

		if (had->leaf == leaf && had->from == from && had->to == move.to)
			return;
	}
	g_array_append_val(p->moves, move);
}

/* On the entry that the recipe is about, and on the one above it: a table */
static void each_state(struct probe *p, struct machine *m, const struct rewind *ready, guint leaf,
		       gboolean building)
{
	struct place at = m->place[0];

	for (u8 level = at.level; level <= at.level + 1 && level <= LVL_PD; level++) {
		struct place here = at;

		here.level = level;
		for (u8 s = 0; s < SEPT_STATES; s++) {
			try_state(p, m, &here, leaf, s, building);
			rewind_to(ready);
		}
	}
}

void probe_states(struct probe *p)
{
	for (guint i = 0; i < p->leaves->len; i++) {
		const struct probe_leaf *l = p->leaves->pdata[i];
		const struct recipe *recipe = probe_recipe_of(p, i);
		struct machine *m;
		struct rewind *ready;

		if (!l->probed || !recipe->entry || !(m = probe_machine_new(p)))
			continue;
		probe_td_normal(m);
		recipe->prepare(m, &m->place[0]);
		ready = rewind_new(m->sim);
		for (u32 b = 0; b < 2; b++)
			each_state(p, m, ready, i, b);
		rewind_free(ready);
		probe_machine_free(m);
	}
}
