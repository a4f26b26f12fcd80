// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recorded vectors that are wrong: lines that are no JSON, that break off, that say what the
 * schema does not know; records that differ from the model, or that it cannot run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <unistd.h>

#include "scenarios/conform_files.h"
#include "scenarios/conform_read.h"

#define ADD "{\"op\":\"TDH.MEM.SEPT.ADD\",\"gpa\":\"0x0\",\"level\":3,\"hpa\":\"0x205000\"," \
	"\"rax\":\"0x0\",\"entry_before\":\"0x80e0000000000000\","			    \
	"\"entry_after\":\"0x8000000000205007\",\"td_epoch\":1,\"cc\":25,"		    \
	"\"pamt\":[\"0x205000\",\"4k\",8,\"0x0\",0],\"td\":\"cfc546c3\"}"
#define INIT "\"init\":{\"op_state\":2,\"pvd\":1,\"notify\":0}"
#define GOOD "{\"id\":7," INIT ",\"ops\":[" ADD "]}"

static const struct {
	const char *line, *error;	/* a part of what is said */
} bad[] = {
	{ "", "truncated" },
	{ "{\"id\":7,", "truncated" },
	{ "{\"id\":7}", "\"init\" is missing" },
	{ "{\"id\":7} x", "column 10" },
	{ "{id:7}", "near column" },
	{ "[1]", "not a JSON object" },
	{ "17", "not a JSON object" },
	{ "{\"id\":7," INIT ",\"ops\":{}}", "\"ops\" is no list" },
	{ "{\"id\":7," INIT ",\"ops\":[3]}", "op 0: \"ops\" is no object" },
	{ "{\"id\":7," INIT ",\"ops\":[{}]}", "op 0: an operation without \"op\"" },
	{ "{\"id\":7," INIT ",\"ops\":[{\"op\":\"X\",\"gap\":1}]}", "unknown field \"gap\"" },
	{ "{\"id\":7," INIT ",\"ops\":[{\"op\":3}]}", "\"op\" is no text" },
	{ "{\"id\":7," INIT ",\"ops\":[{\"op\":\"X\",\"gpa\":\"12\"}]}", "\"gpa\" is no number" },
	{ "{\"id\":7," INIT ",\"ops\":[{\"op\":\"X\",\"gpa\":\"0x\"}]}", "\"gpa\" is no number" },
	{ "{\"id\":7," INIT ",\"ops\":[{\"op\":\"X\",\"lp\":1.5}]}", "\"lp\" is no number" },
	{ "{\"id\":7," INIT ",\"ops\":[{\"op\":\"X\",\"lp\":null}]}", "null" },
	{ "{\"id\":7," INIT ",\"ops\":[{\"op\":\"X\",\"lp\":true}]}", "truth value" },
	{ "{\"id\":7," INIT ",\"ops\":[{\"op\":\"X\",\"rc\":[1]}]}", "\"rc\" is no list of 2" },
	{ "{\"id\":7," INIT ",\"ops\":[{\"op\":\"X\",\"rc\":[1,[2]]}]}", "element 2 of \"rc\"" },
	{ "{\"id\":7," INIT ",\"ops\":[{\"op\":\"X\",\"pl\":[[\"4k\",1]]}]}", "\"pl\"" },
	{ "{\"id\":7," INIT ",\"ops\":[],\"more\":1}", "unknown field \"more\"" },
	{ "{\"setup\":\"s\",\"ops\":[]}", "\"op_state\" is missing" },
	{ "{\"id\":1,\"setup\":\"s\",\"pause\":{}}", "\"A\" is missing" },
	{ "[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]", "nested too deeply" },
};

static void test_bad_lines(void **state)
{
	struct conform_line *line = conform_line_new();

	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		GError *error = NULL;

		assert_false(conform_line_read(line, bad[i].line, strlen(bad[i].line), &error));
		assert_non_null(error);
		if (!strstr(error->message, bad[i].error))
			fail_msg("\"%s\": %s", bad[i].line, error->message);
		assert_null(strchr(error->message, '\n'));
		g_error_free(error);
	}
	conform_line_free(line);
}

/* Each prefix of a good line is an error, and none is a crash */
static void test_truncated(void **state)
{
	struct conform_line *line = conform_line_new();

	for (size_t n = 0; n < strlen(GOOD); n++) {
		GError *error = NULL;

		assert_false(conform_line_read(line, GOOD, n, &error));
		assert_non_null(error);
		g_error_free(error);
	}
	assert_true(conform_line_read(line, GOOD, strlen(GOOD), NULL));
	assert_int_equal(line->kind, CONFORM_SEQUENCE);
	assert_int_equal(line->id, 7);
	assert_int_equal(line->ops->len, 1);
	assert_int_equal(g_array_index(line->ops, struct conform_record, 0).n[CF_HPA], 0x205000);
	conform_line_free(line);
}

