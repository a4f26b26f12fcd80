// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables that go: frozen at once, read until the grace period is over, dead after it;
 * and rules that only broken code can break (flush-owed), shown by doing so.
 */
#include "tests/kvmmmu/machine.h"

#include <string.h>

#include "kvmmmu/own/guest_memfd.h"
#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/tdp_mmu.h"
#include "sim/engine/mem.h"
#include "sim/engine/region.h"
#include "sim/engine/script.h"
#include "tdxmod/observe.h"
#include "tdxmod/seamcall.h"

static void zap_root(struct job *j)
{
	struct kvm *kvm = j->m->kvm;

	struct kvm_mmu_page *root;

	kvm_mmu_lock(kvm, j->a, 0, kvm->gfns);
	for_each_tdp_mmu_root_yield_safe(kvm, root, KVM_MIRROR_ROOTS) {
		tdp_mmu_zap_root(kvm, root, j->a);
	}
	kvm_mmu_unlock(kvm, j->a, 0, kvm->gfns);
}

/* All leaves gone, as at the end of a VM; the HKID is not, which KVM_BUGs and leaks. */
static void removed_tables_are_freed(void **state)
{
	static const char *const kernels[] = { "kvm=v6.16", "kvm=v7.2" };
	struct machine m;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(kernels); i++) {
		machine_new(&m, &(struct machine_options){
			.variant = { kernels[i] }, .tolerate = { "kvm-bug" } });
		machine_once(&m, 0, 0, op_prefault, 0x1ff, 0x201);
		machine_once(&m, 1, NO_VCPU, op_zap, 0, 0x400);
		assert_non_null(region_find("mirror", "TD", 0x1ff, 1, NULL));
		machine_once(&m, 1, NO_VCPU, zap_root, false, 0);
		machine_once(&m, 1, NO_VCPU, op_quiesce, 0, 0);
		assert_null(region_find("mirror", "TD", 0x1ff, 1, NULL));
		assert_null(region_find("mirror", "TD", 0, 2, NULL));
		assert_non_null(region_find("mirror", "TD", 0, 4, NULL));
		assert_int_equal(check_count(m.sim), 1);
		assert_string_equal(check_at(m.sim, 0)->id, "kvm-bug");
		machine_free(&m);
	}
}

/* Not the module's S-EPT page: that one must not be freed while the HKID is assigned. */
static void s_ept_pages_leak(void **state)
{
	struct mirror_view v;
	struct machine m;
	u64 spt;

	machine_new(&m, &(struct machine_options){ .tolerate = { "kvm-bug" } });
	machine_once(&m, 0, 0, op_fault, 0x10, 0);
	machine_once(&m, 1, NO_VCPU, op_zap, 0, 0x400);
	kmmu_mirror_peek(m.kvm, 0x10, &v);
	assert_int_equal(v.level, 1);
	spt = sptep_to_sp(region_find("mirror", "TD", 0x10, 1, NULL))->external_spt;
	assert_false(page_is_free(spt));
	machine_once(&m, 1, NO_VCPU, zap_root, false, 0);
	machine_once(&m, 1, NO_VCPU, op_quiesce, 0, 0);
	assert_int_equal(m.calls[TDH_PHYMEM_PAGE_RECLAIM], 0);
	assert_false(page_is_free(spt));
	machine_free(&m);
}

/* A lockless reader: in the table before it goes, and after; b: leaves RCU too early */
static void read_twice(struct job *j)
{
	u64 *sptep = region_find("mirror", "TD", 0x10, 1, NULL);

	rcu_read_lock();
	j->a = mem_read64(sptep);
	trace_note("inside");
	if (j->b)
		rcu_read_unlock();
	j->a = mem_read64(sptep);
	trace_note("read");
	if (!j->b)
		rcu_read_unlock();
}

static bool is_inside(void *ctx, const struct event *ev)
{
	return ev->type == EV_NOTE && !strcmp(ev->name, "inside");
}

