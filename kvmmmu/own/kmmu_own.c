// SPDX-License-Identifier: GPL-2.0-only
/*
 * The project's own KVM behind kmmu.h: what user space and the host do to a VM, as the
 * ioctls and calls that they are. Setting up is kmmu_setup.c.
 */
#include <errno.h>

#include "kvmmmu/own/dirty_log.h"
#include "kvmmmu/own/guest_memfd.h"
#include "kvmmmu/own/host_mm.h"
#include "kvmmmu/own/kmmu_result.h"
#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/mmu.h"
#include "kvmmmu/own/own_ops.h"
#include "kvmmmu/own/policy.h"
#include "kvmmmu/own/tdx.h"
#include "kvmmmu/own/vt.h"
#include "kvmmmu/own/x86.h"
#include "sim/engine/mem.h"
#include "sim/engine/task.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

static const char not_supported[] = "not supported yet";

struct kmmu_result result(s64 ret)
{
	struct kmmu_result r = { .ret = ret };

	switch (ret) {
	case -EINTR:		r.what = "EINTR"; break;
	case -EIO:		r.what = "EIO"; break;
	case -EFAULT:		r.what = "MEMORY_FAULT"; break;
	case -EINVAL:		r.what = "EINVAL"; break;
	case -EEXIST:		r.what = "EEXIST"; break;
	case -EAGAIN:		r.what = "EAGAIN"; break;
	case -ENOENT:		r.what = "ENOENT"; break;
	case -ENOSPC:		r.what = "ENOSPC"; break;
	case -EBUSY:		r.what = "EBUSY"; break;
	case -EBADF:		r.what = "EBADF"; break;
	case -EOPNOTSUPP:	r.what = not_supported; break;
	case KVM_EXIT_HLT:	r.what = "HLT"; break;
	case KVM_EXIT_MMIO:	r.what = "MMIO"; break;
	case KVM_EXIT_INTERNAL_ERROR: r.what = "INTERNAL_ERROR"; break;
	}
	return r;
}

static bool bad_range(const struct kvm *kvm, u64 start, u64 end)
{
	return start >= end || end > kvm->gfns;
}

/* Every ioctl of a VM or vCPU starts with it (kvm_vm_ioctl(), kvm_vcpu_ioctl()). */
static bool vm_is_dead(struct kvm *kvm)
{
	return mem_read32(&kvm->vm_dead);
}

/* --- a vCPU's thread ------------------------------------------------------------------ */

/* kvm_vcpu_ioctl(), KVM_RUN */
static int kvm_vcpu_ioctl_run(struct kvm_vcpu *vcpu)
{
	int r;

	if (vm_is_dead(vcpu->kvm))
		return -EIO;
	mutex_lock(&vcpu->mutex);
	r = kvm_arch_vcpu_ioctl_run(vcpu);
	mutex_unlock(&vcpu->mutex);
	return r;
}

/* KVM_EXIT_MEMORY_FAULT: true to run again */
static bool user_memory_fault(struct kvm_vcpu *vcpu, enum kmmu_memory_fault mf)
{
	struct kvm *kvm = vcpu->kvm;
	u64 gfn = vcpu->fault_gfn;

	if (mf == MEMORY_FAULT_STOP || gfn >= kvm->gfns)
		return false;
	if (mf == MEMORY_FAULT_RETRY)
		return true;
	/* It is no mismatch but a hole if the attribute is right already. */
	if (kvm_mem_is_private(kvm, gfn) == vcpu->fault_private)
		return false;
	return !kvm_vm_set_mem_attributes(kvm, gfn, gfn + 1, vcpu->fault_private);
}

/* handle_tdvmcall(), KVM_HC_MAP_GPA_RANGE: user space converts what the guest asked for */
static int user_map_gpa(struct kvm_vcpu *vcpu)
{
	struct kvm *kvm = vcpu->kvm;
	u64 shared_bit = kvm->gfn_direct_bits << PAGE_SHIFT;
	u64 start = (vcpu->tdvmcall_a0 & ~shared_bit) >> PAGE_SHIFT;
	u64 end = start + (vcpu->tdvmcall_a1 >> PAGE_SHIFT);

	if (bad_range(kvm, start, end))
		return -EINVAL;
	return kvm_vm_set_mem_attributes(kvm, start, end, !(vcpu->tdvmcall_a0 & shared_bit));
}