static struct conform_report *run_by(u32 jobs, const char *content, char **path)
{
	int fd = g_file_open_tmp("septsim-XXXXXX.jsonl", path, NULL);
	const char *files[1];
	struct conform_report *r;

	assert_true(fd >= 0);
	close(fd);
	assert_true(g_file_set_contents(*path, content, -1, NULL));
	files[0] = *path;
	r = conform_files(files, 1, NULL, jobs, false, NULL);
	unlink(*path);
	return r;
}

static struct conform_report *run(const char *content, char **path)
{
	return run_by(2, content, path);
}

/* What is before and behind a bad line is run all the same */
static void test_goes_on(void **state)
{
	char *path;
	struct conform_report *r = run(GOOD "\n{\"id\"\n" GOOD "\n\n" GOOD "\n{\"id\":7," INIT, &path);
	struct conform_error *e;

	assert_int_equal(r->errors->len, 2);
	e = r->errors->pdata[0];
	assert_string_equal(e->file, path);
	assert_int_equal(e->line, 2);
	e = r->errors->pdata[1];
	assert_int_equal(e->line, 6);
	assert_non_null(strstr(e->text, "truncated"));
	assert_int_equal(r->sequences, 3);
	assert_int_equal(r->ran, 3);
	assert_int_equal(r->agreed, 3);
	conform_report_free(r);
	g_free(path);
}

static char *replaced(const char *text, const char *from, const char *to)
{
	char **parts = g_strsplit(text, from, -1), *out = g_strjoinv(to, parts);

	assert_true(g_strv_length(parts) == 2);
	g_strfreev(parts);
	return out;
}

