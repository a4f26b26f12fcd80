/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What the files of the kernel half share among themselves; compiled against the tree.
 */
#include "kvmmmu/kernel/ktree.h"

struct kvm;
struct kvm_vcpu;
struct kvm_memory_slot;

int ktree_boot_x86(void);
int ktree_boot_main(void);
int ktree_boot_tdx(void);
int ktree_boot_virt(void);
int ktree_service_requests(struct kvm_vcpu *vcpu);
int ktree_vcpu_run_loop(struct kvm_vcpu *vcpu);
/* what a tracepoint began as a seam ends here */
void ktree_seam_end(struct kvm_vcpu *vcpu, int ret);
unsigned int ktree_tdx_vm_size(void);
unsigned int ktree_tdx_vcpu_size(void);
int ktree_td_fault(struct kvm_vcpu *vcpu, unsigned long gfn, int is_shared);
void ktree_td_regions(struct kvm *kvm);
void ktree_td_vcpu_regions(struct kvm_vcpu *vcpu);
void ksim_user_clear(unsigned long addr);
void ksim_user_release(void);
void ktree_td_check_end(struct kvm *kvm);
void ksim_vm_gone(void *kvm);
