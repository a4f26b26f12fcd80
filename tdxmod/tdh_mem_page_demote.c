// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MEM.PAGE.DEMOTE: split a large page into 512 of the next size, under a new S-EPT page;
 * blocked and tracked while the TD may run. L2_SEPT_ADD_MODE says nothing without L2 VMs.
 * Source: TDX_1.5.01, api_calls/tdh_mem_page_demote.c, pamt_manager.c:pamt_demote; S9, S11.
 */
#include "tdxmod/flow.h"
#include "tdxmod/pamt_dynamic.h"

#include <string.h>

#include "sim/engine/undo.h"

#define RDX_RESERVED	(GENMASK_ULL(11, 1) | GENMASK_ULL(63, 52))

static u64 check(struct flow *f, u64 rcx, u64 rdx, u64 page)
{
	u64 err;

	if (rdx & RDX_RESERVED)
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RDX);
	if ((err = flow_lock_tdr(f, rdx & GENMASK_ULL(51, 12), OPERAND_RDX, LOCK_SHARED)) ||
	    (err = flow_lock_op_state(f)) ||
	    (err = flow_gpa(f, rcx, LVL_PD, LVL_PDPT)) ||
	    (err = flow_walk(f, LOCK_SHARED)) ||
	    (err = flow_lock_entry(f)) ||
	    (err = flow_check_state(f, ON_PAGE_DEMOTE)))
		return err;
	f->w.copy = sept_clean_pending(f->w.copy, f->level);
	f->page_pa = sept_leaf_hpa(f->w.copy, f->gpa, f->level);
	f->page_entry = pamt_implicit(f->mod, f->page_pa, f->level);
	err = flow_check_tracked(f);
	if (err)
		return err;
	return flow_lock_new_page(f, page, SIZE_4K);
}

/*
 * sept_split_entry(): one step for the first line of the page, as for any new S-EPT page.
 * Each part is the entry as it was read, unblocked: a TDHP that a host had set by then goes on.
 */
static void fill_table(struct flow *f)
{
	u64 *child = phys_to_ptr(f->page.hpa), page[512];
	u64 part = sept_make_unblocked(f->w.copy) & ~SEPT_HPA;

	for (u32 i = 0; i < 512; i++)
		page[i] = part | (f->page_pa + i * level_size(f->level - 1));
	sim_charge(COST_PAGE_CLEAR_4K, 1);
	mem_write64(child, page[0]);
	world_store(child + 1, page + 1, sizeof(page) - sizeof(page[0]));
}

static void fill_parts(struct pamt_entry *whole, struct pamt_entry *part)
{
	for (u32 i = 0; i < 512; i++) {
		u8 pt = mem_read8(&whole->pt);
		u64 owner;

		mem_write8(&part[i].pt, pt);
		owner = pamt_owner(whole);
		pamt_set_owner(&part[i], owner);
		mem_write64(&part[i].bepoch, 0);
	}
}

/* Both pages of the pair are filled by whole lines: a step each, as for any page */
static void fill_pair(struct pamt_entry *whole, struct pamt_entry *part)
{
	struct pamt_entry e = { .pt = mem_read8(&whole->pt) };
	u64 first;

	e.owner = pamt_owner(whole) >> 12;
	memcpy(&first, &e, sizeof(first));
	for (u32 i = 0; i < 512; i += 256) {
		sim_charge(COST_KEYHOLE_MISS, 1);
		sim_charge(COST_PAGE_CLEAR_4K, 1);
		mem_write64((u64 *)&part[i], first);
		for (u32 k = i; k < i + 256; k++)
			world_store(&part[k], &e, sizeof(e));
	}
}

/* S11: R12 and R13 are checked, walked and taken with the demoted page held exclusive */
static u64 split_into_pair(struct flow *f, struct pamt_entry *part)
{
	struct pamt_pair pair = {
		.hpa = { f->r->r12, f->r->r13 }, .operand = { OPERAND_R12, OPERAND_R13 },
		.skip = NULL_PA,
	};
	u64 err, bad[2];

	for (u32 i = 0; i < 2; i++) {
		bad[i] = pamt_check_hpa(f->mod, pair.hpa[i], SIZE_4K, pair.operand[i]);
		if (STATUS_CLASS(bad[i]) == TDX_OPERAND_INVALID)
			return bad[i];
	}
	if (bad[0] || bad[1])
		return bad[0] ? bad[0] : bad[1];
	err = pamt_pair_take(f->mod, &pair);
	if (!err) {
		fill_pair(f->page_entry, part);
		pamt_node_set(f->page_entry, pair.hpa, 512);
	}
	pamt_pair_unlock(f->mod, &pair);
	return err;
}

/* pamt_demote(): the parts become pages of their own, the whole none */
static u64 split_metadata(struct flow *f)
{
	struct pamt_entry *whole = f->page_entry;
	struct pamt_entry *part = pamt_entry_of(f->mod, f->page_pa, f->level - 1);
	const char *name = pamt_lock_name(f->level);
	u8 pt = mem_read8(&whole->pt);
	u64 err;

	if (pt != PT_REG)
		module_fatal("PAMT", "a page to demote is no regular page");
	err = sharex_hp_acquire_ex(&whole->lock, SIDE_HOST, name);
	if (err)
		return status_operand(err, OPERAND_RCX);
	if (f->level == LVL_PD && module_switch(f->mod, S_DPAMT)) {
		err = split_into_pair(f, part);
	} else {
		fill_parts(whole, part);
		mem_write8(&whole->pt, PT_NDA);
	}
	sharex_hp_release_ex(&whole->lock, name);
	return err;
}

static u64 demote(struct flow *f)
{
	u64 err;

	fill_table(f);
	if ((!module_switch(f->mod, S_DEMOTE_NO_INTR) || f->tdcs->num_l2_vms) &&
	    lp_interrupted(lp_ctx_self()))
		return TDX_INTERRUPTED_RESTARTABLE;
	err = split_metadata(f);
	if (err)
		return err;
	sept_page_regions(f->page.hpa, td_name_of(f->mod, f->tdr_pa), f->gpa, f->level - 1);
	sept_write(f->mod, f->w.entry, sept_make_table(f->page.hpa));
	pamt_set_owner(f->page.leaf, f->tdr_pa);	/* owner first: unlike SEPT.ADD */
	mem_write8(&f->page.leaf->pt, PT_EPT);
	pamt_count_up(f->mod, f->page.hpa);
	mem_xadd64(&f->tdr->chldcnt, 1);
	flow_progress();
	return TDX_SUCCESS;
}

u64 tdh_mem_page_demote(struct tdx_regs *r, u32 version)
{
	u64 rcx = r->rcx, rdx = r->rdx, err;
	struct flow f;

	flow_begin(&f, TDH_MEM_PAGE_DEMOTE, r);
	r->rcx = r->rdx = 0;
	err = check(&f, rcx, rdx, r->r8);
	if (!err)
		err = demote(&f);
	if (err == TDX_INTERRUPTED_RESTARTABLE) {
		r->rcx = rcx;	/* the call may be repeated as it is */
		r->rdx = rdx;
	}
	flow_release_pages(&f);
	flow_release_entry(&f);
	return flow_end(&f, err);
}
