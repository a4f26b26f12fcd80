/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * vmx/main.c: which of the two kinds of VM an operation is for, and vmx.c, the one without
 * TDX. The other is tdx.h.
 */
#include "kvmmmu/own/kvm_host.h"
#include "kvmmmu/vmx_guest.h"

/* vcpu->mutex held, interrupts on */
void vt_vcpu_load(struct kvm_vcpu *vcpu, u16 cpu);
void vt_vcpu_put(struct kvm_vcpu *vcpu);
int vt_vcpu_pre_run(struct kvm_vcpu *vcpu);		/* 1, or -EINVAL */
void vt_prepare_switch_to_guest(struct kvm_vcpu *vcpu);	/* interrupts still on */
enum fastpath vt_vcpu_run(struct kvm_vcpu *vcpu);	/* interrupts off */
/* 1: go on, 0: to user space, negative: errno. SRCU held */
int vt_handle_exit(struct kvm_vcpu *vcpu, enum fastpath fastpath);
/* 0, or -EIO of a VM that died of it */
int vt_load_mmu_pgd(struct kvm_vcpu *vcpu);
void vt_flush_tlb_current(struct kvm_vcpu *vcpu);
void vt_flush_tlb_all(struct kvm_vcpu *vcpu);

/* pferr_of - an EPT violation's error code (__vmx_handle_ept_violation()) */
u64 pferr_of(u64 exit_qualification);

/* --- vmx.c ---------------------------------------------------------------------------- */

struct vmx_guest *vmx_vcpu_create(struct kvm *kvm);
void vmx_vcpu_free(struct kvm_vcpu *vcpu);
void vmx_update_cpu_dirty_logging(struct kvm_vcpu *vcpu);
void vmx_vcpu_load(struct kvm_vcpu *vcpu, u16 cpu);
enum fastpath vmx_vcpu_run(struct kvm_vcpu *vcpu);
int vmx_handle_exit(struct kvm_vcpu *vcpu);
void vmx_load_mmu_pgd(struct kvm_vcpu *vcpu);
void vmx_flush_tlb_current(struct kvm_vcpu *vcpu);
