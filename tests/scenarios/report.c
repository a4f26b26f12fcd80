// SPDX-License-Identifier: GPL-2.0-only
/*
 * The look of results, on hand-made ones: the table as it must be pasted, folding of
 * loops, the trace file there and back, JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scenarios/result.h"
#include "sim/report/report.h"

enum { ROOT, V0, ZAP };

static void add_actor(struct play_result *r, const char *name, gboolean background)
{
	struct play_actor a = { .name = name, .background = background };

	g_array_append_val(r->actors, a);
}

static struct play_event *add(struct play_result *r, gint64 clock, guint16 who, guint8 type,
			      const char *name)
{
	struct play_event e = { .clock = clock, .actor = who, .type = type, .name = name };

	g_array_append_val(r->events, e);
	return &g_array_index(r->events, struct play_event, r->events->len - 1);
}

static void change(struct play_result *r, gint64 clock, guint16 who, const char *name,
		   const char *now)
{
	struct play_event *e = add(r, clock, who, EV_STEP, name);

	e->flags = PLAY_CHANGE | PLAY_WRITE;
	e->now = now;
	e->old = "was";
}

static void leaf(struct play_result *r, gint64 clock, guint16 who, const char *name,
		 const char *status)
{
	struct play_event *e = add(r, clock, who, EV_CALL, name);

	e->flags = PLAY_LEAF | PLAY_HAS_ARG;
	e->arg = 0x10;
	e = add(r, clock + 100, who, EV_RETURN, name);
	e->flags = PLAY_LEAF | PLAY_HAS_ARG | (strcmp(status, "SUCCESS") ? PLAY_FAILED : 0);
	e->detail = status;
	e->arg = 0x10;
}

static struct play_result *race(void)
{
	struct play_result *r = play_result_new();
	struct play_violation v = {
		.id = "mirror-desync", .where = "0x10", .actor = "vCPU0", .clock = 20890,
		.text = "mirror NONPRESENT@4K, S-EPT PENDING@4K hpa 0x400000",
	};
	struct play_expect x = { .text = "violation mirror-desync 0x10", .line = 30 };
	struct play_event *e;

	r->scenario = "a01-zap-map-desync";
	r->title = "mirror and S-EPT diverge when a zap races a map";
	r->case_name = "no-freeze/read";
	r->note = "kvm=v7.2 no-freeze zap-under-read";
	r->kvm = "v7.2";
	r->tdx = "1.5.01";
	r->switches = "no-freeze zap-under-read";
	r->policy = "v7.2";
	r->costs = "typical";
	r->assumptions = "3, 7";
	add_actor(r, "septsim", TRUE);
	add_actor(r, "vCPU0", FALSE);
	add_actor(r, "zapper", FALSE);
	add(r, -50, V0, EV_OP_BEGIN, "fault 0x11")->flags = PLAY_INIT;
	add(r, 0, V0, EV_OP_BEGIN, "fault 0x10");
	add(r, 412, V0, EV_LOCK, "mmu_lock")->detail = "read";
	add(r, 500, V0, EV_LOCK, "rcu")->detail = "read";
	change(r, 731, V0, "mirror[0x10]", "PRESENT");
	add(r, 893, ZAP, EV_OP_BEGIN, "zap 0x10");
	change(r, 960, ZAP, "mirror[0x10]", "NONPRESENT");
	leaf(r, 10420, ZAP, "TDH.MEM.RANGE.BLOCK", "EPT_ENTRY_STATE_INCORRECT|RCX");
	e = add(r, 10530, ZAP, EV_CHECK, "kvm-bug");
	e->flags = PLAY_TOLERATED;
	leaf(r, 20890, V0, "TDH.MEM.PAGE.AUG", "SUCCESS");
	g_array_append_val(r->violations, v);
	g_array_append_val(r->expects, x);
	r->end = PLAY_VIOLATION;
	r->as_expected = TRUE;
	return r;
}

static const struct report_look mail = { .width = MAIL_WIDTH, .ascii = TRUE };

static void test_table(void **state)
{
	struct play_result *r = race();
	GString *out = g_string_new(NULL);

	report_case(r, &mail, out);
	assert_string_equal(out->str,
"no-freeze/read                    kvm=v7.2 no-freeze zap-under-read\n"
"  cycle  vCPU0                           zapper\n"
"  -----  ------------------------------  -------------------------------\n"
"      0  fault 0x10\n"
"    412  lock mmu_lock read\n"
"    731  mirror[0x10] = PRESENT\n"
"    893                                  zap 0x10\n"
"    960                                  mirror[0x10] = NONPRESENT\n"
"  10420                                  TDH.MEM.RANGE.BLOCK(0x10)\n"
"                                           EPT_ENTRY_STATE_INCORRECT|RCX\n"
"  10530                                  ! kvm-bug (tolerated)\n"
"  20890  TDH.MEM.PAGE.AUG(0x10)\n"
"           SUCCESS\n"
"  mirror-desync 0x10: mirror NONPRESENT@4K, S-EPT PENDING@4K hpa\n"
"    0x400000\n"
"  as expected\n\n");
	g_string_free(out, TRUE);
	play_result_free(r);
}

static char *case_text(const struct play_result *r)
{
	GString *out = g_string_new(NULL);

	report_case(r, &mail, out);
	return g_string_free(out, FALSE);
}

/* A lock that the scenario speaks of is a row once, not a second time as its word. */
static void test_lock_once(void **state)
{
	struct play_result *r = race();
	struct play_event *e;
	char *text;

	change(r, 30000, ZAP, "mmu_lock", "write");
	e = add(r, 30000, ZAP, EV_LOCK, "mmu_lock");
	e->flags = PLAY_NAMED;
	e->detail = "write";
	g_array_index(r->events, struct play_event, r->events->len - 2).flags |= PLAY_NAMED;
	change(r, 30100, ZAP, "mmu_lock", "free");
	g_array_index(r->events, struct play_event, r->events->len - 1).flags |= PLAY_NAMED;
	add(r, 30200, V0, EV_OP_BEGIN, "kick");
	text = case_text(r);
	assert_non_null(strstr(text, "lock mmu_lock write"));
	assert_null(strstr(text, "mmu_lock = write"));
	assert_non_null(strstr(text, "mmu_lock = free"));	/* no unlock follows: it stays */
	g_free(text);
	play_result_free(r);
}

