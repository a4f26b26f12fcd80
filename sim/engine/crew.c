// SPDX-License-Identifier: GPL-2.0-only
/*
 * The leader of a search in processes of their own: starts workers, listens to what they say,
 * looks at the clock, keeps checkpoints, and adds up. See crew.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/engine/crew.h"
#include "sim/engine/meets.h"
#include "sim/engine/tso_priv.h"

#define LOOK_MS		50	/* between two looks at the clock */
#define SAVE_MS		4000	/* from one checkpoint to the next */
#define WINDOW		(256u * 1024)	/* executions dealt out beyond the first that is not done */

struct known {
	u32 found;		/* number in all that were found */
	u64 times;		/* as told last */
};

struct member {
	pid_t pid;
	int fd;
	GByteArray *heard;
	GArray *known;		/* struct known: its violations, as it numbers them */
	bool saved;		/* has answered the save that goes on */
	bool gone;
};

struct leader {
	struct explore *x;
	struct crew *crew;
	pid_t self;
	struct member member[CREW_MAX];
	u32 running;
	struct checkpoint base;	/* what was done before, as a checkpoint says */
	GPtrArray *start;	/* GByteArray: stretches to start from */
	/* a save that goes on */
	GPtrArray *saving;
	gint64 saved_at;
	/* of samples: pieces done that are not the next, and what was broken in them */
	GHashTable *pieces;	/* by first execution: struct crew_piece */
	GArray *broken;		/* struct again */
	bool isolated;		/* one worker does it all by itself */
	GByteArray *meets;	/* of all workers, for when the result is known to count */
	GPtrArray *given;	/* GByteArray, likewise */
	u64 prefix;		/* all executions below are done */
	u64 crashed;		/* first execution in which a worker died, ~0: none ... */
	struct explore_found *crash;	/* ... as it is to be reported */
	bool ended;
	u8 buf[65536];
};

struct again {
	u64 execution;
	u32 found;		/* which */
};

bool explore_shares(const struct explore_options *opt)
{
	if (opt->focus || opt->driver == EXPLORE_MIX)
		return false;
	return opt->driver != EXPLORE_ALL || (!opt->no_hash && !opt->no_reduction &&
					      !opt->livelock && !opt->verify_key);
}

static bool samples(const struct leader *l)
{
	return !l->isolated && l->x->opt->driver != EXPLORE_ALL;
}

static void want(struct crew *crew, u32 set, u32 clear)
{
	crew_lock(crew);
	__atomic_store_n(&crew->want, (crew->want | set) & ~clear, __ATOMIC_RELAXED);
	pthread_cond_broadcast(&crew->changed);
	pthread_mutex_unlock(&crew->lock);
}

static void bound(struct leader *l, const char *by)
{
	if (!l->crew->bounded_by)
		l->crew->bounded_by = by;
	want(l->crew, CREW_STOP, 0);
}

/* ---- workers ---- */

static __noreturn void worker(struct leader *l, u32 me, int fd)
{
	static const int deadly[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTRAP };
	struct crew *crew = l->crew;
	struct explore x = { .sim = l->x->sim, .opt = l->x->opt, .res = &crew->worker[me].res };
	struct explore_options opt = *l->x->opt;
	struct crew_self c = { .crew = crew, .me = me, .fd = fd, .x = &x };
	struct choose_driver driver = { inner_pick, &x.inner };

	for (u32 i = 0; i < G_N_ELEMENTS(deadly); i++)
		signal(deadly[i], SIG_DFL);
	if (!l->isolated)
		signal(SIGINT, SIG_IGN);	/* the leader hears it */
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != l->self)
		_exit(3);
	if (!l->isolated)
		opt.tick = NULL;
	opt.jobs = 0;
	x.opt = &opt;
	x.res->found = g_ptr_array_new_with_free_func(explore_found_free);
	x.sim->box = crew->worker[me].box;
	c.stretch = g_byte_array_new();
	c.backlog = g_ptr_array_new();
	for (u32 i = me; i < l->start->len; i += crew->workers)
		g_ptr_array_add(c.backlog, l->start->pdata[i]);
	choose_drive(x.sim, &driver);
	if (l->isolated) {
		x.res->switches_done = -1;
		explore_any(x.sim, &opt, x.res);
		crew_say_found(&c);
		crew_say(&c, CREW_RESULT, x.res, sizeof(*x.res));
	} else if (samples(l))
		crew_sample(&c);
	else
		crew_dfs(&c);
	crew_say_end(&c);
	_exit(0);
}

