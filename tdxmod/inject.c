// SPDX-License-Identifier: GPL-2.0-only
/*
 * A scenario's `inject LEAF@N STATUS`: the N-th call of a leaf from now on fails as told,
 * before the flow does anything. No module does this; it stands for errors that a model
 * cannot produce, to see what a caller makes of them.
 */
#include "sim/engine/arena.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"
#include "tdxmod/module.h"
#include "tdxmod/seamcall.h"

struct injection {
	struct injection *next;
	u64 leaf;
	u64 left;		/* calls until it strikes; 0: done */
	u64 status;
};

void seamcall_inject(struct sim *sim, u64 leaf, u64 nth, u64 status)
{
	struct module *mod = module_of(sim);
	struct injection *i = world_alloc(sizeof(*i));

	world_set(i->leaf, leaf);
	world_set(i->left, nth);
	world_set(i->status, status);
	world_set(i->next, mod->injections);
	world_set(mod->injections, i);
}

bool seamcall_injected(u64 leaf, u64 *status)
{
	struct injection *i = module_self()->injections;

	for (; i; i = i->next) {
		if (i->leaf != leaf || !i->left)
			continue;
		world_set(i->left, i->left - 1);
		if (i->left)
			continue;
		trace_note("injected");
		*status = i->status;
		return true;
	}
	return false;
}
