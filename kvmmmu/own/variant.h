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
	SW_IOCTL_LOCKS_OWN,	/* a TDX ioctl locks itself out, not all others (V10) */
	SW_PREMAP,		/* the mirror is mapped first, PAGE.ADD comes later (V9) */
	SW_VP_INIT_UNLOCKED,	/* TDH.VP.INIT without mmu_lock (B05) */
	SW_FREE_LEAVES_LISTED,	/* a vCPU that was never online is freed on its list (B08) */
	/* before v6.16 */
	SW_CLOSE_LOADS_VCPU,	/* kvm_unload_vcpu_mmu() */
	SW_RELEASE_HKID_LOOPS,	/* v19: FLUSHVP_NOT_DONE goes round again */
	SW_NX_UNDER_WRITE,	/* NX recovery holds mmu_lock for write (V14) */
	SW_AGE_FETCH_AND,	/* aging is a LOCKed AND (V15) */
	SW_VM_DEAD_TESTED,	/* fault and prefault loops leave the request for others (V13) */
	SW_CREATE_HOLDS_LOCK,	/* KVM_CREATE_VCPU holds kvm->lock from end to end */
	SW_ZAP_UNDER_SRCU,	/* kvm_zap_gfn_range() is an SRCU reader */
	SW_GMEM_BIND_LATE,	/* a guest_memfd is bound with slots_arch_lock held */
	SW_SHARED_UNRESERVED,	/* a conversion to shared reserves no attributes */
	/* proposed */
	SW_TERMINATE_VM,	/* KVM_TDX_TERMINATE_VM, and a zap of what has no HKID */
	/* mutations */
	SW_NO_FREEZE,
	SW_ZAP_UNDER_READ,
	SW_NO_KICK,
	SW_NO_ENTRY_GATE,
	SW_ENTER_BUSY_REENTERS,
	SW_EXIT_REQUEST_IGNORES_MODE,
	SW_LOAD_WITHOUT_FLUSH,
	SW_LOAD_WRITES_VP,
	SW_CPU_BEFORE_LIST_DEL,
	SW_FLUSH_NO_CPU_CHECK,
	SW_NO_TDX_LOCK,
	SW_PREFAULT_BEFORE_RUNNABLE,
	SW_KICK_BEFORE_GATE,		/* F06 (a) */
	SW_GATE_BEFORE_MODE,		/* F06 (b) */
	SW_NO_SRCU_BARRIER,		/* F06, seen under TSO alone */
	SW_GATE_STAYS_ON_ERROR,		/* F06 (c) */
	SW_SEQ_AFTER_PFN,		/* H01 */
	SW_SEQ_BEFORE_TRUNCATE,		/* H01 */
	SW_NO_INVALIDATE_RANGE,		/* H01 */
	SW_UNBIND_LEAVES_DYING,		/* H03 */
	SW_NX_YIELDS,			/* G01 */
	SW_NX_FLUSH_OVERWRITTEN,	/* G02 */
	SW_FLUSH_LOST_ACROSS_ROOTS,	/* G03 */
	SW_YIELD_WITHOUT_PROGRESS,	/* G04 */
	SW_YIELD_ADVANCES,		/* G05 */
	SW_NX_NO_RECHECK,		/* G06 */
	SW_STALE_IGNORES_ROOT,		/* G08 */
	SW_INT_MMU_SEQ,			/* G10 */
	SW_INVALID_SLOT_IS_MMIO,	/* G11 */
	SW_NOTIFIER_SKIPS_INVALID,	/* G12 */
	SW_ZAP_AFTER_LAST_PUT,		/* G12 */
	SW_GETS_INVALID_ROOTS,		/* G12 */
	SW_NX_TESTS_PRESENT,		/* G13 */
	SW_RETRY_IGNORES_DEAD,		/* F04 */
	SW_MIRROR_ZAPPED_SHARED,	/* G14 */
	SW_RELOAD_KEEPS_OBSOLETE,
	SW_DIRTY_LOG_UNFLUSHED,
	SW_PREMAP_IS_BUG,		/* B04 */
	SW_PREFAULT_RELOADS,
	KVM_SWITCHES,
};

/* Where a mutation took the gate or the kick away, KVM promises nothing of a second try. */
#define KVM_GATE_MUTATIONS (1ull << SW_NO_KICK | 1ull << SW_NO_ENTRY_GATE | \
			    1ull << SW_KICK_BEFORE_GATE | 1ull << SW_GATE_BEFORE_MODE | \
			    1ull << SW_NO_SRCU_BARRIER)

#define KVM_VARIANT_DEFAULT "v7.2"

/*
 * kvm_variant_parse - @list ("kvm=v7.2", "no-freeze", NULL-terminated; NULL: none)
 * Words of other layers ("tdx=...") are not meant for it. False with @err set.
 */
bool kvm_variant_parse(const char *const *list, u64 *switches, const char **policy, GError **err);

/* kvm_nearest - of @n words the one that is spelt most like @word; NULL if none is near */
const char *kvm_nearest(const char *word, const char *(*name)(u32 i), u32 n);
