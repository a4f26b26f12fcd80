// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of VMs and CPUs: teardown leaves nothing, and what cannot be given back is said to
 * leak. Rests on arch/x86/kvm/vmx/tdx.c and virt/kvm/kvm_main.c of v7.2, and on catalogue
 * C01 to C09.
 */
#include "tests/kvmmmu/machine.h"

#include <string.h>

#include "kvmmmu/own/kvm_host.h"
#include "sim/engine/arena.h"
#include "sim/engine/lp.h"
#include "sim/engine/mem.h"
#include "tdxmod/build.h"
#include "tdxmod/peek.h"
#include "tdxmod/seamcall.h"
#include "tdxmod/status.h"
#include "tdxmod/td.h"

static void op_destroy(struct job *j)
{
	j->res = kmmu_destroy(j->m->kvm);
}

static void op_offline(struct job *j)
{
	j->res = kmmu_cpu_offline(j->m->kvm, (u16)j->a);
}

static void op_release_hkid(struct job *j)
{
	j->res = kmmu_release_hkid(j->m->kvm);
}

static void op_terminate(struct job *j)
{
	j->res = kmmu_terminate(j->m->kvm);
}

/* With a vCPU's mutex held, as by an ioctl of that vCPU */
static void op_terminate_busy(struct job *j)
{
	mutex_lock(&j->m->kvm->vcpus[1]->mutex);
	op_terminate(j);
	mutex_unlock(&j->m->kvm->vcpus[1]->mutex);
}

static void destroy(struct machine *m, u16 lp)
{
	assert_int_equal(machine_once(m, lp, NO_VCPU, op_destroy, 0, 0).ret, 0);
}

static u32 pages_in_use(void)
{
	u32 n = 0;

	for (u64 hpa = 0; hpa < world_phys_size(); hpa += PAGE_SIZE)
		n += !page_is_free(hpa);
	return n;
}

/* --- teardown ------------------------------------------------------------------------- */

/* A VM that has lived: pages mapped, zapped, converted; vCPUs on two LPs */
static void live(struct machine *m)
{
	assert_int_equal(machine_once(m, 0, 0, op_fault, 0x10, 0).ret, 0);
	assert_int_equal(machine_once(m, 1, 1, op_fault, 0x210, 0).ret, 0);
	assert_int_equal(machine_once(m, 1, 0, op_fault, 0x11, 0).ret, 0);
	assert_int_equal(machine_once(m, 3, NO_VCPU, op_punch, 0x10, 0x11).ret, 0);
	assert_int_equal(machine_once(m, 3, NO_VCPU, op_to_shared, 0x11, 0x12).ret, 0);
	assert_int_equal(machine_once(m, 0, 0, op_fault, 0x12, 0).ret, 0);
}

static void teardown_leaves_nothing(void **state)
{
	struct machine_options opt = { .vcpus = 2 };
	struct kmmu_config kc = { .name = "B", .vcpus = 2, .memory = 4 << 20, .levels = 4 };
	struct machine m;
	u32 before;

	machine_new(&m, &opt);
	before = pages_in_use();
	m.kvm = kmmu_vm_new(m.sim, &kc, NULL);
	assert_true(pages_in_use() > before);
	live(&m);
	destroy(&m, 2);
	assert_true(kmmu_destroyed(m.kvm));
	assert_silent(&m);
	assert_int_equal(pages_in_use(), before);
	kmmu_check_end(m.kvm);
	assert_silent(&m);
	machine_free(&m);
}

/* S-EPT pages bottom-up, then TDCS, then TDR: the module would refuse any other order. */
static void teardown_in_order(void **state)
{
	static const char *const kernels[] = { "kvm=v6.16", "kvm=v6.18", "kvm=v6.19", "kvm=v7.2" };

	for (u32 i = 0; i < ARRAY_SIZE(kernels); i++) {
		struct machine_options opt = { .vcpus = 2, .variant = { kernels[i] } };
		struct machine m;

		machine_new(&m, &opt);
		live(&m);
		destroy(&m, 2);
		assert_silent(&m);
		/* 2 vCPUs of 6, TDR and 6 TDCX, 2 tables at 4K, one at 2M and at 1G */
		assert_int_equal(m.calls[TDH_PHYMEM_PAGE_RECLAIM], 12 + 7 + 4);
		machine_free(&m);
	}
}

