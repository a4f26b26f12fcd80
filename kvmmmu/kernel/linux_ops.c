// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel tree's KVM behind kmmu.h: ioctls and calls as user space and the host make them, each
 * handed to ktree.h. What differs from kvmmmu/own in what a user sees: docs/your-kernel.md.
 */
#include <errno.h>
#include <string.h>

#include "kvmmmu/kernel/host.h"
#include "kvmmmu/kernel/ktree.h"
#include "kvmmmu/kernel/linux_priv.h"
#include "kvmmmu/kmmu_ops.h"
#include "sim/engine/arena.h"
#include "sim/engine/hash.h"
#include "sim/engine/mem.h"
#include "sim/engine/sim.h"
#include "sim/engine/task.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

enum { EXIT_HYPERCALL = 3, EXIT_HLT = 5, EXIT_MMIO = 6, EXIT_INTERNAL = 17, EXIT_SYSTEM_EVENT = 24,
       EXIT_MEMORY_FAULT = 39 };

#define SLOT_FLAGS	3	/* ktree_slot(), beside enum kmmu_slot_change */
#define LOG_DIRTY_PAGES	1u	/* KVM_MEM_LOG_DIRTY_PAGES */

static struct kmmu_result result(s64 ret)
{
	static const struct { int ret; const char *what; } words[] = {
		{ -EINTR, "EINTR" }, { -EIO, "EIO" }, { -EFAULT, "MEMORY_FAULT" },
		{ -EINVAL, "EINVAL" }, { -EEXIST, "EEXIST" }, { -EAGAIN, "EAGAIN" },
		{ -ENOENT, "ENOENT" }, { -ENOSPC, "ENOSPC" }, { -EBUSY, "EBUSY" },
		{ -EBADF, "EBADF" }, { -EOPNOTSUPP, "not supported yet" }, { EXIT_HLT, "HLT" },
		{ EXIT_MMIO, "MMIO" }, { EXIT_INTERNAL, "INTERNAL_ERROR" },
	};
	struct kmmu_result r = { .ret = ret };

	for (u32 i = 0; i < ARRAY_SIZE(words); i++)
		if (words[i].ret == ret)
			r.what = words[i].what;
	return r;
}

/* --- operations: what an actor remembers ------------------------------------------------------- */

void linux_op_begin(struct kvm *kvm, u64 what, u64 a, u64 b)
{
	u64 key = hash_fold(hash_fold((u64)((char *)kvm - world_base), what, a), what, b);

	khost_settle();
	world_set(khost()->op_vm[sim_self->id], kvm);
	world_set(kvm->op_key[sim_self->id], key);
	actor_forget(key);
}

void linux_op_end(struct kvm *kvm)
{
	ktree_task_work();
	khost_settle();
	actor_progress(PROGRESS_OP);
}

void ksim_forget_at(void *tree, unsigned long loop, unsigned long at, const struct ksim_site *s)
{
	struct kvm *kvm = linux_vm_of(tree);

	khost_settle();
	actor_forget_at((const struct site *)s, hash_fold(kvm->op_key[sim_self->id], loop, at));
}

/* Each round of the local retry forgets the one before, at one place whichever it is. */
void ksim_try_fault(void *tree)
{
	khost_settle();
	world_set(khost()->retries[sim_self->id], NULL);
	ksim_forget_at(tree, 1, 0, (const struct ksim_site *)SITE_HERE);
}

void ksim_may_retry(void *tree)
{
	khost_settle();
	world_set(khost()->retries[sim_self->id], tree);
}

int ksim_cond_resched(void)
{
	void *tree = khost()->retries[sim_self->id];

	khost_settle();
	cond_resched();
	if (!tree)
		return 0;
	ksim_count_retry();
	ksim_try_fault(tree);
	return 0;
}

