/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The processor's side of a guest access: TLB, paging-structure caches, the walk of the
 * S-EPT. What is shared is the VMM's business.
 * Source: SDM 28.3 (EPT), 28.4.3 (what is cached, when it is used).
 */
#include "tdxmod/guest.h"
#include "tdxmod/seamcall.h"

struct lp_ctx;

/*
 * guest_access - one access to @gpa. True: done. False: an EPT violation; *exited says
 * whether it ended in a TD exit (@r is filled in) or in a #VE.
 */
bool guest_access(struct lp_ctx *lp, u64 gpa, bool shared, enum guest_access how, bool *exited,
		  struct tdx_regs *r);
