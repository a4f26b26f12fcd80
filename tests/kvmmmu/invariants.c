// SPDX-License-Identifier: GPL-2.0-only
/*
 * What KVM's mirror logic rests on, I1 to I8, watched from outside while guests fault, pages are
 * zapped and the TD is torn down under random schedules: silent on every kernel, and each fires
 * under what takes it away.
 *  I1 a FROZEN entry is written by its owner alone, and is not left behind
 *  I2 SEPT.ADD and AUG come after SEPT.ADD of what is above
 *  I3 at rest mirror and S-EPT agree
 *  I4 behind gate and kick one retry is enough
 *  I5 no SEAMCALL names a table's page after its RECLAIM
 *  I6 a page is given back after BLOCK, TRACK, every vCPU out since, REMOVE
 *  I7 no TDH.VP.ENTER begins between the kick's return and the gate's fall
 *  I8 BUSY is never made a KVM_BUG
 */
#include "tests/kvmmmu/machine.h"

#include <string.h>

#include "sim/engine/arena.h"
#include "sim/engine/mem.h"
#include "sim/engine/region.h"
#include "tdxmod/guest.h"
#include "tdxmod/observe.h"
#include "tdxmod/seamcall.h"
#include "tdxmod/status.h"

#define TDX_STATUS_MASK	0xffffffff00000000ull

#define OWNERS	64
#define PAGES	(64u << 8)	/* of 4K in the machine's 64 MiB */
#define GFNS	2048u

enum removal { NOT_MAPPED, MAPPED, BLOCKED_, TRACKED, OUT, REMOVED };

struct watch {
	struct machine *m;
	u32 broken[9];		/* by number */
	struct {
		const void *p;
		u16 actor;
	} frozen[OWNERS];
	bool gate, closed;	/* it is up; and the kick has returned since */
	u32 gates, frozens, removals;	/* seen: what is never there cannot break */
	u8 leaf[PAGES];		/* enum removal, by hpa */
	u64 page_of[GFNS];	/* hpa that a gfn was mapped to last */
};

static bool is_frozen(const struct region *r, u64 raw)
{
	return !strcmp(r->type->class(raw), "FROZEN");
}

/* I1. handle_removed_pt() may put FROZEN over FROZEN, and its table is never thawed. */
static void mirror_step(struct watch *w, const struct region *r, const struct event *ev)
{
	bool was = is_frozen(r, ev->old), is = is_frozen(r, ev->value);
	u32 i, free = OWNERS;

	for (i = 0; i < OWNERS && w->frozen[i].p != ev->p; i++)
		if (!w->frozen[i].p && free == OWNERS)
			free = i;
	if (was && i < OWNERS && w->frozen[i].actor != ev->actor && !is)
		w->broken[1]++;
	w->frozens += is;
	if (is && i == OWNERS && free < OWNERS) {
		w->frozen[free].p = ev->p;
		w->frozen[free].actor = ev->actor;
	} else if (!is && i < OWNERS) {
		w->frozen[i].p = NULL;
	}
}

static void sept_step(struct watch *w, const struct region *r, const struct event *ev)
{
	u64 gfn = region_index(r, ev->p);
	struct sept_view v;

	if (r->level != 1 || gfn >= GFNS ||
	    !sept_peek_level(kmmu_tdr(w->m->kvm), gfn, 1, &v) || !v.mapped)
		return;
	w->page_of[gfn] = v.hpa;
	if (w->leaf[v.hpa >> 12] < BLOCKED_)
		w->leaf[v.hpa >> 12] = MAPPED;
}

static void step(struct watch *w, const struct event *ev)
{
	const struct region *r;

	if (!ev->p || ev->old == ev->value)
		return;
	r = region_at(ev->p);
	if (!r)
		return;
	if (!strcmp(r->type->name, "mirror")) {
		mirror_step(w, r, ev);
	} else if (!strcmp(r->type->name, "sept")) {
		sept_step(w, r, ev);
	} else if (!strcmp(r->type->name, "wait_for_sept_zap")) {
		w->gate = ev->value;
		w->gates += w->gate;
		w->closed = false;
	}
}

