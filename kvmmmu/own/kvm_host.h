/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * KVM's own state, in the world: struct kvm, struct kvm_vcpu, memslots, requests. Names
 * follow include/linux/kvm_host.h and arch/x86/include/asm/kvm_host.h of Linux v7.2.
 *
 * A field marked [step] is shared: it is touched by mem_* only. One marked [set-up] does
 * not change once the VM exists. One marked [vcpu] belongs to the vCPU's thread, which
 * holds vcpu->mutex, and is changed by world_set().
 */
#include "kvmmmu/kmmu.h"
#include "kvmmmu/own/list.h"
#include "kvmmmu/own/variant.h"
#include "sim/engine/actor.h"
#include "sim/engine/arena.h"
#include "sim/engine/lock.h"
#include "sim/engine/mem.h"
#include "sim/engine/sim.h"

struct retry_policy;
struct spte_layout;
struct kvm_mmu_page;
struct guest_program;

#define INVALID_GPA	(~0ull)
#define INVALID_GFN	(~0ull)
#define NO_GFN		(~0ull)		/* of a check that is about no gfn */
#define NO_CPU		(~0u)		/* vcpu->cpu == -1 */
#define TDCS_NR_PAGES	6		/* what TDH.SYS.RD tells of TDX_1.5: TDCS_BASE_SIZE, */
#define TDCX_NR_PAGES	5		/* TDVPS_BASE_SIZE without the TDVPR, in pages */

#define PT64_ROOT_MAX_LEVEL	5
#define KVM_ARCH_NR_OBJS_PER_MEMORY_CACHE	40u
#define PG_LEVEL_4K		1
#define PG_LEVEL_2M		2
#define KVM_MAX_HUGEPAGE_LEVEL	3	/* 1G */

static inline u64 kvm_pages_per_hpage(u8 level)
{
	return 1ull << (9 * (level - 1));
}

static inline u64 gfn_round_for_level(u64 gfn, u8 level)
{
	return gfn & ~(kvm_pages_per_hpage(level) - 1);
}

/* vcpu->mode; include/linux/kvm_host.h */
enum vcpu_mode {
	OUTSIDE_GUEST_MODE,
	IN_GUEST_MODE,
	EXITING_GUEST_MODE,
	READING_SHADOW_PAGE_TABLES,
};

/* Requests: number in bits 7:0, how they are made above; include/linux/kvm_host.h */
#define KVM_REQUEST_MASK	0xffu
#define KVM_REQUEST_NO_WAKEUP	(1u << 8)
#define KVM_REQUEST_WAIT	(1u << 9)
#define KVM_REQUEST_NO_ACTION	(1u << 10)
#define KVM_REQ_TLB_FLUSH	(0u | KVM_REQUEST_WAIT | KVM_REQUEST_NO_WAKEUP)
#define KVM_REQ_VM_DEAD		(1u | KVM_REQUEST_WAIT | KVM_REQUEST_NO_WAKEUP)
#define KVM_REQ_NO_VCPU_ENTER_INPROGRESS \
	(2u | KVM_REQUEST_WAIT | KVM_REQUEST_NO_WAKEUP)	/* of the RFC (policy_rfc.c) only */
#define KVM_REQ_MMU_FREE_OBSOLETE_ROOTS \
	(3u | KVM_REQUEST_WAIT | KVM_REQUEST_NO_WAKEUP)
#define KVM_REQ_UPDATE_CPU_DIRTY_LOGGING \
	(4u | KVM_REQUEST_WAIT | KVM_REQUEST_NO_WAKEUP)
#define KVM_REQ_OUTSIDE_GUEST_MODE \
	(KVM_REQUEST_NO_ACTION | KVM_REQUEST_WAIT | KVM_REQUEST_NO_WAKEUP)

/* KVM_RUN's exit reasons, uapi/linux/kvm.h */
enum {
	KVM_EXIT_UNKNOWN = 0,
	KVM_EXIT_HYPERCALL = 3,
	KVM_EXIT_HLT = 5,
	KVM_EXIT_MMIO = 6,
	KVM_EXIT_INTR = 10,
	KVM_EXIT_INTERNAL_ERROR = 17,
	KVM_EXIT_MEMORY_FAULT = 39,
};

