// SPDX-License-Identifier: GPL-2.0-only
/*
 * The single-step defence: which interrupts are early, how many instructions the guest is
 * stepped through, what ends that, and that the interrupt then takes effect.
 */
#include "tests/tdxmod/common.h"

#include <string.h>

#include "sim/engine/cost.h"
#include "sim/engine/lp.h"
#include "tdxmod/guest.h"
#include "tdxmod/status.h"
#include "tdxmod/stepping.h"

struct stepped {
	struct sim *sim;
	struct test_td td;
	struct tdvps *vp;
	struct lp_ctx *lp;
	struct tdx_regs r;
	u64 entered;		/* clock */
};

static void enter(struct stepped *s)
{
	s->r = (struct tdx_regs){ .rcx = s->td.tdvpr[0] };
	assert_int_equal(vp_enter_seam(&s->r), 0);
	s->entered = sim_self->clock;
}

static void begin(struct stepped *s)
{
	*s = (struct stepped){ .sim = test_sim() };
	test_td(s->sim, &(struct test_setup){ 0 }, &s->td);
	s->vp = tdvps_at(s->td.tdvpr[0]);
	s->lp = lp_ctx_self();
	enter(s);
}

static void end(struct stepped *s)
{
	assert_int_equal(check_count(s->sim), 0);
	sim_free(s->sim);
}

/* helpers.c:lfsr_get_random(), written once more */
static u32 next_random(u32 v)
{
	u32 low = v & 1;

	v >>= 1;
	return low ? v ^ 0xb4bcd35c : v;
}

/* As many instructions as the random number says, then the interrupt */
static void test_count(void **state)
{
	u32 seen[STEPPING_INSNS + 1] = { 0 }, different = 0;
	struct stepped s;

	begin(&s);
	for (u32 round = 0; round < 200; round++) {
		u32 want = (next_random(s.lp->lfsr) & 31) + 1, insns = 0;

		if (round)
			enter(&s);
		deadline_set(&s.lp->early, 1 << 20);	/* however long the steps take */
		assert_false(vmexit_interrupt(s.lp, &s.r));
		assert_true(s.lp->in_step_mode && s.lp->non_root);
		while (s.lp->in_step_mode) {
			insns++;
			assert_false(vmexit_mtf(s.lp, &s.r));
		}
		assert_int_equal(insns, want);
		assert_true(insns >= 1 && insns <= STEPPING_INSNS);
		different += !seen[insns]++;
		/* Still as early as it gets, but not the defence's business any more */
		assert_true(vmexit_interrupt(s.lp, &s.r));
		assert_int_equal(s.r.rax, EXIT_REASON_EXTERNAL_INTERRUPT);
	}
	assert_true(different > 20);
	end(&s);
}

/* An interrupt whose VM exit is @ticks behind the entry, RIP @moved meanwhile */
static bool is_early(u64 ticks, u64 moved)
{
	struct cost_table costs;
	u32 cycles[COST_NR];
	struct stepped s;
	bool early;

	cost_init(&costs);
	cost_select(&costs, COST_TYPICAL, cycles);
	begin(&s);
	world_set(s.vp->guest.rip, s.vp->guest.rip + moved);
	sim_compute(s.entered + ticks - cycles[COST_TD_TRANSITION] - sim_self->clock);
	early = !vmexit_interrupt(s.lp, &s.r);
	assert_int_equal(s.lp->in_step_mode, early);
	end(&s);
	return early;
}

static void test_early(void **state)
{
	assert_true(is_early(2000, 0));
	assert_true(is_early(STEPPING_TSC_THRESHOLD, 0));
	assert_true(is_early(2000, STEPPING_BYTES));
	assert_true(is_early(2000, -STEPPING_BYTES));
}

/* Another VM exit ends the mode and is handled; the next interrupt may be early again */
static void test_ended(void **state)
{
	struct tdx_regs g = { .rax = TDG_VP_INFO };
	struct stepped s;
	bool again;

	begin(&s);
	assert_false(vmexit_interrupt(s.lp, &s.r));
	assert_false(vmexit_tdcall(s.lp, &g, &again, &s.r));
	assert_int_equal(g.rax, TDX_SUCCESS);
	assert_false(s.lp->in_step_mode || s.lp->steps_left);
	sim_self->clock = s.entered;
	assert_false(vmexit_interrupt(s.lp, &s.r));
	assert_true(s.lp->in_step_mode);
	assert_true(vmexit_ept_violation(s.lp, 0x5000, QUAL_READ, &s.r));
	assert_int_equal(s.r.rax, EXIT_REASON_EPT_VIOLATION);
	assert_false(s.lp->in_step_mode || s.lp->steps_left);
	end(&s);
}

