// SPDX-License-Identifier: GPL-2.0-only
/*
 * Anything at any time: random operations of the host and random guests, private and shared,
 * under random schedules, on every kernel version. No rule is broken; and whenever all have
 * come to rest, mirror and S-EPT agree, and the direct tables map what user space has there.
 */
#include "tests/kvmmmu/machine.h"

#include <stdlib.h>
#include <string.h>

#include "kvmmmu/own/kvm_host.h"
#include "kvmmmu/own/tdp_mmu.h"
#include "sim/engine/mem.h"
#include "sim/engine/rng.h"
#include "sim/engine/tlb.h"
#include "tdxmod/guest.h"

static const char *const kernels[] = { "kvm=v6.16", "kvm=v6.18", "kvm=v6.19", "kvm=v7.2",
				       "kvm=v7.3" };

#define FIRST	0x1fc	/* the gfns of the storm: the ends of two tables */
#define NR	8
#define GFNS	0x400

static u64 seeds(u64 n)
{
	const char *more = getenv("SEPTSIM_SEEDS");

	return more ? strtoull(more, NULL, 10) : n;
}

/* xorshift: of one actor, in the test's memory */
static u64 draw(u64 *x, u64 n)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return (*x >> 11) % n;
}

static void draw_range(u64 *x, u64 *start, u64 *end)
{
	*start = FIRST + draw(x, NR);
	*end = *start + 1 + draw(x, FIRST + NR - *start);
}

/* --- guests ------------------------------------------------------------------------------- */

#define INSNS	10

struct guest {
	struct guest_insn insn[INSNS];
	struct guest_program program;
};

static void draw_guest(struct guest *g, u64 *x, bool td)
{
	u32 i;

	memset(g, 0, sizeof(*g));
	for (i = 0; i < INSNS - 1; i++) {
		struct guest_insn *in = &g->insn[i];

		in->op = GUEST_ACCESS;
		in->access = (enum guest_access)draw(x, 3);
		in->ngpa = 1;
		in->gpa[0] = (FIRST + draw(x, NR)) << 12;
		in->shared = td && draw(x, 2);
		in->text = "access";
		if (in->shared && in->access == GUEST_EXEC)
			in->access = GUEST_WRITE;	/* a TD does not fetch from there */
	}
	g->insn[i].op = GUEST_HALT;
	g->program.insn = g->insn;
	g->program.n = INSNS;
}

/* --- actors ------------------------------------------------------------------------------- */

struct weather {
	struct machine m;
	struct guest guest[2];
	bool td;
	u64 seed, flags;
	const char *mutation;
};

#define JOB_TD		1u
#define JOB_SLOTS	2u	/* memslots come and go */

static void vcpu_storm(struct job *j)
{
	u64 x = j->a, start, end, i;

	for (i = 0; i < 4; i++) {
		/* Prefault and the deletion of a memslot may wait for each other (F02, F07). */
		switch (j->b & JOB_SLOTS ? 1 + draw(&x, 3) : draw(&x, 4)) {
		case 0:
			draw_range(&x, &start, &end);
			kmmu_prefault(j->vcpu, start, end);
			break;
		case 1:
			kmmu_fault(j->vcpu, FIRST + draw(&x, NR),
				   (j->b & JOB_TD) && draw(&x, 2), 1);
			break;
		default:
			kmmu_run(j->vcpu,
				 j->b & JOB_TD ? MEMORY_FAULT_CONVERT : MEMORY_FAULT_STOP, 1);
			break;
		}
	}
}

static void host_of_td(struct kvm *kvm, u64 *x, u64 start, u64 end)
{
	switch (draw(x, 4)) {
	case 0:
		kmmu_convert(kvm, start, end, true);
		break;
	case 1:
		kmmu_convert(kvm, start, end, false);
		break;
	case 2:
		kmmu_punch(kvm, start, end);
		break;
	default:
		kmmu_track(kvm);
		break;
	}
}

static void host_of_any(struct kvm *kvm, u64 *x, u64 start, u64 end, bool slots)
{
	bool second = draw(x, 2);

	switch (draw(x, slots ? 11 : 8)) {
	case 0:
	case 1:
		kmmu_notify(kvm, start, end);
		break;
	case 2:
		kmmu_age(kvm, start, end);
		break;
	case 3:
		kmmu_zap(kvm, start, end);
		break;
	case 4:
		kmmu_recover_nx(kvm);
		break;
	case 5:
		kmmu_reuse_page(kvm, start);
		break;
	case 6:
		kmmu_kick(kvm);
		break;
	case 7:
		kmmu_split(kvm, start);
		break;
	case 8:
		kmmu_log_dirty(kvm, second ? 0x200 : 0, second ? GFNS : 0x200, draw(x, 2));
		break;
	case 9:
		kmmu_clear_dirty(kvm, start, end);
		break;
	default:
		kmmu_slot(kvm, SLOT_DELETE, second ? 0x200 : 0, second ? GFNS : 0x200, 0);
		kmmu_slot(kvm, SLOT_ADD, second ? 0x200 : 0, second ? GFNS : 0x200, 0);
		break;
	}
}

static void host_storm(struct job *j)
{
	u64 x = j->a, start, end, i;

	for (i = 0; i < 6; i++) {
		draw_range(&x, &start, &end);
		if ((j->b & JOB_TD) && draw(&x, 2))
			host_of_td(j->m->kvm, &x, start, end);
		else
			host_of_any(j->m->kvm, &x, start, end, j->b & JOB_SLOTS);
	}
}

