// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules of locking, observed: a cycle in the order of classes (lock-order), a lock
 * taken or asserted where it must not be (lock-context), something left held (lock-held).
 * Rests on kernel/locking/lockdep.c and Documentation/locking/lockdep-design.rst: classes
 * are names; try-locks add no order; a recursive reader is stopped by a holder only.
 *
 * The order graph is world: what it has seen decides what is reported, so a search takes it
 * back with the rest, and a cycle is reported by an execution that has all of it.
 * Left out: interrupt safety through a chain of classes (only the class itself is looked
 * at), wait types.
 */
#include <string.h>

#include "sim/engine/arena.h"
#include "sim/engine/lock_priv.h"
#include "sim/engine/lockdep.h"
#include "sim/engine/priv.h"

#define CLASSES	64

/* How a class was used, seen from interrupts; for spinning locks. */
enum usage {
	IN_IRQ_EXCL	= 1 << 0,
	IN_IRQ_READ	= 1 << 1,
	IRQS_ON_EXCL	= 1 << 2,	/* held with interrupts on */
	IRQS_ON_READ	= 1 << 3,
};

/*
 * What is known of "to was asked for while from was held". Kinds as bits: from shared or
 * exclusive, to recursive or not. A wait ends by itself where a recursive reader asks for
 * what is held shared, so a path through that is no deadlock.
 */
#define KIND(from_shared, to_recursive) (1u << ((from_shared) << 1 | (to_recursive)))

struct edge {
	u8 kinds;
	const char *who;	/* actor that first did so */
};

struct class {
	const char *name;
	u8 usage;
};

struct lockdep {
	struct class class[CLASSES];
	struct edge edge[CLASSES][CLASSES];
	u32 n;
};

/* Record: since which cycle each held lock is held. */
struct lockdep_since {
	u64 clock[ACTORS_MAX][HELD_MAX];
};

/* A search's node: a class, and whether it was entered as a recursive reader. */
struct search {
	u8 queue[2 * CLASSES];		/* class << 1 | recursive */
	u8 parent[2 * CLASSES];
	bool seen[2 * CLASSES];
	u32 head, tail;
};

static bool lockdep_off(void)
{
	return sim_self->mode & (MODE_FREE | MODE_ROOT);
}

static u32 class_of(struct lockdep *d, const char *name)
{
	u32 i;

	for (i = 0; i < d->n; i++)	/* by pointer: nearly always one literal a class */
		if (d->class[i].name == name)
			return i;
	for (i = 0; i < d->n; i++)
		if (!strcmp(d->class[i].name, name))
			return i;
	if (d->n == CLASSES)
		sim_die("more than %u lock classes (%s)", CLASSES, name);
	world_set(d->class[d->n].name, trace_intern(sim_current(), name));
	world_set(d->n, d->n + 1);
	return d->n - 1;
}

static struct lock_info *held_lock(u64 held)
{
	return (void *)(held & ~LOCK_MODE_MASK);
}

static bool is_shared(enum lock_mode mode)
{
	return mode == LOCK_SHARED || mode == LOCK_RECURSIVE;
}

/* Is there a wait from @from (asked for as @recursive) to @to, held as @shared? */
static bool search_path(const struct lockdep *d, struct search *s, u32 from, bool recursive,
			u32 to, bool shared)
{
	u32 start = from << 1 | recursive;

	memset(s, 0, sizeof(*s));
	s->queue[s->tail++] = (u8)start;
	s->seen[start] = true;
	s->parent[start] = 0xff;
	while (s->head < s->tail) {
		u32 at = s->queue[s->head++], c = at >> 1;

		if (c == to && !((at & 1) && shared) && at != start)
			return true;
		for (u32 next = 0; next < d->n; next++) {
			u32 kinds = d->edge[c][next].kinds;

			if (at & 1)	/* no deadlock through a recursive reader of a shared hold */
				kinds &= KIND(0, 0) | KIND(0, 1);
			for (u32 r = 0; r < 2; r++) {
				u32 node = next << 1 | r;

				if (!(kinds & (KIND(0, r) | KIND(1, r))) || s->seen[node])
					continue;
				s->seen[node] = true;
				s->parent[node] = (u8)at;
				s->queue[s->tail++] = (u8)node;
			}
		}
	}
	return false;
}

static void report_cycle(struct lockdep *d, struct search *s, struct lock_info *l,
			 struct lock_info *held)
{
	GString *text = g_string_new(NULL);
	u8 path[2 * CLASSES];
	u32 n = 0;

