// SPDX-License-Identifier: GPL-2.0-only
/* Guests that run: faults, #VE and accept, shared pages, interrupts. */
#include "tests/tdxmod/guest_run.h"

#include <string.h>

#include "sim/engine/ept.h"
#include "sim/engine/lp.h"
#include "tdxmod/status.h"

PROGRAM(touch_two, { .op = GUEST_ACCESS, .ngpa = 2, .gpa = { GFN(1), GFN(2) },
		     .access = GUEST_WRITE });

/* FREE: a TD exit, AUG; PENDING: a #VE, ACCEPT; then the instruction retires */
static void test_fault(void **state)
{
	struct vm vm;

	vm_begin(&vm, &(struct test_setup){ 0 }, &touch_two);
	vm_tables(&vm, LVL_PT);
	vm_run(&vm, NULL);
	assert_int_equal(vm.exits[EXIT_REASON_EPT_VIOLATION], 2);
	assert_int_equal(vm.exits[EXIT_REASON_TDCALL], 1);
	assert_int_equal(vm_seen(&vm, EV_NOTE, "#VE"), 2);
	assert_int_equal(vm_seen(&vm, EV_CALL, "TDG.MEM.PAGE.ACCEPT"), 2);
	assert_int_equal(vm_state(&vm, 1), SEPT_MAPPED);
	assert_int_equal(vm_state(&vm, 2), SEPT_MAPPED);
	assert_int_equal(count_of(vm.sim, NULL, COUNT_EPF), 2);
	assert_int_equal(count_of(vm.sim, NULL, COUNT_GUEST_INSNS), 1);
	assert_int_equal(check_count(vm.sim), 0);
	assert_int_equal(vm_seen(&vm, EV_OBSERVE, NULL), 0);
	vm_end(&vm);
}

/* With #VE disabled the VMM is told that the page is PENDING */
static void test_pending_exit(void **state)
{
	struct vm vm;

	vm_begin(&vm, &(struct test_setup){ .pending_ve_disable = true }, &touch_two);
	vm_tables(&vm, LVL_PT);
	vm.limit = 2;
	vm_run(&vm, NULL);
	assert_int_equal(vm.last.rax, EXIT_REASON_EPT_VIOLATION);
	assert_int_equal(vm.last.rdx, EEQ_PENDING_EPT_VIOLATION);
	assert_int_equal(vm.last.rcx, QUAL_WRITE);
	assert_int_equal(vm.last.r8, GFN(1));
	vm_end(&vm);
}

/* on-ve: die and count instead of accept */
static void test_reactions(void **state)
{
	struct guest_program p = touch_two;
	struct vm vm;

	p.on_ve = REACT_DIE;
	vm_begin(&vm, &(struct test_setup){ 0 }, &p);
	vm_tables(&vm, LVL_PT);
	vm_run(&vm, NULL);
	assert_true(vm_stopped(&vm.last));
	assert_int_equal(vm_state(&vm, 1), SEPT_PENDING);
	assert_int_equal(count_of(vm.sim, NULL, COUNT_GUEST_INSNS), 0);
	vm_end(&vm);

	p.on_ve = REACT_COUNT;
	vm_begin(&vm, &(struct test_setup){ 0 }, &p);
	vm_tables(&vm, LVL_PT);
	vm_run(&vm, NULL);
	assert_int_equal(vm_seen(&vm, EV_OBSERVE, "guest-ve"), 1);
	assert_int_equal(vm_state(&vm, 1), SEPT_PENDING);
	vm_end(&vm);
}

PROGRAM(accept_2m, { .op = GUEST_ACCEPT, .ngpa = 1, .gpa = { 0 }, .pages = 513, .level = 1 });

