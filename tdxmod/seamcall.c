// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMM's way in: version and leaf checks, then the flow, with everything masked.
 * Source: TDX_1.5.01, vmm_dispatcher/tdx_vmm_dispatcher.c.
 */
#include "tdxmod/seamcall.h"

#include <string.h>

#include "sim/engine/check.h"
#include "sim/engine/lp.h"
#include "sim/engine/trace.h"
#include "sim/engine/tso.h"
#include "sim/engine/undo.h"
#include "tdxmod/leaf.h"
#include "tdxmod/lp_state.h"
#include "tdxmod/module.h"
#include "tdxmod/pamt.h"
#include "tdxmod/status.h"
#include "tdxmod/td.h"
#include "tdxmod/user_leaf.h"

u64 tdx_features0(void)
{
	return module_switch(module_self(), S_VP_INIT_TDR_EX) ? TDX_FEATURES0_TOPOLOGY_ENUM : 0;
}

static u64 dispatch(struct tdx_regs *r, u64 rax)
{
	const struct leaf *l = leaf_of(rax & 0xffff);
	const struct user_leaf *user = l ? NULL : user_leaf_of(rax & 0xffff);
	u32 version = rax >> 16 & 0xff;

	if (user && user->like != ~0ull)
		l = leaf_of(user->like);
	else if (user)
		return user_leaf_run(user, r);
	if (rax >> 24 || !l || (version && !l->versioned &&
			       !(l->versioned_by && module_switch(module_self(), l->versioned_by))))
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RAX);
	if (l->run)
		return l->run(r, version);
	check_fail("unsupported-leaf", l->name, "%s is not modelled yet", l->name);
	return status_operand(TDX_OPERAND_INVALID, OPERAND_RAX);
}

/* What events call the call's object: a vCPU's number, a frame's, or nothing */
static bool argument(const struct module *mod, u32 leaf, u64 rcx, u64 *arg)
{
	const struct leaf *l = leaf_of(leaf);
	u64 hpa = rcx & GENMASK_ULL(51, 12);

	*arg = hpa >> 12;
	switch (l ? l->about : ABOUT_PAGE) {
	case ABOUT_VCPU:
		if (!module_phys(mod, hpa) ||
		    mem_peek8(&pamt_entry_of(mod, hpa, SIZE_4K)->pt) != PT_TDVPR)
			return false;
		*arg = tdvps_at(hpa)->index;
		return true;
	case ABOUT_KEYED_PAGE:
		*arg = (hpa & ~HKID_MASK) >> 12;
		return true;
	case ABOUT_PAGE:
		return true;
	default:
		return false;
	}
}

/*
 * The page that a call gives or is about, and its level (1 is 4K): RCX, or where that is a gpa R8
 * of those that give one
 */
static u64 page_of_call(const struct tdx_regs *r, u8 *level)
{
	const struct leaf *l = leaf_of(r->rax & 0xffff);
	u64 at = r->rcx & GENMASK_ULL(51, 12);

	*level = 0;
	if (!l || (l->about != ABOUT_PAGE && l->about != ABOUT_KEYED_PAGE))
		return 0;
	if ((r->rax & 0xffff) == TDH_MR_EXTEND) {	/* 256 bytes of the page at a gpa */
		*level = 1;
		return 0;
	}
	if (strncmp(l->name, "TDH.MEM.", 8))
		return at & ~HKID_MASK;
	*level = (u8)(1 + (r->rcx & 7));
	switch (r->rax & 0xffff) {
	case TDH_MEM_PAGE_ADD:
	case TDH_MEM_PAGE_AUG:
	case TDH_MEM_PAGE_DEMOTE:
	case TDH_MEM_PAGE_RELOCATE:
	case TDH_MEM_SEPT_ADD:
		return r->r8 & GENMASK_ULL(51, 12) & ~HKID_MASK;
	default:
		return 0;
	}
}

/* The TD that the page at @hpa is the TDR or another page of; NULL: none */
static const char *td_with(struct module *mod, u64 hpa)
{
	hpa &= GENMASK_ULL(51, 12) & ~HKID_MASK;
	if (!hpa || !module_phys(mod, hpa))
		return NULL;
	if (mem_peek8(&pamt_entry_of(mod, hpa, SIZE_4K)->pt) == PT_TDR)
		return td_name_of(mod, hpa);
	return td_name_of(mod, (u64)mem_peek32(&pamt_entry_of(mod, hpa, SIZE_4K)->owner) << PAGE_SHIFT);
}

/* Leaves on memory have an address in RCX and the TDR in RDX; others a page of the TD in RCX. */
static const char *td_of_call(struct module *mod, const struct tdx_regs *r)
{
	const struct leaf *l = leaf_of(r->rax & 0xffff);
	u64 rdx = r->rdx & GENMASK_ULL(51, 12);

	if (rdx && module_phys(mod, rdx) &&
	    mem_peek8(&pamt_entry_of(mod, rdx, SIZE_4K)->pt) == PT_TDR)
		return td_name_of(mod, rdx);
	/* Not TDH.MEM.*, where RCX is a gpa: its RDX is the TDR, or the call is wrong. */
	return l && l->about == ABOUT_PAGE && !strncmp(l->name, "TDH.MEM.", 8) ? NULL : td_with(mod, r->rcx);
}

static const char *name_of(u64 leaf)
{
	const char *name = seamcall_name(leaf);
	const struct user_leaf *user = name ? NULL : user_leaf_of(leaf);

	return name ? name : user ? user->name : "SEAMCALL";
}

u64 seamcall(struct tdx_regs *r)
{
	u64 rax = r->rax, arg = 0, hpa = 0;
	const char *name = "SEAMCALL", *td = NULL;	/* for who listens from the middle on */
	bool has = false;
	u8 level = 0;

	if (trace_on()) {
		has = argument(module_self(), rax & 0xffff, r->rcx, &arg);
		name = name_of(rax & 0xffff);
		td = td_of_call(module_self(), r);
		hpa = page_of_call(r, &level);
	}
	mem_drain();		/* SEAMCALL and SEAMRET serialize, as VM entry and exit do */
	lp_mask_all();
	sim_charge(COST_SEAMCALL_FIXED, 1);
	count(COUNT_SEAMCALLS, 1);
	trace_(EV_CALL, .name = name, .detail = td, .arg = arg, .has_arg = has, .hpa = hpa,
	       .level = level);
	if (!seamcall_injected(rax & 0xffff, &r->rax))
		r->rax = dispatch(r, rax);
	if (lp_ctx_self()->no_entropy)	/* it drew nothing */
		world_set(lp_ctx_self()->no_entropy, 0);
	if (status_is_busy(r->rax))
		count(COUNT_BUSY, 1);
	trace_(EV_RETURN, .name = name, .arg = arg, .has_arg = has, .status = r->rax, .hpa = hpa,
	       .level = level);
	mem_drain();
	lp_unmask();
	return r->rax;
}
