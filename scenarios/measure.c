// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events to metrics. A call is timed from its EV_CALL to its EV_RETURN on the same actor,
 * a lock from EV_LOCK to EV_UNLOCK, a wait from EV_BLOCKED to the lock; what a kick costs a
 * guest is the time from the interrupt's TD exit to the next entry of that vCPU.
 * Rests on sim/engine/trace.h; the words are those of docs/bench.md.
 */
#include "scenarios/measure.h"

#include <string.h>

#include "sim/engine/clock.h"
#include "sim/engine/cost.h"
#include "sim/engine/sim.h"
#include "sim/engine/trace.h"
#include "tdxmod/observe.h"
#include "tdxmod/status.h"

#define NEST		24	/* calls in calls */
#define HELD		64	/* locks of one actor at a time */

static const struct measure_word words[] = {
	{ "stall", "cycles", "a guest kept from a private page: from its first EPT violation until "
	  "it has accepted the page or goes on, however often it was resumed in between" },
	{ "fault", "cycles", "a private EPT violation in KVM, local retries included" },
	{ "fault-laps", "count", "how often such a fault mapped, the first time included" },
	{ "zap", "cycles", "removal of one leaf: BLOCK, TRACK, kicks, REMOVE, WBINVD" },
	{ "track", "cycles", "TDH.MEM.TRACK with its kick" },
	{ "convert", "cycles", "one change of attributes (MapGPA), whole range" },
	{ "kick", "cycles", "kvm_make_all_cpus_request(), to the last acknowledgement" },
	{ "op", "cycles", "a host operation of the scenario, by its first word" },
	{ "seamcall", "cycles", "a leaf of the module, by name, whatever it returned" },
	{ "busy", "count", "what a leaf found busy: leaf, then operand" },
	{ "busy-at", "cycles", "when something was found busy, from cycle 0 on: by operand" },
	{ "hold", "cycles", "a lock held, by name and mode" },
	{ "wait", "cycles", "a kernel lock waited for, by name" },
	{ "round-trip", "cycles", "a TD exit until the guest runs again, by reason of the exit" },
	{ "kicked-out", "cycles", "a guest out for an interrupt, until it runs again" },
	{ "exits", "count", "TD exits, by reason" },
	{ "entries", "count", "times a guest began to run" },
	{ "entries-refused", "count", "TDH.VP.ENTER that did not run the guest, by status" },
	{ "pages", "count", "private pages installed: successful AUG and ADD, in 4K" },
	{ "observed", "count", "observations, by name" },
	{ "charge", "count", "how often a price of `septsim list costs` was charged, by its key" },
	{ "count", "count", "the engine's counters: ipis, kicks, retries, zero-step ..." },
};

const struct measure_word *measure_words(guint *n)
{
	*n = G_N_ELEMENTS(words);
	return words;
}

/* Seam functions that have a word of their own */
static const struct {
	const char *fn, *word;
} seams[] = {
	{ "tdx_handle_ept_violation", "fault" },
	{ "tdx_sept_remove_leaf_spte", "zap" },
	{ "tdx_sept_remove_private_spte", "zap" },	/* of a tree before v7.2 */
	{ "tdx_track", "track" },
	{ "kvm_vm_set_mem_attributes", "convert" },
	{ "kvm_make_all_cpus_request", "kick" },
};

struct open_call {
	const char *name;
	guint64 since;
};

struct open_lock {
	const char *name, *mode;
	guint64 since;
};

/* What is going on on one actor */
struct on_actor {
	struct open_call call[NEST];
	guint calls;
	struct open_lock lock[HELD];
	guint locks;
	const char *waits;		/* for this lock, */
	guint64 waits_since;
	guint64 out_since;		/* the last TD exit; 0: none */
	const char *out_for;		/* its reason */
	guint64 stall_since;		/* first EPT violation since the guest went on; 0: none */
	guint64 entered;		/* when the guest ran last */
	guint64 laps;			/* of the fault that is being handled */
	const char *op;
	guint64 op_since;
};

/* A metric found by up to three words, compared as pointers first */
struct key {
	const char *a, *b, *c;
};

