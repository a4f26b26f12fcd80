// SPDX-License-Identifier: GPL-2.0-only
/* What all runs have reached: each leaf with each status, operands told apart. */
#include "tests/fuzz/reached.h"

#include <string.h>

#include "sim/engine/types.h"
#include "tdxmod/leaf.h"
#include "tdxmod/seamcall.h"

static struct {
	const char *leaf;
	u64 status;
} reached[4096];
static u32 nreached;

void reached_note(const char *leaf, u64 status)
{
	for (u32 i = 0; i < nreached; i++)
		if (reached[i].status == status && !strcmp(reached[i].leaf, leaf))
			return;
	if (nreached < ARRAY_SIZE(reached)) {
		reached[nreached].leaf = leaf;
		reached[nreached++].status = status;
	}
}

static bool is_reached(const char *leaf)
{
	for (u32 i = 0; i < nreached; i++)
		if (!strcmp(reached[i].leaf, leaf))
			return true;
	return false;
}

static u32 results_of(const char *prefix)
{
	u32 n = 0;

	for (u32 i = 0; i < nreached; i++)
		n += !strncmp(reached[i].leaf, prefix, strlen(prefix));
	return n;
}

static u32 modelled(u32 *missed, FILE *out)
{
	u32 n = 0;

	*missed = 0;
	for (u64 leaf = 0; leaf < 256; leaf++) {
		if (!leaf_of(leaf) || !leaf_of(leaf)->run)
			continue;
		n++;
		if (is_reached(seamcall_name(leaf)))
			continue;
		++*missed;
		if (out)
			fprintf(out, "no input calls %s\n", seamcall_name(leaf));
	}
	return n;
}

void reached_report(FILE *out)
{
	u32 missed, n = modelled(&missed, NULL);

	fprintf(out, "reached: %u of %u modelled SEAMCALL leaves, %u results of SEAMCALLs, %u of "
		"TDCALLs (of runs that listen)\n", n - missed, n, results_of("TDH."),
		results_of("TDG."));
}

u32 reached_missed(FILE *out)
{
	u32 missed;

	modelled(&missed, out);
	return missed;
}