/* I6: a page of this TD has to come through all of it, one after the other. */
static void advance(struct watch *w, u8 from, u8 to)
{
	for (u32 i = 0; i < PAGES; i++)
		if (w->leaf[i] == from)
			w->leaf[i] = to;
}

static void leaf_return(struct watch *w, const struct event *ev)
{
	u8 *leaf = ev->has_arg && ev->arg < GFNS ? &w->leaf[w->page_of[ev->arg] >> 12] : NULL;

	if ((ev->status & TDX_STATUS_MASK) == TDX_EPT_WALK_FAILED &&
	    (!strcmp(ev->name, "TDH.MEM.PAGE.AUG") || !strcmp(ev->name, "TDH.MEM.SEPT.ADD")))
		w->broken[2]++;
	if (ev->status)
		return;
	if (!strcmp(ev->name, "TDH.MEM.TRACK"))
		advance(w, BLOCKED_, TRACKED);
	else if (leaf && !strcmp(ev->name, "TDH.MEM.RANGE.BLOCK"))
		*leaf = BLOCKED_;
	else if (leaf && !strcmp(ev->name, "TDH.MEM.PAGE.REMOVE"))
		*leaf = *leaf == OUT ? REMOVED : MAPPED;
}

static void page_free_(struct watch *w, u64 hpa)
{
	u8 *leaf = &w->leaf[hpa >> 12];

	w->removals += *leaf == REMOVED;
	w->broken[6] += *leaf != NOT_MAPPED && *leaf != REMOVED;
	*leaf = NOT_MAPPED;
}

static void check(struct watch *w, const struct event *ev)
{
	w->broken[3] += !strcmp(ev->name, "mirror-desync");
	w->broken[4] += !strcmp(ev->name, "unsynchronized-seamcall");
	w->broken[5] += !strcmp(ev->name, "use-after-free");
	w->broken[8] += !strcmp(ev->name, "kvm-bug") && strstr(ev->detail, "0x80000200");
}

static void listen(void *ctx, const struct event *ev)
{
	struct watch *w = ctx;

	switch (ev->type) {
	case EV_STEP:
		step(w, ev);
		break;
	case EV_CALL:
		w->broken[7] += w->closed && !strcmp(ev->name, "TDH.VP.ENTER");
		break;
	case EV_RETURN:
		if (!strcmp(ev->name, "kvm_make_all_cpus_request")) {
			w->closed = w->gate;
			advance(w, TRACKED, OUT);
		} else {
			leaf_return(w, ev);
		}
		break;
	case EV_NOTE:
		if (!strcmp(ev->name, "page-free"))
			page_free_(w, ev->arg);
		break;
	case EV_CHECK:
		check(w, ev);
		break;
	default:
		break;
	}
}

/* --- runs ----------------------------------------------------------------------------- */

static const struct guest_insn busy_guest[] = {
	{ .op = GUEST_ACCESS, .ngpa = 1, .gpa = { 0x1ff000 }, .text = "access 0x1ff" },
	{ .op = GUEST_VMCALL, .text = "vmcall" },
	{ .op = GUEST_ACCESS, .ngpa = 1, .gpa = { 0x200000 }, .text = "access 0x200" },
	{ .op = GUEST_VMCALL, .text = "vmcall" },
	{ .op = GUEST_REPEAT, .target = 0, .count = 20, .text = "repeat 20" },
};

static const struct guest_program busy_program = {
	.insn = busy_guest, .n = ARRAY_SIZE(busy_guest),
};

static void watched(struct machine *m, struct watch *w, struct machine_options *opt)
{
	memset(w, 0, sizeof(*w));
	w->m = m;
	machine_new(m, opt);
	trace_listen(m->sim, listen, w);
}

