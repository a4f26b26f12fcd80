// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events: numbering, listeners, the ring, counters. All record.
 */
#include <string.h>

#include "sim/engine/priv.h"

void trace_event(struct event *ev)
{
	struct actor *me = sim_self;
	struct sim *sim = me->sim;

	ev->seq = sim->seq++;
	ev->clock = me->clock;
	ev->actor = me->id;
	for (u32 i = 0; i < sim->listeners->len; i++) {
		struct listener *l = &g_array_index(sim->listeners, struct listener, i);

		if (!l->calls || ev->type != EV_STEP)
			l->fn(l->ctx, ev);
	}
	if (sim->ring_size)
		sim->ring[sim->ring_count++ % sim->ring_size] = *ev;
	if (sim->opt.sched == SCHED_SCRIPT)
		script_event(sim, ev);
}

static void listen(struct sim *sim, trace_fn fn, void *ctx, bool calls)
{
	struct listener l = { fn, ctx, calls };

	g_array_append_val(sim->listeners, l);
	sched_refresh_modes(sim);
}

void trace_listen(struct sim *sim, trace_fn fn, void *ctx)
{
	listen(sim, fn, ctx, false);
}

void trace_listen_calls(struct sim *sim, trace_fn fn, void *ctx)
{
	listen(sim, fn, ctx, true);
}

void trace_unlisten(struct sim *sim, trace_fn fn, void *ctx)
{
	for (u32 i = 0; i < sim->listeners->len; i++) {
		struct listener *l = &g_array_index(sim->listeners, struct listener, i);

		if (l->fn == fn && l->ctx == ctx) {
			g_array_remove_index(sim->listeners, i);
			break;
		}
	}
	sched_refresh_modes(sim);
}

void trace_ring(struct sim *sim, u32 n)
{
	g_free(sim->ring);
	sim->ring = n ? g_new0(struct event, n) : NULL;
	sim->ring_size = n;
	sim->ring_count = 0;
	sched_refresh_modes(sim);
}

u32 trace_count(const struct sim *sim)
{
	return sim->ring_count < sim->ring_size ? (u32)sim->ring_count : sim->ring_size;
}

const struct event *trace_at(const struct sim *sim, u32 i)
{
	u64 first = sim->ring_count - trace_count(sim);

	return &sim->ring[(first + i) % sim->ring_size];
}

const char *trace_intern(struct sim *sim, const char *text)
{
	char *mine;

	sim_free_lock(sim);
	mine = g_hash_table_lookup(sim->interned, text);
	if (!mine) {
		mine = g_strdup(text);
		g_hash_table_add(sim->interned, mine);
	}
	sim_free_unlock(sim);
	return mine;
}

static const char *const counter_names[COUNTERS] = {
	[COUNT_SEAMCALLS] = "seamcalls", [COUNT_BUSY] = "busy", [COUNT_KICKS] = "kicks",
	[COUNT_IPIS] = "ipis", [COUNT_RETRIES] = "retries", [COUNT_VP_ENTERS] = "vp-enters",
	[COUNT_ZERO_STEP] = "zero-step", [COUNT_EPF] = "epf", [COUNT_GUEST_INSNS] = "guest-insns",
	[COUNT_OPS] = "ops",
};

static u32 counter_slot(const struct actor *a)
{
	return a->mode & MODE_ROOT ? ACTORS_MAX : a->id;
}

void count(enum counter c, u64 n)
{
	sim_self->sim->counters[counter_slot(sim_self)].count[c] += n;
}

u64 count_of(const struct sim *sim, const struct actor *a, enum counter c)
{
	u64 sum = sim->counters[ACTORS_MAX].count[c];

	if (a)
		return sim->counters[counter_slot(a)].count[c];
	for (u32 i = 0; i < the_world->nactors; i++)
		sum += sim->counters[i].count[c];
	return sum;
}

const char *counter_name(enum counter c)
{
	return counter_names[c];
}
