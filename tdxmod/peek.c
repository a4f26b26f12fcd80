// SPDX-License-Identifier: GPL-2.0-only
/*
 * Raw fields for the comparison with recorded vectors. Rests on nothing but the layouts.
 */
#include "tdxmod/peek.h"

#include "tdxmod/module.h"
#include "tdxmod/pamt.h"
#include "tdxmod/td.h"

void td_peek(u64 hpa, struct td_peek *out)
{
	const struct module *mod = module_self();
	const struct tdr *tdr = tdr_at(hpa);
	const struct tdcs *tdcs = td_tdcs(tdr);
	const struct kot_entry *key = &mod->kot[tdr->hkid];

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

void pamt_each_lock(u64 from, u64 to, u8 size, void (*fn)(void *ctx, u8 size, u64 hpa, u16 raw),
		    void *ctx)
{
	const struct module *mod = module_self();

	if (to > mod->tdmr_end)
		to = mod->tdmr_end;
	for (u64 hpa = from; hpa < to; hpa += level_size(size)) {
		u16 raw = mem_peek16(&pamt_entry_of(mod, hpa, size)->lock);

		if (raw)
			fn(ctx, size, hpa, raw);
	}
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

static u64 fnv(u64 h, u64 v)
{
	for (u32 i = 0; i < 64; i += 8)
		h = (h ^ (v >> i & 0xff)) * 0x100000001b3ull;
	return h;
}

static u64 digest(u64 page, u8 level)
{
	const u64 *e = phys_to_ptr(page);
	u64 h = 0xcbf29ce484222325ull;

	for (u32 i = 0; i < 512; i++) {
		if (e[i] == SEPT_FREE_INIT)
			continue;
		h = fnv(h, i);
		h = fnv(h, e[i]);
		if (level && !(e[i] & SEPT_PS) && !sept_is_state(e[i], SEPT_FREE) &&
		    module_phys(module_self(), e[i] & GENMASK_ULL(51, 12)))
			h = fnv(h, digest(e[i] & GENMASK_ULL(51, 12), level - 1));
	}
	return h;
}

u64 sept_digest(u64 tdr)
{
	const struct tdcs *tdcs = td_tdcs(tdr_at(tdr));

	return digest(tdcs->eptp, tdcs->pwl);
}

void td_spoil(u64 hpa, bool fatal, u8 num_tdcx)
{
	struct tdr *tdr = tdr_at(hpa);

	world_set(tdr->fatal, fatal);
	world_set(tdr->num_tdcx, num_tdcx);
}
