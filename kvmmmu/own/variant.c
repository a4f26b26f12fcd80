// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one table of kernel versions and switches. Versions rest on Linux v6.16.1 and v7.2
 * (docs/model-kvm.md, rows V1-V18); mutations on the races that they belong to.
 */
#include "kvmmmu/own/variant.h"

#include <string.h>

#define BIT(s) (1u << (s))

static const struct kvm_variant variants[] = {
	{ { "v6.16",
	    "first kernel with TDX MMU: module called before stats, pages pinned, no INVALID exit",
	    "v6.16..v6.17", "arch/x86/kvm/mmu/tdp_mmu.c, vmx/tdx.c of v6.16.1" },
	  BIT(SW_EXT_IN_CMPXCHG) | BIT(SW_OLD_SPTE_BITS) | BIT(SW_PIN_PAGES) |
	  BIT(SW_CLEAR_PAGES) | BIT(SW_PREFAULT_RETRIES_INVALID), "v6.16" },
	{ { "v6.18",
	    "as v6.16, but local retry and prefault leave on an INVALID memslot",
	    "v6.18", "commit 2bc2694fe20b; MMU order as v6.16 (assumption A-K2)" },
	  BIT(SW_EXT_IN_CMPXCHG) | BIT(SW_OLD_SPTE_BITS) | BIT(SW_PIN_PAGES), "v6.18" },
	{ { "v6.19",
	    "as v6.18, without page pinning",
	    "v6.19", "series <20251030200951.3402865-1-seanjc@google.com>; MMU order as v6.16 (A-K2)" },
	  BIT(SW_EXT_IN_CMPXCHG) | BIT(SW_OLD_SPTE_BITS), "v6.19" },
	{ { "v7.2",
	    "module called from handle_changed_spte() between freeze and unfreeze",
	    "v7.2", "arch/x86/kvm/mmu/tdp_mmu.c, vmx/tdx.c of v7.2" },
	  0, "v7.2" },
	{ { "no-freeze",
	    "the RO writer does not freeze a mirror SPTE: the final value first, then the module",
	    "mutation", "A01 <Y8m34OEVBfL7Q4Ns@google.com>" },
	  BIT(SW_NO_FREEZE), NULL },
	{ { "zap-under-read",
	    "zaps hold mmu_lock for read and write SPTEs with the RO writer",
	    "mutation", "A01 <Y8nOIjkskcXAi00V@google.com>" },
	  BIT(SW_ZAP_UNDER_READ), NULL },
	{ { "no-kick",
	    "a busy removal is retried without kicking vCPUs out first",
	    "mutation", "A07 <20250113021250.18948-1-yan.y.zhao@intel.com>" },
	  BIT(SW_NO_KICK), NULL },
	{ { "no-entry-gate",
	    "tdx_vcpu_run() does not look at wait_for_sept_zap",
	    "mutation", "F06 <Z2ONGJ/Q1IEWkL8T@yzhao56-desk.sh.intel.com>" },
	  BIT(SW_NO_ENTRY_GATE), NULL },
	{ { "enter-busy-reenters",
	    "a busy TDH.VP.ENTER is repeated in the fastpath, with interrupts off",
	    "mutation", "F05 <20250222014225.897298-4-binbin.wu@linux.intel.com>" },
	  BIT(SW_ENTER_BUSY_REENTERS), NULL },
	{ { "exit-request-ignores-mode",
	    "kvm_vcpu_exit_request() does not test vcpu->mode",
	    "mutation", "F05, arch/x86/kvm/x86.c" },
	  BIT(SW_EXIT_REQUEST_IGNORES_MODE), NULL },
};

const struct kvm_variant *kvm_variant_table(u32 *n)
{
	*n = ARRAY_SIZE(variants);
	return variants;
}

static const char *variant_name(u32 i)
{
	return variants[i].word.name;
}

static const struct kvm_variant *variant_find(const char *name, bool version)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(variants); i++) {
		if (!strcmp(variants[i].word.name, name) && version == !!variants[i].policy)
			return &variants[i];
	}
	return NULL;
}

/* Edits from @a to @b, for words of at most 47 characters. */
static u32 distance(const char *a, const char *b)
{
	u32 row[48], la = strlen(a), lb = strlen(b), i, j;

	if (la > 47 || lb > 47)
		return 99;
	for (j = 0; j <= lb; j++)
		row[j] = j;
	for (i = 1; i <= la; i++) {
		u32 diag = row[0];

		row[0] = i;
		for (j = 1; j <= lb; j++) {
			u32 d = diag + (a[i - 1] != b[j - 1]);

			diag = row[j];
			d = MIN(d, row[j] + 1);
			row[j] = MIN(d, row[j - 1] + 1);
		}
	}
	return row[lb];
}

const char *kvm_nearest(const char *word, const char *(*name)(u32 i), u32 n)
{
	u32 i, best = strlen(word) / 2 + 1;
	const char *found = NULL;

	for (i = 0; i < n; i++) {
		u32 d = distance(word, name(i));

		if (d < best) {
			best = d;
			found = name(i);
		}
	}
	return found;
}

bool kvm_variant_parse(const char *const *words, u32 *switches, const char **policy, GError **err)
{
	const struct kvm_variant *v, *version = variant_find(KVM_VARIANT_DEFAULT, true);
	u32 bits = 0;

	for (; words && *words; words++) {
		bool is_version = g_str_has_prefix(*words, "kvm=");
		const char *name = is_version ? *words + 4 : *words;
		const char *near;

		if (g_str_has_prefix(*words, "tdx="))
			continue;
		v = variant_find(name, is_version);
		if (!v) {
			near = kvm_nearest(name, variant_name, ARRAY_SIZE(variants));
			g_set_error(err, KMMU_ERROR, KMMU_ERROR_UNKNOWN_VARIANT,
				    "unknown %s '%s'%s%s%s", is_version ? "kernel" : "switch",
				    name, near ? "; did you mean '" : "", near ? near : "",
				    near ? "'?" : "");
			return false;
		}
		if (is_version)
			version = v;
		else
			bits |= v->switches;
	}
	*switches = version->switches | bits;
	*policy = version->policy;
	return true;
}
