// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's own rules: what makes each fire, what leaves it silent, and a legal run that a
 * naive form of it would flag.
 */
#include "tests/kvmmmu/machine.h"

#include <errno.h>
#include <string.h>

#include "kvmmmu/own/kvm_main.h"
#include "sim/engine/mem.h"
#include "sim/engine/task.h"
#include "tdxmod/guest.h"
#include "tdxmod/observe.h"
#include "tdxmod/seamcall.h"

static void hold(struct job *j)
{
	struct module_lock l;

	assert_true(module_lock_find(kmmu_tdr(j->m->kvm), "SEPT_TREE", 0, 0, &l));
	module_lock_acquire(&l, ACQUIRE_EXCLUSIVE | ACQUIRE_HOST);
}

/* Somebody who is no vCPU holds a module lock: the kick does not help, a promise breaks. */
static void zap_beside_holder(struct machine *m, const char *without)
{
	machine_new(m, &(struct machine_options){
		.variant = { "kvm=v7.2", without },
		.tolerate = { "unsynchronized-seamcall", "kvm-bug" } });
	machine_once(m, 0, 0, op_fault, 0x10, 0);
	assert_int_equal(check_count(m->sim), 0);
	machine_once(m, 2, NO_VCPU, hold, 0, 0);
	machine_once(m, 1, NO_VCPU, op_zap, 0x10, 0x11);
	assert_int_equal(m->busy[TDH_MEM_RANGE_BLOCK], 2);
	assert_true(has_violation(m, "kvm-bug"));
}

static void unsynchronized_seamcall_fires(void **state)
{
	struct machine m;

	zap_beside_holder(&m, NULL);
	assert_true(has_violation(&m, "unsynchronized-seamcall"));
	machine_free(&m);
}

static void unsynchronized_seamcall_silent(void **state)
{
	struct machine m;

	machine_new(&m, &(struct machine_options){ .tolerate = { "unsynchronized-seamcall" } });
	machine_once(&m, 0, 0, op_fault, 0x10, 0);
	machine_once(&m, 1, NO_VCPU, op_zap, 0x10, 0x11);
	assert_int_equal(m.calls[TDH_MEM_PAGE_REMOVE], 1);
	assert_silent(&m);
	machine_free(&m);
}

/* Busy, and nothing was promised: nobody was kicked out, or kept out. */
static void unsynchronized_seamcall_legal(void **state)
{
	static const char *const without[] = { "no-kick", "no-entry-gate" };
	struct machine m;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(without); i++) {
		zap_beside_holder(&m, without[i]);
		assert_false(has_violation(&m, "unsynchronized-seamcall"));
		machine_free(&m);
	}
}

/* A dead VM: its ioctls say so, one violation and no more, running vCPUs leave. */
static void kvm_bug_fires(void **state)
{
	struct machine m;

	machine_new(&m, &(struct machine_options){
		.vcpus = 2, .tolerate = { "kvm-bug", "unsynchronized-seamcall" } });
	machine_once(&m, 0, 0, op_prefault, 0x10, 0x12);
	machine_once(&m, 2, NO_VCPU, hold, 0, 0);
	assert_false(kmmu_is_dead(m.kvm));
	machine_once(&m, 1, NO_VCPU, op_zap, 0x10, 0x12);
	assert_true(kmmu_is_dead(m.kvm));
	assert_int_equal(check_count(m.sim), 3);	/* two busy promises, one KVM_BUG */
	assert_int_equal(machine_once(&m, 0, 1, op_fault, 0x20, 0).ret, -EIO);
	assert_int_equal(machine_once(&m, 0, 1, op_run, 0, 1).ret, -EIO);
	assert_int_equal(machine_once(&m, 1, NO_VCPU, op_to_shared, 0x10, 0x11).ret, -EIO);
	assert_int_equal(machine_once(&m, 1, NO_VCPU, op_slot_delete, 0, 1024).ret, -EIO);
	machine_free(&m);
}