static void punch_on(struct job *j)
{
	u64 *word = world_alloc(8);

	for (u64 i = 0; i < 6; i++) {
		j->res = i % 2 ? kmmu_punch(j->m->kvm, j->a, j->b) :
				 kmmu_zap(j->m->kvm, j->a, j->b);
		for (u64 k = 0; k < 700; k++)
			mem_read64(word);
	}
}

static void op_destroy(struct job *j)
{
	j->res = kmmu_destroy(j->m->kvm);
}

struct seen {
	u32 broken[9];
	u32 gates, frozens, removals;
};

/* Two vCPUs, a thread that zaps and punches, and the end of the TD; what broke, added up */
static void live_and_die(u64 seed, const char *const *variant, struct seen *seen)
{
	struct machine_options opt = {
		.sched = SCHED_RANDOM, .seed = seed, .vcpus = 2, .max_steps = 500000,
		.tolerate = { "unexpected-exit" },
	};
	struct machine m;
	struct watch *w = g_new(struct watch, 1);
	struct job j[3];

	for (u32 i = 0; variant[i]; i++)
		opt.variant[i] = variant[i];
	watched(&m, w, &opt);
	for (u16 i = 0; i < 2; i++)
		kmmu_set_guest(m.kvm, i, &busy_program);
	job_start(&m, &j[0], "vCPU0", 0, 0, op_run, MEMORY_FAULT_STOP, 0);
	job_start(&m, &j[1], "vCPU1", 1, 1, op_run, MEMORY_FAULT_STOP, 0);
	job_start(&m, &j[2], "puncher", 2, NO_VCPU, punch_on, 0x1ff, 0x201);
	if (sim_run(m.sim) == SIM_DONE && !check_fatal(m.sim)) {
		w->broken[3] += machine_disagrees(&m) != ~0ull;
		machine_once(&m, 3, NO_VCPU, op_destroy, 0, 0);
	}
	for (u32 i = 1; i < 9; i++)
		seen->broken[i] += w->broken[i];
	seen->gates += w->gates;
	seen->frozens += w->frozens;
	seen->removals += w->removals;
	g_free(w);
	machine_free(&m);
}

static void hold_on_every_kernel(void **state)
{
	static const char *const kernels[] = { "kvm=v6.16", "kvm=v6.18", "kvm=v6.19", "kvm=v7.2" };

	for (u32 k = 0; k < ARRAY_SIZE(kernels); k++) {
		const char *variant[] = { kernels[k], NULL };
		struct seen seen = { { 0 } };

		for (u64 seed = 1; seed <= 12; seed++)
			live_and_die(seed, variant, &seen);
		for (u32 i = 1; i < 9; i++)
			if (seen.broken[i])
				fail_msg("I%u: %u times under %s", i, seen.broken[i], kernels[k]);
		assert_true(seen.gates && seen.frozens && seen.removals);
	}
}

/* What of @number breaks when @with is taken away, in some of @seeds schedules */
static bool breaks(u32 number, const char *with, u64 seeds)
{
	const char *variant[] = { "kvm=v7.2", with, NULL };
	struct seen seen = { { 0 } };

	for (u64 seed = 1; seed <= seeds && !seen.broken[number]; seed++)
		live_and_die(seed, variant, &seen);
	return seen.broken[number];
}

static void thaws(struct job *j)
{
	u64 *entry = region_find("mirror", "TD", j->a, 1, NULL), raw;

	for (u32 i = 0; i < 5000; i++) {
		raw = mem_read64(entry);
		if (strcmp(region_at(entry)->type->class(raw), "FROZEN"))
			continue;
		mem_write64(entry, 1ull << 63);
		return;
	}
}

