// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest's access through EPT: what is cached and by whom, accessed and dirty bits and
 * their race with software, what is no translation, what is used after its page went.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "sim/engine/actor.h"
#include "sim/engine/arena.h"
#include "sim/engine/check.h"
#include "sim/engine/ept.h"
#include "sim/engine/mem.h"
#include "sim/engine/sim.h"
#include "sim/engine/tlb.h"
#include "sim/engine/undo.h"

#define GPA	0x40007000ull
#define LEAF	(EPT_RWX | 6 << 3)

struct tables {
	struct sim *sim;
	struct ept ept;
	u64 page, table[4];	/* by level */
};

static u64 *entry(const struct tables *m, u8 level)
{
	return (u64 *)phys_to_ptr(m->table[level]) + (GPA >> (12 + 9 * level) & 511);
}

static void begin(struct tables *m, bool ad, bool timed)
{
	struct sim_options so = { .lps = 2, .phys = 16 << 20, .timed = timed };

	*m = (struct tables){ .sim = sim_new(&so) };
	page_reserve(PAGE_SIZE);
	m->page = page_alloc();
	for (u8 l = 0; l < 4; l++) {
		m->table[l] = page_alloc();
		world_set(*entry(m, l), l ? m->table[l - 1] | EPT_RWX : m->page | LEAF);
	}
	m->ept = (struct ept){ .tag = 0x1000, .root = m->table[3], .level = 3, .ad = ad };
}

static enum ept_result touch(const struct tables *m, u16 lp, u64 how, struct ept_walk *w)
{
	return ept_access(tlb_of(lp), &m->ept, GPA | 0x18, how, w);
}

static void test_walk(void **state)
{
	struct tables m;
	struct ept_walk w;
	u16 lp;
	u64 gfn;

	begin(&m, false, false);
	assert_int_equal(touch(&m, 0, EPT_READ, &w), EPT_OK);
	assert_int_equal(w.hpa, m.page | 0x18);
	assert_int_equal(*entry(&m, 0) & (EPT_ACCESSED | EPT_DIRTY), 0);
	assert_true(tlb_holds_page(m.page, &lp, &gfn));
	assert_int_equal(gfn, GPA >> 12);
	assert_false(tlb_in_guest_holds_page(m.page, &lp, &gfn));
	tlb_enter(tlb_of(0), 0x2000);	/* another guest cannot use it */
	assert_false(tlb_in_guest_holds_page(m.page, &lp, &gfn));
	tlb_enter(tlb_of(0), m.ept.tag);
	assert_true(tlb_in_guest_holds_page(m.page, &lp, &gfn));

	/* What is cached is used, until a flush of its tag */
	world_set(*entry(&m, 0), 0);
	tlb_flush(tlb_of(0), 0x2000);
	tlb_flush(tlb_of(1), m.ept.tag);
	assert_int_equal(touch(&m, 0, EPT_WRITE, &w), EPT_OK);
	tlb_flush(tlb_of(0), m.ept.tag);
	assert_int_equal(touch(&m, 0, EPT_WRITE, &w), EPT_VIOLATION);
	assert_int_equal(w.level, 0);
	assert_int_equal(check_count(m.sim), 0);
	sim_free(m.sim);
}

/* The caches of tables are used, too, and a violation drops what led to it */
static void test_tables(void **state)
{
	struct tables m;
	struct ept_walk w;
	u64 table;
	u8 level;

	begin(&m, false, false);
	assert_int_equal(touch(&m, 0, EPT_READ, &w), EPT_OK);
	tlb_drop(tlb_of(0), tlb_find(tlb_of(0), m.ept.tag, GPA >> 12));
	world_set(*entry(&m, 3), 0);
	assert_int_equal(touch(&m, 0, EPT_READ, &w), EPT_OK);
	assert_true(psc_find(tlb_of(0), m.ept.tag, GPA, 3, &level, &table));
	assert_true(level == 0 && table == m.table[0]);
	tlb_drop(tlb_of(0), tlb_find(tlb_of(0), m.ept.tag, GPA >> 12));
	world_set(*entry(&m, 0), 0);
	assert_int_equal(touch(&m, 0, EPT_READ, &w), EPT_VIOLATION);
	assert_false(psc_find(tlb_of(0), m.ept.tag, GPA, 3, &level, &table));
	assert_int_equal(touch(&m, 0, EPT_READ, &w), EPT_VIOLATION);
	assert_int_equal(w.level, 3);
	sim_free(m.sim);
}

