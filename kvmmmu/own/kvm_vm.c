// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMs and vCPUs that come and go: creation, references, destruction in the kernel's order,
 * CPUs that go offline. Rests on virt/kvm/kvm_main.c, arch/x86/kvm/x86.c and kernel/cpu.c
 * of v7.2.
 */
#include <errno.h>

#include "kvmmmu/own/guest_memfd.h"
#include "kvmmmu/own/host_mm.h"
#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/mmu.h"
#include "kvmmmu/own/regions.h"
#include "kvmmmu/own/tdx.h"
#include "kvmmmu/own/vt.h"
#include "kvmmmu/own/x86.h"
#include "sim/engine/check.h"
#include "sim/engine/lp.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

/* --- CPUs ----------------------------------------------------------------------------- */

bool cpu_online(u16 cpu)
{
	return mem_read32(&kvm_host_self()->cpu[cpu].online);
}

/* smp_call_function_single() of a CPU that is not online is -ENXIO: nothing is called. */
void kvm_call_on_cpu(u16 cpu, void (*fn)(void *), void *arg)
{
	if (cpu_online(cpu))
		smp_call_function_single(cpu, fn, arg, true);
}

/* kvm_offline_cpu(), kvm_arch_disable_virtualization_cpu(), vt_disable_virtualization_cpu() */
static void kvm_disable_virtualization_cpu(void *unused)
{
	tdx_disable_virtualization_cpu();
}

/*
 * cpu_down() as far as KVM sees it: hotplug's lock, KVM's callback on that CPU with
 * interrupts off, and it is online no more. In Linux a thread of its own calls it (K14).
 */
int kvm_cpu_offline(u16 cpu)
{
	struct kvm_host *host = kvm_host_self();
	int r = 0;

	trace_call("kvm_offline_cpu", cpu);
	down_write(&host->cpu_hotplug_lock);
	if (cpu_online(cpu)) {
		smp_call_function_single(cpu, kvm_disable_virtualization_cpu, NULL, true);
		mem_write32(&host->cpu[cpu].online, 0);
	} else {
		r = -EINVAL;
	}
	up_write(&host->cpu_hotplug_lock);
	trace_return("kvm_offline_cpu", cpu, (u64)(s64)r);
	return r;
}

/* --- leaks ---------------------------------------------------------------------------- */

void kvm_leak_page(struct kvm *kvm, u64 hpa, const char *what)
{
	if (!hpa)
		return;
	trace_(EV_NOTE, .name = "page-leaked", .detail = what, .arg = hpa, .has_arg = true);
	world_set(kvm->leaked_pages, kvm->leaked_pages + 1);
	if (!mem_peek32(&kvm->vm_bugged))
		world_set(kvm->leak_is_news, true);
}

void kvm_leak_pages(struct kvm *kvm, const u64 *hpa, u32 n, const char *what)
{
	for (u32 i = 0; i < n; i++)
		kvm_leak_page(kvm, hpa[i], what);
}

/* --- creating a vCPU ------------------------------------------------------------------ */

struct kvm_vcpu *kvm_vcpu_alloc(struct kvm *kvm, u16 id)
{
	struct kvm_vcpu *vcpu = world_alloc(sizeof(*vcpu));

	world_set(vcpu->kvm, kvm);
	world_set(vcpu->vcpu_id, id);
	world_set(vcpu->cpu, NO_CPU);
	mutex_init(&vcpu->mutex, "vcpu_mutex");
	kvm_vcpu_regions(vcpu);
	return vcpu;
}

static void vcpu_dealloc(struct kvm_vcpu *vcpu)
{
	kvm_vcpu_forget_regions(vcpu);
	lock_exit(&vcpu->mutex.info);
	world_free(vcpu, sizeof(*vcpu));
}

/* The vCPU belongs to the CPU that has made it from here on, initialised or not. */
static int kvm_arch_vcpu_create(struct kvm_vcpu *vcpu)
{
	int r = is_td(vcpu->kvm) ? tdx_vcpu_create(vcpu) : 0;

	if (r)
		return r;
	if (!is_td(vcpu->kvm))
		world_set(vcpu->vmx, vmx_vcpu_create(vcpu->kvm));
	vcpu_load(vcpu);
	vcpu_put(vcpu);
	return 0;
}

static void kvm_arch_vcpu_destroy(struct kvm_vcpu *vcpu)
{
	if (is_td(vcpu->kvm))
		tdx_vcpu_free(vcpu);
	else
		vmx_vcpu_free(vcpu);
	kvm_mmu_destroy(vcpu);
}

