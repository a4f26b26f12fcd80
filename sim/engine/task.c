// SPDX-License-Identifier: GPL-2.0-only
/*
 * The thread's flags that KVM's loops poll. Rests on include/linux/sched.h and
 * kernel/signal.c: whoever sets a flag of a running thread also interrupts its CPU.
 */
#include "sim/engine/task.h"
#include "sim/engine/clock.h"
#include "sim/engine/lock.h"
#include "sim/engine/lp.h"
#include "sim/engine/mem.h"
#include "sim/engine/priv.h"

static u32 flags_read(void)
{
	return mem_read32(&sim_self->tif);
}

bool signal_pending(void)
{
	return flags_read() & TIF_SIGPENDING;
}

bool need_resched(void)
{
	return flags_read() & TIF_NEED_RESCHED;
}

/* Real threads are not interrupted at each step: a loop that goes on takes them here. */
static void look_around(void)
{
	struct actor *me = sim_self;

	if (sim_is_free(me->sim) && lp_irq_deliverable(me))
		lp_take_interrupts(me);
}

/* The thread's own: where threads are real there is no log, and nobody else looks. */
static void set_notifier(const struct preempt_ops *ops, void *arg)
{
	struct actor *me = sim_self;

	if (sim_is_free(me->sim)) {
		me->preempt_ops = ops;
		me->preempt_arg = arg;
		return;
	}
	actor_set(me->preempt_ops, ops);
	actor_set(me->preempt_arg, arg);
}

void preempt_notifier_register(const struct preempt_ops *ops, void *arg)
{
	set_notifier(ops, arg);
}

void preempt_notifier_unregister(void)
{
	set_notifier(NULL, NULL);
}

/* The switch to another thread and back costs nothing: the cost table knows no price. */
static void schedule(void)
{
	struct actor *me = sim_self;
	const struct preempt_ops *ops = me->preempt_ops;
	u32 was = mem_and32(&me->tif, TIF_SIGPENDING);

	if (ops)
		ops->sched_out(me->preempt_arg);
	if (was >> TIF_LP_SHIFT)
		actor_set_lp(me, (u16)((was >> TIF_LP_SHIFT) - 1));
	if (ops)
		ops->sched_in(me->preempt_arg);
}

void cond_resched(void)
{
	might_sleep("cond_resched");
	look_around();
	if (need_resched())
		schedule();
}

void cpu_relax(void)
{
	sim_charge(COST_PAUSE, 1);
	look_around();
}

/*
 * From outside the machine, so no step; real threads may be reading it. In a search whoever
 * sets it is one of those who take turns, and others may come before: so there it is one.
 */
static void flag_set(struct actor *a, u32 flag)
{
	u16 lp;

	if (sim_is_free(a->sim)) {
		mem_atomic(MEM_OR, 4, &a->tif, flag, 0);
		lp = (u16)mem_atomic(MEM_READ, sizeof(a->lp), &a->lp, 0, 0);
	} else if (a->sim->opt.sched == SCHED_CHOOSE) {
		mem_or32(&a->tif, flag);
		lp = a->lp;
	} else {
		world_set(a->tif, a->tif | flag);
		lp = a->lp;
	}
	lp_disturb(a->sim, lp, IRQ_KICK);
}

void task_signal(struct actor *a)
{
	flag_set(a, TIF_SIGPENDING);
}

void task_need_resched(struct actor *a)
{
	flag_set(a, TIF_NEED_RESCHED);
}

void task_migrate(struct actor *a, u16 lp)
{
	const u32 flag = (u32)(lp + 1) << TIF_LP_SHIFT | TIF_NEED_RESCHED;

	if (sim_is_free(a->sim))	/* bits that another move set stay */
		mem_atomic(MEM_AND, 4, &a->tif, (1u << TIF_LP_SHIFT) - 1, 0);
	else
		world_set(a->tif, a->tif & ((1u << TIF_LP_SHIFT) - 1));
	flag_set(a, flag);
}

void task_clear_signal(void)
{
	struct actor *me = sim_self;

	if (sim_is_free(me->sim))
		mem_atomic(MEM_AND, 4, &me->tif, ~(u64)TIF_SIGPENDING, 0);
	else
		world_set(me->tif, me->tif & ~(u32)TIF_SIGPENDING);
}
