// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads, processors, interrupts, messages and SEAMCALLs of a kernel tree.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvmmmu/kernel/host.h"
#include "kvmmmu/kernel/ktree.h"
#include "kvmmmu/kernel/linux_priv.h"
#include "sim/engine/arena.h"
#include "sim/engine/check.h"
#include "sim/engine/hash.h"
#include "sim/engine/lp.h"
#include "sim/engine/mem.h"
#include "sim/engine/sim.h"
#include "sim/engine/task.h"
#include "sim/engine/tlb.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"
#include "tdxmod/seamcall.h"

/* --- what went wrong ----------------------------------------------------------------------- */

const char *khost_tree_file(const char *file)
{
	static const char *const at[][2] = {
		{ "/farm/kvm/", "arch/x86/kvm/" }, { "/farm/virt/", "virt/kvm/" },
		{ "/farm/tdx/", "arch/x86/virt/vmx/tdx/" }, { "/farm/include/", "include/" },
		{ "/farm/lib/", "lib/" }, { "/kvmmmu/kernel/", "kvmmmu/kernel/" },
	};
	char buf[200];

	for (u32 i = 0; i < ARRAY_SIZE(at); i++) {
		const char *p = strstr(file, at[i][0]);

		if (!p)
			continue;
		snprintf(buf, sizeof(buf), "%s%s", at[i][1], p + strlen(at[i][0]));
		return trace_intern(sim_current(), buf);
	}
	return file;
}

/* The gfn that it is about, if that is known: what the hook of the S-EPT was called for */
static const char *where(char *buf, size_t n)
{
	u64 about = khost()->about[sim_self->id];

	if (!about)
		return "";
	snprintf(buf, n, "0x%" PRIx64, about - 1);
	return buf;
}

/* KVM_BUG_ON() and TDX_BUG_ON() warn unless the VM is bugged already: that is how they look */
void ksim_warn(const char *cond, const char *file, int line)
{
	bool bug = strstr(cond, "vm_bugged");
	char buf[24];

	khost_settle();
	check_fail(bug ? "kvm-bug" : !strncmp(cond, "refcount_t", 10) ? "use-after-free" :
		   "kvm-warn", where(buf, sizeof(buf)), "%s at %s:%d", cond, khost_tree_file(file), line);
}

/* The set-up context cannot end as an actor does. */
void khost_die_at_setup(const char *what)
{
	if (!(sim_self->mode & MODE_ROOT))
		return;
	fprintf(stderr, "septsim: setting up the kernel tree's KVM: %s\n", what);
	exit(3);
}

void ksim_bug(const char *cond, const char *file, int line)
{
	khost_die_at_setup(cond);
	khost_settle();
	check_fail("kvm-bug", "", "%s at %s:%d", cond, khost_tree_file(file), line);
	actor_exit();
}

void ksim_missing(const char *name)
{
	khost_die_at_setup(name);
	khost_settle();
	check_fail("kvm-warn", name, "the tree called %s(), which nothing stands for here: see "
		   "docs/your-kernel.md", name);
	actor_exit();
}

void ksim_unexpected_exit(unsigned int vcpu, unsigned long reason)
{
	char buf[24];

	khost_settle();
	snprintf(buf, sizeof(buf), "0x%x", vcpu);
	check_fail("unexpected-exit", buf, "TDH.VP.ENTER of vCPU %u returned 0x%lx: "
		   "KVM_EXIT_INTERNAL_ERROR", vcpu, reason);
}

/*
 * Nobody flushes for a root that is invalid, nor for a VM whose vCPUs can never run again: who
 * loads another root does (kvm_tdp_mmu_zap_invalidated_roots(), kvm_tdp_mmu_zap_all() of v7.2).
 * Mirror entries are the module's affair, which flushes by TDH.MEM.TRACK.
 */
void ksim_leaf_unmapped(unsigned long gfn)
{
	struct khost *h = khost();
	u32 me = sim_self->id;
	void *tree = h->op_vm[me] ? h->op_vm[me]->tree : NULL;

	if (!tree || h->owes[me].vm || sim_self->mode & MODE_ROOT)
		return;
	if (!PEEK(ktree_wants_flush(tree, h->stored[me])))
		return;
	world_set(h->owes[me].vm, tree);
	world_set(h->owes[me].gfn, gfn);
}

void ksim_tlbs_flushed(void *tree)
{
	struct khost *h = khost();

	if (h->owes[sim_self->id].vm == tree)
		world_set(h->owes[sim_self->id].vm, NULL);
}

void khost_leaves_mmu(struct khost *h)
{
	char buf[24];

	world_set(h->owes[sim_self->id].vm, NULL);
	snprintf(buf, sizeof(buf), "0x%" PRIx64, h->owes[sim_self->id].gfn);
	check_fail("flush-owed", buf, "mmu_lock is dropped before the TLB flush that a zap owes");
}

void ksim_print(const char *fmt, ...)
{
	char buf[200];
	va_list ap;

	if (!trace_on())
		return;
	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	buf[strcspn(buf, "\n")] = '\0';
	trace_note(trace_intern(sim_current(), buf));
}

void ksim_note(const char *text)
{
	trace_note(text);
}

void ksim_call_event(const char *name, unsigned long arg)
{
	trace_call(name, arg);
}

void ksim_return_event(const char *name, unsigned long arg, unsigned long status)
{
	trace_return(name, arg, status);
}

void ksim_seam_event(const char *name, int ends)
{
	if (!trace_on())
		return;
	khost_settle();
	if (ends)
		trace_return0(name, 0);
	else
		trace_call0(name);
}

