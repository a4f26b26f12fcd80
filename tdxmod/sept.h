/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Secure-EPT: the 64 bits of an entry, its 16 states and what is allowed in each, walks.
 * Levels are the module's: 0 = PTE ... 4 = PML5E (regions and observe.h count from 1).
 * Source: TDX_1.5.01, memory_handlers/sept_manager.[ch], auto_gen/sept_state_lookup.c.
 */
#include "sim/engine/types.h"
#include "tdxmod/lock.h"

struct module;
struct tdcs;

enum { LVL_PT, LVL_PD, LVL_PDPT, LVL_PML4, LVL_PML5 };

#define SEPT_RWX	7ull
#define SEPT_MT_WB	(6ull << 3)
#define SEPT_MT		GENMASK_ULL(5, 3)
#define SEPT_IPAT	BIT_ULL(6)
#define SEPT_PS		BIT_ULL(7)	/* leaf, also in a PTE */
#define SEPT_D		BIT_ULL(9)
#define SEPT_HPA	GENMASK_ULL(51, 12)
#define SEPT_TDEX	BIT_ULL(53)
#define SEPT_TDBW	BIT_ULL(54)
#define SEPT_TDB	BIT_ULL(55)
#define SEPT_TDP	BIT_ULL(56)
#define SEPT_SVE	BIT_ULL(63)	/* suppress #VE */
#define SEPT_ACCEPT_COUNTER GENMASK_ULL(20, 12)	/* 4K pages done, in a PENDING 2M leaf */

#define SEPT_STATE_MASK	(SEPT_D | SEPT_IPAT | SEPT_PS | SEPT_TDP | SEPT_TDB | SEPT_TDBW | SEPT_TDEX)

enum sept_state {
	SEPT_FREE,
	SEPT_REMOVED,
	SEPT_NL_MAPPED,
	SEPT_NL_BLOCKED,
	SEPT_MAPPED,
	SEPT_BLOCKED,
	SEPT_BLOCKEDW,
	SEPT_EXPORTED_BLOCKEDW,
	SEPT_EXPORTED_DIRTY,
	SEPT_EXPORTED_DIRTY_BLOCKEDW,
	SEPT_PENDING,
	SEPT_PENDING_BLOCKED,
	SEPT_PENDING_BLOCKEDW,
	SEPT_PENDING_EXPORTED_BLOCKEDW,
	SEPT_PENDING_EXPORTED_DIRTY,
	SEPT_PENDING_EXPORTED_DIRTY_BLOCKEDW,
	SEPT_STATES,
	SEPT_NO_STATE = SEPT_STATES,	/* an encoding that is no state */
};

enum sept_flag {
	SEPT_ANY_BLOCKED = 1 << 0,
	SEPT_ANY_PENDING = 1 << 1,
	SEPT_ACCEPTABLE = 1 << 2,
	SEPT_MAPPED_OR_PENDING = 1 << 3,
	SEPT_NEEDS_TRACKING = 1 << 4,
	SEPT_ACCESSIBLE = 1 << 5,
	SEPT_FULLY_ACCESSIBLE = 1 << 6,
	SEPT_ANY_BLOCKEDW = 1 << 7,
	SEPT_LEAF = 1 << 8,
};

/* Leaves whose use depends on the state; TDH.MEM. left out, TDG.MEM. is G_ */
enum sept_op {
	ON_PAGE_ADD,
	ON_SEPT_ADD,
	ON_PAGE_RELOCATE,
	ON_PAGE_AUG,
	ON_RANGE_BLOCK,
	ON_RD,
	ON_WR,
	ON_PAGE_DEMOTE,
	ON_MR_EXTEND,
	ON_PAGE_PROMOTE,
	ON_SEPT_RD,
	ON_PAGE_REMOVE,
	ON_SEPT_REMOVE,
	ON_RANGE_UNBLOCK,
	ON_EXPORT_BLOCKW,
	ON_EXPORT_RESTORE,
	ON_EXPORT_MEM,
	ON_EXPORT_UNBLOCKW,
	ON_IMPORT_MEM,
	ON_G_PAGE_ACCEPT,
	ON_G_PAGE_ATTR_RD,
	ON_G_PAGE_ATTR_WR,
};

