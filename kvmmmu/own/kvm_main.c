// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests, the kick, invalidation windows, attributes. Rests on virt/kvm/kvm_main.c and
 * include/linux/kvm_host.h of v7.2. smp_wmb() and smp_rmb() are nothing on x86, and a
 * LOCKed operation is a full barrier: where the kernel has one, a comment says so.
 */
#include "kvmmmu/own/kvm_main.h"

#include <inttypes.h>
#include <stdio.h>

#include "kvmmmu/own/mmu.h"
#include "kvmmmu/own/tdp_mmu.h"
#include "sim/engine/check.h"
#include "sim/engine/hash.h"
#include "sim/engine/lp.h"
#include "sim/engine/mem.h"
#include "sim/engine/sim.h"
#include "sim/engine/task.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

/* --- page->private ------------------------------------------------------------------- */

u64 kvm_page_private(u64 hpa)
{
	const struct kvm_host *host = sim_layer(sim_current(), LAYER_KVM);
	const u64 *leaf = (const u64 *)mem_peek64(&host->private[hpa >> 21]);

	return leaf ? leaf[hpa >> PAGE_SHIFT & 511] : 0;
}

void kvm_page_set_private(u64 hpa, u64 value)
{
	struct kvm_host *host = sim_layer(sim_current(), LAYER_KVM);
	u64 **slot = &host->private[hpa >> 21];
	u64 *leaf = (u64 *)mem_peek64(slot), was;

	if (!leaf) {
		leaf = world_alloc(512 * sizeof(u64));
		was = mem_cmpxchg64(slot, 0, (u64)leaf);
		if (was) {
			world_free(leaf, 512 * sizeof(u64));
			leaf = (u64 *)was;
		}
	}
	world_set(leaf[hpa >> PAGE_SHIFT & 511], value);
}

/* --- operations ----------------------------------------------------------------------- */

void kvm_op_begin(struct kvm *kvm, u64 what, u64 a, u64 b)
{
	u64 key = hash_fold(hash_fold(ptr_to_phys(kvm), what, a), what, b);

	world_set(kvm->op_key[actor_self()->id], key);
	actor_forget(key);
}

void kvm_forget_at(struct kvm *kvm, u64 loop, u64 a, const struct site *site)
{
	actor_forget_at(site, hash_fold(kvm->op_key[actor_self()->id], loop, a));
}

u64 kvm_within(struct kvm *kvm)
{
	u64 was = kvm->op_key[actor_self()->id];

	world_set(kvm->op_key[actor_self()->id], actor_self()->key);
	return was;
}

void kvm_without(struct kvm *kvm, u64 was)
{
	world_set(kvm->op_key[actor_self()->id], was);
}

void kvm_op_end(struct kvm *kvm)
{
	kvm_task_work(kvm);
	actor_progress(PROGRESS_OP);
}

const char *kvm_where(u64 gfn, char *buf, size_t n)
{
	if (gfn == NO_GFN)
		return "";
	snprintf(buf, n, "0x%" PRIx64, gfn);
	return buf;
}

/* --- KVM_BUG_ON ----------------------------------------------------------------------- */

void kvm_vm_dead(struct kvm *kvm)
{
	mem_write32(&kvm->vm_dead, 1);
	kvm_make_all_cpus_request(kvm, KVM_REQ_VM_DEAD);
}

bool kvm_bug_on(struct kvm *kvm, bool cond, u64 gfn, const char *what)
{
	char where[24];

	if (likely(!cond))
		return false;
	if (mem_read32(&kvm->vm_bugged))	/* WARN_ON_ONCE(!kvm->vm_bugged) */
		return true;
	check_fail("kvm-bug", kvm_where(gfn, where, sizeof(where)), "%s", what);
	mem_write32(&kvm->vm_bugged, 1);
	kvm_vm_dead(kvm);
	return true;
}

bool kvm_warn_on(bool cond, u64 gfn, const char *what)
{
	char where[24];

	if (unlikely(cond))
		check_fail("kvm-warn", kvm_where(gfn, where, sizeof(where)), "%s", what);
	return cond;
}

/* --- requests ------------------------------------------------------------------------- */

bool kvm_request_pending(struct kvm_vcpu *vcpu)
{
	return mem_read64(&vcpu->requests);
}

