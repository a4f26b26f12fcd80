// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of an LP: sent by a write of the sender's command register, on the way for as long
 * as the cost table says, taken by whoever runs on the LP once its window is open (lp_mask.c).
 * Rests on the SDM's local APIC chapter as far as KVM leans on it, and on docs/model.md (IPIs).
 *
 * In a search there is no time: an interrupt that was sent may land before each step that
 * its target takes, and choose() says before which.
 */
#include <stdio.h>

#include "sim/engine/choose.h"
#include "sim/engine/clock.h"
#include "sim/engine/hash.h"
#include "sim/engine/ipi.h"
#include "sim/engine/lock_priv.h"
#include "sim/engine/priv.h"
#include "sim/engine/region.h"

#define CLUSTER_LPS	16u	/* an x2APIC's logical ID has a bit for each */

static const char *const irq_names[IRQ_KINDS] = {
	[IRQ_CALL] = "call", [IRQ_KICK] = "kick", [IRQ_EXTERNAL] = "external",
	[IRQ_TIMER] = "timer",
};

/* Real threads post and take at once, so there each access is an atomic of its own. */
static u64 pend_all(const struct sim *sim, struct lp *l)
{
	return sim_is_free(sim) ? mem_atomic(MEM_READ, 8, &l->pend_all, 0, 0) : l->pend_all;
}

static void pend_write(const struct sim *sim, struct lp *l, u32 kind, u8 v)
{
	if (sim_is_free(sim))
		mem_atomic(MEM_WRITE, 1, &l->pend[kind], v, 0);
	else
		world_set(l->pend[kind], v);
}

u64 lp_irq_arrival(u16 lp)
{
	const struct lp *l = lp_at(sim_current(), lp);
	u64 first = ~0ull;

	for (u32 k = 0; k < IRQ_KINDS; k++)
		if (l->pend[k] && l->arrive[k] < first)
			first = l->arrive[k];
	return first;
}

/*
 * Would @a's LP take an interrupt now, on @a's stack? Two actors on one LP share its
 * interrupt flag: what one masks, the other must not take. Real threads cannot look at
 * each other so, and must not share an LP.
 */
static bool lp_is_open(const struct actor *a)
{
	struct sim *sim = a->sim;
	bool idle = task_of(a)->idle;
	struct actor *b;

	if (a->irqs_off || (a->background && !idle))
		return false;
	if (sim_is_free(sim))
		return true;
	for_each_at(b, sim, a->lp) {
		if (b == a || !is_live(b))
			continue;
		if (b->irqs_off || (idle && !b->background))
			return false;
	}
	return true;
}

bool lp_irq_deliverable(const struct actor *a)
{
	struct sim *sim = a->sim;
	struct lp *l = lp_at(sim, a->lp);

	if (!pend_all(sim, l) || (sim->opt.timed && lp_irq_arrival(a->lp) > a->clock))
		return false;
	return lp_is_open(a);
}

u64 lp_irq_due(const struct actor *a)
{
	struct lp *l = lp_at(a->sim, a->lp);

	return l->pend_all && lp_is_open(a) ? lp_irq_arrival(a->lp) : ~0ull;
}

/* --- sending ------------------------------------------------------------------------ */

static void idle_main(void *arg)
{
	struct actor *me = sim_self;
	struct lp *l = arg;
	u64 when;

	for (;;) {
		actor_forget(0);
		while (l->pend_all && !lp_is_busy(me->sim, me->lp)) {
			when = lp_irq_arrival(me->lp);
			if (me->sim->opt.timed && when > me->clock)
				sim_compute(when - me->clock);
			lp_take_interrupts(me);
		}
		actor_park("idle");
	}
}

