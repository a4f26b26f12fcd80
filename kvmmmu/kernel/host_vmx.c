// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processor under a kernel tree's VM without TDX: kvmmmu/vmx_guest.c, as vmx.c would meet it.
 */
#include "kvmmmu/kernel/host.h"
#include "kvmmmu/kernel/linux_priv.h"
#include "kvmmmu/vmx_guest.h"
#include "sim/engine/actor.h"
#include "sim/engine/arena.h"
#include "sim/engine/clock.h"
#include "sim/engine/hash.h"
#include "sim/engine/lp.h"
#include "sim/engine/tlb.h"
#include "sim/engine/undo.h"

#define LOOP_GUEST	7u	/* beside those of glue_x86.c */

void *ksim_vmx_new(int pml)
{
	khost_settle();
	return vmx_guest_new(pml);
}

void ksim_vmx_free(void *g)
{
	khost_settle();
	vmx_guest_free_log(g);
}

static void written(void *ctx, u64 gfn)
{
	linux_dirty_written(ctx, gfn);
}

void ksim_vmx_run(void *g, void *tree, unsigned int vcpu_id, struct ksim_vmx_exit *to)
{
	struct kvm *kvm = linux_vm_of(tree);
	struct vmx_host host = {
		.vcpu_id = vcpu_id, .levels = kvm->levels, .ad = kvm->ad,
		.loop = hash_fold(actor_self()->key, LOOP_GUEST, 0),
		.written = written, .ctx = kvm,
	};
	struct vmx_exit x;

	khost_settle();
	vmx_guest_run(g, &host, &x);
	to->reason = x.reason;
	to->gpa = x.gpa;
	to->qual = x.qual;
}

void ksim_vmx_skip(void *g)
{
	khost_settle();
	vmx_guest_skip(g);
}

void ksim_vmx_set_root(void *g, unsigned long hpa)
{
	khost_settle();
	world_set(((struct vmx_guest *)g)->eptp, hpa);
}

int ksim_vmx_comes(void *p, int cpu)
{
	struct vmx_guest *g = p;

	khost_settle();
	if ((int)g->loaded_cpu == cpu)
		return 0;
	if (cpu >= 0)
		sim_charge(COST_VMPTRLD, 1);
	world_set(g->loaded_cpu, (u32)cpu);
	return 1;
}

void ksim_vmx_flush(unsigned long eptp)
{
	khost_settle();
	tlb_flush(tlb_of(lp_self()), eptp);
}

void ksim_vmx_pml(void *g, int on)
{
	khost_settle();
	world_set(((struct vmx_guest *)g)->pml_enabled, !!on);
}

struct drain {
	void (*each)(void *vcpu, unsigned long gfn);
	void *vcpu;
};

static void drain_one(void *ctx, u64 gpa)
{
	const struct drain *d = ctx;

	d->each(d->vcpu, gpa >> PAGE_SHIFT);
}

void ksim_vmx_drain(void *g, void (*each)(void *vcpu, unsigned long gfn), void *vcpu)
{
	struct drain d = { each, vcpu };

	khost_settle();
	vmx_pml_drain(g, drain_one, &d);
}