static void twice(struct job *j)
{
	j->res = kmmu_destroy(j->m->kvm);
	assert_false(kmmu_get(j->m->kvm, KMMU_VM));
	assert_false(kmmu_get(j->m->kvm, 0));
	j->res = kmmu_close(j->m->kvm, 0);
}

static void closed_is_ebadf(void **state)
{
	struct machine_options opt = { 0 };
	struct machine m;

	machine_new(&m, &opt);
	assert_string_equal(machine_once(&m, 0, NO_VCPU, twice, 0, 0).what, "EBADF");
	assert_silent(&m);
	machine_free(&m);
}

/* A call that is still running holds the file: the VM goes when it has ended. */
static void in_flight(struct job *j)
{
	assert_true(kmmu_get(j->m->kvm, 0));
	j->res = kmmu_destroy(j->m->kvm);
	assert_false(kmmu_destroyed(j->m->kvm));
	kmmu_put(j->m->kvm, 0);
	assert_true(kmmu_destroyed(j->m->kvm));
}

static void last_user_destroys(void **state)
{
	struct machine_options opt = { .vcpus = 2 };
	struct machine m;

	machine_new(&m, &opt);
	machine_once(&m, 0, NO_VCPU, in_flight, 0, 0);
	assert_silent(&m);
	machine_free(&m);
}

/* --- hkid-leak, page-leak (C09) ------------------------------------------------------- */

#define BUSY_TDR	(TDX_OPERAND_BUSY | 0x80)

static void hkid_leak_fires(void **state)
{
	struct machine_options opt = { .tolerate = { "kvm-bug", "kvm-warn", "hkid-leak",
						     "page-leak" } };
	struct machine m;

	machine_new(&m, &opt);
	machine_once(&m, 0, 0, op_fault, 0x10, 0);
	machine_once(&m, 0, 0, op_run, 0, 1);
	seamcall_inject(m.sim, TDH_VP_FLUSH, 1, BUSY_TDR);
	/* Of a CPU that goes down nobody looks at what failed, and nobody flushes again. */
	machine_once(&m, 2, NO_VCPU, op_offline, 0, 0);
	assert_false(has_violation(&m, "kvm-bug"));
	destroy(&m, 2);
	assert_true(has_violation(&m, "hkid-leak"));
	assert_true(has_violation(&m, "page-leak"));
	machine_free(&m);
}

/* The same failure where KVM looks: the VM is bugged, and the leak is its consequence. */
static void hkid_leak_after_bug(void **state)
{
	struct machine_options opt = { .tolerate = { "kvm-bug", "kvm-warn" } };
	struct machine m;

	machine_new(&m, &opt);
	machine_once(&m, 0, 0, op_run, 0, 1);
	seamcall_inject(m.sim, TDH_VP_FLUSH, 1, BUSY_TDR);
	destroy(&m, 2);
	assert_true(has_violation(&m, "kvm-bug"));
	assert_false(has_violation(&m, "hkid-leak"));
	machine_free(&m);
}

static void hkid_leak_silent(void **state)
{
	struct machine_options opt = { 0 };
	struct machine m;

	machine_new(&m, &opt);
	machine_once(&m, 0, 0, op_fault, 0x10, 0);
	destroy(&m, 2);
	assert_false(has_violation(&m, "hkid-leak"));
	assert_silent(&m);
	machine_free(&m);
}

/* Before it is destroyed a TD has an HKID by right. */
static void hkid_leak_legal(void **state)
{
	struct machine_options opt = { 0 };
	struct machine m;

	machine_new(&m, &opt);
	machine_once(&m, 0, 0, op_fault, 0x10, 0);
	kmmu_check_end(m.kvm);
	assert_silent(&m);
	machine_free(&m);
}

/* --- CPUs that go down ---------------------------------------------------------------- */

