// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of retry policies and their arguments ("policy v19 retries=5").
 */
#include "kvmmmu/own/policy.h"

#include <string.h>

#include "kvmmmu/own/kvm_host.h"
#include "kvmmmu/own/variant.h"

/* X(policy, name, text, what it bounds, kernels, source) */
#define POLICIES(X)								\
	X(policy_v6_16, "v6.16", \
	  "install once, again from the fault handler until signal or dead VM; remove " \
	  "once, then once more behind kick and entry gate", \
	  "removing calls: 2; installing ones: by nothing but signal and dead VM", \
	  "v6.16..v6.17", \
	  "arch/x86/kvm/vmx/tdx.c of v6.16") \
	X(policy_v7_2, "v6.18", \
	  "as v6.16; the fault handler also leaves when the memslot is INVALID", \
	  "as v6.16; a deletion of the memslot ends a fault, too (F01)", \
	  "v6.18", \
	  "commit 2bc2694fe20b") \
	X(policy_v7_2, "v6.19", \
	  "as v6.18", \
	  "as v6.18", \
	  "v6.19", \
	  "commit 3d626ce5a8cc") \
	X(policy_v7_2, "v7.2", \
	  "as v6.18", \
	  "as v6.18", \
	  "v7.2", \
	  "arch/x86/kvm/vmx/tdx.c of v7.2") \
	X(policy_resume_guest, "resume-guest", \
	  "install once; a busy or frozen entry resumes the guest, which faults again; " \
	  "remove as v6.16", \
	  "calls of a fault: 1 an entry of the guest; how often it enters: by nothing, " \
	  "and each time counts towards zero-stepping (A04)", \
	  "before v6.16", \
	  "<ZuR09EqzU1WbQYGd@google.com>") \
	X(policy_v19, "v19", \
	  "repeat up to 16 times on exactly BUSY|SEPT_TREE; PAGE.REMOVE and TRACK " \
	  "without end, mmu_lock held; no kick; faults resume the guest", \
	  "a wrapped call: 17; the loops around PAGE.REMOVE, PAGE.ADD and TRACK: by " \
	  "nothing; a busy entry (RCX) is a KVM_BUG at once (A13)", \
	  "v10..v19 of the series", \
	  "<d705a6c6a81246a77f83befd1865d0c4194b2d28..git.isaku.yamahata@intel.com>") \
	X(policy_v19_10000, "v19-10000", \
	  "repeat up to 10000 times on any recoverable error, mmu_lock held; no kick", \
	  "any call: 10001, some 30 ms each, with mmu_lock held", \
	  "downstream", \
	  "as v19, downstream form") \
	X(policy_rfc, "rfc", \
	  "install once, again from the fault handler until signal; remove once, then " \
	  "once more behind a request on each vCPU; busy is any error (A14)", \
	  "removing calls: 2; installing ones: by a signal alone, also after an error " \
	  "that stays (A14)", \
	  "RFC, November 2024", \
	  "<20241121115139.26338-1-yan.y.zhao@intel.com>") \
	X(policy_v1, "v1", \
	  "as rfc, with the entry gate; TRACK compares the status", \
	  "as rfc", \
	  "v1, January 2025", \
	  "<20250113020925.18789-1-yan.y.zhao@intel.com>") \
	X(policy_mmu_write_lock, "mmu-write-lock", \
	  "faults hold mmu_lock for write; the rest as v6.16", \
	  "host against host: no contention; vCPUs: as v6.16", \
	  "proposal", \
	  "X1 <Zt-LmzUSyljHGcMO@google.com>") \
	X(policy_seamcall_lock, "seamcall-lock", \
	  "a spinlock of the VM around each S-EPT SEAMCALL; a busy removal is a KVM_BUG; " \
	  "faults resume the guest", \
	  "a call: 1; contention of hosts alone: TDH.VP.ENTER and TDCALLs are under no " \
	  "lock, and what they make busy is a KVM_BUG", \
	  "proposal", \
	  "X2 <CABgObfayLGyWKERXkU+0gjeUg=Sp3r7GEQU=+13sUMpo36weWg@mail.gmail.com>") \
	X(policy_kick_on_zero_step, "kick-on-zero-step", \
	  "faults resume the guest; TDH.VP.ENTER that finds the tree busy kicks all " \
	  "vCPUs; remove as v6.16", \
	  "as resume-guest; kicks: one an entry that finds the tree busy", \
	  "proposal", \
	  "X4 <Zt-LmzUSyljHGcMO@google.com>") \
	X(policy_enter_barrier, "enter-barrier", \
	  "faults resume the guest; a busy TDH.VP.ENTER takes and drops mmu_lock for " \
	  "write; remove as v6.16", \
	  "as resume-guest; a refused vCPU waits for those who fault now, the next " \
	  "collision is open", \
	  "proposal", \
	  "X5 <Zt-LmzUSyljHGcMO@google.com>") \
	X(policy_retry_frozen, "retry-frozen", \
	  "the fault handler tries again only after a FROZEN mirror entry; any other " \
	  "RETRY resumes the guest; remove as v6.16", \
	  "as resume-guest, but who meets another fault on one entry does not enter for " \
	  "it", \
	  "proposal", \
	  "X6 <ZuR09EqzU1WbQYGd@google.com>") \
	X(policy_retry_2, "retry-2", \
	  "two restarts of the walk inside kvm_tdp_mmu_map(), then the guest is resumed; " \
	  "remove as v6.16", \
	  "a fault: 3 walks an entry of the guest", \
	  "proposal", \
	  "X7 <ZuR09EqzU1WbQYGd@google.com>") \
	X(policy_kick_first, "kick-first", \
	  "gate and kick before BLOCK, gate down after REMOVE, each call once; faults as " \
	  "v6.16", \
	  "removing calls: 1; kicks of a leaf: 2 (the gate's, and the one behind TRACK), " \
	  "whether anybody is in the way or not", \
	  "proposal", \
	  "X8 <20250113021250.18948-1-yan.y.zhao@intel.com>") \
	X(policy_zero_tolerance, "zero-tolerance", \
	  "any BUSY is a KVM_BUG; faults resume the guest", \
	  "any call: 1; a guest can end its VM with ACCEPT or ATTR.RD", \
	  "proposal", \
	  "X9, as SGX's code") \
	X(policy_tdr_rwsem, "tdr-rwsem", \
	  "an rwsem of the VM around what builds a TD, held as the module holds TDR; the " \
	  "rest as v6.16", \
	  "calls of the build: no contention on TDR (B01 to B03); nothing at run time", \
	  "proposal", \
	  "X10 <20251030200951.3402865-1-seanjc@google.com>") \
	X(policy_prefault, "prefault", \
	  "user space maps a vCPU's part of memory before its first KVM_RUN; faults " \
	  "resume the guest; remove as v6.16", \
	  "nothing: what is prefaulted can be zapped; the ioctl waits for a memslot's " \
	  "deletion (F02)", \
	  "proposal", \
	  "X11 <20241121115139.26338-1-yan.y.zhao@intel.com>") \
	X(policy_track_lock, "track-lock", \
	  "a spinlock of the VM around TDH.MEM.TRACK and its kick, for zaps under " \
	  "mmu_lock held for read (variant zap-under-read); the rest as v6.16", \
	  "as v6.16; who tracks at a time: 1", \
	  "proposal", \
	  "X12 <20250113021250.18948-1-yan.y.zhao@intel.com>") \
	X(policy_demote_loop, "demote-loop", \
	  "TDH.MEM.PAGE.DEMOTE of the VMM's own again while it is " \
	  "INTERRUPTED_RESTARTABLE; the rest as v6.16", \
	  "nothing: with an interrupt point in the module a storm of interrupts keeps it " \
	  "going (D02)", \
	  "proposal", \
	  "X13, threads about huge pages") \
	X(policy_custom, "custom", \
	  "made of numbers: blind repetitions of installing and removing calls, when to " \
	  "kick, how often a fault is tried again in its handler", \
	  "what its numbers say", \
	  "a scenario's own", \
	  "v6.16 and kick-first, in parts")

