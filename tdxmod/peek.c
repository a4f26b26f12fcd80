// SPDX-License-Identifier: GPL-2.0-only
/*
 * Raw fields for the comparison with recorded vectors. Rests on nothing but the layouts.
 */
#include "tdxmod/peek.h"

#include <string.h>

#include "tdxmod/lock.h"
#include "tdxmod/module.h"
#include "tdxmod/observe.h"
#include "tdxmod/pamt.h"
#include "tdxmod/td.h"

/* Also of a TD that has been taken back, as its pages were; they may be anything by now */
static const struct tdcs *tdcs_of(const struct module *mod, const struct tdr *tdr)
{
	return phys_to_ptr(module_phys(mod, tdr->tdcx_pa[0]) ? tdr->tdcx_pa[0] : 0);
}

void td_peek(u64 hpa, struct td_peek *out)
{
	const struct module *mod = module_self();
	const struct tdr *tdr = tdr_at(hpa);
	const struct tdcs *tdcs = tdcs_of(mod, tdr);
	const struct kot_entry *key = &mod->kot[tdr->hkid % HKIDS_MAX];

	*out = (struct td_peek){
		.td_epoch = mem_peek64(&tdcs->epoch.td_epoch),
		.refcount = { mem_peek16(&tdcs->epoch.refcount[0]),
			      mem_peek16(&tdcs->epoch.refcount[1]) },
		.tree = mem_peek16(&tdcs->sept_lock),
		.op_state_lock = mem_peek16(&tdcs->op_state_lock),
		.epoch_lock = mem_peek16(&tdcs->epoch.lock),
		.chldcnt = mem_peek64(&tdr->chldcnt),
		.lifecycle = mem_peek8(&tdr->lifecycle),
		.num_assoc_vcpus = mem_peek32(&tdcs->num_assoc_vcpus),
		.kot_state = mem_peek8(&key->state),
		.wbinvd_bitmap = mem_peek64(&key->wbinvd_bitmap),
		.kot_lock = mem_peek16(&mod->kot_lock),
		.root = tdcs->eptp,
		.root_level = tdcs->pwl,
	};
}

bool td_peek_lock(u64 hpa, const char *name, struct module_lock *l)
{
	struct module *mod = module_self();
	struct tdcs *tdcs = (struct tdcs *)tdcs_of(mod, tdr_at(hpa));

	if (!strcmp(name, "SEPT_TREE"))
		*l = (struct module_lock){ &tdcs->sept_lock, module_switch(mod, S_TREE_HP) ?
			TDX_LOCK_SHAREX_HP : TDX_LOCK_SHAREX, "SEPT_TREE" };
	else if (!strcmp(name, "TD_EPOCH"))
		*l = (struct module_lock){ &tdcs->epoch.lock, TDX_LOCK_SHAREX, "TD_EPOCH" };
	else if (!strcmp(name, "OP_STATE"))
		*l = (struct module_lock){ &tdcs->op_state_lock, TDX_LOCK_SHAREX_HP, "OP_STATE" };
	else
		return false;
	return true;
}

bool pamt_peek(u64 hpa, u8 size, struct pamt_peek *out)
{
	const struct module *mod = module_self();
	const struct pamt_entry *e;

	if (!module_phys(mod, hpa) || size > SIZE_1G)
		return false;
	e = pamt_entry_of(mod, hpa, size);
	*out = (struct pamt_peek){
		.lock = mem_peek16(&e->lock),
		.pt = mem_peek8(&e->pt),
		.bepoch = mem_peek64(&e->bepoch),
	};
	return true;
}

/* The entry of which @p is the first word; the tables lie one behind the other */
static bool lock_at(const struct module *mod, const void *p, u8 *size, u64 *hpa, u16 *raw)
{
	const struct pamt_entry *e = p, *table = mod->pamt_4k;

	if (e < mod->pamt_1g || e >= mod->pamt_4k + (mod->tdmr_end >> PAGE_SHIFT) || (u64)p % 16)
		return false;
	*size = e >= mod->pamt_4k ? SIZE_4K : e >= mod->pamt_2m ? SIZE_2M : SIZE_1G;
	table = pamt_entry_of(mod, 0, *size);
	*hpa = (u64)(e - table) * level_size(*size);
	*raw = mem_peek16(&e->lock);
	return *hpa < mod->tdmr_end;
}

/* A table that has been reclaimed is nobody's, and still under the TD's root */
static bool in_sept(const struct module *mod, const void *p, u64 root)
{
	u64 hpa = ptr_to_phys(p) & ~(PAGE_SIZE - 1ull);
	u8 pt;

	if (!module_phys(mod, hpa))
		return false;
	pt = mem_peek8(&pamt_entry_of(mod, hpa, SIZE_4K)->pt);
	return hpa == root || pt == PT_EPT || pt == PT_NDA;
}

