// SPDX-License-Identifier: GPL-2.0-only
/*
 * RCU with real grace periods. A reader marks its own word; a grace period marks the words
 * of those inside, and waits until each mark is gone: the reader's unlock wipes it, so a
 * later reader is not waited for. Rests on what kernel/rcu/tree.c promises, not on how it
 * finds out (ticks, context switches, a tree of CPUs).
 */
#include "sim/engine/lock_priv.h"
#include "sim/engine/lp.h"
#include "sim/engine/priv.h"
#include "sim/engine/region.h"

#define RCU_INSIDE	1u
#define RCU_AWAITED	2u	/* a grace period waits for this reader */

static const char *reader_class(u64 raw)
{
	return raw & RCU_AWAITED ? "awaited" : raw ? "reader" : "outside";
}

static const struct region_type rcu_type = {
	.name = "rcu", .class = reader_class, .indexed = true,
};

void rcu_read_lock(void)
{
	struct task_locks *t = task_of(sim_self);

	if (!t->rcu_nest) {
		lockdep_acquire(&locks_here()->rcu.info, LOCK_RECURSIVE);
		mem_write32(&t->rcu, RCU_INSIDE);
		/*
		 * Real threads: the mark must be seen before what follows is read. Linux's
		 * grace period sees to that from its side and readers pay nothing, so under
		 * a scheduler there is no fence to hide a missing one elsewhere.
		 */
		if (in_free_mode())
			mem_fence();
		lockdep_acquired(&locks_here()->rcu.info, LOCK_RECURSIVE);
	}
	world_set(t->rcu_nest, t->rcu_nest + 1);
}

void rcu_read_unlock(void)
{
	struct task_locks *t = task_of(sim_self);

	if (t->rcu_nest > 1) {
		world_set(t->rcu_nest, t->rcu_nest - 1);
		return;
	}
	if (!lockdep_release(&locks_here()->rcu.info))
		return;
	mem_write32(&t->rcu, 0);
	mem_wake(&t->rcu);
	world_set(t->rcu_nest, 0);
	lockdep_released(&locks_here()->rcu.info);
}

bool rcu_read_lock_held(void)
{
	return task_of(sim_self)->rcu_nest;
}

/*
 * One grace period. Under rcu->gp, so that nobody sets a mark that is just being awaited:
 * concurrent callers queue, each with a grace period of its own, where Linux lets them
 * share one.
 */
static void grace_period(struct rcu_state *rcu)
{
	struct locks *root = locks_here();
	u64 marked[ACTORS_MAX / 64] = { 0 };
	u32 n, was;

	/* Asked each time: how many there were when it began no step has said, so no key knows. */
	for (n = 0; n < actor_count(sim_current()); n++) {
		was = mem_cmpxchg32(&root->task[n].rcu, RCU_INSIDE, RCU_INSIDE | RCU_AWAITED);
		if (was == RCU_INSIDE)
			marked[n / 64] |= BIT_ULL(n % 64);
	}
	for (u32 i = 0; i < n; i++)
		if (marked[i / 64] & BIT_ULL(i % 64))
			lock_await32(&rcu->info, LOCK_SYNC, &root->task[i].rcu, RCU_AWAITED, 0);
}

static void rcu_wait(struct rcu_state *rcu)
{
	mutex_lock_bare(&rcu->gp, &rcu->info, LOCK_SYNC);
	grace_period(rcu);
	mutex_unlock_bare(&rcu->gp);
}

void synchronize_rcu(void)
{
	might_sleep("synchronize_rcu");
	rcu_wait(&locks_here()->rcu);
}

/* Oldest first. The list is ours alone by now. */
static struct rcu_cb *reversed(struct rcu_cb *list)
{
	struct rcu_cb *out = NULL, *next;

	for (; list; list = next) {
		next = (struct rcu_cb *)list->next;
		world_set(list->next, (u64)out);
		out = list;
	}
	return out;
}

static void run_callbacks(struct rcu_cb *list)
{
	struct task_locks *t = task_of(sim_self);
	struct rcu_cb *next;

	world_set(t->callback, 1);
	for (; list; list = next) {
		void (*fn)(void *arg) = list->fn;
		void *arg = list->arg;

		next = (struct rcu_cb *)list->next;
		world_free(list, sizeof(*list));
		fn(arg);
	}
	world_set(t->callback, 0);
}

static void rcu_sleep(struct rcu_state *rcu)
{
	if (!in_free_mode()) {
		actor_park("no RCU callbacks");
		return;
	}
	mem_await32(&rcu->bell, 1, 1);
	mem_write32(&rcu->bell, 0);
}

static void rcu_worker(void *arg)
{
	struct rcu_state *rcu = arg;
	u64 list;

	for (;;) {
		actor_forget(0);
		list = mem_xchg64(&rcu->head, 0);
		if (!list) {
			rcu_sleep(rcu);
			continue;
		}
		rcu_wait(rcu);
		run_callbacks(reversed((struct rcu_cb *)list));
	}
}

static void rcu_worker_new(struct sim *sim, struct rcu_state *rcu)
{
	struct actor *a = actor_new(sim, "rcu", 0, rcu_worker, rcu);

	lp_serves(a);
	world_set(rcu->worker, a->id + 1u);
}

static void rcu_ring(struct rcu_state *rcu)
{
	struct sim *sim = sim_current();

	if (sim_is_free(sim)) {
		mem_write32(&rcu->bell, 1);
		mem_wake(&rcu->bell);
	} else if (!rcu->worker) {
		rcu_worker_new(sim, rcu);
	} else {
		actor_unpark(actor_by_id(sim, (u16)(rcu->worker - 1)));
	}
}

void call_rcu(void (*fn)(void *arg), void *arg)
{
	struct rcu_state *rcu = &locks_here()->rcu;
	struct rcu_cb *cb = world_alloc(sizeof(*cb));
	u64 first = mem_read64(&rcu->head), was;

	world_set(cb->fn, fn);
	world_set(cb->arg, arg);
	for (;;) {
		world_set(cb->next, first);
		was = mem_cmpxchg64(&rcu->head, first, (u64)cb);
		if (was == first)
			break;
		first = was;
	}
	rcu_ring(rcu);
}

static void barrier_done(void *arg)
{
	complete(arg);
}

void rcu_barrier(void)
{
	struct completion *c;

	might_sleep("rcu_barrier");
	c = world_alloc(sizeof(*c));
	completion_init(c, "rcu_barrier");
	call_rcu(barrier_done, c);
	wait_for_completion(c);
	lock_exit(&c->info);
	world_free(c, sizeof(*c));
}

void rcu_setup(struct sim *sim)
{
	struct locks *root = locks_of(sim);
	struct rcu_state *rcu = &root->rcu;

	lock_info_init(&rcu->info, "rcu", LOCK_RCU, NULL, 0);
	region_add(&(struct region){
		.type = &rcu_type, .base = &root->task[0].rcu, .count = ACTORS_MAX,
		.stride = sizeof(root->task[0]), .size = 4, .step = 1,
	});
	/* Threads are all started at once there: it cannot come when it is first needed. */
	if (sim_is_free(sim))
		rcu_worker_new(sim, rcu);
}
