// SPDX-License-Identifier: GPL-2.0-only
/*
 * #VE instead of a TD exit: for a page that waits to be accepted, for an operand of a TDCALL,
 * when a suspected zero-step attack is told. What is in VE_INFO, and that a second one before
 * it has been read is #DF.
 */
#include "tests/tdxmod/common.h"

#include "tdxmod/guest.h"
#include "tdxmod/status.h"
#include "tdxmod/stepping.h"
#include "tdxmod/tdcall.h"

#define PAGE_GPA	0x1000ull
#define PAGE_HPA	0x400000ull
#define SHARED		BIT_ULL(47)

struct env {
	struct sim *sim;
	struct test_td td;
	struct tdvps *vp;
	struct lp_ctx *lp;
	u64 *entry;		/* of PAGE_GPA */
	struct tdx_regs r, g;
	bool again;
};

static void enter(struct env *e)
{
	e->r = (struct tdx_regs){ .rcx = e->td.tdvpr[0] };
	assert_int_equal(vp_enter_seam(&e->r), 0);
}

static void begin(struct env *e, const struct test_setup *s)
{
	struct sept_walk w;

	*e = (struct env){ .sim = test_sim() };
	test_td(e->sim, s, &e->td);
	e->vp = tdvps_at(e->td.tdvpr[0]);
	e->lp = lp_ctx_self();
	for (u8 l = LVL_PML4; l > LVL_PT; l--)
		assert_int_equal(call(TDH_MEM_SEPT_ADD, l, e->td.tdr, 0x200000 + l * 0x1000, NULL), 0);
	assert_int_equal(call(TDH_MEM_PAGE_AUG, PAGE_GPA, e->td.tdr, PAGE_HPA, NULL), 0);
	sept_peek_walk(td_tdcs(tdr_at(e->td.tdr)), PAGE_GPA, LVL_PT, &w);
	e->entry = w.entry;
	enter(e);
}

static void end(struct env *e)
{
	assert_int_equal(check_count(e->sim), 0);
	sim_free(e->sim);
}

static bool touch(struct env *e, u64 gpa)
{
	return vmexit_ept_violation(e->lp, gpa, QUAL_WRITE, &e->r);
}

static u64 veinfo_get(struct env *e)
{
	e->g = (struct tdx_regs){
		.rax = TDG_VP_VEINFO_GET, .rcx = 1, .rdx = 1, .r8 = 1, .r9 = 1, .r10 = 1,
	};
	assert_false(vmexit_tdcall(e->lp, &e->g, &e->again, &e->r));
	assert_false(e->again);
	return e->g.rax;
}

static void ve_info_is(struct env *e, u64 qualification, u64 gpa)
{
	assert_int_equal(veinfo_get(e), TDX_SUCCESS);
	assert_int_equal(e->g.rcx, EXIT_REASON_EPT_VIOLATION);
	assert_int_equal(e->g.rdx, qualification);
	assert_int_equal(e->g.r9, gpa);
	assert_int_equal(e->g.r8 | e->g.r10, 0);
	/* Read once: then it is free, and says nothing */
	assert_int_equal(veinfo_get(e), TDX_NO_VALID_VE_INFO);
	assert_int_equal(e->g.rcx | e->g.rdx | e->g.r8 | e->g.r9 | e->g.r10, 0);
}

static void test_pending(void **state)
{
	struct env e;

	begin(&e, &(struct test_setup){ 0 });
	assert_false(touch(&e, PAGE_GPA + 0x123));
	assert_int_equal(e.vp->guest.rip, GUEST_VE_RIP);
	assert_int_equal(e.vp->possibly_epf_stepping, 0);	/* not logged */
	ve_info_is(&e, QUAL_WRITE, PAGE_GPA + 0x123);
	end(&e);
}

