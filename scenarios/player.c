// SPDX-License-Identifier: GPL-2.0-only
/*
 * One case, from its words to its verdict: a simulation with a module, a VM and a cast;
 * init lines alone; rows; virtual time; the judge. Rests on sim/engine/script.h for rows.
 */
#include "scenarios/player.h"

#include <string.h>

#include "scenarios/play_priv.h"
#include "scenarios/rests_on.h"
#include "sim/engine/arena.h"
#include "sim/engine/check.h"
#include "sim/engine/script.h"
#include "sim/engine/undo.h"
#include "tdxmod/build.h"
#include "tdxmod/versions.h"

/* No machine hands out its first megabyte; and hpa 0 means "none" to the module. */
#define LOW_MEMORY	(1ull << 20)

#define STEPS_DEFAULT	4000000u
/* Steps in which nobody gets anywhere: a thousand laps of the longest retry loop. */
#define STUCK_WINDOW	100000u

/* What sim_stop() has to reach from a signal handler. */
static struct sim *volatile playing;
static volatile int stop_asked;

void scenario_play_stop(void)
{
	struct sim *sim = playing;

	stop_asked = 1;
	if (sim)
		sim_stop(sim);
}

/* One row of init or schedule while it is played. */
struct row {
	struct cast *a;
	const struct scn_cell *cell;
	struct watch watch;
};

/* ---- what the result says of itself ---- */

static char *words_of(const char *const *words, GPtrArray *more)
{
	GString *s = g_string_new(NULL);

	for (guint i = 0; more && i < more->len; i++)
		g_string_append_printf(s, "%s%s", s->len ? " " : "", (char *)more->pdata[i]);
	for (; words && *words; words++)
		g_string_append_printf(s, "%s%s", s->len ? " " : "", *words);
	return g_string_free(s, FALSE);
}

static void describe(struct player *pl)
{
	const struct scenario_case *c = pl->c;
	const struct play_options *o = pl->opt;
	struct play_result *r = pl->res;
	char *switches = words_of(o->switches, c->variant.switches);
	GString *note = g_string_new(NULL);
	char *rests;

	r->scenario = play_result_str(r, pl->sc->name);
	r->title = play_result_str(r, c->title && *c->title ? c->title : pl->sc->title);
	r->case_name = play_result_str(r, c->name);
	r->kvm = play_result_str(r, o->kvm ? o->kvm : c->variant.kvm ? c->variant.kvm :
				 DEFAULT_KVM);
	r->tdx = play_result_str(r, o->tdx ? o->tdx : c->variant.tdx ? c->variant.tdx :
				 DEFAULT_TDX);
	r->switches = play_result_str(r, switches);
	r->policy = play_result_str(r, o->policy ? o->policy :
				    c->policy.name ? c->policy.name : r->kvm);
	r->costs = (const char *[]){ "low", "typical", "high" }[o->cost_level];
	for (int i = 0; o->costs && i < COST_NR; i++)
		if (o->costs->changed[i])
			r->costs = "changed by the user";
	g_string_printf(note, "kvm=%s%s%s", r->kvm, *switches ? " " : "", switches);
	if (o->tdx || c->variant.tdx)
		g_string_append_printf(note, " tdx=%s", r->tdx);
	if (strcmp(r->policy, r->kvm))
		g_string_append_printf(note, " policy %s", r->policy);
	for (guint i = 0; i < c->dropped->len; i++)
		g_string_append_printf(note, "%s %s", i ? "," : ", without",
				       (char *)c->dropped->pdata[i]);
	r->note = play_result_str(r, note->str);
	rests = rests_on(c, switches);
	r->assumptions = play_result_str(r, rests);
	g_free(rests);
	g_free(switches);
	g_string_free(note, TRUE);
}

/* ---- building ---- */

static guint lps_of(const struct scenario_case *c, const struct scn_td *td)
{
	guint n = MAX(td->lps, 1u);

	for (guint i = 0; i < c->actors->len; i++) {
		const struct scn_actor *a = c->actors->pdata[i];

		n = MAX(n, a->lp + 1);
	}
	return n;
}