static void start(struct leader *l, u32 me)
{
	struct member *m = &l->member[me];
	int fd[2];

	if (pipe(fd))
		sim_die("no pipe for a worker: %s", strerror(errno));
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
	m->known = g_array_new(FALSE, FALSE, sizeof(struct known));
	l->running++;
}

/* ---- what is found ---- */

/* Add @f, which becomes ours; which of all it is. */
static u32 join(struct leader *l, struct explore_found *f)
{
	GPtrArray *found = l->x->res->found;

	for (u32 i = 0; i < found->len; i++) {
		struct explore_found *old = found->pdata[i];

		if (!explore_same(old, f))
			continue;
		if (samples(l) && f->executions < old->executions) {
			f->times = old->times;
			found->pdata[i] = f;	/* told later, but by an earlier execution */
			f = old;
		}
		explore_found_free(f);
		return i;
	}
	f->times = 0;
	g_ptr_array_add(found, f);
	return found->len - 1;
}

static void is_enough(struct leader *l)
{
	const struct explore_options *opt = l->x->opt;

	if (!opt->keep_going || (opt->enough && opt->enough(opt->ctx, l->x->res)))
		bound(l, "violation");
}

static void heard_found(struct leader *l, struct member *m, struct crew_reader *r)
{
	u32 before = l->x->res->found->len;
	struct known k = { .found = join(l, crew_get_found(r)) };

	g_array_append_val(m->known, k);
	if (k.found == before && !samples(l) && !l->isolated)
		is_enough(l);
}

static void heard_times(struct leader *l, struct member *m, struct crew_reader *r)
{
	for (u32 i = 0; i < m->known->len && !samples(l); i++) {
		struct known *k = &g_array_index(m->known, struct known, i);
		struct explore_found *f = l->x->res->found->pdata[k->found];
		u64 times;

		crew_get(r, &times, sizeof(times));
		f->times += times - k->times;
		k->times = times;
	}
}

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
	for (u32 i = 0; i < l->crew->workers; i++)
		f->executions += l->crew->worker[i].res.executions;
	return f;
}

static void crashed(struct leader *l, u32 me, int status)
{
	if (samples(l)) {
		/* Those before it may break something first. */
		if (l->crew->worker[me].execution >= l->crashed)
			return;
		l->crashed = l->crew->worker[me].execution;
		explore_found_free(l->crash);
		l->crash = crash_of(l, me, status);
		return;
	}
	g_ptr_array_add(l->x->res->found, crash_of(l, me, status));
	bound(l, "violation");
}

/* ---- samples: in the order of their numbers, whoever did them ---- */

static int by_execution(gconstpointer a, gconstpointer b)
{
	const struct again *x = a, *y = b;

	if (x->execution != y->execution)
		return x->execution < y->execution ? -1 : 1;
	return x->found < y->found ? -1 : x->found > y->found;
}

