// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU of a VM without TDX: its guest runs the same programs, on the hardware's walk of
 * KVM's direct tables alone. Rests on arch/x86/kvm/vmx/vmx.c of v7.2 (vmx_vcpu_load(),
 * vmx_vcpu_run(), vmx_handle_exit(), handle_ept_violation(), handle_ept_misconfig()).
 *
 * A VM exit takes the translations with it no more than a TD exit does; the tag is the root's
 * address (EP4TA).
 */
#include <errno.h>

#include "kvmmmu/own/dirty_log.h"
#include "kvmmmu/own/mmu.h"
#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/vt.h"
#include "sim/engine/check.h"
#include "sim/engine/clock.h"
#include "sim/engine/ept.h"
#include "sim/engine/hash.h"
#include "sim/engine/lp.h"
#include "sim/engine/mem.h"
#include "sim/engine/sim.h"
#include "sim/engine/tlb.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"
#include "tdxmod/guest.h"
#include "tdxmod/seamcall.h"

#define EXIT_REASON_PML_FULL	62u
#define COMPUTE_SLICE	2000u	/* an interrupt need not wait for a whole COMPUTE */

/* What the VMCS and the guest's registers hold; the vCPU's thread alone changes it */
struct vmx_guest {
	const struct guest_program *program;
	u64 *loops;		/* jumps taken by each REPEAT */
	u64 left;		/* COMPUTE: cycles still to spend */
	u64 eptp;		/* hpa of the root */
	u32 pc;
	u32 loaded_cpu;		/* loaded_vmcs->cpu */
	struct ept_pml pml;	/* log 0: there is none */
	bool pml_enabled;	/* SECONDARY_EXEC_ENABLE_PML */
	u64 fetch;		/* read once an instruction: where others may come in between */
};

#define PML_HEAD_INDEX	(PML_ENTRIES - 1)

struct vmx_guest *vmx_guest_new(struct kvm *kvm)
{
	struct vmx_guest *g = world_alloc(sizeof(*g));

	world_set(g->loaded_cpu, NO_CPU);
	if (kvm->cpu_dirty_log_size) {
		world_set(g->pml.log, page_alloc());
		world_set(g->pml.index, (u16)PML_HEAD_INDEX);
		world_set(g->pml_enabled, !!mem_peek32(&kvm->nr_memslots_dirty_logging));
	}
	return g;
}

/* vmx_vcpu_free(), vmx_destroy_pml_buffer() */
void vmx_vcpu_free(struct kvm_vcpu *vcpu)
{
	if (vcpu->vmx->pml.log)
		page_free(vcpu->vmx->pml.log);
	world_set(vcpu->vmx->pml.log, 0);
}

void vmx_set_guest(struct kvm_vcpu *vcpu, const struct guest_program *p)
{
	struct vmx_guest *g = vcpu->vmx;

	world_set(g->program, p);
	world_set(g->pc, 0);
	world_set(g->left, 0);
	if (p && p->n)
		world_set(g->loops, (u64 *)world_alloc(p->n * sizeof(u64)));
}

/* --- what the processor caches -------------------------------------------------------- */

/*
 * vmx_vcpu_load_vmcs(): on another LP than the last, what that one has cached of this VM's
 * tables is of nobody knows when
 */
void vmx_vcpu_load(struct kvm_vcpu *vcpu, u16 cpu)
{
	if (vcpu->vmx->loaded_cpu == cpu)
		return;
	sim_charge(COST_VMPTRLD, 1);
	mem_bts64(&vcpu->requests, KVM_REQ_TLB_FLUSH & KVM_REQUEST_MASK);
	world_set(vcpu->vmx->loaded_cpu, cpu);
}

void vmx_load_mmu_pgd(struct kvm_vcpu *vcpu)
{
	world_set(vcpu->vmx->eptp, vcpu->root->hpa);
}

void vmx_flush_tlb_current(struct kvm_vcpu *vcpu)
{
	if (vcpu->root)
		tlb_flush(tlb_of(lp_self()), vcpu->root->hpa);
}

/* --- the guest -------------------------------------------------------------------------- */

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

