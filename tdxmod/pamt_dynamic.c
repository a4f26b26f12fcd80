// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dynamic PAMT: nodes, their counts, the bitmap of pages that are in pairs.
 * Source: pamt_manager.c, helpers.c at 2.0.12 (intel/tdx-module a56a917); TDH.PHYMEM.PAMT.ADD at
 * 2.0.08 (1666adc).
 */
#include "tdxmod/pamt_dynamic.h"

#include "sim/engine/arena.h"
#include "sim/engine/clock.h"
#include "sim/engine/mem.h"
#include "sim/engine/region.h"
#include "sim/engine/undo.h"
#include "tdxmod/module.h"
#include "tdxmod/sept.h"

static const struct region_type bitmap_region = { .name = "PAMT_BITMAP", .indexed = true };

static bool dynamic(const struct module *mod)
{
	return module_switch(mod, S_DPAMT);
}

void pamt_dynamic_new(struct module *mod, u64 end)
{
	u64 words = (end >> 12) / 64 + 1;

	world_set(mod->pamt_bitmap, world_carve(words * sizeof(u64)));
	region_add(&(struct region){
		.type = &bitmap_region, .base = mod->pamt_bitmap, .count = words, .stride = 8,
		.size = 8, .step = 64 * PAGE_SIZE,
	});
}

/* Which page of the pair holds the entry is read from the node each time */
static void read_pair(struct pamt_entry *node, u64 hpa)
{
	if ((hpa >> 12 & 511) < 256)
		mem_read32(&node->owner);
	else
		mem_read64(&node->bepoch);
}

struct pamt_entry *pamt_child(const struct module *mod, struct pamt_entry *node, u64 hpa)
{
	if (dynamic(mod))
		read_pair(node, hpa);
	return pamt_entry_of(mod, hpa, SIZE_4K);
}

struct pamt_entry *pamt_implicit_child(const struct module *mod, u64 hpa)
{
	struct pamt_entry *node = pamt_entry_of(mod, hpa, SIZE_2M);
	u8 pt;

	if (dynamic(mod)) {
		pt = mem_read8(&node->pt);
		if (pt != PT_PAMT)
			module_fatal("PAMT", "the region of a page of the TD has no page pair");
		read_pair(node, hpa);
	}
	return pamt_entry_of(mod, hpa, SIZE_4K);
}

bool pamt_pair_missing(const struct module *mod, const struct pamt_walk *w, enum page_type pt)
{
	u8 found;

	if (!dynamic(mod) || w->size != SIZE_2M)
		return false;
	found = mem_read8(&w->leaf->pt);
	return found == PT_NDA && pt == PT_NDA;
}

static u64 *bitmap_word(const struct module *mod, u64 hpa)
{
	return &mod->pamt_bitmap[hpa >> 18];
}

static u32 bitmap_bit(u64 hpa)
{
	return hpa >> 12 & 63;
}

bool pamt_page_used(const struct module *mod, u64 hpa)
{
	u64 word;

	if (!dynamic(mod))
		return false;
	sim_charge(COST_KEYHOLE_HIT, 1);
	word = mem_read64(bitmap_word(mod, hpa));
	return word >> bitmap_bit(hpa) & 1;
}

bool pamt_page_take(const struct module *mod, u64 hpa)
{
	sim_charge(COST_KEYHOLE_HIT, 1);
	return !mem_bts64(bitmap_word(mod, hpa), bitmap_bit(hpa));
}

void pamt_page_give(const struct module *mod, u64 hpa)
{
	sim_charge(COST_KEYHOLE_HIT, 1);
	mem_clear_bit64(bitmap_word(mod, hpa), bitmap_bit(hpa));
}

bool pamt_range_used(const struct module *mod, u64 hpa)
{
	sim_charge(COST_KEYHOLE_HIT, 1);
	for (u32 i = 0; i < 8; i++) {
		u64 word = mem_read64(bitmap_word(mod, hpa) + i);

		if (word)
			return true;
	}
	return false;
}

/* The 16 bits that the count is part of; the pair begins at bit 28 */
static u16 *count_of(struct pamt_entry *node)
{
	return (u16 *)&node->bepoch;
}

