// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which LP a vCPU belongs to, as KVM sees it: vcpu->cpu and that CPU's list of associated
 * vCPUs, changed by the CPU that owns the list, with interrupts off. The module has a truth
 * of its own (TDVPS.ASSOC_LPID), which may differ. Rests on arch/x86/kvm/vmx/tdx.c of v7.2.
 */
#include <stdio.h>

#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/tdx.h"
#include "sim/engine/lp.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"
#include "tdxmod/seamcall.h"

#define SHARED_EPT_POINTER	0x203cu	/* TDVPS_VMCS(): class 0 */

static struct list_head *associated_tdvcpus(u32 cpu)
{
	return &kvm_host_self()->cpu[cpu].associated_tdvcpus;
}

/* Which node it is, for a report of list-corruption */
static const char *list_name(const struct kvm_vcpu *vcpu, char *buf, size_t n)
{
	snprintf(buf, n, "vcpu.cpu_list[%u]", vcpu->vcpu_id);
	return buf;
}

/* Off the list, smp_wmb(), then cpu = -1: who sees -1 adds it to another CPU's list (C04). */
static void tdx_disassociate_vp(struct kvm_vcpu *vcpu)
{
	char name[32];

	list_name(vcpu, name, sizeof(name));
	if (kvm_switch(vcpu->kvm, SW_CPU_BEFORE_LIST_DEL)) {
		mem_write32(&vcpu->cpu, NO_CPU);
		list_del(&vcpu->cpu_list, name);
		return;
	}
	list_del(&vcpu->cpu_list, name);
	mem_write32(&vcpu->cpu, NO_CPU);
}

/*
 * On the CPU that the vCPU is associated with, interrupts off: an IPI handler, or the CPU
 * going down. It must not sleep and does not retry: nobody else holds TDVPR (C06). What
 * fails is told to the caller, but the vCPU leaves the list all the same (C09).
 */
static void tdx_flush_vp(void *arg)
{
	struct tdx_flush_vp_arg *a = arg;
	struct kvm_vcpu *vcpu = a->vcpu;
	struct tdx_call call = { .leaf = TDH_VP_FLUSH, .rcx = vcpu->tdvpr, .gfn = NO_GFN };
	u64 err;

	world_set(a->err, 0);
	/* The task may have moved, or the CPU gone down, since the caller looked (C05). */
	if (!kvm_switch(vcpu->kvm, SW_FLUSH_NO_CPU_CHECK)) {
		if (mem_read32(&vcpu->cpu) != lp_self())
			return;
	}
	if (mem_read32(&vcpu->tdx_state) != VCPU_TD_STATE_UNINITIALIZED) {
		err = tdx_call(vcpu->kvm, &call);
		if (err && err != TDX_VCPU_NOT_ASSOCIATED)
			world_set(a->err, err);
	}
	tdx_disassociate_vp(vcpu);
}

void tdx_flush_vp_on_cpu(struct kvm_vcpu *vcpu)
{
	struct tdx_call call = { .leaf = TDH_VP_FLUSH, .gfn = NO_GFN };
	u32 cpu = mem_read32(&vcpu->cpu);
	struct tdx_flush_vp_arg *arg;
	u64 err;

	if (cpu == NO_CPU)
		return;
	arg = world_alloc(sizeof(*arg));	/* another CPU writes into it */
	world_set(arg->vcpu, vcpu);
	kvm_call_on_cpu(cpu, tdx_flush_vp, arg);
	err = arg->err;
	world_free(arg, sizeof(*arg));
	tdx_bug_on(vcpu->kvm, err, &call);
}

/* kvm_arch_vcpu_load() sets vcpu->cpu afterwards, see x86.c */
void tdx_vcpu_load(struct kvm_vcpu *vcpu, u16 cpu)
{
	u32 was = mem_read32(&vcpu->cpu);
	char name[32];

	if (was == cpu || !is_hkid_assigned(vcpu->kvm))
		return;
	trace_call("tdx_vcpu_load", vcpu->vcpu_id);
	if (!kvm_switch(vcpu->kvm, SW_LOAD_WITHOUT_FLUSH))
		tdx_flush_vp_on_cpu(vcpu);
	local_irq_disable();
	/* smp_rmb(): cpu before the list */
	list_add(&vcpu->cpu_list, associated_tdvcpus(cpu), list_name(vcpu, name, sizeof(name)));
	local_irq_enable();
	if (kvm_switch(vcpu->kvm, SW_LOAD_WRITES_VP))
		tdx_call(vcpu->kvm, &(struct tdx_call){ .leaf = TDH_VP_WR, .rcx = vcpu->tdvpr,
							.rdx = SHARED_EPT_POINTER });
	trace_return("tdx_vcpu_load", vcpu->vcpu_id, 0);
}

/* Of the CPU that it runs on, which goes down; interrupts off */
void tdx_disable_virtualization_cpu(void)
{
	struct list_head *head = associated_tdvcpus(lp_self()), *node, *next;
	struct tdx_flush_vp_arg arg = { 0 };

	/* list_for_each_entry_safe(): each entry leaves the list under us */
	for (node = list_next(head); node != head; node = next) {
		next = list_next(node);
		arg.vcpu = container_of(node, struct kvm_vcpu, cpu_list);
		tdx_flush_vp(&arg);	/* nobody looks at what failed */
	}
}