static gboolean build_sim(struct player *pl)
{
	const struct play_options *o = pl->opt;
	const struct scn_limit *limit = &pl->c->limit;
	struct cost_table builtin;
	struct sim_options so = {
		.carrier = pl->free ? CARRIER_PTHREAD : o->carrier,
		.sched = pl->free ? SCHED_FREE : SCHED_SCRIPT,
		.seed = o->seed, .lps = (u16)lps_of(pl->c, pl->td),
		.packages = (u16)MAX(pl->td->packages, 1u),
		.phys = (1ull << 30) + 2 * pl->td->memory,
		.max_steps = pl->free ? 0 : limit->steps ? limit->steps : STEPS_DEFAULT,
		.max_cycles = limit->cycles, .timed = !pl->free, .keyed = !pl->free,
		.costs = o->costs ? o->costs : &builtin, .cost_level = (u8)o->cost_level,
	};

	cost_init(&builtin);
	pl->sim = sim_new(&so);
	if (!pl->sim) {
		play_refuse(pl, NULL, "the simulated machine cannot be mapped here");
		return FALSE;
	}
	page_reserve(LOW_MEMORY);
	playing = pl->sim;
	if (stop_asked)
		sim_stop(pl->sim);
	for (guint i = 0; i < pl->c->tolerate->len; i++)
		check_tolerate(pl->sim, pl->c->tolerate->pdata[i]);
	return TRUE;
}

static gboolean build_module(struct player *pl)
{
	struct tdx_module_config cfg = { .version = pl->res->tdx };

	if (tdx_module_new(pl->sim, &cfg))
		return TRUE;
	play_refuse(pl, &pl->c->variant.loc, "no module version %s; septsim list variants",
		    pl->res->tdx);
	return FALSE;
}

static gboolean td_possible(struct player *pl)
{
	const struct scn_td *td = pl->td;

	if (pl->c->tds->len > 1)
		play_refuse(pl, &((struct scn_td *)pl->c->tds->pdata[1])->loc,
			    "a second TD is not supported yet");
	else if (td->type != SCN_TD_TYPE_TDX)
		play_refuse(pl, &td->loc, "type=default is not supported yet");
	else if (td->state == SCN_TD_STATE_NONE)
		play_refuse(pl, &td->loc, "state=none is not supported yet");
	return !pl->refused;
}

static GPtrArray *variant_words(struct player *pl)
{
	GPtrArray *w = g_ptr_array_new_with_free_func(g_free);
	char **each = g_strsplit(pl->res->switches, " ", -1);

	g_ptr_array_add(w, g_strdup_printf("kvm=%s", pl->res->kvm));
	for (char **p = each; *p; p++)
		if (**p)
			g_ptr_array_add(w, g_strdup(*p));
	g_ptr_array_add(w, NULL);
	g_strfreev(each);
	return w;
}

static GPtrArray *policy_words(struct player *pl)
{
	GPtrArray *w = g_ptr_array_new_with_free_func(g_free);

	if (pl->opt->policy) {
		for (const char *const *p = pl->opt->policy_args; p && *p; p++)
			g_ptr_array_add(w, g_strdup(*p));
	} else {
		const GArray *args = pl->c->policy.args;

		for (guint i = 0; args && i < args->len; i++) {
			const struct scn_keyval *kv = &g_array_index(args, struct scn_keyval, i);

			g_ptr_array_add(w, kv->value.word ?
				g_strdup_printf("%s=%s", kv->key, kv->value.word) :
				g_strdup_printf("%s=%" G_GUINT64_FORMAT, kv->key, kv->value.num));
		}
	}
	g_ptr_array_add(w, NULL);
	return w;
}

static gboolean build_vm(struct player *pl)
{
	GPtrArray *variant = variant_words(pl), *policy_args = policy_words(pl);
	const struct scn_td *td = pl->td;
	struct kmmu_config cfg = {
		.name = *td->name ? td->name : "TD", .vcpus = (u16)td->vcpus,
		.memory = td->memory, .levels = (u8)td->levels, .max_level = (u8)td->max_level,
		.initialized_only = td->state == SCN_TD_STATE_INITIALIZED,
		.pending_ve_disable = td->pve, .notify = td->notify,
		.nx_huge_pages = td->nx_huge_pages, .dirty_log = td->dirty_log,
		.variant = (const char *const *)variant->pdata,
		.policy = pl->opt->policy ? pl->opt->policy : pl->c->policy.name,
		.policy_args = (const char *const *)policy_args->pdata,
	};
	GError *err = NULL;

	pl->kvm = kmmu_vm_new(pl->sim, &cfg, &err);
	if (!pl->kvm) {
		play_refuse(pl, pl->c->variant.loc.line ? &pl->c->variant.loc : &pl->c->policy.loc,
			    "%s", err ? err->message : "the VM cannot be made");
		g_clear_error(&err);
	}
	g_ptr_array_unref(variant);
	g_ptr_array_unref(policy_args);
	return pl->kvm != NULL;
}

