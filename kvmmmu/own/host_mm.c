// SPDX-License-Identifier: GPL-2.0-only
/*
 * User space's memory. One page of its page tables is a struct gfn_chunk: pmd says whether
 * the 512 pages are one huge page to whoever looks (their frames are consecutive then), and
 * each has its own struct folio either way, so that a reference to one keeps that one. Entries
 * change under page_table_lock, which is Linux's lock of the pmd and that of its table in one.
 * Rests on mm/gup.c (a lockless look, then a second one), mm/memory.c (do_anonymous_page();
 * zap_page_range_single(): notifiers, entries, notifiers, pages; zap_pmd_range()),
 * mm/huge_memory.c (a huge page that is zapped in part is split first, with notifiers of its
 * own).
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

/* Both levels are as they were seen */
static bool gup_unchanged(struct kvm *kvm, u64 page, u32 pmd, const struct folio *f)
{
	if (mem_read32(&gfn_chunk(kvm, page)->pmd) != pmd)
		return false;
	return mem_read64(host_ptep(kvm, page)) == (u64)f;
}

/* gup_fast(): a reference to what the entry names, if it and the one above it still do */
static struct folio *gup_fast(struct kvm *kvm, u64 page)
{
	struct gfn_chunk *c = gfn_chunk(kvm, page);
	struct folio *f = NULL;
	u32 pmd;

	rcu_read_lock();	/* interrupts are off there: the page tables stay */
	for (;;) {
		pmd = mem_read32(&c->pmd);
		if (pmd == PMD_NONE)
			break;
		f = (struct folio *)mem_read64(host_ptep(kvm, page));
		if (!f)
			break;
		if (refcount_inc_not_zero(&f->ref)) {
			if (gup_unchanged(kvm, page, pmd, f))
				break;
			folio_put(f);
		}
		f = NULL;
	}
	rcu_read_unlock();
	return f;
}

/* page_table_lock held */
static void set_pte(struct kvm *kvm, u64 page, struct folio *f)
{
	struct gfn_chunk *c = gfn_chunk(kvm, page);

	mem_write64(&c->pte[page % CHUNK_GFNS], (u64)f);
	world_set(c->last_host_hpa[page % CHUNK_GFNS], f->hpa | LAST_HPA_SET);
}

/* do_anonymous_page(): somebody may be quicker */
static void fault_small(struct kvm *kvm, u64 page)
{
	struct gfn_chunk *c = gfn_chunk(kvm, page);
	struct folio *f = folio_new(kvm, page, page_alloc_guest());
	bool lost;

	sim_charge(COST_PAGE_CLEAR_4K, 1);
	spin_lock(&c->page_table_lock);
	if (mem_read32(&c->pmd) == PMD_NONE)	/* pmd_install() */
		mem_write32(&c->pmd, PMD_TABLE);
	lost = mem_read64(host_ptep(kvm, page));
	if (!lost)
		set_pte(kvm, page, f);
	spin_unlock(&c->page_table_lock);
	if (lost)
		folio_put(f);
}

/*
 * The entries of a huge page: no words of their own in Linux, so no steps. Who looks at one has
 * seen the pmd; real threads may have seen the one before.
 */
static void set_huge(struct kvm *kvm, u64 first, u64 hpa)
{
	struct gfn_chunk *c = gfn_chunk(kvm, first);

	for (u32 i = 0; i < CHUNK_GFNS; i++) {
		struct folio *f = folio_new(kvm, first + i, hpa + i * PAGE_SIZE);

		if (actor_self()->mode & MODE_FREE)
			mem_write64(&c->pte[i], (u64)f);
		else
			world_set(c->pte[i], (u64)f);	/* raw: published by the pmd */
		world_set(c->last_host_hpa[i], f->hpa | LAST_HPA_SET);
	}
	mem_write32(&c->pmd, PMD_HUGE);
}

