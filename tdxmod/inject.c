// SPDX-License-Identifier: GPL-2.0-only
/*
 * A scenario's `inject LEAF@N STATUS`: the N-th call of a leaf from now on fails as told,
 * before the flow does anything (want of entropy: where the flow would draw). No module does
 * this; it stands for errors that a model cannot produce, to see what a caller makes of them.
 */
#include "sim/engine/arena.h"
#include "sim/engine/mem.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"
#include "tdxmod/lp_state.h"
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
	do
		world_set(i->next, (struct injection *)world_read(&mod->injections));
	while (world_cmpxchg(&mod->injections, i->next, i) != (u64)i->next);
}

static bool draws(u64 leaf, u64 status)
{
	return (leaf == TDH_MNG_CREATE || leaf == TDH_MNG_KEY_CONFIG || leaf == TDH_MNG_ADDCX) &&
	       (status == TDX_RND_NO_ENTROPY || status == TDX_KEY_GENERATION_FAILED);
}

u64 seamcall_draw(void)
{
	struct lp_ctx *lp = lp_ctx_self();
	u64 status = lp->no_entropy;

	if (status) {
		world_set(lp->no_entropy, 0);
		trace_note("injected");
	}
	return status;
}

static bool strikes(struct injection *i)
{
	u64 left;

	do
		left = world_read(&i->left);
	while (left && world_cmpxchg(&i->left, left, left - 1) != left);
	return left == 1;
}

bool seamcall_injected(u64 leaf, u64 *status)
{
	struct injection *i = (struct injection *)world_read(&module_self()->injections);

	for (; i; i = i->next) {
		if (i->leaf != leaf || !strikes(i))
			continue;
		if (draws(leaf, i->status)) {
			world_set(lp_ctx_self()->no_entropy, i->status);
			return false;
		}
		trace_note("injected");
		*status = i->status;
		return true;
	}
	return false;
}
