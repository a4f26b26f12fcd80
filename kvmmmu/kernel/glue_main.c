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
/* What a loop in it does next is told to glue_mmu.c, where the loop is */
__typeof__(kvm_arch_vcpu_pre_fault_memory) ktree_seam_prefault;
#define kvm_arch_vcpu_pre_fault_memory ktree_seam_prefault
/* Of these names the definitions alone. Calls go to ours, below. */
#define INNER(name, k) KSIM_PICK(KSIM_IS_##k, CALL, 0)(name)
#define KSIM_DEFINITION(name) ktree_inner_##name
#define KSIM_CALL(name) kvm_##name
#define kvm_make_all_cpus_request(k, r) INNER(make_all_cpus_request, k)(k, r)
#define kvm_flush_remote_tlbs(k) INNER(flush_remote_tlbs, k)(k)
#include "kvm_main.c"
#undef kvm_flush_remote_tlbs
#undef kvm_make_all_cpus_request
#undef kvm_arch_vcpu_pre_fault_memory
#include "kvmmmu/kernel/glue.h"

long ktree_seam_prefault(struct kvm_vcpu *vcpu, struct kvm_pre_fault_memory *range)
{
	ktree_loop_at(range->gpa);
	return kvm_arch_vcpu_pre_fault_memory(vcpu, range);
}

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

void kvm_flush_remote_tlbs(struct kvm *kvm)
{
	ktree_inner_flush_remote_tlbs(kvm);
	ksim_tlbs_flushed(kvm);
}

int ktree_boot_main(void)
{
	int cpu;

	/* kvm_online_cpu() of each: what a first VM would call */
	for_each_possible_cpu(cpu)
		per_cpu(virtualization_enabled, cpu) = true;
	return kvm_init(max(ktree_tdx_vcpu_size(), ktree_vmx_vcpu_size()), 64, NULL);
}

void *ktree_vm_create(const struct ktree_vm_config *c, int *err)
{
	struct kvm *kvm = kvm_create_vm(c->tdx ? KVM_X86_TDX_VM : KVM_X86_DEFAULT_VM, "0");

	*err = IS_ERR(kvm) ? PTR_ERR(kvm) : 0;
	if (*err)
		return NULL;
	if (c->max_vcpus > kvm->max_vcpus)
		kvm->max_vcpus = c->max_vcpus;
	kvm->arch.disable_nx_huge_pages = !c->nx;	/* KVM_CAP_VM_DISABLE_NX_HUGE_PAGES */
	kvm->manual_dirty_log_protect = c->manual_protect;
	if (!c->tdx && c->pml)
		kvm->arch.cpu_dirty_log_size = 512;	/* vmx_vm_init() */
	kvm->arch.hypercall_exit_enabled = 1u << KVM_HC_MAP_GPA_RANGE;	/* KVM_CAP_EXIT_HYPERCALL */
	if (c->tdx)
		kvm->mem_attr_array.dflt = xa_mk_value(KVM_MEMORY_ATTRIBUTE_PRIVATE);
	return kvm;
}

static long vm_ioctl_of(struct kvm *kvm, unsigned int nr, void *arg)
{
	struct file f = { .private_data = kvm };
	long r = kvm_vm_ioctl(&f, nr, (unsigned long)arg);

	ktree_task_work();
	return r;
}

static long vcpu_ioctl_of(struct kvm_vcpu *vcpu, unsigned int nr, void *arg)
{
	struct file f = { .private_data = vcpu };
	long r = kvm_vcpu_ioctl(&f, nr, (unsigned long)arg);

	ktree_task_work();
	return r;
}

int ktree_memory(void *kvm, unsigned long gfns, int gmem, int log_dirty, int huge, int *gmem_fd)
{
	struct kvm_create_guest_memfd g = { .size = gfns << PAGE_SHIFT };
	int r = ksim_user_init(kvm, gfns, huge);

	if (r)
		return r;

	*gmem_fd = -1;
	if (gmem) {
		*gmem_fd = vm_ioctl_of(kvm, KVM_CREATE_GUEST_MEMFD, &g);
		if (*gmem_fd < 0)
			return *gmem_fd;
	}
	return ktree_slot(kvm, 2, 0, gfns, 0, *gmem_fd, log_dirty ? KVM_MEM_LOG_DIRTY_PAGES : 0);
}

/*
 * User space knows its slots, and here they are looked up: in no time, but where threads are real
 * what is looked at must stay.
 */
static int look(struct kvm *kvm)
{
	return ksim_real_threads() ? srcu_read_lock(&kvm->srcu) : 0;
}

static void looked(struct kvm *kvm, int idx)
{
	if (ksim_real_threads())
		srcu_read_unlock(&kvm->srcu, idx);
}

static bool slot_at(struct kvm *kvm, unsigned long gfn, unsigned long npages,
		    struct kvm_userspace_memory_region2 *m)
{
	struct kvm_memory_slot *s;
	bool found = false;
	int bkt, idx = look(kvm);

