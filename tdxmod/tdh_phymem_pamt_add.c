// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.PHYMEM.PAMT.ADD: two pages of the VMM's for the metadata of the 4K pages of a 2M region.
 * No lock of a TD: the region's own entry, exclusive, is all that orders it against the rest.
 * Source: api_calls/tdh_phymem_pamt_add.c at 2.0.08 (intel/tdx-module 1666adc), 2.0.12.
 */
#include "tdxmod/flow.h"
#include "tdxmod/pamt_dynamic.h"

#include "sim/engine/arena.h"
#include "sim/engine/undo.h"

static u64 check_region(const struct module *mod, u64 rcx, u64 *region)
{
	*region = rcx & GENMASK_ULL(51, 12);
	if ((rcx & 7) != LVL_PD || (rcx & GENMASK_ULL(11, 3)) || rcx >> 52 ||
	    (*region & HKID_MASK) || (*region & (level_size(LVL_PD) - 1)))
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	return TDX_SUCCESS;
}

/* Both pages are cleared: a step each, as for any page; the entries in them are free then */
static void clear_entries(const struct module *mod, u64 region)
{
	struct pamt_entry *e = pamt_entry_of(mod, region, SIZE_4K);
	static const struct pamt_entry none;

	for (u32 i = 0; i < 512; i += 256) {
		sim_charge(COST_KEYHOLE_MISS, 1);
		sim_charge(COST_PAGE_CLEAR_4K, 1);
		mem_write64((u64 *)&e[i], 0);
		for (u32 k = i; k < i + 256; k++)
			world_store(&e[k], &none, sizeof(none));
	}
}

static u64 add(const struct module *mod, struct pamt_walk *w, struct pamt_pair *pair, bool *locked)
{
	u64 err = pamt_walk_lock(mod, w, pair->skip, SIZE_2M, LOCK_EXCLUSIVE, NULL);
	u8 pt = PT_REG;

	if (err)
		return status_operand(err, OPERAND_RCX);
	*locked = true;
	if (w->size == SIZE_2M)
		pt = mem_read8(&w->leaf->pt);
	if (pt != PT_NDA)
		return status_operand(TDX_HPA_RANGE_NOT_FREE, OPERAND_RCX);
	err = pamt_pair_take(mod, pair);
	if (err)
		return err;
	clear_entries(mod, pair->skip);
	pamt_node_set(w->leaf, pair->hpa, 0);
	return TDX_SUCCESS;
}

u64 tdh_phymem_pamt_add(struct tdx_regs *r, u32 version)
{
	const struct module *mod = module_self();
	struct pamt_pair pair = {
		.hpa = { r->rdx, r->r8 }, .operand = { OPERAND_RDX, OPERAND_R8 },
	};
	struct pamt_walk w;
	bool locked = false;
	u64 err;

	if (!module_switch(mod, S_DPAMT))
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RAX);
	if ((err = check_region(mod, r->rcx, &pair.skip)) ||
	    (err = pamt_pair_check(mod, &pair)))
		return err;
	if (pair.skip >= mod->tdmr_end)
		return status_operand(TDX_OPERAND_ADDR_RANGE_ERROR, OPERAND_RCX);
	err = add(mod, &w, &pair, &locked);
	pamt_pair_unlock(mod, &pair);
	if (locked)
		pamt_unwalk(mod, &w);
	return err;
}
