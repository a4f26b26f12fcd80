// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guests that run: faults, #VE and accept, interrupts, the zero-step defence, refusals for
 * a host's sake, stale translations. A vCPU thread enters the guest again and again and
 * does what a VMM would; other actors do the rest.
 */
#include "tests/tdxmod/common.h"

#include <string.h>

#include "sim/engine/ept.h"
#include "sim/engine/lp.h"
#include "tdxmod/guest.h"
#include "tdxmod/status.h"

#define GFN(n)	((u64)(n) << 12)

struct vm {
	struct sim *sim;
	struct test_td td;
	u64 next_page;
	bool resolve;		/* EPT violations are answered with AUG */
	u32 exits[128];		/* by reason */
	u64 status;		/* of a TD exit that is no plain reason */
	struct tdx_regs last;
	u32 enters, limit;	/* limit 0: until the guest stops */
	bool kick_on_busy;
	struct record rec;
};

static void tables(struct vm *vm, u8 to)
{
	for (u8 l = LVL_PML4; l > to; l--)
		assert_int_equal(call(TDH_MEM_SEPT_ADD, l, vm->td.tdr, 0x200000 + l * 0x1000, NULL),
				 0);
}

static void begin(struct vm *vm, const struct test_setup *s, const struct guest_program *p)
{
	*vm = (struct vm){ .sim = test_sim(), .next_page = 0x400000, .resolve = true };
	test_td(vm->sim, s, &vm->td);
	vcpu_set_guest(vm->td.tdvpr[0], p);
	record_start(vm->sim, &vm->rec);
}

static void end(struct vm *vm)
{
	record_stop(vm->sim, &vm->rec);
	sim_free(vm->sim);
}

static u32 seen(struct vm *vm, enum ev_type type, const char *name)
{
	u32 n = 0;

	for (u32 i = 0; i < vm->rec.events->len; i++) {
		const struct event *ev = &g_array_index(vm->rec.events, struct event, i);

		n += ev->type == type && (!name || !strcmp(ev->name, name));
	}
	return n;
}

static bool stopped(const struct tdx_regs *r)
{
	return r->rax == EXIT_REASON_TDCALL && r->r11 == 12 && r->r12 == 1;
}

/* A vCPU thread: interrupts are on outside of the SEAMCALL, and taken there */
static void run_vcpu(void *arg)
{
	struct vm *vm = arg;

	for (;;) {
		struct tdx_regs r = { .rax = TDH_VP_ENTER, .rcx = vm->td.tdvpr[0] };

		vm->enters++;
		seamcall(&r);
		vm->last = r;
		if (r.rax >> 32)
			vm->status = r.rax;
		else
			vm->exits[r.rax & 127]++;
		if (r.rax == EXIT_REASON_EPT_VIOLATION && vm->resolve) {
			call(TDH_MEM_PAGE_AUG, r.r8, vm->td.tdr, vm->next_page, NULL);
			vm->next_page += 0x1000;
		}
		if (r.rax >> 32 == TDX_HOST_PRIORITY_BUSY_TIMEOUT >> 32 || stopped(&r) ||
		    vm->enters == vm->limit || vm->enters > 10000)
			return;
	}
}

static void run(struct vm *vm, void (*host)(void *))
{
	actor_new(vm->sim, "vCPU0", 0, run_vcpu, vm);
	if (host)
		actor_new(vm->sim, "host", 1, host, vm);
	sim_run(vm->sim);
}

static u8 state_of(struct vm *vm, u64 gfn)
{
	struct sept_view v;

	sept_peek(vm->td.tdr, gfn, &v);
	return v.state;
}

