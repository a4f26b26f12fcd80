/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What the files of the kernel half share among themselves; compiled against the tree.
 */
#include "kvmmmu/kernel/ktree.h"

struct kvm;
struct kvm_vcpu;
struct kvm_memory_slot;

#define ktree_is_td(kvm) ((kvm)->arch.vm_type == KVM_X86_TDX_VM)

int ktree_boot_x86(int ad);
/* where the running actor's loop over pages is: all that it remembers at the loop's head */
void ktree_loop_at(unsigned long at);
void ktree_boot_mmu(void);
int ktree_boot_main(void);
int ktree_boot_tdx(void);
int ktree_boot_virt(void);
int ktree_service_requests(struct kvm_vcpu *vcpu);
int ktree_vcpu_run_loop(struct kvm_vcpu *vcpu);
/* what a tracepoint began as a seam ends here; is one under way? */
bool ktree_in_seam(struct kvm_vcpu *vcpu);
void ktree_seam_end(struct kvm_vcpu *vcpu, int ret);
unsigned int ktree_tdx_vm_size(void);
unsigned int ktree_tdx_vcpu_size(void);
int ktree_td_fault(struct kvm_vcpu *vcpu, unsigned long gfn, int is_shared);
void ktree_td_regions(struct kvm *kvm);
void ktree_td_vcpu_regions(struct kvm_vcpu *vcpu);
unsigned int ktree_vmx_vcpu_size(void);
int ktree_vmx_create(struct kvm_vcpu *vcpu);
void ktree_vmx_free(struct kvm_vcpu *vcpu);
void ktree_vmx_load(struct kvm_vcpu *vcpu, int cpu);
void ktree_vmx_unload(struct kvm_vcpu *vcpu);
void ktree_vmx_load_pgd(struct kvm_vcpu *vcpu, unsigned long root);
void ktree_vmx_flush_current(struct kvm_vcpu *vcpu);
void ktree_vmx_update_logging(struct kvm_vcpu *vcpu);
void ktree_vmx_run(struct kvm_vcpu *vcpu);
int ktree_vmx_handle_exit(struct kvm_vcpu *vcpu);
int ktree_vmx_fault(struct kvm_vcpu *vcpu, unsigned long gfn);
int kvm_emulate_halt_noskip(struct kvm_vcpu *vcpu);
struct page;
bool ksim_get_page_unless_zero(struct page *p);
int ksim_user_init(struct kvm *kvm, unsigned long pages, int huge);
/* user pages [start, end) go: their entries, and then, behind the notifiers' end, they */
void ksim_user_clear(struct kvm *kvm, unsigned long start, unsigned long end);
void ksim_user_release(void);
void ktree_notify_start(struct kvm *kvm, unsigned long start, unsigned long end);
void ktree_notify_end(struct kvm *kvm, unsigned long start, unsigned long end);
void ktree_td_check_end(struct kvm *kvm);
void ksim_vm_gone(void *kvm);
