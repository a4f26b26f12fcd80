// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VMM with almost no lock of its own: vCPUs, mappers and zappers at once, in random
 * order, on three pages. Whatever they are answered, the module's own accounts must agree
 * in the end: locks free, children counted, pages owned by who maps them, no stale
 * translation. The one thing that it must not do is to map and remove a gfn at once.
 */
#include "tests/tdxmod/common.h"

#include "sim/engine/lp.h"
#include "sim/engine/rng.h"
#include "tdxmod/guest.h"
#include "tdxmod/status.h"

enum { SEEDS = 150, GFNS = 3, ROUNDS = 12 };

struct chaos {
	struct sim *sim;
	struct test_td td;
	struct {
		struct chaos *c;
		struct rng rng;
		u32 id;
		u64 page;	/* own pages: one is free for the next AUG */
	} who[5];
	u64 *owner;		/* per gfn: somebody maps or removes it */
	u32 done[8];		/* calls that succeeded, by kind */
};

/* AUG or PAGE.REMOVE, or nothing while another does either on this gfn */
static u64 map_or_remove(struct chaos *c, u64 leaf, u64 gpa, u64 page)
{
	u64 *owner = &c->owner[(gpa >> 12) * 8], taken = mem_cmpxchg64(owner, 0, 1), rax;

	if (taken)
		return TDX_OPERAND_BUSY;
	rax = call(leaf, gpa, c->td.tdr, page, NULL);
	mem_write64(owner, 0);
	return rax;
}

/* KVM's own rule, without which the guest's address space means nothing */
static void track(struct chaos *c)
{
	if (!call(TDH_MEM_TRACK, c->td.tdr, 0, 0, NULL))
		c->done[2]++;
	lp_raise(0, IRQ_KICK);
	lp_raise(1, IRQ_KICK);
}

static void host(void *arg)
{
	__typeof__(((struct chaos *)0)->who[0]) *me = arg;
	struct chaos *c = me->c;

	for (u32 i = 0; i < ROUNDS; i++) {
		u64 gpa = (u64)rng_below(&me->rng, GFNS) << 12;
		struct tdx_regs out;

		switch (rng_below(&me->rng, 5)) {
		case 0:
			if (!map_or_remove(c, TDH_MEM_PAGE_AUG, gpa, me->page)) {
				me->page += 0x1000;
				c->done[0]++;
			}
			break;
		case 1:
			c->done[1] += !call(TDH_MEM_RANGE_BLOCK, gpa, c->td.tdr, 0, &out);
			break;
		case 2:
			track(c);
			break;
		case 3:
			c->done[3] += !map_or_remove(c, TDH_MEM_PAGE_REMOVE, gpa, 0);
			break;
		default:
			c->done[4] += !call(TDH_MEM_RANGE_UNBLOCK, gpa, c->td.tdr, 0, &out);
			break;
		}
	}
}

static void vcpu(void *arg)
{
	__typeof__(((struct chaos *)0)->who[0]) *me = arg;
	struct chaos *c = me->c;

	for (u32 i = 0; i < ROUNDS; i++) {
		struct tdx_regs r = { .rax = TDH_VP_ENTER, .rcx = c->td.tdvpr[me->id] };

		seamcall(&r);
		if (r.rax == EXIT_REASON_EPT_VIOLATION &&
		    !map_or_remove(c, TDH_MEM_PAGE_AUG, r.r8, me->page))
			me->page += 0x1000;
	}
	c->done[5] += !call(TDH_VP_FLUSH, c->td.tdvpr[me->id], 0, 0, NULL);
}

static const struct guest_insn insns[] = {
	{ .op = GUEST_ACCESS, .ngpa = 2, .gpa = { 0, 0x1000 } },
	{ .op = GUEST_TDCALL, .leaf = TDG_MEM_PAGE_ATTR_RD, .rcx = 0x2000 },
	{ .op = GUEST_ACCEPT, .ngpa = 1, .gpa = { 0x1000 }, .pages = 2 },
	{ .op = GUEST_VMCALL },
	{ .op = GUEST_REPEAT, .target = 0 },
};
static const struct guest_program program = { insns, ARRAY_SIZE(insns) };

