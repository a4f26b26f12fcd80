// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a case starts from: a simulation with a module, a VM and a cast, as its td, variant,
 * policy and actors say; and how the result names all that. Rests on tdxmod/build.h.
 */
#include <string.h>

#include "scenarios/play_priv.h"
#include "scenarios/rests_on.h"
#include "sim/engine/arena.h"
#include "sim/engine/check.h"
#include "tdxmod/build.h"
#include "tdxmod/user_leaf.h"
#include "tdxmod/versions.h"

/* No machine hands out its first megabyte; and hpa 0 means "none" to the module. */
#define LOW_MEMORY	(1ull << 20)

#define STEPS_DEFAULT	4000000u

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

char *player_backend(enum kmmu_backend backend)
{
	const struct kmmu_tree *tree = backend == KMMU_LINUX ? kmmu_tree() : NULL;

	if (!tree)
		return g_strdup("own");
	return g_strdup_printf("linux %s%s%s", tree->version, *tree->imitated ? "; " : "",
			       tree->imitated);
}

static void describe_backend(struct play_result *r, enum kmmu_backend backend)
{
	char *s = player_backend(backend);

	r->backend = play_result_str(r, s);
	g_free(s);
}

void player_describe(struct player *pl)
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
	describe_backend(r, o->backend);
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
	g_string_append_printf(note, " tdx=%s", r->tdx);
	if (strcmp(r->policy, r->kvm))
		g_string_append_printf(note, " policy %s", r->policy);
	for (guint i = 0; i < c->dropped->len; i++)
		g_string_append_printf(note, "%s %s", i ? "," : ", without",
				       (char *)c->dropped->pdata[i]);
	if (o->backend == KMMU_LINUX && kmmu_tree() && *kmmu_tree()->imitated)
		g_string_append_printf(note, "; %s", kmmu_tree()->imitated);
	r->note = play_result_str(r, note->str);
	rests = rests_on(c, r->kvm, r->tdx, switches);
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

static guint64 memory_of(const struct scenario_case *c)
{
	guint64 bytes = 0;

	for (guint i = 0; i < c->tds->len; i++)
		bytes += ((const struct scn_td *)c->tds->pdata[i])->memory;
	return bytes;
}

static gboolean build_sim(struct player *pl)
{
	const struct play_options *o = pl->opt;
	const struct scn_limit *limit = &pl->c->limit;
	struct cost_table builtin;
	struct sim_options so = {
		.carrier = pl->free ? CARRIER_PTHREAD : o->carrier,
		.sched = pl->free ? SCHED_FREE : pl->measured ? SCHED_CLOCK : SCHED_SCRIPT,
		.seed = o->seed, .lps = (u16)lps_of(pl->c, pl->td),
		.packages = (u16)MAX(pl->td->packages, 1u),
		.phys = (1ull << 30) + 2 * memory_of(pl->c),
		.max_steps = pl->free || pl->measured ? 0 :
			     limit->steps ? limit->steps : STEPS_DEFAULT,
		.max_cycles = pl->measured ? 0 : limit->cycles, .timed = !pl->free,
		.keyed = !pl->free && !pl->measured,
		.costs = o->costs ? o->costs : &builtin, .cost_level = (u8)o->cost_level,
	};

	cost_init(&builtin);
	pl->sim = sim_new(&so);
	if (!pl->sim) {
		play_refuse(pl, NULL, "the simulated machine cannot be mapped here");
		return FALSE;
	}
	page_reserve(LOW_MEMORY);
	player_stoppable(pl->sim);
	for (guint i = 0; i < pl->c->tolerate->len; i++)
		check_tolerate(pl->sim, pl->c->tolerate->pdata[i]);
	return TRUE;
}

static gboolean build_module(struct player *pl)
{
	struct tdx_version version;
	char **words = g_strsplit(pl->res->switches, " ", -1);
	struct tdx_module_config cfg = {
		.version = pl->res->tdx,
		.dpamt = g_strv_contains((const char *const *)words, TDX_OPTION_DPAMT) ?
			 DPAMT_ALL : DPAMT_OFF,
	};

	g_strfreev(words);
	if (tdx_module_new(pl->sim, &cfg)) {
		user_leaves_set(pl->sim, pl->opt->leaves);
		return TRUE;
	}
	play_refuse(pl, &pl->c->variant.loc, tdx_version_find(pl->res->tdx, &version) ?
		    "module %s has no dynamic PAMT; septsim list variants tdx" :
		    "no module version %s; septsim list variants tdx", pl->res->tdx);
	return FALSE;
}

