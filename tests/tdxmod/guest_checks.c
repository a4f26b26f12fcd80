// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the checks watch for while a guest runs: the zero-step defence, refusals for a host's
 * sake, translations that outlive their page.
 */
#include "tests/tdxmod/guest_run.h"

#include <string.h>

#include "sim/engine/lp.h"
#include "tdxmod/status.h"

PROGRAM(stuck, { .op = GUEST_ACCESS, .ngpa = 1, .gpa = { GFN(5) } });

/* vCPU1 on LP 1 comes, accepts and goes */
static void accept_elsewhere(struct vm *vm, u64 gpa)
{
	struct tdx_regs g = { .rax = TDG_MEM_PAGE_ACCEPT, .rcx = gpa };
	struct tdx_regs r = { .rcx = vm->td.tdvpr[1] };
	bool interrupted;

	test_on_lp(1);
	assert_int_equal(vp_enter_seam(&r), 0);
	assert_false(vmexit_tdcall(lp_ctx_self(), &g, &interrupted, &r));
	assert_int_equal(g.rax, TDX_SUCCESS);
	test_interrupt(&r);
	test_on_lp(0);
}

/* Six faults are counted, the seventh is listed, and then entries are refused */
static void zero_step_fires(void **state)
{
	struct vm vm;
	struct tdvps *vp;

	vm_begin(&vm, &(struct test_setup){ 0 }, &stuck);
	vm_tables(&vm, LVL_PT);
	vp = tdvps_at(vm.td.tdvpr[0]);
	vm.resolve = false;
	vm.limit = 7;
	vm_run(&vm, NULL);
	assert_int_equal(vp->possibly_epf_stepping, 6);
	assert_int_equal(vp->last_epf_gpa_list_idx, 1);
	assert_int_equal(vp->last_epf_gpa_list[0], GFN(5));
	assert_int_equal(vm_seen(&vm, EV_OBSERVE, "zero-step-armed"), 1);
	assert_int_equal(vm_seen(&vm, EV_LOCK, "SEPT_TREE"), 3);	/* the tables alone */

	vm.limit = 8;
	vm_run(&vm, NULL);
	assert_int_equal(vm.last.rax, EXIT_REASON_EPT_VIOLATION);
	assert_int_equal(vm_seen(&vm, EV_LOCK, "SEPT_TREE"), 4);
	assert_int_equal(count_of(vm.sim, NULL, COUNT_VP_ENTERS), 7);
	assert_int_equal(td_tdcs(tdr_at(vm.td.tdr))->epoch.refcount[1], 0);

	/*
	 * PENDING is not enough in this version, although the guest would accept it if it
	 * could run: only another vCPU's ACCEPT lets it in. Progress then forgets the list.
	 */
	assert_int_equal(call(TDH_MEM_PAGE_AUG, GFN(5), vm.td.tdr, 0x400000, NULL), 0);
	vm.limit = 9;
	vm_run(&vm, NULL);
	assert_int_equal(vm.last.rax, EXIT_REASON_EPT_VIOLATION);
	accept_elsewhere(&vm, GFN(5));
	vm.limit = 20;
	vm_run(&vm, NULL);
	assert_true(vm_stopped(&vm.last));
	assert_int_equal(vp->last_epf_gpa_list_idx, 0);
	assert_int_equal(vp->possibly_epf_stepping, 0);
	vm_end(&vm);
}

/* One fault short of it: counted, and nothing more */
static void zero_step_silent(void **state)
{
	struct vm vm;

	vm_begin(&vm, &(struct test_setup){ 0 }, &stuck);
	vm_tables(&vm, LVL_PT);
	vm.resolve = false;
	vm.limit = 6;
	vm_run(&vm, NULL);
	assert_int_equal(count_of(vm.sim, NULL, COUNT_EPF), 6);
	assert_int_equal(vm_seen(&vm, EV_OBSERVE, "zero-step-armed"), 0);
	vm_end(&vm);
}

PROGRAM(goes_on, { .op = GUEST_ACCESS, .ngpa = 4, .gpa = { GFN(1), GFN(2), GFN(3), GFN(4) } },
	{ .op = GUEST_ACCESS, .ngpa = 4, .gpa = { GFN(5), GFN(6), GFN(7), GFN(8) } });

/*
 * One fault after the other and nothing between, not even a #VE; and yet the guest goes on,
 * as its RIP says: a count of faults alone would arm.
 */
