// SPDX-License-Identifier: GPL-2.0-only
/*
 * What holds when every thread has come to rest: mirror and S-EPT are the same; what a tree maps
 * is what user space or the guest_memfd has there, in a memslot, of the kind that the attribute
 * says; pages and roots have the users that can be counted; the PAMT knows the TD's pages and no
 * others; no LP could use a translation that the tables do not give (any more). And what is left
 * of a VM that was destroyed: nothing.
 */
#include "tests/kvmmmu/storm.h"

#include "kvmmmu/own/host_mm.h"
#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/tdp_mmu.h"
#include "sim/engine/ept.h"
#include "sim/engine/mem.h"
#include "sim/engine/region.h"
#include "sim/engine/tlb.h"
#include "tdxmod/lp_state.h"
#include "tdxmod/module.h"
#include "tdxmod/observe.h"
#include "tdxmod/pamt.h"
#include "tdxmod/td.h"

/* --- trees, pages, memslots --------------------------------------------------------------- */

static const struct kvm_memory_slot *slot_of(const struct kvm *kvm, u64 gfn)
{
	const struct kvm_memslots *set = &kvm->slots[mem_peek32(&kvm->memslots)];

	for (u32 i = 0; i < KVM_MEM_SLOTS; i++) {
		const struct kvm_memory_slot *s = (const struct kvm_memory_slot *)set->slot[i];

		if (s && gfn - s->base_gfn < s->npages)
			return s;
	}
	return NULL;
}

static u64 page_in(const u64 *entry)
{
	const struct folio *f = (const struct folio *)mem_peek64(entry);

	return f ? f->hpa >> 12 : ~0ull;
}

static bool is_private(const struct kvm *kvm, const struct gfn_chunk *c, u64 gfn)
{
	return mem_peek8(&c->attributes[gfn % CHUNK_GFNS]) & KVM_MEMORY_ATTRIBUTE_PRIVATE;
}

static void mirror_agrees(struct storm *s, u64 gfn, const struct mirror_view *mv)
{
	const struct gfn_chunk *c = gfn_chunk_peek(s->m.kvm, gfn);
	struct sept_view sv;

	sept_peek(kmmu_tdr(s->m.kvm), gfn, &sv);
	if (mv->class != MIRROR_LEAF && mv->class != MIRROR_NONPRESENT)
		storm_fail(s, "mirror: entry of 0x%llx is left as 0x%llx", (long long)gfn,
			   (long long)mv->raw);
	else if ((mv->class == MIRROR_LEAF) != sv.mapped || mv->level != sv.level ||
		 (sv.mapped && sv.hpa >> 12 != mv->pfn))
		storm_fail(s, "mirror-desync: 0x%llx is 0x%llx in the mirror, %s in the S-EPT",
			   (long long)gfn, (long long)mv->raw, sept_state_name(sv.state));
	if (mv->class != MIRROR_LEAF)
		return;
	if (!c || page_in(&c->folio[gfn % CHUNK_GFNS]) != mv->pfn)
		storm_fail(s, "gmem: mirror[0x%llx] maps pfn 0x%llx, which is not the guest_memfd's",
			   (long long)gfn, (long long)mv->pfn);
	else if (!is_private(s->m.kvm, c, gfn))
		storm_fail(s, "attribute: mirror[0x%llx] is mapped and the gfn is shared",
			   (long long)gfn);
	if (!slot_of(s->m.kvm, gfn))
		storm_fail(s, "memslot: mirror[0x%llx] is mapped outside of memslots",
			   (long long)gfn);
}

