// SPDX-License-Identifier: GPL-2.0-only
/*
 * Races under many random schedules: whatever the order, mirror and S-EPT agree at the end
 * and nobody breaks a rule; each mutation is found out by some seed.
 */
#include "tests/kvmmmu/machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/engine/arena.h"
#include "sim/engine/mem.h"
#include "tdxmod/guest.h"
#include "tdxmod/observe.h"
#include "tdxmod/seamcall.h"
#include "tdxmod/versions.h"

/* More with SEPTSIM_SEEDS=n; few by default, so that the test is quick. */
static u64 seeds(u64 n)
{
	const char *more = getenv("SEPTSIM_SEEDS");

	return more ? strtoull(more, NULL, 10) : n;
}

static void fault_all(struct job *j)
{
	u64 gfn;

	for (gfn = j->a; gfn < j->b; gfn++)
		j->res = kmmu_fault(j->vcpu, gfn, false, 1);
}

static void zap_often(struct job *j)
{
	u64 i;

	for (i = 0; i < 3; i++)
		j->res = kmmu_zap(j->m->kvm, j->a, j->b);
}

/*
 * As long as the vCPUs run: both pages, over and over, with a rest of some steps between
 * (a storm of windows starves every fault, as it should).
 */
static void zap_on(struct job *j)
{
	u64 *word = world_alloc(8);
	u64 i, k;

	for (i = 0; i < 12; i++) {
		j->res = kmmu_zap(j->m->kvm, j->a, j->b);
		for (k = 0; k < 700; k++)
			mem_read64(word);
	}
}

static void punch_and_convert(struct job *j)
{
	u64 i;

	j->res = kmmu_convert(j->m->kvm, j->a, j->b, true);
	j->res = kmmu_convert(j->m->kvm, j->a, j->b, false);
	for (i = 0; i < 4; i++)
		j->res = kmmu_punch(j->m->kvm, j->a, j->b);
}

static void fault_over(struct job *j)
{
	u64 i;

	for (i = 0; i < 3; i++)
		fault_all(j);
}

/* What a vCPU's entry does to others, made long: the tree lock, held exclusively. */
static void hold_tree(struct job *j)
{
	struct module_lock l;
	u64 *word = world_alloc(8);
	u64 i, k;

	assert_true(module_lock_find(kmmu_tdr(j->m->kvm), "SEPT_TREE", 0, 0, &l));
	for (i = 0; i < 6; i++) {
		if (module_lock_acquire(&l, ACQUIRE_EXCLUSIVE | ACQUIRE_HOST))
			continue;
		for (k = 0; k < 40; k++)
			mem_read64(word);
		module_lock_release(&l, ACQUIRE_EXCLUSIVE | ACQUIRE_HOST);
	}
}

/* Busy installations are rolled back and tried again, tables and pages, on each kernel. */
static void busy_installs(void **state)
{
	static const char *const kernels[] = { "kvm=v6.16", "kvm=v7.2" };
	u64 seed, busy = 0;

	for (seed = 1; seed <= seeds(40); seed++) {
		struct machine m;
		struct job j[3];

		machine_new(&m, &(struct machine_options){
			.sched = SCHED_RANDOM, .seed = seed, .vcpus = 2,
			.variant = { kernels[seed & 1] } });
		job_start(&m, &j[0], "vCPU0", 0, 0, fault_all, 0x1fe, 0x202);
		job_start(&m, &j[1], "vCPU1", 1, 1, fault_all, 0x1fe, 0x202);
		job_start(&m, &j[2], "holder", 2, NO_VCPU, hold_tree, 0, 0);
		assert_int_equal(sim_run(m.sim), SIM_DONE);
		assert_silent(&m);
		assert_agree(&m);
		assert_int_equal(m.calls[TDH_MEM_PAGE_AUG], 4);
		busy += m.busy[TDH_MEM_PAGE_AUG] + m.busy[TDH_MEM_SEPT_ADD];
		machine_free(&m);
	}
	assert_true(busy > 0);
}

/* A02: everybody wants the same gfns, tables included. */
static void same_gfns(void **state)
{
	static const char *const kernels[] = { "kvm=v6.16", "kvm=v7.2" };
	u64 seed, frozen = 0;

	for (seed = 1; seed <= seeds(60); seed++) {
		struct machine m;
		struct job j[3];

		machine_new(&m, &(struct machine_options){
			.sched = SCHED_RANDOM, .seed = seed, .vcpus = 3,
			.variant = { kernels[seed & 1] } });
		job_start(&m, &j[0], "vCPU0", 0, 0, fault_all, 0x1fe, 0x202);
		job_start(&m, &j[1], "vCPU1", 1, 1, fault_all, 0x1fe, 0x202);
		job_start(&m, &j[2], "vCPU2", 2, 2, fault_all, 0x1ff, 0x203);
		assert_int_equal(sim_run(m.sim), SIM_DONE);
		assert_silent(&m);
		assert_agree(&m);
		assert_int_equal(m.calls[TDH_MEM_PAGE_AUG], 5);
		assert_int_equal(m.calls[TDH_MEM_SEPT_ADD], 4);
		frozen += count_of(m.sim, NULL, COUNT_RETRIES);
		machine_free(&m);
	}
	assert_true(frozen > 0);
}

