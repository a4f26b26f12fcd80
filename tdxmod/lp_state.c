// SPDX-License-Identifier: GPL-2.0-only
/*
 * TLBs. What is cached stays until it is flushed or its slot is needed: the worst case for
 * a VMM, which is what the checks want. Replacement is fixed by the address.
 * Source: docs/model.md (T3); SDM 28.3.1 (information that may be cached).
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
#include "tdxmod/td.h"

struct lp_ctx *lp_ctx_self(void)
{
	return &module_self()->lp[lp_self()];
}

void lp_ctx_init(struct module *mod)
{
	mod->lp = world_carve(mod->lps * sizeof(*mod->lp));
	for (u16 i = 0; i < mod->lps; i++) {
		world_set(mod->lp[i].lp, i);
		world_set(mod->lp[i].last_tdvpr, NULL_PA);
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

static u32 set_of(u64 gfn, u8 level)
{
	return (gfn >> (9 * level)) % TLB_SETS;
}

static bool covers(const struct tlb_entry *e, u64 tdr, u64 gfn, u8 level)
{
	return e->tdr == tdr && e->level == level &&
	       e->gfn == (gfn & ~((level_size(level) >> 12) - 1));
}

const struct tlb_entry *tlb_find(const struct lp_ctx *lp, u64 tdr, u64 gfn)
{
	for (u8 level = LVL_PT; level <= LVL_PDPT; level++) {
		u32 set = set_of(gfn, level);

		if (!(lp->tlb_used[set / 64] >> (set % 64) & 1))
			continue;
		for (u32 way = 0; way < TLB_WAYS; way++) {
			if (covers(&lp->tlb[set][way], tdr, gfn, level))
				return &lp->tlb[set][way];
		}
	}
	return NULL;
}

void tlb_fill(struct lp_ctx *lp, u64 tdr, u64 gfn, u8 level, u64 hpa)
{
	u32 set = set_of(gfn, level), way;
	u64 first = gfn & ~((level_size(level) >> 12) - 1);
	struct tlb_entry e = {
		.tdr = tdr,
		.gfn = first,
		.hpa = hpa & ~(level_size(level) - 1),
		.level = level,
	};

	for (way = 0; way < TLB_WAYS && lp->tlb[set][way].tdr; way++) {
		if (covers(&lp->tlb[set][way], tdr, gfn, level))
			break;
	}
	if (way == TLB_WAYS)
		way = (gfn >> (9 * level)) / TLB_SETS % TLB_WAYS;
	world_set(lp->tlb[set][way], e);
	world_set(lp->tlb_used[set / 64], lp->tlb_used[set / 64] | BIT_ULL(set % 64));
}

void tlb_drop(struct lp_ctx *lp, const struct tlb_entry *e)
{
	struct tlb_entry *mine = &lp->tlb[0][0] + (e - &lp->tlb[0][0]);

	world_set(*mine, (struct tlb_entry){ 0 });
}

/* A table of level L is found by the address bits above what it translates */
static u64 prefix_of(u64 gpa, u8 level)
{
	return gpa >> (12 + 9 * (level + 1));
}

static struct psc_entry *psc_slot(const struct lp_ctx *lp, u64 gpa, u8 level)
{
	return (struct psc_entry *)&lp->psc[level][prefix_of(gpa, level) % PSC_SLOTS];
}

bool psc_find(const struct lp_ctx *lp, u64 tdr, u64 gpa, u8 root_level, u8 *level, u64 *table)
{
	for (u8 l = LVL_PT; l < root_level && l < PSC_LEVELS; l++) {
		const struct psc_entry *e = psc_slot(lp, gpa, l);

		if (e->tdr == tdr && e->prefix == prefix_of(gpa, l)) {
			*level = l;
			*table = e->table;
			return true;
		}
	}
	return false;
}

