// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of a page's young and dirty marks: by the processor's bits, its page-modification
 * log, or KVM's own write protection and access tracking where there are no such bits.
 */
#include "tests/kvmmmu/machine.h"

#include <errno.h>
#include <string.h>

#include "kvmmmu/own/dirty_log.h"
#include "kvmmmu/own/kvm_host.h"
#include "kvmmmu/own/spte.h"
#include "sim/engine/arena.h"
#include "sim/engine/mem.h"
#include "tdxmod/guest.h"

static const char *const kernels[] = { "kvm=v6.16", "kvm=v6.18", "kvm=v6.19", "kvm=v7.2",
				       "kvm=v7.3" };

#define GPA(gfn) ((u64)(gfn) << 12)
#define PAGES 600u	/* more than a page-modification log has entries */

static struct guest_insn pages_insn[PAGES + 1];

static const struct guest_insn write_insn[] = {
	{ .op = GUEST_ACCESS, .access = GUEST_WRITE, .ngpa = 1, .gpa = { GPA(0x10) } },
	{ .op = GUEST_HALT },
};
static const struct guest_insn read_insn[] = {
	{ .op = GUEST_ACCESS, .ngpa = 1, .gpa = { GPA(0x10) } }, { .op = GUEST_HALT },
};
static const struct guest_program write_10 = { write_insn, ARRAY_SIZE(write_insn) };
static const struct guest_program read_10 = { read_insn, ARRAY_SIZE(read_insn) };

static struct guest_program write_pages(void)
{
	for (u32 i = 0; i < PAGES; i++)
		pages_insn[i] = (struct guest_insn){ .op = GUEST_ACCESS, .access = GUEST_WRITE,
						     .ngpa = 1, .gpa = { GPA(i) } };
	pages_insn[PAGES].op = GUEST_HALT;
	return (struct guest_program){ pages_insn, PAGES + 1 };
}

static u64 direct(struct machine *m, u64 gfn)
{
	struct mirror_view v;

	kmmu_direct_peek(m->kvm, gfn, &v);
	return v.raw;
}

static void run(struct machine *m, const struct guest_program *p)
{
	kmmu_set_guest(m->kvm, 0, p);
	assert_int_equal(machine_once(m, 0, 0, op_run, MEMORY_FAULT_STOP, 0).ret, KVM_EXIT_HLT);
}

static u64 host(struct machine *m, void (*op)(struct job *j), u64 a, u64 b)
{
	return (u64)machine_once(m, 1, NO_VCPU, op, a, b).ret;
}

static bool logged(struct machine *m, u64 gfn)
{
	const struct kvm *kvm = m->kvm;
	const struct kvm_memory_slot *s =
		(const struct kvm_memory_slot *)kvm->slots[mem_peek32(&kvm->memslots)].slot[0];

	return mem_peek64(&s->dirty_bitmap[(gfn - s->base_gfn) / 64]) >>
	       ((gfn - s->base_gfn) % 64) & 1;
}

/* --- aging ------------------------------------------------------------------------------ */

static void test_age_changes_nothing(void **state)
{
	struct machine m;

	for (u32 k = 0; k < ARRAY_SIZE(kernels); k++) {
		machine_new(&m, &(struct machine_options){ .type = KMMU_DEFAULT,
							   .variant = { kernels[k] } });
		assert_int_equal(host(&m, op_test_age, 0, 0x20), 0);
		run(&m, &read_10);
		assert_int_equal(host(&m, op_test_age, 0, 0x20), 1);
		assert_int_equal(host(&m, op_test_age, 0, 0x20), 1);
		assert_int_equal(host(&m, op_test_age, 0x11, 0x20), 0);
		assert_int_equal(host(&m, op_age, 0, 0x20), 1);
		assert_int_equal(host(&m, op_test_age, 0, 0x20), 0);
		assert_silent(&m);
		machine_free(&m);
	}
}

/*
 * Without accessed bits an old leaf allows nothing; R and X come back with the next access that
 * faults, W with the next write, without mmu_lock.
 */
