/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What an LP holds: the vCPU it runs, the one it ran last, and the TLB with its
 * paging-structure caches. Tag: LP x TD; vCPUs of one TD share translations. Flushed by
 * lp_invept() and lp_invept_all() alone, and those are called where the module and KVM
 * execute INVEPT: never at a TD exit.
 * Source: TDX_1.5.01, tdx_local_data.h (vp_ctx), helpers.h:flush_all_td_asids; SDM 28.3.
 */
#include "tdxmod/pamt.h"

struct module;
struct tdcs;
struct tdr;
struct tdvps;

enum {
	TLB_SETS = 128,
	TLB_WAYS = 4,
	PSC_LEVELS = 4,		/* tables of level 0 (PT) .. 3 (PDPT's parent in 5-level) */
	PSC_SLOTS = 8,
};

struct tlb_entry {
	u64 tdr;		/* 0: empty */
	u64 gfn;		/* aligned to the level */
	u64 hpa;
	u64 level;		/* a whole word: no padding enters the world's hash */
};

struct psc_entry {
	u64 tdr;		/* 0: empty */
	u64 prefix;		/* gpa >> bits that the table translates */
	u64 table;		/* hpa of the S-EPT page */
};

struct lp_ctx {
	/* vp_ctx: valid while a TD runs here */
	u64 tdvpr;		/* 0: in the VMM */
	struct tdvps *vp;
	struct tdr *tdr;
	struct tdcs *tdcs;
	struct pamt_entry *tdr_entry;
	struct pamt_walk vp_walk;
	u64 rip_on_entry;	/* single_step_def_state.guest_rip_on_tdentry */

	u64 last_tdvpr;		/* NULL_PA: none */
	bool non_root;		/* the guest runs, not the module */
	u32 interrupt_at;	/* the query from which on the answer is yes; 0: as it is */

	u16 lp;
	u64 tlb_used[TLB_SETS / 64];	/* sets that hold something */
	u32 psc_used;
	struct tlb_entry tlb[TLB_SETS][TLB_WAYS];
	struct psc_entry psc[PSC_LEVELS][PSC_SLOTS];
} __attribute__((aligned(64)));

struct lp_ctx *lp_ctx_self(void);

/* lp_interrupted - what a long flow asks between its parts: is an interrupt pending? No step. */
bool lp_interrupted(struct lp_ctx *lp);
void lp_ctx_init(struct module *mod);

/* lp_invept - INVEPT single-context: every translation of the TD on this LP. No step. */
void lp_invept(struct lp_ctx *lp, u64 tdr);
/* lp_invept_all - INVEPT global, as KVM executes it (vmx/tdx.c:tdx_flush_tlb_all) */
void lp_invept_all(struct lp_ctx *lp);

/* tlb_find - the cached translation of @gfn, or NULL */
const struct tlb_entry *tlb_find(const struct lp_ctx *lp, u64 tdr, u64 gfn);
void tlb_fill(struct lp_ctx *lp, u64 tdr, u64 gfn, u8 level, u64 hpa);
void tlb_drop(struct lp_ctx *lp, const struct tlb_entry *e);

/* psc_find - hpa of the lowest cached table for @gpa; @level: of its entries. False: none */
bool psc_find(const struct lp_ctx *lp, u64 tdr, u64 gpa, u8 root_level, u8 *level, u64 *table);
void psc_fill(struct lp_ctx *lp, u64 tdr, u64 gpa, u8 level, u64 table);
void psc_drop(struct lp_ctx *lp, u64 tdr, u64 gpa, u8 level);

static inline u64 tlb_hpa(const struct tlb_entry *e, u64 gfn)
{
	return e->hpa + ((gfn - e->gfn) << 12);
}

/*
 * lp_check_gone - the page or S-EPT table at @hpa has left the TD at @tdr: no LP that runs
 * that TD in non-root mode may hold it (violation stale-tlb). No step.
 */
void lp_check_gone(const struct module *mod, u64 tdr, u64 gpa, u8 level, u64 hpa, bool table);
