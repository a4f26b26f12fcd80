// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mix of searches in processes of their own. Each search is one process's, from a state of
 * knowledge (where actors meet, what was found) to what it comes to; so that searches that come
 * later, as far as can be guessed, may be done ahead by others. What was done ahead counts when
 * its turn has come and it had started from what is known then; else it is thrown away. So what
 * comes out is what one process comes to, whatever the number of them.
 */
#include <string.h>

#include "sim/engine/crew_lead.h"
#include "sim/engine/hash.h"
#include "sim/engine/meets.h"
#include "sim/engine/mix.h"
#include "sim/engine/tso.h"
#include "sim/engine/tso_priv.h"

#define AHEAD	2u	/* searches that are ready or going on, for each process */

/* One search. */
struct phase {
	struct mix_at at;
	const char *name;
	u64 knew;		/* a sum of what it started from */
	struct explore_options o;
	struct explore_result res;
	struct left_out out;
	struct explore x;
	struct leader *l;
};

struct mix {
	struct sim *sim;
	const struct explore_options *opt;
	struct explore_result *res;
	GArray *times;		/* u64: of each violation that was known when the head began */
	struct phase *head;	/* what counts now */
	GPtrArray *ahead;	/* struct phase, in the order in which they would come */
	u64 words;		/* at which actors met when the head began */
	gint64 saved_at;
	u32 jobs;
};

/* ---- phases ---- */

static u64 known(const struct mix *m)
{
	return hash_fold(meets_sum(m->opt->meets), m->res->found->len, 1);
}

static GPtrArray *copy_found(const GPtrArray *found, u32 n)
{
	GPtrArray *copy = g_ptr_array_new_with_free_func(explore_found_free);

	for (u32 i = 0; i < n; i++)
		g_ptr_array_add(copy, explore_found_copy(found->pdata[i]));
	return copy;
}

static struct phase *phase_new(struct mix *m, const struct mix_at *at, bool resumed)
{
	struct phase *p = g_new0(struct phase, 1);

	p->at = *at;
	p->name = mix_options(at, m->opt, m->opt->meets, &p->o);
	p->knew = known(m);
	if (!resumed)
		p->o.resume = NULL;
	/* A search that is resumed knows what was found from there. */
	p->res.found = copy_found(m->res->found, resumed ? 0 : m->res->found->len);
	p->res.switches_done = -1;
	p->x = (struct explore){ .sim = m->sim, .opt = &p->o, .res = &p->res, .out = &p->out };
	p->l = leader_new(&p->x, 1);
	p->l->older = m->res->found->len;
	return p;
}

static void phase_free(gpointer data)
{
	struct phase *p = data;

	leader_kill(p->l);
	leader_free(p->l);
	g_ptr_array_unref(p->res.found);
	g_free(p->res.grows);
	g_free(p);
}

static bool is_done(const struct phase *p)
{
	return !p->l->running;
}

/* ---- ahead ---- */

static bool is_as_known(const struct mix *m, const struct phase *p)
{
	return p->knew == known(m);
}

/* What was guessed right goes on. */
static void drop_wrong(struct mix *m)
{
	for (u32 i = m->ahead->len; i-- > 0;)
		if (!is_as_known(m, m->ahead->pdata[i]))
			g_ptr_array_remove_index(m->ahead, i);
}

static struct phase *take_ahead(struct mix *m, const struct mix_at *at)
{
	for (u32 i = 0; i < m->ahead->len; i++) {
		struct phase *p = m->ahead->pdata[i];

		if (!mix_same(&p->at, at))
			continue;
		g_ptr_array_steal_index(m->ahead, i);
		p->at = *at;
		return p;
	}
	return NULL;
}

static bool is_ahead(const struct mix *m, const struct mix_at *at)
{
	for (u32 i = 0; i < m->ahead->len; i++)
		if (mix_same(&((struct phase *)m->ahead->pdata[i])->at, at))
			return true;
	return false;
}

static u64 tables(const struct phase *p)
{
	const struct crew *crew = p->l->crew;

	return (crew->table ? table_bytes(crew->table) : 0) +
	       (crew->edges ? edges_bytes(crew->edges) : 0);
}

