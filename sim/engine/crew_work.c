// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processes of a crew: how they are born, and what is known of one that dies.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/engine/crew_lead.h"

/* What was found before is known to it, too: whether that is enough is for it to say. */
static GPtrArray *known_before(const struct leader *l)
{
	GPtrArray *found = g_ptr_array_new_with_free_func(explore_found_free);

	for (u32 i = 0; i < l->x->res->found->len; i++)
		g_ptr_array_add(found, l->x->res->found->pdata[i]);
	return found;
}

static void dress(const struct leader *l, u32 me)
{
	static const int deadly[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTRAP };

	for (u32 i = 0; i < G_N_ELEMENTS(deadly); i++)
		signal(deadly[i], SIG_DFL);
	if (l->x->sim->on_fault.sa_flags & SA_SIGINFO)
		sigaction(SIGSEGV, &l->x->sim->on_fault, NULL);
	signal(SIGINT, SIG_IGN);	/* the leader hears it */
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != l->self)
		_exit(3);
}

static __noreturn void worker(struct leader *l, u32 me, int fd)
{
	struct crew *crew = l->crew;
	struct crew_worker *w = &crew->worker[me];
	struct explore x = { .sim = l->x->sim, .res = &w->res, .out = &w->out };
	struct explore_options opt = *l->x->opt;
	struct crew_self c = { .crew = crew, .me = me, .fd = fd, .x = &x };
	struct choose_driver driver = { inner_pick, &x.inner };

	dress(l, me);
	opt.tick = NULL;
	opt.jobs = 0;
	x.opt = &opt;
	x.res->found = known_before(l);
	x.res->before = l->x->res->before + l->base.res.executions;
	x.sim->box = w->box;
	c.told = x.res->found->len;
	c.verified = l->base.verified;
	c.stretch = g_byte_array_new();
	c.backlog = g_ptr_array_new();
	for (u32 i = me; i < l->start->len; i += crew->workers)
		g_ptr_array_add(c.backlog, l->start->pdata[i]);
	choose_drive(x.sim, &driver);
	if (l->apart && opt.apart)
		opt.apart(opt.ctx);
	if (leader_samples(l))
		crew_sample(&c);
	else
		crew_dfs(&c);
	crew_say_end(&c);
	_exit(0);
}

static void know(struct leader *l, struct member *m)
{
	const GPtrArray *found = l->x->res->found;

	m->known = g_array_new(FALSE, FALSE, sizeof(struct known));
	for (u32 i = 0; i < found->len; i++) {
		struct known k = { i, ((struct explore_found *)found->pdata[i])->times };

		g_array_append_val(m->known, k);
	}
}

static void start(struct leader *l, u32 me)
{
	struct member *m = &l->member[me];
	int fd[2];

	if (pipe(fd))
		sim_die("no pipe for a worker: %s", strerror(errno));
	know(l, m);
	m->pid = fork();
	if (m->pid < 0)
		sim_die("no process for a worker: %s", strerror(errno));
	if (!m->pid) {
		close(fd[0]);
		worker(l, me, fd[1]);
	}
	close(fd[1]);
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	m->fd = fd[0];
	m->heard = g_byte_array_new();
	l->running++;
}

void leader_start(struct leader *l)
{
	l->saved_at = g_get_monotonic_time();
	order_window(l);
	fflush(NULL);
	for (u32 i = 0; i < l->crew->workers; i++)
		start(l, i);
}

/* ---- and die ---- */

static const char *signal_word(int sig)
{
	switch (sig) {
	case SIGSEGV: return "SIGSEGV";
	case SIGBUS: return "SIGBUS";
	case SIGABRT: return "SIGABRT";
	case SIGFPE: return "SIGFPE";
	case SIGILL: return "SIGILL";
	case SIGTRAP: return "SIGTRAP";
	case SIGKILL: return "SIGKILL";
	default: return "signal";
	}
}

/* A worker has died: the way that it was on is in its box. */
static struct explore_found *crash_of(struct leader *l, u32 me, int status)
{
	const struct search_box *box = l->crew->worker[me].box;
	struct explore_found *f = g_new0(struct explore_found, 1);
	u32 last = box->n;
	u16 actor = ACTOR_ROOT;

	while (last && box->v[last - 1] & TRAIL_INNER)
		last--;
	if (last)
		actor = box->v[last - 1];
	f->id = g_intern_string("crash");
	f->crash = true;
	f->times = 1;
	f->met = g_get_monotonic_time();
	f->where = g_strdup(WIFSIGNALED(status) ? signal_word(WTERMSIG(status)) : "exit");
	f->site = g_strdup(box->site ? box->site->func : "");
	f->text = g_strdup_printf("%s %d ended the process%s%s%s",
				  WIFSIGNALED(status) ? "signal" : "status",
				  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
				  last ? " in a step of " : " before a step",
				  !last ? "" : actor < the_world->nactors ?
				  the_world->actor[actor]->name : "an actor born on the way",
				  box->n == box->room ? ", on a way too long to be kept" : "");
	f->trail = (struct trail){ g_memdup2(box->v, box->n * sizeof(u16)), box->n, box->n };
	f->preemptions = trail_switches(&f->trail);
	f->executions = l->x->res->before + l->base.res.executions;
	for (u32 i = 0; i < l->crew->workers; i++)
		f->executions += l->crew->worker[i].res.executions;
	return f;
}

static void crashed(struct leader *l, u32 me, int status)
{
	struct explore_found *f = crash_of(l, me, status);

	if (leader_samples(l)) {
		order_crash(l, l->crew->worker[me].execution, f);
		return;
	}
	g_ptr_array_add(l->x->res->found, f);
	leader_bound(l, "violation");
}

static int bury(struct leader *l, u32 me)
{
	struct member *m = &l->member[me];
	int status = 0;

	close(m->fd);
	m->fd = -1;
	m->gone = true;
	l->running--;
	while (waitpid(m->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

void leader_is_gone(struct leader *l, u32 me)
{
	int status = bury(l, me);

	if (WIFEXITED(status) && WEXITSTATUS(status) == CREW_OTHER_KEYS)
		leader_bound(l, "checkpoint");
	else if (!WIFEXITED(status) || WEXITSTATUS(status))
		crashed(l, me, status);
}

void leader_kill(struct leader *l)
{
	for (u32 i = 0; i < l->crew->workers; i++) {
		if (l->member[i].gone)
			continue;
		kill(l->member[i].pid, SIGKILL);
		bury(l, i);
	}
}
