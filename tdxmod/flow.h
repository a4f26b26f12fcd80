/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * A SEAMCALL in progress: what it has locked, found and copied. Lives on the actor's stack;
 * a flow is a list of the calls below in the module's order, then its writes, then the
 * releases in the order in which that flow does them (they differ).
 *
 * Each returns TDX_SUCCESS or the final status, operand id and RCX/RDX included; what it
 * could not get is not held.
 */
#include "tdxmod/lp_state.h"
#include "tdxmod/module.h"
#include "tdxmod/seamcall.h"
#include "tdxmod/td.h"

struct flow {
	const struct module *mod;
	struct tdx_regs *r;
	u32 leaf;
	enum lock_side side;	/* of TDR, OP_STATE; SIDE_HOST unless set behind flow_begin() */
	u16 op_states;		/* allowed OP_STATEs; 0: those of @leaf */

	struct tdr *tdr;
	u64 tdr_pa;
	struct pamt_walk tdr_walk;
	bool tdr_walked;		/* an operand; else implicit: */
	struct pamt_entry *tdr_entry;
	u8 tdr_mode;			/* of an implicit TDR: enum lock_mode */
	struct tdcs *tdcs;
	bool op_locked;

	u8 tree;			/* enum lock_mode */
	u64 gpa;
	u8 level;			/* asked for */
	struct sept_walk w;
	bool entry_locked;

	struct pamt_walk page;		/* an operand */
	bool page_locked;
	struct pamt_entry *page_entry;	/* of a page that the S-EPT names */
	u64 page_pa;
	bool page_entry_locked;
	enum page_size page_size;

	struct pamt_walk vp_walk;
	bool vp_locked;
	struct tdvps *vp;
};

void flow_begin(struct flow *f, u32 leaf, struct tdx_regs *r);

/* TDR as an operand: checked, walked, locked. Then its build state and OP_STATE. */
u64 flow_lock_tdr(struct flow *f, u64 hpa, enum operand_id operand, enum lock_mode mode);
u64 flow_lock_op_state(struct flow *f);	/* shared, host */
u64 flow_check_op_state(struct flow *f);	/* without the lock (TDR is held exclusive) */

/* TDVPR as an operand (in RCX), its owner's TDR implicitly (and shared) */
u64 flow_lock_vcpu(struct flow *f, u64 hpa, enum lock_mode mode);
u64 flow_lock_vcpu_and(struct flow *f, u64 hpa, enum operand_id operand, enum lock_mode mode,
		       enum lock_mode tdr);
u64 flow_map_vcpu(struct flow *f);
/* flow_associate - the vCPU is this LP's from now on; it stays so whatever follows */
u64 flow_associate(struct flow *f, bool allow_disabled, bool *new_association);

/* Memory of the VMM's: under a shared HKID, outside of SEAMRR; and aligned, by a power of 2 */
bool shared_hpa_valid(u64 hpa, u64 size);
u64 flow_check_shared_hpa(u64 hpa, u64 alignment, enum operand_id operand);

/* RCX of the memory flows: reserved bits, level in @min..@max, alignment */
u64 flow_gpa(struct flow *f, u64 rcx, u8 min, u8 max);
u64 flow_walk(struct flow *f, enum lock_mode tree);	/* GPA valid, tree lock, walk */
u64 flow_lock_entry(struct flow *f);	/* host side; w.copy is re-read */
u64 flow_check_state(struct flow *f, enum sept_op op);
u64 flow_fail_state(struct flow *f, u64 status);	/* status|RCX with the entry in RCX, RDX */

u64 flow_lock_new_page(struct flow *f, u64 hpa, enum page_size size);	/* R8, exclusive, NDA */
/* A page to become a control structure: in RCX, 4K, exclusive, NDA. Then it is one. */
u64 flow_lock_control_page(struct flow *f, u64 hpa);
void flow_set_control_page(struct flow *f, enum page_type pt, u64 owner);

u64 flow_lock_old_page(struct flow *f, u64 hpa, enum page_size size);	/* implicit, exclusive */

