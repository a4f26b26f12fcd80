// SPDX-License-Identifier: GPL-2.0-only
/*
 * The TDs that there are, by name: what events, checks and reports call them, and the names
 * of their fields from the SEAMCALL that makes a page a TD's to the one that takes it back.
 * The module itself finds a TD by its TDR's hpa; nothing here is a step.
 */
#include "sim/engine/arena.h"
#include "sim/engine/mem.h"
#include "sim/engine/region.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"
#include "tdxmod/build.h"
#include "tdxmod/module.h"
#include "tdxmod/pamt.h"
#include "tdxmod/td.h"

static bool is_tdr(const struct module *mod, u64 hpa)
{
	return hpa && mem_peek8(&pamt_entry_of(mod, hpa, SIZE_4K)->pt) == PT_TDR;
}

struct td_info *td_info_of(const struct module *mod, u64 tdr)
{
	for (u32 i = 0; tdr && i < TDS_MAX && mod->td[i].tdr; i++) {
		if (mod->td[i].tdr == tdr)
			return (struct td_info *)&mod->td[i];
	}
	return NULL;
}

const char *td_name_of(const struct module *mod, u64 tdr)
{
	const struct td_info *info = td_info_of(mod, tdr);

	return info ? info->name : NULL;
}

static const char *const default_names[TDS_MAX] = {
	"TD", "TD2", "TD3", "TD4", "TD5", "TD6", "TD7", "TD8", "TD9", "TD10", "TD11", "TD12",
	"TD13", "TD14", "TD15", "TD16", "TD17", "TD18", "TD19", "TD20", "TD21", "TD22", "TD23",
	"TD24", "TD25", "TD26", "TD27", "TD28", "TD29", "TD30", "TD31", "TD32",
};

/* The slot of @tdr, or one that nobody needs any more; NULL: more TDs than are told apart */
static struct td_info *slot_for(struct module *mod, u64 tdr)
{
	struct td_info *info = td_info_of(mod, tdr);

	for (u32 i = 0; !info && i < TDS_MAX; i++) {
		if (!is_tdr(mod, mod->td[i].tdr) && !mod->td[i].reserved)
			info = &mod->td[i];
	}
	return info;
}

void tdx_td_name(u64 tdr, const char *name)
{
	struct td_info *info = slot_for(module_self(), tdr);

	if (!info)
		return;
	world_set(info->tdr, tdr);
	world_set(info->name, trace_intern(sim_current(), name));
	world_set(info->reserved, true);
}

void td_appears(struct module *mod, u64 tdr)
{
	struct td_info *info = slot_for(mod, tdr);

	tdr_regions(info ? info->name : NULL, tdr_at(tdr));
	if (!info)
		return;
	if (!info->reserved)
		world_set(info->name, default_names[info - mod->td]);
	world_set(info->reserved, false);
	world_set(info->tdr, tdr);
	if (!info->tdvpr)
		world_set(info->tdvpr, world_alloc(VCPUS_MAX * sizeof(u64)));
	world_fill(info->tdvpr, 0, VCPUS_MAX * sizeof(u64));
}

void tdcx_appears(struct module *mod, u64 tdr, u32 index)
{
	if (!index)
		tdcs_regions(td_name_of(mod, tdr), td_tdcs(tdr_at(tdr)));
}

void root_appears(struct module *mod, u64 tdr)
{
	const struct tdcs *tdcs = td_tdcs(tdr_at(tdr));

	page_disappears(tdcs->eptp);
	sept_page_regions(tdcs->eptp, td_name_of(mod, tdr), 0, tdcs->pwl);
}

/* Until TDH.VP.INIT numbers it, a vCPU has the number of those that the TD has already */
void vcpu_appears(struct module *mod, struct tdvps *vp, u32 index)
{
	struct td_info *info = td_info_of(mod, vp->tdr);

	page_disappears(vp->tdvpr);
	world_set(vp->index, index);
	vcpu_regions(info ? info->name : NULL, vp);
}

void vcpu_numbered(struct module *mod, const struct tdvps *vp)
{
	struct td_info *info = td_info_of(mod, vp->tdr);

	if (info && vp->index < VCPUS_MAX)
		world_set(info->tdvpr[vp->index], vp->tdvpr);
}

void page_disappears(u64 hpa)
{
	region_remove_page(phys_to_ptr(hpa));
}

const struct td_info *td_info_next(const struct module *mod, u32 *at)
{
	while (*at < TDS_MAX) {
		const struct td_info *info = &mod->td[(*at)++];

		if (is_tdr(mod, info->tdr))
			return info;
	}
	return NULL;
}

/* A TDR in teardown may point at pages that are somebody else's by now: their contents are no TDCS */
const struct tdcs *td_peek_tdcs(u64 tdr)
{
	const struct module *mod = module_self();
	const struct tdcs *tdcs;

	if (!is_tdr(mod, tdr) || !mem_peek8(&tdr_at(tdr)->num_tdcx))
		return NULL;
	tdcs = td_tdcs(tdr_at(tdr));
	return mem_peek8(&pamt_entry_of(mod, ptr_to_phys(tdcs), SIZE_4K)->pt) == PT_TDCX ? tdcs : NULL;
}