bool kvm_test_request(u32 req, struct kvm_vcpu *vcpu)
{
	return mem_read64(&vcpu->requests) >> (req & KVM_REQUEST_MASK) & 1;
}

bool kvm_check_request(u32 req, struct kvm_vcpu *vcpu)
{
	u32 bit = req & KVM_REQUEST_MASK;

	if (!(mem_read64(&vcpu->requests) >> bit & 1))
		return false;
	mem_btr64(&vcpu->requests, bit);	/* smp_mb__after_atomic() */
	return true;
}

void kvm_clear_request(u32 req, struct kvm_vcpu *vcpu)
{
	mem_btr64(&vcpu->requests, req & KVM_REQUEST_MASK);
}

/* kvm_request_needs_ipi(): IN_GUEST becomes EXITING; the cmpxchg is the full barrier */
static bool kvm_request_needs_ipi(struct kvm_vcpu *vcpu, u32 req)
{
	u32 mode = mem_cmpxchg32(&vcpu->mode, IN_GUEST_MODE, EXITING_GUEST_MODE);

	if (req & KVM_REQUEST_WAIT)	/* also for READING_SHADOW_PAGE_TABLES */
		return mode != OUTSIDE_GUEST_MODE;
	return mode == IN_GUEST_MODE;
}

/* kvm_make_vcpu_request(): vcpu->cpu is read after mode; the own LP and none are skipped */
static bool kvm_make_vcpu_request(struct kvm_vcpu *vcpu, u32 req, struct lp_mask *mask)
{
	u32 cpu;

	if (!(req & KVM_REQUEST_NO_ACTION))	/* smp_wmb() */
		mem_bts64(&vcpu->requests, req & KVM_REQUEST_MASK);
	if (!kvm_request_needs_ipi(vcpu, req))
		return false;
	cpu = mem_read32(&vcpu->cpu);
	if (cpu == NO_CPU || cpu == lp_self())
		return false;
	lp_mask_set(mask, cpu);
	trace_kick("requested", vcpu->vcpu_id);
	return true;
}

/* ack_kick(): the interrupt itself is the point */
static void ack_kick(void *arg)
{
}

bool kvm_make_all_cpus_request(struct kvm *kvm, u32 req)
{
	struct lp_mask mask = { 0 };
	bool any = false;
	u32 i, n;

	trace_call("kvm_make_all_cpus_request", req & KVM_REQUEST_MASK);
	n = kvm_online_vcpus(kvm);
	for (i = 0; i < n; i++)
		any |= kvm_make_vcpu_request(kvm->vcpus[i], req, &mask);
	count(COUNT_KICKS, 1);
	if (any)	/* kvm_kick_many_cpus() */
		smp_call_function_many(&mask, ack_kick, NULL, req & KVM_REQUEST_WAIT);
	else
		trace_observe("kick-idle", req & KVM_REQUEST_MASK);
	trace_return("kvm_make_all_cpus_request", req & KVM_REQUEST_MASK, any);
	return any;
}

/*
 * kvm_vcpu_kick(), __kvm_vcpu_kick(): a reschedule IPI that nobody waits for, which here is a
 * call that does nothing
 */
void kvm_vcpu_kick(struct kvm_vcpu *vcpu)
{
	u32 cpu;

	/* kvm_vcpu_exiting_guest_mode() */
	if (mem_cmpxchg32(&vcpu->mode, IN_GUEST_MODE, EXITING_GUEST_MODE) != IN_GUEST_MODE)
		return;
	cpu = mem_read32(&vcpu->cpu);
	if (cpu != NO_CPU && cpu != lp_self())
		smp_call_function_single((u16)cpu, ack_kick, NULL, false);
}

void kvm_flush_remote_tlbs(struct kvm *kvm)
{
	kvm_make_all_cpus_request(kvm, KVM_REQ_TLB_FLUSH);
	world_set(kvm->flush_owed[actor_self()->id], 0);
}

/* --- invalidation --------------------------------------------------------------------- */

void kvm_mmu_invalidate_start(struct kvm *kvm)
{
	u64 n;

	lockdep_assert_held_write(&kvm->mmu_lock);
	n = mem_read64(&kvm->mmu_invalidate_in_progress);
	mem_write64(&kvm->mmu_invalidate_in_progress, n + 1);
	if (n == 0) {
		mem_write64(&kvm->mmu_invalidate_range_start, INVALID_GFN);
		mem_write64(&kvm->mmu_invalidate_range_end, INVALID_GFN);
	}
}

