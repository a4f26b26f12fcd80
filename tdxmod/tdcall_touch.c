// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operands of a TDCALL in the guest's own memory: the module walks the S-EPT, or the VMM's
 * tables for shared GPAs, as a processor would, without a lock. What is missing there is the
 * guest's #VE or the VMM's EPT violation, and the TDCALL is executed again.
 * Source: TDX_1.5.01, helpers.c:check_walk_and_map_guest_side_gpa, sept_manager.c:gpa_translate.
 */
#include "sim/engine/ept.h"
#include "tdxmod/guest_run.h"
#include "tdxmod/module.h"
#include "tdxmod/tdcall.h"

enum walk_result { WALK_SUCCESS, WALK_VIOLATION, WALK_CONVERTIBLE, WALK_MISCONFIG };

struct walk {
	u64 table;		/* root; hpa */
	bool shared;
	u64 copy;		/* the entry where it ended */
	u64 rwx;		/* what all levels allow */
	u64 *p;			/* the operand; NULL: no memory, but the VMM's business */
};

static bool is_leaf(u64 entry, u8 level)
{
	return !level || (entry & SEPT_PS);
}

static enum walk_result violation(const struct walk *w, u8 level)
{
	bool last = !(w->copy & SEPT_RWX) || is_leaf(w->copy, level);

	return last && !(w->copy & SEPT_SVE) ? WALK_CONVERTIBLE : WALK_VIOLATION;
}

/* shared_hpa_check(): the VMM must not map what is the module's or a TD's */
static enum walk_result mapped(const struct module *mod, struct walk *w, u64 gpa, u8 level)
{
	u64 hpa = sept_leaf_hpa(w->copy, gpa, level);

	if (w->shared && ((hpa & HKID_MASK) >> HKID_SHIFT >= MODULE_HKID ||
			  (hpa & ~HKID_MASK) - SEAMRR_BASE < SEAMRR_SIZE))
		return WALK_MISCONFIG;
	if (module_phys(mod, hpa)) {
		w->p = phys_to_ptr(hpa | (gpa & 0xff8));
	} else if (!w->shared) {
		module_fatal("sept", "an S-EPT entry points outside of memory");
		return WALK_VIOLATION;
	}
	return WALK_SUCCESS;
}

static enum walk_result translate(const struct module *mod, struct walk *w, u64 gpa, u8 level,
				  u64 want)
{
	w->rwx = SEPT_RWX;
	for (;; level--) {
		u64 *table = phys_to_ptr(w->table);

		sim_charge(COST_KEYHOLE_HIT, 1);
		w->copy = mem_read64(&table[sept_index(gpa, level)]);
		w->rwx &= w->copy;
		if (w->shared && ept_misconfigured(w->copy, level))
			return WALK_MISCONFIG;
		if (!(w->copy & SEPT_RWX) || (want & ~w->copy))
			return violation(w, level);
		if (is_leaf(w->copy, level))
			return mapped(mod, w, gpa, level);
		w->table = w->copy & SEPT_HPA;
		if (!module_phys(mod, w->table))
			return WALK_VIOLATION;
	}
}

static void missing(struct tdcall *c, u64 gpa, u64 qualification, const struct walk *w,
		    enum walk_result res)
{
	bool acceptable = !w->shared && sept_is(w->copy, SEPT_ACCEPTABLE);

	if (acceptable ? !pending_ve_disabled(c->lp->tdcs) : res == WALK_CONVERTIBLE) {
		c->end = TDCALL_VE;
		ve_or_df(c->lp->vp, EXIT_REASON_EPT_VIOLATION, qualification, gpa);
		return;
	}
	c->end = TDCALL_EXITED;
	if (res == WALK_MISCONFIG)
		td_exit_async(c->lp, TDX_SUCCESS, EXIT_REASON_EPT_MISCONFIG, 0, 0, gpa & ~0xfffull,
			      LAST_ASYNC_FAULT, c->r);
	else
		td_exit_ept_violation(c->lp, gpa, qualification,
				      acceptable ? EEQ_PENDING_EPT_VIOLATION : EEQ_NONE, c->r);
}

bool tdcall_touch(struct tdcall *c, u64 gpa, bool write, bool only_private, u64 **p, u64 *status)
{
	const struct tdcs *tdcs = c->lp->tdcs;
	u64 want = write ? QUAL_READ | QUAL_WRITE : QUAL_READ;
	bool shared = gpa & gpa_shared_bit(tdcs);
	struct walk w = { .shared = shared };
	enum walk_result res;

	*p = NULL;
	*status = TDX_SUCCESS;
	if ((shared && only_private) || gpa >> (tdcs->gpaw ? 52 : 48)) {
		*status = TDX_OPERAND_INVALID;
		return false;
	}
	w.table = shared ? c->lp->vp->shared_eptp & SEPT_HPA : tdcs->eptp;
	res = translate(c->mod, &w, gpa, tdcs->pwl, want);
	if (res != WALK_SUCCESS) {
		missing(c, gpa, (want & ~w.rwx) | w.rwx << 3, &w, res);
		return false;
	}
	sim_charge(COST_KEYHOLE_MISS, 1);
	*p = w.p;
	return true;
}
