// SPDX-License-Identifier: GPL-2.0-only
/*
 * The door's slow path: the same step as the fast one, with everything that may be asked
 * of it. Order: scheduling point, interrupts, await, cost, effect, log, key, trace.
 */
#include "sim/engine/mem.h"
#include "sim/engine/hash.h"
#include "sim/engine/lockdep.h"
#include "sim/engine/lp.h"
#include "sim/engine/priv.h"
#include "sim/engine/region.h"
#include "sim/engine/tso_priv.h"

/* What memory holds, whoever asks. */
u64 word_at(const void *p, unsigned int size)
{
	switch (size) {
	case 1: return __atomic_load_n((const u8 *)p, __ATOMIC_RELAXED);
	case 2: return __atomic_load_n((const u16 *)p, __ATOMIC_RELAXED);
	case 4: return __atomic_load_n((const u32 *)p, __ATOMIC_RELAXED);
	default: return __atomic_load_n((const u64 *)p, __ATOMIC_RELAXED);
	}
}

bool await_holds(const struct pending *n)
{
	return n->op != MEM_AWAIT || (word_at(n->p, n->size) & n->a) == n->b;
}

static void await_block(struct sim *sim, struct actor *me)
{
	const char *lock = lock_wait_name(me);
	char name[64];

	if (sched_no_wait(sim, me))
		return;
	me->state = ACTOR_BLOCKED;
	sim->nblocked++;
	if (trace_on())
		trace_(EV_BLOCKED, .name = lock ? lock :
		       trace_intern(sim, region_name_of(me->pending.p, name, sizeof(name))));
	if (me->mode & MODE_HUB)
		sched_hub(me);
	else
		sched_switch(me);
	if (me->state == ACTOR_BLOCKED)
		sched_awoken(sim, me);
}

/*
 * The scheduling point. Whoever arrives at a wait that does not hold is blocked at once where
 * schedules are chosen: to find out would be a step that does nothing, and be counted. The
 * clock and a script let it find out in its turn.
 */
static __always_inline void stand_before(struct sim *sim, struct actor *me, enum mem_op op,
					 unsigned int size, void *p, u64 a, u64 b,
					 const struct site *site)
{
	/* Values one by one: a copy would read in one piece what was just written in several. */
	me->pending.site = site;
	me->pending.p = p;
	me->pending.a = a;
	me->pending.b = b;
	me->pending.op = (u8)op;
	me->pending.size = (u8)size;
	me->blocked_since = me->clock;
	if (!(me->mode & MODE_HUB))
		return;		/* the clock's fast path has asked before it came here */
	if ((sim->opt.sched == SCHED_RANDOM || sim->opt.sched == SCHED_CHOOSE) &&
	    op == MEM_AWAIT && actor_waits(me) && !sched_no_wait(sim, me))
		await_block(sim, me);
	else if (sim->turn)
		sim->turn(sim, sim->turn_ctx, me);
	else
		sched_hub(me);
}

/* Stand before the step until it is this actor's turn and nothing has to come first. */
static __always_inline void wait_for_turn(struct sim *sim, struct actor *me, enum mem_op op,
					  unsigned int size, void *p, u64 a, u64 b,
					  const struct site *site)
{
	stand_before(sim, me, op, size, p, a, b, site);
	for (;;) {
		while (unlikely(sim->stopping))
			sched_hub(me);
		if ((me->mode & MODE_IRQ) && lp_irq_deliverable(me) && lp_take_interrupts(me)) {
			/* It took steps: ask again for this one. */
			stand_before(sim, me, op, size, p, a, b, site);
			if (!(me->mode & MODE_HUB) && actor_clock_key(me) >= me->horizon)
				sched_switch(me);
			continue;
		}
		if (op != MEM_AWAIT || (word_at(p, size) & a) == b)
			return;
		await_block(sim, me);	/* comes back with the turn */
	}
}

__cold void use_after_free(const void *p, const struct site *site)
{
	char name[64];

	region_name_of(p, name, sizeof(name));
	check_fail("use-after-free", "", "%s() %s:%u touches freed memory (%s)",
		   site->func, site_file(site), site->line, name);
}