/* 2M refused where 4K tables are: page by page instead; what is not there is a TD exit */
static void test_accept_sizes(void **state)
{
	struct vm vm;

	vm_begin(&vm, &(struct test_setup){ 0 }, &accept_2m);
	vm_tables(&vm, LVL_PT);
	assert_int_equal(call(TDH_MEM_SEPT_ADD, 0x200000 | LVL_PD, vm.td.tdr, 0x210000, NULL), 0);
	vm_run(&vm, NULL);
	assert_true(vm_stopped(&vm.last));
	assert_int_equal(vm_seen(&vm, EV_CALL, "TDG.MEM.PAGE.ACCEPT"), 1 + 2 * 513);
	assert_int_equal(vm.exits[EXIT_REASON_EPT_VIOLATION], 513);
	assert_int_equal(vm.last.rax, EXIT_REASON_TDCALL);
	assert_int_equal(vm_state(&vm, 512), SEPT_MAPPED);
	/* Violations of an ACCEPT are not counted as faults on one RIP */
	assert_int_equal(count_of(vm.sim, NULL, COUNT_EPF), 0);
	vm_end(&vm);

	vm_begin(&vm, &(struct test_setup){ 0 }, &accept_2m);
	vm_tables(&vm, LVL_PD);
	assert_int_equal(call(TDH_MEM_PAGE_AUG, LVL_PD, vm.td.tdr, 0x800000, NULL), 0);
	vm.limit = 1;
	vm_run(&vm, NULL);
	assert_int_equal(vm_state(&vm, 0x1ff), SEPT_MAPPED);
	assert_int_equal(vm.last.rdx, EEQ_ACCEPT | (u64)(LVL_PT | LVL_PD << 3) << 32);
	vm_end(&vm);
}

PROGRAM(shared, { .op = GUEST_ACCESS, .ngpa = 1, .gpa = { GFN(7) }, .shared = true });

/* The VMM's tables for GFN(7): a page of them a level; the SHARED bit chooses the top entry */
static void shared_tables(struct vm *vm, u64 first)
{
	struct tdx_regs r = { .rax = TDH_VP_WR, .rcx = vm->td.tdvpr[0], .rdx = 0x203c,
			      .r8 = 0x300000, .r9 = ~0ull };
	u64 gpa = GFN(7) | BIT_ULL(47);

	for (u8 l = LVL_PML4;; l--) {
		u64 table = 0x300000 + (LVL_PML4 - l) * PAGE_SIZE;
		u64 *entry = (u64 *)phys_to_ptr(table) + (gpa >> (12 + 9 * l) & 511);

		world_set(*entry, l == LVL_PT ? first : (table + PAGE_SIZE) | EPT_RWX |
			  EPT_SUPPRESS_VE);
		if (!l)
			break;
	}
	assert_int_equal(seamcall(&r), 0);
	assert_int_equal(r.r8, tdr_at(vm->td.tdr)->tdcx_pa[TDCX_ZERO_PAGE] |
			 (u64)tdr_at(vm->td.tdr)->hkid << HKID_SHIFT);
}

static u64 *shared_leaf(void)
{
	return (u64 *)phys_to_ptr(0x303000) + 7;
}

/*
 * A shared page is the VMM's business: a violation with the SHARED bit, never logged, until
 * its tables say otherwise; accessed and dirty bits are off in a TD.
 */
static void test_shared(void **state)
{
	struct vm vm;

	vm_begin(&vm, &(struct test_setup){ 0 }, &shared);
	vm.resolve = false;
	shared_tables(&vm, EPT_SUPPRESS_VE);
	vm.limit = 2;
	vm_run(&vm, NULL);
	assert_int_equal(vm.exits[EXIT_REASON_EPT_VIOLATION], 2);
	assert_int_equal(vm.last.r8, GFN(7) | BIT_ULL(47));
	assert_int_equal(count_of(vm.sim, NULL, COUNT_EPF), 0);
	world_set(*shared_leaf(), 0x500000 | EPT_RWX | 6 << 3 | EPT_SUPPRESS_VE);
	vm_run(&vm, NULL);
	assert_true(vm_stopped(&vm.last));
	assert_int_equal(*shared_leaf() & (EPT_ACCESSED | EPT_DIRTY), 0);
	vm_end(&vm);
}