	for (u8 at = s->queue[s->head - 1]; at != 0xff; at = s->parent[at])
		path[n++] = at >> 1;
	g_string_printf(text, "%s takes %s while it holds %s", sim_self->name, l->name,
			held->name);
	while (--n) {
		const struct edge *e = &d->edge[path[n]][path[n - 1]];

		g_string_append_printf(text, "; %s took %s while it held %s", e->who,
				       d->class[path[n - 1]].name, d->class[path[n]].name);
	}
	check_fail("lock-order", l->name, "%s", text->str);
	g_string_free(text, TRUE);
}

static void order_check(struct lockdep *d, struct lock_info *l, enum lock_mode mode, u64 held)
{
	struct lock_info *h = held_lock(held);
	bool shared = is_shared(held & LOCK_MODE_MASK), recursive = mode == LOCK_RECURSIVE;
	u32 from = class_of(d, h->name), to = class_of(d, l->name);
	struct edge *e = &d->edge[from][to];
	struct search s;

	if (from == to) {
		if (recursive && shared)
			return;
		check_fail("lock-order", l->name, "%s takes %s (%s) while it holds %s (%s)",
			   sim_self->name, l->name, lock_mode_name(l, mode), h->name,
			   lock_mode_name(h, held & LOCK_MODE_MASK));
		return;
	}
	if (e->kinds & KIND(shared, recursive))
		return;
	if (search_path(d, &s, to, recursive, from, shared))
		report_cycle(d, &s, l, h);
	if (!e->kinds)
		world_set(e->who, sim_self->name);
	world_set(e->kinds, (u8)(e->kinds | KIND(shared, recursive)));
}

/* A grace period of readers of @l inside one of them is @from == @to of order_check(). */
static void acquire(struct lock_info *l, enum lock_mode mode, bool nest)
{
	struct task_locks *t = task_of(sim_self);

	if (lockdep_off() || l->kind == LOCK_RCU)
		return;		/* RCU: nothing that waits for it is allowed inside it */
	for (u32 i = t->irq_base; i < t->nheld; i++) {
		const struct lock_info *h = held_lock(t->held[i]);

		if (h->kind != LOCK_RCU && !(nest && !strcmp(h->name, l->name)))
			order_check(locks_here()->dep, l, mode, t->held[i]);
	}
}

void lockdep_acquire(struct lock_info *l, enum lock_mode mode)
{
	acquire(l, mode, false);
}

void lockdep_acquire_nest(struct lock_info *l, enum lock_mode mode)
{
	acquire(l, mode, true);
}

static void usage_add(struct lockdep *d, struct lock_info *l, u8 now)
{
	struct class *c;
	u8 all;

	if (l->kind != LOCK_SPIN && l->kind != LOCK_RW)
		return;
	c = &d->class[class_of(d, l->name)];
	if ((c->usage & now) == now)
		return;
	world_set(c->usage, (u8)(c->usage | now));
	all = c->usage;
	if ((all & IN_IRQ_EXCL && all & (IRQS_ON_EXCL | IRQS_ON_READ)) ||
	    (all & IN_IRQ_READ && all & IRQS_ON_EXCL))
		check_fail("lock-context", l->name,
			   "%s is taken in an interrupt and held with interrupts on: "
			   "the interrupt may wait for the task that it interrupts (%s)",
			   l->name, sim_self->name);
}

static void usage_note(struct lock_info *l, enum lock_mode mode)
{
	struct task_locks *t = task_of(sim_self);
	u8 now = 0;

	if (t->in_irq)
		now = is_shared(mode) ? IN_IRQ_READ : IN_IRQ_EXCL;
	else if (!sim_self->irqs_off)
		now = is_shared(mode) ? IRQS_ON_READ : IRQS_ON_EXCL;
	if (now)
		usage_add(locks_here()->dep, l, now);
}

void lockdep_acquired(struct lock_info *l, enum lock_mode mode)
{
	struct task_locks *t = task_of(sim_self);

	if (t->nheld == HELD_MAX)
		sim_die("%s holds more than %u locks", sim_self->name, HELD_MAX);
	world_set(t->held[t->nheld], (u64)l | mode);
	world_set(t->nheld, t->nheld + 1);
	if (!in_free_mode())
		locks_here()->since->clock[sim_self->id][t->nheld - 1] = sim_self->clock;
	if (!lockdep_off())
		usage_note(l, mode);
	trace_lock(l->name, lock_mode_name(l, mode));
}

