// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty log of a memslot: a bitmap that faults and the processor's page-modification log
 * fill, and that user space reads, clearing it or not, with the entries protected again. Rests on
 * virt/kvm/kvm_main.c (kvm_get_dirty_log_protect(), kvm_clear_dirty_log_protect(),
 * mark_page_dirty_in_slot()), arch/x86/kvm/mmu/mmu.c (kvm_arch_mmu_enable_log_dirty_pt_masked()
 * and below) and arch/x86/kvm/x86.c (kvm_mmu_slot_apply_flags()) of v7.2. There is no dirty ring.
 *
 * Beside it, not Linux's, which pages the guest has written that user space has no copy of: it
 * copies what the log reports, behind the return of the call that did.
 */
#include "kvmmmu/own/dirty_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/mmu.h"
#include "kvmmmu/own/regions.h"
#include "kvmmmu/own/vt.h"
#include "sim/engine/check.h"
#include "sim/engine/lp.h"
#include "sim/engine/mem.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

static u64 words(const struct kvm_memory_slot *slot)
{
	return (slot->npages + 63) / 64;
}

static u64 *dirty_word(const struct kvm_memory_slot *slot, u64 i)
{
	return slot->dirty_bitmap + i;
}

/* --- the bitmap ------------------------------------------------------------------------- */

/* kvm_alloc_dirty_bitmap(), at kvm_prepare_memory_region(): nobody sees the slot yet */
void kvm_alloc_dirty_bitmap(struct kvm *kvm, struct kvm_memory_slot *slot)
{
	u64 n = words(slot), i;

	world_set(slot->dirty_bitmap, (u64 *)world_alloc(n * sizeof(u64)));
	world_set(slot->told, (u64 *)world_alloc(n * sizeof(u64)));
	world_set(slot->unsaved, (u8 *)world_alloc(slot->npages));
	kvm_dirty_region(kvm, slot, (u32)n);
	if (!(kvm->manual_dirty_log_protect & KVM_DIRTY_LOG_INITIALLY_SET))
		return;
	for (i = 0; i < slot->npages; i++)
		world_set(slot->dirty_bitmap[i / 64], slot->dirty_bitmap[i / 64] |
						      BIT_ULL(i % 64));
}

/* A slot that takes another's place takes its bitmap, too; @from is not published any more */
void kvm_inherit_dirty_bitmap(struct kvm *kvm, struct kvm_memory_slot *slot,
			      const struct kvm_memory_slot *from)
{
	if (!from->dirty_bitmap)
		return;
	world_set(slot->dirty_bitmap, from->dirty_bitmap);
	world_set(slot->told, from->told);
	world_set(slot->unsaved, from->unsaved);
	kvm_forget_region(slot->dirty_bitmap);
	kvm_dirty_region(kvm, slot, (u32)words(slot));
}

void kvm_destroy_dirty_bitmap(struct kvm_memory_slot *slot)
{
	if (!slot->dirty_bitmap)
		return;
	kvm_forget_region(slot->dirty_bitmap);
	world_free(slot->dirty_bitmap, words(slot) * sizeof(u64));
	world_free(slot->told, words(slot) * sizeof(u64));
	world_free(slot->unsaved, slot->npages);
}

/* Flags do not change in a slot's life: no step */
static bool kvm_slot_dirty_track_enabled(const struct kvm_memory_slot *slot)
{
	return mem_peek32(&slot->flags) & KVM_MEM_LOG_DIRTY_PAGES;
}

void mark_page_dirty_in_slot(const struct kvm_memory_slot *slot, u64 gfn)
{
	u64 rel = gfn - slot->base_gfn;

	if (kvm_slot_dirty_track_enabled(slot))
		mem_set_bit64(dirty_word(slot, rel / 64), rel % 64);
}

void kvm_vcpu_mark_page_dirty(struct kvm_vcpu *vcpu, u64 gfn)
{
	const struct kvm_memory_slot *slot = kvm_vcpu_gfn_to_memslot(vcpu, gfn);

	if (slot)
		mark_page_dirty_in_slot(slot, gfn);
}

/* --- protecting what the log is to see next ------------------------------------------------- */

