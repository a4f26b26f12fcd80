// SPDX-License-Identifier: GPL-2.0-only
/*
 * The words of the scenario language. "supported" is the mark of what the player can do
 * now; flip it when the model learns more. Locks and their kinds rest on the lock table
 * of the TDX module (TDX_1.5.01) and on Linux's mmu_lock, slots_lock and friends.
 */
#include "scenarios/words.h"

#include <string.h>

#define HOST	SCN_SIDE_IS_HOST
#define GUEST	SCN_SIDE_IS_GUEST
#define BOTH	SCN_SIDE_IS_BOTH

/* name, code, side, supported, vCPU thread wanted, arguments */
const struct scn_op_word scn_op_words[] = {
	{ "run", SCN_OP_RUN, HOST, TRUE, TRUE, "[memory-fault=stop|retry|convert] [times=N]" },
	{ "fault", SCN_OP_FAULT, HOST, TRUE, TRUE, "G [private|shared] [2M]" },
	{ "prefault", SCN_OP_PREFAULT, HOST, TRUE, TRUE, "R" },
	{ "zap", SCN_OP_ZAP, HOST, TRUE, FALSE, "R" },
	{ "punch", SCN_OP_PUNCH, HOST, TRUE, FALSE, "R" },
	{ "convert", SCN_OP_CONVERT, HOST, TRUE, FALSE, "R shared|private" },
	{ "slot delete", SCN_OP_SLOT_DELETE, HOST, TRUE, FALSE, "R" },
	{ "slot move", SCN_OP_SLOT_MOVE, HOST, TRUE, FALSE, "R [to G]" },
	{ "slot add", SCN_OP_SLOT_ADD, HOST, TRUE, FALSE, "R" },
	{ "notify", SCN_OP_NOTIFY, HOST, TRUE, FALSE, "R" },
	{ "recover-nx", SCN_OP_RECOVER_NX, HOST, TRUE, FALSE, "" },
	{ "collapse", SCN_OP_COLLAPSE, HOST, TRUE, FALSE, "R" },
	{ "split", SCN_OP_SPLIT, HOST, TRUE, FALSE, "G" },
	{ "shadow-page", SCN_OP_SHADOW_PAGE, HOST, TRUE, FALSE, "G" },
	{ "age", SCN_OP_AGE, HOST, TRUE, FALSE, "R" },
	{ "test-age", SCN_OP_TEST_AGE, HOST, TRUE, FALSE, "R" },
	{ "get-dirty", SCN_OP_GET_DIRTY, HOST, TRUE, FALSE, "G" },
	{ "log-dirty", SCN_OP_LOG_DIRTY, HOST, TRUE, FALSE, "R on|off" },
	{ "clear-dirty", SCN_OP_CLEAR_DIRTY, HOST, TRUE, FALSE, "R" },
	{ "reuse-page", SCN_OP_REUSE_PAGE, HOST, TRUE, FALSE, "G" },
	{ "rcu-quiesce", SCN_OP_RCU_QUIESCE, HOST, TRUE, FALSE, "" },
	{ "init-vm", SCN_OP_INIT_VM, HOST, TRUE, FALSE, "" },
	{ "create-vcpu", SCN_OP_CREATE_VCPU, HOST, TRUE, TRUE, "" },
	{ "init-vcpu", SCN_OP_INIT_VCPU, HOST, TRUE, TRUE, "" },
	{ "finalize", SCN_OP_FINALIZE, HOST, TRUE, FALSE, "" },
	{ "build", SCN_OP_BUILD, HOST, TRUE, TRUE, "R" },
	{ "migrate", SCN_OP_MIGRATE, HOST, TRUE, FALSE, "vCPUn lpM" },
	{ "close", SCN_OP_CLOSE, HOST, TRUE, FALSE, "vCPUn" },
	{ "cpu-offline", SCN_OP_CPU_OFFLINE, HOST, TRUE, FALSE, "lpN" },
	{ "release-hkid", SCN_OP_RELEASE_HKID, HOST, TRUE, FALSE, "" },
	{ "terminate", SCN_OP_TERMINATE, HOST, TRUE, FALSE, "" },
	{ "destroy", SCN_OP_DESTROY, HOST, TRUE, FALSE, "" },
	{ "kick", SCN_OP_KICK, HOST, TRUE, FALSE, "" },
	{ "track", SCN_OP_TRACK, HOST, TRUE, FALSE, "" },
	{ "seamcall", SCN_OP_SEAMCALL, HOST, TRUE, FALSE, "LEAF k=v..." },
	{ "acquire", SCN_OP_ACQUIRE, HOST, TRUE, FALSE,
	  "LOCK [shared|exclusive] [host|guest] [retry=N|inf]" },
	{ "release", SCN_OP_RELEASE, HOST, TRUE, FALSE, "LOCK" },
	{ "compute", SCN_OP_COMPUTE, BOTH, TRUE, FALSE, "CYCLES" },
	{ "signal", SCN_OP_SIGNAL, HOST, TRUE, FALSE, "ACTOR [after CYCLES]" },
	{ "need-resched", SCN_OP_NEED_RESCHED, HOST, TRUE, FALSE, "ACTOR" },
	{ "interrupt", SCN_OP_INTERRUPT, HOST, TRUE, FALSE, "lpN" },
	{ "inject", SCN_OP_INJECT, HOST, TRUE, FALSE, "LEAF@N STATUS[|OPERAND]" },
	{ "set", SCN_OP_SET, HOST, TRUE, FALSE, "REGION = V" },
	{ "access", SCN_OP_ACCESS, GUEST, TRUE, FALSE,
	  "G[,G...] [read|write|exec] [private|shared]" },
	{ "accept", SCN_OP_ACCEPT, GUEST, TRUE, FALSE, "G|R [2M]" },
	{ "map-gpa", SCN_OP_MAP_GPA, GUEST, TRUE, FALSE, "R shared|private" },
	{ "vmcall", SCN_OP_VMCALL, GUEST, TRUE, FALSE, "" },
	{ "tdcall", SCN_OP_TDCALL, GUEST, TRUE, FALSE, "LEAF k=v..." },
	{ "halt", SCN_OP_HALT, GUEST, TRUE, FALSE, "" },
	{ "repeat", SCN_OP_REPEAT, BOTH, TRUE, FALSE, "N|inf ... end" },
	{ NULL }
};

