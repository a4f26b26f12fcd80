// SPDX-License-Identifier: GPL-2.0-only
/*
 * The player on the real model: every form of condition, of operation and of expect; what
 * is refused; and that the same case gives the same bytes on both carriers.
 */
#include "tests/scenarios/play.h"

#define TWO	"td vcpus=1 lps=3 memory=4M\n"
#define BUILT	"init\n    vCPU0: fault 0x11\n"

/* ---- conditions ---- */

static void test_value_conditions(void **state)
{
	assert_as_expected(play_text(TWO BUILT
		"schedule\n"
		"    vCPU0 | zapper\n"
		"    fault 0x10 .. mirror[0x10] = FROZEN |\n"
		"    .. mirror[0x10] != FROZEN |\n"
		"    .. end |\n"
		"    | zap 0x10 .. sept[0x10] changes x2\n"
		"    | .. end\n"
		"expect seen mirror[0x10] = FROZEN == 1\n"
		"expect seen mirror[0x10] = PRESENT == 1\n"
		"expect seen sept[0x10] changes == 3\n"
		"expect seen sept[0x10] = PENDING_BLOCKED before sept[0x10] = FREE\n"
		"expect seen vCPU0: sept[0x10] = PENDING == 1\n"
		"expect never zapper: sept[0x10] = PENDING\n"
		"expect final mirror[0x10] = NONPRESENT\n"
		"expect final sept[0x10] != PENDING\n"));
}

/* Stops short: the entry is still what it was, and becomes it on the next row. */
static void test_before(void **state)
{
	assert_as_expected(play_text(TWO BUILT
		"schedule\n"
		"    vCPU0 | other\n"
		"    fault 0x10 .. before mirror[0x10] = FROZEN |\n"
		"    | compute 10\n"
		"    .. mirror[0x10] changes |\n"
		"    .. before call TDH.MEM.PAGE.AUG(0x10) |\n"
		"    .. before lock SEPT_TREE shared |\n"
		"    .. before unlock SEPT_TREE |\n"
		"    | compute 10\n"
		"    .. end |\n"
		"expect seen other: end before mirror[0x10] = FROZEN\n"
		"expect seen lock SEPT_TREE before other: end x2\n"
		"expect seen other: end x2 before unlock SEPT_TREE\n"
		"expect ok\n"));
}

static void test_level_and_field(void **state)
{
	assert_as_expected(play_text("td vcpus=1 lps=3 memory=4M\n"
		"schedule\n"
		"    vCPU0\n"
		"    fault 0x10 .. mirror[0x0]@1G = TABLE\n"
		"    .. sept[0x0]@2M = NL_MAPPED\n"
		"    .. sept[0x10].TDEL = 1\n"
		"    .. sept[0x10].TDEL = 0\n"
		"    .. end\n"
		"expect seen TDCS.SEPT_TREE changes >= 4\n"
		"expect seen mirror[0x0]@1G changes == 2\n"
		"expect final sept[0x10].TDEL = 0\n"));
}

static void test_event_conditions(void **state)
{
	assert_as_expected(play_text(TWO BUILT
		"guest vCPU0\n"
		"    accept 0x10\n"
		"    vmcall\n"
		"schedule\n"
		"    vCPU0\n"
		"    run .. call TDH.VP.ENTER(vCPU0)\n"
		"    .. enter\n"
		"    .. exit EPT_VIOLATION\n"
		"    .. lock mmu_lock read\n"
		"    .. return TDH.MEM.PAGE.AUG(0x10) SUCCESS\n"
		"    .. unlock mmu_lock\n"
		"    .. reads sept[0x10]\n"
		"    .. writes sept[0x10]\n"
		"    .. end\n"
		"expect seen enter >= 2\n"
		"expect seen exit EPT_VIOLATION == 1\n"
		"expect seen call TDH.VP.ENTER(vCPU0) before call TDH.MEM.PAGE.AUG\n"
		"expect never call TDH.MEM.PAGE.AUG(0x11)\n"
		"expect never return TDH.MEM.PAGE.AUG OPERAND_BUSY\n"
		"expect final sept[0x10] = MAPPED\n"));
}