static void kvm_bug_silent(void **state)
{
	struct machine m;

	machine_new(&m, &(struct machine_options){ .tolerate = { "kvm-bug" } });
	machine_once(&m, 0, 0, op_prefault, 0x10, 0x12);
	machine_once(&m, 1, NO_VCPU, op_zap, 0x10, 0x12);
	assert_int_equal(m.calls[TDH_MEM_PAGE_REMOVE], 2);
	assert_silent(&m);
	assert_false(kmmu_is_dead(m.kvm));
	machine_free(&m);
}

/*
 * A page whose removal failed: pinned it leaks on purpose (to v6.18), unpinned it goes back
 * to the allocator though the S-EPT still maps it, behind the KVM_BUG's warning.
 */
static void failed_removal(void **state)
{
	static const char *const kernels[] = { "kvm=v6.16", "kvm=v6.18", "kvm=v6.19", "kvm=v7.2" };
	struct machine m;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(kernels); i++) {
		machine_new(&m, &(struct machine_options){
			.variant = { kernels[i] },
			.tolerate = { "kvm-bug", "unsynchronized-seamcall" } });
		machine_once(&m, 0, 0, op_fault, 0x10, 0);
		machine_once(&m, 2, NO_VCPU, hold, 0, 0);
		machine_once(&m, 1, NO_VCPU, op_punch, 0x10, 0x11);
		assert_true(kmmu_is_dead(m.kvm));
		assert_int_equal(machine_disagrees(&m), 0x10);
		assert_int_equal(m.page_frees, i >= 2);
		assert_int_equal(m.freed_while_mapped, i >= 2);
		machine_free(&m);
	}
}

static const struct guest_insn hlt[] = { { .op = GUEST_HALT, .text = "halt" } };
static const struct guest_program hlt_program = { .insn = hlt, .n = 1 };

static void enter_behind_kvm(struct job *j)
{
	struct tdx_regs r = { .rax = TDH_VP_ENTER, .rcx = kmmu_tdvpr(j->m->kvm, 0) };

	seamcall(&r);
}

static void run_hlt(struct machine *m, bool behind)
{
	machine_new(m, &(struct machine_options){ .tolerate = { "unexpected-exit" } });
	kmmu_set_guest(m->kvm, 0, &hlt_program);
	if (behind)
		machine_once(m, 1, NO_VCPU, enter_behind_kvm, 0, 0);
}

/* The module has the vCPU on another LP than KVM believes: the entry fails for good. */
static void unexpected_exit_fires(void **state)
{
	struct machine m;

	run_hlt(&m, true);
	assert_string_equal(machine_once(&m, 0, 0, op_run, 0, 1).what, "INTERNAL_ERROR");
	assert_true(has_violation(&m, "unexpected-exit"));
	machine_free(&m);
}

static void unexpected_exit_silent(void **state)
{
	struct machine m;

	run_hlt(&m, false);
	assert_string_equal(machine_once(&m, 0, 0, op_run, 0, 1).what, "HLT");
	assert_silent(&m);
	machine_free(&m);
}

static const struct guest_insn touch[] = {
	{ .op = GUEST_ACCESS, .ngpa = 1, .gpa = { 0x10000 }, .text = "access 0x10" },
};
static const struct guest_program touch_program = { .insn = touch, .n = 1 };

/* KVM_RUN fails, and user space was told to expect it: KVM_EXIT_MEMORY_FAULT. */
static void unexpected_exit_legal(void **state)
{
	struct kmmu_result r;
	struct machine m;

	machine_new(&m, &(struct machine_options){ .tolerate = { "unexpected-exit" } });
	kmmu_set_guest(m.kvm, 0, &touch_program);
	machine_once(&m, 1, NO_VCPU, op_to_shared, 0x10, 0x11);
	r = machine_once(&m, 0, 0, op_run, MEMORY_FAULT_STOP, 1);
	assert_int_equal(r.ret, -EFAULT);
	assert_string_equal(r.what, "MEMORY_FAULT");
	assert_silent(&m);
	machine_free(&m);
}

static void lock_twice(struct job *j)
{
	kvm_vcpu_srcu_read_lock(j->vcpu);
	kvm_vcpu_srcu_read_lock(j->vcpu);
}

