// SPDX-License-Identifier: GPL-2.0-only
/*
 * TLB tracking. TRACK moves the epoch on when nobody is left in the one before; an LP
 * flushes when it next enters with another epoch, never when it leaves.
 * Source: TDX_1.5.01, helpers.c:2499 adjust_tlb_tracking_state, helpers.h:1213
 * is_tlb_tracked, tdh_mem_track.c.
 */
#include "tdxmod/epoch.h"

#include "sim/engine/mem.h"
#include "tdxmod/lp_state.h"
#include "tdxmod/module.h"
#include "tdxmod/status.h"
#include "tdxmod/td.h"

#define BEPOCH_MIG	BIT_ULL(63)

u64 epoch_enter(struct tdcs *tdcs, struct tdvps *vp, bool new_association)
{
	u64 epoch, mine;
	u64 err = sharex_acquire_sh(&tdcs->epoch.lock, "TD_EPOCH");

	if (err)
		return status_operand(err, OPERAND_TD_EPOCH);
	epoch = mem_read64(&tdcs->epoch.td_epoch);
	mem_xadd16(&tdcs->epoch.refcount[epoch & 1], 1);
	sharex_release_sh(&tdcs->epoch.lock, "TD_EPOCH");

	mine = mem_read64(&vp->vcpu_epoch);
	if (epoch != mine) {
		if (!new_association)
			tlb_flush(lp_tlb(lp_ctx_self()), vp->tdr);
		mem_write64(&vp->vcpu_epoch, epoch);
	}
	return TDX_SUCCESS;
}

void epoch_leave(struct tdcs *tdcs, struct tdvps *vp)
{
	u64 mine = mem_read64(&vp->vcpu_epoch);

	mem_xadd16(&tdcs->epoch.refcount[mine & 1], -1);
}

/* S12: no IOMMU is left in the epoch before; then all are in this one */
static u64 track_iotlb(struct tdcs *tdcs)
{
	u64 count;

	if (!module_switch(module_self(), S_IOTLB))
		return TDX_SUCCESS;
	count = mem_read64(&tdcs->iotlb.prev);
	if (count)
		return TDX_IOMMU_IOTLB_TRACKING_NOT_DONE;
	count = mem_read64(&tdcs->iotlb.curr);
	mem_write64(&tdcs->iotlb.prev, count);
	return TDX_SUCCESS;
}

u64 epoch_track(struct tdcs *tdcs)
{
	u64 err, epoch;
	u16 left;

	err = sharex_acquire_ex(&tdcs->epoch.lock, "TD_EPOCH");
	if (err)
		return status_operand(err, OPERAND_TD_EPOCH);
	epoch = mem_read64(&tdcs->epoch.td_epoch);
	left = mem_read16(&tdcs->epoch.refcount[1 - (epoch & 1)]);
	err = left ? TDX_PREVIOUS_TLB_EPOCH_BUSY : track_iotlb(tdcs);
	if (!err) {
		epoch = mem_read64(&tdcs->epoch.td_epoch);
		mem_write64(&tdcs->epoch.td_epoch, epoch + 1);
	}
	sharex_release_ex(&tdcs->epoch.lock, "TD_EPOCH");
	return err;
}

static bool is_tlb_tracked(struct tdcs *tdcs, u64 bepoch, u64 *now_in)
{
	struct u128 now, none = { 0, 0 };
	u64 epoch;
	u16 count;

	if (bepoch & BEPOCH_MIG)
		return false;
	now = mem_cmpxchg128((struct u128 *)&tdcs->epoch, none, none);
	*now_in = epoch = now.lo;
	count = now.hi >> (bepoch & 1 ? 16 : 0);
	if (bepoch == epoch - 1 && !count)
		return true;
	return bepoch < epoch - 1;
}

u64 epoch_check_tracked(struct tdcs *tdcs, u64 bepoch)
{
	u64 epoch = 0, left;

	if (!is_tlb_tracked(tdcs, bepoch, &epoch))
		return TDX_TLB_TRACKING_NOT_DONE;
	if (!module_switch(module_self(), S_IOTLB) || bepoch < epoch - 1)
		return TDX_SUCCESS;
	left = mem_read64(&tdcs->iotlb.prev);
	return left ? TDX_IOMMU_IOTLB_TRACKING_NOT_DONE : TDX_SUCCESS;
}

void epoch_iotlb_done(struct tdcs *tdcs, u64 iommu)
{
	u64 epoch = mem_read64(&tdcs->epoch.td_epoch), was = mem_peek64(&tdcs->iotlb.inv_epochs);

	if ((was >> iommu & 1) == (epoch & 1))
		return;		/* there was nothing to invalidate */
	world_set(tdcs->iotlb.inv_epochs, was ^ BIT_ULL(iommu));
	mem_xadd64(&tdcs->iotlb.prev, -1ull);
}
