/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The module's global data: PAMT, key ownership, what each LP remembers, the TDs that
 * exist (for checks and reports only: the module itself finds a TD by its TDR's hpa).
 * One a sim, in the world, as layer object LAYER_MODULE.
 * Source: TDX_1.5.01, src/common/data_structures/tdx_global_data.h, tdx_local_data.h.
 */
#include "sim/engine/arena.h"
#include "sim/engine/sim.h"
#include "tdxmod/lock.h"
#include "tdxmod/versions.h"

struct lp_ctx;
struct pamt_entry;
struct injection;

enum {
	TDS_MAX = 32,		/* TDs that are told apart by name, at a time */
	VCPUS_MAX = 1024,	/* vCPUs a TD */
	HKIDS_MAX = 64,
	PACKAGES_MAX = 16,
	HP_WATCHES = 16,
};

#define MODULE_HKID	32u		/* the module's own; TDs get the next ones */
/*
 * The HKID field of a physical address, six bits, begins above what memory needs: at bit 40, or
 * in a machine of more than 1 TiB at bit 46.
 */
#define HKID_SHIFT	(world_phys_size() > BIT_ULL(40) ? 46u : 40u)
#define HKID_MASK	(63ull << HKID_SHIFT)
#define PA_LIMIT	BIT_ULL(52)
#define SEAMRR_BASE	0x60000000ull
#define SEAMRR_SIZE	0x01000000ull
#define NULL_PA		(~0ull)
#define TSC_SECOND	3000000000ull	/* of the reference clock */

enum kot_state { HKID_FREE, HKID_ASSIGNED, HKID_FLUSHED, HKID_RESERVED /* the module's own */ };

struct kot_entry {
	u8 state;		/* enum kot_state */
	u64 wbinvd_bitmap;	/* packages whose cache is still to be written back */
};

struct wbt_entry {		/* write-back of a package's caches */
	u8 lock;		/* mutex */
	u8 hkid_flushed[HKIDS_MAX];	/* keys that this write-back is for */
	u64 intr_point;		/* sub-block to go on with; 0: nothing was interrupted */
} __attribute__((aligned(64)));

struct td_info {		/* for checks and reports: td_info.c */
	const char *name;
	u64 tdr;		/* 0: none ever; a TD has ended when the PAMT says so */
	u64 *tdvpr;		/* [VCPUS_MAX]; by number, 0: none */
	bool reserved;		/* named for a TD that is still to come */
};

struct module {
	u32 switches;		/* SWITCH() of versions.h */
	const char *version;
	u64 hp_lock_timeout;	/* cycles */
	u64 tdmr_end;		/* one TDMR, from hpa 0 */
	u16 cached_sub_blocks;
	u16 private_hkids;
	u16 lps, packages;

	struct pamt_entry *pamt_1g, *pamt_2m, *pamt_4k;
	u64 *pamt_bitmap;	/* S11: a bit a page, set while it is one of a pair; else NULL */
	struct lp_ctx *lp;	/* [lps] */

	u16 kot_lock __attribute__((aligned(64)));
	struct kot_entry kot[HKIDS_MAX];
	struct wbt_entry wbt[PACKAGES_MAX];
	u8 ket[PACKAGES_MAX];	/* key programming is in progress: of the hardware */

	/* Locks on which a host was refused and no host has got in since: observe hp-lost */
	void *hp_watch[HP_WATCHES] __attribute__((aligned(64)));

	struct injection *injections;	/* inject.c */
	const struct user_leaves *user_leaves;	/* user_leaf.h; NULL: none */
	u64 tds_made;
	struct td_info td[TDS_MAX];
};

/* module_of - NULL when this sim has no module */
static inline struct module *module_of(const struct sim *sim)
{
	return sim_layer(sim, LAYER_MODULE);
}

static inline struct module *module_self(void)
{
	return module_of(sim_current());
}

/* module_phys - @hpa is memory that the simulated machine has */
static inline bool module_phys(const struct module *mod, u64 hpa)
{
	return hpa < mod->tdmr_end;
}

static inline bool module_switch(const struct module *mod, enum tdx_switch_number s)
{
	return mod->switches & SWITCH(s);
}

struct td_info *td_info_of(const struct module *mod, u64 tdr);	/* NULL if none */
const char *td_name_of(const struct module *mod, u64 tdr);	/* NULL if none */
/* td_info_next - TDs in turn, from *@at = 0 on; NULL: no more */
const struct td_info *td_info_next(const struct module *mod, u32 *at);
/* td_peek_tdcs - for who may ask of any @tdr at any time: NULL if it has no TDCS (now) */
const struct tdcs *td_peek_tdcs(u64 tdr);

/*
 * What becomes part of a TD gets its names, what leaves it loses them. Called with the lock of
 * the page held exclusive, or before the run. No step.
 */
struct tdvps;
void td_appears(struct module *mod, u64 tdr);
void tdcx_appears(struct module *mod, u64 tdr, u32 index);
void root_appears(struct module *mod, u64 tdr);
void vcpu_appears(struct module *mod, struct tdvps *vp, u32 index);
void vcpu_numbered(struct module *mod, const struct tdvps *vp);
void page_disappears(u64 hpa);

/* lock_number - which of the locks called @name is @l; false if there is only one. No step. */
bool lock_number(const void *l, const char *name, u64 *number);

/* What the observations hp-lost needs; called only while somebody listens. No step. */
void hp_watch_host_busy(void *lock);
void hp_watch_got(void *lock, enum lock_side side);
