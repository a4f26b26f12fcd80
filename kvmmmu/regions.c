// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's shared words by name: see regions.h. A pointer is never shown: only whether there is
 * one. The values behind the names are the kernel's, and the same in both backends.
 */
#include "kvmmmu/regions.h"

#define SLOT_INVALID	(1u << 16)	/* KVM_MEMSLOT_INVALID */
#define LIST_POISONED	0x1000	/* LIST_POISON1 is below */
#define PRIVATE_BITS	0x18	/* KVM_MEMORY_ATTRIBUTE_PRIVATE, also as an XArray keeps it */

static const char *mode_class(u64 raw)
{
	static const char *const words[] = { "OUTSIDE", "IN_GUEST", "EXITING", "READING_SPT" };

	return raw < ARRAY_SIZE(words) ? words[raw] : "?";
}

static const char *attribute_class(u64 raw)
{
	return raw & PRIVATE_BITS ? "PRIVATE" : "SHARED";
}

static const char *page_class(u64 raw)
{
	return raw ? "PAGE" : "EMPTY";
}

static const char *slot_class(u64 raw)
{
	return raw & SLOT_INVALID ? "INVALID" : "VALID";
}

/* Not where it points to: whether it is on a list */
static const char *list_class(u64 raw)
{
	return raw >= LIST_POISONED ? "LISTED" : "OFF";
}

static const char *vcpu_state_class(u64 raw)
{
	return raw ? "INITIALIZED" : "UNINITIALIZED";
}

static const char *td_state_class(u64 raw)
{
	static const char *const words[] = { "UNINITIALIZED", "INITIALIZED", "RUNNABLE" };

	return raw < ARRAY_SIZE(words) ? words[raw] : "?";
}

const struct region_type kvm_region_types[KVM_REGIONS] = {
	[KVM_REGION_MODE] = { .name = "vcpu.mode", .class = mode_class, .indexed = true },
	[KVM_REGION_CPU] = { .name = "vcpu.cpu", .indexed = true },
	[KVM_REGION_REQUESTS] = { .name = "vcpu.requests", .indexed = true },
	[KVM_REGION_CPU_LIST] = { .name = "vcpu.cpu_list", .class = list_class, .indexed = true },
	[KVM_REGION_TDX_STATE] = { .name = "vcpu.tdx_state", .class = vcpu_state_class, .indexed = true },
	[KVM_REGION_ONLINE_VCPUS] = { .name = "online_vcpus" },
	[KVM_REGION_HKID] = { .name = "hkid" },
	[KVM_REGION_PRE_FAULT] = { .name = "pre_fault_allowed" },
	[KVM_REGION_ONLINE] = { .name = "cpu_online", .indexed = true },
	[KVM_REGION_GATE] = { .name = "wait_for_sept_zap" },
	[KVM_REGION_STATE] = { .name = "td_state", .class = td_state_class },
	[KVM_REGION_SEQ] = { .name = "mmu_invalidate_seq" },
	[KVM_REGION_IN_PROGRESS] = { .name = "mmu_invalidate_in_progress" },
	[KVM_REGION_RANGE_START] = { .name = "mmu_invalidate_range_start" },
	[KVM_REGION_RANGE_END] = { .name = "mmu_invalidate_range_end" },
	[KVM_REGION_MEMSLOTS] = { .name = "memslots" },
	[KVM_REGION_BUGGED] = { .name = "vm_bugged" },
	[KVM_REGION_DEAD] = { .name = "vm_dead" },
	[KVM_REGION_INVALID] = { .name = "root.invalid" },
	[KVM_REGION_MIRROR_INVALID] = { .name = "mirror_root.invalid" },
	[KVM_REGION_ROOTS] = { .name = "tdp_mmu_roots", .class = page_class },
	[KVM_REGION_NX_LIST] = { .name = "possible_nx_huge_pages", .class = page_class },
	[KVM_REGION_NX_NR] = { .name = "nx_nr_pages", .indexed = true },
	[KVM_REGION_MN_COUNT] = { .name = "mn_active_invalidate_count" },
	[KVM_REGION_GEN] = { .name = "memslots.generation" },
	[KVM_REGION_USER_PAGES] = { .name = "user", .class = page_class, .indexed = true },
	[KVM_REGION_ATTRIBUTES] = { .name = "attributes", .class = attribute_class, .indexed = true },
	[KVM_REGION_GMEM] = { .name = "gmem", .class = page_class, .indexed = true },
	[KVM_REGION_DIRTY_BITMAP] = { .name = "dirty_bitmap", .indexed = true },
	[KVM_REGION_SLOT_FLAGS] = { .name = "memslot", .class = slot_class, .indexed = true },
};
