// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who takes the next step. The clock scheduler is a tournament over keys clock << 10 | id
 * with a horizon: an actor goes on without asking until somebody else is due, and then
 * switches to them directly. All others decide at each step in the hub.
 */
#include "sim/engine/lp.h"
#include "sim/engine/mem.h"
#include "sim/engine/priv.h"

#define NOBODY		(~0ull)
/* How long a lone actor may run before it looks whether it should stop, in cycles. */
#define LOOK_UP		(64ull << 20)

u64 actor_clock_key(const struct actor *a)
{
	return a->clock << 10 | a->id;
}

static inline u64 least(u64 a, u64 b)
{
	u64 r = b;

#if defined(__x86_64__)
	/* A branch here mispredicts half the time; compilers like to make one. */
	__asm__("cmp %2, %1\n\tcmovb %1, %0" : "+r"(r) : "r"(a), "r"(b) : "cc");
#else
	r = a < b ? a : b;
#endif
	return r;
}

static void tour_set(struct tournament *t, u32 id, u64 key)
{
	u32 i = t->leaves + id;

	t->node[i] = key;
	while (i > 1) {
		key = least(t->node[i ^ 1], key);
		i >>= 1;
		t->node[i] = key;
	}
}

/* Where a blocked actor stands on the clock: at its interrupt, if one is on its way to it. */
static u64 blocked_key(const struct sim *sim, const struct actor *a)
{
	u64 due = sim->opt.timed && (a->mode & MODE_IRQ) ? lp_irq_due(a) : ~0ull;

	if (due == ~0ull)
		return NOBODY;
	return (due > a->clock ? due : a->clock) << 10 | a->id;
}

static bool has_clock(const struct sim *sim)
{
	return sim->opt.sched == SCHED_CLOCK || sim->opt.sched == SCHED_SCRIPT;
}

static void tour_grow(struct tournament *t, u32 n)
{
	u32 leaves = 2;

	while (leaves < n)
		leaves *= 2;
	t->leaves = leaves;
	for (u32 i = 0; i < 2 * leaves; i++)
		t->node[i] = NOBODY;
	for (u32 i = 0; i < the_world->nactors; i++) {
		struct actor *a = the_world->actor[i];

		if (a->state == ACTOR_READY)
			tour_set(t, i, actor_clock_key(a));
		else if (a->state == ACTOR_BLOCKED && has_clock(a->sim))
			tour_set(t, i, blocked_key(a->sim, a));	/* an interrupt may end it */
	}
}

/* The least key of all but @id: how far @id may go without asking. */
static u64 tour_horizon(const struct tournament *t, u32 id)
{
	u64 h = NOBODY;

	for (u32 i = t->leaves + id; i > 1; i >>= 1)
		h = least(t->node[i ^ 1], h);
	return h;
}

static void horizon_set(struct sim *sim, struct actor *a)
{
	u64 h = tour_horizon(&sim->tour, a->id), look = (a->clock + LOOK_UP) << 10;

	h = least(h, look);
	a->horizon = least(h, sim->limit_key);
}

static void tour_enter(struct sim *sim, struct actor *a, u64 key)
{
	struct actor *me = sim_self;

	if (!sim->running)
		return;
	if (a->id >= sim->tour.leaves)
		tour_grow(&sim->tour, a->id + 1u);
	tour_set(&sim->tour, a->id, key);
	if (!(me->mode & (MODE_ROOT | MODE_HUB | MODE_FREE)) && key < me->horizon)
		me->horizon = key;
}

void sched_insert(struct sim *sim, struct actor *a)
{
	tour_enter(sim, a, actor_clock_key(a));
}

/* To steps, if @steps; else to anything */
static bool somebody_listens(const struct sim *sim, bool steps)
{
	if (sim->opt.sched == SCHED_FREE)
		return false;
	if (sim->ring_size || sim->opt.sched == SCHED_SCRIPT)
		return true;
	for (u32 i = 0; i < sim->listeners->len; i++)
		if (!steps || !g_array_index(sim->listeners, struct listener, i).calls)
			return true;
	return false;
}

bool sched_listened(const struct sim *sim)
{
	return somebody_listens(sim, false);
}

u32 sched_mode(const struct sim *sim)
{
	u32 mode = 0;

	if (sim->opt.sched == SCHED_FREE)
		return MODE_FREE;
	if (sim->opt.sched != SCHED_CLOCK || sim->opt.carrier != CARRIER_FIBER)
		mode |= MODE_HUB;
	if (somebody_listens(sim, true))
		mode |= MODE_EVENTS;
	if (sim->opt.keyed)
		mode |= MODE_KEYED;
	if (sim->tso.on)
		mode |= MODE_TSO;
	if (sim->opt.logged)
		mode |= MODE_LOGGED;
	if (!sim->opt.timed || sim->opt.max_steps)
		mode |= MODE_HUB;
	return mode;
}