bool peek_written(u64 tdr, const struct undo_entry *e, u64 n,
		  void (*lock)(void *ctx, u8 size, u64 hpa, u16 raw), void *ctx)
{
	const struct module *mod = module_self();
	u64 root = td_tdcs(tdr_at(tdr))->eptp, hpa;
	bool sept = false;
	u16 raw;
	u8 size;

	for (u64 i = 0; i < n; i++) {
		if (lock_at(mod, e[i].p, &size, &hpa, &raw))
			lock(ctx, size, hpa, raw);
		else if (!sept)
			sept = in_sept(mod, e[i].p, root);
	}
	return sept;
}

void vcpu_peek(u64 tdvpr, struct vcpu_peek *out)
{
	const struct tdvps *vp = tdvps_at(tdvpr);
	u32 lp = mem_peek32(&vp->assoc_lpid);

	*out = (struct vcpu_peek){
		.state = mem_peek8(&vp->state),
		.assoc_lp = lp == VCPU_NO_LP ? -1 : (s64)lp,
		.vcpu_epoch = mem_peek64(&vp->vcpu_epoch),
		.possibly_epf_stepping = mem_peek8(&vp->possibly_epf_stepping),
		.last_epf_gpa_list_idx = mem_peek8(&vp->last_epf_gpa_list_idx),
		.hp_lock_busy = mem_peek8(&vp->hp_lock_busy),
	};
}

u64 *sept_peek_slot(u64 tdr, u64 gpa, u8 level, u8 *at)
{
	const struct tdcs *tdcs = td_tdcs(tdr_at(tdr));
	u64 *table = phys_to_ptr(tdcs->eptp);

	*at = tdcs->pwl;
	if (level > tdcs->pwl || gpa >> (21 + 9 * tdcs->pwl))
		return NULL;
	for (;;) {
		u64 *e = &table[sept_index(gpa, *at)];

		if (*at == level || !(*e & SEPT_RWX) || sept_is_leaf(*e))
			return e;
		table = phys_to_ptr(*e & SEPT_HPA);
		(*at)--;
	}
}

#define FNV_PRIME	0x100000001b3ull
#define FNV_PRIME_6	0xdc966432edf1c639ull	/* to the sixth: six bytes of 0 */

static u64 fnv(u64 h, u64 v)
{
	for (u32 i = 0; i < 64; i += 8)
		h = (h ^ (v >> i & 0xff)) * FNV_PRIME;
	return h;
}

static u64 fnv_index(u64 h, u64 v)
{
	h = (h ^ (v & 0xff)) * FNV_PRIME;
	return (h ^ v >> 8) * FNV_PRIME * FNV_PRIME_6;
}

/* Eight entries, two at a time: most of a tree is FREE */
static bool all_free(const u64 *entry)
{
	typedef u64 pair __attribute__((vector_size(16)));
	const pair *e = (const pair *)entry, f = { SEPT_FREE_INIT, SEPT_FREE_INIT };
	pair any = (e[0] ^ f) | (e[1] ^ f) | (e[2] ^ f) | (e[3] ^ f);

	return !(any[0] | any[1]);
}

static u64 digest(u64 page, u8 level)
{
	const u64 *e = phys_to_ptr(page);
	u64 h = 0xcbf29ce484222325ull;

	for (u32 i = 0; i < 512; i++) {
		if (!(i & 7) && all_free(&e[i])) {
			i += 7;
			continue;
		}
		if (e[i] == SEPT_FREE_INIT)
			continue;
		h = fnv_index(h, i);
		h = fnv(h, e[i]);
		if (level && !(e[i] & SEPT_PS) && !sept_is_state(e[i], SEPT_FREE) &&
		    module_phys(module_self(), e[i] & GENMASK_ULL(51, 12)))
			h = fnv(h, digest(e[i] & GENMASK_ULL(51, 12), level - 1));
	}
	return h;
}

u64 sept_digest(u64 tdr)
{
	const struct module *mod = module_self();
	const struct tdcs *tdcs = tdcs_of(mod, tdr_at(tdr));

	if (!module_phys(mod, tdcs->eptp) || tdcs->pwl > LVL_PML5)
		return 0;
	return digest(tdcs->eptp, tdcs->pwl);
}

void td_start_from(u64 hpa, const struct td_start *s)
{
	struct tdr *tdr = tdr_at(hpa);
	struct tdcs *tdcs = td_tdcs(tdr);

	world_set(tdr->fatal, s->fatal);
	world_set(tdr->num_tdcx, s->num_tdcx);
	world_set(tdcs->op_state, s->op_state);
	world_set(tdcs->pending_ve_disable, s->pending_ve_disable);
	world_set(tdcs->notify_enables, s->notify);
}