/* Inside a leaf the lock, the change and the status stand under its row. */
static void test_leaf_is_one_row(void **state)
{
	struct play_result *r = race();
	struct play_event *e;
	char *text;

	e = add(r, 30000, ZAP, EV_CALL, "TDH.MEM.TRACK");
	e->flags = PLAY_LEAF;
	e = add(r, 30010, ZAP, EV_LOCK, "TD_EPOCH");
	e->flags = PLAY_NAMED;
	e->detail = "exclusive";
	e = add(r, 30020, ZAP, EV_UNLOCK, "TD_EPOCH");
	e->flags = PLAY_NAMED;
	e = add(r, 30030, ZAP, EV_RETURN, "TDH.MEM.TRACK");
	e->flags = PLAY_LEAF;
	e->detail = "SUCCESS";
	text = case_text(r);
	assert_non_null(strstr(text,
"  30000                                  TDH.MEM.TRACK\n"
"                                           lock TD_EPOCH exclusive\n"
"                                           unlock TD_EPOCH\n"
"                                           SUCCESS\n"));
	g_free(text);
	play_result_free(r);
}

/* The reason stands once, and what to write instead follows. */
static void test_unreachable(void **state)
{
	struct play_result *r = race();
	struct play_expect x = {
		.text = "ok (by default)", .line = 1, .judged = PLAY_FAILS,
		.saw = "it ended as unreachable: row 2: zapper waits for IPI",
	};
	char *text, *first;

	g_array_set_size(r->expects, 0);
	g_array_set_size(r->violations, 0);
	g_array_append_val(r->expects, x);
	r->end = PLAY_UNREACHABLE;
	r->why = "row 2: zapper waits for IPI";
	text = case_text(r);
	assert_non_null(strstr(text, "  unreachable: row 2: zapper waits for IPI\n  as expected\n"));
	g_free(text);
	r->as_expected = FALSE;
	text = case_text(r);
	first = strstr(text, "zapper waits for IPI");
	assert_non_null(first);
	assert_null(strstr(first + 1, "zapper waits for IPI"));
	assert_non_null(strstr(text, "it ended as\n    unreachable\n  hint: end this row earlier"));
	g_free(text);
	r->why = "row 2: vCPU1 spins: the same state again in fault_loop()";
	text = case_text(r);
	assert_non_null(strstr(text, ".. reads"));
	g_free(text);
	r->why = "row 1: vCPU0 ended before `exit` happened";
	text = case_text(r);
	assert_non_null(strstr(text, "hint: --verbose shows"));
	g_free(text);
	play_result_free(r);
}