void psc_fill(struct lp_ctx *lp, u64 tdr, u64 gpa, u8 level, u64 table)
{
	struct psc_entry e = { tdr, prefix_of(gpa, level), table };

	if (level >= PSC_LEVELS)
		return;
	world_set(*psc_slot(lp, gpa, level), e);
	world_set(lp->psc_used, lp->psc_used | 1u << level);
}

void psc_drop(struct lp_ctx *lp, u64 tdr, u64 gpa, u8 level)
{
	struct psc_entry *e = psc_slot(lp, gpa, level);

	if (e->tdr == tdr && e->prefix == prefix_of(gpa, level))
		world_set(*e, (struct psc_entry){ 0 });
}

/* @tdr 0: of every TD */
static void flush(struct lp_ctx *lp, u64 tdr)
{
	for (u32 set = 0; set < TLB_SETS; set++) {
		bool left = false;

		if (!(lp->tlb_used[set / 64] >> (set % 64) & 1))
			continue;
		for (u32 way = 0; way < TLB_WAYS; way++) {
			struct tlb_entry *e = &lp->tlb[set][way];

			if (e->tdr && (!tdr || e->tdr == tdr))
				world_set(*e, (struct tlb_entry){ 0 });
			left |= e->tdr;
		}
		if (!left)
			world_set(lp->tlb_used[set / 64],
				  lp->tlb_used[set / 64] & ~BIT_ULL(set % 64));
	}
	for (u32 l = 0; l < PSC_LEVELS && lp->psc_used; l++) {
		bool left = false;

		if (!(lp->psc_used >> l & 1))
			continue;
		for (u32 i = 0; i < PSC_SLOTS; i++) {
			struct psc_entry *e = &lp->psc[l][i];

			if (e->tdr && (!tdr || e->tdr == tdr))
				world_set(*e, (struct psc_entry){ 0 });
			left |= e->tdr;
		}
		if (!left)
			world_set(lp->psc_used, lp->psc_used & ~(1u << l));
	}
}

void lp_invept(struct lp_ctx *lp, u64 tdr)
{
	sim_charge(COST_INVEPT, 1);
	flush(lp, tdr);
	trace_(EV_FLUSH, .name = "TLB of the TD", .arg = lp->lp, .has_arg = true);
}

void lp_invept_all(struct lp_ctx *lp)
{
	sim_charge(COST_INVEPT, 1);
	flush(lp, 0);
	trace_(EV_FLUSH, .name = "TLB", .arg = lp->lp, .has_arg = true);
}

static bool holds_page(const struct lp_ctx *lp, u64 tdr, u64 gpa, u8 level, u64 hpa)
{
	u64 first = gpa >> 12, n = level_size(level) >> 12;

	/* A 2M page may be cached whole or, after a split, in parts */
	for (u64 i = 0; i < n; i += n > 512 ? 512 : 1) {
		const struct tlb_entry *e = tlb_find(lp, tdr, first + i);

		if (e && tlb_hpa(e, first + i) == hpa + (i << 12))
			return true;
	}
	return false;
}

static bool holds_table(const struct lp_ctx *lp, u64 tdr, u64 gpa, u8 level, u64 hpa)
{
	const struct psc_entry *e;

	if (level - 1 >= PSC_LEVELS)
		return false;
	e = psc_slot(lp, gpa, level - 1);
	return e->tdr == tdr && e->prefix == prefix_of(gpa, level - 1) && e->table == hpa;
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
		if (!(table ? holds_table(lp, tdr, gpa, level, hpa) :
			      holds_page(lp, tdr, gpa, level, hpa)))
			continue;
		snprintf(where, sizeof(where), "0x%llx", (unsigned long long)(gpa >> 12));
		check_fail("stale-tlb", where,
			   "LP %u runs the guest and still holds a translation of gfn 0x%llx "
			   "through %s 0x%llx, which has just been removed",
			   i, (unsigned long long)(gpa >> 12), table ? "S-EPT page" : "page",
			   (unsigned long long)hpa);
	}
}
