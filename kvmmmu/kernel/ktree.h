/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What the kernel half offers to the host half (linux_*.c): operations on the tree's structures,
 * which only code compiled against its headers knows. Plain C types. An `int` is 0 or a negative
 * errno of the tree's. All are steps but what says peek.
 */

/* What a VM's set-up asks for; pages are hpas */
struct ktree_built {
	unsigned long tdr, tdcs[8];
	unsigned int tdcs_nr, hkid, levels;
};

unsigned long ktree_task_size(void);
void ktree_task_init(void *task);

/* @ad: EPT has accessed and dirty bits */
int ktree_boot(int ad);	/* what the modules' init functions do; once a sim */
struct ktree_vm_config {
	int tdx, pml;		/* a page-modification log: without TDX */
	int nx;			/* huge pages are not executable */
	unsigned int max_vcpus, manual_protect;
};
void *ktree_vm_create(const struct ktree_vm_config *c, int *err);
void ktree_vm_built(void *kvm, const struct ktree_built *b);
/* @huge: user space's pages may be of 2M */
int ktree_memory(void *kvm, unsigned long gfns, int gmem, int log_dirty, int huge, int *gmem_fd);
void ktree_regions(void *kvm);
int ktree_vcpu_create(void *kvm, unsigned int id, void **vcpu, int *fd);
void ktree_vcpu_built(void *vcpu, unsigned long tdvpr, const unsigned long *tdcx, unsigned int n);
int ktree_vcpu_load_roots(void *vcpu, unsigned long *shared_root);

void ktree_vm_runnable(void *kvm);	/* what KVM_TDX_FINALIZE_VM leaves */
unsigned long ktree_page_size(void);
int ktree_hkid_alloc(void);
int ktree_pi_vector(void);
int ktree_vm_fd(void *kvm);
void ktree_vcpu_unload(void *vcpu);
void ktree_vcpu_regions(void *vcpu);
void ktree_vcpu_lock(void *vcpu);
void ktree_vcpu_unlock(void *vcpu);
void ktree_check_end(void *kvm);

/* ioctls */
struct ktree_exit {
	unsigned int reason;
	unsigned long gfn, pages, flags;	/* of a memory fault; of MapGPA */
	int to_private;
};
int ktree_run(void *vcpu, struct ktree_exit *exit);
void ktree_complete_hypercall(void *vcpu, unsigned long ret);
int ktree_init_vm(void *kvm, int levels, int pending_ve_disable);
int ktree_finalize(void *kvm);
int ktree_init_vcpu(void *vcpu);
int ktree_build(void *vcpu, unsigned long start, unsigned long end);
int ktree_cpu_offline(int cpu);
void ktree_notify(void *kvm, unsigned long start, unsigned long end);
int ktree_age(void *kvm, unsigned long start, unsigned long end);
int ktree_test_age(void *kvm, unsigned long start, unsigned long end);
int ktree_collapse(void *kvm, unsigned long gfn);
int ktree_split(void *kvm, unsigned long from, unsigned long to);
int ktree_fault(void *vcpu, unsigned long gfn, int shared);
int ktree_prefault(void *vcpu, unsigned long start, unsigned long end);
void ktree_zap(void *kvm, unsigned long start, unsigned long end);
int ktree_punch(void *kvm, int gmem_fd, unsigned long start, unsigned long end);
int ktree_attributes(void *kvm, unsigned long start, unsigned long end, int to_private);
int ktree_is_private(void *kvm, unsigned long gfn);
int ktree_slot(void *kvm, int what, unsigned long start, unsigned long end, unsigned long to,
	       int gmem_fd, unsigned int flags);
/* of the slot at @gfn; of [start, end) in it */
int ktree_get_dirty(void *kvm, unsigned long gfn);
int ktree_clear_dirty(void *kvm, unsigned long start, unsigned long end);
void ktree_kick(void *kvm);
/* @notifier: what ksim_preempt_register() was given */
void ktree_sched_out(void *notifier);
void ktree_sched_in(void *notifier);
void ktree_track(void *kvm);
void ktree_recover_nx(void *kvm);
void ktree_close(int fd);
int ktree_fget(int fd);
void ktree_fput(int fd);
/* what a call has left for the way back to user space: files whose last user it was */
void ktree_task_work(void);
void ktree_release_hkid(void *kvm);
int ktree_vm_is_dead(void *kvm);		/* a step: as each ioctl begins */

/* Peeks */
struct ktree_spte {
	unsigned long raw, pfn;
	int level, present, leaf, frozen, mmio, empty;
};
void ktree_peek(void *kvm, int mirror, unsigned long gfn, struct ktree_spte *s);
void ktree_classify(unsigned long raw, int level, struct ktree_spte *s);
/* Does an entry or a vCPU lead to the page table that @sptep is in? Who still fills it has it alone. */
int ktree_peek_linked(unsigned long *sptep);
/* Does a leaf that went want a flush? By its root */
int ktree_wants_flush(void *kvm, void *sptep);
/* of the slot there: 0 it has no log, 1 it has one and @gfn is clean, 2 dirty */
int ktree_peek_dirty(void *kvm, unsigned long gfn);
int ktree_peek_dead(void *kvm);
int ktree_peek_gate(void *kvm);
int ktree_peek_bugged(void *kvm);
unsigned long ktree_peek_tdr(void *kvm);
unsigned long ktree_peek_tdvpr(void *vcpu);
void *ktree_peek_guest(void *vcpu);	/* of a VM without TDX: struct vmx_guest */
void ktree_skip_instruction(void *vcpu);
void *ktree_lock(void *kvm, const char *name, int *kind);
