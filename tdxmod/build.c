// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module, a TD and its vCPUs put together without a step, as the building SEAMCALLs
 * would leave them: page types and owners in the PAMT, CHLDCNT, the S-EPT root, epoch 1.
 * Rests on the machine model of the golden vectors (docs/model.md).
 */
#include "tdxmod/build.h"

#include <string.h>

#include "sim/engine/arena.h"
#include "sim/engine/check.h"
#include "sim/engine/lp.h"
#include "sim/engine/region.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"
#include "tdxmod/guest.h"
#include "tdxmod/guest_run.h"
#include "tdxmod/module.h"
#include "tdxmod/pamt_dynamic.h"
#include "tdxmod/td.h"
#include "tdxmod/versions.h"

static const struct region_type kot_region = { .name = "KOT" };
static const struct region_type wbt_region = { .name = "WBT", .indexed = true };

static void watch_leaks(void *ctx);

static void name_global_locks(struct module *mod)
{
	region_add(&(struct region){
		.type = &kot_region, .base = &mod->kot_lock, .count = 1, .stride = 2, .size = 2,
	});
	region_add(&(struct region){
		.type = &wbt_region, .base = &mod->wbt[0].lock, .count = PACKAGES_MAX,
		.stride = sizeof(mod->wbt[0]), .size = 1, .step = 1,
	});
}

/* The pair of @hpa's region, if it has none yet: two pages of the VMM's */
static void need_pair(struct module *mod, u64 hpa)
{
	u64 pair[2];

	if (!mod->pamt_bitmap || mem_peek8(&pamt_entry_of(mod, hpa, SIZE_2M)->pt) == PT_PAMT)
		return;
	pair[0] = page_alloc();
	pair[1] = page_alloc();
	pamt_pair_place(mod, hpa, pair);
}

static void start_dynamic(struct module *mod, u8 which)
{
	world_set(mod->switches, mod->switches | SWITCH(S_DPAMT));
	pamt_dynamic_new(mod, mod->tdmr_end);
	for (u64 hpa = 0; which == DPAMT_ALL && hpa < mod->tdmr_end; hpa += level_size(SIZE_2M))
		need_pair(mod, hpa);
}

bool tdx_module_new(struct sim *sim, const struct tdx_module_config *cfg)
{
	const char *name = cfg && cfg->version ? cfg->version : TDX_VERSION_DEFAULT;
	struct tdx_version version;
	struct module *mod;
	u16 last;

	if (!tdx_version_find(name, &version) ||
	    (cfg && cfg->dpamt && !(version.options & SWITCH(S_DPAMT))))
		return false;
	mod = world_alloc(sizeof(*mod));
	sim_set_layer(sim, LAYER_MODULE, mod);
	world_set(mod->switches, version.on);
	world_set(mod->version, version.name);
	world_set(mod->hp_lock_timeout, cfg && cfg->hp_lock_timeout ? cfg->hp_lock_timeout :
		  TSC_SECOND);
	world_set(mod->tdmr_end, world_phys_size());
	world_set(mod->cached_sub_blocks, cfg && cfg->cached_sub_blocks ?
		  cfg->cached_sub_blocks : 4);
	world_set(mod->private_hkids, cfg && cfg->hkids && cfg->hkids <= HKIDS_MAX - MODULE_HKID ?
		  cfg->hkids : HKIDS_MAX - MODULE_HKID);
	world_set(mod->lps, lp_count());
	last = lp_package(lp_count() - 1);
	world_set(mod->packages, last + 1);
	world_set(mod->kot[MODULE_HKID].state, HKID_RESERVED);
	pamt_new(mod, mod->tdmr_end);
	if (cfg && cfg->dpamt)
		start_dynamic(mod, cfg->dpamt);
	lp_ctx_init(mod);
	name_global_locks(mod);
	check_at_end(sim, watch_leaks, NULL);
	return true;
}

/* A page of the TD's: @hpa as given, or from the allocator */
static u64 page_for(struct module *mod, u64 hpa, enum page_type pt, u64 tdr)
{
	struct pamt_entry *e;

	if (hpa)
		page_alloc_at(hpa);
	else
		hpa = page_alloc();
	need_pair(mod, hpa);
	e = pamt_entry_of(mod, hpa, SIZE_4K);
	world_set(e->pt, pt);
	world_set(e->owner, (u32)(tdr >> 12));
	if (mod->pamt_bitmap) {
		e = pamt_entry_of(mod, hpa, SIZE_2M);
		world_set(e->bepoch, e->bepoch + 1);	/* one page more in use */
	}
	return hpa;
}

