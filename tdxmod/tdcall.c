// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of the guest's leaves. Their dispatch is a VM exit: td_vmexit.c.
 * Source: TDX_1.5.01, include/tdx_api_defs.h.
 */
#include "tdxmod/guest.h"

static const char *const names[] = {
	[0] = "TDG.VP.VMCALL",
	[1] = "TDG.VP.INFO",
	[2] = "TDG.MR.RTMR.EXTEND",
	[3] = "TDG.VP.VEINFO.GET",
	[4] = "TDG.MR.REPORT",
	[5] = "TDG.VP.CPUIDVE.SET",
	[6] = "TDG.MEM.PAGE.ACCEPT",
	[7] = "TDG.VM.RD",
	[8] = "TDG.VM.WR",
	[9] = "TDG.VP.RD",
	[10] = "TDG.VP.WR",
	[11] = "TDG.SYS.RD",
	[12] = "TDG.SYS.RDALL",
	[18] = "TDG.SERVTD.RD",
	[20] = "TDG.SERVTD.WR",
	[22] = "TDG.MR.VERIFYREPORT",
	[23] = "TDG.MEM.PAGE.ATTR.RD",
	[24] = "TDG.MEM.PAGE.ATTR.WR",
	[25] = "TDG.VP.ENTER",
	[26] = "TDG.VP.INVEPT",
	[27] = "TDG.VP.INVVPID",
};

const char *tdcall_name(u64 leaf)
{
	return leaf < ARRAY_SIZE(names) ? names[leaf] : NULL;
}
