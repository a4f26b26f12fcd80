// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scripted orders: the four corners of the founding race (A01), the memslot deletion that
 * waits for a retrying vCPU (F01, F02), v19's exact match (A13), association with an LP.
 */
#include "tests/kvmmmu/machine.h"

#include <errno.h>
#include <string.h>

#include "kvmmmu/own/kvm_main.h"
#include "sim/engine/region.h"
#include "sim/engine/script.h"
#include "sim/engine/task.h"
#include "tdxmod/guest.h"
#include "tdxmod/observe.h"
#include "tdxmod/seamcall.h"

/* --- conditions of rows ----------------------------------------------------------------- */

static bool mirror_0x10_changes(void *ctx, const struct event *ev)
{
	const struct region *r;

	if (ev->type != EV_STEP || ev->old == ev->value)
		return false;
	r = region_at(ev->p);
	return r && !strcmp(r->type->name, "mirror") && r->level == 1 &&
	       region_index(r, ev->p) == 0x10;
}

static bool faultin_begins(void *ctx, const struct event *ev)
{
	return ev->type == EV_CALL && !strcmp(ev->name, "tdx_handle_ept_violation");
}

static bool prefault_reads_attribute(void *ctx, const struct event *ev)
{
	const struct region *r = ev->type == EV_STEP ? region_at(ev->p) : NULL;

	return r && !strcmp(r->type->name, "attributes");
}

static bool waits_for_srcu(void *ctx, const struct event *ev)
{
	return ev->type == EV_BLOCKED;
}

static bool srcu_dropped(void *ctx, const struct event *ev)
{
	return ev->type == EV_UNLOCK && !strcmp(ev->name, "srcu");
}

static bool kick_sent(void *ctx, const struct event *ev)
{
	return ev->type == EV_KICK && !strcmp(ev->name, "sent");
}

static bool kick_acked(void *ctx, const struct event *ev)
{
	return ev->type == EV_KICK && !strcmp(ev->name, "acked");
}

static bool page_is_found(void *ctx, const struct event *ev)
{
	return ev->type == EV_UNLOCK && !strcmp(ev->name, "folio_lock");
}

static bool guest_holds_entry(void *ctx, const struct event *ev)
{
	return ev->type == EV_LOCK && !strcmp(ev->name, "sept") && ev->detail &&
	       !strcmp(ev->detail, "guest");
}

/* --- A01 -------------------------------------------------------------------------------- */

struct corner {
	const char *variant[4];
	const char *tolerate[4];
};

/* The mail's table: half a map, a whole zap, the other half. */
static enum sim_end play_a01(struct machine *m, const struct corner *c)
{
	struct machine_options opt = { .sched = SCHED_SCRIPT, .keyed = true };
	struct job v, z;
	u32 i;

	for (i = 0; i < 4; i++) {
		opt.variant[i] = c->variant[i];
		opt.tolerate[i] = c->tolerate[i];
	}
	machine_new(m, &opt);
	machine_once(m, 0, 0, op_fault, 0x11, 0);
	job_start(m, &v, "vCPU0", 0, 0, op_fault, 0x10, 0);
	job_start(m, &z, "zapper", 1, NO_VCPU, op_zap, 0x10, 0x11);
	script_set(m->sim, (struct script_row[]){
		{ .actor = v.actor, .done = mirror_0x10_changes },
		{ .actor = z.actor },
		{ .actor = v.actor },
	}, 3);
	return sim_run(m->sim);
}

static void write_lock_excludes(void **state)
{
	static const struct corner c[] = {
		{ .variant = { "kvm=v7.2" } },
		{ .variant = { "kvm=v6.16" } },
		{ .variant = { "kvm=v7.2", "no-freeze" } },
		{ .variant = { "kvm=v6.16", "no-freeze" } },
	};
	struct machine m;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(c); i++) {
		assert_int_equal(play_a01(&m, &c[i]), SIM_UNREACHABLE);
		assert_non_null(strstr(script_why(m.sim), "mmu_lock"));
		assert_int_equal(check_count(m.sim), 0);
		machine_free(&m);
	}
}