static void check_accounts(struct chaos *c)
{
	const struct module *mod = module_self();
	struct tdr *tdr = tdr_at(c->td.tdr);
	struct tdcs *tdcs = td_tdcs(tdr);
	u64 leaves = 0, owned = 0;

	assert_int_equal(check_count(c->sim), 0);
	/* A host that gave up may leave HOST_PRIORITY behind, never a reader */
	assert_int_equal(tdcs->sept_lock & ~(module_switch(mod, S_TREE_HP) ? SHAREX_HP_HP : 0), 0);
	assert_int_equal(tdcs->epoch.lock, 0);
	assert_int_equal(tdcs->op_state_lock & ~SHAREX_HP_HP, 0);
	assert_int_equal(tdcs->epoch.refcount[0] | tdcs->epoch.refcount[1], 0);
	assert_int_equal(mod->pamt_1g[0].lock & ~SHAREX_HP_HP, 0);
	for (u32 i = 0; i < 0x1000; i++) {
		const struct pamt_entry *e = &mod->pamt_4k[i];

		assert_int_equal(e->lock & ~SHAREX_HP_HP, 0);
		owned += e->pt == PT_REG;
	}
	for (u64 gfn = 0; gfn < GFNS; gfn++) {
		struct sept_view v;

		sept_peek(c->td.tdr, gfn, &v);
		assert_int_equal(v.raw & SEPT_TDEL, 0);
		if (!v.mapped)
			continue;
		leaves++;
		assert_int_equal(pamt_entry_of(mod, v.hpa, SIZE_4K)->pt, PT_REG);
	}
	assert_int_equal(owned, leaves);
	assert_int_equal(tdr->chldcnt, 24 + 3 + leaves);
	assert_int_equal(tdcs->num_assoc_vcpus, 2 - c->done[5]);
}

static void test_chaos(void **state)
{
	static const char *const versions[] = { "1.5.01", "1.5.34" };
	static const char *const kinds[] = { "AUG", "BLOCK", "TRACK", "REMOVE", "UNBLOCK", "FLUSH" };
	u32 done[8] = { 0 };

	for (u32 seed = 0; seed < SEEDS; seed++) {
		struct sim_options opt = {
			.phys = 1 << 30, .lps = 5, .sched = SCHED_RANDOM, .seed = seed,
		};
		struct chaos c = { .sim = sim_new(&opt) };

		assert_non_null(c.sim);
		test_td(c.sim, &(struct test_setup){ .version = versions[seed & 1] }, &c.td);
		c.owner = world_alloc(GFNS * 64);
		for (u8 l = LVL_PML4; l > LVL_PT; l--)
			assert_int_equal(call(TDH_MEM_SEPT_ADD, l, c.td.tdr,
					      0x200000 + l * 0x1000, NULL), 0);
		for (u32 i = 0; i < ARRAY_SIZE(c.who); i++) {
			g_autofree char *name = g_strdup_printf("actor%u", i);

			c.who[i].c = &c;
			c.who[i].id = i;
			c.who[i].page = 0x400000 + i * 0x100000;
			rng_seed(&c.who[i].rng, seed * 8 + i);
			if (i < 2)
				vcpu_set_guest(c.td.tdvpr[i], &program);
			actor_new(c.sim, name, i, i < 2 ? vcpu : host, &c.who[i]);
		}
		if (sim_run(c.sim) != SIM_DONE)
			fail_msg("seed %u: %s: %s", seed, check_fatal(c.sim) ?
				 check_fatal(c.sim)->id : "no end", check_fatal(c.sim) ?
				 check_fatal(c.sim)->text : "");
		check_accounts(&c);
		for (u32 k = 0; k < ARRAY_SIZE(done); k++)
			done[k] += c.done[k];
		sim_free(c.sim);
	}
	/* Each kind of call must have got through many times, or nothing was shown */
	for (u32 k = 0; k < 6; k++) {
		print_message("%s %u\n", kinds[k], done[k]);
		assert_true(done[k] > SEEDS / 10);
	}
}

/*
 * Why it must not: AUG's store publishes the entry, unlocked, before the page's PAMT type,
 * and both flows hold the tree shared only. A PAGE.REMOVE in between finds a page that is
 * not assigned, which the module takes for its own corruption (pamt_implicit_get()).
 */
static void remove_now(struct record *rec, const struct event *ev)
{
	struct test_td *td = rec->ctx;

	if (ev->type != EV_STEP || ev->op != MEM_WRITE || ev->value != 0x81000000004000f0)
		return;
	rec->hook = NULL;
	test_on_lp(1);
	call(TDH_MEM_PAGE_REMOVE, 0, td->tdr, 0, NULL);
	test_on_lp(0);
}

static void test_aug_vs_remove(void **state)
{
	struct sim *sim = test_sim();
	struct record rec = { .hook = remove_now };
	struct test_td td;

	check_tolerate(sim, "module-fatal");
	test_td(sim, &(struct test_setup){ 0 }, &td);
	for (u8 l = LVL_PML4; l > LVL_PT; l--)
		assert_int_equal(call(TDH_MEM_SEPT_ADD, l, td.tdr, 0x200000 + l * 0x1000, NULL), 0);
	rec.ctx = &td;
	record_start(sim, &rec);
	call(TDH_MEM_PAGE_AUG, 0, td.tdr, 0x400000, NULL);
	record_stop(sim, &rec);
	assert_int_equal(check_count(sim), 1);
	assert_string_equal(check_at(sim, 0)->where, "PAMT");
	sim_free(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chaos),
		cmocka_unit_test(test_aug_vs_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
