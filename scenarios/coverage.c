// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pairs of operations at a lock. An operation is what a row of a schedule names; inside a
 * SEAMCALL or TDCALL it is the leaf.
 */
#include "scenarios/coverage.h"

#include <string.h>
#include <sys/mman.h>

#include "sim/engine/arena.h"
#include "sim/engine/hash.h"
#include "sim/engine/sim.h"
#include "sim/engine/undo.h"

#define USES	1024u
#define PAIRS	16384u	/* slots; a power of two */
#define HELD	24u
#define LEAVES	4u	/* TDH.VP.ENTER, a TDCALL in it, ... */

/* World, one an actor. */
struct doing {
	const char *op;
	const char *leaf[LEAVES];
	guint64 leaves;
	guint64 held[HELD];	/* uses, from 1 */
	guint64 n;
};

struct pair {
	guint32 key;		/* a * USES + b + 1; 0: free */
	guint64 times[COVER_HOWS];
};

/* Between forked workers: filled under the lock, counted without. */
struct met {
	guint32 lock, uses;
	gboolean full;
	struct coverage_use use[USES];
	struct pair pair[PAIRS];
};

struct coverage {
	struct sim *sim;
	struct doing *doing;
	struct met *met;
	gboolean apart;		/* @met is this process's alone */
	GHashTable *use_of;	/* hash of (actor, who, lock, number) -> use + 1 */
};

static void met_lock(struct met *m)
{
	while (__atomic_exchange_n(&m->lock, 1, __ATOMIC_ACQUIRE))
		;
}

static void met_unlock(struct met *m)
{
	__atomic_store_n(&m->lock, 0, __ATOMIC_RELEASE);
}

/* ---- who is doing what ---- */

static const char *who_is(const struct doing *d)
{
	return d->leaves ? d->leaf[MIN(d->leaves, LEAVES) - 1] : d->op ? d->op : "";
}

/* "sept[0x10]@2M" without its number */
static void class_of(const char *name, char *out, gsize n)
{
	const char *open = strchr(name, '['), *close = open ? strchr(open, ']') : NULL;

	if (close)
		g_snprintf(out, n, "%.*s%s", (int)(open - name), name, close + 1);
	else
		g_strlcpy(out, name, n);
}

static void name_of(const struct event *ev, char *out, gsize n)
{
	if (ev->has_arg && !strchr(ev->name, '['))
		g_snprintf(out, n, "%s[0x%" G_GINT64_MODIFIER "x]", ev->name, ev->arg);
	else
		g_strlcpy(out, ev->name, n);
}

static void use_fill(const struct coverage *c, struct coverage_use *u, const struct event *ev)
{
	const struct doing *d = &c->doing[ev->actor];
	const char *who = who_is(d);

	g_strlcpy(u->who, who, d->leaves ? sizeof(u->who) : MIN(sizeof(u->who), strcspn(who, " ") + 1));
	class_of(ev->name, u->lock, sizeof(u->lock));
	name_of(ev, u->at, sizeof(u->at));
	g_strlcpy(u->mode, ev->detail ? ev->detail : "", sizeof(u->mode));
	g_strlcpy(u->actor, actor_by_id(c->sim, ev->actor)->name, sizeof(u->actor));
	g_strlcpy(u->op, d->op ? d->op : "", sizeof(u->op));
	u->id = ev->actor;
}

static gboolean same_use(const struct coverage_use *a, const struct coverage_use *b)
{
	return a->id == b->id && !strcmp(a->who, b->who) && !strcmp(a->at, b->at);
}

/* The use that @ev is, from 1; 0: there is no room for it. */
static guint32 number_of(struct met *m, const struct coverage_use *u)
{
	guint32 i = 0;

	met_lock(m);
	while (i < m->uses && !same_use(&m->use[i], u))
		i++;
	if (i == m->uses && i < USES) {
		m->use[i] = *u;
		__atomic_store_n(&m->uses, i + 1, __ATOMIC_RELEASE);
	}
	m->full |= i == USES;
	met_unlock(m);
	return i == USES ? 0 : i + 1;
}

static guint32 use_at(struct coverage *c, const struct event *ev)
{
	u64 key = hash_fold(hash_fold(ev->actor + 1u, (u64)who_is(&c->doing[ev->actor]),
				      (u64)ev->name), 1, ev->has_arg ? ev->arg + 1 : 0);
	guint32 i = GPOINTER_TO_UINT(g_hash_table_lookup(c->use_of, (gpointer)key));
	struct coverage_use u = { .id = 0 };

	if (i)
		return i;
	use_fill(c, &u, ev);
	i = number_of(c->met, &u);
	if (i)
		g_hash_table_insert(c->use_of, (gpointer)key, GUINT_TO_POINTER(i));
	return i;
}

