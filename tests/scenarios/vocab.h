/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small vocabulary for tests of the parser, which then need no model: the names that
 * the sample files use, spelled as the module and KVM spell them.
 */
#pragma once

#include "scenarios/ast.h"

static const char *const *test_list(enum scn_vocab_kind kind, const char *scope)
{
	static const char *const regions[] = { "mirror", "sept", "TDVPS", "TDCS", "mmu_lock",
					       "PAMT", NULL };
	static const char *const mirror_fields[] = { "present", "pfn", NULL };
	static const char *const mirror_values[] = { "NONPRESENT", "FROZEN", "PRESENT", NULL };
	static const char *const sept_values[] = { "FREE", "BLOCKED", "PENDING", "MAPPED", NULL };
	static const char *const leaves[] = {
		"TDH.MEM.PAGE.AUG", "TDH.MEM.PAGE.REMOVE", "TDH.MEM.RANGE.BLOCK",
		"TDH.MEM.TRACK", "TDH.VP.ENTER", "TDH.VP.FLUSH", "TDG.MEM.PAGE.ACCEPT",
		"TDG.MEM.PAGE.ATTR.RD", NULL
	};
	static const char *const seams[] = { "tdx_sept_set_private_spte", NULL };
	static const char *const statuses[] = { "SUCCESS", "OPERAND_BUSY",
						"EPT_ENTRY_STATE_INCORRECT", NULL };
	static const char *const operands[] = { "RCX", "SEPT_TREE", "TD_EPOCH", NULL };
	static const char *const exits[] = { "EPT_VIOLATION", "EXTERNAL_INTERRUPT", NULL };
	static const char *const kvms[] = { "v6.16", "v7.2", NULL };
	static const char *const modules[] = { "1.5.01", "1.5.34", NULL };
	static const char *const switches[] = { "no-freeze", "zap-under-read", "no-kick", NULL };
	static const char *const policies[] = { "v6.16", "v7.2", "resume-guest", NULL };
	static const char *const policy_keys[] = { "retries", NULL };

	switch (kind) {
	case SCN_VOCAB_REGION:
		return regions;
	case SCN_VOCAB_FIELD:
		return g_strcmp0(scope, "mirror") ? NULL : mirror_fields;
	case SCN_VOCAB_VALUE:
		return !g_strcmp0(scope, "mirror") ? mirror_values :
		       !g_strcmp0(scope, "sept") ? sept_values : NULL;
	case SCN_VOCAB_LEAF:
		return leaves;
	case SCN_VOCAB_SEAM:
		return seams;
	case SCN_VOCAB_STATUS:
		return statuses;
	case SCN_VOCAB_OPERAND:
		return operands;
	case SCN_VOCAB_EXIT_REASON:
		return exits;
	case SCN_VOCAB_KVM:
		return kvms;
	case SCN_VOCAB_TDX:
		return modules;
	case SCN_VOCAB_SWITCH:
		return switches;
	case SCN_VOCAB_POLICY:
		return policies;
	case SCN_VOCAB_POLICY_KEY:
		return policy_keys;
	default:
		return NULL;
	}
}

static const struct scenario_vocab test_vocab = { .list = test_list };
