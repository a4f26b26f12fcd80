/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * A TD's access: through the S-EPT if the address is private, through the VMM's tables if
 * it is shared; the walk is the machine's (sim/engine/ept.h).
 * Source: SDM vol. 3, 29.3.1 (shared EPT pointer), 26.5.7 (#VE instead of an exit).
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
