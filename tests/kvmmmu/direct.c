// SPDX-License-Identifier: GPL-2.0-only
/*
 * The direct side, one actor at a time and then some: what faults, notifiers, memslots,
 * dirty logging and NX recovery leave in the tables that the hardware walks, in a TD's
 * shared half and in a VM without TDX.
 */
#include "tests/kvmmmu/machine.h"

#include <errno.h>
#include <string.h>

#include "kvmmmu/own/kvm_host.h"
#include "kvmmmu/own/tdp_mmu.h"
#include "sim/engine/arena.h"
#include "sim/engine/mem.h"
#include "sim/engine/region.h"
#include "sim/engine/tlb.h"
#include "tdxmod/guest.h"

static const char *const kernels[] = { "kvm=v6.16", "kvm=v6.18", "kvm=v6.19", "kvm=v7.2",
				       "kvm=v7.3" };

static struct mirror_view direct(struct machine *m, u64 gfn)
{
	struct mirror_view v;

	kmmu_direct_peek(m->kvm, gfn, &v);
	return v;
}

#define GPA(gfn) ((u64)(gfn) << 12)
#define PROGRAM(name, ...)							\
	static const struct guest_insn name##_insn[] = { __VA_ARGS__ };		\
	static const struct guest_program name = { name##_insn, ARRAY_SIZE(name##_insn) }

PROGRAM(write_10, { .op = GUEST_ACCESS, .access = GUEST_WRITE, .ngpa = 1, .gpa = { GPA(0x10) } },
	{ .op = GUEST_HALT });
PROGRAM(read_10, { .op = GUEST_ACCESS, .ngpa = 1, .gpa = { GPA(0x10) } }, { .op = GUEST_HALT });
PROGRAM(exec_10, { .op = GUEST_ACCESS, .access = GUEST_EXEC, .ngpa = 1, .gpa = { GPA(0x10) } },
	{ .op = GUEST_HALT });
PROGRAM(shared_10, { .op = GUEST_ACCESS, .access = GUEST_WRITE, .ngpa = 1, .gpa = { GPA(0x10) },
		     .shared = true }, { .op = GUEST_HALT });

static struct kmmu_result run(struct machine *m, const struct guest_program *p)
{
	kmmu_set_guest(m->kvm, 0, p);
	return machine_once(m, 0, 0, op_run, MEMORY_FAULT_STOP, 0);
}

/* --- a VM without TDX --------------------------------------------------------------------- */

/* What the fault installs is what the hardware walks; it sets A and D itself. */
static void guest_walks(void **state)
{
	struct machine m;
	struct mirror_view v;

	for (u32 k = 0; k < ARRAY_SIZE(kernels); k++) {
		machine_new(&m, &(struct machine_options){ .type = KMMU_DEFAULT,
							   .variant = { kernels[k] } });
		assert_int_equal(run(&m, &read_10).ret, KVM_EXIT_HLT);
		v = direct(&m, 0x10);
		assert_int_equal(v.class, MIRROR_LEAF);
		assert_int_equal(v.level, 1);
		assert_true(v.raw & SPTE_ACCESSED);
		assert_int_equal(machine_once(&m, 1, NO_VCPU, op_age, 0x10, 0x11).ret, 1);
		assert_false(direct(&m, 0x10).raw & SPTE_ACCESSED);
		assert_int_equal(machine_once(&m, 1, NO_VCPU, op_age, 0x10, 0x11).ret, 0);
		run(&m, &read_10);	/* nobody flushed: the TLB has it, and sets nothing */
		assert_false(direct(&m, 0x10).raw & SPTE_ACCESSED);
		machine_once(&m, 1, NO_VCPU, op_log_dirty, 0x400, true);	/* flushes */
		run(&m, &read_10);
		assert_true(direct(&m, 0x10).raw & SPTE_ACCESSED);
		assert_silent(&m);
		machine_free(&m);
	}
}

/* Prefault leaves A clear; the access sets it, without a fault. */
static void prefault_is_old(void **state)
{
	struct machine m;

	machine_new(&m, &(struct machine_options){ .type = KMMU_DEFAULT });
	assert_int_equal(machine_once(&m, 0, 0, op_prefault, 0x10, 0x12).ret, 0);
	assert_false(direct(&m, 0x11).raw & SPTE_ACCESSED);
	run(&m, &read_10);
	assert_true(direct(&m, 0x10).raw & SPTE_ACCESSED);
	assert_false(direct(&m, 0x11).raw & SPTE_ACCESSED);
	assert_silent(&m);
	machine_free(&m);
}

static void count_maps(void *ctx, const struct event *ev)
{
	u32 *maps = ctx;

	if (ev->type == EV_CALL && !strcmp(ev->name, "kvm_tdp_mmu_map"))
		(*maps)++;
}

/* What a huge page covers is not asked for again: KVM goes on behind it, or is done. */
static void prefault_of_huge(void **state)
{
	struct machine m;
	u32 maps;

	for (u32 k = 0; k < ARRAY_SIZE(kernels); k++) {
		machine_new(&m, &(struct machine_options){
			.type = KMMU_DEFAULT, .max_level = 2, .variant = { kernels[k] } });
		trace_listen_calls(m.sim, count_maps, &maps);
		maps = 0;
		assert_int_equal(machine_once(&m, 0, 0, op_prefault, 0x10, 0x13).ret, 0);
		assert_int_equal(maps, 1);
		assert_int_equal(machine_once(&m, 0, 0, op_prefault, 0x1ff, 0x202).ret, 0);
		assert_int_equal(maps, 3);
		assert_int_equal(direct(&m, 0x201).level, 2);
		machine_once(&m, 1, NO_VCPU, op_split, 0x200, 0);
		assert_int_equal(machine_once(&m, 0, 0, op_prefault, 0x1ff, 0x202).ret, 0);
		assert_int_equal(maps, 5);	/* the table is still allowed to be a page */
		assert_silent(&m);
		machine_free(&m);
	}
}

static void notifier_unmaps(void **state)
{
	struct machine m;
	u64 pfn;

	for (u32 k = 0; k < ARRAY_SIZE(kernels); k++) {
		machine_new(&m, &(struct machine_options){ .type = KMMU_DEFAULT,
							   .variant = { kernels[k] } });
		run(&m, &write_10);
		pfn = direct(&m, 0x10).pfn;
		assert_int_equal(machine_once(&m, 1, NO_VCPU, op_reuse, 0x10, 0).ret, -EBUSY);
		machine_once(&m, 1, NO_VCPU, op_notify, 0x10, 0x11);
		assert_int_equal(direct(&m, 0x10).class, MIRROR_NONPRESENT);
		assert_true(page_is_free(pfn << 12));
		assert_int_equal(m.page_frees, 1);
		assert_int_equal(machine_once(&m, 1, NO_VCPU, op_reuse, 0x10, 0).ret, 0);
		run(&m, &write_10);
		assert_int_not_equal(direct(&m, 0x10).pfn, pfn);
		assert_silent(&m);
		machine_free(&m);
	}
}

/* --- huge pages ---------------------------------------------------------------------------- */

static void huge_pages(void **state)
{
	struct machine m;
	struct mirror_view v;

	for (u32 k = 0; k < ARRAY_SIZE(kernels); k++) {
		machine_new(&m, &(struct machine_options){
			.type = KMMU_DEFAULT, .max_level = 2, .variant = { kernels[k] } });
		run(&m, &write_10);
		v = direct(&m, 0x10);
		assert_int_equal(v.level, 2);
		assert_int_equal(v.pfn & 511, 0x10);
		assert_int_equal(direct(&m, 0x11).pfn, v.pfn + 1);

		/* eager split: the same frames, no zap; and back again */
		machine_once(&m, 1, NO_VCPU, op_split, 0x10, 0);
		assert_int_equal(direct(&m, 0x10).level, 1);
		assert_int_equal(direct(&m, 0x11).pfn, v.pfn + 1);
		run(&m, &write_10);
		machine_once(&m, 1, NO_VCPU, op_collapse, 0, 0x400);
		assert_int_equal(direct(&m, 0x10).level, 2);
		assert_int_equal(direct(&m, 0x10).pfn, v.pfn);

		/* a part of it goes: all is unmapped, and what is left is small */
		machine_once(&m, 1, NO_VCPU, op_notify, 0x20, 0x21);
		assert_int_equal(direct(&m, 0x10).class, MIRROR_NONPRESENT);
		run(&m, &write_10);
		assert_int_equal(direct(&m, 0x10).level, 1);
		assert_int_equal(direct(&m, 0x10).pfn, v.pfn);
		assert_int_equal(direct(&m, 0x20).class, MIRROR_NONPRESENT);
		machine_once(&m, 1, NO_VCPU, op_quiesce, 0, 0);
		assert_silent(&m);
		machine_free(&m);
	}
}

/* An executed page may not be huge; the recovery lets it be so again, until it is executed. */
static void nx_recovery(void **state)
{
	struct machine m;

	for (u32 k = 0; k < ARRAY_SIZE(kernels); k++) {
		machine_new(&m, &(struct machine_options){
			.type = KMMU_DEFAULT, .max_level = 2, .nx_huge_pages = true,
			.variant = { kernels[k] } });
		run(&m, &write_10);
		assert_int_equal(direct(&m, 0x10).level, 2);
		assert_false(direct(&m, 0x10).raw & SPTE_EXECUTABLE);
		run(&m, &exec_10);
		assert_int_equal(direct(&m, 0x10).level, 1);
		assert_true(direct(&m, 0x10).raw & SPTE_EXECUTABLE);
		run(&m, &write_10);		/* the table stays */
		assert_int_equal(direct(&m, 0x10).level, 1);
		assert_int_equal(mem_peek64(&m.kvm->nx_nr), 1);
		machine_once(&m, 1, NO_VCPU, op_recover_nx, 0, 0);
		assert_int_equal(direct(&m, 0x10).class, MIRROR_NONPRESENT);
		assert_int_equal(mem_peek64(&m.kvm->nx_nr_shadow) + mem_peek64(&m.kvm->nx_nr), 0);
		run(&m, &write_10);
		assert_int_equal(direct(&m, 0x10).level, 2);
		machine_once(&m, 1, NO_VCPU, op_quiesce, 0, 0);
		assert_silent(&m);
		machine_free(&m);
	}
}

/* --- dirty logging -------------------------------------------------------------------------- */

static void dirty_log(void **state)
{
	struct machine m;

	for (u32 k = 0; k < ARRAY_SIZE(kernels); k++) {
		machine_new(&m, &(struct machine_options){
			.type = KMMU_DEFAULT, .max_level = 2, .no_pml = true,
			.variant = { kernels[k] } });
		run(&m, &write_10);
		assert_int_equal(machine_once(&m, 1, NO_VCPU, op_log_dirty, 0x400, true).ret, 0);
		assert_int_equal(direct(&m, 0x10).level, 1);
		assert_false(is_writable_pte(direct(&m, 0x10).raw));
		run(&m, &write_10);		/* fast_page_fault() */
		assert_true(is_writable_pte(direct(&m, 0x10).raw));
		assert_false(is_writable_pte(direct(&m, 0x11).raw));
		assert_int_equal(machine_once(&m, 1, NO_VCPU, op_clear_dirty, 0, 0x40).ret, 0);
		assert_false(is_writable_pte(direct(&m, 0x10).raw));
		run(&m, &write_10);
		assert_int_equal(machine_once(&m, 1, NO_VCPU, op_log_dirty, 0x400, false).ret, 0);
		assert_int_equal(direct(&m, 0x10).level, 2);
		machine_once(&m, 1, NO_VCPU, op_quiesce, 0, 0);
		assert_silent(&m);
		machine_free(&m);
	}
}

/* --- memslots -------------------------------------------------------------------------------- */

/* Deletion throws the roots away; what was memory is MMIO then, and memory again after that. */
static void fast_zap(void **state)
{
	struct machine m;
	struct kvm_mmu_page *root;

	for (u32 k = 0; k < ARRAY_SIZE(kernels); k++) {
		machine_new(&m, &(struct machine_options){ .type = KMMU_DEFAULT,
							   .variant = { kernels[k] } });
		run(&m, &write_10);
		root = m.kvm->vcpus[0]->root;
		assert_int_equal(machine_once(&m, 1, NO_VCPU, op_slot_delete, 0, 0x400).ret, 0);
		assert_true(mem_peek32(&root->invalid));
		assert_int_equal(mem_peek32(&root->root_count.count), 1);	/* the vCPU's */
		run(&m, &read_10);
		assert_ptr_not_equal(m.kvm->vcpus[0]->root, root);
		assert_int_equal(direct(&m, 0x10).class, MIRROR_MMIO);
		assert_int_equal(machine_once(&m, 1, NO_VCPU, op_slot_add, 0, 0x400).ret, 0);
		run(&m, &read_10);	/* the entry's generation is an old one */
		assert_int_equal(direct(&m, 0x10).class, MIRROR_LEAF);
		machine_once(&m, 1, NO_VCPU, op_quiesce, 0, 0);
		assert_silent(&m);
		machine_free(&m);
	}
}

static void slot_moves(void **state)
{
	struct machine m;
	u64 pfn;

	machine_new(&m, &(struct machine_options){ .type = KMMU_DEFAULT, .gfns = 0x200 });
	run(&m, &write_10);
	pfn = direct(&m, 0x10).pfn;
	assert_int_equal(machine_once(&m, 1, NO_VCPU, op_slot_move_to, 0x1000, 0).ret, 0);
	machine_once(&m, 0, 0, op_fault, 0x10, 0);
	assert_int_equal(direct(&m, 0x10).class, MIRROR_MMIO);
	assert_int_equal(machine_once(&m, 1, NO_VCPU, op_slot_delete, 0x1000, 0x1200).ret, -EINVAL);
	assert_false(page_is_free(pfn << 12));	/* user space still has it */
	assert_silent(&m);
	machine_free(&m);
}

/* --- a TD's shared half ----------------------------------------------------------------------- */

static void td_shared(void **state)
{
	struct machine m;
	u64 pfn;

	for (u32 k = 0; k < ARRAY_SIZE(kernels); k++) {
		machine_new(&m, &(struct machine_options){ .variant = { kernels[k] } });
		assert_string_equal(run(&m, &shared_10).what, "MEMORY_FAULT");
		machine_once(&m, 1, NO_VCPU, op_to_shared, 0x10, 0x11);
		assert_int_equal(run(&m, &shared_10).ret, KVM_EXIT_HLT);
		assert_int_equal(direct(&m, 0x10).class, MIRROR_LEAF);
		pfn = direct(&m, 0x10).pfn;
		machine_once(&m, 1, NO_VCPU, op_notify, 0x10, 0x11);
		assert_int_equal(direct(&m, 0x10).class, MIRROR_NONPRESENT);
		assert_true(page_is_free(pfn << 12));
		run(&m, &shared_10);
		machine_once(&m, 1, NO_VCPU, op_to_private, 0x10, 0x11);
		assert_int_equal(direct(&m, 0x10).class, MIRROR_NONPRESENT);
		assert_agree(&m);
		assert_silent(&m);
		machine_free(&m);
	}
}

/* Nothing is faulted in, converted or freed by a fault that the memslots do not know. */
static void td_mmio(void **state)
{
	struct machine m;

	machine_new(&m, &(struct machine_options){ 0 });
	machine_once(&m, 1, NO_VCPU, op_to_shared, 0x10, 0x11);
	machine_once(&m, 1, NO_VCPU, op_slot_delete, 0, 0x400);
	assert_int_equal(run(&m, &shared_10).ret, KVM_EXIT_HLT);	/* by #VE and MMIO exit */
	assert_int_equal(direct(&m, 0x10).class, MIRROR_MMIO);
	assert_silent(&m);
	machine_free(&m);
}

/* Private 4K, shared 2M where attributes, slot and user space allow it. */
static void td_huge_shared(void **state)
{
	struct machine m;

	machine_new(&m, &(struct machine_options){ .max_level = 2 });
	machine_once(&m, 1, NO_VCPU, op_to_shared, 0, 0x200);
	machine_once(&m, 1, NO_VCPU, op_to_shared, 0x210, 0x211);
	machine_once(&m, 0, 0, op_fault_shared, 0x10, 0);
	machine_once(&m, 0, 0, op_fault_shared, 0x210, 0);
	assert_int_equal(direct(&m, 0x10).level, 2);
	assert_int_equal(direct(&m, 0x210).level, 1);
	machine_once(&m, 1, NO_VCPU, op_to_private, 0x20, 0x21);
	assert_int_equal(direct(&m, 0x10).class, MIRROR_NONPRESENT);
	machine_once(&m, 0, 0, op_fault_shared, 0x10, 0);
	assert_int_equal(direct(&m, 0x10).level, 1);
	assert_agree(&m);
	assert_silent(&m);
	machine_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guest_walks),
		cmocka_unit_test(prefault_is_old),
		cmocka_unit_test(prefault_of_huge),
		cmocka_unit_test(notifier_unmaps),
		cmocka_unit_test(huge_pages),
		cmocka_unit_test(nx_recovery),
		cmocka_unit_test(dirty_log),
		cmocka_unit_test(fast_zap),
		cmocka_unit_test(slot_moves),
		cmocka_unit_test(td_shared),
		cmocka_unit_test(td_mmio),
		cmocka_unit_test(td_huge_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