/* What the hardware can walk to is user space's page, where the memslot has put it. */
static void direct_agrees(struct storm *s, u64 gfn, const struct mirror_view *v)
{
	const struct kvm_memory_slot *slot = slot_of(s->m.kvm, gfn);
	const struct gfn_chunk *c;
	u64 page;

	if (v->class == MIRROR_FROZEN)
		storm_fail(s, "direct: entry of 0x%llx is left frozen", (long long)gfn);
	if (v->class != MIRROR_LEAF)
		return;
	if (!slot) {
		storm_fail(s, "memslot: direct[0x%llx] is mapped outside of memslots",
			   (long long)gfn);
		return;
	}
	page = slot->hva + gfn - slot->base_gfn;
	c = gfn_chunk_peek(s->m.kvm, page);
	if (!c || page_in(&c->pte[page % CHUNK_GFNS]) != v->pfn)
		storm_fail(s, "user: direct[0x%llx] maps pfn 0x%llx, which user space has not there",
			   (long long)gfn, (long long)v->pfn);
	else if (v->level > 1 && mem_peek32(&c->pmd) != PMD_HUGE)
		storm_fail(s, "user: direct[0x%llx] is huge and user space's page is not",
			   (long long)gfn);
	c = gfn_chunk_peek(s->m.kvm, gfn);
	if (is_td(s->m.kvm) && c && is_private(s->m.kvm, c, gfn))
		storm_fail(s, "attribute: direct[0x%llx] is mapped and the gfn is private",
			   (long long)gfn);
}

static void users_are(struct storm *s, u64 gfn, const u64 *entry, u32 users, const char *whose)
{
	const struct folio *f = (const struct folio *)mem_peek64(entry);

	if (f && mem_peek32(&f->ref.count) != users)
		storm_fail(s, "users: the page of 0x%llx in %s has %u users, not %u",
			   (long long)gfn, whose, mem_peek32(&f->ref.count), users);
}

static void gfn_at_rest(struct storm *s, u64 gfn)
{
	struct kvm *kvm = s->m.kvm;
	const struct gfn_chunk *c = gfn_chunk_peek(kvm, gfn);
	struct mirror_view mirror = { 0 }, direct;

	if (kmmu_tdr(kvm)) {
		kmmu_mirror_peek(kvm, gfn, &mirror);
		mirror_agrees(s, gfn, &mirror);
	}
	kmmu_direct_peek(kvm, gfn, &direct);
	direct_agrees(s, gfn, &direct);
	if (!c)
		return;
	users_are(s, gfn, &c->folio[gfn % CHUNK_GFNS],
		  1 + (kvm_switch(kvm, SW_PIN_PAGES) && mirror.class == MIRROR_LEAF),
		  "the guest_memfd");
	users_are(s, gfn, &c->pte[gfn % CHUNK_GFNS], 1, "user space");
}

/* --- roots, and what else is counted ------------------------------------------------------- */

/* One user a vCPU that has it loaded, and the TDP MMU itself as long as it is valid. */
static void roots_at_rest(struct storm *s)
{
	const struct kvm *kvm = s->m.kvm;
	const struct kvm_mmu_page *root;
	u32 users, invalid;

	for (root = (const struct kvm_mmu_page *)mem_peek64(&kvm->tdp_mmu_roots); root;
	     root = (const struct kvm_mmu_page *)mem_peek64(&root->link)) {
		invalid = mem_peek32(&root->invalid);
		users = !invalid;
		for (u32 i = 0; i < mem_peek32(&kvm->online_vcpus); i++)
			users += kvm->vcpus[i]->root == root || kvm->vcpus[i]->mirror_root == root;
		if (mem_peek32(&root->root_count.count) != users)
			storm_fail(s, "roots: %s %s root has %u users, not %u",
				   invalid ? "an invalid" : "a valid",
				   root->is_mirror ? "mirror" : "direct",
				   mem_peek32(&root->root_count.count), users);
	}
}

static void nx_list_at_rest(struct storm *s)
{
	const struct kvm *kvm = s->m.kvm;
	const struct kvm_mmu_page *sp;
	u64 n = 0, nr;

	for (sp = (const struct kvm_mmu_page *)mem_peek64(&kvm->nx_first); sp;
	     sp = (const struct kvm_mmu_page *)mem_peek64(&sp->nx_next)) {
		n++;
		if (!mem_peek32(&sp->nx_listed) || !mem_peek32(&sp->nx_disallowed))
			storm_fail(s, "nx-list: a table is on it that should not be");
	}
	nr = mem_peek64(&kvm->nx_nr_shadow) + mem_peek64(&kvm->nx_nr);	/* G15 */
	if (n != nr)
		storm_fail(s, "nx-list: %llu tables, and nx_nr is %llu", (long long)n,
			   (long long)nr);
}

