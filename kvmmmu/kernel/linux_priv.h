/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What the files behind kmmu.h of the kernel backend share: linux_setup.c makes a VM, linux_ops.c
 * has what is done to one, linux_look.c looks at it and takes leave of it, linux_regions.c names
 * its words, linux_locks.c its locks, linux_dirty.c follows the log of dirty pages.
 */
#include "kvmmmu/kmmu.h"

struct kvm *linux_vm_new(struct sim *sim, const struct kmmu_config *cfg, GError **err);
struct kvm_vcpu *linux_vcpu(struct kvm *kvm, u16 n);
void linux_set_guest(struct kvm *kvm, u16 n, const struct guest_program *p);
const char *linux_name(const struct kvm *kvm);
u64 linux_tdr(const struct kvm *kvm);
u64 linux_tdvpr(const struct kvm *kvm, u16 n);
bool linux_destroyed(const struct kvm *kvm);
bool linux_has_lock(const char *name);
void linux_lock_acquire(struct kvm *kvm, const char *name, bool shared);
void linux_lock_release(struct kvm *kvm, const char *name, bool shared);
void linux_mirror_peek(struct kvm *kvm, u64 gfn, struct mirror_view *v);
void linux_direct_peek(struct kvm *kvm, u64 gfn, struct mirror_view *v);
bool linux_direct_maps(const struct kvm *kvm, u64 hpa, u64 *gfn);
bool linux_is_dead(const struct kvm *kvm);
u64 linux_gfns(const struct kvm *kvm);
void linux_check_end(struct kvm *kvm);

/* linux_make_vcpu - KVM_CREATE_VCPU; linux_give_guest - what runs in it, once it is initialised */
int linux_make_vcpu(struct kvm *kvm, u16 n);
void linux_give_guest(struct kvm_vcpu *vcpu);

/* linux_dirty_written - the guest has written to @gfn: a step of its own, whose write it is */
void linux_dirty_written(struct kvm *kvm, u64 gfn);
void linux_dirty_init(struct kvm *kvm);
/* linux_dirty_forget - the slot there has no log any more */
void linux_dirty_forget(struct kvm *kvm, u64 start, u64 end);
/* linux_dirty_check_end - is each page that user space has no copy of in the log? dirty-lost */
void linux_dirty_check_end(struct kvm *kvm);

/* linux_zaps - does the running actor hold mmu_lock for write? No step */
bool linux_zaps(const struct kvm *kvm);

/* linux_vm_of - the handle of the tree's VM @tree */
struct kvm *linux_vm_of(const void *tree);
/* linux_op_begin - the running actor starts an operation on @kvm and remembers (@what, @a, @b) */
void linux_op_begin(struct kvm *kvm, u64 what, u64 a, u64 b);
void linux_op_end(struct kvm *kvm);