/* --- a guest that runs, and a kick ------------------------------------------------------ */

static const struct guest_insn long_insn[] = {
	{ .op = GUEST_COMPUTE, .cycles = 10000000 },
};
static const struct guest_program computes = { long_insn, 1 };

struct kicked {
	struct test_td td;
	u32 stepped;		/* observations */
	u64 wait;		/* cycles before the interrupt is raised */
	u64 at, exited;
};

static void vcpu(void *arg)
{
	struct kicked *k = arg;
	struct tdx_regs r = { .rax = TDH_VP_ENTER, .rcx = k->td.tdvpr[0] };

	seamcall(&r);
	assert_int_equal(r.rax, EXIT_REASON_EXTERNAL_INTERRUPT);
	k->exited = actor_self()->clock;
}

static void kicker(void *arg)
{
	struct kicked *k = arg;

	sim_compute(k->wait);
	lp_raise(0, IRQ_KICK);
	k->at = actor_self()->clock;
}

static void observe(struct record *rec, const struct event *ev)
{
	struct kicked *k = rec->ctx;

	k->stepped += ev->type == EV_OBSERVE && !strcmp(ev->name, "single-step");
}

/* Cycles from the kick to the TD exit; @stepped: how often the defence struck */
static u64 from_kick_to_exit(u64 wait, u64 seed, u32 *stepped)
{
	struct sim_options opt = { .phys = 1 << 30, .lps = 2, .timed = true, .seed = seed };
	struct kicked k = { .wait = wait };
	struct record rec = { .hook = observe, .ctx = &k };
	struct sim *sim = sim_new(&opt);

	test_td(sim, &(struct test_setup){ 0 }, &k.td);
	vcpu_set_guest(k.td.tdvpr[0], &computes);
	actor_new(sim, "vCPU0", 0, vcpu, &k);
	actor_new(sim, "kicker", 1, kicker, &k);
	record_start(sim, &rec);
	assert_int_equal(sim_run(sim), SIM_DONE);
	record_stop(sim, &rec);
	assert_int_equal(check_count(sim), 0);
	sim_free(sim);
	*stepped = k.stepped;
	return k.exited - k.at;
}

/* A kick that comes while the vCPU enters is acknowledged late, by as much as the seed says */
static void single_step_fires(void **state)
{
	u32 early, later;
	u64 late = from_kick_to_exit(0, 1, &early), other = 0;
	u64 control = from_kick_to_exit(1000000, 1, &later);

	assert_true(early == 1 && later == 0);
	assert_true(late > control);
	assert_int_equal(late, from_kick_to_exit(0, 1, &early));
	for (u64 seed = 2; seed < 6; seed++)
		other += from_kick_to_exit(0, seed, &early) != late;
	assert_true(other > 0);
}

/* No interrupt: whatever the guest does right behind its entry */
static void single_step_silent(void **state)
{
	struct tdx_regs g = { .rax = TDG_VP_INFO };
	struct stepped s;
	bool again;

	begin(&s);
	assert_false(vmexit_tdcall(s.lp, &g, &again, &s.r));
	assert_false(s.lp->in_step_mode);
	assert_true(vmexit_ept_violation(s.lp, 0x5000, QUAL_READ, &s.r));
	assert_false(s.lp->in_step_mode);
	end(&s);
}

/* An interrupt that comes late enough, or far enough from where the guest was entered */
static void single_step_legal(void **state)
{
	assert_false(is_early(STEPPING_TSC_THRESHOLD + 1, 0));
	assert_false(is_early(2000, STEPPING_BYTES + 1));
	assert_false(is_early(2000, -STEPPING_BYTES - 1ull));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_early),
		cmocka_unit_test(test_ended),
		cmocka_unit_test(single_step_fires),
		cmocka_unit_test(single_step_silent),
		cmocka_unit_test(single_step_legal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