static void vcpu_release(void *of)
{
	struct kvm_vcpu *vcpu = of;

	kvm_vcpu_release(vcpu);
}

/* Online: user space can reach it, and everybody who asks all vCPUs does. */
void kvm_vcpu_publish(struct kvm *kvm, struct kvm_vcpu *vcpu)
{
	u32 n = mem_read32(&kvm->online_vcpus);

	world_xchg(&kvm->vcpus[n], vcpu);
	kvm_file_init(&vcpu->file, vcpu_release, vcpu);
	refcount_inc(&kvm->users_count);
	world_xchg(&kvm->fds[vcpu->vcpu_id], vcpu);
	/* smp_wmb() */
	mem_xadd32(&kvm->online_vcpus, 1);
}

/* kvm_get_vcpu_by_id() */
static bool kvm_get_vcpu_by_id(struct kvm *kvm, u16 id)
{
	u32 n = kvm_online_vcpus(kvm), i;

	for (i = 0; i < n; i++)
		if (kvm->vcpus[i]->vcpu_id == id)
			return true;
	return false;
}

/* kvm->lock held */
static int vcpu_insert(struct kvm *kvm, struct kvm_vcpu *vcpu)
{
	if (kvm_get_vcpu_by_id(kvm, vcpu->vcpu_id))
		return -EEXIST;
	mutex_lock(&vcpu->mutex);
	kvm_vcpu_publish(kvm, vcpu);
	mutex_unlock(&vcpu->mutex);
	return 0;
}

/* kvm->lock: up to v7.2 it is dropped while the vCPU is made; v7.3 holds it from end to end */
static void create_unlock(struct kvm *kvm)
{
	if (!kvm_switch(kvm, SW_CREATE_HOLDS_LOCK))
		mutex_unlock(&kvm->lock);
}

static void create_relock(struct kvm *kvm)
{
	if (!kvm_switch(kvm, SW_CREATE_HOLDS_LOCK))
		mutex_lock(&kvm->lock);
}

/* kvm->lock held */
static int create_vcpu(struct kvm *kvm, u16 id, struct kvm_vcpu **created)
{
	struct kvm_vcpu *vcpu;
	int r;

	if (kvm->created_vcpus >= kvm->max_vcpus)
		return -EINVAL;
	if (kvm_switch(kvm, SW_CREATE_HOLDS_LOCK) && kvm_get_vcpu_by_id(kvm, id))
		return -EEXIST;		/* before anything is made: B08 cannot be */
	world_set(kvm->created_vcpus, kvm->created_vcpus + 1);
	create_unlock(kvm);
	vcpu = kvm_vcpu_alloc(kvm, id);
	r = kvm_arch_vcpu_create(vcpu);
	if (r) {
		vcpu_dealloc(vcpu);
		create_relock(kvm);
		goto decrement;
	}
	create_relock(kvm);
	r = vcpu_insert(kvm, vcpu);
	if (!r) {
		*created = vcpu;
		return 0;
	}
	create_unlock(kvm);
	kvm_arch_vcpu_destroy(vcpu);
	vcpu_dealloc(vcpu);
	create_relock(kvm);
decrement:
	world_set(kvm->created_vcpus, kvm->created_vcpus - 1);
	return r;
}

static void kvm_arch_vcpu_postcreate(struct kvm_vcpu *vcpu)
{
	mutex_lock(&vcpu->mutex);
	vcpu_load(vcpu);
	vcpu_put(vcpu);
	mutex_unlock(&vcpu->mutex);
}

int kvm_vm_ioctl_create_vcpu(struct kvm *kvm, u16 id)
{
	struct kvm_vcpu *vcpu;
	int r;

	if (id >= kvm->max_vcpus)
		return -EINVAL;
	mutex_lock(&kvm->lock);
	r = create_vcpu(kvm, id, &vcpu);
	create_unlock(kvm);
	if (!r)
		kvm_arch_vcpu_postcreate(vcpu);
	if (kvm_switch(kvm, SW_CREATE_HOLDS_LOCK))
		mutex_unlock(&kvm->lock);
	return r;
}

/* --- destroying ----------------------------------------------------------------------- */

static void kvm_destroy_vcpus(struct kvm *kvm)
{
	u32 n = kvm_online_vcpus(kvm), i;

	for (i = 0; i < n; i++) {
		kvm_arch_vcpu_destroy(kvm->vcpus[i]);
		vcpu_dealloc(kvm->vcpus[i]);
		world_xchg(&kvm->vcpus[i], NULL);
	}
	mem_write32(&kvm->online_vcpus, 0);
}

