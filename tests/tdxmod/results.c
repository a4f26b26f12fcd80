// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a success leaves behind and returns, of the memory, service TD and guest flows: their
 * traces (steps_more) say where is written, not what.
 */
#include "tests/tdxmod/common.h"

#include "sim/engine/clock.h"
#include "sim/engine/lp.h"
#include "tdxmod/peek.h"
#include "tdxmod/status.h"
#include "tdxmod/tdcall.h"

#define PAGE_GPA	0x1000ull
#define OLD		0x400000ull
#define NEW		0x401000ull

struct env {
	struct sim *sim;
	struct test_td td;
	struct tdcs *tdcs;
	u64 *entry;		/* of PAGE_GPA */
	struct tdx_regs r, g;
	bool again;
};

static void enter(struct env *e)
{
	e->r = (struct tdx_regs){ .rcx = e->td.tdvpr[0] };
	assert_int_equal(vp_enter_seam(&e->r), 0);
}

static u64 tdcall(struct env *e, struct tdx_regs g)
{
	e->g = g;
	assert_false(vmexit_tdcall(lp_ctx_self(), &e->g, &e->again, &e->r));
	assert_false(e->again);
	return e->g.rax;
}

/* A page at PAGE_GPA; of a TD that may be debugged */
static void begin(struct env *e, bool accept)
{
	struct sept_walk w;

	*e = (struct env){ .sim = test_sim() };
	test_td(e->sim, &(struct test_setup){ .version = "1.5.01" }, &e->td);
	e->tdcs = td_tdcs(tdr_at(e->td.tdr));
	world_set(e->tdcs->attributes, ATTRIBUTES_DEBUG);
	for (u8 l = LVL_PML4; l > LVL_PT; l--)
		assert_int_equal(call(TDH_MEM_SEPT_ADD, l, e->td.tdr, 0x200000 + l * 0x1000, NULL), 0);
	assert_int_equal(call(TDH_MEM_PAGE_AUG, PAGE_GPA, e->td.tdr, OLD, NULL), 0);
	sept_peek_walk(e->tdcs, PAGE_GPA, LVL_PT, &w);
	e->entry = w.entry;
	if (!accept)
		return;
	enter(e);
	assert_int_equal(tdcall(e, (struct tdx_regs){
		.rax = TDG_MEM_PAGE_ACCEPT, .rcx = PAGE_GPA }), 0);
	test_interrupt(&e->r);
}

static void end(struct env *e)
{
	assert_int_equal(check_count(e->sim), 0);
	sim_free(e->sim);
}

static u8 type_of(u64 hpa)
{
	struct pamt_peek p;

	assert_true(pamt_peek(hpa, 0, &p));
	assert_int_equal(p.lock, 0);
	return p.pt;
}

static void relocate(bool accept)
{
	struct env e;
	struct tdx_regs out;
	u64 before, *word = phys_to_ptr(OLD);

	begin(&e, accept);
	world_set(*word, 0x1234);
	before = *e.entry;
	assert_int_equal(call(TDH_MEM_RANGE_BLOCK, PAGE_GPA, e.td.tdr, 0, NULL), 0);
	assert_int_equal(call(TDH_MEM_TRACK, e.td.tdr, 0, 0, NULL), 0);
	assert_int_equal(call(TDH_MEM_PAGE_RELOCATE, PAGE_GPA, e.td.tdr, NEW, &out), 0);
	assert_int_equal(out.rcx, OLD);
	assert_int_equal(out.rdx, 0);
	assert_int_equal(*e.entry, before + (NEW - OLD));
	assert_int_equal(type_of(OLD), PT_NDA);
	assert_int_equal(type_of(NEW), PT_REG);
	assert_int_equal(*(u64 *)phys_to_ptr(NEW) == 0x1234, accept);
	assert_int_equal(call(TDH_PHYMEM_PAGE_RDMD, NEW, 0, 0, &out), 0);
	assert_int_equal(out.rdx, e.td.tdr);
	assert_int_equal(out.r9, 0);
	end(&e);
}

static void test_relocate(void **state)
{
	relocate(true);
	relocate(false);
}

static void test_rd_wr(void **state)
{
	struct env e;
	struct tdx_regs out;

	begin(&e, true);
	world_set(((u64 *)phys_to_ptr(OLD))[1], 0x55);
	assert_int_equal(call(TDH_MEM_WR, PAGE_GPA + 8, e.td.tdr, 0x77, &out), 0);
	assert_int_equal(out.r8, 0x55);
	assert_int_equal(out.rcx | out.rdx, 0);
	assert_int_equal(call(TDH_MEM_RD, PAGE_GPA + 8, e.td.tdr, 0, &out), 0);
	assert_int_equal(out.r8, 0x77);
	end(&e);
}

