/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * TDR, TDCS and TDVPS: what of them matters to S-EPT, in pages of the simulated memory.
 * Fields that share a cache line in the module share one here: the epoch, its reference
 * counts and its lock are one line on which every TD entry and exit of a TD queues.
 * Source: TDX_1.5.01, src/common/data_structures/td_control_structures.h, tdx_tdvps.h.
 */
#include "sim/engine/arena.h"
#include "sim/engine/clock.h"
#include "sim/engine/mem.h"
#include "tdxmod/build.h"
#include "sim/engine/undo.h"
#include "tdxmod/sept.h"

struct guest_program;
struct module;

enum {
	TDCX_PAGES = 6, TDCX_PAGES_MAX = 9,	/* without L2 VMs, with 3 (one page each) */
	TDVPS_PAGES = 6, TDVPS_PAGES_MAX = 15,	/* likewise (three pages each) */
	L2_VMS_MAX = 3,
	EPF_LIST = 32,
};

enum tdcx_page {		/* TDCX pages that are more than fields */
	TDCX_MSR_BITMAPS = 2,
	TDCX_SEPT_ROOT = 3,
	TDCX_ZERO_PAGE = 4,
	TDCX_MIGSC = 5,		/* no migration here: the x2APIC ids lie in it */
};

enum td_lifecycle { TD_HKID_ASSIGNED, TD_KEYS_CONFIGURED, TD_BLOCKED, TD_TEARDOWN };

enum { RTMRS = 4, SERVTDS_MAX = 1 };

enum servtd_state { SERVTD_NOT_BOUND, SERVTD_PRE_BOUND, SERVTD_BOUND };

struct servtd_binding {		/* to a service TD; under SERVTD_BINDINGS' lock */
	u8 state;		/* enum servtd_state */
	u16 type;		/* 0: migration TD */
	u64 attributes;		/* SERVTD_ATTR: bits 47:32 what its info hash leaves out */
	u64 info_hash;
	u64 uuid[4];
};

struct tdr {
	u8 fatal;
	u8 lifecycle;		/* enum td_lifecycle */
	u8 num_tdcx;
	u8 rsvd;
	u16 hkid;
	u64 chldcnt;		/* 4K pages of the TD */
	u64 pkg_config_bitmap;	/* packages that have the TD's key */
	u64 tdcx_pa[TDCX_PAGES_MAX];	/* without HKID */
	u64 uuid[4];		/* TD_UUID: random, of each TD its own */
};

struct tdcs {
	/* TDCS.MANAGEMENT: one line */
	u32 num_vcpus;
	u32 num_assoc_vcpus;
	u32 op_state;		/* enum td_op_state */
	u16 op_state_lock;	/* sharex_hp */
	u16 num_l2_vms;

	/* TDCS.EXECUTION_CTL: written before the TD runs, but for the lock */
	u16 sept_lock __attribute__((aligned(64)));	/* the S-EPT tree's; sharex, or S1 */
	u8 gpaw;		/* 0: SHARED is GPA bit 47; 1: bit 51 */
	u8 pwl;			/* level of the S-EPT root: 3 or 4 */
	u8 pending_ve_disable;
	u8 notify_enables;
	u64 eptp;		/* hpa of the S-EPT root */
	u64 hp_lock_timeout;	/* cycles */
	u64 attributes, xfam, config_flags;
	u64 vm_ctls[1 + L2_VMS_MAX];
	u32 max_vcpus;
	u16 tsc_frequency;	/* of 25 MHz */
	u64 tsc_offset, tsc_multiplier;	/* the multiplier has 48 bits behind the point */
	u8 topology_enum;	/* every vCPU was initialized with an x2APIC id (S10) */

	/* TDCS.EPOCH_TRACKING: the hot line; the first 16 bytes are read as one */
	struct {
		u64 td_epoch;
		u16 refcount[2];
		u32 rsvd;
		u16 lock;	/* sharex */
	} epoch __attribute__((aligned(64)));

