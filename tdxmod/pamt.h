/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Physical address metadata: what each page of the TDMR is, whose, and its lock. Entries
 * for 1G, 2M and 4K in flat arrays, 16 bytes each; memory only where touched.
 * Source: TDX_1.5.01, memory_handlers/pamt_manager.[ch], helpers.c.
 */
#include "tdxmod/lock.h"
#include "tdxmod/status.h"

struct module;
struct sim;

enum page_type {
	PT_NDA = 0,		/* not assigned: the VMM's */
	PT_RSVD = 1,
	PT_REG = 3,		/* private page of a TD */
	PT_TDR = 4,
	PT_TDCX = 5,
	PT_TDVPR = 6,
	PT_EPT = 8,		/* S-EPT page */
	PT_PAMT = 15,		/* a 2M entry whose 4K entries are in a page pair (S11) */
};

enum page_size { SIZE_4K, SIZE_2M, SIZE_1G };	/* = S-EPT level of a leaf of that size */

struct pamt_entry {
	u16 lock;		/* sharex_hp */
	u8 pt;			/* enum page_type */
	u8 rsvd;
	u32 owner;		/* TDR's hpa >> 12 */
	u64 bepoch;		/* TD_EPOCH at BLOCK; of a PT_PAMT entry see pamt_dynamic.h */
};

/* pamt_new - the arrays for memory [0, @end), and their names */
void pamt_new(struct module *mod, u64 end);

/* pamt_entry_of - by plain indexing, no step */
struct pamt_entry *pamt_entry_of(const struct module *mod, u64 hpa, enum page_size size);

/* What a walk holds: the leaf in @mode, the entries above it shared */
struct pamt_walk {
	u64 hpa;
	struct pamt_entry *leaf;
	enum page_size size;	/* of @leaf */
	enum lock_mode mode;
	enum lock_side side;	/* the caller's; SIDE_HOST unless set before */
	const char *name;	/* of the leaf's lock */
};

/*
 * pamt_walk_lock - lock 1G shared, 2M shared, 4K as asked; stops at a leaf or at
 * @to (promoted there if exclusive). Returns TDX_SUCCESS or TDX_OPERAND_BUSY.
 * @name: what events call a 4K leaf's lock: "TDR", "TDVPR", or NULL for PAMT_4K
 */
u64 pamt_walk_lock(const struct module *mod, struct pamt_walk *w, u64 hpa, enum page_size to,
		   enum lock_mode mode, const char *name);
void pamt_unwalk(const struct module *mod, const struct pamt_walk *w);

/*
 * pamt_check_and_lock - an operand of the caller: alignment, HKID bits, TDMR, walk, size
 * and type, in this order. Nothing is held on failure; the operand id is in the status.
 * (helpers.c: hpa_check_with_pwr_2_alignment, non_shared_hpa_metadata_check_and_lock)
 */
u64 pamt_check_and_lock(const struct module *mod, struct pamt_walk *w, u64 hpa,
			enum page_size size, enum lock_mode mode, enum page_type pt,
			enum operand_id operand, const char *name);
u64 pamt_check_hpa(const struct module *mod, u64 hpa, enum page_size size,
		   enum operand_id operand);

/* pamt_implicit - the entry of a page that the module knows of; sanity: it is in use */
struct pamt_entry *pamt_implicit(const struct module *mod, u64 hpa, enum page_size size);
u64 pamt_implicit_lock(const struct module *mod, struct pamt_entry **e, u64 hpa,
		       enum page_size size, enum lock_mode mode, const char *name);

const char *pamt_lock_name(enum page_size size);	/* "PAMT_4K" */

u64 pamt_owner(struct pamt_entry *e);			/* hpa of the owning TDR; a step */
void pamt_set_owner(struct pamt_entry *e, u64 tdr);	/* a step */
