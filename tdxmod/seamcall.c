// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMM's way in: version and leaf checks, then the flow, with everything masked.
 * Source: TDX_1.5.01, vmm_dispatcher/tdx_vmm_dispatcher.c.
 */
#include "tdxmod/seamcall.h"

#include "sim/engine/check.h"
#include "sim/engine/lp.h"
#include "sim/engine/trace.h"
#include "tdxmod/flow.h"

static const char *const names[] = {
	[0] = "TDH.VP.ENTER",
	[1] = "TDH.MNG.ADDCX",
	[2] = "TDH.MEM.PAGE.ADD",
	[3] = "TDH.MEM.SEPT.ADD",
	[4] = "TDH.VP.ADDCX",
	[5] = "TDH.MEM.PAGE.RELOCATE",
	[6] = "TDH.MEM.PAGE.AUG",
	[7] = "TDH.MEM.RANGE.BLOCK",
	[8] = "TDH.MNG.KEY.CONFIG",
	[9] = "TDH.MNG.CREATE",
	[10] = "TDH.VP.CREATE",
	[11] = "TDH.MNG.RD",
	[12] = "TDH.MEM.RD",
	[13] = "TDH.MNG.WR",
	[14] = "TDH.MEM.WR",
	[15] = "TDH.MEM.PAGE.DEMOTE",
	[16] = "TDH.MR.EXTEND",
	[17] = "TDH.MR.FINALIZE",
	[18] = "TDH.VP.FLUSH",
	[19] = "TDH.MNG.VPFLUSHDONE",
	[20] = "TDH.MNG.KEY.FREEID",
	[21] = "TDH.MNG.INIT",
	[22] = "TDH.VP.INIT",
	[23] = "TDH.MEM.PAGE.PROMOTE",
	[24] = "TDH.PHYMEM.PAGE.RDMD",
	[25] = "TDH.MEM.SEPT.RD",
	[26] = "TDH.VP.RD",
	[27] = "TDH.MNG.KEY.RECLAIMID",
	[28] = "TDH.PHYMEM.PAGE.RECLAIM",
	[29] = "TDH.MEM.PAGE.REMOVE",
	[30] = "TDH.MEM.SEPT.REMOVE",
	[31] = "TDH.SYS.KEY.CONFIG",
	[32] = "TDH.SYS.INFO",
	[33] = "TDH.SYS.INIT",
	[34] = "TDH.SYS.RD",
	[35] = "TDH.SYS.LP.INIT",
	[36] = "TDH.SYS.TDMR.INIT",
	[37] = "TDH.SYS.RDALL",
	[38] = "TDH.MEM.TRACK",
	[39] = "TDH.MEM.RANGE.UNBLOCK",
	[40] = "TDH.PHYMEM.CACHE.WB",
	[41] = "TDH.PHYMEM.PAGE.WBINVD",
	[42] = "TDH.MEM.SEPT.WR",
	[43] = "TDH.VP.WR",
	[44] = "TDH.SYS.LP.SHUTDOWN",
	[45] = "TDH.SYS.CONFIG",
	[48] = "TDH.SERVTD.BIND",
	[49] = "TDH.SERVTD.PREBIND",
	[52] = "TDH.SYS.SHUTDOWN",
	[53] = "TDH.SYS.UPDATE",
	[64] = "TDH.EXPORT.ABORT",
	[65] = "TDH.EXPORT.BLOCKW",
	[66] = "TDH.EXPORT.RESTORE",
	[68] = "TDH.EXPORT.MEM",
	[70] = "TDH.EXPORT.PAUSE",
	[71] = "TDH.EXPORT.TRACK",
	[72] = "TDH.EXPORT.STATE.IMMUTABLE",
	[73] = "TDH.EXPORT.STATE.TD",
	[74] = "TDH.EXPORT.STATE.VP",
	[75] = "TDH.EXPORT.UNBLOCKW",
	[80] = "TDH.IMPORT.ABORT",
	[81] = "TDH.IMPORT.END",
	[82] = "TDH.IMPORT.COMMIT",
	[83] = "TDH.IMPORT.MEM",
	[84] = "TDH.IMPORT.TRACK",
	[85] = "TDH.IMPORT.STATE.IMMUTABLE",
	[86] = "TDH.IMPORT.STATE.TD",
	[87] = "TDH.IMPORT.STATE.VP",
	[96] = "TDH.MIG.STREAM.CREATE",
};

const char *seamcall_name(u64 leaf)
{
	return leaf < ARRAY_SIZE(names) ? names[leaf] : NULL;
}

