// SPDX-License-Identifier: GPL-2.0-only
/*
 * The checks that join the layers, and those that are seen best from a whole scenario: one
 * run in which each fires, one in which it is silent, and a legal one that a naive form of it
 * would flag. checks-covered.txt says where the other ids are tested.
 */
#include "tests/scenarios/play.h"

#include "kvmmmu/kmmu.h"
#include "scenarios/checks.h"
#include "sim/engine/check.h"
#include "sim/engine/mem.h"
#include "sim/engine/region.h"
#include "sim/engine/undo.h"
#include "tdxmod/build.h"
#include "tdxmod/lp_state.h"
#include "tdxmod/module.h"
#include "tdxmod/observe.h"
#include "tdxmod/sept.h"

/* ---- a VM with one vCPU thread, for what no scenario can do ---- */

struct env {
	struct sim *sim;
	struct kvm *kvm;
	struct checks *checks;
	void (*body)(struct env *e);
	guint disagreed;	/* events at which gfn 0x10 was not the same on both sides */
};

static void listen(void *ctx, const struct event *ev)
{
	struct env *e = ctx;
	char text[160];

	e->disagreed += checks_disagree(e->kvm, 0x10, text, sizeof(text));
	checks_event(e->checks, ev);
}

static void env_main(void *arg)
{
	struct env *e = arg;

	e->body(e);
}

/* Run @body on the vCPU's thread; returns how often @id was broken. */
static guint run_body(struct env *e, void (*body)(struct env *e), const char *id)
{
	static const char *const variant[] = { "kvm=v7.2", NULL };
	struct sim_options so = { .sched = SCHED_CLOCK, .lps = 2 };
	struct tdx_module_config mc = { .version = NULL };
	struct kmmu_config kc = {
		.name = "TD", .vcpus = 1, .memory = 4ull << 20, .levels = 4, .max_level = 1,
		.pending_ve_disable = true, .variant = variant,
	};
	guint n = 0;

	*e = (struct env){ .body = body, .sim = sim_new(&so) };
	assert_non_null(e->sim);
	check_tolerate(e->sim, id);
	assert_true(tdx_module_new(e->sim, &mc));
	e->kvm = kmmu_vm_new(e->sim, &kc, NULL);
	assert_non_null(e->kvm);
	e->checks = checks_new(e->sim, e->kvm);
	trace_listen(e->sim, listen, e);
	actor_new(e->sim, "vCPU0", 0, env_main, e);
	sim_run(e->sim);
	for (u32 i = 0; i < check_count(e->sim); i++) {
		const struct violation *v = check_at(e->sim, i);

		if (strcmp(v->id, id))
			print_error("%s %s: %s\n", v->id, v->where, v->text);
		assert_string_equal(v->id, id);
		n++;
	}
	checks_free(e->checks);
	sim_free(e->sim);
	return n;
}

static void fault(struct env *e, u64 gfn)
{
	assert_int_equal(kmmu_fault(kmmu_vcpu(e->kvm, 0), gfn, false, 1).ret, 0);
}

static u64 *entry(const char *region, u64 gfn)
{
	u64 *p = region_find(region, NULL, gfn, 1, NULL);

	assert_non_null(p);
	return p;
}

/* ---- mirror-desync ---- */

static void lose_mirror_entry(struct env *e)
{
	u64 *spte, empty;

	fault(e, 0x11);
	spte = entry("mirror", 0x10);
	empty = mem_peek64(spte);
	fault(e, 0x10);
	trace_own("TD", 0x10, 0x11);
	mem_write64(spte, empty);
	trace_disown("TD", 0x10, 0x11);
}

static void wrong_page(struct env *e)
{
	u64 *spte;

	fault(e, 0x10);
	spte = entry("mirror", 0x10);
	trace_own("TD", 0x10, 0x11);
	mem_write64(spte, mem_peek64(spte) ^ 0x1000);
	trace_disown("TD", 0x10, 0x11);
}

static void map_twice_well(struct env *e)
{
	fault(e, 0x10);
	fault(e, 0x10);
	fault(e, 0x12);
}

static void map_and_zap(struct env *e)
{
	fault(e, 0x10);
	fault(e, 0x12);
	assert_int_equal(kmmu_zap(e->kvm, 0x10, 0x11).ret, 0);
}