void ksim_fault_event(const char *name, unsigned long gfn, long ret, int level, unsigned long hpa)
{
	kmmu_trace_fault(name, gfn, ret, (u8)level, hpa);
}

void ksim_observe_idle_kick(unsigned long req)
{
	trace_observe("kick-idle", req);
}

void ksim_kick_requested(unsigned long vcpu)
{
	trace_kick("requested", vcpu);
}

/* --- threads ------------------------------------------------------------------------------- */

void *ksim_current(void)
{
	struct khost *h = khost();
	void **slot = &h->task[sim_self->id];

	if (!*slot) {
		void *t = world_alloc(ktree_task_size());

		ktree_task_init(t);
		world_set(*slot, t);
	}
	return *slot;
}

static const struct preempt_ops preempt = { ktree_sched_out, ktree_sched_in };

void ksim_preempt_register(void *n)
{
	khost_settle();
	if (n)
		preempt_notifier_register(&preempt, n);
	else
		preempt_notifier_unregister();
}

int ksim_need_resched(void)
{
	khost_settle();
	return need_resched();
}

int ksim_signal_pending(void)
{
	khost_settle();
	return signal_pending();
}

int ksim_work_pending(void)
{
	khost_settle();
	return mem_read32(&actor_self()->tif) & (TIF_SIGPENDING | TIF_NEED_RESCHED);
}

void ksim_relax(void)
{
	khost_settle();
	cpu_relax();
}

/* --- processors ---------------------------------------------------------------------------- */

int ksim_cpu(void)
{
	return lp_self();
}

int ksim_cpus(void)
{
	return khost()->cpus;
}

int ksim_cpu_online(int cpu)
{
	khost_settle();
	return (int)mem_read32(&khost()->online[cpu]);
}

void ksim_set_cpu_online(int cpu, int online)
{
	khost_settle();
	mem_write32(&khost()->online[cpu], (u32)online);
}

int ksim_package(int cpu)
{
	return lp_package((u16)cpu);
}

void ksim_irq_disable(void)
{
	khost_settle();
	local_irq_disable();
}

void ksim_irq_enable(void)
{
	khost_settle();
	local_irq_enable();
}

int ksim_irqs_disabled(void)
{
	return sim_self->mode & MODE_ROOT || irqs_disabled();
}

void ksim_call_one(int cpu, void (*fn)(void *), void *arg, int wait)
{
	khost_settle();
	smp_call_function_single((u16)cpu, fn, arg, wait);
	khost_settle();
}

void ksim_call_many(const unsigned long *mask, void (*fn)(void *), void *arg, int wait, int self)
{
	struct lp_mask m = { 0 };
	struct khost *h = khost();

	khost_settle();
	for (u16 cpu = 0; cpu < h->cpus; cpu++)
		if (!mask || mask[cpu / 64] >> (cpu % 64) & 1)
			lp_mask_set(&m, cpu);
	if (self)
		on_each_cpu_mask(&m, fn, arg, wait);
	else
		smp_call_function_many(&m, fn, arg, wait);
	khost_settle();
}

void ksim_kick_cpu(int cpu)
{
	khost_settle();
	lp_raise((u16)cpu, IRQ_KICK);
}

void ksim_ept_sync_global(void)
{
	khost_settle();
	tlb_flush_all(tlb_of(lp_self()));
}

/* --- the module ------------------------------------------------------------------------------ */

/* TDX_OPERAND_BUSY, of whatever operand */
static bool is_busy(u64 ret)
{
	return ret >> 32 == 0x80000200;
}

/*
 * The promise: behind the kick, with the gate up and other zappers and faulters held off by
 * mmu_lock, nobody holds a lock of the module's.
 */
static void check_promise(u64 fn, u64 ret)
{
	const struct khost *h = khost();
	const struct kvm *kvm = h->op_vm[sim_self->id];
	char buf[24];

	if (!is_busy(ret) || !h->about[sim_self->id])
		return;
	if (!PEEK(ktree_peek_gate(kvm->tree)) || !linux_zaps(kvm))
		return;
	check_fail("unsynchronized-seamcall",
		   (fn & 0xffff) == TDH_MEM_TRACK ? "" : where(buf, sizeof(buf)),
		   "%s is busy (0x%" PRIx64 ") though all vCPUs are kicked out and kept out",
		   seamcall_name(fn & 0xffff), ret);
}

unsigned long ksim_seamcall(unsigned long fn, unsigned long *args)
{
	struct tdx_regs r = {
		.rax = fn, .rcx = args[0], .rdx = args[1], .r8 = args[2], .r9 = args[3],
		.r10 = args[4], .r11 = args[5], .r12 = args[6], .r13 = args[7], .r14 = args[8],
		.r15 = args[9],
	};
	u64 ret, call = hash_fold(fn, args[0], args[1]);

	khost_settle();
	if ((fn & 0xffff) == TDH_MNG_CREATE)
		ksim_name_td(args[0]);
	khost_calls(call);
	ret = seamcall(&r);
	khost_called(call, is_busy(ret));
	check_promise(fn, ret);
	ksim_plain_store(args, 10 * sizeof(*args), NULL);	/* vp_enter_args: not on a stack */
	args[0] = r.rcx;
	args[1] = r.rdx;
	args[2] = r.r8;
	args[3] = r.r9;
	args[4] = r.r10;
	args[5] = r.r11;
	args[6] = r.r12;
	args[7] = r.r13;
	args[8] = r.r14;
	args[9] = r.r15;
	khost_settle();
	return ret;
}
