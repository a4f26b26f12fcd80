// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MEM.PAGE.PROMOTE: merge 512 pages that lie in a row into one, and give their S-EPT
 * page back. The children are locked one by one and, when it succeeds, stay so.
 * Source: TDX_1.5.01, api_calls/tdh_mem_page_promote.c, pamt_manager.c:pamt_promote; S4, S11.
 */
#include "tdxmod/flow.h"
#include "tdxmod/pamt_dynamic.h"

struct merge {
	u64 first;		/* entry 0 as it was when locked */
	u32 locked;		/* children 0..locked-1 */
	bool exclusive;		/* S4: the tree's lock instead of the children's */
	bool dynamic;		/* S11 and 2M: the parts' metadata goes back to the VMM */
	u64 pair[2];
};

/* What need not be equal where children are not locked (S4): D, TDHP; A is not modelled */
#define MERGE_IGNORED	(SEPT_D | SEPT_TDHP)

static u64 check(struct flow *f, const struct merge *m, u64 rcx, u64 tdr)
{
	u64 err;

	if ((err = flow_lock_tdr(f, tdr, OPERAND_RDX, LOCK_SHARED)) ||
	    (err = flow_lock_op_state(f)) ||
	    (err = flow_gpa(f, rcx, LVL_PD, LVL_PDPT)) ||
	    (err = flow_walk(f, m->exclusive ? LOCK_EXCLUSIVE : LOCK_SHARED)) ||
	    (err = flow_lock_entry(f)) ||
	    (err = flow_check_state(f, ON_PAGE_PROMOTE)) ||
	    (err = flow_lock_old_page(f, f->w.copy & SEPT_HPA, SIZE_4K)))
		return err;
	return flow_check_tracked(f);
}

static bool fits(const struct flow *f, struct merge *m, u32 i, u64 entry)
{
	u64 size = level_size(f->level - 1);

	if (m->exclusive)
		entry &= ~MERGE_IGNORED;
	entry = sept_clean_pending(entry, f->level - 1);
	if (i)
		return entry == m->first + i * size;
	m->first = entry;
	return !(entry & SEPT_HPA & (level_size(f->level) - 1)) &&
	       sept_is(entry, SEPT_MAPPED_OR_PENDING);
}

/* is_sept_page_valid_for_merge() */
static u64 lock_children(struct flow *f, struct merge *m)
{
	u64 *child = phys_to_ptr(f->page_pa);

	sim_charge(COST_KEYHOLE_HIT, 1);
	for (u32 i = 0; i < 512; i++) {
		u64 entry;

		if (!m->exclusive) {
			if (sept_lock_host(&child[i]))
				return flow_fail_state(f, TDX_OPERAND_BUSY);
			m->locked++;
		}
		entry = mem_read64(&child[i]);
		if (!fits(f, m, i, entry))
			return flow_fail_state(f, TDX_EPT_INVALID_PROMOTE_CONDITIONS);
	}
	return TDX_SUCCESS;
}

static void unlock_children(const struct flow *f, const struct merge *m)
{
	u64 *child = phys_to_ptr(f->page_pa);

	for (u32 i = 0; i < m->locked; i++)
		sept_unlock(&child[i]);
}

static void free_parts(struct pamt_entry *whole, struct pamt_entry *part)
{
	for (u32 i = 0; i < 512; i++) {
		u64 owner, mine;
		u8 pt, its;

		pt = mem_read8(&whole->pt);
		its = mem_read8(&part[i].pt);
		owner = pamt_owner(whole);
		mine = pamt_owner(&part[i]);
		if (pt != its || owner != mine)
			module_fatal("PAMT", "pages to merge are not of one kind and owner");
		mem_write8(&part[i].pt, PT_NDA);
	}
}

/* pamt_promote(): the parts become none, the whole a page of its own */
static u64 merge_metadata(struct flow *f, struct merge *m, u64 hpa)
{
	struct pamt_entry *whole = pamt_entry_of(f->mod, hpa, f->level);
	struct pamt_entry *part = pamt_entry_of(f->mod, hpa, f->level - 1);
	const char *name = pamt_lock_name(f->level);
	u64 err, owner;
	u8 pt;

	m->dynamic = f->level == LVL_PD && module_switch(f->mod, S_DPAMT);
	if (m->dynamic)
		pamt_node_pair(whole, m->pair);
	pt = mem_read8(&whole->pt);
	if (pt != (m->dynamic ? PT_PAMT : PT_NDA))
		module_fatal("PAMT", "a page to promote to is assigned already");
	err = sharex_hp_acquire_ex(&whole->lock, SIDE_HOST, name);
	if (err)
		return status_operand(err, OPERAND_RCX);
	pt = mem_read8(&part->pt);
	mem_write8(&whole->pt, pt);
	owner = pamt_owner(part);
	pamt_set_owner(whole, owner);
	if (m->dynamic) {
		mem_write64(&whole->bepoch, 0);
		pamt_page_give(f->mod, m->pair[0]);
		pamt_page_give(f->mod, m->pair[1]);
	} else {
		free_parts(whole, part);
	}
	sharex_hp_release_ex(&whole->lock, name);
	return TDX_SUCCESS;
}

static u64 promote(struct flow *f, struct merge *m)
{
	u64 *first = phys_to_ptr(f->page_pa), err, entry;

	err = lock_children(f, m);
	if (err)
		return err;
	if (lp_interrupted(lp_ctx_self()))
		return TDX_INTERRUPTED_RESTARTABLE;
	entry = mem_read64(first);
	err = merge_metadata(f, m, entry & SEPT_HPA);
	if (err)
		return err;
	entry = mem_read64(first);	/* its TDEL is the parent's from now on */
	sept_write(f->mod, f->w.entry, entry | SEPT_TDEL);
	lp_check_gone(f->mod, f->tdr_pa, f->gpa, f->level, f->page_pa, true);
	sept_page_gone(f->page_pa);
	mem_xadd64(&f->tdr->chldcnt, -1ull);
	mem_write8(&f->page_entry->pt, PT_NDA);
	f->r->rcx = f->page_pa | pamt_count_down(f->mod, f->page_pa);
	if (m->dynamic) {
		f->r->r12 = m->pair[0];
		f->r->r13 = m->pair[1];
	}
	flow_progress();
	return TDX_SUCCESS;
}

u64 tdh_mem_page_promote(struct tdx_regs *r, u32 version)
{
	u64 rcx = r->rcx, tdr = r->rdx, err;
	struct merge m = { 0 };
	struct flow f;

	flow_begin(&f, TDH_MEM_PAGE_PROMOTE, r);
	m.exclusive = module_switch(f.mod, S_PROMOTE_TREE_EX);
	r->rcx = r->rdx = 0;
	if (version > 1)
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RAX);
	err = check(&f, &m, rcx, tdr);
	if (!err) {
		err = promote(&f, &m);
		if (err)
			unlock_children(&f, &m);
	}
	if (err == TDX_INTERRUPTED_RESTARTABLE) {
		r->rcx = rcx;
		r->rdx = tdr;
	}
	flow_release_pages(&f);
	flow_release_entry(&f);
	return flow_end(&f, err);
}
