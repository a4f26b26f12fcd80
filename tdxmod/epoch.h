/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * TLB tracking: the TD's epoch, the two counts of LPs that run the guest (by parity of the
 * epoch that they entered in), and whether what was blocked in an epoch is out of every TLB.
 * Source: TDX_1.5.01, helpers.c:adjust_tlb_tracking_state, helpers.h:is_tlb_tracked; S12:
 * tdh_mem_track.c at 2.0.08 (intel/tdx-module 1666adc).
 */
#include "sim/engine/types.h"

struct tdcs;
struct tdvps;

/*
 * epoch_enter - take part in the current epoch; sets VCPU_EPOCH and flushes if it changed
 * @new_association: this LP cannot hold translations of the vCPU: no flush
 * Returns TDX_SUCCESS, or TDX_OPERAND_BUSY|TD_EPOCH while TRACK holds the lock.
 */
u64 epoch_enter(struct tdcs *tdcs, struct tdvps *vp, bool new_association);
/* epoch_leave - drop the count taken at entry, by the *stored* VCPU_EPOCH */
void epoch_leave(struct tdcs *tdcs, struct tdvps *vp);

/* epoch_track - TDH.MEM.TRACK's part, under its lock */
u64 epoch_track(struct tdcs *tdcs);

/*
 * epoch_check_tracked - is what was blocked in @bepoch out of every TLB, and (S12) IOTLB? One
 * atomic 128-bit read, then the count of IOMMUs; no lock. TDX_SUCCESS, or without operand
 * TDX_TLB_TRACKING_NOT_DONE, TDX_IOMMU_IOTLB_TRACKING_NOT_DONE.
 */
u64 epoch_check_tracked(struct tdcs *tdcs, u64 bepoch);

/* epoch_iotlb_done - @iommu has been invalidated in this epoch; its lock is held. Steps */
void epoch_iotlb_done(struct tdcs *tdcs, u64 iommu);