enum fastpath { EXIT_FASTPATH_NONE, EXIT_FASTPATH_REENTER_GUEST, EXIT_FASTPATH_EXIT_HANDLED };

/* Of a fault, arch/x86/include/asm/kvm_host.h: from the exit qualification */
#define PFERR_PRESENT_MASK	(1ull << 0)
#define PFERR_WRITE_MASK	(1ull << 1)
#define PFERR_RSVD_MASK		(1ull << 3)	/* an EPT misconfiguration: an MMIO entry */
#define PFERR_FETCH_MASK	(1ull << 4)
#define PFERR_PRIVATE_ACCESS	(1ull << 49)

#define KVM_MEMSLOT_INVALID	(1u << 16)
#define KVM_MEM_LOG_DIRTY_PAGES	(1u << 0)
#define KVM_MEM_GUEST_MEMFD	(1u << 2)
#define KVM_MEM_SLOTS		8	/* of one VM here */

struct kvm_memory_slot {
	u64 base_gfn, npages;	/* do not change in a slot's life */
	u64 hva;		/* user page behind base_gfn (userspace_addr >> 12) */
	u32 flags;		/* [step] */
	u32 gmem_file;		/* [step] slot->gmem.file: 1 if it has one */
	u64 *dirty_bitmap;	/* a bit a page, by mem_*; NULL: it does not log */
	/* user space's: what the log last told it of; a byte a page that it has no copy of */
	u64 *told;		/* slots_lock */
	u8 *unsaved;
} __attribute__((aligned(64)));

/* One of the two sets; the inactive one is changed under slots_lock alone. */
struct kvm_memslots {
	u64 slot[KVM_MEM_SLOTS];	/* struct kvm_memory_slot *, 0: none */
} __attribute__((aligned(64)));

/* A page of the guest_memfd's page cache, or of user memory (host_mm.c; lock: not used). */
struct folio {
	struct mutex lock;	/* PG_locked */
	struct refcount ref;
	u32 mapped;		/* [step] truncation clears it: folio->mapping */
	bool uptodate;		/* cleared, or copied to; the lock's */
	u64 hpa;
	u64 gfn;
	u64 next;		/* of those that user space gives back at once */
	struct kvm *kvm;
};

#define CHUNK_GFNS 512u
#define LAST_HPA_SET	1ull	/* there was one */
#define LAST_HPA_HOST	2ull	/* reuse-page has given it to the host */
#define LAST_HPA_FRAME	(~(u64)(PAGE_SIZE - 1))

/*
 * Per 512 gfns: the attribute xarray and the guest_memfd's page cache; and, per 512 user
 * pages of the same numbers, user space's page tables: a slot made at set-up has hva = gfn.
 */
struct gfn_chunk {
	u64 folio[CHUNK_GFNS];		/* [step] struct folio *, 0: no page */
	/* Not Linux's: the frame that was the last to back it, for reuse-page, and LAST_HPA_* */
	u64 last_hpa[CHUNK_GFNS];
	struct spinlock page_table_lock;	/* of user memory: pte and pmd are changed under it */
	u64 pte[CHUNK_GFNS];		/* [step] struct folio * of user memory, 0: none */
	u64 last_host_hpa[CHUNK_GFNS];	/* as last_hpa, of user memory */
	u32 pmd;			/* [step] enum host_pmd */
	u8 attributes[CHUNK_GFNS];	/* [step] KVM_MEMORY_ATTRIBUTE_PRIVATE or 0 */
};

#define KVM_MEMORY_ATTRIBUTE_PRIVATE (1u << 3)

struct kvm_mmu_memory_cache {	/* [vcpu] */
	u32 nobjs;
	u32 paid;		/* how many Linux would have left, cleared; no part of a state */
	u64 objects[PT64_ROOT_MAX_LEVEL];
};

/*
 * A file descriptor of user space's and the struct file behind it. Linux holds a file over
 * a call that uses it, so that its release comes when the last of these has ended: users
 * counts the calls, and one for the descriptor. No step, see kvm_file.c.
 */