#define PROGRAM(name, ...)							\
	static const struct guest_insn name##_insn[] = { __VA_ARGS__ };		\
	static const struct guest_program name = { name##_insn, ARRAY_SIZE(name##_insn) }

PROGRAM(touch_two, { .op = GUEST_ACCESS, .ngpa = 2, .gpa = { GFN(1), GFN(2) },
		     .access = GUEST_WRITE });

/* FREE: a TD exit, AUG; PENDING: a #VE, ACCEPT; then the instruction retires */
static void test_fault(void **state)
{
	struct vm vm;

	begin(&vm, &(struct test_setup){ 0 }, &touch_two);
	tables(&vm, LVL_PT);
	run(&vm, NULL);
	assert_int_equal(vm.exits[EXIT_REASON_EPT_VIOLATION], 2);
	assert_int_equal(vm.exits[EXIT_REASON_TDCALL], 1);
	assert_int_equal(seen(&vm, EV_NOTE, "#VE"), 2);
	assert_int_equal(seen(&vm, EV_CALL, "TDG.MEM.PAGE.ACCEPT"), 2);
	assert_int_equal(state_of(&vm, 1), SEPT_MAPPED);
	assert_int_equal(state_of(&vm, 2), SEPT_MAPPED);
	assert_int_equal(count_of(vm.sim, NULL, COUNT_EPF), 2);
	assert_int_equal(count_of(vm.sim, NULL, COUNT_GUEST_INSNS), 1);
	assert_int_equal(check_count(vm.sim), 0);
	assert_int_equal(seen(&vm, EV_OBSERVE, NULL), 0);
	end(&vm);
}

/* With #VE disabled the VMM is told that the page is PENDING */
static void test_pending_exit(void **state)
{
	struct vm vm;

	begin(&vm, &(struct test_setup){ .pending_ve_disable = true }, &touch_two);
	tables(&vm, LVL_PT);
	vm.limit = 2;
	run(&vm, NULL);
	assert_int_equal(vm.last.rax, EXIT_REASON_EPT_VIOLATION);
	assert_int_equal(vm.last.rdx, EEQ_PENDING_EPT_VIOLATION);
	assert_int_equal(vm.last.rcx, QUAL_WRITE);
	assert_int_equal(vm.last.r8, GFN(1));
	end(&vm);
}

/* on-ve: die and count instead of accept */
static void test_reactions(void **state)
{
	struct guest_program p = touch_two;
	struct vm vm;

	p.on_ve = REACT_DIE;
	begin(&vm, &(struct test_setup){ 0 }, &p);
	tables(&vm, LVL_PT);
	run(&vm, NULL);
	assert_true(stopped(&vm.last));
	assert_int_equal(state_of(&vm, 1), SEPT_PENDING);
	assert_int_equal(count_of(vm.sim, NULL, COUNT_GUEST_INSNS), 0);
	end(&vm);

	p.on_ve = REACT_COUNT;
	begin(&vm, &(struct test_setup){ 0 }, &p);
	tables(&vm, LVL_PT);
	run(&vm, NULL);
	assert_int_equal(seen(&vm, EV_OBSERVE, "guest-ve"), 1);
	assert_int_equal(state_of(&vm, 1), SEPT_PENDING);
	end(&vm);
}

PROGRAM(accept_2m, { .op = GUEST_ACCEPT, .ngpa = 1, .gpa = { 0 }, .pages = 513, .level = 1 });

/* 2M refused where 4K tables are: page by page instead; what is not there is a TD exit */
static void test_accept_sizes(void **state)
{
	struct vm vm;

	begin(&vm, &(struct test_setup){ 0 }, &accept_2m);
	tables(&vm, LVL_PT);
	assert_int_equal(call(TDH_MEM_SEPT_ADD, 0x200000 | LVL_PD, vm.td.tdr, 0x210000, NULL), 0);
	run(&vm, NULL);
	assert_true(stopped(&vm.last));
	assert_int_equal(seen(&vm, EV_CALL, "TDG.MEM.PAGE.ACCEPT"), 1 + 2 * 513);
	assert_int_equal(vm.exits[EXIT_REASON_EPT_VIOLATION], 513);
	assert_int_equal(vm.last.rax, EXIT_REASON_TDCALL);
	assert_int_equal(state_of(&vm, 512), SEPT_MAPPED);
	/* Violations of an ACCEPT are not counted as faults on one RIP */
	assert_int_equal(count_of(vm.sim, NULL, COUNT_EPF), 0);
	end(&vm);

	begin(&vm, &(struct test_setup){ 0 }, &accept_2m);
	tables(&vm, LVL_PD);
	assert_int_equal(call(TDH_MEM_PAGE_AUG, LVL_PD, vm.td.tdr, 0x800000, NULL), 0);
	vm.limit = 1;
	run(&vm, NULL);
	assert_int_equal(state_of(&vm, 0x1ff), SEPT_MAPPED);
	assert_int_equal(vm.last.rdx, EEQ_ACCEPT | (u64)(LVL_PT | LVL_PD << 3) << 32);
	end(&vm);
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

	begin(&vm, &(struct test_setup){ 0 }, &shared);
	vm.resolve = false;
	shared_tables(&vm, EPT_SUPPRESS_VE);
	vm.limit = 2;
	run(&vm, NULL);
	assert_int_equal(vm.exits[EXIT_REASON_EPT_VIOLATION], 2);
	assert_int_equal(vm.last.r8, GFN(7) | BIT_ULL(47));
	assert_int_equal(count_of(vm.sim, NULL, COUNT_EPF), 0);
	world_set(*shared_leaf(), 0x500000 | EPT_RWX | 6 << 3 | EPT_SUPPRESS_VE);
	run(&vm, NULL);
	assert_true(stopped(&vm.last));
	assert_int_equal(*shared_leaf() & (EPT_ACCESSED | EPT_DIRTY), 0);
	end(&vm);
}

/* An entry that does not suppress it makes the access a #VE; so do all before VP.WR */
static void test_shared_ve(void **state)
{
	struct vm vm;

	begin(&vm, &(struct test_setup){ 0 }, &shared);
	run(&vm, NULL);
	assert_true(stopped(&vm.last));
	assert_int_equal(vm.exits[EXIT_REASON_EPT_VIOLATION], 0);
	assert_int_equal(vm.exits[EXIT_REASON_TDCALL], 2);	/* MMIO, and the end */
	end(&vm);

	begin(&vm, &(struct test_setup){ 0 }, &shared);
	shared_tables(&vm, EPT_WRITE | EPT_EXEC | EPT_SUPPRESS_VE);
	vm.limit = 1;
	run(&vm, NULL);
	assert_int_equal(vm.exits[EXIT_REASON_EPT_MISCONFIG], 1);
	assert_int_equal(vm.last.r8, GFN(7) | BIT_ULL(47));
	end(&vm);
}

PROGRAM(endless, { .op = GUEST_COMPUTE, .cycles = 1000000 },
	{ .op = GUEST_REPEAT, .target = 0 });

static void kicker(void *arg)
{
	sim_compute(50000);
	lp_raise(0, IRQ_KICK);
}

static void test_interrupted(void **state)
{
	struct vm vm;

	begin(&vm, &(struct test_setup){ 0 }, &endless);
	vm.limit = 1;
	run(&vm, kicker);
	assert_int_equal(vm.last.rax, EXIT_REASON_EXTERNAL_INTERRUPT);
	/* Not at the end of the instruction's million cycles */
	assert_true(sim_cycles(vm.sim) < 200000);
	end(&vm);
}

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

	begin(&vm, &(struct test_setup){ 0 }, &stuck);
	tables(&vm, LVL_PT);
	vp = tdvps_at(vm.td.tdvpr[0]);
	vm.resolve = false;
	vm.limit = 7;
	run(&vm, NULL);
	assert_int_equal(vp->possibly_epf_stepping, 6);
	assert_int_equal(vp->last_epf_gpa_list_idx, 1);
	assert_int_equal(vp->last_epf_gpa_list[0], GFN(5));
	assert_int_equal(seen(&vm, EV_OBSERVE, "zero-step-armed"), 1);
	assert_int_equal(seen(&vm, EV_LOCK, "SEPT_TREE"), 3);	/* the tables alone */

	vm.limit = 8;
	run(&vm, NULL);
	assert_int_equal(vm.last.rax, EXIT_REASON_EPT_VIOLATION);
	assert_int_equal(seen(&vm, EV_LOCK, "SEPT_TREE"), 4);
	assert_int_equal(count_of(vm.sim, NULL, COUNT_VP_ENTERS), 7);
	assert_int_equal(td_tdcs(tdr_at(vm.td.tdr))->epoch.refcount[1], 0);

	/*
	 * PENDING is not enough in this version, although the guest would accept it if it
	 * could run: only another vCPU's ACCEPT lets it in. Progress then forgets the list.
	 */
	assert_int_equal(call(TDH_MEM_PAGE_AUG, GFN(5), vm.td.tdr, 0x400000, NULL), 0);
	vm.limit = 9;
	run(&vm, NULL);
	assert_int_equal(vm.last.rax, EXIT_REASON_EPT_VIOLATION);
	accept_elsewhere(&vm, GFN(5));
	vm.limit = 20;
	run(&vm, NULL);
	assert_true(stopped(&vm.last));
	assert_int_equal(vp->last_epf_gpa_list_idx, 0);
	assert_int_equal(vp->possibly_epf_stepping, 0);
	end(&vm);
}

