// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the flows that build a TD fail where no recording gets: want of entropy, PCONFIG busy,
 * a field that changes under a write, a vCPU that is DISABLED; and TDH.VP.INIT version 1 (S10),
 * which TDX_1.5.01 has not.
 */
#include "tests/tdxmod/common.h"

#include <string.h>

#include "sim/engine/arena.h"
#include "sim/engine/lp.h"
#include "tdxmod/lock.h"
#include "tdxmod/status.h"
#include "tdxmod/versions.h"

#define VM_CTLS_0	0x9110000300000012ull	/* of the host's own: bit 0 */
#define PEND_NMI	0x202000000000000bull

static struct sim *machine(const char *version)
{
	struct sim *sim = test_sim();

	assert_true(tdx_module_new(sim, &(struct tdx_module_config){ .version = version }));
	return sim;
}

static u8 page_type(u64 hpa)
{
	return pamt_entry_of(module_self(), hpa, SIZE_4K)->pt;
}

/* No lock is left that would refuse another call */
static void assert_unlocked(u64 tdr, u64 page)
{
	assert_int_equal(module_self()->kot_lock, 0);
	assert_int_equal(pamt_entry_of(module_self(), page, SIZE_4K)->lock, 0);
	if (tdr)
		assert_int_equal(pamt_entry_of(module_self(), tdr, SIZE_4K)->lock, 0);
}

/* --- entropy -------------------------------------------------------------------------- */

static void test_no_entropy_create(void **state)
{
	struct sim *sim = machine(TDX_VERSION_RECORDED);
	u16 hkid = MODULE_HKID + 1;
	u64 *page = phys_to_ptr(0x1000);

	page[0] = page[511] = 7;
	seamcall_inject(sim, TDH_MNG_CREATE, 1, TDX_RND_NO_ENTROPY);
	/* What is checked before the draw answers for itself, and takes the turn */
	test_is(call(TDH_MNG_CREATE, 0x1000, 0, 0, NULL),
		status_operand(TDX_OPERAND_INVALID, OPERAND_RDX));
	assert_int_equal(page[511], 7);
	seamcall_inject(sim, TDH_MNG_CREATE, 1, TDX_RND_NO_ENTROPY);
	test_is(call(TDH_MNG_CREATE, 0x1000, hkid, 0, NULL), TDX_RND_NO_ENTROPY);
	/* The page is cleared by then, and still the VMM's; the HKID is free */
	assert_int_equal(page[0] | page[511], 0);
	assert_int_equal(page_type(0x1000), PT_NDA);
	assert_int_equal(module_self()->kot[hkid].state, HKID_FREE);
	assert_unlocked(0, 0x1000);
	test_is(call(TDH_MNG_CREATE, 0x1000, hkid, 0, NULL), TDX_SUCCESS);
	sim_free(sim);
}

static void test_no_entropy_addcx(void **state)
{
	struct sim *sim = machine(TDX_VERSION_RECORDED);
	struct test_td td;
	u64 sixth = 0x2000 + (TDCX_PAGES - 1) * PAGE_SIZE;

	test_make(0, MODULE_HKID + 1, MADE_KEYS, &td);
	/* Only the sixth draws */
	seamcall_inject(sim, TDH_MNG_ADDCX, 1, TDX_RND_NO_ENTROPY);
	seamcall_inject(sim, TDH_MNG_ADDCX, TDCX_PAGES, TDX_RND_NO_ENTROPY);
	for (u64 hpa = 0x2000; hpa < sixth; hpa += PAGE_SIZE)
		test_is(call(TDH_MNG_ADDCX, hpa, td.tdr, 0, NULL), TDX_SUCCESS);
	test_is(call(TDH_MNG_ADDCX, sixth, td.tdr, 0, NULL), TDX_RND_NO_ENTROPY);
	assert_int_equal(page_type(sixth), PT_NDA);
	assert_int_equal(tdr_at(td.tdr)->num_tdcx, TDCX_PAGES - 1);
	assert_int_equal(tdr_at(td.tdr)->chldcnt, TDCX_PAGES - 1);
	assert_unlocked(td.tdr, sixth);
	test_is(call(TDH_MNG_ADDCX, sixth, td.tdr, 0, NULL), TDX_SUCCESS);
	sim_free(sim);
}