/* What user space does with a return of KVM_RUN: true to call it again. */
static bool user_exit(struct kvm_vcpu *vcpu, enum kmmu_memory_fault mf, int r,
		      struct kmmu_result *res)
{
	*res = result(r ? r : (int)vcpu->exit_reason);
	if (r == -EINTR) {
		/* The caller's result is the last return's: of these only the trace tells. */
		trace_note("KVM_RUN: EINTR");
		task_clear_signal();	/* its handler ran */
		return true;
	}
	if (r == -EFAULT && vcpu->exit_reason == KVM_EXIT_MEMORY_FAULT) {
		trace_note("KVM_RUN: MEMORY_FAULT");
		return user_memory_fault(vcpu, mf);
	}
	if (r)
		return false;
	if (vcpu->exit_reason == KVM_EXIT_MMIO) {
		trace_note("KVM_RUN: MMIO");
		if (!is_td(vcpu->kvm))
			vmx_guest_skip(vcpu->vmx);
		return true;
	}
	if (vcpu->exit_reason == KVM_EXIT_HYPERCALL) {
		r = user_map_gpa(vcpu);
		*res = result(r);
		return !r;
	}
	return false;
}

struct kmmu_result own_run(struct kvm_vcpu *vcpu, enum kmmu_memory_fault mf, u64 times)
{
	struct kmmu_result res = { 0 };
	u64 n;

	if (vcpu->kvm->policy->before_run && is_td(vcpu->kvm))
		vcpu->kvm->policy->before_run(vcpu);
	for (n = 1;; n++) {
		int r;

		kvm_op_begin(vcpu->kvm, OP_RUN, (u64)vcpu->vcpu_id << 8 | mf,
			     times ? times - n + 1 : 0);
		r = kvm_vcpu_ioctl_run(vcpu);
		if (!user_exit(vcpu, mf, r, &res) || n == times)
			break;
	}
	kvm_op_end(vcpu->kvm);
	return res;
}

/*
 * One access of the guest with the entry left out: what leaves the handler to fault again (a
 * signal apart) does so, with SRCU dropped as an entry drops it. A shared one is a write.
 */
static int fault_loop(struct kvm_vcpu *vcpu, u64 gfn, bool shared)
{
	struct mirror_view v;
	int r;

	for (;;) {
		kvm_forget(vcpu->kvm, LOOP_FAULT_OP, gfn << 1 | shared);
		r = kvm_service_requests(vcpu);
		if (r < 0)
			return r;
		r = kvm_mmu_reload(vcpu);
		if (r)
			return r;
		kvm_vcpu_srcu_read_lock(vcpu);
		r = shared ? kvm_mmu_page_fault(vcpu, gfn, PFERR_WRITE_MASK) :
			     tdx_handle_private_fault(vcpu, gfn);
		kvm_vcpu_srcu_read_unlock(vcpu);
		if (r != RET_PF_RETRY)
			return r;
		/* MMIO of a TD: the guest would find a #VE there, and not come back for it. */
		kmmu_direct_peek(vcpu->kvm, gfn, &v);
		if (shared && is_td(vcpu->kvm) && v.class == MIRROR_MMIO)
			return 0;
		if (xfer_to_guest_mode_work_pending()) {
			r = xfer_to_guest_mode_handle_work(vcpu);
			if (r)
				return r;
		}
		count(COUNT_RETRIES, 1);
	}
}

struct kmmu_result own_fault(struct kvm_vcpu *vcpu, u64 gfn, bool shared, u8 level)
{
	struct kvm *kvm = vcpu->kvm;
	int r;

	shared |= !is_td(kvm);
	if (level > PG_LEVEL_4K && !shared)
		return result(-EOPNOTSUPP);
	if (is_td(kvm) && (mem_peek32(&kvm->td_state) != TD_STATE_RUNNABLE ||
			   mem_peek32(&vcpu->tdx_state) != VCPU_TD_STATE_INITIALIZED))
		return result(-EOPNOTSUPP);	/* no guest could have done it */
	if (gfn >= kvm->gfns)
		return result(-EINVAL);
	kvm_op_begin(kvm, OP_FAULT, vcpu->vcpu_id, gfn << 1 | shared);
	if (vm_is_dead(kvm))
		return result(-EIO);
	mutex_lock(&vcpu->mutex);
	vcpu_load(vcpu);
	r = fault_loop(vcpu, gfn, shared);
	vcpu_put(vcpu);
	mutex_unlock(&vcpu->mutex);
	if (r == -EINTR)
		task_clear_signal();
	kvm_op_end(kvm);
	return result(r < 0 ? r : 0);
}

