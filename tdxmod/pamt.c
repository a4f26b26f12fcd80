// SPDX-License-Identifier: GPL-2.0-only
/*
 * PAMT walks and the checks of a page operand. Owner and type are separate stores, as in
 * the module; BEPOCH is not covered by the entry's first word.
 * Source: TDX_1.5.01, memory_handlers/pamt_manager.c, helpers.c.
 */
#include "tdxmod/pamt.h"

#include "sim/engine/arena.h"
#include "sim/engine/clock.h"
#include "sim/engine/mem.h"
#include "sim/engine/region.h"
#include "tdxmod/module.h"
#include "tdxmod/pamt_dynamic.h"
#include "tdxmod/sept.h"

static const char *const type_names[] = {
	"NDA", "RSVD", "2", "REG", "TDR", "TDCX", "TDVPR", "7", "EPT", "9", "10", "11", "12", "13",
	"14", "PAMT", NULL,
};

static const char *class_of(u64 raw)
{
	u8 pt = raw >> 16;

	return pt < ARRAY_SIZE(type_names) - 1 ? type_names[pt] : "INVALID";
}

static const struct region_field fields[] = {
	{ "lock", 0, 16 },
	{ "EX", 0, 1 },
	{ "HP", 1, 1 },
	{ "readers", 2, 14 },
	{ "PT", 16, 8, type_names },
	{ "OWNER", 32, 32 },
	{ NULL },
};

static const struct region_type pamt_region = {
	.name = "PAMT",
	.class = class_of,
	.fields = fields,
	.indexed = true,
};

static struct pamt_entry *one_size(u64 end, enum page_size size)
{
	u64 bytes = level_size(size), n = (end + bytes - 1) / bytes;
	struct pamt_entry *e = world_carve(n * sizeof(*e));

	region_add(&(struct region){
		.type = &pamt_region,
		.base = e,
		.count = n,
		.stride = sizeof(*e),
		.size = 8,
		.level = size + 1,
		.step = bytes,
	});
	return e;
}

void pamt_new(struct module *mod, u64 end)
{
	mod->pamt_1g = one_size(end, SIZE_1G);
	mod->pamt_2m = one_size(end, SIZE_2M);
	mod->pamt_4k = one_size(end, SIZE_4K);
}

struct pamt_entry *pamt_entry_of(const struct module *mod, u64 hpa, enum page_size size)
{
	switch (size) {
	case SIZE_4K:
		return &mod->pamt_4k[hpa >> 12];
	case SIZE_2M:
		return &mod->pamt_2m[hpa >> 21];
	default:
		return &mod->pamt_1g[hpa >> 30];
	}
}

const char *pamt_lock_name(enum page_size size)
{
	static const char *const names[] = { "PAMT_4K", "PAMT_2M", "PAMT_1G" };

	return names[size];
}

static u64 leaf_at(const struct module *mod, struct pamt_walk *w, enum page_size size,
		   enum lock_mode mode)
{
	w->leaf = pamt_entry_of(mod, w->hpa, size);
	w->size = size;
	w->name = pamt_lock_name(size);
	if (mode != LOCK_EXCLUSIVE)
		return TDX_SUCCESS;
	return sharex_hp_promote(&w->leaf->lock, w->name);
}

/* With dynamic PAMT only a PT_PAMT entry of 2M has anything below it */
static bool is_leaf(const struct module *mod, enum page_size size, u8 pt)
{
	return size == SIZE_2M && module_switch(mod, S_DPAMT) ? pt != PT_PAMT : pt == PT_REG;
}

/* pamt_walk(); the 4K leaf is locked in the mode asked for, larger ones are promoted */
u64 pamt_walk_lock(const struct module *mod, struct pamt_walk *w, u64 hpa, enum page_size to,
		   enum lock_mode mode, const char *name)
{
	struct pamt_entry *g = pamt_entry_of(mod, hpa, SIZE_1G);
	struct pamt_entry *m = pamt_entry_of(mod, hpa, SIZE_2M);
	u64 err;
	u8 pt;