static void test_mail_width(void **state)
{
	struct play_result *r = race();
	GPtrArray *all = g_ptr_array_new();
	GString *out = g_string_new(NULL);
	char **lines;

	g_ptr_array_add(all, r);
	report_title(r, &mail, out);
	report_case(r, &mail, out);
	report_summary(all, &mail, NULL, out);
	lines = g_strsplit(out->str, "\n", -1);
	for (char **l = lines; *l; l++)
		assert_true(strlen(*l) <= MAIL_WIDTH);
	assert_non_null(strstr(out->str, "1 case, 1 as expected. Replayed"));
	assert_non_null(strstr(out->str, "assumptions 3, 7"));
	g_strfreev(lines);
	g_string_free(out, TRUE);
	g_ptr_array_unref(all);
	play_result_free(r);
}

/* A case that could not be played had no part in what the results rest on. */
static void test_refused_is_no_basis(void **state)
{
	struct play_result *r = race(), *refused = race();
	GPtrArray *all = g_ptr_array_new();
	GString *out = g_string_new(NULL);

	refused->end = PLAY_REFUSED;
	refused->as_expected = FALSE;
	refused->policy = "v6.16";
	refused->assumptions = "9";
	g_ptr_array_add(all, r);
	g_ptr_array_add(all, refused);
	report_summary(all, &mail, NULL, out);
	assert_non_null(strstr(out->str, "2 cases, 1 as expected, 1 not played. Replayed"));
	assert_null(strstr(out->str, "v6.16"));
	assert_null(strstr(out->str, "9"));
	g_string_free(out, TRUE);
	g_ptr_array_unref(all);
	play_result_free(r);
	play_result_free(refused);
}

/* More actors than fit side by side: one column, each row with its name. */
static void test_many_actors(void **state)
{
	static const char *const names[] = { "vCPU1", "vCPU2", "vCPU3", "vCPU4" };
	struct play_result *r = race();
	GString *out = g_string_new(NULL);

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		add_actor(r, names[i], FALSE);
		add(r, 30000 + i, (guint16)(ZAP + 1 + i), EV_OP_BEGIN, "run");
	}
	report_table(r, &mail, out);
	assert_non_null(strstr(out->str, "  30001  vCPU2: run\n"));
	assert_non_null(strstr(out->str, "    893  zapper: zap 0x10\n"));
	g_string_free(out, TRUE);
	play_result_free(r);
}

static void test_fold(void **state)
{
	GPtrArray *rows = g_ptr_array_new_with_free_func(report_row_free);

	g_ptr_array_add(rows, report_row_new(1, V0, "begin"));
	for (int i = 0; i < 5; i++) {
		g_ptr_array_add(rows, report_row_new(10 * i, V0, "a"));
		g_ptr_array_add(rows, report_row_new(10 * i + 1, ZAP, "b"));
	}
	g_ptr_array_add(rows, report_row_new(99, V0, "twice"));
	g_ptr_array_add(rows, report_row_new(100, V0, "twice"));
	report_fold(rows);
	assert_int_equal(rows->len, 5);
	assert_string_equal(((struct report_row *)rows->pdata[3])->lines->pdata[0],
			    "(these 2 rows 5 times in all)");
	assert_string_equal(((struct report_row *)rows->pdata[4])->lines->pdata[0], "twice (2 times)");
	g_ptr_array_unref(rows);
}

static char *as_trace(const struct play_result *r)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	play_result_write(r, f);
	fclose(f);
	return text;
}

static void test_trace_round_trip(void **state)
{
	struct play_result *r = race();
	GError *err = NULL;
	GPtrArray *all;
	char *text, *again;

	add(r, 21000, V0, EV_NOTE, "tab\there \\ and\nnew line");
	add(r, 21001, V0, EV_NOTE, "-");
	text = as_trace(r);
	all = play_results_read("x", text, strlen(text), &err);
	assert_null(err);
	assert_int_equal(all->len, 1);
	again = as_trace(all->pdata[0]);
	assert_string_equal(text, again);
	free(text);
	free(again);
	g_ptr_array_unref(all);
	play_result_free(r);
}