/* Concurrent windows merge to one interval. */
void kvm_mmu_invalidate_range_add(struct kvm *kvm, u64 start, u64 end)
{
	u64 s, e;

	lockdep_assert_held_write(&kvm->mmu_lock);
	kvm_warn_on(!mem_peek64(&kvm->mmu_invalidate_in_progress), start,
		    "a range outside of an invalidation");
	s = mem_read64(&kvm->mmu_invalidate_range_start);
	if (s == INVALID_GFN) {
		mem_write64(&kvm->mmu_invalidate_range_start, start);
		mem_write64(&kvm->mmu_invalidate_range_end, end);
		return;
	}
	e = mem_read64(&kvm->mmu_invalidate_range_end);
	mem_write64(&kvm->mmu_invalidate_range_start, MIN(s, start));
	mem_write64(&kvm->mmu_invalidate_range_end, MAX(e, end));
}

void kvm_mmu_invalidate_end(struct kvm *kvm)
{
	u64 n;

	lockdep_assert_held_write(&kvm->mmu_lock);
	n = mem_read64(&kvm->mmu_invalidate_seq);
	mem_write64(&kvm->mmu_invalidate_seq, n + 1);
	/* smp_wmb(): seq before in_progress, for the lockless check */
	n = mem_read64(&kvm->mmu_invalidate_in_progress);
	mem_write64(&kvm->mmu_invalidate_in_progress, n - 1);
	kvm_bug_on(kvm, n == 0, NO_GFN, "mmu_invalidate_in_progress below zero");
	kvm_warn_on(mem_peek64(&kvm->mmu_invalidate_range_start) == INVALID_GFN, NO_GFN,
		    "an invalidation without a range");
}

static bool in_invalidate_range(struct kvm *kvm, u64 gfn)
{
	u64 start, end;

	if (!mem_read64(&kvm->mmu_invalidate_in_progress))
		return false;
	start = mem_read64(&kvm->mmu_invalidate_range_start);
	if (gfn < start)
		return false;
	end = mem_read64(&kvm->mmu_invalidate_range_end);
	return gfn < end;
}

bool mmu_invalidate_retry_gfn_unsafe(struct kvm *kvm, u64 seq, u64 gfn)
{
	if (in_invalidate_range(kvm, gfn))
		return true;
	return mem_read64(&kvm->mmu_invalidate_seq) != seq;
}

bool mmu_invalidate_retry_gfn(struct kvm *kvm, u64 seq, u64 gfn)
{
	lockdep_assert_held(&kvm->mmu_lock.info);
	/* A count without a range: mmu_lock was dropped between the two */
	if (kvm_warn_on(mem_peek64(&kvm->mmu_invalidate_in_progress) &&
			mem_peek64(&kvm->mmu_invalidate_range_start) == INVALID_GFN, gfn,
			"an invalidation without a range"))
		return true;
	if (in_invalidate_range(kvm, gfn))
		return true;
	return mem_read64(&kvm->mmu_invalidate_seq) != seq;
}

static void invalidate_hugepage(struct kvm *kvm, const struct kvm_memory_slot *s, u64 gfn, u64 n)
{
	if (gfn >= s->base_gfn && gfn + n <= s->base_gfn + s->npages &&
	    !hugepage_test_mixed(kvm, gfn, n))
		kvm_mmu_invalidate_range_add(kvm, gfn, gfn + n);
}

/*
 * kvm_arch_pre_set_memory_attributes(): what could be a huge page now and can not be after
 * is invalidated whole, so that nobody maps it huge meanwhile. Faults on the neighbours
 * wait for the window, too, also in a TD, which has no huge pages.
 */
static void invalidate_hugepages(struct kvm *kvm, const struct kvm_memory_slot *s, u64 start,
				 u64 end)
{
	u64 n, head, tail;
	u8 level;

	for (level = PG_LEVEL_4K + 1; level <= KVM_MAX_HUGEPAGE_LEVEL; level++) {
		n = kvm_pages_per_hpage(level);
		head = gfn_round_for_level(start, level);
		tail = gfn_round_for_level(end - 1, level);
		if (head != start || head + n > end)
			invalidate_hugepage(kvm, s, head, n);
		if (tail != head && tail + n > end)
			invalidate_hugepage(kvm, s, tail, n);
	}
}