static gboolean td_possible(struct player *pl)
{
	struct tdx_version version;

	for (guint i = 0; i < pl->c->tds->len; i++) {
		const struct scn_td *td = pl->c->tds->pdata[i];

		if (td->type == SCN_TD_TYPE_DEFAULT && (td->pve || td->notify || td->iommus))
			play_refuse(pl, &td->loc, "pve=, notify= and iommus= are a TD's: this VM "
				    "has type=default");
		else if (td->iommus && !(tdx_version_find(pl->res->tdx, &version) &&
					 version.on & SWITCH(S_IOTLB)))
			play_refuse(pl, &td->loc, "iommus=: module %s has no TDX Connect (S12); "
				    "septsim list variants tdx", pl->res->tdx);
		else if (td->iommus && td->state == SCN_TD_STATE_NONE)
			play_refuse(pl, &td->loc, "iommus= wants a TD that is there from the start: "
				    "not state=none");
	}
	return !pl->refused;
}

static GPtrArray *variant_words(struct player *pl)
{
	GPtrArray *w = g_ptr_array_new_with_free_func(g_free);
	char **each = g_strsplit(pl->res->switches, " ", -1);

	g_ptr_array_add(w, g_strdup_printf("kvm=%s", pl->res->kvm));
	for (char **p = each; *p; p++)
		if (**p && strcmp(*p, TDX_OPTION_DPAMT))
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

static gboolean build_vm(struct player *pl, guint n)
{
	GPtrArray *variant = variant_words(pl), *policy_args = policy_words(pl);
	const struct scn_td *td = pl->c->tds->pdata[n];
	struct kmmu_config cfg = {
		.backend = pl->opt->backend,
		.name = *td->name ? td->name : "TD",
		.type = td->type == SCN_TD_TYPE_DEFAULT ? KMMU_DEFAULT : KMMU_TDX, .vcpus = (u16)td->vcpus,
		.memory = td->memory, .levels = (u8)td->levels, .max_level = (u8)td->max_level,
		.initialized_only = td->state == SCN_TD_STATE_INITIALIZED,
		.created_only = td->state == SCN_TD_STATE_NONE,
		.pending_ve_disable = td->pve, .notify = td->notify,
		.iommus = (u8)td->iommus,
		.nx_huge_pages = td->nx_huge_pages, .dirty_log = td->dirty_log,
		.no_ad = td->no_ad, .no_pml = td->no_pml, .manual_protect = td->manual_protect,
		.variant = (const char *const *)variant->pdata,
		.policy = pl->opt->policy ? pl->opt->policy : pl->c->policy.name,
		.policy_args = (const char *const *)policy_args->pdata,
	};
	GError *err = NULL;

	pl->vms[n] = kmmu_vm_new(pl->sim, &cfg, &err);
	if (!pl->vms[n]) {
		play_refuse(pl, pl->c->variant.loc.line ? &pl->c->variant.loc : &pl->c->policy.loc,
			    "%s", err ? err->message : "the VM cannot be made");
		g_clear_error(&err);
	}
	g_ptr_array_unref(variant);
	g_ptr_array_unref(policy_args);
	return pl->vms[n] != NULL;
}

static gboolean build_vms(struct player *pl)
{
	if (pl->opt->lines)
		lines_open(pl->sim, pl->opt->lines, pl->opt->line_outcomes);
	for (guint i = 0; i < pl->c->tds->len; i++)
		if (!build_vm(pl, i))
			return FALSE;
	pl->kvm = pl->vms[0];
	return TRUE;
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
		a->kvm = pl->vms[a->scn->td];
		a->td = pl->c->tds->pdata[a->scn->td];
		a->plan[PLAN_CELLS] = g_ptr_array_new();
		a->plan[PLAN_LIST] = g_ptr_array_new();
		a->state = world_alloc(sizeof(*a->state));
		a->actor = actor_new(pl->sim, a->scn->name, (u16)a->scn->lp, cast_main, a);
		actor_rest(a->actor, "no operation yet");
		if (a->scn->vcpu < 0)
			continue;
		a->guest = play_guest_new(pl, a->td, a->scn->guest);
		kmmu_set_guest(a->kvm, (u16)a->scn->vcpu, a->guest);
	}
	plan_all(pl);
}

gboolean player_build(struct player *pl)
{
	if (!td_possible(pl) || !build_sim(pl) || !build_module(pl) || !build_vms(pl))
		return FALSE;
	build_cast(pl);
	return !pl->refused;
}