int ksim_is_mmio(void *tree, unsigned long gfn)
{
	struct mirror_view v;

	if (ksim_real_threads())	/* no instant: what is looked at must stay */
		ksim_rcu_read_lock();
	kmmu_direct_peek(linux_vm_of(tree), gfn, &v);
	if (ksim_real_threads())
		ksim_rcu_read_unlock();
	return v.class == MIRROR_MMIO;
}

static bool bad_range(const struct kvm *kvm, u64 start, u64 end)
{
	return start >= end || end > kvm->gfns;
}

#define OP(kvm, ...)	linux_op_begin(kvm, __LINE__, __VA_ARGS__)

/* One call of the tree, as an operation whose result is what it returns */
#define CALL(kvm, a, b, call) ({					\
	s64 call_ret;							\
									\
	OP(kvm, a, b);							\
	call_ret = (call);						\
	linux_op_end(kvm);						\
	result(call_ret); })

/* --- a vCPU's thread ----------------------------------------------------------------------------- */

/* true: user space runs it again */
static bool user_exit(struct kvm_vcpu *vcpu, enum kmmu_memory_fault mf, int r,
		      const struct ktree_exit *x, struct kmmu_result *res)
{
	struct kvm *kvm = vcpu->kvm;

	*res = result(r ? r : (int)x->reason);
	if (r == -EINTR) {
		trace_note("KVM_RUN: EINTR");
		task_clear_signal();
		return true;
	}
	if (r == -EFAULT && x->reason == EXIT_MEMORY_FAULT) {
		trace_note("KVM_RUN: MEMORY_FAULT");
		if (mf != MEMORY_FAULT_CONVERT || x->gfn >= kvm->gfns)
			return mf == MEMORY_FAULT_RETRY && x->gfn < kvm->gfns;
		/* It is no mismatch but a hole if the attribute is right already. */
		if (ktree_is_private(kvm->tree, x->gfn) == x->to_private)
			return false;
		return !ktree_attributes(kvm->tree, x->gfn, x->gfn + 1, x->to_private);
	}
	if (r)
		return false;
	if (x->reason == EXIT_MMIO) {
		trace_note("KVM_RUN: MMIO");
		if (kvm->type != KMMU_TDX)
			ktree_skip_instruction(vcpu->tree);
		return true;
	}
	if (x->reason == EXIT_HYPERCALL) {
		if (bad_range(kvm, x->gfn, x->gfn + x->pages))
			r = -EINVAL;
		else
			r = ktree_attributes(kvm->tree, x->gfn, x->gfn + x->pages, x->to_private);
		*res = result(r);
		return !r;
	}
	return false;
}

static struct kmmu_result linux_run(struct kvm_vcpu *vcpu, enum kmmu_memory_fault mf, u64 times)
{
	struct kmmu_result res = { 0 };
	struct ktree_exit x;
	u64 n;

	for (n = 1;; n++) {
		int r;

		OP(vcpu->kvm, (u64)vcpu->id << 8 | mf, times ? times - n + 1 : 0);
		memset(&x, 0, sizeof(x));
		r = ktree_run(vcpu->tree, &x);
		if (!user_exit(vcpu, mf, r, &x, &res) || n == times)
			break;
	}
	linux_op_end(vcpu->kvm);
	return res;
}

static struct kmmu_result linux_fault(struct kvm_vcpu *vcpu, u64 gfn, bool shared, u8 level)
{
	struct kvm *kvm = vcpu->kvm;
	int r;

	shared |= kvm->type != KMMU_TDX;
	if (level > 1 && !shared)
		return result(-EOPNOTSUPP);
	if (gfn >= kvm->gfns)
		return result(-EINVAL);
	OP(kvm, vcpu->id, gfn << 1 | shared);
	if (ktree_vm_is_dead(kvm->tree))
		return result(-EIO);
	ktree_vcpu_lock(vcpu->tree);
	r = ktree_fault(vcpu->tree, gfn, shared);
	ktree_vcpu_unlock(vcpu->tree);
	if (r == -EINTR)
		task_clear_signal();
	linux_op_end(kvm);
	return result(r);
}

