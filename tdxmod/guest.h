/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The guest inside TDH.VP.ENTER: a small program a vCPU. The index of the instruction,
 * scaled to bytes, is its RIP (a TDCALL is 4 bytes), so that the zero-step and single-step
 * defences work as in the module. Programs belong to the record; where a vCPU is in its
 * program is in the world (its TDVPS).
 */
#include "sim/engine/types.h"

enum guest_op {
	GUEST_ACCESS,		/* one instruction touching gpa[0..n) */
	GUEST_ACCEPT,		/* TDG.MEM.PAGE.ACCEPT of [gpa[0], gpa[0] + pages), at level */
	GUEST_TDCALL,		/* leaf, regs */
	GUEST_VMCALL,		/* TDG.VP.VMCALL: a TD exit, RIP moved */
	GUEST_COMPUTE,		/* cycles */
	GUEST_HALT,		/* TDG.VP.VMCALL<HLT> */
	GUEST_MAP_GPA,		/* TDG.VP.VMCALL<MapGPA> of a range to shared or private */
	GUEST_REPEAT,		/* jump back to insn `target` until the insns from there to here
				 * have run `count` times in all (0: for ever) */
	GUEST_STOP,		/* the program is over: TDG.VP.VMCALL<HLT> with interrupts blocked
				 * (R12 = 1), again at each entry */
};

enum guest_access { GUEST_READ, GUEST_WRITE, GUEST_EXEC };
enum guest_reaction { REACT_DEFAULT, REACT_ACCEPT, REACT_RETRY, REACT_DIE, REACT_COUNT };

struct guest_insn {
	enum guest_op op;
	enum guest_access access;
	u8 ngpa;
	u8 level;		/* 0: 4K, 1: 2M (S-EPT levels) */
	bool shared;
	u64 gpa[4];
	u64 pages;		/* ACCEPT, MAP_GPA: 4K pages */
	u64 leaf, rcx, rdx, r8, r9, r10, r11, r12, r13;	/* TDCALL */
	u64 cycles, count;
	u32 target;
	const char *text;	/* as the scenario wrote it, for the trace */
};

/*
 * A VM exit that a guest without instructions makes: recorded vectors say which exit comes
 * next, not what the guest ran. It goes through the module's dispatcher like any other.
 */
struct guest_exit {
	u32 reason;		/* enum td_exit_reason: EXTERNAL_INTERRUPT, EPT_VIOLATION, TDCALL */
	u32 moves;		/* bytes that RIP goes on before it */
	u64 gpa, qualification;	/* EPT_VIOLATION */
	u64 rax, rcx, rdx, r8;	/* TDCALL: in, and out when the guest goes on */
};

struct guest_program {
	const struct guest_insn *insn;
	u32 n;
	enum guest_reaction on_ve;	/* default: accept, then go on */
	enum guest_reaction on_busy;	/* default: retry */
	/*
	 * Not NULL: there are no instructions. Called whenever the guest could run, returns the
	 * exit that comes next (may park the actor until there is one). @ve: a #VE has been
	 * injected since; its VE_INFO has been taken at once.
	 */
	struct guest_exit *(*next)(void *ctx, bool ve);
	void *ctx;
};

enum tdcall_leaf {
	TDG_VP_VMCALL = 0,
	TDG_VP_INFO = 1,
	TDG_MR_RTMR_EXTEND = 2,
	TDG_VP_VEINFO_GET = 3,
	TDG_MR_REPORT = 4,
	TDG_VP_CPUIDVE_SET = 5,
	TDG_MEM_PAGE_ACCEPT = 6,
	TDG_VM_RD = 7,
	TDG_VM_WR = 8,
	TDG_VP_RD = 9,
	TDG_VP_WR = 10,
	TDG_SYS_RD = 11,
	TDG_SYS_RDALL = 12,
	TDG_SERVTD_RD = 18,
	TDG_SERVTD_WR = 20,
	TDG_MR_VERIFYREPORT = 22,
	TDG_MEM_PAGE_ATTR_RD = 23,
	TDG_MEM_PAGE_ATTR_WR = 24,
	TDG_VP_ENTER = 25,
	TDG_VP_INVEPT = 26,
	TDG_VP_INVVPID = 27,
};

/* tdcall_name - "TDG.MEM.PAGE.ACCEPT"; NULL if the number is no leaf */
const char *tdcall_name(u64 leaf);
