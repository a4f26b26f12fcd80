/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * vmx/tdx.c: the S-EPT hooks of the mirror MMU (tdx.c) and the vCPU's side (tdx_vcpu.c).
 * The one place of KVM that calls the module.
 */
#include "kvmmmu/own/kvm_host.h"
#include "kvmmmu/own/tdx_errno.h"

struct kvm_mmu_page;

/* Posted interrupts are set up and never used (K5): a descriptor for each vCPU at hpa 0 and on */
#define POSTED_INTR_VECTOR		0xf2u
#define PIN_BASED_POSTED_INTR		(1u << 7)

static inline u64 vcpu_pi_desc(const struct kvm_vcpu *vcpu)
{
	return 64ull * vcpu->vcpu_id;
}

/* Of a physical address, as the module is configured (tdxmod/module.h) */
#define HKID_SHIFT		(world_phys_size() > BIT_ULL(40) ? 46u : 40u)
#define TDX_GLOBAL_KEYID	32u	/* the module's own; those of TDs follow */
#define FIRST_HKID		33u
#define LAST_HKID		64u	/* not this one */
#define TDX_CONFIG_FLAGS_NO_RBP_MOD	BIT_ULL(2)	/* of TD_PARAMS */

/* One SEAMCALL with its operands, and what it is about. On the caller's stack. */
struct tdx_call {
	u64 leaf;
	u64 rcx, rdx, r8, r9;
	u64 gfn;		/* for reports; NO_GFN: none */
};

/* tdx_call - make it once; RAX. What KVM's wrapper adds (cache flushes) is charged. */
u64 tdx_call(struct kvm *kvm, struct tdx_call *call);
/* tdx_bug_on - TDX_BUG_ON(): KVM_BUG_ON with the leaf and its status; @err != 0 is returned */
bool tdx_bug_on(struct kvm *kvm, u64 err, const struct tdx_call *call);
/* tdx_warn_on - TDX_BUG_ON() without a VM: a warning */
void tdx_warn_on(u64 err, const struct tdx_call *call);
bool is_hkid_assigned(struct kvm *kvm);		/* one step */
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

/* --- association: tdx_assoc.c --- */

struct tdx_flush_vp_arg {	/* err is the handler's answer */
	struct kvm_vcpu *vcpu;
	u64 err;
};

/* vcpu->mutex held; interrupts on */
void tdx_vcpu_load(struct kvm_vcpu *vcpu, u16 cpu);
void tdx_vcpu_put(struct kvm_vcpu *vcpu);	/* tdx_vcpu.c; outside of guest mode */
/* tdx_flush_vp_on_cpu - end the association wherever it is; interrupts on */
void tdx_flush_vp_on_cpu(struct kvm_vcpu *vcpu);
/* tdx_disable_virtualization_cpu - this LP goes down: no vCPU belongs to it any more */
void tdx_disable_virtualization_cpu(void);

/* --- the TD's life: tdx_td.c, tdx_teardown.c --- */

/* KVM_TDX_INIT_VM, KVM_TDX_FINALIZE_VM, KVM_TDX_INIT_VCPU, KVM_TDX_INIT_MEM_REGION: 0, -errno */
int tdx_vm_ioctl_init_vm(struct kvm *kvm);
int tdx_vm_ioctl_finalize(struct kvm *kvm);
/* tdx_vm_ioctl_terminate - the VM is dead and its HKID gone. -EBUSY: a vCPU runs */
int tdx_vm_ioctl_terminate(struct kvm *kvm);
int tdx_vcpu_ioctl_init_vcpu(struct kvm_vcpu *vcpu);
int tdx_vcpu_ioctl_init_mem_region(struct kvm_vcpu *vcpu, u64 start, u64 end);

int tdx_vcpu_init_mem_region(struct kvm_vcpu *vcpu, u64 start, u64 end);
/* tdx_gmem_post_populate - map and add one page; slots_lock, filemap_invalidate_lock held */
int tdx_gmem_post_populate(struct kvm_vcpu *vcpu, u64 gfn, u64 hpa, u64 src);
/* tdx_mem_page_add - of a mirror leaf before MR.FINALIZE: 0, -EBUSY, -EIO */
int tdx_mem_page_add(struct kvm *kvm, u64 gfn, u64 hpa);

int tdx_vcpu_create(struct kvm_vcpu *vcpu);		/* 0, -EIO */
void tdx_vcpu_free(struct kvm_vcpu *vcpu);		/* reclaims TDCX, TDVPR */
/* tdx_mmu_release_hkid - flush all vCPUs, write caches back, free the HKID; sleeps */
void tdx_mmu_release_hkid(struct kvm *kvm);
void tdx_reclaim_td_control_pages(struct kvm *kvm);
void tdx_vm_destroy(struct kvm *kvm);
/* tdx_reclaim_page - 0, or -EIO: the page leaks. tdx_reclaim_control_page - frees it, too */
int tdx_reclaim_page(struct kvm *kvm, u64 hpa);
void tdx_reclaim_control_page(struct kvm *kvm, u64 hpa);
void tdx_quirk_reset_paddr(struct kvm *kvm);	/* of one page: cost only */

/* tdx_guest_keyid_alloc - 0: none is free */
u16 tdx_guest_keyid_alloc(void);
void tdx_hkid_free(struct kvm *kvm);

/* --- running --- */

/*
 * tdx_load_mmu_pgd - the shared root into the TDVPS, by TDH.VP.WR, which associates; -EIO: the
 * VM died of it
 */
int tdx_load_mmu_pgd(struct kvm_vcpu *vcpu, u64 root_hpa);
int tdx_vcpu_pre_run(struct kvm_vcpu *vcpu);		/* 1, or -EINVAL */
void tdx_prepare_switch_to_guest(struct kvm_vcpu *vcpu);	/* interrupts still on */
enum fastpath tdx_vcpu_run(struct kvm_vcpu *vcpu);	/* interrupts off */
/* tdx_handle_exit - 1: go on, 0: to user space, negative: errno. SRCU held */
int tdx_handle_exit(struct kvm_vcpu *vcpu, enum fastpath fastpath);
/*
 * tdx_handle_private_fault - the EPT violation of a private access: RET_PF_* or -errno,
 * with the policy's local retries. SRCU held.
 */
int tdx_handle_private_fault(struct kvm_vcpu *vcpu, u64 gfn);
