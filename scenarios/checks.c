// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules over both sides of the seam. At a quiescent point of a gfn (no host operation owns
 * it) mirror and S-EPT must agree in class and level; between, they may not: a legal zap
 * stores "empty" first. Source: the mail that started this (catalogue A01), and
 * docs/language.md, "checks".
 */
#include "scenarios/checks.h"

#include <string.h>

#include "kvmmmu/kmmu.h"
#include "scenarios/condition.h"
#include "scenarios/progress.h"
#include "sim/engine/check.h"
#include "sim/engine/region.h"
#include "sim/engine/tlb.h"
#include "tdxmod/observe.h"

#define REPORTS_MAX	8	/* of one rule at one point: a range that is off is one fault */

struct owned {
	guint64 from, to;
	guint16 actor;
};

/* A mapping from the moment that KVM began to make it. */
struct birth {
	guint64 seq;
	guint64 zapped;		/* a zap that began later has returned: seq, or 0 */
};

struct checks {
	struct sim *sim;
	struct kvm *kvm;
	guint64 gfns;
	GArray *owned;		/* struct owned */
	GHashTable *births;	/* gfn << 3 | level -> struct birth */
	GHashTable *pages;	/* hpa -> gfn << 3 | level, of mapped S-EPT leaves */
	guint64 seq;
	struct progress *progress;	/* NULL: nobody asked */
};

/* ---- mirror against S-EPT ---- */

static const char *mirror_word(const struct mirror_view *m, char *buf, gsize n)
{
	static const char *const names[] = {
		[MIRROR_NONPRESENT] = "NONPRESENT", [MIRROR_FROZEN] = "FROZEN",
		[MIRROR_LEAF] = "PRESENT", [MIRROR_TABLE] = "TABLE", [MIRROR_OTHER] = "OTHER",
	};

	if (m->class == MIRROR_LEAF)
		g_snprintf(buf, n, "PRESENT@%s pfn 0x%" G_GINT64_MODIFIER "x",
			   level_name(m->level), m->pfn);
	else
		g_snprintf(buf, n, "%s@%s", names[m->class], level_name(m->level));
	return buf;
}

static const char *sept_word(const struct sept_view *s, char *buf, gsize n)
{
	if (s->mapped)
		g_snprintf(buf, n, "%s@%s hpa 0x%" G_GINT64_MODIFIER "x", sept_state_name(s->state),
			   level_name(s->level), s->hpa);
	else
		g_snprintf(buf, n, "%s@%s", sept_state_name(s->state), level_name(s->level));
	return buf;
}

/*
 * Classes: absent; a leaf with its page (PENDING, MAPPED and their blocked forms are one);
 * anything else at rest is wrong. Where both say "absent", the levels at which the walks
 * ended may differ: KVM frees an empty table later than the entries in it.
 */
gboolean checks_disagree(struct kvm *kvm, guint64 gfn, char *text, gsize n)
{
	struct mirror_view m;
	struct sept_view s;
	char a[64], b[80];
	gboolean agree;

	kmmu_mirror_peek(kvm, gfn, &m);
	sept_peek(kmmu_tdr(kvm), gfn, &s);
	if (m.class == MIRROR_NONPRESENT)
		agree = !s.mapped;
	else if (m.class == MIRROR_LEAF)
		agree = s.mapped && s.level == m.level && s.hpa >> 12 == m.pfn;
	else
		agree = FALSE;
	if (!agree)
		g_snprintf(text, n, "mirror %s, S-EPT %s", mirror_word(&m, a, sizeof(a)),
			   sept_word(&s, b, sizeof(b)));
	return !agree;
}

static gboolean is_owned(const struct checks *k, guint64 gfn)
{
	for (guint i = 0; i < k->owned->len; i++) {
		const struct owned *o = &g_array_index(k->owned, struct owned, i);

		if (gfn >= o->from && gfn < o->to)
			return TRUE;
	}
	return FALSE;
}

/* Gfns that nothing was ever done to need no look: only tables that exist can be wrong. */
static guint64 skip_absent(struct checks *k, guint64 gfn)
{
	struct mirror_view m;
	struct sept_view s;
	guint64 pages;
	guint level;

	kmmu_mirror_peek(k->kvm, gfn, &m);
	sept_peek(kmmu_tdr(k->kvm), gfn, &s);
	if (m.class != MIRROR_NONPRESENT || s.mapped)
		return gfn + 1;
	level = MIN(m.level, s.level);
	pages = 1ull << 9 * (level ? level - 1 : 0);
	return (gfn & ~(pages - 1)) + pages;
}