/* A record that says something else: each field is looked at */
static void test_differences(void **state)
{
	static const struct {
		const char *from, *to, *field;
	} changes[] = {
		{ "\"rax\":\"0x0\"", "\"rax\":\"0x1\"", "rax" },
		{ "\"rax\":\"0x0\"", "\"rax\":\"0x0\",\"rcx\":\"0x1\"", "rcx" },
		{ "0x8000000000205007", "0x8000000000205003", "entry_after" },
		{ "0x80e0000000000000", "0x80e0000000000001", "entry_before" },
		{ "\"td_epoch\":1", "\"td_epoch\":2", "td_epoch" },
		{ "\"cc\":25", "\"cc\":24", "cc" },
		{ "\"4k\",8", "\"4k\",7", "pamt PT" },
		{ "8,\"0x0\",0", "8,\"0x4\",0", "pamt LOCK" },
		{ "8,\"0x0\",0", "8,\"0x0\",1", "pamt BEPOCH" },
		{ "cfc546c3", "cfc546c4", "td" },
		{ "\"rax\":\"0x0\"", "\"rax\":\"0x0\",\"wl\":2", "wl" },
		{ "\"rax\":\"0x0\"", "\"rax\":\"0x0\",\"opl\":\"0x4\"", "opl" },
		{ "\"rax\":\"0x0\"", "\"rax\":\"0x0\",\"rc\":[0,1]", "rc[1]" },
		{ "\"rax\":\"0x0\"", "\"rax\":\"0x0\",\"pl\":[[\"4k\",\"0x205000\",\"0x2\"]]", "pl" },
		{ "\"rax\":\"0x0\"",		/* a lock that the record does not know of */
		  "\"rax\":\"0x0\",\"hold\":\"pamt4k_sh\",\"hold_pa\":\"0x300000\"", "pl" },
		{ "\"rax\":\"0x0\"", "\"rax\":\"0x0\",\"hold\":\"pamt2m_sh\",\"hold_pa\":\"0x600000\"",
		  "pl" },
		{ "\"rax\":\"0x0\"", "\"rax\":\"0x0\",\"lc\":[1,1,0,1]", "lc NUM_ASSOC_VCPUS" },
		{ "\"rax\":\"0x0\"", "\"rax\":\"0x0\",\"v\":[2,0,0,0,0,0]", "v ASSOC_LPID" },
		{ "\"rax\":\"0x0\"", "\"rax\":\"0x0\",\"exit\":\"td\"", "exit" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(changes); i++) {
		char *line = replaced(GOOD "\n", changes[i].from, changes[i].to), *path;
		struct conform_report *r = run(line, &path);
		struct conform_found *d;

		if (r->found->len != 1)
			fail_msg("%s: %u differences", changes[i].to, r->found->len);
		d = r->found->pdata[0];
		assert_string_equal(d->field, changes[i].field);
		assert_int_equal(d->line, 1);
		assert_int_equal(d->op, 0);
		assert_string_equal(d->flow, "TDH.MEM.SEPT.ADD");
		assert_int_equal(r->ran, 1);
		assert_int_equal(r->agreed, 0);
		conform_report_free(r);
		g_free(path);
		g_free(line);
	}
}

/* Lines are played on one machine: none may see what was left by those before it */
static void test_alone(void **state)
{
	static const char *const before[] = {
		"{\"id\":1," INIT ",\"ops\":[" ADD "]}\n",
		"{\"id\":1," INIT ",\"ops\":[{\"op\":\"TDH.VP.ENTER\",\"vcpu\":1,\"exit\":\"td\"}]}\n",
		"{\"id\":1,\"init\":{\"op_state\":1,\"pvd\":0,\"notify\":1,\"fatal\":1,\"num_tdcx\":5},"
		"\"ops\":[" ADD "," ADD "]}\n",
		"{\"id\":1," INIT ",\"ops\":[{\"op\":\"TDH.NO.SUCH.CALL\"}]}\n",
		"{\"id\":1," INIT ",\"ops\":[{\"op\":\"TD.INTR_EXIT\"}]}\n",
		"{\"id\":1," INIT ",\"ops\":[{\"op\":\"TDH.MEM.TRACK\",\"hold\":\"opstate_ex\"}]}\n",
	};

	for (u32 i = 0; i < ARRAY_SIZE(before); i++) {
		char *text = g_strconcat(before[i], GOOD "\n", before[i], GOOD "\n", NULL), *path;
		struct conform_report *r = run_by(1, text, &path);	/* so: by one process */

		for (u32 k = 0; k < r->found->len; k++)
			assert_int_equal(((struct conform_found *)r->found->pdata[k])->line % 2, 1);
		for (u32 k = 0; k < r->left->len; k++)
			assert_int_equal(((struct conform_left *)r->left->pdata[k])->line % 2, 1);
		assert_int_equal(r->sequences, 4);
		assert_true(r->agreed >= 2);
		conform_report_free(r);
		g_free(path);
		g_free(text);
	}
}

/* Tables are known by their header, behind comments; what is none has JSON, or is refused */
static void test_tables(void **state)
{
	static const struct {
		const char *text;
		u32 rows, agreed, elsewhere, errors, sequences;
	} files[] = {
		{ "kind,name,value\nstatus,TDX_SUCCESS,0x0\nstatus,TDX_SUCCESS,0x1\nstatus,NO,0\n"
		  "operand_id,OPERAND_ID_RCX,1\nstatus,TDX_SUCCESS\nstatus,TDX_SUCCESS,x\n",
		  4, 2, 0, 2, 0 },
		{ "# where from\nkind,name,value\nstatus,TDX_SUCCESS,0x0\n", 1, 1, 0, 0, 0 },
		{ "# where from\nflow,step_no,action,object,mode\na\nb\n", 0, 0, 2, 0, 0 },
		{ "# where from\n", 0, 0, 0, 1, 0 },
		{ "no,table,of,ours\n1,2,3,4\n", 0, 0, 0, 1, 0 },
		{ "\n" GOOD "\n", 0, 1, 0, 0, 1 },
		{ "nonsense\n" GOOD "\n", 0, 1, 0, 1, 1 },
		{ "", 0, 0, 0, 1, 0 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(files); i++) {
		char *path;
		struct conform_report *r = run(files[i].text, &path);

		assert_int_equal(r->rows, files[i].rows);
		assert_int_equal(r->agreed, files[i].agreed);
		assert_int_equal(r->errors->len, files[i].errors);
		assert_int_equal(r->sequences, files[i].sequences);
		assert_int_equal(r->elsewhere->len, files[i].elsewhere != 0);
		if (r->elsewhere->len)
			assert_int_equal(((struct conform_elsewhere *)r->elsewhere->pdata[0])->rows,
					 files[i].elsewhere);
		conform_report_free(r);
		g_free(path);
	}
}

/* What the model has not is said, and is never agreement */
static void test_not_run(void **state)
{
	static const char *const ops[] = { "TDH.EXPORT.MEM", "TDH.NO.SUCH.CALL" };
	struct conform_left *l;
	struct conform_report *r;
	char *path;

	for (u32 i = 0; i < ARRAY_SIZE(ops); i++) {
		char *line = g_strdup_printf("{\"id\":7," INIT ",\"ops\":[" ADD ",{\"op\":\"%s\","
					     "\"rax\":\"0x0\"}," ADD "]}\n", ops[i]);

		r = run(line, &path);
		assert_int_equal(r->left->len, 1);
		l = r->left->pdata[0];
		assert_true(l->missing);
		assert_int_equal(l->ops, 2);
		assert_string_equal(l->flow, ops[i]);
		assert_int_equal(r->ran, 1);
		assert_int_equal(r->found->len, 0);
		conform_report_free(r);
		g_free(path);
		g_free(line);
	}
	/* A guest that does not run: a difference, and the end of the line */
	r = run("{\"id\":7," INIT ",\"ops\":[{\"op\":\"TD.INTR_EXIT\",\"vcpu\":0}]}\n", &path);
	assert_int_equal(r->found->len, 1);
	assert_int_equal(r->left->len, 1);
	l = r->left->pdata[0];
	assert_false(l->missing);
	conform_report_free(r);
	g_free(path);
}

/* An interleaving whose pause the model does not have is a difference */
static void test_pause(void **state)
{
	static const char *const pauses[] = {
		"{\"k\":1,\"act\":\"read\",\"obj\":\"NO.SUCH\",\"src\":\"x.c:1\"}",
		"{\"k\":1,\"act\":\"write\",\"obj\":\"TDR.FATAL\",\"src\":\"x.c:1\"}",
		"{\"k\":1,\"act\":\"rmw\",\"obj\":\"KOT.LOCK\",\"src\":\"x.c:1\",\"prim\":\"no\"}",
	};

	for (u32 i = 0; i < ARRAY_SIZE(pauses); i++) {
		char *text = g_strdup_printf(
			"{\"setup\":\"s\",\"ops\":[],\"op_state\":2}\n"
			"{\"id\":1,\"setup\":\"s\",\"A\":{\"op\":\"TDH.MEM.TRACK\"},\"B\":{\"op\":"
			"\"TDH.MEM.TRACK\",\"lp\":1},\"pause\":%s,\"A_res\":{},\"B_res\":{},"
			"\"entry\":{},\"final\":{}}\n", pauses[i]), *path;
		struct conform_report *r = run(text, &path);

		assert_int_equal(r->errors->len, 0);
		assert_int_equal(r->found->len, 1);
		assert_string_equal(((struct conform_found *)r->found->pdata[0])->field, "runs");
		assert_int_equal(r->ran, 0);
		conform_report_free(r);
		g_free(path);
		g_free(text);
	}
}

static void test_no_setup(void **state)
{
	char *path;
	struct conform_report *r = run(
		"{\"id\":1,\"setup\":\"s\",\"A\":{\"op\":\"TDH.MEM.TRACK\"},\"B\":{\"op\":"
		"\"TDH.MEM.TRACK\",\"lp\":1},\"pause\":{\"act\":\"read\",\"obj\":\"TDR.FATAL\","
		"\"src\":\"x.c:1\"},\"A_res\":{},\"B_res\":{},\"entry\":{},\"final\":{}}\n", &path);

	assert_int_equal(r->errors->len, 1);
	assert_int_equal(r->interleavings, 0);
	conform_report_free(r);
	g_free(path);
}

/* Files that were put together say a setup again */
static void test_setup_twice(void **state)
{
	static const char setup[] = "{\"setup\":\"s\",\"ops\":[],\"op_state\":2}\n";
	static const char other[] = "{\"setup\":\"other\",\"ops\":[],\"op_state\":2}\n";
	char *path, *text = g_strconcat(setup, setup, other,
		"{\"id\":1,\"setup\":\"s\",\"A\":{\"op\":\"TDH.MEM.TRACK\"},\"B\":{\"op\":"
		"\"TDH.MEM.TRACK\",\"lp\":1},\"pause\":{\"act\":\"rmw\",\"obj\":\"PAMT_1G.LOCK\","
		"\"src\":\"x.c:1\",\"prim\":\"acquire_sharex_lock_hp_sh\"},\"A_res\":{},"
		"\"B_res\":{},\"entry\":{},\"final\":{}}\n", NULL);
	struct conform_report *r = run(text, &path);

	assert_int_equal(r->errors->len, 0);
	assert_int_equal(r->interleavings, 1);
	assert_int_equal(r->ran, 1);
	conform_report_free(r);
	g_free(path);
	g_free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_goes_on),
		cmocka_unit_test(test_differences),
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_not_run),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_no_setup),
		cmocka_unit_test(test_setup_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
