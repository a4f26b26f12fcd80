/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Of arch/x86/kvm/vmx/{vmx,capabilities,posted_intr}.h what tdx.c uses. A vCPU of a TD is no
 * vcpu_vmx: the structure is here because a header of the tree speaks of it.
 */
#include "septsim/kvm.h"
#include <asm/vmx.h>
#include "common.h"

struct vcpu_vmx {
	struct kvm_vcpu vcpu;
	struct vcpu_vt vt;
	void *guest;		/* ours: host_vmx.c's */
	gpa_t exit_gpa;
};
static inline struct vcpu_vt *to_vt(struct kvm_vcpu *vcpu)
{
	return &container_of(vcpu, struct vcpu_vmx, vcpu)->vt;
}
#define vmx_get_exit_reason(v) (to_vt(v)->exit_reason)
#define vmx_get_exit_qual(v) (to_vt(v)->exit_qualification)
#define vmx_get_intr_info(v) (to_vt(v)->exit_intr_info)
extern bool enable_ept, enable_ept_ad_bits, enable_mbec, enable_unrestricted_guest, enable_pml;
#define cpu_has_vmx_ept_5levels() true
#define ept_sync_global() ksim_ept_sync_global()
void vmx_vcpu_pi_load(struct kvm_vcpu *v, int cpu);
void vmx_vcpu_pi_put(struct kvm_vcpu *v);
#define pi_has_pending_interrupt(v) false
#define is_nmi(i) (((i) & 0x700) == 0x200)
#define is_machine_check(i) false
