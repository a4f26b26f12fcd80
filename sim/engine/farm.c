// SPDX-License-Identifier: GPL-2.0-only
/*
 * Forked workers with a pipe each; the parent drains the pipes as they fill, so that no
 * worker waits for its reader. A worker takes the next job from a counter that all share and
 * does as many as its stint has: a fork copies the page tables of its parent, which for 10^4
 * short jobs costs more than the jobs. What a job wrote comes as one frame.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/engine/farm.h"

#define NO_JOB		UINT32_MAX

/* Before the text of a job */
struct frame {
	u32 index;
	int status;
	u64 bytes;
};

struct worker {
	pid_t pid;
	int fd;
	u32 seat;		/* its place in struct shared */
	GString *in;		/* read, and not a whole frame yet */
};

/* What parent and workers see */
struct shared {
	u32 next;		/* job that nobody has taken */
	u32 at[];		/* job of a seat; a crash is that job's */
};

struct farm {
	const struct farm_work *work;
	struct farm_result *result;
	struct worker *worker;
	struct shared *shared;
	bool *seat_taken, *blamed;	/* of a seat; of a job that a worker died of */
	u32 jobs, running;
};

/* ---- the worker ---- */

/*
 * The seat says first which job it is about to take: who dies in between is blamed for a job
 * that another may take and finish, and then it is finished.
 */
static u32 take(struct farm *f, u32 seat)
{
	u32 i = __atomic_load_n(&f->shared->next, __ATOMIC_RELAXED);

	do {
		if (i >= f->work->n)
			return NO_JOB;
		__atomic_store_n(&f->shared->at[seat], i, __ATOMIC_RELAXED);
	} while (!__atomic_compare_exchange_n(&f->shared->next, &i, i + 1, false,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return i;
}

static void send_all(int fd, const void *from, size_t n)
{
	const char *p = from;

	while (n) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			_exit(1);	/* nobody listens any more */
		p += done;
		n -= (size_t)done;
	}
}

void farm_child(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);	/* it was quicker */
}

static void child(struct farm *f, u32 seat, int fd)
{
	u32 i, left = f->work->stint;

	while ((i = take(f, seat)) != NO_JOB) {
		struct frame frame = { .index = i };
		char *text;
		size_t n;
		FILE *out = open_memstream(&text, &n);

		frame.status = f->work->job(f->work->ctx, i, out) & 0xff;
		fclose(out);
		frame.bytes = n;
		send_all(fd, &frame, sizeof(frame));
		send_all(fd, text, n);
		free(text);
		if (!--left)	/* 0 was as many as there are: it wraps */
			break;
	}
	_exit(0);
}

/* ---- the parent ---- */

static bool start(struct farm *f)
{
	struct worker *w = &f->worker[f->running];
	u32 seat = 0;
	pid_t self = getpid();
	int fd[2];

	while (f->seat_taken[seat])
		seat++;
	if (pipe(fd))
		return false;
	f->shared->at[seat] = NO_JOB;
	fflush(NULL);
	w->pid = fork();
	if (w->pid < 0) {
		close(fd[0]);
		close(fd[1]);
		return false;
	}
	if (!w->pid) {
		farm_child(self);
		close(fd[0]);
		child(f, seat, fd[1]);
	}
	close(fd[1]);
	w->fd = fd[0];
	w->seat = seat;
	w->in = g_string_new(NULL);
	f->seat_taken[seat] = true;
	f->running++;
	return true;
}

/* A worker that ended between two jobs owes nothing; else it died of the one that it had. */
static void reap(struct farm *f, u32 slot, bool stopped)
{
	struct worker *w = &f->worker[slot];
	u32 i = f->shared->at[w->seat];
	int status = 0;

	close(w->fd);
	while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!stopped && i != NO_JOB && !f->result[i].done) {
		f->blamed[i] = true;
		f->result[i].status = -1;
		f->result[i].signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	}
	g_string_free(w->in, TRUE);
	f->seat_taken[w->seat] = false;
	f->worker[slot] = f->worker[--f->running];
}

static void finish(struct farm *f, u32 i)
{
	struct farm_result *r = &f->result[i];

	r->done = true;
	if (!f->work->taken)
		return;
	f->work->taken(f->work->ctx, i, r);
	g_string_free(r->out, TRUE);
	r->out = g_string_new(NULL);
}

/* The frames that are whole by now */
static void unpack(struct farm *f, GString *in)
{
	size_t at = 0;
	struct frame x;

	while (in->len - at >= sizeof(x)) {
		struct farm_result *r;

		memcpy(&x, in->str + at, sizeof(x));
		if (in->len - at - sizeof(x) < x.bytes)
			break;
		r = &f->result[x.index];
		g_string_append_len(r->out, in->str + at + sizeof(x), (gssize)x.bytes);
		r->status = x.status;
		r->signal = 0;
		finish(f, x.index);
		at += sizeof(x) + x.bytes;
	}
	g_string_erase(in, 0, (gssize)at);
}

/* Read what is there; true at the end of the worker's output. */
static bool drain(struct farm *f, struct worker *w)
{
	char buf[65536];
	ssize_t n = read(w->fd, buf, sizeof(buf));

	if (n > 0) {
		g_string_append_len(w->in, buf, n);
		unpack(f, w->in);
	}
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
				reap(f, i, false);
	}
	g_free(p);
}

static bool jobs_left(const struct farm *f)
{
	return __atomic_load_n(&f->shared->next, __ATOMIC_RELAXED) < f->work->n;
}

static void run(struct farm *f)
{
	const volatile bool *stop = f->work->stop;

	while ((jobs_left(f) || f->running) && !(stop && *stop)) {
		while (jobs_left(f) && f->running < f->jobs && start(f))
			;
		if (!f->running)
			break;	/* not one process to be had: the rest stays undone */
		wait_some(f);
	}
	while (f->running) {
		kill(f->worker[0].pid, SIGKILL);
		reap(f, 0, true);
	}
	for (u32 i = 0; i < f->work->n; i++)
		if (f->blamed[i] && !f->result[i].done)
			finish(f, i);
}

struct farm_result *farm_run(const struct farm_work *work)
{
	struct farm f = { .work = work, .jobs = work->jobs,
			  .result = g_new0(struct farm_result, work->n) };
	size_t bytes;

	if (!f.jobs)
		f.jobs = (u32)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1);
	f.jobs = MIN(f.jobs, MAX(work->n, 1));
	for (u32 i = 0; i < work->n; i++)
		f.result[i].out = g_string_new(NULL);
	bytes = sizeof(*f.shared) + f.jobs * sizeof(u32);
	f.shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (f.shared == MAP_FAILED)
		return f.result;	/* nothing is done */
	f.worker = g_new0(struct worker, f.jobs);
	f.seat_taken = g_new0(bool, f.jobs);
	f.blamed = g_new0(bool, work->n);
	run(&f);
	munmap(f.shared, bytes);
	g_free(f.blamed);
	g_free(f.seat_taken);
	g_free(f.worker);
	return f.result;
}

void farm_free(struct farm_result *r, u32 n)
{
	for (u32 i = 0; i < n; i++)
		g_string_free(r[i].out, TRUE);
	g_free(r);
}