/* One fault short of it: counted, and nothing more */
static void zero_step_silent(void **state)
{
	struct vm vm;

	begin(&vm, &(struct test_setup){ 0 }, &stuck);
	tables(&vm, LVL_PT);
	vm.resolve = false;
	vm.limit = 6;
	run(&vm, NULL);
	assert_int_equal(count_of(vm.sim, NULL, COUNT_EPF), 6);
	assert_int_equal(seen(&vm, EV_OBSERVE, "zero-step-armed"), 0);
	end(&vm);
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

	begin(&vm, &(struct test_setup){ 0 }, &goes_on);
	tables(&vm, LVL_PT);
	vm.resolve = false;
	for (u32 i = 1; i <= 8; i++) {
		vm.limit = i;
		run(&vm, NULL);
		assert_int_equal(vm.last.r8, GFN(i));
		assert_int_equal(call(TDH_MEM_PAGE_AUG, GFN(i), vm.td.tdr, 0x400000 + GFN(i), NULL), 0);
		accept_elsewhere(&vm, GFN(i));
	}
	assert_int_equal(count_of(vm.sim, NULL, COUNT_EPF), 8);
	assert_int_equal(seen(&vm, EV_OBSERVE, "zero-step-armed"), 0);
	end(&vm);
}

/* versions.md S3: a page that the guest would accept by #VE is no expected fault */
static void test_zero_step_pending(void **state)
{
	static const char *const versions[] = { "1.5.01", "1.5.34" };

	for (u32 i = 0; i < 2; i++) {
		struct vm vm;

		begin(&vm, &(struct test_setup){ .version = versions[i] }, &stuck);
		tables(&vm, LVL_PT);
		vm.resolve = false;
		vm.limit = 7;
		run(&vm, NULL);
		assert_int_equal(call(TDH_MEM_PAGE_AUG, GFN(5), vm.td.tdr, 0x400000, NULL), 0);
		vm.limit = 8;
		run(&vm, NULL);
		assert_int_equal(vm.last.rax, i ? EXIT_REASON_TDCALL : EXIT_REASON_EPT_VIOLATION);
		end(&vm);
	}
}