static bool has_versions(u32 leaf)
{
	return leaf == TDH_MEM_PAGE_PROMOTE || leaf == TDH_MEM_SEPT_ADD ||
	       leaf == TDH_MEM_SEPT_REMOVE || leaf == TDH_MNG_RD || leaf == TDH_VP_RD;
}

static u64 unsupported(u32 leaf)
{
	check_fail("unsupported-leaf", names[leaf], "%s is not modelled yet", names[leaf]);
	return status_operand(TDX_OPERAND_INVALID, OPERAND_RAX);
}

static u64 dispatch(struct tdx_regs *r, u64 rax)
{
	u32 leaf = rax & 0xffff, version = rax >> 16 & 0xff;

	if (rax >> 24 || !seamcall_name(leaf) || (version && !has_versions(leaf)))
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RAX);
	switch (leaf) {
	case TDH_VP_ENTER:		return tdh_vp_enter(r);
	case TDH_MEM_PAGE_ADD:		return tdh_mem_page_add(r);
	case TDH_MEM_SEPT_ADD:		return tdh_mem_sept_add(r, version);
	case TDH_MEM_PAGE_AUG:		return tdh_mem_page_aug(r);
	case TDH_MEM_RANGE_BLOCK:	return tdh_mem_range_block(r);
	case TDH_MEM_PAGE_DEMOTE:	return tdh_mem_page_demote(r);
	case TDH_MR_FINALIZE:		return tdh_mr_finalize(r);
	case TDH_VP_FLUSH:		return tdh_vp_flush(r);
	case TDH_MNG_VPFLUSHDONE:	return tdh_mng_vpflushdone(r);
	case TDH_MEM_PAGE_PROMOTE:	return tdh_mem_page_promote(r, version);
	case TDH_MEM_SEPT_RD:		return tdh_mem_sept_rd(r);
	case TDH_PHYMEM_PAGE_RECLAIM:	return tdh_phymem_page_reclaim(r);
	case TDH_MEM_PAGE_REMOVE:	return tdh_mem_page_remove(r);
	case TDH_MEM_SEPT_REMOVE:	return tdh_mem_sept_remove(r, version);
	case TDH_MEM_TRACK:		return tdh_mem_track(r);
	case TDH_MEM_RANGE_UNBLOCK:	return tdh_mem_range_unblock(r);
	case TDH_MNG_KEY_FREEID:	return tdh_mng_key_freeid(r);
	case TDH_PHYMEM_CACHE_WB:	return tdh_phymem_cache_wb(r);
	case TDH_PHYMEM_PAGE_WBINVD:	return tdh_phymem_page_wbinvd(r);
	default:			return unsupported(leaf);
	}
}

/* What events call the call's object: a vCPU's number, a gfn, or nothing */
static bool argument(const struct module *mod, u32 leaf, u64 rcx, u64 *arg)
{
	u64 hpa = rcx & GENMASK_ULL(51, 12);

	*arg = hpa >> 12;
	switch (leaf) {
	case TDH_VP_ENTER:
	case TDH_VP_FLUSH:
		if (!module_phys(mod, hpa) ||
		    mem_peek8(&pamt_entry_of(mod, hpa, SIZE_4K)->pt) != PT_TDVPR)
			return false;
		*arg = tdvps_at(hpa)->index;
		return true;
	case TDH_PHYMEM_PAGE_WBINVD:
		*arg = (hpa & ~HKID_MASK) >> 12;	/* the page, whatever its key */
		return true;
	case TDH_MEM_TRACK:
	case TDH_MR_FINALIZE:
	case TDH_MNG_VPFLUSHDONE:
	case TDH_MNG_KEY_FREEID:
	case TDH_PHYMEM_CACHE_WB:
		return false;
	default:
		return true;
	}
}

u64 seamcall(struct tdx_regs *r)
{
	u64 rax = r->rax, arg = 0;
	const char *name = "SEAMCALL";
	bool has = false;

	if (trace_on()) {
		has = argument(module_self(), rax & 0xffff, r->rcx, &arg);
		name = seamcall_name(rax & 0xffff) ? seamcall_name(rax & 0xffff) : name;
	}
	lp_mask_all();
	sim_charge(COST_SEAMCALL_FIXED, 1);
	count(COUNT_SEAMCALLS, 1);
	trace_(EV_CALL, .name = name, .arg = arg, .has_arg = has);
	if (!seamcall_injected(rax & 0xffff, &r->rax))
		r->rax = dispatch(r, rax);
	if (status_is_busy(r->rax))
		count(COUNT_BUSY, 1);
	trace_(EV_RETURN, .name = name, .arg = arg, .has_arg = has, .status = r->rax);
	lp_unmask();
	return r->rax;
}

void cpu_invept_global(void)
{
	lp_invept_all(lp_ctx_self());
}
