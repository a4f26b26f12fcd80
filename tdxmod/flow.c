// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the flows share: operand checks, locks, walks, in the order in which the helpers of
 * the module do them. Statuses, operand ids and output registers as flow_errors.csv.
 * Source: TDX_1.5.01, src/common/helpers/helpers.c.
 */
#include "tdxmod/flow.h"

#include "sim/engine/lp.h"
#include "sim/engine/trace.h"
#include "tdxmod/epoch.h"
#include "tdxmod/pamt_dynamic.h"

void flow_begin(struct flow *f, u32 leaf, struct tdx_regs *r)
{
	*f = (struct flow){ .mod = module_self(), .r = r, .leaf = leaf };
}

u64 flow_lock_tdr(struct flow *f, u64 hpa, enum operand_id operand, enum lock_mode mode)
{
	u64 err;

	f->tdr_walk.side = f->side;
	err = pamt_check_and_lock(f->mod, &f->tdr_walk, hpa, SIZE_4K, mode, PT_TDR, operand, "TDR");
	if (err)
		return err;
	f->tdr_pa = hpa;
	f->tdr = tdr_at(hpa);
	f->tdr_walked = true;
	sim_charge(COST_KEYHOLE_STATIC, 1);
	return TDX_SUCCESS;
}

/* check_td_in_correct_build_state(), then map_implicit_tdcs() */
static u64 check_build_state(struct flow *f)
{
	u8 v = mem_read8(&f->tdr->fatal);

	if (v)
		return TDX_TD_FATAL;
	v = mem_read8(&f->tdr->lifecycle);
	if (v != TD_KEYS_CONFIGURED)
		return TDX_TD_KEYS_NOT_CONFIGURED;
	v = mem_read8(&f->tdr->num_tdcx);
	if (v < TDCX_PAGES)
		return TDX_TDCS_NOT_ALLOCATED;
	sim_charge(COST_KEYHOLE_STATIC, 1);
	f->tdcs = td_tdcs(f->tdr);
	return TDX_SUCCESS;
}

u64 flow_check_op_state(struct flow *f)
{
	u64 err = check_build_state(f);
	u32 state;

	if (err)
		return err;
	state = mem_read32(&f->tdcs->op_state);
	return op_state_allows(f->leaf, state) ? TDX_SUCCESS : TDX_OP_STATE_INCORRECT;
}

u64 flow_lock_op_state(struct flow *f)
{
	u64 err = check_build_state(f);
	u32 state;

	if (err)
		return err;
	err = sharex_hp_acquire_sh(&f->tdcs->op_state_lock, f->side, "OP_STATE");
	if (err)
		return status_operand(err, OPERAND_OP_STATE);
	f->op_locked = true;
	state = mem_read32(&f->tdcs->op_state);
	if (f->op_states ? f->op_states >> state & 1 : op_state_allows(f->leaf, state))
		return TDX_SUCCESS;
	flow_release_op_state(f);
	return TDX_OP_STATE_INCORRECT;
}

u64 flow_lock_vcpu(struct flow *f, u64 hpa, enum lock_mode mode)
{
	return flow_lock_vcpu_and(f, hpa, OPERAND_RCX, mode, LOCK_SHARED);
}

u64 flow_lock_vcpu_and(struct flow *f, u64 hpa, enum operand_id operand, enum lock_mode mode,
		       enum lock_mode tdr)
{
	u64 err = pamt_check_and_lock(f->mod, &f->vp_walk, hpa, SIZE_4K, mode, PT_TDVPR,
				      operand, "TDVPR");

	if (err)
		return err;
	f->vp_locked = true;
	f->tdr_pa = pamt_owner(f->vp_walk.leaf);
	err = pamt_implicit_lock(f->mod, &f->tdr_entry, f->tdr_pa, SIZE_4K, tdr, "TDR");
	if (err)
		return status_operand(err, OPERAND_TDR);
	f->tdr_mode = tdr;
	f->tdr = tdr_at(f->tdr_pa);
	sim_charge(COST_KEYHOLE_STATIC, 1);
	return TDX_SUCCESS;
}