struct measure {
	GHashTable *by_key;		/* struct key -> struct metric *: the fast way */
	GHashTable *by_name;		/* text -> struct metric *: the owner */
	struct on_actor *actor;		/* [ACTORS_MAX], from measure_start() on */
	guint64 base[COUNTERS];
	guint64 charged[COST_NR];	/* likewise */
	guint64 zero;			/* clock of cycle 0 */
};

static guint key_hash(gconstpointer p)
{
	const struct key *k = p;

	return g_direct_hash(k->a) ^ g_direct_hash(k->b) * 31 ^ g_direct_hash(k->c) * 1021;
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
	return !memcmp(a, b, sizeof(struct key));
}

static void metric_free(gpointer p)
{
	struct metric *x = p;

	hist_fini(&x->hist);
	g_free(x);
}

struct measure *measure_new(void)
{
	struct measure *m = g_new0(struct measure, 1);

	m->by_key = g_hash_table_new_full(key_hash, key_equal, g_free, NULL);
	m->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, metric_free);
	return m;
}

void measure_free(struct measure *m)
{
	g_hash_table_unref(m->by_key);
	g_hash_table_unref(m->by_name);
	g_free(m->actor);
	g_free(m);
}

static struct metric *named(struct measure *m, const char *name)
{
	struct metric *x = g_hash_table_lookup(m->by_name, name);

	if (x)
		return x;
	x = g_new0(struct metric, 1);
	x->name = g_intern_string(name);
	g_hash_table_insert(m->by_name, (gpointer)x->name, x);
	return x;
}

/* "A", "A B" or "A B C"; equal words at other addresses end at one metric */
static struct metric *metric(struct measure *m, const char *a, const char *b, const char *c)
{
	struct key key = { a, b, c };
	struct metric *x = g_hash_table_lookup(m->by_key, &key);
	char *name;

	if (x)
		return x;
	name = g_strdup_printf("%s%s%s%s%s", a, b ? " " : "", b ? b : "", c ? " " : "",
			       c ? c : "");
	x = named(m, name);
	g_free(name);
	g_hash_table_insert(m->by_key, g_memdup2(&key, sizeof(key)), x);
	return x;
}

static void counted(struct metric *x, guint64 n)
{
	x->counted = TRUE;
	x->hist.sum += n;
}

void measure_count(struct measure *m, const char *name, guint64 n)
{
	counted(named(m, name), n);
}

/* ---- events ---- */

static const char *seam_word(const char *fn)
{
	for (guint i = 0; i < G_N_ELEMENTS(seams); i++)
		if (!strcmp(seams[i].fn, fn))
			return seams[i].word;
	return NULL;
}

static gboolean is_leaf(const char *name)
{
	return !strncmp(name, "TDH.", 4) || !strncmp(name, "TDG.", 4);
}

static void on_call(struct on_actor *a, const struct event *ev)
{
	if (!strcmp(ev->name, "kvm_tdp_mmu_map"))
		a->laps++;
	else if (!strcmp(ev->name, "tdx_handle_ept_violation"))
		a->laps = 0;
	if (a->calls < NEST)
		a->call[a->calls] = (struct open_call){ ev->name, ev->clock };
	a->calls++;
}

/* The call that @ev ends: those above it have been left without a return (a TD that died) */
static const struct open_call *ended(struct on_actor *a, const struct event *ev)
{
	for (guint i = MIN(a->calls, NEST); i-- > 0;) {
		if (a->call[i].name != ev->name && strcmp(a->call[i].name, ev->name))
			continue;
		a->calls = i;
		return &a->call[i];
	}
	return NULL;
}

static const char *status_word(guint64 status)
{
	char buf[96];
	const char *s = status_name(status, buf, sizeof(buf));

	return g_intern_string(g_str_has_prefix(s, "TDX_") ? s + 4 : s);
}

static void went_on(struct measure *m, struct on_actor *a, guint64 when)
{
	if (a->stall_since)
		hist_add(&metric(m, "stall", NULL, NULL)->hist, when - a->stall_since);
	a->stall_since = 0;
}

