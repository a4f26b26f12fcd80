/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Names of KVM's shared words: what a schedule and a trace call them (regions.c).
 */
#include "kvmmmu/own/kvm_host.h"

void kvm_vm_regions(struct kvm *kvm);
void kvm_root_region(struct kvm *kvm, u32 *invalid_word, bool mirror);
void kvm_vcpu_regions(struct kvm_vcpu *vcpu);
void kvm_vcpu_forget_regions(struct kvm_vcpu *vcpu);
void kvm_cpu_region(struct kvm_cpu *c, u16 lp);
void kvm_chunk_regions(struct kvm *kvm, struct gfn_chunk *c, u64 gfn);
void kvm_memslot_region(struct kvm *kvm, struct kvm_memory_slot *s);
void kvm_dirty_region(struct kvm *kvm, struct kvm_memory_slot *s, u32 n);	/* @n words of its bitmap */
/* kvm_forget_region - before the word at @p is freed */
void kvm_forget_region(const void *p);
