// SPDX-License-Identifier: GPL-2.0-only
/*
 * virt/kvm/kvm_main.c whole, and what needs its statics: ioctls of a VM and of a vCPU as user
 * space makes them, by the file's own functions.
 */
#include <linux/kvm_host.h>
/* The one place that asks for a kick of `vcpu` */
#undef __cpumask_set_cpu
#define __cpumask_set_cpu(cpu, mask) do {				\
	cpumask_set_cpu(cpu, mask);					\
	ksim_kick_requested(vcpu->vcpu_id);				\
} while (0)
#define kvm_make_all_cpus_request ktree_inner_make_all_cpus_request
#include "kvm_main.c"
#undef kvm_make_all_cpus_request
#include "kvmmmu/kernel/glue.h"

static unsigned long user_base(struct kvm *kvm)
{
	return KSIM_USER_BASE + ksim_vm_number(kvm) * KSIM_USER_VM;
}

/* What conditions and counters of scenarios know of a kick; callers in other files come here. */
bool kvm_make_all_cpus_request(struct kvm *kvm, unsigned int req)
{
	bool any;

	ksim_call_event("kvm_make_all_cpus_request", req & 0xff);
	any = ktree_inner_make_all_cpus_request(kvm, req);
	ksim_count_kick();
	if (!any)
		ksim_observe_idle_kick(req & 0xff);
	ksim_return_event("kvm_make_all_cpus_request", req & 0xff, any);
	return any;
}

int ktree_boot_main(void)
{
	int cpu;

	/* kvm_online_cpu() of each: what a first VM would call */
	for_each_possible_cpu(cpu)
		per_cpu(virtualization_enabled, cpu) = true;
	return kvm_init(ktree_tdx_vcpu_size(), 64, NULL);
}

void *ktree_vm_create(int tdx, unsigned int max_vcpus, int *err)
{
	struct kvm *kvm = kvm_create_vm(tdx ? KVM_X86_TDX_VM : KVM_X86_DEFAULT_VM, "0");

	*err = IS_ERR(kvm) ? PTR_ERR(kvm) : 0;
	if (*err)
		return NULL;
	if (max_vcpus > kvm->max_vcpus)
		kvm->max_vcpus = max_vcpus;
	if (tdx)
		kvm->mem_attr_array.dflt = xa_mk_value(KVM_MEMORY_ATTRIBUTE_PRIVATE);
	return kvm;
}

static long vm_ioctl_of(struct kvm *kvm, unsigned int nr, void *arg)
{
	struct file f = { .private_data = kvm };

	return kvm_vm_ioctl(&f, nr, (unsigned long)arg);
}

static long vcpu_ioctl_of(struct kvm_vcpu *vcpu, unsigned int nr, void *arg)
{
	struct file f = { .private_data = vcpu };

	return kvm_vcpu_ioctl(&f, nr, (unsigned long)arg);
}

int ktree_memory(void *kvm, unsigned long gfns, int gmem, int log_dirty, int *gmem_fd)
{
	struct kvm_create_guest_memfd g = { .size = gfns << PAGE_SHIFT };

	*gmem_fd = -1;
	if (gmem) {
		*gmem_fd = vm_ioctl_of(kvm, KVM_CREATE_GUEST_MEMFD, &g);
		if (*gmem_fd < 0)
			return *gmem_fd;
	}
	return ktree_slot(kvm, 2, 0, gfns, 0, *gmem_fd, log_dirty ? KVM_MEM_LOG_DIRTY_PAGES : 0);
}

static struct kvm_memory_slot *slot_at(struct kvm *kvm, unsigned long gfn, unsigned long npages)
{
	struct kvm_memory_slot *s;
	int bkt;

	kvm_for_each_memslot(s, bkt, kvm_memslots(kvm))
		if (s->base_gfn == gfn && s->npages == npages)
			return s;
	return NULL;
}