/* As many pages as a TD, or a vCPU, with 3 L2 VMs has; not one more */
static void test_too_many_pages(void **state)
{
	struct sim *sim = machine(TDX_VERSION_RECORDED);
	struct test_td td;
	u64 tdvpr;

	test_make(0, MODULE_HKID + 1, MADE_TDCX, &td);
	for (u64 i = TDCX_PAGES; i < TDCX_PAGES_MAX; i++)
		test_is(call(TDH_MNG_ADDCX, 0x20000 + i * PAGE_SIZE, td.tdr, 0, NULL), TDX_SUCCESS);
	test_is(call(TDH_MNG_ADDCX, 0x30000, td.tdr, 0, NULL), TDX_TDCX_NUM_INCORRECT);
	test_make(0x200000, MODULE_HKID + 2, MADE_TD, &td);
	tdvpr = test_make_vcpu(0x200000, 0, MADE_TDVPS);
	for (u64 i = TDVPS_PAGES; i < TDVPS_PAGES_MAX; i++)
		test_is(call(TDH_VP_ADDCX, tdvpr + i * PAGE_SIZE, tdvpr, 0, NULL), TDX_SUCCESS);
	test_is(call(TDH_VP_ADDCX, 0x30000, tdvpr, 0, NULL), TDX_TDCX_NUM_INCORRECT);
	assert_int_equal(page_type(0x30000), PT_NDA);
	assert_unlocked(td.tdr, tdvpr);
	sim_free(sim);
}

static void test_no_key(void **state)
{
	struct sim *sim = machine(TDX_VERSION_RECORDED);
	struct test_td td;
	struct tdr *tdr;

	test_make(0, MODULE_HKID + 1, MADE_TDR, &td);
	tdr = tdr_at(td.tdr);
	seamcall_inject(sim, TDH_MNG_KEY_CONFIG, 1, TDX_KEY_GENERATION_FAILED);
	test_is(call(TDH_MNG_KEY_CONFIG, td.tdr, 0, 0, NULL), TDX_KEY_GENERATION_FAILED);
	assert_int_equal(tdr->pkg_config_bitmap, 0);
	assert_int_equal(module_self()->ket[0], 0);
	assert_unlocked(td.tdr, td.tdr);
	test_is(call(TDH_MNG_KEY_CONFIG, td.tdr, 0, 0, NULL), TDX_SUCCESS);
	/* Of this package it is configured: nothing is drawn */
	seamcall_inject(sim, TDH_MNG_KEY_CONFIG, 1, TDX_KEY_GENERATION_FAILED);
	test_is(call(TDH_MNG_KEY_CONFIG, td.tdr, 0, 0, NULL), TDX_KEY_CONFIGURED);
	test_on_lp(2);
	test_is(call(TDH_MNG_KEY_CONFIG, td.tdr, 0, 0, NULL), TDX_SUCCESS);
	assert_int_equal(tdr->lifecycle, TD_KEYS_CONFIGURED);
	sim_free(sim);
}

/* --- PCONFIG -------------------------------------------------------------------------- */

/* While one LP of a package is in PCONFIG, for whatever TD, another's is refused */
static void test_pconfig_busy(void **state)
{
	struct sim *sim = machine(TDX_VERSION_RECORDED);
	struct module *mod = (struct module *)module_self();
	struct test_td td;

	test_make(0, MODULE_HKID + 1, MADE_TDR, &td);
	assert_int_equal(mutex8_acquire(&mod->ket[0], "KET"), 0);
	test_is(call(TDH_MNG_KEY_CONFIG, td.tdr, 0, 0, NULL),
		status_operand(TDX_OPERAND_BUSY, OPERAND_KET));
	assert_int_equal(tdr_at(td.tdr)->pkg_config_bitmap, 0);
	test_on_lp(2);		/* of the other package */
	test_is(call(TDH_MNG_KEY_CONFIG, td.tdr, 0, 0, NULL), TDX_SUCCESS);
	mutex8_release(&mod->ket[0], "KET");
	test_on_lp(1);
	test_is(call(TDH_MNG_KEY_CONFIG, td.tdr, 0, 0, NULL), TDX_SUCCESS);
	sim_free(sim);
}