static void kvm_at_rest(struct storm *s)
{
	const struct kvm *kvm = s->m.kvm;

	if (mem_peek32(&kvm->wait_for_sept_zap))
		storm_fail(s, "gate: the entry gate is up");
	if (mem_peek64(&kvm->mmu_invalidate_in_progress) ||
	    mem_peek32(&kvm->mn_active_invalidate_count))
		storm_fail(s, "invalidation: a window is open");
	for (u32 i = 0; i < mem_peek32(&kvm->online_vcpus); i++)
		if (mem_peek32(&kvm->vcpus[i]->mode) != OUTSIDE_GUEST_MODE)
			storm_fail(s, "mode: a vCPU at rest is not outside");
	if (kmmu_is_dead(kvm))
		storm_fail(s, "dead: nothing was wrong and the VM is dead");
	roots_at_rest(s);
	nx_list_at_rest(s);
}

/* --- TLBs --------------------------------------------------------------------------------- */

/* The tag that an entry of @vcpu on @lp as things stand would use; 0: everything goes before */
static u64 tag_without_flush(const struct kvm_vcpu *vcpu, u16 lp)
{
	const struct kvm *kvm = vcpu->kvm;
	const struct tdcs *tdcs;

	if (mem_peek32(&vcpu->cpu) != lp || !vcpu->root || mem_peek32(&vcpu->root->invalid) ||
	    mem_peek64(&vcpu->requests) & BIT_ULL(KVM_REQ_TLB_FLUSH & KVM_REQUEST_MASK))
		return 0;
	if (!is_td(kvm))
		return vcpu->root->hpa;
	tdcs = td_peek_tdcs(kvm->tdr);
	if (!vcpu->tdvpr || !tdcs || module_self()->lp[lp].last_tdvpr != vcpu->tdvpr ||
	    tdvps_at(vcpu->tdvpr)->assoc_lpid != lp ||
	    mem_peek64(&tdvps_at(vcpu->tdvpr)->vcpu_epoch) != mem_peek64(&tdcs->epoch.td_epoch))
		return 0;
	return kvm->tdr;
}

static void translation_is_right(struct storm *s, u16 lp, const struct tlb_entry *e, u64 gfn)
{
	struct kvm *kvm = s->m.kvm;
	u64 bits = kvm->gfn_direct_bits, hpa = tlb_hpa(e, gfn);
	struct mirror_view v = { .pfn = ~0ull };
	struct sept_view sv;

	if (is_td(kvm) && !(gfn & bits)) {
		sept_peek(kvm->tdr, gfn, &sv);
		v.pfn = sv.mapped ? sv.hpa >> 12 : ~0ull;
		v.raw = EPT_WRITE;
	} else {
		kmmu_direct_peek(kvm, gfn & ~bits, &v);
	}
	if (v.pfn != hpa >> 12 || e->flags & TLB_GONE)
		storm_fail(s, "stale-tlb: LP %u may use 0x%llx -> 0x%llx, which is not so any more",
			   lp, (long long)gfn, (long long)hpa);
	/*
	 * Of what is MMU-writable, a writable translation may be left: who ages without accessed bits
	 * takes all rights and does not flush, a dirty log flushes in any case.
	 */
	else if (e->flags & TLB_WRITE && !(v.raw & (EPT_WRITE | kvm->spte->mmu_writable)))
		storm_fail(s, "stale-tlb: LP %u may write to 0x%llx, which is write-protected", lp,
			   (long long)gfn);
}

static void tlbs_at_rest(struct storm *s)
{
	struct kvm *kvm = s->m.kvm;

	for (u32 i = 0; i < mem_peek32(&kvm->online_vcpus); i++) {
		u32 lp = mem_peek32(&kvm->vcpus[i]->cpu);
		u64 tag = lp == NO_CPU ? 0 : tag_without_flush(kvm->vcpus[i], (u16)lp);

		for (u32 g = 0; tag && g < 4 * STORM_NR; g++) {
			u64 gfn = STORM_FIRST + g % STORM_NR + (g & STORM_NR ? STORM_SLOT : 0);
			const struct tlb_entry *e;

			if (g >= 2 * STORM_NR)
				gfn |= kvm->gfn_direct_bits;
			e = tlb_find(tlb_of((u16)lp), tag, gfn);
			if (e)
				translation_is_right(s, (u16)lp, e, gfn);
		}
	}
}

/* --- the PAMT ----------------------------------------------------------------------------- */