/* Where the search ends, by what is known of executions below @to: the number after its last. */
static u64 note_broken(struct leader *l, u64 to)
{
	GPtrArray *all = l->x->res->found, *known = g_ptr_array_new();
	u64 end = ~0ull;
	u32 i;

	g_array_sort(l->broken, by_execution);
	for (i = 0; i < all->len; i++)
		if (((struct explore_found *)all->pdata[i])->times)
			g_ptr_array_add(known, all->pdata[i]);
	for (i = 0; i < l->broken->len; i++) {
		struct again *a = &g_array_index(l->broken, struct again, i);
		struct explore_found *f = all->pdata[a->found];
		struct explore_result so_far = *l->x->res;

		if (a->execution >= to || end != ~0ull)
			break;
		if (f->times++)
			continue;
		f->executions = a->execution;
		g_ptr_array_add(known, f);
		so_far.found = known;
		if (!l->x->opt->keep_going ||
		    (l->x->opt->enough && l->x->opt->enough(l->x->opt->ctx, &so_far)))
			end = a->execution + 1;
	}
	g_array_remove_range(l->broken, 0, i);
	g_ptr_array_unref(known);
	return end;
}

static void add_piece(struct leader *l, const struct crew_piece *p)
{
	struct explore_result *res = l->x->res;

	res->executions += p->n - p->cut;
	res->transitions += p->transitions;
	res->depth = MAX(res->depth, p->depth);
	if (p->cut)
		res->bounded_by = "depth";
	l->prefix = p->from + p->n;
}

static void end_samples(struct leader *l)
{
	l->ended = true;
	want(l->crew, CREW_STOP, 0);
}

/* Only the executions [prefix, @end) of the next piece count. */
static void add_part(struct leader *l, u64 end)
{
	crew_sample_part(l->x, l->prefix, end);
	l->prefix = end;
}

static void next_pieces(struct leader *l)
{
	struct crew_piece *p;
	u64 end;

	while (!l->ended && (p = g_hash_table_lookup(l->pieces, &l->prefix))) {
		u64 from = l->prefix;

		end = note_broken(l, from + p->n);
		if (end == ~0ull) {
			add_piece(l, p);
		} else {
			add_part(l, end);
			bound(l, "violation");
			end_samples(l);
		}
		g_hash_table_remove(l->pieces, &from);
	}
	if (!l->ended && l->crashed != ~0ull && l->crashed - l->prefix < 256) {
		end = note_broken(l, l->crashed);
		add_part(l, MIN(end, l->crashed));
		if (end == ~0ull) {
			l->crash->executions = l->crashed;
			g_ptr_array_add(l->x->res->found, l->crash);
			l->crash = NULL;
		}
		bound(l, "violation");
		end_samples(l);
	}
	__atomic_store_n(&l->crew->window, l->prefix + WINDOW, __ATOMIC_RELAXED);
}

static void heard_piece(struct leader *l, struct crew_reader *r)
{
	struct crew_piece p;

	crew_get(r, &p, sizeof(p));
	g_hash_table_insert(l->pieces, g_memdup2(&p.from, 8), g_memdup2(&p, sizeof(p)));
	next_pieces(l);
}

static void heard_again(struct leader *l, struct member *m, struct crew_reader *r)
{
	struct again a;
	u64 v[2];

	crew_get(r, v, sizeof(v));
	a.execution = v[0];
	a.found = g_array_index(m->known, struct known, v[1]).found;
	g_array_append_val(l->broken, a);
}

/* ---- saving ---- */

static void add_stretches(struct leader *l, struct crew_reader *r)
{
	while (r->p < r->end) {
		GByteArray *b = g_byte_array_new();
		u32 n;

		crew_get(r, &n, sizeof(n));
		crew_put(b, r->p, n);
		r->p += n;
		g_ptr_array_add(l->saving, b);
	}
}

/* The sum of all workers' numbers, and of what was done before. */
static void add_up(struct leader *l, struct checkpoint *to)
{
	struct explore_result *res = &to->res;

	*to = l->base;
	to->stretch = NULL;
	for (u32 i = 0; i < l->crew->workers; i++) {
		const struct crew_worker *w = &l->crew->worker[i];

		res->executions += w->res.executions;
		res->transitions += w->res.transitions;
		res->states += w->res.states;
		res->blocked += w->res.blocked;
		res->merges_verified += w->res.merges_verified;
		res->depth = MAX(res->depth, w->res.depth);
		res->table_bytes = MAX(res->table_bytes, w->res.table_bytes);
		if (w->res.bounded_by)
			res->bounded_by = w->res.bounded_by;
		to->pruned += w->pruned;
		to->tired |= w->tired;
	}
}

