/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What an LP caches of guest-physical address translation: translations (TLB) and tables
 * (paging-structure caches). A tag says whose they are: the SDM's EP4TA, which for a TD is
 * that of its private EPT pointer, so that shared translations of a TD have the same tag as
 * private ones. vCPUs with one tag share. Flushed by tlb_flush() and tlb_flush_all() alone,
 * where software executes INVEPT, and by an EPT violation for its own address: never at a
 * VM exit. Source: SDM vol. 3, 29.4 (caching, 29.4.3.1 what an EPT violation drops).
 */
#include "sim/engine/types.h"

enum {
	TLB_SETS = 128,
	TLB_WAYS = 4,
	PSC_LEVELS = 4,		/* tables of level 0 (4K entries) .. 3 (5-level: below the root) */
	PSC_SLOTS = 8,
};

enum tlb_flags {
	TLB_READ = 1,
	TLB_WRITE = 2,
	TLB_EXEC = 4,
	TLB_RWX = 7,		/* what the whole walk allowed */
	TLB_DIRTY = 8,		/* the entry's D bit is known to be set */
	TLB_GONE = 16,		/* (part of) the page was freed since: nothing may use this */
};

struct tlb_entry {
	u64 tag;		/* 0: empty */
	u64 gfn;		/* aligned to the level; with a SHARED bit if the address has one */
	u64 hpa;
	u32 level;		/* 0 4K, 1 2M, 2 1G */
	u32 flags;		/* enum tlb_flags */
};

struct psc_entry {
	u64 tag;		/* 0: empty */
	u64 prefix;		/* gpa >> bits that the table translates */
	u64 table;		/* hpa */
};

struct tlb {			/* of one LP */
	u64 running;		/* tag of the guest that runs here; 0: the host or the module does */
	u64 used[TLB_SETS / 64];	/* sets that hold something */
	u64 psc_used;		/* levels that do */
	struct tlb_entry entry[TLB_SETS][TLB_WAYS];
	struct psc_entry psc[PSC_LEVELS][PSC_SLOTS];
} __attribute__((aligned(64)));

/* bytes that an entry of @level maps */
static inline u64 ept_level_size(u8 level)
{
	return 1ull << (12 + 9 * level);
}

struct tlb *tlb_of(u16 lp);

/* No function below is a step: an LP's caches are its own. */

/* tlb_enter, tlb_leave - guest @tag starts to run on the LP, or no guest runs there */
void tlb_enter(struct tlb *t, u64 tag);
void tlb_leave(struct tlb *t);

void tlb_flush(struct tlb *t, u64 tag);		/* INVEPT single-context */
void tlb_flush_all(struct tlb *t);		/* INVEPT global */
/* tlb_violated - an EPT violation at @gpa: what would translate it is dropped */
void tlb_violated(struct tlb *t, u64 tag, u64 gpa);

/* tlb_find - the cached translation of @gfn, or NULL */
const struct tlb_entry *tlb_find(const struct tlb *t, u64 tag, u64 gfn);
void tlb_fill(struct tlb *t, u64 tag, u64 gfn, u8 level, u64 hpa, u32 flags);
void tlb_drop(struct tlb *t, const struct tlb_entry *e);

/* psc_find - hpa of the lowest cached table for @gpa; @level: of its entries. False: none */
bool psc_find(const struct tlb *t, u64 tag, u64 gpa, u8 root_level, u8 *level, u64 *table);
void psc_fill(struct tlb *t, u64 tag, u64 gpa, u8 level, u64 table);
void psc_drop(struct tlb *t, u64 tag, u64 gpa, u8 level);

static inline u64 tlb_hpa(const struct tlb_entry *e, u64 gfn)
{
	return e->hpa + ((gfn - e->gfn) << 12);
}

/* --- for checks ----------------------------------------------------------------------- */

/*
 * tlb_holds - does @t translate a gfn in the @level page at @gpa to that page at @hpa (@table:
 * through the table at @hpa, which entries of @level point to)?
 */
bool tlb_holds(const struct tlb *t, u64 tag, u64 gpa, u8 level, u64 hpa, bool table);

/*
 * tlb_holds_page - an LP with a translation to the page at @hpa, and of which gfn
 * tlb_in_guest_holds_page - likewise of the guest that runs on it now: any other LP flushes
 * or does not, but before it can use the translation
 */
bool tlb_holds_page(u64 hpa, u16 *lp, u64 *gfn);
bool tlb_in_guest_holds_page(u64 hpa, u16 *lp, u64 *gfn);

/* tlb_page_freed - the frame at @hpa went back to the allocator. Not under real threads. */
void tlb_page_freed(u64 hpa);
