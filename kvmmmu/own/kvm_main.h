/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * virt/kvm/kvm_main.c: requests and the kick, memslots, invalidation windows, attributes.
 */
#include "kvmmmu/own/kvm_host.h"

/* --- requests ------------------------------------------------------------------------- */

bool kvm_request_pending(struct kvm_vcpu *vcpu);		/* one step */
bool kvm_test_request(u32 req, struct kvm_vcpu *vcpu);	/* is it pending? It stays so. One step */
/* kvm_check_request - is @req pending? If so it is consumed. One or two steps */
bool kvm_check_request(u32 req, struct kvm_vcpu *vcpu);
bool kvm_test_request(u32 req, struct kvm_vcpu *vcpu);	/* pending, and stays so; one step */
/* kvm_clear_request - a LOCKed bit clear, nothing else */
void kvm_clear_request(u32 req, struct kvm_vcpu *vcpu);
/*
 * kvm_make_all_cpus_request - @req to every vCPU, kicking those that are in the guest.
 * With KVM_REQUEST_WAIT it returns when each kicked LP has acknowledged: then no vCPU is
 * still in the guest of before, but new entries are not held off. Interrupts on. Returns
 * whether anybody was kicked.
 */
bool kvm_make_all_cpus_request(struct kvm *kvm, u32 req);
void kvm_vcpu_kick(struct kvm_vcpu *vcpu);	/* out of the guest, without waiting */
/* kvm_flush_remote_tlbs - KVM_REQ_TLB_FLUSH to all; pays what the caller owes */
void kvm_flush_remote_tlbs(struct kvm *kvm);
/* kvm_vm_dead - vm_dead, and every vCPU is told */
void kvm_vm_dead(struct kvm *kvm);

/* --- memslots: readers hold SRCU or slots_lock ---------------------------------------- */

struct kvm_memory_slot *kvm_gfn_to_memslot(struct kvm *kvm, u64 gfn);
struct kvm_memory_slot *kvm_vcpu_gfn_to_memslot(struct kvm_vcpu *vcpu, u64 gfn);
bool kvm_memslot_is_invalid(struct kvm_memory_slot *slot);	/* one step */
void kvm_vcpu_srcu_read_lock(struct kvm_vcpu *vcpu);
void kvm_vcpu_srcu_read_unlock(struct kvm_vcpu *vcpu);

/* kvm_set_memory_region - 0, -EINVAL or -EEXIST; ranges are exactly a slot's */
int kvm_create_memslot(struct kvm *kvm, u64 start, u64 end);
int kvm_delete_memslot(struct kvm *kvm, u64 start, u64 end);
int kvm_move_memslot(struct kvm *kvm, u64 start, u64 end, u64 to);
/* kvm_update_flags_memslot - dirty logging of the slot on or off */
int kvm_update_flags_memslot(struct kvm *kvm, u64 start, u64 end, bool log_dirty);
void kvm_free_memslots(struct kvm *kvm);	/* of a VM that nobody uses any more */
/* at set-up: no steps */
void kvm_init_memslots(struct kvm *kvm, u64 start, u64 end, u32 flags);

/* --- invalidation --------------------------------------------------------------------- */

/* mmu_lock held for write */
void kvm_mmu_invalidate_start(struct kvm *kvm);
void kvm_mmu_invalidate_range_add(struct kvm *kvm, u64 start, u64 end);
void kvm_mmu_invalidate_end(struct kvm *kvm);
/* the lockless check, and the one under mmu_lock */
bool mmu_invalidate_retry_gfn_unsafe(struct kvm *kvm, u64 seq, u64 gfn);
bool mmu_invalidate_retry_gfn(struct kvm *kvm, u64 seq, u64 gfn);

/*
 * kvm_unmap_begin - open the window on [@start, @end) of those memslots of @slots that
 * overlap, unmap the mappings of the kinds in @filter (KVM_FILTER_*) there, flush if that is
 * owed. With @attributes the window is as wide as the huge pages that the range is part of;
 * with @by_hva the range is of user pages.
 * kvm_unmap_end - close it
 * Neither does anything if no memslot overlaps: begin returns false. Take mmu_lock.
 */
struct kvm_unmap {
	const u64 *slots;	/* [KVM_MEM_SLOTS] */
	u64 start, end;
	u32 filter;
	bool attributes, by_hva;
};
bool kvm_unmap_begin(struct kvm *kvm, const struct kvm_unmap *u);
void kvm_unmap_end(struct kvm *kvm);

/* User pages [@start, @end) are about to go, and are gone. Take mmu_lock; sleep */
void kvm_mmu_notifier_invalidate_range_start(struct kvm *kvm, u64 start, u64 end);
void kvm_mmu_notifier_invalidate_range_end(struct kvm *kvm, u64 start, u64 end);
/* Were they used? From now on they count as not used. No lock (CONFIG_KVM_MMU_LOCKLESS_AGING) */
bool kvm_mmu_notifier_clear_flush_young(struct kvm *kvm, u64 start, u64 end);
bool kvm_mmu_notifier_test_young(struct kvm *kvm, u64 start, u64 end);	/* changes nothing */

/* kvm_vm_set_mem_attributes - 0 or -errno; takes slots_lock */
int kvm_vm_set_mem_attributes(struct kvm *kvm, u64 start, u64 end, bool private);

/* --- life: kvm_vm.c ------------------------------------------------------------------- */

/* kmmu_setup.c, no steps: what reports call the TD at kvm->tdr, and what runs in @vcpu */
void kvm_name_td(const struct kvm *kvm);
void kvm_give_guest(const struct kvm_vcpu *vcpu);

bool cpu_online(u16 cpu);		/* one step */
/* kvm_call_on_cpu - @fn(@arg) there, waited for; nothing if it is offline. Interrupts on */
void kvm_call_on_cpu(u16 cpu, void (*fn)(void *), void *arg);
int kvm_cpu_offline(u16 cpu);		/* 0; -EINVAL: it is offline; sleeps */

/* kvm_leak_page - it is never given back; 0 as @hpa is nothing */
void kvm_leak_page(struct kvm *kvm, u64 hpa, const char *what);
void kvm_leak_pages(struct kvm *kvm, const u64 *hpa, u32 n, const char *what);

/* kvm_vcpu_alloc, kvm_vcpu_publish - halves of creating one; set-up does them at once */
struct kvm_vcpu *kvm_vcpu_alloc(struct kvm *kvm, u16 id);
void kvm_vcpu_publish(struct kvm *kvm, struct kvm_vcpu *vcpu);
int kvm_vm_ioctl_create_vcpu(struct kvm *kvm, u16 id);	/* 0, -EINVAL, -EIO, -EEXIST */
void kvm_vcpu_release(struct kvm_vcpu *vcpu);
/* kvm_put_kvm - the last one destroys the VM; sleeps */
void kvm_put_kvm(struct kvm *kvm);

/* kvm_fget - false: closed. kvm_fput - the last one after kvm_close() releases; may sleep */
void kvm_file_init(struct kvm_file *f, void (*release)(void *of), void *of);
bool kvm_fget(struct kvm_file *f);
void kvm_fput(struct kvm_file *f);
/* kvm_fget_active - false: nobody uses it any more; the end of what this gives may be: */
bool kvm_fget_active(struct kvm_file *f);
void kvm_fput_later(struct kvm *kvm, struct kvm_file *f);
/* kvm_task_work - what kvm_fput_later() has left to do; sleeps */
void kvm_task_work(struct kvm *kvm);
int kvm_close(struct kvm_file *f);	/* 0, -EBADF */