static int free_id(struct kvm *kvm)
{
	int id;

	for (id = 0; id_to_memslot(kvm_memslots(kvm), id); id++)
		;
	return id;
}

/* what: 0 delete, 1 move, 2 create, 3 flags */
int ktree_slot(void *k, int what, unsigned long start, unsigned long end, unsigned long to,
	       int gmem_fd, unsigned int flags)
{
	struct kvm_userspace_memory_region2 m = { 0 };
	struct kvm *kvm = k;
	struct kvm_memory_slot *s = NULL;

	if (what != 2) {
		s = slot_at(kvm, start, end - start);
		if (!s)
			return -EINVAL;
		m.slot = s->id;
		m.userspace_addr = s->userspace_addr;
		m.flags = s->flags & ~KVM_MEMSLOT_INVALID;
		if (what == 3)
			m.flags = (m.flags & ~KVM_MEM_LOG_DIRTY_PAGES) | flags;
		m.guest_memfd = gmem_fd;
		m.guest_memfd_offset = start << PAGE_SHIFT;
	} else {
		m.slot = free_id(kvm);
		m.userspace_addr = user_base(kvm) + (start << PAGE_SHIFT);
		m.flags = flags | (gmem_fd >= 0 ? KVM_MEM_GUEST_MEMFD : 0);
		m.guest_memfd = gmem_fd;
		m.guest_memfd_offset = start << PAGE_SHIFT;
	}
	m.guest_phys_addr = (what == 1 ? to : start) << PAGE_SHIFT;
	m.memory_size = what == 0 ? 0 : (end - start) << PAGE_SHIFT;
	return vm_ioctl_of(kvm, KVM_SET_USER_MEMORY_REGION2, &m);
}

int ktree_vcpu_create(void *kvm, unsigned int id, void **vcpu, int *fd)
{
	*fd = vm_ioctl_of(kvm, KVM_CREATE_VCPU, (void *)(unsigned long)id);
	if (*fd < 0)
		return *fd;
	*vcpu = ksim_fd_file(*fd)->private_data;
	return 0;
}

int ktree_run(void *v, struct ktree_exit *x)
{
	struct kvm_vcpu *vcpu = v;
	struct kvm_run *run = vcpu->run;
	int r = vcpu_ioctl_of(vcpu, KVM_RUN, NULL);

	x->reason = run->exit_reason;
	if (run->exit_reason == KVM_EXIT_MEMORY_FAULT) {
		x->gfn = run->memory_fault.gpa >> PAGE_SHIFT;
		x->to_private = !!(run->memory_fault.flags & KVM_MEMORY_EXIT_FLAG_PRIVATE);
	} else if (run->exit_reason == KVM_EXIT_HYPERCALL) {
		x->gfn = run->hypercall.args[0] >> PAGE_SHIFT;
		x->pages = run->hypercall.args[1];
		x->to_private = !!(run->hypercall.args[2] & KVM_MAP_GPA_RANGE_ENCRYPTED);
		run->hypercall.ret = 0;
	} else if (run->exit_reason == KVM_EXIT_MMIO) {
		x->gfn = run->mmio.phys_addr >> PAGE_SHIFT;
	}
	return r;
}

int ktree_prefault(void *v, unsigned long start, unsigned long end)
{
	struct kvm_pre_fault_memory r = { .gpa = start << PAGE_SHIFT,
					  .size = (end - start) << PAGE_SHIFT };

	return vcpu_ioctl_of(v, KVM_PRE_FAULT_MEMORY, &r);
}

int ktree_attributes(void *kvm, unsigned long start, unsigned long end, int to_private)
{
	struct kvm_memory_attributes a = {
		.address = start << PAGE_SHIFT, .size = (end - start) << PAGE_SHIFT,
		.attributes = to_private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0,
	};

	return vm_ioctl_of(kvm, KVM_SET_MEMORY_ATTRIBUTES, &a);
}

void ktree_kick(void *kvm)
{
	kvm_make_all_cpus_request(kvm, KVM_REQ_OUTSIDE_GUEST_MODE);
}

