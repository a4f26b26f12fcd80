// SPDX-License-Identifier: GPL-2.0-only
/*
 * SPTE values. Rests on arch/x86/kvm/mmu/spte.[ch] of v6.16 and v7.2.
 */
#include "kvmmmu/own/spte.h"

#include <inttypes.h>
#include <stdio.h>

const struct spte_layout spte_layout_v6_16 = {
	.frozen = FROZEN_SPTE_V6_16,
	.host_writable = BIT_ULL(57),
	.mmu_writable = BIT_ULL(58),
	.ad_mask = GENMASK_ULL(53, 52),
	.ad_disabled = BIT_ULL(52),
	.exec = SPTE_EXECUTABLE,
	.acc_track_shift = 54,
};

const struct spte_layout spte_layout_v7_2 = {
	.frozen = FROZEN_SPTE_V7_2,
	.host_writable = BIT_ULL(53),
	.mmu_writable = BIT_ULL(55),
	.ad_mask = GENMASK_ULL(61, 60),
	.ad_disabled = BIT_ULL(60),
	.exec = SPTE_EXECUTABLE | SPTE_USER_EXECUTABLE,
	.acc_track_shift = 52,
};

u64 make_spte(const struct spte_layout *l, u64 hpa, u8 level, struct spte_how how)
{
	u64 spte = SPTE_SUPPRESS_VE | SPTE_MMU_PRESENT_MASK | SPTE_MEMTYPE_WB | SPTE_IGNORE_PAT |
		   (hpa & SPTE_PA_MASK) | 1 | (how.ad_disabled ? l->ad_disabled : 0);

	if (how.executable)
		spte |= l->exec;
	spte |= SPTE_ACCESSED;
	if (level > PG_LEVEL_4K)
		spte |= PT_PAGE_SIZE_MASK;
	if (how.writable)
		spte |= l->host_writable | l->mmu_writable | SPTE_WRITABLE | SPTE_DIRTY;
	return how.accessed ? spte : mark_spte_for_access_track(l, spte);
}

static u64 acc_track_saved(const struct spte_layout *l)
{
	return (SPTE_RWX & ~SPTE_WRITABLE) | l->exec;
}

u64 mark_spte_for_access_track(const struct spte_layout *l, u64 spte)
{
	if (spte_ad_enabled(l, spte))
		return spte & ~SPTE_ACCESSED;
	if (is_access_track_spte(l, spte))
		return spte;
	spte |= (spte & acc_track_saved(l)) << l->acc_track_shift;
	return spte & ~(SPTE_RWX | l->exec | SPTE_ACCESSED);
}

u64 restore_acc_track_spte(const struct spte_layout *l, u64 spte)
{
	u64 saved = spte >> l->acc_track_shift & acc_track_saved(l);

	return (spte & ~(SPTE_RWX | l->exec | acc_track_saved(l) << l->acc_track_shift)) | saved;
}

u64 make_nonleaf_spte(const struct spte_layout *l, u64 child_hpa, bool ad_disabled)
{
	return SPTE_SUPPRESS_VE | SPTE_MMU_PRESENT_MASK | SPTE_RWX | l->exec |
	       (ad_disabled ? l->ad_disabled : SPTE_ACCESSED) | (child_hpa & SPTE_PA_MASK);
}

/* Of one whose access is tracked, X is among what is kept aside. */
static u64 make_spte_executable(const struct spte_layout *l, u64 spte)
{
	return is_access_track_spte(l, spte) ?
		mark_spte_for_access_track(l, restore_acc_track_spte(l, spte) | l->exec) :
		spte | l->exec;
}

static u64 make_spte_nonexecutable(const struct spte_layout *l, u64 spte)
{
	return is_access_track_spte(l, spte) ?
		mark_spte_for_access_track(l, restore_acc_track_spte(l, spte) & ~l->exec) :
		spte & ~l->exec;
}

u64 make_small_spte(const struct spte_layout *l, u64 huge_spte, u8 level, u32 index,
		    bool nx_huge_pages)
{
	u64 spte = huge_spte + ((u64)index << (PAGE_SHIFT + 9 * (level - 1)));

	if (level == PG_LEVEL_4K) {
		spte &= ~PT_PAGE_SIZE_MASK;
		if (nx_huge_pages)
			spte = make_spte_executable(l, spte);
	}
	return spte;
}

u64 make_huge_spte(const struct spte_layout *l, u64 small_spte, u8 level, bool nx_huge_pages)
{
	u64 spte = small_spte | PT_PAGE_SIZE_MASK;

	spte &= ~(((1ull << (9 * (level - 1))) - 1) << PAGE_SHIFT);
	return nx_huge_pages ? make_spte_nonexecutable(l, spte) : spte;
}

/* kvm_mmu_set_mmio_spte_mask() and, of a TD, kvm_mmu_set_mmio_spte_value() */
#define MMIO_VALUE	6ull
#define MMIO_MASK	(SPTE_SUPPRESS_VE | SPTE_RWX)

u64 make_mmio_spte(bool td, u64 gfn, u32 generation)
{
	return (td ? 0 : MMIO_VALUE) | (u64)(generation & 0xff) << 3 |
	       (gfn << PAGE_SHIFT & SPTE_PA_MASK);
}

bool is_mmio_spte(bool td, u64 spte)
{
	return (spte & MMIO_MASK) == (td ? 0 : MMIO_VALUE);
}

/*
 * kvm_tdp_mmu_spte_need_atomic_update(), with spte_needs_atomic_update() in it; A/D kind 0 is
 * "enabled"
 */
bool spte_needs_atomic_update(const struct spte_layout *l, u64 spte, u8 level)
{
	bool w = spte & SPTE_WRITABLE;

	if (!is_shadow_present_pte(spte) || !is_last_spte(spte, level))
		return false;
	return (!w && (spte & l->mmu_writable)) || (spte & l->ad_mask) ||
	       (w && !(spte & SPTE_DIRTY));	/* of ad_mask only "disabled" is there */
}

enum mirror_class mirror_class_of(u64 raw)
{
	if (is_frozen_spte(raw))
		return MIRROR_FROZEN;
	if (raw == SHADOW_NONPRESENT_VALUE)
		return MIRROR_NONPRESENT;
	if (!is_shadow_present_pte(raw))
		return raw & SPTE_SUPPRESS_VE ? MIRROR_OTHER : MIRROR_MMIO;
	return raw & SPTE_MEMTYPE_MASK ? MIRROR_LEAF : MIRROR_TABLE;
}

const char *mirror_class_name(enum mirror_class c)
{
	static const char *const names[] = {
		[MIRROR_NONPRESENT] = "NONPRESENT",
		[MIRROR_FROZEN] = "FROZEN",
		[MIRROR_LEAF] = "PRESENT",
		[MIRROR_TABLE] = "TABLE",
		[MIRROR_MMIO] = "MMIO",
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

const struct region_type direct_region = {
	.name = "direct",
	.class = region_class,
	.describe = region_describe,
	.indexed = true,
};

const struct region_type mirror_region = {
	.name = "mirror",
	.class = region_class,
	.describe = region_describe,
	.indexed = true,
};
