// SPDX-License-Identifier: GPL-2.0-only
/*
 * A case in a process of its own: it hands its result back as a trace through a pipe, and
 * if it dies, that is the result. Rests on fork giving the same addresses.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/cli/cli.h"
#include "sim/engine/farm.h"

#define STRESS_GRACE	10.0	/* seconds after which a stress that does not end is hung */

static struct play_result *play(const struct job *job)
{
	struct play_result *r;
	struct play_counter c = { .name = "rounds" };

	if (job->stress <= 0)
		return scenario_play(job->sc, job->c, job->opt);
	r = scenario_stress(job->sc, job->c, job->opt, job->stress, &c.value);
	g_array_append_val(r->counters, c);
	return r;
}

static void child(const struct job *job, int fd)
{
	struct play_result *r = play(job);
	FILE *out = fdopen(fd, "w");

	play_result_write(r, out);
	/* Nothing else of the parent's may be flushed twice or run at exit. */
	if (fclose(out))
		_exit(EXIT_FAULT);
	play_result_free(r);
	_exit(0);
}

/* On a terminal, long work says that it goes on. */
static void show_progress(const struct job *job, gint64 until)
{
	double left = (double)(until - g_get_monotonic_time()) / G_USEC_PER_SEC - STRESS_GRACE;

	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%s%s%s: %.0f s left \033[K\r", job->sc->name,
			*job->c->name ? " " : "", job->c->name, left > 0 ? left : 0);
}

/* Read all; FALSE if the child hung and was ended. */
static gboolean read_all(int fd, pid_t pid, const struct job *job, GString *to)
{
	gint64 until = g_get_monotonic_time() +
		       (gint64)((job->stress + STRESS_GRACE) * G_USEC_PER_SEC);
	char buf[65536];

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (job->stress > 0 && poll(&p, 1, 200) == 0) {
			show_progress(job, until);
			if (g_get_monotonic_time() < until)
				continue;
			kill(pid, SIGKILL);
			return FALSE;
		}
		n = read(fd, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return TRUE;
		g_string_append_len(to, buf, n);
	}
}

static struct play_result *no_result(const struct job *job, enum play_end end, const char *why)
{
	struct play_result *r = play_result_new();

	r->scenario = play_result_str(r, job->sc->name);
	r->title = play_result_str(r, job->sc->title);
	r->case_name = play_result_str(r, job->c->name);
	r->note = play_result_str(r, job->c->variant.text);
	r->end = end;
	r->why = play_result_str(r, why);
	return r;
}

static struct play_result *died(const struct job *job, int status, const char *parse)
{
	struct play_result *r;
	char *why;

	if (WIFSIGNALED(status))
		why = g_strdup_printf("the worker died of signal %d (%s)%s", WTERMSIG(status),
				      g_strsignal(WTERMSIG(status)),
				      job->opt->backend == KMMU_LINUX ?
				      ", in the kernel tree's code perhaps: `septsim explore` "
				      "draws the way there" : "");
	else if (WEXITSTATUS(status))
		why = g_strdup_printf("the worker ended with status %d", WEXITSTATUS(status));
	else
		why = g_strdup_printf("the worker's result cannot be read: %s", parse);
	r = no_result(job, PLAY_FAULT, why);
	g_free(why);
	return r;
}

/* A case that never ends in virtual time does not end on real threads either. */
static gboolean expects_hang(const struct scenario_case *c)
{
	for (guint i = 0; i < c->expects->len; i++) {
		const struct scn_expect *e = c->expects->pdata[i];

		if (e->kind == SCN_EXPECT_LIVELOCK || e->kind == SCN_EXPECT_DEADLOCK ||
		    e->kind == SCN_EXPECT_STARVATION || e->kind == SCN_EXPECT_UNREACHABLE)
			return TRUE;
	}
	return FALSE;
}

static struct play_result *collect(const struct job *job, int fd, pid_t pid)
{
	GString *text = g_string_new(NULL);
	struct play_result *r = NULL;
	GPtrArray *all = NULL;
	GError *err = NULL;
	gboolean whole = read_all(fd, pid, job, text);
	int status;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!whole) {
		r = no_result(job, PLAY_LIMIT, "the threads were still running long after the "
			      "time was up: a livelock, or a wait that nobody ends");
		r->as_expected = expects_hang(job->c);
	}
	else if (WIFEXITED(status) && !WEXITSTATUS(status))
		all = play_results_read("worker", text->str, text->len, &err);
	if (all) {
		r = g_ptr_array_steal_index(all, 0);
		g_ptr_array_unref(all);
	} else if (!r) {
		r = died(job, status, err ? err->message : "");
	}
	g_clear_error(&err);
	g_string_free(text, TRUE);
	return r;
}

struct play_result *worker_play(const struct job *job, gboolean in_process)
{
	struct play_result *r;
	int fd[2];
	pid_t self = getpid(), pid;

	if (in_process)
		return play(job);
	fflush(NULL);
	if (pipe(fd))
		return no_result(job, PLAY_FAULT, g_strerror(errno));
	pid = fork();
	if (pid < 0) {
		close(fd[0]);
		close(fd[1]);
		return no_result(job, PLAY_FAULT, g_strerror(errno));
	}
	if (!pid) {
		farm_child(self);
		close(fd[0]);
		child(job, fd[1]);
	}
	close(fd[1]);
	r = collect(job, fd[0], pid);
	close(fd[0]);
	return r;
}
