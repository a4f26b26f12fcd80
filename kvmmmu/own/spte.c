// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mirror SPTE values. Rests on arch/x86/kvm/mmu/spte.[ch] of v6.16 and v7.2.
 */
#include "kvmmmu/own/spte.h"

#include <inttypes.h>
#include <stdio.h>

const struct spte_layout spte_layout_v6_16 = {
	.frozen = FROZEN_SPTE_V6_16,
	.host_writable = BIT_ULL(57),
	.mmu_writable = BIT_ULL(58),
	.ad_mask = GENMASK_ULL(53, 52),
};

const struct spte_layout spte_layout_v7_2 = {
	.frozen = FROZEN_SPTE_V7_2,
	.host_writable = BIT_ULL(53),
	.mmu_writable = BIT_ULL(55),
	.ad_mask = GENMASK_ULL(61, 60),
};

u64 make_spte(const struct spte_layout *l, u64 hpa, u8 level)
{
	return SPTE_SUPPRESS_VE | SPTE_MMU_PRESENT_MASK | SPTE_RWX | SPTE_MEMTYPE_WB |
	       SPTE_IGNORE_PAT | SPTE_ACCESSED | SPTE_DIRTY | l->host_writable | l->mmu_writable |
	       (level > 1 ? PT_PAGE_SIZE_MASK : 0) | (hpa & SPTE_PA_MASK);
}

u64 make_nonleaf_spte(u64 child_hpa)
{
	return SPTE_SUPPRESS_VE | SPTE_MMU_PRESENT_MASK | SPTE_RWX | SPTE_ACCESSED |
	       (child_hpa & SPTE_PA_MASK);
}

/* tdp_mmu_spte_need_atomic_write(); A/D kind 0 is "enabled" */
bool spte_needs_atomic_write(const struct spte_layout *l, u64 spte, u8 level)
{
	bool w = spte & SPTE_WRITABLE;

	if (!is_shadow_present_pte(spte) || !is_last_spte(spte, level))
		return false;
	return (!w && (spte & l->mmu_writable)) || (spte & l->ad_mask) ||
	       (w && !(spte & SPTE_DIRTY));
}

enum mirror_class mirror_class_of(u64 raw)
{
	if (is_frozen_spte(raw))
		return MIRROR_FROZEN;
	if (raw == SHADOW_NONPRESENT_VALUE)
		return MIRROR_NONPRESENT;
	if (!is_shadow_present_pte(raw))
		return MIRROR_OTHER;
	return raw & SPTE_MEMTYPE_MASK ? MIRROR_LEAF : MIRROR_TABLE;
}

const char *mirror_class_name(enum mirror_class c)
{
	static const char *const names[] = {
		[MIRROR_NONPRESENT] = "NONPRESENT",
		[MIRROR_FROZEN] = "FROZEN",
		[MIRROR_LEAF] = "PRESENT",
		[MIRROR_TABLE] = "TABLE",
		[MIRROR_OTHER] = "OTHER",
	};

	return names[c];
}

static const char *region_class(u64 raw)
{
	return mirror_class_name(mirror_class_of(raw));
}

static void region_describe(u64 raw, char *buf, size_t n)
{
	enum mirror_class c = mirror_class_of(raw);

	if (c == MIRROR_LEAF || c == MIRROR_TABLE)
		snprintf(buf, n, "%s pfn 0x%" PRIx64, mirror_class_name(c), spte_to_pa(raw) >> 12);
	else if (c == MIRROR_OTHER)
		snprintf(buf, n, "OTHER 0x%" PRIx64, raw);
	else
		snprintf(buf, n, "%s", mirror_class_name(c));
}

const struct region_type mirror_region = {
	.name = "mirror",
	.class = region_class,
	.describe = region_describe,
	.indexed = true,
};
