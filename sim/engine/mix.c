// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several searches in turn, for whoever does not know which would do. What is small is proved
 * at once. What is not is looked at where bugs are: few switches (Musuvathi and Qadeer: most
 * races want one or two), and only where actors meet; then samples, which go where a search
 * from the end of the longest path does not come; then all again with more room. Each round has
 * eight times the last one's, so that what is done twice costs little.
 */
#include "sim/engine/meets.h"
#include "sim/engine/mix.h"

#define STATES		(1ull << 16)	/* of each search of the first round */
#define STATES_SHIFT	3u
#define SAMPLES		256ull
#define SAMPLES_SHIFT	2u
#define SWITCHES	3		/* of the first round; one more in each */
#define OFTEN		4u		/* times of one place in an operation, first round */
#define OFTEN_SHIFT	2u
#define OFTEN_ROUNDS	3u		/* then always */
#define ROUNDS		12u		/* then there is no limit any more */
#define EVERYWHERE	8u		/* times the states for one switch anywhere */

enum kind { ALL, FEW, SAMPLE, ONE, NONE };

static enum kind kind_of(const struct mix_at *at)
{
	static const enum kind first[] = { ALL, FEW, SAMPLE, NONE },
			       others[] = { ONE, FEW, SAMPLE, ALL, NONE };

	return at->round ? others[at->stage] : first[at->stage];
}

/* Where nobody comes to an end a sample is as long as it may be, and shows no loop. */
static bool is_done_with(const struct mix_at *at)
{
	return kind_of(at) == ONE ? at->all_met || at->switches_done >= 1 :
	       kind_of(at) == SAMPLE && at->endless;
}

/* On to the next stage that has something to do. */
static void next_stage(struct mix_at *at)
{
	at->stage++;
	if (kind_of(at) == NONE) {
		at->stage = 0;
		at->round++;
	}
	if (at->rounds && at->round == at->rounds) {
		at->over = true;
		return;
	}
	if (is_done_with(at)) {
		next_stage(at);
		return;
	}
	if (kind_of(at) != FEW)
		return;
	at->n = at->switches_done + 1;
	at->whole = true;
	if (at->all_met || at->n > SWITCHES + (int)at->round)
		next_stage(at);
}

void mix_begin(struct mix_at *at, const struct explore_options *opt)
{
	*at = (struct mix_at){ .rounds = opt->rounds, .switches_done = -1 };
}

static u64 states_of(const struct mix_at *at)
{
	return at->round < ROUNDS ? STATES << (STATES_SHIFT * at->round) : 0;
}

/* Ways with few switches: first every place a few times, then more often, at last always. */
static const char *few(const struct mix_at *at, struct explore_options *o)
{
	static const char *const names[] = {
		"no switch", "1 switch", "2 switches", "3 switches", "4 switches", "5 switches",
		"6 switches", "7 switches", "8 switches", "9 switches",
	};

	o->driver = EXPLORE_ALL;
	o->preemptions = at->n;
	o->states = states_of(at);
	o->focus = true;
	o->often = at->round < OFTEN_ROUNDS ? OFTEN << (OFTEN_SHIFT * at->round) : 0;
	return names[MIN((u32)at->n, ARRAY_SIZE(names) - 1)];
}

/*
 * The one that matters may be in any of a thousand rounds of a loop. With one switch there are
 * as many ways as a way has places, most of which soon come to what is known: that can be asked.
 */
static const char *one(const struct mix_at *at, struct explore_options *o)
{
	o->driver = EXPLORE_ALL;
	o->preemptions = 1;
	o->states = EVERYWHERE * states_of(at);
	o->focus = true;
	o->often = 0;
	return "1 switch anywhere";
}

static const char *samples(const struct mix_at *at, struct explore_options *o)
{
	o->driver = EXPLORE_PCT;
	o->executions = SAMPLES << (SAMPLES_SHIFT * MIN(at->round, ROUNDS));
	o->seed += at->round;
	o->pct_depth = 3 + at->round % 3;
	o->focus = true;
	o->states = 0;
	return "samples";
}