/* A #VE before the last one has been read: #DF, and VE_INFO is the first one's */
static void test_nested(void **state)
{
	struct env e;

	begin(&e, &(struct test_setup){ 0 });
	assert_false(touch(&e, PAGE_GPA));
	assert_false(touch(&e, PAGE_GPA + 8));
	assert_true(e.vp->guest.dead);
	assert_int_equal(e.vp->guest.phase, GUEST_AT_INSN);
	ve_info_is(&e, QUAL_WRITE, PAGE_GPA);
	end(&e);
}

/* Only what a guest may accept is a #VE */
static void test_states(void **state)
{
	static const enum sept_state states[] = {
		SEPT_FREE, SEPT_REMOVED, SEPT_MAPPED, SEPT_BLOCKED, SEPT_BLOCKEDW, SEPT_PENDING,
		SEPT_PENDING_BLOCKED, SEPT_PENDING_BLOCKEDW, SEPT_PENDING_EXPORTED_DIRTY,
	};

	for (u32 pve = 0; pve < 2; pve++) {
		for (u32 i = 0; i < ARRAY_SIZE(states); i++) {
			bool acceptable = states[i] == SEPT_PENDING ||
					  states[i] == SEPT_PENDING_EXPORTED_DIRTY;
			struct env e;

			begin(&e, &(struct test_setup){ .pending_ve_disable = pve });
			world_set(*e.entry, (*e.entry & ~SEPT_STATE_MASK) | sept_state_bits(states[i]));
			assert_int_equal(touch(&e, PAGE_GPA), !acceptable || pve);
			assert_int_equal(e.vp->ve.valid, acceptable && !pve);
			assert_int_equal(e.vp->possibly_epf_stepping, !acceptable || pve);
			if (!acceptable || pve)
				assert_int_equal(e.r.rdx, acceptable ? EEQ_PENDING_EPT_VIOLATION :
						 EEQ_NONE);
			end(&e);
		}
	}
}

static u64 td_ctls(struct env *e, u64 value)
{
	e->g = (struct tdx_regs){
		.rax = TDG_VM_WR, .rdx = 0x1110000300000017, .r8 = value, .r9 = 1,
	};
	assert_false(vmexit_tdcall(e->lp, &e->g, &e->again, &e->r));
	return e->g.rax;
}

/* The guest chooses between #VE and TD exit, if the VMM has let it */
static void test_flexible(void **state)
{
	struct env e;

	begin(&e, &(struct test_setup){ 0 });
	assert_int_equal(td_ctls(&e, 1), TDX_METADATA_FIELD_VALUE_NOT_VALID);
	world_set(td_tdcs(tdr_at(e.td.tdr))->config_flags, CONFIG_FLAGS_FLEXIBLE_PENDING_VE);
	assert_int_equal(td_ctls(&e, 1), TDX_SUCCESS);
	assert_true(touch(&e, PAGE_GPA));
	assert_int_equal(e.r.rdx, EEQ_PENDING_EPT_VIOLATION);
	enter(&e);
	assert_int_equal(td_ctls(&e, 0), TDX_SUCCESS);
	assert_false(touch(&e, PAGE_GPA));
	ve_info_is(&e, QUAL_WRITE, PAGE_GPA);
	end(&e);
}

/* A shared GPA: whatever the S-EPT says there, a TD exit that nobody counts */
static void test_shared(void **state)
{
	struct env e;

	begin(&e, &(struct test_setup){ 0 });
	assert_true(touch(&e, PAGE_GPA | SHARED));
	assert_int_equal(e.r.rdx, EEQ_NONE);
	assert_int_equal(e.r.r8, PAGE_GPA | SHARED);
	assert_int_equal(e.vp->possibly_epf_stepping, 0);
	end(&e);
}

/* --- operands of a TDCALL ----------------------------------------------------------------- */

static bool report(struct env *e, u64 report_gpa, u64 data_gpa)
{
	e->g = (struct tdx_regs){ .rax = TDG_MR_REPORT, .rcx = report_gpa, .rdx = data_gpa };
	return vmexit_tdcall(e->lp, &e->g, &e->again, &e->r);
}