/*
 * kvm_arch_vcpu_pre_fault_memory(): private or not as the attribute says, and a read. *@gfn: behind
 * what the mapping covers, which may be huge
 */
static int kvm_arch_vcpu_pre_fault_memory(struct kvm_vcpu *vcpu, u64 *gfn)
{
	struct kvm *kvm = vcpu->kvm;
	u8 level;
	int r;

	if (!mem_read32(&kvm->pre_fault_allowed))
		return -EOPNOTSUPP;
	r = kvm_mmu_reload(vcpu);
	if (r)
		return r;
	r = kvm_tdp_page_prefault(vcpu, *gfn, kvm_mem_is_private(kvm, *gfn) ?
				  PFERR_PRIVATE_ACCESS : 0, &level);
	if (!r)
		*gfn = gfn_round_for_level(*gfn, level) + kvm_pages_per_hpage(level);
	return r;
}

/* kvm_vcpu_pre_fault_memory(): SRCU is held over the whole range (F02) */
struct kmmu_result own_prefault(struct kvm_vcpu *vcpu, u64 start, u64 end)
{
	struct kvm *kvm = vcpu->kvm;
	u64 gfn = start;
	int r = 0;

	if (bad_range(kvm, start, end))
		return result(-EINVAL);
	kvm_op_begin(kvm, OP_PREFAULT, vcpu->vcpu_id, start << 32 | end);
	if (vm_is_dead(kvm))
		return result(-EIO);
	mutex_lock(&vcpu->mutex);
	vcpu_load(vcpu);
	kvm_vcpu_srcu_read_lock(vcpu);
	while (gfn < end) {
		if (signal_pending()) {
			r = -EINTR;
			break;
		}
		r = kvm_arch_vcpu_pre_fault_memory(vcpu, &gfn);
		/* WARN_ON_ONCE(r == -EIO): also of a VM that died meanwhile */
		kvm_warn_on(r == -EIO, gfn, "KVM_PRE_FAULT_MEMORY ends in EIO");
		if (r < 0)
			break;
		cond_resched();
	}
	kvm_vcpu_srcu_read_unlock(vcpu);
	vcpu_put(vcpu);
	mutex_unlock(&vcpu->mutex);
	if (r == -EINTR)
		task_clear_signal();
	kvm_op_end(kvm);
	return result(gfn > start ? 0 : r);	/* success if a page was mapped */
}

/* The thread moves; KVM learns of it at the next vcpu_load(). */
struct kmmu_result own_migrate(struct kvm *kvm, u16 lp)
{
	kvm_op_begin(kvm, OP_MIGRATE, actor_self()->id, lp);
	actor_set_lp(actor_self(), lp);
	kvm_op_end(kvm);
	return result(0);
}

/* --- any thread ----------------------------------------------------------------------- */

struct kmmu_result own_zap(struct kvm *kvm, u64 start, u64 end)
{
	if (bad_range(kvm, start, end))
		return result(-EINVAL);
	kvm_op_begin(kvm, OP_ZAP, start, end);
	trace_call("kvm_zap_gfn_range", start);
	kvm_zap_gfn_range(kvm, start, end);
	trace_return("kvm_zap_gfn_range", start, 0);
	kvm_op_end(kvm);
	return result(0);
}

struct kmmu_result own_punch(struct kvm *kvm, u64 start, u64 end)
{
	if (bad_range(kvm, start, end))
		return result(-EINVAL);
	if (!kvm_fget(&kvm->gmem_file))
		return result(-EBADF);
	kvm_op_begin(kvm, OP_PUNCH, start, end);
	kvm_gmem_punch_hole(kvm, start, end);	/* fallocate(): a dead VM does not stop it */
	kvm_fput_later(kvm, &kvm->gmem_file);
	kvm_op_end(kvm);
	return result(0);
}

struct kmmu_result own_convert(struct kvm *kvm, u64 start, u64 end, bool to_shared)
{
	int r;

	if (bad_range(kvm, start, end))
		return result(-EINVAL);
	if (!is_td(kvm))	/* !kvm_arch_has_private_mem() */
		return result(-EINVAL);
	kvm_op_begin(kvm, OP_CONVERT, start << 1 | to_shared, end);
	r = vm_is_dead(kvm) ? -EIO : kvm_vm_set_mem_attributes(kvm, start, end, !to_shared);
	kvm_op_end(kvm);
	return result(r);
}

