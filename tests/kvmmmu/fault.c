// SPDX-License-Identifier: GPL-2.0-only
/*
 * One actor at a time: what each operation leaves in the mirror, the S-EPT, the memslots
 * and the guest_memfd, on v6.16 and v7.2.
 */
#include "tests/kvmmmu/machine.h"

#include <errno.h>
#include <string.h>

#include "sim/engine/arena.h"
#include "sim/engine/task.h"
#include "tdxmod/observe.h"
#include "tdxmod/seamcall.h"

static const char *const kernels[] = { "kvm=v6.16", "kvm=v6.18", "kvm=v6.19", "kvm=v7.2" };

#define for_each_kernel(m, ...)							\
	for (u32 k = 0; k < ARRAY_SIZE(kernels) &&				\
	     (machine_new(m, &(struct machine_options){ .variant = { kernels[k] }, __VA_ARGS__ }), \
	      true); k++, machine_free(m))

static u64 frame_of(struct machine *m, u64 gfn)
{
	struct mirror_view v;

	kmmu_mirror_peek(m->kvm, gfn, &v);
	return v.class == MIRROR_LEAF ? v.pfn << 12 : ~0ull;
}

static void fault_installs(void **state)
{
	struct machine m;
	struct kmmu_result r;

	for_each_kernel(&m) {
		r = machine_once(&m, 0, 0, op_fault, 0x10, 0);
		assert_int_equal(r.ret, 0);
		assert_int_equal(m.calls[TDH_MEM_SEPT_ADD], 3);
		assert_int_equal(m.calls[TDH_MEM_PAGE_AUG], 1);
		assert_int_not_equal(frame_of(&m, 0x10), ~0ull);
		/* again: spurious; a neighbour: its page only; another 2M: one table more */
		machine_once(&m, 0, 0, op_fault, 0x10, 0);
		assert_int_equal(m.calls[TDH_MEM_PAGE_AUG], 1);
		machine_once(&m, 0, 0, op_fault, 0x11, 0);
		assert_int_equal(m.calls[TDH_MEM_SEPT_ADD], 3);
		machine_once(&m, 0, 0, op_fault, 0x200, 0);
		assert_int_equal(m.calls[TDH_MEM_SEPT_ADD], 4);
		assert_int_equal(m.calls[TDH_MEM_PAGE_AUG], 3);
		assert_agree(&m);
		assert_silent(&m);
	}
}

static void zap_removes(void **state)
{
	struct machine m;
	u64 was;

	for_each_kernel(&m) {
		machine_once(&m, 0, 0, op_prefault, 0x10, 0x14);
		was = frame_of(&m, 0x11);
		assert_int_equal(machine_once(&m, 1, NO_VCPU, op_zap, 0x11, 0x13).ret, 0);
		assert_int_equal(m.calls[TDH_MEM_RANGE_BLOCK], 2);
		assert_int_equal(m.calls[TDH_MEM_TRACK], 2);
		assert_int_equal(m.calls[TDH_MEM_PAGE_REMOVE], 2);
		assert_int_equal(m.calls[TDH_PHYMEM_PAGE_WBINVD], 2);
		assert_int_equal(frame_of(&m, 0x11), ~0ull);
		assert_int_not_equal(frame_of(&m, 0x10), ~0ull);
		assert_agree(&m);
		/* the page is still the guest_memfd's: the same frame comes back */
		machine_once(&m, 0, 0, op_fault, 0x11, 0);
		assert_int_equal(frame_of(&m, 0x11), was);
		assert_agree(&m);
		assert_silent(&m);
	}
}

static void punch_frees(void **state)
{
	struct machine m;
	u64 hpa;

	for_each_kernel(&m) {
		assert_int_equal(machine_once(&m, 1, NO_VCPU, op_reuse, 0x10, 0).ret, -ENOENT);
		machine_once(&m, 0, 0, op_fault, 0x10, 0);
		hpa = frame_of(&m, 0x10);
		assert_int_equal(machine_once(&m, 1, NO_VCPU, op_reuse, 0x10, 0).ret, -EBUSY);
		assert_false(page_is_free(hpa));
		machine_once(&m, 1, NO_VCPU, op_punch, 0x10, 0x11);
		assert_true(page_is_free(hpa));
		assert_int_equal(m.page_frees, 1);
		assert_int_equal(frame_of(&m, 0x10), ~0ull);
		assert_int_equal(machine_once(&m, 1, NO_VCPU, op_reuse, 0x10, 0).ret, 0);
		assert_false(page_is_free(hpa));
		machine_once(&m, 1, NO_VCPU, op_quiesce, 0, 0);
		machine_once(&m, 0, 0, op_fault, 0x10, 0);
		assert_int_not_equal(frame_of(&m, 0x10), hpa);
		assert_agree(&m);
		assert_silent(&m);
	}
}