static void zero_step_legal(void **state)
{
	struct vm vm;

	vm_begin(&vm, &(struct test_setup){ 0 }, &goes_on);
	vm_tables(&vm, LVL_PT);
	vm.resolve = false;
	for (u32 i = 1; i <= 8; i++) {
		vm.limit = i;
		vm_run(&vm, NULL);
		assert_int_equal(vm.last.r8, GFN(i));
		assert_int_equal(call(TDH_MEM_PAGE_AUG, GFN(i), vm.td.tdr, 0x400000 + GFN(i), NULL), 0);
		accept_elsewhere(&vm, GFN(i));
	}
	assert_int_equal(count_of(vm.sim, NULL, COUNT_EPF), 8);
	assert_int_equal(vm_seen(&vm, EV_OBSERVE, "zero-step-armed"), 0);
	vm_end(&vm);
}

/* versions.md S3: a page that the guest would accept by #VE is no expected fault */
static void test_zero_step_pending(void **state)
{
	static const char *const versions[] = { "1.5.01", "1.5.34" };

	for (u32 i = 0; i < 2; i++) {
		struct vm vm;

		vm_begin(&vm, &(struct test_setup){ .version = versions[i] }, &stuck);
		vm_tables(&vm, LVL_PT);
		vm.resolve = false;
		vm.limit = 7;
		vm_run(&vm, NULL);
		assert_int_equal(call(TDH_MEM_PAGE_AUG, GFN(5), vm.td.tdr, 0x400000, NULL), 0);
		vm.limit = 8;
		vm_run(&vm, NULL);
		assert_int_equal(vm.last.rax, i ? EXIT_REASON_TDCALL : EXIT_REASON_EPT_VIOLATION);
		vm_end(&vm);
	}
}

PROGRAM(accept_one, { .op = GUEST_ACCEPT, .ngpa = 1, .gpa = { GFN(3) }, .pages = 1 });

/* A host that was refused and never came back: in the end the VMM is told */
static void hp_leaked_fires(void **state)
{
	struct vm vm;
	struct sept_walk w;

	vm_begin(&vm, &(struct test_setup){ .hp_lock_timeout = 100000 }, &accept_one);
	vm_tables(&vm, LVL_PT);
	assert_int_equal(call(TDH_MEM_PAGE_AUG, GFN(3), vm.td.tdr, 0x400000, NULL), 0);
	sept_peek_walk(td_tdcs(tdr_at(vm.td.tdr)), GFN(3), LVL_PT, &w);
	assert_int_equal(sept_lock_guest(w.entry), TDX_SUCCESS);
	assert_int_equal(sept_lock_host(w.entry), TDX_OPERAND_BUSY);
	sept_unlock(w.entry);
	vm_run(&vm, NULL);
	assert_int_equal(vm.last.rax, TDX_HOST_PRIORITY_BUSY_TIMEOUT);
	assert_int_equal(vm_seen(&vm, EV_TIMEOUT, "HP_LOCK_TIMEOUT"), 1);
	assert_int_equal(vm_seen(&vm, EV_OBSERVE, "hp-leaked"), 2);	/* at once, and at the end */
	assert_int_equal(tdvps_at(vm.td.tdvpr[0])->last_td_exit, LAST_ASYNC_TRAP);
	assert_true(vm_seen(&vm, EV_CALL, "TDG.MEM.PAGE.ACCEPT") > 10);
	vm_end(&vm);
}

/* A host's attempt in between ends it, and the guest is served */
static void hp_leaked_silent(void **state)
{
	struct vm vm;
	struct sept_walk w;

	vm_begin(&vm, &(struct test_setup){ .hp_lock_timeout = 100000000 }, &accept_one);
	vm_tables(&vm, LVL_PT);
	assert_int_equal(call(TDH_MEM_PAGE_AUG, GFN(3), vm.td.tdr, 0x400000, NULL), 0);
	sept_peek_walk(td_tdcs(tdr_at(vm.td.tdr)), GFN(3), LVL_PT, &w);
	world_set(*w.entry, *w.entry | SEPT_TDHP);
	vm.limit = 0;
	assert_int_equal(call(TDH_MEM_SEPT_RD, GFN(3), vm.td.tdr, 0, NULL), 0);
	vm_run(&vm, NULL);
	assert_true(vm_stopped(&vm.last));
	assert_int_equal(vm_state(&vm, 3), SEPT_MAPPED);
	assert_int_equal(vm_seen(&vm, EV_OBSERVE, "hp-leaked"), 0);
	vm_end(&vm);
}