const char *mix_options(const struct mix_at *at, const struct explore_options *opt,
			struct meets *meets, struct explore_options *o)
{
	*o = *opt;
	o->meets = meets;
	if (kind_of(at) == FEW)
		return few(at, o);
	if (kind_of(at) == ONE)
		return one(at, o);
	if (kind_of(at) == SAMPLE)
		return samples(at, o);
	o->driver = EXPLORE_ALL;
	o->preemptions = -1;
	o->states = states_of(at);
	return "all ways";
}

/* Has somebody said that it is enough? */
static bool is_one_of(const char *by, const char *const *words, u32 n)
{
	for (u32 i = 0; i < n; i++)
		if (!g_strcmp0(by, words[i]))
			return true;
	return false;
}

/* Was nothing but switches, rounds and places left out? */
static bool is_whole(const struct explore_result *res)
{
	static const char *const wholes[] = { "preemptions", "laps", "often" };

	return !res->bounded_by || is_one_of(res->bounded_by, wholes, ARRAY_SIZE(wholes));
}

static void took_one(struct mix_at *at, const struct explore_result *res, bool learned)
{
	if (is_whole(res) && learned)
		return;
	if (is_whole(res)) {
		at->switches_done = MAX(at->switches_done, 1);
		at->all_met = !res->bounded_by;
	}
	next_stage(at);
}

static void took_few(struct mix_at *at, const struct explore_result *res, bool learned)
{
	at->seldom = res->seldom;
	at->whole = is_whole(res);
	/* Again, until no word comes anew at which actors meet. */
	if (at->whole && learned)
		return;
	at->all_met = at->whole && !res->bounded_by && !res->seldom;
	if (at->whole && !res->seldom && at->n == at->switches_done + 1)
		at->switches_done = at->n;
	at->n++;
	if (!at->whole || at->all_met || at->n > SWITCHES + (int)at->round)
		next_stage(at);
}

void mix_took(struct mix_at *at, struct explore_result *res, bool learned)
{
	static const char *const ends[] = {
		"violation", "time", "interrupt", "memory", "checkpoint",
	};

	at->over = is_one_of(res->bounded_by, ends, ARRAY_SIZE(ends)) ||
		   (kind_of(at) == ALL && !res->bounded_by);
	if (at->over)
		return;
	if (kind_of(at) == FEW)
		took_few(at, res, learned);
	else if (kind_of(at) == ONE)
		took_one(at, res, learned);
	else {
		at->endless |= kind_of(at) == SAMPLE && !res->executions;
		next_stage(at);
	}
	if (at->over)
		res->bounded_by = "rounds";
}

void mix_guess(struct mix_at *at)
{
	struct explore_result res = {
		.bounded_by = kind_of(at) == FEW || kind_of(at) == ONE ? "preemptions" : "states",
		.executions = 1,
		.seldom = at->seldom,
	};

	mix_took(at, &res, false);
}

bool mix_same(const struct mix_at *a, const struct mix_at *b)
{
	return a->round == b->round && a->stage == b->stage &&
	       (kind_of(a) != FEW || a->n == b->n);
}

void mix_next_phase(struct explore_result *res, const char *phase)
{
	res->before += res->executions;
	res->before_transitions += res->transitions;
	res->executions = res->transitions = res->states = res->blocked = 0;
	res->depth = 0;
	res->table_bytes = 0;
	res->bounded_by = NULL;
	res->phase = phase;
}

/* One after the other, in this process. */
static void alone(struct sim *sim, const struct explore_options *opt, struct explore_result *res)
{
	struct explore_options o;
	struct mix_at at;

	for (mix_begin(&at, opt); !at.over; res->switches_done = at.switches_done) {
		u64 words = meets_words(opt->meets);

		mix_next_phase(res, mix_options(&at, opt, opt->meets, &o));
		explore_once(sim, &o, res);
		mix_took(&at, res, meets_words(opt->meets) > words);
	}
}

void explore_mix(struct sim *sim, const struct explore_options *opt, struct explore_result *res)
{
	struct explore_options o = *opt;

	if (!opt->meets)
		o.meets = meets_new();
	if (opt->jobs)
		crew_mix(sim, &o, res);
	else
		alone(sim, &o, res);
	if (res->word == EXPLORE_SAMPLED)
		res->word = EXPLORE_BOUNDED;
	if (!opt->meets)
		meets_free(o.meets);
}