static void i1_fires(void **state)
{
	struct machine_options opt = { 0 };
	struct watch *w = g_new(struct watch, 1);
	struct machine m;
	struct job j[2];

	watched(&m, w, &opt);
	machine_once(&m, 0, 0, op_fault, 0x11, 0);
	job_start(&m, &j[0], "vCPU0", 0, 0, op_fault, 0x10, 0);
	job_start(&m, &j[1], "rogue", 2, NO_VCPU, thaws, 0x10, 0);
	sim_run(m.sim);
	assert_int_equal(w->broken[1], 1);
	g_free(w);
	machine_free(&m);
}

static void i2_fires(void **state)
{
	assert_true(breaks(2, "no-freeze", 200));
}

/* The module says yes and does nothing. */
static void i3_fires(void **state)
{
	struct machine_options opt = { 0 };
	struct watch *w = g_new(struct watch, 1);
	struct machine m;

	watched(&m, w, &opt);
	seamcall_inject(m.sim, TDH_MEM_PAGE_AUG, 1, 0);
	machine_once(&m, 0, 0, op_fault, 0x10, 0);
	assert_int_equal(machine_disagrees(&m), 0x10);
	g_free(w);
	machine_free(&m);
}

/* The tree's lock in the hands of one whom no kick reaches */
static void holds_tree(struct job *j)
{
	struct module_lock l;

	assert_true(module_lock_find(kmmu_tdr(j->m->kvm), "SEPT_TREE", 0, 0, &l));
	module_lock_acquire(&l, ACQUIRE_EXCLUSIVE | ACQUIRE_HOST);
}

static void i4_and_i8_fire(void **state)
{
	struct machine_options opt = { .tolerate = { "unsynchronized-seamcall", "kvm-bug" } };
	struct watch *w = g_new(struct watch, 1);
	struct machine m;

	watched(&m, w, &opt);
	machine_once(&m, 0, 0, op_fault, 0x10, 0);
	machine_once(&m, 1, NO_VCPU, holds_tree, 0, 0);
	machine_once(&m, 2, NO_VCPU, op_zap, 0x10, 0x11);
	assert_int_equal(w->broken[4], 1);
	assert_int_equal(w->broken[8], 1);
	g_free(w);
	machine_free(&m);
}

static void reads_on(struct job *j)
{
	u64 *entry = region_find("mirror", "TD", j->a, 1, NULL);

	j->res = kmmu_destroy(j->m->kvm);
	mem_read64(entry);
}

static void i5_fires(void **state)
{
	struct machine_options opt = { .tolerate = { "use-after-free" } };
	struct watch *w = g_new(struct watch, 1);
	struct machine m;

	watched(&m, w, &opt);
	machine_once(&m, 0, 0, op_fault, 0x10, 0);
	machine_once(&m, 2, NO_VCPU, reads_on, 0x10, 0);
	assert_int_equal(w->broken[5], 1);
	g_free(w);
	machine_free(&m);
}

/* From v6.19 on nothing pins a page whose removal has failed. */
static void i6_fires(void **state)
{
	struct machine_options opt = { .tolerate = { "kvm-bug" } };
	struct watch *w = g_new(struct watch, 1);
	struct machine m;

	watched(&m, w, &opt);
	machine_once(&m, 0, 0, op_fault, 0x10, 0);
	seamcall_inject(m.sim, TDH_MEM_PAGE_REMOVE, 1, TDX_OPERAND_INVALID);
	machine_once(&m, 2, NO_VCPU, op_punch, 0x10, 0x11);
	assert_int_equal(w->broken[6], 1);
	g_free(w);
	machine_free(&m);
}

static void i7_fires(void **state)
{
	assert_true(breaks(7, "no-entry-gate", 200));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hold_on_every_kernel),
		cmocka_unit_test(i1_fires),
		cmocka_unit_test(i2_fires),
		cmocka_unit_test(i3_fires),
		cmocka_unit_test(i4_and_i8_fire),
		cmocka_unit_test(i5_fires),
		cmocka_unit_test(i6_fires),
		cmocka_unit_test(i7_fires),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