/* A memslot that overlaps, and where, in gfns */
struct hit {
	const struct kvm_memory_slot *slot;
	u64 from, to;
};

static u32 find_hits(const struct kvm_unmap *u, struct hit hit[KVM_MEM_SLOTS])
{
	u32 n = 0, i;

	for (i = 0; i < KVM_MEM_SLOTS; i++) {
		struct kvm_memory_slot *s = (struct kvm_memory_slot *)u->slots[i];
		u64 base, from, to;

		if (!s)
			continue;
		base = u->by_hva ? s->hva : s->base_gfn;
		from = MAX(u->start, base);
		to = MIN(u->end, base + s->npages);
		if (from < to)
			hit[n++] = (struct hit){ s, s->base_gfn + from - base,
						 s->base_gfn + to - base };
	}
	return n;
}

/* kvm_handle_gfn_range(), kvm_handle_hva_range() with on_lock = kvm_mmu_invalidate_start */
bool kvm_unmap_begin(struct kvm *kvm, const struct kvm_unmap *u)
{
	bool shared = kvm_zap_shared(kvm), flush = false;
	struct hit hit[KVM_MEM_SLOTS];
	u32 n = find_hits(u, hit), i;

	if (!n)
		return false;
	kvm_mmu_lock(kvm, false, hit[0].from, hit[n - 1].to);
	kvm_mmu_invalidate_start(kvm);
	for (i = 0; i < n; i++) {
		if (!kvm_switch(kvm, SW_NO_INVALIDATE_RANGE))
			kvm_mmu_invalidate_range_add(kvm, hit[i].from, hit[i].to);
		if (u->attributes)
			invalidate_hugepages(kvm, hit[i].slot, hit[i].from, hit[i].to);
		if (!shared)
			flush = kvm_tdp_mmu_unmap_gfn_range(kvm, hit[i].from, hit[i].to,
							    u->filter, true, flush);
	}
	if (shared) {	/* zap-under-read: only the walk is */
		kvm_mmu_unlock(kvm, false, hit[0].from, hit[n - 1].to);
		kvm_mmu_lock(kvm, true, hit[0].from, hit[n - 1].to);
		for (i = 0; i < n; i++)
			flush = kvm_tdp_mmu_unmap_gfn_range(kvm, hit[i].from, hit[i].to,
							    u->filter, true, flush);
	}
	if (flush)
		kvm_flush_remote_tlbs(kvm);
	kvm_mmu_unlock(kvm, shared, hit[0].from, hit[n - 1].to);
	return true;
}

void kvm_unmap_end(struct kvm *kvm)
{
	write_lock(&kvm->mmu_lock);
	kvm_mmu_invalidate_end(kvm);
	write_unlock(&kvm->mmu_lock);
}

/* --- mmu_notifiers ---------------------------------------------------------------------- */

/* Under SRCU, so that the set stays; the count keeps another from being published until the end. */
static bool notifier_unmap(struct kvm *kvm, u64 start, u64 end)
{
	u32 active = mem_read32(&kvm->memslots);

	return kvm_unmap_begin(kvm, &(struct kvm_unmap){
		.slots = kvm->slots[active].slot, .start = start, .end = end,
		.filter = KVM_FILTER_SHARED, .by_hva = true });
}

void kvm_mmu_notifier_invalidate_range_start(struct kvm *kvm, u64 start, u64 end)
{
	u32 n;
	int idx;

	trace_call("kvm_mmu_notifier_invalidate_range_start", start);
	spin_lock(&kvm->mn_invalidate_lock);
	n = mem_read32(&kvm->mn_active_invalidate_count);
	mem_write32(&kvm->mn_active_invalidate_count, n + 1);
	spin_unlock(&kvm->mn_invalidate_lock);
	idx = srcu_read_lock(&kvm->srcu);
	notifier_unmap(kvm, start, end);
	srcu_read_unlock(&kvm->srcu, idx);
	trace_return("kvm_mmu_notifier_invalidate_range_start", start, 0);
}