static void test_kick_and_blocked(void **state)
{
	assert_as_expected(play_text("td vcpus=2 lps=3 memory=4M\n"
		"init\n"
		"    vCPU0: fault 0x10\n"
		"guest vCPU1\n"
		"    repeat inf\n"
		"        compute 1000\n"
		"    end\n"
		"schedule\n"
		"    vCPU1 | zapper\n"
		"    run times=1 .. enter |\n"
		"    | zap 0x10 .. kick requested\n"
		"    | .. kick sent\n"
		"    .. interrupt |\n"
		"    .. kick acked |\n"
		"    | .. end\n"
		"    | signal vCPU1\n"
		"    | interrupt lp1\n"
		"expect ok\n"
		"expect seen kick requested before kick sent\n"
		"expect seen kick sent before kick acked\n"
		"expect kicks >= 1\n"
		"expect ipis >= 1\n"
		"expect final sept[0x10] = FREE\n"));
}

/* ---- schedules that cannot be followed ---- */

static void test_unreachable(void **state)
{
	struct play_result *r;

	r = play_text(TWO BUILT
		"schedule\n"
		"    vCPU0 | zapper\n"
		"    fault 0x10 .. mirror[0x10] changes |\n"
		"    | zap 0x10\n"
		"expect unreachable write_lock(mmu_lock)\n");
	assert_non_null(strstr(r->why, "row 2"));
	assert_non_null(strstr(r->why, "held by vCPU0"));
	assert_as_expected(r);
	/* The text must be about this lock in this mode. */
	assert_fails(play_text(TWO BUILT
		"schedule\n"
		"    vCPU0 | zapper\n"
		"    fault 0x10 .. mirror[0x10] changes |\n"
		"    | zap 0x10\n"
		"expect unreachable read_lock(mmu_lock)\n"), "unreachable read_lock(mmu_lock)");
	/* The operation ends and the condition has not happened. */
	assert_as_expected(play_text(TWO BUILT
		"schedule\n"
		"    vCPU0\n"
		"    fault 0x10 .. mirror[0x10] = FROZEN x2\n"
		"expect unreachable ended before\n"));
	/* A spin names the owner of what it finds busy. */
	r = play_text(TWO
		"schedule\n"
		"    a | b\n"
		"    acquire SEPT_TREE exclusive |\n"
		"    | acquire SEPT_TREE shared retry=inf\n"
		"expect unreachable b spins\n");
	assert_non_null(strstr(r->why, "SEPT_TREE busy, held by a (exclusive)"));
	assert_as_expected(r);
}

/* ---- operations ---- */

/* Of the locks that are one a vCPU, the one that is named. */
static void test_lock_of_vcpu(void **state)
{
	assert_as_expected(play_text(
		"td vcpus=2 lps=4 memory=4M\n"
		"schedule\n"
		"    a | b\n"
		"    acquire TDVPR[0] exclusive |\n"
		"    release TDVPR[0] |\n"
		"    acquire TDVPR[1] exclusive |\n"
		"    | acquire TDVPR[1] shared\n"
		"    release TDVPR[1] |\n"
		"expect seen lock TDVPR[0] == 1\n"
		"expect seen unlock TDVPR[0] == 1\n"
		"expect seen lock TDVPR[1] == 1\n"
		"expect seen busy TDVPR[1] == 1\n"
		"expect never busy TDVPR[0]\n"));
}

static void test_litmus(void **state)
{
	assert_as_expected(play_text(TWO
		"schedule\n"
		"    a | b\n"
		"    acquire SEPT_TREE exclusive |\n"
		"    | acquire SEPT_TREE shared retry=3\n"
		"    | release SEPT_TREE\n"
		"    release SEPT_TREE |\n"
		"    | acquire SEPT_TREE shared\n"
		"expect busy of SEPT_TREE == 3\n"
		"expect seen lock SEPT_TREE == 2\n"
		"expect seen unlock SEPT_TREE == 1\n"));
}