static void save(struct leader *l, GPtrArray *stretch)
{
	struct checkpoint c;

	if (samples(l)) {
		c = (struct checkpoint){ .res = *l->x->res, .next = l->prefix };
	} else {
		add_up(l, &c);
		c.res.found = l->x->res->found;
	}
	c.alone = l->base.alone;
	c.stretch = stretch;
	checkpoint_write(l->x->opt->checkpoint, l->x->opt->identity, &c, l->crew->table);
	l->saved_at = g_get_monotonic_time();
}

static void ask_to_save(struct leader *l)
{
	gint64 every = l->x->opt->checkpoint_ms ? l->x->opt->checkpoint_ms : SAVE_MS;
	GPtrArray *none;

	if (!l->x->opt->checkpoint || l->isolated || l->crew->want & (CREW_SAVE | CREW_STOP) ||
	    g_get_monotonic_time() - l->saved_at < every * 1000)
		return;
	if (samples(l)) {
		none = g_ptr_array_new();
		save(l, none);
		g_ptr_array_unref(none);
		return;
	}
	for (u32 i = 0; i < l->crew->workers; i++)
		l->member[i].saved = false;
	g_ptr_array_set_size(l->saving, 0);
	crew_lock(l->crew);
	l->crew->saves++;
	pthread_mutex_unlock(&l->crew->lock);
	want(l->crew, CREW_SAVE, 0);
}

/* Everybody rests and has said where they stand: write it down. */
static void finish_save(struct leader *l)
{
	struct crew *crew = l->crew;

	if (!(crew->want & CREW_SAVE))
		return;
	for (u32 i = 0; i < crew->workers; i++)
		if (!l->member[i].saved && !l->member[i].gone)
			return;
	for (u32 i = 0; i < crew->waiting; i++) {
		GByteArray *b = g_byte_array_new();

		crew_put(b, crew->stretch[i].data, crew->stretch[i].bytes);
		g_ptr_array_add(l->saving, b);
	}
	if (!(crew->want & CREW_STOP))
		save(l, l->saving);
	g_ptr_array_set_size(l->saving, 0);
	want(crew, 0, CREW_SAVE);
}

/* ---- listening ---- */

static void heard_grows(struct leader *l, struct crew_reader *r)
{
	struct crew_grows g;

	crew_get(r, &g, sizeof(g));
	if (g.values <= l->x->res->grown)
		return;
	g_free(l->x->res->grows);
	l->x->res->grown = g.values;
	l->x->res->grows = crew_get_text(r);
}

static void hear(struct leader *l, struct member *m, u64 word, struct crew_reader r)
{
	switch (word) {
	case CREW_FOUND:
		heard_found(l, m, &r);
		break;
	case CREW_AGAIN:
		heard_again(l, m, &r);
		break;
	case CREW_TIMES:
		heard_times(l, m, &r);
		break;
	case CREW_STRETCH:
		add_stretches(l, &r);
		m->saved = true;
		break;
	case CREW_PIECE:
		heard_piece(l, &r);
		break;
	case CREW_BUFFERS:
		tso_get(l->x->sim, r.p, (u64)(r.end - r.p));
		break;
	case CREW_MEETS:
		crew_put(l->meets, r.p, (u64)(r.end - r.p));
		break;
	case CREW_GIVEN:
		g_ptr_array_add(l->given, g_byte_array_append(g_byte_array_new(), r.p,
							      (guint)(r.end - r.p)));
		break;
	case CREW_GROWS:
		heard_grows(l, &r);
		break;
	case CREW_RESULT:
		l->ended = true;
		break;
	}
}