static void access_tracking(void **state)
{
	struct machine m;

	for (u32 k = 0; k < ARRAY_SIZE(kernels); k++) {
		machine_new(&m, &(struct machine_options){ .type = KMMU_DEFAULT, .no_ad = true,
							   .variant = { kernels[k] } });
		run(&m, &write_10);
		assert_int_equal(direct(&m, 0x10) & SPTE_RWX, SPTE_RWX);
		assert_int_equal(host(&m, op_age, 0x10, 0x11), 1);
		assert_true(is_shadow_present_pte(direct(&m, 0x10)));
		assert_int_equal(direct(&m, 0x10) & SPTE_RWX, 0);
		assert_int_equal(host(&m, op_age, 0x10, 0x11), 0);
		host(&m, op_log_dirty, 0x400, true);	/* flushes */
		host(&m, op_log_dirty, 0x400, false);
		run(&m, &read_10);
		assert_int_equal(direct(&m, 0x10) & SPTE_RWX, SPTE_RWX & ~SPTE_WRITABLE);
		assert_int_equal(host(&m, op_test_age, 0x10, 0x11), 1);
		run(&m, &write_10);
		assert_int_equal(direct(&m, 0x10) & SPTE_RWX, SPTE_RWX);
		assert_silent(&m);
		machine_free(&m);
	}
}

/* Prefault leaves what it maps old, which without accessed bits is not accessible. */
static void prefault_tracked(void **state)
{
	struct machine m;

	machine_new(&m, &(struct machine_options){ .type = KMMU_DEFAULT, .no_ad = true });
	machine_once(&m, 0, 0, op_prefault, 0x10, 0x11);
	assert_int_equal(direct(&m, 0x10) & SPTE_RWX, 0);
	assert_int_equal(host(&m, op_test_age, 0x10, 0x11), 0);
	run(&m, &read_10);
	assert_int_equal(host(&m, op_test_age, 0x10, 0x11), 1);
	assert_silent(&m);
	machine_free(&m);
}

/* Prefault is a read: without accessed and dirty bits it leaves to the guest's write what the log waits for. */
static void prefault_keeps_log(void **state)
{
	struct machine m;

	machine_new(&m, &(struct machine_options){ .type = KMMU_DEFAULT, .no_ad = true,
						   .dirty_log = true });
	run(&m, &write_10);
	host(&m, op_get_dirty, 0x10, 0);
	assert_int_equal(direct(&m, 0x10) & SPTE_RWX, SPTE_RWX & ~SPTE_WRITABLE);
	assert_int_equal(machine_once(&m, 0, 0, op_prefault, 0x10, 0x11).ret, 0);
	assert_int_equal(direct(&m, 0x10) & SPTE_RWX, SPTE_RWX & ~SPTE_WRITABLE);
	run(&m, &write_10);
	assert_int_equal(direct(&m, 0x10) & SPTE_RWX, SPTE_RWX);
	assert_silent(&m);
	machine_free(&m);
}

/* --- the log ------------------------------------------------------------------------------ */

/* The log of the processor is full once, and emptied at the exit that this is. */
static void pml_fills(void **state)
{
	struct guest_program p = write_pages();
	struct machine m;

	for (u32 k = 0; k < ARRAY_SIZE(kernels); k++) {
		machine_new(&m, &(struct machine_options){ .type = KMMU_DEFAULT,
							   .variant = { kernels[k] } });
		run(&m, &p);
		assert_int_equal(host(&m, op_log_dirty, 0x400, true), 0);
		assert_false(direct(&m, 5) & SPTE_DIRTY);
		assert_true(is_writable_pte(direct(&m, 5)));
		assert_false(logged(&m, 5));
		run(&m, &p);			/* no fault: only the log */
		assert_int_equal(m.pml_full, 1);
		for (u32 i = 0; i < 0x400; i++)
			assert_int_equal(logged(&m, i), i < PAGES);
		assert_true(direct(&m, 5) & SPTE_DIRTY);
		assert_int_equal(host(&m, op_get_dirty, 0, 0), 0);
		assert_false(direct(&m, 5) & SPTE_DIRTY);
		assert_false(logged(&m, 5));
		assert_int_equal(host(&m, op_log_dirty, 0x400, false), 0);
		run(&m, &p);			/* the vCPU's control is off again */
		assert_int_equal(m.pml_full, 1);
		assert_silent(&m);
		machine_free(&m);
	}
}