static void plan_add(struct player *pl, guint actor, int plan, const struct scn_op *op)
{
	struct cast *a = &pl->cast[actor];

	if (play_op_possible(pl, a, op))
		g_ptr_array_add(a->plan[plan], (gpointer)op);
}

/* `runs_alone`: the thread of a vCPU with a guest and no `run` of its own does one. */
static const struct scn_op *run_op(void)
{
	static struct scn_op op;
	gboolean two;

	if (!op.word) {
		op.text = "run";
		op.word = scn_op_word_find("run", NULL, SCN_SIDE_IS_HOST, &two);
	}
	return &op;
}

static void plan_all(struct player *pl)
{
	const GPtrArray *rows = pl->c->schedule.rows;

	for (guint i = 0; i < pl->c->init->len; i++) {
		const struct scn_cell *cell = pl->c->init->pdata[i];

		if (cell->op)
			plan_add(pl, (guint)cell->actor, PLAN_CELLS, cell->op);
	}
	for (guint i = 0; rows && i < rows->len; i++) {
		const struct scn_cell *cell = rows->pdata[i];

		if (cell->op)
			plan_add(pl, (guint)cell->actor, PLAN_CELLS, cell->op);
	}
	for (guint i = 0; i < pl->ncast; i++) {
		const struct scn_actor *a = pl->cast[i].scn;

		for (guint k = 0; k < a->ops->len; k++)
			plan_add(pl, i, PLAN_LIST, a->ops->pdata[k]);
		if (a->runs_alone)
			plan_add(pl, i, PLAN_LIST, run_op());
	}
}

static void build_cast(struct player *pl)
{
	pl->ncast = pl->c->actors->len;
	pl->cast = g_new0(struct cast, pl->ncast + 1);
	for (guint i = 0; i < pl->ncast; i++) {
		struct cast *a = &pl->cast[i];

		a->pl = pl;
		a->id = i;
		a->scn = pl->c->actors->pdata[i];
		a->plan[PLAN_CELLS] = g_ptr_array_new();
		a->plan[PLAN_LIST] = g_ptr_array_new();
		a->state = world_alloc(sizeof(*a->state));
		a->actor = actor_new(pl->sim, a->scn->name, (u16)a->scn->lp, cast_main, a);
		if (a->scn->vcpu < 0)
			continue;
		a->vcpu = kmmu_vcpu(pl->kvm, (u16)a->scn->vcpu);
		a->guest = play_guest_new(pl, a->scn->guest);
		kmmu_vcpu_set_guest(a->vcpu, a->guest);
	}
	plan_all(pl);
}

/* ---- rows ---- */

static gboolean has_work(const struct cast *a)
{
	for (int plan = 0; plan < PLANS; plan++)
		if (a->state->taken[plan] < a->state->given[plan])
			return TRUE;
	return a->actor->state != ACTOR_PARKED;
}

/* A cell without an operation: go on, or start the next one of the actor's own list. */
static void row_begin(void *ctx)
{
	struct row *row = ctx;
	struct player *pl = row->a->pl;
	const char *why = NULL;

	if (row->cell->op)
		cast_give(row->a, PLAN_CELLS, 1);
	else if (!has_work(row->a) || !row->a->actor->steps)
		cast_give(row->a, PLAN_LIST, 1);
	if (row->cell->until && !watch_start(&row->watch, pl->sim, row->cell->until, &why)) {
		play_refuse(pl, &row->cell->until->loc, "%s", why);
		sim_stop(pl->sim);
	}
}

/* The rows' callbacks get the row; the watch is in it. */
static bool watch_done_row(void *ctx, const struct event *ev)
{
	return watch_done(&((struct row *)ctx)->watch, ev);
}

static bool watch_before_row(void *ctx, const struct pending *next)
{
	return watch_before(&((struct row *)ctx)->watch, next);
}

static bool watch_before_row_event(void *ctx, const struct event *ev)
{
	return watch_before_event(&((struct row *)ctx)->watch, ev);
}

