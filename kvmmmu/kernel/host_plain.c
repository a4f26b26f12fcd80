// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plain accesses of a kernel tree's code. The compiler announces each before it happens. In a
 * search or a run that may be taken back, a store is logged (undo, the world's hash) and a load
 * enters the actor's key, as what it remembers; with -Dlinux_plain_accesses=true those of words
 * that have a name (ksim_region(), one word each) are steps, too, as marked accesses are. A store
 * is then a step that reads, and the store itself, with nobody between: its event comes before
 * the actor's next step.
 */
#include "kvmmmu/kernel/host.h"
#include "kvmmmu/kernel/ktree.h"
#include "sim/engine/arena.h"
#include "sim/engine/hash.h"
#include "sim/engine/mem.h"
#include "sim/engine/region.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

#define KEYED	(MODE_KEYED | MODE_LOGGED)

static const struct site *plain_site(void)
{
	return SITE_HERE;
}

/* The first of the table's at or behind @at, which is one of the tree's addresses */
static u32 place_of(u64 at)
{
	const struct ksim_plain_table *t = &ksim_plain_table;
	u32 lo = 0, hi = t->n;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (t->at[mid].pc < at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The place in the tree that called the hook, which returns to @pc */
static const struct site *site_of(const void *pc)
{
	const struct ksim_plain_table *t = &ksim_plain_table;
	u64 at = (u64)pc - (u64)ksim_text_start;
	u32 i = place_of(at);

	return i < t->n && t->at[i].pc == at ? &t->sites[i] : plain_site();
}

const struct site *khost_site_near(const void *pc)
{
	u32 i = place_of((u64)pc - (u64)ksim_text_start + 1);

	return i ? &ksim_plain_table.sites[i - 1] : plain_site();
}

/* The word that scenarios know instead of the tree's at @p, brought up to date */
static void *copy_hkid(void *p)
{
	struct kvm *kvm = khost()->vms;

	while (kvm && kvm->hkid_word != p)
		kvm = kvm->next;
	if (!kvm)
		return p;
	world_set(kvm->hkid, *kvm->hkid_word < 0 ? 0u : (u32)*kvm->hkid_word);
	return &kvm->hkid;
}

/* --- what was announced is done ------------------------------------------------------------ */

static u64 word_at(const void *p, u32 n)
{
	switch (n) {
	case 1: return mem_peek8(p);
	case 2: return mem_peek16(p);
	case 4: return mem_peek32(p);
	default: return mem_peek64(p);
	}
}

void khost_settle_slow(void)
{
	struct khost *h = khost();
	void *p;

	if (!h || !h->pend)
		return;
	p = h->pend;
	h->pend = NULL;
	if (sim_self->mode & KEYED)
		world_logged(p, h->pend_n);
	if (!h->pend_named)
		return;
	h->pend_named = false;
	p = copy_hkid(p);
	mem_wake(p);
	trace_(EV_STEP, .op = MEM_WRITE, .site = h->pend_site, .p = p, .size = (u8)h->pend_n,
	       .old = h->pend_old, .value = word_at(p, (u32)h->pend_n));
}

/* --- names --------------------------------------------------------------------------------- */

/*
 * An exact table by address, since each plain access asks: address << 8, and below it the size,
 * NOISE for statistics. Names are made at set-up and by who creates a vCPU, and stay.
 */
#define NOISE	0x80u

static u32 slot_of(const void *p)
{
	return (u32)((u64)p * 0x9e3779b97f4a7c15ull >> (64 - KHOST_NAMES_BITS));
}

void khost_name_word(const void *p, u32 size, bool noise)
{
	struct khost *h = khost();
	u32 i = slot_of(p), bit = i % (8 * sizeof(h->maybe));

	if (sim_self->mode & MODE_FREE)		/* nobody asks */
		return;
	world_set(h->maybe[bit / 64], h->maybe[bit / 64] | BIT_ULL(bit % 64));
	while (h->names[i] && h->names[i] >> 8 != (u64)p)
		i = (i + 1) % (1u << KHOST_NAMES_BITS);
	world_set(h->names[i], (u64)p << 8 | size | (noise ? NOISE : 0));
}

/*
 * 0: it has no name. Entries of page tables have their region's: they come and go in pages, and
 * have none yet while whoever made the table fills it (a split): nobody else can know.
 */
static u32 name_of(const struct khost *h, void *p)
{
	u32 i = slot_of(p), bit = i % (8 * sizeof(h->maybe));
	const struct region *r;

	if (unlikely((const char *)p >= world_phys && (u64)p < (u64)world_phys + world_phys_size())) {
		r = region_at(p);
		if (!r || (r->level && !PEEK(ktree_peek_linked(p))))
			return 0;
		return r->size;
	}
	if (likely(!(h->maybe[bit / 64] >> (bit % 64) & 1)))
		return 0;
	for (; h->names[i]; i = (i + 1) % (1u << KHOST_NAMES_BITS))
		if (h->names[i] >> 8 == (u64)p)
			return h->names[i] & 0xff;
	return 0;
}

#ifdef KSIM_PLAIN_STEPS
static u64 step(void *p, u64 n, const struct site *site)
{
	u64 v;

	p = copy_hkid(p);
	switch (n) {
	case 1: v = (u8)door(MEM_READ, 1, p, 0, 0, site); break;
	case 2: v = (u16)door(MEM_READ, 2, p, 0, 0, site); break;
	case 4: v = (u32)door(MEM_READ, 4, p, 0, 0, site); break;
	default: v = door(MEM_READ, 8, p, 0, 0, site); break;
	}
	khost_race(p, site);
	return v;
}
#endif

/* --- the hooks ------------------------------------------------------------------------------- */

/*
 * Under ThreadSanitizer, real threads: it sees the tree's accesses, too, where they are. What has
 * no place is announced by what is an atomic operation itself (glue_mem.h).
 */
#ifdef DOOR_TSAN
#define TSAN_SEES(what)							\
void __tsan_##what##1_pc(void *p, void *pc);				\
void __tsan_##what##2_pc(void *p, void *pc);				\
void __tsan_##what##4_pc(void *p, void *pc);				\
void __tsan_##what##8_pc(void *p, void *pc);				\
void __tsan_##what##_range(void *p, unsigned long n);			\
static void tsan_##what(void *p, u64 n, const void *pc)			\
{									\
	if (!pc || khost()->racy[sim_self->id])				\
		return;							\
	switch (n) {							\
	case 1: __tsan_##what##1_pc(p, (void *)pc); break;		\
	case 2: __tsan_##what##2_pc(p, (void *)pc); break;		\
	case 4: __tsan_##what##4_pc(p, (void *)pc); break;		\
	case 8: __tsan_##what##8_pc(p, (void *)pc); break;		\
	default: __tsan_##what##_range(p, n); break;			\
	}								\
}
TSAN_SEES(read)
TSAN_SEES(write)
#define tsan_load tsan_read
#define tsan_store tsan_write
#else
#define tsan_load(p, n, pc) ((void)0)
#define tsan_store(p, n, pc) ((void)0)
#endif

static bool mine(const void *p)
{
	u64 top = (u64)sim_self->stack_top;

	return (u64)p < top && (u64)p >= top - WORLD_STACK_SIZE;
}

static void remember(const void *p, u64 n)
{
	const u8 *b = p;
	u64 v = 0, i;

	for (i = 0; i < n && i < 8; i++)
		v = v << 8 | b[i];
	sim_self->key = hash_fold(sim_self->key, KEY_WHAT(KEY_CHOICE, 0), v);
}

void ksim_plain_load(void *p, unsigned long n, const void *pc)
{
	struct khost *h;
	u32 name;

	if (mine(p))
		return;
	if (!world_has(p)) {
		if (unlikely(khost_nowhere((u64)p)) && n)
			khost_oops(p, site_of(pc));
		return;
	}
	if (unlikely(sim_self->mode & MODE_FREE)) {	/* the compiler's load, as it is */
		tsan_load(p, n, pc);
		return;
	}
	h = khost();
	if (!h || h->peeking[sim_self->id])
		return;
	name = name_of(h, p);
#ifdef KSIM_PLAIN_STEPS
	if (unlikely(name == n && !(sim_self->mode & MODE_ROOT))) {
		khost_settle_slow();
		step(p, n, site_of(pc));
		return;
	}
#endif
	if (sim_self->mode & MODE_KEYED && !(name & NOISE))
		remember(p, n);
}

void ksim_plain_store(void *p, unsigned long n, const void *pc)
{
	struct khost *h;
	u32 name __attribute__((unused));

	if (mine(p))
		return;
	if (!world_has(p) && !khost_is_static(p)) {
		if (unlikely(khost_nowhere((u64)p)) && n)
			khost_oops(p, site_of(pc));
		return;
	}
	if (unlikely(sim_self->mode & MODE_FREE)) {
		tsan_store(p, n, pc);
		return;
	}
	h = khost();
	if (!h)
		return;
#ifdef KSIM_PLAIN_STEPS
	name = name_of(h, p);
	if (unlikely(name == n && !(sim_self->mode & MODE_ROOT))) {
		khost_settle_slow();
		h->pend_site = site_of(pc);
		h->pend_old = step(p, n, h->pend_site);
		h->pend_named = true;
	} else
#endif
	if (!(sim_self->mode & KEYED))
		return;
	else
		khost_settle_slow();
	if (name_of(h, p) & NOISE)
		return;
	if (sim_self->mode & KEYED)
		world_log(p, n);
	h->pend = p;
	h->pend_n = n;
}