static u64 sept_tables(u64 tdr)
{
	struct sept_view v;
	u64 n = 0;

	for (u8 level = 2; level <= 4; level++) {
		for (u64 gfn = 0; gfn < STORM_GFNS; gfn += 1ull << 9 * (level - 1))
			n += sept_peek_level(tdr, gfn, level, &v) && !v.leaf && v.hpa != ~0ull;
	}
	return n;
}

static void pamt_at_rest(struct storm *s, u64 tdr)
{
	const struct module *mod = module_self();
	u64 hpa, by_type[16] = { 0 }, mapped = 0, children = 0, strangers = 0;
	struct sept_view v;

	for (hpa = 0; hpa < world_phys_size(); hpa += PAGE_SIZE) {
		const struct pamt_entry *e = pamt_entry_of(mod, hpa, SIZE_4K);
		u8 pt = mem_peek8(&e->pt);

		if (pt == PT_NDA || pt == PT_RSVD || pt > 15)
			continue;
		by_type[pt]++;
		if (pt == PT_TDR)
			continue;
		children++;
		strangers += mem_peek32(&e->owner) != tdr >> PAGE_SHIFT;
	}
	for (u64 gfn = 0; tdr && gfn < STORM_GFNS; gfn++) {
		sept_peek(tdr, gfn, &v);
		if (!v.mapped) {	/* nor is anything under the table that is not there */
			gfn |= v.level > 1 ? (1ull << 9 * (v.level - 1)) - 1 : 0;
			continue;
		}
		mapped++;
		if (mem_peek8(&pamt_entry_of(mod, v.hpa, SIZE_4K)->pt) != PT_REG)
			storm_fail(s, "pamt: 0x%llx is mapped at 0x%llx and is no page of a TD",
				   (long long)v.hpa, (long long)gfn);
	}
	if (by_type[PT_REG] != mapped || strangers || by_type[PT_TDR] != !!tdr)
		storm_fail(s, "pamt: %llu pages and %llu TDRs, %llu are mapped, %llu are nobody's",
			   (long long)by_type[PT_REG], (long long)by_type[PT_TDR],
			   (long long)mapped, (long long)strangers);
	if (!tdr)
		return;
	if (by_type[PT_EPT] != sept_tables(tdr))
		storm_fail(s, "pamt: %llu S-EPT pages, %llu are linked", (long long)by_type[PT_EPT],
			   (long long)sept_tables(tdr));
	if (mem_peek64(&tdr_at(tdr)->chldcnt) != children)
		storm_fail(s, "pamt: CHLDCNT is %llu, the PAMT has %llu",
			   (long long)mem_peek64(&tdr_at(tdr)->chldcnt), (long long)children);
}

/* --- all of it ---------------------------------------------------------------------------- */

void storm_rest(struct storm *s, bool whole)
{
	u64 gfn;

	if (kmmu_destroyed(s->m.kvm))
		return;
	kvm_at_rest(s);
	tlbs_at_rest(s);
	for (gfn = 0; gfn < STORM_NR; gfn++) {
		gfn_at_rest(s, STORM_FIRST + gfn);
		gfn_at_rest(s, STORM_FIRST + STORM_SLOT + gfn);
	}
	if (!whole)
		return;
	for (gfn = 0; gfn < STORM_GFNS; gfn++)
		gfn_at_rest(s, gfn);
	pamt_at_rest(s, kmmu_tdr(s->m.kvm));
}

u64 storm_pages_in_use(void)
{
	u64 n = 0;

	for (u64 hpa = 0; hpa < world_phys_size(); hpa += PAGE_SIZE)
		n += !page_is_free(hpa);
	return n;
}

static void count_region(const struct region *r, void *n)
{
	++*(u64 *)n;
}

u64 storm_regions(void)
{
	u64 n = 0;

	region_each(count_region, &n);
	return n;
}

void storm_left(struct storm *s)
{
	u64 pages = storm_pages_in_use() - g_hash_table_size(s->reused);

	if (!kmmu_destroyed(s->m.kvm))
		storm_fail(s, "left: somebody still uses the VM");
	if (kvm_host_self()->guest_keyids)
		storm_fail(s, "left: a key id is not given back");
	if (pages != s->pages)
		storm_fail(s, "left: %llu pages are in use, %llu were before", (long long)pages,
			   (long long)s->pages);
	pamt_at_rest(s, 0);
}