static void lock_after_lock(struct job *j)
{
	kvm_vcpu_srcu_read_lock(j->vcpu);
	kvm_vcpu_srcu_read_unlock(j->vcpu);
	kvm_vcpu_srcu_read_lock(j->vcpu);
	kvm_vcpu_srcu_read_unlock(j->vcpu);
}

static void window(struct job *j, bool open)
{
	struct kvm *kvm = j->m->kvm;

	write_lock(&kvm->mmu_lock);
	if (open) {
		kvm_mmu_invalidate_start(kvm);
		kvm_mmu_invalidate_range_add(kvm, 0x10, 0x11);
	} else {
		kvm_mmu_invalidate_end(kvm);
	}
	write_unlock(&kvm->mmu_lock);
}

static void open_window(struct job *j)
{
	window(j, true);
}

static void close_window(struct job *j)
{
	window(j, false);
}

static void kvm_warn_fires(void **state)
{
	struct machine m;

	machine_new(&m, &(struct machine_options){ .tolerate = { "kvm-warn", "lock-held" } });
	machine_once(&m, 0, 0, lock_twice, 0, 0);
	assert_true(has_violation(&m, "kvm-warn"));
	machine_free(&m);
	machine_new(&m, &(struct machine_options){ .tolerate = { "kvm-warn" } });
	machine_once(&m, 1, NO_VCPU, open_window, 0, 0);
	kmmu_check_end(m.kvm);
	assert_int_equal(check_count(m.sim), 1);
	assert_true(has_violation(&m, "kvm-warn"));
	machine_free(&m);
}

static void kvm_warn_silent(void **state)
{
	struct machine m;

	machine_new(&m, &(struct machine_options){ .tolerate = { "kvm-warn" } });
	machine_once(&m, 0, 0, lock_after_lock, 0, 0);
	kmmu_check_end(m.kvm);
	assert_silent(&m);
	machine_free(&m);
}

/* Windows are open for a while, two at once, too: only at the end it is one too many. */
static void kvm_warn_legal(void **state)
{
	struct machine m;

	machine_new(&m, &(struct machine_options){ .tolerate = { "kvm-warn" } });
	machine_once(&m, 1, NO_VCPU, open_window, 0, 0);
	machine_once(&m, 2, NO_VCPU, open_window, 0, 0);
	machine_once(&m, 1, NO_VCPU, close_window, 0, 0);
	assert_int_equal(check_count(m.sim), 0);
	machine_once(&m, 2, NO_VCPU, close_window, 0, 0);
	kmmu_check_end(m.kvm);
	assert_silent(&m);
	machine_free(&m);
}

static void peek_slot(struct job *j)
{
	struct kvm *kvm = j->m->kvm;

	if (j->a)
		mutex_lock(&kvm->slots_lock);
	kvm_vcpu_gfn_to_memslot(j->vcpu, 0x10);
	if (j->a)
		mutex_unlock(&kvm->slots_lock);
}

/* Memslots want SRCU; slots_lock will do, too. */
static void lock_context(void **state)
{
	struct machine m;

	machine_new(&m, &(struct machine_options){ .tolerate = { "lock-context" } });
	machine_once(&m, 0, 0, peek_slot, true, 0);
	assert_int_equal(check_count(m.sim), 0);
	machine_once(&m, 0, 0, peek_slot, false, 0);
	assert_true(has_violation(&m, "lock-context"));
	machine_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unsynchronized_seamcall_fires),
		cmocka_unit_test(unsynchronized_seamcall_silent),
		cmocka_unit_test(unsynchronized_seamcall_legal),
		cmocka_unit_test(kvm_bug_fires),
		cmocka_unit_test(kvm_bug_silent),
		cmocka_unit_test(failed_removal),
		cmocka_unit_test(unexpected_exit_fires),
		cmocka_unit_test(unexpected_exit_silent),
		cmocka_unit_test(unexpected_exit_legal),
		cmocka_unit_test(kvm_warn_fires),
		cmocka_unit_test(kvm_warn_silent),
		cmocka_unit_test(kvm_warn_legal),
		cmocka_unit_test(lock_context),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