struct kvm_file {
	u32 users;
	bool closed;
	void (*release)(void *of);
	void *of;
};

/* vcpu_tdx->state */
enum vcpu_tdx_state { VCPU_TD_STATE_UNINITIALIZED, VCPU_TD_STATE_INITIALIZED };

struct kvm_vcpu {
	u32 cpu;		/* [step] LP, NO_CPU: none */
	u32 mode;		/* [step] enum vcpu_mode */
	u64 requests;		/* [step] */
	/* struct vcpu_tdx, to_tdx() */
	struct list_head cpu_list;	/* in associated_tdvcpus of vcpu->cpu */
	u32 tdx_state;		/* [step] enum vcpu_tdx_state */
	u64 tdcx_pages[TDCX_NR_PAGES];	/* hpas; 0: none. With vcpu->tdvpr [vcpu] */
	struct kvm_file file;
	struct mutex mutex __attribute__((aligned(64)));
	struct kvm *kvm;	/* [set-up] */
	u16 vcpu_id;		/* [set-up] */
	u64 tdvpr;		/* [vcpu] hpa; 0: not initialised */
	int srcu_idx;		/* [vcpu] */
	u32 srcu_depth;		/* [vcpu] */
	u64 flush_vp_err;	/* written by the flush IPI, read after its acknowledgement */
	/* arch.mmu->root.hpa and ->mirror_root_hpa, [vcpu]; NULL: INVALID_PAGE */
	struct kvm_mmu_page *root, *mirror_root;
	struct vmx_guest *vmx;	/* [set-up] of a VM without TDX: vmx.c */
	struct kvm_mmu_memory_cache page_header, shadow_page, external_spt;
	/* what TDH.VP.ENTER returned, [vcpu] */
	/* (of a VM without TDX: vp_enter_ret is the exit reason) */
	u64 vp_enter_ret, exit_qual, ext_exit_qual, exit_gpa, tdvmcall_leaf, tdvmcall_a0,
	    tdvmcall_a1, tdvmcall_a2;
	/* struct kvm_run, [vcpu] */
	u32 exit_reason;
	u64 fault_gfn;
	bool fault_private;	/* the access was private: user space would convert to that */
	bool guest_state_loaded;	/* struct vcpu_vt: MSRs of the host are saved, [vcpu] */
	bool frozen_seen;	/* the last fault's walk ended at a FROZEN entry: policy retry-frozen */
	bool prefaulted;	/* policy prefault */
	u32 laps_left;		/* of this fault's local retries: policy custom */
	bool gate_seen;		/* mutation gate-before-mode: what the gate was, early */
	bool not_supported;	/* a path that is not modelled yet was met */
};

enum vm_type { KVM_X86_DEFAULT_VM, KVM_X86_TDX_VM };

enum td_state { TD_STATE_UNINITIALIZED, TD_STATE_INITIALIZED, TD_STATE_RUNNABLE };

