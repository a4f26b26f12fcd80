// SPDX-License-Identifier: GPL-2.0-only
/*
 * The leaves of the module, a row each: name, flow, what it is about, in which OP_STATEs it
 * may run, whether it has versions. A row without a flow is a leaf that is not modelled.
 * Source: TDX_1.5.01, vmm_dispatcher/tdx_vmm_dispatcher.c, auto_gen/op_state_lookup.c.
 */
#include "tdxmod/leaf.h"

#include "tdxmod/flow.h"

/* OP_STATEs: bit n is state n (0 UNINITIALIZED, 1 INITIALIZED, 2 RUNNABLE, 3.. migration) */
static const struct leaf leaves[] = {
	[0] = { "TDH.VP.ENTER", .run = tdh_vp_enter, .about = ABOUT_VCPU, .op_states = 0x20c },
	[1] = { "TDH.MNG.ADDCX", .run = tdh_mng_addcx, .about = ABOUT_PAGE, .op_states = 0x001 },
	[2] = { "TDH.MEM.PAGE.ADD", .run = tdh_mem_page_add, .about = ABOUT_PAGE, .op_states = 0x002 },
	[3] = { "TDH.MEM.SEPT.ADD", .run = tdh_mem_sept_add,
		.about = ABOUT_PAGE, .op_states = 0x3ce, .versioned = true },
	[4] = { "TDH.VP.ADDCX", .run = tdh_vp_addcx, .about = ABOUT_PAGE, .op_states = 0x082 },
	[5] = { "TDH.MEM.PAGE.RELOCATE", .run = tdh_mem_page_relocate,
		.about = ABOUT_PAGE, .op_states = 0x33e },
	[6] = { "TDH.MEM.PAGE.AUG", .run = tdh_mem_page_aug, .about = ABOUT_PAGE, .op_states = 0x20e },
	[7] = { "TDH.MEM.RANGE.BLOCK", .run = tdh_mem_range_block,
		.about = ABOUT_PAGE, .op_states = 0x33e },
	[8] = { "TDH.MNG.KEY.CONFIG", .run = tdh_mng_key_config },
	[9] = { "TDH.MNG.CREATE", .run = tdh_mng_create, .about = ABOUT_PAGE },
	[10] = { "TDH.VP.CREATE", .run = tdh_vp_create, .about = ABOUT_PAGE, .op_states = 0x082 },
	[11] = { "TDH.MNG.RD", .run = tdh_mng_rd, .op_states = 0x7fe, .versioned = true },
	[12] = { "TDH.MEM.RD", .run = tdh_mem_rd, .about = ABOUT_PAGE, .op_states = 0x7fe },
	[13] = { "TDH.MNG.WR", .run = tdh_mng_wr, .op_states = 0x7ce },
	[14] = { "TDH.MEM.WR", .run = tdh_mem_wr, .about = ABOUT_PAGE, .op_states = 0x7ce },
	[15] = { "TDH.MEM.PAGE.DEMOTE", .run = tdh_mem_page_demote,
		.about = ABOUT_PAGE, .op_states = 0x33e },
	[16] = { "TDH.MR.EXTEND", .run = tdh_mr_extend, .about = ABOUT_PAGE, .op_states = 0x002 },
	[17] = { "TDH.MR.FINALIZE", .run = tdh_mr_finalize, .op_states = 0x002 },
	[18] = { "TDH.VP.FLUSH", .run = tdh_vp_flush, .about = ABOUT_VCPU },
	[19] = { "TDH.MNG.VPFLUSHDONE", .run = tdh_mng_vpflushdone },
	[20] = { "TDH.MNG.KEY.FREEID", .run = tdh_mng_key_freeid },
	[21] = { "TDH.MNG.INIT", .run = tdh_mng_init, .op_states = 0x001 },
	[22] = { "TDH.VP.INIT", .run = tdh_vp_init,
		.about = ABOUT_VCPU, .op_states = 0x002, .versioned_by = S_VP_INIT_TDR_EX },
	[23] = { "TDH.MEM.PAGE.PROMOTE", .run = tdh_mem_page_promote,
		.about = ABOUT_PAGE, .op_states = 0x33e, .versioned = true },
	[24] = { "TDH.PHYMEM.PAGE.RDMD", .run = tdh_phymem_page_rdmd, .about = ABOUT_PAGE },
	[25] = { "TDH.MEM.SEPT.RD", .run = tdh_mem_sept_rd, .about = ABOUT_PAGE, .op_states = 0x7fe },
	[26] = { "TDH.VP.RD", .run = tdh_vp_rd,
		.about = ABOUT_VCPU, .op_states = 0x7fe, .versioned = true },
	[27] = { "TDH.MNG.KEY.RECLAIMID", .run = tdh_mng_key_reclaimid },
	[28] = { "TDH.PHYMEM.PAGE.RECLAIM", .run = tdh_phymem_page_reclaim, .about = ABOUT_PAGE },
	[29] = { "TDH.MEM.PAGE.REMOVE", .run = tdh_mem_page_remove,
		.about = ABOUT_PAGE, .op_states = 0x73e },
	[30] = { "TDH.MEM.SEPT.REMOVE", .run = tdh_mem_sept_remove,
		.about = ABOUT_PAGE, .op_states = 0x7fe, .versioned = true },
	[31] = { "TDH.SYS.KEY.CONFIG", .about = ABOUT_PAGE },
	[32] = { "TDH.SYS.INFO", .about = ABOUT_PAGE },
	[33] = { "TDH.SYS.INIT", .about = ABOUT_PAGE },
	[34] = { "TDH.SYS.RD", .about = ABOUT_PAGE },
	[35] = { "TDH.SYS.LP.INIT", .about = ABOUT_PAGE },
	[36] = { "TDH.SYS.TDMR.INIT", .about = ABOUT_PAGE },
	[37] = { "TDH.SYS.RDALL", .about = ABOUT_PAGE },
	[38] = { "TDH.MEM.TRACK", .run = tdh_mem_track, .op_states = 0x3fe },
	[39] = { "TDH.MEM.RANGE.UNBLOCK", .run = tdh_mem_range_unblock,
		.about = ABOUT_PAGE, .op_states = 0x33e },
	[40] = { "TDH.PHYMEM.CACHE.WB", .run = tdh_phymem_cache_wb },
	[41] = { "TDH.PHYMEM.PAGE.WBINVD", .run = tdh_phymem_page_wbinvd, .about = ABOUT_KEYED_PAGE },
	[42] = { "TDH.MEM.SEPT.WR", .about = ABOUT_PAGE },
	[43] = { "TDH.VP.WR", .run = tdh_vp_wr, .about = ABOUT_VCPU, .op_states = 0x7ce },
	[44] = { "TDH.SYS.LP.SHUTDOWN", .about = ABOUT_PAGE },
	[45] = { "TDH.SYS.CONFIG", .about = ABOUT_PAGE },
	[48] = { "TDH.SERVTD.BIND", .run = tdh_servtd_bind, .op_states = 0x30f },
	[49] = { "TDH.SERVTD.PREBIND", .run = tdh_servtd_prebind, .op_states = 0x003 },
	[52] = { "TDH.SYS.SHUTDOWN", .about = ABOUT_PAGE },
	[53] = { "TDH.SYS.UPDATE", .about = ABOUT_PAGE },
	[58] = { "TDH.PHYMEM.PAMT.ADD", .run = tdh_phymem_pamt_add, .about = ABOUT_PAGE },
	[59] = { "TDH.PHYMEM.PAMT.REMOVE", .run = tdh_phymem_pamt_remove, .about = ABOUT_PAGE },
	[64] = { "TDH.EXPORT.ABORT", .about = ABOUT_PAGE },
	[65] = { "TDH.EXPORT.BLOCKW", .about = ABOUT_PAGE },
	[66] = { "TDH.EXPORT.RESTORE", .about = ABOUT_PAGE },
	[68] = { "TDH.EXPORT.MEM", .about = ABOUT_PAGE },
	[70] = { "TDH.EXPORT.PAUSE", .about = ABOUT_PAGE },
	[71] = { "TDH.EXPORT.TRACK", .about = ABOUT_PAGE },
	[72] = { "TDH.EXPORT.STATE.IMMUTABLE", .about = ABOUT_PAGE },
	[73] = { "TDH.EXPORT.STATE.TD", .about = ABOUT_PAGE },
	[74] = { "TDH.EXPORT.STATE.VP", .about = ABOUT_PAGE },
	[75] = { "TDH.EXPORT.UNBLOCKW", .about = ABOUT_PAGE },
	[80] = { "TDH.IMPORT.ABORT", .about = ABOUT_PAGE },
	[81] = { "TDH.IMPORT.END", .about = ABOUT_PAGE },
	[82] = { "TDH.IMPORT.COMMIT", .about = ABOUT_PAGE },
	[83] = { "TDH.IMPORT.MEM", .about = ABOUT_PAGE },
	[84] = { "TDH.IMPORT.TRACK", .about = ABOUT_PAGE },
	[85] = { "TDH.IMPORT.STATE.IMMUTABLE", .about = ABOUT_PAGE },
	[86] = { "TDH.IMPORT.STATE.TD", .about = ABOUT_PAGE },
	[87] = { "TDH.IMPORT.STATE.VP", .about = ABOUT_PAGE },
	[96] = { "TDH.MIG.STREAM.CREATE", .about = ABOUT_PAGE },
	[162] = { "TDH.IQ.INV.PROCESS", .run = tdh_iq_inv_process },
};

const struct leaf *leaf_of(u64 leaf)
{
	return leaf < ARRAY_SIZE(leaves) && leaves[leaf].name ? &leaves[leaf] : NULL;
}

const char *seamcall_name(u64 leaf)
{
	const struct leaf *l = leaf_of(leaf);

	return l ? l->name : NULL;
}

bool op_state_allows(u32 leaf, u32 op_state)
{
	const struct leaf *l = leaf_of(leaf);

	return l && op_state < 11 && (l->op_states >> op_state & 1);
}
