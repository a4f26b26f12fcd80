// SPDX-License-Identifier: GPL-2.0-only
/*
 * The four lock kinds against the golden data: the truth table of every primitive
 * (lock_vectors.csv) and the atomic operations of every branch (atomic_steps.csv), the two
 * branches that only a race takes and the PAMT walks included.
 */
#include "tests/tdxmod/common.h"

#include <stdlib.h>
#include <string.h>

#include "tdxmod/epoch.h"
#include "tdxmod/status.h"

static u64 run(const char *lock, const char *op, const char *side, void *w)
{
	enum lock_side s = strcmp(side, "guest") ? SIDE_HOST : SIDE_GUEST;

	if (!strcmp(lock, "mutex")) {
		if (!strcmp(op, "acquire"))
			return mutex8_acquire(w, "l");
		mutex8_release(w, "l");
	} else if (!strcmp(lock, "sharex")) {
		if (!strcmp(op, "acquire_sh"))
			return sharex_acquire_sh(w, "l");
		if (!strcmp(op, "acquire_ex"))
			return sharex_acquire_ex(w, "l");
		if (!strcmp(op, "promote"))
			return sharex_promote(w, "l");
		if (!strcmp(op, "release_sh"))
			sharex_release_sh(w, "l");
		else if (!strcmp(op, "release_ex"))
			sharex_release_ex(w, "l");
		else
			sharex_demote(w, "l");
	} else if (!strcmp(lock, "sharex_hp")) {
		if (!strcmp(op, "acquire_sh"))
			return sharex_hp_acquire_sh(w, s, "l");
		if (!strcmp(op, "acquire_ex"))
			return sharex_hp_acquire_ex(w, s, "l");
		if (!strcmp(op, "promote"))
			return sharex_hp_promote(w, "l");
		if (!strcmp(op, "release_sh"))
			sharex_hp_release_sh(w, "l");
		else
			sharex_hp_release_ex(w, "l");
	} else {
		if (!strcmp(op, "acquire"))
			return s == SIDE_GUEST ? sept_lock_guest(w) : sept_lock_host(w);
		sept_unlock(w);
	}
	return TDX_SUCCESS;
}

static const char *result_name(u64 status, bool fatal)
{
	if (fatal)
		return "FATAL";
	switch (status) {
	case TDX_SUCCESS:
		return "SUCCESS";
	case TDX_OPERAND_BUSY:
		return "OPERAND_BUSY";
	case TDX_OPERAND_BUSY_HOST_PRIORITY:
		return "OPERAND_BUSY_HOST_PRIORITY";
	default:
		return "?";
	}
}

/* The plain kinds say FAIL where the host-priority kinds say OPERAND_BUSY */
static bool same_result(const char *want, const char *got)
{
	return !strcmp(want, got) || (!strcmp(want, "FAIL") && !strcmp(got, "OPERAND_BUSY"));
}

static void test_vectors(void **state)
{
	struct sim *sim = test_sim();
	g_autoptr(GPtrArray) rows = test_csv("lock_vectors.csv");
	u64 *w = world_alloc(64);

	check_tolerate(sim, "module-fatal");
	for (u32 i = 1; i < rows->len; i++) {
		char **f = rows->pdata[i];
		u32 before = check_count(sim);
		u64 status;

		world_set(*w, strtoull(f[3], NULL, 16));
		status = run(f[0], f[1], f[2], w);
		if (*w != strtoull(f[4], NULL, 16) ||
		    !same_result(f[5], result_name(status, check_count(sim) > before)))
			fail_msg("row %u: %s %s %s %s: got 0x%llx %s", i + 1, f[0], f[1], f[2], f[3],
				 (unsigned long long)*w,
				 result_name(status, check_count(sim) > before));
	}
	assert_int_equal(rows->len - 1, 392);
	sim_free(sim);
}

