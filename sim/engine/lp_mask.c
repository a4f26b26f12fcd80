// SPDX-License-Identifier: GPL-2.0-only
/*
 * Windows: an LP's interrupts switched off and on, by whom, and who waits meanwhile. What is
 * pending is taken when they are on again (lp_irq.c). Rests on docs/model.md (windows).
 */
#include "sim/engine/choose.h"
#include "sim/engine/ipi.h"
#include "sim/engine/lock_priv.h"
#include "sim/engine/priv.h"

/* --- with interrupts off: one at a time -------------------------------------------------- */

/*
 * Whoever has switched an LP's interrupts off has it to himself until they are on again: of a
 * CPU nothing else runs meanwhile. Here threads of one LP take turns step by step; so another
 * one of it, also one that has just moved there, waits where it would switch them off itself.
 * That is a step only where schedules are searched and somebody else is there: a search must
 * know what depends on it.
 */
static bool claim_is_step(const struct actor *me)
{
	struct actor *b;

	if (me->sim->opt.sched != SCHED_CHOOSE)
		return false;
	if (task_of(me)->idle)
		return true;	/* anybody may come while it handles one */
	for_each_at(b, me->sim, me->lp)
		if (b != me && (is_live(b) || task_of(b)->idle))
			return true;
	return false;
}

/* A handler starts between a thread's wait and what it waits for: that one goes on afterwards. */
static void await_unmasked(struct actor *me, struct lp *l)
{
	struct task_locks *t = task_of(me);
	u64 wait = t->wait, wait_p = t->wait_p;

	lock_await32(&locks_here()->masked, LOCK_EXCL, &l->masked, ~0u, 0);
	world_set(t->wait, wait);
	world_set(t->wait_p, wait_p);
}

static u32 lp_masked(const struct lp *l)
{
	return l->masked;	/* raw: waiting for it is a step, and where it matters setting it */
}

static bool is_exclusive(const struct actor *me)
{
	return !(me->mode & (MODE_FREE | MODE_ROOT));	/* real threads must not share an LP */
}

void lp_claim(struct actor *me)
{
	struct lp *l = lp_at(me->sim, me->lp);
	u32 who = me->id + 1u;

	if (!is_exclusive(me))
		return;
	for (;;) {
		if (lp_masked(l)) {
			await_unmasked(me, l);
		} else if (!claim_is_step(me)) {
			world_set(l->masked, who);
			return;
		} else if (!mem_cmpxchg32(&l->masked, 0, who)) {
			return;
		}
	}
}

static void lp_disclaim(struct actor *me)
{
	struct lp *l = lp_at(me->sim, me->lp);

	if (!is_exclusive(me) || lp_masked(l) != me->id + 1u)
		return;
	if (claim_is_step(me))
		mem_write32(&l->masked, 0);
	else
		world_set(l->masked, 0);
	if (l->first != me->id + 1u || task_of(me)->neighbour)
		mem_wake(&l->masked);
}

void lp_irqs_on(struct actor *me)
{
	if (me->irqs_off == 1)
		lp_disclaim(me);
	world_set(me->irqs_off, me->irqs_off - 1);
}

void lp_guest_begins(void)
{
	if (is_exclusive(sim_self))
		world_set(task_of(sim_self)->in_guest, 1);
	lp_disclaim(sim_self);
}

void lp_guest_ends(void)
{
	lp_claim(sim_self);
	if (is_exclusive(sim_self))
		world_set(task_of(sim_self)->in_guest, 0);
}

/* --- windows ------------------------------------------------------------------------- */

void local_irq_disable(void)
{
	struct actor *me = sim_self;

	if (!me->irqs_off)
		lp_claim(me);
	world_set(me->irqs_off, me->irqs_off + 1);
}

static void irqs_restore(struct actor *me)
{
	if (!me->irqs_off)
		sim_die("%s enables interrupts that are on", me->name);
	lp_irqs_on(me);
}

/* What is there is taken here; what is still on its way may find another of this LP waiting. */
static void window_opens(struct actor *me)
{
	if (!(me->mode & (MODE_IRQ | MODE_FREE)))
		return;
	if (lp_irq_deliverable(me))
		lp_take_interrupts(me);
	if (me->mode & MODE_IRQ)
		lp_notify(me->sim, me->lp);
}

void local_irq_enable(void)
{
	struct actor *me = sim_self;

	irqs_restore(me);
	if (me->irqs_off || me->mode & MODE_ROOT)
		return;
	lockdep_irqs_on();
	window_opens(me);
}

bool irqs_disabled(void)
{
	return sim_self->irqs_off;
}

void lp_mask_all(void)
{
	local_irq_disable();
}

void lp_unmask(void)
{
	struct actor *me = sim_self;

	irqs_restore(me);
	if (!me->irqs_off)
		window_opens(me);
}

/* --- who comes and goes ----------------------------------------------------------------- */

void lp_mask_enter(struct actor *a)
{
	struct lp *l = lp_at(a->sim, a->lp);

	if (a->irqs_off && is_exclusive(a) && !task_of(a)->in_guest && !lp_masked(l))
		world_set(l->masked, a->id + 1u);
}

/* It has stopped for good, or for long, with interrupts off: its LP is not lost with it. */
void lp_mask_leave(struct actor *a)
{
	struct lp *l = lp_at(a->sim, a->lp);

	if (is_exclusive(a) && lp_masked(l) == a->id + 1u)
		world_set(l->masked, 0);
}

void lp_mask_await(struct actor *a, u16 lp)
{
	struct lp *l = lp_at(a->sim, lp);

	if (a == sim_self && is_exclusive(a) && lp_masked(l))
		await_unmasked(a, l);
}