static void kvm_mmu_slot_gfn_write_protect(struct kvm *kvm, u64 gfn, u8 min_level)
{
	kvm_tdp_mmu_write_protect_gfn(kvm, gfn, min_level);
}

/* kvm_mmu_clear_dirty_pt_masked() with PML, kvm_mmu_write_protect_pt_masked() without */
static void clear_pt_masked(struct kvm *kvm, u64 gfn, u64 mask)
{
	kvm_tdp_mmu_clear_dirty_pt_masked(kvm, gfn, mask, !kvm->cpu_dirty_log_size);
}

/*
 * kvm_arch_mmu_enable_log_dirty_pt_masked() - @mask of the 64 pages from @offset in @slot. Where
 * the log was set at first nothing is protected yet, so that huge pages are split, or
 * write-protected to be split by a fault. mmu_lock held for write
 */
static void enable_log_dirty_pt_masked(struct kvm *kvm, const struct kvm_memory_slot *slot,
				       u64 offset, u64 mask)
{
	u64 from = slot->base_gfn + offset;
	u64 start = from + (u64)__builtin_ctzll(mask), end = from + 63 - (u64)__builtin_clzll(mask);

	if (kvm->manual_dirty_log_protect & KVM_DIRTY_LOG_INITIALLY_SET) {
		kvm_tdp_mmu_try_split_huge_pages(kvm, start, end + 1, PG_LEVEL_4K, false);
		kvm_mmu_slot_gfn_write_protect(kvm, start, PG_LEVEL_2M);
		if (gfn_round_for_level(start, PG_LEVEL_2M) != gfn_round_for_level(end, PG_LEVEL_2M))
			kvm_mmu_slot_gfn_write_protect(kvm, end, PG_LEVEL_2M);
	}
	clear_pt_masked(kvm, from, mask);
}

/* kvm_mmu_slot_try_split_huge_pages() */
static void slot_try_split_huge_pages(struct kvm *kvm, const struct kvm_memory_slot *s)
{
	kvm_mmu_lock(kvm, true, 0, 0);
	kvm_tdp_mmu_try_split_huge_pages(kvm, s->base_gfn, s->base_gfn + s->npages, PG_LEVEL_4K,
					 true);
	kvm_mmu_unlock(kvm, true, 0, 0);
}

static void kvm_mmu_slot_leaf_clear_dirty(struct kvm *kvm, const struct kvm_memory_slot *s)
{
	kvm_mmu_lock(kvm, true, 0, 0);
	kvm_tdp_mmu_clear_dirty_slot(kvm, s);
	kvm_mmu_unlock(kvm, true, 0, 0);
}

static void kvm_mmu_slot_remove_write_access(struct kvm *kvm, const struct kvm_memory_slot *s,
					     u8 level)
{
	kvm_mmu_lock(kvm, true, 0, 0);
	kvm_tdp_mmu_wrprot_slot(kvm, s, level);
	kvm_mmu_unlock(kvm, true, 0, 0);
}

/* The first slot that logs, or the last: each vCPU changes its own control before it enters. */
static void kvm_mmu_update_cpu_dirty_logging(struct kvm *kvm, bool enable)
{
	u32 n;

	if (!kvm->cpu_dirty_log_size)
		return;
	n = mem_read32(&kvm->nr_memslots_dirty_logging);
	if ((enable && n == 1) || !n)
		kvm_make_all_cpus_request(kvm, KVM_REQ_UPDATE_CPU_DIRTY_LOGGING);
}

/* kvm_commit_memory_region() */
static void count_logging(struct kvm *kvm, bool log_dirty)
{
	u32 n = mem_read32(&kvm->nr_memslots_dirty_logging);

	mem_write32(&kvm->nr_memslots_dirty_logging, log_dirty ? n + 1 : n - 1);
	kvm_mmu_update_cpu_dirty_logging(kvm, log_dirty);
}

void kvm_dirty_slot_gone(struct kvm *kvm)
{
	count_logging(kvm, false);
}

/*
 * The flush is outside of mmu_lock: nothing goes, and user space has not been told yet that
 * the log is on. A log that is set at first needs none: everything is in it.
 */
