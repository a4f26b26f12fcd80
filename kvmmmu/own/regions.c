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

/* Not where it points to: whether it is on a list */
static const char *list_class(u64 raw)
{
	return raw && raw != LIST_POISON1 ? "LISTED" : "OFF";
}

static const char *vcpu_state_class(u64 raw)
{
	return raw ? "INITIALIZED" : "UNINITIALIZED";
}

static const char *td_state_class(u64 raw)
{
	static const char *const words[] = { "UNINITIALIZED", "INITIALIZED", "RUNNABLE" };

	return raw < ARRAY_SIZE(words) ? words[raw] : "?";
}

static const struct region_type
	mode = { .name = "vcpu.mode", .class = mode_class, .indexed = true },
	cpu = { .name = "vcpu.cpu", .indexed = true },
	requests = { .name = "vcpu.requests", .indexed = true },
	cpu_list = { .name = "vcpu.cpu_list", .class = list_class, .indexed = true },
	tdx_state = { .name = "vcpu.tdx_state", .class = vcpu_state_class, .indexed = true },
	online_vcpus = { .name = "online_vcpus" },
	hkid = { .name = "hkid" },
	pre_fault = { .name = "pre_fault_allowed" },
	online = { .name = "cpu_online", .indexed = true },
	gate = { .name = "wait_for_sept_zap" },
	state = { .name = "td_state", .class = td_state_class },
	seq = { .name = "mmu_invalidate_seq" },
	in_progress = { .name = "mmu_invalidate_in_progress" },
	range_start = { .name = "mmu_invalidate_range_start" },
	range_end = { .name = "mmu_invalidate_range_end" },
	memslots = { .name = "memslots" },
	bugged = { .name = "vm_bugged" },
	dead = { .name = "vm_dead" },
	invalid = { .name = "root.invalid" },
	mirror_invalid = { .name = "mirror_root.invalid" },
	roots = { .name = "tdp_mmu_roots", .class = page_class },
	nx_list = { .name = "possible_nx_huge_pages", .class = page_class },
	mn_count = { .name = "mn_active_invalidate_count" },
	gen = { .name = "memslots.generation" },
	user_pages = { .name = "user", .class = page_class, .indexed = true },
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
	one(kvm, &hkid, &kvm->hkid, 2, 0);
	one(kvm, &pre_fault, &kvm->pre_fault_allowed, 4, 0);
	one(kvm, &online_vcpus, &kvm->online_vcpus, 4, 0);
	one(kvm, &roots, &kvm->tdp_mmu_roots, 8, 0);
	one(kvm, &nx_list, &kvm->nx_first, 8, 0);
	one(kvm, &mn_count, &kvm->mn_active_invalidate_count, 4, 0);
	one(kvm, &gen, &kvm->memslots_gen, 4, 0);
}

void kvm_vcpu_regions(struct kvm_vcpu *vcpu)
{
	const struct kvm *kvm = vcpu->kvm;

	one(kvm, &mode, &vcpu->mode, 4, vcpu->vcpu_id);
	one(kvm, &cpu, &vcpu->cpu, 4, vcpu->vcpu_id);
	one(kvm, &requests, &vcpu->requests, 8, vcpu->vcpu_id);
	one(kvm, &cpu_list, &vcpu->cpu_list.next, 8, vcpu->vcpu_id);
	one(kvm, &tdx_state, &vcpu->tdx_state, 4, vcpu->vcpu_id);
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
	region_add(&(struct region){ .type = &online, .base = &c->online, .count = 1,
				     .stride = 4, .size = 4, .index = lp, .step = 1 });
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
	r.type = &user_pages;
	r.base = c->pte;
	region_add(&r);
}

void kvm_memslot_region(struct kvm *kvm, struct kvm_memory_slot *s)
{
	one(kvm, &slot_flags, &s->flags, 4, s->base_gfn);
}

void kvm_root_region(struct kvm *kvm, u32 *invalid_word, bool mirror)
{
	one(kvm, mirror ? &mirror_invalid : &invalid, invalid_word, 4, 0);
}

void kvm_forget_region(const void *p)
{
	struct region *r = region_at(p);

	if (r)
		region_remove(r);
}