/* The zap finds FROZEN, which is not present to it, and returns; then the page is mapped. */
static void freeze_loses_a_zap(void **state)
{
	static const struct corner c = { .variant = { "kvm=v7.2", "zap-under-read" } };
	struct sept_view s;
	struct machine m;

	assert_int_equal(play_a01(&m, &c), SIM_DONE);
	assert_int_equal(m.calls[TDH_MEM_RANGE_BLOCK], 0);
	sept_peek(kmmu_tdr(m.kvm), 0x10, &s);
	assert_true(s.mapped);
	assert_agree(&m);
	assert_int_equal(check_count(m.sim), 0);	/* zap-lost is the player's */
	machine_free(&m);
}

/* Sean's table: mirror empty, S-EPT maps. On the way lockdep and a KVM_BUG, tolerated. */
static void no_freeze_diverges(void **state)
{
	static const struct corner c = {
		.variant = { "kvm=v7.2", "no-freeze", "zap-under-read" },
		.tolerate = { "kvm-bug", "lock-context" },
	};
	struct machine m;

	assert_int_equal(play_a01(&m, &c), SIM_DONE);
	assert_true(has_violation(&m, "kvm-bug"));
	assert_true(has_violation(&m, "lock-context"));
	assert_int_equal(m.calls[TDH_MEM_RANGE_BLOCK], 0);
	assert_int_equal(machine_disagrees(&m), 0x10);
	assert_true(kmmu_is_dead(m.kvm));
	machine_free(&m);
}

/* --- F01, F02 --------------------------------------------------------------------------- */

static enum sim_end play_f01(struct machine *m, const char *kernel, void (*vcpu_op)(struct job *j),
			     bool (*reading)(void *ctx, const struct event *ev), bool signal,
			     struct job *v, struct job *d)
{
	machine_new(m, &(struct machine_options){
		.sched = SCHED_SCRIPT, .keyed = true, .variant = { kernel } });
	job_start(m, v, "vCPU0", 0, 0, vcpu_op, 0x10, 0x12);
	job_start(m, d, "deleter", 1, NO_VCPU, op_slot_delete, 0, 1024);
	script_set(m->sim, (struct script_row[]){
		{ .actor = v->actor, .done = reading },
		{ .actor = d->actor, .done = waits_for_srcu },
	}, 2);
	script_stop_after(m->sim, true);
	assert_int_equal(sim_run(m->sim), SIM_DONE);
	if (signal)
		task_signal(v->actor);
	/* What the deleter waits for; alone, a vCPU that left the loop would only come back. */
	script_stop_after(m->sim, false);
	script_set(m->sim, (struct script_row[]){
		{ .actor = v->actor, .done = srcu_dropped },
		{ .actor = d->actor },
		{ .actor = v->actor },
	}, 3);
	return sim_run(m->sim);
}

static void local_retry_and_slot_deletion(void **state)
{
	struct machine m;
	struct job v, d;

	/* v6.16: the vCPU goes round, the deleter waits for it */
	assert_int_equal(play_f01(&m, "kvm=v6.16", op_fault, faultin_begins, false, &v, &d),
			 SIM_UNREACHABLE);
	assert_false(v.finished);
	assert_false(d.finished);
	machine_free(&m);
	/* ... until a signal comes */
	assert_int_equal(play_f01(&m, "kvm=v6.16", op_fault, faultin_begins, true, &v, &d), SIM_DONE);
	assert_int_equal(v.res.ret, -EINTR);
	assert_int_equal(d.res.ret, 0);
	assert_silent(&m);
	machine_free(&m);
	/* v6.18 and later leave; where the slot is gone the access is user space's */
	assert_int_equal(play_f01(&m, "kvm=v7.2", op_fault, faultin_begins, false, &v, &d), SIM_DONE);
	assert_int_equal(v.res.ret, -EFAULT);
	assert_int_equal(d.res.ret, 0);
	assert_silent(&m);
	assert_agree(&m);
	machine_free(&m);
}

static void prefault_and_slot_deletion(void **state)
{
	struct machine m;
	struct job v, d;

	assert_int_equal(play_f01(&m, "kvm=v6.16", op_prefault, prefault_reads_attribute, false, &v,
				  &d), SIM_UNREACHABLE);
	assert_false(d.finished);
	machine_free(&m);
	assert_int_equal(play_f01(&m, "kvm=v6.18", op_prefault, prefault_reads_attribute, false, &v,
				  &d), SIM_DONE);
	assert_int_equal(v.res.ret, -EAGAIN);
	assert_int_equal(d.res.ret, 0);
	assert_silent(&m);
	machine_free(&m);
}

