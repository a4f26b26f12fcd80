// SPDX-License-Identifier: GPL-2.0-only
/*
 * User space's memory. One page of its page tables is a struct gfn_chunk: pmd says whether
 * the 512 pages are one huge page to whoever looks (their frames are consecutive then), and
 * each has its own struct folio either way, so that a reference to one keeps that one.
 * Rests on mm/gup.c (a lockless look, then a second one), mm/memory.c (zap_page_range_single():
 * notifiers, entries, notifiers, pages), mm/huge_memory.c (a huge page that is zapped in part
 * is split first, with notifiers of its own).
 */
#include "kvmmmu/own/host_mm.h"

#include "kvmmmu/own/guest_memfd.h"
#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/tdp_mmu.h"
#include "sim/engine/clock.h"
#include "sim/engine/mem.h"
#include "sim/engine/task.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

static u64 *host_ptep(struct kvm *kvm, u64 page)
{
	return &gfn_chunk(kvm, page)->pte[page % CHUNK_GFNS];
}

static u64 page_of_gfn(const struct kvm_memory_slot *slot, u64 gfn)
{
	return slot->hva + (gfn - slot->base_gfn);
}

/* --- faulting in: hva_to_pfn() ----------------------------------------------------------- */

/* gup_fast(): a reference to what the entry names, if it still does */
static struct folio *gup_fast(struct kvm *kvm, u64 page)
{
	struct folio *f;

	rcu_read_lock();	/* interrupts are off there: the page tables stay */
	for (;;) {
		f = (struct folio *)mem_read64(host_ptep(kvm, page));
		if (!f)
			break;
		if (!refcount_inc_not_zero(&f->ref))
			continue;
		if (mem_read64(host_ptep(kvm, page)) == (u64)f)
			break;
		folio_put(f);
	}
	rcu_read_unlock();
	return f;
}

static void remember(struct kvm *kvm, u64 page, u64 hpa)
{
	world_set(gfn_chunk(kvm, page)->last_host_hpa[page % CHUNK_GFNS], hpa | 1);
}

/* do_anonymous_page(): somebody may be quicker */
static void fault_small(struct kvm *kvm, u64 page)
{
	struct folio *f = folio_new(kvm, page, page_alloc_guest());

	mem_cmpxchg32(&gfn_chunk(kvm, page)->pmd, PMD_NONE, PMD_TABLE);
	if (mem_cmpxchg64(host_ptep(kvm, page), 0, (u64)f)) {
		folio_put(f);
		return;
	}
	remember(kvm, page, f->hpa);
}

/* do_huge_pmd_anonymous_page(): false if the range cannot be huge, or somebody was quicker */
static bool fault_huge(struct kvm *kvm, u64 page)
{
	struct gfn_chunk *c = gfn_chunk(kvm, page);
	u64 first = page & ~(u64)(CHUNK_GFNS - 1), hpa;
	u32 i;

	if (kvm->max_level < PG_LEVEL_2M || first + CHUNK_GFNS > kvm->gfns)
		return false;
	if (mem_cmpxchg32(&c->pmd, PMD_NONE, PMD_TABLE) != PMD_NONE)
		return false;
	hpa = page_alloc_2m();
	for (i = 0; i < CHUNK_GFNS; i++) {
		struct folio *f = folio_new(kvm, first + i, hpa + i * PAGE_SIZE);

		world_set(c->pte[i], (u64)f);	/* raw: published by the pmd below */
		remember(kvm, first + i, f->hpa);
	}
	mem_write32(&c->pmd, PMD_HUGE);
	return true;
}

struct folio *kvm_faultin_pfn(struct kvm *kvm, const struct kvm_memory_slot *slot, u64 gfn,
			      u64 *hpa)
{
	u64 page = page_of_gfn(slot, gfn);
	struct folio *f;

	for (;;) {
		f = gup_fast(kvm, page);
		if (f)
			break;
		if (!fault_huge(kvm, page))
			fault_small(kvm, page);
	}
	*hpa = f->hpa;
	return f;
}

