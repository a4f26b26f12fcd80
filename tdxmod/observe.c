// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking in: the S-EPT as it stands, who holds which page in a TLB, locks by name.
 * Nothing here is a step but acquire and release of a litmus.
 */
#include "tdxmod/observe.h"

#include <string.h>

#include "tdxmod/lp_state.h"
#include "tdxmod/module.h"
#include "tdxmod/pamt.h"
#include "tdxmod/td.h"

static void view_of(const struct sept_walk *w, u64 gpa, struct sept_view *v)
{
	enum sept_state s = sept_state_of(w->copy);

	v->raw = w->copy;
	v->level = w->level + 1;
	v->state = s;
	v->leaf = sept_is_leaf(w->copy);
	v->mapped = v->leaf && s != SEPT_NO_STATE;
	if (v->leaf)
		v->hpa = sept_leaf_hpa(w->copy, gpa, w->level);
	else if (s == SEPT_NL_MAPPED || s == SEPT_NL_BLOCKED)
		v->hpa = w->copy & SEPT_HPA;
	else
		v->hpa = ~0ull;
}

void sept_peek(u64 tdr, u64 gfn, struct sept_view *v)
{
	struct sept_walk w;

	*v = (struct sept_view){ .hpa = ~0ull };
	if (sept_peek_walk(td_peek_tdcs(tdr), gfn << 12, LVL_PT, &w))
		view_of(&w, gfn << 12, v);
}

bool sept_peek_level(u64 tdr, u64 gfn, u8 level, struct sept_view *v)
{
	struct sept_walk w;

	*v = (struct sept_view){ .hpa = ~0ull };
	if (!level || !sept_peek_walk(td_peek_tdcs(tdr), gfn << 12, level - 1, &w) ||
	    w.level != level - 1)
		return false;
	view_of(&w, gfn << 12, v);
	return true;
}

const char *sept_state_name(u8 state)
{
	return state < SEPT_STATES ? sept_states[state].name : "INVALID";
}

/* Depth first over everything that is linked, blocked tables too */
static bool search(const struct module *mod, u64 table, u8 level, u64 gpa, u64 hpa, u64 *gfn)
{
	const u64 *entry = phys_to_ptr(table);

	for (u32 i = 0; i < 512; i++) {
		u64 raw = entry[i], at = gpa + i * level_size(level);
		enum sept_state s = sept_state_of(raw);

		if (raw == SEPT_FREE_INIT)
			continue;
		if (sept_is_leaf(raw)) {
			u64 first = sept_leaf_hpa(raw, at, level);

			if (hpa - first >= level_size(level))
				continue;
			*gfn = (at + (hpa - first)) >> 12;
			return true;
		}
		if ((s == SEPT_NL_MAPPED || s == SEPT_NL_BLOCKED) && level &&
		    module_phys(mod, raw & SEPT_HPA) &&
		    search(mod, raw & SEPT_HPA, level - 1, at, hpa, gfn))
			return true;
	}
	return false;
}

/*
 * Only a page that the PAMT gives to a TD can be mapped by it; that saves the search where
 * nothing is wrong. The page may be part of a 2M one.
 */
static bool may_be_mapped(const struct module *mod, u64 hpa)
{
	return mem_peek8(&pamt_entry_of(mod, hpa, SIZE_4K)->pt) == PT_REG ||
	       mem_peek8(&pamt_entry_of(mod, hpa, SIZE_2M)->pt) == PT_REG ||
	       mem_peek8(&pamt_entry_of(mod, hpa, SIZE_1G)->pt) == PT_REG;
}

bool td_in_teardown(u64 tdr)
{
	return mem_peek8(&tdr_at(tdr)->lifecycle) == TD_TEARDOWN;
}

bool sept_maps_page(u64 hpa, u64 *tdr, u64 *gfn)
{
	const struct module *mod = module_self();
	const struct td_info *td;
	u32 at = 0;

	if (!mod || !module_phys(mod, hpa) || !may_be_mapped(mod, hpa))
		return false;
	while ((td = td_info_next(mod, &at))) {
		const struct tdcs *tdcs = td_peek_tdcs(td->tdr);

		if (!tdcs || !tdcs->eptp ||
		    !search(mod, tdcs->eptp, tdcs->pwl, 0, hpa & ~0xfffull, gfn))
			continue;
		*tdr = td->tdr;
		return true;
	}
	return false;
}

bool tlb_holds_gfn(u64 tdr, u64 gfn, u16 *lp, bool *in_guest)
{
	const struct module *mod = module_self();

	for (u16 i = 0; mod && i < mod->lps; i++) {
		if (!tlb_find(tlb_of(i), tdr, gfn))
			continue;
		*lp = i;
		*in_guest = mod->lp[i].non_root;
		return true;
	}
	return false;
}

bool vcpu_in_guest(u64 tdvpr)
{
	const struct module *mod = module_self();

	for (u16 i = 0; mod && i < mod->lps; i++) {
		if (mod->lp[i].tdvpr == tdvpr)
			return mod->lp[i].non_root;
	}
	return false;
}

u64 td_of_vcpu(u64 tdvpr)
{
	return tdvps_at(tdvpr)->tdr;
}

