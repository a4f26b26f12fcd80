// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDX Connect (S12): an IOMMU that has not been invalidated since the epoch before holds TRACK
 * up, and what was blocked in that epoch.
 */
#include "tests/tdxmod/common.h"

#include "tdxmod/build.h"

#define is(a, b) assert_int_equal(a, b)

static u64 on_page(struct test_td *td, u64 leaf)
{
	return call(leaf, 0, td->tdr, 0x400000, NULL);
}

static u64 process(struct test_td *td, u64 iommu)
{
	return call(TDH_IQ_INV_PROCESS, iommu, td->tdr, 0, NULL);
}

static struct sim *with_iommus(const char *version, u8 iommus, struct test_td *td)
{
	struct sim *sim = test_sim();

	test_td(sim, &(struct test_setup){ .version = version, .iommus = iommus }, td);
	for (u8 n = LVL_PML4; n > LVL_PT; n--)
		is(call(TDH_MEM_SEPT_ADD, n, td->tdr, 0x200000 + n * 0x1000, NULL), TDX_SUCCESS);
	is(on_page(td, TDH_MEM_PAGE_AUG), TDX_SUCCESS);
	is(on_page(td, TDH_MEM_RANGE_BLOCK), TDX_SUCCESS);
	return sim;
}

static void waits_for_each(void **state)
{
	struct test_td td;
	struct sim *sim = with_iommus("2.0.18", 2, &td);

	is(on_page(&td, TDH_MEM_PAGE_REMOVE), TDX_TLB_TRACKING_NOT_DONE | OPERAND_RCX);
	is(call(TDH_MEM_TRACK, td.tdr, 0, 0, NULL), TDX_SUCCESS);
	is(on_page(&td, TDH_MEM_PAGE_REMOVE), TDX_IOMMU_IOTLB_TRACKING_NOT_DONE | OPERAND_RCX);
	is(on_page(&td, TDH_MEM_RANGE_UNBLOCK), TDX_IOMMU_IOTLB_TRACKING_NOT_DONE | OPERAND_RCX);
	is(call(TDH_MEM_TRACK, td.tdr, 0, 0, NULL), TDX_IOMMU_IOTLB_TRACKING_NOT_DONE);
	is(process(&td, 0), TDX_SUCCESS);
	is(process(&td, 0), TDX_SUCCESS);	/* nothing more to do there */
	is(on_page(&td, TDH_MEM_PAGE_REMOVE), TDX_IOMMU_IOTLB_TRACKING_NOT_DONE | OPERAND_RCX);
	is(process(&td, 1), TDX_SUCCESS);
	is(on_page(&td, TDH_MEM_PAGE_REMOVE), TDX_SUCCESS);
	is(call(TDH_MEM_TRACK, td.tdr, 0, 0, NULL), TDX_SUCCESS);
	is(td_tdcs(tdr_at(td.tdr))->iotlb.prev, 2);
	is(process(&td, 64), TDX_OPERAND_INVALID | OPERAND_RCX);
	is(check_count(sim), 0);
	sim_free(sim);
}

/* TRACK, holding the epoch, is met with BUSY; a vCPU of the epoch before is said first */
static void busy(void **state)
{
	struct test_td td;
	struct sim *sim = with_iommus("2.0.18", 1, &td);
	struct tdcs *tdcs = td_tdcs(tdr_at(td.tdr));

	world_set(tdcs->epoch.refcount[0], (u16)1);
	is(call(TDH_MEM_TRACK, td.tdr, 0, 0, NULL), TDX_PREVIOUS_TLB_EPOCH_BUSY);
	is(tdcs->iotlb.prev, 0);		/* nothing of it has happened */
	world_set(tdcs->epoch.refcount[0], (u16)0);
	is(sharex_acquire_ex(&tdcs->epoch.lock, "TD_EPOCH"), 0);
	is(process(&td, 0), TDX_OPERAND_BUSY | OPERAND_TD_EPOCH);
	sharex_release_ex(&tdcs->epoch.lock, "TD_EPOCH");
	is(call(TDH_MEM_TRACK, td.tdr, 0, 0, NULL), TDX_SUCCESS);
	world_set(tdcs->epoch.refcount[1], (u16)1);
	is(call(TDH_MEM_TRACK, td.tdr, 0, 0, NULL), TDX_PREVIOUS_TLB_EPOCH_BUSY);
	world_set(tdcs->epoch.refcount[1], (u16)0);
	is(call(TDH_MEM_TRACK, td.tdr, 0, 0, NULL), TDX_IOMMU_IOTLB_TRACKING_NOT_DONE);
	is(tdcs->epoch.lock, 0);
	is(tdcs->iotlb.inv_lock, 0);
	sim_free(sim);
}

static void not_in_the_1_5_line(void **state)
{
	struct test_td td;
	struct sim *sim = with_iommus("1.5.34", 2, &td);

	is(process(&td, 0), TDX_OPERAND_INVALID | OPERAND_RAX);
	is(call(TDH_MEM_TRACK, td.tdr, 0, 0, NULL), TDX_SUCCESS);
	is(on_page(&td, TDH_MEM_PAGE_REMOVE), TDX_SUCCESS);
	sim_free(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_for_each),
		cmocka_unit_test(busy),
		cmocka_unit_test(not_in_the_1_5_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
