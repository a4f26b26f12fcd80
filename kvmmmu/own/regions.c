// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's shared words by name. mirror[gfn] is registered with each table (tdp_mmu.c), locks
 * register themselves. A pointer is never shown: only whether there is one.
 */
#include "kvmmmu/own/regions.h"

#include "sim/engine/region.h"

static const char *mode_class(u64 raw)
{
	static const char *const words[] = { "OUTSIDE", "IN_GUEST", "EXITING", "READING_SPT" };

	return raw < ARRAY_SIZE(words) ? words[raw] : "?";
}

static const char *attribute_class(u64 raw)
{
	return raw & KVM_MEMORY_ATTRIBUTE_PRIVATE ? "PRIVATE" : "SHARED";
}

static const char *page_class(u64 raw)
{
	return raw ? "PAGE" : "EMPTY";
}

static const char *slot_class(u64 raw)
{
	return raw & KVM_MEMSLOT_INVALID ? "INVALID" : "VALID";
}

static const struct region_type
	mode = { .name = "vcpu.mode", .class = mode_class, .indexed = true },
	cpu = { .name = "vcpu.cpu", .indexed = true },
	requests = { .name = "vcpu.requests", .indexed = true },
	assoc = { .name = "vcpu.assoc_cpu", .indexed = true },
	gate = { .name = "wait_for_sept_zap" },
	state = { .name = "td_state" },
	seq = { .name = "mmu_invalidate_seq" },
	in_progress = { .name = "mmu_invalidate_in_progress" },
	range_start = { .name = "mmu_invalidate_range_start" },
	range_end = { .name = "mmu_invalidate_range_end" },
	memslots = { .name = "memslots" },
	bugged = { .name = "vm_bugged" },
	dead = { .name = "vm_dead" },
	invalid = { .name = "root.invalid" },
	attributes = { .name = "attributes", .class = attribute_class, .indexed = true },
	gmem = { .name = "gmem", .class = page_class, .indexed = true },
	slot_flags = { .name = "memslot", .class = slot_class, .indexed = true };

static void one(const struct kvm *kvm, const struct region_type *t, void *p, u8 size, u64 index)
{
	region_add(&(struct region){ .type = t, .base = p, .count = 1, .stride = size,
				     .size = size, .index = index, .step = 1,
				     .owner = kvm->name });
}

void kvm_vm_regions(struct kvm *kvm)
{
	one(kvm, &gate, &kvm->wait_for_sept_zap, 4, 0);
	one(kvm, &state, &kvm->td_state, 4, 0);
	one(kvm, &seq, &kvm->mmu_invalidate_seq, 8, 0);
	one(kvm, &in_progress, &kvm->mmu_invalidate_in_progress, 8, 0);
	one(kvm, &range_start, &kvm->mmu_invalidate_range_start, 8, 0);
	one(kvm, &range_end, &kvm->mmu_invalidate_range_end, 8, 0);
	one(kvm, &memslots, &kvm->memslots, 4, 0);
	one(kvm, &bugged, &kvm->vm_bugged, 4, 0);
	one(kvm, &dead, &kvm->vm_dead, 4, 0);
}

void kvm_vcpu_regions(struct kvm_vcpu *vcpu)
{
	const struct kvm *kvm = vcpu->kvm;

	one(kvm, &mode, &vcpu->mode, 4, vcpu->vcpu_id);
	one(kvm, &cpu, &vcpu->cpu, 4, vcpu->vcpu_id);
	one(kvm, &requests, &vcpu->requests, 8, vcpu->vcpu_id);
	one(kvm, &assoc, &vcpu->assoc_cpu, 4, vcpu->vcpu_id);
}

void kvm_chunk_regions(struct kvm *kvm, struct gfn_chunk *c, u64 gfn)
{
	struct region r = { .count = CHUNK_GFNS, .index = gfn, .step = 1, .owner = kvm->name };

	r.type = &attributes;
	r.base = c->attributes;
	r.stride = r.size = 1;
	region_add(&r);
	r.type = &gmem;
	r.base = c->folio;
	r.stride = r.size = 8;
	region_add(&r);
}

void kvm_memslot_region(struct kvm *kvm, struct kvm_memory_slot *s)
{
	one(kvm, &slot_flags, &s->flags, 4, s->base_gfn);
}

void kvm_root_region(struct kvm *kvm, u32 *invalid_word)
{
	one(kvm, &invalid, invalid_word, 4, 0);
}

void kvm_forget_region(const void *p)
{
	struct region *r = region_at(p);

	if (r)
		region_remove(r);
}