/* A CMPXCHG16B on a line of the LP's own has a price of its own. */
static void line_touch16(struct sim *sim, struct actor *me, void *p, const struct site *site)
{
	u64 cas = me->cas;

	line_touch(me, p, MEM_CMPXCHG, site);
	if (me->cas == cas)
		return;
	me->cas--;
	me->locked--;
	me->clock += (s64)sim->cost[COST_CMPXCHG16B_OWNED] - me->cost_cas;
	sim->charged[COST_CMPXCHG16B_OWNED]++;
}

static __always_inline void step_begin(struct sim *sim, struct actor *me, enum mem_op op,
				       unsigned int size, void *p, u64 a, u64 b,
				       const struct site *site)
{
	if (!(me->mode & MODE_ROOT))
		wait_for_turn(sim, me, op, size, p, a, b, site);
	if (p && unlikely(!world_has(p)))
		sim_die("%s() %s:%u takes a step on memory outside the world", site->func,
			site_file(site), site->line);
	if (p && unlikely(world_line_state(p) == LINE_DEAD))
		use_after_free(p, site);
	if (me->mode & MODE_ROOT)
		return;
	if (sim->opt.timed && unlikely(size == 16))
		line_touch16(sim, me, p, site);
	else if (sim->opt.timed)
		line_touch(me, p, op, site);
	me->steps++;
	sim->steps++;
	if (sim->opt.max_steps && sim->steps >= sim->opt.max_steps) {
		sim->end = SIM_LIMIT;
		sim->stopping = true;
	}
}

static __always_inline void step_end(struct sim *sim, struct actor *me, const struct pending *step,
				     u64 old, u64 value, u64 result)
{
	bool dropped = (step->op == MEM_BTS || step->op == MEM_BTR) && step->b;

	if (likely(me->mode & MODE_KEYED))
		me->key = hash_fold(me->key, site_number(step->site), dropped ? 0 : result);
	sim->last_site = step->site;
	me->pending.site = NULL;	/* taken: it stands before no step now */
	me->pending.op = MEM_READ;
	if (!(me->mode & MODE_EVENTS))
		return;
	trace_event(&(struct event){
		.type = EV_STEP, .op = step->op, .site = step->site, .p = step->p,
		.size = step->size, .old = old, .value = value, .status = result,
	});
}

/*
 * x86-TSO: a plain store that others may read goes into the actor's buffer, with no scheduling
 * point before it, as nobody sees it; a load sees its own; all else finds the buffer empty.
 */
static bool step_buffered(struct sim *sim, struct actor *me, const struct pending *step)
{
	if (tso_due(sim, me) || !tso_store(sim, me, step))
		return false;
	me->steps++;
	if (me->mode & MODE_KEYED)
		me->key = hash_fold(me->key, site_number(step->site), 0);
	return true;
}

/* The effect, and what the undo log and the world's hash have to know: the word, if it changed. */
static u64 effect_logged(struct sim *sim, enum mem_op op, unsigned int size, void *p, u64 a, u64 b)
{
	u64 *w = (u64 *)((u64)p & ~7ull), old, result;

	if (unlikely(((u64)p & 7) + size > 8)) {
		world_log(p, size);
		result = mem_effect(op, size, p, a, b);
		world_logged(p, size);
		return result;
	}
	old = *w;
	result = mem_effect(op, size, p, a, b);
	if (*w == old || !sim->undo.on)
		return result;
	undo_keep_old(&sim->undo, w, old);
	if (sim->undo.hashed) {
		undo_hash(&sim->undo, w, old);
		undo_hash(&sim->undo, w, *w);
	}
	return result;
}

