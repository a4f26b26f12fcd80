// SPDX-License-Identifier: GPL-2.0-only
/*
 * The script scheduler: one row at a time, one actor alone, until its condition. A row that
 * cannot be followed ends the run with the reason. A spin is seen by its state: the same
 * key and the same world at a forget point, with nobody else having moved.
 */
#include <string.h>

#include "sim/engine/explain.h"
#include "sim/engine/hash.h"
#include "sim/engine/lp.h"
#include "sim/engine/priv.h"

/* Loose: turns of one who spins, or waits, while nobody's operation ends */
#define STUCK_OFTEN	4u

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
	s->turn = NULL;
	s->loose = NULL;
}

void script_loose(struct sim *sim, script_lap_fn lap)
{
	sim->script.loose = lap;
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
	sim->script.until = ~0ull;
	sim->script.tired = sim->script.lapped = false;
	if (!sim->script.seen)
		return;
	g_hash_table_remove_all(sim->script.seen);
	g_ptr_array_set_size(sim->script.lap, 0);
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
		actor_set(a->clock, sim->now);
	/* Loose, no row says how long an interrupt is on its way: it is there with the turn. */
	if (sim->script.loose && a != sim->last && lp_irq_arrival(a->lp) != ~0ull &&
	    a->clock < lp_irq_arrival(a->lp))
		actor_set(a->clock, lp_irq_arrival(a->lp));
	return a;
}

/* Somebody who has no row, or time alone, lets @a go on. */
static bool only_time(struct sim *sim, const struct actor *a)
{
	return background(sim) ||
	       (a->mode & MODE_IRQ && !a->irqs_off && lp_irq_arrival(a->lp) != ~0ull);
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

/*
 * Loose: @a cannot go on now. A row with a condition is over; else whoever is in the middle of
 * something goes on, the one first that has tried least. False: all of them have tried enough.
 */
static bool give_way(struct sim *sim, struct actor *a)
{
	struct script *s = &sim->script;
	const struct script_row *row = &s->row[s->at];
	struct actor *b, *next = NULL;

	if (!s->loose)
		return false;
	if (a == row->actor && (row->done || row->before)) {
		row_next(s);
		return true;
	}
	s->stuck[a->id]++;
	for (u32 i = 0; i < the_world->nactors; i++) {
		b = the_world->actor[i];
		if (b->background || b->state == ACTOR_PARKED || b->state == ACTOR_DONE)
			continue;
		if (b != a && s->stuck[b->id] < STUCK_OFTEN &&
		    (!next || s->stuck[b->id] < s->stuck[next->id]))
			next = b;
	}
	if (next)
		s->turn = next;
	return next;
}

/* The one whose turn it was has done what it had. True: that ends the row */
static bool turn_over(struct script *s)
{
	memset(s->stuck, 0, sizeof(s->stuck));
	if (s->turn == s->row[s->at].actor)
		return true;
	s->turn = s->row[s->at].actor;
	return false;
}

static void row_begin(struct sim *sim, const struct script_row *row)
{
	struct script *s = &sim->script;

	s->begun = true;
	s->turn = row->actor;
	memset(s->stuck, 0, sizeof(s->stuck));
	forget_states(sim);
	if (row->begin)
		row->begin(row->ctx);
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
			actor_set(a->clock, sim->now);
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
		struct actor *a;

		if (!s->begun)
			row_begin(sim, row);
		a = s->turn;
		if (s->met) {
			row_next(s);
			continue;
		}
		if (a->state == ACTOR_PARKED || a->state == ACTOR_DONE) {
			if (!turn_over(s))
				continue;
			if (!s->loose && (row->done || row->before))
				return row_over_early(sim, row);
			row_next(s);
			continue;
		}
		if (s->spins) {
			struct actor *helper = background(sim);

			s->spins = false;
			if (helper)	/* it may be what the spin waits for */
				return turn_to(sim, helper);
			if (give_way(sim, a))
				continue;
			explain_spin(sim, a, s->spin_func, s->polled, why, sizeof(why));
			return unreachable(sim, "%s", why);
		}
		if (row->before && a == row->actor && a->pending.site &&
		    row->before(row->ctx, &a->pending)) {
			row_next(s);
			continue;
		}
		if (actor_enabled(a))
			return turn_to(sim, a);
		if (s->loose && !only_time(sim, a) && give_way(sim, a))
			continue;
		return row_blocked(sim, a);
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
	if (s->at < s->n && s->turn && ev->actor == s->turn->id && ev->op != MEM_WRITE &&
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
	if (s->tired && ev->actor == s->turn->id && s->loose(ev))
		s->lapped = true;
	if (row->done && ev->actor == row->actor->id && !(sim_self->mode & MODE_ROOT))
		s->met = row->done(row->ctx, ev);
}

bool script_passed(struct sim *sim, u64 when)
{
	if (sim_self->clock >= when)
		return true;
	if (when < sim->script.until)
		sim->script.until = when;
	return false;
}

/*
 * What time alone will bring to @me: the next deadline that it asked about, or the arrival
 * of an interrupt that is on its way. ~0: nothing
 */
static u64 time_brings(const struct sim *sim, const struct actor *me)
{
	u64 arrival = lp_irq_arrival(me->lp);

	if (arrival <= me->clock)
		arrival = ~0ull;
	return arrival < sim->script.until ? arrival : sim->script.until;
}

/*
 * The same state twice is a spin, unless time decides too: then the actor would go round
 * until the deadline passes, and every lap but the last is left out. Once for each state:
 * whoever comes back to it after that (it sets the deadline anew) does spin. Before that it gets
 * a lap to take an interrupt in that has arrived.
 */
/* It is at a forget point in a state that it was in before, or (loose) is known to spin */
static void spin_seen(struct sim *sim, const struct actor *me, const struct site *site)
{
	struct script *s = &sim->script;

	s->spin_func = site->func;
	s->polled = polled_word(sim, me->id);
	if (s->loose && !s->tired) {
		g_hash_table_remove_all(s->seen);
		g_ptr_array_set_size(s->lap, 0);
		s->tired = true;
		return;
	}
	s->spins = true;
}

void script_forget(struct sim *sim, struct actor *me, const struct site *site)
{
	struct script *s = &sim->script;
	void *jumped = NULL;
	u64 state, next, *key;

	if (sim->opt.sched != SCHED_SCRIPT || s->at >= s->n || s->met || s->spins ||
	    me != s->turn)
		return;
	if (s->tired && s->lapped) {
		spin_seen(sim, me, site);
		return;
	}
	state = hash_fold(world_hash(), me->id + 1u, me->key);
	if (!g_hash_table_lookup_extended(s->seen, &state, NULL, &jumped)) {
		jumped = NULL;
	} else if (!jumped && lp_irq_arrival(me->lp) <= me->clock) {
		jumped = sim;
	} else {
		next = time_brings(sim, me);
		if (jumped == s || next == ~0ull) {
			spin_seen(sim, me, site);
			return;
		}
		me->clock = next;
		s->until = ~0ull;
		jumped = s;
	}
	key = g_new(u64, 1);
	*key = state;
	g_hash_table_replace(s->seen, key, jumped);
	g_ptr_array_set_size(s->lap, 0);
}
