// SPDX-License-Identifier: GPL-2.0-only
/*
 * A simulation's birth and death, and what it owns.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/engine/lockdep.h"
#include "sim/engine/lp.h"
#include "sim/engine/priv.h"
#include "sim/engine/tso_priv.h"

void sim_die(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("septsim: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(3);
}

static void options_default(struct sim_options *o)
{
	if (!o->phys)
		o->phys = 1ull << 30;
	o->phys = (o->phys + PAGE_SIZE - 1) & ~(u64)(PAGE_SIZE - 1);
	if (!o->lps)
		o->lps = 1;
	if (!o->packages)
		o->packages = 1;
	if (o->sched == SCHED_FREE)
		o->carrier = CARRIER_PTHREAD;
	if (o->sched == SCHED_SCRIPT)
		o->keyed = true;	/* a spin is seen by its state */
	if (o->sched == SCHED_SCRIPT || o->sched == SCHED_CLOCK)
		o->timed = true;	/* without time the clock would have nothing to go by */
}

static void costs_select(struct sim *sim)
{
	struct cost_table table;

	if (sim->opt.costs) {
		cost_select(sim->opt.costs, sim->opt.cost_level, sim->cost);
		return;
	}
	cost_init(&table);
	cost_select(&table, COST_TYPICAL, sim->cost);
}

static void root_setup(struct sim *sim)
{
	struct actor *root = &the_world->root;

	*root = (struct actor){
		.id = ACTOR_ROOT, .mode = MODE_ROOT, .sim = sim, .name = "init",
		.horizon = ~0ull, .state = ACTOR_READY,
	};
	sim_self = root;
}

struct sim *sim_new(const struct sim_options *opt)
{
	struct sim *sim = g_aligned_alloc0(1, sizeof(*sim), 64);

	sim->opt = *opt;
	options_default(&sim->opt);
	if (sim_self)
		world_release();	/* of a sim that was never freed (a test that failed) */
	if (!world_map(sim->opt.phys)) {
		fprintf(stderr, "septsim: cannot map the world at %p: %s\n", world_base,
			errno == EEXIST ? "something else lies there" : strerror(errno));
		g_aligned_free(sim);
		return NULL;
	}
	costs_select(sim);
	sim->listeners = g_array_new(FALSE, TRUE, sizeof(struct listener));
	sim->interned = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	sim->driver = &choose_by_sched;
	sim->futex = g_new0(u32, 256);
	pthread_mutex_init(&sim->free_lock, NULL);
	rng_seed(&sim->rng, sim->opt.seed);
	check_setup(sim);
	root_setup(sim);
	arena_setup(sim->opt.phys);
	line_setup(sim);
	lp_setup(sim, sim->opt.lps, sim->opt.packages);
	tlb_setup(sim);
	if (sim->opt.trace)
		trace_ring(sim, sim->opt.trace);
	undo_enable(sim->opt.keyed || sim->opt.logged);
	sim->undo.hashed = sim->opt.keyed;
	sim->undo.keep = opt->keyed || opt->logged;	/* a script alone goes nowhere back */
	return sim;
}

void sim_free(struct sim *sim)
{
	if (!sim)
		return;
	for (u32 i = 0; i < ACTORS_MAX; i++)	/* also of actors that an undo took back */
		carrier_stop(sim, &sim->carrier[i]);
	script_fini(sim);
	tso_fini(sim);
	lockdep_teardown(sim);
	check_fini(sim);
	g_array_unref(sim->listeners);
	g_hash_table_unref(sim->interned);
	g_free(sim->ring);
	g_free(sim->near);
	g_free(sim->undo.entry);
	g_free(sim->futex);
	pthread_mutex_destroy(&sim->free_lock);
	g_aligned_free(sim);
	sim_self = NULL;
	world_release();
}

void sim_limit_cycles(struct sim *sim, u64 cycles)
{
	sim->opt.max_cycles = cycles;
}

void sim_limit_steps(struct sim *sim, u64 more)
{
	sim->opt.max_steps = sim->steps + more;
}

void sim_stop(struct sim *sim)
{
	__atomic_store_n(&sim->stop, 1, __ATOMIC_RELAXED);
	if (sim_is_free(sim))
		free_look_up_all(sim);
}

bool sim_stopping(const struct sim *sim)
{
	return __atomic_load_n(&sim->stop, __ATOMIC_RELAXED) ||
	       __atomic_load_n(&sim->stopping, __ATOMIC_RELAXED);
}

const struct sim_options *sim_options(const struct sim *sim)
{
	return &sim->opt;
}

u64 sim_steps(const struct sim *sim)
{
	u64 n = 0;

	for (u32 i = 0; i < the_world->nactors; i++)
		n += the_world->actor[i]->steps;
	return n;
}

u64 sim_cycles(const struct sim *sim)
{
	u64 most = sim->now;

	for (u32 i = 0; i < the_world->nactors; i++)
		if (the_world->actor[i]->clock > most && !the_world->actor[i]->background)
			most = the_world->actor[i]->clock;
	return most;
}

void *sim_layer(const struct sim *sim, enum sim_layer l)
{
	return sim->layer[l];
}

void sim_on_fault(struct sim *sim, const struct sigaction *action)
{
	sim->on_fault = *action;
	sigaction(SIGSEGV, action, NULL);
}

void sim_set_layer(struct sim *sim, enum sim_layer l, void *p)
{
	sim->layer[l] = p;
}