static void test_operand_pending(void **state)
{
	struct env e;
	u64 rip;

	begin(&e, &(struct test_setup){ 0 });
	world_set(e.vp->hp_lock_busy, 1);
	rip = e.vp->guest.rip;
	assert_false(report(&e, 0, PAGE_GPA + 0x40));
	assert_true(e.again);
	assert_int_equal(e.g.rax, TDG_MR_REPORT);	/* executed again */
	assert_int_equal(e.vp->guest.ve_rip, rip);
	assert_int_equal(e.vp->hp_lock_busy, 1);	/* no result: nothing is said of locks */
	ve_info_is(&e, QUAL_READ, PAGE_GPA + 0x40);
	end(&e);

	/* Unread VE_INFO */
	begin(&e, &(struct test_setup){ 0 });
	assert_false(touch(&e, PAGE_GPA));
	assert_false(report(&e, 0, PAGE_GPA));
	assert_true(e.again && e.vp->guest.dead);
	end(&e);

	begin(&e, &(struct test_setup){ .pending_ve_disable = true });
	assert_true(report(&e, 0, PAGE_GPA));
	assert_int_equal(e.r.rax, EXIT_REASON_EPT_VIOLATION);
	assert_int_equal(e.r.rcx, QUAL_READ);
	assert_int_equal(e.r.rdx, EEQ_PENDING_EPT_VIOLATION);
	assert_int_equal(e.r.r8, PAGE_GPA);
	assert_int_equal(e.vp->possibly_epf_stepping, 0);	/* not logged on this way */
	end(&e);
}

/* The VMM's tables: root, then three tables, from pages of its own */
static u64 *map_shared(struct env *e, u64 gpa, u64 leaf)
{
	u64 table = 0x700000;

	world_set(e->vp->shared_eptp, table);
	for (u8 l = LVL_PML4; l > LVL_PT; l--) {
		world_set(((u64 *)phys_to_ptr(table))[sept_index(gpa, l)], (table + 0x1000) | 7);
		table += 0x1000;
	}
	world_set(((u64 *)phys_to_ptr(table))[sept_index(gpa, LVL_PT)], leaf);
	return (u64 *)phys_to_ptr(table) + sept_index(gpa, LVL_PT);
}

static void test_operand_shared(void **state)
{
	const u64 gpa = 0x5000 | SHARED, wb = 6 << 3;
	static const struct {
		u64 leaf;
		u32 reason;	/* 0: #VE */
	} refused[] = {
		{ SEPT_SVE, EXIT_REASON_EPT_VIOLATION },
		{ 0, 0 },
		{ 2 | 6 << 3, EXIT_REASON_EPT_MISCONFIG },		/* W without R */
		{ 3 | 7 << 3, EXIT_REASON_EPT_MISCONFIG },		/* memory type */
		{ 3 | 6 << 3 | SEAMRR_BASE, EXIT_REASON_EPT_MISCONFIG },
		{ 3 | 6 << 3 | 33ull << 40, EXIT_REASON_EPT_MISCONFIG },
	};
	struct env e;

	begin(&e, &(struct test_setup){ 0 });
	world_set(*e.entry, sept_make_leaf(SEPT_RWX, PAGE_HPA, SEPT_MAPPED));
	map_shared(&e, gpa, 3 | wb | 0x600000);
	world_set(*(u64 *)phys_to_ptr(0x600000), 0);
	assert_false(report(&e, gpa, PAGE_GPA));
	assert_false(e.again);
	assert_int_equal(e.g.rax, TDX_SUCCESS);
	assert_int_not_equal(*(u64 *)phys_to_ptr(0x600000), 0);
	/* Read-only is not enough for the report; entries of the VMM's suppress nothing */
	map_shared(&e, gpa, 1 | wb | 0x600000);
	assert_false(report(&e, gpa, PAGE_GPA));
	assert_true(e.again);
	ve_info_is(&e, QUAL_WRITE | QUAL_READ << 3, gpa);
	end(&e);

	for (u32 i = 0; i < ARRAY_SIZE(refused); i++) {
		begin(&e, &(struct test_setup){ 0 });
		map_shared(&e, gpa, refused[i].leaf);
		assert_int_equal(report(&e, 0, gpa), refused[i].reason != 0);
		if (refused[i].reason)
			assert_int_equal(e.r.rax, refused[i].reason);
		else
			assert_true(e.again && e.vp->ve.valid && e.vp->ve.gpa == gpa);
		end(&e);
	}
}

