/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The wall between a kernel tree and the engine: what the shim's macros call, and what the
 * host half (host_*.c) does with steps of mem.h and the engine's locks. Both halves include
 * it, so it names plain C types only. An address is the kernel's own: of the world (the slab,
 * or linear memory), or of its statics, see host_data.c.
 */

/* As struct site of the engine: both lie in the same section. */
struct ksim_site {
	const char *file, *func;
	unsigned int line, zero;
};

#define KSIM_SITE ({							\
	static const struct ksim_site ksim_here				\
	__attribute__((section("sim_sites"), used, aligned(8))) =	\
	{ __FILE__, __func__, __LINE__, 0 };				\
	&ksim_here; })

/* Marked accesses: a step each where the address is shared memory */
unsigned long ksim_read(const volatile void *p,		/* raw: what the tree passes */
			unsigned int size, const struct ksim_site *s);
void ksim_write(volatile void *p,			/* raw: likewise */
		unsigned int size, unsigned long v, const struct ksim_site *s);
enum ksim_rmw { KSIM_CMPXCHG, KSIM_XADD, KSIM_XCHG, KSIM_AND, KSIM_OR, KSIM_BTS, KSIM_BTR };
/* the old value; of BTS and BTR the old bit. CMPXCHG: @a is expected, @b stored */
unsigned long ksim_rmw(enum ksim_rmw op, volatile void *p, unsigned int size, unsigned long a,
		       unsigned long b, const struct ksim_site *s);
void ksim_fence(const struct ksim_site *s);
/* Plain ones: called before each, by the compiler's hooks; host_plain.c */
/* @pc: behind the call of the hook, NULL: none */
void ksim_plain_load(void *p, unsigned long n, const void *pc);
void ksim_plain_store(void *p, unsigned long n, const void *pc);
/* data_race(): what the running actor does from now on (1) or no longer (0) may race */
void ksim_data_race(int on);
void ksim_relax(void);

/*
 * Locks: KSIM_LOCK_SIZE bytes of the kernel's structure are the engine's lock. A lock that is
 * a static of the kernel is set up when a sim starts, from where DEFINE_MUTEX() lists it.
 */
#define KSIM_LOCK_SIZE	64
#define KSIM_SRCU_SIZE	192
enum ksim_kind { KSIM_SPIN, KSIM_READ, KSIM_WRITE, KSIM_MUTEX, KSIM_DOWN_READ, KSIM_DOWN_WRITE };
struct ksim_static_lock {
	void *lock;
	const char *name;
	unsigned long kind;	/* enum ksim_kind */
	unsigned long zero;
} __attribute__((aligned(32)));	/* so that a section of them is an array */
void ksim_lock_init(enum ksim_kind kind, void *l, const char *name);
void ksim_lock(enum ksim_kind kind, void *l);
int ksim_trylock(enum ksim_kind kind, void *l);
void ksim_lock_nested(void *l, void *nest);
void ksim_unlock(enum ksim_kind kind, void *l);
int ksim_lock_held(enum ksim_kind kind, void *l);	/* for read: held at all */
void ksim_assert_held(enum ksim_kind kind, void *l, int any, const struct ksim_site *s);
int ksim_needbreak(void *rwlock);
int ksim_mutex_is_locked(void *l);
void ksim_might_sleep(const char *what);

void ksim_rcu_read_lock(void);
void ksim_rcu_read_unlock(void);
int ksim_rcu_read_lock_held(void);
void ksim_call_rcu(void *head, void (*fn)(void *head));
void ksim_rcu_barrier(void);
void ksim_synchronize_rcu(void);
void ksim_srcu_init(void *s, const char *name);
void ksim_srcu_exit(void *s);
int ksim_srcu_read_lock(void *s);
void ksim_srcu_read_unlock(void *s, int idx);
void ksim_srcu_read_unlock_lite(void *s, int idx);
int ksim_srcu_held(void *s);
void ksim_synchronize_srcu(void *s);
/* rcuwait, completions: wait until *@p is zero */
void ksim_await_zero(void *p, unsigned int size);
void ksim_await_one(void *p);	/* a 32-bit word */
void ksim_wake(void *p);

