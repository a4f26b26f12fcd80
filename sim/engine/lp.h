/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Logical processors, interrupt windows and IPIs. An IPI is steps, never a primitive:
 * queue the call, write the ICR, the pending bit arrives later, the target's window opens
 * (interrupts on, or a TD exit), the handler runs on the target's stack, stores its ack;
 * the sender polls the ack. Sources: kernel/smp.c; docs/model.md.
 *
 * Interrupts are taken by the actor that runs on the LP: at its next step while its
 * interrupts are on, at local_irq_enable(), and, in a guest, as a TD exit (the layer that
 * runs the guest asks lp_irq_pending()). An LP without a live actor is idle: a background
 * actor "idle/lpN" takes its interrupts.
 */
#include "sim/engine/actor.h"

struct sim;

enum irq_kind {
	IRQ_NONE,
	IRQ_CALL,	/* smp_call: the queue of this LP has work */
	IRQ_KICK,	/* reschedule IPI: only makes the target leave the guest */
	IRQ_EXTERNAL,	/* a device: `interrupt lpN` */
	IRQ_TIMER,
};

u16 lp_count(void);
u16 lp_package(u16 lp);		/* package number of @lp */
u16 lp_self(void);		/* LP of the running actor */

/*
 * Nestable; enable is where pending interrupts are taken. Own actor's state: no steps, but that
 * another actor of the same LP waits where it would disable them, too, until they are on again.
 */
void local_irq_disable(void);
void local_irq_enable(void);
bool irqs_disabled(void);

/*
 * lp_mask_all, lp_unmask - SEAM root mode: NMI and SMI too; interrupts stay pending.
 * Used by the layer that executes SEAMCALLs. No steps.
 */
void lp_mask_all(void);
void lp_unmask(void);

/*
 * lp_irq_pending - has an interrupt arrived at this LP that is not taken yet? Not a step.
 * The answer depends on time: the clock compares arrival times; a search chooses. It does
 * not look at masks: inside the module it is what the interrupt-pending query says, in a
 * guest it is what ends the guest's run. Returns the kind of the first, IRQ_NONE if none.
 */
enum irq_kind lp_irq_pending(void);

/*
 * lp_guest_begins, lp_guest_ends - interrupts are off, but what runs is a guest, which an
 * interrupt ends: other threads of the LP get in between as if one had been scheduled.
 */
void lp_guest_begins(void);
void lp_guest_ends(void);

/*
 * lp_raise - make an interrupt arrive at @lp after the IPI latency; one step (ICR write)
 * lp_raise_more - the same for an LP of the cluster that the last one was raised for: a step,
 *	but in time it is that LP's write, which began at @when (lp_raise() returns it)
 * lp_cluster - the x2APIC cluster of @lp: 16 LPs of a package that one ICR write reaches
 */
u64 lp_raise(u16 lp, enum irq_kind kind);
void lp_raise_more(u16 lp, enum irq_kind kind, u64 when);
u32 lp_cluster(u16 lp);
/* lp_disturb - the same from outside the machine (a scenario's `interrupt lpN`): no step */
void lp_disturb(struct sim *sim, u16 lp, enum irq_kind kind);

/*
 * smp_call_function_single - run @fn(@arg) on @lp, masked, on the stack of whoever runs there
 * @wait: poll until it is acknowledged
 * On the own LP it is called directly with interrupts off. Interrupts must be on, else
 * lock-context: two that call each other with interrupts off wait for ever.
 *
 * smp_call_function_many - the same for each LP in @mask but the own one: all are queued,
 * then all interrupted, then all acks awaited, in order of LP. Events: kick sent, acked
 * with the LP's number.
 *
 * on_each_cpu_mask - for the own LP, too, if it is in @mask: called here, with interrupts off,
 * between sending and waiting.
 */
void smp_call_function_single(u16 lp, void (*fn)(void *), void *arg, bool wait);
#define LP_MASK_WORDS 16
struct lp_mask {
	u64 bits[LP_MASK_WORDS];
};
void smp_call_function_many(const struct lp_mask *mask, void (*fn)(void *), void *arg, bool wait);
void on_each_cpu_mask(const struct lp_mask *mask, void (*fn)(void *), void *arg, bool wait);
static inline void lp_mask_set(struct lp_mask *m, u16 lp)
{
	m->bits[lp / 64] |= BIT_ULL(lp % 64);
}

/*
 * lp_irq_deliverable - could @a, which runs on its LP, take an interrupt before its next
 * step? Unmasked, and arrived by its clock (in a search: raised at all).
 * lp_irq_due - cycle from which it could, as things stand: unmasked and on its way; else ~0
 * lp_irq_arrival - cycle at which the first pending interrupt of @lp arrives, ~0 if none
 */
bool lp_irq_deliverable(const struct actor *a);
u64 lp_irq_due(const struct actor *a);
u64 lp_irq_arrival(u16 lp);

/*
 * lp_take_interrupts - run the handlers of what has arrived and is not masked; the door's
 * slow path calls it. False if nothing was taken (in a search: later).
 */
bool lp_take_interrupts(struct actor *me);

/*
 * engine: lp_setup() is sim_new()'s and also sets up the host locks. lp_born: @a is new, and
 * its LP's like all that follow; lp_enter: @a is from now on what runs on its LP; lp_leave: no
 * longer (it has parked or ended); lp_moves: it goes to @lp, and is not running anything there or
 * here that masks interrupts; lp_serves: @a, just made, is a background actor.
 */
void lp_setup(struct sim *sim, u16 lps, u16 packages);
void lp_born(struct actor *a);
void lp_enter(struct actor *a);
void lp_leave(struct actor *a);
void lp_moves(struct actor *a, u16 lp);
void lp_serves(struct actor *a);
