// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a SEAMCALL costs, one LP, tracing off: the calls of a page's life as KVM makes them,
 * and entries and exits of a vCPU whose guest does nothing else. Targets: docs/performance.md.
 */
#include "bench.h"
#include "sim/engine/arena.h"
#include "sim/engine/sim.h"
#include "tdxmod/build.h"
#include "tdxmod/guest.h"
#include "tdxmod/seamcall.h"

enum { PAGES = 512, ENTRIES = 64 };

struct load {
	const u64 *leaf;	/* of one page, in this order; 0 ends it */
	u64 level;
};

struct work {
	const struct load *l;
	u64 tdr, tdvpr, pages, rounds;
	u64 calls;
};

static u64 call(u64 leaf, u64 rcx, u64 rdx, u64 r8)
{
	struct tdx_regs r = { .rax = leaf, .rcx = rcx, .rdx = rdx, .r8 = r8 };
	u64 rax = seamcall(&r);

	if (rax && leaf != TDH_VP_ENTER) {
		fprintf(stderr, "bench: %s returned 0x%llx\n", seamcall_name(leaf),
			(unsigned long long)rax);
		exit(3);
	}
	return rax;
}

static void build_tables(struct work *w)
{
	for (u64 level = 3; level > w->l->level; level--)
		call(TDH_MEM_SEPT_ADD, level, w->tdr, page_alloc());
}

static void one_call(struct work *w, u64 leaf, u64 gpa, u64 hpa)
{
	switch (leaf) {
	case TDH_MEM_TRACK:
		call(leaf, w->tdr, 0, 0);
		break;
	case TDH_MEM_PAGE_AUG:
		call(leaf, gpa | w->l->level, w->tdr, hpa);
		break;
	default:
		call(leaf, gpa | w->l->level, w->tdr, 0);
		break;
	}
	w->calls++;
}

static void lives_of_pages(void *arg)
{
	struct work *w = arg;

	build_tables(w);
	for (u64 k = 0; k < w->rounds; k++) {
		u64 n = k % PAGES << (12 + 9 * w->l->level);

		for (const u64 *leaf = w->l->leaf; *leaf; leaf++)
			one_call(w, *leaf, n % (PAGES << 12), w->pages + n % (PAGES << 12));
	}
}

static void enters(void *arg)
{
	struct work *w = arg;

	for (u64 k = 0; k < w->rounds; k++, w->calls++)
		if (call(TDH_VP_ENTER, w->tdvpr, 0, 0) != EXIT_REASON_TDCALL)
			exit(3);
}

static uint64_t run_calls(const struct load *l, uint64_t rounds, void (*fn)(void *arg))
{
	struct sim_options opt = { .timed = true, .phys = 256 << 20 };
	struct sim *sim = sim_new(&opt);
	struct td_build td = { .name = "TD", .levels = 4, .op_state = OP_STATE_RUNNABLE };
	struct work w = { .l = l, .rounds = rounds, .pages = 128 << 20 };

	tdx_module_new(sim, NULL);
	w.tdr = td_build(sim, &td);
	w.tdvpr = vcpu_build(w.tdr, 0);
	actor_new(sim, "load", 0, fn, &w);
	sim_run(sim);
	sim_free(sim);
	return w.calls;
}

static uint64_t run_pages(void *arg, uint64_t n)
{
	return run_calls(arg, n / 4 + 1, lives_of_pages);
}

static uint64_t run_enters(void *arg, uint64_t n)
{
	return run_calls(arg, n, enters);
}

static const u64 life[] = {
	TDH_MEM_PAGE_AUG, TDH_MEM_RANGE_BLOCK, TDH_MEM_TRACK, TDH_MEM_PAGE_REMOVE, 0,
};

int main(void)
{
	static struct load small = { life, 0 }, nothing;
	bool ok = true;

	bench_heading();
	ok &= bench("AUG, BLOCK, TRACK, REMOVE of 4K pages", "call", 1500, run_pages, &small);
	ok &= bench("VP.ENTER until the guest's VMCALL", "call", 0, run_enters, &nothing);
	return ok ? 0 : 1;
}