void kvm_mmu_slot_apply_flags(struct kvm *kvm, const struct kvm_memory_slot *s, bool log_dirty)
{
	count_logging(kvm, log_dirty);
	if (!log_dirty) {
		kvm_mmu_recover_huge_pages(kvm, s);
		return;
	}
	if (kvm->manual_dirty_log_protect & KVM_DIRTY_LOG_INITIALLY_SET)
		return;
	slot_try_split_huge_pages(kvm, s);
	if (kvm->cpu_dirty_log_size) {
		kvm_mmu_slot_leaf_clear_dirty(kvm, s);
		kvm_mmu_slot_remove_write_access(kvm, s, PG_LEVEL_2M);
	} else {
		kvm_mmu_slot_remove_write_access(kvm, s, PG_LEVEL_4K);
	}
	kvm_flush_remote_tlbs(kvm);	/* kvm_flush_remote_tlbs_memslot() */
}

/* --- user space asks -------------------------------------------------------------------------- */

/*
 * Each exit empties the vCPU's page-modification log into the bitmap. Nobody waits: what is
 * missed is in the next round, and for the last one a VMM has stopped its vCPUs.
 */
static void kvm_arch_sync_dirty_log(struct kvm *kvm)
{
	u32 i, n;

	if (!kvm->cpu_dirty_log_size)
		return;
	n = kvm_online_vcpus(kvm);
	for (i = 0; i < n; i++)
		kvm_vcpu_kick(kvm->vcpus[i]);
}

static struct kvm_memory_slot *slot_that_logs(struct kvm *kvm, u64 gfn)
{
	struct kvm_memory_slot *slot = kvm_gfn_to_memslot(kvm, gfn);

	return slot && slot->dirty_bitmap ? slot : NULL;
}

/* User space copies these pages, now that the call returns. */
static void copied(struct kvm_memory_slot *slot, u64 i, u64 mask)
{
	if (actor_self()->mode & MODE_FREE)
		return;
	for (; mask; mask &= mask - 1) {
		u64 p = i * 64 + (u64)__builtin_ctzll(mask);

		if (p < slot->npages)
			world_set(slot->unsaved[p], 0);
	}
}

/* slots_lock held. Without manual protection: read, clear, protect again, word by word */
static int get_dirty_log(struct kvm *kvm, struct kvm_memory_slot *slot)
{
	u64 i, n = words(slot), mask;
	bool flush = false;

	kvm_arch_sync_dirty_log(kvm);
	if (kvm->manual_dirty_log_protect) {	/* until it clears them it has not copied them */
		for (i = 0; i < n; i++) {
			mask = mem_read64(dirty_word(slot, i));
			world_set(slot->told[i], mask);
		}
		return 0;
	}
	kvm_mmu_lock(kvm, false, 0, 0);
	for (i = 0; i < n; i++) {
		world_set(slot->told[i], 0);
		if (!mem_read64(dirty_word(slot, i)))
			continue;
		flush = true;
		mask = mem_xchg64(dirty_word(slot, i), 0);
		world_set(slot->told[i], mask);
		if (mask)
			enable_log_dirty_pt_masked(kvm, slot, i * 64, mask);
	}
	kvm_mmu_unlock(kvm, false, 0, 0);
	if (flush && !kvm_switch(kvm, SW_DIRTY_LOG_UNFLUSHED))
		kvm_flush_remote_tlbs(kvm);	/* kvm_flush_remote_tlbs_memslot() */
	for (i = 0; i < n; i++)
		copied(slot, i, slot->told[i]);
	return 0;
}

/* kvm_vm_ioctl_get_dirty_log(), kvm_get_dirty_log_protect() */
int kvm_get_dirty_log_protect(struct kvm *kvm, u64 gfn)
{
	struct kvm_memory_slot *slot;
	int r;

	mutex_lock(&kvm->slots_lock);
	slot = slot_that_logs(kvm, gfn);
	r = slot ? get_dirty_log(kvm, slot) : -ENOENT;
	mutex_unlock(&kvm->slots_lock);
	return r;
}

/*
 * Of word @i those of [start, end), a range in the slot, that user space wants cleared: what it
 * was told of, where the log waits for that, else all of them. It copies what it wants cleared.
 */