static void met(struct coverage *c, guint32 a, guint32 b, enum coverage_how how, guint64 times)
{
	guint32 key = (a - 1) * USES + b, i = key * 2654435761u % PAIRS;
	struct pair *p = c->met->pair;

	while (p[i].key && p[i].key != key)
		i = (i + 1) % PAIRS;
	if (!p[i].key) {
		met_lock(c->met);
		while (p[i].key && p[i].key != key)
			i = (i + 1) % PAIRS;
		p[i].key = key;
		met_unlock(c->met);
	}
	__atomic_fetch_add(&p[i].times[how], times, __ATOMIC_RELAXED);
}

/* ---- events ---- */

static gboolean same_lock(const struct coverage *c, guint32 a, guint32 b)
{
	return !strcmp(c->met->use[a - 1].at, c->met->use[b - 1].at);
}

/* The use @b of an actor comes: who has the lock? */
static void comes(struct coverage *c, const struct event *ev, guint32 b, enum coverage_how how)
{
	guint n = MIN(actor_count(c->sim), ACTORS_MAX);

	for (guint i = 0; i < n; i++) {
		const struct doing *d = &c->doing[i];

		for (guint k = 0; i != ev->actor && k < d->n; k++)
			if (same_lock(c, (guint32)d->held[k], b))
				met(c, (guint32)d->held[k], b, how, 1);
	}
}

static void takes(struct coverage *c, const struct event *ev, guint32 use)
{
	struct doing *d = &c->doing[ev->actor];

	comes(c, ev, use, COVER_SHARED);
	if (d->n == HELD)
		return;
	actor_set(d->held[d->n], use);
	actor_set(d->n, d->n + 1);
}

static void drop(struct doing *d, guint64 k)
{
	actor_set(d->n, d->n - 1);
	for (; k < d->n; k++)
		actor_set(d->held[k], d->held[k + 1]);
}

static void gives(struct coverage *c, const struct event *ev)
{
	struct doing *d = &c->doing[ev->actor];
	char name[sizeof(c->met->use->at)];
	guint k = (guint)d->n;

	name_of(ev, name, sizeof(name));
	while (k-- && strcmp(c->met->use[d->held[k] - 1].at, name))
		;
	if (k < d->n)
		drop(d, k);
}

/* A leaf leaves no lock behind; some are given back by the store that changes what they guard. */
static void leaf_ends(struct coverage *c, struct doing *d)
{
	for (guint64 k = d->n; k-- > 0;)
		if (!strcmp(c->met->use[d->held[k] - 1].who, who_is(d)))
			drop(d, k);
}

static void leaf(struct coverage *c, const struct event *ev, gboolean in)
{
	struct doing *d = &c->doing[ev->actor];

	if (!strchr(ev->name, '.'))
		return;		/* a function, not a leaf */
	if (!in && d->leaves)
		leaf_ends(c, d);
	if (in && d->leaves < LEAVES)
		actor_set(d->leaf[d->leaves], ev->name);
	if (in || d->leaves)
		actor_set(d->leaves, in ? d->leaves + 1 : d->leaves - 1);
}

static void hear(void *ctx, const struct event *ev)
{
	struct coverage *c = ctx;
	guint32 use;

	if (ev->type == EV_STEP || ev->actor >= ACTORS_MAX - 1)
		return;
	switch (ev->type) {
	case EV_OP_BEGIN:
		actor_set(c->doing[ev->actor].op, ev->name);
		break;
	case EV_CALL:
	case EV_RETURN:
		leaf(c, ev, ev->type == EV_CALL);
		break;
	case EV_UNLOCK:
		gives(c, ev);
		break;
	case EV_LOCK:
	case EV_BUSY:
	case EV_BLOCKED:
		use = use_at(c, ev);
		if (!use)
			break;
		if (ev->type == EV_LOCK)
			takes(c, ev, use);
		else
			comes(c, ev, use, ev->type == EV_BUSY ? COVER_REFUSED : COVER_WAITED);
		break;
	default:
		break;
	}
}

/* ---- life ---- */

static struct met *met_new(int sharing)
{
	struct met *m = mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS,
			     -1, 0);

	if (m == MAP_FAILED)
		g_error("no memory for a matrix of coverage");
	return m;
}

struct coverage *coverage_new(struct sim *sim)
{
	struct coverage *c = g_new0(struct coverage, 1);

	c->sim = sim;
	c->met = met_new(MAP_SHARED);
	c->doing = world_carve(ACTORS_MAX * sizeof(*c->doing));
	c->use_of = g_hash_table_new(g_direct_hash, g_direct_equal);
	trace_listen(sim, hear, c);
	return c;
}