/* kvm_mmu_uninit_vm(), vt_vm_destroy() */
static void kvm_arch_destroy_vm(struct kvm *kvm)
{
	kvm_destroy_vcpus(kvm);
	kvm_mmu_uninit_tdp_mmu(kvm);
	if (is_td(kvm))
		tdx_vm_destroy(kvm);
}

/* What is left is a leak; said here, since nobody will come back to it. */
static void check_leaks(struct kvm *kvm)
{
	if (mem_peek16(&kvm->hkid) && kvm->leak_is_news)
		check_fail("hkid-leak", kvm->name, "HKID %u is still assigned and its TD is gone",
			   mem_peek16(&kvm->hkid));
	if (!kvm->leaked_pages)
		return;
	if (kvm->leak_is_news)
		check_fail("page-leak", kvm->name, "%u pages of the TD are never given back",
			   kvm->leaked_pages);
	else
		trace_note("pages leak: a consequence of the KVM_BUG");
}

static void kvm_destroy_vm(struct kvm *kvm)
{
	trace_call0("kvm_destroy_vm");
	if (is_td(kvm))
		tdx_mmu_release_hkid(kvm);	/* kvm_arch_pre_destroy_vm() */
	host_mm_exit(kvm);		/* mmu_notifier_unregister(), and its process is gone */
	kvm_warn_on(mem_peek64(&kvm->mmu_invalidate_in_progress), NO_GFN,
		    "a VM is destroyed inside an invalidation window");
	kvm_arch_destroy_vm(kvm);
	kvm_free_memslots(kvm);
	rcu_barrier();			/* srcu_barrier(), cleanup_srcu_struct() */
	check_leaks(kvm);
	world_set(kvm->destroyed, true);	/* kvm_arch_free_vm() */
	trace_return0("kvm_destroy_vm", 0);
}

void kvm_put_kvm(struct kvm *kvm)
{
	if (refcount_dec_and_test(&kvm->users_count))
		kvm_destroy_vm(kvm);
}

/*
 * Up to v6.14 a vCPU that went was loaded once more to unload its MMU
 * (kvm_unload_vcpu_mmu(), C01).
 */
void kvm_vcpu_release(struct kvm_vcpu *vcpu)
{
	struct kvm *kvm = vcpu->kvm;

	trace_call("kvm_vcpu_release", vcpu->vcpu_id);
	if (kvm_switch(kvm, SW_CLOSE_LOADS_VCPU)) {
		vcpu_load(vcpu);
		vcpu_put(vcpu);
	}
	trace_return("kvm_vcpu_release", vcpu->vcpu_id, 0);
	kvm_put_kvm(kvm);
}

/* --- descriptors ---------------------------------------------------------------------- */

/*
 * Linux counts users of a struct file by atomic operations that no KVM race is about. Here
 * they take no step; where threads are real they are atomic all the same.
 */
static bool users_dropped(struct kvm_file *f)
{
	return world_xadd(&f->users, -1) == 1;
}

void kvm_file_init(struct kvm_file *f, void (*release)(void *of), void *of)
{
	world_set(f->users, 1);
	world_set(f->closed, false);
	world_set(f->release, release);
	world_set(f->of, of);
}

/* get_file_active(): of a file that somebody still uses, though its descriptor may be closed */
bool kvm_fget_active(struct kvm_file *f)
{
	for (;;) {
		u64 n = world_read(&f->users);

		if (!n)
			return false;
		if (world_cmpxchg(&f->users, n, n + 1) == n)
			return true;
	}
}

bool kvm_fget(struct kvm_file *f)
{
	return !world_read(&f->closed) && kvm_fget_active(f);
}

/*
 * fput() under locks: the release is left to the thread's way back to user space, that is to
 * the end of the operation (task_work; kvm_op_end()).
 */
void kvm_fput_later(struct kvm *kvm, struct kvm_file *f)
{
	if (users_dropped(f))
		world_set(kvm->task_work[actor_self()->id], f);
}

void kvm_task_work(struct kvm *kvm)
{
	struct kvm_file *f = kvm->task_work[actor_self()->id];

	if (!f)
		return;
	world_set(kvm->task_work[actor_self()->id], NULL);
	f->release(f->of);
}

void kvm_fput(struct kvm_file *f)
{
	if (users_dropped(f))
		f->release(f->of);
}

int kvm_close(struct kvm_file *f)
{
	if (world_xchg(&f->closed, true))
		return -EBADF;
	kvm_fput(f);
	return 0;
}