/* --- a field under a write ------------------------------------------------------------ */

static u64 *vm_ctls(struct record *rec)
{
	return rec->ctx;
}

static void change_once(struct record *rec, const struct event *ev)
{
	if (ev->type != EV_STEP || ev->op != MEM_READ || ev->p != vm_ctls(rec))
		return;
	rec->hook = NULL;
	world_set(*vm_ctls(rec), 2);
}

static u64 write_vm_ctls(u64 tdr)
{
	struct tdx_regs r = {
		.rax = TDH_MNG_WR, .rcx = tdr, .rdx = VM_CTLS_0, .r8 = 1, .r9 = 1,
	};

	return seamcall(&r);
}

/* MNG.WR stores by CMPXCHG against what it has read */
static void test_field_changes(void **state)
{
	struct sim *sim = machine(TDX_VERSION_RECORDED);
	struct record rec = { .hook = change_once };
	struct test_td td;

	test_make(0, MODULE_HKID + 1, MADE_TD, &td);
	rec.ctx = &td_tdcs(tdr_at(td.tdr))->vm_ctls[0];
	record_start(sim, &rec);
	test_is(write_vm_ctls(td.tdr), status_operand(TDX_OPERAND_BUSY, OPERAND_METADATA_FIELD));
	assert_int_equal(*vm_ctls(&rec), 2);
	test_is(write_vm_ctls(td.tdr), TDX_SUCCESS);
	assert_int_equal(*vm_ctls(&rec), 3);
	record_stop(sim, &rec);
	assert_unlocked(td.tdr, td.tdr);
	sim_free(sim);
}

/* A vCPU that is DISABLED may be looked at, no more; both want it associated here */
static void test_disabled(void **state)
{
	struct sim *sim = machine(TDX_VERSION_RECORDED);
	struct test_td td;

	test_make(0, MODULE_HKID + 1, MADE_VCPU, &td);
	world_set(tdvps_at(td.tdvpr[0])->state, VCPU_DISABLED);
	test_is(call(TDH_VP_RD, td.tdvpr[0], PEND_NMI, 0, NULL), TDX_SUCCESS);
	test_is(call(TDH_VP_WR, td.tdvpr[0], PEND_NMI, 0, NULL), TDX_VCPU_STATE_INCORRECT);
	test_on_lp(1);
	test_is(call(TDH_VP_RD, td.tdvpr[0], PEND_NMI, 0, NULL), TDX_VCPU_ASSOCIATED);
	sim_free(sim);
}

/* --- TDH.VP.INIT version 1 ------------------------------------------------------------- */

#define VP_INIT_1	(TDH_VP_INIT | 1ull << 16)

static void test_vp_init_version(void **state)
{
	static const char *const versions[] = { TDX_VERSION_RECORDED, TDX_VERSION_DEFAULT };

	for (u32 i = 0; i < ARRAY_SIZE(versions); i++) {
		struct sim *sim = machine(versions[i]);
		struct test_td td;
		u64 rax;

		test_make(0, MODULE_HKID + 1, MADE_TDVPS, &td);
		rax = call(VP_INIT_1, td.tdvpr[0], 0, 5, NULL);
		test_is(rax, i ? TDX_SUCCESS : status_operand(TDX_OPERAND_INVALID, OPERAND_RAX));
		test_is(call(TDH_VP_INIT | 2 << 16, test_make_vcpu(0, 1, MADE_TDVPS), 0, 6, NULL),
			status_operand(TDX_OPERAND_INVALID, OPERAND_RAX));
		assert_int_equal(td_tdcs(tdr_at(td.tdr))->num_vcpus, i);
		sim_free(sim);
	}
}

