/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Mirror SPTE encodings, what the mirror logic tests of them. Rests on
 * arch/x86/kvm/mmu/spte.[ch] of v6.16 and v7.2 (docs/model.md, "Encodings").
 */
#include "kvmmmu/kmmu.h"
#include "sim/engine/region.h"

#define SPTE_SUPPRESS_VE	BIT_ULL(63)
#define SHADOW_NONPRESENT_VALUE	SPTE_SUPPRESS_VE
#define FROZEN_SPTE_V6_16	(SPTE_SUPPRESS_VE | 0x5a0)
#define FROZEN_SPTE_V7_2	(SPTE_SUPPRESS_VE | 0x1a0)
#define SPTE_MMU_PRESENT_MASK	BIT_ULL(11)
#define SPTE_RWX		7ull
#define SPTE_WRITABLE		2ull
#define SPTE_MEMTYPE_WB		(6ull << 3)
#define SPTE_MEMTYPE_MASK	(7ull << 3)
#define SPTE_IGNORE_PAT		BIT_ULL(6)
#define PT_PAGE_SIZE_MASK	BIT_ULL(7)
#define SPTE_ACCESSED		BIT_ULL(8)
#define SPTE_DIRTY		BIT_ULL(9)
#define SPTE_PA_MASK		GENMASK_ULL(51, 12)

struct spte_layout {
	u64 frozen, host_writable, mmu_writable, ad_mask;
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

u64 make_spte(const struct spte_layout *l, u64 hpa, u8 level);	/* a TD's leaf: RWX, A, D */
u64 make_nonleaf_spte(u64 child_hpa);
bool spte_needs_atomic_write(const struct spte_layout *l, u64 spte, u8 level);

/* What a raw value is, without its level: a leaf has a memory type, a table has none. */
enum mirror_class mirror_class_of(u64 raw);
const char *mirror_class_name(enum mirror_class c);

extern const struct region_type mirror_region;
