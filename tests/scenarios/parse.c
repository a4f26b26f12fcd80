// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scenario language: what good text becomes. Rests on docs/language.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "tests/scenarios/texts.h"

static struct scenario_case *case_at(struct scenario *sc, unsigned int i)
{
	assert_true(i < scenario_cases(sc)->len);
	return g_ptr_array_index(scenario_cases(sc), i);
}

static struct scn_op *op_at(struct scn_actor *a, unsigned int i)
{
	assert_non_null(a);
	assert_true(i < a->ops->len);
	return g_ptr_array_index(a->ops, i);
}

static struct scn_cell *row_at(struct scenario_case *c, unsigned int i)
{
	assert_true(i < c->schedule.rows->len);
	return g_ptr_array_index(c->schedule.rows, i);
}

static struct scn_expect *expect_at(struct scenario_case *c, unsigned int i)
{
	assert_true(i < c->expects->len);
	return g_ptr_array_index(c->expects, i);
}

/* --- numbers and parameters --- */

static void test_ranges(void **state)
{
	struct scenario *sc = parse("param A = 0x10\ntd memory=16M\n"
				    "actor z\n"
				    "    zap 0x10\n"
				    "    zap 0x10..0x20\n"
				    "    zap $A+4*2\n"
				    "    zap ($A+1)..($A + 3)\n"
				    "    zap 2K\n"
				    "    compute (1 + 2) * 3 - 10/5\n");
	struct scn_actor *z = scenario_actor(case_at(sc, 0), "z");
	static const guint64 want[][2] = {
		{ 0x10, 0x11 }, { 0x10, 0x20 }, { 0x10, 0x18 }, { 0x11, 0x13 }, { 2048, 2049 },
	};
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(want); i++) {
		assert_int_equal(op_at(z, i)->range.start, want[i][0]);
		assert_int_equal(op_at(z, i)->range.end, want[i][1]);
	}
	assert_int_equal(op_at(z, 5)->cycles, 7);
	assert_string_equal(op_at(z, 3)->text, "zap (0x10+1)..(0x10 + 3)");
	assert_int_equal(op_at(z, 2)->loc.line, 6);
	assert_int_equal(op_at(z, 2)->loc.col, 5);
	scenario_free(sc);
}

static void test_params(void **state)
{
	static const char text[] = "td vcpus=$N\n"
				   "actor z\n"
				   "    compute $TWICE * 2\n"
				   "param TWICE = $N + $N\n"
				   "param N = 3\n"
				   "param MODE = shared\n"
				   "case a\n"
				   "    param N = 5\n"
				   "    actor y\n"
				   "        acquire SEPT_TREE $MODE\n"
				   "case b\n";
	GHashTable *defines = g_hash_table_new(g_str_hash, g_str_equal);
	struct scenario *sc = parse(text);
	char *said;

	assert_int_equal(op_at(scenario_actor(case_at(sc, 0), "z"), 0)->cycles, 20);
	assert_int_equal(op_at(scenario_actor(case_at(sc, 0), "y"), 0)->lock.mode,
			 SCN_LOCK_MODE_SHARED);
	assert_int_equal(op_at(scenario_actor(case_at(sc, 1), "z"), 0)->cycles, 12);
	assert_null(scenario_actor(case_at(sc, 1), "y"));
	scenario_free(sc);

	/* -D wins over the file and over the case */
	g_hash_table_insert(defines, "N", "4 + 3");
	sc = parse_with(text, defines);
	assert_non_null(sc);
	assert_int_equal(op_at(scenario_actor(case_at(sc, 0), "z"), 0)->cycles, 28);
	assert_int_equal(((struct scn_td *)case_at(sc, 1)->tds->pdata[0])->vcpus, 7);
	scenario_free(sc);

	g_hash_table_insert(defines, "NN", "1");
	said = complaints(text, defines);
	assert_non_null(strstr(said, "-D NN: t.scn has no such param"));
	g_free(said);
	g_hash_table_destroy(defines);
}