PROGRAM(accept_one, { .op = GUEST_ACCEPT, .ngpa = 1, .gpa = { GFN(3) }, .pages = 1 });

/* A host that was refused and never came back: in the end the VMM is told */
static void hp_leaked_fires(void **state)
{
	struct vm vm;
	struct sept_walk w;

	begin(&vm, &(struct test_setup){ .hp_lock_timeout = 100000 }, &accept_one);
	tables(&vm, LVL_PT);
	assert_int_equal(call(TDH_MEM_PAGE_AUG, GFN(3), vm.td.tdr, 0x400000, NULL), 0);
	sept_peek_walk(td_tdcs(tdr_at(vm.td.tdr)), GFN(3), LVL_PT, &w);
	assert_int_equal(sept_lock_guest(w.entry), TDX_SUCCESS);
	assert_int_equal(sept_lock_host(w.entry), TDX_OPERAND_BUSY);
	sept_unlock(w.entry);
	run(&vm, NULL);
	assert_int_equal(vm.last.rax, TDX_HOST_PRIORITY_BUSY_TIMEOUT);
	assert_int_equal(seen(&vm, EV_TIMEOUT, "HP_LOCK_TIMEOUT"), 1);
	assert_int_equal(seen(&vm, EV_OBSERVE, "hp-leaked"), 2);	/* at once, and at the end */
	assert_int_equal(tdvps_at(vm.td.tdvpr[0])->last_td_exit, LAST_ASYNC_TRAP);
	assert_true(seen(&vm, EV_CALL, "TDG.MEM.PAGE.ACCEPT") > 10);
	end(&vm);
}

/* A host's attempt in between ends it, and the guest is served */
static void hp_leaked_silent(void **state)
{
	struct vm vm;
	struct sept_walk w;

	begin(&vm, &(struct test_setup){ .hp_lock_timeout = 100000000 }, &accept_one);
	tables(&vm, LVL_PT);
	assert_int_equal(call(TDH_MEM_PAGE_AUG, GFN(3), vm.td.tdr, 0x400000, NULL), 0);
	sept_peek_walk(td_tdcs(tdr_at(vm.td.tdr)), GFN(3), LVL_PT, &w);
	world_set(*w.entry, *w.entry | SEPT_TDHP);
	vm.limit = 0;
	assert_int_equal(call(TDH_MEM_SEPT_RD, GFN(3), vm.td.tdr, 0, NULL), 0);
	run(&vm, NULL);
	assert_true(stopped(&vm.last));
	assert_int_equal(state_of(&vm, 3), SEPT_MAPPED);
	assert_int_equal(seen(&vm, EV_OBSERVE, "hp-leaked"), 0);
	end(&vm);
}

static struct sept_walk test_entry(struct vm *vm)
{
	struct sept_walk w;