static bool is_node(const struct module *mod, struct pamt_entry *node)
{
	u8 pt;

	if (!dynamic(mod))
		return false;
	pt = mem_read8(&node->pt);
	return pt == PT_PAMT;
}

void pamt_count_up(const struct module *mod, u64 hpa)
{
	struct pamt_entry *node = pamt_entry_of(mod, hpa, SIZE_2M);
	u16 old;

	if (!is_node(mod, node))
		return;
	old = mem_xadd16(count_of(node), 1);
	if ((old & PAMT_COUNT_MASK) == 512)
		module_fatal("PAMT", "more than 512 pages of a region are in use");
}

u64 pamt_count_down(const struct module *mod, u64 hpa)
{
	struct pamt_entry *node = pamt_entry_of(mod, hpa, SIZE_2M);
	u16 old;

	if (!is_node(mod, node))
		return 0;
	old = mem_xadd16(count_of(node), -1);
	if (!(old & PAMT_COUNT_MASK))
		module_fatal("PAMT", "a page of a region without pages in use is given back");
	return (old & PAMT_COUNT_MASK) == 1 ? PAMT_REMOVAL_HINT : 0;
}

void pamt_node_set(struct pamt_entry *node, const u64 pair[2], u64 count)
{
	mem_write8(&node->pt, PT_PAMT);
	mem_write32(&node->owner, pair[0] >> 12);
	mem_write64(&node->bepoch, pair[1] >> 12 << PAMT_PAIR1_SHIFT | count);
}

void pamt_node_pair(struct pamt_entry *node, u64 pair[2])
{
	pair[0] = pamt_owner(node);
	pair[1] = mem_read64(&node->bepoch);
	pair[1] = pair[1] >> PAMT_PAIR1_SHIFT << 12;
}

u64 pamt_pair_check(const struct module *mod, const struct pamt_pair *p)
{
	for (u32 i = 0; i < 2; i++) {
		u64 err = pamt_check_hpa(mod, p->hpa[i], SIZE_4K, p->operand[i]);

		if (err)
			return err;
	}
	return TDX_SUCCESS;
}

static u64 walk_free(const struct module *mod, struct pamt_pair *p, u32 i)
{
	u64 err;
	u8 pt;

	if (p->hpa[i] >> 21 == p->skip >> 21)
		return TDX_SUCCESS;
	err = pamt_walk_lock(mod, &p->walk[i], p->hpa[i], SIZE_4K, LOCK_SHARED, NULL);
	if (err)
		return status_operand(err, p->operand[i]);
	p->walked[i] = true;
	pt = mem_read8(&p->walk[i].leaf->pt);
	return pt == PT_NDA ? TDX_SUCCESS : status_operand(TDX_PAGE_NOT_FREE, p->operand[i]);
}

u64 pamt_pair_take(const struct module *mod, struct pamt_pair *p)
{
	u64 err;

	if ((err = walk_free(mod, p, 0)) || (err = walk_free(mod, p, 1)))
		return err;
	if (!pamt_page_take(mod, p->hpa[0]))
		return status_operand(TDX_PAGE_NOT_FREE, p->operand[0]);
	if (pamt_page_take(mod, p->hpa[1]))
		return TDX_SUCCESS;
	pamt_page_give(mod, p->hpa[0]);
	return status_operand(TDX_PAGE_NOT_FREE, p->operand[1]);
}

void pamt_pair_unlock(const struct module *mod, struct pamt_pair *p)
{
	for (u32 i = 2; i-- > 0;) {
		if (p->walked[i])
			pamt_unwalk(mod, &p->walk[i]);
		p->walked[i] = false;
	}
}

void pamt_pair_place(struct module *mod, u64 hpa, const u64 pair[2])
{
	struct pamt_entry *node = pamt_entry_of(mod, hpa, SIZE_2M);

	world_set(node->pt, PT_PAMT);
	world_set(node->owner, (u32)(pair[0] >> 12));
	world_set(node->bepoch, pair[1] >> 12 << PAMT_PAIR1_SHIFT);
	for (u32 i = 0; i < 2; i++)
		world_set(*bitmap_word(mod, pair[i]),
			  *bitmap_word(mod, pair[i]) | BIT_ULL(bitmap_bit(pair[i])));
}
