/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Of arch/x86/kvm/{x86,regs,cpuid,kvm_emulate,kvm_cache_regs,smm,irq,ioapic,lapic}.h what the
 * MMU and TDX use.
 */
#include <linux/kvm_host.h>
#include <asm/apicdef.h>
#include <asm/posted_intr.h>

extern int itlb_multihit_kvm_mitigation;
/* cpuid.h */
bool guest_cpu_cap_has(struct kvm_vcpu *v, unsigned int f);
bool guest_cpuid_is_amd_compatible(struct kvm_vcpu *v);
int cpuid_query_maxguestphyaddr(struct kvm_vcpu *v);
int cpuid_maxphyaddr(struct kvm_vcpu *v);
#define kvm_cpu_cap_has(f) 0
#define kvm_handle_signal_exit(v) do {} while (0)
bool kvm_vcpu_is_legal_gpa(struct kvm_vcpu *v, gpa_t gpa);
bool kvm_vcpu_is_legal_cr3(struct kvm_vcpu *v, unsigned long cr3);
bool kvm_cpuid(struct kvm_vcpu *v, u32 *a, u32 *b, u32 *c, u32 *d, bool exact);
struct kvm_cpuid_entry2 *kvm_find_cpuid_entry2(struct kvm_cpuid_entry2 *e, int n, u32 f, u64 i);
#define KVM_CPUID_INDEX_NOT_SIGNIFICANT -1ull
/* lapic.h */
u32 kvm_lapic_get_reg(struct kvm_lapic *a, int r);
#define kvm_wait_lapic_expire(v) do {} while (0)
int kvm_apic_set_base(struct kvm_vcpu *v, u64 base, bool host);
struct kvm_lapic { struct kvm_vcpu *vcpu; bool guest_apic_protected; u32 none; };
struct kvm_none;
enum lapic_mode { LAPIC_MODE_X2APIC = 3 };
struct apic { void (*send_IPI_self)(int vector); };
extern struct apic *apic;
