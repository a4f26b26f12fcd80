// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several searches in turn, for whoever does not know which would do. What is small is proved
 * at once. What is not is looked at where bugs are: few switches (Musuvathi and Qadeer: most
 * races want one or two), and only where actors meet; then samples, which go where a search
 * from the end of the longest path does not come; then all again with more room. Each round has
 * eight times the last one's, so that what is done twice costs little.
 */
#include "sim/engine/explore_priv.h"
#include "sim/engine/meets.h"

#define STATES		(1ull << 16)	/* of each search of the first round */
#define STATES_SHIFT	3u
#define SAMPLES		256ull
#define SAMPLES_SHIFT	2u
#define SWITCHES	3		/* of the first round; one more in each */
#define OFTEN		4u		/* times of one place in an operation, first round */
#define OFTEN_SHIFT	2u
#define OFTEN_ROUNDS	3u		/* then always */
#define ROUNDS		12u		/* then there is no limit any more */

struct mix {
	struct sim *sim;
	const struct explore_options *opt;
	struct explore_result *res;
	struct meets *meets;
	bool all_met;		/* no switch was left out where actors meet */
};

/* Searches begin anew; what was found and how much was done is kept. */
static void begin(struct explore_result *res, const char *phase)
{
	res->before += res->executions;
	res->before_transitions += res->transitions;
	res->executions = res->transitions = res->states = res->blocked = 0;
	res->depth = 0;
	res->table_bytes = 0;
	res->bounded_by = NULL;
	res->phase = phase;
}

/* Has somebody said that it is enough? */
static bool is_over(const struct explore_result *res)
{
	static const char *const ends[] = { "violation", "time", "interrupt", "memory" };

	for (u32 i = 0; i < ARRAY_SIZE(ends); i++)
		if (!g_strcmp0(res->bounded_by, ends[i]))
			return true;
	return false;
}

static bool all(struct mix *m, u64 states)
{
	struct explore_options o = *m->opt;

	o.driver = EXPLORE_ALL;
	o.preemptions = -1;
	o.states = states;
	o.meets = m->meets;
	begin(m->res, "all ways");
	explore_once(m->sim, &o, m->res);
	return !m->res->bounded_by || is_over(m->res);
}

/* Ways with at most @n switches, again until no word comes anew at which actors meet. */
static bool few(struct mix *m, int n, u32 often, u64 states, bool *whole)
{
	static const char *const names[] = {
		"no switch", "1 switch", "2 switches", "3 switches", "4 switches", "5 switches",
		"6 switches", "7 switches", "8 switches", "9 switches",
	};
	struct explore_options o = *m->opt;
	u64 words;

	o.driver = EXPLORE_ALL;
	o.preemptions = n;
	o.states = states;
	o.meets = m->meets;
	o.focus = true;
	o.often = often;
	do {
		words = meets_words(m->meets);
		begin(m->res, names[MIN((u32)n, ARRAY_SIZE(names) - 1)]);
		explore_once(m->sim, &o, m->res);
		*whole = !m->res->bounded_by || !strcmp(m->res->bounded_by, "preemptions") ||
			 !strcmp(m->res->bounded_by, "laps") ||
			 !strcmp(m->res->bounded_by, "often");
	} while (*whole && meets_words(m->meets) > words);
	m->all_met = *whole && !m->res->bounded_by && !m->res->seldom;
	return is_over(m->res);
}

static bool samples(struct mix *m, u64 n, u32 round)
{
	struct explore_options o = *m->opt;

	o.driver = EXPLORE_PCT;
	o.executions = n;
	o.seed = m->opt->seed + round;
	o.pct_depth = 3 + round % 3;
	o.meets = m->meets;
	o.focus = true;
	o.states = 0;
	begin(m->res, "samples");
	explore_once(m->sim, &o, m->res);
	return is_over(m->res);
}

/* First every place a few times, then more often, at last always. */
static bool all_few(struct mix *m, u32 round, u64 states)
{
	u32 often = round < OFTEN_ROUNDS ? OFTEN << (OFTEN_SHIFT * round) : 0;
	bool whole = true;

	for (int n = m->res->switches_done + 1; whole && !m->all_met && n <= SWITCHES + (int)round;
	     n++) {
		if (few(m, n, often, states, &whole))
			return true;
		if (whole && !m->res->seldom && n == m->res->switches_done + 1)
			m->res->switches_done = n;
	}
	return false;
}

static bool one_round(struct mix *m, u32 round)
{
	u64 states = round < ROUNDS ? STATES << (STATES_SHIFT * round) : 0;

	if (!round)
		return all(m, states) || all_few(m, round, states) || samples(m, SAMPLES, round);
	return all_few(m, round, states) ||
	       samples(m, SAMPLES << (SAMPLES_SHIFT * MIN(round, ROUNDS)), round) ||
	       all(m, states);
}

void explore_mix(struct sim *sim, const struct explore_options *opt, struct explore_result *res)
{
	struct mix m = { .sim = sim, .opt = opt, .res = res, .meets = opt->meets };

	if (!opt->meets)
		m.meets = meets_new();
	for (u32 round = 0; !one_round(&m, round); round++)
		;
	if (res->word == EXPLORE_SAMPLED)
		res->word = EXPLORE_BOUNDED;
	if (!opt->meets)
		meets_free(m.meets);
}