static void check_agree(struct checks *k, guint64 from, guint64 to)
{
	guint said = 0;
	char text[160], where[24];

	if (!kmmu_tdr(k->kvm))	/* not yet, or gone */
		return;
	to = MIN(to, k->gfns);
	for (guint64 gfn = from; gfn < to && said < REPORTS_MAX; gfn = skip_absent(k, gfn)) {
		if (is_owned(k, gfn) || !checks_disagree(k->kvm, gfn, text, sizeof(text)))
			continue;
		g_snprintf(where, sizeof(where), "0x%" G_GINT64_MODIFIER "x", gfn);
		check_fail("mirror-desync", where, "%s", text);
		said++;
	}
}

/* ---- zap-lost ---- */

static guint64 key_of(guint64 gfn, guint level)
{
	return gfn << 3 | level;
}

static struct birth *birth_of(struct checks *k, guint64 gfn, guint level)
{
	guint64 key = key_of(gfn, level);

	return g_hash_table_lookup(k->births, &key);
}

static gboolean is_word(const struct region *r, guint64 raw, const char *word)
{
	return r->type->class && !strcmp(r->type->class(raw), word);
}

static void lost(struct checks *k, guint64 gfn, const char *how)
{
	char where[24], text[160];
	struct sept_view s;

	sept_peek(kmmu_tdr(k->kvm), gfn, &s);
	g_snprintf(where, sizeof(where), "0x%" G_GINT64_MODIFIER "x", gfn);
	check_fail("zap-lost", where, "%s: S-EPT %s, mapped by an operation that began before the "
		   "zap", how, sept_word(&s, text, sizeof(text)));
}

/* KVM's entry left or reached NONPRESENT: a mapping begins or ends. */
static void mirror_step(struct checks *k, const struct region *r, const struct event *ev)
{
	gboolean was = !is_word(r, ev->old, "NONPRESENT");
	gboolean is = !is_word(r, ev->value, "NONPRESENT");
	guint64 *key;

	if (was == is)
		return;
	key = g_new(guint64, 1);
	*key = key_of(region_index(r, ev->p), r->level);
	if (is) {
		struct birth *b = g_new0(struct birth, 1);

		b->seq = ev->seq;
		g_hash_table_insert(k->births, key, b);
	} else {
		g_hash_table_remove(k->births, key);
		g_free(key);
	}
}

void checks_zapped(struct checks *k, guint64 from, guint64 to, guint64 since)
{
	guint said = 0;

	if (kmmu_is_dead(k->kvm) || !kmmu_tdr(k->kvm))
		return;		/* the VM is bugged: nothing is promised any more; or gone */
	to = MIN(to, k->gfns);
	for (guint64 gfn = from; gfn < to && said < REPORTS_MAX; gfn = skip_absent(k, gfn)) {
		struct sept_view s;
		struct birth *b;

		sept_peek(kmmu_tdr(k->kvm), gfn, &s);
		b = birth_of(k, s.mapped && s.level == 2 ? gfn & ~511ull : gfn,
			     s.mapped ? s.level : 1);
		if (!b || b->seq >= since)
			continue;
		b->zapped = k->seq;
		if (s.mapped) {
			lost(k, gfn, "still mapped when the zap returned");
			said++;
		}
	}
}

/* ---- S-EPT leaves: double-map, and the late end of a lost zap ---- */

static void sept_step(struct checks *k, const struct region *r, const struct event *ev)
{
	guint64 gfn = region_index(r, ev->p), hpa, *old;
	guint64 key = key_of(gfn, r->level);
	struct sept_view s;
	struct birth *b;
	char where[24];

	if (is_word(r, ev->old, r->type->class(ev->value)))
		return;
	if (!sept_peek_level(kmmu_tdr(k->kvm), gfn, r->level, &s))
		return;
	if (!s.mapped) {
		GHashTableIter it;
		gpointer page, at;

		g_hash_table_iter_init(&it, k->pages);
		while (g_hash_table_iter_next(&it, &page, &at))
			if (*(guint64 *)at == key)
				g_hash_table_iter_remove(&it);
		return;
	}
	hpa = s.hpa;
	old = g_hash_table_lookup(k->pages, &hpa);
	if (old && *old != key) {
		g_snprintf(where, sizeof(where), "0x%" G_GINT64_MODIFIER "x", gfn);
		check_fail("double-map", where, "hpa 0x%" G_GINT64_MODIFIER "x is mapped at gfn 0x%"
			   G_GINT64_MODIFIER "x already", hpa, *old >> 3);
	} else if (!old) {
		g_hash_table_insert(k->pages, g_memdup2(&hpa, sizeof(hpa)),
				    g_memdup2(&key, sizeof(key)));
	}
	b = birth_of(k, gfn, r->level);
	if (b && b->zapped) {
		b->zapped = 0;
		lost(k, gfn, "mapped after the zap had returned");
	}
}