/* Take the whole words out of what was read. */
static void listen(struct leader *l, struct member *m)
{
	u64 head[2], at = 0;

	while (m->heard->len - at >= sizeof(head)) {
		const u8 *p = m->heard->data + at;

		memcpy(head, p, sizeof(head));
		if (m->heard->len - at - sizeof(head) < head[1])
			break;
		hear(l, m, head[0], (struct crew_reader){ p + sizeof(head),
							  p + sizeof(head) + head[1] });
		at += sizeof(head) + head[1];
	}
	if (at)
		g_byte_array_remove_range(m->heard, 0, (guint)at);
}

static void is_gone(struct leader *l, u32 me)
{
	struct member *m = &l->member[me];
	int status = 0;

	close(m->fd);
	m->fd = -1;
	m->gone = true;
	l->running--;
	while (waitpid(m->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == CREW_OTHER_KEYS)
		bound(l, "checkpoint");
	else if (!WIFEXITED(status) || WEXITSTATUS(status))
		crashed(l, me, status);
}

static void read_some(struct leader *l, u32 me)
{
	struct member *m = &l->member[me];
	u8 *buf = l->buf;
	ssize_t n;

	while ((n = read(m->fd, buf, sizeof(l->buf))) > 0)
		crew_put(m->heard, buf, (u64)n);
	listen(l, m);
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		is_gone(l, me);
}

static void wait_some(struct leader *l)
{
	struct pollfd p[CREW_MAX];

	for (u32 i = 0; i < l->crew->workers; i++)
		p[i] = (struct pollfd){ l->member[i].gone ? -1 : l->member[i].fd, POLLIN, 0 };
	if (poll(p, l->crew->workers, LOOK_MS) <= 0)
		return;
	for (u32 i = 0; i < l->crew->workers; i++)
		if (p[i].revents)
			read_some(l, i);
}

/* How far is it, and should it go on? */
static void look(struct leader *l)
{
	struct explore *x = l->x;
	struct explore_result so_far = *x->res;

	if (!samples(l)) {
		struct checkpoint sum;

		add_up(l, &sum);
		so_far = sum.res;
		so_far.found = x->res->found;
		so_far.table_bytes = l->crew->table ? table_bytes(l->crew->table) : 0;
		for (u32 i = 0; i < l->crew->workers; i++)
			so_far.frontier += l->crew->worker[i].frontier;
	}
	so_far.jobs = l->crew->workers;
	if (l->isolated)
		return;		/* it looks itself */
	if (x->sim->stop)
		bound(l, "interrupt");
	else if (x->opt->tick && !x->opt->tick(x->opt->ctx, &so_far))
		bound(l, "time");
}

/* One has died: whoever waits for it would wait for ever. */
static void end_all(struct leader *l)
{
	gint64 until = g_get_monotonic_time() + 2 * G_USEC_PER_SEC;

	while (l->running && g_get_monotonic_time() < until)
		wait_some(l);
	for (u32 i = 0; i < l->crew->workers; i++) {
		if (l->member[i].gone)
			continue;
		kill(l->member[i].pid, SIGKILL);
		close(l->member[i].fd);
		while (waitpid(l->member[i].pid, NULL, 0) < 0 && errno == EINTR)
			;
		l->member[i].gone = true;
		l->running--;
	}
}

static void lead(struct leader *l)
{
	l->saved_at = g_get_monotonic_time();
	for (u32 i = 0; i < l->crew->workers; i++)
		start(l, i);
	while (l->running) {
		wait_some(l);
		look(l);
		ask_to_save(l);
		finish_save(l);
		if (samples(l))
			next_pieces(l);
		if (l->crew->want & CREW_STOP)
			end_all(l);
	}
}

/* ---- before and after ---- */

static void crew_new(struct leader *l, u32 workers)
{
	const struct explore_options *opt = l->x->opt;
	struct crew *crew = crew_shared(sizeof(*crew));
	pthread_mutexattr_t ma;
	pthread_condattr_t ca;

	l->crew = crew;
	crew->workers = workers;
	crew->memory_limit = opt->memory_limit;
	crew->stretch = crew_shared(CREW_STRETCHES * sizeof(struct stretch));
	for (u32 i = 0; i < workers; i++) {
		crew->worker[i].box = crew_shared(sizeof(struct search_box) +
						  BOX_ENTRIES * sizeof(u16));
		crew->worker[i].box->room = BOX_ENTRIES;
	}
	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&ma, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&crew->lock, &ma);
	pthread_condattr_init(&ca);
	pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&crew->changed, &ca);
	if (samples(l) || l->isolated)
		return;
	crew->table = table_new(opt->memory_limit ? opt->memory_limit : 64ull << 30);
	if (!crew->table)
		sim_die("no address space for a table of states; --memory-limit");
}