/* A free private HKID, @wanted or the lowest; 0 if there is none */
static u16 free_key(const struct module *mod, u16 wanted)
{
	u16 hkid = wanted ? wanted : MODULE_HKID + 1, end = MODULE_HKID + mod->private_hkids;

	while (!wanted && hkid < end && mem_peek8(&mod->kot[hkid].state) != HKID_FREE)
		hkid++;
	if (hkid <= MODULE_HKID || hkid >= end || mem_peek8(&mod->kot[hkid].state) != HKID_FREE)
		return 0;
	return hkid;
}

static void fill_tdcs(const struct module *mod, struct tdcs *tdcs, const struct td_build *b,
		      u64 root)
{
	world_set(tdcs->op_state, b->op_state);
	world_set(tdcs->gpaw, b->levels == 5);
	world_set(tdcs->pwl, b->levels == 5 ? LVL_PML5 : LVL_PML4);
	world_set(tdcs->pending_ve_disable, b->pending_ve_disable);
	world_set(tdcs->notify_enables, b->notify);
	world_set(tdcs->eptp, root);
	world_set(tdcs->hp_lock_timeout, mod->hp_lock_timeout);
	world_set(tdcs->epoch.td_epoch, 1);
	if (b->iommus && module_switch(mod, S_IOTLB)) {
		world_set(tdcs->iotlb.curr, b->iommus);
		world_set(tdcs->iotlb.inv_epochs, ~0ull);	/* all in epoch 1 */
	}
	world_set(tdcs->attributes, (b->pending_ve_disable ? ATTRIBUTES_SEPT_VE_DISABLE : 0) |
		  (b->debug ? ATTRIBUTES_DEBUG : 0));
	world_set(tdcs->xfam, XFAM_FIXED1);
	world_set(tdcs->config_flags, b->config_flags | (b->levels == 5 ? CONFIG_FLAGS_GPAW : 0));
	world_set(tdcs->max_vcpus, b->max_vcpus ? b->max_vcpus : VCPUS_MAX);
	world_set(tdcs->topology_enum, module_switch(mod, S_VP_INIT_TDR_EX));
	world_set(tdcs->tsc_frequency, (u16)(TSC_SECOND / TSC_FREQUENCY_UNIT));
	world_set(tdcs->tsc_multiplier, tsc_multiplier(tdcs->tsc_frequency));
}

static void fill_root(u64 root)
{
	u64 *entry = phys_to_ptr(root);

	for (u32 i = 0; i < 512; i++)
		world_set(entry[i], SEPT_FREE_INIT);
}

u64 td_build(struct sim *sim, const struct td_build *b)
{
	struct module *mod = module_of(sim);
	u16 hkid = free_key(mod, b->hkid);
	struct tdcs *tdcs;
	struct tdr *tdr;
	u64 hpa;

	if (!hkid)
		return 0;
	hpa = page_for(mod, b->tdr, PT_TDR, 0);
	tdr = tdr_at(hpa);
	for (u32 i = 0; i < TDCX_PAGES; i++) {
		u64 page = page_for(mod, b->tdcx[i], PT_TDCX, hpa);

		world_set(tdr->tdcx_pa[i], page);
		world_set(*(u64 *)phys_to_ptr(page), tdcx_fill(i));
	}
	world_set(tdr->pkg_config_bitmap, BIT_ULL(mod->packages) - 1);
	world_set(tdr->lifecycle, TD_KEYS_CONFIGURED);
	world_set(tdr->num_tdcx, TDCX_PAGES);
	world_set(tdr->chldcnt, TDCX_PAGES);
	world_set(tdr->hkid, hkid);
	world_set(mod->kot[hkid].state, HKID_ASSIGNED);
	td_set_uuid(mod, tdr);
	tdcs = td_tdcs(tdr);
	fill_tdcs(mod, tdcs, b, tdr->tdcx_pa[TDCX_SEPT_ROOT]);
	fill_root(tdcs->eptp);
	if (b->name)
		tdx_td_name(hpa, b->name);
	td_appears(mod, hpa);
	tdcx_appears(mod, hpa, 0);
	root_appears(mod, hpa);
	return hpa;
}