static void test_rdmd(void **state)
{
	static const struct {
		u64 hpa;
		u8 pt;
		bool owned, epoch;
	} pages[] = {
		{ OLD, PT_REG, true, true }, { NEW, PT_NDA, false, false },
		{ 0x200000 + LVL_PML4 * 0x1000, PT_EPT, true, true },
		{ 0, PT_TDR, false, false },
	};
	struct env e;
	struct tdx_regs out;

	begin(&e, false);
	for (u32 i = 0; i < ARRAY_SIZE(pages); i++) {
		u64 hpa = pages[i].hpa ? pages[i].hpa : e.td.tdr;

		if (pages[i].pt != PT_NDA)
			world_set(pamt_implicit(module_self(), hpa, SIZE_4K)->bepoch, 0x99);
		assert_int_equal(call(TDH_PHYMEM_PAGE_RDMD, hpa, 0, 0, &out), 0);
		assert_int_equal(out.rcx, pages[i].pt);
		assert_int_equal(out.rdx, pages[i].owned ? e.td.tdr : 0);
		assert_int_equal(out.r8, 0);
		assert_int_equal(out.r9, pages[i].epoch ? 0x99 : 0);
		assert_int_equal(out.r10 | out.r11, 0);
	}
	end(&e);
}

static void test_attributes(void **state)
{
	struct env e;

	for (u32 accept = 0; accept < 2; accept++) {
		u64 pending = accept ? 0 : BIT_ULL(62);

		begin(&e, accept);
		enter(&e);
		assert_int_equal(tdcall(&e, (struct tdx_regs){
			.rax = TDG_MEM_PAGE_ATTR_RD, .rcx = PAGE_GPA }), 0);
		assert_int_equal(e.g.rcx, PAGE_GPA | pending);
		assert_int_equal(tdcall(&e, (struct tdx_regs){
			.rax = TDG_MEM_PAGE_ATTR_WR, .rcx = PAGE_GPA }), 0);
		assert_int_equal(e.g.rcx, PAGE_GPA | pending);
		assert_int_equal(e.g.rdx, 0);
		end(&e);
	}
}

/* Where the walk ends above the page there is a TD exit, whoever holds that entry */
static void test_attributes_walk(void **state)
{
	struct env e;
	u64 *entry;
	u8 at;

	begin(&e, true);
	entry = sept_peek_slot(e.td.tdr, 0x200000, LVL_PT, &at);
	assert_int_equal(at, LVL_PD);
	world_set(*entry, *entry | SEPT_TDEL);
	enter(&e);
	e.g = (struct tdx_regs){ .rax = TDG_MEM_PAGE_ATTR_WR, .rcx = 0x200000 };
	assert_true(vmexit_tdcall(lp_ctx_self(), &e.g, &e.again, &e.r));
	assert_int_equal((u32)e.r.rax, EXIT_REASON_EPT_VIOLATION);
	end(&e);
}

static u64 prebind(struct env *e, u64 hash)
{
	struct tdx_regs r = { .rax = TDH_SERVTD_PREBIND, .rcx = e->td.tdr, .rdx = hash };

	return seamcall(&r);
}

/* Refused, a host leaves word that it wants the bindings; then it gets them */
static void test_prebind(void **state)
{
	struct servtd_binding *b;
	struct env e;
	u16 *lock;

	begin(&e, true);
	b = &e.tdcs->servtd_binding[0];
	lock = &e.tdcs->servtd_bindings_lock;
	world_set(e.tdcs->op_state, OP_STATE_INITIALIZED);
	world_set(*lock, SHAREX_HP_ONE);
	assert_int_equal(prebind(&e, NEW),
			 TDX_OPERAND_BUSY | OPERAND_SERVTD_BINDINGS);
	assert_int_equal(*lock, SHAREX_HP_ONE | SHAREX_HP_HP);
	assert_int_equal(b->state, SERVTD_NOT_BOUND);
	world_set(*lock, SHAREX_HP_HP);
	world_set(*(u64 *)phys_to_ptr(NEW), 0x1234);
	assert_int_equal(prebind(&e, NEW), 0);
	assert_int_equal(*lock, 0);
	assert_int_equal(b->state, SERVTD_PRE_BOUND);
	assert_int_equal(b->info_hash, 0x1234);
	assert_int_equal(e.tdcs->servtd_num, 1);
	end(&e);
}

