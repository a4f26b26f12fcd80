/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The guest of a vCPU without TDX, as the processor runs it: what is in its VMCS and registers,
 * from one VM entry to the exit. Both backends run theirs with it.
 */
#include "sim/engine/ept.h"
#include "sim/engine/types.h"

struct guest_program;

#define EXIT_REASON_PML_FULL	62u
#define PML_HEAD_INDEX		(PML_ENTRIES - 1)

/* In the world; the vCPU's thread alone changes it */
struct vmx_guest {
	const struct guest_program *program;
	u64 *loops;		/* jumps taken by each REPEAT */
	u64 left;		/* COMPUTE: cycles still to spend */
	u64 eptp;		/* hpa of the root */
	u32 pc;
	u32 loaded_cpu;		/* loaded_vmcs->cpu; ~0: none */
	struct ept_pml pml;	/* log 0: there is none */
	bool pml_enabled;	/* SECONDARY_EXEC_ENABLE_PML */
	u64 fetch;		/* read once an instruction: where others may come in between */
};

/* Why it left: an EXIT_REASON_*; @gpa and @qual are of an EPT violation or misconfiguration */
struct vmx_exit {
	u32 reason;
	u64 gpa, qual;
};

/* What the host has set up around it */
struct vmx_host {
	u64 vcpu_id;		/* for events */
	u8 levels;		/* of its tables: 4 or 5 */
	bool ad;		/* EPTP bit 6 */
	u64 loop;		/* what the vCPU's thread remembers beside, see actor_forget() */
	void (*written)(void *ctx, u64 gfn);	/* the guest has written there: no step */
	void *ctx;
};

/* vmx_guest_new - one that was never loaded, on any LP; @pml: with a page for its log. No step */
struct vmx_guest *vmx_guest_new(bool pml);
void vmx_guest_free_log(struct vmx_guest *g);
/* vmx_guest_program - what it runs, from the beginning; NULL: nothing, it halts */
void vmx_guest_program(struct vmx_guest *g, const struct guest_program *p);

/* vmx_guest_run - VM entry, and on until something makes it leave */
void vmx_guest_run(struct vmx_guest *g, const struct vmx_host *host, struct vmx_exit *x);
/* vmx_guest_skip - its instruction has been emulated */
void vmx_guest_skip(struct vmx_guest *g);

/* vmx_pml_drain - each gpa of the log, in the order in which the processor wrote it; then empty */
void vmx_pml_drain(struct vmx_guest *g, void (*each)(void *ctx, u64 gpa), void *ctx);
bool vmx_pml_holds(const struct vmx_guest *g, u64 gfn);	/* no step */
