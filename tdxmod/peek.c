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

/* Nearly all are 0, and there are thousands: 16 are looked at with one question */
enum { LOCKS_AT_ONCE = 16 };

static bool any_lock(const struct pamt_entry *e, u64 n)
{
	u16 any = 0;

	for (u64 i = 0; i < n; i++)
		any |= mem_peek16(&e[i].lock);
	return any;
}

void pamt_each_lock(u64 from, u64 to, u8 size, void (*fn)(void *ctx, u8 size, u64 hpa, u16 raw),
		    void *ctx)
{
	const struct module *mod = module_self();
	const struct pamt_entry *e = pamt_entry_of(mod, from, size);
	u64 bytes = level_size(size), n;

	if (to > mod->tdmr_end)
		to = mod->tdmr_end;
	n = to > from ? (to - from + bytes - 1) / bytes : 0;
	for (u64 i = 0; i < n; i += LOCKS_AT_ONCE) {
		u64 end = i + LOCKS_AT_ONCE < n ? i + LOCKS_AT_ONCE : n;

		if (!any_lock(&e[i], end - i))
			continue;
		for (u64 k = i; k < end; k++) {
			u16 raw = mem_peek16(&e[k].lock);

			if (raw)
				fn(ctx, size, from + k * bytes, raw);
		}
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

static bool all_free(const u64 *e)
{
	u64 any = 0;

	for (u32 i = 0; i < 8; i++)
		any |= e[i] ^ SEPT_FREE_INIT;
	return !any;
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
	const struct tdcs *tdcs = td_tdcs(tdr_at(tdr));

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
