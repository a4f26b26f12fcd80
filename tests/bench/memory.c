// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resident memory of the host for a TD of 64 GiB: a lone page, whole 2M ranges, and what is
 * left when they are zapped; by what it is for. Targets: docs/performance.md.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvmmmu/kmmu.h"
#include "sim/engine/arena.h"
#include "sim/engine/sim.h"
#include "tdxmod/build.h"
#include "tdxmod/guest.h"

enum { RANGES = 256, RANGE = 512, LONE = 64, TD_GIB = 64 };

enum counts { THE_FOUR, REST, OF_ACTORS };

/*
 * Areas of the world, and whether they belong to what is held to the target: S-EPT, PAMT,
 * mirror, and the line model of these. An area's part of that is a quarter of it, behind the
 * world.
 */
static const struct area {
	const char *name;
	u64 from, to;
	enum counts counts;
	bool shadow;
} areas[] = {
	{ "S-EPT and mirror", WORLD_PHYS, WORLD_SPAN, THE_FOUR },
	{ "... their lines", WORLD_PHYS, WORLD_SPAN, THE_FOUR, true },
	{ "PAMT", WORLD_CARVE, WORLD_STACKS, THE_FOUR },
	{ "... its lines", WORLD_CARVE, WORLD_STACKS, THE_FOUR, true },
	{ "KVM's objects (folios, headers)", WORLD_SLAB, WORLD_CARVE, REST },
	{ "... their lines", WORLD_SLAB, WORLD_CARVE, REST, true },
	{ "contents of guest pages", WORLD_FRAMES, WORLD_STATE, REST },
	{ "... their lines", WORLD_FRAMES, WORLD_STATE, REST, true },
	{ "states of lines and pages", WORLD_STATE, WORLD_PHYS, REST },
	{ "stacks", WORLD_STACKS, WORLD_FRAMES, OF_ACTORS },
};

struct usage {
	u64 area[ARRAY_SIZE(areas)];	/* bytes */
};

static u64 overlap(u64 a, u64 b, const struct area *r)
{
	u64 from = r->shadow ? WORLD_SPAN + r->from / 4 : r->from;
	u64 to = r->shadow ? WORLD_SPAN + r->to / 4 : r->to;

	a -= (u64)world_base;
	b -= (u64)world_base;
	a = a > from ? a : from;
	b = b < to ? b : to;
	return a < b ? b - a : 0;
}

/* What the kernel says is resident of each mapping */
static void measure(struct usage *u)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	u64 from = 0, to = 0, kib;
	char line[512];

	if (!f) {
		fprintf(stderr, "bench: no /proc/self/smaps\n");
		exit(3);
	}
	memset(u, 0, sizeof(*u));
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &from, &to) == 2)
			continue;
		if (sscanf(line, "Rss: %" SCNu64 " kB", &kib) != 1)
			continue;
		for (u32 i = 0; i < ARRAY_SIZE(areas); i++) {
			if (!overlap(from, to, &areas[i]))
				continue;
			u->area[i] += kib << 10;
			break;
		}
	}
	fclose(f);
}

struct work {
	struct kvm *kvm;
	u64 first, pages, step;
};

static void faults(void *arg)
{
	struct work *w = arg;

	for (u64 i = 0, gfn = w->first; i < w->pages; i++, gfn += w->step) {
		struct kmmu_result r = kmmu_fault(kmmu_vcpu(w->kvm, 0), gfn, false, 1);

		if (r.ret < 0) {
			fprintf(stderr, "bench: fault of gfn 0x%" PRIx64 ": %s\n", gfn, r.what);
			exit(3);
		}
	}
}

static void zaps(void *arg)
{
	struct work *w = arg;

	kmmu_zap(w->kvm, w->first, w->first + w->pages);
}

static void punches(void *arg)
{
	struct work *w = arg;

	kmmu_punch(w->kvm, w->first, w->first + w->pages);
	kmmu_rcu_quiesce(w->kvm);
}