static void test_trace_errors(void **state)
{
	static const struct {
		const char *text, *error;
	} bad[] = {
		{ "", "x:1: error: the trace is cut short" },
		{ "hello\n", "x:1: error: not a trace of septsim" },
		{ "septsim-trace\t9\n", "x:1: error: a trace of another version of septsim" },
		{ "septsim-trace\t1\n", "x:2: error: the trace is cut short" },
		{ "septsim-trace\t1\nevent\t1\t7\tstep\t0\t0\ta\tb\t0\tc\td\n",
		  "x:2: error: an event of an actor that is not declared" },
		{ "septsim-trace\t1\nactor\tv\t0\tx\n", "x:2: error: a number is malformed" },
		{ "septsim-trace\t1\nwhat\n", "x:2: error: not a line of a trace" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
		GError *err = NULL;

		assert_null(play_results_read("x", bad[i].text, strlen(bad[i].text), &err));
		assert_string_equal(err->message, bad[i].error);
		g_clear_error(&err);
	}
}

static void test_json(void **state)
{
	struct play_result *r = race();
	GPtrArray *all = g_ptr_array_new();
	GString *a = g_string_new(NULL), *b = g_string_new(NULL);

	g_ptr_array_add(all, r);
	report_json(all, "run", 123, a);
	assert_true(g_str_has_prefix(a->str, "{\n  \"schema\": 1,"));
	assert_non_null(strstr(a->str, "\"id\": \"mirror-desync\""));
	assert_non_null(strstr(a->str, "\"EPT_ENTRY_STATE_INCORRECT|RCX\""));
	/* Only "host" may differ between machines. */
	report_json(all, "run", 0, b);
	assert_null(strstr(b->str, "host"));
	*strstr(a->str, ",\n  \"host\"") = '\0';
	assert_true(g_str_has_prefix(b->str, a->str));
	g_string_free(a, TRUE);
	g_string_free(b, TRUE);
	g_ptr_array_unref(all);
	play_result_free(r);
}

static void test_wrap(void **state)
{
	GPtrArray *lines = report_wrapped("  one two three four five", 2, 12);

	assert_int_equal(lines->len, 4);
	assert_string_equal(lines->pdata[0], "  one two");
	assert_string_equal(lines->pdata[1], "    three");
	assert_string_equal(lines->pdata[2], "    four");
	g_ptr_array_unref(lines);
}

/* A sweep over a table is one row; what breaks it is another actor, value, table or step. */
static void test_fold_sweep(void **state)
{
	static const char *const want[] = {
		"mirror[0x0..0x200] = FROZEN (512 times)", "mirror[0x200] = FROZEN",
		"mirror[0x0..0x800]@2M = TABLE (4 times)", "mirror[0x10] = FROZEN",
		"mirror[0x11] = FROZEN", "mirror[0x12] = FROZEN", "mirror[0x13] = PRESENT",
	};
	GPtrArray *rows = g_ptr_array_new_with_free_func(report_row_free);
	char text[64];

	for (int i = 0; i <= 512; i++) {
		g_snprintf(text, sizeof(text), "mirror[0x%x] = FROZEN", i);
		g_ptr_array_add(rows, report_row_new(i, i == 512 ? V0 : ZAP, text));
	}
	for (int i = 0; i < 4; i++) {
		g_snprintf(text, sizeof(text), "mirror[0x%x]@2M = TABLE", i * 0x200);
		g_ptr_array_add(rows, report_row_new(600 + i, V0, text));
	}
	for (int i = 0; i < 4; i++) {		/* three alike are shown as they are */
		g_snprintf(text, sizeof(text), "mirror[0x%x] = %s", 0x10 + i,
			   i == 3 ? "PRESENT" : "FROZEN");
		g_ptr_array_add(rows, report_row_new(700 + i, V0, text));
	}
	report_fold(rows);
	assert_int_equal(rows->len, G_N_ELEMENTS(want));
	for (guint i = 0; i < rows->len; i++)
		assert_string_equal(((struct report_row *)rows->pdata[i])->lines->pdata[0], want[i]);
	g_ptr_array_unref(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_lock_once),
		cmocka_unit_test(test_leaf_is_one_row),
		cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_mail_width),
		cmocka_unit_test(test_refused_is_no_basis),
		cmocka_unit_test(test_many_actors),
		cmocka_unit_test(test_fold),
		cmocka_unit_test(test_fold_sweep),
		cmocka_unit_test(test_trace_round_trip),
		cmocka_unit_test(test_trace_errors),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