static bool has_read(void *ctx, const struct event *ev)
{
	return ev->type == EV_NOTE && !strcmp(ev->name, "read");
}

static bool left_rcu(void *ctx, const struct event *ev)
{
	return ev->type == EV_UNLOCK && !strcmp(ev->name, "rcu");
}

static void zap_root_and_quiesce(struct job *j)
{
	zap_root(j);
	trace_note("zapped");
	kmmu_rcu_quiesce(j->m->kvm);
}

static bool is_zapped(void *ctx, const struct event *ev)
{
	return ev->type == EV_NOTE && !strcmp(ev->name, "zapped");
}

static void play_reader(struct machine *m, bool early, struct job *r, struct job *z)
{
	machine_new(m, &(struct machine_options){
		.sched = SCHED_SCRIPT, .keyed = true, .tolerate = { "kvm-bug", "use-after-free" } });
	machine_once(m, 0, 0, op_fault, 0x10, 0);
	machine_once(m, 1, NO_VCPU, op_zap, 0, 0x400);
	job_start(m, r, "reader", 2, NO_VCPU, read_twice, 0, early);
	job_start(m, z, "zapper", 1, NO_VCPU, zap_root_and_quiesce, false, 0);
	script_set(m->sim, (struct script_row[]){
		{ .actor = r->actor, .done = early ? left_rcu : is_inside },
		{ .actor = z->actor, .done = early ? NULL : is_zapped },
		{ .actor = r->actor, .done = has_read },
		{ .actor = z->actor },
	}, early ? 3 : 2);
	assert_int_equal(sim_run(m->sim), SIM_DONE);
}

static void readers_live_until_the_grace_period(void **state)
{
	struct machine m;
	struct job r, z;

	play_reader(&m, false, &r, &z);
	assert_true(r.finished && z.finished);
	assert_false(has_violation(&m, "use-after-free"));
	/* empty entries of a table that the write lock removes are left as they are */
	assert_int_equal(r.a, SHADOW_NONPRESENT_VALUE);
	machine_free(&m);
	play_reader(&m, true, &r, &z);
	assert_true(has_violation(&m, "use-after-free"));
	machine_free(&m);
}

/* --- flush-owed --------------------------------------------------------------------------- */

static void zap_without_flush(struct job *j)
{
	struct kvm *kvm = j->m->kvm;

	kvm_mmu_lock(kvm, false, 0x10, 0x11);
	if (kvm_tdp_mmu_zap_leafs(kvm, 0x10, 0x11, false) && j->a)
		kvm_flush_remote_tlbs(kvm);
	kvm_mmu_unlock(kvm, false, 0x10, 0x11);
}

static void flush_machine(struct machine *m)
{
	machine_new(m, &(struct machine_options){ .tolerate = { "flush-owed" } });
	machine_once(m, 0, 0, op_fault, 0x10, 0);
}

static void flush_owed_fires(void **state)
{
	struct machine m;

	flush_machine(&m);
	machine_once(&m, 1, NO_VCPU, zap_without_flush, false, 0);
	assert_true(has_violation(&m, "flush-owed"));
	assert_int_equal(check_count(m.sim), 1);
	/* owed once: the next zap, of nothing, does not inherit it */
	machine_once(&m, 1, NO_VCPU, zap_without_flush, false, 0);
	assert_int_equal(check_count(m.sim), 1);
	machine_free(&m);
}

static void flush_owed_silent(void **state)
{
	struct machine m;

	flush_machine(&m);
	machine_once(&m, 1, NO_VCPU, zap_without_flush, true, 0);
	assert_int_equal(m.calls[TDH_MEM_PAGE_REMOVE], 1);
	assert_int_equal(check_count(m.sim), 0);
	machine_free(&m);
}