u64 door_slow(enum mem_op op, unsigned int size, void *p, u64 a, u64 b, const struct site *site)
{
	struct actor *me = sim_self;
	struct sim *sim = me->sim;
	struct pending step = {
		.site = site, .p = p, .a = a, .b = b, .op = op, .size = (u8)size,
	};
	u64 old = 0, result;

	if (me->mode & MODE_FREE)
		return free_await(size, p, a, b);
	if (unlikely(sim->tso.seen) && !(me->mode & MODE_ROOT)) {
		tso_note(sim, me, op, p);
		if (op == MEM_WRITE && step_buffered(sim, me, &step))
			return 0;
	}
	step_begin(sim, me, op, size, p, a, b, site);
	if (unlikely(sim->tso.on) && !(me->mode & MODE_ROOT)) {
		if (tso_due(sim, me))
			tso_drain(sim, me);
		/* It stood before this store when the buffers were made, or all had to go first. */
		if (op == MEM_WRITE && tso_store(sim, me, &step)) {
			step_end(sim, me, &step, a, a, 0);
			return 0;
		}
		if (op == MEM_READ && tso_forward(sim, me, &step, &result)) {
			step_end(sim, me, &step, result, result, result);
			return result;
		}
		if (op != MEM_READ && op != MEM_WRITE && op != MEM_AWAIT)
			tso_drain(sim, me);
	}
	if (op == MEM_FENCE) {
		step_end(sim, me, &step, 0, 0, 0);
		return 0;
	}
	if (me->mode & MODE_EVENTS)
		old = word_at(p, size);
	if (op == MEM_READ || op == MEM_AWAIT)
		result = word_at(p, size);
	else
		result = effect_logged(sim, op, size, p, a, b);
	step_end(sim, me, &step, old, me->mode & MODE_EVENTS ? word_at(p, size) : 0, result);
	return result;
}

u64 world_atomic(enum mem_op op, unsigned int size, void *p, u64 a, u64 b)
{
	u64 result;

	if (sim_self->mode & MODE_FREE)
		return mem_atomic(op, size, p, a, b);
	if (op == MEM_READ)
		return word_at(p, size);
	world_log(p, size);
	result = mem_effect(op, size, p, a, b);
	world_logged(p, size);
	return result;
}

void door_log(struct actor *me, void *p)
{
	undo_keep(&me->sim->undo, (void *)((u64)p & ~7ull));
}

static struct u128 cmpxchg128_atomic(struct u128 *p, struct u128 old, struct u128 new_)
{
#if defined(__x86_64__)
	__asm__ volatile("lock cmpxchg16b %0"
			 : "+m"(*p), "+a"(old.lo), "+d"(old.hi)
			 : "b"(new_.lo), "c"(new_.hi) : "cc", "memory");
	return old;
#elif defined(__aarch64__)
	struct u128 was, next;
	u32 again;

	/* The pair is read in one piece only if it is also written, so it always is. */
	__asm__ volatile("1:	ldaxp	%[lo], %[hi], %[m]\n"
			 "	cmp	%[lo], %[olo]\n"
			 "	ccmp	%[hi], %[ohi], #0, eq\n"
			 "	csel	%[tlo], %[nlo], %[lo], eq\n"
			 "	csel	%[thi], %[nhi], %[hi], eq\n"
			 "	stlxp	%w[again], %[tlo], %[thi], %[m]\n"
			 "	cbnz	%w[again], 1b\n"
			 : [lo] "=&r"(was.lo), [hi] "=&r"(was.hi), [tlo] "=&r"(next.lo),
			   [thi] "=&r"(next.hi), [again] "=&r"(again), [m] "+Q"(*p)
			 : [olo] "r"(old.lo), [ohi] "r"(old.hi), [nlo] "r"(new_.lo),
			   [nhi] "r"(new_.hi) : "cc", "memory");
	return was;
#else
#error "write the 16-byte compare-and-exchange for this architecture"
#endif
}

/* Rare (the module's TLB tracking test), so never on the fast path. */
struct u128 door_cmpxchg128(struct u128 *p, struct u128 old, struct u128 new_,
			    const struct site *site)
{
	struct actor *me = sim_self;
	struct sim *sim = me->sim;
	struct pending step = {
		.site = site, .p = p, .a = old.lo, .b = new_.lo, .op = MEM_CMPXCHG, .size = 16,
	};
	struct u128 was;

	if (me->mode & MODE_FREE) {
		free_look_up(me);
		door_tsan_enter(&p->lo);
		door_tsan_enter(&p->hi);
		was = cmpxchg128_atomic(p, old, new_);
		door_tsan_leave(&p->lo);
		door_tsan_leave(&p->hi);
		return was;
	}
	if (actor_clock_key(me) >= me->horizon)
		sched_switch(me);
	step_begin(sim, me, MEM_CMPXCHG, 16, p, old.lo, new_.lo, site);
	if (unlikely(sim->tso.on))
		tso_drain(sim, me);
	was = *p;
	if (was.lo == old.lo && was.hi == old.hi)
		world_store(p, &new_, sizeof(*p));
	step_end(sim, me, &step, was.lo, p->lo, hash_fold(was.lo, 1, was.hi));
	return was;
}
