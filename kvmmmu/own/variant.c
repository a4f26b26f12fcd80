// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one table of kernel versions and switches. Versions rest on Linux v6.16.1 and v7.2
 * (docs/model.md, rows V1-V18); mutations on the races that they belong to.
 */
#include "kvmmmu/own/variant.h"

#include <string.h>

#define BIT(s) (1ull << (s))

#define V6_19	(BIT(SW_EXT_IN_CMPXCHG) | BIT(SW_OLD_SPTE_BITS))
#define V6_18	(V6_19 | BIT(SW_PIN_PAGES) | BIT(SW_IOCTL_LOCKS_OWN) | BIT(SW_PREMAP) | \
		 BIT(SW_VP_INIT_UNLOCKED) | BIT(SW_FREE_LEAVES_LISTED))
#define V6_16	(V6_18 | BIT(SW_CLEAR_PAGES) | BIT(SW_PREFAULT_RETRIES_INVALID) | \
		 BIT(SW_NX_UNDER_WRITE) | BIT(SW_AGE_FETCH_AND) | \
		 BIT(SW_UNBIND_LEAVES_DYING))

#define V7_3	(BIT(SW_VM_DEAD_TESTED) | BIT(SW_CREATE_HOLDS_LOCK) | BIT(SW_ZAP_UNDER_SRCU) | \
		 BIT(SW_GMEM_BIND_LATE) | BIT(SW_SHARED_UNRESERVED))