struct kmmu_result own_slot(struct kvm *kvm, enum kmmu_slot_change what, u64 start, u64 end,
			     u64 to)
{
	int r;

	if (bad_range(kvm, start, end))
		return result(-EINVAL);
	kvm_op_begin(kvm, OP_SLOT, start << 2 | what, end);
	if (vm_is_dead(kvm))
		r = -EIO;
	else if (what == SLOT_DELETE)
		r = kvm_delete_memslot(kvm, start, end);
	else if (what == SLOT_ADD)
		r = kvm_create_memslot(kvm, start, end);
	else
		r = kvm_move_memslot(kvm, start, end, to);
	kvm_op_end(kvm);
	return result(r);
}

struct kmmu_result own_kick(struct kvm *kvm)
{
	kvm_op_begin(kvm, OP_KICK, 0, 0);
	kvm_make_all_cpus_request(kvm, KVM_REQ_OUTSIDE_GUEST_MODE);
	kvm_op_end(kvm);
	return result(0);
}

struct kmmu_result own_track(struct kvm *kvm)
{
	if (!is_td(kvm))
		return result(-EINVAL);
	kvm_op_begin(kvm, OP_TRACK, 0, 0);
	write_lock(&kvm->mmu_lock);
	tdx_track(kvm);
	write_unlock(&kvm->mmu_lock);
	kvm_op_end(kvm);
	return result(0);
}

struct kmmu_result own_rcu_quiesce(struct kvm *kvm)
{
	kvm_op_begin(kvm, OP_QUIESCE, 0, 0);
	rcu_barrier();
	kvm_op_end(kvm);
	return result(0);
}

/*
 * The frame that backed a gfn last and is used no more, or by the host already: 0 if there is
 * none, ~0 if it is in use, be it by something else that it has become
 */
static u64 idle_frame(const u64 *last)
{
	u64 v = mem_peek64(last), hpa = v & LAST_HPA_FRAME;

	if (!(v & LAST_HPA_SET))
		return 0;
	return page_is_free(hpa) != !(v & LAST_HPA_HOST) ? ~0ull : hpa;
}

static bool reuse_frame(u64 *last)
{
	u64 hpa = idle_frame(last);

	if (!hpa || hpa == ~0ull)
		return false;
	if (page_is_free(hpa))
		page_alloc_at(hpa);
	world_set(*last, hpa | LAST_HPA_SET | LAST_HPA_HOST);
	trace_(EV_NOTE, .name = "page-reuse", .arg = hpa, .has_arg = true);
	mem_write64(page_line(hpa), 0x6f77206e65642121ull);
	return true;
}

/* -ENOENT: the gfn never had a page; -EBUSY: its page is still the guest_memfd's or user's */
struct kmmu_result own_reuse_page(struct kvm *kvm, u64 gfn)
{
	struct gfn_chunk *c;
	u64 *gmem, *user;
	int r = 0;

	if (gfn >= kvm->gfns)
		return result(-EINVAL);
	kvm_op_begin(kvm, OP_REUSE, gfn, 0);
	c = gfn_chunk(kvm, gfn);
	gmem = &c->last_hpa[gfn % CHUNK_GFNS];
	user = &c->last_host_hpa[gfn % CHUNK_GFNS];
	if (!reuse_frame(gmem) && !reuse_frame(user))
		r = idle_frame(gmem) || idle_frame(user) ? -EBUSY : -ENOENT;
	kvm_op_end(kvm);
	return result(r);
}

/* --- the direct side -------------------------------------------------------------------- */

struct kmmu_result own_notify(struct kvm *kvm, u64 start, u64 end)
{
	if (bad_range(kvm, start, end))
		return result(-EINVAL);
	kvm_op_begin(kvm, OP_NOTIFY, start, end);
	host_zap_page_range(kvm, start, end);
	kvm_op_end(kvm);
	return result(0);
}

/* 1: one of them was young */
struct kmmu_result own_age(struct kvm *kvm, u64 start, u64 end)
{
	bool young;

	if (bad_range(kvm, start, end))
		return result(-EINVAL);
	kvm_op_begin(kvm, OP_AGE, start, end);
	young = host_age_page_range(kvm, start, end);
	kvm_op_end(kvm);
	return (struct kmmu_result){ .ret = young, .what = young ? "YOUNG" : "OLD" };
}

