/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The dirty log of a memslot, in a VM without TDX: KVM refuses it on guest_memfd. Rests on
 * virt/kvm/kvm_main.c, arch/x86/kvm/mmu/mmu.c and x86.c of v7.2.
 */
#include "kvmmmu/own/kvm_host.h"

/* KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2: bits of kvm->manual_dirty_log_protect */
#define KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE	1u
#define KVM_DIRTY_LOG_INITIALLY_SET		2u

/* Of a slot that is not published yet, or not any more */
void kvm_alloc_dirty_bitmap(struct kvm *kvm, struct kvm_memory_slot *slot);
void kvm_inherit_dirty_bitmap(struct kvm *kvm, struct kvm_memory_slot *slot,
			      const struct kvm_memory_slot *from);
void kvm_destroy_dirty_bitmap(struct kvm_memory_slot *slot);

/* mark_page_dirty_in_slot - SRCU or slots_lock held; a step where @slot logs, else none */
void mark_page_dirty_in_slot(const struct kvm_memory_slot *slot, u64 gfn);
void kvm_vcpu_mark_page_dirty(struct kvm_vcpu *vcpu, u64 gfn);	/* SRCU held */

/*
 * kvm_mmu_slot_apply_flags - logging of @s has begun or ended; slots_lock held, takes mmu_lock
 * kvm_dirty_slot_gone - likewise, of one that logged and is deleted
 */
void kvm_mmu_slot_apply_flags(struct kvm *kvm, const struct kvm_memory_slot *s, bool log_dirty);
void kvm_dirty_slot_gone(struct kvm *kvm);

/*
 * KVM_GET_DIRTY_LOG of the slot at @gfn, KVM_CLEAR_DIRTY_LOG of [@start, @end) in one: 0,
 * -ENOENT (no slot that logs), -EINVAL. Take slots_lock and mmu_lock for write
 */
int kvm_get_dirty_log_protect(struct kvm *kvm, u64 gfn);
int kvm_clear_dirty_log_protect(struct kvm *kvm, u64 start, u64 end);

/* dirty_log_written - the guest has written there; no step. dirty_log_check_end: dirty-lost */
void dirty_log_written(struct kvm *kvm, u64 gfn);
void dirty_log_check_end(struct kvm *kvm);
