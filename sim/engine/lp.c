// SPDX-License-Identifier: GPL-2.0-only
/*
 * Logical processors: their packages, and which actors run on which. What interrupts them is in
 * lp_irq.c, what keeps interrupts off in lp_mask.c.
 */
#include <sched.h>

#include "sim/engine/ipi.h"
#include "sim/engine/lock_priv.h"
#include "sim/engine/priv.h"

struct lp *lp_at(const struct sim *sim, u16 lp)
{
	struct locks *root = locks_of(sim);

	if (lp >= root->lps)
		sim_die("LP %u of %u", lp, root->lps);
	return &root->lp[lp];
}

u16 lp_count(void)
{
	return locks_here()->lps;
}

u16 lp_package(u16 lp)
{
	return lp_at(sim_current(), lp)->package;
}

u16 lp_self(void)
{
	return sim_self->lp;
}

static u16 *link_to(struct sim *sim, u16 lp, u16 id1)
{
	u16 *p = &lp_at(sim, lp)->first;

	while (*p != id1)
		p = &locks_of(sim)->task[*p - 1].neighbour;
	return p;
}

static void lp_add(struct actor *a)
{
	world_set(*link_to(a->sim, a->lp, 0), (u16)(a->id + 1));
}

static void lp_remove(struct actor *a)
{
	struct task_locks *t = task_of(a);

	world_set(*link_to(a->sim, a->lp, (u16)(a->id + 1)), t->neighbour);
	world_set(t->neighbour, 0);
}

bool lp_is_busy(struct sim *sim, u16 lp)
{
	struct actor *a;

	for_each_at(a, sim, lp)
		if (!a->background && is_live(a))
			return true;
	return false;
}

/* --- who runs where -------------------------------------------------------------------- */

void lp_born(struct actor *a)
{
	lp_add(a);
	lp_enter(a);
}

/* Real threads: whoever only serves the others takes no interrupt of its LP. */
static void lp_count_live(const struct actor *a, u64 by)
{
	if (!a->background)
		mem_atomic(MEM_XADD, 4, &lp_at(a->sim, a->lp)->live, by, 0);
}

void lp_serves(struct actor *a)
{
	if (sim_is_free(a->sim))
		lp_count_live(a, -1ull);
	actor_set(a->background, true);
}

void lp_enter(struct actor *a)
{
	struct lp *l = lp_at(a->sim, a->lp);

	if (sim_is_free(a->sim))
		lp_count_live(a, 1);
	else if (l->pend_all && !a->background)
		actor_interrupt(a, lp_irq_arrival(a->lp));
	lp_mask_enter(a);
}

void lp_leave(struct actor *a)
{
	struct lp *l = lp_at(a->sim, a->lp);

	if (sim_is_free(a->sim))
		lp_count_live(a, -1ull);
	else if (l->pend_all && !a->background)
		lp_notify(a->sim, a->lp);
	lp_mask_leave(a);
}

/* Real threads: who acts for an LP that was nobody's has it until he is through, as he looks. */
static void await_no_stand_in(struct actor *a, struct lp *l)
{
	while (mem_atomic(MEM_XADD, 4, &l->stand_in, 0, 0)) {
		free_look_up(a);
		sched_yield();
	}
}

void lp_moves(struct actor *a, u16 lp)
{
	u16 from = a->lp;

	lp_mask_await(a, lp);
	if (sim_is_free(a->sim)) {
		lp_leave(a);
		/* Nobody looks at the lists there, but a signal may ask where @a is. */
		mem_atomic(MEM_WRITE, sizeof(a->lp), &a->lp, lp, 0);
		lp_enter(a);
		await_no_stand_in(a, lp_at(a->sim, lp));
		return;
	}
	lp_remove(a);
	actor_set(a->lp, lp);
	lp_add(a);
	actor_set(a->mode, a->mode & ~(u32)MODE_IRQ);
	if (lp_at(a->sim, from)->pend_all)
		lp_notify(a->sim, from);
	if (is_live(a))
		lp_enter(a);
}

void lp_setup(struct sim *sim, u16 lps, u16 packages)
{
	struct locks *root;

	lock_setup(sim);
	root = locks_of(sim);
	world_set(root->lps, lps);
	world_set(root->packages, packages);
	world_set(root->lp, (struct lp *)world_carve(lps * sizeof(struct lp)));
	for (u16 i = 0; i < lps; i++)
		world_set(root->lp[i].package, (u16)((u32)i * packages / lps));
	lp_irq_setup(root);
	lockdep_setup(sim);
	rcu_setup(sim);
}
