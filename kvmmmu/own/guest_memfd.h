/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The VM's one guest_memfd: private pages, their users, their way back. Rests on
 * virt/kvm/guest_memfd.c of v7.2; the page cache as far as KVM sees it.
 */
#include "kvmmmu/own/kvm_host.h"

/*
 * kvm_gmem_get_pfn - the page behind @gfn, allocated and cleared if there is none; the
 * caller gets a reference. NULL: @slot has no guest_memfd any more. Sleeps (folio lock).
 */
struct folio *kvm_gmem_get_pfn(struct kvm *kvm, const struct kvm_memory_slot *slot, u64 gfn,
			       u64 *hpa);
void kvm_release_faultin_page(struct folio *f);	/* drop that reference; NULL: none */

/* folio_new - of the frame at @hpa, with one reference */
struct folio *folio_new(struct kvm *kvm, u64 gfn, u64 hpa);
void folio_get(struct folio *f);
void folio_put(struct folio *f);	/* the last one frees the page */


/* pfn_to_folio - of a frame that a guest_memfd or user space holds */
struct folio *pfn_to_folio(u64 hpa);

/* kvm_gmem_punch_hole - unmap [@start, @end), then give the pages back */
void kvm_gmem_punch_hole(struct kvm *kvm, u64 start, u64 end);

/*
 * kvm_gmem_populate - the page behind @gfn becomes one of the initial image; @src: hpa of what
 * user space gives. 0, -EINVAL (no memslot, or shared by attribute), -EFAULT (no file), or
 * what adding it says.
 * slots_lock held
 */
int kvm_gmem_populate(struct kvm_vcpu *vcpu, u64 gfn, u64 src);

/* kvm_gmem_bind, kvm_gmem_unbind - memslot @i is @s, or no longer; slots_lock held */
void kvm_gmem_bind(struct kvm *kvm, u32 i, struct kvm_memory_slot *s);
void kvm_gmem_unbind(struct kvm *kvm, u32 i, struct kvm_memory_slot *s);

/*
 * kvm_gmem_release - the file is closed: its mappings go; then the inode's pages do. Drops
 * the file's reference to the VM. Takes slots_lock
 */
void kvm_gmem_release(struct kvm *kvm);