#define WORD(policy, name, text, bounds, range, source) { name, text, range, source, bounds },
#define POLICY(policy, name, text, bounds, range, source) &policy,

static const struct kmmu_word words[] = { POLICIES(WORD) { NULL } };
static const struct retry_policy *const policies[] = { POLICIES(POLICY) };

const struct kmmu_word *kmmu_policies(u32 *n)
{
	*n = ARRAY_SIZE(policies);
	return words;
}

static const char *policy_name(u32 i)
{
	return words[i].name;
}

const char *policy_nearest(const char *name)
{
	return kvm_nearest(name, policy_name, ARRAY_SIZE(policies));
}

const struct retry_policy *policy_find(const char *name)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		if (!strcmp(words[i].name, name))
			return policies[i];
	}
	return NULL;
}

bool kmmu_policy_repeats(const char *name, u64 leaf, u64 status)
{
	const struct retry_policy *p = name ? policy_find(name) : NULL;

	return p && p->repeats && p->repeats(leaf, status);
}

void policy_tdr_lock(struct kvm *kvm, bool exclusive)
{
	if (kvm->policy->tdr_lock)
		kvm->policy->tdr_lock(kvm, exclusive);
}

void policy_tdr_unlock(struct kvm *kvm, bool exclusive)
{
	if (kvm->policy->tdr_unlock)
		kvm->policy->tdr_unlock(kvm, exclusive);
}

bool kmmu_policy_arg(const char *name, u32 i, struct kmmu_arg *arg)
{
	const struct retry_policy *p = policy_find(name);
	const struct policy_arg *a;

	if (!p || !p->args)
		return false;
	for (a = p->args; a->name; a++, i--) {
		if (i)
			continue;
		*arg = (struct kmmu_arg){ a->name, a->text, a->value, a->min, a->max };
		return true;
	}
	return false;
}

static int arg_find(const struct retry_policy *p, const char *name, size_t n)
{
	int i;

	for (i = 0; p->args && p->args[i].name; i++) {
		if (strlen(p->args[i].name) == n && !strncmp(p->args[i].name, name, n))
			return i;
	}
	return -1;
}

bool policy_parse_args(const struct retry_policy *p, const char *const *list,
		       u64 values[POLICY_ARGS], GError **err)
{
	int i;

	for (i = 0; p->args && p->args[i].name; i++)
		values[i] = p->args[i].value;
	for (; list && *list; list++) {
		const char *eq = strchr(*list, '=');
		guint64 v;

		i = eq ? arg_find(p, *list, eq - *list) : -1;
		if (i < 0) {
			g_set_error(err, KMMU_ERROR, KMMU_ERROR_POLICY_ARG,
				    "this policy has no argument '%s'%s%s%s", *list,
				    p->args ? "; it has '" : "", p->args ? p->args[0].name : "",
				    p->args ? "'" : "");
			return false;
		}
		if (!g_ascii_string_to_unsigned(eq + 1, 10, p->args[i].min, p->args[i].max, &v,
						NULL)) {
			g_set_error(err, KMMU_ERROR, KMMU_ERROR_POLICY_ARG,
				    "%s is a number from %" G_GUINT64_FORMAT " to %"
				    G_GUINT64_FORMAT, p->args[i].name,
				    (guint64)p->args[i].min, (guint64)p->args[i].max);
			return false;
		}
		values[i] = v;
	}
	return true;
}
