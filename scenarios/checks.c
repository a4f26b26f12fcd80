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
#include "sim/engine/arena.h"
#include "sim/engine/check.h"
#include "sim/engine/region.h"
#include "sim/engine/sim.h"
#include "sim/engine/undo.h"
#include "sim/engine/tlb.h"
#include "tdxmod/observe.h"

#define REPORTS_MAX	8	/* of one rule at one point: a range that is off is one fault */
#define OWNED_MAX	8	/* ranges that one actor owns at a time */
#define LEVELS		3	/* of leaves: 4K, 2M, 1G */
#define ZAPS_MAX	62u	/* under way at a time */

/* What a mapping is, from the moment that KVM began to make it; 0: there is none. */
#define BORN		BIT_ULL(0)
#define ZAPPED		BIT_ULL(1)	/* a zap that began later has returned */
#define OLDER(zap)	BIT_ULL((zap) + 2)	/* than the zap of that number, under way */

struct owned {
	guint64 from, to;	/* to == 0: free */
};

/*
 * World: what the rules remember decides what is reported, so a search has to take it back
 * and to tell states apart by it. No clock and no number of an event is in it.
 */
struct remembered {
	struct owned owned[ACTORS_MAX][OWNED_MAX];
	guint64 zaps;		/* bit i: zap i is under way */
	guint64 early;		/* of these, those whose first step has not come yet ... */
	struct {
		guint64 from, to, actor, kinds;
	} begun[ZAPS_MAX];	/* ... and what they are about */
};

struct checks {
	struct sim *sim;
	struct kvm *kvm;
	guint64 gfns, pages;
	struct remembered *world;
	guint64 *birth;		/* world, by key_of(): BORN ..., of the mirror */
	guint64 *direct_birth;	/* the same of leaves of direct trees, whatever root */
	guint64 *page_of;	/* world, by key_of(): hpa + 1 of a mapped S-EPT leaf */
	guint64 *mapped_by;	/* world, by page: key_of() + 1 of the leaf that maps it */
	struct progress *progress;	/* NULL: nobody asked */
	struct checks *next;	/* of another VM of the same run */
	gboolean first;		/* what is about no VM is looked at once */
};

/* ---- mirror against S-EPT ---- */

