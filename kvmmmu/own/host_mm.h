/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * User space's memory behind a memslot, as far as KVM meets it: pages that fault in, huge
 * ones among them, pages that go after the mmu_notifiers were told. Rests on mm/gup.c,
 * mm/memory.c, mm/huge_memory.c and virt/kvm/kvm_main.c of v7.2; docs/model.md, K18.
 */
#include "kvmmmu/own/kvm_host.h"

enum host_pmd { PMD_NONE, PMD_TABLE, PMD_HUGE };

/*
 * kvm_faultin_pfn - the page behind @gfn, which is in @slot, faulted in if there is none; the
 * caller gets a reference. NULL: user space has no memory there.
 */
struct folio *kvm_faultin_pfn(struct kvm *kvm, const struct kvm_memory_slot *slot, u64 gfn,
			      u64 *hpa);
/* host_pfn_mapping_level - how user space maps it, now. mmu_lock held, no invalidation running */
u8 host_pfn_mapping_level(struct kvm *kvm, const struct kvm_memory_slot *slot, u64 gfn);

/*
 * host_zap_page_range - user space gives [@start, @end) of its pages back, or reclaim takes
 * them: notifiers before, page tables, notifiers after, then the pages. Sleeps.
 */
void host_zap_page_range(struct kvm *kvm, u64 start, u64 end);
/* host_age_page_range - clear_flush_young of the same; is one of them young? */
bool host_age_page_range(struct kvm *kvm, u64 start, u64 end);

/*
 * host_mm_exit - the process is gone: kvm_mmu_notifier_release() zaps what is direct, then the
 * pages go. Sleeps
 */
void host_mm_exit(struct kvm *kvm);
