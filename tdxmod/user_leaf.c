// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leaves of a user's file, see user_leaf.h. Not from any module's source.
 */
#include "tdxmod/user_leaf.h"

#include "sim/engine/sim.h"
#include "tdxmod/module.h"
#include "tdxmod/observe.h"
#include "tdxmod/status.h"

void user_leaves_set(struct sim *sim, const struct user_leaves *l)
{
	module_of(sim)->user_leaves = l;
}

const struct user_leaf *user_leaf_of(u64 leaf)
{
	const struct user_leaves *l = module_self()->user_leaves;

	for (u32 i = 0; l && i < l->n; i++)
		if (l->v[i].number == leaf)
			return &l->v[i];
	return NULL;
}

u64 user_leaf_run(const struct user_leaf *l, const struct tdx_regs *r)
{
	u64 tdr = (l->tdr_in_rdx ? r->rdx : r->rcx) & GENMASK_ULL(51, 12) & ~HKID_MASK;
	struct module_lock held[USER_LEAF_LOCKS];
	u64 status = l->status;
	u32 n = 0;

	for (; n < l->locks; n++) {
		u32 how = (l->lock[n].exclusive ? ACQUIRE_EXCLUSIVE : ACQUIRE_SHARED) | ACQUIRE_HOST;

		if (!module_lock_find(tdr, l->lock[n].name, 0, 0, &held[n])) {
			status = status_operand(TDX_OPERAND_INVALID,
						l->tdr_in_rdx ? OPERAND_RDX : OPERAND_RCX);
			break;
		}
		status = module_lock_acquire(&held[n], how);
		if (status)
			break;
		status = l->status;
	}
	while (n--)
		module_lock_release(&held[n], (l->lock[n].exclusive ? ACQUIRE_EXCLUSIVE :
					       ACQUIRE_SHARED) | ACQUIRE_HOST);
	return status;
}
