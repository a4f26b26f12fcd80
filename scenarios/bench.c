// SPDX-License-Identifier: GPL-2.0-only
/*
 * A measured run, on the clock scheduler without undo log, keys and step events: the door
 * keeps its fast path, and only measure.c listens. Rests on scenarios/player.c for building.
 */
#include "scenarios/bench.h"

#include <string.h>

#include "scenarios/play_priv.h"
#include "sim/engine/check.h"
#include "sim/engine/rng.h"
#include "sim/engine/undo.h"

static const char *const end_names[BENCH_ENDS] = {
	[BENCH_DONE] = "done", [BENCH_BROKEN] = "broken", [BENCH_DEADLOCK] = "deadlock",
	[BENCH_STUCK] = "stuck", [BENCH_STOPPED] = "stopped", [BENCH_REFUSED] = "refused",
	[BENCH_FAULT] = "fault",
};

const char *bench_end_name(enum bench_end e)
{
	return end_names[e];
}

/* Who waits for whom, in one line */
static char *explain(struct sim *sim)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	char *line;

	sim_explain(sim, f);
	fclose(f);
	g_strdelimit(g_strstrip(text), "\n\t", ' ');
	line = g_strdup(text);
	free(text);
	return line;
}

static void ended(struct player *pl, struct bench_result *r, enum sim_end end)
{
	const struct violation *v;
	char *text;

	switch (end) {
	case SIM_DONE:
		r->end = BENCH_DONE;
		break;
	case SIM_VIOLATION:
		r->end = BENCH_BROKEN;
		v = check_fatal(pl->sim);
		text = player_reads(pl, v->text);
		r->why = g_strdup_printf("%s%s%s: %s", v->id, *v->where ? " " : "", v->where, text);
		g_free(text);
		break;
	case SIM_DEADLOCK:
		r->end = BENCH_DEADLOCK;
		r->why = explain(pl->sim);
		break;
	case SIM_LIMIT:
		r->end = pl->c->limit.cycles ? BENCH_DONE : BENCH_STUCK;
		if (r->end == BENCH_STUCK)
			r->why = explain(pl->sim);
		break;
	default:
		r->end = pl->refused ? BENCH_REFUSED : BENCH_STOPPED;
		break;
	}
}

/* Nobody follows a table here, nor stops in the middle of a line */
static gboolean possible(struct player *pl)
{
	if (pl->c->schedule.rows && pl->c->schedule.rows->len)
		play_refuse(pl, &pl->c->schedule.loc, "bench follows no schedule: give the work to "
			    "`actor` and `guest` sections");
	for (guint i = 0; i < pl->c->init->len; i++) {
		const struct scn_cell *cell = pl->c->init->pdata[i];

		if (cell->until && cell->until->kind != SCN_COND_END)
			play_refuse(pl, &cell->until->loc, "bench plays an init line whole: "
				    "no condition here");
	}
	return !pl->refused;
}

static enum sim_end init_lines(struct player *pl)
{
	enum sim_end end = SIM_DONE;

	for (guint i = 0; i < pl->c->init->len && end == SIM_DONE; i++) {
		const struct scn_cell *cell = pl->c->init->pdata[i];

		if (!cell->op)
			continue;
		cast_give(&pl->cast[cell->actor], PLAN_CELLS, 1);
		end = sim_run(pl->sim);
	}
	return end;
}

/* Everybody starts a little later than the seed's first */
static void start_all(struct player *pl, guint64 jitter)
{
	struct rng rng;

	rng_seed(&rng, pl->opt->seed);
	for (guint i = 0; i < pl->ncast; i++) {
		if (jitter)
			world_set(pl->cast[i].state->late, rng_below(&rng, (u32)jitter));
		cast_give(&pl->cast[i], PLAN_LIST, G_MAXUINT32);
	}
}

/* What comes before cycle @until is not measured. SIM_LIMIT: that is over, and all goes on */
static enum sim_end warm_up(struct player *pl, guint64 until)
{
	if (!pl->sc->measure_after)
		return SIM_LIMIT;
	sim_limit_cycles(pl->sim, until);
	return sim_run(pl->sim);
}