	/* TDX Connect (S12): IOMMUs that the TD is mapped in, and their invalidations */
	struct {
		u64 curr, prev;	/* IOMMUs; those that the epoch before still waits for */
		u64 inv_epochs;	/* bit n: parity of the epoch that IOMMU n was invalidated in */
		u16 inv_lock;	/* sharex_hp */
	} iotlb __attribute__((aligned(64)));

	/* TDCS.MEASUREMENT: a word stands for a register of 48 bytes */
	u16 rtmr_lock __attribute__((aligned(64)));	/* sharex_hp */
	u8 last_teeinfo_hash_valid;
	u64 last_teeinfo_hash;
	u64 mrtd;
	u64 rtmr[RTMRS];

	/* TDCS.SERVICE_TD, TDCS.MIGRATION: what a bound service TD may get at */
	u16 servtd_bindings_lock __attribute__((aligned(64)));	/* sharex_hp */
	u16 servtd_num;
	u64 servtd_hash;
	struct servtd_binding servtd_binding[SERVTDS_MAX];
	u64 preimport_uuid[4];
	u64 mig_dec_key[4];
	u16 mig_version;
	u8 mig_dec_key_set;
};

#define ATTRIBUTES_DEBUG		BIT_ULL(0)
#define ATTRIBUTES_SEPT_VE_DISABLE	BIT_ULL(28)
#define ATTRIBUTES_MIGRATABLE		BIT_ULL(29)
#define ATTRIBUTES_PKS			BIT_ULL(30)
#define ATTRIBUTES_PERFMON		BIT_ULL(63)
#define CONFIG_FLAGS_GPAW			BIT_ULL(0)
#define CONFIG_FLAGS_FLEXIBLE_PENDING_VE	BIT_ULL(1)
#define XFAM_FIXED1			3ull	/* x87 and SSE */
#define TSC_FREQUENCY_UNIT		25000000u

enum vcpu_state { VCPU_UNINITIALIZED = 0, VCPU_READY = 2, VCPU_ACTIVE = 4, VCPU_DISABLED = 8 };
enum last_td_exit { LAST_ASYNC_FAULT, LAST_ASYNC_TRAP, LAST_TDVMCALL };

#define VCPU_NO_LP	0xffffffffu
#define PI_VECTOR_INIT	0xffffu		/* no posted-interrupt vector yet */

/* Where the guest is in its program; only the vCPU itself changes it (world_set) */
struct guest_state {
	const struct guest_program *program;
	u64 *loops;		/* jumps taken by each REPEAT */
	u32 pc;
	u8 phase;		/* enum guest_phase of guest.c */
	u8 dead;		/* its handlers gave up: it halts for good */
	u8 ve_ret;		/* phase to go back to after #VE */
	u64 sub;		/* which 4K page of a range is next */
	u64 small_until;	/* ACCEPT: 4K pages up to this index, 2M did not fit */
	u64 left;		/* COMPUTE: cycles still to spend */
	u64 rax, rcx, rdx;	/* of the last TDCALL */
	u64 rip;		/* in bytes: the VMCS field */
	u64 ve_rip;		/* of what a #VE has interrupted */
};

struct tdvps {
	u8 state;		/* enum vcpu_state */
	u8 last_td_exit;	/* enum last_td_exit */
	u8 possibly_epf_stepping;
	u8 last_epf_gpa_list_idx;
	u8 hp_lock_busy;
	u32 assoc_lpid;
	u64 vcpu_epoch;
	struct deadline hp_lock_deadline;	/* instead of HP_LOCK_BUSY_START */
	u64 last_epf_gpa_list[EPF_LIST] __attribute__((aligned(64)));