static void convert_unmaps(void **state)
{
	struct machine m;
	struct kmmu_result r;

	for_each_kernel(&m) {
		machine_once(&m, 0, 0, op_fault, 0x10, 0);
		machine_once(&m, 1, NO_VCPU, op_to_shared, 0x10, 0x11);
		assert_int_equal(frame_of(&m, 0x10), ~0ull);
		r = machine_once(&m, 0, 0, op_fault, 0x10, 0);
		assert_int_equal(r.ret, -EFAULT);
		assert_string_equal(r.what, "MEMORY_FAULT");
		/* nothing to do: no SEAMCALL, no window */
		machine_once(&m, 1, NO_VCPU, op_to_shared, 0x10, 0x11);
		assert_int_equal(m.calls[TDH_MEM_RANGE_BLOCK], 1);
		machine_once(&m, 1, NO_VCPU, op_to_private, 0x10, 0x11);
		assert_int_equal(machine_once(&m, 0, 0, op_fault, 0x10, 0).ret, 0);
		assert_agree(&m);
		assert_silent(&m);
	}
}

static void slots(void **state)
{
	struct machine m;

	for_each_kernel(&m) {
		machine_once(&m, 0, 0, op_fault, 0x10, 0);
		assert_int_equal(machine_once(&m, 1, NO_VCPU, op_slot_move, 0, 1024).ret, -EINVAL);
		assert_int_equal(machine_once(&m, 1, NO_VCPU, op_slot_delete, 0, 16).ret, -EINVAL);
		assert_int_equal(machine_once(&m, 1, NO_VCPU, op_slot_add, 0, 16).ret, -EEXIST);
		assert_int_equal(machine_once(&m, 1, NO_VCPU, op_slot_delete, 0, 1024).ret, 0);
		assert_int_equal(frame_of(&m, 0x10), ~0ull);
		assert_int_equal(machine_once(&m, 0, 0, op_fault, 0x10, 0).ret, -EFAULT);
		assert_int_equal(machine_once(&m, 1, NO_VCPU, op_slot_add, 0, 512).ret, 0);
		assert_int_equal(machine_once(&m, 0, 0, op_fault, 0x10, 0).ret, 0);
		assert_int_equal(machine_once(&m, 0, 0, op_fault, 0x210, 0).ret, -EFAULT);
		assert_agree(&m);
		assert_silent(&m);
	}
}

static void two_faults_then_migrate(struct job *j)
{
	j->res = kmmu_fault(j->vcpu, 0x10, false, 1);
	kmmu_migrate(j->m->kvm, 2);
	j->res = kmmu_fault(j->vcpu, 0x11, false, 1);
}

/* The association moves only through TDH.VP.FLUSH on the old LP. */
static void migrate_flushes(void **state)
{
	struct machine m;

	for_each_kernel(&m) {
		machine_once(&m, 0, 0, two_faults_then_migrate, 0, 0);
		/* never entered: the module says that it is not associated, which is fine */
		assert_int_equal(m.calls[TDH_VP_FLUSH], 0);
		assert_true(m.kicks_sent > 0);
		assert_agree(&m);
		assert_silent(&m);
	}
}

/* What is not there is refused, never passed over. */
static void refusals(void **state)
{
	struct kmmu_config kc = { .name = "TD", .vcpus = 1, .memory = 1 << 20, .dirty_log = true };
	struct machine m;
	GError *err = NULL;

	machine_new(&m, &(struct machine_options){ 0 });
	assert_null(kmmu_vm_new(m.sim, &kc, &err));
	assert_non_null(strstr(err->message, "guest_memfd"));
	g_clear_error(&err);
	kc.dirty_log = false;
	kc.vcpus = 0;
	assert_null(kmmu_vm_new(m.sim, &kc, &err));
	g_clear_error(&err);
	machine_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fault_installs),
		cmocka_unit_test(zap_removes),
		cmocka_unit_test(punch_frees),
		cmocka_unit_test(convert_unmaps),
		cmocka_unit_test(slots),
		cmocka_unit_test(migrate_flushes),
		cmocka_unit_test(refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