void kvm_mmu_notifier_invalidate_range_end(struct kvm *kvm, u64 start, u64 end)
{
	struct hit hit[KVM_MEM_SLOTS];
	u32 active, n;
	int idx;

	trace_call("kvm_mmu_notifier_invalidate_range_end", start);
	idx = srcu_read_lock(&kvm->srcu);
	active = mem_read32(&kvm->memslots);
	if (find_hits(&(struct kvm_unmap){ .slots = kvm->slots[active].slot, .start = start,
					   .end = end, .by_hva = true }, hit))
		kvm_unmap_end(kvm);
	srcu_read_unlock(&kvm->srcu, idx);
	spin_lock(&kvm->mn_invalidate_lock);
	n = mem_read32(&kvm->mn_active_invalidate_count);
	mem_write32(&kvm->mn_active_invalidate_count, n - 1);
	spin_unlock(&kvm->mn_invalidate_lock);
	mem_wake(&kvm->mn_active_invalidate_count);	/* rcuwait_wake_up() */
	trace_return("kvm_mmu_notifier_invalidate_range_end", start, 0);
}

/*
 * kvm_age_hva_range(), kvm_age_hva_range_no_flush(): on x86 nobody flushes
 * (CONFIG_KVM_ELIDE_TLB_FLUSH_IF_YOUNG). What the TLB still has keeps its page from looking
 * young again, and harms nothing else.
 */
static bool kvm_age_hva_range(struct kvm *kvm, u64 start, u64 end,
			      bool (*age)(struct kvm *kvm, u64 start, u64 end))
{
	struct hit hit[KVM_MEM_SLOTS];
	bool young = false;
	u32 active, n, i;
	int idx;

	idx = srcu_read_lock(&kvm->srcu);
	active = mem_read32(&kvm->memslots);
	n = find_hits(&(struct kvm_unmap){ .slots = kvm->slots[active].slot, .start = start,
					   .end = end, .by_hva = true }, hit);
	for (i = 0; i < n; i++)
		young |= age(kvm, hit[i].from, hit[i].to);
	srcu_read_unlock(&kvm->srcu, idx);
	return young;
}

/* kvm_age_gfn() of what overlaps; kvm_mmu_notifier_clear_young() is the same here */
bool kvm_mmu_notifier_clear_flush_young(struct kvm *kvm, u64 start, u64 end)
{
	return kvm_age_hva_range(kvm, start, end, kvm_tdp_mmu_age_gfn_range);
}

/* kvm_test_age_gfn(); Linux asks of one page */
bool kvm_mmu_notifier_test_young(struct kvm *kvm, u64 start, u64 end)
{
	return kvm_age_hva_range(kvm, start, end, kvm_tdp_mmu_test_age_gfn);
}

/* --- attributes ----------------------------------------------------------------------- */

static bool kvm_range_has_memory_attributes(struct kvm *kvm, u64 start, u64 end, bool private)
{
	u64 gfn;

	for (gfn = start; gfn < end; gfn++) {
		if (kvm_mem_is_private(kvm, gfn) != private)
			return false;
	}
	return true;
}

int kvm_vm_set_mem_attributes(struct kvm *kvm, u64 start, u64 end, bool private)
{
	const u64 *slots;
	bool found;
	u64 gfn;

	trace_call("kvm_vm_set_mem_attributes", start);
	mutex_lock(&kvm->slots_lock);
	if (kvm_range_has_memory_attributes(kvm, start, end, private))
		goto out;
	/* xa_reserve(): what is needed is there already. v7.3: none to clear them, as shared does */
	for (gfn = start; (private || !kvm_switch(kvm, SW_SHARED_UNRESERVED)) && gfn < end; gfn++)
		cond_resched();
	/* The old kind's mappings go; the window stays open until the attribute is set. */
	slots = kvm->slots[mem_read32(&kvm->memslots)].slot;
	found = kvm_unmap_begin(kvm, &(struct kvm_unmap){
		.slots = slots, .start = start, .end = end, .attributes = true,
		.filter = private ? KVM_FILTER_SHARED : KVM_FILTER_PRIVATE });
	for (gfn = start; gfn < end; gfn++) {
		mem_write8(&gfn_chunk(kvm, gfn)->attributes[gfn % CHUNK_GFNS],
			   private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0);
		cond_resched();
	}
	if (found)
		kvm_unmap_end(kvm);
out:
	mutex_unlock(&kvm->slots_lock);
	trace_return("kvm_vm_set_mem_attributes", start, 0);
	return 0;
}
