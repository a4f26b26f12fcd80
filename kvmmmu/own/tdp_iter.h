/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Pre-order walk of a tree; each look at an entry is a step. Rests on
 * arch/x86/kvm/mmu/tdp_iter.[ch] of v7.2.
 */
#include "kvmmmu/own/kvm_host.h"

/* RCU read lock held from start to end; pt_path is void after it was dropped. */
struct tdp_iter {
	u64 next_last_level_gfn;	/* goal */
	u64 yielded_gfn;
	u64 *pt_path[PT64_ROOT_MAX_LEVEL];
	u64 *sptep;
	u64 gfn;
	u64 gfn_bits;		/* of the tree: the SHARED bit of a TD's direct tree */
	u64 old_spte;
	u64 past;		/* what the actor's key was when it began */
	struct kvm_mmu_page *root;
	u8 root_level, min_level, level;
	bool valid, yielded;
};

void tdp_iter_start(struct tdp_iter *iter, struct kvm_mmu_page *root, u8 min_level, u64 gfn);
void tdp_iter_next(struct tdp_iter *iter);
void tdp_iter_restart(struct tdp_iter *iter);

/*
 * tdp_iter_forget - at the head of a walk's loop the actor remembers what it did before the walk,
 * where the walk is, and @more: what else the loop carries on to its next round
 */
void tdp_iter_forget(const struct tdp_iter *iter, u64 more);

#define for_each_tdp_pte_min_level(iter, root, min_level, start, end)	\
	for (tdp_iter_start(&(iter), root, min_level, start);		\
	     (iter).valid && (iter).gfn < (end);			\
	     tdp_iter_next(&(iter)))

static inline u64 *spte_to_child_pt(u64 spte)
{
	return phys_to_ptr(spte & GENMASK_ULL(51, 12));
}