/* Two owners: the first one's leaving is no quiescent point. */
static void still_owned(struct env *e)
{
	u64 *spte, empty, full;

	fault(e, 0x11);
	spte = entry("mirror", 0x10);
	empty = mem_peek64(spte);
	fault(e, 0x10);
	full = mem_peek64(spte);
	trace_own("TD", 0, 0x400);
	trace_own("TD", 0x10, 0x11);
	mem_write64(spte, empty);
	trace_disown("TD", 0x10, 0x11);
	mem_write64(spte, full);
	trace_disown("TD", 0, 0x400);
}

static void mirror_desync_fires(void **state)
{
	struct env e;

	assert_int_equal(run_body(&e, lose_mirror_entry, "mirror-desync"), 1);
	assert_int_equal(run_body(&e, wrong_page, "mirror-desync"), 1);
}

static void mirror_desync_silent(void **state)
{
	struct env e;

	assert_int_equal(run_body(&e, map_twice_well, "mirror-desync"), 0);
}

static void mirror_desync_legal(void **state)
{
	struct env e;

	assert_int_equal(run_body(&e, map_and_zap, "mirror-desync"), 0);
	/* Looked at step by step, both map and zap would have been wrong for a while. */
	assert_true(e.disagreed > 2);
	assert_int_equal(run_body(&e, still_owned, "mirror-desync"), 0);
	assert_true(e.disagreed > 0);
}

/* ---- double-map ---- */

static void map_twice(struct env *e)
{
	u64 raw;

	fault(e, 0x10);
	raw = mem_peek64(entry("sept", 0x10));
	trace_own("TD", 0x12, 0x13);
	mem_write64(entry("sept", 0x12), raw);
}

/* Pages that one range lost are another range's next: the allocator hands them out first. */
static void map_again(struct env *e)
{
	u64 tdr = kmmu_tdr(e->kvm), first[16];
	guint reused = 0;
	struct sept_view v;

	for (guint i = 0; i < 16; i++) {
		fault(e, 0x10 + i);
		sept_peek(tdr, 0x10 + i, &v);
		first[i] = v.hpa;
	}
	assert_int_equal(kmmu_punch(e->kvm, 0x10, 0x20).ret, 0);
	for (guint i = 0; i < 16; i++) {
		fault(e, 0x40 + i);
		sept_peek(tdr, 0x40 + i, &v);
		for (guint k = 0; k < 16; k++)
			reused += v.hpa == first[k];
	}
	assert_true(reused > 4);
}

static void double_map_fires(void **state)
{
	struct env e;

	assert_int_equal(run_body(&e, map_twice, "double-map"), 1);
}

static void double_map_silent(void **state)
{
	struct env e;

	assert_int_equal(run_body(&e, map_and_zap, "double-map"), 0);
}

static void double_map_legal(void **state)
{
	struct env e;

	assert_int_equal(run_body(&e, map_again, "double-map"), 0);
}

/* ---- free-while-mapped ---- */

static void free_mapped(struct env *e)
{
	struct sept_view v;

	fault(e, 0x10);
	sept_peek(kmmu_tdr(e->kvm), 0x10, &v);
	trace_(EV_NOTE, .name = "page-free", .arg = v.hpa, .has_arg = true);
}

/* The S-EPT has let go, and a TLB still leads to the page: of an LP in the TD, or outside. */
static void free_cached(struct env *e, bool in_guest)
{
	u64 page = page_alloc();

	tlb_fill(tlb_of(1), kmmu_tdr(e->kvm), 0x10, LVL_PT, page, TLB_RWX);
	if (in_guest)
		tlb_enter(tlb_of(1), kmmu_tdr(e->kvm));
	page_free(page);
	trace_(EV_NOTE, .name = "page-free", .arg = page, .has_arg = true);
	tlb_leave(tlb_of(1));
}

static void free_cached_in_guest(struct env *e)
{
	free_cached(e, true);
}

static void free_cached_outside(struct env *e)
{
	free_cached(e, false);
}

/* KVM's own way to do so: the removal failed, and the page goes behind the KVM_BUG. */
static const char removal_failed[] =
	"td vcpus=1 lps=3 memory=4M\n"
	"variant kvm=v7.2\n"
	"init\n"
	"    vCPU0: fault 0x10\n"
	"schedule\n"
	"    holder | zapper\n"
	"    acquire SEPT_TREE exclusive |\n"
	"    | punch 0x10\n"
	"tolerate kvm-bug unsynchronized-seamcall mirror-desync lock-held\n"
	"expect violation free-while-mapped\n";

