// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest of a vCPU: fetches one instruction of its program after the other; between two
 * of them an interrupt ends the run. Its #VE handler and its reaction to BUSY are part of
 * the program. Everything it remembers is in its TDVPS.
 * Rests on docs/model.md; what KVM sees of a VMCALL: the GHCI
 * specification (344426), TDG.VP.VMCALL<MapGPA>, <Instruction.HLT>.
 */
#include "tdxmod/guest.h"

#include "sim/engine/hash.h"
#include "sim/engine/lp.h"
#include "sim/engine/trace.h"
#include "tdxmod/guest_mem.h"
#include "tdxmod/guest_run.h"
#include "tdxmod/module.h"
#include "tdxmod/status.h"

/* Registers of a VMCALL that RCX lets through: R10 type, R11 subfunction, R12 to R15 */
#define VMCALL_SELECT	0xfc00ull
#define VMCALL_HLT	12ull
#define VMCALL_MMIO	48ull		/* #VE.RequestMMIO */
#define VMCALL_MAP_GPA	0x10001ull

/* COMPUTE is spent in slices, so that an interrupt need not wait for the whole */
#define COMPUTE_SLICE	2000u

static const struct guest_insn stop_insn = { .op = GUEST_STOP, .text = "stop" };

static const struct guest_insn *current(const struct tdvps *vp)
{
	const struct guest_program *p = vp->guest.program;

	if (!p || vp->guest.pc >= p->n || vp->guest.dead)
		return &stop_insn;
	return &p->insn[vp->guest.pc];
}

static u64 rip_of(u32 pc)
{
	return GUEST_RIP + (u64)pc * INSN_BYTES;
}

static void go_to(struct tdvps *vp, u32 pc)
{
	world_set(vp->guest.pc, pc);
	world_set(vp->guest.sub, 0);
	world_set(vp->guest.small_until, 0);
	world_set(vp->guest.left, 0);
	world_set(vp->guest.phase, GUEST_AT_INSN);
	world_set(vp->guest.rip, rip_of(pc));
}

static void retire(struct tdvps *vp, u32 pc)
{
	count(COUNT_GUEST_INSNS, 1);
	actor_progress(PROGRESS_INSN);
	go_to(vp, pc);
}

static void next(struct tdvps *vp)
{
	retire(vp, vp->guest.pc + 1);
}

/* The same instruction once more, e.g. the TDCALL of a loop over pages */
static void again(struct tdvps *vp)
{
	world_set(vp->guest.phase, GUEST_AT_INSN);
	world_set(vp->guest.rip, rip_of(vp->guest.pc));
}

static void die(struct tdvps *vp, const char *why)
{
	trace_note(why);
	world_set(vp->guest.dead, 1);
	world_set(vp->guest.phase, GUEST_AT_INSN);
}

/* One TDCALL. True: a TD exit instead of a result */
static bool tdcall(struct lp_ctx *lp, struct tdx_regs *g, u8 done, struct tdx_regs *r)
{
	struct tdvps *vp = lp->vp;
	bool interrupted, exited;

	exited = vmexit_tdcall(lp, g, &interrupted, r);
	if (exited && !td_exit_is_trap(r->rax))
		return true;	/* the TDCALL is executed again */
	if (interrupted)
		return false;	/* likewise; the interrupt is taken first */
	world_set(vp->guest.rax, g->rax);
	world_set(vp->guest.rcx, g->rcx);
	world_set(vp->guest.rdx, g->rdx);
	world_set(vp->guest.phase, done);
	return exited;
}

static bool vmcall_args(struct lp_ctx *lp, struct tdx_regs *g, struct tdx_regs *r)
{
	bool interrupted;

	g->rax = TDG_VP_VMCALL;
	g->rcx = VMCALL_SELECT;
	return vmexit_tdcall(lp, g, &interrupted, r);
}

static bool vmcall(struct lp_ctx *lp, u64 type, u64 fn, u64 r12, u64 r13, struct tdx_regs *r)
{
	struct tdx_regs g = { .r10 = type, .r11 = fn, .r12 = r12, .r13 = r13 };

	return vmcall_args(lp, &g, r);
}

/* The TD exit finds RIP behind the TDCALL; the next instruction is still some way off */
static void behind_vmcall(struct tdvps *vp)
{
	u64 rip = guest_rip(vp);

	next(vp);
	world_set(vp->guest.rip, rip);
}

