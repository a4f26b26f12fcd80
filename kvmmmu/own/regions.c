// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's shared words by name. mirror[gfn] is registered with each table (tdp_mmu.c), locks
 * register themselves.
 */
#include "kvmmmu/own/regions.h"

#include "kvmmmu/regions.h"
#include "sim/engine/region.h"

static void one(const struct kvm *kvm, enum kvm_region t, void *p, u8 size, u64 index)
{
	region_add(&(struct region){ .type = &kvm_region_types[t], .base = p, .count = 1, .stride = size,
				     .size = size, .index = index, .step = 1,
				     .owner = kvm->name });
}

void kvm_vm_regions(struct kvm *kvm)
{
	one(kvm, KVM_REGION_GATE, &kvm->wait_for_sept_zap, 4, 0);
	one(kvm, KVM_REGION_STATE, &kvm->td_state, 4, 0);
	one(kvm, KVM_REGION_SEQ, &kvm->mmu_invalidate_seq, 8, 0);
	one(kvm, KVM_REGION_IN_PROGRESS, &kvm->mmu_invalidate_in_progress, 8, 0);
	one(kvm, KVM_REGION_RANGE_START, &kvm->mmu_invalidate_range_start, 8, 0);
	one(kvm, KVM_REGION_RANGE_END, &kvm->mmu_invalidate_range_end, 8, 0);
	one(kvm, KVM_REGION_MEMSLOTS, &kvm->memslots, 4, 0);
	one(kvm, KVM_REGION_BUGGED, &kvm->vm_bugged, 4, 0);
	one(kvm, KVM_REGION_DEAD, &kvm->vm_dead, 4, 0);
	one(kvm, KVM_REGION_HKID, &kvm->hkid, 2, 0);
	one(kvm, KVM_REGION_PRE_FAULT, &kvm->pre_fault_allowed, 4, 0);
	one(kvm, KVM_REGION_ONLINE_VCPUS, &kvm->online_vcpus, 4, 0);
	one(kvm, KVM_REGION_ROOTS, &kvm->tdp_mmu_roots, 8, 0);
	one(kvm, KVM_REGION_NX_LIST, &kvm->nx_first, 8, 0);
	one(kvm, KVM_REGION_NX_NR, &kvm->nx_nr_shadow, 8, 0);
	one(kvm, KVM_REGION_NX_NR, &kvm->nx_nr, 8, 1);
	one(kvm, KVM_REGION_MN_COUNT, &kvm->mn_active_invalidate_count, 4, 0);
	one(kvm, KVM_REGION_GEN, &kvm->memslots_gen, 4, 0);
}

void kvm_vcpu_regions(struct kvm_vcpu *vcpu)
{
	const struct kvm *kvm = vcpu->kvm;

	one(kvm, KVM_REGION_MODE, &vcpu->mode, 4, vcpu->vcpu_id);
	one(kvm, KVM_REGION_CPU, &vcpu->cpu, 4, vcpu->vcpu_id);
	one(kvm, KVM_REGION_REQUESTS, &vcpu->requests, 8, vcpu->vcpu_id);
	one(kvm, KVM_REGION_CPU_LIST, &vcpu->cpu_list.next, 8, vcpu->vcpu_id);
	one(kvm, KVM_REGION_TDX_STATE, &vcpu->tdx_state, 4, vcpu->vcpu_id);
}

void kvm_vcpu_forget_regions(struct kvm_vcpu *vcpu)
{
	kvm_forget_region(&vcpu->mode);
	kvm_forget_region(&vcpu->cpu);
	kvm_forget_region(&vcpu->requests);
	kvm_forget_region(&vcpu->cpu_list.next);
	kvm_forget_region(&vcpu->tdx_state);
}

void kvm_cpu_region(struct kvm_cpu *c, u16 lp)
{
	region_add(&(struct region){ .type = &kvm_region_types[KVM_REGION_ONLINE], .base = &c->online, .count = 1,
				     .stride = 4, .size = 4, .index = lp, .step = 1 });
}

void kvm_chunk_regions(struct kvm *kvm, struct gfn_chunk *c, u64 gfn)
{
	struct region r = { .count = CHUNK_GFNS, .index = gfn, .step = 1, .owner = kvm->name };

	r.type = &kvm_region_types[KVM_REGION_ATTRIBUTES];
	r.base = c->attributes;
	r.stride = r.size = 1;
	region_add(&r);
	r.type = &kvm_region_types[KVM_REGION_GMEM];
	r.base = c->folio;
	r.stride = r.size = 8;
	region_add(&r);
	r.type = &kvm_region_types[KVM_REGION_USER_PAGES];
	r.base = c->pte;
	region_add(&r);
}

void kvm_memslot_region(struct kvm *kvm, struct kvm_memory_slot *s)
{
	one(kvm, KVM_REGION_SLOT_FLAGS, &s->flags, 4, s->base_gfn);
}

void kvm_dirty_region(struct kvm *kvm, struct kvm_memory_slot *s, u32 n)
{
	region_add(&(struct region){ .type = &kvm_region_types[KVM_REGION_DIRTY_BITMAP], .base = s->dirty_bitmap, .count = n,
				     .stride = 8, .size = 8, .index = s->base_gfn, .step = 64,
				     .owner = kvm->name });
}

void kvm_root_region(struct kvm *kvm, u32 *invalid_word, bool mirror)
{
	one(kvm, mirror ? KVM_REGION_MIRROR_INVALID : KVM_REGION_INVALID, invalid_word, 4, 0);
}

void kvm_forget_region(const void *p)
{
	struct region *r = region_at(p);

	if (r)
		region_remove(r);
}
