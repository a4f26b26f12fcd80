// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is refused what while whom holds which lock: the holder is stopped behind each lock that
 * it takes, and the caller is run there from another LP.
 */
#include "scenarios/probe_priv.h"

#include <string.h>

#include "sim/engine/trace.h"
#include "tdxmod/flow.h"

struct meeting {
	struct machine *m;
	const struct recipe *caller;
	const struct place *at;		/* the caller's */
	struct tdx_regs regs;
	guint stop;			/* behind which of the holder's locks */
	gboolean met;
	struct probe_conflict *to;
};

/* The mode in which the holder has the lock at @p by now */
static const char *mode_of(const GArray *taken, const void *p)
{
	const char *mode = "";

	for (guint i = 0; i < taken->len; i++) {
		const struct taken *t = &g_array_index(taken, struct taken, i);

		if (t->p == p)
			mode = t->lock.mode;
	}
	return mode;
}

static void note(struct meeting *x, u64 status, const GArray *busy, const GArray *holder)
{
	char *word = probe_word(status);
	const struct taken *last;

	if (!busy->len || g_ptr_array_find_with_equal_func(x->to->busy, word, g_str_equal, NULL)) {
		g_free(word);
		return;
	}
	last = &g_array_index(busy, struct taken, busy->len - 1);
	g_ptr_array_add(x->to->busy, word);
	g_ptr_array_add(x->to->held, g_strdup_printf("%s %s", last->lock.name,
						     mode_of(holder, last->p)));
}

static void call_now(struct meeting *x, const GArray *holder)
{
	struct tdx_regs regs = x->regs;
	struct watch w = { 0 };
	u64 status;

	x->met = TRUE;
	watch_begin(x->m, &w);
	status = probe_call(x->m, x->caller, x->at, &regs);
	note(x, status, w.busy, holder);
	watch_end(x->m, &w);
}

/* The nested call's own events come here too: it takes place once */
static void at_lock(struct watch *w, guint n)
{
	struct meeting *x = w->ctx;

	if (!x->met && n == x->stop)
		call_now(x, w->locks);
}

static void holder_runs(struct meeting *x, const struct recipe *holder)
{
	struct watch w = { .at_lock = at_lock, .ctx = x };
	struct place *at = &x->m->place[0];
	struct tdx_regs r;

	x->met = FALSE;
	probe_regs(x->m, holder, at, &r);
	watch_begin(x->m, &w);
	probe_call(x->m, holder, at, &r);
	if (!x->met && holder->stays)
		call_now(x, w.locks);
	watch_end(x->m, &w);
}

/* Where the caller acts: at its own place, or at the holder's from its own LP */
static struct place callers_place(struct machine *m, const struct recipe *caller,
				  const struct recipe *holder, gboolean same)
{
	struct place at = m->place[same ? 0 : 1];

	at.lp = m->place[1].lp;
	if (!same || !caller->vcpu || !holder->vcpu)
		at.vcpu = m->place[1].vcpu;
	return at;
}

static gboolean may_be_same(const struct recipe *a, const struct recipe *b)
{
	return (a->entry && b->entry) || (a->vcpu && b->vcpu);
}

static struct probe_conflict *conflict_new(guint caller, guint holder, gboolean same)
{
	struct probe_conflict *c = g_new0(struct probe_conflict, 1);

	c->caller = caller;
	c->holder = holder;
	c->same = same;
	c->busy = g_ptr_array_new_with_free_func(g_free);
	c->held = g_ptr_array_new_with_free_func(g_free);
	return c;
}

/* Both can go ahead: the caller's state first, so that the holder's is what the TD has */
static void prepare(struct machine *m, const struct recipe *caller, const struct recipe *holder,
		    gboolean same)
{
	probe_td_normal(m);
	caller->prepare(m, &m->place[1]);
	probe_td_normal(m);
	holder->prepare(m, &m->place[0]);
	sim_self->lp = 0;
}

static void meet(struct probe *p, struct machine *m, guint caller, guint holder, gboolean same)
{
	const struct recipe *c = probe_recipe_of(p, caller), *h = probe_recipe_of(p, holder);
	const struct probe_leaf *l = p->leaves->pdata[holder];
	struct probe_conflict *conflict = conflict_new(caller, holder, same);
	struct meeting x = { .m = m, .caller = c, .to = conflict };
	struct rewind *ready;
	struct tdx_regs alone;
	struct place at;

	prepare(m, c, h, same);
	at = callers_place(m, c, h, same);
	x.at = &at;
	probe_regs(m, c, &at, &x.regs);
	ready = rewind_new(m->sim);
	alone = x.regs;
	conflict->meets = probe_call(m, c, &at, &alone) == TDX_SUCCESS;
	for (guint k = 0; k <= l->locks->len; k++) {
		if (probe_repeats(l->locks, k))
			continue;
		x.stop = k;
		rewind_to(ready);
		sim_self->lp = 0;
		holder_runs(&x, h);
	}
	rewind_to(ready);
	rewind_free(ready);
	g_ptr_array_add(p->conflicts, conflict);
}

void probe_conflicts(struct probe *p)
{
	for (guint c = 0; c < p->leaves->len; c++) {
		const struct probe_leaf *caller = p->leaves->pdata[c];

		for (guint h = 0; caller->probed && h < p->leaves->len; h++) {
			const struct probe_leaf *holder = p->leaves->pdata[h];
			gboolean twice;

			if (!holder->probed)
				continue;
			twice = may_be_same(probe_recipe_of(p, c), probe_recipe_of(p, h));
			for (guint same = 0; same <= (twice ? 1u : 0u); same++) {
				struct machine *m = probe_machine_new(p);

				if (m)
					meet(p, m, c, h, same);
				if (m)
					probe_machine_free(m);
			}
		}
	}
}