static void idle_wake(struct sim *sim, struct lp *l, u16 lp, u64 when)
{
	struct actor *a;
	char name[16];

	if (!l->idle) {
		snprintf(name, sizeof(name), "idle/lp%u", lp);
		a = actor_new(sim, name, lp, idle_main, l);
		lp_serves(a);
		world_set(task_of(a)->idle, 1);
		world_set(l->idle, a->id + 1u);
	}
	a = actor_by_id(sim, (u16)(l->idle - 1));
	if (a->state == ACTOR_PARKED && a->clock < when)
		actor_set(a->clock, when);
	actor_unpark(a);
}

/* Somebody has to take what is pending at @lp: whoever is there, or else nobody's actor. */
void lp_notify(struct sim *sim, u16 lp)
{
	struct lp *l = lp_at(sim, lp);
	u64 when = lp_irq_arrival(lp);
	bool busy = false;
	struct actor *a;

	for_each_at(a, sim, lp) {
		if (a->background || !is_live(a))
			continue;
		actor_interrupt(a, when);
		busy = true;
	}
	if (!busy)
		idle_wake(sim, l, lp, when);
}

static void lp_post(struct sim *sim, u16 lp, enum irq_kind kind, u64 when)
{
	struct lp *l = lp_at(sim, lp);

	if (sim_is_free(sim)) {
		pend_write(sim, l, kind, 1);
		return;		/* its threads look by themselves */
	}
	if (l->pend[kind] && l->arrive[kind] <= when)
		return;		/* one is on its way: the APIC holds one of a kind */
	world_set(l->arrive[kind], when);
	world_set(l->pend[kind], 1);
	lp_notify(sim, lp);
}

/* The register is the sender's own and no memory: no line changes hands for it. */
static void icr_write(u16 lp, enum irq_kind kind)
{
	struct actor *me = sim_self;

	mem_write32(&lp_at(me->sim, me->lp)->icr, (u32)kind << 16 | lp);
}

/* A price of the way, which no actor's clock pays */
static u64 way(struct sim *sim, enum cost_key key)
{
	sim->charged[key]++;
	return sim->cost[key];
}

static void send(u16 lp, enum irq_kind kind, u64 when)
{
	struct actor *me = sim_self;
	struct sim *sim = me->sim;

	if (sim->opt.timed) {
		when += way(sim, COST_IPI_DELIVERY);
		if (lp_package(lp) != lp_package(me->lp))
			when += way(sim, COST_IPI_FAR);
	}
	count(COUNT_IPIS, 1);
	trace_kick("sent", lp);
	lp_post(sim, lp, kind, when);
}

u32 lp_cluster(u16 lp)
{
	const struct lp_span *s = &sim_self->sim->near[lp];

	return (u32)s->package << 16 | (u32)(lp - s->from) / CLUSTER_LPS;
}

u64 lp_raise(u16 lp, enum irq_kind kind)
{
	u64 when;

	icr_write(lp, kind);
	when = sim_self->clock;		/* ipi-delivery counts from before the write, which is inside it */
	if (sim_self->sim->opt.timed)
		sim_charge(COST_WRMSR, 1);
	send(lp, kind, when);
	return when;
}

void lp_raise_more(u16 lp, enum irq_kind kind, u64 when)
{
	icr_write(lp, kind);
	send(lp, kind, when);
}

void lp_disturb(struct sim *sim, u16 lp, enum irq_kind kind)
{
	lp_post(sim, lp, kind, 0);
}

/* It decides what the actor does next, and is no step: the key must know. */
static enum irq_kind note_found(struct actor *me, enum irq_kind found)
{
	if (me->mode & MODE_KEYED)
		me->key = hash_fold(me->key, KEY_WHAT(KEY_IRQ, 0), found);
	return found;
}

enum irq_kind lp_irq_pending(void)
{
	struct actor *me = sim_self;
	struct sim *sim = me->sim;
	struct lp *l = lp_at(sim, me->lp);
	enum irq_kind found = IRQ_NONE;