void sched_refresh_modes(struct sim *sim)
{
	u32 mode = sched_mode(sim);
	bool listened = sched_listened(sim);

	for (u32 i = 0; i < the_world->nactors; i++) {
		struct actor *a = the_world->actor[i];

		a->mode = mode | (a->mode & MODE_IRQ);
		a->listened = listened;
	}
	the_world->root.listened = listened;
	the_world->root.mode = MODE_ROOT | (mode & (MODE_EVENTS | MODE_KEYED | MODE_LOGGED));
}

bool actor_enabled_slow(const struct actor *a)
{
	switch (a->state) {
	case ACTOR_READY:
		/* Time and scripts let it find out for itself, in its turn. */
		return (a->sim->opt.sched != SCHED_RANDOM && a->sim->opt.sched != SCHED_CHOOSE) ||
		       !actor_waits(a);
	case ACTOR_BLOCKED:
		return !actor_waits(a);
	default:
		return false;
	}
}

bool actor_waits(const struct actor *a)
{
	return a->pending.site && !await_holds(&a->pending) &&
	       !((a->mode & MODE_IRQ) && lp_irq_deliverable(a));
}

/* A blocked actor whose wait is over was watching until now: its clock catches up. */
static void make_ready(struct sim *sim, struct actor *a, u64 now)
{
	actor_set(a->state, (u8)ACTOR_READY);
	if (a->clock < now)
		actor_set(a->clock, now);
	sim->nblocked--;
	sched_insert(sim, a);
}

void mem_wake(const void *p)
{
	struct actor *me = sim_self;
	struct sim *sim = me->sim;

	if (unlikely(me->mode & MODE_FREE)) {
		free_wake(p);
		return;
	}
	if (likely(!sim->nblocked))
		return;
	for (u32 i = 0; i < the_world->nactors; i++) {
		struct actor *a = the_world->actor[i];

		if (a->state == ACTOR_BLOCKED && a->pending.p == p && await_holds(&a->pending))
			make_ready(sim, a, me->clock);
	}
}

bool sched_no_wait(struct sim *sim, struct actor *me)
{
	u64 key = has_clock(sim) ? NOBODY : blocked_key(sim, me);

	if (key == NOBODY)
		return false;
	me->clock = key >> 10;
	return true;
}

void sched_awoken(struct sim *sim, struct actor *me)
{
	u64 due = lp_irq_due(me);

	actor_set(me->state, (u8)ACTOR_READY);
	if (due != ~0ull && me->clock < due)
		actor_set(me->clock, due);
	sim->nblocked--;
}

void actor_interrupt(struct actor *a, u64 when)
{
	struct sim *sim = a->sim;
	u64 key;

	actor_set(a->mode, a->mode | MODE_IRQ);
	if (a->state != ACTOR_BLOCKED)
		return;
	key = blocked_key(sim, a);
	if (key == NOBODY)
		return;
	if (has_clock(sim))
		tour_enter(sim, a, key);
	else
		make_ready(sim, a, when);
}

/* Nobody is ready: see whether a wait has ended without anybody saying so. */
static bool wake_any(struct sim *sim)
{
	bool any = false;

	if (!sim->nblocked)
		return false;
	for (u32 i = 0; i < the_world->nactors; i++) {
		struct actor *a = the_world->actor[i];

		if (a->state == ACTOR_BLOCKED && actor_enabled(a)) {
			make_ready(sim, a, sim->now);
			any = true;
		}
	}
	return any;
}

static struct actor *tour_winner(struct sim *sim)
{
	u64 k = sim->tour.node[1];

	if (k == NOBODY) {
		if (!wake_any(sim))
			return NULL;
		k = sim->tour.node[1];
	}
	if (k >= sim->limit_key) {
		sim->end = SIM_LIMIT;
		sim->stopping = true;
		return NULL;
	}
	return the_world->actor[k & (ACTORS_MAX - 1)];
}

static void tour_leave(struct sim *sim, struct actor *me)
{
	u64 key = me->state == ACTOR_READY ? actor_clock_key(me) :
		  me->state == ACTOR_BLOCKED ? blocked_key(sim, me) : NOBODY;

	tour_set(&sim->tour, me->id, key);
}

/*
 * sched_switch - @me is past its horizon: whoever is due goes on. Ends in a jump to the
 * other actor where it can; the call level is the door's caller.
 */
void sched_switch(struct actor *me)
{
	struct sim *sim = me->sim;
	struct actor *next;

	if (unlikely(me->mode & (MODE_FREE | MODE_ROOT))) {
		if (me->mode & MODE_FREE)
			free_look_up(me);
		return;
	}
	tour_leave(sim, me);
	if (me->clock > sim->now)
		sim->now = me->clock;
	next = sim->stopping || sim->stop ? NULL : tour_winner(sim);
	if (unlikely(!next)) {
		sched_hub(me);
		return;
	}
	horizon_set(sim, next);
	if (next == me)
		return;
	carrier_jump(me, next);
}

