// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MNG.KEY.RECLAIMID: there for VMMs of older modules; succeeds and does nothing.
 * Source: TDX_1.5.01, api_calls/tdh_mng_key_reclaimid.c.
 */
#include "tdxmod/flow.h"

u64 tdh_mng_key_reclaimid(struct tdx_regs *r, u32 version)
{
	return TDX_SUCCESS;
}