struct kmmu_result own_test_age(struct kvm *kvm, u64 start, u64 end)
{
	bool young;

	if (bad_range(kvm, start, end))
		return result(-EINVAL);
	kvm_op_begin(kvm, OP_TEST_AGE, start, end);
	young = kvm_mmu_notifier_test_young(kvm, start, end);
	kvm_op_end(kvm);
	return (struct kmmu_result){ .ret = young, .what = young ? "YOUNG" : "OLD" };
}

struct kmmu_result own_recover_nx(struct kvm *kvm)
{
	kvm_op_begin(kvm, OP_RECOVER_NX, 0, 0);
	kvm_recover_nx_huge_pages(kvm);
	kvm_op_end(kvm);
	return result(0);
}

/* What the end of dirty logging does to the slot: its tables become huge pages where they can. */
struct kmmu_result own_collapse(struct kvm *kvm, u64 start, u64 end)
{
	struct kvm_memory_slot *s;

	if (bad_range(kvm, start, end))
		return result(-EINVAL);
	kvm_op_begin(kvm, OP_COLLAPSE, start, end);
	mutex_lock(&kvm->slots_lock);
	s = kvm_gfn_to_memslot(kvm, start);
	if (s && !(mem_read32(&s->flags) & KVM_MEM_LOG_DIRTY_PAGES))
		kvm_mmu_recover_huge_pages(kvm, s);
	mutex_unlock(&kvm->slots_lock);
	kvm_op_end(kvm);
	return result(s ? 0 : -ENOENT);
}

/* kvm_mmu_try_split_huge_pages(), as KVM_CLEAR_DIRTY_LOG calls it: under the write lock */
struct kmmu_result own_split(struct kvm *kvm, u64 gfn)
{
	u64 from = gfn_round_for_level(gfn, PG_LEVEL_2M), to = from + CHUNK_GFNS;
	const struct kvm_memory_slot *slot;

	if (gfn >= kvm->gfns)
		return result(-EINVAL);
	kvm_op_begin(kvm, OP_SPLIT, gfn, 0);
	mutex_lock(&kvm->slots_lock);
	kvm_mmu_lock(kvm, false, from, to);
	slot = kvm_gfn_to_memslot(kvm, from);
	if (slot)
		kvm_tdp_mmu_try_split_huge_pages(kvm, from, to, PG_LEVEL_4K, false);
	kvm_mmu_unlock(kvm, false, from, to);
	mutex_unlock(&kvm->slots_lock);
	kvm_op_end(kvm);
	return result(slot ? 0 : -ENOENT);
}

struct kmmu_result own_shadow_page(struct kvm *kvm, u64 gfn)
{
	if (gfn >= kvm->gfns)
		return result(-EINVAL);
	kvm_op_begin(kvm, OP_SHADOW_PAGE, gfn, 0);
	nx_shadow_page(kvm, gfn);
	kvm_op_end(kvm);
	return result(0);
}

struct kmmu_result own_log_dirty(struct kvm *kvm, u64 start, u64 end, bool on)
{
	int r;

	if (bad_range(kvm, start, end))
		return result(-EINVAL);
	kvm_op_begin(kvm, OP_LOG_DIRTY, start << 1 | on, end);
	r = vm_is_dead(kvm) ? -EIO : kvm_update_flags_memslot(kvm, start, end, on);
	kvm_op_end(kvm);
	return result(r);
}

struct kmmu_result own_get_dirty(struct kvm *kvm, u64 start)
{
	int r;

	if (start >= kvm->gfns)
		return result(-EINVAL);
	kvm_op_begin(kvm, OP_GET_DIRTY, start, 0);
	r = vm_is_dead(kvm) ? -EIO : kvm_get_dirty_log_protect(kvm, start);
	kvm_op_end(kvm);
	return result(r);
}

struct kmmu_result own_clear_dirty(struct kvm *kvm, u64 start, u64 end)
{
	int r;

	if (bad_range(kvm, start, end))
		return result(-EINVAL);
	kvm_op_begin(kvm, OP_CLEAR_DIRTY, start, end);
	r = vm_is_dead(kvm) ? -EIO : kvm_clear_dirty_log_protect(kvm, start, end);
	kvm_op_end(kvm);
	return result(r);
}