static void faults_zaps_conversions(void **state)
{
	static const char *const kernels[] = { "kvm=v6.16", "kvm=v6.19", "kvm=v7.2" };
	u64 seed;

	for (seed = 1; seed <= seeds(60); seed++) {
		struct machine m;
		struct job j[4];

		machine_new(&m, &(struct machine_options){
			.sched = SCHED_RANDOM, .seed = seed, .vcpus = 2,
			.variant = { kernels[seed % 3] } });
		job_start(&m, &j[0], "vCPU0", 0, 0, fault_over, 0x1fe, 0x202);
		job_start(&m, &j[1], "vCPU1", 1, 1, fault_over, 0x1fe, 0x202);
		job_start(&m, &j[2], "zapper", 2, NO_VCPU, zap_often, 0x1ff, 0x201);
		job_start(&m, &j[3], "puncher", 3, NO_VCPU, punch_and_convert, 0x200, 0x203);
		assert_int_equal(sim_run(m.sim), SIM_DONE);
		assert_silent(&m);
		assert_agree(&m);
		machine_free(&m);
	}
}

/* --- with guests: TDH.VP.ENTER contends, group 3 has to kick ---------------------------- */

static const struct guest_insn busy_guest[] = {
	{ .op = GUEST_ACCESS, .ngpa = 1, .gpa = { 0x1ff000 }, .text = "access 0x1ff" },
	{ .op = GUEST_VMCALL, .text = "vmcall" },
	{ .op = GUEST_ACCESS, .ngpa = 1, .gpa = { 0x200000 }, .text = "access 0x200" },
	{ .op = GUEST_VMCALL, .text = "vmcall" },
	{ .op = GUEST_REPEAT, .target = 0, .count = 40, .text = "repeat 40" },
};

static const struct guest_program busy_program = {
	.insn = busy_guest, .n = ARRAY_SIZE(busy_guest),
};

struct tally {
	u64 busy, refused, broken, unsynchronized;
};

/*
 * Rules broken, but for a TD exit that KVM does not know: here a deadline passes by choice, so
 * that a guest which is refused twice in a row may have waited for HP_LOCK_TIMEOUT (A16).
 */
static bool breaks(struct machine *m)
{
	for (u32 i = 0; i < check_count(m->sim); i++)
		if (strcmp(check_at(m->sim, i)->id, "unexpected-exit"))
			return true;
	return false;
}

/* Two running vCPUs and a zapper. Rules broken are counted, not asserted. */
static void guests_and_zapper(u64 seed, const char *const *variant, const char *policy,
			      struct tally *t)
{
	struct machine_options opt = {
		.sched = SCHED_RANDOM, .seed = seed, .vcpus = 2, .max_steps = 400000,
		.policy = policy, .tolerate = { "unexpected-exit" },
	};
	struct machine m;
	struct job j[3];
	u32 i;

	for (i = 0; variant[i]; i++)
		opt.variant[i] = variant[i];
	machine_new(&m, &opt);
	for (i = 0; i < 2; i++)
		kmmu_set_guest(m.kvm, i, &busy_program);
	machine_once(&m, 0, 0, op_prefault, 0x1ff, 0x201);
	job_start(&m, &j[0], "vCPU0", 0, 0, op_run, MEMORY_FAULT_STOP, 0);
	job_start(&m, &j[1], "vCPU1", 1, 1, op_run, MEMORY_FAULT_STOP, 0);
	job_start(&m, &j[2], "zapper", 2, NO_VCPU, zap_on, 0x1ff, 0x201);
	if (sim_run(m.sim) == SIM_DONE) {
		kmmu_check_end(m.kvm);
		if (!check_count(m.sim))
			assert_agree(&m);
	} else {
		t->broken += !check_fatal(m.sim);
	}
	t->busy += m.busy[TDH_MEM_RANGE_BLOCK] + m.busy[TDH_MEM_TRACK] + m.busy[TDH_MEM_PAGE_REMOVE];
	t->refused += m.refused;
	t->broken += breaks(&m);
	t->unsynchronized += has_violation(&m, "unsynchronized-seamcall");
	machine_free(&m);
}

static void tally(struct tally *t, u64 n, const char *const *variant, const char *policy)
{
	u64 seed;

	*t = (struct tally){ 0 };
	for (seed = 1; seed <= seeds(n); seed++)
		guests_and_zapper(seed, variant, policy, t);
}

static void kick_and_gate_suffice(void **state)
{
	static const char *const v7_2[] = { "kvm=v7.2", NULL }, *const v6_16[] = { "kvm=v6.16", NULL };
	static const char *const newest[] = { "kvm=v7.2", "tdx=" TDX_VERSION_DEFAULT, NULL };
	struct tally t;

	tally(&t, 60, v7_2, NULL);
	assert_int_equal(t.broken, 0);
	assert_true(t.busy > 0);
	assert_true(t.refused > 0);
	tally(&t, 30, v6_16, NULL);
	assert_int_equal(t.broken, 0);
	tally(&t, 30, newest, NULL);
	assert_int_equal(t.broken, 0);
}

/* One retry without the kick, or with vCPUs coming back between: KVM_BUG_ON */
static void without_kick_or_gate(void **state)
{
	static const char *const no_kick[] = { "kvm=v7.2", "no-kick", NULL };
	static const char *const no_gate[] = { "kvm=v7.2", "no-entry-gate", NULL };
	struct tally t;

	tally(&t, 60, no_kick, NULL);
	assert_true(t.broken > 0);
	assert_int_equal(t.unsynchronized, 0);	/* nothing was promised */
	tally(&t, 100, no_gate, NULL);
	assert_true(t.broken > 0);
	assert_int_equal(t.unsynchronized, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_gfns),
		cmocka_unit_test(busy_installs),
		cmocka_unit_test(faults_zaps_conversions),
		cmocka_unit_test(kick_and_gate_suffice),
		cmocka_unit_test(without_kick_or_gate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