	w->hpa = hpa;
	w->mode = mode;
	sim_charge(COST_KEYHOLE_HIT, 4);
	err = sharex_hp_acquire_sh(&g->lock, w->side, "PAMT_1G");
	if (err)
		return err;
	pt = mem_read8(&g->pt);
	if (is_leaf(mod, SIZE_1G, pt) || to == SIZE_1G) {
		err = leaf_at(mod, w, SIZE_1G, mode);
		goto out_1g;
	}
	err = sharex_hp_acquire_sh(&m->lock, w->side, "PAMT_2M");
	if (err)
		goto out_1g;
	pt = mem_read8(&m->pt);
	if (is_leaf(mod, SIZE_2M, pt) || to == SIZE_2M) {
		err = leaf_at(mod, w, SIZE_2M, mode);
		goto out_2m;
	}
	w->leaf = pamt_child(mod, m, hpa);
	w->size = SIZE_4K;
	w->name = name ? name : pamt_lock_name(SIZE_4K);
	err = sharex_hp_acquire(&w->leaf->lock, mode, w->side, w->name);
out_2m:
	if (err)
		sharex_hp_release_sh(&m->lock, "PAMT_2M");
out_1g:
	if (err)
		sharex_hp_release_sh(&g->lock, "PAMT_1G");
	return err;
}

void pamt_unwalk(const struct module *mod, const struct pamt_walk *w)
{
	sim_charge(COST_KEYHOLE_HIT, 3);
	sharex_hp_release(&w->leaf->lock, w->mode, w->name);
	if (w->size < SIZE_2M)
		sharex_hp_release_sh(&pamt_entry_of(mod, w->hpa, SIZE_2M)->lock, "PAMT_2M");
	if (w->size < SIZE_1G)
		sharex_hp_release_sh(&pamt_entry_of(mod, w->hpa, SIZE_1G)->lock, "PAMT_1G");
}

u64 pamt_check_hpa(const struct module *mod, u64 hpa, enum page_size size,
		   enum operand_id operand)
{
	if ((hpa & (level_size(size) - 1)) || (hpa & HKID_MASK) || hpa >= PA_LIMIT)
		return status_operand(TDX_OPERAND_INVALID, operand);
	if (hpa >= mod->tdmr_end)
		return status_operand(TDX_OPERAND_ADDR_RANGE_ERROR, operand);
	return TDX_SUCCESS;
}

u64 pamt_check_and_lock(const struct module *mod, struct pamt_walk *w, u64 hpa,
			enum page_size size, enum lock_mode mode, enum page_type pt,
			enum operand_id operand, const char *name)
{
	u64 err = pamt_check_hpa(mod, hpa, size, operand);
	u8 found;

	if (err)
		return err;
	err = pamt_walk_lock(mod, w, hpa, size, mode, name);
	if (err)
		return status_operand(err, operand);
	err = TDX_PAGE_METADATA_INCORRECT;
	if (w->size == size) {
		found = mem_read8(&w->leaf->pt);
		if (found == pt && !(pt == PT_NDA && pamt_page_used(mod, hpa)))
			return TDX_SUCCESS;
	} else if (pamt_pair_missing(mod, w, pt)) {
		err = TDX_MISSING_PAMT_PAGE_PAIR;
	}
	pamt_unwalk(mod, w);
	return status_operand(err, operand);
}

struct pamt_entry *pamt_implicit(const struct module *mod, u64 hpa, enum page_size size)
{
	struct pamt_entry *e;
	u8 pt;

	if (!module_phys(mod, hpa)) {
		module_fatal("PAMT", "a page of the TD lies outside of the TDMR");
		hpa = 0;
	}
	e = size == SIZE_4K ? pamt_implicit_child(mod, hpa) : pamt_entry_of(mod, hpa, size);
	sim_charge(COST_KEYHOLE_HIT, 1);
	pt = mem_read8(&e->pt);
	if (pt == PT_NDA || pt == PT_RSVD || pt == PT_PAMT)
		module_fatal("PAMT", "a page of the TD is not assigned");
	return e;
}

u64 pamt_implicit_lock(const struct module *mod, struct pamt_entry **e, u64 hpa,
		       enum page_size size, enum lock_mode mode, const char *name)
{
	struct pamt_entry *found = pamt_implicit(mod, hpa, size);
	u64 err = sharex_hp_acquire(&found->lock, mode, SIDE_HOST,
				    name ? name : pamt_lock_name(size));

	*e = err ? NULL : found;
	return err;
}

u64 pamt_owner(struct pamt_entry *e)
{
	return (u64)mem_read32(&e->owner) << 12;
}

void pamt_set_owner(struct pamt_entry *e, u64 tdr)
{
	mem_write32(&e->owner, tdr >> 12);
}