	kvm_for_each_memslot(s, bkt, kvm_memslots(kvm)) {
		if (s->base_gfn != gfn || s->npages != npages)
			continue;
		m->slot = s->id;
		m->userspace_addr = s->userspace_addr;
		m->flags = s->flags;
		found = true;
		break;
	}
	looked(kvm, idx);
	return found;
}

static int free_id(struct kvm *kvm)
{
	int id, idx = look(kvm);

	for (id = 0; id_to_memslot(kvm_memslots(kvm), id); id++)
		;
	looked(kvm, idx);
	return id;
}

/* what: 0 delete, 1 move, 2 create, 3 flags */
int ktree_slot(void *k, int what, unsigned long start, unsigned long end, unsigned long to,
	       int gmem_fd, unsigned int flags)
{
	struct kvm_userspace_memory_region2 m = { 0 };
	struct kvm *kvm = k;

	if (what != 2) {
		if (!slot_at(kvm, start, end - start, &m) || m.flags & KVM_MEMSLOT_INVALID) {
			mutex_lock(&kvm->slots_lock);	/* who deletes, moves or adds it ends first */
			mutex_unlock(&kvm->slots_lock);
			if (!slot_at(kvm, start, end - start, &m))
				return -EINVAL;
		}
		m.flags &= ~KVM_MEMSLOT_INVALID;
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
	int r;

	ksim_call_event("kvm_vm_set_mem_attributes", start);
	r = vm_ioctl_of(kvm, KVM_SET_MEMORY_ATTRIBUTES, &a);
	ksim_return_event("kvm_vm_set_mem_attributes", start, r);
	return r;
}

static int slot_with_log(struct kvm *kvm, unsigned long gfn, struct kvm_memory_slot *of)
{
	struct kvm_memory_slot *s = gfn_to_memslot(kvm, gfn);

	if (!s || !s->dirty_bitmap)
		return -ENOENT;
	of->id = s->id;
	of->base_gfn = s->base_gfn;
	of->npages = s->npages;
	return 0;
}

/* The slot whose log user space asks for. That there is none is said, as by KVM, under slots_lock. */
static int logging_slot(struct kvm *kvm, unsigned long gfn, struct kvm_memory_slot *of)
{
	int idx = srcu_read_lock(&kvm->srcu), r = slot_with_log(kvm, gfn, of);

	srcu_read_unlock(&kvm->srcu, idx);
	if (!r)
		return 0;
	mutex_lock(&kvm->slots_lock);
	r = slot_with_log(kvm, gfn, of);
	mutex_unlock(&kvm->slots_lock);
	return r;
}

/* User space copies what it is told of, unless it says first which it will clear */
int ktree_get_dirty(void *k, unsigned long gfn)
{
	struct kvm *kvm = k;
	struct kvm_memory_slot s;
	struct kvm_dirty_log log = { 0 };
	int r = logging_slot(kvm, gfn, &s);
	unsigned long i, n, *buf;

	if (r)
		return r;
	n = (s.npages + 63) / 64;
	buf = ksim_alloc(n * 8);
	log.slot = s.id;
	log.dirty_bitmap = buf;
	r = vm_ioctl_of(kvm, KVM_GET_DIRTY_LOG, &log);
	for (i = 0; !r && i < n; i++) {
		ksim_dirty_told(kvm, s.base_gfn + i * 64, buf[i]);
		if (!kvm->manual_dirty_log_protect)
			ksim_dirty_copied(kvm, s.base_gfn + i * 64, buf[i]);
	}
	ksim_free(buf);
	return r;
}

/* Of 64 pages from @i * 64 of the slot those of [@from, @to) that user space wants cleared */
static unsigned long clear_mask(struct kvm *kvm, const struct kvm_memory_slot *s, unsigned long i,
				unsigned long from, unsigned long to)
{
	unsigned long mask = kvm->manual_dirty_log_protect ?
			     ksim_dirty_was_told(kvm, s->base_gfn + i * 64) : ~0ul;

	if (from > i * 64)
		mask &= ~0ul << (from - i * 64);
	if (to < i * 64 + 64)
		mask &= ~(~0ul << (to - i * 64));
	return mask;
}

int ktree_clear_dirty(void *k, unsigned long start, unsigned long end)
{
	struct kvm *kvm = k;
	struct kvm_memory_slot s;
	struct kvm_clear_dirty_log log = { 0 };
	int r = logging_slot(kvm, start, &s);
	unsigned long i, n, first, *buf;

	if (r)
		return r;
	start -= s.base_gfn;
	end -= s.base_gfn;
	if (end > s.npages)
		return -EINVAL;
	first = start / 64;
	n = (end + 63) / 64 - first;
	buf = ksim_alloc(n * 8);
	for (i = 0; i < n; i++)
		buf[i] = clear_mask(kvm, &s, first + i, start, end);
	log.slot = s.id;
	log.first_page = first * 64;
	log.num_pages = min((first + n) * 64, s.npages) - first * 64;
	log.dirty_bitmap = buf;
	r = vm_ioctl_of(kvm, KVM_CLEAR_DIRTY_LOG, &log);
	for (i = 0; !r && i < n; i++)
		ksim_dirty_copied(kvm, s.base_gfn + (first + i) * 64, buf[i]);
	ksim_free(buf);
	return r;
}

int ktree_peek_dirty(void *k, unsigned long gfn)
{
	struct kvm *kvm = k;
	struct kvm_memslots *slots = (struct kvm_memslots *)kvm->memslots[0];
	struct rb_node *n = slots->gfn_tree.rb_node;

	/* There is a log when the ioctl has come so far; what is written before, user space knows. */
	if (!kvm->nr_memslots_dirty_logging.counter)
		return 0;
	while (n) {
		struct kvm_memory_slot *s = container_of(n, struct kvm_memory_slot,
							 gfn_node[slots->node_idx]);

		if (gfn < s->base_gfn) {
			n = n->rb_left;
		} else if (gfn >= s->base_gfn + s->npages) {
			n = n->rb_right;
		} else {
			unsigned long i = gfn - s->base_gfn;

			return !s->dirty_bitmap ? 0 : 1 + (s->dirty_bitmap[i / 64] >> (i % 64) & 1);
		}
	}
	return 0;
}

int ktree_is_private(void *kvm, unsigned long gfn) { return kvm_mem_is_private(kvm, gfn); }

void ktree_sched_out(void *notifier)
{
	struct preempt_notifier *n = notifier;

	n->ops->sched_out(n, current);
}

void ktree_sched_in(void *notifier)
{
	struct preempt_notifier *n = notifier;

	n->ops->sched_in(n, smp_processor_id());
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

static int vm_fd_release(struct inode *i, struct file *f)
{
	return kvm_vm_release(i, f);
}
static const struct file_operations vm_fops = { .release = vm_fd_release };

int ktree_vm_fd(void *kvm)
{
	return ksim_getfd("kvm-vm", &vm_fops, kvm, 0);
}

static struct mmu_notifier_range user_range(struct kvm *kvm, unsigned long start, unsigned long end)
{
	return (struct mmu_notifier_range){
		.mm = kvm->mm, .start = user_base(kvm) + (start << PAGE_SHIFT),
		.end = user_base(kvm) + (end << PAGE_SHIFT),
	};
}

void ktree_notify_start(struct kvm *kvm, unsigned long start, unsigned long end)
{
	struct mmu_notifier_range r = user_range(kvm, start, end);

	ksim_call_event("kvm_mmu_notifier_invalidate_range_start", start);
	kvm->mmu_notifier.ops->invalidate_range_start(&kvm->mmu_notifier, &r);
	ksim_return_event("kvm_mmu_notifier_invalidate_range_start", start, 0);
}

void ktree_notify_end(struct kvm *kvm, unsigned long start, unsigned long end)
{
	struct mmu_notifier_range r = user_range(kvm, start, end);

	ksim_call_event("kvm_mmu_notifier_invalidate_range_end", start);
	kvm->mmu_notifier.ops->invalidate_range_end(&kvm->mmu_notifier, &r);
	ksim_return_event("kvm_mmu_notifier_invalidate_range_end", start, 0);
}

/* zap_page_range_single(): notifiers, entries, notifiers, pages */
void ktree_notify(void *kvm, unsigned long start, unsigned long end)
{
	ksim_call_event("host_zap_page_range", start);
	ktree_notify_start(kvm, start, end);
	ksim_user_clear(kvm, start, end);
	ktree_notify_end(kvm, start, end);
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

/* Of each page on its own, as folio_referenced() looks, until one is young */
int ktree_test_age(void *k, unsigned long start, unsigned long end)
{
	struct kvm *kvm = k;
	struct mmu_notifier *mn = &kvm->mmu_notifier;
	unsigned long p;

	for (p = start; p < end; p++)
		if (mn->ops->test_young(mn, kvm->mm, user_base(kvm) + (p << PAGE_SHIFT)))
			return 1;
	return 0;
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

#ifndef HAVE_NX_LISTS	/* one list for both MMUs, and recovery goes by a statistic */
	REGION(KSIM_NX_LIST, kvm->arch.possible_nx_huge_pages.next);
	ksim_region(kvm, KSIM_NX_NR, ksim_alloc(8), 8, 1, 0, 1, 0);	/* the shadow MMU's: not run */
	ksim_region(kvm, KSIM_NX_NR, &kvm->stat.nx_lpage_splits, 8, 1, 1, 1, 0);
#endif
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
	REGION(KSIM_MEMSLOTS, kvm->memslots[0]);
	for (unsigned long i = 0; i < 2; i++)
		ksim_region(kvm, KSIM_GEN, &kvm->__memslots[0][i].generation, 8, 1, i, 1, 0);
#ifdef HAVE_NX_LISTS
	REGION(KSIM_NX_LIST, kvm->arch.possible_nx_huge_pages[KVM_TDP_MMU].pages.next);
	for (unsigned long i = 0; i < KVM_NR_MMU_TYPES; i++)
		ksim_region(kvm, KSIM_NX_NR, &kvm->arch.possible_nx_huge_pages[i].nr_pages, 8, 1, i,
			    1, 0);
#endif
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