u8 host_pfn_mapping_level(struct kvm *kvm, const struct kvm_memory_slot *slot, u64 gfn)
{
	if ((slot->base_gfn ^ slot->hva) & (CHUNK_GFNS - 1))
		return PG_LEVEL_4K;	/* no huge page lines up with a gfn's */
	return mem_read32(&gfn_chunk(kvm, page_of_gfn(slot, gfn))->pmd) == PMD_HUGE ?
	       PG_LEVEL_2M : PG_LEVEL_4K;
}

/* --- giving back ------------------------------------------------------------------------- */

/* __split_huge_pmd(): the frames stay, but KVM must not think any more that they are one page */
static void split_huge_pmd(struct kvm *kvm, u64 page)
{
	struct gfn_chunk *c = gfn_chunk(kvm, page);
	u64 first = page & ~(u64)(CHUNK_GFNS - 1);

	if (mem_read32(&c->pmd) != PMD_HUGE)
		return;
	kvm_mmu_notifier_invalidate_range_start(kvm, first, first + CHUNK_GFNS);
	mem_cmpxchg32(&c->pmd, PMD_HUGE, PMD_TABLE);
	kvm_mmu_notifier_invalidate_range_end(kvm, first, first + CHUNK_GFNS);
}

/* Entries first, all of them; the pages are freed behind the notifiers' end. */
static u64 clear_one(struct kvm *kvm, u64 page, u64 list)
{
	struct gfn_chunk *c = gfn_chunk(kvm, page);
	struct folio *f = (struct folio *)mem_xchg64(&c->pte[page % CHUNK_GFNS], 0);

	if (!f)
		return list;
	world_set(f->next, list);
	return (u64)f;
}

static u64 clear_range(struct kvm *kvm, u64 start, u64 end)
{
	u64 list = 0, page;

	for (page = start; page < end; page++) {
		bool whole = page % CHUNK_GFNS == 0 && page + CHUNK_GFNS <= end;

		if (page == start || page % CHUNK_GFNS == 0) {
			if (!whole)
				split_huge_pmd(kvm, page);
			else
				mem_cmpxchg32(&gfn_chunk(kvm, page)->pmd, PMD_HUGE, PMD_TABLE);
		}
		list = clear_one(kvm, page, list);
		if (whole)
			continue;
		cond_resched();
	}
	return list;
}

/* An emptied table goes, so that the range can be huge again (a THP fault wants pmd_none()). */
static void free_tables(struct kvm *kvm, u64 start, u64 end)
{
	u64 page;

	for (page = start; page % CHUNK_GFNS == 0 && page + CHUNK_GFNS <= end; page += CHUNK_GFNS)
		mem_cmpxchg32(&gfn_chunk(kvm, page)->pmd, PMD_TABLE, PMD_NONE);
}

void host_zap_page_range(struct kvm *kvm, u64 start, u64 end)
{
	u64 list;

	trace_call("host_zap_page_range", start);
	kvm_mmu_notifier_invalidate_range_start(kvm, start, end);
	list = clear_range(kvm, start, end);
	free_tables(kvm, start, end);
	kvm_mmu_notifier_invalidate_range_end(kvm, start, end);
	while (list) {		/* tlb_finish_mmu() */
		struct folio *f = (struct folio *)list;

		list = f->next;
		folio_put(f);
	}
	trace_return("host_zap_page_range", start, 0);
}

bool host_age_page_range(struct kvm *kvm, u64 start, u64 end)
{
	return kvm_mmu_notifier_clear_flush_young(kvm, start, end);
}

void host_mm_exit(struct kvm *kvm)
{
	u64 page;
	int idx;

	idx = srcu_read_lock(&kvm->srcu);	/* kvm_mmu_notifier_release() */
	kvm_mmu_lock(kvm, false, 0, 0);		/* kvm_mmu_zap_all(); nobody runs: no flush */
	kvm_tdp_mmu_zap_all(kvm);
	kvm_mmu_unlock(kvm, false, 0, 0);
	srcu_read_unlock(&kvm->srcu, idx);
	for (page = 0; page < kvm->gfns; page++) {
		u64 *ptep = host_ptep(kvm, page);

		if (mem_peek64(ptep))	/* nobody else knows the process: an empty one is passed by */
			folio_put((struct folio *)mem_xchg64(ptep, 0));
	}
}