/* name, kind, the module's, wants [n], takes @size, a guest can take it */
const struct scn_lock_word scn_lock_words[] = {
	{ "SEPT_TREE", SCN_LOCK_KIND_SHAREX, TRUE, FALSE, FALSE, FALSE },
	{ "TD_EPOCH", SCN_LOCK_KIND_SHAREX, TRUE, FALSE, FALSE, FALSE },
	{ "OP_STATE", SCN_LOCK_KIND_SHAREX, TRUE, FALSE, FALSE, TRUE },
	{ "TDR", SCN_LOCK_KIND_SHAREX, TRUE, FALSE, FALSE, TRUE },
	{ "TDVPR", SCN_LOCK_KIND_SHAREX, TRUE, TRUE, FALSE, FALSE },
	{ "PAMT", SCN_LOCK_KIND_SHAREX, TRUE, TRUE, TRUE, FALSE },
	{ "KOT", SCN_LOCK_KIND_SHAREX, TRUE, FALSE, FALSE, FALSE },
	{ "WBT", SCN_LOCK_KIND_MUTEX, TRUE, TRUE, FALSE, FALSE },
	{ "RTMR", SCN_LOCK_KIND_SHAREX, TRUE, FALSE, FALSE, TRUE },
	{ "SERVTD_BINDINGS", SCN_LOCK_KIND_SHAREX, TRUE, FALSE, FALSE, TRUE },
	{ "sept", SCN_LOCK_KIND_ENTRY, TRUE, TRUE, TRUE, TRUE },
	{ "mmu_lock", SCN_LOCK_KIND_RWLOCK, FALSE, FALSE, FALSE, FALSE },
	{ "slots_lock", SCN_LOCK_KIND_MUTEX, FALSE, FALSE, FALSE, FALSE },
	{ "kvm_lock", SCN_LOCK_KIND_MUTEX, FALSE, FALSE, FALSE, FALSE },
	{ "tdx_lock", SCN_LOCK_KIND_MUTEX, FALSE, FALSE, FALSE, FALSE },
	{ "cpu_hotplug_lock", SCN_LOCK_KIND_RWLOCK, FALSE, FALSE, FALSE, FALSE },
	{ "vcpu_mutex", SCN_LOCK_KIND_MUTEX, FALSE, FALSE, FALSE, FALSE },
	{ "folio_lock", SCN_LOCK_KIND_MUTEX, FALSE, FALSE, FALSE, FALSE },
	{ "tdp_mmu_pages_lock", SCN_LOCK_KIND_MUTEX, FALSE, FALSE, FALSE, FALSE },
	{ "mn_invalidate_lock", SCN_LOCK_KIND_MUTEX, FALSE, FALSE, FALSE, FALSE },
	{ "slots_arch_lock", SCN_LOCK_KIND_MUTEX, FALSE, FALSE, FALSE, FALSE },
	{ "filemap_invalidate_lock", SCN_LOCK_KIND_MUTEX, FALSE, FALSE, FALSE, FALSE },
	{ NULL }
};

