/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * vmx/tdx.c: the S-EPT hooks of the mirror MMU (tdx.c) and the vCPU's side (tdx_vcpu.c).
 * The one place of KVM that calls the module.
 */
#include "kvmmmu/own/kvm_host.h"
#include "kvmmmu/own/tdx_errno.h"

struct kvm_mmu_page;

/* One SEAMCALL with its operands, and what it is about. On the caller's stack. */
struct tdx_call {
	u64 leaf;
	u64 rcx, rdx, r8;
	u64 gfn;		/* for reports; NO_GFN: none */
};

/* tdx_call - make it once; RAX. What KVM's wrapper adds (cache flushes) is charged. */
u64 tdx_call(struct kvm *kvm, struct tdx_call *call);
/*
 * tdh_do_no_vcpus - group 3 of the merged policies: once; if busy, raise the entry gate,
 * kick all vCPUs out and wait, once more, lower the gate. mmu_lock held for write.
 */
u64 tdh_do_no_vcpus(struct kvm *kvm, struct tdx_call *call);
/* Its halves: gate up, all vCPUs kicked out and waited for; gate down (v6.16's names) */
void tdx_no_vcpus_enter_start(struct kvm *kvm);
void tdx_no_vcpus_enter_stop(struct kvm *kvm);
/* tdx_promised - @err of a call that was made behind the gate: busy is a broken promise */
u64 tdx_promised(struct kvm *kvm, const struct tdx_call *call, u64 err);

/*
 * tdx_sept_set_private_spte - the module's entry of @gfn goes from @old to @new.
 * 0; -EBUSY: the module was busy, nothing changed; -EAGAIN (v19); -EIO: the VM is dead
 */
int tdx_sept_set_private_spte(struct kvm *kvm, u64 gfn, u64 old, u64 new, u8 level);
/* remove_external_spte - v6.16's way to take a leaf down; an error is KVM_BUG_ON */
void remove_external_spte(struct kvm *kvm, u64 gfn, u64 old, u8 level);
void tdx_sept_free_private_spt(struct kvm *kvm, struct kvm_mmu_page *sp);
/* tdx_track - TDH.MEM.TRACK and the kick that follows it; mmu_lock held for write */
void tdx_track(struct kvm *kvm);

/* vcpu->mutex held; interrupts on */
void tdx_vcpu_load(struct kvm_vcpu *vcpu, u16 cpu);
enum fastpath tdx_vcpu_run(struct kvm_vcpu *vcpu);	/* interrupts off */
/* tdx_handle_exit - 1: go on, 0: to user space, negative: errno. SRCU held */
int tdx_handle_exit(struct kvm_vcpu *vcpu, enum fastpath fastpath);
/*
 * tdx_handle_private_fault - the EPT violation of a private access: RET_PF_* or -errno,
 * with the policy's local retries. SRCU held.
 */
int tdx_handle_private_fault(struct kvm_vcpu *vcpu, u64 gfn);
