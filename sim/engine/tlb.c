// SPDX-License-Identifier: GPL-2.0-only
/*
 * TLBs. What is cached stays until it is flushed or its slot is needed: the worst case for
 * a VMM, which is what the checks want. Replacement is fixed by the address.
 * Source: docs/model.md (T3); SDM vol. 3, 29.4.
 */
#include "sim/engine/tlb.h"

#include "sim/engine/arena.h"
#include "sim/engine/clock.h"
#include "sim/engine/lp.h"
#include "sim/engine/priv.h"
#include "sim/engine/trace.h"

struct tlb *tlb_of(u16 lp)
{
	struct tlb *all = sim_layer(sim_current(), LAYER_TLB);

	return &all[lp];
}

void tlb_setup(struct sim *sim)
{
	sim_set_layer(sim, LAYER_TLB, world_carve(lp_count() * sizeof(struct tlb)));
}

static u16 number_of(const struct tlb *t)
{
	return (u16)(t - tlb_of(0));
}

static u32 set_of(u64 gfn, u8 level)
{
	return (gfn >> (9 * level)) % TLB_SETS;
}

static bool in_use(const struct tlb *t, u32 set)
{
	return t->used[set / 64] >> (set % 64) & 1;
}

static bool covers(const struct tlb_entry *e, u64 tag, u64 gfn, u8 level)
{
	return e->tag == tag && e->level == level &&
	       e->gfn == (gfn & ~((ept_level_size(level) >> 12) - 1));
}

void tlb_enter(struct tlb *t, u64 tag)
{
	world_set(t->running, tag);
}

void tlb_leave(struct tlb *t)
{
	world_set(t->running, 0);
}

const struct tlb_entry *tlb_find(const struct tlb *t, u64 tag, u64 gfn)
{
	for (u8 level = 0; level <= 2; level++) {
		u32 set = set_of(gfn, level);

		if (!in_use(t, set))
			continue;
		for (u32 way = 0; way < TLB_WAYS; way++) {
			if (covers(&t->entry[set][way], tag, gfn, level))
				return &t->entry[set][way];
		}
	}
	return NULL;
}

void tlb_fill(struct tlb *t, u64 tag, u64 gfn, u8 level, u64 hpa, u32 flags)
{
	u32 set = set_of(gfn, level), way;
	u64 first = gfn & ~((ept_level_size(level) >> 12) - 1);
	struct tlb_entry e = {
		.tag = tag,
		.gfn = first,
		.hpa = hpa & ~(ept_level_size(level) - 1),
		.level = level,
		.flags = flags,
	};

	for (way = 0; way < TLB_WAYS && t->entry[set][way].tag; way++) {
		if (covers(&t->entry[set][way], tag, gfn, level))
			break;
	}
	if (way == TLB_WAYS)
		way = (gfn >> (9 * level)) / TLB_SETS % TLB_WAYS;
	world_set(t->entry[set][way], e);
	world_set(t->used[set / 64], t->used[set / 64] | BIT_ULL(set % 64));
}

void tlb_drop(struct tlb *t, const struct tlb_entry *e)
{
	struct tlb_entry *mine = &t->entry[0][0] + (e - &t->entry[0][0]);

	world_set(*mine, (struct tlb_entry){ 0 });
}

/* A table of level L is found by the address bits above what it translates */
static u64 prefix_of(u64 gpa, u8 level)
{
	return gpa >> (12 + 9 * (level + 1));
}

static struct psc_entry *psc_slot(const struct tlb *t, u64 gpa, u8 level)
{
	return (struct psc_entry *)&t->psc[level][prefix_of(gpa, level) % PSC_SLOTS];
}

bool psc_find(const struct tlb *t, u64 tag, u64 gpa, u8 root_level, u8 *level, u64 *table)
{
	for (u8 l = 0; l < root_level && l < PSC_LEVELS; l++) {
		const struct psc_entry *e = psc_slot(t, gpa, l);

		if (e->tag == tag && e->prefix == prefix_of(gpa, l)) {
			*level = l;
			*table = e->table;
			return true;
		}
	}
	return false;
}

void psc_fill(struct tlb *t, u64 tag, u64 gpa, u8 level, u64 table)
{
	struct psc_entry e = { tag, prefix_of(gpa, level), table };

	if (level >= PSC_LEVELS)
		return;
	world_set(*psc_slot(t, gpa, level), e);
	world_set(t->psc_used, t->psc_used | BIT_ULL(level));
}

void psc_drop(struct tlb *t, u64 tag, u64 gpa, u8 level)
{
	struct psc_entry *e = psc_slot(t, gpa, level);

	if (e->tag == tag && e->prefix == prefix_of(gpa, level))
		world_set(*e, (struct psc_entry){ 0 });
}

void tlb_violated(struct tlb *t, u64 tag, u64 gpa)
{
	const struct tlb_entry *e = tlb_find(t, tag, gpa >> 12);

	if (e)
		tlb_drop(t, e);
	for (u8 l = 0; l < PSC_LEVELS; l++) {
		if (t->psc_used >> l & 1)
			psc_drop(t, tag, gpa, l);
	}
}

