// SPDX-License-Identifier: GPL-2.0-only
/*
 * arch/x86/kvm/mmu/mmu.c whole, and what needs its statics.
 */
#include "mmu.h"
#include "mmu/mmu_internal.h"
#include "kvmmmu/kernel/glue.h"

/* As enum kmmu_ret_pf, whatever this tree's numbers are */
static long ret_pf(int r)
{
	switch (r) {
	case RET_PF_CONTINUE: return 0;
	case RET_PF_RETRY: return 1;
	case RET_PF_EMULATE: return 2;
	case RET_PF_WRITE_PROTECTED: return 3;
	case RET_PF_INVALID: return 4;
	case RET_PF_FIXED: return 5;
	case RET_PF_SPURIOUS: return 6;
	default: return r;
	}
}

/* A try of a fault; where KVM_PRE_FAULT_MEMORY tries again and again it forgets the last */
static void try_begins(struct kvm_vcpu *vcpu, gfn_t gfn, bool prefetch)
{
	if (prefetch)
		ksim_forget_at(vcpu->kvm, 6, gfn, KSIM_SITE);
	ksim_call_event("kvm_mmu_do_page_fault", gfn);
}

static int try_ends(gfn_t gfn, bool prefetch, int r)
{
	ksim_fault_event("kvm_mmu_do_page_fault", gfn, ret_pf(r), 0, 0);
	if (prefetch && r == RET_PF_RETRY)
		ksim_count_retry();
	return r;
}

/* Of the name in mmu.c, its calls alone */
#define kvm_mmu_do_page_fault(v, ...) KSIM_PICK(KSIM_IS_##v, CALL, 0)(v, __VA_ARGS__)
#define KSIM_DEFINITION(...) kvm_mmu_do_page_fault(__VA_ARGS__)
#define KSIM_CALL(vcpu, gpa, err, prefetch, ...) ({				\
	gfn_t ksim_gfn = gpa_to_gfn(gpa) & ~kvm_gfn_direct_bits((vcpu)->kvm);	\
									\
	try_begins(vcpu, ksim_gfn, prefetch);				\
	try_ends(ksim_gfn, prefetch,					\
		 kvm_mmu_do_page_fault(vcpu, gpa, err, prefetch, __VA_ARGS__)); })
#define kvm_tdp_mmu_map ktree_seam_map
#define kvm_tdp_mmu_zap_invalidated_roots ktree_seam_zap_invalidated
/* Both loops that ask for it go round until a page is mapped, and ask at their heads. */
#undef signal_pending
#define signal_pending(t) ({						\
	ksim_forget_loop(vcpu->kvm, current->loop_at << 4 | 6);		\
	ksim_signal_pending(); })
#include "mmu/mmu.c"
#undef kvm_mmu_do_page_fault
#undef kvm_tdp_mmu_map
#undef kvm_tdp_mmu_zap_invalidated_roots

/* Seams that scenarios know by name, between this file and tdp_mmu.c */
__typeof__(ktree_seam_map) kvm_tdp_mmu_map;
__typeof__(ktree_seam_zap_invalidated) kvm_tdp_mmu_zap_invalidated_roots;

int ktree_seam_map(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	int r;

	ksim_call_event("kvm_tdp_mmu_map", fault->gfn);
	r = kvm_tdp_mmu_map(vcpu, fault);
	ksim_fault_event("kvm_tdp_mmu_map", fault->gfn, ret_pf(r), fault->goal_level,
			 fault->pfn << PAGE_SHIFT);
	return r;
}

void ktree_seam_zap_invalidated(struct kvm *kvm, bool shared)
{
	ksim_call_event("kvm_tdp_mmu_zap_invalidated_roots", 0);
	kvm_tdp_mmu_zap_invalidated_roots(kvm, shared);
	ksim_return_event("kvm_tdp_mmu_zap_invalidated_roots", 0, 0);
}

void ktree_loop_at(unsigned long at)
{
	current->loop_at = at;
}

/* A page table is there: its words have names from now on, until the page is freed. */
void ktrace_kvm_mmu_get_page(struct kvm_mmu_page *sp, bool created)
{
	bool mirror = is_mirror_sp(sp);

	if (created)
		ksim_region(NULL, mirror ? KSIM_MIRROR : KSIM_DIRECT, sp->spt, 8, 512, sp->gfn,
			    KVM_PAGES_PER_HPAGE(sp->role.level), sp->role.level);
}

/* A table that is filled with the small pages of a huge one: no steps, as nobody can see it yet */
void ktrace_kvm_mmu_split_huge_page(u64 gfn, u64 spte, int level, int errno)
{
	if (errno != -ENOMEM)
		ksim_charge(KSIM_PAGE_CLEAR, 1);
}

