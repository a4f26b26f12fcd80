/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The module's face to a VMM, as the real one's: registers in, registers and status out.
 * Above this layer nothing else of tdxmod may be called during a run; observe.h is for
 * checks and reports, build.h constructs what a run starts from.
 * Source: Intel TDX module TDX_1.5.01, src/vmm_dispatcher/tdx_vmm_dispatcher.c.
 */
#include "sim/engine/types.h"

/* Leaf numbers (RAX bits 15:0; version in bits 23:16), tdx_vmm_dispatcher.c */
enum seamcall_leaf {
	TDH_VP_ENTER = 0,
	TDH_MNG_ADDCX = 1,
	TDH_MEM_PAGE_ADD = 2,
	TDH_MEM_SEPT_ADD = 3,
	TDH_VP_ADDCX = 4,
	TDH_MEM_PAGE_RELOCATE = 5,
	TDH_MEM_PAGE_AUG = 6,
	TDH_MEM_RANGE_BLOCK = 7,
	TDH_MNG_KEY_CONFIG = 8,
	TDH_MNG_CREATE = 9,
	TDH_VP_CREATE = 10,
	TDH_MNG_RD = 11,
	TDH_MEM_RD = 12,
	TDH_MNG_WR = 13,
	TDH_MEM_WR = 14,
	TDH_MEM_PAGE_DEMOTE = 15,
	TDH_MR_EXTEND = 16,
	TDH_MR_FINALIZE = 17,
	TDH_VP_FLUSH = 18,
	TDH_MNG_VPFLUSHDONE = 19,
	TDH_MNG_KEY_FREEID = 20,
	TDH_MNG_INIT = 21,
	TDH_VP_INIT = 22,
	TDH_MEM_PAGE_PROMOTE = 23,
	TDH_PHYMEM_PAGE_RDMD = 24,
	TDH_MEM_SEPT_RD = 25,
	TDH_VP_RD = 26,
	TDH_MNG_KEY_RECLAIMID = 27,
	TDH_PHYMEM_PAGE_RECLAIM = 28,
	TDH_MEM_PAGE_REMOVE = 29,
	TDH_MEM_SEPT_REMOVE = 30,
	TDH_MEM_TRACK = 38,
	TDH_MEM_RANGE_UNBLOCK = 39,
	TDH_PHYMEM_CACHE_WB = 40,
	TDH_PHYMEM_PAGE_WBINVD = 41,
	TDH_VP_WR = 43,
	TDH_SERVTD_BIND = 48,
	TDH_SERVTD_PREBIND = 49,
	TDH_PHYMEM_PAMT_ADD = 58,	/* from here: tdx_api_defs.h of 2.0.12 */
	TDH_PHYMEM_PAMT_REMOVE = 59,
	TDH_IQ_INV_PROCESS = 162,
};

struct tdx_regs {
	u64 rax, rcx, rdx, r8, r9, r10, r11, r12, r13, r14, r15;
};

/*
 * TD_PARAMS: RDX of TDH.MNG.INIT is the hpa of one, 1024-byte aligned, in the VMM's memory. Its
 * layout is 1.5.01's (include/tdx_api_defs.h, td_params_s); what is reserved must be 0.
 */
enum { TD_PARAMS_SIZE = 1024, TD_PARAMS_CPUIDS = 12 };

struct td_params {
	u64 attributes;
	u64 xfam;
	u16 max_vcpus;
	u8 num_l2_vms;
	u8 msr_config_ctls;	/* bit 0: arch_capabilities is meant */
	u32 reserved0;
	u64 eptp_controls;	/* EPTP bits 5:0: memory type 6, page-walk length minus 1 */
	u64 config_flags;	/* bit 0: GPAW */
	u16 tsc_frequency;	/* of 25 MHz, 4 to 400 */
	u8 reserved1[38];
	u64 mr_config_id[6], mr_owner[6], mr_owner_config[6];
	u64 arch_capabilities;
	u64 reserved2[3];
	struct {
		u32 eax, ebx, ecx, edx;
	} cpuid[TD_PARAMS_CPUIDS];
	u8 reserved3[768 - 16 * TD_PARAMS_CPUIDS];
};

_Static_assert(sizeof(struct td_params) == TD_PARAMS_SIZE, "TD_PARAMS as the module reads it");

/*
 * seamcall - execute leaf @r->rax on the running actor's LP; results in @r
 *
 * Interrupts stay pending throughout; TDH.VP.ENTER runs the guest's program and returns at
 * the TD exit. Returns @r->rax. Charges the SEAMCALL's fixed cost and each step's own.
 */
u64 seamcall(struct tdx_regs *r);

/*
 * seamcall_inject - the @nth call of @leaf from now on returns @status and does nothing;
 *   TDX_RND_NO_ENTROPY and TDX_KEY_GENERATION_FAILED strike where the leaf draws a random
 *   number, if it does: MNG.CREATE, KEY.CONFIG, the last MNG.ADDCX
 * seamcall_injected - for the dispatcher: is it this call's turn?
 */
struct sim;
void seamcall_inject(struct sim *sim, u64 leaf, u64 nth, u64 status);
bool seamcall_injected(u64 leaf, u64 *status);
/* seamcall_draw - a flow draws a random number: 0, or the status of a call that gets none */
u64 seamcall_draw(void);

#define LEAF_LIMIT	256	/* numbers of SEAMCALL and TDCALL leaves are below it */
/* tdx_features0 - TDX_FEATURES0 as TDH.SYS.RD told at boot, as far as KVM asks. No step. */
#define TDX_FEATURES0_TOPOLOGY_ENUM	(1ull << 20)	/* TDH.VP.INIT has version 1 */
u64 tdx_features0(void);

/* seamcall_name - "TDH.MEM.PAGE.AUG"; NULL if the number is no leaf of this module */
const char *seamcall_name(u64 leaf);

/* VM exit reasons, SDM appendix C; in RAX of a TD exit (bits 31:0 of a TDX_SUCCESS status) */
enum td_exit_reason {
	EXIT_REASON_EXCEPTION_NMI = 0,
	EXIT_REASON_EXTERNAL_INTERRUPT = 1,
	EXIT_REASON_HLT = 12,
	EXIT_REASON_VMCALL = 18,
	EXIT_REASON_MTF = 37,
	EXIT_REASON_EPT_VIOLATION = 48,
	EXIT_REASON_EPT_MISCONFIG = 49,
	EXIT_REASON_TDCALL = 77,
};
