/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What TDH.MNG.INIT takes from the VMM. Layout: struct td_params of seamcall.h.
 * Source: TDX_1.5.01, api_calls/tdh_mng_init.c.
 */
#include "tdxmod/flow.h"

/*
 * td_params_take - read, check and put into @f->tdcs, in the module's order; TDR is held
 * exclusive. Returns TDX_SUCCESS or the final status; RCX may name a CPUID leaf.
 * @hpa: checked by flow_check_shared()
 */
u64 td_params_take(struct flow *f, u64 hpa);