/* A leaf that went, or became something else: an access bit more or less is no matter. */
void ktrace_kvm_tdp_mmu_spte_changed(int as_id, gfn_t gfn, int level, u64 old, u64 new)
{
	if (!is_shadow_present_pte(old) || !is_last_spte(old, level))
		return;
	if (is_shadow_present_pte(new) &&
	    (!is_last_spte(new, level) || spte_to_pfn(new) == spte_to_pfn(old)))
		return;
	ksim_leaf_unmapped(gfn);
}

/* A look of a check's: no step */
int ktree_wants_flush(void *k, void *sptep)
{
	struct kvm_mmu_page *sp = sptep_to_sp(sptep);
	struct kvm *kvm = k;

	while (sp->ptep)
		sp = sptep_to_sp(sp->ptep);
	return !is_mirror_sp(sp) && !sp->role.invalid && kvm->users_count.refs.counter;
}

void ktree_zap(void *kvm, unsigned long start, unsigned long end)
{
	ksim_call_event("kvm_zap_gfn_range", start);
	kvm_zap_gfn_range(kvm, start, end);
	ksim_return_event("kvm_zap_gfn_range", start, 0);
}

void ktree_classify(unsigned long raw, int level, struct ktree_spte *s)
{
	s->raw = raw;
	s->level = level;
	s->pfn = ~0ul;
	s->frozen = is_frozen_spte(raw);
	s->present = is_shadow_present_pte(raw);
	s->leaf = s->present && is_last_spte(raw, level);
	s->empty = raw == SHADOW_NONPRESENT_VALUE;
	s->mmio = !s->frozen && !s->present && !(raw >> 63);
	if (s->present)
		s->pfn = spte_to_pfn(raw);
}

void ktree_peek(void *k, int mirror, unsigned long gfn, struct ktree_spte *s)
{
	struct kvm *kvm = k;
	struct kvm_mmu_page *root;
	u64 bits = mirror ? 0 : kvm->arch.gfn_direct_bits;
	int level;
	u64 *pt;

	*s = (struct ktree_spte){ .raw = SHADOW_NONPRESENT_VALUE, .pfn = ~0ul, .level = s->level,
				  .empty = 1 };
	list_for_each_entry(root, &kvm->arch.tdp_mmu_roots, link) {
		if (root->role.invalid || is_mirror_sp(root) != !!mirror)
			continue;
		pt = root->spt;
		for (level = root->role.level;; level--) {
			u64 raw = *(volatile u64 *)&pt[(gfn | bits) >> (9 * (level - 1)) & 511];

			ktree_classify(raw, level, s);
			if (!s->present || s->leaf)
				break;
			if (level == 1)
				break;
			pt = __va(spte_to_pfn(raw) << PAGE_SHIFT);
		}
		if (s->leaf)
			s->pfn += gfn & (KVM_PAGES_PER_HPAGE(s->level) - 1);
		return;
	}
}

int ktree_peek_linked(unsigned long *sptep)
{
	struct kvm_mmu_page *sp = sptep_to_sp((u64 *)sptep);
	u64 parent;

	if (!sp->ptep)		/* a root */
		return 1;
	parent = *(u64 *)sp->ptep;
	return is_shadow_present_pte(parent) && spte_to_child_sp(parent) == sp;
}

/* All that is listed in one go, as a ratio of 1 says */
void ktree_boot_mmu(void)
{
	nx_huge_pages = 1;
	nx_huge_pages_recovery_ratio = 1;
}

/* What the end of dirty logging does to the slot: its tables become huge pages where they can. */
int ktree_collapse(void *k, unsigned long gfn)
{
	struct kvm *kvm = k;
	struct kvm_memory_slot *s;

	mutex_lock(&kvm->slots_lock);
	s = gfn_to_memslot(kvm, gfn);
	if (s && !(s->flags & KVM_MEM_LOG_DIRTY_PAGES))
		kvm_mmu_recover_huge_pages(kvm, s);
	mutex_unlock(&kvm->slots_lock);
	return s ? 0 : -ENOENT;
}

/* As KVM_CLEAR_DIRTY_LOG calls it: under the write lock */
int ktree_split(void *k, unsigned long from, unsigned long to)
{
	struct kvm *kvm = k;
	struct kvm_memory_slot *s;

	mutex_lock(&kvm->slots_lock);
	write_lock(&kvm->mmu_lock);
	s = gfn_to_memslot(kvm, from);
	if (s)
		kvm_mmu_try_split_huge_pages(kvm, s, from, to, PG_LEVEL_4K);
	write_unlock(&kvm->mmu_lock);
	mutex_unlock(&kvm->slots_lock);
	return s ? 0 : -ENOENT;
}

void ktree_recover_nx(void *kvm)
{
	ksim_call_event("kvm_recover_nx_huge_pages", 0);
#ifdef HAVE_NX_LISTS
	kvm_recover_nx_huge_pages(kvm, KVM_TDP_MMU);
#else
	kvm_recover_nx_huge_pages(kvm);
#endif
	ksim_return_event("kvm_recover_nx_huge_pages", 0, 0);
}
