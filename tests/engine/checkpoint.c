// SPDX-License-Identifier: GPL-2.0-only
/*
 * A search that was killed, whichever its driver, goes on from its checkpoint and comes to the
 * same numbers; a checkpoint of something else is refused.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <glib.h>

#include "searches.h"
#include "sim/engine/arena.h"
#include "sim/engine/mem.h"
#include "sim/engine/tso.h"

static char *file_name(void)
{
	return g_strdup_printf("%s/septsim-crew-%d", g_get_tmp_dir(), (int)getpid());
}

/* A search that is killed and goes on, and how large a lock model keeps it busy for a while. */
struct long_search {
	u32 hosts, guests, tries;
	struct explore_options opt;
	/* Another search than of the lock model. */
	struct explore_result *(*of)(const struct long_search *s, struct explore_options opt);
};

static struct explore_result *search(const struct long_search *s, struct explore_options opt)
{
	if (s->of)
		return s->of(s, opt);
	return lock_search(s->hosts, s->guests, s->tries, opt);
}

/* Search in a child that is killed @ms after there is a checkpoint; did it come that far? */
static bool killed_after(const struct long_search *s, struct explore_options opt, u32 ms)
{
	pid_t pid = fork();
	siginfo_t ended;
	int status;

	if (!pid) {
		explore_result_free(search(s, opt));
		_exit(0);
	}
	do {
		g_usleep(1000);
		ended.si_pid = 0;
		assert_int_equal(waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT), 0);
	} while (access(opt.checkpoint, R_OK) && !ended.si_pid);
	g_usleep(ms * 1000);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status);
}

/* Killed, and again while it goes on, with other numbers of processes: nothing tells. */
static void checkpoint(const struct long_search *s)
{
	struct explore_options opt = s->opt;
	struct explore_result *whole, *r;
	char *path = file_name();
	u32 killed = 0, resumed = 0;

	opt.jobs = 1;
	whole = search(s, opt);
	opt.checkpoint = path;
	opt.checkpoint_ms = 1;
	opt.identity = "lock model";
	/* On a busy machine a search may be over before it is kept, or killed: more rounds then. */
	for (u32 round = 0; round < 4 || (round < 40 && !(killed && resumed)); round++) {
		struct explore_options more = opt;

		unlink(path);
		for (u32 i = 0; i < 3; i++) {
			more.jobs = 1 + (round + i) % 2;
			more.resume = access(path, R_OK) ? NULL : path;
			killed += killed_after(s, more, 7 * (round % 4) + 5 * i);
		}
		if (access(path, R_OK))
			continue;	/* it did not come that far */
		resumed++;
		more.resume = path;
		more.checkpoint = NULL;
		r = search(s, more);
		same_result(whole, r);
		explore_result_free(r);
	}
	assert_true(killed > 0 && resumed > 0);
	unlink(path);
	g_free(path);
	explore_result_free(whole);
}

static void test_all(void **state)
{
	static const struct long_search s = { 3, 2, 4, { .preemptions = -1 } };

	checkpoint(&s);
}

static void test_preemptions(void **state)
{
	static const struct long_search s = { 3, 2, 4, { .preemptions = 4 } };

	checkpoint(&s);
}

static void test_samples(void **state)
{
	static const struct long_search pct = {
		3, 2, 4, { .driver = EXPLORE_PCT, .executions = 200000 },
	};
	static const struct long_search uniform = {
		3, 2, 4, { .driver = EXPLORE_RANDOM, .executions = 200000 },
	};

	checkpoint(&pct);
	checkpoint(&uniform);
}

static void test_sleep_sets(void **state)
{
	static const struct long_search s = { 2, 1, 4, { .preemptions = -1, .no_hash = true } };

	checkpoint(&s);
}

/* ---- searches that keep more than states ---- */

struct pair {
	u64 word[2], count[3];
};

static void writer(void *arg)
{
	u64 *count = arg;

	for (u64 i = 0; i < 32; i++)
		mem_write64(count, i);
}

/* Two of these keep each other out for ever, if they want to. */
static void spinner(void *arg)
{
	u64 *lock = arg;

	for (;;) {
		actor_forget(0);
		if (!mem_bts64(lock, 0))
			mem_clear_bit64(lock, 0);
	}
}