static struct sept_walk test_entry(struct vm *vm)
{
	struct sept_walk w;

	vm_tables(vm, LVL_PT);
	assert_int_equal(call(TDH_MEM_PAGE_AUG, GFN(3), vm->td.tdr, 0x400000, NULL), 0);
	sept_peek_walk(td_tdcs(tdr_at(vm->td.tdr)), GFN(3), LVL_PT, &w);
	return w;
}

/* The bit is set and guests are turned away for its sake, but the host comes back */
static void comes_back(void *arg)
{
	struct vm *vm = arg;

	sim_compute(50000);
	assert_int_equal(call(TDH_MEM_SEPT_RD, GFN(3), vm->td.tdr, 0, NULL), 0);
}

static void hp_leaked_legal(void **state)
{
	struct sept_walk w;
	struct vm vm;

	vm_begin(&vm, &(struct test_setup){ .hp_lock_timeout = 100000000 }, &accept_one);
	w = test_entry(&vm);
	assert_int_equal(sept_lock_guest(w.entry), TDX_SUCCESS);
	assert_int_equal(sept_lock_host(w.entry), TDX_OPERAND_BUSY);
	sept_unlock(w.entry);
	assert_true(*w.entry & SEPT_TDHP);
	vm_run(&vm, comes_back);
	assert_true(vm_stopped(&vm.last));
	assert_true(vm_seen(&vm, EV_BUSY, "sept") > 1);
	assert_int_equal(vm_state(&vm, 3), SEPT_MAPPED);
	assert_int_equal(vm_seen(&vm, EV_OBSERVE, "hp-leaked"), 0);
	vm_end(&vm);
}

/* An ACCEPT whose whole-entry store drops a TDHP set meanwhile; newer modules keep it (S5) */
static void set_hp(struct record *rec, const struct event *ev)
{
	if (ev->type == EV_STEP && ev->op == MEM_WRITE && ev->p == page_line(0x400000))
		assert_int_equal(sept_lock_host(rec->ctx), TDX_OPERAND_BUSY);
}

/* Returns how often it was lost: an ACCEPT, refused to a host meanwhile, and a guest again */
static u32 hp_lost_with(const char *version)
{
	struct tdx_regs g = { .rax = TDG_MEM_PAGE_ACCEPT, .rcx = GFN(3) }, r;
	bool interrupted, kept;
	struct sept_walk w;
	struct vm vm;
	u32 lost;

	vm_begin(&vm, &(struct test_setup){ .version = version }, NULL);
	w = test_entry(&vm);
	r = (struct tdx_regs){ .rcx = vm.td.tdvpr[0] };
	assert_int_equal(vp_enter_seam(&r), 0);
	vm.rec.hook = set_hp;
	vm.rec.ctx = w.entry;
	vmexit_tdcall(lp_ctx_self(), &g, &interrupted, &r);
	assert_int_equal(g.rax, TDX_SUCCESS);
	kept = *w.entry & SEPT_TDHP;
	vm.rec.hook = NULL;
	/* The next guest attempt gets the lock although a host asked first, or does not */
	g = (struct tdx_regs){ .rax = TDG_MEM_PAGE_ATTR_RD, .rcx = GFN(3) };
	vmexit_tdcall(lp_ctx_self(), &g, &interrupted, &r);
	lost = vm_seen(&vm, EV_OBSERVE, "hp-lost");
	assert_int_equal(g.rax, kept ? TDX_OPERAND_BUSY | OPERAND_RCX : TDX_SUCCESS);
	assert_int_equal(lost, !kept);
	/* What was lost cannot leak as well, though the host never got its lock */
	test_interrupt(&r);
	assert_int_equal(sim_run(vm.sim), SIM_DONE);
	assert_int_equal(vm_seen(&vm, EV_OBSERVE, "hp-leaked"), kept);
	vm_end(&vm);
	return lost;
}

static void hp_lost_fires(void **state)
{
	assert_int_equal(hp_lost_with("1.5.01"), 1);
}

static void hp_lost_silent(void **state)
{
	assert_int_equal(hp_lost_with("1.5.34"), 0);
}

