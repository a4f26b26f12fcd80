// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pre-order walk of a tree. Rests on arch/x86/kvm/mmu/tdp_iter.c of v7.2: each
 * entry is read again before the walk descends, and a walk that yielded starts anew.
 */
#include "kvmmmu/own/tdp_iter.h"

#include "kvmmmu/own/spte.h"
#include "kvmmmu/own/tdp_mmu.h"
#include "sim/engine/hash.h"
#include "sim/engine/mem.h"

static u64 *spte_of(u64 *pt, u64 gfn, u8 level)
{
	return &pt[gfn >> (9 * (level - 1)) & 511];
}

/* kvm_tdp_mmu_read_spte() is mem_read64() */
static void tdp_iter_refresh_sptep(struct tdp_iter *iter)
{
	iter->sptep = spte_of(iter->pt_path[iter->level - 1], iter->gfn | iter->gfn_bits,
			      iter->level);
	iter->old_spte = mem_read64(iter->sptep);
}

void tdp_iter_restart(struct tdp_iter *iter)
{
	iter->yielded = false;
	iter->yielded_gfn = iter->next_last_level_gfn;
	iter->level = iter->root_level;
	iter->gfn = gfn_round_for_level(iter->next_last_level_gfn, iter->level);
	tdp_iter_refresh_sptep(iter);
	iter->valid = true;
}

void tdp_iter_start(struct tdp_iter *iter, struct kvm_mmu_page *root, u8 min_level, u64 gfn)
{
	iter->past = actor_self()->key;
	iter->next_last_level_gfn = gfn;
	iter->root = root;
	iter->gfn_bits = root->is_mirror ? 0 : root->kvm->gfn_direct_bits;
	iter->root_level = root->level;
	iter->min_level = min_level;
	iter->pt_path[iter->root_level - 1] = root->spt;
	tdp_iter_restart(iter);
}

/*
 * Searches then know a walk that yielded some entries ago from one that did not by what it left
 * in memory alone: of yielded_gfn it matters only whether the goal is still there.
 */
void tdp_iter_forget(const struct tdp_iter *iter, u64 more)
{
	u64 k = iter->past;

	if (!(actor_self()->mode & MODE_KEYED))
		return;
	k = hash_fold(k, iter->level, iter->gfn);
	k = hash_fold(k, iter->yielded_gfn == iter->next_last_level_gfn, iter->next_last_level_gfn);
	for (u8 i = iter->level; i < iter->root_level; i++)
		k = hash_fold(k, i, ptr_to_phys(iter->pt_path[i - 1]));
	actor_forget(hash_fold(k, iter->old_spte, more));
}

static bool try_step_down(struct tdp_iter *iter)
{
	if (iter->level == iter->min_level)
		return false;
	/* It may have become a table since it was read. */
	iter->old_spte = mem_read64(iter->sptep);
	if (!is_shadow_present_pte(iter->old_spte) || is_last_spte(iter->old_spte, iter->level))
		return false;
	iter->level--;
	iter->pt_path[iter->level - 1] = spte_to_child_pt(iter->old_spte);
	iter->gfn = gfn_round_for_level(iter->next_last_level_gfn, iter->level);
	tdp_iter_refresh_sptep(iter);
	return true;
}

static bool try_step_side(struct tdp_iter *iter)
{
	/* The entry's index in its table: of the last one there is no next. */
	if (((iter->gfn | iter->gfn_bits) >> (9 * (iter->level - 1)) & 511) == 511)
		return false;
	iter->gfn += kvm_pages_per_hpage(iter->level);
	iter->next_last_level_gfn = iter->gfn;
	iter->sptep++;
	iter->old_spte = mem_read64(iter->sptep);
	return true;
}

static bool try_step_up(struct tdp_iter *iter)
{
	if (iter->level == iter->root_level)
		return false;
	iter->level++;
	iter->gfn = gfn_round_for_level(iter->gfn, iter->level);
	tdp_iter_refresh_sptep(iter);
	return true;
}

/*
 * A walk that yielded stands at its entry again after the restart: going on from there
 * would pass it by, which at an upper level is a whole subtree (G05, the mutation
 * yield-advances).
 */
void tdp_iter_next(struct tdp_iter *iter)
{
	if (iter->yielded) {
		tdp_iter_restart(iter);
		if (!kvm_switch(iter->root->kvm, SW_YIELD_ADVANCES))
			return;
	}
	if (try_step_down(iter))
		return;
	do {
		if (try_step_side(iter))
			return;
	} while (try_step_up(iter));
	iter->valid = false;
}
