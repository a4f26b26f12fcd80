// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regions: what the words of a kernel tree's KVM are called and whose gfns an operation owns, as
 * the tree says through ksim.h; and what is found by looking at them all.
 */
#include <stdio.h>

#include "kvmmmu/kernel/host.h"
#include "kvmmmu/kernel/ktree.h"
#include "kvmmmu/kernel/linux_priv.h"
#include "kvmmmu/regions.h"
#include "sim/engine/arena.h"
#include "sim/engine/mem.h"
#include "sim/engine/region.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

static enum mirror_class class_of(u64 raw)
{
	struct ktree_spte s;

	ktree_classify(raw, 1, &s);
	if (s.frozen)
		return MIRROR_FROZEN;
	if (s.empty)
		return MIRROR_NONPRESENT;
	if (!s.present)
		return s.mmio ? MIRROR_MMIO : MIRROR_OTHER;
	return raw & 0x38 ? MIRROR_LEAF : MIRROR_TABLE;	/* memory type: of leaves alone */
}

static const char *spte_class(u64 raw)
{
	static const char *const names[] = {
		[MIRROR_NONPRESENT] = "NONPRESENT", [MIRROR_FROZEN] = "FROZEN",
		[MIRROR_LEAF] = "PRESENT", [MIRROR_TABLE] = "TABLE", [MIRROR_MMIO] = "MMIO",
		[MIRROR_OTHER] = "OTHER",
	};

	return names[class_of(raw)];
}

static void spte_describe(u64 raw, char *buf, size_t n)
{
	enum mirror_class c = class_of(raw);
	struct ktree_spte s;

	ktree_classify(raw, 1, &s);
	if (c == MIRROR_LEAF || c == MIRROR_TABLE)
		snprintf(buf, n, "%s pfn 0x%lx", spte_class(raw), s.pfn);
	else if (c == MIRROR_OTHER)
		snprintf(buf, n, "OTHER 0x%llx", (unsigned long long)raw);
	else
		snprintf(buf, n, "%s", spte_class(raw));
}

static const struct region_type
	mirror_type = { .name = "mirror", .class = spte_class, .describe = spte_describe,
			.indexed = true },
	direct_type = { .name = "direct", .class = spte_class, .describe = spte_describe,
			.indexed = true };

/* Linux changes between two sets of memslots by a pointer; which is which, addresses do not say */
static const char *pointer_class(u64 raw)
{
	return raw ? "SET" : "NONE";
}

static const struct region_type
	memslots_type = { .name = "memslots", .class = pointer_class },
	gen_type = { .name = "memslots.generation", .indexed = true };

static const u8 kinds[KSIM_REGIONS] = {
	[KSIM_MODE] = KVM_REGION_MODE, [KSIM_CPU] = KVM_REGION_CPU,
	[KSIM_REQUESTS] = KVM_REGION_REQUESTS, [KSIM_CPU_LIST] = KVM_REGION_CPU_LIST,
	[KSIM_TDX_STATE] = KVM_REGION_TDX_STATE, [KSIM_ONLINE_VCPUS] = KVM_REGION_ONLINE_VCPUS,
	[KSIM_HKID] = KVM_REGION_HKID, [KSIM_PRE_FAULT] = KVM_REGION_PRE_FAULT,
	[KSIM_GATE] = KVM_REGION_GATE, [KSIM_TD_STATE] = KVM_REGION_STATE,
	[KSIM_SEQ] = KVM_REGION_SEQ, [KSIM_IN_PROGRESS] = KVM_REGION_IN_PROGRESS,
	[KSIM_RANGE_START] = KVM_REGION_RANGE_START, [KSIM_RANGE_END] = KVM_REGION_RANGE_END,
	[KSIM_BUGGED] = KVM_REGION_BUGGED, [KSIM_DEAD] = KVM_REGION_DEAD,
	[KSIM_ROOTS] = KVM_REGION_ROOTS, [KSIM_MN_COUNT] = KVM_REGION_MN_COUNT,
	[KSIM_SLOT_FLAGS] = KVM_REGION_SLOT_FLAGS, [KSIM_ATTRIBUTES] = KVM_REGION_ATTRIBUTES,
	[KSIM_GMEM] = KVM_REGION_GMEM, [KSIM_NX_LIST] = KVM_REGION_NX_LIST, [KSIM_NX_NR] = KVM_REGION_NX_NR,
	[KSIM_USER] = KVM_REGION_USER_PAGES,
};