static struct kmmu_result linux_prefault(struct kvm_vcpu *vcpu, u64 start, u64 end)
{
	struct kvm *kvm = vcpu->kvm;
	int r;

	if (bad_range(kvm, start, end))
		return result(-EINVAL);
	OP(kvm, vcpu->id, start << 32 | end);
	r = ktree_prefault(vcpu->tree, start, end);
	if (r == -EINTR)
		task_clear_signal();
	linux_op_end(kvm);
	return result(r);
}

static struct kmmu_result linux_migrate(struct kvm *kvm, u16 lp)
{
	OP(kvm, actor_self()->id, lp);
	actor_set_lp(actor_self(), lp);
	linux_op_end(kvm);
	return result(0);
}

/* --- any thread ------------------------------------------------------------------------------------ */

static struct kmmu_result linux_zap(struct kvm *kvm, u64 start, u64 end)
{
	if (bad_range(kvm, start, end))
		return result(-EINVAL);
	return CALL(kvm, start, end, (ktree_zap(kvm->tree, start, end), 0));
}

static struct kmmu_result linux_punch(struct kvm *kvm, u64 start, u64 end)
{
	if (bad_range(kvm, start, end))
		return result(-EINVAL);
	if (kvm->gmem_fd < 0)
		return result(-EBADF);
	return CALL(kvm, start, end, ktree_punch(kvm->tree, kvm->gmem_fd, start, end));
}

static struct kmmu_result linux_convert(struct kvm *kvm, u64 start, u64 end, bool to_shared)
{
	int r;

	if (bad_range(kvm, start, end) || kvm->type != KMMU_TDX)
		return result(-EINVAL);
	OP(kvm, start << 1 | to_shared, end);
	r = ktree_attributes(kvm->tree, start, end, !to_shared);
	linux_op_end(kvm);
	return result(r);
}

static struct kmmu_result linux_slot(struct kvm *kvm, enum kmmu_slot_change what, u64 start, u64 end,
				     u64 to)
{
	static const char *const seam[] = { "kvm_delete_memslot", "kvm_move_memslot", "slot add" };
	int r;

	if (bad_range(kvm, start, end))
		return result(-EINVAL);
	OP(kvm, start << 2 | what, end);
	trace_call(seam[what], start);
	r = ktree_slot(kvm->tree, what, start, end, to, kvm->gmem_fd, 0);
	trace_return(seam[what], start, (u64)(s64)r);
	if (!r && what != SLOT_ADD)
		linux_dirty_forget(kvm, start, end);
	linux_op_end(kvm);
	return result(r);
}

static struct kmmu_result linux_log_dirty(struct kvm *kvm, u64 start, u64 end, bool on)
{
	int r;

	if (bad_range(kvm, start, end))
		return result(-EINVAL);
	OP(kvm, start << 1 | on, end);
	trace_call("kvm_update_flags_memslot", start);
	r = ktree_slot(kvm->tree, SLOT_FLAGS, start, end, 0, kvm->gmem_fd,
		       on ? LOG_DIRTY_PAGES : 0);
	trace_return("kvm_update_flags_memslot", start, (u64)(s64)r);
	if (!r && !on)
		linux_dirty_forget(kvm, start, end);
	linux_op_end(kvm);
	return result(r);
}

static struct kmmu_result linux_get_dirty(struct kvm *kvm, u64 start)
{
	if (start >= kvm->gfns)
		return result(-EINVAL);
	return CALL(kvm, start, 0, ktree_get_dirty(kvm->tree, start));
}

static struct kmmu_result linux_clear_dirty(struct kvm *kvm, u64 start, u64 end)
{
	if (bad_range(kvm, start, end))
		return result(-EINVAL);
	return CALL(kvm, start, end, ktree_clear_dirty(kvm->tree, start, end));
}

static struct kmmu_result linux_kick(struct kvm *kvm)
{
	return CALL(kvm, 0, 0, (ktree_kick(kvm->tree), 0));
}