static void runs(void *arg)
{
	struct work *w = arg;
	struct kmmu_result r = kmmu_run(kmmu_vcpu(w->kvm, 0), MEMORY_FAULT_STOP, 0);

	if (r.ret < 0) {
		fprintf(stderr, "bench: the guest stopped: %s\n", r.what);
		exit(3);
	}
}

static void perform(struct sim *sim, void (*fn)(void *), const struct work *w)
{
	struct work mine = *w;

	actor_new(sim, "host", 0, fn, &mine);
	if (sim_run(sim) != SIM_DONE) {
		sim_explain(sim, stderr);
		exit(3);
	}
}

static double more(const struct usage *a, const struct usage *b, enum counts most)
{
	double bytes = 0;

	for (u32 i = 0; i < ARRAY_SIZE(areas); i++)
		if (areas[i].counts <= most)
			bytes += (double)b->area[i] - (double)a->area[i];
	return bytes;
}

/* Bytes a page between two measurements; @most of the four together */
static bool report(const char *what, const struct usage *a, const struct usage *b, u64 pages,
		   double most)
{
	double four = more(a, b, THE_FOUR) / (double)pages;
	bool ok = four <= most;

	printf("%-36s %9.2f bytes a page <= %.2f, with all else %.2f%s\n", what, four, most,
	       more(a, b, REST) / (double)pages, ok ? "" : "  MISSED");
	for (u32 i = 0; i < ARRAY_SIZE(areas); i++) {
		double each = ((double)b->area[i] - (double)a->area[i]) / (double)pages;

		if (areas[i].counts != OF_ACTORS && each)
			printf("    %-32s %9.2f\n", areas[i].name, each);
	}
	return ok;
}

int main(void)
{
	struct sim_options opt = { .timed = true, .phys = (u64)(TD_GIB + 8) << 30, .lps = 1 };
	struct sim *sim = sim_new(&opt);
	struct kmmu_config cfg = {
		.name = "TD", .vcpus = 1, .memory = (u64)TD_GIB << 30, .levels = 4,
		.max_level = 1,
	};
	u64 gfns = cfg.memory >> PAGE_SHIFT, pages = (u64)RANGES * RANGE, gib = 1ull << 18;
	struct guest_insn accept = { .op = GUEST_ACCEPT, .ngpa = 1, .pages = pages };
	struct guest_program guest = { .insn = &accept, .n = 1 };
	struct usage none, made, first, lone, dense, accepted, gone;
	struct work w = { .step = RANGE };
	bool ok = true;

	measure(&none);
	tdx_module_new(sim, NULL);
	w.kvm = kmmu_vm_new(sim, &cfg, NULL);
	kmmu_set_guest(w.kvm, 0, &guest);
	measure(&made);
	ok &= report("TD of 64 GiB, untouched", &none, &made, gfns, 0.01);
	w.first = 20 * gib;
	w.pages = 1;
	perform(sim, faults, &w);
	measure(&first);
	w.first += RANGE;
	w.pages = LONE;
	perform(sim, faults, &w);
	measure(&lone);
	ok &= report("a page alone in its 2M range", &first, &lone, LONE, 16384);
	w = (struct work){ w.kvm, 0, pages, 1 };
	perform(sim, faults, &w);
	measure(&dense);
	ok &= report("whole 2M ranges, mapped", &lone, &dense, pages, 48);
	perform(sim, runs, &w);
	measure(&accepted);
	ok &= report("... and accepted", &lone, &accepted, pages, 48);
	printf("    all of 64 GiB so: %.2f GiB, with all else %.2f GiB\n",
	       more(&lone, &accepted, THE_FOUR) / (double)pages * (double)gfns / (1 << 30),
	       more(&lone, &accepted, REST) / (double)pages * (double)gfns / (1 << 30));
	perform(sim, zaps, &w);
	perform(sim, punches, &w);
	measure(&gone);
	ok &= report("... zapped and punched", &lone, &gone, pages, 48);
	sim_free(sim);
	return ok ? 0 : 1;
}