	if (!pend_all(sim, l))
		return IRQ_NONE;
	for (u32 k = IRQ_CALL; k < IRQ_KINDS && !found; k++) {
		if (sim_is_free(sim)) {
			if (mem_atomic(MEM_READ, 1, &l->pend[k], 0, 0))
				found = k;
		} else if (!l->pend[k]) {
			continue;
		} else if (sim->opt.timed) {
			if (l->arrive[k] <= me->clock)
				found = k;
		} else if (l->landed[k] || choose(2, CHOOSE_INTERRUPT)) {
			world_set(l->landed[k], 1);	/* there, and not gone until taken */
			found = k;
		}
	}
	return note_found(me, found);
}

/* Nothing else can bring @me on: it is there to be interrupted. */
static bool waits_for_it(const struct actor *me)
{
	return task_of(me)->idle ||
	       (me->pending.site && me->pending.op == MEM_AWAIT && !await_holds(&me->pending));
}

static enum irq_kind next_irq(struct actor *me, struct lp *l)
{
	if (!me->sim->opt.timed && !sim_is_free(me->sim) && waits_for_it(me))
		for (u32 k = IRQ_CALL; k < IRQ_KINDS; k++)
			if (l->pend[k])
				return note_found(me, k);
	return lp_irq_pending();
}

static void irq_modes_clear(struct sim *sim, u16 lp)
{
	struct actor *a;

	for_each_at(a, sim, lp)
		if (a->mode & MODE_IRQ)
			actor_set(a->mode, a->mode & ~(u32)MODE_IRQ);
}

static void irq_handle(struct actor *me, struct lp *l, u32 kind)
{
	struct task_locks *t = task_of(me);
	u64 wait = t->wait, wait_p = t->wait_p;
	u32 base = t->irq_base;

	world_set(me->irqs_off, me->irqs_off + 1);
	lp_claim(me);
	world_set(t->in_irq, 1);
	world_set(t->irq_base, t->nheld);
	pend_write(me->sim, l, kind, 0);
	if (!in_free_mode()) {
		world_set(l->arrive[kind], 0);
		world_set(l->landed[kind], 0);
		if (!l->pend_all)
			irq_modes_clear(me->sim, me->lp);
	}
	trace_(EV_INTERRUPT, .name = irq_names[kind], .arg = me->lp, .has_arg = true);
	/*
	 * What a handler does beyond its steps has no price of its own: ipi-delivery ends
	 * where the handler starts, and the way back is in no row of the cost table.
	 */
	if (kind == IRQ_CALL)
		ipi_run_queue(l, me->lp);
	world_set(t->irq_base, base);
	world_set(t->in_irq, 0);
	lp_irqs_on(me);
	world_set(t->wait, wait);
	world_set(t->wait_p, wait_p);
}

/*
 * What was interrupted goes on as if nothing had been: it remembers neither that a handler ran
 * nor that one might have, and what the handler did is memory.
 */
bool lp_take_interrupts(struct actor *me)
{
	struct lp *l = lp_at(me->sim, me->lp);
	u64 key = me->key;
	bool taken = false;
	u32 kind;

	while (pend_all(me->sim, l) && lp_is_open(me)) {
		kind = next_irq(me, l);
		if (!kind)
			break;
		irq_handle(me, l, kind);
		taken = true;
	}
	if (me->mode & MODE_KEYED)
		me->key = key;
	return taken;
}

static void pend_describe(u64 raw, char *buf, size_t n)
{
	size_t len = 0;

	snprintf(buf, n, "none");
	for (u32 k = IRQ_CALL; k < IRQ_KINDS && len < n; k++)
		if (raw >> (8 * k) & 0xff)
			len += (size_t)snprintf(buf + len, n - len, "%s%s", len ? " " : "",
						irq_names[k]);
}

static const struct region_type pend_type = {
	.name = "irq", .describe = pend_describe, .indexed = true,
};

void lp_irq_setup(const struct locks *root)
{
	region_add(&(struct region){
		.type = &pend_type, .base = &root->lp[0].pend_all, .count = root->lps,
		.stride = sizeof(struct lp), .size = 8, .step = 1,
	});
}