static struct kmmu_result linux_track(struct kvm *kvm)
{
	if (kvm->type != KMMU_TDX)
		return result(-EINVAL);
	return CALL(kvm, 0, 0, (ktree_track(kvm->tree), 0));
}

static struct kmmu_result linux_rcu_quiesce(struct kvm *kvm)
{
	return CALL(kvm, 0, 0, (ksim_rcu_barrier(), 0));
}

static struct kmmu_result linux_recover_nx(struct kvm *kvm)
{
	return CALL(kvm, 0, 0, (ktree_recover_nx(kvm->tree), 0));
}

static struct kmmu_result linux_release_hkid(struct kvm *kvm)
{
	return CALL(kvm, 0, 0, (ktree_release_hkid(kvm->tree), 0));
}

/* No tree has the ioctl: what tdx_vm_ioctl() says of a command that it does not know */
static struct kmmu_result linux_terminate(struct kvm *kvm)
{
	return result(-EINVAL);
}

static struct kmmu_result linux_notify(struct kvm *kvm, u64 start, u64 end)
{
	if (bad_range(kvm, start, end))
		return result(-EINVAL);
	return CALL(kvm, start, end, (ktree_notify(kvm->tree, start, end), 0));
}

static struct kmmu_result linux_age(struct kvm *kvm, u64 start, u64 end)
{
	bool young;

	if (bad_range(kvm, start, end))
		return result(-EINVAL);
	OP(kvm, start, end);
	young = ktree_age(kvm->tree, start, end);
	linux_op_end(kvm);
	return (struct kmmu_result){ .ret = young, .what = young ? "YOUNG" : "OLD" };
}

static struct kmmu_result linux_test_age(struct kvm *kvm, u64 start, u64 end)
{
	bool young;

	if (bad_range(kvm, start, end))
		return result(-EINVAL);
	OP(kvm, start, end);
	young = ktree_test_age(kvm->tree, start, end);
	linux_op_end(kvm);
	return (struct kmmu_result){ .ret = young, .what = young ? "YOUNG" : "OLD" };
}

static struct kmmu_result linux_collapse(struct kvm *kvm, u64 start, u64 end)
{
	if (bad_range(kvm, start, end))
		return result(-EINVAL);
	return CALL(kvm, start, end, ktree_collapse(kvm->tree, start));
}

static struct kmmu_result linux_split(struct kvm *kvm, u64 gfn)
{
	u64 from = gfn & ~511ull;

	if (gfn >= kvm->gfns)
		return result(-EINVAL);
	return CALL(kvm, gfn, 0, ktree_split(kvm->tree, from, from + 512));
}

/* --- the VM's life, as ioctls ----------------------------------------------------------------------- */

static struct kmmu_result linux_init_vm(struct kvm *kvm)
{
	return CALL(kvm, 0, 0, ktree_init_vm(kvm->tree, kvm->levels, kvm->pending_ve_disable));
}

static struct kmmu_result linux_finalize(struct kvm *kvm)
{
	return CALL(kvm, 0, 0, ktree_finalize(kvm->tree));
}

static struct kmmu_result linux_create_vcpu(struct kvm *kvm, u16 n)
{
	return CALL(kvm, n, 0, linux_make_vcpu(kvm, n));
}

static struct kmmu_result linux_init_vcpu(struct kvm_vcpu *vcpu)
{
	int r;

	OP(vcpu->kvm, vcpu->id, 0);
	r = ktree_init_vcpu(vcpu->tree);
	linux_give_guest(vcpu);
	linux_op_end(vcpu->kvm);
	return result(r);
}

static struct kmmu_result linux_build(struct kvm_vcpu *vcpu, u64 start, u64 end)
{
	int r;

	if (bad_range(vcpu->kvm, start, end))
		return result(-EINVAL);
	OP(vcpu->kvm, vcpu->id, start << 32 | end);
	r = ktree_build(vcpu->tree, start, end);
	if (r == -EINTR)
		task_clear_signal();
	linux_op_end(vcpu->kvm);
	return result(r);
}