struct kvm {
	struct rwlock mmu_lock;
	/* written under mmu_lock held for write, read with and without it, [step] */
	u64 mmu_invalidate_seq __attribute__((aligned(64)));
	u64 mmu_invalidate_in_progress, mmu_invalidate_range_start, mmu_invalidate_range_end;
	struct mutex slots_lock, slots_arch_lock;
	struct srcu srcu;
	struct spinlock tdp_mmu_pages_lock;
	u64 tdp_mmu_roots;	/* [step] first root; RCU, changed under tdp_mmu_pages_lock */
	/* possible_nx_huge_pages of the TDP MMU, [step], tdp_mmu_pages_lock (v6.16: mmu_lock) */
	u64 nx_first, nx_last, nx_nr;
	struct spinlock mn_invalidate_lock;
	u32 mn_active_invalidate_count;	/* [step] mn_invalidate_lock */
	struct rw_semaphore filemap_invalidate_lock;	/* of the one guest_memfd */
	u32 memslots;		/* [step] which of slots[] is active */
	u32 memslots_gen;	/* [step] generation of the active set; bit 0: an update runs */
	u32 vm_bugged, vm_dead;	/* [step] */
	struct kvm_memslots slots[2];
	u32 nr_memslots_dirty_logging;	/* [step] written under slots_lock */
	u32 gmem_dying;		/* [step] the guest_memfd's file has no user left */
	u64 gmem_bindings[KVM_MEM_SLOTS];	/* slots of the guest_memfd, filemap_invalidate_lock */
	/* struct kvm_tdx, to_kvm_tdx() */
	u32 wait_for_sept_zap __attribute__((aligned(64)));	/* [step] */
	u32 td_state;		/* [step] enum td_state */
	u16 hkid;		/* [step] 0: none assigned */
	u32 pre_fault_allowed;	/* [step] */
	u64 tdr;		/* hpa, 0: none */
	u64 tdcs_pages[TDCS_NR_PAGES];
	u64 nr_premapped;	/* [step] mapped in the mirror, not in the TD yet (v6.16) */
	u64 page_add_src;	/* slots_lock: hpa of the source of the page being added */
	/* life */
	struct mutex lock;	/* kvm->lock */
	struct refcount users_count;
	struct kvm_file vm_file, gmem_file;
	u32 online_vcpus;	/* [step] vcpus[] below it are there */
	u16 created_vcpus;	/* kvm->lock: those that are being made, too */
	bool destroyed;		/* kvm_destroy_vm() has ended; only user space's handle is left */
	bool leak_is_news;	/* a leak came with no KVM_BUG before it */
	u32 leaked_pages;
	/* [set-up] */
	const char *name;
	u8 vm_type;		/* enum vm_type */
	u8 max_level;		/* of host pages: PG_LEVEL_4K or PG_LEVEL_2M */
	bool ad_enabled;	/* kvm_ad_enabled: EPT with accessed and dirty bits */
	u16 cpu_dirty_log_size;	/* entries of a vCPU's page-modification log; 0: none */
	u8 manual_dirty_log_protect;	/* dirty_log.h */
	bool nx_huge_pages;	/* the iTLB multihit mitigation */
	bool notify, pending_ve_disable;
	u8 iommus;
	u16 max_vcpus;
	u8 levels;
	u64 gfn_direct_bits;	/* the SHARED bit as a gfn; 0: no private memory */
	u64 gfns;
	u64 switches;		/* enum kvm_switch bits */
	const struct spte_layout *spte;
	const struct retry_policy *policy;
	u64 policy_arg[4];
	struct kvm_vcpu **vcpus;	/* [max_vcpus]; vcpu_array: as they were created */
	struct kvm_vcpu **fds;		/* [max_vcpus], by vcpu_id; NULL: no open descriptor */
	const struct guest_program **guests;	/* [max_vcpus]; what user space will run there */
	struct gfn_chunk **chunks;
	struct kvm *next;
	/* by actor: what its operation will remember, and whether it owes a TLB flush */
	u64 op_key[ACTORS_MAX];
	u8 flush_owed[ACTORS_MAX];
	struct kvm_file *task_work[ACTORS_MAX];	/* released on its way back to user space */
	/* each of one policy alone: seamcall-lock, track-lock, tdr-rwsem */
	struct spinlock seamcall_lock, track_lock;
	struct rw_semaphore tdr_rwsem;
	u64 nx_nr_shadow;	/* [step] as nx_nr, of the shadow MMU */
};

static inline bool is_td(const struct kvm *kvm)
{
	return kvm->vm_type == KVM_X86_TDX_VM;
}

static inline bool kvm_switch(const struct kvm *kvm, enum kvm_switch s)
{
	return kvm->switches >> s & 1;
}

/*
 * gfn_chunk - a large VM has a chunk only where somebody has come; gfn_chunk_peek() makes none
 * kvm_chunk_new - number @n. No step.
 */
struct gfn_chunk *kvm_chunk_new(struct kvm *kvm, u64 n);

static inline struct gfn_chunk *gfn_chunk_peek(const struct kvm *kvm, u64 gfn)
{
	return kvm->chunks[gfn / CHUNK_GFNS];
}

static inline struct gfn_chunk *gfn_chunk(struct kvm *kvm, u64 gfn)
{
	struct gfn_chunk *c = gfn_chunk_peek(kvm, gfn);

	return likely(c) ? c : kvm_chunk_new(kvm, gfn / CHUNK_GFNS);
}