static void free_other(struct env *e)
{
	fault(e, 0x10);
	fault(e, 0x12);
	assert_int_equal(kmmu_punch(e->kvm, 0x10, 0x11).ret, 0);
}

/*
 * A page goes although an LP still has its translation: TRACK has raised the epoch, so the
 * next TDH.VP.ENTER there drops it before the guest can use it.
 */
static const char tlb_left_behind[] =
	"td vcpus=1 lps=2 memory=4M\n"
	"guest vCPU0\n"
	"    accept 0x10\n"
	"    access 0x10 write\n"
	"init\n"
	"    vCPU0: run\n"
	"schedule\n"
	"    zapper\n"
	"    punch 0x10\n"
	"expect ok\n"
	"expect final sept[0x10] = FREE\n";

static void free_while_mapped_fires(void **state)
{
	struct env e;

	assert_int_equal(run_body(&e, free_mapped, "free-while-mapped"), 1);
	assert_int_equal(run_body(&e, free_cached_in_guest, "free-while-mapped"), 1);
	assert_as_expected(play_text(removal_failed));
}

static void free_while_mapped_silent(void **state)
{
	struct env e;

	assert_int_equal(run_body(&e, free_other, "free-while-mapped"), 0);
}

static void free_while_mapped_legal(void **state)
{
	struct env e;

	assert_int_equal(run_body(&e, free_cached_outside, "free-while-mapped"), 0);
	assert_as_expected(play_text(tlb_left_behind));
}

/* ---- zap-lost ---- */

static const char zap_misses_frozen[] =
	"td vcpus=1 lps=2 memory=4M\n"
	"variant kvm=v7.2 zap-under-read\n"
	"init\n"
	"    vCPU0: fault 0x11\n"
	"schedule\n"
	"    vCPU0 | zapper\n"
	"    fault 0x10 .. mirror[0x10] = FROZEN |\n"
	"    | zap 0x10\n"
	"    .. end |\n"
	"tolerate lock-context\n"
	"expect violation zap-lost 0x10\n";

static const char zap_finds_it[] =
	"td vcpus=1 lps=2 memory=4M\n"
	"schedule\n"
	"    vCPU0 | zapper\n"
	"    fault 0x10 |\n"
	"    | zap 0x10\n"
	"expect ok\n"
	"expect final sept[0x10] = FREE\n";

/* Mapped when the zap returns, but by a fault that came after it had done its work. */
static const char mapped_anew[] =
	"td vcpus=1 lps=2 memory=4M\n"
	"init\n"
	"    vCPU0: fault 0x10\n"
	"schedule\n"
	"    vCPU0 | zapper\n"
	"    | punch 0x10 .. unlock mmu_lock x2\n"
	"    fault 0x10 |\n"
	"    | .. end\n"
	"expect ok\n"
	"expect final sept[0x10] = PENDING\n";

static void zap_lost_fires(void **state)
{
	assert_as_expected(play_text(zap_misses_frozen));
}

static void zap_lost_silent(void **state)
{
	assert_as_expected(play_text(zap_finds_it));
}

/* In direct trees nothing but a zap that does not zap can lose: here is one, and one that does. */
static void map_shared(struct env *e, u64 gfn)
{
	assert_int_equal(kmmu_fault(kmmu_vcpu(e->kvm, 0), gfn, true, 1).ret, 0);
}

static void direct_zap_does_nothing(struct env *e)
{
	guint zap;

	kmmu_convert(e->kvm, 0x10, 0x14, true);
	map_shared(e, 0x10);
	zap = checks_zap_begins(e->checks, 0x10, 0x12, CHECK_DIRECT);
	kmmu_kick(e->kvm);		/* it begins with its first step */
	checks_zap_ends(e->checks, 0x10, 0x12, CHECK_DIRECT, zap, TRUE);
}

static void direct_zap_zaps(struct env *e)
{
	guint zap;

	kmmu_convert(e->kvm, 0x10, 0x14, true);
	map_shared(e, 0x10);
	map_shared(e, 0x12);		/* not of the range */
	zap = checks_zap_begins(e->checks, 0x10, 0x12, CHECK_DIRECT);
	kmmu_zap(e->kvm, 0x10, 0x12);
	checks_zap_ends(e->checks, 0x10, 0x12, CHECK_DIRECT, zap, TRUE);
	zap = checks_zap_begins(e->checks, 0x10, 0x14, CHECK_MIRROR);	/* and not of these trees */
	checks_zap_ends(e->checks, 0x10, 0x14, CHECK_MIRROR, zap, TRUE);
}

