// SPDX-License-Identifier: GPL-2.0-only
/*
 * Roots: who uses them, how they become invalid, how they are emptied. A root has a
 * reference of each vCPU that loaded it and one of the TDP MMU's own, which goes when the
 * root, invalid, has been zapped. Rests on arch/x86/kvm/mmu/tdp_mmu.c of v7.2.
 */
#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/mmu.h"
#include "kvmmmu/own/regions.h"
#include "kvmmmu/own/tdp_mmu.h"
#include "sim/engine/mem.h"
#include "sim/engine/task.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

/* --- the list -------------------------------------------------------------------------- */

static struct kvm_mmu_page *first_root(struct kvm *kvm)
{
	return (struct kvm_mmu_page *)mem_read64(&kvm->tdp_mmu_roots);
}

static struct kvm_mmu_page *root_link(const struct kvm_mmu_page *root)
{
	return (struct kvm_mmu_page *)mem_read64(&root->link);
}

/* list_del_rcu(): its own link stays, for readers that stand there */
static void roots_del(struct kvm *kvm, struct kvm_mmu_page *root)
{
	struct kvm_mmu_page *at = first_root(kvm), *next = root_link(root);

	if (at == root) {
		mem_write64(&kvm->tdp_mmu_roots, (u64)next);
		return;
	}
	for (;;) {
		struct kvm_mmu_page *behind = root_link(at);

		if (behind == root)
			break;
		at = behind;
	}
	mem_write64(&at->link, (u64)next);
}

static bool tdp_mmu_root_match(struct kvm_mmu_page *root, enum kvm_tdp_mmu_root_types types)
{
	if (mem_read32(&root->invalid)) {
		if (!(types & KVM_INVALID_ROOTS))
			return false;
	}
	return types & (root->is_mirror ? KVM_MIRROR_ROOTS : KVM_DIRECT_ROOTS);
}

struct kvm_mmu_page *tdp_mmu_root_behind(struct kvm *kvm, struct kvm_mmu_page *prev,
					 enum kvm_tdp_mmu_root_types types)
{
	struct kvm_mmu_page *root = prev ? root_link(prev) : first_root(kvm);

	while (root && !tdp_mmu_root_match(root, types))
		root = root_link(root);
	return root;
}

bool kvm_tdp_mmu_get_root(struct kvm_mmu_page *root)
{
	return refcount_inc_not_zero(&root->root_count);
}

void kvm_tdp_mmu_put_root(struct kvm *kvm, struct kvm_mmu_page *root)
{
	if (!refcount_dec_and_test(&root->root_count))
		return;
	kvm_bug_on(kvm, !mem_read32(&root->invalid), NO_GFN, "the last reference to a valid root");
	/* G12, as before v6.6: emptied only now, when no notifier can take a reference any more */
	if (kvm_switch(kvm, SW_ZAP_AFTER_LAST_PUT))
		tdp_mmu_zap_root(kvm, root, !rwlock_is_held_write(&kvm->mmu_lock));
	spin_lock(&kvm->tdp_mmu_pages_lock);
	roots_del(kvm, root);
	spin_unlock(&kvm->tdp_mmu_pages_lock);
	call_rcu(tdp_mmu_free_sp_rcu_callback, root);
}

struct kvm_mmu_page *tdp_mmu_next_root(struct kvm *kvm, struct kvm_mmu_page *prev,
				       enum kvm_tdp_mmu_root_types types)
{
	struct kvm_mmu_page *root = prev;

	lockdep_assert_held(&kvm->mmu_lock.info);
	rcu_read_lock();
	do {
		root = tdp_mmu_root_behind(kvm, root, types);
	} while (root && !kvm_tdp_mmu_get_root(root));
	rcu_read_unlock();
	if (prev)
		kvm_tdp_mmu_put_root(kvm, prev);
	return root;
}

/* --- allocation ------------------------------------------------------------------------- */

/* role.word: kind and invalid; there is one address space and one level */
static enum kvm_tdp_mmu_root_types usable_types(struct kvm *kvm, bool mirror)
{
	enum kvm_tdp_mmu_root_types types = mirror ? KVM_MIRROR_ROOTS : KVM_DIRECT_ROOTS;

	if (kvm_switch(kvm, SW_GETS_INVALID_ROOTS))	/* G12: readers may gain invalid roots */
		types |= KVM_INVALID_ROOTS;
	return types;
}

/* Under tdp_mmu_pages_lock, so that no root leaves the list. */
static struct kvm_mmu_page *usable_root(struct kvm *kvm, bool mirror)
{
	enum kvm_tdp_mmu_root_types types = usable_types(kvm, mirror);
	struct kvm_mmu_page *root;

	root = tdp_mmu_root_behind(kvm, NULL, types);
	if (root && !kvm_tdp_mmu_get_root(root))
		return NULL;
	return root;
}

static struct kvm_mmu_page *new_root(struct kvm_vcpu *vcpu, bool mirror)
{
	struct kvm *kvm = vcpu->kvm;
	struct kvm_mmu_page *root = mmu_memory_cache_alloc_ptr(&vcpu->page_header);
	u64 first;

