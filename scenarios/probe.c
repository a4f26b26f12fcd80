// SPDX-License-Identifier: GPL-2.0-only
/*
 * The leaves of the module, and the locks that each takes when it succeeds: from its events.
 * A leaf without a recipe, or of which the recipe does not succeed, is listed and not probed.
 */
#include "scenarios/probe_priv.h"

#include <string.h>

#include "sim/engine/check.h"
#include "sim/engine/mem.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"
#include "tdxmod/flow.h"
#include "tdxmod/guest.h"
#include "tdxmod/leaf.h"
#include "tdxmod/tdcall.h"
#include "tdxmod/versions.h"

/* --- watching a call --- */

static void on_event(void *ctx, const struct event *ev)
{
	struct watch *w = ctx;
	struct taken t = { .lock = { ev->name, ev->detail }, .p = w->last, .step = w->since };

	switch (ev->type) {
	case EV_STEP:
		w->steps++;
		if (ev->p != w->last)
			w->since = w->steps;
		w->last = ev->p;
		if (w->at_step)
			w->at_step(w);
		break;
	case EV_LOCK:
		g_array_append_val(w->locks, t);
		if (w->at_lock)
			w->at_lock(w, w->locks->len - 1);
		break;
	case EV_BUSY:
		g_array_append_val(w->busy, t);
		break;
	default:
		break;
	}
}

void watch_begin(struct machine *m, struct watch *w)
{
	w->locks = g_array_new(FALSE, FALSE, sizeof(struct taken));
	w->busy = g_array_new(FALSE, FALSE, sizeof(struct taken));
	w->steps = w->since = 0;
	w->last = NULL;
	trace_listen(m->sim, on_event, w);
}

void watch_end(struct machine *m, struct watch *w)
{
	trace_unlisten(m->sim, on_event, w);
	g_array_unref(w->locks);
	g_array_unref(w->busy);
}

gboolean probe_repeats(const GArray *locks, guint n)
{
	const struct probe_lock *at, *before, *after;

	if (!n || n + 1 >= locks->len)
		return FALSE;
	at = &g_array_index(locks, struct probe_lock, n);
	before = &g_array_index(locks, struct probe_lock, n - 1);
	after = &g_array_index(locks, struct probe_lock, n + 1);
	return !strcmp(at->name, before->name) && !strcmp(at->name, after->name) &&
	       !strcmp(at->mode, before->mode) && !strcmp(at->mode, after->mode);
}

void probe_td_normal(struct machine *m)
{
	struct module *mod = module_of(m->sim);
	struct tdr *tdr = tdr_at(m->tdr);

	world_set(tdr->lifecycle, TD_KEYS_CONFIGURED);
	world_set(td_tdcs(tdr)->op_state, OP_STATE_RUNNABLE);
	world_set(mod->kot[tdr->hkid].state, HKID_ASSIGNED);
}

/* --- the leaves --- */

static struct probe_leaf *leaf_new(const char *name, u64 leaf, gboolean guest, gboolean modelled)
{
	struct probe_leaf *l = g_new0(struct probe_leaf, 1);

	l->name = g_strdup(name);
	l->leaf = leaf;
	l->guest = guest;
	l->modelled = modelled;
	l->locks = g_array_new(FALSE, FALSE, sizeof(struct probe_lock));
	l->results = g_ptr_array_new_with_free_func(g_free);
	return l;
}

static void leaf_free(gpointer p)
{
	struct probe_leaf *l = p;

	g_free(l->name);
	g_array_unref(l->locks);
	g_ptr_array_unref(l->results);
	g_free(l);
}

static void conflict_free(gpointer p)
{
	struct probe_conflict *c = p;

	g_ptr_array_unref(c->busy);
	g_ptr_array_unref(c->held);
	g_free(c);
}

const struct recipe *probe_recipe_of(const struct probe *p, guint i)
{
	const struct probe_leaf *l = p->leaves->pdata[i];
	guint n;
	const struct recipe *r = probe_recipes(&n);

	for (guint k = 0; k < n; k++)
		if (!strcmp(r[k].name, l->name))
			return &r[k];
	return NULL;
}

/* A leaf, and after it what its recipes call otherwise */
static void add_leaf(struct probe *p, const char *name, u64 leaf, gboolean guest, gboolean modelled)
{
	guint n;
	const struct recipe *r = probe_recipes(&n);

	g_ptr_array_add(p->leaves, leaf_new(name, leaf, guest, modelled));
	for (guint k = 0; k < n; k++)
		if (r[k].leaf == leaf && !r[k].guest == !guest && strcmp(r[k].name, name))
			g_ptr_array_add(p->leaves, leaf_new(r[k].name, leaf, guest, modelled));
}

static void add_leaves(struct probe *p)
{
	struct tdx_version version = { .on = 0 };

	tdx_version_find(p->tdx, &version);
	for (u64 i = 0; i < LEAF_LIMIT; i++) {
		const struct leaf *l = leaf_of(i);
		gboolean dynamic = i == TDH_PHYMEM_PAMT_ADD || i == TDH_PHYMEM_PAMT_REMOVE;

		if (i == TDH_IQ_INV_PROCESS && !(version.on & SWITCH(S_IOTLB)))
			continue;
		if (l && (p->dpamt || !dynamic))
			add_leaf(p, l->name, i, FALSE, l->run != NULL);
	}
	for (u64 i = 0; i < LEAF_LIMIT; i++)
		if (tdcall_leaf(i))
			add_leaf(p, tdcall_name(i), i, TRUE, tdcall_leaf(i)->run != NULL);
}

/* What happens when the leaf succeeds */
static void learn_locks(struct machine *m, const struct recipe *recipe, struct probe_leaf *l)
{
	struct place *at = &m->place[0];
	struct watch w = { 0 };
	struct tdx_regs r;
	u64 status;

	probe_td_normal(m);
	recipe->prepare(m, at);
	probe_regs(m, recipe, at, &r);
	watch_begin(m, &w);
	status = probe_call(m, recipe, at, &r);
	if (status == TDX_SUCCESS && !check_count(m->sim)) {
		l->probed = TRUE;
		for (guint i = 0; i < w.locks->len; i++)
			g_array_append_val(l->locks, g_array_index(w.locks, struct taken, i).lock);
	}
	watch_end(m, &w);
}

struct probe *probe_new(const char *tdx, gboolean dpamt)
{
	struct probe *p = g_new0(struct probe, 1);

	p->tdx = tdx;
	p->dpamt = dpamt;
	p->leaves = g_ptr_array_new_with_free_func(leaf_free);
	p->conflicts = g_ptr_array_new_with_free_func(conflict_free);
	p->moves = g_array_new(FALSE, FALSE, sizeof(struct probe_move));
	add_leaves(p);
	for (guint i = 0; i < p->leaves->len; i++) {
		const struct recipe *recipe = probe_recipe_of(p, i);
		struct machine *m = recipe ? probe_machine_new(p) : NULL;

		if (!m)
			continue;
		learn_locks(m, recipe, p->leaves->pdata[i]);
		probe_machine_free(m);
	}
	return p;
}

void probe_free(struct probe *p)
{
	g_ptr_array_unref(p->leaves);
	g_ptr_array_unref(p->conflicts);
	g_array_unref(p->moves);
	g_free(p);
}