/* A VMCALL is a TD exit behind which the next instruction stands */
static bool vmcall_insn(struct lp_ctx *lp, const struct guest_insn *in, struct tdx_regs *r)
{
	struct tdvps *vp = lp->vp;
	u64 gpa = in->gpa[0] | (in->shared ? gpa_shared_bit(lp->tdcs) : 0);
	bool exited;

	switch (in->op) {
	case GUEST_STOP:	/* HLT with interrupts blocked, and again if woken */
		return vmcall(lp, 0, VMCALL_HLT, 1, 0, r);
	case GUEST_HALT:
		exited = vmcall(lp, 0, VMCALL_HLT, 0, 0, r);
		break;
	case GUEST_MAP_GPA:
		exited = vmcall(lp, 0, VMCALL_MAP_GPA, gpa, in->pages << 12, r);
		break;
	default:
		exited = vmcall(lp, 1, 0, 0, 0, r);
		break;
	}
	if (exited)
		behind_vmcall(vp);
	return exited;
}

static u64 accept_left(const struct tdvps *vp, const struct guest_insn *in)
{
	return in->pages > vp->guest.sub ? in->pages - vp->guest.sub : 0;
}

/* 2M while aligned, long enough, and not just refused */
static u8 accept_level(const struct tdvps *vp, const struct guest_insn *in)
{
	u64 gpa = in->gpa[0] + (vp->guest.sub << 12);

	if (in->level != LVL_PD || accept_left(vp, in) < 512 || (gpa & (level_size(1) - 1)) ||
	    vp->guest.sub < vp->guest.small_until)
		return LVL_PT;
	return LVL_PD;
}

static bool accept_insn(struct lp_ctx *lp, const struct guest_insn *in, struct tdx_regs *r)
{
	struct tdvps *vp = lp->vp;
	struct tdx_regs g = { .rax = TDG_MEM_PAGE_ACCEPT };

	if (!accept_left(vp, in)) {
		next(vp);
		return false;
	}
	g.rcx = (in->gpa[0] + (vp->guest.sub << 12)) | accept_level(vp, in);
	return tdcall(lp, &g, GUEST_TDCALL_DONE, r);
}

static bool tdcall_insn(struct lp_ctx *lp, const struct guest_insn *in, struct tdx_regs *r)
{
	struct tdx_regs g = {
		.rax = in->leaf, .rcx = in->rcx, .rdx = in->rdx, .r8 = in->r8, .r9 = in->r9,
		.r10 = in->r10, .r11 = in->r11, .r12 = in->r12, .r13 = in->r13,
	};
	bool exited = tdcall(lp, &g, GUEST_TDCALL_DONE, r);

	if (exited && in->leaf == TDG_VP_VMCALL)
		behind_vmcall(lp->vp);
	return exited;
}

static void compute_insn(struct lp_ctx *lp, const struct guest_insn *in)
{
	struct tdvps *vp = lp->vp;
	u64 left = vp->guest.left ? vp->guest.left : in->cycles, now = left;

	if (lp->in_step_mode)	/* instructions of a cycle each, of which this is one */
		now = left ? 1 : 0;
	else if (sim_options(sim_current())->timed && left > COMPUTE_SLICE)
		now = COMPUTE_SLICE;
	sim_compute(now);
	if (left == now)
		next(vp);
	else
		world_set(vp->guest.left, left - now);
}

static void repeat_insn(struct tdvps *vp, const struct guest_insn *in)
{
	u64 *taken = &vp->guest.loops[vp->guest.pc];

	if (in->count && *taken + 1 >= in->count) {
		world_set(*taken, 0);
		next(vp);
		return;
	}
	if (in->count)
		world_set(*taken, *taken + 1);
	retire(vp, in->target);
}

static bool execute(struct lp_ctx *lp, struct tdx_regs *r)
{
	struct tdvps *vp = lp->vp;
	const struct guest_insn *in = current(vp);

	if (guest_rip(vp) != rip_of(vp->guest.pc))
		world_set(vp->guest.rip, rip_of(vp->guest.pc));
	switch (in->op) {
	case GUEST_ACCESS:
		for (u8 i = 0; i < in->ngpa; i++) {
			bool exited = false;

			if (!guest_access(lp, in->gpa[i], in->shared, in->access, &exited, r))
				return exited;	/* restarted as a whole */
		}
		next(vp);
		return false;
	case GUEST_ACCEPT:
		return accept_insn(lp, in, r);
	case GUEST_TDCALL:
		return tdcall_insn(lp, in, r);
	case GUEST_COMPUTE:
		compute_insn(lp, in);
		return false;
	case GUEST_REPEAT:
		repeat_insn(vp, in);
		return false;
	default:
		return vmcall_insn(lp, in, r);
	}
}

