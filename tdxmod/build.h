/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What a run starts from: the module's own memory, a TD and its vCPUs in a given state,
 * put together directly (no steps, no cost). The flows that build a TD by SEAMCALLs
 * (MNG.CREATE ... MR.FINALIZE) replace it where they exist; what both produce must agree.
 */
#include "sim/engine/types.h"

struct sim;
struct guest_program;

struct tdx_module_config {
	const char *version;	/* tdx_version_find(), must outlive the sim; NULL: TDX_VERSION_DEFAULT */
	u64 hp_lock_timeout;	/* cycles; 0: one second of TSC */
	u16 hkids;		/* private HKIDs, the module's own included; 0: 32 (32..63) */
	u16 cached_sub_blocks;	/* of CACHE.WB; 0: 4 */
	u8 dpamt;		/* enum tdx_dpamt */
};

/* Dynamic PAMT: which 2M regions have their page pair when a run starts */
enum tdx_dpamt {
	DPAMT_OFF,	/* static PAMT */
	DPAMT_BUILT,	/* those that the TDs and vCPUs that are built have pages in */
	DPAMT_ALL,	/* every one: a VMM that gives pairs for all of its memory first */
};

/*
 * tdx_module_new - once a sim, before any TD. Returns false if the version is unknown, or has no
 * dynamic PAMT and is asked for it.
 */
bool tdx_module_new(struct sim *sim, const struct tdx_module_config *cfg);

enum td_op_state {		/* TDCS.OP_STATE, 1.5.01 */
	OP_STATE_UNINITIALIZED = 0,
	OP_STATE_INITIALIZED = 1,
	OP_STATE_RUNNABLE = 2,
};

struct td_build {
	const char *name;	/* "TD" or the scenario's name: owner of its regions */
	u64 tdr;		/* hpa; 0: a page is taken from page_alloc() */
	u64 tdcx[6];		/* hpas of the TDCS pages; 0: likewise. [3] is the S-EPT root */
	u8 levels;		/* 4 or 5 */
	enum td_op_state op_state;
	bool pending_ve_disable;
	bool notify;		/* NOTIFY_ENABLES bit 0 */
	bool debug;		/* ATTRIBUTES.DEBUG: TDH.MEM.RD and TDH.MEM.WR work */
	u16 hkid;		/* 0: next free */
	u8 iommus;		/* that the TD is mapped in: 0..64, and 0 without S12 */
	u16 max_vcpus;		/* TD_PARAMS.MAX_VCPUS; 0: as many as can be */
	u64 config_flags;	/* TD_PARAMS.CONFIG_FLAGS but GPAW */
};

/*
 * tdx_td_name - what the next TD whose TDR is the page at @tdr is called (default: TD, TD2 ...):
 * for who builds one by SEAMCALLs. By one thread at a time.
 */
void tdx_td_name(u64 tdr, const char *name);

/* td_build - returns the TDR's hpa, 0 if no private HKID (one is the module's) or TD is left */
u64 td_build(struct sim *sim, const struct td_build *b);

/* vcpu_build - one more vCPU of the TD at @tdr, VCPU_READY, not associated. Returns its TDVPR hpa */
u64 vcpu_build(u64 tdr, u64 tdvpr /* 0: from page_alloc() */);

/* vcpu_build_vmcs - what a VMM writes by TDH.VP.WR before the vCPU runs; @pin_based: bits to set */
void vcpu_build_vmcs(u64 tdvpr, u16 pi_vector, u64 pi_descriptor, u32 pin_based);

/*
 * td_build_pages, vcpu_build_pages - hpas of the pages behind the TDR and behind the TDVPR,
 * as who added them by ADDCX would know them
 */
void td_build_pages(u64 tdr, u64 tdcx[6]);
void vcpu_build_pages(u64 tdvpr, u64 tdcx[5]);

/*
 * lp_interrupt_at_query - the module, when it asks on @lp whether an interrupt is pending,
 * hears yes from the @n-th time on; 0: what is so. For recorded vectors ("intr").
 */
void lp_interrupt_at_query(u16 lp, u32 n);

/* vcpu_set_shared_ept - as TDH.VP.WR of SHARED_EPT_POINTER leaves it, but for the association */
void vcpu_set_shared_ept(u64 tdvpr, u64 root);

/*
 * vcpu_set_guest - what runs inside TDH.VP.ENTER on this vCPU, from its start, whatever the one
 * before was about; @p must outlive the run
 */
void vcpu_set_guest(u64 tdvpr, const struct guest_program *p);