static void crew_free(struct leader *l)
{
	struct crew *crew = l->crew;

	for (u32 i = 0; i < crew->workers; i++) {
		struct member *m = &l->member[i];

		if (m->heard) {
			g_byte_array_unref(m->heard);
			g_array_unref(m->known);
		}
		munmap(crew->worker[i].box, sizeof(struct search_box) + BOX_ENTRIES * sizeof(u16));
	}
	munmap(crew->stretch, CREW_STRETCHES * sizeof(struct stretch));
	table_free(crew->table);
	munmap(crew, sizeof(*crew));
}

/* Where it starts: at the start, or where a checkpoint stood. */
static bool begin(struct leader *l)
{
	const struct explore_options *opt = l->x->opt;
	struct checkpoint *c;
	GByteArray *root;

	if (!opt->resume) {
		root = g_byte_array_new();
		crew_dfs_root(opt, root);
		g_ptr_array_add(l->start, root);
		return true;
	}
	c = checkpoint_read(opt->resume, opt->identity, l->crew->table);
	if (!c)
		return false;
	l->base = *c;
	l->base.stretch = NULL;
	l->base.res.found = NULL;
	for (u32 i = 0; i < c->res.found->len; i++)
		g_ptr_array_add(l->x->res->found, c->res.found->pdata[i]);
	g_ptr_array_set_free_func(c->res.found, NULL);
	g_ptr_array_unref(l->start);
	l->start = g_ptr_array_ref(c->stretch);
	if (samples(l)) {
		struct explore_result *res = l->x->res;
		GPtrArray *found = res->found;

		*res = c->res;
		res->found = found;
		l->prefix = l->crew->next = c->next;
	}
	if (c->alone)
		l->crew->workers = 1;
	checkpoint_free(c);
	return true;
}

static int by_time(gconstpointer a, gconstpointer b)
{
	const struct explore_found *x = *(void *const *)a, *y = *(void *const *)b;

	return x->executions < y->executions ? -1 : x->executions > y->executions;
}

/* Those beyond the end were found by somebody who was ahead. */
static void sort_samples(GPtrArray *found)
{
	for (u32 i = found->len; i-- > 0;)
		if (!((struct explore_found *)found->pdata[i])->times)
			g_ptr_array_remove_index(found, i);
	g_ptr_array_sort(found, by_time);
}

/* All is in the worker's result; if it has died, as far as it came. */
static void sum_isolated(struct leader *l)
{
	struct explore_result *res = l->x->res, kept = *res;

	*res = l->crew->worker[0].res;
	res->found = kept.found;
	res->grows = NULL;
	res->jobs = 1;
	if (l->ended)
		return;
	res->word = EXPLORE_BOUNDED;
	res->bounded_by = "violation";
}

