// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest_memfd. Rests on virt/kvm/guest_memfd.c of v7.2 and on what mm/filemap.c and
 * mm/truncate.c do for it: lookup under RCU with a try-get, insertion that may lose,
 * truncation under the folio lock, and a page freed by whoever drops the last reference.
 */
#include "kvmmmu/own/guest_memfd.h"

#include <errno.h>

#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/mmu.h"
#include "kvmmmu/own/regions.h"
#include "kvmmmu/own/tdp_mmu.h"
#include "kvmmmu/own/tdx.h"
#include "sim/engine/clock.h"
#include "sim/engine/mem.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

static u64 *folio_slot(struct kvm *kvm, u64 gfn)
{
	return &gfn_chunk(kvm, gfn)->folio[gfn % CHUNK_GFNS];
}

/* The frame's struct page lives on in Linux; here its words go after a grace period. */
static void folio_free_rcu(void *arg)
{
	struct folio *f = arg;

	kvm_forget_region(&f->lock.owner);
	world_free(f, sizeof(*f));
}

struct folio *pfn_to_folio(u64 hpa)
{
	return (struct folio *)kvm_page_private(hpa);
}

void folio_get(struct folio *f)
{
	refcount_inc(&f->ref);
}

/*
 * kvm_gmem_free_folio(); "page-free" is what the checks listen for: the frame goes back to
 * the allocator.
 */
void folio_put(struct folio *f)
{
	if (!refcount_dec_and_test(&f->ref))
		return;
	trace_(EV_NOTE, .name = "page-free", .arg = f->hpa, .has_arg = true);
	kvm_page_set_private(f->hpa, 0);
	page_free(f->hpa);
	call_rcu(folio_free_rcu, f);
}

void kvm_release_faultin_page(struct folio *f)
{
	if (f)
		folio_put(f);
}

static struct folio *cache_read(struct kvm *kvm, u64 gfn)
{
	return (struct folio *)mem_read64(folio_slot(kvm, gfn));
}

/* filemap_get_entry(): a reference to what the cache holds, or NULL */
static struct folio *filemap_get(struct kvm *kvm, u64 gfn)
{
	struct folio *f;

	rcu_read_lock();
	for (;;) {
		f = cache_read(kvm, gfn);
		if (!f)
			break;
		if (!refcount_inc_not_zero(&f->ref))
			continue;
		if (cache_read(kvm, gfn) == f)
			break;
		folio_put(f);
	}
	rcu_read_unlock();
	return f;
}

struct folio *folio_new(struct kvm *kvm, u64 gfn, u64 hpa)
{
	struct folio *f = world_alloc(sizeof(*f));

	world_set(f->hpa, hpa);
	world_set(f->gfn, gfn);
	world_set(f->kvm, kvm);
	world_set(f->mapped, 1);
	world_set(f->ref.count, 1);
	kvm_page_set_private(f->hpa, (u64)f);
	return f;
}

/* __filemap_get_folio(FGP_LOCK | FGP_CREAT): locked, with a reference */
static struct folio *kvm_gmem_get_folio(struct kvm *kvm, u64 gfn)
{
	struct folio *f;
	u64 seen;

	for (;;) {
		f = filemap_get(kvm, gfn);
		if (f) {
			mutex_lock(&f->lock);
			if (mem_read32(&f->mapped))
				return f;
			mutex_unlock(&f->lock);	/* truncated under us */
			folio_put(f);
			continue;
		}
		f = folio_new(kvm, gfn, page_alloc_guest());
		mutex_init(&f->lock, "folio_lock");
		world_set(f->ref.count, 2);	/* the cache's and the caller's; raw: not seen yet */
		mutex_lock(&f->lock);
		seen = mem_cmpxchg64(folio_slot(kvm, gfn), 0, (u64)f);
		if (!seen)
			return f;
		mutex_unlock(&f->lock);	/* somebody else was first */
		kvm_page_set_private(f->hpa, 0);
		page_free(f->hpa);
		folio_free_rcu(f);
	}
}

/* The slot may have lost its file, or that is going: then there is no memory behind it. */
static bool kvm_gmem_get_file(struct kvm *kvm, const struct kvm_memory_slot *slot)
{
	return mem_read32(&slot->gmem_file) && kvm_fget_active(&kvm->gmem_file);
}

static struct folio *__kvm_gmem_get_pfn(struct kvm *kvm, u64 gfn, bool copied_to, u64 *hpa)
{
	struct folio *f = kvm_gmem_get_folio(kvm, gfn);

	if (!f->uptodate) {
		if (!copied_to)
			sim_charge(COST_PAGE_CLEAR_4K, 1);
		world_set(f->uptodate, true);
	}
	*hpa = f->hpa;
	world_set(gfn_chunk(kvm, gfn)->last_hpa[gfn % CHUNK_GFNS], f->hpa | LAST_HPA_SET);
	mutex_unlock(&f->lock);
	return f;
}

struct folio *kvm_gmem_get_pfn(struct kvm *kvm, const struct kvm_memory_slot *slot, u64 gfn,
			       u64 *hpa)
{
	struct folio *f;

	if (!kvm_gmem_get_file(kvm, slot))
		return NULL;
	f = __kvm_gmem_get_pfn(kvm, gfn, false, hpa);
	kvm_fput_later(kvm, &kvm->gmem_file);
	return f;
}

/* truncate_inode_pages_range() of one page */
static void truncate_one(struct kvm *kvm, u64 gfn)
{
	struct folio *f = filemap_get(kvm, gfn);

	if (!f)
		return;
	mutex_lock(&f->lock);
	if (mem_read32(&f->mapped)) {
		mem_write64(folio_slot(kvm, gfn), 0);
		mem_write32(&f->mapped, 0);
		mutex_unlock(&f->lock);
		folio_put(f);	/* the cache's */
	} else {
		mutex_unlock(&f->lock);
	}
	folio_put(f);
}