static void test_disturbances(void **state)
{
	/* An injected error kills the VM; nothing else does. */
	assert_as_expected(play_text(TWO BUILT
		"schedule\n"
		"    vCPU0 | user\n"
		"    | inject TDH.MEM.PAGE.AUG@2 TD_FATAL\n"
		"    fault 0x12 |\n"
		"    fault 0x10 |\n"
		"expect violation kvm-bug 0x10\n"
		"expect seen return TDH.MEM.PAGE.AUG(0x10) TD_FATAL == 1\n"
		"expect final sept[0x12] = PENDING\n"));
	assert_as_expected(play_text(TWO
		"guest vCPU0\n"
		"    repeat inf\n"
		"        compute 1000\n"
		"    end\n"
		"actor vCPU0\n"
		"    run times=1\n"
		"actor user\n"
		"    signal vCPU0 after 100000\n"
		"    interrupt lp0\n"
		"expect ok\n"
		"expect seen exit EXTERNAL_INTERRUPT >= 1\n"
		"expect cycles of vCPU0 >= 100000\n"));
	assert_as_expected(play_text(TWO BUILT
		"schedule\n"
		"    user\n"
		"    set TDCS.TD_EPOCH = 7\n"
		"expect final TDCS.TD_EPOCH = 7\n"));
}

static void test_raw_seamcalls(void **state)
{
	assert_as_expected(play_text(TWO BUILT
		"schedule\n"
		"    vmm\n"
		"    seamcall TDH.MEM.RANGE.BLOCK gpa=0x11000 level=4K\n"
		"    seamcall TDH.MEM.TRACK\n"
		"    seamcall TDH.MEM.RANGE.BLOCK gpa=0x11000 level=4K\n"
		"tolerate mirror-desync\n"
		"expect seen return TDH.MEM.RANGE.BLOCK(0x11) SUCCESS == 1\n"
		"expect seen return TDH.MEM.RANGE.BLOCK(0x11) == 2\n"
		"expect seen return TDH.MEM.RANGE.BLOCK(0x11) GPA_RANGE_ALREADY_BLOCKED|RCX == 1\n"
		"expect never return TDH.MEM.RANGE.BLOCK(0x11) GPA_RANGE_ALREADY_BLOCKED|TDR\n"
		"expect seen return TDH.MEM.TRACK SUCCESS == 1\n"
		"expect final sept[0x11] = PENDING_BLOCKED\n"));
}

/* What one line leaves running stays there; the clock of the rest starts at 0. */
static void test_init(void **state)
{
	struct play_result *r = play_text(TWO
		"init\n"
		"    vCPU0: fault 0x11\n"
		"    vCPU0: fault 0x10 .. mirror[0x10] = FROZEN\n"
		"schedule\n"
		"    zapper\n"
		"    zap 0x12 .. blocked\n"
		"expect ok\n"
		"expect never mirror[0x11] changes\n"
		"expect final mirror[0x10] = PRESENT\n");

	for (guint i = 0; i < r->events->len; i++) {
		const struct play_event *e = &g_array_index(r->events, struct play_event, i);

		assert_true(e->flags & PLAY_INIT ? e->clock <= 0 : e->clock >= 0);
	}
	assert_as_expected(r);
}

/* What the rows leave unfinished goes on after them, not in their past. */
static void test_rest(void **state)
{
	assert_as_expected(play_text(TWO BUILT
		"schedule\n"
		"    vCPU0 | other\n"
		"    fault 0x10 .. mirror[0x10] = FROZEN |\n"
		"    | compute 1000000\n"
		"expect cycles of vCPU0 >= 1000000\n"
		"expect seen other: end before mirror[0x10] = PRESENT\n"));
}

/* ---- expects that do not hold ---- */

static void test_failing_expects(void **state)
{
	static const char *const wrong[] = {
		"violation mirror-desync", "unreachable", "deadlock", "livelock",
		"seen call TDH.MEM.PAGE.AUG(0x10) == 2", "never mirror[0x10] changes",
		"seen sept[0x10] changes before mirror[0x10] changes",
		"final sept[0x10] = FREE", "final mirror[0x10] != PRESENT", "kicks >= 1",
		"cycles < 10", "busy of TDH.MEM.PAGE.AUG >= 1", "seen hp-lost",
	};

	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
		char *text = g_strdup_printf(TWO BUILT
			"schedule\n    vCPU0\n    fault 0x10\nexpect %s\n", wrong[i]);

		assert_fails(play_text(text), wrong[i]);
		g_free(text);
	}
}

