// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all locks have in common: their regions, and who waits for which and who holds it,
 * in words. Reads only; the locks themselves are spinlock.c, rwlock.c and so on.
 */
#include <stdio.h>
#include <string.h>

#include "sim/engine/ipi.h"
#include "sim/engine/lock_priv.h"
#include "sim/engine/lockdep.h"
#include "sim/engine/priv.h"
#include "sim/engine/region.h"
#include "sim/engine/text.h"

static const char *spin_class(u64 raw)
{
	return raw & 0xff ? "held" : "free";
}

static void spin_describe(u64 raw, char *buf, size_t n)
{
	snprintf(buf, n, "%s%s", spin_class(raw), raw >> 8 ? ", waited for" : "");
}

static const char *rw_class(u64 raw)
{
	return raw & 0xff ? "write" : raw >> 9 ? "read" : "free";
}

static void rw_describe(u64 raw, char *buf, size_t n)
{
	const char *waiting = raw & 0x100 ? ", write waiting" : "";

	if (!(raw & 0xff) && raw >> 9)
		snprintf(buf, n, "read x%llu%s", (unsigned long long)(raw >> 9), waiting);
	else
		snprintf(buf, n, "%s%s", rw_class(raw), waiting);
}

static const char *mutex_class(u64 raw)
{
	return raw >> 2 ? "held" : "free";
}

static void mutex_describe(u64 raw, char *buf, size_t n)
{
	const struct actor *a = raw >> 2 ? actor_by_id(sim_current(), (u16)((raw >> 2) - 1)) : NULL;

	if (a)
		snprintf(buf, n, "held by %s", a->name);
	else
		snprintf(buf, n, "%s", mutex_class(raw));
}

static const char *done_class(u64 raw)
{
	return raw ? "done" : "pending";
}

static void lock_type_fill(struct region_type *t, enum lock_kind kind)
{
	switch (kind) {
	case LOCK_SPIN:
		world_set(t->class, spin_class);
		world_set(t->describe, spin_describe);
		break;
	case LOCK_RW:
		world_set(t->class, rw_class);
		world_set(t->describe, rw_describe);
		break;
	case LOCK_MUTEX:
		world_set(t->class, mutex_class);
		world_set(t->describe, mutex_describe);
		break;
	case LOCK_WAIT:
		world_set(t->class, done_class);
		break;
	default:	/* SRCU: the index is a number */
		break;
	}
}

/* A type a name: locks of one name are one kind of thing. */
/* The type of that name; @fresh becomes it if there is none. NULL: none, and none given. */
static const struct region_type *lock_type_add(struct locks *root, const char *name,
					       const struct region_type *fresh)
{
	u32 i;

	for (i = 0; i < LOCK_TYPES && root->type[i].name; i++)
		if (!strcmp(root->type[i].name, name))
			return root->type[i].type;
	if (i == LOCK_TYPES)
		sim_die("more than %u names of locks (%s)", LOCK_TYPES, name);
	if (fresh) {
		world_set(root->type[i].type, fresh);
		world_set(root->type[i].name, name);
	}
	return fresh;
}

/* Of two free threads that bring the same name the first wins; allocating takes the lock. */
static const struct region_type *lock_type(const char *name, enum lock_kind kind)
{
	struct locks *root = locks_here();
	const struct region_type *type;
	struct region_type *fresh;

	sim_free_lock(sim_current());
	type = lock_type_add(root, name, NULL);
	sim_free_unlock(sim_current());
	if (type)
		return type;
	fresh = world_alloc(sizeof(*fresh));
	world_set(fresh->name, name);
	lock_type_fill(fresh, kind);
	sim_free_lock(sim_current());
	type = lock_type_add(root, name, fresh);
	sim_free_unlock(sim_current());
	if (type != fresh)
		world_free(fresh, sizeof(*fresh));
	return type;
}

void lock_info_init(struct lock_info *l, const char *name, enum lock_kind kind,
		    const void *word, u8 size)
{
	struct region r = { 0 };

	world_set(l->name, name);
	world_set(l->kind, (u8)kind);
	world_set(l->no_spin, (u8)(kind != LOCK_SPIN && kind != LOCK_RW));
	if (!word)
		return;
	r.type = lock_type(name, kind);
	r.base = (void *)word;
	r.count = 1;
	r.stride = size;
	r.size = size;
	region_add(&r);
}

static const void *lock_word(const struct lock_info *l)
{
	switch (l->kind) {
	case LOCK_SPIN:
		return &container_of(l, struct spinlock, info)->raw.val;
	case LOCK_RW:
		return &container_of(l, struct rwlock, info)->cnts;
	case LOCK_MUTEX:
		return &container_of(l, struct mutex, info)->owner;
	case LOCK_SRCU:
		return &container_of(l, struct srcu, info)->idx;
	case LOCK_WAIT:
		return &container_of(l, struct completion, info)->done;
	default:
		return NULL;
	}
}

void lock_exit(struct lock_info *l)
{
	const void *word = lock_word(l);
	struct region *r = word ? region_at(word) : NULL;

	if (r && r->base == word)
		region_remove(r);
}