/* What the word holds when a path of atomic_steps.csv begins; then what a racer puts there */
static const struct path {
	const char *lock, *op, *side, *path;
	u64 word;
	u64 raced;		/* after the first step; 0: nobody races */
} paths[] = {
	{ "mutex", "acquire", "-", "free", 0 },
	{ "mutex", "acquire", "-", "taken", 1 },
	{ "mutex", "release", "-", "held", 1 },
	{ "mutex", "release", "-", "not_held", 0 },
	{ "sharex", "acquire_sh", "-", "no_writer", 4 },
	{ "sharex", "acquire_sh", "-", "writer_present", 1 },
	{ "sharex", "acquire_sh", "-", "counter_overflow(old==0xFFFE)", 0xfffe },
	{ "sharex", "acquire_ex", "-", "free", 0 },
	{ "sharex", "acquire_ex", "-", "busy", 2 },
	{ "sharex", "release_sh", "-", "ok", 2 },
	{ "sharex", "release_sh", "-", "bad", 1 },
	{ "sharex", "release_ex", "-", "ok", 5 },
	{ "sharex", "release_ex", "-", "bad", 4 },
	{ "sharex", "promote", "-", "single_reader", 2 },
	{ "sharex", "promote", "-", "more_readers", 4 },
	{ "sharex", "promote", "-", "exclusive_or_free", 1 },
	{ "sharex", "demote", "-", "ok", 3 },
	{ "sharex", "demote", "-", "bad", 2 },
	{ "sharex_hp", "acquire_sh", "guest", "no_hp_no_ex", 4 },
	{ "sharex_hp", "acquire_sh", "guest", "host_prio_set(any exclusive)", 3 },
	{ "sharex_hp", "acquire_sh", "guest", "exclusive_no_hp", 1 },
	{ "sharex_hp", "acquire_sh", "guest", "counter_overflow(old.counter==0x3FFF;no hp;no ex)",
	  0xfffc },
	{ "sharex_hp", "acquire_sh", "host", "no_hp_no_ex", 4 },
	{ "sharex_hp", "acquire_sh", "host", "exclusive", 1 },
	{ "sharex_hp", "acquire_sh", "host", "hp_set_no_ex", 6 },
	{ "sharex_hp", "acquire_sh", "host", "counter_overflow(old.counter==0x3FFF;no ex;no hp)",
	  0xfffc },
	{ "sharex_hp", "acquire_sh", "host", "counter_overflow(old.counter==0x3FFF;no ex;hp)",
	  0xfffe },
	{ "sharex_hp", "acquire_ex", "guest|host", "free(raw==0)", 0 },
	{ "sharex_hp", "acquire_ex", "guest", "only_hp(raw==0x0002)", 2 },
	{ "sharex_hp", "acquire_ex", "guest", "busy(other)", 6 },
	{ "sharex_hp", "acquire_ex", "host", "only_hp(raw==0x0002)", 2 },
	{ "sharex_hp", "acquire_ex", "host", "only_hp_then_race", 2, 4 },
	{ "sharex_hp", "acquire_ex", "host", "busy(other)", 4 },
	{ "sharex_hp", "release_sh", "-", "ok", 6 },
	{ "sharex_hp", "release_sh", "-", "bad", 1 },
	{ "sharex_hp", "release_ex", "-", "ok", 7 },
	{ "sharex_hp", "release_ex", "-", "bad", 4 },
	{ "sharex_hp", "promote", "host", "single_reader(raw==0x0004)", 4 },
	{ "sharex_hp", "promote", "host", "single_reader_hp(raw==0x0006)", 6 },
	{ "sharex_hp", "promote", "host", "single_reader_hp_then_race", 6, 0xa },
	{ "sharex_hp", "promote", "host", "busy(other readers)", 8 },
	{ "sharex_hp", "promote", "host", "exclusive_or_free", 1 },
	{ "sept", "acquire", "host", "free", 0x80e0000000000000 },
	{ "sept", "acquire", "host", "contended", 0x80e0000000000800 },
	{ "sept", "acquire", "guest", "free_no_hp", 0x80e0000000000000 },
	{ "sept", "acquire", "guest", "free_hp", 0x80f0000000000000 },
	{ "sept", "acquire", "guest", "contended", 0x80f0000000000800 },
	{ "sept", "release", "-", "held", 0x80f0000000000800 },
	{ "sept", "release", "-", "not_held", 0x80f0000000000000 },
};