void kvm_gmem_punch_hole(struct kvm *kvm, u64 start, u64 end)
{
	bool found;
	u64 gfn;

	trace_call("kvm_gmem_punch_hole", start);
	down_write(&kvm->filemap_invalidate_lock);
	/* kvm_gmem_invalidate_start(): the window stays open over the truncation */
	found = kvm_unmap_begin(kvm, &(struct kvm_unmap){
		.slots = kvm->gmem_bindings, .start = start, .end = end,
		.filter = KVM_FILTER_PRIVATE });
	if (found && kvm_switch(kvm, SW_SEQ_BEFORE_TRUNCATE))
		kvm_unmap_end(kvm);
	for_each_known_gfn(kvm, gfn, start, end)
		truncate_one(kvm, gfn);
	if (found && !kvm_switch(kvm, SW_SEQ_BEFORE_TRUNCATE))
		kvm_unmap_end(kvm);
	up_write(&kvm->filemap_invalidate_lock);
	trace_return("kvm_gmem_punch_hole", start, 0);
}

/* __kvm_gmem_populate(): the lock keeps a hole from being punched under what is added (B06) */
static int populate(struct kvm_vcpu *vcpu, u64 gfn, u64 src)
{
	struct kvm *kvm = vcpu->kvm;
	struct folio *f;
	int ret = -EINVAL;
	u64 hpa;

	down_write(&kvm->filemap_invalidate_lock);
	f = __kvm_gmem_get_pfn(kvm, gfn, true, &hpa);
	if (kvm_mem_is_private(kvm, gfn))
		ret = tdx_gmem_post_populate(vcpu, gfn, hpa, src);
	folio_put(f);
	up_write(&kvm->filemap_invalidate_lock);
	return ret;
}

int kvm_gmem_populate(struct kvm_vcpu *vcpu, u64 gfn, u64 src)
{
	struct kvm_memory_slot *slot;
	int ret;

	lockdep_assert_held(&vcpu->kvm->slots_lock.info);
	slot = kvm_vcpu_gfn_to_memslot(vcpu, gfn);
	if (!slot)
		return -EINVAL;
	if (!kvm_gmem_get_file(vcpu->kvm, slot))
		return -EFAULT;
	ret = populate(vcpu, gfn, src);
	kvm_fput_later(vcpu->kvm, &vcpu->kvm->gmem_file);
	return ret;
}

/*
 * kvm_gmem_create() is at set-up (K7). The inode goes with its only file: evict(),
 * truncate_inode_pages_final()
 */
static void evict(struct kvm *kvm)
{
	u64 gfn;

	for_each_known_gfn(kvm, gfn, 0, kvm->gfns) {
		/* Nobody else knows the inode: where there is no page nothing is looked up. */
		if (mem_peek64(folio_slot(kvm, gfn)))
			truncate_one(kvm, gfn);
	}
}

/* The slot becomes a view of the file; kvm_gmem_bind() */
void kvm_gmem_bind(struct kvm *kvm, u32 i, struct kvm_memory_slot *s)
{
	down_write(&kvm->filemap_invalidate_lock);
	mem_write32(&s->gmem_file, 1);
	world_set(kvm->gmem_bindings[i], (u64)s);
	up_write(&kvm->filemap_invalidate_lock);
}

static void unbind(struct kvm *kvm, u32 i, struct kvm_memory_slot *s)
{
	world_set(kvm->gmem_bindings[i], 0);
	mem_write32(&s->gmem_file, 0);
}

/*
 * kvm_gmem_unbind() - a file that is being closed is not to be had any more, but its release has
 * not looked at the bindings yet: they must not name a slot that is freed (H03). slots_lock
 */
void kvm_gmem_unbind(struct kvm *kvm, u32 i, struct kvm_memory_slot *s)
{
	if (!mem_read32(&s->gmem_file))
		return;			/* closed: it has unbound everything */
	if (mem_read32(&kvm->gmem_dying)) {
		if (!kvm_switch(kvm, SW_UNBIND_LEAVES_DYING))
			unbind(kvm, i, s);
		return;
	}
	down_write(&kvm->filemap_invalidate_lock);
	unbind(kvm, i, s);
	up_write(&kvm->filemap_invalidate_lock);
}

/*
 * slots_lock keeps kvm_gmem_unbind() out: it would free memslots that the bindings still
 * name (H03). What is mapped goes; the memory itself goes with the inode.
 */
void kvm_gmem_release(struct kvm *kvm)
{
	bool found;
	u32 i;

	trace_call0("kvm_gmem_release");
	mem_write32(&kvm->gmem_dying, 1);	/* the count of the file is 0 */
	mutex_lock(&kvm->slots_lock);
	down_write(&kvm->filemap_invalidate_lock);
	found = kvm_unmap_begin(kvm, &(struct kvm_unmap){
		.slots = kvm->gmem_bindings, .end = kvm->gfns, .filter = KVM_FILTER_PRIVATE });
	if (found)
		kvm_unmap_end(kvm);
	for (i = 0; i < KVM_MEM_SLOTS; i++) {
		struct kvm_memory_slot *s = (struct kvm_memory_slot *)kvm->gmem_bindings[i];

		if (s)
			mem_write32(&s->gmem_file, 0);
		world_set(kvm->gmem_bindings[i], 0);
	}
	up_write(&kvm->filemap_invalidate_lock);
	mutex_unlock(&kvm->slots_lock);
	kvm_put_kvm(kvm);
	evict(kvm);
	trace_return0("kvm_gmem_release", 0);
}
