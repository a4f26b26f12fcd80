// SPDX-License-Identifier: GPL-2.0-only
/*
 * Logical processors and their interrupts: sent by a write of the sender's command
 * register, on the way for as long as the cost table says, taken by whoever runs on the
 * LP once its window is open. Rests on the SDM's local APIC chapter as far as KVM leans on
 * it, and on docs/model.md (IPIs, windows).
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
#include "sim/engine/lockdep.h"
#include "sim/engine/priv.h"
#include "sim/engine/region.h"

#define CLUSTER_LPS	16u	/* an x2APIC's logical ID has a bit for each */

static const char *const irq_names[IRQ_KINDS] = {
	[IRQ_CALL] = "call", [IRQ_KICK] = "kick", [IRQ_EXTERNAL] = "external",
	[IRQ_TIMER] = "timer",
};

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

/* --- what is pending --------------------------------------------------------------- */

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

/* The actors of one LP, oldest first: with hundreds of LPs a look at all is too dear. */
static struct actor *next_at(struct sim *sim, u16 id1)
{
	return id1 ? actor_by_id(sim, (u16)(id1 - 1)) : NULL;
}

#define for_each_at(a, sim, lp)						\
	for ((a) = next_at(sim, lp_at(sim, lp)->first); (a);		\
	     (a) = next_at(sim, task_of(a)->neighbour))

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

static bool is_live(const struct actor *a)
{
	return a->state == ACTOR_READY || a->state == ACTOR_BLOCKED;
}

/* An actor other than an idle one or the RCU worker runs on @lp, or waits there. */
static bool lp_is_busy(struct sim *sim, u16 lp)
{
	struct actor *a;

	for_each_at(a, sim, lp)
		if (!a->background && is_live(a))
			return true;
	return false;
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
static void lp_notify(struct sim *sim, u16 lp)
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

static void lp_claim(struct actor *me)
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

static void irqs_on(struct actor *me)
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

/* --- taking --------------------------------------------------------------------------- */

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
	irqs_on(me);
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
	irqs_on(me);
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
	if (a->irqs_off && is_exclusive(a) && !task_of(a)->in_guest && !lp_masked(l))
		world_set(l->masked, a->id + 1u);
}

void lp_leave(struct actor *a)
{
	struct lp *l = lp_at(a->sim, a->lp);

	if (sim_is_free(a->sim))
		lp_count_live(a, -1ull);
	else if (l->pend_all && !a->background)
		lp_notify(a->sim, a->lp);
	/* It has stopped for good, or for long, with interrupts off: its LP is not lost with it. */
	if (is_exclusive(a) && lp_masked(l) == a->id + 1u)
		world_set(l->masked, 0);
}

void lp_moves(struct actor *a, u16 lp)
{
	u16 from = a->lp;

	if (a == sim_self && is_exclusive(a) && lp_masked(lp_at(a->sim, lp)))
		await_unmasked(a, lp_at(a->sim, lp));
	if (sim_is_free(a->sim)) {
		lp_leave(a);
		/* Nobody looks at the lists there, but a signal may ask where @a is. */
		mem_atomic(MEM_WRITE, sizeof(a->lp), &a->lp, lp, 0);
		lp_enter(a);
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
	region_add(&(struct region){
		.type = &pend_type, .base = &root->lp[0].pend_all, .count = lps,
		.stride = sizeof(struct lp), .size = 8, .step = 1,
	});
	lockdep_setup(sim);
	rcu_setup(sim);
}