void sched_hub(struct actor *me)
{
	struct sim *sim = me->sim;

	if (sim->tour.leaves)
		tour_leave(sim, me);
	if (me->clock > sim->now)
		sim->now = me->clock;
	carrier_yield(me);
}

void sched_keyed(struct sim *sim, bool keyed)
{
	sim->opt.keyed = keyed;
	sim->opt.logged = !keyed;
	sim->undo.hashed = keyed;
	sched_refresh_modes(sim);
}

u32 sched_enabled(struct sim *sim, struct actor **list)
{
	u32 n = 0, all = the_world->nactors;

	for (u32 i = 0; i < all; i++) {
		struct actor *a = the_world->actor[i];

		/* Of random runs this is a good part: most are parked, or stand before no wait. */
		if (a->state >= ACTOR_PARKED)
			continue;
		if ((a->state == ACTOR_READY && a->pending.op != MEM_AWAIT) || actor_enabled(a))
			list[n++] = a;
	}
	return n;
}

struct actor *sched_clock_pick(struct sim *sim)
{
	return tour_winner(sim);
}

static struct actor *pick_choose(struct sim *sim)
{
	struct actor *list[ACTORS_MAX];
	u32 n = sched_enabled(sim, list);

	if (sim->last && actor_clock_key(sim->last) >= sim->limit_key) {
		sim->end = SIM_LIMIT;
		sim->stopping = true;
		return NULL;
	}
	return n ? list[choose(n, CHOOSE_ACTOR)] : NULL;
}

static struct actor *pick(struct sim *sim)
{
	switch (sim->opt.sched) {
	case SCHED_RANDOM:
	case SCHED_CHOOSE:
		return pick_choose(sim);
	case SCHED_SCRIPT:
		return script_pick(sim);
	default:
		return sched_clock_pick(sim);
	}
}

static inline void resume_prepare(struct sim *sim, struct actor *a)
{
	if (a->state == ACTOR_BLOCKED && (await_holds(&a->pending) || !sim->opt.timed))
		make_ready(sim, a, sim->now);
	a->horizon = NOBODY;
	if (!(a->mode & MODE_HUB))
		horizon_set(sim, a);
	sim->last = a;
}

void sched_resume(struct sim *sim, struct actor *a)
{
	resume_prepare(sim, a);
	carrier_resume(sim, a);
}

void sched_jump(struct sim *sim, struct actor *me, struct actor *a)
{
	resume_prepare(sim, a);
	carrier_jump(me, a);
}

bool sched_is_deadlock(const struct sim *sim)
{
	for (u32 i = 0; i < the_world->nactors; i++) {
		struct actor *a = the_world->actor[i];

		if (a->background)
			continue;
		/* READY and not picked: it stands at a wait, or the rows have left it there. */
		if (a->state == ACTOR_BLOCKED || (a->state == ACTOR_READY && actor_waits(a)))
			return true;
	}
	return false;
}

/* Nobody can run. Fine if nobody is waiting for anything but work. */
static enum sim_end end_of_run(struct sim *sim)
{
	if (check_fatal(sim))
		return SIM_VIOLATION;
	if (sim->stop)
		return SIM_STOPPED;
	if (sim->stopping)
		return sim->end;
	if (script_paused(sim))
		return SIM_DONE;
	return sched_is_deadlock(sim) ? SIM_DEADLOCK : SIM_DONE;
}

void sched_at_end(struct sim *sim)
{
	for (u32 i = 0; i < sim->at_end->len; i++) {
		struct at_end *e = &g_array_index(sim->at_end, struct at_end, i);

		e->fn(e->ctx);
	}
}

static u64 limit_key(const struct sim *sim)
{
	u64 most = sim->opt.max_cycles;

	return (most && most < CLOCK_MAX ? most : CLOCK_MAX) << 10;
}

enum sim_end sim_run(struct sim *sim)
{
	struct actor *a;
	enum sim_end end;

	if (check_fatal(sim))
		return SIM_VIOLATION;
	sim->stopping = false;
	sim->end = SIM_DONE;
	sched_refresh_modes(sim);
	if (sim_is_free(sim)) {
		end = free_run(sim);
		if (end == SIM_DONE)
			sched_at_end(sim);
		return check_fatal(sim) ? SIM_VIOLATION : end;
	}
	sim->running = true;
	sim->limit_key = limit_key(sim);
	tour_grow(&sim->tour, the_world->nactors);
	while (!sim->stopping && !sim->stop && (a = pick(sim)))
		sched_resume(sim, a);
	sim->running = false;
	end = end_of_run(sim);
	if (end == SIM_DONE && !script_paused(sim))
		sched_at_end(sim);
	return check_fatal(sim) ? SIM_VIOLATION : end;
}