void coverage_apart(struct coverage *c)
{
	struct met *own = met_new(MAP_PRIVATE);

	/*
	 * Uses keep their numbers, which stand in the world. Without the lock, which one who is
	 * thrown away in the middle would keep.
	 */
	own->uses = __atomic_load_n(&c->met->uses, __ATOMIC_ACQUIRE);
	memcpy(own->use, c->met->use, own->uses * sizeof(*own->use));
	c->met = own;
	c->apart = TRUE;
}

void coverage_give(const struct coverage *c, GByteArray *to)
{
	const struct met *m = c->met;

	if (!c->apart)
		return;
	g_byte_array_append(to, (const guint8 *)&m->uses, sizeof(m->uses));
	g_byte_array_append(to, (const guint8 *)m->use, m->uses * (guint)sizeof(*m->use));
	for (guint i = 0; i < PAIRS; i++)
		if (m->pair[i].key)
			g_byte_array_append(to, (const guint8 *)&m->pair[i], sizeof(m->pair[i]));
}

void coverage_take(struct coverage *c, const guint8 *p, guint64 n)
{
	const guint8 *end = p + n;
	guint32 uses, number[USES];

	if (n < sizeof(uses))
		return;
	memcpy(&uses, p, sizeof(uses));
	p += sizeof(uses);
	for (guint32 i = 0; i < uses; i++, p += sizeof(struct coverage_use)) {
		struct coverage_use u;

		memcpy(&u, p, sizeof(u));
		number[i] = number_of(c->met, &u);
	}
	for (; p < end; p += sizeof(struct pair)) {
		struct pair x;
		guint32 a, b;

		memcpy(&x, p, sizeof(x));
		a = number[(x.key - 1) / USES];
		b = number[(x.key - 1) % USES];
		for (guint how = 0; a && b && how < COVER_HOWS; how++)
			met(c, a, b, how, x.times[how]);
	}
}

void coverage_stop(struct coverage *c)
{
	if (c->sim)
		trace_unlisten(c->sim, hear, c);
	c->sim = NULL;
}

void coverage_free(struct coverage *c)
{
	if (!c)
		return;
	munmap(c->met, sizeof(*c->met));
	g_hash_table_unref(c->use_of);
	g_free(c);
}

/* ---- the matrix ---- */

static int by_name(gconstpointer x, gconstpointer y)
{
	const struct coverage_pair *p = x, *q = y;
	int d = strcmp(p->a->lock, q->a->lock);

	if (!d)
		d = strcmp(p->a->who, q->a->who);
	return d ? d : strcmp(p->b->who, q->b->who);
}

static struct coverage_pair *pair_of(GHashTable *seen, GArray *out, const struct coverage_use *a,
				     const struct coverage_use *b)
{
	char *key = g_strdup_printf("%s %s %s", a->lock, a->who, b->who);
	guint i = GPOINTER_TO_UINT(g_hash_table_lookup(seen, key));
	struct coverage_pair fresh = { .a = a, .b = b };

	if (!i) {
		g_array_append_val(out, fresh);
		i = out->len;
		g_hash_table_insert(seen, key, GUINT_TO_POINTER(i));
	} else {
		g_free(key);
	}
	return &g_array_index(out, struct coverage_pair, i - 1);
}

static const struct pair *find(const struct met *m, guint32 a, guint32 b)
{
	guint32 key = a * USES + b + 1, i = key * 2654435761u % PAIRS;

	while (m->pair[i].key && m->pair[i].key != key)
		i = (i + 1) % PAIRS;
	return m->pair[i].key ? &m->pair[i] : NULL;
}

GArray *coverage_pairs(const struct coverage *c)
{
	GArray *out = g_array_new(FALSE, FALSE, sizeof(struct coverage_pair));
	GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const struct met *m = c->met;

	for (guint32 a = 0; a < m->uses; a++) {
		for (guint32 b = 0; b < m->uses; b++) {
			const struct coverage_use *x = &m->use[a], *y = &m->use[b];
			struct coverage_pair *p;
			const struct pair *got;

			if (x->id == y->id || strcmp(x->at, y->at))
				continue;
			p = pair_of(seen, out, x, y);
			got = find(m, a, b);
			for (guint k = 0; got && k < COVER_HOWS; k++)
				p->times[k] += got->times[k];
		}
	}
	g_hash_table_unref(seen);
	g_array_sort(out, by_name);
	return out;
}

gboolean coverage_is_met(const struct coverage_pair *p)
{
	return p->times[COVER_REFUSED] || p->times[COVER_WAITED] || p->times[COVER_SHARED];
}

gboolean coverage_is_full(const struct coverage *c)
{
	return c->met->full;
}
