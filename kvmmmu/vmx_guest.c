// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU without TDX between VM entry and exit: its guest runs the same programs as a TD's, on the
 * hardware's walk of KVM's direct tables alone. Rests on arch/x86/kvm/vmx/vmx.c of v7.2
 * (vmx_vcpu_run(), vmx_flush_pml_buffer()) and SDM vol. 3, 29.3.
 *
 * A VM exit takes the translations with it no more than a TD exit does; the tag is the root's
 * address (EP4TA).
 */
#include "kvmmmu/vmx_guest.h"

#include "sim/engine/actor.h"
#include "sim/engine/arena.h"
#include "sim/engine/clock.h"
#include "sim/engine/lp.h"
#include "sim/engine/mem.h"
#include "sim/engine/sim.h"
#include "sim/engine/tlb.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"
#include "tdxmod/guest.h"
#include "tdxmod/seamcall.h"

#define COMPUTE_SLICE	2000u	/* an interrupt need not wait for a whole COMPUTE */

struct vmx_guest *vmx_guest_new(bool pml)
{
	struct vmx_guest *g = world_alloc(sizeof(*g));

	world_set(g->loaded_cpu, ~0u);
	if (pml) {
		world_set(g->pml.log, page_alloc());
		world_set(g->pml.index, (u16)PML_HEAD_INDEX);
	}
	return g;
}

/* vmx_destroy_pml_buffer() */
void vmx_guest_free_log(struct vmx_guest *g)
{
	if (g->pml.log)
		page_free(g->pml.log);
	world_set(g->pml.log, 0);
}

void vmx_guest_program(struct vmx_guest *g, const struct guest_program *p)
{
	world_set(g->program, p);
	world_set(g->pc, 0);
	world_set(g->left, 0);
	if (p && p->n)
		world_set(g->loops, (u64 *)world_alloc(p->n * sizeof(u64)));
}

/* --- instructions ------------------------------------------------------------------------- */

static const struct guest_insn *current(const struct vmx_guest *g)
{
	static const struct guest_insn stop = { .op = GUEST_STOP, .text = "stop" };

	return g->program && g->pc < g->program->n ? &g->program->insn[g->pc] : &stop;
}

static void retire(struct vmx_guest *g, u32 pc)
{
	count(COUNT_GUEST_INSNS, 1);
	actor_progress(PROGRESS_INSN);
	world_set(g->pc, pc);
}

void vmx_guest_skip(struct vmx_guest *g)
{
	retire(g, g->pc + 1);
}

/* 0, or the reason of the VM exit: of the first gpa that does not translate */
static u32 access_insn(struct vmx_guest *g, const struct vmx_host *host,
		       const struct guest_insn *in, struct vmx_exit *x)
{
	static const u64 how[] = {
		[GUEST_READ] = EPT_READ, [GUEST_WRITE] = EPT_WRITE, [GUEST_EXEC] = EPT_EXEC,
	};
	struct ept ept = {
		.tag = g->eptp, .root = g->eptp, .level = host->levels - 1,
		.ad = host->ad, .pml = g->pml_enabled ? &g->pml : NULL,
	};
	struct ept_walk w;
	u32 i;

	for (i = 0; i < in->ngpa; i++) {
		enum ept_result res = ept_access(tlb_of(lp_self()), &ept, in->gpa[i],
						 how[in->access], &w);

		if (res == EPT_OK) {
			if (in->access == GUEST_WRITE)
				host->written(host->ctx, in->gpa[i] >> PAGE_SHIFT);
			continue;
		}
		if (res == EPT_LOG_FULL)
			return EXIT_REASON_PML_FULL;
		x->gpa = in->gpa[i];
		x->qual = how[in->access] | w.rwx << 3;
		return res == EPT_VIOLATION ? EXIT_REASON_EPT_VIOLATION :
					      EXIT_REASON_EPT_MISCONFIG;
	}
	retire(g, g->pc + 1);
	return 0;
}

