// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.VP.WR of what KVM writes: the shared EPT pointer. It associates the vCPU with this LP
 * as TDH.VP.ENTER does (race C01: a root that is loaded outside of an entry).
 * Source: TDX_1.5.01, api_calls/tdh_vp_rd_wr.c; metadata_handlers/metadata_vp.c:857.
 */
#include "sim/engine/check.h"
#include "sim/engine/clock.h"
#include "tdxmod/flow.h"

/* Field id: class VMCS (0), 64 bits wide; the VMCS encoding is its field code */
#define SHARED_EPT_POINTER	0x203cull
#define FIELD_CODE		GENMASK_ULL(23, 0)
#define FIELD_CLASS		GENMASK_ULL(61, 56)

static u64 write_field(struct flow *f, const struct tdx_regs *r, u64 *old)
{
	if (r->rdx & FIELD_CLASS || (r->rdx & FIELD_CODE) != SHARED_EPT_POINTER) {
		check_fail("unsupported-leaf", "TDH.VP.WR",
			   "TDH.VP.WR of field 0x%llx is not modelled yet",
			   (unsigned long long)r->rdx);
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RDX);
	}
	*old = f->vp->shared_eptp;
	world_set(f->vp->shared_eptp, (*old & ~r->r9) | (r->r8 & r->r9));
	return TDX_SUCCESS;
}

/* RCX: TDVPR, RDX: field, R8: value, R9: mask. R8: the old value */
u64 tdh_vp_wr(struct tdx_regs *r, u32 version)
{
	bool new_association;
	struct flow f;
	u64 old = 0, err;

	flow_begin(&f, TDH_VP_WR, r);
	if (!(err = flow_lock_vcpu(&f, r->rcx, LOCK_SHARED)) &&
	    !(err = flow_lock_op_state(&f)) &&
	    !(err = flow_map_vcpu(&f)) &&
	    !(err = flow_associate(&f, &new_association))) {
		sim_charge(COST_VMPTRLD, 2);	/* the vCPU's VMCS, and the module's again */
		err = write_field(&f, r, &old);
	}
	r->r8 = old;
	return flow_end(&f, err);
}
