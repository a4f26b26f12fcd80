// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which module version has which switch on. Bits are S1..S12 of docs/model.md:
 *  S1 S-EPT tree lock with host priority	S7 UNBLOCK's not-tracked operand is RCX
 *  S2 VP.ENTER's filter read-locks the tree	S8 SEPT.REMOVE takes REMOVED children
 *  S3 acceptable PENDING is no expected fault	S9 DEMOTE without interrupt point
 *  S4 PROMOTE under tree exclusive		S10 VP.INIT v1 with TDR exclusive
 *  S5 L1 entry writes by CAS, keeping TDHP	S11 dynamic PAMT (an option, off)
 *  S6 ACCEPT's leaf check after the lock	S12 IOTLB tracking (2.0)
 * S4 and S9..S12 belong to flows that are not modelled yet and change nothing so far.
 * Source: intel/tdx-module at the commits named in docs/model.md.
 */
#include "tdxmod/versions.h"

#include <string.h>

#include "tdxmod/module.h"

#define S(n)	(1u << ((n) - 1))

static const struct tdx_version versions[] = {
	{ "1.5.01", 0, "source read in full; the golden vectors are its" },
	{ "1.5.05", S(10), "VP.INIT read; the rest taken as 1.5.01" },
	{ "1.5.28", S(1) | S(5) | S(9) | S(10),
	  "helpers.c, AUG and DEMOTE read; S2-S4 and S6-S8 not known to be there" },
	{ "1.5.34", S(1) | S(2) | S(3) | S(4) | S(5) | S(6) | S(7) | S(8) | S(9) | S(10),
	  "most flows read; S3 and S6 inferred from 2.0.12 and 2.0.18" },
	{ "2.0.18", S(1) | S(2) | S(3) | S(4) | S(5) | S(6) | S(7) | S(8) | S(9) | S(10) | S(12),
	  "most flows read; S3 from 2.0.12" },
};

const struct tdx_version *tdx_version_table(u32 *n)
{
	*n = ARRAY_SIZE(versions);
	return versions;
}

const struct tdx_version *tdx_version_find(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(versions); i++) {
		if (!strcmp(versions[i].name, name))
			return &versions[i];
	}
	return NULL;
}

bool tdx_switch(u32 s)
{
	return module_switch(module_self(), s);
}