const char *const scn_counter_words[] = {
	"busy", "kicks", "ipis", "retries", "vp-enters", "zero-step", "epf", "cycles", NULL
};

/* Used where there is no vocabulary of the model. */
const char *const scn_check_words[] = {
	"mirror-desync", "zap-lost", "stale-tlb", "free-while-mapped", "flush-owed",
	"module-fatal", "double-map", "page-leak", "hkid-leak", "list-corruption", "kvm-bug", "kvm-warn",
	"kvm-oops",
	"unexpected-exit", "use-after-free", "lock-order", "lock-context", "lock-held",
	"data-race", "dirty-lost", "unsynchronized-seamcall", "exclusion", "deadlock", "livelock", "starvation", NULL
};

const char *const scn_observation_words[] = {
	"hp-lost", "hp-leaked", "zero-step-armed", "single-step", "kick-idle", "known-race", NULL
};

/* Indexed by enum section_kind. */
const char *const scn_section_words[] = {
	"title", "source", "limit", "param", "sweep", "measure", "td", "variant", "policy",
	"actor", "guest", "init", "schedule", "expect", "tolerate", "forbid", "drop", "case", NULL
};

const struct scn_op_word *scn_op_word_find(const char *word, const char *next,
					   enum scn_op_side side, gboolean *two)
{
	const struct scn_op_word *w;
	size_t n = strlen(word);

	for (w = scn_op_words; w->name; w++) {
		if (!(w->side & side) || strncmp(w->name, word, n))
			continue;
		*two = w->name[n] == ' ';
		if (!w->name[n] || (*two && next && !strcmp(w->name + n + 1, next)))
			return w;
	}
	return NULL;
}

const struct scn_lock_word *scn_lock_word_find(const char *name)
{
	const struct scn_lock_word *w;

	for (w = scn_lock_words; w->name; w++) {
		if (!strcmp(w->name, name))
			return w;
	}
	return NULL;
}

static const char *const levels[] = {
	[SCN_LEVEL_NONE] = "none", [SCN_LEVEL_4K] = "4K", [SCN_LEVEL_2M] = "2M",
	[SCN_LEVEL_1G] = "1G", [SCN_LEVEL_512G] = "512G", [SCN_LEVEL_256T] = "256T",
};

int scn_level_find(const char *text)
{
	unsigned int i;

	for (i = SCN_LEVEL_4K; i < G_N_ELEMENTS(levels); i++) {
		if (!strcmp(levels[i], text))
			return i;
	}
	return SCN_LEVEL_NONE;
}

const char *scn_level_name(int level)
{
	return level >= 0 && level < (int)G_N_ELEMENTS(levels) ? levels[level] : "?";
}