void lock_wait_begin(struct lock_info *l, enum lock_mode mode, const void *p)
{
	struct task_locks *t = task_of(sim_self);

	world_set(t->wait, (u64)l | mode);
	world_set(t->wait_p, (u64)p);
}

void lock_wait_end(void)
{
	struct task_locks *t = task_of(sim_self);

	world_set(t->wait, 0);
	world_set(t->wait_p, 0);
}

const char *lock_mode_name(const struct lock_info *l, enum lock_mode mode)
{
	switch (mode) {
	case LOCK_SHARED:
	case LOCK_RECURSIVE:
		return "read";
	case LOCK_SYNC:
		return "grace period";
	default:
		return l->kind == LOCK_RW ? "write" : "exclusive";
	}
}

const char *lock_wait_name(const struct actor *a)
{
	struct lock_info *l = (void *)(task_of(a)->wait & ~LOCK_MODE_MASK);

	return l ? l->name : NULL;
}

const char *lock_held_by(const struct actor *a, char *buf, size_t n)
{
	const struct task_locks *t = task_of(a);

	buf[0] = 0;
	for (u32 i = 0; i < t->nheld; i++) {
		struct lock_info *l = (void *)(t->held[i] & ~LOCK_MODE_MASK);
		enum lock_mode mode = t->held[i] & LOCK_MODE_MASK;

		text_add(buf, n, "%s%s", i ? ", " : "", l->name);
		if (l->kind == LOCK_RW)
			text_add(buf, n, " (%s)", lock_mode_name(l, mode));
	}
	return buf;
}

static void add_holders(struct sim *sim, const struct lock_info *l, char *buf, size_t n)
{
	bool any = false;

	for (u32 i = 0; i < actor_count(sim); i++) {
		const struct actor *a = actor_by_id(sim, (u16)i);
		const struct task_locks *t = task_of(a);

		for (u32 k = 0; k < t->nheld; k++) {
			enum lock_mode mode = t->held[k] & LOCK_MODE_MASK;

			if ((t->held[k] & ~LOCK_MODE_MASK) != (u64)l)
				continue;
			text_add(buf, n, "%s%s", any ? ", " : ", held by ", a->name);
			if (l->kind != LOCK_MUTEX && l->kind != LOCK_SPIN)
				text_add(buf, n, " (%s)", lock_mode_name(l, mode));
			text_add(buf, n, " since cycle %llu",
			    (unsigned long long)lockdep_since(sim, a, k));
			any = true;
		}
	}
}

/* Nobody holds it yet: whoever is before this one in the queue. */
static void add_queue(struct sim *sim, const struct lock_info *l, const struct actor *me,
		      char *buf, size_t n)
{
	bool any = false;

	for (u32 i = 0; i < actor_count(sim); i++) {
		const struct actor *a = actor_by_id(sim, (u16)i);
		const struct task_locks *t = task_of(a);

		if (a == me || (t->wait & ~LOCK_MODE_MASK) != (u64)l)
			continue;
		text_add(buf, n, "%s%s (%s)", any ? ", " : "; also waiting: ", a->name,
		    lock_mode_name(l, t->wait & LOCK_MODE_MASK));
		any = true;
	}
}

/* The call that @l is waited for in, as the kernel writes it. */
static void add_call(const struct lock_info *l, enum lock_mode mode, char *buf, size_t n)
{
	static const char *const calls[] = {
		[LOCK_SPIN] = "spin_lock", [LOCK_MUTEX] = "mutex_lock",
		[LOCK_SRCU] = "synchronize_srcu",
	};

	if (l->kind == LOCK_RW)
		text_add(buf, n, "%s_lock(%s)", lock_mode_name(l, mode), l->name);
	else if (l->kind < ARRAY_SIZE(calls) && calls[l->kind])
		text_add(buf, n, "%s(%s)", calls[l->kind], l->name);
	else
		text_add(buf, n, "%s", l->name);
}

static bool explain_wait(struct sim *sim, const struct actor *a, char *buf, size_t n)
{
	const struct task_locks *t = task_of(a);
	struct lock_info *l = (void *)(t->wait & ~LOCK_MODE_MASK);
	enum lock_mode mode = t->wait & LOCK_MODE_MASK;

	if (!l)
		return false;
	if (l->kind == LOCK_IPI) {
		ipi_explain(sim, (const void *)t->wait_p, buf, n);
		return true;
	}
	buf[0] = 0;
	add_call(l, mode, buf, n);
	add_holders(sim, l, buf, n);
	add_queue(sim, l, a, buf, n);
	return true;
}

bool lock_explain(const void *p, char *buf, size_t n)
{
	struct sim *sim = sim_current();

	for (u32 i = 0; i < actor_count(sim); i++) {
		const struct actor *a = actor_by_id(sim, (u16)i);

		if (a->state == ACTOR_BLOCKED && task_of(a)->wait_p == (u64)p)
			return explain_wait(sim, a, buf, n);
	}
	return false;
}

void lock_setup(struct sim *sim)
{
	struct locks *root = world_carve(sizeof(*root));

	sim_set_layer(sim, LAYER_LOCKS, root);
	lock_info_init(&root->ipi, "IPI", LOCK_IPI, NULL, 0);
	lock_info_init(&root->masked, "its LP's interrupts", LOCK_WAIT, NULL, 0);
}