/* A guest gets the lock after a host's BUSY, and that is right: the host has had it since */
static void hp_lost_legal(void **state)
{
	struct sept_walk w;
	struct vm vm;

	vm_begin(&vm, &(struct test_setup){ 0 }, NULL);
	w = test_entry(&vm);
	assert_int_equal(sept_lock_guest(w.entry), TDX_SUCCESS);
	assert_int_equal(sept_lock_host(w.entry), TDX_OPERAND_BUSY);
	sept_unlock(w.entry);
	assert_int_equal(sept_lock_guest(w.entry), TDX_OPERAND_BUSY_HOST_PRIORITY);
	assert_int_equal(sept_lock_host(w.entry), TDX_SUCCESS);
	sept_unlock(w.entry);
	assert_int_equal(sept_lock_guest(w.entry), TDX_SUCCESS);
	sept_unlock(w.entry);
	assert_int_equal(vm_seen(&vm, EV_OBSERVE, "hp-lost"), 0);
	vm_end(&vm);
}

/* --- translations that outlive their page -------------------------------------------- */

PROGRAM(use_twice, { .op = GUEST_ACCESS, .ngpa = 1, .gpa = { GFN(1) } },
	{ .op = GUEST_COMPUTE, .cycles = 400000 },
	{ .op = GUEST_ACCESS, .ngpa = 1, .gpa = { GFN(1) } });

/* BLOCK, TRACK, kick, REMOVE, as it should be; with @cheat nobody waits for the guest */
static void zap(struct vm *vm, bool cheat)
{
	u64 rax;

	sim_compute(150000);
	assert_int_equal(call(TDH_MEM_RANGE_BLOCK, GFN(1), vm->td.tdr, 0, NULL), 0);
	assert_int_equal(call(TDH_MEM_TRACK, vm->td.tdr, 0, 0, NULL), 0);
	if (cheat)	/* as if the module had lost count of its guests */
		world_set(td_tdcs(tdr_at(vm->td.tdr))->epoch.refcount[1], 0);
	else
		lp_raise(0, IRQ_KICK);
	do {
		rax = call(TDH_MEM_PAGE_REMOVE, GFN(1), vm->td.tdr, 0, NULL);
	} while (STATUS_CLASS(rax) == TDX_TLB_TRACKING_NOT_DONE);
	assert_int_equal(rax, 0);
}

static void zap_well(void *arg)
{
	zap(arg, false);
}

static void zap_badly(void *arg)
{
	zap(arg, true);
}

static void stale_tlb_fires(void **state)
{
	struct vm vm;

	vm_begin(&vm, &(struct test_setup){ 0 }, &use_twice);
	check_tolerate(vm.sim, "stale-tlb");
	vm_tables(&vm, LVL_PT);
	vm_run(&vm, zap_badly);
	/* Held while in the guest at the REMOVE; then used */
	assert_int_equal(check_count(vm.sim), 2);
	assert_string_equal(check_at(vm.sim, 0)->id, "stale-tlb");
	assert_string_equal(check_at(vm.sim, 0)->where, "0x1");
	assert_string_equal(check_at(vm.sim, 1)->id, "stale-tlb");
	vm_end(&vm);
}

static void stale_tlb_silent(void **state)
{
	struct vm vm;

	vm_begin(&vm, &(struct test_setup){ 0 }, &use_twice);
	vm_tables(&vm, LVL_PT);
	vm_run(&vm, zap_well);
	assert_int_equal(check_count(vm.sim), 0);
	assert_int_equal(vm.exits[EXIT_REASON_EPT_VIOLATION], 2);	/* once more after the zap */
	assert_int_equal(vm.exits[EXIT_REASON_EXTERNAL_INTERRUPT], 1);
	assert_true(vm_stopped(&vm.last));
	vm_end(&vm);
}

/*
 * An LP out of the guest keeps the translation while its page is removed and given to
 * another gfn: nothing flushes at the TD exit, and nothing has to. The next entry does.
 */