/* An entry that does not suppress it makes the access a #VE; so do all before VP.WR */
static void test_shared_ve(void **state)
{
	struct vm vm;

	vm_begin(&vm, &(struct test_setup){ 0 }, &shared);
	vm_run(&vm, NULL);
	assert_true(vm_stopped(&vm.last));
	assert_int_equal(vm.exits[EXIT_REASON_EPT_VIOLATION], 0);
	assert_int_equal(vm.exits[EXIT_REASON_TDCALL], 2);	/* MMIO, and the end */
	vm_end(&vm);

	/* What the handler asks for: size, direction, address with its shared bit */
	vm_begin(&vm, &(struct test_setup){ 0 }, &shared);
	vm.limit = 1;
	vm_run(&vm, NULL);
	assert_int_equal(vm.last.r11, 48);
	assert_int_equal(vm.last.r12, 8);
	assert_int_equal(vm.last.r13, shared.insn[0].access == GUEST_WRITE);
	assert_true(vm.last.r14 == (shared.insn[0].gpa[0] | 1ull << 47));
	vm_end(&vm);

	vm_begin(&vm, &(struct test_setup){ 0 }, &shared);
	shared_tables(&vm, EPT_WRITE | EPT_EXEC | EPT_SUPPRESS_VE);
	vm.limit = 1;
	vm_run(&vm, NULL);
	assert_int_equal(vm.exits[EXIT_REASON_EPT_MISCONFIG], 1);
	assert_int_equal(vm.last.r8, GFN(7) | BIT_ULL(47));
	vm_end(&vm);
}

PROGRAM(endless, { .op = GUEST_COMPUTE, .cycles = 1000000 },
	{ .op = GUEST_REPEAT, .target = 0 });

static void test_interrupted(void **state)
{
	struct vm vm;

	vm_begin(&vm, &(struct test_setup){ 0 }, &endless);
	vm.limit = 1;
	vm_run(&vm, vm_kicker);
	assert_int_equal(vm.last.rax, EXIT_REASON_EXTERNAL_INTERRUPT);
	/* Not at the end of the instruction's million cycles */
	assert_true(sim_cycles(vm.sim) < 200000);
	vm_end(&vm);
}

/* ATTR.RD locks what its walk ended at, a FREE entry too: AUG meets it there */
static void aug_meets_it(struct record *rec, const struct event *ev)
{
	struct vm *vm = rec->ctx;
	struct tdx_regs out;

	if (ev->type != EV_LOCK || strcmp(ev->name, "sept") || strcmp(ev->detail, "guest"))
		return;
	rec->hook = NULL;
	test_on_lp(1);
	assert_int_equal(call(TDH_MEM_PAGE_AUG, GFN(3), vm->td.tdr, 0x400000, &out),
			 TDX_OPERAND_BUSY | OPERAND_RCX);
	test_on_lp(0);
}

static void test_attr_rd(void **state)
{
	struct tdx_regs g = { .rax = TDG_MEM_PAGE_ATTR_RD, .rcx = GFN(3) }, r;
	struct sept_walk w;
	bool interrupted;
	struct vm vm;

	vm_begin(&vm, &(struct test_setup){ 0 }, NULL);
	vm_tables(&vm, LVL_PT);
	r = (struct tdx_regs){ .rcx = vm.td.tdvpr[0] };
	assert_int_equal(vp_enter_seam(&r), 0);
	vm.rec.hook = aug_meets_it;
	vm.rec.ctx = &vm;
	assert_true(vmexit_tdcall(lp_ctx_self(), &g, &interrupted, &r));
	assert_int_equal(r.rax, EXIT_REASON_EPT_VIOLATION);
	assert_int_equal(r.rcx | r.rdx, 0);
	assert_int_equal(r.r8, GFN(3));
	sept_peek_walk(td_tdcs(tdr_at(vm.td.tdr)), GFN(3), LVL_PT, &w);
	assert_int_equal(*w.entry, SEPT_FREE_INIT | SEPT_TDHP);
	vm_end(&vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fault),
		cmocka_unit_test(test_pending_exit),
		cmocka_unit_test(test_reactions),
		cmocka_unit_test(test_accept_sizes),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_shared_ve),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_attr_rd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