static const struct path *path_of(char **f)
{
	for (u32 i = 0; i < ARRAY_SIZE(paths); i++) {
		const struct path *p = &paths[i];

		if (!strcmp(p->lock, f[0]) && !strcmp(p->op, f[1]) && !strcmp(p->side, f[2]) &&
		    !strcmp(p->path, f[3]))
			return p;
	}
	return NULL;
}

static u64 number(const char *text, const char *after)
{
	const char *p = strstr(text, after);

	assert_non_null(p);
	return strtoull(p + strlen(after), NULL, 0);
}

/* One recorded step against "lock xadd16" and "+4 (counter+1)" */
static void check_step(const struct event *ev, char **f)
{
	static const char *const ops[] = {
		[MEM_READ] = "plain read", [MEM_CMPXCHG] = "lock cmpxchg",
		[MEM_XADD] = "lock xadd", [MEM_XCHG] = "xchg", [MEM_AND] = "lock and",
		[MEM_OR] = "lock or", [MEM_BTS] = "lock bts", [MEM_BTR] = "lock btr",
	};
	g_autofree char *op = g_strdup_printf("%s%u", ops[ev->op], ev->size * 8);
	u64 mask = ev->size == 8 ? ~0ull : BIT_ULL(ev->size * 8) - 1, from, to;

	assert_string_equal(op, f[5]);
	switch (ev->op) {
	case MEM_XADD:
		assert_int_equal((ev->value - ev->old) & mask, strtoll(f[6], NULL, 10) & (s64)mask);
		break;
	case MEM_CMPXCHG:
		from = number(f[6], "expect ");
		to = number(f[6], "-> ");
		assert_int_equal(ev->value, ev->old == from ? to : ev->old);
		break;
	case MEM_XCHG:
		assert_int_equal(ev->value, number(f[6], "-> "));
		break;
	case MEM_OR:
		assert_int_equal(ev->value, ev->old | number(f[6], "|= "));
		break;
	case MEM_AND:
		if (strstr(f[6], "~"))
			assert_int_equal(ev->value, ev->old & ~number(f[6], "~"));
		else
			assert_int_equal(ev->value, ev->old & number(f[6], "&= "));
		break;
	case MEM_BTS:
		assert_int_equal(ev->value, ev->old | BIT_ULL(number(f[6], "bit ")));
		break;
	case MEM_BTR:
		assert_int_equal(ev->value, ev->old & ~BIT_ULL(number(f[6], "bit ")));
		break;
	default:
		assert_int_equal(ev->value, ev->old);
		break;
	}
}

/* The racer: between the first and the second step */
static void race(struct record *rec, const struct event *ev)
{
	const struct path *p = rec->ctx;
	u32 steps = 0;

	for (u32 i = 0; i < rec->events->len; i++)
		steps += g_array_index(rec->events, struct event, i).type == EV_STEP;
	if (p->raced && ev->type == EV_STEP && steps == 1)
		world_set(*(u16 *)ev->p, (u16)p->raced);
}

/* Rows [first, end) are one path; on each side that it is for */
static void check_path(struct sim *sim, GPtrArray *rows, u32 first, u32 end, const char *side)
{
	char **f = rows->pdata[first], **last = rows->pdata[end - 1];
	const struct path *p = path_of(f);
	struct record rec = { .hook = race, .ctx = (void *)p };
	u32 before = check_count(sim), row = first;
	u64 *w = world_alloc(64), status;
	char *want = last[7];

	if (!p)
		fail_msg("no path for %s %s %s %s", f[0], f[1], f[2], f[3]);
	world_set(*w, p->word);
	record_start(sim, &rec);
	status = run(f[0], f[1], side, w);
	for (u32 i = 0; i < rec.events->len; i++) {
		const struct event *ev = &g_array_index(rec.events, struct event, i);

		if (ev->type != EV_STEP)
			continue;
		assert_true(row < end - 1);
		check_step(ev, rows->pdata[row++]);
	}
	assert_int_equal(row, end - 1);
	assert_string_equal(last[5], "return");
	if (!strncmp(want, "FATAL", 5))
		assert_true(check_count(sim) > before);
	else
		assert_true(same_result(want, result_name(status, false)) &&
			    check_count(sim) == before);
	record_stop(sim, &rec);
	world_free(w, 64);
}

