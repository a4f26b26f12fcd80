// SPDX-License-Identifier: GPL-2.0-only
/*
 * Searches in processes of their own: the same comes out for any number of them; a model that
 * crashes is a violation with its way; a search that was killed goes on from its checkpoint and
 * comes to the same numbers; a limit of memory ends it before there is none.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <glib.h>

#include "lock_model.h"
#include "sim/engine/arena.h"
#include "sim/engine/check.h"
#include "sim/engine/choose.h"
#include "sim/engine/explore.h"
#include "sim/engine/mem.h"
#include "sim/engine/region.h"
#include "sim/engine/undo.h"

#define JOBS_MAX	3u

static struct explore_result *lock(u32 hosts, u32 guests, u32 tries, struct explore_options opt)
{
	struct sim_options so = { .sched = SCHED_CHOOSE, .keyed = true };
	struct lock_model *m;
	struct sim *sim = lock_model_sim(&so, hosts, guests, tries, &m);
	struct explore_result *r;

	assert_non_null(sim);
	search_begin(sim);
	r = explore(sim, &opt);
	sim_free(sim);
	return r;
}

static void same_found(const struct explore_found *a, const struct explore_found *b)
{
	assert_string_equal(a->id, b->id);
	assert_string_equal(a->where, b->where);
	assert_string_equal(a->text, b->text);
	assert_string_equal(a->site, b->site);
	assert_int_equal(a->executions, b->executions);
	assert_int_equal(a->times, b->times);
	assert_int_equal(a->preemptions, b->preemptions);
	assert_int_equal(a->trail.n, b->trail.n);
	assert_memory_equal(a->trail.v, b->trail.v, a->trail.n * sizeof(u16));
}

static void same_result(const struct explore_result *a, const struct explore_result *b)
{
	assert_int_equal(a->word, b->word);
	assert_int_equal(!a->bounded_by, !b->bounded_by);
	if (a->bounded_by)
		assert_string_equal(a->bounded_by, b->bounded_by);
	assert_int_equal(a->executions, b->executions);
	assert_int_equal(a->states, b->states);
	assert_int_equal(a->transitions, b->transitions);
	assert_int_equal(a->found->len, b->found->len);
	for (u32 i = 0; i < a->found->len; i++)
		same_found(a->found->pdata[i], b->found->pdata[i]);
}

/* ---- proofs ---- */

static void test_states(void **state)
{
	struct explore_options opt = { .preemptions = -1 };

	for (opt.jobs = 1; opt.jobs <= JOBS_MAX; opt.jobs++) {
		struct explore_result *r = lock(3, 2, 3, opt);

		assert_int_equal(r->word, EXPLORE_PROVED);
		assert_int_equal(r->states, 69917);
		assert_int_equal(r->transitions, 285939);
		assert_int_equal(r->jobs, opt.jobs);
		explore_result_free(r);
	}
}

/* Long enough for all to be up, and to give work away from deep in the way. */
static void test_states_long(void **state)
{
	struct explore_options opt = { .preemptions = -1, .jobs = 1 };
	struct explore_result *one = lock(3, 2, 4, opt);

	for (opt.jobs = 2; opt.jobs <= JOBS_MAX; opt.jobs++) {
		struct explore_result *r = lock(3, 2, 4, opt);

		same_result(one, r);
		explore_result_free(r);
	}
	explore_result_free(one);
}

/* With a bound a state may be expanded twice, but what it leads to is counted once. */
static void test_bounds(void **state)
{
	for (int n = 0; n < 6; n++) {
		struct explore_options opt = { .preemptions = n };
		struct explore_result *alone = lock(2, 1, 3, opt), *one = NULL;

		for (opt.jobs = 1; opt.jobs <= JOBS_MAX; opt.jobs++) {
			struct explore_result *r = lock(2, 1, 3, opt);

			assert_int_equal(r->word, alone->word);
			assert_int_equal(r->states, alone->states);
			if (one)
				same_result(one, r);
			else
				one = r;
			if (one != r)
				explore_result_free(r);
		}
		explore_result_free(one);
		explore_result_free(alone);
	}
}

