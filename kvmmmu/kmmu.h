/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * KVM's one face to scenarios. Two implementations stand behind it: kvmmmu/own (always
 * built) and kvmmmu/kernel (the user's tree). Operations are called on the stack of the
 * actor that performs them, and are steps throughout; the peeks are not.
 * Source of every behaviour: docs/model.md, under the kernel's function name.
 */
#include <glib.h>

#include "sim/engine/types.h"

struct sim;
struct kvm;
struct kvm_vcpu;
struct guest_program;

enum kmmu_vm_type { KMMU_TDX, KMMU_DEFAULT };	/* default: a VM without TDX */

/* Whose KVM: all VMs of a sim have the same. */
enum kmmu_backend {
	KMMU_OWN,	/* the project's, kvmmmu/own */
	KMMU_LINUX,	/* of the kernel tree that this septsim was built from, kvmmmu/kernel */
};

/* kmmu_backend_find - by its word, "own" or "linux" */
bool kmmu_backend_find(const char *name, enum kmmu_backend *b);

/* A file of the tree that was compiled, as it was then */
struct kmmu_tree_file {
	const char *path, *sha256;
};

/* What the backend linux was made from; files end with a NULL path */
struct kmmu_tree {
	const char *version;	/* "7.2.13", from its Makefile */
	const char *compiler, *flags;
	const struct kmmu_tree_file *files;
	/* what of the tree differs from what stands for it here, or "": verdicts say so */
	const char *imitated;
};

/* kmmu_tree - NULL in a build without a tree */
const struct kmmu_tree *kmmu_tree(void);
/*
 * kmmu_tree_kvm - the word of `kvm=` that the tree is: the newest version known that is not
 * newer. NULL: no tree, or one before all
 */
const char *kmmu_tree_kvm(void);

/* What a page-fault handler says, arch/x86/kvm/mmu/mmu_internal.h of v7.2: "RET_PF_RETRY" ... */
enum kmmu_ret_pf {
	RET_PF_CONTINUE,
	RET_PF_RETRY,
	RET_PF_EMULATE,
	RET_PF_WRITE_PROTECTED,
	RET_PF_INVALID,
	RET_PF_FIXED,
	RET_PF_SPURIOUS,
};

/* kmmu_trace_fault - event: @name of @gfn returned @ret, enum kmmu_ret_pf or -errno */
void kmmu_trace_fault(const char *name, u64 gfn, s64 ret, u8 level, u64 hpa);

struct kmmu_config {
	enum kmmu_backend backend;
	const char *name;	/* "TD": owner of the regions */
	enum kmmu_vm_type type;
	u16 vcpus;
	u64 memory;		/* bytes of guest memory: gfns [0, memory / 4K) */
	u8 levels;		/* 4 or 5 */
	u8 max_level;		/* of user pages, so of what is shared: 1 = 4K, 2 = 2M */
	bool initialized_only;	/* td state=initialized: before MR.FINALIZE */
	bool created_only;	/* td state=none: KVM_CREATE_VM alone, no vCPUs */
	bool pending_ve_disable, notify, nx_huge_pages, dirty_log;
	bool no_ad, no_pml;	/* EPT without accessed and dirty bits, without page-modification log */
	u8 manual_protect;	/* KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2: 1, or 3 with INITIALLY_SET */
	u8 iommus;		/* that the TD is mapped in; needs a module with TDX Connect */
	const char *const *variant;	/* "kvm=v7.2", "no-freeze", ...; NULL-terminated */
	const char *policy;		/* NULL: the variant's own */
	const char *const *policy_args;	/* "k=v", NULL-terminated; may be NULL */
};

/*
 * kmmu_vm_new - a VM (with its TD), vCPUs (not loaded on any LP) and one memslot over all its
 * memory, private by attribute in a TD; no roots. No steps. NULL with @err set for an unknown
 * variant or policy.
 */
struct kvm *kmmu_vm_new(struct sim *sim, const struct kmmu_config *cfg, GError **err);

/*
 * kmmu_vcpu - NULL: user space has no descriptor of it, now. A vCPU goes with its VM, so that
 * the answer holds between kmmu_get() and kmmu_put() only
 */
struct kvm_vcpu *kmmu_vcpu(struct kvm *kvm, u16 n);
/* kmmu_set_guest - what runs in vCPU @n, if it is there, and once it is initialised */
void kmmu_set_guest(struct kvm *kvm, u16 n, const struct guest_program *p);
const char *kmmu_name(const struct kvm *kvm);	/* owner of its regions */
u64 kmmu_tdr(const struct kvm *kvm);	/* 0: there is none, yet or any more, or ever (KMMU_DEFAULT) */
u64 kmmu_tdvpr(const struct kvm *kvm, u16 n);	/* hpa of vCPU @n's TDVPR */

/* Errors of kmmu_vm_new(): what a user can get wrong. The message has a hint. */
#define KMMU_ERROR g_quark_from_static_string("kmmu-error")
enum kmmu_error {
	KMMU_ERROR_UNKNOWN_VARIANT,
	KMMU_ERROR_UNKNOWN_POLICY,
	KMMU_ERROR_POLICY_ARG,
	KMMU_ERROR_NOT_SUPPORTED,
	KMMU_ERROR_VALUE,
};

/*
 * kmmu_get - the running actor will call operations of the VM, or of its vCPU @n: their file
 * stays as long. False: that is closed (EBADF). No step.
 * kmmu_put - may be the last: then the file is released, and perhaps the VM destroyed; steps
 */
#define KMMU_VM		0xffffu
bool kmmu_get(struct kvm *kvm, u16 n);
void kmmu_put(struct kvm *kvm, u16 n);

/* What an operation returned, for the table: 0, a negative errno, or a KVM exit reason. */
struct kmmu_result {
	s64 ret;
	const char *what;	/* "EINTR", "MEMORY_FAULT", ... or NULL */
};

enum kmmu_memory_fault { MEMORY_FAULT_STOP, MEMORY_FAULT_RETRY, MEMORY_FAULT_CONVERT };

/* Operations of a vCPU thread (vcpu->mutex is taken and dropped as the ioctl does). */
struct kmmu_result kmmu_run(struct kvm_vcpu *vcpu, enum kmmu_memory_fault mf, u64 times /* 0: until the guest stops */);
struct kmmu_result kmmu_fault(struct kvm_vcpu *vcpu, u64 gfn, bool shared, u8 level);
struct kmmu_result kmmu_prefault(struct kvm_vcpu *vcpu, u64 start, u64 end);
struct kmmu_result kmmu_migrate(struct kvm *kvm, u16 lp);	/* the running thread; no ioctl */

/* Operations of any thread. Ranges are gfns [start, end). */
struct kmmu_result kmmu_zap(struct kvm *kvm, u64 start, u64 end);
struct kmmu_result kmmu_punch(struct kvm *kvm, u64 start, u64 end);
struct kmmu_result kmmu_convert(struct kvm *kvm, u64 start, u64 end, bool to_shared);
enum kmmu_slot_change { SLOT_DELETE, SLOT_MOVE, SLOT_ADD };
/* @to: first gfn of the new place, for SLOT_MOVE */
struct kmmu_result kmmu_slot(struct kvm *kvm, enum kmmu_slot_change what, u64 start, u64 end,
			     u64 to);
struct kmmu_result kmmu_kick(struct kvm *kvm);
struct kmmu_result kmmu_track(struct kvm *kvm);
struct kmmu_result kmmu_rcu_quiesce(struct kvm *kvm);
struct kmmu_result kmmu_reuse_page(struct kvm *kvm, u64 gfn);	/* host writes the page's frame */

/* User space's memory; ranges are of user pages, numbered as the gfns they were set up for */
struct kmmu_result kmmu_notify(struct kvm *kvm, u64 start, u64 end);	/* they go, notifiers told */
struct kmmu_result kmmu_age(struct kvm *kvm, u64 start, u64 end);	/* were they used? */
struct kmmu_result kmmu_test_age(struct kvm *kvm, u64 start, u64 end);	/* and they stay so */
/* Huge pages of direct trees */
struct kmmu_result kmmu_recover_nx(struct kvm *kvm);	/* the NX recovery worker, once */
struct kmmu_result kmmu_shadow_page(struct kvm *kvm, u64 gfn);	/* give it one of the shadow MMU */
struct kmmu_result kmmu_collapse(struct kvm *kvm, u64 start, u64 end);	/* of the slot there */
struct kmmu_result kmmu_split(struct kvm *kvm, u64 gfn);
/*
 * Dirty logging: of the slot that is exactly the range; KVM_GET_DIRTY_LOG of the one at @start;
 * KVM_CLEAR_DIRTY_LOG of a range in one: with manual protection, of what that has told of
 */
struct kmmu_result kmmu_log_dirty(struct kvm *kvm, u64 start, u64 end, bool on);
struct kmmu_result kmmu_get_dirty(struct kvm *kvm, u64 start);
struct kmmu_result kmmu_clear_dirty(struct kvm *kvm, u64 start, u64 end);

/*
 * The VM's life, as ioctls: KVM_TDX_INIT_VM, KVM_CREATE_VCPU, KVM_TDX_INIT_VCPU,
 * KVM_TDX_INIT_MEM_REGION (measured), KVM_TDX_FINALIZE_VM. kmmu_close: vCPU @n's descriptor; kmmu_destroy: all of them, as a process that ends; the VM goes with the last.
 * kmmu_release_hkid: tdx_mmu_release_hkid() alone, as the mmu notifier once called it.
 * kmmu_terminate: KVM_TDX_TERMINATE_VM, which no release has (-EINVAL without `terminate-vm`).
 * kmmu_cpu_offline: of the host, whatever VM.
 */
struct kmmu_result kmmu_init_vm(struct kvm *kvm);
struct kmmu_result kmmu_create_vcpu(struct kvm *kvm, u16 n);
struct kmmu_result kmmu_init_vcpu(struct kvm_vcpu *vcpu);
struct kmmu_result kmmu_build(struct kvm_vcpu *vcpu, u64 start, u64 end);
struct kmmu_result kmmu_finalize(struct kvm *kvm);
struct kmmu_result kmmu_close(struct kvm *kvm, u16 n);
struct kmmu_result kmmu_destroy(struct kvm *kvm);
struct kmmu_result kmmu_release_hkid(struct kvm *kvm);
struct kmmu_result kmmu_terminate(struct kvm *kvm);
struct kmmu_result kmmu_cpu_offline(struct kvm *kvm, u16 lp);
bool kmmu_destroyed(const struct kvm *kvm);	/* no step */

/*
 * The VM's locks by name ("mmu_lock"): held by a thread that a scenario gives no other
 * reason. They wait. @shared: mmu_lock for read.
 * kmmu_has_lock - false: not one of a VM's, or this backend does not know it
 */
bool kmmu_has_lock(const char *name);
void kmmu_lock_acquire(struct kvm *kvm, const char *name, bool shared);
void kmmu_lock_release(struct kvm *kvm, const char *name, bool shared);

/* Peeks: no step. */
enum mirror_class {
	MIRROR_NONPRESENT, MIRROR_FROZEN, MIRROR_LEAF, MIRROR_TABLE, MIRROR_MMIO, MIRROR_OTHER
};
struct mirror_view {
	u64 raw;
	u64 pfn;		/* leaf or table; ~0 if none */
	u8 level;		/* where the walk ended: 1 = 4K */
	enum mirror_class class;
};
void kmmu_mirror_peek(struct kvm *kvm, u64 gfn, struct mirror_view *v);
/* kmmu_direct_peek - likewise of the direct tree that a vCPU would load now */
void kmmu_direct_peek(struct kvm *kvm, u64 gfn, struct mirror_view *v);
/* kmmu_direct_maps - does any direct table that is not freed map the page at @hpa, and where? */
bool kmmu_direct_maps(const struct kvm *kvm, u64 hpa, u64 *gfn);
bool kmmu_is_dead(const struct kvm *kvm);	/* vm_bugged or vm_dead */
u64 kmmu_gfns(const struct kvm *kvm);
/* kmmu_check_end - teardown's promises: users of pages, leaks; fails page-leak and the like */
void kmmu_check_end(struct kvm *kvm);

/* For list and for errors: what is there. Each returns a NULL-terminated array. */
struct kmmu_word {
	const char *name;
	const char *text;	/* one line: what it does */
	const char *range;	/* kernel versions, or "mutation" */
	const char *source;
	const char *bounds;		/* of a policy: what it bounds, and what not; else NULL */
};
const struct kmmu_word *kmmu_variants(u32 *n);	/* kvm= versions first, then switches */
const struct kmmu_word *kmmu_policies(u32 *n);
/* kmmu_policy_arg - argument @i of policy @name; false: it has no more */
struct kmmu_arg {
	const char *name, *text;
	u64 value, min, max;	/* value: if none is given */
};
bool kmmu_policy_arg(const char *name, u32 i, struct kmmu_arg *arg);
/* kmmu_policy_repeats - does policy @name (NULL: the kernel's) make the VMM's own call again? */
bool kmmu_policy_repeats(const char *name, u64 leaf, u64 status);
/* Conditions' fixed seam functions: names of `call X` beside the leaves. */
const struct kmmu_word *kmmu_seams(u32 *n);