static void test_steps(void **state)
{
	struct sim *sim = test_sim();
	g_autoptr(GPtrArray) rows = test_csv("atomic_steps.csv");
	u32 done = 0;

	check_tolerate(sim, "module-fatal");
	for (u32 i = 1, end; i < rows->len; i = end) {
		char **f = rows->pdata[i];

		for (end = i + 1; end < rows->len; end++) {
			if (atoi(((char **)rows->pdata[end])[4]) == 1)
				break;
		}
		/* test_composites; the last two are no step of memory: sept.c's values */
		if (!strcmp(f[0], "pamt") || !strcmp(f[0], "td_epoch") ||
		    !strcmp(f[1], "release_local") || !strcmp(f[1], "write_entry"))
			continue;
		if (strcmp(f[2], "guest|host")) {
			check_path(sim, rows, i, end, f[2]);
		} else {
			check_path(sim, rows, i, end, "guest");
			check_path(sim, rows, i, end, "host");
		}
		done++;
	}
	assert_int_equal(done, ARRAY_SIZE(paths));
	sim_free(sim);
}

/* "acquire_sh PAMT_1G", "plain read PAMT_1G.PT" ... as the composites' rows write them */
static void composite(struct record *rec, GString *out)
{
	const struct module *mod = module_self();

	for (u32 i = 0; i < rec->events->len; i++) {
		const struct event *ev = &g_array_index(rec->events, struct event, i);
		const struct event *step = i ? ev - 1 : ev;
		const char *mode = ev->detail && !strcmp(ev->detail, "exclusive") ? "ex" : "sh";
		bool promote = mode[0] == 'e' && g_strrstr(out->str, ev->name ? ev->name : "") &&
			       (ev->name && strcmp(ev->name, "PAMT_4K"));
		u64 at = (u64)ev->p - (u64)mod->pamt_1g;

		if (ev->type == EV_STEP && ev->op == MEM_READ && ev->size == 1)
			g_string_append_printf(out, "plain read %s.PT\n",
					       at < 64 ? "PAMT_1G" : "PAMT_2M");
		else if (ev->type == EV_LOCK || ev->type == EV_BUSY)
			g_string_append_printf(out, "sharex_hp.%s%s %s\n",
					       promote ? "promote" : "acquire_",
					       promote ? "" : mode, ev->name);
		else if (ev->type == EV_UNLOCK)
			g_string_append_printf(out, "sharex_hp.release_%s %s\n",
					       step->op == MEM_AND ? "ex" : "sh", ev->name);
	}
}

static void expect_composite(struct record *rec, const char *want)
{
	g_autoptr(GString) got = g_string_new(NULL);

	composite(rec, got);
	assert_string_equal(got->str, want);
	g_array_set_size(rec->events, 0);
}