/* --- a fault that an invalidation overtakes ----------------------------------------------- */

/* The page is found, a whole punch passes by, then the fault goes on: it must start anew. */
static void punch_overtakes_a_fault(void **state)
{
	static const char *const kernels[] = { "kvm=v6.16", "kvm=v7.2" };
	struct machine m;
	struct job v, p;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(kernels); i++) {
		machine_new(&m, &(struct machine_options){
			.sched = SCHED_SCRIPT, .keyed = true, .variant = { kernels[i] } });
		job_start(&m, &v, "vCPU0", 0, 0, op_fault, 0x10, 0);
		job_start(&m, &p, "puncher", 1, NO_VCPU, op_punch, 0x10, 0x11);
		script_set(m.sim, (struct script_row[]){
			{ .actor = v.actor, .done = page_is_found },
			{ .actor = p.actor },
			{ .actor = v.actor },
		}, 3);
		assert_int_equal(sim_run(m.sim), SIM_DONE);
		assert_int_equal(v.res.ret, 0);
		assert_int_equal(m.page_frees, 1);	/* the page of the first attempt */
		assert_int_equal(m.calls[TDH_MEM_PAGE_AUG], 1);
		assert_silent(&m);
		assert_agree(&m);
		machine_free(&m);
	}
}

/* --- A11, A13 --------------------------------------------------------------------------- */

static const struct guest_insn attr_rd[] = {
	{ .op = GUEST_TDCALL, .leaf = TDG_MEM_PAGE_ATTR_RD, .rcx = 0x10000, .text = "attr.rd" },
	{ .op = GUEST_VMCALL, .text = "vmcall" },
};

static const struct guest_program attr_program = { .insn = attr_rd, .n = ARRAY_SIZE(attr_rd) };

/* The guest holds the entry's lock; a zap comes and finds BUSY with operand RCX. */
static enum sim_end play_a11(struct machine *m, const char *policy, bool kicks, struct job *v,
			     struct job *z)
{
	machine_new(m, &(struct machine_options){
		.sched = SCHED_SCRIPT, .keyed = true, .policy = policy, .tolerate = { "kvm-bug" } });
	kmmu_set_guest(m->kvm, 0, &attr_program);
	machine_once(m, 0, 0, op_fault, 0x10, 0);
	job_start(m, v, "vCPU0", 0, 0, op_run, MEMORY_FAULT_STOP, 0);
	job_start(m, z, "zapper", 1, NO_VCPU, op_zap, 0x10, 0x11);
	script_set(m->sim, (struct script_row[]){
		{ .actor = v->actor, .done = guest_holds_entry },
		{ .actor = z->actor, .done = kick_sent },
		{ .actor = v->actor, .done = kicks ? kick_acked : NULL },
		{ .actor = z->actor },
	}, 4);
	return sim_run(m->sim);
}

static void kick_ends_a_tdcall(void **state)
{
	struct machine m;
	struct job v, z;

	assert_int_equal(play_a11(&m, "v7.2", true, &v, &z), SIM_DONE);
	assert_true(z.finished);
	assert_int_equal(m.busy[TDH_MEM_RANGE_BLOCK], 1);
	assert_int_equal(m.calls[TDH_MEM_RANGE_BLOCK], 1);
	assert_true(v.finished);
	assert_int_equal(m.global_flushes, 1);	/* KVM_REQ_TLB_FLUSH */
	assert_int_equal(check_count(m.sim), 0);
	assert_agree(&m);
	machine_free(&m);
}

/* v19 waits for BUSY|SEPT_TREE alone: not one retry, the VM is bugged, the page stays. */
static void v19_matches_the_tree_only(void **state)
{
	struct machine m;
	struct job v, z;

	assert_int_equal(play_a11(&m, "v19", false, &v, &z), SIM_DONE);
	assert_true(z.finished);
	assert_int_equal(m.busy[TDH_MEM_RANGE_BLOCK], 1);
	assert_int_equal(m.calls[TDH_MEM_RANGE_BLOCK], 0);
	assert_true(has_violation(&m, "kvm-bug"));
	assert_int_equal(machine_disagrees(&m), 0x10);
	machine_free(&m);
}

/* --- association ------------------------------------------------------------------------ */

static const struct guest_insn exits[] = {
	{ .op = GUEST_VMCALL, .text = "vmcall" },
	{ .op = GUEST_HALT, .text = "halt" },
	{ .op = GUEST_VMCALL, .text = "vmcall" },
};