/*
 * for_each_known_gfn - each @gfn of [@from, @to) that may have something in its chunk: of a large
 * VM most have none. known_gfn: @gfn, or the first one of the next chunk that is there; no step
 */
static inline u64 known_gfn(const struct kvm *kvm, u64 gfn, u64 to)
{
	while (gfn < to && !gfn_chunk_peek(kvm, gfn))
		gfn = (gfn | (CHUNK_GFNS - 1)) + 1;
	return gfn;
}

#define for_each_known_gfn(kvm, gfn, from, to)				\
	for ((gfn) = known_gfn(kvm, from, to); (gfn) < (to);		\
	     (gfn) = known_gfn(kvm, (gfn) + 1, to))

/* kvm_online_vcpus - what kvm_for_each_vcpu() goes up to: vcpus[0..]; one step */
static inline u32 kvm_online_vcpus(struct kvm *kvm)
{
	return mem_read32(&kvm->online_vcpus);
}

/*
 * kvm_bug_on - KVM_BUG_ON: if @cond, the VM is bugged and dead, and all vCPUs are told.
 * The first one of a VM is the violation kvm-bug. Returns @cond; the caller goes on as
 * the kernel would. Steps. (include/linux/kvm_host.h)
 */
bool kvm_bug_on(struct kvm *kvm, bool cond, u64 gfn, const char *what);
/* kvm_warn_on - WARN_ON: the violation kvm-warn. Returns @cond. No step. */
bool kvm_warn_on(bool cond, u64 gfn, const char *what);
/* kvm_where - "0x10" of @gfn into @buf, "" of NO_GFN */
const char *kvm_where(u64 gfn, char *buf, size_t n);

/*
 * What all VMs of a sim share: sim_layer(LAYER_KVM). page->private of each frame, and the
 * list of VMs. kvm_page_private is no step; kvm_page_set_private of one's own page.
 */
struct kvm_host {
	struct kvm *vms;
	u32 nr_vms;
	u64 **private;		/* by hpa / 2M, then by page; [step] when a leaf is added */
	/* vmx/tdx.c: SEAMCALLs that take a lock of the whole module */
	struct mutex tdx_lock;
	u64 guest_keyids;	/* of tdx_guest_keyid_alloc(): bit n is HKID n */
	/* kernel/cpu.c; each CPU's words on lines of their own */
	struct rw_semaphore cpu_hotplug_lock;
	struct kvm_cpu {
		struct list_head associated_tdvcpus;	/* of its own, interrupts off */
		u32 online __attribute__((aligned(64)));	/* [step] */
	} *cpu;
};

static inline struct kvm_host *kvm_host_self(void)
{
	return sim_layer(sim_current(), LAYER_KVM);
}

u64 kvm_page_private(u64 hpa);
void kvm_page_set_private(u64 hpa, u64 value);

/*
 * kvm_op_begin - the running actor starts an operation of which it will remember only
 * (@what, @a, @b). kvm_forget - it is at the head of loop @loop and remembers, beside the
 * operation, only @a. kvm_op_end - progress.
 */
void kvm_op_begin(struct kvm *kvm, u64 what, u64 a, u64 b);
#define kvm_forget(kvm, loop, a) kvm_forget_at(kvm, loop, a, SITE_HERE)
void kvm_forget_at(struct kvm *kvm, u64 loop, u64 a, const struct site *site);
void kvm_op_end(struct kvm *kvm);

/*
 * kvm_within - what loops in what is called from here remember of their callers is all that the
 * actor remembers now, not the operation alone; returns what kvm_without() puts back
 */
u64 kvm_within(struct kvm *kvm);
void kvm_without(struct kvm *kvm, u64 was);

enum kvm_loop {		/* names of loops for kvm_forget() */
	LOOP_EPT_VIOLATION = 1, LOOP_VCPU_RUN, LOOP_FASTPATH, LOOP_PREFAULT, LOOP_FAULT_OP,
	LOOP_SEAMCALL, LOOP_GUEST, LOOP_WALK,
};
