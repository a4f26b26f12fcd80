/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The host half's own: what its files share. The kernel half sees ksim.h and ktree.h only.
 */
#include "kvmmmu/kernel/ksim.h"
#include "kvmmmu/kmmu.h"
#include "sim/engine/actor.h"
#include "sim/engine/sim.h"

extern const char ksim_text_start[], ksim_text_end[];	/* of the tree's code */

/* The root object of a sim, LAYER_KVM. In the world, but for what is said to be record. */
struct khost {
	struct kvm *vms;
	void *mem_map;		/* struct page [], carved */
	char *percpu;		/* a copy a CPU of the section ksim_cpudata */
	u64 percpu_stride;
	u16 cpus;
	u16 *page_vm;		/* carved: number + 1 of the VM that has the page, by pfn */
	u32 *online;		/* [cpus], steps */
	u32 lock;		/* of ksim_world_lock() */
	struct kvm *op_vm[ACTORS_MAX];	/* of the actor's operation */
	struct { u64 from, to; } owns[ACTORS_MAX];	/* until its next store; to 0: nothing */
	void *retries[ACTORS_MAX];	/* the VM whose fault it may try again without leaving */
	u8 racy[ACTORS_MAX];	/* it is in a data_race() */
	void *stored[ACTORS_MAX];	/* the entry of a page table that it stored last */
	/* the tree's struct kvm whose TLBs it has to flush, for a leaf of this gfn */
	struct { void *vm; u64 gfn; } owes[ACTORS_MAX];
	u64 busy[ACTORS_MAX];	/* the actor's last SEAMCALL, if it was busy; host_cost.c */
	u64 about[ACTORS_MAX];	/* gfn + 1 whose entry the actor is at; 0: none */
	void *task[ACTORS_MAX];	/* struct task_struct *, made when first asked for */
	/* record: the last plain store that was announced, whose new value is not hashed yet */
	void *pend;
	u64 pend_n, pend_old;
	const struct site *pend_site;
	bool pend_named;	/* it is a word with a name, and its event is owed */
	u8 peeking[ACTORS_MAX];	/* it is no actor who looks, but a check: no hook */
	u64 maybe[128];		/* a bit for each that may be in names: these fit a cache */
	u64 *names;		/* carved: words with names, host_plain.c */
};

static inline struct khost *khost(void)
{
	return sim_layer(sim_current(), LAYER_KVM);
}

/* khost_page_of - the page at @hpa is for @kvm, until the tree's KVM frees it */
void khost_page_of(u64 hpa, struct kvm *kvm);

/*
 * khost_name_word - a plain access of the word at @p is a step; @noise: of statistics, which
 * nobody reads, and so they are no part of a state
 */
#define KHOST_NAMES_BITS	17
void khost_name_word(const void *p, u32 size, bool noise);

/*
 * Plain accesses of the tree's code, by where the compiler's hook returns to (from the start of
 * its text on): made by farm.py
 */
struct ksim_plain_at {
	u32 pc, store;
};
struct ksim_plain_table {
	const struct ksim_plain_at *at;
	const struct site *sites;
	u32 n;
};
extern const struct ksim_plain_table ksim_plain_table;

/* Functions that are known to race in this tree's version; ends with a NULL */
struct ksim_known_race {
	const char *one, *other;
};
extern const struct ksim_known_race ksim_known_races[];

/* khost_tree_file - "/.../farm/kvm/vmx/tdx.c" as the tree names it */
const char *khost_tree_file(const char *file);

/* Nothing of a process is there: near NULL, an error's number, a list's poison */
static inline bool khost_nowhere(u64 p)
{
	return p - 0x10000 >= (1ull << 47) - 0x10000;
}

/* khost_oops - check: the running actor, which ends here, is about to use @p */
void khost_oops(const void *p, const struct site *site) __noreturn;
/* khost_watch_faults - from now on a fault in the tree's code is its actor's end, and a violation */
void khost_watch_faults(struct sim *sim);
/* khost_site_near - of the plain access that is the last before @pc, in the order of addresses */
const struct site *khost_site_near(const void *pc);
/* khost_die_at_setup - the set-up context cannot end as an actor does: the process does */
void khost_die_at_setup(const char *what);

/* khost_race - check: the running actor's plain access at @site and where the others stand */
void khost_race(const void *p, const struct site *site);

/* khost_calls, khost_called - the running actor calls the module; @call names leaf and operands */
void khost_calls(u64 call);
void khost_called(u64 call, bool busy);

/* khost_disown - the store that the actor owned gfns for is made */
void khost_disown(struct khost *h);

/* khost_leaves_mmu - check: the running actor drops mmu_lock with a flush owed */
void khost_leaves_mmu(struct khost *h);

/* khost_settle - every way from the kernel to the engine begins with it */
void khost_settle_slow(void);
static inline void khost_settle(void)
{
	if (unlikely(sim_self->mode & (MODE_KEYED | MODE_LOGGED | MODE_EVENTS)))
		khost_settle_slow();
}

/* host_data.c: statics of the kernel as they were linked; once a sim */
void khost_data_reset(struct khost *h);
bool khost_is_static(const void *p);

/* A look of a check's, in the middle of a step perhaps: what is around it is no actor's. */
#define PEEK(call) ({							\
	struct khost *peek_h = khost();					\
	__typeof__(call) peek_r;					\
									\
	peek_h->peeking[sim_self->id]++;				\
	peek_r = (call);						\
	peek_h->peeking[sim_self->id]--;				\
	peek_r; })

/* The handles behind kmmu.h */
struct kvm {
	void *tree;		/* the tree's struct kvm */
	const char *name;
	struct kvm *next;
	u64 gfns;
	u16 max_vcpus;
	u8 levels, type;
	bool destroyed, pending_ve_disable, ad;
	int fd, gmem_fd;
	struct kvm_vcpu *fds;	/* [max_vcpus] */
	const struct guest_program **guests;
	int *hkid_word;		/* the tree's, -1 for none; hkid is what scenarios know */
	u32 hkid;
	u64 *nx_list, nx_first;	/* likewise: the list's first table, 0 for none */
	u32 pages;		/* that the tree's KVM has for it: tables, what the module got */
	u16 number;
	u64 *told;		/* of the dirty log, a bit a gfn: the last call told of it */
	u8 *unsaved;		/* a gfn each: written, and user space has no copy of it */
	u64 op_key[ACTORS_MAX];
};

struct kvm_vcpu {
	void *tree;		/* the tree's struct kvm_vcpu, NULL: no descriptor */
	struct kvm *kvm;
	u16 id;
	int fd;
	bool open;		/* user space has its descriptor */
};