/* map_tdvps(): all pages of the TDVPS must have been added */
u64 flow_map_vcpu(struct flow *f)
{
	f->vp = tdvps_at(f->vp_walk.hpa);
	sim_charge(COST_KEYHOLE_STATIC, 1);
	if (f->vp->num_pages < TDVPS_PAGES + 3 * f->tdcs->num_l2_vms)
		return TDX_TDCX_NUM_INCORRECT;
	return TDX_SUCCESS;
}

/* check_and_associate_vcpu() */
u64 flow_associate(struct flow *f, bool allow_disabled, bool *new_association)
{
	u8 state = mem_read8(&f->vp->state);
	u32 old;

	if (state != VCPU_READY && !(state == VCPU_DISABLED && allow_disabled))
		return TDX_VCPU_STATE_INCORRECT;
	old = mem_cmpxchg32(&f->vp->assoc_lpid, VCPU_NO_LP, lp_self());
	if (old != VCPU_NO_LP && old != lp_self())
		return TDX_VCPU_ASSOCIATED;
	*new_association = old == VCPU_NO_LP;
	if (*new_association)
		mem_xadd32(&f->tdcs->num_assoc_vcpus, 1);
	return TDX_SUCCESS;
}

/* shared_hpa_check() */
bool shared_hpa_valid(u64 hpa, u64 size)
{
	u64 pa = hpa & ~HKID_MASK;

	return hpa < PA_LIMIT && (hpa & HKID_MASK) >> HKID_SHIFT < MODULE_HKID &&
	       (pa + size <= SEAMRR_BASE || pa >= SEAMRR_BASE + SEAMRR_SIZE);
}

u64 flow_check_shared_hpa(u64 hpa, u64 alignment, enum operand_id operand)
{
	if ((hpa & (alignment - 1)) || !shared_hpa_valid(hpa, alignment))
		return status_operand(TDX_OPERAND_INVALID, operand);
	return TDX_SUCCESS;
}

/* verify_page_info_input(), page_info_to_pa() */
u64 flow_gpa(struct flow *f, u64 rcx, u8 min, u8 max)
{
	u8 level = rcx & 7;

	if ((rcx & GENMASK_ULL(11, 3)) || rcx >> 52 || level < min || level > max ||
	    (rcx & GENMASK_ULL(51, 12) & (level_size(level) - 1)))
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	f->gpa = rcx & GENMASK_ULL(51, 12);
	f->level = level;
	return TDX_SUCCESS;
}

/* lock_sept_check_and_walk_private_gpa(); a failed walk lets the tree go at once */
u64 flow_walk(struct flow *f, enum lock_mode tree)
{
	if (!gpa_is_private(f->tdcs, f->gpa))
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	if (tree) {
		u64 err = tree_acquire(f->mod, f->tdcs, tree);

		if (err)
			return status_operand(TDX_OPERAND_BUSY, OPERAND_SEPT_TREE);
		f->tree = tree;
	}
	sept_walk(f->tdcs, f->gpa, f->level, &f->w);
	if (f->w.level == f->level)
		return TDX_SUCCESS;
	flow_release_tree(f);
	return flow_fail_state(f, TDX_EPT_WALK_FAILED);
}

u64 flow_fail_state(struct flow *f, u64 status)
{
	sept_arch(f->w.copy, f->w.level, &f->r->rcx, &f->r->rdx);
	return status_operand(status, OPERAND_RCX);
}

u64 flow_lock_entry(struct flow *f)
{
	u64 err = sept_lock_host(f->w.entry);

	if (err)
		return flow_fail_state(f, err); /* as it was before the attempt */
	f->entry_locked = true;
	f->w.copy = mem_read64(f->w.entry);
	return TDX_SUCCESS;
}

u64 flow_check_state(struct flow *f, enum sept_op op)
{
	if (sept_allows(f->w.copy, op))
		return TDX_SUCCESS;
	return flow_fail_state(f, TDX_EPT_ENTRY_STATE_INCORRECT);
}

/* pamt_is_2mb_range_free() */
static bool range_is_free(const struct module *mod, u64 hpa)
{
	struct pamt_entry *child = pamt_entry_of(mod, hpa, SIZE_4K);

	if (module_switch(mod, S_DPAMT))
		return !pamt_range_used(mod, hpa);
	for (u32 i = 0; i < 512; i++) {
		u8 pt = mem_read8(&child[i].pt);

		if (pt != PT_NDA)
			return false;
	}
	return true;
}