static void test_composites(void **state)
{
	struct sim *sim = test_sim();
	struct pamt_walk w, v;
	struct record rec = { 0 };
	struct test_td td;
	struct module *mod;
	u64 err;

	test_td(sim, &(struct test_setup){ 0 }, &td);
	mod = module_self();
	record_start(sim, &rec);

	assert_int_equal(pamt_walk_lock(mod, &w, 0x400000, SIZE_4K, LOCK_EXCLUSIVE, NULL), 0);
	expect_composite(&rec, "sharex_hp.acquire_sh PAMT_1G\nplain read PAMT_1G.PT\n"
			 "sharex_hp.acquire_sh PAMT_2M\nplain read PAMT_2M.PT\n"
			 "sharex_hp.acquire_ex PAMT_4K\n");

	err = pamt_walk_lock(mod, &v, 0x400000, SIZE_4K, LOCK_SHARED, NULL);
	assert_int_equal(err, TDX_OPERAND_BUSY);
	expect_composite(&rec, "sharex_hp.acquire_sh PAMT_1G\nplain read PAMT_1G.PT\n"
			 "sharex_hp.acquire_sh PAMT_2M\nplain read PAMT_2M.PT\n"
			 "sharex_hp.acquire_sh PAMT_4K\n"
			 "sharex_hp.release_sh PAMT_2M\nsharex_hp.release_sh PAMT_1G\n");
	assert_int_equal(w.leaf->lock, 0x7);	/* HP set, the reader leaked */

	err = pamt_walk_lock(mod, &v, 0x400000, SIZE_2M, LOCK_EXCLUSIVE, NULL);
	assert_int_equal(err, TDX_OPERAND_BUSY);
	expect_composite(&rec, "sharex_hp.acquire_sh PAMT_1G\nplain read PAMT_1G.PT\n"
			 "sharex_hp.acquire_sh PAMT_2M\nplain read PAMT_2M.PT\n"
			 "sharex_hp.promote PAMT_2M\n"
			 "sharex_hp.release_sh PAMT_2M\nsharex_hp.release_sh PAMT_1G\n");

	pamt_unwalk(mod, &w);
	expect_composite(&rec, "sharex_hp.release_ex PAMT_4K\nsharex_hp.release_sh PAMT_2M\n"
			 "sharex_hp.release_sh PAMT_1G\n");

	assert_int_equal(pamt_walk_lock(mod, &w, 0x600000, SIZE_2M, LOCK_EXCLUSIVE, NULL), 0);
	expect_composite(&rec, "sharex_hp.acquire_sh PAMT_1G\nplain read PAMT_1G.PT\n"
			 "sharex_hp.acquire_sh PAMT_2M\nplain read PAMT_2M.PT\n"
			 "sharex_hp.promote PAMT_2M\n");
	pamt_unwalk(mod, &w);
	expect_composite(&rec, "sharex_hp.release_ex PAMT_2M\nsharex_hp.release_sh PAMT_1G\n");

	record_stop(sim, &rec);
	sim_free(sim);
}

/* is_tlb_tracked(): one 16-byte locked read; then (BEPOCH, epoch, counts) decide */
static void test_tracked(void **state)
{
	struct sim *sim = test_sim();
	struct record rec = { 0 };
	const struct event *ev;
	struct test_td td;
	struct tdcs *tdcs;

	test_td(sim, &(struct test_setup){ 0 }, &td);
	tdcs = td_tdcs(tdr_at(td.tdr));
	world_set(tdcs->epoch.td_epoch, 5);
	world_set(tdcs->epoch.refcount[0], 1);
	record_start(sim, &rec);
	assert_int_equal(epoch_check_tracked(tdcs, 4), TDX_TLB_TRACKING_NOT_DONE); /* one is in 4 */
	assert_int_equal(rec.events->len, 1);
	ev = &g_array_index(rec.events, struct event, 0);
	assert_true(ev->type == EV_STEP && ev->op == MEM_CMPXCHG && ev->size == 16 &&
		    ev->p == &tdcs->epoch && ev->old == ev->value);
	assert_int_equal(epoch_check_tracked(tdcs, 3), TDX_SUCCESS);	/* two epochs ago: always */
	assert_int_equal(epoch_check_tracked(tdcs, 5), TDX_TLB_TRACKING_NOT_DONE);
	assert_int_equal(epoch_check_tracked(tdcs, 6), TDX_TLB_TRACKING_NOT_DONE);
	g_array_set_size(rec.events, 0);
	assert_int_equal(epoch_check_tracked(tdcs, BIT_ULL(63)), TDX_TLB_TRACKING_NOT_DONE);
	assert_int_equal(rec.events->len, 0);		/* the flag is looked at first */
	world_set(tdcs->epoch.refcount[0], 0);
	assert_int_equal(epoch_check_tracked(tdcs, 4), TDX_SUCCESS);
	record_stop(sim, &rec);
	sim_free(sim);
}

