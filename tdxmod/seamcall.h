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
	TDH_PHYMEM_PAMT_ADD = 58,	/* modules with dynamic PAMT; Linux: vmx/tdx/tdx.h */
	TDH_PHYMEM_PAMT_REMOVE = 59,
};

struct tdx_regs {
	u64 rax, rcx, rdx, r8, r9, r10, r11, r12, r13, r14, r15;
};

/*
 * seamcall - execute leaf @r->rax on the running actor's LP; results in @r
 *
 * Interrupts stay pending throughout; TDH.VP.ENTER runs the guest's program and returns at
 * the TD exit. Returns @r->rax. Charges the SEAMCALL's fixed cost and each step's own.
 */
u64 seamcall(struct tdx_regs *r);

/*
 * seamcall_inject - the @nth call of @leaf from now on returns @status and does nothing
 * seamcall_injected - for the dispatcher: is it this call's turn?
 */
struct sim;
void seamcall_inject(struct sim *sim, u64 leaf, u64 nth, u64 status);
bool seamcall_injected(u64 leaf, u64 *status);

/* seamcall_name - "TDH.MEM.PAGE.AUG"; NULL if the number is no leaf of this module */
const char *seamcall_name(u64 leaf);

/* VM exit reasons, SDM appendix C; in RAX of a TD exit (bits 31:0 of a TDX_SUCCESS status) */
enum td_exit_reason {
	EXIT_REASON_EXCEPTION_NMI = 0,
	EXIT_REASON_EXTERNAL_INTERRUPT = 1,
	EXIT_REASON_HLT = 12,
	EXIT_REASON_VMCALL = 18,
	EXIT_REASON_EPT_VIOLATION = 48,
	EXIT_REASON_EPT_MISCONFIG = 49,
	EXIT_REASON_TDCALL = 77,
};
