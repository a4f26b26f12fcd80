// SPDX-License-Identifier: GPL-2.0-only
/*
 * The script scheduler: one row at a time, one actor alone, until its condition. A row that
 * cannot be followed ends the run with the reason. A spin is seen by its state: the same
 * key and the same world at a forget point, with nobody else having moved.
 */
#include "sim/engine/explain.h"
#include "sim/engine/hash.h"
#include "sim/engine/lp.h"
#include "sim/engine/priv.h"

void script_set(struct sim *sim, const struct script_row *rows, u32 n)
{
	struct script *s = &sim->script;

	g_free(s->row);
	g_free(s->why);
	s->why = NULL;
	s->row = n ? g_new(struct script_row, n) : NULL;
	for (u32 i = 0; i < n; i++)
		s->row[i] = rows[i];
	s->n = n;
	s->at = 0;
	s->begun = s->met = s->spins = s->over = false;
}

void script_fini(struct sim *sim)
{
	g_free(sim->script.row);
	g_free(sim->script.why);
	if (sim->script.seen)
		g_hash_table_unref(sim->script.seen);
}

void script_after(struct sim *sim, void (*fn)(void *ctx), void *ctx)
{
	sim->script.after = fn;
	sim->script.after_ctx = ctx;
}

void script_stop_after(struct sim *sim, bool stop)
{
	sim->script.stop_after = stop;
}

u32 script_at(const struct sim *sim)
{
	return sim->script.at;
}

const char *script_why(const struct sim *sim)
{
	return sim->script.why ? sim->script.why : "";
}

bool script_paused(const struct sim *sim)
{
	const struct script *s = &sim->script;

	return sim->opt.sched == SCHED_SCRIPT && s->stop_after && s->at >= s->n;
}

static void row_next(struct script *s)
{
	s->at++;
	s->begun = s->met = s->spins = false;
}

static struct actor *unreachable(struct sim *sim, const char *fmt, ...) __printf(2, 3);
static struct actor *unreachable(struct sim *sim, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	g_free(sim->script.why);
	sim->script.why = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	sim->end = SIM_UNREACHABLE;
	sim->stopping = true;
	return NULL;
}

static void forget_states(struct sim *sim)
{
	if (sim->script.seen)
		g_hash_table_remove_all(sim->script.seen);
}

/* A background actor that can run, when the row's own cannot. */
static struct actor *background(struct sim *sim)
{
	for (u32 i = 0; i < the_world->nactors; i++) {
		struct actor *a = the_world->actor[i];

		if (a->background && actor_enabled(a))
			return a;
	}
	return NULL;
}

/* The clock is one for all: whoever gets the turn goes on from the latest time. */
static struct actor *turn_to(struct sim *sim, struct actor *a)
{
	if (a != sim->last)
		forget_states(sim);
	if (a->clock < sim->now)
		world_set(a->clock, sim->now);
	return a;
}

static struct actor *row_blocked(struct sim *sim, struct actor *a)
{
	struct actor *helper = background(sim);
	u64 arrival = a->mode & MODE_IRQ && !a->irqs_off ? lp_irq_arrival(a->lp) : ~0ull;
	char why[400];

	if (helper)
		return turn_to(sim, helper);
	if (arrival != ~0ull) {
		/* Only time has to pass: the interrupt is on its way. */
		if (sim->now < arrival)
			sim->now = arrival;
		return turn_to(sim, a);
	}
	explain_actor(sim, a, why, sizeof(why));
	return unreachable(sim, "%s", why);
}

static struct actor *row_over_early(struct sim *sim, const struct script_row *row)
{
	return unreachable(sim, "%s ended before `%s` happened", row->actor->name, row->text);
}

/* Virtual time takes over: nobody acts before what the rows have shown. */
static void script_over(struct sim *sim)
{
	struct script *s = &sim->script;

	s->over = true;
	if (s->after)
		s->after(s->after_ctx);
	for (u32 i = 0; i < the_world->nactors; i++) {
		struct actor *a = the_world->actor[i];

		if (a->clock < sim->now)
			world_set(a->clock, sim->now);
		if (a->state == ACTOR_READY)
			sched_insert(sim, a);
	}
}

struct actor *script_pick(struct sim *sim)
{
	struct script *s = &sim->script;
	char why[400];

	while (s->at < s->n) {
		struct script_row *row = &s->row[s->at];
		struct actor *a = row->actor;

		if (!s->begun) {
			s->begun = true;
			forget_states(sim);
			if (row->begin)
				row->begin(row->ctx);
		}
		if (s->met) {
			row_next(s);
			continue;
		}
		if (a->state == ACTOR_PARKED || a->state == ACTOR_DONE) {
			if (row->done || row->before)
				return row_over_early(sim, row);
			row_next(s);
			continue;
		}
		if (s->spins) {
			explain_spin(sim, a, why, sizeof(why));
			return unreachable(sim, "%s", why);
		}
		if (row->before && a->pending.site && row->before(row->ctx, &a->pending)) {
			row_next(s);
			continue;
		}
		return actor_enabled(a) ? turn_to(sim, a) : row_blocked(sim, a);
	}
	if (s->stop_after)
		return NULL;
	if (!s->over)
		script_over(sim);
	return sched_clock_pick(sim);
}

void script_event(struct sim *sim, const struct event *ev)
{
	struct script *s = &sim->script;
	const struct script_row *row;

	if (s->at >= s->n || s->met || !s->begun)
		return;
	row = &s->row[s->at];
	if (row->done && ev->actor == row->actor->id && !(sim_self->mode & MODE_ROOT))
		s->met = row->done(row->ctx, ev);
}

void script_forget(struct sim *sim, struct actor *me)
{
	struct script *s = &sim->script;
	u64 *state;

	if (sim->opt.sched != SCHED_SCRIPT || s->at >= s->n || s->met)
		return;
	if (!s->seen)
		s->seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	state = g_new(u64, 1);
	*state = hash_fold(world_hash(), me->id + 1u, me->key);
	if (!g_hash_table_add(s->seen, state))
		s->spins = true;
}