static void test_many(void **state)
{
	struct scenario *sc = parse("td vcpus=4\n"
				    "guest vCPU[1..3]\n"
				    "    access 0x10 + $i, 0x20 write\n"
				    "init\n"
				    "    vCPU[*]: fault 0x30 + $i*2\n"
				    "case one\n"
				    "    guest vCPU2\n"
				    "        halt\n"
				    "case two\n"
				    "    drop vCPU[0..2]\n");
	struct scenario_case *c = case_at(sc, 0);
	struct scn_actor *a;
	struct scn_cell *cell = g_ptr_array_index(c->init, 3);

	assert_int_equal(c->actors->len, 4);
	assert_int_equal(c->init->len, 4);
	assert_int_equal(cell->actor, 3);
	assert_int_equal(cell->op->range.start, 0x36);
	a = scenario_actor(c, "vCPU1");
	assert_int_equal(g_array_index(((struct scn_op *)a->guest->ops->pdata[0])->gfns,
				       guint64, 0), 0x11);
	assert_int_equal(((struct scn_op *)a->guest->ops->pdata[0])->gfns->len, 2);
	assert_int_equal(((struct scn_op *)a->guest->ops->pdata[0])->access, SCN_ACCESS_WRITE);
	assert_null(scenario_actor(c, "vCPU3")->guest);
	a = scenario_actor(c, "vCPU2");
	assert_int_equal(((struct scn_op *)a->guest->ops->pdata[0])->word->code, SCN_OP_HALT);

	c = case_at(sc, 1);
	assert_int_equal(c->actors->len, 2);
	assert_string_equal(((struct scn_actor *)c->actors->pdata[0])->name, "vCPU2");
	assert_int_equal(c->init->len, 2);
	assert_int_equal(((struct scn_cell *)c->init->pdata[0])->actor, 0);
	assert_int_equal(c->dropped->len, 2);
	scenario_free(sc);
}

/* --- actors and LPs --- */

static void test_lps(void **state)
{
	struct scenario *sc = parse("td vcpus=2 lps=6\n"
				    "actor a\n    kick\n"
				    "actor b lp2\n    kick\n"
				    "actor c\n    kick\n"
				    "actor vCPU0 lp4\n    run\n"
				    "case all\n"
				    "case control\n    drop a b\n");
	struct scenario_case *c = case_at(sc, 0);

	assert_int_equal(scenario_actor(c, "vCPU0")->lp, 4);
	assert_int_equal(scenario_actor(c, "a")->lp, 3);
	assert_int_equal(scenario_actor(c, "b")->lp, 2);
	assert_int_equal(scenario_actor(c, "c")->lp, 5);
	/* the control has the same machine */
	assert_int_equal(scenario_actor(case_at(sc, 1), "c")->lp, 5);
	scenario_free(sc);

	sc = parse("td vcpus=3\nactor a\n    migrate vCPU1 lp7\n");
	c = case_at(sc, 0);
	assert_int_equal(scenario_actor(c, "a")->lp, 3);
	assert_int_equal(((struct scn_td *)c->tds->pdata[0])->lps, 8);
	assert_int_equal(op_at(scenario_actor(c, "a"), 0)->actor.index, -1);
	assert_int_equal(op_at(scenario_actor(c, "a"), 0)->actor.vcpu, 1);
	scenario_free(sc);
}

static void test_runs_alone(void **state)
{
	struct scenario *sc = parse("td vcpus=3\n"
				    "guest vCPU[*]\n    access 0x10\n"
				    "actor vCPU1\n    repeat 2\n        run\n    end\n"
				    "init\n    vCPU2: run .. enter\n    vCPU0: fault 0x11\n"
				    "schedule\n    vCPU0\n    .. enter\n");
	struct scenario_case *c = case_at(sc, 0);

	assert_true(scenario_actor(c, "vCPU0")->runs_alone);
	assert_false(scenario_actor(c, "vCPU1")->runs_alone);
	assert_false(scenario_actor(c, "vCPU2")->runs_alone);
	scenario_free(sc);
}

static void test_repeat(void **state)
{
	struct scenario *sc = parse("actor z\n"
				    "    repeat 2\n"
				    "        kick\n"
				    "        repeat inf\n"
				    "            track\n"
				    "        end\n"
				    "    end\n"
				    "    kick\n");
	struct scn_actor *z = scenario_actor(case_at(sc, 0), "z");
	struct scn_op *outer = op_at(z, 0), *inner;

	assert_int_equal(z->ops->len, 2);
	assert_int_equal(outer->count, 2);
	assert_int_equal(outer->body->len, 2);
	inner = g_ptr_array_index(outer->body, 1);
	assert_true(inner->count == SCN_RETRY_INF);
	assert_int_equal(((struct scn_op *)inner->body->pdata[0])->word->code, SCN_OP_TRACK);
	scenario_free(sc);
}

/* --- schedule and conditions --- */