/* page blocked and tracked, where the TD may be running; GPA_RANGE_NOT_BLOCKED, TLB_TRACKING_NOT_DONE */
bool flow_tracking_required(struct flow *f);
u64 flow_check_tracked(struct flow *f);

void flow_release_entry(struct flow *f);
void flow_release_pages(struct flow *f);
void flow_release_tree(struct flow *f);
void flow_release_op_state(struct flow *f);
void flow_release_tdr(struct flow *f);
void flow_release_vcpu(struct flow *f);
/* flow_end - tree, OP_STATE, TDR (TDVPR), in this order; returns @status */
u64 flow_end(struct flow *f, u64 status);

/* flow_progress - an S-EPT entry changed its class for good */
void flow_progress(void);

/* The leaves of leaf.c; @version: RAX bits 23:16, 0 unless the leaf has versions */
u64 tdh_mem_sept_add(struct tdx_regs *r, u32 version);
u64 tdh_mem_page_add(struct tdx_regs *r, u32 version);
u64 tdh_mem_page_aug(struct tdx_regs *r, u32 version);
u64 tdh_mem_page_relocate(struct tdx_regs *r, u32 version);
u64 tdh_mem_rd(struct tdx_regs *r, u32 version);
u64 tdh_mem_wr(struct tdx_regs *r, u32 version);
u64 tdh_mem_page_demote(struct tdx_regs *r, u32 version);
u64 tdh_mem_page_promote(struct tdx_regs *r, u32 version);
u64 tdh_mem_range_block(struct tdx_regs *r, u32 version);
u64 tdh_mem_range_unblock(struct tdx_regs *r, u32 version);
u64 tdh_mem_track(struct tdx_regs *r, u32 version);
u64 tdh_mem_page_remove(struct tdx_regs *r, u32 version);
u64 tdh_mem_sept_remove(struct tdx_regs *r, u32 version);
u64 tdh_mem_sept_rd(struct tdx_regs *r, u32 version);
u64 tdh_mr_finalize(struct tdx_regs *r, u32 version);
u64 tdh_vp_enter(struct tdx_regs *r, u32 version);
u64 vp_enter_seam(struct tdx_regs *r);	/* its SEAM part; 0: the guest runs on this LP now */
u64 tdh_vp_flush(struct tdx_regs *r, u32 version);
u64 tdh_mng_vpflushdone(struct tdx_regs *r, u32 version);
u64 tdh_mng_key_freeid(struct tdx_regs *r, u32 version);
u64 tdh_mng_create(struct tdx_regs *r, u32 version);
u64 tdh_mng_key_config(struct tdx_regs *r, u32 version);
u64 tdh_mng_addcx(struct tdx_regs *r, u32 version);
u64 tdh_mng_init(struct tdx_regs *r, u32 version);
u64 tdh_mng_rd(struct tdx_regs *r, u32 version);
u64 tdh_mng_wr(struct tdx_regs *r, u32 version);
u64 tdh_mng_key_reclaimid(struct tdx_regs *r, u32 version);
u64 tdh_mr_extend(struct tdx_regs *r, u32 version);
u64 tdh_vp_create(struct tdx_regs *r, u32 version);
u64 tdh_vp_addcx(struct tdx_regs *r, u32 version);
u64 tdh_vp_init(struct tdx_regs *r, u32 version);
u64 tdh_vp_rd(struct tdx_regs *r, u32 version);
u64 tdh_vp_wr(struct tdx_regs *r, u32 version);
u64 tdh_phymem_cache_wb(struct tdx_regs *r, u32 version);
u64 tdh_phymem_page_rdmd(struct tdx_regs *r, u32 version);
u64 tdh_phymem_page_wbinvd(struct tdx_regs *r, u32 version);
u64 tdh_phymem_page_reclaim(struct tdx_regs *r, u32 version);
u64 tdh_iq_inv_process(struct tdx_regs *r, u32 version);
u64 tdh_phymem_pamt_add(struct tdx_regs *r, u32 version);
u64 tdh_phymem_pamt_remove(struct tdx_regs *r, u32 version);
u64 tdh_servtd_bind(struct tdx_regs *r, u32 version);
u64 tdh_servtd_prebind(struct tdx_regs *r, u32 version);