/*
 * A run that its limit ends may have a thread in it that nobody will ever let go on: a host
 * thread that waits since before the second half began. A vCPU may lie in HLT as long as it likes.
 */
static void look_for_starved(struct player *pl, struct bench_result *r, guint64 half)
{
	for (guint i = 0; i < pl->ncast && r->end == BENCH_DONE; i++) {
		const struct cast *a = &pl->cast[i];
		char *who;

		if (!a->actor || a->scn->vcpu >= 0 || a->actor->state != ACTOR_BLOCKED ||
		    a->actor->clock >= half)
			continue;
		who = explain(pl->sim);
		r->end = BENCH_STUCK;
		r->why = g_strdup_printf("%s waits since cycle %" G_GUINT64_FORMAT ": %s",
					 a->scn->name, (guint64)a->actor->clock - pl->base, who);
		g_free(who);
	}
}

static void run(struct player *pl, struct bench_result *r, guint64 jitter)
{
	enum sim_end end = init_lines(pl);
	guint64 base = sim_cycles(pl->sim);

	if (end != SIM_DONE) {
		ended(pl, r, end);
		if (r->end == BENCH_DONE)
			r->end = BENCH_STUCK;
		return;
	}
	start_all(pl, jitter);
	end = warm_up(pl, base + pl->sc->measure_after);
	if (end == SIM_LIMIT) {
		sim_limit_cycles(pl->sim, base + (pl->c->limit.cycles ? pl->c->limit.cycles :
						  BENCH_CYCLES));
		measure_start(r->measure, pl->sim);
		end = sim_run(pl->sim);
		measure_stop(r->measure, pl->sim);
	}
	r->cycles = sim_cycles(pl->sim) - base - pl->sc->measure_after;
	ended(pl, r, end);
	if (end == SIM_LIMIT)
		look_for_starved(pl, r, base + pl->sc->measure_after + r->cycles / 2);
}

struct bench_result *bench_play(const struct scenario *sc, const struct scenario_case *c,
				const struct play_options *opt, guint64 jitter)
{
	struct bench_result *r = g_new0(struct bench_result, 1);
	struct player pl;

	r->measure = measure_new();
	player_init(&pl, sc, c, opt);
	pl.measured = TRUE;
	r->end = BENCH_REFUSED;
	if (possible(&pl) && player_build(&pl))
		run(&pl, r, jitter);
	if (pl.refused) {
		r->end = BENCH_REFUSED;
		g_free(r->why);
		r->why = g_strdup(pl.refused);
	}
	play_result_free(pl.res);
	player_fini(&pl);
	return r;
}

void bench_result_free(struct bench_result *r)
{
	if (!r)
		return;
	measure_free(r->measure);
	g_free(r->why);
	g_free(r);
}

void bench_write(const struct bench_result *r, FILE *out)
{
	char *why = g_strescape(r->why ? r->why : "", NULL);

	fprintf(out, "end\t%s\t%" G_GUINT64_FORMAT "\t%s\n", end_names[r->end], r->cycles, why);
	measure_write(r->measure, out);
	g_free(why);
}

static gboolean read_end(struct bench_result *r, const char *line)
{
	gchar **f = g_strsplit(line, "\t", 4);
	gboolean ok = f[0] && f[1] && f[2] && f[3] && !strcmp(f[0], "end") &&
		      g_ascii_string_to_unsigned(f[2], 10, 0, G_MAXUINT64, &r->cycles, NULL);

	r->end = BENCH_ENDS;
	for (int i = 0; ok && i < BENCH_ENDS; i++)
		if (!strcmp(f[1], end_names[i]))
			r->end = i;
	if (ok && *f[3])
		r->why = g_strcompress(f[3]);
	g_strfreev(f);
	return ok && r->end != BENCH_ENDS;
}

struct bench_result *bench_read(const char *text)
{
	struct bench_result *r = g_new0(struct bench_result, 1);
	gchar **line = g_strsplit(text, "\n", -1);
	gboolean ok;

	r->measure = measure_new();
	ok = line[0] && read_end(r, line[0]);
	for (guint i = 1; ok && line[i]; i++)
		if (*line[i])
			ok = measure_read_line(r->measure, line[i]);
	g_strfreev(line);
	if (ok)
		return r;
	bench_result_free(r);
	return NULL;
}
