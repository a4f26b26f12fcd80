// SPDX-License-Identifier: GPL-2.0-only
/*
 * The leaves of the guest, a row each: name, flow, what RCX is, whether it has versions, and
 * of SERVTD.RD and SERVTD.WR the OP_STATEs of the TD that they are about. A row without a
 * flow is a leaf that is not modelled. Their dispatch is a VM exit: td_vmexit.c.
 * Source: TDX_1.5.01, include/tdx_api_defs.h, td_dispatcher/tdx_td_dispatcher.c,
 * auto_gen/op_state_lookup.c.
 */
#include "tdxmod/tdcall.h"

static const struct tdcall_leaf_row leaves[] = {
	[TDG_VP_VMCALL] = { "TDG.VP.VMCALL", tdg_vp_vmcall },
	[TDG_VP_INFO] = { "TDG.VP.INFO", tdg_vp_info },
	[TDG_MR_RTMR_EXTEND] = { "TDG.MR.RTMR.EXTEND", tdg_mr_rtmr_extend, .gpa = true },
	[TDG_VP_VEINFO_GET] = { "TDG.VP.VEINFO.GET", tdg_vp_veinfo_get },
	[TDG_MR_REPORT] = { "TDG.MR.REPORT", tdg_mr_report, .gpa = true },
	[TDG_VP_CPUIDVE_SET] = { "TDG.VP.CPUIDVE.SET" },
	[TDG_MEM_PAGE_ACCEPT] = { "TDG.MEM.PAGE.ACCEPT", tdg_mem_page_accept, .gpa = true },
	[TDG_VM_RD] = { "TDG.VM.RD", tdg_vm_rd, .versioned = true },
	[TDG_VM_WR] = { "TDG.VM.WR", tdg_vm_wr },
	[TDG_VP_RD] = { "TDG.VP.RD", tdg_vp_rd },
	[TDG_VP_WR] = { "TDG.VP.WR", tdg_vp_wr },
	[TDG_SYS_RD] = { "TDG.SYS.RD" },
	[TDG_SYS_RDALL] = { "TDG.SYS.RDALL" },
	[TDG_SERVTD_RD] = { "TDG.SERVTD.RD", tdg_servtd_rd, .op_states = 0x7ff },
	[TDG_SERVTD_WR] = { "TDG.SERVTD.WR", tdg_servtd_wr, .op_states = 0x7cf },
	[TDG_MR_VERIFYREPORT] = { "TDG.MR.VERIFYREPORT", .gpa = true },
	[TDG_MEM_PAGE_ATTR_RD] = { "TDG.MEM.PAGE.ATTR.RD", tdg_mem_page_attr_rd, .gpa = true },
	[TDG_MEM_PAGE_ATTR_WR] = { "TDG.MEM.PAGE.ATTR.WR", tdg_mem_page_attr_wr, .gpa = true },
	[TDG_VP_ENTER] = { "TDG.VP.ENTER", tdg_vp_enter },
	[TDG_VP_INVEPT] = { "TDG.VP.INVEPT", tdg_vp_invept },
	[TDG_VP_INVVPID] = { "TDG.VP.INVVPID", tdg_vp_invvpid },
};

const struct tdcall_leaf_row *tdcall_leaf(u64 leaf)
{
	return leaf < ARRAY_SIZE(leaves) && leaves[leaf].name ? &leaves[leaf] : NULL;
}

const char *tdcall_name(u64 leaf)
{
	const struct tdcall_leaf_row *l = tdcall_leaf(leaf);

	return l ? l->name : NULL;
}