static void row_fill(struct script_row *r, struct row *row)
{
	const struct scn_cond *c = row->cell->until;

	r->actor = row->a->actor;
	r->begin = row_begin;
	r->ctx = row;
	r->text = row->cell->text;
	/* "end" is the operation's: until the actor has nothing to do. */
	if (!c || c->kind == SCN_COND_END)
		return;
	row->watch.cond = c;
	r->timeout = c->kind == SCN_COND_TIMEOUT;
	if (c->before) {
		r->before = watch_before_row;
		r->done = watch_before_row_event;
	} else {
		r->done = watch_done_row;
	}
}

static struct row *rows_set(struct player *pl, const GPtrArray *cells)
{
	guint n = cells ? cells->len : 0;
	struct script_row *script = g_new0(struct script_row, n + 1);
	struct row *rows = g_new0(struct row, n + 1);

	for (guint i = 0; i < n; i++) {
		rows[i].cell = cells->pdata[i];
		rows[i].a = &pl->cast[rows[i].cell->actor];
		row_fill(&script[i], &rows[i]);
	}
	script_set(pl->sim, script, n);
	g_free(script);
	return rows;
}

static void clocks_meet(struct player *pl)
{
	u64 now = sim_cycles(pl->sim);

	for (u32 i = 0; i < actor_count(pl->sim); i++) {
		struct actor *a = actor_by_id(pl->sim, (u16)i);

		if (a->clock < now)
			world_set(a->clock, now);
	}
}

/* The rows are used up: everybody does the rest in virtual time. */
static void give_rest(void *ctx)
{
	struct player *pl = ctx;

	clocks_meet(pl);
	for (guint i = 0; i < pl->ncast; i++)
		for (int plan = 0; plan < PLANS; plan++)
			cast_give(&pl->cast[i], plan, G_MAXUINT32);
}

/* ---- phases ---- */

static void cycle_zero(struct player *pl)
{
	guint n = actor_count(pl->sim);

	clocks_meet(pl);
	pl->base = sim_cycles(pl->sim);
	pl->base_steps = sim_steps(pl->sim);
	pl->base_count_of = g_new0(guint64, (n + 1) * COUNTERS);
	for (guint c = 0; c < COUNTERS; c++) {
		pl->base_count[c] = count_of(pl->sim, NULL, c);
		for (guint i = 0; i < n; i++)
			pl->base_count_of[i * COUNTERS + c] =
				count_of(pl->sim, actor_by_id(pl->sim, (u16)i), c);
	}
	pl->started = TRUE;
	expect_start(pl);
}

/*
 * Texts of the layers below in the reader's terms: the engine counts cycles from its
 * birth, a reader from cycle 0; KVM prints a SEAMCALL's status as a number.
 */
static const char *rebased(struct player *pl, const char *text)
{
	GString *s = g_string_new(NULL);
	char name[96], *end;
	guint64 n;

	for (const char *p = text ? text : ""; *p; p++) {
		g_string_append_c(s, *p);
		if (g_str_has_suffix(s->str, "cycle ") && g_ascii_isdigit(p[1])) {
			n = g_ascii_strtoull(p + 1, &end, 10);
			g_string_append_printf(s, "%" G_GINT64_FORMAT, (gint64)(n - pl->base));
			p = end - 1;
		} else if (g_str_has_prefix(p, "0x") && strspn(p + 2, "0123456789abcdef") == 16) {
			n = g_ascii_strtoull(p, &end, 16);
			g_string_truncate(s, s->len - 1);
			if (n >> 63)
				g_string_append(s, status_name(n, name, sizeof(name)));
			else
				g_string_append_len(s, p, 18);
			p = end - 1;
		}
	}
	text = play_result_str(pl->res, s->str);
	g_string_free(s, TRUE);
	return text;
}

/* An actor that tries again and again: which lock, and who holds it. */
static char *why_busy(struct player *pl, const struct scn_cell *cell)
{
	const struct actor *me = cell ? pl->cast[cell->actor].actor : NULL;
	const char *lock = me ? pl->refused_by[me->id + 1] : NULL;
	const struct holder *h = lock ? g_hash_table_lookup(pl->holders, lock) : NULL;
	const struct actor *who = h ? actor_by_id(pl->sim, h->actor) : NULL;

	if (!lock)
		return g_strdup("");
	if (!who || who == me)
		return g_strdup_printf("; it finds %s busy", lock);
	return g_strdup_printf("; it finds %s busy, held by %s (%s) since cycle %" G_GINT64_FORMAT,
			       lock, who->name, h->mode ? h->mode : "exclusive",
			       (gint64)(h->clock - pl->base));
}