/*
 * `septsim stress`: threads are real. What is no step is then atomic all the same, or under this
 * lock (else there is none), which covers no step: who takes one may leave the run there.
 */
int ksim_real_threads(void);
void ksim_world_lock(void);
void ksim_world_unlock(void);

/* Memory: zeroed */
void *ksim_alloc(unsigned long n);
void ksim_free(const void *p);
unsigned long ksim_page_alloc(void);	/* linear address */
unsigned long ksim_guest_page_alloc(void);	/* hpa */
unsigned long ksim_guest_2m_alloc(void);	/* hpa of 512 in a row */
void ksim_page_free(unsigned long hpa);
void ksim_page_touch(unsigned long hpa);	/* its contents are written: one line stands for them */
void *ksim_fill(void *p, int byte, unsigned long n);
void *ksim_copy(void *to, const void *from, unsigned long n);
extern char *const ksim_phys;		/* address of hpa 0 */
unsigned long ksim_phys_size(void);
void *ksim_mem_map(void);		/* struct page [ksim_phys_size() >> 12] */

/* What went wrong: checks of the table in docs/language.md */
void ksim_warn(const char *cond, const char *file, int line);
void ksim_bug(const char *cond, const char *file, int line) __attribute__((noreturn));
void ksim_missing(const char *name) __attribute__((noreturn));
void ksim_unexpected_exit(unsigned int vcpu, unsigned long reason);
void ksim_print(const char *fmt, ...);
void ksim_note(const char *text);
void ksim_call_event(const char *name, unsigned long arg);
/* Functions that the tree keeps to itself, by where they lie: made by farm.py from seams.txt */
struct ksim_seam {
	const char *name, *at;
	unsigned long size;
};
extern const struct ksim_seam ksim_seams[];	/* ends with a NULL name */
void ksim_seam_event(const char *name, int ends);
void ksim_return_event(const char *name, unsigned long arg, unsigned long status);
/* @ret: -errno, or as enum kmmu_ret_pf of kvmmmu/kmmu.h */
void ksim_fault_event(const char *name, unsigned long gfn, long ret, int level, unsigned long hpa);
int ksim_is_mmio(void *kvm, unsigned long gfn);	/* its shared entry, looked at by nobody */

/* The entry that the actor stored last was a leaf, and maps its page no longer */
void ksim_leaf_unmapped(unsigned long gfn);
void ksim_tlbs_flushed(void *kvm);

void ksim_observe_idle_kick(unsigned long req);
void ksim_kick_requested(unsigned long vcpu);
void ksim_count_kick(void);
void ksim_count_retry(void);
/* Beside its steps the running actor spends @n times a price: a 4K page cleared, flushed from the
 * caches, a private leaf removed */
enum ksim_price { KSIM_PAGE_CLEAR, KSIM_PAGE_CLFLUSH, KSIM_ZAP_CODE };
void ksim_charge(enum ksim_price what, unsigned long n);
/* the local retry: its head; where it may go round, which it does with the next cond_resched() */
void ksim_try_fault(void *kvm);
void ksim_may_retry(void *kvm);

/* Threads, processors, interrupts */
/* actor_forget() at a loop's head */
#define ksim_forget_loop(kvm, loop) ksim_forget_at(kvm, loop, 0, KSIM_SITE)
/* @at: how far it is, beside what its operation says */
void ksim_forget_at(void *kvm, unsigned long loop, unsigned long at, const struct ksim_site *s);
int ksim_work_pending(void);		/* a signal, or need_resched */
void ksim_kick_cpu(int cpu);
void ksim_ept_sync_global(void);	/* INVEPT, all contexts */
int ksim_cpu(void);
int ksim_cpus(void);
int ksim_cpu_online(int cpu);
void ksim_set_cpu_online(int cpu, int online);
int ksim_package(int cpu);
void *ksim_current(void);		/* struct task_struct of the running actor */
int ksim_need_resched(void);
int ksim_cond_resched(void);
/* the running thread's struct preempt_notifier, called where it is switched out and in; NULL: none */
void ksim_preempt_register(void *n);
int ksim_signal_pending(void);
void ksim_irq_disable(void);
void ksim_irq_enable(void);
int ksim_irqs_disabled(void);
int ksim_irq_pending(void);
void ksim_call_one(int cpu, void (*fn)(void *), void *arg, int wait);
void ksim_call_many(const unsigned long *mask, void (*fn)(void *), void *arg, int wait, int self);
void *ksim_percpu(void *p, int cpu);

