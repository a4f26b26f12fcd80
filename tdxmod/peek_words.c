// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shared objects of the module by the names that recorded interleavings give them.
 * Rests on docs/conform.md (pause points).
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "tdxmod/module.h"
#include "tdxmod/pamt.h"
#include "tdxmod/peek.h"
#include "tdxmod/td.h"

enum owner { OF_TDR, OF_TDCS, OF_TDVPS, OF_MODULE };

#define FIELD(o, n, type, member) \
	{ o, n, offsetof(struct type, member), sizeof(((struct type *)0)->member), 0, 1 }

static const struct field {
	enum owner of;
	const char *name;
	u32 offset, size, stride, count;
} fields[] = {
	FIELD(OF_TDR, "TDR.FATAL", tdr, fatal),
	FIELD(OF_TDR, "TDR.LIFECYCLE_STATE", tdr, lifecycle),
	FIELD(OF_TDR, "TDR.NUM_TDCX", tdr, num_tdcx),
	FIELD(OF_TDR, "TDR.CHLDCNT", tdr, chldcnt),
	FIELD(OF_TDCS, "TDCS.NUM_VCPUS", tdcs, num_vcpus),
	FIELD(OF_TDCS, "TDCS.NOTIFY_ENABLES", tdcs, notify_enables),
	FIELD(OF_TDCS, "TDCS.PENDING_VE_DISABLE", tdcs, pending_ve_disable),
	FIELD(OF_TDCS, "TDCS.NUM_ASSOC_VCPUS", tdcs, num_assoc_vcpus),
	FIELD(OF_TDCS, "TDCS.OP_STATE", tdcs, op_state),
	FIELD(OF_TDCS, "TDCS.OP_STATE_LOCK", tdcs, op_state_lock),
	FIELD(OF_TDCS, "TDCS.SEPT_TREE_LOCK", tdcs, sept_lock),
	FIELD(OF_TDCS, "TDCS.TD_EPOCH", tdcs, epoch.td_epoch),
	{ OF_TDCS, "TDCS.REFCOUNT", offsetof(struct tdcs, epoch.refcount), 2, 2, 2 },
	FIELD(OF_TDCS, "TDCS.TD_EPOCH_LOCK", tdcs, epoch.lock),
	FIELD(OF_TDVPS, "TDVPS.STATE", tdvps, state),
	FIELD(OF_TDVPS, "TDVPS.LAST_TD_EXIT", tdvps, last_td_exit),
	FIELD(OF_TDVPS, "TDVPS.ASSOC_LPID", tdvps, assoc_lpid),
	FIELD(OF_TDVPS, "TDVPS.VCPU_EPOCH", tdvps, vcpu_epoch),
	FIELD(OF_TDVPS, "TDVPS.POSSIBLY_EPF_STEPPING", tdvps, possibly_epf_stepping),
	FIELD(OF_TDVPS, "TDVPS.HP_LOCK_BUSY", tdvps, hp_lock_busy),
	FIELD(OF_TDVPS, "TDVPS.LAST_EPF_GPA_LIST_IDX", tdvps, last_epf_gpa_list_idx),
	{ OF_TDVPS, "TDVPS.LAST_EPF_GPA_LIST", offsetof(struct tdvps, last_epf_gpa_list), 8, 8,
	  EPF_LIST },
	FIELD(OF_MODULE, "KOT.LOCK", module, kot_lock),
	{ OF_MODULE, "KOT.STATE", offsetof(struct module, kot) + offsetof(struct kot_entry, state),
	  1, sizeof(struct kot_entry), HKIDS_MAX },
	{ OF_MODULE, "KOT.WBINVD_BITMAP",
	  offsetof(struct module, kot) + offsetof(struct kot_entry, wbinvd_bitmap), 8,
	  sizeof(struct kot_entry), HKIDS_MAX },
};

/* The fields of the package's own entry */
static const struct field wbt_fields[] = {
	FIELD(OF_MODULE, "WBT.LOCK", wbt_entry, lock),
	FIELD(OF_MODULE, "WBT.INTR_POINT", wbt_entry, intr_point),
	{ OF_MODULE, "WBT.HKID_FLUSHED", offsetof(struct wbt_entry, hkid_flushed), 1, 1, HKIDS_MAX },
};