static void test_table(void **state)
{
	char *path = tree_path("good", "mail-table.scn");
	struct diag *d = diag_new();
	struct scenario *sc = scenario_parse_file(path, NULL, &test_vocab, d);
	struct scenario_case *c;
	struct scn_cond *cond;

	assert_non_null(sc);
	assert_string_equal(sc->name, "mail-table");
	c = case_at(sc, 0);
	assert_int_equal(c->schedule.columns->len, 3);
	assert_int_equal(c->schedule.rows->len, 5);
	cond = row_at(c, 0)->until;
	assert_int_equal(cond->kind, SCN_COND_RETURN);
	assert_true(cond->before);
	assert_true(cond->has_arg);
	assert_int_equal(cond->arg.num, 0x10);
	assert_int_equal(cond->count, 2);
	assert_string_equal(cond->status.status, "OPERAND_BUSY");
	assert_string_equal(cond->status.operand, "SEPT_TREE");
	assert_int_equal(row_at(c, 1)->actor, 1);
	assert_int_equal(row_at(c, 1)->until->kind, SCN_COND_READS);
	assert_int_equal(row_at(c, 2)->actor, 2);
	assert_string_equal(row_at(c, 2)->text, "zap 0x10 .. blocked");
	assert_null(row_at(c, 3)->op);
	assert_int_equal(row_at(c, 3)->until->cmp, SCN_CMP_NE);
	assert_string_equal(row_at(c, 3)->until->value.word, "FROZEN");
	assert_int_equal(row_at(c, 4)->actor, 1);
	assert_int_equal(row_at(c, 4)->until->kind, SCN_COND_END);
	scenario_free(sc);
	diag_free(d);
	g_free(path);
}

static struct scn_cond *cond_of(struct scenario *sc, unsigned int row)
{
	return row_at(case_at(sc, 0), row)->until;
}

static void test_conditions(void **state)
{
	struct scenario *sc = parse("td vcpus=2\n"
				    "schedule\n"
				    "    vCPU0\n"
				    "    fault 0x10 .. sept[0x200]@2M = PENDING\n"
				    "    .. TDVPS[vCPU1].state = 2 + 3\n"
				    "    .. TDCS.epoch changes\n"
				    "    .. lock TDR exclusive guest x3\n"
				    "    .. busy PAMT[4M]@2M\n"
				    "    .. return TDH.VP.ENTER(vCPU1)\n"
				    "    .. kick acked\n");
	struct scn_cond *c = cond_of(sc, 0);

	assert_int_equal(c->kind, SCN_COND_VALUE);
	assert_string_equal(c->region.text, "sept[0x200]@2M");
	assert_int_equal(c->region.level, SCN_LEVEL_2M);
	assert_int_equal(c->region.index.num, 0x200);
	assert_string_equal(c->text, "sept[0x200]@2M = PENDING");
	c = cond_of(sc, 1);
	assert_string_equal(c->region.name, "TDVPS");
	assert_string_equal(c->region.field, "state");
	assert_string_equal(c->region.index.word, "vCPU1");
	assert_int_equal(c->region.index.num, 1);
	assert_null(c->value.word);
	assert_int_equal(c->value.num, 5);
	c = cond_of(sc, 2);
	assert_int_equal(c->kind, SCN_COND_CHANGES);
	assert_string_equal(c->region.name, "TDCS");
	assert_string_equal(c->region.field, "epoch");
	assert_false(c->region.indexed);
	c = cond_of(sc, 3);
	assert_int_equal(c->kind, SCN_COND_LOCK);
	assert_int_equal(c->lock.mode, SCN_LOCK_MODE_EXCLUSIVE);
	assert_int_equal(c->lock.side, SCN_LOCK_SIDE_GUEST);
	assert_int_equal(c->count, 3);
	c = cond_of(sc, 4);
	assert_int_equal(c->kind, SCN_COND_BUSY);
	assert_int_equal(c->lock.region.index.num, 4 << 20);
	assert_int_equal(c->lock.mode, SCN_LOCK_MODE_ANY);
	c = cond_of(sc, 5);
	assert_string_equal(c->leaf, "TDH.VP.ENTER");
	assert_string_equal(c->arg.word, "vCPU1");
	assert_null(c->status.status);
	assert_int_equal(cond_of(sc, 6)->kind, SCN_COND_KICK_ACKED);
	scenario_free(sc);
}

/* --- cases --- */