/* do_huge_pmd_anonymous_page(): false if the range cannot be huge; somebody may be quicker */
static bool fault_huge(struct kvm *kvm, u64 page)
{
	struct gfn_chunk *c = gfn_chunk(kvm, page);
	u64 first = page & ~(u64)(CHUNK_GFNS - 1), hpa;
	bool lost;

	if (kvm->max_level < PG_LEVEL_2M || first + CHUNK_GFNS > kvm->gfns)
		return false;
	if (mem_read32(&c->pmd) != PMD_NONE)
		return false;
	hpa = page_alloc_2m();
	sim_charge(COST_PAGE_CLEAR_4K, CHUNK_GFNS);
	spin_lock(&c->page_table_lock);
	lost = mem_read32(&c->pmd) != PMD_NONE;
	if (!lost)
		set_huge(kvm, first, hpa);
	spin_unlock(&c->page_table_lock);
	for (u32 i = 0; lost && i < CHUNK_GFNS; i++)
		page_free(hpa + i * PAGE_SIZE);
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

	kvm_mmu_notifier_invalidate_range_start(kvm, first, first + CHUNK_GFNS);
	spin_lock(&c->page_table_lock);
	if (mem_read32(&c->pmd) == PMD_HUGE)
		mem_write32(&c->pmd, PMD_TABLE);
	spin_unlock(&c->page_table_lock);
	kvm_mmu_notifier_invalidate_range_end(kvm, first, first + CHUNK_GFNS);
}

/* Entries first, all of them; the pages are freed behind the notifiers' end. */
static u64 clear_one(struct kvm *kvm, u64 page, u64 list)
{
	struct folio *f = (struct folio *)mem_xchg64(host_ptep(kvm, page), 0);

	if (!f)
		return list;
	world_set(f->next, list);
	return (u64)f;
}

/*
 * zap_pmd_range() of [@page, @end) in one table: what is not there now is passed by, a huge page
 * that goes in part is split first. An emptied table goes, so that the range can be huge again
 * (a THP fault wants pmd_none()).
 */
static u64 clear_table(struct kvm *kvm, u64 page, u64 end, u64 list)
{
	struct gfn_chunk *c = gfn_chunk(kvm, page);
	bool whole = end - page == CHUNK_GFNS;
	u32 pmd;

	while ((pmd = mem_read32(&c->pmd)) != PMD_NONE) {
		if (pmd == PMD_HUGE && !whole) {
			split_huge_pmd(kvm, page);
			continue;
		}
		spin_lock(&c->page_table_lock);
		if (mem_read32(&c->pmd) == pmd)
			break;
		spin_unlock(&c->page_table_lock);	/* somebody was quicker: look again */
	}
	if (pmd == PMD_NONE)
		return list;
	if (whole)
		mem_write32(&c->pmd, PMD_NONE);
	for (; page < end; page++)
		list = clear_one(kvm, page, list);
	spin_unlock(&c->page_table_lock);
	return list;
}

static u64 clear_range(struct kvm *kvm, u64 start, u64 end)
{
	u64 list = 0, page, to;

	for (page = start; page < end; page = to) {
		to = MIN((page | (CHUNK_GFNS - 1)) + 1, end);
		list = clear_table(kvm, page, to, list);
		cond_resched();
	}
	return list;
}

void host_zap_page_range(struct kvm *kvm, u64 start, u64 end)
{
	u64 list;

	trace_call("host_zap_page_range", start);
	kvm_mmu_notifier_invalidate_range_start(kvm, start, end);
	list = clear_range(kvm, start, end);
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
	nx_zap_shadow_pages(kvm);
	kvm_tdp_mmu_zap_all(kvm);
	kvm_mmu_unlock(kvm, false, 0, 0);
	srcu_read_unlock(&kvm->srcu, idx);
	for_each_known_gfn(kvm, page, 0, kvm->gfns) {
		u64 *ptep = host_ptep(kvm, page);

		if (mem_peek64(ptep))	/* nobody else knows the process: an empty one is passed by */
			folio_put((struct folio *)mem_xchg64(ptep, 0));
	}
}