/* A slot that moves takes its log with it, also what comes of a vCPU's own on the way. */
static void log_moves(void **state)
{
	struct machine m;

	machine_new(&m, &(struct machine_options){ .type = KMMU_DEFAULT });
	host(&m, op_slot_delete, 0, 0x400);
	host(&m, op_slot_add, 0, 0x200);
	host(&m, op_log_dirty, 0x200, true);
	run(&m, &write_10);
	assert_true(logged(&m, 0x10));
	assert_int_equal(host(&m, op_slot_move_to, 0x200, 0), 0);
	assert_true(logged(&m, 0x210));
	assert_int_equal(host(&m, op_get_dirty, 0x200, 0), 0);
	assert_int_equal(host(&m, op_slot_delete, 0x200, 0x400), 0);
	assert_int_equal(host(&m, op_get_dirty, 0x200, 0), (u64)-ENOENT);
	assert_silent(&m);
	machine_free(&m);
}

/* What is cleared in a log that was set at first is split, and protected from the fast path. */
static void initially_set(void **state)
{
	struct machine m;

	machine_new(&m, &(struct machine_options){
		.type = KMMU_DEFAULT, .max_level = 2,
		.manual_protect = KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE | KVM_DIRTY_LOG_INITIALLY_SET });
	run(&m, &write_10);
	assert_true(is_large_pte(direct(&m, 0x10)));
	host(&m, op_log_dirty, 0x400, true);
	assert_true(is_large_pte(direct(&m, 0x10)) && is_writable_pte(direct(&m, 0x10)));
	assert_true(logged(&m, 0x10) && logged(&m, 0x3ff));
	host(&m, op_clear_dirty, 0, 0x40);	/* it has not been told of anything yet */
	assert_true(logged(&m, 0x10));
	host(&m, op_get_dirty, 0, 0);
	host(&m, op_clear_dirty, 0, 0x40);
	assert_false(logged(&m, 0x10));
	assert_true(logged(&m, 0x40));
	assert_false(is_large_pte(direct(&m, 0x10)));
	assert_false(direct(&m, 0x10) & SPTE_DIRTY);
	run(&m, &write_10);
	assert_true(logged(&m, 0x10));
	assert_silent(&m);
	machine_free(&m);
}

/* --- dirty-lost ------------------------------------------------------------------------------ */

/* Told of, not flushed: the second write goes through the translation that is cached. */
static void lose(struct machine *m, const char *without, bool manual)
{
	machine_new(m, &(struct machine_options){
		.type = KMMU_DEFAULT, .variant = { "kvm=v7.2", without }, .dirty_log = true,
		.manual_protect = manual, .tolerate = { "dirty-lost" } });
	run(m, &write_10);
	host(m, op_get_dirty, 0, 0);
	if (manual)
		host(m, op_clear_dirty, 0, 0x40);
	run(m, &write_10);
	kmmu_check_end(m->kvm);
}

static void dirty_lost_fires(void **state)
{
	struct machine m;

	for (int manual = 0; manual < 2; manual++) {
		lose(&m, "dirty-log-unflushed", manual);
		assert_true(has_violation(&m, "dirty-lost"));
		machine_free(&m);
	}
}

static void dirty_lost_silent(void **state)
{
	struct machine m;

	for (int manual = 0; manual < 2; manual++) {
		lose(&m, NULL, manual);
		assert_silent(&m);
		machine_free(&m);
	}
}

/* Written, and not copied by anybody: but it is in the log. */
static void dirty_lost_legal(void **state)
{
	struct machine m;

	machine_new(&m, &(struct machine_options){
		.type = KMMU_DEFAULT, .variant = { "kvm=v7.2", "dirty-log-unflushed" },
		.dirty_log = true, .manual_protect = 1 });
	run(&m, &write_10);
	kmmu_check_end(m.kvm);
	host(&m, op_get_dirty, 0, 0);		/* told of; user space copies when it clears */
	run(&m, &write_10);
	kmmu_check_end(m.kvm);
	assert_silent(&m);
	machine_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_age_changes_nothing),
		cmocka_unit_test(access_tracking),
		cmocka_unit_test(prefault_tracked),
		cmocka_unit_test(prefault_keeps_log),
		cmocka_unit_test(pml_fills),
		cmocka_unit_test(log_moves),
		cmocka_unit_test(initially_set),
		cmocka_unit_test(dirty_lost_fires),
		cmocka_unit_test(dirty_lost_silent),
		cmocka_unit_test(dirty_lost_legal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