static u64 clear_mask(const struct kvm *kvm, const struct kvm_memory_slot *slot, u64 i, u64 start,
		      u64 end)
{
	u64 mask = kvm->manual_dirty_log_protect ? slot->told[i] : ~0ull;

	if (start > i * 64)
		mask &= ~0ull << (start - i * 64);
	if (end < i * 64 + 64)
		mask &= ~(~0ull << (end - i * 64));
	return mask;
}

static int clear_dirty_log(struct kvm *kvm, struct kvm_memory_slot *slot, u64 start, u64 end)
{
	u64 first = start / 64, last = (end + 63) / 64, i, mask;
	bool flush = false;

	kvm_arch_sync_dirty_log(kvm);
	kvm_mmu_lock(kvm, false, 0, 0);
	for (i = first; i < last; i++) {
		mask = clear_mask(kvm, slot, i, start, end);
		if (!mask)
			continue;
		mask &= mem_and64(dirty_word(slot, i), ~mask);	/* fetch_andnot() */
		if (!mask)
			continue;
		flush = true;
		enable_log_dirty_pt_masked(kvm, slot, i * 64, mask);
	}
	kvm_mmu_unlock(kvm, false, 0, 0);
	if (flush && !kvm_switch(kvm, SW_DIRTY_LOG_UNFLUSHED))
		kvm_flush_remote_tlbs(kvm);
	for (i = first; i < last; i++)
		copied(slot, i, clear_mask(kvm, slot, i, start, end));
	return 0;
}

/* kvm_vm_ioctl_clear_dirty_log(), kvm_clear_dirty_log_protect(): of what the last call told */
int kvm_clear_dirty_log_protect(struct kvm *kvm, u64 start, u64 end)
{
	struct kvm_memory_slot *slot;
	int r = -EINVAL;

	mutex_lock(&kvm->slots_lock);
	slot = slot_that_logs(kvm, start);
	if (!slot)
		r = -ENOENT;
	else if (end <= slot->base_gfn + slot->npages)
		r = clear_dirty_log(kvm, slot, start - slot->base_gfn, end - slot->base_gfn);
	mutex_unlock(&kvm->slots_lock);
	return r;
}

/* --- what must not be lost ------------------------------------------------------------------ */

/* The guest has written to @gfn: a step of its own, whose write this belongs to */
void dirty_log_written(struct kvm *kvm, u64 gfn)
{
	const struct kvm_memslots *set = &kvm->slots[mem_peek32(&kvm->memslots)];
	u32 i;

	/* Real threads would write it at once */
	if (!mem_peek32(&kvm->nr_memslots_dirty_logging) || (actor_self()->mode & MODE_FREE))
		return;
	for (i = 0; i < KVM_MEM_SLOTS; i++) {
		struct kvm_memory_slot *s = (struct kvm_memory_slot *)set->slot[i];

		if (s && s->unsaved && gfn - s->base_gfn < s->npages)
			world_set(s->unsaved[gfn - s->base_gfn], 1);
	}
}

static bool in_a_pml_buffer(const struct kvm *kvm, u64 gfn)
{
	u32 i, n = mem_peek32(&kvm->online_vcpus);

	for (i = 0; i < n; i++)
		if (vmx_pml_holds(kvm->vcpus[i]->vmx, gfn))
			return true;
	return false;
}

/* When nobody runs any more: is each page that user space has no copy of in the log? */
void dirty_log_check_end(struct kvm *kvm)
{
	const struct kvm_memslots *set = &kvm->slots[mem_peek32(&kvm->memslots)];
	u32 i;
	u64 p;

	for (i = 0; i < KVM_MEM_SLOTS; i++) {
		const struct kvm_memory_slot *s = (const struct kvm_memory_slot *)set->slot[i];

		for (p = 0; s && s->unsaved && p < s->npages; p++) {
			char where[24];
			u64 gfn = s->base_gfn + p;

			if (!s->unsaved[p] ||
			    (mem_peek64(dirty_word(s, p / 64)) >> (p % 64) & 1) ||
			    in_a_pml_buffer(kvm, gfn))
				continue;
			check_fail("dirty-lost", kvm_where(gfn, where, sizeof(where)),
				   "gfn 0x%" PRIx64 " was written behind user space's copy of it, "
				   "and the dirty log does not say so", gfn);
			return;
		}
	}
}