static void compute_insn(struct vmx_guest *g, const struct guest_insn *in)
{
	u64 left = g->left ? g->left : in->cycles;
	bool slice = sim_options(sim_current())->timed && left > COMPUTE_SLICE;
	u64 now = slice ? COMPUTE_SLICE : left;

	sim_compute(now);
	world_set(g->left, left - now);
	if (left == now)
		retire(g, g->pc + 1);
}

static void repeat_insn(struct vmx_guest *g, const struct guest_insn *in)
{
	u64 taken = g->loops[g->pc] + 1;

	if (in->count && taken >= in->count) {
		world_set(g->loops[g->pc], 0);
		retire(g, g->pc + 1);
		return;
	}
	if (in->count)
		world_set(g->loops[g->pc], taken);
	retire(g, in->target);
}

static u32 execute(struct vmx_guest *g, const struct vmx_host *host, struct vmx_exit *x)
{
	const struct guest_insn *in = current(g);

	mem_read64(&g->fetch);
	switch (in->op) {
	case GUEST_ACCESS:
		return access_insn(g, host, in, x);
	case GUEST_COMPUTE:
		compute_insn(g, in);
		return 0;
	case GUEST_REPEAT:
		repeat_insn(g, in);
		return 0;
	case GUEST_VMCALL:
		retire(g, g->pc + 1);
		return EXIT_REASON_VMCALL;
	case GUEST_HALT:
		retire(g, g->pc + 1);
		return EXIT_REASON_HLT;
	default:		/* HLT with interrupts blocked, again at each entry */
		return EXIT_REASON_HLT;
	}
}

static const char *exit_name(u32 reason)
{
	switch (reason) {
	case EXIT_REASON_EXTERNAL_INTERRUPT: return "EXTERNAL_INTERRUPT";
	case EXIT_REASON_EPT_VIOLATION: return "EPT_VIOLATION";
	case EXIT_REASON_EPT_MISCONFIG: return "EPT_MISCONFIG";
	case EXIT_REASON_VMCALL: return "VMCALL";
	case EXIT_REASON_PML_FULL: return "PML_FULL";
	default: return "HLT";
	}
}

void vmx_guest_run(struct vmx_guest *g, const struct vmx_host *host, struct vmx_exit *x)
{
	struct tlb *t = tlb_of(lp_self());

	*x = (struct vmx_exit){ 0 };
	sim_charge(COST_TD_TRANSITION, 1);	/* VMRESUME and the exit */
	tlb_enter(t, g->eptp);
	trace_(EV_ENTER, .arg = host->vcpu_id, .has_arg = true);
	while (!x->reason) {
		actor_forget(host->loop);
		x->reason = lp_irq_pending() != IRQ_NONE ? EXIT_REASON_EXTERNAL_INTERRUPT :
							   execute(g, host, x);
	}
	tlb_leave(t);
	trace_(EV_EXIT, .name = exit_name(x->reason), .arg = host->vcpu_id, .has_arg = true);
}

/* --- the page-modification log -------------------------------------------------------------- */

void vmx_pml_drain(struct vmx_guest *g, void (*each)(void *ctx, u64 gpa), void *ctx)
{
	struct ept_pml *pml = &g->pml;
	u16 tail = pml->index >= PML_ENTRIES ? 0 : pml->index + 1;
	const u64 *log = phys_to_ptr(pml->log);
	int i;

	if (!pml->log || pml->index == PML_HEAD_INDEX)
		return;
	for (i = PML_HEAD_INDEX; i >= tail; i--)
		each(ctx, log[i]);
	world_set(pml->index, (u16)PML_HEAD_INDEX);
}

bool vmx_pml_holds(const struct vmx_guest *g, u64 gfn)
{
	const u64 *log;
	u32 i;

	if (!g || !g->pml.log || g->pml.index == PML_HEAD_INDEX)
		return false;
	log = phys_to_ptr(g->pml.log);
	for (i = (u16)(g->pml.index + 1); i < PML_ENTRIES; i++)
		if (log[i] >> PAGE_SHIFT == gfn)
			return true;
	return false;
}
