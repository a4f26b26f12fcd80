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
static void unsynchronized_seamcall(void **state)
{
	struct machine m;
	u32 pass;

	for (pass = 0; pass < 2; pass++) {
		machine_new(&m, &(struct machine_options){
			.variant = { "kvm=v7.2", pass ? "no-kick" : NULL },
			.tolerate = { "unsynchronized-seamcall", "kvm-bug" } });
		machine_once(&m, 0, 0, op_fault, 0x10, 0);
		assert_int_equal(check_count(m.sim), 0);
		machine_once(&m, 2, NO_VCPU, hold, 0, 0);
		machine_once(&m, 1, NO_VCPU, op_zap, 0x10, 0x11);
		assert_int_equal(m.busy[TDH_MEM_RANGE_BLOCK], 2);
		assert_true(has_violation(&m, "kvm-bug"));
		/* without the kick nothing was promised */
		assert_int_equal(has_violation(&m, "unsynchronized-seamcall"), !pass);
		machine_free(&m);
	}
}

/* A dead VM: its ioctls say so, one violation and no more, running vCPUs leave. */
static void kvm_bug_kills(void **state)
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

/* The module has the vCPU on another LP than KVM believes: the entry fails for good. */
static void unexpected_exit(void **state)
{
	struct machine m;

	machine_new(&m, &(struct machine_options){ .tolerate = { "unexpected-exit" } });
	kmmu_vcpu_set_guest(kmmu_vcpu(m.kvm, 0), &hlt_program);
	assert_string_equal(machine_once(&m, 0, 0, op_run, 0, 1).what, "HLT");
	assert_silent(&m);
	machine_free(&m);

	machine_new(&m, &(struct machine_options){ .tolerate = { "unexpected-exit" } });
	kmmu_vcpu_set_guest(kmmu_vcpu(m.kvm, 0), &hlt_program);
	machine_once(&m, 1, NO_VCPU, enter_behind_kvm, 0, 0);
	assert_string_equal(machine_once(&m, 0, 0, op_run, 0, 1).what, "INTERNAL_ERROR");
	assert_true(has_violation(&m, "unexpected-exit"));
	machine_free(&m);
}

static void lock_twice(struct job *j)
{
	kvm_vcpu_srcu_read_lock(j->vcpu);
	kvm_vcpu_srcu_read_lock(j->vcpu);
}

static void leave_window(struct job *j)
{
	struct kvm *kvm = j->m->kvm;

	write_lock(&kvm->mmu_lock);
	kvm_mmu_invalidate_start(kvm);
	kvm_mmu_invalidate_range_add(kvm, 0x10, 0x11);
	write_unlock(&kvm->mmu_lock);
}

static void kvm_warn(void **state)
{
	struct machine m;

	machine_new(&m, &(struct machine_options){ .tolerate = { "kvm-warn", "lock-held" } });
	machine_once(&m, 0, 0, lock_twice, 0, 0);
	assert_true(has_violation(&m, "kvm-warn"));
	machine_free(&m);
	machine_new(&m, &(struct machine_options){ .tolerate = { "kvm-warn" } });
	machine_once(&m, 1, NO_VCPU, leave_window, 0, 0);
	assert_int_equal(check_count(m.sim), 0);	/* open windows are legal, at the end not */
	kmmu_check_end(m.kvm);
	assert_true(has_violation(&m, "kvm-warn"));
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
		cmocka_unit_test(unsynchronized_seamcall),
		cmocka_unit_test(kvm_bug_kills),
		cmocka_unit_test(failed_removal),
		cmocka_unit_test(unexpected_exit),
		cmocka_unit_test(kvm_warn),
		cmocka_unit_test(lock_context),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
