// SPDX-License-Identifier: GPL-2.0-only
/*
 * Zero-step filter and log, single-step defence. In a search there is no time, and an interrupt
 * may land before any instruction: what the defence does is among what is searched already.
 * Source: TDX_1.5.01, td_exit_stepping.c: td_entry_stepping_filter, is_epf_expected,
 * vmexit_stepping_filter, td_exit_epf_stepping_log; sept_manager.c:gpa_translate;
 * helpers.c:lfsr_get_random, send_self_ipi.
 */
#include "tdxmod/stepping.h"

#include "sim/engine/hash.h"
#include "sim/engine/mem.h"
#include "sim/engine/sim.h"
#include "sim/engine/trace.h"
#include "tdxmod/guest_run.h"
#include "tdxmod/lp_state.h"
#include "tdxmod/module.h"
#include "tdxmod/td.h"

/* versions.md S3: the guest would get a #VE there, and no TD exit would follow */
static bool guest_would_accept(const struct module *mod, const struct tdcs *tdcs, u64 entry)
{
	return module_switch(mod, S_PENDING_NO_FAULT) && sept_is(entry, SEPT_ACCEPTABLE) &&
	       !pending_ve_disabled(tdcs);
}

/*
 * gpa_translate() with RWX wanted on each level. SVE is always 1 in a private entry, so no
 * violation is convertible and every failed walk is an expected fault.
 */
static bool epf_expected(const struct module *mod, const struct tdcs *tdcs, u64 gpa)
{
	u64 *table = phys_to_ptr(tdcs->eptp);
	u8 level = tdcs->pwl;

	for (;;) {
		u64 entry;

		sim_charge(COST_KEYHOLE_HIT, 1);
		entry = mem_read64(&table[sept_index(gpa, level)]);
		if ((entry & SEPT_RWX) != SEPT_RWX)
			return (entry & SEPT_SVE) && !guest_would_accept(mod, tdcs, entry);
		if (!level || sept_is_leaf(entry))
			return false;
		table = phys_to_ptr(entry & SEPT_HPA);
		level--;
	}
}

enum filter_result entry_filter(const struct module *mod, struct lp_ctx *lp, struct tdvps *vp,
				struct tdcs *tdcs, u64 *gpa, u8 *tree)
{
	/* versions.md S2: newer modules read-lock the tree here */
	enum lock_mode mode = module_switch(mod, S_FILTER_SHARED) ? LOCK_SHARED : LOCK_EXCLUSIVE;
	u8 n, notify;

	world_set(lp->rip_on_entry, guest_rip(vp));
	n = mem_read8(&vp->last_epf_gpa_list_idx);
	if (!n)
		return FILTER_OK_CONTINUE;
	if (tree_acquire(mod, tdcs, mode))
		return FILTER_FAIL_SEPT_TREE_BUSY;
	*tree = mode;
	for (u8 i = 0;; i++) {
		u64 listed;

		n = mem_read8(&vp->last_epf_gpa_list_idx);
		if (i >= n)
			break;
		listed = mem_read64(&vp->last_epf_gpa_list[i]);
		if (!epf_expected(mod, tdcs, listed))
			continue;
		*gpa = listed;
		tree_release(mod, tdcs, mode);
		*tree = LOCK_NONE;
		return FILTER_FAIL_TDENTER_EPFS;
	}
	notify = mem_read8(&tdcs->notify_enables);
	return notify & 1 ? FILTER_OK_NOTIFY_EPS_FAULT : FILTER_OK_CONTINUE;
}

#define LFSR_POLYNOMIAL	0xb4bcd35cu

void stepping_seed(struct lp_ctx *lp)
{
	u32 seed = (u32)hash_fold(sim_options(sim_current())->seed, KEY_CHOICE, lp->lp);

	world_set(lp->lfsr, seed ? seed : 1);
}

static u32 lfsr_next(struct lp_ctx *lp)
{
	u32 v = lp->lfsr;

	v = v & 1 ? v >> 1 ^ LFSR_POLYNOMIAL : v >> 1;
	world_set(lp->lfsr, v);
	return v;
}

void stepping_entered(struct lp_ctx *lp)
{
	deadline_set(&lp->early, STEPPING_TSC_THRESHOLD + 1);
}

/* CR8 = 15, the interrupt's vector to the own LP once more (it stays pending here), MTF on */
static void begin_steps(struct lp_ctx *lp)
{
	world_set(lp->steps_left, (u8)(lfsr_next(lp) % STEPPING_INSNS + 1));
	world_set(lp->in_step_mode, true);
	sim_charge(COST_RDMSR, 2);
	sim_charge(COST_WRMSR, 2);
	sim_charge(COST_VMREAD, 1);
	trace_observe("single-step", lp->vp->index);
}

static void end_steps(struct lp_ctx *lp)
{
	world_set(lp->in_step_mode, false);
	world_set(lp->steps_left, 0);
	sim_charge(COST_VMREAD, 1);
}

enum filter_result exit_filter(struct lp_ctx *lp, struct tdvps *vp, u32 reason, bool early)
{
	u64 rip = guest_rip(vp);
	u64 moved = rip > lp->rip_on_entry ? rip - lp->rip_on_entry : lp->rip_on_entry - rip;

	if (moved) {
		mem_write8(&vp->last_epf_gpa_list_idx, 0);
		mem_write8(&vp->possibly_epf_stepping, 0);
	}
	if (reason == EXIT_REASON_EXTERNAL_INTERRUPT || reason == EXIT_REASON_MTF) {
		if (!lp->in_step_mode) {
			if (moved > STEPPING_BYTES || !early)
				return FILTER_OK_CONTINUE;
			begin_steps(lp);
		}
		if (lp->steps_left) {
			world_set(lp->steps_left, lp->steps_left - 1);
			return FILTER_OK_RESUME_TD;
		}
	}
	if (!lp->in_step_mode)
		return FILTER_OK_CONTINUE;
	end_steps(lp);
	if (reason != EXIT_REASON_MTF)
		return FILTER_OK_CONTINUE;
	/* So that the interrupt, which lands at once, does not begin it again */
	deadline_clear(&lp->early);
	return FILTER_OK_RESUME_TD;
}

static void list_gpa(struct tdvps *vp, u64 gpa)
{
	u8 n = mem_read8(&vp->last_epf_gpa_list_idx);

	if (n >= EPF_LIST)
		return;
	for (u8 i = 0; i < n; i++) {
		u64 listed = mem_read64(&vp->last_epf_gpa_list[i]);

		if (listed == gpa)
			return;
	}
	mem_write64(&vp->last_epf_gpa_list[n], gpa);
	n = mem_read8(&vp->last_epf_gpa_list_idx);
	mem_write8(&vp->last_epf_gpa_list_idx, n + 1);
	if (!n) {
		count(COUNT_ZERO_STEP, 1);
		trace_observe("zero-step-armed", vp->index);
	}
}

void epf_log(struct lp_ctx *lp, struct tdvps *vp, u64 gpa)
{
	u8 seen;

	count(COUNT_EPF, 1);
	if (guest_rip(vp) != lp->rip_on_entry) {
		mem_write8(&vp->last_epf_gpa_list_idx, 0);
		mem_write8(&vp->possibly_epf_stepping, 0);
	}
	seen = mem_read8(&vp->possibly_epf_stepping);
	if (seen < STEPPING_EPF_THRESHOLD)
		mem_write8(&vp->possibly_epf_stepping, seen + 1);
	else
		list_gpa(vp, gpa);
}