static void offline_flushes(void **state)
{
	struct machine_options opt = { .vcpus = 2 };
	struct vcpu_peek v;
	struct machine m;

	machine_new(&m, &opt);
	machine_once(&m, 1, 0, op_run, 0, 1);
	machine_once(&m, 1, 1, op_run, 0, 1);
	vcpu_peek(kmmu_tdvpr(m.kvm, 0), &v);
	assert_int_equal(v.assoc_lp, 1);
	assert_int_equal(machine_once(&m, 2, NO_VCPU, op_offline, 1, 0).ret, 0);
	assert_int_equal(m.calls[TDH_VP_FLUSH], 2);
	for (u16 i = 0; i < 2; i++) {
		vcpu_peek(kmmu_tdvpr(m.kvm, i), &v);
		assert_int_equal(v.assoc_lp, -1);
	}
	assert_string_equal(machine_once(&m, 2, NO_VCPU, op_offline, 1, 0).what, "EINVAL");
	destroy(&m, 2);
	assert_silent(&m);
	machine_free(&m);
}

/* The write-back of caches is done on a CPU that is online, of each package. */
static void offline_cpu_writes_nothing_back(void **state)
{
	struct machine_options opt = { .lps = 4 };
	struct machine m;

	machine_new(&m, &opt);
	machine_once(&m, 2, NO_VCPU, op_offline, 0, 0);
	machine_once(&m, 2, NO_VCPU, op_release_hkid, 0, 0);
	assert_int_equal(m.calls[TDH_PHYMEM_CACHE_WB], 1);
	assert_int_equal(m.calls[TDH_MNG_KEY_FREEID], 1);
	assert_silent(&m);
	machine_free(&m);
}

/* --- KVM_TDX_TERMINATE_VM --------------------------------------------------------------- */

/* Pages are reclaimed, not removed; whoever is busy with a vCPU keeps the VM alive. */
static void terminated(void **state)
{
	const char *none[] = { "kvm=v6.16", NULL };
	const char *with[] = { "kvm=v6.16", "terminate-vm", NULL };
	u32 before;

	for (u32 i = 0; i < 2; i++) {
		struct machine_options opt = { .lps = 4, .vcpus = 2 };
		struct machine m;

		memcpy(opt.variant, i ? with : none, (i ? 3 : 2) * sizeof(char *));
		machine_new(&m, &opt);
		before = m.calls[TDH_MEM_PAGE_REMOVE];
		assert_int_equal(machine_once(&m, 0, 0, op_fault, 0x10, 0).ret, 0);
		if (!i) {
			assert_string_equal(machine_once(&m, 2, NO_VCPU, op_terminate, 0, 0).what,
					    "EINVAL");
			destroy(&m, 2);
			assert_silent(&m);
			machine_free(&m);
			continue;
		}
		assert_string_equal(machine_once(&m, 2, NO_VCPU, op_terminate_busy, 0, 0).what, "EBUSY");
		assert_int_equal(m.calls[TDH_MNG_KEY_FREEID], 0);
		assert_int_equal(machine_once(&m, 2, NO_VCPU, op_terminate, 0, 0).ret, 0);
		assert_int_equal(m.calls[TDH_MNG_KEY_FREEID], 1);
		assert_string_equal(machine_once(&m, 2, NO_VCPU, op_terminate, 0, 0).what, "EIO");
		assert_string_equal(machine_once(&m, 0, 0, op_fault, 0x11, 0).what, "EIO");
		assert_int_equal(m.calls[TDH_PHYMEM_PAGE_RECLAIM], 0);
		assert_int_equal(machine_once(&m, 3, NO_VCPU, op_punch, 0x10, 0x11).ret, 0);
		assert_int_equal(m.calls[TDH_PHYMEM_PAGE_RECLAIM], 1);
		assert_int_equal(m.calls[TDH_MEM_PAGE_REMOVE], before);
		destroy(&m, 2);
		assert_silent(&m);
		machine_free(&m);
	}
}

/* --- lists ---------------------------------------------------------------------------- */

struct list_test {
	struct list_head head, node[2];
};

static void add_twice(struct job *j)
{
	struct list_test *t = (struct list_test *)j->a;

	list_add(&t->node[0], &t->head, "t");
	list_add(&t->node[0], &t->head, "t");
}

