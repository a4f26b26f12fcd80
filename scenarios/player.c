// SPDX-License-Identifier: GPL-2.0-only
/*
 * One case, from its words to its verdict: init lines alone; rows; virtual time; the
 * judge. Rests on sim/engine/script.h for rows.
 */
#include "scenarios/player.h"

#include <string.h>

#include "scenarios/play_priv.h"
#include "sim/engine/check.h"
#include "sim/engine/script.h"

/* Steps in which nobody gets anywhere: a thousand laps of the longest retry loop. */
#define STUCK_WINDOW	100000u

/* What sim_stop() has to reach from a signal handler. */
static struct sim *volatile playing;
static volatile int stop_asked;

void scenario_play_stop(void)
{
	struct sim *sim = playing;

	stop_asked = 1;
	if (sim)
		sim_stop(sim);
}

void player_stoppable(struct sim *sim)
{
	playing = sim;
	if (sim && stop_asked)
		sim_stop(sim);
}

/* One row of init or schedule while it is played. */
struct row {
	struct cast *a;
	const struct scn_cell *cell;
	struct watch watch;
};

/* ---- rows ---- */

static gboolean has_work(const struct cast *a)
{
	for (int plan = 0; plan < PLANS; plan++)
		if (a->state->taken[plan] < a->state->given[plan])
			return TRUE;
	return a->actor->state != ACTOR_PARKED;
}

/* A cell without an operation: go on, or start the next one of the actor's own list. */
static void row_begin(void *ctx)
{
	struct row *row = ctx;
	struct player *pl = row->a->pl;
	const char *why = NULL;

	if (row->cell->op)
		cast_give(row->a, PLAN_CELLS, 1);
	else if (!has_work(row->a) || !row->a->actor->steps)
		cast_give(row->a, PLAN_LIST, 1);
	if (row->cell->until && !watch_start(&row->watch, pl->sim, row->cell->until, &why)) {
		play_refuse(pl, &row->cell->until->loc, "%s", why);
		sim_stop(pl->sim);
	}
}

/* The rows' callbacks get the row; the watch is in it. */
static bool watch_done_row(void *ctx, const struct event *ev)
{
	return watch_done(&((struct row *)ctx)->watch, ev);
}

static bool watch_before_row(void *ctx, const struct pending *next)
{
	return watch_before(&((struct row *)ctx)->watch, next);
}

static bool watch_before_row_event(void *ctx, const struct event *ev)
{
	return watch_before_event(&((struct row *)ctx)->watch, ev);
}

static void row_fill(struct script_row *r, struct row *row)
{
	const struct scn_cond *c = row->cell->until;

	r->actor = row->a->actor;
	r->begin = row_begin;
	r->ctx = row;
	r->text = row->cell->text;
	/* "end" is the operation's: until the actor has nothing to do. */
	if (!c || c->kind == SCN_COND_END)
		return;
	row->watch.cond = c;
	r->timeout = c->kind == SCN_COND_TIMEOUT;
	if (c->before) {
		r->before = watch_before_row;
		r->done = watch_before_row_event;
	} else {
		r->done = watch_done_row;
	}
}

static struct row *rows_set(struct player *pl, const GPtrArray *cells)
{
	guint n = cells ? cells->len : 0;
	struct script_row *script = g_new0(struct script_row, n + 1);
	struct row *rows = g_new0(struct row, n + 1);

	for (guint i = 0; i < n; i++) {
		rows[i].cell = cells->pdata[i];
		rows[i].a = &pl->cast[rows[i].cell->actor];
		row_fill(&script[i], &rows[i]);
	}
	script_set(pl->sim, script, n);
	g_free(script);
	return rows;
}

/* The rows are used up: everybody does the rest in virtual time. */
static void give_rest(void *ctx)
{
	struct player *pl = ctx;

	checks_alone(pl->checks, FALSE);
	for (guint i = 0; i < pl->ncast; i++)
		for (int plan = 0; plan < PLANS; plan++)
			cast_give(&pl->cast[i], plan, G_MAXUINT32);
}

/* ---- phases ---- */

/* A try of a page fault: what goes round in both KVMs goes round by it. */
static bool fault_ends(const struct event *ev)
{
	return ev->type == EV_RETURN && !strcmp(ev->name, "kvm_mmu_do_page_fault");
}

static void cycle_zero(struct player *pl)
{
	guint n = actor_count(pl->sim);

	pl->base = sim_cycles(pl->sim);
	pl->base_steps = sim_steps(pl->sim);
	pl->base_count_of = g_new0(guint64, (n + 1) * COUNTERS);
	for (guint c = 0; c < COUNTERS; c++) {
		pl->base_count[c] = count_of(pl->sim, NULL, c);
		for (guint i = 0; i < n; i++)
			pl->base_count_of[i * COUNTERS + c] =
				count_of(pl->sim, actor_by_id(pl->sim, (u16)i), c);
	}
	pl->started = TRUE;
	expect_start(pl);
}