/* X(name, switches, policy of a version or NULL, text, kernels, source) */
#define VARIANTS(X)								\
	X("v6.16", V6_16, "v6.16",						\
	  "first kernel with the TDX MMU: the module is called before the statistics, "	\
	  "pages are pinned, nothing leaves a retry loop for an INVALID memslot",	\
	  "v6.16..v6.17", "arch/x86/kvm/mmu/tdp_mmu.c, vmx/tdx.c of v6.16.1")		\
	X("v6.18", V6_18, "v6.18",						\
	  "as v6.16, but fault and prefault leave their loops for an INVALID memslot",	\
	  "v6.18", "commit 2bc2694fe20b; order in the MMU as v6.16 (K2)")		\
	X("v6.19", V6_19, "v6.19",						\
	  "as v6.18, without pinned pages",						\
	  "v6.19", "<20251030200951.3402865-1-seanjc@google.com>; order as v6.16 (K2)") \
	X("v7.2", 0, "v7.2",							\
	  "the module is called from handle_changed_spte(), between freeze and unfreeze", \
	  "v7.2", "arch/x86/kvm/mmu/tdp_mmu.c, vmx/tdx.c of v7.2")			\
	X("v7.3", V7_3, "v7.2",								\
	  "as v7.2, but KVM_CREATE_VCPU holds kvm->lock from end to end, "		\
	  "kvm_zap_gfn_range() is an SRCU reader, and fault and prefault loops test for "	\
	  "a dead VM and leave the request",						\
	  "v7.3", "arch/x86/kvm/vmx/tdx.c, mmu/mmu.c, virt/kvm/kvm_main.c of v7.3.4")					\
	X("ext-in-cmpxchg", BIT(SW_EXT_IN_CMPXCHG), NULL,			\
	  "the RO writer calls the module inside its freezing helper, removal comes last",\
	  "v6.16..v6.19", "V2-V6, arch/x86/kvm/mmu/tdp_mmu.c of v6.16.1")	\
	X("old-spte-bits", BIT(SW_OLD_SPTE_BITS), NULL,				\
	  "FROZEN is 0x5a0, the writable bits are 57 and 58",			\
	  "v6.16..v6.19", "V16, arch/x86/kvm/mmu/spte.h of v6.16.1")		\
	X("pin-pages", BIT(SW_PIN_PAGES), NULL,					\
	  "a page is pinned while the S-EPT maps it, and leaks if it cannot be removed",\
	  "v6.16..v6.18", "V8, arch/x86/kvm/vmx/tdx.c of v6.16.1")		\
	X("clear-pages", BIT(SW_CLEAR_PAGES), NULL,				\
	  "every page that is removed is cleared",				\
	  "v6.16", "V17, arch/x86/kvm/vmx/tdx.c of v6.16.1")			\
	X("prefault-retries-invalid", BIT(SW_PREFAULT_RETRIES_INVALID), NULL,	\
	  "prefault of an INVALID memslot goes round",				\
	  "v6.16..v6.17", "F02 commit 2bc2694fe20b")				\
	X("nx-recovery-under-write", BIT(SW_NX_UNDER_WRITE), NULL,		\
	  "NX recovery holds mmu_lock for write",				\
	  "v6.16..v6.17", "V14, arch/x86/kvm/mmu/mmu.c of v6.16.1")		\
	X("age-by-and", BIT(SW_AGE_FETCH_AND), NULL,				\
	  "aging is a LOCKed AND on whatever stands in the entry",		\
	  "v6.16..v6.17", "V15, arch/x86/kvm/mmu/tdp_mmu.c of v6.16.1")		\
	X("dead-vm-tested", BIT(SW_VM_DEAD_TESTED), NULL,			\
	  "fault and prefault loops leave KVM_REQ_VM_DEAD for others",		\
	  "v7.3", "V13, arch/x86/kvm/vmx/tdx.c, mmu/mmu.c of v7.3.4")		\
	X("create-holds-lock", BIT(SW_CREATE_HOLDS_LOCK), NULL,			\
	  "KVM_CREATE_VCPU holds kvm->lock from end to end",			\
	  "v7.3", "virt/kvm/kvm_main.c of v7.3.4")				\
	X("zap-under-srcu", BIT(SW_ZAP_UNDER_SRCU), NULL,			\
	  "kvm_zap_gfn_range() is an SRCU reader",				\
	  "v7.3", "arch/x86/kvm/mmu/mmu.c of v7.3.4")				\
	X("gmem-bind-late", BIT(SW_GMEM_BIND_LATE), NULL,			\
	  "a memslot is bound to its guest_memfd with slots_arch_lock held",	\
	  "v7.3", "virt/kvm/kvm_main.c of v7.3.4")				\
	X("shared-unreserved", BIT(SW_SHARED_UNRESERVED), NULL,			\
	  "a conversion to shared reserves no attributes: it yields once a page, not twice",	\
	  "v7.3", "virt/kvm/kvm_main.c of v7.3.4")				\
	X("terminate-vm", BIT(SW_TERMINATE_VM), NULL,					\
	  "KVM_TDX_TERMINATE_VM is there: the HKID goes first, pages are reclaimed",	\
	  "in no release: pulled for v6.17, dropped", "C08 <20250718181541.98146-1-seanjc@google.com>") \
	X("no-freeze", BIT(SW_NO_FREEZE), NULL,						\
	  "no FROZEN in a mirror entry: the final value first, then the module",	\
	  "mutation", "A01 <Y8m34OEVBfL7Q4Ns@google.com>")				\
	X("zap-under-read", BIT(SW_ZAP_UNDER_READ), NULL,				\
	  "zaps hold mmu_lock for read and write entries with the RO writer",		\
	  "mutation", "A01 <Y8nOIjkskcXAi00V@google.com>")				\
	X("no-kick", BIT(SW_NO_KICK), NULL,						\
	  "a busy removal is tried again without kicking the vCPUs out first",		\
	  "mutation", "A07 <20250113021250.18948-1-yan.y.zhao@intel.com>")		\
	X("no-entry-gate", BIT(SW_NO_ENTRY_GATE), NULL,					\
	  "tdx_vcpu_run() does not look at wait_for_sept_zap",				\
	  "mutation", "F06 <Z2ONGJ/Q1IEWkL8T@yzhao56-desk.sh.intel.com>")		\
	X("enter-busy-reenters", BIT(SW_ENTER_BUSY_REENTERS), NULL,			\
	  "a busy TDH.VP.ENTER is repeated in the fastpath, with interrupts off",	\
	  "mutation", "F05 <20250222014225.897298-4-binbin.wu@linux.intel.com>")	\
	X("exit-request-ignores-mode", BIT(SW_EXIT_REQUEST_IGNORES_MODE), NULL,		\
	  "kvm_vcpu_exit_request() does not test vcpu->mode",				\
	  "mutation", "F05, arch/x86/kvm/x86.c")					\
	X("ioctl-locks-own", BIT(SW_IOCTL_LOCKS_OWN), NULL,				\
	  "a TDX ioctl holds kvm->lock or its own vcpu->mutex, not those of all vCPUs",	\
	  "v6.16..v6.18", "B02 commit 15945e9ec195")					\
	X("premap", BIT(SW_PREMAP), NULL,						\
	  "INIT_MEM_REGION maps the mirror first and adds the page to the TD later",	\
	  "v6.16..v6.18", "B04 <20250217085642.19696-1-yan.y.zhao@intel.com>")		\
	X("vp-init-unlocked", BIT(SW_VP_INIT_UNLOCKED), NULL,				\
	  "TDH.VP.INIT is called without mmu_lock",					\
	  "v6.16..v6.18", "B05 <20251028002824.1470939-1-rick.p.edgecombe@intel.com>")	\
	X("free-leaves-listed", BIT(SW_FREE_LEAVES_LISTED), NULL,			\
	  "a vCPU whose creation failed stays on its CPU's list when it is freed",	\
	  "v6.16..v6.18", "B08 commit 1e3a825c9ec9")					\
	X("close-loads-vcpu", BIT(SW_CLOSE_LOADS_VCPU), NULL,				\
	  "closing a vCPU loads it once more, to unload its MMU",			\
	  "before v6.16", "C01 <20240412214201.GO3039520@ls.amr.corp.intel.com>")	\
	X("release-hkid-loops", BIT(SW_RELEASE_HKID_LOOPS), NULL,			\
	  "TDX_FLUSHVP_NOT_DONE flushes all vCPUs again, without end",			\
	  "v10..v19 of the series", "C01 <Zhm5rYA8eSWIUi36@google.com>")		\
	X("load-writes-vp", BIT(SW_LOAD_WRITES_VP), NULL,				\
	  "vcpu_load() ends with TDH.VP.WR, which associates the vCPU",			\
	  "mutation", "C01 <20240415224828.GS3039520@ls.amr.corp.intel.com>")		\
	X("load-without-flush", BIT(SW_LOAD_WITHOUT_FLUSH), NULL,			\
	  "vcpu_load() on another CPU does not flush the vCPU on its last one",		\
	  "mutation", "C02, arch/x86/kvm/vmx/tdx.c")					\
	X("cpu-before-list-del", BIT(SW_CPU_BEFORE_LIST_DEL), NULL,			\
	  "vcpu->cpu = -1 is stored before the vCPU leaves its CPU's list",		\
	  "mutation", "C04, arch/x86/kvm/vmx/tdx.c")					\
	X("flush-no-cpu-check", BIT(SW_FLUSH_NO_CPU_CHECK), NULL,			\
	  "tdx_flush_vp() does not look whether the vCPU is still of its CPU",		\
	  "mutation", "C05, arch/x86/kvm/vmx/tdx.c")					\
	X("no-tdx-lock", BIT(SW_NO_TDX_LOCK), NULL,					\
	  "SEAMCALLs that lock the whole module are not serialized",			\
	  "mutation", "C07, arch/x86/kvm/vmx/tdx.c")					\
	X("kick-before-gate", BIT(SW_KICK_BEFORE_GATE), NULL,				\
	  "a busy removal kicks the vCPUs out before it raises the entry gate",		\
	  "mutation", "F06 <Z2ONGJ/Q1IEWkL8T@yzhao56-desk.sh.intel.com>")		\
	X("gate-before-mode", BIT(SW_GATE_BEFORE_MODE), NULL,				\
	  "the entry gate is read before vcpu->mode is published",			\
	  "mutation", "F06 <Z2ONGJ/Q1IEWkL8T@yzhao56-desk.sh.intel.com>")		\
	X("no-srcu-barrier", BIT(SW_NO_SRCU_BARRIER), NULL,				\
	  "srcu_read_unlock() has no full barrier; seen by `explore --memory tso` alone", \
	  "mutation", "vcpu_enter_guest(): smp_mb__after_srcu_read_unlock()")		\
	X("gate-stays-on-error", BIT(SW_GATE_STAYS_ON_ERROR), NULL,			\
	  "the entry gate is not lowered when the second try fails",			\
	  "mutation", "F06, commit 3d626ce5a8cc")					\
	X("seq-after-pfn", BIT(SW_SEQ_AFTER_PFN), NULL,					\
	  "a fault takes its snapshot of mmu_invalidate_seq after it has the page",	\
	  "mutation", "H01, arch/x86/kvm/mmu/mmu.c")					\
	X("seq-before-truncate", BIT(SW_SEQ_BEFORE_TRUNCATE), NULL,			\
	  "punching a hole ends the invalidation before it truncates",			\
	  "mutation", "H01, virt/kvm/guest_memfd.c")					\
	X("no-invalidate-range", BIT(SW_NO_INVALIDATE_RANGE), NULL,			\
	  "an invalidation is counted and its range is not noted",			\
	  "mutation", "H01, virt/kvm/kvm_main.c")					\
	X("unbind-leaves-dying", BIT(SW_UNBIND_LEAVES_DYING), NULL,			\
	  "a memslot that goes stays bound to a guest_memfd that is being closed",	\
	  "v6.8..v6.17", "H03 commit ae431059e75d")					\
	X("prefault-before-runnable", BIT(SW_PREFAULT_BEFORE_RUNNABLE), NULL,		\
	  "KVM_TDX_FINALIZE_VM sets pre_fault_allowed before the state",		\
	  "mutation", "B07 <20251030200951.3402865-1-seanjc@google.com>")					\
	X("nx-recovery-yields", BIT(SW_NX_YIELDS) | BIT(SW_NX_UNDER_WRITE), NULL,	\
	  "NX recovery, under the write lock, zaps with a walk that may yield",		\
	  "mutation", "G01 <20210325200119.1359384-4-seanjc@google.com>")		\
	X("nx-flush-overwritten", BIT(SW_NX_FLUSH_OVERWRITTEN), NULL,			\
	  "NX recovery forgets the flush that it owes when the next table has none",	\
	  "mutation", "G02 <20210406162550.3732490-1-pbonzini@redhat.com>")		\
	X("flush-lost-across-roots", BIT(SW_FLUSH_LOST_ACROSS_ROOTS), NULL,		\
	  "a zap over all roots begins each root as if nothing were owed",		\
	  "mutation", "G03 <20210325200119.1359384-2-seanjc@google.com>")		\
	X("yield-without-progress", BIT(SW_YIELD_WITHOUT_PROGRESS), NULL,		\
	  "a walk yields though it got no further since the last time",			\
	  "mutation", "G04 <20210202185734.1680553-14-bgardon@google.com>")		\
	X("yield-advances", BIT(SW_YIELD_ADVANCES), NULL,				\
	  "a walk that yielded steps on from the entry where it begins again",		\
	  "mutation", "G05 <20211214033528.123268-1-seanjc@google.com>")		\
	X("nx-list-no-recheck", BIT(SW_NX_NO_RECHECK), NULL,				\
	  "a linked table joins the NX list though it may have been zapped since",	\
	  "mutation", "G06 <20221213033030.83345-4-seanjc@google.com>")			\
	X("stale-check-ignores-root", BIT(SW_STALE_IGNORES_ROOT), NULL,			\
	  "is_page_fault_stale() does not look whether the root is invalid",		\
	  "mutation", "G08 <20211120045046.3940942-5-seanjc@google.com>")		\
	X("int-mmu-seq", BIT(SW_INT_MMU_SEQ), NULL,					\
	  "the snapshot of mmu_invalidate_seq goes through an int",			\
	  "mutation", "G10, commit a955cad84cda (v5.16), fixed by ba6e3fe25543")	\
	X("invalid-slot-is-mmio", BIT(SW_INVALID_SLOT_IS_MMIO), NULL,			\
	  "a fault on an INVALID memslot is handled as if there were none",		\
	  "mutation", "G11 <20210225204749.1512652-6-seanjc@google.com>")		\
	X("notifier-skips-invalid-roots", BIT(SW_NOTIFIER_SKIPS_INVALID), NULL,		\
	  "an unmap passes by roots that are invalid",					\
	  "mutation", "G12, arch/x86/kvm/mmu/tdp_mmu.c")				\
	X("zap-after-last-put", BIT(SW_ZAP_AFTER_LAST_PUT), NULL,			\
	  "an invalid root is zapped when nobody has a reference to it any more",	\
	  "mutation", "G12 <20230916003916.2545000-4-seanjc@google.com>")		\
	X("gets-invalid-roots", BIT(SW_GETS_INVALID_ROOTS), NULL,			\
	  "a vCPU may load a root that is invalid",					\
	  "mutation", "G12, commit 614f6970aa70")					\
	X("nx-recovery-tests-present", BIT(SW_NX_TESTS_PRESENT), NULL,			\
	  "NX recovery zaps what stands in its table's entry, whatever it is",		\
	  "mutation", "G13, commit a57750909580")					\
	X("retry-ignores-dead-vm", BIT(SW_RETRY_IGNORES_DEAD), NULL,			\
	  "fault and prefault loops do not look whether the VM is dead",		\
	  "mutation", "F04 <20250220102728.24546-1-yan.y.zhao@intel.com>")		\
	X("mirror-zapped-shared", BIT(SW_MIRROR_ZAPPED_SHARED), NULL,			\
	  "deleting a memslot of a TD zaps its mirror root, mmu_lock held for read",	\
	  "mutation", "G14, arch/x86/kvm/mmu/tdp_mmu.c, handle_removed_pt()")		\
	X("reload-keeps-obsolete", BIT(SW_RELOAD_KEEPS_OBSOLETE), NULL,			\
	  "kvm_mmu_reload() is content with a root that became obsolete",		\
	  "mutation", "commit 20a6cff3b283 (v6.15)")					\
	X("premap-is-bug", BIT(SW_PREMAP) | BIT(SW_PREMAP_IS_BUG), NULL,		\
	  "as premap, and a removal that finds such a page is a bug",			\
	  "before v6.16", "B04 <20250217085642.19696-1-yan.y.zhao@intel.com>")		\
	X("dirty-log-unflushed", BIT(SW_DIRTY_LOG_UNFLUSHED), NULL,			\
	  "what a dirty log tells of is protected again, and no TLB is flushed",	\
	  "mutation", "virt/kvm/kvm_main.c, kvm_get_dirty_log_protect()")		\
	X("prefault-reloads-root", BIT(SW_PREFAULT_RELOADS), NULL,			\
	  "prefault loads its root anew at each attempt",				\
	  "mutation", "in no kernel: what would mend v7.2's kvm_tdp_page_prefault()")