int ktree_vm_is_dead(void *k)
{
	struct kvm *kvm = k;

	return READ_ONCE(kvm->vm_dead);
}

int ktree_peek_bugged(void *k) { return ((struct kvm *)k)->vm_bugged; }

int ktree_peek_dead(void *k)
{
	struct kvm *kvm = k;

	return kvm->vm_dead || kvm->vm_bugged;
}

/* as kvm_fget() of user space: the file stays */
int ktree_fget(int fd)
{
	struct file *f = ksim_fd_file(fd);

	if (!f || f->closed)
		return 0;
	f->refs.counter++;
	return 1;
}

void ktree_fput(int fd)
{
	fput(ksim_fd_file(fd));
}

void ktree_close(int fd)
{
	struct file *f = ksim_fd_file(fd);

	if (!f || f->closed)
		return;
	f->closed = true;
	fput(f);
}

static int vm_fd_release(struct inode *i, struct file *f)
{
	return kvm_vm_release(i, f);
}
static const struct file_operations vm_fops = { .release = vm_fd_release };

int ktree_vm_fd(void *kvm)
{
	return ksim_getfd("kvm-vm", &vm_fops, kvm, 0);
}

/* zap_page_range_single(): notifiers, entries, notifiers, pages */
void ktree_notify(void *k, unsigned long start, unsigned long end)
{
	struct kvm *kvm = k;
	struct mmu_notifier *mn = &kvm->mmu_notifier;
	struct mmu_notifier_range r = { .mm = kvm->mm };
	unsigned long a;

	r.start = user_base(kvm) + (start << PAGE_SHIFT);
	r.end = user_base(kvm) + (end << PAGE_SHIFT);
	ksim_call_event("host_zap_page_range", start);
	ksim_call_event("kvm_mmu_notifier_invalidate_range_start", start);
	mn->ops->invalidate_range_start(mn, &r);
	ksim_return_event("kvm_mmu_notifier_invalidate_range_start", start, 0);
	for (a = r.start; a < r.end; a += PAGE_SIZE) {
		ksim_user_clear(a);
		cond_resched();
	}
	ksim_call_event("kvm_mmu_notifier_invalidate_range_end", start);
	mn->ops->invalidate_range_end(mn, &r);
	ksim_return_event("kvm_mmu_notifier_invalidate_range_end", start, 0);
	ksim_user_release();
	ksim_return_event("host_zap_page_range", start, 0);
}

int ktree_age(void *k, unsigned long start, unsigned long end)
{
	struct kvm *kvm = k;
	struct mmu_notifier *mn = &kvm->mmu_notifier;

	return mn->ops->clear_flush_young(mn, kvm->mm, user_base(kvm) + (start << PAGE_SHIFT),
					  user_base(kvm) + (end << PAGE_SHIFT));
}

void ktree_vcpu_lock(void *v) { mutex_lock(&((struct kvm_vcpu *)v)->mutex); }
void ktree_vcpu_unlock(void *v) { mutex_unlock(&((struct kvm_vcpu *)v)->mutex); }

void ktree_check_end(void *k)
{
	struct kvm *kvm = k;

	if (kvm->mmu_invalidate_in_progress)
		ksim_warn("an invalidation window was left open", __FILE__, __LINE__);
	ktree_td_check_end(kvm);
}

void *ktree_lock(void *k, const char *name, int *kind)
{
	struct kvm *kvm = k;
	static const struct { const char *name; int kind; unsigned long at; } locks[] = {
		{ "mmu_lock", KSIM_WRITE, offsetof(struct kvm, mmu_lock) },
		{ "kvm_lock", KSIM_MUTEX, offsetof(struct kvm, lock) },
		{ "slots_lock", KSIM_MUTEX, offsetof(struct kvm, slots_lock) },
		{ "slots_arch_lock", KSIM_MUTEX, offsetof(struct kvm, slots_arch_lock) },
		{ "tdp_mmu_pages_lock", KSIM_SPIN, offsetof(struct kvm, arch.tdp_mmu_pages_lock) },
		{ "mn_invalidate_lock", KSIM_SPIN, offsetof(struct kvm, mn_invalidate_lock) },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(locks); i++) {
		if (strcmp(locks[i].name, name))
			continue;
		*kind = locks[i].kind;
		return (char *)kvm + locks[i].at;
	}
	return NULL;
}