bool lockdep_release(struct lock_info *l)
{
	struct task_locks *t = task_of(sim_self);
	u64 *since = locks_here()->since->clock[sim_self->id];
	u32 i = t->nheld;

	while (i && held_lock(t->held[i - 1]) != l)
		i--;
	if (!i) {
		check_fail("lock-context", l->name, "%s releases %s, which it does not hold",
			   sim_self->name, l->name);
		return false;
	}
	for (; i < t->nheld; i++) {
		world_set(t->held[i - 1], t->held[i]);
		since[i - 1] = since[i];
	}
	world_set(t->held[t->nheld - 1], 0);
	world_set(t->nheld, t->nheld - 1);
	return true;
}

void lockdep_released(struct lock_info *l)
{
	trace_unlock(l->name);
}

void lockdep_irqs_on(void)
{
	struct task_locks *t = task_of(sim_self);

	if (lockdep_off())
		return;
	for (u32 i = 0; i < t->nheld; i++)
		usage_note(held_lock(t->held[i]), t->held[i] & LOCK_MODE_MASK);
}

u64 lockdep_since(const struct sim *sim, const struct actor *a, u32 slot)
{
	return locks_of(sim)->since->clock[a->id][slot];
}

static u64 held_word(const struct lock_info *l)
{
	const struct task_locks *t = task_of(sim_self);

	for (u32 i = t->nheld; i; i--)
		if (held_lock(t->held[i - 1]) == l)
			return t->held[i - 1];
	return 0;
}

bool lock_is_held(const struct lock_info *l)
{
	return held_word(l);
}

bool rwlock_is_held_write(const struct rwlock *l)
{
	u64 held = held_word(&l->info);

	return held && !is_shared(held & LOCK_MODE_MASK);
}

static void assert_failed(const struct lock_info *l, const char *mode)
{
	char held[200];

	lock_held_by(sim_self, held, sizeof(held));
	check_fail("lock-context", l->name, "%s must hold %s%s here, and holds %s",
		   sim_self->name, l->name, mode, *held ? held : "nothing");
}

void lockdep_assert_held(const struct lock_info *l)
{
	if (!lockdep_off() && !held_word(l))
		assert_failed(l, "");
}

void lockdep_assert_held_read(const struct rwlock *l)
{
	u64 held = held_word(&l->info);

	if (!lockdep_off() && (!held || !is_shared(held & LOCK_MODE_MASK)))
		assert_failed(&l->info, " (read)");
}

void lockdep_assert_held_write(const struct rwlock *l)
{
	if (!lockdep_off() && !rwlock_is_held_write(l))
		assert_failed(&l->info, " (write)");
}

/* The first reason why the running actor may not sleep, or NULL. */
static const char *atomic_reason(const struct task_locks *t)
{
	if (t->in_irq)
		return "in an interrupt";
	if (t->callback)
		return "in an RCU callback";
	if (sim_self->irqs_off)
		return "with interrupts off";
	for (u32 i = 0; i < t->nheld; i++) {
		const struct lock_info *l = held_lock(t->held[i]);

		if (l->kind == LOCK_RCU)
			return "inside rcu_read_lock()";
		if (!l->no_spin)
			return l->name;
	}
	return NULL;
}

void might_sleep(const char *what)
{
	const struct task_locks *t = task_of(sim_self);
	const char *why;

	if (lockdep_off())
		return;
	why = atomic_reason(t);
	if (!why)
		return;
	if (strchr(why, ' '))
		check_fail("lock-context", what, "%s may sleep in %s %s", sim_self->name, what, why);
	else
		check_fail("lock-context", what, "%s may sleep in %s and holds %s",
			   sim_self->name, what, why);
}

static void held_at(struct actor *a, const char *what)
{
	struct task_locks *t = task_of(a);
	char held[200];

	if (!t->nheld)
		return;
	lock_held_by(a, held, sizeof(held));
	check_fail("lock-held", held_lock(t->held[0])->name, "%s ends %s and still holds %s",
		   a->name, what, held);
}

void lockdep_check_none_held(const char *what)
{
	if (!lockdep_off())
		held_at(sim_self, what);
}

/* Whoever has nothing left to do must hold nothing; a background actor never ends. */
static void held_at_end(void *ctx)
{
	for (u32 i = 0; i < the_world->nactors; i++) {
		struct actor *a = the_world->actor[i];

		if (a->state == ACTOR_DONE || a->state == ACTOR_PARKED)
			held_at(a, "its run");
	}
}

void lockdep_setup(struct sim *sim)
{
	struct locks *root = locks_of(sim);

	world_set(root->dep, (struct lockdep *)world_carve(sizeof(struct lockdep)));
	world_set(root->since, g_new0(struct lockdep_since, 1));
	check_at_end(sim, held_at_end, NULL);
}

void lockdep_teardown(struct sim *sim)
{
	g_free(locks_of(sim)->since);
}