static void why_unreachable(struct player *pl, const GPtrArray *cells, gboolean init)
{
	guint at = script_at(pl->sim);
	const struct scn_cell *cell = cells && at < cells->len ? cells->pdata[at] : NULL;
	const char *why = rebased(pl, script_why(pl->sim));
	char *busy = strstr(why, " spins") ? why_busy(pl, cell) : g_strdup("");
	char *text = g_strdup_printf("%s %u (line %u) `%s`: %s%s", init ? "init line" : "row",
				     at + 1, cell ? cell->loc.line : 0, cell ? cell->text : "?",
				     why, busy);

	pl->res->why = play_result_str(pl->res, text);
	g_free(text);
	g_free(busy);
}

static void why_deadlock(struct player *pl)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	struct play_violation v = { .id = "deadlock", .where = "", .actor = "" };

	sim_explain(pl->sim, f);
	fclose(f);
	g_strchomp(text);
	for (char *p = text; *p; p++)
		if (*p == '\n')
			*p = ';';
	v.text = rebased(pl, text);
	v.clock = (gint64)sim_cycles(pl->sim);
	v.tolerated = check_is_tolerated(pl->sim, "deadlock");
	g_array_append_val(pl->res->violations, v);
	pl->res->why = v.text;
	free(text);
}

static gboolean phase(struct player *pl, const GPtrArray *cells, gboolean init)
{
	struct row *rows = rows_set(pl, cells);
	enum sim_end end;
	char *text;

	script_stop_after(pl->sim, init);
	if (!init)
		script_after(pl->sim, give_rest, pl);
	end = sim_run(pl->sim);
	switch (end) {
	case SIM_DONE:
		pl->res->end = PLAY_DONE;
		break;
	case SIM_VIOLATION:
		pl->res->end = PLAY_VIOLATION;
		break;
	case SIM_DEADLOCK:
		pl->res->end = PLAY_DEADLOCK;
		break;
	case SIM_UNREACHABLE:
		pl->res->end = PLAY_UNREACHABLE;
		why_unreachable(pl, cells, init);
		break;
	case SIM_LIMIT:
		pl->res->end = PLAY_LIMIT;
		text = g_strdup_printf("%" G_GUINT64_FORMAT " steps, cycle %" G_GUINT64_FORMAT,
				       sim_steps(pl->sim) - pl->base_steps,
				       sim_cycles(pl->sim) - pl->base);
		pl->res->why = play_result_str(pl->res, text);
		g_free(text);
		break;
	case SIM_STOPPED:
		pl->res->end = PLAY_STOPPED;
		break;
	}
	g_free(rows);
	return end == SIM_DONE;
}

static void at_end(void *ctx)
{
	struct player *pl = ctx;

	if (pl->checks)
		checks_end(pl->checks);
	/* Of a VM that is dead it only notes leaks: they are the consequence. */
	kmmu_check_end(pl->kvm);
}

/* ---- the result ---- */

static void take_actors(struct player *pl)
{
	struct play_actor root = { .name = "septsim", .background = TRUE };

	g_array_append_val(pl->res->actors, root);
	for (u32 i = 0; i < actor_count(pl->sim); i++) {
		const struct actor *a = actor_by_id(pl->sim, (u16)i);
		struct play_actor x = {
			.name = play_result_str(pl->res, a->name), .background = a->background,
			.cycles = a->clock > pl->base ? a->clock - pl->base : 0,
		};

		g_array_append_val(pl->res->actors, x);
	}
}

static void take_violations(struct player *pl)
{
	for (u32 i = 0; i < check_count(pl->sim); i++) {
		const struct violation *v = check_at(pl->sim, i);
		const struct actor *who = actor_by_id(pl->sim, v->actor);
		struct play_violation x = {
			.id = play_result_str(pl->res, v->id),
			.where = play_result_str(pl->res, v->where ? v->where : ""),
			.text = rebased(pl, v->text),
			.actor = play_result_str(pl->res, who ? who->name : "septsim"),
			.clock = (gint64)(who ? v->clock : sim_cycles(pl->sim)),
			.tolerated = v->tolerated,
		};

		g_array_append_val(pl->res->violations, x);
	}
	if (pl->res->end == PLAY_DEADLOCK)
		why_deadlock(pl);
	for (guint i = 0; i < pl->res->violations->len; i++)
		g_array_index(pl->res->violations, struct play_violation, i).clock -=
			(gint64)pl->base;
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(((const struct play_counter *)a)->name,
		      ((const struct play_counter *)b)->name);
}

