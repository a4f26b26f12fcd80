// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.VP.INIT: the vCPU gets its number and is READY, associated with this LP. Version 1
 * (from 1.5.05 on: S10) sets an x2APIC id, which must be its own in the TD, under the TDR
 * exclusive. MSRs are not modelled.
 * Source: TDX_1.5.01, api_calls/tdh_vp_init.c, helpers.c:associate_vcpu_initial; version 1:
 * the change of 1.5.05 as quoted in Message-ID aQAeQV+xrQB5IFBF@yzhao56-desk.sh.intel.com.
 */
#include "sim/engine/lp.h"
#include "tdxmod/flow.h"
#include "tdxmod/guest_run.h"

static u64 take_number(struct flow *f, u32 *index)
{
	u32 max = f->tdcs->max_vcpus < VCPUS_MAX ? f->tdcs->max_vcpus : VCPUS_MAX;

	*index = mem_xadd32(&f->tdcs->num_vcpus, 1);
	if (*index < max)
		return TDX_SUCCESS;
	mem_xadd32(&f->tdcs->num_vcpus, -1);
	return TDX_MAX_VCPUS_EXCEEDED;
}

/* A second vCPU with the same id is refused, and stays counted in NUM_VCPUS: so it is there */
static u64 set_x2apic_id(struct flow *f, u32 index, u64 id)
{
	u32 *ids = x2apic_ids(f->tdr);

	if (id >> 32) {
		mem_xadd32(&f->tdcs->num_vcpus, -1);
		return status_operand(TDX_OPERAND_INVALID, OPERAND_R8);
	}
	for (u32 i = 0; i < index; i++) {
		u32 other = mem_read32(&ids[i]);

		if (other == id)
			return TDX_X2APIC_ID_NOT_UNIQUE | other;
	}
	mem_write32(&ids[index], id);
	return TDX_SUCCESS;
}

static u64 check(struct flow *f, u64 tdvpr, u32 version)
{
	u64 err;
	u8 state;

	if ((err = flow_lock_vcpu_and(f, tdvpr, OPERAND_RCX, LOCK_EXCLUSIVE,
				      version ? LOCK_EXCLUSIVE : LOCK_SHARED)) ||
	    (err = flow_lock_op_state(f)) ||
	    (err = flow_map_vcpu(f)))
		return err;
	state = mem_read8(&f->vp->state);
	return state == VCPU_UNINITIALIZED ? TDX_SUCCESS : TDX_VCPU_STATE_INCORRECT;
}

static u64 init(struct flow *f, u32 version, u64 x2apic_id)
{
	u32 index;
	u64 err = take_number(f, &index);

	if (err)
		return err;
	vcpu_appears((struct module *)f->mod, f->vp, index);
	vcpu_numbered((struct module *)f->mod, f->vp);
	if (version)
		err = set_x2apic_id(f, index, x2apic_id);
	else if (module_switch(f->mod, S_VP_INIT_TDR_EX))
		mem_write8(&f->tdcs->topology_enum, false);
	if (err)
		return err;
	world_set(f->vp->xfam, f->tdcs->xfam);
	world_set(f->vp->guest.rip, GUEST_RIP);
	mem_write8(&f->vp->state, VCPU_READY);
	mem_write8(&f->vp->last_td_exit, LAST_ASYNC_FAULT);
	mem_write32(&f->vp->assoc_lpid, lp_self());	/* nobody else can have it */
	mem_xadd32(&f->tdcs->num_assoc_vcpus, 1);
	sim_charge(COST_VMPTRLD, 2);			/* the TD's VMCS, then SEAM's again */
	vmcs_init(f->vp, f->tdr);
	return TDX_SUCCESS;
}

u64 tdh_vp_init(struct tdx_regs *r, u32 version)
{
	struct flow f;
	u64 err;

	flow_begin(&f, TDH_VP_INIT, r);
	if (version > 1)
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RAX);
	err = check(&f, r->rcx, version);
	if (!err)
		err = init(&f, version, r->r8);
	return flow_end(&f, err);
}
