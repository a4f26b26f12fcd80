// SPDX-License-Identifier: GPL-2.0-only
/*
 * What breaks and is known: the project's own KVM, every protection on, breaks by the same rule
 * on the same schedule, or a case of the scenario says that the code as it is does. It is no
 * fault of the change that is judged. That it breaks likewise somewhere else does not count.
 */
#include <string.h>

#include "scenarios/diag.h"
#include "scenarios/vocab.h"
#include "sim/cli/campaign_known.h"

#define REFERENCE_STATES 16u	/* times as many there: its steps are others, and so is the order */

struct play_options known_reference(const struct play_options *opt)
{
	static const char *const none[] = { NULL };
	struct play_options o = *opt;

	o.backend = KMMU_OWN;
	o.switches = none;
	o.lines = NULL;
	return o;
}

const struct play_violation *campaign_broken_by(const struct play_result *r)
{
	for (guint i = 0; i < r->violations->len; i++) {
		const struct play_violation *v =
			&g_array_index(r->violations, struct play_violation, i);

		if (!v->tolerated)
			return v;
	}
	return NULL;
}

static gboolean breaks(const struct play_result *r, const char *id)
{
	for (guint i = 0; i < r->violations->len; i++)
		if (!strcmp(g_array_index(r->violations, struct play_violation, i).id, id))
			return TRUE;
	return FALSE;
}

gboolean known_end(const struct play_result *a, const struct play_result *b)
{
	const struct play_violation *v = campaign_broken_by(a), *w = campaign_broken_by(b);

	/* A wait that nobody ends is told as it is noticed: by the row, or by the loop. */
	if (v && !w && !strcmp(v->id, "livelock") && b->end == PLAY_UNREACHABLE)
		return TRUE;
	/* A WARN of the tree's does not know its gfn, as the model's does. */
	if (v && w)
		return !strcmp(v->id, w->id) && (!*v->where || !strcmp(v->where, w->where));
	return !v && !w && a->end == b->end;
}

/* Does the reference break likewise on the way that was found? */
static gboolean reference_follows(const struct play_options *opt,
				  const struct explored_violation *v)
{
	struct play_options ref = known_reference(opt);
	struct diag *diag = diag_new();
	struct scenario *sc = v->scenario ?
		scenario_parse_text("found", v->scenario, strlen(v->scenario), NULL,
				    scenario_vocab_model(), diag) : NULL;
	gboolean follows = FALSE;

	if (sc) {
		struct scenario_case *c = sc->cases->pdata[0];
		struct play_result *r;

		g_ptr_array_set_size(c->variant.switches, 0);	/* those of --variant */
		c->policy.name = NULL;
		r = scenario_play(sc, c, &ref);
		follows = breaks(r, v->id);
		play_result_free(r);
		scenario_free(sc);
	}
	diag_free(diag);
	return follows;
}

/* Where no rows of a schedule lead to what was found: rules that such a search breaks there */
static GHashTable *reference_breaks(const struct play_options *opt, const struct task *t,
				    const struct explore_request *q)
{
	GHashTable *ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	struct play_options ref = known_reference(opt);
	struct explore_request quick = *q;
	struct explored *own;

	quick.shrink = FALSE;
	quick.engine.keep_going = TRUE;
	quick.engine.states *= REFERENCE_STATES;
	own = scenario_explore(t->sc, t->c, &ref, &quick);
	for (guint n = 0; n < own->violations->len; n++) {
		const struct explored_violation *v = own->violations->pdata[n];

		g_hash_table_add(ids, g_strdup(v->id));
	}
	explored_free(own);
	return ids;
}

/* A case of the same file that plays the code as it is says that this breaks. */
static gboolean documented(const struct task *t, const char *id)
{
	for (guint n = 0; n < t->sc->cases->len; n++) {
		const struct scenario_case *c = t->sc->cases->pdata[n];

		if (plays_broken_code(c) || (strcmp(plan_kvm(c), plan_kvm(t->c)) &&
					     strcmp(plan_kvm(c), DEFAULT_KVM)))
			continue;
		for (guint i = 0; i < c->expects->len; i++) {
			const struct scn_expect *x = c->expects->pdata[i];

			if (x->kind == SCN_EXPECT_VIOLATION && !strcmp(x->check, id))
				return TRUE;
		}
	}
	return FALSE;
}

const struct explored_violation *known_first_new(const struct play_options *opt,
						 const struct task *t,
						 const struct explore_request *q,
						 const struct explored *e)
{
	const struct explored_violation *new = NULL;
	GHashTable *ids = NULL;

	for (guint n = 0; n < e->violations->len && !new; n++) {
		const struct explored_violation *v = e->violations->pdata[n];

		if (reference_follows(opt, v) || documented(t, v->id))
			continue;
		if (!v->scenario && !ids)
			ids = reference_breaks(opt, t, q);
		if (v->scenario || !g_hash_table_contains(ids, v->id))
			new = v;
	}
	if (ids)
		g_hash_table_unref(ids);
	return new;
}