u64 vcpu_build(u64 tdr_hpa, u64 tdvpr)
{
	struct module *mod = module_self();
	struct tdr *tdr = tdr_at(tdr_hpa);
	struct tdcs *tdcs = td_tdcs(tdr);
	u32 index = tdcs->num_vcpus;	/* raw: before the run */
	u64 hpa = page_for(mod, tdvpr, PT_TDVPR, tdr_hpa);
	struct tdvps *vp = tdvps_at(hpa);

	world_set(vp->tdvps_pa[0], hpa);
	for (u32 i = 1; i < TDVPS_PAGES; i++) {
		u64 page = page_for(mod, tdvpr ? tdvpr + i * PAGE_SIZE : 0, PT_TDCX, tdr_hpa);

		world_set(vp->tdvps_pa[i], page);
	}
	world_set(tdr->chldcnt, tdr->chldcnt + TDVPS_PAGES);
	world_set(tdcs->num_vcpus, index + 1);
	world_set(vp->state, VCPU_READY);
	world_set(vp->assoc_lpid, VCPU_NO_LP);
	world_set(vp->tdvpr, hpa);
	world_set(vp->tdr, tdr_hpa);
	world_set(vp->num_pages, TDVPS_PAGES);
	world_set(vp->guest.rip, GUEST_RIP);
	vmcs_init(vp, tdr);
	world_set(vp->xfam, tdcs->xfam);
	vcpu_appears(mod, vp, index);
	vcpu_numbered(mod, vp);
	world_set(tdcs->topology_enum, false);
	return hpa;
}

void vcpu_build_vmcs(u64 tdvpr, u16 pi_vector, u64 pi_descriptor, u32 pin_based)
{
	struct tdvps *vp = tdvps_at(tdvpr);

	world_set(vp->vmcs.pi_vector, pi_vector);
	world_set(vp->vmcs.pi_descriptor, pi_descriptor);
	world_set(vp->vmcs.pin_based, vp->vmcs.pin_based | pin_based);
}

void td_build_pages(u64 tdr, u64 tdcx[TDCX_PAGES])
{
	memcpy(tdcx, tdr_at(tdr)->tdcx_pa, TDCX_PAGES * sizeof(u64));
}

void vcpu_build_pages(u64 tdvpr, u64 tdcx[TDVPS_PAGES - 1])
{
	memcpy(tdcx, &tdvps_at(tdvpr)->tdvps_pa[1], (TDVPS_PAGES - 1) * sizeof(u64));
}

void vcpu_set_shared_ept(u64 tdvpr, u64 root)
{
	world_set(tdvps_at(tdvpr)->shared_eptp, root);
}

void vcpu_set_guest(u64 tdvpr, const struct guest_program *p)
{
	struct tdvps *vp = tdvps_at(tdvpr);
	struct guest_state g = { .program = p, .rip = GUEST_RIP };

	if (p && p->n)
		g.loops = world_alloc(p->n * sizeof(u64));
	world_store(&vp->guest, &g, sizeof(g));
	world_set(vp->ve.valid, 0);	/* a #VE of the program before has been handled, too */
}

/* hp_watch: a lock on which a host was refused, until some host gets it */

void hp_watch_host_busy(void *lock)
{
	struct module *mod = module_self();
	u32 free = HP_WATCHES;

	if (!mod)
		return;
	for (u32 i = 0; i < HP_WATCHES; i++) {
		if (mod->hp_watch[i] == lock)
			return;
		if (!mod->hp_watch[i] && free == HP_WATCHES)
			free = i;
	}
	if (free < HP_WATCHES)
		world_set(mod->hp_watch[free], lock);
}

void hp_watch_got(void *lock, enum lock_side side)
{
	struct module *mod = module_self();
	const struct region *r;

	for (u32 i = 0; mod && i < HP_WATCHES; i++) {
		if (mod->hp_watch[i] != lock)
			continue;
		if (side == SIDE_HOST) {
			world_set(mod->hp_watch[i], NULL);
			return;
		}
		r = region_at(lock);
		trace_observe("hp-lost", r ? region_index(r, lock) : 0);
	}
}

/* At the end of a run nobody tries any more: HOST_PRIORITY still set has leaked */
static void watch_leaks(void *ctx)
{
	struct module *mod = module_self();

	for (u32 i = 0; i < HP_WATCHES; i++) {
		const struct region *r = mod->hp_watch[i] ? region_at(mod->hp_watch[i]) : NULL;

		if (r && (region_raw(r, mod->hp_watch[i]) & (r->size == 8 && r->level &&
							     r->stride == 8 ?
							     SEPT_TDHP : SHAREX_HP_HP)))
			trace_observe("hp-leaked", region_index(r, mod->hp_watch[i]));
	}
}