static void test_samples(void **state)
{
	static const enum explore_driver drivers[] = { EXPLORE_RANDOM, EXPLORE_PCT };

	for (u32 d = 0; d < G_N_ELEMENTS(drivers); d++) {
		struct explore_options opt = { .driver = drivers[d], .seed = 5, .executions = 3000 };
		struct explore_result *alone = lock(2, 1, 3, opt);

		for (opt.jobs = 1; opt.jobs <= JOBS_MAX; opt.jobs++) {
			struct explore_result *r = lock(2, 1, 3, opt);

			same_result(alone, r);
			assert_int_equal(alone->depth, r->depth);
			explore_result_free(r);
		}
		explore_result_free(alone);
	}
}

/* ---- violations ---- */

struct pair {
	u64 a, b;
	u32 fault;		/* signal to die of; 0: a broken rule */
};

/* Two words that an observer must not see apart, written one after the other. */
static void writer(void *arg)
{
	struct pair *p = arg;

	for (u64 i = 1; i <= 3; i++) {
		mem_write64(&p->a, i);
		mem_write64(&p->b, i);
	}
}

static void observer(void *arg)
{
	struct pair *p = arg;
	u64 a = mem_read64(&p->a), b;

	b = mem_read64(&p->b);
	if (a == b)
		return;
	if (a == 2 && b == 1 && p->fault)
		kill(getpid(), (int)p->fault);
	check_fail("torn", "pair", "%d and %d", (int)a, (int)b);
}

static struct sim *pair_sim(u32 fault)
{
	struct sim_options so = { .sched = SCHED_CHOOSE, .keyed = true, .lps = 3, .phys = 1 << 20 };
	struct sim *sim = sim_new(&so);
	struct pair *p = world_alloc(sizeof(*p));

	world_set(p->fault, fault);
	actor_new(sim, "writer", 0, writer, p);
	actor_new(sim, "observer", 1, observer, p);
	actor_new(sim, "other", 2, writer, world_alloc(sizeof(*p)));
	search_begin(sim);
	return sim;
}

static bool two_found(void *ctx, const struct explore_result *so_far)
{
	return so_far->found->len >= 2;
}

static void test_found(void **state)
{
	static const struct explore_options ways[] = {
		{ .preemptions = -1 },
		{ .preemptions = -1, .keep_going = true },
		{ .preemptions = -1, .keep_going = true, .enough = two_found },
		{ .preemptions = 1, .keep_going = true },
		{ .driver = EXPLORE_RANDOM, .executions = 2000, .seed = 3 },
		{ .driver = EXPLORE_RANDOM, .executions = 2000, .keep_going = true },
		{ .driver = EXPLORE_PCT, .executions = 2000, .keep_going = true,
		  .enough = two_found },
	};

	for (u32 i = 0; i < G_N_ELEMENTS(ways); i++) {
		struct explore_result *one = NULL;

		for (u32 jobs = 1; jobs <= JOBS_MAX; jobs++) {
			struct explore_options opt = ways[i];
			struct sim *sim = pair_sim(0);
			struct explore_result *r;

			opt.jobs = jobs;
			r = explore(sim, &opt);
			assert_true(r->found->len > 0);
			sim_free(sim);
			if (one)
				same_result(one, r);
			else
				one = r;
			if (one != r)
				explore_result_free(r);
		}
		explore_result_free(one);
	}
}