/* How many 4K pages the ACCEPT that has just returned was about */
static u64 accepted(const struct tdvps *vp, const struct guest_insn *in)
{
	return accept_level(vp, in) == LVL_PD ? 512 : 1;
}

static void page_done(struct tdvps *vp, const struct guest_insn *in)
{
	world_set(vp->guest.sub, vp->guest.sub + accepted(vp, in));
	again(vp);
}

static enum guest_reaction on_busy(const struct tdvps *vp)
{
	return vp->guest.program ? vp->guest.program->on_busy : REACT_DEFAULT;
}

static enum guest_reaction on_ve(const struct tdvps *vp)
{
	return vp->guest.program ? vp->guest.program->on_ve : REACT_DEFAULT;
}

/* The program's reaction to BUSY; true: go on as if it had been done */
static bool react_busy(struct tdvps *vp, u64 what)
{
	switch (on_busy(vp)) {
	case REACT_DIE:
		die(vp, "guest: BUSY, gives up");
		return false;
	case REACT_COUNT:
		trace_observe("guest-busy", what);
		return true;
	default:
		again(vp);
		return false;
	}
}

static void tdcall_done(struct tdvps *vp)
{
	const struct guest_insn *in = current(vp);
	u64 class = STATUS_CLASS(vp->guest.rax & ~STATUS_HINT);

	if (in->op != GUEST_ACCEPT) {
		if (class != TDX_OPERAND_BUSY || react_busy(vp, in->rcx >> 12))
			next(vp);
		return;
	}
	switch (class) {
	case TDX_SUCCESS:
	case TDX_PAGE_ALREADY_ACCEPTED:
		page_done(vp, in);
		return;
	case TDX_OPERAND_BUSY:
		if (react_busy(vp, (in->gpa[0] >> 12) + vp->guest.sub))
			page_done(vp, in);
		return;
	case TDX_PAGE_SIZE_MISMATCH:
		if (accept_level(vp, in) == LVL_PD) {	/* as Linux: then page by page */
			world_set(vp->guest.small_until, vp->guest.sub + 512);
			again(vp);
			return;
		}
		break;
	default:
		break;
	}
	die(vp, "guest: TDG.MEM.PAGE.ACCEPT failed for good");
}

/* Return from the #VE handler to the interrupted instruction, which is executed again */
static void iret(struct tdvps *vp)
{
	world_set(vp->guest.phase, vp->guest.ve_ret);
	world_set(vp->guest.rip, vp->guest.ve_rip);
}

static bool ve_get(struct lp_ctx *lp, struct tdx_regs *r)
{
	struct tdvps *vp = lp->vp;
	struct tdx_regs g = { .rax = TDG_VP_VEINFO_GET };
	u64 gfn = vp->ve.gpa >> 12;

	if (tdcall(lp, &g, GUEST_VE_ACCEPT, r))
		return true;
	switch (on_ve(vp)) {
	case REACT_DIE:
		die(vp, "guest: #VE, gives up");
		break;
	case REACT_RETRY:
		iret(vp);
		break;
	case REACT_COUNT:	/* and the instruction is left out */
		trace_observe("guest-ve", gfn);
		next(vp);
		break;
	default:
		break;
	}
	return false;
}

/* A shared address that the VMM wants to hear of: it emulates the access, which is done then */
static bool ve_mmio(struct lp_ctx *lp, struct tdx_regs *r)
{
	/* Eight bytes of zeroes, where it stores: GHCI, TDG.VP.VMCALL<#VE.RequestMMIO> */
	struct tdx_regs g = {
		.r11 = VMCALL_MMIO, .r12 = 8, .r13 = lp->vp->ve.qualification >> 1 & 1,
		.r14 = lp->vp->ve.gpa,
	};
	bool exited = vmcall_args(lp, &g, r);

	if (exited)
		behind_vmcall(lp->vp);
	return exited;
}

