// SPDX-License-Identifier: GPL-2.0-only
/*
 * The actors of a case as free threads on real atomics, round after round for a time: no
 * schedule, no clock, no events; what holds at the end of a round is checked.
 * Rests on the free scheduler of sim/engine (real loads, stores and LOCKed operations).
 */
#include "scenarios/play_priv.h"
#include "sim/engine/check.h"

/* Init lines keep their order; an actor that is to be stopped inside one cannot be. */
static gboolean take_turns(struct player *pl)
{
	for (guint i = 0; i < pl->ncast; i++)
		pl->cast[i].turn = g_array_new(FALSE, FALSE, sizeof(guint));
	for (guint i = 0; i < pl->c->init->len; i++) {
		const struct scn_cell *cell = pl->c->init->pdata[i];

		if (cell->until && cell->until->kind != SCN_COND_END) {
			play_refuse(pl, &cell->until->loc, "free threads cannot stop in the middle "
				    "of an operation: `%s` is not supported by stress", cell->text);
			return FALSE;
		}
		if (!cell->op)
			continue;
		g_array_append_val(pl->cast[cell->actor].turn, pl->turns);
		pl->turns++;
	}
	pl->turns += pl->ncast;
	return TRUE;
}

static void drop_turns(struct player *pl)
{
	for (guint i = 0; i < pl->ncast; i++)
		if (pl->cast[i].turn)
			g_array_unref(pl->cast[i].turn);
}

static void at_rest(struct player *pl)
{
	pl->checks = checks_new(pl->sim, pl->kvm);
	for (guint i = 1; i < pl->c->tds->len; i++)
		checks_more(pl->checks, pl->vms[i]);
	checks_end(pl->checks);
	for (guint i = 0; i < pl->c->tds->len; i++)
		kmmu_check_end(pl->vms[i]);
}

/* One round. FALSE when it is the last: something broke, was refused, or Ctrl-C. */
static gboolean one_round(struct player *pl, gint64 until)
{
	enum sim_end end;

	pl->free = TRUE;
	pl->turn = pl->turns = 0;
	if (!player_build(pl) || !take_turns(pl)) {
		drop_turns(pl);
		return FALSE;
	}
	end = sim_run(pl->sim);
	if (end == SIM_DONE)
		at_rest(pl);
	drop_turns(pl);
	if (end == SIM_STOPPED)
		pl->res->end = PLAY_STOPPED;
	else if (check_fatal(pl->sim))
		pl->res->end = PLAY_VIOLATION;
	return end == SIM_DONE && !check_fatal(pl->sim) && g_get_monotonic_time() < until;
}

struct play_result *scenario_stress(const struct scenario *sc, const struct scenario_case *c,
				    const struct play_options *opt, double seconds,
				    guint64 *rounds)
{
	gint64 until = g_get_monotonic_time() + (gint64)(seconds * G_USEC_PER_SEC);
	struct player pl;

	player_init(&pl, sc, c, opt);
	pl.res->end = PLAY_DONE;
	for (*rounds = 0; one_round(&pl, until); (*rounds)++)
		player_unbuild(&pl);
	if (pl.refused) {
		player_refused(&pl);
	} else {
		if (pl.sim)
			player_take(&pl);
		pl.res->as_expected = TRUE;
		for (guint i = 0; i < pl.res->violations->len; i++) {
			const struct play_violation *v =
				&g_array_index(pl.res->violations, struct play_violation, i);

			if (!v->tolerated && !expect_foresees(&pl, v))
				pl.res->as_expected = FALSE;
		}
		(*rounds)++;
	}
	player_fini(&pl);
	return pl.res;
}