/* check_and_lock_free_range_hpa(): of a 2M range each 4K entry must be free too */
u64 flow_lock_new_page(struct flow *f, u64 hpa, enum page_size size)
{
	u64 err = pamt_check_and_lock(f->mod, &f->page, hpa, size, LOCK_EXCLUSIVE, PT_NDA,
				      OPERAND_R8, NULL);

	if (err)
		return err;
	f->page_locked = true;
	if (size != SIZE_2M || range_is_free(f->mod, hpa))
		return TDX_SUCCESS;
	pamt_unwalk(f->mod, &f->page);
	f->page_locked = false;
	return status_operand(TDX_PAGE_METADATA_INCORRECT, OPERAND_R8);
}

u64 flow_lock_control_page(struct flow *f, u64 hpa)
{
	u64 err = pamt_check_and_lock(f->mod, &f->page, hpa, SIZE_4K, LOCK_EXCLUSIVE, PT_NDA,
				      OPERAND_RCX, NULL);

	f->page_locked = !err;
	return err;
}

void flow_set_control_page(struct flow *f, enum page_type pt, u64 owner)
{
	mem_write8(&f->page.leaf->pt, pt);
	pamt_set_owner(f->page.leaf, owner);
	pamt_count_up(f->mod, f->page.hpa);
}

u64 flow_lock_old_page(struct flow *f, u64 hpa, enum page_size size)
{
	u64 err = pamt_implicit_lock(f->mod, &f->page_entry, hpa, size, LOCK_EXCLUSIVE, NULL);

	if (err)
		return status_operand(err, OPERAND_RCX);
	f->page_pa = hpa;
	f->page_size = size;
	f->page_entry_locked = true;
	return TDX_SUCCESS;
}

bool flow_tracking_required(struct flow *f)
{
	u32 state;

	if (!sept_is(f->w.copy, SEPT_NEEDS_TRACKING))
		return false;
	state = mem_read32(&f->tdcs->op_state);
	return op_state_tracks(state);
}

u64 flow_check_tracked(struct flow *f)
{
	u64 bepoch, err;

	if (!flow_tracking_required(f))
		return TDX_SUCCESS;
	if (!sept_is(f->w.copy, SEPT_ANY_BLOCKED))
		return flow_fail_state(f, TDX_GPA_RANGE_NOT_BLOCKED);
	bepoch = mem_read64(&f->page_entry->bepoch);
	err = epoch_check_tracked(f->tdcs, bepoch);
	return err ? status_operand(err, OPERAND_RCX) : TDX_SUCCESS;
}

void flow_release_entry(struct flow *f)
{
	if (f->entry_locked)
		sept_unlock(f->w.entry);
	f->entry_locked = false;
}

void flow_release_pages(struct flow *f)
{
	if (f->page_locked)
		pamt_unwalk(f->mod, &f->page);
	if (f->page_entry_locked)
		sharex_hp_release_ex(&f->page_entry->lock, pamt_lock_name(f->page_size));
	f->page_locked = f->page_entry_locked = false;
}

void flow_release_tree(struct flow *f)
{
	if (f->tree)
		tree_release(f->mod, f->tdcs, f->tree);
	f->tree = LOCK_NONE;
}

void flow_release_op_state(struct flow *f)
{
	if (f->op_locked)
		sharex_hp_release_sh(&f->tdcs->op_state_lock, "OP_STATE");
	f->op_locked = false;
}

void flow_release_tdr(struct flow *f)
{
	if (f->tdr_walked)
		pamt_unwalk(f->mod, &f->tdr_walk);
	if (f->tdr_entry)
		sharex_hp_release(&f->tdr_entry->lock, f->tdr_mode, "TDR");
	f->tdr_walked = false;
	f->tdr_entry = NULL;
}

void flow_release_vcpu(struct flow *f)
{
	if (f->vp_locked)
		pamt_unwalk(f->mod, &f->vp_walk);
	f->vp_locked = false;
}

u64 flow_end(struct flow *f, u64 status)
{
	flow_release_tree(f);
	flow_release_op_state(f);
	flow_release_tdr(f);
	flow_release_vcpu(f);
	return status;
}

void flow_progress(void)
{
	actor_progress(PROGRESS_SEPT);
}