#define WORD(name, switches, policy, text, range, source) { name, text, range, source },
#define EFFECT(name, switches, policy, text, range, source) { switches, policy },

static const struct kmmu_word words[] = { VARIANTS(WORD) { NULL } };

static const struct {
	u64 switches;		/* bits of enum kvm_switch */
	const char *policy;	/* of a version; NULL: a switch */
} effects[] = { VARIANTS(EFFECT) };

#define N ((u32)ARRAY_SIZE(effects))

const struct kmmu_word *kmmu_variants(u32 *n)
{
	*n = N;
	return words;
}

static const char *variant_name(u32 i)
{
	return words[i].name;
}

static int variant_find(const char *name, bool version)
{
	u32 i;

	for (i = 0; i < N; i++) {
		if (!strcmp(words[i].name, name) && version == !!effects[i].policy)
			return i;
	}
	return -1;
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

bool kvm_variant_parse(const char *const *list, u64 *switches, const char **policy, GError **err)
{
	int version = variant_find(KVM_VARIANT_DEFAULT, true), i;
	u64 bits = 0;

	for (; list && *list; list++) {
		bool is_version = g_str_has_prefix(*list, "kvm=");
		const char *name = is_version ? *list + 4 : *list;
		const char *near;

		if (g_str_has_prefix(*list, "tdx="))
			continue;
		i = variant_find(name, is_version);
		if (i < 0) {
			near = kvm_nearest(name, variant_name, N);
			g_set_error(err, KMMU_ERROR, KMMU_ERROR_UNKNOWN_VARIANT,
				    "unknown %s '%s'%s%s%s", is_version ? "kernel" : "switch",
				    name, near ? "; did you mean '" : "", near ? near : "",
				    near ? "'?" : "");
			return false;
		}
		if (is_version)
			version = i;
		else
			bits |= effects[i].switches;
	}
	*switches = effects[version].switches | bits;
	*policy = effects[version].policy;
	return true;
}