/* ---- pages that go back to the allocator ---- */

static void page_freed(struct checks *k, guint64 hpa)
{
	char where[24];
	guint64 tdr, gfn;
	u16 lp;

	g_snprintf(where, sizeof(where), "0x%" G_GINT64_MODIFIER "x", hpa);
	if (sept_maps_page(hpa, &tdr, &gfn))
		check_fail("free-while-mapped", where, "page freed while the S-EPT maps it at gfn 0x%"
			   G_GINT64_MODIFIER "x", gfn);
	else if (tlb_in_guest_holds_page(hpa, &lp, &gfn))
		check_fail("free-while-mapped", where, "page freed while LP %u, in the TD, "
			   "holds a translation of gfn 0x%" G_GINT64_MODIFIER "x to it", lp, gfn);
}

/* ---- progress ---- */

void checks_progress(struct checks *k, guint kinds, guint64 window)
{
	progress_free(k->progress);
	k->progress = progress_new(k->sim, kinds, window);
}

void checks_alone(struct checks *k, gboolean alone)
{
	if (k->progress)
		progress_alone(k->progress, alone);
}

static void made(struct checks *k, guint kind, const struct event *ev)
{
	if (k->progress && ev->actor < ACTORS_MAX)
		progress_made(k->progress, kind, ev->actor);
}

/* ---- events ---- */

static void disown(struct checks *k, const struct event *ev)
{
	for (guint i = k->owned->len; i-- > 0;) {
		const struct owned *o = &g_array_index(k->owned, struct owned, i);

		if (o->actor == ev->actor && o->from == ev->arg && o->to == ev->arg2) {
			g_array_remove_index(k->owned, i);
			break;
		}
	}
	check_agree(k, ev->arg, ev->arg2);
}

static void walked(struct checks *k, const struct event *ev)
{
	const struct region *r;

	if (!ev->p || !progress_wants_walks(k->progress))
		return;
	r = region_at(ev->p);
	if (r && !strcmp(r->type->name, "mirror"))
		progress_walked(k->progress, ev->actor, region_index(r, ev->p));
}

static void step(struct checks *k, const struct event *ev)
{
	const struct region *r;

	if (k->progress) {
		walked(k, ev);
		progress_step(k->progress, ev);
	}
	if (!event_stores(ev) || !ev->p)
		return;
	r = region_at(ev->p);
	if (!r)
		return;
	if (!strcmp(r->type->name, "mirror")) {
		mirror_step(k, r, ev);
	} else if (!strcmp(r->type->name, "sept")) {
		if (!is_word(r, ev->old, r->type->class(ev->value)))
			made(k, SCN_PROGRESS_SEPT, ev);
		sept_step(k, r, ev);
	}
}

void checks_event(struct checks *k, const struct event *ev)
{
	k->seq = ev->seq;
	switch (ev->type) {
	case EV_STEP:
		step(k, ev);
		break;
	case EV_OWN: {
		struct owned o = { ev->arg, ev->arg2, ev->actor };

		g_array_append_val(k->owned, o);
		break;
	}
	case EV_DISOWN:
		disown(k, ev);
		break;
	case EV_OP_BEGIN:
		if (k->progress)
			progress_begun(k->progress, ev->actor);
		break;
	case EV_OP_END:
		made(k, SCN_PROGRESS_HOST, ev);
		break;
	case EV_NOTE:
		if (!strcmp(ev->name, "page-free"))
			page_freed(k, ev->arg);
		break;
	default:
		break;
	}
}

guint64 checks_now(const struct checks *k)
{
	return k->seq;
}

void checks_end(struct checks *k)
{
	g_array_set_size(k->owned, 0);
	check_agree(k, 0, k->gfns);
}

struct checks *checks_new(struct sim *sim, struct kvm *kvm)
{
	struct checks *k = g_new0(struct checks, 1);

	k->sim = sim;
	k->kvm = kvm;
	k->gfns = kmmu_gfns(kvm);
	k->owned = g_array_new(FALSE, FALSE, sizeof(struct owned));
	k->births = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	k->pages = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	return k;
}

void checks_free(struct checks *k)
{
	if (!k)
		return;
	g_array_free(k->owned, TRUE);
	g_hash_table_unref(k->births);
	g_hash_table_unref(k->pages);
	progress_free(k->progress);
	g_free(k);
}