	tdp_mmu_init_sp(kvm, root, kvm_mmu_memory_cache_alloc(&vcpu->shadow_page), 0, kvm->levels,
			mirror);
	kvm_root_region(kvm, &root->invalid, mirror);
	refcount_set(&root->root_count, 2);
	first = mem_read64(&kvm->tdp_mmu_roots);
	mem_write64(&root->link, first);
	mem_write64(&kvm->tdp_mmu_roots, (u64)root);	/* list_add_rcu() */
	return root;
}

void kvm_tdp_mmu_alloc_root(struct kvm_vcpu *vcpu, bool mirror)
{
	struct kvm *kvm = vcpu->kvm;
	struct kvm_mmu_page *root;

	read_lock(&kvm->mmu_lock);
	root = tdp_mmu_next_root(kvm, NULL, usable_types(kvm, mirror));
	if (!root) {
		spin_lock(&kvm->tdp_mmu_pages_lock);
		root = usable_root(kvm, mirror);	/* another vCPU may have been here */
		if (!root)
			root = new_root(vcpu, mirror);
		spin_unlock(&kvm->tdp_mmu_pages_lock);
	}
	read_unlock(&kvm->mmu_lock);
	if (mirror)
		world_set(vcpu->mirror_root, root);
	else
		world_set(vcpu->root, root);
}

/* --- the end of a root ------------------------------------------------------------------ */

static void __tdp_mmu_zap_root(struct kvm *kvm, struct kvm_mmu_page *root, bool shared, u8 zap_level)
{
	u64 end = kvm_pages_per_hpage(root->level + 1);	/* tdp_mmu_max_gfn_exclusive() */
	struct tdp_iter iter;

	for_each_tdp_pte_min_level(iter, root, zap_level, 0, end) {
retry:
		tdp_iter_forget(&iter, 0);
		if (tdp_mmu_iter_cond_resched(kvm, &iter, false, shared, 0, kvm->gfns))
			continue;
		if (!is_shadow_present_pte(iter.old_spte) || iter.level > zap_level)
			continue;
		if (!tdp_mmu_iter_zap(kvm, &iter, shared))
			goto retry;
	}
}

void tdp_mmu_zap_root(struct kvm *kvm, struct kvm_mmu_page *root, bool shared)
{
	trace_call("tdp_mmu_zap_root", root->is_mirror);
	kvm_warn_on(!mem_peek32(&root->root_count.count), NO_GFN, "zap of a root that nobody has");
	rcu_read_lock();
	__tdp_mmu_zap_root(kvm, root, shared, PG_LEVEL_4K);
	__tdp_mmu_zap_root(kvm, root, shared, PG_LEVEL_2M);
	__tdp_mmu_zap_root(kvm, root, shared, KVM_MAX_HUGEPAGE_LEVEL);
	__tdp_mmu_zap_root(kvm, root, shared, root->level);
	rcu_read_unlock();
	trace_return("tdp_mmu_zap_root", root->is_mirror, 0);
}

void kvm_tdp_mmu_zap_all(struct kvm *kvm)
{
	struct kvm_mmu_page *root;

	lockdep_assert_held_write(&kvm->mmu_lock);
	for_each_tdp_mmu_root_yield_safe(kvm, root, KVM_DIRECT_ROOTS | KVM_INVALID_ROOTS) {
		tdp_mmu_zap_root(kvm, root, false);
	}
}

void kvm_tdp_mmu_invalidate_roots(struct kvm *kvm, enum kvm_tdp_mmu_root_types types)
{
	struct kvm_mmu_page *root;

	for_each_tdp_mmu_root(kvm, root, types & ~KVM_INVALID_ROOTS) {
		mem_write32(&root->scheduled_to_zap, 1);
		mem_write32(&root->invalid, 1);
	}
}

/*
 * No flush: who runs on the root has been asked to reload, and a load flushes. The reference
 * is put after the zap, during which notifiers must still reach the root (G12).
 */
void kvm_tdp_mmu_zap_invalidated_roots(struct kvm *kvm, bool shared)
{
	struct kvm_mmu_page *root;

	trace_call0("kvm_tdp_mmu_zap_invalidated_roots");
	kvm_mmu_lock(kvm, shared, 0, kvm->gfns);
	for_each_tdp_mmu_root_yield_safe(kvm, root, KVM_ALL_ROOTS) {
		if (!mem_read32(&root->scheduled_to_zap))
			continue;
		mem_write32(&root->scheduled_to_zap, 0);
		kvm_bug_on(kvm, !mem_read32(&root->invalid), NO_GFN, "zap of a valid root");
		if (!kvm_switch(kvm, SW_ZAP_AFTER_LAST_PUT))
			tdp_mmu_zap_root(kvm, root, shared);
		kvm_tdp_mmu_put_root(kvm, root);
	}
	kvm_mmu_unlock(kvm, shared, 0, kvm->gfns);
	trace_return0("kvm_tdp_mmu_zap_invalidated_roots", 0);
}

/* Of kvm_mmu_init_tdp_mmu() nothing is left to do: an empty list is 0 */
void kvm_mmu_uninit_tdp_mmu(struct kvm *kvm)
{
	kvm_tdp_mmu_invalidate_roots(kvm, KVM_VALID_ROOTS);
	kvm_tdp_mmu_zap_invalidated_roots(kvm, false);
	kvm_warn_on(mem_read64(&kvm->tdp_mmu_roots), NO_GFN, "roots are left");
	rcu_barrier();
}