/* A violation that no expect speaks of is never as expected. */
static void test_unforeseen(void **state)
{
	static const char bad[] = TWO BUILT
		"variant no-freeze zap-under-read\n"
		"schedule\n"
		"    vCPU0 | zapper\n"
		"    fault 0x10 .. mirror[0x10] changes |\n"
		"    | zap 0x10\n"
		"    .. end |\n"
		"expect seen zapper: mirror[0x10] changes\n";

	assert_fails(play_text(bad), "no other violation");
}

/* ---- what is refused ---- */

static void refused(const char *text, const char *why)
{
	struct play_result *r = play_text(text);

	assert_int_equal(r->end, PLAY_REFUSED);
	if (!strstr(r->why, why))
		print_error("%s\n", r->why);
	assert_non_null(strstr(r->why, why));
	assert_true(g_str_has_prefix(r->why, "test.scn:"));
	play_result_free(r);
}

static void test_refused(void **state)
{
	refused("td vcpus=1 lps=2 memory=4M\npolicy v7.2 nokey=1\nactor a\n    compute 1\n",
		"nokey");
}

/* ---- determinism ---- */

static char *trace_of(enum sim_carrier carrier, const char *text)
{
	struct play_options opt = { .carrier = carrier, .cost_level = COST_TYPICAL,
				    .steps = TRUE };
	struct play_result *r = play_with(text, &opt);
	char *out = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&out, &n);

	play_result_write(r, f);
	fclose(f);
	play_result_free(r);
	return out;
}

static void test_same_bytes(void **state)
{
	static const char race[] = "td vcpus=2 lps=4 memory=4M\n"
		"guest vCPU0\n    access 0x10,0x11 write\n    vmcall\n"
		"guest vCPU1\n    access 0x10 write\n    vmcall\n"
		"actor zapper\n    compute 60000\n    punch 0x10..0x12\n"
		"expect ok\n";
	char *a = trace_of(CARRIER_FIBER, race), *b = trace_of(CARRIER_FIBER, race);
	char *c = trace_of(CARRIER_PTHREAD, race);

	assert_true(strlen(a) > 10000);
	assert_string_equal(a, b);
	assert_string_equal(a, c);
	free(a);
	free(b);
	free(c);
}

/* Dearer steps move the clock and nothing else of one actor's story. */
static void test_costs(void **state)
{
	struct play_options low = { .cost_level = COST_LOW }, high = { .cost_level = COST_HIGH };
	static const char one[] = TWO "schedule\n    vCPU0\n    fault 0x10\nexpect ok\n";
	struct play_result *a = play_with(one, &low), *b = play_with(one, &high);

	assert_true(a->cycles < b->cycles);
	assert_int_equal(a->steps, b->steps);
	assert_string_equal(a->costs, "low");
	play_result_free(a);
	play_result_free(b);
}

static void test_overrides(void **state)
{
	static const char *const switches[] = { "no-freeze", NULL };
	struct play_options opt = { .kvm = "v6.16", .switches = switches, .policy = "v19" };
	struct play_result *r = play_with(TWO "schedule\n    vCPU0\n    fault 0x10\n"
					  "expect never mirror[0x10] = FROZEN\n", &opt);

	assert_string_equal(r->kvm, "v6.16");
	assert_string_equal(r->policy, "v19");
	assert_non_null(strstr(r->note, "no-freeze"));
	assert_as_expected(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_value_conditions),
		cmocka_unit_test(test_before),
		cmocka_unit_test(test_level_and_field),
		cmocka_unit_test(test_event_conditions),
		cmocka_unit_test(test_kick_and_blocked),
		cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_lock_of_vcpu),
		cmocka_unit_test(test_litmus),
		cmocka_unit_test(test_disturbances),
		cmocka_unit_test(test_raw_seamcalls),
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_rest),
		cmocka_unit_test(test_failing_expects),
		cmocka_unit_test(test_unforeseen),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_same_bytes),
		cmocka_unit_test(test_costs),
		cmocka_unit_test(test_overrides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
