/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What differs between kernels, and what a scenario may break on purpose: one table,
 * one switch each, never a copy of a function. Source of each: the table, docs/model.md.
 */
#include <glib.h>

#include "kvmmmu/kmmu.h"
#include "sim/engine/types.h"

enum kvm_switch {
	/* kernels */
	SW_EXT_IN_CMPXCHG,	/* the RO writer calls the module before handle_changed_spte() */
	SW_OLD_SPTE_BITS,	/* FROZEN 0x5a0, writable bits 57/58 */
	SW_PIN_PAGES,		/* get_page() while the S-EPT maps a page */
	SW_CLEAR_PAGES,		/* every removed page is cleared */
	SW_PREFAULT_RETRIES_INVALID,	/* prefault of an INVALID slot retries (F02) */
	/* mutations */
	SW_NO_FREEZE,
	SW_ZAP_UNDER_READ,
	SW_NO_KICK,
	SW_NO_ENTRY_GATE,
	SW_ENTER_BUSY_REENTERS,
	SW_EXIT_REQUEST_IGNORES_MODE,
	KVM_SWITCHES,
};

#define KVM_VARIANT_DEFAULT "v7.2"

/*
 * kvm_variant_parse - @list ("kvm=v7.2", "no-freeze", NULL-terminated; NULL: none)
 * Words of other layers ("tdx=...") are not meant for it. False with @err set.
 */
bool kvm_variant_parse(const char *const *list, u32 *switches, const char **policy, GError **err);

/* kvm_nearest - of @n words the one that is spelt most like @word; NULL if none is near */
const char *kvm_nearest(const char *word, const char *(*name)(u32 i), u32 n);