/* The last of those ahead make room for the others. */
static void keep_small(struct mix *m)
{
	u64 most = m->opt->memory_limit, all = tables(m->head);

	for (u32 i = 0; i < m->ahead->len; i++)
		all += tables(m->ahead->pdata[i]);
	while (most && all > most / 2 && m->ahead->len) {
		all -= tables(m->ahead->pdata[m->ahead->len - 1]);
		g_ptr_array_set_size(m->ahead, (int)m->ahead->len - 1);
		m->jobs = MAX(m->jobs - 1, 1u);
	}
}

static u32 running(const struct mix *m)
{
	u32 n = !is_done(m->head);

	for (u32 i = 0; i < m->ahead->len; i++)
		n += !is_done(m->ahead->pdata[i]);
	return n;
}

static void look_ahead(struct mix *m)
{
	struct mix_at at = m->head->at;

	keep_small(m);
	for (u32 i = 0; running(m) < m->jobs && i < AHEAD * m->jobs; i++) {
		struct phase *p;

		mix_guess(&at);
		if (at.over)
			return;
		if (is_ahead(m, &at))
			continue;
		p = phase_new(m, &at, false);
		p->l->apart = true;
		leader_begin(p->l);
		leader_start(p->l);
		g_ptr_array_add(m->ahead, p);
	}
}

/* ---- the head ---- */

/* What a checkpoint has to know beside where the head's search stands. */
static void note_place(struct mix *m)
{
	const struct phase *p = m->head;
	GByteArray *b = p->l->place;

	g_byte_array_set_size(b, 0);
	crew_put(b, &p->at, sizeof(p->at));
	crew_put(b, &m->words, sizeof(m->words));
	crew_put(b, &m->res->before, sizeof(m->res->before));
	crew_put(b, &m->res->before_transitions, sizeof(m->res->before_transitions));
	crew_put(b, &p->l->older, sizeof(p->l->older));
}

static void note_times(struct mix *m)
{
	g_array_set_size(m->times, 0);
	for (u32 i = 0; i < m->res->found->len; i++)
		g_array_append_val(m->times, ((struct explore_found *)m->res->found->pdata[i])->times);
}

static void head_is(struct mix *m, struct phase *p)
{
	m->head = p;
	p->l->apart = false;
	mix_next_phase(m->res, p->name);
	p->l->saved_at = m->saved_at;
	note_place(m);
}

/* The next search that counts: done ahead, under way, or now. */
static void begin(struct mix *m, const struct mix_at *at)
{
	struct phase *p;

	drop_wrong(m);
	p = take_ahead(m, at);
	m->words = meets_words(m->opt->meets);
	note_times(m);
	if (!p) {
		p = phase_new(m, at, false);
		leader_begin(p->l);
		leader_start(p->l);
	}
	head_is(m, p);
}

/* As they were told to one who started with so many known; it may have met those again. */
static void take_found(struct mix *m, struct phase *p)
{
	GPtrArray *found = p->res.found;

	for (u32 i = 0; i < found->len; i++) {
		struct explore_found *f = found->pdata[i];

		if (i < m->times->len) {
			struct explore_found *old = m->res->found->pdata[i];

			old->times += f->times - g_array_index(m->times, u64, i);
			continue;
		}
		f = explore_found_copy(f);
		f->executions += m->res->before;
		g_ptr_array_add(m->res->found, f);
	}
}

static void take_numbers(struct explore_result *res, struct phase *p)
{
	const struct explore_result *r = &p->res;

	res->executions = r->executions;
	res->transitions = r->transitions;
	res->states = r->states;
	res->blocked = r->blocked;
	res->merges_verified += r->merges_verified;
	res->depth = r->depth;
	res->table_bytes = r->table_bytes;
	res->bounded_by = r->bounded_by;
	if (r->grown <= res->grown)
		return;
	g_free(res->grows);
	res->grows = g_strdup(r->grows);
	res->grown = r->grown;
}

/* The head has come to its end: what it came to counts. Returns what comes next. */
static struct mix_at end(struct mix *m)
{
	struct phase *p = m->head;
	struct mix_at at = p->at;