/* --- rest --------------------------------------------------------------------------------- */

/* A deadline passes by choice here, and a guest that waited too long leaves as KVM knows not. */
static void assert_no_rule_broken(struct weather *w)
{
	assert_int_equal(w->m.freed_while_mapped, 0);
	for (u32 i = 0; i < check_count(w->m.sim); i++) {
		const struct violation *v = check_at(w->m.sim, i);

		if (strcmp(v->id, "unexpected-exit"))
			fail_msg("seed %llu: %s %s: %s", (unsigned long long)w->seed, v->id,
				 v->where, v->text);
	}
}

static u64 user_page(struct kvm *kvm, u64 gfn)
{
	const struct folio *f = (const struct folio *)
		mem_peek64(&gfn_chunk(kvm, gfn)->pte[gfn % CHUNK_GFNS]);

	return f ? f->hpa >> 12 : 0;
}

/* What the hardware can walk to is user space's page, in every translation that it may use. */
static void assert_direct(struct weather *w)
{
	struct mirror_view v;
	u64 gfn;

	for (gfn = FIRST; gfn < FIRST + NR; gfn++) {
		kmmu_direct_peek(w->m.kvm, gfn, &v);
		assert_int_not_equal(v.class, MIRROR_FROZEN);
		if (v.class != MIRROR_LEAF || !(v.raw & SPTE_MMU_PRESENT_MASK))
			continue;
		if (v.pfn != user_page(w->m.kvm, gfn))
			fail_msg("seed %llu: direct[0x%llx] maps pfn 0x%llx, user space has 0x%llx",
				 (unsigned long long)w->seed, (unsigned long long)gfn,
				 (unsigned long long)v.pfn,
				 (unsigned long long)user_page(w->m.kvm, gfn));
	}
}

/* false: a rule was broken, which only a mutation may do */
static bool storm(struct weather *w, u64 round)
{
	static const char *const names[] = { "vCPU0", "vCPU1", "host", "user" };
	struct job j[4];
	u64 x;

	for (u16 i = 0; i < 4; i++) {
		x = (w->seed * 31 + round) * 0x9e3779b97f4a7c15ull + i * 0xbf58476d1ce4e5b9ull + 1;
		if (i < 2) {
			draw_guest(&w->guest[i], &x, w->td);
			kmmu_set_guest(w->m.kvm, i, &w->guest[i].program);
		}
		job_start(&w->m, &j[i], names[i], i, i < 2 ? i : NO_VCPU,
			  i < 2 ? vcpu_storm : host_storm, x, w->flags);
	}
	sim_run(w->m.sim);
	if (w->mutation && (check_count(w->m.sim) || w->m.freed_while_mapped))
		return false;
	assert_no_rule_broken(w);
	for (u32 i = 0; i < 4; i++) {
		if (j[i].finished)
			continue;
		sim_explain(w->m.sim, stderr);
		fail_msg("seed %llu: %s is not through", (unsigned long long)w->seed, names[i]);
	}
	if (w->td && machine_disagrees(&w->m) != ~0ull)
		fail_msg("seed %llu: mirror and S-EPT disagree at 0x%llx",
			 (unsigned long long)w->seed, (unsigned long long)machine_disagrees(&w->m));
	assert_direct(w);
	return true;
}

static bool weather_of(bool td, u64 seed, const char *mutation)
{
	bool good = true;
	struct weather w = {
		.td = td, .seed = seed, .mutation = mutation,
		.flags = td ? JOB_TD : seed % 3 ? JOB_SLOTS : 0,
	};
	struct machine_options opt = {
		.sched = SCHED_RANDOM, .seed = seed, .max_steps = 20000000, .vcpus = 2, .gfns = GFNS,
		.type = td ? KMMU_TDX : KMMU_DEFAULT, .variant = { kernels[seed % 5], mutation },
		.tolerate = { "unexpected-exit" },
		.max_level = !td && seed & 1 ? 2 : 1, .nx_huge_pages = !td && seed & 2,
	};

	machine_new(&w.m, &opt);
	if (!td) {
		machine_once(&w.m, 2, NO_VCPU, op_slot_delete, 0, GFNS);
		machine_once(&w.m, 2, NO_VCPU, op_slot_add, 0, 0x200);
		machine_once(&w.m, 2, NO_VCPU, op_slot_add, 0x200, GFNS);
	}
	for (u64 round = 0; round < 3 && good; round++)
		good = storm(&w, round);
	machine_free(&w.m);
	return good;
}

static void tds(void **state)
{
	for (u64 seed = 1; seed <= seeds(15); seed++)
		assert_true(weather_of(true, seed, NULL));
}

static void vms_without_tdx(void **state)
{
	for (u64 seed = 1; seed <= seeds(15); seed++)
		assert_true(weather_of(false, seed, NULL));
}

/* The storm can fail: some seed finds each of these. */
static void mutations_are_found(void **state)
{
	static const struct {
		bool td;
		const char *name;
	} mutations[] = {
		{ true, "flush-lost-across-roots" }, { true, "no-freeze" },
		{ false, "notifier-skips-invalid-roots" }, { false, "invalid-slot-is-mmio" },
	};
	u64 seed;

	for (u32 i = 0; i < ARRAY_SIZE(mutations); i++) {
		for (seed = 1; weather_of(mutations[i].td, seed, mutations[i].name); seed++)
			if (seed == 100)
				fail_msg("%s is found by no seed", mutations[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tds),
		cmocka_unit_test(vms_without_tdx),
		cmocka_unit_test(mutations_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
