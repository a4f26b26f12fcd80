// SPDX-License-Identifier: GPL-2.0-only
/*
 * The switches, and which module version has which on. A bit of `read` says that the
 * version's own source was read for it; the others are inferred from the versions around it.
 * Source: intel/tdx-module at the commits in the table; docs/model.md says what is assumed.
 */
#include "tdxmod/versions.h"

#include <string.h>

static const struct tdx_switch_row switches[TDX_SWITCHES] = {
	[S_TREE_HP - 1] = { "S1",
		"the S-EPT tree lock is of the host-priority kind; its takers all count as hosts",
		"all flows that take SEPT_TREE", "helpers.c" },
	[S_FILTER_SHARED - 1] = { "S2",
		"the zero-step filter takes the S-EPT tree shared, not exclusive",
		"TDH.VP.ENTER", "td_exit_stepping.c, tdh_vp_enter.c" },
	[S_PENDING_NO_FAULT - 1] = { "S3",
		"a PENDING page that the guest could accept after a #VE is no expected fault",
		"TDH.VP.ENTER", "td_exit_stepping.c" },
	[S_PROMOTE_TREE_EX - 1] = { "S4",
		"takes the S-EPT tree exclusive, and no locks of the 512 children",
		"TDH.MEM.PAGE.PROMOTE", "tdh_mem_page_promote.c" },
	[S_ENTRY_CAS - 1] = { "S5",
		"L1 entries are written by a CAS that keeps TDHP, not by a store that drops it",
		"AUG, REMOVE, BLOCK, UNBLOCK, SEPT.ADD, SEPT.REMOVE, DEMOTE, PROMOTE, RELOCATE, "
		"ACCEPT, ATTR.WR",
		"sept_manager.c" },
	[S_ACCEPT_LEAF_LATE - 1] = { "S6",
		"asks \"is it a leaf?\" of the locked entry, not of the walk's copy before the lock",
		"TDG.MEM.PAGE.ACCEPT", "tdg_mem_page_accept.c" },
	[S_UNBLOCK_RCX - 1] = { "S7",
		"TLB_TRACKING_NOT_DONE carries operand RCX, not SEPT_TREE",
		"TDH.MEM.RANGE.UNBLOCK", "tdh_mem_range_unblock.c" },
	[S_REMOVED_CHILDREN - 1] = { "S8",
		"children may be REMOVED, not FREE alone",
		"TDH.MEM.SEPT.REMOVE", "tdh_mem_sept_remove.c" },
	[S_DEMOTE_NO_INTR - 1] = { "S9",
		"no INTERRUPTED_RESTARTABLE for a TD without L2 VMs",
		"TDH.MEM.PAGE.DEMOTE", "tdh_mem_page_demote.c" },
	[S_VP_INIT_TDR_EX - 1] = { "S10",
		"version 1 (x2APIC id) takes the TDR exclusive, not shared",
		"TDH.VP.INIT", "tdh_vp_init.c" },
	[S_DPAMT - 1] = { "S11",
		"dynamic PAMT: 4K metadata in page pairs that the VMM adds and removes, 2M by 2M",
		"TDH.PHYMEM.PAMT.ADD, PAMT.REMOVE, PAGE.RECLAIM, DEMOTE, PROMOTE, each user of a 4K page",
		"pamt_manager.c, tdh_phymem_pamt_add.c, tdh_phymem_pamt_remove.c" },
	[S_IOTLB - 1] = { "S12",
		"TDX Connect: TRACK waits for the IOTLB of the epoch before, and what needs TLB "
		"tracking needs that of the IOTLB too",
		"TRACK, REMOVE, DEMOTE, PROMOTE, UNBLOCK, SEPT.REMOVE",
		"tdh_mem_track.c, tdh_mem_page_remove.c, tdh_mem_page_demote.c" },
	[S_SERVTD_TDR_HP - 1] = { "S10b",
		"a host's priority on the target's TDR goes to the guest as busy, not to the VMM as a "
		"cross-TD trap", "TDG.SERVTD.RD, TDG.SERVTD.WR", "tdg_servtd_rd_wr.c" },
};

#define ALL		(SWITCH(TDX_SWITCHES + 1) - 1)
#define NEWEST_15	(SWITCH(S_TREE_HP) | SWITCH(S_FILTER_SHARED) | SWITCH(S_PENDING_NO_FAULT) | \
			 SWITCH(S_PROMOTE_TREE_EX) | SWITCH(S_ENTRY_CAS) |			\
			 SWITCH(S_ACCEPT_LEAF_LATE) | SWITCH(S_UNBLOCK_RCX) |			\
			 SWITCH(S_REMOVED_CHILDREN) | SWITCH(S_DEMOTE_NO_INTR) |		\
			 SWITCH(S_VP_INIT_TDR_EX) | SWITCH(S_SERVTD_TDR_HP))