/* RTMR.EXTEND takes private memory alone */
static void test_operand_private(void **state)
{
	struct env e;

	begin(&e, &(struct test_setup){ 0 });
	map_shared(&e, 0x5000 | SHARED, 3 | 6 << 3 | 0x600000);
	e.g = (struct tdx_regs){ .rax = TDG_MR_RTMR_EXTEND, .rcx = 0x5000 | SHARED };
	assert_false(vmexit_tdcall(e.lp, &e.g, &e.again, &e.r));
	assert_int_equal(e.g.rax, TDX_OPERAND_INVALID | OPERAND_RCX);
	end(&e);
}

/* --- NOTIFY_ENABLES ------------------------------------------------------------------------ */

/* Seven violations on one RIP, then the page is there: is the guest told when it enters? */
static bool notified(struct env *e, bool notify, u64 last_gpa)
{
	struct sept_walk w;

	begin(e, &(struct test_setup){ .notify = notify, .pending_ve_disable = true });
	for (u32 i = 0; i < STEPPING_EPF_THRESHOLD; i++) {
		assert_true(touch(e, 0x5000));
		enter(e);
	}
	assert_true(touch(e, 0x5000));
	assert_int_equal(e->vp->last_epf_gpa_list_idx, 1);
	sept_peek_walk(td_tdcs(tdr_at(e->td.tdr)), 0x5000, LVL_PT, &w);
	world_set(*w.entry, sept_make_leaf(SEPT_RWX, PAGE_HPA, SEPT_MAPPED));
	world_set(e->vp->vmexit.gpa, last_gpa);
	enter(e);
	return e->vp->ve.valid;
}

static void test_notify(void **state)
{
	struct env e;

	assert_true(notified(&e, true, 0x5000));
	assert_int_equal(e.vp->guest.rip, GUEST_VE_RIP);
	ve_info_is(&e, QUAL_WRITE, 0x5000);
	end(&e);
	/* Not asked for; a last exit that was about shared memory, or no violation at all */
	assert_false(notified(&e, false, 0x5000));
	end(&e);
	assert_false(notified(&e, true, 0x5000 | SHARED));
	test_interrupt(&e.r);
	enter(&e);
	assert_false(e.vp->ve.valid);
	end(&e);
}

/* After an exit behind a TDCALL the guest gets the VMM's hint with its status */
static void test_hint(void **state)
{
	for (u32 hint = 0; hint < 2; hint++) {
		struct env e;

		begin(&e, &(struct test_setup){ .hp_lock_timeout = 1 });
		for (u32 i = 0; i < 2; i++) {
			world_set(*e.entry, *e.entry | SEPT_TDHP);
			e.g = (struct tdx_regs){ .rax = TDG_MEM_PAGE_ACCEPT, .rcx = PAGE_GPA };
			assert_int_equal(vmexit_tdcall(e.lp, &e.g, &e.again, &e.r), i);
			sim_compute(10);
		}
		assert_int_equal(STATUS_CLASS(e.r.rax), TDX_HOST_PRIORITY_BUSY_TIMEOUT);
		world_set(e.vp->guest.rax, e.g.rax);
		e.r = (struct tdx_regs){ .rcx = e.td.tdvpr[0] | (hint ? BIT_ULL(52) : 0) };
		assert_int_equal(vp_enter_seam(&e.r), 0);
		assert_int_equal(e.vp->guest.rax, TDX_OPERAND_BUSY | OPERAND_RCX |
				 (hint ? BIT_ULL(60) : 0));
		end(&e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pending),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_flexible),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_operand_pending),
		cmocka_unit_test(test_operand_shared),
		cmocka_unit_test(test_operand_private),
		cmocka_unit_test(test_notify),
		cmocka_unit_test(test_hint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