	tables(vm, LVL_PT);
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

	begin(&vm, &(struct test_setup){ .hp_lock_timeout = 100000000 }, &accept_one);
	w = test_entry(&vm);
	assert_int_equal(sept_lock_guest(w.entry), TDX_SUCCESS);
	assert_int_equal(sept_lock_host(w.entry), TDX_OPERAND_BUSY);
	sept_unlock(w.entry);
	assert_true(*w.entry & SEPT_TDHP);
	run(&vm, comes_back);
	assert_true(stopped(&vm.last));
	assert_true(seen(&vm, EV_BUSY, "sept") > 1);
	assert_int_equal(state_of(&vm, 3), SEPT_MAPPED);
	assert_int_equal(seen(&vm, EV_OBSERVE, "hp-leaked"), 0);
	end(&vm);
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

	begin(&vm, &(struct test_setup){ .version = version }, NULL);
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
	lost = seen(&vm, EV_OBSERVE, "hp-lost");
	assert_int_equal(g.rax, kept ? TDX_OPERAND_BUSY | OPERAND_RCX : TDX_SUCCESS);
	assert_int_equal(lost, !kept);
	/* What was lost cannot leak as well, though the host never got its lock */
	test_interrupt(&r);
	assert_int_equal(sim_run(vm.sim), SIM_DONE);
	assert_int_equal(seen(&vm, EV_OBSERVE, "hp-leaked"), kept);
	end(&vm);
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

	begin(&vm, &(struct test_setup){ 0 }, NULL);
	w = test_entry(&vm);
	assert_int_equal(sept_lock_guest(w.entry), TDX_SUCCESS);
	assert_int_equal(sept_lock_host(w.entry), TDX_OPERAND_BUSY);
	sept_unlock(w.entry);
	assert_int_equal(sept_lock_guest(w.entry), TDX_OPERAND_BUSY_HOST_PRIORITY);
	assert_int_equal(sept_lock_host(w.entry), TDX_SUCCESS);
	sept_unlock(w.entry);
	assert_int_equal(sept_lock_guest(w.entry), TDX_SUCCESS);
	sept_unlock(w.entry);
	assert_int_equal(seen(&vm, EV_OBSERVE, "hp-lost"), 0);
	end(&vm);
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

	begin(&vm, &(struct test_setup){ 0 }, NULL);
	tables(&vm, LVL_PT);
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
	end(&vm);
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

	begin(&vm, &(struct test_setup){ 0 }, &use_twice);
	check_tolerate(vm.sim, "stale-tlb");
	tables(&vm, LVL_PT);
	run(&vm, zap_badly);
	/* Held while in the guest at the REMOVE; then used */
	assert_int_equal(check_count(vm.sim), 2);
	assert_string_equal(check_at(vm.sim, 0)->id, "stale-tlb");
	assert_string_equal(check_at(vm.sim, 0)->where, "0x1");
	assert_string_equal(check_at(vm.sim, 1)->id, "stale-tlb");
	end(&vm);
}

static void stale_tlb_silent(void **state)
{
	struct vm vm;

	begin(&vm, &(struct test_setup){ 0 }, &use_twice);
	tables(&vm, LVL_PT);
	run(&vm, zap_well);
	assert_int_equal(check_count(vm.sim), 0);
	assert_int_equal(vm.exits[EXIT_REASON_EPT_VIOLATION], 2);	/* once more after the zap */
	assert_int_equal(vm.exits[EXIT_REASON_EXTERNAL_INTERRUPT], 1);
	assert_true(stopped(&vm.last));
	end(&vm);
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

	begin(&vm, &(struct test_setup){ 0 }, &use_twice);
	tables(&vm, LVL_PT);
	vm.limit = 2;
	run(&vm, kicker);
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
	end(&vm);
}

/* A kicked LP still caches, and flushes when it enters next: no flush at the TD exit */
static void test_flush_points(void **state)
{
	struct tdx_regs r;
	struct lp_ctx *lp;
	bool in_guest;
	struct vm vm;
	u16 at;

	begin(&vm, &(struct test_setup){ 0 }, &use_twice);
	tables(&vm, LVL_PT);
	vm.limit = 2;	/* the fault; accept and use it, until the kick */
	run(&vm, kicker);
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
	end(&vm);
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
		cmocka_unit_test(test_attr_rd),
		cmocka_unit_test(stale_tlb_fires),
		cmocka_unit_test(stale_tlb_silent),
		cmocka_unit_test(stale_tlb_legal),
		cmocka_unit_test(test_flush_points),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