static void sum_up(struct leader *l)
{
	struct explore_result *res = l->x->res;
	const char *by = l->crew->bounded_by;
	struct checkpoint sum;

	res->jobs = l->crew->workers;
	l->x->enough = !g_strcmp0(by, "violation");
	if (l->isolated) {
		sum_isolated(l);
		return;
	}
	if (samples(l)) {
		sort_samples(res->found);
		if (by)
			res->bounded_by = by;
		l->x->stop = by != NULL;
		return;
	}
	add_up(l, &sum);
	sum.res.found = res->found;
	sum.res.grows = res->grows;
	sum.res.grown = res->grown;
	sum.res.jobs = res->jobs;
	sum.res.switches_done = res->switches_done;
	sum.res.before = res->before;
	sum.res.before_transitions = res->before_transitions;
	sum.res.phase = res->phase;
	if (l->crew->table)
		sum.res.table_bytes = table_bytes(l->crew->table);
	*res = sum.res;
	if (by)
		res->bounded_by = by;
	l->x->stop = by != NULL;
	l->x->pruned = sum.pruned > 0;
	l->x->tired = sum.tired;
}

static void leader_free(struct leader *l)
{
	crew_free(l);
	if (l->start)
		g_ptr_array_unref(l->start);
	g_byte_array_unref(l->meets);
	g_ptr_array_unref(l->given);
	g_ptr_array_unref(l->saving);
	explore_found_free(l->crash);
	g_hash_table_unref(l->pieces);
	g_array_unref(l->broken);
	g_free(l);
}

static struct leader *leader_new(struct explore *x, u32 workers, bool isolated)
{
	struct leader *l = g_new0(struct leader, 1);

	l->x = x;
	l->isolated = isolated;
	l->crashed = ~0ull;
	l->self = getpid();
	l->start = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
	l->saving = g_ptr_array_new();
	l->meets = g_byte_array_new();
	l->given = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
	l->pieces = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	l->broken = g_array_new(FALSE, FALSE, sizeof(struct again));
	fflush(NULL);
	crew_new(l, MIN(MAX(workers, 1u), CREW_MAX));
	return l;
}

/* What the workers have learned counts. */
static void keep_learned(struct leader *l)
{
	const struct explore_options *opt = l->x->opt;

	if (opt->meets)
		meets_get(opt->meets, l->meets->data, l->meets->len);
	for (u32 i = 0; opt->take && i < l->given->len; i++) {
		const GByteArray *b = l->given->pdata[i];

		opt->take(opt->ctx, b->data, b->len);
	}
}

static struct leader *search(struct explore *x, u32 workers, bool alone)
{
	struct leader *l = leader_new(x, workers, false);

	l->base.alone = alone;
	if (begin(l)) {
		l->crew->window = l->prefix + WINDOW;
		lead(l);
		sum_up(l);
	} else {
		x->res->bounded_by = "checkpoint";
	}
	return l;
}

/*
 * What several found first depends on who was faster, and so do the counts at that moment: one
 * of them does it again alone. Of samples the one of the least number counts anyway.
 */
void crew_search(struct explore *x)
{
	const struct explore_options *opt = x->opt;
	struct explore_options again = *opt;
	struct explore_result *first = x->res, second = *first;
	struct leader *l = search(x, x->opt->jobs, false), *alone;
	struct explore kept = *x;

	if (first->jobs < 2 || !first->found->len || opt->driver != EXPLORE_ALL ||
	    !g_strcmp0(first->bounded_by, "interrupt")) {
		keep_learned(l);
		leader_free(l);
		return;
	}
	again.resume = NULL;
	*x = (struct explore){ .sim = x->sim, .opt = &again, .res = &second };
	second.found = g_ptr_array_new_with_free_func(explore_found_free);
	alone = search(x, 1, true);
	if (second.found->len) {
		keep_learned(alone);
		g_ptr_array_unref(first->found);
		g_free(first->grows);
		*first = second;
	} else {		/* a limit came first */
		*x = kept;
		keep_learned(l);
		g_ptr_array_unref(second.found);
		g_free(second.grows);
	}
	leader_free(alone);
	leader_free(l);
	x->opt = opt;
	x->res = first;
}

void crew_isolate(struct sim *sim, const struct explore_options *opt, struct explore_result *res)
{
	struct explore x = { .sim = sim, .opt = opt, .res = res };
	struct leader *l = leader_new(&x, 1, true);

	lead(l);
	sum_up(l);
	keep_learned(l);
	leader_free(l);
}
