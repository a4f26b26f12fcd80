/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * SPTE encodings of mirror and direct trees, what the MMU tests of them. Rests on
 * arch/x86/kvm/mmu/spte.[ch] of v6.16 and v7.2 (docs/model.md, "Encodings").
 */
#include "kvmmmu/own/kvm_host.h"
#include "sim/engine/region.h"

#define SPTE_SUPPRESS_VE	BIT_ULL(63)
#define SHADOW_NONPRESENT_VALUE	SPTE_SUPPRESS_VE
#define FROZEN_SPTE_V6_16	(SPTE_SUPPRESS_VE | 0x5a0)
#define FROZEN_SPTE_V7_2	(SPTE_SUPPRESS_VE | 0x1a0)
#define SPTE_MMU_PRESENT_MASK	BIT_ULL(11)
#define SPTE_RWX		7ull
#define SPTE_WRITABLE		2ull
#define SPTE_EXECUTABLE		4ull
#define SPTE_MEMTYPE_WB		(6ull << 3)
#define SPTE_MEMTYPE_MASK	(7ull << 3)
#define SPTE_IGNORE_PAT		BIT_ULL(6)
#define PT_PAGE_SIZE_MASK	BIT_ULL(7)
#define SPTE_ACCESSED		BIT_ULL(8)
#define SPTE_DIRTY		BIT_ULL(9)
#define SPTE_USER_EXECUTABLE	BIT_ULL(10)
#define SPTE_PA_MASK		GENMASK_ULL(51, 12)

struct spte_layout {
	u64 frozen, host_writable, mmu_writable, ad_mask;
	u64 ad_disabled;	/* of ad_mask: KVM keeps A and D by itself */
	u64 exec;		/* X; with MBEC's bit of user mode, which goes with it, from v7.2 on */
	u8 acc_track_shift;	/* by how much R and X of an access-tracked leaf are moved */
};

extern const struct spte_layout spte_layout_v6_16, spte_layout_v7_2;

static inline bool is_frozen_spte(u64 spte)
{
	return spte == FROZEN_SPTE_V7_2 || spte == FROZEN_SPTE_V6_16;
}

static inline bool is_shadow_present_pte(u64 spte)
{
	return spte & SPTE_MMU_PRESENT_MASK;
}

static inline bool is_last_spte(u64 spte, u8 level)
{
	return level == 1 || (spte & PT_PAGE_SIZE_MASK);
}

static inline u64 spte_to_pa(u64 spte)
{
	return spte & SPTE_PA_MASK;
}

static inline bool is_large_pte(u64 spte)
{
	return spte & PT_PAGE_SIZE_MASK;
}

static inline bool is_writable_pte(u64 spte)
{
	return spte & SPTE_WRITABLE;
}

/* make_spte - a leaf; what it allows and what it says to be so already */
struct spte_how {
	bool ad_disabled;	/* role.ad_disabled */
	bool writable;		/* the host page is: W, MMU-writable, D */
	bool executable;
	bool accessed;		/* not of a prefetch */
};

/* Of a present leaf */
static inline bool is_accessed_spte(u64 spte)
{
	return spte & SPTE_ACCESSED;
}

static inline bool spte_ad_enabled(const struct spte_layout *l, u64 spte)
{
	return (spte & l->ad_mask) != l->ad_disabled;
}

static inline bool is_access_track_spte(const struct spte_layout *l, u64 spte)
{
	return !spte_ad_enabled(l, spte) && !(spte & (SPTE_RWX | l->exec));
}

/*
 * mark_spte_for_access_track - it is old; without A/D bits it is no access any more, R and X kept
 * aside (W is what MMU-writable says). restore_acc_track_spte - R and X are back
 */
u64 mark_spte_for_access_track(const struct spte_layout *l, u64 spte);
u64 restore_acc_track_spte(const struct spte_layout *l, u64 spte);

u64 make_spte(const struct spte_layout *l, u64 hpa, u8 level, struct spte_how how);
u64 make_nonleaf_spte(const struct spte_layout *l, u64 child_hpa, bool ad_disabled);
/* make_small_spte - entry @index of the table that replaces @huge_spte, entries of @level */
u64 make_small_spte(const struct spte_layout *l, u64 huge_spte, u8 level, u32 index,
		    bool nx_huge_pages);
/* make_huge_spte - the leaf of @level that @small_spte is the first part of */
u64 make_huge_spte(const struct spte_layout *l, u64 small_spte, u8 level, bool nx_huge_pages);

/*
 * MMIO: never present, bit 63 clear. With RWX 6 (misconfigured) in a VM without TDX; a TD's
 * has RWX 0, so that the access is #VE. The memslots' generation is bits 10:3.
 */
u64 make_mmio_spte(bool td, u64 gfn, u32 generation);
bool is_mmio_spte(bool td, u64 spte);
static inline u32 get_mmio_spte_generation(u64 spte)
{
	return spte >> 3 & 0xff;
}

bool spte_needs_atomic_update(const struct spte_layout *l, u64 spte, u8 level);

/* What a raw value is, without its level: a leaf has a memory type, a table has none. */
enum mirror_class mirror_class_of(u64 raw);
const char *mirror_class_name(enum mirror_class c);

extern const struct region_type mirror_region, direct_region;
