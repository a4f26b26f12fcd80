/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What the module knows of an LP: the vCPU it runs and the one it ran last. Its TLB is the
 * machine's (sim/engine/tlb.h), under the TDR's hpa as tag: vCPUs of one TD share
 * translations, private and shared ones alike.
 * Source: TDX_1.5.01, tdx_local_data.h (vp_ctx), helpers.h:flush_all_td_asids.
 */
#include "sim/engine/tlb.h"
#include "sim/engine/clock.h"
#include "tdxmod/pamt.h"

struct module;
struct tdcs;
struct tdr;
struct tdvps;

struct lp_ctx {
	/* vp_ctx: valid while a TD runs here */
	u64 tdvpr;		/* 0: in the VMM */
	struct tdvps *vp;
	struct tdr *tdr;
	struct tdcs *tdcs;
	struct pamt_entry *tdr_entry;
	struct pamt_walk vp_walk;

	/* single_step_def_state: stepping.h */
	u64 rip_on_entry;	/* guest_rip_on_tdentry */
	struct deadline early;	/* until here an interrupt is early; instead of last_entry_tsc */
	bool in_step_mode;
	u8 steps_left;		/* num_inst_step */
	u32 lfsr;

	u64 last_tdvpr;		/* NULL_PA: none */
	bool non_root;		/* the guest runs, not the module */
	u64 no_entropy;		/* status of the call if it draws a random number; 0: it may */
	u32 interrupt_at;	/* the query from which on the answer is yes; 0: as it is */

	u16 lp;
} __attribute__((aligned(64)));

struct lp_ctx *lp_ctx_self(void);

/* lp_interrupted - what a long flow asks between its parts: is an interrupt pending? No step. */
bool lp_interrupted(struct lp_ctx *lp);
void lp_ctx_init(struct module *mod);

struct tlb *lp_tlb(const struct lp_ctx *lp);
/* lp_set_non_root - the TD's guest starts or ceases to run here. No step. */
void lp_set_non_root(struct lp_ctx *lp, bool on);

/*
 * lp_check_gone - the page or S-EPT table at @hpa has left the TD at @tdr: no LP that runs
 * that TD in non-root mode may hold it (violation stale-tlb). No step.
 */
void lp_check_gone(const struct module *mod, u64 tdr, u64 gpa, u8 level, u64 hpa, bool table);