static bool field_words(char *base, const struct field *f, struct peek_words *out)
{
	*out = (struct peek_words){ base + f->offset, f->size, f->stride, f->count };
	return true;
}

/* "PAMT_4K[0x1000].LOCK"; the only 1G entry has no number */
static bool pamt_words(const char *name, struct peek_words *out)
{
	const struct module *mod = module_self();
	enum page_size size = name[5] == '4' ? SIZE_4K : name[5] == '2' ? SIZE_2M : SIZE_1G;
	const char *number = strchr(name, '['), *field = strchr(name, '.');
	u64 hpa = number ? strtoull(number + 1, NULL, 0) : 0;
	struct pamt_entry *e;

	if (!field || !module_phys(mod, hpa))
		return false;
	e = pamt_entry_of(mod, hpa, size);
	*out = (struct peek_words){ .count = 1 };
	if (!strcmp(field, ".LOCK")) {
		out->base = (char *)&e->lock;
		out->size = sizeof(e->lock);
	} else if (!strcmp(field, ".PT")) {
		out->base = (char *)&e->pt;
		out->size = sizeof(e->pt);
	} else if (!strcmp(field, ".OWNER")) {
		out->base = (char *)&e->owner;
		out->size = sizeof(e->owner);
	} else if (!strcmp(field, ".BEPOCH")) {
		out->base = (char *)&e->bepoch;
		out->size = sizeof(e->bepoch);
	}
	return out->base;
}

/* "SEPT_ENTRY_L0[3]" */
static bool sept_words(const struct peek_at *at, const char *name, struct peek_words *out)
{
	const struct tdcs *tdcs = td_tdcs(tdr_at(at->tdr));
	u8 level = (u8)(name[12] - '0');
	u64 i = name[13] == '[' ? strtoull(name + 14, NULL, 10) : 512, table = tdcs->eptp;
	struct sept_walk w;

	if (level > tdcs->pwl || i > 511)
		return false;
	if (level < tdcs->pwl) {
		if (!sept_peek_walk(tdcs, at->gpa, level + 1, &w) || w.level != level + 1 ||
		    sept_is_leaf(w.copy) || sept_is_state(w.copy, SEPT_FREE))
			return false;
		table = w.copy & SEPT_HPA;
	}
	if (!module_phys(module_self(), table))
		return false;
	*out = (struct peek_words){ (char *)((u64 *)phys_to_ptr(table) + i), 8, 0, 1 };
	return true;
}

static char *base_of(const struct peek_at *at, enum owner of)
{
	switch (of) {
	case OF_TDR:
		return (char *)tdr_at(at->tdr);
	case OF_TDCS:
		return (char *)td_tdcs(tdr_at(at->tdr));
	case OF_TDVPS:
		return (char *)tdvps_at(at->tdvpr);
	default:
		return (char *)module_self();
	}
}

bool peek_words(const struct peek_at *at, const char *name, struct peek_words *out)
{
	if (!strncmp(name, "PAMT_", 5))
		return pamt_words(name, out);
	if (!strncmp(name, "SEPT_ENTRY_L", 12))
		return sept_words(at, name, out);
	if (!strncmp(name, "NEW_SEPT_PAGE", 13) || !strncmp(name, "PAGE_CONTENT", 12)) {
		/* Filled in one step, its first word's */
		*out = (struct peek_words){ phys_to_ptr(at->page), 8, 0, 1 };
		return module_phys(module_self(), at->page);
	}
	for (u32 i = 0; i < ARRAY_SIZE(fields); i++) {
		if (!strcmp(fields[i].name, name))
			return field_words(base_of(at, fields[i].of), &fields[i], out);
	}
	for (u32 i = 0; i < ARRAY_SIZE(wbt_fields) && at->package < PACKAGES_MAX; i++) {
		if (!strcmp(wbt_fields[i].name, name))
			return field_words((char *)&module_self()->wbt[at->package],
					   &wbt_fields[i], out);
	}
	return false;
}