static void stale_tlb_legal(void **state)
{
	struct tdx_regs r;
	bool in_guest;
	struct vm vm;
	u16 at;

	vm_begin(&vm, &(struct test_setup){ 0 }, &use_twice);
	vm_tables(&vm, LVL_PT);
	vm.limit = 2;
	vm_run(&vm, vm_kicker);
	test_on_lp(1);
	assert_int_equal(call(TDH_MEM_RANGE_BLOCK, GFN(1), vm.td.tdr, 0, NULL), 0);
	assert_int_equal(call(TDH_MEM_TRACK, vm.td.tdr, 0, 0, NULL), 0);
	assert_int_equal(call(TDH_MEM_PAGE_REMOVE, GFN(1), vm.td.tdr, 0, NULL), 0);
	assert_int_equal(call(TDH_MEM_PAGE_AUG, GFN(2), vm.td.tdr, 0x400000, NULL), 0);
	assert_true(tlb_holds_gfn(vm.td.tdr, 1, &at, &in_guest));
	assert_false(in_guest);
	test_on_lp(0);
	r = (struct tdx_regs){ .rcx = vm.td.tdvpr[0] };
	assert_int_equal(vp_enter_seam(&r), 0);
	assert_false(tlb_holds_gfn(vm.td.tdr, 1, &at, &in_guest));
	assert_int_equal(check_count(vm.sim), 0);
	vm_end(&vm);
}

/* A kicked LP still caches, and flushes when it enters next: no flush at the TD exit */
static void test_flush_points(void **state)
{
	struct tdx_regs r;
	struct lp_ctx *lp;
	bool in_guest;
	struct vm vm;
	u16 at;

	vm_begin(&vm, &(struct test_setup){ 0 }, &use_twice);
	vm_tables(&vm, LVL_PT);
	vm.limit = 2;	/* the fault; accept and use it, until the kick */
	vm_run(&vm, vm_kicker);
	lp = lp_ctx_self();
	assert_true(tlb_holds_gfn(vm.td.tdr, 1, &at, &in_guest));
	assert_int_equal(at, 0);
	assert_false(in_guest);

	/* The same epoch, the same vCPU: nothing is flushed */
	test_on_lp(0);
	r = (struct tdx_regs){ .rcx = vm.td.tdvpr[0] };
	assert_int_equal(vp_enter_seam(&r), 0);
	test_interrupt(&r);
	assert_true(tlb_holds_gfn(vm.td.tdr, 1, &at, &in_guest));

	/* A new epoch */
	assert_int_equal(call(TDH_MEM_TRACK, vm.td.tdr, 0, 0, NULL), 0);
	assert_true(tlb_holds_gfn(vm.td.tdr, 1, &at, &in_guest));
	r = (struct tdx_regs){ .rcx = vm.td.tdvpr[0] };
	assert_int_equal(vp_enter_seam(&r), 0);
	assert_false(tlb_holds_gfn(vm.td.tdr, 1, &at, &in_guest));

	/* Another vCPU than the last: even in the same epoch */
	tlb_fill(lp_tlb(lp), vm.td.tdr, 1, LVL_PT, 0x400000, TLB_RWX);
	test_interrupt(&r);
	r = (struct tdx_regs){ .rcx = vm.td.tdvpr[1] };
	assert_int_equal(vp_enter_seam(&r), 0);
	assert_false(tlb_holds_gfn(vm.td.tdr, 1, &at, &in_guest));

	/* VP.FLUSH; and what KVM may execute itself */
	tlb_fill(lp_tlb(lp), vm.td.tdr, 1, LVL_PT, 0x400000, TLB_RWX);
	test_interrupt(&r);
	assert_int_equal(call(TDH_VP_FLUSH, vm.td.tdvpr[1], 0, 0, NULL), 0);
	assert_false(tlb_holds_gfn(vm.td.tdr, 1, &at, &in_guest));
	tlb_fill(lp_tlb(lp), vm.td.tdr, 1, LVL_PT, 0x400000, TLB_RWX);
	psc_fill(lp_tlb(lp), vm.td.tdr, GFN(1), LVL_PT, 0x200000);
	tlb_flush_all(lp_tlb(lp));
	assert_false(tlb_holds_gfn(vm.td.tdr, 1, &at, &in_guest));
	vm_end(&vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zero_step_fires),
		cmocka_unit_test(zero_step_silent),
		cmocka_unit_test(zero_step_legal),
		cmocka_unit_test(test_zero_step_pending),
		cmocka_unit_test(hp_leaked_fires),
		cmocka_unit_test(hp_leaked_silent),
		cmocka_unit_test(hp_leaked_legal),
		cmocka_unit_test(hp_lost_fires),
		cmocka_unit_test(hp_lost_silent),
		cmocka_unit_test(hp_lost_legal),
		cmocka_unit_test(stale_tlb_fires),
		cmocka_unit_test(stale_tlb_silent),
		cmocka_unit_test(stale_tlb_legal),
		cmocka_unit_test(test_flush_points),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