static void leaf_returned(struct measure *m, const struct event *ev, guint64 cycles)
{
	guint64 class = ev->status & 0xffffffff00000000ull;

	hist_add(&metric(m, "seamcall", ev->name, NULL)->hist, cycles);
	if (status_is_busy(ev->status)) {
		counted(metric(m, "busy", ev->name, status_word(ev->status)), 1);
		hist_add(&metric(m, "busy-at", status_word(ev->status), NULL)->hist,
			 ev->clock > m->zero ? ev->clock - m->zero : 0);
	}
	if (!strcmp(ev->name, "TDH.VP.ENTER") && ev->status >> 63)
		counted(metric(m, "entries-refused", status_word(ev->status), NULL), 1);
	if (!class && (!strcmp(ev->name, "TDH.MEM.PAGE.AUG") ||
		       !strcmp(ev->name, "TDH.MEM.PAGE.ADD")))
		counted(metric(m, "pages", NULL, NULL), 1);
}

static void on_return(struct measure *m, struct on_actor *a, const struct event *ev)
{
	const struct open_call *c = ended(a, ev);
	const char *word;

	if (!c)
		return;
	if (is_leaf(ev->name)) {
		if (!ev->status && !strcmp(ev->name, "TDG.MEM.PAGE.ACCEPT"))
			went_on(m, a, ev->clock);
		leaf_returned(m, ev, ev->clock - c->since);
		return;
	}
	word = seam_word(ev->name);
	if (!word)
		return;
	hist_add(&metric(m, word, NULL, NULL)->hist, ev->clock - c->since);
	if (!strcmp(word, "fault"))
		hist_add(&metric(m, "fault-laps", NULL, NULL)->hist, a->laps);
}

static void on_lock(struct measure *m, struct on_actor *a, const struct event *ev)
{
	if (a->waits && !strcmp(a->waits, ev->name))
		hist_add(&metric(m, "wait", ev->name, NULL)->hist, ev->clock - a->waits_since);
	a->waits = NULL;
	if (a->locks < HELD)
		a->lock[a->locks++] = (struct open_lock){ ev->name, ev->detail, ev->clock };
}

static void on_unlock(struct measure *m, struct on_actor *a, const struct event *ev)
{
	for (guint i = a->locks; i-- > 0;) {
		struct open_lock *l = &a->lock[i];

		if (l->name != ev->name && strcmp(l->name, ev->name))
			continue;
		hist_add(&metric(m, "hold", l->name, l->mode)->hist, ev->clock - l->since);
		memmove(l, l + 1, (a->locks - i - 1) * sizeof(*l));
		a->locks--;
		return;
	}
}

static void on_exit_(struct measure *m, struct on_actor *a, const struct event *ev)
{
	counted(metric(m, "exits", ev->name, NULL), 1);
	a->out_since = ev->clock;
	a->out_for = ev->name;
	if (!strcmp(ev->name, "EXTERNAL_INTERRUPT"))
		return;
	if (strcmp(ev->name, "EPT_VIOLATION"))
		went_on(m, a, a->entered);
	else if (!a->stall_since)
		a->stall_since = ev->clock;
}

static void on_enter(struct measure *m, struct on_actor *a, const struct event *ev)
{
	counted(metric(m, "entries", NULL, NULL), 1);
	if (a->out_since) {
		guint64 out = ev->clock - a->out_since;

		hist_add(&metric(m, "round-trip", a->out_for, NULL)->hist, out);
		if (!strcmp(a->out_for, "EXTERNAL_INTERRUPT"))
			hist_add(&metric(m, "kicked-out", NULL, NULL)->hist, out);
	}
	a->out_since = 0;
	a->entered = ev->clock;
}

static void on_op(struct measure *m, struct on_actor *a, const struct event *ev)
{
	gchar **w;

	if (ev->type == EV_OP_BEGIN) {
		w = g_strsplit(ev->name, " ", 2);
		a->op = g_intern_string(w[0]);
		a->op_since = ev->clock;
		g_strfreev(w);
	} else if (a->op) {
		hist_add(&metric(m, "op", a->op, NULL)->hist, ev->clock - a->op_since);
		a->op = NULL;
	}
}

