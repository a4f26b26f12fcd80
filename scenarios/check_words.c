// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every rule that is always looked at, and every observation, in one table. Which test
 * covers which id: tests/scenarios/checks-covered.txt.
 */
#include "scenarios/checks.h"

static const struct check_word words[] = {
	{ "mirror-desync", "at each quiescent point of a gfn, mirror and S-EPT agree in class and "
	  "level", FALSE, "scenarios/checks.c" },
	{ "zap-lost", "when a zap, punch or conversion returns, its gfns are not mapped by an older "
	  "page", FALSE, "scenarios/checks.c" },
	{ "stale-tlb", "no LP in a TD uses, or holds while there, a translation to a page that was "
	  "removed or reused", FALSE, "tdxmod" },
	{ "free-while-mapped", "no page goes back to the allocator while the S-EPT or a usable "
	  "translation maps it", FALSE, "scenarios/checks.c" },
	{ "flush-owed", "mmu_lock is not dropped with a flush owed", FALSE, "kvmmmu" },
	{ "module-fatal", "no sanity check of the TDX module fails", FALSE, "tdxmod" },
	{ "double-map", "no page is mapped at two gfns", FALSE, "scenarios/checks.c" },
	{ "page-leak", "nothing is left at the end that nobody owns", FALSE, "kvmmmu" },
	{ "hkid-leak", "a TD that is destroyed has given its HKID back", FALSE, "kvmmmu" },
	{ "list-corruption", "no list is changed by two at once or holds what was freed", FALSE,
	  "kvmmmu" },
	{ "kvm-bug", "no KVM_BUG_ON", FALSE, "kvmmmu" },
	{ "kvm-warn", "no WARN_ON", FALSE, "kvmmmu" },
	{ "kvm-oops", "a kernel tree uses no NULL pointer, no error number and no poison of a list as an "
	  "address", FALSE, "kvmmmu/kernel/host_fault.c" },
	{ "unexpected-exit", "KVM_RUN does not return an internal error", FALSE, "kvmmmu" },
	{ "use-after-free", "nothing that was freed is touched; references are counted right",
	  FALSE, "sim/engine" },
	{ "lock-order", "no two locks are taken in both orders", FALSE, "sim/engine" },
	{ "lock-context", "locks that must be held are; nobody sleeps in atomic context", FALSE,
	  "sim/engine" },
	{ "lock-held", "no lock is held when an operation or its actor ends", FALSE, "sim/engine" },
	{ "data-race", "no plain access of a kernel tree races another access", FALSE,
	  "kvmmmu/kernel/host_race.c" },
	{ "dirty-lost", "what the guest wrote and user space has no copy of is in the dirty log",
	  FALSE, "kvmmmu" },
	{ "unsynchronized-seamcall", "a SEAMCALL that KVM promises never to be BUSY is not, where "
	  "the promise's precondition holds", FALSE, "kvmmmu" },
	{ "exclusion", "no two actors hold by `acquire` what one of them holds exclusively", FALSE,
	  "scenarios/play_disturb.c" },
	{ "deadlock", "somebody can run", FALSE, "sim/engine" },
	{ "livelock", "somebody gets anywhere", FALSE, "scenarios/progress.c" },
	{ "starvation", "nobody is passed over for ever", FALSE, "scenarios/progress.c" },
	{ "hp-lost", "a guest got a lock after a host's BUSY and before any host", TRUE, "tdxmod" },
	{ "hp-leaked", "HOST_PRIORITY is set with no host attempt pending", TRUE, "tdxmod" },
	{ "zero-step-armed", "a vCPU's zero-step mitigation is on", TRUE, "tdxmod" },
	{ "single-step", "an early interrupt: the module steps the guest before it lands", TRUE,
	  "tdxmod" },
	{ "kick-idle", "a kick found nobody to kick", TRUE, "kvmmmu" },
	{ "known-race", "a data race that this kernel is known to have", TRUE,
	  "kvmmmu/kernel/races.txt" },
};

const struct check_word *check_words(guint *n)
{
	*n = G_N_ELEMENTS(words);
	return words;
}