static gboolean phase(struct player *pl, const GPtrArray *cells, gboolean init)
{
	struct row *rows = rows_set(pl, cells);
	enum sim_end end;
	char *text;

	checks_alone(pl->checks, TRUE);
	script_stop_after(pl->sim, init);
	if (!init && pl->c->schedule.loose)
		script_loose(pl->sim, fault_ends);
	if (!init)
		script_after(pl->sim, give_rest, pl);
	end = sim_run(pl->sim);
	switch (end) {
	case SIM_DONE:
		pl->res->end = PLAY_DONE;
		break;
	case SIM_VIOLATION:
		pl->res->end = PLAY_VIOLATION;
		break;
	case SIM_DEADLOCK:
		pl->res->end = PLAY_DEADLOCK;
		break;
	case SIM_UNREACHABLE:
		pl->res->end = PLAY_UNREACHABLE;
		player_why_unreachable(pl, cells, init);
		break;
	case SIM_LIMIT:
		pl->res->end = PLAY_LIMIT;
		text = g_strdup_printf("%" G_GUINT64_FORMAT " steps, cycle %" G_GUINT64_FORMAT,
				       sim_steps(pl->sim) - pl->base_steps,
				       sim_cycles(pl->sim) - pl->base);
		pl->res->why = play_result_str(pl->res, text);
		g_free(text);
		break;
	case SIM_STOPPED:
		pl->res->end = PLAY_STOPPED;
		break;
	}
	g_free(rows);
	return end == SIM_DONE;
}

static void at_end(void *ctx)
{
	struct player *pl = ctx;

	if (pl->checks)
		checks_end(pl->checks);
	/* Of a VM that is dead it only notes leaks: they are the consequence. */
	for (guint i = 0; i < pl->c->tds->len; i++)
		kmmu_check_end(pl->vms[i]);
}

/* ---- life ---- */

void player_init(struct player *pl, const struct scenario *sc,
		 const struct scenario_case *c, const struct play_options *opt)
{
	memset(pl, 0, sizeof(*pl));
	pl->sc = sc;
	pl->c = c;
	pl->opt = opt;
	pl->td = c->tds->pdata[0];
	pl->res = play_result_new();
	pl->seen = g_array_new(FALSE, TRUE, sizeof(struct seen));
	pl->named = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	pl->observed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	pl->tallies = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	pl->called = g_new0(guint64, ACTORS_MAX + 1);
	pl->calls_td = g_new0(const char *, ACTORS_MAX + 1);
	pl->touched = g_new0(const void *, ACTORS_MAX + 1);
	pl->refused_by = g_new0(const char *, ACTORS_MAX + 1);
	pl->holders = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
	pl->tolerated = g_hash_table_new(g_direct_hash, g_direct_equal);
	player_describe(pl);
	play_note_names(pl);
	expect_prepare(pl);
}

void player_unbuild(struct player *pl)
{
	player_stoppable(NULL);
	if (pl->sim)
		sim_free(pl->sim);
	pl->sim = NULL;
	checks_free(pl->checks);
	pl->checks = NULL;
	for (guint i = 0; i < pl->ncast; i++) {
		g_ptr_array_unref(pl->cast[i].plan[PLAN_CELLS]);
		g_ptr_array_unref(pl->cast[i].plan[PLAN_LIST]);
		play_guest_free(pl->cast[i].guest);
	}
	g_clear_pointer(&pl->cast, g_free);
	g_clear_pointer(&pl->base_count_of, g_free);
	pl->ncast = 0;
}

void player_fini(struct player *pl)
{
	player_unbuild(pl);
	g_array_free(pl->seen, TRUE);
	g_hash_table_unref(pl->named);
	g_hash_table_unref(pl->observed);
	g_hash_table_unref(pl->tallies);
	g_free(pl->called);
	g_free(pl->calls_td);
	g_free(pl->touched);
	g_free(pl->refused_by);
	g_hash_table_unref(pl->holders);
	g_hash_table_unref(pl->tolerated);
	g_free(pl->refused);
}

void player_refused(struct player *pl)
{
	pl->res->end = PLAY_REFUSED;
	pl->res->why = play_result_str(pl->res, pl->refused);
	pl->res->as_expected = FALSE;
}

/* Each VM has rules of its own, and each actor is one VM's. */
static void watch_vms(struct player *pl)
{
	struct checks *k[SCN_MAX_TDS] = { pl->checks };

	for (guint i = 1; i < pl->c->tds->len; i++)
		k[i] = checks_more(pl->checks, pl->vms[i]);
	for (guint i = 0; i < pl->ncast; i++)
		pl->cast[i].checks = k[pl->cast[i].scn->td];
}

gboolean player_start(struct player *pl)
{
	if (!player_build(pl))
		return FALSE;
	pl->checks = checks_new(pl->sim, pl->kvm);
	watch_vms(pl);
	check_at_end(pl->sim, at_end, pl);
	return TRUE;
}

gboolean player_init_lines(struct player *pl)
{
	if (!phase(pl, pl->c->init, TRUE))
		return FALSE;
	cycle_zero(pl);
	return TRUE;
}

void player_rows(struct player *pl)
{
	phase(pl, pl->c->schedule.rows, FALSE);
}

void player_open(struct player *pl)
{
	give_rest(pl);
}

struct play_result *player_end(struct player *pl)
{
	if (pl->refused)
		player_refused(pl);
	player_fini(pl);
	return pl->res;
}

struct play_result *scenario_play(const struct scenario *sc, const struct scenario_case *c,
				  const struct play_options *opt)
{
	struct player pl;

	player_init(&pl, sc, c, opt);
	if (player_start(&pl)) {
		checks_progress(pl.checks, c->limit.progress, STUCK_WINDOW);
		play_record_start(&pl);
		if (player_init_lines(&pl))
			player_rows(&pl);
		play_record_stop(&pl);
		player_take(&pl);
		if (!pl.refused)
			expect_judge(&pl);
	}
	return player_end(&pl);
}