	/* The VMCS and what else only the vCPU's own LP touches */
	struct {
		u64 reason, qualification, gpa;
	} vmexit __attribute__((aligned(64)));
	struct {
		u32 valid;
		u32 reason;
		u64 qualification, gpa;
	} ve;
	u64 shared_eptp;	/* VMCS.SHARED_EPT_POINTER: root of the VMM's tables */
	struct guest_state guest;
	u64 fetch;		/* read once an instruction: where others may come in between */
	u64 tdvpr, tdr;		/* own and owner's hpa */
	u32 index;
	u8 num_pages;
	u64 tdvps_pa[TDVPS_PAGES_MAX];	/* TDVPR's page, then the TDCX pages; before the vCPU runs */
	/* Of the VMCS, what else a VMM may write */
	struct {
		u64 pi_descriptor;	/* NULL_PA: never set */
		u32 pin_based, secondary, instruction_timeout;
		u16 pi_vector;		/* 0xffff: never set */
	} vmcs;
	u64 xfam;
	u8 pend_nmi;
	u8 cpuid_supervisor_ve, cpuid_user_ve, cpuid_control[128];	/* only the guest's to read */
};

_Static_assert(sizeof(struct tdvps) <= PAGE_SIZE, "TDVPS fits its first page");

_Static_assert(sizeof(struct tdcs) <= PAGE_SIZE, "TDCS's fields fit its first page");

static inline struct tdr *tdr_at(u64 hpa)
{
	return phys_to_ptr(hpa);
}

static inline struct tdvps *tdvps_at(u64 hpa)
{
	return phys_to_ptr(hpa);
}

/* td_tdcs - the TDCS of @tdr by its own pointers; not a step (TDCX_PA never changes) */
static inline struct tdcs *td_tdcs(const struct tdr *tdr)
{
	return phys_to_ptr(tdr->tdcx_pa[0]);
}

/* pending_ve_disabled - a step if the guest may change it (TDG.VM.WR), else as it was built */
static inline bool pending_ve_disabled(const struct tdcs *tdcs)
{
	if (tdcs->config_flags & CONFIG_FLAGS_FLEXIBLE_PENDING_VE)
		return mem_read8(&tdcs->pending_ve_disable);
	return tdcs->pending_ve_disable;	/* raw: nobody changes it */
}

/* op_state_allows - may SEAMCALL @leaf run in @op_state? auto_gen/op_state_lookup.c */
bool op_state_allows(u32 leaf, u32 op_state);
/* op_state_tracks - must pages be blocked and tracked before they go? */
bool op_state_tracks(u32 op_state);
bool op_state_any_initialized(u32 op_state);

/* tree_acquire, tree_release - the S-EPT tree's lock, of the kind the module version has */
u64 tree_acquire(const struct module *mod, struct tdcs *tdcs, enum lock_mode mode);
void tree_release(const struct module *mod, struct tdcs *tdcs, enum lock_mode mode);

/* tsc_multiplier - of a TD whose virtual TSC has @freq 25 MHz, on the reference clock */
u64 tsc_multiplier(u16 freq);

/* gpa_is_private - GPA valid for the TD's width, SHARED bit clear; helpers.c:check_gpa_validity */
bool gpa_is_private(const struct tdcs *tdcs, u64 gpa);
u64 gpa_shared_bit(const struct tdcs *tdcs);

/* td_set_uuid - a random number for TD_UUID: of each TD another one. No step. */
void td_set_uuid(struct module *mod, struct tdr *tdr);

/* vmcs_init - what VP.INIT leaves in the VMCS. No step: only the vCPU's own LP gets at it. */
void vmcs_init(struct tdvps *vp, const struct tdr *tdr);

/* page_clear - all zeros, by direct stores; one step, as sept_page_fill() */
void page_clear(u64 hpa);
/* tdcx_fill - what TDH.MNG.ADDCX fills TDCX page @index with, each word */
u64 tdcx_fill(u32 index);

/* x2apic_ids - of the TD's vCPUs, by index */
static inline u32 *x2apic_ids(const struct tdr *tdr)
{
	return phys_to_ptr(tdr->tdcx_pa[TDCX_MIGSC]);
}

/* tdr_regions, ... - register names of what others see of them */
void tdr_regions(const char *name, struct tdr *tdr);
void tdcs_regions(const char *name, struct tdcs *tdcs);
void vcpu_regions(const char *name, struct tdvps *vp);