static bool find_in_td(u64 tdr_hpa, const char *name, u64 index, struct module_lock *l)
{
	struct module *mod = module_self();
	struct tdcs *tdcs = (struct tdcs *)td_peek_tdcs(tdr_hpa);
	struct td_info *info = td_info_of(mod, tdr_hpa);

	if (!strcmp(name, "TDR")) {
		*l = (struct module_lock){ &pamt_entry_of(mod, tdr_hpa, SIZE_4K)->lock,
			TDX_LOCK_SHAREX_HP, "TDR" };
	} else if (!strcmp(name, "TDVPR") && info && index < VCPUS_MAX && info->tdvpr[index]) {
		*l = (struct module_lock){
			&pamt_entry_of(mod, info->tdvpr[index], SIZE_4K)->lock,
			TDX_LOCK_SHAREX_HP, "TDVPR" };
	} else if (!tdcs) {
		return false;
	} else if (!strcmp(name, "SEPT_TREE")) {
		*l = (struct module_lock){ &tdcs->sept_lock, module_switch(mod, S_TREE_HP) ?
			TDX_LOCK_SHAREX_HP : TDX_LOCK_SHAREX, "SEPT_TREE" };
	} else if (!strcmp(name, "TD_EPOCH")) {
		*l = (struct module_lock){ &tdcs->epoch.lock, TDX_LOCK_SHAREX, "TD_EPOCH" };
	} else if (!strcmp(name, "OP_STATE")) {
		*l = (struct module_lock){ &tdcs->op_state_lock, TDX_LOCK_SHAREX_HP, "OP_STATE" };
	} else if (!strcmp(name, "RTMR")) {
		*l = (struct module_lock){ &tdcs->rtmr_lock, TDX_LOCK_SHAREX_HP, "RTMR" };
	} else if (!strcmp(name, "SERVTD_BINDINGS")) {
		*l = (struct module_lock){ &tdcs->servtd_bindings_lock, TDX_LOCK_SHAREX_HP,
					   "SERVTD_BINDINGS" };
	} else if (!strcmp(name, "SERVTD_BINDINGS")) {
		*l = (struct module_lock){ &tdcs->servtd_bindings_lock, TDX_LOCK_SHAREX_HP,
			"SERVTD_BINDINGS" };
	} else {
		return false;
	}
	return true;
}

static bool find_sept(u64 tdr_hpa, u64 gfn, u8 level, struct module_lock *l)
{
	struct sept_walk w;

	if (!sept_peek_walk(td_peek_tdcs(tdr_hpa), gfn << 12, level ? level - 1 : 0, &w) ||
	    (level && w.level != level - 1))
		return false;
	*l = (struct module_lock){ w.entry, TDX_LOCK_SEPT, "sept" };
	return true;
}

u64 servtd_binding(u64 service, u64 target, u64 slot, u64 uuid[4])
{
	memcpy(uuid, tdr_at(target)->uuid, sizeof(tdr_at(target)->uuid));
	return (target | slot) + tdr_at(service)->uuid[0];
}

bool module_lock_find(u64 tdr, const char *name, u64 index, u8 level, struct module_lock *l)
{
	struct module *mod = module_self();

	if (!mod)
		return false;
	if (!strcmp(name, "sept"))
		return find_sept(tdr, index, level, l);
	if (!strcmp(name, "PAMT")) {
		enum page_size size = level ? level - 1 : SIZE_4K;

		if (!module_phys(mod, index) || size > SIZE_1G)
			return false;
		*l = (struct module_lock){ &pamt_entry_of(mod, index, size)->lock,
			TDX_LOCK_SHAREX_HP, pamt_lock_name(size) };
		return true;
	}
	if (!strcmp(name, "KOT")) {
		*l = (struct module_lock){ &mod->kot_lock, TDX_LOCK_SHAREX, "KOT" };
		return true;
	}
	if (!strcmp(name, "WBT") && index < mod->packages) {
		*l = (struct module_lock){ &mod->wbt[index].lock, TDX_LOCK_MUTEX, "WBT" };
		return true;
	}
	return tdr && find_in_td(tdr, name, index, l);
}

bool lock_number(const void *l, const char *name, u64 *number)
{
	const struct module *mod = module_self();
	const struct pamt_entry *e = l;
	u64 hpa;

	if (!mod || strcmp(name, "TDVPR"))
		return false;
	hpa = (u64)(e - mod->pamt_4k) << 12;
	if (mem_peek8(&e->pt) != PT_TDVPR)
		return false;
	*number = tdvps_at(hpa)->index;
	return true;
}

u64 module_lock_acquire(const struct module_lock *l, u32 how)
{
	enum lock_side side = how & ACQUIRE_GUEST ? SIDE_GUEST : SIDE_HOST;
	bool ex = how & ACQUIRE_EXCLUSIVE;

	switch (l->kind) {
	case TDX_LOCK_MUTEX:
		return mutex8_acquire(l->p, l->name);
	case TDX_LOCK_SHAREX:
		return ex ? sharex_acquire_ex(l->p, l->name) : sharex_acquire_sh(l->p, l->name);
	case TDX_LOCK_SHAREX_HP:
		return sharex_hp_acquire(l->p, ex ? LOCK_EXCLUSIVE : LOCK_SHARED, side, l->name);
	default:
		return side == SIDE_GUEST ? sept_lock_guest(l->p) : sept_lock_host(l->p);
	}
}

void module_lock_release(const struct module_lock *l, u32 how)
{
	bool ex = how & ACQUIRE_EXCLUSIVE;

	switch (l->kind) {
	case TDX_LOCK_MUTEX:
		mutex8_release(l->p, l->name);
		break;
	case TDX_LOCK_SHAREX:
		if (ex)
			sharex_release_ex(l->p, l->name);
		else
			sharex_release_sh(l->p, l->name);
		break;
	case TDX_LOCK_SHAREX_HP:
		sharex_hp_release(l->p, ex ? LOCK_EXCLUSIVE : LOCK_SHARED, l->name);
		break;
	default:
		sept_unlock(l->p);
		break;
	}
}
