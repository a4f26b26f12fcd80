/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The processor's side of a guest access: TLB, paging-structure caches, the walk of EPT
 * paging structures with accessed and dirty bits, EPT violations and misconfigurations.
 * Whose tables they are and what becomes of a violation is the caller's: the TDX module's
 * for a TD, KVM's for any other guest.
 * Source: SDM vol. 3, 29.3.2 (translation), 29.3.3 (violations, misconfigurations), 29.3.5
 * (accessed and dirty), 29.3.6 (page-modification logging), 29.4.
 */
#include "sim/engine/types.h"

struct tlb;

/* Bits of an entry */
#define EPT_READ	BIT_ULL(0)
#define EPT_WRITE	BIT_ULL(1)
#define EPT_EXEC	BIT_ULL(2)
#define EPT_RWX		7ull
#define EPT_MEMTYPE	(7ull << 3)
#define EPT_LARGE	BIT_ULL(7)
#define EPT_ACCESSED	BIT_ULL(8)
#define EPT_DIRTY	BIT_ULL(9)
#define EPT_ADDRESS	GENMASK_ULL(51, 12)
#define EPT_SUPPRESS_VE	BIT_ULL(63)

/* What the VMCS says of a guest's tables */
struct ept {
	u64 tag;		/* of its translations, see tlb.h */
	u64 root;		/* hpa */
	u8 level;		/* of the root's entries: 3 for four levels, 4 for five */
	bool ad;		/* EPTP bit 6: accessed and dirty bits are on */
	struct ept_pml *pml;	/* page-modification logging is on, @ad too; NULL: off */
};

/* The VMCS fields of page-modification logging; in the world, of one vCPU */
#define PML_ENTRIES	512u
struct ept_pml {
	u64 log;		/* hpa of its page: guest-physical addresses, from the last entry down */
	u16 index;		/* of the next entry; above 511: full */
};

enum ept_result { EPT_OK, EPT_VIOLATION, EPT_MISCONFIG, EPT_LOG_FULL };

struct ept_walk {
	u64 hpa;		/* EPT_OK: of the byte at gpa */
	u64 rwx;		/* AND of what the entries met allow */
	u64 entry;		/* the last one met: of a violation, what says whether it is #VE */
	u8 level;		/* its level, 0 = 4K */
};

/*
 * ept_access - a guest on @t's LP reads, writes or fetches at @gpa
 * @how: EPT_READ, EPT_WRITE or EPT_EXEC
 *
 * A translation whose page is gone is the violation stale-tlb; the walk takes a step an entry,
 * and one more where a bit has to be set. After anything but EPT_OK nothing is cached of @gpa.
 */
enum ept_result ept_access(struct tlb *t, const struct ept *e, u64 gpa, u64 how,
			   struct ept_walk *w);

/*
 * ept_walk - the walk alone, from the table at @table whose entries are of @level; fills the
 * caches. What a TLB said has been looked at.
 */
enum ept_result ept_walk(struct tlb *t, const struct ept *e, u64 gpa, u64 how, u64 table,
			 u8 level, struct ept_walk *w);

/* ept_misconfigured - @entry of @level is one that the processor refuses to walk through */
bool ept_misconfigured(u64 entry, u8 level);