static const struct guest_program exits_program = { .insn = exits, .n = ARRAY_SIZE(exits) };

static void run_migrate_run(struct job *j)
{
	j->res = kmmu_run(j->vcpu, MEMORY_FAULT_STOP, 1);
	kmmu_migrate(j->m->kvm, 2);
	j->res = kmmu_run(j->vcpu, MEMORY_FAULT_STOP, 1);
}

static void migration_flushes_on_the_old_lp(void **state)
{
	struct machine m;
	struct kmmu_result r;

	machine_new(&m, &(struct machine_options){ 0 });
	kmmu_set_guest(m.kvm, 0, &exits_program);
	r = machine_once(&m, 0, 0, run_migrate_run, 0, 0);
	assert_string_equal(r.what, "HLT");
	assert_int_equal(m.calls[TDH_VP_FLUSH], 1);
	assert_silent(&m);
	machine_free(&m);
}

/* --- kick-idle -------------------------------------------------------------------------- */

static bool enters(void *ctx, const struct event *ev)
{
	return ev->type == EV_ENTER;
}

static bool mode_is_published(void *ctx, const struct event *ev)
{
	const struct region *r = ev->type == EV_STEP ? region_at(ev->p) : NULL;

	return r && !strcmp(r->type->name, "vcpu.mode") && ev->value == IN_GUEST_MODE;
}

static void count_idle(void *ctx, const struct event *ev)
{
	if (ev->type == EV_OBSERVE && !strcmp(ev->name, "kick-idle"))
		++*(u32 *)ctx;
}

/* A track, and with it a kick, when vCPU0 has come as far as @at; how many found nobody. */
static u32 idle_kicks(bool (*at)(void *ctx, const struct event *ev), u64 *sent)
{
	struct script_row rows[] = { { .done = at }, { .done = kick_sent }, { 0 }, { 0 } };
	struct machine m;
	struct job v, t;
	u32 idle = 0;

	machine_new(&m, &(struct machine_options){ .sched = SCHED_SCRIPT, .keyed = true });
	kmmu_set_guest(m.kvm, 0, &exits_program);
	trace_listen(m.sim, count_idle, &idle);
	job_start(&m, &v, "vCPU0", 0, 0, op_run, MEMORY_FAULT_STOP, 1);
	job_start(&m, &t, "tracker", 1, NO_VCPU, op_track, 0, 0);
	rows[0].actor = rows[2].actor = v.actor;
	rows[1].actor = rows[3].actor = t.actor;
	if (at)
		script_set(m.sim, rows, 4);
	else
		script_set(m.sim, &rows[2], 2);
	assert_int_equal(sim_run(m.sim), SIM_DONE);
	assert_true(v.finished && t.finished);
	assert_int_equal(m.calls[TDH_MEM_TRACK], 1);
	*sent = m.kicks_sent;
	assert_silent(&m);
	machine_free(&m);
	return idle;
}

static void kick_idle_fires(void **state)
{
	u64 sent;

	assert_int_equal(idle_kicks(NULL, &sent), 1);	/* the vCPU was in the guest, and left */
	assert_int_equal(sent, 0);
}

static void kick_idle_silent(void **state)
{
	u64 sent;

	assert_int_equal(idle_kicks(enters, &sent), 0);
	assert_int_equal(sent, 1);
}

/* No guest runs anywhere, yet one is about to be entered: that kick was needed. */
static void kick_idle_legal(void **state)
{
	u64 sent;

	assert_int_equal(idle_kicks(mode_is_published, &sent), 0);
	assert_int_equal(sent, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(write_lock_excludes),
		cmocka_unit_test(freeze_loses_a_zap),
		cmocka_unit_test(no_freeze_diverges),
		cmocka_unit_test(local_retry_and_slot_deletion),
		cmocka_unit_test(prefault_and_slot_deletion),
		cmocka_unit_test(punch_overtakes_a_fault),
		cmocka_unit_test(kick_ends_a_tdcall),
		cmocka_unit_test(v19_matches_the_tree_only),
		cmocka_unit_test(migration_flushes_on_the_old_lp),
		cmocka_unit_test(kick_idle_fires),
		cmocka_unit_test(kick_idle_silent),
		cmocka_unit_test(kick_idle_legal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