/* Nothing zapped, nothing owed: a naive check would ask for a flush each time. */
static void flush_owed_legal(void **state)
{
	struct machine m;

	flush_machine(&m);
	machine_once(&m, 1, NO_VCPU, op_zap, 0x10, 0x11);
	machine_once(&m, 1, NO_VCPU, zap_without_flush, false, 0);
	assert_int_equal(check_count(m.sim), 0);
	machine_free(&m);
}

/* --- page-leak ---------------------------------------------------------------------------- */

static void forget_a_reference(struct job *j)
{
	struct kvm *kvm = j->m->kvm;
	int idx = srcu_read_lock(&kvm->srcu);
	u64 hpa;

	kvm_gmem_get_pfn(kvm, kvm_gfn_to_memslot(kvm, 0x10), 0x10, &hpa);
	srcu_read_unlock(&kvm->srcu, idx);
}

static void leak_machine(struct machine *m, const char *kernel)
{
	machine_new(m, &(struct machine_options){
		.variant = { kernel }, .tolerate = { "page-leak", "kvm-bug",
						     "unsynchronized-seamcall" } });
	machine_once(m, 0, 0, op_fault, 0x10, 0);
}

static void page_leak_fires(void **state)
{
	static const char *const kernels[] = { "kvm=v6.16", "kvm=v7.2" };
	struct machine m;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(kernels); i++) {
		leak_machine(&m, kernels[i]);
		machine_once(&m, 1, NO_VCPU, forget_a_reference, 0, 0);
		kmmu_check_end(m.kvm);
		assert_true(has_violation(&m, "page-leak"));
		/* still so when it is no longer in the page cache */
		machine_once(&m, 1, NO_VCPU, op_punch, 0x10, 0x11);
		kmmu_check_end(m.kvm);
		assert_int_equal(check_count(m.sim), 2);
		machine_free(&m);
	}
}

static void page_leak_silent(void **state)
{
	struct machine m;

	leak_machine(&m, "kvm=v7.2");
	kmmu_check_end(m.kvm);
	machine_once(&m, 1, NO_VCPU, op_punch, 0x10, 0x11);
	kmmu_check_end(m.kvm);
	assert_int_equal(m.page_frees, 1);
	assert_silent(&m);
	machine_free(&m);
}

static void hold_the_tree(struct job *j)
{
	struct module_lock l;

	assert_true(module_lock_find(kmmu_tdr(j->m->kvm), "SEPT_TREE", 0, 0, &l));
	module_lock_acquire(&l, ACQUIRE_EXCLUSIVE | ACQUIRE_HOST);
}

static void is_leak_note(void *ctx, const struct event *ev)
{
	if (ev->type == EV_NOTE && strstr(ev->name, " was never freed"))
		++*(u32 *)ctx;
}

/*
 * v6.16 pins what is mapped, which is a user more. And what a KVM_BUG leaves behind, a
 * pinned page that could not be removed, is its consequence: said, and no violation.
 */
static void page_leak_legal(void **state)
{
	struct machine m;
	u32 said = 0;

	leak_machine(&m, "kvm=v6.16");
	kmmu_check_end(m.kvm);
	assert_int_equal(check_count(m.sim), 0);
	machine_once(&m, 2, NO_VCPU, hold_the_tree, 0, 0);
	machine_once(&m, 1, NO_VCPU, op_punch, 0x10, 0x11);
	assert_true(kmmu_is_dead(m.kvm));
	assert_int_equal(m.page_frees, 0);
	trace_listen(m.sim, is_leak_note, &said);
	kmmu_check_end(m.kvm);
	assert_int_equal(said, 1);
	assert_false(has_violation(&m, "page-leak"));
	machine_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(removed_tables_are_freed),
		cmocka_unit_test(s_ept_pages_leak),
		cmocka_unit_test(readers_live_until_the_grace_period),
		cmocka_unit_test(flush_owed_fires),
		cmocka_unit_test(flush_owed_silent),
		cmocka_unit_test(flush_owed_legal),
		cmocka_unit_test(page_leak_fires),
		cmocka_unit_test(page_leak_silent),
		cmocka_unit_test(page_leak_legal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
