// SPDX-License-Identifier: GPL-2.0-only
/*
 * The leader of a search in processes of their own: begins it, looks at the clock, and adds up.
 * See crew.h.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sim/engine/crew_lead.h"
#include "sim/engine/meets.h"
#include "sim/engine/tso_priv.h"

#define STOP_MS		2000	/* for workers to end by themselves once they are to stop */

bool explore_shares(const struct explore_options *opt)
{
	return !opt->focus &&
	       (opt->driver != EXPLORE_ALL || (!opt->livelock && !opt->verify_key));
}

void leader_want(struct leader *l, u32 set, u32 clear)
{
	struct crew *crew = l->crew;

	crew_lock(crew);
	__atomic_store_n(&crew->want, (crew->want | set) & ~clear, __ATOMIC_RELAXED);
	pthread_cond_broadcast(&crew->changed);
	pthread_mutex_unlock(&crew->lock);
}

void leader_bound(struct leader *l, const char *by)
{
	if (!l->crew->bounded_by)
		l->crew->bounded_by = by;
	leader_want(l, CREW_STOP, 0);
}

/* ---- what was done ---- */

/* The sum of all workers' numbers, and of what was done before. */
void leader_add_up(struct leader *l, struct checkpoint *to)
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
		to->out.pruned += w->out.pruned;
		to->out.tired |= w->out.tired;
		to->out.seldom |= w->out.seldom;
	}
}

/* What is of this search alone, and not of its workers. */
static void keep_own(struct explore_result *sum, const struct explore_result *res)
{
	sum->found = res->found;
	sum->grows = res->grows;
	sum->grown = res->grown;
	sum->switches_done = res->switches_done;
	sum->before = res->before;
	sum->before_transitions = res->before_transitions;
	sum->phase = res->phase;
}

struct explore_result leader_so_far(struct leader *l)
{
	struct explore *x = l->x;
	struct explore_result so_far = *x->res;

	if (!leader_samples(l)) {
		struct checkpoint sum;

		leader_add_up(l, &sum);
		keep_own(&sum.res, x->res);
		so_far = sum.res;
		so_far.table_bytes = l->crew->table ? table_bytes(l->crew->table) : 0;
		for (u32 i = 0; i < l->crew->workers; i++)
			so_far.frontier += l->crew->worker[i].frontier;
	}
	so_far.jobs = l->crew->workers;
	return so_far;
}

void leader_look(struct leader *l, const struct explore_result *so_far)
{
	const struct explore *x = l->x;

	if (x->sim->stop)
		leader_bound(l, "interrupt");
	else if (x->opt->tick && !x->opt->tick(x->opt->ctx, so_far))
		leader_bound(l, "time");
}

/* One may have died: whoever waits for it would wait for ever. */
static void end_all(struct leader *l)
{
	gint64 until = g_get_monotonic_time() + STOP_MS * 1000;

	while (l->running && g_get_monotonic_time() < until)
		leader_wait(&l, 1);
	leader_kill(l);
}

void leader_turn(struct leader *l)
{
	if (leader_samples(l))
		order_next(l);
	if (l->crew->want & CREW_STOP)
		end_all(l);
}

static void lead(struct leader *l)
{
	leader_start(l);
	while (l->running) {
		struct explore_result so_far;

		leader_wait(&l, 1);
		so_far = leader_so_far(l);
		leader_look(l, &so_far);
		save_turn(l);
		leader_turn(l);
	}
}

/* ---- before and after ---- */

/* One alone has the table to itself, unless we are to write it down. */
static struct table *new_table(const struct explore_options *opt, u32 workers)
{
	struct table *t;

	if (opt->driver != EXPLORE_ALL || opt->no_hash || opt->no_reduction)
		return NULL;
	t = table_new(opt->memory_limit, workers > 1 || opt->checkpoint);
	if (!t)
		sim_die("no address space for a table of states; --memory-limit");
	return t;
}

static struct edges *new_edges(const struct explore_options *opt)
{
	struct edges *e = explore_wants_edges(opt) ? edges_new(opt->memory_limit) : NULL;

	if (!e && explore_wants_edges(opt))
		sim_die("no address space for the steps between states; --memory-limit");
	return e;
}

static struct crew *crew_new(const struct explore_options *opt, u32 workers)
{
	struct crew *crew = crew_shared(sizeof(*crew));
	pthread_mutexattr_t ma;
	pthread_condattr_t ca;

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
	crew->table = new_table(opt, workers);
	crew->edges = new_edges(opt);
	return crew;
}

static void crew_free(struct crew *crew)
{
	for (u32 i = 0; i < crew->workers; i++)
		munmap(crew->worker[i].box, sizeof(struct search_box) + BOX_ENTRIES * sizeof(u16));
	munmap(crew->stretch, CREW_STRETCHES * sizeof(struct stretch));
	table_free(crew->table);
	edges_free(crew->edges);
	munmap(crew, sizeof(*crew));
}