static void delete_twice(struct job *j)
{
	struct list_test *t = (struct list_test *)j->a;

	list_add(&t->node[0], &t->head, "t");
	list_del(&t->node[0], "t");
	list_del(&t->node[0], "t");
}

static void add_and_delete(struct job *j)
{
	struct list_test *t = (struct list_test *)j->a;

	for (u32 i = 0; i < 2; i++) {
		list_add(&t->node[0], &t->head, "t");
		list_add(&t->node[1], &t->head, "t");
		assert_ptr_equal(list_next(&t->head), &t->node[1]);
		assert_ptr_equal(list_next(&t->node[1]), &t->node[0]);
		list_del(&t->node[0], "t");
		assert_false(list_is_linked(&t->node[0]));
		list_del(&t->node[1], "t");
		assert_ptr_equal(list_next(&t->head), &t->head);
	}
}

static void play_list(void (*fn)(struct job *j), bool fires)
{
	struct machine_options opt = { .tolerate = { "list-corruption" } };
	struct list_test *t;
	struct machine m;

	machine_new(&m, &opt);
	t = world_alloc(sizeof(*t));
	list_init(&t->head);
	machine_once(&m, 0, NO_VCPU, fn, (u64)t, 0);
	assert_int_equal(has_violation(&m, "list-corruption"), fires);
	machine_free(&m);
}

static void list_corruption_fires(void **state)
{
	play_list(add_twice, true);
	play_list(delete_twice, true);
}

static void list_corruption_silent(void **state)
{
	play_list(add_and_delete, false);
}

/* Legal: the node of a vCPU that was never on a list is zero, and moves from list to list. */
static void list_corruption_legal(void **state)
{
	struct machine_options opt = { 0 };
	struct machine m;

	machine_new(&m, &opt);
	for (u16 lp = 0; lp < 4; lp++)
		machine_once(&m, lp, 0, op_fault, 0x10u + lp, 0);
	destroy(&m, 0);
	assert_silent(&m);
	machine_free(&m);
}

/* --- built by SEAMCALLs, and made at once --------------------------------------------- */

static void op_build_all(struct job *j)
{
	struct kvm *kvm = j->m->kvm;

	assert_int_equal(kmmu_init_vm(kvm).ret, 0);
	for (u16 n = 0; n < 2; n++) {
		assert_int_equal(kmmu_create_vcpu(kvm, n).ret, 0);
		assert_int_equal(kmmu_init_vcpu(kmmu_vcpu(kvm, n)).ret, 0);
	}
	assert_int_equal(kmmu_finalize(kvm).ret, 0);
}

/* Nothing but addresses, keys, UUIDs and what the vCPU has to do may differ. */
static void same_tdr(struct tdr *a, struct tdr *b)
{
	assert_int_not_equal(a->hkid, b->hkid);
	a->hkid = b->hkid;
	for (u32 i = 0; i < TDCX_PAGES_MAX; i++) {
		assert_int_equal(!a->tdcx_pa[i], !b->tdcx_pa[i]);
		a->tdcx_pa[i] = b->tdcx_pa[i];
	}
	assert_memory_not_equal(a->uuid, b->uuid, sizeof(a->uuid));
	memcpy(a->uuid, b->uuid, sizeof(a->uuid));
	assert_memory_equal(a, b, sizeof(*a));
}

static void same_tdcs(struct tdcs *a, struct tdcs *b)
{
	assert_int_not_equal(a->eptp, b->eptp);
	a->eptp = b->eptp;
	assert_memory_equal(a, b, sizeof(*a));
}

static void same_tdvps(struct tdvps *a, struct tdvps *b)
{
	a->tdvpr = b->tdvpr;
	a->tdr = b->tdr;
	assert_int_equal(!a->shared_eptp, !b->shared_eptp);	/* of the module, until KVM loads */
	a->shared_eptp = b->shared_eptp;
	for (u32 i = 0; i < TDVPS_PAGES_MAX; i++) {
		assert_int_equal(!a->tdvps_pa[i], !b->tdvps_pa[i]);
		a->tdvps_pa[i] = b->tdvps_pa[i];
	}
	assert_memory_equal(a, b, sizeof(*a));
}