/* A write through a translation that is not known to be dirty walks, to set the bit */
static void test_accessed_dirty(void **state)
{
	struct tables m;
	struct ept_walk w;

	begin(&m, true, false);
	assert_int_equal(touch(&m, 0, EPT_READ, &w), EPT_OK);
	for (u8 l = 0; l < 4; l++)
		assert_true(*entry(&m, l) & EPT_ACCESSED);
	assert_false(*entry(&m, 0) & EPT_DIRTY);
	assert_int_equal(touch(&m, 0, EPT_WRITE, &w), EPT_OK);
	assert_true(*entry(&m, 0) & EPT_DIRTY);
	world_set(*entry(&m, 0), m.page | LEAF);
	assert_int_equal(touch(&m, 0, EPT_WRITE, &w), EPT_OK);	/* cached as dirty: no walk */
	assert_false(*entry(&m, 0) & EPT_DIRTY);
	sim_free(m.sim);
}

static void test_permissions(void **state)
{
	struct tables m;
	struct ept_walk w;

	begin(&m, false, false);
	world_set(*entry(&m, 0), m.page | EPT_READ | 6 << 3 | EPT_SUPPRESS_VE);
	assert_int_equal(touch(&m, 0, EPT_READ, &w), EPT_OK);
	assert_int_equal(touch(&m, 0, EPT_WRITE, &w), EPT_VIOLATION);	/* by the TLB */
	assert_int_equal(w.rwx, EPT_READ);
	assert_true(w.entry & EPT_SUPPRESS_VE);
	world_set(*entry(&m, 0), m.page | LEAF);	/* more than before: no flush is needed */
	assert_int_equal(touch(&m, 0, EPT_WRITE, &w), EPT_OK);
	sim_free(m.sim);
}

static void test_misconfigured(void **state)
{
	static const u64 leaf[] = { EPT_WRITE | EPT_EXEC, EPT_RWX | 2 << 3, EPT_RWX | 7 << 3 };
	struct tables m;
	struct ept_walk w;

	begin(&m, false, false);
	for (u32 i = 0; i < 3; i++) {
		world_set(*entry(&m, 0), m.page | leaf[i]);
		assert_int_equal(touch(&m, 0, EPT_READ, &w), EPT_MISCONFIG);
	}
	world_set(*entry(&m, 1), m.page | LEAF | EPT_LARGE);	/* not aligned to 2M */
	assert_int_equal(touch(&m, 0, EPT_READ, &w), EPT_MISCONFIG);
	world_set(*entry(&m, 1), 0x200000 | LEAF | EPT_LARGE);
	assert_int_equal(touch(&m, 0, EPT_READ, &w), EPT_OK);
	assert_int_equal(w.hpa, 0x200000 | (GPA & 0x1ff000) | 0x18);
	assert_int_equal(tlb_find(tlb_of(0), m.ept.tag, (GPA >> 12) + 1)->level, 1);
	sim_free(m.sim);
}

/* Freed, and handed out again: the translation is as dead as before */
static void test_stale(void **state)
{
	struct tables m;
	struct ept_walk w;

	begin(&m, false, false);
	check_tolerate(m.sim, "stale-tlb");
	assert_int_equal(touch(&m, 0, EPT_READ, &w), EPT_OK);
	assert_int_equal(touch(&m, 1, EPT_READ, &w), EPT_OK);
	world_set(*entry(&m, 0), 0);
	page_free(m.page);
	assert_int_equal(page_alloc(), m.page);
	tlb_flush_all(tlb_of(1));
	assert_int_equal(touch(&m, 1, EPT_READ, &w), EPT_VIOLATION);
	assert_int_equal(check_count(m.sim), 0);
	assert_int_equal(touch(&m, 0, EPT_READ, &w), EPT_OK);
	assert_int_equal(check_count(m.sim), 1);
	assert_string_equal(check_at(m.sim, 0)->where, "0x40007");
	sim_free(m.sim);
}

static void guest(void *arg)
{
	struct tables *m = arg;
	struct ept_walk w;

	touch(m, 0, EPT_WRITE, &w);
}

/* Software that ages the page by cmpxchg in between makes the processor walk again */
static void age(void *arg)
{
	struct tables *m = arg;

	for (;;) {
		u64 old = mem_read64(entry(m, 0));

		if (old & EPT_DIRTY)
			return;
		mem_cmpxchg64(entry(m, 0), old, old ^ BIT_ULL(62));
	}
}

static void test_race(void **state)
{
	struct tables m;

	begin(&m, true, true);
	actor_new(m.sim, "guest", 0, guest, &m);
	actor_new(m.sim, "host", 1, age, &m);
	sim_run(m.sim);
	assert_true(*entry(&m, 0) & EPT_DIRTY);
	assert_int_equal(check_count(m.sim), 0);
	sim_free(m.sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_accessed_dirty),
		cmocka_unit_test(test_permissions),
		cmocka_unit_test(test_misconfigured),
		cmocka_unit_test(test_stale),
		cmocka_unit_test(test_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
