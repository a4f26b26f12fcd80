// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's side of an LP: which vCPU it runs and ran last, whether the guest runs, and
 * what the LP must not cache of a page that has just been removed.
 * Source: TDX_1.5.01, tdx_local_data.h (vp_ctx); docs/model.md (T3).
 */
#include "tdxmod/lp_state.h"

#include <stdio.h>

#include "sim/engine/arena.h"
#include "sim/engine/check.h"
#include "sim/engine/clock.h"
#include "sim/engine/lp.h"
#include "sim/engine/sim.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"
#include "tdxmod/module.h"
#include "tdxmod/stepping.h"
#include "tdxmod/td.h"

struct lp_ctx *lp_ctx_self(void)
{
	return &module_self()->lp[lp_self()];
}

void lp_set_non_root(struct lp_ctx *lp, bool on)
{
	world_set(lp->non_root, on);
	if (on)
		tlb_enter(lp_tlb(lp), lp->vp->tdr);
	else
		tlb_leave(lp_tlb(lp));
}

void lp_ctx_init(struct module *mod)
{
	mod->lp = world_carve(mod->lps * sizeof(*mod->lp));
	for (u16 i = 0; i < mod->lps; i++) {
		world_set(mod->lp[i].lp, i);
		world_set(mod->lp[i].last_tdvpr, NULL_PA);
		stepping_seed(&mod->lp[i]);
	}
}

bool lp_interrupted(struct lp_ctx *lp)
{
	if (lp->interrupt_at == 1)
		return true;
	if (lp->interrupt_at)
		world_set(lp->interrupt_at, lp->interrupt_at - 1);
	return lp_irq_pending() != IRQ_NONE;
}

void lp_interrupt_at_query(u16 lp, u32 n)
{
	world_set(module_self()->lp[lp].interrupt_at, n);
}

struct tlb *lp_tlb(const struct lp_ctx *lp)
{
	return tlb_of(lp->lp);
}

/* @level: of the entry that pointed to @hpa */
void lp_check_gone(const struct module *mod, u64 tdr, u64 gpa, u8 level, u64 hpa, bool table)
{
	char where[32];

	/* Other LPs run on while real threads look: what they hold cannot be told. */
	if (sim_options(sim_current())->sched == SCHED_FREE)
		return;
	for (u16 i = 0; i < mod->lps; i++) {
		const struct lp_ctx *lp = &mod->lp[i];

		if (!lp->non_root || lp->vp->tdr != tdr)
			continue;
		if (!tlb_holds(lp_tlb(lp), tdr, gpa, level, hpa, table))
			continue;
		snprintf(where, sizeof(where), "0x%llx", (unsigned long long)(gpa >> 12));
		check_fail("stale-tlb", where,
			   "LP %u runs the guest and still holds a translation of gfn 0x%llx "
			   "through %s 0x%llx, which has just been removed",
			   i, (unsigned long long)(gpa >> 12), table ? "S-EPT page" : "page",
			   (unsigned long long)hpa);
	}
}