static const char *mirror_word(const struct mirror_view *m, char *buf, gsize n)
{
	static const char *const names[] = {
		[MIRROR_NONPRESENT] = "NONPRESENT", [MIRROR_FROZEN] = "FROZEN",
		[MIRROR_LEAF] = "PRESENT", [MIRROR_TABLE] = "TABLE", [MIRROR_MMIO] = "MMIO",
		[MIRROR_OTHER] = "OTHER",
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
	guint n = actor_count(k->sim);

	for (guint a = 0; a < n; a++)
		for (guint i = 0; i < OWNED_MAX && k->world->owned[a][i].to; i++)
			if (gfn >= k->world->owned[a][i].from && gfn < k->world->owned[a][i].to)
				return TRUE;
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

	if (!kmmu_tdr(k->kvm))	/* not yet, gone, or a VM without TDX */
		return;
	if (td_in_teardown(kmmu_tdr(k->kvm)))
		return;		/* pages are reclaimed, and what the S-EPT says stays */
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

/* ~0: no leaf can be there, or it is beyond the VM's memory. */
static guint64 key_of(const struct checks *k, guint64 gfn, guint level)
{
	return level < 1 || level > LEVELS || gfn >= k->gfns ? ~0ull :
	       gfn * LEVELS + level - 1;
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
	guint64 key = key_of(k, region_index(r, ev->p), r->level);

	if (was != is && key != ~0ull)
		world_set(k->birth[key], is ? BORN : 0);
}

/* A leaf of any direct root came or went. Of two roots that map a gfn the later one counts. */
static void direct_step(struct checks *k, const struct region *r, const struct event *ev)
{
	gboolean was = is_word(r, ev->old, "PRESENT");
	gboolean is = is_word(r, ev->value, "PRESENT");
	guint64 key = key_of(k, region_index(r, ev->p), r->level);

	if (was != is && key != ~0ull)
		world_set(k->direct_birth[key], is ? BORN : 0);
}

/* The birth of what maps @gfn at 4K or, in whole, at 2M. */
static guint64 *birth_at(struct checks *k, guint64 *birth, guint64 gfn, guint level)
{
	return &birth[key_of(k, level == 2 ? gfn & ~511ull : gfn, level)];
}

static void is_older(struct checks *k, guint64 *birth, guint64 gfn, guint level, guint zap)
{
	guint64 *b = birth_at(k, birth, gfn, level);

	if (*b && !(*b & OLDER(zap)))
		world_set(*b, *b | OLDER(zap));
}

/* As skip_absent(), of the direct tree that is loaded now */
static guint64 skip_unmapped(struct checks *k, guint64 gfn)
{
	struct mirror_view d;
	guint64 pages;

	kmmu_direct_peek(k->kvm, gfn, &d);
	pages = d.class == MIRROR_NONPRESENT ? 1ull << 9 * (d.level - 1) : 1;
	return (gfn & ~(pages - 1)) + pages;
}

static guint64 direct_end(const struct checks *k, guint64 to, guint kinds)
{
	return kinds & CHECK_DIRECT && !kmmu_destroyed(k->kvm) ? MIN(to, k->gfns) : 0;
}

static guint64 mirror_end(const struct checks *k, guint64 to, guint kinds)
{
	return kinds & CHECK_MIRROR && kmmu_tdr(k->kvm) ? MIN(to, k->gfns) : 0;
}

guint checks_zap_begins(struct checks *k, guint64 from, guint64 to, guint kinds)
{
	guint zap = 0;

	while (zap < ZAPS_MAX && k->world->zaps & BIT_ULL(zap))
		zap++;
	if (zap == ZAPS_MAX)
		return ZAPS_MAX;	/* more at a time than are watched */
	world_set(k->world->zaps, k->world->zaps | BIT_ULL(zap));
	world_set(k->world->early, k->world->early | BIT_ULL(zap));
	world_set(k->world->begun[zap].from, from);
	world_set(k->world->begun[zap].to, to);
	world_set(k->world->begun[zap].actor, actor_self()->id);
	world_set(k->world->begun[zap].kinds, kinds);
	return zap;
}

static void not_early(struct checks *k, guint zap)
{
	world_set(k->world->early, k->world->early & ~BIT_ULL(zap));
	world_set(k->world->begun[zap].from, 0);
	world_set(k->world->begun[zap].to, 0);
	world_set(k->world->begun[zap].actor, 0);
	world_set(k->world->begun[zap].kinds, 0);
}

static void begins(struct checks *k, guint64 from, guint64 to, guint kinds, guint zap)
{
	guint64 mirror = mirror_end(k, to, kinds), direct = direct_end(k, to, kinds);

	for (guint64 gfn = from; gfn < mirror; gfn = skip_absent(k, gfn)) {
		is_older(k, k->birth, gfn, 1, zap);
		is_older(k, k->birth, gfn, 2, zap);
	}
	for (guint64 gfn = from; gfn < direct; gfn = skip_unmapped(k, gfn)) {
		is_older(k, k->direct_birth, gfn, 1, zap);
		is_older(k, k->direct_birth, gfn, 2, zap);
	}
}

/*
 * Nobody can tell that a zap has begun before its first step, and a search lets everybody else
 * go first while it stands there: what is older is what is there then.
 */
static void zap_steps(struct checks *k, guint actor)
{
	for (guint zap = 0; zap < ZAPS_MAX; zap++) {
		guint64 from = k->world->begun[zap].from, to = k->world->begun[zap].to;

		if (!(k->world->early & BIT_ULL(zap)) || k->world->begun[zap].actor != actor)
			continue;
		begins(k, from, to, (guint)k->world->begun[zap].kinds, zap);
		not_early(k, zap);
	}
}

/* The zap has returned, and promised that nothing older than itself is there any more. */
static void promised(struct checks *k, guint64 from, guint64 to, guint zap)
{
	guint said = 0;

	for (guint64 gfn = from; gfn < to && said < REPORTS_MAX; gfn = skip_absent(k, gfn)) {
		struct sept_view s;
		guint64 *b;

		sept_peek(kmmu_tdr(k->kvm), gfn, &s);
		b = birth_at(k, k->birth, gfn, s.mapped && s.level == 2 ? 2 : 1);
		if (!(*b & OLDER(zap)))
			continue;
		world_set(*b, *b | ZAPPED);
		if (s.mapped) {
			lost(k, gfn, "still mapped when the zap returned");
			said++;
		}
	}
}

/* A direct leaf has no second half that could come later: it is there now, or it is gone. */
static void direct_promised(struct checks *k, guint64 from, guint64 end, guint zap)
{
	guint said = 0;

	for (guint64 gfn = from; gfn < end && said < REPORTS_MAX; gfn = skip_unmapped(k, gfn)) {
		struct mirror_view d;
		char where[24];

		kmmu_direct_peek(k->kvm, gfn, &d);
		if (d.class != MIRROR_LEAF || d.level > 2 ||
		    !(*birth_at(k, k->direct_birth, gfn, d.level) & OLDER(zap)))
			continue;
		g_snprintf(where, sizeof(where), "0x%" G_GINT64_MODIFIER "x", gfn);
		check_fail("zap-lost", where, "still mapped when the zap returned: a direct leaf "
			   "of before it");
		said++;
	}
}

static void is_no_older(struct checks *k, guint64 *birth, guint64 gfn, guint level, guint zap)
{
	guint64 *b = birth_at(k, birth, gfn, level);

	if (*b & OLDER(zap))
		world_set(*b, *b & ~OLDER(zap));
}

void checks_zap_ends(struct checks *k, guint64 from, guint64 to, guint kinds, guint zap,
		     gboolean done)
{
	guint64 end = direct_end(k, to, kinds);

	if (zap == ZAPS_MAX)
		return;
	to = mirror_end(k, to, kinds);	/* of a TD that is gone nothing is left */
	/* If the VM is bugged, nothing is promised any more. */
	if (done && !kmmu_is_dead(k->kvm)) {
		promised(k, from, to, zap);
		direct_promised(k, from, end, zap);
	}
	for (guint64 gfn = from; gfn < to; gfn = skip_absent(k, gfn)) {
		is_no_older(k, k->birth, gfn, 1, zap);
		is_no_older(k, k->birth, gfn, 2, zap);
	}
	for (guint64 gfn = from; gfn < end; gfn = skip_unmapped(k, gfn)) {
		is_no_older(k, k->direct_birth, gfn, 1, zap);
		is_no_older(k, k->direct_birth, gfn, 2, zap);
	}
	not_early(k, zap);
	world_set(k->world->zaps, k->world->zaps & ~BIT_ULL(zap));
}

/* ---- S-EPT leaves: double-map, and the late end of a lost zap ---- */

static void unmapped(struct checks *k, guint64 key)
{
	guint64 page = k->page_of[key] ? (k->page_of[key] - 1) >> 12 : ~0ull;

	if (page == ~0ull)
		return;
	if (k->mapped_by[page] == key + 1)
		world_set(k->mapped_by[page], 0);
	world_set(k->page_of[key], 0);
}

static void mapped(struct checks *k, guint64 gfn, guint64 key, guint64 hpa)
{
	guint64 page = hpa >> 12, old;
	char where[24];

	if (page >= k->pages)
		return;
	old = k->mapped_by[page];
	if (old && old != key + 1) {
		g_snprintf(where, sizeof(where), "0x%" G_GINT64_MODIFIER "x", gfn);
		check_fail("double-map", where, "hpa 0x%" G_GINT64_MODIFIER "x is mapped at gfn 0x%"
			   G_GINT64_MODIFIER "x already", hpa, (old - 1) / LEVELS);
	} else if (!old) {
		world_set(k->mapped_by[page], key + 1);
		world_set(k->page_of[key], hpa + 1);
	}
}

static void sept_step(struct checks *k, const struct region *r, const struct event *ev)
{
	guint64 gfn = region_index(r, ev->p), key = key_of(k, gfn, r->level);
	struct sept_view s;

	if (key == ~0ull || is_word(r, ev->old, r->type->class(ev->value)))
		return;
	if (!sept_peek_level(kmmu_tdr(k->kvm), gfn, r->level, &s))
		return;
	if (!s.mapped) {
		unmapped(k, key);
		return;
	}
	mapped(k, gfn, key, s.hpa);
	if (k->birth[key] & ZAPPED) {
		world_set(k->birth[key], k->birth[key] & ~ZAPPED);
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
	if (kmmu_direct_maps(k->kvm, hpa, &gfn))
		check_fail("free-while-mapped", where, "page freed while a direct table maps it at "
			   "gfn 0x%" G_GINT64_MODIFIER "x", gfn);
	else if (sept_maps_page(hpa, &tdr, &gfn))
		check_fail("free-while-mapped", where, "page freed while the S-EPT maps it at gfn 0x%"
			   G_GINT64_MODIFIER "x", gfn);
	else if (tlb_in_guest_holds_page(hpa, &lp, &gfn))
		check_fail("free-while-mapped", where, "page freed while LP %u, in the guest, "
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

static void own(struct checks *k, const struct event *ev)
{
	struct owned *o = k->world->owned[ev->actor];
	struct owned mine = { ev->arg, ev->arg2 };
	guint i = 0;

	while (i < OWNED_MAX && o[i].to)
		i++;
	if (i == OWNED_MAX)
		g_error("an actor owns more than %d ranges of gfns", OWNED_MAX);
	world_set(o[i], mine);
}

static void disown(struct checks *k, const struct event *ev)
{
	struct owned *o = k->world->owned[ev->actor], none = { 0, 0 };
	guint n = 0, i;

	while (n < OWNED_MAX && o[n].to)
		n++;
	for (i = n; i-- > 0;)
		if (o[i].from == ev->arg && o[i].to == ev->arg2)
			break;
	if (i < n) {
		for (; i + 1 < n; i++)
			world_set(o[i], o[i + 1]);
		world_set(o[n - 1], none);
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
	if (!r || (r->owner && strcmp(r->owner, kmmu_name(k->kvm))))
		return;
	if (!strcmp(r->type->name, "mirror")) {
		mirror_step(k, r, ev);
	} else if (!strcmp(r->type->name, "direct")) {
		direct_step(k, r, ev);
	} else if (!strcmp(r->type->name, "sept")) {
		if (!is_word(r, ev->old, r->type->class(ev->value)))
			made(k, SCN_PROGRESS_SEPT, ev);
		sept_step(k, r, ev);
	}
}

static void one_event(struct checks *k, const struct event *ev)
{
	switch (ev->type) {
	case EV_STEP:
		if (unlikely(k->world->early))
			zap_steps(k, ev->actor);
		step(k, ev);
		break;
	case EV_OWN:
		if (!strcmp(ev->name, kmmu_name(k->kvm)))
			own(k, ev);
		break;
	case EV_DISOWN:
		if (!strcmp(ev->name, kmmu_name(k->kvm)))
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
		if (!strcmp(ev->name, "page-free") && k->first)
			page_freed(k, ev->arg);
		break;
	default:
		break;
	}
}

void checks_event(struct checks *k, const struct event *ev)
{
	for (; k; k = k->next)
		one_event(k, ev);
}

void checks_end(struct checks *k)
{
	struct owned none = { 0, 0 };
	guint n = actor_count(k->sim);

	for (; k; k = k->next) {
		for (guint a = 0; a < n; a++)
			for (guint i = 0; i < OWNED_MAX && k->world->owned[a][i].to; i++)
				world_set(k->world->owned[a][i], none);
		check_agree(k, 0, k->gfns);
	}
}

struct checks *checks_new(struct sim *sim, struct kvm *kvm)
{
	struct checks *k = g_new0(struct checks, 1);

	k->sim = sim;
	k->kvm = kvm;
	k->gfns = kmmu_gfns(kvm);
	k->pages = world_phys_size() >> 12;
	k->world = world_carve(sizeof(*k->world));
	k->birth = world_carve(k->gfns * LEVELS * sizeof(*k->birth));
	k->direct_birth = world_carve(k->gfns * LEVELS * sizeof(*k->direct_birth));
	k->page_of = world_carve(k->gfns * LEVELS * sizeof(*k->page_of));
	k->mapped_by = world_carve(k->pages * sizeof(*k->mapped_by));
	k->first = TRUE;
	return k;
}

struct checks *checks_more(struct checks *k, struct kvm *kvm)
{
	struct checks *more = checks_new(k->sim, kvm);

	more->first = FALSE;
	while (k->next)
		k = k->next;
	k->next = more;
	return more;
}

void checks_free(struct checks *k)
{
	if (!k)
		return;
	checks_free(k->next);
	progress_free(k->progress);
	g_free(k);
}