static void same_vcpu(struct kvm_vcpu *a, struct kvm_vcpu *b)
{
	assert_int_equal(a->cpu, b->cpu);
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->requests, b->requests);
	assert_int_equal(list_is_linked(&a->cpu_list), list_is_linked(&b->cpu_list));
	assert_int_equal(a->tdx_state, b->tdx_state);
	assert_int_equal(a->vcpu_id, b->vcpu_id);
	assert_int_equal(a->srcu_depth, b->srcu_depth);
}

static void same_vm(struct kvm *a, struct kvm *b)
{
	assert_int_equal(a->td_state, b->td_state);
	assert_int_equal(a->pre_fault_allowed, b->pre_fault_allowed);
	assert_int_equal(a->online_vcpus, b->online_vcpus);
	assert_int_equal(a->created_vcpus, b->created_vcpus);
	assert_int_equal(a->users_count.count, b->users_count.count);
	assert_int_equal(a->mmu_invalidate_seq, b->mmu_invalidate_seq);
	assert_int_equal(a->page_add_src, b->page_add_src);
	assert_int_equal(a->nr_premapped, b->nr_premapped);
	assert_int_equal(a->vm_bugged | a->vm_dead, b->vm_bugged | b->vm_dead);
}

/*
 * One VM of each way on one machine. Built vCPUs belong to the LP that built them, so that LP
 * goes down before: what is made at once belongs to none.
 */
static void built_is_as_made_at_once(struct machine *m, struct kmmu_config *kc)
{
	struct kvm *at_once, *built;

	kc->name = "A";
	at_once = kmmu_vm_new(m->sim, kc, NULL);
	kc->name = "B";
	kc->created_only = true;
	built = kmmu_vm_new(m->sim, kc, NULL);
	m->kvm = built;
	machine_once(m, 3, NO_VCPU, op_build_all, 0, 0);
	machine_once(m, 2, NO_VCPU, op_offline, 3, 0);
	assert_silent(m);
	same_vm(built, at_once);
	same_tdcs(td_tdcs(tdr_at(kmmu_tdr(built))), td_tdcs(tdr_at(kmmu_tdr(at_once))));
	same_tdr(tdr_at(kmmu_tdr(built)), tdr_at(kmmu_tdr(at_once)));
	for (u16 n = 0; n < 2; n++) {
		same_vcpu(kmmu_vcpu(built, n), kmmu_vcpu(at_once, n));
		same_tdvps(tdvps_at(kmmu_tdvpr(built, n)), tdvps_at(kmmu_tdvpr(at_once, n)));
	}
}

static void same_state(void **state)
{
	static const char *const kernels[] = { "kvm=v6.16", "kvm=v7.2" };

	for (u32 i = 0; i < 4; i++) {
		const char *variant[] = { kernels[i / 2], NULL };
		struct kmmu_config kc = {
			.vcpus = 2, .memory = 4 << 20, .levels = 4 + i % 2, .variant = variant,
			.pending_ve_disable = i % 2,
		};
		struct machine_options opt = { 0 };
		struct machine m;

		machine_new(&m, &opt);
		built_is_as_made_at_once(&m, &kc);
		machine_free(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(teardown_leaves_nothing),
		cmocka_unit_test(teardown_in_order),
		cmocka_unit_test(closed_is_ebadf),
		cmocka_unit_test(last_user_destroys),
		cmocka_unit_test(hkid_leak_fires),
		cmocka_unit_test(hkid_leak_after_bug),
		cmocka_unit_test(hkid_leak_silent),
		cmocka_unit_test(hkid_leak_legal),
		cmocka_unit_test(offline_flushes),
		cmocka_unit_test(offline_cpu_writes_nothing_back),
		cmocka_unit_test(terminated),
		cmocka_unit_test(list_corruption_fires),
		cmocka_unit_test(list_corruption_silent),
		cmocka_unit_test(list_corruption_legal),
		cmocka_unit_test(same_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