/* @tag 0: everybody's */
static void flush(struct tlb *t, u64 tag)
{
	for (u32 set = 0; set < TLB_SETS; set++) {
		bool left = false;

		if (!in_use(t, set))
			continue;
		for (u32 way = 0; way < TLB_WAYS; way++) {
			struct tlb_entry *e = &t->entry[set][way];

			if (e->tag && (!tag || e->tag == tag))
				world_set(*e, (struct tlb_entry){ 0 });
			left |= e->tag != 0;
		}
		if (!left)
			world_set(t->used[set / 64], t->used[set / 64] & ~BIT_ULL(set % 64));
	}
	for (u32 l = 0; l < PSC_LEVELS && t->psc_used; l++) {
		bool left = false;

		if (!(t->psc_used >> l & 1))
			continue;
		for (u32 i = 0; i < PSC_SLOTS; i++) {
			struct psc_entry *e = &t->psc[l][i];

			if (e->tag && (!tag || e->tag == tag))
				world_set(*e, (struct psc_entry){ 0 });
			left |= e->tag != 0;
		}
		if (!left)
			world_set(t->psc_used, t->psc_used & ~BIT_ULL(l));
	}
}

void tlb_flush(struct tlb *t, u64 tag)
{
	sim_charge(COST_INVEPT, 1);
	flush(t, tag);
	trace_(EV_FLUSH, .name = "TLB of one guest", .arg = number_of(t), .has_arg = true);
}

void tlb_flush_all(struct tlb *t)
{
	sim_charge(COST_INVEPT, 1);
	flush(t, 0);
	trace_(EV_FLUSH, .name = "TLB", .arg = number_of(t), .has_arg = true);
}

/* --- for checks ----------------------------------------------------------------------- */

static bool holds_page(const struct tlb *t, u64 tag, u64 gpa, u8 level, u64 hpa)
{
	u64 first = gpa >> 12, n = ept_level_size(level) >> 12;

	/* A 2M page may be cached whole or, after a split, in parts */
	for (u64 i = 0; i < n; i += n > 512 ? 512 : 1) {
		const struct tlb_entry *e = tlb_find(t, tag, first + i);

		if (e && tlb_hpa(e, first + i) == hpa + (i << 12))
			return true;
	}
	return false;
}

bool tlb_holds(const struct tlb *t, u64 tag, u64 gpa, u8 level, u64 hpa, bool table)
{
	const struct psc_entry *e;

	if (!table)
		return holds_page(t, tag, gpa, level, hpa);
	if (!level || level - 1 >= PSC_LEVELS)
		return false;
	e = psc_slot(t, gpa, level - 1);
	return e->tag == tag && e->prefix == prefix_of(gpa, level - 1) && e->table == hpa;
}

/* The next entry of @t, behind @e (NULL: the first), that maps the page at @hpa */
static const struct tlb_entry *next_of_page(const struct tlb *t, const struct tlb_entry *e,
					    u64 hpa)
{
	u32 i = e ? (u32)(e - &t->entry[0][0]) + 1 : 0;

	while (i < TLB_SETS * TLB_WAYS) {
		u32 set = i / TLB_WAYS;

		if (i % TLB_WAYS == 0 && !t->used[set / 64] && set % 64 == 0) {
			i += 64 * TLB_WAYS;
			continue;
		}
		if (in_use(t, set)) {
			e = &t->entry[set][i % TLB_WAYS];
			if (e->tag && hpa - e->hpa < ept_level_size((u8)e->level))
				return e;
		}
		i++;
	}
	return NULL;
}

static bool find_page(u64 hpa, bool in_guest, u16 *lp, u64 *gfn)
{
	for (u16 i = 0; i < lp_count(); i++) {
		const struct tlb *t = tlb_of(i);
		const struct tlb_entry *e = NULL;

		if (in_guest && !t->running)
			continue;
		while ((e = next_of_page(t, e, hpa))) {
			if (in_guest && e->tag != t->running)
				continue;
			*lp = i;
			*gfn = e->gfn + ((hpa - e->hpa) >> 12);
			return true;
		}
	}
	return false;
}

bool tlb_holds_page(u64 hpa, u16 *lp, u64 *gfn)
{
	return find_page(hpa, false, lp, gfn);
}

bool tlb_in_guest_holds_page(u64 hpa, u16 *lp, u64 *gfn)
{
	return find_page(hpa, true, lp, gfn);
}

void tlb_page_freed(u64 hpa)
{
	for (u16 i = 0; i < lp_count(); i++) {
		struct tlb *t = tlb_of(i);
		const struct tlb_entry *e = NULL;

		while ((e = next_of_page(t, e, hpa))) {
			struct tlb_entry *mine = &t->entry[0][0] + (e - &t->entry[0][0]);

			world_set(mine->flags, mine->flags | TLB_GONE);
		}
	}
}
