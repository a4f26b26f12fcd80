// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls on other LPs, as steps: queue, interrupt if the queue was empty, the handler on
 * the target's stack, its ack, the sender's poll. Rests on kernel/smp.c.
 *
 * Not Linux's: a call's record is allocated each time, where Linux has one a CPU for calls
 * that are not waited for, and waits until it is free again. Several targets are sent to as
 * x2apic_cluster.c does, one ICR write for those of a cluster; as steps that is one a target,
 * so that a search also sees them arrive one by one.
 */
#include <sched.h>
#include <stdio.h>

#include "sim/engine/check.h"
#include "sim/engine/ipi.h"
#include "sim/engine/lock_priv.h"
#include "sim/engine/priv.h"
#include "sim/engine/region.h"

#define CSD_LOCK 1u

struct csd {
	u64 next;		/* in the target's queue */
	void (*fn)(void *arg);
	void *arg;
	u32 flags;		/* CSD_LOCK until it is acknowledged */
	struct region *region;	/* of flags; NULL if nobody polls them */
	u16 lp;
	u8 wait;
};

static const char *csd_class(u64 flags)
{
	return flags & CSD_LOCK ? "LOCKED" : "FREE";
}

/* csd[LP]: a call that somebody waits for that LP to answer */
static const struct region_type csd_type = {
	.name = "csd", .class = csd_class, .indexed = true,
};

static struct csd *csd_new(u16 lp, void (*fn)(void *), void *arg, bool wait)
{
	struct csd *c = world_alloc(sizeof(*c));

	world_set(c->fn, fn);
	world_set(c->arg, arg);
	world_set(c->flags, CSD_LOCK);
	world_set(c->lp, lp);
	world_set(c->wait, (u8)wait);
	if (wait)
		world_set(c->region, region_add(&(struct region){
			.type = &csd_type, .base = &c->flags, .count = 1,
			.stride = sizeof(c->flags), .size = sizeof(c->flags), .index = lp,
			.step = 1,
		}));
	return c;
}

static void csd_free(struct csd *c)
{
	if (c->region)
		region_remove(c->region);
	world_free(c, sizeof(*c));
}

/* True if the queue was empty: an interrupt is owed. Else one is on its way already. */
static bool csd_queue(struct csd *c)
{
	struct lp *l = lp_at(sim_current(), c->lp);
	u64 first = mem_read64(&l->queue), was;

	for (;;) {
		world_set(c->next, first);
		was = mem_cmpxchg64(&l->queue, first, (u64)c);
		if (was == first)
			return !first;
		first = was;
	}
}

static struct csd *reversed(struct csd *list)
{
	struct csd *out = NULL, *next;

	for (; list; list = next) {
		next = (struct csd *)list->next;
		world_set(list->next, (u64)out);
		out = list;
	}
	return out;
}

static void csd_ack(struct csd *c)
{
	u32 *flags = &c->flags;
	u16 lp = c->lp;

	mem_write32(flags, 0);
	mem_wake(flags);	/* from here on it may be gone */
	trace_kick("acked", lp);
}

/* Those that are waited for come first and are acknowledged after the call (kernel/smp.c). */
void ipi_run_queue(struct lp *l, u16 lp)
{
	struct csd *list = (struct csd *)mem_xchg64(&l->queue, 0), *c, *next;

	list = reversed(list);
	for (c = list; c; c = next) {
		next = (struct csd *)c->next;
		if (!c->wait)
			continue;
		c->fn(c->arg);
	}
	for (c = list; c; c = next) {
		void (*fn)(void *arg) = c->fn;
		void *arg = c->arg;

		next = (struct csd *)c->next;
		if (c->wait) {
			csd_ack(c);
			continue;
		}
		csd_free(c);
		trace_kick("acked", lp);
		fn(arg);
	}
}

/* Real threads: one that has ended takes no interrupt, so whoever waits is that LP meanwhile. */
static void stand_in(struct actor *me, struct lp *l, u16 lp)
{
	u16 own = me->lp;

	if (mem_atomic(MEM_XCHG, 4, &l->stand_in, 1, 0))
		return;
	if (mem_atomic(MEM_XADD, 4, &l->live, 0, 0)) {	/* somebody has come: lp_moves() */
		mem_atomic(MEM_WRITE, 4, &l->stand_in, 0, 0);
		return;
	}
	local_irq_disable();
	mem_atomic(MEM_WRITE, sizeof(me->lp), &me->lp, lp, 0);	/* a signal may ask for it */
	ipi_run_queue(l, lp);
	mem_atomic(MEM_WRITE, sizeof(me->lp), &me->lp, own, 0);
	mem_atomic(MEM_WRITE, 4, &l->stand_in, 0, 0);
	local_irq_enable();
}

