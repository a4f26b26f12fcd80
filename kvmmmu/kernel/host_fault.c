// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fault of the processor's in a kernel tree's code is a broken rule, as an oops is in Linux. A
 * pointer that leads nowhere is seen before it is used, by the compiler's hooks and the shim
 * (khost_nowhere()); what has no hook (a bitfield) raises a signal, whose handler only lets the
 * actor go on in khost_fault() instead, on its own stack, as if it had been called there.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

#include "kvmmmu/kernel/host.h"
#include "sim/engine/check.h"
#include "sim/engine/sim.h"

#define NEAR	0x10000ull
#define FREED	0xdbdbdbdbdbdbdbdbull	/* what the world fills with that is freed: arena.c */
#define RED	256u			/* below the stack pointer: a leaf function's */

static bool freed(u64 p)
{
	return p - FREED + NEAR < 2 * NEAR;
}

void khost_oops(const void *p, const struct site *site)
{
	u64 at = (u64)p;

	khost_die_at_setup("an access of an address that is nowhere");
	khost_settle();
	if (freed(at))
		check_fail("use-after-free", "", "a pointer out of memory that was freed is used in %s() at "
			   "%s:%u", site->func, khost_tree_file(site->file), site->line);
	else
		check_fail("kvm-oops", "", "%s, address 0x%" PRIx64 ", in %s() at %s:%u",
			   at < NEAR ? "NULL pointer dereference" : "access of a bad address", at,
			   site->func, khost_tree_file(site->file), site->line);
	actor_exit();
}

static void __noreturn khost_fault(const void *pc, u64 at, u64 poison)
{
	const struct site *site = khost_site_near(pc);

	khost_die_at_setup("a fault in its code");
	khost_settle();
	if (poison)
		check_fail("use-after-free", "", "a pointer out of memory that was freed is used, near %s() "
			   "at %s:%u", site->func, khost_tree_file(site->file), site->line);
	else
		check_fail("kvm-oops", "", "access of a bad address, 0x%" PRIx64 ", near %s() at %s:%u", at,
			   site->func, khost_tree_file(site->file), site->line);
	actor_exit();
}

/* Nothing but registers is touched here. What is not the tree's dies of it the next time. */
static void on_fault(int sig, siginfo_t *info, void *context)
{
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	u64 pc = (u64)r[REG_RIP], poison = 0;

	if (pc < (u64)ksim_text_start || pc >= (u64)ksim_text_end || !sim_self) {
		signal(sig, SIG_DFL);
		return;
	}
	for (int i = REG_R8; i <= REG_RCX; i++)
		poison |= freed((u64)r[i]);
	r[REG_RDI] = (greg_t)pc;
	r[REG_RSI] = (greg_t)info->si_addr;
	r[REG_RDX] = (greg_t)poison;
	r[REG_RSP] = (((u64)r[REG_RSP] - RED) & ~15ull) - 8;	/* as a call leaves it */
	r[REG_RIP] = (greg_t)khost_fault;
}

void khost_watch_faults(struct sim *sim)
{
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

	sigemptyset(&sa.sa_mask);
	sim_on_fault(sim, &sa);
}