static void test_info(void **state)
{
	struct env e;

	begin(&e, true);
	enter(&e);
	assert_int_equal(tdcall(&e, (struct tdx_regs){ .rax = TDG_VP_INFO }), 0);
	assert_int_equal(e.g.rcx, 48);
	assert_int_equal(e.g.rdx, ATTRIBUTES_DEBUG);
	assert_int_equal(e.g.r8, (u64)e.tdcs->max_vcpus << 32 | e.tdcs->num_vcpus);
	assert_int_equal(e.g.r9, 0);
	assert_int_equal(e.g.r10, 1);
	assert_int_equal(e.g.r11, 0);
	end(&e);
}

/* Version 1 says which field is next; a field is named by RDX and comes in R8 */
static void test_fields(void **state)
{
	struct tdx_regs g = { .rax = TDG_VM_RD, .rdx = 0x9010000200000001 };
	struct env e;

	begin(&e, true);
	enter(&e);
	assert_int_equal(tdcall(&e, g), 0);
	assert_int_equal(e.g.r8, e.tdcs->num_vcpus);
	assert_int_equal(e.g.rdx, g.rdx);
	g.rax |= 1 << 16;
	assert_int_equal(tdcall(&e, g), 0);
	assert_int_equal(e.g.r8, e.tdcs->num_vcpus);
	assert_int_not_equal(e.g.rdx, g.rdx);
	end(&e);
}

/* A measurement changes with what it is extended by, and so does the report */
static void test_measure(void **state)
{
	u64 *report, *rtmr, was;
	struct env e;

	begin(&e, true);
	enter(&e);
	report = phys_to_ptr(OLD);
	rtmr = &e.tdcs->rtmr[2];
	assert_int_equal(tdcall(&e, (struct tdx_regs){
		.rax = TDG_MR_REPORT, .rcx = PAGE_GPA, .rdx = PAGE_GPA }), 0);
	assert_int_equal(e.tdcs->last_teeinfo_hash_valid, 1);
	was = *report;
	assert_int_equal(tdcall(&e, (struct tdx_regs){
		.rax = TDG_MR_RTMR_EXTEND, .rcx = PAGE_GPA, .rdx = 2 }), 0);
	assert_int_not_equal(*rtmr, 0);
	assert_int_equal(e.tdcs->last_teeinfo_hash_valid, 0);
	world_set(*report, 0);
	assert_int_equal(tdcall(&e, (struct tdx_regs){
		.rax = TDG_MR_REPORT, .rcx = PAGE_GPA, .rdx = PAGE_GPA }), 0);
	assert_int_not_equal(*report, was);
	end(&e);
}

/* An interrupt comes first; the guest does it again */
static void test_report_interrupted(void **state)
{
	struct env e;

	begin(&e, true);
	enter(&e);
	lp_raise(0, IRQ_EXTERNAL);
	sim_compute(10000);	/* until it is there */
	e.g = (struct tdx_regs){ .rax = TDG_MR_REPORT, .rcx = PAGE_GPA, .rdx = PAGE_GPA };
	assert_false(vmexit_tdcall(lp_ctx_self(), &e.g, &e.again, &e.r));
	assert_true(e.again);
	assert_int_equal(e.g.rax, TDG_MR_REPORT);
	end(&e);
}

/* What is no leaf, or no version of it, is refused for RAX before anything else is looked at */
static void no_such_tdcall(void **state)
{
	static const u64 rax[] = { 13, 28, 0xffff, TDG_MEM_PAGE_ACCEPT | 1 << 16, 1ull << 24,
				   1ull << 63 };
	struct env e;

	begin(&e, false);
	enter(&e);
	for (u32 i = 0; i < ARRAY_SIZE(rax); i++)
		assert_int_equal(tdcall(&e, (struct tdx_regs){ .rax = rax[i], .rcx = 3 }),
				 status_operand(TDX_OPERAND_INVALID, OPERAND_RAX));
	test_interrupt(&e.r);
	end(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_relocate),
		cmocka_unit_test(test_rd_wr),
		cmocka_unit_test(test_rdmd),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_attributes_walk),
		cmocka_unit_test(test_prebind),
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_measure),
		cmocka_unit_test(test_report_interrupted),
		cmocka_unit_test(no_such_tdcall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