/* Where a checkpoint stood. */
static void go_on(struct leader *l, struct checkpoint *c)
{
	struct explore_result *res = l->x->res;
	GPtrArray *found = res->found;

	l->base = *c;
	l->base.stretch = NULL;
	l->base.meets = l->base.place = l->base.buffers = NULL;
	l->base.verified = g_byte_array_ref(c->verified);
	l->base.res.found = NULL;
	for (u32 i = 0; i < c->res.found->len; i++)
		g_ptr_array_add(found, c->res.found->pdata[i]);
	g_ptr_array_set_free_func(c->res.found, NULL);
	g_ptr_array_unref(l->start);
	l->start = g_ptr_array_ref(c->stretch);
	if (l->x->opt->meets)
		meets_get(l->x->opt->meets, c->meets->data, c->meets->len);
	tso_go_on(l->x->sim, c->buffers->data, c->buffers->len);
	if (leader_samples(l)) {
		res->executions = c->res.executions;
		res->transitions = c->res.transitions;
		res->depth = c->res.depth;
		res->bounded_by = c->res.bounded_by;
		l->base.res.executions = 0;
		l->prefix = l->crew->next = c->next;
	}
	if (c->alone)
		l->crew->workers = 1;
}

bool leader_begin(struct leader *l)
{
	const struct explore_options *opt = l->x->opt;
	struct checkpoint *c;

	if (!opt->resume) {
		u32 none = 0;

		g_ptr_array_add(l->start, g_byte_array_append(g_byte_array_new(), (u8 *)&none,
							      sizeof(none)));
		return true;
	}
	c = checkpoint_read(opt->resume, opt->identity, l->crew->table,
			    l->crew->edges);
	if (!c)
		return false;
	go_on(l, c);
	checkpoint_free(c);
	return true;
}

void leader_sum(struct leader *l)
{
	struct explore_result *res = l->x->res;
	const char *by = l->crew->bounded_by;

	l->x->enough = !g_strcmp0(by, "violation");
	if (leader_samples(l)) {
		order_found(l);
	} else {
		struct checkpoint sum;

		leader_add_up(l, &sum);
		keep_own(&sum.res, res);
		if (l->crew->table && !sum.res.table_bytes)	/* it died before it could say */
			sum.res.table_bytes = table_bytes(l->crew->table);
		*res = sum.res;
		*l->x->out = sum.out;
	}
	res->jobs = l->crew->workers;
	if (by)
		res->bounded_by = by;
	l->x->stop = by != NULL;
}

struct leader *leader_new(struct explore *x, u32 workers)
{
	struct leader *l = g_new0(struct leader, 1);

	l->x = x;
	l->crashed = ~0ull;
	l->self = getpid();
	l->older = x->res->found->len;
	l->start = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
	l->saving = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
	l->saving_meets = g_byte_array_new();
	l->meets = g_byte_array_new();
	l->place = g_byte_array_new();
	l->verified = g_byte_array_new();
	l->given = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
	l->pieces = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	l->broken = g_array_new(FALSE, FALSE, sizeof(struct again));
	l->crew = crew_new(x->opt, MIN(MAX(workers, 1u), CREW_MAX));
	return l;
}

void leader_free(struct leader *l)
{
	for (u32 i = 0; i < l->crew->workers; i++) {
		if (l->member[i].heard)
			g_byte_array_unref(l->member[i].heard);
		if (l->member[i].known)
			g_array_unref(l->member[i].known);
	}
	crew_free(l->crew);
	g_ptr_array_unref(l->start);
	g_byte_array_unref(l->meets);
	g_ptr_array_unref(l->given);
	g_ptr_array_unref(l->saving);
	g_byte_array_unref(l->saving_meets);
	g_byte_array_unref(l->place);
	g_byte_array_unref(l->verified);
	if (l->base.verified)
		g_byte_array_unref(l->base.verified);
	explore_found_free(l->crash);
	g_hash_table_unref(l->pieces);
	g_array_unref(l->broken);
	g_free(l);
}

void leader_keep_learned(struct leader *l)
{
	const struct explore_options *opt = l->x->opt;

	if (opt->meets)
		meets_get(opt->meets, l->meets->data, l->meets->len);
	for (u32 i = 0; opt->take && i < l->given->len; i++) {
		const GByteArray *b = l->given->pdata[i];

		opt->take(opt->ctx, b->data, b->len);
	}
}

/* ---- a search ---- */

static struct leader *search(struct explore *x, u32 workers, bool alone)
{
	struct leader *l = leader_new(x, workers);

	l->base.alone = alone;
	if (leader_begin(l)) {
		lead(l);
		leader_sum(l);
	} else {
		x->res->bounded_by = "checkpoint";
	}
	return l;
}

/* What is found may depend on who was faster. */
static bool is_for_one(const struct explore *x, u32 older)
{
	return x->res->jobs > 1 && x->res->found->len > older && x->opt->driver == EXPLORE_ALL &&
	       g_strcmp0(x->res->bounded_by, "interrupt");
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
	struct left_out out = { 0 };
	struct leader *l = search(x, explore_shares(opt) ? opt->jobs : 1, false), *alone;
	struct explore kept = *x;

	if (!is_for_one(x, l->older)) {
		leader_keep_learned(l);
		leader_free(l);
		return;
	}
	again.resume = NULL;
	*x = (struct explore){ .sim = x->sim, .opt = &again, .res = &second, .out = &out };
	second.found = g_ptr_array_new_with_free_func(explore_found_free);
	alone = search(x, 1, true);
	x->out = kept.out;
	if (second.found->len) {
		leader_keep_learned(alone);
		g_ptr_array_unref(first->found);
		g_free(first->grows);
		*first = second;
		*x->out = out;
	} else {		/* a limit came first */
		*x = kept;
		leader_keep_learned(l);
		g_ptr_array_unref(second.found);
		g_free(second.grows);
	}
	leader_free(alone);
	leader_free(l);
	x->opt = opt;
	x->res = first;
}
