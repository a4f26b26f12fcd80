// SPDX-License-Identifier: GPL-2.0-only
/*
 * Forked workers with a pipe each; the parent drains the pipes as they fill, so that no
 * worker waits for its reader.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/engine/farm.h"

struct worker {
	pid_t pid;
	int fd;
	u32 index;
};

struct farm {
	struct farm_result *result;
	struct worker *worker;
	u32 running;
	int (*job)(void *ctx, u32 i, FILE *out);
	void *ctx;
};

static void child(struct farm *f, u32 i, int fd)
{
	FILE *out = fdopen(fd, "w");
	int status = f->job(f->ctx, i, out);

	fclose(out);
	_exit(status & 0xff);
}

static bool start(struct farm *f, u32 i)
{
	struct worker *w = &f->worker[f->running];
	int fd[2];

	if (pipe(fd))
		return false;
	fflush(NULL);
	w->pid = fork();
	if (w->pid < 0) {
		close(fd[0]);
		close(fd[1]);
		return false;
	}
	if (!w->pid) {
		close(fd[0]);
		child(f, i, fd[1]);
	}
	close(fd[1]);
	w->fd = fd[0];
	w->index = i;
	f->running++;
	return true;
}

static void reap(struct farm *f, u32 slot, bool done)
{
	struct worker *w = &f->worker[slot];
	struct farm_result *r = &f->result[w->index];
	int status = 0;

	close(w->fd);
	while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
		;
	r->done = done;
	r->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	r->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	f->worker[slot] = f->worker[--f->running];
}

/* Read what is there; true at the end of the worker's output. */
static bool drain(struct farm *f, struct worker *w)
{
	char buf[4096];
	ssize_t n = read(w->fd, buf, sizeof(buf));

	if (n > 0)
		g_string_append_len(f->result[w->index].out, buf, n);
	return n == 0 || (n < 0 && errno != EINTR);
}

static void wait_some(struct farm *f)
{
	struct pollfd *p = g_new(struct pollfd, f->running);

	for (u32 i = 0; i < f->running; i++)
		p[i] = (struct pollfd){ f->worker[i].fd, POLLIN, 0 };
	if (poll(p, f->running, 200) > 0) {
		for (u32 i = f->running; i-- > 0;)
			if (p[i].revents && drain(f, &f->worker[i]))
				reap(f, i, true);
	}
	g_free(p);
}

struct farm_result *farm_run(u32 n, u32 jobs, int (*job)(void *ctx, u32 i, FILE *out), void *ctx,
			     const volatile bool *stop)
{
	struct farm f = { .job = job, .ctx = ctx, .result = g_new0(struct farm_result, n) };
	u32 next = 0;

	if (!jobs)
		jobs = (u32)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1);
	f.worker = g_new0(struct worker, jobs);
	for (u32 i = 0; i < n; i++)
		f.result[i].out = g_string_new(NULL);
	while ((next < n || f.running) && !(stop && *stop)) {
		while (next < n && f.running < jobs && start(&f, next))
			next++;
		if (!f.running)
			break;	/* not one process to be had: the rest stays undone */
		wait_some(&f);
	}
	while (f.running) {
		kill(f.worker[0].pid, SIGKILL);
		reap(&f, 0, false);
	}
	g_free(f.worker);
	return f.result;
}

void farm_free(struct farm_result *r, u32 n)
{
	for (u32 i = 0; i < n; i++)
		g_string_free(r[i].out, TRUE);
	g_free(r);
}