/* A guest without TDX: what is in its VMCS, and the processor that runs it */
struct ksim_vmx_exit {
	unsigned int reason;
	unsigned long gpa, qual;
};
void *ksim_vmx_new(int pml);
void ksim_vmx_free(void *guest);
void ksim_vmx_run(void *guest, void *kvm, unsigned int vcpu_id, struct ksim_vmx_exit *to);
void ksim_vmx_skip(void *guest);
void ksim_vmx_set_root(void *guest, unsigned long hpa);
int ksim_vmx_comes(void *guest, int cpu);	/* 1: it was on another CPU; -1: none */
void ksim_vmx_flush(unsigned long eptp);	/* INVEPT, single-context */
void ksim_vmx_pml(void *guest, int on);
void ksim_vmx_drain(void *guest, void (*each)(void *vcpu, unsigned long gfn), void *vcpu);
int ksim_maxphyaddr(void *kvm);

/* SEAMCALL: @args as struct tdx_module_args: rcx rdx r8..r15, then more that is not passed */
unsigned long ksim_seamcall(unsigned long fn, unsigned long *args);

/* User space is one process: gfn n of VM number v is page v << 24 | n of its memory. */
#define KSIM_USER_BASE	(1ul << 40)
#define KSIM_USER_VM	(1ul << 36)
#define KSIM_SOURCE	(1ul << 44)	/* what KVM_TDX_INIT_MEM_REGION copies */

/* Of the dirty log: user space was told that 64 pages from @gfn are dirty, or has copied them */
void ksim_dirty_told(void *kvm, unsigned long gfn, unsigned long bits);
unsigned long ksim_dirty_was_told(void *kvm, unsigned long gfn);	/* bits, of the 64 from @gfn */
void ksim_dirty_copied(void *kvm, unsigned long gfn, unsigned long bits);

/* Regions that the glue tells: kinds beside enum kvm_region of kvmmmu/regions.h */
enum ksim_region {
	KSIM_NO_REGION, KSIM_MIRROR, KSIM_DIRECT, KSIM_MODE, KSIM_CPU, KSIM_REQUESTS,
	KSIM_CPU_LIST, KSIM_TDX_STATE, KSIM_ONLINE_VCPUS, KSIM_HKID, KSIM_PRE_FAULT, KSIM_GATE,
	KSIM_TD_STATE, KSIM_SEQ, KSIM_IN_PROGRESS, KSIM_RANGE_START, KSIM_RANGE_END, KSIM_BUGGED,
	KSIM_USER, KSIM_STAT, KSIM_DEAD, KSIM_ROOTS, KSIM_MN_COUNT, KSIM_SLOT_FLAGS, KSIM_ATTRIBUTES, KSIM_GMEM,
	KSIM_NX_LIST, KSIM_NX_NR, KSIM_MEMSLOTS, KSIM_GEN,
	KSIM_REGIONS,
};
/* the running actor owns the gfns of an entry (1), no longer (0), or until its next store (2) */
void ksim_own(void *kvm, unsigned long gfn, int level, int own);
void ksim_vm_gone(void *kvm);
void ksim_name_td(unsigned long tdr);	/* the next TD is of the actor's operation */
unsigned long ksim_vm_number(void *kvm);
void ksim_guest_page_free(unsigned long hpa);
/* @kvm: NULL: of the running actor's operation */
void ksim_region(void *kvm, enum ksim_region kind, void *p, unsigned int size, unsigned long count,
		 unsigned long index, unsigned long step, int level);
void ksim_forget_region(void *p);