/* What is mapped when it returns came later. */
static void direct_mapped_again(struct env *e)
{
	guint zap;

	kmmu_convert(e->kvm, 0x10, 0x14, true);
	map_shared(e, 0x10);
	zap = checks_zap_begins(e->checks, 0x10, 0x12, CHECK_DIRECT);
	kmmu_zap(e->kvm, 0x10, 0x12);
	map_shared(e, 0x10);
	checks_zap_ends(e->checks, 0x10, 0x12, CHECK_DIRECT, zap, TRUE);
}

static void zap_lost_direct(void **state)
{
	struct env e;

	assert_int_equal(run_body(&e, direct_zap_does_nothing, "zap-lost"), 1);
	assert_int_equal(run_body(&e, direct_zap_zaps, "zap-lost"), 0);
	assert_int_equal(run_body(&e, direct_mapped_again, "zap-lost"), 0);
}

static void zap_lost_legal(void **state)
{
	assert_as_expected(play_text(mapped_anew));
}

/* ---- unexpected-exit ---- */

static const char internal_error[] =
	"td vcpus=1 lps=2 memory=4M\n"
	"guest vCPU0\n"
	"    vmcall\n"
	"init\n"
	"    user: inject TDH.VP.ENTER@1 HOST_PRIORITY_BUSY_TIMEOUT\n"
	"schedule\n"
	"    vCPU0\n"
	"    run\n"
	"tolerate kvm-warn\n"
	"expect violation unexpected-exit\n";

static const char plain_run[] =
	"td vcpus=1 lps=2 memory=4M\n"
	"guest vCPU0\n"
	"    vmcall\n"
	"schedule\n"
	"    vCPU0\n"
	"    run\n"
	"expect ok\n";

/* KVM_EXIT_MEMORY_FAULT goes to user space, too: it is asked for. */
static const char memory_fault[] =
	"td vcpus=1 lps=2 memory=4M\n"
	"guest vCPU0\n"
	"    access 0x10\n"
	"init\n"
	"    vCPU0: convert 0x10 shared\n"
	"schedule\n"
	"    vCPU0\n"
	"    run\n"
	"expect ok\n";

static void unexpected_exit_fires(void **state)
{
	assert_as_expected(play_text(internal_error));
}

static void unexpected_exit_silent(void **state)
{
	assert_as_expected(play_text(plain_run));
}

static void unexpected_exit_legal(void **state)
{
	assert_as_expected(play_text(memory_fault));
}

/* ---- unsynchronized-seamcall, the promise that no holder of a lock can break ---- */

static const char busy_wbinvd[] =
	"td vcpus=1 lps=3 memory=4M\n"
	"init\n"
	"    vCPU0: fault 0x10\n"
	"    user: inject TDH.PHYMEM.PAGE.WBINVD@1 OPERAND_BUSY|RCX\n"
	"schedule\n"
	"    zapper\n"
	"    zap 0x10\n"
	"tolerate kvm-bug page-leak mirror-desync\n"
	"expect violation unsynchronized-seamcall 0x10\n";

static void busy_wbinvd_fires(void **state)
{
	assert_as_expected(play_text(busy_wbinvd));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mirror_desync_fires),
		cmocka_unit_test(mirror_desync_silent),
		cmocka_unit_test(mirror_desync_legal),
		cmocka_unit_test(double_map_fires),
		cmocka_unit_test(double_map_silent),
		cmocka_unit_test(double_map_legal),
		cmocka_unit_test(free_while_mapped_fires),
		cmocka_unit_test(free_while_mapped_silent),
		cmocka_unit_test(free_while_mapped_legal),
		cmocka_unit_test(zap_lost_fires),
		cmocka_unit_test(zap_lost_silent),
		cmocka_unit_test(zap_lost_legal),
		cmocka_unit_test(zap_lost_direct),
		cmocka_unit_test(unexpected_exit_fires),
		cmocka_unit_test(unexpected_exit_silent),
		cmocka_unit_test(unexpected_exit_legal),
		cmocka_unit_test(busy_wbinvd_fires),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