/* --- module-fatal ------------------------------------------------------------------------ */

/* What no correct caller does, one of each kind of lock */
static void module_fatal_fires(void **state)
{
	struct sim *sim = test_sim();
	u16 *l = world_alloc(64);
	u64 *entry = world_alloc(64);
	u8 *m = world_alloc(64);

	check_tolerate(sim, "module-fatal");
	mutex8_release(m, "RTMR");
	assert_int_equal(check_count(sim), 1);
	sharex_release_sh(l, "SEPT_TREE");
	assert_int_equal(check_count(sim), 2);
	world_set(*l, 0);
	sharex_hp_release_ex(l, "TDR");
	assert_int_equal(check_count(sim), 3);
	sept_unlock(entry);
	assert_int_equal(check_count(sim), 4);
	for (u32 i = 0; i < 4; i++)
		assert_string_equal(check_at(sim, i)->id, "module-fatal");
	assert_string_equal(check_at(sim, 2)->where, "TDR");
	sim_free(sim);
}

static void module_fatal_silent(void **state)
{
	struct sim *sim = test_sim();
	u16 *l = world_alloc(64);
	u64 *entry = world_alloc(64);
	u8 *m = world_alloc(64);

	assert_int_equal(mutex8_acquire(m, "RTMR"), TDX_SUCCESS);
	mutex8_release(m, "RTMR");
	assert_int_equal(sharex_acquire_sh(l, "SEPT_TREE"), TDX_SUCCESS);
	sharex_release_sh(l, "SEPT_TREE");
	assert_int_equal(sharex_hp_acquire_ex(l, SIDE_HOST, "TDR"), TDX_SUCCESS);
	sharex_hp_release_ex(l, "TDR");
	assert_int_equal(sept_lock_host(entry), TDX_SUCCESS);
	sept_unlock(entry);
	assert_int_equal(check_count(sim), 0);
	sim_free(sim);
}

/*
 * Refused readers leave their counts behind for a writer's release to wipe: the word says
 * more readers than there are, and no check of the module minds.
 */
static void module_fatal_legal(void **state)
{
	struct sim *sim = test_sim();
	u16 *l = world_alloc(64);

	assert_int_equal(sharex_acquire_ex(l, "SEPT_TREE"), TDX_SUCCESS);
	assert_int_equal(sharex_acquire_sh(l, "SEPT_TREE"), TDX_OPERAND_BUSY);
	assert_int_equal(*l, SHAREX_EX | SHAREX_ONE);
	sharex_release_ex(l, "SEPT_TREE");
	assert_int_equal(*l, 0);

	assert_int_equal(sharex_hp_acquire_ex(l, SIDE_GUEST, "TDR"), TDX_SUCCESS);
	assert_int_equal(sharex_hp_acquire_sh(l, SIDE_HOST, "TDR"), TDX_OPERAND_BUSY);
	assert_int_equal(*l, SHAREX_HP_EX | SHAREX_HP_HP | SHAREX_HP_ONE);
	sharex_hp_release_ex(l, "TDR");
	assert_int_equal(*l, SHAREX_HP_HP);
	assert_int_equal(sharex_hp_acquire_sh(l, SIDE_HOST, "TDR"), TDX_SUCCESS);
	sharex_hp_release_sh(l, "TDR");
	assert_int_equal(*l, 0);
	assert_int_equal(check_count(sim), 0);
	sim_free(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_composites),
		cmocka_unit_test(test_tracked),
		cmocka_unit_test(module_fatal_fires),
		cmocka_unit_test(module_fatal_silent),
		cmocka_unit_test(module_fatal_legal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
