// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.PHYMEM.PAMT.REMOVE: the page pair of a 2M region without pages in use goes back to the
 * VMM. Whoever holds the lock of a 4K entry alone (PAGE.REMOVE and the like, which do not walk)
 * is not seen by the region's lock: callers must wait for them. What was lost otherwise is told.
 * Source: api_calls/tdh_phymem_pamt_remove.c at 2.0.08 (intel/tdx-module 1666adc), 2.0.12.
 */
#include "tdxmod/flow.h"
#include "tdxmod/pamt_dynamic.h"

#include "sim/engine/check.h"

static u64 check_empty(const struct module *mod, u64 region)
{
	struct pamt_entry *e = pamt_entry_of(mod, region, SIZE_4K);

	sim_charge(COST_KEYHOLE_MISS, 2);
	for (u32 i = 0; i < 512; i++) {
		u8 pt = mem_read8(&e[i].pt);

		if (pt != PT_NDA)	/* the detail is which page of the pair */
			return status_operand(TDX_PAMT_PAGE_NOT_EMPTY, i / 256);
	}
	return TDX_SUCCESS;
}

/* The real lock words are in the pair: a release after this writes into the VMM's memory */
static void check_unlocked(const struct module *mod, u64 region)
{
	struct pamt_entry *e = pamt_entry_of(mod, region, SIZE_4K);

	for (u32 i = 0; i < 512; i++) {
		u16 lock = mem_peek16(&e[i].lock);

		if (lock & SHAREX_HP_EX)
			check_fail("use-after-free", "PAMT",
				   "the PAMT pages of the region of hpa 0x%llx are given back while "
				   "the lock of page 0x%llx, a word in them, is held",
				   (unsigned long long)region,
				   (unsigned long long)(region + ((u64)i << 12)));
	}
}

static u64 remove_pair(const struct module *mod, struct pamt_walk *w, u64 region,
		       struct tdx_regs *r, bool *locked)
{
	u64 pair[2], err = pamt_walk_lock(mod, w, region, SIZE_2M, LOCK_EXCLUSIVE, NULL), count;
	u8 pt = PT_NDA;

	if (err)
		return status_operand(err, OPERAND_RCX);
	*locked = true;
	if (w->size == SIZE_2M)
		pt = mem_read8(&w->leaf->pt);
	if (pt != PT_PAMT)
		return status_operand(TDX_NO_PAMT_PAGE_PAIR, OPERAND_RCX);
	pamt_node_pair(w->leaf, pair);
	err = check_empty(mod, region);
	if (err)
		return err;
	count = mem_read64(&w->leaf->bepoch);
	if (count & PAMT_COUNT_MASK)
		module_fatal("PAMT", "a region whose pages are all free still counts one in use");
	check_unlocked(mod, region);
	pamt_page_give(mod, pair[0]);
	pamt_page_give(mod, pair[1]);
	r->rdx = pair[0];
	r->r8 = pair[1];
	mem_write8(&w->leaf->pt, PT_NDA);
	return TDX_SUCCESS;
}

u64 tdh_phymem_pamt_remove(struct tdx_regs *r, u32 version)
{
	const struct module *mod = module_self();
	u64 region = r->rcx & GENMASK_ULL(51, 12), err;
	struct pamt_walk w;
	bool locked = false;

	if (!module_switch(mod, S_DPAMT))
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RAX);
	if ((r->rcx & 7) != LVL_PD || (r->rcx & GENMASK_ULL(11, 3)) || r->rcx >> 52)
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	err = pamt_check_hpa(mod, region, SIZE_2M, OPERAND_RCX);
	if (err)
		return err;
	err = remove_pair(mod, &w, region, r, &locked);
	if (locked)
		pamt_unwalk(mod, &w);
	return err;
}