/* Alone or with others, by the same way: and up to the step that kills it can be replayed. */
static void test_crash(void **state)
{
	static const struct explore_options ways[] = {
		{ .preemptions = -1, .keep_going = true },
		{ .preemptions = 2, .keep_going = true },
		{ .preemptions = -1, .keep_going = true, .no_hash = true },
		{ .driver = EXPLORE_RANDOM, .executions = 5000, .seed = 3, .keep_going = true },
		{ .driver = EXPLORE_PCT, .executions = 5000, .seed = 3, .keep_going = true },
	};

	for (u32 i = 0; i < 2 * G_N_ELEMENTS(ways); i++) {
		struct trail first = { 0 };

		for (u32 jobs = 1; jobs <= JOBS_MAX; jobs++) {
			struct explore_options opt = ways[i / 2];
			struct sim *sim = pair_sim(i % 2 ? SIGSEGV : SIGABRT);
			struct explore_found *f = NULL;
			struct explore_result *r;

			opt.jobs = jobs;
			r = explore(sim, &opt);
			for (u32 k = 0; k < r->found->len; k++)
				if (((struct explore_found *)r->found->pdata[k])->crash)
					f = r->found->pdata[k];
			assert_non_null(f);
			assert_string_equal(f->id, "crash");
			assert_string_equal(f->where, i % 2 ? "SIGSEGV" : "SIGABRT");
			assert_string_equal(f->site, "observer");
			assert_non_null(strstr(f->text, "step of observer"));
			assert_int_not_equal(r->word, EXPLORE_PROVED);
			assert_int_equal(f->trail.v[f->trail.n - 1], 1);	/* the observer */
			if (first.n)
				assert_memory_equal(first.v, f->trail.v, first.n * sizeof(u16));
			else
				first = (struct trail){ g_memdup2(f->trail.v, f->trail.n * 2),
							f->trail.n, f->trail.n };
			/* Without its last step it can be followed here, and does no harm. */
			f->trail.n--;
			f->trail.loop = f->trail.n - 1;
			assert_null(explore_replay(sim, &opt, &f->trail, NULL, NULL));
			f->trail.n++;
			explore_result_free(r);
			sim_free(sim);
		}
		trail_free(&first);
	}
}

/* ---- checkpoints ---- */

static char *file_name(void)
{
	return g_strdup_printf("%s/septsim-crew-%d", g_get_tmp_dir(), (int)getpid());
}

/* Search in a child that is killed after @ms; did it come that far? */
static bool killed_after(struct explore_options opt, u32 ms)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		explore_result_free(lock(3, 2, 4, opt));
		_exit(0);
	}
	g_usleep(ms * 1000);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status);
}

static void checkpoint(struct explore_options opt, u32 tries)
{
	struct explore_options plain = opt;
	struct explore_result *whole = lock(3, 2, tries, plain), *r;
	char *path = file_name();
	u32 killed = 0;

	opt.checkpoint = path;
	opt.checkpoint_ms = 1;
	opt.identity = "lock model";
	for (u32 round = 0; round < 6; round++) {
		struct explore_options more = opt;

		opt.jobs = 1 + round % 2;
		unlink(path);
		for (u32 i = 0; i < 3; i++) {	/* killed again while it goes on */
			more = opt;
			if (!access(path, R_OK))
				more.resume = path;
			killed += killed_after(more, 15 + 23 * round + 10 * i);
		}
		if (access(path, R_OK))
			continue;	/* it did not come that far */
		more.resume = path;
		more.checkpoint = NULL;
		r = lock(3, 2, tries, more);
		same_result(whole, r);
		explore_result_free(r);
	}
	assert_true(killed > 0);
	unlink(path);
	g_free(path);
	explore_result_free(whole);
}

static void test_checkpoint(void **state)
{
	checkpoint((struct explore_options){ .preemptions = -1, .jobs = 1 }, 4);
	checkpoint((struct explore_options){ .preemptions = 4, .jobs = 1 }, 4);
}

static void test_checkpoint_of_samples(void **state)
{
	checkpoint((struct explore_options){ .driver = EXPLORE_PCT, .executions = 200000,
					     .jobs = 1 }, 4);
}

/* The rest of this program's words on stderr are of no interest. */
static char *said(struct explore_options opt)
{
	char *path = g_strdup_printf("%s/septsim-crew-said-%d", g_get_tmp_dir(), (int)getpid()), *text;
	int kept = dup(2), fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct explore_result *r;

	fflush(stderr);
	dup2(fd, 2);
	r = lock(2, 1, 3, opt);
	fflush(stderr);
	dup2(kept, 2);
	close(fd);
	close(kept);
	assert_string_equal(r->bounded_by, "checkpoint");
	assert_int_not_equal(r->word, EXPLORE_PROVED);
	explore_result_free(r);
	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	unlink(path);
	g_free(path);
	return text;
}