/* 0, or the reason of the VM exit: of the first gpa that does not translate */
static u32 access_insn(struct kvm_vcpu *vcpu, const struct guest_insn *in)
{
	static const u64 how[] = {
		[GUEST_READ] = EPT_READ, [GUEST_WRITE] = EPT_WRITE, [GUEST_EXEC] = EPT_EXEC,
	};
	struct ept ept = {
		.tag = vcpu->vmx->eptp, .root = vcpu->vmx->eptp, .level = vcpu->kvm->levels - 1,
		.ad = vcpu->kvm->ad_enabled,
		.pml = vcpu->vmx->pml_enabled ? &vcpu->vmx->pml : NULL,
	};
	struct ept_walk w;
	u32 i;

	for (i = 0; i < in->ngpa; i++) {
		enum ept_result res = ept_access(tlb_of(lp_self()), &ept, in->gpa[i],
						 how[in->access], &w);

		if (res == EPT_OK) {
			if (in->access == GUEST_WRITE)
				dirty_log_written(vcpu->kvm, in->gpa[i] >> PAGE_SHIFT);
			continue;
		}
		if (res == EPT_LOG_FULL)
			return EXIT_REASON_PML_FULL;
		world_set(vcpu->exit_gpa, in->gpa[i]);
		world_set(vcpu->exit_qual, how[in->access] | w.rwx << 3);
		return res == EPT_VIOLATION ? EXIT_REASON_EPT_VIOLATION :
					      EXIT_REASON_EPT_MISCONFIG;
	}
	retire(vcpu->vmx, vcpu->vmx->pc + 1);
	return 0;
}

static void compute_insn(struct vmx_guest *g, const struct guest_insn *in)
{
	u64 left = g->left ? g->left : in->cycles;
	u64 now = sim_options(sim_current())->timed ? MIN(left, COMPUTE_SLICE) : left;

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

static u32 execute(struct kvm_vcpu *vcpu)
{
	struct vmx_guest *g = vcpu->vmx;
	const struct guest_insn *in = current(g);

	mem_read64(&g->fetch);
	switch (in->op) {
	case GUEST_ACCESS:
		return access_insn(vcpu, in);
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

enum fastpath vmx_vcpu_run(struct kvm_vcpu *vcpu)
{
	u64 callers = actor_self()->key;
	struct tlb *t = tlb_of(lp_self());
	u32 reason = 0;

	sim_charge(COST_TD_TRANSITION, 1);	/* VMRESUME and the exit */
	tlb_enter(t, vcpu->vmx->eptp);
	trace_(EV_ENTER, .arg = vcpu->vcpu_id, .has_arg = true);
	lp_guest_begins();
	while (!reason) {
		actor_forget(hash_fold(callers, LOOP_GUEST, 0));
		reason = lp_irq_pending() != IRQ_NONE ? EXIT_REASON_EXTERNAL_INTERRUPT :
							execute(vcpu);
	}
	lp_guest_ends();
	tlb_leave(t);
	trace_(EV_EXIT, .name = exit_name(reason), .arg = vcpu->vcpu_id, .has_arg = true);
	world_set(vcpu->vp_enter_ret, reason);
	return EXIT_FASTPATH_NONE;
}

/* --- exits -------------------------------------------------------------------------------- */

void vmx_skip_mmio(struct kvm_vcpu *vcpu)
{
	retire(vcpu->vmx, vcpu->vmx->pc + 1);
}

/* In the order in which the processor wrote it; the slot may have another log since, or none */
static void vmx_flush_pml_buffer(struct kvm_vcpu *vcpu)
{
	struct ept_pml *pml = &vcpu->vmx->pml;
	u16 tail = pml->index >= PML_ENTRIES ? 0 : pml->index + 1;
	const u64 *log = phys_to_ptr(pml->log);
	int i;

	if (pml->index == PML_HEAD_INDEX)
		return;
	for (i = PML_HEAD_INDEX; i >= tail; i--)
		kvm_vcpu_mark_page_dirty(vcpu, log[i] >> PAGE_SHIFT);
	world_set(pml->index, (u16)PML_HEAD_INDEX);
}

/* Another request follows if the number changes meanwhile. */
void vmx_update_cpu_dirty_logging(struct kvm_vcpu *vcpu)
{
	bool on = mem_read32(&vcpu->kvm->nr_memslots_dirty_logging);

	world_set(vcpu->vmx->pml_enabled, on);
}

bool vmx_pml_has(const struct kvm_vcpu *vcpu, u64 gfn)
{
	const struct vmx_guest *g = vcpu->vmx;
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

int vmx_handle_exit(struct kvm_vcpu *vcpu)
{
	u64 gfn = vcpu->exit_gpa >> PAGE_SHIFT;

	if (vcpu->vmx->pml.log)
		vmx_flush_pml_buffer(vcpu);
	switch (vcpu->vp_enter_ret) {
	case EXIT_REASON_EPT_VIOLATION:
		return kvm_mmu_page_fault(vcpu, gfn, pferr_of(vcpu->exit_qual));
	case EXIT_REASON_EPT_MISCONFIG:
		return kvm_mmu_page_fault(vcpu, gfn, PFERR_RSVD_MASK);
	case EXIT_REASON_HLT:
		world_set(vcpu->exit_reason, KVM_EXIT_HLT);
		return 0;
	default:	/* an interrupt; handle_pml_full(): the log is empty by now */
		return 1;
	}
}
