// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.MEM.PAGE.ACCEPT: the guest takes a PENDING page, which is zeroed. No tree lock; the
 * entry is locked on the guest's side. In 1.5.01 "is it a leaf?" is asked of the copy that
 * the walk read before the lock (S6), and the final store drops a TDHP set since (S5).
 * Source: TDX_1.5.01, vm_exits/tdg_mem_page_accept.c, td_other_exits.c:329.
 */
#include "sim/engine/lp.h"
#include "sim/engine/trace.h"
#include "tdxmod/flow.h"
#include "tdxmod/guest_run.h"
#include "tdxmod/tdcall.h"

/*
 * One step a page, for its 64 lines: contents do not exist, but the time does and others may
 * come in between.
 */
static void clear_page(u64 hpa)
{
	sim_charge(COST_KEYHOLE_MISS, 1);
	sim_charge(COST_PAGE_CLEAR_4K, 1);
	mem_clear64(page_line(hpa));
}

/* The 2M case stops at an interrupt and leaves its count in the entry. True: interrupted */
static bool clear_2m(struct lp_ctx *lp, u64 *copy)
{
	for (;;) {
		clear_page(*copy & SEPT_HPA);
		if ((*copy & SEPT_ACCEPT_COUNTER) == SEPT_ACCEPT_COUNTER) {
			*copy &= ~SEPT_ACCEPT_COUNTER;
			return false;
		}
		*copy += BIT_ULL(12);
		if (lp_interrupted(lp))
			return true;
	}
}

static void accept_locked(struct tdcall *c, u8 level, struct sept_walk *w)
{
	bool interrupted = false;
	u64 value = w->copy;

	if (level == LVL_PT)
		clear_page(value & SEPT_HPA);
	else
		interrupted = clear_2m(c->lp, &value);
	if (!interrupted) {
		value = (value & ~SEPT_STATE_MASK) | SEPT_RWX | SEPT_SVE |
			sept_state_bits(sept_is_state(w->copy, SEPT_PENDING) ?
					SEPT_MAPPED : SEPT_EXPORTED_DIRTY);
	}
	sept_write(c->mod, w->entry, value);
	sept_unlock(w->entry);
	if (interrupted)
		c->end = TDCALL_INTERRUPTED;
	else
		flow_progress();
}

/* An ACCEPT counts as a write */
static u64 exit_violation(struct tdcall *c, u64 gpa, u8 level, const struct sept_walk *w)
{
	c->end = TDCALL_EXITED;
	td_exit_ept_violation(c->lp, gpa, QUAL_WRITE | (w->copy & SEPT_RWX) << 3,
			      violation_details(EEQ_ACCEPT, level, w), c->r);
	return TDX_SUCCESS;
}

u64 tdg_mem_page_accept(struct tdcall *c)
{
	u64 rcx = c->g->rcx, gpa = rcx & GENMASK_ULL(51, 12), err;
	u8 level = rcx & 7;
	struct sept_walk w;
	bool leaf;

	if ((rcx & GENMASK_ULL(11, 3)) || rcx >> 52 || level > LVL_PD ||
	    (gpa & (level_size(level) - 1)) || !gpa_is_private(c->lp->tdcs, gpa))
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);

	sept_walk(c->lp->tdcs, gpa, level, &w);
	leaf = sept_is_leaf(w.copy);
	if (w.level != level) {
		if (sept_is(w.copy, SEPT_ACCESSIBLE))
			return TDX_PAGE_ALREADY_ACCEPTED | w.level;
		return exit_violation(c, gpa, level, &w);
	}
	err = sept_lock_guest(w.entry);
	if (err)
		return status_operand(err, OPERAND_RCX);
	w.copy = mem_read64(w.entry);
	if (module_switch(c->mod, S_ACCEPT_LEAF_LATE))
		leaf = sept_is_leaf(w.copy);
	if (!sept_is_state(w.copy, SEPT_FREE) && !leaf) {
		sept_unlock(w.entry);
		return TDX_PAGE_SIZE_MISMATCH | w.level;
	}
	if (sept_is(w.copy, SEPT_ACCESSIBLE)) {
		sept_unlock(w.entry);
		return TDX_PAGE_ALREADY_ACCEPTED | w.level;
	}
	if (!sept_allows(w.copy, ON_G_PAGE_ACCEPT)) {
		sept_unlock(w.entry);
		return exit_violation(c, gpa, level, &w);
	}
	accept_locked(c, level, &w);
	return TDX_SUCCESS;
}