static const struct tdx_version versions[] = {
	{ "1.5.01", .on = 0, .read = ALL, .commit = "72d8cff",
	  .basis = "read in full; the recorded vectors are its" },
	{ "1.5.05", .on = SWITCH(S_VP_INIT_TDR_EX), .read = SWITCH(S_VP_INIT_TDR_EX),
	  .commit = "e98d963",
	  .basis = "VP.INIT read; all else as 1.5.01" },
	{ "1.5.28",
	  .on = SWITCH(S_TREE_HP) | SWITCH(S_ENTRY_CAS) | SWITCH(S_DEMOTE_NO_INTR) |
		SWITCH(S_VP_INIT_TDR_EX),
	  .read = SWITCH(S_TREE_HP) | SWITCH(S_ENTRY_CAS) | SWITCH(S_DEMOTE_NO_INTR),
	  .options = SWITCH(S_DPAMT), .commit = "30d2218",
	  .basis = "helpers.c, AUG and DEMOTE read; S2-S4 and S6-S8 not known to be there" },
	{ "1.5.34", .on = NEWEST_15,
	  .read = SWITCH(S_TREE_HP) | SWITCH(S_FILTER_SHARED) | SWITCH(S_PROMOTE_TREE_EX) |
		  SWITCH(S_ENTRY_CAS) | SWITCH(S_UNBLOCK_RCX) | SWITCH(S_REMOVED_CHILDREN) |
		  SWITCH(S_DEMOTE_NO_INTR),
	  .options = SWITCH(S_DPAMT), .commit = "9fd3c8b",
	  .basis = "most flows read; S3 from 2.0.12, S6 from 2.0.18, S10b from 2.0.08" },
	{ "2.0.08", .on = SWITCH(S_VP_INIT_TDR_EX) | SWITCH(S_IOTLB) | SWITCH(S_SERVTD_TDR_HP),
	  .read = SWITCH(S_TREE_HP) | SWITCH(S_PROMOTE_TREE_EX) | SWITCH(S_ENTRY_CAS) |
		  SWITCH(S_VP_INIT_TDR_EX) | SWITCH(S_IOTLB) | SWITCH(S_SERVTD_TDR_HP),
	  .options = SWITCH(S_DPAMT), .commit = "1666adc",
	  .basis = "helpers.c, PROMOTE, TRACK, VP.INIT, SERVTD.RD read; of S12 TRACK alone" },
	{ "2.0.18", .on = NEWEST_15 | SWITCH(S_IOTLB),
	  .read = SWITCH(S_TREE_HP) | SWITCH(S_ENTRY_CAS) | SWITCH(S_ACCEPT_LEAF_LATE) |
		  SWITCH(S_DEMOTE_NO_INTR) | SWITCH(S_IOTLB),
	  .options = SWITCH(S_DPAMT), .commit = "e69a439",
	  .basis = "most flows read; S3 from 2.0.12, S2, S4, S7 and S8 from 1.5.34; of S12 REMOVE "
		   "and DEMOTE" },
};

const struct tdx_version *tdx_version_table(u32 *n)
{
	*n = ARRAY_SIZE(versions);
	return versions;
}

/* "S5" of "S5+S12": its number, and *@end behind it; 0: no such switch, or an option */
static u32 switch_of(const char *word, const char **end)
{
	size_t n = strcspn(word, "+-");

	*end = word + n;
	for (u32 i = 1; i <= TDX_SWITCHES; i++) {
		const char *name = switches[i - 1].name;

		if (strlen(name) == n && !strncmp(name, word, n))
			return i == S_DPAMT ? 0 : i;
	}
	return 0;
}

bool tdx_version_find(const char *name, struct tdx_version *v)
{
	size_t n = strcspn(name, "+-");
	const char *at = name + n;
	u32 i = 0;

	while (i < ARRAY_SIZE(versions) && (strlen(versions[i].name) != n ||
					    strncmp(versions[i].name, name, n)))
		i++;
	if (i == ARRAY_SIZE(versions))
		return false;
	*v = versions[i];
	while (*at) {
		bool on = *at == '+';
		u32 s = switch_of(at + 1, &at);

		if (!s)
			return false;
		v->on = on ? v->on | SWITCH(s) : v->on & ~SWITCH(s);
	}
	v->name = name;
	return true;
}

const struct tdx_switch_row *tdx_switch_table(void)
{
	return switches;
}