static void take_counters(struct player *pl)
{
	GHashTableIter it;
	gpointer name, n;

	for (guint i = 0; i < COUNTERS; i++) {
		struct play_counter c = {
			.name = counter_name(i),
			.value = count_of(pl->sim, NULL, i) - pl->base_count[i],
		};

		g_array_append_val(pl->res->counters, c);
	}
	g_hash_table_iter_init(&it, pl->observed);
	while (g_hash_table_iter_next(&it, &name, &n)) {
		struct play_counter c = {
			.name = play_result_str(pl->res, name), .value = *(guint64 *)n,
		};

		g_array_append_val(pl->res->observed, c);
	}
	g_array_sort(pl->res->observed, by_name);
}

void player_take(struct player *pl)
{
	pl->res->steps = sim_steps(pl->sim) - pl->base_steps;
	pl->res->cycles = sim_cycles(pl->sim) - pl->base;
	take_actors(pl);
	take_violations(pl);
	take_counters(pl);
}

/* ---- life ---- */

void player_init(struct player *pl, const struct scenario *sc,
		 const struct scenario_case *c, const struct play_options *opt)
{
	memset(pl, 0, sizeof(*pl));
	pl->sc = sc;
	pl->c = c;
	pl->opt = opt;
	pl->td = c->tds->pdata[0];
	pl->res = play_result_new();
	pl->seen = g_array_new(FALSE, TRUE, sizeof(struct seen));
	pl->named = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	pl->observed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	pl->tallies = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	pl->called = g_new0(guint64, ACTORS_MAX + 1);
	pl->touched = g_new0(const void *, ACTORS_MAX + 1);
	pl->refused_by = g_new0(const char *, ACTORS_MAX + 1);
	pl->holders = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
	describe(pl);
	play_note_names(pl);
	expect_prepare(pl);
}

void player_unbuild(struct player *pl)
{
	playing = NULL;
	if (pl->sim)
		sim_free(pl->sim);
	pl->sim = NULL;
	checks_free(pl->checks);
	pl->checks = NULL;
	for (guint i = 0; i < pl->ncast; i++) {
		g_ptr_array_unref(pl->cast[i].plan[PLAN_CELLS]);
		g_ptr_array_unref(pl->cast[i].plan[PLAN_LIST]);
		play_guest_free(pl->cast[i].guest);
	}
	g_clear_pointer(&pl->cast, g_free);
	g_clear_pointer(&pl->base_count_of, g_free);
	pl->ncast = 0;
}

void player_fini(struct player *pl)
{
	player_unbuild(pl);
	g_array_free(pl->seen, TRUE);
	g_hash_table_unref(pl->named);
	g_hash_table_unref(pl->observed);
	g_hash_table_unref(pl->tallies);
	g_free(pl->called);
	g_free(pl->touched);
	g_free(pl->refused_by);
	g_hash_table_unref(pl->holders);
	g_free(pl->refused);
}

gboolean player_build(struct player *pl)
{
	if (!td_possible(pl) || !build_sim(pl) || !build_module(pl) || !build_vm(pl))
		return FALSE;
	build_cast(pl);
	return !pl->refused;
}

void player_refused(struct player *pl)
{
	pl->res->end = PLAY_REFUSED;
	pl->res->why = play_result_str(pl->res, pl->refused);
	pl->res->as_expected = FALSE;
}

struct play_result *scenario_play(const struct scenario *sc, const struct scenario_case *c,
				  const struct play_options *opt)
{
	struct player pl;

	player_init(&pl, sc, c, opt);
	if (player_build(&pl)) {
		pl.checks = checks_new(pl.sim, pl.kvm);
		checks_progress(pl.checks, c->limit.progress, STUCK_WINDOW);
		check_at_end(pl.sim, at_end, &pl);
		play_record_start(&pl);
		if (phase(&pl, c->init, TRUE)) {
			cycle_zero(&pl);
			phase(&pl, c->schedule.rows, FALSE);
		}
		play_record_stop(&pl);
		player_take(&pl);
		if (!pl.refused)
			expect_judge(&pl);
	}
	if (pl.refused)
		player_refused(&pl);
	player_fini(&pl);
	return pl.res;
}