static void listen(void *ctx, const struct event *ev)
{
	struct measure *m = ctx;
	struct on_actor *a = &m->actor[ev->actor < ACTORS_MAX ? ev->actor : 0];

	switch (ev->type) {
	case EV_CALL:
		on_call(a, ev);
		break;
	case EV_RETURN:
		on_return(m, a, ev);
		break;
	case EV_LOCK:
		on_lock(m, a, ev);
		break;
	case EV_UNLOCK:
		on_unlock(m, a, ev);
		break;
	case EV_BLOCKED:
		a->waits = ev->name;
		a->waits_since = ev->clock;
		break;
	case EV_ENTER:
		on_enter(m, a, ev);
		break;
	case EV_EXIT:
		on_exit_(m, a, ev);
		break;
	case EV_OP_BEGIN:
	case EV_OP_END:
		on_op(m, a, ev);
		break;
	case EV_OBSERVE:
		counted(metric(m, "observed", ev->name, NULL), 1);
		break;
	default:
		break;
	}
}

void measure_start(struct measure *m, struct sim *sim)
{
	for (guint c = 0; c < COUNTERS; c++)
		m->base[c] = count_of(sim, NULL, c);
	for (guint k = 0; k < COST_NR; k++)
		m->charged[k] = sim_charged(sim, k);
	m->zero = sim_cycles(sim);
	m->actor = g_new0(struct on_actor, ACTORS_MAX);
	trace_listen_calls(sim, listen, m);
}

void measure_stop(struct measure *m, struct sim *sim)
{
	trace_unlisten(sim, listen, m);
	g_clear_pointer(&m->actor, g_free);
	for (guint c = 0; c < COUNTERS; c++)
		counted(metric(m, "count", counter_name(c), NULL),
			count_of(sim, NULL, c) - m->base[c]);
	for (guint k = 0; k < COST_NR; k++)
		if (sim_charged(sim, k) > m->charged[k])
			counted(metric(m, "charge", cost_row(k)->key, NULL),
				sim_charged(sim, k) - m->charged[k]);
}

/* ---- results ---- */

const struct metric *measure_find(const struct measure *m, const char *name)
{
	return g_hash_table_lookup(m->by_name, name);
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp((*(const struct metric *const *)a)->name,
		      (*(const struct metric *const *)b)->name);
}

GPtrArray *measure_all(const struct measure *m)
{
	GPtrArray *all = g_ptr_array_new();
	GHashTableIter it;
	gpointer x;

	g_hash_table_iter_init(&it, m->by_name);
	while (g_hash_table_iter_next(&it, NULL, &x))
		g_ptr_array_add(all, x);
	g_ptr_array_sort(all, by_name);
	return all;
}

void measure_merge(struct measure *into, const struct measure *m)
{
	GPtrArray *all = measure_all(m);

	for (guint i = 0; i < all->len; i++) {
		const struct metric *x = all->pdata[i];
		struct metric *to = named(into, x->name);

		to->counted = x->counted;
		if (x->counted)
			to->hist.sum += x->hist.sum;
		else
			hist_merge(&to->hist, &x->hist);
	}
	g_ptr_array_unref(all);
}

void measure_write(const struct measure *m, FILE *out)
{
	GPtrArray *all = measure_all(m);

	for (guint i = 0; i < all->len; i++) {
		const struct metric *x = all->pdata[i];

		fprintf(out, "%s\t%s\t", x->counted ? "count" : "hist", x->name);
		if (x->counted)
			fprintf(out, "%" G_GUINT64_FORMAT, (guint64)x->hist.sum);
		else
			hist_write(&x->hist, out);
		fputc('\n', out);
	}
	g_ptr_array_unref(all);
}

gboolean measure_read_line(struct measure *m, const char *line)
{
	gchar **f = g_strsplit(line, "\t", 3);
	gboolean ok = f[0] && f[1] && f[2];
	guint64 n;

	if (ok && !strcmp(f[0], "count")) {
		ok = g_ascii_string_to_unsigned(f[2], 10, 0, G_MAXUINT64, &n, NULL);
		if (ok)
			measure_count(m, f[1], n);
	} else if (ok && !strcmp(f[0], "hist")) {
		struct hist h;

		ok = hist_read(&h, f[2]);
		if (ok)
			hist_merge(&named(m, f[1])->hist, &h);
		hist_fini(&h);
	} else {
		ok = FALSE;
	}
	g_strfreev(f);
	return ok;
}