#define REGION(kind, p) ksim_region(kvm, kind, &(p), sizeof(p), 1, 0, 1, 0)
void ktree_regions(void *k)
{
	struct kvm *kvm = k;

	ksim_region(kvm, KSIM_STAT, &kvm->stat, 8, sizeof(kvm->stat) / 8, 0, 1, 0);
	REGION(KSIM_SEQ, kvm->mmu_invalidate_seq);
	REGION(KSIM_IN_PROGRESS, kvm->mmu_invalidate_in_progress);
	REGION(KSIM_RANGE_START, kvm->mmu_invalidate_range_start);
	REGION(KSIM_RANGE_END, kvm->mmu_invalidate_range_end);
	REGION(KSIM_BUGGED, kvm->vm_bugged);
	REGION(KSIM_DEAD, kvm->vm_dead);
	REGION(KSIM_PRE_FAULT, kvm->arch.pre_fault_allowed);
	REGION(KSIM_ONLINE_VCPUS, kvm->online_vcpus);
	REGION(KSIM_ROOTS, kvm->arch.tdp_mmu_roots.next);
	REGION(KSIM_MN_COUNT, kvm->mn_active_invalidate_count);
	kvm->mem_attr_array.region = KSIM_ATTRIBUTES;
	kvm->mem_attr_array.owner = kvm;
	if (kvm->arch.vm_type == KVM_X86_TDX_VM)
		ktree_td_regions(kvm);
}

void ktree_vcpu_regions(void *v)
{
	struct kvm_vcpu *vcpu = v;
	struct kvm *kvm = vcpu->kvm;

	ksim_region(kvm, KSIM_MODE, &vcpu->mode, 4, 1, vcpu->vcpu_id, 1, 0);
	ksim_region(kvm, KSIM_CPU, &vcpu->cpu, 4, 1, vcpu->vcpu_id, 1, 0);
	ksim_region(kvm, KSIM_STAT, &vcpu->stat, 8, sizeof(vcpu->stat) / 8, 0, 1, 0);
	ksim_region(kvm, KSIM_REQUESTS, &vcpu->requests, 8, 1, vcpu->vcpu_id, 1, 0);
	if (kvm->arch.vm_type == KVM_X86_TDX_VM)
		ktree_td_vcpu_regions(vcpu);
}

int ktree_vm_op(void *kvm, void *cmd)
{
	return vm_ioctl_of(kvm, KVM_MEMORY_ENCRYPT_OP, cmd);
}

int ktree_vcpu_op(void *vcpu, void *cmd)
{
	return vcpu_ioctl_of(vcpu, KVM_MEMORY_ENCRYPT_OP, cmd);
}

/* cpu_down() as far as KVM sees it: in Linux a thread of its own calls it. */
static void offline(void *cpu) { kvm_offline_cpu(ksim_cpu()); }

int ktree_cpu_offline(int cpu)
{
	int r = -EINVAL;

	ksim_call_event("kvm_offline_cpu", cpu);
	ksim_lock(KSIM_DOWN_WRITE, &ksim_cpu_hotplug_lock);
	if (ksim_cpu_online(cpu)) {
		ksim_call_one(cpu, offline, NULL, 1);
		ksim_set_cpu_online(cpu, 0);
		r = 0;
	}
	ksim_unlock(KSIM_DOWN_WRITE, &ksim_cpu_hotplug_lock);
	ksim_return_event("kvm_offline_cpu", cpu, r);
	return r;
}