static void csd_wait_free(struct csd *c)
{
	struct actor *me = sim_self;
	struct lp *l = lp_at(me->sim, c->lp);
	u32 flags;

	for (;;) {
		flags = mem_read32(&c->flags);
		if (!flags)
			return;
		if (sim_stopping(me->sim))
			mem_await32(&c->flags, CSD_LOCK, 0);	/* leaves the run */
		if (!mem_atomic(MEM_READ, 4, &l->live, 0, 0))
			stand_in(me, l, c->lp);
		else if (lp_irq_deliverable(me))
			lp_take_interrupts(me);
		sched_yield();
	}
}

static void csd_wait(struct csd *c)
{
	if (in_free_mode())
		csd_wait_free(c);
	else
		lock_await32(&locks_here()->ipi, LOCK_EXCL, &c->flags, CSD_LOCK, 0);
}

static void check_window(const char *what)
{
	struct actor *me = sim_self;

	if (me->irqs_off && !(me->mode & (MODE_FREE | MODE_ROOT)))
		check_fail("lock-context", what, "%s: %s with interrupts off may wait for ever",
			   me->name, what);
}

static void call_here(void (*fn)(void *), void *arg)
{
	local_irq_disable();
	fn(arg);
	local_irq_enable();
}

void smp_call_function_single(u16 lp, void (*fn)(void *), void *arg, bool wait)
{
	struct actor *me = sim_self;
	struct csd *c;

	check_window("smp_call_function_single");
	if (lp == me->lp || me->mode & MODE_ROOT) {
		call_here(fn, arg);
		return;
	}
	c = csd_new(lp, fn, arg, wait);
	if (csd_queue(c))
		lp_raise(lp, IRQ_CALL);
	if (!wait)
		return;
	csd_wait(c);
	csd_free(c);
}

static bool mask_has(const struct lp_mask *m, u32 lp)
{
	return m->bits[lp / 64] >> (lp % 64) & 1;
}

/* __x2apic_send_IPI_mask(): a cluster's LPs follow each other */
static void raise_all(const struct lp_mask *owed, u16 lps)
{
	u32 cluster = ~0u;
	u64 when = 0;

	for (u16 lp = 0; lp < lps; lp++) {
		if (!mask_has(owed, lp))
			continue;
		if (lp_cluster(lp) == cluster)
			lp_raise_more(lp, IRQ_CALL, when);
		else
			when = lp_raise(lp, IRQ_CALL);
		cluster = lp_cluster(lp);
	}
}

/* smp_call_function_many_cond() */
static void call_many(const struct lp_mask *mask, void (*fn)(void *), void *arg, bool wait,
		      bool here, const char *what)
{
	struct actor *me = sim_self;
	struct csd *call[LP_MASK_WORDS * 64];
	struct lp_mask owed = { { 0 } };
	u16 lps = lp_count();
	u32 n = 0;

	check_window(what);
	for (u16 lp = 0; lp < lps; lp++) {
		if (!mask_has(mask, lp) || lp == me->lp)
			continue;
		if (me->mode & MODE_ROOT) {
			call_here(fn, arg);
			continue;
		}
		call[n] = csd_new(lp, fn, arg, wait);
		if (csd_queue(call[n]))
			lp_mask_set(&owed, lp);
		n++;
	}
	raise_all(&owed, lps);
	if (here)
		call_here(fn, arg);
	for (u32 i = 0; wait && i < n; i++) {
		csd_wait(call[i]);
		csd_free(call[i]);
	}
}

void smp_call_function_many(const struct lp_mask *mask, void (*fn)(void *), void *arg, bool wait)
{
	call_many(mask, fn, arg, wait, false, "smp_call_function_many");
}

void on_each_cpu_mask(const struct lp_mask *mask, void (*fn)(void *), void *arg, bool wait)
{
	call_many(mask, fn, arg, wait, mask_has(mask, lp_self()), "on_each_cpu_mask");
}

void ipi_explain(struct sim *sim, const void *flags, char *buf, size_t n)
{
	const struct csd *c = container_of(flags, struct csd, flags);
	int len = snprintf(buf, n, "LP %u to acknowledge a call", c->lp);

	for (u32 i = 0; i < actor_count(sim); i++) {
		const struct actor *a = actor_by_id(sim, (u16)i);

		if (a->lp != c->lp || a->background || len < 0 || (size_t)len >= n)
			continue;
		if (a->state == ACTOR_READY || a->state == ACTOR_BLOCKED)
			len += snprintf(buf + len, n - (size_t)len, "; %s there has interrupts %s",
					a->name, a->irqs_off ? "off" : "on");
	}
}