	leader_turn(p->l);
	leader_sum(p->l);
	leader_keep_learned(p->l);
	take_found(m, p);
	take_numbers(m->res, p);
	p->x.res = m->res;
	explore_settle(&p->x);
	p->x.res = &p->res;
	mix_took(&at, m->res, meets_words(m->opt->meets) > m->words);
	m->res->switches_done = at.switches_done;
	m->saved_at = p->l->saved_at;
	phase_free(p);
	m->head = NULL;
	return at;
}

/* How far is it, and should it go on? */
static void look(struct mix *m)
{
	struct explore_result so_far = leader_so_far(m->head->l);

	so_far.before = m->res->before;
	so_far.before_transitions = m->res->before_transitions;
	so_far.switches_done = m->res->switches_done;
	so_far.phase = m->res->phase;
	so_far.jobs = m->jobs;
	leader_look(m->head->l, &so_far);
}

static void wait(struct mix *m)
{
	struct leader *l[CREW_MAX];
	u32 n = 0;

	l[n++] = m->head->l;
	for (u32 i = 0; i < m->ahead->len && n < CREW_MAX; i++)
		if (!is_done(m->ahead->pdata[i]))
			l[n++] = ((struct phase *)m->ahead->pdata[i])->l;
	leader_wait(l, n);
	for (u32 i = 1; i < n; i++)
		leader_turn(l[i]);
}

static void run_head(struct mix *m)
{
	while (!is_done(m->head)) {
		look_ahead(m);
		wait(m);
		look(m);
		save_turn(m->head->l);
		leader_turn(m->head->l);
	}
}

/* ---- all of it ---- */

/* Where opt->resume stood. False: it has been said why not. */
static bool resume(struct mix *m)
{
	struct checkpoint *c = checkpoint_read(m->opt->resume, m->opt->identity, NULL, NULL);
	struct crew_reader r;
	struct mix_at at;
	u32 older = 0;
	u64 before, before_transitions;

	if (!c)
		return false;
	r = (struct crew_reader){ c->place->data, c->place->data + c->place->len };
	crew_get(&r, &at, sizeof(at));
	crew_get(&r, &m->words, sizeof(m->words));
	crew_get(&r, &before, sizeof(before));
	crew_get(&r, &before_transitions, sizeof(before_transitions));
	crew_get(&r, &older, sizeof(older));
	if (r.broken || older > c->res.found->len)
		sim_die("a checkpoint of another kind of search");
	at.rounds = m->opt->rounds;
	g_ptr_array_unref(m->res->found);
	m->res->found = copy_found(c->res.found, older);
	m->res->switches_done = at.switches_done;
	note_times(m);
	meets_get(m->opt->meets, c->meets->data, c->meets->len);
	tso_go_on(m->sim, c->buffers->data, c->buffers->len);	/* what a search is depends on it */
	checkpoint_free(c);
	head_is(m, phase_new(m, &at, true));
	m->res->before = before;
	m->res->before_transitions = before_transitions;
	note_place(m);
	if (!leader_begin(m->head->l))
		return false;
	leader_start(m->head->l);
	m->head->l->saved_at = m->saved_at;
	return true;
}

static void all(struct mix *m)
{
	struct mix_at at;

	mix_begin(&at, m->opt);
	if (m->opt->resume) {
		if (!resume(m)) {
			m->res->bounded_by = "checkpoint";
			return;
		}
		run_head(m);
		at = end(m);
	}
	while (!at.over) {
		begin(m, &at);
		run_head(m);
		at = end(m);
	}
}

void crew_mix(struct sim *sim, const struct explore_options *opt, struct explore_result *res)
{
	struct mix m = { .sim = sim, .opt = opt, .res = res, .jobs = MIN(opt->jobs, CREW_MAX) };

	/* Which words are buffered is learned in all searches, and said at once. */
	if (tso_learns(sim))
		m.jobs = 1;
	m.times = g_array_new(FALSE, FALSE, sizeof(u64));
	m.ahead = g_ptr_array_new_with_free_func(phase_free);
	m.saved_at = g_get_monotonic_time();
	all(&m);
	res->jobs = MIN(opt->jobs, CREW_MAX);
	g_ptr_array_unref(m.ahead);
	if (m.head)
		phase_free(m.head);
	g_array_unref(m.times);
}