/* A word of each writer takes its values while two take a lock in turn. */
static struct explore_result *spin(const struct long_search *s, struct explore_options opt)
{
	struct sim_options so = { .sched = SCHED_CHOOSE, .keyed = true, .lps = 5, .phys = 1 << 20 };
	struct sim *sim = sim_new(&so);
	struct pair *p = world_alloc(sizeof(*p));
	struct explore_result *r;

	for (u32 i = 0; i < s->hosts; i++)
		actor_new(sim, (const char *[]){ "one", "two", "three" }[i], (u16)i, writer,
			  &p->count[i]);
	actor_new(sim, "a", 3, spinner, &p->word[0]);
	actor_new(sim, "b", 4, spinner, &p->word[0]);
	search_begin(sim);
	r = explore(sim, &opt);
	sim_free(sim);
	return r;
}

static void test_livelock(void **state)
{
	static const struct long_search all = {
		3, 0, 0, { .preemptions = -1, .livelock = true }, spin,
	};
	static const struct long_search few = {
		3, 0, 0, { .preemptions = 4, .livelock = true, .keep_going = true }, spin,
	};
	struct explore_result *r = search(&all, all.opt);

	assert_int_equal(r->found->len, 1);
	assert_string_equal(((struct explore_found *)r->found->pdata[0])->id, "livelock");
	explore_result_free(r);
	checkpoint(&all);
	checkpoint(&few);
}

static void test_verify_key(void **state)
{
	static const struct long_search s = { 3, 2, 4, { .preemptions = -1, .verify_key = 4 } };

	checkpoint(&s);
}

static void left(void *arg)
{
	struct pair *p = arg;

	for (u64 i = 1; i <= 3; i++) {
		mem_write64(&p->word[0], i);
		if (mem_read64(&p->word[1]) == i)
			mem_fence();
	}
}

static void right(void *arg)
{
	struct pair *p = arg;

	for (u64 i = 1; i <= 3; i++) {
		mem_write64(&p->word[1], i);
		if (mem_read64(&p->word[0]) == i)
			mem_write64(&p->count[0], i);
	}
}

/* As scenarios/explorer.c does: until no word is shared that is not buffered. */
static struct explore_result *stores(const struct long_search *s, struct explore_options opt)
{
	struct sim_options so = { .sched = SCHED_CHOOSE, .keyed = true, .lps = 3, .phys = 1 << 20 };
	struct sim *sim = sim_new(&so);
	struct pair *p = world_alloc(sizeof(*p));
	struct explore_result *r;
	bool first;

	actor_new(sim, "left", 0, left, p);
	actor_new(sim, "right", 1, right, p);
	actor_new(sim, "third", 2, writer, &p->count[1]);
	search_begin(sim);
	tso_learn(sim);
	r = explore(sim, &opt);
	assert_int_equal(r->found->len, 0);	/* nor a worker that could not go on */
	opt.resume = NULL;
	for (first = !tso_buffers(sim); tso_buffer(sim) || first; first = false) {
		if (first)
			search_begin(sim);
		explore_result_free(r);
		r = explore(sim, &opt);
	}
	sim_free(sim);
	return r;
}

static void test_store_buffers(void **state)
{
	static const struct long_search s = { 0, 0, 0, { .preemptions = -1 }, stores };

	checkpoint(&s);
}

static void test_mix(void **state)
{
	static const struct long_search s = { 3, 2, 4, { .driver = EXPLORE_MIX } };

	checkpoint(&s);
}

/* The rest of this program's words on stderr are of no interest. */
static char *said(struct explore_options opt)
{
	char *path = g_strdup_printf("%s/septsim-crew-said-%d", g_get_tmp_dir(), (int)getpid()), *text;
	int kept = dup(2), fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct explore_result *r;

	fflush(stderr);
	dup2(fd, 2);
	r = lock_search(2, 1, 3, opt);
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
		explore_result_free(lock_search(3, 2, 4, opt));
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_preemptions),
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_sleep_sets),
		cmocka_unit_test(test_mix),
		cmocka_unit_test(test_livelock),
		cmocka_unit_test(test_verify_key),
		cmocka_unit_test(test_store_buffers),
		cmocka_unit_test(test_checkpoint_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
