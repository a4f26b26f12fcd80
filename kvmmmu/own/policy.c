// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of retry policies and their arguments ("policy v19 retries=5").
 */
#include "kvmmmu/own/policy.h"

#include <string.h>

#include "kvmmmu/own/variant.h"

/* X(policy, name, text, kernels, source) */
#define POLICIES(X)								\
	X(policy_v6_16, "v6.16",						\
	  "install once, again from the fault handler until signal or dead VM; remove once, " \
	  "then once more behind kick and entry gate",				\
	  "v6.16..v6.17", "arch/x86/kvm/vmx/tdx.c of v6.16")		\
	X(policy_v7_2, "v6.18",							\
	  "as v6.16; the fault handler also leaves when the memslot is INVALID",	\
	  "v6.18", "commit 2bc2694fe20b")					\
	X(policy_v7_2, "v6.19", "as v6.18", "v6.19", "commit 3d626ce5a8cc")	\
	X(policy_v7_2, "v7.2", "as v6.18", "v7.2", "arch/x86/kvm/vmx/tdx.c of v7.2") \
	X(policy_resume_guest, "resume-guest",					\
	  "install once; a busy or frozen entry resumes the guest, which faults again; " \
	  "remove as v6.16",							\
	  "before v6.16", "<ZuR09EqzU1WbQYGd@google.com>")			\
	X(policy_v19, "v19",							\
	  "repeat up to 16 times on exactly BUSY|SEPT_TREE; PAGE.REMOVE and TRACK without " \
	  "end, mmu_lock held; no kick; faults resume the guest",		\
	  "v10..v19 of the series",						\
	  "<d705a6c6a81246a77f83befd1865d0c4194b2d28..git.isaku.yamahata@intel.com>") \
	X(policy_v19_10000, "v19-10000",					\
	  "repeat up to 10000 times on any recoverable error, mmu_lock held; no kick", \
	  "downstream", "as v19, downstream form")				\
	X(policy_rfc, "rfc",							\
	  "install once, again from the fault handler until signal; remove once, then once " \
	  "more behind a request on each vCPU; busy is any error (A14)",	\
	  "RFC, November 2024", "<20241121115139.26338-1-yan.y.zhao@intel.com>") \
	X(policy_v1, "v1",							\
	  "as rfc, with the entry gate; TRACK compares the status",		\
	  "v1, January 2025", "<20250113020925.18789-1-yan.y.zhao@intel.com>")	\
	X(policy_mmu_write_lock, "mmu-write-lock",				\
	  "faults hold mmu_lock for write; the rest as v6.16",			\
	  "proposal", "<Zt-LmzUSyljHGcMO@google.com>")				\
	X(policy_seamcall_lock, "seamcall-lock",				\
	  "a spinlock of the VM around each S-EPT SEAMCALL; a busy removal is a KVM_BUG; " \
	  "faults resume the guest",						\
	  "proposal",								\
	  "<CABgObfayLGyWKERXkU+0gjeUg=Sp3r7GEQU=+13sUMpo36weWg@mail.gmail.com>") \
	X(policy_kick_on_zero_step, "kick-on-zero-step",			\
	  "faults resume the guest; TDH.VP.ENTER that finds the tree busy kicks all vCPUs; " \
	  "remove as v6.16",							\
	  "proposal", "<Zt-LmzUSyljHGcMO@google.com>")		\
	X(policy_enter_barrier, "enter-barrier",				\
	  "faults resume the guest; a busy TDH.VP.ENTER takes and drops mmu_lock for write; " \
	  "remove as v6.16",							\
	  "proposal", "<Zt-LmzUSyljHGcMO@google.com>")		\
	X(policy_kick_first, "kick-first",					\
	  "gate and kick before BLOCK, gate down after REMOVE, each call once; faults as v6.16", \
	  "proposal", "<20250113021250.18948-1-yan.y.zhao@intel.com>")		\
	X(policy_zero_tolerance, "zero-tolerance",				\
	  "any BUSY is a KVM_BUG; faults resume the guest",			\
	  "proposal", "X9, as SGX's code")

#define WORD(policy, name, text, range, source) { name, text, range, source },
#define POLICY(policy, name, text, range, source) &policy,

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
