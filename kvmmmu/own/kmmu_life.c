// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VM's life behind kmmu.h: descriptors that open and close, CPUs that go. As kmmu_own.c.
 */
#include <errno.h>

#include "kvmmmu/own/kmmu_result.h"
#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/own_ops.h"
#include "kvmmmu/own/tdx.h"
#include "sim/engine/task.h"
#include "sim/engine/undo.h"

bool own_get(struct kvm *kvm, u16 n)
{
	struct kvm_vcpu *vcpu;

	if (n == KMMU_VM)
		return kvm_fget(&kvm->vm_file);
	vcpu = n < kvm->max_vcpus ? (struct kvm_vcpu *)world_read(&kvm->fds[n]) : NULL;
	return vcpu && kvm_fget(&vcpu->file);
}

void own_put(struct kvm *kvm, u16 n)
{
	if (n == KMMU_VM) {
		kvm_fput(&kvm->vm_file);
		return;
	}
	kvm_fput(&own_vcpu(kvm, n)->file);
}

bool own_destroyed(const struct kvm *kvm)
{
	return kvm->destroyed;
}

/* Each ioctl of a VM or vCPU ends like this on a dead one. */
static int unless_dead(struct kvm *kvm, int (*fn)(struct kvm *kvm))
{
	return mem_read32(&kvm->vm_dead) ? -EIO : fn(kvm);
}

struct kmmu_result own_init_vm(struct kvm *kvm)
{
	int r;

	kvm_op_begin(kvm, OP_INIT_VM, 0, 0);
	r = unless_dead(kvm, tdx_vm_ioctl_init_vm);
	kvm_op_end(kvm);
	return result(r);
}

struct kmmu_result own_finalize(struct kvm *kvm)
{
	int r;

	kvm_op_begin(kvm, OP_FINALIZE, 0, 0);
	r = unless_dead(kvm, tdx_vm_ioctl_finalize);
	kvm_op_end(kvm);
	return result(r);
}

struct kmmu_result own_create_vcpu(struct kvm *kvm, u16 n)
{
	int r = -EIO;

	kvm_op_begin(kvm, OP_CREATE_VCPU, n, 0);
	if (!mem_read32(&kvm->vm_dead))
		r = kvm_vm_ioctl_create_vcpu(kvm, n);
	kvm_op_end(kvm);
	return result(r);
}

struct kmmu_result own_init_vcpu(struct kvm_vcpu *vcpu)
{
	struct kvm *kvm = vcpu->kvm;
	int r = -EIO;

	kvm_op_begin(kvm, OP_INIT_VCPU, vcpu->vcpu_id, 0);
	if (!mem_read32(&kvm->vm_dead))
		r = tdx_vcpu_ioctl_init_vcpu(vcpu);
	kvm_op_end(kvm);
	return result(r);
}

struct kmmu_result own_build(struct kvm_vcpu *vcpu, u64 start, u64 end)
{
	struct kvm *kvm = vcpu->kvm;
	int r = -EIO;

	if (start >= end || end > kvm->gfns)
		return result(-EINVAL);
	kvm_op_begin(kvm, OP_BUILD, vcpu->vcpu_id, start << 32 | end);
	if (!mem_read32(&kvm->vm_dead))
		r = tdx_vcpu_ioctl_init_mem_region(vcpu, start, end);
	if (r == -EINTR)
		task_clear_signal();
	kvm_op_end(kvm);
	return result(r);
}

static int close_vcpu(struct kvm *kvm, u16 n)
{
	struct kvm_vcpu *vcpu = NULL;

	if (n < kvm->max_vcpus)
		vcpu = (struct kvm_vcpu *)world_xchg(&kvm->fds[n], 0);
	return vcpu ? kvm_close(&vcpu->file) : -EBADF;
}

struct kmmu_result own_close(struct kvm *kvm, u16 n)
{
	int r;

	kvm_op_begin(kvm, OP_CLOSE, n, 0);
	r = close_vcpu(kvm, n);
	kvm_op_end(kvm);
	return result(r);
}

/* In the order in which a VMM opens them: the VM, its guest_memfd, its vCPUs. */
struct kmmu_result own_destroy(struct kvm *kvm)
{
	int r;

	kvm_op_begin(kvm, OP_DESTROY, 0, 0);
	r = kvm_close(&kvm->vm_file);
	kvm_close(&kvm->gmem_file);
	for (u32 n = 0; n < kvm->max_vcpus; n++)
		close_vcpu(kvm, (u16)n);
	kvm_op_end(kvm);
	return result(r);
}

struct kmmu_result own_release_hkid(struct kvm *kvm)
{
	kvm_op_begin(kvm, OP_RELEASE_HKID, 0, 0);
	tdx_mmu_release_hkid(kvm);
	kvm_op_end(kvm);
	return result(0);
}

struct kmmu_result own_terminate(struct kvm *kvm)
{
	int r = -EINVAL;

	kvm_op_begin(kvm, OP_TERMINATE, 0, 0);
	if (kvm_switch(kvm, SW_TERMINATE_VM))
		r = unless_dead(kvm, tdx_vm_ioctl_terminate);
	kvm_op_end(kvm);
	return result(r);
}

struct kmmu_result own_cpu_offline(struct kvm *kvm, u16 lp)
{
	int r;

	kvm_op_begin(kvm, OP_CPU_OFFLINE, lp, 0);
	r = kvm_cpu_offline(lp);
	kvm_op_end(kvm);
	return result(r);
}