static struct kmmu_result linux_cpu_offline(struct kvm *kvm, u16 lp)
{
	return CALL(kvm, lp, 0, ktree_cpu_offline(lp));
}

/* Not there: who asks is told so, and no check was made. The shadow MMU is not run. */
#define NOT_YET(name, ...)						\
	static struct kmmu_result linux_##name(__VA_ARGS__)		\
	{								\
		return result(-EOPNOTSUPP);				\
	}
NOT_YET(reuse_page, struct kvm *kvm, u64 gfn)
NOT_YET(shadow_page, struct kvm *kvm, u64 gfn)

/* --- descriptors --------------------------------------------------------------------------------------- */

static bool linux_get(struct kvm *kvm, u16 n)
{
	if (n == KMMU_VM)
		return ktree_fget(kvm->fd);
	return linux_vcpu(kvm, n) && ktree_fget(kvm->fds[n].fd);
}

static void linux_put(struct kvm *kvm, u16 n)
{
	ktree_fput(n == KMMU_VM ? kvm->fd : kvm->fds[n].fd);
	khost_settle();
}

static int close_vcpu(struct kvm *kvm, u16 n)
{
	struct kvm_vcpu *vcpu = linux_vcpu(kvm, n);

	if (!vcpu || !world_xchg(&vcpu->open, false))
		return -EBADF;
	ktree_close(vcpu->fd);
	return 0;
}

static struct kmmu_result linux_close(struct kvm *kvm, u16 n)
{
	return CALL(kvm, n, 0, close_vcpu(kvm, n));
}

static struct kmmu_result linux_destroy(struct kvm *kvm)
{
	OP(kvm, 0, 0);
	ktree_close(kvm->fd);
	if (kvm->gmem_fd >= 0)
		ktree_close(kvm->gmem_fd);
	for (u16 n = 0; n < kvm->max_vcpus; n++)
		close_vcpu(kvm, n);
	linux_op_end(kvm);
	return result(0);
}

static const struct kmmu_ops ops = {
	.vm_new = linux_vm_new,
	.vcpu = linux_vcpu,
	.set_guest = linux_set_guest,
	.name = linux_name,
	.tdr = linux_tdr,
	.tdvpr = linux_tdvpr,
	.get = linux_get,
	.put = linux_put,
	.run = linux_run,
	.fault = linux_fault,
	.prefault = linux_prefault,
	.migrate = linux_migrate,
	.zap = linux_zap,
	.punch = linux_punch,
	.convert = linux_convert,
	.slot = linux_slot,
	.kick = linux_kick,
	.track = linux_track,
	.rcu_quiesce = linux_rcu_quiesce,
	.reuse_page = linux_reuse_page,
	.notify = linux_notify,
	.age = linux_age,
	.test_age = linux_test_age,
	.recover_nx = linux_recover_nx,
	.shadow_page = linux_shadow_page,
	.collapse = linux_collapse,
	.split = linux_split,
	.log_dirty = linux_log_dirty,
	.get_dirty = linux_get_dirty,
	.clear_dirty = linux_clear_dirty,
	.init_vm = linux_init_vm,
	.create_vcpu = linux_create_vcpu,
	.init_vcpu = linux_init_vcpu,
	.build = linux_build,
	.finalize = linux_finalize,
	.close = linux_close,
	.destroy = linux_destroy,
	.release_hkid = linux_release_hkid,
	.terminate = linux_terminate,
	.cpu_offline = linux_cpu_offline,
	.destroyed = linux_destroyed,
	.has_lock = linux_has_lock,
	.lock_acquire = linux_lock_acquire,
	.lock_release = linux_lock_release,
	.mirror_peek = linux_mirror_peek,
	.direct_peek = linux_direct_peek,
	.direct_maps = linux_direct_maps,
	.is_dead = linux_is_dead,
	.gfns = linux_gfns,
	.check_end = linux_check_end,
};

const struct kmmu_ops *const linux_ops = &ops;
