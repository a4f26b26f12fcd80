// SPDX-License-Identifier: GPL-2.0-only
/*
 * The explorer against its targets, on the HOST_PRIORITY entry lock: 2 hosts and a guest are
 * the base model, 3 hosts and 2 guests the one for rates. Peers' figures on the same models
 * are in docs/performance.md.
 */
#include "bench.h"
#include "sim/engine/explore.h"
#include "tests/engine/lock_model.h"

struct load {
	u32 hosts, guests, tries;
	struct explore_options opt;
	enum { BY_SEARCH, BY_STATE, BY_EXECUTION } unit;
};

static struct sim *model(const struct load *l)
{
	struct sim_options so = { .sched = SCHED_CHOOSE, .keyed = true };
	struct lock_model *m;
	struct sim *sim = lock_model_sim(&so, l->hosts, l->guests, l->tries, &m);

	if (!sim)
		exit(3);
	search_begin(sim);
	return sim;
}

static uint64_t search(void *arg, uint64_t n)
{
	struct load *l = arg;
	struct sim *sim = model(l);
	uint64_t done = 0;

	if (l->unit == BY_SEARCH)	/* a long one, beside what bench() begins with */
		n = (n + 63) / 64;
	while (done < n) {
		struct explore_result *r;

		if (l->opt.driver != EXPLORE_ALL)
			l->opt.executions = n;
		r = explore(sim, &l->opt);
		done += l->unit == BY_SEARCH ? 1 : l->unit == BY_STATE ? r->states : r->executions;
		explore_result_free(r);
	}
	sim_free(sim);
	return done;
}

/* Two processes against one, on a search of a second: by the clock on the wall. */
static bool bench_jobs(struct load *one, struct load *two)
{
	uint64_t n = 1;
	double alone = bench_value_wall(search, one, &n), both = bench_value_wall(search, two, &n);

	printf("%-36s %9.2f ns /state\n", "the same, 6 tries, in a process", alone);
	printf("%-36s %9.2f ns /state, %.2f times as fast (>= 1.90)%s\n", "... in two", both,
	       alone / both, alone / both >= 1.9 ? "" : "  MISSED");
	return alone / both >= 1.9;
}

int main(void)
{
	static struct load base = { 2, 1, 3, { .preemptions = -1 }, BY_SEARCH };
	static struct load rate = { 3, 2, 3, { .preemptions = -1 }, BY_STATE };
	static struct load sleep = { 2, 1, 3, { .preemptions = -1, .no_hash = true }, BY_SEARCH };
	static struct load random = { 2, 1, 3, { .driver = EXPLORE_RANDOM }, BY_EXECUTION };
	static struct load pct = { 2, 1, 3, { .driver = EXPLORE_PCT }, BY_EXECUTION };
	static struct load one = { 3, 2, 6, { .preemptions = -1, .jobs = 1 }, BY_STATE };
	static struct load two = { 3, 2, 6, { .preemptions = -1, .jobs = 2 }, BY_STATE };
	bool ok = true;

	bench_heading();
	ok &= bench("base lock model, all states", "search", 1e6, search, &base);
	ok &= bench("lock model 3 hosts 2 guests", "state", 500, search, &rate);
	ok &= bench("base lock model, sleep sets", "search", 0, search, &sleep);
	ok &= bench("base lock model, random", "execution", 500, search, &random);
	ok &= bench("base lock model, PCT", "execution", 500, search, &pct);
	ok &= bench_jobs(&one, &two);
	return ok ? 0 : 1;
}