struct sept_state_row {
	const char *name;
	u8 encoding;		/* 7 bits */
	u8 public_state;	/* as RDX reports it */
	u16 flags;		/* enum sept_flag */
	u32 allowed;		/* bit enum sept_op */
};

extern const struct sept_state_row sept_states[SEPT_STATES];

/* sept_state_of - SEPT_NO_STATE if the bits encode none */
enum sept_state sept_state_of(u64 raw);
/* sept_state_bits - the state's bits in an entry */
u64 sept_state_bits(enum sept_state s);

bool sept_is(u64 raw, u32 flag);
bool sept_allows(u64 raw, enum sept_op op);
u8 sept_public_state(u64 raw);
/* sept_column - 0 or 1, of an entry by a column of sept_states.csv; false: it is none of these */
bool sept_column(const char *name, u64 raw, u64 *v);

static inline bool sept_is_leaf(u64 raw)
{
	return raw & SEPT_PS;
}

static inline bool sept_is_state(u64 raw, enum sept_state s)
{
	return (raw & SEPT_STATE_MASK) == sept_state_bits(s);
}

#define SEPT_FREE_INIT	0x80e0000000000000ull	/* FREE, SVE */

/* Values that a whole-entry store writes */
u64 sept_make_leaf(u64 rwx, u64 hpa, enum sept_state s);
u64 sept_make_table(u64 hpa);		/* NL_MAPPED, TDEL still set: SEPT.ADD keeps the lock */
u64 sept_make_blocked(u64 copy, u8 level);
u64 sept_make_unblocked(u64 copy);
u64 sept_clean_pending(u64 copy, u8 level);	/* leftover ACCEPT_COUNTER of a 2M leaf */

/* sept_leaf_hpa - page that @raw maps at @gpa's place; level of @raw */
u64 sept_leaf_hpa(u64 raw, u64 gpa, u8 level);

/* sept_arch - RCX and RDX as flows report an entry; helpers.c:set_arch_septe_details_in_vmm_regs */
void sept_arch(u64 raw, u8 level, u64 *rcx, u64 *rdx);

static inline u64 level_size(u8 level)
{
	return 4096ull << (9 * level);
}

static inline u32 sept_index(u64 gpa, u8 level)
{
	return gpa >> (12 + 9 * level) & 511;
}

struct sept_walk {
	u64 *entry;
	u64 copy;	/* as read by the walk */
	u8 level;	/* where it ended */
};

/*
 * sept_walk - from the root towards @to; a step a level. Ends at @to, or above it at an
 * entry that is not present or a leaf. Takes no lock. (secure_ept_walk)
 */
void sept_walk(const struct tdcs *tdcs, u64 gpa, u8 to, struct sept_walk *w);

/*
 * sept_write - the holder of the entry's lock replaces all 64 bits: in 1.5.01 a plain store,
 * which loses a TDHP that a host has set meanwhile; with switch S5 a CAS that keeps it
 */
void sept_write(const struct module *mod, u64 *entry, u64 value);

/* sept_page_init - 512 FREE entries, and their names; sept_page_gone - forget the names */
void sept_page_fill(u64 hpa);	/* all entries FREE; no names */
void sept_page_init(u64 hpa, const char *owner, u64 gpa, u8 level);
void sept_page_regions(u64 hpa, const char *owner, u64 gpa, u8 level);
void sept_page_gone(u64 hpa);

/* sept_peek_walk - without steps, through blocked tables too; false if it leaves memory */
bool sept_peek_walk(const struct tdcs *tdcs, u64 gpa, u8 to, struct sept_walk *w);