/* One 4K page, whatever is pending there: D03 of the catalogue when that is a large one */
static bool ve_accept(struct lp_ctx *lp, struct tdx_regs *r)
{
	struct tdx_regs g = {
		.rax = TDG_MEM_PAGE_ACCEPT,
		.rcx = lp->vp->ve.gpa & ~0xfffull,
	};

	if (lp->vp->ve.gpa & gpa_shared_bit(lp->tdcs))
		return ve_mmio(lp, r);
	return tdcall(lp, &g, GUEST_VE_ACCEPTED, r);
}

static void ve_accepted(struct tdvps *vp)
{
	switch (STATUS_CLASS(vp->guest.rax & ~STATUS_HINT)) {
	case TDX_OPERAND_BUSY:
		if (on_busy(vp) == REACT_DIE) {
			die(vp, "guest: BUSY in the #VE handler, gives up");
		} else if (on_busy(vp) == REACT_COUNT) {
			trace_observe("guest-busy", vp->ve.gpa >> 12);
			iret(vp);
		} else {
			world_set(vp->guest.phase, GUEST_VE_ACCEPT);
			world_set(vp->guest.rip, GUEST_VE_RIP + INSN_BYTES);
		}
		return;
	case TDX_SUCCESS:
	case TDX_PAGE_ALREADY_ACCEPTED:
		iret(vp);
		return;
	default:
		die(vp, "guest: the #VE handler's ACCEPT failed for good");
	}
}

static bool step(struct lp_ctx *lp, struct tdx_regs *r)
{
	struct tdvps *vp = lp->vp;

	mem_read64(&vp->fetch);		/* where others come in between two instructions */
	switch (vp->guest.phase) {
	case GUEST_TDCALL_DONE:
		tdcall_done(vp);
		return false;
	case GUEST_VE_GET:
		return ve_get(lp, r);
	case GUEST_VE_ACCEPT:
		return ve_accept(lp, r);
	case GUEST_VE_ACCEPTED:
		ve_accepted(vp);
		return false;
	default:
		return execute(lp, r);
	}
}

/* A guest that takes each #VE where it stands and goes on there */
static bool take_ve(struct tdvps *vp)
{
	if (!vp->ve.valid)
		return false;
	world_set(vp->ve.valid, 0);
	iret(vp);
	return true;
}

static bool make_exit(struct lp_ctx *lp, struct guest_exit *e, struct tdx_regs *r)
{
	struct tdx_regs g = { .rax = e->rax, .rcx = e->rcx, .rdx = e->rdx, .r8 = e->r8 };
	bool interrupted, exited;

	if (e->moves)
		world_set(lp->vp->guest.rip, lp->vp->guest.rip + e->moves);
	switch (e->reason) {
	case EXIT_REASON_EXTERNAL_INTERRUPT:
		return vmexit_interrupt(lp, r);
	case EXIT_REASON_EPT_VIOLATION:
		return vmexit_ept_violation(lp, e->gpa, e->qualification, r);
	default:
		exited = vmexit_tdcall(lp, &g, &interrupted, r);
		e->rax = g.rax;
		e->rcx = g.rcx;
		e->rdx = g.rdx;
		e->r8 = g.r8;
		return exited;
	}
}

static void run_driven(struct lp_ctx *lp, struct tdx_regs *r)
{
	const struct guest_program *p = lp->vp->guest.program;
	struct guest_exit *e;

	do {
		bool ve = take_ve(lp->vp);

		e = p->next(p->ctx, ve);
	} while (!make_exit(lp, e, r));
}

/*
 * Between two instructions the actor remembers what its caller did, and nothing of the
 * guest's past: that is all in the TDVPS.
 */
void guest_run(struct lp_ctx *lp, struct tdx_regs *r)
{
	u64 callers = actor_self()->key;

	if (lp->vp->guest.program && lp->vp->guest.program->next) {
		run_driven(lp, r);
		return;
	}
	for (;;) {
		bool stepped;

		actor_forget(hash_fold(callers, GUEST_AT_INSN, 0));
		if (!lp->in_step_mode && lp_irq_pending() != IRQ_NONE && vmexit_interrupt(lp, r))
			return;
		stepped = lp->in_step_mode;
		if (step(lp, r))
			return;
		/* A VM exit of the instruction itself has ended the mode */
		if (stepped && lp->in_step_mode && vmexit_mtf(lp, r))
			return;
	}
}