static void test_cases(void **state)
{
	char *path = tree_path("good", "cases.scn");
	struct diag *d = diag_new();
	struct scenario *sc = scenario_parse_file(path, NULL, &test_vocab, d);
	struct scenario_case *c;

	assert_non_null(sc);
	assert_int_equal(scenario_cases(sc)->len, 4);
	assert_string_equal(sc->title, "one table, three endings");
	c = case_at(sc, 0);
	assert_string_equal(c->name, "as-is");
	assert_string_equal(c->title, "one table, three endings");
	assert_int_equal(row_at(c, 0)->op->range.start, 0x10);
	assert_int_equal(c->limit.steps, 1000);
	assert_int_equal(expect_at(c, 0)->kind, SCN_EXPECT_OK);

	c = case_at(sc, 1);
	assert_string_equal(c->title, "another page");
	assert_string_equal(c->policy.name, "resume-guest");
	assert_int_equal(row_at(c, 0)->op->range.start, 0x20);
	assert_int_equal(c->expects->len, 2);
	assert_int_equal(c->limit.steps, 2000);

	c = case_at(sc, 2);
	assert_string_equal(c->variant.kvm, "v6.16");
	assert_int_equal(c->variant.switches->len, 1);
	assert_int_equal(c->schedule.rows->len, 2);
	assert_int_equal(op_at(scenario_actor(c, "signaller"), 0)->word->code, SCN_OP_COMPUTE);
	assert_int_equal(c->tolerate->len, 1);

	c = case_at(sc, 3);
	assert_string_equal(c->variant.kvm, "v7.2");
	assert_int_equal(c->actors->len, 1);
	assert_int_equal(c->schedule.columns->len, 1);
	assert_int_equal(c->schedule.rows->len, 1);
	assert_int_equal(c->tolerate->len, 0);
	scenario_free(sc);
	diag_free(d);
	g_free(path);
}

static void test_defaults(void **state)
{
	struct scenario *sc = parse("init\n    vCPU0: fault 0x10\n");
	struct scenario_case *c = case_at(sc, 0);
	struct scn_td *td = g_ptr_array_index(c->tds, 0);

	assert_string_equal(c->name, "");
	assert_string_equal(td->name, "");
	assert_int_equal(td->type, SCN_TD_TYPE_TDX);
	assert_int_equal(td->state, SCN_TD_STATE_RUNNABLE);
	assert_int_equal(td->vcpus, 1);
	assert_int_equal(td->lps, 1);
	assert_int_equal(td->packages, 1);
	assert_int_equal(td->max_level, SCN_LEVEL_4K);
	assert_false(td->pve);
	assert_null(c->variant.kvm);
	assert_null(c->policy.name);
	assert_int_equal(c->limit.progress, SCN_PROGRESS_ALL);
	assert_int_equal(c->expects->len, 1);
	assert_int_equal(expect_at(c, 0)->kind, SCN_EXPECT_OK);
	assert_int_equal(c->schedule.loc.line, 0);
	scenario_free(sc);
}

/* --- expect --- */

static void test_expects(void **state)
{
	struct scenario *sc = parse("actor z\n    kick\n"
				    "expect violation mirror-desync 0x10 (now)\n"
				    "expect unreachable write_lock(mmu_lock) \"by\" 0x1z\n"
				    "expect seen z: kick sent x2 > 3\n"
				    "expect seen hp-lost before end\n"
				    "expect final mirror[0x10].pfn != 5\n"
				    "expect busy of sept <= 4\n"
				    "expect kicks of z == 0\n"
				    "expect never return TDH.MEM.TRACK TDX_OPERAND_BUSY|TD_EPOCH\n");
	struct scenario_case *c = case_at(sc, 0);
	struct scn_expect *e = expect_at(c, 0);

	assert_string_equal(e->check, "mirror-desync");
	assert_string_equal(e->where, "0x10 (now)");
	assert_string_equal(expect_at(c, 1)->where, "write_lock(mmu_lock) \"by\" 0x1z");
	e = expect_at(c, 2);
	assert_int_equal(e->kind, SCN_EXPECT_SEEN);
	assert_int_equal(e->a.actor.index, 0);
	assert_int_equal(e->a.cond->count, 2);
	assert_true(e->counted);
	assert_int_equal(e->cmp, SCN_CMP_GT);
	assert_int_equal(e->num, 3);
	e = expect_at(c, 3);
	assert_int_equal(e->kind, SCN_EXPECT_SEEN_BEFORE);
	assert_string_equal(e->a.observation, "hp-lost");
	assert_int_equal(e->b.cond->kind, SCN_COND_END);
	e = expect_at(c, 4);
	assert_int_equal(e->cmp, SCN_CMP_NE);
	assert_string_equal(e->region.field, "pfn");
	e = expect_at(c, 5);
	assert_int_equal(e->of_kind, SCN_OF_LOCK);
	assert_int_equal(e->cmp, SCN_CMP_LE);
	e = expect_at(c, 6);
	assert_int_equal(e->of_kind, SCN_OF_ACTOR);
	assert_int_equal(e->of_actor, 0);
	e = expect_at(c, 7);
	assert_int_equal(e->kind, SCN_EXPECT_NEVER);
	assert_false(e->counted);
	assert_string_equal(e->a.cond->status.operand, "TD_EPOCH");
	scenario_free(sc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_lps),
		cmocka_unit_test(test_runs_alone),
		cmocka_unit_test(test_repeat),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_expects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