/* Version 1 wants the TDR for itself; version 0 shares it */
static void test_vp_init_tdr(void **state)
{
	struct sim *sim = machine(TDX_VERSION_DEFAULT);
	struct pamt_entry *e;
	struct test_td td;
	u64 tdvpr;

	test_make(0, MODULE_HKID + 1, MADE_TDVPS, &td);
	tdvpr = test_make_vcpu(0, 1, MADE_TDVPS);
	e = pamt_entry_of(module_self(), td.tdr, SIZE_4K);
	assert_int_equal(sharex_hp_acquire_sh(&e->lock, SIDE_HOST, "TDR"), 0);
	test_is(call(VP_INIT_1, td.tdvpr[0], 0, 5, NULL),
		status_operand(TDX_OPERAND_BUSY, OPERAND_TDR));
	assert_int_equal(tdvps_at(td.tdvpr[0])->state, VCPU_UNINITIALIZED);
	test_is(call(TDH_VP_INIT, tdvpr, 0, 5, NULL), TDX_SUCCESS);
	sharex_hp_release_sh(&e->lock, "TDR");
	test_is(call(VP_INIT_1, td.tdvpr[0], 0, 5, NULL), TDX_SUCCESS);
	assert_unlocked(td.tdr, td.tdvpr[0]);
	sim_free(sim);
}

static void test_vp_init_x2apic(void **state)
{
	struct sim *sim = machine(TDX_VERSION_DEFAULT);
	struct test_td td;
	struct tdcs *tdcs;
	u64 tdvpr[3];

	test_make(0, MODULE_HKID + 1, MADE_TD, &td);
	tdcs = td_tdcs(tdr_at(td.tdr));
	for (u32 v = 0; v < 3; v++)
		tdvpr[v] = test_make_vcpu(0, v, MADE_TDVPS);
	test_is(call(VP_INIT_1, tdvpr[0], 0, 5, NULL), TDX_SUCCESS);
	test_is(call(VP_INIT_1, tdvpr[1], 0, 1ull << 32, NULL),
		status_operand(TDX_OPERAND_INVALID, OPERAND_R8));
	assert_int_equal(tdcs->num_vcpus, 1);
	test_is(call(VP_INIT_1, tdvpr[1], 0, 5, NULL), TDX_X2APIC_ID_NOT_UNIQUE | 5);
	/* Not this vCPU's, not a vCPU, and counted: the number is lost for the TD */
	assert_int_equal(tdcs->num_vcpus, 2);
	assert_int_equal(tdcs->num_assoc_vcpus, 1);
	assert_int_equal(tdvps_at(tdvpr[1])->state, VCPU_UNINITIALIZED);
	test_is(call(VP_INIT_1, tdvpr[1], 0, 0xffffffff, NULL), TDX_SUCCESS);
	assert_int_equal(tdcs->num_vcpus, 3);
	assert_int_equal(tdvps_at(tdvpr[1])->index, 2);
	assert_int_equal(x2apic_ids(tdr_at(td.tdr))[0], 5);
	assert_int_equal(x2apic_ids(tdr_at(td.tdr))[2], 0xffffffff);
	/* Version 0 gives no id, and the TD's topology is not to be told by it */
	assert_true(tdcs->topology_enum);
	test_is(call(TDH_VP_INIT, tdvpr[2], 0, 5, NULL), TDX_SUCCESS);
	assert_false(tdcs->topology_enum);
	assert_unlocked(td.tdr, tdvpr[2]);
	sim_free(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_entropy_create),
		cmocka_unit_test(test_no_entropy_addcx),
		cmocka_unit_test(test_no_key),
		cmocka_unit_test(test_too_many_pages),
		cmocka_unit_test(test_pconfig_busy),
		cmocka_unit_test(test_field_changes),
		cmocka_unit_test(test_disabled),
		cmocka_unit_test(test_vp_init_version),
		cmocka_unit_test(test_vp_init_tdr),
		cmocka_unit_test(test_vp_init_x2apic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
