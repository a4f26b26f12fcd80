// SPDX-License-Identifier: GPL-2.0-only
/*
 * Translations in use. What is in the TLB is used, right or wrong: each use is compared
 * with what the S-EPT and the PAMT say then, and a wrong one is the violation stale-tlb.
 * The contents of pages do not exist.
 * Source: SDM 28.3.2, 28.4.3.1; docs/model.md (T3, T4).
 */
#include "tdxmod/guest_mem.h"

#include <stdio.h>

#include "sim/engine/check.h"
#include "tdxmod/guest_run.h"
#include "tdxmod/module.h"

/* The page at @hpa is the TD's, and its S-EPT says so of @gpa, be it blocked or not */
static bool is_true(struct lp_ctx *lp, u64 gpa, u64 hpa)
{
	const struct module *mod = module_self();
	struct sept_walk w;

	if (!module_phys(mod, hpa) || !sept_peek_walk(lp->tdcs, gpa, LVL_PT, &w))
		return false;
	return sept_is_leaf(w.copy) && sept_leaf_hpa(w.copy, gpa, w.level) == hpa;
}

static void stale(struct lp_ctx *lp, u64 gpa, u64 hpa, const char *what)
{
	char where[32];

	snprintf(where, sizeof(where), "0x%llx", (unsigned long long)(gpa >> 12));
	check_fail("stale-tlb", where,
		   "vCPU %u on LP %u uses a cached %s of gfn 0x%llx to 0x%llx, which the TD no "
		   "longer has there", lp->vp->index, lp->lp, what,
		   (unsigned long long)(gpa >> 12), (unsigned long long)hpa);
}

/* The S-EPT page at @table still translates @gpa at @level */
static bool table_is_true(struct lp_ctx *lp, u64 gpa, u8 level, u64 table)
{
	struct sept_walk w;

	if (level == lp->tdcs->pwl)
		return table == lp->tdcs->eptp;
	return sept_peek_walk(lp->tdcs, gpa, level + 1, &w) && w.level == level + 1 &&
	       !sept_is_leaf(w.copy) && sept_is(w.copy, SEPT_NEEDS_TRACKING) &&
	       (w.copy & SEPT_HPA) == table;
}

/* Where the walk begins: at the lowest cached table */
static u64 start_of_walk(struct lp_ctx *lp, u64 gpa, u8 *level)
{
	u64 table;

	if (psc_find(lp, lp->vp->tdr, gpa, lp->tdcs->pwl, level, &table)) {
		if (table_is_true(lp, gpa, *level, table))
			return table;
		stale(lp, gpa, table, "S-EPT page");
		psc_drop(lp, lp->vp->tdr, gpa, *level);
	}
	*level = lp->tdcs->pwl;
	return lp->tdcs->eptp;
}

/* The hardware's walk. True: @gpa has been used, and is in the TLB now */
static bool walk(struct lp_ctx *lp, u64 gpa, u64 *rwx)
{
	u64 tdr = lp->vp->tdr, table, entry;
	u8 level;

	table = start_of_walk(lp, gpa, &level);
	*rwx = SEPT_RWX;
	for (;;) {
		u64 *p = (u64 *)phys_to_ptr(table) + sept_index(gpa, level);

		entry = mem_read64(p);
		*rwx &= entry;
		if ((entry & SEPT_RWX) != SEPT_RWX)
			return false;
		if (!level || sept_is_leaf(entry))
			break;
		table = entry & SEPT_HPA;
		if (!module_phys(module_self(), table)) {
			module_fatal("sept", "an S-EPT entry points outside of memory");
			return false;
		}
		level--;
		psc_fill(lp, tdr, gpa, level, table);
	}
	/* No step between the read of the leaf and its use */
	tlb_fill(lp, tdr, gpa >> 12, level, entry & SEPT_HPA);
	return true;
}

static bool access_private(struct lp_ctx *lp, u64 gpa, u64 *rwx)
{
	const struct tlb_entry *e = tlb_find(lp, lp->vp->tdr, gpa >> 12);
	u64 hpa;

	if (!e)
		return walk(lp, gpa, rwx);
	hpa = tlb_hpa(e, gpa >> 12);
	if (is_true(lp, gpa, hpa))
		return true;
	stale(lp, gpa, hpa, "translation");
	tlb_drop(lp, e);		/* tolerated: what follows is not about the same one */
	return true;
}

/*
 * The VMM's tables for shared GPAs are not walked (T11): a violation, and the VMM that
 * enters again has mapped it.
 */
static bool access_shared(struct lp_ctx *lp, u64 gpa)
{
	struct tdvps *vp = lp->vp;
	bool asked = vp->guest.shared_gpa == (gpa | 1);

	world_set(vp->guest.shared_gpa, asked ? 0 : gpa | 1);
	return asked;
}

bool guest_access(struct lp_ctx *lp, u64 gpa, bool shared, enum guest_access how, bool *exited,
		  struct tdx_regs *r)
{
	static const u64 quals[] = {
		[GUEST_READ] = QUAL_READ, [GUEST_WRITE] = QUAL_WRITE, [GUEST_EXEC] = QUAL_EXEC,
	};
	u64 rwx = 0, bit = shared ? gpa_shared_bit(lp->tdcs) : 0;
	bool ok;

	ok = shared ? access_shared(lp, gpa | bit) : access_private(lp, gpa, &rwx);
	if (ok)
		return true;
	*exited = vmexit_ept_violation(lp, gpa | bit, quals[how] | rwx << 3, r);
	return false;
}
