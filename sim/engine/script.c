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

static void spin_setup(struct script *s)
{
	s->seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	s->written = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
	s->lap = g_ptr_array_new();
}

void script_set(struct sim *sim, const struct script_row *rows, u32 n)
{
	struct script *s = &sim->script;

	if (!s->seen)
		spin_setup(s);
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
	if (!sim->script.seen)
		return;
	g_hash_table_unref(sim->script.seen);
	g_hash_table_unref(sim->script.written);
	g_ptr_array_unref(sim->script.lap);
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

static void forget_states(struct sim *sim)
{
	if (!sim->script.seen)
		return;
	g_hash_table_remove_all(sim->script.seen);
	g_ptr_array_set_size(sim->script.lap, 0);
}

void script_time_matters(struct sim *sim)
{
	forget_states(sim);
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
	char why[800];

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
	char why[800];

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
			explain_spin(sim, a, s->spin_func, s->polled, why, sizeof(why));
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

const struct last_write *script_last_write(const struct sim *sim, const void *p)
{
	return sim->script.written ? g_hash_table_lookup(sim->script.written, p) : NULL;
}

/* Remember who left which word, and what the row's actor looks at in this lap. */
static void watch_step(struct script *s, const struct event *ev)
{
	struct last_write *w;

	if (!s->seen || !ev->p)
		return;
	if (ev->op != MEM_READ && ev->op != MEM_AWAIT && ev->old != ev->value) {
		w = g_new(struct last_write, 1);
		*w = (struct last_write){ ev->clock, ev->seq, ev->actor };
		g_hash_table_insert(s->written, ev->p, w);
	}
	if (s->at < s->n && ev->actor == s->row[s->at].actor->id && ev->op != MEM_WRITE &&
	    s->lap->len < 4096)
		g_ptr_array_add(s->lap, ev->p);
}

/* Of what a spinning actor looks at, the word that somebody else changed last. */
static const void *polled_word(struct sim *sim, u16 me)
{
	const struct script *s = &sim->script;
	const void *found = NULL;
	u64 latest = 0;

	for (u32 i = 0; i < s->lap->len; i++) {
		const void *p = g_ptr_array_index(s->lap, i);
		const struct last_write *w = script_last_write(sim, p);

		if (!w || w->actor == me || (found && w->seq < latest))
			continue;
		found = p;
		latest = w->seq;
	}
	return found;
}

void script_event(struct sim *sim, const struct event *ev)
{
	struct script *s = &sim->script;
	const struct script_row *row;

	if (ev->type == EV_STEP)
		watch_step(s, ev);
	if (s->at >= s->n || s->met || !s->begun)
		return;
	row = &s->row[s->at];
	if (row->done && ev->actor == row->actor->id && !(sim_self->mode & MODE_ROOT))
		s->met = row->done(row->ctx, ev);
}

void script_forget(struct sim *sim, struct actor *me, const char *func)
{
	struct script *s = &sim->script;
	u64 *state, arrival;

	if (sim->opt.sched != SCHED_SCRIPT || s->at >= s->n || s->met)
		return;
	arrival = lp_irq_arrival(me->lp);
	if (arrival != ~0ull && arrival > me->clock)
		forget_states(sim);	/* an interrupt is on its way: this ends by itself */
	state = g_new(u64, 1);
	*state = hash_fold(world_hash(), me->id + 1u, me->key);
	if (!g_hash_table_add(s->seen, state) && !s->spins) {
		s->spins = true;
		s->spin_func = func;
		s->polled = polled_word(sim, me->id);
	}
	g_ptr_array_set_size(s->lap, 0);
}
