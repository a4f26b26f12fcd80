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
#include "sim/engine/ept.h"
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
	struct tlb *t = lp_tlb(lp);
	u64 table;

	if (psc_find(t, lp->vp->tdr, gpa, lp->tdcs->pwl, level, &table)) {
		if (table_is_true(lp, gpa, *level, table))
			return table;
		stale(lp, gpa, table, "S-EPT page");
		psc_drop(t, lp->vp->tdr, gpa, *level);
	}
	*level = lp->tdcs->pwl;
	return lp->tdcs->eptp;
}

/* Accessed and dirty bits are off in a TD: TD_PARAMS.EPTP_CONTROLS (helpers.c:1460) */
static bool access_private(struct lp_ctx *lp, u64 gpa, u64 how, u64 *rwx)
{
	struct ept ept = { lp->vp->tdr, lp->tdcs->eptp, lp->tdcs->pwl, false };
	struct tlb *t = lp_tlb(lp);
	const struct tlb_entry *e = tlb_find(t, ept.tag, gpa >> 12);
	enum ept_result res;
	struct ept_walk w;
	u64 hpa, table;
	u8 level;

	if (!e) {
		table = start_of_walk(lp, gpa, &level);
		res = ept_walk(t, &ept, gpa, how, table, level, &w);
		if (res == EPT_MISCONFIG)
			module_fatal("sept", "an S-EPT entry is misconfigured");
		if (res != EPT_OK)
			tlb_violated(t, ept.tag, gpa);
		*rwx = w.rwx;
		return res == EPT_OK;
	}
	hpa = tlb_hpa(e, gpa >> 12);
	if (is_true(lp, gpa, hpa))
		return true;
	stale(lp, gpa, hpa, "translation");
	tlb_drop(t, e);		/* tolerated: what follows is not about the same one */
	return true;
}

/* The tables are the VMM's, the rest of the context is the private one's (SDM 29.3.1) */
static enum ept_result access_shared(struct lp_ctx *lp, u64 gpa, u64 how, struct ept_walk *w)
{
	struct ept ept = { lp->vp->tdr, lp->vp->shared_eptp, lp->tdcs->pwl, false };

	return ept_access(lp_tlb(lp), &ept, gpa, how, w);
}

/*
 * The VMCS asks for #VE: where the entry does not suppress it and VE_INFO is free, a
 * violation is no exit at all (SDM 26.5.7). Entries of the S-EPT all suppress it.
 */
static bool violation_is_ve(struct lp_ctx *lp, u64 gpa, u64 qualification, u64 entry)
{
	if (entry & EPT_SUPPRESS_VE || lp->vp->ve.valid)
		return false;
	inject_ve(lp->vp, EXIT_REASON_EPT_VIOLATION, qualification, gpa);
	return true;
}

bool guest_access(struct lp_ctx *lp, u64 gpa, bool shared, enum guest_access how, bool *exited,
		  struct tdx_regs *r)
{
	static const u64 quals[] = {
		[GUEST_READ] = QUAL_READ, [GUEST_WRITE] = QUAL_WRITE, [GUEST_EXEC] = QUAL_EXEC,
	};
	struct ept_walk w = { 0 };
	enum ept_result res;

	if (!shared) {
		if (access_private(lp, gpa, quals[how], &w.rwx))
			return true;
	} else {
		gpa |= gpa_shared_bit(lp->tdcs);
		res = access_shared(lp, gpa, quals[how], &w);
		if (res == EPT_OK)
			return true;
		if (res == EPT_MISCONFIG) {
			*exited = vmexit_ept_misconfig(lp, gpa, r);
			return false;
		}
		if (violation_is_ve(lp, gpa, quals[how] | w.rwx << 3, w.entry))
			return false;
	}
	*exited = vmexit_ept_violation(lp, gpa, quals[how] | w.rwx << 3, r);
	return false;
}