void ksim_region(void *tree, enum ksim_region kind, void *p, unsigned int size,
		 unsigned long count, unsigned long index, unsigned long step, int level)
{
	struct kvm *kvm = tree ? linux_vm_of(tree) : khost()->op_vm[sim_self->id];

	khost_settle();
	for (u64 i = 0; (count == 1 || kind == KSIM_STAT) && i < count; i++)
		khost_name_word((char *)p + i * size, size, kind == KSIM_STAT);
	if (kind == KSIM_STAT)
		return;
	if (kind == KSIM_HKID) {	/* Linux has -1 for none, and scenarios 0 */
		kvm->hkid_word = p;
		p = &kvm->hkid;
	}
	if (kind == KSIM_NX_LIST) {	/* an empty list of Linux points to itself */
		kvm->nx_list = p;
		p = &kvm->nx_first;
	}
	region_add(&(struct region){
		.type = kind == KSIM_MIRROR ? &mirror_type : kind == KSIM_DIRECT ? &direct_type :
			kind == KSIM_MEMSLOTS ? &memslots_type : kind == KSIM_GEN ? &gen_type :
			&kvm_region_types[kinds[kind]],
		.base = p, .count = count, .stride = size, .size = (u8)size, .level = (u8)level,
		.index = index, .step = step, .owner = kvm ? kvm->name : NULL });
}

void ksim_forget_region(void *p)
{
	struct region *r = region_at(p);

	khost_settle();
	if (r)
		region_remove(r);
}

void ksim_own(void *tree, unsigned long gfn, int level, int own)
{
	const struct kvm *kvm = linux_vm_of(tree);
	u64 n = 1ull << (9 * (level - 1)), from = gfn & ~(n - 1);

	struct khost *h = khost();

	khost_settle();
	world_set(h->about[sim_self->id], own == 1 ? gfn + 1 : 0ul);
	if (own == 1)
		trace_own(kvm->name, from, MIN(from + n, kvm->gfns));
	else if (!own)
		trace_disown(kvm->name, from, MIN(from + n, kvm->gfns));
	else {
		world_set(h->owns[sim_self->id].from, from);
		world_set(h->owns[sim_self->id].to, MIN(from + n, kvm->gfns));
	}
}

void khost_disown(struct khost *h)
{
	u64 from = h->owns[sim_self->id].from, to = h->owns[sim_self->id].to;

	world_set(h->owns[sim_self->id].to, 0ull);
	trace_disown(h->op_vm[sim_self->id]->name, from, to);
}

struct search {
	const struct kvm *kvm;
	u64 hpa, gfn;
	bool found;
};

static void search_table(const struct region *r, void *ctx)
{
	struct search *s = ctx;
	u64 size;

	if (s->found || r->type != &direct_type || r->owner != s->kvm->name)
		return;
	size = PAGE_SIZE << (9 * (r->level - 1));
	for (u32 i = 0; i < 512; i++) {
		u64 raw = mem_peek64((const u64 *)r->base + i), page;
		struct ktree_spte e;

		ktree_classify(raw, r->level, &e);
		page = e.pfn << PAGE_SHIFT;
		if (!e.leaf || s->hpa - page >= size)
			continue;
		s->found = true;
		s->gfn = r->index + i * r->step + ((s->hpa - page) >> PAGE_SHIFT);
		return;
	}
}

bool linux_direct_maps(const struct kvm *kvm, u64 hpa, u64 *gfn)
{
	struct search s = { .kvm = kvm, .hpa = hpa };

	region_each(search_table, &s);
	*gfn = s.gfn;
	return s.found;
}