static void refuses(struct explore_options opt, const char *why)
{
	char *text = said(opt);

	assert_non_null(strstr(text, why));
	g_free(text);
}

static void test_checkpoint_refused(void **state)
{
	struct explore_options opt = { .preemptions = -1, .jobs = 1, .identity = "one" };
	char *path = file_name(), *text;
	gsize n;

	opt.resume = path;
	refuses(opt, "No such file");
	g_file_set_contents(path, "no checkpoint at all, but long enough", -1, NULL);
	refuses(opt, "no checkpoint of this version");
	opt.resume = NULL;
	opt.checkpoint = path;
	opt.checkpoint_ms = 1;
	unlink(path);
	while (access(path, R_OK))
		explore_result_free(lock(3, 2, 4, opt));
	opt.checkpoint = NULL;
	opt.resume = path;
	opt.identity = "another";
	refuses(opt, "another file, case or search");
	opt.identity = "one";
	assert_true(g_file_get_contents(path, &text, &n, NULL));
	text[n / 2] ^= 1;
	assert_true(g_file_set_contents(path, text, (gssize)n, NULL));
	refuses(opt, "damaged");
	assert_true(g_file_set_contents(path, text, (gssize)n / 2, NULL));
	refuses(opt, "damaged");
	text[n / 2] ^= 1;
	text[30] ^= 1;		/* the hash of the program */
	assert_true(g_file_set_contents(path, text, (gssize)n, NULL));
	refuses(opt, "damaged");
	g_free(text);
	unlink(path);
	g_free(path);
}

/* ---- limits ---- */

static void test_memory(void **state)
{
	struct explore_options opt = { .preemptions = -1, .memory_limit = 4 << 20 };

	for (u32 i = 0; i < JOBS_MAX + 2; i++) {
		struct explore_result *r;

		opt.jobs = i ? MIN(i, JOBS_MAX) : 0;
		opt.livelock = i > JOBS_MAX;	/* not shared */
		r = lock(3, 2, 6, opt);
		assert_int_equal(r->word, EXPLORE_BOUNDED);
		assert_string_equal(r->bounded_by, "memory");
		assert_true(r->table_bytes <= opt.memory_limit);
		assert_true(r->states > (opt.livelock ? 10000 : 30000));
		explore_result_free(r);
	}
}

/* A count that only ever rises: no state is met twice. */
static void leaks(void *arg)
{
	for (;;) {
		actor_forget(0);
		mem_xadd64((u64 *)arg, 1);
	}
}

static void test_no_end(void **state)
{
	static const struct explore_options limits[] = {
		{ .preemptions = -1, .states = 5000 }, { .preemptions = -1, .depth = 3000 },
		{ .preemptions = -1, .memory_limit = 8 << 20 },
	};
	static const char *const words[] = { "states", "depth", "memory" };
	static const struct region_type readers = { .name = "readers" };

	for (u32 i = 0; i < 2 * G_N_ELEMENTS(limits); i++) {
		struct sim_options so = { .sched = SCHED_CHOOSE, .keyed = true, .lps = 2,
					  .phys = 1 << 20 };
		struct explore_options opt = limits[i / 2];
		struct sim *sim = sim_new(&so);
		u64 *count = world_alloc(64);
		struct explore_result *r;

		region_add(&(struct region){ .type = &readers, .base = count, .count = 1,
					     .stride = 8, .size = 8 });
		actor_new(sim, "one", 0, leaks, count);
		actor_new(sim, "two", 1, leaks, count);
		search_begin(sim);
		opt.jobs = 1 + i % 2;
		r = explore(sim, &opt);
		assert_int_equal(r->word, EXPLORE_BOUNDED);
		assert_string_equal(r->bounded_by, words[i / 2]);
		assert_non_null(r->grows);
		assert_non_null(strstr(r->grows, "readers"));
		assert_true(r->grown > 1000);
		explore_result_free(r);
		sim_free(sim);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_states_long),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_crash),
		cmocka_unit_test(test_checkpoint),
		cmocka_unit_test(test_checkpoint_of_samples),
		cmocka_unit_test(test_checkpoint_refused),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
